"""The total order of a model's versions, and the times and names it depends on.

"Before" and "newest" mean this order everywhere: creation time, then name, then the index in the listing.

A name of the form ``x.y.z`` or ``x.y.z_suffix`` is compared by its three numbers and then by the suffix, piece by
piece, as numbers or lower-case text (``rc9`` before ``rc10``). Suffixes whose first word is dev, alpha, beta, pre or rc
(also a, b and preview) are pre-releases, in this order, and come before the bare release; all others come after it.
Names of another form come before ``x.y.z``, in natural order (``v2`` before ``v10``).
"""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from paiview.pai.objects import ModelVersion
from paiview.pai.times import naive_time, parse_time, time_key

__all__ = ["NameKey", "NameParts", "TotalOrder", "naive_time", "name_key", "parse_time", "time_key", "total_order"]

_MAX_DIGITS: Final = 18
"""Of the numbers in ``NameParts``, which fit 64 bits."""
_VERSION, _SHORT_VERSION = (
    re.compile(rf"({number})\.({number})\.({number})(?:_(\w+))?", re.ASCII)
    for number in ("[0-9]+", f"[0-9]{{1,{_MAX_DIGITS}}}")
)
_DIGITS: Final = re.compile(r"([0-9]+)")
_PIECES: Final = re.compile(r"[0-9]+|[a-z]+")
_STAGES: Final = {"dev": 0, "alpha": 1, "a": 1, "beta": 2, "b": 2, "pre": 3, "preview": 3, "rc": 4}
_RELEASE: Final = 5
_AFTER_RELEASE: Final = 6

NameKey = tuple[Any, ...]
"""A sort key of a name. Keys of names are comparable with each other."""


class NameParts(NamedTuple):
    """The parts of ``x.y.z`` or ``x.y.z_suffix``; all ``None`` if the name has another form or longer numbers."""

    major: int | None = None
    minor: int | None = None
    patch: int | None = None
    suffix: str | None = None


class TotalOrder(NamedTuple):
    """Versions in their total order.

    Attributes:
        listing_indexes: for each, its index in the listing.
        created: for each, the creation time in UTC, without a zone and cut to microseconds; ``None`` when absent or
            unreadable.
        parts: for each, the parts of its name.
        names: for each, its name, or a unique placeholder (``(unnamed 3)``) where the service gave none.
    """

    listing_indexes: list[int]
    created: list[datetime | None]
    parts: list[NameParts]
    names: list[str]


def total_order(versions: Sequence[ModelVersion]) -> TotalOrder:
    """Sort the versions of a listing; those without a readable time come first, so that none counts as the newest."""
    times = [time_key(version.gmt_create_time) or () for version in versions]
    indexes = []
    for _, tied in groupby(sorted(range(len(versions)), key=times.__getitem__), key=times.__getitem__):
        group = list(tied)
        if len(group) > 1:
            group.sort(key=lambda index: name_key(versions[index].version_name))
        indexes += group
    names = [versions[index].version_name for index in indexes]
    return TotalOrder(
        indexes,
        [time[0] if time else None for time in map(times.__getitem__, indexes)],
        [_name_parts(name) for name in names],
        _unique_names(names, indexes),
    )


def name_key(name: str | None) -> NameKey:
    """The sort key of a name; no name comes before all names."""
    if not name:
        return (0,)
    match = _VERSION.fullmatch(name)
    if match is None:
        pieces = _DIGITS.split(name.lower())
        return 0, *[_number(piece) if index % 2 else piece for index, piece in enumerate(pieces)]
    suffix = match[4]
    return 1, *map(_number, match.group(1, 2, 3)), *((_RELEASE,) if suffix is None else _suffix_key(suffix))


def _name_parts(name: str | None) -> NameParts:
    match = _SHORT_VERSION.fullmatch(name) if name else None
    if match is None:
        return _NO_PARTS
    major, minor, patch, suffix = match.groups()
    return NameParts(int(major), int(minor), int(patch), suffix)


def _suffix_key(suffix: str) -> NameKey:
    """The stage, then each piece after its word: numbers come before text."""
    pieces = _PIECES.findall(suffix.lower())
    stage = _STAGES.get(pieces[0], _AFTER_RELEASE) if pieces else _AFTER_RELEASE
    rest = pieces if stage == _AFTER_RELEASE else pieces[1:]
    return stage, *[(0, _number(piece), "") if piece.isdigit() else (1, 0, piece) for piece in rest]


def _number(digits: str) -> int:
    """A number that compares as the digits do, and equals their value if that is short.

    Python refuses to convert thousands of decimal digits, and takes quadratic time for fewer. Read as hexadecimal ones
    they keep their order, and are larger than every short number.
    """
    if len(digits) > _MAX_DIGITS:
        digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MAX_DIGITS else int(digits, 16)


def _unique_names(names: Sequence[str | None], listing_indexes: Sequence[int]) -> list[str]:
    """The names, with a unique placeholder for each version that has none."""
    taken = set(names)
    return [name or _placeholder(index, taken) for name, index in zip(names, listing_indexes, strict=True)]


def _placeholder(listing_index: int, taken: set[str | None]) -> str:
    placeholder = f"(unnamed {listing_index + 1})"
    while placeholder in taken:
        placeholder = f"({placeholder})"
    return placeholder


_NO_PARTS: Final = NameParts()

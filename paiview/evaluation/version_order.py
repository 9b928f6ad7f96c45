"""The total order of a model's versions, and the times and names it is made of.

"Before" and "newest" mean this order everywhere: creation time, then (major, minor, patch, suffix) with numbers
compared as numbers, then the place in the listing.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from paiview.pai.objects import ModelVersion

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{3})?)?Z")
_VERSION = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})(?:_(\w+))?", re.ASCII)
_DIGITS = re.compile(r"([0-9]{1,18})")
_NO_TIME = datetime(1, 1, 1)  # noqa: DTZ001 - the times it stands among have no zone either
_NameKey = tuple[int, int, int, tuple[int | str, ...]]


class NameParts(NamedTuple):
    """``x.y.z`` or ``x.y.z_suffix``, read; all ``None`` when the name has another form."""

    major: int | None = None
    minor: int | None = None
    patch: int | None = None
    suffix: str | None = None


class Ordered(NamedTuple):
    """Versions in their total order.

    Attributes:
        places: for each, its place in the sequence given.
        created: for each, the creation time in UTC, without a zone; ``None`` when absent or unreadable.
        parts: for each, what its name says.
        names: for each, its name, or a placeholder of its own (``(unnamed 3)``) where the service gave none.
    """

    places: list[int]
    created: list[datetime | None]
    parts: list[NameParts]
    names: list[str]


def ordered(versions: Sequence[ModelVersion]) -> Ordered:
    """Sort versions: unknown times come first, so that none of them is taken for the newest."""
    created = [naive_time(version.gmt_create_time) for version in versions]
    parts = [_name_parts(version.version_name) for version in versions]
    keys = [(time is not None, time or _NO_TIME, _name_key(part)) for time, part in zip(created, parts, strict=True)]
    places = sorted(range(len(versions)), key=keys.__getitem__)
    return Ordered(
        places,
        [created[place] for place in places],
        [parts[place] for place in places],
        _names([versions[place].version_name for place in places], places),
    )


def parse_time(text: str | None) -> datetime | None:
    """Read a time of the wire; ``None`` when it is absent or has none of the three shapes.

    The API writes UTC to the second (``2021-01-21T17:12:35Z``), the millisecond (``2021-01-30T12:51:33.028Z``) or the
    minute (``2021-01-21T17:12Z``).
    """
    moment = naive_time(text)
    return moment.replace(tzinfo=UTC) if moment else None


def naive_time(text: str | None) -> datetime | None:
    """``parse_time`` without the zone: a third of the time, for ten thousand versions."""
    if not text or not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text[:-1])
    except ValueError:
        return None


def _name_parts(name: str | None) -> NameParts:
    match = _VERSION.fullmatch(name) if name else None
    if match is None:
        return NameParts()
    major, minor, patch, suffix = match.groups()
    return NameParts(int(major), int(minor), int(patch), suffix)


def _name_key(parts: NameParts) -> _NameKey:
    """A sort key; names that are no version numbers come first."""
    major, minor, patch, suffix = parts
    if major is None or minor is None or patch is None:
        return -1, -1, -1, ()
    if suffix is None:
        return major, minor, patch, ()
    pieces = _DIGITS.split(suffix)
    return major, minor, patch, tuple(int(piece) if at % 2 else piece for at, piece in enumerate(pieces))


def _names(given: Sequence[str | None], places: Sequence[int]) -> list[str]:
    """The names, with a placeholder of its own for each version that has none."""
    names = [*given]
    taken = set(names)
    for order, place in enumerate(places):
        if not names[order]:
            placeholder = f"(unnamed {place + 1})"
            while placeholder in taken:
                placeholder = f"({placeholder})"
            names[order] = placeholder
    return [name for name in names if name]

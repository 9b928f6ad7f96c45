"""The total order of a model's versions, and the times and names it depends on.

"Before" and "newest" mean this order everywhere: creation time, then (major, minor, patch, suffix) with numbers
compared as numbers, then the index in the listing.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from paiview.pai.objects import ModelVersion

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{3})?)?Z")
_VERSION = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})(?:_(\w+))?", re.ASCII)
_DIGITS = re.compile(r"([0-9]{1,18})")
_NO_TIME = datetime(1, 1, 1)  # noqa: DTZ001 - the times it is compared with have no zone either
_NameKey = tuple[int, int, int, tuple[int | str, ...]]


class NameParts(NamedTuple):
    """The parts of ``x.y.z`` or ``x.y.z_suffix``; all ``None`` when the name has another form."""

    major: int | None = None
    minor: int | None = None
    patch: int | None = None
    suffix: str | None = None


class TotalOrder(NamedTuple):
    """Versions in their total order.

    Attributes:
        listing_indexes: for each, its index in the listing.
        created: for each, the creation time in UTC, without a zone; ``None`` when absent or unreadable.
        parts: for each, the parts of its name.
        names: for each, its name, or a unique placeholder (``(unnamed 3)``) where the service gave none.
    """

    listing_indexes: list[int]
    created: list[datetime | None]
    parts: list[NameParts]
    names: list[str]


def total_order(versions: Sequence[ModelVersion]) -> TotalOrder:
    """Sort the versions of a listing; those without a readable time come first, so that none counts as the newest."""
    created = [naive_time(version.gmt_create_time) for version in versions]
    parts = [_name_parts(version.version_name) for version in versions]
    keys = [(time is not None, time or _NO_TIME, _name_key(part)) for time, part in zip(created, parts, strict=True)]
    indexes = sorted(range(len(versions)), key=keys.__getitem__)
    return TotalOrder(
        indexes,
        [created[index] for index in indexes],
        [parts[index] for index in indexes],
        _names([versions[index].version_name for index in indexes], indexes),
    )


def parse_time(text: str | None) -> datetime | None:
    """Parse a time of the API; ``None`` when it is absent or has none of the three shapes.

    The API writes UTC to the second (``2021-01-21T17:12:35Z``), the millisecond (``2021-01-30T12:51:33.028Z``) or the
    minute (``2021-01-21T17:12Z``).
    """
    moment = naive_time(text)
    return moment.replace(tzinfo=UTC) if moment else None


def naive_time(text: str | None) -> datetime | None:
    """``parse_time`` without the zone, three times as fast."""
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
    """A sort key; names that are not version numbers come first."""
    major, minor, patch, suffix = parts
    if major is None or minor is None or patch is None:
        return -1, -1, -1, ()
    if suffix is None:
        return major, minor, patch, ()
    pieces = _DIGITS.split(suffix)
    return major, minor, patch, tuple(int(piece) if index % 2 else piece for index, piece in enumerate(pieces))


def _names(names: Sequence[str | None], listing_indexes: Sequence[int]) -> list[str]:
    """The names, with a unique placeholder for each version that has none."""
    taken = set(names)
    return [name or _placeholder(index, taken) for name, index in zip(names, listing_indexes, strict=True)]


def _placeholder(listing_index: int, taken: set[str | None]) -> str:
    placeholder = f"(unnamed {listing_index + 1})"
    while placeholder in taken:
        placeholder = f"({placeholder})"
    return placeholder

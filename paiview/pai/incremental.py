"""Brings a listing of versions up to date with three pages instead of all of them. Knows nothing of HTTP.

The service offers no way to ask for changes: no ETag, no sorting by modification time, only counts. But a new version
sorts as the newest, and a version becomes Approved or Rejected once and for good. So a version that was created,
deleted, approved or rejected is on the newest page of all, of the Approved or of the Rejected versions, or one of these
three counts differs from what the pages explain.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from paiview.pai.objects import ModelVersion, VersionFilters
from paiview.pai.paging import Page

FIRST_PAGE_FILTERS: Final = tuple(
    VersionFilters(order="DESC", approval_status=status) for status in (None, "Approved", "Rejected")
)
"""The listings whose first page is needed: all, the Approved and the Rejected versions, newest first."""


def merge(known: Sequence[ModelVersion], pages: Sequence[Page[ModelVersion]]) -> tuple[ModelVersion, ...] | None:
    """Merge three pages into an earlier listing.

    An edit of a version's other fields is missed if the version is on none of the pages.

    Args:
        known: an earlier complete listing, oldest first.
        pages: the first page of each of ``FIRST_PAGE_FILTERS``, in its order.

    Returns:
        the listing, oldest first; ``None`` if it does not match all three counts, so that it must be listed in full.
    """
    versions = {version.version_name: version for version in known if version.version_name}
    newest = pages[0].items
    # If the page holds no known version, the next page may hold more new ones, and their number could hide a deletion.
    if len(versions) != len(known) or not newest or newest[-1].version_name not in versions:
        return None
    for version in (version for page in pages for version in reversed(page.items)):
        if not version.version_name:
            return None
        before = versions.get(version.version_name, version)
        if before.gmt_create_time != version.gmt_create_time:
            return None
        versions[version.version_name] = version
    merged = tuple(versions.values())
    counts = (len(merged), _count(merged, "Approved"), _count(merged, "Rejected"))
    return merged if counts == tuple(page.listed_count for page in pages) else None


def _count(versions: Iterable[ModelVersion], status: str) -> int:
    return sum(version.approval_status == status for version in versions)

"""A listing of versions brought up to date by a few pages instead of all of them. Nothing here knows HTTP.

The service tells no change of a listing: no ETag, no sorting by the time of a change, only counts. But a new version is
the newest, and its status becomes Approved or Rejected once and for good. So what is created, deleted, approved or
rejected is on the newest pages, or moves one of three counts away from what these pages explain: of all versions, of
the Approved, of the Rejected.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from paiview.pai.objects import ModelVersion, VersionFilters
from paiview.pai.paging import Page

ASKED: Final = tuple(VersionFilters(order="DESC", approval_status=status) for status in (None, "Approved", "Rejected"))
"""The listings whose first pages are needed: of all, of the Approved and of the Rejected, the newest first."""


def merge(known: Sequence[ModelVersion], pages: Sequence[Page[ModelVersion]]) -> tuple[ModelVersion, ...] | None:
    """What is known and what the pages say, as one listing.

    It lacks what changes no count and stands on none of the pages: an edit of a version's fields.

    Args:
        known: a whole listing, oldest first.
        pages: the first pages of ``ASKED``, in its order.

    Returns:
        the listing, oldest first; ``None`` where it does not fit all three counts, so that only a whole listing tells.
    """
    versions = {version.version_name: version for version in known if version.version_name}
    newest = pages[0].items
    # Where no known version follows the new ones, more of them may be on the next page, and hide what was deleted.
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
    counts = (len(merged), _having(merged, "Approved"), _having(merged, "Rejected"))
    return merged if counts == tuple(page.total_count for page in pages) else None


def _having(versions: Iterable[ModelVersion], status: str) -> int:
    return sum(version.approval_status == status for version in versions)

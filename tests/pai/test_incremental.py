"""A listing brought up to date by three pages: never wrong about which versions there are and what their status is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.pai.incremental import FIRST_PAGE_FILTERS, merge
from paiview.pai.objects import ModelVersion, VersionFilters
from paiview.pai.paging import Page

SIZE: Final = 3
CHANGES: Final = ("create", "create", "delete", "approve", "reject", "edit", "create again")


@dataclass(frozen=True)
class Kept:
    """A version in the service."""

    name: str
    created: int
    status: str = "Pending"
    edits: int = 0

    def read(self) -> ModelVersion:
        fields = {"GmtCreateTime": f"2024-01-01T{self.created:02}:00Z", "ApprovalStatus": self.status}
        return ModelVersion.model_validate({"VersionName": self.name, "VersionDescription": str(self.edits), **fields})


def started(*statuses: str) -> list[Kept]:
    return [Kept(f"v{number}", number, status) for number, status in enumerate(statuses)]


def listed(versions: Sequence[Kept]) -> tuple[ModelVersion, ...]:
    return tuple(version.read() for version in versions)


def pages(versions: Sequence[Kept]) -> list[Page[ModelVersion]]:
    """The first page of each listing that is asked for, as the service gives it."""
    found = []
    for asked in FIRST_PAGE_FILTERS:
        matching = [item for item in reversed(versions) if asked.approval_status in (None, item.status)]
        found.append(Page(listed(matching[:SIZE]), len(matching), "R"))
    return found


def changed(versions: Sequence[Kept], kind: str, place: int) -> list[Kept]:
    """What is there after one change; ``place`` picks the version it is about."""
    now = [*versions]
    newest = max((item.created for item in versions), default=0) + 1
    at = place % len(now) if now else 0
    match kind:
        case "create":
            now.append(Kept(f"n{newest}", newest))
        case "delete" if now:
            del now[at]
        case "create again" if now:
            now.append(replace(now.pop(at), created=newest, status="Pending"))
        case "approve" | "reject" if now and now[at].status == "Pending":
            now[at] = replace(now[at], status="Approved" if kind == "approve" else "Rejected")
        case "edit" if now:
            now[at] = replace(now[at], edits=now[at].edits + 1)
    return now


def facts(versions: Sequence[ModelVersion]) -> list[tuple[str | None, str | None, str | None]]:
    return [(item.version_name, item.approval_status, item.gmt_create_time) for item in versions]


statuses = st.lists(st.sampled_from(["Pending", "Approved", "Rejected"]), max_size=12)
changes = st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 20)), max_size=10)


@given(statuses, changes)
def test_whatever_happened_the_versions_and_their_statuses_are_right_or_in_doubt(
    before: list[str], happened: list[tuple[str, int]]
) -> None:
    known = started(*before)
    now = known
    for kind, place in happened:
        now = changed(now, kind, place)
    merged = merge(listed(known), pages(now))
    if merged is not None:
        assert facts(merged) == facts(listed(now))
        shown = {item.version_name: item.raw for item in merged}
        assert all(shown[item.version_name] == item.raw for page in pages(now) for item in page.items)


def test_the_newest_of_all_of_the_approved_and_of_the_rejected_are_asked_for() -> None:
    assert (
        VersionFilters(order="DESC"),
        VersionFilters(order="DESC", approval_status="Approved"),
        VersionFilters(order="DESC", approval_status="Rejected"),
    ) == FIRST_PAGE_FILTERS


OLD = started("Pending", "Approved", "Approved", "Pending", "Rejected", "Approved", "Pending", "Pending")


@pytest.mark.parametrize(
    ("happened", "found"),
    [
        ([], True),
        ([("create", 0)], True),
        ([("create", 0), ("create", 0)], True),
        ([("create", 0)] * SIZE, False),
        ([("approve", 7)], True),
        ([("approve", 3)], True),
        ([("approve", 0)], False),
        ([("reject", 0)], True),
        ([("edit", 7)], True),
        ([("delete", 0)], False),
        ([("delete", 0), ("create", 0)], False),
        ([("delete", 1), ("approve", 0), ("create", 0)], False),
        ([("create again", 0)], False),
        ([*[("create", 0)] * (SIZE + 1), ("delete", 0)], False),
    ],
)
def test_what_the_pages_tell_and_what_needs_a_whole_listing(happened: list[tuple[str, int]], found: bool) -> None:
    now: list[Kept] = OLD
    for kind, place in happened:
        now = changed(now, kind, place)
    merged = merge(listed(OLD), pages(now))
    assert (merged is not None) is found
    assert merged is None or [item.raw for item in merged] == [item.raw for item in listed(now)]


def test_an_old_edit_moves_nothing_and_is_not_seen() -> None:
    merged = merge(listed(OLD), pages(changed(OLD, "edit", 0)))
    assert merged == listed(OLD)


def test_versions_without_a_name_cannot_be_told_apart() -> None:
    nameless = ModelVersion.model_validate({"ApprovalStatus": "Pending"})
    assert merge((*listed(OLD), nameless), pages(OLD)) is None
    first, *others = pages(OLD)
    assert merge(listed(OLD), [replace(first, items=(nameless, *first.items)), *others]) is None


@pytest.mark.parametrize("count", range(3))
def test_a_count_that_does_not_fit_leaves_doubt(count: int) -> None:
    given: list[Any] = pages(OLD)
    given[count] = replace(given[count], total_count=given[count].total_count + 1)
    assert merge(listed(OLD), given) is None


def test_nothing_known_or_nothing_there_leaves_doubt() -> None:
    assert merge((), pages(OLD)) is None
    assert merge(listed(OLD), pages([])) is None

"""The queue of versions that wait for review: what is in it, what is judged, and the order."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from paiview.decisions.contracts import Contracts
from paiview.pai.objects import ModelVersion, VersionFilters
from paiview.registry import review_queue
from paiview.registry.review_queue import ModelQueue, QueuedVersion, judge_pending, most_promising_first
from paiview.registry.snapshots import VersionsSnapshot
from tests.harness.service import version

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def listing(versions: Sequence[dict[str, Any]]) -> VersionsSnapshot:
    return VersionsSnapshot(
        fetched_at=NOW,
        model_id="model-a",
        filters=VersionFilters(),
        fully_read_at=NOW,
        versions=tuple(ModelVersion.model_validate(item) for item in versions),
        total=len(versions),
        uneven=None,
        identity="",
    )


def measured(name: str, day: int, cer: dict[str, float], status: str = "Pending") -> dict[str, Any]:
    results = {dataset: {"cer": value} for dataset, value in cer.items()}
    return version(name, f"2024-01-{day:02}", results, ApprovalStatus=status)


def queue(*versions: dict[str, Any]) -> ModelQueue:
    return judge_pending(listing(versions), Contracts())


def names(versions: Sequence[QueuedVersion]) -> list[str]:
    return [version.decision.candidate for version in versions]


BASE = measured("1.0.0", 2, {"a": 0.2, "b": 0.2}, "Approved")


def test_only_pending_versions_wait_and_the_newest_comes_first() -> None:
    waiting = queue(
        BASE,
        measured("1.1.0", 3, {"a": 0.1, "b": 0.2}),
        measured("1.2.0", 4, {"a": 0.1}, "Rejected"),
        measured("1.3.0", 5, {"a": 0.3, "b": 0.2}),
    )
    assert names(waiting.judged) == ["1.3.0", "1.1.0"]
    assert [item.decision.summary.word for item in waiting.judged] == ["Worse", "Better"]
    assert [item.decision.baseline for item in waiting.judged] == ["1.0.0", "1.0.0"]
    assert waiting.judged[0].created == datetime(2024, 1, 5, tzinfo=UTC)


def test_what_is_older_than_the_approved_version_is_superseded() -> None:
    waiting = queue(measured("0.9.0", 1, {"a": 0.1}), BASE, measured("1.1.0", 3, {"a": 0.1}))
    assert {item.decision.candidate: item.superseded for item in waiting.judged} == {"1.1.0": False, "0.9.0": True}
    assert waiting.waiting(with_superseded=False) == 1
    assert waiting.waiting(with_superseded=True) == 2


def test_without_an_approved_version_nothing_is_superseded() -> None:
    waiting = queue(measured("0.1.0", 1, {"a": 0.2}), measured("0.2.0", 2, {"a": 0.1}))
    assert [item.superseded for item in waiting.judged] == [False, False]


def test_the_oldest_are_counted_and_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_queue, "MAX_JUDGED", 2)
    older = [measured(f"0.{day}.0", day, {"a": 0.5}) for day in range(3, 6)]
    approved = measured("1.0.0", 6, {"a": 0.2}, "Approved")
    newer = [measured(f"1.{day}.0", day, {"a": 0.1}) for day in range(7, 11)]
    waiting = queue(*older, approved, *newer)
    assert names(waiting.judged) == ["1.10.0", "1.9.0"]
    assert (waiting.unjudged, waiting.unjudged_superseded) == (2, 3)
    assert waiting.waiting(with_superseded=False) == 4
    assert waiting.waiting(with_superseded=True) == 7
    assert waiting.left_out(with_superseded=True) == 5


def test_the_most_promising_come_first() -> None:
    waiting = queue(
        measured("0.1.0", 1, {"a": 0.2, "b": 0.2, "c": 0.2}, "Approved"),
        measured("not-comparable", 2, {"d": 0.1}),
        measured("worse", 3, {"a": 0.3, "b": 0.2, "c": 0.2}),
        measured("twice-worse", 4, {"a": 0.3, "b": 0.3, "c": 0.2}),
        measured("same", 5, {"a": 0.2, "b": 0.2, "c": 0.2}),
        measured("incomplete", 6, {"a": 0.1, "b": 0.1}),
        measured("trade-off", 7, {"a": 0.3, "b": 0.1, "c": 0.1}),
        measured("better", 8, {"a": 0.1, "b": 0.2, "c": 0.2}),
        measured("twice-better", 9, {"a": 0.1, "b": 0.1, "c": 0.2}),
        measured("as-much-better", 10, {"a": 0.2, "b": 0.1, "c": 0.2}),
    )
    ordered = most_promising_first(waiting.judged)
    passing = [item for item in ordered if item.decision.overall == "pass"]
    assert ordered[: len(passing)] == passing
    assert names(ordered) == [
        "twice-better",
        "as-much-better",
        "better",
        "same",
        "trade-off",
        "worse",
        "twice-worse",
        "incomplete",
        "not-comparable",
    ]


def test_a_version_without_a_readable_time_comes_last_of_its_equals() -> None:
    waiting = queue(BASE, measured("1.1.0", 3, {"a": 0.1, "b": 0.2}))
    dated = waiting.judged[0]
    undated = dated._replace(created=None)
    assert most_promising_first([undated, dated]) == [dated, undated]

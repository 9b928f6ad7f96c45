"""How far the runs of one version differ, and which changes are within that."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from paiview.decisions.decision import Decision
from paiview.decisions.lineage import Lineage, decide
from paiview.decisions.reruns import rerun_noise
from paiview.pai.objects import ModelVersion

READ = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def version(name: str, status: str, day: int, results: dict[str, Any], rerun_of: str | None = None) -> ModelVersion:
    return ModelVersion.model_validate(
        {
            "VersionName": name,
            "ApprovalStatus": status,
            "GmtCreateTime": f"2026-01-{day:02}T00:00:00Z",
            "Labels": [{"Key": "rerun_of", "Value": rerun_of}] if rerun_of else [],
            "Metrics": {
                "Results": [{"Dataset": {"DatasetId": name}, "Metrics": {"cer": n}} for name, n in results.items()]
            },
        }
    )


def test_the_limit_is_student_s_t_times_the_deviation_of_a_difference() -> None:
    noise = rerun_noise([0.100, 0.101, 0.102])
    assert noise is not None
    assert noise.runs == 3
    assert noise.spread == pytest.approx(0.002)
    assert noise.share == pytest.approx(0.002 / 0.101)
    assert noise.deviation == pytest.approx(0.001)
    # The 97.5 % quantile of Student's t with 2 degrees of freedom is 4.3027 in every table.
    assert noise.limit == pytest.approx(4.30265 * math.sqrt(2) * 0.001, rel=1e-5)


def test_two_runs_have_a_spread_and_no_limit_and_one_has_neither() -> None:
    two = rerun_noise([0.1, 0.102])
    assert two is not None
    assert two.limit is None
    assert two.spread == pytest.approx(0.002)
    assert rerun_noise([0.1]) is None
    assert rerun_noise([1e300, -1e300]) is None


def notes(*versions: ModelVersion, candidate: str = "2") -> list[str]:
    decision = decided(*versions, candidate=candidate)
    return [note for note in decision.notes if " runs of " in note]


def decided(*versions: ModelVersion, candidate: str = "2") -> Decision:
    return decide(Lineage("m", versions, READ), candidate)


BASE = version("1", "Approved", 1, {"a": 0.100, "b": 0.200})
RERUNS = [
    version("1_r2", "Rejected", 2, {"a": 0.101, "b": 0.200}, rerun_of="1"),
    version("1_r3", "Rejected", 3, {"a": 0.102, "b": 0.200}, rerun_of="1"),
]
CANDIDATE = version("2", "Pending", 9, {"a": 0.104, "b": 0.210})


def test_a_change_within_the_noise_is_told_and_keeps_its_state() -> None:
    with_runs, without = decided(BASE, *RERUNS, CANDIDATE), decided(BASE, CANDIDATE)
    assert [note for note in with_runs.notes if " runs of " in note] == [
        "3 runs of 1 differ by up to 2.0 % (cer on a); 1 of 2 changes is within re-run noise: cer on a."
    ]
    assert (with_runs.pairs, with_runs.overall, with_runs.summary) == (without.pairs, without.overall, without.summary)


def test_one_change_is_the_change() -> None:
    only = version("2", "Pending", 9, {"a": 0.104})
    assert notes(BASE, *RERUNS, only) == [
        "3 runs of 1 differ by up to 2.0 % (cer on a); the change is within re-run noise."
    ]
    beyond = version("2", "Pending", 9, {"a": 0.110})
    assert notes(BASE, *RERUNS, beyond) == [
        "3 runs of 1 differ by up to 2.0 % (cer on a); no change is within re-run noise."
    ]


def test_runs_of_the_candidate_count_too() -> None:
    runs = [version(f"2_r{n}", "Pending", 9 + n, {"a": 0.104 + n / 1000}, rerun_of="2") for n in (1, 2)]
    assert notes(BASE, CANDIDATE, *runs) == [
        "3 runs of 2 differ by up to 1.9 % (cer on a); the change is within re-run noise."
    ]
    assert notes(BASE, CANDIDATE, *runs, candidate="2_r2") == notes(BASE, CANDIDATE, *runs)


def test_under_three_runs_only_the_spread_is_told() -> None:
    assert notes(BASE, RERUNS[0], CANDIDATE) == [
        "2 runs of 1 differ by up to 0.995 % (cer on a); under 3 runs, that says nothing about the change."
    ]
    assert notes(BASE, CANDIDATE) == []


def test_runs_that_cannot_be_compared_say_nothing() -> None:
    odd = [version(f"1_r{n}", "Rejected", 1 + n, {"a": value}, rerun_of="1") for n, value in ((1, 10.0), (2, "n/a"))]
    assert notes(BASE, *odd, CANDIDATE) == []

"""Metrics whose best number is 0 or a target: nearer is better, on either side of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.decisions.averages import averages
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import PairDecision
from paiview.decisions.doubts import BaselineFacts
from paiview.decisions.no_regression import NoRegression
from paiview.decisions.pairs import judge_pairs
from paiview.decisions.policy import Improves, Rule
from paiview.decisions.policy_outcome import apply_policy
from paiview.decisions.wording import change_text, headline
from paiview.evaluation.metric_meaning import MetricSettings
from paiview.evaluation.results import Measurement, Pair
from tests.decisions.test_pairs import decision

RATIO = MetricSettings("target", target=1.0)
SIGNED = MetricSettings("zero")


def pairs(table: MetricSettings, *sides: tuple[float, float]) -> tuple[PairDecision, ...]:
    """The pairs of a metric on datasets 0, 1 and so on, each given as (baseline, candidate)."""
    before, after = (
        {Pair("x", str(at)): Measurement(numbers[side]) for at, numbers in enumerate(sides)} for side in (0, 1)
    )
    return judge_pairs(after, before, Contracts(metric_tables={"x": table}).metrics)


def one(table: MetricSettings, baseline: float, candidate: float) -> PairDecision:
    (pair,) = pairs(table, (baseline, candidate))
    return pair


@pytest.mark.parametrize(
    ("table", "baseline", "candidate", "state", "gain"),
    [
        (RATIO, 0.8, 0.9, "better", 0.5),
        (RATIO, 0.9, 0.8, "worse", -1.0),
        (RATIO, 1.2, 1.1, "better", 0.5),
        (RATIO, 1.1, 1.2, "worse", -1.0),
        (RATIO, 0.8, 1.1, "better", 0.5),
        (RATIO, 0.9, 1.1, "same", 0.0),
        (RATIO, 0.9, 1.0, "better", 1.0),
        (RATIO, 0.8, 0.802, "same", 0.01),
        (RATIO, 0.8, 0.8021, "better", 0.0105),
        (RATIO, 0.8, 0.798, "same", -0.01),
        (RATIO, 0.8, 0.7979, "worse", -0.0105),
        (RATIO, 1.0, 1.0, "same", None),
        (SIGNED, -0.4, 0.2, "better", 0.5),
        (SIGNED, 0.2, -0.4, "worse", -1.0),
        (SIGNED, -0.2, 0.2, "same", 0.0),
        (SIGNED, 5.0, -5.05, "same", -0.01),
        (SIGNED, 5.0, -5.06, "worse", -0.012),
        (SIGNED, 0.0, 0.0, "same", None),
    ],
)
def test_what_counts_is_the_distance(
    table: MetricSettings, baseline: float, candidate: float, state: str, gain: float | None
) -> None:
    pair = one(table, baseline, candidate)
    assert pair.state == state
    assert pair.gain == (None if gain is None else pytest.approx(gain))
    assert pair.effect == pair.gain
    assert pair.change == pytest.approx(candidate - baseline)
    assert (pair.error_reduction, pair.reading) == (None, "value")


@pytest.mark.parametrize(
    ("table", "baseline", "candidate", "state", "note"),
    [
        (RATIO, 1.0, 1.0000001, "worse", "from the target"),
        (RATIO, 1.0, 0.5, "worse", "from the target"),
        (SIGNED, 0.0, -1e-9, "worse", "from 0"),
        (MetricSettings("target", target=1.0, absolute=0.1), 1.0, 1.1, "same", None),
        (MetricSettings("target", target=1.0, absolute=0.1), 1.0, 1.1001, "worse", "from the target"),
        (MetricSettings("target", target=1.0, absolute=0.1, relative=0.5), 1.0, 1.05, "same", None),
        (MetricSettings("zero", absolute=0.1), 0.0, 0.1, "same", None),
        (MetricSettings("zero", absolute=0.1), 0.0, -0.11, "worse", "from 0"),
    ],
)
def test_from_the_target_any_change_beyond_the_absolute_tolerance_is_worse(
    table: MetricSettings, baseline: float, candidate: float, state: str, note: str | None
) -> None:
    pair = one(table, baseline, candidate)
    assert (pair.state, pair.gain, pair.effect) == (state, None, None)
    if note:
        assert pair.note == note
        assert headline(decision((pair,))) == [f"x: worse on 1 (0 {note})"]
        assert change_text(pair, 2).startswith(f"{note} (")


@pytest.mark.parametrize(
    ("relative", "absolute", "candidate", "state"),
    [
        (0.5, None, 0.9, "same"),
        (0.5, None, 0.901, "better"),
        (None, 0.05, 0.85, "same"),
        (None, 0.05, 0.851, "better"),
        (0.5, 0.05, 0.87, "same"),
        (0.1, 0.05, 0.83, "same"),
        (0.1, 0.05, 0.87, "better"),
    ],
)
def test_a_tolerance_is_of_the_distance(
    relative: float | None, absolute: float | None, candidate: float, state: str
) -> None:
    table = MetricSettings("target", target=1.0, relative=relative, absolute=absolute)
    assert one(table, 0.8, candidate).state == state


def test_equal_at_the_digits_shown_is_the_same() -> None:
    assert one(MetricSettings("target", target=1.0, digits=1), 0.81, 0.84).state == "same"
    assert one(MetricSettings("target", target=1.0, digits=1), 0.81, 0.86).state == "better"


def test_the_average_is_the_mean_gain_alone() -> None:
    metrics = Contracts(metric_tables={"x": RATIO}).metrics
    (mean,) = averages(pairs(RATIO, (0.8, 0.9), (1.2, 1.4), (0.5, 1.1)), metrics)
    assert (mean.n, mean.macro_baseline, mean.macro_candidate, mean.geometric_ratio) == (3, None, None, None)
    assert mean.mean_gain == pytest.approx((0.5 - 1.0 + 0.8) / 3)
    assert not mean.disagree
    assert mean.turned_by == ("0", "2")
    signed = Contracts(metric_tables={"x": SIGNED}).metrics
    (undefined,) = averages(pairs(SIGNED, (0.0, 0.1), (0.2, 0.1)), signed)
    assert (undefined.mean_gain, undefined.turned_by) == (None, ())


@pytest.mark.parametrize(
    ("rule", "sides", "result"),
    [
        (NoRegression(), [(0.8, 1.1)], "pass"),
        (NoRegression(), [(0.9, 1.2)], "fail"),
        (NoRegression(relative=1.0), [(0.9, 1.2)], "pass"),
        (NoRegression(absolute=0.09), [(0.9, 1.2)], "fail"),
        (NoRegression(), [(1.0, 1.2)], "fail"),
        (Improves(metric="x", at_least=0.5), [(0.8, 1.1)], "pass"),
        (Improves(metric="x", at_least=0.51), [(0.8, 1.1)], "fail"),
        (Improves(metric="x", at_least=0.1), [(0.8, 1.1), (0.9, 1.11)], "pass"),
        (Improves(metric="x", at_least=0.1), [(0.8, 1.1), (1.0, 1.0)], "pass"),
        (Improves(metric="x", at_least=0.0), [(0.8, 1.1), (1.0, 1.2)], "fail"),
    ],
)
def test_rules_follow_the_distance(rule: Rule, sides: list[tuple[float, float]], result: str) -> None:
    contracts = Contracts(metric_tables={"x": RATIO}, rules=(rule,))
    found = apply_policy(contracts, pairs(RATIO, *sides), description=None, labels={}, baseline=BaselineFacts())
    assert found.rules[0].result == found.overall == result


NUMBERS = st.integers(-2000, 2000).map(lambda thousandths: thousandths / 1000)


@given(NUMBERS, NUMBERS, st.sampled_from([0.0, 1.0, -0.5]), st.sampled_from([0.0, 0.01, 0.5]))
def test_sides_swapped_mirror_with_an_absolute_tolerance(
    one_side: float, other: float, target: float, absolute: float
) -> None:
    table = MetricSettings("target", target=target, absolute=absolute)
    mirror: dict[str, Any] = {"better": "worse", "worse": "better", "same": "same"}
    assert one(table, other, one_side).state == mirror[one(table, one_side, other).state]


@given(NUMBERS, NUMBERS)
def test_zero_is_a_target_of_0(baseline: float, candidate: float) -> None:
    signed, target = one(SIGNED, baseline, candidate), one(MetricSettings("target", target=0.0), baseline, candidate)
    assert (signed.state, signed.gain, signed.effect) == (target.state, target.gain, target.effect)


@given(NUMBERS, NUMBERS)
def test_a_number_and_its_mirror_are_as_near(baseline: float, candidate: float) -> None:
    mirrored = one(SIGNED, baseline, -candidate)
    assert mirrored.state == one(SIGNED, baseline, candidate).state

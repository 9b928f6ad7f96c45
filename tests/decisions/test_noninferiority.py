"""``no_regression`` with paired evidence: what passes, what fails, and what stays open."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import NormalDist
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Overall, PairDecision, RuleResult
from paiview.decisions.doubts import BaselineFacts
from paiview.decisions.noise import Compared
from paiview.decisions.noninferiority import NoiseTest, failing, noise_test
from paiview.decisions.pairs import judge_pairs
from paiview.decisions.policy import Rule
from paiview.decisions.policy_outcome import apply_policy
from paiview.evaluation.metric_meaning import MetricContract, catalogue_contract
from paiview.evaluation.noise_evidence import PairedEntry
from paiview.evaluation.results import Measurement, Pair

RULES: TypeAdapter[Rule] = TypeAdapter(Rule)
Given = tuple[float, float, float | None, float | None]
"""The baseline, the candidate, and the ends of the interval of the change."""


def no_regression(**keys: Any) -> Rule:
    return RULES.validate_python({"rule": "no_regression", **keys})


def pairs(
    *given: Given, metric: str = "wer", groups: int | None = 250, level: float = 0.95
) -> tuple[PairDecision, ...]:
    """Results on d-1, d-2 and so on."""
    before, after = {}, {}
    for at, (a, b, low, high) in enumerate(given, 1):
        entries: tuple[PairedEntry, ...] = ()
        if low is not None and high is not None:
            entries = (PairedEntry("1", None, round(b - a, 10), low, high, level, n=4270, groups=groups),)
        before[Pair(metric, f"d-{at}")] = Measurement(a)
        after[Pair(metric, f"d-{at}")] = Measurement(b, paired=entries)
    return judge_pairs(after, before, compared=Compared("m", "m", "1"))


def found(
    judging: Rule, given: Sequence[PairDecision], metrics: Mapping[str, Any] | None = None
) -> tuple[RuleResult, Overall]:
    contracts = Contracts(metric_tables=metrics or {}, rules=(judging,))
    (result,), _, overall = apply_policy(contracts, given, description=None, labels={}, baseline=BaselineFacts())
    return result, overall


def outcome(judging: Rule, *given: Given, **keys: Any) -> str:
    result, overall = found(judging, pairs(*given, **keys))
    assert overall == result.result
    return result.result


@pytest.mark.parametrize(
    ("given_pair", "result"),
    [
        ((0.100, 0.110, 0.002, 0.018), "fail"),
        ((0.100, 0.110, -0.002, 0.022), "undecided"),
        ((0.100, 0.090, -0.022, 0.002), "pass"),
        ((0.100, 0.090, -0.018, -0.002), "pass"),
        ((0.100, 0.1005, -0.01, 0.011), "pass"),
        ((0.100, 0.110, None, None), "fail"),
    ],
)
def test_without_a_margin_only_a_worse_result_that_may_be_chance_stays_open(given_pair: Given, result: str) -> None:
    assert outcome(no_regression(), given_pair) == result


def test_what_may_be_worse_or_chance_is_said_for_readers_without_statistics() -> None:
    result, _ = found(no_regression(), pairs((0.1104, 0.1144, -0.0023, 0.0108), (0.2, 0.1, None, None)))
    assert result.sentence == (
        "None of 2 results is shown to be worse. May be worse, or chance: wer on d-1 −3.6 % (0.1104 → 0.1144, "
        "+0.40 pp), about 1,200 more groups of items would settle it, if the difference stays as it is."
    )
    far, _ = found(no_regression(), pairs((0.100, 0.110, -0.2, 0.22)))
    assert far.sentence.endswith(
        ", to settle it is not within reach: it would take more than 20 times as many groups of items."
    )


@pytest.mark.parametrize(
    ("given_pair", "result"),
    [
        # Of 5 % of 0.1, a loss of 0.005 is allowed.
        ((0.100, 0.100, -0.004, 0.005), "pass"),
        ((0.100, 0.100, -0.004, 0.0051), "undecided"),
        ((0.100, 0.090, -0.02, 0.0049), "pass"),
        ((0.100, 0.104, 0.003, 0.005), "pass"),
        ((0.100, 0.110, 0.0051, 0.0149), "fail"),
        ((0.100, 0.110, 0.005, 0.015), "undecided"),
        ((0.100, 0.110, None, None), "undecided"),
        ((0.100, 0.090, None, None), "undecided"),
        ((0.100, 0.100, None, None), "undecided"),
    ],
)
def test_a_margin_asks_for_evidence_that_no_loss_is_beyond_it(given_pair: Given, result: str) -> None:
    assert outcome(no_regression(margin=0.05), given_pair) == result


def test_a_margin_is_a_share_of_what_a_relative_tolerance_is_a_share_of() -> None:
    # Of an accuracy of 0.98 that is the 0.02 of errors: 5 % of them are 0.001.
    assert outcome(no_regression(margin=0.05), (0.98, 0.98, -0.001, 0.002), metric="accuracy") == "pass"
    assert outcome(no_regression(margin=0.05), (0.98, 0.98, -0.0011, 0.002), metric="accuracy") == "undecided"


def test_a_margin_of_a_metric_with_a_target_is_a_share_of_the_distance() -> None:
    target = MetricContract("x", "target", target=1.0, standing="declared")
    pair = Pair("x", "d-1")
    found_entry = PairedEntry("1", None, 0.02, -0.02, 0.04, is_distance=True, groups=250)
    (judged,) = judge_pairs(
        {pair: Measurement(0.48, paired=(found_entry,))},
        {pair: Measurement(0.5)},
        {"x": target},
        compared=Compared("m", "m", "1"),
    )
    assert judged.paired is not None
    # The distance is 0.5 and may grow by 8 %: 0.04.
    for margin, holds in ((0.08, True), (0.0799, False)):
        test = noise_test(judged, judged.paired, target, margin)
        assert test is not None
        assert (float(test.improvement), test.holds, test.is_beyond) == (-0.02, holds, False)


def test_the_sentences_of_a_margin() -> None:
    rule = no_regression(margin=0.05)
    assert found(rule, pairs((0.1, 0.1, -0.004, 0.004)))[0].sentence == (
        "1 result is not worse by more than 5 %, with 95 % confidence."
    )
    assert found(rule, pairs((0.1, 0.11, 0.006, 0.014)))[0].sentence == (
        "1 of 1 result is worse by more than 5 %: wer on d-1 −10.0 % (0.10 → 0.11, +1 pp)."
    )
    open_pairs = pairs((0.1, 0.104, -0.002, 0.01), (0.1, 0.1, None, None), (0.1, 0.1, -0.001, 0.001))
    assert found(rule, open_pairs)[0].sentence == (
        "None of 3 results is shown to be worse by more than 5 %. May be worse by more than 5 %: wer on d-1 −4.0 % "
        "(0.100 → 0.104, +0.4 pp), to settle it is not within reach: it would take more than 20 times as many groups "
        "of items. Without paired evidence of 95 % from at least 20 groups: wer on d-2."
    )


def test_few_groups_are_no_evidence_for_a_margin_and_no_excuse_without_one() -> None:
    assert outcome(no_regression(margin=0.05), (0.1, 0.1, -0.001, 0.001), groups=19) == "undecided"
    assert outcome(no_regression(margin=0.05), (0.1, 0.1, -0.001, 0.001), groups=20) == "pass"
    assert outcome(no_regression(), (0.1, 0.11, -0.002, 0.022), groups=19) == "fail"
    assert outcome(no_regression(), (0.1, 0.11, -0.002, 0.022), groups=20) == "undecided"


def test_a_confidence_asks_for_an_entry_of_that_level() -> None:
    rule = no_regression(confidence=0.99)
    better, worse, unclear = (0.1, 0.09, -0.012, -0.008), (0.1, 0.11, 0.002, 0.018), (0.1, 0.11, -0.002, 0.022)
    assert [outcome(rule, each, level=0.99) for each in (better, worse, unclear)] == ["pass", "fail", "undecided"]
    assert [outcome(rule, each) for each in (better, worse, unclear)] == ["undecided"] * 3
    assert found(rule, pairs(better))[0].sentence == (
        "1 result is not shown to be worse. Without paired evidence of 99 % from at least 20 groups: wer on d-1."
    )
    assert outcome(no_regression(confidence=0.99, margin=0.05), (0.1, 0.1, -0.004, 0.004), level=0.99) == "pass"


def test_a_tolerance_of_the_rule_goes_before_chance() -> None:
    unclear = (0.100, 0.104, -0.002, 0.010)
    assert outcome(no_regression(relative=0.05), unclear) == "pass"
    assert outcome(no_regression(relative=0.01), unclear) == "undecided"
    # The result is the same by the metric's tolerance; the rule has none, and the interval holds 0.
    assert outcome(no_regression(relative=0.0), (0.1, 0.1005, -0.01, 0.011)) == "undecided"
    assert outcome(no_regression(relative=0.0), (0.1, 0.1005, 0.0001, 0.0009)) == "fail"


def test_a_fail_is_corrected_for_how_many_results_have_evidence() -> None:
    # Alone, z is 2.2 and p 0.014: one of three has to be below 0.025 / 3.
    slightly = (0.100, 0.110, 0.010 - 0.010 * 1.959964 / 2.2, 0.010 + 0.010 * 1.959964 / 2.2)
    fine = (0.1, 0.09, -0.02, 0.0)
    assert outcome(no_regression(), slightly) == "fail"
    assert outcome(no_regression(), slightly, fine, fine) == "undecided"
    # Results without evidence are not tested, and take nothing from the others.
    assert outcome(no_regression(), slightly, (0.1, 0.09, None, None), (0.1, 0.09, None, None)) == "fail"
    # Three that are all slightly worse do not hold each alone either: Holm stops at the first.
    assert outcome(no_regression(), slightly, slightly, slightly) == "undecided"
    clearly = (0.100, 0.110, 0.006, 0.014)
    result, _ = found(no_regression(), pairs(clearly, slightly))
    assert (result.result, result.sentence) == (
        "fail",
        (
            "2 of 2 results are worse: wer on d-1 −10.0 % (0.10 → 0.11, +1 pp), wer on d-2 −10.0 % (0.10 → 0.11, "
            "+1 pp). Corrected for 2 results with paired evidence (approximate)."
        ),
    )
    opened, _ = found(no_regression(), pairs(slightly, fine, fine))
    assert opened.sentence == (
        "None of 3 results is shown to be worse. May be worse, or chance: wer on d-1 −10.0 % (0.10 → 0.11, +1 pp), "
        "which is often so by chance for one of 3 results with paired evidence."
    )


def test_p_is_that_of_the_normal_distribution() -> None:
    (pair,) = pairs((0.100, 0.110, 0.002, 0.018))
    assert pair.paired is not None
    test = noise_test(pair, pair.paired, catalogue_contract("wer"), 0.05)
    assert test is not None
    error = 0.016 / (2 * NormalDist().inv_cdf(0.975))
    assert test.p == pytest.approx(NormalDist().cdf((-0.010 + 0.005) / error), rel=1e-9)


def test_an_assumed_direction_neither_passes_nor_fails_with_evidence() -> None:
    for after, low, high in ((0.11, 0.002, 0.018), (0.09, -0.018, -0.002), (0.1, -0.001, 0.001)):
        given_pairs = pairs((0.1, after, low, high), metric="wer_callcenter")
        result, _ = found(no_regression(margin=0.05), given_pairs)
        assert result.result == "undecided"
        assert "a direction that is only assumed" in result.sentence


@pytest.mark.parametrize(
    "keys",
    [
        {"margin": -0.1},
        {"margin": 1},
        {"margin": 5.0},
        {"margin": float("nan")},
        {"margin": "5 %"},
        {"margin": 0.05, "relative": 0.01},
        {"margin": 0.05, "absolute": 0.01},
        {"confidence": 95},
        {"confidence": 1.0},
        {"confidence": 0.5},
        {"confidence": "high"},
        {"margins": 0.05},
    ],
)
def test_a_value_that_cannot_be_meant_is_an_error(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        no_regression(**keys)


@st.composite
def measured(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """A baseline, a candidate, and how far an interval reaches below and above the change."""
    before, after = (draw(st.integers(1, 400)) / 1000 for _ in range(2))
    return before, after, draw(st.integers(0, 200)) / 1000, draw(st.integers(0, 200)) / 1000


def as_given(one: tuple[float, float, float, float], wider: float = 1.0) -> Given:
    before, after, below, above = one
    change = round(after - before, 3)
    return before, after, change - below * wider, change + above * wider


RULE_KEYS = st.sampled_from([{}, {"margin": 0.0}, {"margin": 0.05}, {"margin": 0.3}, {"relative": 0.0}])
SEVERAL = st.lists(measured(), min_size=1, max_size=4)


@settings(deadline=None)
@given(SEVERAL, RULE_KEYS, st.sampled_from([1.1, 2.0, 50.0]))
def test_wider_intervals_never_settle_what_was_open(
    results: list[tuple[float, float, float, float]], keys: dict[str, float], wider: float
) -> None:
    rule = no_regression(**keys)
    narrow, wide = (found(rule, pairs(*(as_given(one, by) for one in results)))[0].result for by in (1.0, wider))
    assert narrow != "undecided" or wide == "undecided"
    assert narrow != "pass" or wide != "fail"


@settings(deadline=None)
@given(SEVERAL, st.lists(st.integers(0, 99), min_size=2, max_size=2, unique=True).map(sorted))
def test_a_larger_margin_is_never_harder_to_meet(
    results: list[tuple[float, float, float, float]], percents: list[int]
) -> None:
    order = ["fail", "undecided", "pass"]
    given_pairs = pairs(*map(as_given, results))
    strict, loose = (
        order.index(found(no_regression(margin=percent / 100), given_pairs)[0].result) for percent in percents
    )
    assert strict <= loose


@settings(deadline=None)
@given(SEVERAL, RULE_KEYS)
def test_a_pass_needs_every_pair_by_itself_and_evidence_makes_no_fail(
    results: list[tuple[float, float, float, float]], keys: dict[str, float]
) -> None:
    rule = no_regression(**keys)
    together = found(rule, pairs(*map(as_given, results)))[0].result
    alone = {found(rule, pairs(as_given(one)))[0].result for one in results}
    assert (together == "pass") == (alone == {"pass"})
    assert together != "fail" or "fail" in alone
    without = found(
        no_regression(**{k: v for k, v in keys.items() if k != "margin"}),
        pairs(*((before, after, None, None) for before, after, *_ in results)),
    )[0].result
    if "margin" not in keys:
        assert together != "fail" or without == "fail"
        assert without != "pass" or together == "pass"


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5)), min_size=1, max_size=6))
def test_holm_rejects_as_published(given_tests: list[tuple[float, float]]) -> None:
    statsmodels = pytest.importorskip("statsmodels.stats.multitest")
    (pair,) = pairs((0.1, 0.11, 0.0, 0.02))
    tests = []
    for improvement, half in given_tests:
        ends = {"improvement": improvement, "low": improvement - half, "high": improvement + half, "margin": 0}
        assert pair.paired is not None
        from_floats = {name: Decimal(repr(value)) for name, value in ends.items()}
        tests.append(NoiseTest(pair, pair.paired, **from_floats))
    rejected = statsmodels.multipletests([test.p for test in tests], alpha=0.025, method="holm")[0]
    expected = [test for test, is_rejected in zip(tests, rejected, strict=True) if is_rejected and test.is_beyond]
    assert sorted(map(repr, failing(tests, 0.95))) == sorted(map(repr, expected))

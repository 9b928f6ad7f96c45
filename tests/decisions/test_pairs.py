"""What a pair of results means, what pairs mean together, and how both are said."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import (  # type: ignore[import-untyped]
    confint_proportions_2indep,
    proportion_confint,
)

from paiview.decisions.averages import averages
from paiview.decisions.decision import Decision, PairDecision, State, Summary, Word
from paiview.decisions.dominance import dominators
from paiview.decisions.intervals import newcombe, wilson
from paiview.decisions.noise import Compared
from paiview.decisions.pairs import judge_pairs, state_of, summarize
from paiview.decisions.wording import change_text, headline, percent, short_headline
from paiview.evaluation.metric_meaning import DatasetContract, Direction, MetricContract, catalogue_contract
from paiview.evaluation.noise_evidence import PairedEntry, Spread
from paiview.evaluation.results import Evaluation, Measurement, Pair

UNHURRIED = settings(deadline=None)
NAN = math.nan
LARGEST, SMALLEST = 1.7976931348623157e308, 5e-324

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SHARES = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
VALUES = st.one_of(FINITE, SHARES, st.sampled_from([0.0, -0.0, 1.0, LARGEST, -LARGEST, SMALLEST, -SMALLEST, 1e-300]))
DIRECTIONS: st.SearchStrategy[Direction] = st.sampled_from(["lower", "higher"])
SHARE = (0.0, 1.0)
"""The range of an accuracy, at whose end there are no errors."""
TOLERANCES = st.one_of(st.just(0.0), st.floats(0, 10), st.sampled_from([0.01, 0.05, 0.1, 0.001]))
CONTRACTS = st.builds(
    MetricContract,
    metric=st.just("metric"),
    direction=DIRECTIONS,
    range=st.just(SHARE),
    relative=TOLERANCES,
    absolute=st.none() | TOLERANCES,
    digits=st.none() | st.integers(0, 8),
)
ENDS = st.tuples(FINITE, FINITE, FINITE).map(sorted)
ENTRIES = st.builds(
    lambda ends, **rest: PairedEntry("1", None, ends[1], ends[0], ends[2], **rest),
    ENDS,
    level=st.sampled_from([0.95, 0.99]),
    is_distance=st.booleans(),
    groups=st.none() | st.integers(1, 40),
)
MEASUREMENTS = st.builds(
    Measurement,
    value=st.one_of(VALUES, st.sampled_from([NAN, math.inf, -math.inf])),
    n=st.none() | st.integers(0, 2**63 - 1) | st.integers(0, 20),
    errors=st.none() | st.integers(0, 2**63 - 1) | st.integers(0, 20),
    duplicated=st.sampled_from([False, False, False, True]),
    raw=st.none() | st.text(max_size=5),
    paired=st.lists(ENTRIES, max_size=2).map(tuple),
    spread=st.none()
    | st.builds(Spread, stderr=st.floats(0, allow_infinity=False))
    | st.builds(lambda ends: Spread(None, ends[0], ends[2]), ENDS),
)
COMPARED = Compared("model-a", "model-a", "1")
KEYS = st.builds(Pair, st.sampled_from(["cer", "top1", "blobs"]), st.sampled_from("abcde"))
EVALUATIONS = st.dictionaries(KEYS, MEASUREMENTS, max_size=10)
STATES: st.SearchStrategy[State] = st.sampled_from(get_args(State))
JUDGED: st.SearchStrategy[State] = st.sampled_from(["better", "worse", "same", "unclear"])


def exact(number: float) -> Fraction:
    """The number a reader sees: the shortest decimal that is this float."""
    return Fraction(repr(float(number)))


def expected_state(baseline: float, candidate: float, contract: MetricContract) -> str:
    """The rule of docs/policy.md, in fractions, for a metric whose range ends at 1."""
    before, after = exact(baseline), exact(candidate)
    size = abs(after - before)
    reference = abs(before)
    if contract.direction == "higher" and before <= 1 and after <= 1:
        reference = min(reference, 1 - before)
    within_relative = size <= exact(contract.effective_relative) * reference
    if within_relative or size <= exact(contract.absolute or 0.0):
        return "same"
    if contract.digits is not None and f"{baseline:z.{contract.digits}f}" == f"{candidate:z.{contract.digits}f}":
        return "same"
    return "better" if (after > before) == (contract.direction == "higher") else "worse"


def one(baseline: float, candidate: float, metric: str = "cer", **contract: Any) -> PairDecision:
    """The pair of two numbers, by a contract where one is given."""
    metrics = {metric: MetricContract(metric, **{"standing": "declared", **contract})} if contract else {}
    pair = Pair(metric, "test")
    (judged,) = judge_pairs({pair: Measurement(candidate)}, {pair: Measurement(baseline)}, metrics)
    return judged


def counted(
    baseline: Measurement | None, candidate: Measurement, metric: str = "cer", n: int | None = None
) -> PairDecision:
    """The pair of two counted measurements, or of two with n from the configuration."""
    pair = Pair(metric, "test")
    datasets = {"test": DatasetContract(n={metric: n})} if n is not None else {}
    (judged,) = judge_pairs({pair: candidate}, {pair: baseline} if baseline else None, {}, datasets)
    return judged


def results(metric: str = "cer", /, **values: float) -> Evaluation:
    """What one metric measured, dataset by dataset."""
    return {Pair(metric, dataset): Measurement(value) for dataset, value in values.items()}


def of_states(counts: Mapping[State, int]) -> list[PairDecision]:
    """So many pairs of each state."""
    pair = one(0.2, 0.1)
    return [
        pair.model_copy(update={"dataset": f"{state}-{at}", "state": state})
        for state, count in counts.items()
        for at in range(count)
    ]


def decision(pairs: tuple[PairDecision, ...]) -> Decision:
    return Decision(
        model="model-a",
        candidate="2",
        baseline_model="model-a",
        baseline="1",
        baseline_reason="newest approved by creation",
        fetched_at=datetime(2026, 1, 2, tzinfo=UTC),
        data_fingerprint="sha256:0",
        policy_fingerprint="sha256:0",
        pairs=pairs,
        summary=summarize(pairs),
        averages=averages(pairs),
        rules=(),
        overall="pass",
    )


class TestState:
    @pytest.mark.parametrize(
        ("direction", "baseline", "candidate", "state"),
        [
            ("lower", 1.00, 0.99, "same"),
            ("lower", 1.00, 1.01, "same"),
            ("lower", 1.00, 0.98999, "better"),
            ("lower", 1.00, 1.01001, "worse"),
            ("lower", 0.3, 0.297, "same"),
            ("lower", 0.7, 0.707, "same"),
            ("lower", 0.1, 0.101, "same"),
            ("lower", -2.0, -2.02, "same"),
            ("lower", -2.0, -2.021, "better"),
            ("lower", 0.175, 0.172, "better"),
            ("higher", 4.0, 4.04, "same"),
            ("higher", 4.0, 4.041, "better"),
            ("higher", 100.0, 98.9, "worse"),
            ("higher", 0.98, 0.99, "better"),
            ("higher", 0.99, 0.981, "worse"),
            ("higher", 0.99, 0.9899, "same"),
            ("higher", 0.99, 0.98989, "worse"),
            ("higher", 0.99, 0.9898999999999999, "worse"),
            ("higher", 0.3, 0.303, "same"),
            ("higher", 0.3, 0.3031, "better"),
            ("higher", 0.5, 0.505, "same"),
            ("higher", 0.9, 1.001, "better"),
            ("lower", 0.0, 0.0, "same"),
            ("lower", 0.0, -0.0, "same"),
            ("lower", 0.0, SMALLEST, "worse"),
            ("lower", 0.0, -1.0, "better"),
            ("higher", 0.0, 0.001, "better"),
            ("higher", 1.0, 0.999, "worse"),
            ("higher", 1.0, 1.0, "same"),
            ("higher", 1.0, 1.005, "same"),
            ("lower", LARGEST, -LARGEST, "better"),
            ("higher", SMALLEST, LARGEST, "better"),
        ],
    )
    def test_one_percent_of_the_effect_counts_unless_set(
        self, direction: Direction, baseline: float, candidate: float, state: str
    ) -> None:
        assert state_of(baseline, candidate, MetricContract("metric", direction, range=SHARE)) == state

    @pytest.mark.parametrize(
        ("contract", "candidate", "state"),
        [
            (MetricContract("m", "lower", absolute=0.003), 0.172, "same"),
            (MetricContract("m", "lower", absolute=0.003), 0.1719, "better"),
            (MetricContract("m", "lower", absolute=0.0), 0.1749, "better"),
            (MetricContract("m", "lower", absolute=0.0002), 0.1747, "better"),
            (MetricContract("m", "lower", relative=0.01, absolute=0.0002), 0.1747, "same"),
            (MetricContract("m", "lower", relative=0.01, absolute=0.002), 0.173, "same"),
            (MetricContract("m", "lower", relative=0.01, absolute=0.002), 0.1729, "better"),
            (MetricContract("m", "lower", relative=0.0), 0.1750001, "worse"),
            (MetricContract("m", "lower", relative=0.0, digits=3), 0.1750001, "same"),
            (MetricContract("m", "lower", relative=0.0, digits=1), 0.2, "same"),
            (MetricContract("m", "lower", relative=0.0, digits=2), 0.19, "worse"),
        ],
    )
    def test_a_contract_sets_what_counts(self, contract: MetricContract, candidate: float, state: str) -> None:
        assert state_of(0.175, candidate, contract) == state

    def test_an_absolute_tolerance_alone_is_the_only_one(self) -> None:
        assert MetricContract("m", absolute=0.5).effective_relative == 0
        assert MetricContract("m", relative=0.02, absolute=0.5).effective_relative == 0.02
        assert MetricContract("m").effective_relative == 0.01

    def test_from_zero_and_from_no_errors_the_absolute_tolerance_still_holds(self) -> None:
        assert state_of(0.0, 0.001, MetricContract("m", "lower", relative=9.0, absolute=0.001)) == "same"
        assert state_of(0.0, 0.0011, MetricContract("m", "lower", relative=9.0, absolute=0.001)) == "worse"
        accuracy = MetricContract("m", "higher", range=SHARE, relative=9.0, absolute=0.001)
        assert state_of(1.0, 0.999, accuracy) == "same"
        assert state_of(1.0, 0.9989, accuracy) == "worse"

    @pytest.mark.parametrize("number", [NAN, math.inf, -math.inf])
    def test_what_is_no_number_is_not_comparable(self, number: float) -> None:
        for before, after in ((number, 1.0), (1.0, number)):
            pair = one(before, after)
            assert (pair.state, pair.reason) == ("not_comparable", "no_number")

    @UNHURRIED
    @given(VALUES, VALUES, CONTRACTS)
    @example(LARGEST, -LARGEST, MetricContract("m", "lower", relative=0.0, absolute=LARGEST))
    @example(-1e-20, 1e10, MetricContract("m", "lower", absolute=1e10))
    @example(-SMALLEST, LARGEST, MetricContract("m", "lower", absolute=LARGEST))
    def test_it_is_the_rule_in_exact_numbers(self, baseline: float, candidate: float, contract: MetricContract) -> None:
        assert state_of(baseline, candidate, contract) == expected_state(baseline, candidate, contract)

    @UNHURRIED
    @given(
        st.integers(-2000, 2000),
        st.integers(0, 3),
        st.integers(1, 100),
        st.sampled_from([-1, 1]),
        DIRECTIONS,
        st.booleans(),
    )
    def test_exactly_at_the_tolerance_is_within_and_a_hair_more_is_not(
        self, digits: int, places: int, percents: int, sign: int, direction: Direction, absolute: bool
    ) -> None:
        """Decimals a reader would write, so that their floats are off the edge on either side."""
        before = Fraction(digits, 10**places)
        whole = min(abs(before), 1 - before) if direction == "higher" and before <= 1 else abs(before)
        step = Fraction(percents, 100) * (1 if absolute else whole)
        share = percents / 100
        by_size, by_share = (
            MetricContract("m", direction, range=SHARE, absolute=share),
            MetricContract("m", direction, range=SHARE, relative=share),
        )
        contract = by_size if absolute else by_share
        at, beyond = before + sign * step, before + sign * (step + (1 + abs(before)) * Fraction(1, 10**12))
        if direction == "higher" and before <= 1 and not absolute:
            assume(max(at, beyond) <= 1)
        assert state_of(float(before), float(at), contract) == "same"
        assert state_of(float(before), float(beyond), contract) == (
            "better" if (sign > 0) == (direction == "higher") else "worse"
        )

    @UNHURRIED
    @given(VALUES, VALUES, DIRECTIONS, st.none() | TOLERANCES, st.none() | st.integers(0, 8))
    def test_sides_swapped_mirror_without_a_relative_tolerance(
        self, one: float, other: float, direction: Direction, absolute: float | None, digits: int | None
    ) -> None:
        contract = MetricContract("m", direction, relative=0.0, absolute=absolute, digits=digits)
        mirrored = {"better": "worse", "worse": "better", "same": "same"}
        assert state_of(other, one, contract) == mirrored[state_of(one, other, contract)]

    @UNHURRIED
    @given(st.integers(5000, 10000), st.integers(0, 10000), TOLERANCES, st.none() | TOLERANCES)
    def test_an_accuracy_means_what_its_error_rate_would(
        self, before: int, after: int, relative: float, absolute: float | None
    ) -> None:
        accuracy = MetricContract("m", "higher", range=SHARE, relative=relative, absolute=absolute)
        errors = MetricContract("m", "lower", relative=relative, absolute=absolute)
        assert state_of(before / 10000, after / 10000, accuracy) == state_of(
            (10000 - before) / 10000, (10000 - after) / 10000, errors
        )

    @given(VALUES, VALUES)
    def test_without_a_direction_nothing_is_better_or_worse(self, baseline: float, candidate: float) -> None:
        state = "same" if baseline == candidate else "not_comparable"
        assert state_of(baseline, candidate, MetricContract("blobs", None)) == state

    def test_without_a_direction_a_declared_tolerance_makes_numbers_the_same(self) -> None:
        assert state_of(100.0, 100.4, MetricContract("blobs", None, absolute=0.5)) == "same"
        assert state_of(100.0, 100.4, MetricContract("blobs", None, relative=0.004)) == "same"
        assert state_of(100.0, 100.4, MetricContract("blobs", None, relative=0.003)) == "not_comparable"


class TestSizes:
    def test_a_lower_metric(self) -> None:
        pair = one(0.0195, 0.018)
        assert (pair.baseline, pair.candidate, pair.change) == (0.0195, 0.018, -0.0015)
        assert pair.gain == pair.effect == pytest.approx(15 / 195)
        assert (pair.error_reduction, pair.reading, pair.direction, pair.note) == (None, "value", "lower", None)

    def test_an_accuracy_near_one_is_read_as_errors(self) -> None:
        pair = one(0.98, 0.99, "top1")
        assert pair.change == 0.01
        assert pair.gain == pytest.approx(1 / 98)
        assert (pair.error_reduction, pair.effect, pair.reading) == (0.5, 0.5, "error")

    def test_an_accuracy_that_falls_is_as_bad_as_its_errors(self) -> None:
        pair = one(0.99, 0.981, "top1")
        assert pair.gain == pytest.approx(-9 / 990)
        assert (pair.effect, pair.state) == (-0.9, "worse")

    def test_a_low_accuracy_is_read_as_it_stands(self) -> None:
        pair = one(0.2, 0.3, "top1")
        assert (pair.gain, pair.error_reduction, pair.effect, pair.reading) == (0.5, 0.125, 0.5, "value")

    @pytest.mark.parametrize(
        ("metric", "baseline", "candidate"), [("mos", 3.9, 4.1), ("psnr", 0.5, 0.6), ("fps", 0.9, 1.1)]
    )
    def test_errors_need_a_metric_that_ends(self, metric: str, baseline: float, candidate: float) -> None:
        pair = one(baseline, candidate, metric)
        assert (pair.error_reduction, pair.reading, pair.effect) == (None, "value", pair.gain)

    def test_a_score_in_percent_is_judged_like_its_fraction(self) -> None:
        fraction, percents = one(0.99, 0.981, "accuracy"), one(99.0, 98.1, "accuracy")
        assert (fraction.state, percents.state) == ("worse", "worse")
        assert (fraction.effect, percents.effect) == (-0.9, -0.9)
        assert (fraction.reading, percents.reading) == ("error", "error")
        assert one(100.0, 98.0, "accuracy").note == "from no errors"

    def test_a_negative_baseline_divides_by_its_size(self) -> None:
        assert one(-2.0, -1.0, "fad").gain == -0.5
        assert one(-2.0, -1.0, "r2").gain == 0.5

    def test_from_zero_there_is_no_ratio(self) -> None:
        pair = one(0.0, 0.01)
        assert (pair.change, pair.gain, pair.effect, pair.reading) == (0.01, None, None, "value")
        assert (pair.state, pair.note) == ("worse", "from 0")
        pair = one(0.0, 0.3, "top1")
        assert (pair.gain, pair.error_reduction, pair.effect, pair.state) == (None, 0.3, None, "better")

    def test_from_no_errors_there_is_no_ratio(self) -> None:
        pair = one(1.0, 0.98, "top1")
        assert (pair.gain, pair.error_reduction, pair.effect, pair.reading) == (-0.02, None, None, "error")
        assert (pair.state, pair.note) == ("worse", "from no errors")

    def test_what_no_float_can_hold_is_null_and_said(self) -> None:
        pair = one(SMALLEST, 1.0, "mos")
        assert (pair.change, pair.gain, pair.effect, pair.state) == (1.0, None, None, "better")
        assert pair.note == "too large a ratio to be a number"
        pair = one(LARGEST, -LARGEST, "loss")
        assert (pair.change, pair.gain, pair.effect, pair.state) == (None, 2.0, 2.0, "better")
        assert pair.note == "too large a change to be a number"

    def test_without_a_direction_only_the_change_is_told(self) -> None:
        pair = one(12.0, 13.0, "blobs")
        assert (pair.direction, pair.change, pair.state) == (None, 1.0, "not_comparable")
        assert (pair.gain, pair.error_reduction, pair.effect, pair.reading) == (None, None, None, None)
        assert pair.reason == "unknown"
        assert pair.note is not None
        assert pair.note.startswith("which way is better is not known: ")

    @UNHURRIED
    @given(VALUES, VALUES, DIRECTIONS)
    def test_effect_is_the_larger_reading_and_has_the_sign_of_the_state(
        self, baseline: float, candidate: float, direction: Direction
    ) -> None:
        pair = one(baseline, candidate, direction=direction, relative=0.0)
        if pair.effect is not None:
            readings = [size for size in (pair.gain, pair.error_reduction) if size is not None]
            assert abs(pair.effect) == max(map(abs, readings))
            assert pair.effect == {"value": pair.gain, "error": pair.error_reduction}[str(pair.reading)]
            sign = {"better": 1, "worse": -1, "same": 0}[pair.state]
            assert math.copysign(1, pair.effect) * bool(pair.effect) == sign
        else:
            assert baseline == 0 or pair.note == "too large a ratio to be a number"


class TestJudge:
    def test_each_pair_has_the_first_state_that_holds(self) -> None:
        both, nothing = Measurement(0.1), Measurement(NAN, raw='"n/a"')
        twice = Measurement(NAN, duplicated=True, raw="0.1, 0.2")
        candidate = {
            Pair("cer", "twice"): twice,
            Pair("cer", "twice-alone"): twice,
            Pair("cer", "new"): both,
            Pair("cer", "new-beside-text"): both,
            Pair("cer", "missing-as-text"): nothing,
            Pair("cer", "text"): nothing,
            Pair("blobs", "same"): both,
            Pair("blobs", "new"): both,
            Pair("cer", "same"): both,
        }
        baseline = {
            Pair("cer", "twice"): both,
            Pair("cer", "new-beside-text"): nothing,
            Pair("cer", "missing-as-text"): both,
            Pair("cer", "missing"): both,
            Pair("cer", "twice-before"): twice,
            Pair("blobs", "same"): both,
            Pair("blobs", "missing"): both,
            Pair("cer", "same"): both,
        }
        states = {(pair.metric, pair.dataset): pair.state for pair in judge_pairs(candidate, baseline)}
        assert states == {
            ("cer", "twice"): "not_comparable",
            ("cer", "twice-alone"): "not_comparable",
            ("cer", "twice-before"): "missing",
            ("cer", "new"): "new",
            ("cer", "new-beside-text"): "not_comparable",
            ("cer", "missing"): "missing",
            ("cer", "missing-as-text"): "not_comparable",
            ("cer", "text"): "not_comparable",
            ("cer", "same"): "same",
            ("blobs", "same"): "same",
            ("blobs", "new"): "new",
            ("blobs", "missing"): "missing",
        }

    def test_a_duplicate_shows_its_values_and_the_number_of_the_other_side(self) -> None:
        twice = Measurement(NAN, duplicated=True, raw="0.1, 0.2")
        pair = counted(Measurement(0.1), twice)
        assert (pair.baseline, pair.candidate, pair.change) == (0.1, None, None)
        assert pair.note == "given more than once by the candidate: 0.1, 0.2"
        assert pair.reason == "duplicate"
        assert counted(twice, Measurement(0.1)).reason == "duplicate"
        assert counted(twice, twice).reason == "duplicate"
        assert counted(Measurement(0.1), Measurement(0.2)).reason is None

    def test_a_duplicate_is_never_judged_even_where_it_carries_a_number(self) -> None:
        assert counted(Measurement(0.1, duplicated=True), Measurement(0.05)).state == "not_comparable"

    def test_what_is_no_number_is_said_on_one_plain_line(self) -> None:
        pair = counted(Measurement(0.1), Measurement(NAN, raw='"a\u202e\nb' + "c" * 200))
        assert (pair.state, pair.reason, pair.candidate) == ("not_comparable", "no_number", None)
        assert pair.note is not None
        assert pair.note.startswith('not a number in the candidate: "a\ufffd bccc')
        assert len(pair.note) < 120

    def test_without_a_baseline_every_number_is_new(self) -> None:
        pairs = judge_pairs(results(a=0.1, b=NAN), None)
        assert [(pair.dataset, pair.state) for pair in pairs] == [("b", "not_comparable"), ("a", "new")]
        assert summarize(pairs).word == "Not comparable"

    def test_names_come_from_the_configuration(self) -> None:
        (pair,) = judge_pairs(results(a=0.1), None, {}, {"a": DatasetContract(name="Meeting")})
        assert (pair.name, pair.dataset) == ("Meeting", "a")

    def test_the_configuration_overrules_the_built_in_direction(self) -> None:
        assert one(0.1, 0.2).state == "worse"
        assert one(0.1, 0.2, direction="higher", source="configuration").state == "better"
        assert one(1.0, 2.0, "blobs", direction="lower").state == "worse"

    def test_regressions_come_first(self) -> None:
        before = results("loss", a=0.1, b=0.1, c=0.1, d=0.1, e=0.1, f=0.0, g=0.1, h=0.0, i=0.1)
        after = results("loss", a=0.09, b=0.05, c=0.1, d=0.11, e=0.2, f=0.001, h=-1.0, j=0.1)
        pairs = judge_pairs(
            {**after, Pair("blobs", "x"): Measurement(2), Pair("acc_std", "y"): Measurement(1)},
            {**before, Pair("blobs", "x"): Measurement(1)},
        )
        told = [(pair.state, pair.dataset) for pair in pairs]
        assert told == [
            ("worse", "f"),
            ("worse", "e"),
            ("worse", "d"),
            ("missing", "g"),
            ("missing", "i"),
            ("not_comparable", "x"),
            ("better", "h"),
            ("better", "b"),
            ("better", "a"),
            ("same", "c"),
            ("new", "j"),
            ("not_judged", "y"),
        ]

    @UNHURRIED
    @given(EVALUATIONS, st.none() | EVALUATIONS, st.randoms(use_true_random=False), st.none() | st.integers(0, 10**30))
    def test_no_input_raises_order_does_not_matter_and_every_number_is_finite(
        self, candidate: Evaluation, baseline: Evaluation | None, random: Any, n: int | None
    ) -> None:
        metrics = {"blobs": MetricContract("blobs", None, absolute=0.5)}
        datasets = {"a": DatasetContract(n={"cer": n, "top1": n, "blobs": n})} if n is not None else {}
        pairs = judge_pairs(candidate, baseline, metrics, datasets, COMPARED)
        answer = decision(pairs)
        shuffled = [
            dict(random.sample(sorted(side.items()), len(side))) if side is not None else None
            for side in (candidate, baseline)
        ]
        again = judge_pairs(shuffled[0] or {}, shuffled[1], metrics, datasets, COMPARED)
        mixed = random.sample(pairs, len(pairs))
        assert again == pairs
        assert summarize(mixed) == answer.summary
        assert averages(mixed) == answer.averages
        assert headline(answer) == headline(answer.model_copy(update={"pairs": tuple(mixed)}))
        assert {(pair.metric, pair.dataset) for pair in pairs} == {*candidate, *(baseline or {})}
        assert all(map(math.isfinite, numbers(answer.model_dump())))
        assert Decision.model_validate_json(answer.model_dump_json()) == answer
        for pair in pairs:
            assert change_text(pair, 3)
            assert pair.direction is not None or pair.state not in ("better", "worse")
            assert (pair.reason is not None) == (pair.state == "not_comparable")
            for interval in (pair.baseline_interval, pair.candidate_interval):
                assert interval is None or interval[0] <= interval[1]
            if pair.evidence == "counts":
                for counted_side in (pair.baseline_interval, pair.candidate_interval):
                    assert counted_side is not None
                    assert 0 <= counted_side[0] <= counted_side[1] <= 1

    @UNHURRIED
    @given(EVALUATIONS, EVALUATIONS)
    def test_counts_and_spread_never_change_a_state(self, candidate: Evaluation, baseline: Evaluation) -> None:
        bare, bare_baseline = (
            {pair: given._replace(n=None, errors=None, spread=None) for pair, given in side.items()}
            for side in (candidate, baseline)
        )
        metrics = {"cer": replace(catalogue_contract("cer"), noise=0.5)}
        assert [(pair.state, pair.effect) for pair in judge_pairs(bare, bare_baseline, compared=COMPARED)] == [
            (pair.state, pair.effect) for pair in judge_pairs(candidate, baseline, metrics, compared=COMPARED)
        ]


def numbers(tree: Any) -> list[float]:
    """Every float of a dumped object."""
    if isinstance(tree, Mapping):
        return [number for value in tree.values() for number in numbers(value)]
    if isinstance(tree, list | tuple):
        return [number for value in tree for number in numbers(value)]
    return [tree] if isinstance(tree, float) else []


class TestIntervals:
    @UNHURRIED
    @given(st.integers(1, 200000), st.integers(1, 200000), st.floats(0, 1), st.floats(0, 1))
    @example(1, 1, 0.0, 1.0)
    def test_they_are_those_of_statsmodels(self, n: int, n_before: int, share: float, share_before: float) -> None:
        hits, before = round(share * n), round(share_before * n_before)
        expected = proportion_confint(hits, n, method="wilson")
        assert wilson(hits, n) == pytest.approx(expected, abs=1e-12)
        expected = confint_proportions_2indep(hits, n, before, n_before, method="newcomb", compare="diff")
        assert newcombe(hits, n, before, n_before) == pytest.approx(expected, abs=1e-9)

    def test_counts_beside_the_metrics(self) -> None:
        pair = counted(Measurement(0.175, 104765, 18334), Measurement(0.172, 104765, 18020))
        assert pair.baseline_interval == pytest.approx(proportion_confint(18334, 104765, method="wilson"))
        assert pair.candidate_interval == pytest.approx(proportion_confint(18020, 104765, method="wilson"))
        assert pair.interval is not None
        assert pair.interval[0] < -0.003 < pair.interval[1]
        assert (pair.uncertain, pair.state, pair.note) == (True, "better", None)

    def test_the_example_is_certain_only_beyond_some_122400_items(self) -> None:
        assert counted(Measurement(0.175), Measurement(0.172), n=122_000).uncertain is True
        assert counted(Measurement(0.175), Measurement(0.172), n=123_000).uncertain is False

    def test_an_accuracy_is_what_the_errors_leave(self) -> None:
        pair = counted(Measurement(0.9, 1000, 100), Measurement(0.95, 1000, 50), "top1")
        assert pair.candidate_interval == pytest.approx(proportion_confint(950, 1000, method="wilson"))
        low, high = confint_proportions_2indep(950, 1000, 900, 1000, method="newcomb", compare="diff")
        assert pair.interval == pytest.approx((low, high))
        assert pair.uncertain is False

    def test_n_from_the_configuration_holds_for_both_sides_and_counts_go_before_it(self) -> None:
        pair = counted(Measurement(0.2, 50, 10), Measurement(0.1), n=1000)
        assert pair.baseline_interval == pytest.approx(proportion_confint(10, 50, method="wilson"))
        assert pair.candidate_interval == pytest.approx(proportion_confint(100, 1000, method="wilson"))

    def test_one_counted_side_has_its_interval_and_the_change_has_none(self) -> None:
        pair = counted(Measurement(0.2, 50, 10), Measurement(0.1))
        assert pair.baseline_interval is not None
        assert (pair.candidate_interval, pair.interval, pair.uncertain) == (None, None, None)
        assert counted(None, Measurement(0.2, 50, 10)).candidate_interval is not None

    @pytest.mark.parametrize(
        ("measurement", "told"),
        [
            (Measurement(1.2, 10, 12), "the value is not a share of the items counted"),
            (Measurement(0.2, 10, 12), "12 errors in 10 items are not a share"),
            (Measurement(0.5, 1000, 175), "175 errors in 1000 items do not give the value"),
            (Measurement(0.175, 1000, 176), "176 errors in 1000 items do not give the value"),
            (Measurement(0.1, 0, 0), "0 items were counted"),
        ],
    )
    def test_counts_that_are_no_share_give_no_interval_and_a_note(self, measurement: Measurement, told: str) -> None:
        pair = counted(Measurement(0.2, 1000, 200), measurement)
        assert (pair.candidate_interval, pair.interval, pair.uncertain) == (None, None, None)
        assert pair.note == f"no interval for the candidate: {told}"

    @pytest.mark.parametrize("value", [0.18, 0.175, 0.1750012, 18334 / 104765, 1 - 18334 / 104765])
    def test_a_value_may_be_rounded(self, value: float) -> None:
        assert counted(Measurement(value, 104765, 18334), Measurement(0.1)).baseline_interval is not None

    def test_milliseconds_are_no_share(self) -> None:
        pair = Pair("latency", "test")
        side = {pair: Measurement(0.5, 100, 50)}
        (judged,) = judge_pairs(side, side, {"latency": MetricContract("latency", "lower", unit="ms")})
        assert (judged.interval, judged.uncertain) == (None, None)

    def test_errors_without_n_say_nothing(self) -> None:
        pair = counted(Measurement(0.2, None, 10), Measurement(0.2, None, 10))
        assert (pair.interval, pair.note) == (None, None)


class TestSummary:
    @pytest.mark.parametrize(
        ("counts", "word"),
        [
            ({}, "Not comparable"),
            ({"not_judged": 3}, "Not comparable"),
            ({"unclear": 1}, "Too close to call"),
            ({"unclear": 1, "missing": 1}, "Incomplete"),
            ({"better": 1, "unclear": 1, "not_judged": 5}, "Better"),
            ({"missing": 3, "new": 1, "not_comparable": 1}, "Not comparable"),
            ({"better": 1}, "Better"),
            ({"better": 2, "same": 2, "new": 1, "not_comparable": 4}, "Better"),
            ({"better": 1, "missing": 1}, "Incomplete"),
            ({"same": 1, "missing": 1}, "Incomplete"),
            ({"better": 1, "worse": 1}, "Trade-off"),
            ({"better": 9, "worse": 1, "missing": 1}, "Trade-off"),
            ({"worse": 1}, "Worse"),
            ({"worse": 1, "same": 5, "missing": 1}, "Worse"),
            ({"same": 1}, "Too close to call"),
            ({"same": 2, "new": 1, "not_comparable": 1}, "Too close to call"),
        ],
    )
    def test_the_word(self, counts: dict[State, int], word: Word) -> None:
        summary = summarize(of_states(counts))
        assert summary.word == word
        assert summary.model_dump(include=set(get_args(State))) == dict.fromkeys(get_args(State), 0) | counts

    @given(st.dictionaries(STATES, st.integers(0, 3)), st.integers(1, 3))
    def test_missing_datasets_never_improve_the_word(self, counts: dict[State, int], more: int) -> None:
        rank: list[Word] = ["Not comparable", "Worse", "Trade-off", "Incomplete", "Too close to call", "Better"]
        with_missing = counts | {"missing": counts.get("missing", 0) + more}
        words = [summarize(of_states(given)).word for given in (counts, with_missing)]
        assert rank.index(words[1]) <= rank.index(words[0])

    @given(st.dictionaries(STATES, st.integers(0, 3)), JUDGED)
    def test_results_left_out_never_make_a_candidate_good(self, counts: dict[State, int], lost: State) -> None:
        assume(counts.get(lost))
        fewer = counts | {lost: counts[lost] - 1, "missing": counts.get("missing", 0) + 1}
        assert summarize(of_states(fewer)).word not in ("Better", "Too close to call")

    def test_the_worst_is_the_regression_with_the_largest_effect(self) -> None:
        worst = summarize(reversed(judge_pairs(results(a=0.11, b=0.2, c=0.05), results(a=0.1, b=0.1, c=0.1)))).worst
        assert worst is not None
        assert (worst.dataset, worst.metric, worst.effect) == ("b", "cer", -1.0)
        assert summarize(judge_pairs(results(a=0.1), results(a=0.2))).worst is None

    def test_a_regression_from_zero_is_the_worst_of_all(self) -> None:
        worst = summarize(judge_pairs(results(a=0.001, b=0.9), results(a=0.0, b=0.1))).worst
        assert worst is not None
        assert (worst.dataset, worst.effect) == ("a", None)


class TestAverages:
    def test_means_are_over_the_datasets_that_both_have(self) -> None:
        pairs = judge_pairs(results(a=0.1, b=0.3, c=0.9), results(a=0.2, b=0.4, d=0.9))
        (average,) = averages(pairs)
        assert (average.metric, average.n) == ("cer", 2)
        assert average.macro_baseline == pytest.approx(0.3)
        assert average.macro_candidate == pytest.approx(0.2)
        assert average.geometric_ratio == pytest.approx(math.sqrt(0.5 * 0.75))
        assert average.mean_gain == pytest.approx(0.375)
        assert (average.disagree, average.turned_by) == (False, ())

    def test_metrics_stay_apart_and_those_without_a_shared_dataset_have_none(self) -> None:
        before = {**results(a=0.2), **results("top1", a=0.5), **results("wer", a=0.5)}
        after = {**results(a=0.1), **results("top1", a=0.6), **results("wer", b=0.5)}
        assert [(average.metric, average.n) for average in averages(judge_pairs(after, before))] == [
            ("cer", 1),
            ("top1", 1),
        ]

    def test_a_duplicated_side_counts_nowhere(self) -> None:
        after = {**results(a=0.1), Pair("cer", "b"): Measurement(NAN, duplicated=True)}
        assert averages(judge_pairs(after, results(a=0.2, b=0.2)))[0].n == 1

    def test_without_a_direction_nobody_wins(self) -> None:
        assert averages(judge_pairs(results("blobs", a=2.0), results("blobs", a=1.0))) == ()
        (average,) = averages(judge_pairs(results("blobs", a=2.0, b=1.0), results("blobs", a=1.0, b=1.0)))
        assert (average.n, average.macro_candidate, average.mean_gain, average.disagree) == (1, 1.0, None, False)

    def test_undefined_means_are_null(self) -> None:
        (average,) = averages(judge_pairs(results(a=0.1, b=0.1), results(a=0.0, b=0.2)))
        assert (average.geometric_ratio, average.mean_gain, average.turned_by) == (None, None, ())
        (average,) = averages(judge_pairs(results("loss", a=-0.1, b=0.1), results("loss", a=0.1, b=0.2)))
        assert average.geometric_ratio is None
        assert average.mean_gain == pytest.approx(1.25)

    def test_means_that_name_different_winners_are_told(self) -> None:
        """The mean falls by the large dataset, while the small one doubles."""
        (average,) = averages(judge_pairs(results(a=0.02, b=0.85), results(a=0.01, b=0.9)))
        assert average.macro_candidate is not None
        assert average.macro_candidate < 0.455
        assert average.geometric_ratio is not None
        assert average.geometric_ratio > 1
        assert average.disagree is True

    def test_a_tie_is_no_winner_whatever_its_floats_say(self) -> None:
        (average,) = averages(judge_pairs(results(a=2.0, b=3.0, c=1.0), results(a=1.0, b=1.0, c=6.0)))
        assert average.geometric_ratio == pytest.approx(1)
        assert average.mean_gain is not None
        assert average.mean_gain < 0
        assert average.disagree is True
        (average,) = averages(judge_pairs(results(a=0.2, b=0.1, c=0.3), results(a=0.1, b=0.3, c=0.2)))
        assert average.geometric_ratio == pytest.approx(1)
        (average,) = averages(judge_pairs(results(a=0.9, b=0.8, c=1.3), results(a=1.0, b=1.0, c=1.0)))
        assert average.mean_gain == pytest.approx(0)
        assert (average.disagree, average.turned_by) == (False, ())

    def test_the_dataset_that_turns_the_answer_is_named(self) -> None:
        before = results(a=1.0, b=1.0, c=1.0)
        assert averages(judge_pairs(results(a=0.9, b=0.9, c=1.5), before))[0].turned_by == ("c",)
        assert averages(judge_pairs(results(a=0.9, b=0.9, c=1.1), before))[0].turned_by == ()
        assert averages(judge_pairs(results(a=0.9, b=1.05, c=1.02), before))[0].turned_by == ("a",)
        assert averages(judge_pairs(results(a=0.9), before))[0].turned_by == ()

    def test_a_huge_regression_does_not_drown_the_rest(self) -> None:
        before, after = results(a=1e-17, b=1.0, c=1.0), results(a=1.0, b=0.95, c=0.95)
        assert averages(judge_pairs(after, before))[0].turned_by == ("a",)

    def test_numbers_at_the_end_of_the_floats_have_means(self) -> None:
        before, after = results("loss", a=LARGEST, b=SMALLEST), results("loss", a=LARGEST, b=LARGEST)
        (average,) = averages(judge_pairs(after, before))
        assert (average.macro_candidate, average.macro_baseline) == (LARGEST, LARGEST / 2)
        assert (average.geometric_ratio, average.mean_gain) == (None, None)
        (average,) = averages(judge_pairs(results("loss", a=LARGEST), results("loss", a=SMALLEST)))
        assert (average.geometric_ratio, average.mean_gain) == (None, None)

    @UNHURRIED
    @given(st.lists(st.tuples(st.integers(1, 999), st.integers(1, 999)), min_size=1, max_size=6))
    def test_they_are_the_textbook_means(self, sides: list[tuple[int, int]]) -> None:
        before = {Pair("cer", f"{at}"): Measurement(side[0] / 1000) for at, side in enumerate(sides)}
        after = {Pair("cer", f"{at}"): Measurement(side[1] / 1000) for at, side in enumerate(sides)}
        (average,) = averages(judge_pairs(after, before))
        gains = [Fraction(old - new, old) for old, new in sides]
        total = sum(gains)
        turned = [f"{at}" for at, gain in enumerate(gains) if total * (total - gain) < 0]
        assert average.n == len(sides)
        assert average.macro_baseline == pytest.approx(sum(old for old, _ in sides) / 1000 / len(sides))
        assert average.mean_gain == pytest.approx(float(total / len(sides)), abs=1e-12)
        assert list(average.turned_by) == turned
        ratio = math.prod(Fraction(new, old) for old, new in sides)
        assert average.geometric_ratio == pytest.approx(float(ratio) ** (1 / len(sides)))
        signs = {(total > 0) - (total < 0), (ratio < 1) - (ratio > 1)}
        macro = sum(old - new for old, new in sides)
        assert average.disagree == ({-1, 1} <= signs | {(macro > 0) - (macro < 0)})


class TestWords:
    def test_the_sentence_of_a_metric(self) -> None:
        before = dict.fromkeys("abcdefgh", 0.1) | {"meeting": 0.3}
        after = dict.fromkeys("abcde", 0.09) | {"meeting": 0.31} | {"f": 0.1, "g": 0.1}
        assert headline(decision(judge_pairs(results(**after), results(**before)))) == [
            "cer: better on 5, worse on 1 (meeting −3.3 %), same on 2, missing 1"
        ]

    def test_the_metric_with_the_worst_effect_comes_first_and_those_not_judged_last(self) -> None:
        before = {
            **results("blobs", a=1.0),
            **results("cer", a=0.1),
            **results("der", a=0.1),
            **results("eer", a=0.0),
            **results("loss", a=0.1),
            **results("wer", a=0.1, b=0.1),
        }
        after = {
            **results("blobs", a=1.0),
            **results("cer", a=0.05),
            **results("der", a=0.11),
            **results("eer", a=0.1),
            **results("loss", b=0.1),
            **results("wer", a=0.2, b=0.05),
        }
        assert headline(decision(judge_pairs(after, before))) == [
            "eer: worse on 1 (a from 0)",
            "wer: better on 1, worse on 1 (a −100.0 %)",
            "der: worse on 1 (a −10.0 %)",
            "blobs: same on 1",
            "cer: better on 1",
            "loss: missing 1, new 1",
        ]

    def test_a_regression_comes_before_a_larger_fall_within_a_wide_tolerance(self) -> None:
        metrics = {"loss": MetricContract("loss", "lower", relative=0.5)}
        before, after = {**results(a=0.1), **results("loss", a=1.0)}, {**results(a=0.102), **results("loss", a=1.4)}
        assert headline(decision(judge_pairs(after, before, metrics))) == [
            "cer: worse on 1 (a −2.0 %)",
            "loss: same on 1",
        ]

    def test_an_improvement_beyond_numbers_comes_before_what_was_not_judged(self) -> None:
        before, after = {**results("mos", a=0.0), **results(a=0.1)}, results("mos", a=9.0)
        assert headline(decision(judge_pairs(after, before))) == ["mos: better on 1", "cer: missing 1"]

    def test_names_are_shortened_at_the_front_and_made_plain(self) -> None:
        uri = "oss://bucket/" + "folder/" * 30 + "meet\u202eing"
        (sentence,) = headline(decision(judge_pairs(results(**{uri: 0.2}), results(**{uri: 0.1}))))
        assert sentence.startswith("cer: worse on 1 (…")
        assert sentence.endswith("/meet�ing −100.0 %)")
        (pair,) = judge_pairs(results(**{uri: 0.2}), results(**{uri: 0.1}), {}, {uri: DatasetContract(name="Meeting")})
        assert headline(decision((pair,))) == ["cer: worse on 1 (Meeting −100.0 %)"]

    def test_an_effect_read_as_errors_says_so(self) -> None:
        pairs = judge_pairs(results("top1", a=0.981, b=0.99), results("top1", a=0.99, b=1.0))
        assert headline(decision(pairs)) == ["top1: worse on 2 (b from no errors)"]
        assert headline(decision(pairs[1:])) == ["top1: worse on 1 (a −90.0 % read as errors)"]

    def test_no_pairs_have_no_sentence(self) -> None:
        assert headline(decision(())) == []

    @pytest.mark.parametrize(
        ("counts", "told"),
        [
            ({"better": 5, "worse": 1}, "better on 5, worse on 1"),
            ({"better": 5, "worse": 1, "same": 2, "new": 1}, "better on 5, worse on 1"),
            ({"better": 5, "missing": 1}, "better on 5, missing 1"),
            ({"same": 2, "new": 3}, "same on 2"),
            ({"not_comparable": 3}, "not comparable 3"),
            ({"new": 3}, "nothing to compare with"),
            ({}, "no results"),
        ],
    )
    def test_the_short_headline(self, counts: dict[State, int], told: str) -> None:
        summary: Summary = summarize(of_states(counts))
        assert short_headline(summary) == told

    @pytest.mark.parametrize(
        ("effect", "told"),
        [
            (0.0171, "+1.7 %"),
            (-0.0333, "−3.3 %"),
            (1.0, "+100.0 %"),
            (0.0, "0.0 %"),
            (-0.0, "0.0 %"),
            (0.0006, "+0.1 %"),
            (-0.0004, "−0.04 %"),
            (0.0005, "+0.05 %"),
            (9999.0, "+999900.0 %"),
            (-12345.0, "−1.2e+6 %"),
            (LARGEST, "+1.8e+310 %"),
            (-1e-9, "−1e−7 %"),
            (NAN, "–"),
        ],
    )
    def test_percent(self, effect: float, told: str) -> None:
        assert percent(effect) == told

    @pytest.mark.parametrize(
        ("effect", "limit", "told"),
        [
            (0.01, 0.01, "+1.0 %"),
            (-0.01, 0.01, "−1.0 %"),
            (-0.0104, 0.01, "−1.04 %"),
            (0.0096, 0.01, "+0.96 %"),
            (0.01004, 0.01, "+1.004 %"),
            (0.010001, 0.01, "+1.0001 %"),
            (0.01000001, 0.01, "+1.0 %"),
            (0.0104, 0.02, "+1.0 %"),
            (0.0204, 0.02, "+2.04 %"),
            (0.0004, 0.0, "+0.04 %"),
            (0.0, 0.0, "0.0 %"),
            (1e300, 1e300, "+1.0e+302 %"),
            (0.5, 1e300, "+50.0 %"),
            (0.01, NAN, "+1.0 %"),
        ],
    )
    def test_a_percentage_tells_on_which_side_of_its_limit_it_is(self, effect: float, limit: float, told: str) -> None:
        assert percent(effect, apart_from=limit) == told

    @pytest.mark.parametrize(
        ("pair", "digits", "told"),
        [
            (one(0.175, 0.172), 3, "+1.7 % (0.175 → 0.172, −0.3 pp)"),
            (one(0.172, 0.175), 4, "−1.7 % (0.1720 → 0.1750, +0.30 pp)"),
            (one(0.99, 0.981, "top1_acc"), 3, "−0.9 % (0.990 → 0.981, −0.9 pp; −90.0 % read as errors)"),
            (one(0.98, 0.98, "acc"), 2, "0.0 % (0.98 → 0.98, 0 pp)"),
            (one(17.5, 17.2), 1, "+1.7 % (17.5 → 17.2, −0.3)"),
            (one(0.3, 0.1, "bias"), 1, "+66.7 % (0.3 → 0.1, −0.2)"),
            (one(0.5, 0.4, "loss"), 1, "+20.0 % (0.5 → 0.4, −0.1)"),
            (one(-0.5, -0.4, "loss"), 1, "−20.0 % (−0.5 → −0.4, +0.1)"),
            (one(0.0, 0.01), 2, "from 0 (0.00 → 0.01, +1 pp)"),
            (one(1.0, 0.98, "acc"), 2, "from no errors (1.00 → 0.98, −2 pp)"),
            (one(SMALLEST, 2.0, "mos"), 1, "too large a ratio to be a number (0.0 → 2.0, +2.0)"),
            (one(0.175, NAN), 3, "not comparable (0.175 → –)"),
            (one(NAN, 0.172), 3, "not comparable (– → 0.172)"),
            (one(12.0, 13.0, "blobs"), 0, "not comparable (12 → 13, +1)"),
        ],
    )
    def test_a_pair_in_one_line(self, pair: PairDecision, digits: int, told: str) -> None:
        assert change_text(pair, digits) == told

    def test_the_change_stands_in_the_unit_of_the_contract(self) -> None:
        pair = one(20.0, 18.0, "latency")
        assert change_text(pair, 0, "ms") == "+10.0 % (20 → 18, −2 ms)"
        assert change_text(pair, 0, "count") == "+10.0 % (20 → 18, −2)"
        assert change_text(one(0.5, 0.4, "loss"), 1, "fraction") == "+20.0 % (0.5 → 0.4, −10 pp)"


class TestDominators:
    PAIRS = (Pair("cer", "a"), Pair("cer", "b"))

    def test_each_version_off_the_front_names_what_dominates_it(self) -> None:
        versions = {
            "1": results(a=0.3, b=0.3),
            "2": results(a=0.2, b=0.3),
            "3": results(a=0.1, b=0.4),
            "4": results(a=0.2, b=0.2),
        }
        assert dominators(versions, self.PAIRS) == {"1": "4", "2": "4", "3": None, "4": None}

    def test_within_tolerance_is_not_worse_and_not_better(self) -> None:
        versions = {"1": results(a=0.1, b=1.0), "2": results(a=0.05, b=1.01)}
        assert dominators(versions, self.PAIRS) == {"1": "2", "2": None}
        versions = {"1": results(a=0.1, b=1.0), "2": results(a=0.1, b=0.99)}
        assert dominators(versions, self.PAIRS) == {"1": None, "2": None}

    def test_a_version_that_lacks_a_result_dominates_none_that_has_it(self) -> None:
        versions = {"1": results(a=0.3, b=0.3), "2": results(a=0.1), "3": results(a=0.1, b=NAN)}
        assert dominators(versions, self.PAIRS) == {"1": None, "2": None, "3": None}

    def test_what_both_lack_counts_for_nobody(self) -> None:
        assert dominators({"1": results(a=0.3), "2": results(a=0.1)}, self.PAIRS) == {"1": "2", "2": None}

    def test_pairs_without_a_direction_do_not_count(self) -> None:
        pairs = (Pair("blobs", "a"), Pair("cer", "a"))
        versions = {
            "1": {**results(a=0.3), **results("blobs", a=1.0)},
            "2": {**results(a=0.1), **results("blobs", a=9.0)},
        }
        assert dominators(versions, pairs) == {"1": "2", "2": None}
        assert dominators(versions, pairs[:1]) == {"1": None, "2": None}
        told = {"blobs": MetricContract("blobs", "lower", standing="declared")}
        assert dominators(versions, pairs, told) == {"1": None, "2": None}

    @UNHURRIED
    @given(st.dictionaries(st.sampled_from("12345"), EVALUATIONS, max_size=5), st.lists(KEYS, max_size=6))
    def test_whoever_is_named_is_nowhere_worse_somewhere_better_and_lacks_nothing(
        self, versions: dict[str, Evaluation], pairs: list[Pair]
    ) -> None:
        found = dominators(versions, pairs)
        assert found.keys() == versions.keys()
        for version, other in found.items():
            if other is not None:
                judged = judge_pairs(versions[other], versions[version])
                states = {pair.state for pair in judged if pair.pair in pairs and pair.direction}
                assert "better" in states
                assert "worse" not in states
                assert all(
                    math.isfinite(versions[other][pair].value) and not versions[other][pair].duplicated
                    for pair in pairs
                    if pair.metric != "blobs"
                    and pair in versions[version]
                    and math.isfinite(versions[version][pair].value)
                    and not versions[version][pair].duplicated
                )


class TestAveragesOfOddMetrics:
    def test_fractions_beside_percent_have_no_arithmetic_mean(self) -> None:
        (average,) = averages(judge_pairs(results("accuracy", a=0.92, b=95.0), results("accuracy", a=0.9, b=90.0)))
        assert (average.macro_baseline, average.macro_candidate) == (None, None)
        assert average.mean_gain == pytest.approx((0.02 / 0.9 + 5 / 90) / 2)
        (average,) = averages(judge_pairs(results("accuracy", a=92.0, b=95.0), results("accuracy", a=90.0, b=90.0)))
        assert (average.macro_baseline, average.macro_candidate) == (90.0, 93.5)

    def test_a_metric_with_a_target_has_the_mean_gain_alone(self) -> None:
        (average,) = averages(judge_pairs(results("bias", a=0.1, b=-0.1), results("bias", a=0.2, b=0.2)))
        assert (average.macro_candidate, average.geometric_ratio, average.mean_gain) == (None, None, 0.5)

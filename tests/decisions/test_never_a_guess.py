"""Whatever two versions measured: a pass never rests on a guess, and nothing decides that should not."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import JUDGED, Decision, State
from paiview.decisions.lineage import Lineage, decide
from paiview.decisions.no_regression import NoRegression
from paiview.decisions.policy import Bound, Improves, NoMissing, Rule, Shares
from paiview.decisions.rule_terms import PairDoubt, Selecting
from paiview.evaluation.metric_meaning import DatasetContract, MetricSettings
from paiview.evaluation.results import Pair
from paiview.pai.objects import ModelVersion

READ = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KNOWN = ("wer", "acc", "latency_ms", "mAP", "bias", "neg_mean_squared_error")
ASSUMED = ("wer_callcenter", "iou.person", "acc_zzz")
UNKNOWN = ("blobs", "accuracy_loss", "cer_ratio")
NO_SCORE = ("acc_stderr", "epoch", "wer_std", "support")
MIRROR: Mapping[State, State] = {"better": "worse", "worse": "better"}

SHARES = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
NUMBERS = st.one_of(SHARES, st.integers(0, 100), st.floats(allow_nan=False, allow_infinity=False), st.just(-1))
ODD: st.SearchStrategy[Any] = st.sampled_from(["n/a", "0.5", None, True, math.nan, math.inf, [1, 2], {}, 10**400])
VALUES = st.one_of(NUMBERS, NUMBERS, ODD)
Results = dict[Pair, Any]
"""A value for each pair; a version of the dataset is given apart."""


def results(names: tuple[str, ...], values: st.SearchStrategy[Any] = VALUES) -> st.SearchStrategy[Results]:
    pairs = st.builds(Pair, st.sampled_from(names), st.sampled_from(["a", "b", "oss://bucket/c.tsv"]))
    return st.dictionaries(pairs, values, max_size=6)


EVERYTHING = results((*KNOWN, *ASSUMED, *UNKNOWN, *NO_SCORE))
PATTERNS = st.sampled_from(["*", "wer*", "acc", "[!w]*", "blobs", "zzz", "*_*"])
RULES: st.SearchStrategy[Rule] = st.one_of(
    st.builds(NoRegression, metric=PATTERNS, relative=st.sampled_from([None, 0.0, 0.1])),
    st.builds(NoMissing, metric=PATTERNS, dataset=st.sampled_from(["*", "a", "b"])),
    st.builds(Bound, metric=PATTERNS, min=st.just(0.0), max=st.sampled_from([1.0, 1e308])),
    st.builds(Improves, metric=PATTERNS, at_least=st.sampled_from([0.0, 0.1])),
    st.builds(Shares, at_least=st.integers(1, 2)),
)
POLICIES = st.lists(RULES, min_size=1, max_size=5, unique=True).map(tuple)


def version(name: str, given_results: Results, status: str = "Approved", **dataset: str) -> ModelVersion:
    items = [
        {
            "Dataset": {"Uri" if "://" in pair.dataset else "DatasetId": pair.dataset, **dataset},
            "Metrics": {pair.metric: value},
        }
        for pair, value in given_results.items()
    ]
    created = f"2026-01-0{1 if status == 'Approved' else 2}T00:00:00Z"
    return ModelVersion.model_validate(
        {"VersionName": name, "ApprovalStatus": status, "GmtCreateTime": created, "Metrics": {"Results": items}}
    )


def decided(before: Results, after: Results, contracts: Contracts = Contracts()) -> Decision:
    versions = [version("1", before), version("2", after, "Pending")]
    return decide(Lineage("model-a", versions, READ), "2", baseline="1", contracts=contracts)


@given(EVERYTHING, EVERYTHING, POLICIES)
def test_no_pass_rests_on_a_guess(before: Results, after: Results, rules: tuple[Rule, ...]) -> None:
    for contracts in (Contracts(), Contracts(rules=rules)):
        decision = decided(before, after, contracts)
        if decision.overall != "pass":
            continue
        doubted = {(pair.dataset, pair.metric) for doubt in decision.doubts for pair in doubt.pairs}
        assert not doubted
        for pair in decision.pairs:
            is_guess = (pair.standing == "assumed" and pair.state in ("better", "worse")) or (
                pair.state == "not_comparable" and pair.reason in ("unknown", "scale", "version", "duplicate")
            )
            about = [rule for rule in contracts.rules if isinstance(rule, Selecting) and rule.selects(pair)]
            assert not (is_guess and about), pair


@given(results((*ASSUMED, *UNKNOWN), st.integers(20, 100).map(lambda percent: percent / 100)), results(KNOWN, SHARES))
def test_a_changed_result_that_nobody_can_judge_leaves_the_default_policy_open(changed: Results, same: Results) -> None:
    after = {pair: value + 1.5 for pair, value in changed.items()}
    same = {**same, Pair("wer", "d"): 0.5}
    assert decided(changed | same, after | same).overall == ("undecided" if changed else "pass")
    declared = {metric: MetricSettings("higher") for metric in (*ASSUMED, *UNKNOWN)}
    assert decided(changed | same, after | same, Contracts(metric_tables=declared)).overall in ("pass", "undecided")
    ignored = {metric: MetricSettings(ignore=True) for metric in (*ASSUMED, *UNKNOWN)}
    assert decided(changed | same, after | same, Contracts(metric_tables=ignored)).doubts == ()
    kinds: tuple[PairDoubt, ...] = ("assumed", "unknown", "scale", "invalid")
    accepting = Contracts(rules=(NoRegression(accept=kinds), NoMissing(accept=kinds)))
    accepted = decided(changed | same, after | same, accepting)
    assert all(doubt.accepted for doubt in accepted.doubts)
    assert {doubt.kind for doubt in accepted.doubts} <= {*kinds}


@given(
    EVERYTHING, EVERYTHING, POLICIES, st.dictionaries(st.sampled_from(NO_SCORE), st.tuples(VALUES, VALUES), min_size=1)
)
def test_what_is_no_score_changes_nothing(
    before: Results, after: Results, rules: tuple[Rule, ...], more: dict[str, tuple[Any, Any]]
) -> None:
    def without(given_results: Results) -> Results:
        return {pair: value for pair, value in given_results.items() if pair.metric not in NO_SCORE}

    kept = tuple(rule for rule in rules if not isinstance(rule, Bound)) or (NoMissing(),)
    contracts = Contracts(rules=kept)
    plain = decided(without(before), without(after), contracts)
    extra = [{Pair(metric, "a"): values[side] for metric, values in more.items()} for side in (0, 1)]
    with_more = decided(without(before) | extra[0], without(after) | extra[1], contracts)
    assert with_more.summary.word == plain.summary.word
    assert with_more.summary.worst == plain.summary.worst
    assert with_more.averages == plain.averages
    assert with_more.overall == plain.overall
    assert with_more.doubts == plain.doubts
    assert [pair for pair in with_more.pairs if pair.state != "not_judged"] == [*plain.pairs]


@given(EVERYTHING, EVERYTHING, results((*KNOWN, *ASSUMED, *UNKNOWN)), st.integers(0, 5))
def test_a_result_left_out_never_helps(before: Results, after: Results, both: Results, place: int) -> None:
    pairs = [*both] or [Pair("wer", "d")]
    lost = pairs[place % len(pairs)]
    decision = decided({lost: 0.5} | before | both, {pair: value for pair, value in after.items() if pair != lost})
    assert {pair.pair: pair.state for pair in decision.pairs}[lost] == "missing"
    assert decision.summary.word not in ("Better", "Too close to call")
    assert decision.overall == "fail"


TOLERANCES = st.one_of(st.builds(MetricSettings, relative=st.just(0.0)), st.builds(MetricSettings, absolute=SHARES))


@given(EVERYTHING, EVERYTHING, TOLERANCES)
def test_sides_swapped_mirror_at_no_tolerance_or_an_absolute_one(
    before: Results, after: Results, tolerance: MetricSettings
) -> None:
    contracts = Contracts(metric_tables={"*": tolerance})
    there = {pair.pair: pair for pair in decided(before, after, contracts).pairs}
    back = {pair.pair: pair for pair in decided(after, before, contracts).pairs}
    assert there.keys() == back.keys()
    for name, pair in there.items():
        if pair.state in ("missing", "new") or back[name].state in ("missing", "new"):
            assert {pair.state, back[name].state} <= {"missing", "new", "not_comparable"}
            continue
        assert back[name].state == MIRROR.get(pair.state, pair.state)
        assert back[name].reason == pair.reason
        assert (back[name].baseline, back[name].candidate) == (pair.candidate, pair.baseline)


@given(EVERYTHING, EVERYTHING, POLICIES, st.randoms(use_true_random=False))
def test_no_order_matters(before: Results, after: Results, rules: tuple[Rule, ...], random: Any) -> None:
    def shuffled(items: Any) -> Any:
        copy = [*items]
        random.shuffle(copy)
        return copy

    first = version("1", before), version("2", after, "Pending")
    mixed = version("1", dict(shuffled(before.items()))), version("2", dict(shuffled(after.items())), "Pending")
    decision = decide(Lineage("model-a", first, READ), "2", contracts=Contracts(rules=rules))
    again = decide(Lineage("model-a", shuffled(mixed), READ), "2", contracts=Contracts(rules=rules))
    fingerprint = {"data_fingerprint": ""}
    assert again.model_copy(update=fingerprint) == decision.model_copy(update=fingerprint)
    turned = decide(Lineage("model-a", first, READ), "2", contracts=Contracts(rules=tuple(shuffled(rules))))
    assert turned.overall == decision.overall
    assert turned.pairs == decision.pairs
    assert sorted(rule.model_dump_json() for rule in turned.rules) == sorted(
        rule.model_dump_json() for rule in decision.rules
    )
    assert sorted((doubt.kind, doubt.sentence, doubt.accepted) for doubt in turned.doubts) == sorted(
        (doubt.kind, doubt.sentence, doubt.accepted) for doubt in decision.doubts
    )


THOUSANDTHS = st.integers(0, 1000)


@given(
    st.sampled_from(["acc", "mAP", "f1", "eer", "balanced_accuracy"]),
    THOUSANDTHS,
    THOUSANDTHS,
    st.sampled_from([None, 0.0, 0.01, 0.2]),
)
def test_numbers_in_percent_have_the_states_of_their_fractions(
    metric: str, before: int, after: int, relative: float | None
) -> None:
    def judged(divisor: int, scale: Any) -> Any:
        tables = {metric: MetricSettings(scale=scale, relative=relative)}
        name = Pair(metric, "a")
        decision = decided({name: before / divisor}, {name: after / divisor}, Contracts(metric_tables=tables))
        (pair,) = decision.pairs
        return pair.state, pair.reason, pair.gain, pair.error_reduction, pair.effect, pair.reading, decision.overall

    fractions = judged(1000, "fraction")
    assert judged(1000, "mixed") == fractions
    if not (0 < min(before, after) <= 10 < max(before, after) and max(before, after) > 10 * min(before, after)):
        assert judged(10, "percent") == fractions
    if min(before, after) > 30:
        assert judged(1000, None) == judged(10, None) == judged(10, "mixed") == fractions


@given(
    st.lists(st.sampled_from(["*", "?*", "w*", "[w]er", "*r", "wer*", "[a-z]*"]), max_size=4, unique=True),
    st.sampled_from(["lower", "higher", "zero"]),
    st.sampled_from(["lower", "higher", "zero"]),
    st.booleans(),
)
def test_a_pattern_never_goes_before_a_name(patterns: list[str], of_name: Any, of_pattern: Any, first: bool) -> None:
    by_pattern = {pattern: MetricSettings(of_pattern, relative=0.5) for pattern in patterns}
    by_name = {"wer": MetricSettings(of_name)}
    tables = by_name | by_pattern if first else by_pattern | by_name
    meaning = Contracts(metric_tables=tables).metrics["wer"]
    assert meaning.direction == of_name
    assert meaning.relative == (0.5 if patterns else None)


SETTINGS = st.builds(
    MetricSettings,
    direction=st.sampled_from([None, "lower", "higher", "zero"]),
    scale=st.sampled_from([None, "fraction", "percent", "mixed"]),
    range=st.sampled_from([None, (None, 1.0), (0.0, 1.0), (0.0, None), (-1e308, 1e308)]),
    relative=st.none() | st.floats(0, allow_infinity=False),
    absolute=st.none() | st.floats(0, allow_infinity=False),
    digits=st.none() | st.integers(0, 12),
    alias_of=st.sampled_from([None, None, "wer", "other"]),
    ignore=st.sampled_from([None, None, True, False]),
) | st.builds(MetricSettings, direction=st.just("target"), target=st.floats(allow_nan=False, allow_infinity=False))
TABLES = st.dictionaries(st.sampled_from(["*", "wer*", "acc", "blobs", "[x]", "mAP"]), SETTINGS, max_size=3)
CONTRACTS = st.builds(
    Contracts,
    page=TABLES,
    metric_tables=TABLES,
    data=TABLES,
    dataset_tables=st.dictionaries(
        st.sampled_from(["a", "b", "oss://bucket/*", "*"]),
        st.builds(
            DatasetContract,
            alias_of=st.sampled_from([None, "a"]),
            name=st.sampled_from([None, "A"]),
            n=st.sampled_from([{}, {"wer": 7, "acc": 2**63 - 1}]),
            ignore=st.sampled_from([None, True, False]),
        ),
        max_size=2,
    ),
    rules=POLICIES,
    accept=st.frozensets(st.sampled_from(["listing", "order"])),
)


@settings(deadline=None)
@given(EVERYTHING, EVERYTHING, CONTRACTS)
def test_no_contract_and_no_results_are_too_odd_for_a_decision(
    before: Results, after: Results, contracts: Contracts
) -> None:
    decision = decided(before, after, contracts)
    assert Decision.model_validate_json(decision.model_dump_json()) == decision
    assert decided(before, after, contracts) == decision
    counts = decision.summary.model_dump(exclude={"word", "worst", "assumed"})
    assert sum(counts.values()) == len(decision.pairs)
    assert {metric.metric for metric in decision.metrics} == {pair.metric for pair in decision.pairs}
    for pair in decision.pairs:
        assert (pair.reason is not None) == (pair.state == "not_comparable")
        assert pair.state in JUDGED or pair.effect is None
        numbers = (pair.baseline, pair.candidate, pair.change, pair.gain, pair.error_reduction, pair.effect)
        assert all(number is None or math.isfinite(number) for number in numbers)
        if pair.standing == "not_a_score":
            assert pair.state == "not_judged"

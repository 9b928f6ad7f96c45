"""What keeps a decision open: when each doubt stands, what it offers, and what settles or accepts it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from paiview.decisions import contracts as contracts_file
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision, Doubt
from paiview.decisions.lineage import Lineage, decide
from paiview.decisions.no_regression import NoRegression
from paiview.decisions.policy import Bound, Described, Improves, NoMissing, Rule, Shares
from paiview.evaluation.metric_meaning import DatasetContract, MetricSettings
from paiview.pai.objects import ModelVersion

READ = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Values = Mapping[str, Any]
WER = {"wer": 0.1}
"""A metric that is known and passes beside the one in doubt."""


def result(values: Values, dataset: str = "a", **names: str) -> dict[str, Any]:
    return {"Dataset": {"DatasetId": dataset, **names}, "Metrics": dict(values)}


def listing(before: Sequence[Any], after: Sequence[Any], **facts: Any) -> Lineage:
    versions = [
        ModelVersion.model_validate(
            {"VersionName": name, "ApprovalStatus": status, "GmtCreateTime": created, "Metrics": {"Results": results}}
        )
        for name, status, created, results in (
            ("1", "Approved", "2026-01-01T00:00:00Z", before),
            ("2", "Pending", "2026-01-02T00:00:00Z", after),
        )
    ]
    return Lineage("model-a", versions, READ, **facts)


def decided(before: Sequence[Any], after: Sequence[Any], contracts: Contracts = Contracts()) -> Decision:
    return decide(listing(before, after), "2", contracts=contracts)


def of_metric(metric: str, before: object, after: object, contracts: Contracts = Contracts()) -> Decision:
    """The decision about one metric, with a word error rate beside it that is the same on both sides."""
    return decided([result({**WER, metric: before})], [result({**WER, metric: after})], contracts)


def kinds(decision: Decision) -> list[str]:
    return [doubt.kind for doubt in decision.doubts]


CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "assumed": ([result({**WER, "wer_callcenter": 0.2})], [result({**WER, "wer_callcenter": 0.1})]),
    "unknown": ([result({**WER, "blobs": 3})], [result({**WER, "blobs": 4})]),
    "scale": ([result({**WER, "acc": 0.934})], [result({**WER, "acc": 95.8})]),
    "version": (
        [result(WER), result({"cer": 0.2}, "b", Version="v1")],
        [result(WER), result({"cer": 0.1}, "b", Version="v2")],
    ),
    "duplicate": (
        [result(WER), result({"cer": 0.2}, "b")],
        [result(WER), result({"cer": 0.1}, "b"), result({"cer": 0.15}, "b")],
    ),
    "invalid": ([result({**WER, "mAP": 0.5})], [result({**WER, "mAP": -1})]),
}
"""By kind, two versions whose decision it keeps open, and nothing else."""
DOUBTED = {
    "assumed": ("a", "wer_callcenter"),
    "unknown": ("a", "blobs"),
    "scale": ("a", "acc"),
    "version": ("b", "cer"),
    "duplicate": ("b", "cer"),
    "invalid": ("a", "mAP"),
}


CHOICE = '  # or "higher", "zero"; or in its place: target = NUMBER, or ignore = true'
ACCEPTING = """# in place of every [[policy]] table
[[policy]]
rule = "no_regression"
accept = [
    "{kind}",
]

[[policy]]
rule = "no_missing"
accept = [
    "{kind}",
]"""


@pytest.mark.parametrize("kind", CASES)
def test_a_doubt_about_a_result_keeps_the_decision_open(kind: str) -> None:
    decision = decided(*CASES[kind])
    [doubt] = decision.doubts
    assert (doubt.kind, doubt.accepted) == (kind, False)
    assert [(pair.dataset, pair.metric) for pair in doubt.pairs] == [DOUBTED[kind]]
    dataset, metric = DOUBTED[kind]
    assert "1 result where " in doubt.sentence
    assert f": {metric} on {dataset}. " in doubt.sentence
    assert decision.overall == "undecided"


@pytest.mark.parametrize("kind", CASES)
def test_what_a_doubt_offers_settles_it(kind: str, tmp_path: Path) -> None:
    [doubt] = decided(*CASES[kind]).doubts
    assert doubt.toml
    file = tmp_path / "paiview.toml"
    file.write_text(doubt.toml, encoding="utf-8")
    settled = decided(*CASES[kind], contracts_file.load(file))
    assert [each for each in settled.doubts if not each.accepted] == []
    assert settled.overall in ("pass", "fail")


@pytest.mark.parametrize(
    ("kind", "toml"),
    [
        ("assumed", '[metrics.wer_callcenter]\ndirection = "lower"'),
        (
            "unknown",
            f'[metrics.blobs]\ndirection = "lower"{CHOICE}',
        ),
        ("scale", '[metrics.acc]\nscale = "mixed"  # numbers of at most 1 are fractions and count times 100'),
        *((kind, ACCEPTING.format(kind=kind)) for kind in ("version", "duplicate", "invalid")),
    ],
)
def test_the_lines_that_a_doubt_offers(kind: str, toml: str) -> None:
    [doubt] = decided(*CASES[kind]).doubts
    assert doubt.toml == toml


@pytest.mark.parametrize("kind", ["version", "duplicate", "invalid"])
def test_lines_that_accept_a_doubt_keep_the_rest_of_the_policy(kind: Any, tmp_path: Path) -> None:
    rules: tuple[Rule, ...] = (
        NoRegression(metric="*", relative=0.02, accept=("unknown",)),
        NoRegression(metric="wer"),
        Bound(metric="wer", max=0.5),
        Improves(metric="cer", at_least=0.0, accept=()),
        NoMissing(dataset="c*", accept=("unmatched",)),
        Shares(at_least=1),
        Described(),
    )
    [doubt] = [each for each in decided(*CASES[kind], Contracts(rules=rules)).doubts if each.kind == kind]
    file = tmp_path / "paiview.toml"
    file.write_text(doubt.toml or "", encoding="utf-8")
    offered = contracts_file.load(file).rules
    assert len(offered) == len(rules)
    about = {index for index, (one, other) in enumerate(zip(rules, offered, strict=True)) if one != other}
    assert about == ({0} if kind == "invalid" else {0, 3})
    assert offered[0] == NoRegression(metric="*", relative=0.02, accept=tuple(sorted(("unknown", kind))))


def test_names_that_toml_has_to_quote_or_escape_are_pasted_whole(tmp_path: Path) -> None:
    for name in ['a"b\\c', "mAP_[x]*?", "\x1b\u202e\x80", "空 格", "a.b.c", "=", "#", ""]:
        metric = f"{name} zzz"
        [doubt] = of_metric(metric, 1, 2).doubts
        assert doubt.toml is not None
        assert all(line.isprintable() for line in doubt.toml.splitlines())
        assert tomllib.loads(doubt.toml) == {"metrics": {metric: {"direction": "lower"}}}
        file = tmp_path / "paiview.toml"
        file.write_text(doubt.toml, encoding="utf-8")
        assert of_metric(metric, 1, 2, contracts_file.load(file)).doubts == ()


def test_of_many_metrics_some_are_offered_and_the_rest_counted() -> None:
    before, after = ({f"zz{at}": at + more for at in range(50)} for more in (1, 2))
    [doubt] = decided([result(WER), result(before, "b")], [result(WER), result(after, "b")]).doubts
    assert doubt.kind == "unknown"
    assert len(doubt.pairs) == 50
    assert doubt.sentence.startswith("50 results where which way is better is not known: ")
    assert " and 45 more. " in doubt.sentence
    assert doubt.toml is not None
    assert doubt.toml.endswith("# and 30 more metrics")
    assert len(tomllib.loads(doubt.toml)["metrics"]) == 20


@pytest.mark.parametrize(
    ("metric", "before", "after"),
    [
        pytest.param("wer_callcenter", 0.1, 0.1, id="assumed, equal"),
        pytest.param("wer_callcenter", 0.1, 0.1005, id="assumed, within tolerance"),
        pytest.param("wer_callcenter", None, 0.1, id="assumed, new"),
        pytest.param("blobs", 3, 3, id="unknown, equal"),
        pytest.param("blobs", 3.0, "3", id="unknown, equal as text"),
        pytest.param("blobs", None, 3, id="unknown, new"),
        pytest.param("acc_stderr", 0.1, 0.2, id="not a score"),
        pytest.param("acc_stderr", 0.1, 20, id="not a score, in percent"),
        pytest.param("acc_stderr", 0.1, "x", id="not a score, no number"),
        pytest.param("mAP", -1, 0.5, id="the baseline was invalid"),
        pytest.param("mAP", "n/a", 0.5, id="the baseline had no number"),
        pytest.param("mAP", "n/a", "n/a", id="nobody has a number"),
        pytest.param("acc", 0.0069, 0.6987, id="far apart on one scale"),
        pytest.param("latency_ms", 0.5, 0.04, id="far apart without scales"),
    ],
)
def test_no_doubt_without_a_changed_result(metric: str, before: object, after: object) -> None:
    values = [{} if value is None else {metric: value} for value in (before, after)]
    decision = decided([result(WER | values[0])], [result(WER | values[1])])
    assert decision.doubts == ()


@pytest.mark.parametrize("value", ["n/a", None, True, [1, 2], float("nan"), -1, 101])
def test_a_valid_number_that_is_none_now_is_a_doubt(value: object) -> None:
    decision = of_metric("mAP", 0.5, value)
    assert kinds(decision) == ["invalid"]
    assert decision.overall == "undecided"


def test_a_version_on_one_side_alone_is_a_remark_and_no_doubt() -> None:
    decision = decided([result(WER, Version="v1")], [result(WER)])
    assert decision.doubts == ()
    assert decision.overall == "pass"
    assert [pair.note for pair in decision.pairs] == ["only the baseline names a version of the dataset: v1"]


def test_equal_results_given_twice_are_no_doubt() -> None:
    assert decided([result(WER), result(WER)], [result(WER)]).doubts == ()


def test_doubts_are_grouped_by_kind() -> None:
    before = result({"blobs": 1, "zz": 1, "wer_x": 0.1, **WER})
    after = result({"blobs": 2, "zz": 2, "wer_x": 0.2, **WER})
    decision = decided([before], [after])
    assert sorted((doubt.kind, len(doubt.pairs)) for doubt in decision.doubts) == [("assumed", 1), ("unknown", 2)]


class TestSettling:
    @pytest.mark.parametrize(
        ("table", "overall"),
        [
            (MetricSettings("lower"), "fail"),
            (MetricSettings("higher"), "pass"),
            (MetricSettings("zero"), "fail"),
            (MetricSettings("target", target=4), "pass"),
            (MetricSettings(ignore=True), "pass"),
            (MetricSettings(absolute=2), "pass"),
        ],
    )
    def test_an_unknown_metric(self, table: MetricSettings, overall: str) -> None:
        tables = {"blobs": table}
        for contracts in (Contracts(page=tables), Contracts(metric_tables=tables), Contracts(data=tables)):
            decision = of_metric("blobs", 3, 4, contracts)
            assert (decision.overall, decision.doubts) == (overall, ())

    @pytest.mark.parametrize(
        "table", [MetricSettings(digits=3), MetricSettings(relative=0.0), MetricSettings(unit="x")]
    )
    def test_what_says_nothing_of_the_direction_settles_nothing(self, table: MetricSettings) -> None:
        decision = of_metric("blobs", 3, 4, Contracts(metric_tables={"blobs": table}))
        assert (kinds(decision), decision.overall) == (["unknown"], "undecided")

    def test_an_ignored_dataset(self) -> None:
        ignoring = Contracts(dataset_tables={"b": DatasetContract(ignore=True)})
        decision = decided(*CASES["version"], ignoring)
        assert (decision.overall, decision.doubts) == ("pass", ())

    @pytest.mark.parametrize(
        ("scale", "open_kinds", "overall"),
        [("mixed", [], "pass"), ("percent", ["scale"], "undecided"), ("fraction", ["invalid"], "undecided")],
    )
    def test_a_scale(self, scale: Any, open_kinds: list[str], overall: str) -> None:
        contracts = Contracts(metric_tables={"acc": MetricSettings(scale=scale)})
        decision = decided(*CASES["scale"], contracts)
        assert (kinds(decision), decision.overall) == (open_kinds, overall)


EVERY: tuple[Rule, ...] = (NoRegression(), NoMissing())


def accepting(rule: Any, *doubts: Any) -> Any:
    return rule.model_copy(update={"accept": doubts})


class TestAccepting:
    @pytest.mark.parametrize("kind", CASES)
    def test_every_kind_can_be_accepted_by_the_rules_about_it(self, kind: str) -> None:
        contracts = Contracts(rules=tuple(accepting(rule, kind) for rule in EVERY))
        decision = decided(*CASES[kind], contracts)
        [doubt] = decision.doubts
        assert (doubt.kind, doubt.accepted) == (kind, True)
        assert doubt.sentence.endswith("Accepted by the policy.")
        assert decision.overall == "pass"

    @pytest.mark.parametrize("kind", CASES)
    @pytest.mark.parametrize("accepts", [(True, False), (False, True)])
    def test_one_matching_rule_that_does_not_is_enough(self, kind: str, accepts: tuple[bool, bool]) -> None:
        rules = tuple(accepting(rule, *[kind] * accept) for rule, accept in zip(EVERY, accepts, strict=True))
        decision = decided(*CASES[kind], Contracts(rules=rules))
        assert ([doubt.accepted for doubt in decision.doubts], decision.overall) == ([False], "undecided")

    @pytest.mark.parametrize("kind", CASES)
    def test_another_kind_accepted_is_no_help(self, kind: str) -> None:
        others = [other for other in CASES if other != kind]
        decision = decided(*CASES[kind], Contracts(rules=tuple(accepting(rule, *others) for rule in EVERY)))
        assert ([doubt.accepted for doubt in decision.doubts], decision.overall) == ([False], "undecided")

    def test_a_rule_accepts_for_the_pairs_it_matches_alone(self) -> None:
        before, after = result({**WER, "blobs": 1, "zz": 1}), result({**WER, "blobs": 2, "zz": 2})
        rules = (accepting(NoRegression(metric="blobs*"), "unknown"), NoRegression(metric="[!b]*"))
        decision = decided([before], [after], Contracts(rules=rules))
        assert {doubt.pairs[0].metric: doubt.accepted for doubt in decision.doubts} == {"blobs": True, "zz": False}
        assert decision.overall == "undecided"

    def test_what_is_accepted_is_named(self) -> None:
        decision = of_metric("blobs", 3, 4, Contracts(rules=tuple(accepting(rule, "unknown") for rule in EVERY)))
        assert [doubt.sentence for doubt in decision.doubts] == [
            "1 result where which way is better is not known: blobs on a. Accepted by the policy."
        ]
        assert decision.rules[0].sentence == "1 result is not worse. Not comparable: blobs on a."

    @pytest.mark.parametrize("kind", CASES)
    def test_a_fail_is_never_accepted(self, kind: str) -> None:
        before, after = CASES[kind]
        contracts = Contracts(rules=tuple(accepting(rule, *CASES, "unmatched") for rule in EVERY))
        worse = [*after, result({"wer": 0.2}, "z")]
        assert decided([*before, result({"wer": 0.1}, "z")], worse, contracts).overall == "fail"
        assert decided([*before, result({"wer": 0.1}, "z")], after, contracts).overall == "fail"

    @pytest.mark.parametrize("kind", ["listing", "order"])
    def test_doubts_about_the_baseline_are_accepted_apart(self, kind: Any, tmp_path: Path) -> None:
        versions = [
            ModelVersion.model_validate(
                {
                    "VersionName": name,
                    "ApprovalStatus": status,
                    "GmtCreateTime": "2026-01-01T00:00:00Z" if kind == "listing" else None,
                    "Metrics": {"Results": [result(WER)]},
                }
            )
            for name, status in (("1", "Approved"), ("2", "Pending"))
        ]
        lineage = Lineage("model-a", versions, READ, total=15 if kind == "listing" else None)
        [doubt] = decide(lineage, "2").doubts
        assert (doubt.kind, doubt.pairs) == (kind, ())
        file = tmp_path / "paiview.toml"
        file.write_text(doubt.toml or "", encoding="utf-8")
        accepted = decide(lineage, "2", contracts=contracts_file.load(file))
        assert [each.accepted for each in accepted.doubts] == [True]
        assert accepted.overall == "pass"
        rules = tuple(accepting(rule, *CASES) for rule in EVERY)
        assert decide(lineage, "2", contracts=Contracts(rules=rules)).overall == "undecided"


class TestScope:
    @pytest.mark.parametrize("kind", CASES)
    def test_a_doubt_stands_only_where_a_rule_is_about_the_pair(self, kind: str) -> None:
        decision = decided(*CASES[kind], Contracts(rules=(NoRegression(metric="wer"),)))
        assert (decision.doubts, decision.overall) == ((), "pass")
        by_dataset = decided(*CASES[kind], Contracts(rules=(NoRegression(metric="*", dataset="nowhere*"), *EVERY[:0])))
        assert kinds(by_dataset) == ["unmatched"]

    @pytest.mark.parametrize("rule", [NoMissing(), Bound(metric="*", max=1e9), Improves(metric="*", at_least=0.0)])
    def test_any_rule_about_the_pair_makes_it_stand(self, rule: Rule) -> None:
        decision = decided(*CASES["duplicate"], Contracts(rules=(NoRegression(metric="wer"), rule)))
        assert "duplicate" in kinds(decision)

    @pytest.mark.parametrize("rule", [Shares(at_least=1), Described()])
    def test_a_rule_that_is_about_no_pair_does_not(self, rule: Rule) -> None:
        decision = decided(*CASES["unknown"], Contracts(rules=(NoRegression(metric="wer"), rule)))
        assert decision.doubts == ()

    def test_a_dataset_is_named_with_or_without_its_split(self) -> None:
        before, after = ([result(WER), result({"blobs": value}, "b", Split="test")] for value in (1, 2))
        for pattern, stands in (("b", True), ("b[[]split=test]", True), ("b[[]split=dev]", False), ("a", False)):
            rules = (NoRegression(metric="wer"), NoMissing(dataset=pattern, accept=("unmatched",)))
            assert ("unknown" in kinds(decided(before, after, Contracts(rules=rules)))) == stands, pattern


class TestUnmatched:
    def test_a_rule_that_matches_nothing_is_a_doubt(self) -> None:
        decision = decided([result(WER)], [result(WER)], Contracts(rules=(*EVERY, NoMissing(metric="cers"))))
        [doubt] = decision.doubts
        assert (doubt.kind, doubt.accepted, doubt.toml) == ("unmatched", False, None)
        assert doubt.sentence.startswith("no_missing: no result matches metric cers on dataset *. ")
        assert (decision.rules[-1].result, decision.overall) == ("undecided", "undecided")

    def test_it_may_be_accepted_by_the_rule_itself(self) -> None:
        rules = (*EVERY, NoMissing(metric="cers", accept=("unmatched",)))
        decision = decided([result(WER)], [result(WER)], Contracts(rules=rules))
        assert [doubt.accepted for doubt in decision.doubts] == [True]
        assert (decision.rules[-1].result, decision.overall) == ("not_applicable", "pass")

    def test_a_strict_rule_fails(self) -> None:
        rules = (*EVERY, NoMissing(metric="cers", strict=True, accept=("unmatched",)))
        decision = decided([result(WER)], [result(WER)], Contracts(rules=rules))
        assert (decision.rules[-1].result, decision.overall) == ("fail", "fail")

    def test_what_is_no_score_is_matched_by_a_bound_alone(self) -> None:
        values = [result({**WER, "gflops": 4})]
        bounded = decided(values, values, Contracts(rules=(*EVERY, Bound(metric="gflops", max=5))))
        assert (bounded.rules[-1].result, bounded.overall) == ("pass", "pass")
        other = decided(values, values, Contracts(rules=(*EVERY, NoMissing(metric="gflops"))))
        assert (other.rules[-1].result, other.overall) == ("undecided", "undecided")


class TestAssumed:
    @pytest.mark.parametrize("after", [0.3, 0.1])
    def test_neither_better_nor_worse_decides(self, after: float) -> None:
        decision = of_metric("wer_callcenter", 0.2, after)
        assert decision.overall == "undecided"
        assert decision.rules[0].result == "undecided"
        assert decision.rules[0].sentence == (
            "1 result is not worse. Changed, with a direction that is only assumed: wer_callcenter on a."
        )
        assert decision.summary.assumed
        assert decision.summary.word == ("Worse" if after == 0.3 else "Better")

    def test_within_tolerance_alone_it_passes_no_rule(self) -> None:
        values = [[result({"wer_callcenter": value})] for value in (0.1, 0.1005)]
        decision = decided(values[0], values[1], Contracts(rules=(NoRegression(),)))
        assert (decision.rules[0].result, decision.overall) == ("not_applicable", "undecided")
        assert decision.rules[0].sentence == (
            "1 result within tolerance, with a direction that is only assumed: wer_callcenter on a."
        )

    def test_an_improvement_of_it_is_undecided(self) -> None:
        rules = (NoRegression(metric="wer"), Improves(metric="wer_callcenter", at_least=0.1))
        decision = of_metric("wer_callcenter", 0.2, 0.1, Contracts(rules=rules))
        assert (decision.rules[1].result, decision.overall) == ("undecided", "undecided")
        declared = Contracts(metric_tables={"wer_callcenter": MetricSettings("lower")}, rules=rules)
        assert of_metric("wer_callcenter", 0.2, 0.1, declared).overall == "pass"

    def test_a_bound_needs_no_direction_but_the_doubt_stands(self) -> None:
        rules = (NoRegression(metric="wer"), Bound(metric="wer_callcenter", max=0.5))
        decision = of_metric("wer_callcenter", 0.2, 0.1, Contracts(rules=rules))
        assert (decision.rules[1].result, kinds(decision), decision.overall) == ("pass", ["assumed"], "undecided")

    def test_an_assumed_word_is_one_that_would_differ_without(self) -> None:
        both = decided([result({"wer": 0.2, "wer_x": 0.2})], [result({"wer": 0.1, "wer_x": 0.1})])
        assert (both.summary.word, both.summary.assumed) == ("Better", False)
        against = decided([result({"wer": 0.2, "wer_x": 0.2})], [result({"wer": 0.1, "wer_x": 0.3})])
        assert (against.summary.word, against.summary.assumed) == ("Trade-off", True)


TOLERANT = {"blobs": MetricSettings(relative=0.5)}


class TestUnknownWithinARule:
    def test_a_change_beyond_the_tolerance_of_the_rule_is_open(self) -> None:
        rules = (NoRegression(metric="b*", relative=0.1), NoMissing())
        contracts = Contracts(metric_tables=TOLERANT, rules=rules)
        decision = of_metric("blobs", 3, 4, contracts)
        assert [pair.state for pair in decision.pairs if pair.metric == "blobs"] == ["same"]
        assert (decision.rules[0].result, decision.overall) == ("undecided", "undecided")
        assert decision.rules[0].sentence == "Changed by more than 10 %, with an unknown direction: blobs on a."
        accepted = replace(contracts, rules=tuple(accepting(rule, "unknown") for rule in rules))
        assert of_metric("blobs", 3, 4, accepted).overall == "pass"

    def test_a_declared_tolerance_makes_it_the_same(self) -> None:
        decision = of_metric("blobs", 3, 4, Contracts(metric_tables=TOLERANT))
        assert (decision.overall, decision.doubts) == ("pass", ())


class TestFirstVersion:
    def first(self, values: Values, contracts: Contracts = Contracts()) -> Decision:
        version = {
            "VersionName": "1",
            "GmtCreateTime": "2026-01-01T00:00:00Z",
            "Metrics": {"Results": [result(values)]},
        }
        return decide(Lineage("model-a", [ModelVersion.model_validate(version)], READ), "1", contracts=contracts)

    def test_the_default_policy_is_undecided(self) -> None:
        decision = self.first({"wer": 0.1, "blobs": 3})
        assert (decision.baseline, decision.overall, decision.doubts) == (None, "undecided", ())
        assert {rule.result for rule in decision.rules} == {"not_applicable"}

    @pytest.mark.parametrize(
        ("value", "result", "overall"),
        [(0.1, "pass", "pass"), (0.3, "fail", "fail"), (30, "undecided", "undecided"), ("x", "fail", "fail")],
    )
    def test_a_bound_decides(self, value: object, result: str, overall: str) -> None:
        contracts = Contracts(rules=(*EVERY, Bound(metric="wer", max=0.2)))
        decision = self.first({"wer": value, "blobs": 3}, contracts)
        assert (decision.rules[-1].result, decision.overall) == (result, overall)


class TestBound:
    """A bound on a number that may be on another scale than its limit is undecided."""

    @pytest.mark.parametrize(
        ("metric", "scale", "value", "limits", "outcome"),
        [
            ("acc", None, 0.95, {"min": 0.9}, "pass"),
            ("acc", None, 0.85, {"min": 0.9}, "fail"),
            ("acc", None, 85, {"min": 0.9}, "undecided"),
            ("acc", None, 95, {"min": 90}, "pass"),
            ("acc", None, 85, {"min": 90}, "fail"),
            ("acc", None, 0.95, {"min": 90}, "undecided"),
            ("acc", None, 95, {"min": 0}, "pass"),
            ("wer", None, 19, {"max": 0.2}, "undecided"),
            ("wer", None, 0.19, {"max": 20}, "undecided"),
            ("wer", None, 1.9, {"max": 0.2}, "fail"),
            ("acc", "percent", 0.8, {"min": 90}, "fail"),
            ("acc", "percent", 0.8, {"max": 5}, "pass"),
            ("acc", "percent", 85, {"min": 0.9}, "undecided"),
            ("acc", "fraction", 0.85, {"min": 0.9}, "fail"),
            ("acc", "fraction", 0.95, {"min": 0.9}, "pass"),
            ("acc", "mixed", 85, {"min": 0.9}, "undecided"),
            ("acc", "mixed", 0.85, {"min": 0.9}, "undecided"),
            ("acc", "mixed", 0.95, {"min": 90}, "pass"),
            ("acc", "mixed", 0.85, {"min": 90}, "fail"),
            ("wer", "mixed", 0.04, {"max": 5}, "pass"),
            ("wer", "mixed", 0.04, {"max": 0.05}, "undecided"),
            ("latency_ms", None, 500, {"max": 1}, "fail"),
            ("mAP", None, -1, {"max": 0.5}, "undecided"),
            ("mAP", None, -1, {"min": 0.5}, "fail"),
            ("blobs", None, 5, {"min": 1, "max": 9}, "pass"),
        ],
    )
    def test_scales(self, metric: str, scale: Any, value: float, limits: Mapping[str, float], outcome: str) -> None:
        contracts = Contracts(
            metric_tables={metric: MetricSettings(scale=scale)} if scale else {},
            rules=(Bound(metric=metric, min=limits.get("min"), max=limits.get("max")),),
        )
        decision = decided([], [result({metric: value})], contracts)
        assert (decision.rules[0].result, decision.overall) == (outcome, outcome)

    def test_one_number_that_is_sure_to_be_outside_fails_beside_one_that_is_not_sure(self) -> None:
        rules = Contracts(rules=(Bound(metric="acc", min=0.9),))
        decision = decided([], [result({"acc": 85}), result({"acc": 0.5}, "b")], rules)
        assert decision.overall == "fail"


def test_the_doubts_of_a_decision_do_not_depend_on_the_order_of_its_versions() -> None:
    before, after = ([item for case in CASES.values() for item in case[side]] for side in (0, 1))
    distinct = [
        [
            result(item["Metrics"], f"{item['Dataset']['DatasetId']}-{at}", **_names(item))
            for at, item in enumerate(side)
        ]
        for side in (before, after[:8])
    ]
    lineage = listing(*distinct)
    mirrored = Lineage("model-a", [lineage.version("2"), lineage.version("1")], READ)
    assert decide(lineage, "2").doubts == decide(mirrored, "2").doubts


def _names(item: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in item["Dataset"].items() if name != "DatasetId"}


def test_a_doubt_names_datasets_as_readers_know_them() -> None:
    named = Contracts(dataset_tables={"a": DatasetContract(name="Meeting room")})
    decision = of_metric("blobs", 3, 4, named)
    assert "blobs on Meeting room. " in decision.doubts[0].sentence
    renamed = of_metric("blobs", 3, 4).named({"a": "Far field"})
    assert "blobs on Far field. " in renamed.doubts[0].sentence
    assert isinstance(renamed.doubts[0], Doubt)

"""Kinds of result files that other tools were reported to judge wrongly, each with names and numbers of its own."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from paiview.decisions import contracts as contracts_file
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision, Reason, State
from paiview.decisions.lineage import Lineage, decide
from paiview.decisions.policy import Bound
from paiview.decisions.wording import headline
from paiview.evaluation.metric_meaning import MetricSettings
from paiview.pai.objects import ModelVersion
from paiview.reports import plain_text

READ = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Numbers = Mapping[str, tuple[Any, Any]]
"""Metric to the numbers of the baseline and the candidate."""


def result(values: Mapping[str, Any], dataset: str = "d-1", **names: Any) -> dict[str, Any]:
    return {"Dataset": {"DatasetId": dataset, **names}, "Metrics": dict(values)}


def decided(before: Sequence[Any], after: Sequence[Any], contracts: Contracts = Contracts()) -> Decision:
    """The decision about 0.2.0, with the approved 0.1.0 before it."""
    versions = [
        ModelVersion.model_validate(
            {"VersionName": name, "ApprovalStatus": status, "GmtCreateTime": created, "Metrics": {"Results": results}}
        )
        for name, status, created, results in (
            ("0.1.0", "Approved", "2026-01-01T00:00:00Z", before),
            ("0.2.0", "Pending", "2026-01-02T00:00:00Z", after),
        )
    ]
    return decide(Lineage("model-kinds", versions, READ), "0.2.0", contracts=contracts)


def of_numbers(numbers: Numbers, contracts: Contracts = Contracts()) -> Decision:
    before, after = ({metric: values[side] for metric, values in numbers.items()} for side in (0, 1))
    return decided([result(before)], [result(after)], contracts)


def configured(text: str, folder: Path) -> Contracts:
    file = folder / "paiview.toml"
    file.write_text(text, encoding="utf-8")
    return contracts_file.load(file)


def states(decision: Decision) -> dict[str, State]:
    return {pair.metric: pair.state for pair in decision.pairs}


def reasons(decision: Decision) -> dict[str, Reason | None]:
    return {pair.metric: pair.reason for pair in decision.pairs}


class TestSpreads:
    """r01: standard errors beside scores, with the filter behind a comma."""

    @pytest.mark.parametrize(
        "numbers",
        [
            {"acc,none": (0.712, 0.534), "acc_stderr,none": (0.0127, 0.0141)},
            {"acc_norm,none": (0.81, 0.62), "acc_norm_stderr,none": (0.02, 0.01)},
            {"exact_match,strict-match": (0.61, 0.4), "exact_match_stderr,strict-match": (0.02, 0.01)},
            {"exact_match,flexible-extract": (0.61, 0.4), "exact_match_stderr,flexible-extract": (0.02, 0.01)},
            {"word_perplexity,none": (11.2, 15.9), "word_perplexity_stderr,none": ("N/A", 0.1)},
            {"wer": (0.1, 0.2), "wer_std": (0.02, 0.01), "wer_ci_low": (0.09, 0.08), "wer_var": (0.1, 0.01)},
            {"f1_macro": (0.9, 0.6), "f1_macro_stddev": (0.05, 0.01), "support": (100, 200), "f1_count": (1, 2)},
        ],
    )
    def test_a_spread_is_no_score_and_the_score_is_known(self, numbers: Numbers) -> None:
        decision = of_numbers(numbers)
        score, *others = numbers
        assert states(decision) == {score: "worse", **dict.fromkeys(others, "not_judged")}
        assert [pair.standing for pair in decision.pairs if pair.metric == score] == ["known"]
        assert (decision.summary.word, decision.overall, decision.doubts) == ("Worse", "fail", ())

    def test_a_smaller_spread_alone_is_no_improvement(self) -> None:
        decision = of_numbers({"acc_stderr,none": (0.02, 0.01), "wer_std": (0.2, 0.1)})
        assert (decision.summary.word, decision.overall) == ("Not comparable", "undecided")
        assert decision.averages == ()


class TestNegatedLosses:
    """r02: losses with their sign turned, so that scorers can maximise."""

    @pytest.mark.parametrize(
        ("metric", "before", "after"),
        [
            ("neg_mean_squared_error", -12.4, -31.9),
            ("neg_root_mean_squared_error", -3.5, -5.6),
            ("neg_mean_absolute_error", -0.2, -0.9),
            ("neg_log_loss", -0.31, -0.62),
            ("negative_mean_squared_error", -1.0, -2.0),
            ("val/neg_mean_squared_error", -1.0, -2.0),
        ],
    )
    def test_farther_below_zero_is_worse(self, metric: str, before: float, after: float) -> None:
        worse = of_numbers({metric: (before, after)})
        assert (worse.summary.word, worse.overall) == ("Worse", "fail")
        better = of_numbers({metric: (after, before)})
        assert (better.summary.word, better.overall) == ("Better", "pass")

    def test_above_zero_it_is_not_valid(self) -> None:
        decision = of_numbers({"neg_mean_squared_error": (-12.4, 31.9), "wer": (0.1, 0.1)})
        assert reasons(decision) == {"neg_mean_squared_error": "invalid", "wer": None}
        assert decision.overall == "undecided"


class TestNamesWithinNames:
    """r03: a unit, a word or another metric that is only part of a metric's name."""

    @pytest.mark.parametrize(
        ("metric", "before", "after"),
        [
            ("ms_ssim", 0.981, 0.942),
            ("MS-SSIM", 0.981, 0.942),
            ("val/ms_ssim", 0.981, 0.942),
            ("si_sdr", 12.1, 9.3),
            ("map_50", 0.6, 0.5),
            ("top5", 0.95, 0.9),
        ],
    )
    def test_a_higher_metric_that_falls_is_worse(self, metric: str, before: float, after: float) -> None:
        decision = of_numbers({metric: (before, after)})
        assert [(pair.direction, pair.standing, pair.state) for pair in decision.pairs] == [
            ("higher", "known", "worse")
        ]
        assert decision.overall == "fail"
        assert of_numbers({metric: (after, before)}).overall == "pass"


class TestRatesAndGaps:
    """r05: a rate at the threshold of another one, and differences between groups."""

    @pytest.mark.parametrize("metric", ["fpr_at_95_recall", "FPR@95", "fpr_at_95_tpr", "false_positive_rate"])
    def test_a_false_rate_that_grows_is_worse(self, metric: str) -> None:
        decision = of_numbers({metric: (0.21, 0.35)})
        assert (decision.summary.word, decision.overall) == ("Worse", "fail")

    @pytest.mark.parametrize("metric", ["accuracy_gap", "wer_diff", "f1_delta", "cer_improvement", "acc_drop"])
    def test_a_gap_is_judged_by_nobody(self, metric: str) -> None:
        for numbers in ((0.05, 0.12), (0.12, 0.05)):
            decision = of_numbers({metric: numbers, "wer": (0.1, 0.1)})
            pair = next(pair for pair in decision.pairs if pair.metric == metric)
            assert pair.state in ("not_judged", "not_comparable")
            assert (pair.gain, pair.effect) == (None, None)
            assert decision.summary.word == "Too close to call"
        declared = Contracts(metric_tables={metric: MetricSettings("lower")})
        assert of_numbers({metric: (0.05, 0.12), "wer": (0.1, 0.1)}, declared).overall == "fail"


class TestNoGroundTruth:
    """r07: −1 where a class has no ground truth."""

    @pytest.mark.parametrize("metric", ["mAP", "AP_small", "bbox_mAP_s", "AR@100", "precision", "mIoU"])
    @pytest.mark.parametrize("sides", [(-1, 0.07), (0.07, -1), (-1, -1)])
    def test_it_is_not_comparable_and_says_why(self, metric: str, sides: tuple[float, float]) -> None:
        decision = of_numbers({metric: sides, "wer": (0.1, 0.1)})
        [pair] = [pair for pair in decision.pairs if pair.metric == metric]
        assert (pair.state, pair.reason, pair.effect) == ("not_comparable", "invalid", None)
        assert f"{metric} cannot be below 0" in (pair.note or "")
        assert (pair.baseline, pair.candidate) == sides
        had_one = sides[0] != -1
        assert [doubt.kind for doubt in decision.doubts] == ["invalid"] * had_one
        assert decision.overall == ("undecided" if had_one else "pass")

    def test_alone_it_passes_nothing(self) -> None:
        decision = of_numbers({"mAP": (-1, 0.07)})
        assert (decision.summary.word, decision.overall) == ("Not comparable", "undecided")


class TestDatasetVersions:
    """r10a: a dataset that is another version of itself."""

    @pytest.mark.parametrize("key", ["Version", "DatasetVersion", "version", "datasetversion"])
    def test_sides_on_different_versions_are_not_compared_and_both_are_named(self, key: str) -> None:
        decision = decided([result({"wer": 0.2}, **{key: "v3"})], [result({"wer": 0.1}, **{key: "v4"})])
        [pair] = decision.pairs
        assert (pair.dataset, pair.state, pair.reason) == ("d-1", "not_comparable", "version")
        assert pair.note == "different versions of the dataset: v3 and v4"
        assert ([doubt.kind for doubt in decision.doubts], decision.overall) == (["version"], "undecided")

    def test_the_version_of_an_object_counts_too(self) -> None:
        uris = [f"oss://bucket/test.tsv?versionId={version}" for version in ("CAEQ1", "CAEQ2")]
        sides = [[{"Dataset": {"Uri": uri}, "Metrics": {"wer": 0.1}}] for uri in uris]
        decision = decided(sides[0], sides[1])
        assert [(pair.dataset, pair.reason) for pair in decision.pairs] == [("oss://bucket/test.tsv", "version")]

    def test_the_same_version_or_one_side_alone_is_compared(self) -> None:
        same = decided([result({"wer": 0.2}, Version="v3")], [result({"wer": 0.1}, Version="v3")])
        assert (same.overall, same.pairs[0].note) == ("pass", None)
        alone = decided([result({"wer": 0.2})], [result({"wer": 0.1}, Version="v3")])
        assert (alone.overall, alone.pairs[0].note) == (
            "pass",
            "only the candidate names a version of the dataset: v3",
        )


class TestRenamedMetrics:
    """r13: a metric that got another name, and names that only look alike."""

    ALIASES = '[metrics."acc,none"]\nalias_of = "acc"\n[metrics."WER "]\nalias_of = "wer"\n'

    def test_an_alias_keeps_one_history(self, tmp_path: Path) -> None:
        before = [result({"acc,none": 0.8, "WER ": 0.1})]
        after = [result({"acc": 0.9, "wer": 0.2})]
        assert decided(before, after).summary.word == "Not comparable"
        decision = decided(before, after, configured(self.ALIASES, tmp_path))
        assert states(decision) == {"acc": "better", "wer": "worse"}
        assert decision.overall == "fail"

    def test_a_pattern_renames_many(self, tmp_path: Path) -> None:
        contracts = configured('[metrics."test_*"]\nalias_of = "wer"', tmp_path)
        decision = decided([result({"test_wer": 0.1})], [result({"wer": 0.1})], contracts)
        assert states(decision) == {"wer": "same"}

    def test_two_names_of_one_metric_in_a_version_are_given_twice(self, tmp_path: Path) -> None:
        contracts = configured(self.ALIASES, tmp_path)
        before = [result({"wer": 0.1})]
        assert decided(before, [result({"wer": 0.1, "WER ": 0.1})], contracts).overall == "pass"
        decision = decided(before, [result({"wer": 0.1, "WER ": 0.2})], contracts)
        assert reasons(decision) == {"wer": "duplicate"}
        assert decision.overall == "undecided"

    @pytest.mark.parametrize("other", ["wer ", "WER", "ｗｅｒ", "w\u200ber"])
    def test_look_alikes_are_pointed_out_with_the_line_that_joins_them(self, other: str, tmp_path: Path) -> None:
        before, after = [result({"wer": 0.2})], [result({other: 0.1})]
        decision = decided(before, after)
        [note] = [note for note in decision.notes if "look alike" in note]
        assert "alias_of = " in note
        assert decision.overall != "pass"


class TestScales:
    """r14: a fraction beside percent."""

    @pytest.mark.parametrize(
        ("metric", "before", "after"),
        [
            ("acc", 0.934, 91.8),
            ("acc", 91.8, 0.934),
            ("wer", 0.4, 19.0),
            ("cer", 8.2, 0.079),
            ("f1", 0.88, 88.4),
            ("mAP50", 0.512, 51.9),
            ("eval/exact_match", 0.6, 60.5),
        ],
    )
    def test_it_is_not_compared_until_the_scale_is_said(
        self, metric: str, before: float, after: float, tmp_path: Path
    ) -> None:
        decision = of_numbers({metric: (before, after)})
        [pair] = decision.pairs
        assert (pair.state, pair.reason, pair.effect) == ("not_comparable", "scale", None)
        [doubt] = decision.doubts
        assert (doubt.kind, decision.overall) == ("scale", "undecided")
        settled = of_numbers({metric: (before, after)}, configured(doubt.toml or "", tmp_path))
        [pair] = settled.pairs
        assert pair.state in ("better", "worse", "same")
        assert abs(pair.effect or 0) < 1
        percentages = sorted(value if value > 1 else round(value * 100, 9) for value in (before, after))
        assert sorted([pair.baseline or 0, pair.candidate or 0]) == percentages

    @pytest.mark.parametrize(
        ("metric", "before", "after"),
        [("acc", 0.0069, 0.6987), ("wer", 1.78, 0.9), ("latency_ms", 0.9, 90.0), ("loss", 0.03, 3.1)],
    )
    def test_far_apart_on_one_scale_is_compared(self, metric: str, before: float, after: float) -> None:
        assert of_numbers({metric: (before, after)}).pairs[0].state in ("better", "worse")


class TestTinyNumbers:
    """r17: numbers far below the usual decimals."""

    @pytest.mark.parametrize(
        ("before", "after", "texts"),
        [
            (6.1e-15, 3.2e-15, ("6.1e−15", "3.2e−15")),
            (6.1e-9, 3.2e-9, ("0.0000000061", "0.0000000032")),
            (0.15, 0.15000000000000002, ("0.15", "0.15")),
            (0.9999991, 0.9999992, ("0.9999991", "0.9999992")),
        ],
    )
    def test_both_sides_are_written_with_what_tells_them_apart(
        self, before: float, after: float, texts: tuple[str, str]
    ) -> None:
        [row] = plain_text.rows(of_numbers({"mse": (before, after)}))
        assert (row.baseline, row.candidate) == texts

    def test_the_change_is_written_too(self) -> None:
        decision = of_numbers({"mse": (3.2e-15, 6.1e-15)})
        [row] = plain_text.rows(decision)
        assert (decision.pairs[0].state, row.change) == ("worse", "+2.9e−15")
        assert "3.2e−15" in decision.rules[0].sentence
        assert "6.1e−15" in decision.rules[0].sentence


class TestBoundsOnBrackets:
    """r19: a rule on a metric whose name holds what patterns are made of."""

    @pytest.mark.parametrize(
        "metric", ["mAP@[0.5:0.95]", "mAP[all]", "AP@[IoU=0.50:0.95]", "recall[!x]", "acc*", "f1?", "[mAP]"]
    )
    @pytest.mark.parametrize(("value", "outcome"), [(0.2, "fail"), (0.8, "pass")])
    def test_it_matches_its_own_name(self, metric: str, value: float, outcome: str, tmp_path: Path) -> None:
        text = f"[[policy]]\nrule = \"bound\"\nmetric = '{metric}'\nmin = 0.5\n"
        decision = of_numbers({metric: (0.8, value)}, configured(text, tmp_path))
        assert (decision.rules[0].result, decision.overall) == (
            outcome,
            "fail" if outcome == "fail" else decision.overall,
        )
        assert decision.rules[0].result != "undecided"
        if outcome == "pass" and decision.pairs[0].standing == "known":
            assert decision.overall == "pass"

    def test_what_matches_nothing_passes_nothing(self) -> None:
        decision = of_numbers({"wer": (0.1, 0.1)}, Contracts(rules=(Bound(metric="mAP@[0.5:0.95]", min=0.5),)))
        assert (decision.rules[0].result, decision.overall) == ("undecided", "undecided")


CLASSES = (
    "person",
    "wine glass",
    "hair drier",
    "parking meter",
    "stop sign",
    "bias cut",
    "loss adjuster",
    "cell phone",
)


NUMBERS_OF_CLASSES: Numbers = {
    "mIoU": (0.5, 0.52),
    **{f"IoU.{name}-{at}": (0.5, 0.4) for name in CLASSES for at in range(30)},
    **{f"Acc.{name}-{at}": (0.5, 0.6) for name in CLASSES for at in range(30)},
}


class TestClasses:
    """r20: hundreds of metrics of classes, whose names hold words that mean something elsewhere."""

    def test_no_word_of_a_class_decides(self) -> None:
        decision = of_numbers(NUMBERS_OF_CLASSES)
        directions = {pair.direction for pair in decision.pairs if pair.standing in ("known", "declared")}
        assert directions == {"higher"}
        assert {pair.standing for pair in decision.pairs if pair.metric != "mIoU"} <= {"assumed", "unknown", "known"}
        lower = [pair.metric for pair in decision.pairs if pair.direction == "lower"]
        assert lower == []
        assert decision.overall != "pass"

    def test_a_pattern_declares_or_ignores_them_all(self, tmp_path: Path) -> None:
        ignoring = of_numbers(
            NUMBERS_OF_CLASSES,
            configured('[metrics."IoU.*"]\nignore = true\n[metrics."Acc.*"]\nignore = true', tmp_path),
        )
        assert (ignoring.summary.better, ignoring.summary.not_judged) == (1, 480)
        assert (ignoring.overall, ignoring.doubts) == ("pass", ())
        text = (
            '[metrics."IoU.*"]\nignore = true\n[metrics."Acc.*"]\ndirection = "higher"\n'
            '[metrics."IoU.person-0"]\ndirection = "higher"\nignore = false'
        )
        declared = of_numbers(NUMBERS_OF_CLASSES, configured(text, tmp_path))
        assert (declared.summary.better, declared.summary.worse, declared.summary.not_judged) == (241, 1, 239)
        assert (declared.summary.word, declared.overall) == ("Trade-off", "fail")

    def test_the_few_that_matter_come_first_and_sentences_stay_short(self) -> None:
        decision = of_numbers({**NUMBERS_OF_CLASSES, "wer": (0.1, 0.2)})
        assert decision.pairs[0].state == "worse"
        assert headline(decision)[0].startswith("wer: worse on 1")
        assert all(len(rule.sentence) < 600 for rule in decision.rules)
        assert all(len(doubt.sentence) < 600 for doubt in decision.doubts)
        assert decision.overall == "fail"

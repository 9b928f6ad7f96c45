"""The policy: what each rule finds, and that a version never passes by what was not judged."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Overall, PairDecision, RuleResult
from paiview.decisions.doubts import BaselineFacts
from paiview.decisions.pairs import judge_pairs
from paiview.decisions.policy import DEFAULT_POLICY, KINDS, Rule
from paiview.decisions.policy_outcome import apply_policy
from paiview.evaluation.metric_meaning import DatasetContract, MetricContract, MetricSettings
from paiview.evaluation.name_patterns import has_wildcard
from paiview.evaluation.results import Measurement, Pair, evaluation

RULES: TypeAdapter[Rule] = TypeAdapter(Rule)
JUDGED = ("better", "worse", "same", "unclear")
Numbers = Mapping[str, Mapping[str, Any]]


def rule(kind: str, **keys: Any) -> Rule:
    return RULES.validate_python({"rule": kind, **keys})


def pairs(
    candidate: Numbers,
    baseline: Numbers | None,
    metrics: Mapping[str, MetricContract] | None = None,
    datasets: Mapping[str, DatasetContract] | None = None,
) -> tuple[PairDecision, ...]:
    """The pairs of two versions, each given as dataset to metric to value."""

    def read(given: Numbers) -> Any:
        items = [{"Dataset": {"DatasetId": name}, "Metrics": values} for name, values in given.items()]
        return evaluation({"Results": items})

    return judge_pairs(read(candidate), None if baseline is None else read(baseline), metrics or {}, datasets or {})


def found(
    rules: Sequence[Rule],
    given: Sequence[PairDecision],
    *,
    description: str | None = None,
    labels: Mapping[str, str] | None = None,
    metrics: Mapping[str, MetricSettings] | None = None,
) -> tuple[tuple[RuleResult, ...], Overall]:
    contracts = Contracts(metric_tables=metrics or {}, rules=tuple(rules))
    results, _, overall = apply_policy(
        contracts, given, description=description, labels=labels or {}, baseline=BaselineFacts()
    )
    return results, overall


def one(judging: Rule, given: Sequence[PairDecision], **facts: Any) -> tuple[str, str, str]:
    """The result and sentence of a rule alone, and overall."""
    (result,), overall = found([judging], given, **facts)
    assert result.rule == judging.rule
    return result.result, result.sentence, overall


BASELINE = {"aishell": {"cer": 0.0195, "wer": 0.05}, "meeting": {"cer": 0.15}}
BETTER = {"aishell": {"cer": 0.018, "wer": 0.05}, "meeting": {"cer": 0.15}}
WORSE = {"aishell": {"cer": 0.018, "wer": 0.05}, "meeting": {"cer": 0.155}}


def test_without_a_policy_nothing_may_be_worse_or_missing() -> None:
    assert found(DEFAULT_POLICY, pairs(BETTER, BASELINE)) == (
        (
            RuleResult(rule="no_regression", result="pass", sentence="None of 3 results is worse."),
            RuleResult(rule="no_missing", result="pass", sentence="None of 3 results of the baseline is missing."),
        ),
        "pass",
    )


def test_a_regression_fails_and_is_named_with_its_numbers() -> None:
    result, sentence, overall = one(rule("no_regression"), pairs(WORSE, BASELINE))
    assert (result, overall) == ("fail", "fail")
    assert sentence == "1 of 3 results is worse: cer on meeting −3.3 % (0.150 → 0.155, +0.5 pp)."


def test_a_missing_result_fails_and_is_named_with_what_it_was() -> None:
    given = pairs({"aishell": {"cer": 0.018}}, BASELINE)
    assert one(rule("no_missing"), given) == (
        "fail",
        "2 of 3 results of the baseline are missing: cer on meeting (was 0.15), wer on aishell (was 0.05).",
        "fail",
    )
    assert one(rule("no_regression"), given)[::2] == ("pass", "pass")
    assert one(rule("no_missing", dataset="a*", metric="cer"), given)[::2] == ("pass", "pass")


def test_a_sentence_is_cut_at_its_datasets_so_that_each_reader_can_be_told_their_names() -> None:
    odd = 'a"b\\\0c'
    named = {"meeting": DatasetContract(name="Meeting room")}
    before = {"meeting": {"cer": 0.1, "wer": 0.3}, odd: {"cer": 0.2}}
    given = pairs({}, before, datasets=named)
    (missing,), _ = found([rule("no_missing")], given)
    assert missing.pieces == (
        "3 of 3 results of the baseline are missing: cer on ",
        odd,
        " (was 0.2), cer on ",
        "meeting",
        " (was 0.1), wer on ",
        "meeting",
        " (was 0.3).",
    )
    assert missing.sentence == (
        '3 of 3 results of the baseline are missing: cer on a"b\\�c (was 0.2), '
        "cer on Meeting room (was 0.1), wer on Meeting room (was 0.3)."
    )


def test_the_worst_five_are_named_and_the_rest_counted() -> None:
    names = [f"d{place}" for place in range(8)]
    before = {name: {"cer": 0.1} for name in names}
    after = {name: {"cer": 0.11 + place / 100} for place, name in enumerate(names)}
    _, sentence, _ = one(rule("no_regression"), pairs(after, before))
    assert sentence.startswith("8 of 8 results are worse: cer on d7 −80.0 % ")
    assert [name for name in names if f"cer on {name} " in sentence] == names[3:]
    assert sentence.endswith(" and 3 more.")


def test_a_fall_from_zero_is_worst() -> None:
    given = pairs({"a": {"cer": 0.5}, "b": {"cer": 0.01}}, {"a": {"cer": 0.1}, "b": {"cer": 0.0}})
    _, sentence, _ = one(rule("no_regression"), given)
    assert sentence.index("cer on b") < sentence.index("cer on a")


@pytest.mark.parametrize(
    ("tolerance", "result"),
    [
        ({}, "pass"),
        ({"relative": 0.005}, "fail"),
        ({"relative": 0.008}, "pass"),
        ({"relative": 0.0}, "fail"),
        ({"absolute": 0.001}, "fail"),
        ({"absolute": 0.0016}, "pass"),
        ({"relative": 0.005, "absolute": 0.0016}, "pass"),
        ({"relative": 0.005, "absolute": 0.001}, "fail"),
        ({"relative": 1, "absolute": 0.001}, "pass"),
    ],
)
def test_a_rule_has_its_own_tolerance_and_leaves_the_state_alone(tolerance: dict[str, float], result: str) -> None:
    """0.2 to 0.2016 is worse by 0.8 %: exactly at the tolerance is within."""
    given = pairs({"a": {"cer": 0.2016}}, {"a": {"cer": 0.2}})
    assert [pair.state for pair in given] == ["same"]
    assert one(rule("no_regression", **tolerance), given)[0] == result


def test_what_is_told_beside_a_limit_is_on_the_side_of_it_that_it_was_judged_on() -> None:
    given = pairs({"a": {"fps": 98.96}, "b": {"fps": 102.88}}, {"a": {"fps": 100.0}, "b": {"fps": 100.0}})
    _, sentence, _ = one(rule("no_regression", relative=0.01), given)
    assert sentence == "1 of 2 results is worse by more than 1 %: fps on a −1.04 % (100.00 → 98.96, −1.04)."
    _, sentence, _ = one(rule("improves", metric="fps", at_least=0.01), given)
    assert sentence == "fps gains +0.9 % on average over 2 datasets, below 1 %."
    near = pairs({"a": {"fps": 100.96}}, {"a": {"fps": 100.0}})
    _, sentence, _ = one(rule("improves", metric="fps", at_least=0.01), near)
    assert sentence == "fps gains +0.96 % on average over 1 dataset, below 1 %."


def test_the_tolerance_of_a_rule_is_told() -> None:
    given = pairs({"a": {"cer": 0.3}}, {"a": {"cer": 0.2}})
    _, sentence, _ = one(rule("no_regression", relative=0.07, absolute=0.002), given)
    assert sentence.startswith("1 of 1 result is worse by more than 7 % and 0.002: cer on a −50.0 % ")
    assert one(rule("no_regression", relative=0.5), given)[1] == "1 result is not worse by more than 50 %."


def test_a_rules_tolerance_stands_in_place_of_the_metrics_and_keeps_its_digits() -> None:
    metrics = {"cer": MetricSettings(relative=0.01, absolute=0.1, digits=2)}
    contracts = Contracts(metric_tables=metrics).metrics
    given = pairs({"a": {"cer": 0.234}, "b": {"cer": 0.26}}, {"a": {"cer": 0.23}, "b": {"cer": 0.23}}, contracts)
    assert [pair.state for pair in given] == ["same", "same"]
    result, sentence, _ = one(rule("no_regression", relative=0.01), given, metrics=metrics)
    assert result == "fail"
    assert "1 of 2 results is worse by more than 1 %: cer on b" in sentence
    assert "cer on a" not in sentence


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([{"speed": 1.0}], [{"speed": 2.0}]),
        ([{"cer": 0.1}], [{"cer": 0.1}, {"cer": 0.2}]),
        ([{"cer": 0.1}, {"cer": 0.2}], [{"cer": 0.1}]),
        ([{"cer": 0.1}, {"cer": 0.2}], [{"cer": 0.1}, {"cer": 0.2}]),
        ([{"cer": "n/a"}, {"cer": 0.2}], [{"cer": "n/a"}]),
        ([{"cer": 0.2}], [{"cer": "n/a"}]),
        ([{"cer": 0.2}], [{"cer": -1}]),
    ],
)
def test_what_cannot_be_compared_although_the_baseline_had_it_keeps_the_decision_open(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    def read(given: list[dict[str, Any]]) -> Any:
        items = [{"Dataset": {"DatasetId": "meeting"}, "Metrics": values} for values in given]
        clear = {"Dataset": {"DatasetId": "clear"}, "Metrics": {"wer": 0.1}}
        return evaluation({"Results": [*items, clear]})

    given = judge_pairs(read(after), read(before))
    metric = "speed" if "speed" in before[0] else "cer"
    assert one(rule("no_regression"), given) == (
        "pass",
        f"1 result is not worse. Not comparable: {metric} on meeting.",
        "undecided",
    )
    assert one(rule("no_regression", metric=metric), given) == (
        "not_applicable",
        "No matching result can be compared.",
        "undecided",
    )
    assert one(rule("no_regression", metric="wer"), given)[::2] == ("pass", "pass"), "no rule is about the doubt"


def test_what_neither_version_has_as_a_number_is_no_doubt() -> None:
    given = pairs({"a": {"cer": "n/a", "wer": 0.1}}, {"a": {"cer": "n/a", "wer": 0.1}})
    assert {pair.state for pair in given} == {"same", "not_comparable"}
    assert one(rule("no_regression"), given)[0] == "pass"
    assert one(rule("no_regression", metric="cer"), given)[::2] == ("not_applicable", "undecided")


def test_a_doubt_does_not_hide_a_failure() -> None:
    given = pairs({"a": {"cer": 0.2, "speed": 2}}, {"a": {"cer": 0.1, "speed": 1}})
    result, sentence, overall = one(rule("no_regression"), given)
    assert (result, overall) == ("fail", "fail")
    assert sentence.endswith(". Not comparable: speed on a.")


@pytest.mark.parametrize(
    ("patterns", "matches"),
    [
        ({"metric": "c*"}, True),
        ({"metric": "C*"}, False),
        ({"metric": "?er"}, True),
        ({"metric": "[cw]er"}, True),
        ({"metric": "[!c]er"}, False),
        ({"metric": "er"}, False),
        ({"dataset": "oss://b/*"}, True),
        ({"dataset": "oss://b"}, False),
        ({"dataset": "Meeting room"}, True),
        ({"dataset": "meeting*"}, False),
        ({"dataset": "oss://b/[[]x]"}, True),
        ({"metric": "cer", "dataset": "other"}, False),
    ],
)
def test_patterns_are_of_the_shell_and_match_a_dataset_by_its_id_or_name(
    patterns: dict[str, str], matches: bool
) -> None:
    named = {"oss://b/[x]": DatasetContract(name="Meeting room")}
    given = pairs({"oss://b/[x]": {"cer": 0.1}}, {"oss://b/[x]": {"cer": 0.1}}, datasets=named)
    for kind in ("no_regression", "no_missing"):
        assert (one(rule(kind, **patterns), given)[::2] == ("pass", "pass")) is matches
    if not matches:
        told = f"metric {patterns.get('metric', '*')} on dataset {patterns.get('dataset', '*')}"
        assert one(rule("no_missing", **patterns), given) == ("undecided", f"No result matches {told}.", "undecided")
        strict = rule("no_missing", strict=True, **patterns)
        assert one(strict, given) == ("fail", f"No result matches {told}.", "fail")


@pytest.mark.parametrize("kind", ["no_regression", "no_missing", "bound", "improves"])
def test_a_pattern_that_matches_nothing_passes_nothing(kind: str) -> None:
    more: dict[str, Any] = {"bound": {"max": 1}, "improves": {"at_least": 0}}.get(kind, {})
    given = pairs(BETTER, BASELINE)
    assert one(rule(kind, metric="bleu", **more), given)[::2] == ("undecided", "undecided")
    assert one(rule(kind, metric="bleu", strict=True, **more), given)[::2] == ("fail", "fail")
    assert found([rule(kind, metric="bleu", **more), *DEFAULT_POLICY], given)[1] == "undecided"
    accepting = rule(kind, metric="bleu", accept=["unmatched"], **more)
    assert found([accepting, *DEFAULT_POLICY], given)[1] == "pass"


@pytest.mark.parametrize(
    ("limits", "result", "sentence"),
    [
        ({"max": 0.2}, "pass", "All 2 matching results are at most 0.2."),
        ({"max": 0.15}, "pass", "All 2 matching results are at most 0.15."),
        ({"min": 0.018, "max": 1}, "pass", "All 2 matching results are at least 0.018 and at most 1."),
        ({"max": 0.1}, "fail", "1 of 2 results is not at most 0.1: cer on meeting is 0.15."),
        (
            {"min": 0.5, "max": 0.6},
            "fail",
            "2 of 2 results are not at least 0.5 and at most 0.6: cer on aishell is 0.018, cer on meeting is 0.15.",
        ),
        ({"max": 0.018, "dataset": "aishell"}, "pass", "cer on aishell is at most 0.018 (0.018)."),
    ],
)
@pytest.mark.parametrize("baseline", [BASELINE, None])
def test_bounds_hold_with_and_without_a_baseline(
    limits: dict[str, Any], result: str, sentence: str, baseline: Numbers | None
) -> None:
    overall = "fail" if result == "fail" else "pass"
    assert one(rule("bound", metric="cer", **limits), pairs(BETTER, baseline)) == (result, sentence, overall)


@pytest.mark.parametrize("value", ["n/a", None, float("nan")])
def test_a_bound_fails_where_the_candidate_has_no_number(value: object) -> None:
    given = pairs({"a": {"cer": value}, "b": {"cer": 0.1}}, {"b": {"cer": 0.1}})
    result, sentence, overall = one(rule("bound", metric="cer", max=0.2), given)
    assert (result, overall) == ("fail", "fail")
    assert sentence == "1 of 2 results is not at most 0.2: cer on a has no number."


def test_a_bound_fails_where_only_the_baseline_has_a_number() -> None:
    given = pairs({}, {"a": {"cer": 0.1}})
    assert one(rule("bound", metric="cer", max=0.2), given)[0] == "fail"


@pytest.mark.parametrize(
    ("at_least", "result", "sentence"),
    [
        (0.05, "pass", "cer gains +5.0 % on average over 2 datasets, at least 5 %."),
        (0.0500001, "fail", "cer gains +5.0 % on average over 2 datasets, below 5.00001 %."),
        (0, "pass", "cer gains +5.0 % on average over 2 datasets, at least 0 %."),
    ],
)
def test_an_improvement_is_the_mean_gain_over_shared_datasets(at_least: float, result: str, sentence: str) -> None:
    """0.1 to 0.092 gains 8 %, 0.15 to 0.147 gains 2 %; c is new and d is missing."""
    given = pairs(
        {"a": {"cer": 0.092}, "b": {"cer": 0.147}, "c": {"cer": 0.001}},
        {"a": {"cer": 0.1}, "b": {"cer": 0.15}, "d": {"cer": 0.9}},
    )
    overall = "pass" if result == "pass" else "fail"
    assert one(rule("improves", metric="cer", at_least=at_least), given) == (result, sentence, overall)


@pytest.mark.parametrize("baseline", [0.175, 0.2, 0.07, 0.0195, 1.1, 3.3, 1e-9])
def test_a_gain_of_exactly_one_percent_is_one_percent(baseline: float) -> None:
    """In floats most of these gains are a little more or less than 0.01."""
    candidate = float(f"{baseline * 0.99:.12g}")
    given = pairs({"a": {"cer": candidate}}, {"a": {"cer": baseline}})
    assert one(rule("improves", metric="cer", at_least=0.01), given)[0] == "pass"
    assert one(rule("improves", metric="cer", at_least=0.010001), given)[0] == "fail"


def test_a_mean_of_thirds_is_exact() -> None:
    """Thirty gains of one third and ten of nothing are one quarter on average."""
    before = {f"d{place}": {"wer": 3.0} for place in range(40)}
    after = {f"d{place}": {"wer": 2.0 if place < 30 else 3.0} for place in range(40)}
    assert one(rule("improves", metric="wer", at_least=0.25), pairs(after, before))[0] == "pass"


def test_metrics_are_not_averaged_together() -> None:
    given = pairs({"a": {"cer": 0.05, "wer": 0.11}}, {"a": {"cer": 0.1, "wer": 0.1}})
    assert one(rule("improves", metric="*", at_least=0.01), given) == (
        "fail",
        (
            "wer gains −10.0 % on average over 1 dataset, below 1 %, "
            "cer gains +50.0 % on average over 1 dataset, at least 1 %."
        ),
        "fail",
    )


def test_a_mean_gain_from_zero_is_undefined() -> None:
    improves = rule("improves", metric="acc*", at_least=0)
    rising = pairs({"a": {"acc": 0.5}, "b": {"acc": 0.5}}, {"a": {"acc": 0.0}, "b": {"acc": 0.1}})
    assert one(improves, rising) == (
        "undecided",
        "acc has no mean gain, because the gain from some baselines is undefined.",
        "undecided",
    )
    falling = pairs({"a": {"cer": 0.1}, "b": {"cer": 0.05}}, {"a": {"cer": 0.0}, "b": {"cer": 0.1}})
    assert one(rule("improves", metric="cer", at_least=0), falling) == (
        "fail",
        "cer has no mean gain, because the gain from some baselines is undefined; worse from there: cer on a.",
        "fail",
    )


def test_an_improvement_of_what_is_gone_or_has_no_direction_is_not_taken_for_granted() -> None:
    given = pairs({"a": {"wer": 0.1, "speed": 2}}, {"a": {"wer": 0.1, "cer": 0.1, "speed": 1}})
    assert one(rule("improves", metric="cer", at_least=0), given)[::2] == ("not_applicable", "undecided")
    result, sentence, overall = one(rule("improves", metric="[sw]*", at_least=0), given)
    assert (result, overall) == ("pass", "undecided")
    assert sentence.endswith(". Not comparable: speed on a.")
    assert one(rule("improves", metric="cer", at_least=0), pairs(BETTER, None))[0] == "not_applicable"


def test_shares_counts_what_can_be_compared() -> None:
    given = pairs(BETTER | {"new": {"cer": 0.1}}, BASELINE | {"gone": {"cer": 0.1}})
    assert one(rule("shares", at_least=3), given) == ("pass", "3 results can be compared, at least 3.", "pass")
    assert one(rule("shares", at_least=4), given) == ("fail", "3 results can be compared, fewer than 4.", "fail")
    disjoint = pairs({"a": {"cer": 0.1}}, {"b": {"cer": 0.1}})
    assert one(rule("shares", at_least=1), disjoint)[::2] == ("fail", "fail")
    assert one(rule("shares", at_least=1), pairs(BETTER, None))[::2] == ("not_applicable", "undecided")


@pytest.mark.parametrize(("text", "result"), [("why", "pass"), ("", "fail"), (" \n", "fail"), (None, "fail")])
def test_described_needs_a_description(text: str | None, result: str) -> None:
    alone, _, overall = one(rule("described"), pairs(BETTER, BASELINE), description=text)
    assert (alone, overall) == (result, "undecided" if result == "pass" else "fail")
    beside = found([rule("described"), *DEFAULT_POLICY], pairs(BETTER, BASELINE), description=text)
    assert beside[1] == result


def test_labelled_needs_every_label() -> None:
    given = pairs(BETTER, BASELINE)
    labelled = rule("labelled", keys=["owner", "data\n<b>"])
    assert one(labelled, given, labels={"owner": "asr", "data\n<b>": ""})[::2] == ("pass", "undecided")
    assert one(labelled, given, labels={"owner": "asr"}) == ("fail", "The version lacks the label data <b>.", "fail")
    assert one(labelled, given)[1] == "The version lacks the label owner, data <b>."


def test_without_a_baseline_only_absolute_rules_apply() -> None:
    rules = [*DEFAULT_POLICY, rule("improves", metric="cer", at_least=0), rule("shares", at_least=1)]
    results, overall = found(rules, pairs(BETTER, None))
    assert [result.result for result in results] == ["not_applicable"] * 4
    assert overall == "undecided"
    results, overall = found([*rules, rule("bound", metric="cer", max=0.01)], pairs(BETTER, None))
    assert (results[-1].result, overall) == ("fail", "fail")
    results, overall = found([*rules, rule("bound", metric="cer", max=0.2)], pairs(BETTER, None))
    assert (results[-1].result, overall) == ("pass", "pass")


def test_a_policy_without_rules_and_versions_without_results_are_undecided() -> None:
    assert found([], pairs(BETTER, BASELINE)) == ((), "undecided")
    assert found(DEFAULT_POLICY, [])[1] == "undecided"
    assert found([rule("described")], [], description="text")[1] == "undecided"


def test_foreign_text_is_made_plain_in_sentences() -> None:
    hostile = "\x1b[31m\n\u202ex"
    given = pairs({hostile: {f"{hostile}_cer": 0.2}}, {hostile: {f"{hostile}_cer": 0.1}})
    rules = [*DEFAULT_POLICY, rule("bound", metric="*", max=0.1), rule("improves", metric="*", at_least=0)]
    for judging in rules:
        sentence = one(judging, given)[1]
        assert sentence.isprintable()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"rule": "bound", "metric": "cer"}, "needs min or max: without both nothing is out of bounds"),
        ({"rule": "bound", "metric": "cer", "min": 2, "max": 1}, "has min 2 above max 1"),
        ({"rule": "bound", "metric": "cer", "max": float("inf")}, "finite number"),
        ({"rule": "bound", "max": 1}, "Field required"),
        ({"rule": "no_regression", "relative": -0.1}, "greater than or equal to 0"),
        ({"rule": "no_regression", "absolute": float("nan")}, "finite number"),
        ({"rule": "no_regression", "relative": "0.1"}, "valid number"),
        ({"rule": "no_regression", "relative": True}, "valid number"),
        ({"rule": "no_regression", "relative": 10**400}, "valid number"),
        ({"rule": "no_regression", "metric": ""}, "must not be empty"),
        ({"rule": "no_regression", "dataset": " "}, "must not be empty"),
        ({"rule": "no_missing", "dataset": "d["}, "has a [ that is never closed"),
        ({"rule": "no_missing", "dataset": "[]"}, "has a [ that is never closed"),
        ({"rule": "no_missing", "dataset": "[a]b[!]"}, "has a [ that is never closed"),
        ({"rule": "no_missing", "strict": 1}, "valid boolean"),
        ({"rule": "no_missing", "relative": 0.1}, "Extra inputs"),
        ({"rule": "improves", "metric": "cer", "at_least": -0.01}, "greater than or equal to 0"),
        ({"rule": "improves", "metric": "cer"}, "Field required"),
        ({"rule": "improves", "metric": "cer", "at_least": 0, "dataset": "d"}, "Extra inputs"),
        ({"rule": "shares", "at_least": 0}, "greater than or equal to 1"),
        ({"rule": "shares", "at_least": 1.5}, "valid integer"),
        ({"rule": "labelled", "keys": []}, "at least 1 item"),
        ({"rule": "labelled", "keys": [""]}, "at least 1 character"),
        ({"rule": "described", "keys": ["a"]}, "Extra inputs"),
        ({"rule": "no_regresion"}, "expected tags"),
        ({}, "Unable to extract tag"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RULES.validate_python(keys)
    assert told in str(caught.value)


@pytest.mark.parametrize("pattern", ["*", "a[b]", "[]]", "[!]]", "[[]", "a]", "[!a-c]*[x]", "[a[b]"])
def test_patterns_with_closed_brackets_are_usable(pattern: str) -> None:
    assert rule("no_missing", dataset=pattern).model_dump()["dataset"] == pattern


def test_names_have_no_wildcards() -> None:
    assert [not has_wildcard(pattern) for pattern in ("cer", "c*", "c?r", "[c]er", "oss://b/k", "]")] == [
        True,
        False,
        False,
        False,
        True,
        True,
    ]


def test_every_rule_is_known_by_its_word() -> None:
    assert set(KINDS) == {"no_regression", "no_missing", "bound", "improves", "shares", "described", "labelled"}
    assert set(get_args(get_args(Rule)[0])) == set(KINDS.values())


METRICS = ("cer", "acc", "speed")
DATASETS = ("a", "b", "c")
VALUES = st.one_of(st.none(), st.sampled_from([0.0, 0.1, 0.101, 0.5, 1.0]), st.floats(-2, 2, allow_subnormal=False))
MEASURED = st.dictionaries(
    st.tuples(st.sampled_from(METRICS), st.sampled_from(DATASETS)).map(lambda names: Pair(*names)),
    st.builds(
        lambda value, twice: Measurement(float("nan") if value is None or twice else value, duplicated=twice),
        VALUES,
        st.sampled_from([False] * 7 + [True]),
    ),
)
PAIRS = st.builds(judge_pairs, MEASURED, st.none() | MEASURED)
PATTERNS = st.sampled_from(["*", "cer", "acc", "a", "[ab]*", "nothing"])
SIZES = st.none() | st.sampled_from([0.0, 0.005, 0.02, 0.5])
STRICT = st.booleans()
MONOTONE = st.one_of(
    st.builds(
        lambda metric, dataset, relative, absolute: rule(
            "no_regression", metric=metric, dataset=dataset, relative=relative, absolute=absolute
        ),
        PATTERNS,
        PATTERNS,
        SIZES,
        SIZES,
    ),
    st.builds(lambda metric, dataset: rule("no_missing", metric=metric, dataset=dataset), PATTERNS, PATTERNS),
    st.builds(lambda metric, limit: rule("bound", metric=metric, max=limit), PATTERNS, st.floats(-1, 1)),
    st.builds(
        lambda metric, least: rule("improves", metric=metric, at_least=least),
        PATTERNS,
        st.sampled_from([0, 0.01, 0.3]),
    ),
    st.sampled_from([rule("described"), rule("labelled", keys=["k"])]),
)
OTHERS = st.one_of(
    st.builds(lambda metric: rule("no_missing", metric=metric, strict=True), PATTERNS),
    st.builds(lambda count: rule("shares", at_least=count), st.integers(1, 4)),
)
POLICIES = st.lists(MONOTONE | OTHERS, max_size=4)
FACTS = st.fixed_dictionaries(
    {"description": st.sampled_from([None, "text"]), "labels": st.sampled_from([{}, {"k": "v"}])}
)
REGRESSIONS = st.builds(
    lambda before, after: judge_pairs(
        {Pair("cer", "added"): Measurement(before + after)}, {Pair("cer", "added"): Measurement(before)}
    ),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.floats(0.05, 1),
)


@given(POLICIES, PAIRS, FACTS)
def test_a_policy_never_passes_with_nothing_judged(
    rules: list[Rule], given_pairs: tuple[PairDecision, ...], facts: dict[str, Any]
) -> None:
    results, overall = found(rules, given_pairs, **facts)
    assert len(results) == len(rules)
    outcomes = [result.result for result in results]
    about_results = [each.result for each in results if each.rule not in ("described", "labelled")]
    if "fail" in outcomes:
        assert overall == "fail"
    elif "undecided" in outcomes or "pass" not in about_results:
        assert overall == "undecided"
    else:
        assert overall != "fail"
    unjudged = [pair for pair in given_pairs if pair.state not in (*JUDGED, "new")]
    assert found([each for each in rules if each.rule != "bound"], unjudged, **facts)[1] != "pass"


@given(st.lists(MONOTONE, max_size=4), PAIRS, FACTS, REGRESSIONS)
def test_adding_a_regression_never_turns_fail_into_pass(
    rules: list[Rule], given_pairs: tuple[PairDecision, ...], facts: dict[str, Any], added: tuple[PairDecision, ...]
) -> None:
    """``shares`` and ``strict`` ask for more results, of whatever state, so they are left out."""
    assert [pair.state for pair in added] == ["worse"]
    if found(rules, given_pairs, **facts)[1] == "fail":
        assert found(rules, (*given_pairs, *added), **facts)[1] == "fail"


@given(POLICIES, PAIRS, FACTS, REGRESSIONS)
def test_with_the_default_rules_a_regression_fails_whatever_else_is_asked(
    rules: list[Rule], given_pairs: tuple[PairDecision, ...], facts: dict[str, Any], added: tuple[PairDecision, ...]
) -> None:
    assert found([*rules, *DEFAULT_POLICY], (*given_pairs, *added), **facts)[1] == "fail"


@given(POLICIES, PAIRS, FACTS, st.randoms())
def test_the_order_of_rules_and_pairs_does_not_matter(
    rules: list[Rule], given_pairs: tuple[PairDecision, ...], facts: dict[str, Any], random: Any
) -> None:
    results, overall = found(rules, given_pairs, **facts)
    shuffled = random.sample(given_pairs, len(given_pairs))
    again, same = found(rules[::-1], shuffled, **facts)
    assert same == overall
    assert [result.result for result in again][::-1] == [result.result for result in results]

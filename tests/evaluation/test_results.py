"""The measurements of one version, and the Metrics of many versions searched at once."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.evaluation.frames import build
from paiview.evaluation.results import (
    Evaluation,
    MeasuredPairs,
    Measurement,
    Pair,
    evaluation,
    item_files,
    read_number,
    unreadable,
)
from paiview.pai.objects import ModelVersion

ALIASES = {"oss://a": "a"}
VALUES = st.one_of(st.floats(), st.integers(), st.sampled_from(["0.1", "n/a", None, True, 10**400, [1], {"y": 1.0}]))
DATASETS = st.sampled_from([{"DatasetId": "a"}, {"DatasetId": "b"}, {"Uri": "oss://a"}, {}, None, "a"])
NAMES = st.sampled_from(["cer", "x", "x.y"])
METRICS = st.one_of(
    st.none(),
    st.dictionaries(NAMES, VALUES, max_size=2),
    st.fixed_dictionaries(
        {
            "Results": st.lists(
                st.fixed_dictionaries({"Dataset": DATASETS, "Metrics": st.dictionaries(NAMES, VALUES, max_size=3)}),
                max_size=3,
            )
        }
    ),
)
PAIRS = st.sets(st.builds(Pair, NAMES, st.sampled_from(["a", "b", "oss://a", "(no dataset)", "none"])), max_size=3)


def results(**datasets: dict[str, Any]) -> dict[str, Any]:
    return {"Results": [{"Dataset": {"DatasetId": name}, "Metrics": given} for name, given in datasets.items()]}


def measuring(versions: list[Any], pairs: set[Pair], *aliases: dict[str, str]) -> list[bool]:
    """For each version, whether it has a number for any of the pairs."""
    found = MeasuredPairs(versions, *aliases).versions_with(pairs)
    assert found == sorted(set(found))
    return [place in found for place in range(len(versions))]


def test_versions_that_have_a_pair_are_told_by_their_place() -> None:
    versions = [results(a={"cer": 0.1}), None, results(b={"cer": 0.1}), results(a={"wer": 0.1}, b={"x": 1})]
    assert measuring(versions, {Pair("cer", "a")}) == [True, False, False, False]
    assert measuring(versions, {Pair("cer", "b"), Pair("wer", "a")}) == [False, False, True, True]
    assert measuring(versions, set()) == [False] * 4
    assert measuring([], {Pair("cer", "a")}) == []


def test_a_dataset_is_found_by_the_name_of_its_alias() -> None:
    version = results(**{"oss://a": {"cer": 0.1}})
    assert measuring([version], {Pair("cer", "a")}, ALIASES) == [True]
    assert measuring([version], {Pair("cer", "oss://a")}, ALIASES) == [False]


def test_what_is_no_number_is_not_had_and_one_of_several_is() -> None:
    odd = [results(a={"cer": value}) for value in ("n/a", None, float("nan"), float("inf"), "0.1")]
    assert measuring(odd, {Pair("cer", "a")}) == [False, False, False, False, True]
    twice = {"Results": [*results(a={"cer": 0.1})["Results"], *results(a={"cer": 0.2})["Results"]]}
    assert measuring([twice], {Pair("cer", "a")}) == [True]


@settings(deadline=None)
@given(st.lists(METRICS, max_size=4), PAIRS)
def test_it_overlooks_no_version_and_errs_only_where_a_pair_is_given_twice(
    versions: list[Any], pairs: set[Pair]
) -> None:
    for version, has_pair in zip(versions, measuring(versions, pairs, ALIASES), strict=True):
        found = [measured for pair, measured in evaluation(version, ALIASES).items() if pair in pairs]
        has_number = any(measured.value == measured.value for measured in found)
        assert has_pair >= has_number
        assert has_pair == has_number or any(measured.duplicated for measured in found)


def result(metrics: Any, dataset: Any = "d-1", **more: Any) -> dict[str, Any]:
    return {"Dataset": {"DatasetId": dataset} if isinstance(dataset, str) else dataset, "Metrics": metrics, **more}


def plain(evaluated: Evaluation) -> dict[str, Any]:
    """``metric@dataset`` to the number, or to the raw text where there is none."""
    return {f"{pair[0]}@{pair[1]}": one.raw if math.isnan(one.value) else one.value for pair, one in evaluated.items()}


SIGNED = "https://asr-eval.oss-cn-shanghai.aliyuncs.com/test.tsv?Expires={0}&Signature=s{0}"


@pytest.mark.parametrize(
    "datasets",
    [
        [{"Uri": SIGNED.format(1)}, {"Uri": SIGNED.format(2)}],
        [{"Uri": "oss://asr-eval.oss-cn-shanghai-internal.aliyuncs.com/test.tsv"}, {"Uri": "oss://asr-eval/test.tsv/"}],
        [{"DatasetId": "d-1"}, {"DatasetId": "d-1", "Uri": "oss://b/k"}],
        [{"DatasetId": "d-1", "Split": "test"}, {"split": " test", "DatasetId": "d-1"}],
    ],
)
def test_two_names_of_one_dataset_are_one_dataset(datasets: list[dict[str, str]]) -> None:
    (pair,), (same,) = (evaluation([result({"cer": 0.1}, dataset)]) for dataset in datasets)
    assert pair == same
    assert plain(evaluation([result({"cer": 0.1}, dataset) for dataset in datasets])) == {f"cer@{pair.dataset}": 0.1}


def test_splits_subsets_and_configurations_are_datasets_of_their_own() -> None:
    splits = [{"DatasetId": "d-1", "Split": name} for name in ("clean", "other")]
    evaluated = evaluation({"Results": [result({"wer": 0.1 * place}, split) for place, split in enumerate(splits, 1)]})
    assert plain(evaluated) == {"wer@d-1[split=clean]": 0.1, "wer@d-1[split=other]": 0.2}


def test_the_version_of_a_dataset_is_remembered() -> None:
    results = [
        result({"cer": 0.1}, {"DatasetId": "d-1", "Version": 2}),
        result({"cer": 0.2}, {"Uri": "oss://b/k?versionId=x"}),
    ]
    assert [*evaluation({"Results": [*results, result({"cer": 0.3}, "d-3")]}).values()] == [
        Measurement(0.1, dataset_version="2"),
        Measurement(0.2, dataset_version="x"),
        Measurement(0.3),
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1, 0.1], Measurement(0.1)),
        ([1, 1.0, 1], Measurement(1.0)),
        ([0.0, -0.0], Measurement(0.0)),
        (["0.1", 0.1], Measurement(0.1, raw='"0.1"')),
        ([0.1, "0.1"], Measurement(0.1, raw='"0.1"')),
        ([0.2, 0.1], Measurement(math.nan, duplicated=True, raw="0.1, 0.2")),
        ([0.2, 0.1, 0.2], Measurement(math.nan, duplicated=True, raw="0.1, 0.2")),
        ([None, 0.1], Measurement(math.nan, duplicated=True, raw="0.1, null")),
        ([None, None], Measurement(math.nan, raw="null")),
        ([[0.1], [0.1]], Measurement(math.nan, raw="[0.1]")),
        ([[0.1], [0.2]], Measurement(math.nan, duplicated=True, raw="[0.1], [0.2]")),
        ([2**53, 2**53 + 1], Measurement(math.nan, duplicated=True, raw="9007199254740992.0, 9007199254740993")),
        ([math.nan, math.nan], Measurement(math.nan, raw="NaN")),
        ([True, 1], Measurement(math.nan, duplicated=True, raw="1.0, true")),
    ],
)
def test_equal_values_of_a_pair_count_once_and_different_ones_are_duplicates(
    values: list[Any], expected: Measurement
) -> None:
    for order in (values, values[::-1]):
        (measured,) = evaluation({"Results": [result({"cer": value}) for value in order]}).values()
        assert repr(measured).replace("-0.0", "0.0") == repr(expected)


def test_one_number_on_two_versions_of_a_dataset_is_a_number_on_both() -> None:
    versions = [{"DatasetId": "d-1", "Version": version} for version in ("v2", "v1", "v2")]
    assert [*evaluation([result({"cer": 0.1}, version) for version in versions]).values()] == [
        Measurement(0.1, dataset_version="v1 / v2")
    ]
    bare = evaluation([result({"cer": 0.1}), result({"cer": 0.1}, versions[0])])
    assert [*bare.values()] == [Measurement(0.1, dataset_version="v2")]


def test_two_numbers_on_two_versions_of_a_dataset_are_duplicates() -> None:
    versions = [{"DatasetId": "d-1", "Version": version} for version in ("v2", "v1")]
    (measured,) = evaluation([result({"cer": place}, version) for place, version in enumerate(versions)]).values()
    assert (measured.duplicated, measured.raw, measured.dataset_version) == (True, "0.0, 1.0", "v1 / v2")


def test_counts_of_equal_values_are_kept_where_they_agree() -> None:
    one, other = {"cer": {"n": 10, "errors": 1}}, {"cer": {"n": 20}}
    cases: list[tuple[list[Any], tuple[int | None, int | None]]] = [
        ([one, one], (10, 1)),
        ([one, None], (10, 1)),
        ([None, other], (20, None)),
        ([one, other], (None, None)),
    ]
    for counts, expected in cases:
        items = [result({"cer": 0.1}, **({"Counts": count} if count else {})) for count in counts]
        (measured,) = evaluation(items).values()
        assert (measured.n, measured.errors) == expected


def test_two_metrics_of_one_name_are_one_where_they_are_equal() -> None:
    aliases = {"acc,none": "acc", "WER": "wer"}
    metrics = [result({"acc,none": 0.5, "acc": 0.5, "WER": 0.1, "wer": 0.2}), result({"WER": 0.3}, "d-2")]
    assert plain(evaluation(metrics, {}, aliases)) == {"acc@d-1": 0.5, "wer@d-1": "0.1, 0.2", "wer@d-2": 0.3}
    versions = [[result({"WER": 0.1})], [result({"cer": 0.1})]]
    assert measuring(versions, {Pair("wer", "d-1")}, {}, aliases) == [True, False]
    assert measuring(versions, {Pair("WER", "d-1")}, {}, aliases) == [False, False]


def test_an_alias_may_be_a_raw_uri_and_goes_for_every_split() -> None:
    aliases = {SIGNED.format(9): "d-1", "d-2": "d-3"}
    items = [
        result({"cer": 0.1}, {"Uri": SIGNED.format(1)}),
        result({"cer": 0.2}, {"Uri": "oss://asr-eval/test.tsv", "Split": "a"}),
        result({"cer": 0.3}, {"DatasetId": "d-2", "Config": "zh"}),
    ]
    assert plain(evaluation(items, aliases)) == {"cer@d-1": 0.1, "cer@d-1[split=a]": 0.2, "cer@d-3[config=zh]": 0.3}
    assert measuring([items[:1], items[1:]], {Pair("cer", "d-1")}, aliases) == [True, False]
    assert measuring([items[:1], items[1:]], {Pair("cer", "d-3[config=zh]")}, aliases) == [False, True]


USUAL = {
    "Results": [
        result({"cer": 0.1, "wer": {"clean": "0.2", "noisy": None}}),
        result({"cer": 0.3}, {"Uri": "oss://b/k"}),
    ]
}


@pytest.mark.parametrize(
    "metrics",
    [
        USUAL,
        json.dumps(USUAL),
        f" {json.dumps(USUAL, indent=1)} ",
        json.dumps(json.dumps(USUAL)),
        USUAL["Results"],
        json.dumps(USUAL["Results"]),
        {"Results": json.dumps(USUAL["Results"])},
        {"Results": [*map(json.dumps, USUAL["Results"])]},
        {"Results": [{**item, "Metrics": json.dumps(item["Metrics"])} for item in USUAL["Results"]]},
        {"Results": [{**item, "Dataset": json.dumps(item["Dataset"])} for item in USUAL["Results"]]},
        json.dumps({"Results": [{**item, "Metrics": json.dumps(item["Metrics"])} for item in USUAL["Results"]]}),
    ],
)
def test_metrics_are_read_from_json_text_and_from_an_array(metrics: Any) -> None:
    evaluated = evaluation(metrics)
    assert plain(evaluated) == {
        "cer@d-1": 0.1,
        "wer.clean@d-1": 0.2,
        "wer.noisy@d-1": "null",
        "cer@oss://b/k": 0.3,
    }
    assert repr(evaluated) == repr(evaluation(USUAL))
    assert unreadable(metrics) == []


@pytest.mark.parametrize(
    ("metrics", "files"),
    [
        (
            {"Results": [result({"cer": 1}, Details="oss://b/a.jsonl"), result({"cer": 2})]},
            [("d-1", "oss://b/a.jsonl")],
        ),
        (json.dumps([result({"cer": 1}, Details="/data/a.jsonl")]), [("d-1", "/data/a.jsonl")]),
        (result({"cer": 1}, Details="a.jsonl"), [("d-1", "a.jsonl")]),
        ({"Results": [result({"cer": 1}, Details=details) for details in ("", 3, ["a"], "x" * 2049)]}, []),
        ({"Results": [None, 3, "text"]}, []),
        ("no results", []),
        (None, []),
    ],
)
def test_the_item_files_of_results_are_addresses_as_they_are(metrics: Any, files: list[tuple[str, str]]) -> None:
    assert item_files(metrics) == files


def test_a_single_result_needs_no_list() -> None:
    single = result({"cer": 0.1}, Counts={"cer": {"n": 5}})
    for metrics in (single, {"Results": single}, {"Results": json.dumps(single)}, json.dumps(single)):
        assert evaluation(metrics) == {Pair("cer", "d-1"): Measurement(0.1, 5)}
        assert unreadable(metrics) == []


def test_json_text_may_hold_what_strict_json_does_not() -> None:
    text = '{"cer": NaN, "wer": 1e999, "n": ' + "7" * 5000 + ', "\\ud800": 0.5, "deep": ' + "[" * 300 + "]" * 300 + "}"
    evaluated = evaluation([result(text)])
    assert [pair.metric for pair in evaluated] == ["cer", "wer", "n", "\\ud800", "deep"]
    assert [measured.value == measured.value for measured in evaluated.values()] == [False, False, False, True, False]
    assert all(measured.raw for measured in evaluated.values() if math.isnan(measured.value))


@pytest.mark.parametrize("value", [[0.1, 0.2], [0.1, None], [[1, 2], [3, 4]], [math.nan]])
def test_a_list_of_numbers_is_a_measurement_without_a_number(value: Any) -> None:
    expected = Measurement(math.nan, raw=json.dumps(value))
    assert repr(evaluation([result({"ap": value})])) == repr({Pair("ap", "d-1"): expected})
    assert repr(evaluation({"ap": value})) == repr({Pair("ap", "(no dataset)"): expected})
    assert unreadable({"ap": value}) == []


@pytest.mark.parametrize(
    "value",
    [
        "１２",
        "٣",
        "1_000",
        "0x10",
        "1,5",
        "1,234.5",
        "12.3%",
        "1e",
        ".",
        "",
        "e5",
        "--1",
        "inf",
        "nan",
        "½",
        "1 2",
        True,
        None,
        {},
        [],
    ],
)
def test_what_only_resembles_a_number_is_none(value: Any) -> None:
    reading = read_number(value)
    assert math.isnan(reading.value)
    assert (reading.raw, reading.problem) == (json.dumps(value, ensure_ascii=False), "not a number")


def test_a_long_text_is_seen_to_be_no_number_in_linear_time() -> None:
    for piece in ("7", " ", "1.", "e1", "+"):
        assert math.isnan(read_number(piece * 300_000 + "x").value)


ITEMS = st.lists(
    st.builds(
        result,
        st.dictionaries(NAMES, st.one_of(VALUES, st.sampled_from([0.1, 0.2])), max_size=3),
        st.one_of(DATASETS, st.builds(lambda version: {"DatasetId": "a", "Version": version}, st.sampled_from("12"))),
    ),
    max_size=5,
)


@settings(deadline=None)
@given(ITEMS, st.randoms(use_true_random=False))
def test_the_order_of_results_decides_nothing(items: list[Any], random: Any) -> None:
    shuffled = random.sample(items, len(items))
    evaluated, again = evaluation(items, ALIASES), evaluation(shuffled, ALIASES)
    assert evaluated.keys() == again.keys()
    for pair, measured in evaluated.items():
        assert repr(measured).replace("-0.0", "0.0") == repr(again[pair]).replace("-0.0", "0.0")


@settings(deadline=None)
@given(ITEMS, st.data())
def test_repeating_a_result_changes_nothing(items: list[Any], data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.sampled_from(items), max_size=3)) if items else []
    assert repr(evaluation([*items, *repeated])) == repr(evaluation(items))
    one, two = (build([ModelVersion.model_validate({"Metrics": metrics})]) for metrics in (items, [*items, *repeated]))
    assert two.metrics["value"].tolist() == pytest.approx(one.metrics["value"].tolist(), nan_ok=True)
    assert two.histories.keys() == one.histories.keys()


@settings(deadline=None)
@given(st.one_of(METRICS, ITEMS), st.booleans())
def test_metrics_as_json_text_read_the_same_as_the_object(metrics: Any, doubly: bool) -> None:
    text = json.dumps(json.dumps(metrics)) if doubly else json.dumps(metrics)
    if metrics is None:
        assert unreadable(text)
        return
    assert repr(evaluation(text)) == repr(evaluation(metrics))
    assert unreadable(text) == unreadable(metrics)


@settings(deadline=None)
@given(ITEMS)
def test_frames_hold_the_numbers_of_the_evaluation(items: list[Any]) -> None:
    frames = build([ModelVersion.model_validate({"Metrics": items})], ALIASES)
    numbers = {
        pair: measured.value for pair, measured in evaluation(items, ALIASES).items() if not math.isnan(measured.value)
    }
    assert {pair: history.values[0] for pair, history in frames.histories.items()} == numbers

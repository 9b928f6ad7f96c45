"""Versions to data frames: columns, order, times, and Metrics in every shape the service may hold."""

import json
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paiview.evaluation.dataset_identity import DATASET_KINDS
from paiview.evaluation.frames import NO_DATASET, Frames, build
from paiview.evaluation.queries import number_table
from paiview.evaluation.results import Results
from paiview.evaluation.version_order import parse_time
from paiview.pai.objects import ModelVersion
from paiview.text import json_text

VERSION_DTYPES = {
    "version_name": "str",
    "listing_index": "int64",
    "created": "datetime64[us, UTC]",
    "modified": "datetime64[us, UTC]",
    "major": "Int64",
    "minor": "Int64",
    "patch": "Int64",
    "suffix": "str",
    "approval_status": "category",
    "format_type": "category",
    "framework_type": "category",
    "source_type": "category",
    "source_id": "str",
    "description": "str",
    "uri": "str",
    "user_id": "str",
    "owner_id": "str",
    "source_region": "str",
    "source_workspace": "str",
    "source_kind": "str",
    "source_run": "str",
    "labels": "str",
    "results": "int64",
    "problems": "int64",
    "problem": "str",
}
METRIC_DTYPES = {
    "version_index": "int64",
    "version_name": "str",
    "dataset": "category",
    "metric": "category",
    "dataset_kind": "category",
    "dataset_version": "str",
    "dataset_uri": "category",
    "value": "float64",
    "raw": "str",
    "problem": "category",
    "n": "Int64",
    "errors": "Int64",
    "paired": "category",
}
CREATED = "2021-01-21T17:12:35Z"


def version(name: str | None = "0.1.0", **fields: Any) -> ModelVersion:
    named = {} if name is None else {"VersionName": name}
    return ModelVersion.model_validate({**named, "GmtCreateTime": CREATED, **fields})


def result(metrics: Any, dataset: Any = "d-1") -> dict[str, Any]:
    return {"Dataset": {"DatasetId": dataset} if isinstance(dataset, str) else dataset, "Metrics": metrics}


def of_metrics(metrics: Any) -> Frames:
    return build([version(Metrics=metrics)])


def rows(frames: Frames) -> list[tuple[str, str, str, float | None]]:
    """Dataset, kind, metric and value of every row; ``None`` for no number."""
    shown = frames.metrics[["dataset", "dataset_kind", "metric", "value"]]
    return [
        (dataset, kind, metric, None if math.isnan(value) else value)
        for dataset, kind, metric, value in shown.itertuples(index=False)
    ]


def only(frames: Frames, column: str) -> Any:
    """The one cell of a column of a one-row metrics frame; ``None`` when it is missing."""
    (cell,) = frames.metrics[column].tolist()
    return None if pd.isna(cell) else cell


def problem(frames: Frames, row: int = 0) -> str | None:
    told = frames.versions["problem"].tolist()[row]
    return None if pd.isna(told) else told


def names(frames: Frames) -> list[str]:
    return frames.versions["version_name"].tolist()


@pytest.mark.parametrize(
    "versions",
    [
        [],
        [version(Metrics={})],
        [version(Metrics={"Results": [result({"cer": 0.1})]})],
        [version(None, Metrics={"Results": [result({"cer": "x", "wer": True})]}, GmtCreateTime="soon")],
    ],
)
def test_columns_and_types_are_the_documented_ones_whatever_the_data(versions: list[ModelVersion]) -> None:
    frames = build(versions)
    assert {str(name): str(dtype) for name, dtype in frames.versions.dtypes.items()} == VERSION_DTYPES
    assert {str(name): str(dtype) for name, dtype in frames.metrics.dtypes.items()} == METRIC_DTYPES
    assert list(frames.versions.columns) == list(VERSION_DTYPES)
    assert list(frames.metrics.columns) == list(METRIC_DTYPES)
    assert frames.versions.index.tolist() == list(range(len(versions)))
    assert frames.metrics["dataset_kind"].cat.categories.tolist() == list(DATASET_KINDS)


def test_every_documented_field_reaches_its_column() -> None:
    sent = {
        "VersionName": "2.3.4_beta",
        "VersionDescription": "通用语音识别",
        "Uri": "oss://bucket.oss-cn-beijing-internal.aliyuncs.com/a/",
        "FormatType": "Keras H5",
        "FrameworkType": "Pytorch",
        "ApprovalStatus": "Approved",
        "SourceType": "PAIFlow",
        "SourceId": "region=cn-beijing,workspaceId=123,kind=PipelineRun,id=run-1",
        "Labels": [{"Key": "team", "Value": "asr"}, {"Key": "语言", "Value": "zh"}],
        "UserId": "1557702098194904",
        "OwnerId": "12345678901234567890",
        "GmtCreateTime": "2021-01-21T17:12:35Z",
        "GmtModifiedTime": "2021-01-30T12:51:33.028Z",
    }
    frame = build([ModelVersion.model_validate(sent)]).versions
    text_columns = frame.astype({name: "str" for name, dtype in VERSION_DTYPES.items() if dtype == "category"})
    (row,) = text_columns.to_dict("records")
    assert row == {
        "version_name": "2.3.4_beta",
        "listing_index": 0,
        "created": pd.Timestamp("2021-01-21T17:12:35Z"),
        "modified": pd.Timestamp("2021-01-30T12:51:33.028Z"),
        "major": 2,
        "minor": 3,
        "patch": 4,
        "suffix": "beta",
        "approval_status": "Approved",
        "format_type": "Keras H5",
        "framework_type": "Pytorch",
        "source_type": "PAIFlow",
        "source_id": "region=cn-beijing,workspaceId=123,kind=PipelineRun,id=run-1",
        "description": "通用语音识别",
        "uri": "oss://bucket.oss-cn-beijing-internal.aliyuncs.com/a/",
        "user_id": "1557702098194904",
        "owner_id": "12345678901234567890",
        "source_region": "cn-beijing",
        "source_workspace": "123",
        "source_kind": "PipelineRun",
        "source_run": "run-1",
        "labels": "team=asr, 语言=zh",
        "results": 0,
        "problems": 0,
        "problem": row["problem"],
    }
    assert pd.isna(row["problem"])


def test_an_absent_field_is_missing_and_not_a_problem() -> None:
    frames = build([ModelVersion.model_validate({"VersionName": "0.1.0"})])
    filled = {"version_name": "0.1.0", "listing_index": 0, "major": 0, "minor": 1, "patch": 0, "labels": ""}
    present = frames.versions.iloc[0].dropna().to_dict()
    assert present == {**filled, "results": 0, "problems": 0}


def test_open_enumerations_stay_as_given() -> None:
    frames = build([version("0.1.0", FrameworkType="PyTorch"), version("0.2.0", FrameworkType="Pytorch")])
    assert frames.versions["framework_type"].tolist() == ["PyTorch", "Pytorch"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-01-21T17:12:35Z", "2021-01-21T17:12:35+00:00"),
        ("2021-01-30T12:51:33.028Z", "2021-01-30T12:51:33.028000+00:00"),
        ("2021-01-21T17:12Z", "2021-01-21T17:12:00+00:00"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
    ],
)
def test_the_three_shapes_of_time_are_read_as_utc(text: str, expected: str) -> None:
    moment = parse_time(text)
    assert moment is not None
    assert moment.isoformat() == expected
    assert build([version(GmtCreateTime=text)]).versions["created"].tolist() == [pd.Timestamp(moment)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2021-02-30T00:00:00Z",
        "2021-01-21T25:00:00Z",
        "0000-01-01T00:00:00Z",
        "2021-01-21T17:12:35",
        "2021-01-21",
        "1611249155",
        "2021-01-21T17:12:35Z\n",
        "２021-01-21T17:12:35Z",
    ],
)
def test_a_broken_time_is_missing_flagged_and_shown(text: str) -> None:
    assert parse_time(text) is None
    frames = build([version(GmtCreateTime=text, GmtModifiedTime=text)])
    assert frames.versions[["created", "modified"]].isna().all(axis=None)
    assert problem(frames) == f"GmtCreateTime is not a time: {text}; GmtModifiedTime is not a time: {text}"
    assert frames.flagged == 2


def test_the_order_is_creation_first_with_unknown_times_at_the_front() -> None:
    frames = build(
        [
            version("0.1.0", GmtCreateTime="2021-03-01T00:00:00Z"),
            version("0.2.0", GmtCreateTime="2021-01-01T00:00:00.500Z"),
            version("0.3.0", GmtCreateTime="2021-01-01T00:00:00Z"),
            version("9.9.9", GmtCreateTime="soon"),
        ]
    )
    assert names(frames) == ["9.9.9", "0.3.0", "0.2.0", "0.1.0"]
    assert frames.versions["listing_index"].tolist() == [3, 2, 1, 0]


def test_versions_of_one_moment_are_ordered_by_number_not_by_text() -> None:
    expected = ["latest", "0.9.0", "0.10.0_beta2", "0.10.0_beta10", "0.10.0", "0.10.1", "1.0.0", "2.0.0", "10.0.0"]
    scrambled = sorted(expected)
    assert scrambled != expected
    assert names(build([version(name) for name in scrambled])) == expected


def test_versions_equal_in_time_and_number_keep_their_place() -> None:
    assert names(build([version("1.0.0"), version("01.0.0"), version("1.0.0")])) == ["1.0.0", "01.0.0", "1.0.0"]


@pytest.mark.parametrize("name", ["latest", "1.0", "1.0.0-beta", "v1.0.0", "1.0.0_", "１.0.0", "1" * 19 + ".0.0"])
def test_a_name_that_is_no_version_number_is_kept_and_flagged(name: str) -> None:
    frames = build([version(name)])
    assert names(frames) == [name]
    assert frames.versions[["major", "minor", "patch", "suffix"]].isna().all(axis=None)
    assert problem(frames) == f"VersionName is not x.y.z: {name}"


def test_unnamed_versions_get_a_placeholder_each_that_nobody_else_has() -> None:
    frames = build([version(None), version("(unnamed 1)"), version("")])
    assert sorted(names(frames)) == ["((unnamed 1))", "(unnamed 1)", "(unnamed 3)"]
    assert [problem(frames, row) for row in range(3)].count("VersionName is missing") == 2


def test_a_version_number_of_eighteen_digits_is_held_exactly() -> None:
    frames = build([version(f"{10**18 - 1}.0.0")])
    assert frames.versions["major"].tolist() == [10**18 - 1]


@pytest.mark.parametrize(
    ("source_type", "source_id"),
    [
        ("Custom", "region=a,workspaceId=b,kind=c,id=d"),
        (None, "region=a,workspaceId=b,kind=c,id=d"),
        ("PAIFlow", "test"),
        ("PAIFlow", "region=a,workspaceId=b,kind=c"),
        ("PAIFlow", "region=a,workspaceId=b,kind=c,id="),
        ("PAIFlow", "region=a,workspaceId=b,kind=c,id=d,more=e"),
        ("PAIFlow", None),
    ],
)
def test_a_source_that_is_not_of_the_documented_form_stays_whole(source_type: str, source_id: str | None) -> None:
    frame = build([version(SourceType=source_type, SourceId=source_id)]).versions
    assert frame[["source_region", "source_workspace", "source_kind", "source_run"]].isna().all(axis=None)
    assert frame["source_id"].isna().tolist() == [source_id is None]


def test_a_source_is_split_at_the_first_equals_sign() -> None:
    frame = build([version(SourceType="TrainingService", SourceId="kind=k,id=a=b,region=r, workspaceId=w")]).versions
    assert frame[["source_region", "source_workspace", "source_kind", "source_run"]].to_numpy().tolist() == [
        ["r", "w", "k", "a=b"]
    ]


def test_a_uri_stands_beside_the_dataset_of_each_result() -> None:
    results = [
        result({"cer": 0.1}, {"DatasetId": "d-1", "Uri": "oss://b.oss-cn-beijing.aliyuncs.com/k/"}),
        result({"cer": 0.2}, {"DatasetId": "d-2"}),
        result({"cer": 0.3}, {"Uri": "OSS://b/k/"}),
    ]
    metrics = build([version(Metrics={"Results": results})]).metrics
    assert metrics["dataset"].tolist() == ["d-1", "d-2", "oss://b/k"]
    assert metrics["dataset_uri"].astype("str").fillna("none").tolist() == [
        "oss://b.oss-cn-beijing.aliyuncs.com/k/",
        "none",
        "OSS://b/k/",
    ]


def test_two_spellings_of_one_uri_are_one_dataset() -> None:
    versions = [
        version(name, Metrics={"Results": [result({"cer": 0.1}, {"Uri": uri})]})
        for name, uri in (("0.1.0", "oss://b/k"), ("0.2.0", "oss://b/k/"))
    ]
    frames = build(versions)
    assert len(frames.pairs) == 1
    assert frames.metrics["dataset_uri"].tolist() == ["oss://b/k", "oss://b/k/"]


def test_place_leads_back_to_labels_specs_extra_info_and_unknown_fields() -> None:
    sent = version(
        "0.1.0",
        GmtCreateTime="2024-01-01T00:00:00Z",
        Labels=[{"Key": "team", "Value": "asr"}],
        InferenceSpec={"processor": "tensorflow_gpu_1.12"},
        ExtraInfo={"CoverUris": ["https://a.example/b.png"], "New": 1},
        Signed=True,
    )
    versions = [version("0.2.0", GmtCreateTime="2025-01-01T00:00:00Z"), sent]
    frame = build(versions).versions
    found = versions[frame.loc[frame["version_name"] == "0.1.0", "listing_index"].item()]
    assert [(label.key, label.value) for label in found.labels] == [("team", "asr")]
    assert found.inference_spec == {"processor": "tensorflow_gpu_1.12"}
    assert found.extra_info == {"CoverUris": ["https://a.example/b.png"], "New": 1}
    assert found.raw["Signed"] is True


def test_fields_of_the_wrong_type_are_named_with_their_raw_value() -> None:
    frames = build([version(FormatType=["ONNX"], Labels=[{"Key": "a", "Value": {"b": 1}}], Metrics="{")])
    assert frames.versions["format_type"].isna().all()
    told = (problem(frames) or "").split("; ")
    assert sorted(told) == [
        'FormatType has the wrong type: ["ONNX"]',
        'Label Value has the wrong type: {"b": 1}',
        'Metrics has the wrong type: "{"',
    ]
    assert frames.flagged == 3


@pytest.mark.parametrize(
    "metrics", ["", "cer: 0.1", "{", '{"Results": [', "null", "0.1", '"cer"', 7, 0, False, True, math.nan]
)
def test_metrics_that_hold_nothing_to_read_are_told(metrics: Any) -> None:
    frames = of_metrics(metrics)
    assert problem(frames) == f"Metrics has the wrong type: {json.dumps(metrics)}"
    assert (len(frames.metrics), frames.flagged) == (0, 1)


@pytest.mark.parametrize(
    ("dataset", "expected", "told"),
    [
        ({"DatasetId": "d-1"}, ("d-1", "id"), None),
        ({"Uri": "oss://b/k"}, ("oss://b/k", "uri"), None),
        ({"DatasetId": "d-1", "Uri": "oss://b/k"}, ("d-1", "id"), None),
        ({"DatasetId": "", "Uri": "oss://b/k"}, ("oss://b/k", "uri"), None),
        ({"DatasetId": None, "Uri": "oss://b/k"}, ("oss://b/k", "uri"), None),
        ({}, (NO_DATASET, "none"), None),
        (None, (NO_DATASET, "none"), None),
        ({"DatasetId": "", "Uri": None}, (NO_DATASET, "none"), None),
        ("aishell", None, "dataset has no DatasetId or Uri"),
        ({"Name": "aishell"}, ('{"Name": "aishell"}', "none"), "dataset has no DatasetId or Uri"),
        ({"DatasetId": 7}, ('{"DatasetId": 7}', "none"), "dataset has no DatasetId or Uri"),
        (["d-1"], ('["d-1"]', "none"), "dataset has no DatasetId or Uri"),
        (7, ("7", "none"), "dataset has no DatasetId or Uri"),
        (0, ("0", "none"), "dataset has no DatasetId or Uri"),
        ({"DatasetId": 0, "Uri": "oss://b/k"}, ("oss://b/k", "uri"), "DatasetId or Uri is no text"),
        ({"DatasetId": "d-1", "Uri": ["oss://b/k"]}, ("d-1", "id"), "DatasetId or Uri is no text"),
        ({"DatasetId": False}, (NO_DATASET, "none"), "DatasetId or Uri is no text"),
    ],
)
def test_a_dataset_is_named_by_its_id_or_uri(dataset: Any, expected: tuple[str, str] | None, told: str | None) -> None:
    frames = of_metrics({"Results": [{"Dataset": dataset, "Metrics": {"cer": 0.1}}]})
    assert rows(frames) == [(*(expected or ("aishell", "none")), "cer", 0.1)]
    assert only(frames, "problem") == told


def test_an_odd_dataset_without_any_metric_is_told() -> None:
    frames = of_metrics({"Results": [{"Dataset": 7, "Metrics": {}}]})
    assert problem(frames) == "Results[0]: dataset has no DatasetId or Uri: 7"


def test_a_result_without_a_dataset_belongs_to_no_dataset() -> None:
    assert rows(of_metrics({"Results": [{"Metrics": {"cer": 0.1}}]})) == [(NO_DATASET, "none", "cer", 0.1)]


@pytest.mark.parametrize(
    ("value", "number", "raw", "told"),
    [
        (0.175, 0.175, None, None),
        (0, 0.0, None, None),
        (-3, -3.0, None, None),
        (1e308, 1e308, None, None),
        (2**53, 2.0**53, None, None),
        (2**53 + 1, 2.0**53, "9007199254740993", "rounded"),
        (10**400, None, "1" + "0" * 400, "too large"),
        ("0.12", 0.12, '"0.12"', "numeric string"),
        (" -1.5e-3 ", -0.0015, '" -1.5e-3 "', "numeric string"),
        ("\x1f3\u3000", 3.0, '"\\u001f3\u3000"', "numeric string"),
        ("12.3%", None, '"12.3%"', "not a number"),
        ("1,234", None, '"1,234"', "not a number"),
        ("1_000", None, '"1_000"', "not a number"),
        ("٣", None, '"٣"', "not a number"),
        ("1e999", None, '"1e999"', "not a number"),
        ("nan", None, '"nan"', "not a number"),
        ("", None, '""', "not a number"),
        (math.nan, None, "NaN", "not a number"),
        (math.inf, None, "Infinity", "not a number"),
        (-math.inf, None, "-Infinity", "not a number"),
        (True, None, "true", "not a number"),
        (None, None, "null", "not a number"),
        ([0.1, 0.2], None, "[0.1, 0.2]", "not a number"),
        ({}, None, "{}", "not a number"),
        ("错", None, '"错"', "not a number"),
        ("\ud800", None, '"\\ud800"', "not a number"),
    ],
)
def test_a_value_is_a_number_or_kept_raw_and_flagged(
    value: Any, number: float | None, raw: str | None, told: str | None
) -> None:
    frames = of_metrics({"Results": [result({"cer": value})]})
    assert rows(frames) == [("d-1", "id", "cer", number)]
    assert (only(frames, "raw"), only(frames, "problem")) == (raw, told)
    assert problem(frames) == (f"cer on d-1: {told}" if told else None)
    assert frames.flagged == (told is not None)


def test_an_integer_too_long_to_write_is_still_flagged() -> None:
    frames = of_metrics({"Results": [result({"cer": 10**5000})]})
    assert only(frames, "problem") == "too large"
    assert only(frames, "raw").startswith("(int that cannot be written as JSON")


def test_nested_objects_become_dotted_names() -> None:
    frames = of_metrics({"Results": [result({"wer": {"clean": 0.02, "noisy": {"10db": "0.2"}}, "n": 1})]})
    assert [row[2:] for row in rows(frames)] == [("wer.clean", 0.02), ("wer.noisy.10db", 0.2), ("n", 1.0)]
    flagged = frames.metrics["problem"].astype("str").fillna("").tolist()
    assert flagged == ["nested", "nested, numeric string", ""]


def test_objects_nested_beyond_reason_stay_whole() -> None:
    deep: Any = 0.5
    for _ in range(400):
        deep = {"a": deep}
    frames = of_metrics({"Results": [result({"cer": deep})]})
    assert only(frames, "metric") == "cer" + ".a" * 8
    assert only(frames, "raw").count('{"a"') == 392


def test_the_same_metric_twice_on_one_dataset_keeps_both_and_flags_both() -> None:
    frames = of_metrics({"Results": [result({"cer": 0.1, "wer": 0.3}), result({"cer": "0.2"})]})
    assert [row[2:] for row in rows(frames)] == [("cer", 0.1), ("wer", 0.3), ("cer", 0.2)]
    flagged = frames.metrics["problem"].astype("str").fillna("").tolist()
    assert flagged == ["duplicate dataset", "", "duplicate dataset, numeric string"]
    assert frames.flagged == 2


def test_the_same_number_twice_on_one_dataset_counts_once() -> None:
    uris = ["oss://bucket/k", "https://bucket.oss-cn-shanghai.aliyuncs.com/k?Signature=s"]
    twice = [{**result({"cer": 0.1, "wer": place}, {"Uri": uri}), "Counts": {}} for place, uri in enumerate(uris)]
    twice[1]["Counts"] = {"cer": {"n": 7}}
    frames = of_metrics({"Results": [*twice, result({"cer": 0.1}), result({"cer": 0.1}), result({"cer": 0.1})]})
    assert rows(frames) == [
        ("oss://bucket/k", "uri", "cer", 0.1),
        ("oss://bucket/k", "uri", "wer", 0.0),
        ("oss://bucket/k", "uri", "wer", 1.0),
        ("d-1", "id", "cer", 0.1),
    ]
    assert frames.metrics["problem"].astype("str").fillna("").tolist() == [
        "",
        "duplicate dataset",
        "duplicate dataset",
        "",
    ]
    assert frames.metrics["n"].tolist() == [7, pd.NA, pd.NA, pd.NA]
    assert frames.metrics.index.tolist() == [0, 1, 2, 3]
    assert frames.versions["results"].tolist() == [4]


def test_a_dataset_version_stands_beside_the_dataset() -> None:
    datasets = [
        {"DatasetId": "d-1", "Version": 1},
        {"DatasetId": "d-1", "DatasetVersion": "2"},
        {"Uri": "oss://b/k?versionId=x"},
        {"DatasetId": "d-2", "Split": "test"},
    ]
    frames = of_metrics({"Results": [*(result({"cer": 0.1}, dataset) for dataset in datasets), result({"wer": 0.1})]})
    shown = frames.metrics[["metric", "dataset", "dataset_version"]].astype("str").fillna("")
    assert shown.to_numpy().tolist() == [
        ["cer", "d-1", "1 / 2"],
        ["cer", "oss://b/k", "x"],
        ["cer", "d-2[split=test]", ""],
        ["wer", "d-1", ""],
    ]
    assert frames.flagged == 0


def test_aliases_join_histories() -> None:
    first, second = [result({"acc": 0.5})], [result({"acc,none": 0.6}, {"DatasetId": "d-old", "Split": "test"})]
    listed = [version("0.1.0", Metrics=first), version("0.2.0", Metrics=second)]
    assert len(build(listed).histories) == 2
    frames = build(listed, {"d-old[split=test]": "d-1"}, {"acc,none": "acc"})
    assert {pair: history.values.tolist() for pair, history in frames.histories.items()} == {("acc", "d-1"): [0.5, 0.6]}
    assert frames.metrics["metric"].cat.categories.tolist() == ["acc"]
    assert frames.metrics["dataset"].cat.categories.tolist() == ["d-1"]


def test_lists_of_numbers_outside_of_results_are_rows_without_a_number() -> None:
    frames = of_metrics({"ap": [0.1, None], "cer": math.nan})
    assert rows(frames) == [(NO_DATASET, "none", "ap", None), (NO_DATASET, "none", "cer", None)]
    assert frames.metrics["raw"].tolist() == ["[0.1, null]", "NaN"]
    assert problem(frames) == f"ap on {NO_DATASET}: not a number; cer on {NO_DATASET}: not a number"


def test_the_same_pair_in_two_versions_is_no_duplicate() -> None:
    metrics = {"Results": [result({"cer": 0.1})]}
    assert build([version("0.1.0", Metrics=metrics), version("0.2.0", Metrics=metrics)]).flagged == 0


@pytest.mark.parametrize("metrics", [None, {}, {"Results": []}, [], "{}", "[]", '{"Results":[]}', {"Results": "[]"}])
def test_no_metrics_are_no_problem(metrics: Any) -> None:
    frames = of_metrics(metrics)
    assert (len(frames.metrics), frames.flagged) == (0, 0)


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ({"test": "Metrics"}, 'Metrics.test is not a number: "Metrics"'),
        ({"Results": None}, "Metrics.Results is not a number: null"),
        ({"Results": "none"}, 'Metrics.Results is not a number: "none"'),
        ({"Results": [5]}, "Results[0] is not a result: 5"),
        (
            {"Results": [{"Dataset": {"DatasetId": "d"}, "Metrics": {}, "wer": 0.2}]},
            "Results[0].wer stands beside the Metrics of its result: 0.2",
        ),
        ({"Results": [{"Dataset": {"DatasetId": "d"}}]}, 'Results[0] is not a result: {"Dataset": {"DatasetId": "d"}}'),
        ({"Results": [{"Metrics": [0.1]}]}, 'Results[0] is not a result: {"Metrics": [0.1]}'),
        ([1], "Results[0] is not a result: 1"),
        ({"Results": '{"cer": 0.1'}, 'Metrics.Results is not a number: "{\\"cer\\": 0.1"'),
        ({"Results": [{"Metrics": "cer"}]}, 'Results[0] is not a result: {"Metrics": "cer"}'),
        ({"classes": ["a", "b"]}, 'Metrics.classes is not a number: ["a", "b"]'),
        ({"classes": []}, "Metrics.classes is not a number: []"),
        ({"classes": [None]}, "Metrics.classes is not a number: [null]"),
        ({"classes": [[0.1], 0.2]}, "Metrics.classes is not a number: [[0.1], 0.2]"),
        ({"beam": True}, "Metrics.beam is not a number: true"),
    ],
)
def test_what_cannot_become_a_row_is_told_with_its_raw_text(metrics: Any, told: str) -> None:
    frames = of_metrics(metrics)
    assert len(frames.metrics) == 0
    assert (problem(frames), frames.flagged) == (told, 1)


def test_numbers_outside_of_results_belong_to_no_dataset() -> None:
    frames = of_metrics({"cer": 0.1, "note": "best", "Results": [result({"cer": 0.2})]})
    assert rows(frames) == [("d-1", "id", "cer", 0.2), (NO_DATASET, "none", "cer", 0.1)]
    assert problem(frames) == 'Metrics.note is not a number: "best"'


def test_counts_stand_beside_their_metric() -> None:
    counts = {"cer": {"n": 104765, "errors": 18334}, "wer": {"n": 10}}
    frames = of_metrics({"Results": [{**result({"cer": 0.175, "wer": 0.3, "ser": 0.5}), "Counts": counts}]})
    assert frames.metrics["n"].tolist() == [104765, 10, pd.NA]
    assert frames.metrics["errors"].tolist() == [18334, pd.NA, pd.NA]
    assert frames.flagged == 0


def test_paired_evidence_stands_beside_its_number() -> None:
    entry = {"baseline": "0.4.0", "change": 0.1, "low": 0, "high": 0.2, "groups": 250, "method": "bootstrap"}
    paired = {"ser": entry, "bias": {**entry, "of": "distance"}}
    metrics = of_metrics({"Results": [{**result({"cer": 0.175, "ser": 0.5, "bias": 2.0}), "Paired": paired}]}).metrics
    read = {"baseline": "0.4.0", "model": None, "change": 0.1, "low": 0.0, "high": 0.2, "level": 0.95, "n": None}
    assert metrics["paired"].isna().tolist() == [True, False, False]
    assert json.loads(metrics["paired"][1]) == [{**read, "groups": 250}]
    assert json.loads(metrics["paired"][2]) == [{**read, "groups": 250, "of": "distance"}]


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (3, "Results[0].Counts is not an object: 3"),
        ({"cer": 3}, "Results[0].Counts.cer does not count a metric: 3"),
        ({"cer": {}}, "Results[0].Counts.cer does not count a metric: {}"),
        ({"cer": {"n": -1}}, 'Results[0].Counts.cer does not count a metric: {"n": -1}'),
        ({"cer": {"n": 1.5}}, 'Results[0].Counts.cer does not count a metric: {"n": 1.5}'),
        ({"cer": {"n": True}}, 'Results[0].Counts.cer does not count a metric: {"n": true}'),
        ({"cer": {"n": 2**63}}, f'Results[0].Counts.cer does not count a metric: {{"n": {2**63}}}'),
        ({"wer": {"n": 1}}, 'Results[0].Counts.wer does not count a metric: {"n": 1}'),
    ],
)
def test_counts_that_count_nothing_are_told(counts: Any, told: str) -> None:
    frames = of_metrics({"Results": [{**result({"cer": 0.175}), "Counts": counts}]})
    assert frames.metrics["n"].isna().all()
    assert problem(frames) == told


def test_the_metrics_frame_follows_the_version_order() -> None:
    later = version("0.2.0", GmtCreateTime="2025-01-01T00:00:00Z", Metrics={"Results": [result({"cer": 0.2})]})
    bare = version("0.1.5", GmtCreateTime="2024-06-01T00:00:00Z")
    earlier = version("0.1.0", GmtCreateTime="2024-01-01T00:00:00Z", Metrics={"Results": [result({"cer": 0.1})]})
    frames = build([later, bare, earlier])
    assert frames.metrics[["version_index", "version_name", "value"]].to_numpy().tolist() == [
        [0, "0.1.0", 0.1],
        [2, "0.2.0", 0.2],
    ]
    assert frames.versions["results"].tolist() == [1, 0, 1]


def test_flagged_is_the_sum_over_the_versions() -> None:
    frames = build([version("latest", Metrics={"Results": [result({"a": None, "b": "1"})]}), version("0.1.0")])
    assert frames.versions.set_index("version_name")["problems"].to_dict() == {"latest": 3, "0.1.0": 0}
    assert frames.flagged == 3


def all_numbers(frames: Frames) -> pd.DataFrame:
    return number_table(frames, frames.pairs)


def test_the_number_table_has_a_row_a_version_and_a_column_a_pair() -> None:
    frames = build(
        [
            version("0.1.0", Metrics={"Results": [result({"cer": 0.1, "wer": 0.2}, "a"), result({"cer": 0.3}, "b")]}),
            version("0.2.0"),
            version("0.3.0", Metrics={"Results": [result({"cer": 0.4}, "b"), result({"wer": "x"}, "a")]}),
        ]
    )
    table = all_numbers(frames)
    assert list(table.columns) == ["cer@a", "cer@b", "wer@a"]
    assert table.fillna(-1).to_numpy().tolist() == [[0.1, 0.3, 0.2], [-1, -1, -1], [-1, 0.4, -1]]
    assert {str(dtype) for dtype in table.dtypes} == {"float64"}


def test_the_number_table_shows_no_number_for_a_pair_with_two() -> None:
    frames = of_metrics({"Results": [result({"cer": 0.1}), result({"cer": 0.3}), result({"cer": 0.2}, "d-2")]})
    assert all_numbers(frames).fillna(-1).to_dict("records") == [{"cer@d-1": -1, "cer@d-2": 0.2}]
    frames = of_metrics({"Results": [result({"cer": 0.1}), result({"cer": 0.1}), result({"cer": 0.2}, "d-2")]})
    assert all_numbers(frames).to_dict("records") == [{"cer@d-1": 0.1, "cer@d-2": 0.2}]


def test_columns_of_one_name_stay_apart_in_the_number_table() -> None:
    frames = of_metrics({"Results": [result({"a@b": 0.1}, "c"), result({"a": 0.2}, "b@c")]})
    table = all_numbers(frames)
    assert list(table.columns) == ["a@b@c", "a@b@c "]
    assert table.to_numpy().tolist() == [[0.1, 0.2]]


def test_the_number_table_of_nothing_has_the_rows() -> None:
    assert all_numbers(build([])).shape == (0, 0)
    assert all_numbers(of_metrics({})).shape == (1, 0)


WORDS = st.sampled_from(["cer", "wer", "a.b", "Results", "Metrics", "Dataset", "Counts", "DatasetId", "Uri", "", "错"])
NUMBERS = st.one_of(st.floats(), st.integers(), st.integers(-(2**70), 2**70), st.integers(10**305, 10**310))
NO_JSON = st.text(st.characters(exclude_characters='{["', codec=None), max_size=4)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, NO_JSON, st.sampled_from(["0.1", "1e5", "\ud800"]))
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=8
)
PLAIN_RESULTS = st.builds(
    result,
    st.dictionaries(WORDS, st.one_of(st.floats(), st.integers(-(2**54), 2**54)), max_size=3),
    st.sampled_from(
        [
            "a",
            "a[split=b]",
            {"DatasetId": "b"},
            {"Uri": "a"},
            {"DatasetId": "", "Uri": "c"},
            {"Uri": "https://bucket.oss-cn-shanghai.aliyuncs.com/k?versionId=1"},
            {"Uri": "oss://bucket/k"},
            {"DatasetId": "a", "split": "b"},
        ]
    ),
)
ODD_RESULTS = st.builds(result, st.dictionaries(WORDS, ANY_JSON, max_size=3), ANY_JSON)
RESULTS = st.lists(st.one_of(PLAIN_RESULTS, ODD_RESULTS, ANY_JSON), max_size=4)
ANY_METRICS = st.one_of(
    ANY_JSON,
    st.fixed_dictionaries({"Results": st.lists(PLAIN_RESULTS, max_size=3)}),
    st.fixed_dictionaries({"Results": RESULTS}),
    st.fixed_dictionaries({"Results": RESULTS, "cer": ANY_JSON}),
)
BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def leaves(tree: dict[str, Any], depth: int = 0) -> list[Any]:
    """The values of an object of metrics, as the documentation of the frames counts them."""
    found: list[Any] = []
    for value in tree.values():
        found += leaves(value, depth + 1) if isinstance(value, dict) and value and depth < 8 else [value]
    return found


def accountable(metrics: Any) -> list[Any]:
    """What rows and complaints must tell of: each leaf, and each thing that is no result."""
    if metrics is None:
        return []
    if isinstance(metrics, list):
        metrics = {"Results": metrics}
    if not isinstance(metrics, dict):
        return [metrics]
    results, beside = metrics.get("Results"), {name: value for name, value in metrics.items() if name != "Results"}
    if "Results" not in metrics and "Dataset" in metrics and isinstance(metrics.get("Metrics"), dict):
        results, beside = [metrics], {}
    if isinstance(results, dict) and "Metrics" in results:
        results = [results]
    if not isinstance(results, list):
        return leaves(metrics)
    parts = [
        item["Metrics"] if isinstance(item, dict) and isinstance(item.get("Metrics"), dict) else [item]
        for item in results
    ]
    return leaves(beside) + [leaf for part in parts for leaf in (leaves(part) if isinstance(part, dict) else part)]


@BOUNDED
@given(st.lists(ANY_METRICS, max_size=4))
def test_whatever_metrics_hold_nothing_raises_and_every_leaf_is_accounted_for(many: list[Any]) -> None:
    frames = build([version(f"0.{place}.0", Metrics=metrics) for place, metrics in enumerate(many)])
    assert names(frames) == [f"0.{place}.0" for place in range(len(many))]
    told = [(problem(frames, row) or "").split("; ") for row in range(len(many))]
    assert frames.flagged == frames.versions["problems"].sum()
    for row, metrics in enumerate(many):
        of_rows = frames.metrics[frames.metrics["version_index"] == row]
        complaints = frames.versions["problems"].iloc[row] - of_rows["problem"].notna().sum()
        counted = json.dumps(metrics).count('"Counts"')
        empty = json.dumps(metrics).count('"Metrics": {}')  # Of which an odd dataset is told.
        assert len(of_rows) + complaints <= len(accountable(metrics)) + 3 * counted + empty
        written, sentences = {*of_rows["value"], *of_rows["raw"].dropna()}, "; ".join(told[row])
        for leaf in accountable(metrics):
            is_number = isinstance(leaf, int | float) and leaf in written
            assert is_number or json_text(leaf) in written or json_text(leaf) in sentences
        assert (frames.versions["problems"].iloc[row] > 0) == (told[row] != [""])
    assert frames.metrics.loc[frames.metrics["value"].isna(), ["raw", "problem"]].notna().all(axis=None)
    json.dumps(frames.metrics["raw"].dropna().tolist()).encode()


class OneByOne(Results):
    """Reads every version without the fast path."""

    def _read_plain(self, chunk: Any) -> bool:
        return False


def assert_same_one_by_one(many: list[Any]) -> Frames:
    versions = [version(f"0.{place}.0", Metrics=metrics) for place, metrics in enumerate(many)]
    bulk = build(versions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("paiview.evaluation.frames.Results", OneByOne)
        single = build(versions)
    # Which problem is met first differs, and with it the order of their categories.
    of_bulk, of_single = (frames.metrics.astype({"problem": "str"}) for frames in (bulk, single))
    pd.testing.assert_frame_equal(of_bulk, of_single)
    pd.testing.assert_frame_equal(bulk.versions, single.versions)
    return bulk


@BOUNDED
@given(st.lists(ANY_METRICS, max_size=6))
def test_reading_in_bulk_and_one_by_one_give_the_same(many: list[Any]) -> None:
    assert_same_one_by_one(many)


def test_a_long_listing_of_the_usual_shape_reads_the_same_in_bulk() -> None:
    frames = assert_same_one_by_one(
        [{"Results": [result({"cer": place / 1000}, "a"), result({"cer": 1}, {"Uri": "u"})]} for place in range(200)]
    )
    assert (len(frames.metrics), frames.flagged) == (400, 0)


def test_one_odd_version_in_a_listing_leaves_the_others_as_they_are() -> None:
    many: list[Any] = [{"Results": [result({"cer": place / 1000})]} for place in range(130)]
    many[70] = {"Results": [result({"cer": "0.07"})]}
    frames = build([version(f"0.{place}.0", Metrics=metrics) for place, metrics in enumerate(many)])
    assert frames.metrics["value"].tolist() == [place / 1000 for place in range(130)]
    assert frames.metrics["problem"].dropna().to_dict() == {70: "numeric string"}

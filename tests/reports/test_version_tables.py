"""The tables of a listing as downloads: what is shown, with every field of a version."""

import json
import math
from typing import Any, Final

import numpy as np
import pytest

from paiview.evaluation.frames import Frames, Pair, build
from paiview.pai.objects import ModelVersion
from paiview.reports.version_tables import DOCUMENT_COLUMNS, OTHER_FIELDS, result_table, version_table
from paiview.secret_masking import MASK

SPEC: Final = {"ComputeResource": {"EcsCount": 1}}
RAW: Final[list[dict[str, Any]]] = [
    {
        "VersionName": "0.2.0",
        "GmtCreateTime": "2024-02-01T00:00:00Z",
        "Options": '{"a": 1}',
        "ExtraInfo": {"CoverUris": ["https://a.example/b.png"]},
        "TrainingSpec": SPEC,
        "InferenceSpec": {},
        "EvaluationSpec": "text",
        "CompressionSpec": [1],
        "NewField": {"api_key": "sk-live-0123456789abcdef0123"},
        "Metrics": {"Results": [{"Dataset": {"DatasetId": "d-1"}, "Metrics": {"cer": 0.2}}]},
    },
    {
        "VersionName": "0.1.0",
        "GmtCreateTime": "2024-01-01T00:00:00Z",
        "UserId": "7",
        "Metrics": {
            "Results": [
                {"Dataset": {"DatasetId": "d-1", "Uri": "oss://b/k"}, "Metrics": {"cer": 0.1, "wer": 0.3}},
            ]
        },
    },
    {"VersionName": "0.3.0", "GmtCreateTime": "2024-03-01T00:00:00Z"},
]
VERSIONS: Final = [ModelVersion.model_validate(item) for item in RAW]


@pytest.fixture
def frames() -> Frames:
    return build(VERSIONS)


def test_every_field_of_a_version_is_in_its_row(frames: Frames) -> None:
    row = version_table(frames, VERSIONS, np.array([1]), [Pair("cer", "d-1")]).iloc[0]
    assert row["version_name"] == "0.2.0"
    assert row["options"] == '{"a": 1}'
    assert json.loads(row["extra_info"]) == {"CoverUris": ["https://a.example/b.png"]}
    assert json.loads(row["training_spec"]) == SPEC
    assert (row["inference_spec"], row["evaluation_spec"], row["compression_spec"]) == ("{}", "text", "[1]")
    assert row["cer@d-1"] == 0.2
    assert row[["distillation_spec"]].isna().all()


def test_secrets_are_masked_in_fields_that_pai_does_not_document(frames: Frames) -> None:
    row = version_table(frames, VERSIONS, np.array([1]), []).iloc[0]
    assert json.loads(row[OTHER_FIELDS]) == {"NewField": {"api_key": MASK}}


def test_the_rows_are_those_shown_in_their_order(frames: Frames) -> None:
    table = version_table(frames, VERSIONS, np.array([2, 0]), [Pair("wer", "d-1")])
    assert table["version_name"].tolist() == ["0.3.0", "0.1.0"]
    assert math.isnan(table["wer@d-1"].iloc[0])
    assert table["wer@d-1"].iloc[1] == 0.3
    assert table[list(DOCUMENT_COLUMNS)].isna().all(axis=None)
    assert "listing_index" not in table


def test_no_version_is_a_table_without_rows(frames: Frames) -> None:
    nothing = np.array([], dtype=np.int64)
    table = version_table(frames, VERSIONS, nothing, [])
    assert len(table) == 0
    assert {*DOCUMENT_COLUMNS, OTHER_FIELDS, "version_name", "user_id"} <= {*table.columns}
    assert len(result_table(frames, nothing)) == 0


def test_results_are_those_of_the_versions_shown(frames: Frames) -> None:
    table = result_table(frames, np.array([1, 0]))
    assert table[["version_name", "metric", "value"]].to_numpy().tolist() == [
        ["0.2.0", "cer", 0.2],
        ["0.1.0", "cer", 0.1],
        ["0.1.0", "wer", 0.3],
    ]
    assert table["dataset_uri"].astype("str").fillna("none").tolist() == ["none", "oss://b/k", "oss://b/k"]
    assert len(result_table(frames, np.array([2]))) == 0


@pytest.mark.parametrize(
    ("metrics", "datasets", "expected"),
    [(["wer"], [], ["wer"]), ([], ["d-1"], ["cer", "cer", "wer"]), (["cer"], ["elsewhere"], []), (["quux"], [], [])],
)
def test_results_are_those_of_the_chosen_metrics_and_datasets(
    frames: Frames, metrics: list[str], datasets: list[str], expected: list[str]
) -> None:
    table = result_table(frames, np.array([1, 0]), metrics, datasets)
    assert table["metric"].tolist() == expected
    assert "version_index" not in table

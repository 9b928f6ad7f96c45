"""Versions created, read, changed and deleted by the official SDK."""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.embedded.sdk import (
    bare_registry,
    every_version,
    listed_versions,
    new_model,
    new_version,
    read_model,
    read_version,
    refusal,
    sdk_client,
)
from tests.harness.data_files import saved_answer

COMPLETE: Final[dict[str, Any]] = {
    "VersionName": "2.3.4_beta",
    "VersionDescription": "通用情感分析。\n“v1”",
    "Uri": "oss://mybucket.oss-cn-beijing.aliyuncs.com/mypath/",
    "FormatType": "SavedModel",
    "FrameworkType": "PyTorch",
    "ApprovalStatus": "Approved",
    "SourceType": "PAIFlow",
    "SourceId": "region=cn-shanghai,workspaceId=1,kind=PipelineRun,id=run-1",
    "Metrics": {"Results": [{"Dataset": {"DatasetId": "d-1"}, "Metrics": {"cer": 0.1750000000000001, "n": 2**53 + 1}}]},
    "Options": '{"a": 1}',
    "ExtraInfo": {"CoverUris": ["https://e.com/1.png"], "TrainedWords": ["词"], "nothing": None},
    "TrainingSpec": {"HyperParameters": [{"Name": "lr", "Value": "1e-3"}]},
    "InferenceSpec": {"processor": "tensorflow_gpu_1.12"},
    "EvaluationSpec": {"a": []},
    "CompressionSpec": {"b": {"c": True}},
    "DistillationSpec": {"d": 0.0},
    "Labels": [{"Key": "team", "Value": "speech"}, {"Key": "语言", "Value": ""}],
}
CHANGED: Final[dict[str, Any]] = {
    "VersionDescription": "",
    "ApprovalStatus": "Rejected",
    "Metrics": {},
    "Options": "no JSON",
    "SourceType": "TrainingService",
    "SourceId": "kind=TrainingJob",
    "ExtraInfo": {"Rating": 4.5},
    "TrainingSpec": {"a": 1},
    "InferenceSpec": {},
    "EvaluationSpec": {"e": "é"},
    "CompressionSpec": {"f": None},
    "DistillationSpec": {"g": [1, 2]},
}
GIVEN_BY_THE_SERVER: Final = {"UserId", "OwnerId", "GmtCreateTime", "GmtModifiedTime"}


def create(sdk: Client, model_id: str, fields: dict[str, Any]) -> str:
    request = models.CreateModelVersionRequest().from_map(fields)
    return str(sdk.create_model_version(model_id, request).body.version_name)


def update(sdk: Client, model_id: str, name: str, **fields: Any) -> None:
    sdk.update_model_version(model_id, name, models.UpdateModelVersionRequest(**fields))


def set_labels(sdk: Client, model_id: str, name: str, labels: list[dict[str, Any]]) -> None:
    request = models.CreateModelVersionLabelsRequest().from_map({"Labels": labels})
    sdk.create_model_version_labels(model_id, name, request)


def delete_labels(sdk: Client, model_id: str, name: str, keys: str | None) -> None:
    sdk.delete_model_version_labels(model_id, name, models.DeleteModelVersionLabelsRequest(label_keys=keys))


def label_pairs(sdk: Client, model_id: str, name: str) -> list[tuple[str, str]]:
    return [(label["Key"], label["Value"]) for label in read_version(sdk, model_id, name)["Labels"]]


def test_a_version_created_with_every_field_reads_back_equal_from_get_and_list(sdk: Client, model_id: str) -> None:
    assert create(sdk, model_id, COMPLETE) == "2.3.4_beta"
    read = read_version(sdk, model_id, "2.3.4_beta")
    assert {name: value for name, value in read.items() if name not in GIVEN_BY_THE_SERVER} == COMPLETE
    assert set(read) == set(COMPLETE) | GIVEN_BY_THE_SERVER
    assert listed_versions(sdk, model_id) == (1, [read])


def test_what_is_left_out_is_filled_in_by_the_server(sdk: Client, model_id: str) -> None:
    assert create(sdk, model_id, {"Uri": "oss://bucket/key"}) == "0.1.0"
    read = read_version(sdk, model_id, "0.1.0")
    assert (read["ApprovalStatus"], read["SourceType"], read["Labels"]) == ("Pending", "Custom", [])
    assert read["GmtCreateTime"] == read["GmtModifiedTime"]
    assert len(read["GmtCreateTime"]) == len("2021-01-21T17:12:35Z")


@pytest.mark.parametrize(
    ("present", "name"),
    [
        ([], "0.1.0"),
        (["0.1.0"], "0.2.0"),
        (["0.9.0"], "0.10.0"),
        (["0.10.0", "0.9.7_beta"], "0.11.0"),
        (["1.2.3", "0.8.0"], "1.3.0"),
        (["2.0.0_beta"], "2.1.0"),
        (["9" * 5000 + ".1.0"], "0.1.0"),
    ],
)
def test_the_automatic_name_is_one_minor_number_above_the_highest(
    sdk: Client, model_id: str, present: list[str], name: str
) -> None:
    for each in present:
        new_version(sdk, model_id, version_name=each)
    assert new_version(sdk, model_id) == name
    assert len(every_version(sdk, model_id)) == len(present) + 1


@pytest.mark.parametrize(
    "name", ["1", "1.0", "v1.0.0", "1.0.0-beta", "1.0.0_", "1.0.0_é", "1.0.0\n", "١.0.0", " 1.0.0"]
)
def test_a_name_that_does_not_match_the_rule_is_refused(sdk: Client, model_id: str, name: str) -> None:
    assert refusal(lambda: new_version(sdk, model_id, version_name=name)) == (400, "InvalidVersionName")
    assert listed_versions(sdk, model_id) == (0, [])


def test_a_name_that_is_taken_is_refused_and_the_version_stays(sdk: Client, model_id: str) -> None:
    new_version(sdk, model_id, version_name="1.0.0", version_description="first")
    assert refusal(lambda: new_version(sdk, model_id, version_name="1.0.0")) == (409, "InvalidVersionName.Duplicate")
    assert [version["VersionDescription"] for version in every_version(sdk, model_id)] == ["first"]


def test_the_same_name_in_another_model_is_another_version(sdk: Client, model_id: str) -> None:
    other = new_model(sdk)
    new_version(sdk, model_id, version_name="1.0.0", version_description="here")
    new_version(sdk, other, version_name="1.0.0", version_description="there")
    update(sdk, other, "1.0.0", version_description="changed")
    assert read_version(sdk, model_id, "1.0.0")["VersionDescription"] == "here"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"uri": None}, "MissingParameter"),
        ({"uri": ""}, "MissingParameter"),
        ({"uri": 1}, "InvalidUri"),
        ({"approval_status": "APPROVED"}, "InvalidApprovalStatus"),
        ({"metrics": "cer"}, "InvalidMetrics"),
        ({"metrics": [1]}, "InvalidMetrics"),
        ({"options": {"a": 1}}, "InvalidOptions"),
        ({"extra_info": "text"}, "InvalidExtraInfo"),
        ({"training_spec": True}, "InvalidTrainingSpec"),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused(sdk: Client, model_id: str, fields: dict[str, Any], code: str) -> None:
    assert refusal(lambda: new_version(sdk, model_id, **fields)) == (400, code)
    assert listed_versions(sdk, model_id) == (0, [])


def metrics_of(size: int) -> dict[str, str]:
    """Metrics of this many bytes as compact JSON, most of them Chinese characters of three."""
    empty = len(json.dumps({"note": ""}, separators=(",", ":")))
    characters, rest = divmod(size - empty, len("字".encode()))
    return {"note": "字" * characters + "x" * rest}


def test_metrics_may_have_8192_bytes_and_not_one_more(sdk: Client, model_id: str) -> None:
    largest = metrics_of(8192)
    assert len(json.dumps(largest, ensure_ascii=False, separators=(",", ":")).encode()) == 8192
    name = new_version(sdk, model_id, metrics=largest)
    assert read_version(sdk, model_id, name)["Metrics"] == largest
    assert refusal(lambda: new_version(sdk, model_id, metrics=metrics_of(8193))) == (400, "InvalidMetrics")
    assert refusal(lambda: update(sdk, model_id, name, metrics=metrics_of(8193))) == (400, "InvalidMetrics")
    assert read_version(sdk, model_id, name)["Metrics"] == largest
    assert listed_versions(sdk, model_id)[0] == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_have_is_refused(sdk: Client, model_id: str, value: float) -> None:
    assert refusal(lambda: new_version(sdk, model_id, metrics={"cer": value})) == (400, "InvalidParameter")


def test_an_update_replaces_the_fields_it_names_and_no_other(sdk: Client, model_id: str) -> None:
    create(sdk, model_id, COMPLETE | {"ApprovalStatus": "Pending"})
    before = read_version(sdk, model_id, "2.3.4_beta")
    sdk.update_model_version(model_id, "2.3.4_beta", models.UpdateModelVersionRequest().from_map(CHANGED))
    after = read_version(sdk, model_id, "2.3.4_beta")
    assert after == before | CHANGED | {"GmtModifiedTime": after["GmtModifiedTime"]}
    assert after["GmtModifiedTime"] >= before["GmtModifiedTime"]


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_an_update_of_one_field_leaves_the_others(sdk: Client, model_id: str, name: str) -> None:
    create(sdk, model_id, COMPLETE | {"ApprovalStatus": "Pending"})
    before = read_version(sdk, model_id, "2.3.4_beta")
    request = models.UpdateModelVersionRequest().from_map({name: CHANGED[name]})
    sdk.update_model_version(model_id, "2.3.4_beta", request)
    after = read_version(sdk, model_id, "2.3.4_beta")
    assert after == before | {name: CHANGED[name], "GmtModifiedTime": after["GmtModifiedTime"]}


def test_an_update_of_nothing_changes_nothing(sdk: Client, model_id: str) -> None:
    create(sdk, model_id, COMPLETE)
    before = read_version(sdk, model_id, "2.3.4_beta")
    update(sdk, model_id, "2.3.4_beta")
    after = read_version(sdk, model_id, "2.3.4_beta")
    assert after == before | {"GmtModifiedTime": after["GmtModifiedTime"]}


def test_an_update_does_not_move_a_version_in_the_list(sdk: Client, model_id: str) -> None:
    for name in ("1.0.0", "2.0.0", "3.0.0"):
        new_version(sdk, model_id, version_name=name)
    update(sdk, model_id, "1.0.0", version_description="changed")
    assert [version["VersionName"] for version in every_version(sdk, model_id)] == ["1.0.0", "2.0.0", "3.0.0"]


@pytest.mark.parametrize("final", ["Approved", "Rejected"])
def test_the_decision_on_a_pending_version_is_final(sdk: Client, model_id: str, final: str) -> None:
    name = new_version(sdk, model_id)
    update(sdk, model_id, name, approval_status="Pending")
    update(sdk, model_id, name, approval_status=final)
    for other in {"Pending", "Approved", "Rejected"} - {final}:
        move = partial(update, sdk, model_id, name, approval_status=other, version_description="no")
        assert refusal(move) == (400, "InvalidApprovalStatus.Final")
    update(sdk, model_id, name, approval_status=final, version_description="yes")
    read = read_version(sdk, model_id, name)
    assert (read["ApprovalStatus"], read["VersionDescription"]) == (final, "yes")
    assert listed_versions(sdk, model_id, approval_status=final)[0] == 1
    assert listed_versions(sdk, model_id, approval_status="Pending")[0] == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"approval_status": "approved"}, "InvalidApprovalStatus"),
        ({"approval_status": ""}, "InvalidApprovalStatus"),
        ({"metrics": "x"}, "InvalidMetrics"),
        ({"version_description": 5}, "InvalidVersionDescription"),
        ({"inference_spec": []}, "InvalidInferenceSpec"),
    ],
)
def test_an_update_that_is_refused_changes_nothing(
    sdk: Client, model_id: str, fields: dict[str, Any], code: str
) -> None:
    create(sdk, model_id, COMPLETE)
    before = read_version(sdk, model_id, "2.3.4_beta")
    assert refusal(lambda: update(sdk, model_id, "2.3.4_beta", **{"source_id": "no"} | fields)) == (400, code)
    assert read_version(sdk, model_id, "2.3.4_beta") == before


def test_a_deleted_version_is_gone_and_its_name_is_free(sdk: Client, model_id: str) -> None:
    for name in ("1.0.0", "2.0.0"):
        new_version(sdk, model_id, version_name=name)
    sdk.delete_model_version(model_id, "1.0.0", models.DeleteModelVersionRequest())
    assert refusal(lambda: read_version(sdk, model_id, "1.0.0")) == (404, "201900003")
    assert [version["VersionName"] for version in every_version(sdk, model_id)] == ["2.0.0"]
    assert new_version(sdk, model_id, version_name="1.0.0") == "1.0.0"


def test_labels_are_set_by_key_and_keep_their_place(sdk: Client, model_id: str) -> None:
    name = new_version(sdk, model_id)
    set_labels(sdk, model_id, name, [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    set_labels(sdk, model_id, name, [{"Key": "c", "Value": "3"}, {"Key": "a", "Value": "新"}])
    assert label_pairs(sdk, model_id, name) == [("a", "新"), ("b", "2"), ("c", "3")]
    assert listed_versions(sdk, model_id, label="新")[0] == 1
    delete_labels(sdk, model_id, name, "a,c,unknown")
    assert label_pairs(sdk, model_id, name) == [("b", "2")]
    assert listed_versions(sdk, model_id, label="新")[0] == 0


def test_labels_change_nothing_but_the_labels(sdk: Client, model_id: str) -> None:
    create(sdk, model_id, COMPLETE)
    before = read_version(sdk, model_id, "2.3.4_beta")
    set_labels(sdk, model_id, "2.3.4_beta", [{"Key": "k", "Value": "v"}])
    delete_labels(sdk, model_id, "2.3.4_beta", "k")
    after = read_version(sdk, model_id, "2.3.4_beta")
    assert after == before | {"GmtModifiedTime": after["GmtModifiedTime"]}


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([{"Key": "a=b", "Value": "v"}], id="an equals sign in a key"),
        pytest.param([{"Key": "k", "Value": "a,b"}], id="a comma in a value"),
        pytest.param([{"Key": "k" * 129, "Value": "v"}], id="a key of 129 bytes"),
        pytest.param([{"Key": "k", "Value": "字" * 43}], id="a value of 129 bytes"),
        pytest.param([{"Key": "", "Value": "v"}], id="an empty key"),
        pytest.param([{"Key": "k"}], id="no value"),
        pytest.param([{"Key": 1, "Value": "v"}], id="a number as key"),
        pytest.param([{"Key": str(number), "Value": ""} for number in range(21)], id="21 labels"),
    ],
)
def test_labels_beyond_the_limits_are_refused(sdk: Client, model_id: str, labels: list[dict[str, Any]]) -> None:
    name = new_version(sdk, model_id)
    assert refusal(lambda: set_labels(sdk, model_id, name, labels)) == (400, "InvalidLabels")
    assert refusal(lambda: create(sdk, model_id, {"Uri": "oss://b/k", "Labels": labels})) == (400, "InvalidLabels")
    assert label_pairs(sdk, model_id, name) == []
    assert listed_versions(sdk, model_id)[0] == 1


def test_labels_may_reach_the_limits(sdk: Client, model_id: str) -> None:
    name = new_version(sdk, model_id)
    set_labels(sdk, model_id, name, [{"Key": f"{number:0128}", "Value": "v" * 128} for number in range(20)])
    set_labels(sdk, model_id, name, [{"Key": f"{0:0128}", "Value": "changed"}])
    pairs = label_pairs(sdk, model_id, name)
    assert (len(pairs), pairs[0][1]) == (20, "changed")
    assert refusal(partial(set_labels, sdk, model_id, name, [{"Key": "k", "Value": "v"}])) == (400, "InvalidLabels")


@pytest.mark.parametrize("keys", [None, ""])
def test_deleting_labels_needs_their_keys(sdk: Client, model_id: str, keys: str | None) -> None:
    name = new_version(sdk, model_id)
    assert refusal(lambda: delete_labels(sdk, model_id, name, keys)) == (400, "MissingParameter")


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(read_version, id="GetModelVersion"),
        pytest.param(lambda sdk, model, name: update(sdk, model, name, source_id="x"), id="UpdateModelVersion"),
        pytest.param(
            lambda sdk, model, name: sdk.delete_model_version(model, name, models.DeleteModelVersionRequest()),
            id="DeleteModelVersion",
        ),
        pytest.param(lambda sdk, model, name: set_labels(sdk, model, name, []), id="CreateModelVersionLabels"),
        pytest.param(lambda sdk, model, name: delete_labels(sdk, model, name, "k"), id="DeleteModelVersionLabels"),
    ],
)
@pytest.mark.parametrize("name", ["1.0.0", "not a/name+", "%2F", "中文"])
def test_what_does_not_exist_is_not_found(sdk: Client, model_id: str, name: str, call: Any) -> None:
    assert refusal(lambda: call(sdk, model_id, name)) == (404, "201900003")
    assert refusal(lambda: call(sdk, "model-other", name)) == (404, "201900002")


def test_a_version_cannot_be_created_in_a_model_that_does_not_exist(sdk: Client) -> None:
    assert refusal(lambda: new_version(sdk, "model-other")) == (404, "201900002")


def test_the_latest_version_of_a_model_is_the_newest_one(sdk: Client, model_id: str) -> None:
    assert "LatestVersion" not in read_model(sdk, model_id)
    new_version(sdk, model_id, version_name="2.0.0")
    newest = new_version(sdk, model_id, version_name="1.0.0", metrics={"a": 1})
    read = read_model(sdk, model_id)
    assert read["LatestVersion"] == read_version(sdk, model_id, newest)
    assert read["GmtLatestVersionModifiedTime"] == read["LatestVersion"]["GmtModifiedTime"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sdk: update(sdk, "model-old", "1.0.0", source_id="x"), id="UpdateModelVersion"),
        pytest.param(lambda sdk: set_labels(sdk, "model-old", "1.0.0", []), id="CreateModelVersionLabels"),
        pytest.param(lambda sdk: delete_labels(sdk, "model-old", "1.0.0", "k"), id="DeleteModelVersionLabels"),
    ],
)
def test_a_change_moves_the_time_of_the_last_change_and_not_that_of_creation(tmp_path: Path, change: Any) -> None:
    file = tmp_path / "old.json"
    old = "2021-01-21T17:12:35Z"
    file.write_text(json.dumps([{"VersionName": "1.0.0", "GmtCreateTime": old, "GmtModifiedTime": old}]))
    before = datetime.now(UTC).replace(microsecond=0)
    with bare_registry(tmp_path, [saved_answer(file)]) as endpoint:
        client = sdk_client(endpoint)
        change(client)
        read = read_version(client, "model-old", "1.0.0")
        client.update_model("model-old", models.UpdateModelRequest(task="t"))
        model = read_model(client, "model-old")
    assert (read["GmtCreateTime"], model["GmtCreateTime"]) == (old, old)
    for changed in (read, model):
        assert before <= datetime.fromisoformat(changed["GmtModifiedTime"]) <= datetime.now(UTC)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LABEL_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="=,"), min_size=1, max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)
RANDOM_VERSIONS = st.fixed_dictionaries(
    {
        "VersionName": st.from_regex(r"\A[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(_[a-z0-9_]{1,9})?\Z"),
        "Uri": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
        "Metrics": OBJECTS,
        "ExtraInfo": OBJECTS,
        "InferenceSpec": OBJECTS,
        "ApprovalStatus": st.sampled_from(["Pending", "Approved", "Rejected"]),
        "Labels": st.dictionaries(LABEL_TEXTS, LABEL_TEXTS, max_size=5).map(
            lambda labels: [{"Key": key, "Value": value} for key, value in labels.items()]
        ),
    },
    optional={"VersionDescription": TEXTS, "FrameworkType": TEXTS, "SourceId": TEXTS, "Options": TEXTS},
)


@settings(max_examples=40, deadline=None)
@given(
    versions=st.lists(RANDOM_VERSIONS, min_size=1, max_size=4, unique_by=lambda version: str(version["VersionName"]))
)
def test_any_versions_read_back_as_they_were_created(sdk: Client, versions: list[dict[str, Any]]) -> None:
    model_id = new_model(sdk)
    for version in versions:
        create(sdk, model_id, version)
    listed = every_version(sdk, model_id)
    assert listed == [read_version(sdk, model_id, version["VersionName"]) for version in versions]
    asked = [{name: read[name] for name in version} for read, version in zip(listed, versions, strict=True)]
    assert asked == versions


@pytest.mark.parametrize("labels", [None, "text", {"Key": "k"}, [None, 1, "a", {"Key": "k"}, {"Key": 1, "Value": "v"}]])
def test_malformed_labels_of_a_saved_answer_do_not_prevent_an_edit(tmp_path: Path, labels: Any) -> None:
    file = tmp_path / "odd.json"
    file.write_text(json.dumps([{"VersionName": "1.0.0", "Labels": labels}]))
    with bare_registry(tmp_path, [saved_answer(file)]) as endpoint:
        client = sdk_client(endpoint)
        delete_labels(client, "model-odd", "1.0.0", "k")
        set_labels(client, "model-odd", "1.0.0", [{"Key": "a", "Value": "b"}])
        assert label_pairs(client, "model-odd", "1.0.0") == [("a", "b")]

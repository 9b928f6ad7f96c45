"""Objects read leniently: nothing the service sends is refused or lost."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from paiview.pai.objects import Dataset, Label, Model, ModelFilters, ModelVersion, PaiObject, VersionFilters, Workspace
from paiview.secret_masking import mask_secrets

KINDS: list[type[PaiObject]] = [ModelVersion, Model, Workspace, Dataset, Label]

VERSION: dict[str, Any] = {
    "VersionName": "0.1.0",
    "VersionDescription": "情感分析模型初始版本。",
    "Uri": "oss://my-bucket.oss-cn-hangzhou.aliyuncs.com/model/",
    "FormatType": "SavedModel",
    "FrameworkType": "TensorFlow",
    "ApprovalStatus": "Approved",
    "SourceType": "PAIFlow",
    "SourceId": "region=cn-shanghai,workspaceId=13,kind=PipelineRun,id=run-x",
    "Labels": [{"Key": "k", "Value": "v"}, {"Key": "k2", "Value": "v2"}],
    "Metrics": {"Results": [{"Dataset": {"DatasetId": "d-a"}, "Metrics": {"cer": 0.175}}]},
    "Options": "{}",
    "ExtraInfo": {"CoverUris": ["https://example.com/a.jpg"]},
    "TrainingSpec": {},
    "InferenceSpec": {"processor": "tensorflow_gpu_1.12"},
    "EvaluationSpec": {},
    "CompressionSpec": {},
    "DistillationSpec": {},
    "UserId": "1557702098194904",
    "OwnerId": "1557702098194904",
    "GmtCreateTime": "2021-01-21T17:12:35Z",
    "GmtModifiedTime": "2021-01-21T17:12:35.028Z",
}


def read(data: Any) -> ModelVersion:
    return ModelVersion.model_validate(data)


def test_every_documented_field_of_a_version_is_read() -> None:
    version = read(VERSION)
    fields = version.model_dump(by_alias=True)
    assert fields == {**VERSION, "Labels": tuple(VERSION["Labels"])}
    assert version.model_extra == {}
    assert (version.version_name, version.approval_status) == ("0.1.0", "Approved")
    assert [(label.key, label.value) for label in version.labels] == [("k", "v"), ("k2", "v2")]
    assert version.raw == VERSION
    assert version.misfits == {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_may_be_absent(kind: type[PaiObject]) -> None:
    empty = kind.model_validate({})
    assert set(empty.model_dump().values()) <= {None, (), ""}
    assert (empty.raw, empty.misfits) == ({}, {})


def test_labels_that_are_null_are_none_at_all() -> None:
    version = read({"Labels": None})
    assert version.labels == ()
    assert version.misfits == {}


def test_unknown_fields_are_kept() -> None:
    version = read({**VERSION, "Novel": {"a": [1]}, "resourceGroupId": "rg", "": 0})
    assert version.model_extra == {"Novel": {"a": [1]}, "resourceGroupId": "rg", "": 0}
    assert version.misfits == {}


def test_a_field_is_known_by_its_name_on_the_wire_alone() -> None:
    version = read({"version_name": "0.2.0", "VersionName": "0.1.0", "versionName": "0.3.0"})
    assert version.version_name == "0.1.0"
    assert version.model_extra == {"version_name": "0.2.0", "versionName": "0.3.0"}
    assert read({"version_name": "0.2.0"}).version_name is None


@pytest.mark.parametrize("field", ["ApprovalStatus", "FormatType", "FrameworkType", "SourceType"])
@pytest.mark.parametrize("value", ["APPROVED", "KerasH5", "Pytorch -XGBoost", "批准", "", " "])
def test_enumerations_are_open(field: str, value: str) -> None:
    version = read({field: value})
    assert version.model_dump(by_alias=True)[field] == value
    assert version.misfits == {}


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("UserId", 1557702098194904, "1557702098194904"),
        ("OwnerId", 12345678901234567890123, "12345678901234567890123"),
        ("VersionName", 1, "1"),
        ("VersionName", 0.1, "0.1"),
    ],
)
def test_numbers_where_texts_are_documented_become_texts(field: str, value: float, text: str) -> None:
    version = read({field: value})
    assert version.model_dump(by_alias=True)[field] == text
    assert version.misfits == {}
    assert version.raw == {field: value}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("VersionName", ["0.1.0"]),
        ("VersionName", {"a": 1}),
        ("ApprovalStatus", True),
        ("ExtraInfo", "text"),
        ("TrainingSpec", []),
        ("Options", {}),
        ("Labels", "k=v"),
        ("Labels", {"Key": "k"}),
        ("GmtCreateTime", {}),
    ],
)
def test_a_value_of_the_wrong_type_costs_its_field_alone(field: str, value: object) -> None:
    version = read({**VERSION, field: value})
    assert version.misfits == {field: value}
    fields = version.model_dump(by_alias=True)
    assert fields.pop(field) == (() if field == "Labels" else None)
    assert fields == {name: read(VERSION).model_dump(by_alias=True)[name] for name in fields}
    assert version.raw == {**VERSION, field: value}


@pytest.mark.parametrize("metrics", ["{}", [1], 0.5, False, {"Results": "[]"}, None])
def test_metrics_are_kept_whatever_they_are(metrics: object) -> None:
    version = read({**VERSION, "Metrics": metrics})
    assert version.metrics == metrics
    assert version.misfits == {}
    assert version.raw == {**VERSION, "Metrics": metrics}


def test_many_misfits_are_all_kept() -> None:
    odd = {"VersionName": [], "TrainingSpec": 1, "Labels": 2, "Options": {}, "Uri": False}
    version = read(odd)
    assert version.misfits == odd
    assert set(version.model_dump().values()) == {None, ()}


@pytest.mark.parametrize("data", [None, "0.1.0", 1, 0.5, True, [], [VERSION]])
def test_an_item_that_is_no_object_is_kept_too(data: object) -> None:
    version = read(data)
    assert version.raw == data
    assert list(version.misfits.values()) == [data]
    assert version.version_name is None


def test_one_odd_label_does_not_cost_the_others() -> None:
    version = read({"Labels": [{"Key": "k", "Value": "v"}, {"Key": None, "Value": 3}, "odd", None]})
    assert [(label.key, label.value) for label in version.labels] == [("k", "v"), ("", "3"), ("", ""), ("", "")]
    assert [label.raw for label in version.labels][2:] == ["odd", None]
    assert version.labels[1].misfits == {"Key": None}


def test_the_latest_version_of_a_model_is_read_leniently_too() -> None:
    model = Model.model_validate({"ModelId": "a", "LatestVersion": {**VERSION, "ExtraInfo": "text", "Novel": 1}})
    assert model.latest_version is not None
    assert model.latest_version.version_name == "0.1.0"
    assert model.latest_version.misfits == {"ExtraInfo": "text"}
    assert model.latest_version.model_extra == {"Novel": 1}


@pytest.mark.parametrize(("value", "number"), [(7000, 7000), ("7000", 7000), (7000.0, 7000)])
def test_counts_of_a_model_are_numbers_even_as_texts(value: object, number: int) -> None:
    assert Model.model_validate({"ParameterSize": value}).parameter_size == number


@pytest.mark.parametrize("value", ["many", 0.5, [], {}, float("nan"), float("inf")])
def test_a_count_that_is_none_is_a_misfit(value: object) -> None:
    model = Model.model_validate({"ParameterSize": value, "ModelId": "a"})
    assert (model.model_id, model.parameter_size) == ("a", None)
    assert list(model.misfits) == ["ParameterSize"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
NAMES = [*VERSION, "version_name", "labels", "raw", "misfits", "model_config", "_raw", "Novel"]


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), JSON_VALUES, max_size=8))
@settings(max_examples=150)
def test_any_object_is_read_and_nothing_of_it_is_lost(data: dict[str, Any]) -> None:
    before = copy.deepcopy(data)
    version = read(data)
    masked = mask_secrets(before)
    assert version.raw == masked
    assert version.unmasked == before
    assert set(version.misfits) <= set(masked)
    assert all(version.misfits[name] == masked[name] for name in version.misfits)
    assert version.model_extra == {name: value for name, value in masked.items() if name not in VERSION}
    again = read(version.raw)
    assert again.model_dump() == version.model_dump()
    assert again.misfits == version.misfits


@given(JSON_VALUES, st.sampled_from(KINDS))
@settings(max_examples=150)
def test_any_value_is_read_as_any_kind(data: Any, kind: type[PaiObject]) -> None:
    assert kind.model_validate(data).raw == mask_secrets(kind._received(data))


def test_nothing_is_kept_of_the_people_of_a_workspace() -> None:
    people = {"Creator": "alice", "AdminNames": ["bob"], "creatorName": "carol", "OwnerId": "1"}
    workspace = Workspace.model_validate({"WorkspaceId": "7", "Status": "ENABLED", "Novel": 1, **people})
    kept = {"WorkspaceId": "7", "Status": "ENABLED", "Novel": 1}
    assert (workspace.raw, workspace.unmasked, workspace.model_extra) == (kept, kept, {"Novel": 1})


@pytest.mark.parametrize("data", [VERSION, {**VERSION, "Metrics": "odd", "ExtraInfo": "odd", "Novel": 1}, "odd"])
def test_an_object_survives_a_cache_that_pickles(data: object) -> None:
    version = read(data)
    copied = pickle.loads(pickle.dumps(version))  # noqa: S301 - its own bytes
    assert copied == version
    assert (copied.raw, copied.misfits) == (version.raw, version.misfits)


def test_an_object_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        read(VERSION).version_name = "other"  # type: ignore[misc]


def test_an_object_that_is_read_already_is_taken_as_it_is() -> None:
    version = read({**VERSION, "Metrics": "odd"})
    assert ModelVersion.model_validate(version) is version


def test_equal_filters_are_equal_keys() -> None:
    assert VersionFilters(label="a") == VersionFilters.model_validate({"Label": "a"})
    assert len({VersionFilters(label="a"), VersionFilters(label="a"), VersionFilters(label="b")}) == 2
    assert len({ModelFilters(query_text="a"), ModelFilters.model_validate({"Query": "a"})}) == 1


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        (VersionFilters(), {"Order": "ASC", "SortBy": "GmtCreateTime"}),
        (
            VersionFilters(order="DESC", version_name="1"),
            {"Order": "DESC", "SortBy": "GmtCreateTime", "VersionName": "1"},
        ),
        (ModelFilters(tag="[]"), {"Order": "ASC", "SortBy": "GmtCreateTime", "Tag": "[]"}),
    ],
)
def test_filters_give_the_query_as_the_wire_spells_it(
    filters: VersionFilters | ModelFilters, query: dict[str, str]
) -> None:
    assert filters.query() == query


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ({"format_type": "onnx"}, {"FormatType": "ONNX"}),
        ({"format_type": "torch script"}, {"FormatType": "TorchScript"}),
        ({"format_type": "Keras H5"}, {"FormatType": "Keras H5"}),
        ({"format_type": "KerasH5"}, {"FormatType": "KerasH5"}),
        ({"format_type": "MyFormat"}, {"FormatType": "MyFormat"}),
        ({"framework_type": "TENSORFLOW"}, {"FrameworkType": "TensorFlow"}),
        ({"framework_type": "PyTorch"}, {"FrameworkType": "PyTorch"}),
        ({"framework_type": "Pytorch"}, {"FrameworkType": "Pytorch"}),
        ({"approval_status": "pending"}, {"ApprovalStatus": "Pending"}),
        ({"approval_status": "Pend"}, {"ApprovalStatus": "Pend"}),
        ({"source_type": "paiflow"}, {"SourceType": "PAIFlow"}),
        ({"source_type": "training_service"}, {"SourceType": "TrainingService"}),
        ({"order": "desc"}, {"Order": "DESC"}),
        ({"sort_by": "gmtcreatetime"}, {"SortBy": "GmtCreateTime"}),
        ({"version_name": "A"}, {"VersionName": "A"}),
        ({"label": "team"}, {"Label": "team"}),
        ({"label": " team "}, {"Label": " team "}),
        ({"label": ""}, {"Label": ""}),
    ],
)
def test_a_filter_is_forgiven_its_spelling_and_sent_whole(typed: dict[str, str], query: dict[str, str]) -> None:
    filters = VersionFilters(**typed)
    assert filters.query() == {"Order": "ASC", "SortBy": "GmtCreateTime"} | query
    assert filters.is_applied_by_pai
    assert filters.admits(ModelVersion())


@pytest.mark.parametrize("typed", ["pytorch", "PYTORCH", "py torch"])
def test_a_value_of_several_spellings_is_not_sent_and_admits_each(typed: str) -> None:
    filters = VersionFilters(framework_type=typed, format_type="ONNX")
    assert filters.query() == {"Order": "ASC", "SortBy": "GmtCreateTime", "FormatType": "ONNX"}
    assert filters == VersionFilters(framework_type="pytorch", format_type="ONNX")
    assert not filters.is_applied_by_pai
    versions = [ModelVersion.model_validate({"FrameworkType": name}) for name in ("Pytorch", "PyTorch", "Keras", None)]
    assert [filters.admits(version) for version in versions] == [True, True, False, False]


def test_a_spelling_that_means_itself_is_not_mistaken_for_one_in_another_case() -> None:
    assert ModelFilters(origin="huggingface").query()["Origin"] == "huggingface"
    loud = ModelFilters(origin="HUGGINGFACE")
    assert "Origin" not in loud.query()
    models = [Model.model_validate({"Origin": name}) for name in ("HuggingFace", "huggingface", "ModelScope")]
    assert [loud.admits(model) for model in models] == [True, True, False]


@pytest.mark.parametrize(
    ("typed", "label", "sent"),
    [
        ("team=speech", "team=speech", "speech"),
        ("label=team=speech", "team=speech", "speech"),
        ("Label = team = speech ", "team=speech", "speech"),
        ("label=label=team=speech", "team=speech", "speech"),
        ("label=team", "label=team", "label"),
        ("language=zh", "language=zh", "language"),
        ("team=", "team=", "team"),
        ("=speech", "=speech", "speech"),
        ("label=team=", "team=", "team"),
        ("a=b=c", "a=b=c", "b=c"),
    ],
)
def test_a_label_with_a_value_asks_pai_for_the_longer_text(typed: str, label: str, sent: str) -> None:
    filters = VersionFilters(label=typed)
    assert (filters.label, filters.query()["Label"], filters.is_applied_by_pai) == (label, sent, False)
    assert VersionFilters(label=filters.label) == filters


@pytest.mark.parametrize(
    ("typed", "admitted"),
    [
        ("team=speech", [True, False, False]),
        ("team=", [True, True, False]),
        ("=speech", [True, False, True]),
        ("speech=team", [False, False, False]),
        ("Team=speech", [False, False, False]),
        ("team=spee", [False, False, False]),
    ],
)
def test_a_label_with_a_value_admits_that_label_alone(typed: str, admitted: list[bool]) -> None:
    filters = VersionFilters(label=typed)
    labels = [("team", "speech"), ("team", "vision"), ("group", "speech")]
    versions = [ModelVersion.model_validate({"Labels": [{"Key": key, "Value": value}]}) for key, value in labels]
    assert [filters.admits(version) for version in versions] == admitted
    assert not filters.admits(ModelVersion())
    models = [Model.model_validate({"Tags": [{"Key": key, "Value": value}]}) for key, value in labels]
    assert [ModelFilters(label=typed).admits(model) for model in models] == admitted


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ({"provider": "PAI"}, {"Provider": "pai"}),
        ({"provider": ""}, {"Provider": ""}),
        ({"model_type": "lora"}, {"ModelType": "LoRA"}),
        ({"tag": "base = SD 1.5"}, {"Tag": '[{"Key":"base","Value":"SD 1.5"}]'}),
        ({"tag": '[{"Key":"a","Value":"b=c"}]'}, {"Tag": '[{"Key":"a","Value":"b=c"}]'}),
        ({"tag": "base"}, {"Tag": "base"}),
        (
            {"conditions": "ParameterSize < 3000"},
            {"Conditions": '[{"Column":"ParameterSize","Operator":"LessThan","Value":"3000"}]'},
        ),
        ({"conditions": "ParameterSize > 3000"}, {"Conditions": "ParameterSize > 3000"}),
        ({"query_text": "q"}, {"Query": "q"}),
    ],
)
def test_short_forms_of_model_filters_are_written_as_pai_wants_them(
    typed: dict[str, str], query: dict[str, str]
) -> None:
    assert ModelFilters(**typed).query() == {"Order": "ASC", "SortBy": "GmtCreateTime"} | query


def test_long_filters_take_linear_time() -> None:
    for text in ("label=" * 200_000, "=" * 1_000_000, "ParameterSize" * 100_000, " " * 1_000_000 + "<", "_-" * 500_000):
        VersionFilters(label=text, framework_type=text)
        ModelFilters(label=text, tag=text, conditions=text, origin=text)

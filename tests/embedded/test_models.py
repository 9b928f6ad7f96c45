"""Models created, listed, changed and deleted by the official SDK."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client

from tests.embedded.sdk import (
    bare_registry,
    every_version,
    new_model,
    new_version,
    read_model,
    read_version,
    refusal,
    sdk_client,
)

COMPLETE: Final[dict[str, Any]] = {
    "ModelName": "情感分析",
    "WorkspaceId": "1",
    "ModelDescription": "Sentiment of short texts.",
    "ModelDoc": "https://e.com/doc.md",
    "Accessibility": "PUBLIC",
    "Domain": "nlp",
    "Task": "text-classification",
    "Origin": "HuggingFace",
    "ModelType": "Checkpoint",
    "OrderNumber": 0,
    "ParameterSize": 7000,
    "ExtraInfo": {"Rating": 4.5, "CoverUris": []},
}
CHANGED: Final[dict[str, Any]] = {
    "ModelName": "new name",
    "ModelDescription": "",
    "ModelDoc": "https://e.com/other.md",
    "Accessibility": "PRIVATE",
    "Domain": "cv",
    "Task": "ocr",
    "Origin": "Civitai",
    "ModelType": "LoRA",
    "OrderNumber": -1,
    "ParameterSize": 1,
    "ExtraInfo": {},
}
GIVEN_BY_THE_SERVER: Final = {"ModelId", "UserId", "OwnerId", "GmtCreateTime", "GmtModifiedTime", "Labels"}


def listed(sdk: Client, **parameters: Any) -> tuple[int, list[dict[str, Any]]]:
    answer = sdk.list_models(models.ListModelsRequest(**parameters)).body.to_map()
    return answer["TotalCount"], answer["Models"]


def create(sdk: Client, fields: dict[str, Any]) -> str:
    return str(sdk.create_model(models.CreateModelRequest().from_map(fields)).body.model_id)


def update(sdk: Client, model_id: str, fields: dict[str, Any]) -> None:
    sdk.update_model(model_id, models.UpdateModelRequest().from_map(fields))


def set_labels(sdk: Client, model_id: str, labels: list[dict[str, str]]) -> None:
    sdk.create_model_labels(model_id, models.CreateModelLabelsRequest().from_map({"Labels": labels}))


def delete_labels(sdk: Client, model_id: str, keys: str) -> None:
    sdk.delete_model_labels(model_id, models.DeleteModelLabelsRequest(label_keys=keys))


def test_a_model_created_with_every_field_reads_back_equal(sdk: Client) -> None:
    labels = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    complete = COMPLETE | {"ModelName": "情感分析，with every field"}
    model_id = create(sdk, complete | {"Labels": labels[:1], "Tag": labels[1:]})
    read = read_model(sdk, model_id)
    assert {name: value for name, value in read.items() if name not in GIVEN_BY_THE_SERVER} == complete
    assert set(read) == set(complete) | GIVEN_BY_THE_SERVER
    assert (read["ModelId"], read["Labels"]) == (model_id, labels)
    assert model_id.startswith("model-")
    assert len(read["GmtCreateTime"]) == len("2021-01-30T12:51:33.028Z")
    assert listed(sdk, model_name=f'"{complete["ModelName"]}"') == (1, [read | {"Tags": labels}])


def test_a_model_needs_a_name_alone(sdk: Client) -> None:
    read = read_model(sdk, create(sdk, {"ModelName": "n"}))
    assert (read["WorkspaceId"], read["Accessibility"], read["Labels"]) == ("1", "PRIVATE", [])
    assert "LatestVersion" not in read


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, (400, "MissingParameter")),
        ({"ModelName": ""}, (400, "InvalidModelName")),
        ({"ModelName": "n" * 128}, (400, "InvalidModelName")),
        ({"ModelName": 5}, (400, "InvalidModelName")),
        ({"ModelName": "n", "Accessibility": "public"}, (400, "InvalidAccessibility")),
        ({"ModelName": "n", "ParameterSize": "7"}, (400, "InvalidParameterSize")),
        ({"ModelName": "n", "OrderNumber": True}, (400, "InvalidOrderNumber")),
        ({"ModelName": "n", "WorkspaceId": "3"}, (404, "100400027")),
        ({"ModelName": "n", "Tag": [{"Key": "a,b", "Value": ""}]}, (400, "InvalidTag")),
    ],
)
def test_a_model_that_cannot_be_is_refused(sdk: Client, fields: dict[str, Any], answer: tuple[int, str]) -> None:
    total = listed(sdk)[0]
    assert refusal(partial(create, sdk, fields)) == answer
    assert listed(sdk)[0] == total


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_an_update_of_one_field_leaves_the_others(sdk: Client, name: str) -> None:
    model_id = create(sdk, COMPLETE)
    before = read_model(sdk, model_id)
    update(sdk, model_id, {name: CHANGED[name]})
    after = read_model(sdk, model_id)
    assert after == before | {name: CHANGED[name], "GmtModifiedTime": after["GmtModifiedTime"]}


@pytest.mark.parametrize(("fields", "code"), [({"ModelName": ""}, "InvalidModelName"), ({"Task": 1}, "InvalidTask")])
def test_an_update_that_is_refused_changes_nothing(sdk: Client, fields: dict[str, Any], code: str) -> None:
    model_id = create(sdk, COMPLETE)
    before = read_model(sdk, model_id)
    assert refusal(partial(update, sdk, model_id, {"Domain": "no"} | fields)) == (400, code)
    assert read_model(sdk, model_id) == before


def test_labels_are_set_by_key_and_deleted_by_key(sdk: Client, model_id: str) -> None:
    set_labels(sdk, model_id, [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    set_labels(sdk, model_id, [{"Key": "a", "Value": "3"}])
    assert read_model(sdk, model_id)["Labels"] == [{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}]
    delete_labels(sdk, model_id, "a,unknown")
    assert read_model(sdk, model_id)["Labels"] == [{"Key": "b", "Value": "2"}]


def test_a_label_beyond_the_limits_is_refused(sdk: Client, model_id: str) -> None:
    assert refusal(partial(set_labels, sdk, model_id, [{"Key": "k" * 129, "Value": ""}])) == (400, "InvalidLabels")
    assert read_model(sdk, model_id)["Labels"] == []


def test_a_deleted_model_takes_its_versions_along_and_no_others(sdk: Client, model_id: str) -> None:
    other = new_model(sdk)
    for each in (model_id, other):
        new_version(sdk, each, version_name="1.0.0")
    sdk.delete_model(model_id, models.DeleteModelRequest())
    assert refusal(lambda: read_model(sdk, model_id)) == (404, "201900002")
    assert refusal(lambda: read_version(sdk, model_id, "1.0.0")) == (404, "201900002")
    assert [version["VersionName"] for version in every_version(sdk, other)] == ["1.0.0"]


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(read_model, id="GetModel"),
        pytest.param(lambda sdk, model_id: update(sdk, model_id, {"Task": "t"}), id="UpdateModel"),
        pytest.param(lambda sdk, model_id: sdk.delete_model(model_id, models.DeleteModelRequest()), id="DeleteModel"),
        pytest.param(lambda sdk, model_id: set_labels(sdk, model_id, []), id="CreateModelLabels"),
        pytest.param(lambda sdk, model_id: delete_labels(sdk, model_id, "k"), id="DeleteModelLabels"),
    ],
)
def test_a_model_that_does_not_exist_is_not_found(sdk: Client, call: Any) -> None:
    assert refusal(lambda: call(sdk, "model-other")) == (404, "201900002")


SPEECH: Final = {
    "ModelName": "Speech large",
    "Domain": "audio",
    "Task": "automatic-speech-recognition",
    "Origin": "ModelScope",
    "ModelType": "Checkpoint",
    "ParameterSize": 1000,
    "Tag": [{"Key": "team", "Value": "speech"}, {"Key": "base", "Value": "Zipformer"}],
}
SMALL: Final = {
    "ModelName": "speech small",
    "Domain": "audio",
    "Task": "keyword-spotting",
    "Origin": "HuggingFace",
    "ParameterSize": 3,
    "Tag": [{"Key": "team", "Value": "edge"}],
}
PICTURES: Final = {"ModelName": "pictures", "Domain": "cv", "Task": "image-classification", "ModelType": "Endpoint"}


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with bare_registry(tmp_path_factory.mktemp("models")) as endpoint:
        client = sdk_client(endpoint)
        for fields in (SPEECH, SMALL, PICTURES):
            create(client, fields)
        yield client


def found(sdk: Client, **parameters: Any) -> list[str]:
    total, page = listed(sdk, **parameters)
    assert total == len(page)
    return [model["ModelName"] for model in page]


def condition(operator: str, value: str, column: str = "ParameterSize") -> Any:
    fields = {"Column": column, "Operator": operator, "Value": value}
    return models.ListModelsRequestConditions().from_map(fields)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["Speech large", "speech small", "pictures"]),
        ({"workspace_id": "1"}, ["Speech large", "speech small", "pictures"]),
        ({"workspace_id": "2"}, []),
        ({"model_name": "SPEECH"}, ["Speech large", "speech small"]),
        ({"model_name": '"speech small"'}, ["speech small"]),
        ({"model_name": '"speech"'}, []),
        ({"model_name": '"'}, []),
        ({"domain": "audio"}, ["Speech large", "speech small"]),
        ({"domain": "Audio"}, []),
        ({"task": "keyword-spotting"}, ["speech small"]),
        ({"origin": "ModelScope"}, ["Speech large"]),
        ({"model_type": "Endpoint"}, ["pictures"]),
        ({"label": "team"}, ["Speech large", "speech small"]),
        ({"label": "edg"}, ["speech small"]),
        ({"label": "zipformer"}, []),
        ({"query": "zipformer"}, ["Speech large"]),
        ({"query": "AUDIO"}, ["Speech large", "speech small"]),
        ({"query": "classification"}, ["pictures"]),
        ({"query": "speech"}, ["Speech large", "speech small"]),
        ({"provider": ""}, ["Speech large", "speech small", "pictures"]),
        ({"provider": "pai"}, []),
        ({"collections": "AI4D"}, []),
        ({"domain": "audio", "label": "edge", "query": "small", "origin": "HuggingFace"}, ["speech small"]),
        ({"domain": "cv", "label": "edge"}, []),
    ],
)
def test_a_filter_finds_exactly_the_models_that_fit(listing: Client, filters: dict[str, str], names: list[str]) -> None:
    assert found(listing, **filters) == names


OWN: Final = {
    "funasr-paraformer",
    "pyannote-speaker-diarization",
    "timm-imagenet",
    "wenet-mandarin-asr",
    "whisper",
    "yolov5",
}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, OWN),
        ({"provider": ""}, OWN),
        ({"provider": "huggingface"}, {"distil-whisper"}),
        ({"provider": "onnx"}, {"onnx-zoo-imagenet"}),
        ({"provider": "openai"}, set()),
        ({"provider": "HuggingFace"}, set()),
        ({"provider": "huggingface", "workspace_id": "1"}, set()),
        ({"provider": "onnx", "domain": "audio"}, set()),
        ({"workspace_id": "2"}, {"timm-imagenet", "yolov5"}),
        ({"workspace_id": "1"}, OWN - {"timm-imagenet", "yolov5"}),
        ({"origin": "HuggingFace"}, {"timm-imagenet"}),
        ({"origin": "ModelScope"}, {"funasr-paraformer"}),
    ],
)
def test_a_provider_has_its_public_models_and_without_one_your_own_are_listed(
    published_sdk: Client, filters: dict[str, str], names: set[str]
) -> None:
    assert {*found(published_sdk, **filters)} == names


def test_a_public_model_is_read_by_its_id(published_sdk: Client) -> None:
    read = read_model(published_sdk, "model-onnxzoo")
    assert (read["Provider"], read["Accessibility"], "WorkspaceId" in read) == ("onnx", "PUBLIC", False)
    latest = read["LatestVersion"]
    assert (latest["FormatType"], latest["Uri"][-5:]) == ("ONNX", ".onnx")
    assert latest["CompressionSpec"] == {"Quantization": "int8, quantize-dequantize nodes"}
    assert list(latest["Metrics"]["Results"][0]["Dataset"]) == ["Uri"]


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ([{"key": "team", "value": "edge"}], ["speech small"]),
        ([{"key": "team", "value": "speech"}, {"key": "base", "value": "Zipformer"}], ["Speech large"]),
        ([{"key": "team", "value": "speech"}, {"key": "team", "value": "edge"}], []),
        ([{"key": "team", "value": "spee"}], []),
    ],
)
def test_every_tag_must_be_there(listing: Client, tags: list[dict[str, str]], names: list[str]) -> None:
    assert found(listing, tag=[models.ListModelsRequestTag(**tag) for tag in tags]) == names


@pytest.mark.parametrize(
    ("size", "names"),
    [
        (condition("LessThan", "1000"), ["speech small"]),
        (condition("LessThan", "1001"), ["Speech large", "speech small"]),
        (condition("GreaterThan", "3"), ["Speech large"]),
        (condition("Equal", "3"), ["speech small"]),
        (condition("GreaterThan", "-1"), ["Speech large", "speech small"]),
    ],
)
def test_a_condition_compares_the_parameter_size_and_a_model_without_one_never_fits(
    listing: Client, size: Any, names: list[str]
) -> None:
    assert found(listing, conditions=[size]) == names


@pytest.mark.parametrize(
    "meaningless",
    [
        condition("LessThan", "1000", column="OrderNumber"),
        condition("Like", "1"),
        condition("LessThan", "many"),
        condition("LessThan", "--5"),
        condition("LessThan", "9" * 5000),
        models.ListModelsRequestConditions(column="ParameterSize"),
    ],
)
def test_a_condition_that_means_nothing_is_refused(listing: Client, meaningless: Any) -> None:
    assert refusal(partial(found, listing, conditions=[meaningless])) == (400, "InvalidConditions")


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_models_come_by_time_of_creation_a_page_at_a_time(listing: Client, number: int, order: str) -> None:
    names = ["Speech large", "speech small", "pictures"][:: 1 if order == "ASC" else -1]
    total, page = listed(listing, page_number=number, page_size=1, order=order, sort_by="GmtCreateTime")
    assert (total, [model["ModelName"] for model in page]) == (3, names[number - 1 : number])


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"page_size": 101}, "InvalidPageSize"),
        ({"page_number": 0}, "InvalidPageNumber"),
        ({"order": "up"}, "InvalidOrder"),
    ],
)
def test_a_page_or_order_that_does_not_exist_is_refused(listing: Client, parameters: dict[str, Any], code: str) -> None:
    assert refusal(partial(listed, listing, **parameters)) == (400, code)


def test_a_listed_model_shows_its_latest_version(sdk: Client) -> None:
    model_id = new_model(sdk, "with a latest version")
    new_version(sdk, model_id, version_name="1.0.0", metrics={"cer": 0.1})
    _, page = listed(sdk, model_name='"with a latest version"')
    assert page[0]["LatestVersion"] == read_version(sdk, model_id, "1.0.0")

"""Saved responses of ListModelVersions as models, and files with another content."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from paiview.embedded.local_registry import LocalRegistry
from paiview.embedded.saved_answers import saved_answer
from paiview.pai.client import Client as PaiviewClient
from paiview.pai.credentials import StaticCredentials
from paiview.pai.errors import SettingError
from tests.embedded.sdk import (
    KEY_ID,
    SECRET,
    bare_registry,
    every_version,
    listed_versions,
    read_model,
    read_version,
    sdk_client,
)

SAMPLE: Final = """\
{
  "RequestId": "ADF6D849-*****-7E7030F0CE53",
  "Versions": [
    {
      "VersionName": "0.1.0",
      "VersionDescription": "通用情感分析。",
      "Uri": "oss://mybucket.oss-cn-beijing.aliyuncs.com/mypath/",
      "FormatType": "SavedModel",
      "FrameworkType": "TensorFlow",
      "ApprovalStatus": "Approved",
      "SourceType": "PAIFlow",
      "SourceId": "region=cn-shanghai,workspaceId=13**,kind=PipelineRun,id=run-sakdb****jdf",
      "Labels": [{"Key": "key1", "Value": "value1"}],
      "Metrics": {
        "Results": [
          {"Dataset": {"DatasetId": "d-sdkjanksaklerhfd"}, "Metrics": {"cer": 0.175}},
          {"Dataset": {"Uri": "oss://xxxx/"}, "Metrics": {"cer": 0.172}}
        ]
      },
      "Options": "{}",
      "ExtraInfo": {},
      "TrainingSpec": {},
      "InferenceSpec": {"processor": "tensorflow_gpu_1.12"},
      "EvaluationSpec": {},
      "CompressionSpec": {},
      "UserId": "1557702098******",
      "OwnerId": "1557702098******",
      "GmtCreateTime": "2021-01-21T17:12:35Z",
      "GmtModifiedTime": "2021-01-21T17:12:35Z"
    }
  ],
  "TotalCount": 15
}
"""
"""The example of the help page, with the masks that it has there."""

ODD: Final[list[dict[str, Any]]] = [
    {},
    {"VersionName": None, "GmtCreateTime": None},
    {"VersionName": "1.0.0", "Metrics": "none", "Labels": None, "GmtCreateTime": 1611249155},
    {"VersionName": "1.0.0", "Metrics": {"Results": {}}, "Colour": {"深": [1, None]}},
    {"VersionName": 2, "Labels": "text", "ExtraInfo": [0.1]},
    {"VersionName": "\ud83d", "VersionDescription": "half a character: \udc4d"},
]


def test_the_sample_of_the_help_page_is_served_unchanged(tmp_path: Path, data_dir: Path) -> None:
    file = tmp_path / "Sample Answer-1.json"
    file.write_text(SAMPLE, encoding="utf-8")
    with LocalRegistry(data_dir, data_files=[file]) as registry:
        client = sdk_client(registry.endpoint, registry.access_key_id, registry.access_key_secret)
        versions = json.loads(SAMPLE)["Versions"]
        assert listed_versions(client, "model-sampleanswer1") == (1, versions)
        assert read_version(client, "model-sampleanswer1", "0.1.0") == versions[0]
        model = read_model(client, "model-sampleanswer1")
        assert (model["ModelName"], model["WorkspaceId"]) == ("Sample Answer-1", "1")
        assert (model["GmtCreateTime"], model["LatestVersion"]) == ("2021-01-21T17:12:35Z", versions[0])
        assert listed_versions(client, "model-whisper")[0] == 8


def test_an_array_of_versions_is_served_like_an_answer(tmp_path: Path) -> None:
    file = tmp_path / "array.json"
    file.write_text(json.dumps(json.loads(SAMPLE)["Versions"]), encoding="utf-8-sig")
    with bare_registry(tmp_path, [saved_answer(file)]) as endpoint:
        assert every_version(sdk_client(endpoint), "model-array") == json.loads(SAMPLE)["Versions"]


@pytest.mark.parametrize("content", ["[]", '{"Versions": []}', '{"Versions": [], "TotalCount": 3}'])
def test_an_answer_without_versions_is_a_model_without_versions(tmp_path: Path, content: str) -> None:
    file = tmp_path / "empty.json"
    file.write_text(content)
    with bare_registry(tmp_path, [saved_answer(file)]) as endpoint:
        client = sdk_client(endpoint)
        assert listed_versions(client, "model-empty") == (0, [])
        assert read_model(client, "model-empty")["GmtCreateTime"] == "1970-01-01T00:00:00.000Z"


def test_odd_versions_and_unknown_fields_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "odd.json"
    file.write_text(json.dumps(ODD))
    seed = saved_answer(file).read()
    assert seed.versions == ODD
    credentials = StaticCredentials(KEY_ID, SECRET)
    with bare_registry(tmp_path, [saved_answer(file)]) as endpoint, PaiviewClient(endpoint, credentials) as client:
        page = client.list_model_versions("model-odd", page_size=100)
        assert page.total_count == len(ODD)
        timeless, timed = [*ODD[:2], *ODD[3:-1]], ODD[2]
        assert [version.raw for version in page.items] == [
            *timeless,
            {"VersionName": "\\ud83d", "VersionDescription": "half a character: \\udc4d"},
            timed,
        ]
        assert client.get_model_version("model-odd", "1.0.0").raw == ODD[3]
        assert client.get_model_version("model-odd", "2").raw == ODD[4]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"VersionName,cer\n0.1.0,0.175\n", "Expecting value"),
        (SAMPLE.encode()[:-20], "Expecting"),
        (b"\xff\xfe\xfa", "codec can't decode"),
        (b"[" * 100_000, "recursion"),
        (b"null", "neither an array nor an object with the array Versions"),
        (b"{}", "neither an array nor an object with the array Versions"),
        (b'{"Versions": {}}', "neither an array nor an object with the array Versions"),
        (b'{"Models": []}', "neither an array nor an object with the array Versions"),
        (b'[{}, "0.1.0"]', "its version 2 is not an object"),
    ],
)
def test_a_file_that_is_no_answer_is_named_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    with pytest.raises(SettingError) as caught:
        saved_answer(file)
    assert caught.value.message.startswith(f"The data file {file} is not a saved response of ListModelVersions: ")
    assert reason in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.message.endswith(".")


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "missing.json", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(SettingError) as caught:
            saved_answer(path)
        assert caught.value.message == f"The data file {path} cannot be read: {reason}."


@pytest.mark.parametrize("name", ["---.json", "_", "。.json"])
def test_a_name_without_a_letter_or_digit_cannot_become_an_id(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("[]")
    with pytest.raises(SettingError, match="needs a letter or a digit in its name"):
        saved_answer(file)


@pytest.mark.parametrize(
    ("name", "model_id"),
    [("My-Model_v2.json", "model-mymodelv2"), ("情感.json", "model-情感"), ("a.b.json", "model-ab")],
)
def test_the_name_of_the_file_becomes_the_id(tmp_path: Path, name: str, model_id: str) -> None:
    file = tmp_path / name
    file.write_text(SAMPLE, encoding="utf-8")
    with bare_registry(tmp_path, [saved_answer(file)]) as endpoint:
        client = sdk_client(endpoint)
        assert read_model(client, model_id)["ModelName"] == Path(name).stem
        assert listed_versions(client, model_id)[0] == 1


@pytest.mark.parametrize(
    ("first", "second", "model_id"),
    [("a/x.json", "b/x.json", "model-x"), ("x-1.json", "X1.json", "model-x1"), ("a.json", "a.json", "model-a")],
)
def test_two_files_that_would_be_one_model_are_refused(tmp_path: Path, first: str, second: str, model_id: str) -> None:
    files = [tmp_path / first, tmp_path / second]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text("[]")
    with pytest.raises(SettingError) as caught:
        LocalRegistry(tmp_path / "data", data_files=files).start()
    assert caught.value.message == f"Two data files would both be {model_id}: rename one of them."
    assert not (tmp_path / "data").exists()


def test_a_file_named_like_a_family_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "Whisper.json"
    file.write_text("[]")
    with pytest.raises(SettingError, match="both be model-whisper"):
        LocalRegistry(tmp_path / "data", data_files=[file]).start()

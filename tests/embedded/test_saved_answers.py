"""Saved responses of ListModelVersions as models, and files with another content."""

import gzip
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from paiview.embedded.local_registry import LocalRegistry
from paiview.embedded.saved_answers import saved_answers
from paiview.pai.client import Client as PaiviewClient
from paiview.pai.credentials import StaticCredentials
from paiview.pai.errors import SettingError
from paiview.pai.listing_facts import Origin, read_origin
from paiview.pai.objects import ModelVersion
from paiview.pai.paging import Listing
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
from tests.harness.data_files import saved_answer

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
        assert listed_versions(client, "model-sampleanswer1") == (15, versions)
        assert listed_versions(client, "model-sampleanswer1", approval_status="Approved") == (1, versions)
        assert listed_versions(client, "model-sampleanswer1", approval_status="Rejected") == (0, [])
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


@pytest.mark.parametrize(
    ("content", "total"),
    [
        ("[]", 0),
        ('{"Versions": []}', 0),
        ('{"Versions": null, "TotalCount": 0}', 0),
        ('{"Versions": [], "TotalCount": 3}', 3),
    ],
)
def test_an_answer_without_versions_is_a_model_without_versions(tmp_path: Path, content: str, total: int) -> None:
    file = tmp_path / "empty.json"
    file.write_text(content)
    with bare_registry(tmp_path, [saved_answer(file)]) as endpoint:
        client = sdk_client(endpoint)
        assert listed_versions(client, "model-empty") == (total, [])
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
        (b"", "it is empty"),
        (b"\xef\xbb\xbf \n", "it is empty"),
        (b"VersionName,cer\n0.1.0,0.175\n", "line 1 is not JSON"),
        (b'{"Versions": []}\n{"Versions": [],}\n', "line 2 is not JSON"),
        (b"hello", "line 1 is not JSON"),
        (b"<html><body>Log in</body></html>", "it is a web page or XML"),
        (b"{'Versions': [{'VersionName': '0.1.0'}]}", "it is printed Python, which json.dumps would write as JSON"),
        (b"[{'VersionName': '0.1.0'}]", "it is printed Python, which json.dumps would write as JSON"),
        (SAMPLE.encode()[:-20], "it ends in the middle, in line "),
        (b'{"Versions": [{"VersionName": "0.1', "it ends in the middle, in line 1"),
        (b'{"Versions": [{"VersionName": nul', "it ends in the middle, in line 1"),
        (b'{"Versions": [{"VersionName": "\\ud8', "it ends in the middle, in line 1"),
        (b"\xff\xfe\xfa", "its bytes are no text in UTF-8 or UTF-16"),
        ('{"Versions": [{"VersionDescription": "情感"}]}'.encode("gbk"), "its bytes are no text in UTF-8 or UTF-16"),
        (gzip.compress(b"[]", mtime=0), "its bytes are no text in UTF-8 or UTF-16"),
        (b"[" * 100_000, "it is nested more than 200 levels deep"),
        (b"[" * 300 + b"]" * 300, "it is nested more than 200 levels deep"),
        (b"null", "it has neither the array Versions nor a VersionName"),
        (b"{}", "it has neither the array Versions nor a VersionName"),
        (b'{"Code": "NoPermission", "Message": "No.", "RequestId": "R"}', "it has neither the array Versions nor a"),
        (b'{"Versions": {}}', "its Versions are no array"),
        (b'{"Models": []}', "it has neither the array Versions nor a VersionName"),
        (b'[{"ModelId": "model-a", "ModelName": "a"}]', "its version 1 is a model"),
        (b'[{}, "0.1.0"]', "its version 2 is not an object"),
        (b'{"Versions": [{}, "0.1.0"]}', "its version 2 is not an object"),
        (b'[{"Versions": []}, {"Code": "Throttling.User"}]', "its page 2 has no array Versions"),
    ],
)
def test_a_file_that_is_no_answer_is_named_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    with pytest.raises(SettingError) as caught:
        saved_answer(file)
    assert caught.value.message.startswith(f"The data file {file} is not a saved response of ListModelVersions: ")
    assert reason in caught.value.message
    assert "as JSON in UTF-8" in caught.value.advice
    assert not re.search("Expecting|column|char|codec|Decode|recursion", caught.value.message.removeprefix(str(file)))
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
        assert len(listed_versions(client, model_id)[1]) == 1


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


def version(name: str | None, **fields: Any) -> dict[str, Any]:
    return {
        **({} if name is None else {"VersionName": name}),
        "GmtCreateTime": f"2026-01-01T00:00:0{len(fields)}Z",
        **fields,
    }


A, B, C = (
    version(name, Metrics={"Results": []}, Labels=[{"Key": "k", "Value": "v"}]) for name in ("0.1.0", "0.2.0", "0.10.0")
)
PAGES: Final = [
    {"RequestId": "1", "Versions": [A, B], "TotalCount": 5},
    {"RequestId": "2", "Versions": [B, C], "TotalCount": 4},
]
SNAKE: Final = {
    "version_name": "0.3.0",
    "metrics": {"Results": []},
    "gmt_create_time": "2026-01-01T00:00:00Z",
    "labels": [{"key": "k", "value": "v"}],
}


def text(*values: Any, between: str = "") -> bytes:
    return between.join(json.dumps(value) for value in values).encode()


@pytest.mark.parametrize(
    ("content", "total", "names"),
    [
        pytest.param(text(PAGES[0]), 5, ["0.1.0", "0.2.0"], id="an answer"),
        pytest.param(text({"headers": {}, "statusCode": 200, "body": PAGES[0]}), 5, ["0.1.0", "0.2.0"], id="of an SDK"),
        pytest.param(text({"body": json.dumps(PAGES[0])}), 5, ["0.1.0", "0.2.0"], id="a body of text"),
        pytest.param(text({"code": 200, "data": PAGES[0]}), 5, ["0.1.0", "0.2.0"], id="of a gateway"),
        pytest.param(text([{"body": page} for page in PAGES]), 5, ["0.1.0", "0.2.0", "0.10.0"], id="pages of the SDK"),
        pytest.param(text(PAGES), 5, ["0.1.0", "0.2.0", "0.10.0"], id="a list of pages"),
        pytest.param(text(*PAGES), 5, ["0.1.0", "0.2.0", "0.10.0"], id="pages in a row"),
        pytest.param(text(*PAGES, between="\r\n\n"), 5, ["0.1.0", "0.2.0", "0.10.0"], id="JSON Lines of pages"),
        pytest.param(text(*PAGES, between="\ufeff"), 5, ["0.1.0", "0.2.0", "0.10.0"], id="files with marks joined"),
        pytest.param(text(A, B, between="\n"), 2, ["0.1.0", "0.2.0"], id="JSON Lines of versions"),
        pytest.param(text([A, B]), 2, ["0.1.0", "0.2.0"], id="a list of versions"),
        pytest.param(text([[A], [B, C]]), 3, ["0.1.0", "0.2.0", "0.10.0"], id="a list of lists of versions"),
        pytest.param(text({"RequestId": "1", **A}), 1, ["0.1.0"], id="one version"),
        pytest.param(text({"body": {"RequestId": "1", **A}}), 1, ["0.1.0"], id="one version of the SDK"),
        pytest.param(text({"versions": [SNAKE], "total_count": 2}), 2, ["0.3.0"], id="snake case"),
        pytest.param(text({"versions": [A], "totalCount": "2"}), 2, ["0.1.0"], id="camel case"),
        pytest.param(text({"Versions": [A, B], "TotalCount": 1}), 2, ["0.1.0", "0.2.0"], id="a total too small"),
        pytest.param(text({"Versions": [A], "TotalCount": True}), 1, ["0.1.0"], id="no total"),
        pytest.param(text({"Versions": [A], "TotalCount": 1e300}), 10**15 - 1, ["0.1.0"], id="a total beyond all"),
    ],
)
@pytest.mark.parametrize("encode", [bytes, lambda content: content.decode().encode("utf-16")], ids=["utf-8", "utf-16"])
def test_every_usual_shape_of_an_answer_is_read(
    tmp_path: Path, content: bytes, total: int, names: list[str], encode: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "shape.json"
    file.write_bytes(encode(content.replace(rb"\ufeff", "\ufeff".encode())))
    with bare_registry(tmp_path, [saved_answer(file)]) as endpoint:
        counted, versions = listed_versions(sdk_client(endpoint), "model-shape", page_size=100)
    assert counted == total
    assert sorted(each["VersionName"] for each in versions) == sorted(names)
    assert all(each["Labels"] == [{"Key": "k", "Value": "v"}] for each in versions)
    assert all("RequestId" not in each and each["Metrics"] == {"Results": []} for each in versions)


def listing(folder: Path, model_id: str, *files: Path) -> Listing[ModelVersion]:
    """What paiview reads of a model, in pages of two."""
    with (
        bare_registry(folder, saved_answers(files)) as endpoint,
        PaiviewClient(endpoint, StaticCredentials(KEY_ID, SECRET), page_size=2) as client,
    ):
        return client.list_all_model_versions(model_id)


def saved(folder: Path, name: str, *values: Any) -> Path:
    file = folder / name
    file.write_bytes(text(*values))
    return file


def test_a_saved_answer_with_fewer_versions_than_its_total_is_no_listing_that_changes(tmp_path: Path) -> None:
    file = saved(tmp_path, "part.json", {"Versions": [A, B, C], "TotalCount": 15})
    read = listing(tmp_path, "model-part", file)
    assert (len(read.items), read.total_count, read.requests, read.uneven) == (3, 15, 2, None)
    assert read.facts.origin == Origin(kind="saved", files=("part.json",), listed=3, missing=12)
    assert saved_answer(file).remarks == ("model-part: 3 of 15 versions were saved.",)


def test_a_name_with_different_content_is_told_and_nothing_is_dropped(tmp_path: Path) -> None:
    versions = [A, {**A, "ApprovalStatus": "Approved"}, B, B, {**C, "Uri": "x"}, C, version(None), version(None)]
    read = listing(tmp_path, "model-two", saved(tmp_path, "two.json", versions))
    assert [each.version_name for each in read.items].count("0.1.0") == 1
    assert (len(read.items), read.total_count, read.uneven) == (5, 7, None)
    assert read.facts.origin is not None
    sentence = "Saved more than once with different content: 0.1.0, 0.10.0. Of each the first in the listing counts."
    assert read.facts.origin.doubled == sentence
    assert saved_answer(tmp_path / "two.json").remarks == (f"model-two: {sentence}",)


def test_many_names_with_different_content_are_one_short_sentence(tmp_path: Path) -> None:
    versions = [version(f"{number}.0.0", Uri=uri) for number in range(1000) for uri in ("a", "b")]
    (remark,) = saved_answer(saved(tmp_path, "many.json", versions)).remarks
    assert remark.startswith(
        "model-many: Saved more than once with different content: 0.0.0, 1.0.0, 2.0.0 and 997 more."
    )


def test_files_that_name_one_model_are_one_model(tmp_path: Path) -> None:
    files = [
        saved(tmp_path, "page1.json", {"ModelId": "model-x1", "Versions": [A, B], "TotalCount": 4}),
        saved(tmp_path, "page2.json", [{**B, "ModelId": "model-x1"}, {**C, "ModelId": "model-x1"}]),
        saved(tmp_path, "other.json", [A]),
    ]
    seeds = {file.model_id: file.read() for file in saved_answers(files)}
    assert sorted(seeds) == ["model-other", "model-x1"]
    assert [each["VersionName"] for each in seeds["model-x1"].versions] == ["0.1.0", "0.2.0", "0.2.0", "0.10.0"]
    assert seeds["model-x1"].model["ModelName"] == "model-x1"
    origin = seeds["model-x1"].facts.origin
    assert origin is not None
    assert (origin.files, origin.missing) == (("page1.json", "page2.json"), 0)


def test_a_file_of_several_models_is_several_models(tmp_path: Path) -> None:
    lines = [{**A, "ModelId": "model-a1"}, {**A, "ModelId": "model-b1"}, A, {**B, "ModelId": ".."}]
    seeds = {file.model_id: file.read().versions for file in saved_answers([saved(tmp_path, "mixed.jsonl", *lines)])}
    assert {name: len(versions) for name, versions in seeds.items()} == {"model-a1": 1, "model-b1": 1, "model-mixed": 2}


def test_pages_without_the_id_belong_to_the_model_that_their_file_names(tmp_path: Path) -> None:
    file = saved(tmp_path, "p.json", {"Versions": [A], "TotalCount": 9}, {"ModelId": "model-x1", "Versions": []})
    (seed,) = saved_answers([file])
    assert (seed.model_id, len(seed.read().versions)) == ("model-x1", 1)
    assert seed.remarks == ("model-x1: 1 of 9 versions were saved.",)


MEANING: Final = {"quality": {"direction": "higher", "digits": 3}, "callcenter_*": {"direction": "lower"}}


def test_what_metrics_mean_is_part_of_the_answer(tmp_path: Path) -> None:
    file = saved(tmp_path, "told.json", {"Versions": [A], "TotalCount": 1, "metrics": MEANING})
    assert listing(tmp_path, "model-told", file).facts.meanings == MEANING


@pytest.mark.parametrize("around", ["metrics.", ""])
def test_what_metrics_mean_may_stand_in_a_file_beside(tmp_path: Path, around: str) -> None:
    file = saved(tmp_path, "told.v1.json", {"Versions": [A], "metrics": MEANING})
    unchanged = saved_answer(file).fingerprint
    toml = f'[{around}quality]\ndirection = "lower"\n[{around}"a b"]\nunit = "ms"\nignore = 2026-01-01\n'
    (tmp_path / "told.v1.metrics.toml").write_text(toml, encoding="utf-8-sig")
    assert listing(tmp_path, "model-toldv1", file).facts.meanings == {
        **MEANING,
        "quality": {"direction": "lower", "digits": 3},
        "a b": {"unit": "ms", "ignore": "2026-01-01"},
    }
    assert saved_answer(file).fingerprint != unchanged


@pytest.mark.parametrize(
    ("beside", "metrics", "sentence"),
    [
        ("[metrics", None, "odd.metrics.toml: What metrics mean is ignored: “metrics” is not an object."),
        ("metrics = 3", None, "odd.metrics.toml: What metrics mean is ignored: “metrics” is not an object."),
        ("", [1], "odd.json: What metrics mean is ignored: “metrics” is not an object."),
        ("", {"cer": "lower", "wer": {}}, "odd.json: What 1 of 2 metrics mean is ignored: it is not an object."),
    ],
)
def test_a_meaning_of_the_wrong_shape_is_ignored_with_one_sentence(
    tmp_path: Path, beside: str, metrics: Any, sentence: str
) -> None:
    file = saved(tmp_path, "odd.json", *[{"Versions": [A], "metrics": metrics}] * 3)
    (tmp_path / "odd.metrics.toml").write_text(beside)
    assert saved_answer(file).remarks == (f"model-odd: {sentence}",)
    assert len(listing(tmp_path, "model-odd", file).items) == 1


def test_the_origin_of_a_saved_model_is_in_its_extra_info(tmp_path: Path) -> None:
    file = saved(tmp_path, "rich.json", {"Versions": [A, B], "TotalCount": 14})
    origin = read_origin(saved_answer(file).read().model["ExtraInfo"])
    assert origin == Origin(kind="saved", files=("rich.json",), missing=12)


def test_times_with_offsets_are_listed_in_the_order_of_time(tmp_path: Path) -> None:
    times = {"1.0.0": "2026-01-01T10:00:00+08:00", "2.0.0": "2026-01-01T03:00:00Z", "3.0.0": "2026-01-01 09:00:00+0800"}
    file = saved(tmp_path, "zones.json", [version(name, GmtCreateTime=time) for name, time in times.items()])
    assert [each.version_name for each in listing(tmp_path, "model-zones", file).items] == ["3.0.0", "1.0.0", "2.0.0"]
    model = saved_answer(file).read().model
    assert (model["GmtCreateTime"], model["GmtModifiedTime"]) == (times["3.0.0"], times["2.0.0"])


def test_ten_thousand_pages_in_one_file_are_read_in_linear_time(tmp_path: Path) -> None:
    pages = [{"Versions": [version(f"{number}.0.0"), A], "TotalCount": 10_001} for number in range(1, 10_001)]
    begun = time.process_time()
    (seed,) = saved_answers([saved(tmp_path, "long.jsonl", *pages)])
    assert len(seed.read().versions) == 10_001
    assert time.process_time() - begun < 20

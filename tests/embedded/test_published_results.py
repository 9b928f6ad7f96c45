"""The published families: what is served is what was published, cited, and the same for the SDK and for paiview."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client

from paiview.embedded.demo_fields import MADE_UP_FIELDS, RULE
from paiview.embedded.demo_statuses import RULE as STATUS_RULE
from paiview.embedded.local_registry import LocalRegistry
from paiview.embedded.published_results import citation_url, completed_dates, seed
from paiview.pai.client import Client as PaiviewClient
from paiview.pai.credentials import StaticCredentials
from paiview.pai.listing_facts import Origin, read_origin
from paiview.pai.objects import Model, ModelFilters, ModelVersion
from paiview.pai.sources import parse_source
from tests.embedded.sdk import every_version, read_model

PUBLIC: Final = {"model-distilwhisper": "distil-whisper", "model-onnxzoo": "onnx-zoo"}
"""The public models of a provider, which are listed by Provider alone."""
OWN: Final = {
    "model-funasr": "funasr",
    "model-pyannotediarization": "pyannote-diarization",
    "model-timm": "timm",
    "model-wenetmandarin": "wenet-mandarin",
    "model-whisper": "whisper",
    "model-yolov5": "yolov5",
}
FILES: Final = OWN | PUBLIC
COUNTS: Final = {
    "model-distilwhisper": (6, 2, 12),
    "model-funasr": (40, 43, 207),
    "model-onnxzoo": (49, 1, 88),
    "model-pyannotediarization": (19, 14, 208),
    "model-timm": (1556, 6, 18670),
    "model-wenetmandarin": (101, 29, 708),
    "model-whisper": (8, 160, 425),
    "model-yolov5": (86, 3, 394),
}
"""Versions, datasets and values of each family, as its collection was checked."""

families = pytest.mark.parametrize("model_id", FILES)


def published(model_id: str) -> dict[str, Any]:
    """The content of a family's file."""
    file = resources.files("paiview.embedded") / "data" / f"{FILES[model_id]}.json.gz"
    family: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return family


def numbers(results: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Every number of a version's Metrics as its digits, by dataset and metric."""
    return {
        (result["Dataset"].get("DatasetId") or result["Dataset"]["Uri"], metric): repr(value)
        for result in results
        for metric, value in result["Metrics"].items()
    }


@pytest.fixture(scope="module")
def client(local_registry: LocalRegistry) -> Iterator[PaiviewClient]:
    credentials = StaticCredentials(local_registry.access_key_id, local_registry.access_key_secret)
    with PaiviewClient(local_registry.endpoint, credentials) as connected:
        yield connected


def test_the_models_of_the_account_are_the_six_families(client: PaiviewClient) -> None:
    assert sorted(model.model_id or "" for model in client.list_all_models().items) == sorted(OWN)


@pytest.mark.parametrize(
    ("provider", "ids"), [("huggingface", ["model-distilwhisper"]), ("onnx", ["model-onnxzoo"]), ("openai", [])]
)
def test_public_models_are_listed_by_provider_alone(client: PaiviewClient, provider: str, ids: list[str]) -> None:
    found = client.list_all_models(ModelFilters(provider=provider)).items
    assert [model.model_id for model in found] == ids
    assert all(
        (model.provider, model.workspace_id, model.accessibility) == (provider, None, "PUBLIC") for model in found
    )
    assert not {model.owner_id for model in found} & {model.owner_id for model in client.list_all_models().items}


@families
def test_every_published_number_is_served_as_it_is_and_nothing_else(published_sdk: Client, model_id: str) -> None:
    served = {version["VersionName"]: version["Metrics"] for version in every_version(published_sdk, model_id)}
    family = published(model_id)
    expected = {
        version["version_name"]: {
            (result["dataset"], metric): repr(value)
            for result in version["results"]
            for metric, value in result["metrics"].items()
        }
        for version in family["versions"]
    }
    assert all(set(metrics) == {"Results"} for metrics in served.values())
    assert {name: numbers(metrics["Results"]) for name, metrics in served.items()} == expected
    used = {dataset for values in expected.values() for dataset, _ in values}
    assert (len(served), len(used), sum(map(len, expected.values()))) == COUNTS[model_id]


@families
def test_every_version_tells_its_citation_and_what_is_known_of_it(published_sdk: Client, model_id: str) -> None:
    family = published(model_id)
    by_name = {version["version_name"]: version for version in family["versions"]}
    for version in every_version(published_sdk, model_id):
        source = by_name[version["VersionName"]]
        extra = version["ExtraInfo"]
        made_up = {name: extra.pop(name) for name in ("CoverUris", "TrainedWords", "MadeUp") if name in extra}
        assert extra == {
            "Citation": source["source"],
            "PublishedName": source["published_name"],
            "VersionNameIs": source["version_name_is"],
            "Date": source["date"],
            "DateIs": source["date_is"],
            "Parameters": source["params"],
        }
        assert "@" in source["source"]
        commit = source["source"].split("@")[1][:12]
        if "uri" in source:
            assert version["Uri"] == source["uri"]
        else:
            assert version["Uri"].startswith("https://github.com/")
            assert f"/{commit}/" in version["Uri"]
        assert version["VersionDescription"] == source["description"]
        assert version.get("FrameworkType") == source["framework"]
        specs = {name: value for name, value in version.items() if name.endswith("Spec")}
        if made_up:
            assert (source["labels"]["release"], made_up["MadeUp"]) == ("v7.0", [*MADE_UP_FIELDS])
            continue
        assert (version["SourceType"], version["SourceId"]) == ("Custom", family["model"]["source_repo"])
        assert (version.get("FormatType"), version["Options"]) == (source.get("format"), "{}")
        assert specs == source.get("specs", {})


def test_the_newest_release_of_yolov5_alone_has_made_up_fields(published_sdk: Client) -> None:
    versions = every_version(published_sdk, "model-yolov5")
    made_up = [version for version in versions if "MadeUp" in version["ExtraInfo"]]
    assert [version["VersionName"] for version in made_up] == [
        version["VersionName"] for version in versions if version["VersionName"].startswith("7.0.0_")
    ]
    assert len(made_up) == 21
    kinds = Counter((version["SourceType"], version["FormatType"]) for version in made_up)
    assert kinds == {
        ("PAIFlow", "TorchScript"): 11,
        ("TrainingService", "SavedModel"): 5,
        ("TrainingService", "ONNX"): 5,
    }
    sources = [parse_source(version["SourceType"], version["SourceId"]) for version in made_up]
    assert {(source.region, source.workspace_id) for source in sources if source} == {("cn-hangzhou", "2")}
    assert Counter(source.kind for source in sources if source) == {
        "PipelineRun": 11,
        "TrainingJob": 5,
        "ServiceJob": 5,
    }
    assert len({source.run_id for source in sources if source}) == 21
    for version in made_up:
        ids = [result["Dataset"]["DatasetId"] for result in version["Metrics"]["Results"]]
        uris = [result["Dataset"]["Uri"] for result in version["Metrics"]["Results"]]
        for dataset_id, uri in zip(ids, uris, strict=True):
            assert published_sdk.get_dataset(dataset_id, models.GetDatasetRequest()).body.uri == uri


def test_the_model_with_made_up_fields_says_which(published_sdk: Client) -> None:
    with_rule = [model_id for model_id in FILES if RULE in read_model(published_sdk, model_id)["ModelDescription"]]
    assert with_rule == ["model-yolov5"]
    for name in MADE_UP_FIELDS:
        assert name in RULE


def test_a_cover_is_a_picture_of_the_published_repository_at_its_commit(published_sdk: Client) -> None:
    extra = read_model(published_sdk, "model-whisper")["ExtraInfo"]
    commit = extra["RetrievedCommit"]
    assert extra["CoverUris"] == [f"https://raw.githubusercontent.com/openai/whisper/{commit}/approach.png"]
    assert "CoverUris" not in read_model(published_sdk, "model-timm")["ExtraInfo"]


def test_every_field_of_a_version_is_somewhere_in_the_registry(published_sdk: Client) -> None:
    filled = {
        name
        for model_id in FILES
        for version in every_version(published_sdk, model_id)
        for name, value in version.items()
        if value not in ("", "{}", [], {}, None)
    }
    assert {str(field.alias) for field in ModelVersion.model_fields.values()} <= filled
    of_models = {name for model_id in FILES for name, value in read_model(published_sdk, model_id).items() if value}
    never = {"Tags", "OrderNumber"}
    assert {str(field.alias) for field in Model.model_fields.values()} - never <= of_models


@families
def test_labels_are_within_the_limits_of_the_service_and_hold_what_was_published(
    published_sdk: Client, model_id: str
) -> None:
    by_name = {version["version_name"]: version for version in published(model_id)["versions"]}
    for version in every_version(published_sdk, model_id):
        labels = {label["Key"]: label["Value"] for label in version["Labels"]}
        assert len(labels) == len(version["Labels"]) <= 20
        assert all(len(text.encode()) <= 128 for pair in labels.items() for text in pair)
        assert not any(sign in text for pair in labels.items() for text in pair for sign in "=,")
        source = by_name[version["VersionName"]]
        kept = {key: value.replace("=", ":").replace(",", ";") for key, value in source["labels"].items()}
        assert labels.items() >= kept.items()
        assert labels["published_name"] == source["published_name"].replace("=", ":").replace(",", ";")


@families
def test_versions_come_in_the_order_of_their_dates_and_then_of_the_file(published_sdk: Client, model_id: str) -> None:
    versions = published(model_id)["versions"]
    found = every_version(published_sdk, model_id)
    dates = {version["version_name"]: version["date"] for version in versions}
    assert [version["VersionName"] for version in found] == sorted(dates, key=lambda name: dates[name][:19])
    times = [version["GmtCreateTime"] for version in found]
    assert sorted(set(times)) == times
    assert all(time[:10] == dates[version["VersionName"]][:10] for version, time in zip(found, times, strict=True))


@families
def test_a_family_tells_its_source_license_units_and_notes(published_sdk: Client, model_id: str) -> None:
    family = published(model_id)
    source = family["model"]
    model = read_model(published_sdk, model_id)
    description, _, rules = model["ModelDescription"].partition("\n\n")
    assert (model["ModelName"], description) == (source["name"], source["description"])
    assert rules.startswith(STATUS_RULE)
    assert (model["Domain"], model["Task"], model["ModelType"]) == (source["domain"], source["task"], "Checkpoint")
    assert model.get("Provider") == (source["provider"] if model_id in PUBLIC else None)
    assert model.get("WorkspaceId") == (None if model_id in PUBLIC else {"audio": "1", "cv": "2"}[source["domain"]])
    assert model.get("Origin") == {"modelscope": "ModelScope", "huggingface": "HuggingFace"}.get(source["provider"])
    assert model["ExtraInfo"]["Publisher"] == source["provider"]
    assert model["ModelDoc"] == f"https://{source['source_repo']}/tree/{source['retrieved_commit']}"
    extra = model["ExtraInfo"]
    assert (extra["Units"], extra["License"], extra["Notes"]) == (family["units"], source["license"], source["notes"])
    assert (extra["SourceFiles"], extra["RetrievedCommit"]) == (source["source_files"], source["retrieved_commit"])
    assert model["LatestVersion"] == every_version(published_sdk, model_id)[-1]


@families
def test_every_dataset_that_has_results_has_a_name_that_no_other_has(published_sdk: Client, model_id: str) -> None:
    family = published(model_id)
    ids = sorted(dataset_id for dataset_id in family["datasets"] if "://" not in dataset_id)
    workspace_id = "2" if family["model"]["domain"] == "cv" else "1"
    found = [
        dataset
        for start in range(0, len(ids), 50)
        for dataset in published_sdk.list_datasets(
            models.ListDatasetsRequest(
                dataset_ids=",".join(ids[start : start + 50]), page_size=50, workspace_id=workspace_id
            )
        ).body.datasets
        if ids
    ]
    assert sorted(dataset.dataset_id for dataset in found) == ids
    assert len({dataset.name for dataset in found}) == len({dataset.uri for dataset in found}) == len(ids)
    kind = {"audio": "AUDIO", "cv": "PIC"}[family["model"]["domain"]]
    assert all(
        (dataset.data_source_type, dataset.data_type, dataset.property) == ("OSS", kind, "DIRECTORY")
        and dataset.uri.startswith("oss://")
        and [label.value for label in dataset.labels] == ["invented for this demonstration"]
        for dataset in found
    )


@pytest.mark.parametrize(
    ("model_id", "size"),
    [
        ("model-whisper", 809),
        ("model-timm", 414),
        ("model-yolov5", 48),
        ("model-wenetmandarin", 48),
        ("model-onnxzoo", None),
    ],
)
def test_the_parameter_size_is_that_of_the_newest_version_with_one(
    published_sdk: Client, model_id: str, size: int | None
) -> None:
    assert read_model(published_sdk, model_id).get("ParameterSize") == size


@families
def test_paiview_reads_the_same_versions_and_fields_as_the_sdk(
    published_sdk: Client, client: PaiviewClient, model_id: str
) -> None:
    read = client.list_all_model_versions(model_id)
    assert read.uneven is None
    assert [version.raw for version in read.items] == every_version(published_sdk, model_id)
    assert all(not version.misfits and not version.model_extra for version in read.items)
    assert client.get_model(model_id).raw == read_model(published_sdk, model_id)


@pytest.mark.parametrize(
    ("dates", "completed"),
    [
        (["2022"], ["2022-01-01T00:00:00"]),
        (["2022-05"], ["2022-05-01T00:00:00"]),
        (["2022-05-06"], ["2022-05-06T00:00:00"]),
        (["2022-05-06T07:08:09Z"], ["2022-05-06T07:08:09"]),
        (["2022-05", "2022-05-01", "2022-06"], ["2022-05-01T00:00:00", "2022-05-01T00:00:01", "2022-06-01T00:00:00"]),
        (["2022-05", None, None], ["2022-05-01T00:00:00", "2022-05-01T00:00:01", "2022-05-01T00:00:02"]),
        ([None], ["1970-01-01T00:00:00"]),
        ([], []),
    ],
)
def test_dates_are_completed_to_a_second_and_equal_ones_get_one_more_each(
    dates: list[str | None], completed: list[str]
) -> None:
    assert completed_dates(dates) == [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in completed]


@pytest.mark.parametrize(
    ("citation", "url"),
    [
        ("a/README.md@0123456789ab#L3-L9", "https://github.com/o/r/blob/0123456789ab/a/README.md?plain=1#L3-L9"),
        ("README.md@0123456789ab (tag v1.0)#L20", "https://github.com/o/r/blob/0123456789ab/README.md?plain=1#L20"),
        ("a.csv@0123456789ab#L3", "https://github.com/o/r/blob/0123456789ab/a.csv#L3"),
        ("a.svg@0123456789ab", "https://github.com/o/r/blob/0123456789ab/a.svg"),
        ("results/r-*.csv@0123456789ab, row 5", "https://github.com/o/r/tree/0123456789ab/results"),
        ("x/y a/t.pdf@0123456789ab Table 4", "https://github.com/x/y/blob/0123456789ab/a/t.pdf"),
        ("one@0123456789ab#L1-L2; two@ba9876543210#L3", "https://github.com/o/r/blob/0123456789ab/one#L1-L2"),
        ("one@0123456789ab; two@ba9876543210#L3", "https://github.com/o/r/blob/0123456789ab/one"),
        ("a letter to the authors", None),
    ],
)
def test_a_citation_leads_to_the_lines_it_names(citation: str, url: str | None) -> None:
    assert citation_url(citation, "github.com/o/r") == url


def test_a_file_out_of_order_is_read_by_date_and_so_are_its_statuses() -> None:
    family = published("model-whisper")
    rows = [("2023-01-01", 0.6), ("2021-01-01", 0.5), ("2022-01-01", 0.4), ("2024", 0.1), ("2025", 0.1), ("2026", 0.1)]
    versions = [
        family["versions"][0] | {"date": date, "results": [{"dataset": "wsj", "metrics": {"wer": value}}]}
        for date, value in rows
    ]
    made = seed("model-x", family | {"versions": versions}).versions
    assert [(version["GmtCreateTime"][:4], version["ApprovalStatus"]) for version in made] == [
        ("2021", "Approved"),
        ("2022", "Approved"),
        ("2023", "Rejected"),
        ("2024", "Pending"),
        ("2025", "Pending"),
        ("2026", "Pending"),
    ]


def test_a_label_that_the_service_would_refuse_is_rewritten_and_cut_between_characters() -> None:
    family = published("model-whisper")
    version = family["versions"][0] | {"labels": {"a=b,c": "字" * 43}}
    made = seed("model-x", family | {"versions": [version]})
    assert {"Key": "a:b;c", "Value": "字" * 42} in made.versions[0]["Labels"]


NEEDING: Final = {
    "model-funasr": set(),
    "model-distilwhisper": set(),
    "model-onnxzoo": set(),
    "model-pyannotediarization": {"seconds_per_hour"},
    "model-timm": set(),
    "model-wenetmandarin": set(),
    "model-whisper": set(),
    "model-yolov5": {
        *("ms_v100", "ms_cpu_b1", "ms_v100_b1", "ms_v100_b32", "ms_onnx_cpu", "ms_tensorrt_a100", "ms_tensorrt_v100"),
    },
}
"""The metrics whose names do not say everywhere what they mean."""


@families
def test_the_listing_says_what_unusual_metrics_mean_and_that_all_is_published(
    client: PaiviewClient, model_id: str
) -> None:
    facts = client.list_model_versions(model_id, page_size=1).facts
    units = published(model_id)["units"]
    assert facts.origin == Origin(kind="published")
    assert set(facts.meanings) == NEEDING[model_id]
    for metric, meaning in facts.meanings.items():
        unit = units[metric]["unit"]
        assert meaning == {"direction": units[metric]["better"], "unit": {"milliseconds": "ms"}.get(unit, unit)}
    extra = client.get_model(model_id).extra_info
    assert read_origin(extra or {}) == facts.origin

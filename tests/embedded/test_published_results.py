"""The published families: what is served is what was published, cited, and the same for the SDK and for paiview."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client

from paiview.embedded.local_registry import LocalRegistry
from paiview.embedded.published_results import citation_url, completed_dates, seed
from paiview.pai.client import Client as PaiviewClient
from paiview.pai.credentials import StaticCredentials
from paiview.pai.listing_facts import Origin, read_origin
from tests.embedded.sdk import every_version, read_model

FILES: Final = {
    "model-funasr": "funasr",
    "model-pyannotediarization": "pyannote-diarization",
    "model-timm": "timm",
    "model-wenetmandarin": "wenet-mandarin",
    "model-whisper": "whisper",
    "model-yolov5": "yolov5",
}
COUNTS: Final = {
    "model-funasr": (40, 43, 207),
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
        (result["Dataset"]["DatasetId"], metric): repr(value)
        for result in results
        for metric, value in result["Metrics"].items()
    }


@pytest.fixture(scope="module")
def client(local_registry: LocalRegistry) -> Iterator[PaiviewClient]:
    credentials = StaticCredentials(local_registry.access_key_id, local_registry.access_key_secret)
    with PaiviewClient(local_registry.endpoint, credentials) as connected:
        yield connected


def test_the_models_are_the_six_families(client: PaiviewClient) -> None:
    assert sorted(model.model_id or "" for model in client.list_all_models().items) == sorted(FILES)


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
        assert version["ExtraInfo"] == {
            "Citation": source["source"],
            "PublishedName": source["published_name"],
            "VersionNameIs": source["version_name_is"],
            "Date": source["date"],
            "DateIs": source["date_is"],
            "Parameters": source["params"],
        }
        assert "@" in source["source"]
        commit = source["source"].split("@")[1][:12]
        assert version["Uri"].startswith("https://github.com/")
        assert f"/{commit}/" in version["Uri"]
        assert version["SourceId"] == family["model"]["source_repo"]
        assert version["VersionDescription"] == source["description"]
        assert version["FrameworkType"] == source["framework"]


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
    assert (model["ModelName"], model["ModelDescription"]) == (source["name"], source["description"])
    assert (model["Domain"], model["Task"], model["Provider"]) == (source["domain"], source["task"], source["provider"])
    assert model["ModelDoc"] == f"https://{source['source_repo']}/tree/{source['retrieved_commit']}"
    extra = model["ExtraInfo"]
    assert (extra["Units"], extra["License"], extra["Notes"]) == (family["units"], source["license"], source["notes"])
    assert (extra["SourceFiles"], extra["RetrievedCommit"]) == (source["source_files"], source["retrieved_commit"])
    assert model["LatestVersion"] == every_version(published_sdk, model_id)[-1]


@families
def test_every_dataset_that_has_results_has_a_name_that_no_other_has(published_sdk: Client, model_id: str) -> None:
    ids = sorted(published(model_id)["datasets"])
    found = [
        dataset
        for start in range(0, len(ids), 50)
        for dataset in published_sdk.list_datasets(
            models.ListDatasetsRequest(dataset_ids=",".join(ids[start : start + 50]), page_size=50)
        ).body.datasets
    ]
    assert sorted(dataset.dataset_id for dataset in found) == ids
    assert len({dataset.name for dataset in found}) == len(ids)


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

"""ListModelVersions as the official SDK reads it: filters, order, pages and refusals."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from alibabacloud_aiworkspace20210204.client import Client

from tests.embedded.sdk import bare_registry, listed_versions, read_model, refusal, sdk_client
from tests.harness.data_files import saved_answer

MODEL: Final = "model-listing"
RUN: Final = "region=cn-shanghai,workspaceId=1,kind=PipelineRun,id=run-1"
VERSIONS: Final[list[dict[str, Any]]] = [
    *(
        {"VersionName": f"1.{minor}.0_beta", "GmtCreateTime": f"2021-04-0{minor}T00:00:00Z", "SourceType": "Custom"}
        for minor in range(1, 7)
    ),
    {
        "VersionName": "0.1.0",
        "GmtCreateTime": "2021-03-01T00:00:00Z",
        "FormatType": "SavedModel",
        "FrameworkType": "TensorFlow",
        "SourceType": "Custom",
        "SourceId": "first try",
        "ApprovalStatus": "Approved",
        "Labels": [{"Key": "team", "Value": "speech"}],
    },
    {
        "VersionName": "0.2.0",
        "GmtCreateTime": "2021-01-01T00:00:00Z",
        "FormatType": "ONNX",
        "FrameworkType": "PyTorch",
        "SourceType": "PAIFlow",
        "SourceId": RUN,
        "ApprovalStatus": "Rejected",
        "Labels": [{"Key": "team", "Value": "vision"}, {"Key": "语言", "Value": "中文 50%"}],
    },
    {
        "VersionName": "0.3.0",
        "GmtCreateTime": "2021-01-01T00:00:00Z",
        "FormatType": "Keras H5",
        "FrameworkType": "Keras",
        "SourceType": "TrainingService",
        "SourceId": "a+b&c=d",
        "ApprovalStatus": "Pending",
        "Labels": [],
    },
    {"VersionName": "0.4.0", "GmtCreateTime": "2021-02-01T00:00:00.500Z", "ApprovalStatus": "Approved"},
    {"VersionName": "0.5.0", "GmtCreateTime": "2021-02-01T00:00:01Z", "FrameworkType": "PyTorch"},
    {"VersionName": "0.10.0", "GmtCreateTime": "2021-02-01T00:00Z", "SourceType": "Custom"},
]
OLDEST_FIRST: Final = [
    *("0.2.0", "0.3.0", "0.10.0", "0.4.0", "0.5.0", "0.1.0"),
    *(f"1.{minor}.0_beta" for minor in range(1, 7)),
]
EVERYTHING: Final = {
    "version_name": "0.2.0",
    "format_type": "ONNX",
    "framework_type": "PyTorch",
    "source_type": "PAIFlow",
    "source_id": RUN,
    "label": "中文",
    "approval_status": "Rejected",
}


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("listing")
    file = folder / "listing.json"
    file.write_text(json.dumps(VERSIONS), encoding="utf-8")
    with bare_registry(folder, [saved_answer(file)]) as endpoint:
        yield sdk_client(endpoint)


def names(client: Client, **parameters: Any) -> tuple[int, list[str]]:
    total, versions = listed_versions(client, MODEL, **parameters)
    return total, [version["VersionName"] for version in versions]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param({"version_name": "0.1.0"}, ["0.1.0"], id="a name is exact: 0.10.0 is another"),
        pytest.param({"version_name": "0.1"}, [], id="part of a name"),
        pytest.param({"format_type": "Keras H5"}, ["0.3.0"], id="a format with a space"),
        pytest.param({"format_type": "keras h5"}, [], id="case counts"),
        pytest.param({"framework_type": "PyTorch"}, ["0.2.0", "0.5.0"], id="a framework"),
        pytest.param({"framework_type": "Caffe"}, [], id="a framework nobody used"),
        pytest.param({"source_type": "TrainingService"}, ["0.3.0"], id="a source type"),
        pytest.param({"source_id": RUN}, ["0.2.0"], id="a source with commas and equals signs"),
        pytest.param({"source_id": "a+b&c=d"}, ["0.3.0"], id="a source with a plus and an ampersand"),
        pytest.param({"source_id": "first try"}, ["0.1.0"], id="a source with a blank"),
        pytest.param({"source_id": "a b&c=d"}, [], id="a blank is no plus"),
        pytest.param({"label": "team"}, ["0.2.0", "0.1.0"], id="a label's key"),
        pytest.param({"label": "isio"}, ["0.2.0"], id="part of a label's value"),
        pytest.param({"label": "语"}, ["0.2.0"], id="part of a Chinese key"),
        pytest.param({"label": "50%"}, ["0.2.0"], id="a percent sign is no wildcard"),
        pytest.param({"label": "t_am"}, [], id="an underscore is no wildcard"),
        pytest.param({"label": "Team"}, [], id="a label's case counts"),
        pytest.param({"label": "teamspeech"}, [], id="a key and its value are two texts"),
        pytest.param({"approval_status": "Approved"}, ["0.4.0", "0.1.0"], id="Approved"),
        pytest.param({"approval_status": "Rejected"}, ["0.2.0"], id="Rejected"),
        pytest.param({"approval_status": "Pending"}, ["0.3.0"], id="Pending"),
        pytest.param({"approval_status": "Banned"}, [], id="a status that does not exist"),
        pytest.param({"label": "team", "approval_status": "Approved"}, ["0.1.0"], id="two filters both hold"),
        pytest.param({"label": "team", "approval_status": "Pending"}, [], id="two filters, each held by another"),
        pytest.param(EVERYTHING, ["0.2.0"], id="every filter"),
        *(pytest.param(EVERYTHING | {name: "other"}, [], id=f"every filter but {name}") for name in sorted(EVERYTHING)),
    ],
)
def test_a_filter_finds_exactly_the_versions_that_have_the_value(
    listing: Client, filters: dict[str, str], found: list[str]
) -> None:
    assert names(listing, **filters) == (len(found), found)


@pytest.mark.parametrize("name", sorted(EVERYTHING))
def test_an_empty_filter_is_no_filter(listing: Client, name: str) -> None:
    assert names(listing, page_size=100, **{name: ""}) == (12, OLDEST_FIRST)


@pytest.mark.parametrize(
    ("order", "found"), [({}, OLDEST_FIRST), ({"order": "ASC"}, OLDEST_FIRST), ({"order": "DESC"}, OLDEST_FIRST[::-1])]
)
@pytest.mark.parametrize("sort", [{}, {"sort_by": "GmtCreateTime"}])
def test_versions_come_by_time_of_creation_and_equal_times_as_they_were_created(
    listing: Client, order: dict[str, str], sort: dict[str, str], found: list[str]
) -> None:
    assert names(listing, page_size=100, **order, **sort) == (12, found)


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("size", [1, 5, 6, 11, 12, 100])
def test_the_pages_of_any_size_together_hold_every_version_once(listing: Client, size: int, order: str) -> None:
    last = -(-12 // size)
    pages = [names(listing, page_number=number, page_size=size, order=order) for number in range(1, last + 1)]
    assert [total for total, _ in pages] == [12] * last
    assert all(len(page) == size for _, page in pages[:-1])
    assert [name for _, page in pages for name in page] == OLDEST_FIRST[:: 1 if order == "ASC" else -1]


def test_the_first_ten_come_when_no_page_is_named(listing: Client) -> None:
    assert names(listing) == (12, OLDEST_FIRST[:10])
    assert names(listing, page_number=2) == (12, OLDEST_FIRST[10:])


@pytest.mark.parametrize("number", [3, 4, 1000, 999_999_999])
def test_a_page_past_the_end_is_empty_and_the_total_stays(listing: Client, number: int) -> None:
    assert names(listing, page_number=number) == (12, [])


def test_the_total_counts_what_the_filters_leave(listing: Client) -> None:
    assert names(listing, source_type="Custom", page_size=3, page_number=3, order="DESC") == (8, ["0.1.0", "0.10.0"])


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("page_number", 0, "InvalidPageNumber"),
        ("page_number", -1, "InvalidPageNumber"),
        ("page_number", "two", "InvalidPageNumber"),
        ("page_number", "1.5", "InvalidPageNumber"),
        ("page_number", "1_0", "InvalidPageNumber"),
        ("page_number", "９", "InvalidPageNumber"),
        ("page_number", 10**30, "InvalidPageNumber"),
        ("page_size", 0, "InvalidPageSize"),
        ("page_size", -5, "InvalidPageSize"),
        ("page_size", 101, "InvalidPageSize"),
        ("page_size", "all", "InvalidPageSize"),
        ("order", "asc", "InvalidOrder"),
        ("order", "Descending", "InvalidOrder"),
        ("sort_by", "VersionName", "InvalidSortBy"),
    ],
)
def test_a_page_or_order_that_does_not_exist_is_refused(listing: Client, name: str, value: object, code: str) -> None:
    assert refusal(lambda: names(listing, **{name: value})) == (400, code)


def test_a_model_that_does_not_exist_is_refused(listing: Client) -> None:
    assert refusal(lambda: listed_versions(listing, "model-other")) == (404, "201900002")


def test_the_latest_version_is_the_newest_by_creation_wherever_it_stands_in_the_file(listing: Client) -> None:
    assert read_model(listing, MODEL)["LatestVersion"] == VERSIONS[5] | {"Labels": []}
    assert VERSIONS[5]["VersionName"] == "1.6.0_beta"


def test_versions_come_as_they_are_stored(listing: Client) -> None:
    stored = {version["VersionName"]: {"Labels": []} | version for version in VERSIONS}
    assert listed_versions(listing, MODEL, page_size=100)[1] == [stored[name] for name in OLDEST_FIRST]

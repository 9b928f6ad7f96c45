"""Workspaces and datasets as the official SDK reads them."""

from functools import partial
from typing import Any

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client

from tests.embedded.sdk import refusal


def workspaces(sdk: Client, **parameters: Any) -> tuple[int, list[dict[str, Any]]]:
    answer = sdk.list_workspaces(models.ListWorkspacesRequest(**parameters)).body.to_map()
    return answer["TotalCount"], answer["Workspaces"]


def datasets(sdk: Client, **parameters: Any) -> tuple[int, list[str]]:
    answer = sdk.list_datasets(models.ListDatasetsRequest(**parameters)).body.to_map()
    return answer["TotalCount"], [dataset["DatasetId"] for dataset in answer["Datasets"]]


def dataset(sdk: Client, dataset_id: str) -> dict[str, Any]:
    fields: dict[str, Any] = sdk.get_dataset(dataset_id, models.GetDatasetRequest()).body.to_map()
    return fields


def test_there_are_two_workspaces_and_the_first_is_the_default(published_sdk: Client) -> None:
    total, found = workspaces(published_sdk)
    assert (total, [item["WorkspaceId"] for item in found]) == (2, ["1", "2"])
    assert [item["IsDefault"] for item in found] == [True, False]
    assert [(item["Status"], item["AdminNames"]) for item in found] == [("ENABLED", [])] * 2
    request = models.GetWorkspaceRequest(verbose=True)
    for item in found:
        one = published_sdk.get_workspace(item["WorkspaceId"], request).body
        assert (one.workspace_name, one.is_default) == (item["WorkspaceName"], item["IsDefault"])
    default = published_sdk.get_default_workspace(models.GetDefaultWorkspaceRequest()).body
    assert default.workspace_id == "1"


def test_the_list_and_the_workspace_spell_the_resource_group_as_the_service_does(published_sdk: Client) -> None:
    listed = workspaces(published_sdk)[1][0]
    one = published_sdk.get_workspace("1", models.GetWorkspaceRequest()).body.to_map()
    assert listed["resourceGroupId"] == one["ResourceGroupId"] == "rg-published"


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"workspace_name": "publish"}, ["1", "2"]),
        ({"workspace_name": "vision"}, ["2"]),
        ({"workspace_name": "other"}, []),
        ({"workspace_ids": "7,1"}, ["1"]),
        ({"workspace_ids": "2,1"}, ["1", "2"]),
        ({"workspace_ids": "11"}, []),
        ({"status": "ENABLED"}, ["1", "2"]),
        ({"status": "DISABLED"}, []),
        ({"resource_group_id": "rg-published"}, ["1", "2"]),
        ({"resource_group_id": "rg-other"}, []),
        ({"sort_by": "GmtModifiedTime", "order": "DESC", "verbose": True}, ["2", "1"]),
    ],
)
def test_a_workspace_is_found_by_what_it_is(published_sdk: Client, filters: dict[str, Any], ids: list[str]) -> None:
    total, found = workspaces(published_sdk, **filters)
    assert (total, [item["WorkspaceId"] for item in found]) == (len(ids), ids)


def test_a_workspace_page_can_be_ids_alone_limits_or_empty(published_sdk: Client) -> None:
    assert workspaces(published_sdk, fields="Id") == (2, [{"WorkspaceId": "1"}, {"WorkspaceId": "2"}])
    assert workspaces(published_sdk, fields="Id", page_size=1, page_number=2) == (2, [{"WorkspaceId": "2"}])
    assert workspaces(published_sdk, option="GetResourceLimits") == (0, [])
    assert workspaces(published_sdk, page_number=2) == (2, [])


def test_a_workspace_that_does_not_exist_is_not_found(published_sdk: Client) -> None:
    assert refusal(lambda: published_sdk.get_workspace("3", models.GetWorkspaceRequest())) == (404, "100400027")
    assert refusal(partial(workspaces, published_sdk, sort_by="WorkspaceName")) == (400, "InvalidSortBy")


def test_a_dataset_gives_its_name_and_where_it_is(published_sdk: Client) -> None:
    read = dataset(published_sdk, "imagenet-1k-val")
    assert (read["Name"], read["Description"]) == ("ImageNet-1k validation", "50,000 images, 1,000 classes")
    assert (read["WorkspaceId"], read["Accessibility"]) == ("2", "PUBLIC")
    assert read["Uri"] == "oss://paiview-demo.oss-cn-hangzhou.aliyuncs.com/datasets/imagenet-1k-val/"
    assert (read["DataSourceType"], read["DataType"], read["Property"]) == ("OSS", "PIC", "DIRECTORY")
    assert read["Labels"] == [{"Key": "uri", "Value": "invented for this demonstration"}]


def test_a_dataset_whose_id_holds_a_slash_is_found(published_sdk: Client) -> None:
    assert dataset(published_sdk, "aishell1-test/chunk-16")["Name"] == "AISHELL-1 (chunk 16)"


def test_a_name_that_several_datasets_have_is_told_apart(published_sdk: Client) -> None:
    names = [
        item.name
        for number in (1, 2, 3)
        for item in published_sdk.list_datasets(
            models.ListDatasetsRequest(name="wenetspeech", page_size=100, page_number=number)
        ).body.datasets
    ]
    assert len(names) == len(set(names))
    assert "WenetSpeech" not in names


def test_a_dataset_that_does_not_exist_is_not_found(published_sdk: Client) -> None:
    assert refusal(lambda: dataset(published_sdk, "d-other")) == (404, "201300003")


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"dataset_ids": "coco-val2017", "workspace_id": "2"}, ["coco-val2017"]),
        ({"dataset_ids": "coco-val2017"}, ["coco-val2017"]),
        ({"dataset_ids": "coco-val2017", "workspace_id": "1"}, ["coco-val2017"]),
        ({"dataset_ids": "wsj", "workspace_id": "2"}, []),
        ({"dataset_ids": "coco-val2017", "workspace_id": "3"}, []),
        ({"dataset_ids": "wsj,d-unknown,artie"}, ["artie", "wsj"]),
        ({"name": "IMAGENET real", "workspace_id": "2"}, ["imagenet-real"]),
        ({"name": "no such dataset"}, []),
        ({"label": "x"}, []),
        ({"dataset_ids": "wsj", "label": "invented"}, ["wsj"]),
        ({"dataset_ids": "wsj", "accessibility": "PUBLIC"}, ["wsj"]),
        ({"dataset_ids": "wsj", "accessibility": "PRIVATE"}, []),
        ({"dataset_ids": "wsj", "data_types": "PIC,AUDIO"}, ["wsj"]),
        ({"dataset_ids": "wsj", "data_types": "PIC"}, []),
        ({"dataset_ids": "wsj", "data_source_types": "OSS", "properties": "DIRECTORY"}, ["wsj"]),
        ({"dataset_ids": "wsj", "data_source_types": "NAS"}, []),
        ({"dataset_ids": "wsj", "properties": "FILE"}, []),
    ],
)
def test_datasets_are_found_by_id_name_and_place(
    published_sdk: Client, filters: dict[str, str], ids: list[str]
) -> None:
    assert datasets(published_sdk, **filters) == (len(ids), ids)


@pytest.mark.parametrize("sort", ["GmtCreateTime", "GmtModifiedTime", "Name"])
def test_the_pages_of_datasets_in_either_order_hold_each_once(published_sdk: Client, sort: str) -> None:
    totals, ids = set(), dict[str, list[str]]()
    for order in ("ASC", "DESC"):
        pages = [datasets(published_sdk, order=order, sort_by=sort, page_size=50, page_number=n) for n in range(1, 7)]
        totals |= {total for total, _ in pages}
        ids[order] = [dataset_id for _, page in pages for dataset_id in page]
    assert totals == {len(ids["ASC"])}
    assert len(set(ids["ASC"])) == len(ids["ASC"])
    assert ids["DESC"] == ids["ASC"][::-1]

"""The operations on workspaces and datasets.

There are two workspaces, the default one with the speech models and one with the vision models.
"""

from typing import Final

from paiview.embedded import assumptions
from paiview.embedded.request import ApiRequest, RefusedError, listing, to_json
from paiview.embedded.store import Store
from paiview.pai.objects import JsonObject

WORKSPACE_ID: Final = "1"
"""The default workspace."""
VISION_WORKSPACE_ID: Final = "2"
OWNER_ID: Final = "1000000000000001"
PUBLIC_OWNER_ID: Final = "1000000000000002"
"""The account that owns the public models of providers."""
_RESOURCE_GROUP_ID: Final = "rg-published"
_LIST_FILTERS: Final = {"DataSourceTypes": "DataSourceType", "DataTypes": "DataType", "Properties": "Property"}
"""Filters of ListDatasets that are comma lists, to the field of a dataset."""


def _workspace(workspace_id: str, name: str, display_name: str, created: str) -> JsonObject:
    return {
        "WorkspaceId": workspace_id,
        "WorkspaceName": name,
        "DisplayName": display_name,
        "Description": "Evaluation results from public repositories, each with its citation.",
        "Status": "ENABLED",
        "IsDefault": workspace_id == WORKSPACE_ID,
        "Creator": OWNER_ID,
        "AdminNames": [],
        "EnvTypes": ["prod"],
        "ExtraInfos": {"TenantId": OWNER_ID},
        "GmtCreateTime": created,
        "GmtModifiedTime": created,
    }


_WORKSPACES: Final = {
    item["WorkspaceId"]: item
    for item in (
        _workspace(WORKSPACE_ID, "published_speech", "Published speech results", "2020-01-01T00:00:00.000Z"),
        _workspace(VISION_WORKSPACE_ID, "published_vision", "Published vision results", "2020-01-02T00:00:00.000Z"),
    )
}


def require_workspace(workspace_id: str) -> JsonObject:
    """A workspace.

    Raises:
        RefusedError: it does not exist.
    """
    if workspace_id not in _WORKSPACES:
        raise RefusedError(assumptions.WORKSPACE_NOT_FOUND, "Workspace not exists")
    return _WORKSPACES[workspace_id]


def list_workspaces(_store: Store, request: ApiRequest) -> str:
    """ListWorkspaces."""
    page = request.page(size=20, sorts=("GmtCreateTime", "GmtModifiedTime"))
    if request.text("Option") == "GetResourceLimits":
        return '{"TotalCount":0,"Workspaces":[],"ResourceLimits":{}}'
    ids = request.text("WorkspaceIds")
    matches = [
        {"WorkspaceId": workspace_id} if request.text("Fields") == "Id" else _listed_workspace(workspace)
        for workspace_id, workspace in _WORKSPACES.items()
        if (request.text("WorkspaceName") or "") in workspace["WorkspaceName"]
        and (ids is None or workspace_id in ids.split(","))
        and request.text("Status") in (None, workspace["Status"])
        and request.text("ResourceGroupId") in (None, _RESOURCE_GROUP_ID)
    ]
    if page.descending:
        matches.reverse()
    on_page = matches[page.offset : page.offset + page.size]
    return listing("Workspaces", len(matches), map(to_json, on_page))


def _listed_workspace(workspace: JsonObject) -> JsonObject:
    return workspace | {"resourceGroupId": _RESOURCE_GROUP_ID}


def get_workspace(_store: Store, request: ApiRequest) -> str:
    """GetWorkspace. It writes ResourceGroupId with a capital R, ListWorkspaces with a small one."""
    return to_json(require_workspace(request.path["WorkspaceId"]) | {"ResourceGroupId": _RESOURCE_GROUP_ID})


def get_default_workspace(_store: Store, _request: ApiRequest) -> str:
    """GetDefaultWorkspace."""
    omitted = ("IsDefault", "AdminNames", "ExtraInfos")
    return to_json({name: value for name, value in _WORKSPACES[WORKSPACE_ID].items() if name not in omitted})


def list_datasets(store: Store, request: ApiRequest) -> str:
    """ListDatasets; without WorkspaceId it lists those of the default workspace.

    All datasets are shared with the default workspace, and a listing includes those that are shared with it, as the
    documentation of ShareScope says.
    """
    page = request.page(sorts=("GmtCreateTime", "GmtModifiedTime", "Name"))
    ids = (request.text("DatasetIds") or "").split(",")
    name = (request.text("Name") or "").casefold()
    label = request.text("Label") or ""
    workspace_id = request.text("WorkspaceId") or WORKSPACE_ID
    matches = [
        dataset
        for dataset in store.datasets()
        if workspace_id in (WORKSPACE_ID, dataset["WorkspaceId"])
        and (ids == [""] or dataset["DatasetId"] in ids)
        and name in dataset["Name"].casefold()
        and (not label or any(label in text for each in dataset["Labels"] for text in each.values()))
        and request.text("Accessibility") in (None, dataset["Accessibility"])
        and all(
            request.text(parameter) is None or dataset[field] in (request.text(parameter) or "").split(",")
            for parameter, field in _LIST_FILTERS.items()
        )
    ]
    matches.sort(key=lambda dataset: dataset[page.sort_by])
    if page.descending:
        matches.reverse()
    on_page = matches[page.offset : page.offset + page.size]
    return listing("Datasets", len(matches), map(to_json, on_page))


def get_dataset(store: Store, request: ApiRequest) -> str:
    """GetDataset."""
    dataset = store.dataset(request.path["DatasetId"])
    if dataset is None:
        raise RefusedError(assumptions.DATASET_NOT_FOUND, f"Dataset {request.path['DatasetId']} does not exist.")
    return to_json(dataset)

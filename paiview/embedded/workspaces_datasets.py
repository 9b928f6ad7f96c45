"""The operations on workspaces and datasets. There is one workspace, which contains all models and datasets."""

from typing import Final

from paiview.embedded import assumptions
from paiview.embedded.request import ApiRequest, RefusedError, listing, to_json
from paiview.embedded.store import Store
from paiview.pai.objects import JsonObject

WORKSPACE_ID: Final = "1"
OWNER_ID: Final = "1000000000000001"

_WORKSPACE: Final[JsonObject] = {
    "WorkspaceId": WORKSPACE_ID,
    "WorkspaceName": "published",
    "DisplayName": "Published results",
    "Description": "Evaluation results from public repositories, each with its citation.",
    "Status": "ENABLED",
    "IsDefault": True,
    "Creator": OWNER_ID,
    "AdminNames": [],
    "EnvTypes": ["prod"],
    "ExtraInfos": {"TenantId": OWNER_ID},
    "GmtCreateTime": "2020-01-01T00:00:00.000Z",
    "GmtModifiedTime": "2020-01-01T00:00:00.000Z",
}
_RESOURCE_GROUP_ID: Final = "rg-published"


def require_workspace(workspace_id: str) -> None:
    """Check that a workspace exists.

    Raises:
        RefusedError: it does not.
    """
    if workspace_id != WORKSPACE_ID:
        raise RefusedError(assumptions.WORKSPACE_NOT_FOUND, "Workspace not exists")


def list_workspaces(_store: Store, request: ApiRequest) -> str:
    """ListWorkspaces."""
    page = request.page(size=20, sorts=("GmtCreateTime", "GmtModifiedTime"))
    if request.text("Option") == "GetResourceLimits":
        return '{"TotalCount":0,"Workspaces":[],"ResourceLimits":{}}'
    ids, status = request.text("WorkspaceIds"), request.text("Status")
    matches = (
        (request.text("WorkspaceName") or "") in _WORKSPACE["WorkspaceName"]
        and (ids is None or WORKSPACE_ID in ids.split(","))
        and status in (None, _WORKSPACE["Status"])
        and request.text("ResourceGroupId") in (None, _RESOURCE_GROUP_ID)
    )
    item = {"WorkspaceId": WORKSPACE_ID} if request.text("Fields") == "Id" else _listed_workspace()
    workspaces = [to_json(item)] if matches else []
    return listing("Workspaces", len(workspaces), workspaces[page.offset : page.offset + page.size])


def _listed_workspace() -> JsonObject:
    return _WORKSPACE | {"resourceGroupId": _RESOURCE_GROUP_ID}


def get_workspace(_store: Store, request: ApiRequest) -> str:
    """GetWorkspace. It writes ResourceGroupId with a capital R, ListWorkspaces with a small one."""
    require_workspace(request.path["WorkspaceId"])
    return to_json(_WORKSPACE | {"ResourceGroupId": _RESOURCE_GROUP_ID})


def get_default_workspace(_store: Store, _request: ApiRequest) -> str:
    """GetDefaultWorkspace."""
    omitted = ("IsDefault", "AdminNames", "ExtraInfos")
    return to_json({name: value for name, value in _WORKSPACE.items() if name not in omitted})


def list_datasets(store: Store, request: ApiRequest) -> str:
    """ListDatasets; without WorkspaceId it lists those of the default workspace."""
    page = request.page(sorts=("GmtCreateTime", "GmtModifiedTime", "Name"))
    ids = (request.text("DatasetIds") or "").split(",")
    name = (request.text("Name") or "").casefold()
    label = request.text("Label") or ""
    matches = [
        dataset
        for dataset in store.datasets()
        if request.text("WorkspaceId") in (None, dataset["WorkspaceId"])
        and (ids == [""] or dataset["DatasetId"] in ids)
        and name in dataset["Name"].casefold()
        and (not label or any(label in text for each in dataset["Labels"] for text in each.values()))
        and request.text("Accessibility") in (None, dataset["Accessibility"])
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

"""The operations on workspaces and datasets. There is one workspace, which holds everything."""

from typing import Final

from paiview.embedded import assumptions
from paiview.embedded.request import Call, RefusedError, listing, to_json
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
    """Raise the service's answer unless the workspace exists."""
    if workspace_id != WORKSPACE_ID:
        raise RefusedError(assumptions.WORKSPACE_NOT_FOUND, "Workspace not exists")


def list_workspaces(_store: Store, call: Call) -> str:
    """ListWorkspaces."""
    page = call.page(size=20, sorts=("GmtCreateTime", "GmtModifiedTime"))
    if call.text("Option") == "GetResourceLimits":
        return '{"TotalCount":0,"Workspaces":[],"ResourceLimits":{}}'
    ids, status = call.text("WorkspaceIds"), call.text("Status")
    matches = (
        (call.text("WorkspaceName") or "") in _WORKSPACE["WorkspaceName"]
        and (ids is None or WORKSPACE_ID in ids.split(","))
        and status in (None, _WORKSPACE["Status"])
        and call.text("ResourceGroupId") in (None, _RESOURCE_GROUP_ID)
    )
    item = {"WorkspaceId": WORKSPACE_ID} if call.text("Fields") == "Id" else _listed_workspace()
    found = [to_json(item)] if matches else []
    return listing("Workspaces", len(found), found[page.offset : page.offset + page.size])


def _listed_workspace() -> JsonObject:
    return _WORKSPACE | {"resourceGroupId": _RESOURCE_GROUP_ID}


def get_workspace(_store: Store, call: Call) -> str:
    """GetWorkspace, which spells ResourceGroupId with a capital where the list does not."""
    require_workspace(call.path["WorkspaceId"])
    return to_json(_WORKSPACE | {"ResourceGroupId": _RESOURCE_GROUP_ID})


def get_default_workspace(_store: Store, _call: Call) -> str:
    """GetDefaultWorkspace."""
    left_out = ("IsDefault", "AdminNames", "ExtraInfos")
    return to_json({name: value for name, value in _WORKSPACE.items() if name not in left_out})


def list_datasets(store: Store, call: Call) -> str:
    """ListDatasets; without WorkspaceId that of the default workspace."""
    page = call.page(sorts=("GmtCreateTime", "GmtModifiedTime", "Name"))
    ids = (call.text("DatasetIds") or "").split(",")
    name = (call.text("Name") or "").casefold()
    label = call.text("Label") or ""
    matches = [
        dataset
        for dataset in store.datasets()
        if call.text("WorkspaceId") in (None, dataset["WorkspaceId"])
        and (ids == [""] or dataset["DatasetId"] in ids)
        and name in dataset["Name"].casefold()
        and (not label or any(label in text for each in dataset["Labels"] for text in each.values()))
        and call.text("Accessibility") in (None, dataset["Accessibility"])
    ]
    matches.sort(key=lambda dataset: dataset[page.sort_by])
    if page.descending:
        matches.reverse()
    found = matches[page.offset : page.offset + page.size]
    return listing("Datasets", len(matches), map(to_json, found))


def get_dataset(store: Store, call: Call) -> str:
    """GetDataset."""
    dataset = store.dataset(call.path["DatasetId"])
    if dataset is None:
        raise RefusedError(assumptions.DATASET_NOT_FOUND, f"Dataset {call.path['DatasetId']} does not exist.")
    return to_json(dataset)

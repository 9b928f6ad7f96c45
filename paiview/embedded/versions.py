"""The operations on model versions."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from paiview.embedded import assumptions
from paiview.embedded.request import (
    Call,
    RefusedError,
    listing,
    merge_labels,
    require,
    to_json,
    wire_time,
    without_labels,
)
from paiview.embedded.store import VERSION_FILTERS, Store, StoredVersion
from paiview.embedded.workspaces_datasets import OWNER_ID
from paiview.pai.objects import JsonObject

_STATUSES: Final = ("Pending", "Approved", "Rejected")
_FINAL_STATUSES: Final = ("Approved", "Rejected")
_NUMBERS: Final = re.compile(r"(\d{1,18})\.(\d{1,18})\.", re.ASCII)
"""What a name is counted by for the automatic one; longer numbers do not count."""
_CHANGEABLE: Final[dict[str, type]] = {
    "VersionDescription": str,
    "ApprovalStatus": str,
    "Metrics": dict,
    "Options": str,
    "SourceType": str,
    "SourceId": str,
    "ExtraInfo": dict,
    "TrainingSpec": dict,
    "InferenceSpec": dict,
    "EvaluationSpec": dict,
    "CompressionSpec": dict,
    "DistillationSpec": dict,
}
_CREATABLE: Final[dict[str, type]] = _CHANGEABLE | {
    "VersionName": str,
    "Uri": str,
    "FormatType": str,
    "FrameworkType": str,
    "Labels": list,
}


def list_versions(store: Store, call: Call) -> str:
    """ListModelVersions."""
    page = call.page()
    model_id = _known_model(store, call)
    filters = {name: call.text(name) for name in VERSION_FILTERS}
    total, found = store.versions(model_id, filters, descending=page.descending, offset=page.offset, limit=page.size)
    return listing("Versions", total, found)


def get_version(store: Store, call: Call) -> str:
    """GetModelVersion."""
    return to_json(_known_version(store, call).fields)


def create_version(store: Store, call: Call) -> str:
    """CreateModelVersion."""
    fields = _checked(call.fields(_CREATABLE))
    require(fields.get("Uri"), "Uri")
    with store.transaction():
        model_id = _known_model(store, call)
        name = fields.get("VersionName") or _next_name(store.version_names(model_id))
        if not assumptions.VERSION_NAME.fullmatch(name):
            raise RefusedError(
                assumptions.invalid("VersionName"), f"VersionName must match {assumptions.VERSION_NAME.pattern}"
            )
        if store.version(model_id, name):
            raise RefusedError(assumptions.DUPLICATE_VERSION, f"Version {name} exists already.")
        now = wire_time(datetime.now(UTC))
        defaults = {
            "ApprovalStatus": assumptions.DEFAULT_APPROVAL_STATUS,
            "SourceType": assumptions.DEFAULT_SOURCE_TYPE,
        }
        filled = {
            "VersionName": name,
            "Labels": merge_labels((), call.body),
            "UserId": OWNER_ID,
            "OwnerId": OWNER_ID,
            "GmtCreateTime": now,
            "GmtModifiedTime": now,
        }
        store.save_version(model_id, defaults | fields | filled)
    return to_json({"VersionName": name})


def update_version(store: Store, call: Call) -> str:
    """UpdateModelVersion, with which a version is approved or rejected, for good."""
    fields = _checked(call.fields(_CHANGEABLE))
    with store.transaction():
        stored = _known_version(store, call)
        status = stored.fields.get("ApprovalStatus")
        if status in _FINAL_STATUSES and fields.get("ApprovalStatus", status) != status:
            raise RefusedError(assumptions.FORBIDDEN_MOVE, f"ApprovalStatus {status} is final.")
        _save(store, call, stored, fields)
    return "{}"


def delete_version(store: Store, call: Call) -> str:
    """DeleteModelVersion."""
    with store.transaction():
        store.delete_version(_known_version(store, call).place)
    return "{}"


def create_version_labels(store: Store, call: Call) -> str:
    """CreateModelVersionLabels: sets labels by key."""
    call.fields({"Labels": list})
    with store.transaction():
        stored = _known_version(store, call)
        _save(store, call, stored, {"Labels": merge_labels(stored.fields.get("Labels"), call.body)})
    return "{}"


def delete_version_labels(store: Store, call: Call) -> str:
    """DeleteModelVersionLabels."""
    with store.transaction():
        stored = _known_version(store, call)
        _save(store, call, stored, {"Labels": without_labels(stored.fields.get("Labels"), call)})
    return "{}"


def _save(store: Store, call: Call, stored: StoredVersion, changes: JsonObject) -> None:
    modified = {"GmtModifiedTime": wire_time(datetime.now(UTC))}
    store.save_version(call.path["ModelId"], stored.fields | changes | modified, stored.place)


def _known_model(store: Store, call: Call) -> str:
    model_id = call.path["ModelId"]
    if store.model(model_id) is None:
        raise RefusedError(assumptions.MODEL_NOT_FOUND, f"Model {model_id} does not exist.")
    return model_id


def _known_version(store: Store, call: Call) -> StoredVersion:
    model_id, name = _known_model(store, call), call.path["VersionName"]
    stored = store.version(model_id, name)
    if stored is None:
        raise RefusedError(assumptions.VERSION_NOT_FOUND, f"Version {name} of model {model_id} does not exist.")
    return stored


def _checked(fields: JsonObject) -> JsonObject:
    if fields.get("ApprovalStatus", _STATUSES[0]) not in _STATUSES:
        raise RefusedError(
            assumptions.invalid("ApprovalStatus"), f"ApprovalStatus must be one of {', '.join(_STATUSES)}."
        )
    _check_size(fields.get("Metrics"))
    return fields


def _check_size(metrics: Any) -> None:
    limit = assumptions.MAXIMUM_METRICS_BYTES
    if metrics is not None and len(to_json(metrics).encode()) > limit:
        raise RefusedError(assumptions.invalid("Metrics"), f"Metrics must not exceed {limit} bytes once serialised.")


def _next_name(names: list[str]) -> str:
    """0.1.0 for the first version, then the highest (major, minor) with the minor number one up."""
    numbered = filter(None, map(_NUMBERS.match, names))
    major, minor = max(((int(found[1]), int(found[2])) for found in numbered), default=(0, 0))
    return f"{major}.{minor + 1}.0"

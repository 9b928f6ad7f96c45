"""The operations on model versions."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from paiview.embedded import assumptions
from paiview.embedded.request import (
    ApiRequest,
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
from paiview.pai.listing_facts import facts_body
from paiview.pai.objects import MAX_METRICS_BYTES, JsonObject

_STATUSES: Final = ("Pending", "Approved", "Rejected")
_FINAL_STATUSES: Final = ("Approved", "Rejected")
_NUMBERS: Final = re.compile(r"(\d{1,18})\.(\d{1,18})\.", re.ASCII)
"""The parts of a version name that the automatic name follows; a name with longer numbers is skipped."""
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


def list_versions(store: Store, request: ApiRequest) -> str:
    """ListModelVersions."""
    page = request.page()
    model_id = _existing_model_id(store, request)
    filters = {name: request.text(name) for name in VERSION_FILTERS}
    total, versions = store.versions(model_id, filters, descending=page.descending, offset=page.offset, limit=page.size)
    facts = store.facts(model_id)
    if (origin := facts.origin) and origin.missing:
        facts = facts._replace(origin=origin.model_copy(update={"listed": total}))
        # Whether a version that was not saved would match a filter is unknown, so only the whole listing counts it.
        total += 0 if any(filters.values()) else origin.missing
    return listing("Versions", total, versions, facts_body(facts))


def get_version(store: Store, request: ApiRequest) -> str:
    """GetModelVersion."""
    return to_json(_stored_version(store, request).fields)


def create_version(store: Store, request: ApiRequest) -> str:
    """CreateModelVersion."""
    fields = _checked(request.fields(_CREATABLE))
    require(fields.get("Uri"), "Uri")
    with store.transaction():
        model_id = _existing_model_id(store, request)
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
            "Labels": merge_labels((), request.body),
            "UserId": OWNER_ID,
            "OwnerId": OWNER_ID,
            "GmtCreateTime": now,
            "GmtModifiedTime": now,
        }
        store.save_version(model_id, defaults | fields | filled)
    return to_json({"VersionName": name})


def update_version(store: Store, request: ApiRequest) -> str:
    """UpdateModelVersion. It also approves or rejects a version, which is final."""
    fields = _checked(request.fields(_CHANGEABLE))
    with store.transaction():
        stored = _stored_version(store, request)
        status = stored.fields.get("ApprovalStatus")
        if status in _FINAL_STATUSES and fields.get("ApprovalStatus", status) != status:
            raise RefusedError(assumptions.FORBIDDEN_MOVE, f"ApprovalStatus {status} is final.")
        _save(store, request, stored, fields)
    return "{}"


def delete_version(store: Store, request: ApiRequest) -> str:
    """DeleteModelVersion."""
    with store.transaction():
        store.delete_version(_stored_version(store, request).place)
    return "{}"


def create_version_labels(store: Store, request: ApiRequest) -> str:
    """CreateModelVersionLabels, which sets labels by key."""
    request.fields({"Labels": list})
    with store.transaction():
        stored = _stored_version(store, request)
        _save(store, request, stored, {"Labels": merge_labels(stored.fields.get("Labels"), request.body)})
    return "{}"


def delete_version_labels(store: Store, request: ApiRequest) -> str:
    """DeleteModelVersionLabels."""
    with store.transaction():
        stored = _stored_version(store, request)
        _save(store, request, stored, {"Labels": without_labels(stored.fields.get("Labels"), request)})
    return "{}"


def _save(store: Store, request: ApiRequest, stored: StoredVersion, changes: JsonObject) -> None:
    modified = {"GmtModifiedTime": wire_time(datetime.now(UTC))}
    store.save_version(request.path["ModelId"], stored.fields | changes | modified, stored.place)


def _existing_model_id(store: Store, request: ApiRequest) -> str:
    model_id = request.path["ModelId"]
    if store.model(model_id) is None:
        raise RefusedError(assumptions.MODEL_NOT_FOUND, f"Model {model_id} does not exist.")
    return model_id


def _stored_version(store: Store, request: ApiRequest) -> StoredVersion:
    model_id, name = _existing_model_id(store, request), request.path["VersionName"]
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
    """Seeded data is exempt."""
    if metrics is not None and len(to_json(metrics).encode()) > MAX_METRICS_BYTES:
        problem = f"Metrics must not exceed {MAX_METRICS_BYTES} bytes once serialised."
        raise RefusedError(assumptions.invalid("Metrics"), problem)


def _next_name(names: list[str]) -> str:
    """0.1.0 for the first version, otherwise the highest (major, minor) with the minor number plus one."""
    matches = filter(None, map(_NUMBERS.match, names))
    major, minor = max(((int(match[1]), int(match[2])) for match in matches), default=(0, 0))
    return f"{major}.{minor + 1}.0"

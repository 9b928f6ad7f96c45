"""The operations on models."""

import json
import re
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

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
from paiview.embedded.store import Store
from paiview.embedded.workspaces_datasets import OWNER_ID, WORKSPACE_ID, require_workspace
from paiview.pai.objects import JsonObject

_MAX_NAME_CHARACTERS: Final = 127
_ACCESSIBILITIES: Final = ("PRIVATE", "PUBLIC")
_INTEGER: Final = re.compile(r"-?\d{1,18}", re.ASCII)
_ID_CHARACTERS: Final = string.ascii_lowercase + string.digits
_CHANGEABLE: Final[dict[str, type]] = {
    "ModelName": str,
    "ModelDescription": str,
    "ModelDoc": str,
    "Accessibility": str,
    "Domain": str,
    "Task": str,
    "Origin": str,
    "ModelType": str,
    "OrderNumber": int,
    "ParameterSize": int,
    "ExtraInfo": dict,
}
_COMPARISONS: Final[dict[str, Callable[[int, int], bool]]] = {
    "LessThan": int.__lt__,
    "GreaterThan": int.__gt__,
    "Equal": int.__eq__,
}


def list_models(store: Store, request: ApiRequest) -> str:
    """ListModels."""
    page = request.page()
    tags, conditions = _filter_list(request, "Tag", ("Key", "Value")), _conditions(request)
    matches = [
        model
        for model in store.models()
        if _matches(model, request)
        and all(tag in model["Labels"] for tag in tags)
        and all(condition.holds(model.get("ParameterSize")) for condition in conditions)
    ]
    if page.descending:
        matches.reverse()
    on_page = matches[page.offset : page.offset + page.size]
    return listing("Models", len(matches), (to_json(_listed(store, model)) for model in on_page))


def get_model(store: Store, request: ApiRequest) -> str:
    """GetModel. Unlike ListModels it returns no Tags."""
    return to_json(_with_latest(store, _stored_model(store, request)))


def create_model(store: Store, request: ApiRequest) -> str:
    """CreateModel."""
    fields = _checked(request.fields(_CHANGEABLE))
    require(fields.get("ModelName"), "ModelName")
    lists = request.fields({"WorkspaceId": str, "Labels": list, "Tag": list})
    workspace_id = lists.get("WorkspaceId") or WORKSPACE_ID
    require_workspace(workspace_id)
    model_id = "model-" + "".join(secrets.choice(_ID_CHARACTERS) for _ in range(20))
    now = wire_time(datetime.now(UTC), "milliseconds")
    labels = merge_labels(merge_labels((), request.body), request.body, "Tag")
    model = {"ModelId": model_id, "WorkspaceId": workspace_id, "Accessibility": _ACCESSIBILITIES[0]} | fields
    owner = {"UserId": OWNER_ID, "OwnerId": OWNER_ID, "GmtCreateTime": now, "GmtModifiedTime": now}
    store.save_model(model_id, model | {"Labels": labels} | owner)
    return to_json({"ModelId": model_id})


def update_model(store: Store, request: ApiRequest) -> str:
    """UpdateModel."""
    fields = _checked(request.fields(_CHANGEABLE))
    with store.transaction():
        _save(store, _stored_model(store, request), fields)
    return "{}"


def delete_model(store: Store, request: ApiRequest) -> str:
    """DeleteModel, which also deletes its versions."""
    with store.transaction():
        _stored_model(store, request)
        store.delete_model(request.path["ModelId"])
    return "{}"


def create_model_labels(store: Store, request: ApiRequest) -> str:
    """CreateModelLabels, which sets labels by key."""
    request.fields({"Labels": list})
    with store.transaction():
        model = _stored_model(store, request)
        _save(store, model, {"Labels": merge_labels(model["Labels"], request.body)})
    return "{}"


def delete_model_labels(store: Store, request: ApiRequest) -> str:
    """DeleteModelLabels."""
    with store.transaction():
        model = _stored_model(store, request)
        _save(store, model, {"Labels": without_labels(model["Labels"], request)})
    return "{}"


def _save(store: Store, model: JsonObject, changes: JsonObject) -> None:
    modified = {"GmtModifiedTime": wire_time(datetime.now(UTC), "milliseconds")}
    store.save_model(model["ModelId"], model | changes | modified)


def _stored_model(store: Store, request: ApiRequest) -> JsonObject:
    model = store.model(request.path["ModelId"])
    if model is None:
        raise RefusedError(assumptions.MODEL_NOT_FOUND, f"Model {request.path['ModelId']} does not exist.")
    return model


def _checked(fields: JsonObject) -> JsonObject:
    if "ModelName" in fields and not 1 <= len(fields["ModelName"]) <= _MAX_NAME_CHARACTERS:
        raise RefusedError(
            assumptions.invalid("ModelName"), f"ModelName must have 1 to {_MAX_NAME_CHARACTERS} characters."
        )
    if fields.get("Accessibility", _ACCESSIBILITIES[0]) not in _ACCESSIBILITIES:
        raise RefusedError(assumptions.invalid("Accessibility"), "Accessibility must be PRIVATE or PUBLIC.")
    return fields


def _with_latest(store: Store, model: JsonObject) -> JsonObject:
    latest = store.latest_version(model["ModelId"])
    if latest is None:
        return model
    return model | {"LatestVersion": latest, "GmtLatestVersionModifiedTime": latest.get("GmtModifiedTime")}


def _listed(store: Store, model: JsonObject) -> JsonObject:
    return _with_latest(store, model | {"Tags": model["Labels"]})


class _Condition(NamedTuple):
    """A comparison of a model's ParameterSize."""

    compare: Callable[[int, int], bool]
    value: int

    def holds(self, size: int | None) -> bool:
        return size is not None and self.compare(size, self.value)


def _conditions(request: ApiRequest) -> list[_Condition]:
    conditions = []
    for item in _filter_list(request, "Conditions", ("Column", "Operator", "Value")):
        compare = _COMPARISONS.get(item["Operator"])
        if item["Column"] != "ParameterSize" or compare is None or not _INTEGER.fullmatch(item["Value"]):
            raise RefusedError(
                assumptions.invalid("Conditions"),
                f"Conditions compare ParameterSize with an integer by {', '.join(_COMPARISONS)}.",
            )
        conditions.append(_Condition(compare, int(item["Value"])))
    return conditions


def _matches(model: JsonObject, request: ApiRequest) -> bool:
    label, query = request.text("Label"), request.text("Query")
    labels = [text for each in model["Labels"] for text in each.values()]
    searched = [model["ModelName"], model.get("Domain", ""), model.get("Task", ""), *labels]
    return (
        all(
            request.text(name) in (None, model.get(name))
            for name in ("WorkspaceId", "Domain", "Task", "Origin", "ModelType")
        )
        and _has_name(model["ModelName"], request.text("ModelName"))
        and (label is None or any(label in text for text in labels))
        and (query is None or any(query.casefold() in text.casefold() for text in searched))
        # With a Provider its public models, without one those of the account, which have none.
        and request.text("Provider") == model.get("Provider")
        # No model of this registry belongs to a collection of PAI.
        and request.text("Collections") is None
    )


def _has_name(name: str, wanted: str | None) -> bool:
    if wanted is None:
        return True
    if len(wanted) > 1 and wanted.startswith('"') and wanted.endswith('"'):
        return name == wanted[1:-1]
    return wanted.casefold() in name.casefold()


def _filter_list(request: ApiRequest, name: str, keys: tuple[str, ...]) -> list[dict[str, str]]:
    """A filter whose text is a JSON array of objects with these keys and strings as values."""
    try:
        items = json.loads(request.text(name) or "[]")
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or not all(_is_filter(item, keys) for item in items):
        raise RefusedError(assumptions.invalid(name), f"{name} must be a JSON array of objects with {', '.join(keys)}.")
    return items


def _is_filter(item: Any, keys: tuple[str, ...]) -> bool:
    return isinstance(item, dict) and set(item) == set(keys) and all(isinstance(text, str) for text in item.values())

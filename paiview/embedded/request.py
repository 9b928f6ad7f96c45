"""A request to an operation, the error that refuses it, and helpers for the JSON of both directions."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from paiview.embedded import assumptions
from paiview.embedded.assumptions import ErrorCode
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import JsonObject

MAX_LABEL_BYTES: Final = 128
"""Of the key and of the value of a label, in UTF-8."""
_MAX_LABELS: Final = 20
_INTEGER: Final = re.compile(r"-?\d{1,9}", re.ASCII)


class RefusedError(PaiviewError):
    """A request is refused with an error response."""

    def __init__(self, error: ErrorCode, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, code=error.code, status=error.status)
        self.error = error
        self.headers = dict(headers or {})


class Page(NamedTuple):
    """One page of a listing and its order."""

    offset: int
    size: int
    descending: bool
    sort_by: str


@dataclass(frozen=True)
class ApiRequest:
    """A request with a valid signature: decoded path parameters, query and JSON body."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: JsonObject

    def text(self, name: str) -> str | None:
        """A query parameter, or ``None`` if it is absent or empty."""
        return self.query.get(name) or None

    def page(self, *, size: int = 10, sorts: Iterable[str] = ("GmtCreateTime",)) -> Page:
        """Read PageNumber, PageSize, Order and SortBy."""
        number = self._integer("PageNumber", 1)
        size = self._integer("PageSize", size)
        order = self.text("Order") or "ASC"
        sort_by = self.text("SortBy") or "GmtCreateTime"
        if number < 1:
            raise RefusedError(assumptions.invalid("PageNumber"), "PageNumber must be 1 or more.")
        if size not in assumptions.PAGE_SIZES:
            limits = f"{assumptions.PAGE_SIZES.start} to {assumptions.PAGE_SIZES.stop - 1}"
            raise RefusedError(assumptions.invalid("PageSize"), f"PageSize must be {limits}.")
        if order not in ("ASC", "DESC"):
            raise RefusedError(assumptions.invalid("Order"), "Order must be ASC or DESC.")
        if sort_by not in sorts:
            raise RefusedError(assumptions.invalid("SortBy"), f"SortBy must be one of {', '.join(sorts)}.")
        return Page((number - 1) * size, size, order == "DESC", sort_by)

    def fields(self, kinds: Mapping[str, type]) -> JsonObject:
        """The fields of the body that are in ``kinds`` and not null.

        Raises:
            RefusedError: a field has another type.
        """
        fields = {name: self.body[name] for name in kinds if self.body.get(name) is not None}
        for name, value in fields.items():
            kind = kinds[name]
            if not isinstance(value, kind) or isinstance(value, bool):
                raise RefusedError(assumptions.invalid(name), f"{name} must be a JSON {_JSON_NAMES[kind]}.")
        return fields

    def _integer(self, name: str, default: int) -> int:
        text = self.text(name) or str(default)
        if not _INTEGER.fullmatch(text):
            raise RefusedError(assumptions.invalid(name), f"{name} must be an integer of at most nine digits.")
        return int(text)


_JSON_NAMES: Final[dict[type, str]] = {str: "string", dict: "object", list: "array", int: "integer"}


def to_json(value: Any) -> str:
    """Compact JSON that can be encoded in UTF-8: if it has lone surrogates, all non-ASCII characters are escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def listing(name: str, total: int, items: Iterable[str], more: JsonObject | None = None) -> str:
    """The response of a list operation; ``items`` are JSON, and ``more`` are further fields."""
    rest = f",{to_json(more)[1:-1]}" if more else ""
    return f'{{"TotalCount":{total},"{name}":[{",".join(items)}]{rest}}}'


def wire_time(time: datetime, precision: str = "seconds") -> str:
    """A time in the format of the API, in UTC; ``precision`` is ``seconds`` or ``milliseconds``."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def require(value: str | None, name: str) -> str:
    """The value of a required parameter.

    Raises:
        RefusedError: it is missing or empty.
    """
    if not value:
        raise RefusedError(assumptions.MISSING_PARAMETER, f"{name} is missing.")
    return value


def merge_labels(present: Any, body: JsonObject, name: str = "Labels") -> list[JsonObject]:
    """Set labels by key.

    Args:
        present: the stored labels.
        body: the body of the request; ``body[name]`` is an array of ``{"Key": ..., "Value": ...}``.
        name: the field of the body.

    Returns:
        All labels in the same form.

    Raises:
        RefusedError: a label is malformed, too long or contains ``=`` or ``,``, or there would be more than 20.
    """
    labels = {label["Key"]: label["Value"] for label in _well_formed(present)}
    for label in body.get(name) or []:
        if not _is_label(label) or not label["Key"]:
            raise RefusedError(assumptions.invalid(name), "A label is an object with the strings Key and Value.")
        key, value = label["Key"], label["Value"]
        if any(
            len(text.encode(errors="replace")) > MAX_LABEL_BYTES or "=" in text or "," in text for text in (key, value)
        ):
            text = f"A label's key and value hold at most {MAX_LABEL_BYTES} bytes each, and neither = nor a comma."
            raise RefusedError(assumptions.invalid(name), text)
        labels[key] = value
    if len(labels) > _MAX_LABELS:
        raise RefusedError(assumptions.invalid(name), f"At most {_MAX_LABELS} labels are allowed.")
    return [{"Key": key, "Value": value} for key, value in labels.items()]


def without_labels(present: Any, request: ApiRequest) -> list[JsonObject]:
    """The labels that remain after the query parameter LabelKeys has deleted some."""
    keys = require(request.text("LabelKeys"), "LabelKeys").split(",")
    return [label for label in _well_formed(present) if label["Key"] not in keys]


def _well_formed(labels: Any) -> list[JsonObject]:
    """The valid labels of a stored object; those of a saved answer can be malformed, and an edit drops these."""
    return [label for label in labels if _is_label(label)] if isinstance(labels, list) else []


def _is_label(label: Any) -> bool:
    return isinstance(label, dict) and isinstance(label.get("Key"), str) and isinstance(label.get("Value"), str)

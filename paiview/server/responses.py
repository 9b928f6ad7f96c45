"""The JSON responses under ``/api``, for the HTTP API and for the guard in front of it."""

import json
import uuid
from collections.abc import Mapping
from types import MappingProxyType

from starlette.responses import Response

from paiview.text import one_line


def json_response(status: int, body: str | bytes, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """A response that no cache may store, because an approval needs the newest data.

    Args:
        status: the HTTP status.
        body: JSON.
        headers: further headers.
    """
    return Response(body, status, {"cache-control": "no-store", **headers}, media_type="application/json")


def error_response(
    status: int,
    code: str,
    message: str,
    request_id: str | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """An error with the fields of PAI's errors: Code, Message and RequestId.

    Args:
        status: the HTTP status.
        code: as in PAI's errors, one word.
        message: one sentence without control characters.
        request_id: PAI's; a new one unless given.
        headers: further headers.
    """
    body = {"Code": one_line(code), "Message": message, "RequestId": one_line(request_id or new_request_id())}
    return json_response(status, json.dumps(body), headers)


def new_request_id() -> str:
    """A UUID in upper case, like PAI's."""
    return str(uuid.uuid4()).upper()

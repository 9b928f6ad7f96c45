"""The HTTP interface of the embedded registry: routes, rate limit, and the form of responses and errors."""

import json
import sqlite3
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Never
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from paiview.embedded import assumptions, models, versions, workspaces_datasets
from paiview.embedded.assumptions import ErrorCode
from paiview.embedded.request import ApiRequest, RefusedError, to_json
from paiview.embedded.signature import SignatureCheck, SignedRequest
from paiview.embedded.store import Store
from paiview.pai.objects import JsonObject

API_VERSION: Final = "2021-02-04"
_NOT_FOUND: Final = ErrorCode(404, "InvalidApi.NotFound")
_THROTTLED: Final = ErrorCode(400, "Throttling.User")
_INTERNAL_ERROR: Final = ErrorCode(500, "InternalError")
_TOO_LARGE: Final = ErrorCode(413, "EntityTooLarge")
MAX_BODY_BYTES: Final = 8 * 2**20
"""Of a request. A version with ten thousand metrics takes half of it."""

Handler = Callable[[Store, ApiRequest], str]
"""Carries out an operation; returns the fields of the response as a JSON object, without RequestId."""


@dataclass(frozen=True)
class Operation:
    """An operation of the API. In ``path``, a segment in braces is a parameter."""

    name: str
    method: str
    path: str
    handler: Handler

    def parameters(self, method: str, segments: list[str]) -> dict[str, str] | None:
        """The decoded path parameters, or ``None`` if the request is for another operation."""
        pattern = self.path.split("/")
        if method != self.method or len(segments) != len(pattern):
            return None
        parameters = {}
        for expected, segment in zip(pattern, segments, strict=True):
            if expected.startswith("{"):
                parameters[expected.strip("{}")] = unquote(segment)
            elif expected != segment:
                return None
        return parameters


_MODEL: Final = "/api/v1/models/{ModelId}"
_VERSION: Final = _MODEL + "/versions/{VersionName}"
OPERATIONS: Final = (
    Operation("ListModelVersions", "GET", _MODEL + "/versions", versions.list_versions),
    Operation("CreateModelVersion", "POST", _MODEL + "/versions", versions.create_version),
    Operation("GetModelVersion", "GET", _VERSION, versions.get_version),
    Operation("UpdateModelVersion", "PUT", _VERSION, versions.update_version),
    Operation("DeleteModelVersion", "DELETE", _VERSION, versions.delete_version),
    Operation("CreateModelVersionLabels", "POST", _VERSION + "/labels", versions.create_version_labels),
    Operation("DeleteModelVersionLabels", "DELETE", _VERSION + "/labels", versions.delete_version_labels),
    Operation("ListModels", "GET", "/api/v1/models", models.list_models),
    Operation("CreateModel", "POST", "/api/v1/models", models.create_model),
    Operation("GetModel", "GET", _MODEL, models.get_model),
    Operation("UpdateModel", "PUT", _MODEL, models.update_model),
    Operation("DeleteModel", "DELETE", _MODEL, models.delete_model),
    Operation("CreateModelLabels", "POST", _MODEL + "/labels", models.create_model_labels),
    Operation("DeleteModelLabels", "DELETE", _MODEL + "/labels", models.delete_model_labels),
    Operation("ListWorkspaces", "GET", "/api/v1/workspaces", workspaces_datasets.list_workspaces),
    Operation("GetWorkspace", "GET", "/api/v1/workspaces/{WorkspaceId}", workspaces_datasets.get_workspace),
    Operation("GetDefaultWorkspace", "GET", "/api/v1/defaultWorkspaces", workspaces_datasets.get_default_workspace),
    Operation("ListDatasets", "GET", "/api/v1/datasets", workspaces_datasets.list_datasets),
    Operation("GetDataset", "GET", "/api/v1/datasets/{DatasetId}", workspaces_datasets.get_dataset),
)


class Throttle:
    """Limits the requests of each operation in any second.

    Args:
        requests_per_second: 0 is no limit.
        clock: monotonic seconds.
    """

    def __init__(self, requests_per_second: int, clock: Callable[[], float]) -> None:
        self._limit = requests_per_second
        self._clock = clock
        self._accepted: defaultdict[str, deque[float]] = defaultdict(deque)

    def check(self, operation: str) -> None:
        """Count a request.

        Raises:
            RefusedError: the limit is reached; the header x-acs-retry-after has the milliseconds to wait.
        """
        if not self._limit:
            return
        accepted, now = self._accepted[operation], self._clock()
        if len(accepted) == self._limit and now - accepted[0] < 1:
            wait = max(1, round((accepted[0] + 1 - now) * 1000))
            message = "Request was denied due to user flow control."
            raise RefusedError(_THROTTLED, message, headers={"x-acs-retry-after": str(wait)})
        accepted.append(now)
        if len(accepted) > self._limit:
            accepted.popleft()


class RegistryApp:
    """The ASGI application.

    Args:
        store: the data.
        secrets: access key id to secret, of every accepted key.
        requests_per_second: the limit of each operation; 0 is none.
        clock: monotonic seconds, for the limit.
    """

    def __init__(
        self,
        store: Store,
        secrets: Mapping[str, str],
        *,
        requests_per_second: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._signatures = SignatureCheck(secrets)
        self._throttle = Throttle(requests_per_second, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        signed = SignedRequest(
            method=request.method,
            raw_path=scope["raw_path"].decode("latin-1"),
            raw_query=scope["query_string"].decode("latin-1"),
            headers=dict(request.headers),
        )
        response = await self._response(signed, request)
        await response(scope, receive, send)

    async def _response(self, request: SignedRequest, received: Request) -> Response:
        request_id = str(uuid.uuid4()).upper()
        headers = {"x-acs-request-id": request_id}
        try:
            self._signatures.check(request)
            body = await _read_body(received)
            self._signatures.accept(request, body)
            operation, api_request = _routed(request, body)
            self._throttle.check(operation.name)
            status, fields = 200, operation.handler(self._store, api_request)
        except RefusedError as refusal:
            status, fields = refusal.error.status, _error_fields(refusal, request, request_id)
            headers |= refusal.headers
        except sqlite3.Error as error:
            failure = RefusedError(_INTERNAL_ERROR, f"The registry's file failed: {error}.")
            status, fields = failure.error.status, _error_fields(failure, request, request_id)
        rest = fields[1:] if fields == "{}" else f",{fields[1:]}"
        content = f'{{"RequestId":"{request_id}"{rest}'
        return Response(content, status, headers, media_type="application/json")


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RefusedError(_TOO_LARGE, f"The body is larger than {MAX_BODY_BYTES // 2**20} MB.")
    return bytes(body)


def _routed(request: SignedRequest, body: bytes) -> tuple[Operation, ApiRequest]:
    segments = request.raw_path.split("/")
    for operation in OPERATIONS:
        parameters = operation.parameters(request.method, segments)
        if parameters is not None:
            break
    else:
        raise RefusedError(_NOT_FOUND, "Specified api is not found, please check your url and method.")
    headers = (request.headers.get("x-acs-action"), request.headers.get("x-acs-version"))
    if headers != (operation.name, API_VERSION):
        raise RefusedError(_NOT_FOUND, "The headers x-acs-action and x-acs-version do not match the path.")
    query = dict(parse_qsl(request.raw_query, keep_blank_values=True))
    return operation, ApiRequest(parameters, query, _body(body))


def _body(content: bytes) -> JsonObject:
    if not content:
        return {}
    try:
        body = json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise RefusedError(assumptions.INVALID_PARAMETER, f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise RefusedError(assumptions.INVALID_PARAMETER, "The body is not a JSON object.")
    return body


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse_constant(text)


def _error_fields(refusal: RefusedError, request: SignedRequest, request_id: str) -> str:
    host = request.headers.get("host", "")
    fields: dict[str, Any] = {
        "Code": refusal.error.code,
        "Message": refusal.message,
        "HostId": host,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={refusal.error.code}&requestId={request_id}",
    }
    return to_json(fields)

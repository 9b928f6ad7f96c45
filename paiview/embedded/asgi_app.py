"""The HTTP face of the embedded registry: which request is which operation, and how answers and errors look."""

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
from paiview.embedded.assumptions import Answer
from paiview.embedded.request import Call, RefusedError, to_json
from paiview.embedded.signature import SignatureCheck, SignedRequest
from paiview.embedded.store import Store
from paiview.pai.objects import JsonObject

API_VERSION: Final = "2021-02-04"
_NOT_FOUND: Final = Answer(404, "InvalidApi.NotFound")
_THROTTLED: Final = Answer(400, "Throttling.User")
_INTERNAL_ERROR: Final = Answer(500, "InternalError")

Handler = Callable[[Store, Call], str]


@dataclass(frozen=True)
class Operation:
    """An operation of the API. A segment of ``path`` in braces is a parameter."""

    name: str
    method: str
    path: str
    handler: Handler

    def parameters(self, method: str, segments: list[str]) -> dict[str, str] | None:
        """The decoded path parameters when the request is this operation's, else ``None``."""
        pattern = self.path.split("/")
        if method != self.method or len(segments) != len(pattern):
            return None
        parameters = {}
        for wanted, given in zip(pattern, segments, strict=True):
            if wanted.startswith("{"):
                parameters[wanted.strip("{}")] = unquote(given)
            elif wanted != given:
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
    """Lets through so many requests a second and operation; 0 is no limit. ``clock`` gives seconds."""

    def __init__(self, requests_per_second: int, clock: Callable[[], float]) -> None:
        self._limit = requests_per_second
        self._clock = clock
        self._passed: defaultdict[str, deque[float]] = defaultdict(deque)

    def check(self, operation: str) -> None:
        """Let a request pass, or raise a refusal that says in how many milliseconds it would."""
        if not self._limit:
            return
        passed, now = self._passed[operation], self._clock()
        if len(passed) == self._limit and now - passed[0] < 1:
            wait = max(1, round((passed[0] + 1 - now) * 1000))
            message = "Request was denied due to user flow control."
            raise RefusedError(_THROTTLED, message, headers={"x-acs-retry-after": str(wait)})
        passed.append(now)
        if len(passed) > self._limit:
            passed.popleft()


class RegistryApp:
    """The ASGI application.

    Args:
        store: what is served.
        secrets: the secret of each access key id that is accepted.
        requests_per_second: the limit on each operation, beyond which requests are throttled; 0 is none.
        clock: what measures that second.
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
        """Answer one request."""
        request = Request(scope, receive)
        signed = SignedRequest(
            method=request.method,
            raw_path=scope["raw_path"].decode("latin-1"),
            raw_query=scope["query_string"].decode("latin-1"),
            headers=dict(request.headers),
            body=await request.body(),
        )
        response = self._answer(signed)
        await response(scope, receive, send)

    def _answer(self, request: SignedRequest) -> Response:
        request_id = str(uuid.uuid4()).upper()
        headers = {"x-acs-request-id": request_id}
        try:
            self._signatures.check(request)
            operation, call = _routed(request)
            self._throttle.check(operation.name)
            status, fields = 200, operation.handler(self._store, call)
        except RefusedError as refusal:
            status, fields = refusal.answer.status, _problem(refusal, request, request_id)
            headers |= refusal.headers
        except sqlite3.Error as error:
            failure = RefusedError(_INTERNAL_ERROR, f"The registry's file failed: {error}.")
            status, fields = failure.answer.status, _problem(failure, request, request_id)
        rest = fields[1:] if fields == "{}" else f",{fields[1:]}"
        content = f'{{"RequestId":"{request_id}"{rest}'
        return Response(content, status, headers, media_type="application/json")


def _routed(request: SignedRequest) -> tuple[Operation, Call]:
    segments = request.raw_path.split("/")
    for operation in OPERATIONS:
        parameters = operation.parameters(request.method, segments)
        if parameters is not None:
            break
    else:
        raise RefusedError(_NOT_FOUND, "Specified api is not found, please check your url and method.")
    named = (request.headers.get("x-acs-action"), request.headers.get("x-acs-version"))
    if named != (operation.name, API_VERSION):
        raise RefusedError(
            _NOT_FOUND, "The headers x-acs-action and x-acs-version name another operation than the path."
        )
    query = dict(parse_qsl(request.raw_query, keep_blank_values=True))
    return operation, Call(parameters, query, _body(request.body))


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


def _problem(refusal: RefusedError, request: SignedRequest, request_id: str) -> str:
    host = request.headers.get("host", "")
    problem: dict[str, Any] = {
        "Code": refusal.answer.code,
        "Message": refusal.message,
        "HostId": host,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={refusal.answer.code}&requestId={request_id}",
    }
    return to_json(problem)

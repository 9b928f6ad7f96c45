"""The HTTP API beside the pages: models, versions and decisions as JSON, to read only.

Errors are JSON too, in PAI's words: Code, Message and RequestId.
"""

import json
import logging
import math
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from anyio import CapacityLimiter, move_on_after, to_thread
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from paiview.decisions.lineage import ComparisonError, UnknownVersionError
from paiview.pai.errors import (
    DeadlineError,
    NotFoundError,
    PaiviewError,
    PermissionDeniedError,
    RequestRefusedError,
    ServiceError,
    ThrottledError,
)
from paiview.pai.objects import PaiObject
from paiview.registry import cache
from paiview.registry.connection import connect
from paiview.registry.live_decision import decide_now
from paiview.registry.snapshots import ModelsSnapshot, VersionsSnapshot
from paiview.reports import documents
from paiview.secret_masking import mask_secrets
from paiview.text import one_line, traceback_of

_LOG = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Requests that are answered at the same time; further ones wait."""
_THREADS: Final = CapacityLimiter(AT_ONCE)
"""Threads of the API's own: a slow service leaves those that serve the pages free."""
WAITING: Final = 64
"""Requests that wait at most; further ones are told to come back."""
PATIENCE: Final = 10.0
"""Seconds that a request waits for its turn; then it is told to come back."""
_UNDER_WAY: Final[set[Request]] = set()
"""Requests that are answered or wait; seen by the event loop alone."""
_LONGEST: Final = 512
"""Characters of an id or a name; PAI's are far shorter."""


class ParameterError(PaiviewError):
    """A request has a parameter that cannot be meant."""


_STATUSES: Final[tuple[tuple[type[PaiviewError], int], ...]] = (
    (ParameterError, 400),
    (UnknownVersionError, 404),
    (ComparisonError, 400),
    (NotFoundError, 404),
    (PermissionDeniedError, 403),
    (ThrottledError, 429),
    (RequestRefusedError, 400),
    (DeadlineError, 504),
    (ServiceError, 502),
    (PaiviewError, 500),
)
"""The status by the class of the error: that of the service says less, for there an unknown access key is a 404."""

_REFUSALS: Final = {
    404: ("NotFound", "Nothing is served at this address."),
    405: ("MethodNotAllowed", "Only GET is served here."),
}
_ROUTE: Final = re.compile("/api/(?:models|models/[^/]+/(versions|decision))")
_Answer = Callable[[str, Mapping[str, str]], str | bytes]


def mount() -> Mount:
    """The routes under ``/api``; whatever is asked for there is answered in JSON."""
    routes = [
        Route("/models", _endpoint(_models, {"workspace"}), methods=["GET"]),
        Route("/models/{model}/versions", _endpoint(_versions), methods=["GET"]),
        Route(
            "/models/{model}/decision",
            _endpoint(_decision, {"candidate", "baseline", "baseline_model"}),
            methods=["GET"],
        ),
    ]
    answering = Starlette(routes=routes, exception_handlers={HTTPException: _refuse})
    # A redirect from an address that ends with a slash would be an answer without JSON.
    answering.router.redirect_slashes = False
    return Mount("/api", answering)


def route(path: str) -> str:
    """The name of what a path under ``/api`` asks for: one of four, whatever is asked."""
    found = _ROUTE.fullmatch(path)
    return (found[1] or "models") if found else "other"


def refuse(status: int, code: str, message: str, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """An error that is none of PAI's, with a RequestId of its own."""
    response = _error(status, code, message, _new_id())
    response.headers.update(headers)
    return response


def _models(_model: str, asked: Mapping[str, str]) -> bytes:
    source = connect()
    snapshot = source.models(asked.get("workspace") or source.workspace_id)
    return _listing("Models", snapshot, snapshot.items)


def _versions(model: str, _asked: Mapping[str, str]) -> bytes:
    snapshot = connect().versions(model)
    return _listing("Versions", snapshot, snapshot.versions)


def _decision(model: str, asked: Mapping[str, str]) -> str:
    if "candidate" not in asked:
        raise ParameterError("The parameter candidate is missing.")
    decision = decide_now(
        connect(),
        model,
        asked["candidate"],
        baseline=asked.get("baseline"),
        baseline_model=asked.get("baseline_model"),
    )
    return documents.to_json(decision)


def _listing(name: str, snapshot: ModelsSnapshot | VersionsSnapshot, items: Sequence[PaiObject]) -> bytes:
    """The objects as PAI sent them, secrets masked; ``Warning`` says why they may be old or incomplete.

    ``CompleteAt`` is the moment since which an edit of a single field may not be in them.
    """
    failure = snapshot.failure
    body = {
        name: [mask_secrets(item.raw) for item in items],
        "TotalCount": snapshot.total,
        "FetchedAt": snapshot.fetched_at,
        "CompleteAt": snapshot.fully_read_at,
        "Warning": f"Reading this again failed: {failure.message}" if failure else snapshot.uneven,
    }
    # JSON has no NaN; a text in its place loses nothing. In ASCII no character of a stranger reaches a terminal.
    return to_json(body, inf_nan_mode="strings", ensure_ascii=True)


def _endpoint(answer: _Answer, parameters: Collection[str] = frozenset()) -> Callable[[Request], Awaitable[Response]]:
    def respond(request: Request, came: float) -> Response:
        try:
            model = request.path_params.get("model", "")
            asked = _parameters(request.query_params.multi_items(), parameters)
            _check("model", model)
            with cache.reading() as reader:
                # Of the patience of a reader: who waited for a turn has less left for the service.
                reader.waited_seconds = time.monotonic() - came
                return _json(200, answer(model, asked))
        except PaiviewError as error:
            return _failed(error)
        except Exception as error:  # noqa: BLE001 - a fault is answered in JSON too, and logged with its traceback
            request_id = _new_id()
            _LOG.error("The request %s failed\n%s", request_id, traceback_of(error))
            return _error(500, "InternalError", "A fault in paiview; its log has the details.", request_id)

    async def respond_in_thread(request: Request) -> Response:
        if len(_UNDER_WAY) < AT_ONCE + WAITING:
            _UNDER_WAY.add(request)
            try:
                # This ends the wait for a thread; what a thread has begun, it brings to its end.
                with move_on_after(PATIENCE):
                    return await to_thread.run_sync(respond, request, time.monotonic(), limiter=_THREADS)
            finally:
                _UNDER_WAY.remove(request)
        return refuse(503, "Busy", "Too many requests wait for an answer: ask again.", {"retry-after": "1"})

    return respond_in_thread


def _parameters(items: Sequence[tuple[str, str]], known: Collection[str]) -> dict[str, str]:
    """The query, each parameter once. A mistyped ``baseline`` would change the question, so that none is ignored."""
    found: dict[str, str] = {}
    for name, value in items:
        if name not in known:
            raise ParameterError(f"There is no parameter {one_line(name, 60)} here.")
        if name in found:
            raise ParameterError(f"The parameter {name} is given more than once.")
        if not value:
            raise ParameterError(f"The parameter {name} is empty.")
        _check(name, value)
        found[name] = value
    return found


def _check(name: str, value: str) -> None:
    if len(value) > _LONGEST:
        raise ParameterError(f"The {name} is longer than {_LONGEST} characters.")


def _failed(error: PaiviewError) -> Response:
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    code = error.code or type(error).__name__.removesuffix("Error")
    message = f"{one_line(error.message, 600)} {error.advice}".strip()
    response = _error(status, code, message, error.request_id or _new_id())
    if isinstance(error, ThrottledError) and error.retry_after is not None:
        response.headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    return response


async def _refuse(_request: Request, error: Exception) -> Response:
    """Answer what no route answers: an unknown path, another method than GET."""
    if not isinstance(error, HTTPException):
        raise error
    code, message = _REFUSALS.get(error.status_code, ("InvalidRequest", error.detail))
    return refuse(error.status_code, code, message, error.headers or {})


def _error(status: int, code: str, message: str, request_id: str) -> Response:
    return _json(status, json.dumps({"Code": one_line(code), "Message": message, "RequestId": one_line(request_id)}))


def _json(status: int, body: str | bytes) -> Response:
    """An answer that nobody may keep: an approval is decided by the newest data."""
    return Response(body, status, media_type="application/json", headers={"cache-control": "no-store"})


def _new_id() -> str:
    return str(uuid.uuid4()).upper()

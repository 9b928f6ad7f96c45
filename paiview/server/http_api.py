"""The read-only HTTP API: models, versions and decisions as JSON.

Errors have the fields of PAI's errors: Code, Message and RequestId.
"""

import hashlib
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Final

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
    ParameterError,
    PermissionDeniedError,
    RequestRefusedError,
    ServiceError,
    ThrottledError,
)
from paiview.pai.listing_facts import MEANINGS_FIELD
from paiview.pai.objects import ModelFilters, VersionFilters
from paiview.pai.vocabulary import APPROVAL_STATUSES, ORDERS, spellings_of
from paiview.registry import cache
from paiview.registry.budget import BudgetError, client_of
from paiview.registry.connection import connect
from paiview.registry.live_decision import decide_now
from paiview.registry.registry import MAX_PARAMETER_CHARACTERS
from paiview.registry.snapshots import ModelsSnapshot, VersionsSnapshot
from paiview.reports import documents
from paiview.server.responses import SharedResponse, error_response, json_response, new_request_id
from paiview.server.shared_threads import SharedThreads
from paiview.text import one_line, traceback_of

_LOG = logging.getLogger(__name__)

MAX_CONCURRENT_REQUESTS: Final = 8
MAX_QUEUED_REQUESTS: Final = 64
"""The requests that wait for a thread. A client takes half of the threads and of the queue at most; further requests
are answered with 503."""
_THREADS: Final = SharedThreads(MAX_CONCURRENT_REQUESTS, MAX_QUEUED_REQUESTS)


_STATUSES: Final[tuple[tuple[type[PaiviewError], int], ...]] = (
    (ParameterError, 400),
    (UnknownVersionError, 404),
    (ComparisonError, 400),
    (NotFoundError, 404),
    (PermissionDeniedError, 403),
    (ThrottledError, 429),
    (BudgetError, 429),
    (RequestRefusedError, 400),
    (DeadlineError, 504),
    (ServiceError, 502),
    (PaiviewError, 500),
)
"""The HTTP status of each class of errors. PAI's own status is not used: an unknown access key is a 404 there."""

_SHORT_NAMES: Final = {"workspace_id": "workspace", "query_text": "query"}
_REFUSALS: Final = {
    404: ("NotFound", "Nothing is served at this address."),
    405: ("MethodNotAllowed", "Only GET and HEAD are allowed."),
}
VERSION_PARAMETERS: Final = {name: name for name in VersionFilters.model_fields}
"""The query parameters of a listing of versions, to the filters of ListModelVersions."""
MODEL_PARAMETERS: Final = {_SHORT_NAMES.get(name, name): name for name in ModelFilters.model_fields}
"""The query parameters of a listing of models, to the filters of ListModels."""
_CHOICES: Final = {"approval_status": APPROVAL_STATUSES, "order": ORDERS}
"""The filters whose values are few and documented: any other value is a mistake."""
_Handler = Callable[[str, Mapping[str, str]], Response | SharedResponse]
"""Takes the model id, empty where the path has none, and the query."""


def mount() -> Mount:
    """The routes under ``/api``. Every response is JSON, also that to an unknown path."""
    routes = [
        Route("/models", _endpoint(_models, MODEL_PARAMETERS), methods=["GET"]),
        Route("/models/{model}/versions", _endpoint(_versions, VERSION_PARAMETERS), methods=["GET"]),
        Route(
            "/models/{model}/decision",
            _endpoint(_decision, {"candidate", "baseline", "baseline_model"}),
            methods=["GET"],
        ),
    ]
    api = Starlette(routes=routes, exception_handlers={HTTPException: _refuse})
    # The redirect of a path that ends with a slash would not be JSON.
    api.router.redirect_slashes = False
    return Mount("/api", api)


def _models(_model: str, query: Mapping[str, str]) -> SharedResponse:
    registry = connect()
    filters = ModelFilters(**_filters(query, MODEL_PARAMETERS))
    snapshot = registry.models(registry.workspace_to_list(filters.workspace_id, filters), filters)
    return _listing("Models", snapshot, snapshot.uneven)


def _versions(model: str, query: Mapping[str, str]) -> SharedResponse:
    snapshot = connect().versions(model, VersionFilters(**_filters(query, VERSION_PARAMETERS)))
    return _listing("Versions", snapshot, " ".join(snapshot.warnings) or None)


def _filters(query: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """The filters that a query asks for."""
    filters = {names[parameter]: value for parameter, value in query.items()}
    for name, choices in _CHOICES.items():
        if name in filters and not {*spellings_of(filters[name], choices)} <= {*choices}:
            raise ParameterError(f"The parameter {name} is none of {', '.join(choices)}.")
    return filters


def _decision(model: str, query: Mapping[str, str]) -> Response:
    if "candidate" not in query:
        raise ParameterError("The parameter candidate is missing.")
    decision = decide_now(
        connect(),
        model,
        query["candidate"],
        baseline=query.get("baseline"),
        baseline_model=query.get("baseline_model"),
    )
    return json_response(200, documents.to_json(decision))


def _listing(name: str, snapshot: ModelsSnapshot | VersionsSnapshot, warning: str | None) -> SharedResponse:
    """The objects as PAI sent them but for secrets: JSON that all requests for one listing share.

    ``Warning`` says why they may be stale or incomplete. Edits of single fields after ``CompleteAt`` may be missing.
    ``RequestId`` is PAI's, of the first page.
    """
    failure = snapshot.failure
    meanings = snapshot.meanings if isinstance(snapshot, VersionsSnapshot) else {}
    rest = {
        "TotalCount": snapshot.total,
        **({MEANINGS_FIELD: dict(meanings)} if meanings else {}),
        "FetchedAt": snapshot.fetched_at,
        "CompleteAt": snapshot.fully_read_at,
        "Warning": f"Reading this again failed: {failure.message}" if failure else warning,
        "RequestId": snapshot.request_id,
    }
    end = b"," + to_json(rest, inf_nan_mode="strings", ensure_ascii=True)[1:]
    objects = snapshot.json
    etag = hashlib.blake2b(objects.digest.encode() + end, digest_size=16).hexdigest()
    return SharedResponse((f'{{"{name}":'.encode(), objects.text, end), etag)


def _endpoint(
    handler: _Handler, parameters: Collection[str] = frozenset()
) -> Callable[[Request], Awaitable[Response | SharedResponse]]:
    """The ASGI endpoint that runs a handler in one of ``_THREADS``; ``parameters`` are those it knows."""

    async def endpoint(request: Request) -> Response | SharedResponse:
        response = await _THREADS.run(request, partial(_respond, handler, parameters, request))
        return response or _busy()

    return endpoint


def _respond(
    handler: _Handler, parameters: Collection[str], request: Request, received_at: float
) -> Response | SharedResponse:
    """Run a handler; ``received_at`` is in seconds of ``time.monotonic``."""
    try:
        model = request.path_params.get("model", "")
        query = _parameters(request.query_params.multi_items(), parameters)
        _check("model", model)
        with cache.reading(client=client_of(request.client.host if request.client else "")) as reader:
            # The time in the queue counts towards the time that a reader waits for the service.
            reader.waited_seconds = time.monotonic() - received_at
            return handler(model, query)
    except PaiviewError as error:
        return _failed(error)
    except Exception as error:  # noqa: BLE001 - the response is JSON even then, and the log has the traceback
        request_id = new_request_id()
        _LOG.error("The request %s failed\n%s", request_id, traceback_of(error))
        message = "An internal error of paiview; the server's log has the details."
        return error_response(500, "InternalError", message, request_id)


def _parameters(items: Sequence[tuple[str, str]], known: Collection[str]) -> dict[str, str]:
    """Check the query. No unknown name is ignored: a mistyped ``baseline`` would change the question."""
    query: dict[str, str] = {}
    for name, value in items:
        if name not in known:
            raise ParameterError(f"There is no parameter {one_line(name, 60)} here.")
        if name in query:
            raise ParameterError(f"The parameter {name} is given more than once.")
        if not value:
            raise ParameterError(f"The parameter {name} is empty.")
        _check(name, value)
        query[name] = value
    return query


def _check(name: str, value: str) -> None:
    if len(value) > MAX_PARAMETER_CHARACTERS:
        raise ParameterError(f"The {name} is longer than {MAX_PARAMETER_CHARACTERS} characters.")


def _failed(error: PaiviewError) -> Response:
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    code = error.code or type(error).__name__.removesuffix("Error")
    if error.message_for_readers != error.message:
        _LOG.error("A request failed: %s", error.message)
    message = f"{one_line(error.message_for_readers, 600)} {error.advice}".strip()
    response = error_response(status, code, message, error.request_id)
    if isinstance(error, ThrottledError | BudgetError) and error.retry_after is not None:
        response.headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    return response


def _busy() -> Response:
    message = "Too many requests are waiting, of your address or of all: try again."
    return error_response(503, "Busy", message, headers={"retry-after": "1"})


async def _refuse(_request: Request, error: Exception) -> Response:
    """Respond to an unknown path and to a method that is not allowed."""
    if not isinstance(error, HTTPException):
        raise error
    code, message = _REFUSALS.get(error.status_code, ("InvalidRequest", error.detail))
    return error_response(error.status_code, code, message, headers=error.headers or {})

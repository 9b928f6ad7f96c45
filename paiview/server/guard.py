"""The checks that every connection passes first, and the security headers of every response.

The dashboard is read-only. The guard refuses what no reader sends: methods other than GET and HEAD, bodies, unknown
host names, WebSockets opened by pages of other sites, and too many requests from one client.
"""

import asyncio
import logging
import math
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paiview.pai.endpoint import LOOPBACK_HOSTS
from paiview.registry.budget import client_of
from paiview.server import browser_messages, telemetry
from paiview.server.rate_limit import OpenConnections, RateLimit
from paiview.server.responses import error_response
from paiview.text import traceback_of

_LOG = logging.getLogger(__name__)

MAX_URL_BYTES: Final = browser_messages.MAX_QUERY_CHARACTERS
"""Path and query together: room for a link that names fifty datasets by long Uris."""
REQUESTS_PER_SECOND: Final = 10.0
"""The average rate of one client towards /api and ``RATE_LIMITED_PATHS``, which cost more than a file."""
MAX_BURST_REQUESTS: Final = 60
"""The requests that one client may send to them at once."""
MAX_OPEN_OF_CLIENT: Final = 200
"""The pages and requests that one client may have open, as in deploy/nginx.conf: an office may share one address."""
MAX_OPEN: Final = 2_000
"""Those of all clients together; an open page takes half a megabyte."""
RATE_LIMITED_PATHS: Final = frozenset({"/metrics", "/_stcore/script-health-check"})
"""Besides /api. The second runs a page."""
MAX_CLIENTS: Final = 10_000
"""The clients whose rate is remembered. Beyond it the client that has been silent for longest is forgotten."""
METHODS: Final = ("GET", "HEAD")
STREAMLIT_ENDPOINTS: Final = frozenset({"health", "host-config", "script-health-check", "stream"})
"""The paths under /_stcore/ that pages and restarts use. Uploads, Streamlit's metrics and its agent API are refused."""

_HOST_HEADER: Final = re.compile(rb"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z._-]+))(?::[0-9]{1,5})?")


class Refusal(NamedTuple):
    """The response to a refused request. ``code`` is also a label of the metric ``paiview_refused``."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = MappingProxyType({})


_UNKNOWN_HOST: Final = Refusal(
    421, "UnknownHost", "The dashboard is not served under this host name. PAIVIEW_ALLOWED_HOSTS lists further names."
)
_FOREIGN_ORIGIN: Final = Refusal(403, "ForeignOrigin", "Pages of other sites may not request this.")
_WRONG_METHOD: Final = Refusal(405, "MethodNotAllowed", "Only GET and HEAD are allowed.", {"allow": ", ".join(METHODS)})
_LONG_URL: Final = Refusal(414, "UriTooLong", f"The URL is longer than {MAX_URL_BYTES} bytes.")
_UNEXPECTED_BODY: Final = Refusal(
    400, "UnexpectedBody", "Requests with a body are not allowed.", {"connection": "close"}
)
_NOT_FOUND: Final = Refusal(404, "NotFound", "Nothing is served at this address.")
_TOO_MANY_OPEN: Final = Refusal(
    429, "TooManyConnections", "Too many pages and requests are open: close some, or try again.", {"retry-after": "5"}
)
_STOPPING: Final = Refusal(503, "Ending", "This process is shutting down.")
_INTERNAL_ERROR: Final = Refusal(
    500, "InternalError", "An internal error of paiview; the server's log has the details."
)


class Guard:
    """ASGI middleware that refuses unwanted connections and adds the security headers to every response.

    Args:
        app: the application behind it.
        hosts: the host names of the dashboard, besides loopback and the address of the connection.
        headers: added to every HTTP response.
        rate_limit: for /api and ``RATE_LIMITED_PATHS``.
        stopping: set when the process has been told to stop. uvicorn closes the connections that are open at that
            moment and then waits for all others, so that a connection accepted just then would delay the stop.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str],
        headers: Iterable[tuple[bytes, bytes]],
        rate_limit: RateLimit,
        stopping: asyncio.Event,
    ) -> None:
        self._app = app
        self._hosts = LOOPBACK_HOSTS.union(hosts)
        self._headers = list(headers)
        self._rate_limit = rate_limit
        self._open = OpenConnections(MAX_OPEN_OF_CLIENT, MAX_OPEN)
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._serve_http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._serve_websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        is_api = path == "/api" or path.startswith("/api/")
        has_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                closing = [(b"connection", b"close")] if self._stopping.is_set() else []
                message["headers"] = [*message.get("headers", ()), *self._headers, *closing]
                if is_api:
                    telemetry.api_response(path, message["status"])
            await send(message)

        refusal = self._http_refusal(scope, is_limited=is_api or path in RATE_LIMITED_PATHS)
        client = client_key(scope)
        # The check of a load balancer says that the process lives, however many readers it has.
        is_counted = refusal is None and path != "/healthz"
        if is_counted and not self._open.enter(client):
            is_counted, refusal = False, _TOO_MANY_OPEN
        try:
            if refusal is None:
                await self._app(scope, receive, send_with_headers)
                return
        except Exception as error:
            # Starlette's own handler is outside of this class: its response would have no headers and be no JSON.
            _LOG.error("A request failed\n%s", traceback_of(error))
            if has_started:
                raise
            refusal = _INTERNAL_ERROR
        finally:
            if is_counted:
                self._open.leave(client)
        if refusal is not _INTERNAL_ERROR:
            telemetry.REFUSED.labels(refusal.code).inc()
        await _response(refusal, is_api=is_api)(scope, receive, send_with_headers)

    async def _serve_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _STOPPING if self._stopping.is_set() else self._websocket_refusal(scope)
        if refusal is None and not self._open.enter(client_key(scope)):
            refusal = _TOO_MANY_OPEN
        if refusal is not None:
            telemetry.REFUSED.labels(refusal.code).inc()
            # Before the connection is accepted this ends the handshake with 403.
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.message})
            return
        client = client_key(scope)
        try:
            with telemetry.PAGES.track_inprogress():
                await self._app(scope, browser_messages.checked(receive), browser_messages.discreet(send))
        finally:
            self._open.leave(client)

    def _http_refusal(self, scope: Scope, *, is_limited: bool) -> Refusal | None:
        if not self._is_own_host(_header(scope, b"host"), scope):
            return _UNKNOWN_HOST
        if scope["method"] not in METHODS:
            return _WRONG_METHOD
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_URL_BYTES:
            return _LONG_URL
        if _header(scope, b"content-length") not in (b"", b"0") or _header(scope, b"transfer-encoding"):
            return _UNEXPECTED_BODY
        _, separator, endpoint = scope["path"].partition("/_stcore/")
        # The API answers unknown paths under /api/ itself; at /api alone Streamlit would serve its page.
        if scope["path"] == "/api" or (separator and endpoint not in STREAMLIT_ENDPOINTS):
            return _NOT_FOUND
        # Checked before the request is counted: another site must not use up its reader's rate.
        if is_limited and _is_cross_site_embed(scope):
            return _FOREIGN_ORIGIN
        if is_limited and (wait := self._rate_limit.wait(client_key(scope))):
            seconds = math.ceil(wait)
            message = f"More than {REQUESTS_PER_SECOND:g} requests per second: try again in {seconds} s."
            return Refusal(429, "TooManyRequests", message, {"retry-after": str(seconds)})
        return None

    def _websocket_refusal(self, scope: Scope) -> Refusal | None:
        """Check host and origin: browsers let every page open a WebSocket to any site, and send its origin.

        A page over plain http may not open one that a proxy has named as TLS: somebody on the network can forge it.
        """
        host = _header(scope, b"host")
        if not self._is_own_host(host, scope):
            return _UNKNOWN_HOST
        origin = _header(scope, b"origin")
        own = [b"https://" + host] if scope.get("scheme") == "wss" else [b"https://" + host, b"http://" + host]
        return _FOREIGN_ORIGIN if origin and origin not in own else None

    def _is_own_host(self, host: bytes, scope: Scope) -> bool:
        """Whether a Host header names this dashboard, not a foreign name that resolves to it (DNS rebinding)."""
        name = _host_name(host)
        return name in self._hosts or (name != "" and name == scope["server"][0].removeprefix("::ffff:"))


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def _is_cross_site_embed(scope: Scope) -> bool:
    """Whether a page of another site made the browser send this, as an image or a frame; a followed link is not.

    Programs that are no browser send no ``Sec-Fetch-Site``.
    """
    is_cross_site = _header(scope, b"sec-fetch-site") in (b"cross-site", b"same-site")
    return is_cross_site and _header(scope, b"sec-fetch-dest") != b"document"


@lru_cache(maxsize=64)
def _host_name(host: bytes) -> str:
    """The name in a Host header without its port, in lower case; empty if the header is malformed."""
    match = _HOST_HEADER.fullmatch(host)
    return (match[1] or match[2]).decode().lower().removesuffix(".") if match else ""


def client_key(scope: Scope) -> str:
    """The client that a request is counted for."""
    return client_of(scope["client"][0] if scope.get("client") else "")


def _response(refusal: Refusal, *, is_api: bool) -> Response:
    if is_api:
        return error_response(refusal.status, refusal.code, refusal.message, headers=refusal.headers)
    return PlainTextResponse(refusal.message, refusal.status, refusal.headers)

"""What every connection passes before anything answers it, and the headers of every answer.

The dashboard is read only, so that most of what could be sent to it has no meaning and is refused here: another method
than GET, a body, the address of another site, a page of another site that opens a WebSocket.
"""

import asyncio
import ipaddress
import logging
import math
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paiview.pai.endpoint import LOOPBACK_HOSTS
from paiview.server import http_api, telemetry
from paiview.text import traceback_of

_LOG = logging.getLogger(__name__)

LONGEST: Final = 8192
"""Bytes of a path with its query; proxies take no more either."""
RATE: Final = 10.0
"""Requests a second that one client may send on average to what costs more than a file: ``LIMITED`` and /api."""
BURST: Final = 60
"""Requests that one client may send to them at once."""
LIMITED: Final = frozenset({"/metrics", "/_stcore/script-health-check"})
"""The second one runs a page."""
REMEMBERED: Final = 10_000
"""Clients whose rate is remembered; those that asked longest ago are forgotten first."""
METHODS: Final = ("GET", "HEAD")
STREAMLIT: Final = frozenset({"health", "host-config", "script-health-check", "stream"})
"""What the pages and a restart need of Streamlit's own routes. Uploads, its metrics, its API for agents stay shut."""

_HOST_HEADER: Final = re.compile(rb"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z._-]+))(?::[0-9]{1,5})?")


class Refusal(NamedTuple):
    """Why a connection is not answered."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = MappingProxyType({})


_HOST: Final = Refusal(
    421, "UnknownHost", "This dashboard is not served under this name. PAIVIEW_ALLOWED_HOSTS lists further ones."
)
_ORIGIN: Final = Refusal(403, "ForeignOrigin", "A page of another site may not ask for this.")
_METHOD: Final = Refusal(405, "MethodNotAllowed", "Only GET is served here.", {"allow": ", ".join(METHODS)})
_LENGTH: Final = Refusal(414, "UriTooLong", f"The address is longer than {LONGEST} bytes.")
_BODY: Final = Refusal(400, "UnexpectedBody", "A request with a body is not answered here.", {"connection": "close"})
_PATH: Final = Refusal(404, "NotFound", "Nothing is served at this address.")
_ENDING: Final = Refusal(503, "Ending", "This process is ending; another one may answer.")


class RateLimit:
    """So many requests a second for each client, and some at once, in bounded memory.

    Args:
        per_second: the average.
        burst: requests at once.
        remembered: clients remembered at most.
        clock: seconds that only grow.
    """

    def __init__(
        self, per_second: float, burst: int, remembered: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = 1 / per_second
        self._ahead = (burst - 1) / per_second
        self._remembered = remembered
        self._clock = clock
        self._due: dict[str, float] = {}

    def wait(self, client: str) -> float:
        """Count a request of a client; gives 0, or the seconds it must wait before it may ask again."""
        now = self._clock()
        due = max(self._due.pop(client, now), now)
        wait = due - now - self._ahead
        # Written anew, so that the first of the dictionary has not asked for longest.
        self._due[client] = due if wait > 0 else due + self._interval
        if len(self._due) > self._remembered:
            del self._due[next(iter(self._due))]
        return max(wait, 0.0)


class Edge:
    """Refuses what no page, script or proxy of the dashboard sends, and adds the security headers to every answer.

    Args:
        app: what answers.
        hosts: names the dashboard is served under, besides those of the loopback and the address of the connection.
        headers: added to every answer over HTTP.
        limit: the rate of /api and of ``LIMITED``.
        ending: set when the process is to end. The server closes the connections that it has then, and waits until none
            is left: one that it was just accepting it would wait for as long as the client likes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str],
        headers: Iterable[tuple[bytes, bytes]],
        limit: RateLimit,
        ending: asyncio.Event,
    ) -> None:
        self._app = app
        self._hosts = LOOPBACK_HOSTS.union(hosts)
        self._headers = list(headers)
        self._limit = limit
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        of_api = path == "/api" or path.startswith("/api/")
        answered = False

        async def send_with_headers(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                last = [(b"connection", b"close")] if self._ending.is_set() else []
                message["headers"] = [*message.get("headers", ()), *self._headers, *last]
                if of_api:
                    telemetry.API_REQUESTS.labels(http_api.route(path), message["status"]).inc()
            await send(message)

        refusal = self._refusal(scope, limited=of_api or path in LIMITED)
        try:
            if refusal is None:
                await self._app(scope, receive, send_with_headers)
                return
        except Exception as error:
            # Starlette would answer a fault itself, outside of this class: without the headers, and in no JSON.
            _LOG.error("A request failed\n%s", traceback_of(error))
            if answered:
                raise
            refusal = Refusal(500, "InternalError", "A fault in paiview; its log has the details.")
        else:
            telemetry.REFUSED.labels(refusal.code).inc()
        await _response(refusal, of_api=of_api)(scope, receive, send_with_headers)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _ENDING if self._ending.is_set() else self._foreign(scope)
        if refusal is not None:
            telemetry.REFUSED.labels(refusal.code).inc()
            # Before it is accepted this ends the handshake with 403.
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.message})
            return
        with telemetry.PAGES.track_inprogress():
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, *, limited: bool) -> Refusal | None:
        if not self._known(_header(scope, b"host"), scope):
            return _HOST
        if scope["method"] not in METHODS:
            return _METHOD
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST:
            return _LENGTH
        if _header(scope, b"content-length") not in (b"", b"0") or _header(scope, b"transfer-encoding"):
            return _BODY
        _, own, rest = scope["path"].partition("/_stcore/")
        # What stands under /api answers for itself; Streamlit would give its page for the name alone.
        if scope["path"] == "/api" or (own and rest not in STREAMLIT):
            return _PATH
        # Before it is counted: another site would else use up the rate of its reader.
        if limited and _embedded(scope):
            return _ORIGIN
        if limited and (wait := self._limit.wait(client(scope))):
            seconds = math.ceil(wait)
            message = f"More than {RATE:g} requests a second: ask again in {seconds} s."
            return Refusal(429, "TooManyRequests", message, {"retry-after": str(seconds)})
        return None

    def _foreign(self, scope: Scope) -> Refusal | None:
        """Why a WebSocket is refused. Browsers name the page that opens one, and let every page try."""
        host = _header(scope, b"host")
        if not self._known(host, scope):
            return _HOST
        origin = _header(scope, b"origin")
        return _ORIGIN if origin and origin.partition(b"://")[2] != host else None

    def _known(self, host: bytes, scope: Scope) -> bool:
        """Whether the host asked for is this dashboard, and not a name that somebody made point here."""
        name = _host_name(host)
        return name in self._hosts or (name != "" and name == scope["server"][0].removeprefix("::ffff:"))


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for found, value in scope["headers"] if found == name), b"")


def _embedded(scope: Scope) -> bool:
    """Whether a page of another site has its reader's browser ask, as for an image, and no link to this is followed.

    A frame is a navigation too, but no document. What is no browser does not say who asks.
    """
    foreign = _header(scope, b"sec-fetch-site") in (b"cross-site", b"same-site")
    return foreign and _header(scope, b"sec-fetch-dest") != b"document"


@lru_cache(maxsize=64)
def _host_name(host: bytes) -> str:
    """The name in a Host header; empty when it cannot be one."""
    found = _HOST_HEADER.fullmatch(host)
    return (found[1] or found[2]).decode().lower().removesuffix(".") if found else ""


def client(scope: Scope) -> str:
    """What one client is counted as: its address, or the network of it where everybody has 2 ** 64 addresses."""
    address: str = scope["client"][0] if scope.get("client") else ""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    # A socket of both protocols writes all addresses of the old one into a single network of the new one.
    return str(found.ipv4_mapped or found.packed[:8])


def _response(refusal: Refusal, *, of_api: bool) -> Response:
    if of_api:
        return http_api.refuse(refusal.status, refusal.code, refusal.message, refusal.headers)
    return PlainTextResponse(refusal.message, refusal.status, refusal.headers)

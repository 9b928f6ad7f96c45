"""The arguments of ``st.App``: routes, middleware, what runs at the start and the end, and script errors."""

import asyncio
import base64
import gc
import hashlib
import logging
import os
import re
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any, Final

import stamina
import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from paiview.decisions import contracts
from paiview.pai import transport
from paiview.pai.errors import SettingError
from paiview.registry.connection import broken_models, disconnect, drop_expired, held, shared_read_observers, under_way
from paiview.server import guard, http_api, log_lines, telemetry
from paiview.server.browser_messages import MAX_MESSAGE_BYTES
from paiview.server.rate_limit import RateLimit
from paiview.settings import load_settings
from paiview.text import traceback_of

_LOG = logging.getLogger(__name__)

FREE_INTERVAL_SECONDS: Final = 40.0
"""Seconds between two rounds that free what nobody uses; each collects all garbage."""
STOP_TIMEOUT_SECONDS: Final = 17
"""From a signal to the end of the process, whoever is connected: a request that waits for PAI has 15 s by default, and
the unit kills the process after 20 s."""
UNREAD_TIMEOUT_SECONDS: Final = 15
"""A client that reads nothing of what it was sent for as long is disconnected."""
GC_THRESHOLD_OBJECTS: Final = 20_000
"""New objects after which Python collects its youngest generation. A page run makes thousands.

With Python's default of 700 the collections take a twentieth of a run.
"""
INDEX_HTML: Final = Path(st.__file__).with_name("static") / "index.html"
"""The one HTML page of Streamlit; it contains an inline script."""


def app_arguments() -> dict[str, Any]:
    """The arguments of ``st.App``.

    Raises:
        SystemExit: a setting is invalid; the message is one sentence that names it.
    """
    try:
        settings = load_settings()
        contracts.current()
    except SettingError as error:
        raise SystemExit(f"paiview: {error.message}") from None
    if settings.cache_url and find_spec("redis") is None:
        raise SystemExit("paiview: PAIVIEW_CACHE_URL needs the package redis: pip install 'paiview[shared-cache]'.")
    address = st.get_option("server.address")
    hosts = (*settings.allowed_hosts, *([address.lower()] if address else []))
    stopping = asyncio.Event()
    return {
        "lifespan": partial(_lifespan, stopping),
        "routes": [
            Route("/healthz", _healthz),
            Route("/metrics", _metrics),
            http_api.mount(),
        ],
        "middleware": [
            Middleware(
                guard.Guard,
                hosts=hosts,
                headers=security_headers(),
                rate_limit=RateLimit(guard.REQUESTS_PER_SECOND, guard.MAX_BURST_REQUESTS, guard.MAX_CLIENTS),
                stopping=stopping,
            ),
        ],
        "on_script_error": _on_script_error,
    }


def security_headers() -> list[tuple[bytes, bytes]]:
    """The security headers of every response."""
    # The pages need three exceptions: inline styles of charts and widgets, a data URL for a font of the tables, and
    # WebAssembly, which protobuf uses. Only Streamlit's own scripts run, and nothing is loaded from other hosts.
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' 'wasm-unsafe-eval' {' '.join(_inline_script_hashes())}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _inline_script_hashes() -> list[str]:
    """The CSP sources that allow the inline scripts of Streamlit's page, and no others."""
    scripts = re.findall("<script>(.*?)</script>", INDEX_HTML.read_text(encoding="utf-8"), re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


async def _healthz(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def _metrics(_request: Request) -> Response:
    return Response(telemetry.exposition(), media_type=telemetry.MEDIA_TYPE, headers={"cache-control": "no-store"})


@asynccontextmanager
async def _lifespan(stopping: asyncio.Event, _app: Any) -> AsyncIterator[None]:
    """Warm up before the first reader comes, set ``stopping`` on a signal, and disconnect at the end."""
    import plotly.graph_objects as go  # noqa: PLC0415 - warming up is to import it
    import plotly.io  # noqa: PLC0415

    # plotly prefers orjson if it is installed, which takes four times as long for panels: plotly first scans each text.
    plotly.io.json.config.default_engine = "json"
    plotly.io.to_json(go.Figure(go.Scatter(y=[1.0])))
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    # After uvicorn and Streamlit have made their handlers.
    log_lines.install()
    transport.observers.add(telemetry.pai_request)
    shared_read_observers.add(telemetry.shared_read)
    # The observers count retries; stamina's log line for each would add nothing.
    stamina.instrumentation.set_on_retry_hooks([])
    telemetry.watch(held, under_way, broken_models)
    tasks = [asyncio.create_task(_free_memory())]
    if (server := _running_server()) is not None:
        tasks.append(asyncio.create_task(end_unread_connections(server)))
    try:
        with _set_on_signal(stopping):
            yield
    finally:
        for task in tasks:
            task.cancel()
        disconnect()


def _running_server() -> uvicorn.Server | None:
    """The server that runs this application, by its signal handler; none in tests."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return server if isinstance(server, uvicorn.Server) else None


async def end_unread_connections(server: uvicorn.Server, timeout_seconds: float = UNREAD_TIMEOUT_SECONDS) -> None:
    """Let the system end each connection whose client reads nothing of what it was sent for some seconds.

    uvicorn waits for such a client for ever, also when it closes the connection. The connections inherit the option of
    the socket that accepts them. Systems other than Linux have none.
    """
    option: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
    while not server.started:
        await asyncio.sleep(0.05)
    if option is None:
        return
    for listener in server.servers:
        for listening in listener.sockets:
            with socket.socket(fileno=os.dup(listening.fileno())) as copy:
                copy.setsockopt(socket.IPPROTO_TCP, option, round(timeout_seconds * 1000))


@contextmanager
def _set_on_signal(stopping: asyncio.Event) -> Iterator[None]:
    """Set ``stopping`` before the server's own handlers of SIGTERM and SIGINT run.

    Only the main thread can handle signals; elsewhere, as in tests, nothing is set.
    """
    is_main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGTERM, signal.SIGINT) if is_main else ()
    handlers = {number: handler for number in numbers if callable(handler := signal.getsignal(number))}
    if is_main and (server := _running_server()) is not None:
        # Without it a client that reads nothing would keep the process.
        server.config.timeout_graceful_shutdown = STOP_TIMEOUT_SECONDS
        # Streamlit has one limit for both directions, and pages receive much larger messages than they send.
        server.config.ws_max_size = MAX_MESSAGE_BYTES

    def handle(number: int, frame: FrameType | None) -> None:
        stopping.set()
        handlers[signal.Signals(number)](number, frame)

    for number in handlers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


async def _free_memory() -> None:
    """Free what nobody uses any more, regularly: old snapshots, and the sessions of closed pages.

    Streamlit leaves a closed session, with its event loop and sockets, as a reference cycle. With the threshold above
    Python would find it late.
    """
    while True:
        await asyncio.sleep(FREE_INTERVAL_SECONDS)
        drop_expired()
        gc.collect()


def _on_script_error(error: Exception) -> bool:
    """Log the traceback of a failed page and show one sentence in its place."""
    telemetry.SCRIPT_ERRORS.inc()
    _LOG.error("A page failed\n%s", traceback_of(error))
    st.error(
        "This page failed: an internal error of paiview. Nothing changed in PAI; the server's log has the details."
    )
    return True

"""The server around the pages: settings checked before the first visitor, health, headers, script errors."""

import asyncio
import base64
import gc
import hashlib
import logging
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

import stamina
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from paiview.decisions import contracts
from paiview.pai import transport
from paiview.pai.errors import SettingError
from paiview.registry.connection import disconnect, held, under_way
from paiview.server import guard, http_api, telemetry
from paiview.settings import load_settings
from paiview.text import traceback_of

_LOG = logging.getLogger(__name__)

TIDY: Final = 60.0
"""Seconds between two searches for what closed pages left behind."""
SEARCH: Final = 20_000
"""Objects more than before at which Python searches the youngest for circles of references; a run makes thousands.

With its own 700 the searches take a twentieth of a run.
"""
SHELL: Final = Path(st.__file__).with_name("static") / "index.html"
"""The one HTML page that Streamlit serves; it holds a script of its own."""


def app_arguments() -> dict[str, Any]:
    """The arguments of ``st.App``.

    Raises:
        SystemExit: a setting, metric, dataset or rule cannot be used; the message is one sentence that names it.
    """
    try:
        settings = load_settings()
        contracts.current()
    except SettingError as error:
        raise SystemExit(f"paiview: {error.message}") from None
    address = st.get_option("server.address")
    hosts = (*settings.allowed_hosts, *([address.lower()] if address else []))
    ending = asyncio.Event()
    return {
        "lifespan": partial(_lifespan, ending),
        "routes": [
            Route("/healthz", _healthz),
            Route("/metrics", _metrics),
            http_api.mount(),
        ],
        "middleware": [
            Middleware(
                guard.Edge,
                hosts=hosts,
                headers=security_headers(),
                limit=guard.RateLimit(guard.RATE, guard.BURST, guard.REMEMBERED),
                ending=ending,
            ),
        ],
        "on_script_error": _on_script_error,
    }


def security_headers() -> list[tuple[bytes, bytes]]:
    """What every answer says to a browser."""
    # The pages need three doors: styles that charts and widgets write into elements, a font of the tables in a data
    # URL, and WebAssembly, with which protobuf multiplies. Only Streamlit's own scripts run; no other host is asked.
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' 'wasm-unsafe-eval' {' '.join(_own_scripts())}",
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


def _own_scripts() -> list[str]:
    """The hashes of the scripts that stand in Streamlit's page: those alone run inline."""
    scripts = re.findall("<script>(.*?)</script>", SHELL.read_text(encoding="utf-8"), re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


async def _healthz(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def _metrics(_request: Request) -> Response:
    return Response(telemetry.exposition(), media_type=telemetry.MEDIA_TYPE, headers={"cache-control": "no-store"})


@asynccontextmanager
async def _lifespan(ending: asyncio.Event, _app: Any) -> AsyncIterator[None]:
    """Import what the first page needs before the first visitor waits for it, and tell when the process is to end."""
    import plotly.graph_objects as go  # noqa: PLC0415 - the import is the work here
    import plotly.io  # noqa: PLC0415

    # orjson, which plotly takes where it finds it, needs four times as long for panels: each text is looked at first.
    plotly.io.json.config.default_engine = "json"
    plotly.io.to_json(go.Figure(go.Scatter(y=[1.0])))
    gc.collect()
    gc.freeze()
    gc.set_threshold(SEARCH)
    transport.observers.add(telemetry.pai_request)
    # The store needs a Redis client, which only a shared cache imports.
    if load_settings().cache_url:
        from paiview.registry import shared_store  # noqa: PLC0415

        shared_store.observers.add(telemetry.shared_read)
    # Retries are counted there; stamina would log a line for each that tells nothing.
    stamina.instrumentation.set_on_retry_hooks([])
    telemetry.watch(held, under_way)
    tidying = asyncio.create_task(_tidy())
    try:
        with _set_at_the_end(ending):
            yield
    finally:
        tidying.cancel()
        disconnect()


@contextmanager
def _set_at_the_end(ending: asyncio.Event) -> Iterator[None]:
    """Have signals that end the server set ``ending`` before it hears of them; only the main thread hears any."""
    is_main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGTERM, signal.SIGINT) if is_main else ()
    handlers = {number: handler for number in numbers if callable(handler := signal.getsignal(number))}

    def end(number: int, frame: FrameType | None) -> None:
        ending.set()
        handlers[signal.Signals(number)](number, frame)

    for number in handlers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


async def _tidy() -> None:
    """Free what closed pages held: Streamlit drops a session as it is, with its event loop, in a circle of references.

    Python looks for such circles when much has piled up; the sockets of closed pages would wait for that.
    """
    while True:
        await asyncio.sleep(TIDY)
        gc.collect()


def _on_script_error(error: Exception) -> bool:
    """Log a failed page with its traceback and show a calm sentence in its place."""
    telemetry.SCRIPT_ERRORS.inc()
    _LOG.error("A page failed\n%s", traceback_of(error))
    st.error("This page failed: a fault in paiview. Nothing was changed in PAI, and the server's log has the details.")
    return True

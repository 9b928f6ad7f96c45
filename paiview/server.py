"""The server around the pages: settings checked before the first visitor, health, headers, script errors."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paiview import api, config, registry
from paiview.pai.errors import SettingError

_LOG = logging.getLogger(__name__)

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
]


def settings() -> dict[str, Any]:
    """The arguments of ``st.App``.

    Raises:
        SystemExit: a setting cannot be used; the message is one sentence naming it.
    """
    try:
        config.load()
    except SettingError as error:
        raise SystemExit(f"paiview: {error.message}") from None
    return {
        "lifespan": _lifespan,
        "routes": [Route("/healthz", _healthz), api.mount()],
        "middleware": [Middleware(SecurityHeaders)],
        "on_script_error": _on_script_error,
    }


class SecurityHeaders:
    """Adds the security headers to every HTTP answer; WebSockets pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def _healthz(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


@asynccontextmanager
async def _lifespan(_app: Any) -> AsyncIterator[None]:
    """Import what the first page needs before the first visitor waits for it."""
    import plotly.graph_objects as go  # noqa: PLC0415 - the import is the work here
    import plotly.io  # noqa: PLC0415

    plotly.io.to_json(go.Figure(go.Scatter(y=[1.0])))
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        registry.disconnect()


def _on_script_error(error: Exception) -> bool:
    """Log a failed page with its traceback and show a calm sentence in its place."""
    _LOG.error("A page failed", exc_info=error)
    st.error("This page failed: a fault in paiview. Nothing was changed in PAI, and the server's log has the details.")
    return True

"""A thread of this process that serves an ASGI application on a loopback port."""

import socket
import threading
from types import TracebackType
from typing import Final, Self

import uvicorn
from starlette.types import ASGIApp

from paiview.pai.errors import SettingError

HOST: Final = "127.0.0.1"
_KEEP_ALIVE_SECONDS: Final = 75
"""Longer than the pool of a client keeps an idle connection, so that it never sends on a closed one."""


class _Server(uvicorn.Server):
    """uvicorn's server with an event that is set once it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()


class BackgroundServer:
    """Serves an application on 127.0.0.1 from a daemon thread, without logging and signal handlers.

    Args:
        app: the application.
        port: 0 chooses a free one.

    Attributes:
        port: the port that it listens on.

    Raises:
        SettingError: the port cannot be opened.
    """

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        config = uvicorn.Config(
            app,
            access_log=False,
            lifespan="off",
            log_config=None,
            log_level="critical",
            loop="asyncio",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            ws="none",
        )
        self._server = _Server(config)
        self._socket = _bound_socket(port)
        self.port: int = self._socket.getsockname()[1]
        sockets = {"sockets": [self._socket]}
        self._thread = threading.Thread(target=self._server.run, kwargs=sockets, name="paiview-local", daemon=True)

    def __enter__(self) -> Self:
        """Start, and return once connections are accepted."""
        self._thread.start()
        self._server.accepting.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Finish the running requests and free the port."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def _bound_socket(port: int) -> socket.socket:
    # asyncio disables Nagle's algorithm only if the protocol is explicit; with it every response is 40 ms late.
    bound = socket.socket(proto=socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
        bound.listen()
    except (OSError, OverflowError) as error:
        bound.close()
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise SettingError(f"Port {port} cannot be used for the embedded registry: {reason.lower()}.") from error
    return bound

"""A server on loopback that answers as it is told to, however badly, and records what it was asked."""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs

DRIP: Final = 0.02
"""Seconds between the bytes of a dripping body."""
WAIT_SECONDS: Final = 10.0
"""After this time a test that waits for the server has failed."""


class Act(Enum):
    """What the server does after the bytes it has sent so far."""

    CLOSE = auto()
    RESET = auto()
    HANG = auto()
    """Stay silent, and keep the connection until the client closes it."""
    DRIP = auto()
    """Send a blank now and then, for ever."""


Reply = tuple[bytes | Act, ...]
"""What goes over the wire, in order."""


@dataclass(frozen=True)
class Request:
    """A request as it came: path and query still percent-encoded, header names in lower case."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]

    @property
    def query(self) -> dict[str, str]:
        return {name: value for name, (value,) in parse_qs(self.raw_query, keep_blank_values=True).items()}

    @property
    def page(self) -> int:
        return int(self.query["PageNumber"])


Responder = Callable[[Request], Awaitable[Reply]]


def reply(
    body: Any = b"",
    *,
    status: int = 200,
    headers: Mapping[str, str] = {},
    length: int | None = None,
    then: Act | None = None,
) -> Reply:
    """A whole answer, unless ``length`` announces more than the body has and ``then`` says what comes in its place."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Content-Length: {len(content) if length is None else length}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    head = "\r\n".join([*lines, "", ""]).encode()
    return (head + content,) if then is None else (head + content, then)


def refusal(code: str, status: int, message: str = "Why.", headers: Mapping[str, str] = {}) -> Reply:
    """An error as the service words it, with the RequestId ``R-<code>``."""
    body = {"Code": code, "Message": message, "RequestId": f"R-{code}", "HostId": "pai"}
    return reply(body, status=status, headers=headers)


def script(*replies: Reply) -> Responder:
    """Give these answers in turn, and the last one from then on."""
    remaining = list(replies)

    async def respond(request: Request) -> Reply:
        return remaining.pop(0) if len(remaining) > 1 else remaining[0]

    return respond


@dataclass
class Server:
    """Listens from construction to ``stop``, in a thread of its own."""

    respond: Responder
    requests: list[Request] = field(default_factory=list)
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        self._in_flight = 0
        self._changed = threading.Condition()
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="misbehaving-server")
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._connected, "127.0.0.1", 0), self._loop)
        self._listener = listening.result()
        self.port: int = self._listener.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pages(self) -> list[int]:
        return [request.page for request in self.requests]

    def has_connections(self, count: int) -> bool:
        """Wait until this many connections are open; ``False`` if that takes longer than ``WAIT_SECONDS``."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._connections) == count, WAIT_SECONDS)

    def has_requests(self, count: int) -> bool:
        """Wait until this many requests have come; ``False`` if that takes longer than ``WAIT_SECONDS``."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.requests) >= count, WAIT_SECONDS)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def _end(self) -> None:
        self._listener.close()
        connections = tuple(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        with self._changed:
            self._connections.add(task)
            self._changed.notify_all()
        try:
            while not writer.is_closing():
                first = await reader.readexactly(1)
                if not first.isalpha():
                    break  # TLS, which no blank line ends.
                request = _parsed(first + await reader.readuntil(b"\r\n\r\n"))
                with self._changed:
                    self.requests.append(request)
                    self._changed.notify_all()
                self._in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self._in_flight)
                try:
                    answer = await self.respond(request)
                finally:
                    self._in_flight -= 1
                await _send(answer, reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # The client left, or the test is over.
        finally:
            writer.transport.abort()
            with self._changed:
                self._connections.discard(task)
                self._changed.notify_all()


def _parsed(head: bytes) -> Request:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, path, query, headers)


async def _send(answer: Sequence[bytes | Act], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for step in answer:
        match step:
            case Act.CLOSE:
                writer.close()
                await writer.wait_closed()
            case Act.RESET:
                # Time for the bytes before it to be read: a reset overtakes them.
                await asyncio.sleep(DRIP)
                no_linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
                writer.transport.abort()
            case Act.HANG:
                await reader.read()
            case Act.DRIP:
                while True:
                    await asyncio.sleep(DRIP)
                    writer.write(b" ")
                    await writer.drain()
            case bytes():
                writer.write(step)
                await writer.drain()

"""How many connections a client may keep open, and what a connection costs that is not read."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from paiview.server import guard
from paiview.server.guard import Guard
from paiview.server.rate_limit import OpenConnections, RateLimit


def scope(client: str, kind: str = "http", path: str = "/") -> dict[str, Any]:
    return {
        "type": kind,
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": (client, 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http" if kind == "http" else "ws",
    }


async def receive() -> Message:
    return {"type": "websocket.connect"}


class Waiting:
    """A guard before an application that answers when it is told to."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.guard = Guard(
            self._app, hosts=[], headers=[], rate_limit=RateLimit(100.0, 100, 100), stopping=asyncio.Event()
        )
        self.answers: list[Message] = []

    async def _app(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await self.released.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def _send(self, message: Message) -> None:
        self.answers.append(message)

    async def open(self, client: str, kind: str = "http", path: str = "/") -> "asyncio.Task[None]":
        """Open a connection and wait until it is either refused or in the application."""
        task = asyncio.ensure_future(self.guard(scope(client, kind, path), receive, self._send))
        for _ in range(3):
            await asyncio.sleep(0)
        return task

    def statuses(self) -> list[int]:
        return [message["status"] for message in self.answers if message["type"] == "http.response.start"]


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_OPEN_OF_CLIENT", 2)
    monkeypatch.setattr(guard, "MAX_OPEN", 3)


def test_a_client_with_too_many_open_is_refused_and_others_are_not() -> None:
    async def run() -> None:
        waiting = Waiting()
        tasks = [await waiting.open("10.0.0.1"), await waiting.open("10.0.0.1", "websocket")]
        await waiting.open("10.0.0.1")
        assert waiting.statuses() == [429]
        await waiting.open("10.0.0.1", "websocket")
        assert waiting.answers[-1]["type"] == "websocket.close"
        tasks.append(await waiting.open("10.0.0.2"))
        waiting.released.set()
        await asyncio.gather(*tasks)
        assert waiting.statuses() == [429, 200, 200, 200]
        # What has ended makes room.
        await (await waiting.open("10.0.0.1"))
        assert waiting.statuses()[-1] == 200

    asyncio.run(run())


def test_all_clients_together_have_a_bound_that_the_check_of_a_proxy_does_not_meet() -> None:
    async def run() -> None:
        waiting = Waiting()
        tasks = [await waiting.open(f"10.0.0.{number}") for number in range(3)]
        await waiting.open("10.0.0.9")
        assert waiting.statuses() == [429]
        tasks.append(await waiting.open("10.0.0.9", path="/healthz"))
        waiting.released.set()
        await asyncio.gather(*tasks)
        assert waiting.statuses() == [429, 200, 200, 200, 200]

    asyncio.run(run())


def test_connections_are_counted_until_they_are_left() -> None:
    connections = OpenConnections(of_client=2, total=3)
    assert [connections.enter("a"), connections.enter("a"), connections.enter("a")] == [True, True, False]
    assert [connections.enter("b"), connections.enter("c")] == [True, False]
    connections.leave("a")
    assert [connections.enter("c"), connections.enter("a")] == [True, False]

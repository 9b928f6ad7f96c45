"""Requests that are broken off, whatever step they have come to: they end at once and keep no connection open."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Self

import pytest

from paiview.pai.transport import Transport
from tests.harness.server import Act, reply
from tests.pai.conftest import CREDENTIALS

WAIT: Final = 10.0
"""Seconds after which a request has not ended, or a connection is held for ever."""
ANSWERED: Final = "/answered"
ENDING: Final = "/ending"
"""Path whose answer ends its connection, so that the next request opens one."""
SILENT: Final = "/silent"
"""Path that is never answered."""


@dataclass
class Neighbour:
    """A server on the loop of the client: as much happens in one turn of the loop each time."""

    open: set[asyncio.StreamWriter] = field(default_factory=set)
    kept_waiting: int = 0
    """Requests without an answer."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = self._listener.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        for writer in self.open:
            writer.transport.abort()
        await self.holds(0)

    async def holds(self, connections: int) -> None:
        """Wait until so many connections are open."""
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(lambda: len(self.open) == connections), WAIT)
            except TimeoutError:
                pytest.fail(f"{len(self.open)} connections are open instead of {connections}.")

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            path = ""
            while path != ENDING:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split()[1].decode()
                if path == SILENT:
                    self.kept_waiting += 1
                    continue
                for part in reply({"Answer": 1}, headers={"Connection": "close"} if path == ENDING else {}):
                    assert not isinstance(part, Act)
                    writer.write(part)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client left.
        finally:
            writer.transport.abort()
            async with self._changed:
                self.open.discard(writer)
                self._changed.notify_all()


def with_neighbour(test: Callable[[Neighbour, Transport], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Neighbour() as server:
            transport = Transport(
                server.url,
                CREDENTIALS,
                concurrency=1,
                rate_limit=0,
                deadline=6 * WAIT,
                connect_timeout=6 * WAIT,
                read_timeout=6 * WAIT,
            )
            try:
                await test(server, transport)
            finally:
                await transport.close()

    asyncio.run(run())


async def broken_off(transport: Transport, path: str, turns: int, *, again: bool) -> bool:
    """Break a request off after some turns of the loop; tell whether it was still under way."""
    request = asyncio.create_task(transport.get("Read", path, {}))
    for _ in range(turns):
        await asyncio.sleep(0)
    was_under_way = request.cancel()
    while again and not request.done():
        await asyncio.sleep(0)
        request.cancel()
    await asyncio.wait((request,), timeout=WAIT)
    assert request.done()
    assert request.cancelled() is was_under_way
    return was_under_way


@pytest.mark.parametrize("again", [False, True], ids=["once", "ever-again"])
@pytest.mark.parametrize("before", [ANSWERED, ENDING], ids=["used-connection", "new-connection"])
def test_a_request_that_is_broken_off_at_any_step_keeps_no_connection(before: str, again: bool) -> None:
    async def at_every_step(server: Neighbour, transport: Transport) -> None:
        turns = 0
        await transport.get("Read", before, {})
        while await broken_off(transport, ANSWERED, turns, again=again):
            turns += 1
            await transport.get("Read", before, {})
        # The one that the next request would use.
        await server.holds(1)

    with_neighbour(at_every_step)


@pytest.mark.parametrize("before", [ANSWERED, ENDING], ids=["used-connection", "new-connection"])
def test_a_request_that_is_broken_off_at_any_step_waits_for_no_answer(before: str) -> None:
    async def at_every_step(server: Neighbour, transport: Transport) -> None:
        turns = 0
        # Twice: the request that has just come may not be one that the client already waits for.
        while server.kept_waiting < 2:
            await transport.get("Read", before, {})
            assert await broken_off(transport, SILENT, turns, again=False)
            turns += 1
        await server.holds(0)

    with_neighbour(at_every_step)

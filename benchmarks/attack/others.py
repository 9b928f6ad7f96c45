"""A reader in a process of its own who runs a page, and sends two HTTP requests, once a second."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final

from websockets.exceptions import WebSocketException

from benchmarks.attack.outcome import Others
from benchmarks.attack.wire import READER, fetch
from tests.harness.sessions import LONGEST, Run, Session

INTERVAL_SECONDS: Final = 1.0
WARM_UP_ROUNDS: Final = 3
MODEL: Final = "model-bench"
PAGES: Final = ("", "versions", "trends", "compare")


@dataclass
class Watched:
    """What has been seen so far; see ``Others``."""

    pages: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def others(self) -> Others:
        """All that has been seen."""
        return Others(self.pages, self.requests, self.failed)


class Reader:
    """One reader.

    Args:
        url: the dashboard's.
        api: the path of a request to the API; ``{n}`` in it is a new number each time.
    """

    def __init__(self, url: str, api: str) -> None:
        self._url = url
        self._api = api
        self._numbers = count()
        self._session: Session | None = None
        self._usual: set[str] = set()

    async def warm_up(self) -> None:
        """See each page, and what it usually warns of."""
        for number in range(WARM_UP_ROUNDS * len(PAGES)):
            run = await self._open(number)
            self._usual |= {_wording(alert) for alert in run.alerts}
            await fetch(self._url, self._api.format(n=next(self._numbers)), READER)

    async def watch(self, over: "asyncio.Future[None]") -> Others:
        """Go on reading until ``over`` is done."""
        watched = Watched()

        async def page(number: int) -> None:
            start = time.perf_counter()
            try:
                run = await self._open(number)
            except (TimeoutError, OSError, WebSocketException) as error:
                watched.failed.append(f"page: {type(error).__name__}")
                watched.pages.append(time.perf_counter() - start)
                await self.close()
            else:
                watched.pages.append(run.seconds)
                odd = [alert for alert in run.alerts if _wording(alert) not in self._usual]
                if odd or not run.texts:
                    watched.failed.append(f"page {PAGES[number % len(PAGES)]}: {(odd or ['it is empty'])[0][:80]}")

        def request(path: str) -> Callable[[int], Awaitable[None]]:
            async def ask(_: int) -> None:
                start = time.perf_counter()
                try:
                    answer = await fetch(self._url, path.format(n=next(self._numbers)), READER)
                except (TimeoutError, OSError) as error:
                    watched.failed.append(f"{path.partition('?')[0]}: {type(error).__name__}")
                else:
                    if answer.status != 200:
                        watched.failed.append(f"{path.partition('?')[0]}: {answer.status}")
                watched.requests.append(time.perf_counter() - start)

            return ask

        async with asyncio.TaskGroup() as tasks:
            for act in (page, request("/healthz"), request(self._api)):
                tasks.create_task(_repeat(act, over))
        await self.close()
        return watched.others()

    async def close(self) -> None:
        """Leave."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.__aexit__(None, None, None)

    async def _open(self, number: int) -> Run:
        if self._session is None:
            session = Session(self._url, source=READER)
            async with asyncio.timeout(LONGEST):
                await session.__aenter__()
            self._session = session
        name = PAGES[number % len(PAGES)]
        return await self._session.open(name, **({"model": MODEL} if name else {}))


@contextmanager
def reader(url: str, api: str) -> Iterator[Callable[[], Others]]:
    """A reader who is warm; the function that is yielded ends it, and returns what it saw."""
    spawning = get_context("spawn")
    here, there = spawning.Pipe()
    process = spawning.Process(target=_read, args=(url, api, there), daemon=True)
    process.start()
    # The other end is the child's: where it dies, ``recv`` raises and does not wait.
    there.close()

    def seen() -> Others:
        here.send(None)
        others: Others = here.recv()
        return others

    try:
        here.recv()
        yield seen
    finally:
        here.close()
        process.join(LONGEST)


def _read(url: str, api: str, pipe: Connection) -> None:
    asyncio.run(_read_until_told(url, api, pipe))


async def _read_until_told(url: str, api: str, pipe: Connection) -> None:
    one = Reader(url, api)
    await one.warm_up()
    pipe.send(None)
    over = asyncio.ensure_future(asyncio.to_thread(_told, pipe))
    others = await one.watch(over)
    # Nobody waits for it where the attack has failed.
    with suppress(OSError):
        pipe.send(others)


def _told(pipe: Connection) -> None:
    with suppress(EOFError):
        pipe.recv()


async def _repeat(act: Callable[[int], Awaitable[None]], over: "asyncio.Future[None]") -> None:
    for number in count():
        start = time.perf_counter()
        await act(number)
        await asyncio.wait({over}, timeout=max(start + INTERVAL_SECONDS - time.perf_counter(), 0.0))
        if over.done():
            return


def _wording(alert: str) -> str:
    """An alert without its numbers, such as ages."""
    return re.sub(r"\d+", "", alert)

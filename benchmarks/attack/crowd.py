"""A hundred honest people, without and with an attacker beside them."""

import asyncio
import random
import statistics
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import WebSocketException

from benchmarks.attack.clients import flooded
from benchmarks.attack.outcome import AttackResult
from benchmarks.attack.target import checked
from benchmarks.attack.wire import ATTACKER
from benchmarks.check import SETTINGS, registry
from benchmarks.people import PEOPLE, SEED, VERSIONS, visit
from tests.harness.dashboard import dashboard
from tests.harness.sessions import Session

PEOPLE_NETWORK: Final = "127.2.0."
PAGES: Final = 8
"""Measured runs of each."""
TABS: Final = 40
AT_ONCE: Final = 10
"""Candidates of one comparison."""
MEDIAN_SECONDS: Final = 0.3
"""Of the runs of the hundred beside an attacker, on a machine that does nothing else."""
LONGEST_SECONDS: Final = 600.0


async def busy_tabs(url: str) -> None:
    """Run pages in forty tabs of one client as fast as they are answered, each another one than before."""

    async def tab(number: int) -> None:
        chance = random.Random(SEED + number)  # noqa: S311 - chance for a measurement
        while True:
            # A tab whose page did not come in time is opened again.
            with suppress(OSError, TimeoutError, WebSocketException):
                await run_pages(chance)

    async def run_pages(chance: random.Random) -> None:
        async with Session(url, source=ATTACKER) as session:
            for turn in count():
                places = [chance.randrange(VERSIONS) for _ in range(AT_ONCE)]
                names = [f"{place // 100}.{place % 100}.0" for place in places]
                if turn % 2:
                    await session.open("trends", model="model-bench", text=f"run {places[0] % 10}")
                else:
                    await session.open("compare", model="model-bench", candidate=names)

    await asyncio.gather(*(tab(number) for number in range(TABS)))


async def flood(url: str) -> None:
    """Ask for listings, decisions and metrics from 500 addresses as fast as they are answered."""
    await flooded(url, LONGEST_SECONDS)


Attacker = Callable[[str], Coroutine[Any, Any, None]]


@checked(25, f"{PEOPLE} people beside an attacker with {TABS} tabs")
def beside_tabs() -> AttackResult:
    """The hundred of ``benchmarks.people``, without and with a client that runs pages in forty tabs."""
    return compared(busy_tabs, f"Compare and Trends in {TABS} tabs of one client, as fast as they are answered")


@checked(26, f"{PEOPLE} people beside a flood of requests")
def beside_flood() -> AttackResult:
    """The hundred of ``benchmarks.people``, without and with requests of 500 clients."""
    return compared(flood, "listings, metrics and decisions of 500 addresses, 48 at a time, as fast as possible")


def compared(attacker: Attacker, sent: str) -> AttackResult:
    """Let the hundred walk with an attacker, and once without one, each time on a dashboard of its own."""
    alone = walked_alone()
    seconds, failed, number = _walked(attacker)
    median = statistics.median(seconds)
    effect = (
        f"median {statistics.median(alone) * 1000:.0f} ms alone, {median * 1000:.0f} ms beside it, "
        f"{median / statistics.median(alone):.1f} times; 95 % within {statistics.quantiles(seconds, n=20)[18]:.1f} s; "
        f"{failed} of {number:,} failed"
    )
    faults = [
        *([f"the median run took {median * 1000:.0f} ms"] if median > MEDIAN_SECONDS else []),
        *([f"{failed} runs failed"] if failed else []),
    ]
    return AttackResult(sent, effect, tuple(faults))


@cache
def walked_alone() -> list[float]:
    """Seconds of the runs of the hundred without an attacker."""
    return _walked(None)[0]


def _walked(attacker: Attacker | None) -> tuple[list[float], int, int]:
    """Seconds of the runs of the hundred, how many failed, and of how many."""
    with tempfile.TemporaryDirectory() as folder, registry(Path(folder), VERSIONS) as service:
        settings = {name: value for name, value in service.items() if name.startswith(SETTINGS)}
        with dashboard(Path(folder), **settings, PAIVIEW_CACHE_TTL="3600") as served, _attacked(attacker, served.url):
            seconds, failed, _ = asyncio.run(visit(served.url, served.process_id, PEOPLE_NETWORK, PAGES))
    return seconds, failed, len(seconds)


@contextmanager
def _attacked(attacker: Attacker | None, url: str) -> Iterator[None]:
    """Let an attacker do his worst in a process of his own."""
    if attacker is None:
        yield
        return
    process = get_context("spawn").Process(target=_attack, args=(attacker, url), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _attack(attacker: Attacker, url: str) -> None:
    asyncio.run(attacker(url))

"""A hundred people at once on one dashboard: mixed pages at 1,000 versions, two seconds of thought between them."""

import asyncio
import random
import statistics
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.check import SETTINGS, registry
from benchmarks.report import Row
from benchmarks.soak import sample
from tests.harness.dashboard import dashboard
from tests.harness.sessions import Run, Session

PEOPLE: Final = 100
PAGES: Final = 15
THINKING: Final = (1.0, 3.0)
VERSIONS: Final = 1_000
SETTLED: Final = 5
"""First pages of everybody that are not measured: a hundred people do not come in one second."""
SHARED: Final = 300
"""Pages that somebody opens before all come: what is kept for everybody is no memory of theirs."""
OVERTAKEN: Final = "it is not compared with the newest approved"
"""What a comparison rightly warns of where the candidate, which is any version, is older than the approved one."""
SEED: Final = 20_261_125
MEDIAN: Final = 0.150
SLOWEST: Final = 1.0
"""Seconds within which 95 % of the runs end."""
MEMORY: Final = 0.5
"""MB a session."""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, registry(Path(folder), VERSIONS) as service:
        settings = {name: value for name, value in service.items() if name.startswith(SETTINGS)}
        with dashboard(Path(folder), **settings, PAIVIEW_CACHE_TTL="3600") as served:
            seconds, failed, memory = asyncio.run(visit(served.url, served.process_id))
    cuts = statistics.quantiles(seconds, n=100)
    name = f"{PEOPLE} people, {VERSIONS:,} versions"
    return [
        Row(f"{name}: median to 150 ms", f"{cuts[49] * 1000:.0f} ms", cuts[49] / MEDIAN, 1.0, at_most=True),
        Row(f"{name}: 95 % to 1 s", f"{cuts[94] * 1000:.0f} ms", cuts[94] / SLOWEST, 1.0, at_most=True),
        Row(f"{name}: memory a session to 0.5 MB", f"{memory:.2f} MB", memory / MEMORY, 1.0, at_most=True),
        Row(f"{name}: runs that failed", f"{failed} of {len(seconds):,}", failed, 0.0, at_most=True),
    ]


async def visit(url: str, process_id: int, network: str = "", pages: int = PAGES) -> tuple[list[float], int, float]:
    """Let the people walk.

    Args:
        url: the dashboard's.
        process_id: of the dashboard.
        network: the beginning of an address of loopback, such as ``127.2.0.``, to which each adds a number of his own;
            without it all come from one address.
        pages: measured runs of each.

    Returns:
        Seconds of each measured run, how many failed, and MB a session.
    """
    seconds: list[float] = []
    failed = 0
    async with Session(url) as first:
        chance = random.Random(SEED)  # noqa: S311 - chance for a measurement
        for _ in range(SHARED):
            await _open(first, chance)
        before = sample(process_id, 0.0).memory

        async def person(number: int) -> None:
            nonlocal failed
            chance = random.Random(SEED + number)  # noqa: S311 - chance for a measurement
            async with Session(url, source=f"{network}{number + 1}" if network else "") as session:
                for page in range(SETTLED + pages):
                    await asyncio.sleep(chance.uniform(*THINKING) * (1 if page else 5))
                    run = await _open(session, chance)
                    failed += any(OVERTAKEN not in alert for alert in run.alerts) or not run.texts
                    if page >= SETTLED:
                        seconds.append(run.seconds)
                await barrier.wait()

        barrier = asyncio.Barrier(PEOPLE + 1)

        async with asyncio.TaskGroup() as people:
            for number in range(PEOPLE):
                people.create_task(person(number))
            await barrier.wait()
            memory = (sample(process_id, 0.0).memory - before) / PEOPLE
    return seconds, failed, memory


async def _open(session: Session, chance: random.Random) -> Run:
    place = chance.randrange(VERSIONS - 1)
    model = "model-bench"
    match chance.choice(("models", "versions", "versions", "trends", "trends", "compare", "compare")):
        case "models":
            run = await session.open("")
        case "versions":
            run = await session.open("versions", model=model, page=str(chance.randrange(1, 40)))
        case "trends":
            run = await session.open("trends", model=model, metric=chance.choice(("cer", "wer")))
        case _:
            run = await session.open("compare", model=model, candidate=f"{place // 100}.{place % 100}.0")
    return run

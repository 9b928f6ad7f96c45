"""Thirty visitors walk over all pages for twenty minutes while the service fails one request in twenty.

``python -m benchmarks.soak [minutes]`` writes its figures into docs/reliability.md. It fails when a page was not
answered, when memory grew after the warm-up, or when threads or sockets stay behind after the last visitor.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.frames import answer
from paiview.server.app import FREE_INTERVAL_SECONDS
from tests.harness.dashboard import dashboard
from tests.harness.documents import put
from tests.harness.server import Act, Reply, Request, Server, refusal, reply
from tests.harness.service import Service
from tests.harness.sessions import Session

SESSIONS: Final = 30
MINUTES: Final = 20.0
WARM_UP: Final = 0.25
"""Part of the time after which memory has to be flat."""
FAILING: Final = 0.05
THINKING: Final = (0.5, 4.0)
"""Seconds a visitor looks at a page."""
PAGES_A_TAB: Final = 40
"""Pages after which a visitor closes the tab and opens another one, about so many."""
MODELS: Final = 6
VERSIONS: Final = 300
FRESH: Final = 15
"""Seconds a snapshot is fresh: the service is asked again and again."""
SAMPLING: Final = 5.0
GROWTH: Final = 1.10
"""Memory at the end to memory after the warm-up, at most."""
FORGETTING: Final = 130.0
"""Seconds after which Streamlit has forgotten the last session; for 120 s it keeps one for a visitor who comes back."""
TIDYING: Final = FREE_INTERVAL_SECONDS + 10.0
"""Seconds after which what is forgotten is gone."""
STAYING: Final = 16
"""Threads, and files, that may stay: idle connections to the service, and threads waiting for work."""
SEED: Final = 20_261_125
DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "reliability.md"
FAULTS: Final[Sequence[Reply]] = (
    refusal("ServiceUnavailable", 503),
    refusal("InternalError", 500),
    refusal("Throttling.User", 400, headers={"x-acs-retry-after": "300"}),
    refusal("InvalidSecurityToken.Expired", 400),
    refusal("NoPermission", 403),
    reply(b"<!DOCTYPE html><html><body>Bad gateway</body></html>", status=502),
    reply(b"<!DOCTYPE html><html><body>Sign in</body></html>"),
    reply(b'{"Versions": [', length=5_000, then=Act.RESET),
    reply(b'{"Versions": [', length=5_000, then=Act.CLOSE),
    (Act.CLOSE,),
)


class Sample(NamedTuple):
    """What the dashboard's process holds at one moment: seconds since the start, MB resident, threads, open files."""

    at: float
    memory: float
    threads: int
    files: int


@dataclass
class Walk:
    """What all visitors met."""

    seconds: list[float] = field(default_factory=list)
    alerts: Counter[str] = field(default_factory=Counter)
    unanswered: list[str] = field(default_factory=list)
    sessions: int = 0


class Failing(Service):
    """PAI with a few models, which fails at random; a number of each model changes with every request."""

    def __init__(self) -> None:
        names = [f"model-{number}" for number in range(MODELS)]
        super().__init__(
            models=[{"ModelId": name, "ModelName": f"the {name}"} for name in names],
            versions={name: answer(VERSIONS) for name in names},
            datasets=[{"DatasetId": "d-0", "Name": "the first"}],
        )
        self._chance = random.Random(SEED)  # noqa: S311 - chance for a test, not for a secret
        self.failed = 0

    async def __call__(self, request: Request) -> Reply:
        """Answer one request, or fail it."""
        if self._chance.random() < FAILING:
            self.failed += 1
            return self._chance.choice(FAULTS)
        for versions in self.versions.values():
            results = versions[-1]["Metrics"]["Results"][0]["Metrics"]
            results["cer"] = 0.1 + len(self.requests) % 1000 * 1e-5
        return await super().__call__(request)


async def _visitor(url: str, number: int, until: float, walk: Walk) -> None:
    chance = random.Random(SEED + number)  # noqa: S311 - chance for a test
    while time.monotonic() < until:
        walk.sessions += 1
        try:
            async with Session(url) as session:
                for _ in range(chance.randrange(PAGES_A_TAB // 2, PAGES_A_TAB * 2)):
                    if time.monotonic() >= until:
                        return
                    await _step(session, chance, walk)
                    await asyncio.sleep(chance.uniform(*THINKING))
        except (TimeoutError, OSError) as error:
            walk.unanswered.append(f"{type(error).__name__}: {error}")


async def _step(session: Session, chance: random.Random, walk: Walk) -> None:
    model = f"model-{chance.randrange(MODELS)}"
    place = chance.randrange(VERSIONS)
    match chance.choice(
        ("models", "versions", "versions", "trends", "trends", "compare", "compare", "again", "refresh")
    ):
        case "models":
            run = await session.open("", q=chance.choice(("", "model", "nothing like it")))
        case "versions":
            sort = chance.choice(("-created", "created", "cer@d-0", "-wer@d-3", "nonsense"))
            run = await session.open("versions", model=model, sort=sort, text=chance.choice(("", "run 1", "none")))
        case "trends":
            run = await session.open("trends", model=model, metric=chance.choice(("cer", "wer")))
        case "compare":
            run = await session.open("compare", model=model, candidate=f"{place // 100}.{place % 100}.0")
        case "refresh":
            await session.open("versions", model=model)
            try:
                run = await session.press("refresh")
            except KeyError:  # The page shows a failure and has no such button.
                run = await session.rerun()
        case _:
            run = await session.rerun()
    walk.seconds.append(run.seconds)
    walk.alerts.update(alert[:60] for alert in run.alerts)
    if not run.texts:
        walk.unanswered.append("an empty page")
    walk.unanswered += [alert for alert in run.alerts if "fault in paiview" in alert]


def sample(process_id: int, start: float) -> Sample:
    """Look at a process (Linux)."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{process_id}/status").read_text(encoding="ascii").splitlines()
    )
    files = len(list(Path(f"/proc/{process_id}/fd").iterdir()))
    memory = int(status["VmRSS"].split()[0]) / 1024
    return Sample(time.monotonic() - start, memory, int(status["Threads"]), files)


async def soak(url: str, process_id: int, minutes: float) -> tuple[Walk, list[Sample]]:
    """Let the visitors walk, and look at the process meanwhile."""
    walk, samples, start = Walk(), [], time.monotonic()
    until = start + minutes * 60
    async with asyncio.TaskGroup() as visitors:
        for number in range(SESSIONS):
            visitors.create_task(_visitor(url, number, until, walk))
        while time.monotonic() < until:
            samples.append(sample(process_id, start))
            await asyncio.sleep(SAMPLING)
    # A short visit: sessions are looked through when another one comes.
    await asyncio.sleep(FORGETTING)
    async with Session(url) as session:
        await session.open("")
    await asyncio.sleep(TIDYING)
    return walk, samples


def _medians(samples: Sequence[Sample]) -> tuple[float, float, float]:
    return (
        statistics.median(item.memory for item in samples),
        statistics.median(item.threads for item in samples),
        statistics.median(item.files for item in samples),
    )


def main() -> int:
    """Run, report, and say whether everything held."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    with tempfile.TemporaryDirectory() as folder, Server(service := Failing()) as server:
        settings = {
            "PAIVIEW_ENDPOINT": server.url,
            "PAIVIEW_CACHE_TTL": str(FRESH),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "key",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
        }
        with dashboard(Path(folder), **settings) as served:
            first = sample(served.process_id, time.monotonic())
            walk, samples = asyncio.run(soak(served.url, served.process_id, minutes))
            last = sample(served.process_id, time.monotonic())
            requests = len(server.requests)
    warm = [item for item in samples if item.at >= minutes * 60 * WARM_UP]
    fifth = max(len(warm) // 5, 1)
    before, after = _medians(warm[:fifth]), _medians(warm[-fifth:])
    cuts = statistics.quantiles(walk.seconds, n=100)
    growth = after[0] / before[0]
    report = f"""\
{SESSIONS} visitors for {minutes:g} minutes, {MODELS} models of {VERSIONS} versions, snapshots fresh for {FRESH} s. The
service failed {service.failed:,} of {requests:,} requests, in {len(FAULTS)} ways.

| | before the first visitor | after the warm-up | at the end | after the last visitor |
|---|---|---|---|---|
| memory, MB | {first.memory:.0f} | {before[0]:.0f} | {after[0]:.0f} ({growth - 1:+.1%}) | {last.memory:.0f} |
| threads | {first.threads} | {before[1]:g} | {after[1]:g} | {last.threads} |
| open files and sockets | {first.files} | {before[2]:g} | {after[2]:g} | {last.files} |

{len(walk.seconds):,} pages in {walk.sessions} sessions: half within {cuts[49] * 1000:.0f} ms, 95 % within
{cuts[94] * 1000:.0f} ms, 99 % within {cuts[98] * 1000:.0f} ms, the longest {max(walk.seconds):.1f} s. Pages that were
not answered: {len(walk.unanswered)}. Failures and warnings told: {walk.alerts.total():,}. (Medians of the first and the
last fifth of the time after the warm-up, of {len(samples)} samples in all.)"""
    put(DOCUMENT, "soak", report)
    print(report)
    for text, count in walk.alerts.most_common(12):
        print(f"{count:6} {text}")
    print(*walk.unanswered[:10], sep="\n")
    stays = max(last.threads - first.threads, last.files - first.files)
    holds = not walk.unanswered and growth <= GROWTH and stays <= STAYING
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())

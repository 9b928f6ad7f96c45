"""The dashboard that is attacked: what it reads, what it holds in memory, and the rows of the table."""

import asyncio
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.attack.others import reader
from benchmarks.attack.outcome import GROWTH, RETURN_SECONDS, AttackResult, Memory, Outcome
from benchmarks.attack.wire import fetch
from benchmarks.check import SETTINGS
from benchmarks.frames import answer
from tests.harness.dashboard import dashboard
from tests.harness.server import Responder, Server
from tests.harness.service import Json

BENCH_VERSIONS: Final = 200
"""Of the model that the other reader looks at."""
LISTING: Final = "/api/models/model-bench/versions"
AFTERMATH_SECONDS: Final = 5.0
"""How long the other reader goes on after the attack."""
WARM_GROWTH: Final = 0.01
"""A dashboard that grows by less than this share in a pause is warm."""
WARM_PAUSE_SECONDS: Final = 10.0
WARM_SECONDS: Final = 90.0
"""The most time that a dashboard gets to become warm."""

TRACEBACK: Final = "Traceback"
World = Callable[[Path], AbstractContextManager[dict[str, str]]]
"""Makes what the dashboard reads, in a folder; yields its settings."""


class NotMeasuredError(Exception):
    """A row needs what this machine does not have."""


@dataclass(frozen=True)
class Target:
    """A dashboard that runs.

    Attributes:
        url: its address.
        process_id: of its process.
        log: the file of all that it has written.
        settings: its environment, besides that of this process.
    """

    url: str
    process_id: int
    log: Path
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """An attack that can be run."""

    number: int
    name: str
    run: Callable[[], Outcome]


ROWS: Final[dict[int, Row]] = {}
"""By number."""

Attack = Callable[[Target], Coroutine[Any, Any, AttackResult]]


def live(
    number: int,
    name: str,
    world: World,
    *,
    api: str = LISTING,
    warm: Sequence[str] = (),
    aftermath_seconds: float = AFTERMATH_SECONDS,
) -> Callable[[Attack], Attack]:
    """Make a row of an attack on a running dashboard.

    Args:
        number: of the row.
        name: of the row.
        world: what the dashboard reads.
        api: what the other reader asks the API for; ``{n}`` in it is a new number each time.
        warm: paths that are requested before, so that what they leave in the cache is not counted as memory of the
            attack.
        aftermath_seconds: how long the other reader goes on after the attack.
    """

    def add(attack: Attack) -> Attack:
        def run() -> Outcome:
            with running(world) as target:
                for path in warm:
                    asyncio.run(fetch(target.url, path))
                with reader(target.url, api) as seen:
                    before = _resident_when_warm(target.process_id)
                    forget_peak(target.process_id)
                    result = asyncio.run(attack(target))
                    ended = time.monotonic()
                    # The other reader's requests after the attack count too.
                    time.sleep(aftermath_seconds)
                    while (after := resident(target.process_id)) > before * GROWTH:
                        if time.monotonic() - ended >= RETURN_SECONDS:
                            break
                        time.sleep(1)
                    memory = Memory(before, peak(target.process_id), after, time.monotonic() - ended)
                    others = seen()
                result = with_faults(result, target)
            return Outcome(number, name, result, others, memory)

        ROWS[number] = Row(number, name, run)
        return attack

    return add


def _resident_when_warm(process_id: int) -> float:
    """The memory of a dashboard that a reader has used for a while, in MB.

    A new process grows by 14 % in its first minute, whoever reads, which is not the attack's.
    """
    deadline = time.monotonic() + WARM_SECONDS
    before, now = 0.0, resident(process_id)
    while now > before * (1 + WARM_GROWTH) and time.monotonic() < deadline:
        # Nothing tells another process when its memory has stopped growing.
        time.sleep(WARM_PAUSE_SECONDS)
        before, now = now, resident(process_id)
    return now


def with_faults(result: AttackResult, target: Target) -> AttackResult:
    """The result, with a fault where the attack made the dashboard log a traceback."""
    log = target.log.read_text(encoding="utf-8", errors="replace")
    number = log.count(TRACEBACK)
    # What ends the dashboard looks for them as well, and would raise.
    target.log.write_text(log.replace(TRACEBACK, "traceback"), encoding="utf-8")
    return (
        replace(result, faults=(*result.faults, f"{number} tracebacks in a log of {len(log) // 1000} kB"))
        if number
        else result
    )


def checked(number: int, name: str) -> Callable[[Callable[[], AttackResult]], Callable[[], AttackResult]]:
    """Make a row of an attack that brings its own dashboard, or none."""

    def add(attack: Callable[[], AttackResult]) -> Callable[[], AttackResult]:
        ROWS[number] = Row(number, name, lambda: Outcome(number, name, attack()))
        return attack

    return add


@contextmanager
def running(world: World) -> Iterator[Target]:
    """A dashboard in a clean process."""
    with (
        tempfile.TemporaryDirectory() as folder,
        world(Path(folder)) as settings,
        dashboard(Path(folder), **settings) as served,
    ):
        yield Target(served.url, served.process_id, served.log, settings)


def embedded(models: Mapping[str, Sequence[Json]] = {}, /, **settings: str) -> World:
    """The embedded registry with ``model-bench`` and the versions of further models, by name."""

    @contextmanager
    def world(folder: Path) -> Iterator[dict[str, str]]:
        files = []
        for name, versions in {"bench": answer(BENCH_VERSIONS), **models}.items():
            file = folder / f"{name}.json"
            file.write_text(json.dumps({"Versions": versions, "TotalCount": len(versions)}), encoding="utf-8")
            files.append(str(file))
        yield {"PAIVIEW_DATA": os.pathsep.join(files), **settings}

    return world


def pai(respond: Callable[[], Responder], **settings: str) -> World:
    """A service on loopback that is no part of the dashboard."""

    @contextmanager
    def world(_folder: Path) -> Iterator[dict[str, str]]:
        with Server(respond()) as server:
            yield {
                "PAIVIEW_ENDPOINT": server.url,
                "ALIBABA_CLOUD_ACCESS_KEY_ID": "key",
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
                **settings,
            }

    return world


def plain_environment(folder: Path) -> dict[str, str]:
    """The environment of a command without any setting of this machine's user."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)} | {"HOME": str(folder)}


def resident(process_id: int) -> float:
    """The resident memory of a process in MB (Linux)."""
    return _status(process_id, "VmRSS")


def peak(process_id: int) -> float:
    """The most that it was since ``forget_peak``, in MB."""
    return _status(process_id, "VmHWM")


def forget_peak(process_id: int) -> None:
    """Let ``peak`` count from now on."""
    Path(f"/proc/{process_id}/clear_refs").write_text("5", encoding="ascii")


def _status(process_id: int, name: str) -> float:
    text = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s*(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0

"""Attacks by the author of a version: what he writes into it is read for everybody."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from benchmarks.attack.outcome import AttackResult
from benchmarks.attack.target import Target, embedded, live
from benchmarks.attack.wire import ATTACKER, fetch
from tests.harness.service import Json, version
from tests.harness.sessions import Session

MODEL: Final = "model-hostile"
SECONDS: Final = 10.0
"""After which no further round begins."""
DIGITS: Final = 60_000
FLAGS: Final = 10_000
LINES: Final = 40_000
WIDE_VERSIONS: Final = 300
WIDE_NAMES: Final = 300


def versions(count: int, fields: Callable[[int], Json]) -> list[Json]:
    """Versions of one model; ``fields`` makes what is hostile in each."""
    return [version(f"1.{place}.0", f"2024-01-{place % 28 + 1:02}", **fields(place)) for place in range(count)]


def results(values: Json) -> Json:
    """The Metrics of a version with these values on one dataset."""
    return {"Metrics": {"Results": [{"Dataset": {"DatasetId": "d-0"}, "Metrics": values}]}}


async def read_everything(target: Target) -> str:
    """Open each page of the hostile model, ask the API for it and download it, again and again for a while.

    Returns:
        the seconds that each took at worst.
    """
    worst: dict[str, float] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            worst[name] = max(worst.get(name, 0.0), time.perf_counter() - start)

    until, ended = time.monotonic() + SECONDS, ""
    try:
        async with Session(target.url, source=ATTACKER) as session:
            while time.monotonic() < until:
                with timed("API"):
                    await fetch(target.url, f"/api/models/{MODEL}/versions")
                for page in ("compare", "trends", "versions"):
                    with timed(page):
                        await session.open(page, model=MODEL)
                await session.press("refresh")
                with timed("CSV"):
                    await session.unfold("downloads")
                    path = await session.file("download-versions-csv")
                    if (await fetch(target.url, path)).status != 200:
                        raise RuntimeError(f"no file was made: {path}")
    except TimeoutError:
        ended = ", which was not answered"
    return f"at worst {', '.join(f'{name} {seconds:.2f} s' for name, seconds in worst.items())}{ended}"


def digits(place: int) -> Json:
    """Values that look like numbers for long."""
    values: dict[str, Any] = {"cer": "1" * DIGITS + "e", "wer": "1_" * (DIGITS // 2), "f1": "." * place + "0e" * 20_000}
    return results(values)


@live(1, "Metric value that is nearly a number", embedded({"hostile": versions(20, digits)}))
async def nearly_numbers(target: Target) -> AttackResult:
    """Read a model of 20 versions with values of 60,000 digits and an ``e``."""
    return AttackResult(
        f"20 versions with values of {DIGITS:,} characters, all pages and files", await read_everything(target)
    )


def flags(_: int) -> Json:
    """A command of options that are nearly secrets, in every field that is masked."""
    text = "--secret" * FLAGS
    spec = {"command": text, "args": [text], "url": "https://a/?" + "secret" * FLAGS}
    return {**results({"cer": 0.1}), "InferenceSpec": spec, "TrainingSpec": spec, "VersionDescription": text}


@live(2, "Command that is nearly a secret", embedded({"hostile": versions(5, flags)}))
async def nearly_secrets(target: Target) -> AttackResult:
    """Read a model of 5 versions with seven commands of 80 kB each."""
    return AttackResult(
        f"5 versions with commands of {8 * FLAGS // 1000} kB, all pages and files", await read_everything(target)
    )


def lines(_: int) -> Json:
    """Line breaks and separators that a cell of a table file may not begin with."""
    return {**results({"cer": 0.1}), "VersionDescription": "\n" * LINES + "=" + ";\n \t" * (LINES // 4)}


@live(3, "Description of line breaks, as CSV", embedded({"hostile": versions(20, lines)}))
async def line_breaks(target: Target) -> AttackResult:
    """Download a model of 20 versions with 40,000 line breaks each."""
    return AttackResult(f"20 versions with {LINES:,} line breaks, all pages and files", await read_everything(target))


def own_names(place: int) -> Json:
    """Metrics that no other version has."""
    return results({f"metric-{place}-{number}": 0.1 for number in range(WIDE_NAMES)})


@live(23, "Own metric names in each version", embedded({"hostile": versions(WIDE_VERSIONS, own_names)}))
async def wide(target: Target) -> AttackResult:
    """Read a model of 300 versions with 300 metrics each, none of which is in two versions."""
    sent = f"{WIDE_VERSIONS} versions x {WIDE_NAMES} names of their own, all pages and files"
    return AttackResult(sent, await read_everything(target))

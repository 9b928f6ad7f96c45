"""MLflow's registry beside paiview: the same versions and metrics, machine, run and Chromium.

In MLflow a version is registered from a run that logged a model and its metrics, named ``cer/d-0``; its server is the
one that ``mlflow server`` starts on SQLite. The links name what is compared; both open with their caches empty. A
chart is drawn when its marks are in the document, laid out and visible (benchmarks/painted.py). Of MLflow's parallel
coordinates, whose lines are on a canvas, already the axis counts; of paiview's delta plot the first mark.
"""

import asyncio
import json
import math
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

import httpx
from playwright.sync_api import Browser, sync_playwright

from benchmarks import listing
from benchmarks.frames import answer
from benchmarks.paged_server import PAGE_SIZE
from benchmarks.painted import Painted, cold
from benchmarks.peer import MODEL, run_id, server
from benchmarks.report import Row
from paiview.evaluation import frames, queries
from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
from tests.harness import chromium
from tests.harness.dashboard import dashboard
from tests.harness.sessions import Session

FEW: Final = 100
SOME: Final = 1_000
MANY: Final = 10_000
CHANGES: Final = 6
"""Page changes and sorts measured; the first of each is not counted."""
CLIENTS: Final = 50
QUESTIONS: Final = 5
"""That each client asks one after another, without a pause."""
SEED: Final = 20_261_126

_Client = TypeVar("_Client")

_OUR_TABLE: Final = "drawn('.st-key-versions-table canvas', 40)"
_OUR_CHART: Final = "visible('.st-key-delta-chart tbody .delta-mark')"
_THEIR_TABLE: Final = "text('[role=row]:has([role=cell])')"
_THEIR_CHART: Final = "visible('.js-plotly-plot .y-axis .axis .domain')"


class Sides(NamedTuple):
    """Both servers with the same versions; ``process_id`` is the dashboard's."""

    ours: str
    process_id: int
    theirs: str
    group: int


def run() -> list[Row]:
    if not server.PYTHON.exists():
        return [Row("beside MLflow", "not measured: MLflow is not installed", math.nan, 1.0, at_most=True)]
    rows: list[Row] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.ready(), args=list(chromium.ARGUMENTS))
        with _sides(FEW) as sides:
            rows += [_opening(browser, sides, FEW)]
        with _sides(SOME) as sides:
            rows += [_opening(browser, sides, SOME), *_changes(browser, sides)]
            rows += [_link(browser, sides, 2, 5), _link(browser, sides, 20, 3)]
            rows += [_link(browser, sides, 50, 3), _memory(sides)]
    with _sides(MANY) as sides:
        rows += [_frame(sides), asyncio.run(_load(sides))]
    return rows


@contextmanager
def _sides(versions: int) -> Iterator[Sides]:
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        data = Path(ours, f"{MODEL}.json")
        data.write_text(json.dumps({"Versions": answer(versions), "TotalCount": versions}), encoding="utf-8")
        with (
            server.mlflow(Path(theirs), data) as peer,
            dashboard(Path(ours), PAIVIEW_DATA=str(data), PAIVIEW_CACHE_TTL="3600") as served,
        ):
            yield Sides(served.url, served.process_id, peer.url, peer.group)


def _row(name: str, ours: float, theirs: float, bound: float = 1.0, unit: str = "s") -> Row:
    return Row(
        f"{name}, to MLflow",
        f"{ours:.2f} {unit}, MLflow {theirs:.2f} {unit}",
        ours / theirs,
        bound,
        at_most=True,
        peer=True,
    )


def _median(measure: Callable[[], float], rounds: int) -> float:
    """The first round is not counted: the server has not answered that question yet."""
    measure()
    return statistics.median(measure() for _ in range(rounds))


def _opening(browser: Browser, sides: Sides, versions: int) -> Row:
    """The page of a model until the text of its first row is there."""
    ours = _median(lambda: cold(browser, f"{sides.ours}/versions?model=model-{MODEL}", _OUR_TABLE), 5)
    theirs = _median(lambda: cold(browser, f"{sides.theirs}/#/models/{MODEL}", _THEIR_TABLE), 5)
    return _row(f"cold open of {versions:,} versions", ours, theirs)


def _changes(browser: Browser, sides: Sides) -> list[Row]:
    """From the press of the pointer until another first row is painted, the page open already."""
    model = f"{sides.theirs}/#/models/{MODEL}"
    with Painted(browser, model, _THEIR_TABLE) as painted:
        following = painted.page.get_by_role("button", name="Next")
        to_page = [painted.press(following) for _ in range(CHANGES)]
    with Painted(browser, model, _THEIR_TABLE) as painted:
        heading = painted.page.locator("[role=columnheader] [role=button]").first
        sort = [painted.press(heading) for _ in range(CHANGES)]
    theirs = [statistics.median(seconds[1:]) for seconds in (to_page, sort)]

    versions = f"{sides.ours}/versions?model=model-{MODEL}"
    with Painted(browser, versions, _OUR_TABLE) as painted:
        following = painted.page.locator(".st-key-page").get_by_role("button", name="Next")
        to_page = [painted.press(following) for _ in range(CHANGES)]
    with Painted(browser, versions, _OUR_TABLE) as painted:
        sort = []
        for number in range(CHANGES):
            painted.page.locator(".st-key-sort input").click()
            order = f"Created, {('oldest', 'newest')[number % 2]} first"
            sort.append(painted.press(painted.page.get_by_role("option", name=order)))
    ours = [statistics.median(seconds[1:]) for seconds in (to_page, sort)]
    return [
        _row(f"{name}, {SOME:,} versions", mine, other)
        for name, mine, other in zip(("page change", "sort by time"), ours, theirs, strict=True)
    ]


def _link(browser: Browser, sides: Sides, versions: int, rounds: int) -> Row:
    """A link that compares the newest versions: ours with as many sides, the first of them the baseline."""
    newest = range(SOME, SOME - versions, -1)
    asked = {"name": json.dumps(MODEL), "runs": json.dumps({str(number): run_id(number) for number in newest})}
    their_link = f"{sides.theirs}/#/compare-model-versions?{urlencode(asked, quote_via=quote)}"
    names = [version["VersionName"] for version in answer(SOME)[-versions:]]
    asked_of_us = [("model", f"model-{MODEL}"), ("baseline", names[0]), *(("candidate", name) for name in names[1:])]
    # Compare shows several candidates as a matrix of numbers first, which is no chart.
    our_link = f"{sides.ours}/compare?{urlencode([*asked_of_us, ('picture', 'effect')])}"
    theirs = _median(lambda: cold(browser, their_link, _THEIR_CHART), rounds)
    ours = _median(lambda: cold(browser, our_link, _OUR_CHART), rounds)
    return _row(f"Compare link of {versions} versions to its chart", ours, theirs)


def _memory(sides: Sides) -> Row:
    """Of all processes of a server, shared pages counted once, after the visits above."""
    ours = _megabytes([sides.process_id])
    of_group = [int(found.parent.name) for found in Path("/proc").glob("[0-9]*/stat") if _group(found) == sides.group]
    return _row("memory of the idle server", ours, _megabytes(of_group), unit="MB")


def _group(stat: Path) -> int:
    try:
        return int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[2])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _megabytes(processes: list[int]) -> float:
    rolled = (Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii") for process in processes)
    return sum(int(text.partition("\nPss:")[2].split()[0]) for text in rolled) / 1024


def _frame(sides: Sides) -> Row:
    """All versions with all numbers as one frame, over HTTP: ours 50 a page, MLflow's client by its largest pages."""
    theirs = float(server.run("frame", sides.theirs, str(MANY)))
    with (
        listing.server(latency=0) as port,
        Client(f"http://127.0.0.1:{port}", StaticCredentials("key", "secret"), page_size=PAGE_SIZE) as client,
    ):
        start = time.perf_counter()
        made = frames.build(client.list_all_model_versions("model-1").items)
        wide = queries.number_table(made, list(made.histories))
        ours = time.perf_counter() - start
    if wide.shape != (MANY, 10) or wide.isna().to_numpy().any():
        raise RuntimeError(f"the frame is not whole: {wide.shape}")
    return _row(f"a frame of {MANY:,} versions with metrics", ours, theirs, 0.1)


async def _load(sides: Sides) -> Row:
    """What a page of versions asks its server, by many clients at once: the time 95 of 100 answers come within.

    MLflow's page asks for the model and for 25 of its versions. Ours is a run of the whole page, another one each time.
    """
    chance = random.Random(SEED)  # noqa: S311 - chance for a measurement
    found = {"filter": f"name='{MODEL}'", "max_results": "25", "order_by": "creation_timestamp DESC"}
    api = f"{sides.theirs}/ajax-api/2.0/mlflow"

    async def ask_theirs(client: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(
            client.get(f"{api}/model-versions/search", params=found),
            client.get(f"{api}/registered-models/get", params={"name": MODEL}),
        )
        if len(answers[0].raise_for_status().json()["model_versions"]) != 25:
            raise RuntimeError("MLflow did not answer with a page of versions")

    async def ask_ours(session: Session) -> None:
        run = await session.open("versions", model=f"model-{MODEL}", page=str(chance.randrange(1, MANY // 25)))
        if run.alerts or not run.texts:
            raise RuntimeError(f"the page was not drawn: {run.alerts}")

    # MLflow's server closes a connection that was idle for 5 s, be it that a request is on its way.
    limits = httpx.Limits(keepalive_expiry=2)
    async with AsyncExitStack() as stack:
        opened = (httpx.AsyncClient(timeout=300, limits=limits) for _ in range(CLIENTS))
        clients = [await stack.enter_async_context(client) for client in opened]
        theirs = await _slowest(ask_theirs, clients)
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(Session(sides.ours)) for _ in range(CLIENTS)]
        await ask_ours(sessions[0])
        ours = await _slowest(ask_ours, sessions)
    return _row(f"a page of {MANY:,} versions, {CLIENTS} clients, 95 %", ours, theirs)


async def _slowest(ask: Callable[[_Client], Awaitable[None]], clients: list[_Client]) -> float:
    seconds: list[float] = []

    async def asking(client: _Client) -> None:
        for _ in range(QUESTIONS):
            start = time.perf_counter()
            await ask(client)
            seconds.append(time.perf_counter() - start)

    await asyncio.gather(*map(asking, clients))
    return statistics.quantiles(seconds, n=20)[-1]

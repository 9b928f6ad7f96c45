"""A model of 10,000 versions on the real pages in Chromium: cold and warm, and what each page sends to the browser."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import listing
from benchmarks.paged_server import MODEL, PAGE_SIZE, VERSIONS
from benchmarks.painted import Painted, cold
from benchmarks.report import Row
from tests.harness import chromium
from tests.harness.dashboard import Served, dashboard
from tests.harness.sessions import Session

STARTS: Final = 3
"""Processes for each page that is opened cold."""
CHANGES: Final = 7
"""Of one kind on a warm page; the first is not counted."""
TABLE: Final = 3.0
"""Seconds of a cold open until the table is painted, with the listing of all versions."""
TREND: Final = 4.0
"""Likewise for the trend."""
START: Final = 4.0
"""Seconds from the start of the process to its first painted page."""
WARM: Final = 0.3
"""Seconds until a change is painted."""
SENT: Final = {"": 32, "versions": 32, "trends": 128, "compare": 48}
"""kB a page may send, by its path."""

_LINKED: Final = f"?model={MODEL}"
_TABLE: Final = "drawn('.st-key-versions-table canvas', 40)"
_TREND: Final = (
    "visible('.st-key-trend-chart .scatterlayer .point') && text('.st-key-trend-chart .infolayer .annotation')"
)
_MODELS: Final = "visible('[data-testid=stPageLink-NavLink]') && text('h3')"


def run() -> list[Row]:
    starts, tables, trends = [], [], []
    with listing.server() as service:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.ready(), args=list(chromium.ARGUMENTS))
            for _ in range(STARTS):
                start = time.perf_counter()
                with _dashboard(service) as served:
                    cold(browser, served.url, _MODELS)
                    starts.append(time.perf_counter() - start)
                # Models reads the listings of what waits for review: each page has a process of its own.
                with _dashboard(service) as served:
                    tables.append(cold(browser, f"{served.url}/versions{_LINKED}", _TABLE))
                with _dashboard(service) as served:
                    trends.append(cold(browser, f"{served.url}/trends{_LINKED}", _TREND))
            with _dashboard(service) as served:
                warm = _warm(browser, served.url)
            browser.close()
        with _dashboard(service) as served:
            sent = asyncio.run(_sent(served.url))
    name = f"{VERSIONS:,} versions"
    rows = [
        _row(f"start of the process to its first page, to {START:g} s", starts, START),
        _row(f"{name}: cold open to the table, to {TABLE:g} s", tables, TABLE),
        _row(f"{name}: cold open to the trend, to {TREND:g} s", trends, TREND),
    ]
    rows += [_row(f"{name}: {what}, to 300 ms", seconds, WARM) for what, seconds in warm.items()]
    for page, size in sent.items():
        bound = SENT[page]
        told = f"{name}: sent for {page or 'models'}, to {bound} kB"
        rows.append(Row(told, f"{size / 1000:.1f} kB", size / 1000 / bound, 1.0, at_most=True))
    return rows


@contextmanager
def _dashboard(service: int) -> Iterator[Served]:
    settings = {
        "PAIVIEW_ENDPOINT": f"http://127.0.0.1:{service}",
        "PAIVIEW_CACHE_TTL": "3600",
        "PAIVIEW_PAGE_SIZE": str(PAGE_SIZE),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "key",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
    }
    with tempfile.TemporaryDirectory() as folder, dashboard(Path(folder), **settings) as served:
        yield served


def _row(name: str, seconds: list[float], bound: float) -> Row:
    middle = statistics.median(seconds)
    figures = f"{middle:.2f} s" if bound >= 1 else f"{middle * 1000:.0f} ms"
    return Row(name, figures, middle / bound, 1.0, at_most=True)


def _warm(browser: Browser, url: str) -> dict[str, list[float]]:
    """Seconds of each change, by its kind; the listing is there from the first page on."""
    versions, trends = f"{url}/versions{_LINKED}", f"{url}/trends{_LINKED}"
    with Painted(browser, versions, _TABLE) as painted:
        page = painted.page
        filtered = _changes(lambda number: _search(painted, page, f"run {number + 1}"))
    with Painted(browser, versions, _TABLE) as painted:
        page = painted.page
        sorted_by = _changes(lambda number: _sort(painted, page, ("oldest", "newest")[number % 2]))
    with Painted(browser, versions, _TABLE) as painted:
        following = painted.page.locator(".st-key-page").get_by_role("button", name="Next")
        paged = _changes(lambda _: painted.press(following))
    with Painted(browser, trends, _TREND) as painted:
        page = painted.page
        metric = _changes(lambda number: _metric(painted, page, chosen=number % 2 == 1))
    with Painted(browser, versions, f"{_TREND} || {_TABLE}") as painted:
        links = painted.page.locator(".st-key-menu a")
        switched = _changes(lambda number: painted.press(links.nth((2, 1)[number % 2])))
    return {
        "a filter on the frame": filtered,
        "a sort": sorted_by,
        "a page change": paged,
        "a metric change": metric,
        "another page": switched,
    }


def _changes(change: Callable[[int], float]) -> list[float]:
    return [change(number) for number in range(CHANGES)][1:]


def _search(painted: Painted, page: Page, text: str) -> float:
    """A text is searched for when the control is left."""
    page.locator(".st-key-text input").fill(text)
    return painted.press(page.locator("h1"))


def _sort(painted: Painted, page: Page, order: str) -> float:
    page.locator(".st-key-sort input").click()
    return painted.press(page.get_by_role("option", name=f"Created, {order} first"))


def _metric(painted: Painted, page: Page, *, chosen: bool) -> float:
    """Choose the metric that is not drawn by itself, or take it away again."""
    control = page.locator(".st-key-metric")
    if chosen:
        # The list of options stays open, and hides what is behind it from roles.
        page.keyboard.press("Escape")
        return painted.press(control.get_by_role("button", name="Clear all"))
    control.locator("input").click()
    return painted.press(page.get_by_role("option", name="wer"))


async def _sent(url: str) -> dict[str, int]:
    """Bytes of all messages of a page, by its path."""
    sent = {}
    async with Session(url) as session:
        for page in SENT:
            run = await session.open(page, model=MODEL)
            if run.alerts or not run.texts:
                raise RuntimeError(f"{page or 'models'} was not drawn: {run.alerts}")
            sent[page] = len(run.raw)
    return sent

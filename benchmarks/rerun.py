"""What an unchanged page costs the server when it runs again, with 1,000 versions, in a real browser."""

import json
import os
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.frames import answer
from benchmarks.report import Row
from tests.harness import chromium
from tests.harness.dashboard import dashboard, opened, settled

VERSIONS = 1_000
RERUNS = 40
WARM_UP = 8
PAUSE = 250
"""Milliseconds between two reruns: longer than one takes."""
BOUND = 20.0
"""Milliseconds of the server's CPU a rerun may take."""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder, "bench.json")
        data.write_text(json.dumps({"Versions": answer(VERSIONS), "TotalCount": VERSIONS}), encoding="utf-8")
        with dashboard(Path(folder), PAIVIEW_DATA=str(data), PAIVIEW_CACHE_TTL="3600") as served:
            browser = playwright.chromium.launch(executable_path=chromium.ready(), args=list(chromium.ARGUMENTS))
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            costs = {
                name: _cost(opened(page, f"{served.url}/{name}?model=model-bench"), served.process_id)
                for name in ("versions", "trends")
            }
            browser.close()
    return [
        Row(
            f"rerun of {name}, {VERSIONS:,} versions, to 20 ms",
            f"{cost:.1f} ms of CPU",
            cost / BOUND,
            1.0,
            at_most=True,
        )
        for name, cost in costs.items()
    ]


def _cost(page: Page, process_id: int) -> float:
    """Milliseconds of CPU of a rerun; R is Streamlit's own key for it. What the idle server takes is taken off."""
    _press(page, WARM_UP)
    before = cpu(process_id)
    _press(page, RERUNS)
    busy = cpu(process_id)
    page.wait_for_timeout(RERUNS * PAUSE)
    idle = cpu(process_id)
    return ((busy - before) - (idle - busy)) / RERUNS * 1000


def _press(page: Page, times: int) -> None:
    for _ in range(times):
        page.keyboard.press("r")
        page.wait_for_timeout(PAUSE)
    settled(page)


def cpu(process_id: int) -> float:
    """Seconds of CPU a process has taken, all its threads (Linux)."""
    user, system = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

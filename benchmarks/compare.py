"""What a change on the Compare page costs the server, with 20 candidates on 50 datasets, in a real browser."""

import json
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.report import Row
from benchmarks.rerun import cpu
from tests.harness import chromium
from tests.harness.dashboard import dashboard, opened, settled

CANDIDATES = 20
DATASETS = 50
CHANGES = 10
WARM_UP = 2
BOUND = 300.0
"""Milliseconds of the server's CPU a redraw may take."""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder, "compared.json")
        data.write_text(json.dumps({"Versions": _versions(), "TotalCount": CANDIDATES + 1}), encoding="utf-8")
        with dashboard(Path(folder), PAIVIEW_DATA=str(data), PAIVIEW_CACHE_TTL="3600") as served:
            browser = playwright.chromium.launch(executable_path=chromium.ready(), args=list(chromium.ARGUMENTS))
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            chosen = "".join(f"&candidate=1.{number}.0" for number in range(1, CANDIDATES + 1))
            opened(page, f"{served.url}/compare?model=model-compared{chosen}")
            _change(page, WARM_UP)
            before = cpu(served.process_id)
            _change(page, CHANGES)
            cost = (cpu(served.process_id) - before) / CHANGES * 1000
            browser.close()
    name = f"redraw of compare, {CANDIDATES} candidates on {DATASETS} datasets, to 300 ms"
    return [Row(name, f"{cost:.0f} ms of CPU", cost / BOUND, 1.0, at_most=True)]


def _change(page: Page, times: int) -> None:
    for _ in range(times):
        page.locator(".st-key-hide_identical label").click()
        settled(page)


def _versions() -> list[dict[str, Any]]:
    """One approved version, and the candidates after it, each with a number of its own on every dataset."""
    return [
        {
            "VersionName": f"1.{number}.0",
            "ApprovalStatus": "Pending" if number else "Approved",
            "GmtCreateTime": f"2026-01-01T00:{number:02}:00Z",
            "Metrics": {
                "Results": [
                    {
                        "Dataset": {"DatasetId": f"d-{dataset}"},
                        "Metrics": {"cer": round(0.1 + dataset / 1000 + (number * 7 + dataset * 3) % 11 / 500, 4)},
                    }
                    for dataset in range(DATASETS)
                ]
            },
        }
        for number in range(CANDIDATES + 1)
    ]

"""Screenshots of every page, in light and dark, 1440, 1000 and 390 pixels wide: ``make screenshots``.

They are written to build/screenshots; those the README shows go to docs as well.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.harness import chromium
from tests.harness.dashboard import ROOT, dashboard, opened, settled

FOLDER: Final = ROOT / "build" / "screenshots"
SHOWN: Final = {"trends": ROOT / "docs" / "trends.png", "compare": ROOT / "docs" / "compare.png"}
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
WIDTHS: Final = (1440, 1000, 390)
TALLEST: Final = 5000
VIEWS: Final = {
    "models": "/",
    "versions": "/versions?model=model-pyannotediarization",
    "version": "/versions?model=model-whisper&version=3.0.0_large&columns=status&columns=labels",
    "versions-change": "/versions?model=model-pyannotediarization&cells=change",
    "versions-large": "/versions?model=model-timm&metric=top1&metric=top5",
    "trends": "/trends?model=model-pyannotediarization",
    "trends-sparse": "/trends?model=model-wenetmandarin&metric=cer_attention_rescoring",
    "trends-large": "/trends?model=model-timm&window=300",
    "trends-values": "/trends?model=model-pyannotediarization&scale=raw",
    "trends-effect": "/trends?model=model-pyannotediarization&scale=effect",
    "compare": "/compare?model=model-pyannotediarization",
    "trends-backtest": "/trends?model=model-pyannotediarization&backtest=true",
    "compare-table": "/compare?model=model-pyannotediarization&picture=table",
    "compare-raw": "/compare?model=model-yolov5&candidate=7.0.0_yolov5x&picture=raw",
    "compare-several": "/compare?model=model-whisper&candidate=3.1.0_large_turbo&candidate=3.0.0_large"
    "&candidate=2.0.0_large&baseline=1.0.0_large",
    "compare-nothing-shared": "/compare?model=model-funasr",
    "problem": "/versions?model=model-nobody",
}


def take(browser: Browser, url: str, name: str, scheme: Literal["light", "dark"], width: int) -> Path:
    """Open one view in a new profile and save the whole of it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    opened(page, url)
    height = page.get_by_test_id("stMain").evaluate("element => element.scrollHeight")
    page.set_viewport_size({"width": width, "height": min(max(height, 900), TALLEST)})
    _still(settled(page))
    path = FOLDER / f"{name}-{width}-{scheme}.png"
    page.screenshot(path=path)
    context.close()
    return path


def _still(page: Page) -> None:
    """Wait until two looks at the page are the same."""
    before = b""
    while before != (before := page.screenshot()):
        pass


def main() -> None:
    """Take them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, dashboard(Path(folder)) as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.ready(), args=list(chromium.ARGUMENTS))
        for name, view in VIEWS.items():
            for scheme in SCHEMES:
                for width in WIDTHS:
                    sys.stdout.write(f"{take(browser, served.url + view, name, scheme, width)}\n")
    for name, shown in SHOWN.items():
        shown.parent.mkdir(exist_ok=True)
        shutil.copy(FOLDER / f"{name}-1440-light.png", shown)


if __name__ == "__main__":
    main()

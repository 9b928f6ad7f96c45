"""What axe, the usual checker, finds on every page: nothing serious, in both themes, at three widths."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.harness.dashboard import opened, settled

pytestmark = pytest.mark.browser

PYANNOTE, WHISPER = "model-pyannotediarization", "model-whisper"
PAGES = {
    "models": "/",
    "versions": f"/versions?model={PYANNOTE}",
    "detail": f"/versions?model={PYANNOTE}&version=2.0.0_precision",
    "trends": f"/trends?model={PYANNOTE}",
    "compare": f"/compare?model={PYANNOTE}",
    "table": f"/compare?model={PYANNOTE}&picture=table",
    "several": f"/compare?model={WHISPER}&candidate=3.0.0_large&candidate=2.0.0_large",
    "problem": "/compare?model=model-nobody",
}
SERIOUS = ("serious", "critical")
CHECKED = {"include": [["body"]], "exclude": [['[data-testid="stMetricChart"]']]}
"""Streamlit gives the chart inside its metric no name, and a page cannot; its label and value stand beside it."""


PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 22, 28)"}
WIDTHS = (1440, 1000, 390)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_serious_on_any_page(page: Page, embedded: str, name: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    opened(page, f"{embedded}{PAGES[name]}")
    expect(page.locator("h1").first).to_be_attached()
    found = []
    for theme, paper in PAPER.items():
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", paper)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 1000})
            settled(page)
            found += [
                f"{theme}, {width}: {violation['id']}: {node['html'][:200]}"
                for violation in Axe().run(page, CHECKED).response["violations"]
                if violation["impact"] in SERIOUS
                for node in violation["nodes"]
            ]
    assert found == []

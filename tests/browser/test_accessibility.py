"""What axe, the usual checker, finds on every page: nothing serious, in both themes, at three widths."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.harness.dashboard import opened

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


@pytest.mark.parametrize("width", [1440, 1000, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_on_any_page(browser: Browser, embedded: str, theme: str, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 1000},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    found = []
    for name, path in PAGES.items():
        opened(page, f"{embedded}{path}")
        expect(page.locator("h1").first).to_be_attached()
        found += [
            f"{name}: {violation['id']}: {node['html'][:200]}"
            for violation in Axe().run(page, CHECKED).response["violations"]
            if violation["impact"] in SERIOUS
            for node in violation["nodes"]
        ]
    context.close()
    assert found == []

"""How the pages look, as the boxes of their parts and the colours in use: no pixels are compared."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page

from tests.harness.dashboard import opened

pytestmark = pytest.mark.browser

PYANNOTE: Final = "model-pyannotediarization"
WHISPER: Final = "model-whisper"
PATHS: Final = {
    "models": "/",
    "versions": f"/versions?model={PYANNOTE}",
    "trends": f"/trends?model={PYANNOTE}",
    "compare": f"/compare?model={PYANNOTE}",
    "several": f"/compare?model={WHISPER}&candidate=3.0.0_large&candidate=2.0.0_large",
    "problem": "/compare?model=model-nobody",
}
PARTS: Final = {
    "models": ["topbar", "welcome", "queue-bar", "models-bar", "cards"],
    "versions": ["topbar", "head", "versions-bar", "versions-table"],
    "trends": ["topbar", "head", "trends-bar", "overview", "trend-parts", "trend-chart"],
    "compare": ["topbar", "head", "bar", "verdict", "results-bar", "results", "spec-diff"],
    "several": ["topbar", "head", "bar", "verdict", "results-bar", "results", "pareto", "spec-diff"],
    "problem": ["topbar", "problem"],
}
"""The parts of each page in the order in which a reader meets them."""
TOPBAR_PIXELS: Final = {1440: 42, 1000: 42, 390: 74}
MOST_CONTENT_PIXELS: Final = 1520
BOX: Final = """key => {
    const box = document.querySelector(`.st-key-${key}`)?.getBoundingClientRect();
    return box && [box.top + scrollY, box.bottom + scrollY, box.left, box.right];
}"""
COLOURS: Final = """selector => {
    const style = getComputedStyle(document.querySelector(selector));
    return [style.color, style.backgroundColor];
}"""


@pytest.fixture(params=sorted(TOPBAR_PIXELS))
def sized(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of one of the three widths."""
    context = browser.new_context(viewport={"width": request.param, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def test_parts_stand_below_each_other_inside_of_the_window(sized: Page, embedded: str) -> None:
    viewport = sized.viewport_size
    assert viewport is not None
    width = viewport["width"]
    for name, path in PATHS.items():
        opened(sized, f"{embedded}{path}")
        boxes = {part: sized.evaluate(BOX, part) for part in PARTS[name]}
        assert None not in boxes.values(), (name, boxes)
        assert boxes["topbar"][1] - boxes["topbar"][0] == pytest.approx(TOPBAR_PIXELS[width], abs=1)
        below = 0.0
        for part, (top, bottom, left, right) in boxes.items():
            assert top >= below - 1, (name, part, boxes)
            assert 0 <= left <= right <= width + 1, (name, part, boxes)
            assert right - left <= max(MOST_CONTENT_PIXELS, width), (name, part)
            below = bottom
        # Tables and charts scroll by themselves; the page never scrolls to the side.
        assert sized.evaluate("document.scrollingElement.scrollWidth") <= width, name


@pytest.mark.parametrize(
    ("theme", "colours"),
    [
        (
            "light",
            {
                ".stApp": ["rgb(26, 35, 44)", "rgb(255, 255, 255)"],
                ".tally-worse": [None, "rgb(213, 94, 0)"],
                ".tally-better": [None, "rgb(0, 114, 178)"],
                ".tally-same": [None, "rgb(133, 147, 161)"],
            },
        ),
        (
            "dark",
            {
                ".stApp": ["rgb(228, 234, 240)", "rgb(16, 22, 28)"],
                ".tally-worse": [None, "rgb(232, 118, 43)"],
                ".tally-better": [None, "rgb(61, 155, 212)"],
                ".tally-same": [None, "rgb(133, 147, 161)"],
            },
        ),
    ],
)
def test_a_colour_has_one_meaning_in_both_themes(
    browser: Browser, embedded: str, theme: str, colours: dict[str, list[str | None]]
) -> None:
    context = browser.new_context(color_scheme="dark" if theme == "dark" else "light")
    page = opened(context.new_page(), f"{embedded}{PATHS['compare']}")
    shown = {selector: page.evaluate(COLOURS, selector) for selector in colours}
    for selector, (text, background) in colours.items():
        assert text is None or shown[selector][0] == text
        assert shown[selector][1] == background
    context.close()


def test_every_page_works_without_the_style_sheet(page: Page, embedded: str) -> None:
    for name, path in PATHS.items():
        opened(page, f"{embedded}{path}")
        page.evaluate("document.querySelectorAll('[data-testid=\"stHtml\"] style').forEach(sheet => sheet.remove())")
        for part in PARTS[name]:
            if part != "topbar":
                assert page.locator(f".st-key-{part}").first.is_visible(), (name, part)
        for menu in ("Models", "Versions", "Trends", "Compare"):
            assert page.get_by_role("link", name=menu, exact=True).first.is_visible(), (name, menu)

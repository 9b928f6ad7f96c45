"""Every page over a registry of hostile texts: nothing runs, nothing is asked of others, nothing breaks the layout."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from tests.harness import hostile
from tests.harness.dashboard import dashboard, opened, settled
from tests.harness.server import Server

pytestmark = pytest.mark.browser

TALLEST: Final = 9000
"""Pixels of the longest page, which has a table, a picture, 200 metrics, and the doubts about each candidate."""
LOOK: Final = r"""() => {
    const main = document.querySelector('[data-testid="stMain"]') ?? document.body;
    const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) {
        const inScript = ['SCRIPT', 'STYLE'].includes(walker.currentNode.parentElement.tagName);
        if (!inScript) texts.push(walker.currentNode.data);
    }
    const told = element => ['title', 'aria-label', 'alt', 'placeholder'].map(name => element.getAttribute(name) ?? '');
    const elements = [...document.querySelectorAll('*')];
    const address = link => new URL(link.href.baseVal ?? link.href, location.href);
    const scrolls = element => ['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(element).overflowX);
    const kept = element => element === main || (element && (scrolls(element) || kept(element.parentElement)));
    const edge = main.getBoundingClientRect().right + 1;
    const links = elements.filter(element => element.matches('a[href], a[*|href]')).map(address);
    const beside = main.querySelectorAll('*');
    return {
        owned: window.owned !== undefined || document.title === 'owned',
        links: [...new Set(links.filter(link => link.origin !== location.origin).map(link => link.href))].sort(),
        own_links: links.length,
        elements: elements.filter(element => element.matches(
            'iframe, form:not(.vega-bindings:empty), object, embed, base, body meta'))
            .map(element => element.outerHTML),
        handlers: elements.filter(element => [...element.attributes].some(one => /^on/i.test(one.name)))
            .map(element => element.outerHTML),
        sources: [...document.querySelectorAll('[src]')].map(element => address({href: element.src}).protocol),
        hidden: [...texts, ...elements.flatMap(told)].filter(text => hidden.test(text)),
        texts: texts.length,
        wider: document.documentElement.scrollWidth > document.documentElement.clientWidth
            || main.scrollWidth > main.clientWidth,
        outside: [...beside].filter(element => element.getBoundingClientRect().width
            && element.getBoundingClientRect().right > edge && !kept(element.parentElement))
            .map(element => element.outerHTML.slice(0, 200)),
        height: main.scrollHeight,
    };
}"""
MODEL: Final = {"model": hostile.MODEL}


def link(page: str, **parameters: str | list[str]) -> str:
    return f"/{page}?{urlencode(MODEL | parameters, doseq=True)}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a dashboard whose service sends hostile texts in every field."""
    with ExitStack() as running:
        service = running.enter_context(Server(hostile.respond))
        yield running.enter_context(
            dashboard(
                tmp_path_factory.mktemp("hostile"),
                PAIVIEW_ENDPOINT=service.url,
                ALIBABA_CLOUD_ACCESS_KEY_ID="key-of-the-test",
                ALIBABA_CLOUD_ACCESS_KEY_SECRET="secret-of-the-test",
            )
        ).url


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """The page of the other browser tests, which asks no other host; here no dialog and no window opens either."""
    dialogs: list[str] = []
    windows: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    page.on("popup", lambda other: windows.append(other.url))
    yield page
    assert dialogs == []
    assert windows == []


def assert_harmless(page: Page, *links: str, tallest: int = TALLEST) -> None:
    """Nothing ran, and nothing on the page can; ``links`` are those that lead to other hosts."""
    found = page.evaluate(LOOK)
    assert not found["owned"]
    assert found["links"] == sorted(links)
    assert (found["elements"], found["handlers"]) == ([], [])
    assert {*found["sources"]} <= {"http:", "data:", "blob:"}
    assert found["hidden"] == []
    assert found["texts"] > 0
    assert not found["wider"]
    assert found["outside"] == []
    assert found["height"] < tallest


def leaf(page: Page, pages: int) -> Iterator[int]:
    """Turn the pages of a list, from the first to the last."""
    for number in range(1, pages + 1):
        if number > 1:
            page.locator(".st-key-page").get_by_role("button", name="Next").click()
            page.wait_for_url(re.compile(rf"[?&]page={number}\b"))
            settled(page)
        yield number


def test_models_and_the_queue(page: Page, served: str) -> None:
    opened(page, served)
    for _ in leaf(page, 9):
        assert_harmless(page)
    page.locator(".st-key-task input").click()
    expect(page.get_by_role("option").first).to_be_visible()
    assert_harmless(page)


def test_versions_with_all_their_fields(page: Page, served: str) -> None:
    fields = ["status", "labels", "framework", "format", "source type", "source id", "uri", "description", "problem"]
    opened(page, served + link("versions", columns=fields))
    for _ in leaf(page, 5):
        assert_harmless(page)
    for key in ("model", "dataset", "metric", "sort", "version"):
        # Escape may change a choice, and the run that follows closes a list that is opened meanwhile.
        settled(page)
        page.locator(f".st-key-{key} input").click()
        expect(page.get_by_role("option").first).to_be_visible()
        assert_harmless(page)
        page.keyboard.press("Escape")


def test_the_tooltip_of_a_number_column(page: Page, served: str) -> None:
    beacon = hostile.FAMILIES["markdown"][0]
    opened(page, served + link("versions", metric="cer", dataset=beacon, columns="status"))
    table = page.locator(".st-key-versions-table canvas").first
    box = table.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 100, box["y"] + 50)
    tooltip = page.get_by_test_id("stDataFrameTooltipContent")
    expect(tooltip).to_contain_text("beacon")
    expect(tooltip.locator("img, a")).to_have_count(0)
    assert_harmless(page)


def test_one_version_whole(page: Page, served: str) -> None:
    opened(page, served + link("versions", version=hostile.OTHER))
    expect(page.locator(".st-key-version-detail a", has_text="Open the Uri at evil.example")).to_have_count(1)
    expect(page.locator(".st-key-version-detail a", has_text="xn--libaba-2nf.example")).to_have_count(1)
    for tab in ("Results", "About", "Specs", "Raw JSON"):
        page.get_by_role("tab", name=tab).click()
        settled(page)
        assert_harmless(page, hostile.ADDRESS, "https://xn--libaba-2nf.example/", tallest=80_000)


def assert_harmless_tooltips(page: Page, marks: Locator, step: int) -> None:
    for place in range(0, marks.count(), step):
        marks.nth(place).hover(force=True)
        expect(page.locator(".hoverlayer .hovertext").first).to_be_visible()
        assert_harmless(page)


def test_trends_and_their_tooltips(page: Page, served: str) -> None:
    charts = [f"{text} cer" for text in hostile.FAMILIES["charts"]]
    opened(page, served + link("trends", metric=["cer", *charts]))
    for _ in leaf(page, 3):
        assert_harmless_tooltips(page, page.locator(".st-key-trend-chart .points path.point"), 12)
    opened(page, served + link("trends", metric=["cer", *charts], scale="effect"))
    assert_harmless_tooltips(page, page.locator(".st-key-overview .points path.point"), 12)
    page.locator(".st-key-downloads button").click()
    expect(page.get_by_role("button", name="CSV", exact=True)).to_be_visible()
    assert_harmless(page)


def test_versions_side_by_side(page: Page, served: str) -> None:
    opened(page, served + link("versions"))
    box = page.locator(".st-key-versions-table canvas").first.bounding_box()
    assert box is not None
    # Below two rows of heads.
    for row in (2.5, 3.5):
        page.mouse.click(box["x"] + 15, box["y"] + 35 * row)
        settled(page)
    expect(page.locator(".st-key-selection")).to_contain_text("2 versions side by side")
    expect(page.locator(".st-key-selection").get_by_test_id("stDataFrame")).to_be_visible()
    assert_harmless(page)


def test_one_candidate_in_all_pictures_with_its_differences(page: Page, served: str) -> None:
    opened(page, served + link("compare", candidate=hostile.OTHER))
    expect(page.locator(".st-key-delta-chart .delta-mark").first).to_be_visible()
    assert_harmless(page)
    for row in page.locator("[class*=st-key-policy-] summary").all():
        row.click()
    settled(page)
    assert_harmless(page, tallest=4 * TALLEST)
    page.get_by_text("What else differs").click()
    expect(page.locator(".st-key-spec-diff").get_by_test_id("stDataFrame")).to_be_visible()
    settled(page)
    assert_harmless(page)
    opened(page, served + link("compare", candidate=hostile.OTHER, picture="raw"))
    assert_harmless_tooltips(page, page.locator(".st-key-delta-chart .points path.point"), 40)
    opened(page, served + link("compare", candidate=hostile.OTHER, picture="table"))
    expect(page.locator(".st-key-compare-table canvas").first).to_be_visible()
    assert_harmless(page)


def test_several_candidates_two_of_which_begin_alike(page: Page, served: str) -> None:
    alike = [text for text in hostile.FAMILIES["long"] if text.startswith("nnn")]
    opened(page, served + link("compare", candidate=[hostile.CANDIDATE, hostile.OTHER, *alike]))
    chosen = page.locator(".st-key-candidate [data-tag]").evaluate_all("tags => tags.map(tag => tag.ariaLabel)")
    assert len({*chosen}) == 4
    page.get_by_text("What else differs").click()
    expect(page.locator(".st-key-spec-diff").get_by_test_id("stDataFrame")).to_be_visible()
    settled(page)
    assert_harmless_tooltips(page, page.locator(".st-key-pareto .points path.point"), 1)


def test_a_report_opens_from_disk_and_is_no_longer_than_its_rows(
    page: Page, browser: Browser, served: str, tmp_path: Path
) -> None:
    opened(page, served + link("compare", candidate=hostile.OTHER))
    page.locator(".st-key-copy button").click()
    expect(page.get_by_test_id("stPopoverBody").get_by_test_id("stCode")).to_have_count(2)
    settled(page)
    assert_harmless(page)
    page.keyboard.press("Escape")
    page.locator(".st-key-reports button").click()
    for form in ("html", "md", "csv", "json"):
        with page.expect_download() as download:
            page.locator(f"[class*=st-key-report-{form}] button").click()
        assert download.value.suggested_filename == f"model-hostile-_img_src=x_onerror=owned=1_.{form}"
        download.value.save_as(tmp_path / f"report.{form}")
    assert_harmless(page)
    other = browser.new_context(viewport={"width": 1000, "height": 900}, offline=True).new_page()
    asked: list[str] = []
    other.on("request", lambda request: asked.append(request.url))
    other.goto((tmp_path / "report.html").as_uri())
    expect(other.locator("tbody .delta-mark").first).to_be_visible()
    expect(other.locator("html")).to_have_js_property("scrollWidth", 1000)
    rows = other.locator(".dataset")
    assert rows.count() == 4 * len(hostile.TEXTS) - 1
    assert max(rows.evaluate_all("cells => cells.map(cell => cell.clientHeight)")) < 600
    # Beside the rows, the answer with its doubts and the lines that settle them.
    assert_harmless(other, tallest=TALLEST + 150 * rows.count())
    assert asked == [(tmp_path / "report.html").as_uri()]
    other.context.close()


def test_a_narrow_window(page: Page, served: str) -> None:
    page.set_viewport_size({"width": 1000, "height": 900})
    opened(page, served + link("compare", candidate=[hostile.CANDIDATE, hostile.OTHER]))
    assert_harmless(page)
    for name in ("Trends", "Versions", "Models"):
        page.locator(".st-key-menu").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name="Models" if name == "Models" else "hostile").first).to_be_visible()
        settled(page)
        assert_harmless(page)

"""The HTML report as a file of its own: opened from disk without any network."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from paiview.reports import documents
from tests.reports.test_documents import TRADE_OFF

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("scheme", "ink", "worse"),
    [("light", "rgb(27, 39, 51)", "rgb(213, 94, 0)"), ("dark", "rgb(228, 234, 240)", "rgb(232, 118, 43)")],
)
def test_the_report_opens_offline_from_disk(
    browser: Browser, tmp_path: Path, scheme: str, ink: str, worse: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(documents.to_html(TRADE_OFF), encoding="utf-8")
    context = browser.new_context(offline=True, color_scheme="dark" if scheme == "dark" else "light")
    asked: list[str] = []
    troubles: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text))
    page.goto(file.as_uri())
    expect(page.locator(".delta-name").last).to_have_css("color", ink)
    expect(page.locator("tbody .delta-mark").first).to_have_css("background-color", worse)
    assert page.locator("tbody .delta-mark").count() == len(TRADE_OFF.pairs)
    assert page.locator("h1").inner_text() == "▲▼ Trade-off"
    page.set_viewport_size({"width": 390, "height": 800})
    expect(page.locator("html")).to_have_js_property("scrollWidth", 390)
    assert (asked, troubles) == ([file.as_uri()], [])
    context.close()


def test_the_report_runs_no_script(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    foreign = '<script>document.title = "run"</script><img src="x:" onerror="document.title = \'run\'"></main>'
    file.write_text(documents.to_html(TRADE_OFF).replace("</main>", foreign), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    expect(page.locator("tbody .delta-mark").first).to_be_visible()
    expect(page).to_have_title("Trade-off: model-funasr 0.12.0")
    page.close()

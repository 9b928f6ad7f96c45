"""The content policy in a real browser: every page passes it whole, and what does not belong to a page does not run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.harness.dashboard import opened, settled

pytestmark = pytest.mark.browser

WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', event =>
    window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""
WHISPER = "model=model-whisper"


@pytest.fixture
def watched(page: Page) -> Iterator[Page]:
    """A page that notes what the policy stops."""
    page.add_init_script(WATCH)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    yield page
    assert [text for text in told if "Content Security Policy" in text or "Content-Security-Policy" in text] == []


def violations(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.violations")
    return found


def download(page: Page, menu: str, key: str) -> bytes:
    """Open a menu or list of downloads and take one."""
    page.locator(f".st-key-{menu}").locator("button, summary").first.click()
    settled(page)
    with page.expect_download() as waiting:
        page.locator(f"[class*=st-key-{key}] button").first.click()
    return waiting.value.path().read_bytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_with_its_parts_passes(watched: Page, embedded: str, scheme: Any) -> None:
    page = watched
    page.emulate_media(color_scheme=scheme)
    opened(page, embedded)
    expect(page.locator(".st-key-queue")).to_contain_text("waiting for review")
    assert violations(page) == []

    opened(page, f"{embedded}/versions?{WHISPER}&version=3.0.0_large")
    expect(page.locator(".st-key-versions-table canvas").first).to_be_visible()
    for tab in ("About", "Specs", "Raw JSON"):
        page.get_by_role("tab", name=tab).click()
    page.keyboard.press("Escape")
    settled(page)
    assert download(page, "downloads", "download-versions-csv").startswith(b'\xef\xbb\xbf"version_name"')
    assert violations(page) == []

    opened(page, f"{embedded}/trends?{WHISPER}&dataset=ami-ihm")
    chart = page.locator(".st-key-trend-chart .js-plotly-plot")
    expect(chart.locator(".main-svg").first).to_be_visible()
    chart.locator(".points path").first.hover(force=True)
    expect(chart.locator(".hoverlayer text").first).to_be_visible()
    expect(page.locator(".st-key-overview .main-svg").first).to_be_visible()
    assert violations(page) == []

    opened(page, f"{embedded}/trends?{WHISPER}&dataset=ami-ihm&scale=raw")
    expect(page.locator(".st-key-heatmap .main-svg").first).to_be_visible()
    assert violations(page) == []

    opened(page, f"{embedded}/compare?{WHISPER}&candidate=3.0.0_large")
    expect(page.locator(".st-key-delta-chart tbody .delta-mark").first).to_be_visible()
    assert violations(page) == []
    opened(page, f"{embedded}/compare?{WHISPER}&candidate=3.0.0_large&picture=table")
    expect(page.locator(".st-key-compare-table canvas").first).to_be_visible()
    assert download(page, "reports", "report-html").startswith(b"<!doctype html>")
    assert violations(page) == []


def element(tag: str, **properties: str) -> str:
    """A script that puts an element into the page."""
    return f"document.body.append(Object.assign(document.createElement('{tag}'), {json.dumps(properties)}))"


FOREIGN = "https://evil.example/"
INJECTED = {
    "script-src-elem inline": element("script", textContent="window.ran = true"),
    "script-src-attr inline": "document.body.insertAdjacentHTML('beforeend', '<a onclick=\"window.ran = true\">x</a>');"
    " document.body.lastChild.click()",
    "script-src eval": "setTimeout('window.ran = true', 0)",
    "script-src-elem data": element("script", src="data:text/javascript,window.ran=true"),
    f"script-src-elem {FOREIGN}x.js": element("script", src=f"{FOREIGN}x.js"),
    f"style-src-elem {FOREIGN}x.css": element("link", rel="stylesheet", href=f"{FOREIGN}x.css"),
    f"img-src {FOREIGN}x.png": element("img", src=f"{FOREIGN}x.png"),
    f"font-src {FOREIGN}x.woff2": f"new FontFace('x', 'url({FOREIGN}x.woff2)').load().catch(() => {{}})",
    f"connect-src {FOREIGN}": f"fetch('{FOREIGN}').catch(() => {{}})",
    "connect-src wss://evil.example/": "new WebSocket('wss://evil.example/')",
    f"frame-src {FOREIGN}": element("iframe", src=FOREIGN),
    f"object-src {FOREIGN}": element("object", data=FOREIGN),
    f"form-action {FOREIGN}": f"{element('form', action=FOREIGN)}; document.body.lastChild.submit()",
    f"base-uri {FOREIGN}": element("base", href=FOREIGN),
}


@pytest.mark.parametrize("stopped", INJECTED)
def test_what_is_injected_does_not_run_and_reaches_nobody(browser: Browser, embedded: str, stopped: str) -> None:
    page = browser.new_page()
    page.add_init_script(WATCH)
    answered: list[str] = []
    page.on("response", lambda response: answered.append(response.url))
    opened(page, f"{embedded}/versions?{WHISPER}")
    page.evaluate(f"() => {{ try {{ {INJECTED[stopped]} }} catch {{}} }}")
    page.wait_for_function("() => window.violations.length > 0")
    assert violations(page)[0].rstrip("/?") == stopped.rstrip("/")
    assert page.evaluate("window.ran") is None
    assert [url for url in answered if not url.startswith(embedded)] == []
    page.close()


def test_no_page_of_another_site_frames_it(browser: Browser, embedded: str) -> None:
    page = browser.new_page()
    page.route("http://evil.example/", lambda route: route.fulfill(body=f"<iframe src='{embedded}'></iframe>"))
    page.goto("http://evil.example/")
    page.wait_for_load_state("networkidle")
    assert page.frames[1].url.startswith("chrome-error:")
    page.close()

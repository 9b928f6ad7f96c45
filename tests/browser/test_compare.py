"""Compare in a real browser, over the embedded registry: the verdict, the picture, the link, the reports."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from paiview.decisions.decision import Decision
from tests.harness.dashboard import back_to, opened, region, settled

pytestmark = pytest.mark.browser

DEFAULT = "/compare?model=model-pyannotediarization"


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def downloaded(page: Page, name: str, target: Path) -> Path:
    """Open the list of reports and save one of them."""
    button = page.get_by_role("button", name=name, exact=True)
    if not button.count():
        page.locator(".st-key-reports button").click()
    with page.expect_download() as download:
        button.click()
    download.value.save_as(target)
    return target


def test_a_reviewer_sees_the_verdict_with_its_reason_and_shares_it(page: Page, browser: Browser, embedded: str) -> None:
    opened(page, f"{embedded}{DEFAULT}")
    for expected in (
        "Trade-off",
        "Policy fails",
        "0.1.0_service_r5 ○ Pending against 2.0.0_precision ✓ Approved · newest approved by creation",
        "Worse on 10 of 12 compared results, better on 1. Ego4D (dev.) loses most: der 0.390 → 0.447 (−14.6 %).",
        "2 results of the baseline are missing.",
        "▲ 1 better = 1 same ▼ 10 worse ○ 2 missing",
        "2 of 2 checks failed",
        "No regression · 10 of 12 results are worse",
    ):
        expect(page.locator(".st-key-verdict")).to_contain_text(expected)
    told = page.locator(".st-key-verdict").text_content() or ""
    # The rules choose the baseline, so the address does not name it.
    assert query(page) == {"model": ["model-pyannotediarization"], "candidate": ["0.1.0_service_r5"]}
    rows = page.locator(".st-key-delta-chart tbody tr:has(.delta-cell)")
    expect(rows.first).to_contain_text("Ego4D")
    expect(rows.first).to_contain_text("0.447")
    expect(rows.first).to_contain_text("▼")
    evidence = page.get_by_text("The rule no_regression says: ✕ fail.")
    expect(evidence).not_to_be_visible()
    page.get_by_text("No regression").click()
    expect(evidence).to_be_visible()

    other = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    opened(other, page.url)
    expect(other.locator(".st-key-verdict")).to_have_text(told)
    assert other.url == page.url
    expect(other.get_by_text("have changed")).to_have_count(0)
    other.context.close()


def test_the_effects_are_a_table_that_needs_no_script(page: Page, embedded: str) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    opened(page, f"{embedded}{DEFAULT}")
    chart = page.locator(".st-key-delta-chart")
    rows = chart.locator("tbody tr:has(.delta-cell)")
    expect(rows).to_have_count(14)
    first = rows.first
    expect(first).to_contain_text("Ego4D (dev.)")
    expect(first).to_contain_text("−14.6 %")
    expect(first).to_contain_text("0.390 → 0.447")
    mark, cell = (first.locator(f".delta-{part}").bounding_box() for part in ("mark", "cell"))
    assert mark is not None
    assert cell is not None
    assert mark["width"] >= 10
    # The worst of them, and so at the end of the scale, which is two thirds of the cell.
    assert (mark["x"] + mark["width"] / 2 - cell["x"]) / cell["width"] == pytest.approx(1 / 6, abs=0.01)
    expect(first.locator(".delta-mark")).to_have_css("background-color", "rgb(213, 94, 0)")
    assert str(first.get_attribute("title")).startswith("0.1.0_service_r5 · Ego4D (dev.)\nder 0.390 → 0.447\n▼ worse")
    first.locator(".delta-text").click(click_count=3)
    assert "−14.6 %" in page.evaluate("getSelection().toString()")
    # Its styles are its own, and the chart library stays away until a picture needs it.
    assert not [url for url in requested if "plotly" in url.lower()]


def test_in_a_narrow_window_the_effects_scroll_in_their_own_region(page: Page, embedded: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    opened(page, f"{embedded}{DEFAULT}")
    region_of_effects = page.get_by_role("region", name="Effect on each dataset")
    assert region_of_effects.evaluate("region => region.scrollWidth > region.clientWidth")
    expect(page.locator("html")).to_have_js_property("scrollWidth", 390)
    region_of_effects.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.delta-plot').scrollLeft > 0")


def test_filters_hide_rows_and_stay_in_the_link(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}{DEFAULT}&state=better&picture=table")
    expect(page.locator(".st-key-compare-table tbody").first.locator("tr")).to_have_count(1)
    assert "13 hidden by the filters" in region(page, "results")
    assert "Worse on 10" in region(page, "verdict")


def test_another_candidate_gets_the_baseline_of_its_own(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/compare?model=model-whisper")
    assert query(page)["candidate"] == ["3.1.0_large_turbo"]
    expect(page.locator(".st-key-baseline input")).to_have_attribute("placeholder", "1.0.0_large (by the rules)")
    page.locator(".st-key-candidate").get_by_role("button", name="Clear all").click()
    # What is typed before the run of this click has come is forgotten with it.
    page.wait_for_url(lambda url: "candidate=" not in url)
    settled(page)
    page.locator(".st-key-candidate input").fill("1.0.0_small_en")
    page.get_by_role("option", name="1.0.0_small_en", exact=True).click()
    page.wait_for_url(lambda url: "1.0.0_small_en" in url)
    settled(page)
    expect(page.locator(".st-key-verdict")).to_contain_text("1.0.0_small_en ✓ Approved against 1.0.0_base_en")
    expect(page.locator(".st-key-baseline input")).to_have_attribute("placeholder", "1.0.0_base_en (by the rules)")
    assert "baseline" not in query(page)


def test_a_version_that_does_not_exist_gives_the_problem_and_no_verdict(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/compare?model=model-whisper&candidate=9.9.9")
    assert "model-whisper has no version 9.9.9" in region(page, "problem")
    expect(page.locator(".st-key-verdict")).to_have_count(0)


def test_what_else_differs_is_told_on_demand(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/compare?model=model-whisper")
    page.locator(".st-key-differences summary").click()
    settled(page)
    expect(page.locator(".st-key-spec-diff")).to_contain_text("GmtCreateTime")


def test_page_api_and_reports_give_the_same_decision(
    page: Page, browser: Browser, embedded: str, tmp_path: Path
) -> None:
    opened(page, f"{embedded}{DEFAULT}")
    saved = json.loads(downloaded(page, "JSON", tmp_path / "decision.json").read_text("utf-8"))
    of_page = Decision.model_validate(saved)
    answer = httpx.get(
        f"{embedded}/api/models/model-pyannotediarization/decision", params={"candidate": "0.1.0_service_r5"}
    )
    assert Decision.model_validate_json(answer.text) == of_page
    markdown = downloaded(page, "Markdown", tmp_path / "decision.md").read_text("utf-8")
    assert "Trade-off" in markdown
    html = downloaded(page, "HTML", tmp_path / "decision.html")

    asked: list[str] = []
    offline = browser.new_context(viewport={"width": 1200, "height": 900}, offline=True).new_page()
    offline.on("request", lambda request: asked.append(request.url))
    offline.goto(html.as_uri())
    expect(offline.locator("body")).to_contain_text("Trade-off")
    expect(offline.locator("body")).to_contain_text("2.0.0_precision")
    expect(offline.locator("tbody .delta-mark").first).to_be_visible()
    assert asked == [html.as_uri()]
    offline.context.close()


def test_rows_ticked_in_versions_open_here(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/versions?model=model-whisper&version=3.0.0_large")
    page.get_by_role("dialog").get_by_role("link", name="Compare with the approved version").click()
    expect(page.locator(".st-key-verdict")).to_contain_text("3.0.0_large ○ Pending against 1.0.0_large")
    settled(page)
    assert query(page)["candidate"] == ["3.0.0_large"]


def test_back_leads_to_the_page_before_and_is_not_undone(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/versions?model=model-whisper")
    page.locator(".st-key-menu").get_by_role("link", name="Compare").click()
    expect(page.locator(".st-key-verdict")).to_contain_text("3.1.0_large_turbo ○ Pending against 1.0.0_large")
    settled(page)
    assert query(page)["candidate"] == ["3.1.0_large_turbo"]
    back_to(page, "/versions")
    expect(page.locator(".st-key-versions-table")).to_be_visible()


def test_back_takes_a_baseline_out_of_the_verdict_too(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/compare?model=model-whisper&candidate=3.0.0_large&candidate=2.0.0_large")
    expect(page.locator(".st-key-verdict")).to_contain_text("1.0.0_large (newest approved by creation)")
    page.locator(".st-key-baseline input").fill("1.0.0_medium_en")
    page.get_by_role("option", name="1.0.0_medium_en", exact=True).click()
    expect(page.locator(".st-key-verdict")).to_contain_text("1.0.0_medium_en (chosen by the reader; the rules")
    settled(page)
    assert query(page)["baseline"] == ["1.0.0_medium_en"]
    page.go_back()
    expect(page.locator(".st-key-verdict")).to_contain_text("1.0.0_large (newest approved by creation)")
    settled(page)
    assert "baseline" not in query(page)


@pytest.mark.parametrize("figure", ["trend-figure", "overview-figure"])
def test_a_click_on_a_point_offers_its_version(page: Page, embedded: str, figure: str) -> None:
    opened(page, f"{embedded}/trends?model=model-whisper&dataset=ami-ihm")
    chart = page.locator(f".st-key-{figure} .js-plotly-plot")
    chart.scroll_into_view_if_needed()
    expect(chart.locator(".points path").first).to_be_visible()
    place = chart.evaluate(
        """(chart, version) => {
            const isDrawn = trace => trace.mode.startsWith('markers') && Array.from(trace.x).includes(version);
            const trace = chart._fullData.findIndex(isDrawn);
            const drawn = chart.calcdata[trace][Array.from(chart._fullData[trace].x).indexOf(version)];
            const {xaxis, yaxis} = chart._fullLayout;
            const box = chart.getBoundingClientRect();
            return [box.x + xaxis._offset + xaxis.c2p(drawn.x), box.y + yaxis._offset + yaxis.c2p(drawn.y)];
        }""",
        "3.1.0_large_turbo",
    )
    page.mouse.move(*place)
    page.mouse.click(*place)
    link = page.locator(".st-key-version-links").get_by_role("link", name="Open 3.1.0_large_turbo")
    link.click()
    expect(page.get_by_role("dialog")).to_contain_text("3.1.0_large_turbo")


def test_a_link_to_nothing_shows_the_problem(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/compare?model=model-whisper&candidate=9.9.9")
    expect(page.locator(".st-key-problem")).to_be_visible()

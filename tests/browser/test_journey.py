"""The main job in a real browser, over the embedded registry: open, filter, read the charts, share the link."""

import csv
import gzip
import json
import math
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Start
from tests.harness.dashboard import back_to, opened, region, settled, source_text

pytestmark = pytest.mark.browser

NEWEST_FIRST = [
    "3.1.0_large_turbo",
    "3.0.0_large",
    "2.0.0_large",
    "1.0.0_large",
    "1.0.0_medium_en",
    "1.0.0_small_en",
    "1.0.0_base_en",
    "1.0.0_tiny_en",
]
BEST_FIRST = [
    "3.0.0_large",
    "3.1.0_large_turbo",
    "1.0.0_medium_en",
    "1.0.0_large",
    "2.0.0_large",
    "1.0.0_small_en",
    "1.0.0_base_en",
    "1.0.0_tiny_en",
]
"""By word error rate on AMI-IHM: 0.160, 0.161, 0.164 twice, 0.169, 0.175, 0.205, 0.237."""
QUEUE_ROW = 34
QUEUE_VERSION_AT = 160
"""Pixels: the height of a row of the queue, and where the version's name is from its left edge."""
TRACES = """() => {
    const chart = document.querySelector('.st-key-trend-chart .js-plotly-plot');
    const plain = values => Array.from(values._inputArray ?? values);
    return chart.data.filter(trace => trace.name.includes(' on '))
        .map(trace => [trace.name, plain(trace.x), plain(trace.y)]);
}"""


def published(family: str) -> dict[str, dict[str, dict[str, float]]]:
    """The numbers of a family as its file has them: metric on dataset to version to number."""
    content = (resources.files("paiview.embedded") / "data" / f"{family}.json.gz").read_bytes()
    numbers: dict[str, dict[str, dict[str, float]]] = {}
    for version in json.loads(gzip.decompress(content))["versions"]:
        for result in version["results"]:
            for metric, value in result["metrics"].items():
                drawn = numbers.setdefault(f"{metric} on {result['dataset']}", {})
                drawn[version["version_name"]] = value
    return numbers


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def choose(page: Page, key: str, option: str) -> None:
    control = page.locator(f".st-key-{key} input")
    # Scroll first: a list closes when the page scrolls.
    control.scroll_into_view_if_needed()
    settled(page)
    control.fill(option)
    before = page.url
    page.get_by_role("option", name=option, exact=True).click()
    page.wait_for_url(lambda url: url != before and key in parse_qs(urlsplit(url).query))
    settled(page)


def named(versions: list[str]) -> list[str]:
    """The cells that open some versions."""
    return [f"{name} ›" for name in versions]


def column(page: Page, number: int) -> Locator:
    """The cells of a column of the versions table, in the form that the browser gives to a screen reader."""
    return page.locator(f".st-key-versions-table tbody td:nth-child({number})")


def queued(page: Page) -> Locator:
    """The rows of the queue, in the form that the browser gives to a screen reader."""
    return page.locator(".st-key-queue-table tbody tr")


def click_version(page: Page, row: int) -> None:
    """Click the name of a version in the queue; the cells are drawn, so that only their places can be clicked."""
    box = page.locator('.st-key-queue-table [data-testid="stDataFrame"]').bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + QUEUE_VERSION_AT, box["y"] + (row + 0.5) * QUEUE_ROW)


def test_a_version_of_the_queue_opens_its_comparison_and_one_back_comes_back(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/?verdict=trade-off")
    expect(page.locator(".st-key-queue-table canvas").first).to_be_visible()
    expect(queued(page)).to_have_count(9)
    expect(queued(page).first).to_contain_text("▲▼ Trade-off3.0.0_large ›whisper✕ fails74325")
    click_version(page, 1)
    page.wait_for_url(lambda url: urlsplit(url).path == "/compare")
    settled(page)
    expect(page.locator(".st-key-verdict")).to_contain_text("3.0.0_large")
    assert query(page) == {"model": ["model-whisper"], "candidate": ["3.0.0_large"]}
    page.go_back()
    expect(page.locator(".st-key-queue")).to_contain_text("81 waiting for review")
    settled(page)
    assert urlsplit(page.url).path == "/"
    expect(queued(page)).to_have_count(9)


def test_the_first_of_the_queue_has_a_link_for_the_keyboard(page: Page, embedded: str) -> None:
    opened(page, embedded)
    page.locator(".st-key-queue").get_by_role("link", name="Review 3.0.0_large").press("Enter")
    expect(page.locator(".st-key-verdict")).to_contain_text("3.0.0_large")
    settled(page)
    assert query(page)["candidate"] == ["3.0.0_large"]


def test_the_queue_shows_chosen_verdicts_and_what_is_superseded(page: Page, embedded: str) -> None:
    opened(page, embedded)
    page.locator(".st-key-verdict").get_by_role("button", name="7 incomplete").click()
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == {"verdict": ["incomplete"]})
    expect(queued(page)).to_have_count(7)
    page.locator(".st-key-superseded").get_by_text("Also 30 older than what is approved").click()
    expect(page.locator(".st-key-queue")).to_contain_text("111 waiting for review")
    settled(page)
    assert query(page) == {"verdict": ["incomplete"], "superseded": ["true"]}


def test_the_page_of_models_needs_no_plotly(page: Page, embedded: str) -> None:
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(request.url))
    opened(page, embedded)
    expect(page.locator(".st-key-queue-table canvas").first).to_be_visible()
    assert [url for url in scripts if "plotly" in url.lower()] == []


def test_a_reader_finds_a_model_and_opens_it(page: Page, embedded: str) -> None:
    opened(page, embedded)
    expect(page.locator(".st-key-queue")).to_contain_text("81 waiting for review")
    expect(queued(page).first).to_contain_text("3.0.0_large ›")
    assert "Embedded registry" in source_text(page)
    assert "numbers are published" in source_text(page)
    page.locator(".st-key-q input").fill("diarization")
    page.locator(".st-key-q input").press("Enter")
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == {"q": ["diarization"]})
    main = page.get_by_test_id("stMain")
    expect(main.get_by_role("link", name="whisper")).to_have_count(0)
    main.get_by_role("link", name="pyannote-speaker-diarization").click()
    expect(page.get_by_role("heading", name="pyannote-speaker-diarization")).to_be_visible()
    settled(page)
    assert query(page)["model"] == ["model-pyannotediarization"]
    assert "19 of 19 versions" in source_text(page)


def test_a_filter_of_the_service_narrows_the_table(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/versions?model=model-whisper")
    expect(column(page, 1)).to_have_text(named(NEWEST_FIRST))
    page.get_by_text("In PAI", exact=True).click()
    choose(page, "approval_status", "Approved")
    assert query(page)["approval_status"] == ["Approved"]
    expect(column(page, 1)).to_have_text(named(NEWEST_FIRST[3:]))
    expect(column(page, 2)).to_have_text(["✓ Approved"] * 5)
    expect(column(page, 4)).to_have_text(["0.164", "0.164", "0.175", "0.205", "0.237"])
    assert "5 of 8 versions pass the filters" in region(page, "chips")
    page.locator(".st-key-chips").get_by_role("button", name="ApprovalStatus Approved").click()
    page.wait_for_url(lambda url: "approval_status" not in parse_qs(urlsplit(url).query))
    expect(column(page, 1)).to_have_text(named(NEWEST_FIRST))


def test_every_number_drawn_is_the_published_one(page: Page, embedded: str) -> None:
    """By hand, from Table 4 of the OLMoASR report: large-v1 to turbo on AMI-IHM."""
    opened(page, f"{embedded}/trends?model=model-whisper&dataset=ami-ihm")
    [[name, versions, values]] = page.evaluate(TRACES)
    assert name == "wer on ami-ihm"
    assert dict(zip(versions, values, strict=True)) == {
        "1.0.0_tiny_en": 0.237,
        "1.0.0_base_en": 0.205,
        "1.0.0_small_en": 0.175,
        "1.0.0_medium_en": 0.164,
        "1.0.0_large": 0.164,
        "2.0.0_large": 0.169,
        "3.0.0_large": 0.160,
        "3.1.0_large_turbo": 0.161,
    }


@pytest.mark.parametrize(
    ("model", "family", "metric"),
    [("model-pyannotediarization", "pyannote-diarization", "der"), ("model-yolov5", "yolov5", "map50_95")],
)
def test_every_panel_holds_all_published_numbers(
    page: Page, embedded: str, model: str, family: str, metric: str
) -> None:
    opened(page, f"{embedded}/trends?model={model}&metric={metric}&window=all")
    drawn = {name: dict(zip(versions, values, strict=True)) for name, versions, values in page.evaluate(TRACES)}
    numbers = {name: values for name, values in published(family).items() if name.startswith(f"{metric} on ")}
    assert drawn
    assert drawn == {name: numbers[name] for name in drawn}
    if len(numbers) <= 12:
        assert drawn.keys() == numbers.keys()


def test_a_deep_link_is_the_first_request_after_a_start(page: Page, start: Start) -> None:
    url = start()
    opened(page, f"{url}/versions?model=model-whisper&version=3.0.0_large&approval_status=Pending&columns=status")
    assert "3.0.0_large" in page.get_by_role("dialog").inner_text()
    assert "Whisper large-v3" in page.get_by_role("dialog").inner_text()
    expect(column(page, 1)).to_have_text(named(NEWEST_FIRST[:3]))
    expect(page.locator(".st-key-menu").get_by_role("link", name="Trends")).to_be_visible()
    expect(page.locator(".st-key-approval_status input")).to_have_value("Pending")


def test_the_state_comes_back(page: Page, browser: Browser, embedded: str) -> None:
    """After a page change, Back, a reload, and in another reader's browser."""
    opened(page, f"{embedded}/versions?model=model-whisper")
    choose(page, "dataset", "ami-ihm")
    choose(page, "sort", "wer@ami-ihm, ascending")
    choose(page, "version", "2.0.0_large")
    chosen = {
        "model": ["model-whisper"],
        "dataset": ["ami-ihm"],
        "sort": ["wer@ami-ihm"],
        "version": ["2.0.0_large"],
    }
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == chosen)
    link = page.url
    expect(column(page, 1)).to_have_text(named(BEST_FIRST))

    page.keyboard.press("Escape")
    expect(page.locator(".st-key-version-detail")).to_have_count(0)
    page.wait_for_url(lambda url: "version" not in parse_qs(urlsplit(url).query))
    settled(page)
    page.locator(".st-key-menu").get_by_role("link", name="Trends").click()
    expect(page.locator(".st-key-trend-chart")).to_be_visible()
    settled(page)
    assert query(page)["model"] == ["model-whisper"]
    assert "whisper" in page.get_by_role("heading", level=1).inner_text()

    back_to(page, "/versions")
    expect(page.locator(".st-key-versions-table")).to_be_visible()
    settled(page)
    expect(column(page, 1)).to_have_text(named(BEST_FIRST))

    opened(page, link)
    expect(column(page, 1)).to_have_text(named(BEST_FIRST))
    assert "2.0.0_large" in page.get_by_role("dialog").inner_text()

    other = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    opened(other, link)
    expect(column(other, 1)).to_have_text(named(BEST_FIRST))
    assert "2.0.0_large" in other.get_by_role("dialog").inner_text()
    assert other.url == link
    other.context.close()


def test_a_name_opens_the_drawer_and_two_ticks_are_shown_side_by_side(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/versions?model=model-whisper")
    box = page.locator('.st-key-versions-table [data-testid="stDataFrame"]').bounding_box()
    assert box is not None
    # Two heads, then eight rows of the same height.
    row = box["height"] / 10
    page.mouse.click(box["x"] + 90, box["y"] + 2.5 * row)
    expect(page.locator(".st-key-version-detail")).to_contain_text("large-v3-turbo")
    settled(page)
    assert query(page)["version"] == ["3.1.0_large_turbo"]
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-version-detail")).to_have_count(0)
    page.wait_for_url(lambda url: "version" not in parse_qs(urlsplit(url).query))
    settled(page)
    page.mouse.click(box["x"] + 15, box["y"] + 2.5 * row)
    expect(page.locator(".st-key-ticked")).to_contain_text("1 version ticked")
    settled(page)
    box = page.locator('.st-key-versions-table [data-testid="stDataFrame"]').first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 15, box["y"] + 3.5 * row)
    expect(page.locator(".st-key-selection")).to_contain_text("2 versions side by side")


def test_an_unknown_model_is_reported_and_the_controls_still_work(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/versions?model=model-nobody")
    problem = region(page, "problem")
    assert "201900002" in problem
    assert "RequestId" in problem
    expect(page.locator(".st-key-model input")).to_have_value("model-nobody")
    choose(page, "model", "whisper")
    expect(page.locator(".st-key-versions-table")).to_be_visible()
    assert query(page)["model"] == ["model-whisper"]


def test_wrong_values_in_a_link_are_named_and_ignored(page: Page, embedded: str) -> None:
    opened(
        page, f"{embedded}/versions?model=model-whisper&approval_status=Maybe&metric=wer&metric=blobs&sort=up&page=99"
    )
    problem = region(page, "problem")
    for named in ("approval_status = Maybe", "metric = blobs", "sort = up"):
        assert named in problem
    expect(column(page, 1)).to_have_count(8)


def test_the_versions_shown_can_be_downloaded(page: Page, embedded: str, tmp_path: Path) -> None:
    opened(page, f"{embedded}/versions?model=model-whisper&dataset=ami-ihm&columns=status")
    page.get_by_test_id("stMain").get_by_role("button", name="Download").click()
    with page.expect_download() as download:
        page.locator(".st-key-download-versions-csv button").click()
    assert download.value.suggested_filename == "model-whisper-versions.csv"
    target = tmp_path / "shown.csv"
    download.value.save_as(target)
    lines = [*csv.DictReader(target.read_text(encoding="utf-8-sig").splitlines())]
    assert len(lines) == 8
    first = lines[0]
    assert (first["version_name"], first["approval_status"], first["wer@ami-ihm"]) == (
        "3.1.0_large_turbo",
        "Pending",
        "0.161",
    )
    with page.expect_download() as download:
        page.locator(".st-key-download-versions-json button").click()
    target = tmp_path / "shown.json"
    download.value.save_as(target)
    rows: list[dict[str, Any]] = json.loads(target.read_text(encoding="utf-8"))
    assert rows[1]["version_name"] == "3.0.0_large"
    assert math.isclose(rows[1]["wer@ami-ihm"], 0.16)
    assert [*first] == [*rows[0]]


def test_a_large_model_is_paged_and_says_what_it_leaves_out(page: Page, embedded: str) -> None:
    opened(page, f"{embedded}/versions?model=model-timm&page=63")
    assert "1556 of 1556 versions" in source_text(page)
    assert "Versions 1551 to 1556 of 1556" in region(page, "versions-table")
    expect(column(page, 1)).to_have_count(6)
    opened(page, f"{embedded}/trends?model=model-timm&metric=top1&dataset=imagenet-1k-val")
    [[_, versions, _]] = page.evaluate(TRACES)
    assert len(versions) == 100
    assert "1456 points of other versions not drawn" in region(page, "trend-chart")

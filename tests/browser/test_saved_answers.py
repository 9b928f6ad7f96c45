"""Models of the reader's own files, which other programs approve and delete while a page shows them.

The official SDK changes them: through a registry of the test, over the folder that the dashboard's registry serves too.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client
from playwright.sync_api import Browser, Page, expect

from paiview.embedded.local_registry import LocalRegistry
from tests.embedded.sdk import sdk_client
from tests.harness.dashboard import dashboard, opened, region, settled, source_text
from tests.harness.service import Json, version

pytestmark = pytest.mark.browser

LINEAGE: Final = [
    version("0.1.0", "2024-01-01", {"meeting": {"cer": 0.10}}, ApprovalStatus="Approved"),
    version("0.2.0", "2024-02-01", {"meeting": {"cer": 0.05}}),
    version("0.3.0", "2024-03-01", {"meeting": {"cer": 0.08}}),
]
"""The newest is better than the approved version, and worse than the one between."""
ASSUMED: Final = [
    version("0.1.0", "2024-01-01", {"street": {"iou.person": 0.70}}, ApprovalStatus="Approved"),
    version("0.2.0", "2024-02-01", {"street": {"iou.person": 0.80, "iou_stderr": 0.02}}),
]
"""An intersection over union of one class: which way is better is only assumed."""
SAVED: Final[dict[str, Json]] = {
    "approved-meanwhile": {"Versions": LINEAGE, "TotalCount": 3},
    "candidate-deleted": {"Versions": LINEAGE, "TotalCount": 3},
    "baseline-deleted": {"Versions": LINEAGE, "TotalCount": 3},
    "assumed": {"Versions": ASSUMED, "TotalCount": 2},
    "partial": {
        "Versions": [
            version(f"0.{minor}.0", f"2024-01-{minor:02}", {"meeting": {"cer": 0.2 - minor / 100}})
            | {"ApprovalStatus": "Approved" if minor < 10 else "Pending"}
            for minor in range(1, 11)
        ],
        "TotalCount": 15,
    },
}
"""By model name: a saved answer of ListModelVersions."""
WORDS: Final = ("Better", "Worse", "Trade-off", "Incomplete", "Too close", "Not comparable", "Policy", "checks")


class Served(NamedTuple):
    """A dashboard over the files, and a client of the registry that it shows."""

    url: str
    sdk: Client


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("saved")
    files = [folder / f"{name}.json" for name in SAVED]
    for file in files:
        file.write_text(json.dumps(SAVED[file.stem]), encoding="utf-8")
    with ExitStack() as running:
        url = running.enter_context(dashboard(folder, PAIVIEW_DATA=os.pathsep.join(map(str, files)))).url
        registry = running.enter_context(LocalRegistry(folder))
        yield Served(url, sdk_client(registry.endpoint, registry.access_key_id, registry.access_key_secret))


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def refresh(page: Page) -> None:
    page.locator(".st-key-refresh").get_by_role("button").click()


def copied_link(page: Page) -> str:
    page.locator(".st-key-copy button").first.click()
    body = page.get_by_test_id("stPopoverBody")
    link = body.get_by_test_id("stCode").first.inner_text().strip()
    # A run that is still under way would open it again.
    settled(page)
    page.keyboard.press("Escape")
    body.wait_for(state="hidden")
    return link


def test_what_the_rules_chose_follows_an_approval_and_a_copied_link_does_not(
    page: Page, browser: Browser, served: Served
) -> None:
    model = "model-approvedmeanwhile"
    opened(page, f"{served.url}/compare?model={model}")
    verdict = page.locator(".st-key-verdict")
    expect(verdict).to_contain_text("0.3.0 ○ Pending against 0.1.0 ✓ Approved · newest approved by creation")
    expect(verdict).to_contain_text("▲ Better")
    link = copied_link(page)
    named = query(page)
    assert parse_qs(urlsplit(link).query).keys() == {"model", "candidate", "baseline", "data"}

    served.sdk.update_model_version(model, "0.2.0", models.UpdateModelVersionRequest(approval_status="Approved"))
    refresh(page)
    expect(verdict).to_contain_text("0.3.0 ○ Pending against 0.2.0 ✓ Approved · newest approved by creation")
    expect(verdict).to_contain_text("▼ Worse")
    settled(page)
    assert query(page) == named == {"model": [model], "candidate": ["0.3.0"]}
    expect(page.get_by_test_id("stAlert")).to_have_count(0)

    other = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    opened(other, link)
    verdict = other.locator(".st-key-verdict")
    expect(verdict).to_contain_text("against 0.1.0 ✓ Approved · named by a link; the rules choose 0.2.0")
    expect(verdict).to_contain_text("▲ Better")
    assert "The baseline is 0.1.0; the rules choose 0.2.0 now." in region(other, "problem")
    # Beside the warning: the sidebar is folded away in a narrow window.
    other.locator(".st-key-problem").get_by_role("button", name="Compare with what the rules choose").click()
    expect(verdict).to_contain_text("against 0.2.0 ✓ Approved · newest approved by creation")
    expect(verdict).to_contain_text("▼ Worse")
    settled(other)
    assert "baseline" not in query(other)
    expect(other.get_by_test_id("stAlert")).to_have_count(0)
    other.context.close()


@pytest.mark.parametrize(
    ("model", "parameters", "deleted"),
    [
        ("model-candidatedeleted", "", "0.3.0"),
        ("model-baselinedeleted", "&candidate=0.3.0&baseline=0.2.0", "0.2.0"),
    ],
    ids=["candidate", "baseline"],
)
def test_a_version_deleted_meanwhile_gives_the_problem_and_no_verdict(
    page: Page, served: Served, model: str, parameters: str, deleted: str
) -> None:
    opened(page, f"{served.url}/compare?model={model}{parameters}")
    expect(page.locator(".st-key-verdict")).to_contain_text("0.3.0 ○ Pending against")
    served.sdk.delete_model_version(model, deleted, models.DeleteModelVersionRequest())
    refresh(page)
    expect(page.locator(".st-key-problem")).to_contain_text(f"{model} has no version {deleted}")
    settled(page)
    expect(page.locator(".st-key-verdict")).to_have_count(0)
    shown = page.get_by_test_id("stMain").inner_text()
    assert [word for word in WORDS if word in shown] == []


def test_one_click_confirms_an_assumed_direction_and_offers_the_lines_that_keep_it(page: Page, served: Served) -> None:
    opened(page, f"{served.url}/compare?model=model-assumed")
    verdict = page.locator(".st-key-verdict")
    expect(verdict).to_contain_text("▲ Better (assumed)")
    expect(verdict).to_contain_text("Policy undecided")
    expect(verdict).to_contain_text("1 question open")
    verdict.get_by_text("Direction assumed").click()
    expect(verdict.get_by_text("1 result where the direction is only assumed")).to_be_visible()
    lines = '[metrics."iou.person"]\ndirection = "higher"'
    expect(verdict.get_by_test_id("stCode")).to_have_text(lines)
    expect(page.get_by_text("Not judged: 1 result")).to_be_visible()

    page.get_by_role("button", name="Confirm for this session").click()
    expect(verdict).to_contain_text("Policy passes")
    expect(verdict).not_to_contain_text("assumed")
    expect(verdict).not_to_contain_text("question")
    expect(verdict).to_contain_text("▲ Better")
    expect(verdict).to_contain_text("Judged with what one reader set for iou.person")
    expect(page.locator(".st-key-assumed")).to_have_count(0)
    expect(page.get_by_test_id("stMain").get_by_test_id("stCode")).to_have_text(lines)


def test_a_part_that_was_saved_is_told_as_a_part_of_the_readers_own_file(page: Page, served: Served) -> None:
    for name in ("versions", "trends", "compare"):
        opened(page, f"{served.url}/{name}?model=model-partial")
        assert "a saved answer, 10 of 15 versions, read from partial.json" in source_text(page), name
        assert "published" not in source_text(page), name
        assert "5 versions not listed: a newer approved one may be among them" in region(page, "problem"), name
    verdict = page.locator(".st-key-verdict")
    expect(verdict).to_contain_text("0.10.0 ○ Pending against 0.9.0 ✓ Approved · newest approved by creation")
    expect(verdict).to_contain_text("Policy undecided")
    verdict.get_by_text("Listing incomplete").click()
    expect(verdict.get_by_text("10 of 15 versions are listed")).to_be_visible()

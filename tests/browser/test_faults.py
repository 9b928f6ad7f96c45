"""What a reader sees in the problem region when the service, or the way to it, fails; the page stays usable."""

import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.harness.dashboard import ROOT, dashboard, opened, region, settled
from tests.harness.server import Act, Reply, Request, Server, refusal, reply

pytestmark = pytest.mark.browser

SECRET: Final = "secret-that-no-page-may-show"
DEADLINE_SECONDS: Final = 5
"""More than the retries of a failing request wait together."""
VERSIONS: Final = {
    "Versions": [
        {"VersionName": f"0.{minor}.0", "GmtCreateTime": f"2024-01-0{minor}T00:00:00Z", "ApprovalStatus": "Pending"}
        for minor in (1, 2, 3)
    ],
    "TotalCount": 3,
}
SKIPPED: Final = "is not tried now: the last requests of its kind hung"
"""What a model that hangs gets once the pages of other tests, which list all models, have waited for it three times."""
HTML: Final = b"<!DOCTYPE html><html><body><script>document.title='owned'</script>Bad gateway</body></html>"
FAULTS: Final[dict[str, tuple[Reply, tuple[str, ...]]]] = {
    "model-wrong-secret": (
        refusal("SignatureDoesNotMatch", 400),
        ("SignatureDoesNotMatch", "R-SignatureDoesNotMatch"),
    ),
    "model-unknown-key": (
        refusal("InvalidAccessKeyId.NotFound", 404),
        ("InvalidAccessKeyId.NotFound", "R-InvalidAccessKeyId.NotFound"),
    ),
    "model-missing": (refusal("201900002", 404), ("201900002", "R-201900002")),
    "model-forbidden": (refusal("NoPermission", 403), ("NoPermission", "R-NoPermission")),
    "model-throttled": (refusal("Throttling.User", 400), ("Throttling.User", "R-Throttling.User")),
    "model-throttled-for-an-hour": (
        refusal("Throttling.User", 400, headers={"x-acs-retry-after": "3600000"}),
        ("Throttling.User", "R-Throttling.User"),
    ),
    "model-expired-token": (
        refusal("InvalidSecurityToken.Expired", 400),
        ("InvalidSecurityToken.Expired", "R-InvalidSecurityToken.Expired"),
    ),
    "model-clock-off": (refusal("InvalidTimeStamp.Expired", 400), ("InvalidTimeStamp.Expired", "clock")),
    "model-500": (refusal("InternalError", 500), ("InternalError", "R-InternalError")),
    "model-503-html": (reply(HTML, status=503), ("503",)),
    "model-html": (reply(HTML), ("a web page",)),
    "model-half-a-body": (reply(b'{"Versions": [', length=5000, then=Act.CLOSE), ("closed the connection",)),
    "model-half-a-json": (reply(b'{"Versions": ['), ("beginning",)),
    "model-reset": (reply(b'{"Versions": [', length=5000, then=Act.RESET), ("closed the connection",)),
    "model-hang": ((Act.HANG,), ("in time", "sent nothing more", "no complete response", SKIPPED)),
    "model-drip": (
        reply(b'{"Versions": [', length=5000, then=Act.DRIP),
        # The request's own deadline, or the reader's, which is as long.
        (f"no complete response within {DEADLINE_SECONDS} s", f"No answer came within {DEADLINE_SECONDS} s", SKIPPED),
    ),
}

Respond = Callable[[Request], Awaitable[Reply]]


class Service:
    """Lists a model for every fault; the first listing of ``model-fading`` succeeds and every later one fails."""

    def __init__(self) -> None:
        self.asked_for_fading = 0

    async def __call__(self, request: Request) -> Reply:
        match request.path.removeprefix("/api/v1/").split("/"):
            case ["models"]:
                models = [{"ModelId": name, "ModelName": name} for name in ("model-fading", *FAULTS)]
                return reply({"Models": models, "TotalCount": len(models)})
            case ["models", "model-fading", "versions"] if "ApprovalStatus" not in request.query:
                self.asked_for_fading += 1
                return reply(VERSIONS) if self.asked_for_fading == 1 else refusal("ServiceUnavailable", 503)
            case ["models", "model-fading", "versions"]:
                return reply({"Versions": [], "TotalCount": 0})
            case ["models", name, "versions"]:
                return FAULTS[name][0]
            case ["workspaces"]:
                return reply({"Workspaces": [], "TotalCount": 0})
            case _:
                return refusal("201900002", 404)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a dashboard whose service fails in a way of its own for each model."""
    with ExitStack() as running:
        service = running.enter_context(Server(Service()))
        yield running.enter_context(
            dashboard(
                tmp_path_factory.mktemp("failing"),
                PAIVIEW_ENDPOINT=service.url,
                PAIVIEW_DEADLINE=str(DEADLINE_SECONDS),
                PAIVIEW_READ_TIMEOUT="1",
                ALIBABA_CLOUD_ACCESS_KEY_ID="key-of-the-test",
                ALIBABA_CLOUD_ACCESS_KEY_SECRET=SECRET,
            )
        ).url


@pytest.mark.parametrize("model", FAULTS)
def test_a_fault_is_told_plainly_and_the_page_stays_usable(page: Page, failing: str, model: str) -> None:
    opened(page, f"{failing}/versions?model={model}")
    told = region(page, "problem")
    assert any(said in told for said in FAULTS[model][1]), told
    if "R-" in FAULTS[model][1][-1]:
        assert all(said in told for said in FAULTS[model][1])
    assert "Traceback" not in page.content()
    assert SECRET not in page.content()
    assert page.title() != "owned"
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)
    expect(page.locator(".st-key-model input")).to_have_value(model)
    page.locator(".st-key-menu").get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()


def test_the_last_good_answer_stays_with_its_age_when_a_refresh_fails(page: Page, failing: str) -> None:
    opened(page, f"{failing}/versions?model=model-fading")
    names = page.locator(".st-key-versions-table tbody td:first-child")
    expect(names).to_have_text(["0.3.0 ›", "0.2.0 ›", "0.1.0 ›"])
    page.locator(".st-key-refresh").get_by_role("button").click()
    expect(page.locator(".st-key-problem")).to_contain_text("reading it again failed")
    settled(page)
    assert "ServiceUnavailable" in region(page, "problem")
    assert "R-ServiceUnavailable" in region(page, "problem")
    expect(names).to_have_text(["0.3.0 ›", "0.2.0 ›", "0.1.0 ›"])


def test_a_page_that_shows_a_failure_recovers_by_itself(page: Page, tmp_path: Path) -> None:
    down = True

    async def respond(request: Request) -> Reply:
        match request.path.removeprefix("/api/v1/").split("/"):
            case ["models", _, "versions"] if down:
                return refusal("ServiceUnavailable", 503)
            case ["models", _, "versions"]:
                return reply(VERSIONS)
            case ["models"]:
                return reply({"Models": [{"ModelId": "model-a"}], "TotalCount": 1})
            case _:
                return reply({"Workspaces": [], "TotalCount": 0})

    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    with Server(respond) as service, dashboard(tmp_path, PAIVIEW_ENDPOINT=service.url, **keys) as served:
        opened(page, f"{served.url}/versions?model=model-a")
        assert "R-ServiceUnavailable" in region(page, "problem")
        down = False
        names = page.locator(".st-key-versions-table tbody td:first-child")
        expect(names).to_have_text(["0.3.0 ›", "0.2.0 ›", "0.1.0 ›"], timeout=30_000)
        problems = page.get_by_test_id("stAlert")
        expect(problems).to_have_count(0)
        down = True
        settled(page).locator(".st-key-refresh").get_by_role("button").click()
        expect(problems).to_contain_text("reading it again failed")
        expect(names).to_have_text(["0.3.0 ›", "0.2.0 ›", "0.1.0 ›"])
        down = False
        expect(problems).to_have_count(0, timeout=30_000)
        expect(names).to_have_text(["0.3.0 ›", "0.2.0 ›", "0.1.0 ›"])


def test_a_missing_credential_names_the_variables(page: Page, tmp_path: Path) -> None:
    with dashboard(tmp_path, PAIVIEW_ENDPOINT="http://127.0.0.1:9", HOME=str(tmp_path)) as served:
        opened(page, served.url)
        told = region(page, "problem")
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in told
    assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET" in told


def test_nothing_listening_at_the_endpoint_is_told(page: Page, tmp_path: Path) -> None:
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    with dashboard(tmp_path, PAIVIEW_ENDPOINT="http://127.0.0.1:9", PAIVIEW_DEADLINE="2", **keys) as served:
        opened(page, served.url)
        assert "No connection could be made to 127.0.0.1" in region(page, "problem")


def test_a_wrong_region_is_told(page: Page, tmp_path: Path) -> None:
    """The name of the region is not a host label that could exist, so no name server is asked for long."""
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    with dashboard(tmp_path, PAIVIEW_REGION="cn-nowhere", PAIVIEW_DEADLINE="2", **keys) as served:
        opened(page, served.url)
        told = region(page, "problem")
    assert "aiworkspace.cn-nowhere.aliyuncs.com" in told


def test_a_wrong_setting_ends_the_start_with_a_sentence() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "paiview", "dashboard"],
        cwd=ROOT,
        env={"PATH": "", "PAIVIEW_PAGE_SIZE": "lots"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: PAIVIEW_PAGE_SIZE ")
    assert ended.stderr.count("\n") == 1

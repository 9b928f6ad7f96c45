"""The real dashboard in a process of its own, and a real browser to look at it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.harness import chromium
from tests.harness.dashboard import LOOPBACK, dashboard

Start = Callable[..., str]
TIMEOUT_MILLISECONDS: Final = 60_000
"""How long a browser test waits for what a page has to show: two browsers share two cores, which may be slow."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a dashboard of the test's own, with these settings in its environment."""
    with ExitStack() as running:
        yield lambda **settings: running.enter_context(dashboard(tmp_path, **settings)).url


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a dashboard over the embedded registry, shared by the tests that only read."""
    with dashboard(tmp_path_factory.mktemp("dashboard")) as served:
        yield served.url


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, closed before the tests of other folders run: while it is open, its event loop is the thread's."""
    with sync_playwright() as playwright:
        path = chromium.ready()
        yield playwright.chromium.launch(executable_path=path, args=list(chromium.ARGUMENTS))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a new profile. The test fails when the page asks another host for anything, or a script of it fails."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    expect.set_options(timeout=TIMEOUT_MILLISECONDS)
    foreign: list[str] = []
    failed: list[str] = []
    context.on("request", lambda request: _note_foreign(request.url, foreign))
    opened = context.new_page()
    opened.on("pageerror", lambda error: failed.append(str(error)))
    yield opened
    context.close()
    assert foreign == []
    assert failed == []


def _note_foreign(url: str, foreign: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.hostname != LOOPBACK:
        foreign.append(url)

"""The real dashboard in a process of its own, and a page of it in a real browser."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple
from urllib.error import URLError
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

ROOT: Final = Path(__file__).resolve().parents[2]
START: Final = 60.0
"""Seconds a dashboard may take to answer after its start."""
LOOPBACK: Final = "127.0.0.1"


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class Served(NamedTuple):
    """A dashboard that answers; ``log`` is the file of all that it has written."""

    url: str
    process_id: int
    log: Path


@contextmanager
def dashboard(data_dir: Path, **settings: str) -> Iterator[Served]:
    """Run the dashboard of this checkout, from another folder, while the context is open."""
    settings = {"PYTHONPATH": str(ROOT), "PAIVIEW_DATA_DIR": str(data_dir), **settings}
    with started([sys.executable, "-m", "paiview"], data_dir, settings) as served:
        yield served


@contextmanager
def started(paiview: Sequence[str | Path], folder: Path, settings: Mapping[str, str]) -> Iterator[Served]:
    """Run the dashboard while the context is open.

    Args:
        paiview: the command.
        folder: the current folder of the process.
        settings: environment variables; no other ``PAIVIEW_`` variable is set.
    """
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAIVIEW_")}
    # A file: a pipe that nobody reads would stop the process once it has written 64 kB.
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = subprocess.Popen(
            [*paiview, "dashboard", "--port", str(port)],
            cwd=folder,
            env={**environment, **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        url = f"http://{LOOPBACK}:{port}"
        try:
            _await(url, process)
            yield Served(url, process.pid, Path(log.name))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START)
            said = Path(log.name).read_text(encoding="utf-8", errors="replace")
            assert "Traceback" not in said, said


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert process.poll() is None, "The dashboard ended instead of answering."
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5).close()  # noqa: S310 - the URL is of this process
        except (URLError, ConnectionError, TimeoutError):
            # A pause that ends at once when the process does.
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        else:
            return
    raise AssertionError(f"The dashboard did not answer within {START:g} s.")


def settled(page: Page) -> Page:
    """Wait until the page's script has run, everything it sent is drawn, and what was opened has unfolded.

    A list in a part that is still unfolding does not open.
    """
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid="stApp"]');
            return app && app.dataset.testScriptState === 'notRunning'
                && app.dataset.testConnectionState === 'CONNECTED'
                && !document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')
                && document.getAnimations().every(one =>
                    one instanceof CSSTransition || one instanceof CSSAnimation || one.playState !== 'running');
        }"""
    )
    return page


def opened(page: Page, url: str) -> Page:
    page.goto(url)
    page.get_by_test_id("stApp").wait_for()
    return settled(page)


def back_to(page: Page, path: str) -> None:
    """Press Back until the page is there: Streamlit gives what a page writes into the URL entries of its own."""
    for _ in range(3):
        before = page.url
        page.go_back()
        page.wait_for_function("before => location.href !== before", arg=before)
        settled(page)
        if urlsplit(page.url).path == path:
            return
    raise AssertionError(f"Three presses of Back lead to {page.url}, not to {path}.")


def region(page: Page, key: str) -> str:
    """The text of a region or control."""
    return page.locator(f".st-key-{key}").inner_text()


def source_text(page: Page) -> str:
    """What the page says of where its data came from, which is opened and closed again."""
    page.locator(".st-key-source button").click()
    body = page.get_by_test_id("stPopoverBody")
    # Streamlit loads the code that draws Markdown after the popover has opened.
    expect(body).to_have_text(re.compile("read .+ ago"))
    text = body.inner_text()
    page.keyboard.press("Escape")
    body.wait_for(state="hidden")
    return text

"""Find an installed Chromium or Chrome for the browser tests, else install one.

``python -m tests.harness.chromium`` prints its path. It looks for an installed browser, then installs Debian's
``chromium`` package when it runs as root on a machine with apt, then asks playwright for its own; else it ends with a
sentence. A browser test is never skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def installed() -> str | None:
    """The path of a browser on this machine, playwright's own last."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found:
        return found
    place = next((place for place in PLACES if Path(place).is_file()), None)
    if place:
        return place
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


def ready() -> str:
    """The path of a browser, installed first where there is none.

    Raises:
        SystemExit: there is none and none could be installed.
    """
    attempts: list[list[list[str]]] = []
    if os.name == "posix" and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        attempts.append(
            [["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]]
        )
    attempts.append([[sys.executable, "-m", "playwright", "install", "chromium"]])
    for commands in attempts:
        path = installed()
        if path:
            return path
        for command in commands:
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            if subprocess.run(command, stdout=sys.stderr, env=environment, check=False).returncode:
                break
    path = installed()
    if path:
        return path
    raise SystemExit("The browser tests need Chromium or Chrome: none is installed and none could be installed here.")


if __name__ == "__main__":
    sys.stdout.write(f"{ready()}\n")

"""Find the programs these tests need besides paiview (nginx, Redis and curl), or install Debian's packages.

``python -m tests.cluster.packages`` does so as root on a machine with apt; else it ends with a sentence. The services
that the packages bring are not started: the tests start programs of their own, on free ports.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PROGRAMS: Final = ("nginx", "redis-server", "curl")
"""Debian names each package after its program."""
_SYSTEM: Final = "/usr/sbin:/usr/local/sbin"
"""Where Debian keeps servers; it is on the PATH of root alone."""
_POLICY: Final = Path("/usr/sbin/policy-rc.d")
"""What Debian asks before a package starts its service; 101 is no."""


def program(name: str) -> str | None:
    """The path of a program, if it is installed."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM}")


def ready() -> None:
    """Install what is missing.

    Raises:
        SystemExit: something is missing and could not be installed.
    """
    if packages := _missing():
        if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            with _no_services():
                for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
                    subprocess.run(["apt-get", "-qq", *command], stdout=sys.stderr, env=environment, check=False)
        if packages := _missing():
            raise SystemExit(f"make test-cluster needs {', '.join(packages)}, which could not be installed here.")


def _missing() -> list[str]:
    return [name for name in PROGRAMS if program(name) is None]


@contextmanager
def _no_services() -> Iterator[None]:
    """Let no package start its service, unless the machine has its own rules."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


if __name__ == "__main__":
    ready()

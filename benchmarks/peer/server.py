"""A server of MLflow, filled with the versions of an answer, in a process group of its own."""

import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple
from urllib.error import URLError

from tests.harness.dashboard import LOOPBACK, ROOT, free_port

PYTHON: Final = ROOT / ".venv" / "mlflow" / "bin" / "python"
"""Made by ``make bench``."""
START: Final = 120.0
"""Seconds the server may take to answer after its start."""


class Peer(NamedTuple):
    """An MLflow that answers. ``group`` is the process group of the server, its workers and its job runners."""

    url: str
    group: int


@contextmanager
def mlflow(folder: Path, answer: Path) -> Iterator[Peer]:
    """Start ``mlflow server`` as its documentation does, on SQLite, and fill it.

    Args:
        folder: an empty one, for the store and the files of models.
        answer: what ListModelVersions answers, as JSON.
    """
    url = f"http://{LOOPBACK}:{free_port()}"
    command = [str(PYTHON), "-m", "mlflow", "server", "--host", LOOPBACK, "--port", url.rpartition(":")[2]]
    places = ["--backend-store-uri", f"sqlite:///{folder}/store.db", "--artifacts-destination", f"{folder}/artifacts"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, *places], cwd=folder, env=_environment(), stdout=log, stderr=log, start_new_session=True
        )
    try:
        _await(url, process)
        run("seed", url, str(folder), str(answer))
        yield Peer(url, process.pid)
    finally:
        # The job runners are not the server's children and outlive it.
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run(module: str, *arguments: str) -> str:
    """Run a module of this package in MLflow's environment: what it writes.

    Raises:
        RuntimeError: it failed.
    """
    command = [str(PYTHON), "-m", f"benchmarks.peer.{module}", *arguments]
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed in MLflow's environment: {done.stderr[-500:]}")
    return done.stdout


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true"}


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(int(START / 0.2)):
        if process.poll() is not None:
            break
        with suppress(URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"{url}/health", timeout=5).close()  # noqa: S310 - the URL is of this process
            return
        # A pause that ends at once when the process does.
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    raise RuntimeError("MLflow's server did not answer")

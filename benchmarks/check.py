"""``python -m paiview check`` as a CI job calls it: a process of its own, from start to answer, against 1.5 s."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.frames import answer
from benchmarks.report import Row

VERSIONS = 100
ROUNDS = 5
BOUND = 1.5
"""Seconds a check may take, of which the median of some rounds counts."""
CANDIDATE = "0.99.0"
"""The newest of the versions, which is Pending and about as good as the Approved one before it: it passes."""
SETTINGS = ("PAIVIEW_", "ALIBABA_CLOUD_")


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, registry(Path(folder), VERSIONS) as environment:
        seconds = statistics.median(_seconds(environment) for _ in range(ROUNDS))
    name = f"check, {VERSIONS} versions, start to answer, to 1.5 s"
    return [Row(name, f"{seconds:.2f} s", seconds / BOUND, 1.0, at_most=True)]


def _seconds(environment: Mapping[str, str]) -> float:
    command = [sys.executable, "-m", "paiview", "check", "model-bench", CANDIDATE]
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise RuntimeError(f"check ended with {done.returncode}, not 0: {done.stderr}")
    return seconds


@contextmanager
def registry(folder: Path, versions: int) -> Iterator[dict[str, str]]:
    """Serve so many versions of a model called ``model-bench`` from a process of its own.

    Yields:
        An environment that has no settings but those of the server.
    """
    data = folder / "bench.json"
    data.write_text(json.dumps({"Versions": answer(versions), "TotalCount": versions}), encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)} | {"HOME": str(folder)}
    command = [sys.executable, "-m", "paiview", "local", "--data", str(data), "--data-dir", str(folder / "registry")]
    with subprocess.Popen(command, env=plain, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise RuntimeError("the server has no pipe")
            exports = (process.stdout.readline().strip().removeprefix("export ") for _ in range(3))
            yield plain | dict(line.split("=", 1) for line in exports)
        finally:
            process.terminate()

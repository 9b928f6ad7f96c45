"""What grows with the versions of a model: a refresh, memory, what other processes take over, and a rerun."""

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.frames import answer
from benchmarks.listing import server
from benchmarks.paged_server import MODEL
from benchmarks.report import Row
from benchmarks.rerun import cpu
from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
from paiview.pai.objects import ModelVersion
from paiview.registry.shared_format import pack_body, read_body
from paiview.server.app import GC_THRESHOLD_OBJECTS
from tests.harness.dashboard import dashboard
from tests.harness.sessions import Session

FEW: Final = 1_000
MANY: Final = 10_000
RERUNS: Final = 20
MEMORY: Final = """
import gc, json, sys
from benchmarks.frames import answer
from paiview.evaluation.frames import build
from paiview.pai.objects import ModelVersion

def memory():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * 4096

build([ModelVersion.model_validate(item) for item in answer(10)])
text = json.dumps(answer(int(sys.argv[1])))
before = memory()
versions = [ModelVersion.model_validate(item) for item in json.loads(text)]
frames = build(versions)
print((memory() - before) / 2**20)
"""
"""Prints the MB that a listing and its frames take; in a process of its own, for freed memory is used again."""


def run() -> list[Row]:
    # As the dashboard sets it: a search for garbage of the default kind would be most of what a refresh costs.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    return [*_refresh(), *_shared(), _memory(), *_reruns()]


def _refresh() -> list[Row]:
    credentials = StaticCredentials("key", "secret")
    with server() as port, Client(f"http://127.0.0.1:{port}", credentials, concurrency=8) as client:
        whole = _process_time(lambda: client.list_all_model_versions(MODEL))
        known = client.list_all_model_versions(MODEL).items
        few = _process_time(lambda: client.refresh_model_versions(MODEL, known))
        if client.refresh_model_versions(MODEL, known) is None:
            raise RuntimeError("three pages left doubt about a listing that has not changed")
    told = f"{few * 1000:.0f} ms of CPU and 3 requests, whole {whole * 1000:.0f} ms and {MANY // 50}"
    return [Row(f"refresh of {MANY:,} unchanged versions to reading them", told, few / whole, 0.1, at_most=True)]


def _shared() -> list[Row]:
    items = answer(MANY)
    packed = pack_body("identity", items)
    if packed is None:
        raise RuntimeError("the listing is too large to be shared")
    pack = _process_time(lambda: pack_body("identity", items))
    read = _process_time(lambda: [ModelVersion.model_validate(item) for item in read_body(packed, "identity")])
    size = len(packed) / len(json.dumps(items))
    told = f"{len(packed) / 2**20:.2f} MB, written in {pack * 1000:.0f} ms and read in {read * 1000:.0f} ms of CPU"
    return [Row(f"{MANY:,} versions in the shared cache to their JSON", told, size, 0.1, at_most=True)]


def _memory() -> Row:
    few, many = (
        float(subprocess.check_output([sys.executable, "-c", MEMORY, str(count)], text=True)) for count in (FEW, MANY)
    )
    slope = (many - few) / (MANY - FEW) * 1000
    told = f"{slope:.1f} MB a further 1,000; {many:.0f} MB at {MANY:,}"
    return Row(f"memory of {MANY:,} versions to ten times {FEW:,}", told, many / (few * MANY / FEW), 2.5, at_most=True)


def _reruns() -> list[Row]:
    few, many = (asyncio.run(_costs(count)) for count in (FEW, MANY))
    return [
        Row(
            f"rerun of {page}, {MANY:,} versions to {FEW:,}",
            f"{many[page] * 1000:.1f} and {few[page] * 1000:.1f} ms of CPU",
            many[page] / few[page],
            3.0,
            at_most=True,
        )
        for page in few
    ]


async def _costs(versions: int) -> dict[str, float]:
    """Seconds of CPU that a rerun of each page costs a warm server."""
    costs = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "bench.json")
        data.write_text(json.dumps({"Versions": answer(versions), "TotalCount": versions}), encoding="utf-8")
        with dashboard(Path(folder), PAIVIEW_DATA=str(data), PAIVIEW_CACHE_TTL="3600") as served:
            for page in ("versions", "trends", "compare"):
                async with Session(served.url) as session:
                    await session.open(page, model="model-bench")
                    await session.rerun()
                    before = cpu(served.process_id)
                    for _ in range(RERUNS):
                        await session.rerun()
                    costs[page] = (cpu(served.process_id) - before) / RERUNS
    return costs


def _process_time(work: Callable[[], object]) -> float:
    """Seconds of CPU of the second of two rounds."""
    for _ in range(2):
        start = time.process_time()
        work()
        seconds = time.process_time() - start
    return seconds

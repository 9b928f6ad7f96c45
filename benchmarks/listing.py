"""Listing 10,000 versions, 50 a page, 30 ms a page: against the official SDK's page loop, and against the bound."""

import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.paged_server import LATENCY, PAGE_SIZE, VERSIONS, pages
from benchmarks.report import Row
from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
from paiview.pai.objects import ModelVersion
from paiview.pai.responses import parse_json
from paiview.server.app import GC_THRESHOLD_OBJECTS

CONCURRENCY = 8
ROUNDS = 3
"""Rounds of ours, of which the quickest counts; the SDK's loop takes many seconds and has one."""


def run() -> list[Row]:
    # As the dashboard sets it, for the SDK's loop as well.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    bodies = pages()
    with server() as port:
        listing = min(_listing(port) for _ in range(ROUNDS))
        loop = _sdk_loop(port)
    parsing = min(_parsing(bodies) for _ in range(ROUNDS))
    bound = len(bodies) * LATENCY / CONCURRENCY + parsing
    return [
        Row(
            f"listing {VERSIONS:,} versions, SDK to ours",
            f"{listing:.2f} s, page loop of the SDK {loop:.2f} s",
            loop / listing,
            5,
            at_most=False,
            peer=True,
        ),
        Row(
            f"listing {VERSIONS:,} versions, ours to the bound",
            f"{listing:.2f} s, latency and parsing ({parsing:.2f} s) {bound:.2f} s",
            listing / bound,
            1.5,
            at_most=True,
        ),
    ]


@contextmanager
def server(latency: float = LATENCY) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.paged_server", str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the server has no pipes")
        yield int(process.stdout.readline())
        process.stdin.close()


def _listing(port: int) -> float:
    with Client(
        f"http://127.0.0.1:{port}",
        StaticCredentials("key", "secret"),
        page_size=PAGE_SIZE,
        concurrency=CONCURRENCY,
    ) as client:
        start = time.perf_counter()
        listing = client.list_all_model_versions("model-1")
        seconds = time.perf_counter() - start
    _check(len(listing.items))
    return seconds


def _sdk_loop(port: int) -> float:
    from alibabacloud_aiworkspace20210204.client import Client as Sdk  # noqa: PLC0415 - takes a second to import
    from alibabacloud_aiworkspace20210204.models import ListModelVersionsRequest  # noqa: PLC0415
    from alibabacloud_tea_openapi.models import Config  # noqa: PLC0415

    sdk = Sdk(
        Config(access_key_id="key", access_key_secret="secret", endpoint=f"127.0.0.1:{port}", protocol="HTTP")  # noqa: S106
    )
    start = time.perf_counter()
    versions: list[Any] = []
    total = 1
    while len(versions) < total:
        number = len(versions) // PAGE_SIZE + 1
        body = sdk.list_model_versions(
            "model-1", ListModelVersionsRequest(page_number=number, page_size=PAGE_SIZE)
        ).body
        versions += body.versions
        total = body.total_count
    seconds = time.perf_counter() - start
    _check(len(versions))
    return seconds


def _parsing(bodies: list[bytes]) -> float:
    start = time.perf_counter()
    versions = [ModelVersion.model_validate(item) for body in bodies for item in parse_json(body)["Versions"]]
    seconds = time.perf_counter() - start
    _check(len(versions))
    return seconds


def _check(count: int) -> None:
    if count != VERSIONS:
        raise RuntimeError(f"{count} versions came, not {VERSIONS}")

"""Requests that are given up, at whatever step: their callers and slots are free at once, their connections soon."""

import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import pytest

from paiview.pai.errors import DeadlineError, PermissionDeniedError, UnreachableError
from tests.harness.server import WAIT_SECONDS, Act, Reply, Request, Responder, refusal, reply, script
from tests.pai.conftest import Connect, Serve

DEADLINE_SECONDS: Final = 0.3
LONG_SECONDS: Final = 6 * WAIT_SECONDS
GOOD: Final = reply({"Models": [], "TotalCount": 0})
STALLED: Final[dict[str, Reply]] = {
    "silent": (Act.HANG,),
    "dripping head": (b"HTTP/1.1 200 OK\r\nX-Slow: ", Act.DRIP),
    "silent body": reply(b"{", length=99, then=Act.HANG),
    "dripping body": reply(b"{", length=10**6, then=Act.DRIP),
}
KEPT: Final = {"kept": {}, "new": {"Connection": "close"}}
"""Headers of the response before the stalled one: the latter comes over the same connection, or over a new one."""


def stalling(stalled: Reply, headers: dict[str, str]) -> Responder:
    """Answers every second request, and stalls at the others."""
    return script(*[reply({"Models": [], "TotalCount": 0}, headers=headers), stalled] * 4, GOOD)


@pytest.mark.parametrize("headers", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("stalled", STALLED.values(), ids=STALLED)
def test_a_stalled_request_ends_at_its_deadline(
    stalled: Reply, headers: dict[str, str], serve: Serve, connect: Connect
) -> None:
    client = connect(
        serve(stalling(stalled, headers)).url, concurrency=1, deadline=DEADLINE_SECONDS, read_timeout=LONG_SECONDS
    )
    for _ in range(3):
        assert client.list_models().total_count == 0
        began = time.monotonic()
        with pytest.raises(DeadlineError, match=f"no complete response within {DEADLINE_SECONDS:g} s"):
            client.list_models()
        assert DEADLINE_SECONDS <= time.monotonic() - began < DEADLINE_SECONDS + WAIT_SECONDS


@pytest.mark.parametrize("headers", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("name", [name for name in STALLED if name != "dripping head"])
def test_a_stalled_request_leaves_no_connection_behind(
    name: str, headers: dict[str, str], serve: Serve, connect: Connect
) -> None:
    server = serve(stalling(STALLED[name], headers))
    client = connect(server.url, concurrency=2, deadline=DEADLINE_SECONDS, read_timeout=2 * DEADLINE_SECONDS)
    for _ in range(4):
        client.list_models()
        with pytest.raises(DeadlineError):
            client.list_models()
    client.list_models()
    # The one that the next request would use.
    assert server.has_connections(1)
    assert client.list_models().total_count == 0
    assert server.has_connections(1)


def test_retries_do_not_prolong_the_deadline(serve: Serve, connect: Connect) -> None:
    server = serve(script((Act.CLOSE,), refusal("ServiceUnavailable", 503), (Act.HANG,)))
    client = connect(server.url, deadline=DEADLINE_SECONDS, read_timeout=LONG_SECONDS)
    with pytest.raises(DeadlineError, match="Last attempt: ListModels was answered with ServiceUnavailable"):
        client.list_models()
    assert len(server.requests) == 3


def test_no_attempt_follows_the_deadline(serve: Serve, connect: Connect) -> None:
    server = serve(script((Act.HANG,)))
    client = connect(server.url, deadline=DEADLINE_SECONDS, read_timeout=2 * DEADLINE_SECONDS)
    with pytest.raises(DeadlineError):
        client.list_models()
    assert server.has_connections(0)
    client.close()  # Waits for the thread of the request.
    assert len(server.requests) == 1


def test_a_listing_that_fails_frees_the_slots_of_its_other_pages(serve: Serve, connect: Connect) -> None:
    waiting = threading.Event()

    async def respond(request: Request) -> Reply:
        if "PageNumber" not in request.query:
            return reply({"ModelId": "model-a"})
        match request.page:
            case 1:
                return reply({"Models": [{"ModelId": "a"}], "TotalCount": 9})
            case 2:
                waiting.set()
                return (Act.HANG,)
            case _:
                return refusal("NoPermission", 403) if waiting.is_set() else (Act.CLOSE,)

    client = connect(serve(respond).url, concurrency=2, deadline=LONG_SECONDS, read_timeout=LONG_SECONDS)
    for _ in range(3):
        with pytest.raises(PermissionDeniedError):
            client.list_all_models()
    assert client.get_model("model-a").model_id == "model-a"


def test_close_fails_callers_at_once_and_leaves_no_connection(serve: Serve, connect: Connect) -> None:
    server = serve(script((Act.HANG,)))
    client = connect(server.url, concurrency=2, deadline=LONG_SECONDS, read_timeout=0.5)
    with ThreadPoolExecutor(6) as threads:
        calls: list[Future[Any]] = [threads.submit(client.list_models) for _ in range(6)]  # Four wait for a slot.
        assert server.has_requests(2)
        client.close()
        for call in calls:
            with pytest.raises(UnreachableError, match="has been closed"):
                call.result(WAIT_SECONDS)
    assert server.has_connections(0)
    assert len(server.requests) == 2


def test_a_request_that_hangs_does_not_keep_the_process(serve: Serve) -> None:
    server = serve(script((Act.HANG,)))
    code = f"""
import threading
from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
client = Client("{server.url}", StaticCredentials("id", "secret"), deadline=60, read_timeout=60)
threading.Thread(target=client.list_models, daemon=True).start()
input()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert server.has_requests(1)
        _, errors = process.communicate(b"\n", WAIT_SECONDS)
    assert (process.returncode, errors) == (0, b"")

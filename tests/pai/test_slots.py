"""Who gets a slot: a model that hangs, or that many ask for, delays no other."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from paiview.pai import transport
from paiview.pai.errors import DeadlineError
from tests.harness.server import Act, Reply, Request, reply
from tests.pai.conftest import Connect, Serve


async def hanging_or_not(request: Request) -> Reply:
    name = request.path.rpartition("/")[2]
    return (Act.HANG,) if name == "model-hung" else reply({"ModelId": name})


def test_a_model_that_hangs_leaves_slots_to_the_others(serve: Serve, connect: Connect) -> None:
    client = connect(serve(hanging_or_not).url, concurrency=2, deadline=2.0)
    with ThreadPoolExecutor(20) as threads:
        hung = [threads.submit(client.get_model, "model-hung") for _ in range(20)]
        for number in range(5):
            assert client.get_model(f"model-{number}").model_id == f"model-{number}"
        assert not any(future.done() for future in hung)
        assert all(isinstance(future.exception(), DeadlineError) for future in hung)


def test_models_get_free_slots_in_turn(serve: Serve, connect: Connect) -> None:
    order: list[str] = []
    opened = {"model-a": threading.Event(), "model-b": threading.Event()}

    async def respond(request: Request) -> Reply:
        model, _, name = request.path.removeprefix("/api/v1/models/").partition("/versions/")
        order.append(f"{model} {name}")
        if name == "first":
            await asyncio.to_thread(opened[model].wait)
        return reply({"VersionName": name})

    server = serve(respond)
    client = connect(server.url, concurrency=1)
    with ThreadPoolExecutor(8) as threads:
        held = [threads.submit(client.get_model_version, model, "first") for model in ("model-a", "model-b")]
        assert server.has_requests(2)
        others = []
        for model, name in (("model-a", "second"), ("model-a", "third"), ("model-c", "only")):
            waiting = sum(map(len, client._transport._waiting.values()))
            others.append(threads.submit(client.get_model_version, model, name))
            while sum(map(len, client._transport._waiting.values())) == waiting:
                pass
        # Both slots are taken, and only that of model-a becomes free.
        opened["model-a"].set()
        assert [future.result().version_name for future in others] == ["second", "third", "only"]
        opened["model-b"].set()
        assert [future.result().version_name for future in held] == ["first", "first"]
    assert order[2:] == ["model-a second", "model-c only", "model-a third"]


def test_a_model_that_hung_is_skipped_and_tried_again(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "BREAK_SECONDS", 3600.0)
    hangs = [True]

    async def respond(request: Request) -> Reply:
        return (Act.HANG,) if hangs[0] and "model-hung" in request.path else reply({"ModelId": "model-hung"})

    server = serve(respond)
    client = connect(server.url, concurrency=2, deadline=0.2)
    for _ in range(transport.MAX_TIMEOUTS):
        with pytest.raises(DeadlineError, match="got no complete response"):
            client.get_model("model-hung")
    assert client.broken_models == 1
    asked = len(server.requests)
    with pytest.raises(DeadlineError, match="is not tried now"):
        client.get_model("model-hung")
    assert len(server.requests) == asked
    assert client.get_model("model-fine").model_id == "model-hung"
    hangs[0] = False
    monkeypatch.setattr(transport, "BREAK_SECONDS", 0.0)
    assert client.get_model("model-hung").model_id == "model-hung"
    assert client.broken_models == 0

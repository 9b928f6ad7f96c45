"""What the server does at the start, on a signal and when a page fails, and its settings of Streamlit."""

import asyncio
import signal
import socket
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
import stamina
import uvicorn
from streamlit.testing.v1 import AppTest

from paiview.pai import transport
from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
from paiview.registry.connection import shared_read_observers
from paiview.server import telemetry
from paiview.server.app import app_arguments, end_unread_connections
from tests.harness.dashboard import free_port
from tests.harness.server import Server, refusal, reply, script
from tests.server.test_telemetry import samples

SETTINGS = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"


def failing_page() -> None:
    from paiview.server.app import app_arguments  # noqa: PLC0415 - AppTest runs this function as a script of its own

    assert app_arguments()["on_script_error"](ZeroDivisionError("s3cr3t"))


def test_a_failed_page_shows_a_sentence_without_details_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    before = samples("paiview_script_errors")["_total",]
    app = AppTest.from_function(failing_page).run()
    [message] = [error.value for error in app.error]
    assert message.startswith("This page failed")
    assert "s3cr3t" not in message
    assert not app.exception
    assert samples("paiview_script_errors")["_total",] == before + 1
    assert "s3cr3t" in caplog.text


def test_streamlit_shows_no_error_details_accepts_no_files_and_serves_no_folder() -> None:
    settings = tomllib.loads(SETTINGS.read_text("utf-8"))
    assert (
        settings["client"].items()
        >= {
            "allowedOrigins": [],
            "showErrorDetails": "none",
            "showErrorLinks": False,
            "toolbarMode": "minimal",
        }.items()
    )
    assert (
        settings["server"].items()
        >= {
            "address": "127.0.0.1",
            "enableAgentApi": False,
            "enableCORS": True,
            "enableStaticServing": False,
            "enableXsrfProtection": True,
        }.items()
    )
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["logger"]["enableRich"] is False


def test_a_shared_cache_without_its_client_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIVIEW_CACHE_URL", "redis://:s3cr3t@cache.example.com")
    assert app_arguments()
    monkeypatch.setattr("paiview.server.app.find_spec", lambda _name: None)
    with pytest.raises(SystemExit) as ended:
        app_arguments()
    assert ended.value.code == (
        "paiview: PAIVIEW_CACHE_URL needs the package redis: pip install 'paiview[shared-cache]'."
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("page_size = 0", "page_size must be greater than or equal to 1."),
        ("[metrics.cer]\nrelative = -1", "[metrics.cer] relative must be greater than or equal to 0."),
    ],
)
def test_an_unusable_file_stops_the_start_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("paiview.toml").write_text(content)
    with pytest.raises(SystemExit) as caught:
        app_arguments()
    assert caught.value.code == f"paiview: paiview.toml: {problem}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_stopping_and_reaches_the_handler_of_the_server(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(transport, "observers", set())
    received: list[int] = []

    def server_handler(number: int, _frame: object) -> None:
        received.append(number)

    before = signal.signal(number, server_handler)
    try:
        settings = app_arguments()
        [guard] = settings["middleware"]

        async def serve() -> None:
            async with settings["lifespan"](None):
                assert not guard.kwargs["stopping"].is_set()
                signal.raise_signal(number)
                assert guard.kwargs["stopping"].is_set()

        asyncio.run(serve())
        assert received == [number]
        assert signal.getsignal(number) is server_handler
    finally:
        signal.signal(number, before)
        telemetry.watch(tuple, tuple)


def test_a_connection_whose_client_reads_nothing_ends() -> None:
    port, sent_all = free_port(), threading.Event()

    async def send_much(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(200):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        sent_all.set()

    async def serve() -> None:
        server = uvicorn.Server(uvicorn.Config(send_much, port=port, log_level="critical", lifespan="off"))
        serving = asyncio.create_task(server.serve())
        await end_unread_connections(server, timeout_seconds=1.0)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            # What is sent over a connection that has ended is thrown away, so that the application goes on.
            assert await asyncio.to_thread(sent_all.wait, 20)
            assert not server.server_state.connections
        server.should_exit = True
        await serving

    asyncio.run(serve())


def test_shared_reads_are_counted() -> None:
    async def serve() -> None:
        async with app_arguments()["lifespan"](None):
            assert telemetry.shared_read in shared_read_observers

    asyncio.run(serve())


def test_a_retry_is_counted_and_writes_no_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(transport, "observers", set())
    stamina.instrumentation.set_on_retry_hooks(None)

    def counted() -> list[float]:
        found = samples("paiview_pai_requests")
        return [found.get(("_total", "ListModels", outcome), 0.0) for outcome in ("Unavailable", "Ok")]

    # After the error SignatureNonceUsed the client retries at once.
    answers = script(refusal("SignatureNonceUsed", 400), reply({"Models": [], "TotalCount": 0, "RequestId": "R-good"}))

    async def serve() -> None:
        async with app_arguments()["lifespan"](None):
            with Server(answers) as pai, Client(pai.url, StaticCredentials("key", "secret")) as client:
                await asyncio.to_thread(client.list_models)

    unavailable, good = counted()
    try:
        asyncio.run(serve())
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
        telemetry.watch(tuple, tuple)
    assert counted() == [unavailable + 1, good + 1]
    assert [record.getMessage() for record in caplog.records] == []

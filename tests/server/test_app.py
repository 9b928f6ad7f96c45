"""What the server around the pages tells when a page fails, and the settings of Streamlit it relies on."""

import asyncio
import signal
import tomllib
from pathlib import Path

import pytest
import stamina
from streamlit.testing.v1 import AppTest

from paiview.pai import transport
from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
from paiview.server import telemetry
from paiview.server.app import app_arguments
from tests.harness.server import Server, refusal, reply, script
from tests.server.test_telemetry import samples

SETTINGS = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"


def failing_page() -> None:
    from paiview.server.app import app_arguments  # noqa: PLC0415 - the script of a page stands alone

    assert app_arguments()["on_script_error"](ZeroDivisionError("s3cr3t"))


def test_a_failed_page_says_so_calmly_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    before = samples("paiview_script_errors")["_total",]
    app = AppTest.from_function(failing_page).run()
    [said] = [error.value for error in app.error]
    assert said.startswith("This page failed")
    assert "s3cr3t" not in said
    assert not app.exception
    assert samples("paiview_script_errors")["_total",] == before + 1
    assert "s3cr3t" in caplog.text


def test_streamlit_shows_no_details_takes_no_files_and_serves_no_folder() -> None:
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
def test_who_serves_hears_that_the_process_is_to_end_and_so_does_the_server(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(transport, "observers", set())
    heard: list[int] = []

    def server_hears(received: int, _frame: object) -> None:
        heard.append(received)

    before = signal.signal(number, server_hears)
    try:
        settings = app_arguments()
        [edge] = settings["middleware"]

        async def serve() -> None:
            async with settings["lifespan"](None):
                assert not edge.kwargs["ending"].is_set()
                signal.raise_signal(number)
                assert edge.kwargs["ending"].is_set()

        asyncio.run(serve())
        assert heard == [number]
        assert signal.getsignal(number) is server_hears
    finally:
        signal.signal(number, before)
        telemetry.watch(tuple, tuple)


def test_a_retry_is_counted_and_writes_no_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(transport, "observers", set())
    stamina.instrumentation.set_on_retry_hooks(None)

    def counted() -> list[float]:
        found = samples("paiview_pai_requests")
        return [found.get(("_total", "ListModels", outcome), 0.0) for outcome in ("Unavailable", "Ok")]

    # After a nonce that was used the next try follows at once.
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

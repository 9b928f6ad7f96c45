"""Pages in Streamlit's test runner, over a service whose responses the test writes."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from paiview.registry import connection
from paiview.registry.connection import disconnect
from paiview.ui.verdict_view import NOTE_MARK
from tests.harness.dashboard import ROOT
from tests.harness.server import Server
from tests.harness.service import CREDENTIALS, Service, version


@pytest.fixture
def service() -> Service:
    """A service with one model, ``model-asr``, and three of its versions."""
    return Service(
        models=[{"ModelId": "model-asr", "ModelName": "asr", "WorkspaceId": "7", "Task": "speech"}],
        versions={
            "model-asr": [
                version(
                    "0.1.0",
                    "2024-01-01",
                    {"d-aishell": {"cer": 0.05, "rtf": 0.2}, "d-meeting": {"cer": 0.2}},
                    ApprovalStatus="Approved",
                    VersionDescription="first",
                ),
                version("0.2.0", "2024-02-01", {"d-aishell": {"cer": 0.06}}, ApprovalStatus="Rejected"),
                version("0.10.0", "2024-03-01", {"d-aishell": {"cer": 0.04}, "d-meeting": {"cer": 0.21}}),
            ]
        },
        datasets=[{"DatasetId": "d-aishell", "Name": "AISHELL-1"}],
    )


Run = Callable[..., AppTest]


@pytest.fixture
def run(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a page with query parameters, over ``service``."""
    st.cache_resource.clear()
    st.cache_data.clear()
    # The pages of an earlier module may have connected again after it had ended.
    disconnect()
    with ExitStack() as running:
        server = running.enter_context(Server(service))
        running.callback(disconnect)
        monkeypatch.setenv("PAIVIEW_ENDPOINT", server.url)
        monkeypatch.setenv("PAIVIEW_DEADLINE", "5")
        # The official credential chain reads its variables once a process, so these tests replace it.
        monkeypatch.setattr(connection, "from_chain", lambda: CREDENTIALS)

        def start(page: str, /, **parameters: str | list[str]) -> AppTest:
            app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
            for name, value in parameters.items():
                app.query_params[name] = value
            app.switch_page(f"pages/{page}.py").run()
            assert [item.value for item in app.exception] == []
            return app

        yield start


def reported(app: AppTest) -> str:
    """The errors and warnings of the page and the notes of its verdict, a line each."""
    notes = [item.value.removeprefix(f"{NOTE_MARK} ") for item in app.caption if item.value.startswith(NOTE_MARK)]
    return "\n".join([*(item.value for item in (*app.error, *app.warning)), *notes])


def unescaped(markdown: str) -> str:
    """A text as the reader sees it."""
    plain = re.sub(r":[a-z]+(?:-badge)?\[([^\]]*)\]", r"\1", markdown).replace("**", "")
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", plain.replace("\N{WORD JOINER}", ""))


def page_text(app: AppTest) -> str:
    """All Markdown texts of the page, a line each."""
    return "\n".join(str(item.value) for item in (*app.title, *app.header, *app.subheader, *app.markdown, *app.caption))

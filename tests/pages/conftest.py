"""The pages run by Streamlit's own test runner, over a service the test writes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from paiview.pai.credentials import StaticCredentials
from paiview.registry import connection
from paiview.registry.connection import disconnect
from tests.pai.server import Reply, Request, Server, refusal, reply

ROOT: Final = Path(__file__).resolve().parents[2]
CREDENTIALS: Final = StaticCredentials("key", "secret-that-no-page-may-show")
Json = dict[str, Any]


def version(name: str, created: str, results: dict[str, Json] | None = None, **fields: Any) -> Json:
    """A ModelVersion; ``results`` is dataset to metric to value."""
    items = [{"Dataset": {"DatasetId": dataset}, "Metrics": values} for dataset, values in (results or {}).items()]
    return {
        "VersionName": name,
        "GmtCreateTime": f"{created}T00:00:00Z",
        "ApprovalStatus": "Pending",
        "Metrics": {"Results": items},
        **fields,
    }


@dataclass
class Service:
    """Answers like PAI with what the test put in; filters are recorded, not applied, except ApprovalStatus."""

    models: list[Json] = field(default_factory=list)
    versions: dict[str, list[Json]] = field(default_factory=dict)
    datasets: list[Json] = field(default_factory=list)
    workspaces: list[Json] = field(default_factory=list)
    refusals: dict[str, Reply] = field(default_factory=dict)
    """Path to the answer it gets in place of the data."""
    requests: list[Request] = field(default_factory=list)

    async def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        if request.path in self.refusals:
            return self.refusals[request.path]
        match request.path.removeprefix("/api/v1/").split("/"):
            case ["models"]:
                return _page(request, "Models", self.models)
            case ["models", model, "versions"] if model in self.versions:
                status = request.query.get("ApprovalStatus")
                kept = [item for item in self.versions[model] if status in (None, item.get("ApprovalStatus"))]
                return _page(request, "Versions", kept[::-1] if request.query.get("Order") == "DESC" else kept)
            case ["models", model, "versions", name]:
                found = [item for item in self.versions.get(model, []) if item["VersionName"] == name]
                return reply({"RequestId": "R-good", **found[0]}) if found else refusal("201900003", 404, "It is gone.")
            case ["datasets"]:
                return _page(request, "Datasets", self.datasets)
            case ["workspaces"]:
                return _page(request, "Workspaces", self.workspaces)
            case _:
                return refusal("201900002", 404, "It does not exist.")

    def asked(self, path: str) -> list[dict[str, str]]:
        """The queries that came for a path."""
        return [request.query for request in self.requests if request.path == f"/api/v1/{path}"]


def _page(request: Request, name: str, items: Sequence[Json]) -> Reply:
    size = int(request.query["PageSize"])
    start = (request.page - 1) * size
    return reply({name: items[start : start + size], "TotalCount": len(items), "RequestId": "R-good"})


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
    """Runs a page with these query parameters, over ``service``."""
    st.cache_resource.clear()
    st.cache_data.clear()
    with ExitStack() as running:
        server = running.enter_context(Server(service))
        running.callback(disconnect)
        monkeypatch.setenv("PAIVIEW_ENDPOINT", server.url)
        monkeypatch.setenv("PAIVIEW_DEADLINE", "5")
        # The official chain reads its variables only once a process, so these tests do without it.
        monkeypatch.setattr(connection, "from_chain", lambda: CREDENTIALS)

        def start(page: str, /, **parameters: str | list[str]) -> AppTest:
            app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
            for name, value in parameters.items():
                app.query_params[name] = value
            app.switch_page(f"pages/{page}.py").run()
            assert [item.value for item in app.exception] == []
            return app

        yield start


def told(app: AppTest) -> str:
    """Everything the page reports in its problem region."""
    return "\n".join(item.value for item in (*app.error, *app.warning))


def written(app: AppTest) -> str:
    """Every text of the page that is Markdown."""
    return "\n".join(str(item.value) for item in (*app.title, *app.subheader, *app.markdown, *app.caption))

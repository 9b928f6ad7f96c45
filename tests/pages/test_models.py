"""Models: the models of a workspace, and their versions that wait for review."""

import asyncio
import threading
from typing import NoReturn

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import StopException

from paiview.pai.objects import Model
from paiview.registry import connection
from paiview.registry.connection import connect, disconnect
from paiview.settings import Settings
from paiview.ui import model_list
from tests.harness.server import Reply, Request, Server, refusal
from tests.harness.service import CREDENTIALS, Service, version
from tests.pages.conftest import Run, page_text, reported

WAIT = 10.0


@pytest.fixture
def service(service: Service) -> Service:
    service.models += [
        {
            "ModelId": "model-tts",
            "ModelName": "tts",
            "Task": "synthesis",
            "Domain": "audio",
            "GmtCreateTime": "2024-05-01T00:00:00.000Z",
            "LatestVersion": {"VersionName": "1.0.0"},
        },
        {"ModelId": "model-vad", "ModelName": "vad", "ModelDescription": "Silence, found", "Domain": "audio"},
    ]
    service.versions |= {"model-tts": [version("1.0.0", "2024-05-02", ApprovalStatus="Approved")], "model-vad": []}
    return service


def names(run: Run, **parameters: str) -> list[str]:
    app = run("models", **parameters)
    links = [link.proto for link in app.get("page_link")]
    return [link.query_string.removeprefix("model=") for link in links if link.label.startswith(":primary[**")]


def test_the_url_searches_filters_and_sorts(run: Run) -> None:
    assert names(run, sort="name") == ["model-asr", "model-tts", "model-vad"]
    assert names(run, sort="-name") == ["model-vad", "model-tts", "model-asr"]
    assert names(run, q="SILENCE") == ["model-vad"]
    assert names(run, task="synthesis") == ["model-tts"]
    assert names(run, domain="audio", sort="name") == ["model-tts", "model-vad"]
    assert names(run, q="nothing like it") == []


def test_wrong_choices_are_named_and_ignored(run: Run) -> None:
    app = run("models", sort="backwards", task="cooking", workspace="99")
    for wrong in ("sort = backwards", "task = cooking", "workspace = 99"):
        assert wrong in reported(app)
    assert len([link for link in app.get("page_link") if "**" in link.proto.label]) == 3


def test_the_queue_holds_the_pending_versions_and_each_row_its_counts(run: Run, service: Service) -> None:
    app = run("models", sort="name")
    assert app.get("page_link")[4].proto.query_string == "model=model-asr&candidate=0.10.0"
    assert "Trade-off: better on 1, worse on 1, missing 1 against 0.1.0" in page_text(app).replace("\\", "")
    counts = [item.value.replace("\u00a0", " ") for item in app.markdown if "Rejected" in item.value]
    assert counts == [
        "○ **1** Pending · ✓ **1** Approved · ✕ **1** Rejected",
        "○ **0** Pending · ✓ **1** Approved · ✕ **0** Rejected",
        "○ **0** Pending · ✓ **0** Approved · ✕ **0** Rejected",
    ]
    assert "1 version of the 3 models below is Pending" in page_text(app)
    statuses = [query.get("ApprovalStatus") for query in service.asked("models/model-asr/versions")]
    assert statuses[:3] == ["Pending", "Approved", "Rejected"]


def test_the_queue_says_where_a_verdict_has_a_warning(run: Run, service: Service) -> None:
    service.models.append({"ModelId": "model-overtaken", "ModelName": "zz"})
    service.versions["model-overtaken"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.20}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d": {"cer": 0.15}}),
        version("0.3.0", "2024-03-01", {"d": {"cer": 0.10}}, ApprovalStatus="Approved"),
    ]
    text = page_text(run("models", sort="name")).replace("\\", "")
    assert "Better: better on 1 against 0.1.0 · with a warning" in text
    assert text.count("with a warning") == 1


def test_the_queue_says_where_a_baseline_is_not_approved(run: Run, service: Service) -> None:
    service.models.append({"ModelId": "model-rejected", "ModelName": "zz"})
    service.versions["model-rejected"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.20}}, ApprovalStatus="Rejected"),
        version("0.2.0", "2024-02-01", {"d": {"cer": 0.15}}),
    ]
    text = page_text(run("models", sort="name")).replace("\\", "")
    assert "Better: better on 1 against 0.1.0 · with a warning" in text


def test_a_model_without_a_newest_version_has_no_link_to_one(run: Run, service: Service) -> None:
    service.models.append({"ModelId": "model-later", "ModelName": "zz"})
    service.versions["model-later"] = [version("0.1.0", "2024-01-01", {"d": {"cer": 0.20}})]
    app = run("models", sort="name", q="zz")
    assert "**1**\N{NO-BREAK SPACE}Pending" in page_text(app)
    assert "No version" not in page_text(app)


def test_statuses_are_read_only_for_the_models_on_this_page(run: Run, service: Service) -> None:
    service.models += [{"ModelId": f"model-{number}", "ModelName": f"zz{number:02}"} for number in range(20)]
    service.versions |= {f"model-{number}": [] for number in range(20)}
    run("models", sort="name")
    asked = {request.path.split("/")[4] for request in service.requests if request.path.endswith("/versions")}
    assert asked == {"model-asr", "model-tts", "model-vad", *(f"model-{number}" for number in range(7))}


def test_a_model_that_cannot_be_read_does_not_hide_the_others(run: Run, service: Service) -> None:
    service.refusals["/api/v1/models/model-tts/versions"] = refusal("NoPermission", 403)
    app = run("models")
    failed = [item.value for item in app.caption if "could not be read" in item.value]
    assert len(failed) == 1
    assert "NoPermission" in failed[0]
    assert "R\\-NoPermission" in failed[0]
    assert len([item for item in app.markdown if "\u00a0Rejected" in item.value]) == 2


def test_a_workspace_narrows_the_listing_on_the_wire(run: Run, service: Service) -> None:
    service.workspaces = [{"WorkspaceId": "7", "WorkspaceName": "speech"}, {"WorkspaceId": "8"}]
    run("models", workspace="7")
    assert service.asked("models")[-1]["WorkspaceId"] == "7"


def test_without_permission_to_list_workspaces_the_page_works(run: Run, service: Service) -> None:
    service.refusals["/api/v1/workspaces"] = refusal("NoPermission", 403)
    app = run("models")
    assert reported(app) == ""
    assert "WorkspaceId" not in service.asked("models")[-1]


def test_no_models_say_what_to_do_next(run: Run, service: Service) -> None:
    service.models.clear()
    app = run("models")
    assert any("No models" in item.value for item in app.info)
    assert "0 of 0 models" in page_text(app)


def test_refresh_reads_the_models_again(run: Run, service: Service) -> None:
    app = run("models")
    service.models[0]["ModelName"] = "renamed"
    assert "**asr**" in str([link.proto.label for link in app.run().get("page_link")])
    app.button(key="refresh").click().run()
    assert "**renamed**" in str([link.proto.label for link in app.get("page_link")])


def test_a_stopped_run_waits_for_no_status_and_reads_no_more(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run holds the script lock when Streamlit stops it."""
    gate, left = threading.Event(), threading.Event()

    async def slow(request: Request) -> Reply:
        answer = await service(request)
        if "/model-asr/" not in request.path:
            await asyncio.to_thread(gate.wait, WAIT)
        return answer

    def leave(*_arguments: object) -> NoReturn:
        raise StopException

    def visit() -> None:
        try:
            model_list.draw_reviews(source, shown, st.container(), places)
        except StopException:
            left.set()

    monkeypatch.setattr(connection, "from_chain", lambda: CREDENTIALS)
    ids = ("model-asr", *(f"model-{number}" for number in range(9)))
    shown = [Model.model_validate({"ModelId": model_id}) for model_id in ids]
    places = [st.empty() for _ in shown]
    monkeypatch.setattr(places[0], "markdown", leave)
    before = set(threading.enumerate())
    with Server(slow) as pai:
        source = connect(Settings(endpoint=pai.url))
        run = threading.Thread(target=visit)
        run.start()
        try:
            assert left.wait(WAIT / 2)
        finally:
            gate.set()
            run.join()
            for thread in set(threading.enumerate()) - before:
                if thread.name.startswith("ThreadPoolExecutor"):
                    thread.join()
            disconnect()
    asked = {request.path.split("/")[4] for request in service.requests}
    assert len(asked) <= 1 + model_list._MAX_PARALLEL_READS

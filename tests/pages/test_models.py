"""Models: the models of a workspace, and their versions that wait for review."""

import asyncio
import threading
from typing import NoReturn

import pandas as pd
import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from paiview.decisions.contracts import Contracts
from paiview.pai.objects import Model
from paiview.registry import connection, review_queue
from paiview.registry.connection import connect, disconnect
from paiview.settings import Settings
from paiview.ui import model_list
from tests.harness.server import Reply, Request, Server, refusal
from tests.harness.service import CREDENTIALS, Service, version
from tests.pages.conftest import Run, page_text, reported, unescaped

WAIT = 10.0
ASSUMED = "custom_wer"
"""A metric whose direction is assumed from its name."""


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


def cards(app: AppTest) -> list[str]:
    """The ModelIds of the cards, in order."""
    links = [link.proto for link in app.get("page_link")]
    return [
        link.query_string.removeprefix("model=")
        for link in links
        if link.label.startswith(":primary[**") and "candidate" not in link.query_string
    ]


def names(run: Run, **parameters: str) -> list[str]:
    return cards(run("models", **parameters))


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
    assert len(cards(app)) == 3


def queue_table(app: AppTest) -> pd.DataFrame:
    [table] = [item.value for item in app.dataframe if "verdict" in item.value]
    return table


def overtaken(service: Service) -> None:
    """Add a model with a version that waits and is older than what is approved."""
    service.models.append({"ModelId": "model-overtaken", "ModelName": "zz"})
    service.versions["model-overtaken"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.20}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d": {"cer": 0.15}}),
        version("0.3.0", "2024-03-01", {"d": {"cer": 0.10}}, ApprovalStatus="Approved"),
    ]


def test_the_queue_holds_the_pending_versions_and_each_card_its_counts(run: Run, service: Service) -> None:
    app = run("models", sort="name")
    assert "1 waiting for review" in page_text(app)
    [row] = queue_table(app).to_dict("records")
    assert list(row["verdict"]) == ["▲▼ Trade-off"]
    assert row["version"] == "0.10.0 ›"
    assert (row["model"], row["against"], row["on"]) == ("asr", "0.1.0", "d-meeting · cer")
    assert list(row["policy"]) == ["✕ fails"]
    assert (row["better"], row["worse"], row["missing"]) == (1, 1, 1)
    assert row["worst"] == pytest.approx(-5.0)
    assert row["created"] == pd.Timestamp("2024-03-01", tz="UTC")
    [review] = [link.proto for link in app.get("page_link") if "Review" in link.proto.label]
    assert review.query_string == "model=model-asr&candidate=0.10.0"
    badges = [
        item.value for item in app.markdown if "yellow-badge[○ 0" in item.value or "yellow-badge[○ 1" in item.value
    ]
    counts = [line for text in badges for line in text.split("\n\n") if "badge" in line]
    assert counts == [
        ":yellow-badge[○ 1] :green-badge[✓ 1] :gray-badge[✕ 1]",
        ":yellow-badge[○ 0] :green-badge[✓ 1] :gray-badge[✕ 0]",
        ":yellow-badge[○ 0] :green-badge[✓ 0] :gray-badge[✕ 0]",
    ]
    statuses = [query.get("ApprovalStatus") for query in service.asked("models/model-asr/versions")]
    assert statuses[:3] == ["Pending", "Approved", "Rejected"]


def test_what_is_older_than_the_approved_version_waits_only_on_request(run: Run, service: Service) -> None:
    overtaken(service)
    app = run("models")
    assert queue_table(app)["model"].tolist() == ["asr"]
    assert [item.label for item in app.toggle] == ["Also 1 older than what is approved"]
    app = run("models", superseded="true")
    assert queue_table(app)["model"].tolist() == ["zz", "asr"]
    assert "2 waiting for review" in page_text(app)


def test_the_queue_says_where_a_verdict_has_a_warning(run: Run, service: Service) -> None:
    """A newer version is approved, or the baseline is not approved."""
    overtaken(service)
    service.models.append({"ModelId": "model-rejected", "ModelName": "yy"})
    service.versions["model-rejected"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.20}}, ApprovalStatus="Rejected"),
        version("0.2.0", "2024-02-01", {"d": {"cer": 0.15}}),
    ]
    table = queue_table(run("models", superseded="true"))
    chips = {row["model"]: list(row["verdict"]) for row in table.to_dict("records")}
    assert chips == {"zz": ["▲ Better", "!"], "yy": ["▲ Better", "!"], "asr": ["▲▼ Trade-off"]}


def test_the_queue_says_where_a_verdict_rests_on_an_assumed_direction(run: Run, service: Service) -> None:
    service.models.append({"ModelId": "model-guess", "ModelName": "zz"})
    service.versions["model-guess"] = [
        version("0.1.0", "2024-01-01", {"d": {ASSUMED: 0.20}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d": {ASSUMED: 0.15}}),
    ]
    table = queue_table(run("models", q="zz"))
    assert list(table["verdict"].iloc[0])[1:] == ["? assumed"]
    assert list(table["policy"].iloc[0]) == ["? undecided"]


def test_the_queue_shows_only_the_verdicts_that_the_link_asks_for(run: Run, service: Service) -> None:
    overtaken(service)
    app = run("models", superseded="true", verdict=["better", "incomplete"])
    assert queue_table(app)["model"].tolist() == ["zz"]
    assert "2 waiting for review" in page_text(app)
    pills = app.get("button_group")[0].proto
    assert [option.content for option in pills.options] == ["▲ 1 better", "▲▼ 1 trade\\-off", "○ 0 incomplete"]
    assert "verdict = best" in reported(run("models", verdict="best"))


def test_the_filters_choose_the_models_of_the_queue_too(run: Run, service: Service) -> None:
    overtaken(service)
    app = run("models", superseded="true", task="speech")
    assert queue_table(app)["model"].tolist() == ["asr"]
    assert "1 of 4 models" in page_text(app)
    assert chips(app) == ["Task speech"]
    app.button(key="clear-filters").click().run()
    assert queue_table(app)["model"].tolist() == ["zz", "asr"]
    assert chips(app) == []


def chips(app: AppTest) -> list[str]:
    """The active filters, as the page names them above what they filter."""
    return [unescaped(button.label) for button in app.button if (button.key or "").startswith("chip-")]


@pytest.mark.parametrize(
    ("key", "value", "parameter", "sent"),
    [
        ("provider", "PAI", "Provider", "pai"),
        ("model_name", '"asr"', "ModelName", '"asr"'),
        ("model_type", "lora", "ModelType", "LoRA"),
        ("origin", "HuggingFace", "Origin", "HuggingFace"),
        ("model_label", "label=team=speech", "Label", "speech"),
        ("tag", "a=b", "Tag", '[{"Key":"a","Value":"b"}]'),
        ("collections", "QuickStart", "Collections", "QuickStart"),
        ("query", "speech", "Query", "speech"),
        (
            "conditions",
            "ParameterSize<3000",
            "Conditions",
            '[{"Column":"ParameterSize","Operator":"LessThan","Value":"3000"}]',
        ),
    ],
)
def test_a_filter_of_models_that_pai_applies_is_part_of_the_request(
    run: Run, service: Service, key: str, value: str, parameter: str, sent: str
) -> None:
    app = run("models", **{key: value})
    assert reported(app) == ""
    assert sent in [query.get(parameter) for query in service.asked("models")]
    assert len(chips(app)) == 1
    app.button(key="chip-0").click().run()
    assert chips(app) == []
    assert [query.get(parameter) for query in service.asked("models")].count(None) >= 1


def test_public_models_are_listed_without_the_workspace(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIVIEW_WORKSPACE_ID", "7")
    run("models", provider="pai")
    [query] = [query for query in service.asked("models") if "Provider" in query]
    assert "WorkspaceId" not in query


def test_models_that_no_filter_admits_offer_to_clear_the_filters(run: Run) -> None:
    app = run("models", q="nothing like it")
    assert "0 of 3 models pass the filters" in page_text(app)
    app.button(key="clear-filters-here").click().run()
    assert len(cards(app)) == 3


def test_nothing_waits(run: Run, service: Service) -> None:
    app = run("models", q="tts")
    assert "Nothing waits for review" in page_text(app)
    assert app.dataframe == []


def test_the_oldest_are_counted_and_not_judged(run: Run, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_queue, "MAX_JUDGED", 2)
    service.versions["model-asr"] += [version(f"1.{day}.0", f"2024-04-{day:02}") for day in range(10, 15)]
    app = run("models")
    assert len(queue_table(app)) == 2
    assert "6 waiting for review" in page_text(app)
    assert "4 older are not judged here" in page_text(app)


def test_names_of_the_service_stay_text(run: Run, service: Service) -> None:
    name = "1.0.0_[x](https://a.example)\u202e"
    service.versions["model-asr"].append(version(name, "2024-05-01", {"d-aishell": {"cer": 0.01}}))
    app = run("models")
    [shown] = [text for text in queue_table(app)["version"] if "1.0.0_" in text]
    assert "\u202e" not in shown
    assert "](https://a.example)" not in page_text(app)
    assert "](https://a.example)" not in "".join(link.proto.label for link in app.get("page_link"))


def test_a_model_without_a_newest_version_has_no_link_to_one(run: Run, service: Service) -> None:
    newest = [
        link.proto.query_string for link in run("models", sort="name").get("page_link") if "newest" in link.proto.label
    ]
    assert newest == ["model=model-asr&candidate=0.10.0", "model=model-tts&candidate=1.0.0"]


def test_models_without_a_card_are_in_the_queue_and_listed_only_where_something_waits(
    run: Run, service: Service
) -> None:
    service.models += [{"ModelId": f"model-{number}", "ModelName": f"zz{number:02}"} for number in range(20)]
    service.versions |= {f"model-{number}": [] for number in range(20)}
    service.versions["model-19"] = [version("1.0.0", "2024-01-01", {"d": {"cer": 0.20}})]
    app = run("models", sort="name")
    assert queue_table(app)["model"].tolist() == ["asr", "zz19"]
    listed = {
        request.path.split("/")[4]
        for request in service.requests
        if request.path.endswith("/versions") and "ApprovalStatus" not in request.query
    }
    assert listed == {"model-asr", "model-tts", "model-vad", *(f"model-{number}" for number in range(9)), "model-19"}


def test_a_bounded_number_of_models_is_asked_about(run: Run, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_list, "MAX_MODELS", 1)
    service.models += [{"ModelId": f"model-{number}", "ModelName": f"zz{number:02}"} for number in range(20)]
    service.versions |= {f"model-{number}": [] for number in range(20)}
    assert "11 models are left out" in page_text(run("models", sort="name"))


def test_a_model_that_cannot_be_read_does_not_hide_the_others(run: Run, service: Service) -> None:
    service.refusals["/api/v1/models/model-tts/versions"] = refusal("NoPermission", 403)
    app = run("models")
    failed = [item.value for item in app.markdown if "could not be read" in item.value]
    assert len(failed) == 1
    assert "NoPermission" in failed[0]
    assert "R\\-NoPermission" in failed[0]
    assert len([item for item in app.markdown if ":green-badge[✓" in item.value and "Approved" not in item.value]) == 2
    assert queue_table(app)["model"].tolist() == ["asr"]
    assert "1 model is left out" in page_text(app)


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
    assert [item.value for item in app.info] == [
        "There are no models here. Register one in PAI, or choose another workspace."
    ]
    assert "pass the filters" not in page_text(app)


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
        if "/models/" in request.path and "/model-asr/" not in request.path:
            await asyncio.to_thread(gate.wait, WAIT)
        return answer

    def leave(*_arguments: object) -> NoReturn:
        raise StopException

    def visit() -> None:
        try:
            model_list.read_models(source, shown, shown, Contracts(), empty_cards)
        except StopException:
            left.set()

    monkeypatch.setattr(connection, "from_chain", lambda: CREDENTIALS)
    ids = ("model-asr", *(f"model-{number}" for number in range(9)))
    shown = [Model.model_validate({"ModelId": model_id}) for model_id in ids]
    empty_cards = [model_list.Card(st.empty(), st.container(), st.container()) for _ in shown]
    monkeypatch.setattr(empty_cards[0].facts, "markdown", leave)
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
    asked = {request.path.split("/")[4] for request in service.requests if "/models/" in request.path}
    assert len(asked) <= 1 + model_list._MAX_PARALLEL_READS

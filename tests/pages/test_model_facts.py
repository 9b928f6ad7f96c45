"""What PAI says of a model: in the head of its pages, on its card, and the way to its approval."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from paiview.registry.connection import disconnect
from tests.harness.service import Service, version
from tests.pages.conftest import Run, page_text, unescaped

FIELDS: dict[str, Any] = {
    "ModelDescription": "Speech in Mandarin.\n\n**The rule** of the statuses: every fifth version.",
    "ModelDoc": "https://docs.example/asr.md",
    "Provider": "pai",
    "Origin": "ModelScope",
    "ModelType": "Checkpoint",
    "ParameterSize": 1550,
    "Accessibility": "PRIVATE",
    "Domain": "audio",
    "OrderNumber": 3,
    "UserId": "20030",
    "OwnerId": "10030",
    "Tags": [{"Key": "language", "Value": "zh"}],
    "Labels": [{"Key": "language", "Value": "zh"}, {"Key": "team", "Value": "asr"}],
    "ExtraInfo": {"Rating": 4.5, "api_key": "canary"},
    "NewField": "later",
    "GmtCreateTime": "2024-01-01T00:00:00.000Z",
}


@pytest.fixture(autouse=True)
def _described(service: Service) -> None:
    service.models[0] |= FIELDS


def opened(app: AppTest) -> AppTest:
    app.session_state["about-model"] = True
    return app.run()


def rows(app: AppTest) -> dict[str, str]:
    table = next(frame.value for frame in app.dataframe if list(frame.value.columns) == ["field", "value"])
    return dict(zip(table["field"], table["value"], strict=True))


def links(app: AppTest) -> dict[str, str]:
    return {link.proto.label: link.proto.url for link in app.get("link_button")}


@pytest.mark.parametrize("page", ["versions", "trends", "compare"])
def test_every_field_of_a_model_is_in_the_head_of_its_pages(run: Run, page: str) -> None:
    app = run(page, model="model-asr")
    assert not any("field" in frame.value.columns for frame in app.dataframe)
    opened(app)
    assert rows(app) == {
        "Provider": "pai",
        "Origin": "ModelScope",
        "ModelType": "Checkpoint",
        "ParameterSize": "1,550 million",
        "Domain": "audio",
        "Task": "speech",
        "Accessibility": "PRIVATE",
        "OrderNumber": "3",
        "Created": "2024-01-01T00:00:00.000Z",
        "Tag language": "zh",
        "Label team": "asr",
    }
    assert [text.value for text in app.text] == [FIELDS["ModelDescription"]]
    assert {"model-asr", "7", "20030", "10030", FIELDS["ModelDoc"]} <= {code.value for code in app.code}
    assert links(app)["Open it at docs\\.example"] == FIELDS["ModelDoc"]
    assert {"Rating": 4.5, "api_key": "••••"} in [json.loads(tree.value) for tree in app.json]
    assert {"NewField": "later"} in [json.loads(tree.value) for tree in app.json]


def test_a_document_that_is_no_address_is_text(run: Run, service: Service) -> None:
    service.models[0]["ModelDoc"] = "# asr\n[click](javascript:x) password=canary"
    app = opened(run("versions", model="model-asr"))
    assert "# asr\n[click](javascript:x) password=••••" in [text.value for text in app.text]
    assert not any("Open it" in label for label in links(app))


def test_a_card_says_provider_and_type(run: Run) -> None:
    assert "speech · audio · pai · Checkpoint" in unescaped(page_text(run("models")))


def test_a_candidate_that_waits_leads_to_its_approval(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Approve in PAI ↗" not in links(run("compare", model="model-asr"))
    monkeypatch.setenv("PAIVIEW_REGION", "cn-beijing")
    workspace = "https://pai.console.aliyun.com/?regionId=cn-beijing&workspaceId=7#/workspace/overview"
    service.versions["model-asr"].append(version("1.0.0", "2024-04-01", {"d-aishell": {"cer": 0.03}}))

    disconnect()
    app = run("compare", model="model-asr", candidate="1.0.0")
    assert links(app)["Approve in PAI ↗"] == workspace
    (link,) = [link for link in app.get("link_button") if "PAI" in link.proto.label]
    assert "AI Asset Management, Models, asr" in link.proto.help
    assert links(run("compare", model="model-asr", candidate="0.2.0"))["Open in PAI ↗"] == workspace
    (version_link,) = [label for label in links(run("versions", model="model-asr", version="1.0.0")) if "PAI" in label]
    assert version_link == "Approve in PAI ↗"


def test_the_models_to_choose_from_stand_as_on_the_page_of_models(run: Run, service: Service) -> None:
    service.models += [
        {"ModelId": "model-old", "ModelName": "old", "GmtModifiedTime": "2023-01-01T00:00:00Z"},
        {"ModelId": "model-new", "ModelName": "new", "GmtLatestVersionModifiedTime": "2025-01-01T00:00:00Z"},
    ]
    service.models[0]["GmtModifiedTime"] = "2024-01-01T00:00:00Z"
    service.versions |= {"model-old": [], "model-new": []}
    app = run("versions")
    assert app.title[0].value == "new"
    assert app.selectbox("model").options == ["new", "asr", "old"]

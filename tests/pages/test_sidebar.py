"""The sidebar of filters, what of a page other pages keep, and the choice of a model."""

import re
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from tests.harness.service import Service, version
from tests.pages.conftest import Run, page_text, reported, unescaped


@pytest.fixture(autouse=True)
def _others(service: Service) -> None:
    """Two more models, with versions of the names that ``model-asr`` has."""
    service.models += [
        {"ModelId": "model-other", "ModelName": "other", "WorkspaceId": "7"},
        {"ModelId": "model-third", "ModelName": "third", "WorkspaceId": "7"},
    ]
    service.versions["model-other"] = [
        version("0.1.0", "2025-01-01", {"d-aishell": {"cer": 0.05}}, ApprovalStatus="Rejected"),
        version("0.2.0", "2025-01-02", {"d-aishell": {"cer": 0.05}}, ApprovalStatus="Approved"),
        version("0.10.0", "2025-01-03", {"d-aishell": {"cer": 0.04}}, ApprovalStatus="Rejected"),
        version("0.11.0", "2025-01-04", {"d-aishell": {"cer": 0.03}}),
    ]
    service.versions["model-third"] = [version("0.1.0", "2025-01-01", {"d-aishell": {"cer": 0.05}})]


def sides(app: AppTest) -> tuple[str, str]:
    """The candidate, and the baseline with the reason for it, as the page names them."""
    (line,) = [text for text in unescaped(page_text(app)).split("\n") if re.match(r"0\.\S+ . \w+ against ", text)]
    candidate, _, baseline = line.partition(" against ")
    return candidate.partition(" ")[0], baseline


def test_another_model_with_versions_of_the_same_names_keeps_neither_side(run: Run) -> None:
    app = run("compare", model="model-asr", candidate="0.10.0", baseline="0.1.0")
    app.selectbox("model").set_value("model-other").run()
    assert reported(app) == ""
    assert sides(app) == ("0.11.0", "0.2.0 ✓ Approved · newest approved by creation")
    assert "baseline" not in app.query_params


def test_another_model_is_compared_with_its_own_versions_after_a_baseline_from_elsewhere(run: Run) -> None:
    app = run("compare", model="model-asr", candidate="0.10.0", baseline_model="model-third", baseline="0.1.0")
    assert app.query_params["baseline_model"] == "model-third"
    app.selectbox("model").set_value("model-other").run()
    assert "baseline_model" not in app.query_params
    assert sides(app) == ("0.11.0", "0.2.0 ✓ Approved · newest approved by creation")
    assert "baseline" not in app.query_params


def test_filters_that_the_other_model_does_not_have_leave_the_url(run: Run) -> None:
    app = run("compare", model="model-asr", metric=["cer", "rtf"], dataset="d-meeting", state=["better", "worse"])
    app.selectbox("model").set_value("model-other").run()
    assert reported(app) == ""
    assert "dataset" not in app.query_params
    assert (app.query_params["metric"], app.query_params["state"]) == ("cer", "better")


def test_the_version_in_detail_is_closed_with_its_model(run: Run) -> None:
    app = run("versions", model="model-asr", version="0.10.0")
    assert ":primary[Compare with the approved version]" in [link.proto.label for link in app.get("page_link")]
    app.selectbox("model").set_value("model-other").run()
    assert ":primary[Compare with the approved version]" not in [link.proto.label for link in app.get("page_link")]
    assert "version" not in app.query_params


def test_the_version_approved_now_is_compared_with_its_baseline(run: Run) -> None:
    app = run("versions", model="model-asr", version="0.1.0")
    assert ":primary[Compare with its baseline]" in [link.proto.label for link in app.get("page_link")]


def follow(app: AppTest, page: str, **parameters: str) -> None:
    """Follow a link within the session."""
    app.query_params.clear()
    for name, value in parameters.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()


def test_a_link_to_another_model_keeps_none_of_the_versions_chosen_before(run: Run) -> None:
    app = run("compare", model="model-asr", candidate="0.10.0", baseline="0.1.0")
    follow(app, "versions", model="model-other")
    follow(app, "compare", model="model-other")
    assert sides(app) == ("0.11.0", "0.2.0 ✓ Approved · newest approved by creation")
    assert "baseline" not in app.query_params


def test_a_link_to_versions_of_another_model_shows_these(run: Run) -> None:
    app = run("compare", model="model-asr", candidate="0.10.0", baseline="0.1.0")
    follow(app, "compare", model="model-other", candidate="0.10.0", baseline="0.1.0")
    assert unescaped(reported(app)).split("\n") == [
        "The baseline is 0.1.0; the rules choose 0.2.0 now.",
        "Baseline 0.1.0 is Rejected: the comparison is with a version that is not approved.",
    ]
    assert sides(app) == ("0.10.0", "0.1.0 ✕ Rejected · named by a link; the rules choose 0.2.0")


def menu_query(app: AppTest, label: str) -> dict[str, list[str]]:
    """The parameters of a link of the menu."""
    [query] = [link.proto.query_string for link in app.get("page_link") if link.proto.label == label]
    return parse_qs(query)


FILTERS = {
    "status": ["Approved"],
    "text": ["first"],
    "created_from": ["2024-01-01"],
    "metric": ["cer"],
    "max": ["0.5"],
    "label": ["team=speech"],
}
VIEW = {"sort": ["version"], "cells": ["change"], "columns": ["uri", "labels"]}


def test_the_menu_leads_to_versions_as_they_were_left_and_to_trends_with_the_filters_both_have(run: Run) -> None:
    app = run("versions", model="model-asr", **FILTERS, **VIEW)
    app.run()
    model = {"model": ["model-asr"]}
    assert menu_query(app, "Versions") == model | FILTERS | VIEW
    assert menu_query(app, "Trends") == model | FILTERS
    assert menu_query(app, "Compare") == model
    follow(app, "compare", model="model-asr")
    # The metric is a choice of the comparison too, which has its own say.
    kept = {key: values for key, values in FILTERS.items() if key != "metric"}
    assert menu_query(app, "Versions").items() >= (model | kept | VIEW).items()


def test_a_page_comes_back_as_it_was_left_by_a_link_that_names_the_model_alone(run: Run) -> None:
    app = run("versions", model="model-asr", sort="version", cells="change")
    follow(app, "trends", model="model-asr", window="50", scale="raw")
    follow(app, "models")
    app.selectbox("sort").set_value("-name").run()
    follow(app, "versions", model="model-asr")
    assert app.selectbox("sort").value == "version"
    assert (app.query_params["sort"], app.query_params["cells"]) == ("version", "change")
    follow(app, "trends", model="model-asr")
    assert (app.query_params["window"], app.query_params["scale"]) == ("50", "raw")
    follow(app, "versions", model="model-other")
    assert app.selectbox("sort").value == "-created"


def test_what_a_link_names_goes_before_what_was_left(run: Run) -> None:
    app = run("versions", model="model-asr", sort="version", cells="change")
    follow(app, "models")
    follow(app, "versions", model="model-asr", sort="created")
    assert app.selectbox("sort").value == "created"
    assert app.query_params["cells"] == "change"
    follow(app, "trends", model="model-asr", status="Rejected")
    assert app.query_params["status"] == "Rejected"


def test_clear_all_removes_the_filters_of_every_kind_and_leaves_the_view(run: Run) -> None:
    app = run("versions", model="model-asr", **FILTERS, **VIEW)
    app.button(key="clear-filters").click().run()
    assert menu_query(app, "Versions") == {"model": ["model-asr"]} | VIEW


def test_a_link_carries_no_more_than_an_address_holds(run: Run, service: Service) -> None:
    long = "x" * 6_000
    app = run("versions", model="model-asr", text=long)
    app.run()
    assert menu_query(app, "Versions") == {"model": ["model-asr"]}
    follow(app, "trends", model="model-asr")
    assert [item.value for item in app.exception] == []


def test_models_are_listed_in_the_order_of_the_page_of_models(run: Run, service: Service) -> None:
    for item, day in zip(service.models, (2, 3, 1), strict=True):
        item["GmtModifiedTime"] = f"2025-01-0{day}T00:00:00Z"
    cards = [link.proto.label for link in run("models").get("page_link") if "**" in link.proto.label]
    app = run("versions")
    assert app.selectbox("model").options == ["other", "asr", "third"]
    assert [unescaped(label.partition("**")[2].partition("**")[0]) for label in cards if "Review" not in label] == [
        "other",
        "asr",
        "third",
    ]

"""Listings with many metrics: no page sends them all, and each can still be asked for and taken away."""

import pytest

from paiview.ui import sidebar
from tests.harness.service import Service, version
from tests.pages.conftest import Run, reported

METRICS = 1_100


@pytest.fixture(autouse=True)
def _wide(service: Service) -> None:
    results = {"d-aishell": {f"metric_{number:04}": 0.5 for number in range(METRICS)}}
    service.versions["model-asr"] = [version("0.1.0", "2024-01-01", results)]


@pytest.mark.parametrize("page", ["versions", "trends"])
def test_a_control_lists_the_first_metrics_and_any_that_the_link_names(run: Run, page: str) -> None:
    app = run(page, model="model-asr", metric="metric_1050")
    assert reported(app) == ""
    metric = app.multiselect("metric")
    assert metric.value == ["metric_1050"]
    assert metric.options == [*(f"metric_{number:04}" for number in range(sidebar.MAX_OPTIONS)), "metric_1050"]


def test_the_whole_name_of_another_metric_can_be_typed(run: Run) -> None:
    app = run("versions", model="model-asr")
    assert app.multiselect("metric").proto.accept_new_options
    app.session_state["metric"] = ["metric_1099"]
    app.run()
    assert reported(app) == ""
    assert app.multiselect("metric").value == ["metric_1099"]
    assert ("metric_1099 direction unknown", "AISHELL-1") in app.dataframe[0].value.columns


def test_an_unknown_metric_of_a_link_is_named(run: Run) -> None:
    app = run("versions", model="model-asr", metric="metric_9999")
    assert "metric\\_9999" in reported(app)
    assert len(app.dataframe[0].value.columns) > 1


def test_an_unknown_metric_that_is_typed_is_named(run: Run) -> None:
    app = run("versions", model="model-asr")
    app.session_state["metric"] = ["metric_9999"]
    app.run()
    assert "Metric: metric\\_9999 does not exist" in reported(app)
    assert app.multiselect("metric").value == []

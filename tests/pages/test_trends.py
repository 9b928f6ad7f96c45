"""Trends: each metric on each dataset, version by version."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from paiview.registry.connection import disconnect
from tests.harness.service import Service, version
from tests.pages.conftest import Run, page_text, reported


def chart(app: AppTest, place: int = 0) -> dict[str, Any]:
    return dict(json.loads(app.get("plotly_chart")[place].proto.spec))


def numbers(values: Any) -> list[float]:
    """The numbers of a trace, which plotly sends as base64."""
    if isinstance(values, dict):
        return list(np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).tolist())
    return list(values)


def points(app: AppTest) -> dict[str, dict[str, float]]:
    traces = [trace for trace in chart(app)["data"] if " on " in trace["name"]]
    return {trace["name"]: dict(zip(trace["x"], numbers(trace["y"]), strict=True)) for trace in traces}


def test_a_panel_a_dataset_holds_the_numbers_in_version_order(run: Run) -> None:
    app = run("trends", model="model-asr")
    assert points(app) == {
        "cer on d-aishell": {"0.1.0": 0.05, "0.2.0": 0.06, "0.10.0": 0.04},
        "cer on d-meeting": {"0.1.0": 0.2, "0.10.0": 0.21},
    }
    titles = [note["text"] for note in chart(app)["layout"]["annotations"]]
    assert titles == ["<b>AISHELL-1</b><br>cer ↓ lower is better", "<b>d-meeting</b><br>cer ↓ lower is better"]


def test_the_url_chooses_metrics_datasets_statuses_and_text(run: Run) -> None:
    assert list(points(run("trends", model="model-asr", metric=["rtf", "cer"], dataset="d-aishell"))) == [
        "cer on d-aishell",
        "rtf on d-aishell",
    ]
    approved = run("trends", model="model-asr", status="Approved")
    assert points(approved)["cer on d-aishell"] == {"0.1.0": 0.05}
    assert "3 points of other versions not drawn" in page_text(approved)
    assert points(run("trends", model="model-asr", text="FIRST"))["cer on d-meeting"] == {"0.1.0": 0.2}


def test_the_window_keeps_the_newest(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version(f"0.{number}.0", f"2024-{1 + number // 28:02}-{1 + number % 28:02}", {"d": {"cer": number / 1000}})
        for number in range(60)
    ]
    newest = points(run("trends", model="model-asr", window="50"))["cer on d"]
    assert list(newest) == [f"0.{number}.0" for number in range(10, 60)]
    assert len(points(run("trends", model="model-asr", window="all"))["cer on d"]) == 60


def test_many_datasets_are_paged_and_the_page_says_so(run: Run, service: Service) -> None:
    results = {f"d-{number:03}": {"cer": number / 1000} for number in range(160)}
    service.versions["model-asr"] = [version("0.1.0", "2024-01-01", results)]
    app = run("trends", model="model-asr", page="14")
    assert list(points(app)) == [f"cer on d-{number:03}" for number in range(156, 160)]
    assert "Panels 157 to 160 of 160" in page_text(app)
    assert "100 rows are not shown" in page_text(app)
    assert len(chart(app, 1)["data"][0]["y"]) == 60


def test_a_metric_without_a_direction_has_no_best_and_no_colour(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"blobs": 3}}),
        version("0.2.0", "2024-01-02", {"d": {"blobs": 5}}),
    ]
    app = run("trends", model="model-asr")
    assert points(app) == {"blobs on d": {"0.1.0": 3, "0.2.0": 5}}
    drawn = [trace["name"] for trace in chart(app)["data"] if trace.get("x") != [None]]
    assert drawn == ["blobs on d", "Pending"]
    assert "No colour for blobs" in page_text(app)
    assert "direction unknown" in chart(app)["layout"]["annotations"][0]["text"]


def test_odd_values_are_counted_and_a_jump_of_scale_is_named(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.05}}),
        version("0.2.0", "2024-01-02", {"d": {"cer": "bad"}}),
        version("0.3.0", "2024-01-03", {"d": {"cer": 5.0}}),
    ]
    app = run("trends", model="model-asr")
    assert points(app) == {"cer on d": {"0.1.0": 0.05, "0.3.0": 5.0}}
    assert "1 value is not a number" in reported(app)
    assert "cer on d is 5 in 0\\.3\\.0 and was 0.05 before" in reported(app)


def test_a_model_without_numbers_says_where_to_look(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [version("0.1.0", "2024-01-01")]
    app = run("trends", model="model-asr")
    assert any("This model has no numeric evaluation results" in item.value for item in app.info)
    assert not app.get("plotly_chart")


def test_filters_that_no_version_passes_are_reported(run: Run) -> None:
    app = run("trends", model="model-asr", text="no such version")
    assert any("No version passes the filters" in item.value for item in app.info)


def test_text_of_the_service_is_no_markup_in_the_chart(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version(
            "0.1.0", "2024-01-01", {"<b>d</b>": {'<a href="javascript:x">cer</a>': 1}}, VersionDescription="<i>x</i>"
        )
    ]
    spec = run("trends", model="model-asr").get("plotly_chart")[0].proto.spec
    assert "<a href" not in spec
    assert "<i>" not in spec
    assert "<b>d</b>" not in spec


def test_the_heatmap_shows_effects_against_the_newest_approved_version(run: Run) -> None:
    app = run("trends", model="model-asr", scale="effect")
    assert "Against 0\\.1\\.0, the newest approved" in page_text(app)
    heatmap = chart(app, 1)["data"][0]
    shown = dict(zip(heatmap["y"], heatmap["text"], strict=True))
    assert shown["AISHELL-1 · cer"] == ["0.0 %", "−20.0 %", "+20.0 %"]


def test_a_row_that_the_approved_version_lacks_is_counted(run: Run, service: Service) -> None:
    assert "has no number" not in page_text(run("trends", model="model-asr", scale="effect"))
    service.versions["model-asr"].append(version("0.11.0", "2024-04-01", {"d-new": {"cer": 0.1}}))
    disconnect()
    app = run("trends", model="model-asr", scale="effect")
    assert "0\\.1\\.0 has no number in 1 row: nothing to compare with there." in page_text(app)


def test_a_dataset_without_a_point_under_the_filters_has_no_panel_and_no_row(run: Run) -> None:
    app = run("trends", model="model-asr", status="Rejected")
    assert list(points(app)) == ["cer on d-aishell"]
    assert list(chart(app, 1)["data"][0]["y"]) == ["AISHELL-1 · cer"]
    assert "Left out: 1 panel without a point of these versions." in page_text(app)
    assert "Left out" not in page_text(run("trends", model="model-asr"))


def test_without_an_approved_version_there_is_no_effect_to_show(run: Run, service: Service) -> None:
    for item in service.versions["model-asr"]:
        item["ApprovalStatus"] = "Pending"
    app = run("trends", model="model-asr", scale="effect")
    assert "scale = effect" in reported(app)


def test_a_dataset_and_its_alias_are_one_panel_with_the_name_of_the_configuration(
    run: Run, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d-old": {"cer": 0.2}, "oss://b/x": {"cer": 0.3}}),
        version("0.2.0", "2024-01-02", {"d-new": {"cer": 0.1}, "oss://b/x": {"cer": 0.2}}),
    ]
    file = tmp_path / "paiview.toml"
    file.write_text(
        '[datasets.d-new]\nalias_of = "d-old"\n[datasets.d-old]\nname = "Renamed"\n'
        '[datasets."oss://b/x"]\nname = "Far field"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("PAIVIEW_CONFIG", str(file))
    titles = {
        note["text"].partition("</b>")[0] for note in chart(run("trends", model="model-asr"))["layout"]["annotations"]
    }
    assert titles == {"<b>Far field", "<b>Renamed"}


def test_directions_of_the_configuration_colour_the_heatmap(
    run: Run, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"quality": 1.0}}),
        version("0.2.0", "2024-02-01", {"d": {"quality": 2.0}}),
    ]
    assert "No colour for quality" in page_text(run("trends", model="model-asr"))
    file = tmp_path / "paiview.toml"
    file.write_text('[metrics.quality]\ndirection = "higher"\n', encoding="utf-8")
    monkeypatch.setenv("PAIVIEW_CONFIG", str(file))
    app = run("trends", model="model-asr")
    assert "No colour" not in page_text(app)
    assert "higher is better" in chart(app)["layout"]["annotations"][0]["text"]

"""Trends: each metric on each dataset, version by version."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from paiview.decisions.backtest import backtest
from paiview.registry.connection import disconnect
from paiview.ui import backtest_panel
from tests.harness.server import refusal
from tests.harness.service import Service, version
from tests.pages.conftest import Run, page_text, reported


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(item.proto.spec) for item in app.get("plotly_chart")]


def chart(app: AppTest) -> dict[str, Any]:
    """The panels or the heatmap, which stand below the overview."""
    return charts(app)[-1]


def overview(app: AppTest) -> dict[str, float]:
    """The mean effect of each version in the overview; nothing without one."""
    first = charts(app)[0]["data"]
    if first[0]["name"] != "worst to best dataset":
        return {}
    return dict(zip(first[1]["x"], numbers(first[1]["y"]), strict=True))


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
    texts = [note["text"] for note in chart(app)["layout"]["annotations"]]
    assert texts == [*("<b>AISHELL-1</b>  cer ↓", "0.1.0", "0.10.0"), *("<b>d-meeting</b>  cer ↓", "0.1.0", "0.10.0")]


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
    heatmap = run("trends", model="model-asr", page="14", scale="raw")
    assert "100 rows are not shown" in page_text(heatmap)
    assert len(chart(heatmap)["data"][0]["y"]) == 60


def test_a_metric_without_a_direction_has_no_best_and_no_colour(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"blobs": 3}}),
        version("0.2.0", "2024-01-02", {"d": {"blobs": 5}}),
    ]
    app = run("trends", model="model-asr")
    assert points(app) == {"blobs on d": {"0.1.0": 3, "0.2.0": 5}}
    drawn = [trace["name"] for trace in chart(app)["data"] if trace.get("x") != [None]]
    assert drawn == ["blobs on d", "Pending"]
    assert "direction unknown" in chart(app)["layout"]["annotations"][0]["text"]
    assert "No colour for blobs" in page_text(run("trends", model="model-asr", scale="raw"))


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


@pytest.mark.parametrize(
    "parameters",
    [
        {"text": "no such version"},
        {"created_from": "2030-01-01"},
        {"metric": "cer", "min": "7"},
        {"text": "x", "status": ["Approved", "Rejected"], "approval_status": "Pending"},
    ],
)
def test_filters_that_no_version_passes_can_be_cleared(run: Run, parameters: dict[str, str | list[str]]) -> None:
    app = run("trends", model="model-asr", **parameters)
    assert "**0 of 3 versions pass the filters**" in page_text(app)
    assert not app.get("plotly_chart")
    app.button(key="clear-filters-here").click().run()
    assert len(points(app)["cer on d-aishell"]) == 3


def test_a_choice_without_numbers_is_told_as_one(run: Run, service: Service) -> None:
    app = run("trends", model="model-asr", metric="rtf", dataset="d-meeting")
    assert "None of these versions has a number of these metrics on these datasets" in page_text(app)
    app.button(key="clear-filters-here").click().run()
    assert points(app)
    service.versions["model-asr"] = []
    disconnect()
    assert "filters" not in page_text(run("trends", model="model-asr")).replace("**Filters**", "")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"created_from": "2024-02-01"}, ["0.2.0", "0.10.0"]),
        ({"created_to": "2024-01-31"}, ["0.1.0"]),
        ({"max": "0.045"}, ["0.10.0"]),
        ({"min": "0.05", "max": "0.06"}, ["0.1.0", "0.2.0"]),
    ],
)
def test_the_filters_of_versions_choose_the_versions_drawn(
    run: Run, parameters: dict[str, str], expected: list[str]
) -> None:
    app = run("trends", model="model-asr", **parameters)
    assert reported(app) == ""
    assert list(points(app)["cer on d-aishell"]) == expected
    assert f"{len(expected)} of 3 versions pass the filters" in page_text(app)
    app.button(key="chip-0").click().run()
    assert len(points(app)["cer on d-aishell"]) >= len(expected)


def test_every_version_stands_against_the_one_approved_now(run: Run) -> None:
    app = run("trends", model="model-asr")
    assert overview(app) == {
        "0.1.0": 0,
        "0.2.0": pytest.approx(-0.2),
        "0.10.0": pytest.approx((0.2 - 0.05) / 2),
    }
    assert [item.value for item in app.subheader] == [
        "Every version against 0\\.1\\.0, approved now",
        "Dataset by dataset",
    ]
    one = run("trends", model="model-asr", dataset="d-meeting")
    assert overview(one) == {"0.1.0": 0, "0.10.0": pytest.approx(-0.05)}


def test_the_overview_says_why_there_is_none(run: Run, service: Service) -> None:
    service.versions["model-asr"][0]["Metrics"]["Results"][0]["Metrics"]["blobs"] = 3
    unknown = run("trends", model="model-asr", metric="blobs")
    assert overview(unknown) == {}
    assert "No overview: nobody has said whether more or less of blobs is better" in page_text(unknown)
    disconnect()
    service.versions["model-asr"][1]["Metrics"]["Results"][0]["Metrics"]["wer"] = 0.3
    lacking = run("trends", model="model-asr", metric="wer")
    assert "No overview: no approved version has a number of wer" in page_text(lacking)
    disconnect()
    service.versions["model-asr"][0]["ApprovalStatus"] = "Rejected"
    nothing = run("trends", model="model-asr")
    assert overview(nothing) == {}
    assert "No overview: no version is approved to compare with on cer" in page_text(nothing)


def test_another_version_than_the_one_approved_now_is_told_as_such(run: Run, service: Service) -> None:
    service.versions["model-asr"].append(version("0.11.0", "2024-04-01", {"d": {"wer": 1}}, ApprovalStatus="Approved"))
    [heading, _] = [item.value for item in run("trends", model="model-asr", metric="cer").subheader]
    assert heading == "Every version against 0\\.1\\.0, the newest approved with cer"


def test_the_filters_in_pai_choose_the_versions_drawn_and_a_chip_names_each(run: Run) -> None:
    app = run("trends", model="model-asr", approval_status="Pending")
    assert points(app) == {"cer on d-aishell": {"0.10.0": 0.04}, "cer on d-meeting": {"0.10.0": 0.21}}
    assert "1 of 3 versions pass the filters" in page_text(app)
    assert [button.label for button in app.button if button.key == "chip-0"] == ["ApprovalStatus Pending"]
    rule = next(trace for trace in chart(app)["data"] if trace["name"] == "approved" and trace["x"] == ["0.10.0"] * 2)
    assert numbers(rule["y"]) == [0.05, 0.05], "Approved now comes from the whole listing."
    assert overview(app) == {"0.10.0": pytest.approx((0.2 - 0.05) / 2)}
    assert "pass the filters" not in page_text(run("trends", model="model-asr"))


def test_without_the_whole_listing_the_page_shows_what_the_filters_leave(run: Run, service: Service) -> None:
    answer = service.__call__

    class Refusing(Service):
        async def __call__(self, request: Any) -> Any:
            is_whole = request.path.endswith("/versions") and "Label" not in request.query
            return refusal("Forbidden", 403, "Not the whole.") if is_whole else await answer(request)

    service.__class__ = Refusing
    app = run("trends", model="model-asr", label="kept")
    assert points(app)["cer on d-aishell"] == {"0.1.0": 0.05, "0.2.0": 0.06, "0.10.0": 0.04}
    assert "count only the versions that pass the filters" in reported(app)


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
    heatmap = chart(app)["data"][0]
    shown = dict(zip(heatmap["y"], heatmap["text"], strict=True))
    assert shown["AISHELL-1"] == ["0.0 %", "−20.0 %", "+20.0 %"]


def test_a_row_that_the_approved_version_lacks_is_counted(run: Run, service: Service) -> None:
    assert "has no number" not in page_text(run("trends", model="model-asr", scale="effect"))
    service.versions["model-asr"].append(version("0.11.0", "2024-04-01", {"d-new": {"cer": 0.1}}))
    disconnect()
    app = run("trends", model="model-asr", scale="effect")
    assert "0\\.1\\.0 has no number in 1 row: nothing to compare with there." in page_text(app)


def test_a_dataset_without_a_point_under_the_filters_has_no_panel_and_no_row(run: Run) -> None:
    app = run("trends", model="model-asr", status="Rejected")
    assert list(points(app)) == ["cer on d-aishell"]
    rejected = run("trends", model="model-asr", status="Rejected", scale="raw")
    assert list(chart(rejected)["data"][0]["y"]) == ["AISHELL-1"]
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
    texts = [note["text"] for note in chart(run("trends", model="model-asr"))["layout"]["annotations"]]
    titles = {text.partition("</b>")[0] for text in texts if "</b>" in text}
    assert titles == {"<b>Far field", "<b>Renamed"}


def test_directions_of_the_configuration_colour_the_heatmap(
    run: Run, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"quality": 1.0}}),
        version("0.2.0", "2024-02-01", {"d": {"quality": 2.0}}),
    ]
    assert "No colour for quality" in page_text(run("trends", model="model-asr", scale="raw"))
    file = tmp_path / "paiview.toml"
    file.write_text('[metrics.quality]\ndirection = "higher"\n', encoding="utf-8")
    monkeypatch.setenv("PAIVIEW_CONFIG", str(file))
    assert "No colour" not in page_text(run("trends", model="model-asr", scale="raw"))
    panels = run("trends", model="model-asr")
    assert chart(panels)["layout"]["annotations"][0]["text"] == "<b>d</b>  quality ↑"


def test_the_policy_tried_on_the_past_is_computed_when_it_is_opened(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d-aishell": {"cer": 0.1}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-01-02", {"d-aishell": {"cer": 0.104}}, ApprovalStatus="Approved"),
        version("0.3.0", "2024-01-03", {"d-aishell": {"cer": 0.09}}, ApprovalStatus="Rejected"),
    ]
    opened: list[int | None] = []

    def counting(*arguments: Any, newest: int | None) -> Any:
        opened.append(newest)
        return backtest(*arguments, newest=newest)

    monkeypatch.setattr(backtest_panel, "backtest", counting)
    assert "What the policy in force" not in page_text(run("trends", model="model-asr"))
    assert opened == []
    app = run("trends", model="model-asr", backtest="true", tolerance="0.05")
    assert opened == [200]
    text = page_text(app)
    assert "What the policy in force would have said of 3 versions" in text
    assert "PAI does not say when a version was approved." in text
    tables = [item.value for item in app.dataframe]
    counts, stopped, passing, curve = tables[-4:]
    assert counts.set_index("status").loc["Approved"].to_dict() == {"pass": 0, "undecided": 1, "fail": 1}
    assert stopped[["version", "against"]].values.tolist() == [["0.2.0", "0.1.0"]]
    assert "cer on AISHELL-1" in stopped["because"].item()
    assert passing.values.tolist() == [["0.3.0", "0.2.0"]]
    by_tolerance = curve.set_index("tolerance")["Approved, stopped"].to_dict()
    assert (by_tolerance["1 %"], by_tolerance["5 %"]) == (1, 0)
    lines = {trace["name"]: numbers(trace["y"]) for trace in chart(app)["data"]}
    assert lines["Approved, stopped"] == [*by_tolerance.values()]
    assert "relative = 0.05" in "".join(item.value for item in app.code)

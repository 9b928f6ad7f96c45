"""Frames to figures: the numbers of the frame, marks by status, and nothing of strangers' text read as markup."""

import html
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from paiview.figures import (
    APPROVED,
    BEST,
    NEUTRAL,
    PENDING,
    REJECTED,
    HeatmapInfo,
    TrendInfo,
    heatmap_figure,
    heatmap_info,
    trend_figure,
    trend_info,
)
from paiview.frames import Frames, Pair, build
from paiview.pai.objects import ModelVersion

CER = Pair("cer", "aishell")
TOP1 = Pair("top1", "aishell")
BLOBS = Pair("blobs", "aishell")
MARKUP = '<b>x</b><a href="https://a.example">y</a><br>%{y} & z'


def version(place: int, name: str, status: str | None, metrics: dict[str, Any], **fields: Any) -> ModelVersion:
    by_dataset: dict[str, dict[str, Any]] = {}
    for column, value in metrics.items():
        metric, _, dataset = column.partition("@")
        by_dataset.setdefault(dataset or "aishell", {})[metric] = value
    results = [{"Dataset": {"DatasetId": dataset}, "Metrics": given} for dataset, given in by_dataset.items()]
    return ModelVersion.model_validate(
        {
            "VersionName": name,
            "GmtCreateTime": f"2024-01-01T00:{place:02}:00Z",
            "ApprovalStatus": status,
            "Metrics": {"Results": results},
            **fields,
        }
    )


@pytest.fixture
def frames() -> Frames:
    return build(
        [
            version(0, "0.1.0", "Approved", {"cer": 0.30, "top1": 0.5, "blobs": 3.0}, VersionDescription="the first"),
            version(1, "0.9.0", "Rejected", {"cer": 0.35, "top1": 0.6}),
            version(2, "0.10.0", "Approved", {"cer": 0.25, "blobs": 5.0}),
            version(3, "0.11.0", "Pending", {"cer": None}),
            version(4, "0.12.0", "Pending", {"cer": 0.28, "top1": 0.7}),
            version(5, "0.13.0", "Shadow", {"cer": 0.20}),
        ]
    )


def trend(
    frames: Frames, *shown: Pair, orders: Sequence[int] | None = None, names: dict[str, str] | None = None
) -> TrendInfo:
    chosen = range(len(frames.versions)) if orders is None else orders
    return trend_info(frames, shown, orders=np.array(chosen, dtype=np.int64), dataset_names=names or {})


def heatmap(
    frames: Frames, *shown: Pair, orders: Sequence[int] | None = None, names: dict[str, str] | None = None
) -> HeatmapInfo:
    chosen = range(len(frames.versions)) if orders is None else orders
    return heatmap_info(frames, shown, orders=np.array(chosen, dtype=np.int64), dataset_names=names or {})


def drawn(info: TrendInfo) -> dict[str, Any]:
    """The traces of a one-panel figure by name, without those that only stand in the legend."""
    return {trace.name: trace for trace in trend_figure(info).data if trace.x[0] is not None}


def texts_of(figure: Any) -> list[str]:
    """Every text a figure holds, its keys and the words of its schema included."""
    found: list[str] = []

    def collect(tree: Any) -> None:
        if isinstance(tree, dict):
            for value in tree.values():
                collect(value)
        elif isinstance(tree, list):
            for value in tree:
                collect(value)
        elif isinstance(tree, str):
            found.append(tree)

    collect(json.loads(figure.to_json()))
    return found


def test_a_panel_holds_the_numbers_of_the_frame_in_version_order(frames: Frames) -> None:
    (panel,) = trend(frames, CER).panels
    assert panel.names == ["0.1.0", "0.9.0", "0.10.0", "0.12.0", "0.13.0"]
    assert panel.values.tolist() == [0.30, 0.35, 0.25, 0.28, 0.20]
    assert panel.statuses == ["Approved", "Rejected", "Approved", "Pending", "Shadow"]
    assert panel.notes == ["the first", "", "", "", ""]
    assert panel.direction == "lower"


def test_the_figure_draws_exactly_the_panel(frames: Frames) -> None:
    info = trend(frames, CER)
    points = drawn(info)["cer on aishell"]
    assert list(points.x) == info.panels[0].names
    assert list(points.y) == [0.30, 0.35, 0.25, 0.28, 0.20]


def test_every_point_has_the_mark_of_its_status(frames: Frames) -> None:
    traces = drawn(trend(frames, CER))
    marks = {
        "Approved": (["0.1.0", "0.10.0"], [0.30, 0.25], "circle", APPROVED, "✓"),
        "Rejected": (["0.9.0"], [0.35], "x-thin", REJECTED, None),
        "Pending": (["0.12.0"], [0.28], "circle-open", PENDING, None),
        "other status": (["0.13.0"], [0.20], "diamond-open", NEUTRAL, None),
    }
    for name, (versions, values, symbol, colour, text) in marks.items():
        trace = traces[name]
        assert (list(trace.x), list(trace.y)) == (versions, values)
        assert (trace.marker.symbol, trace.marker.color, trace.text) == (symbol, colour, text)
    assert [list(row) for row in traces["Approved"].customdata] == [["Approved", "the first"], ["Approved", ""]]
    assert [list(row) for row in traces["other status"].customdata] == [["Shadow", ""]]


def test_the_rule_is_the_newest_approved_number(frames: Frames) -> None:
    info = trend(frames, CER, TOP1)
    assert [(panel.approved, panel.approved_name) for panel in info.panels] == [(0.25, "0.10.0"), (0.5, "0.1.0")]
    rule = drawn(trend(frames, CER))["approved"]
    assert (list(rule.x), list(rule.y)) == (["0.1.0", "0.13.0"], [0.25, 0.25])
    assert list(rule.text) == ["0.10.0", "0.10.0"]
    assert rule.line.dash == "dash"


def test_without_an_approved_number_there_is_no_rule() -> None:
    info = trend(build([version(0, "0.1.0", "Pending", {"cer": 0.1})]), CER)
    assert info.panels[0].approved is None
    assert "approved" not in drawn(info)


@pytest.mark.parametrize(
    ("pair", "names", "values"),
    [
        (CER, ["0.1.0", "0.10.0", "0.13.0"], [0.30, 0.25, 0.20]),
        (TOP1, ["0.1.0", "0.9.0", "0.12.0"], [0.5, 0.6, 0.7]),
        (BLOBS, [], []),
    ],
)
def test_the_best_so_far_steps_where_it_changes(
    frames: Frames, pair: Pair, names: list[str], values: list[float]
) -> None:
    info = trend(frames, pair)
    assert info.panels[0].best_names == names
    assert info.panels[0].best_values.tolist() == values
    if names:
        step = drawn(info)["best so far"]
        assert (list(step.x), list(step.y), step.line.shape, step.line.color) == (names, values, "hv", BEST)
    else:
        assert "best so far" not in drawn(info)


def test_the_step_line_reaches_the_last_version_shown() -> None:
    frames = build([version(place, f"0.{place}.0", None, {"cer": 0.1 + place}) for place in range(4)])
    assert trend(frames, CER).panels[0].best_names == ["0.0.0", "0.3.0"]


def test_hidden_versions_count_for_the_rule_and_the_best_and_are_told(frames: Frames) -> None:
    info = trend(frames, CER, TOP1, orders=[1, 4])
    panel = info.panels[0]
    assert panel.names == ["0.9.0", "0.12.0"]
    assert (panel.approved, panel.approved_name) == (0.25, "0.10.0")
    assert panel.best_values.tolist() == [0.30, 0.25]
    assert info.hidden == 3 + 1


def test_nothing_hidden_is_nothing_told(frames: Frames) -> None:
    assert trend(frames, CER, TOP1, BLOBS).hidden == 0


@pytest.mark.parametrize(
    ("pair", "words"),
    [(CER, "↓ lower is better"), (TOP1, "↑ higher is better"), (BLOBS, "direction unknown")],
)
def test_a_panel_says_which_way_is_better(frames: Frames, pair: Pair, words: str) -> None:
    assert trend(frames, pair).panels[0].title == f"<b>aishell</b><br>{pair.metric} {words}"


def test_a_panel_has_axes_of_its_own_in_version_order(frames: Frames) -> None:
    figure = trend_figure(trend(frames, CER, TOP1, BLOBS))
    assert list(figure.layout.xaxis.categoryarray) == ["0.1.0", "0.9.0", "0.10.0", "0.12.0", "0.13.0"]
    assert list(figure.layout.xaxis2.categoryarray) == ["0.1.0", "0.9.0", "0.12.0"]
    assert list(figure.layout.xaxis3.categoryarray) == ["0.1.0", "0.10.0"]
    assert {axis.type for axis in figure.select_xaxes()} == {"category"}
    assert {(trace.xaxis, trace.yaxis) for trace in figure.data if trace.x[0] is not None} == {
        ("x", "y"),
        ("x2", "y2"),
        ("x3", "y3"),
    }
    assert len(figure.layout.annotations) == 3


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_panels_do_not_overlap(frames: Frames, count: int) -> None:
    figure = trend_figure(trend(frames, *[CER] * count))
    boxes = [
        (*across.domain, *up.domain) for across, up in zip(figure.select_xaxes(), figure.select_yaxes(), strict=True)
    ]
    assert len(boxes) == count
    for place, (left, right, bottom, top) in enumerate(boxes):
        assert 0 <= left < right <= 1
        assert 0 <= bottom < top <= 1
        for other in boxes[place + 1 :]:
            assert right <= other[0] or other[1] <= left or top <= other[2] or other[3] <= bottom


def test_the_legend_names_each_mark_once(frames: Frames) -> None:
    figure = trend_figure(trend(frames, CER, TOP1))
    named = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert named == ["approved now", "best so far", "Pending", "✓ Approved", "Rejected"]


def test_one_point_has_a_range_around_it() -> None:
    figure = trend_figure(trend(build([version(0, "0.1.0", "Approved", {"cer": 0.1})]), CER))
    assert list(figure.layout.xaxis.range) == [-0.6, 0.6]


def test_no_version_to_draw_leaves_the_panel_empty(frames: Frames) -> None:
    info = trend(frames, CER, orders=[])
    assert (info.panels[0].names, info.hidden) == ([], 5)
    assert drawn_points(info) == []


def drawn_points(info: TrendInfo) -> list[Any]:
    return [point for trace in trend_figure(info).data for point in trace.x if point is not None]


def test_nothing_to_draw_is_an_empty_figure(frames: Frames) -> None:
    assert len(trend_figure(trend(frames)).data) == 0
    info = heatmap(frames)
    assert (info.rows, info.names, info.unknown) == ([], [], [])
    heatmap_figure(info)


@pytest.mark.parametrize(("suffix", "count"), [("", 5), ("_longer", 3)])
def test_many_versions_have_a_few_ticks_spread_over_the_axis(suffix: str, count: int) -> None:
    frames = build([version(place % 60, f"0.{place}.0{suffix}", None, {"cer": 0.1}) for place in range(300)])
    info = trend(frames, CER)
    ticks = [info.panels[0].names.index(name) for name in trend_figure(info).layout.xaxis.tickvals]
    assert len(ticks) == count
    assert ticks == [int((part + 0.5) * 300 / count) for part in range(count)]


def test_few_versions_have_a_tick_each() -> None:
    frames = build([version(place, f"0.{place}.0", None, {"cer": 0.1}) for place in range(4)])
    info = trend(frames, CER)
    assert list(trend_figure(info).layout.xaxis.tickvals) == info.panels[0].names


def test_long_names_are_cut_on_the_axis_between_characters() -> None:
    frames = build(
        [version(0, "0.1.0_a-long-suffix", None, {"cer": 0.1}), version(1, "0.1.0_abc<&>d<&>", None, {"cer": 0.1})]
    )
    assert list(trend_figure(trend(frames, CER)).layout.xaxis.ticktext) == [
        "0.1.0_a-long-…",
        "0.1.0_abc&lt;&amp;&gt;d…",
    ]


def test_look_alike_names_stay_apart() -> None:
    names = ["a", "a\u200b", "a\u200c", "a\N{REPLACEMENT CHARACTER} (2)", "1.10", "1.1"]
    frames = build([version(place, name, None, {"cer": place / 10}) for place, name in enumerate(names)])
    (panel,) = trend(frames, CER).panels
    assert panel.names == ["a", "a�", "a� (3)", "a� (2)", "1.10", "1.1"]
    assert heatmap(frames, CER).names == panel.names


def test_datasets_have_their_names_and_long_ones_their_end() -> None:
    long = "oss://bucket.oss-cn-beijing.aliyuncs.com/" + "deep/" * 10 + "test.list"
    frames = build([version(0, "0.1.0", None, {"cer@d-1": 0.1, f"cer@{long}": 0.2})])
    pairs = [Pair("cer", "d-1"), Pair("cer", long)]
    info = heatmap(frames, *pairs, names={"d-1": "AISHELL & co"})
    assert info.rows == ["AISHELL &amp; co · cer", f"…{long[-43:]} · cer"]
    assert trend(frames, *pairs).panels[1].title == f"<b>…{long[-43:]}</b><br>cer ↓ lower is better"


def test_rows_that_read_the_same_stay_apart() -> None:
    frames = build([version(0, "0.1.0", None, {"cer@d-1": 0.1, "cer@d-2": 0.2})])
    info = heatmap(frames, Pair("cer", "d-1"), Pair("cer", "d-2"), names={"d-1": "test", "d-2": "test"})
    assert info.rows == ["test · cer", "test · cer (2)"]


def test_no_text_of_the_service_becomes_markup_or_a_template() -> None:
    hostile = build(
        [
            version(
                place,
                f"{MARKUP}{place}",
                MARKUP if place else "Approved",
                {f"{MARKUP}@{MARKUP}": 0.1},
                VersionDescription=MARKUP,
            )
            for place in range(2)
        ]
    )
    pair = Pair(MARKUP, MARKUP)
    names = {MARKUP: MARKUP}
    figures = [trend_figure(trend(hostile, pair, names=names)), heatmap_figure(heatmap(hostile, pair, names=names))]
    ours = {"<b>", "</b>", "<br>", "<extra></extra>"}
    for figure in figures:
        shown = texts_of(figure)
        assert any("&lt;a href" in text for text in shown)
        for text in shown:
            for tag in ours:
                text = text.replace(tag, "")  # noqa: PLW2901 - what is left is not ours
            assert "<" not in text
        for trace in figure.data:
            assert "a.example" not in (trace.hovertemplate or "")
            assert "a.example" not in (getattr(trace, "texttemplate", None) or "")


def test_the_heatmap_has_a_row_a_pair_and_a_column_a_version_with_a_number(frames: Frames) -> None:
    info = heatmap(frames, TOP1, BLOBS)
    assert info.rows == ["aishell · top1", "aishell · blobs"]
    assert info.names == ["0.1.0", "0.9.0", "0.10.0", "0.12.0"]
    assert info.texts == [["0.5", "0.6", "", "0.7"], ["3", "", "5", ""]]


@pytest.mark.parametrize(
    ("pair", "shade"),
    [
        (CER, [1 / 3, 0, 2 / 3, 7 / 15, 1]),
        (TOP1, [0, 0.5, 1]),
        (BLOBS, [0, 0]),
    ],
)
def test_better_is_darker_and_an_unknown_direction_has_no_colour(
    frames: Frames, pair: Pair, shade: list[float]
) -> None:
    info = heatmap(frames, pair)
    np.testing.assert_allclose(info.shade, [shade])
    assert info.unknown == (["blobs"] if pair is BLOBS else [])


def test_equal_numbers_have_one_shade() -> None:
    frames = build([version(place, f"0.{place}.0", None, {"cer": 0.1}) for place in range(3)])
    assert heatmap(frames, CER).shade.tolist() == [[0.5, 0.5, 0.5]]


def test_numbers_at_the_ends_of_the_floats_are_shaded() -> None:
    frames = build(
        [version(place, f"0.{place}.0", None, {"cer": value}) for place, value in enumerate([-1.7e308, 1.7e308])]
    )
    assert heatmap(frames, CER).shade.tolist() == [[1.0, 0.0]]


def test_the_heatmap_shows_only_the_versions_asked_in_version_order(frames: Frames) -> None:
    info = heatmap(frames, CER, orders=[4, 3, 0])
    assert info.names == ["0.1.0", "0.12.0"]
    assert info.texts == [["0.30", "0.28"]]


def test_the_heatmap_draws_its_info(frames: Frames) -> None:
    info = heatmap(frames, CER, TOP1)
    figure = heatmap_figure(info)
    (trace,) = figure.data
    assert (list(trace.x), list(trace.y)) == (info.names, info.rows)
    np.testing.assert_array_equal(trace.z, info.shade)
    assert [list(row) for row in trace.text] == info.texts
    assert (trace.zmin, trace.zmax, trace.texttemplate) == (0, 1, "%{text}")
    assert list(figure.layout.xaxis.categoryarray) == info.names
    assert list(figure.layout.yaxis.categoryarray) == info.rows
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("category", "category")
    assert figure.layout.yaxis.autorange == "reversed"


def test_small_cells_hold_no_numbers() -> None:
    frames = build([version(place, f"0.{place}.0", None, {"cer": place}) for place in range(60)])
    (trace,) = heatmap_figure(heatmap(frames, CER)).data
    assert trace.texttemplate is None
    assert trace.text[0][59] == "59"


def test_a_missing_number_is_blank(frames: Frames) -> None:
    info = heatmap(frames, CER, BLOBS)
    place = info.names.index("0.12.0")
    assert np.isnan(info.shade[1, place])
    assert info.texts[1][place] == ""


def test_a_large_registry_is_drawn() -> None:
    datasets = [f"d-{number}" for number in range(160)]
    versions = [
        version(place % 60, f"0.{place}.0", "Approved", {f"cer@{dataset}": 0.1 + place for dataset in datasets})
        for place in range(1500)
    ]
    frames = build(versions)
    pairs = [Pair("cer", dataset) for dataset in datasets]
    trends = trend(frames, *pairs)
    assert sum(len(panel.values) for panel in trends.panels) == 160 * 1500
    page = trends._replace(panels=trends.panels[:12])
    assert len(trend_figure(page).layout.annotations) == 12
    info = heatmap(frames, *pairs)
    assert info.shade.shape == (160, 1500)
    heatmap_figure(info)


def test_labels_read_back_as_the_names_of_the_frame(frames: Frames) -> None:
    assert [html.unescape(name) for name in heatmap(frames, CER).names] == [
        name for name in frames.versions["version_name"] if name != "0.11.0"
    ]

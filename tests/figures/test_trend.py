"""Trend panels: the numbers of the frame, marks by status, the approved rule, the best so far."""

import math
from typing import Any

import pytest

from paiview.evaluation.frames import Frames, Pair, build
from paiview.figures.style import APPROVED, BEST, NEUTRAL, PENDING, REJECTED
from paiview.figures.trend import Axis, TrendInfo, TrendPanel, trend_figure
from tests.figures.conftest import BLOBS, CER, TOP1, trend, version


def drawn(info: TrendInfo) -> dict[str, Any]:
    """The traces of a one-panel figure by name, without those that only stand in the legend."""
    return {trace.name: trace for trace in trend_figure(info).data if trace.x[0] is not None}


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
    [(CER, "↓"), (TOP1, "↑"), (BLOBS, "direction unknown")],
)
def test_a_panel_says_which_way_is_better(frames: Frames, pair: Pair, words: str) -> None:
    assert trend(frames, pair).panels[0].title == f"<b>aishell</b>  {pair.metric} {words}"


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
    assert [note.text for note in figure.layout.annotations] == [
        *("<b>aishell</b>  cer ↓", "0.1.0", "0.13.0"),
        *("<b>aishell</b>  top1 ↑", "0.1.0", "0.12.0"),
        *("<b>aishell</b>  blobs direction unknown", "0.1.0", "0.10.0"),
    ]


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


def test_the_first_and_the_last_version_stand_below_a_panel() -> None:
    frames = build(
        [version(place % 60, f"0.{place}.0_a-long-suffix-of-a-name", None, {"cer": 1}) for place in range(9)]
    )
    figure = trend_figure(trend(frames, CER))
    _, first, last = figure.layout.annotations
    assert (first.text, last.text) == ("0.0.0_a-long-suffix…", "0.8.0_a-long-suffix…")
    assert (first.hovertext, last.hovertext) == ("0.0.0_a-long-suffix-of-a-name", "0.8.0_a-long-suffix-of-a-name")
    assert (first.xanchor, first.x) == ("left", figure.layout.xaxis.domain[0])
    assert (last.xanchor, last.x) == ("right", figure.layout.xaxis.domain[1])
    assert figure.layout.xaxis.showticklabels is False
    (one,) = [note.text for note in trend_figure(trend(frames, CER, orders=[3])).layout.annotations][1:]
    assert one == "0.3.0_a-long-suffix…"


def test_long_names_are_cut_between_characters() -> None:
    frames = build([version(0, "0.1.0_abcdefghijkl<&>d<&>", None, {"cer": 0.1})])
    assert trend_figure(trend(frames, CER)).layout.annotations[1].text == "0.1.0_abcdefghijkl&lt;…"


def panel_of(values: list[float], metric: str = "cer", approved: int | None = None) -> TrendPanel:
    frames = build(
        [
            version(place % 60, f"0.{place}.0", "Approved" if place == approved else None, {metric: value})
            for place, value in enumerate(values)
        ]
    )
    return trend(frames, Pair(metric, "aishell")).panels[0]


def axes_and_marks(panel: TrendPanel) -> tuple[Any, list[float]]:
    figure = trend_figure(TrendInfo([panel], 0))
    return figure.layout.yaxis, [
        value for trace in figure.data if trace.mode == "markers" for value in trace.y if value
    ]


def test_powers_of_ten_have_a_logarithmic_scale_and_the_title_says_so() -> None:
    panel = panel_of([0.01, 0.1, 1.1])
    assert panel.title == "<b>aishell</b>  cer ↓ · log scale"
    axis, marks = axes_and_marks(panel)
    assert (axis.type, axis.range, marks) == ("log", None, [0.01, 0.1, 1.1])
    assert panel_of([0.01, 1.0]).axis == Axis(False, None, None)
    assert panel_of([-0.01, 0.1, 100.0], "psnr").axis.is_log is False


def test_a_zero_stands_at_the_edge_of_a_logarithmic_scale() -> None:
    panel = panel_of([0.0, 0.01, 10.0])
    assert panel.axis == Axis(True, 0.01, 10.0)
    assert panel.title == "<b>aishell</b>  cer ↓ · log scale · 1 at the edge"
    axis, marks = axes_and_marks(panel)
    assert axis.range == pytest.approx((-2.18, 1.18))
    assert marks == [0.01, 0.01, 10.0]


def test_values_far_out_stand_at_the_edge_and_say_their_number() -> None:
    panel = panel_of([0.20, 0.21, 0.22, 0.23, 0.24, 9.0])
    assert panel.axis == Axis(False, 0.20, 0.24)
    assert panel.title == "<b>aishell</b>  cer ↓ · 1 at the edge"
    axis, marks = axes_and_marks(panel)
    assert axis.range == pytest.approx((0.1976, 0.2424))
    assert marks == [0.20, 0.21, 0.22, 0.23, 0.24, 0.24]
    traces = drawn(TrendInfo([panel], 0))
    assert list(traces["cer on aishell"].y) == [0.20, 0.21, 0.22, 0.23, 0.24, 9.0]
    assert traces["other status"].customdata[5][2] == 9.0
    assert "%{customdata[2]}" in traces["other status"].hovertemplate


def test_the_axis_holds_the_approved_number() -> None:
    values = [0.20, 0.21, 0.22, 0.23, 0.24, 9.0]
    assert panel_of(values, approved=5).axis == Axis(False, None, None)
    assert panel_of(values, approved=2).axis == Axis(False, 0.20, 0.24)


@pytest.mark.parametrize("values", [[1.7e308, -1.7e308], [5e-324, 1.7e308], [0.0, 0.0], [0.0, 5e-324, 1e308]])
def test_numbers_at_the_ends_of_the_floats_are_drawn(values: list[float]) -> None:
    panel = panel_of(values, "psnr")
    assert list(drawn(TrendInfo([panel], 0))["psnr on aishell"].y) == values
    axis, _ = axes_and_marks(panel)
    assert axis.range is None or all(map(math.isfinite, axis.range))

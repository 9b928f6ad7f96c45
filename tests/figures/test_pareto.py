"""The Pareto scatter: two numbers a version, who is dominated by whom, and the front as a step line."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.decisions.decision import Decision
from paiview.evaluation.metric_meaning import DatasetContract, MetricContract
from paiview.evaluation.results import Pair
from paiview.figures.pareto import pareto_figure, pareto_info
from tests.figures.conftest import MARKUP, decision, meant, texts_of

CER = Pair("cer", "a")
RTF = Pair("rtf", "a")
BASE = {"cer@a": 0.2, "rtf@a": 0.5}


def decisions(
    points: Mapping[str, Mapping[str, float]], base: Mapping[str, float] = BASE, **contracts: MetricContract
) -> list[Decision]:
    return [decision(numbers, base, name, metrics=contracts) for name, numbers in points.items()]


def test_versions_stand_at_their_numbers_the_baseline_last() -> None:
    info = pareto_info(decisions({"1": {"cer@a": 0.1, "rtf@a": 0.9}, "2": {"cer@a": 0.15, "rtf@a": 0.4}}), CER, RTF)
    assert info.names == ["1", "2", "0.10.0"]
    assert info.labels == ["1", "2", "0.10.0 (baseline)"]
    assert (info.x.tolist(), info.y.tolist()) == ([0.1, 0.15, 0.2], [0.9, 0.4, 0.5])
    assert info.left_out == []


def test_what_dominates_is_named_and_what_is_dominated_is_hollow() -> None:
    info = pareto_info(decisions({"1": {"cer@a": 0.1, "rtf@a": 0.9}, "2": {"cer@a": 0.15, "rtf@a": 0.4}}), CER, RTF)
    assert info.dominators == [None, None, "2"]
    figure = pareto_figure(info)
    marks = {trace.name: trace for trace in figure.data}
    assert (list(marks["dominated"].x), marks["dominated"].marker.symbol) == ([0.2], "circle-open")
    assert (list(marks["not dominated"].x), marks["not dominated"].marker.symbol) == ([0.1, 0.15], "circle")
    assert list(marks["not dominated"].text) == ["1", "2"]
    assert marks["dominated"].hovertext[0].endswith("dominated by 2")


@pytest.mark.parametrize(
    ("x", "y", "shape", "corners", "ends"),
    [
        ("cer", "rtf", "hv", [(1, 9), (5, 5), (9, 1)], ("top", "right")),
        ("acc", "f1", "vh", [(1, 9), (5, 5), (9, 1)], ("left", "bottom")),
        ("cer", "f1", "hv", [(1, 1), (5, 5), (9, 9)], ("bottom", "right")),
        ("acc", "rtf", "vh", [(1, 1), (5, 5), (9, 9)], ("left", "top")),
    ],
)
def test_the_front_steps_around_what_is_dominated(
    x: str, y: str, shape: str, corners: list[tuple[int, int]], ends: tuple[str, str]
) -> None:
    points = {str(place): {f"{x}@a": float(across), f"{y}@a": float(up)} for place, (across, up) in enumerate(corners)}
    worst = {f"{x}@a": 9.5 if x == "cer" else 0.5, f"{y}@a": 9.5 if y == "rtf" else 0.5}
    info = pareto_info(decisions(points, worst), Pair(x, "a"), Pair(y, "a"))
    assert info.dominators[:3] == [None] * 3
    assert info.dominators[3] is not None
    assert [(info.x[place], info.y[place]) for place in info.front] == corners
    figure = pareto_figure(info)
    line = figure.data[0]
    assert (line.name, line.line.shape) == ("front", shape)
    across, up = figure.layout.xaxis.range, figure.layout.yaxis.range
    edges = {"left": across[0], "right": across[1], "bottom": up[0], "top": up[1]}
    drawn = [*zip(line.x, line.y, strict=True)]
    assert drawn[1:-1] == corners
    assert edges[ends[0]] in drawn[0]
    assert edges[ends[1]] in drawn[-1]


def test_a_change_within_tolerance_dominates_nobody() -> None:
    points = {"1": {"cer@a": 0.1999, "rtf@a": 0.5}}
    assert pareto_info(decisions(points), CER, RTF).dominators == [None, None]
    exact = meant("cer", relative=0.0)
    assert pareto_info(decisions(points, cer=exact), CER, RTF).dominators == [None, "1"]


def test_what_is_a_little_worse_in_both_is_no_corner_of_the_front() -> None:
    info = pareto_info(decisions({"1": {"cer@a": 0.2001, "rtf@a": 0.5001}}), CER, RTF)
    assert info.dominators == [None, None]
    assert [info.names[place] for place in info.front] == ["0.10.0"]


def test_a_metric_alone_is_its_mean_over_the_datasets_all_have() -> None:
    base = {"cer@a": 0.1, "cer@b": 0.3, "cer@c": 0.9, "rtf@a": 0.5}
    info = pareto_info(
        decisions(
            {
                "1": {"cer@a": 0.2, "cer@b": 0.4, "rtf@a": 0.4},
                "2": {"cer@a": 0.2, "cer@b": 0.2, "cer@d": 9.0, "rtf@a": 0.3},
                "3": {"rtf@a": 0.1},
            },
            base,
        ),
        "cer",
        RTF,
    )
    assert info.names == ["1", "2", "0.10.0"]
    assert info.x == pytest.approx([0.3, 0.2, 0.2])
    assert info.axes[0].datasets == ["a", "b"]
    assert info.axes[0].title == "cer, mean of 2 datasets (↓ lower is better)"
    assert info.axes[1].title == "rtf on a (↓ lower is better)"
    assert info.left_out == ["3"]


def test_datasets_nobody_shares_leave_nothing_to_draw() -> None:
    info = pareto_info(decisions({"1": {"cer@b": 0.2, "rtf@a": 0.4}}), "cer", RTF)
    assert (info.names, info.left_out) == ([], ["1", "0.10.0"])
    assert len(pareto_figure(info).data) == 0


def test_an_unknown_direction_has_no_front_and_nobody_dominated() -> None:
    points = {"1": {"cer@a": 0.1, "blobs@a": 1.0}, "2": {"cer@a": 0.3, "blobs@a": 2.0}}
    info = pareto_info(decisions(points, {"cer@a": 0.4, "blobs@a": 3.0}), CER, Pair("blobs", "a"))
    assert (info.front, info.dominators) == ([], [None, None, None])
    assert [trace.name for trace in pareto_figure(info).data] == ["version"]


def test_a_baseline_of_another_model_is_named_with_it() -> None:
    told = [decision({"cer@a": 0.1, "rtf@a": 0.5}, BASE, "0.10.0", against_model="model-b")]
    assert pareto_info(told, CER, RTF).names == ["0.10.0", "0.10.0 of model-b"]


def test_the_same_metric_on_two_datasets_makes_two_axes() -> None:
    info = pareto_info(
        decisions({"1": {"cer@a": 0.1, "cer@b": 0.9}}, {"cer@a": 0.2, "cer@b": 0.1}), CER, Pair("cer", "b")
    )
    assert (info.x.tolist(), info.y.tolist(), info.dominators) == ([0.1, 0.2], [0.9, 0.1], [None, None])


def test_long_names_are_told_apart_and_stay_inside() -> None:
    front = "speech_paraformer-large_asr_nat-zh-cn-16k-common-vocab8404-online-2024"
    points = {
        f"{front}-07": {"cer@a": 0.1, "rtf@a": 0.9},
        f"{front}-08": {"cer@a": 0.15, "rtf@a": 0.4},
        f"{front}-09": {"cer@a": 0.9, "rtf@a": 0.1},
    }
    info = pareto_info(decisions(points), CER, RTF)
    assert info.labels[:3] == [f"speech_pa…404-online-2024-0{month}" for month in (7, 8, 9)]
    (marks,) = (trace for trace in pareto_figure(info).data if trace.name == "not dominated")
    assert list(marks.textposition) == ["bottom right", "bottom right", "bottom left"]
    assert marks.hovertext[0].startswith(f"<b>{front}-07</b>")


def test_short_names_stand_at_the_better_corner_of_the_front() -> None:
    points = {"1": {"cer@a": 0.1, "rtf@a": 0.9}, "2": {"cer@a": 0.15, "rtf@a": 0.4}}
    (marks,) = (
        trace for trace in pareto_figure(pareto_info(decisions(points), CER, RTF)).data if trace.name == "not dominated"
    )
    assert list(marks.textposition) == ["bottom left", "bottom left"]


def test_the_label_of_a_dominated_version_keeps_off_the_line_of_the_front() -> None:
    points = {"1": {"cer@a": 0.1, "rtf@a": 0.4}, "2": {"cer@a": 0.5, "rtf@a": 0.4}}
    (marks,) = (
        trace for trace in pareto_figure(pareto_info(decisions(points), CER, RTF)).data if trace.name == "dominated"
    )
    sides = dict(zip(marks.text, marks.textposition, strict=True))
    assert sides["2"] in ("top center", "bottom center")


def test_display_names_and_no_text_becomes_markup() -> None:
    column = f"{MARKUP}@{MARKUP}"
    pair = Pair(MARKUP, MARKUP)
    told = [decision({column: 0.1}, {column: 0.2}, MARKUP, metrics={MARKUP: meant(MARKUP, "lower")}, against="v 0")]
    shown = texts_of(pareto_figure(pareto_info(told, pair, pair)))
    assert any("&lt;a href" in text for text in shown)
    for text in shown:
        assert "<" not in text.replace("<b>", "").replace("</b>", "").replace("<br>", "")
    named = [decision({"cer@a": 0.1}, {"cer@a": 0.2}, datasets={"a": DatasetContract(name="AISHELL & co")})]
    assert pareto_info(named, CER, "cer").axes[0].title == "cer on AISHELL &amp; co (↓ lower is better)"


def test_one_version_and_numbers_at_the_ends_of_the_floats_are_drawn() -> None:
    ends = [{"cer@a": 1.7e308, "rtf@a": -1.7e308}, {"cer@a": 5e-324, "rtf@a": -5e-324}]
    for numbers in ({"cer@a": 0.0, "rtf@a": 0.0}, *ends):
        pareto_figure(pareto_info([decision(numbers, None)], CER, RTF))
        pareto_figure(pareto_info(decisions({"1": numbers}, {"cer@a": -1.7e308, "rtf@a": 1.7e308}), "cer", "rtf"))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=10))
def test_nobody_stands_on_the_better_side_of_the_front(points: list[tuple[int, int]]) -> None:
    exact = {metric: meant(metric, relative=0.0) for metric in ("cer", "mos")}
    told = [
        decision({"cer@a": float(x), "mos@a": float(y)}, None, f"{place}", metrics=exact)
        for place, (x, y) in enumerate(points)
    ]
    info = pareto_info(told, Pair("cer", "a"), Pair("mos", "a"))
    corners = [points[place] for place in info.front]
    assert corners == sorted(set(corners))
    assert all(np.diff([y for _, y in corners]) > 0)
    for place, (x, y) in enumerate(points):
        assert any(cx <= x and cy >= y for cx, cy in corners)
        assert (info.dominators[place] is None) == ((x, y) in corners)

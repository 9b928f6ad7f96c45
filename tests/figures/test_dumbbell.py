"""Dumbbells: both numbers as stored, a panel a metric, marked by what the change means."""

import math
from typing import Any

import numpy as np

from paiview.evaluation.metric_meaning import DatasetContract
from paiview.evaluation.results import Measurement, Pair
from paiview.figures.dumbbell import DumbbellInfo, dumbbell_figure, dumbbell_info
from paiview.figures.style import BETTER, NEUTRAL, WORSE
from tests.figures.conftest import MARKUP, decision, texts_of

MIXED = decision(
    {"cer@a": 0.172, "cer@b": 0.11, "cer@c": 0.2004, "cer@e": 0.3, "blobs@a": 4.0},
    {"cer@a": 0.175, "cer@b": 0.10, "cer@c": 0.2, "cer@d": 0.5, "blobs@a": 3.0},
)


def traces(info: DumbbellInfo, axis: str = "x") -> dict[str, Any]:
    """The traces of one panel by name."""
    return {trace.name: trace for trace in dumbbell_figure(info).data if trace.xaxis == axis}


def test_each_metric_has_a_panel_with_both_numbers_the_worst_first() -> None:
    info = dumbbell_info(MIXED)
    assert (info.baseline, info.candidate, info.hidden) == ("0.10.0", "0.12.0", {})
    assert [panel.title for panel in info.panels] == [
        "<b>cer</b> ↓ lower is better",
        "<b>blobs</b> direction unknown",
    ]
    told = [(row.pair.dataset, row.state, row.baseline, row.candidate) for row in info.panels[0].rows]
    assert [row[:2] for row in told] == [("b", "worse"), ("d", "missing"), ("a", "better"), ("c", "same"), ("e", "new")]
    np.testing.assert_array_equal(
        [row[2:] for row in told],
        [(0.10, 0.11), (0.5, math.nan), (0.175, 0.172), (0.2, 0.2004), (math.nan, 0.3)],
    )


def test_the_figure_draws_the_numbers_in_their_rows() -> None:
    drawn = traces(dumbbell_info(MIXED))
    np.testing.assert_array_equal(drawn["baseline"].x, [0.10, 0.5, 0.175, 0.2, math.nan])
    np.testing.assert_array_equal(drawn["baseline"].y, [0, 1, 2, 3, 4])
    assert drawn["baseline"].marker.symbol == "circle-open"
    marks = {
        "worse": ([0.11], [0], "triangle-down", WORSE),
        "better": ([0.172], [2], "triangle-up", BETTER),
        "same": ([0.2004], [3], "circle", NEUTRAL),
        "new": ([0.3], [4], "cross-thin", NEUTRAL),
    }
    assert set(drawn) == {"change", "baseline", *marks}
    for state, (x, y, symbol, colour) in marks.items():
        trace = drawn[state]
        assert (list(trace.x), list(trace.y), trace.marker.symbol, trace.marker.color) == (x, y, symbol, colour)
    np.testing.assert_array_equal(drawn["change"].x[:6], [0.10, 0.11, math.nan, 0.5, math.nan, math.nan])
    np.testing.assert_array_equal(drawn["change"].y[:6], [0, 0, 0, 1, 1, 1])


def test_panels_have_axes_of_their_own_and_do_not_overlap() -> None:
    figure = dumbbell_figure(dumbbell_info(MIXED))
    assert [list(axis.ticktext) for axis in figure.select_yaxes()] == [["b", "d", "a", "c", "e"], ["a"]]
    domains = [axis.domain for axis in figure.select_yaxes()]
    assert all(0 <= low < high <= 1 for low, high in domains)
    assert domains[1][1] < domains[0][0]
    assert {trace.xaxis for trace in figure.data if trace.x[0] is not None} == {"x", "x2"}


def test_the_legend_names_both_versions_and_the_states_drawn() -> None:
    figure = dumbbell_figure(dumbbell_info(MIXED))
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == [
        "baseline 0.10.0",
        "0.12.0: better",
        "0.12.0: worse",
        "0.12.0: same",
        "0.12.0: new",
        "0.12.0: not comparable",
    ]


def test_pairs_without_any_number_are_left_out() -> None:
    told = decision({"cer@a": math.nan, "cer@b": 0.1}, {"cer@a": Measurement(math.nan, duplicated=True), "cer@b": 0.1})
    assert [row.pair.dataset for panel in dumbbell_info(told).panels for row in panel.rows] == ["b"]
    nothing = dumbbell_info(told, shown={Pair("cer", "a")})
    assert (nothing.panels, nothing.hidden) == ([], {})
    assert len(dumbbell_figure(nothing).data) == 0


def test_the_least_worrying_rows_are_left_out_and_counted() -> None:
    base = {f"cer@{place:02}": 0.1 for place in range(50)}
    told = decision({name: 0.1 + 0.01 * place for place, name in enumerate(base)}, base)
    info = dumbbell_info(told)
    assert (len(info.panels[0].rows), info.hidden) == (40, {"worse": 9, "same": 1})
    assert [row.pair.dataset for row in info.panels[0].rows[:2]] == ["49", "48"]


def test_missing_datasets_leave_room_for_what_became_better() -> None:
    base = {f"cer@{place:02}": 0.1 for place in range(80)}
    (panel,) = dumbbell_info(decision({f"cer@{place:02}": 0.05 for place in range(35)}, base)).panels
    assert [row.state for row in panel.rows].count("better") == 30
    assert len(panel.rows) == 40


def test_both_versions_are_told_apart_in_the_legend() -> None:
    front = "speech_paraformer-large_asr_nat-zh-cn-16k-common"
    info = dumbbell_info(decision({"cer@a": 0.2}, {"cer@a": 0.1}, f"{front}-2", against=f"{front}-1"))
    assert (info.baseline, info.candidate) == ("speech_par…at-zh-cn-16k-common-1", "speech_par…at-zh-cn-16k-common-2")
    figure = dumbbell_figure(info)
    assert figure.layout.margin.t == 56
    assert figure.layout.height == 28 + 32 + 24 + 56


def test_only_the_pairs_asked_for_are_drawn() -> None:
    info = dumbbell_info(MIXED, shown={Pair("blobs", "a"), Pair("cer", "c")})
    assert [row.pair for panel in info.panels for row in panel.rows] == [Pair("blobs", "a"), Pair("cer", "c")]


def test_without_a_baseline_the_candidate_stands_alone() -> None:
    info = dumbbell_info(decision({"cer@a": 0.1}, None))
    assert info.baseline == "no baseline"
    np.testing.assert_array_equal(traces(info)["baseline"].x, [math.nan])
    assert list(traces(info)["new"].x) == [0.1]


def test_labels_are_display_names_and_no_text_becomes_markup() -> None:
    column = f"{MARKUP}@{MARKUP}"
    info = dumbbell_info(decision({column: 0.1}, {column: 0.2}, MARKUP, against=MARKUP))
    shown = texts_of(dumbbell_figure(info))
    assert any("&lt;a href" in text for text in shown)
    for text in shown:
        assert "<" not in text.replace("<b>", "").replace("</b>", "").replace("<br>", "")
    named = decision({"cer@d-1": 0.1}, {"cer@d-1": 0.2}, datasets={"d-1": DatasetContract(name="AISHELL & co")})
    assert dumbbell_info(named).panels[0].rows[0].label == "AISHELL &amp; co"

"""The delta dot plot: effects of the decision, the worst first, right is better, and what has no size in a gutter."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.evaluation.metric_meaning import DatasetContract, MetricContract
from paiview.evaluation.results import Measurement, Pair
from paiview.figures import DeltaInfo, delta_figure, delta_info
from paiview.figures.style import BETTER, NEUTRAL, WORSE
from tests.figures.conftest import MARKUP, decision, texts_of

MIXED = decision(
    {"cer@a": 0.172, "cer@b": 0.11, "cer@c": 0.2004, "cer@e": 0.3, "cer@f": 0.095, "blobs@a": 4.0},
    {"cer@a": 0.175, "cer@b": 0.10, "cer@c": 0.2, "cer@d": 0.5, "cer@f": 0.1, "blobs@a": 3.0},
)


def effects(info: DeltaInfo) -> dict[str, float]:
    return {info.rows[mark.row].pair.dataset: mark.effect for mark in info.marks}


def drawn(info: DeltaInfo) -> dict[str, Any]:
    """By state and row: where each mark is drawn, its symbol and its colour."""
    found: dict[str, Any] = {}
    rows = {height: row for row, height in enumerate(delta_figure(info).layout.yaxis.tickvals)}
    for trace in delta_figure(info).data:
        if trace.hovertext is not None:
            for x, y in zip(trace.x, trace.y, strict=True):
                found.setdefault(trace.name, {})[rows[y]] = (x, y, trace.marker.symbol, trace.marker.color)
    return found


def named(figure: Any, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name)


def test_rows_begin_with_what_worries_most() -> None:
    info = delta_info([MIXED])
    assert [(row.pair.metric, row.pair.dataset) for row in info.rows] == [
        ("cer", "b"),
        ("cer", "d"),
        ("cer", "f"),
        ("cer", "a"),
        ("cer", "c"),
        ("cer", "e"),
        ("blobs", "a"),
    ]
    assert [mark.state for mark in sorted(info.marks)] == [
        "worse",
        "missing",
        "better",
        "better",
        "same",
        "new",
        "not_comparable",
    ]


def test_one_metric_s_rows_are_those_of_the_decision_in_its_order() -> None:
    judged = [(pair.metric, pair.dataset) for pair in MIXED.pairs if pair.metric == "cer"]
    assert [row.pair for row in delta_info([MIXED]).rows if row.pair.metric == "cer"] == judged


def test_effects_are_those_of_the_decision() -> None:
    info = delta_info([MIXED], shown=[Pair("cer", dataset) for dataset in "abc"])
    assert effects(info) == pytest.approx({"a": 0.003 / 0.175, "b": -0.1, "c": -0.002})
    assert [mark.label for mark in sorted(info.marks)] == ["−10.0 %", "+1.7 %", "−0.2 %"]


def test_right_is_better_and_the_axis_is_in_percent() -> None:
    marks = drawn(delta_info([MIXED]))
    assert marks["worse"] == {0: (pytest.approx(-10), 1, "triangle-down", WORSE)}
    assert marks["better"] == {
        2: (pytest.approx(5), 3, "triangle-up", BETTER),
        3: (pytest.approx(300 / 175), 4, "triangle-up", BETTER),
    }
    assert marks["same"] == {4: (pytest.approx(-0.2), 5, "circle", NEUTRAL)}


def test_what_has_no_size_is_left_of_the_scale_and_says_why() -> None:
    info = delta_info([MIXED])
    labels = {info.rows[mark.row].pair: mark.label for mark in info.marks if math.isnan(mark.effect)}
    assert labels == {
        Pair("cer", "d"): "missing",
        Pair("cer", "e"): "new",
        Pair("blobs", "a"): "not comparable",
    }
    marks = drawn(info)
    assert info.limit == pytest.approx(0.1)
    assert marks["missing"] == {1: (pytest.approx(-12), 2, "circle-open", NEUTRAL)}
    assert marks["new"][5][2] == "cross-thin"
    assert marks["not_comparable"][6][2] == "diamond-open"


def test_a_change_from_zero_or_no_errors_is_hollow_on_its_side() -> None:
    info = delta_info(
        [
            decision(
                {"cer@a": 0.1, "wip@b": 0.2, "acc@c": 0.98, "cer@same": 0.0},
                {"cer@a": 0.0, "wip@b": 0.0, "acc@c": 1.0, "cer@same": 0.0},
            )
        ]
    )
    labels = {info.rows[mark.row].pair.dataset: (mark.state, mark.label) for mark in info.marks}
    assert labels == {
        "a": ("worse", "from 0"),
        "b": ("better", "from 0"),
        "c": ("worse", "from no errors"),
        "same": ("same", "0.0 %"),
    }
    marks = drawn(info)
    edge = 120 * info.limit
    assert [(x, symbol) for x, _, symbol, _ in marks["worse"].values()] == [
        (pytest.approx(-edge), "triangle-down-open")
    ] * 2
    assert [(x, symbol) for x, _, symbol, _ in marks["better"].values()] == [(pytest.approx(edge), "triangle-up-open")]
    assert [x for x, *_ in marks["same"].values()] == [0]


def test_the_end_of_a_row_holds_the_glyph_and_both_numbers_with_equal_decimals() -> None:
    info = delta_info([MIXED])
    assert [row.values for row in info.rows] == [
        "▼ 0.1100 ← 0.1000",
        "○ – ← 0.5000",
        "▲ 0.0950 ← 0.1000",
        "▲ 0.1720 ← 0.1750",
        "＝ 0.2004 ← 0.2000",
        "✚ 0.3000 ← –",
        "? 4 ← 3",
    ]
    figure = delta_figure(info)
    assert list(figure.layout.yaxis2.ticktext) == [row.values for row in info.rows]
    assert list(figure.layout.yaxis2.tickvals) == list(figure.layout.yaxis.tickvals)
    assert figure.layout.yaxis2.range == figure.layout.yaxis.range


def test_the_decimals_of_the_contract_are_kept() -> None:
    told = decision({"cer@a": 0.2}, {"cer@a": 0.1754}, metrics={"cer": MetricContract("cer", digits=2)})
    assert delta_info([told]).rows[0].values == "▼ 0.20 ← 0.18"


def test_each_metric_has_a_panel_with_its_direction_and_tolerance() -> None:
    told = decision(
        {"cer@a": 0.1, "acc@a": 0.5, "blobs@a": 1.0, "acc@b": 0.6},
        {"cer@a": 0.2, "acc@a": 0.9, "blobs@a": 1.0, "acc@b": 0.6},
        metrics={"acc": MetricContract("acc", relative=0.05, absolute=0.002)},
    )
    info = delta_info([told])
    assert [(panel.title, panel.first, panel.last) for panel in info.panels] == [
        ("<b>acc</b> ↑ higher is better, tolerance 5 % and 0.002", 0, 1),
        ("<b>blobs</b> direction unknown", 2, 2),
        ("<b>cer</b> ↓ lower is better, tolerance 1 %", 3, 3),
    ]
    assert list(delta_figure(info).layout.yaxis.tickvals) == [1, 2, 4, 6]


def test_the_band_is_the_tolerance_in_effects() -> None:
    told = decision(
        {"cer@a": 0.2, "acc@b": 0.92, "blobs@c": 3.0, "cer@d": 0.4, "f1@e": 0.2},
        {"cer@a": 0.1, "acc@b": 0.9, "blobs@c": 4.0, "cer@d": 0.2, "f1@e": 0.1},
        metrics={
            "cer": MetricContract("cer", relative=0.03, absolute=0.01),
            "acc": MetricContract("acc", relative=0.01, absolute=0.005),
        },
    )
    info = delta_info([told])
    band = {row.pair.dataset: info.tolerance[place, 0] for place, row in enumerate(info.rows)}
    assert band == pytest.approx(
        {
            "a": 0.1,  # 0.01 of 0.1
            "d": 0.05,  # 0.01 of 0.2
            "b": 0.05,  # 0.005 of the 0.1 errors
            "c": 0.0,  # nobody said which way is better
            "e": 0.01,
        }
    )
    outline = named(delta_figure(info), "within tolerance")
    row = next(place for place, row in enumerate(info.rows) if row.pair.dataset == "d")
    height = delta_figure(info).layout.yaxis.tickvals[row]
    inside = [x for x, y in zip(outline.x, outline.y, strict=True) if y in (height - 0.5, height + 0.5)]
    assert pytest.approx(5) in inside
    assert pytest.approx(-5) in inside


def test_a_mark_is_the_same_exactly_within_its_band() -> None:
    numbers = {f"cer@{place}": round(0.1 + place / 10_000, 4) for place in range(-30, 31)}
    told = decision(numbers, dict.fromkeys(numbers, 0.1), metrics={"cer": MetricContract("cer", absolute=0.0015)})
    info = delta_info([told], most=100)
    for mark in info.marks:
        is_inside = abs(mark.effect) <= info.tolerance[mark.row, 0] + 1e-12
        assert (mark.state == "same") == is_inside


def test_whiskers_stand_only_where_both_sides_were_counted() -> None:
    told = decision(
        {"cer@a": Measurement(0.1, n=1000), "cer@b": 0.1, "acc@c": Measurement(0.95, n=1000)},
        {"cer@a": Measurement(0.2, n=1000), "cer@b": 0.2, "acc@c": Measurement(0.9, n=1000)},
    )
    info = delta_info([told])
    pairs = {pair.dataset: pair for pair in told.pairs}
    ends = {info.rows[mark.row].pair.dataset: (mark.low, mark.high) for mark in info.marks}
    low, high = pairs["a"].interval or (0, 0)
    assert ends["a"] == pytest.approx((-high / 0.2, -low / 0.2))
    low, high = pairs["c"].interval or (0, 0)
    assert pairs["c"].reading == "error"
    assert ends["c"] == pytest.approx((low / 0.1, high / 0.1))
    assert all(map(math.isnan, ends["b"]))
    for mark in info.marks:
        assert math.isnan(mark.low) or mark.low < mark.effect < mark.high
    lines = named(delta_figure(info), "rough interval")
    assert len(lines.x) == 6
    assert sorted(np.array(lines.x)[[0, 1, 3, 4]]) == pytest.approx(
        sorted(end * 100 for dataset in "ac" for end in ends[dataset])
    )


def test_without_counts_there_are_no_whiskers() -> None:
    assert "rough interval" not in [trace.name for trace in delta_figure(delta_info([MIXED])).data]


def test_one_huge_effect_stands_at_the_edge_with_an_arrow_and_its_value() -> None:
    told = decision(
        {"cer@a": 0.19, "cer@b": 0.18, "cer@c": 0.17, "cer@huge": 1.9},
        {"cer@a": 0.2, "cer@b": 0.2, "cer@c": 0.2, "cer@huge": 0.2},
    )
    info = delta_info([told])
    assert info.limit == pytest.approx(0.15)
    assert info.beyond == 1
    edge = next(trace for trace in delta_figure(info).data if trace.marker.symbol == "triangle-left")
    assert (list(edge.x), [text.strip() for text in edge.text]) == ([pytest.approx(-15)], ["−850.0 %"])
    assert edge.marker.color == WORSE
    assert effects(info)["huge"] == pytest.approx(-8.5)


def test_effects_of_one_size_are_not_clipped() -> None:
    told = decision({"cer@a": 0.1, "cer@b": 0.4}, {"cer@a": 0.2, "cer@b": 0.2})
    info = delta_info([told])
    assert (info.limit, info.beyond) == (1.0, 0)


def test_effects_at_the_end_of_the_floats_stand_at_the_edge() -> None:
    info = delta_info([decision({"cer@a": 1.0, "cer@b": 2.0}, {"cer@a": 6e-309, "cer@b": 4e-308})])
    assert (info.limit, info.beyond) == (1e100, 2)
    assert {x for trace in delta_figure(info).data if trace.name == "worse" for x in trace.x} == {-1e102}


def test_a_huge_better_effect_has_its_arrow_to_the_right() -> None:
    told = decision(
        {"mos@a": 4.1, "mos@b": 4.2, "mos@c": 400.0},
        {"mos@a": 4.0, "mos@b": 4.0, "mos@c": 4.0},
    )
    symbols = {mark[2] for marks in drawn(delta_info([told])).values() for mark in marks.values()}
    assert symbols == {"triangle-up", "triangle-right"}


@given(
    st.lists(
        st.tuples(*[st.sampled_from([0.0, 1e-9, 0.1, 0.11, 0.5, 1.0, 7.0, -2.0, 1e300]) | st.none()] * 3),
        min_size=1,
        max_size=8,
    )
)
def test_every_mark_stays_in_the_column_of_its_candidate(rows: list[tuple[float | None, ...]]) -> None:
    base, *sides = (
        {
            f"{('acc', 'cer')[place % 2]}@{place}": number
            for place, row in enumerate(rows)
            if (number := row[side]) is not None
        }
        for side in range(3)
    )
    info = delta_info([decision(side, base, f"0.{place}.0") for place, side in enumerate(sides)])
    figure = delta_figure(info)
    left, right = figure.layout.xaxis.range or (0, 0)
    heights = list(figure.layout.yaxis.tickvals or [])
    column = (right - left) / 2
    seen = 0
    for trace in figure.data:
        for x, y, hover in zip(trace.x, trace.y, trace.hovertext if trace.hovertext is not None else [], strict=False):
            place = 0 if hover.startswith("<b>0.0.0</b>") else 1
            assert left + place * column < x < left + (place + 1) * column
            assert y in heights
            seen += 1
    assert seen == len(info.marks)


def test_rows_of_several_candidates_follow_the_worst_of_them() -> None:
    base = {"cer@a": 0.1, "cer@b": 0.1, "cer@c": 0.1}
    info = delta_info(
        [
            decision({"cer@a": 0.05, "cer@b": 0.11, "cer@c": 0.1}, base, "0.11.0"),
            decision({"cer@a": 0.12, "cer@b": 0.1, "cer@c": 0.1}, base, "0.12.0"),
        ]
    )
    assert [row.pair.dataset for row in info.rows] == ["a", "b", "c"]
    assert info.candidates == ["0.11.0", "0.12.0"]
    assert {(mark.row, mark.column): mark.label for mark in info.marks} == {
        (0, 0): "+50.0 %",
        (0, 1): "−20.0 %",
        (1, 0): "−10.0 %",
        (1, 1): "0.0 %",
        (2, 0): "0.0 %",
        (2, 1): "0.0 %",
    }
    assert {row.values for row in info.rows} == {""}


def test_each_candidate_has_a_column_with_its_name_and_the_same_scale() -> None:
    base = {"cer@a": 0.1}
    info = delta_info([decision({"cer@a": 0.1 + place / 100}, base, f"0.{place}.0") for place in range(3)])
    figure = delta_figure(info)
    heads = [(note.text, note.x) for note in figure.layout.annotations if note.yref == "paper"]
    assert [text for text, _ in heads] == ["0.0.0", "0.1.0", "0.2.0"]
    zero = [x for _, x in heads]
    assert zero[0] == 0
    assert zero[2] - zero[1] == zero[1] - zero[0]
    placed = [x for marks in drawn(info).values() for x, *_ in marks.values()]
    lines = named(figure, "baseline 0.10.0")
    assert sorted(set(lines.x)) == zero
    assert placed[-1] == pytest.approx(zero[2] - 20)


def test_one_candidate_names_its_baseline_and_sides() -> None:
    figure = delta_figure(delta_info([MIXED]))
    assert [note.text for note in figure.layout.annotations if note.yref == "paper"] == [
        "← worse",
        "<b>0.10.0</b>",
        "better →",
    ]
    assert not [trace for trace in figure.data if trace.showlegend is not False]


def test_candidates_with_baselines_of_their_own_say_so() -> None:
    base = {"cer@a": 0.1}
    told = [decision({"cer@a": 0.2}, base, "0.11.0"), decision({"cer@a": 0.2}, base, "0.12.0", against="0.9.0")]
    assert delta_info(told).baseline == "each one's baseline"
    assert named(delta_figure(delta_info(told)), "each one's baseline").showlegend


def test_without_a_baseline_everything_is_new() -> None:
    info = delta_info([decision({"cer@a": 0.1}, None)])
    assert (info.baseline, [mark.state for mark in info.marks]) == ("no baseline", ["new"])
    delta_figure(info)


def test_the_least_worrying_rows_are_left_out_and_counted() -> None:
    base = {f"cer@{place:02}": 0.1 for place in range(50)}
    told = decision({name: 0.1 + 0.001 * place for place, name in enumerate(base)}, base)
    info = delta_info([told])
    assert (len(info.rows), info.hidden) == (40, {"worse": 8, "same": 2})
    assert [row.pair.dataset for row in info.rows[:2]] == ["49", "48"]
    assert delta_info([told], most=60).hidden == {}
    assert len(delta_info([told], most=60).rows) == 50


def test_missing_datasets_leave_room_for_what_became_better() -> None:
    base = {f"cer@{place:02}": 0.1 for place in range(80)}
    info = delta_info([decision({f"cer@{place:02}": 0.05 if place else 0.2 for place in range(15)}, base)])
    assert [mark.state for mark in info.marks].count("better") == 14
    assert [mark.state for mark in info.marks].count("missing") == 25
    assert (info.rows[0].pair.dataset, info.hidden) == ("00", {"missing": 40})


def test_heads_of_long_names_with_a_common_beginning_are_told_apart() -> None:
    names = [f"speech_paraformer-large_asr_nat-zh-cn-16k-2024-0{month}-01" for month in (7, 8, 9)]
    figure = delta_figure(delta_info([decision({"cer@a": 0.2}, {"cer@a": 0.1}, name) for name in names]))
    heads = [note.text for note in figure.layout.annotations if note.yref == "paper"]
    assert heads == [f"speec…2024-0{month}-01" for month in (7, 8, 9)]


def test_a_legend_of_several_lines_stays_clear_of_the_heads() -> None:
    def top(numbers: dict[str, float]) -> int:
        told = [decision(numbers, dict.fromkeys(numbers, 0.1), name) for name in ("1", "2")]
        return int(delta_figure(delta_info(told)).layout.margin.t)

    assert top({"cer@a": 0.2}) == 92
    assert top({"cer@a": 0.2, "cer@b": 0.05, "cer@c": 0.1}) == 112


def test_many_columns_have_room_for_their_ticks() -> None:
    told = [decision({"cer@a": 0.147}, {"cer@a": 0.1}, f"{place}") for place in range(5)]
    axis = delta_figure(delta_info(told)).layout.xaxis
    assert list(axis.ticktext) == ["0", "+40 %"] * 5
    assert list(delta_figure(delta_info(told[:2])).layout.xaxis.ticktext) == ["−40 %", "0", "+40 %"] * 2


def test_only_the_pairs_asked_for_are_drawn() -> None:
    info = delta_info([MIXED], shown={Pair("cer", "d"), Pair("blobs", "a"), Pair("cer", "unheard of")})
    assert [row.pair for row in info.rows] == [Pair("cer", "d"), Pair("blobs", "a")]
    assert info.hidden == {}


def test_nothing_to_draw_is_an_empty_figure() -> None:
    for info in (delta_info([]), delta_info([MIXED], shown=[]), delta_info([decision({}, {})])):
        assert (info.rows, info.marks, info.hidden) == ([], [], {})
        assert len(delta_figure(info).data) == 0


def test_datasets_have_their_display_names_and_stay_apart() -> None:
    told = decision(
        {"cer@d-1": 0.1, "cer@d-2": 0.1},
        {"cer@d-1": 0.2, "cer@d-2": 0.2},
        datasets={"d-1": DatasetContract(name="test"), "d-2": DatasetContract(name="test")},
    )
    assert [row.label for row in delta_info([told]).rows] == ["test", "test (2)"]


def test_hover_tells_everything_about_a_pair() -> None:
    told = decision({"acc@a": 0.981}, {"acc@a": 0.99})
    (mark,) = delta_info([told]).marks
    assert mark.hover == "<b>0.12.0</b> · a<br>acc 0.981 ← 0.990<br>▼ worse · −90.0 % read as errors"


def test_no_text_of_the_service_becomes_markup() -> None:
    column = f"{MARKUP}@{MARKUP}"
    told = [decision({column: 0.1}, {column: 0.2}, f"{MARKUP}{place}", against=MARKUP) for place in range(2)]
    for decisions in (told, told[:1]):
        shown = texts_of(delta_figure(delta_info(decisions)))
        assert any("&lt;a href" in text for text in shown)
        for text in shown:
            assert "<" not in text.replace("<b>", "").replace("</b>", "").replace("<br>", "")


def test_twenty_candidates_are_drawn_with_few_traces() -> None:
    base = {f"cer@{place:02}": 0.1 for place in range(50)}
    told = [
        decision(
            {name: 0.1 + 0.0005 * ((place * turn) % 13 - 6) for place, name in enumerate(base) if (place + turn) % 17},
            base,
            f"0.{turn}.0",
        )
        for turn in range(20)
    ]
    info = delta_info(told)
    assert len(info.rows) == 40
    assert len(delta_figure(info).data) <= 16

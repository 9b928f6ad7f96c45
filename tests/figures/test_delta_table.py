"""The delta dot plot as HTML: each mark in its place, nothing told by colour alone, and only text from strangers."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.decisions.decision import Decision
from paiview.evaluation.results import Measurement
from paiview.figures.delta import delta_info
from paiview.figures.delta_table import delta_html
from paiview.figures.style import BETTER, NEUTRAL, WORSE
from paiview.text import one_line
from tests.figures.conftest import decision, meant
from tests.harness.hostile import TEXTS
from tests.harness.html_tree import Element, parse

MIXED = decision(
    {"cer@a": 0.172, "cer@b": 0.11, "cer@c": 0.2004, "cer@e": 0.3, "cer@f": 0.095, "blobs@a": 4.0},
    {"cer@a": 0.175, "cer@b": 0.10, "cer@c": 0.2, "cer@d": 0.5, "cer@f": 0.1, "blobs@a": 3.0},
)


def plot(decisions: Sequence[Decision]) -> Element:
    return parse(delta_html(delta_info(decisions)))


def rows(root: Element) -> list[Element]:
    """The rows of datasets."""
    return [row for body in root.find("tbody") for row in body.find("tr")[1:]]


def percentage(element: Element, name: str) -> float:
    value = element.style[name]
    assert value.endswith("%")
    return float(value.removesuffix("%"))


def marks(root: Element) -> dict[str, Any]:
    """By dataset, for one candidate: where its mark is, and its classes."""
    drawn = {}
    for row in rows(root):
        (mark,) = row.find(".delta-mark")
        drawn[row.find(".delta-name")[0].text] = (percentage(mark, "left"), mark.classes[1:])
    return drawn


def test_rows_are_those_of_the_info_in_its_order_under_their_metric() -> None:
    panels = [
        [body.find("tr")[0].text, *(row.find(".delta-name")[0].text for row in body.find("tr")[1:])]
        for body in plot([MIXED]).find("tbody")
    ]
    assert panels == [
        ["cer ↓ lower is better, tolerance 1 %", "b", "d", "f", "a", "c", "e"],
        ["blobs direction unknown", "a"],
    ]


def test_right_is_better_and_each_mark_has_the_shape_of_its_state() -> None:
    info = delta_info([MIXED])
    assert info.limit == pytest.approx(0.1)
    drawn = marks(plot([MIXED]))
    # The scale is two thirds of the cell, so 10 % is a third of it from the middle.
    assert drawn["b"] == (pytest.approx(50 - 100 / 3, abs=0.01), ["delta-worse", "delta-down"])
    assert drawn["f"] == (pytest.approx(50 + 50 / 3, abs=0.01), ["delta-better", "delta-up"])
    assert drawn["c"] == (pytest.approx(50 - 0.2 / 0.3, abs=0.01), ["delta-same", "delta-dot"])
    assert drawn["d"] == (10, ["delta-missing", "delta-ring"])
    assert drawn["e"] == (10, ["delta-new", "delta-plus"])
    assert drawn["a"] == (10, ["delta-not_comparable", "delta-question"])


def test_no_state_is_told_by_its_colour_or_shape_alone() -> None:
    cells = {row.find(".delta-name")[0].text: row.find(".delta-cell")[0].text for row in rows(plot([MIXED]))[:6]}
    assert cells == {
        "b": "−10.0 % worse",
        "d": "missing",
        "f": "+5.0 % better",
        "a": "+1.7 % better",
        "c": "−0.2 % same",
        "e": "new",
    }
    six = [MIXED.model_copy(update={"candidate": f"0.{place}.0"}) for place in range(6)]
    told = [cell.text for cell in rows(plot(six))[0].find(".delta-cell")]
    assert told == ["−10.0 % worse"] * 6
    assert not plot(six).find(".delta-text")


def test_a_row_ends_with_its_state_and_both_numbers() -> None:
    assert [row.find(".delta-values")[0].text for row in rows(plot([MIXED]))][:3] == [
        "▼ 0.1000 → 0.1100",
        "○ 0.5000 → –",
        "▲ 0.1000 → 0.0950",
    ]


def test_a_stem_leads_from_the_baseline_to_each_mark_that_has_a_size() -> None:
    for row in rows(plot([MIXED])):
        (mark,) = row.find(".delta-mark")
        stems = row.find(".delta-stem")
        assert bool(stems) == bool({"delta-up", "delta-down", "delta-dot"} & {*mark.classes})
        for stem in stems:
            ends = sorted((50.0, percentage(mark, "left")))
            assert percentage(stem, "left") == pytest.approx(ends[0], abs=0.02)
            assert percentage(stem, "width") == pytest.approx(ends[1] - ends[0], abs=0.02)
            assert stem.classes[1] == mark.classes[1]


def test_the_text_of_a_mark_is_on_its_outer_side_and_of_one_without_a_size_on_its_inner() -> None:
    sides: dict[str, Any] = {}
    for row in rows(plot([MIXED])):
        (text,) = row.find(".delta-text")
        sides[text.text] = (text.classes[1], percentage(text, "--delta-text"))
    assert sides["−10.0 % worse"] == ("delta-left", pytest.approx(16.67))
    assert sides["+5.0 % better"][0] == "delta-right"
    assert sides["−0.2 % same"][0] == "delta-left"
    assert sides["missing"] == ("delta-right", 10)


def test_a_change_without_a_size_is_hollow_on_its_side() -> None:
    told = decision({"cer@a": 0.1, "wip@b": 0.2, "cer@s": 0.0}, {"cer@a": 0.0, "wip@b": 0.0, "cer@s": 0.0})
    drawn = marks(plot([told]))
    assert drawn["a"] == (10, ["delta-worse", "delta-hollow-down"])
    assert drawn["b"] == (90, ["delta-better", "delta-hollow-up"])
    assert drawn["s"] == (50, ["delta-same", "delta-dot"])
    texts = {row.find(".delta-cell")[0].text for row in rows(plot([told]))}
    assert texts == {"from 0 worse", "from 0 better", "0.0 % same"}


def test_an_effect_beyond_the_scale_is_an_arrow_outwards_at_the_edge() -> None:
    told = decision(
        {"cer@a": 0.19, "cer@b": 0.18, "cer@c": 0.17, "cer@huge": 1.9, "acc@better": 0.9999},
        dict.fromkeys(("cer@a", "cer@b", "cer@c", "cer@huge"), 0.2) | {"acc@better": 0.001},
    )
    root = plot([told])
    drawn = marks(root)
    assert drawn["huge"][1] == ["delta-worse", "delta-edge-left"]
    assert drawn["better"][1] == ["delta-better", "delta-edge-right"]
    assert 0 < drawn["huge"][0] < min(left for dataset, (left, _) in drawn.items() if dataset != "huge")
    assert drawn["better"][0] == pytest.approx(100 - drawn["huge"][0])
    (row,) = [row for row in rows(root) if "−850.0 % worse" in row.text]
    assert percentage(row.find(".delta-stem")[0], "left") == pytest.approx(16.67)
    assert row.find(".delta-text")[0].classes[1:] == ["delta-right", "delta-raised"]


def test_the_band_is_the_tolerance() -> None:
    told = decision({"cer@a": 0.2}, {"cer@a": 0.1}, metrics={"cer": meant("cer", relative=0.3)})
    (cell,) = plot([told]).find(".delta-cell")
    assert percentage(cell, "--delta-band") == pytest.approx(0.3 / 1.5 * 50)


def test_an_interval_has_a_whisker_below_the_text() -> None:
    told = decision(
        {"cer@a": Measurement(0.15, n=100000), "cer@b": 0.1},
        {"cer@a": Measurement(0.2, n=100000), "cer@b": 0.2},
    )
    info = delta_info([told])
    counted, plain = sorted(rows(plot([told])), key=lambda row: row.find(".delta-name")[0].text)
    assert not plain.find(".delta-whisker")
    (whisker,) = counted.find(".delta-whisker")
    (mark,) = (mark for mark in info.marks if info.rows[mark.row].label == "a")
    left, width = percentage(whisker, "left"), percentage(whisker, "width")
    assert left == pytest.approx(50 + mark.low / info.limit / 1.5 * 50, abs=0.01)
    assert left + width == pytest.approx(50 + mark.high / info.limit / 1.5 * 50, abs=0.02)
    assert "delta-raised" in counted.find(".delta-text")[0].classes
    assert "delta-raised" not in plain.find(".delta-text")[0].classes


def test_one_candidate_has_the_sides_the_baseline_and_the_scale_in_its_head() -> None:
    head = plot([MIXED]).find("thead")[0]
    assert [part.text for part in head.find(".delta-sides")[0].find("span")] == ["← worse", "better →"]
    assert head.find("b")[0].text == "0.10.0"
    ticks = {tick.text: percentage(tick, "left") for tick in head.find(".delta-tick")}
    assert ticks == pytest.approx({"−10 %": 16.67, "0": 50, "+10 %": 83.33})


def test_each_of_several_candidates_has_a_column_with_its_name_and_the_same_scale() -> None:
    base = {"cer@a": 0.1}
    root = plot([decision({"cer@a": 0.1 + place / 100}, base, f"0.{place}.0") for place in range(3)])
    heads = root.find(".delta-head")
    assert [head.find("span")[0].text for head in heads] == ["0.0.0", "0.1.0", "0.2.0"]
    assert len({str([(tick.text, tick.style) for tick in head.find(".delta-tick")]) for head in heads}) == 1
    (row,) = rows(root)
    first, second, third = (percentage(mark, "left") for mark in row.find(".delta-mark"))
    assert first == 50
    assert 50 - third == pytest.approx(2 * (50 - second), abs=0.02)
    assert not root.find(".delta-values")
    assert root.find("caption")[0].text == "baseline 0.10.0 within tolerance worse (left) same"


def test_candidates_with_baselines_of_their_own_say_so() -> None:
    base = {"cer@a": 0.1}
    told = [decision({"cer@a": 0.2}, base, "0.11.0"), decision({"cer@a": 0.2}, base, "0.12.0", against="0.9.0")]
    assert plot(told).find("caption")[0].text.startswith("each one's baseline within tolerance")


def test_a_pair_that_one_of_several_candidates_does_not_have_leaves_its_cell_empty() -> None:
    told = [decision({"cer@a": 0.2}, {"cer@a": 0.1}, "1"), decision({"cer@b": 0.2}, {"cer@b": 0.1}, "2")]
    cells = [[cell.text for cell in row.find(".delta-cell")] for row in rows(plot(told))]
    assert cells == [["−100.0 % worse", ""], ["", "−100.0 % worse"]]


def test_columns_name_fewer_effects_the_narrower_they_are() -> None:
    told = [decision({"cer@a": 0.147}, {"cer@a": 0.1}, f"{place}") for place in range(7)]
    ticks = {
        count: [tick.text for tick in plot(told[:count]).find(".delta-head")[0].find(".delta-tick")]
        for count in (1, 2, 5, 7)
    }
    assert ticks == {
        1: ["−40 %", "−20 %", "0", "+20 %", "+40 %"],
        2: ["−40 %", "0", "+40 %"],
        5: ["0", "+40 %"],
        7: [],
    }


def test_heads_of_long_names_with_a_common_beginning_are_told_apart() -> None:
    names = [f"speech_paraformer-large_asr_nat-zh-cn-16k-2024-{month:02}-01" for month in range(1, 9)]
    heads = plot([decision({"cer@a": 0.2}, {"cer@a": 0.1}, name) for name in names]).find(".delta-head")
    assert len({head.text for head in heads}) == 8
    assert all(len(head.text) <= 26 for head in heads)
    assert [head.attributes["title"] for head in heads] == names


def test_hovering_shows_everything_about_a_pair() -> None:
    told = decision({"acc@a": 0.981}, {"acc@a": 0.99})
    hover = "0.12.0 · a\nacc 0.990 → 0.981\n▼ worse · −90.0 % read as errors"
    (row,) = rows(plot([told]))
    assert row.attributes["title"] == hover
    (row,) = rows(plot([told, told]))
    assert [cell.attributes["title"] for cell in row.find(".delta-cell")] == [hover] * 2
    assert row.find(".delta-name")[0].attributes["title"] == "a"


def test_it_is_a_table_to_a_screen_reader_and_scrolls_in_a_region_of_its_own() -> None:
    for decisions in ([MIXED], [MIXED] * 4):
        (region,) = (part for part in plot(decisions).content if isinstance(part, Element))
        assert (region.attributes["role"], region.attributes["tabindex"]) == ("region", "0")
        assert region.attributes["aria-label"] == "Effect on each dataset"
        (table,) = region.find("table")
        assert table.find("caption")[0].text
        assert {head.attributes["scope"] for head in table.find("thead")[0].find("th")} == {"col"}
        for body in table.find("tbody"):
            scopes = [head.attributes["scope"] for head in body.find("th")]
            assert scopes == ["rowgroup", *["row"] * (len(scopes) - 1)]
            widths = {len(row.find("th") + row.find("td")) for row in body.find("tr")[1:]}
            assert widths == {len(table.find("thead")[0].find("th"))}


def test_colours_are_those_of_all_pictures() -> None:
    (sheet,) = plot([MIXED]).find("style")
    text = str(sheet.content[0])
    assert f"--delta-better: light-dark({BETTER}, " in text
    assert f"--delta-worse: light-dark({WORSE}, " in text
    assert f"--delta-neutral: {NEUTRAL};" in text


def test_it_runs_nothing_and_asks_nobody() -> None:
    for decisions in ([MIXED], [MIXED] * 20):
        html = delta_html(delta_info(decisions))
        tags = {"div", "style", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "b", "i"}
        assert {*re.findall(r"<([a-z0-9]+)", html)} == tags
        assert not re.search(r"url\(|@import|src=|href=| on[a-z]+=", html)


def test_nothing_to_draw_is_an_empty_text() -> None:
    for info in (delta_info([]), delta_info([MIXED], shown=[]), delta_info([decision({}, {})])):
        assert delta_html(info) == ""


def hostile(text: str) -> list[Decision]:
    metric = text.replace("@", "")
    column = f"{metric}@{text}"
    known = {metric: meant(metric, "lower")}
    return [decision({column: 0.1}, {column: 0.2}, f"{text}{place}", metrics=known, against=text) for place in range(2)]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("text", [*TEXTS, "</style>", "</td><td>", '" style="position:fixed', "' title='x", "-->"])
def test_the_text_of_a_stranger_stays_text(text: str, count: int) -> None:
    root = plot(hostile(text)[:count])
    assert root.outline() == plot(hostile("harmless")[:count]).outline()
    titles = [element.attributes.get("title", "") for element in root.find("tr") + root.find("th") + root.find("td")]
    assert all(part.replace("\n", "").isprintable() for part in (root.text, *titles))
    assert root.find(".delta-metric")[0].find("b")[0].text == " ".join(one_line(text.replace("@", ""), 80).split())


@given(
    st.lists(
        st.tuples(*[st.sampled_from([0.0, 1e-9, 0.1, 0.11, 0.5, 1.0, 7.0, -2.0, 1e300, 5e-324]) | st.none()] * 3),
        min_size=1,
        max_size=8,
    )
)
def test_every_mark_and_line_stays_in_its_cell(numbers: list[tuple[float | None, ...]]) -> None:
    base, *sides = (
        {
            f"{('acc', 'cer')[place % 2]}@{place}": number
            for place, row in enumerate(numbers)
            if (number := row[side]) is not None
        }
        for side in range(3)
    )
    decisions = [decision(side, base, f"0.{place}.0") for place, side in enumerate(sides)]
    root = plot(decisions)
    assert len(root.find(".delta-mark")) == len(delta_info(decisions).marks) + len(
        [key for caption in root.find("caption") for key in caption.find(".delta-mark")]
    )
    for row in rows(root):
        for mark in row.find(".delta-mark"):
            assert 0 < percentage(mark, "left") < 100
        for line in row.find(".delta-stem") + row.find(".delta-whisker"):
            assert percentage(line, "left") >= 0
            assert percentage(line, "left") + percentage(line, "width") <= 100.01
        for cell in row.find(".delta-cell"):
            assert 0 <= percentage(cell, "--delta-band") <= 50


def test_twenty_candidates_on_forty_rows_are_a_small_text() -> None:
    base = {f"cer@{place:02}": 0.1 for place in range(50)}
    told = [
        decision(
            {name: 0.1 + 0.0005 * ((place * turn) % 13 - 6) for place, name in enumerate(base) if (place + turn) % 17},
            base,
            f"0.{turn}.0",
        )
        for turn in range(20)
    ]
    html = delta_html(delta_info(told))
    assert len(rows(parse(html))) == 40
    assert len(html) < 300_000

"""What the figures have in common: labels that tell categories apart, no markup of strangers, large registries."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.decisions.decision import State
from paiview.evaluation.frames import Frames, Pair, build
from paiview.figures.heatmap import heatmap_figure
from paiview.figures.style import dataset_label, distinct_labels, kept_rows, left_out, legend_lines
from paiview.figures.trend import trend_figure
from tests.figures.conftest import CER, MARKUP, heatmap, texts_of, trend, version


def test_nothing_to_draw_is_an_empty_figure(frames: Frames) -> None:
    assert len(trend_figure(trend(frames)).data) == 0
    info = heatmap(frames)
    assert (info.rows, info.names, info.unknown) == ([], [], [])
    heatmap_figure(info)


def test_look_alike_names_stay_apart() -> None:
    names = ["a", "a\u200b", "a\u200c", "a\N{REPLACEMENT CHARACTER} (2)", "1.10", "1.1"]
    frames = build([version(place, name, None, {"cer": place / 10}) for place, name in enumerate(names)])
    (panel,) = trend(frames, CER).panels
    assert panel.names == ["a", "a�", "a� (3)", "a� (2)", "1.10", "1.1"]
    assert heatmap(frames, CER).names == panel.names


def test_datasets_have_their_names_and_long_ones_their_end() -> None:
    long = "oss://bucket/" + "deep/" * 10 + "test.list"
    frames = build([version(0, "0.1.0", None, {"cer@d-1": 0.1, f"cer@{long}": 0.2})])
    pairs = [Pair("cer", "d-1"), Pair("cer", long)]
    info = heatmap(frames, *pairs, names={"d-1": "AISHELL & co"})
    assert info.rows == ["AISHELL &amp; co", f"…{long[-43:]}"]
    panel = trend(frames, *pairs).panels[1]
    assert panel.title == f"<b>…{long[-31:]}</b>  cer ↓"
    assert panel.whole_title == f"{long} · cer"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("W" * 20_000, "…" + "W" * 24),
        ("a" * 44, "a" * 44),
        ("通用语音" * 6, "通用语音" * 6),
        ("W" * 26, "…" + "W" * 24),
    ],
)
def test_a_label_of_wide_letters_has_fewer_of_them(name: str, label: str) -> None:
    assert dataset_label(name, {}) == label


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
    assert len(trend_figure(page).layout.annotations) == 12 * 3
    info = heatmap(frames, *pairs)
    assert info.shade.shape == (160, 1500)
    heatmap_figure(info)


FRONT = "speech_paraformer-large_asr_nat-zh-cn-16k-common-vocab8404-online-"
SIGLIP = "1.0.21_vit_so400m_patch14_siglip_{}378_webli_ft_in1k"


@pytest.mark.parametrize(
    ("names", "limit", "shown"),
    [
        (["0.10.0", "0.9.0_large_enough"], 12, ["0.10.0", "0.9.0_large…"]),
        ([f"{FRONT}2024-07-01", f"{FRONT}2024-08-01"], 22, ["speech…ine-2024-07-01", "speech…ine-2024-08-01"]),
        ([SIGLIP.format("gap_"), SIGLIP.format("")], 22, ["1.0.21…_gap_378_webl…", "1.0.21…_378_webli_ft…"]),
        (["x" * 30, "x" * 30, "x" * 29 + "y"], 10, ["xxx…xxxxxx", "xxx…xxxxxx (2)", "xxx…xxxxxy"]),
        (["<b>" * 9, "<b>" * 9 + "c"], 8, ["<b…b><b>", "<b…><b>c"]),
        ([" ", ""], 8, ["", " (2)"]),
        ([], 8, []),
    ],
)
def test_long_names_are_cut_where_they_do_not_differ(names: list[str], limit: int, shown: list[str]) -> None:
    assert distinct_labels(names, limit) == shown


@given(st.lists(st.text("ab", max_size=40), max_size=8), st.integers(12, 30))
def test_every_name_has_a_text_of_its_own_no_longer_than_asked_for(names: list[str], limit: int) -> None:
    shown = distinct_labels(names, limit)
    assert len({*shown}) == len(names)
    assert all(len(text) <= limit + len(" (8)") for text in shown)
    assert [text for name, text in zip(names, shown, strict=True) if len(name) <= limit and text != name] == [
        text for name, text in zip(names, shown, strict=True) if len(name) <= limit and text.endswith(")")
    ]


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ({"worse": 1, "missing": 5, "better": 2}, {"worse": 1, "missing": 5, "better": 2}),
        ({"worse": 4, "missing": 60, "better": 16}, {"worse": 4, "missing": 4, "better": 12}),
        ({"worse": 2, "missing": 60, "better": 2}, {"worse": 2, "missing": 16, "better": 2}),
        ({"missing": 60}, {"missing": 20}),
        ({"worse": 30, "missing": 2, "better": 40, "new": 30}, {"worse": 20}),
        ({"worse": 12, "better": 71, "new": 10}, {"worse": 12, "better": 8}),
        (
            {"worse": 2, "not_comparable": 9, "better": 9, "same": 9, "new": 9},
            {"worse": 2, "not_comparable": 4, "better": 9, "same": 5},
        ),
        ({"worse": 2, "missing": 3, "same": 5, "new": 30}, {"worse": 2, "missing": 3, "same": 5, "new": 10}),
    ],
)
def test_a_picture_keeps_what_is_worse_and_is_no_wall_of_what_is_missing(
    rows: dict[State, int], kept: dict[State, int]
) -> None:
    states = [state for state, count in rows.items() for _ in range(count)]
    places = kept_rows(states, 20)
    assert places == sorted({*places})
    assert Counter(states[place] for place in places) == kept
    assert Counter(kept) + Counter(left_out(states, places)) == Counter(rows)


def test_a_legend_counts_its_lines_in_a_narrow_window() -> None:
    assert legend_lines([]) == 1
    assert legend_lines(["worse (left)", "better (right)", "same"]) == 1
    assert legend_lines(["worse (left)", "better (right)", "same", "missing", "baseline 0.10.0", "within"]) == 2
    assert legend_lines(["baseline " + "x" * 80, "worse", "better"]) == 3
    assert legend_lines(["&lt;" * 30]) == legend_lines(["<" * 30])

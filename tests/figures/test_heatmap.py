"""The heatmap: a row a pair, a column a version, better is darker."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paiview.decisions.pairs import judge_pairs
from paiview.evaluation.frames import Frames, Pair, build
from paiview.figures.heatmap import effect_heatmap_figure, effect_heatmap_info, heatmap_figure, heatmap_info
from tests.figures.conftest import BLOBS, CER, TOP1, heatmap, meant, measured, version


def test_rows_that_read_the_same_stay_apart() -> None:
    frames = build([version(0, "0.1.0", None, {"cer@d-1": 0.1, "cer@d-2": 0.2})])
    info = heatmap(frames, Pair("cer", "d-1"), Pair("cer", "d-2"), names={"d-1": "test", "d-2": "test"})
    assert info.rows == ["test", "test (2)"]


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
        [version(place, f"0.{place}.0", None, {"psnr": value}) for place, value in enumerate([-1.7e308, 1.7e308])]
    )
    assert heatmap(frames, Pair("psnr", "aishell")).shade.tolist() == [[0.0, 1.0]]


def test_a_number_that_cannot_be_has_no_shade_and_moves_no_other() -> None:
    frames = build([version(place, f"0.{place}.0", None, {"cer": value}) for place, value in enumerate([0.3, -1, 0.1])])
    assert heatmap(frames, CER).shade.tolist() == [[0.0, 0.0, 1.0]]


def test_the_heatmap_shows_only_the_versions_asked_in_version_order(frames: Frames) -> None:
    info = heatmap(frames, CER, orders=[4, 3, 0])
    assert info.names == ["0.1.0", "0.12.0"]
    assert info.texts == [["0.30", "0.28"]]


def test_the_heatmap_draws_its_info(frames: Frames) -> None:
    info = heatmap(frames, CER, TOP1)
    figure = heatmap_figure(info)
    trace, numbers = figure.data
    assert (list(trace.x), list(trace.y)) == (info.names, info.rows)
    np.testing.assert_array_equal(trace.z, info.shade)
    assert [list(row) for row in trace.text] == info.texts
    assert (trace.zmin, trace.zmax) == (0, 1)
    written = dict(zip(zip(numbers.y, numbers.x, strict=True), numbers.text, strict=True))
    assert [[written[row, name] for name in info.names] for row in info.rows] == info.texts
    assert list(figure.layout.xaxis.categoryarray) == info.names
    assert list(figure.layout.yaxis.categoryarray) == info.rows
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("category", "category")
    assert figure.layout.yaxis.autorange == "reversed"


def test_the_metric_stands_in_a_row_only_where_there_are_several(frames: Frames) -> None:
    assert heatmap(frames, CER).rows == ["aishell"]
    assert heatmap(frames, CER, TOP1).rows == ["aishell · cer", "aishell · top1"]


@pytest.mark.parametrize(("count", "is_written"), [(24, True), (25, False)])
def test_small_cells_hold_no_numbers(count: int, is_written: bool) -> None:
    frames = build([version(place, f"0.{place}.0", None, {"cer": place}) for place in range(count)])
    trace, *numbers = heatmap_figure(heatmap(frames, CER)).data
    assert trace.text[0][count - 1] == str(count - 1)
    assert [len(each.text) for each in numbers] == ([count] if is_written else [])


def test_the_approved_version_is_bold_among_the_columns(frames: Frames) -> None:
    info = heatmap_info(frames, [CER], orders=np.array([0, 1, 2]), dataset_names={}, approved=2)
    assert list(heatmap_figure(info).layout.xaxis.ticktext) == ["0.1.0", "0.9.0", "<b>0.10.0</b>"]
    assert list(heatmap_figure(heatmap(frames, CER, orders=[0, 2])).layout.xaxis.ticktext) == ["0.1.0", "0.10.0"]


def test_a_missing_number_is_blank(frames: Frames) -> None:
    info = heatmap(frames, CER, BLOBS)
    place = info.names.index("0.12.0")
    assert np.isnan(info.shade[1, place])
    assert info.texts[1][place] == ""


def test_labels_read_back_as_the_names_of_the_frame(frames: Frames) -> None:
    assert [html.unescape(name) for name in heatmap(frames, CER).names] == [
        name for name in frames.versions["version_name"] if name != "0.11.0"
    ]


def effects(frames: Frames, *shown: Pair, baseline: int, orders: Sequence[int] | None = None, **more: Any) -> Any:
    chosen = range(len(frames.versions)) if orders is None else orders
    return effect_heatmap_info(
        frames,
        shown,
        orders=np.array(chosen, dtype=np.int64),
        baseline=baseline,
        dataset_names=more.pop("names", {}),
        **more,
    )


def test_effects_are_against_the_baseline_and_positive_is_better(frames: Frames) -> None:
    info = effects(frames, CER, TOP1, baseline=0)
    assert info.names == ["0.1.0", "0.9.0", "0.10.0", "0.12.0", "0.13.0"]
    assert info.baseline == "0.1.0"
    np.testing.assert_allclose(
        info.effect,
        [
            [0, -0.05 / 0.3, 0.05 / 0.3, 0.02 / 0.3, 0.1 / 0.3],
            [0, 0.2, np.nan, 0.4, np.nan],
        ],
    )
    assert info.texts == [
        ["0.0 %", "−16.7 %", "+16.7 %", "+6.7 %", "+33.3 %"],
        ["0.0 %", "+20.0 %", "", "+40.0 %", ""],
    ]
    assert np.isnan(info.shade[1, [2, 4]]).all()


def test_the_baseline_need_not_be_among_the_columns(frames: Frames) -> None:
    info = effects(frames, CER, baseline=0, orders=[4, 2])
    assert info.names == ["0.10.0", "0.12.0"]
    assert info.texts == [["+16.7 %", "+6.7 %"]]


def test_shades_are_clipped_at_the_95th_percentile_and_both_ways_alike() -> None:
    values = [0.1] + [0.1 + step / 10_000 for step in range(1, 59)] + [0.9]
    frames = build([version(place, f"0.{place}.0", None, {"cer": value}) for place, value in enumerate(values)])
    info = effects(frames, CER, baseline=0)
    assert info.clip == pytest.approx(np.percentile(np.abs(info.effect[0, 1:]), 95))
    assert info.shade[0, -1] == -1
    assert info.shade[0, 1] == pytest.approx(-0.001 / info.clip)
    mirrored = effects(frames, CER, baseline=0, metrics={"cer": meant("cer", "higher")})
    assert mirrored.shade[0, -1] == 1


def test_errors_that_grow_many_times_leave_the_shades_of_the_others_apart() -> None:
    values = [0.1, 0.16, *[0.9] * 40]
    frames = build([version(place, f"0.{place}.0", None, {"cer": value}) for place, value in enumerate(values)])
    info = effects(frames, CER, baseline=0)
    assert info.clip == 1
    assert info.shade[0, :3] == pytest.approx([0, -0.6, -1])


def test_one_effect_at_the_end_of_the_floats_has_the_full_shade() -> None:
    usual = [f"loss@d-{place}" for place in range(40)]
    before = {"loss@huge": 1e-300, **dict.fromkeys(usual, 0.2)}
    after = {"loss@huge": 1e7, **dict.fromkeys(usual, 0.19)}
    compared = build([version(0, "0.1.0", None, before), version(1, "0.2.0", None, after)])
    info = effects(compared, *compared.histories, baseline=0)
    assert info.clip == pytest.approx(0.05)
    assert info.shade[-1, 1] == -1


def test_the_clip_is_at_least_the_tolerance(frames: Frames) -> None:
    tolerant = {"cer": meant("cer", relative=0.5), "blobs": meant("blobs", relative=0.9)}
    assert effects(frames, CER, BLOBS, baseline=0, metrics=tolerant).clip == 0.5
    alike = build([version(place, f"0.{place}.0", None, {"cer": 0.1}) for place in range(3)])
    assert effects(alike, CER, baseline=0).clip == 0.01


def test_an_unknown_direction_has_no_colour_and_no_percent(frames: Frames) -> None:
    info = effects(frames, BLOBS, baseline=0)
    assert (info.unknown, info.texts) == (["blobs"], [["?", "?"]])
    assert info.shade.tolist() == [[0, 0]]
    known = effects(frames, BLOBS, baseline=0, metrics={"blobs": meant("blobs", "lower")})
    assert (known.unknown, known.texts) == ([], [["0.0 %", "−66.7 %"]])


def test_a_row_the_baseline_lacks_says_so(frames: Frames) -> None:
    info = effects(frames, TOP1, CER, baseline=5)
    assert info.unmeasured == ["aishell · top1"]
    assert info.texts[0] == ["✚", "✚", "", "✚", ""]
    np.testing.assert_array_equal(info.shade[0], [0, 0, np.nan, 0, np.nan])


def test_a_change_from_zero_or_no_errors_is_fully_shaded_on_its_side() -> None:
    numbers = [
        {"loss": 0.0, "acc": 1.0},
        {"loss": 0.1, "acc": 0.9},
        {"loss": 0.0, "acc": 1.0},
        {"loss": -0.1, "acc": 1.0},
    ]
    frames = build([version(place, f"0.{place}.0", None, given) for place, given in enumerate(numbers)])
    info = effects(frames, Pair("loss", "aishell"), Pair("acc", "aishell"), baseline=0)
    assert info.texts == [["=", "from 0", "=", "from 0"], ["=", "from no errors", "=", "="]]
    assert info.shade.tolist() == [[0, -1, 0, 1], [0, -1, 0, 0]]
    assert np.isnan(info.effect).all()


def test_the_effect_heatmap_draws_its_info(frames: Frames) -> None:
    info = effects(frames, CER, TOP1, baseline=0)
    figure = effect_heatmap_figure(info)
    trace, numbers = figure.data
    np.testing.assert_array_equal(trace.z, info.shade)
    assert (trace.zmin, trace.zmax) == (-1, 1)
    colours = [colour for _, colour in trace.colorscale]
    assert colours[0].startswith("rgba(213,94,0")  # worse: #D55E00
    assert colours[-1].startswith("rgba(0,114,178")  # better: #0072B2
    assert trace.showscale is False
    np.testing.assert_array_equal(trace.customdata[0][1], [0.35, 0.3])
    assert list(numbers.text) == [text for row in info.texts for text in row]
    assert list(figure.layout.xaxis.ticktext) == ["<b>0.1.0</b>", "0.9.0", "0.10.0", "0.12.0", "0.13.0"]
    assert (figure.layout.xaxis.type, figure.layout.yaxis.autorange) == ("category", "reversed")


def test_no_pair_is_an_empty_heatmap_of_effects(frames: Frames) -> None:
    info = effects(frames, baseline=0)
    assert (info.rows, info.names, info.clip) == ([], [], 1.0)
    effect_heatmap_figure(info)


@pytest.mark.parametrize(("page", "text"), [("#FFFFFF", "#1B2733"), ("#12181F", "#E4EAF0")])
def test_the_strongest_cells_of_both_sides_can_be_read_on_light_and_dark_pages(
    frames: Frames, page: str, text: str
) -> None:
    """4.5 to 1 of WCAG 2.2, 1.4.3, with the page and text colours of the theme."""

    def channels(colour: str) -> list[float]:
        return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]

    def luminance(colour: Sequence[float]) -> float:
        linear = [((each / 255 + 0.055) / 1.055) ** 2.4 for each in colour]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    scale = effect_heatmap_figure(effects(frames, CER, baseline=0)).data[0].colorscale
    for _, colour in (scale[0], scale[-1]):
        *over, alpha = (float(part) for part in colour.removeprefix("rgba(").removesuffix(")").split(","))
        cell = [alpha * each + (1 - alpha) * under for each, under in zip(over, channels(page), strict=True)]
        darker, lighter = sorted((luminance(cell), luminance(channels(text))))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


NUMBERS = st.sampled_from([0.0, 1.0, 0.5, 0.99, 0.1, -1.0, 2.0, 2.3e-308, 1.7e308, -1.7e308]) | st.floats(
    allow_nan=False, allow_infinity=False, allow_subnormal=False
)
SHARES = st.floats(0, 1, allow_subnormal=False)
"""The verdict reads the shortest decimal: far from the float below the normal numbers, and so are the errors of
a share that is nearly 1."""


@given(st.sampled_from(["cer", "acc", "blobs"]), NUMBERS | SHARES, NUMBERS | SHARES)
def test_effects_are_those_of_the_verdict(metric: str, before: float, after: float) -> None:
    assume(before == 1 or abs(1 - before) > 1e-3)
    frames = build([version(0, "0.0.0", None, {metric: before}), version(1, "0.1.0", None, {metric: after})])
    (pair,) = judge_pairs(measured({f"{metric}@aishell": after}), measured({f"{metric}@aishell": before}))
    (effect,) = effects(frames, Pair(metric, "aishell"), baseline=0, orders=[1]).effect[0].tolist()
    expected = math.nan if pair.effect is None else pair.effect
    assert effect == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)

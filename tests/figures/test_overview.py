"""Every version against the approved one: the mean of the verdict's effects over the datasets that both have."""

import math
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from paiview.decisions.pairs import judge_pairs
from paiview.evaluation.frames import Frames, Pair, build
from paiview.figures.overview import OverviewInfo, overview_figure, overview_info
from paiview.figures.style import APPROVED, BETTER, NEUTRAL, WORSE
from tests.figures.conftest import CER, MARKUP, meant, measured, texts_of, version

A, B = Pair("cer", "a"), Pair("cer", "b")
NUMBERS: list[dict[str, Any]] = [
    {"cer@a": 0.30, "cer@b": 0.10},
    {"cer@a": 0.20, "cer@b": 0.10},
    {"cer@a": 0.10, "cer@b": 0.11},
    {"cer@a": 0.201},
    {"cer@c": 0.5},
]
STATUSES = ["Rejected", "Approved", "Pending", "Shadow", "Pending"]


@pytest.fixture
def compared() -> Frames:
    return build(
        [
            version(place, f"0.{place}.0", status, given)
            for place, (status, given) in enumerate(zip(STATUSES, NUMBERS, strict=True))
        ]
    )


def overview(frames: Frames, *pairs: Pair, baseline: int = 1, orders: list[int] | None = None) -> OverviewInfo:
    chosen = range(len(frames.versions)) if orders is None else orders
    return overview_info(frames, pairs or (A, B), orders=np.array(chosen, dtype=np.int64), baseline=baseline)


def line(values: list[float]) -> Frames:
    """Versions with one number each, the first of them approved."""
    return build(
        [
            version(place, f"0.{place}.0", "Approved" if not place else "Rejected", {"cer": value})
            for place, value in enumerate(values)
        ]
    )


def test_a_version_has_the_mean_effect_its_span_and_its_count(compared: Frames) -> None:
    info = overview(compared)
    assert (info.metric, info.baseline) == ("cer", "0.1.0")
    assert info.names == ["0.0.0", "0.1.0", "0.2.0", "0.3.0"]
    assert info.statuses == STATUSES[:4]
    assert info.mean == pytest.approx([-0.25, 0, 0.2, -0.005])
    assert info.worst == pytest.approx([-0.5, 0, -0.1, -0.005])
    assert info.best == pytest.approx([0, 0, 0.5, -0.005])
    assert info.counts.tolist() == [2, 2, 2, 1]
    assert info.sides == ["worse", "baseline", "better", "same"]
    assert info.unshared == 1


def test_the_mean_is_that_of_the_verdicts_effects(compared: Frames) -> None:
    for index, name in enumerate(overview(compared).names):
        pairs = judge_pairs(measured(NUMBERS[index]), measured(NUMBERS[1]))
        effects = [pair.effect for pair in pairs if pair.effect is not None]
        assert overview(compared).mean[index] == pytest.approx(fmean(effects)), name


def test_the_baseline_need_not_be_drawn(compared: Frames) -> None:
    info = overview(compared, orders=[2, 0])
    assert (info.names, info.sides) == (["0.0.0", "0.2.0"], ["worse", "better"])


def test_a_number_without_an_effect_does_not_count() -> None:
    frames = build(
        [version(0, "0.1.0", "Approved", {"loss@a": 0.0, "loss@b": 0.2}), version(1, "0.2.0", None, {"loss@a": 0.1})]
    )
    info = overview(frames, Pair("loss", "a"), Pair("loss", "b"), baseline=0)
    assert (info.names, info.counts.tolist(), info.unshared) == (["0.1.0"], [1], 1)


def test_the_tolerance_of_the_metric_decides_the_side(compared: Frames) -> None:
    info = overview_info(
        compared, [A, B], orders=np.arange(4), baseline=1, metrics={"cer": meant("cer", "lower", relative=0.22)}
    )
    assert info.sides == ["worse", "baseline", "same", "same"]


def marks(info: OverviewInfo) -> dict[str, tuple[str, str, Any]]:
    """By version, the symbol, the colour and the height of its mark."""
    return {
        name: (trace.marker.symbol, trace.marker.color, value)
        for trace in overview_figure(info).data
        if trace.mode == "markers" and trace.x[0] is not None
        for name, value in zip(trace.x, trace.y, strict=True)
    }


def test_shape_is_the_status_and_colour_the_side(compared: Frames) -> None:
    assert marks(overview(compared)) == {
        "0.0.0": ("x-thin", WORSE, pytest.approx(-0.25)),
        "0.1.0": ("circle", APPROVED, 0),
        "0.2.0": ("circle-open", BETTER, pytest.approx(0.2)),
        "0.3.0": ("diamond-open", NEUTRAL, pytest.approx(-0.005)),
    }


def test_a_bar_spans_the_datasets_and_a_dashed_line_is_the_approved_version(compared: Frames) -> None:
    info = overview(compared)
    bars, _, rule, *_ = overview_figure(info).data
    assert bars.name == "worst to best dataset"
    np.testing.assert_allclose(
        bars.y, [-info.high, 0, np.nan, 0, 0, np.nan, -0.1, info.high, np.nan, -0.005, -0.005, np.nan]
    )
    assert info.high == pytest.approx(1.25 * (0.25 - 0.1 * 0.05))
    assert (rule.name, rule.line.dash, rule.line.color) == ("approved now, 0.1.0", "dash", APPROVED)
    assert (list(rule.x), list(rule.y)) == (["0.0.0", "0.3.0"], [0, 0])


def test_a_mark_says_status_mean_count_and_span(compared: Frames) -> None:
    said = {
        name: tuple(facts)
        for trace in overview_figure(overview(compared)).data
        if trace.customdata is not None
        for name, facts in zip(trace.x, trace.customdata, strict=True)
    }
    assert said["0.2.0"] == ("Pending", "mean +20.0 % over 2 datasets", "from −10.0 % to +50.0 %")
    assert said["0.3.0"][1] == "mean −0.5 % over 1 dataset"
    assert said["0.1.0"] == ("Approved", "approved now", "measured on 2 datasets")


def test_the_best_is_named_where_it_is_better(compared: Frames) -> None:
    (note,) = overview_figure(overview(compared)).layout.annotations
    assert (note.x, note.y, note.text) == (2, pytest.approx(0.2), "<b>best +20.0 %</b>")
    assert overview_figure(overview(compared, orders=[0, 1, 3])).layout.annotations == ()


def test_the_legend_names_the_statuses_drawn(compared: Frames) -> None:
    named = [trace.name for trace in overview_figure(overview(compared)).data if trace.showlegend is not False]
    assert named[2:] == ["approved", "rejected", "pending", "other status"]


def test_the_axis_is_cut_near_the_95th_percentile_and_marks_beyond_stand_at_its_edge() -> None:
    info = overview(line([0.2, *[0.22] * 40, 2.0]), CER, baseline=0)
    assert [info.low, info.high] == pytest.approx([-0.125, 0])
    assert info.beyond == 1
    assert info.mean[-1] == pytest.approx(-9)
    assert marks(info)["0.41.0"] == ("x-thin", WORSE, pytest.approx(-0.125))
    assert overview(line([0.2, 0.22, 0.24]), CER, baseline=0).beyond == 0


def test_round_effects_stand_beside_the_axis(compared: Frames) -> None:
    axis = overview_figure(overview(compared)).layout.yaxis
    assert list(axis.ticktext) == ["−20 %", "0", "+20 %"]
    assert list(axis.tickvals) == pytest.approx([-0.2, 0, 0.2])
    small = overview_figure(overview(line([0.2, 0.2001]), CER, baseline=0)).layout.yaxis
    assert list(small.ticktext) == ["−0.05 %", "−0.04 %", "−0.03 %", "−0.02 %", "−0.01 %", "0"]


def test_few_versions_have_a_name_each_and_of_many_the_approved_and_pending_ones() -> None:
    assert overview(line([0.2] * 22), CER, baseline=0).ticks == [*range(22)]
    frames = build(
        [
            version(
                place % 60,
                f"0.{place}.0",
                {0: "Approved", 30: "Approved", 31: "Pending", 50: "Pending"}.get(place, "Rejected"),
                {"cer": 0.2},
            )
            for place in range(56)
        ]
    )
    names = {f"0.{place}.0" for place in (0, 30, 50, 55)}
    info = overview(frames, CER, baseline=frames.versions["version_name"].tolist().index("0.30.0"))
    assert {info.names[at] for at in info.ticks} == names


def test_no_version_with_a_shared_dataset_is_an_empty_overview(compared: Frames) -> None:
    info = overview(compared, orders=[4])
    assert (info.names, info.unshared, info.leader) == ([], 1, None)
    overview_figure(info)


def test_effects_at_the_ends_of_the_floats_are_drawn() -> None:
    frames = build([version(0, "0.1.0", "Approved", {"loss": 1e-300}), version(1, "0.2.0", None, {"loss": 1e7})])
    info = overview(frames, Pair("loss", "aishell"), baseline=0)
    figure = overview_figure(info)
    assert all(map(math.isfinite, figure.layout.yaxis.range))
    assert marks(info)["0.2.0"][2] == info.low


def test_names_are_no_markup() -> None:
    frames = build([version(0, MARKUP, "Approved", {"cer": 0.2}), version(1, f"{MARKUP}2", MARKUP, {"cer": 0.1})])
    for text in texts_of(overview_figure(overview(frames, CER, baseline=0))):
        for ours in ("<b>", "</b>", "<br>", "<extra></extra>"):
            text = text.replace(ours, "")  # noqa: PLW2901 - what is left is not ours
        assert "<" not in text

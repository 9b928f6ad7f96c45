"""Delta dot plot: how far each candidate is from its baseline on every dataset, right is better, the worst first.

A row a pair, a panel of rows a metric, a column a candidate. All columns share one scale of effects in percent, so that
they can be compared by eye. This module computes the plot; ``paiview.figures.delta_table`` draws it.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paiview.decisions.decision import (
    BY_CONCERN,
    GLYPHS,
    JUDGED,
    Decision,
    PairDecision,
    State,
    concern,
    spoken,
)
from paiview.decisions.pairs import ROUGH
from paiview.decisions.wording import digits_by_metric, no_effect_reason, percent, share_text
from paiview.evaluation.metric_meaning import MetricContract, format_value
from paiview.evaluation.results import Pair
from paiview.figures.style import WAYS, distinct_labels, kept_rows, left_out, metrics_of, row_labels, way
from paiview.text import one_line, shorten_front

MOST_ROWS = 40
EACH_BASELINE = "each one's baseline"

_FAR_MEDIANS = 6.0
"""Times the median effect beyond which an effect is drawn at the edge, so that it does not flatten the others."""
_LEAST_LIMIT, _LARGEST_LIMIT = 0.01, 1e100
"""Of the scale: floats hold every position in percent too, and a larger effect is drawn at the edge."""
_NAME_LENGTH = 250


class DeltaRow(NamedTuple):
    """One pair.

    Attributes:
        label: the dataset, short and unlike the other labels of its panel.
        name: the dataset by its name, else by its id.
        values: state and numbers (``▲ 0.175 → 0.172``) where there is one candidate only.
    """

    pair: Pair
    label: str
    name: str
    values: str


class DeltaPanel(NamedTuple):
    """The rows of one metric, from ``first`` to ``last``; ``meaning`` says direction and tolerance."""

    metric: str
    meaning: str
    first: int
    last: int


class DeltaMark(NamedTuple):
    """What one candidate does in one row.

    Attributes:
        row, column: indexes in ``rows`` and ``candidates``.
        effect: a share, positive is better; NaN where there is no size to draw.
        low, high: the interval of the change as effects; NaN without one.
        label: a few words beside the mark.
        hover: all of it, a line each fact.
    """

    row: int
    column: int
    state: State
    effect: float
    low: float
    high: float
    label: str
    hover: str


class DeltaInfo(NamedTuple):
    """Everything a delta dot plot draws, its texts plain and not yet escaped.

    Attributes:
        candidates: a column each, as given.
        baseline: what they are compared with, in words.
        rows, panels, marks: rows are the most worrying first within their panel, panels likewise.
        tolerance: rows × columns, the largest effect that counts as none.
        limit: half the width of the scale, a share.
        beyond: how many marks have an effect larger than ``limit``.
        hidden: pairs left out because there are more than the most rows, by their state.
    """

    candidates: list[str]
    baseline: str
    rows: list[DeltaRow]
    panels: list[DeltaPanel]
    marks: list[DeltaMark]
    tolerance: NDArray[np.float64]
    limit: float
    beyond: int
    hidden: Mapping[State, int]


class _Drawn(NamedTuple):
    """A pair that is drawn: where, and what was decided of it."""

    row: int
    column: int
    pair: PairDecision


def delta_info(
    decisions: Sequence[Decision], *, shown: Collection[Pair] | None = None, most: int = MOST_ROWS
) -> DeltaInfo:
    """Compute the delta dot plot.

    Args:
        decisions: one a candidate.
        shown: the pairs to draw; by default all. Order does not matter: the most worrying come first, by the worst
            of the candidates.
        most: rows to draw at most; rows that ``kept_rows`` does not keep are left out.
    """
    concerns = _concerns(decisions, shown)
    ordered = sorted(concerns, key=lambda pair: (concerns[pair], pair))
    states = [BY_CONCERN[concerns[pair][0]] for pair in ordered]
    kept = kept_rows(states, most)
    by_metric: dict[str, list[Pair]] = {}
    for index in kept:
        by_metric.setdefault(ordered[index].metric, []).append(ordered[index])
    row_of = {pair: row for row, pair in enumerate(pair for pairs in by_metric.values() for pair in pairs)}
    drawn = [
        _Drawn(row_of[judged.pair], column, judged)
        for column, decision in enumerate(decisions)
        for judged in decision.pairs
        if judged.pair in row_of
    ]
    metrics = metrics_of(decisions)
    names = {each.pair.dataset: each.pair.name for each in drawn if each.pair.name}
    numbers = _numbers(drawn, metrics)
    marks = [
        _mark(each, written, decisions[each.column].candidate, names, metrics.get(each.pair.metric))
        for each, written in zip(drawn, numbers, strict=True)
    ]
    tolerance = np.zeros((len(row_of), len(decisions)))
    for pair, row in row_of.items():
        tolerance[row] = _relative(metrics.get(pair.metric))
    values = [""] * len(row_of)
    for each, written in zip(drawn, numbers, strict=True):
        tolerance[each.row, each.column] = _tolerance(each.pair, metrics.get(each.pair.metric))
        if len(decisions) == 1:
            assumed = " · assumed" if each.pair.standing == "assumed" else ""
            values[each.row] = f"{GLYPHS[each.pair.state]} {written}{assumed}"
    limit = _limit(marks, tolerance)
    return DeltaInfo(
        candidates=[decision.candidate for decision in decisions],
        baseline=_baseline(decisions),
        rows=[
            DeltaRow(pair, label, _dataset(pair.dataset, names), values[row_of[pair]])
            for pairs in by_metric.values()
            for pair, label in zip(pairs, row_labels(pairs, names), strict=True)
        ],
        panels=_panels(by_metric, row_of, metrics),
        marks=marks,
        tolerance=tolerance,
        limit=limit,
        beyond=sum(abs(mark.effect) > limit for mark in marks),
        hidden=left_out(states, kept),
    )


def _concerns(decisions: Sequence[Decision], shown: Collection[Pair] | None) -> dict[Pair, tuple[int, float]]:
    """The pairs shown with how much each worries, in its worst candidate; the lower, the sooner it has to be seen."""
    concerns: dict[Pair, tuple[int, float]] = {}
    for decision in decisions:
        for judged in decision.pairs:
            if shown is None or judged.pair in shown:
                rank = concern(judged)
                concerns[judged.pair] = min(concerns.get(judged.pair, rank), rank)
    return concerns


def _numbers(drawn: Sequence[_Drawn], metrics: Mapping[str, MetricContract]) -> list[str]:
    """``0.175 → 0.172`` for each pair drawn, with the same decimals throughout a metric."""
    digits = digits_by_metric([each.pair for each in drawn], metrics)
    return [
        " → ".join(
            format_value(math.nan if value is None else value, digits[pair.metric])
            for value in (pair.baseline, pair.candidate)
        )
        for _, _, pair in drawn
    ]


def _relative(metric: MetricContract | None) -> float:
    return 0.0 if metric is None or metric.direction is None else metric.effective_relative


def _denominator(pair: PairDecision) -> float | None:
    """What the effect is a share of, in the metric's unit: the size of the baseline, or its errors."""
    if pair.effect is None or pair.baseline is None:
        return None
    return abs(pair.change / pair.effect) if pair.effect and pair.change else abs(pair.baseline)


def _tolerance(pair: PairDecision, metric: MetricContract | None) -> float:
    """The largest effect that counts as none: a change counts only beyond both tolerances."""
    if metric is None or metric.direction is None:
        return 0.0
    denominator = _denominator(pair)
    if not denominator or metric.absolute is None:
        return metric.effective_relative
    if metric.best is not None and pair.baseline is not None:
        denominator = abs(pair.baseline - metric.best)
    return max(metric.effective_relative, metric.absolute / denominator)


def _dataset(dataset: str, names: Mapping[str, str]) -> str:
    return one_line(names[dataset], _NAME_LENGTH) if dataset in names else shorten_front(dataset, _NAME_LENGTH)


def _mark(
    drawn: _Drawn, numbers: str, candidate: str, names: Mapping[str, str], metric: MetricContract | None
) -> DeltaMark:
    pair = drawn.pair
    effect = None
    if pair.state in JUDGED:
        effect = 0.0 if pair.effect is None and pair.state == "same" else pair.effect
    label = spoken(pair.state)
    if effect is not None:
        label = percent(effect)
    elif pair.state in ("better", "worse", "unclear"):
        label = no_effect_reason(pair.direction, pair.reading, pair.baseline)
    low, high = _interval(pair, metric)
    lines = [
        f"{one_line(candidate, 80)} · {_dataset(pair.dataset, names)}",
        f"{one_line(pair.metric, 80)} {numbers}",
        f"{GLYPHS[pair.state]} {spoken(pair.state)}" + (f" · {label}" if label != spoken(pair.state) else ""),
    ]
    if pair.reading == "error" and effect is not None:
        lines[-1] += " read as errors"
    if pair.standing == "assumed":
        lines.append(f"assumed: {WAYS[pair.direction].partition(' ')[2]}")
    if not math.isnan(low):
        how = ROUGH if pair.paired is None else f"with {share_text(pair.paired.level)} confidence, on the same items"
        lines.append(f"{percent(low)} to {percent(high)}: {how}")
    if pair.note:
        lines.append(one_line(pair.note, _NAME_LENGTH))
    return DeltaMark(
        row=drawn.row,
        column=drawn.column,
        state=pair.state,
        effect=math.nan if effect is None else effect,
        low=low,
        high=high,
        label=label,
        hover="\n".join(lines),
    )


def _interval(pair: PairDecision, metric: MetricContract | None) -> tuple[float, float]:
    """The interval of the change as effects, paired before unpaired; NaN without one, and where it has no size.

    Paired evidence of a metric with a target is of the distance from it. An unpaired interval is of the number itself,
    of which more is neither better nor worse there.
    """
    denominator = _denominator(pair)
    has_target = pair.direction not in ("lower", "higher")
    if has_target and metric is not None and metric.best is not None and pair.baseline is not None:
        denominator = abs(pair.baseline - metric.best)
    interval = (pair.paired.low, pair.paired.high) if pair.paired else None if has_target else pair.interval
    if interval is None or not denominator or pair.direction is None:
        return math.nan, math.nan
    ends = [(end if pair.direction == "higher" else -end) / denominator for end in interval]
    return min(ends), max(ends)


def _limit(marks: Sequence[DeltaMark], tolerance: NDArray[np.float64]) -> float:
    """Half the width of the scale: the largest effect that is at most ``_FAR_MEDIANS`` times the median one."""
    changed = [mark for mark in marks if mark.state in ("better", "worse", "unclear") and not math.isnan(mark.effect)]
    sizes = np.sort([abs(mark.effect) for mark in changed or marks if mark.effect and not math.isnan(mark.effect)])
    least = 1.5 * float(tolerance[tolerance > 0].min(initial=1.0)) if tolerance.any() else _LEAST_LIMIT
    if not len(sizes):
        return least
    sizes = sizes.clip(max=_LARGEST_LIMIT)
    median = sizes[(len(sizes) - 1) // 2]
    return max(float(sizes[sizes <= _FAR_MEDIANS * median][-1]), least)


def _baseline(decisions: Sequence[Decision]) -> str:
    names = {(decision.baseline_model, decision.baseline) for decision in decisions}
    if len(names) != 1:
        return EACH_BASELINE if names else ""
    (_, name) = names.pop()
    return "no baseline" if name is None else distinct_labels([name], 32)[0]


def _panels(
    by_metric: Mapping[str, Sequence[Pair]],
    row_of: Mapping[Pair, int],
    metrics: Mapping[str, MetricContract],
) -> list[DeltaPanel]:
    return [
        DeltaPanel(
            metric=one_line(metric, 80),
            meaning=_meaning(metrics[metric]),
            first=row_of[pairs[0]],
            last=row_of[pairs[-1]],
        )
        for metric, pairs in by_metric.items()
    ]


def _meaning(metric: MetricContract) -> str:
    """Which way is better, and which change counts: ``↓ lower is better, tolerance 1 %``."""
    better = way(metric.direction, metric.standing)
    if metric.direction is None:
        return better
    absolute = f" and {metric.absolute:g}" if metric.absolute else ""
    return f"{better}, tolerance {metric.effective_relative * 100:g} %{absolute}"

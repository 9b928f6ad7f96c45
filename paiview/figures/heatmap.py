"""Heatmaps of datasets by versions: raw values with a scale per row, or effects against one version."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from paiview.decisions.decision import GLYPHS
from paiview.decisions.wording import percent
from paiview.evaluation import queries
from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.metric_meaning import MetricContract, contract, display_digits, format_value
from paiview.evaluation.metric_numbers import (
    ceiling,
    counted_numbers,
    differ_in_scale,
    max_fraction,
    range_problem,
)
from paiview.figures.style import (
    BETTER,
    NEUTRAL,
    TRANSPARENT,
    WORSE,
    cells,
    dataset_label,
    tick_labels,
    tick_positions,
    tint,
    version_labels,
)
from paiview.text import escape_for_plotly, unique_labels

_COLUMNS_WITH_GAPS = 60
_CELLS_WITH_NUMBERS = 24
"""Columns up to which a heatmap's cells are large enough to hold their number."""
_CELLS_WITH_LARGE_NUMBERS = 16
_ROW_PIXELS = 27
_HEAD_PIXELS = 96
_CLIPPED_AT = 95
_MOST_CLIP = 1.0
"""Errors cannot fall by more than all there are, but may grow many times: then all the others would look white."""
_DIVERGING = [
    [0, tint(WORSE, 0.7)],
    [0.4999, tint(WORSE, 0.12)],
    [0.5, tint(NEUTRAL, 0.16)],
    [0.5001, tint(BETTER, 0.12)],
    [1, tint(BETTER, 0.7)],
]
"""Vermillion to blue; clear at 0, so that the page shows through and its text can be read on it, light or dark."""


class HeatmapInfo(NamedTuple):
    """Rows of pairs, columns of versions.

    ``shade`` (rows × columns) is 0 for a row's worst shown value and 1 for its best, a half where all are equal, 0
    throughout a row whose direction is unknown, NaN where there is no value; ``texts`` holds the numbers as shown.
    ``approved`` is the label of the version to emphasize, ``None`` without one.
    """

    rows: list[str]
    names: list[str]
    shade: NDArray[np.float64]
    texts: list[list[str]]
    unknown: list[str]
    approved: str | None


class EffectHeatmapInfo(NamedTuple):
    """Rows of pairs, columns of versions, each compared with the baseline.

    Attributes:
        rows, names: labels; a version without any of the pairs has no column.
        baseline: label of the version compared with.
        values: rows × columns, the numbers in each metric's unit; NaN where missing.
        before: the baseline's number of each row; NaN without one.
        effect: rows × columns, shares, positive is better; NaN where there is no number or no effect.
        shade: rows × columns, from -1 (worse by ``clip`` or more) to 1; NaN where missing. A change from 0 or from no
            errors has no effect and the full shade of its side; what cannot be compared has 0.
        texts: what the cells say: signed percent, else why there is none.
        clip: the share at which the shades are full: the 95th percentile of the effects, at most 1 (twice the errors),
            at least the tolerance.
        unknown: metrics whose direction is unknown.
        unmeasured: rows the baseline has no number for.
    """

    rows: list[str]
    names: list[str]
    baseline: str
    values: NDArray[np.float64]
    before: NDArray[np.float64]
    effect: NDArray[np.float64]
    shade: NDArray[np.float64]
    texts: list[list[str]]
    clip: float
    unknown: list[str]
    unmeasured: list[str]


def heatmap_info(
    frames: Frames,
    shown: Sequence[Pair],
    *,
    orders: NDArray[np.int64],
    dataset_names: Mapping[str, str],
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
    approved: int | None = None,
) -> HeatmapInfo:
    """Compute the heatmap of raw values; arguments as for ``trend_info``, and ``approved``: the version to emphasize.

    Versions without any of the pairs are left out.
    """
    labels = version_labels(frames.versions)
    grid = queries.number_table(frames, shown).to_numpy().T
    kept = _covered(grid, orders)
    grid = grid[:, kept]
    shade = np.full(grid.shape, np.nan)
    texts = []
    unknown = []
    for row, pair in enumerate(shown):
        present = ~np.isnan(grid[row])
        meaning = contract(pair.metric, metrics)
        digits = display_digits(grid[row]) if meaning.digits is None else meaning.digits
        texts.append([format_value(value, digits) if ok else "" for value, ok in zip(grid[row], present, strict=True)])
        if not present.any():
            continue
        if meaning.direction is None:
            unknown.append(pair.metric)
        shade[row][present] = _shades(grid[row][present], meaning)
    return HeatmapInfo(
        rows=_row_labels(shown, dataset_names),
        names=[labels[at] for at in kept],
        shade=shade,
        texts=texts,
        unknown=sorted(set(unknown)),
        approved=None if approved is None else labels[approved],
    )


def _shades(stored: NDArray[np.float64], meaning: MetricContract) -> NDArray[np.float64]:
    """From 0 for the worst number to 1 for the best; 0 for one that the metric cannot have, or without a direction."""
    numbers = counted_numbers(stored, meaning) / 2  # the difference of two halves is never too large for a float
    is_possible = ~np.isnan(numbers)
    if meaning.direction is None or not is_possible.any():
        return np.zeros(len(stored))
    if meaning.best is not None:
        numbers = np.abs(numbers - meaning.best / 2)
    worst, best = np.nanmin(numbers), np.nanmax(numbers)
    if meaning.direction != "higher":
        worst, best = best, worst
    if worst == best:
        return np.where(is_possible, 0.5, 0.0)
    return np.where(is_possible, (numbers - worst) / (best - worst), 0.0)


def heatmap_figure(info: HeatmapInfo) -> go.Figure:
    """Draw the heatmap: a scale of its own per row, numbers in the cells while they fit, blank where missing."""
    colours = {
        "hovertemplate": "<b>%{x}</b><br>%{y}: %{text}<extra></extra>",
        "colorscale": [[0, tint(BETTER, 0.06)], [1, tint(BETTER, 0.75)]],
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
    }
    return _laid_out(info, colours, emphasized=info.approved)


def effect_heatmap_info(
    frames: Frames,
    shown: Sequence[Pair],
    *,
    orders: NDArray[np.int64],
    baseline: int,
    dataset_names: Mapping[str, str],
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
) -> EffectHeatmapInfo:
    """Compute the heatmap of effects against one version, of ``paiview.decisions.decision.PairDecision``.

    Args:
        frames: both frames of a snapshot, unfiltered.
        shown: the pairs, a row each.
        orders: the versions, as positions in the versions frame; those without any of the pairs are left out.
        baseline: the position of the version to compare with, whether it is among ``orders`` or not.
        dataset_names: DatasetId to a name, where known.
        metrics: contracts that complete or replace the built-in ones.
    """
    labels = version_labels(frames.versions)
    grid = queries.number_table(frames, shown).to_numpy().T
    kept = _covered(grid, orders)
    meanings = [contract(pair.metric, metrics) for pair in shown]
    before, values = grid[:, baseline], grid[:, kept]
    counted = [_counted(grid[row], meaning) for row, meaning in enumerate(meanings)]
    effect = _grid_effects(counted, meanings, kept, baseline)
    others = effect[:, kept != baseline]
    sizes = np.abs(others[np.isfinite(others)])
    tolerance = max((each.effective_relative for each in meanings if each.direction), default=0.0)
    usual = min(float(np.percentile(sizes, _CLIPPED_AT)), _MOST_CLIP) if len(sizes) else 0.0
    clip = max(usual, tolerance) or 1.0
    steps = [_steps(each[baseline], each[kept], meaning) for each, meaning in zip(counted, meanings, strict=True)]
    step = np.array(steps).reshape(values.shape)
    shade = np.where(np.isnan(effect), step, np.clip(effect, -clip, clip) / clip)
    rows = _row_labels(shown, dataset_names)
    return EffectHeatmapInfo(
        rows=rows,
        names=[labels[at] for at in kept],
        baseline=labels[baseline],
        values=values,
        before=before,
        effect=effect,
        shade=np.where(np.isnan(values), np.nan, shade),
        texts=[
            [
                "" if math.isnan(value) else _effect_text(share, number, value, each)
                for share, value in zip(effect[row].tolist(), values[row].tolist(), strict=True)
            ]
            for row, (each, number) in enumerate(zip(meanings, before.tolist(), strict=True))
        ],
        clip=clip,
        unknown=sorted({each.metric for each in meanings if each.direction is None}),
        unmeasured=[row for row, number in zip(rows, before, strict=True) if np.isnan(number)],
    )


def effects(
    frames: Frames,
    shown: Sequence[Pair],
    *,
    orders: NDArray[np.int64],
    baseline: int,
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
) -> NDArray[np.float64]:
    """The effects of some versions, pairs × versions; arguments and values as for ``effect_heatmap_info``."""
    values = np.full((len(shown), len(orders)), np.nan)
    for row, pair in enumerate(shown):
        meaning = contract(pair.metric, metrics)
        numbers = np.full(len(frames.versions), np.nan)
        history = frames.histories[pair]
        numbers[history.version_indexes] = _counted(history.values, meaning)
        values[row] = _row_effects(numbers[baseline], numbers[orders], meaning)
    return values


def effect_heatmap_figure(info: EffectHeatmapInfo) -> go.Figure:
    """Draw the heatmap of effects: blue is better, vermillion worse, both full at the clip; blank where missing."""
    colours = {
        "customdata": np.dstack([info.values, np.broadcast_to(info.before[:, None], info.values.shape)]),
        "hovertemplate": "<b>%{x}</b><br>%{y}: %{text}<br>%{customdata[1]} → %{customdata[0]}<extra></extra>",
        "colorscale": _DIVERGING,
        "zmin": -1,
        "zmax": 1,
        "showscale": False,
    }
    return _laid_out(info, colours, emphasized=info.baseline)


def version_effects(
    frames: Frames,
    pairs: Sequence[Pair],
    *,
    orders: NDArray[np.int64],
    baseline: int,
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
) -> NDArray[np.float64]:
    """The effects of some versions against one, pairs × versions; NaN where there is none.

    The arguments are those of ``effect_heatmap_info``.
    """
    grid = queries.number_table(frames, pairs).to_numpy().T
    meanings = [contract(pair.metric, metrics) for pair in pairs]
    counted = [_counted(grid[row], meaning) for row, meaning in enumerate(meanings)]
    return _grid_effects(counted, meanings, orders, baseline)


def _grid_effects(
    counted: Sequence[NDArray[np.float64]],
    meanings: Sequence[MetricContract],
    orders: NDArray[np.int64],
    baseline: int,
) -> NDArray[np.float64]:
    rows = [
        _row_effects(each[baseline], each[orders], meaning) for each, meaning in zip(counted, meanings, strict=True)
    ]
    return np.array(rows).reshape(len(counted), len(orders))


def _covered(grid: NDArray[np.float64], orders: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of some versions, in order, that have any number."""
    ordered = np.sort(orders)
    return ordered[~np.isnan(grid[:, ordered]).all(axis=0)]


def _row_effects(before: float, after: NDArray[np.float64], meaning: MetricContract) -> NDArray[np.float64]:
    """The effects of ``paiview.decisions.pairs`` for many numbers of one pair at once; NaN where one has none.

    Args:
        before: the baseline's number.
        after: those of the other versions.
        meaning: the metric's contract.
    """
    if meaning.direction is None or math.isnan(before):
        return np.full(len(after), np.nan)
    comparable = _comparable(before, after, meaning)
    with np.errstate(all="ignore"):
        if meaning.best is not None:
            size = abs(before - meaning.best)
            effect = (size - np.abs(after - meaning.best)) / size
            return np.where(comparable & np.isfinite(effect), effect, np.nan)
        upwards = 1.0 if meaning.direction == "higher" else -1.0
        better_by = (after - before) * upwards
        size = abs(before)
        gain = np.where(np.isinf(better_by), (after / size - before / size) * upwards, better_by / size)
        top = _tops(before, after, meaning)
        has_errors = np.maximum(before, after) <= top
        reduction = better_by / (top - before)
        effect = np.where(has_errors & (np.abs(reduction) > np.abs(gain)), reduction, gain)
        undefined = (before == 0) | (has_errors & (before == top)) | ~np.isfinite(gain) | ~comparable
    return np.where(undefined, np.nan, effect)


def _counted(values: NDArray[np.float64], meaning: MetricContract) -> NDArray[np.float64]:
    """The numbers that count: of a metric stored with mixed scales, fractions times 100."""
    return values * np.where(np.abs(values) <= 1, 100, 1) if meaning.scale == "mixed" else values


def _steps(before: float, after: NDArray[np.float64], meaning: MetricContract) -> NDArray[np.float64]:
    """By number, 1 where it is better, -1 where it is worse, 0 where it is neither or cannot be compared."""
    if meaning.direction is None or math.isnan(before):
        return np.zeros(len(after))
    with np.errstate(all="ignore"):
        if meaning.best is not None:
            sign = np.sign(abs(before - meaning.best) - np.abs(after - meaning.best))
        else:
            sign = np.sign(after - before) * (1.0 if meaning.direction == "higher" else -1.0)
    return np.where(_comparable(before, after, meaning), np.nan_to_num(sign), 0.0)


def _comparable(before: float, after: NDArray[np.float64], meaning: MetricContract) -> NDArray[np.bool_]:
    """Where both numbers are possible and on one scale."""
    is_possible = ~np.isnan(counted_numbers(after, meaning)) & (range_problem(before, meaning) is None)
    limit = max_fraction(meaning)
    return is_possible if limit is None else is_possible & ~differ_in_scale(before, after, limit)


def _tops(before: float, after: NDArray[np.float64], meaning: MetricContract) -> NDArray[np.float64]:
    """By number, the ceiling from which errors are counted; NaN where the metric has none."""
    if meaning.direction != "higher" or ceiling(0.0, 0.0, meaning) is None:
        return np.full(len(after), np.nan)
    if meaning.scale in ("percent", "mixed"):
        return np.full(len(after), 100.0)
    limit = max_fraction(meaning) or math.inf
    return np.where((np.abs(after) > limit) | (abs(before) > limit), 100.0, 1.0)


def _effect_text(effect: float, before: float, after: float, meaning: MetricContract) -> str:
    """What a cell with a number says: the effect, or why there is none."""
    if not math.isnan(effect):
        return percent(effect)
    if math.isnan(before):
        return GLYPHS["new"]
    if meaning.direction is None or not _comparable(before, np.array([after]), meaning)[0]:
        return GLYPHS["not_comparable"]
    if before == after:
        return GLYPHS["same"]
    if meaning.direction == "target":
        return "from the target"
    return "from 0" if before == 0 else "from no errors" if math.isfinite(after - before) else GLYPHS["not_comparable"]


def _laid_out(
    info: HeatmapInfo | EffectHeatmapInfo, colours: Mapping[str, object], emphasized: str | None = None
) -> go.Figure:
    """A heatmap laid out, with one column's name emphasized, and the numbers in its cells while they fit.

    They are a trace of their own because the numbers of a heatmap are dark or light as on white paper.
    """
    names, rows = info.names, info.rows
    traces: list[go.Heatmap | go.Scatter] = [
        go.Heatmap(
            x=names,
            y=rows,
            z=info.shade,
            text=info.texts,
            hoverongaps=False,
            xgap=1 if len(names) <= _COLUMNS_WITH_GAPS else 0,
            ygap=1,
            **colours,
        )
    ]
    roomy = len(names) <= _CELLS_WITH_NUMBERS
    if roomy:
        numbers = go.Scatter(
            x=cells([*names] * len(rows)),
            y=np.repeat(cells(rows), len(names)),
            mode="text",
            text=cells([text for row in info.texts for text in row]),
            textfont={"size": 11 if len(names) <= _CELLS_WITH_LARGE_NUMBERS else 10},
            hoverinfo="skip",
            showlegend=False,
        )
        traces.append(numbers)
    ticks = [names[at] for at in (range(len(names)) if roomy else tick_positions(len(names), 10))]
    layout: dict[str, object] = {
        "height": _HEAD_PIXELS + _ROW_PIXELS * max(len(rows), 2),
        "margin": {"l": 8, "r": 40, "t": 8, "b": 8},
        "xaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": names,
            "tickvals": ticks,
            "ticktext": [
                f"<b>{label}</b>" if name == emphasized else label
                for name, label in zip(ticks, tick_labels(ticks), strict=True)
            ],
            "tickfont": {"size": 10},
            "tickangle": -30,
            "side": "top",
            "automargin": True,
            "showgrid": False,
        },
        "yaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": rows,
            "autorange": "reversed",
            "tickfont": {"size": 11},
            "showgrid": False,
            "automargin": True,
        },
    }
    return go.Figure(traces, TRANSPARENT | layout)


def _row_labels(pairs: Sequence[Pair], dataset_names: Mapping[str, str]) -> list[str]:
    """The dataset of each row, with the metric where there are several; no two alike."""
    has_several = len({pair.metric for pair in pairs}) > 1
    datasets = [escape_for_plotly(dataset_label(pair.dataset, dataset_names)) for pair in pairs]
    return unique_labels(
        [
            f"{dataset} · {escape_for_plotly(pair.metric, 30)}" if has_several else dataset
            for dataset, pair in zip(datasets, pairs, strict=True)
        ]
    )

"""Pareto scatter: versions by two numbers each, the front of those that nothing dominates as a step line."""

import html
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from paiview.decisions.decision import Decision
from paiview.decisions.dominance import dominators
from paiview.evaluation.metric_meaning import Direction, display_digits, format_value
from paiview.evaluation.results import Measurement, Pair
from paiview.figures.style import (
    BETTER,
    FAINT,
    NEUTRAL,
    TRANSPARENT,
    WAYS,
    cells,
    dataset_label,
    distinct_labels,
    marker,
    metrics_of,
)
from paiview.text import counted, escape_for_plotly

_ROOM = (520, 350)
_MARK, _LETTER, _LINE = 6, 6.2, 15
"""About how large the plot of a narrow window, half a mark, a letter and a line of a label are, in pixels."""
_LABEL = 28
_ACROSS, _UP = {"left": -1, "center": 0, "right": 1}, {"bottom": -1, "middle": 0, "top": 1}
_SIDES = ("middle right", "middle left", "top center", "bottom center")


class ParetoAxis(NamedTuple):
    """What one axis shows; a mean is over ``datasets``, a single pair has one of them."""

    title: str
    direction: Direction | None
    datasets: list[str]


class ParetoInfo(NamedTuple):
    """Everything a Pareto scatter draws.

    Attributes:
        names: the versions that have both numbers: the candidates as given, then the baseline.
        labels: the names as shown.
        x, y: their numbers, in each metric's unit.
        axes: what ``x`` and ``y`` are.
        dominators: for each version what dominates it, ``None`` on the front; all ``None`` while a direction is
            unknown.
        front: places in ``names`` of the step line's corners, by x; empty while a direction is unknown.
        left_out: versions without one of the two numbers.
    """

    names: list[str]
    labels: list[str]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    axes: tuple[ParetoAxis, ParetoAxis]
    dominators: list[str | None]
    front: list[int]
    left_out: list[str]


class _Axis(NamedTuple):
    """An axis and the number of each version that has one."""

    axis: ParetoAxis
    metric: str
    numbers: dict[str, float]


def pareto_info(decisions: Sequence[Decision], x: Pair | str, y: Pair | str) -> ParetoInfo:
    """Compute the Pareto scatter of the candidates and their baseline.

    ``paiview.decisions.dominance.dominators`` says which version dominates which, from the two numbers drawn alone.

    Args:
        decisions: one a candidate.
        x: a pair, or a metric: then its mean over the datasets for which every version that has the metric at all has
            a number.
        y: likewise.
    """
    values = _values(decisions)
    baselines = {name for decision in decisions if (name := _baseline(decision)) is not None}
    judged = [pair for decision in decisions for pair in decision.pairs]
    dataset_names = {pair.dataset: pair.name for pair in judged if pair.name}
    # A metric with a target has no better side of its axis.
    directions = {pair.metric: pair.direction if pair.direction in ("lower", "higher") else None for pair in judged}
    across, up = (_axis(values, chosen, directions, dataset_names) for chosen in (x, y))
    names = [name for name in values if name in across.numbers and name in up.numbers]
    dominated_by: dict[str, str | None] = dict.fromkeys(names)
    is_known = across.axis.direction is not None and up.axis.direction is not None
    if is_known:
        places = [Pair(across.metric, "x"), Pair(up.metric, "y")]
        measured = {
            name: {place: Measurement(side.numbers[name]) for place, side in zip(places, (across, up), strict=True)}
            for name in names
        }
        dominated_by = dominators(measured, places, metrics_of(decisions))
    info = ParetoInfo(
        names=names,
        labels=[
            escape_for_plotly(label) + (" (baseline)" if name in baselines else "")
            for name, label in zip(names, distinct_labels(names, _LABEL), strict=True)
        ],
        x=np.array([across.numbers[name] for name in names]),
        y=np.array([up.numbers[name] for name in names]),
        axes=(across.axis, up.axis),
        dominators=[dominated_by[name] for name in names],
        front=[],
        left_out=[name for name in values if name not in names],
    )
    return info._replace(front=_front(info)) if is_known else info


def pareto_figure(info: ParetoInfo) -> go.Figure:
    """Draw the scatter: filled marks on the front, hollow ones are dominated, the axes say which way is better."""
    figure = go.Figure()
    across, up = info.axes
    if info.front:
        x, y = _steps(info)
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={"shape": "hv" if across.direction == "lower" else "vh", "width": 1.6, "color": BETTER},
            hoverinfo="skip",
            name="front",
        )
    hovers = cells([_hover(info, place) for place in range(len(info.names))])
    labels = cells(info.labels)
    positions = cells(_label_positions(info))
    is_dominated = np.array([name is not None for name in info.dominators], dtype=bool)
    for dominated, colour in ((False, BETTER if info.front else NEUTRAL), (True, NEUTRAL)):
        at = np.flatnonzero(is_dominated == dominated)
        if not len(at):
            continue
        figure.add_scatter(
            x=info.x[at],
            y=info.y[at],
            mode="markers+text",
            marker=marker("circle-open" if dominated else "circle", colour, 11),
            text=labels[at],
            textposition=positions[at],
            textfont={"size": 11},
            hovertext=hovers[at],
            hoverinfo="text",
            cliponaxis=False,
            name="dominated" if dominated else "not dominated" if info.front else "version",
        )
    axis = {"gridcolor": FAINT, "zeroline": False, "automargin": True, "tickfont": {"size": 11}}
    figure.update_layout(
        height=460,
        margin={"l": 8, "r": 24, "t": 40, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
        hovermode="closest",
        xaxis=axis | {"title": {"text": across.title, "font": {"size": 12}}, "range": _range(info.x)},
        yaxis=axis | {"title": {"text": up.title, "font": {"size": 12}}, "range": _range(info.y)},
        **TRANSPARENT,
    )
    return figure


def means(decisions: Sequence[Decision]) -> set[str]:
    """The metrics whose mean an axis can show: all versions that have one at all have it on some same dataset."""
    values = _values(decisions)
    return {
        metric for metric in {pair.metric for given in values.values() for pair in given} if _shared(values, metric)
    }


def _values(decisions: Sequence[Decision]) -> dict[str, dict[Pair, float]]:
    """The numbers of the candidates as given, then of the baselines, by name."""
    values = {decision.candidate: _numbers(decision, "candidate") for decision in decisions}
    for decision in decisions:
        name = _baseline(decision)
        if name is not None:
            values[name] = values.get(name, {}) | _numbers(decision, "baseline")
    return values


def _shared(values: Mapping[str, Mapping[Pair, float]], metric: str) -> list[str]:
    """The datasets on which all versions have a metric that have it at all."""
    covered = [{pair.dataset for pair in given if pair.metric == metric} for given in values.values()]
    covered = [given for given in covered if given]
    return sorted(set.intersection(*covered)) if covered else []


def _numbers(decision: Decision, side: Literal["baseline", "candidate"]) -> dict[Pair, float]:
    numbers = ((pair.pair, getattr(pair, side)) for pair in decision.pairs)
    return {pair: value for pair, value in numbers if value is not None}


def _baseline(decision: Decision) -> str | None:
    """The baseline's name, with its model where that is another one."""
    if decision.baseline is None or decision.baseline_model == decision.model:
        return decision.baseline
    return f"{decision.baseline} of {decision.baseline_model}"


def _axis(
    values: Mapping[str, Mapping[Pair, float]],
    chosen: Pair | str,
    directions: Mapping[str, Direction | None],
    dataset_names: Mapping[str, str],
) -> _Axis:
    if isinstance(chosen, Pair):
        metric, datasets = chosen.metric, [chosen.dataset]
        of = f" on {escape_for_plotly(dataset_label(chosen.dataset, dataset_names))}"
    else:
        metric = chosen
        datasets = _shared(values, metric)
        of = f", mean of {counted(len(datasets), 'dataset')}"
    pairs = [Pair(metric, dataset) for dataset in datasets]
    numbers = {
        name: math.fsum(given[pair] / len(pairs) for pair in pairs)
        for name, given in values.items()
        if pairs and all(pair in given for pair in pairs)
    }
    direction = directions.get(metric)
    return _Axis(
        ParetoAxis(f"{escape_for_plotly(metric, 40)}{of} ({WAYS[direction]})", direction, datasets), metric, numbers
    )


def _front(info: ParetoInfo) -> list[int]:
    """The corners of the front: of those that nothing dominates, each that no other one equals or betters twice over.

    Within tolerance two versions may dominate neither each other while one is a little worse in both: that one is not
    hollow, but it is no corner either.
    """
    left, low = (1 if axis.direction == "lower" else -1 for axis in info.axes)
    candidates = [place for place, name in enumerate(info.dominators) if name is None]
    candidates.sort(key=lambda place: (left * info.x[place], low * info.y[place]))
    corners: list[int] = []
    for place in candidates:
        if not corners or low * info.y[place] < low * info.y[corners[-1]]:
            corners.append(place)
    return corners if left == 1 else corners[::-1]


def _steps(info: ParetoInfo) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The corners of the step line, led to the two edges of the plot that are worse."""
    x, y = info.x[info.front], info.y[info.front]
    across, up = (_range(values) for values in (info.x, info.y))
    if across is None or up is None:
        return x, y
    worst_x, worst_y = (
        ends[1 if axis.direction == "lower" else 0] for ends, axis in zip((across, up), info.axes, strict=True)
    )
    if info.axes[0].direction == "lower":
        return np.r_[x[0], x, worst_x], np.r_[worst_y, y, y[-1]]
    return np.r_[worst_x, x, x[-1]], np.r_[y[0], y, worst_y]


def _hover(info: ParetoInfo, place: int) -> str:
    numbers = [
        f"{axis.title}: {format_value(float(values[place]), display_digits(values))}"
        for axis, values in zip(info.axes, (info.x, info.y), strict=True)
    ]
    dominator = info.dominators[place]
    dominated = [] if dominator is None else [f"dominated by {escape_for_plotly(dominator, 80)}"]
    return "<br>".join([f"<b>{escape_for_plotly(info.names[place], 80)}</b>", *numbers, *dominated])


def _range(values: NDArray[np.float64], share: float = 0.15) -> list[float] | None:
    """The numbers with room for their labels around them; ``None`` where a float cannot hold it, large or small."""
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    room = share * ((high - low) or abs(high) or 1.0)
    ends = [low - room, high + room]
    return ends if 0 < ends[1] - ends[0] < math.inf else None


def _label_positions(info: ParetoInfo) -> list[str]:
    """For each label the side of its mark where it stays inside and meets the fewest marks, lines and earlier labels.

    On the front that is the better corner, if it has room: neither the line nor a dominated version can be there.
    """
    if _range(info.x) is None or _range(info.y) is None:
        return ["middle right"] * len(info.names)
    places = np.column_stack([_pixels(info.x, info.x, _ROOM[0]), _pixels(info.y, info.y, _ROOM[1])])
    taken = [(x - _MARK, y - _MARK, x + _MARK, y + _MARK) for x, y in places.tolist()]
    taken += _line_boxes(info)
    chosen = []
    across, up = (axis.direction for axis in info.axes)
    sides = ("left", "right") if across == "lower" else ("right", "left")
    corners = [f"{'bottom' if up == 'lower' else 'top'} {side}" for side in sides]
    for place, ((x, y), label) in enumerate(zip(places.tolist(), info.labels, strict=True)):
        half = len(html.unescape(label)) * _LETTER / 2
        boxes = {}
        for side in (*corners, *_SIDES) if place in info.front else _SIDES:
            up_or_down, left_or_right = side.split()
            middle = x + _ACROSS[left_or_right] * (half + _MARK + 4)
            line = y + _UP[up_or_down] * _LINE
            boxes[side] = (middle - half, line - _LINE / 2, middle + half, line + _LINE / 2)
        side = min(boxes, key=lambda side: (_outside(boxes[side]), sum(_meet(boxes[side], other) for other in taken)))
        taken.append(boxes[side])
        chosen.append(side)
    return chosen


def _outside(box: tuple[float, ...]) -> float:
    """By how many pixels a box leaves the plot to its left and right."""
    return max(0.0, -box[0]) + max(0.0, box[2] - _ROOM[0])


def _line_boxes(info: ParetoInfo) -> list[tuple[float, float, float, float]]:
    """The straight parts of the front's line as boxes, in pixels."""
    if not info.front:
        return []
    x, y = _steps(info)
    points = np.column_stack([_pixels(x, info.x, _ROOM[0]), _pixels(y, info.y, _ROOM[1])]).tolist()
    boxes = []
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        corner = (x2, y1) if info.axes[0].direction == "lower" else (x1, y2)
        for start, end in (((x1, y1), corner), (corner, (x2, y2))):
            (left, right), (low, high) = sorted((start[0], end[0])), sorted((start[1], end[1]))
            boxes.append((left - 1, low - 1, right + 1, high + 1))
    return boxes


def _pixels(values: NDArray[np.float64], on_axis: NDArray[np.float64], room: float) -> NDArray[np.float64]:
    """Where values are on the axis of some numbers."""
    low, high = _range(on_axis) or (0.0, 1.0)
    return (values - low) / (high - low) * room


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]

"""Delta dot plot: how far each candidate is from its baseline on every dataset, right is better, the worst first.

A row a pair, a panel of rows a metric, a column a candidate. All columns share one scale of effects in percent, so that
they can be compared by eye; what has no size stands hollow in a gutter beside the scale.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from paiview.decisions.decision import BY_CONCERN, GLYPHS, Decision, PairDecision, State, spoken
from paiview.decisions.pairs import ROUGH
from paiview.decisions.wording import percent, value_digits
from paiview.evaluation.metric_meaning import MetricContract, format_value
from paiview.evaluation.results import Pair
from paiview.figures.style import (
    COLOURS,
    FAINT,
    FAINTEST,
    NEUTRAL,
    SYMBOLS,
    TRANSPARENT,
    WAYS,
    Trace,
    cells,
    dataset_label,
    drawn,
    in_force,
    kept_rows,
    left_out,
    legend_lines,
    marker,
    row_labels,
    scatter,
    told_apart,
)
from paiview.text import escape_for_plotly

MOST_ROWS = 40

_FAR = 6.0
"""Times the median effect beyond which an effect is drawn at the edge, so that it does not flatten the others."""
_LEAST_LIMIT, _LARGEST_LIMIT = 0.01, 1e100
"""Of the scale. Floats hold every place in all columns, in percent too, and what is larger stands at the edge."""
_COLUMNS_WITH_TEXT = 3
_COLUMNS_WITH_LEVEL_HEADS = 6
_GUTTER = 1.2
"""In limits of the scale: where what has no size is drawn."""
_ROOMY_HALF, _HALF = 1.9, 1.5
"""In limits of the scale: half of a column, where its marks have texts beside them and where not."""
_EACH = "each one's baseline"
_HEADS = 48
"""Characters of all heads of columns together in a narrow window."""
_ROW_HEIGHT, _LEGEND_LINE = 24, 20


class DeltaRow(NamedTuple):
    """One pair: its label, and its numbers (``0.172 ← 0.175``) where there is one candidate only."""

    pair: Pair
    label: str
    values: str


class DeltaPanel(NamedTuple):
    """The rows of one metric, which follow each other."""

    title: str
    first: int
    last: int


class DeltaMark(NamedTuple):
    """What one candidate does in one row.

    Attributes:
        row, column: places in ``rows`` and ``candidates``.
        effect: a share, positive is better; NaN where there is no size to draw.
        low, high: the interval of the change as effects; NaN without one.
        label: a few words beside the mark.
        hover: everything about it.
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
    """Everything a delta dot plot draws.

    Attributes:
        candidates: a column each, as given.
        baseline: what they are compared with, in words.
        rows, panels, marks: see there; rows are the most worrying first within their panel, panels likewise.
        tolerance: rows × columns, the largest effect that is none.
        limit: half the width of the scale, a share.
        beyond: marks drawn at the edge because their effect is larger than ``limit``.
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


def delta_info(
    decisions: Sequence[Decision], *, shown: Collection[Pair] | None = None, most: int = MOST_ROWS
) -> DeltaInfo:
    """Compute the delta dot plot.

    Args:
        decisions: one a candidate.
        shown: the pairs to draw; by default all. Order does not matter: the most worrying come first, by the worst
            of the candidates.
        most: rows to draw at most; what ``kept_rows`` does not keep is left out.
    """
    concerns: dict[Pair, tuple[int, float]] = {}
    for decision in decisions:
        for judged in decision.pairs:
            pair = Pair(judged.metric, judged.dataset)
            if shown is None or pair in shown:
                concerns[pair] = min(concerns.get(pair, (len(BY_CONCERN), 0.0)), _concern(judged))
    ordered = sorted(concerns, key=lambda pair: (concerns[pair], pair))
    states = [BY_CONCERN[concerns[pair][0]] for pair in ordered]
    places = kept_rows(states, most)
    kept = [ordered[at] for at in places]
    by_metric: dict[str, list[Pair]] = {pair.metric: [] for pair in kept}
    for pair in kept:
        by_metric[pair.metric].append(pair)
    place = {pair: row for row, pair in enumerate(pair for pairs in by_metric.values() for pair in pairs)}
    found = [
        (place[pair], column, judged)
        for column, decision in enumerate(decisions)
        for judged in decision.pairs
        if (pair := Pair(judged.metric, judged.dataset)) in place
    ]
    contracts = in_force(decisions)
    digits = {
        metric: value_digits([judged for _, _, judged in found if judged.metric == metric], contracts.get(metric))
        for metric in by_metric
    }
    names = {judged.dataset: judged.name for _, _, judged in found if judged.name}
    tolerance = np.array([[_relative(contracts, pair)] * len(decisions) for pair in place], dtype=float)
    tolerance.shape = (len(place), len(decisions))
    values = [""] * len(place)
    marks = []
    for row, column, judged in found:
        tolerance[row, column] = _tolerance(judged, contracts.get(judged.metric))
        numbers = _values(judged, digits[judged.metric])
        values[row] = f"{GLYPHS[judged.state]} {numbers}" if len(decisions) == 1 else ""
        marks.append(_mark(row, column, judged, numbers, decisions[column].candidate, names))
    limit = _limit(marks, tolerance)
    rows = [
        DeltaRow(pair, label, values[place[pair]])
        for pairs in by_metric.values()
        for pair, label in zip(pairs, row_labels(pairs, names), strict=True)
    ]
    return DeltaInfo(
        candidates=[decision.candidate for decision in decisions],
        baseline=_baseline(decisions),
        rows=rows,
        panels=[_panel(pairs, place, found, contracts.get(metric)) for metric, pairs in by_metric.items()],
        marks=marks,
        tolerance=tolerance,
        limit=limit,
        beyond=sum(abs(mark.effect) > limit for mark in marks),
        hidden=left_out(states, places),
    )


def delta_figure(info: DeltaInfo) -> go.Figure:
    """Draw the plot: the zero line is the baseline, the band its tolerance, triangles say better and worse."""
    if not info.rows:
        return drawn([], TRANSPARENT)
    columns = len(info.candidates)
    half = (_ROOMY_HALF if columns <= _COLUMNS_WITH_TEXT else _HALF) * info.limit * 100
    heights = _heights(info)
    bottom = heights[-1] + 0.6
    lines = [_band(info, heights, half), _zero_lines(info, heights, half)]
    if any(not math.isnan(mark.low) for mark in info.marks):
        lines.append(_whiskers(info, heights, half))
    traces = [*lines, *_mark_traces(info, heights, half), *(_legend(info) if columns > 1 else ())]
    ticks, words = _ticks(info, half)
    level = columns <= _COLUMNS_WITH_LEVEL_HEADS
    in_legend = [trace["name"] for trace in traces if trace.get("showlegend", True)]
    top = 48 if columns == 1 else (72 if level else 130) + _LEGEND_LINE * legend_lines(in_legend)
    upright = {"range": [bottom, -0.6], "zeroline": False, "ticks": "", "tickfont": {"size": 12}, "fixedrange": True}
    at = [heights[row] for row in range(len(info.rows))]
    layout: dict[str, object] = {
        "height": top + 8 + int(_ROW_HEIGHT * (bottom + 0.6)),
        "margin": {"l": 8, "r": 8 if level else 48, "t": top, "b": 8},
        "shapes": [_divider(2 * half * column - half) for column in range(1, columns)],
        "legend": {"orientation": "h", "x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top"},
        "hovermode": "closest",
        "annotations": [*_panel_heads(info, heights), *_column_heads(info, half)],
        "xaxis": {
            "range": [-half, (2 * columns - 1) * half],
            "side": "top",
            "anchor": "y",
            "tickvals": ticks,
            "ticktext": words,
            "tickfont": {"size": 10},
            "tickangle": 0,
            "gridcolor": FAINT,
            "showgrid": columns == 1,
            "zeroline": False,
            "fixedrange": True,
        },
        "yaxis": upright
        | {
            "tickvals": at,
            "ticktext": [row.label for row in info.rows],
            "automargin": True,
            # The text of a large regression in a narrow column reaches beyond it.
            "ticklabelstandoff": 16 if 1 < columns <= _COLUMNS_WITH_TEXT else 0,
            "gridcolor": FAINTEST,
        },
        "yaxis2": upright
        | {
            "tickvals": at if columns == 1 else [],
            "ticktext": [row.values for row in info.rows],
            "overlaying": "y",
            "showgrid": False,
            "side": "right",
            "automargin": True,
        },
    }
    return drawn(traces, TRANSPARENT | layout)


def _concern(pair: PairDecision) -> tuple[int, float]:
    """The order of ``Decision.pairs``: the lower, the sooner a reader should see it."""
    size = 0.0
    if pair.state in ("better", "worse"):
        size = math.inf if pair.effect is None else abs(pair.effect)
    return BY_CONCERN.index(pair.state), -size


def _relative(contracts: dict[str, MetricContract], pair: Pair) -> float:
    known = contracts.get(pair.metric)
    return known.effective_relative if known is not None and known.direction is not None else 0.0


def _whole(pair: PairDecision) -> float | None:
    """What the effect is a share of, in the metric's unit: the size of the baseline, or its errors."""
    if pair.effect is None or pair.baseline is None:
        return None
    return 1 - pair.baseline if pair.reading == "error" else abs(pair.baseline)


def _tolerance(pair: PairDecision, known: MetricContract | None) -> float:
    """The largest effect that counts as none: a change counts only beyond both tolerances."""
    if known is None or known.direction is None:
        return 0.0
    whole = _whole(pair)
    return (
        max(known.effective_relative, known.absolute / whole) if whole and known.absolute else known.effective_relative
    )


def _values(pair: PairDecision, digits: int) -> str:
    return " ← ".join(
        format_value(math.nan if value is None else value, digits) for value in (pair.candidate, pair.baseline)
    )


def _mark(row: int, column: int, pair: PairDecision, numbers: str, candidate: str, names: dict[str, str]) -> DeltaMark:
    effect = 0.0 if pair.effect is None and pair.state == "same" else pair.effect
    if pair.state not in ("better", "worse", "same"):
        effect = None
    if effect is not None:
        label = percent(effect)
    elif pair.state in ("better", "worse"):
        label = _without_size(pair)
    else:
        label = spoken(pair.state)
    low = high = math.nan
    whole = _whole(pair)
    if pair.interval is not None and whole:
        ends = [(-end if pair.direction == "lower" else end) / whole for end in pair.interval]
        low, high = min(ends), max(ends)
    told = [
        f"<b>{escape_for_plotly(candidate, 80)}</b> · {dataset_label(pair.dataset, names)}",
        f"{escape_for_plotly(pair.metric, 40)} {numbers}",
        f"{GLYPHS[pair.state]} {spoken(pair.state)}" + (f" · {label}" if label != spoken(pair.state) else ""),
    ]
    if pair.reading == "error" and effect is not None:
        told[-1] += " read as errors"
    if not math.isnan(low):
        told.append(f"{percent(low)} to {percent(high)}: {ROUGH}")
    if pair.note:
        told.append(escape_for_plotly(pair.note, 120))
    return DeltaMark(
        row, column, pair.state, math.nan if effect is None else effect, low, high, label, "<br>".join(told)
    )


def _without_size(pair: PairDecision) -> str:
    """Why a change has no effect in percent."""
    if pair.reading == "error":
        return "from no errors"
    return "too large a ratio" if pair.baseline else "from 0"


def _limit(marks: Sequence[DeltaMark], tolerance: NDArray[np.float64]) -> float:
    """Half the width of the scale: the largest effect that is no more than ``_FAR`` times the median one."""
    changed = [mark for mark in marks if mark.state in ("better", "worse") and not math.isnan(mark.effect)]
    sizes = np.sort([abs(mark.effect) for mark in changed or marks if mark.effect and not math.isnan(mark.effect)])
    least = 1.5 * float(tolerance[tolerance > 0].min(initial=1.0)) if tolerance.any() else _LEAST_LIMIT
    if not len(sizes):
        return least
    sizes = sizes.clip(max=_LARGEST_LIMIT)
    median = sizes[(len(sizes) - 1) // 2]
    return max(float(sizes[sizes <= _FAR * median][-1]), least)


def _baseline(decisions: Sequence[Decision]) -> str:
    names = {(decision.baseline_model, decision.baseline) for decision in decisions}
    if len(names) != 1:
        return _EACH if names else ""
    (_, name) = names.pop()
    return "no baseline" if name is None else told_apart([name], 22 if len(decisions) == 1 else 14)[0]


def _panel(
    pairs: Sequence[Pair],
    place: dict[Pair, int],
    found: Sequence[tuple[int, int, PairDecision]],
    known: MetricContract | None,
) -> DeltaPanel:
    metric = pairs[0].metric
    direction = next((judged.direction for _, _, judged in found if judged.metric == metric), None)
    title = f"<b>{escape_for_plotly(metric, 40)}</b> {WAYS[direction]}"
    if known is not None and direction is not None:
        absolute = f" and {known.absolute:g}" if known.absolute else ""
        title += f", tolerance {known.effective_relative * 100:g} %{absolute}"
    return DeltaPanel(title, place[pairs[0]], place[pairs[-1]])


def _heights(info: DeltaInfo) -> list[float]:
    """The height of each row, downwards; every panel begins with a free line for its head."""
    return [row + number for number, panel in enumerate(info.panels, 1) for row in range(panel.first, panel.last + 1)]


def _x(effect: float, column: int, half: float) -> float:
    return 2 * half * column + effect * 100


def _places(info: DeltaInfo, half: float) -> Iterator[tuple[DeltaMark, float, bool]]:
    """Each mark with where it stands, and whether that is the edge of the scale."""
    for mark in info.marks:
        if math.isnan(mark.effect):
            effect = math.copysign(_GUTTER * info.limit, 1 if mark.state == "better" else -1)
        else:
            effect = min(max(mark.effect, -info.limit), info.limit)
        yield mark, _x(effect, mark.column, half), abs(mark.effect) > info.limit


def _band(info: DeltaInfo, heights: Sequence[float], half: float) -> Trace:
    """The tolerance of every row as one outline: neighbours of equal tolerance share a rectangle."""
    x: list[float] = []
    y: list[float] = []
    for column in range(len(info.candidates)):
        for panel in info.panels:
            widths = np.minimum(info.tolerance[panel.first : panel.last + 1, column], half / 100)
            row = panel.first
            for width, run in groupby(widths.tolist()):
                rows = len([*run])
                top, bottom = heights[row] - 0.5, heights[row + rows - 1] + 0.5
                left, right = _x(-width, column, half), _x(width, column, half)
                x += [left, right, right, left, left, math.nan]
                y += [top, top, bottom, bottom, top, math.nan]
                row += rows
    return scatter(
        x=np.array(x),
        y=np.array(y),
        mode="lines",
        fill="toself",
        fillcolor=FAINT,
        line={"width": 0, "color": FAINT},
        hoverinfo="skip",
        showlegend=len(info.candidates) > 1,
        name="within tolerance",
        legendrank=1010,
    )


def _zero_lines(info: DeltaInfo, heights: Sequence[float], half: float) -> Trace:
    x = [_x(0, column, half) for column in range(len(info.candidates)) for _ in info.panels]
    y = [(heights[panel.first] - 0.5, heights[panel.last] + 0.5, math.nan) for panel in info.panels]
    return scatter(
        x=np.repeat(x, 3),
        y=np.tile(np.ravel(y), len(info.candidates)),
        mode="lines",
        line={"width": 2.5, "color": NEUTRAL},
        hoverinfo="skip",
        name=_EACH if info.baseline == _EACH else f"baseline {info.baseline}",
        showlegend=len(info.candidates) > 1,
        legendrank=1009,
    )


def _divider(x: float) -> dict[str, object]:
    line = {"width": 1, "color": FAINT}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "layer": "below", "line": line}


def _whiskers(info: DeltaInfo, heights: Sequence[float], half: float) -> Trace:
    with_interval = [mark for mark in info.marks if not math.isnan(mark.low)]
    ends = np.array([(mark.low, mark.high) for mark in with_interval]).clip(-half / 100, half / 100)
    x = np.full((len(ends), 3), math.nan)
    x[:, :2] = ends * 100 + 2 * half * np.array([[mark.column] for mark in with_interval])
    return scatter(
        x=x.ravel(),
        y=np.repeat([heights[mark.row] for mark in with_interval], 3),
        mode="lines",
        line={"width": 1.5, "color": NEUTRAL},
        hoverinfo="skip",
        showlegend=len(info.candidates) > 1,
        name="rough interval",
        legendrank=1011,
    )


def _mark_traces(info: DeltaInfo, heights: Sequence[float], half: float) -> Iterator[Trace]:
    """The marks, a trace for each kind: plotly checks every item of an array of symbols or colours."""
    kinds: dict[tuple[State, str], list[tuple[DeltaMark, float]]] = {}
    for mark, x, is_beyond in _places(info, half):
        symbol = SYMBOLS[mark.state]
        if is_beyond:
            symbol = "triangle-right" if mark.effect > 0 else "triangle-left"
        elif math.isnan(mark.effect) and mark.state in ("better", "worse"):
            symbol += "-open"
        kinds.setdefault((mark.state, symbol), []).append((mark, x))
    single = len(info.candidates) == 1
    for (state, symbol), marks in kinds.items():
        is_edge = symbol.startswith(("triangle-left", "triangle-right"))
        with_text = is_edge or len(info.candidates) <= _COLUMNS_WITH_TEXT
        inward = is_edge or all(math.isnan(mark.effect) for mark, _ in marks)
        to_left = state == "better" if inward else state == "worse"
        yield scatter(
            x=np.array([x for _, x in marks]),
            y=np.array([heights[mark.row] for mark, _ in marks]),
            yaxis="y2" if single else "y",
            mode="markers+text" if with_text else "markers",
            marker=marker(symbol, COLOURS[state], 10 if len(info.candidates) <= _COLUMNS_WITH_LEVEL_HEADS else 8),
            text=cells([f" {mark.label} " for mark, _ in marks]) if with_text else None,
            textposition="middle left" if to_left else "middle right",
            textfont={"size": 11 if len(info.candidates) <= _COLUMNS_WITH_TEXT else 9},
            hovertext=cells([mark.hover for mark, _ in marks]),
            hoverinfo="text",
            cliponaxis=False,
            name=state,
            showlegend=False,
        )


def _legend(info: DeltaInfo) -> Iterator[Trace]:
    """The states drawn, each once. One candidate needs none: its marks have texts, its rows glyphs."""
    drawn = {mark.state for mark in info.marks}
    sides = {"worse": " (left)", "better": " (right)"}
    for state in BY_CONCERN:
        if state in drawn:
            yield scatter(
                x=[None],
                y=[None],
                mode="markers",
                marker=marker(SYMBOLS[state], COLOURS[state]),
                name=spoken(state) + sides.get(state, ""),
                hoverinfo="skip",
            )
    if info.beyond:
        look = marker("triangle-left", NEUTRAL)
        yield scatter(x=[None], y=[None], mode="markers", marker=look, name="beyond the scale", hoverinfo="skip")


def _ticks(info: DeltaInfo, half: float) -> tuple[list[float], list[str]]:
    columns = len(info.candidates)
    steps: list[float] = [0.0]
    most = info.limit * 100
    if columns == 1:
        step = _step(most, (1, 2, 5))
        count = int(most / step + 1e-9)
        steps = [step * number for number in range(-count, count + 1)]
    elif columns <= _COLUMNS_WITH_LEVEL_HEADS:
        step = _step(most, range(1, 10))
        steps = [-step, 0.0, step] if columns <= _COLUMNS_WITH_TEXT else [0.0, step]
    words = ["0" if value == 0 else percent(value / 100).replace(".0 %", " %") for value in steps]
    return [2 * half * column + value for column in range(columns) for value in steps], words * columns


def _step(most: float, factors: Sequence[int]) -> float:
    """The largest of these factors times a power of ten that is no larger."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(factor * power for factor in factors if factor * power <= most * (1 + 1e-9))


def _panel_heads(info: DeltaInfo, heights: Sequence[float]) -> list[dict[str, object]]:
    return [
        {
            "text": panel.title,
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": heights[panel.first] - 1,
            "yanchor": "middle",
            "showarrow": False,
            "font": {"size": 12},
        }
        for panel in info.panels
    ]


def _column_heads(info: DeltaInfo, half: float) -> list[dict[str, object]]:
    columns = len(info.candidates)
    common = {
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "yshift": 20,
        "showarrow": False,
        "font": {"size": 12 if columns == 1 else 11},
    }
    if columns == 1:
        edge = half
        texts = [(-edge, "left", "← worse"), (0.0, "center", f"<b>{info.baseline}</b>"), (edge, "right", "better →")]
        return [common | {"text": text, "x": x, "xanchor": anchor} for x, anchor, text in texts]
    level = columns <= _COLUMNS_WITH_LEVEL_HEADS
    return [
        common
        | {
            "text": label,
            "x": _x(0, column, half),
            "xanchor": "center" if level else "left",
            "textangle": 0 if level else -45,
        }
        for column, label in enumerate(told_apart(info.candidates, max(_HEADS // columns, 10) if level else 14))
    ]

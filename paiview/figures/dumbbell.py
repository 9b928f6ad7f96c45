"""Dumbbells: both numbers of every pair in the metric's own unit, a panel a metric, the most worrying first."""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from paiview.decisions.decision import GLYPHS, Decision, PairDecision, State, spoken
from paiview.decisions.wording import value_digits
from paiview.evaluation.metric_meaning import format_value
from paiview.evaluation.results import Pair
from paiview.figures.style import (
    COLOURS,
    FAINT,
    FAINTEST,
    NEUTRAL,
    SYMBOLS,
    TRANSPARENT,
    cells,
    dataset_label,
    distinct_labels,
    kept_rows,
    left_out,
    legend_lines,
    marker,
    metrics_of,
    row_labels,
    way,
)
from paiview.text import escape_for_plotly

MOST_ROWS = 40

_BASELINE = "circle-open"
_ROW_HEIGHT = 24
_HEAD_HEIGHT, _AXIS_HEIGHT, _LEGEND_LINE, _LEGEND_GAP = 28, 32, 20, 16


class DumbbellRow(NamedTuple):
    """One pair. ``baseline`` and ``candidate`` are in the metric's unit, NaN where a side has no number."""

    pair: Pair
    label: str
    state: State
    baseline: float
    candidate: float
    hover: str


class DumbbellPanel(NamedTuple):
    """One metric, with its rows."""

    title: str
    rows: list[DumbbellRow]


class DumbbellInfo(NamedTuple):
    """Two versions, a panel a metric; ``hidden`` counts by state the pairs that are more than the most rows."""

    baseline: str
    candidate: str
    panels: list[DumbbellPanel]
    hidden: Mapping[State, int]


def dumbbell_info(decision: Decision, *, shown: Collection[Pair] | None = None, most: int = MOST_ROWS) -> DumbbellInfo:
    """Compute the dumbbells. Pairs without any number have none to draw and are left out.

    Args:
        decision: about the two versions.
        shown: the pairs to draw, in any order; by default all.
        most: rows to draw at most; what ``kept_rows`` does not keep is left out.
    """
    drawable = [
        judged
        for judged in decision.pairs
        if (shown is None or judged.pair in shown) and not (judged.baseline is None and judged.candidate is None)
    ]
    by_metric: dict[str, list[PairDecision]] = {}
    states = [judged.state for judged in drawable]
    kept = kept_rows(states, most)
    for place in kept:
        by_metric.setdefault(drawable[place].metric, []).append(drawable[place])
    contracts = metrics_of([decision])
    panels = []
    for metric, pairs in by_metric.items():
        names = {judged.dataset: judged.name for judged in pairs if judged.name}
        digits = value_digits(pairs, contracts.get(metric))
        labels = map(escape_for_plotly, row_labels((Pair(metric, judged.dataset) for judged in pairs), names))
        panels.append(
            DumbbellPanel(
                f"<b>{escape_for_plotly(metric, 40)}</b> {way(pairs[0].direction, pairs[0].standing)}",
                [_row(judged, label, names, digits) for judged, label in zip(pairs, labels, strict=True)],
            )
        )
    sides = distinct_labels([decision.baseline or "", decision.candidate], 32)
    baseline, candidate = map(escape_for_plotly, sides)
    return DumbbellInfo(
        baseline="no baseline" if decision.baseline is None else baseline,
        candidate=candidate,
        panels=panels,
        hidden=left_out(states, kept),
    )


def dumbbell_figure(info: DumbbellInfo) -> go.Figure:
    """Draw the dumbbells: the baseline hollow, the candidate filled and marked by what the change means."""
    if not info.panels:
        return go.Figure(layout=TRANSPARENT)
    beside = _HEAD_HEIGHT + _AXIS_HEIGHT
    total = sum(beside + _ROW_HEIGHT * len(panel.rows) for panel in info.panels)
    axes: dict[str, object] = {}
    heads = []
    traces: list[go.Scatter] = []
    above = 0
    for number, panel in enumerate(info.panels, 1):
        suffix = "" if number == 1 else str(number)
        top = 1 - (above + _HEAD_HEIGHT) / total
        above += beside + _ROW_HEIGHT * len(panel.rows)
        bottom = 1 - (above - _AXIS_HEIGHT) / total
        places = np.arange(len(panel.rows))
        axes[f"xaxis{suffix}"] = {
            "anchor": f"y{suffix}",
            "gridcolor": FAINT,
            "zeroline": False,
            "tickfont": {"size": 10},
            "nticks": 7,
        }
        axes[f"yaxis{suffix}"] = {
            "anchor": f"x{suffix}",
            "domain": [bottom, top],
            "range": [len(panel.rows) - 0.5, -0.5],
            "tickvals": places,
            "ticktext": [row.label for row in panel.rows],
            "tickfont": {"size": 12},
            "ticks": "",
            "gridcolor": FAINTEST,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        }
        heads.append(
            {
                "text": panel.title,
                "x": 0,
                "y": top,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 12},
            }
        )
        traces += _panel_traces(panel, suffix)
    legend = [*_legend(info)]
    traces += legend
    top = _LEGEND_GAP + _LEGEND_LINE * legend_lines(trace["name"] for trace in legend)
    layout: dict[str, object] = {
        "height": total + top,
        "margin": {"l": 8, "r": 16, "t": top, "b": 0},
        "legend": {"orientation": "h", "x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top"},
        "hovermode": "closest",
        "annotations": heads,
        **axes,
    }
    return go.Figure(traces, TRANSPARENT | layout)


def _row(pair: PairDecision, label: str, names: dict[str, str], digits: int) -> DumbbellRow:
    baseline, candidate = (math.nan if value is None else value for value in (pair.baseline, pair.candidate))
    numbers = f"{format_value(baseline, digits)} → {format_value(candidate, digits)}"
    lines = [
        f"<b>{escape_for_plotly(dataset_label(pair.dataset, names))}</b>",
        f"{escape_for_plotly(pair.metric, 40)} {numbers}",
        f"{GLYPHS[pair.state]} {spoken(pair.state)}",
    ]
    return DumbbellRow(pair.pair, label, pair.state, baseline, candidate, "<br>".join(lines))


def _panel_traces(panel: DumbbellPanel, suffix: str) -> Iterator[go.Scatter]:
    place = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "showlegend": False}
    heights = np.arange(len(panel.rows))
    sides = np.array([(row.baseline, row.candidate, math.nan) for row in panel.rows])
    hovers = cells([row.hover for row in panel.rows])
    yield go.Scatter(
        x=sides.ravel(),
        y=np.repeat(heights, 3),
        mode="lines",
        line={"width": 3, "color": FAINT},
        hoverinfo="skip",
        name="change",
        **place,
    )
    yield go.Scatter(
        x=sides[:, 0],
        y=heights,
        mode="markers",
        marker=marker(_BASELINE, NEUTRAL),
        hovertext=hovers,
        hoverinfo="text",
        name="baseline",
        **place,
    )
    states = np.array([row.state for row in panel.rows], dtype=object)
    for state in dict.fromkeys(row.state for row in panel.rows if not math.isnan(row.candidate)):
        at = np.flatnonzero(states == state)
        yield go.Scatter(
            x=sides[at, 1],
            y=heights[at],
            mode="markers",
            marker=marker(SYMBOLS[state], COLOURS[state]),
            hovertext=hovers[at],
            hoverinfo="text",
            name=state,
            **place,
        )


def _legend(info: DumbbellInfo) -> Iterator[go.Scatter]:
    states = {row.state for panel in info.panels for row in panel.rows if not math.isnan(row.candidate)}
    looks = {f"baseline {info.baseline}": marker(_BASELINE, NEUTRAL)}
    looks |= {
        f"{info.candidate}: {spoken(state)}": marker(SYMBOLS[state], COLOURS[state])
        for state in COLOURS
        if state in states
    }
    for name, look in looks.items():
        yield go.Scatter(x=[None], y=[None], mode="markers", marker=look, name=name, hoverinfo="skip")

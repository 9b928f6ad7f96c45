"""Trend small multiples: a panel a pair, marks by status, best so far, the approved value as a rule."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.metric_meaning import Direction, MetricContract, contract
from paiview.evaluation.metric_numbers import running_best
from paiview.figures.style import (
    APPROVED,
    BEST,
    NEUTRAL,
    PENDING,
    REJECTED,
    cells,
    dataset_label,
    tick_labels,
    tick_positions,
    version_labels,
    way,
)
from paiview.text import escape_for_plotly

_STATUS_MARKS: Mapping[str, tuple[str, str]] = {
    "Pending": ("circle-open", PENDING),
    "Approved": ("circle", APPROVED),
    "Rejected": ("x-thin", REJECTED),
}
_OTHER_MARK = ("diamond-open", NEUTRAL)
_PANEL_COLUMNS = 2
_PANEL_HEIGHT = 240
_LEGEND_HEIGHT = 56
_ROOMY_POINTS = 40
"""Points of a panel up to which each has room for a large mark."""


class TrendPanel(NamedTuple):
    """One metric on one dataset over the versions shown, in version order.

    ``best_names`` and ``best_values`` hold the best so far (all versions counted, shown or not) at the shown versions;
    they are empty where the direction is unknown. ``approved`` is the value of the newest approved version that has
    the pair, ``None`` without one.
    """

    pair: Pair
    title: str
    direction: Direction | None
    names: list[str]
    values: NDArray[np.float64]
    statuses: list[str]
    notes: list[str]
    best_names: list[str]
    best_values: NDArray[np.float64]
    approved: float | None
    approved_name: str


class TrendInfo(NamedTuple):
    """Everything a page of trend panels draws, and ``hidden``: points outside the versions shown."""

    panels: list[TrendPanel]
    hidden: int


def trend_info(
    frames: Frames,
    shown: Sequence[Pair],
    *,
    orders: NDArray[np.int64],
    dataset_names: Mapping[str, str],
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
) -> TrendInfo:
    """Compute the panels of the trend chart.

    Args:
        frames: both frames of a snapshot, unfiltered: the approved rule and the best so far count every version.
        shown: the pairs to draw, a panel each, in this order.
        orders: the versions to draw, as positions in the versions frame.
        dataset_names: DatasetId to a name, where known.
        metrics: contracts that complete or replace the built-in ones.
    """
    labels = version_labels(frames.versions)
    statuses = frames.versions["approval_status"].astype("str").fillna("").tolist()
    notes = [escape_for_plotly(text, 120) for text in frames.versions["description"].fillna("").tolist()]
    visible = np.zeros(len(frames.versions), dtype=bool)
    visible[orders] = True
    panels = []
    hidden = 0
    for pair in shown:
        order, value = frames.histories[pair]
        keep = visible[order]
        hidden += int((~keep).sum())
        meaning = contract(pair.metric, metrics)
        best_names: list[str] = []
        best_values = np.empty(0)
        if meaning.direction is not None and keep.any():
            best = running_best(value, meaning)[keep]
            steps = np.flatnonzero(np.r_[True, best[1:] != best[:-1]])
            steps = np.unique(np.r_[steps, len(best) - 1])
            at = order[keep][steps]
            best_names, best_values = [labels[index] for index in at], best[steps]
        approved = [index for index in range(len(order)) if statuses[order[index]] == "Approved"]
        panels.append(
            TrendPanel(
                pair=pair,
                title=_title(pair, meaning, dataset_names),
                direction=meaning.direction,
                names=[labels[index] for index in order[keep]],
                values=value[keep],
                statuses=[statuses[index] for index in order[keep]],
                notes=[notes[index] for index in order[keep]],
                best_names=best_names,
                best_values=best_values,
                approved=float(value[approved[-1]]) if approved else None,
                approved_name=labels[order[approved[-1]]] if approved else "",
            )
        )
    return TrendInfo(panels, hidden)


def trend_figure(info: TrendInfo) -> go.Figure:
    """Draw the panels: two columns, a y range each, marks by status, best so far, the approved value as a rule."""
    if not info.panels:
        return go.Figure()
    columns = min(_PANEL_COLUMNS, len(info.panels))
    rows = -(-len(info.panels) // columns)
    unit = 1 / rows
    width = 1 / columns
    axes: dict[str, object] = {}
    annotations: list[dict[str, object]] = []
    traces: list[go.Scatter] = []
    for index, panel in enumerate(info.panels):
        row, column = divmod(index, columns)
        suffix = "" if index == 0 else str(index + 1)
        left, right = column * width + 0.04, (column + 1) * width - 0.015
        top = 1 - row * unit - 0.18 * unit
        bottom = 1 - (row + 1) * unit + 0.14 * unit
        roomy = 1 if columns == _PANEL_COLUMNS else _PANEL_COLUMNS
        ticks = tick_positions(len(panel.names), roomy * (5 if max(map(len, panel.names), default=0) <= 8 else 3))
        axes[f"xaxis{suffix}"] = {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": panel.names,
            "range": [-0.6, max(len(panel.names) - 0.4, 0.6)],
            "tickvals": [panel.names[at] for at in ticks],
            "ticktext": tick_labels([panel.names[at] for at in ticks]),
            "tickangle": 0,
            "tickfont": {"size": 10},
            "showgrid": False,
            "domain": [left, right],
            "anchor": f"y{suffix}",
        }
        axes[f"yaxis{suffix}"] = {
            "domain": [bottom, top],
            "anchor": f"x{suffix}",
            "tickfont": {"size": 10},
            "nticks": 5,
            "zeroline": False,
        }
        annotations.append(
            {
                "text": panel.title,
                "x": left,
                "y": top,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "align": "left",
                "font": {"size": 12},
            }
        )
        traces.extend(_panel_traces(panel, suffix))
    traces += _legend()
    layout: dict[str, object] = {
        "height": rows * _PANEL_HEIGHT + _LEGEND_HEIGHT,
        "margin": {"l": 8, "r": 8, "t": _LEGEND_HEIGHT, "b": 0},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
        "hovermode": "closest",
        "annotations": annotations,
        **axes,
    }
    return go.Figure(traces, layout)


def _panel_traces(panel: TrendPanel, suffix: str) -> list[go.Scatter]:
    place = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "showlegend": False}
    traces = []
    if panel.approved is not None and panel.names:
        traces.append(
            go.Scatter(
                x=[panel.names[0], panel.names[-1]],
                y=np.array([panel.approved, panel.approved]),
                mode="lines",
                line={"dash": "dash", "width": 1.2, "color": APPROVED},
                text=[panel.approved_name] * 2,
                hovertemplate="approved %{text}: %{y}<extra></extra>",
                name="approved",
                **place,
            )
        )
    if panel.best_names:
        traces.append(
            go.Scatter(
                x=cells(panel.best_names),
                y=panel.best_values,
                mode="lines",
                line={"shape": "hv", "width": 1.4, "color": BEST},
                hovertemplate="best so far: %{y}<extra></extra>",
                name="best so far",
                **place,
            )
        )
    traces.append(
        go.Scatter(
            x=cells(panel.names),
            y=panel.values,
            mode="lines",
            line={"width": 1, "color": NEUTRAL},
            hoverinfo="skip",
            name=escape_for_plotly(f"{panel.pair.metric} on {panel.pair.dataset}", 120),
            **place,
        )
    )
    traces.extend(_marks(panel, place))
    return traces


def _marks(panel: TrendPanel, place: Mapping[str, object]) -> Iterator[go.Scatter]:
    """The points, a trace for each kind of mark: plotly checks every item of an array of symbols or colours."""
    roomy = len(panel.names) <= _ROOMY_POINTS
    size = 10 if roomy else 7
    kinds = np.array([status if status in _STATUS_MARKS else "" for status in panel.statuses], dtype=object)
    names, notes = cells(panel.names), panel.notes
    for kind in dict.fromkeys(kinds.tolist()):
        at = np.flatnonzero(kinds == kind)
        symbol, colour = _STATUS_MARKS.get(kind, _OTHER_MARK)
        approved = kind == "Approved"
        yield go.Scatter(
            x=names[at],
            y=panel.values[at],
            mode="markers+text" if approved and roomy else "markers",
            marker={
                "symbol": symbol,
                "color": colour,
                "size": size + 3 if approved else size,
                "line": {"width": 1.8, "color": colour},
                "opacity": 1,
            },
            text="✓" if approved and roomy else None,
            textfont={"size": 9, "color": "white"},
            textposition="middle center",
            customdata=cells([(escape_for_plotly(panel.statuses[index], 30), notes[index]) for index in at.tolist()]),
            hovertemplate="<b>%{x}</b> · %{y}<br>%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
            name=kind or "other status",
            **place,
        )


def _legend() -> list[go.Scatter]:
    """Marks that stand in the legend once, whatever the panels hold."""
    lines = [
        ("approved now", {"dash": "dash", "width": 1.2, "color": APPROVED}),
        ("best so far", {"width": 1.4, "color": BEST}),
    ]
    entries = [
        go.Scatter(x=[None], y=[None], mode="lines", line=line, name=name, hoverinfo="skip") for name, line in lines
    ]
    for status, (symbol, colour) in _STATUS_MARKS.items():
        text = "✓ Approved" if status == "Approved" else status
        marker = {"symbol": symbol, "color": colour, "size": 10, "line": {"width": 1.8, "color": colour}}
        entries.append(go.Scatter(x=[None], y=[None], mode="markers", marker=marker, name=text, hoverinfo="skip"))
    return entries


def _title(pair: Pair, meaning: MetricContract, dataset_names: Mapping[str, str]) -> str:
    """The head of a panel: the dataset, the metric, and which way is better."""
    dataset = escape_for_plotly(dataset_label(pair.dataset, dataset_names))
    return f"<b>{dataset}</b><br>{escape_for_plotly(pair.metric, 40)} {way(meaning.direction, meaning.standing)}"

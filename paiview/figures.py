"""Frames to figures.

Each chart is two functions: ``*_info`` computes everything and says what is not shown, ``*_figure`` only draws it. The
pictures and their rules are those of the decision document: own y range a panel, no colour without a known direction,
better blue, status told by the mark's shape as well as its colour.
"""

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from paiview.frames import Frames, Pair
from paiview.metrics import Direction, contract, display_digits, format_value, running_best
from paiview.text import for_chart, shorten_front

BEST = "#0072B2"
APPROVED = "#009E73"
PENDING = "#E69F00"
REJECTED = "#B4478C"
NEUTRAL = "#8593A1"

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
_COLUMNS_WITH_GAPS = 60
_CELLS_WITH_NUMBERS = 12
"""Columns up to which a heatmap's cells are large enough to hold their number."""


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


class HeatmapInfo(NamedTuple):
    """Rows of pairs, columns of versions.

    ``shade`` (rows × columns) is 0 for a row's worst shown value and 1 for its best, a half where all are equal, 0
    throughout a row whose direction is unknown, NaN where there is no value; ``texts`` holds the numbers as shown.
    """

    rows: list[str]
    names: list[str]
    shade: NDArray[np.float64]
    texts: list[list[str]]
    unknown: list[str]


def trend_info(
    frames: Frames,
    shown: Sequence[Pair],
    *,
    orders: NDArray[np.int64],
    dataset_names: Mapping[str, str],
) -> TrendInfo:
    """Compute the panels of the trend chart.

    Args:
        frames: both frames of a snapshot, unfiltered: the approved rule and the best so far count every version.
        shown: the pairs to draw, a panel each, in this order.
        orders: the versions to draw, as positions in the versions frame.
        dataset_names: DatasetId to a name, where known.
    """
    labels = _labels(frames.versions)
    statuses = frames.versions["approval_status"].astype("str").fillna("").tolist()
    notes = [for_chart(text, 120) for text in frames.versions["description"].fillna("").tolist()]
    visible = np.zeros(len(frames.versions), dtype=bool)
    visible[orders] = True
    panels = []
    hidden = 0
    for pair in shown:
        order, value = frames.histories[pair]
        keep = visible[order]
        hidden += int((~keep).sum())
        known = contract(pair.metric).direction
        best_names: list[str] = []
        best_values = np.empty(0)
        if known is not None and keep.any():
            best = running_best(value, known)[keep]
            steps = np.flatnonzero(np.r_[True, best[1:] != best[:-1]])
            steps = np.unique(np.r_[steps, len(best) - 1])
            at = order[keep][steps]
            best_names, best_values = [labels[index] for index in at], best[steps]
        approved = [index for index in range(len(order)) if statuses[order[index]] == "Approved"]
        panels.append(
            TrendPanel(
                pair=pair,
                title=_title(pair, known, dataset_names),
                direction=known,
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
    figure = go.Figure()
    if not info.panels:
        return figure
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
        ticks = _tick_positions(len(panel.names), 5 if max(map(len, panel.names), default=0) <= 8 else 3)
        axes[f"xaxis{suffix}"] = {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": panel.names,
            "range": [-0.6, max(len(panel.names) - 0.4, 0.6)],
            "tickvals": [panel.names[at] for at in ticks],
            "ticktext": [_short(panel.names[at]) for at in ticks],
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
    figure.add_traces(traces + _legend())
    figure.update_layout(
        height=rows * _PANEL_HEIGHT + _LEGEND_HEIGHT,
        margin={"l": 8, "r": 8, "t": _LEGEND_HEIGHT, "b": 0},
        legend={"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
        hovermode="closest",
        annotations=annotations,
        **axes,
    )
    return figure


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
                x=_cells(panel.best_names),
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
            x=_cells(panel.names),
            y=panel.values,
            mode="lines",
            line={"width": 1, "color": NEUTRAL},
            hoverinfo="skip",
            name=for_chart(f"{panel.pair.metric} on {panel.pair.dataset}", 120),
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
    names, notes = _cells(panel.names), panel.notes
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
            customdata=_cells([(for_chart(panel.statuses[index], 30), notes[index]) for index in at.tolist()]),
            hovertemplate="<b>%{x}</b> · %{y}<br>%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
            name=kind or "other status",
            **place,
        )


def _cells(values: Sequence[object]) -> NDArray[np.object_]:
    """An array, which plotly checks and copies as one; of a list it does so with every item."""
    return np.array(values, dtype=object)


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


def heatmap_info(
    frames: Frames,
    shown: Sequence[Pair],
    *,
    orders: NDArray[np.int64],
    dataset_names: Mapping[str, str],
) -> HeatmapInfo:
    """Compute the heatmap of raw values; arguments as for ``trend_info``.

    Versions without any of the pairs are left out.
    """
    labels = _labels(frames.versions)
    column_of = np.full(len(frames.versions), -1)
    grid = np.full((len(shown), len(frames.versions)), np.nan)
    for row, pair in enumerate(shown):
        order, value = frames.histories[pair]
        grid[row, order] = value
    kept = np.sort(orders)[~np.isnan(grid[:, np.sort(orders)]).all(axis=0)] if len(shown) else orders[:0]
    column_of[kept] = np.arange(len(kept))
    grid = grid[:, kept]
    shade = np.full(grid.shape, np.nan)
    texts = []
    unknown = []
    for row, pair in enumerate(shown):
        present = ~np.isnan(grid[row])
        known = contract(pair.metric)
        digits = display_digits(grid[row]) if known.digits is None else known.digits
        texts.append([format_value(value, digits) if ok else "" for value, ok in zip(grid[row], present, strict=True)])
        if not present.any():
            continue
        values = grid[row][present] / 2  # the difference of two halves is never too large for a float
        spread = values.max() - values.min()
        if known.direction is None:
            unknown.append(pair.metric)
            shade[row][present] = 0.0
        elif spread == 0:
            shade[row][present] = 0.5
        else:
            share = (values - values.min()) / spread
            shade[row][present] = 1 - share if known.direction == "lower" else share
    rows = _unique([_row_label(pair, dataset_names) for pair in shown])
    return HeatmapInfo(rows, [labels[at] for at in kept], shade, texts, sorted(set(unknown)))


def heatmap_figure(info: HeatmapInfo) -> go.Figure:
    """Draw the heatmap: a scale of its own per row, numbers in the cells while they fit, blank where missing."""
    roomy = len(info.names) <= _CELLS_WITH_NUMBERS
    figure = go.Figure(
        go.Heatmap(
            x=info.names,
            y=info.rows,
            z=info.shade,
            text=info.texts,
            texttemplate="%{text}" if roomy else None,
            textfont={"size": 10},
            hovertemplate="<b>%{x}</b><br>%{y}: %{text}<extra></extra>",
            hoverongaps=False,
            colorscale=[[0, "rgba(0,114,178,0.06)"], [1, "rgba(0,114,178,0.75)"]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=1 if len(info.names) <= _COLUMNS_WITH_GAPS else 0,
            ygap=1,
        )
    )
    ticks = range(len(info.names)) if roomy else _tick_positions(len(info.names), 10)
    figure.update_layout(
        height=80 + 24 * max(len(info.rows), 2),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": info.names,
            "tickvals": [info.names[at] for at in ticks],
            "ticktext": [_short(info.names[at]) for at in ticks],
            "tickfont": {"size": 10},
            "tickangle": -30,
            "side": "top",
            "automargin": True,
            "showgrid": False,
        },
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": info.rows,
            "autorange": "reversed",
            "tickfont": {"size": 11},
            "showgrid": False,
            "automargin": True,
        },
    )
    return figure


def _title(pair: Pair, known: Direction | None, dataset_names: Mapping[str, str]) -> str:
    """The head of a panel: the dataset, the metric, and which way is better."""
    way = {"lower": "↓ lower is better", "higher": "↑ higher is better", None: "direction unknown"}[known]
    return f"<b>{_dataset_label(pair.dataset, dataset_names)}</b><br>{for_chart(pair.metric, 40)} {way}"


def _row_label(pair: Pair, dataset_names: Mapping[str, str]) -> str:
    return f"{_dataset_label(pair.dataset, dataset_names)} · {for_chart(pair.metric, 30)}"


def _dataset_label(dataset: str, dataset_names: Mapping[str, str]) -> str:
    return for_chart(shorten_front(dataset_names.get(dataset, dataset), 44), 60)


def _labels(versions: pd.DataFrame) -> list[str]:
    """Version names as categories of an axis: plain, and still told apart where plain text makes two of them alike."""
    return _unique([for_chart(name, 80) for name in versions["version_name"].tolist()])


def _unique(texts: Sequence[str]) -> list[str]:
    """The texts, with a number behind those that another one before them equals."""
    taken = set(texts)
    seen: dict[str, int] = {}
    result = []
    for text in texts:
        label = text
        while seen.get(text) and label in taken:
            seen[text] += 1
            label = f"{text} ({seen[text]})"
        seen.setdefault(text, 1)
        taken.add(label)
        result.append(label)
    return result


def _tick_positions(count: int, most: int) -> list[int]:
    """Up to ``most`` positions over ``count`` categories: the middles of equal parts, clear of the axis's ends."""
    parts = min(count, most)
    return [int((2 * part + 1) * count / (2 * parts)) for part in range(parts)]


def _short(label: str) -> str:
    """A label cut to the width of a tick, between its characters and not inside of an escape."""
    return for_chart(html.unescape(label), 14)

"""Trend small multiples: a panel a pair, marks by status, best so far, the approved value as a rule."""

import html
import math
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
    distinct_labels,
    version_labels,
    way_mark,
)
from paiview.text import escape_for_plotly

_STATUS_MARKS: Mapping[str, tuple[str, str]] = {
    "Pending": ("circle-open", PENDING),
    "Approved": ("circle", APPROVED),
    "Rejected": ("x-thin", REJECTED),
}
_OTHER_MARK = ("diamond-open", NEUTRAL)
_PANEL_COLUMNS = 3
_PANEL_PIXELS = 186
_LEGEND_PIXELS = 44
_TITLE_PIXELS = 34
_NAMES_PIXELS = 26
"""The room of a panel for its title above and for the names of its first and last version below."""
_MAX_NAME_CHARACTERS = 20
_MAX_DATASET_CHARACTERS = 32
_MAX_METRIC_CHARACTERS = 20
_ROOMY_POINTS = 40
"""Points of a panel up to which each has room for a large mark."""
_RULE_PIXELS = 1.3
_LARGE_MARK_PIXELS, _SMALL_MARK_PIXELS = 9, 5
_MIN_LOG_RATIO = 100.0
"""The largest positive value over the smallest beyond which a panel's scale is logarithmic."""
_FAR_RANGES = 3.0
"""How many interquartile ranges beyond the quartiles a value is far out."""
_MIN_SPAN_RATIO = 10.0
"""The span of all values over that of those not far out, beyond which the axis holds only the latter."""
_MAX_HOVER_CHARACTERS = 160
_MARGIN_SHARE = 0.06
"""The room beyond the values of an axis whose ends are set, as a share of it."""


class Axis(NamedTuple):
    """The values that a panel's axis holds; marks beyond stand at its edge.

    ``low`` and ``high`` are ``None`` where the axis holds every value, and plotly chooses its ends.
    """

    is_log: bool
    low: float | None
    high: float | None

    def shown(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values, those beyond an end at this end."""
        if self.low is None or self.high is None:
            return values
        return np.clip(values, self.low, self.high)

    def beyond(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of the values stand at an edge."""
        is_beyond: NDArray[np.bool_] = self.shown(values) != values
        return is_beyond


class TrendPanel(NamedTuple):
    """One metric on one dataset over the versions shown, in version order.

    ``best_names`` and ``best_values`` hold the best so far (all versions counted, shown or not) at the shown versions;
    they are empty where the direction is unknown. ``approved`` is the value of the newest approved version that has
    the pair, ``None`` without one. ``whole_title`` names the dataset and the metric without a cut.
    """

    pair: Pair
    title: str
    whole_title: str
    direction: Direction | None
    names: list[str]
    values: NDArray[np.float64]
    statuses: list[str]
    notes: list[str]
    best_names: list[str]
    best_values: NDArray[np.float64]
    approved: float | None
    approved_name: str
    axis: Axis


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
        approved_value = float(value[approved[-1]]) if approved else None
        axis = _axis(value[keep], approved_value, best_values)
        panels.append(
            TrendPanel(
                pair=pair,
                title=_title(pair, meaning, dataset_names, axis, int(axis.beyond(value[keep]).sum())),
                whole_title=escape_for_plotly(
                    f"{dataset_names.get(pair.dataset, pair.dataset)} · {pair.metric}", _MAX_HOVER_CHARACTERS
                ),
                direction=meaning.direction,
                names=[labels[index] for index in order[keep]],
                values=value[keep],
                statuses=[statuses[index] for index in order[keep]],
                notes=[notes[index] for index in order[keep]],
                best_names=best_names,
                best_values=best_values,
                approved=approved_value,
                approved_name=labels[order[approved[-1]]] if approved else "",
                axis=axis,
            )
        )
    return TrendInfo(panels, hidden)


def _axis(values: NDArray[np.float64], approved: float | None, best: NDArray[np.float64]) -> Axis:
    """The axis of some values: logarithmic for powers of ten, else without those that are far out.

    Zeros stand at the lower edge of a logarithmic axis.

    Args:
        values: the numbers of the panel.
        approved: the approved number, which the axis holds.
        best: the best so far.
    """
    if not len(values):
        return Axis(False, None, None)
    drawn = np.concatenate([values, best, [] if approved is None else [approved]])
    positive = drawn[drawn > 0]
    with np.errstate(all="ignore"):
        span = _positive_span(values)
        if (drawn >= 0).all() and span > _MIN_LOG_RATIO:
            if len(positive) == len(drawn):
                return Axis(True, None, None)
            return Axis(True, float(positive.min()), float(positive.max()))
        if not math.isfinite(values.max() - values.min()):
            return Axis(False, None, None)
        first, third = np.percentile(values, [25, 75])
        reach = _FAR_RANGES * (third - first)
        usual = values[(values >= first - reach) & (values <= third + reach)]
        if approved is not None:
            usual = np.append(usual, approved)
        low, high = float(usual.min()), float(usual.max())
        is_cut = 0 < _MIN_SPAN_RATIO * (high - low) < values.max() - values.min()
    return Axis(False, low, high) if is_cut else Axis(False, None, None)


def _positive_span(values: NDArray[np.float64]) -> float:
    """The largest positive value over the smallest; 1 without any."""
    positive = values[values > 0]
    return float(positive.max() / positive.min()) if len(positive) else 1.0


def trend_figure(info: TrendInfo) -> go.Figure:
    """Draw the panels: three columns, a y range each, marks by status, best so far, the approved value as a rule.

    The lines hold every number; a mark beyond the ends of its axis stands at the edge and says its number when hovered.
    """
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
        top = 1 - row * unit - _TITLE_PIXELS / _PANEL_PIXELS * unit
        bottom = 1 - (row + 1) * unit + _NAMES_PIXELS / _PANEL_PIXELS * unit
        axes[f"xaxis{suffix}"] = {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": panel.names,
            "range": [-0.6, max(len(panel.names) - 0.4, 0.6)],
            "showticklabels": False,
            "ticks": "",
            "showgrid": False,
            "domain": [left, right],
            "anchor": f"y{suffix}",
        }
        axes[f"yaxis{suffix}"] = {
            "domain": [bottom, top],
            "anchor": f"x{suffix}",
            "tickfont": {"size": 10},
            "nticks": 4,
            "zeroline": False,
            **_axis_layout(panel.axis),
        }
        annotations.append(_note(panel.title, left, top, "left", "bottom", 12) | {"hovertext": panel.whole_title})
        annotations += _ends(panel.names, left, right, bottom)
        traces.extend(_panel_traces(panel, suffix))
    traces += _legend()
    layout: dict[str, object] = {
        "height": rows * _PANEL_PIXELS + _LEGEND_PIXELS,
        "margin": {"l": 8, "r": 8, "t": _LEGEND_PIXELS, "b": 0},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
        "hovermode": "closest",
        "annotations": annotations,
        **axes,
    }
    return go.Figure(traces, layout)


def _axis_layout(axis: Axis) -> dict[str, object]:
    layout: dict[str, object] = {"type": "log"} if axis.is_log else {}
    if axis.low is None or axis.high is None:
        return layout
    low, high = (math.log10(axis.low), math.log10(axis.high)) if axis.is_log else (axis.low, axis.high)
    margin = _MARGIN_SHARE * (high - low)
    return layout | {"range": [low - margin, high + margin]}


def _note(text: str, x: float, y: float, xanchor: str, yanchor: str, size: int) -> dict[str, object]:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": xanchor,
        "yanchor": yanchor,
        "showarrow": False,
        "align": "left",
        "font": {"size": size},
    }


def _ends(names: Sequence[str], left: float, right: float, bottom: float) -> Iterator[dict[str, object]]:
    """The names of the first and the last version below a panel: ticks would run into each other."""
    ends = [*dict.fromkeys([*names[:1], *names[-1:]])]
    labels = distinct_labels([html.unescape(name) for name in ends], _MAX_NAME_CHARACTERS)
    for label, name, (x, anchor) in zip(labels, ends, ((left, "left"), (right, "right")), strict=False):
        yield _note(escape_for_plotly(label), x, bottom, anchor, "top", 10) | {"hovertext": name, "yshift": -2}


def _panel_traces(panel: TrendPanel, suffix: str) -> list[go.Scatter]:
    place = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "showlegend": False}
    traces = []
    if panel.approved is not None and panel.names:
        traces.append(
            go.Scatter(
                x=[panel.names[0], panel.names[-1]],
                y=panel.axis.shown(np.array([panel.approved, panel.approved])),
                mode="lines",
                line={"dash": "dash", "width": _RULE_PIXELS, "color": APPROVED},
                text=[panel.approved_name] * 2,
                customdata=[panel.approved] * 2,
                hovertemplate="approved %{text}: %{customdata}<extra></extra>",
                name="approved",
                **place,
            )
        )
    if panel.best_names:
        traces.append(
            go.Scatter(
                x=cells(panel.best_names),
                y=panel.axis.shown(panel.best_values),
                mode="lines",
                line={"shape": "hv", "width": _RULE_PIXELS, "color": BEST},
                customdata=panel.best_values,
                hovertemplate="best so far: %{customdata}<extra></extra>",
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
    size = _LARGE_MARK_PIXELS if roomy else _SMALL_MARK_PIXELS
    shown = panel.axis.shown(panel.values)
    number = "%{y}" if not panel.axis.beyond(panel.values).any() else "%{customdata[2]}"
    kinds = np.array([status if status in _STATUS_MARKS else "" for status in panel.statuses], dtype=object)
    names, notes = cells(panel.names), panel.notes
    for kind in dict.fromkeys(kinds.tolist()):
        at = np.flatnonzero(kinds == kind)
        symbol, colour = _STATUS_MARKS.get(kind, _OTHER_MARK)
        approved = kind == "Approved"
        yield go.Scatter(
            x=names[at],
            y=shown[at],
            mode="markers+text" if approved and roomy else "markers",
            marker={
                "symbol": symbol,
                "color": colour,
                "size": size + 3 if approved and roomy else size,
                "line": {"width": 1.8 if roomy else 1.2, "color": colour},
                "opacity": 1,
            },
            text="✓" if approved and roomy else None,
            textfont={"size": 9, "color": "white"},
            textposition="middle center",
            customdata=cells(
                [
                    (escape_for_plotly(panel.statuses[index], 30), notes[index], panel.values[index])
                    if number != "%{y}"
                    else (escape_for_plotly(panel.statuses[index], 30), notes[index])
                    for index in at.tolist()
                ]
            ),
            hovertemplate=f"<b>%{{x}}</b> · {number}<br>%{{customdata[0]}}<br>%{{customdata[1]}}<extra></extra>",
            name=kind or "other status",
            **place,
        )


def _legend() -> list[go.Scatter]:
    """Marks that stand in the legend once, whatever the panels hold."""
    lines = [
        ("approved now", {"dash": "dash", "width": _RULE_PIXELS, "color": APPROVED}),
        ("best so far", {"width": _RULE_PIXELS, "color": BEST}),
    ]
    entries = [
        go.Scatter(x=[None], y=[None], mode="lines", line=line, name=name, hoverinfo="skip") for name, line in lines
    ]
    for status, (symbol, colour) in _STATUS_MARKS.items():
        text = "✓ Approved" if status == "Approved" else status
        marker = {
            "symbol": symbol,
            "color": colour,
            "size": _LARGE_MARK_PIXELS,
            "line": {"width": 1.8, "color": colour},
        }
        entries.append(go.Scatter(x=[None], y=[None], mode="markers", marker=marker, name=text, hoverinfo="skip"))
    return entries


def _title(pair: Pair, meaning: MetricContract, dataset_names: Mapping[str, str], axis: Axis, beyond: int) -> str:
    """The head of a panel: the dataset, the metric, which way is better, and what is unusual about its scale."""
    dataset = escape_for_plotly(dataset_label(pair.dataset, dataset_names, _MAX_DATASET_CHARACTERS))
    metric = escape_for_plotly(pair.metric, _MAX_METRIC_CHARACTERS)
    facts = [" · log scale"] if axis.is_log else []
    facts += [f" · {beyond} at the edge"] if beyond else []
    return f"<b>{dataset}</b>  {metric} {way_mark(meaning.direction, meaning.standing)}{''.join(facts)}"

"""Heatmap of datasets by versions."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from paiview.figures.conventions import dataset_label, short, tick_positions, unique, version_labels
from paiview.frames import Frames, Pair
from paiview.metrics import contract, display_digits, format_value
from paiview.text import for_chart

_COLUMNS_WITH_GAPS = 60
_CELLS_WITH_NUMBERS = 12
"""Columns up to which a heatmap's cells are large enough to hold their number."""


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
    labels = version_labels(frames.versions)
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
    rows = unique([_row_label(pair, dataset_names) for pair in shown])
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
    ticks = range(len(info.names)) if roomy else tick_positions(len(info.names), 10)
    figure.update_layout(
        height=80 + 24 * max(len(info.rows), 2),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": info.names,
            "tickvals": [info.names[at] for at in ticks],
            "ticktext": [short(info.names[at]) for at in ticks],
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


def _row_label(pair: Pair, dataset_names: Mapping[str, str]) -> str:
    return f"{dataset_label(pair.dataset, dataset_names)} · {for_chart(pair.metric, 30)}"

"""Figures, built once for what they show and shared by every session that shows the same."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from paiview import figures, views
from paiview.frames import Frames, Pair
from paiview.views import Orders

_KEEP_SECONDS = 600
_KEEP_FIGURES = 64
_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}

Names = tuple[tuple[str, str], ...]


def trend(identity: str, frames: Frames, shown: Sequence[Pair], orders: Orders, names: Mapping[str, str]) -> int:
    """Draw the trend panels.

    Args:
        identity: names the listing that ``frames`` were made of.
        frames: both frames of the snapshot.
        shown: the pairs, a panel each.
        orders: the versions to draw.
        names: DatasetId to a name, where known.

    Returns:
        How many points lie outside the versions drawn.
    """
    figure, hidden = _trend(identity, tuple(shown), orders, tuple(names.items()), frames)
    st.plotly_chart(figure, key="trend-figure", config=_CONFIG, alt="Each metric on each dataset over the versions")
    return hidden


def heatmap(
    identity: str, frames: Frames, shown: Sequence[Pair], orders: Orders, names: Mapping[str, str]
) -> list[str]:
    """Draw the heatmap of raw values; arguments as for ``trend``.

    Returns:
        The metrics whose direction is unknown: their rows have no colour.
    """
    figure, unknown = _heatmap(identity, tuple(shown), orders, tuple(names.items()), frames)
    st.plotly_chart(figure, key="heatmap-figure", config=_CONFIG, alt="Raw values by dataset and version")
    return unknown


@st.cache_resource(ttl=_KEEP_SECONDS, max_entries=_KEEP_FIGURES, show_spinner=False)
def scale_jumps(identity: str, _frames: Frames) -> pd.DataFrame:  # noqa: ARG001 - as below
    """Find the jumps of scale of ``paiview.views.scale_jumps``, once a listing."""
    return views.scale_jumps(_frames.metrics)


@st.cache_resource(ttl=_KEEP_SECONDS, max_entries=_KEEP_FIGURES, show_spinner=False)
def _trend(
    identity: str,  # noqa: ARG001 - stands for the frames in the cache's key
    shown: tuple[Pair, ...],
    orders: Orders,
    names: Names,
    _frames: Frames,
) -> tuple[go.Figure, int]:
    info = figures.trend_info(_frames, shown, orders=orders, dataset_names=dict(names))
    return _finished(figures.trend_figure(info)), info.hidden


@st.cache_resource(ttl=_KEEP_SECONDS, max_entries=_KEEP_FIGURES, show_spinner=False)
def _heatmap(
    identity: str,  # noqa: ARG001 - stands for the frames in the cache's key
    shown: tuple[Pair, ...],
    orders: Orders,
    names: Names,
    _frames: Frames,
) -> tuple[go.Figure, list[str]]:
    info = figures.heatmap_info(_frames, shown, orders=orders, dataset_names=dict(names))
    return _finished(figures.heatmap_figure(info)), info.unknown


def _finished(figure: go.Figure) -> go.Figure:
    """Make the figure's dictionary once: plotly copies and encodes all of it for every session and every rerun."""
    dictionary = figure.to_dict()
    figure.to_dict = lambda: dictionary
    return figure

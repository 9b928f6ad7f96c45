"""Charts, made once for what they show and shared by every session that shows the same.

Streamlit replays the plotly charts that take no clicks from its cache. Cached functions are called with keyword
arguments: for positional ones Streamlit inspects the signature again at every call.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import plotly.graph_objects as go
import streamlit as st

from paiview.decisions.decision import Decision, State
from paiview.decisions.wording import percent
from paiview.evaluation.frames import Pair
from paiview.evaluation.queries import VersionIndexes
from paiview.figures.delta import delta_info
from paiview.figures.delta_table import delta_html
from paiview.figures.dumbbell import dumbbell_figure, dumbbell_info
from paiview.figures.heatmap import effect_heatmap_figure, effect_heatmap_info, heatmap_figure, heatmap_info
from paiview.figures.overview import overview_figure, overview_info
from paiview.figures.pareto import ParetoInfo, pareto_figure, pareto_info
from paiview.figures.style import version_labels
from paiview.figures.trend import trend_figure, trend_info
from paiview.text import counted, escape_markdown
from paiview.ui import cache_keys
from paiview.ui.model_data import ModelData

_KEEP_FIGURES = 64
_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


_CLICKED = "clicked-figure"
"""The key of the state that holds which figure was clicked last."""


class TrendDrawn(NamedTuple):
    """``hidden`` points lie outside the versions drawn; ``clicked`` is the VersionName of the point clicked last.

    ``clicked`` is ``None`` where another figure was clicked after it.
    """

    hidden: int
    clicked: str | None


class OverviewDrawn(NamedTuple):
    """What is said of an overview that is drawn.

    Attributes:
        drawn: how many versions it holds.
        beyond: how many of their marks stand at its edge.
        unshared: how many versions share no dataset with the baseline.
        clicked: as in ``TrendDrawn``.
    """

    drawn: int
    beyond: int
    unshared: int
    clicked: str | None


class _Effects(NamedTuple):
    """What the caption of a heatmap of effects needs of ``EffectHeatmapInfo``."""

    clip: float
    unmeasured: Sequence[str]
    unknown: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plot:
    """What is plotted of a model's versions.

    Attributes:
        data: the listing.
        shown: the pairs, a panel or a row each.
        version_indexes: the versions to draw.
    """

    data: ModelData
    shown: Sequence[Pair]
    version_indexes: VersionIndexes

    def key(self) -> str:
        """The key of a cache for what is made of this plot alone."""
        return self.data.key(tuple(self.shown), self.version_indexes)


class _PreparedFigure(go.Figure):  # type: ignore[misc] # plotly's figures have no types
    """A figure that many runs draw and none changes, with its dict made once.

    Streamlit asks for the dict in every run. To make it, plotly copies the figure and encodes its arrays, which takes
    0.4 of the CPU of a run of Trends.
    """

    def __init__(self, figure: go.Figure) -> None:
        super().__init__(figure)
        self._prepared: dict[str, Any] = super().to_dict()

    def to_dict(self) -> dict[str, Any]:
        return self._prepared


def overview(plot: Plot, baseline: int) -> OverviewDrawn:
    """Draw every version against ``baseline``, a position in the versions frame; nothing without a shared dataset.

    The pairs of the plot are of one metric whose direction is known.
    """
    figure, facts = _overview(plot=plot, baseline=baseline)
    if not facts.drawn:
        return facts
    return facts._replace(clicked=_draw_clickable(plot, figure, "overview-figure", "Every version against one"))


def trend(plot: Plot) -> TrendDrawn:
    """Draw the trend panels."""
    figure, hidden = _trend(plot=plot)
    alt = "Each metric on each dataset over the versions"
    return TrendDrawn(hidden, _draw_clickable(plot, figure, "trend-figure", alt))


def _draw_clickable(plot: Plot, figure: go.Figure, key: str, alt: str) -> str | None:
    """Draw a figure whose points are versions.

    Returns:
        The VersionName of the point clicked, if this figure was clicked last.
    """

    def remember() -> None:
        st.session_state[_CLICKED] = key

    event = st.plotly_chart(figure, key=key, config=_CONFIG, on_select=remember, selection_mode="points", alt=alt)
    points = event.selection.points
    if not points or st.session_state.get(_CLICKED) != key:
        return None
    labels = version_labels(plot.data.frames.versions)
    named = dict(zip(labels, plot.data.frames.versions["version_name"].tolist(), strict=True))
    return named.get(str(points[0]["x"]))


def heatmap(plot: Plot, approved: int | None = None) -> str:
    """Draw the heatmap of raw values.

    Args:
        plot: what to draw.
        approved: the version to emphasize, a position in the versions frame.

    Returns:
        How to read it, as Markdown.
    """
    unknown = _heatmap(plot=plot, approved=approved)
    return f"Each row has its own scale, the stronger the colour the better, blank is missing.{_uncoloured(unknown)}"


def effect_heatmap(plot: Plot, baseline: int) -> str:
    """Draw the heatmap of effects against ``baseline``, a position in the versions frame; else as ``heatmap``."""
    effects = _effect_heatmap(plot=plot, baseline=baseline)
    against = escape_markdown(str(plot.data.frames.versions["version_name"].iloc[baseline]), 60)
    count = len(effects.unmeasured)
    unmeasured = f" {against} has no number in {counted(count, 'row')}: nothing to compare with there." if count else ""
    return (
        f"Against {against}, the newest approved: blue is better, vermillion worse, the full colour at "
        f"{percent(effects.clip).lstrip('+')} and beyond; blank is missing.{unmeasured}{_uncoloured(effects.unknown)}"
    )


def _uncoloured(unknown: Sequence[str]) -> str:
    return f" No colour for {escape_markdown(', '.join(unknown), 200)}: direction unknown." if unknown else ""


def deltas(decisions: Sequence[Decision], shown: Collection[Pair]) -> tuple[Mapping[State, int], int]:
    """Draw the delta dot plot of the pairs shown.

    Returns:
        How many pairs of each state are left out, and how many marks are at the edge because their effect is larger.
    """
    html, hidden, beyond = _deltas(plot=_DecisionPlot(decisions, shown))
    st.html(html)
    return hidden, beyond


def dumbbells(decision: Decision, shown: Collection[Pair]) -> Mapping[State, int]:
    """Draw both versions in the units of each metric; returns how many pairs of each state are left out."""
    return _dumbbells(plot=_DecisionPlot([decision], shown))


def pareto(decisions: Sequence[Decision], x: Pair | str, y: Pair | str) -> ParetoInfo:
    """Draw the candidates and their baseline by two of their numbers, with the Pareto front; nothing without such."""
    return _pareto(plot=_ParetoPlot(decisions, x, y))


def identity_of(decisions: Sequence[Decision]) -> tuple[tuple[str, ...], ...]:
    """What a picture or a table of decisions depends on: the data, what they mean, and the names of datasets."""
    return tuple(
        (
            decision.model,
            decision.candidate,
            decision.baseline_model or "",
            decision.baseline or "",
            decision.data_fingerprint,
            decision.policy_fingerprint,
            *(pair.name or "" for pair in decision.pairs),
        )
        for decision in decisions
    )


@dataclass(frozen=True, slots=True, eq=False)
class _DecisionPlot:
    decisions: Sequence[Decision]
    shown: Collection[Pair]

    def key(self) -> str:
        return cache_keys.key_of(identity_of(self.decisions), *sorted(self.shown))


@dataclass(frozen=True, slots=True, eq=False)
class _ParetoPlot:
    decisions: Sequence[Decision]
    x: Pair | str
    y: Pair | str

    def key(self) -> str:
        return cache_keys.key_of(identity_of(self.decisions), self.x, self.y)


_cached_by_decisions = st.cache_data(
    ttl=cache_keys.TTL_SECONDS,
    max_entries=cache_keys.MAX_DECISION_ENTRIES,
    show_spinner=False,
    hash_funcs={_DecisionPlot: _DecisionPlot.key, _ParetoPlot: _ParetoPlot.key},
)


@_cached_by_decisions
def _deltas(plot: _DecisionPlot) -> tuple[str, Mapping[State, int], int]:
    info = delta_info(plot.decisions, shown=plot.shown)
    return delta_html(info), info.hidden, info.beyond


@_cached_by_decisions
def _dumbbells(plot: _DecisionPlot) -> Mapping[State, int]:
    info = dumbbell_info(plot.decisions[0], shown=plot.shown)
    figure = dumbbell_figure(info)
    st.plotly_chart(figure, key="dumbbell-figure", config=_CONFIG, alt="Both versions on each dataset, in raw units")
    return info.hidden


@_cached_by_decisions
def _pareto(plot: _ParetoPlot) -> ParetoInfo:
    info = pareto_info(plot.decisions, plot.x, plot.y)
    if info.names:
        figure = pareto_figure(info)
        st.plotly_chart(figure, key="pareto-figure", config=_CONFIG, alt="Candidates by two metrics")
    return info


_cached_by_plot = st.cache_data(
    ttl=cache_keys.TTL_SECONDS, max_entries=_KEEP_FIGURES, show_spinner=False, hash_funcs={Plot: Plot.key}
)


@st.cache_resource(
    ttl=cache_keys.TTL_SECONDS, max_entries=_KEEP_FIGURES, show_spinner=False, hash_funcs={Plot: Plot.key}
)
def _trend(plot: Plot) -> tuple[go.Figure, int]:
    data = plot.data
    info = trend_info(
        data.frames,
        plot.shown,
        orders=plot.version_indexes,
        dataset_names=data.dataset_names,
        metrics=data.contracts.metrics,
    )
    return _PreparedFigure(trend_figure(info)), info.hidden


@st.cache_resource(
    ttl=cache_keys.TTL_SECONDS, max_entries=_KEEP_FIGURES, show_spinner=False, hash_funcs={Plot: Plot.key}
)
def _overview(plot: Plot, baseline: int) -> tuple[go.Figure, OverviewDrawn]:
    data = plot.data
    info = overview_info(
        data.frames,
        plot.shown,
        orders=plot.version_indexes,
        baseline=baseline,
        metrics=data.contracts.metrics,
    )
    return _PreparedFigure(overview_figure(info)), OverviewDrawn(len(info.names), info.beyond, info.unshared, None)


@_cached_by_plot
def _heatmap(plot: Plot, approved: int | None) -> list[str]:
    data = plot.data
    info = heatmap_info(
        data.frames,
        plot.shown,
        orders=plot.version_indexes,
        dataset_names=data.dataset_names,
        metrics=data.contracts.metrics,
        approved=approved,
    )
    figure = heatmap_figure(info)
    st.plotly_chart(figure, key="heatmap-figure", config=_CONFIG, alt="Raw values by dataset and version")
    return info.unknown


@_cached_by_plot
def _effect_heatmap(plot: Plot, baseline: int) -> _Effects:
    data = plot.data
    info = effect_heatmap_info(
        data.frames,
        plot.shown,
        baseline=baseline,
        orders=plot.version_indexes,
        dataset_names=data.dataset_names,
        metrics=data.contracts.metrics,
    )
    figure = effect_heatmap_figure(info)
    st.plotly_chart(figure, key="effect-figure", config=_CONFIG, alt="Effect by dataset and version")
    return _Effects(info.clip, info.unmeasured, info.unknown)

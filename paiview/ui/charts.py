"""Figures, made once for what they show and shared by every session that shows the same.

Of those that take no clicks Streamlit keeps what it sends. What is kept is called with arguments by name: for each one
by place Streamlit reads the signature again, at every call.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st

from paiview import figures
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision, State
from paiview.decisions.wording import percent
from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.queries import VersionIndexes
from paiview.text import counted, escape_markdown
from paiview.ui import cache_keys

_KEEP_FIGURES = 64
_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


class TrendDrawn(NamedTuple):
    """``hidden`` points lie outside the versions drawn; ``clicked`` is the VersionName of the point clicked last."""

    hidden: int
    clicked: str | None


class _Effects(NamedTuple):
    """What is told of a heatmap of effects; the parts are those of ``figures.EffectHeatmapInfo``."""

    clip: float
    unmeasured: Sequence[str]
    unknown: Sequence[str]


class Plot(NamedTuple):
    """What is plotted of a model's versions.

    Attributes:
        identity: names the listing that ``frames`` were made of.
        frames: both frames of the snapshot.
        shown: the pairs, a panel or a row each.
        orders: the versions to draw.
        names: DatasetId to a name, where known.
        contracts: what metrics mean.
    """

    identity: str
    frames: Frames
    shown: Sequence[Pair]
    orders: VersionIndexes
    names: Mapping[str, str]
    contracts: Contracts

    def key(self, *more: object) -> str:
        """Stands for all of it and ``more`` where a figure is kept."""
        parts = self.identity, self.contracts.fingerprint, tuple(self.shown), self.orders, tuple(self.names.items())
        return cache_keys.key_of(*parts, *more)


def trend(plot: Plot) -> TrendDrawn:
    """Draw the trend panels."""
    figure, hidden = _trend(key=plot.key(), _plot=plot)
    event = st.plotly_chart(
        figure,
        key="trend-figure",
        config=_CONFIG,
        on_select="rerun",
        selection_mode="points",
        alt="Each metric on each dataset over the versions",
    )
    points = event.selection.points
    if not points:
        return TrendDrawn(hidden, None)
    labels = figures.version_labels(plot.frames.versions)
    named = dict(zip(labels, plot.frames.versions["version_name"].tolist(), strict=True))
    return TrendDrawn(hidden, named.get(str(points[0]["x"])))


def heatmap(plot: Plot) -> str:
    """Draw the heatmap of raw values.

    Returns:
        How to read it, as Markdown.
    """
    unknown = _heatmap(key=plot.key(), _plot=plot)
    return f"Each row has its own scale, the stronger the colour the better, blank is missing.{_uncoloured(unknown)}"


def effect_heatmap(plot: Plot, baseline: int) -> str:
    """Draw the heatmap of effects against ``baseline``, a position in the versions frame; else as ``heatmap``."""
    told = _effect_heatmap(key=plot.key(baseline), _plot=plot, _baseline=baseline)
    against = escape_markdown(str(plot.frames.versions["version_name"].iloc[baseline]), 60)
    count = len(told.unmeasured)
    unmeasured = f" {against} has no number in {counted(count, 'row')}: nothing to compare with there." if count else ""
    return (
        f"Against {against}, the newest approved: blue is better, vermillion worse, the full colour at "
        f"{percent(told.clip).lstrip('+')} and beyond; blank is missing.{unmeasured}{_uncoloured(told.unknown)}"
    )


def _uncoloured(unknown: Sequence[str]) -> str:
    return f" No colour for {escape_markdown(', '.join(unknown), 200)}: direction unknown." if unknown else ""


def deltas(decisions: Sequence[Decision], shown: Collection[Pair]) -> tuple[Mapping[State, int], int]:
    """Draw the delta dot plot of the pairs shown.

    Returns:
        How many pairs of each state are left out, and how many marks stand at the edge because their effect is larger.
    """
    return _deltas(key=cache_keys.key_of(identity_of(decisions), *sorted(shown)), _shown=shown, _decisions=decisions)


def dumbbells(decision: Decision, shown: Collection[Pair]) -> Mapping[State, int]:
    """Draw both versions in the units of each metric; returns how many pairs of each state are left out."""
    return _dumbbells(key=cache_keys.key_of(identity_of([decision]), *sorted(shown)), _shown=shown, _decision=decision)


def pareto(decisions: Sequence[Decision], x: Pair | str, y: Pair | str) -> figures.ParetoInfo:
    """Draw the candidates and their baseline by two of their numbers, with the Pareto front; nothing without such."""
    return _pareto(key=cache_keys.key_of(identity_of(decisions), x, y), _x=x, _y=y, _decisions=decisions)


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


@st.cache_data(ttl=cache_keys.SECONDS, max_entries=cache_keys.DECISIONS, show_spinner=False)
def _deltas(
    key: str,  # noqa: ARG001 - stands for all the others in the cache
    _shown: Collection[Pair],
    _decisions: Sequence[Decision],
) -> tuple[Mapping[State, int], int]:
    info = figures.delta_info(_decisions, shown=_shown)
    figure = figures.delta_figure(info)
    st.plotly_chart(
        figure, key="delta-figure", config=_CONFIG, alt="Effect on each dataset: right of the line is better"
    )
    return info.hidden, info.beyond


@st.cache_data(ttl=cache_keys.SECONDS, max_entries=cache_keys.DECISIONS, show_spinner=False)
def _dumbbells(
    key: str,  # noqa: ARG001 - stands for all the others in the cache
    _shown: Collection[Pair],
    _decision: Decision,
) -> Mapping[State, int]:
    info = figures.dumbbell_info(_decision, shown=_shown)
    figure = figures.dumbbell_figure(info)
    st.plotly_chart(figure, key="dumbbell-figure", config=_CONFIG, alt="Both versions on each dataset, in raw units")
    return info.hidden


@st.cache_data(ttl=cache_keys.SECONDS, max_entries=cache_keys.DECISIONS, show_spinner=False)
def _pareto(
    key: str,  # noqa: ARG001 - stands for all the others in the cache
    _x: Pair | str,
    _y: Pair | str,
    _decisions: Sequence[Decision],
) -> figures.ParetoInfo:
    info = figures.pareto_info(_decisions, _x, _y)
    if info.names:
        figure = figures.pareto_figure(info)
        st.plotly_chart(figure, key="pareto-figure", config=_CONFIG, alt="Candidates by two metrics")
    return info


@st.cache_resource(ttl=cache_keys.SECONDS, max_entries=_KEEP_FIGURES, show_spinner=False)
def _trend(
    key: str,  # noqa: ARG001 - stands for all the others in the cache
    _plot: Plot,
) -> tuple[go.Figure, int]:
    info = figures.trend_info(
        _plot.frames, _plot.shown, orders=_plot.orders, dataset_names=_plot.names, metrics=_plot.contracts.metrics
    )
    return figures.trend_figure(info), info.hidden


@st.cache_data(ttl=cache_keys.SECONDS, max_entries=_KEEP_FIGURES, show_spinner=False)
def _heatmap(
    key: str,  # noqa: ARG001 - stands for all the others in the cache
    _plot: Plot,
) -> list[str]:
    info = figures.heatmap_info(
        _plot.frames, _plot.shown, orders=_plot.orders, dataset_names=_plot.names, metrics=_plot.contracts.metrics
    )
    figure = figures.heatmap_figure(info)
    st.plotly_chart(figure, key="heatmap-figure", config=_CONFIG, alt="Raw values by dataset and version")
    return info.unknown


@st.cache_data(ttl=cache_keys.SECONDS, max_entries=_KEEP_FIGURES, show_spinner=False)
def _effect_heatmap(
    key: str,  # noqa: ARG001 - stands for all the others in the cache
    _plot: Plot,
    _baseline: int,
) -> _Effects:
    info = figures.effect_heatmap_info(
        _plot.frames,
        _plot.shown,
        baseline=_baseline,
        orders=_plot.orders,
        dataset_names=_plot.names,
        metrics=_plot.contracts.metrics,
    )
    figure = figures.effect_heatmap_figure(info)
    st.plotly_chart(figure, key="effect-figure", config=_CONFIG, alt="Effect by dataset and version")
    return _Effects(info.clip, info.unmeasured, info.unknown)

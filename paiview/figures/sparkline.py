"""The numbers of small lines in tables and cards: effects of the last versions, and the history of one number."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.metric_meaning import MetricContract
from paiview.evaluation.queries import newest_with, shown_pairs
from paiview.figures.heatmap import effects

MAX_EFFECTS: Final = 24
"""Versions on a line of effects."""
MAX_NUMBERS: Final = 40
"""Numbers on a line of a history."""
_MAX_PAIRS: Final = 100
"""The most covered results that a mean effect is made of; more would not change what a small line shows."""
_CLIP_PERCENT: Final = 100.0
"""An effect that is larger would flatten the others."""


class NumberHistory(NamedTuple):
    """The numbers of the result that tells most about a model.

    Attributes:
        pair: the metric and the dataset.
        approved: the number of the newest approved version; ``None`` without one.
        numbers: the newest ``MAX_NUMBERS`` of it, the oldest first.
    """

    pair: Pair
    approved: float | None
    numbers: list[float]


def mean_effects(
    frames: Frames, version: int, baseline: int, metrics: Mapping[str, MetricContract] = MappingProxyType({})
) -> list[float]:
    """The mean effects of the main metric in percent, of the last ``MAX_EFFECTS`` versions up to one.

    Args:
        frames: both frames of a snapshot.
        version: the last version, as a position in the versions frame.
        baseline: the version compared with, likewise.
        metrics: contracts that complete or replace the built-in ones.

    Returns:
        One number for each version that can be compared, cut at 100 %; empty for fewer than two.
    """
    pairs = shown_pairs(frames, [], [], metrics)[:_MAX_PAIRS]
    orders = newest_with(frames, np.arange(version + 1), pairs, MAX_EFFECTS)
    if not len(orders):
        return []
    shares = effects(frames, pairs, orders=orders, baseline=baseline, metrics=metrics)
    shares = shares[:, ~np.isnan(shares).all(axis=0)]
    if shares.shape[1] < 2:
        return []
    clip = _CLIP_PERCENT / 100
    percents: list[float] = (np.nanmean(np.clip(shares, -clip, clip), axis=0) * 100).tolist()
    return percents


def number_history(
    frames: Frames, metrics: Mapping[str, MetricContract] = MappingProxyType({})
) -> NumberHistory | None:
    """The history of the main metric on the most covered dataset, of those that the approved version has a number on.

    Args:
        frames: both frames of a snapshot.
        metrics: contracts that complete or replace the built-in ones.

    Returns:
        ``None`` when there is no number.
    """
    pairs = shown_pairs(frames, [], [], metrics)
    if not pairs:
        return None
    approved = np.flatnonzero((frames.versions["approval_status"] == "Approved").to_numpy())[-1:]
    measured = (pair for pair in pairs if np.isin(approved, frames.histories[pair].version_indexes).any())
    pair = next(measured, pairs[0])
    history = frames.histories[pair]
    of_approved = history.values[np.isin(history.version_indexes, approved)].tolist()
    return NumberHistory(pair, next(iter(of_approved), None), history.values[-MAX_NUMBERS:].tolist())

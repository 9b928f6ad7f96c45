"""The pairs of decisions in the order a reader wants them."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from paiview.decisions.decision import BY_CONCERN, Decision, PairDecision
from paiview.evaluation.results import Pair

PAIR_SORTS = {
    "worst": "Regressions first",
    "best": "Improvements first",
    "dataset": "Dataset, A to Z",
    "metric": "Metric, then dataset",
}


class PairRow(NamedTuple):
    """One pair of one decision: the candidate's name, and what was judged."""

    candidate: str
    pair: PairDecision


def pair_rows(
    decisions: Sequence[Decision],
    *,
    metrics: Sequence[str] = (),
    datasets: Sequence[str] = (),
    states: Sequence[str] = (),
    hide_identical: bool = False,
    sort: str = "worst",
) -> list[PairRow]:
    """The pairs of some decisions in the order a reader wants them; a filter left empty lets all pass.

    Args:
        decisions: one a candidate.
        metrics: what to keep.
        datasets: what to keep.
        states: what to keep.
        hide_identical: leave out pairs whose two numbers are equal.
        sort: a key of ``PAIR_SORTS``; what it finds equal stays in the order of the decisions.
    """
    rows = [
        PairRow(decision.candidate, pair)
        for decision in decisions
        for pair in decision.pairs
        if (not metrics or pair.metric in metrics)
        and (not datasets or pair.dataset in datasets)
        and (not states or pair.state in states)
        and not (hide_identical and pair.baseline is not None and pair.baseline == pair.candidate)
    ]
    return sorted(rows, key=_PAIR_ORDERS[sort])


def _worst_first(row: PairRow) -> tuple[int, float]:
    effect, state = row.pair.effect, row.pair.state
    size = -math.inf if effect is None else -effect if state == "better" else effect
    return BY_CONCERN.index(state), size


_PAIR_ORDERS: Mapping[str, Callable[[PairRow], tuple[Any, ...]]] = {
    "worst": _worst_first,
    "best": lambda row: (row.pair.effect is None, -(row.pair.effect or 0.0)),
    "dataset": lambda row: (row.pair.name or row.pair.dataset, row.pair.metric),
    "metric": lambda row: (row.pair.metric, row.pair.name or row.pair.dataset),
}


def pairs_of(rows: Sequence[PairRow]) -> set[Pair]:
    """The pairs that some rows are about."""
    return {Pair(row.pair.metric, row.pair.dataset) for row in rows}

"""The pairs of decisions, filtered and sorted for a table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from paiview.decisions.decision import Decision, PairDecision, concern
from paiview.evaluation.results import Pair

PAIR_SORTS = {
    "worst": "Regressions first",
    "best": "Improvements first",
    "dataset": "Dataset, A to Z",
    "metric": "Metric, then dataset",
}


class PairRow(NamedTuple):
    """One pair of one decision, with the candidate's name."""

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
    """The pairs of some decisions, filtered and sorted.

    Args:
        decisions: one for each candidate.
        metrics: those to keep; empty keeps all.
        datasets: likewise.
        states: likewise; empty keeps all that are judged.
        hide_identical: leave out pairs whose two numbers are equal.
        sort: a key of ``PAIR_SORTS``; ties stay in the order of the decisions.
    """
    rows = [
        PairRow(decision.candidate, pair)
        for decision in decisions
        for pair in decision.pairs
        if (not metrics or pair.metric in metrics)
        and (not datasets or pair.dataset in datasets)
        and (pair.state in states if states else pair.state != "not_judged")
        and not (hide_identical and pair.baseline is not None and pair.baseline == pair.candidate)
    ]
    return sorted(rows, key=_SORT_KEYS[sort])


_SORT_KEYS: Mapping[str, Callable[[PairRow], tuple[Any, ...]]] = {
    "worst": lambda row: (concern(row.pair), row.pair.effect or 0.0),
    "best": lambda row: (row.pair.effect is None, -(row.pair.effect or 0.0)),
    "dataset": lambda row: (row.pair.name or row.pair.dataset, row.pair.metric),
    "metric": lambda row: (row.pair.metric, row.pair.name or row.pair.dataset),
}


def pairs_of(rows: Sequence[PairRow]) -> set[Pair]:
    """The pairs of some rows, each once."""
    return {row.pair.pair for row in rows}

"""Domination among versions, for the Pareto front."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from paiview.decisions.pairs import measured_number, measured_state
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.evaluation.results import Evaluation, Measurement, Pair


def dominators(
    evaluations: Mapping[str, Evaluation],
    pairs: Sequence[Pair],
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
) -> dict[str, str | None]:
    """For each version, one that dominates it, or ``None`` if it is on the Pareto front.

    B dominates A when it is worse on no pair (beyond tolerance), better on at least one, and has a number for every
    pair for which A has one. Pairs without a direction, or of what is no score, are ignored. Of several dominators, the
    first one that is on the front itself is named.

    Args:
        evaluations: version to its measurements, with aliases replaced by their targets.
        pairs: the pairs to compare.
        metrics: contracts that complete or replace the built-in ones.
    """
    directed = [(pair, contract(pair.metric, metrics)) for pair in pairs]
    directed = [
        (pair, meaning)
        for pair, meaning in directed
        if meaning.direction is not None and meaning.standing != "not_a_score"
    ]
    contracts = [meaning for _, meaning in directed]
    measured = {version: [results.get(pair) for pair, _ in directed] for version, results in evaluations.items()}
    above = {
        version: [other for other in measured if _dominates(measured[other], measured[version], contracts)]
        for version in measured
    }
    return {
        version: next((other for other in others if not above[other]), others[0] if others else None)
        for version, others in above.items()
    }


def _dominates(
    other: Sequence[Measurement | None], version: Sequence[Measurement | None], contracts: Sequence[MetricContract]
) -> bool:
    is_better = False
    for after, before, meaning in zip(other, version, contracts, strict=True):
        if measured_number(before) is None:
            continue
        state = measured_state(before, after, meaning)
        if state not in ("better", "same"):
            return False
        is_better = is_better or state == "better"
    return is_better

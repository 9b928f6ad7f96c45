"""Domination among versions, for the Pareto front."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from paiview.decisions.pairs import measured_number, state_of
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.evaluation.results import Evaluation, Pair


def dominators(
    evaluations: Mapping[str, Evaluation],
    pairs: Sequence[Pair],
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
) -> dict[str, str | None]:
    """For each version, one that dominates it, or ``None`` if it is on the Pareto front.

    B dominates A when it is worse on no pair (beyond tolerance), better on at least one, and has a number for every
    pair for which A has one. Pairs without a direction are ignored. Of several dominators, the first one that is on the
    front itself is named.

    Args:
        evaluations: version to its measurements, with aliases replaced by their targets.
        pairs: the pairs to compare.
        metrics: contracts that complete or replace the built-in ones.
    """
    directed = [(pair, contract(pair.metric, metrics)) for pair in pairs]
    directed = [(pair, meaning) for pair, meaning in directed if meaning.direction is not None]
    contracts = [meaning for _, meaning in directed]
    numbers = {
        version: [measured_number(results.get(pair)) for pair, _ in directed]
        for version, results in evaluations.items()
    }
    above = {
        version: [other for other in numbers if _dominates(numbers[other], numbers[version], contracts)]
        for version in numbers
    }
    return {
        version: next((other for other in others if not above[other]), others[0] if others else None)
        for version, others in above.items()
    }


def _dominates(
    other: Sequence[float | None], version: Sequence[float | None], contracts: Sequence[MetricContract]
) -> bool:
    is_better = False
    for after, before, meaning in zip(other, version, contracts, strict=True):
        if before is None:
            continue
        if after is None:
            return False
        state = state_of(before, after, meaning)
        if state == "worse":
            return False
        is_better = is_better or state == "better"
    return is_better

"""Which version dominates which, for the Pareto front."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from paiview.decisions.pairs import measured_number, state_of
from paiview.evaluation.metric_meaning import (
    MetricContract,
    contract,
)
from paiview.evaluation.results import Evaluation, Pair


def dominators(
    evaluations: Mapping[str, Evaluation],
    pairs: Sequence[Pair],
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
) -> dict[str, str | None]:
    """Name for each version what dominates it, ``None`` for those on the Pareto front.

    B dominates A when it is nowhere worse than A beyond tolerance and somewhere better. B has a number wherever A has
    one: what is missing lets nobody dominate. Pairs without a direction do not count. Of several dominators the first
    that nothing dominates is named.

    Args:
        evaluations: version to what it measured, already under the names that the aliases give.
        pairs: those to look at.
        metrics: contracts that complete or replace the built-in ones.
    """
    known = {metric: contract(metric, metrics) for metric in {pair.metric for pair in pairs}}
    directed = [(pair, known[pair.metric]) for pair in pairs if known[pair.metric].direction]
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

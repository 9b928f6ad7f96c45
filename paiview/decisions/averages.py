"""Means of one metric over the datasets that both sides have."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType

from paiview.decisions.decision import JUDGED, Average, PairDecision
from paiview.decisions.exact import ROUNDING
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.evaluation.metric_numbers import are_on_different_scales


def averages(
    pairs: Iterable[PairDecision], metrics: Mapping[str, MetricContract] = MappingProxyType({})
) -> tuple[Average, ...]:
    """Average each metric by itself, over the datasets on which both sides are compared.

    Where one dataset has fractions and another percent, the metric has no arithmetic mean. One with a target has the
    mean gain alone.

    Args:
        pairs: the pairs of a Decision.
        metrics: contracts that complete or replace those of the catalogue.
    """
    shared: defaultdict[str, list[PairDecision]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda pair: (pair.metric, pair.dataset)):
        if pair.state in JUDGED:
            shared[pair.metric].append(pair)
    return tuple(_average(contract(metric, metrics), both) for metric, both in shared.items())


def _average(meaning: MetricContract, pairs: Sequence[PairDecision]) -> Average:
    before = [pair.baseline for pair in pairs if pair.baseline is not None]
    after = [pair.candidate for pair in pairs if pair.candidate is not None]
    gains = [pair.gain for pair in pairs if pair.gain is not None]
    has_means = meaning.best is None
    logs = _logs(before, after) if has_means else []
    has_macro = has_means and not _is_mixed([*before, *after], meaning)
    winners: set[int] = set()
    if pairs[0].direction in ("lower", "higher"):
        upwards = 1 if pairs[0].direction == "higher" else -1
        winners = {upwards * _sign(logs)}
        if has_macro:
            winners.add(upwards * _sign([*after, *(-value for value in before)]))
    mean_gain = None
    turned_by: tuple[str, ...] = ()
    if len(gains) == len(pairs):
        mean_gain = _mean(gains)
        winners.add(_sign(gains))
        turned_by = tuple(pair.dataset for pair, turns in zip(pairs, _turns_sign(gains), strict=True) if turns)
    return Average(
        metric=meaning.metric,
        n=len(pairs),
        macro_baseline=_mean(before) if has_macro else None,
        macro_candidate=_mean(after) if has_macro else None,
        geometric_ratio=_geometric_ratio(logs, len(pairs)),
        mean_gain=mean_gain,
        disagree={-1, 1} <= winners,
        turned_by=turned_by,
    )


def _is_mixed(numbers: Sequence[float], meaning: MetricContract) -> bool:
    """Whether the smallest and the largest of some numbers are on different scales."""
    sizes = [abs(number) for number in numbers if number]
    return bool(sizes) and are_on_different_scales(min(sizes), max(sizes), meaning)


def _mean(values: Sequence[float]) -> float:
    try:
        return math.fsum(values) / len(values)
    except OverflowError:
        return math.fsum(value / len(values) for value in values)


def _logs(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """Logarithms whose sum is that of the logarithms of all ratios; empty where one is undefined."""
    if min(*before, *after) <= 0:
        return []
    return [*map(math.log, after), *(-math.log(value) for value in before)]


def _geometric_ratio(logs: Sequence[float], n: int) -> float | None:
    """The geometric mean of the ratios; ``None`` where it is undefined or beyond the range of floats."""
    if not logs:
        return None
    try:
        return math.exp(math.fsum(logs) / n) or None
    except OverflowError:
        return None


def _sign(values: Sequence[float]) -> int:
    """The sign of a sum."""
    return _clear_sign(_mean(values), _mean([*map(abs, values)])) if values else 0


def _clear_sign(total: float, absolute_total: float) -> int:
    """The sign of a sum; 0 within rounding errors of zero, which follow from the sum of the absolute values."""
    if not abs(total) > ROUNDING * absolute_total:
        return 0
    return 1 if total > 0 else -1


def _turns_sign(gains: Sequence[float]) -> list[bool]:
    """For each gain, whether the sum of the others has the opposite sign of the sum of all.

    The sums of the others are added up from both ends: subtracting a large gain from the total would lose the others
    to rounding.
    """
    sign = _sign(gains)
    others, absolute_others = _sums_of_others(gains), _sums_of_others([*map(abs, gains)])
    return [sign * _clear_sign(*sums) < 0 for sums in zip(others, absolute_others, strict=True)]


def _sums_of_others(values: Sequence[float]) -> list[float]:
    before = accumulate(values[:-1], initial=0.0)
    after = [*accumulate(reversed(values[1:]), initial=0.0)]
    return [left + right for left, right in zip(before, reversed(after), strict=True)]

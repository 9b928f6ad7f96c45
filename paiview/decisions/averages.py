"""Means of one metric over the datasets that both sides have."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

from paiview.decisions.decision import Average, PairDecision
from paiview.decisions.exact import ROUNDING


def averages(pairs: Iterable[PairDecision]) -> tuple[Average, ...]:
    """Average each metric by itself, over the datasets on which both sides have a number."""
    shared: defaultdict[str, list[PairDecision]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda pair: (pair.metric, pair.dataset)):
        if pair.baseline is not None and pair.candidate is not None:
            shared[pair.metric].append(pair)
    return tuple(_average(metric, both) for metric, both in shared.items())


def _average(metric: str, pairs: Sequence[PairDecision]) -> Average:
    before = [pair.baseline for pair in pairs if pair.baseline is not None]
    after = [pair.candidate for pair in pairs if pair.candidate is not None]
    gains = [pair.gain for pair in pairs if pair.gain is not None]
    logs = _logs(before, after)
    winners: set[int] = set()
    if pairs[0].direction is not None:
        upwards = 1 if pairs[0].direction == "higher" else -1
        winners = {upwards * _sign([*after, *(-value for value in before)]), upwards * _sign(logs)}
    mean_gain = None
    turned_by: tuple[str, ...] = ()
    if len(gains) == len(pairs):
        mean_gain = _mean(gains)
        winners.add(_sign(gains))
        turned_by = tuple(pair.dataset for pair, turns in zip(pairs, _turns_sign(gains), strict=True) if turns)
    return Average(
        metric=metric,
        n=len(pairs),
        macro_baseline=_mean(before),
        macro_candidate=_mean(after),
        geometric_ratio=_geometric_ratio(logs, len(pairs)),
        mean_gain=mean_gain,
        disagree={-1, 1} <= winners,
        turned_by=turned_by,
    )


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

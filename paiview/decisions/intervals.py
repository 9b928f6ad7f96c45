"""Intervals of counted proportions: Wilson's for a side, Newcombe's for the change."""

import math
from typing import Final, NamedTuple

from paiview.decisions.exact import ROUNDING, exact_decimal
from paiview.evaluation.metric_meaning import MetricContract
from paiview.evaluation.results import Measurement

_Z: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: all intervals are at 95 %."""
_MAX_ITEMS: Final = 2**63
_MAX_ROUNDING: Final = 0.005


class Proportion(NamedTuple):
    """A value as ``hits`` out of ``n`` items."""

    hits: int
    n: int


def counted_proportion(
    value: float, measurement: Measurement | None, n: int | None, meaning: MetricContract
) -> Proportion | str | None:
    """The proportion behind a value, a sentence if its counts do not fit it, or ``None`` without counts.

    Counts beside the Metrics hold errors: the value is their share, or 1 minus it. With n alone the hits follow from
    the value.
    """
    errors = measurement.errors if measurement else None
    n = measurement.n if measurement and measurement.n is not None else n
    if n is None:
        return None
    if not 0 < n < _MAX_ITEMS:
        return f"{n} items were counted" if n <= 0 else "too many items were counted"
    if not 0 <= value <= 1 or meaning.unit not in (None, "fraction"):
        return "the value is not a share of the items counted"
    if errors is None:
        return Proportion(min(round(value * n), n), n)
    if errors > n:
        return f"{errors} errors in {n} items are not a share"
    either = (n - errors, errors) if meaning.direction == "higher" else (errors, n - errors)
    hits = min(either, key=lambda hits: abs(hits / n - value))
    if abs(hits / n - value) > _rounding(value):
        return f"{errors} errors in {n} items do not give the value"
    return Proportion(hits, n)


def _rounding(value: float) -> float:
    """Half a unit of the last decimal of a value, at most half a percentage point."""
    exponent = int(exact_decimal(value).as_tuple().exponent)
    return min(_MAX_ROUNDING, 10.0**exponent / 2) + ROUNDING


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's interval (1927) of a proportion, at 95 %.

    Args:
        hits: 0 to ``n``.
        n: at least 1.
    """
    centre = hits + _Z * _Z / 2
    half = _Z * math.sqrt(hits * (n - hits) / n + _Z * _Z / 4)
    total = n + _Z * _Z
    return max(0.0, (centre - half) / total), min(1.0, (centre + half) / total)


def newcombe(hits: int, n: int, hits_before: int, n_before: int) -> tuple[float, float]:
    """Newcombe's interval (1998, method 10) of a proportion minus an earlier one, at 95 %, for independent samples."""
    share, share_before = hits / n, hits_before / n_before
    (low, high), (low_before, high_before) = wilson(hits, n), wilson(hits_before, n_before)
    difference = share - share_before
    return (
        difference - math.hypot(share - low, high_before - share_before),
        difference + math.hypot(high - share, share_before - low_before),
    )

"""Which numbers a metric can have: its range, and whether a number is a fraction or in percent.

Many metrics are published both ways. A number above the largest fraction can only be in percent; a smaller one can be
either, so two numbers count as on different scales only where their ratio leaves no other reading.
"""

import math
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, overload

from paiview.evaluation.metric_meaning import MetricContract, Range, Scale, stored_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PERCENT: Final = 100
_MAX_FRACTION: Final = 1.0
_MAX_ERROR_RATE: Final = 3.0
"""The largest fraction of an error rate that may exceed 1, such as a word error rate with many insertions."""
_MIN_SCALE_RATIO: Final = 10.0 * (1 + 1e-12)
"""Numbers of one metric on the same scale are seldom ten times apart; a hair more, lest rounding makes ten more."""
_MAX_OVERSHOOT: Final = 1e-9
"""By how much rounding may carry a number beyond its range."""


def counted_number(value: float, meaning: MetricContract) -> float:
    """The number that counts: of a metric stored with mixed scales, a fraction times 100."""
    if meaning.scale == "mixed" and abs(value) <= _MAX_FRACTION:
        return float(Decimal(repr(value)).scaleb(2))
    return value


def max_fraction(meaning: MetricContract) -> float | None:
    """The largest number that can be a fraction; ``None`` where the scale is not in question."""
    if meaning.scale in ("fraction", "mixed") or not (meaning.has_scales or meaning.scale):
        return None
    has_no_ceiling = meaning.direction == "lower" and (meaning.range is None or meaning.range[1] is None)
    return _MAX_ERROR_RATE if has_no_ceiling else _MAX_FRACTION


def is_only_percent(value: float, meaning: MetricContract) -> bool:
    """Whether a number can only be in percent, in a metric that may be stored either way."""
    limit = max_fraction(meaning)
    return limit is not None and abs(value) > limit


def are_on_different_scales(one: float, other: float, meaning: MetricContract) -> bool:
    """Whether one number can only be in percent and the other one can only be a fraction beside it."""
    limit = max_fraction(meaning)
    return limit is not None and differ_in_scale(one, other, limit)


@overload
def differ_in_scale(one: float, other: float, limit: float) -> bool: ...
@overload
def differ_in_scale(
    one: "float | NDArray[np.float64]", other: "NDArray[np.float64]", limit: float
) -> "NDArray[np.bool_]": ...
def differ_in_scale(one: Any, other: Any, limit: float) -> Any:
    """``are_on_different_scales`` by the ``max_fraction`` of the metric; of arrays, number by number."""
    return _is_percent_beside_fraction(one, other, limit) | _is_percent_beside_fraction(other, one, limit)


def _is_percent_beside_fraction(large: Any, small: Any, limit: float) -> Any:
    large, small = abs(large), abs(small)
    return (large > limit) & (small > 0) & (small <= _MAX_FRACTION) & (large / _MIN_SCALE_RATIO > small)


def ceiling(one: float, other: float, meaning: MetricContract) -> int | None:
    """The best possible number of two of a metric whose range ends at 1: 1, or 100 in percent; else ``None``."""
    if meaning.range is None or meaning.range[1] != 1:
        return None
    in_percent = meaning.scale in ("percent", "mixed") or is_only_percent(max(abs(one), abs(other)), meaning)
    return _PERCENT if in_percent else 1


def possible_range(meaning: MetricContract) -> tuple[float, float]:
    """The lowest and the highest number that the metric can have, as it is stored."""
    low, high = _stored_range(meaning.range or (None, None), meaning.scale, meaning.has_scales)
    # Above that an error rate can only be in percent, whatever its file says of the others.
    return low, min(high, _MAX_ERROR_RATE) if meaning.scale == "fraction" and meaning.direction == "lower" else high


@lru_cache(maxsize=1024)
def _stored_range(limits: Range, scale: Scale | None, has_scales: bool) -> tuple[float, float]:
    low, high = limits
    is_fraction_range = high in (1, None) and (has_scales or scale is not None)
    factor = _PERCENT if is_fraction_range and scale != "fraction" else 1
    return (-math.inf if low is None else low * factor, math.inf if high is None else high * factor)


def range_problem(value: float, meaning: MetricContract) -> str | None:
    """Why the metric cannot have this number, such as ``mAP cannot be below 0``; ``None`` if it can."""
    low, high = possible_range(meaning)
    if low <= value <= high:
        return None
    if value < low - _overshoot(low):
        return f"{meaning.metric} cannot be below {stored_number(low)}"
    if value > high + _overshoot(high):
        return f"{meaning.metric} cannot be above {stored_number(high)}"
    return None


def counted_numbers(values: "NDArray[np.float64]", meaning: MetricContract) -> "NDArray[np.float64]":
    """``counted_number`` of many numbers; NaN in place of those that the metric cannot have."""
    import numpy as np  # noqa: PLC0415 - ``paiview check`` starts without numpy

    low, high = possible_range(meaning)
    is_possible = (values >= low - _overshoot(low)) & (values <= high + _overshoot(high))
    is_raised = (np.abs(values) <= _MAX_FRACTION) & (meaning.scale == "mixed")
    return np.multiply(np.where(is_possible, values, np.nan), np.where(is_raised, _PERCENT, 1))


def running_best(values: "NDArray[np.float64]", meaning: MetricContract) -> "NDArray[np.float64]":
    """The best value so far, version by version, for a step line.

    Args:
        values: numbers in version order, as stored; NaN where a version has none.
        meaning: the metric's contract.

    Returns:
        As many of these numbers, none of which is impossible; NaN before the first one, and everywhere when the
        direction is unknown.
    """
    import numpy as np  # noqa: PLC0415 - ``paiview check`` starts without numpy

    if meaning.direction is None:
        return np.full(len(values), np.nan)
    numbers = counted_numbers(values, meaning)
    if meaning.best is None:
        best = np.fmin.accumulate(numbers) if meaning.direction == "lower" else np.fmax.accumulate(numbers)
    else:
        best = _nearest_so_far(numbers, meaning.best)
    at = np.maximum.accumulate(np.where(numbers == best, np.arange(len(values)), -1))
    return np.where(at < 0, np.nan, values[at])


def _nearest_so_far(numbers: "NDArray[np.float64]", target: float) -> "NDArray[np.float64]":
    import numpy as np  # noqa: PLC0415

    best, nearest = np.nan, np.full(len(numbers), np.nan)
    for index, number in enumerate(numbers):
        if not np.isnan(number) and not abs(best - target) <= abs(number - target):
            best = number
        nearest[index] = best
    return nearest


def _overshoot(bound: float) -> float:
    return _MAX_OVERSHOOT * max(1.0, abs(bound))

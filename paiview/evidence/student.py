"""Student's t distribution for a whole number of degrees of freedom, without scipy."""

import math
from statistics import NormalDist
from typing import Final

_HALVINGS: Final = 200
"""More than a float has digits."""


def two_sided_probability(t: float, freedom: int) -> float:
    """The probability that a variable of the distribution lies beyond ±t.

    The finite sums for whole degrees of freedom: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and
    26.7.4.

    Args:
        t: any number.
        freedom: degrees of freedom, at least 1.
    """
    angle = math.atan(abs(t) / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    is_odd = freedom % 2
    term = cosine if is_odd else 1.0
    total = 0.0 if freedom == 1 else term
    for step in range(2 + is_odd, freedom - 1, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    within = 2 / math.pi * (angle + sine * total) if is_odd else sine * total
    return min(1.0, max(0.0, 1.0 - within))


def t_quantile(level: float, freedom: int) -> float:
    """The t between whose minus and plus a variable of the distribution lies with a probability.

    Args:
        level: the probability, above 0 and below 1.
        freedom: degrees of freedom, at least 1.
    """
    low, high = 0.0, NormalDist().inv_cdf((1 + level) / 2)
    while two_sided_probability(high, freedom) > 1 - level:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if two_sided_probability(middle, freedom) > 1 - level:
            low = middle
        else:
            high = middle
    return high

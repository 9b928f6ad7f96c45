"""Exact decimal arithmetic on a registry's numbers."""

import math
from decimal import Context, Decimal
from typing import Final

EXACT: Final = Context(prec=2000, traps=[])
"""Enough digits for the difference of any two floats."""
QUOTIENT: Final = Context(prec=40, traps=[])
ONE: Final = Decimal(1)
ROUNDING: Final = 1e-12
"""Floats within this share of their operands of a tie do not tell which is larger: then decimals decide."""


def exact_decimal(number: float) -> Decimal:
    """The shortest decimal that gives the same float, so that 1.00 to 0.99 is exactly one percent."""
    return Decimal(repr(float(number)))


def nearest_float(number: Decimal) -> float | None:
    """The nearest float; ``None`` beyond the largest."""
    nearest = float(number)
    return nearest if math.isfinite(nearest) else None

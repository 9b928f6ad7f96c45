"""Exact decimal arithmetic on the numbers of a registry."""

import math
from decimal import Context, Decimal
from typing import Final

EXACT: Final = Context(prec=2000, traps=[])
"""Enough digits for the difference of any two floats."""
QUOTIENT: Final = Context(prec=40, traps=[])
ONE: Final = Decimal(1)
ROUNDING: Final = 1e-12
"""Floats closer to a tie than this share of what they were reckoned from do not say which is larger."""
FROM_ZERO: Final = "from 0"
FROM_NO_ERRORS: Final = "from no errors"
TOO_LARGE: Final = "too large a ratio to be a number"


def exact_decimal(number: float) -> Decimal:
    """The number as the shortest text that gives the same float: 1.00 to 0.99 is exactly one percent."""
    return Decimal(repr(float(number)))


def nearest_float(number: Decimal) -> float | None:
    """The nearest float; ``None`` beyond the largest."""
    nearest = float(number)
    return nearest if math.isfinite(nearest) else None

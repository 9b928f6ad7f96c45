"""Seconds that only grow, also while the machine sleeps: what a laptop read in the evening is old in the morning."""

import time
from typing import Final

_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""Linux has the first for this, and macOS the second; elsewhere ``time.monotonic`` does it."""


def seconds() -> float:
    """The seconds since some moment."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)

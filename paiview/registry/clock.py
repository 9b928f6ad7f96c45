"""The clocks: of ages, and of the day."""

import time
from datetime import UTC, datetime
from typing import Final

_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""Linux has the first for this, and macOS the second; elsewhere ``time.monotonic`` does it."""


def seconds() -> float:
    """Seconds that only grow, also while the machine sleeps: what was read before a night is old after it."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def utc() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)

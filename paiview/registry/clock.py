"""The clocks: one for ages, one for the time of day."""

import time
from datetime import UTC, datetime
from typing import Final

_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""The clock that counts while the machine sleeps: the first on Linux, the second on macOS. Elsewhere
``time.monotonic`` does."""


def seconds() -> float:
    """Monotonic seconds that include the time the machine sleeps: a snapshot read before a night is old after it."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def utc() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)

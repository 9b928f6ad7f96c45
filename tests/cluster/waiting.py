"""Waiting for another process or thread."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

LONGEST: Final = 40.0
"""Seconds after which a wait has failed."""
_PAUSE: Final = 0.02

ResultT = TypeVar("ResultT")


def until(holds: Callable[[], ResultT], what: str = "the condition holds") -> ResultT:
    """Wait until a condition is true; returns its value."""
    deadline = time.monotonic() + LONGEST
    while not (found := holds()):
        assert time.monotonic() < deadline, f"Within {LONGEST:g} s it did not come about that {what}."
        # Nothing tells this process when another one is there: to look again is all there is, and no test counts on
        # how long it takes.
        time.sleep(_PAUSE)
    return found

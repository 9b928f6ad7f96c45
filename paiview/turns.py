"""Runs of pages take turns, and give their turn away while they wait for the service.

Python runs one thread at a time, and every call to the system hands it on: with many runs at once each of them waits in
line some hundred times, and half of the machine is busy with handing on. In turns each runs through.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

PATIENCE: Final = 2.0
"""Seconds after which a run no longer waits for its turn: one that hangs stops no other one."""

_room = threading.BoundedSemaphore(1)


class _Turn:
    """The turn of one thread, which it may have or not."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._held = False

    def take(self) -> None:
        self._held = _room.acquire(timeout=PATIENCE)

    def give(self) -> None:
        if self._held:
            self._held = False
            _room.release()

    def is_held_here(self) -> bool:
        """Whether this thread has it: a context is copied into others."""
        return self._held and self._thread == threading.get_ident()


_turn: ContextVar[_Turn | None] = ContextVar("paiview_turn", default=None)


@contextmanager
def turn() -> Iterator[None]:
    """Run when it is this run's turn, or when it has waited for ``PATIENCE``."""
    mine = _Turn()
    token = _turn.set(mine)
    mine.take()
    try:
        yield
    finally:
        mine.give()
        _turn.reset(token)


@contextmanager
def given_away() -> Iterator[None]:
    """Let others run meanwhile; for a thread that has no turn this does nothing."""
    mine = _turn.get()
    if mine is None or not mine.is_held_here():
        yield
        return
    mine.give()
    try:
        yield
    finally:
        mine.take()

"""One page script runs at a time, and releases its lock while it waits for the service.

Python runs one thread at a time. With many sessions the threads contend for the GIL at every system call, which costs
more than a queue: each script that holds the lock runs through.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

LOCK_TIMEOUT_SECONDS: Final = 2.0
"""After this wait a script runs without the lock: one that hangs stops no other."""

_lock = threading.BoundedSemaphore(1)


class _Holder:
    """One thread that may hold the lock."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._holds = False

    def acquire(self) -> None:
        self._holds = _lock.acquire(timeout=LOCK_TIMEOUT_SECONDS)

    def release(self) -> None:
        if self._holds:
            self._holds = False
            _lock.release()

    def holds_in_this_thread(self) -> bool:
        """Whether the current thread holds the lock; a context variable is copied into other threads."""
        return self._holds and self._thread == threading.get_ident()


_holder: ContextVar[_Holder | None] = ContextVar("paiview_script_lock", default=None)


@contextmanager
def hold() -> Iterator[None]:
    """Run with the lock, or without it after ``LOCK_TIMEOUT_SECONDS``."""
    holder = _Holder()
    token = _holder.set(holder)
    holder.acquire()
    try:
        yield
    finally:
        holder.release()
        _holder.reset(token)


@contextmanager
def released() -> Iterator[None]:
    """Release the lock of this thread for the block; without a lock, do nothing."""
    holder = _holder.get()
    if holder is None or not holder.holds_in_this_thread():
        yield
        return
    holder.release()
    try:
        yield
    finally:
        holder.acquire()

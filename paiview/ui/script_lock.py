"""One page script runs at a time, and releases its lock while it waits for the service.

Python runs one thread at a time. With many sessions the threads contend for the GIL at every system call, which costs
more than a queue: each script that holds the lock runs through. The clients get the lock in turn, so that one with many
sessions delays the others by no more than one script each.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

LOCK_TIMEOUT_SECONDS: Final = 2.0
"""After this wait a script runs without the lock: one that hangs stops no other."""


class FairLock:
    """A lock that the clients who wait for it get in turn."""

    def __init__(self) -> None:
        # Guards the two below.
        self._guard = threading.Lock()
        self._is_held = False
        self._waiting: dict[str, deque[threading.Event]] = {}
        """By client; who gets the lock next first. An event is set when its waiter holds the lock."""

    def acquire(self, client: str, timeout: float) -> bool:
        """Wait for the lock, ``timeout`` seconds at most; returns whether the caller holds it."""
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return True
            turn = threading.Event()
            self._waiting.setdefault(client, deque()).append(turn)
        if turn.wait(timeout):
            return True
        with self._guard:
            if turn.is_set():
                return True
            self._waiting[client].remove(turn)
            if not self._waiting[client]:
                del self._waiting[client]
            return False

    def release(self) -> None:
        """Hand the lock to the next client."""
        with self._guard:
            client = next(iter(self._waiting), None)
            if client is None:
                self._is_held = False
                return
            turns = self._waiting.pop(client)
            turns.popleft().set()
            if turns:
                self._waiting[client] = turns


_lock = FairLock()


class _Holder:
    """One thread that may hold the lock."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._thread = threading.get_ident()
        self._holds = False

    def acquire(self) -> None:
        self._holds = _lock.acquire(self._client, LOCK_TIMEOUT_SECONDS)

    def release(self) -> None:
        if self._holds:
            self._holds = False
            _lock.release()

    def holds_in_this_thread(self) -> bool:
        """Whether the current thread holds the lock; a context variable is copied into other threads."""
        return self._holds and self._thread == threading.get_ident()


_holder: ContextVar[_Holder | None] = ContextVar("paiview_script_lock", default=None)


@contextmanager
def hold(client: str = "") -> Iterator[None]:
    """Run with the lock, or without it after ``LOCK_TIMEOUT_SECONDS``.

    Args:
        client: whose script it is.
    """
    holder = _Holder(client)
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

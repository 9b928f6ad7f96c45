"""Snapshots shared by all sessions: each read once, refreshed behind the readers' backs, the last good one kept."""

import copy
import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar, cast

from paiview.pai.errors import (
    AccessKeyError,
    DeadlineError,
    ExpiredTokenError,
    NotFoundError,
    PaiviewError,
    PermissionDeniedError,
)
from paiview.pai.paging import Progress

PATIENCE: Final = 10
"""A snapshot older than this many times to live is too old to be shown at once: its reader waits for a newer one."""
FAILURE_MEMORY: Final = 10.0
"""Seconds in which a failed read is not tried again."""
REFRESHES: Final = 4
"""Reads under way beyond which no refresh is begun behind a reader's back; a later reader begins it."""
PROGRESS_INTERVAL: Final = 0.1
"""Seconds between two reports of progress to a reader who waits."""
WITHDRAWN: Final = (NotFoundError, PermissionDeniedError, AccessKeyError)
"""Errors after which the last good snapshot is dropped: it is gone, or may not be seen any more."""

Key = tuple[Hashable, ...]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """What the service answered at one moment.

    Attributes:
        fetched_at: when it was read, UTC.
        failure: why it is not newer: the last attempt to read it again failed with this. ``None`` when none failed.
    """

    fetched_at: datetime
    failure: PaiviewError | None = None

    @property
    def size(self) -> int:
        """What it counts towards the bound of the cache."""
        return 1


SnapshotT = TypeVar("SnapshotT", bound=Snapshot)


class Missed(NamedTuple):
    """What a reader could not have, or not newer: how it is read, why that failed, and when by the cache's clock."""

    load: Callable[[Progress], Snapshot]
    error: PaiviewError
    at: float


@dataclass
class Reader:
    """Somebody who waits for all that one page, or one answer, needs.

    Attributes:
        waited: seconds waited in vain: for reads that failed, or since they last came nearer.
        missed: what was not to be had and may be later, by key.
    """

    waited: float = 0.0
    missed: dict[Key, Missed] = field(default_factory=dict)


_reader: ContextVar[Reader | None] = ContextVar("paiview_reader", default=None)


@contextmanager
def reading() -> Iterator[Reader]:
    """Read as one reader: all reads of this context share their patience (see ``Cache``)."""
    reader = Reader()
    token = _reader.set(reader)
    try:
        yield reader
    finally:
        _reader.reset(token)


def missed() -> Mapping[Key, Missed]:
    """What the reader of this context missed so far."""
    reader = _reader.get()
    return {} if reader is None else reader.missed


class _Kept(NamedTuple):
    snapshot: Snapshot
    read_at: float
    wanted: bool = False


class _Failed(NamedTuple):
    error: PaiviewError
    until: float


@dataclass
class _Flight:
    """One read under way, and how it ended: with a snapshot, else with the error."""

    done: int = 0
    total: int = 0
    finished: threading.Event = field(default_factory=threading.Event)
    snapshot: Snapshot | None = None
    error: Exception = field(default_factory=lambda: RuntimeError("A read broke off; the server's log says why."))

    def report(self, done: int, total: int) -> None:
        self.done, self.total = done, total


class Cache:
    """Keeps the newest snapshot of each key, for all threads.

    - A key is read by one thread at a time, a thread of its own; whoever needs the result waits for that one.
    - Within its time to live a snapshot is given as it is. After that it is still given at once, while a newer one is
      read; past ``PATIENCE`` times to live the reader waits.
    - When a read fails, the last good snapshot is given with the ``failure``, except after an error of ``WITHDRAWN``
      (an expired token takes no right away). Without one the error is raised. For ``FAILURE_MEMORY`` seconds nothing
      is asked again.
    - Snapshots not read for longest are dropped when all together are larger than ``bound``; the newest one never is.
    - A ``Reader`` waits ``patience`` seconds in all for what does not come. After that each read gives what is there,
      or fails at once, and goes on behind. Who reads without one waits for the end of each read.

    Args:
        bound: the sum of the sizes of the snapshots kept.
        clock: seconds that only grow.
        patience: seconds.
    """

    def __init__(self, bound: int, clock: Callable[[], float] = time.monotonic, *, patience: float = math.inf) -> None:
        self._bound = bound
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._failed: dict[Key, _Failed] = {}
        self._flights: dict[Key, _Flight] = {}

    def get(
        self,
        key: Key,
        load: Callable[[Progress], SnapshotT],
        *,
        ttl: float,
        progress: Progress | None = None,
        longest: float = math.inf,
        oldest: float | None = None,
    ) -> SnapshotT:
        """Give the snapshot of a key.

        Args:
            key: what is read, and for whom.
            load: reads it, in another thread; told where to report progress.
            ttl: seconds a snapshot is fresh; with 0 every call reads.
            progress: told how far the read is (0 of 0 while that is not known), in the caller's thread, every
                ``PROGRESS_INTERVAL`` while it waits. What it raises ends the waiting, not the read.
            longest: seconds a ``Reader`` waits in vain for this at most.
            oldest: seconds after which a reader waits for a newer one; by default ``PATIENCE`` times to live.

        Raises:
            PaiviewError: it could not be read, and there is no last good snapshot.
        """
        reader = _reader.get()
        oldest = ttl * PATIENCE if oldest is None else oldest
        found = self._read(key, load, ttl, progress, reader, longest, oldest)
        failure = found.failure if isinstance(found, Snapshot) else found
        if reader is not None and isinstance(failure, PaiviewError) and (failure.retryable or failure is not found):
            reader.missed[key] = Missed(load, failure, self._clock())
        if isinstance(found, Exception):
            raise copy.copy(found) from found
        return cast("SnapshotT", found)

    def _read(
        self,
        key: Key,
        load: Callable[[Progress], Snapshot],
        ttl: float,
        progress: Progress | None,
        reader: Reader | None,
        longest: float,
        oldest: float,
    ) -> Snapshot | Exception:
        """The snapshot to give, else the error to raise."""
        with self._lock:
            now = self._clock()
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
            failed = self._failed.get(key)
            if failed is not None and now < failed.until:
                return kept.snapshot if kept else failed.error
            if kept is not None and not kept.wanted:
                age = now - kept.read_at
                fresh = age < ttl and kept.snapshot.failure is None
                if fresh or age < oldest:
                    if not fresh and key not in self._flights and len(self._flights) < REFRESHES:
                        self._start(key, load)
                    return kept.snapshot
            flight = self._flights.get(key) or self._start(key, load)
        if self._wait(flight, progress, reader, longest):
            return flight.snapshot or flight.error
        late = DeadlineError(f"No answer came within {min(longest, self._patience):g} s; reading goes on.")
        return late if kept is None else cast("Snapshot", replace(cast("Any", kept.snapshot), failure=late))

    def _wait(self, flight: "_Flight", progress: Progress | None, reader: Reader | None, longest: float) -> bool:
        """Wait for the end of a read; gives whether it came before the reader's patience ended."""
        left = math.inf if reader is None else min(self._patience - reader.waited, longest)
        nearer_at, nearer = self._clock(), (flight.done, flight.total)
        while left > 0 and not flight.finished.wait(PROGRESS_INTERVAL):
            if progress is not None:
                progress(flight.done, flight.total)
            if nearer != (flight.done, flight.total):
                nearer_at, nearer = self._clock(), (flight.done, flight.total)
            if self._clock() - nearer_at >= left:
                break
        if reader is not None and (flight.snapshot is None or flight.snapshot.failure is not None):
            reader.waited += self._clock() - nearer_at
        return flight.finished.is_set()

    def changed(self, missed: Mapping[Key, Missed]) -> bool:
        """Whether something of what a reader missed would be answered otherwise by now.

        What is still missing is read again, once its failure may be forgotten; nobody waits for it.
        """
        with self._lock:
            now = self._clock()
            for key, (load, error, at) in missed.items():
                kept, failed = self._kept.get(key), self._failed.get(key)
                if kept is not None and kept.read_at > at:
                    return True
                if failed is not None and type(failed.error) is not type(error):
                    return True
                idle = key not in self._flights and (failed is None or now >= failed.until)
                if idle and len(self._flights) < REFRESHES:
                    self._start(key, load)
        return False

    def held(self) -> list[tuple[str, float]]:
        """The first part of the key of each snapshot kept, and when it was read by the clock."""
        with self._lock:
            return [(str(key[0]), kept.read_at) for key, kept in self._kept.items()]

    def under_way(self) -> list[str]:
        """The first part of the key of each read under way."""
        with self._lock:
            return [str(key[0]) for key in self._flights]

    def last_good(self, key: Key) -> Snapshot | None:
        """The snapshot kept for a key, however old."""
        with self._lock:
            kept = self._kept.get(key)
        return kept.snapshot if kept else None

    def refresh(self, key: Key) -> None:
        """Let the next reader of a key wait for a new read, or for the one under way; forget its failure."""
        with self._lock:
            self._failed.pop(key, None)
            kept = self._kept.get(key)
            if kept is not None:
                self._kept[key] = kept._replace(wanted=True)

    def _start(self, key: Key, load: Callable[[Progress], Snapshot]) -> _Flight:
        flight = _Flight()
        threading.Thread(target=self._fly, args=(key, load, flight), name="paiview-read", daemon=True).start()
        self._flights[key] = flight
        return flight

    def _fly(self, key: Key, load: Callable[[Progress], Snapshot], flight: _Flight) -> None:
        try:
            snapshot = load(flight.report)
        except PaiviewError as error:
            _LOG.warning("Reading %s failed: %s (RequestId %s)", key[0], error, error.request_id)
            flight.error = error
            with self._lock:
                flight.snapshot = self._keep_failure(key, error)
        else:
            flight.snapshot = snapshot
            with self._lock:
                self._keep(key, snapshot)
        finally:
            with self._lock:
                del self._flights[key]
            flight.finished.set()

    def _keep(self, key: Key, snapshot: Snapshot) -> None:
        self._failed.pop(key, None)
        self._kept[key] = _Kept(snapshot, self._clock())
        self._kept.move_to_end(key)
        held = sum(kept.snapshot.size for kept in self._kept.values())
        while held > self._bound and len(self._kept) > 1:
            held -= self._kept.popitem(last=False)[1].snapshot.size

    def _keep_failure(self, key: Key, error: PaiviewError) -> Snapshot | None:
        """Remember a failure; gives the last good snapshot with it, ``None`` when there is none to show."""
        now = self._clock()
        self._failed = {other: failed for other, failed in self._failed.items() if now < failed.until}
        self._failed[key] = _Failed(error, now + FAILURE_MEMORY)
        kept = self._kept.get(key)
        if kept is None:
            return None
        if isinstance(error, WITHDRAWN) and not isinstance(error, ExpiredTokenError):
            del self._kept[key]
            return None
        snapshot = replace(cast("Any", kept.snapshot), failure=error)
        self._kept[key] = _Kept(snapshot, kept.read_at)
        return cast("Snapshot", snapshot)

"""Snapshots shared by all sessions: each read once, refreshed behind the readers' backs, the last good one kept."""

import copy
import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

from paiview.pai.errors import (
    AccessKeyError,
    DeadlineError,
    ExpiredTokenError,
    NotFoundError,
    PaiviewError,
    PermissionDeniedError,
)
from paiview.pai.paging import Progress
from paiview.registry.clock import seconds, utc
from paiview.registry.shared_format import Head, UnreadableError, is_common, name_of
from paiview.registry.snapshots import Snapshot

if TYPE_CHECKING:
    from paiview.registry.shared_store import Lease, Seen, Shared

PATIENCE: Final = 10
"""A snapshot older than this many times to live is too old to be shown at once: its reader waits for a newer one."""
FAILURE_MEMORY: Final = 10.0
"""Seconds in which a failed read is not tried again."""
REFRESHES: Final = 4
"""Reads behind the readers' backs at a time; beyond them a later reader begins one. Those that are waited for do not
count: what hangs of one kind must not keep another from being refreshed."""
READS: Final = 256
"""Reads under way, each a thread of its own; beyond them nothing is begun: a service that hangs ends each one late."""
PROGRESS_INTERVAL: Final = 0.1
"""Seconds between two reports of progress to a reader who waits."""
WITHDRAWN: Final = (NotFoundError, PermissionDeniedError, AccessKeyError)
"""Errors after which the last good snapshot is dropped: it is gone, or may not be seen any more."""

Key = tuple[Hashable, ...]

_LOG = logging.getLogger(__name__)


_WRITTEN: Final = -math.inf
"""Asked for because another process has written something: however old that is, it is the newest."""

SnapshotT = TypeVar("SnapshotT", bound=Snapshot)


class Query(NamedTuple):
    """How something is read.

    Attributes:
        load: reads it from the service; told where to report progress.
        ttl: seconds a snapshot is fresh.
        oldest: seconds after which a reader waits for a newer one.
        kind: what comes, where other processes share it.
    """

    load: Callable[[Progress], Snapshot]
    ttl: float
    oldest: float
    kind: type[Snapshot] | None


class Missed(NamedTuple):
    """What a reader could not have, or not newer: how it is read, why that failed, and when by the cache's clock."""

    query: Query
    error: PaiviewError
    at: float


@dataclass
class Reader:
    """Somebody who waits for all that one page, or one answer, needs.

    Attributes:
        waited: seconds waited in vain: for reads that failed, or since they last came nearer.
        missed: what was not to be had and may be later, by key.
        while_waiting: entered for each wait, such as to release a lock meanwhile.
    """

    while_waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    waited: float = 0.0
    missed: dict[Key, Missed] = field(default_factory=dict)


_reader: ContextVar[Reader | None] = ContextVar("paiview_reader", default=None)


@contextmanager
def reading(while_waiting: Callable[[], AbstractContextManager[None]] = nullcontext) -> Iterator[Reader]:
    """Read as one reader: all reads of this context share their patience (see ``Cache``).

    Args:
        while_waiting: entered for each wait, such as to release a lock meanwhile.
    """
    reader = Reader(while_waiting)
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
    """A snapshot, when the read of it began by the clock, and when somebody asked for a newer one."""

    snapshot: Snapshot
    read_at: float
    wanted: float | None = None


class _Failed(NamedTuple):
    error: PaiviewError
    until: float


@dataclass
class _Flight:
    """One read under way, begun behind the readers' backs or not, and how it ended: with a snapshot, or the error.

    ``read_at`` is when by the clock what it gave was read, from the service or by another process.
    """

    behind: bool
    done: int = 0
    total: int = 0
    finished: threading.Event = field(default_factory=threading.Event)
    snapshot: Snapshot | None = None
    read_at: float = -math.inf
    error: Exception = field(default_factory=lambda: RuntimeError("A read broke off; the server's log says why."))

    def report(self, done: int, total: int) -> None:
        self.done, self.total = done, total


class Cache:
    """Keeps the newest snapshot of each key, for all threads.

    - A key is read by one thread at a time, a thread of its own; whoever needs the result waits for that one, and for
      another where it began too early. Ages count from the begin of a read: what was edited during it may not be in it.
    - Within its time to live a snapshot is given as it is. After that it is still given at once, while a newer one is
      read; past ``PATIENCE`` times to live the reader waits.
    - When a read fails, the last good snapshot is given with the ``failure``, except after an error of ``WITHDRAWN``
      (an expired token takes no right away). Without one the error is raised. For ``FAILURE_MEMORY`` seconds nothing
      is asked again.
    - Snapshots not read for longest are dropped when all together are larger than ``bound``; the newest one never is.
    - A ``Reader`` waits ``patience`` seconds in all for what does not come. After that each read gives what is there,
      or fails at once, and goes on behind. Who reads without one waits for the end of each read.
    - All this holds for the processes that share their snapshots together: one of them reads, the others take what it
      read, with its age, or its failure. Without the server between them each goes on by itself. A failure that is of
      one process alone (``is_common``) is its own affair; when its access key is refused, it takes nothing any more
      that was read before.

    Args:
        bound: the sum of the sizes of the snapshots kept.
        clock: seconds that only grow.
        now: the time of day, UTC.
        patience: seconds.
        shared: the snapshots of other processes.
    """

    def __init__(
        self,
        bound: int,
        clock: Callable[[], float] = seconds,
        *,
        now: Callable[[], datetime] = utc,
        patience: float = math.inf,
        shared: "Shared | None" = None,
    ) -> None:
        self._bound = bound
        self._patience = patience
        self._clock = clock
        self._now = now
        self._shared = shared
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._failed: dict[Key, _Failed] = {}
        self._flights: dict[Key, _Flight] = {}
        self._refused_at = -math.inf
        if shared is not None:
            shared.listen(self._written)

    def get(
        self,
        key: Key,
        load: Callable[[Progress], SnapshotT],
        *,
        ttl: float,
        progress: Progress | None = None,
        longest: float = math.inf,
        oldest: float | None = None,
        kind: type[SnapshotT] | None = None,
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
            kind: what ``load`` gives, where other processes share it.

        Raises:
            PaiviewError: it could not be read, and there is no last good snapshot.
        """
        reader = _reader.get()
        query = Query(load, ttl, ttl * PATIENCE if oldest is None else oldest, kind)
        asked_at = self._clock()
        while (found := self._read(key, query, progress, reader, longest, asked_at)) is None:
            pass
        failure = found.failure if isinstance(found, Snapshot) else found
        if reader is not None and isinstance(failure, PaiviewError) and (failure.retryable or failure is not found):
            reader.missed[key] = Missed(query, failure, self._clock())
        if isinstance(found, Exception):
            raise copy.copy(found)
        return cast("SnapshotT", found)

    def _read(
        self,
        key: Key,
        query: Query,
        progress: Progress | None,
        reader: Reader | None,
        longest: float,
        asked_at: float,
    ) -> Snapshot | Exception | None:
        """The snapshot to give or the error to raise; ``None`` where the read under way had begun too early."""
        with self._lock:
            now = self._clock()
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
            failed = self._failed.get(key)
            if failed is not None and now < failed.until:
                return kept.snapshot if kept else failed.error
            if kept is not None and kept.wanted is None:
                age = now - kept.read_at
                fresh = age < query.ttl and kept.snapshot.failure is None
                if fresh or age < query.oldest:
                    if not fresh:
                        self._refresh_behind(key, query)
                    return kept.snapshot
            under_way = self._flights.get(key)
            is_full = under_way is None and len(self._flights) >= READS
            flight = None if is_full else under_way or self._start(key, query)
        if flight is None:
            late = DeadlineError(f"{READS} reads wait for the service; no more are begun.")
        elif self._wait(flight, progress, reader, longest):
            if under_way is not None and self._began_too_early(key, query, under_way, asked_at):
                return None
            return flight.snapshot or flight.error
        else:
            late = DeadlineError(f"No answer came within {min(longest, self._patience):g} s; reading goes on.")
        return late if kept is None else cast("Snapshot", replace(cast("Any", kept.snapshot), failure=late))

    def _began_too_early(self, key: Key, query: Query, flight: _Flight, asked_at: float) -> bool:
        """Whether a read that somebody else had begun gave what is too old for who asked, or for a wish since."""
        if flight.snapshot is None or flight.snapshot.failure is not None:
            return False
        longest = max(query.ttl, query.oldest)
        with self._lock:
            kept = self._kept.get(key)
            return bool(kept and kept.wanted is not None) or 0 < longest <= asked_at - flight.read_at

    def _wait(self, flight: "_Flight", progress: Progress | None, reader: Reader | None, longest: float) -> bool:
        """Wait for the end of a read; gives whether it came before the reader's patience ended."""
        left = math.inf if reader is None else min(self._patience - reader.waited, longest)
        nearer_at, nearer = self._clock(), (flight.done, flight.total)
        with nullcontext() if reader is None else reader.while_waiting():
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
            for key, (query, error, at) in missed.items():
                kept, failed = self._kept.get(key), self._failed.get(key)
                if kept is not None and kept.read_at > at:
                    return True
                if failed is not None and type(failed.error) is not type(error):
                    return True
                if failed is None or now >= failed.until:
                    self._refresh_behind(key, query)
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
            now = self._clock()
            failed = self._failed.get(key)
            if failed is not None:
                self._failed[key] = failed._replace(until=now)
            kept = self._kept.get(key)
            if kept is not None:
                self._kept[key] = kept._replace(wanted=now)

    def _written(self, name: str, fetched_at: str) -> None:
        """Let the next reader wait for a snapshot that another process has written: it is there."""
        with self._lock:
            for key, kept in self._kept.items():
                if name_of(key) == name and kept.wanted is None and kept.snapshot.fetched_at.isoformat() != fetched_at:
                    self._kept[key] = kept._replace(wanted=_WRITTEN)

    def _refresh_behind(self, key: Key, query: Query) -> None:
        """Begin a read that nobody waits for, unless it is under way or there are many of them."""
        if key not in self._flights and sum(flight.behind for flight in self._flights.values()) < REFRESHES:
            self._start(key, query, behind=True)

    def _start(self, key: Key, query: Query, *, behind: bool = False) -> _Flight:
        flight = _Flight(behind)
        threading.Thread(target=self._fly, args=(key, query, flight), name="paiview-read", daemon=True).start()
        self._flights[key] = flight
        return flight

    def _fly(self, key: Key, query: Query, flight: _Flight) -> None:
        begun, stale = self._clock(), False
        with ExitStack() as later:
            try:
                found, read_at = self._obtain(key, query, flight, later)
                if isinstance(found, Snapshot):
                    flight.snapshot, flight.read_at = found, read_at
                    with self._lock:
                        kept = self._kept.get(key)
                        wanted = kept.wanted if kept is not None else None
                        self._keep(key, found, read_at, wanted if wanted is not None and wanted > read_at else None)
                        stale = read_at < begun and self._clock() - read_at >= query.ttl
                else:
                    _LOG.warning("Reading %s failed: %s (RequestId %s)", key[0], found, found.request_id)
                    flight.error = found
                    with self._lock:
                        flight.snapshot = self._keep_failure(key, found, read_at)
            finally:
                with self._lock:
                    del self._flights[key]
                    # First, for those who wait: a process without a thread to spare cannot begin another read.
                    flight.finished.set()
                    if stale:
                        self._start(key, query, behind=True)

    def _obtain(
        self, key: Key, query: Query, flight: _Flight, later: ExitStack
    ) -> tuple[Snapshot | PaiviewError, float]:
        """What a read gives, and when that was by the clock: from the service, or from another process.

        Args:
            key: what is read.
            query: how.
            flight: the read.
            later: what the other processes wait for and no reader of this one does.
        """
        shared, kind = self._shared, query.kind
        if shared is None or kind is None:
            return self._load(query, flight)
        name, begun, result = name_of(key), self._clock(), "hit"

        def read(head: Head, last: Snapshot | None) -> Snapshot:
            return kind.of(head, partial(shared.content, name, head.identity), last)

        while True:
            # The lease comes first, so that nothing is written between looking and reading.
            lease = shared.lease(name)
            if lease is not None:
                later.callback(lease.release)
            seen = shared.look(name)
            try:
                taken = self._taken(key, query, seen, read, begun, leads=lease is not None)
            except UnreadableError as error:
                if lease is not None:
                    # Without it another process may have written between the look and the reading.
                    shared.drop(name, error)
                seen = seen._replace(head=None)
                taken = None
            if taken is not None:
                shared.tell(result)
                return taken
            if lease is not None:
                shared.tell("miss")
                lease.renew(lambda: (flight.done, flight.total))
                found, read_at = self._load(query, flight)
                later.callback(self._tell, lease, found, read_at, seen.head.identity if seen.head else None)
                return found, read_at
            result = "wait"
            flight.report(*seen.progress)
            shared.pause()

    def _load(self, query: Query, flight: _Flight) -> tuple[Snapshot | PaiviewError, float]:
        """What the service gives, and when that read began, or failed."""
        begun = self._clock()
        try:
            return query.load(flight.report), begun
        except PaiviewError as error:
            # What is kept of it must not hold the frames it was raised in, and with them the snapshots read before.
            error.__context__ = error.__cause__ = None
            return error.with_traceback(None), self._clock()

    def _tell(self, lease: "Lease", found: Snapshot | PaiviewError, read_at: float, known: str | None) -> None:
        """Give the other processes what was read."""
        if isinstance(found, Snapshot):
            lease.write(found.head(), found.content, known, age=self._clock() - read_at)
        elif is_common(found):
            lease.fail(found, FAILURE_MEMORY, withdrawn=_withdraws(found))

    def _taken(
        self,
        key: Key,
        query: Query,
        seen: "Seen",
        read: Callable[[Head, Snapshot | None], Snapshot],
        begun: float,
        *,
        leads: bool,
    ) -> tuple[Snapshot | PaiviewError, float] | None:
        """What another process read, where that saves this one the read; else the snapshot is kept as the last good.

        Args:
            key: what is read.
            query: how.
            seen: what is there.
            read: makes the snapshot of its head.
            begun: when this process began to look.
            leads: whether this process is the one to read.

        Raises:
            UnreadableError: it is not to be read.
        """
        with self._lock:
            now = self._clock()
            kept, failed = self._kept.get(key), self._failed.get(key)
        wanted = -math.inf if kept is None or kept.wanted is None else kept.wanted
        failed_at = now + seen.remaining - FAILURE_MEMORY
        # One that is to be remembered for longer is from before the store's clock was set back.
        known = seen.remaining > FAILURE_MEMORY or failed_at <= max(wanted, failed.until if failed else -math.inf)
        failure = None if known else seen.failure
        read_at = now - seen.age
        head = seen.head if read_at > self._refused_at else None
        newer = kept is None or (
            head is not None
            and head.fetched_at != kept.snapshot.fetched_at
            and (read_at > kept.read_at or kept.wanted == _WRITTEN)
        )
        if head is not None and newer:
            # A listing may take longer than its time to live: its age when this one was asked for counts.
            age = begun - read_at
            usable = age < query.ttl or (kept is None and age < query.oldest)
            # Without a time to live what came since will do.
            usable = usable or (not query.ttl and age <= seen.took)
            if usable or leads or failure is not None:
                written = read(head, kept.snapshot if kept else None)
                try:
                    snapshot = written.dated(self._now() - timedelta(seconds=seen.age))
                except OverflowError as error:
                    raise UnreadableError("it is dated out of all time") from error
                if usable and read_at - (written.fetched_at - written.complete_at).total_seconds() >= wanted:
                    return snapshot, read_at
                with self._lock:
                    self._keep(key, snapshot, read_at, kept.wanted if kept else None)
        elif kept is not None and kept.wanted == _WRITTEN and now - kept.read_at < query.ttl and failure is None:
            return kept.snapshot, kept.read_at  # Of what was written since, nothing is newer, or it is gone.
        return None if failure is None else (failure, failed_at)

    def _keep(self, key: Key, snapshot: Snapshot, read_at: float, wanted: float | None = None) -> None:
        self._failed.pop(key, None)
        self._kept[key] = _Kept(snapshot, read_at, wanted)
        self._kept.move_to_end(key)
        held = sum(kept.snapshot.size for kept in self._kept.values())
        while held > self._bound and len(self._kept) > 1:
            held -= self._kept.popitem(last=False)[1].snapshot.size

    def _keep_failure(self, key: Key, error: PaiviewError, failed_at: float) -> Snapshot | None:
        """Remember a failure; gives the last good snapshot with it, ``None`` when there is none to show."""
        now = self._clock()
        self._failed = {other: failed for other, failed in self._failed.items() if now < failed.until}
        self._failed[key] = _Failed(error, failed_at + FAILURE_MEMORY)
        if _withdraws(error) and not is_common(error):
            self._refused_at = failed_at
        kept = self._kept.get(key)
        if kept is None:
            return None
        if _withdraws(error):
            del self._kept[key]
            return None
        snapshot = replace(cast("Any", kept.snapshot), failure=error)
        self._kept[key] = _Kept(snapshot, kept.read_at)
        return cast("Snapshot", snapshot)


def _withdraws(error: PaiviewError) -> bool:
    """Whether what was read before is not to be shown any more."""
    return isinstance(error, WITHDRAWN) and not isinstance(error, ExpiredTokenError)

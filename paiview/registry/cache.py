"""Snapshots shared by all threads of a process: each read once, refreshed in the background, the last good one kept."""

import copy
import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from paiview.pai.errors import (
    AccessKeyError,
    DeadlineError,
    ExpiredTokenError,
    NotFoundError,
    PaiviewError,
    PermissionDeniedError,
)
from paiview.pai.paging import Progress
from paiview.pai.transport import counted_requests
from paiview.registry.budget import NO_LIMIT, Budget, BudgetError
from paiview.registry.clock import seconds
from paiview.registry.snapshots import Snapshot

MAX_STALE_TTLS: Final = 10
"""A snapshot older than this many times its TTL is not shown while a newer one is read: its reader waits."""
FAILURE_MEMORY_SECONDS: Final = 10.0
"""A failed read is not repeated for this long."""
MAX_BACKGROUND_READS: Final = 4
"""Reads at a time that no reader waits for. Reads with a waiting reader do not count, so that a kind of request that
hangs does not keep other snapshots from being refreshed."""
FILTERED_SHARE: Final = 0.25
"""How much of the bound the snapshots of filters may take up: readers can ask for any number of them."""
ABANDONED_SECONDS: Final = 30.0
MAX_READS: Final = 256
"""Reads at a time, each in its own thread. When the service hangs, every read ends late and their number would grow."""
PROGRESS_INTERVAL_SECONDS: Final = 0.1
"""Between two progress reports to a waiting reader."""
WITHDRAWING_ERRORS: Final = (NotFoundError, PermissionDeniedError, AccessKeyError)
"""Errors that drop the last good snapshot: the data is gone, or this credential may no longer see it."""

Key = tuple[Hashable, ...]
SnapshotT = TypeVar("SnapshotT", bound=Snapshot)
SnapshotT_co = TypeVar("SnapshotT_co", bound=Snapshot, covariant=True)

_LOG = logging.getLogger(__name__)


class Loaded(NamedTuple, Generic[SnapshotT_co]):
    """How a load ended.

    Attributes:
        result: the snapshot, or the error.
        at: when the load of the snapshot began, or when it failed, by the cache's clock.
    """

    result: SnapshotT_co | PaiviewError
    at: float


class Query(NamedTuple):
    """How a key is read; see ``Cache.get``."""

    load: Callable[[Progress], Snapshot | Loaded[Snapshot]]
    ttl: float
    max_age: float


class Missed(NamedTuple):
    """A read that failed for a reader: how to read it again, the error, and when it failed by the cache's clock."""

    query: Query
    error: PaiviewError
    at: float


@dataclass
class Reader:
    """One page or one API response: its reads share one limit of waiting time.

    Attributes:
        while_waiting: entered during each wait, for example to release a lock.
        client: who pays for the reads.
        waited_seconds: waiting time used up: for reads that failed, and since the last progress of reads not finished.
        missed: reads that failed and may succeed later, by key.
    """

    while_waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    client: str = ""
    waited_seconds: float = 0.0
    missed: dict[Key, Missed] = field(default_factory=dict)


_reader: ContextVar[Reader | None] = ContextVar("paiview_reader", default=None)


@contextmanager
def reading(
    while_waiting: Callable[[], AbstractContextManager[None]] = nullcontext, client: str = ""
) -> Iterator[Reader]:
    """Let all reads of this context share one limit of waiting time (``Cache(reader_wait_seconds=)``).

    Args:
        while_waiting: entered during each wait, for example to release a lock.
        client: who pays for the reads.
    """
    reader = Reader(while_waiting, client)
    token = _reader.set(reader)
    try:
        yield reader
    finally:
        _reader.reset(token)


def missed() -> Mapping[Key, Missed]:
    """What the reader of this context has missed so far."""
    reader = _reader.get()
    return {} if reader is None else reader.missed


def _client() -> str:
    """Who pays for the reads of this context."""
    reader = _reader.get()
    return "" if reader is None else reader.client


def attempt(
    load: Callable[[Progress], SnapshotT | Loaded[SnapshotT]], report: Progress, clock: Callable[[], float]
) -> Loaded[SnapshotT]:
    """Load, and return the snapshot or the error with its time."""
    begun_at = clock()
    try:
        result = load(report)
        return result if isinstance(result, Loaded) else Loaded(result, begun_at)
    except PaiviewError as error:
        # The cache keeps the error: without its frames, which refer to the snapshots read before.
        error.__context__ = error.__cause__ = None
        return Loaded(error.with_traceback(None), clock())


class Entry(NamedTuple):
    """A snapshot in the cache.

    Attributes:
        snapshot: the last good one.
        read_at: when the read of it began, by the cache's clock.
        wanted_since: a reader asked for one that is read at this moment or later.
        superseded: another process has a newer one, and no reader has asked for one since.
        used_at: when a reader last got it.
    """

    snapshot: Snapshot
    read_at: float
    wanted_since: float | None = None
    superseded: bool = False
    used_at: float = -math.inf

    @property
    def is_outdated(self) -> bool:
        """Whether the next reader waits for a read, whatever the age."""
        return self.wanted_since is not None or self.superseded


class _Failure(NamedTuple):
    error: PaiviewError
    until: float


@dataclass
class _Read:
    """A read under way in its own thread, and how it ended: with a snapshot or an error."""

    in_background: bool
    clock: Callable[[], float]
    wanted_at: float
    client: str
    readers: int = 0
    done: int = 0
    total: int = 0
    finished: threading.Event = field(default_factory=threading.Event)
    snapshot: Snapshot | None = None
    read_at: float = -math.inf
    error: Exception = field(default_factory=lambda: RuntimeError("A read broke off; the server's log says why."))

    @property
    def has_failed(self) -> bool:
        return self.snapshot is None or self.snapshot.failure is not None

    def report(self, done: int, total: int) -> None:
        """Note the progress.

        Raises:
            DeadlineError: no reader has waited for a while.
        """
        self.done, self.total = done, total
        is_wanted = self.in_background or self.readers > 0
        if not is_wanted and self.clock() - self.wanted_at > ABANDONED_SECONDS:
            raise DeadlineError("Nobody waited for this read any more.")


@dataclass
class _Wait:
    """One call of ``Cache.get``."""

    reader: Reader | None
    progress: Progress | None
    max_wait: float
    asked_at: float


class Cache:
    """Keeps the newest snapshot of each key, for all threads.

    - One thread reads a key at a time. Readers that need the result wait for it, and for the next read if it began too
      early for them. Ages count from the start of a read, because it may not contain later edits.
    - A snapshot younger than its TTL is returned as it is. An older one is returned too, while a newer one is read in
      the background. From ``MAX_STALE_TTLS`` times the TTL on, the reader waits.
    - When a read fails, the last good snapshot is returned with its ``failure``, except after ``WITHDRAWING_ERRORS``
      (but an expired token withdraws nothing). Without a snapshot the error is raised. The service is not asked again
      for ``FAILURE_MEMORY_SECONDS``.
    - When all snapshots together take more than ``bound`` bytes, or those of filters more than a share of it, those
      that were not used for longest are dropped, but never the newest one. What nobody has used for its
      ``expiry_seconds`` is dropped too.
    - A read that no reader has waited for since ``ABANDONED_SECONDS`` ends at its next page.
    - A ``Reader`` waits ``reader_wait_seconds`` in total for reads that make no progress. After that it gets the last
      good snapshot or a ``DeadlineError`` at once, and the reads continue. Without a ``Reader`` there is no limit.

    Args:
        bound: the memory of all snapshots, in bytes.
        clock: monotonic seconds.
        reader_wait_seconds: see above.
        budget: what each client may spend on reads; one that has spent it gets the last good snapshot or an error.
    """

    def __init__(
        self,
        bound: int,
        clock: Callable[[], float] = seconds,
        *,
        reader_wait_seconds: float = math.inf,
        budget: Budget = NO_LIMIT,
    ) -> None:
        self._bound = bound
        self._budget = budget
        self._reader_wait_seconds = reader_wait_seconds
        self._clock = clock
        # Guards all below, also from a decision about an entry or a read to the change that follows from it.
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._failures: dict[Key, _Failure] = {}
        self._reads: dict[Key, _Read] = {}

    def get(
        self,
        key: Key,
        load: Callable[[Progress], SnapshotT | Loaded[SnapshotT]],
        *,
        ttl: float,
        progress: Progress | None = None,
        max_wait: float = math.inf,
        max_age: float | None = None,
        asked_at: float | None = None,
    ) -> SnapshotT:
        """Return the snapshot of a key.

        Args:
            key: what is read, and with which credential.
            load: reads it, in another thread, and reports progress to its argument. It returns a ``Loaded`` if it knows
                better than the cache when that was read.
            ttl: seconds a snapshot is fresh; 0 reads at every call.
            progress: called with (pages done, pages in total) in the caller's thread, every
                ``PROGRESS_INTERVAL_SECONDS`` while it waits; (0, 0) while the total is unknown. An exception that it
                raises ends the wait, not the read.
            max_wait: seconds a ``Reader`` waits for this read at most.
            max_age: seconds after which a reader waits for a newer one; ``MAX_STALE_TTLS`` times the TTL by default.
            asked_at: when the reader asked, if that was earlier, from ``start``.

        Raises:
            PaiviewError: the read failed, and there is no last good snapshot.
        """
        query = Query(load, ttl, ttl * MAX_STALE_TTLS if max_age is None else max_age)
        wait = _Wait(_reader.get(), progress, max_wait, self._clock() if asked_at is None else asked_at)
        answer = None
        while answer is None:
            answer = self._answer(key, query, wait)
        failure = answer.failure if isinstance(answer, Snapshot) else answer
        if (
            wait.reader is not None
            and isinstance(failure, PaiviewError)
            and (failure.retryable or failure is not answer)
        ):
            wait.reader.missed[key] = Missed(query, failure, self._clock())
        if isinstance(answer, Exception):
            raise copy.copy(answer)
        return cast("SnapshotT", answer)

    def start(
        self,
        key: Key,
        load: Callable[[Progress], SnapshotT | Loaded[SnapshotT]],
        *,
        ttl: float,
        max_age: float,
    ) -> float:
        """Begin the read that ``get`` with these arguments would wait for, so that several go on at a time.

        Returns:
            when the reader asked, for ``get``.
        """
        query = Query(load, ttl, max_age)
        asked_at = self._clock()
        with self._lock:
            is_needed = self._answer_at_once(key, query, self._entries.get(key)) is None
            if is_needed and key not in self._reads and self._refusal() is None:
                self._start(key, query)
        return asked_at

    def changed(self, missed_reads: Mapping[Key, Missed]) -> bool:
        """Whether a read that a reader missed would end differently now.

        Reads whose failure may be forgotten are repeated in the background.
        """
        with self._lock:
            now = self._clock()
            for key, (query, error, at) in missed_reads.items():
                entry, failure = self._entries.get(key), self._failures.get(key)
                if entry is not None and entry.read_at > at:
                    return True
                if failure is not None and type(failure.error) is not type(error):
                    return True
                if failure is None or now >= failure.until:
                    self._refresh_in_background(key, query)
        return False

    def held(self) -> list[tuple[str, float]]:
        """The first part of the key of each snapshot, and when it was read by the clock."""
        with self._lock:
            return [(str(key[0]), entry.read_at) for key, entry in self._entries.items()]

    def under_way(self) -> list[str]:
        """The first part of the key of each read under way."""
        with self._lock:
            return [str(key[0]) for key in self._reads]

    def last_good(self, key: Key) -> Snapshot | None:
        """The snapshot of a key, however old."""
        entry, _ = self.state(key)
        return entry.snapshot if entry else None

    def state(self, key: Key) -> tuple[Entry | None, float]:
        """The last good snapshot of a key, and until when its last failure is remembered; -inf without a failure."""
        with self._lock:
            failure = self._failures.get(key)
            return self._entries.get(key), failure.until if failure else -math.inf

    def keep(self, key: Key, snapshot: Snapshot, read_at: float) -> None:
        """Keep a snapshot as the last good one; a reader that wants a newer one still waits."""
        with self._lock:
            entry = self._entries.get(key)
            kept = Entry(snapshot, read_at) if entry is None else entry._replace(snapshot=snapshot, read_at=read_at)
            self._put(key, kept)

    def refresh(self, key: Key) -> None:
        """Let the next reader of a key wait for a read that begins from now on, and forget its failure."""
        with self._lock:
            now = self._clock()
            failure = self._failures.get(key)
            if failure is not None:
                self._failures[key] = failure._replace(until=now)
            entry = self._entries.get(key)
            if entry is not None:
                self._entries[key] = entry._replace(wanted_since=now, superseded=False)

    def supersede(self, is_superseded: Callable[[Key, Snapshot], bool]) -> None:
        """Let the next readers of these snapshots wait for a read, because another process has newer ones."""
        with self._lock:
            for key, entry in self._entries.items():
                if not entry.is_outdated and is_superseded(key, entry.snapshot):
                    self._entries[key] = entry._replace(superseded=True)

    def _answer(self, key: Key, query: Query, wait: _Wait) -> Snapshot | Exception | None:
        """The snapshot to return or the error to raise; ``None`` if the read waited for began too early."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                entry = self._entries[key] = entry._replace(used_at=self._clock())
                self._entries.move_to_end(key)
            answer = self._answer_at_once(key, query, entry)
            if answer is not None:
                return answer
            under_way = self._reads.get(key)
            error = None if under_way else self._refusal()
            read = None if error else under_way or self._start(key, query)
        if read is not None and self._wait_for(read, wait):
            if under_way is not None and self._began_too_early(key, query, under_way, wait.asked_at):
                return None
            return read.snapshot or read.error
        if error is None:
            limit = min(wait.max_wait, self._reader_wait_seconds)
            error = DeadlineError(f"No answer came within {limit:g} s; the read continues.")
        return error if entry is None else _with_failure(entry.snapshot, error)

    def _refusal(self) -> PaiviewError | None:
        """Why no further read is started for the reader of this context, if none is; the caller holds the lock."""
        if len(self._reads) >= MAX_READS:
            return DeadlineError(f"{MAX_READS} reads wait for the service; no more are started.")
        try:
            self._budget.check(_client())
        except BudgetError as error:
            return error
        return None

    def _answer_at_once(self, key: Key, query: Query, entry: Entry | None) -> Snapshot | Exception | None:
        """The answer that needs no waiting, if there is one; the caller holds the lock."""
        now = self._clock()
        failure = self._failures.get(key)
        if failure is not None and now < failure.until:
            return entry.snapshot if entry else failure.error
        if entry is None or entry.is_outdated:
            return None
        age = now - entry.read_at
        if age < query.ttl and entry.snapshot.failure is None:
            return entry.snapshot
        if age < query.max_age:
            self._refresh_in_background(key, query)
            return entry.snapshot
        return None

    def _began_too_early(self, key: Key, query: Query, read: _Read, asked_at: float) -> bool:
        """Whether the result of another reader's read is too old for one who asked at that moment."""
        if read.has_failed:
            return False
        max_age = max(query.ttl, query.max_age)
        entry, _ = self.state(key)
        return (entry is not None and entry.is_outdated) or 0 < max_age <= asked_at - read.read_at

    def _wait_for(self, read: _Read, wait: _Wait) -> bool:
        """Wait for the end of a read; returns whether it ended before the reader's limit."""
        reader = wait.reader
        left = math.inf if reader is None else min(self._reader_wait_seconds - reader.waited_seconds, wait.max_wait)
        progressed_at, progress = self._clock(), (read.done, read.total)
        with self._counted(read), nullcontext() if reader is None else reader.while_waiting():
            while left > 0 and not read.finished.wait(PROGRESS_INTERVAL_SECONDS):
                if wait.progress is not None:
                    wait.progress(read.done, read.total)
                if progress != (read.done, read.total):
                    progressed_at, progress = self._clock(), (read.done, read.total)
                if self._clock() - progressed_at >= left:
                    break
        if reader is not None and read.has_failed:
            reader.waited_seconds += self._clock() - progressed_at
        return read.finished.is_set()

    @contextmanager
    def _counted(self, read: _Read) -> Iterator[None]:
        """Count a reader that waits for a read."""
        with self._lock:
            read.readers += 1
        try:
            yield
        finally:
            with self._lock:
                read.readers -= 1
                read.wanted_at = self._clock()

    def _refresh_in_background(self, key: Key, query: Query) -> None:
        """Start a read, unless one is under way or too many are in the background; the caller holds the lock."""
        in_background = sum(read.in_background for read in self._reads.values())
        if key not in self._reads and in_background < MAX_BACKGROUND_READS and self._refusal() is None:
            self._start(key, query, in_background=True)

    def _start(self, key: Key, query: Query, *, in_background: bool = False) -> _Read:
        """Start a read; the caller holds the lock, and the thread waits for it before it ends."""
        read = _Read(in_background, self._clock, self._clock(), _client())
        threading.Thread(target=self._run_read, args=(key, query, read), name="paiview-read", daemon=True).start()
        self._reads[key] = read
        return read

    def _run_read(self, key: Key, query: Query, read: _Read) -> None:
        begun_at = self._clock()
        is_stale = False
        try:
            with counted_requests() as requests:
                result, at = attempt(query.load, read.report, self._clock)
            with self._lock:
                self._budget.spend(read.client, requests.count)
                if isinstance(result, Snapshot):
                    read.snapshot, read.read_at = result, at
                    self._keep_success(key, result, at)
                    is_stale = at < begun_at and self._clock() - at >= query.ttl
                else:
                    _LOG.warning("Reading %s failed: %s (RequestId %s)", key[0], result, result.request_id)
                    read.error = result
                    read.snapshot = self._keep_failure(key, result, at)
        finally:
            with self._lock:
                del self._reads[key]
                # Before the start of another read, which fails in a process that cannot start another thread.
                read.finished.set()
                if is_stale:
                    self._start(key, query, in_background=True)

    def _keep_success(self, key: Key, snapshot: Snapshot, read_at: float) -> None:
        entry = self._entries.get(key)
        wanted_since = None if entry is None else entry.wanted_since
        if wanted_since is not None and wanted_since <= read_at:
            wanted_since = None
        self._put(key, Entry(snapshot, read_at, wanted_since))

    def _put(self, key: Key, entry: Entry) -> None:
        self._failures.pop(key, None)
        self._entries[key] = entry._replace(used_at=self._clock())
        self._entries.move_to_end(key)
        self._drop_expired()
        sizes = {each: kept.snapshot.memory_bytes for each, kept in self._entries.items()}
        filtered = sum(size for each, size in sizes.items() if self._entries[each].snapshot.is_filtered)
        total = sum(sizes.values())
        for other, size in sizes.items():
            if other == key:
                break
            is_filtered = self._entries[other].snapshot.is_filtered
            if total > self._bound or (is_filtered and filtered > self._bound * FILTERED_SHARE):
                del self._entries[other]
                total -= size
                filtered -= size if is_filtered else 0

    def drop_expired(self) -> None:
        """Drop what nobody has used for its ``expiry_seconds``, also where nothing new is read."""
        with self._lock:
            self._drop_expired()

    def _drop_expired(self) -> None:
        now = self._clock()
        for key, entry in [*self._entries.items()]:
            if now - entry.used_at > entry.snapshot.expiry_seconds:
                del self._entries[key]

    def _keep_failure(self, key: Key, error: PaiviewError, failed_at: float) -> Snapshot | None:
        """Remember a failure; returns the last good snapshot with it, ``None`` if there is none to show."""
        now = self._clock()
        self._failures = {other: failure for other, failure in self._failures.items() if now < failure.until}
        self._failures[key] = _Failure(error, failed_at + FAILURE_MEMORY_SECONDS)
        entry = self._entries.get(key)
        if entry is None:
            return None
        if withdraws(error):
            del self._entries[key]
            return None
        snapshot = _with_failure(entry.snapshot, error)
        self._entries[key] = entry._replace(snapshot=snapshot, wanted_since=None, superseded=False)
        return snapshot


def withdraws(error: PaiviewError) -> bool:
    """Whether the last good snapshot must no longer be shown after this error."""
    return isinstance(error, WITHDRAWING_ERRORS) and not isinstance(error, ExpiredTokenError)


def _with_failure(snapshot: Snapshot, error: PaiviewError) -> Snapshot:
    return cast("Snapshot", replace(cast("Any", snapshot), failure=error))

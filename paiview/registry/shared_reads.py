"""Loads that several processes share: one of them reads, the others take what it wrote to the store."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, NamedTuple, TypeVar, cast

from paiview.pai.errors import AccessKeyError
from paiview.pai.paging import Progress
from paiview.registry.cache import FAILURE_MEMORY_SECONDS, Cache, Entry, Key, Loaded, attempt, withdraws
from paiview.registry.clock import seconds, utc
from paiview.registry.shared_format import (
    Head,
    UnreadableError,
    body_of,
    concerns_all_processes,
    head_of,
    query_name,
    snapshot_from,
)
from paiview.registry.shared_store import Lease, SharedStore, StoredState
from paiview.registry.snapshots import Snapshot, VersionsSnapshot

SnapshotT = TypeVar("SnapshotT", bound=Snapshot)


class _Request(NamedTuple, Generic[SnapshotT]):
    """The arguments of ``SharedReads.once``, and the name of the query in the store."""

    key: Key
    name: str
    load: Callable[[Progress], SnapshotT]
    kind: type[SnapshotT]
    ttl: float
    max_age: float


class SharedReads:
    """Wraps the loads of a cache, so that each is done once for all processes that share a store.

    - One process reads, with a lease; the others wait for what it writes, with its age, or for its failure.
    - When another process has written a snapshot, the next reader of that key takes it.
    - Errors of one process (``concerns_all_processes``) are not shared. A process whose access key is refused takes no
      snapshot that was read before.
    - While the store is down, each process reads for itself.

    Args:
        cache: the cache of this process.
        store: the store of all processes.
        clock: the clock of the cache.
        now: the time of day, UTC.
    """

    def __init__(
        self,
        cache: Cache,
        store: SharedStore,
        clock: Callable[[], float] = seconds,
        now: Callable[[], datetime] = utc,
    ) -> None:
        self._cache = cache
        self._store = store
        self._clock = clock
        self._now = now
        self._refused_at = -math.inf
        store.listen(self._supersede)

    def once(
        self, key: Key, load: Callable[[Progress], SnapshotT], kind: type[SnapshotT], *, ttl: float, max_age: float
    ) -> Callable[[Progress], Loaded[SnapshotT]]:
        """Wrap a load; the arguments are those of ``Cache.get``, and ``kind`` is the class of the snapshot."""
        return lambda report: self._read(_Request(key, query_name(key), load, kind, ttl, max_age), report)

    def _supersede(self, name: str, fetched_at: str) -> None:
        """Note that a snapshot was written; for one that this process wrote itself the times are the same."""
        self._cache.supersede(
            lambda key, snapshot: query_name(key) == name and snapshot.fetched_at.isoformat() != fetched_at
        )

    def _read(self, request: _Request[SnapshotT], report: Progress) -> Loaded[SnapshotT]:
        begun_at, outcome = self._clock(), "hit"
        while True:
            # The lease comes first, so that no other process writes between the look and the load.
            lease = self._store.lease(request.name)
            share = None
            try:
                taken, stored = self._look(request, begun_at, has_lease=lease is not None)
                if taken is not None:
                    self._store.observe(outcome)
                    return taken
                if lease is not None:
                    self._store.observe("miss")
                    lease.renew()
                    loaded = self._load(request, lease, report)
                    share = partial(self._share, lease, loaded, stored.head)
                    return loaded
            finally:
                if lease is not None:
                    lease.release(share)
            outcome = "wait"
            report(*stored.progress)
            self._store.pause()

    def _load(self, request: _Request[SnapshotT], lease: Lease, report: Progress) -> Loaded[SnapshotT]:
        def report_to_all(done: int, total: int) -> None:
            report(done, total)
            lease.progress = (done, total)

        loaded = attempt(request.load, report_to_all, self._clock)
        if isinstance(loaded.result, AccessKeyError) and withdraws(loaded.result):
            self._refused_at = loaded.at
        return loaded

    def _share(self, lease: Lease, loaded: Loaded[SnapshotT], stored: Head | None) -> None:
        """Write what this process has read, or its failure."""
        result, at = loaded
        if isinstance(result, Snapshot):
            identity = stored.identity if stored else None
            lease.write(head_of(result), partial(body_of, result), identity, age_seconds=self._clock() - at)
        elif concerns_all_processes(result):
            lease.fail(result, FAILURE_MEMORY_SECONDS, withdraws=withdraws(result))

    def _look(
        self, request: _Request[SnapshotT], begun_at: float, *, has_lease: bool
    ) -> tuple[Loaded[SnapshotT] | None, StoredState]:
        """What can be taken from the store, and what is there."""
        stored = self._store.look_up(request.name)
        try:
            return self._take(request, stored, begun_at, has_lease=has_lease), stored
        except UnreadableError as error:
            # Without the lease another process may have replaced it since.
            if has_lease:
                self._store.drop(request.name, error)
            return None, stored._replace(head=None)

    def _take(
        self, request: _Request[SnapshotT], stored: StoredState, begun_at: float, *, has_lease: bool
    ) -> Loaded[SnapshotT] | None:
        """What another process read, if it saves this process the read.

        A snapshot that is too old for that is kept in the cache as the last good one, unless another process reads.

        Args:
            request: what is read.
            stored: what the store has.
            begun_at: when this process first looked: a listing may take longer than its TTL.
            has_lease: whether this process has to read otherwise.

        Raises:
            UnreadableError: the snapshot is not one of this kind.
        """
        now = self._clock()
        read_at = now - stored.age_seconds
        entry, failure_until = self._cache.state(request.key)
        failure: Loaded[SnapshotT] | None = _new_failure(stored, entry, failure_until, now)
        if stored.head is not None and read_at > self._refused_at and _is_newer(stored.head, read_at, entry):
            age = begun_at - read_at
            is_usable = age < request.ttl or (entry is None and age < request.max_age)
            if not request.ttl:
                # Every call reads, but a read that was not finished when this one began will do.
                is_usable = is_usable or age <= stored.took_seconds
            if is_usable or has_lease or failure is not None:
                snapshot, fully_read_at = self._snapshot(request, stored.head, entry, read_at, stored.age_seconds)
                if is_usable and (entry is None or entry.wanted_since is None or fully_read_at >= entry.wanted_since):
                    return Loaded(snapshot, read_at)
                self._cache.keep(request.key, snapshot, read_at)
        elif entry and entry.superseded and now - entry.read_at < request.ttl and failure is None:
            # The store no longer has what superseded it.
            return Loaded(cast("SnapshotT", entry.snapshot), entry.read_at)
        return failure

    def _snapshot(
        self,
        request: _Request[SnapshotT],
        head: Head,
        entry: Entry | None,
        read_at: float,
        age_seconds: float,
    ) -> tuple[SnapshotT, float]:
        """A snapshot of the store, and when it was fully read by the cache's clock."""
        last = entry.snapshot if entry else None
        snapshot = snapshot_from(request.kind, head, partial(self._store.body, request.name, head.identity), last)
        if not isinstance(snapshot, VersionsSnapshot):
            return snapshot, read_at
        since_full_read = snapshot.fetched_at - snapshot.fully_read_at
        try:
            # The clock of the process that read it may be ahead of this one's: such a time would make it look newer.
            latest = self._now() - timedelta(seconds=age_seconds) - since_full_read
        except OverflowError as error:
            raise UnreadableError("its time is out of range") from error
        dated = replace(snapshot, fully_read_at=min(snapshot.fully_read_at, latest))
        return cast("SnapshotT", dated), read_at - since_full_read.total_seconds()


def _is_newer(head: Head, read_at: float, entry: Entry | None) -> bool:
    """Whether the store has a newer snapshot than the cache.

    If another process said so, ages are not compared: they are blurred by the time a request to the store takes.
    """
    if entry is None:
        return True
    return head.fetched_at != entry.snapshot.fetched_at and (read_at > entry.read_at or entry.superseded)


def _new_failure(
    stored: StoredState, entry: Entry | None, failure_until: float, now: float
) -> Loaded[SnapshotT] | None:
    """The failure in the store, unless this process has met it, or a reader has asked for a read since."""
    remaining = stored.failure_remaining_seconds
    # If more remains than a failure is remembered, the store's clock has been set back since.
    if stored.failure is None or remaining > FAILURE_MEMORY_SECONDS:
        return None
    failed_at = now + remaining - FAILURE_MEMORY_SECONDS
    if failed_at <= failure_until or (entry and entry.wanted_since is not None and failed_at <= entry.wanted_since):
        return None
    return Loaded(stored.failure, failed_at)

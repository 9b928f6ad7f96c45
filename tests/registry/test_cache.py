"""Sharing, freshness, failures and bounds of the cache."""

import gc
import queue
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import pytest

from paiview.pai import transport
from paiview.pai.errors import (
    AccessKeyError,
    DeadlineError,
    ExpiredTokenError,
    NotFoundError,
    PaiviewError,
    PermissionDeniedError,
    UnavailableError,
)
from paiview.pai.paging import Progress
from paiview.registry.budget import BURST_SECONDS, Budget, BudgetError
from paiview.registry.cache import (
    ABANDONED_SECONDS,
    FAILURE_MEMORY_SECONDS,
    MAX_BACKGROUND_READS,
    MAX_STALE_TTLS,
    Cache,
    Key,
    reading,
)
from paiview.registry.snapshots import RereadVersions, Snapshot

TTL = 60.0
KEY: Key = ("versions", "model-a")
WAIT = 10.0
"""Seconds after which a test that waits for another thread has failed."""


class Clock:
    """A clock that the tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def passing(self, seconds: float) -> Progress:
        """A progress callback that advances the clock."""

        def progress(_done: int, _total: int) -> None:
            self.now += seconds

        return progress


@dataclass(frozen=True, kw_only=True, eq=False)
class Numbered(Snapshot):
    number: int
    weight: int = 1

    filtered: bool = False

    @property
    def memory_bytes(self) -> int:
        return self.weight

    @property
    def is_filtered(self) -> bool:
        return self.filtered


@dataclass
class Service:
    """Returns 1, 2, 3 and so on, or fails with ``error``, once ``gate`` is open."""

    error: PaiviewError | None = None
    weight: int = 1
    calls: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    reports: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        self.gate.set()

    def load(self, report: Progress) -> Numbered:
        self.calls += 1
        number = self.calls
        for done, total in self.reports:
            report(done, total)
        self.begun.release()
        assert self.gate.wait(WAIT)
        if self.error is not None:
            raise self.error
        return Numbered(fetched_at=datetime.now(UTC), number=number, weight=self.weight)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> Cache:
    return Cache(100, clock)


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.gate.set()


def landed(cache: Cache, key: Key = KEY) -> None:
    """Wait until no read of a key is under way."""
    flight = cache._reads.get(key)
    assert flight is None or flight.finished.wait(WAIT)


def read(
    cache: Cache, service: Service, ttl: float = TTL, key: Key = KEY, progress: Progress | None = None
) -> Numbered:
    return cache.get(key, service.load, ttl=ttl, progress=progress)


def in_thread(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call)
    thread.start()
    return thread


class TestSharing:
    def test_twenty_first_readers_make_one_read_and_get_the_same_snapshot(self, cache: Cache, service: Service) -> None:
        service.gate.clear()
        waiting = threading.Barrier(21)

        def reader() -> Numbered:
            arrived = False

            def progress(_done: int, _total: int) -> None:
                nonlocal arrived
                if not arrived:
                    arrived = True
                    waiting.wait(WAIT)

            return cache.get(KEY, service.load, ttl=TTL, progress=progress)

        with ThreadPoolExecutor(20) as pool:
            answers = [pool.submit(reader) for _ in range(20)]
            waiting.wait(WAIT)
            service.gate.set()
            found = {id(answer.result(WAIT)) for answer in answers}
        assert service.calls == 1
        assert len(found) == 1

    def test_twenty_readers_of_a_failing_service_make_one_call_and_get_errors_of_their_own(
        self, cache: Cache, service: Service
    ) -> None:
        service.error = UnavailableError("The service is down.", code="ServiceUnavailable", request_id="r-1")
        service.gate.clear()

        def reader() -> PaiviewError:
            with pytest.raises(UnavailableError) as caught:
                read(cache, service)
            return caught.value

        with ThreadPoolExecutor(20) as pool:
            answers = [pool.submit(reader) for _ in range(20)]
            assert service.begun.acquire(timeout=WAIT)
            service.gate.set()
            errors = [answer.result(WAIT) for answer in answers]
        assert service.calls == 1
        assert len({id(error) for error in errors}) == 20
        assert {(error.code, error.request_id, error.message) for error in errors} == {
            ("ServiceUnavailable", "r-1", "The service is down.")
        }

    def test_ages_count_from_the_start_of_the_read(self, cache: Cache, clock: Clock, service: Service) -> None:
        service.gate.clear()
        first = in_thread(lambda: read(cache, service))
        assert service.begun.acquire(timeout=WAIT)
        clock.now += TTL - 10
        service.gate.set()
        first.join(WAIT)
        clock.now += 9
        assert (read(cache, service).number, service.calls) == (1, 1)
        clock.now += 1
        assert read(cache, service).number == 1
        assert service.begun.acquire(timeout=WAIT)
        landed(cache)
        assert read(cache, service).number == 2

    @pytest.mark.parametrize(("max_age", "number"), [(TTL, 2), (TTL * MAX_STALE_TTLS, 1)])
    def test_a_reader_does_not_get_a_read_that_began_too_early_for_it(
        self, cache: Cache, clock: Clock, service: Service, max_age: float, number: int
    ) -> None:
        service.gate.clear()
        waits = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            early = pool.submit(read, cache, service)
            assert service.begun.acquire(timeout=WAIT)
            clock.now += TTL
            late = pool.submit(
                cache.get, KEY, service.load, ttl=TTL, max_age=max_age, progress=lambda *_progress: waits.set()
            )
            assert waits.wait(WAIT)
            service.gate.set()
            assert (early.result(WAIT).number, late.result(WAIT).number) == (1, number)

    def test_a_refresh_waits_for_a_read_that_begins_after_it(
        self, cache: Cache, clock: Clock, service: Service
    ) -> None:
        read(cache, service)
        clock.now += TTL
        service.gate.clear()
        assert read(cache, service).number == 1
        assert service.begun.acquire(timeout=WAIT)
        assert service.begun.acquire(timeout=WAIT)
        clock.now += 1
        cache.refresh(KEY)
        waits = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(read, cache, service, progress=lambda *_progress: waits.set())
            assert waits.wait(WAIT)
            service.gate.set()
            assert asked.result(WAIT).number == 3
        assert read(cache, service).number == 3

    def test_no_read_starts_while_the_limit_is_under_way(
        self, cache: Cache, clock: Clock, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("paiview.registry.cache.MAX_READS", 2)
        read(cache, service)
        clock.now += TTL * MAX_STALE_TTLS
        service.gate.clear()
        with ThreadPoolExecutor(2) as pool:
            hanging = [pool.submit(read, cache, service, key=("versions", name)) for name in ("model-b", "model-c")]
            for _ in range(3):
                assert service.begun.acquire(timeout=WAIT)
            with pytest.raises(DeadlineError, match="2 reads wait for the service"):
                read(cache, service, key=("versions", "model-d"))
            kept = read(cache, service)
            assert (kept.number, type(kept.failure)) == (1, DeadlineError)
            service.gate.set()
            assert {future.result(WAIT).number for future in hanging} == {2, 3}
        assert read(cache, service).number == 4

    def test_each_key_is_read_separately(self, cache: Cache, service: Service) -> None:
        first = read(cache, service, key=("versions", "endpoint", "alice", "model-a"))
        second = read(cache, service, key=("versions", "endpoint", "bob", "model-a"))
        assert (first.number, second.number) == (1, 2)

    def test_progress_is_reported_in_the_waiting_thread(self, cache: Cache, service: Service) -> None:
        service.gate.clear()
        service.reports = ((3, 7),)
        reports: list[tuple[int, int, int]] = []

        def progress(done: int, total: int) -> None:
            reports.append((done, total, threading.get_ident()))
            if total:
                service.gate.set()

        cache.get(KEY, service.load, ttl=TTL, progress=progress)
        assert reports[-1] == (3, 7, threading.get_ident())

    def test_a_reader_who_leaves_does_not_end_the_read(self, cache: Cache, service: Service) -> None:
        service.gate.clear()

        def leave(_done: int, _total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            cache.get(KEY, service.load, ttl=TTL, progress=leave)
        service.gate.set()
        assert read(cache, service).number == 1

    def test_a_bug_in_a_load_ends_the_wait_and_is_logged_and_forgotten(
        self, cache: Cache, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        logged: queue.Queue[type[BaseException] | None] = queue.Queue()
        monkeypatch.setattr(threading, "excepthook", lambda thrown: logged.put(thrown.exc_type))

        def broken(_report: Progress) -> Numbered:
            raise ZeroDivisionError

        with pytest.raises(RuntimeError, match="log says why"):
            cache.get(KEY, broken, ttl=TTL)
        assert logged.get(timeout=WAIT) is ZeroDivisionError
        assert read(cache, service).number == 1


class TestFreshness:
    def test_within_its_ttl_a_snapshot_is_not_read_again(self, cache: Cache, service: Service, clock: Clock) -> None:
        read(cache, service)
        clock.now += TTL - 0.01
        assert read(cache, service).number == 1
        assert service.calls == 1

    def test_after_its_ttl_it_is_returned_at_once_and_read_in_the_background(
        self, cache: Cache, service: Service, clock: Clock
    ) -> None:
        read(cache, service)
        service.gate.clear()
        clock.now += TTL
        stale = [read(cache, service) for _ in range(5)]
        assert {snapshot.number for snapshot in stale} == {1}
        assert stale[0].failure is None
        service.gate.set()
        landed(cache)
        assert read(cache, service).number == 2
        assert service.calls == 2

    def test_if_it_is_too_old_the_reader_waits_for_a_new_one(
        self, cache: Cache, service: Service, clock: Clock
    ) -> None:
        read(cache, service)
        clock.now += TTL * MAX_STALE_TTLS
        assert read(cache, service).number == 2

    def test_with_a_ttl_of_zero_every_call_reads(self, cache: Cache, service: Service) -> None:
        assert [read(cache, service, ttl=0).number for _ in range(3)] == [1, 2, 3]

    def test_background_reads_are_limited(self, cache: Cache, service: Service, clock: Clock) -> None:
        keys = [("versions", number) for number in range(MAX_BACKGROUND_READS + 3)]
        for key in keys:
            read(cache, service, key=key)
        service.gate.clear()
        clock.now += TTL
        for key in keys:
            read(cache, service, key=key)
        assert len(cache._reads) == MAX_BACKGROUND_READS
        service.gate.set()
        for key in keys:
            landed(cache, key)
        assert service.calls == len(keys) + MAX_BACKGROUND_READS
        read(cache, service, key=keys[-1])
        landed(cache, keys[-1])
        assert service.calls == len(keys) + MAX_BACKGROUND_READS + 1

    def test_reads_with_a_waiting_reader_do_not_block_background_reads(
        self, cache: Cache, service: Service, clock: Clock
    ) -> None:
        hanging = Service()
        read(cache, service)
        hanging.gate.clear()
        waiting = [
            in_thread(partial(read, cache, hanging, key=("afresh", number))) for number in range(MAX_BACKGROUND_READS)
        ]
        for _ in waiting:
            assert hanging.begun.acquire(timeout=WAIT)
        clock.now += TTL
        assert read(cache, service).number == 1
        landed(cache)
        assert read(cache, service).number == 2
        hanging.gate.set()
        for thread in waiting:
            thread.join(WAIT)

    def test_refresh_reads_its_own_key_again_and_no_other(self, cache: Cache, service: Service) -> None:
        other = ("versions", "model-b")
        read(cache, service)
        read(cache, service, key=other)
        cache.refresh(KEY)
        assert read(cache, service).number == 3
        assert read(cache, service).number == 3
        assert read(cache, service, key=other).number == 2

    def test_refresh_during_a_read_waits_for_that_one(self, cache: Cache, service: Service, clock: Clock) -> None:
        read(cache, service)
        clock.now += TTL
        service.gate.clear()
        assert read(cache, service).number == 1
        cache.refresh(KEY)
        found: list[Numbered] = []
        thread = in_thread(lambda: found.append(read(cache, service)))
        service.gate.set()
        thread.join(WAIT)
        assert [snapshot.number for snapshot in found] == [2]
        assert service.calls == 2

    def test_refresh_of_what_was_never_read_does_nothing(self, cache: Cache, service: Service) -> None:
        cache.refresh(KEY)
        assert read(cache, service).number == 1


class TestFailure:
    def test_is_raised_without_a_last_good_snapshot_and_remembered_for_a_while(
        self, cache: Cache, service: Service, clock: Clock
    ) -> None:
        service.error = UnavailableError("down")
        for _ in range(3):
            with pytest.raises(UnavailableError, match="down"):
                read(cache, service)
        clock.now += FAILURE_MEMORY_SECONDS - 0.01
        with pytest.raises(UnavailableError):
            read(cache, service)
        assert service.calls == 1
        clock.now += 0.01
        service.error = None
        assert read(cache, service).number == 2

    def test_in_the_background_shows_with_the_last_good_snapshot_until_a_read_succeeds(
        self, cache: Cache, service: Service, clock: Clock
    ) -> None:
        good = read(cache, service)
        service.error = UnavailableError("down")
        clock.now += TTL
        assert read(cache, service).failure is None
        landed(cache)
        shown = read(cache, service)
        assert (shown.number, shown.fetched_at, shown.failure) == (1, good.fetched_at, service.error)
        assert service.calls == 2
        clock.now += FAILURE_MEMORY_SECONDS
        assert read(cache, service).failure is service.error
        landed(cache)
        assert service.calls == 3
        service.error = None
        clock.now += FAILURE_MEMORY_SECONDS
        read(cache, service)
        landed(cache)
        assert (read(cache, service).number, read(cache, service).failure) == (4, None)

    def test_does_not_keep_earlier_snapshots_in_memory(self, cache: Cache, service: Service, clock: Clock) -> None:
        read(cache, service)
        failed: list[weakref.ref[Snapshot]] = []

        def load(_report: Progress) -> Numbered:
            last = cache.last_good(KEY)
            assert isinstance(last, Numbered)
            try:
                return replace(last, number=int("none"))
            except ValueError as reason:
                raise UnavailableError("down") from reason

        for _ in range(3):
            clock.now += TTL * MAX_STALE_TTLS
            shown = cache.get(KEY, load, ttl=TTL)
            assert isinstance(shown.failure, UnavailableError)
            failed.append(weakref.ref(shown))
            del shown
        for thread in threading.enumerate():
            if thread.name == "paiview-read":
                thread.join(WAIT)
        gc.collect()
        assert [each() is None for each in failed] == [True, True, False]

    def test_of_a_read_the_reader_waits_for_returns_the_last_good_snapshot(
        self, cache: Cache, service: Service, clock: Clock
    ) -> None:
        read(cache, service)
        service.error = UnavailableError("down")
        clock.now += TTL * MAX_STALE_TTLS
        shown = read(cache, service)
        assert (shown.number, shown.failure) == (1, service.error)

    def test_of_a_refresh_returns_the_last_good_snapshot_and_another_refresh_reads_at_once(
        self, cache: Cache, service: Service
    ) -> None:
        read(cache, service)
        service.error = UnavailableError("down")
        cache.refresh(KEY)
        assert read(cache, service).failure is service.error
        assert read(cache, service).failure is service.error
        assert service.calls == 2
        service.error = None
        cache.refresh(KEY)
        shown = read(cache, service)
        assert (shown.number, shown.failure) == (3, None)

    def test_with_a_ttl_of_zero_returns_the_last_good_snapshot(self, cache: Cache, service: Service) -> None:
        read(cache, service, ttl=0)
        service.error = UnavailableError("down")
        assert read(cache, service, ttl=0).failure is service.error
        assert read(cache, service, ttl=0).number == 1
        assert service.calls == 2

    @pytest.mark.parametrize("kind", [NotFoundError, PermissionDeniedError, AccessKeyError])
    def test_that_withdraws_access_drops_the_snapshot(
        self, cache: Cache, service: Service, kind: type[PaiviewError]
    ) -> None:
        read(cache, service)
        service.error = kind("no more")
        cache.refresh(KEY)
        with pytest.raises(kind):
            read(cache, service)
        assert cache.last_good(KEY) is None
        service.error = UnavailableError("down")
        cache.refresh(KEY)
        with pytest.raises(UnavailableError):
            read(cache, service)

    def test_of_many_keys_is_forgotten_in_time(self, cache: Cache, service: Service, clock: Clock) -> None:
        service.error = NotFoundError("none")
        for number in range(5):
            with pytest.raises(NotFoundError):
                read(cache, service, key=("model", number))
        clock.now += FAILURE_MEMORY_SECONDS
        with pytest.raises(NotFoundError):
            read(cache, service)
        assert list(cache._failures) == [KEY]


class TestBound:
    def test_drops_the_least_recently_read_snapshots(self, cache: Cache, service: Service) -> None:
        service.weight = 40
        a, b, c = ("a",), ("b",), ("c",)
        for key in (a, b, a, c):
            read(cache, service, key=key)
        assert (cache.last_good(a) is None, cache.last_good(b) is None, cache.last_good(c) is None) == (
            False,
            True,
            False,
        )

    def test_a_snapshot_larger_than_the_bound_is_returned_and_kept_alone(self, cache: Cache, service: Service) -> None:
        read(cache, service, key=("small",))
        service.weight = 1000
        assert read(cache, service).number == 2
        assert read(cache, service).number == 2
        assert cache.last_good(("small",)) is None


class TestReader:
    """All reads of a page share one limit of waiting time."""

    def test_waits_its_limit_once_for_all_reads_without_an_answer(self, service: Service, clock: Clock) -> None:
        cache = Cache(100, clock, reader_wait_seconds=15)
        service.gate.clear()
        with reading() as reader:
            for number in range(3):
                with pytest.raises(DeadlineError, match="within 15 s"):
                    read(cache, service, key=("versions", number), progress=clock.passing(5))
        assert reader.waited_seconds == 15
        service.gate.set()

    def test_does_not_count_the_time_in_which_a_read_made_progress(self, service: Service, clock: Clock) -> None:
        cache = Cache(100, clock, reader_wait_seconds=15)
        service.gate.clear()
        reports = []

        def progress(done: int, total: int) -> None:
            reports.append((done, total))
            clock.now += 10
            cache._reads[KEY].report(len(reports), 9)
            if len(reports) == 4:
                service.gate.set()

        with reading() as reader:
            assert read(cache, service, progress=progress).number == 1
        assert reader.waited_seconds == 0

    def test_counts_the_time_of_a_read_that_failed(self, service: Service, clock: Clock) -> None:
        cache = Cache(100, clock, reader_wait_seconds=15)
        service.error = UnavailableError("down")
        service.gate.clear()

        def progress(_done: int, _total: int) -> None:
            clock.now += 4
            service.gate.set()

        with reading() as reader, pytest.raises(UnavailableError):
            read(cache, service, progress=progress)
        assert reader.waited_seconds >= 4

    def test_waits_less_for_an_optional_read(self, service: Service, clock: Clock) -> None:
        cache = Cache(100, clock, reader_wait_seconds=15)
        service.gate.clear()
        with reading() as reader, pytest.raises(DeadlineError, match="within 3 s"):
            cache.get(KEY, service.load, ttl=TTL, progress=clock.passing(1), max_wait=3)
        assert reader.waited_seconds == 3
        service.gate.set()

    def test_gets_the_last_good_snapshot_when_a_refresh_takes_too_long(self, service: Service, clock: Clock) -> None:
        cache = Cache(100, clock, reader_wait_seconds=15)
        read(cache, service)
        cache.refresh(KEY)
        service.gate.clear()
        with reading():
            shown = read(cache, service, progress=clock.passing(5))
        assert (shown.number, type(shown.failure)) == (1, DeadlineError)
        service.gate.set()
        landed(cache)
        assert read(cache, service).number == 2

    def test_without_a_reader_the_wait_has_no_limit(self, service: Service, clock: Clock) -> None:
        cache = Cache(100, clock, reader_wait_seconds=15)
        service.gate.clear()

        def progress(_done: int, _total: int) -> None:
            clock.now += 100
            service.gate.set()

        assert read(cache, service, progress=progress).number == 1

    def test_is_informed_when_a_missed_read_succeeds_and_failed_reads_are_repeated(
        self, cache: Cache, service: Service, clock: Clock
    ) -> None:
        service.error = UnavailableError("down")
        with reading() as reader, pytest.raises(UnavailableError):
            read(cache, service)
        assert not cache.changed(reader.missed)
        assert service.calls == 1
        clock.now += FAILURE_MEMORY_SECONDS
        assert not cache.changed(reader.missed)
        landed(cache)
        assert service.calls == 2
        service.error = None
        clock.now += FAILURE_MEMORY_SECONDS
        assert not cache.changed(reader.missed)
        landed(cache)
        assert cache.changed(reader.missed)
        assert service.calls == 3

    def test_is_informed_when_the_failure_is_another(self, cache: Cache, service: Service, clock: Clock) -> None:
        service.error = UnavailableError("down")
        with reading() as reader, pytest.raises(UnavailableError):
            read(cache, service)
        service.error = PermissionDeniedError("not for you")
        clock.now += FAILURE_MEMORY_SECONDS
        assert not cache.changed(reader.missed)
        landed(cache)
        assert cache.changed(reader.missed)

    def test_misses_a_snapshot_that_could_not_be_read_again(self, cache: Cache, service: Service) -> None:
        read(cache, service)
        service.error = ExpiredTokenError("expired")
        cache.refresh(KEY)
        with reading() as reader:
            assert read(cache, service).failure is service.error
        assert list(reader.missed) == [KEY]

    @pytest.mark.parametrize("kind", [NotFoundError, PermissionDeniedError])
    def test_does_not_miss_a_read_whose_failure_is_permanent(
        self, cache: Cache, service: Service, kind: type[PaiviewError]
    ) -> None:
        service.error = kind("no")
        with reading() as reader, pytest.raises(kind):
            read(cache, service)
        assert reader.missed == {}


def test_a_read_that_nobody_waits_for_ends_at_its_next_page() -> None:
    clock = Clock()
    cache = Cache(10**9, clock, reader_wait_seconds=0.0)
    begun, gate, ended = threading.Event(), threading.Event(), threading.Event()

    def load(report: Progress) -> Numbered:
        begun.set()
        assert gate.wait(WAIT)
        try:
            report(1, 200)
        finally:
            ended.set()
        return Numbered(fetched_at=datetime.now(UTC), number=1)

    with pytest.raises(DeadlineError, match="the read continues"), reading():
        cache.get(KEY, load, ttl=TTL)
    assert begun.wait(WAIT)
    clock.now += ABANDONED_SECONDS + 1
    gate.set()
    assert ended.wait(WAIT)
    # The failure is remembered once the thread has ended.
    while cache.state(KEY)[1] < clock.now:
        pass
    with pytest.raises(DeadlineError, match="Nobody waited"), reading():
        cache.get(KEY, load, ttl=TTL)


def test_filters_crowd_out_no_listing(clock: Clock) -> None:
    cache = Cache(100, clock)
    numbers = iter(range(100))

    def load(weight: int, *, filtered: bool) -> Callable[[Progress], Numbered]:
        return lambda _report: Numbered(
            fetched_at=datetime.now(UTC), number=next(numbers), weight=weight, filtered=filtered
        )

    cache.get(("listing",), load(50, filtered=False), ttl=TTL)
    for number in range(10):
        cache.get(("filtered", number), load(10, filtered=True), ttl=TTL)
    assert cache.last_good(("listing",)) is not None
    kept = [number for number in range(10) if cache.last_good(("filtered", number))]
    assert kept == [8, 9]


def test_what_nobody_uses_expires(clock: Clock, service: Service) -> None:
    cache = Cache(100, clock)
    read(cache, service, key=("old",))
    clock.now += Numbered.expiry_seconds + 1
    read(cache, service, key=("new",))
    assert cache.last_good(("old",)) is None
    assert cache.last_good(("new",)) is not None
    clock.now += Numbered.expiry_seconds + 1
    cache.drop_expired()
    assert cache.last_good(("new",)) is None


def test_versions_read_one_by_one_expire_within_seconds_and_listings_do_not(clock: Clock, service: Service) -> None:
    cache = Cache(100_000, clock)
    read(cache, service)
    for number in range(3):
        cache.get(("reread", number), lambda _: RereadVersions(fetched_at=datetime.now(UTC), versions={}), ttl=TTL)
    clock.now += 16
    cache.drop_expired()
    assert [kind for kind, _ in cache.held()] == [KEY[0]]


def test_a_client_that_has_spent_its_share_gets_what_was_read_before(clock: Clock, service: Service) -> None:
    budget = Budget(1.0, clock)
    cache = Cache(100, clock, budget=budget)
    with reading(client="a"):
        assert read(cache, service).number == 1
    budget.spend("a", 10_000)
    clock.now += TTL * MAX_STALE_TTLS + 1
    with reading(client="a"):
        stale = read(cache, service)
        assert (stale.number, type(stale.failure)) == (1, BudgetError)
        with pytest.raises(BudgetError):
            read(cache, service, key=("other",))
    with reading(client="b"):
        assert read(cache, service).number == 2


def test_requests_are_counted_for_the_client_that_waits(clock: Clock) -> None:
    budget = Budget(1.0, clock)
    cache = Cache(100, clock, budget=budget)

    def load(_report: Progress) -> Numbered:
        count = transport._request_count.get()
        assert count is not None
        count.count += 100
        return Numbered(fetched_at=datetime.now(UTC), number=1)

    with reading(client="a"):
        cache.get(KEY, load, ttl=TTL)
    with pytest.raises(BudgetError) as caught:
        budget.check("a")
    assert caught.value.retry_after == pytest.approx(100 - BURST_SECONDS)
    budget.check("b")

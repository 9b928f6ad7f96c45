"""Two registries that share one store, over real sockets: what is read once, and what survives failures."""

import logging
import queue
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import pytest
from pydantic import SecretStr

from paiview.pai.client import Client
from paiview.pai.errors import (
    AccessKeyError,
    ExpiredTokenError,
    NotFoundError,
    PaiviewError,
    PermissionDeniedError,
    RequestRefusedError,
    UnreachableError,
)
from paiview.pai.objects import VersionFilters
from paiview.registry import shared_store as layer
from paiview.registry.cache import FAILURE_MEMORY_SECONDS, MAX_STALE_TTLS, Cache, Key, Query
from paiview.registry.registry import DECISION_MAX_AGE_SECONDS, Registry
from paiview.registry.shared_format import query_name
from paiview.registry.shared_store import CHANNEL, LIFETIME_SECONDS, SharedStore
from paiview.registry.snapshots import VersionsSnapshot
from tests.cluster.stores import PASSWORD, Store, running_store, store, way_to
from tests.cluster.waiting import until
from tests.harness.server import Server, refusal
from tests.registry.test_registry import READER, Clock, Service, version

__all__ = ["running_store", "store"]

ALL_PAGES: Final = [1, 2, 3, 4, 5]
"""Of nine or ten versions, two a page. Pages are read in parallel, so they are compared in order."""
TTL: Final = 60.0
WAIT: Final = 10.0
"""Seconds after which a test that waits for another thread or process has failed."""
MODEL: Final = "model-a"
REFUSED: Final = refusal("OddRequest", 400)


def threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


class Replica:
    """The registry of one process, with its own clocks that the tests move."""

    def __init__(
        self,
        url: SecretStr,
        server: Server,
        running: ExitStack,
        *,
        ttl: float = TTL,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.clock = Clock()
        self.ahead = 0.0
        self.shared = SharedStore(url)
        running.callback(self.shared.close)
        client = running.enter_context(Client(server.url, READER, page_size=2, deadline=3.0))
        self.registry = Registry(
            client,
            endpoint=server.url,
            principal=READER.principal,
            embedded=False,
            ttl=ttl,
            clock=clock or self.clock,
            now=self.now,
            store=self.shared,
        )
        self.key = self.registry._key("versions", MODEL, VersionFilters())
        self.name = query_name(self.key)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.clock.now + self.ahead)

    def versions(self) -> VersionsSnapshot:
        return self.registry.versions(MODEL)

    def names(self) -> list[str | None]:
        return [item.version_name for item in self.versions().versions]

    def refresh(self) -> VersionsSnapshot:
        self.registry.refresh_versions(MODEL)
        return self.versions()

    def failure(self) -> PaiviewError:
        with pytest.raises(PaiviewError) as caught:
            self.versions()
        return caught.value


Start = Callable[[], Replica]


@pytest.fixture(autouse=True)
def _soon_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "LISTEN_TIMEOUT_SECONDS", 0.02)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with service.served(monkeypatch) as running:
        yield running


@pytest.fixture
def start(store: Store, server: Server) -> Iterator[Start]:
    with ExitStack() as running:
        yield lambda: Replica(store.url, server, running)


@pytest.fixture
def one(start: Start) -> Replica:
    return start()


@pytest.fixture
def two(start: Start) -> Replica:
    return start()


@pytest.fixture
def breaker(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that decides when a store that failed is asked again."""
    clock = Clock()
    monkeypatch.setattr(clock, "monotonic", clock, raising=False)
    monkeypatch.setattr(layer, "time", clock)
    return clock


def whole_without_zone(head: bytes) -> bytes:
    """A head whose ``fully_read_at`` has no time zone."""
    return re.sub(rb'("fully_read_at":"[^"]+)Z"', rb'\1"', head)


def written(store: Store, name: str) -> None:
    """Wait until an entry is written and the lease released, which may be after the readers have their answer."""
    until(lambda: store.client.exists(name) and not store.client.exists(f"{name}:lease"))


def age(store: Store, name: str, seconds: float) -> None:
    """Make an entry this old."""
    written(store, name)
    store.client.pexpire(name, round((LIFETIME_SECONDS - seconds) * 1000))


class TestOneListing:
    def test_serves_twenty_threads_of_two_processes(self, service: Service, one: Replica, two: Replica) -> None:
        service.versions = [version(number) for number in range(7)]
        service.gate.clear()
        together = threading.Barrier(21)
        with ThreadPoolExecutor(20) as pool:

            def ask(replica: Replica) -> VersionsSnapshot:
                together.wait(WAIT)
                return replica.versions()

            asked = [pool.submit(ask, replica) for replica in (one, two) * 10]
            together.wait(WAIT)
            until(lambda: service.asked or one.registry.under_way())
            until(two.registry.under_way)
            service.gate.set()
            got = [future.result(WAIT) for future in asked]
        assert service.asked == ["versions"]
        assert len({id(snapshot) for snapshot in got}) == 2
        assert {(snapshot.fetched_at, snapshot.identity, len(snapshot.versions)) for snapshot in got} == {
            (got[0].fetched_at, got[0].identity, 7)
        }

    def test_serves_every_kind_of_query(self, service: Service, store: Store, one: Replica, two: Replica) -> None:
        service.datasets = [{"DatasetId": "d-1", "Name": "clean"}]

        def everything(registry: Registry) -> list[object]:
            return [
                [item.raw for item in registry.models().items],
                registry.model("model-b").raw,
                [item.raw for item in registry.workspaces().items],
                [
                    (found := registry.review(MODEL)).approved,
                    found.pending,
                    [item.raw for item in found.newest_pending],
                ],
                registry.dataset_names(["d-1"]),
            ]

        expected = everything(one.registry)
        asked = list(service.asked)
        until(lambda: len(store.client.keys("paiview:*")) == 5)
        assert everything(two.registry) == expected
        assert expected[-1] == {"d-1": "clean"}
        assert service.asked == asked

    def test_reports_its_progress_to_waiting_processes(
        self, service: Service, store: Store, one: Replica, two: Replica, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(layer, "RENEWAL_SECONDS", 0.01)
        service.versions = [version(number) for number in range(7)]
        service.gate.clear()
        told: list[tuple[int, int]] = []

        def first_page(done: int, total: int) -> None:
            told.append((done, total))
            service.gate.set()

        leading = threading.Thread(target=one.versions)
        leading.start()
        until(lambda: store.client.exists(f"{one.name}:lease"))
        two.registry.versions(MODEL, progress=first_page)
        leading.join(WAIT)
        assert told
        assert service.asked == ["versions"]

    def test_serves_readers_that_came_during_it_even_with_a_ttl_of_zero(
        self, service: Service, store: Store, server: Server
    ) -> None:
        service.gate.clear()
        with ExitStack() as running, ThreadPoolExecutor(2) as pool:
            one, two = (Replica(store.url, server, running, ttl=0.0, clock=time.monotonic) for _ in range(2))
            asked = [pool.submit(one.versions)]
            until(lambda: store.client.exists(f"{one.name}:lease"))
            asked.append(pool.submit(two.versions))
            until(two.registry.under_way)
            service.gate.set()
            assert len({future.result(WAIT).fetched_at for future in asked}) == 1
            assert service.asked == ["versions"]
            assert two.versions().fetched_at != asked[0].result().fetched_at

    def test_does_not_serve_another_principal(self, service: Service, one: Replica, two: Replica) -> None:
        two.registry.principal = "another"
        one.versions()
        two.versions()
        assert service.asked == ["versions", "versions"]


class TestAge:
    def test_is_that_of_the_read(self, service: Service, store: Store, one: Replica, two: Replica) -> None:
        one.versions()
        age(store, one.name, TTL - 20)
        assert two.versions().fetched_at == one.versions().fetched_at
        ((_, read_at),) = two.registry.held()
        assert two.clock.now - read_at == pytest.approx(TTL - 20, abs=5)
        two.clock.now += 26
        two.versions()
        until(lambda: len(service.asked) > 1)

    def test_counts_from_the_start_of_the_read(
        self, service: Service, server: Server, store: Store, one: Replica, two: Replica
    ) -> None:
        service.gate.clear()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(one.versions)
            until(lambda: server.requests)
            one.clock.now += TTL - 20
            service.gate.set()
            asked.result(WAIT)
        written(store, one.name)
        two.clock.now += TTL - 20
        two.versions()
        ((_, read_at),) = two.registry.held()
        assert two.clock.now - read_at == pytest.approx(TTL - 20, abs=5)
        assert service.asked == ["versions"]

    def test_of_the_cached_snapshot_counts_when_the_newer_one_is_gone(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        until(lambda: store.client.pubsub_numsub(CHANNEL)[0][1] == 2)
        two.versions()
        written(store, two.name)
        one.versions()
        two.clock.now += TTL * MAX_STALE_TTLS
        one.clock.now += TTL * MAX_STALE_TTLS
        service.versions.append(version(3, "Approved"))
        one.refresh()
        until(lambda: two.registry._cache._entries[two.key].superseded)
        store.client.flushall()
        assert len(two.registry.versions(MODEL, current=True).versions) == 3

    def test_is_not_below_zero_when_the_clock_of_the_store_was_set_back(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        one.versions()
        age(store, one.name, -3600)
        two.versions()
        ((_, read_at),) = two.registry.held()
        assert read_at <= two.clock.now

    def test_of_a_few_ttls_is_shown_at_once_during_another_read(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        first = one.versions()
        age(store, one.name, TTL * 2)
        service.versions.append(version(3))
        assert two.versions().fetched_at == first.fetched_at
        until(lambda: len(service.asked) > 1)
        until(lambda: two.names() == ["0.1.0", "0.2.0", "0.3.0"])

    def test_of_a_snapshot_dated_by_a_clock_ahead_follows_from_the_store(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        one.ahead = DECISION_MAX_AGE_SECONDS + 5
        one.versions()
        age(store, one.name, DECISION_MAX_AGE_SECONDS + 5)
        two.clock.now += DECISION_MAX_AGE_SECONDS + 5
        listed = two.versions()
        assert service.asked == ["versions"]
        assert (two.now() - listed.fully_read_at).total_seconds() == pytest.approx(DECISION_MAX_AGE_SECONDS + 5, abs=3)
        service.error = REFUSED
        assert isinstance(two.registry.reread_versions(listed, ["0.1.0"]).failure, RequestRefusedError)

    def test_of_a_snapshot_dated_by_a_clock_behind_is_not_reduced(
        self, store: Store, one: Replica, two: Replica
    ) -> None:
        one.ahead = -100
        first = one.versions()
        written(store, one.name)
        assert two.versions().fully_read_at == first.fully_read_at

    def test_of_a_few_ttls_allows_an_incremental_read(
        self, service: Service, server: Server, store: Store, one: Replica, two: Replica
    ) -> None:
        service.versions = [version(number) for number in range(9)]
        one.versions()
        assert sorted(server.pages) == ALL_PAGES
        age(store, one.name, TTL * 2)
        service.versions.append(version(9))
        assert len(two.names()) == 9
        until(lambda: len(two.names()) == 10)
        assert server.pages[5:] == [1, 1, 1]

    def test_of_a_few_ttls_is_shown_even_if_no_thread_can_start(
        self, service: Service, store: Store, one: Replica, two: Replica, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = one.versions()
        age(store, one.name, TTL * 2)
        start, failed = Cache._start, threading.Event()

        def no_thread_to_spare(cache: Cache, key: Key, query: Query, *, in_background: bool = False) -> object:
            if in_background:
                raise RuntimeError("can't start new thread")
            return start(cache, key, query)

        monkeypatch.setattr(Cache, "_start", no_thread_to_spare)
        monkeypatch.setattr(threading, "excepthook", lambda _: failed.set())
        found: queue.Queue[VersionsSnapshot] = queue.Queue()
        threading.Thread(target=lambda: found.put(two.versions()), daemon=True).start()
        assert found.get(timeout=WAIT).fetched_at == first.fetched_at
        assert failed.wait(WAIT)
        assert two.registry.under_way() == []

    def test_of_many_ttls_is_not_shown_and_listed_in_full(
        self, service: Service, server: Server, store: Store, one: Replica, two: Replica
    ) -> None:
        service.versions = [version(number) for number in range(9)]
        one.versions()
        age(store, one.name, TTL * MAX_STALE_TTLS + 1)
        service.versions.append(version(9))
        assert len(two.names()) == 10
        assert sorted(server.pages[5:]) == ALL_PAGES

    def test_of_many_ttls_is_shown_as_the_last_good_one(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        first = one.versions()
        age(store, one.name, TTL * MAX_STALE_TTLS + 1)
        service.error = REFUSED
        found = two.versions()
        assert (found.fetched_at, type(found.failure)) == (first.fetched_at, RequestRefusedError)

    def test_is_updated_by_a_refresh_without_changes_that_keeps_its_versions(
        self, store: Store, one: Replica, two: Replica
    ) -> None:
        one.versions()
        written(store, one.name)
        before = two.versions()
        store.client.hset(one.name, "body", b"garbage")
        first = one.refresh()
        until(lambda: two.versions().fetched_at == first.fetched_at)
        assert two.versions().versions is before.versions
        assert two.versions().frames is before.frames
        assert store.client.hget(one.name, "body") == b"garbage"


class TestRefresh:
    def test_of_one_process_is_seen_by_the_other(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        until(lambda: store.client.pubsub_numsub(CHANNEL)[0][1] == 2)
        one.versions()
        written(store, one.name)
        assert two.names() == ["0.1.0", "0.2.0"]
        service.versions.append(version(3))
        one.refresh()
        until(lambda: two.names() == ["0.1.0", "0.2.0", "0.3.0"])
        assert service.asked == ["versions", "versions"]

    def test_does_not_take_a_snapshot_read_before_it(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        one.versions()
        written(store, one.name)
        two.versions()
        service.versions.append(version(3))
        assert len(two.refresh().versions) == 3

    def test_does_not_take_an_incremental_listing(
        self, service: Service, server: Server, store: Store, one: Replica, two: Replica
    ) -> None:
        service.versions = [version(number) for number in range(9)]
        one.versions()
        written(store, one.name)
        two.versions()
        one.clock.now += TTL
        two.clock.now += TTL / 2
        two.registry.refresh_versions(MODEL)
        two.clock.now += TTL / 2
        head = store.client.hget(one.name, "head")
        one.versions()
        until(lambda: store.client.hget(one.name, "head") != head)
        assert (sorted(server.pages[:5]), server.pages[5:]) == (ALL_PAGES, [1, 1, 1])
        two.versions()
        assert sorted(server.pages[8:]) == ALL_PAGES


class TestFailure:
    def test_is_met_once_and_shared_with_all(self, service: Service, store: Store, one: Replica, two: Replica) -> None:
        service.error = REFUSED
        told = one.failure()
        until(lambda: store.client.exists(f"{one.name}:failed"))
        again = two.failure()
        assert (type(again), str(again), again.code, again.request_id, again.status) == (
            RequestRefusedError,
            str(told),
            "OddRequest",
            "R-OddRequest",
            400,
        )
        assert service.asked == ["versions"]

    def test_is_remembered_no_longer_than_by_the_process_that_met_it(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        service.error = REFUSED
        one.failure()
        until(lambda: store.client.exists(f"{one.name}:failed"))
        store.client.pexpire(f"{one.name}:failed", 3000)
        two.failure()
        service.error = None
        two.clock.now += 3.1
        store.client.delete(f"{one.name}:failed")
        assert two.names() == ["0.1.0", "0.2.0"]

    def test_from_before_the_clock_of_the_store_was_set_back_is_ignored(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        service.error = REFUSED
        one.failure()
        until(lambda: store.client.exists(f"{one.name}:failed"))
        store.client.pexpire(f"{one.name}:failed", 3_600_000)
        service.error = None
        assert two.names() == ["0.1.0", "0.2.0"]

    def test_is_forgotten_by_a_refresh_and_by_a_success(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        service.error = REFUSED
        one.failure()
        until(lambda: store.client.exists(f"{one.name}:failed"))
        two.failure()
        service.error = None
        two.clock.now += 0.1
        assert len(two.refresh().versions) == 2
        written(store, one.name)
        assert not store.client.exists(f"{one.name}:failed")
        one.clock.now += FAILURE_MEMORY_SECONDS
        assert one.versions().fetched_at == two.versions().fetched_at

    def test_from_before_a_refresh_does_not_answer_it(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        one.versions()
        written(store, one.name)
        two.versions()
        service.error = REFUSED
        one.refresh()
        until(lambda: store.client.exists(f"{one.name}:failed"))
        service.error = None
        two.clock.now += 0.1
        assert two.refresh().failure is None
        assert service.asked == ["versions"] * 3

    @pytest.mark.parametrize(
        ("code", "kind"),
        [("InvalidSecurityToken.Expired", ExpiredTokenError), ("SignatureDoesNotMatch", AccessKeyError)],
    )
    def test_of_one_process_is_not_shared(
        self, service: Service, store: Store, one: Replica, two: Replica, code: str, kind: type[PaiviewError]
    ) -> None:
        service.error = refusal(code, 400)
        assert isinstance(one.failure(), kind)
        until(lambda: not store.client.exists(f"{one.name}:lease"))
        assert not store.client.exists(f"{one.name}:failed")
        service.error = None
        assert two.names() == ["0.1.0", "0.2.0"]

    def test_of_a_process_without_a_connection_to_the_service_is_not_shared(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        with Client("http://127.0.0.1:1", READER) as nowhere:
            one.registry._client = nowhere
            assert isinstance(one.failure(), UnreachableError)
            until(lambda: not store.client.exists(f"{one.name}:lease"))
        assert two.names() == ["0.1.0", "0.2.0"]
        assert service.asked == ["versions"]

    def test_of_a_refused_access_key_withdraws_the_snapshot_from_that_process_alone(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        until(lambda: store.client.pubsub_numsub(CHANNEL)[0][1] == 2)
        good = one.versions()
        written(store, one.name)
        two.versions()
        service.error = refusal("SignatureDoesNotMatch", 400)
        two.registry.refresh_versions(MODEL)
        assert isinstance(two.failure(), AccessKeyError)
        until(lambda: not store.client.exists(f"{one.name}:lease"))
        one.clock.now += TTL / 2
        assert one.versions() is good
        age(store, one.name, FAILURE_MEMORY_SECONDS + 5)
        two.clock.now += FAILURE_MEMORY_SECONDS
        assert isinstance(two.failure(), AccessKeyError)
        assert service.asked == ["versions"] * 3
        service.error = None
        one.refresh()
        written(store, one.name)
        two.clock.now += FAILURE_MEMORY_SECONDS
        assert two.versions().fetched_at == one.versions().fetched_at
        assert service.asked == ["versions"] * 4

    def test_leaves_the_last_good_snapshot_to_the_others(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        one.versions()
        written(store, one.name)
        two.versions()
        service.error = REFUSED
        one.refresh()
        until(lambda: store.client.exists(f"{one.name}:failed"))
        two.clock.now += TTL * MAX_STALE_TTLS
        found = two.versions()
        assert (len(found.versions), type(found.failure)) == (2, RequestRefusedError)
        assert service.asked == ["versions", "versions"]

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [(refusal("201900003", 404), NotFoundError), (refusal("NoPermission", 403), PermissionDeniedError)],
    )
    def test_that_withdraws_access_withdraws_the_snapshot_from_all(
        self, service: Service, store: Store, one: Replica, two: Replica, answer: tuple[bytes], kind: type[PaiviewError]
    ) -> None:
        until(lambda: store.client.pubsub_numsub(CHANNEL)[0][1] == 2)
        one.versions()
        written(store, one.name)
        two.versions()
        service.error = answer
        one.registry.refresh_versions(MODEL)
        assert isinstance(one.failure(), kind)
        until(lambda: not store.client.exists(one.name))
        until(lambda: two.registry._cache._entries[two.key].superseded)
        assert isinstance(two.failure(), kind)
        assert service.asked == ["versions", "versions"]


class TestLease:
    def test_of_a_process_that_died_expires(self, service: Service, store: Store, two: Replica) -> None:
        store.client.set(f"{two.name}:lease", "of the dead", px=700)
        store.client.set(f"{two.name}:progress", "3 7", px=700)
        told: list[tuple[int, int]] = []
        two.registry.versions(MODEL, progress=lambda *now: told.append(now))
        assert (3, 7) in told
        assert service.asked == ["versions"]

    def test_is_kept_for_as_long_as_the_read_takes(
        self, service: Service, store: Store, one: Replica, two: Replica, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(layer, "LEASE_SECONDS", 0.5)
        monkeypatch.setattr(layer, "RENEWAL_SECONDS", 0.05)
        service.gate.clear()
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(one.versions)]
            until(lambda: service.asked or store.client.exists(f"{one.name}:lease"))
            asked.append(pool.submit(two.versions))
            lapse = time.monotonic() + 1.0
            until(lambda: time.monotonic() > lapse)
            assert store.client.exists(f"{one.name}:lease")
            service.gate.set()
            assert len({future.result(WAIT).fetched_at for future in asked}) == 1
        assert service.asked == ["versions"]

    @pytest.mark.parametrize("error", [None, REFUSED])
    def test_taken_over_by_another_process_is_neither_released_nor_used_to_write(
        self, service: Service, store: Store, one: Replica, monkeypatch: pytest.MonkeyPatch, error: tuple[bytes] | None
    ) -> None:
        monkeypatch.setattr(layer, "RENEWAL_SECONDS", 0.01)
        service.gate.clear()
        service.error = error
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(one.versions)
            until(lambda: store.client.exists(f"{one.name}:lease"))
            store.client.set(f"{one.name}:lease", "of another", px=60_000)
            service.gate.set()
            assert (asked.exception(WAIT) is None) == (error is None)
        until(lambda: not one.registry.under_way())
        until(lambda: not threads("paiview-read") and not threads("paiview-lease"))
        assert not store.client.exists(one.name, f"{one.name}:failed")
        assert store.client.get(f"{one.name}:lease") == b"of another"


class TestGarbage:
    @pytest.mark.parametrize(
        "poison",
        [
            lambda client, name: client.hset(name, "body", b"garbage"),
            lambda client, name: client.hset(name, "body", zlib.compress(b'"of another"\n[1]')),
            lambda client, name: client.hset(name, "body", zlib.compress(b"0" * 10_000_000)),
            lambda client, name: client.hdel(name, "body"),
            lambda client, name: client.hset(name, "head", b"garbage"),
            lambda client, name: client.hset(name, "head", b'{"facts": {}}'),
            lambda client, name: client.hset(name, "head", whole_without_zone(client.hget(name, "head"))),
            lambda client, name: (client.delete(name), client.set(name, "a text")),
            lambda client, name: (client.delete(name), client.lpush(f"{name}:failed", "a list")),
            lambda client, name: (client.delete(name), client.set(f"{name}:failed", b"garbage", px=9000)),
            lambda client, name: (client.delete(name), client.set(f"{name}:failed", b'{"kind": "exit"}', px=9000)),
            lambda client, name: (client.delete(name), client.set(f"{name}:progress", b"1 " + b"9" * 5000)),
        ],
    )
    def test_is_removed_and_read_again(
        self, service: Service, store: Store, one: Replica, two: Replica, poison: Callable[[object, str], object]
    ) -> None:
        one.versions()
        written(store, one.name)
        poison(store.client, one.name)
        assert two.names() == ["0.1.0", "0.2.0"]
        assert service.asked == ["versions", "versions"]
        until(lambda: store.client.hexists(one.name, "body"))
        one.clock.now += TTL * MAX_STALE_TTLS
        assert one.versions().fetched_at == two.versions().fetched_at
        assert service.asked == ["versions", "versions"]

    def test_in_a_message_changes_nothing(self, store: Store, service: Service, one: Replica) -> None:
        until(lambda: store.client.pubsub_numsub(CHANNEL)[0][1] == 1)
        first = one.versions()
        written(store, one.name)
        for message in (b"", b"\xff\xfe", one.name.encode(), f"{one.name} {first.fetched_at.isoformat()}".encode()):
            store.client.publish(CHANNEL, message)
        one.clock.now += TTL / 2
        one.versions()
        assert service.asked == ["versions"]

    def test_does_not_include_entries_of_another_release(
        self, service: Service, store: Store, one: Replica, two: Replica, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one.versions()
        written(store, one.name)
        monkeypatch.setattr("paiview.registry.shared_format.FORMAT_VERSION", 5)
        two.versions()
        assert service.asked == ["versions", "versions"]
        assert store.client.exists(one.name)


class TestStore:
    def test_that_dies_leaves_each_process_to_itself_until_it_is_back(
        self,
        service: Service,
        store: Store,
        one: Replica,
        two: Replica,
        breaker: Clock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        one.versions()
        two.versions()
        store.kill()
        for replica in (one, two):
            replica.clock.now += TTL * MAX_STALE_TTLS
            assert replica.versions().failure is None
        assert len(service.asked) > 2
        assert sum("away" in line for line in caplog.messages) == 2
        store.start()
        breaker.now += layer.RETRY_AFTER_SECONDS
        one.refresh()
        written(store, one.name)
        asked = list(service.asked)
        two.clock.now += TTL * MAX_STALE_TTLS
        assert two.versions().fetched_at == one.versions().fetched_at
        assert service.asked == asked
        assert sum("back" in line for line in caplog.messages) == 2

    def test_that_dies_during_a_wait_holds_up_no_process(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        service.gate.clear()
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(one.versions)]
            until(lambda: store.client.exists(f"{one.name}:lease"))
            asked.append(pool.submit(two.versions))
            until(two.registry.under_way)
            store.kill()
            service.gate.set()
            assert [len(future.result(WAIT).versions) for future in asked] == [2, 2]

    def test_that_does_not_respond_is_given_up_soon(
        self, service: Service, store: Store, start: Start, breaker: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(layer, "READ_TIMEOUT_SECONDS", 0.1)
        one = start()
        until(lambda: store.client.pubsub_numsub(CHANNEL)[0][1] == 1)
        store.pause()
        try:
            assert one.names() == ["0.1.0", "0.2.0"]
            assert one.registry.models().total == 2
        finally:
            store.resume()
        breaker.now += layer.RETRY_AFTER_SECONDS
        one.refresh()
        written(store, one.name)

    def test_that_was_lost_silently_is_listened_to_again(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layer, "RETRY_AFTER_SECONDS", 0.05)
        monkeypatch.setattr(layer, "HEALTH_CHECK_SECONDS", 0.05)
        heard: list[str] = []

        def hears(message: str) -> bool:
            store.client.publish(CHANNEL, f"{message} -")
            return message in heard

        with way_to(store.port) as (port, silence):
            shared = SharedStore(SecretStr(f"redis://:{PASSWORD}@127.0.0.1:{port}/0"))
            shared.listen(lambda name, _: heard.append(name))
            until(lambda: hears("before"))
            silence()
            until(lambda: hears("after"))
            shared.close()

    def test_that_is_full_or_refuses_changes_nothing_for_the_readers(
        self, service: Service, store: Store, one: Replica, two: Replica
    ) -> None:
        store.client.config_set("maxmemory", "1")
        try:
            assert [one.names(), two.names()] == [["0.1.0", "0.2.0"]] * 2
        finally:
            store.client.config_set("maxmemory", "0")
        assert store.client.keys("*") == []

    def test_that_refuses_the_password_is_logged_without_it(
        self, store: Store, server: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with ExitStack() as running:
            wrong = SecretStr(store.url.get_secret_value().replace(PASSWORD, "not-the-password"))
            replica = Replica(wrong, server, running)
            assert replica.names() == ["0.1.0", "0.2.0"]
        assert "The shared cache is away" in caplog.text
        assert "password" not in caplog.text.replace("username-password pair", "")

    def test_holds_no_secret_and_no_name_that_reveals_its_entry(
        self, service: Service, server: Server, store: Store, one: Replica
    ) -> None:
        service.versions = [version(1, "Approved")]
        one.versions()
        one.registry.models()
        written(store, one.name)
        until(lambda: len(store.client.keys("*")) == 2 and not store.client.keys("*:lease"))
        said = b""
        for name in cast("list[bytes]", store.client.keys("*")):
            assert name.startswith(b"paiview:4:")
            assert 0 < store.client.pttl(name) <= LIFETIME_SECONDS * 1000
            fields = cast("dict[bytes, bytes]", store.client.hgetall(name))
            said += name + fields[b"head"] + zlib.decompress(fields[b"body"])
        assert READER.access_key_secret.encode() not in said
        assert str(server.port).encode() not in said
        assert b"0.1.0" in said

"""The script lock: one run at a time, released while a run waits, and bypassed after a timeout."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from datetime import UTC, datetime

import pytest

from paiview.pai.paging import Progress
from paiview.registry.cache import Cache, reading
from paiview.ui import script_lock
from tests.registry.test_cache import KEY, TTL, WAIT, Clock, Numbered


def is_free() -> bool:
    """Whether no run holds the lock."""
    free = script_lock._lock.acquire("", 0.0)
    if free:
        script_lock._lock.release()
    return free


def in_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_one_run_at_a_time_holds_the_lock() -> None:
    with script_lock.hold():
        assert not is_free()
    assert is_free()


def test_a_run_that_fails_releases_the_lock() -> None:
    with pytest.raises(KeyError), script_lock.hold(), script_lock.released():
        raise KeyError
    assert is_free()


def test_a_run_that_waits_releases_the_lock_and_holds_it_again_afterwards() -> None:
    with script_lock.hold():
        with script_lock.released():
            assert is_free()
            with script_lock.released():
                assert is_free()
            assert is_free()
        assert not is_free()
    assert is_free()


def test_another_thread_with_the_same_context_releases_nothing() -> None:
    seen: list[bool] = []

    def other() -> None:
        with script_lock.released():
            seen.append(is_free())

    with script_lock.hold():
        context = copy_context()
        in_thread(lambda: context.run(other))
        assert not is_free()
    assert seen == [False]


def test_a_run_starts_without_the_lock_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_lock, "LOCK_TIMEOUT_SECONDS", 0.0)
    ran: list[bool] = []

    def other() -> None:
        with script_lock.hold(), script_lock.released():
            ran.append(is_free())

    with script_lock.hold():
        in_thread(other)
        assert not is_free()
    assert ran == [False]
    assert is_free()


def test_waiting_for_the_service_releases_the_lock() -> None:
    had_lock: list[bool] = []

    def load(_report: Progress) -> Numbered:
        had_lock.append(script_lock._lock.acquire("", WAIT))
        script_lock._lock.release()
        return Numbered(fetched_at=datetime.now(UTC), number=1)

    with script_lock.hold(), reading(script_lock.released):
        assert Cache(10, Clock()).get(KEY, load, ttl=TTL).number == 1
        assert not is_free()
    assert had_lock == [True]


def test_clients_get_the_lock_in_turn() -> None:
    lock = script_lock.FairLock()
    assert lock.acquire("a", 0.0)
    order: list[str] = []
    threads: list[threading.Thread] = []
    for client, number in (("a", 1), ("a", 2), ("a", 3), ("b", 1)):

        def work(name: str = f"{client}{number}", client: str = client) -> None:
            assert lock.acquire(client, 10.0)
            order.append(name)
            lock.release()

        thread = threading.Thread(target=work)
        thread.start()
        while sum(map(len, lock._waiting.values())) <= len(threads):
            pass
        threads.append(thread)
    lock.release()
    for thread in threads:
        thread.join()
    assert order == ["a1", "b1", "a2", "a3"]
    assert lock.acquire("c", 0.0)


def test_a_client_that_gives_up_leaves_the_queue() -> None:
    lock = script_lock.FairLock()
    assert lock.acquire("a", 0.0)
    assert not lock.acquire("b", 0.0)
    lock.release()
    assert lock.acquire("c", 0.0)

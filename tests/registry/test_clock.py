"""The clock of ages goes on while the machine sleeps."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from paiview.registry.cache import Cache
from paiview.registry.snapshots import ModelsSnapshot
from paiview.server import telemetry
from tests.server.test_telemetry import samples

NIGHT = 8 * 3600.0


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has one clock alone")
def test_what_was_read_before_a_night_of_sleep_is_old_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = 0.0

    def gettime(clock: int) -> float:
        return time.clock_gettime(clock) + (slept if clock == time.CLOCK_BOOTTIME else 0.0)

    monkeypatch.setattr("paiview.registry.clock.time", SimpleNamespace(clock_gettime=gettime, monotonic=time.monotonic))
    cache = Cache(10)
    calls: list[int] = []

    def load(_report: object) -> ModelsSnapshot:
        calls.append(1)
        return ModelsSnapshot(fetched_at=datetime.now(UTC), items=(), total=len(calls))

    def read() -> int:
        return cache.get(("models",), load, ttl=60.0).total

    telemetry.watch(cache.held, cache.under_way)
    try:
        assert [read(), read()] == [1, 1]
        slept = NIGHT
        assert samples("paiview_snapshot_newest")["_age_seconds", "models"] == pytest.approx(NIGHT, abs=30)
    finally:
        telemetry.watch(tuple, tuple)
    assert read() == 2

"""The shared cache without a server: nothing fails, nothing waits, and no secret is logged.

With a server it is tested in tests/cluster/test_shared.py.
"""

import logging
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from redis import Redis
from redis.connection import SSLConnection
from redis.exceptions import RedisError

from paiview.pai.errors import SettingError, UnavailableError
from paiview.registry import shared_store as layer
from paiview.registry.cache import Cache
from paiview.registry.shared_format import Head
from paiview.registry.shared_reads import SharedReads
from paiview.registry.shared_store import SharedStore, StoredState
from paiview.registry.snapshots import ModelsSnapshot
from paiview.server import telemetry

HEAD = Head(fetched_at=datetime(2026, 1, 2, tzinfo=UTC), identity="i", facts={})
SECRET = "secret-of-the-cache"
NOWHERE = SecretStr(f"redis://:{SECRET}@127.0.0.1:1/0")
"""A port without a server."""
KEY = ("models", "model-a")


class Clock:
    """A clock that the tests move, in place of the module ``time``."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(layer, "time", made)
    return made


@pytest.fixture
def shared() -> Iterator[SharedStore]:
    made = SharedStore(NOWHERE)
    yield made
    made.close()


def reads(outcome: str) -> float:
    for family in text_string_to_metric_families(telemetry.exposition().decode()):
        for sample in family.samples:
            if sample.name == "paiview_shared_reads_total" and sample.labels == {"result": outcome}:
                return sample.value
    return 0.0


def test_without_a_server_every_process_may_read(shared: SharedStore) -> None:
    assert shared.look_up("n") == StoredState()
    lease, another = shared.lease("n"), shared.lease("n")
    assert lease is not None
    assert another is not None
    lease.renew()
    lease.write(HEAD, lambda: [{"a": 1}], None, age_seconds=1.0)
    lease.fail(UnavailableError("Why."), 10.0, withdraws=True)
    lease.release()
    another.release()
    assert shared.look_up("n") == StoredState()


def test_without_a_server_a_cache_reads_for_itself() -> None:
    before = reads("away")
    calls: list[int] = []

    def load(_report: object) -> ModelsSnapshot:
        calls.append(1)
        return ModelsSnapshot(fetched_at=datetime.now(UTC), items=(), total=len(calls))

    store = SharedStore(NOWHERE, [telemetry.shared_read])
    cache = Cache(10)
    once = SharedReads(cache, store).once(KEY, load, ModelsSnapshot, ttl=60.0, max_age=600.0)
    for _ in range(3):
        assert cache.get(KEY, once, ttl=60.0).total == 1
    store.close()
    assert reads("away") == before + 1


def test_a_server_that_failed_is_not_asked_for_a_while_and_logged_once(
    shared: SharedStore, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def execute(*_: object, **__: object) -> None:
        asked.append(1)
        raise RedisError("Nobody there.")

    monkeypatch.setattr(Redis, "execute_command", execute)
    for _ in range(5):
        shared.drop("n", ValueError("why"))
    assert len(asked) == 1
    clock.now += layer.RETRY_AFTER_SECONDS - 0.001
    shared.drop("n", ValueError("why"))
    assert len(asked) == 1
    clock.now += 0.002
    for _ in range(5):
        shared.drop("n", ValueError("why"))
    assert len(asked) == 2
    monkeypatch.setattr(Redis, "execute_command", lambda *_, **__: asked.append(1))
    clock.now += layer.RETRY_AFTER_SECONDS
    for _ in range(5):
        shared.drop("n", ValueError("why"))
    assert len(asked) == 7
    said = [line for line in caplog.messages if "removed" not in line]
    assert said == [
        "The shared cache is away, every process reads for itself: Nobody there.",
        "The shared cache is back.",
    ]


def test_no_log_holds_the_password(shared: SharedStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shared.listen(lambda *_: None)
    shared.look_up("n")
    shared.close()
    assert "away" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{SECRET}@h/0?socket_timeout=soon",
        f"redis://:{SECRET}@h/0?colour=red",
        f"redis://:{SECRET}@h/0?ssl_ca_certs=/ca.pem",
    ],
)
def test_a_url_with_an_option_unknown_to_the_client_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match="PAIVIEW_CACHE_URL") as caught:
        SharedStore(SecretStr(url))
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("url", "kind", "options"),
    [
        ("redis://valkey.example.com", "Connection", {"host": "valkey.example.com"}),
        ("valkey://:p%40%3A@h:7/2", "Connection", {"host": "h", "port": 7, "db": 2, "password": "p@:"}),
        ("rediss://u:p@h?ssl_ca_certs=/ca.pem", "SSLConnection", {"username": "u", "ssl_ca_certs": "/ca.pem"}),
        ("valkeys://h?socket_timeout=5", "SSLConnection", {"socket_timeout": 5.0}),
        ("unix:///run/valkey.sock?db=1", "UnixDomainSocketConnection", {"path": "/run/valkey.sock", "db": 1}),
    ],
)
def test_each_kind_of_url_is_accepted(url: str, kind: str, options: dict[str, object]) -> None:
    pool = SharedStore(SecretStr(url))._client.connection_pool
    assert pool.connection_class.__name__ == kind
    assert (
        pool.connection_kwargs.items()
        >= {
            "socket_connect_timeout": layer.CONNECT_TIMEOUT_SECONDS,
            "socket_timeout": layer.READ_TIMEOUT_SECONDS,
            **options,
        }.items()
    )


def test_tls_checks_certificate_and_name() -> None:
    connection = SharedStore(SecretStr("rediss://h"))._client.connection_pool.make_connection()
    assert isinstance(connection, SSLConnection)
    assert connection.cert_reqs == ssl.CERT_REQUIRED
    assert connection.check_hostname is True

"""What one process has read, for all others: snapshots, failures and leases in a Redis or Valkey server.

Failures of the server raise nothing here. A request that fails or times out has no effect, and the server is not asked
again for ``RETRY_AFTER_SECONDS``: until then every process reads for itself.

The server holds for each query, under its name (``paiview.registry.shared_format.query_name``):

- ``<name>``, a hash: the ``head`` and the ``body`` of the newest snapshot, and the milliseconds its read ``took``;
- ``<name>:failed``, the error of the last read, for as long as the read is not repeated;
- ``<name>:lease``, held by the one process that reads now, and ``<name>:progress``, how far it is.

Ages follow from the remaining lifetime of a key, so that clocks of two processes are never compared.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple, TypeVar, cast

from pydantic import SecretStr
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import LockError, RedisError, ResponseError
from redis.lock import Lock
from redis.retry import Retry

from paiview.pai.errors import PaiviewError, SettingError
from paiview.registry.shared_format import (
    FORMAT_VERSION,
    Head,
    UnreadableError,
    pack_body,
    pack_error,
    pack_head,
    read_body,
    read_error,
    read_head,
)
from paiview.text import one_line

LIFETIME_SECONDS: Final = 86_400.0
"""Of a snapshot: a process that starts while PAI is down shows the last good one, which may be a day old."""
LEASE_SECONDS: Final = 5.0
"""Of a lease that is not renewed, because the process that holds it has died."""
RENEWAL_SECONDS: Final = 0.5
"""Between two renewals of a lease, each with the progress."""
POLL_SECONDS: Final = 0.1
"""Between two looks of a process that waits for another."""
RETRY_AFTER_SECONDS: Final = 5.0
"""Until a server that failed is asked again."""
CONNECT_TIMEOUT_SECONDS: Final = 0.5
READ_TIMEOUT_SECONDS: Final = 2.0
CHANNEL: Final = f"paiview:{FORMAT_VERSION}:written"
"""Each process publishes here what it has written."""
LISTEN_TIMEOUT_SECONDS: Final = 0.5
"""How long the listener waits for a message before it checks whether the store is closed."""
HEALTH_CHECK_SECONDS: Final = 10
"""A connection idle for this long is tested: it may have been dropped silently."""

ResultT = TypeVar("ResultT")
_LOG = logging.getLogger(__name__)


class StoredState(NamedTuple):
    """What the store has for a query.

    Attributes:
        head: of the newest snapshot.
        age_seconds: since the read of it began.
        took_seconds: how long that read took.
        failure: the error of the last read.
        failure_remaining_seconds: until the failure expires.
        progress: (pages done, pages in total) of the read under way.
    """

    head: Head | None = None
    age_seconds: float = 0.0
    took_seconds: float = 0.0
    failure: PaiviewError | None = None
    failure_remaining_seconds: float = 0.0
    progress: tuple[int, int] = (0, 0)


class SharedStore:
    """Snapshots of several processes in one server.

    Args:
        url: redis, rediss (with TLS), valkey, valkeys or unix; its query may hold options of the client.
        observers: called with the outcome of each read (``observe``).

    Raises:
        SettingError: the client cannot use the URL.
    """

    def __init__(self, url: SecretStr, observers: Collection[Callable[[str], None]] = ()) -> None:
        try:
            self._client = Redis.from_url(
                re.sub("^valkey", "redis", url.get_secret_value()),
                socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
                socket_timeout=READ_TIMEOUT_SECONDS,
                health_check_interval=HEALTH_CHECK_SECONDS,
                # One retry, for an idle connection that the server has closed.
                retry=Retry(NoBackoff(), 1, (LostError,)),
                protocol=2,
            )
            self._client.connection_pool.make_connection()
        except (ValueError, TypeError):
            raise SettingError("PAIVIEW_CACHE_URL has a part or an option that the client cannot use.") from None
        self._observers = observers
        # Guards the two below; notified when a request has ended, for close.
        self._changed = threading.Condition()
        self._requests = 0
        self._retry_at: float | None = None
        self._closed = threading.Event()
        self._listener: threading.Thread | None = None

    def lease(self, name: str) -> "Lease | None":
        """The right to read, ``None`` while another process has it. Without a server every process has it."""

        def request() -> Lease | None:
            lock = self._client.lock(f"{name}:lease", timeout=LEASE_SECONDS, thread_local=False)
            return Lease(self, self._client, name, lock) if lock.acquire(blocking=False) else None

        without_server: Lease | None = Lease(self, self._client, name, None)
        return self.ask(request, without_server)

    def look_up(self, name: str) -> StoredState:
        """What is there for a query; empty if the server is down or an entry is unreadable."""
        return self.ask(lambda: self._look_up(name), StoredState())

    def _look_up(self, name: str) -> StoredState:
        try:
            with self._client.pipeline() as pipeline:
                pipeline.hmget(name, "head", "took")
                pipeline.pttl(name)
                pipeline.get(f"{name}:failed")
                pipeline.pttl(f"{name}:failed")
                pipeline.get(f"{name}:progress")
                (head, took), remaining, failure, failure_remaining, progress = pipeline.execute()
            return StoredState(
                head=None if head is None else read_head(head),
                # Not below 0: the server's clock may have been set back.
                age_seconds=max(0.0, LIFETIME_SECONDS - remaining / 1000),
                took_seconds=_seconds(took),
                failure=None if failure is None or failure_remaining < 0 else read_error(failure),
                failure_remaining_seconds=failure_remaining / 1000,
                progress=_progress(progress),
            )
        except UnreadableError as error:
            self._drop(name, error)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            self._drop(name, error)
        return StoredState()

    def body(self, name: str, identity: str) -> list[Any]:
        """The body of a snapshot, as JSON values.

        Raises:
            UnreadableError: it is missing or unreadable.
        """
        body = self.ask(lambda: cast("bytes | None", self._client.hget(name, "body")), None)
        if body is None:
            raise UnreadableError("it has no body")
        return read_body(body, identity)

    def drop(self, name: str, why: Exception) -> None:
        """Remove an unreadable entry."""
        self.ask(lambda: self._drop(name, why), None)

    def _drop(self, name: str, why: Exception) -> None:
        _LOG.warning("The shared cache held an unreadable entry (%s); it is removed.", one_line(str(why)))
        self._client.delete(name, f"{name}:failed", f"{name}:progress")

    def listen(self, written: Callable[[str, str], None]) -> None:
        """Start a thread that calls ``written`` with the name and ``fetched_at`` of each snapshot written from now on.

        A snapshot that was withdrawn has ``-`` in place of a time.
        """
        self._listener = threading.Thread(target=self._listen, args=(written,), name="paiview-listen", daemon=True)
        self._listener.start()

    def _listen(self, written: Callable[[str, str], None]) -> None:
        while not self._closed.is_set():
            try:
                with PubSub(self._client.connection_pool, ignore_subscribe_messages=True) as channel:
                    channel.subscribe(CHANNEL)
                    while not self._closed.is_set():
                        message = channel.get_message(timeout=LISTEN_TIMEOUT_SECONDS)
                        # Each timeout without a response to the health check counts one.
                        if channel.health_check_response_counter * LISTEN_TIMEOUT_SECONDS > READ_TIMEOUT_SECONDS:
                            raise LostError("The health check of the listener got no response.")
                        if message is not None:
                            name, _, fetched_at = message["data"].decode(errors="replace").partition(" ")
                            written(name, fetched_at)
            except (RedisError, OSError):
                self._closed.wait(RETRY_AFTER_SECONDS)

    def pause(self) -> None:
        """Wait between two looks at the store."""
        self._closed.wait(POLL_SECONDS)

    def observe(self, outcome: str) -> None:
        """Report a read to the observers.

        Args:
            outcome: ``hit``, ``wait`` (for another process) or ``miss``; ``away`` is reported instead while the server
                is down.
        """
        for observer in self._observers:
            observer(outcome if self.is_up() else "away")

    def close(self) -> None:
        """Close the connections, once all requests have ended."""
        self._closed.set()
        with self._changed:
            self._changed.wait_for(lambda: not self._requests)
        if self._listener is not None:
            self._listener.join()
        self._client.close()

    def is_up(self) -> bool:
        """Whether the server responded last, or may be asked again."""
        with self._changed:
            return self._retry_at is None or time.monotonic() >= self._retry_at

    def ask(self, request: Callable[[], ResultT], otherwise: ResultT) -> ResultT:
        """Send a request, unless the server is down."""
        with self._changed:
            if self._closed.is_set():
                return otherwise
            retry_at = self._retry_at
            if retry_at is not None:
                if time.monotonic() < retry_at:
                    return otherwise
                # Only this thread tries: for the others the server is still down.
                self._retry_at = time.monotonic() + RETRY_AFTER_SECONDS
            self._requests += 1
        try:
            result = request()
        except LockError:
            return otherwise  # The lease has expired; the server responds.
        except (RedisError, OSError) as error:
            with self._changed:
                is_first, self._retry_at = self._retry_at is None, time.monotonic() + RETRY_AFTER_SECONDS
            if is_first:
                _LOG.warning("The shared cache is away, every process reads for itself: %s", one_line(str(error)))
            return otherwise
        finally:
            with self._changed:
                self._requests -= 1
                self._changed.notify_all()
        if retry_at is not None:
            with self._changed:
                self._retry_at = None
            _LOG.warning("The shared cache is back.")
        return result


class Lease:
    """The right to read, until it is released, or not renewed for ``LEASE_SECONDS``.

    Args:
        store: sends the requests.
        client: makes them.
        name: of the query.
        lock: the lease in the server; ``None`` if the server is down: then nothing is written.

    Attributes:
        progress: (pages done, pages in total), which each renewal publishes.
    """

    def __init__(self, store: SharedStore, client: Redis, name: str, lock: Lock | None) -> None:
        self.progress = (0, 0)
        self._store = store
        self._client = client
        self._name = name
        self._lock = lock
        self._renewal: threading.Thread | None = None
        self._share: Callable[[], None] | None = None
        self._ended = threading.Event()

    def renew(self) -> None:
        """Start a thread that renews the lease until it is released."""
        if self._lock is not None:
            self._renewal = threading.Thread(target=self._renew, args=(self._lock,), name="paiview-lease", daemon=True)
            self._renewal.start()

    def _renew(self, lock: Lock) -> None:
        def request() -> None:
            progress = "{} {}".format(*self.progress)
            self._client.set(f"{self._name}:progress", progress, px=_milliseconds(LEASE_SECONDS))
            lock.reacquire()

        while not self._ended.wait(RENEWAL_SECONDS):
            self._store.ask(request, None)
        self._release(lock)

    def write(
        self, head: Head, body: Callable[[], list[Any]], stored_identity: str | None, *, age_seconds: float
    ) -> None:
        """Share a snapshot, unless the lease has gone to another process: that one reads something newer.

        Args:
            head: of the snapshot.
            body: returns its JSON values.
            stored_identity: of the body in the store.
            age_seconds: since the read began.
        """
        lock = self._lock
        if lock is None:
            return
        values: dict[str, bytes] = {"head": pack_head(head), "took": str(_milliseconds(age_seconds)).encode()}
        if head.identity != stored_identity:
            if not self._store.is_up():
                return
            packed = pack_body(head.identity, body())
            if packed is None:
                _LOG.warning("A listing is too large to be shared.")
                return
            values["body"] = packed

        def request() -> None:
            if not lock.owned():
                return
            with self._client.pipeline() as pipeline:
                pipeline.hset(self._name, mapping=cast("Any", values))
                pipeline.pexpire(self._name, _milliseconds(LIFETIME_SECONDS - age_seconds))
                pipeline.delete(f"{self._name}:failed", f"{self._name}:progress")
                pipeline.publish(CHANNEL, f"{self._name} {head.fetched_at.isoformat()}")
                pipeline.execute()

        self._store.ask(request, None)

    def fail(self, error: PaiviewError, memory_seconds: float, *, withdraws: bool) -> None:
        """Share a failure.

        Args:
            error: how the read ended.
            memory_seconds: how long no process repeats the read.
            withdraws: whether the snapshot is removed.
        """
        lock = self._lock
        if lock is None:
            return

        def request() -> None:
            if not lock.owned():
                return
            with self._client.pipeline() as pipeline:
                pipeline.set(f"{self._name}:failed", pack_error(error), px=_milliseconds(memory_seconds))
                if withdraws:
                    pipeline.delete(self._name)
                    pipeline.publish(CHANNEL, f"{self._name} -")
                pipeline.execute()

        self._store.ask(request, None)

    def release(self, share: Callable[[], None] | None = None) -> None:
        """Let another process read.

        Args:
            share: writes the result first, in the thread that renews the lease: no reader waits for it.
        """
        self._share = share
        self._ended.set()
        if self._renewal is None and self._lock is not None:
            self._release(self._lock)

    def _release(self, lock: Lock) -> None:
        try:
            if self._share is not None:
                self._share()
        finally:
            self._store.ask(lock.release, None)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _seconds(milliseconds: bytes | None) -> float:
    digits = re.fullmatch(rb"\d{1,9}", milliseconds or b"")
    return int(digits[0]) / 1000 if digits else 0.0


def _progress(text: bytes | None) -> tuple[int, int]:
    match = re.fullmatch(rb"(\d{1,9}) (\d{1,9})", text or b"")
    return (int(match[1]), int(match[2])) if match else (0, 0)

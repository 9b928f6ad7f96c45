"""What one process has read, for all others: snapshots, failures and leases in a Redis or Valkey server.

Nothing here raises for the server: what it does not do in time is not done, and for ``AWAY`` seconds it is not asked
again. Every process then reads for itself.

For each query, under the name that ``paiview.registry.shared_format.name_of`` gives it, there are

- ``<name>``, a hash: the ``head`` of the newest snapshot, its ``body``, and the milliseconds that it ``took``,
- ``<name>:failed``, the error with which the last read ended, for as long as nothing is to be asked again,
- ``<name>:lease``, held by the one process that reads now, and ``<name>:progress``, how far it is.

Ages are what the server has counted down of ``LIFE``, so that no clock of a process is compared with another's.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
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
    FORMAT,
    Head,
    UnreadableError,
    pack_body,
    pack_error,
    pack_head,
    read_body,
    read_error,
)
from paiview.registry.shared_format import read_head as head_of
from paiview.text import one_line

LIFE: Final = 86_400.0
"""Seconds a snapshot is kept: a process that starts while PAI is away shows the last good one of up to a day ago."""
LEASE: Final = 5.0
"""Seconds after which another process reads in place of one that gives no sign of life."""
BEAT: Final = 0.5
"""Seconds between two signs of life, each with the progress."""
POLL: Final = 0.1
"""Seconds between two looks of a process that waits for another."""
AWAY: Final = 5.0
"""Seconds the server is not asked after it failed."""
CONNECT_TIMEOUT: Final = 0.5
READ_TIMEOUT: Final = 2.0
CHANNEL: Final = f"paiview:{FORMAT}:written"
"""Where each process tells the others what it has written."""
LISTENING: Final = 0.5
"""Seconds after which whoever listens looks whether it is to end."""
IDLE: Final = 10
"""Seconds after which a connection over which nothing came is tried: it may have been dropped without a word."""

observers: Final[set[Callable[[str], None]]] = set()
"""Called with the result of each read that asked the store: ``hit``, ``wait``, ``miss`` or ``away``."""

ResultT = TypeVar("ResultT")
_LOG = logging.getLogger(__name__)


class Seen(NamedTuple):
    """What is there for a query.

    Attributes:
        head: of the newest snapshot.
        age: seconds since the read of it began.
        took: seconds of these until it was there.
        failure: with what the last read ended.
        remaining: seconds until that is forgotten.
        progress: how far the process that reads is.
    """

    head: Head | None = None
    age: float = 0.0
    took: float = 0.0
    failure: PaiviewError | None = None
    remaining: float = 0.0
    progress: tuple[int, int] = (0, 0)


class Lease:
    """The right to read, until it is released, or not renewed for ``LEASE`` seconds."""

    def __init__(self, shared: "Shared", name: str, lock: Lock | None) -> None:
        self._shared = shared
        self._name = name
        self._lock = lock
        self._released = threading.Event()

    def renew(self, progress: Callable[[], tuple[int, int]]) -> None:
        """Keep it until it is released, and tell the others how far the read is."""
        if self._lock is not None:
            beating = (self._lock, progress)
            threading.Thread(target=self._beat, args=beating, name="paiview-lease", daemon=True).start()

    def _beat(self, lock: Lock, progress: Callable[[], tuple[int, int]]) -> None:
        while not self._released.wait(BEAT):
            self._shared.renew(self._name, lock, progress())

    def write(self, head: Head, content: Callable[[], list[Any]], known: str | None, *, age: float) -> None:
        """Give a snapshot to the other processes, unless another one reads by now: what that gives is newer.

        Args:
            head: of the snapshot.
            content: gives the JSON values it is made of.
            known: the identity of the content that is there already.
            age: seconds since the read of it began.
        """
        if self._lock is not None:
            self._shared.write(self._name, self._lock, head, content, known, age)

    def fail(self, error: PaiviewError, memory: float, *, withdrawn: bool) -> None:
        """Tell the other processes for ``memory`` seconds that a read failed, and what is not to be seen any more."""
        if self._lock is not None:
            self._shared.fail(self._name, self._lock, error, memory, withdrawn=withdrawn)

    def release(self) -> None:
        """Let another read."""
        self._released.set()
        if self._lock is not None:
            self._shared.release(self._lock)


class Shared:
    """Snapshots of several processes in one server.

    Args:
        url: redis, rediss (with TLS), valkey, valkeys or unix; options of the client may follow as a query.

    Raises:
        SettingError: the client can do nothing with the URL.
    """

    def __init__(self, url: SecretStr) -> None:
        try:
            self._client = Redis.from_url(
                re.sub("^valkey", "redis", url.get_secret_value()),
                socket_connect_timeout=CONNECT_TIMEOUT,
                socket_timeout=READ_TIMEOUT,
                health_check_interval=IDLE,
                # Once more, for a connection that the server closed while nobody used it.
                retry=Retry(NoBackoff(), 1, (LostError,)),
                protocol=2,
            )
            self._client.connection_pool.make_connection()
        except (ValueError, TypeError):
            raise SettingError("PAIVIEW_CACHE_URL has a part or an option that the client cannot use.") from None
        self._lock = threading.Condition()
        self._asking = 0
        self._away_until: float | None = None
        self._closed = threading.Event()
        self._listener: threading.Thread | None = None

    def lease(self, name: str) -> Lease | None:
        """The right to read, ``None`` while another process has it. Without a server every process has it."""

        def ask() -> Lease | None:
            lock = self._client.lock(f"{name}:lease", timeout=LEASE, thread_local=False)
            return Lease(self, name, lock) if lock.acquire(blocking=False) else None

        alone: Lease | None = Lease(self, name, None)
        return self._ask(ask, alone)

    def renew(self, name: str, lock: Lock, progress: tuple[int, int]) -> None:
        """Keep a lease, and tell the others how far the read is."""

        def ask() -> None:
            self._client.set(f"{name}:progress", "{} {}".format(*progress), px=_milliseconds(LEASE))
            lock.reacquire()

        self._ask(ask, None)

    def release(self, lock: Lock) -> None:
        """Give a lease up."""
        self._ask(lock.release, None)

    def look(self, name: str) -> Seen:
        """What is there for a query; nothing where the server is away, or where it is unreadable."""
        return self._ask(lambda: self._look(name), Seen())

    def _look(self, name: str) -> Seen:
        try:
            with self._client.pipeline() as asking:
                asking.hmget(name, "head", "took")
                asking.pttl(name)
                asking.get(f"{name}:failed")
                asking.pttl(f"{name}:failed")
                asking.get(f"{name}:progress")
                (head, took), life, failed, remaining, progress = asking.execute()
            return Seen(
                head=None if head is None else head_of(head),
                age=max(0.0, LIFE - life / 1000),  # Its clock may have been set back since.
                took=_seconds(took),
                failure=None if failed is None or remaining < 0 else read_error(failed),
                remaining=remaining / 1000,
                progress=_progress(progress),
            )
        except UnreadableError as error:
            self._drop(name, error)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            self._drop(name, error)
        return Seen()

    def content(self, name: str, identity: str) -> list[Any]:
        """The content of a snapshot, as JSON values.

        Raises:
            UnreadableError: it is not there, or not to be read.
        """
        body = self._ask(lambda: cast("bytes | None", self._client.hget(name, "body")), None)
        if body is None:
            raise UnreadableError("it has no body")
        return read_body(body, identity)

    def drop(self, name: str, why: Exception) -> None:
        """Remove what cannot be read."""
        self._ask(lambda: self._drop(name, why), None)

    def _drop(self, name: str, why: Exception) -> None:
        _LOG.warning("The shared cache held what cannot be read (%s); it is removed.", one_line(str(why)))
        self._client.delete(name, f"{name}:failed", f"{name}:progress")

    def write(
        self, name: str, lock: Lock, head: Head, content: Callable[[], list[Any]], known: str | None, age: float
    ) -> None:
        """``Lease.write`` of a query by its name."""
        fields: dict[str, bytes] = {"head": pack_head(head), "took": str(_milliseconds(age)).encode()}
        if head.identity != known:
            if not self._up():
                return
            body = pack_body(head.identity, content())
            if body is None:
                _LOG.warning("A listing is too large to be shared.")
                return
            fields["body"] = body

        def ask() -> None:
            if not lock.owned():
                return
            with self._client.pipeline() as asking:
                asking.hset(name, mapping=cast("Any", fields))
                asking.pexpire(name, _milliseconds(LIFE - age))
                asking.delete(f"{name}:failed", f"{name}:progress")
                asking.publish(CHANNEL, f"{name} {head.fetched_at.isoformat()}")
                asking.execute()

        self._ask(ask, None)

    def fail(self, name: str, lock: Lock, error: PaiviewError, memory: float, *, withdrawn: bool) -> None:
        """``Lease.fail`` of a query by its name."""

        def ask() -> None:
            if not lock.owned():
                return
            with self._client.pipeline() as asking:
                asking.set(f"{name}:failed", pack_error(error), px=_milliseconds(memory))
                if withdrawn:
                    asking.delete(name)
                    asking.publish(CHANNEL, f"{name} -")
                asking.execute()

        self._ask(ask, None)

    def listen(self, written: Callable[[str, str], None]) -> None:
        """Tell from now on, in a thread of its own, the name and the time of each snapshot that is written."""
        self._listener = threading.Thread(target=self._listen, args=(written,), name="paiview-listen", daemon=True)
        self._listener.start()

    def _listen(self, written: Callable[[str, str], None]) -> None:
        while not self._closed.is_set():
            try:
                with PubSub(self._client.connection_pool, ignore_subscribe_messages=True) as channel:
                    channel.subscribe(CHANNEL)
                    while not self._closed.is_set():
                        message = channel.get_message(timeout=LISTENING)
                        # While it is tried, each look asks once more.
                        if channel.health_check_response_counter * LISTENING > READ_TIMEOUT:
                            raise LostError("Nothing answers whoever listens.")
                        if message is not None:
                            name, _, fetched_at = message["data"].decode(errors="replace").partition(" ")
                            written(name, fetched_at)
            except (RedisError, OSError):
                self._closed.wait(AWAY)

    def pause(self) -> None:
        """Wait until it is worth another look."""
        self._closed.wait(POLL)

    def tell(self, result: str) -> None:
        """Count how a read went: ``hit``, ``wait`` for another process, ``miss``, or ``away``."""
        for observe in observers:
            observe(result if self._up() else "away")

    def close(self) -> None:
        """Leave the server, once nothing is asked of it any more."""
        self._closed.set()
        with self._lock:
            self._lock.wait_for(lambda: not self._asking)
        if self._listener is not None:
            self._listener.join()
        self._client.close()

    def _up(self) -> bool:
        with self._lock:
            return self._away_until is None or time.monotonic() >= self._away_until

    def _ask(self, work: Callable[[], ResultT], otherwise: ResultT) -> ResultT:
        """Ask the server, unless it is away."""
        with self._lock:
            if self._closed.is_set():
                return otherwise
            away = self._away_until
            if away is not None:
                if time.monotonic() < away:
                    return otherwise
                self._away_until = time.monotonic() + AWAY  # The others do not try while this one does.
            self._asking += 1
        try:
            result = work()
        except LockError:
            return otherwise  # The lease had lapsed; the server is there.
        except (RedisError, OSError) as error:
            with self._lock:
                first, self._away_until = self._away_until is None, time.monotonic() + AWAY
            if first:
                _LOG.warning("The shared cache is away, every process reads for itself: %s", one_line(str(error)))
            return otherwise
        finally:
            with self._lock:
                self._asking -= 1
                self._lock.notify_all()
        if away is not None:
            with self._lock:
                self._away_until = None
            _LOG.warning("The shared cache is back.")
        return result


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _seconds(data: bytes | None) -> float:
    said = re.fullmatch(rb"\d{1,9}", data or b"")
    return int(said[0]) / 1000 if said else 0.0


def _progress(data: bytes | None) -> tuple[int, int]:
    said = re.fullmatch(rb"(\d{1,9}) (\d{1,9})", data or b"")
    return (int(said[1]), int(said[2])) if said else (0, 0)

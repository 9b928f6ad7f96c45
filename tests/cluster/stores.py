"""A Redis server for tests: on a free port of loopback, without files."""

import os
import select
import signal
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.cluster.packages import program

PASSWORD: Final = "the-password-of-the-store"
START: Final = 10.0
"""Seconds a server may take to answer."""


class Store:
    """A redis-server, or valkey-server, that can be killed and started again under the same address."""

    def __init__(self, folder: Path) -> None:
        found = program("valkey-server") or program("redis-server")
        assert found, "neither valkey-server nor redis-server is installed"
        self._program = found
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Redis(port=self.port, password=PASSWORD, socket_timeout=START, retry=Retry(NoBackoff(), 0))

    @property
    def url(self) -> SecretStr:
        """What PAIVIEW_CACHE_URL holds."""
        return SecretStr(f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0")

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = {"port": self.port, "bind": "127.0.0.1", "requirepass": PASSWORD, "save": "", "appendonly": "no"}
        said = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self._process = subprocess.Popen([self._program, *said], cwd=self._folder, stdout=subprocess.DEVNULL)
        until = time.monotonic() + START
        while not self.answers():
            assert self._process.poll() is None, "the store ended"
            assert time.monotonic() < until, "the store does not answer"

    def answers(self) -> bool:
        """Whether it responds."""
        try:
            return bool(self.client.ping())
        except RedisError:
            return False

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it accept connections and not respond."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it respond again."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it, and close the client."""
        self.client.close()
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None


@contextmanager
def way_to(port: int) -> Iterator[tuple[int, Callable[[], None]]]:
    """Forward another port to this one; yields that port, and a function that blocks its open connections."""
    open_ones: set[socketserver.BaseRequestHandler] = set()
    silent: set[socketserver.BaseRequestHandler] = set()

    class Passing(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            open_ones.add(self)
            with socket.create_connection(("127.0.0.1", port)) as there:
                across = {self.request: there, there: self.request}
                while True:
                    for one in select.select(list(across), [], [])[0]:
                        data = one.recv(65_536)
                        if not data:
                            return
                        if self not in silent:
                            across[one].sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Passing) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1], lambda: silent.update(open_ones)
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def running_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store for the tests of one file."""
    store = Store(tmp_path_factory.mktemp("store"))
    try:
        store.start()
        yield store
    finally:
        store.close()


@pytest.fixture
def store(running_store: Store) -> Store:
    """A store that runs and is empty."""
    if not running_store.answers():
        running_store.start()
    running_store.client.flushall()
    return running_store

"""The processes of a deployment on free ports of the loopback: nginx by deploy/nginx.conf, dashboards behind it."""

import asyncio
import http.client
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.packages import program
from tests.cluster.stores import Store
from tests.cluster.waiting import LONGEST, until
from tests.harness.dashboard import LOOPBACK, ROOT, free_port
from tests.harness.service import Service

DEPLOY: Final = ROOT / "deploy"

ResultT = TypeVar("ResultT")


def apart(coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a coroutine in another thread: playwright runs an event loop in the main one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


class Answer(NamedTuple):
    """An HTTP response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(port: int, path: str, *, source: str = LOOPBACK, **headers: str) -> Answer:
    """Send one GET from an address of this machine; ``_`` stands for the ``-`` of a header."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=LONGEST, source_address=(source, 0))
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


class Replica:
    """One dashboard: a port, on which its processes run one after the other.

    Args:
        folder: where it works and writes its log.
        settings: its environment, besides that of this process.
        project: where paiview lies.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] = {}, project: Path = ROOT) -> None:
        self.port = free_port()
        self._folder = folder
        self._log = folder / f"{self.port}.log"
        self._environment = {**os.environ, "PYTHONPATH": str(project), "HOME": str(folder), **settings}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def said(self) -> str:
        """The output of its processes."""
        return self._log.read_text("utf-8") if self._log.exists() else ""

    @property
    def process_id(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def open_pages(self) -> float:
        metrics = ask(self.port, "/metrics", source="127.0.0.77").body.decode()
        return next(
            sample.value
            for family in text_string_to_metric_families(metrics)
            for sample in family.samples
            if sample.name == "paiview_open_pages"
        )

    @property
    def shares(self) -> bool:
        """Whether its log says last that the store is back, or never that it is away."""
        return self.said.rfind("shared cache is away") <= self.said.rfind("shared cache is back")

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "paiview", "dashboard", "--port", str(self.port)],
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal, and wait until the process has ended."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(LONGEST)

    def draws(self) -> bool:
        """Wait for a started process as systemd does; returns whether it draws a page."""
        unit = (DEPLOY / "paiview@.service").read_text("utf-8")
        [command] = re.findall(r"^ExecStartPost=(.*)$", unit, re.MULTILINE)
        words = shlex.split(command.replace("%i", str(self.port)))
        words[0] = program(Path(words[0]).name) or words[0]
        return subprocess.run(words, check=False, capture_output=True).returncode == 0


@contextmanager
def nginx(folder: Path, replicas: Sequence[Replica]) -> Iterator[int]:
    """Run nginx before three replicas, with the project's file and other ports and paths; yields its port."""
    port = free_port()
    scratch = (f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    replaced = {
        "/run/nginx.pid": f"{folder}/nginx.pid",
        "/var/log/nginx/access.log": f"{folder}/access.log",
        "/var/log/nginx/error.log": f"{folder}/error.log",
        "listen 80;": f"listen {LOOPBACK}:{port};",
        "http {": " ".join(["http {", *scratch]),
        **{f"{LOOPBACK}:850{number}": replica.address for number, replica in enumerate(replicas, 1)},
    }
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    for old, new in replaced.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    configuration = folder / "nginx.conf"
    configuration.write_text(text, encoding="utf-8")
    path = program("nginx")
    assert path is not None, "make test-cluster installs nginx"
    command = [path, "-e", str(folder / "error.log"), "-c", str(configuration), "-g", "daemon off;"]
    process = subprocess.Popen(command)
    try:
        until(lambda: process.poll() is not None or (folder / "nginx.pid").exists(), "nginx listens")
        assert process.poll() is None, (folder / "error.log").read_text("utf-8")
        yield port
    finally:
        process.terminate()
        process.wait(LONGEST)


@dataclass
class Cluster:
    """Three dashboards behind nginx, and what they read from.

    Attributes:
        port: of nginx.
        replicas: the dashboards.
        store: what they share what they read in.
        service: what they all read, and count.
        folder: logs and scratch.
    """

    port: int
    replicas: tuple[Replica, ...]
    store: Store
    service: Service
    folder: Path
    _cookies: dict[int, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def ask(self, path: str, *, source: str = LOOPBACK, **headers: str) -> Answer:
        """Send a GET to nginx."""
        return ask(self.port, path, source=source, **headers)

    def asked(self, mark: str, requests: int = 1) -> list[str]:
        """The processes to which nginx sent the requests with this mark in their path, such as 127.0.0.1:8501."""
        log = self.folder / "access.log"

        def noted() -> list[str]:
            lines = [line for line in log.read_text("utf-8").splitlines() if mark in line]
            return lines if len(lines) >= requests else []

        found = (re.search(r'" \d{3} \d+ [\d.]+ (.*) [\d, -]+$', line) for line in until(noted, "nginx notes requests"))
        return [address for match in found if match for address in match[1].split(", ")]

    def reached(self, cookie: str) -> Replica:
        """The replica that responds to a request with this cookie now."""
        mark = secrets.token_hex(8)
        assert self.ask(f"/healthz?{mark}", cookie=f"paiview={cookie}").status == 200
        address = self.asked(mark)[-1]
        return next(replica for replica in self.replicas if replica.address == address)

    def cookie(self, replica: Replica) -> str:
        """A cookie that leads to a replica while it runs."""
        while replica.port not in self._cookies:
            tried = secrets.token_hex(16)
            self._cookies.setdefault(self.reached(tried).port, tried)
        return self._cookies[replica.port]

    def headers(self, replica: Replica) -> dict[str, str]:
        return {"cookie": f"paiview={self.cookie(replica)}"}

    def restart(self) -> int:
        """Restart all with the project's script, and a systemctl for these processes; returns its exit code."""
        ports = [str(replica.port) for replica in self.replicas]
        with _systemctl(self.folder, self.replicas) as path:
            environment = os.environ | {"PATH": f"{path}:{os.environ['PATH']}"}
            return subprocess.run([str(DEPLOY / "rolling-restart"), *ports], env=environment, check=False).returncode

    def made_whole(self) -> None:
        """Start replicas that do not run, and wait until every cookie leads to its own replica again."""
        if not self.store.answers():
            self.store.start()
        ended = [replica for replica in self.replicas if not replica.runs]
        for replica in ended:
            replica.start()
        for replica in ended:
            assert replica.draws(), replica.said
        for replica in self.replicas:
            until(partial(self._leads_to, self.cookie(replica), replica), "nginx asks it again")

    def _leads_to(self, cookie: str, replica: Replica) -> bool:
        return self.reached(cookie) is replica


@contextmanager
def _systemctl(folder: Path, replicas: Sequence[Replica]) -> Iterator[Path]:
    """Yield a folder with a ``systemctl`` that restarts the replicas as the unit does."""

    class Restart(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            replica = next(replica for replica in replicas if self.path == f"/restart/paiview@{replica.port}")
            replica.end()
            replica.start()
            self.send_response(200 if replica.draws() else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Restart) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        script = folder / "bin" / "systemctl"
        script.parent.mkdir(exist_ok=True)
        url = f"http://{LOOPBACK}:{server.server_address[1]}/$1/$2"
        script.write_text(f'#!/bin/sh\nexec {program("curl")} -sf "{url}"\n', encoding="utf-8")
        script.chmod(0o755)
        try:
            yield script.parent
        finally:
            server.shutdown()

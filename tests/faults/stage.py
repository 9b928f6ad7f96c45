"""One fault in one situation, played through the real page over real sockets, and what came of it."""

import asyncio
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.synchronize import Barrier
from typing import Any, Final, Self

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from paiview.pai import transport
from paiview.pai.credentials import StaticCredentials
from paiview.pai.errors import PaiviewError
from paiview.registry import cache, connection
from paiview.registry.connection import connect, disconnect
from paiview.settings import Settings
from tests.faults.matrix import FAULTS, MODEL, PAGE_SIZE, VERSIONS, Fault, Way, names_in
from tests.harness.dashboard import ROOT
from tests.harness.server import Reply, Request, Responder, Server
from tests.harness.service import Service
from tests.pages.conftest import reported

LISTING: Final = f"/api/v1/models/{MODEL}/versions"
SESSIONS: Final = 20
MARGIN: Final = 10.0
"""Seconds beyond the deadline that a busy machine may take to draw a page; what is not bounded takes for ever."""


class Situation(StrEnum):
    """When a fault begins."""

    FIRST = "first load"
    REFRESH = "refresh with a good snapshot"
    CROWD = "while 20 sessions wait"


@dataclass(frozen=True)
class Limits:
    """The time limits of the settings, and the wait before the first retry; seconds."""

    deadline: float
    read_timeout: float
    connect_timeout: float
    first_wait: float


def _default(name: str) -> float:
    return float(Settings.model_fields[name].default)


REAL: Final = Limits(
    _default("deadline"), _default("read_timeout"), _default("connect_timeout"), transport.FIRST_RETRY_WAIT_SECONDS
)


@dataclass(frozen=True)
class Outcome:
    """What came of a fault.

    Attributes:
        told: what the page reports.
        seconds: how long the page, or the slowest of the sessions, took.
        over: seconds until nothing was asked any more.
        requests: sent while the fault was there.
        most: of them for the same page of the listing.
        strayed: of them to another place than the API's.
        shown: versions on the page.
        lost: versions that had come and are not on the page.
        sessions: how many versions each of the sessions got, a number each time it differs.
    """

    told: str
    seconds: float
    over: float
    requests: int
    most: int
    strayed: int
    shown: int
    lost: int
    sessions: frozenset[int]


class Stage:
    """A service with one model, the way to it, and the pages over both."""

    def __init__(self, fault: Fault, limits: Limits) -> None:
        self._fault = fault
        self._limits = limits
        self._healthy = Service(models=[{"ModelId": MODEL, "ModelName": "a"}], versions={MODEL: VERSIONS})
        self._answers: Responder = self._healthy
        self._broken = False
        self._counting = False
        self._gate = threading.Event()
        self._gate.set()
        self._lock = threading.Lock()
        self._asked: Counter[int | str] = Counter()
        self._sent = 0
        self._strayed = 0
        self._received: set[str] = set()
        self._closing = ExitStack()
        self._serving = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self._serving.close)
            server = self._serving.enter_context(Server(self._respond))
            undo.callback(self._gate.set)
            patch = undo.enter_context(pytest.MonkeyPatch.context())
            self._port = server.port
            host = "localhost" if self._fault.way is Way.UNKNOWN_HOST else "127.0.0.1"
            patch.setenv("PAIVIEW_ENDPOINT", f"http://{host}:{self._port}")
            patch.setenv("PAIVIEW_PAGE_SIZE", str(PAGE_SIZE))
            for name in ("deadline", "read_timeout", "connect_timeout"):
                patch.setenv(f"PAIVIEW_{name.upper()}", str(getattr(self._limits, name)))
            patch.setattr(transport, "FIRST_RETRY_WAIT_SECONDS", self._limits.first_wait)
            patch.setattr(connection, "from_chain", lambda: StaticCredentials("key", "secret", "token"))
            patch.setattr(socket, "getaddrinfo", self._looked_up(socket.getaddrinfo))
            disconnect()
            undo.callback(disconnect)
            transport.observers.add(self._observe)
            undo.callback(transport.observers.discard, self._observe)
            st.cache_resource.clear()
            st.cache_data.clear()
            self._closing = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def break_down(self) -> None:
        """Let the fault begin."""
        self._answers = self._fault.answers() if self._fault.answers else self._healthy
        self._broken = self._counting = True
        if self._fault.way is not Way.SERVED:
            self._serving.close()
            self._serving.enter_context(_dead_end(self._port, accepting=self._fault.way is Way.NOT_ACCEPTED))

    def open(self) -> AppTest:
        """Open the page."""
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=self._limits.deadline + 60)
        for name, value in {"model": MODEL, **self._fault.parameters}.items():
            app.query_params[name] = value
        return _whole(app.switch_page(f"pages/{self._fault.page}.py").run())

    def refresh(self, app: AppTest) -> AppTest:
        """Press Refresh."""
        return _whole(app.button(key="refresh").click().run())

    def crowd(self) -> frozenset[int]:
        """Read as many sessions do at once; the service answers when all of them wait."""
        self._gate.clear()
        waiting: set[int] = set()
        got: list[int] = []
        layer = connect()

        def read(number: int) -> None:
            def progress(_done: int, _total: int) -> None:
                waiting.add(number)
                if len(waiting) == SESSIONS:
                    self._gate.set()

            with cache.reading():
                try:
                    got.append(len(layer.versions(MODEL, progress=progress).versions))
                except PaiviewError:
                    got.append(0)

        threads = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(SESSIONS)]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + self._limits.deadline + MARGIN
        for thread in threads:
            thread.join(max(ends - time.monotonic(), 0))
        self._gate.set()
        return frozenset(got if len(got) == SESSIONS else [*got, -1])

    def settle(self) -> None:
        """Wait for the reads and requests that a page or a read may have given up; later ones do not count."""
        ends = time.monotonic() + self._limits.deadline + MARGIN
        for name in ("paiview-read", "paiview-request"):
            for thread in threading.enumerate():
                if thread.name == name:
                    thread.join(max(ends - time.monotonic(), 0))
        self._counting = False

    def outcome(self, app: AppTest, seconds: float, over: float, sessions: frozenset[int]) -> Outcome:
        """What can be seen and counted now."""
        shown = _versions_shown(app)
        with self._lock:
            return Outcome(
                # Without the marks that keep Markdown from reading it.
                told=re.sub(r"\\(.)", r"\1", reported(app)),
                seconds=seconds,
                over=over,
                requests=self._sent,
                most=max(self._asked.values(), default=0),
                strayed=self._strayed,
                shown=shown,
                lost=max(len(self._received) - shown, 0),
                sessions=sessions,
            )

    async def _respond(self, request: Request) -> Reply:
        if request.path != LISTING:
            self._strayed += not request.path.startswith("/api/v1/")
            return await self._healthy(request)
        if self._counting:
            with self._lock:
                self._asked[request.page] += 1
        await asyncio.to_thread(self._gate.wait)
        answer = await self._answers(request)
        self._received |= names_in(answer)
        return answer

    def _observe(self, operation: str, _outcome: str, _seconds: float) -> None:
        """Count what is tried: where nothing is served, no server sees it."""
        with self._lock:
            below = self._fault.way is not Way.SERVED
            self._sent += self._counting and (below or operation == "ListModelVersions")
            if self._counting and below:
                self._asked[operation] += 1

    def _looked_up(self, really: Callable[..., Any]) -> Callable[..., Any]:
        def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
            if self._broken and self._fault.way is Way.UNKNOWN_HOST and host in ("localhost", b"localhost"):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return really(host, *arguments, **options)

        return look_up


def play(fault: Fault, situation: Situation, limits: Limits) -> Outcome:
    """Let a fault happen."""
    with Stage(fault, limits) as stage:
        sessions: frozenset[int] = frozenset()
        app = stage.open() if situation is Situation.REFRESH else None
        stage.break_down()
        began = time.monotonic()
        if situation is Situation.CROWD:
            sessions = stage.crowd()
        else:
            app = stage.open() if app is None else stage.refresh(app)
        seconds = time.monotonic() - began
        stage.settle()
        over = time.monotonic() - began
        return stage.outcome(app or stage.open(), seconds, over, sessions)


def warm_up(all_warm: Barrier) -> None:
    """Import and draw once what the first page of a process would wait for, then wait for the other processes."""
    capped = next(fault for fault in FAULTS if fault.name == "page cap below what was asked")
    play(capped, Situation.FIRST, REAL)
    all_warm.wait()


def play_numbered(index: int, situation: Situation) -> Outcome:
    """Let a fault happen that another process names by its place in ``FAULTS``, under the real limits."""
    return play(FAULTS[index], situation, REAL)


def _whole(app: AppTest) -> AppTest:
    assert [item.value for item in app.exception] == []
    return app


def _versions_shown(app: AppTest) -> int:
    """How many versions the page says it shows; on a page with their table, they stand there."""
    said = re.search(r"(\d+) of \d+ version", "\n".join(str(item.value) for item in app.markdown))
    count = int(said[1]) if said else 0
    tables = [frame.value for frame in app.dataframe if "version" in frame.value.columns]
    if tables and "status" in tables[0].columns:
        assert len(set(tables[0]["version"])) == count
    return count


@contextmanager
def _dead_end(port: int, *, accepting: bool) -> Iterator[None]:
    """Take a port at which nobody listens, or whose queue is full and is not emptied."""
    with ExitStack() as sockets:
        taken = sockets.enter_context(closing(socket.socket()))
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        if accepting:
            taken.listen(0)
            for _ in range(4):
                waiting = sockets.enter_context(closing(socket.socket()))
                waiting.setblocking(False)
                waiting.connect_ex(taken.getsockname())
        yield


def faults_of(fault: Fault, situation: Situation, limits: Limits, outcome: Outcome) -> list[str]:
    """What is not as it is to be; nothing when all is."""
    refreshed = situation is Situation.REFRESH
    shown = fault.kept if refreshed else fault.shown
    says = [text.format(deadline=limits.deadline) for text in fault.says]
    if refreshed and shown and not fault.shown:
        says.append("reading it again failed")
    bound = limits.deadline + MARGIN
    checks = {
        f"It says {says}, not {outcome.told!r}": all(text in outcome.told for text in says),
        f"It says {outcome.told!r} where nothing is wrong": bool(says) or outcome.told == "",
        f"It shows {outcome.shown} versions, not {shown}": outcome.shown == shown,
        f"{outcome.lost} received versions are lost": outcome.lost == fault.lost(after_good=refreshed),
        f"The sessions got {set(outcome.sessions)} versions": outcome.sessions <= {fault.shown},
        f"It took {outcome.seconds:.1f} s": outcome.seconds <= bound,
        f"It asked for {outcome.over:.1f} s": outcome.over <= bound,
        f"It asked {outcome.most} times for a page": outcome.most <= fault.tries,
        f"It asked {outcome.strayed} times elsewhere": outcome.strayed == 0,
        f"{outcome.sessions} sessions": bool(outcome.sessions) is (situation is Situation.CROWD),
    }
    return [sentence for sentence, holds in checks.items() if not holds]

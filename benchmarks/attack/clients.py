"""Attacks with HTTP requests, and with reads of the service that they cause."""

import asyncio
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from websockets.exceptions import WebSocketException

from benchmarks.attack.outcome import AttackResult
from benchmarks.attack.target import BENCH_VERSIONS, LISTING, Target, checked, embedded, live, pai, running, with_faults
from benchmarks.attack.wire import ATTACKER, fetch, request
from benchmarks.frames import answer
from benchmarks.soak import sample
from paiview.server.guard import MAX_BURST_REQUESTS, REQUESTS_PER_SECOND
from tests.harness.server import Act, Reply, Request, reply
from tests.harness.service import Service
from tests.harness.sessions import Session

SECONDS: Final = 15.0
"""How long an attack goes on."""
PAI_RATE: Final = {"PAIVIEW_RATE_LIMIT": "20"}
"""The default towards the real PAI; a service on loopback has no limit by default."""
FRESH: Final = "/api/models/model-fresh-{n}/versions"
"""What the other reader asks for where it counts that models are read which nobody has read before."""
CANDIDATES: Final = 1_000
AT_ONCE: Final = 50
"""Candidates of one comparison."""
LOOKS: Final = 40
LARGE: Final = 5_000
HUGE: Final = 20_000
UNREAD: Final = 150
UNREAD_SECONDS: Final = 18.0
"""After which no unread answer is to be open."""
OTHERS_FILES: Final = 8
"""Files and sockets that the dashboard may open meanwhile for the other reader, and for connections to the service."""
FLOOD_CONNECTIONS: Final = 48
FLOOD_CLIENTS: Final = 500
FORGED: Final = 150
BODY_MEGABYTES: Final = 512
STOP_SECONDS: Final = 18.0
"""From SIGTERM to the end; the unit kills the process after 20 s."""


async def repeated(act: Callable[[int], Awaitable[None]], per_second: float, seconds: float = SECONDS) -> None:
    """Do something so many times a second, whether or not the last time has ended; 0 is once after the other."""
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as tasks:
        for number in count():
            if time.monotonic() >= until:
                return
            if per_second:
                tasks.create_task(_tried(act(number)))
                await asyncio.sleep(1 / per_second)
            else:
                await _tried(act(number))


async def _tried(act: Awaitable[None]) -> None:
    # What the attacker is refused is no fault.
    with suppress(OSError, TimeoutError, WebSocketException):
        await act


def status_counts(answers: "Counter[int]") -> str:
    """Statuses with their number."""
    return ", ".join(f"{number:,} x {status or 'cut off'}" for status, number in sorted(answers.items()))


class Fresh(Service):
    """PAI with ``model-bench``, ``model-target`` with many versions, and any number of models of five versions."""

    def __init__(self) -> None:
        target = answer(CANDIDATES)
        super().__init__(
            models=[
                {"ModelId": "model-bench", "ModelName": "bench"},
                {"ModelId": "model-target", "ModelName": "target"},
            ],
            versions={"model-bench": answer(BENCH_VERSIONS), "model-target": target},
        )
        self._few = answer(5)

    async def __call__(self, request: Request) -> Reply:
        """Answer one request; versions of ``model-hung`` never come."""
        match request.path.removeprefix("/api/v1/").split("/"):
            case ["models", "model-hung"]:
                return reply({"ModelId": "model-hung", "ModelName": "hung"})
            case ["models", "model-hung", "versions", *_]:
                return (Act.HANG,)
            case ["models", name, "versions"] if name.startswith("model-fresh-"):
                return reply({"Versions": self._few, "TotalCount": len(self._few), "RequestId": "R-good"})
            case _:
                return await super().__call__(request)


@live(
    4,
    "Reads of PAI by other candidates each time",
    pai(Fresh, **PAI_RATE),
    api=FRESH,
    warm=("/api/models/model-target/versions",),
    aftermath_seconds=15,
)
async def candidates(target: Target) -> AttackResult:
    """Compare 50 other candidates with each run of a page, in three tabs, and ask for ten decisions a second."""
    answers: Counter[int] = Counter()
    runs = refused_runs = 0
    names = [f"{place // 100}.{place % 100}.0" for place in range(CANDIDATES)]

    async def compare(number: int) -> None:
        nonlocal runs, refused_runs
        async with Session(target.url, source=ATTACKER) as session:
            for turn in count(number):
                chosen = [names[(turn * AT_ONCE + place) % CANDIDATES] for place in range(AT_ONCE)]
                run = await session.open("compare", model="model-target", candidate=chosen)
                runs += 1
                refused_runs += "more than its share" in run.text

    async def decide(number: int) -> None:
        path = f"/api/models/model-target/decision?candidate={names[-number % CANDIDATES]}"
        answers[(await fetch(target.url, path)).status] += 1

    async with asyncio.TaskGroup() as tasks:
        pages = [tasks.create_task(_tried(compare(7 * number))) for number in range(3)]
        await repeated(decide, 10)
        for page in pages:
            page.cancel()
    effect = f"{runs} runs, {refused_runs} refused for its share; decisions: {status_counts(answers)}"
    return AttackResult(
        f"Compare with {AT_ONCE} other candidates in 3 tabs, 10 decisions/s, {SECONDS:g} s; PAI at 20/s", effect
    )


@live(5, "One model that hangs", pai(Fresh, **PAI_RATE), api=FRESH, aftermath_seconds=20)
async def hung(target: Target) -> AttackResult:
    """Look at a model that never answers, with 40 filters at once."""
    seconds: list[float] = []

    async def look(number: int) -> None:
        async with Session(target.url, source=ATTACKER) as session:
            run = await session.open("versions", model="model-hung", version_name=f"1.{number}.0")
            seconds.append(run.seconds)

    async with asyncio.TaskGroup() as tasks:
        for number in range(LOOKS):
            tasks.create_task(_tried(look(number)))
    effect = f"{len(seconds)} pages with an error after {min(seconds):.1f} to {max(seconds):.1f} s"
    return AttackResult(f"{LOOKS} filters on a model that never answers, at once", effect)


@live(
    6,
    "Whole listings by the API",
    embedded({"large": answer(LARGE)}),
    warm=("/api/models/model-large/versions",),
)
async def listings(target: Target) -> AttackResult:
    """Ask for a listing of 5,000 versions nine times a second, and read it."""
    answers: Counter[int] = Counter()
    seconds: list[float] = []

    async def ask(_: int) -> None:
        answer = await fetch(target.url, "/api/models/model-large/versions")
        answers[answer.status] += 1
        seconds.append(answer.seconds)

    await repeated(ask, 9)
    return AttackResult(
        f"a listing of {LARGE:,} versions, 9 times a second for {SECONDS:g} s",
        f"{status_counts(answers)}; {max(seconds):.2f} s at worst",
    )


@live(
    7,
    "Answers that nobody reads",
    embedded({"huge": answer(HUGE)}),
    warm=("/api/models/model-huge/versions",),
)
async def unread(target: Target) -> AttackResult:
    """Ask 150 times for a listing of 20,000 versions, and read none."""
    sockets: list[socket.socket] = []
    before = sample(target.process_id, 0.0).files

    async def ask(_: int) -> None:
        sockets.append(_unread(target.url, "/api/models/model-huge/versions"))

    await repeated(ask, UNREAD / SECONDS)
    await asyncio.sleep(UNREAD_SECONDS)
    # A client that reads nothing does not see that it was cut off.
    left = max(sample(target.process_id, 0.0).files - before - OTHERS_FILES, 0)
    for each in sockets:
        each.close()
    faults = (f"{left} connections are still open after {UNREAD_SECONDS:g} s",) if left else ()
    return AttackResult(
        f"{len(sockets)} requests in {SECONDS:g} s for a listing of {HUGE:,} versions, unread",
        f"{max(len(sockets) - left, 0)} of {len(sockets)} connections ended within {UNREAD_SECONDS:g} s",
        faults,
    )


def _unread(url: str, path: str) -> socket.socket:
    """A connection on which a request was sent, and nothing is read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.bind((ATTACKER, 0))
    connection.connect(("127.0.0.1", urlsplit(url).port))
    connection.sendall(request(url, path))
    return connection


@checked(8, "SIGTERM with clients that read nothing")
def termination() -> AttackResult:
    """End the dashboard while clients keep answers, headers and WebSockets open."""
    with ExitStack() as left, running(embedded({"huge": answer(HUGE)})) as target:
        asyncio.run(fetch(target.url, "/api/models/model-huge/versions"))
        script = next(path for path in _scripts(asyncio.run(fetch(target.url, "/")).body))
        for path in ("/api/models/model-huge/versions", script):
            left.callback(_unread(target.url, path).close)
        half = left.enter_context(socket.create_connection(("127.0.0.1", urlsplit(target.url).port)))
        half.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A")
        left.callback(_silent_tab(target.url).close)
        time.sleep(1)
        start = time.monotonic()
        os.kill(target.process_id, signal.SIGTERM)
        while _is_alive(target.process_id) and time.monotonic() < start + 40:
            time.sleep(0.05)
        seconds = time.monotonic() - start
        faults = () if seconds <= STOP_SECONDS else (f"it ended {seconds:.0f} s after the signal",)
        sent = "an API answer of 24 MB and a script unread, half of a header, a silent WebSocket, then SIGTERM"
        return with_faults(AttackResult(sent, f"the process ended after {seconds:.1f} s", faults), target)


def _scripts(page: bytes) -> list[str]:
    """The paths of the scripts of a page."""
    return [part.split('"', 1)[0].lstrip(".") for part in page.decode().split('src="')[1:]]


def _silent_tab(url: str) -> socket.socket:
    """A WebSocket over which nothing is sent."""
    connection = socket.create_connection(("127.0.0.1", urlsplit(url).port))
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "streamlit",
    }
    connection.sendall(request(url, "/_stcore/stream", upgrade).replace(b"Connection: close\r\n", b""))
    return connection


def _is_alive(process_id: int) -> bool:
    """Whether a process runs: one that has ended stays as a zombie until its parent asks."""
    stat = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii")
    return stat.rpartition(")")[2].split()[0] != "Z"


@live(9, "Body for the embedded registry without a signature", embedded())
async def bodies(target: Target) -> AttackResult:
    """Send 512 MB to the registry on each of three connections: without a signature, with a wrong one, as a page."""
    port = _listening_ports(target.process_id).difference({urlsplit(target.url).port or 0}).pop()
    heads = {
        "no signature": ("127.0.0.1", ""),
        "a wrong one": (
            "127.0.0.1",
            f"Authorization: ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature={'0' * 64}\r\n",
        ),
        "a foreign Host": ("evil.example", "Origin: https://evil.example\r\n"),
    }
    sent = await asyncio.gather(*(asyncio.to_thread(_send_body, port, host, more) for host, more in heads.values()))
    parts = zip(heads, sent, strict=True)
    effect = "; ".join(f"{name}: {status}, {megabytes:.0f} MB thrown away" for name, (megabytes, status) in parts)
    faults = () if all(status in ("400", "404", "cut off") for _, status in sent) else ("a body is read",)
    return AttackResult(f"3 x {BODY_MEGABYTES} MB by POST to its port", effect, faults)


def _send_body(port: int, host: str, more: str) -> tuple[float, str]:
    """Send a body; returns the MB that were taken, and the status."""
    megabyte, taken = b"x" * 2**20, 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = f"POST /api/v1/models HTTP/1.1\r\nHost: {host}\r\nContent-Length: {BODY_MEGABYTES * 2**20}\r\n{more}\r\n"
        connection.sendall(head.encode())
        with suppress(OSError):
            while taken < BODY_MEGABYTES:
                connection.sendall(megabyte)
                taken += 1
        try:
            status = connection.recv(64).split(b" ", 2)[1].decode()
        except (OSError, IndexError):
            status = "cut off"
    return float(taken), status


def _listening_ports(process_id: int) -> set[int]:
    """The ports on which a process listens (Linux)."""
    names = [str(file.readlink()) for file in Path(f"/proc/{process_id}/fd").iterdir()]
    inodes = {name.removeprefix("socket:[").removesuffix("]") for name in names if name.startswith("socket:[")}
    rows = [line.split() for line in Path(f"/proc/{process_id}/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return {int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in inodes}


@live(21, "Forged X-Forwarded-For", embedded(PAIVIEW_TRUSTED_PROXIES="127.0.0.1"))
async def forged(target: Target) -> AttackResult:
    """Send 150 requests at once, each for another client, from an address that is no proxy, and from one that is."""

    async def passed(source: str) -> int:
        answers = await asyncio.gather(
            *(
                fetch(target.url, "/metrics", source, {"X-Forwarded-For": f"10.0.{number // 250}.{number % 250}"})
                for number in range(FORGED)
            )
        )
        return sum(answer.status == 200 for answer in answers)

    start = time.monotonic()
    stranger = await passed(ATTACKER)
    allowed = MAX_BURST_REQUESTS + REQUESTS_PER_SECOND * (time.monotonic() - start) + 1
    proxy = await passed("127.0.0.1")
    faults = () if stranger <= allowed else (f"{stranger} of {FORGED} passed, where {allowed:.0f} are allowed",)
    effect = f"{stranger} passed from an address that is no proxy; {proxy} from a trusted one, as documented"
    return AttackResult(f"{FORGED} requests at once, each with another address", effect, faults)


@live(22, "Many clients at once", embedded())
async def flood(target: Target) -> AttackResult:
    """Ask for listings, decisions and metrics as fast as possible, each time from another of 500 addresses."""
    answers = await flooded(target.url, SECONDS)
    return AttackResult(
        f"listings, metrics and decisions of {FLOOD_CLIENTS} addresses, {FLOOD_CONNECTIONS} at a time, {SECONDS:g} s",
        f"{status_counts(answers)}; {answers.total() / SECONDS:.0f} a second",
    )


async def flooded(url: str, seconds: float) -> "Counter[int]":
    """Ask as fast as possible, each time from another address; returns the statuses."""
    answers: Counter[int] = Counter()
    paths = (LISTING, "/metrics", "/api/models/model-bench/decision?candidate=1.98.0", "/api/models")

    async def ask(worker: int) -> None:
        async def once(number: int) -> None:
            client = (worker + FLOOD_CONNECTIONS * number) % FLOOD_CLIENTS
            source = f"127.1.{client // 250}.{client % 250 + 1}"
            answers[(await fetch(url, paths[number % len(paths)], source)).status] += 1

        await repeated(once, 0, seconds)

    await asyncio.gather(*(ask(worker) for worker in range(FLOOD_CONNECTIONS)))
    return answers

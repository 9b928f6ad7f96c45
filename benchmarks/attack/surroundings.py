"""Attacks from what surrounds the dashboard: its files, its log, the shared cache, the service and the access key."""

import asyncio
import gzip
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from pydantic_core import from_json, to_json
from redis import Redis
from websockets.exceptions import InvalidStatus

from benchmarks.attack.clients import Fresh
from benchmarks.attack.outcome import AttackResult
from benchmarks.attack.target import (
    LISTING,
    NotMeasuredError,
    Target,
    checked,
    embedded,
    live,
    pai,
    plain_environment,
    running,
)
from benchmarks.attack.wire import ATTACKER, fetch
from tests.cluster.packages import program
from tests.cluster.stores import Store
from tests.harness.dashboard import ROOT
from tests.harness.server import Act, Reply, Request, Server, reply
from tests.harness.sessions import Session, tab

PLACE: Final = "secret-place"
"""Part of the path of files that no reader may see."""
PAGES: Final = ("", "versions", "trends", "compare")
API: Final = (LISTING, "/api/models", "/api/models/model-bench/decision?candidate=1.98.0")
GOOD: Final = '[metrics.cer]\ndirection = "lower"\n'
BROKEN: Final = '[metrics.cer]\ndirection = "sideways"\n= broken'
FORGED: Final = "all is well"
FORGED_TIME: Final = "2026-01-01 00:00:00"
INJECTED: Final = f"x\n{FORGED_TIME} ERROR paiview: {FORGED}\r\n\x1b[2J\x1b]0;owned\x07"
OBJECTS: Final = 5_000_000
"""Empty objects of one body in the shared cache: 15 MB of text."""
ALLOWED_OBJECTS: Final = 1_000_000
"""About as many as pass the bound of values with room to spare."""
SHARED_SECONDS: Final = 6.0
"""For which each body is written again and again."""
BOMB_MEGABYTES: Final = 1_000
LAYER_MEGABYTES: Final = 200
DEADLINE_SECONDS: Final = 15.0
"""The default of PAIVIEW_DEADLINE."""
MARGIN_SECONDS: Final = 3.0
ENDLESS_MEGABYTES: Final = 500
DISK: Final = "200k"


@checked(14, "Paths of the server")
def paths() -> AttackResult:
    """Break the file of settings and the folder of the data, and look for the path in every page and answer."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, PLACE)
        place.mkdir()
        config, data = place / "paiview.toml", place / "data"
        config.write_text(GOOD, encoding="utf-8")
        data.write_text("no folder", encoding="utf-8")
        leaks = []
        for settings in ({"PAIVIEW_CONFIG": str(config)}, {"PAIVIEW_DATA_DIR": str(data)}):
            with running(embedded(**settings)) as target:
                config.write_text(BROKEN, encoding="utf-8")
                leaks += [f"{where} with {name}" for name in settings for where in asyncio.run(_leaks(target))]
                config.write_text(GOOD, encoding="utf-8")
    faults = (f"the path is in {', '.join(leaks)}",) if leaks else ()
    effect = f"named in {len(leaks)} of {2 * (len(PAGES) + len(API))} pages and answers"
    return AttackResult("a broken paiview.toml, and a file as PAIVIEW_DATA_DIR", effect, faults)


async def _leaks(target: Target) -> list[str]:
    """Where the path is shown."""
    found = []
    async with Session(target.url, source=ATTACKER) as session:
        for page in PAGES:
            run = await session.open(page, **({"model": "model-bench"} if page else {}))
            found += [f"page {page or 'models'}"] if _names_place(run.raw) else []
    for path in API:
        found += [path] if _names_place((await fetch(target.url, path)).body) else []
    return found


def _names_place(text: bytes | bytearray) -> bool:
    """Whether the path stands there, also where characters are escaped for Markdown."""
    return PLACE.encode() in text.replace(b"\\", b"")


@checked(15, "Broken edit of paiview.toml while it runs")
def broken_edit() -> AttackResult:
    """Break the file of settings; pages and decisions are to go on with what was valid."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "paiview.toml")
        config.write_text(GOOD, encoding="utf-8")
        with running(embedded(PAIVIEW_CONFIG=str(config))) as target:
            asyncio.run(_looked_at(target))
            config.write_text(BROKEN, encoding="utf-8")
            texts, statuses = asyncio.run(_looked_at(target))
    # Without the marks that keep Markdown from reading it.
    said = [text for text in (text.replace("\\", "") for text in texts) if "paiview.toml" in text]
    faults = [
        *(["an answer of the API failed"] if {*statuses} != {200} else []),
        *([] if said else ["no page says so"]),
    ]
    effect = f"API: {', '.join(map(str, statuses))}; the page says: {said[0][:120] if said else 'nothing'}"
    return AttackResult("a file that is no TOML in place of a valid one", " ".join(effect.split()), tuple(faults))


async def _looked_at(target: Target) -> tuple[list[str], list[int]]:
    """The texts of all pages, and the statuses of the API."""
    async with Session(target.url, source=ATTACKER) as session:
        runs = [await session.open(page, **({"model": "model-bench"} if page else {})) for page in PAGES]
    return [text for run in runs for text in run.texts], [(await fetch(target.url, path)).status for path in API]


@contextmanager
def shared_cache(folder: Path) -> Iterator[dict[str, str]]:
    """PAI behind a shared cache; a snapshot is old after a second, so that the cache is asked again and again."""
    if not (program("redis-server") or program("valkey-server")):
        raise NotMeasuredError("redis-server is not installed")
    store = Store(folder)
    store.start()
    try:
        with pai(Fresh, PAIVIEW_CACHE_URL=store.url.get_secret_value(), PAIVIEW_CACHE_TTL="1")(folder) as settings:
            yield settings
    finally:
        store.close()


@contextmanager
def _entries(target: Target) -> Iterator[tuple[Redis, list[str]]]:
    """A client of the store, and the names of all snapshots in it."""
    with Redis.from_url(target.settings["PAIVIEW_CACHE_URL"]) as client:
        names = [key.decode() for key in cast("list[bytes]", client.keys("paiview:*"))]
        yield client, [name for name in names if name.count(":") == 2]


@checked(16, "Log lines through the shared cache")
def log_lines() -> AttackResult:
    """Write failures, heads and messages with line breaks and terminal escapes into the shared cache."""
    failure = {"kind": "UnavailableError", "status": 503, **dict.fromkeys(("message", "code", "request_id"), INJECTED)}
    with running(shared_cache) as target:
        asyncio.run(fetch(target.url, LISTING))
        for _ in range(5):
            time.sleep(1.1)
            with _entries(target) as (client, names):
                for name in names:
                    client.set(f"{name}:failed", to_json(failure), px=5_000)
                    client.publish(":".join([*name.split(":")[:2], "written"]), f"{name} {INJECTED}")
            asyncio.run(fetch(target.url, LISTING))
        with _entries(target) as (client, names):
            for name in names:
                client.hset(name, "head", INJECTED)
        time.sleep(6)
        asyncio.run(fetch(target.url, LISTING))
        lines = target.log.read_text(encoding="utf-8", errors="replace").split("\n")
    checks = {
        "no failure was logged": not any(FORGED in line for line in lines),
        "the log holds a line of the attacker": any(line.startswith(FORGED_TIME) for line in lines),
        "the log holds an escape of the attacker": not all(line.isprintable() for line in lines),
    }
    faults = tuple(sentence for sentence, holds in checks.items() if holds)
    return AttackResult(
        "failures with line breaks and terminal escapes in Redis", f"{len(lines)} lines in the log", faults
    )


@live(17, "Body of many small objects in the shared cache", shared_cache)
async def small_objects(target: Target) -> AttackResult:
    """Put bodies of empty objects into the shared cache: too many, and as many as are taken."""
    sizes = []
    for number, objects in enumerate((OBJECTS, ALLOWED_OBJECTS)):
        with _entries(target) as (client, names):
            name = max(names, key=lambda each: int(client.hstrlen(each, "body")))
            head = from_json(cast("bytes", client.hget(name, "head")))
            identity = f"forged-{number}"
            body = zlib.compress(to_json(identity) + b"\n[" + b",".join([b"{}"] * objects) + b"]", 9)
            sizes.append(f"{len(body) // 1000} kB")
            mapping: Any = {"head": to_json({**head, "identity": identity}), "body": body}
            until = time.monotonic() + SHARED_SECONDS
            # A snapshot that has just been written is taken by each process whose own one is old.
            while time.monotonic() < until:
                client.hset(name, mapping=mapping)
                client.pexpire(name, 86_400_000)
                await fetch(target.url, LISTING)
    removed = target.log.read_text(encoding="utf-8", errors="replace").count("unreadable entry")
    sent = f"bodies of {OBJECTS:,} and {ALLOWED_OBJECTS:,} empty objects ({' and '.join(sizes)}) in Redis"
    return AttackResult(sent, f"{removed} entries were removed as unreadable")


class Bombs(Fresh):
    """PAI that answers for some models with compressed bodies."""

    def __init__(self) -> None:
        super().__init__()
        layer = _zeros(LAYER_MEGABYTES)
        self._bombs = {"model-one": ("gzip", layer), "model-two": ("gzip, gzip", gzip.compress(_zeros(BOMB_MEGABYTES)))}

    async def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        for name, (coding, body) in self._bombs.items():
            if f"/{name}/" in f"{request.path}/":
                return reply(body, headers={"Content-Encoding": coding})
        return await super().__call__(request)


def _zeros(megabytes: int) -> bytes:
    """So many MB of blanks behind the beginning of an object, compressed."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    parts = [packing.compress(b"{"), *(packing.compress(b" " * 2**20) for _ in range(megabytes)), packing.flush()]
    return b"".join(parts)


@live(18, "Compressed answer in two layers", pai(Bombs))
async def bombs(target: Target) -> AttackResult:
    """Read models whose answers unpack to 1 GB in two layers, and to 200 MB in one."""
    answers = {}
    for name in ("model-two", "model-one"):
        replies = [await fetch(target.url, f"/api/models/{name}/versions") for _ in range(3)]
        message = re.search(rb'"Message": ?"([^"]*)"', replies[0].body)
        seconds = max(answer.seconds for answer in replies)
        answers[name] = (
            f"{replies[0].status} after {seconds:.1f} s at most: {message[1].decode()[:70] if message else ''}"
        )
    sent = f"{BOMB_MEGABYTES} MB in two layers of gzip, {LAYER_MEGABYTES} MB in one"
    return AttackResult(sent, "; ".join(answers.values()))


@checked(19, "Source of the access key that misbehaves")
def credential_sources() -> AttackResult:
    """Let the credentials URI drip, send without an end, and redirect."""
    found, faults = [], []
    endless = reply(b"{", length=2**40)[:1] + (b" " * 2**20,) * ENDLESS_MEGABYTES + (Act.HANG,)
    head = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    for name, answer in {
        "drips": reply(b"{", length=2**20, then=Act.DRIP),
        f"{ENDLESS_MEGABYTES} MB": endless,
        "redirects for ever": (head,),
    }.items():
        seconds, statuses, health = asyncio.run(_asked_with(answer))
        found.append(f"{name}: {', '.join(map(str, statuses))} after {seconds:.1f} s, health {health:.2f} s")
        if seconds > DEADLINE_SECONDS + MARGIN_SECONDS or not all(status >= 500 for status in statuses) or health > 1:
            faults.append(f"{name}: not answered in time")
    return AttackResult(
        "3 API requests while ALIBABA_CLOUD_CREDENTIALS_URI misbehaves", "; ".join(found), tuple(faults)
    )


async def _asked_with(answer: Reply) -> tuple[float, list[int], float]:
    """Seconds and statuses of three requests at once, and the slowest answer of /healthz meanwhile."""

    async def respond(_: Request) -> Reply:
        return answer

    @contextmanager
    def world(folder: Path) -> Iterator[dict[str, str]]:
        with Server(respond) as server:
            yield {
                "HOME": str(folder),
                "PAIVIEW_ENDPOINT": server.url,
                "ALIBABA_CLOUD_ACCESS_KEY_ID": "",
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "",
                "ALIBABA_CLOUD_CREDENTIALS_URI": f"{server.url}/key",
            }

    with running(world) as target:
        asking = [asyncio.create_task(fetch(target.url, LISTING)) for _ in range(3)]
        health = 0.0
        while not all(task.done() for task in asking):
            health = max(health, (await fetch(target.url, "/healthz")).seconds)
            await asyncio.sleep(0.5)
        answers = [await task for task in asking]
    return max(one.seconds for one in answers), [one.status for one in answers], health


@checked(20, "Origin of a WebSocket with another scheme")
def origins() -> AttackResult:
    """Open WebSockets with the dashboard's host and other schemes as Origin, directly and as through a TLS proxy."""
    with running(embedded(PAIVIEW_TRUSTED_PROXIES="127.0.0.1")) as target:
        host = target.url.removeprefix("http://")
        expected = {
            ("http", "http"): 101,
            ("http", "https"): 101,
            ("http", "ftp"): 403,
            ("http", "x"): 403,
            ("http", "HTTP"): 403,
            ("https", "https"): 101,
            ("https", "http"): 403,
            ("https", "ftp"): 403,
        }
        found = {pair: asyncio.run(_handshake(target.url, *pair, host)) for pair in expected}
    handshakes = [f"{origin} over {way} {status}" for (way, origin), status in found.items()]
    faults = tuple(text for text, pair in zip(handshakes, expected, strict=True) if found[pair] != expected[pair])
    return AttackResult(f"{len(expected)} handshakes", ", ".join(handshakes), faults)


async def _handshake(url: str, way: str, origin: str, host: str) -> int:
    """The status of a WebSocket that comes over a way with an Origin."""
    try:
        async with tab(url, {"Origin": f"{origin}://{host}", "X-Forwarded-Proto": way}):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


@checked(24, "Full disk at the start")
def full_disk() -> AttackResult:
    """Start the embedded registry on a file system of 200 kB."""
    unshare = shutil.which("unshare")
    if unshare is None:
        raise NotMeasuredError("unshare is not installed")
    with tempfile.TemporaryDirectory() as folder:
        # A mount of its own: it goes with the process.
        script = f'mount -t tmpfs -o size={DISK} none "$1" && exec "$2" -m paiview local --data-dir "$1"'
        command = [unshare, "--mount", "--map-root-user", "sh", "-c", script, "sh", folder, sys.executable]
        environment = plain_environment(Path(folder)) | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    said = " ".join((done.stderr.strip().splitlines() or [""])[-1].split())
    if said.startswith(("unshare:", "mount:")):
        raise NotMeasuredError(said)
    tells = "full" in said and "Traceback" not in done.stderr
    faults = () if tells else ("the message does not say that the disk is full",)
    return AttackResult(f"a file system of {DISK}B", said.replace(folder, "…"), faults)

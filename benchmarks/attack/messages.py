"""Attacks over a WebSocket: runs of pages, filters, states of controls, and messages that no page sends."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from benchmarks.attack.clients import SECONDS, Fresh, repeated
from benchmarks.attack.outcome import AttackResult
from benchmarks.attack.target import Target, embedded, live, pai
from benchmarks.attack.wire import ATTACKER
from tests.harness.server import Reply, Request, refusal
from tests.harness.sessions import Session, tab

TABS: Final = 4
FILTER_CHARACTERS: Final = 500
"""Of one filter, near the most that is taken."""
LONG_FILTER: Final = 500_000
STATES: Final = 900
"""Controls in one message, near the most that is taken."""
STATE_CHARACTERS: Final = 480
MESSAGES: Final = 60
MESSAGE_BYTES: Final = 24 * 2**20
UNFINISHED_MEGABYTES: Final = 190


def rerun(page: str, query: str) -> BackMsg:
    """A message that runs a page."""
    message = BackMsg()
    message.rerun_script.page_name, message.rerun_script.query_string = page, query
    message.rerun_script.context_info.timezone = "UTC"
    return message


async def closed_by(url: str, *messages: bytes) -> int | None:
    """The code with which the server closes a WebSocket after these messages; ``None`` while it stays open."""
    async with tab(url, source=ATTACKER) as socket:
        with suppress(ConnectionClosed):
            for message in messages:
                await socket.send(message)
        try:
            async with asyncio.timeout(2):
                while True:
                    await socket.recv()
        except ConnectionClosed:
            return socket.close_code
        except TimeoutError:
            return None


async def drained(socket: ClientConnection) -> None:
    """Read what comes until the connection ends."""
    with suppress(ConnectionClosed):
        while True:
            await socket.recv(decode=False)


class Refusing(Fresh):
    """PAI that refuses every filter."""

    async def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        if "VersionName" in request.query:
            return refusal("InvalidParameter", 400)
        return await super().__call__(request)


@live(10, "Refresh on filters that fail", pai(Refusing))
async def failing_filters(target: Target) -> AttackResult:
    """Press Refresh on other filters each time, in four tabs, and once on a filter of half a megabyte."""
    code = await closed_by(
        target.url, rerun("versions", f"model=model-bench&version_name={'x' * LONG_FILTER}").SerializeToString()
    )
    runs = 0

    async def press(number: int) -> None:
        nonlocal runs
        async with Session(target.url, source=ATTACKER) as session:
            button = (await session.open("versions", model="model-bench")).widgets["refresh"]
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                runs += 1
                text = f"{number}-{runs}-".ljust(FILTER_CHARACTERS, "x")
                await session.press_on("versions", button, model="model-bench", version_name=text)

    await asyncio.gather(*(press(number) for number in range(TABS)))
    faults = () if code is not None else (f"a filter of {LONG_FILTER:,} characters is taken",)
    effect = f"{runs} runs; the connection with {LONG_FILTER // 1000} kB was closed with {code}"
    return AttackResult(
        f"Refresh with other filters of {FILTER_CHARACTERS} characters each time in {TABS} tabs, {SECONDS:g} s",
        effect,
        faults,
    )


@live(11, "Filters that nothing passes", embedded())
async def empty_filters(target: Target) -> AttackResult:
    """Look at other filters each time, in four tabs."""
    runs = 0

    async def look(number: int) -> None:
        nonlocal runs
        async with Session(target.url, source=ATTACKER) as session:

            async def once(_: int) -> None:
                nonlocal runs
                runs += 1
                text = f"{number}-{runs}-".ljust(FILTER_CHARACTERS, "x")
                await session.open("versions", model="model-bench", version_name=text)

            await repeated(once, 0)

    await asyncio.gather(*(look(number) for number in range(TABS)))
    return AttackResult(
        f"other filters of {FILTER_CHARACTERS} characters each time in {TABS} tabs, {SECONDS:g} s", f"{runs} runs"
    )


@live(12, "States of made-up controls, and frames without an end", embedded())
async def states(target: Target) -> AttackResult:
    """Send states in messages of 24 MB, and of the most that is taken, and three messages that never end."""
    large = rerun("", "")
    state = large.rerun_script.widget_states.widgets.add()
    state.id, state.string_value = "made-up", "x" * MESSAGE_BYTES
    code = await closed_by(target.url, *([large.SerializeToString()] * MESSAGES))
    state.string_value = "x"
    code_of_name = await closed_by(target.url, large.SerializeToString())
    sent = 0
    async with tab(target.url, source=ATTACKER) as socket:
        draining = asyncio.create_task(drained(socket))
        until = time.monotonic() + SECONDS
        with suppress(ConnectionClosed):
            while time.monotonic() < until:
                await socket.send(_made_up(sent))
                sent += 1
        draining.cancel()
        kept = socket.close_code is None
    frames = await asyncio.gather(*(_unfinished(target.url) for _ in range(3)))
    checks = {f"messages of {MESSAGE_BYTES // 2**20} MB are taken": code, "names of no control are taken": code_of_name}
    faults = tuple(sentence for sentence, closed in checks.items() if closed is None)
    effect = (
        f"the first closed with {code}; {sent} small ones {'taken' if kept else 'closed'}; "
        f"unfinished ones closed after {', '.join(map(str, frames))} MB"
    )
    return AttackResult(
        f"{MESSAGES} messages of {MESSAGE_BYTES // 2**20} MB, messages of {STATES} states of {STATE_CHARACTERS} "
        f"characters for {SECONDS:g} s, 3 messages of {UNFINISHED_MEGABYTES} MB without an end",
        effect,
        faults,
    )


def _made_up(number: int) -> bytes:
    """A message with as many states of controls that no page has as are taken."""
    message = rerun("", "")
    for place in range(STATES):
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.string_value = f"$$ID-{number:032}-{place}", "x" * STATE_CHARACTERS
    return bytes(message.SerializeToString())


async def _unfinished(url: str) -> int:
    """Send fragments of a message whose last one never comes; returns the MB until the connection was closed."""
    sent = 0

    async def fragments() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < UNFINISHED_MEGABYTES:
            sent += 1
            yield b"x" * 2**20
        await asyncio.sleep(5)

    async with tab(url, source=ATTACKER) as socket:
        draining = asyncio.create_task(drained(socket))
        with suppress(ConnectionClosed):
            await socket.send(fragments())
        draining.cancel()
    return sent


@live(13, "Messages that no page sends", embedded())
async def foreign_messages(target: Target) -> AttackResult:
    """Send each kind of message that Streamlit acts on and no page sends, ten times."""
    taken: list[str] = []
    kinds = [
        field.name
        for field in BackMsg.DESCRIPTOR.fields
        if field.containing_oneof is not None
        and field.name not in ("rerun_script", "stop_script", "app_heartbeat", "backend_operation_request")
    ]
    for kind in kinds:
        for _ in range(10):
            message = BackMsg()
            if kind == "file_urls_request":
                message.file_urls_request.request_id = "x"
            elif kind == "load_git_info":
                message.load_git_info = True
            else:
                setattr(message, kind, True)
            if await closed_by(target.url, message.SerializeToString()) is None:
                taken.append(kind)
    operation = BackMsg()
    operation.backend_operation_request.install_skills.SetInParent()
    if await closed_by(target.url, operation.SerializeToString()) is None:
        taken.append("install_skills")
    faults = (f"{', '.join(sorted({*taken}))} taken",) if taken else ()
    return AttackResult(
        f"10 x {', '.join(kinds)}; an operation that writes files", "each connection was closed", faults
    )

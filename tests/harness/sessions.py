"""A visitor of the dashboard without a browser: the websocket and the messages that Streamlit's own page uses.

Hundreds of them fit beside the server on one machine. What a browser draws is not seen here, only what it is sent.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

LONGEST: Final = 60.0
"""Seconds after which a run that has not ended is a fault."""
_TEXTS: Final = ("markdown", "heading", "text", "alert", "exception")
_DONE: Final = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
)


def tab(url: str, headers: Mapping[str, str] = {}, source: str = "") -> connect:
    """The WebSocket of one tab, to be opened with ``async with``.

    Args:
        url: the dashboard's.
        headers: sent with the handshake, beside those that every browser sends.
        source: the address of this machine that the connection comes from; any of 127.0.0.0/8 on loopback.
    """
    return connect(
        f"{url.replace('http', 'ws', 1)}/_stcore/stream",
        subprotocols=[Subprotocol("streamlit")],
        additional_headers=headers,
        max_size=None,
        compression=None,
        proxy=None,
        local_addr=(source, 0) if source else None,
    )


@dataclass
class Run:
    """What one run of a page sent.

    Attributes:
        seconds: from the question to the end of the run.
        raw: every message as it came over the wire.
        texts: the texts of the page, in the order they were sent.
        alerts: those of them that report an error or a warning.
        widgets: the ids of the controls, by their key.
        files: the ids of the downloads that are made when asked for, by the key of their button.
        session: the id of the tab.
    """

    seconds: float = 0.0
    raw: bytearray = field(default_factory=bytearray)
    texts: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    widgets: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    session: str = ""

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    def take(self, message: ForwardMsg) -> None:
        """Note what a message shows."""
        self.session = message.new_session.initialize.session_id or self.session
        if message.WhichOneof("type") != "delta":
            return
        if message.delta.WhichOneof("type") == "add_block":
            # A container that opens and closes is a control as well.
            block = message.delta.add_block
            identity = getattr(getattr(block, block.WhichOneof("type") or "vertical"), "id", "")
            self.widgets |= {_key(identity): identity} if identity else {}
        if message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        shown = getattr(element, kind or "empty")
        if kind in _TEXTS:
            self.texts.append(shown.message if kind == "exception" else shown.body)
        if kind in ("alert", "exception"):
            self.alerts.append(self.texts[-1])
        identity = getattr(shown, "id", "")
        if identity:
            self.widgets[identity.rpartition("-")[2]] = identity
        if kind == "download_button":
            self.files[_key(identity)] = shown.deferred_file_id


def _pressed(widget: str) -> BackMsg:
    message = BackMsg()
    state = message.rerun_script.widget_states.widgets.add()
    state.id, state.trigger_value = widget, True
    return message


def _key(identity: str) -> str:
    """The key in the id of a control; an id is ``$$ID-<digest>-<key>``."""
    return identity.split("-", 2)[-1]


class Session:
    """One tab of one visitor.

    Args:
        url: the dashboard's.
        headers: sent with the handshake, beside those that every browser sends.
        source: the address of this machine that the connection comes from.
    """

    def __init__(self, url: str, headers: Mapping[str, str] = {}, source: str = "") -> None:
        self._connecting = tab(url, headers, source)
        self._page = ""
        self._query = ""
        self._last = Run()

    async def __aenter__(self) -> Self:
        self._socket: ClientConnection = await self._connecting.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._connecting.__aexit__(kind, error, traceback)

    async def open(self, page: str, /, **parameters: str | list[str]) -> Run:
        """Open a page by its link; ``page`` is empty for Models."""
        self._page, self._query = page, urlencode(parameters, doseq=True)
        return await self._run(BackMsg())

    async def rerun(self) -> Run:
        """Run the page again as it is."""
        return await self._run(BackMsg())

    async def press(self, key: str) -> Run:
        """Press a button of the page."""
        return await self._run(_pressed(self._last.widgets[key]))

    async def press_on(self, page: str, widget: str, /, **parameters: str | list[str]) -> Run:
        """Open a page by its link and press a button, by its id, in one message; no browser sends such a one."""
        self._page, self._query = page, urlencode(parameters, doseq=True)
        return await self._run(_pressed(widget))

    async def unfold(self, key: str) -> Run:
        """Open a popover whose content is drawn when it is open."""
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.bool_value = self._last.widgets[key], True
        return await self._run(message)

    async def file(self, key: str) -> str:
        """Let a download be made; returns the path that serves it, or the error as it is worded."""
        message = BackMsg()
        message.backend_operation_request.request_id = key
        message.backend_operation_request.session_id = self._last.session
        message.backend_operation_request.deferred_file.file_id = self._last.files[key]
        async with asyncio.timeout(LONGEST):
            await self._socket.send(message.SerializeToString())
            while True:
                answer = ForwardMsg.FromString(await self._socket.recv(decode=False))
                if answer.WhichOneof("type") == "backend_operation_response":
                    made = answer.backend_operation_response
                    return str(made.deferred_file.url or made.error_msg)

    async def turn_to(self, key: str, page: int) -> Run:
        """Choose a page of a table that is sent in pages."""
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.int_value = self._last.widgets[key], page
        return await self._run(message)

    async def _run(self, message: BackMsg) -> Run:
        message.rerun_script.query_string = self._query
        message.rerun_script.page_name = self._page
        message.rerun_script.context_info.timezone = "UTC"
        run, start = Run(), time.perf_counter()
        async with asyncio.timeout(LONGEST):
            await self._socket.send(message.SerializeToString())
            ended = False
            while not ended:
                content = await self._socket.recv(decode=False)
                run.raw += content
                answer = ForwardMsg.FromString(content)
                run.take(answer)
                ended = answer.WhichOneof("type") == "script_finished" and answer.script_finished in _DONE
        run.seconds = time.perf_counter() - start
        self._last = run
        return run

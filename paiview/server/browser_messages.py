"""The messages of a page's WebSocket: what a browser may send, how much and how often, and what it is not told.

Streamlit acts on more: a message can clear the caches of all readers or write files of the server. What no page of
paiview sends closes the connection. Messages beyond the rate wait, and with them the browser that sends them. The first
message of a run would tell the browser where the server's files are and what runs them.
"""

import asyncio
from typing import Final

from google.protobuf.message import DecodeError
from starlette.types import Message, Receive, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.state.common import GENERATED_ELEMENT_ID_PREFIX

from paiview.server.rate_limit import RateLimit

MAX_MESSAGE_BYTES: Final = 512 * 1024
MAX_QUERY_CHARACTERS: Final = 16_384
"""Of the address in a message, as of that of a request."""
MAX_WIDGETS: Final = 1_000
MAX_WIDGET_ID_CHARACTERS: Final = 1_000
MAX_CACHED_HASHES: Final = 10_000
MESSAGES_PER_SECOND: Final = 10.0
MAX_BURST_MESSAGES: Final = 40
MESSAGE_BYTES: Final = 16 * 1024
"""A larger message counts as several: Streamlit keeps the states of controls that it does not know."""
MESSAGE_KINDS: Final = frozenset({"rerun_script", "stop_script", "app_heartbeat", "backend_operation_request"})
OPERATIONS: Final = frozenset({"deferred_file", "dataframe_chunk"})
"""The operations of ``backend_operation_request``: a download that is made when asked for, and a part of a table."""
SCRIPT_NAME: Final = "app.py"
"""The name of the file that every page starts with; browsers get it in place of its path."""
_CONNECTION: Final = "connection"
_TOO_BIG: Final = 1009
_POLICY_VIOLATION: Final = 1008


def checked(receive: Receive) -> Receive:
    """The ``receive`` of one WebSocket, which ends at the first message that no page sends."""
    rate = RateLimit(MESSAGES_PER_SECOND, MAX_BURST_MESSAGES, max_clients=1)

    async def receive_checked() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        data: bytes = message.get("bytes") or b""
        if len(data) > MAX_MESSAGE_BYTES:
            return {"type": "websocket.disconnect", "code": _TOO_BIG}
        if not is_allowed(data):
            return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}
        for _ in range(1 + len(data) // MESSAGE_BYTES):
            while wait := rate.wait(_CONNECTION):
                await asyncio.sleep(wait)
        return message

    return receive_checked


def discreet(send: Send) -> Send:
    """The ``send`` of one WebSocket without what it tells of the server."""

    async def send_discreetly(message: Message) -> None:
        data: bytes = message.get("bytes") or b""
        if SCRIPT_NAME.encode() in data:
            message = {**message, "bytes": without_server_details(data)}
        await send(message)

    return send_discreetly


def without_server_details(data: bytes) -> bytes:
    """A message to a browser without the path of the script, Python's version, the system and the installation's ids.

    Streamlit's version stays: pages compare it to load the scripts of a new one.
    """
    message = ForwardMsg.FromString(data)
    if message.WhichOneof("type") != "new_session":
        return data
    message.new_session.main_script_path = SCRIPT_NAME
    start = message.new_session.initialize
    start.environment_info.ClearField("python_version")
    start.environment_info.ClearField("server_os")
    # Streamlit's page reads from it whatever it holds.
    start.user_info.Clear()
    start.user_info.SetInParent()
    return bytes(message.SerializeToString())


def is_allowed(data: bytes) -> bool:
    """Whether a page of paiview may send this message."""
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return False
    kind = message.WhichOneof("type")
    if kind == "rerun_script":
        return _is_bounded(message.rerun_script)
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in OPERATIONS
    return kind in MESSAGE_KINDS


def _is_bounded(state: ClientState) -> bool:
    widgets = state.widget_states.widgets
    texts = (state.query_string, state.page_name, state.context_info.url)
    return (
        len(widgets) <= MAX_WIDGETS
        and len(state.cached_message_hashes) <= MAX_CACHED_HASHES
        and all(len(text) <= MAX_QUERY_CHARACTERS for text in texts)
        and all(len(widget.id) <= MAX_WIDGET_ID_CHARACTERS for widget in widgets)
        # Streamlit takes the state of any other id for one that the script has set, and the run fails.
        and all(widget.id.startswith(GENERATED_ELEMENT_ID_PREFIX) for widget in widgets)
    )

"""What a browser may send over its WebSocket."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from paiview.server import browser_messages
from paiview.server.browser_messages import MAX_MESSAGE_BYTES, SCRIPT_NAME, checked, discreet, is_allowed


def rerun(query: str = "", widgets: Iterable[str] = ()) -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = query
    for name in widgets:
        message.rerun_script.widget_states.widgets.add(id=name, string_value="x")
    return bytes(message.SerializeToString())


def received(*messages: dict[str, Any]) -> list[Message]:
    """What the application gets of these messages."""
    left = [*messages]

    async def receive() -> Message:
        return left.pop(0)

    async def run() -> list[Message]:
        receive_checked = checked(receive)
        return [await receive_checked() for _ in messages]

    return asyncio.run(run())


def data(content: bytes) -> dict[str, Any]:
    return {"type": "websocket.receive", "bytes": content}


def test_what_a_page_sends_passes_unchanged() -> None:
    stop, heartbeat, download = BackMsg(stop_script=True), BackMsg(app_heartbeat=True), BackMsg()
    download.backend_operation_request.deferred_file.file_id = "1"
    messages = [
        {"type": "websocket.connect"},
        *(data(each.SerializeToString()) for each in (stop, heartbeat, download)),
        data(rerun("model=a&candidate=1.0.0", ["$$ID-1", "$$ID-2"])),
        {"type": "websocket.disconnect", "code": 1001},
    ]
    assert received(*messages) == messages


@pytest.mark.parametrize("kind", ["clear_cache", "set_run_on_save", "load_git_info", "debug_shutdown_runtime"])
def test_a_message_that_no_page_sends_ends_the_connection(kind: str) -> None:
    message = BackMsg()
    setattr(message, kind, True)
    (answer,) = received(data(message.SerializeToString()))
    assert answer == {"type": "websocket.disconnect", "code": 1008}


@pytest.mark.parametrize("operation", ["install_skills", "dismiss_skills_nudge"])
def test_an_operation_that_writes_files_of_the_server_ends_the_connection(operation: str) -> None:
    message = BackMsg()
    getattr(message.backend_operation_request, operation).SetInParent()
    assert not is_allowed(message.SerializeToString())


def test_what_is_no_message_ends_the_connection() -> None:
    assert not is_allowed(b"")
    assert not is_allowed(b"\xff\xff")
    (answer,) = received({"type": "websocket.receive", "text": "hello", "bytes": None})
    assert answer["type"] == "websocket.disconnect"


def test_sizes_are_bounded() -> None:
    assert is_allowed(rerun("a" * browser_messages.MAX_QUERY_CHARACTERS))
    assert not is_allowed(rerun("a" * (browser_messages.MAX_QUERY_CHARACTERS + 1)))
    ids = [f"$$ID-{number}" for number in range(browser_messages.MAX_WIDGETS + 1)]
    assert is_allowed(rerun(widgets=ids[1:]))
    assert not is_allowed(rerun(widgets=ids))
    assert not is_allowed(rerun(widgets=["$$ID-".ljust(browser_messages.MAX_WIDGET_ID_CHARACTERS + 1, "a")]))
    (answer,) = received(data(b"\0" * (MAX_MESSAGE_BYTES + 1)))
    assert answer == {"type": "websocket.disconnect", "code": 1009}


def test_the_state_of_what_is_no_control_ends_the_connection() -> None:
    assert is_allowed(rerun(widgets=["$$ID-1-text"]))
    assert not is_allowed(rerun(widgets=["$$ID-1-text", "model"]))


def test_messages_beyond_the_rate_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class Waiting:
        def __init__(self, *_: object, **__: object) -> None:
            self.answers = [0.0, 0.5, 0.0]

        def wait(self, _client: str) -> float:
            return self.answers.pop(0)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(browser_messages, "RateLimit", Waiting)
    monkeypatch.setattr("paiview.server.browser_messages.asyncio.sleep", sleep)
    assert len(received(data(rerun()), data(rerun()))) == 2
    assert waits == [0.5]


def test_a_large_message_counts_as_several(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []

    class Counting:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def wait(self, client: str) -> float:
            counted.append(client)
            return 0.0

    monkeypatch.setattr(browser_messages, "RateLimit", Counting)
    received(data(rerun()))
    assert len(counted) == 1
    received(data(rerun(widgets=["$$ID-".ljust(900, "a")] * 100)))
    assert len(counted) == 1 + 6


@given(st.binary(max_size=200))
def test_no_bytes_raise(content: bytes) -> None:
    assert is_allowed(content) in (True, False)


def new_session() -> ForwardMsg:
    """The first message of a run, as Streamlit makes it."""
    message = ForwardMsg()
    message.metadata.active_script_hash = "abc"
    session = message.new_session
    session.main_script_path = "/srv/secret place/app.py"
    session.main_script_hash = "abc"
    session.initialize.session_id = "1"
    session.initialize.environment_info.streamlit_version = "1.67.0"
    session.initialize.environment_info.python_version = "(3, 11, 2)"
    session.initialize.environment_info.server_os = "Linux"
    session.initialize.user_info.installation_id_v3 = "f00"
    session.initialize.user_info.installation_id_v4 = "f00"
    return message


def sent(*messages: Message) -> list[Message]:
    """What a browser gets of these messages."""
    got: list[Message] = []

    async def send(message: Message) -> None:
        got.append(message)

    async def run() -> None:
        for message in messages:
            await discreet(send)(message)

    asyncio.run(run())
    return got


def test_a_browser_is_not_told_what_the_server_is_and_where_its_files_are() -> None:
    data = new_session().SerializeToString()
    (message,) = sent({"type": "websocket.send", "bytes": data})
    told = ForwardMsg.FromString(message["bytes"])
    assert told.new_session.main_script_path == SCRIPT_NAME
    assert told.new_session.main_script_hash == "abc"
    assert told.new_session.initialize.session_id == "1"
    assert told.new_session.initialize.environment_info.streamlit_version == "1.67.0"
    assert told.new_session.initialize.HasField("user_info")
    for secret in (b"secret place", b"3, 11", b"Linux", b"f00"):
        assert secret not in message["bytes"]


def test_other_messages_reach_a_browser_unchanged() -> None:
    message = ForwardMsg()
    message.delta.new_element.markdown.body = "/srv/secret place/app.py is a text of a version"
    messages = [
        {"type": "websocket.accept", "subprotocol": "streamlit"},
        {"type": "websocket.send", "bytes": message.SerializeToString()},
        {"type": "websocket.close", "code": 1000},
    ]
    assert sent(*messages) == messages

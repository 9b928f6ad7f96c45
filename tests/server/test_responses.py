"""Responses whose bytes many requests share."""

import asyncio
from typing import Any

import pytest

from paiview.server import responses
from paiview.server.responses import SharedResponse

PARTS = (b'{"Versions":', b"[" + b"1," * 100_000 + b"1]", b',"TotalCount":1}')


def sent_by(response: SharedResponse, method: str = "GET", headers: tuple[tuple[bytes, bytes], ...] = ()) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(response({"type": "http", "method": method, "headers": [*headers]}, receive, send))
    return sent


def test_the_parts_are_sent_in_order_and_in_pieces() -> None:
    start, *bodies = sent_by(SharedResponse(PARTS, "tag"))
    assert start["status"] == 200
    headers = dict(start["headers"])
    assert headers[b"content-length"] == str(sum(map(len, PARTS))).encode()
    assert (headers[b"etag"], headers[b"content-type"]) == (b'"tag"', b"application/json")
    assert b"".join(message["body"] for message in bodies) == b"".join(PARTS)
    assert max(len(message["body"]) for message in bodies) <= 64 * 1024
    assert [message.get("more_body", False) for message in bodies] == [*[True] * (len(bodies) - 1), False]


@pytest.mark.parametrize(
    ("known", "status"), [(b'"tag"', 304), (b'W/"tag"', 304), (b'"a", "tag"', 304), (b'"a"', 200), (b"tag", 200)]
)
def test_a_client_that_has_it_gets_no_body(known: bytes, status: int) -> None:
    start, *bodies = sent_by(SharedResponse(PARTS, "tag"), headers=((b"if-none-match", known),))
    assert start["status"] == status
    assert (b"".join(message["body"] for message in bodies) == b"") == (status == 304)


def test_head_has_the_headers_alone() -> None:
    start, end = sent_by(SharedResponse(PARTS, "tag"), "HEAD")
    assert (start["status"], end["body"]) == (200, b"")
    assert dict(start["headers"])[b"content-length"] == str(sum(map(len, PARTS))).encode()


def test_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "WRITE_TIMEOUT_SECONDS", 0.01)

    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def visit() -> None:
        await SharedResponse(PARTS, "tag")({"type": "http", "method": "GET", "headers": []}, receive, send)

    asyncio.run(visit())
    # No end of the body: the server closes a connection whose response is incomplete.
    assert [message.get("more_body") for message in sent] == [None, True]

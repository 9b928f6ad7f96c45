"""The JSON responses under ``/api``, for the HTTP API and for the guard in front of it."""

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from paiview.text import one_line

WRITE_TIMEOUT_SECONDS: Final = 20.0
"""For each chunk. On Linux the connection of a client that reads nothing has ended by then (``paiview.server.app``)."""
_CHUNK_BYTES: Final = 64 * 1024


def json_response(status: int, body: str | bytes, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """A response that no cache may store, because an approval needs the newest data.

    Args:
        status: the HTTP status.
        body: JSON.
        headers: further headers.
    """
    return Response(body, status, {"cache-control": "no-store", **headers}, media_type="application/json")


class SharedResponse:
    """A JSON response in parts that many requests share: nothing is copied, and a client that does not read is cut off.

    Args:
        parts: the body in order.
        etag: equal for equal bodies.
    """

    def __init__(self, parts: Sequence[bytes], etag: str) -> None:
        self._parts = parts
        self._etag = f'"{etag}"'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the signature is ASGI's
        """Send it, or 304 to a client that has it."""
        client_tags = Headers(scope=scope).get("if-none-match", "")
        is_known = self._etag in {tag.strip().removeprefix("W/") for tag in client_tags.split(",")}
        size = 0 if is_known else sum(map(len, self._parts))
        headers = [(b"etag", self._etag.encode()), (b"cache-control", b"private, no-cache")]
        if not is_known:
            headers += [(b"content-type", b"application/json"), (b"content-length", str(size).encode())]
        await send({"type": "http.response.start", "status": 304 if is_known else 200, "headers": headers})
        if not is_known and scope["method"] != "HEAD":
            for part in self._parts:
                view = memoryview(part)
                for start in range(0, len(part), _CHUNK_BYTES):
                    chunk = bytes(view[start : start + _CHUNK_BYTES])
                    message = {"type": "http.response.body", "body": chunk, "more_body": True}
                    # The server waits here while the client does not read.
                    try:
                        await asyncio.wait_for(send(message), WRITE_TIMEOUT_SECONDS)
                    except TimeoutError:
                        # Incomplete: the server closes the connection.
                        return
        await send({"type": "http.response.body", "body": b""})


def error_response(
    status: int,
    code: str,
    message: str,
    request_id: str | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """An error with the fields of PAI's errors: Code, Message and RequestId.

    Args:
        status: the HTTP status.
        code: as in PAI's errors, one word.
        message: one sentence without control characters.
        request_id: PAI's; a new one unless given.
        headers: further headers.
    """
    body = {"Code": one_line(code), "Message": message, "RequestId": one_line(request_id or new_request_id())}
    return json_response(status, json.dumps(body), headers)


def new_request_id() -> str:
    """A UUID in upper case, like PAI's."""
    return str(uuid.uuid4()).upper()

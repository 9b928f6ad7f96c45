"""What an attacker sends with: HTTP requests from any address of loopback."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

READER: Final = "127.0.0.2"
"""The address of the reader who is not to notice the attack."""
ATTACKER: Final = "127.0.0.3"
PATIENCE_SECONDS: Final = 60.0
"""After which a request counts as not answered."""


class Answer(NamedTuple):
    """A response: its status, its body, and the seconds from connecting to its end."""

    status: int
    body: bytes
    seconds: float


async def fetch(url: str, path: str, source: str = ATTACKER, headers: Mapping[str, str] = {}) -> Answer:
    """Send one GET request on a connection of its own.

    Raises:
        OSError: the connection was refused or cut off, or no answer came in time.
    """
    start = time.perf_counter()
    port = urlsplit(url).port
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0), limit=2**22)
        try:
            writer.write(request(url, path, headers))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.read(-1)
        except asyncio.IncompleteReadError:
            raise ConnectionResetError("cut off") from None
        finally:
            writer.close()
    return Answer(int(head.split(b" ", 2)[1]), body, time.perf_counter() - start)


def request(url: str, path: str, headers: Mapping[str, str] = {}) -> bytes:
    """The bytes of a GET request that closes its connection."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {urlsplit(url).netloc}", "Connection: close"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()

"""A server that takes 30 ms for a page of versions, run in a process of its own: ``python -m benchmarks.paged_server``.

An argument gives other seconds a page. It writes its port as one line, and ends when its standard input closes.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

from benchmarks.frames import answer

LATENCY = 0.03
"""Seconds from a request to its answer."""
VERSIONS = 10_000
PAGE_SIZE = 50


def pages() -> list[bytes]:
    """The answers to PageNumber 1, 2, ..., rendered beforehand."""
    versions = answer(VERSIONS)
    return [
        json.dumps(
            {"RequestId": f"R-{start}", "TotalCount": VERSIONS, "Versions": versions[start : start + PAGE_SIZE]}
        ).encode()
        for start in range(0, VERSIONS, PAGE_SIZE)
    ]


async def serve(latency: float) -> None:
    """Answer until standard input closes."""
    bodies = pages()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(latency)
                query = parse_qs(urlsplit(head.split(b" ", 2)[1]).query)
                body = bodies[int(query[b"PageNumber"][0]) - 1]
                lines = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(lines.encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) if len(sys.argv) > 1 else LATENCY))

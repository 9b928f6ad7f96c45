"""PAI with one large model, 30 ms an answer, in a process of its own: ``python -m benchmarks.paged_server``.

An argument gives other seconds an answer. It writes its port as one line, and ends when its standard input closes.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from benchmarks.frames import DATASETS, answer

LATENCY = 0.03
"""Seconds from a request to its answer."""
VERSIONS = 10_000
PAGE_SIZE = 50
MODEL: Final = "model-1"
_LISTS: Final = "/api/v1/"

Query = dict[str, str]


def pages() -> list[bytes]:
    """The answers to PageNumber 1, 2, ... of all versions."""
    items = _rendered(answer(VERSIONS))
    queries = (
        {"PageNumber": str(number), "PageSize": str(PAGE_SIZE)} for number in range(1, VERSIONS // PAGE_SIZE + 1)
    )
    return [_page("Versions", items, query) for query in queries]


def _rendered(items: Sequence[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(item).encode() for item in items]


def _page(name: str, items: Sequence[bytes], query: Query) -> bytes:
    size = int(query.get("PageSize", PAGE_SIZE))
    start = (int(query.get("PageNumber", 1)) - 1) * size
    shown = items[::-1] if query.get("Order") == "DESC" else items
    head = json.dumps({"RequestId": f"R-{start}", "TotalCount": len(items)})[:-1]
    return f'{head}, "{name}": ['.encode() + b", ".join(shown[start : start + size]) + b"]}"


def _answers() -> Callable[[str, Query], bytes | None]:
    """What is answered to a path and its query; ``None`` where nothing is there."""
    versions = answer(VERSIONS)
    items = _rendered(versions)
    named = {str(version["VersionName"]): item for version, item in zip(versions, items, strict=True)}
    by_status: dict[str, list[bytes]] = {}
    for version, item in zip(versions, items, strict=True):
        by_status.setdefault(str(version["ApprovalStatus"]), []).append(item)
    model = {"ModelId": MODEL, "ModelName": "large", "LatestVersion": versions[-1]}
    lists = {
        "models": ("Models", _rendered([model])),
        "workspaces": ("Workspaces", _rendered([{"WorkspaceId": "1", "WorkspaceName": "bench"}])),
        "datasets": ("Datasets", _rendered([{"DatasetId": f"d-{number}"} for number in range(DATASETS)])),
    }

    def to(path: str, query: Query) -> bytes | None:
        match path.removeprefix(_LISTS).split("/"):
            case [name] if name in lists:
                return _page(*lists[name], query)
            case ["models", name] if name == MODEL:
                return json.dumps(model).encode()
            case ["models", name, "versions"] if name == MODEL:
                status = query.get("ApprovalStatus")
                return _page("Versions", items if status is None else by_status.get(status, []), query)
            case ["models", name, "versions", version] if name == MODEL:
                return named.get(version)
            case _:
                return None

    return to


async def serve(latency: float) -> None:
    """Answer until standard input closes."""
    to = _answers()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(latency)
                asked = urlsplit(head.split(b" ", 2)[1].decode())
                body = to(asked.path, dict(parse_qsl(asked.query)))
                status = "200 OK"
                if body is None:
                    status, body = "404 Not Found", b'{"Code": "201900002", "Message": "It does not exist."}'
                lines = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
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

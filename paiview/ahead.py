"""Reading ahead: whoever follows a link to a model needs its listing, and first a second for the page's scripts.

The listing begins when the page is asked for, so that both go on at once; the page joins it (``paiview.cache``).
"""

import threading
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from paiview import registry
from paiview.edge import RateLimit, client
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import VersionFilters

PATHS: Final = ("/versions", "/trends")
THREAD: Final = "paiview-ahead"
"""The name of the threads that read."""
_FILTERS: Final = frozenset(VersionFilters.model_fields)
"""Parameters with which Versions asks for another listing than the whole one."""
_AT_ONCE: Final = 4
_room = threading.BoundedSemaphore(_AT_ONCE)
"""A stranger's links shall not keep more threads than these: beyond them a page reads when it runs."""


def routes(shell: Path, limit: RateLimit) -> list[Route]:
    """The pages of one model.

    Args:
        shell: the HTML page in which Streamlit runs.
        limit: the rate within which a client has something read ahead; beyond it the page alone is served.
    """
    page = shell.read_text(encoding="utf-8")

    async def about_a_model(request: Request) -> HTMLResponse:
        model_id = _asked(request)
        if model_id is not None and limit.wait(client(request.scope)) == 0 and _room.acquire(blocking=False):
            # The end of the server waits for a task of the answer; it does not wait for this.
            reader = threading.Thread(target=_read, args=(model_id,), name=THREAD, daemon=True)
            try:
                reader.start()
            except RuntimeError:
                # The machine has no thread to give: the page reads when it runs.
                _room.release()
        return HTMLResponse(page, headers={"cache-control": "no-cache"})

    return [Route(path, about_a_model) for path in PATHS]


def _asked(request: Request) -> str | None:
    """The model a link is about; ``None`` where the page reads no whole listing of one, or no page is asked for."""
    # An image or a frame of another site may have this address. Without encryption no browser says what it is for.
    if request.headers.get("sec-fetch-dest", "document") != "document":
        return None
    found = dict(parse_qsl(request.url.query))
    return None if _FILTERS & found.keys() else found.get("model")


def _read(model_id: str) -> None:
    try:
        frames = registry.connect().versions(model_id).frames
        frames.histories  # noqa: B018 - made once, and here nobody waits for it
    except PaiviewError:
        pass  # The page tells what is wrong.
    finally:
        _room.release()

"""A glance at what a Compare link is about, before its page has even come: an image that the server draws.

The page's own chart needs 7 MB of scripts and more than a second of the browser's work. The image comes meanwhile,
drawn by the same decisions, lies over the empty page and gives way to the chart.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from paiview import cache, judgement, registry, report, verdict
from paiview.decision import Decision
from paiview.figures import delta_info, delta_still
from paiview.pai.errors import PaiviewError
from paiview.text import counted, plain

PATH: Final = "/glance.svg"
_ONCE: Final = frozenset({"model", "baseline", "baseline_model"})
_UNSEEN: Final = frozenset({"workspace", "data"})
"""Parameters of a link that change nothing in the picture. For any other one there is none: the page may differ."""
_LINES: Final = 6
_NOTES, _WIDTH = 3, 150
"""Warnings in the image, and characters of each."""
AT_ONCE: Final = 8
"""Images drawn at the same time; beyond them a page does without, for a late image is of no use."""
_THREADS: Final = CapacityLimiter(AT_ONCE)
"""Threads of the images' own: a slow service leaves those that serve files free."""
_UNDER_WAY: Final[set[Request]] = set()
"""Requests that get an image; seen by the event loop alone."""
# Once hidden it stays so: what would show it again waits for longer than any page lives. And after 15 s nobody waits.
_STYLE: Final = """
#glance { position: fixed; inset: 0; z-index: 1000; box-sizing: border-box; width: 100%; height: 100%;
  color-scheme: light dark; pointer-events: none; visibility: visible; transition: visibility 0s 1000000s;
  animation: glance-over 0s 15s forwards; }
@media (min-width: 768px) { #glance { left: 18rem; width: calc(100% - 18rem); } }
@keyframes glance-over { to { visibility: hidden; } }
body:has(.st-key-delta-chart .js-plotly-plot .point) #glance,
body:has([data-testid="stApp"][data-test-script-state="notRunning"] .stMain .stElementContainer):not(
  :has(.st-key-delta-chart)) #glance { visibility: hidden; transition-delay: 0s; }
"""


def routes(shell: Path) -> list[Route]:
    """The image, and the page that shows it.

    Args:
        shell: the HTML page in which Streamlit runs.
    """
    page = shell.read_text(encoding="utf-8")

    async def compare(request: Request) -> Response:
        query = request.url.query
        return HTMLResponse(with_image(page, query) if _asked(query) else page, headers={"cache-control": "no-cache"})

    async def image(request: Request) -> Response:
        asked = _asked(request.url.query)
        if asked is None or len(_UNDER_WAY) >= AT_ONCE:
            return Response(status_code=404)
        _UNDER_WAY.add(request)
        try:
            return await to_thread.run_sync(_image, asked, limiter=_THREADS)
        finally:
            _UNDER_WAY.remove(request)

    return [Route("/compare", compare), Route(PATH, image)]


def with_image(page: str, query: str) -> str:
    """The page with the image of a query over it, asked for before anything else."""
    image = escape(f".{PATH}?{query}")
    head = f'<link rel="preload" as="image" fetchpriority="high" href="{image}"><style>{_STYLE}</style>'
    return page.replace("<head>", f"<head>{head}", 1).replace(
        "<body>", f'<body><img id="glance" src="{image}" alt="">', 1
    )


def _asked(query: str) -> Mapping[str, Sequence[str]] | None:
    """What a link compares; ``None`` where it asks for more than that, or leaves the choice to the page."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        found.setdefault(name, []).append(value)
    for name in _UNSEEN:
        found.pop(name, None)
    once = [name for name in found if name != "candidate"]
    if not {"model", "candidate"} <= found.keys() or not _ONCE.issuperset(once):
        return None
    if any(len(found[name]) > 1 for name in once) or len(found["candidate"]) > judgement.MOST_CANDIDATES:
        return None
    return found


def _image(asked: Mapping[str, Sequence[str]]) -> Response:
    baseline, home = (asked.get(name, [None])[0] for name in ("baseline", "baseline_model"))
    candidates = asked["candidate"]
    if len(candidates) > 1 and home is None:
        candidates = [name for name in candidates if name != baseline]
    if not candidates:
        # Each is the baseline. The page tells what is wrong.
        return Response(status_code=404)
    try:
        with cache.reading():
            judged = judgement.judge(
                registry.connect(), asked["model"][0], candidates, baseline=baseline, baseline_model=home
            )
    except PaiviewError:
        # The page tells what is wrong.
        return Response(status_code=404)
    return Response(_drawn(judged.decisions), media_type="image/svg+xml", headers={"cache-control": "no-store"})


def _drawn(decisions: Sequence[Decision]) -> str:
    first = decisions[0]
    if len(decisions) > 1:
        title = f"{counted(len(decisions), 'candidate')} of {plain(first.model, 60)}"
        together = report.all_against(decisions)
        warned = sum(bool(decision.notes) for decision in decisions)
        lines = [f"⚠ {warned} of them with a warning, which the page tells"] if warned else []
        lines += [] if together is None else [together]
    else:
        title = report.WORDS[first.summary.word]
        more = len(first.notes) - _NOTES
        lines = [
            *(f"⚠ {plain(note, _WIDTH)}" for note in first.notes[:_NOTES]),
            *([f"⚠ and {counted(more, 'more warning')}, which the page tells"] if more > 0 else []),
            f"{plain(first.candidate, 80)} {report.against(first)}",
            f"policy: {first.overall}",
            *verdict.headline(first)[:_LINES],
        ]
    return delta_still(delta_info(decisions), title, lines)

"""What the pictures have in common: colours, arrays plotly takes whole, and texts that tell categories apart."""

import base64
import html
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import Any, Final
from unicodedata import east_asian_width

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io
from numpy.typing import NDArray

from paiview.decisions.decision import BY_CONCERN, Decision, State
from paiview.evaluation.metric_meaning import Direction, MetricContract
from paiview.evaluation.results import Pair
from paiview.text import escape_for_plotly, shorten_front, unique_labels

BETTER = BEST = "#0072B2"
WORSE = "#D55E00"
APPROVED = "#009E73"
PENDING = "#E69F00"
REJECTED = "#B4478C"
NEUTRAL = "#8593A1"
FAINT = "rgba(133,147,161,0.28)"
"""Lines and bands that stay behind the marks, on white as on dark."""
FAINTEST = "rgba(133,147,161,0.13)"
"""Lines that lead the eye along a row."""

COLOURS: Mapping[State, str] = {
    "better": BETTER,
    "worse": WORSE,
    "same": NEUTRAL,
    "missing": NEUTRAL,
    "new": NEUTRAL,
    "not_comparable": NEUTRAL,
}
SYMBOLS: Mapping[State, str] = {
    "better": "triangle-up",
    "worse": "triangle-down",
    "same": "circle",
    "missing": "circle-open",
    "new": "cross-thin",
    "not_comparable": "diamond-open",
}
WAYS: Mapping[Direction | None, str] = {
    "lower": "↓ lower is better",
    "higher": "↑ higher is better",
    None: "direction unknown",
}
_NARROW, _LEGEND_MARK, _LETTER = 540, 46, 6.5
"""The width of a picture in a narrow window, and of a legend's mark and letter, in pixels."""
TRANSPARENT = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
_CHECKED: Final = False
"""Whether plotly checks what it is given, which takes it far longer than all the rest: the tests have it do so."""

Trace = dict[str, Any]


def scatter(**given: object) -> Trace:
    """A trace of marks, lines or texts; the arguments are those of ``plotly.graph_objects.Scatter``."""
    return {"type": "scatter", **given}


def drawn(traces: Sequence[Trace], layout: Mapping[str, object]) -> go.Figure:
    """The figure of these traces and this layout, made in one go, in the template that is plotly's default now.

    It is made to be sent: ``to_dict`` has all of it, its parts and what changes them do not.
    """
    # Without checks plotly would leave the template's name where a browser needs the template.
    template = {"template": _template(plotly.io.templates.default or "none")}
    if _CHECKED:
        return go.Figure([*traces], template | {**layout})
    # plotly would make an object of every part, and for each session and run anew a copy of all of them.
    dictionary = {"data": _sent([*traces]), "layout": template | _sent({**layout})}
    # The height is what Streamlit asks of the object itself.
    figure = go.Figure(None, {"height": layout.get("height")}, _validate=False)
    figure.to_dict = lambda: {**dictionary}
    return figure


@cache
def _template(name: str) -> dict[str, Any]:
    return dict(plotly.io.templates[name].to_plotly_json())


def _sent(part: Any) -> Any:
    """A part of a figure as plotly would send it: without what is not set, and floats as plotly.js's typed arrays."""
    if isinstance(part, dict):
        return {name: _sent(value) for name, value in part.items() if value is not None}
    if isinstance(part, list):
        return [*map(_sent, part)]
    if isinstance(part, np.ndarray) and part.dtype == np.float64 and part.size:
        shape = {"shape": ", ".join(map(str, part.shape))} if part.ndim > 1 else {}
        return {"dtype": "f8", "bdata": base64.b64encode(part.tobytes()).decode("ascii"), **shape}
    return part


def marker(symbol: str, colour: str, size: int = 10) -> dict[str, object]:
    """How plotly is to draw a mark; thin and open symbols are all line."""
    return {"symbol": symbol, "color": colour, "size": size, "line": {"width": 1.8, "color": colour}, "opacity": 1}


def in_force(decisions: Sequence[Decision]) -> dict[str, MetricContract]:
    """The contract each metric of some decisions was judged by."""
    return {known.metric: known for decision in decisions for known in decision.metrics}


def kept_rows(states: Sequence[State], most: int) -> list[int]:
    """Places of up to ``most`` rows of a picture, the first in their order.

    Where not all fit, what is worse comes first. What is missing or not comparable gets a quarter of the room that is
    left, or what better and same ones leave over: a wall of missing datasets hides what became better. What is new
    comes last.

    Args:
        states: of each row; with several candidates that of the most concern.
        most: how many rows the picture holds.
    """
    worse, unmeasured, measured, new = (
        [place for place, state in enumerate(states) if state in wanted]
        for wanted in (("worse",), ("missing", "not_comparable"), ("better", "same"), ("new",))
    )
    room = max(most - len(worse), 0)
    part = min(len(unmeasured), max(room // 4, room - len(measured)))
    left = max(room - part - len(measured), 0)
    return sorted([*worse[:most], *unmeasured[:part], *measured[: room - part], *new[:left]])


def left_out(states: Sequence[State], kept: Collection[int]) -> dict[State, int]:
    """How many rows of each state are not kept, the state of most concern first."""
    counts = Counter(state for place, state in enumerate(states) if place not in kept)
    return {state: counts[state] for state in BY_CONCERN if counts[state]}


def cells(values: Sequence[object]) -> NDArray[np.object_]:
    """An array, which plotly checks and copies as one; of a list it does so with every item."""
    return np.array(values, dtype=object)


def dataset_label(dataset: str, dataset_names: Mapping[str, str], limit: int = 44) -> str:
    """A dataset by its name where one is known, a long Uri by its end; ``limit`` counts letters of usual width."""
    name = shorten_front(dataset_names.get(dataset, dataset), limit)
    widths = [*accumulate(map(_letter, reversed(name)))]
    return escape_for_plotly(shorten_front(name, max(bisect_right(widths, limit), 1)), 60)


def _letter(char: str) -> float:
    """The width of a character in letters of usual size: a name of Chinese ones would take the room of the marks."""
    return 1.75 if char in "WM@%" or east_asian_width(char) in "WF" else 1.0


def row_labels(pairs: Iterable[Pair], dataset_names: Mapping[str, str]) -> list[str]:
    """The datasets of a panel's rows, told apart where they read the same."""
    return unique_labels([dataset_label(pair.dataset, dataset_names, 36) for pair in pairs])


def version_labels(versions: pd.DataFrame) -> list[str]:
    """Version names as categories of an axis: plain, and still told apart where plain text makes two of them alike."""
    return unique_labels([escape_for_plotly(name, 80) for name in versions["version_name"].tolist()])


def tick_positions(count: int, most: int) -> list[int]:
    """Up to ``most`` positions over ``count`` categories: the middles of equal parts, clear of the axis's ends."""
    parts = min(count, most)
    return [int((2 * part + 1) * count / (2 * parts)) for part in range(parts)]


def told_apart(texts: Sequence[str], limit: int) -> list[str]:
    """Texts for plotly of about ``limit`` characters each, which differ where the texts do.

    They are cut at the end. Long names of versions often begin alike: then they are cut in the middle, and where they
    end alike too, each shows its beginning and the place where it differs from the one most like it.
    """
    if not texts:
        return []
    lines = [" ".join(text.split()) for text in texts]
    distinct = sorted({*lines})
    shared = [0, *(_shared(*both) for both in pairwise(distinct)), 0]
    differing = map(max, pairwise(shared))
    ways = [[0] * len(distinct), [len(line) for line in distinct], [*differing]]
    cuts = [[_cut(line, limit, at) for line, at in zip(distinct, way, strict=True)] for way in ways]
    best = max(cuts, key=lambda cut: len({*cut}))
    shown = dict(zip(distinct, best, strict=True))
    return unique_labels([escape_for_plotly(shown[line], limit) for line in lines])


def _shared(one: str, other: str) -> int:
    """How many characters two different texts begin with in common."""
    differing = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


def _cut(line: str, limit: int, at: int) -> str:
    """The beginning of a line and, where that ends before it, the part that holds the character ``at``."""
    if len(line) <= limit:
        return line
    head = limit // 3
    start = min(at - 1, len(line) - (limit - head - 1))
    if start <= head:
        return f"{line[: limit - 1]}…"
    end = start + limit - head - 1
    return f"{line[:head].rstrip(' ._-/')}…{line[start:end] if end == len(line) else line[start : end - 1] + '…'}"


def tick_labels(labels: Sequence[str]) -> list[str]:
    """Labels of ``version_labels`` cut to the width of a tick, between characters and not inside of an escape."""
    return told_apart([html.unescape(label) for label in labels], 14)


def legend_lines(names: Iterable[str]) -> int:
    """Lines that a horizontal legend takes where the window is narrow; plotly puts what does not fit into a grid."""
    widths = [_LEGEND_MARK + _LETTER * len(html.unescape(name)) for name in names]
    if sum(widths) <= _NARROW:
        return 1
    return math.ceil(len(widths) / max(1, int(_NARROW // max(widths))))

"""What the pictures have in common: colours, marks, which rows they keep, and labels that tell categories apart.

Labels are plain text unless their docstring says otherwise: each picture escapes them for itself.
"""

import html
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import numpy as np
from numpy.typing import NDArray

from paiview.decisions.decision import BY_CONCERN, Decision, State
from paiview.evaluation.metric_meaning import Direction, MetricContract, Standing
from paiview.evaluation.results import Pair
from paiview.text import escape_for_plotly, one_line, shorten_front, unique_labels

if TYPE_CHECKING:
    import pandas as pd


def tint(colour: str, opacity: float) -> str:
    """A colour such as ``#0072B2`` with an opacity from 0 to 1, for plotly and CSS.

    >>> tint("#0072B2", 0.7)
    'rgba(0,114,178,0.7)'
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"rgba({red},{green},{blue},{opacity:g})"


BETTER = BEST = "#0072B2"
WORSE = "#D55E00"
BETTER_ON_DARK, WORSE_ON_DARK = "#3D9BD4", "#E8762B"
"""For HTML on a dark page. A plotly figure does not know the theme, and has the colours above on both."""
APPROVED = "#009E73"
PENDING = "#E69F00"
REJECTED = "#A3AFBA"
NEUTRAL = "#8593A1"
FAINT = tint(NEUTRAL, 0.28)
"""Lines and bands that stay behind the marks, on white as on dark."""
FAINTEST = tint(NEUTRAL, 0.13)
"""Lines that lead the eye along a row."""

COLOURS: Mapping[State, str] = {
    "better": BETTER,
    "worse": WORSE,
    "same": NEUTRAL,
    "unclear": NEUTRAL,
    "missing": NEUTRAL,
    "new": NEUTRAL,
    "not_comparable": NEUTRAL,
}
SYMBOLS: Mapping[State, str] = {
    "better": "triangle-up",
    "worse": "triangle-down",
    "same": "circle",
    "unclear": "hourglass-open",
    "missing": "circle-open",
    "new": "cross-thin",
    "not_comparable": "diamond-open",
}
"""The marks of plotly's pictures; those of HTML use ``paiview.decisions.decision.GLYPHS``."""
WAYS: Mapping[Direction | None, str] = {
    "lower": "↓ lower is better",
    "higher": "↑ higher is better",
    "zero": "→ nearer to 0 is better",
    "target": "→ nearer to its target is better",
    None: "direction unknown",
}


def way(direction: Direction | None, standing: Standing) -> str:
    """Which way is better and how sure that is: ``↓ lower is better``, ``assumed: ↓ lower is better``."""
    if standing == "not_a_score":
        return "not a score"
    return f"assumed: {WAYS[direction]}" if standing == "assumed" else WAYS[direction]


def way_mark(direction: Direction | None, standing: Standing) -> str:
    """``way`` where there is little room: ``↓``, ``↓ assumed``, ``direction unknown``."""
    if direction is None or standing == "not_a_score":
        return way(direction, standing)
    arrow = WAYS[direction][0]
    return f"{arrow} assumed" if standing == "assumed" else arrow


TRANSPARENT = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
_NARROW_WIDTH, _LEGEND_MARK_WIDTH, _LETTER_WIDTH = 540, 46, 6.5
"""Of a picture in a narrow window, of a legend's mark and of a letter, in pixels."""


def marker(symbol: str, colour: str, size: int = 10) -> dict[str, object]:
    """Plotly's settings of a mark; thin and open symbols are all line."""
    return {"symbol": symbol, "color": colour, "size": size, "line": {"width": 1.8, "color": colour}, "opacity": 1}


def metrics_of(decisions: Sequence[Decision]) -> dict[str, MetricContract]:
    """By name, the meaning of each metric that the decisions were made with."""
    return {metric.metric: metric for decision in decisions for metric in decision.metrics}


def kept_rows(states: Sequence[State], most: int) -> list[int]:
    """Indexes of up to ``most`` rows of a picture, in their order.

    Where not all fit, regressions come first. Missing and not comparable rows get a quarter of the room left, or more
    where better and same ones need less: a wall of missing datasets hides what became better. New rows come last.

    Args:
        states: of each row; with several candidates the state of most concern.
        most: how many rows the picture holds.
    """
    worse, unmeasured, measured, new = (
        [index for index, state in enumerate(states) if state in group]
        for group in (("worse",), ("missing", "not_comparable"), ("better", "same", "unclear"), ("new",))
    )
    room = max(most - len(worse), 0)
    part = min(len(unmeasured), max(room // 4, room - len(measured)))
    left = max(room - part - len(measured), 0)
    return sorted([*worse[:most], *unmeasured[:part], *measured[: room - part], *new[:left]])


def left_out(states: Sequence[State], kept: Collection[int]) -> dict[State, int]:
    """How many rows of each state are not kept, the state of most concern first."""
    counts = Counter(state for index, state in enumerate(states) if index not in kept)
    return {state: counts[state] for state in BY_CONCERN if counts[state]}


def cells(values: Sequence[object]) -> NDArray[np.object_]:
    """An array, which plotly checks and copies as one; of a list it does so with every item."""
    return np.array(values, dtype=object)


def dataset_label(dataset: str, dataset_names: Mapping[str, str], limit: int = 44) -> str:
    """A dataset by its name where it has one, a long Uri by its end; ``limit`` counts letters of usual width."""
    name = shorten_front(dataset_names.get(dataset, dataset), limit)
    widths = [*accumulate(map(_letter_width, reversed(name)))]
    return shorten_front(name, max(bisect_right(widths, limit), 1))


def _letter_width(char: str) -> float:
    """In letters of usual size: a name of Chinese characters would take the room of the marks."""
    return 1.75 if char in "WM@%" or east_asian_width(char) in "WF" else 1.0


def row_labels(pairs: Iterable[Pair], dataset_names: Mapping[str, str]) -> list[str]:
    """The datasets of a panel's rows, numbered where they read the same."""
    return unique_labels([dataset_label(pair.dataset, dataset_names, 36) for pair in pairs])


def version_labels(versions: "pd.DataFrame") -> list[str]:
    """Version names as categories of a plotly axis: escaped, and unique where escaping makes two of them alike."""
    return unique_labels([escape_for_plotly(name, 80) for name in versions["version_name"].tolist()])


def tick_positions(count: int, most: int) -> list[int]:
    """Up to ``most`` indexes among ``count`` categories: the middles of equal parts, clear of the axis's ends."""
    parts = min(count, most)
    return [int((2 * part + 1) * count / (2 * parts)) for part in range(parts)]


def distinct_labels(texts: Sequence[str], limit: int) -> list[str]:
    """Labels of about ``limit`` characters each, which differ where the texts do.

    They are cut at the end. Long names of versions often begin alike: then they are cut in the middle, and where they
    end alike too, each shows its beginning and the place where it differs from the one most like it.
    """
    if not texts:
        return []
    lines = [" ".join(text.split()) for text in texts]
    distinct = sorted({*lines})
    shared = [0, *(_common_prefix(*both) for both in pairwise(distinct)), 0]
    differing = map(max, pairwise(shared))
    candidates = [[0] * len(distinct), [len(line) for line in distinct], [*differing]]
    cuts = [[_cut(line, limit, at) for line, at in zip(distinct, places, strict=True)] for places in candidates]
    best = max(cuts, key=lambda cut: len({*cut}))
    labels = dict(zip(distinct, best, strict=True))
    return unique_labels([one_line(labels[line], limit) for line in lines])


def _common_prefix(one: str, other: str) -> int:
    """How many characters two different texts begin with in common."""
    differing = (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
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
    """Labels of ``version_labels`` cut to the width of a tick and escaped again."""
    return [escape_for_plotly(label) for label in distinct_labels([html.unescape(label) for label in labels], 14)]


def legend_lines(names: Iterable[str]) -> int:
    """Lines of a horizontal plotly legend in a narrow window, where plotly arranges its entries as a grid."""
    widths = [_LEGEND_MARK_WIDTH + _LETTER_WIDTH * len(html.unescape(name)) for name in names]
    if sum(widths) <= _NARROW_WIDTH:
        return 1
    return math.ceil(len(widths) / max(1, int(_NARROW_WIDTH // max(widths))))

"""A significance as one HTML page: the answer, the draws, and the items that changed most."""

import json
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from paiview.evaluation.metric_meaning import format_value
from paiview.evidence.explanation import Explanation, ItemChange, counts_sentence, numbers_text, text_rows
from paiview.evidence.finding import Significance, State
from paiview.evidence.sentences import value_digits
from paiview.figures import style
from paiview.reports.documents import template
from paiview.text import one_line

_GLYPHS: Final[dict[State, str]] = {"better": "▲", "worse": "▼", "changed": "≠", "unclear": "≈", "same": "="}
_TITLES: Final[dict[State, str]] = {
    "better": "Better",
    "worse": "Worse",
    "changed": "Different",
    "unclear": "Too close to call",
    "same": "The same",
}
_BARS: Final = 40
_WIDTH, _HEIGHT = 640.0, 150.0
"""Of the drawing of the draws, in its own units."""
_TEXT_CHARACTERS: Final = 400
_ID_CHARACTERS: Final = 120


class Bar(NamedTuple):
    """One bar of the drawing; ``tone`` is ``better``, ``worse`` or ``neutral``."""

    left: float
    top: float
    width: float
    height: float
    tone: str


class Mark(NamedTuple):
    """A line across the drawing with its text, whose ``anchor`` keeps it inside."""

    at: float
    text: str
    anchor: str


class Drawing(NamedTuple):
    """How the changes of all draws are spread.

    Attributes:
        width, height: of the drawing, in its own units.
        bars: draws by change, from the lowest to the highest.
        zero: where there is no change.
        change: where the change of the items themselves is.
        low, high: from where to where the interval of 95 % reaches.
    """

    width: float
    height: float
    bars: tuple[Bar, ...]
    zero: Mark
    change: Mark
    low: float
    high: float


class ItemRow(NamedTuple):
    """An item as plain text, not yet escaped."""

    name: str
    group: str
    numbers: str
    texts: tuple[str, ...]


def significance_html(found: Significance, explanation: Explanation, files: tuple[str, str]) -> str:
    """One HTML page. It needs no script, no network and no other file, and escapes all text of the files.

    Args:
        found: the comparison.
        explanation: which items changed, of the same files.
        files: what the files of the baseline and of the candidate are called.
    """
    title = _TITLES[found.state] if found.decides else "Too few groups to decide"
    sides = [
        (count, [_item_row(change, has_errors=explanation.has_errors) for change in changes])
        for count, changes in zip(explanation.counts, explanation.changes, strict=True)
    ]
    return template("significance.html").render(
        found=found,
        title=title,
        glyph=_GLYPHS[found.state] if found.decides else "?",
        tone=found.state if found.decides else "unclear",
        sentences=found.sentences,
        remarks=found.remarks,
        drawing=drawing(found),
        paired=json.dumps({"Paired": found.paired}),
        counts=counts_sentence(explanation),
        sides=sides,
        has_errors=explanation.has_errors,
        files=files,
        style=style,
    )


def drawing(found: Significance) -> Drawing:
    """Gather the draws into bars of equal width, one edge of which is at 0."""
    _, low, high = found.intervals[0]
    lowest = min(0.0, low, float(found.changes.min()))
    highest = max(0.0, high, float(found.changes.max()))
    step = (highest - lowest) / _BARS or 1.0
    first = math.floor(lowest / step)
    edges = np.arange(first, max(math.ceil(highest / step), first + 1) + 1) * step
    counts, _ = np.histogram(found.changes, edges)
    most = max(int(counts.max()), 1)
    start, span = float(edges[0]), float(edges[-1] - edges[0])

    def position(change: float) -> float:
        return round((change - start) / span * _WIDTH, 2)

    digits = value_digits(found)
    bars = tuple(
        Bar(
            position(float(edge)),
            round(_HEIGHT * (1 - count / most), 2),
            round(position(float(edge) + step) - position(float(edge)), 2),
            round(_HEIGHT * count / most, 2),
            _tone(found, float(edge) + step / 2),
        )
        for edge, count in zip(edges[:-1], counts.tolist(), strict=True)
        if count
    )
    change = format_value(found.change, digits, signed=True)
    return Drawing(
        _WIDTH,
        _HEIGHT,
        bars,
        _mark(position(0.0), "no change"),
        _mark(position(found.change), f"these items {change}"),
        position(low),
        position(high),
    )


def _tone(found: Significance, change: float) -> str:
    if found.direction is None:
        return "neutral"
    return "better" if (change < 0) is (found.direction == "lower") else "worse"


def _mark(at: float, text: str) -> Mark:
    return Mark(at, text, "start" if at < _WIDTH / 4 else "end" if at > _WIDTH * 3 / 4 else "middle")


def _item_row(change: ItemChange, *, has_errors: bool) -> ItemRow:
    texts: Sequence[tuple[str, str]] = text_rows(change, _TEXT_CHARACTERS)
    return ItemRow(
        one_line(change.id, _ID_CHARACTERS),
        one_line(change.group or "", _ID_CHARACTERS),
        numbers_text(change, has_errors=has_errors),
        tuple(text for _, text in texts),
    )

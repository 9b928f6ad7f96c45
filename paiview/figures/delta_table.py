"""The delta dot plot as an HTML table with positioned marks: one template for the page and the HTML report.

It needs no script, no image and no other file. It is escaped by its template, and reads as a table where styles are
missing: each cell of the plot holds its percentage and its state as text.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from paiview.decisions.decision import BY_CONCERN, State, spoken
from paiview.decisions.wording import percent
from paiview.figures import style
from paiview.figures.delta import EACH_BASELINE, DeltaInfo, DeltaMark
from paiview.text import one_line

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

_COLUMNS_WITH_TEXT, _COLUMNS_WITH_LEVEL_HEADS = 3, 6
_GUTTER = 1.2
"""In limits of the scale: where a mark without a size is."""
_EDGE_MARGIN = 0.08
"""In limits of the scale: the distance of an effect beyond the scale from the edge of its column."""
_HEAD_LENGTH, _UPRIGHT_HEAD_LENGTH = 80, 26
_SHAPES: Mapping[State, str] = {
    "better": "up",
    "worse": "down",
    "same": "dot",
    "unclear": "wave",
    "missing": "ring",
    "new": "plus",
    "not_comparable": "question",
}
"""The marks, drawn by the style sheet: glyphs have another size in each font, and some fonts lack them."""
_HOLLOW: Mapping[State, str] = {"better": "hollow-up", "worse": "hollow-down"}
"""The marks of a change without a size."""


class _Scale(NamedTuple):
    """From effects to percentages of a cell's width, the baseline in the middle.

    Attributes:
        limit: the largest effect on the scale.
        half: half a column in limits, so that texts and marks without a size have room beyond the scale.
    """

    limit: float
    half: float

    def width(self, size: float) -> float:
        """The width of a size; one that is too large reaches from the middle to the edge."""
        return min(size / self.limit, self.half) / self.half * 50

    def position(self, effect: float) -> float:
        """Where an effect is, from the left."""
        return 50 + math.copysign(self.width(abs(effect)), effect)

    def span(self, one: float, other: float) -> tuple[float, float]:
        """Left end and width of a line between two effects."""
        left, right = sorted((self.position(one), self.position(other)))
        return left, right - left


class _Mark(NamedTuple):
    """A mark of the plot. Positions are percentages of its cell's width, from the left.

    Attributes:
        shape: the mark itself, one that the style sheet draws.
        at: where it is.
        to_left: whether the text is left of it.
        raised: whether the text is above a line that leads past the mark.
        text: the percentage, or the state.
        word: the state, where ``text`` is not that already.
        stem: from where to where a line leads from the baseline to the mark.
        whisker: from where to where the interval reaches.
        hover: all of it.
    """

    state: State
    shape: str
    at: float
    to_left: bool
    raised: bool
    text: str
    word: str
    stem: tuple[float, float] | None
    whisker: tuple[float, float] | None
    hover: str


class _Cell(NamedTuple):
    """The plot of one candidate in one row; ``band`` is half the tolerance's width in percent of the cell's."""

    band: float
    mark: _Mark | None


class _Row(NamedTuple):
    label: str
    name: str
    values: str
    cells: list[_Cell]


class _Panel(NamedTuple):
    metric: str
    meaning: str
    rows: list[_Row]


class _Tick(NamedTuple):
    at: float
    text: str


class _Head(NamedTuple):
    text: str
    name: str


class _Key(NamedTuple):
    """An entry of the legend."""

    state: State
    shape: str
    word: str


class _Plot(NamedTuple):
    """What the template draws; see ``DeltaInfo``."""

    heads: list[_Head]
    baseline: str
    ticks: list[_Tick]
    panels: list[_Panel]
    keys: list[_Key]
    beyond: int
    has_text: bool
    has_level_heads: bool


def delta_html(info: DeltaInfo) -> "Markup":
    """Draw the plot: a table with its own style, for any HTML page; nothing where there is no row."""
    from markupsafe import Markup  # noqa: PLC0415 - as jinja2

    plot = _plot(info) if info.rows else None
    return Markup(_template().render(plot=plot, style=style) if plot else "")  # noqa: S704 - the template escapes


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only a drawn plot needs it

    return Environment(
        loader=PackageLoader("paiview.figures"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("delta_table.html")


def _plot(info: DeltaInfo) -> _Plot:
    columns = len(info.candidates)
    has_text, has_level_heads = columns <= _COLUMNS_WITH_TEXT, columns <= _COLUMNS_WITH_LEVEL_HEADS
    scale = _Scale(info.limit, 1.5 if columns == 1 else 1.9 if has_text else 1.4)
    marks: dict[int, dict[int, _Mark]] = {}
    for mark in info.marks:
        marks.setdefault(mark.row, {})[mark.column] = _mark(mark, scale)
    rows = [
        _Row(
            label=row.label,
            name=row.name,
            values=row.values,
            cells=[
                _Cell(scale.width(tolerance), marks.get(index, {}).get(column))
                for column, tolerance in enumerate(info.tolerance[index].tolist())
            ],
        )
        for index, row in enumerate(info.rows)
    ]
    states = {mark.state for mark in info.marks}
    return _Plot(
        heads=_heads(info.candidates, _HEAD_LENGTH if has_level_heads else _UPRIGHT_HEAD_LENGTH),
        baseline=info.baseline if info.baseline == EACH_BASELINE or columns == 1 else f"baseline {info.baseline}",
        ticks=[_Tick(scale.position(effect), text) for effect, text in _ticks(info.limit, columns)],
        panels=[_Panel(panel.metric, panel.meaning, rows[panel.first : panel.last + 1]) for panel in info.panels],
        keys=[_Key(state, _SHAPES[state], spoken(state)) for state in BY_CONCERN if state in states],
        beyond=info.beyond,
        has_text=has_text,
        has_level_heads=has_level_heads,
    )


def _heads(candidates: Sequence[str], length: int) -> list[_Head]:
    return [
        _Head(text, one_line(name, 250))
        for text, name in zip(style.distinct_labels(candidates, length), candidates, strict=True)
    ]


def _mark(mark: DeltaMark, scale: _Scale) -> _Mark:
    has_size = not math.isnan(mark.effect)
    is_right = mark.effect > 0 if has_size else mark.state in ("better", "unclear")
    sign = 1 if is_right else -1
    is_beyond = abs(mark.effect) > scale.limit
    is_on_scale = has_size and not is_beyond
    if is_on_scale:
        at, shape = mark.effect, _SHAPES[mark.state]
    elif is_beyond:
        at, shape = sign * (scale.half - _EDGE_MARGIN) * scale.limit, "edge-right" if is_right else "edge-left"
    else:
        at, shape = sign * _GUTTER * scale.limit, _HOLLOW.get(mark.state, _SHAPES[mark.state])
    to_left = is_right != is_on_scale
    if mark.effect == 0:
        to_left = False
    stem = whisker = None
    if has_size and at:
        stem = scale.span(0.0, sign * scale.limit if is_beyond else at)
    if is_on_scale and not math.isnan(mark.low):
        whisker = scale.span(mark.low, mark.high)
    word = spoken(mark.state)
    return _Mark(
        state=mark.state,
        shape=shape,
        at=scale.position(at),
        to_left=to_left,
        raised=is_beyond or whisker is not None,
        text=mark.label,
        word="" if mark.label == word else word,
        stem=stem,
        whisker=whisker,
        hover=mark.hover,
    )


def _ticks(limit: float, columns: int) -> list[tuple[float, str]]:
    """The effects named on the scale; fewer where the columns are narrow."""
    steps = [0.0]
    if columns == 1:
        step = _step(limit, (1, 2, 5))
        count = int(limit / step + 1e-9)
        steps = [step * number for number in range(-count, count + 1)]
    elif columns <= _COLUMNS_WITH_LEVEL_HEADS:
        step = _step(limit, range(1, 10))
        steps = [-step, 0.0, step] if columns <= _COLUMNS_WITH_TEXT else [0.0, step]
    return [(effect, "0" if effect == 0 else percent(effect).replace(".0 %", " %")) for effect in steps]


def _step(limit: float, factors: Iterable[int]) -> float:
    """The largest of these factors times a power of ten that is no larger than the limit."""
    power = 10.0 ** math.floor(math.log10(limit))
    return max(factor * power for factor in factors if factor * power <= limit * (1 + 1e-9))

"""The delta dot plot as a still SVG image: what ``delta_figure`` draws, for where no script runs.

The same rows, scale, tolerance and signs, in the colours of both themes; no hover texts and no intervals.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape, unescape

from paiview.decision import GLYPHS, spoken
from paiview.figures.conventions import BETTER, FAINT, NEUTRAL, WORSE, told_apart
from paiview.figures.delta import DeltaInfo, DeltaMark, DeltaPanel

_WIDTH = 1080
_ROW, _LINE, _SLANTED = 24, 22, 100
_LABELS, _VALUES, _RIGHT = 250, 190, 40
"""Pixels beside the plot: names of datasets, numbers, and the end of the last head."""
_GUTTER = 1.2
_ROOM = 1.5
"""In limits of the scale: where what has no size is drawn, and half of a column."""
_LEVEL_HEADS, _HEAD = 6, 14
_WITH_LABELS = 3
_SIGNS = {
    "better": ("M0-6 6 5H-6Z", f"fill:{BETTER}"),
    "worse": ("M0 6 6-5H-6Z", f"fill:{WORSE}"),
    "same": ("M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0", f"fill:{NEUTRAL}"),
    "missing": ("M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0", f"fill:none;stroke:{NEUTRAL}"),
    "new": ("M-5 0H5M0-5V5", f"fill:none;stroke:{NEUTRAL}"),
    "not_comparable": ("M0-6 6 0 0 6-6 0Z", f"fill:none;stroke:{NEUTRAL}"),
}
_STYLE = (
    "svg{background:#fff;fill:#1b2733;font:13px system-ui,sans-serif}"
    "svg>g{transform:translate(64px,56px)}"
    f"@media(max-width:{_WIDTH}px){{svg>g{{transform:translate(8px,56px) scale(.6)}}}}"
    ".quiet{fill:#55636f}.head{font-weight:600}.title{font-size:22px;font-weight:650}.small{font-size:11px}"
    "@media(prefers-color-scheme:dark){svg{background:#12181f;fill:#e4eaf0}.quiet{fill:#a3b1bd}}"
)


def delta_still(info: DeltaInfo, title: str, lines: Sequence[str]) -> str:
    """Draw the plot under a title.

    Args:
        info: what it shows.
        title: plain text, one line.
        lines: plain text under it.

    Returns:
        An SVG document whose background fills whatever shows it.
    """
    columns = len(info.candidates)
    right = _VALUES if columns == 1 else _RIGHT
    column = (_WIDTH - _LABELS - right) / columns
    top = 40 + _LINE * len(lines) + (_LINE if columns <= _LEVEL_HEADS else _SLANTED)
    heights = [top + _ROW * (row + number) for number, panel in enumerate(info.panels, 1) for row in _rows(panel)]
    height = (heights[-1] if heights else top) + 2 * _ROW
    body = [_text(8, 28, title, "title")]
    body += [_text(8, 40 + _LINE * (number + 0.6), line, "quiet") for number, line in enumerate(lines)]
    if info.rows:
        body += _frame(info, heights, top, column)
        body += _marks(info, heights, column)
        body.append(_text(8, height - 12, _legend(info), "quiet small"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="100%"><style>{_STYLE}</style>'
        f"<g>{''.join(body)}</g></svg>"
    )


def _rows(panel: DeltaPanel) -> range:
    return range(panel.first, panel.last + 1)


def _x(effect: float, place: int, limit: float, column: float) -> float:
    return _LABELS + column * (place + 0.5 + effect / limit / _ROOM / 2)


def _frame(info: DeltaInfo, heights: Sequence[float], top: float, column: float) -> Iterator[str]:
    """Heads, names of datasets, the band of tolerance and the line of the baseline."""
    heads = told_apart(info.candidates, _HEAD) if len(info.candidates) > 1 else []
    for place, name in enumerate(map(_bare, heads)):
        x = _x(0, place, info.limit, column)
        if len(info.candidates) <= _LEVEL_HEADS:
            yield _text(x, top, name, "head small", "middle")
        else:
            yield f'<g transform="translate({x:.1f} {top:g}) rotate(-60)">{_text(12, 0, name, "small")}</g>'
    for panel in info.panels:
        yield _text(8, heights[panel.first] - _ROW + 4, _bare(panel.title), "head")
        for place in range(len(info.candidates)):
            above, below = heights[panel.first] - _ROW / 2, heights[panel.last] + _ROW / 2
            for row in _rows(panel):
                band = min(float(info.tolerance[row, place]), _ROOM * info.limit)
                left, right = (_x(end, place, info.limit, column) for end in (-band, band))
                yield (
                    f'<rect x="{left:.1f}" y="{heights[row] - _ROW / 2:g}" width="{right - left:.1f}" '
                    f'height="{_ROW}" style="fill:{FAINT}"/>'
                )
            x = _x(0, place, info.limit, column)
            yield f'<path d="M{x:.1f} {above:g}V{below:g}" style="stroke:{NEUTRAL};stroke-width:2"/>'
    for named, height in zip(info.rows, heights, strict=True):
        yield _text(_LABELS - 8, height + 4, _bare(named.label), "", "end")
        yield _text(_WIDTH - _VALUES + 8, height + 4, named.values) if named.values else ""


def _marks(info: DeltaInfo, heights: Sequence[float], column: float) -> Iterator[str]:
    for mark in info.marks:
        x, y = _x(_place(mark, info.limit), mark.column, info.limit, column), heights[mark.row]
        outline, style = _SIGNS[mark.state]
        if math.isnan(mark.effect):
            style = style.replace("fill:#", "fill:none;stroke:#")
        yield f'<path transform="translate({x:.1f} {y:g})" d="{outline}" style="{style}"/>'
        if len(info.candidates) <= _WITH_LABELS:
            aside, anchor = (10, "start") if x >= _x(0, mark.column, info.limit, column) else (-10, "end")
            yield _text(x + aside, y + 4, _bare(mark.label), "small", anchor)


def _place(mark: DeltaMark, limit: float) -> float:
    if math.isnan(mark.effect):
        return math.copysign(_GUTTER * limit, 1 if mark.state == "better" else -1)
    return min(max(mark.effect, -limit), limit)


def _legend(info: DeltaInfo) -> str:
    states = dict.fromkeys(mark.state for mark in info.marks)
    return " · ".join(
        [*(f"{GLYPHS[state]} {spoken(state)}" for state in states), f"the line is the baseline: {_bare(info.baseline)}"]
    )


def _text(x: float, y: float, content: str, style: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(content)}</text>'


def _bare(text: str) -> str:
    """A text that was written for plotly, without its tags and escapes."""
    return unescape(text.replace("<b>", "").replace("</b>", ""))

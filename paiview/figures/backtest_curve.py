"""The curve of a backtest: how many versions of the past a tolerance would have stopped or let pass."""

from typing import Final, NamedTuple

import plotly.graph_objects as go

from paiview.decisions.backtest import Backtest
from paiview.decisions.decision import Overall
from paiview.decisions.wording import share_text
from paiview.figures.style import APPROVED, REJECTED, cells, marker

_HEIGHT_PIXELS: Final = 260
_LEGEND_PIXELS: Final = 40


class CurveLine(NamedTuple):
    """A line of the curve: versions of one status and result."""

    label: str
    status: str
    overall: Overall
    colour: str
    symbol: str


LINES: Final = (
    CurveLine("Approved, stopped", "Approved", "fail", APPROVED, "circle"),
    CurveLine("Approved, undecided", "Approved", "undecided", APPROVED, "circle-open"),
    CurveLine("Rejected, let pass", "Rejected", "pass", REJECTED, "x-thin"),
    CurveLine("Rejected, undecided", "Rejected", "undecided", REJECTED, "diamond-open"),
)


def backtest_figure(result: Backtest) -> go.Figure:
    """Draw the number of versions by tolerance, a line for each of ``LINES`` that has any."""
    labels = [share_text(step.tolerance) for step in result.steps]
    traces = []
    for line in LINES:
        counts = [step.counts.get((line.status, line.overall), 0) for step in result.steps]
        if any(counts):
            traces.append(
                go.Scatter(
                    x=cells(labels),
                    y=counts,
                    mode="lines+markers",
                    name=line.label,
                    line={
                        "color": line.colour,
                        "width": 1.6,
                        "dash": "dot" if line.overall == "undecided" else "solid",
                    },
                    marker=marker(line.symbol, line.colour, 8),
                    hovertemplate=f"%{{x}}: %{{y}}<extra>{line.label}</extra>",
                )
            )
    layout: dict[str, object] = {
        "height": _HEIGHT_PIXELS,
        "margin": {"l": 8, "r": 16, "t": _LEGEND_PIXELS, "b": 8},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
        "showlegend": True,
        "hovermode": "closest",
        "xaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": labels,
            "title": {"text": "relative tolerance"},
            "showgrid": False,
            "automargin": True,
        },
        "yaxis": {"rangemode": "tozero", "tickformat": ",d", "title": {"text": "versions"}, "automargin": True},
    }
    return go.Figure(traces, layout)

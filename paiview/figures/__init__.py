"""Frames and decisions to figures.

Each chart is two functions: ``*_info`` computes everything and says what is not shown, ``*_figure`` only draws it. The
pictures and their rules are those of the decision document: own y range a panel, no colour without a known direction,
better blue, status told by the mark's shape as well as its colour.
"""

from paiview.figures.heatmap import HeatmapInfo, heatmap_figure, heatmap_info
from paiview.figures.trend import TrendInfo, TrendPanel, trend_figure, trend_info

__all__ = [
    "HeatmapInfo",
    "TrendInfo",
    "TrendPanel",
    "heatmap_figure",
    "heatmap_info",
    "trend_figure",
    "trend_info",
]

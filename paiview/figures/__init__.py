"""Frames and decisions to figures.

Each chart is two functions: ``*_info`` computes everything and says what is not shown, ``*_figure`` only draws it. The
pictures and their rules are those of the decision document: own y range a panel, no colour without a known direction,
better blue, status told by the mark's shape as well as its colour.
"""

from paiview.figures.delta import DeltaInfo, delta_figure, delta_info
from paiview.figures.dumbbell import DumbbellInfo, dumbbell_figure, dumbbell_info
from paiview.figures.heatmap import (
    EffectHeatmapInfo,
    HeatmapInfo,
    effect_heatmap_figure,
    effect_heatmap_info,
    heatmap_figure,
    heatmap_info,
)
from paiview.figures.pareto import ParetoInfo, means, pareto_figure, pareto_info
from paiview.figures.style import WAYS, version_labels
from paiview.figures.trend import TrendInfo, TrendPanel, trend_figure, trend_info

__all__ = [
    "WAYS",
    "DeltaInfo",
    "DumbbellInfo",
    "EffectHeatmapInfo",
    "HeatmapInfo",
    "ParetoInfo",
    "TrendInfo",
    "TrendPanel",
    "delta_figure",
    "delta_info",
    "dumbbell_figure",
    "dumbbell_info",
    "effect_heatmap_figure",
    "effect_heatmap_info",
    "heatmap_figure",
    "heatmap_info",
    "means",
    "pareto_figure",
    "pareto_info",
    "trend_figure",
    "trend_info",
    "version_labels",
]

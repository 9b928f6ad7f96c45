"""Every version against one: the mean effect on one metric over the datasets that both have."""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from paiview.decisions.wording import percent
from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.figures.heatmap import version_effects
from paiview.figures.style import (
    APPROVED,
    BETTER,
    FAINT,
    NEUTRAL,
    WORSE,
    cells,
    distinct_labels,
    tick_labels,
    version_labels,
)
from paiview.text import escape_for_plotly

Side = Literal["baseline", "better", "worse", "same"]

_SYMBOLS: Mapping[str, str] = {"Approved": "circle", "Rejected": "x-thin", "Pending": "circle-open"}
_OTHER_SYMBOL = "diamond-open"
_COLOURS: Mapping[Side, str] = {"baseline": APPROVED, "better": BETTER, "worse": WORSE, "same": NEUTRAL}
_HEIGHT_PIXELS = 320
_LEGEND_PIXELS = 44
_ROOMY_VERSIONS = 60
"""Versions up to which each has room for a large mark and a wide bar."""
_LARGE_MARK_PIXELS, _SMALL_MARK_PIXELS = 9, 6
_WIDE_BAR_PIXELS, _NARROW_BAR_PIXELS = 6, 2
_MAX_TICKS_OF_ALL = 22
"""Versions up to which each has its name on the axis."""
_TICK_SHARE = 1 / 28
"""The least distance of two names, as a share of the axis."""
_CUT_PERCENTILE = 95
_CUT_SHARE = 1.25
"""The most that the axis holds, as a share of the ``_CUT_PERCENTILE``: what is barely beyond it still has its place."""
_MAX_CUT = 1e4
"""The end of an axis at most, as a share: a million percent, beyond which no label is short."""
_Y_TICKS = 5
_MARGIN_SHARE = 0.07
"""The room beyond both ends of the axis, as a share of it: for whole marks and the text at the best."""


class OverviewInfo(NamedTuple):
    """The versions that share a dataset with the baseline, in version order.

    Attributes:
        metric: whose effects these are.
        baseline: label of the version compared with.
        names: labels of the versions.
        statuses: their approval statuses.
        mean: of each version, the mean effect, a share, positive is better.
        worst, best: the effects on the dataset with the least and with the largest one.
        counts: on how many datasets.
        sides: on which side of the baseline the mean is, beyond the metric's tolerance.
        low, high: the ends of the axis; what is beyond stands at the end.
        ticks: indexes of the versions whose names stand at the axis.
        unshared: how many of the versions asked for share no dataset with the baseline.
    """

    metric: str
    baseline: str
    names: list[str]
    statuses: list[str]
    mean: NDArray[np.float64]
    worst: NDArray[np.float64]
    best: NDArray[np.float64]
    counts: NDArray[np.int64]
    sides: list[Side]
    low: float
    high: float
    ticks: list[int]
    unshared: int

    @property
    def leader(self) -> int | None:
        """The index of the version with the largest mean, where that is better than the baseline."""
        at = int(np.argmax(self.mean)) if len(self.mean) else 0
        return at if self.sides[at : at + 1] == ["better"] else None

    @property
    def beyond(self) -> int:
        """How many marks stand at an end of the axis because their mean is beyond it."""
        return int(((self.mean < self.low) | (self.mean > self.high)).sum())


def overview_info(
    frames: Frames,
    pairs: Sequence[Pair],
    *,
    orders: NDArray[np.int64],
    baseline: int,
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
) -> OverviewInfo:
    """Compare versions with one by the effects of ``paiview.decisions.decision.PairDecision``.

    Args:
        frames: both frames of a snapshot, unfiltered.
        pairs: pairs of one metric whose direction is known.
        orders: the versions to draw, as positions in the versions frame.
        baseline: the position of the version to compare with, whether it is among ``orders`` or not.
        metrics: contracts that complete or replace the built-in ones.
    """
    metric = pairs[0].metric
    labels = version_labels(frames.versions)
    ordered = np.sort(orders)
    effects = version_effects(frames, pairs, orders=ordered, baseline=baseline, metrics=metrics)
    is_measured = np.isfinite(effects)
    counts = is_measured.sum(axis=0)
    kept = counts > 0
    effects, is_measured, counts, shown = effects[:, kept], is_measured[:, kept], counts[kept], ordered[kept]
    # The sum of very large effects is too large for a float, that of their shares is not.
    mean = np.where(is_measured, effects / np.maximum(counts, 1), 0.0).sum(axis=0)
    worst = np.where(is_measured, effects, np.inf).min(axis=0)
    best = np.where(is_measured, effects, -np.inf).max(axis=0)
    tolerance = contract(metric, metrics).effective_relative
    low, high = _ends(mean[shown != baseline], worst, best, tolerance)
    statuses = frames.versions["approval_status"].astype("str").fillna("").iloc[shown].tolist()
    return OverviewInfo(
        metric=metric,
        baseline=labels[baseline],
        names=[labels[at] for at in shown],
        statuses=statuses,
        mean=mean,
        worst=worst,
        best=best,
        counts=counts,
        sides=[
            "baseline" if at == baseline else _side(value, tolerance)
            for at, value in zip(shown.tolist(), mean.tolist(), strict=True)
        ],
        low=low,
        high=high,
        ticks=_ticks(statuses, (shown == baseline).tolist()),
        unshared=int((~kept).sum()),
    )


def _side(mean: float, tolerance: float) -> Side:
    if abs(mean) <= tolerance:
        return "same"
    return "better" if mean > 0 else "worse"


def _ends(
    mean: NDArray[np.float64], worst: NDArray[np.float64], best: NDArray[np.float64], tolerance: float
) -> tuple[float, float]:
    """The ends of the axis: what the bars need, cut where a few means would flatten all others."""
    usual = float(np.percentile(np.abs(mean), _CUT_PERCENTILE)) * _CUT_SHARE if len(mean) else 0.0
    cut = min(max(usual, tolerance) or 1.0, _MAX_CUT)
    low, high = max(float(worst.min(initial=0.0)), -cut), min(float(best.max(initial=0.0)), cut)
    return (low, high) if low < high else (-cut, cut)


def _ticks(statuses: Sequence[str], is_baseline: Sequence[bool]) -> list[int]:
    """Which versions have their name on the axis: all of a few, else approved and pending ones that stand apart.

    The baseline comes first, then approved versions before pending ones, the newest first, and the ends of the axis.
    """
    count = len(statuses)
    if count <= _MAX_TICKS_OF_ALL:
        return [*range(count)]
    wanted = [at for at in range(count) if is_baseline[at]]
    wanted += [at for status in ("Approved", "Pending") for at in reversed(range(count)) if statuses[at] == status]
    distance = count * _TICK_SHARE
    kept: list[int] = []
    for at in (*wanted, 0, count - 1):
        if all(abs(at - other) >= distance for other in kept):
            kept.append(at)
    return sorted(kept)


def overview_figure(info: OverviewInfo) -> go.Figure:
    """Draw it: shape is the status, colour the side, a bar from the worst dataset to the best, the baseline at 0."""
    names = cells(info.names)
    count = len(info.names)
    bar = _WIDE_BAR_PIXELS if count <= _ROOMY_VERSIONS else _NARROW_BAR_PIXELS
    shown = np.clip(info.mean, info.low, info.high)
    baseline = _cut(info.baseline, 40)
    gap = np.full(count, np.nan)
    lowest, highest = (np.clip(values, info.low, info.high) for values in (info.worst, info.best))
    ends = [info.names[0], info.names[-1]] if info.names else []
    traces = [
        go.Scatter(
            x=np.repeat(names, 3),
            y=np.column_stack([lowest, highest, gap]).ravel(),
            mode="lines",
            line={"width": bar, "color": FAINT},
            hoverinfo="skip",
            name="worst to best dataset",
        ),
        go.Scatter(
            x=names,
            y=shown,
            mode="lines",
            line={"width": 1, "color": FAINT},
            hoverinfo="skip",
            name="mean",
            showlegend=False,
        ),
        go.Scatter(
            x=cells(ends),
            y=np.zeros(len(ends)),
            mode="lines",
            line={"dash": "dash", "width": 1.6, "color": APPROVED},
            hoverinfo="skip",
            name=f"approved now, {baseline}",
        ),
        *_marks(info, names, shown),
        *_legend(info),
    ]
    margin = _MARGIN_SHARE * (info.high - info.low)
    ticks = _effect_ticks(info.low, info.high)
    layout: dict[str, object] = {
        "height": _HEIGHT_PIXELS,
        "margin": {"l": 8, "r": 16, "t": _LEGEND_PIXELS, "b": 8},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
        "hovermode": "closest",
        "annotations": [*_best_note(info, shown)],
        "xaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": info.names,
            "range": [-0.6, max(count - 0.4, 0.6)],
            "tickvals": [info.names[at] for at in info.ticks],
            "ticktext": tick_labels([info.names[at] for at in info.ticks]),
            "tickangle": -32,
            "tickfont": {"size": 10},
            "showgrid": False,
            "automargin": True,
        },
        "yaxis": {
            "range": [info.low - margin, info.high + margin],
            "tickvals": [*ticks],
            "ticktext": [*ticks.values()],
            "tickfont": {"size": 10},
            "zeroline": False,
            "automargin": True,
        },
    }
    return go.Figure(traces, layout)


def _effect_ticks(low: float, high: float) -> dict[float, str]:
    """Round effects between the ends of the axis, 0 among them, with what stands beside each."""
    step = (high - low) / _Y_TICKS
    power = 10.0 ** math.floor(math.log10(step))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))
    digits = max(0, -math.floor(math.log10(step * 100)))
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return {at * step: f"{at * step * 100:+.{digits}f} %".replace("-", "−") if at else "0" for at in places}


def _marks(info: OverviewInfo, names: NDArray[np.object_], shown: NDArray[np.float64]) -> Iterator[go.Scatter]:
    """The means, a trace for each status and side: plotly checks every item of an array of symbols or colours."""
    kinds = [*zip([_SYMBOLS.get(status, _OTHER_SYMBOL) for status in info.statuses], info.sides, strict=True)]
    size = _LARGE_MARK_PIXELS if len(names) <= _ROOMY_VERSIONS else _SMALL_MARK_PIXELS
    for symbol, side in dict.fromkeys(kinds):
        at = [index for index, kind in enumerate(kinds) if kind == (symbol, side)]
        yield go.Scatter(
            x=names[at],
            y=shown[at],
            mode="markers",
            marker=_marker(symbol, _COLOURS[side], size),
            customdata=cells([_hover(info, index) for index in at]),
            hovertemplate="<b>%{x}</b><br>%{customdata[0]}<br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
            name=side,
            showlegend=False,
        )


def _marker(symbol: str, colour: str, size: int) -> dict[str, object]:
    return {"symbol": symbol, "color": colour, "size": size, "line": {"width": 1.8, "color": colour}, "opacity": 1}


def _hover(info: OverviewInfo, at: int) -> tuple[str, str, str]:
    """What a mark says: status, mean with its n, and the span from the worst dataset to the best."""
    status = escape_for_plotly(info.statuses[at], 30)
    count = int(info.counts[at])
    over = "1 dataset" if count == 1 else f"{count} datasets"
    if info.sides[at] == "baseline":
        return (status, "approved now", f"measured on {over}")
    return (
        status,
        f"mean {percent(float(info.mean[at]))} over {over}",
        f"from {percent(float(info.worst[at]))} to {percent(float(info.best[at]))}",
    )


def _best_note(info: OverviewInfo, shown: NDArray[np.float64]) -> Iterator[dict[str, object]]:
    at = info.leader
    if at is None:
        return
    share = at / max(len(info.names) - 1, 1)
    yield {
        "x": at,
        "y": shown[at],
        "text": f"<b>best {percent(float(info.mean[at]))}</b>",
        "showarrow": False,
        "xanchor": "left" if share < _TICK_SHARE else "right" if share > 1 - _TICK_SHARE else "center",
        "yanchor": "bottom",
        "yshift": 6,
        "font": {"size": 11},
    }


def _legend(info: OverviewInfo) -> Iterator[go.Scatter]:
    """The mark of each status that is drawn, in grey: its colour is another fact."""
    drawn = {status if status in _SYMBOLS else "" for status in info.statuses}
    for status in (*_SYMBOLS, ""):
        if status in drawn:
            marker = _marker(_SYMBOLS.get(status, _OTHER_SYMBOL), NEUTRAL, _LARGE_MARK_PIXELS)
            name = status.lower() or "other status"
            yield go.Scatter(x=[None], y=[None], mode="markers", marker=marker, name=name, hoverinfo="skip")


def _cut(label: str, limit: int) -> str:
    """A label of ``version_labels``, cut and escaped again."""
    return escape_for_plotly(distinct_labels([html.unescape(label)], limit)[0])

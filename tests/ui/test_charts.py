"""Figures are kept for all visitors: each thing they depend on makes another one."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st

from paiview import figures
from paiview.contracts import Contracts
from paiview.frames import build
from paiview.metrics import MetricContract
from paiview.ui import charts
from tests.figures.conftest import CER, TOP1, version

FRAMES = build(
    [version(place, f"0.{place}.0", "Approved", {"cer": 0.1 + place / 10, "top1": 0.5}) for place in range(3)]
)
OTHER = build([version(place, f"1.{place}.0", "Approved", {"cer": 0.3, "top1": 0.4}) for place in range(3)])
GIVEN: dict[str, Any] = {
    "identity": "listing-1",
    "frames": FRAMES,
    "shown": [CER, TOP1],
    "orders": np.arange(3),
    "names": {"aishell": "AISHELL-1"},
    "contracts": Contracts(),
}
OTHERWISE: list[dict[str, Any]] = [
    {"identity": "listing-2", "frames": OTHER},
    {"shown": [TOP1, CER]},
    {"shown": [CER]},
    {"orders": np.arange(2)},
    {"names": {"aishell": "AISHELL-2"}},
    {"names": {}},
    {"contracts": Contracts(metrics={"cer": MetricContract("cer", "higher", source="configuration")})},
]


@pytest.mark.parametrize("draw", [charts.trend, charts.heatmap, charts.effect_heatmap], ids=lambda draw: draw.__name__)
def test_a_figure_is_made_once_for_equal_things_and_anew_for_any_other(
    draw: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    st.cache_data.clear()
    st.cache_resource.clear()
    made: list[object] = []

    def counted(make: Callable[[Any], object]) -> Callable[[Any], object]:
        def figure(info: Any) -> object:
            made.append(info)
            return make(info)

        return figure

    for name in ("trend_figure", "heatmap_figure", "effect_heatmap_figure"):
        monkeypatch.setattr(figures, name, counted(getattr(figures, name)))
    nothing = SimpleNamespace(selection=SimpleNamespace(points=[]))
    monkeypatch.setattr(st, "plotly_chart", lambda *_, **__: nothing)
    others = [*OTHERWISE]
    given = dict(GIVEN)
    if draw is charts.effect_heatmap:
        given["baseline"] = 0
        others += [{"baseline": 1}, {"baseline": 2}]
    for count, other in enumerate([{}, *others], 1):
        first, again = draw(**given | other), draw(**given | other)
        assert (len(made), again) == (count, first), other

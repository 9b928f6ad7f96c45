"""Figures are cached for all sessions: a change of anything they depend on makes another one."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision
from paiview.decisions.pair_rows import pair_rows
from paiview.evaluation.frames import Pair, build
from paiview.evaluation.metric_meaning import MetricSettings
from paiview.figures.delta import DeltaInfo
from paiview.ui import charts, results_view
from paiview.ui.model_data import ModelData
from tests.figures.conftest import CER, TOP1, decision, version

FRAMES = build(
    [version(place, f"0.{place}.0", "Approved", {"cer": 0.1 + place / 10, "top1": 0.5}) for place in range(3)]
)
OTHER = build([version(place, f"1.{place}.0", "Approved", {"cer": 0.3, "top1": 0.4}) for place in range(3)])
DATA: dict[str, Any] = {
    "identity": "listing-1",
    "frames": FRAMES,
    "contracts": Contracts(),
    "dataset_names": {"aishell": "AISHELL-1"},
}
PLOT: dict[str, Any] = {"shown": [CER, TOP1], "version_indexes": np.arange(3)}
CHANGES: list[dict[str, Any]] = [
    {"identity": "listing-2", "frames": OTHER},
    {"dataset_names": {"aishell": "AISHELL-2"}},
    {"dataset_names": {}},
    {"contracts": Contracts(metric_tables={"cer": MetricSettings("higher")})},
    {"shown": [TOP1, CER]},
    {"shown": [CER]},
    {"version_indexes": np.arange(2)},
]


def plot(change: Mapping[str, Any]) -> charts.Plot:
    """A plot, made of new objects, that differs from ``DATA`` and ``PLOT`` by ``change``."""
    data, own = ({name: change.get(name, value) for name, value in parts.items()} for parts in (DATA, PLOT))
    return charts.Plot(data=ModelData(**data), **own)


@pytest.mark.parametrize("draw", [charts.trend, charts.heatmap, charts.effect_heatmap], ids=lambda draw: draw.__name__)
def test_a_figure_is_made_once_for_equal_plots_and_again_for_any_change(
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
        monkeypatch.setattr(charts, name, counted(getattr(charts, name)))
    nothing = SimpleNamespace(selection=SimpleNamespace(points=[]))
    monkeypatch.setattr(st, "plotly_chart", lambda *_, **__: nothing)
    baselines = [0, 1, 2] if draw is charts.effect_heatmap else []
    changes: list[tuple[Mapping[str, Any], list[int]]] = [(change, baselines[:1]) for change in ({}, *CHANGES)]
    changes += [({}, [baseline]) for baseline in baselines[1:]]
    for count, (change, baseline) in enumerate(changes, 1):
        first, again = draw(plot(change), *baseline), draw(plot(change), *baseline)
        assert (len(made), again) == (count, first), (change, baseline)


TWO = decision({"cer@a": 0.1, "cer@b": 0.3, "top1@a": 0.5}, {"cer@a": 0.2, "cer@b": 0.2, "top1@a": 0.5})
DECISIONS: list[list[Decision]] = [
    [TWO],
    [TWO, TWO.model_copy(update={"candidate": "0.13.0"})],
    *(
        [TWO.model_copy(update={field: "other"})]
        for field in ("model", "candidate", "baseline_model", "baseline", "data_fingerprint", "policy_fingerprint")
    ),
    [TWO.named({"a": "A"})],
]


KEYS = {"delta-table", "dumbbell-figure", "pareto-figure"}


def of_charts(decisions: Sequence[Decision], shown: Sequence[Pair]) -> None:
    charts.deltas(decisions, shown)
    charts.dumbbells(decisions[0], shown)
    charts.pareto(decisions, shown[0], shown[-1])


def of_pairs(decisions: Sequence[Decision], shown: Sequence[Pair]) -> None:
    rows = pair_rows(decisions)
    results_view.draw_pairs(
        [row for pair in shown for row in rows if Pair(row.pair.metric, row.pair.dataset) == pair], decisions
    )


@pytest.mark.parametrize("draw", [of_charts, of_pairs])
def test_what_is_sent_of_decisions_is_made_once_for_equal_ones_and_anew_for_any_other(
    draw: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    st.cache_data.clear()
    sent: Counter[str] = Counter()
    monkeypatch.setattr(st, "plotly_chart", lambda *_, key, **__: sent.update([key]))
    monkeypatch.setattr(st, "html", lambda _: None)

    def made_delta(info: DeltaInfo) -> str:
        sent.update(["delta-table"])
        return str(info.limit)

    monkeypatch.setattr(charts, "delta_html", made_delta)
    monkeypatch.setattr(st, "dataframe", lambda *_, **__: sent.update(["table"]))
    a, b, top1 = Pair("cer", "a"), Pair("cer", "b"), Pair("top1", "a")
    things: list[tuple[list[Decision], list[Pair]]] = [(decisions, [a, b, top1]) for decisions in DECISIONS]
    things += [([TWO], [b, top1]), ([TWO], [a, b])]
    for decisions, shown in things:
        before = sent.copy()
        draw(decisions, shown)
        new = sent - before
        expected = {"table"} if draw is of_pairs else KEYS
        # One candidate beside another: the first one's dumbbells are those it had alone.
        assert {*new} == expected - ({"dumbbell-figure"} if len(decisions) > 1 else set()), (decisions[0], shown)
        draw([each.model_copy() for each in decisions], [*shown])
        assert sent - before == new, "Made again for what is equal."
    if draw is of_pairs:
        before = sent.copy()
        draw([TWO], [top1, b, a])
        assert sent != before, "The order of rows is part of a table."

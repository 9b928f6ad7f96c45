"""The tables of versions as data."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandas as pd
import pytest
import streamlit as st
from pandas.io.formats.style import Styler

from paiview.decisions.contracts import Contracts
from paiview.evaluation.frames import Frames, build
from paiview.evaluation.metric_meaning import MetricContract
from paiview.pai.objects import ModelVersion
from paiview.ui import versions_table
from tests.harness.service import version


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    st.cache_resource.clear()


def written(
    frames: Frames,
    orders: Sequence[int],
    names: Mapping[str, str],
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
) -> list[list[str]]:
    """Versions side by side as a reader sees them, the heads first."""
    table = versions_table.side_by_side("listing", frames, orders, names, Contracts(metrics))
    assert isinstance(table, Styler)
    return [line.split("\t") for line in table.hide().to_string(delimiter="\t").splitlines()]


def test_side_by_side_has_a_row_a_pair_that_any_of_them_has() -> None:
    frames = build(
        [
            ModelVersion.model_validate(fields)
            for fields in (
                version("0.1.0", "2024-01-01", {"d-b": {"cer": 0.1}, "d-a": {"cer": 0.2}}),
                version("0.2.0", "2024-01-02"),
                version("0.3.0", "2024-01-03", {"d-c": {"cer": 0.3}}),
            )
        ]
    )
    assert written(frames, [1, 0], {"d-a": "Zeta"}) == [
        ["dataset", "metric", "0.1.0", "0.2.0"],
        ["Zeta", "cer", "0.2", "–"],
        ["d-b", "cer", "0.1", "–"],
    ]


def test_side_by_side_of_versions_without_numbers_is_empty() -> None:
    names = ("0.1.0", "0.2.0")
    frames = build([ModelVersion.model_validate(version(name, "2024-01-01")) for name in names])
    assert written(frames, [0, 1], {}) == [["dataset", "metric", "0.1.0", "0.2.0"]]


def test_side_by_side_each_metric_has_the_decimals_of_its_column_in_the_table_of_versions() -> None:
    numbers = [
        {"accuracy": 0.9999991, "ppl": 1234567.891, "tokens": 10**12, "cer": 0.125, "top1": 0.5},
        {"accuracy": 0.9999990, "ppl": 1234567.892, "tokens": 10**12 + 1, "cer": 0.25, "top1": 0.6},
        {"cer": 0.0625},
    ]
    frames = build(
        [
            ModelVersion.model_validate(version(f"0.{place}.0", "2024-01-01", {"d": given}))
            for place, given in enumerate(numbers)
        ]
    )
    metrics = {"top1": MetricContract("top1", digits=3)}
    assert written(frames, [0, 1], {}, metrics)[1:] == [
        ["d", "accuracy", "0.999999", "0.999999"],
        ["d", "cer", "0.1250", "0.2500"],
        ["d", "ppl", "1234567.891", "1234567.892"],
        ["d", "tokens", "1000000000000", "1000000000001"],
        ["d", "top1", "0.500", "0.600"],
    ]


def test_more_numbers_than_can_be_written_one_by_one_are_shown_as_they_are() -> None:
    frames = build([ModelVersion.model_validate(version("0.1.0", "2024-01-01", {"d": {"cer": 0.25}}))])
    with pd.option_context("styler.render.max_elements", 2):
        table = versions_table.side_by_side("many", frames, [0], {}, Contracts())
    assert isinstance(table, pd.DataFrame)
    assert table["0.1.0"].tolist() == [0.25]

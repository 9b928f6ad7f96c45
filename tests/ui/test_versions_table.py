"""The table of versions, and a few versions side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from pandas.io.formats.style import Styler

from paiview.decisions.contracts import Contracts
from paiview.evaluation.frames import Frames, Pair, build
from paiview.evaluation.metric_meaning import MetricSettings
from paiview.evaluation.queries import Slice
from paiview.pai.objects import ModelVersion
from paiview.ui import versions_table
from paiview.ui.approved_now import ApprovedNow
from paiview.ui.model_data import ModelData
from paiview.ui.versions_table import TablePage
from tests.harness.service import version


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    st.cache_resource.clear()


def listing(
    frames: Frames,
    names: Mapping[str, str] = MappingProxyType({}),
    metrics: Mapping[str, MetricSettings] = MappingProxyType({}),
) -> ModelData:
    return ModelData(identity="listing", frames=frames, contracts=Contracts(metric_tables=metrics), dataset_names=names)


def written(
    frames: Frames,
    indexes: Sequence[int],
    names: Mapping[str, str],
    metrics: Mapping[str, MetricSettings] = MappingProxyType({}),
) -> list[list[str]]:
    """Versions side by side as the reader sees them, the heads first."""
    table = versions_table.side_by_side(listing(frames, names, metrics), indexes)
    assert isinstance(table, Styler)
    return [line.split("\t") for line in table.hide().to_string(delimiter="\t").splitlines()]


def test_the_head_of_a_column_says_which_way_is_better_and_how_sure_that_is() -> None:
    results = {"a": {"cer": 0.1, "acc": 0.9, "bias": -0.1, "iou.person": 0.7, "quux": 1.0}}
    frames = build([ModelVersion.model_validate(version("0.1.0", "2024-01-01", results))])
    heads = versions_table.number_heads([Pair(metric, "a") for metric in results["a"]], listing(frames))
    assert heads == [
        ("cer ↓ lower is better", "a"),
        ("acc ↑ higher is better", "a"),
        ("bias → nearer to 0 is better", "a"),
        ("iou.person assumed: ↑ higher is better", "a"),
        ("quux direction unknown", "a"),
    ]


def test_heads_are_unique_and_hold_no_mark_that_ends_them_on_their_way_to_the_browser() -> None:
    pairs = [Pair("cer", 'it\'s "a"'), Pair("cer", "it’s ”a”")]
    heads = versions_table.number_heads(pairs, listing(build([])))
    assert [name for _, name in heads] == ["it’s ”a”", "it’s ”a” (2)"]


def test_side_by_side_has_a_row_for_each_pair_that_any_version_has() -> None:
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
    metrics = {"top1": MetricSettings(digits=3)}
    assert written(frames, [0, 1], {}, metrics)[1:] == [
        ["d", "accuracy", "0.9999991", "0.9999990"],
        ["d", "cer", "0.1250", "0.2500"],
        ["d", "ppl", "1234567.891", "1234567.892"],
        ["d", "tokens", "1000000000000", "1000000000001"],
        ["d", "top1", "0.500", "0.600"],
    ]


def test_side_by_side_beyond_the_limit_of_the_styler_shows_plain_numbers() -> None:
    frames = build([ModelVersion.model_validate(version("0.1.0", "2024-01-01", {"d": {"cer": 0.25}}))])
    with pd.option_context("styler.render.max_elements", 2):
        table = versions_table.side_by_side(listing(frames), [0])
    assert isinstance(table, pd.DataFrame)
    assert table["0.1.0"].tolist() == [0.25]


FRAMES = build(
    [
        ModelVersion.model_validate(version(f"0.{number}.0", "2024-01-01", {"d": {"cer": 0.125 * number, "rtf": 0.5}}))
        for number in range(3)
    ]
)
OTHER_FRAMES = build(
    [ModelVersion.model_validate(version("1.0.0", "2024-01-01", {"d": {"cer": 0.5, "rtf": 0.25}}))] * 3
)
CER, RTF = Pair("cer", "d"), Pair("rtf", "d")
DATA: dict[str, Any] = {
    "identity": "listing",
    "frames": FRAMES,
    "contracts": Contracts(),
    "dataset_names": {"d": "Dev"},
}
PAGE: dict[str, Any] = {
    "passing": np.array([2, 1, 0]),
    "part": Slice(1, 2, 0, 2),
    "pairs": [CER, RTF],
    "fields": ["status", "created"],
    "cells": "values",
    "approved": None,
}
LISTING = [ModelVersion.model_validate(version(f"0.{number}.0", "2024-01-01")) for number in range(3)]
APPROVED = ApprovedNow(name="0.1.0", version=LISTING[1], identity="whole")
OTHER_APPROVED = ApprovedNow(name="0.1.0", version=LISTING[1], identity="other whole")
CHANGES: list[dict[str, Any]] = [
    {"identity": "other listing", "frames": OTHER_FRAMES},
    {"contracts": Contracts(metric_tables={"cer": MetricSettings("higher")})},
    {"contracts": Contracts(metric_tables={"cer": MetricSettings(digits=4)})},
    {"dataset_names": {"d": "Test"}},
    {"dataset_names": {}},
    {"passing": np.array([0, 1, 2])},
    {"passing": np.array([2, 1])},
    {"part": Slice(1, 2, 1, 2)},
    {"part": Slice(1, 2, 0, 1)},
    {"pairs": [RTF, CER]},
    {"pairs": [CER]},
    {"fields": ["created", "status"]},
    {"fields": ["status"]},
    {"approved": APPROVED},
    {"approved": APPROVED, "cells": "change"},
    {"approved": OTHER_APPROVED, "cells": "change"},
]


def table_page(change: Mapping[str, Any]) -> TablePage:
    """A page of the table, made of new objects, that differs from ``DATA`` and ``PAGE`` by ``change``."""
    data, own = ({name: change.get(name, value) for name, value in parts.items()} for parts in (DATA, PAGE))
    return TablePage(data=ModelData(**data), listing=LISTING, **own)


def test_every_part_of_a_page_is_part_of_the_key_of_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {*DATA} == {field.name for field in fields(ModelData)}
    # The identity of the data stands for the listing.
    assert {*PAGE, "data", "listing"} == {field.name for field in fields(TablePage)}
    built: list[object] = []
    versions_frame = versions_table.versions_frame

    def build_frame(*arguments: Any) -> pd.DataFrame:
        built.append(arguments)
        return versions_frame(*arguments)

    monkeypatch.setattr(versions_table, "versions_frame", build_frame)
    for count, change in enumerate(({}, *CHANGES), 1):
        first, again = versions_table._styled(page=table_page(change)), versions_table._styled(page=table_page(change))
        assert len(built) == count, change
        assert again[0] is first[0], change


def test_decimals_of_a_column_follow_the_listing_and_the_contracts() -> None:
    def decimals(change: Mapping[str, Any]) -> list[int]:
        return versions_table.column_decimals(data=table_page(change).data, pairs=[CER, RTF])

    assert decimals({}) == [3, 1]
    assert decimals(CHANGES[0]) == [1, 2]
    assert decimals(CHANGES[2]) == [4, 1]
    assert decimals({}) == [3, 1]


@pytest.mark.parametrize("number", [1e-300, 3.2e-15, -3.2e-15])
def test_a_number_too_small_for_the_table_is_written_out(number: float) -> None:
    rows = [
        version("0.1.0", "2024-01-01", {"d-a": {"cer": number}}),
        version("0.2.0", "2024-01-02", {"d-a": {"cer": 0.5}}),
    ]
    table = written(build([ModelVersion.model_validate(fields) for fields in rows]), [0, 1], {})
    assert table[1][2:] == [str(number), "0.500000000000"]

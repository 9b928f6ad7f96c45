"""What the tests of figures share: versions, frames, decisions and the texts of a figure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from paiview.decisions.averages import averages
from paiview.decisions.decision import Decision
from paiview.decisions.pairs import judge_pairs, summarize
from paiview.evaluation.frames import Frames, Pair, build
from paiview.evaluation.metric_meaning import DatasetContract, Direction, MetricContract, catalogue_contract, contract
from paiview.evaluation.results import Evaluation, Measurement
from paiview.figures.heatmap import HeatmapInfo, heatmap_info
from paiview.figures.trend import TrendInfo, trend_info
from paiview.pai.objects import ModelVersion

CER = Pair("cer", "aishell")
TOP1 = Pair("top1", "aishell")
BLOBS = Pair("blobs", "aishell")
MARKUP = '<b>x</b><a href="https://a.example">y</a><br>%{y} & z'


def version(place: int, name: str, status: str | None, metrics: dict[str, Any], **fields: Any) -> ModelVersion:
    by_dataset: dict[str, dict[str, Any]] = {}
    for column, value in metrics.items():
        metric, _, dataset = column.partition("@")
        by_dataset.setdefault(dataset or "aishell", {})[metric] = value
    results = [{"Dataset": {"DatasetId": dataset}, "Metrics": given} for dataset, given in by_dataset.items()]
    return ModelVersion.model_validate(
        {
            "VersionName": name,
            "GmtCreateTime": f"2024-01-01T00:{place:02}:00Z",
            "ApprovalStatus": status,
            "Metrics": {"Results": results},
            **fields,
        }
    )


@pytest.fixture
def frames() -> Frames:
    return build(
        [
            version(0, "0.1.0", "Approved", {"cer": 0.30, "top1": 0.5, "blobs": 3.0}, VersionDescription="the first"),
            version(1, "0.9.0", "Rejected", {"cer": 0.35, "top1": 0.6}),
            version(2, "0.10.0", "Approved", {"cer": 0.25, "blobs": 5.0}),
            version(3, "0.11.0", "Pending", {"cer": None}),
            version(4, "0.12.0", "Pending", {"cer": 0.28, "top1": 0.7}),
            version(5, "0.13.0", "Shadow", {"cer": 0.20}),
        ]
    )


def texts_of(figure: Any) -> list[str]:
    """Every text a figure holds, its keys and the words of its schema included."""
    found: list[str] = []

    def collect(tree: Any) -> None:
        if isinstance(tree, dict):
            for value in tree.values():
                collect(value)
        elif isinstance(tree, list):
            for value in tree:
                collect(value)
        elif isinstance(tree, str):
            found.append(tree)

    collect(json.loads(figure.to_json()))
    return found


def trend(
    frames: Frames, *shown: Pair, orders: Sequence[int] | None = None, names: dict[str, str] | None = None
) -> TrendInfo:
    chosen = range(len(frames.versions)) if orders is None else orders
    return trend_info(frames, shown, orders=np.array(chosen, dtype=np.int64), dataset_names=names or {})


def heatmap(
    frames: Frames, *shown: Pair, orders: Sequence[int] | None = None, names: dict[str, str] | None = None
) -> HeatmapInfo:
    chosen = range(len(frames.versions)) if orders is None else orders
    return heatmap_info(frames, shown, orders=np.array(chosen, dtype=np.int64), dataset_names=names or {})


def measured(numbers: Mapping[str, float | Measurement]) -> Evaluation:
    """An evaluation from ``metric@dataset`` to a number."""
    return {
        Pair(*column.split("@", 1)): value if isinstance(value, Measurement) else Measurement(value)
        for column, value in numbers.items()
    }


def meant(metric: str, direction: Direction | None = None, **fields: Any) -> MetricContract:
    """A metric's contract in the catalogue, with some fields declared."""
    known = catalogue_contract(metric)
    if direction is not None:
        known = replace(known, direction=direction, standing="declared", source="configuration")
    return replace(known, **fields)


def decision(
    candidate: Mapping[str, float | Measurement],
    baseline: Mapping[str, float | Measurement] | None,
    name: str = "0.12.0",
    *,
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
    datasets: Mapping[str, DatasetContract] = MappingProxyType({}),
    against: str = "0.10.0",
    against_model: str = "model-a",
) -> Decision:
    """A decision about numbers named ``metric@dataset``, judged as everywhere."""
    pairs = judge_pairs(measured(candidate), None if baseline is None else measured(baseline), metrics, datasets)
    return Decision(
        model="model-a",
        candidate=name,
        baseline_model=None if baseline is None else against_model,
        baseline=None if baseline is None else against,
        baseline_reason="newest approved by creation",
        fetched_at=datetime(2026, 1, 2, tzinfo=UTC),
        data_fingerprint="sha256:" + "0" * 64,
        policy_fingerprint="sha256:" + "0" * 64,
        pairs=pairs,
        summary=summarize(pairs),
        averages=averages(pairs),
        rules=(),
        overall="undecided",
        metrics=tuple(contract(metric, metrics) for metric in sorted({pair.metric for pair in pairs})),
    )

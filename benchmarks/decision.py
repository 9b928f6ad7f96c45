"""A decision over 1,600 pairs, from the Metrics of both versions to the policy's answer, against 50 ms."""

import random
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks.report import Row
from paiview.decisions.decision import Decision
from paiview.decisions.lineage import Lineage, decide
from paiview.pai.objects import ModelVersion

METRICS = ("cer", "wer", "top1", "top5", "rtf", "latency_ms", "f1", "parameters")
"""Lower and higher is better, fractions and others, and one without a direction."""
DATASETS = 200
PAIRS = len(METRICS) * DATASETS
ROUNDS = 15
BOUND = 50.0
"""Milliseconds a decision may take."""


def run() -> list[Row]:
    versions = _versions()
    milliseconds = min(_milliseconds(versions) for _ in range(ROUNDS))
    figures = f"{milliseconds:.1f} ms"
    return [Row(f"decision over {PAIRS:,} pairs, to 50 ms", figures, milliseconds / BOUND, 1.0, at_most=True)]


def _milliseconds(versions: list[ModelVersion]) -> float:
    """One decision, nothing of it read before."""
    start = time.perf_counter()
    decision = decide(Lineage("model-bench", versions, datetime.now(UTC)), "0.2.0")
    seconds = time.perf_counter() - start
    _check(decision)
    return seconds * 1000


def _versions() -> list[ModelVersion]:
    """An Approved version and a Pending one a little different on every pair, the same in every run."""
    chance = random.Random(1)  # noqa: S311 - figures, no secrets
    before = [[round(chance.uniform(0.05, 0.95), 4) for _ in METRICS] for _ in range(DATASETS)]
    after = [[round(value * chance.uniform(0.97, 1.02), 4) for value in row] for row in before]
    return [
        ModelVersion.model_validate(
            {
                "VersionName": name,
                "VersionDescription": "bench",
                "ApprovalStatus": status,
                "GmtCreateTime": f"2024-01-0{day}T00:00:00Z",
                "Metrics": {"Results": [_result(place, row) for place, row in enumerate(rows)]},
            }
        )
        for day, name, status, rows in ((1, "0.1.0", "Approved", before), (2, "0.2.0", "Pending", after))
    ]


def _result(place: int, values: list[float]) -> dict[str, Any]:
    return {"Dataset": {"DatasetId": f"d-{place}"}, "Metrics": dict(zip(METRICS, values, strict=True))}


def _check(decision: Decision) -> None:
    if (len(decision.pairs), decision.baseline) != (PAIRS, "0.1.0"):
        raise RuntimeError(f"{len(decision.pairs)} pairs against {decision.baseline} came, not {PAIRS} against 0.1.0")

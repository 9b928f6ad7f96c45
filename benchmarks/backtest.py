"""The policy tried on a thousand past versions of 20 datasets, at the tolerances in force and along the whole curve.

Times are of the processor: the work has one thread, and other work on the machine does not count.
"""

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.report import Row
from paiview.decisions.backtest import TOLERANCES, backtest
from paiview.decisions.lineage import Lineage
from paiview.pai.objects import ModelVersion

VERSIONS = 1_000
DATASETS = 20
ROUNDS = 3
SECONDS = 2.0
"""Of CPU that the versions may take at the tolerances in force."""
CURVE_SECONDS = 6.0
"""Of CPU that they may take along the curve."""
STATUSES = ("Approved", "Rejected", "Pending", "Rejected")


def run() -> list[Row]:
    versions = _versions()
    rows = []
    for what, tolerances, bound in (("", (), SECONDS), (f" and {len(TOLERANCES)} more", TOLERANCES, CURVE_SECONDS)):
        seconds = min(_seconds(versions, tolerances) for _ in range(ROUNDS))
        name = f"backtest of {VERSIONS:,} versions × {DATASETS} datasets, tolerances in force{what}, to {bound:g} s"
        rows.append(Row(name, f"{seconds:.2f} s of CPU", seconds / bound, 1.0, at_most=True))
    return rows


def _seconds(versions: Sequence[ModelVersion], tolerances: Sequence[float]) -> float:
    lineage = Lineage("model-bench", versions, datetime(2026, 1, 1, tzinfo=UTC))
    start = time.process_time()
    result = backtest(lineage, tolerances=tolerances)
    seconds = time.process_time() - start
    if (len(result.versions), len(result.steps)) != (VERSIONS, len(tolerances)):
        raise RuntimeError(f"{len(result.versions)} versions with {len(result.steps)} tolerances came")
    return seconds


def _versions() -> list[ModelVersion]:
    """Versions a few percent apart on every dataset, the same in every run."""
    chance = random.Random(1)  # noqa: S311 - figures, no secrets
    usual = [chance.uniform(0.05, 0.3) for _ in range(DATASETS)]
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return [
        ModelVersion.model_validate(
            {
                "VersionName": f"0.{number}.0",
                "ApprovalStatus": STATUSES[number % len(STATUSES)],
                "GmtCreateTime": f"{start + timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}",
                "Metrics": {"Results": [_result(place, value, chance) for place, value in enumerate(usual)]},
            }
        )
        for number in range(VERSIONS)
    ]


def _result(place: int, value: float, chance: random.Random) -> dict[str, Any]:
    return {"Dataset": {"DatasetId": f"d-{place}"}, "Metrics": {"cer": round(value * chance.uniform(0.93, 1.06), 4)}}

"""Both frames of 10,000 versions with 5 datasets and 2 metrics each, against pandas.json_normalize."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from benchmarks.report import Row
from paiview.evaluation.frames import build
from paiview.pai.objects import ModelVersion

VERSIONS = 10_000
DATASETS = 5
ROUNDS = 5
FIRST = datetime(2021, 1, 21, tzinfo=UTC)


def answer(count: int) -> list[dict[str, Any]]:
    """The Versions of a ListModelVersions answer, shaped like the sample of the API page."""
    return [
        {
            "VersionName": f"{place // 100}.{place % 100}.0",
            "VersionDescription": f"run {place}",
            "Uri": f"oss://bucket.oss-cn-shanghai.aliyuncs.com/models/{place}/",
            "FormatType": "SavedModel",
            "FrameworkType": "TensorFlow",
            "ApprovalStatus": ("Pending", "Approved", "Rejected")[place % 3],
            "SourceType": "PAIFlow",
            "SourceId": f"region=cn-shanghai,workspaceId=1,kind=PipelineRun,id=run-{place}",
            "Labels": [{"Key": "language", "Value": "zh"}],
            "Metrics": {
                "Results": [
                    {
                        "Dataset": {"DatasetId": f"d-{dataset}"},
                        "Metrics": {"cer": 0.1 + place * 1e-6 + dataset, "wer": 0.2 + place * 1e-6 + dataset},
                    }
                    for dataset in range(DATASETS)
                ]
            },
            "Options": "{}",
            "ExtraInfo": {},
            "InferenceSpec": {"processor": "tensorflow_gpu_1.12"},
            "UserId": "155770209819490",
            "OwnerId": "155770209819490",
            "GmtCreateTime": f"{FIRST + place * timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "GmtModifiedTime": "2021-02-21T17:12:35Z",
        }
        for place in range(count)
    ]


def normalize(versions: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same two frames as far as json_normalize makes them: no times, no order, no flags, no categories."""
    bare = [{key: value for key, value in version.items() if key != "Metrics"} for version in versions]
    results = pd.json_normalize(versions, record_path=["Metrics", "Results"], meta=["VersionName"])
    return pd.json_normalize(bare), results.melt(id_vars=["VersionName", "Dataset.DatasetId"])


def run() -> list[Row]:
    versions = answer(VERSIONS)
    objects = [ModelVersion.model_validate(version) for version in versions]
    ours, theirs = _shortest(lambda: build(objects)), _shortest(lambda: normalize(versions))
    figures = f"{ours * 1000:.0f} ms, json_normalize {theirs * 1000:.0f} ms"
    return [Row(f"frames of {VERSIONS:,} versions", figures, ours / theirs, 0.25, at_most=True, peer=True)]


def _shortest(work: Callable[[], object]) -> float:
    """Seconds of the quickest of some rounds: the one least disturbed by the machine."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)

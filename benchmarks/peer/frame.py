"""One frame of all versions with their metrics by MLflow's client: ``python -m benchmarks.peer.frame URL COUNT``.

It writes the seconds. The client has no call for it; two of its own, each paging by itself with its largest pages, and
a join of both are the quickest way: the runs come with all their metrics as columns.
"""

import sys
import time

import mlflow
import pandas as pd

from benchmarks.peer import MODEL


def main() -> None:
    url, count = sys.argv[1:]
    mlflow.set_tracking_uri(url)
    start = time.perf_counter()
    versions = mlflow.search_model_versions(filter_string=f"name='{MODEL}'")
    runs = mlflow.search_runs(experiment_names=[MODEL])
    registered = pd.DataFrame(
        {"version": found.version, "run_id": found.run_id, "created": found.creation_timestamp, **found.tags}
        for found in versions
    )
    frame = registered.merge(runs, on="run_id", validate="one_to_one")
    seconds = time.perf_counter() - start
    numbers = frame.filter(like="metrics.")
    if len(frame) != int(count) or numbers.shape[1] != 10 or numbers.isna().to_numpy().any():
        raise SystemExit(f"the frame is not whole: {frame.shape}")
    sys.stdout.write(f"{seconds}\n")


if __name__ == "__main__":
    main()

"""Fill a running MLflow: ``python -m benchmarks.peer.seed URL FOLDER versions.json``, in MLflow's environment.

The versions come as the answer of ListModelVersions. The first of them is logged over HTTP as training code does it: a
run with a model and metrics, registered as a version. The others are copies of its rows in ``FOLDER/store.db`` and of
the file that tells the model's flavor, with ids, times and values of their own: over HTTP each takes a second. Version
N of the model is the Nth of the answer, and ``run_id(N)`` its run.
"""

import json
import re
import sqlite3
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.peer import MODEL, run_id

Cell = str | float | None

TABLES: Final = (
    "runs",
    "tags",
    "metrics",
    "latest_metrics",
    "logged_models",
    "logged_model_metrics",
    "logged_model_tags",
    "inputs",
    "model_versions",
    "model_version_tags",
)
"""What the client writes for a version."""
NAMED: Final = ("VersionName", "VersionDescription", "ApprovalStatus")
"""What it is called there beside its ids."""
ID: Final = re.compile(r"(m-)?[0-9a-f]{32}")
"""A run or a LoggedModel."""
TIMES: Final = (
    "start_time",
    "end_time",
    "timestamp",
    "creation_timestamp_ms",
    "last_updated_timestamp_ms",
    "metric_timestamp_ms",
    "creation_time",
    "last_updated_time",
)


def ids(number: int) -> tuple[str, str]:
    """The run and the LoggedModel of a version."""
    return run_id(number), f"m-{run_id(number)}"


def numbers(version: dict[str, Any]) -> dict[str, float]:
    """The metrics of a version, named ``cer/d-0``: a run of MLflow has one list of metrics for all datasets."""
    return {
        f"{metric}/{result['Dataset']['DatasetId']}": value
        for result in version["Metrics"]["Results"]
        for metric, value in result["Metrics"].items()
    }


def milliseconds(version: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(version["GmtCreateTime"]).timestamp() * 1000)


def log(url: str, version: dict[str, Any]) -> tuple[str, str]:
    """Log and register the first version: the ids of its run and of its LoggedModel."""
    import mlflow  # noqa: PLC0415 - takes seconds to import, and only this needs it

    mlflow.set_tracking_uri(url)
    mlflow.set_experiment(MODEL)
    with mlflow.start_run(run_name=version["VersionName"]) as run:
        logged = mlflow.pyfunc.log_model(name=MODEL, python_model=transcribe, pip_requirements=[])
        mlflow.log_metrics(numbers(version), model_id=logged.model_id)
    mlflow.register_model(logged.model_uri, MODEL)
    client = mlflow.MlflowClient()
    client.update_model_version(MODEL, "1", description=version["VersionDescription"])
    client.set_model_version_tag(MODEL, "1", "ApprovalStatus", version["ApprovalStatus"])
    client.set_model_version_tag(MODEL, "1", "VersionName", version["VersionName"])
    return run.info.run_id, logged.model_id


def transcribe(model_input: list[str]) -> list[str]:
    """What the registered model does."""
    return model_input


def renamed(text: str, texts: dict[str, str]) -> str:
    """A text that holds ids of the first version, with those of another."""
    return ID.sub(lambda found: texts.get(found[0], found[0]), text)


def of_version(row: dict[str, Cell], texts: dict[str, str], version: dict[str, Any], number: int) -> dict[str, Cell]:
    """A row of the first version, as the version of this number has it; ``texts`` maps what the first is called."""
    changed = dict(row)
    for column, cell in row.items():
        if column in TIMES:
            changed[column] = milliseconds(version)
        elif column == "version":
            changed[column] = number
        elif isinstance(cell, str):
            changed[column] = texts.get(cell) or renamed(cell, texts)
    named = row.get("key", row.get("metric_name"))
    if named in (values := numbers(version)):
        changed["value" if "value" in row else "metric_value"] = values[str(named)]
    return changed


def multiply(folder: Path, run: str, model: str, versions: list[dict[str, Any]]) -> None:
    """Give every version what the first one has; that one too gets the ids by which the others are known."""
    names = [run, model, *(versions[0][key] for key in NAMED)]
    numbered = [
        (number, version, dict(zip(names, [*ids(number), *(version[key] for key in NAMED)], strict=True)))
        for number, version in enumerate(versions, 1)
    ]
    with closing(sqlite3.connect(folder / "store.db")) as connection, connection:
        connection.row_factory = sqlite3.Row
        for table in TABLES:
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608 - of TABLES
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
            connection.executemany(
                f"INSERT INTO {table} VALUES ({', '.join(f':{column}' for column in rows[0])})",  # noqa: S608
                (of_version(row, texts, version, number) for number, version, texts in numbered for row in rows),
            )
    models = folder / "artifacts" / "1" / "models"
    flavor = (models / model / "artifacts" / "MLmodel").read_text(encoding="utf-8")
    for number, _, texts in numbered:
        copy = models / ids(number)[1] / "artifacts" / "MLmodel"
        copy.parent.mkdir(parents=True)
        copy.write_text(renamed(flavor, texts), encoding="utf-8")


def main() -> None:
    url, folder, answer = sys.argv[1:]
    versions = json.loads(Path(answer).read_text(encoding="utf-8"))["Versions"]
    multiply(Path(folder), *log(url, versions[0]), versions)


if __name__ == "__main__":
    main()

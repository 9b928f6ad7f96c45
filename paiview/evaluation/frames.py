"""Versions of a model as data frames: one row a version, and one row a (version, dataset, metric).

Nothing of a response is lost: a value that cannot stand in its column is kept as text and flagged, and ``place``
leads back to the object itself, with its labels, specs, ExtraInfo and raw JSON.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from paiview.evaluation.results import DATASET_KINDS, NO_DATASET, Codes, Pair, Results, json_text
from paiview.evaluation.version_order import naive_time, ordered
from paiview.pai.objects import ModelVersion

__all__ = ["NO_DATASET", "Frames", "Pair", "build", "column_names", "wide"]

_USUAL_SOURCE = re.compile(r"region=([^,\s]+),workspaceId=([^,\s]+),kind=([^,\s]+),id=([^,\s]+)")
"""What most SourceIds look like; reading the others key by key takes several times as long."""
_SOURCE_KEYS = ("region", "workspaceId", "kind", "id")
_SOURCE_COLUMNS = ("source_region", "source_workspace", "source_kind", "source_run")
_NO_SOURCE: tuple[str | None, ...] = (None,) * len(_SOURCE_KEYS)


def column_names(pairs: Iterable[Pair]) -> list[str]:
    """The names of the columns of some pairs in tables, downloads and links: ``metric@dataset``, and all different."""
    names: dict[str, None] = {}
    for metric, dataset in pairs:
        name = f"{metric}@{dataset}"
        while name in names:
            name += " "
        names[name] = None
    return list(names)


class History(NamedTuple):
    """The numbers of one pair: ``orders`` are rows of the versions frame, ascending, ``values`` what each has."""

    orders: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Frames:
    """The two frames of one listing.

    Attributes:
        versions: one row a version; index 0..n-1 in the total order of ``paiview.evaluation.version_order``. Columns:

            ================ ================== ==================================================================
            version_name     str                placeholder ``(unnamed n)`` where the service gave none
            place            int64              index into the sequence given
            created          datetime64[us, UTC]  GmtCreateTime; NaT when absent or unreadable (then flagged)
            modified         datetime64[us, UTC]  GmtModifiedTime, likewise
            major, minor,    Int64              parts of the name; NA when it is not ``x.y.z`` or ``x.y.z_suffix``
            patch                               (then flagged)
            suffix           str                what follows the ``_``; NA without one
            approval_status, category           open enumerations, as given; NA when absent
            format_type,
            framework_type,
            source_type
            source_id,       str                as given; NA when absent
            description, uri,
            user_id, owner_id
            source_region,   str                parts of SourceId for PAIFlow and TrainingService; NA on any surprise
            source_workspace,
            source_kind,
            source_run
            labels           str                ``k=v, k2=v2``; empty without labels
            results          int64              rows of this version in ``metrics``
            problems         int64              flagged fields and values of this version
            problem          str                what they are, ``; `` between; NA without any
            ================ ================== ==================================================================

        metrics: one row a (version, dataset, metric), in the order of ``versions`` and then of the response; index
            0..m-1. Columns:

            ============ ======== ==============================================================================
            order        int64    row of ``versions``
            version_name str
            dataset      category DatasetId or Uri as given, or ``NO_DATASET``
            metric       category name as given; ``outer.inner`` for a nested one
            dataset_kind category ``id``, ``uri`` or ``none``
            value        float64  in the unit of the source; NaN when it is not a finite number
            raw          str      JSON text of the value when it was not a plain finite number, else NA
            problem      category ``numeric string``, ``not a number``, ``too large`` (for a float), ``rounded`` (an
                                  integer a float cannot hold exactly), ``nested``, ``duplicate dataset`` (the same
                                  metric on the same dataset again), ``dataset has no DatasetId or Uri``,
                                  ``DatasetId or Uri is no text`` (then the other one stands); several are joined by
                                  ``, ``; NA for a plain number
            n, errors    Int64    items and errors counted, from Counts beside Metrics; NA without
            ============ ======== ==============================================================================

        flagged: how many fields and values are flagged in all: the sum of ``versions.problems``.
    """

    versions: pd.DataFrame
    metrics: pd.DataFrame
    flagged: int

    @cached_property
    def histories(self) -> dict[Pair, History]:
        """The numbers of every pair, the most covered pair first, then by name; made once, shared by all readers.

        A version that gives a pair twice has no one number for it and is left out.
        """
        metric, dataset = self.metrics["metric"].cat, self.metrics["dataset"].cat
        code = metric.codes.to_numpy(np.int64) * len(dataset.categories) + dataset.codes.to_numpy(np.int64)
        order = self.metrics["order"].to_numpy()
        once = ~pd.DataFrame({"code": code, "order": order}).duplicated(keep=False).to_numpy()
        kept = np.flatnonzero(once & self.metrics["value"].notna().to_numpy())
        kept = kept[np.lexsort((order[kept], code[kept]))]
        pairs, starts = np.unique(code[kept], return_index=True)
        orders, values = order[kept], self.metrics["value"].to_numpy()[kept]
        metrics, datasets = metric.categories.astype(str).tolist(), dataset.categories.astype(str).tolist()
        found = [
            (Pair(metrics[pair // len(datasets)], datasets[pair % len(datasets)]), History(orders[part], values[part]))
            for pair, part in zip(
                pairs.tolist(), map(slice, starts.tolist(), [*starts[1:].tolist(), len(kept)]), strict=True
            )
        ]
        return dict(sorted(found, key=lambda item: (-len(item[1].orders), item[0])))

    @cached_property
    def searched(self) -> list[str]:
        """What a text search looks through, a text a version: name, description, labels, source, uri, case folded."""
        columns = [
            self.versions[column].fillna("").tolist()
            for column in ("version_name", "description", "labels", "source_id", "uri")
        ]
        return ["\0".join(texts).casefold() for texts in zip(*columns, strict=True)]


def build(versions: Sequence[ModelVersion]) -> Frames:
    """Flatten versions into the two frames.

    Their order is that of ``paiview.evaluation.version_order``.
    """
    places, times, parts, names = ordered(versions)
    rows = [versions[place] for place in places]
    created, modified = (
        pd.DatetimeIndex(moments, dtype="datetime64[us]").to_numpy()
        for moments in (times, [naive_time(version.gmt_modified_time) for version in rows])
    )
    sources = [_source_parts(version.source_type, version.source_id) for version in rows]

    complaints = _field_problems(rows)
    for order in np.flatnonzero(np.isnat(created)).tolist():
        complaints[order] += _unreadable("GmtCreateTime", rows[order].gmt_create_time)
    for order in np.flatnonzero(np.isnat(modified)).tolist():
        complaints[order] += _unreadable("GmtModifiedTime", rows[order].gmt_modified_time)
    for order, part in enumerate(parts):
        if part.major is None:
            name = rows[order].version_name
            complaints[order].append(f"VersionName is not x.y.z: {name}" if name else "VersionName is missing")

    results = Results()
    for order, told in results.read([version.metrics for version in rows]).items():
        complaints[order] += told
    version_name = _text(names)
    metrics = _metrics_frame(results, version_name)
    flagged = metrics[metrics["problem"].notna()]
    for order, metric, dataset, problem in flagged[["order", "metric", "dataset", "problem"]].itertuples(index=False):
        complaints[order].append(f"{metric} on {dataset}: {problem}")
    problems = np.array([len(complaints.get(order, ())) for order in range(len(rows))], dtype=np.int64)

    frame = pd.DataFrame(
        {
            "version_name": version_name,
            "place": np.array(places, dtype=np.int64),
            "created": _utc(created),
            "modified": _utc(modified),
            "major": _integers([part.major for part in parts]),
            "minor": _integers([part.minor for part in parts]),
            "patch": _integers([part.patch for part in parts]),
            "suffix": _text([part.suffix for part in parts]),
            "approval_status": _category([version.approval_status for version in rows]),
            "format_type": _category([version.format_type for version in rows]),
            "framework_type": _category([version.framework_type for version in rows]),
            "source_type": _category([version.source_type for version in rows]),
            "source_id": _text([version.source_id for version in rows]),
            "description": _text([version.version_description for version in rows]),
            "uri": _text([version.uri for version in rows]),
            "user_id": _text([version.user_id for version in rows]),
            "owner_id": _text([version.owner_id for version in rows]),
            **{name: _text([source[at] for source in sources]) for at, name in enumerate(_SOURCE_COLUMNS)},
            "labels": _text([", ".join([f"{label.key}={label.value}" for label in v.labels]) for v in rows]),
            "results": np.bincount(metrics["order"], minlength=len(rows)),
            "problems": problems,
            "problem": _text(["; ".join(complaints.get(order, ())) or None for order in range(len(rows))]),
        }
    )
    return Frames(frame, metrics, int(problems.sum()))


def wide(metrics: pd.DataFrame, rows: int) -> pd.DataFrame:
    """The metrics frame as a table: one row a version, one column a metric and dataset.

    Args:
        metrics: the metrics frame, or some of its rows.
        rows: how many versions there are; those without results have an empty row.

    Returns:
        float64, index 0..rows-1 as ``order``, columns named ``metric@dataset`` in order of metric, then dataset. NaN
        where there is no number, and where a pair is given twice: there is no one number to show.
    """
    metric, dataset = metrics["metric"].cat, metrics["dataset"].cat
    pair = metric.codes.to_numpy(np.int64) * len(dataset.categories) + dataset.codes.to_numpy(np.int64)
    pairs, column = np.unique(pair, return_inverse=True)
    order = metrics["order"].to_numpy()
    table = np.full((rows, len(pairs)), np.nan)
    table[order, column] = metrics["value"].to_numpy()
    twice = pd.Series(order * max(len(pairs), 1) + column).duplicated(keep=False).to_numpy()
    table[order[twice], column[twice]] = np.nan
    codes = zip(*divmod(pairs, max(len(dataset.categories), 1)), strict=True)
    names = column_names(Pair(metric.categories[one], dataset.categories[other]) for one, other in codes)
    return pd.DataFrame(table, columns=pd.Index(names, dtype="str"))


def _metrics_frame(results: Results, version_name: Any) -> pd.DataFrame:
    value = np.array(results.value, dtype=np.float64)
    for row in np.flatnonzero(~np.isfinite(value)).tolist():
        results.odd.setdefault(row, (json_text(results.value[row]), "not a number"))
    value[~np.isfinite(value)] = np.nan

    block_size = np.array(results.block_size, dtype=np.int64)
    order, dataset, kind = (
        np.repeat(np.array(block, dtype=np.int64), block_size)
        for block in (results.block_version, results.block_dataset, results.block_kind)
    )
    metric = np.array(results.metric, dtype=np.int64)
    pair = (order * len(results.datasets.categories) + dataset) * len(results.metrics.categories) + metric
    for row in np.flatnonzero(pd.Series(pair).duplicated(keep=False).to_numpy()).tolist():
        raw, problem = results.odd.get(row, (None, ""))
        results.odd[row] = (raw, f"duplicate dataset, {problem}" if problem else "duplicate dataset")

    problems = Codes()
    problem_code = np.full(len(value), -1)
    odd_place = np.zeros(len(value), dtype=np.int64)
    for place, (row, (_, problem)) in enumerate(results.odd.items(), start=1):
        problem_code[row] = problems[problem]
        odd_place[row] = place
    n, errors = _sparse(results.counts, len(value))
    return pd.DataFrame(
        {
            "order": order,
            "version_name": version_name.take(order),
            "dataset": _coded(dataset, results.datasets.categories),
            "metric": _coded(metric, results.metrics.categories),
            "dataset_kind": _coded(kind, DATASET_KINDS),
            "value": value,
            "raw": _text([None, *(raw for raw, _ in results.odd.values())]).take(odd_place),
            "problem": _coded(problem_code, problems.categories),
            "n": n,
            "errors": errors,
        }
    )


def _field_problems(versions: Sequence[ModelVersion]) -> defaultdict[int, list[str]]:
    """By place, a sentence for each field whose type the API does not document."""
    complaints: defaultdict[int, list[str]] = defaultdict(list)
    for order, version in enumerate(versions):
        for name, raw in version.misfits.items():
            complaints[order].append(f"{name or 'The version'} has the wrong type: {json_text(raw)}")
        for label in version.labels:
            for name, raw in label.misfits.items():
                complaints[order].append(f"Label {name} has the wrong type: {json_text(raw)}")
    return complaints


def _unreadable(field: str, text: str | None) -> list[str]:
    return [f"{field} is not a time: {text}"] if text is not None else []


def _source_parts(source_type: str | None, source_id: str | None) -> tuple[str | None, ...]:
    """Region, workspace, kind and run of a SourceId of the form ``region=…,workspaceId=…,kind=…,id=…``."""
    if source_id is None or source_type not in ("PAIFlow", "TrainingService"):
        return _NO_SOURCE
    if usual := _USUAL_SOURCE.fullmatch(source_id):
        return usual.groups()
    pairs = [part.partition("=") for part in source_id.split(",")]
    found = {key.strip(): value.strip() for key, _, value in pairs}
    if len(pairs) != len(_SOURCE_KEYS) or not all(found.get(key) for key in _SOURCE_KEYS):
        return _NO_SOURCE
    return tuple(found[key] for key in _SOURCE_KEYS)


def _text(values: Any) -> Any:
    return pd.array(values, dtype="str")


def _utc(moments: npt.NDArray[np.datetime64]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(moments).tz_localize("UTC")


def _integers(values: Sequence[int | None]) -> Any:
    return pd.array(values, dtype="Int64")


def _sparse(counts: dict[int, tuple[int | None, int | None]], length: int) -> tuple[Any, Any]:
    """The two columns n and errors, empty where nothing was counted."""
    columns = [pd.array(np.zeros(length, dtype=np.int64), dtype="Int64") for _ in range(2)]
    for at, column in enumerate(columns):
        column[:] = pd.NA
        for row, pair in counts.items():
            if pair[at] is not None:
                column[row] = pair[at]
    return columns[0], columns[1]


def _category(values: Any) -> pd.Categorical:
    codes, categories = pd.factorize(np.asarray(values, dtype=object))
    return _coded(codes, categories)


def _coded(codes: Any, categories: Any) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(categories), dtype="str"))

"""Versions of a model as two data frames: one row for each version, and one row for each (version, dataset, metric).

Nothing of a response is lost: a value that does not fit its column is kept as text and flagged, and ``listing_index``
leads to the version itself, with its labels, specs, ExtraInfo and raw JSON.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from paiview.evaluation.dataset_identity import DATASET_KINDS, NO_DATASET, renaming
from paiview.evaluation.noise_evidence import entries_text
from paiview.evaluation.results import CategoryCodes, Pair, Results
from paiview.evaluation.version_order import NameParts, naive_time, name_key, total_order
from paiview.pai.objects import ModelVersion
from paiview.pai.sources import parse_source
from paiview.text import json_text

__all__ = ["NO_DATASET", "SEARCHED_COLUMNS", "Frames", "Pair", "build", "column_names"]

_SOURCE_COLUMNS = ("source_region", "source_workspace", "source_kind", "source_run")
_NO_SOURCE: tuple[None, ...] = (None,) * len(_SOURCE_COLUMNS)
SEARCHED_COLUMNS = (
    "version_name",
    "description",
    "labels",
    "source_id",
    "uri",
    "user_id",
    "owner_id",
    "format_type",
    "framework_type",
)
"""The columns that a search looks through; source_id holds region, workspace, kind and run."""
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


def column_names(pairs: Iterable[Pair]) -> list[str]:
    """Unique column names of some pairs in tables, downloads and links: ``metric@dataset``."""
    names: dict[str, None] = {}
    for metric, dataset in pairs:
        name = f"{metric}@{dataset}"
        while name in names:
            name += " "
        names[name] = None
    return list(names)


class History(NamedTuple):
    """The numbers of one pair: rows of the versions frame, ascending, and the number of each."""

    version_indexes: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Frames:
    """The two frames of one listing.

    Attributes:
        versions: one row for each version; index 0..n-1 in the total order of ``paiview.evaluation.version_order``.
            Columns:

            ================ ================== ==================================================================
            version_name     str                placeholder ``(unnamed n)`` where the service gave none
            listing_index    int64              index in the listing
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
            source_region,   str                parts of SourceId (``paiview.pai.sources``); NA without them
            source_workspace,
            source_kind,
            source_run
            labels           str                ``k=v, k2=v2``; empty without labels
            results          int64              rows of this version in ``metrics``
            problems         int64              number of flagged fields and values of this version
            problem          str                a sentence for each, separated by ``; ``; NA without any
            ================ ================== ==================================================================

        metrics: one row for each (version, dataset, metric), in the order of ``versions`` and then of the response;
            index 0..m-1. Equal values of one pair are one row. Columns:

            =============== ======== ===========================================================================
            version_index   int64    row of ``versions``
            version_name    str
            dataset         category identity (``paiview.evaluation.dataset_identity``): DatasetId or canonical Uri,
                                     with ``[split=…,subset=…,config=…]`` where the result names them; or
                                     ``NO_DATASET``
            metric          category name as given; ``outer.inner`` for a nested one
            dataset_kind    category ``id``, ``uri`` or ``none``
            dataset_version str      version of the dataset; NA without one
            dataset_uri     category Uri of the dataset as given, also beside a DatasetId; NA without one
            value           float64  in the unit of the source; NaN when it is not a finite number
            raw             str      JSON text of the value when it is not a plain finite number, else NA
            problem         category ``numeric string``, ``not a number``, ``too large`` (for a float), ``rounded``
                                     (an integer a float cannot hold exactly), ``nested``, ``duplicate dataset``
                                     (another value of the same metric on the same dataset), ``dataset has no
                                     DatasetId or Uri``, ``DatasetId or Uri is no text`` (then the other one is
                                     used); several are joined by ``, ``; NA for a plain number
            n, errors       Int64    items and errors counted, from Counts beside Metrics; NA without
            paired          category JSON text of the paired evidence about the value; NA without
            =============== ======== ===========================================================================

        flagged: the number of flagged fields and values, the sum of ``versions.problems``.
    """

    versions: pd.DataFrame
    metrics: pd.DataFrame
    flagged: int

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every pair of ``metrics``, with or without a number, by first appearance of the metric, then the dataset."""
        return self._pairs_of_codes(np.unique(self._pair_codes))

    @cached_property
    def histories(self) -> dict[Pair, History]:
        """The numbers of every pair that has any, the pair with the most first, then by name.

        The numbers of a version that has a pair more than once are left out.
        """
        code = self._pair_codes
        version_index = self.metrics["version_index"].to_numpy()
        is_single = ~pd.DataFrame({"code": code, "version": version_index}).duplicated(keep=False).to_numpy()
        rows = np.flatnonzero(is_single & self.metrics["value"].notna().to_numpy())
        rows = rows[np.lexsort((version_index[rows], code[rows]))]
        codes, starts = np.unique(code[rows], return_index=True)
        version_indexes = np.split(version_index[rows], starts[1:])
        values = np.split(self.metrics["value"].to_numpy()[rows], starts[1:])
        histories = [*zip(self._pairs_of_codes(codes), map(History, version_indexes, values), strict=False)]
        return dict(sorted(histories, key=lambda item: (-len(item[1].values), item[0])))

    @cached_property
    def metric_counts(self) -> dict[str, int]:
        """The count of numbers of each metric, the largest first, then by name."""
        return self._counts("metric")

    @cached_property
    def dataset_counts(self) -> dict[str, int]:
        """The count of numbers on each dataset, the largest first, then by name."""
        return self._counts("dataset")

    @cached_property
    def status_counts(self) -> dict[str, int]:
        """The count of versions of each approval status."""
        return dict(Counter(self.versions["approval_status"].dropna().tolist()))

    @cached_property
    def newest_approved_name(self) -> str | None:
        """The name of the last approved version in the total order; ``None`` without one."""
        approved = np.flatnonzero((self.versions["approval_status"] == "Approved").to_numpy())
        return self.versions["version_name"].iloc[approved[-1]] if len(approved) else None

    def _counts(self, what: Literal["metric", "dataset"]) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for pair, history in self.histories.items():
            counts[getattr(pair, what)] += len(history.values)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @cached_property
    def _pair_codes(self) -> npt.NDArray[np.int64]:
        """By row of ``metrics``, one integer for the metric and the dataset."""
        metric, dataset = self.metrics["metric"].cat, self.metrics["dataset"].cat
        return metric.codes.to_numpy(np.int64) * len(dataset.categories) + dataset.codes.to_numpy(np.int64)

    def _pairs_of_codes(self, codes: npt.NDArray[np.int64]) -> list[Pair]:
        metrics = self.metrics["metric"].cat.categories.astype(str).tolist()
        datasets = self.metrics["dataset"].cat.categories.astype(str).tolist()
        return [Pair(metrics[code // len(datasets)], datasets[code % len(datasets)]) for code in codes.tolist()]

    @cached_property
    def name_ranks(self) -> npt.NDArray[np.int64]:
        """By version, the rank of its name among all (``version_order.name_key``); equal names have equal ranks."""
        keys = [name_key(name) for name in self.versions["version_name"].tolist()]
        ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
        return np.array([ranks[key] for key in keys], dtype=np.int64)

    @cached_property
    def searched_texts(self) -> list[str]:
        """By version, the text of ``SEARCHED_COLUMNS``, case folded."""
        columns = [self.versions[column].astype("str").fillna("").tolist() for column in SEARCHED_COLUMNS]
        return ["\0".join(texts).casefold() for texts in zip(*columns, strict=True)]


def build(
    versions: Sequence[ModelVersion],
    aliases: Mapping[str, str] = _NO_NAMES,
    metric_aliases: Mapping[str, str] = _NO_NAMES,
) -> Frames:
    """Build both frames of a listing.

    Args:
        versions: in any order.
        aliases: a dataset's identity, its base or its Uri, to the dataset that it is another name of.
        metric_aliases: a metric to the one that it is another name of.
    """
    listing_indexes, times, parts, names = total_order(versions)
    rows = [versions[index] for index in listing_indexes]
    created, modified = (
        pd.DatetimeIndex(moments, dtype="datetime64[us]").to_numpy()
        for moments in (times, [naive_time(version.gmt_modified_time) for version in rows])
    )
    sources = [parse_source(version.source_type, version.source_id) or _NO_SOURCE for version in rows]
    results = Results()
    complaints = _field_complaints(rows, created, modified, parts)
    for index, sentences in results.read([version.metrics for version in rows]).items():
        complaints[index] += sentences
    version_name = _text(names)
    metrics = _metrics_frame(results, version_name, aliases, metric_aliases)
    flagged = metrics.loc[metrics["problem"].notna(), ["version_index", "metric", "dataset", "problem"]]
    for index, metric, dataset, problem in flagged.itertuples(index=False):
        complaints[index].append(f"{metric} on {dataset}: {problem}")
    problems = np.array([len(complaints.get(index, ())) for index in range(len(rows))], dtype=np.int64)

    frame = pd.DataFrame(
        {
            "version_name": version_name,
            "listing_index": np.array(listing_indexes, dtype=np.int64),
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
            **{name: _text([source[index] for source in sources]) for index, name in enumerate(_SOURCE_COLUMNS)},
            "labels": _text([", ".join([f"{label.key}={label.value}" for label in v.labels]) for v in rows]),
            "results": np.bincount(metrics["version_index"], minlength=len(rows)),
            "problems": problems,
            "problem": _text(["; ".join(complaints.get(index, ())) or None for index in range(len(rows))]),
        }
    )
    return Frames(frame, metrics, int(problems.sum()))


def _metrics_frame(
    results: Results, version_name: Any, aliases: Mapping[str, str], metric_aliases: Mapping[str, str]
) -> pd.DataFrame:
    value = np.array(results.value, dtype=np.float64)
    for row in np.flatnonzero(~np.isfinite(value)).tolist():
        results.odd.setdefault(row, (json_text(results.value[row]), "not a number"))
    value[~np.isfinite(value)] = np.nan

    block_size = np.array(results.block_size, dtype=np.int64)
    version_index, source = (
        np.repeat(np.array(block, dtype=np.int64), block_size)
        for block in (results.block_version, results.block_source)
    )
    identities, renamed = results.sources.identities, renaming(aliases)
    dataset, datasets = _codes([renamed(identity.dataset) for identity in identities], source)
    kind = np.array([DATASET_KINDS.index(identity.kind) for identity in identities], dtype=np.int64)[source]
    dataset_version = _text([identity.version for identity in identities]).take(source)
    uri = _category([identity.uri for identity in identities])
    names = [metric_aliases.get(name, name) for name in results.metrics.categories]
    metric, metrics = _codes(names, np.array(results.metric, dtype=np.int64))

    key = (version_index * len(datasets) + dataset) * len(metrics) + metric
    is_kept = _merge_repeated(results, key, dataset_version)
    problems = CategoryCodes()
    problem_code = np.full(len(value), -1)
    raw_index = np.zeros(len(value), dtype=np.int64)
    for index, (row, (_, problem)) in enumerate(results.odd.items(), start=1):
        problem_code[row] = problems[problem]
        raw_index[row] = index
    n, errors = _sparse(results.counts, len(value))
    paired = CategoryCodes()
    paired_code = np.full(len(value), -1)
    for row, entries in results.paired.items():
        if entries:
            paired_code[row] = paired[entries_text(entries)]
    frame = pd.DataFrame(
        {
            "version_index": version_index,
            "version_name": version_name.take(version_index),
            "dataset": _coded(dataset, datasets),
            "metric": _coded(metric, metrics),
            "dataset_kind": _coded(kind, DATASET_KINDS),
            "dataset_version": dataset_version,
            "dataset_uri": uri.take(source),
            "value": value,
            "raw": _text([None, *(raw for raw, _ in results.odd.values())]).take(raw_index),
            "problem": _coded(problem_code, problems.categories),
            "n": n,
            "errors": errors,
            "paired": _coded(paired_code, paired.categories),
        }
    )
    return frame if is_kept.all() else frame[is_kept].reset_index(drop=True)


def _codes(names: Sequence[str], rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """The codes of some rows, of which each holds the index of its name, and the different names."""
    categories = CategoryCodes()
    codes = np.array([categories[name] for name in names], dtype=np.int64)
    return codes[rows], categories.categories


def _merge_repeated(results: Results, key: npt.NDArray[np.int64], dataset_version: Any) -> npt.NDArray[np.bool_]:
    """Merge the rows of one key that have equal values, and flag those that have different ones.

    Returns:
        By row, whether it stays.
    """
    is_kept = np.ones(len(key), dtype=bool)
    rows_of: defaultdict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(pd.Series(key).duplicated(keep=False).to_numpy()).tolist():
        rows_of[int(key[row])].append(row)
    for rows in rows_of.values():
        versions = dataset_version[rows]
        merged = results.merged(
            {row: None if pd.isna(version) else version for row, version in zip(rows, versions, strict=True)}
        )
        is_kept[rows] = False
        for row, counts, version, paired in merged:
            is_kept[row] = True
            dataset_version[row] = version
            results.counts[row] = counts or (None, None)
            results.paired[row] = paired
            if len(merged) > 1:
                raw, problem = results.odd.get(row, (None, ""))
                results.odd[row] = (raw, f"duplicate dataset, {problem}" if problem else "duplicate dataset")
    return is_kept


def _field_complaints(
    versions: Sequence[ModelVersion],
    created: npt.NDArray[np.datetime64],
    modified: npt.NDArray[np.datetime64],
    parts: Sequence[NameParts],
) -> defaultdict[int, list[str]]:
    """By version, a sentence for each field with an undocumented type, an unreadable time or an unusual name."""
    complaints: defaultdict[int, list[str]] = defaultdict(list)
    for index, version in enumerate(versions):
        for field, raw in version.misfits.items():
            complaints[index].append(f"{field or 'The version'} has the wrong type: {json_text(raw)}")
        for label in version.labels:
            for field, raw in label.misfits.items():
                complaints[index].append(f"Label {field} has the wrong type: {json_text(raw)}")
    for index in np.flatnonzero(np.isnat(created)).tolist():
        complaints[index] += _unreadable("GmtCreateTime", versions[index].gmt_create_time)
    for index in np.flatnonzero(np.isnat(modified)).tolist():
        complaints[index] += _unreadable("GmtModifiedTime", versions[index].gmt_modified_time)
    for index, (version, part) in enumerate(zip(versions, parts, strict=True)):
        if part.major is None:
            name = version.version_name
            complaints[index].append(f"VersionName is not x.y.z: {name}" if name else "VersionName is missing")
    return complaints


def _unreadable(field: str, text: str | None) -> list[str]:
    return [f"{field} is not a time: {text}"] if text is not None else []


def _text(values: Any) -> Any:
    return pd.array(values, dtype="str")


def _utc(moments: npt.NDArray[np.datetime64]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(moments).tz_localize("UTC")


def _integers(values: Sequence[int | None]) -> Any:
    return pd.array(values, dtype="Int64")


def _sparse(counts: dict[int, tuple[int | None, int | None]], length: int) -> tuple[Any, Any]:
    """The columns n and errors, NA in rows without counts."""
    columns = [pd.array(np.zeros(length, dtype=np.int64), dtype="Int64") for _ in range(2)]
    for index, column in enumerate(columns):
        column[:] = pd.NA
        for row, n_and_errors in counts.items():
            if n_and_errors[index] is not None:
                column[row] = n_and_errors[index]
    return columns[0], columns[1]


def _category(values: Any) -> pd.Categorical:
    codes, categories = pd.factorize(np.asarray(values, dtype=object))
    return _coded(codes, categories)


def _coded(codes: Any, categories: Any) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(categories), dtype="str"))

"""What a reader asks of the frames: filter, sort, page, mark the best.

Pure. Versions are named by their position in the versions frame, which is their place in the total order.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paiview.evaluation.frames import Frames, Pair, column_names
from paiview.evaluation.metric_meaning import SCALE_JUMP, MetricContract, contract, running_best

Orders = NDArray[np.int64]


FIELDS = {
    "status": "approval_status",
    "created": "created",
    "modified": "modified",
    "description": "description",
    "labels": "labels",
    "framework": "framework_type",
    "format": "format_type",
    "source type": "source_type",
    "source id": "source_id",
    "uri": "uri",
    "problem": "problem",
}
"""The fields a table can show: the name readers see and links hold, to the column of the versions frame."""


def matching(
    frames: Frames,
    *,
    text: str = "",
    created_from: date | None = None,
    created_to: date | None = None,
    statuses: Sequence[str] = (),
    datasets: Sequence[str] = (),
    metric: str | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Orders:
    """Find the versions that pass every filter; a filter left empty lets all pass.

    Args:
        frames: both frames of a snapshot.
        text: contained in the name, description, labels, source or uri, whatever the case.
        created_from: first day (UTC) of creation, included.
        created_to: last day (UTC) of creation, included.
        statuses: approval statuses.
        datasets: keeps versions with a result on any of them.
        metric: what ``minimum`` and ``maximum`` bound.
        minimum: at least one value of ``metric`` (on ``datasets``, where given) within both bounds, included.
        maximum: see ``minimum``.

    Returns:
        Positions in the versions frame, ascending.
    """
    versions = frames.versions
    keep = np.ones(len(versions), dtype=bool)
    if text.strip():
        needle = text.strip().casefold()
        keep &= np.array([needle in texts for texts in frames.searched], dtype=bool)
    if created_from is not None:
        keep &= (versions["created"] >= pd.Timestamp(created_from, tz="UTC")).to_numpy()
    if created_to is not None:
        keep &= (versions["created"] < pd.Timestamp(created_to, tz="UTC") + pd.Timedelta(days=1)).to_numpy()
    if statuses:
        keep &= versions["approval_status"].isin(list(statuses)).to_numpy()
    bounded = metric is not None and (minimum is not None or maximum is not None)
    if datasets or bounded:
        rows = np.ones(len(frames.metrics), dtype=bool)
        if datasets:
            rows &= frames.metrics["dataset"].isin(list(datasets)).to_numpy()
        if bounded:
            value = frames.metrics["value"].to_numpy()
            rows &= (frames.metrics["metric"] == metric).to_numpy() & ~np.isnan(value)
            rows &= value >= (-np.inf if minimum is None else minimum)
            rows &= value <= (np.inf if maximum is None else maximum)
        has = np.zeros(len(versions), dtype=bool)
        has[frames.metrics["order"].to_numpy()[rows]] = True
        keep &= has
    return np.flatnonzero(keep)


def sort_options(columns: Sequence[str]) -> dict[str, str]:
    """The sorts a table offers: ``field`` or ``-field`` to what the reader sees."""
    options = {"-created": "Created, newest first", "created": "Created, oldest first"}
    options |= {"-version": "Version, highest first", "version": "Version, lowest first"}
    for column in (*(field for field in FIELDS if field not in ("created", "problem")), *columns):
        options |= {column: f"{column}, ascending", f"-{column}": f"{column}, descending"}
    return options


def ordered(frames: Frames, orders: Orders, sort: str, wide: pd.DataFrame) -> Orders:
    """Sort versions; what has no value comes last both ways, and ties keep the version order.

    Args:
        frames: both frames of a snapshot.
        orders: the versions to sort.
        sort: ``field`` or ``-field``; a field is ``version``, a name of ``FIELDS`` or a column of ``wide``.
        wide: ``metric@dataset`` columns, a row a version, in version order.
    """
    # The name of a metric may begin with the sign itself.
    falling = sort.startswith("-") and sort not in wide.columns
    field = sort[1:] if falling else sort
    if field == "created":
        # The version order is the order of creation, with its ties settled; the usual sort, in every rerun.
        known = frames.versions["created"].notna().to_numpy()[orders]
        dated = np.sort(orders[known])
        return np.concatenate([dated[::-1] if falling else dated, orders[~known]])
    versions = frames.versions.iloc[orders]
    if field == "version":
        keys = versions[["major", "minor", "patch", "suffix"]].assign(suffix=versions["suffix"].fillna(""))
        return keys.sort_values(list(keys.columns), ascending=not falling, kind="stable").index.to_numpy()
    if field in FIELDS:
        values = versions[FIELDS[field]]
        values = values.astype("str") if isinstance(values.dtype, pd.CategoricalDtype) else values
    else:
        values = wide[field].iloc[orders]
    return values.sort_values(ascending=not falling, kind="stable", na_position="last").index.to_numpy()


def counts(frames: Frames, what: Literal["metric", "dataset"]) -> dict[str, int]:
    """How many numbers there are of each metric, or on each dataset, the most covered first, then by name."""
    counted: Counter[str] = Counter()
    for pair, history in frames.histories.items():
        counted[getattr(pair, what)] += len(history.orders)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


Meanings = Mapping[str, MetricContract]
"""Contracts of the configuration and the reader, which complete or replace the built-in ones."""


def main_metric(frames: Frames, meanings: Meanings = MappingProxyType({})) -> str | None:
    """The metric to show first: the one with the most numbers, a known direction before an unknown one."""
    ranked = sorted(counts(frames, "metric"), key=lambda metric: contract(metric, meanings).direction is None)
    return ranked[0] if ranked else None


def shown_pairs(
    frames: Frames,
    chosen_metrics: Sequence[str],
    chosen_datasets: Sequence[str],
    meanings: Meanings = MappingProxyType({}),
) -> list[Pair]:
    """The pairs a page draws, the most covered first; without a chosen metric, those of the main one."""
    main = main_metric(frames, meanings)
    metrics: set[str | None] = {*chosen_metrics} or {main}
    return [
        pair
        for pair in frames.histories
        if pair.metric in metrics and (not chosen_datasets or pair.dataset in chosen_datasets)
    ]


def numbers(frames: Frames, shown: Sequence[Pair]) -> pd.DataFrame:
    """The numbers of some pairs, a row a version in version order, a column a pair, named ``metric@dataset``."""
    table = np.full((len(frames.versions), len(shown)), np.nan)
    for column, pair in enumerate(shown):
        history = frames.histories[pair]
        table[history.orders, column] = history.values
    return pd.DataFrame(table, columns=pd.Index(column_names(shown), dtype="str"))


class Slice(NamedTuple):
    """One page of a list: ``number`` of ``pages`` (from 1), items ``start`` to ``stop``."""

    number: int
    pages: int
    start: int
    stop: int


def page_of(count: int, size: int, number: int) -> Slice:
    """Cut a list of ``count`` into pages of ``size``; a number beyond the end gives the last page."""
    pages = max(1, -(-count // size))
    number = min(max(1, number), pages)
    return Slice(number, pages, (number - 1) * size, min(number * size, count))


def best_numbers(
    wide: pd.DataFrame, shown: Sequence[Pair], meanings: Meanings = MappingProxyType({})
) -> dict[str, float]:
    """Find the best number of every column whose direction is known.

    Args:
        wide: numbers, a row a version, a column a pair.
        shown: the pairs of the columns, in their order.
        meanings: which way is better, beyond the built-in names.

    Returns:
        Column to its best number; without the columns that hold fewer than two numbers.
    """
    best = {}
    for column, pair in zip(wide.columns, shown, strict=True):
        known = contract(pair.metric, meanings).direction
        values = wide[column].dropna().to_numpy()
        if known is not None and len(values) > 1:
            best[str(column)] = float(running_best(values, known)[-1])
    return best


def newest_approved(frames: Frames, shown: Sequence[Pair]) -> int | None:
    """The newest Approved version that has a number for any of the pairs, as a position; ``None`` without one."""
    approved = np.flatnonzero((frames.versions["approval_status"] == "Approved").to_numpy())
    having = newest_with(frames, approved, shown, 1)
    return int(having[0]) if len(having) else None


def newest_with(frames: Frames, orders: Orders, shown: Sequence[Pair], most: int | None) -> Orders:
    """Keep the newest versions that have a number for any of the pairs.

    Args:
        frames: both frames of a snapshot.
        orders: the versions to choose from, ascending.
        shown: the pairs.
        most: how many to keep; ``None`` keeps all.
    """
    wanted = np.zeros(len(frames.versions), dtype=bool)
    for pair in shown:
        wanted[frames.histories[pair].orders] = True
    having = orders[wanted[orders]]
    return having if most is None else having[-most:]


def drawn_pairs(frames: Frames, shown: Sequence[Pair], orders: Orders) -> list[Pair]:
    """Those of some pairs that any of the versions has a number for."""
    asked = np.zeros(len(frames.versions), dtype=bool)
    asked[orders] = True
    return [pair for pair in shown if asked[frames.histories[pair].orders].any()]


def long_form(frames: Frames, shown: Sequence[Pair], orders: Orders) -> pd.DataFrame:
    """The numbers of some pairs and versions, a row each: ``version_name``, ``dataset``, ``metric``, ``value``."""
    table = numbers(frames, shown).iloc[orders]
    at, column = np.nonzero(table.notna().to_numpy())
    pairs = [shown[index] for index in column.tolist()]
    return pd.DataFrame(
        {
            "version_name": frames.versions["version_name"].iloc[orders[at]].tolist(),
            "dataset": [pair.dataset for pair in pairs],
            "metric": [pair.metric for pair in pairs],
            "value": table.to_numpy()[at, column],
        }
    )


def scale_jumps(metrics: pd.DataFrame) -> pd.DataFrame:
    """Where a history jumps by about 100 times: a fraction beside a percentage, most likely.

    Args:
        metrics: a metrics frame (``paiview.evaluation.frames``).

    Returns:
        One row a jump, with metric, dataset, version_name, previous and value: the number of that version is 50 to
        200 times, or a 50th to a 200th of, the one before it on the same dataset. Nothing is rescaled.
    """
    numbers = metrics.loc[metrics["value"].notna(), ["metric", "dataset", "order", "version_name", "value"]]
    keys = ["metric", "dataset"]
    history = numbers.sort_values([*keys, "order"], kind="stable")
    previous = history.groupby(keys, observed=True)["value"].shift()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = (history["value"].to_numpy() / previous.to_numpy()).astype(np.float64)
        size = np.maximum(ratio, 1 / ratio)
    jumps = (size >= SCALE_JUMP[0]) & (size <= SCALE_JUMP[1])
    found: pd.DataFrame = history.assign(previous=previous).loc[jumps, [*keys, "version_name", "previous", "value"]]
    return found.reset_index(drop=True)

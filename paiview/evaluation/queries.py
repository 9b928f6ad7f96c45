"""Queries of the frames: filter, sort, page, find the best numbers.

A version is identified by its ``version_index``, its row in the versions frame and so its rank in the total order.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paiview.evaluation.catalogue import leaf_of
from paiview.evaluation.frames import Frames, History, Pair, column_names
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.evaluation.metric_numbers import (
    are_on_different_scales,
    counted_numbers,
    differ_in_scale,
    max_fraction,
    running_best,
)

VersionIndexes = NDArray[np.int64]

_NO_HISTORY = History(np.array([], dtype=np.int64), np.array([], dtype=np.float64))

MAX_RANKED_METRICS = 1_000
"""The metrics whose meaning is looked up to find the main one; a name costs a tenth of a millisecond."""
MAX_COLUMNS = 1_000
"""The columns of a wide table that is downloaded; beyond it the numbers come one in a row."""

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
    "source region": "source_region",
    "source workspace": "source_workspace",
    "source kind": "source_kind",
    "source run": "source_run",
    "user id": "user_id",
    "owner id": "owner_id",
    "uri": "uri",
    "problem": "problem",
}
"""The fields a table can show: the name in tables and links, to the column of the versions frame."""


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
) -> VersionIndexes:
    """Find the versions that pass every filter; an empty filter lets all pass.

    Args:
        frames: both frames of a snapshot.
        text: contained in one of ``frames.SEARCHED_COLUMNS``, ignoring case.
        created_from: first day (UTC) of creation, included.
        created_to: last day (UTC) of creation, included.
        statuses: approval statuses.
        datasets: keeps versions with a result on any of them.
        metric: the metric that ``minimum`` and ``maximum`` apply to.
        minimum: at least one value of ``metric`` (on ``datasets``, if any) is within both bounds, included.
        maximum: see ``minimum``.

    Returns:
        The versions, ascending.
    """
    versions = frames.versions
    passes = np.ones(len(versions), dtype=bool)
    if text.strip():
        needle = text.strip().casefold()
        passes &= np.array([needle in texts for texts in frames.searched_texts], dtype=bool)
    if created_from is not None:
        passes &= (versions["created"] >= pd.Timestamp(created_from, tz="UTC")).to_numpy()
    if created_to is not None:
        passes &= (versions["created"] < pd.Timestamp(created_to, tz="UTC") + pd.Timedelta(days=1)).to_numpy()
    if statuses:
        passes &= versions["approval_status"].isin(list(statuses)).to_numpy()
    bounded_metric = None if minimum is None and maximum is None else metric
    if datasets or bounded_metric is not None:
        rows = _result_rows(frames.metrics, datasets, bounded_metric, minimum, maximum)
        has_result = np.zeros(len(versions), dtype=bool)
        has_result[frames.metrics["version_index"].to_numpy()[rows]] = True
        passes &= has_result
    return np.flatnonzero(passes)


def _result_rows(
    metrics: pd.DataFrame, datasets: Sequence[str], metric: str | None, minimum: float | None, maximum: float | None
) -> NDArray[np.bool_]:
    """Mark the rows on the datasets, if any, that are a number of the metric, if any, within the bounds."""
    rows = np.ones(len(metrics), dtype=bool)
    if datasets:
        rows &= metrics["dataset"].isin(list(datasets)).to_numpy()
    if metric is not None:
        value = metrics["value"].to_numpy()
        rows &= (metrics["metric"] == metric).to_numpy() & ~np.isnan(value)
        rows &= value >= (-np.inf if minimum is None else minimum)
        rows &= value <= (np.inf if maximum is None else maximum)
    return rows


def sort_options(columns: Sequence[str]) -> dict[str, str]:
    """The sorts of a table: ``field`` or ``-field``, to its label."""
    options = {"-created": "Created, newest first", "created": "Created, oldest first"}
    options |= {"-version": "Version, highest first", "version": "Version, lowest first"}
    for column in (*(field for field in FIELDS if field not in ("created", "problem")), *columns):
        options |= {column: f"{column}, ascending", f"-{column}": f"{column}, descending"}
    return options


def sorted_versions(frames: Frames, versions: VersionIndexes, sort: str, numbers: pd.DataFrame) -> VersionIndexes:
    """Sort versions; those without a value come last in both directions, and ties keep the version order.

    Args:
        frames: both frames of a snapshot.
        versions: the versions to sort.
        sort: ``field`` or ``-field``; a field is ``version``, a name of ``FIELDS`` or a column of ``numbers``.
        numbers: a ``number_table``.
    """
    # A metric's name may begin with the minus sign itself.
    is_descending = sort.startswith("-") and sort not in numbers.columns
    field = sort[1:] if is_descending else sort
    if field == "created":
        # The version order sorts by creation already. This is the default sort, and runs in every rerun of the page.
        has_time = frames.versions["created"].notna().to_numpy()[versions]
        dated = np.sort(versions[has_time])
        return np.concatenate([dated[::-1] if is_descending else dated, versions[~has_time]])
    if field == "version":
        ranks = frames.name_ranks[versions]
        return versions[np.argsort(-ranks if is_descending else ranks, kind="stable")]
    rows = frames.versions.iloc[versions]
    if field in FIELDS:
        values = rows[FIELDS[field]]
        values = values.astype("str") if isinstance(values.dtype, pd.CategoricalDtype) else values
    else:
        values = numbers[field].iloc[versions]
    return values.sort_values(ascending=not is_descending, kind="stable", na_position="last").index.to_numpy()


Meanings = Mapping[str, MetricContract]
"""Contracts of the configuration and the page, which complete or replace the built-in ones."""


def main_metric(frames: Frames, meanings: Meanings = MappingProxyType({})) -> str | None:
    """The metric to show first, of those with the most numbers.

    One with a direction comes before one without, and one of the whole before one of a class (``outer.inner``).
    """

    def rank(metric: str) -> tuple[bool, bool]:
        return contract(metric, meanings).direction is None, leaf_of(metric) is not None

    return min(islice(frames.metric_counts, MAX_RANKED_METRICS), key=rank, default=None)


def shown_pairs(
    frames: Frames,
    chosen_metrics: Sequence[str],
    chosen_datasets: Sequence[str],
    meanings: Meanings = MappingProxyType({}),
) -> list[Pair]:
    """The pairs that a page draws, the most covered first; without a chosen metric, those of the main metric."""
    metrics: set[str | None] = {*chosen_metrics} or {main_metric(frames, meanings)}
    return [
        pair
        for pair in frames.histories
        if pair.metric in metrics and (not chosen_datasets or pair.dataset in chosen_datasets)
    ]


def grouped_by_metric(pairs: Sequence[Pair]) -> list[Pair]:
    """Some pairs with those of one metric side by side, in the order in which the metrics first appear."""
    places = {metric: place for place, metric in enumerate(dict.fromkeys(pair.metric for pair in pairs))}
    return sorted(pairs, key=lambda pair: places[pair.metric])


def pairs_with_numbers(frames: Frames, versions: Sequence[int]) -> list[Pair]:
    """The pairs of which any of a few versions has a number, the most covered first."""
    is_chosen = np.zeros(len(frames.versions), dtype=bool)
    is_chosen[list(versions)] = True
    return [pair for pair, history in frames.histories.items() if is_chosen[history.version_indexes].any()]


def number_table(frames: Frames, pairs: Sequence[Pair]) -> pd.DataFrame:
    """The numbers of some pairs as a wide table.

    Returns:
        One row for each version, indexed by ``version_index``, and one float64 column for each pair, named
        ``metric@dataset``. NaN where a version has no number for the pair, or more than one.
    """
    table = np.full((len(frames.versions), len(pairs)), np.nan)
    for column, pair in enumerate(pairs):
        if history := frames.histories.get(pair):
            table[history.version_indexes, column] = history.values
    return pd.DataFrame(table, columns=pd.Index(column_names(pairs), dtype="str"))


class Slice(NamedTuple):
    """One page of a list: page ``number`` of ``pages``, from 1, with the items ``start`` to ``stop``, excluded."""

    number: int
    pages: int
    start: int
    stop: int


def page_of(count: int, size: int, number: int) -> Slice:
    """A page of a list of ``count`` items in pages of ``size``; a number beyond the end gives the last page."""
    pages = max(1, -(-count // size))
    number = min(max(1, number), pages)
    return Slice(number, pages, (number - 1) * size, min(number * size, count))


def best_numbers(
    numbers: pd.DataFrame, pairs: Sequence[Pair], meanings: Meanings = MappingProxyType({})
) -> dict[str, float]:
    """Find the best number of every column with a known direction.

    Args:
        numbers: a ``number_table``, or some of its rows.
        pairs: the pairs of its columns.
        meanings: contracts that complete or replace the built-in ones.

    Returns:
        Column to its best number, without columns that hold fewer than two numbers, or numbers on different scales. A
        number that the metric cannot have is never the best.
    """
    best = {}
    for column, pair in zip(numbers.columns, pairs, strict=True):
        meaning = contract(pair.metric, meanings)
        values = numbers[column].to_numpy()
        values = values[~np.isnan(counted_numbers(values, meaning))]
        sizes = np.abs(values[values != 0])
        differ = len(sizes) > 0 and are_on_different_scales(sizes.min(), sizes.max(), meaning)
        if meaning.direction is not None and len(values) > 1 and not differ:
            best[str(column)] = float(running_best(values, meaning)[-1])
    return best


def newest_approved(frames: Frames, pairs: Sequence[Pair]) -> int | None:
    """The ``version_index`` of the newest Approved version with a number for any of the pairs; ``None`` without one."""
    approved = np.flatnonzero((frames.versions["approval_status"] == "Approved").to_numpy())
    newest = newest_with(frames, approved, pairs, 1)
    return int(newest[0]) if len(newest) else None


def newest_with(frames: Frames, versions: VersionIndexes, pairs: Sequence[Pair], most: int | None) -> VersionIndexes:
    """Keep the newest versions that have a number for any of the pairs.

    Args:
        frames: both frames of a snapshot.
        versions: the versions to choose from, ascending.
        pairs: the pairs.
        most: how many to keep; ``None`` keeps all.
    """
    has_number = np.zeros(len(frames.versions), dtype=bool)
    for pair in pairs:
        has_number[frames.histories[pair].version_indexes] = True
    numbered = versions[has_number[versions]]
    return numbered if most is None else numbered[-most:]


def drawn_pairs(frames: Frames, pairs: Sequence[Pair], versions: VersionIndexes) -> list[Pair]:
    """Those of some pairs for which any of the versions has a number."""
    is_drawn = np.zeros(len(frames.versions), dtype=bool)
    is_drawn[versions] = True
    return [pair for pair in pairs if is_drawn[frames.histories[pair].version_indexes].any()]


def long_form(frames: Frames, pairs: Sequence[Pair], versions: VersionIndexes) -> pd.DataFrame:
    """The numbers of some pairs and versions, one in a row: ``version_name``, ``dataset``, ``metric``, ``value``."""
    place = np.full(len(frames.versions), -1)
    place[versions] = np.arange(len(versions))
    histories = [frames.histories.get(pair, _NO_HISTORY) for pair in pairs]
    column = np.repeat(np.arange(len(pairs)), [len(history.values) for history in histories])
    version = np.concatenate([_NO_HISTORY.version_indexes, *(history.version_indexes for history in histories)])
    value = np.concatenate([_NO_HISTORY.values, *(history.values for history in histories)])
    shown = np.flatnonzero(place[version] >= 0)
    shown = shown[np.lexsort((column[shown], place[version[shown]]))]
    row_pairs = [pairs[index] for index in column[shown].tolist()]
    return pd.DataFrame(
        {
            "version_name": frames.versions["version_name"].iloc[version[shown]].tolist(),
            "dataset": [pair.dataset for pair in row_pairs],
            "metric": [pair.metric for pair in row_pairs],
            "value": value[shown],
        }
    )


def scale_jumps(frames: Frames, meanings: Mapping[str, MetricContract]) -> pd.DataFrame:
    """Where a history goes from a fraction to percent or back: one of two numbers in a row can only be in percent.

    Args:
        frames: both frames of a snapshot.
        meanings: contracts that complete or replace those of the catalogue.

    Returns:
        One row for each jump (``metric_numbers.are_on_different_scales``) from one version to the next on the same
        metric and dataset: metric, dataset, version_name, previous, value. No number is rescaled.
    """
    rows = []
    for pair, (version_indexes, values) in frames.histories.items():
        if len(values) < 2:
            # The histories with the most numbers come first.
            break
        limit = max_fraction(contract(pair.metric, meanings))
        if limit is None:
            continue
        for at in np.flatnonzero(differ_in_scale(values[:-1], values[1:], limit)).tolist():
            name = frames.versions["version_name"].iloc[version_indexes[at + 1]]
            rows.append((*pair, name, values[at], values[at + 1]))
    rows.sort(key=lambda row: row[:2])
    return pd.DataFrame(rows, columns=["metric", "dataset", "version_name", "previous", "value"])

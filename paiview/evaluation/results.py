"""The Metrics of a version, read into rows.

The service stores Metrics as a free object and only recommends a shape: ``{"Results": [{"Dataset": {"DatasetId" or
"Uri"}, "Metrics": {name: number}}]}``. Other content is kept too: as a row if it is a number, else as a sentence with
the raw text.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

NO_DATASET = "(no dataset)"
DATASET_KINDS = ("id", "uri", "none")
_ID, _URI, _NONE = range(3)
_NO_IDENTITY = "dataset has no DatasetId or Uri"
_NO_TEXT = "DatasetId or Uri is no text"
_MAX_DEPTH = 8
_NUMERIC = re.compile(r"\s*([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)\s*")
"""A number between blanks, some of which ``float`` does not accept."""
_MAX_EXACT_INTEGER = 2**53
_CHUNK_SIZE = 64
_INT64 = range(-(2**63), 2**63)


class Pair(NamedTuple):
    """A metric on a dataset: one panel, one row of a heatmap or one column of a table."""

    metric: str
    dataset: str


class Reading(NamedTuple):
    """One JSON value read as a number.

    Attributes:
        value: the number; NaN when there is none.
        raw: JSON text of the value when it is not a plain finite number.
        problem: why it is not one.
    """

    value: float
    raw: str | None = None
    problem: str | None = None


def encodable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot hold, written as their escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_text(value: Any) -> str:
    """The value as JSON on one line, for a reader; a remark in its place if it is nested too deeply."""
    try:
        return encodable(json.dumps(value, ensure_ascii=False, default=repr))
    except (RecursionError, TypeError, ValueError) as error:
        return f"({type(value).__name__} that cannot be written as JSON: {error})"


def read_number(value: Any) -> Reading:
    """Read a metric's value.

    Integers and floats are numbers. A numeric string is read and flagged. Booleans, text, null, NaN, infinities, lists
    and objects are not numbers. An integer is flagged when a float cannot hold it exactly.
    """
    if isinstance(value, bool):
        return Reading(math.nan, json_text(value), "not a number")
    if isinstance(value, float) and math.isfinite(value):
        return Reading(value)
    if isinstance(value, int):
        try:
            number = float(value)
        except OverflowError:
            return Reading(math.nan, json_text(value), "too large")
        return Reading(number) if number == value else Reading(number, json_text(value), "rounded")
    if isinstance(value, str) and (match := _NUMERIC.fullmatch(value)) and math.isfinite(number := float(match[1])):
        return Reading(number, json_text(value), "numeric string")
    return Reading(math.nan, json_text(value), "not a number")


class CategoryCodes(dict[Any, int]):
    """Names to category codes, in order of first appearance; a name that is looked up gets a code."""

    def __init__(self) -> None:
        self.categories: list[str] = []
        self._codes: dict[str, int] = {}

    def __missing__(self, key: Any) -> int:
        text = encodable(str(key))
        code = self._codes.setdefault(text, len(self._codes))
        if code == len(self.categories):
            self.categories.append(text)
        self[key] = code
        return code


@dataclass
class Results:
    """The results of many versions, column by column: a row for each version, dataset and metric.

    There are two parsers. ``_read_plain`` reads 64 versions at once that follow the recommended shape exactly, as
    nearly all do; ``_read_any`` reads one version of any shape. Frames of 10,000 versions take 0.21 of the time of
    ``pandas.json_normalize`` with both, 0.42 with ``_read_any`` alone and 0.30 with a fast branch for each result in
    place of ``_read_plain``; the bound is 0.25 (``python -m benchmarks frames``).

    Attributes:
        metrics, datasets: names to category codes.
        metric: by row, the code of the metric.
        value: by row, the number. Floats are not checked, so that NaN and infinities may be absent from ``odd``.
        block_version, block_dataset, block_kind, block_size: by block of rows with the same version and dataset, the
            index of the version, the dataset's code and kind (an index of ``DATASET_KINDS``), and the number of rows.
        odd: row to raw JSON text and problem, for rows with a problem.
        counts: row to n and errors, for rows with counts.
    """

    metrics: CategoryCodes = field(default_factory=CategoryCodes)
    datasets: CategoryCodes = field(default_factory=CategoryCodes)
    metric: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    block_version: list[int] = field(default_factory=list)
    block_dataset: list[int] = field(default_factory=list)
    block_kind: list[int] = field(default_factory=list)
    block_size: list[int] = field(default_factory=list)
    odd: dict[int, tuple[str | None, str]] = field(default_factory=dict)
    counts: dict[int, tuple[int | None, int | None]] = field(default_factory=dict)

    def read(self, versions: Sequence[Mapping[str, Any] | None]) -> dict[int, list[str]]:
        """Add the rows of each version's Metrics.

        Returns:
            By index of the version, a sentence for each field that could not become a row.
        """
        complaints: dict[int, list[str]] = {}
        filled = [(index, metrics) for index, metrics in enumerate(versions) if metrics]
        for start in range(0, len(filled), _CHUNK_SIZE):
            chunk = filled[start : start + _CHUNK_SIZE]
            if self._read_plain(chunk):
                continue
            for index, metrics in chunk:
                if not self._read_plain([(index, metrics)]) and (sentences := self._read_any(index, metrics)):
                    complaints[index] = sentences
        return complaints

    def _read_plain(self, chunk: Sequence[tuple[int, Mapping[str, Any]]]) -> bool:
        """Add versions that follow the recommended shape exactly, with plain numbers as values.

        Returns:
            Whether all versions of the chunk do; if not, nothing is added.
        """
        if max(len(metrics) for _, metrics in chunk) > 1:
            return False
        try:
            listings = [metrics["Results"] for _, metrics in chunk]
            items = [*chain.from_iterable(listings)]
            numbers = [item["Metrics"] for item in items]
            datasets = [item["Dataset"] for item in items]
            identities = [dataset.get("DatasetId") or dataset["Uri"] for dataset in datasets]
            identity_types = {*map(type, chain.from_iterable(map(dict.values, datasets)))}
            values = [*chain.from_iterable(map(dict.values, numbers))]
        except (AttributeError, KeyError, TypeError):
            return False
        types = {*map(type, values)}
        if not types <= {float, int} or {*map(type, identities)} != {str} or not all(identities):
            return False
        if not identity_types <= {str, type(None)}:
            return False
        if int in types and any(abs(value) > _MAX_EXACT_INTEGER for value in values if type(value) is int):
            return False
        if max(map(len, items)) > 2 or {*map(type, listings)} != {list}:
            return False
        self.metric += map(self.metrics.__getitem__, chain.from_iterable(numbers))
        self.value += values
        for (version, _), listing in zip(chunk, listings, strict=True):
            self.block_version += [version] * len(listing)
        self.block_dataset += map(self.datasets.__getitem__, identities)
        self.block_kind += [_ID if dataset.get("DatasetId") else _URI for dataset in datasets]
        self.block_size += map(len, numbers)
        return True

    def _read_any(self, version: int, metrics: Mapping[str, Any]) -> list[str]:
        results = metrics.get("Results")
        if not isinstance(results, list):
            return self._read_loose(version, metrics)
        complaints: list[str] = []
        for index, item in enumerate(results):
            values = item.get("Metrics") if isinstance(item, dict) else None
            if not isinstance(values, dict):
                complaints.append(f"Results[{index}] is not a result: {json_text(item)}")
                continue
            code, kind, problem = self._dataset(item.get("Dataset"))
            start = len(self.value)
            for name, value, is_nested in _leaves(values):
                self._add(name, read_number(value), problem, "nested" if is_nested else None)
            if problem and len(self.value) == start:
                complaints.append(f"Results[{index}]: {problem}: {json_text(item['Dataset'])}")
            self._close_block(version, code, kind, start)
            if "Counts" in item:
                complaints += self._read_counts(item["Counts"], start, f"Results[{index}].Counts")
        beside = {name: value for name, value in metrics.items() if name != "Results"}
        return complaints + self._read_loose(version, beside)

    def _read_loose(self, version: int, metrics: Mapping[str, Any]) -> list[str]:
        """Add the numbers outside of Results, which belong to no dataset."""
        complaints = []
        start = len(self.value)
        for name, value, is_nested in _leaves(metrics):
            reading = read_number(value)
            if math.isnan(reading.value) and reading.problem != "too large":
                complaints.append(f"Metrics.{encodable(name)} is not a number: {reading.raw}")
            else:
                self._add(name, reading, "nested" if is_nested else None)
        if len(self.value) > start:
            self._close_block(version, self.datasets[NO_DATASET], _NONE, start)
        return complaints

    def _add(self, name: str, reading: Reading, *problems: str | None) -> None:
        present = [problem for problem in (*problems, reading.problem) if problem]
        if present:
            self.odd[len(self.value)] = (reading.raw, ", ".join(present))
        self.metric.append(self.metrics[name])
        self.value.append(reading.value)

    def _close_block(self, version: int, code: int, kind: int, start: int) -> None:
        self.block_version.append(version)
        self.block_dataset.append(code)
        self.block_kind.append(kind)
        self.block_size.append(len(self.value) - start)

    def _dataset(self, dataset: Any) -> tuple[int, int, str | None]:
        """The code and kind of a result's Dataset, and its problem, if any."""
        if isinstance(dataset, dict):
            identities = (dataset.get("DatasetId"), dataset.get("Uri"))
            problem = None if all(isinstance(identity, str | None) for identity in identities) else _NO_TEXT
            for kind, identity in zip((_ID, _URI), identities, strict=True):
                if isinstance(identity, str) and identity:
                    return self.datasets[identity], kind, problem
            if not any(dataset.values()):
                return self.datasets[NO_DATASET], _NONE, problem
        elif dataset in (None, ""):
            return self.datasets[NO_DATASET], _NONE, None
        text = dataset if isinstance(dataset, str) else json_text(dataset)
        return self.datasets[text], _NONE, _NO_IDENTITY

    def _read_counts(self, counts: Any, start: int, where: str) -> list[str]:
        if not isinstance(counts, dict):
            return [f"{where} is not an object: {json_text(counts)}"]
        rows = {code: row for row, code in enumerate(self.metric[start:], start)}
        complaints = []
        for name, pair in counts.items():
            row = rows.get(self.metrics.get(name, -1))
            n_and_errors = _counts(pair)
            if row is None or n_and_errors is None:
                complaints.append(f"{where}.{encodable(str(name))} does not count a metric: {json_text(pair)}")
            else:
                self.counts[row] = n_and_errors
        return complaints


class Measurement(NamedTuple):
    """The result of one version for one pair.

    Attributes:
        value: the number; NaN when there is none, or more than one.
        n, errors: items and errors counted, from Counts beside Metrics.
        duplicated: whether the version has more than one value for the pair; ``raw`` then holds them all.
        raw: JSON text of the values, unless there is one plain number.
    """

    value: float
    n: int | None = None
    errors: int | None = None
    duplicated: bool = False
    raw: str | None = None


Evaluation = Mapping[Pair, Measurement]
"""The results of one version."""


def evaluation(metrics: Mapping[str, Any] | None, aliases: Mapping[str, str] = MappingProxyType({})) -> Evaluation:
    """Read one version's Metrics into measurements, in order of first appearance.

    Args:
        metrics: the version's field of this name.
        aliases: dataset to the one it is another name of; results under two names of one dataset are duplicates.
    """
    results = Results()
    results.read([metrics])
    names = [aliases.get(name, name) for name in results.datasets.categories]
    rows = chain.from_iterable(
        [dataset] * size for dataset, size in zip(results.block_dataset, results.block_size, strict=True)
    )
    measurements: dict[Pair, Measurement] = {}
    for row, dataset in enumerate(rows):
        pair = Pair(results.metrics.categories[results.metric[row]], names[dataset])
        value = results.value[row]
        raw, _ = results.odd.get(row, (None, ""))
        if not math.isfinite(value):
            value, raw = math.nan, raw or json_text(value)
        earlier = measurements.get(pair)
        if earlier is None:
            measurements[pair] = Measurement(value, *results.counts.get(row, (None, None)), raw=raw)
        else:
            values = f"{earlier.raw or json_text(earlier.value)}, {raw or json_text(value)}"
            measurements[pair] = Measurement(math.nan, duplicated=True, raw=values)
    return measurements


def versions_measuring(
    versions: Sequence[Mapping[str, Any] | None],
    pairs: Collection[Pair],
    aliases: Mapping[str, str] = MappingProxyType({}),
) -> list[bool]:
    """For each version, whether it has at least one number for any of the pairs.

    Ten times as fast as ``evaluation``, for a search through thousands of versions.

    Args:
        versions: the Metrics of each version.
        pairs: with aliases replaced by their targets.
        aliases: as for ``evaluation``.
    """
    results = Results()
    results.read(versions)
    metrics = {name: code for code, name in enumerate(results.metrics.categories)}
    wanted: defaultdict[str, set[int]] = defaultdict(set)
    for pair in pairs:
        if pair.metric in metrics:
            wanted[pair.dataset].add(metrics[pair.metric])
    wanted_of_dataset = [wanted.get(aliases.get(name, name)) for name in results.datasets.categories]
    measures = [False] * len(versions)
    start = 0
    for version, dataset, size in zip(results.block_version, results.block_dataset, results.block_size, strict=True):
        end = start + size
        if not measures[version] and (codes := wanted_of_dataset[dataset]) is not None:
            rows = zip(results.metric[start:end], results.value[start:end], strict=True)
            measures[version] = any(metric in codes and math.isfinite(value) for metric, value in rows)
        start = end
    return measures


def _leaves(metrics: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any, bool]]:
    """Each value with its dotted name and whether it was nested; empty or very deep objects are values."""
    for name, value in metrics.items():
        if isinstance(value, dict) and value and depth < _MAX_DEPTH:
            yield from _leaves(value, f"{prefix}{name}.", depth + 1)
        else:
            yield f"{prefix}{name}", value, depth > 0


def _counts(pair: Any) -> tuple[int | None, int | None] | None:
    """``n`` and ``errors`` of a metric's counts, of which one may be missing."""
    if not isinstance(pair, dict):
        return None
    n, errors = pair.get("n"), pair.get("errors")
    numbers = [number for number in (n, errors) if number is not None]
    if not numbers or any(type(number) is not int or number < 0 or number not in _INT64 for number in numbers):
        return None
    return n, errors

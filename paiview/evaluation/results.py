"""The Metrics of a version, read into rows.

The service stores Metrics as a free object and only recommends a shape: ``{"Results": [{"Dataset": {"DatasetId" or
"Uri"}, "Metrics": {name: number}}]}``. An array of such results, and JSON text in the place of any part of it, are read
the same. ``Counts`` and ``Paired`` beside the Metrics of a result say how sure its numbers are. Other content is kept
too: as a row if it is a number or a list of numbers, else as a sentence with the raw text.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from paiview.evaluation.dataset_identity import (
    NO_DATASET,
    DatasetIdentity,
    identify,
    joined,
    named_dataset,
    renaming,
)
from paiview.evaluation.noise_evidence import PairedEntry, Spread, may_hold_spread, read_entries, spread_of
from paiview.pai.responses import parse_json
from paiview.text import encodable, json_text

_MAX_DEPTH: Final = 8
_NUMERIC: Final = re.compile(r"\s*([+-]?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?)\s*")
"""A number between blanks, some of which ``float`` does not accept."""
_MAX_EXACT_INTEGER: Final = 2**53
_CHUNK_SIZE: Final = 64
_RESULT_FIELDS: Final = frozenset({"Dataset", "Metrics", "Counts", "Paired", "Details"})
_INT64: Final = range(-(2**63), 2**63)
_MAX_ADDRESS: Final = 2048
"""Characters of the address of an item file."""
_ROUNDED: Final = "rounded"
_TOO_LARGE: Final = "too large"
_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


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
            return Reading(math.nan, json_text(value), _TOO_LARGE)
        return Reading(number) if number == value else Reading(number, json_text(value), _ROUNDED)
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


class _Sources:
    """The datasets that results name, each identity once; those named by a plain id or Uri are looked up by it.

    Attributes:
        identities: by code, in order of first appearance.
        of_id, of_uri: DatasetId or Uri to code, for results that name nothing else.
    """

    def __init__(self) -> None:
        self.identities: list[DatasetIdentity] = []
        self._codes: dict[DatasetIdentity, int] = {}
        self._of_texts: dict[tuple[tuple[str, str], ...], tuple[int, str | None]] = {}
        self.of_id = _CodesOfText(lambda text: self.code(named_dataset("id", text)))
        self.of_uri = _CodesOfText(lambda text: self.code(named_dataset("uri", text)))

    def of(self, dataset: Any) -> tuple[int, str | None]:
        """The code of a result's Dataset, and why it is odd, if it is; read once for each different one."""
        if not isinstance(dataset, dict) or {*map(type, dataset.values())} != {str}:
            return self._read(dataset)
        fields = tuple(dataset.items())
        if fields not in self._of_texts:
            self._of_texts[fields] = self._read(dataset)
        return self._of_texts[fields]

    def _read(self, dataset: Any) -> tuple[int, str | None]:
        identity = identify(dataset)
        return self.code(identity), identity.problem

    def code(self, identity: DatasetIdentity) -> int:
        version = encodable(identity.version) if identity.version else None
        # Why one is odd belongs to the result, and two odd ones may name the same dataset.
        uri = encodable(identity.uri) if identity.uri else None
        identity = DatasetIdentity(encodable(identity.dataset), identity.kind, version, None, uri)
        code = self._codes.setdefault(identity, len(self._codes))
        if code == len(self.identities):
            self.identities.append(identity)
        return code


class _CodesOfText(dict[str, int]):
    """Codes by text; that of a new text is computed."""

    def __init__(self, compute: Callable[[str], int]) -> None:
        self._compute = compute

    def __missing__(self, text: str) -> int:
        code = self[text] = self._compute(text)
        return code


class _Merged(NamedTuple):
    """Rows of one pair that say the same: one of them, with the counts and the dataset's version of all.

    Attributes:
        paired: the paired evidence of all rows.
    """

    row: int
    counts: tuple[int | None, int | None] | None
    dataset_version: str | None
    paired: tuple[PairedEntry, ...] = ()


@dataclass
class Results:
    """The results of many versions, column by column: a row for each version, dataset and metric.

    There are two parsers. ``_read_plain`` reads 64 versions at once that follow the recommended shape exactly, as
    nearly all do; ``_read_any`` reads one version of any shape. Frames of 10,000 versions take 0.21 of the time of
    ``pandas.json_normalize`` with both, 0.42 with ``_read_any`` alone and 0.30 with a fast branch for each result in
    place of ``_read_plain``; the bound is 0.25 (``python -m benchmarks frames``).

    Attributes:
        metrics: names to category codes.
        sources: the datasets as results name them.
        metric: by row, the code of the metric.
        value: by row, the number. Floats are not checked, so that NaN and infinities may be absent from ``odd``.
        block_version, block_source, block_size: by block of rows of one result, the index of the version, the code of
            the source, and the number of rows.
        odd: row to raw JSON text and problem, for rows with a problem.
        counts: row to n and errors, for rows with counts.
        paired: row to its paired evidence, for rows with any.
    """

    metrics: CategoryCodes = field(default_factory=CategoryCodes)
    sources: _Sources = field(default_factory=_Sources)
    metric: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    block_version: list[int] = field(default_factory=list)
    block_source: list[int] = field(default_factory=list)
    block_size: list[int] = field(default_factory=list)
    odd: dict[int, tuple[str | None, str]] = field(default_factory=dict)
    counts: dict[int, tuple[int | None, int | None]] = field(default_factory=dict)
    paired: dict[int, tuple[PairedEntry, ...]] = field(default_factory=dict)

    def read(self, versions: Sequence[Any]) -> dict[int, list[str]]:
        """Add the rows of each version's Metrics.

        Returns:
            By index of the version, a sentence for each field that could not become a row.
        """
        complaints: dict[int, list[str]] = {}
        filled = [(index, metrics) for index, metrics in enumerate(versions) if metrics is not None and metrics != {}]
        for start in range(0, len(filled), _CHUNK_SIZE):
            chunk = filled[start : start + _CHUNK_SIZE]
            if self._read_plain(chunk):
                continue
            for index, metrics in chunk:
                if not self._read_plain([(index, metrics)]) and (sentences := self._read_any(index, metrics)):
                    complaints[index] = sentences
        return complaints

    def _read_plain(self, chunk: Sequence[tuple[int, Any]]) -> bool:
        """Add versions that follow the recommended shape exactly: a DatasetId or a Uri, and plain numbers as values.

        Returns:
            Whether all versions of the chunk do; if not, nothing is added.
        """
        try:
            if max(len(metrics) for _, metrics in chunk) > 1:
                return False
            listings = [metrics["Results"] for _, metrics in chunk]
            items = [*chain.from_iterable(listings)]
            numbers = [item["Metrics"] for item in items]
            datasets = [item["Dataset"] for item in items]
            are_ids = ["DatasetId" in dataset for dataset in datasets]
            names = [*chain.from_iterable(map(dict.values, datasets))]
            values = [*chain.from_iterable(map(dict.values, numbers))]
        except (AttributeError, KeyError, TypeError):
            return False
        types = {*map(type, values)}
        if not types <= {float, int} or {*map(type, names)} != {str} or not all(names):
            return False
        if {*map(len, datasets)} != {1} or not {*chain.from_iterable(datasets)} <= {"DatasetId", "Uri"}:
            return False
        if int in types and any(abs(value) > _MAX_EXACT_INTEGER for value in values if type(value) is int):
            return False
        if max(map(len, items)) > 2 or {*map(type, listings)} != {list}:
            return False
        self.metric += map(self.metrics.__getitem__, chain.from_iterable(numbers))
        self.value += values
        for (version, _), listing in zip(chunk, listings, strict=True):
            self.block_version += [version] * len(listing)
        of_id, of_uri = self.sources.of_id, self.sources.of_uri
        self.block_source += [
            of_id[name] if is_id else of_uri[name] for is_id, name in zip(are_ids, names, strict=True)
        ]
        self.block_size += map(len, numbers)
        return True

    def _read_any(self, version: int, metrics: Any) -> list[str]:
        opened = _opened(metrics)
        if isinstance(opened, list):
            opened = {"Results": opened}
        if not isinstance(opened, dict):
            return [f"Metrics has the wrong type: {json_text(metrics)}"]
        results, beside = _results(opened)
        complaints: list[str] = []
        for index, item in enumerate(results):
            result = _opened(item)
            values = _opened(result.get("Metrics")) if isinstance(result, dict) else None
            if not isinstance(values, dict):
                complaints.append(f"Results[{index}] is not a result: {json_text(item)}")
                continue
            source, problem = self.sources.of(_opened(result.get("Dataset")))
            start = len(self.value)
            for name, value, is_nested in _leaves(values):
                self._add(name, read_number(value), problem, "nested" if is_nested else None)
            if problem and len(self.value) == start:
                complaints.append(f"Results[{index}]: {problem}: {json_text(result['Dataset'])}")
            self._close_block(version, source, start)
            if "Counts" in result:
                complaints += self._read_counts(result["Counts"], start, f"Results[{index}].Counts")
            if "Paired" in result:
                complaints += self._read_paired(_opened(result["Paired"]), start, f"Results[{index}].Paired")
            complaints += [
                f"Results[{index}].{encodable(name)} stands beside the Metrics of its result: {json_text(value)}"
                for name, value in result.items()
                if name not in _RESULT_FIELDS and type(value) in (int, float)
            ]
        return complaints + self._read_loose(version, beside)

    def _read_loose(self, version: int, metrics: Mapping[str, Any]) -> list[str]:
        """Add the numbers outside of Results, and the lists of them, which belong to no dataset."""
        complaints = []
        start = len(self.value)
        for name, value, is_nested in _leaves(metrics):
            reading = read_number(value)
            is_measured = isinstance(value, float) or reading.problem == _TOO_LARGE or _is_list_of_numbers(value)
            if math.isnan(reading.value) and not is_measured:
                complaints.append(f"Metrics.{encodable(name)} is not a number: {reading.raw}")
            else:
                self._add(name, reading, "nested" if is_nested else None)
        if len(self.value) > start:
            self._close_block(version, self.sources.code(DatasetIdentity(NO_DATASET, "none")), start)
        return complaints

    def _add(self, name: str, reading: Reading, *problems: str | None) -> None:
        present = [problem for problem in (*problems, reading.problem) if problem]
        if present:
            self.odd[len(self.value)] = (reading.raw, ", ".join(present))
        self.metric.append(self.metrics[name])
        self.value.append(reading.value)

    def _close_block(self, version: int, source: int, start: int) -> None:
        self.block_version.append(version)
        self.block_source.append(source)
        self.block_size.append(len(self.value) - start)

    def merged(self, rows: Mapping[int, str | None]) -> list[_Merged]:
        """The different values among the rows of one pair, each once.

        Args:
            rows: by row, the version of its dataset.
        """
        if len(rows) == 1:
            ((row, version),) = rows.items()
            return [_Merged(row, self.counts.get(row), version, self.paired.get(row, ()))]
        equal: dict[float | str, list[int]] = {}
        for row in rows:
            equal.setdefault(self._sameness(row), []).append(row)
        merged = []
        for group in equal.values():
            counts = {counts for row in group if (counts := self.counts.get(row))}
            # A row with a problem goes before one without, so that the problem is still named.
            row = next((row for row in group if row in self.odd), group[0])
            version = joined(rows[row] for row in group)
            paired = dict.fromkeys(entry for row in group for entry in self.paired.get(row, ()))
            merged.append(_Merged(row, counts.pop() if len(counts) == 1 else None, version, tuple(paired)))
        return merged

    def raw(self, row: int) -> str | None:
        """JSON text of a row's value when it is not a plain finite number."""
        raw, _ = self.odd.get(row, (None, ""))
        return raw if raw is not None or math.isfinite(self.value[row]) else json_text(self.value[row])

    def _sameness(self, row: int) -> float | str:
        """Equal for two rows whose values are the same."""
        value = self.value[row]
        is_number = math.isfinite(value) and _ROUNDED not in self.odd.get(row, (None, ""))[1]
        return value if is_number else self.raw(row) or ""

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

    def _read_paired(self, paired: Any, start: int, where: str) -> list[str]:
        if not isinstance(paired, dict):
            return [f"{where} is not an object: {json_text(paired)}"]
        rows = {code: row for row, code in enumerate(self.metric[start:], start)}
        complaints = []
        for name, value in paired.items():
            label = f"{where}.{encodable(str(name))}"
            row = rows.get(self.metrics.get(name, -1))
            if row is None:
                complaints.append(f"{label} is of no metric: {json_text(value)}")
                continue
            entries, problems = read_entries(_opened(value))
            complaints += [f"{label}{problem}" for problem in problems]
            if entries:
                self.paired[row] = entries
        return complaints

    def spreads(self) -> dict[int, Spread]:
        """The spread of each row that has one, from the other rows of its result."""
        if not any(map(may_hold_spread, self.metrics.categories)):
            return {}
        spreads: dict[int, Spread] = {}
        start = 0
        for size in self.block_size:
            rows = {self.metrics.categories[self.metric[row]]: row for row in range(start, start + size)}
            values = {name: self.value[row] for name, row in rows.items()}
            for name, row in rows.items():
                if (spread := spread_of(name, values)) is not None:
                    spreads[row] = spread
            start += size
        return spreads


class Measurement(NamedTuple):
    """The result of one version for one pair.

    Attributes:
        value: the number; NaN when there is none, or more than one.
        n, errors: items and errors counted, from Counts beside Metrics.
        duplicated: whether the version has different values for the pair; ``raw`` then holds them all, sorted.
        raw: JSON text of the values, unless there is one plain number.
        dataset_version: the version of the dataset; several different ones are joined by `` / ``.
        paired: the paired evidence about the number, of any baseline and level.
        spread: its standard error or interval, from the metrics beside it.
    """

    value: float
    n: int | None = None
    errors: int | None = None
    duplicated: bool = False
    raw: str | None = None
    dataset_version: str | None = None
    paired: tuple[PairedEntry, ...] = ()
    spread: Spread | None = None


Evaluation = Mapping[Pair, Measurement]
"""The results of one version."""


def evaluation(
    metrics: Any, aliases: Mapping[str, str] = _NO_NAMES, metric_aliases: Mapping[str, str] = _NO_NAMES
) -> Evaluation:
    """Read one version's Metrics into measurements, in order of first appearance.

    Equal values of one pair are one measurement, and different ones a duplicated one.

    Args:
        metrics: the version's field of this name.
        aliases: a dataset's identity, its base or its Uri, to the dataset that it is another name of.
        metric_aliases: a metric to the one that it is another name of.
    """
    results = Results()
    results.read([metrics])
    renamed = renaming(aliases)
    datasets = [renamed(identity.dataset) for identity in results.sources.identities]
    names = [metric_aliases.get(name, name) for name in results.metrics.categories]
    rows_of: dict[Pair, dict[int, str | None]] = {}
    start = 0
    for source, size in zip(results.block_source, results.block_size, strict=True):
        for row in range(start, start + size):
            pair = Pair(names[results.metric[row]], datasets[source])
            rows_of.setdefault(pair, {})[row] = results.sources.identities[source].version
        start += size
    spreads = results.spreads()
    return {pair: _measurement(results, results.merged(rows), spreads) for pair, rows in rows_of.items()}


def _measurement(results: Results, merged: Sequence[_Merged], spreads: Mapping[int, Spread]) -> Measurement:
    if len(merged) > 1:
        by_value = sorted(merged, key=lambda one: (_finite(results.value[one.row]), results.raw(one.row) or ""))
        texts = (results.raw(one.row) or json_text(float(results.value[one.row])) for one in by_value)
        version = joined(one.dataset_version for one in merged)
        return Measurement(math.nan, duplicated=True, raw=", ".join(texts), dataset_version=version)
    ((row, counts, version, paired),) = merged
    value = float(results.value[row])
    n, errors = counts or (None, None)
    return Measurement(
        value if math.isfinite(value) else math.nan,
        n,
        errors,
        raw=results.raw(row),
        dataset_version=version,
        paired=paired,
        spread=spreads.get(row),
    )


def _finite(value: float) -> float:
    """A key that puts what is no number last."""
    return value if math.isfinite(value) else math.inf


def unreadable(metrics: Any) -> list[str]:
    """A sentence for each part of a version's Metrics that is no result and no number, with its raw text."""
    return Results().read([metrics]).get(0, [])


def item_files(metrics: Any) -> list[tuple[str, str]]:
    """Dataset and address of each file of results by item that a result names as ``Details``.

    The address is text: nothing here or elsewhere in paiview opens it.
    """
    opened = _opened(metrics)
    listed = _results(opened)[0] if isinstance(opened, dict) else opened if isinstance(opened, list) else ()
    results = [result for result in map(_opened, listed) if isinstance(result, dict)]
    return [
        (identify(result.get("Dataset")).dataset, address)
        for result in results
        if isinstance(address := result.get("Details"), str) and 0 < len(address) <= _MAX_ADDRESS
    ]


class MeasuredPairs:
    """Which of a few versions have at least one number for a pair.

    Ten times as fast as ``evaluation``, for a search through thousands of versions.

    Args:
        versions: the Metrics of each version.
        aliases: as for ``evaluation``.
        metric_aliases: as for ``evaluation``.
    """

    def __init__(
        self,
        versions: Sequence[Any],
        aliases: Mapping[str, str] = _NO_NAMES,
        metric_aliases: Mapping[str, str] = _NO_NAMES,
    ) -> None:
        self._length = len(versions)
        # By dataset and metric, a bit for each version: a listing may hold a hundred thousand names of metrics.
        self._bits: dict[str, dict[str, int]] = {}
        results = Results()
        results.read(versions)
        metrics = [metric_aliases.get(name, name) for name in results.metrics.categories]
        renamed = renaming(aliases)
        datasets = [renamed(identity.dataset) for identity in results.sources.identities]
        start = 0
        for version, source, size in zip(results.block_version, results.block_source, results.block_size, strict=True):
            bits, bit, end = self._bits.setdefault(datasets[source], {}), 1 << version, start + size
            for code, value in zip(results.metric[start:end], results.value[start:end], strict=True):
                if math.isfinite(value):
                    bits[metrics[code]] = bits.get(metrics[code], 0) | bit
            start = end

    def versions_with(self, pairs: Iterable[Pair]) -> list[int]:
        """The versions that have a number for any of the pairs, ascending; aliases are replaced by their targets."""
        bits = 0
        for pair in pairs:
            bits |= self._bits.get(pair.dataset, {}).get(pair.metric, 0)
        return [version for version in range(self._length) if bits >> version & 1]


def _opened(value: Any) -> Any:
    """The object or array that a value is the JSON text of; else the value itself."""
    inner = value
    while isinstance(inner, str) and inner.lstrip()[:1] in ("{", "[", '"'):
        try:
            inner = parse_json(encodable(inner).encode())
        except (ValueError, RecursionError):
            break
    return inner if isinstance(inner, dict | list) else value


def _results(metrics: Mapping[str, Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """The results in Metrics, of which a single one may stand without its list, and what stands beside them."""
    if "Results" not in metrics and "Dataset" in metrics and isinstance(_opened(metrics.get("Metrics")), dict):
        return [metrics], {}
    results = _opened(metrics.get("Results"))
    if isinstance(results, dict) and "Metrics" in results:
        results = [results]
    if not isinstance(results, list):
        return (), metrics
    return results, {name: value for name, value in metrics.items() if name != "Results"}


def _is_list_of_numbers(value: Any) -> bool:
    """Whether it is a list of numbers, or of equally deep lists of them, in which some may be null."""
    items = value
    while isinstance(items, list) and items and all(isinstance(item, list) for item in items):
        items = [*chain.from_iterable(items)]
    types = {*map(type, items)} if isinstance(items, list) else set()
    return bool(types & {int, float}) and types <= {int, float, type(None)}


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

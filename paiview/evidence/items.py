"""The results of one version, item by item."""

import os
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paiview.evidence.compute_wer import funasr_records, is_funasr, is_wenet, wenet_records
from paiview.evidence.item_lines import NumberedLine, numbered_lines
from paiview.evidence.item_records import ItemsError, Kind, Record, group_noun, items_error
from paiview.evidence.item_tables import csv_records, json_records, row_records
from paiview.text import counted, one_line

ItemSource = str | os.PathLike[str] | Iterable[Mapping[str, Any]]
"""A file of items by its path, or the items themselves as rows with the fields of such a file."""
GroupSource = str | os.PathLike[str] | Mapping[str, str]
"""The group of each item, or a file of them."""
MAX_ITEMS: Final = 1_000_000
_MAX_NAMES: Final = 5
"""Ids named in a sentence."""


class ItemTexts(NamedTuple):
    """What would be right for an item, and what a version made of it; empty where the file has no texts."""

    reference: str
    hypothesis: str


@dataclass(frozen=True, eq=False)
class Items:
    """The results of one version, item by item, in the order of their file.

    Attributes:
        source: the name of the file.
        kind: errors out of n, or values.
        metric: the name of the metric where nobody gives another one.
        ids: of the N items, all different.
        amounts: shape (N,), their errors or values.
        sizes: shape (N,), what the errors are counted in, at least 0; 1 for values.
        groups: the group of each item; ``None`` without groups.
        group_noun: what a group is called.
    """

    source: str
    kind: Kind
    metric: str
    ids: tuple[str, ...]
    amounts: NDArray[np.float64]
    sizes: NDArray[np.float64]
    groups: tuple[str, ...] | None
    group_noun: str = "group"


class _Reading(NamedTuple):
    """The records of a source, and the metric that its format is the output of."""

    records: Iterator[Record]
    metric: str | None = None


def read_items(source: ItemSource, name: str = "items", group: str | None = None) -> Items:
    """Read the results of one version.

    Args:
        source: JSON Lines, CSV or the output of compute-wer, told apart by the first line; or rows in memory.
        name: what rows in memory are called in errors.
        group: the column that holds the group; by default the one with a known name.

    Raises:
        ItemsError: the file cannot be read, an item has a field that it cannot have, or an id occurs twice.
    """
    if not isinstance(source, str | os.PathLike):
        rows = ((f"item {number}", row) for number, row in enumerate(source, 1))
        return _items(_Reading(row_records(rows, name, group)), name)
    path = Path(source)
    with closing(_opened(path)) as lines:
        return _items(_reading(lines, str(path), group), str(path))


def read_texts(source: ItemSource, ids: Collection[str], group: str | None = None) -> dict[str, ItemTexts]:
    """The texts of some items. Texts are read only for those that are shown, so that large files take little memory.

    Args:
        source: as for ``read_items``; a path that is no regular file, which can be read once only, has no texts.
        ids: the items.
        group: as for ``read_items``.

    Raises:
        ItemsError: the file cannot be read.
    """
    wanted = frozenset(ids)
    if not isinstance(source, str | os.PathLike):
        if isinstance(source, Iterator):
            return {}
        return _texts(row_records(((f"item {at}", row) for at, row in enumerate(source, 1)), "items", group), wanted)
    path = Path(source)
    if not path.is_file():
        return {}
    with closing(_opened(path)) as lines:
        return _texts(_reading(lines, str(path), group).records, wanted)


def groups_by_item(groups: GroupSource | None) -> Mapping[str, str] | None:
    """The group of each item, read from the file if it is given by its path.

    Raises:
        ItemsError: the file cannot be read.
    """
    return read_groups(Path(groups)) if isinstance(groups, str | os.PathLike) else groups


def read_groups(path: Path) -> dict[str, str]:
    """The group of each item from a file with an id and a group on each line, such as utt2spk of Kaldi and WeNet.

    Raises:
        ItemsError: the file cannot be read, a line holds something else, or an id occurs with two groups.
    """
    groups: dict[str, str] = {}
    with closing(_opened(path)) as lines:
        for number, line in lines:
            parts = line.split(maxsplit=1)
            if len(parts) == 1:
                raise items_error(str(path), f"line {number}", "a group must follow the id")
            if len(groups) > MAX_ITEMS:
                raise items_error(str(path), f"line {number}", f"there are more than {MAX_ITEMS:,} items")
            if parts and groups.setdefault(parts[0], parts[1].strip()) != parts[1].strip():
                raise items_error(str(path), f"line {number}", f"{one_line(parts[0], 40)} has another group above")
    return groups


def some_names(names: Iterable[str]) -> str:
    """The first few names in a line, and how many more there are."""
    every = [*names]
    more = len(every) - _MAX_NAMES
    return ", ".join([*(one_line(name, 40) for name in every[:_MAX_NAMES]), *([f"{more:,} more"] if more > 0 else [])])


def _opened(path: Path) -> Generator[NumberedLine]:
    """The lines of a file, which is closed behind the last one.

    Raises:
        ItemsError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from numbered_lines(file, str(path))
    except OSError as error:
        raise ItemsError(f"{one_line(str(path))} cannot be read: {error.strerror}.") from None


def _reading(lines: Iterator[NumberedLine], source: str, group: str | None) -> _Reading:
    """Tell the format by the first line that is not blank."""
    first = next(((number, line) for number, line in lines if line.strip()), None)
    if first is None:
        raise ItemsError(f"{one_line(source)} holds no items.")
    number, line = first
    every = chain([first], lines)
    text = line.strip()
    if is_wenet(text) or is_funasr(text):
        if group is not None:
            problem = "the output of compute-wer has no columns: give the groups with --groups FILE"
            raise items_error(source, f"line {number}", problem)
        records = wenet_records(every, source) if is_wenet(text) else funasr_records(every, source)
        return _Reading(records, "wer" if is_wenet(text) else "cer")
    if text.startswith("["):
        raise items_error(source, f"line {number}", "it begins a JSON array: write one object a line")
    if text.startswith("{"):
        return _Reading(json_records(every, source, group))
    return _Reading(csv_records(every, source, group))


def _items(reading: _Reading, source: str) -> Items:
    """Gather the records of a source.

    Raises:
        ItemsError: there are none or too many, they are of different kinds, or an id occurs twice.
    """
    ids: list[str] = []
    amounts: list[float] = []
    sizes: list[float] = []
    groups: list[str | None] = []
    first: Record | None = None
    for record in reading.records:
        first = first or record
        if record.kind != first.kind:
            raise items_error(source, record.place, f"it has {_fields(record)}, but {first.place} {_fields(first)}")
        if (record.group is None) != (first.group is None):
            has = "no group" if record.group is None else "a group"
            raise items_error(source, record.place, f"it has {has}, unlike {first.place}")
        if len(ids) == MAX_ITEMS:
            raise items_error(source, record.place, f"there are more than {MAX_ITEMS:,} items")
        ids.append(record.id)
        amounts.append(record.amount)
        sizes.append(record.size)
        groups.append(record.group)
    if first is None:
        raise ItemsError(f"{one_line(source)} holds no items.")
    if len({*ids}) < len(ids):
        doubled = [name for name, times in Counter(ids).items() if times > 1]
        occur = f"{counted(len(doubled), 'id')} {'occurs' if len(doubled) == 1 else 'occur'}"
        raise ItemsError(f"{one_line(source)}: {occur} more than once: {some_names(doubled)}.")
    return Items(
        source,
        first.kind,
        reading.metric or ("error_rate" if first.kind == "errors" else "mean"),
        tuple(ids),
        np.array(amounts),
        np.array(sizes),
        None if first.group is None else tuple(group for group in groups if group is not None),
        group_noun(first.group_column),
    )


def _fields(record: Record) -> str:
    return "errors and n" if record.kind == "errors" else "a value"


def _texts(records: Iterable[Record], wanted: Collection[str]) -> dict[str, ItemTexts]:
    return {record.id: ItemTexts(record.reference, record.hypothesis) for record in records if record.id in wanted}

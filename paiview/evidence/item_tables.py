"""The rows of JSON Lines, CSV and rows in memory as records."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from paiview.evidence.item_lines import NumberedLine
from paiview.evidence.item_records import Columns, Record, columns_of, items_error, record

_DELIMITERS: Final = (",", "\t", ";")


def json_records(lines: Iterable[NumberedLine], source: str, group: str | None = None) -> Iterator[Record]:
    """The items of JSON Lines: one object a line; blank lines do not count.

    Args:
        lines: the lines of the file.
        source: its name, for errors.
        group: the column of the groups; by default the one with a known name.

    Raises:
        ItemsError: a line is no JSON object, or a field is missing or cannot have its value.
    """
    rows = ((f"line {number}", _object(line, source, number)) for number, line in lines if line.strip())
    return row_records(rows, source, group)


def row_records(
    rows: Iterable[tuple[str, Mapping[str, Any]]], source: str, group: str | None = None, *, is_text: bool = False
) -> Iterator[Record]:
    """The items of rows.

    Args:
        rows: the place of each row, and its fields by column.
        source: the name of the file, for errors.
        group: the column of the groups; by default the one with a known name.
        is_text: whether numbers are texts, as in CSV.

    Raises:
        ItemsError: a field is missing or cannot have its value.
    """
    names: tuple[str, ...] | None = None
    columns: Columns | None = None
    for place, row in rows:
        try:
            if columns is None or tuple(row) != names:
                names = tuple(row)
                columns = columns_of(names, group)
            item = record(row, columns, place, is_text=is_text)
        except ValueError as error:
            raise items_error(source, place, str(error)) from None
        yield item


def csv_records(lines: Iterable[NumberedLine], source: str, group: str | None = None) -> Iterator[Record]:
    """The items of CSV with a header; a tab or a semicolon may stand in place of the comma.

    Args:
        lines: the lines of the file from the header on.
        source: its name, for errors.
        group: the column of the groups; by default the one with a known name.

    Raises:
        ItemsError: the file is not CSV, or a field is missing or cannot have its value.
    """
    return row_records(_csv_rows(lines, source), source, group, is_text=True)


def _csv_rows(lines: Iterable[NumberedLine], source: str) -> Iterator[tuple[str, dict[str, str]]]:
    last = 0
    delimiter = ","

    def texts() -> Iterator[str]:
        nonlocal last, delimiter
        for number, line in lines:
            last = number
            yield line

    texts_left = texts()
    header_line = next(texts_left, "")
    delimiter = max(_DELIMITERS, key=header_line.count)
    rows = csv.reader(_with_first(header_line, texts_left), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    first = last
    try:
        for row in rows:
            place = f"line {first}" if first == last else f"lines {first} to {last}"
            first = last + 1
            if not row:
                continue
            if header is None:
                header = row
                if len({*header}) < len(header):
                    raise items_error(source, place, "a column occurs twice")
            elif len(row) != len(header):
                raise items_error(source, place, f"it has {len(row)} fields, but the header has {len(header)}")
            else:
                yield place, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise items_error(source, f"line {max(first, 1)}", f"it is not valid CSV: {error}") from None


def _with_first(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _object(line: str, source: str, number: int) -> Mapping[str, Any]:
    try:
        row = json.loads(line, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise items_error(source, f"line {number}", f"it is not JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise items_error(source, f"line {number}", f"it cannot be read: {error}") from None
    if not isinstance(row, dict):
        raise items_error(source, f"line {number}", "it is not a JSON object")
    return row


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different.

    Raises:
        ValueError: two are the same: which value counts is not known.
    """
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a name occurs twice")
    return row

"""Frames as files to download: CSV for spreadsheets, JSON for programs, Parquet for notebooks."""

import csv
import io
import json
import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import pandas as pd

from paiview.text import file_name

_BLANK = r"\s\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_SIGN = r"[=+\-@＝＋－＠﹦﹢﹣﹫]"
_FORMULA = re.compile(rf"[{_BLANK}]*{_SIGN}|[\t\r]")
_BEFORE_CELL = re.compile(rf"([;{_BLANK}\"]+)({_SIGN}?)")
"""Where a spreadsheet splits at semicolons or tabs, as it does in half of Europe, a cell may begin after these.

Each run is matched as a whole, whatever follows, so that the search takes linear time.
"""
_SPLITTING = frozenset(";\t\r\n")


class TableFile(NamedTuple):
    """A table as a file.

    Attributes:
        form: ``CSV``, ``JSON`` or ``Parquet``.
        name: the file's name.
        mime: the media type.
        build: writes the file.
    """

    form: str
    name: str
    mime: str
    build: Callable[[], bytes]


def files_of(table: Callable[[], pd.DataFrame], *name: str) -> list[TableFile]:
    """The files that one table can be taken along as: the same rows and columns in each.

    Args:
        table: makes the table, when a file is built.
        name: the parts of the file's name, such as the model and ``versions``. A part that the text before it ends
            with is left out, so that no name says it twice.
    """
    parts: list[str] = []
    for part in name:
        said = "-".join(parts)
        if said != part and not said.endswith(f"-{part}"):
            parts.append(part)
    return [
        TableFile(form, file_name(*parts, ending=ending), mime, partial(_written, table, write))
        for form, ending, mime, write in _FORMS
    ]


def _written(table: Callable[[], pd.DataFrame], write: Callable[[pd.DataFrame], bytes]) -> bytes:
    return write(table())


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """CSV in UTF-8 with a byte order mark, so that spreadsheets read Chinese; without the index.

    Texts and headers that a spreadsheet would run as a formula get a leading apostrophe: those that begin with
    ``=``, ``+``, ``-``, ``@``, a tab or a carriage return, also in full width or after blanks; inside of a text these
    signs get one after a semicolon, a tab or a line break, where another cell may begin. Numbers stay numbers;
    everything else is quoted, for a bare carriage return would begin a new row, and with it a new cell.
    """
    columns = {at: [_cell(value) for value in frame.iloc[:, at]] for at in range(frame.shape[1])}
    safe = pd.DataFrame(columns, index=range(len(frame)), dtype=object)
    header = [_harmless(str(name)) for name in frame.columns]
    return safe.to_csv(index=False, header=header, quoting=csv.QUOTE_NONNUMERIC).encode("utf-8-sig", "backslashreplace")


def json_bytes(frame: pd.DataFrame) -> bytes:
    """A JSON array with one object a row: null where there is no value, ISO 8601 times, numbers to the last digit."""
    names = [str(name) for name in frame.columns]
    columns = [[_plain(value) for value in frame.iloc[:, at]] for at in range(frame.shape[1])]
    records = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return json.dumps(records, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """Parquet that pandas reads back with the same columns and dtypes (categories that nothing holds have no type)."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow")
    return buffer.getvalue()


_FORMS: Final = (
    ("CSV", "csv", "text/csv", csv_bytes),
    ("JSON", "json", "application/json", json_bytes),
    ("Parquet", "parquet", "application/vnd.apache.parquet", parquet_bytes),
)


def _harmless(text: str) -> str:
    return ("'" if _FORMULA.match(text) else "") + _BEFORE_CELL.sub(_with_harmless_sign, text)


def _with_harmless_sign(match: re.Match[str]) -> str:
    run, sign = match.groups()
    return f"{run}'{sign}" if sign and not _SPLITTING.isdisjoint(run) else match[0]


def _cell(value: Any) -> Any:
    plain = _plain(value)
    return _harmless(plain) if isinstance(plain, str) else plain


def _plain(value: Any) -> Any:
    """A cell as a JSON value: missing values and infinities are ``None``, times are texts."""
    if isinstance(value, pd.Timestamp):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        return value
    if pd.isna(value) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if hasattr(value, "item") else value

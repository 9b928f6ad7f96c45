"""What commands print: text, tables, JSON and CSV on stdout, notes and errors on stderr."""

import json
import os
import re
import sys
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import typer
from pydantic_core import from_json, to_json

from paiview.pai.errors import PaiviewError, error_text
from paiview.text import one_line, strip_controls

if TYPE_CHECKING:
    import pandas as pd

_TRUE_MINUS: Final = re.compile(r"(?:(?<![^\s(])|(?<=[0-9]e))−(?=[0-9])")
"""The minus sign of a number or of its exponent, not a dash in a text."""
_NOTE_CHARACTERS: Final = 800


class OutputError(PaiviewError):
    """Standard output cannot be written, for example because the disk is full."""


def print_text(text: str | bytes = "", *, newline: bool = True) -> None:
    """Write to stdout.

    Raises:
        OutputError: the device refuses the text.
        BrokenPipeError: the reader has left; typer ends the command without a message.
    """
    try:
        typer.echo(text, nl=newline)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise unwritable(error) from None


def print_table(header: Sequence[str], rows: Sequence[Sequence[str | None]], max_cell_width: int = 60) -> None:
    """Print rows in columns, each as wide as its widest cell; ``max_cell_width`` is in characters."""
    cells = [header, *([_cell(cell, max_cell_width) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        print_text("  ".join(padded).rstrip())


def _cell(text: str | None, limit: int) -> str:
    """A cell on one line; numbers get the minus sign that other programs read, unless a person reads the table."""
    line = one_line(text or "", limit)
    return line if sys.stdout.isatty() else _TRUE_MINUS.sub("-", line)


def _width(text: str) -> int:
    """The columns that a text takes in a terminal: Chinese characters take two, combining accents none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def print_tree(tree: object) -> None:
    """Print JSON in ASCII: a terminal obeys no character of the registry's."""
    # JSON has no NaN; as a string no value is lost.
    print_text(json.dumps(from_json(to_json(tree, inf_nan_mode="strings")), indent=2))


def print_frame(frame: "pd.DataFrame") -> None:
    """Print a frame as CSV, without its index."""
    from paiview.reports.table_files import csv_bytes  # noqa: PLC0415

    print_csv(csv_bytes(frame))


def print_csv(content: bytes) -> None:
    """Print CSV without byte order mark, for the next program, and without control characters, for the terminal."""
    print_text(strip_controls(content.decode("utf-8-sig")).encode(), newline=False)


def print_note(sentence: str) -> None:
    """Print on stderr what a reader should know beside the result."""
    typer.echo(one_line(sentence, _NOTE_CHARACTERS), err=True)


def print_error(error: PaiviewError) -> None:
    """Print an error and its advice on one line of stderr."""
    typer.echo(f"error: {error_text(error, one_line)}", err=True)


def unwritable(error: OSError) -> OutputError:
    """What a failed write to stdout is called."""
    return OutputError(f"The output cannot be written: {error.strerror}.")


def discard_output() -> None:
    """Drop the text that stdout still buffers: at the end Python would try to write it, and fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

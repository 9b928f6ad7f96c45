"""The lines of an item file, read one at a time in bounded memory."""

from collections.abc import Iterator
from itertools import count
from typing import BinaryIO, Final

from paiview.evidence.item_records import items_error
from paiview.text import decoded

MAX_LINE_BYTES: Final = 1_000_000
NumberedLine = tuple[int, str]
"""The number of a line, from 1, and its text with the line break."""


def numbered_lines(file: BinaryIO, source: str) -> Iterator[NumberedLine]:
    """The lines of a file in UTF-8, with or without a byte order mark.

    Args:
        file: the file.
        source: its name, for errors.

    Raises:
        ItemsError: a line is longer than ``MAX_LINE_BYTES``, or in another encoding.
    """
    for number in count(1):
        content = file.readline(MAX_LINE_BYTES + 1)
        if not content:
            return
        if len(content) > MAX_LINE_BYTES:
            raise items_error(source, f"line {number}", f"it is longer than {MAX_LINE_BYTES:,} bytes")
        try:
            yield number, decoded(content) if number == 1 else content.decode("utf-8")
        except UnicodeDecodeError:
            raise items_error(source, f"line {number}", "it is not in UTF-8") from None
        except ValueError as error:
            raise items_error(source, f"line {number}", str(error)) from None

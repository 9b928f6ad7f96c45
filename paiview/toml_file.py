"""The paiview.toml in use, and where each key of it stands, so that what is wrong can be named with its line."""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from paiview.pai.errors import SettingError

KeyPath = tuple[str | int, ...]
"""The keys that lead to a value; an integer is a place in an array."""
_ARRAY_HEADER: Final = "[["


def file_in_use() -> Path:
    """The paiview.toml in use, whether or not it exists."""
    return Path(os.environ.get("PAIVIEW_CONFIG") or "paiview.toml")


def content_in_use() -> bytes | None:
    """What the paiview.toml in use holds; ``None`` when there is none.

    Raises:
        SettingError: PAIVIEW_CONFIG names no file, or it cannot be read.
    """
    named = os.environ.get("PAIVIEW_CONFIG")
    if named and not Path(named).is_file():
        raise SettingError(f"PAIVIEW_CONFIG names {named}, which is not a file.")
    return read(file_in_use())


def read(file: Path) -> bytes | None:
    """The content of a file; ``None`` when there is none.

    Raises:
        SettingError: it cannot be read.
    """
    try:
        return file.read_bytes() if file.is_file() else None
    except OSError as error:
        raise SettingError(f"{file} cannot be read: {error.strerror}.") from None


def parse(content: bytes, file: Path) -> dict[str, Any]:
    """Read TOML.

    Raises:
        SettingError: it is not TOML; the sentence names the file, and the line as the parser tells it.
    """
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise SettingError(f"{file} is not valid TOML: {error}.") from None


def is_table(value: object) -> bool:
    """Whether a value is a table or an array with tables in it."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def lines(content: bytes) -> dict[KeyPath, int]:
    """The line on which each table, key and array element of valid TOML begins, from 1.

    The parser tells no lines, but it knows where a statement ends: lines are put together until they parse, and what
    they say then stands where the first of them does. What is inside of one value stands where its statement does.
    """
    found: dict[KeyPath, int] = {}
    elements: dict[KeyPath, int] = {}
    table: KeyPath = ()
    pending, start = "", 1
    for number, line in enumerate(content.decode().replace("\r\n", "\n").split("\n"), 1):
        if not pending:
            start = number
        pending += f"{line}\n"
        try:
            statement = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue
        header = pending.lstrip()
        if header.startswith("["):
            table = _table(statement, elements, is_array=header.startswith(_ARRAY_HEADER))
            inside: Iterator[KeyPath] = (table[:depth] for depth in range(1, len(table) + 1))
        else:
            inside = (table + path for path in _paths(statement))
        for path in inside:
            found.setdefault(path, start)
        pending = ""
    return found


def _table(header: dict[str, Any], elements: dict[KeyPath, int], *, is_array: bool) -> KeyPath:
    """The path a header opens; ``elements`` counts the elements of each array of tables so far."""
    names: list[str] = []
    node: Any = header
    while isinstance(node, dict) and node:
        ((name, node),) = node.items()
        names.append(name)
    path: KeyPath = ()
    for depth, name in enumerate(names, 1):
        path += (name,)
        if is_array and depth == len(names):
            elements[path] = elements.get(path, 0) + 1
        if path in elements:
            path += (elements[path] - 1,)
    return path


def _paths(node: Any) -> Iterator[KeyPath]:
    """The path of everything inside a value."""
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (key,)
        yield from ((key, *path) for path in _paths(value))

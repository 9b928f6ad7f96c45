"""The paiview.toml in use: where it is, what it holds, and how a wrong value in it is worded."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomli_w

from paiview.pai.errors import SettingError
from paiview.text import decoded, escape_toml

_SUBJECT_SHOULD: Final = re.compile(r"\w+ should ")


def file_in_use() -> Path:
    """The path of the paiview.toml in use, whether or not it exists."""
    return Path(os.environ.get("PAIVIEW_CONFIG") or "paiview.toml")


def content_in_use() -> bytes | None:
    """The content of the paiview.toml in use; ``None`` when there is no such file.

    Raises:
        SettingError: PAIVIEW_CONFIG names a file that does not exist, or the file cannot be read.
    """
    configured = os.environ.get("PAIVIEW_CONFIG")
    if configured and not Path(configured).is_file():
        raise SettingError(f"PAIVIEW_CONFIG names {configured}, which is not a file.")
    return read(file_in_use())


def read(file: Path) -> bytes | None:
    """The content of a file; ``None`` when it does not exist.

    Raises:
        SettingError: the file cannot be read.
    """
    try:
        return file.read_bytes() if file.is_file() else None
    except OSError as error:
        raise SettingError(f"{file} cannot be read: {error.strerror}.") from None


def parse(content: bytes, file: Path) -> dict[str, Any]:
    """Parse TOML, which may begin with a byte order mark.

    Raises:
        SettingError: the content is not TOML; the sentence names the file and the parser's line and column.
    """
    try:
        return tomllib.loads(decoded(content))
    except (ValueError, RecursionError) as error:
        problem = f"is not valid TOML: {error}."
        raise SettingError(f"{file} {problem}", for_readers=f"{file.name} {problem}") from None


def written(tables: Mapping[str, Any]) -> str:
    """Tables as lines of TOML that hide no character, without a line break at the end."""
    return escape_toml(tomli_w.dumps(tables).strip())


def is_table(value: object) -> bool:
    """Whether a value is a table or an array that holds tables."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def requirement(message: str) -> str:
    """A message of pydantic as a predicate, without the full stop.

    >>> requirement("Input should be a valid string")
    'must be a valid string'
    """
    text = message.removeprefix("Value error, ").removesuffix(".")
    if match := _SUBJECT_SHOULD.match(text):
        return f"must {text[match.end() :]}"
    return text if text.startswith("must ") else f"is not usable: {text[:1].lower()}{text[1:]}"

"""Shell-style patterns of names, in paiview.toml and in rules of the policy."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Final, Generic, TypeVar

_WILDCARDS: Final = re.compile(r"[*?\[]")
_TableT = TypeVar("_TableT")


def has_wildcard(pattern: str) -> bool:
    """Whether a pattern can match other names than its own."""
    return bool(_WILDCARDS.search(pattern))


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern matches a name, case-sensitively. A name always matches itself, brackets and all."""
    return pattern in ("*", name) or bool(_compiled(pattern).match(name))


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


class NamedTables(Generic[_TableT]):
    """Tables of a file, each for a name or a pattern of names.

    Args:
        tables: by name or pattern, in the order of the file.
    """

    def __init__(self, tables: Mapping[str, _TableT]) -> None:
        self.tables = tables
        self._patterns = [name for name in tables if has_wildcard(name)]

    def of(self, *names: str) -> Iterator[_TableT]:
        """The tables that apply to an object: those of its names, then those whose pattern matches one of them."""
        exact = [name for name in dict.fromkeys(names) if name in self.tables]
        yield from (self.tables[name] for name in exact)
        for pattern in self._patterns:
            if pattern not in exact and any(matches(pattern, name) for name in names):
                yield self.tables[pattern]

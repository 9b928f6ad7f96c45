"""One item of an evaluation as a record: which fields it may have, under which names, and which numbers are right."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from paiview.pai.errors import PaiviewError
from paiview.text import one_line

Kind = Literal["errors", "value"]
"""What the items are scored with: errors out of n, whose ratio of sums is the metric, or a value, whose mean is it."""

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "utt", "utt_id", "utterance", "utterance_id", "item", "item_id", "key"),
    "errors": ("errors", "edits", "num_errors", "word_errors", "char_errors"),
    "n": ("n", "words", "ref_words", "nwords", "num_words", "chars", "ref_chars", "tokens"),
    "value": ("value", "score", "correct"),
    "group": ("group", "speaker", "speaker_id", "spk", "conversation", "conversation_id", "session", "session_id"),
    "reference": ("reference", "ref", "lab"),
    "hypothesis": ("hypothesis", "hyp", "rec", "prediction", "pred"),
}
"""The names of each field, its own name first. Case does not matter, and ``-`` or a blank stands for ``_``."""
_TEXTS: Final = ("reference", "hypothesis")
_GROUP_NOUNS: Final = ("speaker", "spk", "conversation", "session")
_MAX_NUMBER_CHARACTERS: Final = 400
_MAX_SHOWN: Final = 10**15
_MAX_NAMES: Final = 8
"""Names of columns in a sentence."""


class ItemsError(PaiviewError):
    """Item files cannot be read, or do not belong together."""

    advice = "docs/significance.md describes the files."


class Record(NamedTuple):
    """One item as its file has it.

    Attributes:
        place: where it stands, such as ``line 7``.
        kind: what it is scored with.
        id: its name, the same in the files of both versions.
        amount: its errors, or its value.
        size: what the errors are counted in, such as words of the reference; 1 for a value.
        group: the speaker, conversation or the like that it belongs to; ``None`` without groups.
        reference: what would be right, where the file has it.
        hypothesis: what the version made of it, where the file has it.
        group_column: the column of the group.
    """

    place: str
    kind: Kind
    id: str
    amount: float
    size: float
    group: str | None = None
    reference: str = ""
    hypothesis: str = ""
    group_column: str | None = None


class Columns(NamedTuple):
    """The columns of a row, by field, as the file spells them; ``None`` for a field that it lacks."""

    id: str
    errors: str | None
    n: str | None
    value: str | None
    group: str | None
    reference: str | None
    hypothesis: str | None


def items_error(source: str, place: str, problem: str) -> ItemsError:
    """The error of a file, with the place in it."""
    return ItemsError(f"{one_line(source)}, {place}: {problem}.")


def columns_of(names: Sequence[str], group: str | None = None) -> Columns:
    """The column of each field.

    Args:
        names: the columns of a row.
        group: the column that holds the group; by default the one with a known name, if there is one.

    Raises:
        ValueError: a field that is needed is missing, or two columns could be the same field.
    """
    by_name: dict[str, str] = {}
    for name in names:
        plain = _plain(name)
        if plain in by_name:
            raise ValueError(f"two columns are named {one_line(plain, 60)}")
        by_name[plain] = name
    column_of = {field: _column(field, by_name) for field in SYNONYMS if field != "group"}
    if (item_id := column_of["id"]) is None:
        raise ValueError(f"there is no id; the columns are {_listed(names)}")
    has_ratio = column_of["errors"] is not None and column_of["n"] is not None
    if not has_ratio and column_of["value"] is None:
        lacking = [field for field in ("errors", "n") if column_of[field] is None]
        what = f"there is no {lacking[0]}" if len(lacking) == 1 else "there are neither errors and n nor a value"
        raise ValueError(f"{what}; the columns are {_listed(names)}")
    return Columns(
        item_id,
        errors=column_of["errors"] if has_ratio else None,
        n=column_of["n"] if has_ratio else None,
        value=None if has_ratio else column_of["value"],
        group=_group_column(by_name, group),
        reference=column_of["reference"],
        hypothesis=column_of["hypothesis"],
    )


def record(row: Mapping[str, Any], columns: Columns, place: str, *, is_text: bool = False) -> Record:
    """A row as a record.

    Args:
        row: the fields by column.
        columns: which column is which field.
        place: where the row stands.
        is_text: whether numbers are texts, as in CSV.

    Raises:
        ValueError: a field has a value that it cannot have; the message names the field.
    """
    if columns.errors is not None and columns.n is not None:
        kind: Kind = "errors"
        amount = _count(row[columns.errors], columns.errors, is_text=is_text)
        size = _count(row[columns.n], columns.n, is_text=is_text)
    else:
        name = columns.value or ""
        kind, amount, size = "value", _value(row[name], name, is_text=is_text), 1.0
    return Record(
        place,
        kind,
        _name(row[columns.id], columns.id),
        amount,
        size,
        None if columns.group is None else _name(row[columns.group], columns.group),
        _text(row, columns.reference),
        _text(row, columns.hypothesis),
        columns.group,
    )


def group_noun(column: str | None) -> str:
    """What a group is called in a sentence: ``speaker``, ``conversation`` or ``session`` by its column, else ``group``.

    >>> group_noun("Speaker_ID")
    'speaker'
    """
    plain = _plain(column or "").removesuffix("_id")
    return ("speaker" if plain == "spk" else plain) if plain in _GROUP_NOUNS else "group"


def _plain(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


def _column(field: str, by_name: Mapping[str, str]) -> str | None:
    """The column of a field: the one with its own name, else the only one with another name of it."""
    present = [name for name in SYNONYMS[field] if name in by_name]
    if len(present) > 1 and present[0] != field and field not in _TEXTS:
        raise ValueError(f"{_listed(present)} could each be the {field}; name the right one {field}")
    return by_name[present[0]] if present else None


def _group_column(by_name: Mapping[str, str], group: str | None) -> str | None:
    if group is None:
        try:
            return _column("group", by_name)
        except ValueError:
            present = [name for name in SYNONYMS["group"] if name in by_name]
            raise ValueError(f"{_listed(present)} could each be the group; choose one with --group") from None
    column = by_name.get(_plain(group))
    if column is None:
        raise ValueError(f"there is no column {one_line(group, 60)}; the columns are {_listed([*by_name.values()])}")
    return column


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join([*(one_line(name, 40) for name in names[:_MAX_NAMES]), *([f"{more} more"] if more > 0 else [])])


def _name(value: Any, column: str) -> str:
    """An id or the name of a group: a text or a whole number."""
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{one_line(column, 60)} must be a text or a whole number, but is {_shown(value)}")


def _text(row: Mapping[str, Any], column: str | None) -> str:
    value = None if column is None else row[column]
    return value if isinstance(value, str) else "" if value is None else str(value)


def _count(value: Any, column: str, *, is_text: bool) -> float:
    number = _number(value, is_text=is_text)
    if number is None or number < 0 or isinstance(value, bool):
        raise ValueError(f"{one_line(column, 60)} must be a number of at least 0, but is {_shown(value)}")
    return number


def _value(value: Any, column: str, *, is_text: bool) -> float:
    if is_text and isinstance(value, str) and value.strip().casefold() in ("true", "false"):
        return float(value.strip().casefold() == "true")
    number = _number(value, is_text=is_text)
    if number is None:
        raise ValueError(f"{one_line(column, 60)} must be a finite number, but is {_shown(value)}")
    return number


def _number(value: Any, *, is_text: bool) -> float | None:
    """A finite number; ``None`` for anything else."""
    if is_text and isinstance(value, str):
        if len(value) > _MAX_NUMBER_CHARACTERS or "_" in value:
            return None
    elif not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _shown(value: Any) -> str:
    """A value in a sentence; of a large one only what it is."""
    if isinstance(value, str):
        return f"“{one_line(value, 40)}”" if value.strip() else "empty"
    if value is None:
        return "null"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, int) and abs(value) > _MAX_SHOWN:
        return "a number too large"
    return str(value).lower()

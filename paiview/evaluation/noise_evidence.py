"""What a version's Metrics say about the noise in its numbers: paired comparisons, and the spread of each number.

A result may hold ``Paired`` beside ``Metrics``: by metric, an entry or a list of entries, each the interval of the
change from one baseline, made on the items that both versions ran on (docs/significance.md). The spread of a number is
a metric of its own in the same result: ``acc_stderr,none`` beside ``acc,none``, or ``wer_ci_low`` and ``wer_ci_high``
beside ``wer``.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from paiview.text import encodable, json_text, one_line

STATE_LEVEL: Final = 0.95
"""The level of the interval that states follow, and of an entry that gives none."""
MIN_DECIDING_GROUPS: Final = 20
"""Fewer groups inform and do not decide, whatever the interval is."""
_MAX_ENTRIES: Final = 64
"""Entries read of one metric. PAI's 8,192 bytes of Metrics have room for about as many."""
_MAX_NAME: Final = 1024
"""Characters of the name of a version or model in an entry."""
_MAX_SHOWN: Final = 160
_COUNTS: Final = range(1, 2**63)


class PairedEntry(NamedTuple):
    """The interval of the change from one baseline, at one level, in the numbers that are registered.

    Attributes:
        baseline: the VersionName of the baseline.
        model: its ModelId; ``None`` for the candidate's own model.
        change: candidate minus baseline; of distances from the target where ``is_distance``.
        low, high: the interval of the change, which holds ``change``.
        level: its confidence, a share such as 0.95.
        is_distance: whether ``change`` is that of the distance from the metric's target.
        n: how many items were compared; ``None`` where it is not given.
        groups: how many groups of items were drawn from; ``None`` where it is not given.
    """

    baseline: str
    model: str | None
    change: float
    low: float
    high: float
    level: float = STATE_LEVEL
    is_distance: bool = False
    n: int | None = None
    groups: int | None = None


class Spread(NamedTuple):
    """How far a number may be off by itself: its standard error, or the ends of its interval of 95 %."""

    stderr: float | None = None
    low: float | None = None
    high: float | None = None


def read_entries(value: Any) -> tuple[tuple[PairedEntry, ...], list[str]]:
    """The entries of one metric in ``Paired``, and a sentence without a subject for each that is none.

    One object is read as a list of one. What is not understood informs nothing; nothing is raised, whatever it is.
    """
    items = [value] if isinstance(value, dict) else value
    if not isinstance(items, list):
        return (), [f" is no list of entries: {_shown(value)}"]
    entries: dict[PairedEntry, None] = {}
    problems: list[str] = []
    for index, item in enumerate(items[:_MAX_ENTRIES]):
        where = f"[{index}]" if isinstance(value, list) else ""
        entry = _entry(item)
        if isinstance(entry, str):
            problems.append(f"{where} {entry}: {_shown(item)}")
        else:
            entries[entry] = None
    if len(items) > _MAX_ENTRIES:
        problems.append(f" has {len(items):,} entries, of which the first {_MAX_ENTRIES} are read")
    return tuple(entries), problems


def entries_text(entries: Iterable[PairedEntry]) -> str:
    """Entries as the JSON that is registered, without what made them."""
    return json_text(
        [
            {name: value for name, value in entry._asdict().items() if name != "is_distance"}
            | ({"of": "distance"} if entry.is_distance else {})
            for entry in entries
        ]
    )


def spread_of(name: str, values: Mapping[str, float]) -> Spread | None:
    """The spread of a metric among the numbers of its result; ``None`` without one that can be used.

    A standard error goes before an interval. A standard deviation is neither.

    Args:
        name: the metric as the result names it, with its filter: ``acc,none``.
        values: the numbers of the result by the names of their metrics.
    """
    stem, comma, decoding = name.partition(",")
    stderr = values.get(f"{stem}_stderr{comma}{decoding}")
    if stderr is not None and math.isfinite(stderr) and stderr >= 0:
        return Spread(stderr=stderr)
    value = values[name]
    low, high = (values.get(f"{stem}_ci_{end}{comma}{decoding}", math.nan) for end in ("low", "high"))
    # NaN is in no order, so that an interval without an end is none.
    return Spread(low=low, high=high) if low <= value <= high and math.isfinite(high - low) else None


def may_hold_spread(name: str) -> bool:
    """Whether a metric of this name may be the spread of another one."""
    return "_stderr" in name or "_ci_" in name


def _entry(item: Any) -> PairedEntry | str:
    """An entry, or why it is none."""
    if not isinstance(item, dict):
        return "is no entry"
    baseline, model = item.get("baseline"), item.get("model")
    if not isinstance(baseline, str) or not 0 < len(baseline) <= _MAX_NAME:
        return "names no baseline"
    if model is not None and (not isinstance(model, str) or not 0 < len(model) <= _MAX_NAME):
        return "names a model that is no text"
    numbers = [_number(item.get(name)) for name in ("change", "low", "high")]
    if None in numbers:
        return "needs the numbers change, low and high"
    change, low, high = (number for number in numbers if number is not None)
    if low > high:
        return "has low above high"
    if not low <= change <= high:
        return "has a change outside of its interval"
    level = STATE_LEVEL if item.get("level") is None else _number(item["level"])
    if level is None or not 0 < level < 1:
        return "has a level that is not between 0 and 1"
    counts = [item.get(name) for name in ("n", "groups")]
    if any(count is not None and (type(count) is not int or count not in _COUNTS) for count in counts):
        return "has n or groups that count nothing"
    if item.get("of") not in (None, "distance"):
        return 'has an "of" that is not "distance"'
    return PairedEntry(
        encodable(baseline),
        None if model is None else encodable(model),
        change,
        low,
        high,
        level,
        item.get("of") == "distance",
        *counts,
    )


def _number(value: Any) -> float | None:
    """A finite JSON number; a text is none here, for nobody writes evidence by hand."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _shown(value: Any) -> str:
    return one_line(json_text(value), _MAX_SHOWN)

"""A significance in words, for readers who need not know statistics."""

import math
from typing import TYPE_CHECKING, Final

from paiview.evaluation.metric_meaning import display_digits, format_value
from paiview.text import one_line

if TYPE_CHECKING:
    from paiview.evidence.finding import Significance, State

_ANSWERS: Final[dict["State", str]] = {
    "better": "Better, and hardly by chance.",
    "worse": "Worse, and hardly by chance.",
    "changed": "Different, and hardly by chance. Whether that is better is not known: say --lower or --higher.",
    "unclear": "Too close to call: the difference may be chance.",
    "same": "No difference on these items.",
}
_HINTS: Final[dict["State", str]] = {
    "better": "better",
    "worse": "worse",
    "changed": "different",
    "unclear": "too close to call",
    "same": "no difference",
}
_SETTLING_FACTOR: Final = 2.04
"""((1.96 + 0.84) / 1.96)²: so many times the groups show a difference as large as a half-width with 80 % chance."""
_MAX_GROUPS_FACTOR: Final = 20
"""More groups than this many times those there are count as out of reach."""
_UNPAIRED_ITEMS: Final = (
    "Each item counts as independent of all others. If several come from one speaker, conversation or document, name "
    "that as the group: without it the interval is too narrow."
)
_TRAINING: Final = (
    "This is about the choice of test items. It does not cover training: a second run of the same training may differ "
    "by more."
)
_MIN_T_P: Final = 0.0001
_ROUNDING: Final = 1e-9


def sentences_of(found: "Significance") -> list[str]:
    """The result in sentences: the answer, the numbers, the interval, p, and what it does not cover."""
    return [
        _answer(found),
        numbers_sentence(found),
        _interval_sentence(found),
        _chance_sentence(found),
        *_settling_sentence(found),
        *([_UNPAIRED_ITEMS] if found.items.labels is None else []),
        _TRAINING,
    ]


def numbers_sentence(found: "Significance") -> str:
    """Both numbers, the change and how many items it rests on."""
    digits = value_digits(found)
    values = [format_value(value, digits) for value in (found.baseline, found.candidate)]
    change = format_value(found.change, digits, signed=True)
    way = f", {text}" if (text := _gain_text(found)) else ""
    of = "" if found.target is None else f" in the distance from {found.target:g}"
    items = counted_groups(found, of_items=True)
    return f"{one_line(found.metric, 60)} went from {values[0]} to {values[1]} ({change}{of}{way}) on {items}."


def counted_groups(found: "Significance", *, of_items: bool = False) -> str:
    """How many groups there are: ``250 conversations``, or with the items ``4,240 items of 250 conversations``."""
    items = f"{found.n:,} items"
    if found.items.labels is None:
        return items
    groups = f"{found.groups:,} {found.items.group_noun}s"
    return f"{items} of {groups}" if of_items else groups


def value_digits(found: "Significance") -> int:
    """Decimals of all numbers: those that give the half-width of the interval two significant digits."""
    half = (found.intervals[0].high - found.intervals[0].low) / 2
    if half <= 0 or not math.isfinite(half):
        return display_digits([found.baseline, found.candidate])
    return min(12, max(0, 1 - math.floor(math.log10(half))))


def p_text(p: float, bound: float) -> str:
    """A p with three decimals, or four where it is small; below what can be told, ``p < 0.0001``.

    Args:
        p: the probability.
        bound: the smallest that can be told: no draw of ``1 / bound`` fell on the other side.
    """
    if p < bound:
        digits = math.ceil(-math.log10(bound) - _ROUNDING)
        return f"p < {math.ceil(bound * 10**digits - _ROUNDING) / 10**digits:.{digits}f}"
    return f"p = {p:.{4 if p < 0.01 else 3}f}"


def groups_to_settle(groups: int, half_width: float, gap: float) -> int | None:
    """How many more groups would show a difference with 80 % chance, if it stays as it is.

    Args:
        groups: how many there are.
        half_width: half of the 95 % interval.
        gap: the size of the difference to show.

    Returns:
        The number with two significant digits; ``None`` if more than 20 times the groups would be needed in all.
    """
    if gap <= 0 or half_width > gap * math.sqrt(_MAX_GROUPS_FACTOR / _SETTLING_FACTOR):
        return None
    more = max(1, math.ceil(_SETTLING_FACTOR * groups * (half_width / gap) ** 2 - groups))
    unit: int = 10 ** max(0, len(str(more)) - 2)
    return math.ceil(more / unit) * unit


def _answer(found: "Significance") -> str:
    if found.decides:
        return _ANSWERS[found.state]
    return f"{counted_groups(found)} are too few to decide; at least 20 are needed. The hint: {_HINTS[found.state]}."


def _gain_text(found: "Significance") -> str:
    """How much better or worse that is, as a share of the baseline."""
    base = abs(found.baseline if found.target is None else found.baseline - found.target)
    if not base or not found.change:
        return ""
    share = f"{abs(found.change) / base:.1%}".replace("%", " %")
    if found.direction is None:
        return f"{share} {'lower' if found.change < 0 else 'higher'}"
    return f"{share} {'better' if (found.change < 0) is (found.direction == 'lower') else 'worse'}"


def _interval_sentence(found: "Significance") -> str:
    level, low, high = found.intervals[0]
    digits = value_digits(found)
    ends = [format_value(end, digits, signed=True) for end in (low, high)]
    tail = {
        "better": "all of it better",
        "worse": "all of it worse",
        "changed": "which leaves out 0",
        "unclear": "which includes 0, no change at all",
        "same": "no change at all",
    }[found.state]
    confidence = f"With {level * 100:.10g} % confidence"
    return f"{confidence} the change over all such items is between {ends[0]} and {ends[1]}, {tail}."


def _chance_sentence(found: "Significance") -> str:
    if found.method == "t":
        how = "Under 50 groups, the interval is the change ± Student's t × its standard error"
        bounds = (_MIN_T_P, _MIN_T_P)
    else:
        how = f"{_share_of_draws(found)} {found.draws:,} random draws of the {counted_groups(found)}"
        bounds = (1 / found.draws, 2 / found.draws)
    side = found.p_not_better
    one_sided = "" if side is None else f"; one-sided {p_text(side, bounds[0])} that the candidate is not better"
    return f"{how}: two-sided {p_text(found.p, bounds[1])}{one_sided}."


def _share_of_draws(found: "Significance") -> str:
    word = "lower" if found.direction is None else "better"
    below = found.changes < 0
    ahead = below if found.direction in (None, "lower") else found.changes > 0
    count = int(ahead.sum())
    share = {0: "none", found.draws: "all"}.get(count, f"{count:,}")
    return f"The candidate is {word} in {share} of"


def _settling_sentence(found: "Significance") -> list[str]:
    _, low, high = found.intervals[0]
    if found.state != "unclear" or not found.change:
        return []
    noun = "item" if found.items.labels is None else found.items.group_noun
    more = groups_to_settle(found.groups, (high - low) / 2, abs(found.change))
    if more is None:
        return [f"So small a difference is out of reach: over 20 times as many {noun}s would be needed to settle it."]
    return [f"If the difference stays as it is, about {more:,} more {noun}{'s' if more > 1 else ''} would settle it."]

"""The evidence of noise in the change of one pair: which of it counts, and what it says in words.

Paired evidence stands with the candidate's number and is checked against both numbers, so that evidence about another
evaluation decides nothing. It is in the numbers that are registered: an alias moves it with its number, and where a
metric counts fractions times 100, it does so as the candidate's number does. The rules are those of docs/policy.md.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from paiview.decisions.decision import Paired
from paiview.decisions.exact import EXACT, ROUNDING, exact_decimal, nearest_float
from paiview.decisions.wording import share_text
from paiview.evaluation.metric_meaning import MetricContract, format_value, stored_number
from paiview.evaluation.metric_numbers import counted_number
from paiview.evaluation.noise_evidence import MIN_DECIDING_GROUPS, STATE_LEVEL, PairedEntry
from paiview.evaluation.results import Measurement
from paiview.evidence.sentences import groups_to_settle
from paiview.text import one_line

_Z: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
_RERUN_FACTOR: Final = Decimal("2.8")
"""1.96 × √2, rounded: 95 of 100 differences of two runs are smaller than so many standard deviations of one."""
_PERCENT_DIGITS: Final = 2
_MAX_NAME: Final = 60
_MAX_DECIMALS: Final = 12


class Compared(NamedTuple):
    """The versions whose evidence counts: the candidate's model, and the baseline with its model."""

    model: str
    baseline_model: str
    baseline: str


class PairedFinding(NamedTuple):
    """The paired evidence of a pair by its level, and why there is none or not all of it is used."""

    by_level: dict[float, Paired]
    problem: str | None = None


class _Change(NamedTuple):
    """The change that evidence has to be of, and the decimals that both numbers are written with."""

    size: Decimal
    digits: int
    slack: Decimal


def paired_evidence(
    before: float, after: float, measured: Measurement, meaning: MetricContract, compared: Compared | None
) -> PairedFinding:
    """The entries beside the candidate's number that are about this baseline and about these two numbers.

    Args:
        before: the baseline's number, as it counts.
        after: the candidate's.
        measured: the candidate's measurement.
        meaning: the metric's contract.
        compared: the two versions; without them no evidence counts.
    """
    if not measured.paired or compared is None:
        return PairedFinding({})
    matching = [entry for entry in measured.paired if _is_about(entry, compared)]
    if not matching:
        other = measured.paired[0]
        home = f" of {one_line(other.model, _MAX_NAME)}" if other.model else ""
        return PairedFinding({}, f"paired evidence is about the baseline {one_line(other.baseline, _MAX_NAME)}{home}")
    places = _PERCENT_DIGITS if counted_number(measured.value, meaning) != measured.value else 0
    change = _expected_change(before, after, meaning)
    of_level: dict[float, list[PairedEntry]] = {}
    problem = None
    for entry in matching:
        if (misfit := _misfit(entry, change, meaning, places)) is not None:
            problem = problem or misfit
        else:
            of_level.setdefault(entry.level, []).append(entry)
    by_level = {}
    for level, entries in of_level.items():
        if len(entries) > 1:
            problem = problem or f"{len(entries)} entries of {share_text(level)} differ"
        else:
            by_level[level] = _scaled(entries[0], places)
    return PairedFinding(by_level, problem and f"paired evidence is not used: {problem}")


def _is_about(entry: PairedEntry, compared: Compared) -> bool:
    return entry.baseline == compared.baseline and (entry.model or compared.model) == compared.baseline_model


def _expected_change(before: float, after: float, meaning: MetricContract) -> _Change:
    a, b = exact_decimal(before), exact_decimal(after)
    digits = max(_decimals(a), _decimals(b))
    slack = EXACT.multiply(EXACT.add(a.copy_abs(), b.copy_abs()), exact_decimal(ROUNDING))
    if meaning.best is not None:
        best = exact_decimal(meaning.best)
        a, b = (EXACT.subtract(number, best).copy_abs() for number in (a, b))
    return _Change(EXACT.subtract(b, a), digits, slack)


def _misfit(entry: PairedEntry, expected: _Change, meaning: MetricContract, places: int) -> str | None:
    """Why an entry is not about the two numbers.

    Its change is theirs to the digits written. Where it has more digits than the numbers, each of them may be rounded
    by half of its last digit. In any case its interval holds their change: evidence of a fraction beside numbers in
    percent, or of numbers that were edited since, is about another difference.
    """
    if entry.is_distance != (meaning.best is not None):
        return "it is of the distance from a target" if entry.is_distance else "it is not of the distance to the target"
    change, low, high = (_times_100(number, places) for number in (entry.change, entry.low, entry.high))
    # A change of 0.0 says nothing of its digits; those of its interval do.
    written = max(map(_decimals, (change, low, high)))
    allowed = Decimal(5).scaleb(-written - 1) if written <= expected.digits else Decimal(1).scaleb(-expected.digits)
    gap = EXACT.subtract(change, expected.size).copy_abs()
    has_other_sign = change * expected.size < 0
    if nearest_float(max(low, high, key=abs)) is None:
        return "it is too large"
    if has_other_sign or gap > EXACT.add(allowed, expected.slack):
        numbers = [stored_number(float(number)) for number in (change, expected.size)]
        return f"its change {numbers[0]} is not the change between the two numbers, {numbers[1]}"
    if not low - expected.slack <= expected.size <= high + expected.slack:
        return f"its interval does not hold the change between the two numbers, {stored_number(float(expected.size))}"
    return None


def _decimals(number: Decimal) -> int:
    return max(0, -int(number.normalize(EXACT).as_tuple().exponent))


def _times_100(number: float, places: int) -> Decimal:
    return exact_decimal(number).scaleb(places, EXACT)


def _scaled(entry: PairedEntry, places: int) -> Paired:
    low, high = (float(_times_100(end, places)) for end in (entry.low, entry.high))
    units = entry.n if entry.groups is None else entry.groups
    return Paired(
        low=low,
        high=high,
        level=entry.level,
        n=entry.n,
        groups=entry.groups,
        decides=units is None or units >= MIN_DECIDING_GROUPS,
    )


def spread_ends(value: float, measured: Measurement | None, meaning: MetricContract) -> tuple[float, float] | None:
    """The interval of one number at 95 %, from its standard error or its own interval; ``None`` without one.

    Args:
        value: the number that counts.
        measured: the measurement of its side.
        meaning: the metric's contract.
    """
    if measured is None or (spread := measured.spread) is None:
        return None
    factor = 1 if counted_number(measured.value, meaning) == measured.value else 100
    if spread.stderr is not None:
        half = _Z * spread.stderr * factor
        return _finite(value - half, value + half)
    if spread.low is None or spread.high is None:
        return None
    return _finite(spread.low * factor, spread.high * factor)


def _finite(low: float, high: float) -> tuple[float, float] | None:
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def spread_interval(
    before: float, ends_before: tuple[float, float], after: float, ends_after: tuple[float, float]
) -> tuple[float, float] | None:
    """The interval of a change from the intervals of both sides, as if they had run on different items.

    Of two standard errors it is the difference ± 1.96 √(s_a² + s_b²) (Newcombe 1998, method 10, for the squares).
    ``None`` beyond the largest float.
    """
    difference = after - before
    (low_before, high_before), (low, high) = ends_before, ends_after
    return _finite(
        difference - math.hypot(after - low, high_before - before),
        difference + math.hypot(high - after, before - low_before),
    )


def is_within_rerun_noise(before: float, after: float, meaning: MetricContract) -> bool:
    """Whether two numbers differ, and by no more than two evaluations of one version would."""
    if meaning.noise is None or before == after:
        return False
    change = EXACT.subtract(exact_decimal(after), exact_decimal(before)).copy_abs()
    limit = EXACT.multiply(_RERUN_FACTOR, exact_decimal(meaning.noise))
    return change <= EXACT.multiply(limit, exact_decimal(before).copy_abs())


def paired_note(paired: Paired, change: float, *, is_unclear: bool) -> str | None:
    """What paired evidence says about a pair, for readers without statistics; ``None`` where it only confirms.

    Args:
        paired: the evidence of 95 %.
        change: candidate minus baseline; with a target, of the distances from it.
        is_unclear: whether the pair is unclear by it.
    """
    if not paired.decides:
        units = paired.n if paired.groups is None else paired.groups
        hint = "the difference may be chance" if paired.holds_zero else "the difference is hardly chance"
        return f"{units} {_unit_noun(paired)} are too few to decide, {MIN_DECIDING_GROUPS} are needed; a hint: {hint}"
    if not is_unclear:
        return None
    return f"the difference may be chance: {_interval_text(paired)}; {settling_text(paired, change)}"


def _interval_text(paired: Paired) -> str:
    """``between −0.0108 and +0.0023 with 95 % confidence``."""
    half = (paired.high - paired.low) / 2
    is_usual = half > 0 and math.isfinite(half)
    digits = min(_MAX_DECIMALS, max(0, 1 - math.floor(math.log10(half)))) if is_usual else _MAX_DECIMALS
    low, high = (format_value(end, digits, signed=True) for end in (paired.low, paired.high))
    return f"between {low} and {high} with {share_text(paired.level)} confidence"


def settling_text(paired: Paired, gap: float) -> str:
    """How many more groups would show a difference of this size, with 80 % chance."""
    noun = _unit_noun(paired)
    units = paired.n if paired.groups is None else paired.groups
    if units is None:
        return f"more {noun} would settle it"
    more = groups_to_settle(units, (paired.high - paired.low) / 2 * _Z / normal_quantile(paired.level), abs(gap))
    if more is None:
        return f"to settle it is not within reach: it would take more than 20 times as many {noun}"
    return f"about {more:,} more {noun} would settle it, if the difference stays as it is"


def normal_quantile(level: float) -> float:
    """How many standard errors an interval of this level reaches to each side, of a normal distribution."""
    if level == STATE_LEVEL:
        return _Z
    from statistics import NormalDist  # noqa: PLC0415 - only a rule with another level needs it

    return NormalDist().inv_cdf((1 + level) / 2)


def _unit_noun(paired: Paired) -> str:
    return "items" if paired.groups in (None, paired.n) else "groups of items"


def evidence_levels(found: PairedFinding) -> tuple[Paired | None, Sequence[Paired]]:
    """The evidence that states follow, and that of other levels."""
    others = [paired for level, paired in sorted(found.by_level.items()) if level != STATE_LEVEL]
    return found.by_level.get(STATE_LEVEL), others

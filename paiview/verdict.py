"""What each pair of results says about a candidate, and what they say together.

Numbers are compared in decimal, from the shortest text that gives the same float: 1.00 to 0.99 is exactly one percent,
as it is for the reader. Shares are fractions, and positive is always better.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal
from itertools import accumulate
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from paiview.decision import (
    BY_CONCERN,
    JUDGED,
    Average,
    Decision,
    MetricInForce,
    PairDecision,
    State,
    Summary,
    Word,
    Worst,
    spoken,
)
from paiview.evaluation.metric_meaning import (
    RELATIVE,
    DatasetContract,
    Direction,
    MetricContract,
    contract,
    display_digits,
    format_value,
    is_rate,
)
from paiview.evaluation.results import Evaluation, Measurement, Pair
from paiview.text import one_line, shorten_front

Judgement = Literal["better", "worse", "same", "not_comparable"]

ROUGH: Final = "rough: ignores that both ran on the same items and that errors cluster"
"""How the intervals are to be labelled wherever they are shown."""

SEVERAL: Final = "given more than once by the"
"""How the note of a pair begins of which a side, named next, has no one number but several."""

_EXACT: Final = Context(prec=2000, traps=[])
"""Enough digits for the difference of any two floats."""
_QUOTIENT: Final = Context(prec=40, traps=[])
_ONE: Final = Decimal(1)
_Z: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: all intervals are of 95 %."""
_MOST_ITEMS: Final = 2**63
_COARSEST_ROUNDING: Final = 0.005
_ROUNDING: Final = 1e-12
"""Floats closer to a tie than this share of what they were reckoned from do not say which is larger."""
_SPOKEN: Final[tuple[tuple[State, str], ...]] = (
    ("better", "better on"),
    ("worse", "worse on"),
    ("same", "same on"),
    ("missing", "missing"),
    ("new", "new"),
    ("not_comparable", "not comparable"),
)
_FROM_ZERO: Final = "from 0"
_FROM_NO_ERRORS: Final = "from no errors"
_TOO_LARGE: Final = "too large a ratio to be a number"


def judge(
    candidate: Evaluation,
    baseline: Evaluation | None,
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
    datasets: Mapping[str, DatasetContract] = MappingProxyType({}),
) -> tuple[PairDecision, ...]:
    """Judge every pair that either side has.

    Args:
        candidate: what it measured, already under the names that the aliases give.
        baseline: likewise; without one every result is new.
        metrics: contracts that complete or replace the built-in ones.
        datasets: display names, and how many items were scored.

    Returns:
        One for each pair, the regressions first, in the order that ``Decision`` gives.
    """
    before = baseline or {}
    known = {metric: contract(metric, metrics) for metric in {pair.metric for pair in (*before, *candidate)}}
    nothing = DatasetContract()
    judged = [
        _judge(pair, before.get(pair), candidate.get(pair), known[pair.metric], datasets.get(pair.dataset, nothing))
        for pair in {**candidate, **before}
    ]
    return tuple(sorted(judged, key=_place))


def state_of(baseline: float, candidate: float, contract: MetricContract) -> Judgement:
    """What a change means by a contract; not comparable without a direction or where a side is no finite number.

    A change is the same within tolerance (exactly at it is within) and where both are written alike at ``digits``.
    A relative tolerance is one of the effect: of a higher-is-better metric with both in [0, 1] it is exceeded when
    the value or the errors changed by more. From 0, or from no errors, every change beyond an absolute one counts.
    """
    if contract.direction is None or not (math.isfinite(baseline) and math.isfinite(candidate)):
        return "not_comparable"
    if baseline == candidate:
        return "same"
    if contract.digits is not None and f"{baseline:z.{contract.digits}f}" == f"{candidate:z.{contract.digits}f}":
        return "same"
    if not _exceeds(baseline, candidate, contract):
        return "same"
    return "better" if (candidate > baseline) == (contract.direction == "higher") else "worse"


def summarize(pairs: Iterable[PairDecision]) -> Summary:
    """Count the states of the pairs, and find the one word for them and the worst pair."""
    pairs = tuple(pairs)
    counts = Counter(pair.state for pair in pairs)
    worst = min((pair for pair in pairs if pair.state == "worse"), key=_place, default=None)
    return Summary(
        word=_word(counts),
        better=counts["better"],
        worse=counts["worse"],
        same=counts["same"],
        missing=counts["missing"],
        new=counts["new"],
        not_comparable=counts["not_comparable"],
        worst=Worst(dataset=worst.dataset, metric=worst.metric, effect=worst.effect) if worst else None,
    )


def averages(pairs: Iterable[PairDecision]) -> tuple[Average, ...]:
    """Average each metric over the datasets that both sides have a number for; metrics are never averaged together."""
    shared: defaultdict[str, list[PairDecision]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda pair: (pair.metric, pair.dataset)):
        if pair.baseline is not None and pair.candidate is not None:
            shared[pair.metric].append(pair)
    return tuple(_average(metric, both) for metric, both in shared.items())


def headline(decision: Decision) -> list[str]:
    """One plain sentence a metric: the worst regression first, then the worst effect, what was not judged last.

    Returns:
        Such as "cer: better on 5, worse on 1 (meeting −3.3 %), same on 2, missing 1". Names are cleaned, not escaped.
    """
    by_metric: defaultdict[str, list[PairDecision]] = defaultdict(list)
    for pair in sorted(decision.pairs, key=_place):
        by_metric[pair.metric].append(pair)
    ordered = sorted(by_metric.items(), key=lambda item: (*min(map(_badness, item[1])), item[0]))
    return [_sentence(metric, pairs) for metric, pairs in ordered]


def short_headline(summary: Summary) -> str:
    """The counts that decide, in a few words: "better on 5, worse on 1"."""
    counts: dict[State, int] = {"better": summary.better, "worse": summary.worse, "missing": summary.missing}
    if not any(counts.values()):
        counts = {"same": summary.same, "not_comparable": summary.not_comparable}
    return _spoken(counts) or ("nothing to compare with" if summary.new else "no results")


def percent(effect: float, *, apart_from: float = RELATIVE) -> str:
    """A share as a signed percentage with a true minus and one decimal: "+1.7 %", "−3.3 %".

    A share too small for one decimal keeps its first digit, so that no change is written as none; one of a million
    percent and more is written in powers of ten.

    Args:
        effect: the share.
        apart_from: the tolerance or limit it is told beside, as a share: it gets the decimals, up to four, that tell
            on which side of that it is. "−1.0 %" is one percent exactly, or so nearly that four do not tell.
    """
    if not math.isfinite(effect):
        return "–"
    share = _decimal(effect).scaleb(2, _EXACT)
    if abs(effect) >= 1e4:
        text = f"{share:+.1e}"
    else:
        # Farther apart one decimal tells them from each other.
        is_near = abs(abs(effect) - apart_from) < 2e-3
        digits = _decimals(abs(share), _decimal(apart_from).scaleb(2, _EXACT)) if is_near else 1
        text = f"{share:+.{digits}f}"
    if not text.strip("+-0."):
        text = f"{share:+.1g}" if effect else "0.0"
    return f"{text} %".replace("-", "−")


def _decimals(share: Decimal, limit: Decimal) -> int:
    """One, or the fewest of up to four that write the two apart where one does not."""
    if f"{share:.1f}" != f"{limit:.1f}":
        return 1
    return next((more for more in (2, 3, 4) if f"{share:.{more}f}" != f"{limit:.{more}f}"), 1)


def change_text(pair: PairDecision, digits: int, unit: str | None = None, *, apart_from: float = RELATIVE) -> str:
    """A pair in one line: "+1.7 % (0.175 → 0.172, −0.3 pp)".

    The signed percentage is the gain, positive is better; the raw change stands apart with its unit. Where the errors
    changed by more than the value, that is told too, since the state follows it.

    Args:
        pair: what was judged.
        digits: decimals of the values.
        unit: the metric's; a fraction changes by percentage points. By default those of a rate in [0, 1].
        apart_from: the tolerance it was judged by, as for ``percent``.
    """
    values = f"{_written(pair.baseline, digits)} → {_written(pair.candidate, digits)}"
    told = [values] if pair.change is None else [f"{values}, {written_change(pair, digits, unit)}"]
    if pair.reading == "error" and pair.effect is not None and pair.state != "same":
        told.append(_size(pair, apart_from))
    return f"{_lead(pair, apart_from)} ({'; '.join(told)})"


def written_change(pair: PairDecision, digits: int, unit: str | None = None) -> str:
    """The raw change of a pair with its sign and unit; arguments as for ``change_text``. ``–`` where there is none."""
    change = pair.change
    if change is None:
        return "–"
    if unit is None and is_rate(pair.metric):
        in_fractions = all(value is not None and 0 <= value <= 1 for value in (pair.baseline, pair.candidate))
        unit = "fraction" if in_fractions else None
    if unit == "fraction":
        points = float(_decimal(change).scaleb(2, _EXACT))
        return f"{format_value(points, max(0, digits - 2), signed=True)} pp"
    return format_value(change, digits, signed=True) + (f" {one_line(unit, 20)}" if unit and unit != "count" else "")


def value_digits(pairs: Iterable[PairDecision], known: MetricContract | MetricInForce | None) -> int:
    """Decimals for the numbers of one metric: those of its contract, else as many as the numbers need."""
    if known is not None and known.digits is not None:
        return known.digits
    return display_digits(value for pair in pairs for value in (pair.baseline, pair.candidate) if value is not None)


def dominators(
    evaluations: Mapping[str, Evaluation],
    pairs: Sequence[Pair],
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
) -> dict[str, str | None]:
    """Name for each version what dominates it, ``None`` for those on the Pareto front.

    B dominates A when it is nowhere worse than A beyond tolerance and somewhere better. B has a number wherever A has
    one: what is missing lets nobody dominate. Pairs without a direction do not count. Of several dominators the first
    that nothing dominates is named.

    Args:
        evaluations: version to what it measured, already under the names that the aliases give.
        pairs: those to look at.
        metrics: contracts that complete or replace the built-in ones.
    """
    known = {metric: contract(metric, metrics) for metric in {pair.metric for pair in pairs}}
    directed = [(pair, known[pair.metric]) for pair in pairs if known[pair.metric].direction]
    contracts = [meaning for _, meaning in directed]
    numbers = {
        version: [_number(results.get(pair)) for pair, _ in directed] for version, results in evaluations.items()
    }
    above = {
        version: [other for other in numbers if _dominates(numbers[other], numbers[version], contracts)]
        for version in numbers
    }
    return {
        version: next((other for other in others if not above[other]), others[0] if others else None)
        for version, others in above.items()
    }


class _Sizes(NamedTuple):
    """How large a change is, as ``PairDecision`` says; ``note`` tells why something is ``None``."""

    change: float | None = None
    gain: float | None = None
    error_reduction: float | None = None
    effect: float | None = None
    reading: Literal["value", "error"] | None = None
    note: str | None = None


class _Counted(NamedTuple):
    """How many of ``n`` items make up a value that is a share of them."""

    hits: int
    n: int


def _judge(
    pair: Pair, before: Measurement | None, after: Measurement | None, meaning: MetricContract, dataset: DatasetContract
) -> PairDecision:
    baseline, candidate = _number(before), _number(after)
    sizes = _Sizes()
    state: State
    if (before is not None and before.duplicated) or (after is not None and after.duplicated):
        state = "not_comparable"
    elif baseline is None:
        state = "not_comparable" if candidate is None else "new"
    elif candidate is None:
        state = "missing"
    else:
        state = state_of(baseline, candidate, meaning)
        sizes = _sizes(baseline, candidate, meaning.direction)
    notes = [_why_no_number("baseline", before), _why_no_number("candidate", after), sizes.note]
    n = dataset.n.get(pair.metric)
    counted: list[_Counted | None] = []
    for side, value, measurement in (("baseline", baseline, before), ("candidate", candidate, after)):
        found = _counted(value, measurement, n, meaning) if value is not None else None
        if isinstance(found, str):
            notes.append(f"no interval for the {side}: {found}")
        counted.append(found if isinstance(found, _Counted) else None)
    of_baseline, of_candidate = counted
    interval = newcombe(*of_candidate, *of_baseline) if of_candidate and of_baseline else None
    return PairDecision(
        dataset=pair.dataset,
        metric=pair.metric,
        name=dataset.name,
        direction=meaning.direction,
        baseline=baseline,
        candidate=candidate,
        change=sizes.change,
        gain=sizes.gain,
        error_reduction=sizes.error_reduction,
        effect=sizes.effect,
        reading=sizes.reading,
        state=state,
        baseline_interval=wilson(*of_baseline) if of_baseline else None,
        candidate_interval=wilson(*of_candidate) if of_candidate else None,
        interval=interval,
        uncertain=interval[0] <= 0 <= interval[1] if interval else None,
        note="; ".join(note for note in notes if note) or None,
    )


def _number(measurement: Measurement | None) -> float | None:
    """The one finite number of a measurement."""
    if measurement is None or measurement.duplicated or not math.isfinite(measurement.value):
        return None
    return float(measurement.value)


def _decimal(number: float) -> Decimal:
    return Decimal(repr(float(number)))


def _exceeds(baseline: float, candidate: float, contract: MetricContract) -> bool:
    """Whether a change is beyond both tolerances: by floats where they are clear, in exact decimals near the edge."""
    relative, absolute = contract.relative, contract.absolute or 0.0
    has_errors = _has_errors(baseline, candidate, contract.direction)
    whole = min(baseline, 1 - baseline) if has_errors else abs(baseline)
    beyond = abs(candidate - baseline) - max(relative * whole, absolute)
    if abs(beyond) > _ROUNDING * ((1 + relative) * (abs(baseline) + abs(candidate)) + absolute):
        return beyond > 0
    before, after = _decimal(baseline), _decimal(candidate)
    size = _EXACT.subtract(after, before).copy_abs()
    exact_whole = min(before, _EXACT.subtract(_ONE, before)) if has_errors else before.copy_abs()
    return size > _EXACT.multiply(exact_whole, _decimal(relative)) and size > _decimal(absolute)


def _has_errors(baseline: float, candidate: float, direction: Direction | None) -> bool:
    """Whether what lacks to 1 can be read as errors."""
    return direction == "higher" and 0 <= baseline <= 1 and 0 <= candidate <= 1


def _sizes(baseline: float, candidate: float, direction: Direction | None) -> _Sizes:
    before, after = _decimal(baseline), _decimal(candidate)
    difference = _EXACT.subtract(after, before)
    change = _finite(difference)
    if direction is None:
        return _Sizes(change, note="nobody said which way is better")
    better_by = difference if direction == "higher" else difference.copy_negate()
    has_errors = _has_errors(baseline, candidate, direction)
    errors = _EXACT.subtract(_ONE, before)
    gain = _finite(_QUOTIENT.divide(better_by, before.copy_abs())) if baseline else None
    error_reduction = _finite(_QUOTIENT.divide(better_by, errors)) if has_errors and errors else None
    if not baseline:
        return _Sizes(change, None, error_reduction, None, "value", _FROM_ZERO)
    if has_errors and not errors:
        return _Sizes(change, gain, None, None, "error", _FROM_NO_ERRORS)
    if gain is None:
        return _Sizes(change, None, error_reduction, None, "value", _TOO_LARGE)
    if error_reduction is not None and abs(error_reduction) > abs(gain):
        return _Sizes(change, gain, error_reduction, error_reduction, "error")
    note = "too large a change to be a number" if change is None else None
    return _Sizes(change, gain, error_reduction, gain, "value", note)


def _finite(number: Decimal) -> float | None:
    """The nearest float; ``None`` beyond the largest."""
    nearest = float(number)
    return nearest if math.isfinite(nearest) else None


def _why_no_number(side: str, measurement: Measurement | None) -> str | None:
    if measurement is None or _number(measurement) is not None:
        return None
    raw = one_line(measurement.raw or "", 80)
    if measurement.duplicated:
        return f"{SEVERAL} {side}: {raw}"
    return f"not a number in the {side}: {raw}"


def _counted(
    value: float, measurement: Measurement | None, n: int | None, meaning: MetricContract
) -> _Counted | str | None:
    """How many items make up a value; why it cannot be said; ``None`` where nothing was counted.

    Counts beside the Metrics hold errors: the value is their share, or what they leave. From n alone the value itself
    says how many.
    """
    errors = measurement.errors if measurement else None
    n = measurement.n if measurement and measurement.n is not None else n
    if n is None:
        return None
    if not 0 < n < _MOST_ITEMS:
        return f"{n} items were counted" if n <= 0 else "too many items were counted"
    if not 0 <= value <= 1 or meaning.unit not in (None, "fraction"):
        return "the value is not a share of the items counted"
    if errors is None:
        return _Counted(min(round(value * n), n), n)
    if errors > n:
        return f"{errors} errors in {n} items are not a share"
    either = (n - errors, errors) if meaning.direction == "higher" else (errors, n - errors)
    hits = min(either, key=lambda hits: abs(hits / n - value))
    if abs(hits / n - value) > _rounding(value):
        return f"{errors} errors in {n} items do not give the value"
    return _Counted(hits, n)


def _rounding(value: float) -> float:
    """Half a unit of the last decimal a value is written with, at most half a percentage point."""
    exponent = int(_decimal(value).as_tuple().exponent)
    return min(_COARSEST_ROUNDING, 10.0**exponent / 2) + _ROUNDING


def _place(pair: PairDecision) -> tuple[int, float, str, str]:
    """Where a pair stands among the others; an effect that is beyond numbers is the largest."""
    size = 0.0
    if pair.state in ("better", "worse"):
        size = math.inf if pair.effect is None else abs(pair.effect)
    return BY_CONCERN.index(pair.state), -size, pair.metric, pair.dataset


def _badness(pair: PairDecision) -> tuple[int, float]:
    """Where a pair puts its metric: a regression before what is the same, however wide the tolerance of that is."""
    if pair.state not in JUDGED:
        return 2, 0.0
    effect = {"better": math.inf, "worse": -math.inf}.get(pair.state, 0.0) if pair.effect is None else pair.effect
    return int(pair.state != "worse"), effect


def _word(counts: Mapping[State, int]) -> Word:
    better, worse, missing = counts["better"], counts["worse"], counts["missing"]
    if not better + worse + counts["same"]:
        return "Not comparable"
    if worse:
        return "Trade-off" if better else "Worse"
    if missing:
        return "Incomplete"
    return "Better" if better else "Too close to call"


def _average(metric: str, pairs: Sequence[PairDecision]) -> Average:
    before = [pair.baseline for pair in pairs if pair.baseline is not None]
    after = [pair.candidate for pair in pairs if pair.candidate is not None]
    gains = [pair.gain for pair in pairs if pair.gain is not None]
    logs = _logs(before, after)
    winners: set[int] = set()
    if pairs[0].direction is not None:
        upwards = 1 if pairs[0].direction == "higher" else -1
        winners = {upwards * _sign([*after, *(-value for value in before)]), upwards * _sign(logs)}
    mean_gain = None
    turned_by: tuple[str, ...] = ()
    if len(gains) == len(pairs):
        mean_gain = _mean(gains)
        winners.add(_sign(gains))
        turned_by = tuple(pair.dataset for pair, turns in zip(pairs, _turn(gains), strict=True) if turns)
    return Average(
        metric=metric,
        n=len(pairs),
        macro_baseline=_mean(before),
        macro_candidate=_mean(after),
        geometric_ratio=_geometric_ratio(logs, len(pairs)),
        mean_gain=mean_gain,
        disagree={-1, 1} <= winners,
        turned_by=turned_by,
    )


def _mean(values: Sequence[float]) -> float:
    try:
        return math.fsum(values) / len(values)
    except OverflowError:
        return math.fsum(value / len(values) for value in values)


def _logs(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """Logarithms of which the sum is that of all ratios; empty where one is undefined."""
    if min(*before, *after) <= 0:
        return []
    return [*map(math.log, after), *(-math.log(value) for value in before)]


def _geometric_ratio(logs: Sequence[float], n: int) -> float | None:
    """The geometric mean of the ratios; ``None`` where it is undefined or no float can hold it."""
    if not logs:
        return None
    try:
        return math.exp(math.fsum(logs) / n) or None
    except OverflowError:
        return None


def _sign(values: Sequence[float]) -> int:
    """The sign of a sum."""
    return _clear_sign(_mean(values), _mean([*map(abs, values)])) if values else 0


def _clear_sign(total: float, size: float) -> int:
    """The sign of a sum of numbers that are ``size`` without theirs; 0 where it is no further from zero than exact."""
    if not abs(total) > _ROUNDING * size:
        return 0
    return 1 if total > 0 else -1


def _turn(gains: Sequence[float]) -> list[bool]:
    """For each gain, whether the sum of the others has the other sign than the sum of all.

    Sums from both ends, without the one left out: subtracting a large gain from the sum would drown the others.
    """
    answer = _sign(gains)
    others, sizes = _sums_of_others(gains), _sums_of_others([*map(abs, gains)])
    return [answer * _clear_sign(*sums) < 0 for sums in zip(others, sizes, strict=True)]


def _sums_of_others(values: Sequence[float]) -> list[float]:
    before = accumulate(values[:-1], initial=0.0)
    after = [*accumulate(reversed(values[1:]), initial=0.0)]
    return [left + right for left, right in zip(before, reversed(after), strict=True)]


def _sentence(metric: str, pairs: Sequence[PairDecision]) -> str:
    worst = next((pair for pair in pairs if pair.state == "worse"), None)
    told = f" ({shorten_front(worst.name or worst.dataset, 60)} {_size(worst)})" if worst else ""
    return f"{one_line(metric, 60)}: {_spoken(Counter(pair.state for pair in pairs), told)}"


def _spoken(counts: Mapping[State, int], of_worse: str = "") -> str:
    return ", ".join(
        f"{words} {counts[state]}{of_worse if state == 'worse' else ''}"
        for state, words in _SPOKEN
        if counts.get(state)
    )


def _size(pair: PairDecision, apart_from: float = RELATIVE) -> str:
    """The effect in words, with how it was read where that is not the gain."""
    if pair.effect is None:
        return _undefined(pair)
    return percent(pair.effect, apart_from=apart_from) + (" read as errors" if pair.reading == "error" else "")


def _undefined(pair: PairDecision) -> str:
    """Why there is no effect of a pair both sides have."""
    if pair.reading == "error":
        return _FROM_NO_ERRORS
    return _TOO_LARGE if pair.baseline else _FROM_ZERO


def _lead(pair: PairDecision, apart_from: float) -> str:
    if pair.reading is None:
        return spoken(pair.state)
    if pair.gain is None or pair.effect is None:
        return _undefined(pair)
    return percent(pair.gain, apart_from=apart_from)


def _written(value: float | None, digits: int) -> str:
    return format_value(math.nan if value is None else value, digits)


def _dominates(
    other: Sequence[float | None], version: Sequence[float | None], contracts: Sequence[MetricContract]
) -> bool:
    is_better = False
    for after, before, meaning in zip(other, version, contracts, strict=True):
        if before is None:
            continue
        if after is None:
            return False
        state = state_of(before, after, meaning)
        if state == "worse":
            return False
        is_better = is_better or state == "better"
    return is_better


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's interval (1927) of a proportion, at 95 %.

    Args:
        hits: of ``n`` items, 0 to ``n``.
        n: at least 1.
    """
    centre = hits + _Z * _Z / 2
    half = _Z * math.sqrt(hits * (n - hits) / n + _Z * _Z / 4)
    total = n + _Z * _Z
    return max(0.0, (centre - half) / total), min(1.0, (centre + half) / total)


def newcombe(hits: int, n: int, hits_before: int, n_before: int) -> tuple[float, float]:
    """Newcombe's interval (1998, method 10) of a proportion minus the one before, at 95 %, as if independent."""
    share, share_before = hits / n, hits_before / n_before
    (low, high), (low_before, high_before) = wilson(hits, n), wilson(hits_before, n_before)
    difference = share - share_before
    return (
        difference - math.hypot(share - low, high_before - share_before),
        difference + math.hypot(high - share, share_before - low_before),
    )

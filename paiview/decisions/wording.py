"""How changes and verdicts are written: percentages, values, a sentence a metric."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from paiview.decisions.decision import (
    JUDGED,
    Decision,
    MetricInForce,
    PairDecision,
    State,
    Summary,
    pair_order,
    spoken,
)
from paiview.decisions.exact import EXACT, FROM_NO_ERRORS, FROM_ZERO, TOO_LARGE, exact_decimal
from paiview.evaluation.metric_meaning import (
    RELATIVE,
    MetricContract,
    display_digits,
    format_value,
    is_rate,
)
from paiview.text import one_line, shorten_front

_SPOKEN: Final[tuple[tuple[State, str], ...]] = (
    ("better", "better on"),
    ("worse", "worse on"),
    ("same", "same on"),
    ("missing", "missing"),
    ("new", "new"),
    ("not_comparable", "not comparable"),
)


def headline(decision: Decision) -> list[str]:
    """One plain sentence a metric: the worst regression first, then the worst effect, what was not judged last.

    Returns:
        Such as "cer: better on 5, worse on 1 (meeting −3.3 %), same on 2, missing 1". Names are cleaned, not escaped.
    """
    by_metric: defaultdict[str, list[PairDecision]] = defaultdict(list)
    for pair in sorted(decision.pairs, key=pair_order):
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
    share = exact_decimal(effect).scaleb(2, EXACT)
    if abs(effect) >= 1e4:
        text = f"{share:+.1e}"
    else:
        # Farther apart one decimal tells them from each other.
        is_near = abs(abs(effect) - apart_from) < 2e-3
        digits = _decimals(abs(share), exact_decimal(apart_from).scaleb(2, EXACT)) if is_near else 1
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
        points = float(exact_decimal(change).scaleb(2, EXACT))
        return f"{format_value(points, max(0, digits - 2), signed=True)} pp"
    return format_value(change, digits, signed=True) + (f" {one_line(unit, 20)}" if unit and unit != "count" else "")


def value_digits(pairs: Iterable[PairDecision], known: MetricContract | MetricInForce | None) -> int:
    """Decimals for the numbers of one metric: those of its contract, else as many as the numbers need."""
    if known is not None and known.digits is not None:
        return known.digits
    return display_digits(value for pair in pairs for value in (pair.baseline, pair.candidate) if value is not None)


def digits_by_metric(
    pairs: Iterable[PairDecision], metrics: Mapping[str, MetricContract] | Mapping[str, MetricInForce]
) -> dict[str, int]:
    """Decimals for the numbers of each metric that the pairs have; see ``value_digits``."""
    by_metric: defaultdict[str, list[PairDecision]] = defaultdict(list)
    for pair in pairs:
        by_metric[pair.metric].append(pair)
    return {metric: value_digits(given, metrics.get(metric)) for metric, given in by_metric.items()}


def undefined_effect(pair: PairDecision) -> str:
    """Why there is no effect of a pair both sides have."""
    if pair.reading == "error":
        return FROM_NO_ERRORS
    return TOO_LARGE if pair.baseline else FROM_ZERO


def _badness(pair: PairDecision) -> tuple[int, float]:
    """Where a pair puts its metric: a regression before what is the same, however wide the tolerance of that is."""
    if pair.state not in JUDGED:
        return 2, 0.0
    effect = {"better": math.inf, "worse": -math.inf}.get(pair.state, 0.0) if pair.effect is None else pair.effect
    return int(pair.state != "worse"), effect


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
        return undefined_effect(pair)
    return percent(pair.effect, apart_from=apart_from) + (" read as errors" if pair.reading == "error" else "")


def _lead(pair: PairDecision, apart_from: float) -> str:
    if pair.reading is None:
        return spoken(pair.state)
    if pair.gain is None or pair.effect is None:
        return undefined_effect(pair)
    return percent(pair.gain, apart_from=apart_from)


def _written(value: float | None, digits: int) -> str:
    return format_value(math.nan if value is None else value, digits)

"""How changes and verdicts are written: percentages, values, one sentence for each metric."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from paiview.decisions.decision import (
    JUDGED,
    Decision,
    PairDecision,
    State,
    Summary,
    pair_order,
    spoken,
)
from paiview.decisions.exact import EXACT, exact_decimal
from paiview.evaluation.catalogue import leaf_of
from paiview.evaluation.metric_meaning import (
    DEFAULT_RELATIVE,
    Direction,
    MetricContract,
    catalogue_contract,
    display_digits,
    format_value,
)
from paiview.text import counted, one_line, shorten_front

_MIN_CLASSES: Final = 6
"""Metrics of one inner name that share a sentence of the headline."""
_MAX_NAME: Final = 60
_MAX_UNCLEAR: Final = 3
"""Datasets of unclear results named in one sentence of the headline."""
_MAX_UNJUDGED: Final = 4
"""Metrics that are no scores named in the headline."""
_COUNT_WORDS: Final[tuple[tuple[State, str], ...]] = (
    ("better", "better on"),
    ("worse", "worse on"),
    ("unclear", "unclear on"),
    ("same", "same on"),
    ("missing", "missing"),
    ("new", "new"),
    ("not_comparable", "not comparable"),
    ("not_judged", "not judged"),
)


def headline(decision: Decision) -> list[str]:
    """One plain sentence for each metric: regressions first, then by the worst effect, metrics without a verdict last.

    A metric of many classes (``outer.inner``) has one sentence for all of them, and so have the metrics that are no
    scores.

    Returns:
        Such as "cer: better on 5, worse on 1 (meeting −3.3 %), same on 2, missing 1". Names are on one line and
        printable, not escaped.
    """
    by_metric: defaultdict[str, list[PairDecision]] = defaultdict(list)
    for pair in sorted(decision.pairs, key=pair_order):
        by_metric[pair.metric].append(pair)
    unjudged = sorted(
        metric for metric, pairs in by_metric.items() if all(pair.state == "not_judged" for pair in pairs)
    )
    groups = _by_class([metric for metric in by_metric if metric not in unjudged])
    of_classes = {metric for metrics in groups.values() for metric in metrics}
    single = [item for item in by_metric.items() if item[0] not in of_classes and item[0] not in unjudged]
    worst_first = sorted(single, key=lambda item: (*min(map(_headline_order, item[1])), item[0]))
    return [
        *(_sentence(metric, pairs) for metric, pairs in worst_first),
        *(_class_sentence(leaf, [by_metric[metric] for metric in metrics]) for leaf, metrics in groups.items()),
        *([_unjudged_sentence(unjudged)] if unjudged else []),
    ]


class Lede(NamedTuple):
    """A decision in one or two sentences: ``claim`` is the beginning of the first, and weighs most."""

    claim: str
    rest: str

    @property
    def text(self) -> str:
        """Both in a row."""
        return self.claim + self.rest


def lede(decision: Decision) -> Lede:
    """What was found, with its worst result or, without any, its best: "Worse on 10 of 12 compared results, …".

    Names are on one line and printable, not escaped.
    """
    summary = decision.summary
    compared = summary.better + summary.worse + summary.same + summary.unclear
    if not compared:
        return _lede_of_nothing(decision)
    if compared == 1:
        return _lede_of_one(decision)
    results = f"of {compared} compared results"
    if summary.worse:
        claim = f"Worse on {summary.worse}"
        rest = f" {results}" + (f", better on {summary.better}" if summary.better else "") + "."
        rest += _example(decision, "worse", "loses most")
    elif summary.better:
        claim = f"Better on {summary.better}"
        rest = f" {results}, worse on none." + _example(decision, "better", "gains most")
    elif summary.unclear:
        claim = f"Too close to call on {summary.unclear}"
        rest = f" {results}: the difference may be chance." + _example(decision, "unclear", "differs most")
        return Lede(claim, rest + _unpaired_sentence(summary))
    else:
        claim = f"None {results}"
        rest = " moved beyond the tolerance."
    if summary.unclear:
        rest += f" On {summary.unclear} more the difference may be chance."
    return Lede(claim, rest + _unpaired_sentence(summary))


def _lede_of_one(decision: Decision) -> Lede:
    summary = decision.summary
    result = "the one compared result"
    if summary.worse:
        claim, rest = f"Worse on {result}", f".{_example(decision, 'worse', 'loses')}"
    elif summary.better:
        claim, rest = f"Better on {result}", f".{_example(decision, 'better', 'gains')}"
    elif summary.unclear:
        example = _example(decision, "unclear", "differs")
        claim, rest = f"Too close to call on {result}", f": the difference may be chance.{example}"
    else:
        claim, rest = f"{result.capitalize()} stayed", " within the tolerance."
    return Lede(claim, rest + _unpaired_sentence(summary))


def _lede_of_nothing(decision: Decision) -> Lede:
    summary = decision.summary
    if not decision.pairs:
        return Lede("Neither version has an evaluation result.", "")
    if decision.baseline is None:
        return Lede("There is nothing to compare with", f": {counted(summary.new, 'result')} of the candidate.")
    if summary.not_comparable:
        rest = f" {counted(summary.not_comparable, 'result')} of both cannot be compared."
        return Lede(
            "No result can be judged.", rest + _unpaired_sentence(summary, is_new_told=True, is_other_told=False)
        )
    if not summary.missing and not summary.new:
        return Lede("No result is a score.", "")
    return Lede("The two share no result", f":{_unpaired_sentence(summary, is_new_told=True)}")


def _example(decision: Decision, state: State, verb: str) -> str:
    """The pair of a state with the largest effect, as a sentence after a blank; nothing without one."""
    pairs = [pair for pair in decision.pairs if pair.state == state]
    if not pairs:
        return ""
    pair = max(pairs, key=lambda each: math.inf if each.effect is None else abs(each.effect))
    contracts = {metric.metric: metric for metric in decision.metrics}
    of_metric = [each for each in decision.pairs if each.metric == pair.metric]
    digits = value_digits(of_metric, contracts.get(pair.metric))
    name = shorten_front(pair.name or pair.dataset, _MAX_NAME)
    values = f"{_written(pair.baseline, digits)} → {_written(pair.candidate, digits)}"
    return f" {name} {verb}: {one_line(pair.metric, _MAX_NAME)} {values} ({_effect_text(pair)})."


def _unpaired_sentence(summary: Summary, *, is_new_told: bool = False, is_other_told: bool = True) -> str:
    parts = []
    if summary.missing:
        parts.append(
            f"{counted(summary.missing, 'result')} of the baseline {'is' if summary.missing == 1 else 'are'} missing"
        )
    if is_other_told and summary.not_comparable:
        parts.append(f"{summary.not_comparable} cannot be compared")
    if is_new_told and summary.new:
        parts.append(f"{summary.new} {'is' if summary.new == 1 else 'are'} new")
    return f" {', '.join(parts)}." if parts else ""


def _by_class(metrics: Sequence[str]) -> dict[str, list[str]]:
    """The metrics ``outer.inner`` by their inner name, where many classes have it."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for metric in metrics:
        if (leaf := leaf_of(metric)) is not None:
            groups[leaf].append(metric)
    return {leaf: members for leaf, members in sorted(groups.items()) if len(members) >= _MIN_CLASSES}


def _class_sentence(leaf: str, classes: Sequence[Sequence[PairDecision]]) -> str:
    """One sentence for a metric of many classes."""
    pairs = sorted((pair for group in classes for pair in group), key=pair_order)
    worst = next((pair for pair in pairs if pair.state == "worse"), None)
    examples: dict[State, str] = {}
    if worst:
        examples["worse"] = f" ({shorten_front(worst.metric, 60)} {_effect_text(worst)})"
    counts = _count_text(Counter(pair.state for pair in pairs), examples)
    return f"{one_line(leaf, 60)} of {len(classes)} classes: {counts}"


def short_headline(summary: Summary) -> str:
    """The counts that decide, such as "better on 5, worse on 1"."""
    counts: dict[State, int] = {"better": summary.better, "worse": summary.worse, "missing": summary.missing}
    if not any(counts.values()):
        counts = {"unclear": summary.unclear, "same": summary.same, "not_comparable": summary.not_comparable}
    return _count_text(counts) or ("nothing to compare with" if summary.new else "no results")


def percent(effect: float, *, apart_from: float = DEFAULT_RELATIVE) -> str:
    """A share as a signed percentage with a true minus and one decimal: "+1.7 %", "−3.3 %".

    A share too small for one decimal is written with its first digit, so that only no change reads as 0.0 %. A million
    percent or more is written in powers of ten.

    Args:
        effect: the share.
        apart_from: the tolerance or limit shown beside it, as a share. A share near it gets up to four decimals, as
            many as show on which side it is.
    """
    if not math.isfinite(effect):
        return "–"
    share = exact_decimal(effect).scaleb(2, EXACT)
    if abs(effect) >= 1e4:
        text = f"{share:+.1e}"
    else:
        # One decimal separates shares that are farther apart.
        is_near = abs(abs(effect) - apart_from) < 2e-3
        digits = _decimals(abs(share), exact_decimal(apart_from).scaleb(2, EXACT)) if is_near else 1
        text = f"{share:+.{digits}f}"
    if not text.strip("+-0."):
        text = f"{share:+.1g}" if effect else "0.0"
    return f"{text} %".replace("-", "−")


def _decimals(share: Decimal, limit: Decimal) -> int:
    """The fewest decimals, from one to four, that write the two differently; one if none does."""
    if f"{share:.1f}" != f"{limit:.1f}":
        return 1
    return next((digits for digits in (2, 3, 4) if f"{share:.{digits}f}" != f"{limit:.{digits}f}"), 1)


def change_text(
    pair: PairDecision, digits: int, unit: str | None = None, *, apart_from: float = DEFAULT_RELATIVE
) -> str:
    """A pair in one line: "+1.7 % (0.175 → 0.172, −0.3 pp)".

    The signed percentage is the gain, positive is better; the raw change follows with its unit. Where the errors
    changed by a larger share than the value, that share is given too, since the state follows it.

    Args:
        pair: the pair.
        digits: decimals of the values.
        unit: the metric's unit. A fraction changes by percentage points; so does a rate in [0, 1] without a unit.
        apart_from: the tolerance it was judged by, as for ``percent``.
    """
    values = f"{_written(pair.baseline, digits)} → {_written(pair.candidate, digits)}"
    details = [values] if pair.change is None else [f"{values}, {written_change(pair, digits, unit)}"]
    if pair.reading == "error" and pair.effect is not None and pair.state != "same":
        details.append(_effect_text(pair, apart_from))
    return f"{_gain_text(pair, apart_from)} ({'; '.join(details)})"


def written_change(pair: PairDecision, digits: int, unit: str | None = None) -> str:
    """The raw change of a pair with its sign and unit, ``–`` without one; arguments as for ``change_text``."""
    change = pair.change
    if change is None:
        return "–"
    if unit is None and catalogue_contract(pair.metric).has_scales:
        in_fractions = all(value is not None and 0 <= value <= 1 for value in (pair.baseline, pair.candidate))
        unit = "fraction" if in_fractions else None
    if unit == "fraction":
        points = float(exact_decimal(change).scaleb(2, EXACT))
        return f"{format_value(points, max(0, digits - 2), signed=True)} pp"
    return format_value(change, digits, signed=True) + (f" {one_line(unit, 20)}" if unit and unit != "count" else "")


def value_digits(pairs: Iterable[PairDecision], contract: MetricContract | None) -> int:
    """Decimals for the numbers of one metric: those of its contract, else as many as the numbers need."""
    if contract is not None and contract.digits is not None:
        return contract.digits
    return display_digits(value for pair in pairs for value in (pair.baseline, pair.candidate) if value is not None)


def digits_by_metric(pairs: Iterable[PairDecision], metrics: Mapping[str, MetricContract]) -> dict[str, int]:
    """Decimals for the numbers of each metric that the pairs have; see ``value_digits``."""
    by_metric: defaultdict[str, list[PairDecision]] = defaultdict(list)
    for pair in pairs:
        by_metric[pair.metric].append(pair)
    return {metric: value_digits(group, metrics.get(metric)) for metric, group in by_metric.items()}


def no_effect_reason(
    direction: Direction | None, reading: Literal["value", "error"] | None, baseline: float | None
) -> str:
    """Why a pair with two numbers has no effect, from its fields of these names."""
    if reading is None:
        return "not compared"
    if direction == "target":
        return "from the target"
    if reading == "error":
        return "from no errors"
    return "too large a ratio to be a number" if baseline else "from 0"


def _headline_order(pair: PairDecision) -> tuple[int, float]:
    """A sort key: regressions first, also before larger negative effects within a wide tolerance."""
    if pair.state not in JUDGED:
        return 2, 0.0
    effect = {"better": math.inf, "worse": -math.inf}.get(pair.state, 0.0) if pair.effect is None else pair.effect
    return int(pair.state != "worse"), effect


def _sentence(metric: str, pairs: Sequence[PairDecision]) -> str:
    worst = next((pair for pair in pairs if pair.state == "worse"), None)
    examples: dict[State, str] = {}
    if worst:
        examples["worse"] = f" ({shorten_front(worst.name or worst.dataset, 60)} {_effect_text(worst)})"
    if unclear := [shorten_front(pair.name or pair.dataset, 60) for pair in pairs if pair.state == "unclear"]:
        more = f" and {len(unclear) - _MAX_UNCLEAR} more" if len(unclear) > _MAX_UNCLEAR else ""
        examples["unclear"] = f" ({', '.join(unclear[:_MAX_UNCLEAR])}{more})"
    return f"{one_line(metric, 60)}: {_count_text(Counter(pair.state for pair in pairs), examples)}"


def _unjudged_sentence(metrics: Sequence[str]) -> str:
    """One sentence for all metrics that are no scores."""
    names = ", ".join(one_line(metric, 60) for metric in metrics[:_MAX_UNJUDGED])
    more = f" and {len(metrics) - _MAX_UNJUDGED} more" if len(metrics) > _MAX_UNJUDGED else ""
    return f"Not judged: {names}{more}"


def _count_text(counts: Mapping[State, int], examples: Mapping[State, str] = MappingProxyType({})) -> str:
    return ", ".join(
        f"{words} {counts[state]}{examples.get(state, '')}" for state, words in _COUNT_WORDS if counts.get(state)
    )


def _effect_text(pair: PairDecision, apart_from: float = DEFAULT_RELATIVE) -> str:
    """The effect, marked where it is an error reduction; else why there is none."""
    if pair.effect is None:
        return no_effect_reason(pair.direction, pair.reading, pair.baseline)
    return percent(pair.effect, apart_from=apart_from) + (" read as errors" if pair.reading == "error" else "")


def _gain_text(pair: PairDecision, apart_from: float) -> str:
    """The gain, else why there is no effect; the state where the two numbers were not compared."""
    if pair.reading is None:
        return spoken(pair.state)
    if pair.gain is None or pair.effect is None:
        return no_effect_reason(pair.direction, pair.reading, pair.baseline)
    return percent(pair.gain, apart_from=apart_from)


def _written(value: float | None, digits: int) -> str:
    return format_value(math.nan if value is None else value, digits)


def share_text(share: float) -> str:
    """A share in percent, without digits that only the multiplication adds: ``0.7 %``."""
    return f"{100 * share:.12g} %"

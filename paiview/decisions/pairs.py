"""What each pair of results says about a candidate, and what they say together.

Numbers are compared in decimal, from the shortest text that gives the same float: 1.00 to 0.99 is exactly one percent,
as it is for the reader. Shares are fractions, and positive is always better.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from paiview.decisions.decision import (
    PairDecision,
    State,
    Summary,
    Word,
    Worst,
    pair_order,
)
from paiview.decisions.exact import (
    EXACT,
    FROM_NO_ERRORS,
    FROM_ZERO,
    ONE,
    QUOTIENT,
    ROUNDING,
    TOO_LARGE,
    exact_decimal,
    nearest_float,
)
from paiview.decisions.intervals import Proportion, counted_proportion, newcombe, wilson
from paiview.evaluation.metric_meaning import (
    DatasetContract,
    Direction,
    MetricContract,
    contract,
)
from paiview.evaluation.results import Evaluation, Measurement, Pair
from paiview.text import one_line

Judgement = Literal["better", "worse", "same", "not_comparable"]

ROUGH: Final = "rough: ignores that both ran on the same items and that errors cluster"
"""How the intervals are to be labelled wherever they are shown."""

SEVERAL: Final = "given more than once by the"
"""How the note of a pair begins of which a side, named next, has no one number but several."""


def judge_pairs(
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
    return tuple(sorted(judged, key=pair_order))


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
    worst = min((pair for pair in pairs if pair.state == "worse"), key=pair_order, default=None)
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


class _Sizes(NamedTuple):
    """How large a change is, as ``PairDecision`` says; ``note`` tells why something is ``None``."""

    change: float | None = None
    gain: float | None = None
    error_reduction: float | None = None
    effect: float | None = None
    reading: Literal["value", "error"] | None = None
    note: str | None = None


def _judge(
    pair: Pair, before: Measurement | None, after: Measurement | None, meaning: MetricContract, dataset: DatasetContract
) -> PairDecision:
    baseline, candidate = measured_number(before), measured_number(after)
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
    counted: list[Proportion | None] = []
    for side, value, measurement in (("baseline", baseline, before), ("candidate", candidate, after)):
        found = counted_proportion(value, measurement, n, meaning) if value is not None else None
        if isinstance(found, str):
            notes.append(f"no interval for the {side}: {found}")
        counted.append(found if isinstance(found, Proportion) else None)
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


def measured_number(measurement: Measurement | None) -> float | None:
    """The one finite number of a measurement."""
    if measurement is None or measurement.duplicated or not math.isfinite(measurement.value):
        return None
    return float(measurement.value)


def _exceeds(baseline: float, candidate: float, contract: MetricContract) -> bool:
    """Whether a change is beyond both tolerances: by floats where they are clear, in exact decimals near the edge."""
    relative, absolute = contract.relative, contract.absolute or 0.0
    has_errors = _has_errors(baseline, candidate, contract.direction)
    whole = min(baseline, 1 - baseline) if has_errors else abs(baseline)
    beyond = abs(candidate - baseline) - max(relative * whole, absolute)
    if abs(beyond) > ROUNDING * ((1 + relative) * (abs(baseline) + abs(candidate)) + absolute):
        return beyond > 0
    before, after = exact_decimal(baseline), exact_decimal(candidate)
    size = EXACT.subtract(after, before).copy_abs()
    exact_whole = min(before, EXACT.subtract(ONE, before)) if has_errors else before.copy_abs()
    return size > EXACT.multiply(exact_whole, exact_decimal(relative)) and size > exact_decimal(absolute)


def _has_errors(baseline: float, candidate: float, direction: Direction | None) -> bool:
    """Whether what lacks to 1 can be read as errors."""
    return direction == "higher" and 0 <= baseline <= 1 and 0 <= candidate <= 1


def _sizes(baseline: float, candidate: float, direction: Direction | None) -> _Sizes:
    before, after = exact_decimal(baseline), exact_decimal(candidate)
    difference = EXACT.subtract(after, before)
    change = nearest_float(difference)
    if direction is None:
        return _Sizes(change, note="nobody said which way is better")
    better_by = difference if direction == "higher" else difference.copy_negate()
    has_errors = _has_errors(baseline, candidate, direction)
    errors = EXACT.subtract(ONE, before)
    gain = nearest_float(QUOTIENT.divide(better_by, before.copy_abs())) if baseline else None
    error_reduction = nearest_float(QUOTIENT.divide(better_by, errors)) if has_errors and errors else None
    if not baseline:
        return _Sizes(change, None, error_reduction, None, "value", FROM_ZERO)
    if has_errors and not errors:
        return _Sizes(change, gain, None, None, "error", FROM_NO_ERRORS)
    if gain is None:
        return _Sizes(change, None, error_reduction, None, "value", TOO_LARGE)
    if error_reduction is not None and abs(error_reduction) > abs(gain):
        return _Sizes(change, gain, error_reduction, error_reduction, "error")
    note = "too large a change to be a number" if change is None else None
    return _Sizes(change, gain, error_reduction, gain, "value", note)


def _why_no_number(side: str, measurement: Measurement | None) -> str | None:
    if measurement is None or measured_number(measurement) is not None:
        return None
    raw = one_line(measurement.raw or "", 80)
    if measurement.duplicated:
        return f"{SEVERAL} {side}: {raw}"
    return f"not a number in the {side}: {raw}"


def _word(counts: Mapping[State, int]) -> Word:
    better, worse, missing = counts["better"], counts["worse"], counts["missing"]
    if not better + worse + counts["same"]:
        return "Not comparable"
    if worse:
        return "Trade-off" if better else "Worse"
    if missing:
        return "Incomplete"
    return "Better" if better else "Too close to call"

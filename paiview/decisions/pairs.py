"""The judgement of each pair, and the one word for all of them.

Numbers are compared in decimal, each as the shortest text that gives the same float, so that 1.00 to 0.99 is exactly
one percent. Shares are fractions, and positive is always better. The rules are those of docs/policy.md.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from paiview.decisions.decision import Duplicated, PairDecision, State, Summary, Word, Worst, pair_order
from paiview.decisions.exact import EXACT, ONE, QUOTIENT, ROUNDING, exact_decimal, nearest_float
from paiview.decisions.intervals import Proportion, counted_proportion, newcombe, wilson
from paiview.decisions.wording import no_effect_reason
from paiview.evaluation.metric_meaning import DatasetContract, Direction, MetricContract, contract
from paiview.evaluation.results import Evaluation, Measurement, Pair
from paiview.text import one_line

Judgement = Literal["better", "worse", "same", "not_comparable"]

ROUGH: Final = "rough: ignores that both ran on the same items and that errors cluster"
"""The label of every interval shown."""


def judge_pairs(
    candidate: Evaluation,
    baseline: Evaluation | None,
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
    datasets: Mapping[str, DatasetContract] = MappingProxyType({}),
) -> tuple[PairDecision, ...]:
    """Judge every pair that either side has.

    Args:
        candidate: its measurements, with aliases replaced by their targets.
        baseline: likewise; without a baseline every result is new.
        metrics: contracts that complete or replace the built-in ones.
        datasets: display names and numbers of scored items.

    Returns:
        One for each pair, in the order of ``Decision.pairs``.
    """
    before = baseline or {}
    contracts = {metric: contract(metric, metrics) for metric in {pair.metric for pair in (*before, *candidate)}}
    no_contract = DatasetContract()
    decisions = [
        _judge(
            pair,
            before.get(pair),
            candidate.get(pair),
            contracts[pair.metric],
            datasets.get(pair.dataset, no_contract),
        )
        for pair in {**candidate, **before}
    ]
    return tuple(sorted(decisions, key=pair_order))


def state_of(baseline: float, candidate: float, contract: MetricContract) -> Judgement:
    """The judgement of a change by a contract; not comparable without a direction or if a number is not finite.

    Two numbers are the same within tolerance (exactly at it is within), and where they are equal at ``digits``. The
    relative tolerance applies to the effect: for a higher-is-better metric with both numbers in [0, 1] it is exceeded
    when the value or the errors changed by a larger share. From 0, or from no errors, every change beyond the absolute
    tolerance counts.
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
    """Count the states of the pairs, and find the word for them and the worst pair."""
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


class _Change(NamedTuple):
    """The fields of the same names of ``PairDecision``."""

    change: float | None = None
    gain: float | None = None
    error_reduction: float | None = None
    effect: float | None = None
    reading: Literal["value", "error"] | None = None


def _judge(
    pair: Pair,
    before: Measurement | None,
    after: Measurement | None,
    contract: MetricContract,
    dataset: DatasetContract,
) -> PairDecision:
    baseline, candidate = measured_number(before), measured_number(after)
    duplicated = _duplicated(before, after)
    notes = [_no_number_note("baseline", before), _no_number_note("candidate", after)]
    change = _Change()
    state: State
    if baseline is not None and candidate is not None:
        state = state_of(baseline, candidate, contract)
        change = _change(baseline, candidate, contract.direction)
        notes.append(_change_note(change, baseline))
    elif duplicated or (baseline is None and candidate is None):
        state = "not_comparable"
    else:
        state = "new" if baseline is None else "missing"
    n = dataset.n.get(pair.metric)
    of_baseline, baseline_note = _proportion("baseline", baseline, before, n, contract)
    of_candidate, candidate_note = _proportion("candidate", candidate, after, n, contract)
    notes += [baseline_note, candidate_note]
    interval = newcombe(*of_candidate, *of_baseline) if of_candidate and of_baseline else None
    return PairDecision(
        dataset=pair.dataset,
        metric=pair.metric,
        name=dataset.name,
        direction=contract.direction,
        baseline=baseline,
        candidate=candidate,
        change=change.change,
        gain=change.gain,
        error_reduction=change.error_reduction,
        effect=change.effect,
        reading=change.reading,
        state=state,
        baseline_interval=wilson(*of_baseline) if of_baseline else None,
        candidate_interval=wilson(*of_candidate) if of_candidate else None,
        interval=interval,
        uncertain=interval[0] <= 0 <= interval[1] if interval else None,
        note="; ".join(note for note in notes if note) or None,
        duplicated=duplicated,
    )


def _duplicated(before: Measurement | None, after: Measurement | None) -> Duplicated | None:
    in_baseline = before is not None and before.duplicated
    in_candidate = after is not None and after.duplicated
    if in_baseline and in_candidate:
        return "both"
    return "baseline" if in_baseline else "candidate" if in_candidate else None


def _proportion(
    side: str, value: float | None, measurement: Measurement | None, n: int | None, contract: MetricContract
) -> tuple[Proportion | None, str | None]:
    """The counted proportion of a side, and a note where its counts cannot be used."""
    proportion = counted_proportion(value, measurement, n, contract) if value is not None else None
    if isinstance(proportion, str):
        return None, f"no interval for the {side}: {proportion}"
    return proportion, None


def measured_number(measurement: Measurement | None) -> float | None:
    """The number of a measurement; ``None`` if it is not finite or was given more than once."""
    if measurement is None or measurement.duplicated or not math.isfinite(measurement.value):
        return None
    return float(measurement.value)


def _exceeds(baseline: float, candidate: float, contract: MetricContract) -> bool:
    """Whether a change is beyond both tolerances, in floats where rounding cannot matter, else in exact decimals."""
    relative, absolute = contract.effective_relative, contract.absolute or 0.0
    has_errors = _has_errors(baseline, candidate, contract.direction)
    reference = min(baseline, 1 - baseline) if has_errors else abs(baseline)
    excess = abs(candidate - baseline) - max(relative * reference, absolute)
    if abs(excess) > ROUNDING * ((1 + relative) * (abs(baseline) + abs(candidate)) + absolute):
        return excess > 0
    before, after = exact_decimal(baseline), exact_decimal(candidate)
    size = EXACT.subtract(after, before).copy_abs()
    exact_reference = min(before, EXACT.subtract(ONE, before)) if has_errors else before.copy_abs()
    return size > EXACT.multiply(exact_reference, exact_decimal(relative)) and size > exact_decimal(absolute)


def _has_errors(baseline: float, candidate: float, direction: Direction | None) -> bool:
    """Whether the distance to 1 can be read as the share of errors."""
    return direction == "higher" and 0 <= baseline <= 1 and 0 <= candidate <= 1


def _change(baseline: float, candidate: float, direction: Direction | None) -> _Change:
    before, after = exact_decimal(baseline), exact_decimal(candidate)
    difference = EXACT.subtract(after, before)
    change = nearest_float(difference)
    if direction is None:
        return _Change(change)
    improvement = difference if direction == "higher" else difference.copy_negate()
    has_errors = _has_errors(baseline, candidate, direction)
    errors = EXACT.subtract(ONE, before)
    gain = nearest_float(QUOTIENT.divide(improvement, before.copy_abs())) if baseline else None
    error_reduction = nearest_float(QUOTIENT.divide(improvement, errors)) if has_errors and errors else None
    if has_errors and not errors:
        return _Change(change, gain, None, None, "error")
    if gain is None:
        return _Change(change, None, error_reduction, None, "value")
    if error_reduction is not None and abs(error_reduction) > abs(gain):
        return _Change(change, gain, error_reduction, error_reduction, "error")
    return _Change(change, gain, error_reduction, gain, "value")


def _change_note(change: _Change, baseline: float) -> str | None:
    if change.effect is None:
        return no_effect_reason(change.reading, baseline)
    return "too large a change to be a number" if change.change is None else None


def _no_number_note(side: str, measurement: Measurement | None) -> str | None:
    if measurement is None or measured_number(measurement) is not None:
        return None
    raw = one_line(measurement.raw or "", 80)
    if measurement.duplicated:
        return f"given more than once by the {side}: {raw}"
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

"""The judgement of each pair, and the one word for all of them.

Numbers are compared in decimal, each as the shortest text that gives the same float, so that 1.00 to 0.99 is exactly
one percent. Shares are fractions, and positive is always better. The rules are those of docs/policy.md.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from paiview.decisions.decision import (
    JUDGED,
    Evidence,
    PairDecision,
    Paired,
    Reason,
    State,
    Summary,
    Word,
    Worst,
    pair_order,
)
from paiview.decisions.exact import EXACT, QUOTIENT, ROUNDING, exact_decimal, nearest_float
from paiview.decisions.intervals import Proportion, counted_proportion, newcombe, wilson
from paiview.decisions.noise import (
    Compared,
    PairedFinding,
    evidence_levels,
    is_within_rerun_noise,
    paired_evidence,
    paired_note,
    spread_ends,
    spread_interval,
)
from paiview.decisions.wording import no_effect_reason
from paiview.evaluation.metric_meaning import DatasetContract, MetricContract, contract, stored_number
from paiview.evaluation.metric_numbers import are_on_different_scales, ceiling, counted_number, range_problem
from paiview.evaluation.results import Evaluation, Measurement, Pair
from paiview.text import one_line

ROUGH: Final = "rough: ignores that both ran on the same items and that errors cluster"
"""The label of every interval shown."""
_NO_DATASET: Final = DatasetContract()


def judge_pairs(
    candidate: Evaluation,
    baseline: Evaluation | None,
    metrics: Mapping[str, MetricContract] = MappingProxyType({}),
    datasets: Mapping[str, DatasetContract] = MappingProxyType({}),
    compared: Compared | None = None,
) -> tuple[PairDecision, ...]:
    """Judge every pair that either side has.

    Args:
        candidate: its measurements, with aliases replaced by their targets.
        baseline: likewise; without a baseline every result is new.
        metrics: contracts that complete or replace those of the catalogue.
        datasets: display names, numbers of scored items, and datasets to ignore.
        compared: the two versions, by which paired evidence is found; without them none counts.

    Returns:
        One for each pair, in the order of ``Decision.pairs``.
    """
    before = baseline or {}
    contracts = {metric: contract(metric, metrics) for metric in {pair.metric for pair in (*before, *candidate)}}
    of_dataset = {name: datasets.get(name, _NO_DATASET) for name in {pair.dataset for pair in (*before, *candidate)}}
    decisions = [
        _judge(pair, before.get(pair), candidate.get(pair), contracts[pair.metric], of_dataset[pair.dataset], compared)
        for pair in {**candidate, **before}
    ]
    return tuple(sorted(decisions, key=pair_order))


def state_of(baseline: float, candidate: float, meaning: MetricContract) -> State:
    """The judgement of two valid numbers on one scale by a meaning.

    Two numbers are the same within tolerance (exactly at it is within), and where they are equal at ``digits``. The
    relative tolerance is a share of the baseline's size, with a ceiling of the smaller of the value and its distance
    to the ceiling, with a target of the distance to it. Where that is 0, every change beyond the absolute tolerance
    counts. Without a direction only a declared tolerance makes two numbers the same; else they are not comparable.
    """
    if baseline == candidate:
        return "same"
    if meaning.digits is not None and f"{baseline:z.{meaning.digits}f}" == f"{candidate:z.{meaning.digits}f}":
        return "same"
    if (meaning.direction or meaning.has_tolerance) and not _exceeds(baseline, candidate, meaning):
        return "same"
    if meaning.direction is None:
        return "not_comparable"
    if meaning.best is not None:
        is_better = _distance(candidate, meaning.best) < _distance(baseline, meaning.best)
    else:
        is_better = (candidate > baseline) == (meaning.direction == "higher")
    return "better" if is_better else "worse"


def measured_state(before: Measurement | None, after: Measurement | None, meaning: MetricContract) -> State:
    """The state of a pair from the measurements of both sides."""
    sides = _Side.of("baseline", before, meaning), _Side.of("candidate", after, meaning)
    return _state(sides, meaning, _NO_DATASET)[0]


def summarize(pairs: Iterable[PairDecision]) -> Summary:
    """Count the states of the pairs, and find the word for them and the worst pair."""
    pairs = tuple(pairs)
    counts = Counter(pair.state for pair in pairs)
    word = _word(counts)
    of_certain = Counter(pair.state for pair in pairs if pair.standing != "assumed" or pair.state not in JUDGED)
    worst = min((pair for pair in pairs if pair.state == "worse"), key=pair_order, default=None)
    return Summary(
        word=word,
        better=counts["better"],
        worse=counts["worse"],
        same=counts["same"],
        missing=counts["missing"],
        new=counts["new"],
        not_comparable=counts["not_comparable"],
        unclear=counts["unclear"],
        not_judged=counts["not_judged"],
        assumed=word != _word(of_certain),
        worst=Worst(dataset=worst.dataset, metric=worst.metric, effect=worst.effect) if worst else None,
    )


class _Change(NamedTuple):
    """The fields of the same names of ``PairDecision``."""

    change: float | None = None
    gain: float | None = None
    error_reduction: float | None = None
    effect: float | None = None
    reading: Literal["value", "error"] | None = None


class _Side(NamedTuple):
    """One side of a pair: its measurement, and the number that counts, if it has one."""

    name: str
    measurement: Measurement | None
    number: float | None
    problem: str | None

    @property
    def dataset_version(self) -> str | None:
        return self.measurement.dataset_version if self.measurement else None

    @classmethod
    def of(cls, name: str, measurement: Measurement | None, meaning: MetricContract) -> "_Side":
        number = measured_number(measurement)
        if number is None:
            return cls(name, measurement, None, None)
        return cls(name, measurement, counted_number(number, meaning), range_problem(number, meaning))


class _Noise(NamedTuple):
    """The fields of the same names of ``PairDecision``, and notes on them."""

    evidence: Evidence | None = None
    paired: Paired | None = None
    paired_levels: tuple[Paired, ...] = ()
    baseline_interval: tuple[float, float] | None = None
    candidate_interval: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


def _judge(
    pair: Pair,
    before: Measurement | None,
    after: Measurement | None,
    meaning: MetricContract,
    dataset: DatasetContract,
    compared: Compared | None,
) -> PairDecision:
    sides = _Side.of("baseline", before, meaning), _Side.of("candidate", after, meaning)
    baseline, candidate = sides[0].number, sides[1].number
    state, reason = _state(sides, meaning, dataset)
    noise = _noise(sides, state, reason, meaning, dataset.n.get(pair.metric), compared)
    if state in ("better", "worse") and noise.paired is not None and noise.paired.leaves_open:
        state = "unclear"
    notes = [*map(_side_note, sides)]
    change = _Change()
    if baseline is not None and candidate is not None:
        change = _change(baseline, candidate, meaning if state in JUDGED else None)
        notes += [_reason_note(reason, sides, meaning), _change_note(change, baseline, state, meaning)]
    if state in ("better", "worse", "unclear") and noise.paired is not None and baseline is not None:
        size = change.change if meaning.best is None else (change.gain or 0.0) * abs(baseline - meaning.best)
        notes.append(paired_note(noise.paired, size or 0.0, is_unclear=state == "unclear"))
    notes.append(_version_note(sides))
    return PairDecision(
        dataset=pair.dataset,
        metric=pair.metric,
        name=dataset.name,
        direction=meaning.direction,
        baseline=baseline,
        candidate=candidate,
        change=change.change,
        gain=change.gain,
        error_reduction=change.error_reduction,
        effect=change.effect,
        reading=change.reading,
        state=state,
        standing=meaning.standing,
        reason=reason,
        evidence=noise.evidence,
        paired=noise.paired,
        paired_levels=noise.paired_levels,
        baseline_interval=noise.baseline_interval,
        candidate_interval=noise.candidate_interval,
        interval=noise.interval,
        uncertain=noise.interval[0] <= 0 <= noise.interval[1] if noise.interval else None,
        note="; ".join(note for note in (*notes, *noise.notes) if note) or None,
    )


def _noise(
    sides: tuple[_Side, _Side],
    state: State,
    reason: Reason | None,
    meaning: MetricContract,
    n: int | None,
    compared: Compared | None,
) -> _Noise:
    """The evidence of noise in two numbers: paired before counts, before the spread of each, before that of re-runs."""
    (of_baseline, baseline_note), (of_candidate, candidate_note) = (_proportion(side, n, meaning) for side in sides)
    notes = [baseline_note, candidate_note]
    ends = [wilson(*counted) if counted else None for counted in (of_baseline, of_candidate)]
    interval = newcombe(*of_candidate, *of_baseline) if of_candidate and of_baseline else None
    evidence: Evidence | None = "counts" if interval else None
    paired: Paired | None = None
    levels: Sequence[Paired] = ()
    baseline, candidate = sides[0].number, sides[1].number
    is_comparable = state in JUDGED or reason == "unknown"
    if is_comparable and baseline is not None and candidate is not None:
        if interval is None:
            spreads = [spread_ends(side.number or 0.0, side.measurement, meaning) for side in sides]
            ends = [counted or spread for counted, spread in zip(ends, spreads, strict=True)]
            if spreads[0] and spreads[1]:
                ends = spreads
                interval = spread_interval(baseline, spreads[0], candidate, spreads[1])
                evidence = "spread" if interval else None
        evidence = evidence or ("noise" if meaning.noise is not None else None)
        finding = PairedFinding({})
        if sides[1].measurement is not None:
            finding = paired_evidence(baseline, candidate, sides[1].measurement, meaning, compared)
        paired, levels = evidence_levels(finding)
        evidence = "paired" if paired else evidence
        is_noise = is_within_rerun_noise(baseline, candidate, meaning)
        notes += [finding.problem, "within re-run noise" if is_noise else None]
    return _Noise(evidence, paired, tuple(levels), ends[0], ends[1], interval, tuple(filter(None, notes)))


def _state(
    sides: tuple[_Side, _Side], meaning: MetricContract, dataset: DatasetContract
) -> tuple[State, Reason | None]:
    """The state of a pair, and the reason where it is not comparable: the first that applies."""
    before, after = sides
    if meaning.standing == "not_a_score" or dataset.ignore:
        return "not_judged", None
    if after.measurement is None:
        return "missing", None
    if before.measurement is None and after.number is not None:
        return "new", None
    if any(side.measurement is not None and side.measurement.duplicated for side in sides):
        return "not_comparable", "duplicate"
    if before.number is None or after.number is None:
        return "not_comparable", "no_number"
    if before.problem or after.problem:
        return "not_comparable", "invalid"
    if None not in (versions := {side.dataset_version for side in sides}) and len(versions) > 1:
        return "not_comparable", "version"
    if are_on_different_scales(before.number, after.number, meaning):
        return "not_comparable", "scale"
    state = state_of(before.number, after.number, meaning)
    return state, "unknown" if state == "not_comparable" else None


def measured_number(measurement: Measurement | None) -> float | None:
    """The number of a measurement; ``None`` if it is not finite or was given more than once."""
    if measurement is None or measurement.duplicated or not math.isfinite(measurement.value):
        return None
    return float(measurement.value)


def _proportion(side: _Side, n: int | None, meaning: MetricContract) -> tuple[Proportion | None, str | None]:
    """The counted proportion of a side, and a note where its counts cannot be used."""
    if side.number is None or side.problem:
        return None, None
    proportion = counted_proportion(side.number, side.measurement, n, meaning)
    if isinstance(proportion, str):
        return None, f"no interval for the {side.name}: {proportion}"
    return proportion, None


def tolerance_reference(baseline: float, candidate: float, meaning: MetricContract) -> Decimal:
    """What a relative tolerance is a share of: the baseline's size, its errors, or its distance from the target."""
    return _reference(exact_decimal(baseline), exact_decimal(candidate), meaning)


def _reference(baseline: Decimal, candidate: Decimal, meaning: MetricContract) -> Decimal:
    if meaning.best is not None:
        return EXACT.subtract(baseline, exact_decimal(meaning.best)).copy_abs()
    top = _top(float(baseline), float(candidate), meaning)
    return baseline.copy_abs() if top is None else min(baseline.copy_abs(), EXACT.subtract(Decimal(top), baseline))


def _top(baseline: float, candidate: float, meaning: MetricContract) -> int | None:
    """The ceiling from which errors are counted; ``None`` where the numbers cannot be read as errors."""
    if meaning.direction != "higher":
        return None
    top = ceiling(baseline, candidate, meaning)
    return top if top is not None and max(baseline, candidate) <= top else None


def _exceeds(baseline: float, candidate: float, meaning: MetricContract) -> bool:
    """Whether a change is beyond both tolerances, in floats where rounding cannot matter, else in exact decimals."""
    is_clear = _exceeds_clearly(baseline, candidate, meaning)
    if is_clear is not None:
        return is_clear
    before, after = exact_decimal(baseline), exact_decimal(candidate)
    size = EXACT.subtract(after, before).copy_abs()
    if meaning.best is not None:
        best = exact_decimal(meaning.best)
        size = EXACT.subtract(_decimal_distance(after, best), _decimal_distance(before, best)).copy_abs()
    relative = EXACT.multiply(_reference(before, after, meaning), exact_decimal(meaning.effective_relative))
    return size > relative and size > exact_decimal(meaning.absolute or 0.0)


def _exceeds_clearly(baseline: float, candidate: float, meaning: MetricContract) -> bool | None:
    """``_exceeds`` in floats; ``None`` where rounding could matter, and for a target."""
    if meaning.best is not None:
        return None
    relative, absolute = meaning.effective_relative, meaning.absolute or 0.0
    top = _top(baseline, candidate, meaning)
    reference = abs(baseline) if top is None else min(abs(baseline), top - baseline)
    excess = abs(candidate - baseline) - max(relative * reference, absolute)
    sizes = abs(baseline) + abs(candidate) + (top or 0)
    return excess > 0 if abs(excess) > ROUNDING * ((1 + relative) * sizes + absolute) else None


def _decimal_distance(number: Decimal, best: Decimal) -> Decimal:
    return EXACT.subtract(number, best).copy_abs()


def _distance(number: float, best: float) -> Decimal:
    return _decimal_distance(exact_decimal(number), exact_decimal(best))


def _change(baseline: float, candidate: float, meaning: MetricContract | None) -> _Change:
    """The change, and its effect where a contract says what is better."""
    before, after = exact_decimal(baseline), exact_decimal(candidate)
    difference = EXACT.subtract(after, before)
    change = nearest_float(difference)
    if meaning is None or meaning.direction is None:
        return _Change(change)
    if meaning.best is not None:
        best = exact_decimal(meaning.best)
        size = _decimal_distance(before, best)
        improvement = EXACT.subtract(size, _decimal_distance(after, best))
        gain = nearest_float(QUOTIENT.divide(improvement, size)) if size else None
        return _Change(change, gain, None, gain, "value")
    improvement = difference if meaning.direction == "higher" else difference.copy_negate()
    gain = nearest_float(QUOTIENT.divide(improvement, before.copy_abs())) if baseline else None
    top = _top(baseline, candidate, meaning)
    errors = None if top is None else EXACT.subtract(Decimal(top), before)
    error_reduction = nearest_float(QUOTIENT.divide(improvement, errors)) if errors else None
    if errors is not None and not errors:
        return _Change(change, gain, None, None, "error")
    if gain is None:
        return _Change(change, None, error_reduction, None, "value")
    if error_reduction is not None and abs(error_reduction) > abs(gain):
        return _Change(change, gain, error_reduction, error_reduction, "error")
    return _Change(change, gain, error_reduction, gain, "value")


def exact_gain(baseline: float | None, candidate: float | None, meaning: MetricContract) -> Decimal | None:
    """The gain in decimal; 0 for equal numbers, ``None`` where it is undefined."""
    if baseline is None or candidate is None:
        return None
    before, after = exact_decimal(baseline), exact_decimal(candidate)
    if before == after:
        return Decimal()
    if meaning.best is not None:
        best = exact_decimal(meaning.best)
        size, left = _decimal_distance(before, best), _decimal_distance(after, best)
        return QUOTIENT.divide(EXACT.subtract(size, left), size) if size else None
    if not before or meaning.direction is None:
        return None
    difference = EXACT.subtract(after, before)
    improvement = difference if meaning.direction == "higher" else difference.copy_negate()
    return QUOTIENT.divide(improvement, before.copy_abs())


def _change_note(change: _Change, baseline: float, state: State, meaning: MetricContract) -> str | None:
    if state in JUDGED and meaning.direction is not None and change.effect is None:
        return no_effect_reason(meaning.direction, change.reading, baseline)
    return "too large a change to be a number" if change.change is None else None


def _reason_note(reason: Reason | None, sides: tuple[_Side, _Side], meaning: MetricContract) -> str | None:
    if reason == "unknown":
        return f"which way is better is not known{f': {meaning.reason}' if meaning.reason else ''}"
    if reason == "scale":
        written = " and ".join(stored_number(side.number) for side in sides if side.number is not None)
        return f"one number is in percent and the other a fraction: {written}"
    return None


def _version_note(sides: tuple[_Side, _Side]) -> str | None:
    before, after = sides[0].dataset_version, sides[1].dataset_version
    if before == after:
        return None
    if before is None or after is None:
        side, version = ("candidate", after) if before is None else ("baseline", before)
        return f"only the {side} names a version of the dataset: {one_line(version or '', 40)}"
    return f"different versions of the dataset: {one_line(before, 40)} and {one_line(after, 40)}"


def _side_note(side: _Side) -> str | None:
    measurement = side.measurement
    if measurement is None:
        return None
    if side.number is not None:
        return f"the {side.name}'s {stored_number(side.number)} is not valid: {side.problem}" if side.problem else None
    raw = one_line(measurement.raw or "", 80)
    if measurement.duplicated:
        return f"given more than once by the {side.name}: {raw}"
    return f"not a number in the {side.name}: {raw}"


def _word(counts: Mapping[State, int]) -> Word:
    better, worse, missing = counts["better"], counts["worse"], counts["missing"]
    if not any(counts[state] for state in JUDGED):
        return "Not comparable"
    if worse:
        return "Trade-off" if better else "Worse"
    if missing:
        return "Incomplete"
    return "Better" if better else "Too close to call"

"""Re-runs: one version evaluated several times, each time registered as a version with the label ``rerun_of``.

How far their numbers differ is noise of evaluating again; it says nothing about training again. From k runs with the
standard deviation s, a change of up to t(k − 1) × √2 × s between two versions is within that noise at 95 %, t being the
97.5 % quantile of Student's distribution. It informs, and changes no state.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import stdev
from typing import Final, NamedTuple

from paiview.decisions.decision import JUDGED, PairDecision
from paiview.decisions.pairs import measured_number
from paiview.decisions.wording import percent
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.evaluation.metric_numbers import are_on_different_scales, counted_number, range_problem
from paiview.evaluation.results import Evaluation, Pair
from paiview.evidence.student import t_quantile
from paiview.text import counted, one_line

RERUN_LABEL: Final = "rerun_of"
"""The key of the label; its value is the VersionName of the version that was evaluated again."""
MIN_RUNS: Final = 3
"""Runs from which a limit of noise is computed; of fewer only the spread is shown."""
MOST_RUNS: Final = 50
"""Runs of a version that are read."""
_LEVEL: Final = 0.95
_MAX_NAME_LENGTH: Final = 60
_MAX_LISTED: Final = 3


class Runs(NamedTuple):
    """The evaluations of one version: its own, and those of the versions that are labelled as its re-runs."""

    version: str
    evaluations: Sequence[Evaluation]


class RerunNoise(NamedTuple):
    """How far the runs of one version differ on one pair, in the metric's unit.

    Attributes:
        runs: how many have a valid number.
        spread: the largest number minus the smallest.
        share: the spread as a share of the mean's size; ``None`` for a mean of 0.
        deviation: the standard deviation of one run.
        limit: the largest change that is within the noise; ``None`` under ``MIN_RUNS`` runs.
    """

    runs: int
    spread: float
    share: float | None
    deviation: float
    limit: float | None


def rerun_noise(numbers: Sequence[float]) -> RerunNoise | None:
    """The noise in the numbers of two or more runs; ``None`` of fewer, or where it is beyond the largest float."""
    if len(numbers) < 2:
        return None
    spread, mean = max(numbers) - min(numbers), math.fsum(number / len(numbers) for number in numbers)
    if not math.isfinite(spread) or not math.isfinite(spread * spread):
        return None
    deviation = stdev(numbers)
    limit = t_quantile(_LEVEL, len(numbers) - 1) * math.sqrt(2) * deviation if len(numbers) >= MIN_RUNS else None
    return RerunNoise(len(numbers), spread, spread / abs(mean) if mean else None, deviation, limit)


def noise_of_pair(runs: Runs, pair: Pair, meaning: MetricContract) -> RerunNoise | None:
    """The noise of one pair; ``None`` where the runs cannot be compared, such as on different versions of a dataset."""
    measured = [each[pair] for each in runs.evaluations if pair in each]
    valid = [
        (measurement, counted_number(number, meaning))
        for measurement in measured
        if (number := measured_number(measurement)) is not None and range_problem(number, meaning) is None
    ]
    numbers = [number for _, number in valid]
    if len({version for measurement, _ in valid if (version := measurement.dataset_version) is not None}) > 1:
        return None
    if numbers and are_on_different_scales(min(numbers), max(numbers), meaning):
        return None
    return rerun_noise(numbers)


def rerun_sentences(
    families: Sequence[Runs], pairs: Sequence[PairDecision], metrics: Mapping[str, MetricContract]
) -> Iterator[str]:
    """What re-runs say about the changes of a decision, a sentence for each version with runs.

    Args:
        families: the runs of the baseline and of the candidate, each with two evaluations or more.
        pairs: those of the Decision.
        metrics: the contracts of metrics.
    """
    shared = [pair for pair in pairs if pair.state in JUDGED and pair.change is not None]
    for runs in families:
        noises = [
            (pair, noise)
            for pair in shared
            if (noise := noise_of_pair(runs, pair.pair, contract(pair.metric, metrics))) is not None
        ]
        if noises:
            yield _sentence(runs, noises)


def _sentence(runs: Runs, noises: Sequence[tuple[PairDecision, RerunNoise]]) -> str:
    most = max(noise.runs for _, noise in noises)
    widest, noise = max(noises, key=lambda each: each[1].share or 0.0)
    spread = f"up to {percent(noise.share).lstrip('+')} ({_name(widest)})" if noise.share else "nothing"
    opening = f"{most} runs of {one_line(runs.version, _MAX_NAME_LENGTH)} differ by {spread}"
    limited = [(pair, noise.limit) for pair, noise in noises if noise.limit is not None]
    if not limited:
        return f"{opening}; under {MIN_RUNS} runs, that says nothing about the change."
    changed = [(pair, limit) for pair, limit in limited if pair.change]
    within = [pair for pair, limit in changed if abs(pair.change or 0.0) <= limit]
    if not within:
        return f"{opening}; no change is within re-run noise."
    if len(within) == len(changed) == 1:
        return f"{opening}; the change is within re-run noise."
    names = ", ".join(map(_name, within[:_MAX_LISTED]))
    more = f" and {len(within) - _MAX_LISTED} more" if len(within) > _MAX_LISTED else ""
    verb = "is" if len(within) == 1 else "are"
    return f"{opening}; {len(within)} of {counted(len(changed), 'change')} {verb} within re-run noise: {names}{more}."


def _name(pair: PairDecision) -> str:
    dataset = one_line(pair.name or pair.dataset, _MAX_NAME_LENGTH)
    return f"{one_line(pair.metric, _MAX_NAME_LENGTH)} on {dataset}"

"""Whether the difference between two versions is more than chance, and the evidence to register with the candidate."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

import numpy as np

from paiview.evaluation.metric_meaning import catalogue_contract
from paiview.evidence.finding import Interval, Significance
from paiview.evidence.item_records import ItemsError, Kind
from paiview.evidence.items import GroupSource, ItemSource, groups_by_item, read_items
from paiview.evidence.pairing import pair_items
from paiview.evidence.resampling import (
    Floats,
    GroupSums,
    Progress,
    change_between,
    group_sums,
    percentile_interval,
    ratios,
    redrawn_changes,
    standard_error,
    t_interval,
)
from paiview.evidence.sentences import sentences_of
from paiview.evidence.student import two_sided_probability
from paiview.pai.errors import ParameterError
from paiview.text import one_line

DEFAULT_DRAWS: Final = 10_000
MAX_DRAWS: Final = 1_000_000
MIN_DRAWS: Final = 100
STATE_LEVEL: Final = 0.95
"""Of the interval that says better, worse or unclear."""
MIN_BOOTSTRAP_GROUPS: Final = 50
"""Percentile intervals of fewer groups are too narrow; the interval is t × standard error then."""
_MIN_TAIL_DRAWS: Final = 10
"""Draws that must lie beyond each end of an interval for its percentiles to be steady."""
_PERCENT: Final = 100.0


def significance(
    baseline: ItemSource,
    candidate: ItemSource,
    *,
    metric: str | None = None,
    baseline_version: str | None = None,
    baseline_model: str | None = None,
    group: str | None = None,
    groups: GroupSource | None = None,
    seed: int = 0,
    draws: int = DEFAULT_DRAWS,
    levels: Sequence[float] = (),
    direction: Literal["lower", "higher"] | None = None,
    target: float | None = None,
    percent: bool = False,
    progress: Progress | None = None,
) -> Significance:
    """Compare two versions on the same items, and say how far the difference could be chance.

    The metric is errors by n, both summed over all items, or the mean of the values. Groups of items that belong
    together, such as the utterances of a speaker or a conversation, are drawn again as wholes. docs/significance.md
    describes files and method.

    Args:
        baseline: the results of the version to compare with: the path of JSON Lines, CSV or the output of compute-wer,
            or rows in memory with the same fields.
        candidate: those of the version to judge, on the same items.
        metric: the name of the metric in PAI; by default ``wer`` or ``cer`` after the format, ``error_rate`` or
            ``mean``.
        baseline_version: the VersionName of the baseline. Evidence without one is not used.
        baseline_model: its ModelId, if it belongs to another model than the candidate.
        group: the column that holds the group; by default the one with a known name.
        groups: the group of each item, or a file of them such as utt2spk, in place of a column.
        seed: the same seed gives the same digits.
        draws: how many times the groups are drawn again.
        levels: the confidence of further intervals, above 0 and below 1. One of 0.95 is always made: states follow it.
        direction: which way is better; by default what the catalogue of metrics knows, and fewer errors are better.
        target: the best number of the metric, if neither way is better.
        percent: whether the metric is registered in percent: all numbers are 100 times the ratio.
        progress: is told how many draws of how many are done.

    Raises:
        ItemsError: a file cannot be read, or the two do not belong together.
        ParameterError: an argument has a value that it cannot have.
    """
    _require_usable(seed, draws, levels, direction, target)
    levels = (STATE_LEVEL, *(level for level in levels if level != STATE_LEVEL))
    before, after = read_items(baseline, "baseline", group), read_items(candidate, "candidate", group)
    paired = pair_items(before, after, groups_by_item(groups))
    if paired.group_count == 1:
        noun = "item" if paired.labels is None else paired.group_noun
        raise ItemsError(f"There is only one {noun}: no spread can be seen from it.")
    name = metric or paired.metric
    way, best = _meaning(name, paired.kind, direction, target)
    sums = group_sums(paired, _PERCENT if percent else 1.0)
    first, second = ratios(sums)
    change = change_between(first, second, best)
    changes = redrawn_changes(sums, draws, seed, best, progress)
    made = _bootstrap if paired.group_count >= MIN_BOOTSTRAP_GROUPS else _student
    intervals, sides = made(sums, change, changes, best, levels)
    finding = Significance(
        metric=name,
        direction=way,
        target=best,
        baseline=first,
        candidate=second,
        change=change,
        intervals=intervals,
        p_not_lower=sides[0],
        p_not_higher=sides[1],
        method="bootstrap" if made is _bootstrap else "t",
        draws=draws,
        seed=seed,
        items=paired,
        changes=changes,
        baseline_version=baseline_version,
        baseline_model=baseline_model,
        remarks=(*paired.remarks, *_few_draws(draws, levels, made is _bootstrap)),
    )
    return replace(finding, sentences=tuple(sentences_of(finding)))


def _bootstrap(
    _sums: GroupSums, _change: float, changes: Floats, _target: float | None, levels: Sequence[float]
) -> tuple[tuple[Interval, ...], tuple[float, float]]:
    """Intervals by percentiles, and the one-sided p that the change is not below and not above 0.

    With k draws on the wrong side p is (k + 1) / (draws + 1) (Davison and Hinkley, Bootstrap Methods and their
    Application, 1997, section 4.2): never 0, for more draws might have found one.
    """
    intervals = tuple(Interval(level, *percentile_interval(changes, level)) for level in levels)
    not_lower, not_higher = int(np.count_nonzero(changes >= 0)), int(np.count_nonzero(changes <= 0))
    return intervals, ((not_lower + 1) / (len(changes) + 1), (not_higher + 1) / (len(changes) + 1))


def _student(
    sums: GroupSums, change: float, _changes: Floats, target: float | None, levels: Sequence[float]
) -> tuple[tuple[Interval, ...], tuple[float, float]]:
    """Intervals by Student's t, and the one-sided p that the change is not below and not above 0."""
    groups = len(sums.baseline)
    error = standard_error(sums, target)
    intervals = tuple(Interval(level, *t_interval(change, error, groups, level)) for level in levels)
    if not error:
        return intervals, (float(change >= 0), float(change <= 0))
    tail = two_sided_probability(change / error, groups - 1) / 2
    return intervals, (tail, 1 - tail) if change < 0 else (1 - tail, tail)


def _meaning(
    metric: str, kind: Kind, direction: Literal["lower", "higher"] | None, target: float | None
) -> tuple[Literal["lower", "higher"] | None, float | None]:
    """Which way is better, and the target if there is one.

    Raises:
        ItemsError: errors are given for a metric of which fewer is not better: its change would have the wrong sign.
    """
    meaning = catalogue_contract(metric)
    if direction is None and target is None and meaning.standing == "known":
        target = meaning.best
        direction = meaning.direction if meaning.direction in ("lower", "higher") else None
    if kind == "errors":
        if direction == "higher" or target is not None:
            raise ItemsError(
                f"The files hold errors, but fewer errors are not a better {one_line(metric, 60)}: give its value for "
                "each item, or name the metric that the errors are of."
            )
        return "lower", None
    return ("lower", target) if target is not None else (direction, None)


def _require_usable(
    seed: int, draws: int, levels: Sequence[float], direction: str | None, target: float | None
) -> None:
    if seed < 0:
        raise ParameterError("The seed must be at least 0.")
    if not MIN_DRAWS <= draws <= MAX_DRAWS:
        raise ParameterError(f"The draws must be {MIN_DRAWS:,} to {MAX_DRAWS:,}.")
    if not all(0 < level < 1 for level in levels):
        raise ParameterError("A level must be above 0 and below 1, such as 0.99.")
    if direction not in (None, "lower", "higher"):
        raise ParameterError("The direction must be lower or higher.")
    if direction is not None and target is not None:
        raise ParameterError("A metric has a direction or a target, not both.")


def _few_draws(draws: int, levels: Sequence[float], is_bootstrap: bool) -> list[str]:
    few = [level for level in levels if (1 - level) / 2 * draws < _MIN_TAIL_DRAWS]
    if not (few and is_bootstrap):
        return []
    needed = max(round(2 * _MIN_TAIL_DRAWS / (1 - level)) for level in few)
    return [f"{draws:,} draws are few for a level of {max(few):g}: {needed:,} would make it steady."]

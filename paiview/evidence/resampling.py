"""How far a change between two versions could be chance: whole groups drawn again, or a standard error where few are.

- **Paired bootstrap over groups** (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13): as
  many groups as there are, drawn with replacement, each with the results of both versions, so that what makes an item
  hard for both cancels out. The interval is between the percentiles of the changes of all draws.
- **Ratio of sums**: errors of all drawn groups by words of all drawn groups (corpus error rate), not a mean of rates.
- **Linearised standard error** of the change of ratios (Cochran, Sampling Techniques, 1977, chapter 6, with groups as
  primary units), with Student's t of G − 1 degrees of freedom. Percentile intervals of few groups are too narrow.
"""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paiview.evidence.item_records import ItemsError
from paiview.evidence.pairing import PairedItems
from paiview.evidence.student import t_quantile

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]
"""Is told after each part of the work how many draws of how many are done."""

_CHUNK_CELLS: Final = 2**18
"""Groups drawn in one go: 2 MB of indexes, which stay in the cache of the processor. Another number changes digits."""
_ALIKE: Final = 8
"""Groups of each kind, on average, from which on it is faster to draw how many there are of each kind."""


class GroupSums(NamedTuple):
    """The sums of each group; each has the shape (G,).

    Attributes:
        baseline: errors or values of the baseline.
        baseline_sizes: what its errors are counted in, or how many values there are.
        candidate, candidate_sizes: likewise of the candidate.
    """

    baseline: Floats
    baseline_sizes: Floats
    candidate: Floats
    candidate_sizes: Floats


def group_sums(items: PairedItems, factor: float = 1.0) -> GroupSums:
    """Add up the items of each group; amounts times a factor, such as 100 for a metric in percent."""
    rows = [row for pair in zip(items.amounts, items.sizes, strict=True) for row in pair]
    sums = [np.bincount(items.groups, row, items.group_count).astype(np.float64) for row in rows]
    return GroupSums(factor * sums[0], sums[1], factor * sums[2], sums[3])


def ratios(sums: GroupSums) -> tuple[float, float]:
    """The metric of the baseline and of the candidate: their ratios of sums."""
    return (
        float(sums.baseline.sum() / sums.baseline_sizes.sum()),
        float(sums.candidate.sum() / sums.candidate_sizes.sum()),
    )


def change_between(baseline: float, candidate: float, target: float | None = None) -> float:
    """Candidate minus baseline; of a metric with a target, of their distances from it."""
    return candidate - baseline if target is None else abs(candidate - target) - abs(baseline - target)


def redrawn_changes(
    sums: GroupSums, draws: int, seed: int, target: float | None = None, progress: Progress | None = None
) -> Floats:
    """The change in each of many draws of the groups with replacement.

    Memory is bounded: a part of the draws is made in one go, of ``_CHUNK_CELLS`` groups or of one draw. Where many
    groups are alike, as short utterances without groups are, a draw is how many of each kind it has: by a multinomial
    distribution, which is the same draw and a hundred times faster for 100,000 items.

    Args:
        sums: of G groups.
        draws: how many.
        seed: the same seed gives the same draws, with the same version of numpy.
        target: the best number of the metric, if neither way is better.
        progress: is told how far it is.

    Returns:
        Shape (draws,).

    Raises:
        ItemsError: in a draw nothing is counted at all, because nearly all groups are empty.
    """
    groups = len(sums.baseline)
    generator = np.random.default_rng(seed)
    changes = np.empty(draws)
    columns = _columns(sums, target)
    kinds, counts = np.unique(columns, axis=1, return_counts=True)
    are_alike = len(counts) * _ALIKE <= groups
    rows = max(1, _CHUNK_CELLS // (len(counts) if are_alike else groups))
    for start in range(0, draws, rows):
        part = slice(start, min(start + rows, draws))
        if are_alike:
            times = generator.multinomial(groups, counts / groups, size=part.stop - start)
            totals = [times @ kind for kind in kinds]
        else:
            drawn = generator.integers(0, groups, size=(part.stop - start, groups))
            totals = [column[drawn].sum(axis=1) for column in columns]
        if not all(total.imag.all() for total in totals):
            raise ItemsError("Nearly all groups have an n of 0: too few are left to draw from.")
        sides = [total.real / total.imag for total in totals]
        changes[part] = sides[0] if len(sides) == 1 else _changes(sides[0], sides[1], target)
        if progress is not None:
            progress(part.stop, draws)
    return changes


def _columns(sums: GroupSums, target: float | None) -> NDArray[np.complex128]:
    """Amounts as real and sizes as imaginary parts: one look-up fetches both, which takes half the time.

    Shape (1, G) or (2, G).

    Where both sides have the same sizes, as those scored on the same references have, their difference is enough.
    """
    if target is None and np.array_equal(sums.baseline_sizes, sums.candidate_sizes):
        return np.stack([sums.candidate - sums.baseline + 1j * sums.baseline_sizes])
    return np.stack([sums.baseline + 1j * sums.baseline_sizes, sums.candidate + 1j * sums.candidate_sizes])


def _changes(baseline: Floats, candidate: Floats, target: float | None) -> Floats:
    return candidate - baseline if target is None else np.abs(candidate - target) - np.abs(baseline - target)


def percentile_interval(changes: Floats, level: float) -> tuple[float, float]:
    """The percentiles that leave out half of 1 − ``level`` of the changes on each side."""
    low, high = np.quantile(changes, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def standard_error(sums: GroupSums, target: float | None = None) -> float:
    """The linearised standard error of the change.

    What each group adds to the change, to first order, is ``(b_g − B n_g) / Σn − (a_g − A m_g) / Σm`` with the ratios
    A and B; of a metric with a target each part has the sign of its side's distance. The sum of their squares times
    G / (G − 1) is the squared standard error.
    """
    before, after = ratios(sums)
    signs = (1.0, 1.0) if target is None else (math.copysign(1, before - target), math.copysign(1, after - target))
    parts = signs[1] * _influence(sums.candidate, sums.candidate_sizes, after) - signs[0] * _influence(
        sums.baseline, sums.baseline_sizes, before
    )
    groups = len(parts)
    return math.sqrt(float(parts @ parts) * groups / (groups - 1))


def _influence(amounts: Floats, sizes: Floats, ratio: float) -> Floats:
    return (amounts - ratio * sizes) / float(sizes.sum())


def t_interval(change: float, error: float, groups: int, level: float) -> tuple[float, float]:
    """The change ± Student's t of ``groups − 1`` degrees of freedom times its standard error."""
    half = t_quantile(level, groups - 1) * error
    return change - half, change + half

"""Whether a candidate is no worse than its baseline by more than a margin, by paired evidence.

A pass holds for each pair by itself. Of several pairs some seem worse by chance alone, so that a fail is corrected for
how many have evidence (Holm, A simple sequentially rejective multiple test procedure, 1979).
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from paiview.decisions.decision import PairDecision, Paired
from paiview.decisions.exact import EXACT, exact_decimal
from paiview.decisions.noise import normal_quantile, settling_text
from paiview.decisions.pairs import tolerance_reference
from paiview.evaluation.metric_meaning import MetricContract


class NoiseTest(NamedTuple):
    """A pair with paired evidence. Improvements are in the metric's unit, and positive is better.

    Attributes:
        pair: the pair.
        paired: its evidence.
        improvement: of the candidate over the baseline; with a target, how much nearer it is.
        low, high: the interval of the improvement.
        margin: the largest loss that is allowed, above 0 or 0; the baseline's number counts as exact.
    """

    pair: PairDecision
    paired: Paired
    improvement: Decimal
    low: Decimal
    high: Decimal
    margin: Decimal

    @property
    def holds(self) -> bool:
        """Whether the whole interval is within the margin."""
        return self.low >= -self.margin

    @property
    def is_beyond(self) -> bool:
        """Whether the whole interval is beyond the margin."""
        return self.high < -self.margin

    @property
    def p(self) -> float:
        """Approximate one-sided p that the loss is not beyond the margin."""
        distance = float(self.improvement + self.margin)
        width = float(self.high - self.low)
        if not width:
            return float(distance >= 0)
        z = 2 * normal_quantile(self.paired.level) * distance / width
        return 0.5 * math.erfc(-z / math.sqrt(2))

    @property
    def settling(self) -> str:
        """How many more groups of items would settle it."""
        return settling_text(self.paired, float(self.improvement + self.margin))


def noise_test(pair: PairDecision, paired: Paired, meaning: MetricContract, margin: float) -> NoiseTest | None:
    """The pair with its evidence; ``None`` where the numbers or the direction are not known.

    Args:
        pair: the pair.
        paired: its evidence at the level that the rule asks for.
        meaning: the metric's contract.
        margin: a share of what a relative tolerance is a share of; 0 without one.
    """
    if pair.baseline is None or pair.candidate is None or meaning.direction is None:
        return None
    before, after = exact_decimal(pair.baseline), exact_decimal(pair.candidate)
    low, high = exact_decimal(paired.low), exact_decimal(paired.high)
    if meaning.best is not None:
        best = exact_decimal(meaning.best)
        improvement = EXACT.subtract(EXACT.subtract(before, best).copy_abs(), EXACT.subtract(after, best).copy_abs())
    else:
        change = EXACT.subtract(after, before)
        improvement = change if meaning.direction == "higher" else change.copy_negate()
    if meaning.direction != "higher":
        low, high = high.copy_negate(), low.copy_negate()
    size = EXACT.multiply(exact_decimal(margin), tolerance_reference(pair.baseline, pair.candidate, meaning))
    return NoiseTest(pair, paired, improvement, low, high, size)


def failing(tests: Sequence[NoiseTest], level: float) -> list[NoiseTest]:
    """The pairs that are worse beyond the margin, also after the correction for how many were tested.

    Args:
        tests: every pair of one rule that has evidence.
        level: of the intervals; the test is one-sided, at half of what is outside of them.
    """
    if len(tests) == 1:
        return [each for each in tests if each.is_beyond]
    alpha = (1 - level) / 2
    failures: list[NoiseTest] = []
    for rank, each in enumerate(sorted(tests, key=lambda test: test.p)):
        if each.p > alpha / (len(tests) - rank):
            break
        if each.is_beyond:
            failures.append(each)
    return failures

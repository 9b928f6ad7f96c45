"""Approval statuses for versions whose source publishes none.

The numbers of the embedded registry are published; **the statuses are this demonstration's own**, given by one rule on
the family's primary metric. In version order:

1. The newest three versions stay Pending: they are there to be reviewed.
2. The first version with results in the primary metric is Approved.
3. A later one is compared with the last Approved one before it, over the datasets on which both have the primary
   metric. When its mean gain over these is positive it is Approved, else Rejected.
4. One that shares no such dataset, or has no result in the primary metric, stays Pending.

The gain on a dataset is ``(a - b) / |a|`` where lower is better and ``(b - a) / |a|`` where higher is, with a the
Approved and b the later value. A dataset with a = 0 has no gain and does not count. The arithmetic is exact on the
decimals as published, so that a mean of zero is zero.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

PENDING: Final = "Pending"
APPROVED: Final = "Approved"
REJECTED: Final = "Rejected"
_KEPT_FOR_REVIEW: Final = 3

RULE: Final = (
    "Numbers are published; approval statuses are not, and are this demonstration's own. On the primary metric, in "
    "version order: the first version with results is Approved; a later one is Approved when its mean gain over the "
    "datasets it shares with the last Approved one is positive, else Rejected; one that shares none, and the newest "
    "three, stay Pending."
)


def statuses(values: Sequence[Mapping[str, float]], *, lower_is_better: bool) -> list[str]:
    """Give each version a status by the rule of this module.

    Args:
        values: for each version, in version order, the primary metric by dataset; empty without results.
        lower_is_better: the direction of the metric.

    Returns:
        A status for each version.
    """
    result = [PENDING] * len(values)
    approved: Mapping[str, Fraction] | None = None
    for place, published in enumerate(values[: max(0, len(values) - _KEPT_FOR_REVIEW)]):
        exact = {dataset: Fraction(str(value)) for dataset, value in published.items()}
        if not exact:
            continue
        if approved is None:
            gain = Fraction(1)
        else:
            gains = _gains(approved, exact, lower_is_better=lower_is_better)
            if not gains:
                continue
            gain = sum(gains, Fraction(0)) / len(gains)
        result[place] = APPROVED if gain > 0 else REJECTED
        if gain > 0:
            approved = exact
    return result


def _gains(before: Mapping[str, Fraction], after: Mapping[str, Fraction], *, lower_is_better: bool) -> list[Fraction]:
    sign = -1 if lower_is_better else 1
    return [sign * (after[dataset] - a) / abs(a) for dataset, a in before.items() if dataset in after and a]

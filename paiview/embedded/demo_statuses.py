"""Approval statuses of the published versions.

The numbers of the embedded registry are published; **the statuses are invented for this demonstration** by one rule on
the primary metric of the family. In version order:

1. The newest three versions stay Pending, so that there is something to review.
2. The first version with a result in the primary metric is Approved.
3. A later version is compared with the last Approved one before it, on the datasets where both have the primary
   metric. It is Approved if its mean gain is positive, otherwise Rejected.
4. A version without such a dataset, or without a result in the primary metric, stays Pending.

The gain on a dataset is ``(a - b) / |a|`` if lower is better and ``(b - a) / |a|`` if higher is better, where a is the
value of the Approved version and b the later one. A dataset with a = 0 does not count. The arithmetic is exact on the
published decimals, so that a mean of zero is zero.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

PENDING: Final = "Pending"
APPROVED: Final = "Approved"
REJECTED: Final = "Rejected"
_PENDING_VERSIONS: Final = 3

RULE: Final = (
    "Numbers are published; approval statuses are not, and are this demonstration's own. On the primary metric, in "
    "version order: the first version with results is Approved; a later one is Approved when its mean gain over the "
    "datasets it shares with the last Approved one is positive, else Rejected; one that shares none, and the newest "
    "three, stay Pending."
)


def statuses(values: Sequence[Mapping[str, float]], *, lower_is_better: bool) -> list[str]:
    """Apply the rule of this module.

    Args:
        values: for each version, in version order, the primary metric by dataset.
        lower_is_better: the direction of the metric.

    Returns:
        The status of each version.
    """
    result = [PENDING] * len(values)
    approved: Mapping[str, Fraction] | None = None
    for index, published in enumerate(values[: max(0, len(values) - _PENDING_VERSIONS)]):
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
        result[index] = APPROVED if gain > 0 else REJECTED
        if gain > 0:
            approved = exact
    return result


def _gains(before: Mapping[str, Fraction], after: Mapping[str, Fraction], *, lower_is_better: bool) -> list[Fraction]:
    sign = -1 if lower_is_better else 1
    return [sign * (after[dataset] - a) / abs(a) for dataset, a in before.items() if dataset in after and a]

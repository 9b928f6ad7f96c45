"""What a comparison of two versions on the same items found, and what of it is registered with the candidate."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from paiview.evaluation.noise_evidence import MIN_DECIDING_GROUPS
from paiview.evidence.pairing import PairedItems
from paiview.evidence.resampling import Floats
from paiview.pai.objects import MAX_METRICS_BYTES

State = Literal["better", "worse", "changed", "unclear", "same"]
"""``changed``: more than chance, but which way is better is not known. ``unclear``: the interval holds 0."""

_SIGNIFICANT_DIGITS: Final = 6
"""Of registered numbers: more would only take room."""
_NEARLY_FULL: Final = 0.9
"""The share of the room for Metrics from which on it is worth a warning."""


class Interval(NamedTuple):
    """Where the change lies with some confidence: ``level`` is a share such as 0.95."""

    level: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Significance:
    """A change between two versions on the same items, and how far it could be chance.

    Attributes:
        metric: the name of the metric.
        direction: which way is better, of a metric with a target the distance from it; ``None`` when not known.
        target: the best number of the metric, if neither way is better.
        baseline: the metric of the baseline, over all items.
        candidate: that of the candidate.
        change: candidate minus baseline; with a target, of their distances from it.
        intervals: of the change: that of 95 %, which states and sentences follow, then those of further levels.
        p_not_lower: one-sided p that the candidate is not lower: where few draws rise, it is small.
        p_not_higher: likewise that it is not higher.
        method: ``bootstrap``: percentiles of draws; ``t``: Student's t × standard error, under 50 groups.
        draws: how many draws ``changes`` has.
        seed: of the draws.
        items: the items of both versions.
        changes: shape (draws,), the change in each draw of the groups, in the order of the draws.
        baseline_version: the VersionName of the baseline; ``None`` if not given.
        baseline_model: its ModelId; ``None`` for the candidate's own model.
        remarks: sentences about what is odd.
        sentences: the result in words, the answer first.
    """

    metric: str
    direction: Literal["lower", "higher"] | None
    target: float | None
    baseline: float
    candidate: float
    change: float
    intervals: tuple[Interval, ...]
    p_not_lower: float
    p_not_higher: float
    method: Literal["bootstrap", "t"]
    draws: int
    seed: int
    items: PairedItems
    changes: Floats = field(repr=False)
    baseline_version: str | None = None
    baseline_model: str | None = None
    remarks: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """How many items were compared."""
        return len(self.items.ids)

    @property
    def groups(self) -> int:
        """How many groups were drawn from; without groups the items."""
        return self.items.group_count

    @property
    def p(self) -> float:
        """Two-sided p: twice the smaller of the one-sided ones."""
        return min(1.0, 2 * min(self.p_not_lower, self.p_not_higher))

    @property
    def p_not_better(self) -> float | None:
        """One-sided p that the candidate is not better; ``None`` when the direction is not known."""
        sides = {"lower": self.p_not_lower, "higher": self.p_not_higher}
        return None if self.direction is None else sides[self.direction]

    @property
    def state(self) -> State:
        """What the interval of 95 % says; ``decides`` says whether that counts."""
        _, low, high = self.intervals[0]
        if low == high == 0:
            return "same"
        if low <= 0 <= high:
            return "unclear"
        if self.direction is None:
            return "changed"
        return "better" if (self.change < 0) is (self.direction == "lower") else "worse"

    @property
    def decides(self) -> bool:
        """Whether there are enough groups for more than a hint."""
        return self.groups >= MIN_DECIDING_GROUPS

    @property
    def paired(self) -> dict[str, list[dict[str, Any]]]:
        """What to register beside ``Metrics`` as ``Paired``: by metric, an entry for each level."""
        distance = {} if self.target is None else {"of": "distance"}
        return {
            self.metric: [
                {
                    "baseline": self.baseline_version,
                    "model": self.baseline_model,
                    **distance,
                    "change": _rounded(self.change),
                    "low": _rounded(interval.low),
                    "high": _rounded(interval.high),
                    "level": interval.level,
                    "method": self.method,
                    "draws": self.draws if self.method == "bootstrap" else 0,
                    "n": self.n,
                    "groups": self.groups,
                }
                for interval in self.intervals
            ]
        }


def tree(found: Significance) -> dict[str, Any]:
    """A finding as JSON, without the items and the draws; ``Paired`` is what to register."""
    names = (
        "metric direction target baseline candidate change p p_not_better method draws seed n groups state decides "
        "sentences remarks"
    )
    intervals = [interval._asdict() for interval in found.intervals]
    facts = {name: getattr(found, name) for name in names.split()}
    return {**facts, "intervals": intervals, "Paired": found.paired}


def metrics_size_warning(metrics: Mapping[str, Any]) -> str | None:
    """A sentence when the Metrics of a version nearly take the room that PAI gives them, or more; else ``None``.

    Args:
        metrics: as they are to be registered, evidence included.
    """
    size = compact_size(metrics)
    if size < _NEARLY_FULL * MAX_METRICS_BYTES:
        return None
    taken = f"Metrics take {size:,} bytes"
    if size > MAX_METRICS_BYTES:
        return f"{taken}, but PAI accepts at most {MAX_METRICS_BYTES:,}: leave out intervals of other levels first."
    return f"{taken} of the {MAX_METRICS_BYTES:,} that PAI accepts."


def compact_size(tree: Any) -> int:
    """The bytes of a value as PAI counts them: compact JSON in UTF-8."""
    return len(json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def _rounded(number: float) -> float:
    return float(f"{number:.{_SIGNIFICANT_DIGITS}g}")

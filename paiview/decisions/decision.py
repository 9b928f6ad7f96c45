"""The Decision: one object for the page, the command line, the HTTP API and the report.

Its numbers are those of the registry; none is rounded. ``pairs`` judges the pairs and sums them up, ``averages``
averages them, ``policy`` applies the rules and ``lineage`` chooses the baseline and assembles the Decision.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from paiview.evaluation.metric_meaning import Direction, MetricContract, Standing
from paiview.evaluation.results import Pair
from paiview.text import shorten_front

State = Literal["better", "worse", "same", "unclear", "missing", "new", "not_comparable", "not_judged"]
Word = Literal["Better", "Worse", "Trade-off", "Incomplete", "Too close to call", "Not comparable"]
RuleOutcome = Literal["pass", "fail", "undecided", "not_applicable"]
Overall = Literal["pass", "fail", "undecided"]
Reason = Literal["unknown", "scale", "version", "duplicate", "invalid", "no_number"]
Evidence = Literal["paired", "counts", "spread", "noise"]
DoubtKind = Literal["assumed", "unknown", "scale", "version", "duplicate", "invalid", "unmatched", "listing", "order"]

JUDGED: Final[tuple[State, ...]] = ("better", "worse", "same", "unclear")
"""The states of pairs whose two numbers are compared."""
BY_CONCERN: Final[tuple[State, ...]] = (
    "worse",
    "missing",
    "not_comparable",
    "unclear",
    "better",
    "same",
    "new",
    "not_judged",
)
"""The states in the order of ``Decision.pairs``, the one that most needs a reviewer's attention first."""
BY_URGENCY: Final[tuple[RuleOutcome, ...]] = ("fail", "undecided", "pass", "not_applicable")
GLYPHS: Final[Mapping[State, str]] = {
    "better": "▲",
    "worse": "▼",
    "same": "=",
    "unclear": "≈",
    "missing": "○",
    "new": "✚",
    "not_comparable": "?",
    "not_judged": "–",
}
"""A mark for each state, shown beside its colour."""
_MAX_NAME_LENGTH: Final = 80


def spoken(state: State) -> str:
    """A state in words."""
    return state.replace("_", " ")


def sentence_of(pieces: Sequence[str], names: Mapping[str, str]) -> str:
    """The sentence that a rule's pieces make.

    Args:
        pieces: ``RuleResult.pieces``, text and datasets in turn.
        names: dataset to display name; a dataset without one appears by its id. Long names lose their front.
    """
    return "".join(
        shorten_front(names.get(piece, piece), _MAX_NAME_LENGTH) if index % 2 else piece
        for index, piece in enumerate(pieces)
    )


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paired(_Part):
    """The interval of a change from a comparison of both versions on the same items.

    Attributes:
        low, high: of candidate minus baseline, in the metric's unit; with a target, of their distances from it.
        level: its confidence, a share such as 0.95.
        n: how many items were compared; ``None`` where the evidence does not say.
        groups: how many groups of items were drawn from; ``None`` where the evidence does not say.
        decides: whether there are enough groups for more than a hint.
    """

    low: float
    high: float
    level: float
    n: int | None = None
    groups: int | None = None
    decides: bool = True

    @property
    def holds_zero(self) -> bool:
        """Whether no change at all is within the interval."""
        return self.low <= 0 <= self.high

    @property
    def leaves_open(self) -> bool:
        """Whether a change may be chance, by enough groups to say so."""
        return self.decides and self.holds_zero


class PairDecision(_Part):
    """One metric on one dataset. Values are in the metric's unit; shares are fractions, and positive is better.

    Attributes:
        dataset: DatasetId or canonical Uri, with split, subset and config in brackets; the target of its alias; or
            ``(no dataset)``.
        metric: the name in the registry, or the target of its alias.
        name: the dataset's configured display name.
        direction: which way is better; ``None`` when it is unknown.
        baseline, candidate: the numbers; ``None`` where a side has none, or more than one. In a metric stored with
            mixed scales, a fraction is given times 100.
        change: candidate minus baseline.
        gain: the change as a share of the baseline's size; ``None`` from zero. With a target, the share by which the
            distance to it shrank.
        error_reduction: for a higher-is-better metric that ends at 1 (or 100 %), the share of errors that is gone;
            ``None`` from no errors.
        effect: gain or error reduction, whichever is larger in size; ``None`` where that is undefined.
        reading: which of the two ``effect`` is.
        state: the judgement.
        standing: how sure the direction is, of ``MetricContract``.
        reason: why the pair is not comparable; ``None`` where it is.
        evidence: what is known of the noise in the two numbers; ``None`` without.
        paired: the interval of 95 % of a comparison on the same items. Where it decides and holds 0, a change beyond
            tolerance is unclear.
        paired_levels: those of other levels, which only a rule that asks for one uses.
        baseline_interval, candidate_interval: the interval of each side: Wilson's where its items were counted, else
            that of the metrics beside it.
        interval: the interval of the change from those of both sides, as if they had run on different items.
        uncertain: whether ``interval`` holds zero; ``None`` without one. It changes no state.
        note: remarks on this pair, in words.
    """

    dataset: str
    metric: str
    name: str | None = None
    direction: Direction | None
    baseline: float | None
    candidate: float | None
    change: float | None
    gain: float | None
    error_reduction: float | None
    effect: float | None
    reading: Literal["value", "error"] | None
    state: State
    standing: Standing = "unknown"
    reason: Reason | None = None
    evidence: Evidence | None = None
    paired: Paired | None = None
    paired_levels: tuple[Paired, ...] = ()
    baseline_interval: tuple[float, float] | None = None
    candidate_interval: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None
    uncertain: bool | None = None
    note: str | None = None

    @property
    def pair(self) -> Pair:
        """The metric and the dataset."""
        return Pair(self.metric, self.dataset)

    @property
    def is_certain(self) -> bool:
        """Whether the direction is declared or known, so that the pair may decide."""
        return self.standing in ("declared", "known")

    @property
    def has_changed(self) -> bool:
        """Whether both sides have a number and they differ."""
        return self.baseline is not None and self.candidate is not None and self.baseline != self.candidate


class Worst(_Part):
    """The worse pair with the worst effect."""

    dataset: str
    metric: str
    effect: float | None


class Summary(_Part):
    """The word, and how many pairs have each state.

    ``assumed`` says that the word would differ without the pairs whose direction is assumed.
    """

    word: Word
    better: int
    worse: int
    same: int
    missing: int
    new: int
    not_comparable: int
    unclear: int = 0
    not_judged: int = 0
    assumed: bool = False
    worst: Worst | None


class Average(_Part):
    """Means of one metric over the ``n`` datasets on which both sides have a number. An undefined mean is ``None``.

    Attributes:
        metric: the metric; different metrics are never averaged together.
        n: the number of datasets.
        macro_baseline, macro_candidate: arithmetic means, in the metric's unit.
        geometric_ratio: geometric mean of candidate divided by baseline; all numbers must be above 0.
        mean_gain: arithmetic mean of the gains.
        disagree: whether the means have different winners.
        turned_by: datasets each of which, left out alone, turns the sign of the mean gain.
    """

    metric: str
    n: int
    macro_baseline: float | None
    macro_candidate: float | None
    geometric_ratio: float | None
    mean_gain: float | None
    disagree: bool
    turned_by: tuple[str, ...] = ()


class PairRef(_Part):
    """A pair by its names."""

    dataset: str
    metric: str


class Doubt(_Part):
    """Something that keeps a decision open until somebody settles or accepts it.

    Attributes:
        kind: what is in doubt.
        sentence: the doubt and what settles it, with datasets by their display names, else by their ids.
        pieces: the sentence as text and datasets in turn, as in ``RuleResult``.
        pairs: the pairs that it is about; empty where it is about the baseline or a rule.
        toml: lines of paiview.toml that settle it; ``None`` where the data have to.
        accepted: whether the policy accepts it, so that it keeps nothing open.
    """

    kind: DoubtKind
    sentence: str
    pieces: tuple[str, ...] = ()
    pairs: tuple[PairRef, ...] = ()
    toml: str | None = None
    accepted: bool = False


class RuleResult(_Part):
    """The result of one rule of the policy.

    Attributes:
        rule: the name of the kind of rule.
        result: its outcome.
        sentence: the finding, with datasets by their display names, else by their ids.
        pieces: the sentence as text and datasets (as in ``pairs``) in turn; empty when it names no dataset.
    """

    rule: str
    result: RuleOutcome
    sentence: str
    pieces: tuple[str, ...] = ()


class Decision(_Part):
    """Is the candidate better than the baseline, pair by pair, and may it be approved?

    ``baseline`` and ``baseline_model`` are ``None`` without a baseline; ``baseline_reason`` then says why. ``pairs``
    are in the order of ``BY_CONCERN``, the largest effects first, then by metric and dataset. Fingerprints are
    ``sha256:`` and 64 hex digits. ``metrics`` are the contracts that the pairs were judged by, sorted by metric.
    """

    model: str
    candidate: str
    baseline_model: str | None
    baseline: str | None
    baseline_reason: str
    fetched_at: datetime
    data_fingerprint: str
    policy_fingerprint: str
    pairs: tuple[PairDecision, ...]
    summary: Summary
    averages: tuple[Average, ...]
    rules: tuple[RuleResult, ...]
    doubts: tuple[Doubt, ...] = ()
    overall: Overall
    metrics: tuple[MetricContract, ...] = ()
    notes: tuple[str, ...] = ()

    def named(self, names: Mapping[str, str]) -> Self:
        """The same decision with display names for the datasets that have no configured one.

        Args:
            names: DatasetId to name.
        """
        pairs = tuple(
            pair.model_copy(update={"name": names[pair.dataset]})
            if pair.name is None and pair.dataset in names
            else pair
            for pair in self.pairs
        )
        display_names = {pair.dataset: pair.name for pair in pairs if pair.name is not None}
        rules = tuple(_renamed(rule, display_names) for rule in self.rules)
        doubts = tuple(_renamed(doubt, display_names) for doubt in self.doubts)
        return self.model_copy(update={"pairs": pairs, "rules": rules, "doubts": doubts})

    def __eq__(self, other: object) -> bool:
        """Two decisions are equal when all fields but ``fetched_at`` are."""
        if not isinstance(other, Decision):
            return NotImplemented
        return self._compared() == other._compared()

    def __hash__(self) -> int:
        """Agrees with ``==``."""
        return hash((self.model, self.candidate, self.baseline_model, self.baseline, self.data_fingerprint))

    def _compared(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "fetched_at"}


_Worded = TypeVar("_Worded", RuleResult, Doubt)


def _renamed(part: _Worded, names: Mapping[str, str]) -> _Worded:
    return part.model_copy(update={"sentence": sentence_of(part.pieces, names)}) if part.pieces else part


def concern(pair: PairDecision) -> tuple[int, float]:
    """A sort key, lower for a pair that needs attention sooner; an undefined effect counts as the largest."""
    size = 0.0
    if pair.state in ("better", "worse"):
        size = math.inf if pair.effect is None else abs(pair.effect)
    return BY_CONCERN.index(pair.state), -size


def pair_order(pair: PairDecision) -> tuple[int, float, str, str]:
    """The sort key of ``Decision.pairs``."""
    return *concern(pair), pair.metric, pair.dataset

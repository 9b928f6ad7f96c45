"""The Decision: one object for the page, the command line, the HTTP API and the report.

Its numbers are those of the registry; none is rounded. ``pairs`` judges the pairs and sums them up, ``averages``
averages them, ``policy`` applies the rules and ``lineage`` chooses the baseline and assembles the Decision.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict

from paiview.evaluation.metric_meaning import Direction, MetricContract
from paiview.evaluation.results import Pair
from paiview.text import shorten_front

State = Literal["better", "worse", "same", "missing", "new", "not_comparable"]
Word = Literal["Better", "Worse", "Trade-off", "Incomplete", "Too close to call", "Not comparable"]
RuleOutcome = Literal["pass", "fail", "warn", "not_applicable"]
Overall = Literal["pass", "fail", "undecided"]
Duplicated = Literal["baseline", "candidate", "both"]

JUDGED: Final[tuple[State, ...]] = ("better", "worse", "same")
"""The states of pairs whose two numbers are compared."""
BY_CONCERN: Final[tuple[State, ...]] = ("worse", "missing", "not_comparable", "better", "same", "new")
"""The states in the order of ``Decision.pairs``, the one that most needs a reviewer's attention first."""
BY_URGENCY: Final[tuple[RuleOutcome, ...]] = ("fail", "warn", "pass", "not_applicable")
GLYPHS: Final[Mapping[State, str]] = {
    "better": "▲",
    "worse": "▼",
    "same": "＝",
    "missing": "○",
    "new": "✚",
    "not_comparable": "?",
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


class PairDecision(_Part):
    """One metric on one dataset. Values are in the metric's unit; shares are fractions, and positive is better.

    Attributes:
        dataset: DatasetId or Uri as in the registry, the target of its alias, or ``(no dataset)``.
        metric: the name in the registry.
        name: the dataset's configured display name.
        direction: which way is better; ``None`` when not configured and unknown.
        baseline, candidate: the numbers; ``None`` where a side has none, or more than one.
        change: candidate minus baseline.
        gain: the change as a share of the baseline's size; ``None`` from zero.
        error_reduction: for a higher-is-better metric with both numbers in [0, 1], the share of errors that is gone;
            ``None`` from no errors.
        effect: gain or error reduction, whichever is larger in size; ``None`` where that is undefined.
        reading: which of the two ``effect`` is.
        state: the judgement.
        baseline_interval, candidate_interval: Wilson's interval of each side, where its items were counted.
        interval: Newcombe's interval of the change, where the items of both sides were counted.
        uncertain: whether ``interval`` holds zero; ``None`` without one. It changes no state.
        note: remarks on this pair, in words.
        duplicated: the side or sides that give this pair more than once, and so have no one number for it.
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
    baseline_interval: tuple[float, float] | None = None
    candidate_interval: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None
    uncertain: bool | None = None
    note: str | None = None
    duplicated: Duplicated | None = None

    @property
    def pair(self) -> Pair:
        """The metric and the dataset."""
        return Pair(self.metric, self.dataset)


class Worst(_Part):
    """The worse pair with the worst effect."""

    dataset: str
    metric: str
    effect: float | None


class Summary(_Part):
    """The word, and how many pairs have each state."""

    word: Word
    better: int
    worse: int
    same: int
    missing: int
    new: int
    not_comparable: int
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
    are in this order: worse (worst effect first), missing, not comparable, better (best first), same, new; then by
    metric and dataset. Fingerprints are ``sha256:`` and 64 hex digits. ``metrics`` are the contracts the pairs were
    judged by, each with its effective relative tolerance, sorted by metric.
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
        rules = tuple(
            rule.model_copy(update={"sentence": sentence_of(rule.pieces, display_names)}) if rule.pieces else rule
            for rule in self.rules
        )
        return self.model_copy(update={"pairs": pairs, "rules": rules})

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


def concern(pair: PairDecision) -> tuple[int, float]:
    """A sort key, lower for a pair that needs attention sooner; an undefined effect counts as the largest."""
    size = 0.0
    if pair.state in ("better", "worse"):
        size = math.inf if pair.effect is None else abs(pair.effect)
    return BY_CONCERN.index(pair.state), -size


def pair_order(pair: PairDecision) -> tuple[int, float, str, str]:
    """The sort key of ``Decision.pairs``."""
    return *concern(pair), pair.metric, pair.dataset

"""The Decision: one object for the page, the command line, the HTTP API and the report, so that they cannot disagree.

Its shape is fixed, its numbers are those of the registry, and nothing in it is rounded. How it is reached stands in
``pairs`` (pairs, summary), ``averages``, ``policy`` (rules) and ``lineage`` (baseline) of this package.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict

from paiview.evaluation.metric_meaning import Direction
from paiview.text import shorten_front

State = Literal["better", "worse", "same", "missing", "new", "not_comparable"]
Word = Literal["Better", "Worse", "Trade-off", "Incomplete", "Too close to call", "Not comparable"]
RuleOutcome = Literal["pass", "fail", "warn", "not_applicable"]
Overall = Literal["pass", "fail", "undecided"]

JUDGED: Final[tuple[State, ...]] = ("better", "worse", "same")
"""States of the pairs whose two numbers are compared."""
BY_CONCERN: Final[tuple[State, ...]] = ("worse", "missing", "not_comparable", "better", "same", "new")
"""The states in the order of ``Decision.pairs``: what a reviewer has to look at comes first."""
BY_URGENCY: Final[tuple[RuleOutcome, ...]] = ("fail", "warn", "pass", "not_applicable")
GLYPHS: Final[Mapping[State, str]] = {
    "better": "▲",
    "worse": "▼",
    "same": "＝",
    "missing": "○",
    "new": "✚",
    "not_comparable": "?",
}
"""A mark for each state, which is never told by colour alone."""
_NAME: Final = 80
"""Characters of a dataset's name in a sentence."""


def spoken(state: State) -> str:
    """A state in words."""
    return state.replace("_", " ")


def sentence_of(pieces: Sequence[str], names: Mapping[str, str]) -> str:
    """A sentence of its pieces, of which every second one is a dataset.

    Args:
        pieces: ``RuleResult.pieces``.
        names: dataset to display name; another one is told by its id. Long ones are shortened at the front.
    """
    return "".join(
        shorten_front(names.get(piece, piece), _NAME) if at % 2 else piece for at, piece in enumerate(pieces)
    )


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PairDecision(_Part):
    """One metric on one dataset. Values are in the metric's unit; shares are fractions, positive is always better.

    Attributes:
        dataset: DatasetId or Uri as given, the target of its alias, or ``(no dataset)``.
        metric: as the registry spells it.
        name: the dataset's display name of the configuration.
        direction: which way is better; ``None`` when nobody said.
        baseline, candidate: the numbers; ``None`` where a side has no one number.
        change: candidate minus baseline.
        gain: the change as a share of the baseline's size; ``None`` from zero.
        error_reduction: for higher with both in [0, 1], the share of errors that is gone; ``None`` from no errors.
        effect: gain or error reduction, whichever is larger in size; ``None`` where that is undefined.
        reading: which of the two ``effect`` is.
        state: what it means.
        baseline_interval, candidate_interval: Wilson's interval of each side, where it was counted.
        interval: Newcombe's interval of the change, where both sides were counted.
        uncertain: whether ``interval`` holds zero; ``None`` without one. Informs, and changes no state.
        note: what a reader should know about this pair, in words.
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


class Worst(_Part):
    """The pair with the worst effect among those that are worse."""

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
    """Means of one metric over the ``n`` datasets that both sides have. An undefined mean is ``None``.

    Attributes:
        metric: the metric; different metrics are never averaged together.
        n: datasets that both sides have a number for.
        macro_baseline, macro_candidate: arithmetic means, in the metric's unit.
        geometric_ratio: geometric mean of candidate divided by baseline; needs every baseline and candidate above 0.
        mean_gain: arithmetic mean of the gains.
        disagree: whether the means name different winners.
        turned_by: datasets of which each, left out alone, turns the sign of the mean gain.
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
    """What one rule of the policy found.

    Attributes:
        rule: the word that names the rule.
        result: what came of it.
        sentence: what was found, datasets by their display names, else by their ids shortened at the front.
        pieces: the sentence cut at the datasets it tells: every second piece is one, as in ``pairs``. None when it
            tells none.
    """

    rule: str
    result: RuleOutcome
    sentence: str
    pieces: tuple[str, ...] = ()


class MetricInForce(_Part):
    """The contract one metric was judged by (``paiview.evaluation.metric_meaning.MetricContract``)."""

    metric: str
    direction: Direction | None
    unit: str | None
    relative: float
    absolute: float | None
    digits: int | None
    source: Literal["page", "configuration", "built-in", "none"]


class Decision(_Part):
    """Is the candidate better than the baseline, pair by pair, and may it be approved?

    ``baseline``, ``baseline_model`` and what follows from them are ``None`` without a baseline; ``baseline_reason``
    then says why. ``pairs`` begin with the regressions: worse (worst effect first), missing, not comparable, better
    (best first), same, new; then by metric and dataset. Fingerprints are ``sha256:`` and 64 hex digits.
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
    metrics: tuple[MetricInForce, ...] = ()
    notes: tuple[str, ...] = ()

    def named(self, names: Mapping[str, str]) -> Self:
        """The same decision for a reader, with the names of datasets that have none of the configuration.

        Args:
            names: DatasetId to name.
        """
        pairs = tuple(
            pair.model_copy(update={"name": names[pair.dataset]})
            if pair.name is None and pair.dataset in names
            else pair
            for pair in self.pairs
        )
        shown = {pair.dataset: pair.name for pair in pairs if pair.name is not None}
        rules = tuple(
            rule.model_copy(update={"sentence": sentence_of(rule.pieces, shown)}) if rule.pieces else rule
            for rule in self.rules
        )
        return self.model_copy(update={"pairs": pairs, "rules": rules})

    def __eq__(self, other: object) -> bool:
        """Two decisions are equal when all but ``fetched_at`` is: when it was read changes nothing about it."""
        if not isinstance(other, Decision):
            return NotImplemented
        return self._compared() == other._compared()

    def __hash__(self) -> int:
        """Agrees with ``==``."""
        return hash((self.model, self.candidate, self.baseline_model, self.baseline, self.data_fingerprint))

    def _compared(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "fetched_at"}


def pair_order(pair: PairDecision) -> tuple[int, float, str, str]:
    """Where a pair stands among the others; an effect that is beyond numbers is the largest."""
    size = 0.0
    if pair.state in ("better", "worse"):
        size = math.inf if pair.effect is None else abs(pair.effect)
    return BY_CONCERN.index(pair.state), -size, pair.metric, pair.dataset

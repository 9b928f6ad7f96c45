"""What rules of the policy are made of: the facts they judge, what they find, their patterns, and their sentences."""

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from paiview.decisions.decision import DoubtKind, PairDecision, RuleOutcome
from paiview.evaluation.dataset_identity import base_of
from paiview.evaluation.metric_meaning import MetricContract, stored_number
from paiview.evaluation.name_patterns import matches
from paiview.evaluation.results import Pair
from paiview.text import one_line

PairDoubt = Literal["assumed", "unknown", "scale", "version", "duplicate", "invalid", "unmatched"]
"""The doubts that a rule can accept; ``unmatched`` is about the rule itself."""
BaselineDoubt = Literal["listing", "order"]
"""The doubts about the choice of the baseline, which ``[policy_defaults]`` can accept."""
_MAX_LISTED: Final = 5
_MAX_NAME_LENGTH: Final = 80
_CLOSED_BRACKETS: Final = re.compile(r"(?:[^\[]|\[!?+\]?+[^\]]*\])*")
_Item = TypeVar("_Item")


def _usable(pattern: str) -> str:
    if not pattern.strip():
        raise ValueError("must not be empty: * matches everything")
    if not _CLOSED_BRACKETS.fullmatch(pattern):
        raise ValueError("has a [ that is never closed: write [[] for the character itself")
    return pattern


Pattern = Annotated[str, AfterValidator(_usable)]
Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A tolerance or a share: finite, never negative."""
Limit = Annotated[float, Field(allow_inf_nan=False)]


class DatasetRef(NamedTuple):
    """A dataset in a sentence, shown by its display name where it has one."""

    dataset: str


Parts = tuple[str | DatasetRef, ...]
"""A sentence or a piece of one; its texts are on one line and printable."""


@dataclass(frozen=True)
class Facts:
    """The facts that rules judge.

    Attributes:
        pairs: the pairs of the Decision.
        description: the version's description.
        labels: the version's labels.
        metrics: the contracts of metrics.
        accepted: by pair, the kinds of doubt that every rule accepts which matches it.
    """

    pairs: Sequence[PairDecision]
    description: str | None
    labels: Mapping[str, str]
    metrics: Mapping[str, MetricContract]
    accepted: Mapping[Pair, frozenset[DoubtKind]]


@dataclass(frozen=True)
class Finding:
    """The finding of a rule.

    Attributes:
        result: the outcome.
        parts: the finding as a sentence.
        unmatched: whether no result matches the rule.
    """

    result: RuleOutcome
    parts: Parts
    unmatched: bool = False


class PolicyRule(BaseModel):
    """A rule of the policy."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @abstractmethod
    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""


class Selecting(PolicyRule):
    """A rule on the pairs that its patterns match; it is undecided when they match none, and fails with ``strict``."""

    metric: Pattern = "*"
    strict: bool = False
    accept: Annotated[tuple[PairDoubt, ...], Field(strict=False)] = ()

    @property
    def scope(self) -> str:
        """The patterns, in words."""
        return f"metric {one_line(self.metric)}"

    def selects(self, pair: PairDecision) -> bool:
        """Whether the rule is about a pair; what is not judged is left to ``bound``."""
        return pair.state != "not_judged" and matches(self.metric, pair.metric)

    def _matching(self, facts: Facts) -> list[PairDecision]:
        return [pair for pair in facts.pairs if self.selects(pair)]

    def _unmatched(self) -> Finding:
        result: RuleOutcome = "fail" if self.strict else "not_applicable" if "unmatched" in self.accept else "undecided"
        return Finding(result, (f"No result matches {self.scope}.",), unmatched=True)


class SelectingDatasets(Selecting):
    """A rule on the pairs that its patterns for metrics and for datasets match."""

    dataset: Pattern = "*"

    @property
    def scope(self) -> str:
        """The patterns, in words."""
        return f"{super().scope} on dataset {one_line(self.dataset)}"

    def selects(self, pair: PairDecision) -> bool:
        """Whether the rule is about a pair."""
        return super().selects(pair) and (
            matches(self.dataset, pair.dataset)
            or matches(self.dataset, base_of(pair.dataset))
            or bool(pair.name and matches(self.dataset, pair.name))
        )


def sentence_pieces(parts: Parts) -> tuple[str, ...]:
    """A sentence as text and datasets in turn."""
    pieces = [""]
    for part in parts:
        if isinstance(part, DatasetRef):
            pieces += [part.dataset, ""]
        else:
            pieces[-1] += part
    return tuple(pieces)


def sentence_parts(*clauses: Parts) -> Parts:
    """The clauses as sentences, one after the other."""
    parts: list[str | DatasetRef] = []
    for clause in clauses:
        parts += [". ", *clause] if parts else clause
    return *parts, "."


def listed(items: Sequence[_Item], parts_of: Callable[[_Item], Parts]) -> Parts:
    """The first few items, and how many more there are."""
    parts: list[str | DatasetRef] = []
    for item in items[:_MAX_LISTED]:
        parts += [", ", *parts_of(item)] if parts else parts_of(item)
    if len(items) > _MAX_LISTED:
        parts.append(f" and {len(items) - _MAX_LISTED} more")
    return tuple(parts)


def pair_parts(pair: PairDecision) -> Parts:
    """A pair in a sentence."""
    return f"{name_text(pair.metric)} on ", DatasetRef(pair.dataset)


def name_parts(text: str) -> Parts:
    """A name of the service in a sentence."""
    return (name_text(text),)


def name_text(text: str) -> str:
    """A name of the service on one line, shortened."""
    return one_line(text, _MAX_NAME_LENGTH)


def number_text(value: float | None) -> str:
    """A number as it is stored, with a true minus sign."""
    return "–" if value is None else stored_number(value)

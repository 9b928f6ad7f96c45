"""May a version be approved? The rules of a policy, and what each of them finds.

A rule judges the pairs of a Decision, or the version itself. It fails, passes, warns about what it could not judge,
or does not apply. Patterns are shell-style and tell case apart (``fnmatch``); a dataset is matched by its DatasetId
or Uri and by its display name.
"""

import json
import math
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from fnmatch import translate
from functools import lru_cache
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from paiview.decisions.decision import (
    BY_URGENCY,
    JUDGED,
    Overall,
    PairDecision,
    RuleOutcome,
    RuleResult,
    State,
    sentence_of,
)
from paiview.decisions.pairs import SEVERAL, state_of
from paiview.decisions.wording import change_text, percent, value_digits
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.text import counted, one_line

_NAMED: Final = 5
_WILDCARDS: Final = re.compile(r"[*?\[]")
_CLOSED: Final = re.compile(r"(?:[^\[]|\[!?+\]?+[^\]]*\])*")
_NAME: Final = 80
_MARK: Final = "\0"
"""Stands in no name that a sentence tells: they are made printable, and JSON escapes it."""
_EXACT: Final = Context(prec=60)
_ROUNDED: Final = Context(prec=40)
_Item = TypeVar("_Item")


def is_name(pattern: str) -> bool:
    """Whether a pattern has no wildcard, and so names one thing."""
    return not _WILDCARDS.search(pattern)


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Callable[[str], object]:
    """What tells whether a name matches: ``fnmatchcase``, compiled once."""
    return re.compile(translate(pattern)).match


def _usable(pattern: str) -> str:
    if not pattern.strip():
        raise ValueError("must not be empty: * matches everything")
    if not _CLOSED.fullmatch(pattern):
        raise ValueError("has a [ that is never closed: write [[] for the character itself")
    return pattern


Pattern = Annotated[str, AfterValidator(_usable)]
Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A tolerance or a share: finite, never negative."""
Limit = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True)
class Facts:
    """What rules judge.

    Attributes:
        pairs: those of the Decision.
        description: the version's description.
        labels: the version's labels.
        metrics: contracts of paiview.toml and of the page, by metric.
    """

    pairs: Sequence[PairDecision]
    description: str | None
    labels: Mapping[str, str]
    metrics: Mapping[str, MetricContract]


@dataclass(frozen=True)
class Finding:
    """What a rule found, in a sentence with its datasets in marks; ``judged`` when there was something to judge."""

    result: RuleOutcome
    sentence: str
    judged: bool


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @abstractmethod
    def find(self, facts: Facts) -> Finding:
        """Judge."""


class _Selecting(_Rule):
    """A rule on the pairs its patterns match; one that matches nothing is a warning, with ``strict`` a failure."""

    metric: Pattern = "*"
    strict: bool = False

    @property
    def scope(self) -> str:
        """What the patterns select, in words."""
        return f"metric {one_line(self.metric)}"

    def _matching(self, facts: Facts) -> list[PairDecision]:
        matches = _matcher(self.metric)
        return [pair for pair in facts.pairs if matches(pair.metric)]

    def _unmatched(self) -> Finding:
        return Finding("fail" if self.strict else "warn", f"No result matches {self.scope}.", judged=False)


class _SelectingDatasets(_Selecting):
    dataset: Pattern = "*"

    @property
    def scope(self) -> str:
        """What the patterns select, in words."""
        return f"{super().scope} on dataset {one_line(self.dataset)}"

    def _matching(self, facts: Facts) -> list[PairDecision]:
        matches = _matcher(self.dataset)
        found = super()._matching(facts)
        return [pair for pair in found if matches(pair.dataset) or (pair.name is not None and matches(pair.name))]


class NoRegression(_SelectingDatasets):
    """Fails when a matching pair is worse.

    ``relative`` and ``absolute`` stand in place of the metric's whole tolerance: one given alone is the only one.
    """

    rule: Literal["no_regression"] = "no_regression"
    relative: Size | None = None
    absolute: Size | None = None

    def find(self, facts: Facts) -> Finding:
        """Judge."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        states = [(pair, self._state(pair, facts.metrics)) for pair in matching]
        judged = [pair for pair, state in states if state in JUDGED]
        worse = [pair for pair, state in states if state == "worse"]
        unclear = _unclear(matching)
        if not judged and not unclear:
            return Finding("not_applicable", "No matching result has a number on both sides.", judged=False)
        parts = []
        if worse:
            told = _listed(_worst_first(worse), lambda pair: self._change(pair, facts.metrics))
            verb = "is" if len(worse) == 1 else "are"
            parts.append(f"{len(worse)} of {counted(len(judged), 'result')} {verb} worse{self._beyond}: {told}")
        elif judged:
            parts.append(f"None of {counted(len(judged), 'result')} is worse{self._beyond}")
        if unclear:
            parts.append(_not_comparable(unclear))
        result: RuleOutcome = "fail" if worse else "warn" if unclear else "pass"
        return Finding(result, _sentence(parts), judged=bool(judged))

    @property
    def _has_tolerance(self) -> bool:
        return self.relative is not None or self.absolute is not None

    @property
    def _beyond(self) -> str:
        """The rule's own tolerance, in words."""
        given = [
            None if self.relative is None else _percent(self.relative),
            None if self.absolute is None else _number(self.absolute),
        ]
        told = " and ".join(filter(None, given))
        return f" by more than {told}" if told else ""

    def _change(self, pair: PairDecision, metrics: Mapping[str, MetricContract]) -> str:
        known = contract(pair.metric, metrics)
        limit = self.relative if self._has_tolerance else known.relative
        told = change_text(pair, value_digits([pair], known), known.unit, apart_from=limit or 0.0)
        return f"{_place(pair)} {told}"

    def _state(self, pair: PairDecision, metrics: Mapping[str, MetricContract]) -> State:
        if not self._has_tolerance or pair.state not in JUDGED or pair.baseline is None or pair.candidate is None:
            return pair.state
        relative = math.nan if self.relative is None else self.relative
        own = replace(contract(pair.metric, metrics), relative=relative, absolute=self.absolute)
        return state_of(pair.baseline, pair.candidate, own)


class NoMissing(_SelectingDatasets):
    """Fails when the candidate lacks a result that the baseline has."""

    rule: Literal["no_missing"] = "no_missing"

    def find(self, facts: Facts) -> Finding:
        """Judge."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        expected = [pair for pair in matching if pair.baseline is not None]
        missing = [pair for pair in expected if pair.state == "missing"]
        if not expected:
            return Finding("not_applicable", "The baseline has no matching number.", judged=False)
        if not missing:
            return Finding(
                "pass", f"None of {counted(len(expected), 'result')} of the baseline is missing.", judged=True
            )
        told = _listed(missing, lambda pair: f"{_place(pair)} (was {_number(pair.baseline)})")
        verb = "is" if len(missing) == 1 else "are"
        of = f"{len(missing)} of {counted(len(expected), 'result')} of the baseline"
        return Finding("fail", _sentence([f"{of} {verb} missing: {told}"]), judged=True)


class Bound(_SelectingDatasets):
    """Fails when the candidate's number is below ``min``, above ``max``, or not there."""

    rule: Literal["bound"] = "bound"
    metric: Pattern
    min: Limit | None = None
    max: Limit | None = None

    @model_validator(mode="after")
    def _bounds(self) -> "Bound":
        if self.min is None and self.max is None:
            raise ValueError("needs min or max: without both nothing is out of bounds")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(
                f"has min {_number(self.min)} above max {_number(self.max)}: every number is out of bounds"
            )
        return self

    def find(self, facts: Facts) -> Finding:
        """Judge."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        given = (("at least", self.min), ("at most", self.max))
        bounds = " and ".join(f"{words} {_number(limit)}" for words, limit in given if limit is not None)
        outside = sorted((pair for pair in matching if self._excess(pair) > 0), key=self._excess, reverse=True)
        if not outside:
            is_one = len(matching) == 1
            told = f"{_place(matching[0])} is" if is_one else f"All {len(matching)} matching results are"
            value = f" ({_number(matching[0].candidate)})" if is_one else ""
            return Finding("pass", f"{told} {bounds}{value}.", judged=True)
        told = _listed(
            outside,
            lambda pair: (
                f"{_place(pair)} {'has no number' if pair.candidate is None else f'is {_number(pair.candidate)}'}"
            ),
        )
        verb = "is" if len(outside) == 1 else "are"
        return Finding(
            "fail",
            _sentence([f"{len(outside)} of {counted(len(matching), 'result')} {verb} not {bounds}: {told}"]),
            judged=True,
        )

    def _excess(self, pair: PairDecision) -> float:
        """How far out of bounds; no number at all is furthest."""
        if pair.candidate is None:
            return float("inf")
        return max(
            self.min - pair.candidate if self.min is not None else 0.0,
            pair.candidate - self.max if self.max is not None else 0.0,
        )


class Improves(_Selecting):
    """Fails when the mean gain of a matching metric, over the datasets both sides have, is below ``at_least``.

    Each metric stands for itself: different metrics are never averaged together. A mean is undefined when a baseline
    is 0: then the rule fails where a result got worse from there, and warns elsewhere.
    """

    rule: Literal["improves"] = "improves"
    metric: Pattern
    at_least: Size

    def find(self, facts: Facts) -> Finding:
        """Judge."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        by_metric: dict[str, list[PairDecision]] = {}
        for pair in matching:
            by_metric.setdefault(pair.metric, []).append(pair)
        found = [self._of_metric(metric, pairs) for metric, pairs in by_metric.items()]
        worst = min((finding.result for finding in found), key=BY_URGENCY.index)
        if worst == "not_applicable":
            return Finding(worst, "No matching result has a number on both sides.", judged=False)
        by_severity = sorted(found, key=lambda finding: BY_URGENCY.index(finding.result))
        told = [finding.sentence for finding in by_severity if finding.result != "not_applicable"]
        unclear = _unclear(matching)
        if unclear and worst == "pass":
            worst = "warn"
        parts = [_listed(told, str), *([_not_comparable(unclear)] if unclear else [])]
        return Finding(worst, _sentence(parts), judged=any(finding.judged for finding in found))

    def _of_metric(self, metric: str, pairs: Sequence[PairDecision]) -> Finding:
        shared = [pair for pair in pairs if pair.state in JUDGED]
        if not shared:
            had = any(pair.baseline is not None for pair in pairs)
            told = f"{_name(metric)} has no dataset to average over"
            return Finding("warn" if had else "not_applicable", told, judged=False)
        mean = _mean_gain(shared)
        if mean is None:
            fallen = [pair for pair in shared if pair.baseline == 0 and pair.state == "worse"]
            told = f"{_name(metric)} has no mean gain, because a baseline is 0"
            if fallen:
                return Finding("fail", f"{told}; worse from there: {_listed(fallen, _place)}", judged=True)
            return Finding("warn", told, judged=False)
        fails = mean < _decimal(self.at_least)
        gain = percent(float(mean), apart_from=self.at_least)
        told = f"{_name(metric)} gains {gain} on average over {counted(len(shared), 'dataset')}"
        return Finding(
            "fail" if fails else "pass",
            f"{told}, {'below' if fails else 'at least'} {_percent(self.at_least)}",
            judged=True,
        )


class Shares(_Rule):
    """Fails when fewer than ``at_least`` pairs can be compared, that is, are better, worse or the same."""

    rule: Literal["shares"] = "shares"
    at_least: Annotated[int, Field(ge=1)]

    def find(self, facts: Facts) -> Finding:
        """Judge."""
        if all(pair.baseline is None for pair in facts.pairs):
            return Finding("not_applicable", "The baseline has no number to compare with.", judged=False)
        count = sum(pair.state in JUDGED for pair in facts.pairs)
        told = f"{counted(count, 'result')} can be compared, {'at least' if count >= self.at_least else 'fewer than'}"
        return Finding("pass" if count >= self.at_least else "fail", f"{told} {self.at_least}.", judged=True)


class Described(_Rule):
    """Fails when the version has no description."""

    rule: Literal["described"] = "described"

    def find(self, facts: Facts) -> Finding:
        """Judge."""
        if facts.description and facts.description.strip():
            return Finding("pass", "The version is described.", judged=True)
        return Finding("fail", "The version has no description.", judged=True)


class Labelled(_Rule):
    """Fails when the version lacks one of the labels."""

    rule: Literal["labelled"] = "labelled"
    keys: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1, strict=False)]

    def find(self, facts: Facts) -> Finding:
        """Judge."""
        lacking = [key for key in self.keys if key not in facts.labels]
        if not lacking:
            return Finding("pass", f"The version is labelled {_listed(self.keys, _name)}.", judged=True)
        return Finding("fail", f"The version lacks the label {_listed(lacking, _name)}.", judged=True)


Rule = Annotated[
    NoRegression | NoMissing | Bound | Improves | Shares | Described | Labelled, Field(discriminator="rule")
]
Policy = tuple[Rule, ...]
KINDS: Final[Mapping[str, type[BaseModel]]] = {
    kind.model_fields["rule"].default: kind
    for kind in (NoRegression, NoMissing, Bound, Improves, Shares, Described, Labelled)
}
"""The rules by the word that names them."""
DEFAULT_POLICY: Final[Policy] = (NoRegression(), NoMissing())
"""Without a policy: nothing is worse, and nothing is missing."""


def evaluate(
    rules: Sequence[Rule],
    pairs: Sequence[PairDecision],
    *,
    description: str | None,
    labels: Mapping[str, str],
    metrics: Mapping[str, MetricContract],
) -> tuple[tuple[RuleResult, ...], Overall]:
    """Judge by every rule.

    Args:
        rules: the policy.
        pairs: those of the Decision.
        description: the candidate's description.
        labels: the candidate's labels.
        metrics: contracts of paiview.toml and of the page, by metric.

    Returns:
        What each rule found, in the order of the rules, and overall: fail when a rule fails, undecided when no rule
        could judge anything or no pair is better, worse or the same, else pass.
    """
    facts = Facts(pairs, description, labels, metrics)
    found = [rule.find(facts) for rule in rules]
    names = {pair.dataset: pair.name for pair in pairs if pair.name is not None}
    results = tuple(_result(rule, finding, names) for rule, finding in zip(rules, found, strict=True))
    if any(finding.result == "fail" for finding in found):
        return results, "fail"
    judged = any(finding.judged for finding in found) and any(pair.state in JUDGED for pair in pairs)
    return results, "pass" if judged else "undecided"


def _result(rule: Rule, finding: Finding, names: Mapping[str, str]) -> RuleResult:
    parts = finding.sentence.split(_MARK)
    pieces = tuple(json.loads(part) if at % 2 else part for at, part in enumerate(parts))
    return RuleResult(
        rule=rule.rule,
        result=finding.result,
        sentence=sentence_of(pieces, names),
        pieces=pieces if len(pieces) > 1 else (),
    )


def _unclear(pairs: Iterable[PairDecision]) -> list[PairDecision]:
    """Pairs that are not comparable although the baseline had a number, or had several."""
    return [
        pair
        for pair in pairs
        if pair.state == "not_comparable"
        and (pair.baseline is not None or (pair.note or "").startswith(f"{SEVERAL} baseline"))
    ]


def _mean_gain(pairs: Sequence[PairDecision]) -> Decimal | None:
    """The mean gain in decimal, so that one percent is one percent; ``None`` when a baseline is 0."""
    gains = []
    with localcontext(_EXACT):
        for pair in pairs:
            baseline, candidate = _decimal(pair.baseline), _decimal(pair.candidate)
            if not baseline:
                return None
            change = candidate - baseline if pair.direction == "higher" else baseline - candidate
            gains.append(change / abs(baseline))
        mean = sum(gains, Decimal()) / len(gains)
    return _ROUNDED.plus(mean)


def _decimal(number: float | None) -> Decimal:
    return Decimal(repr(number))


def _worst_first(pairs: Iterable[PairDecision]) -> list[PairDecision]:
    """By effect; one without an effect, which fell from zero, is worst."""
    return sorted(pairs, key=lambda pair: float("-inf") if pair.effect is None else pair.effect)


def _place(pair: PairDecision) -> str:
    """The pair, its dataset between two marks."""
    return f"{_name(pair.metric)} on {_MARK}{json.dumps(pair.dataset)}{_MARK}"


def _not_comparable(pairs: Sequence[PairDecision]) -> str:
    return f"Not comparable: {_listed(pairs, _place)}"


def _listed(items: Sequence[_Item], tell: Callable[[_Item], str]) -> str:
    """The first few items, and how many more there are."""
    more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return ", ".join(map(tell, items[:_NAMED])) + more


def _name(text: str) -> str:
    return one_line(text, _NAME)


def _sentence(parts: Sequence[str]) -> str:
    return ". ".join(parts) + "."


def _number(value: float | None) -> str:
    """A number as it is stored, with a true minus sign."""
    return "–" if value is None else repr(value).removesuffix(".0").replace("-", "−")


def _percent(share: float) -> str:
    """A tolerance in percent, without the noise of the multiplication."""
    return f"{100 * share:.12g} %"

"""The policy: may a version be approved? Its rules, and what each of them finds.

A rule judges the pairs of a Decision or the version itself. It fails, passes, warns of results that it cannot judge,
or does not apply. Patterns are shell-style and case-sensitive (``fnmatch``); a dataset is matched by its DatasetId
or Uri and by its display name. The rules are described in docs/policy.md.
"""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from fnmatch import translate
from functools import lru_cache
from typing import Annotated, Final, Literal, NamedTuple, TypeVar

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
from paiview.decisions.pairs import state_of
from paiview.decisions.wording import change_text, percent, value_digits
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.text import counted, one_line

_MAX_LISTED: Final = 5
_MAX_NAME_LENGTH: Final = 80
_WILDCARDS: Final = re.compile(r"[*?\[]")
_CLOSED_BRACKETS: Final = re.compile(r"(?:[^\[]|\[!?+\]?+[^\]]*\])*")
_EXACT: Final = Context(prec=60)
_ROUNDED: Final = Context(prec=40)
_Item = TypeVar("_Item")


def is_name(pattern: str) -> bool:
    """Whether a pattern has no wildcard, so that it matches one name only."""
    return not _WILDCARDS.search(pattern)


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Callable[[str], object]:
    """``fnmatchcase`` for one pattern, compiled once; the result is truthy for a match."""
    return re.compile(translate(pattern)).match


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
        metrics: contracts of paiview.toml and of the page, by metric.
    """

    pairs: Sequence[PairDecision]
    description: str | None
    labels: Mapping[str, str]
    metrics: Mapping[str, MetricContract]


@dataclass(frozen=True)
class Finding:
    """The finding of a rule.

    Attributes:
        result: the outcome.
        parts: the finding as a sentence.
        judged: whether the rule found something that it could judge.
    """

    result: RuleOutcome
    parts: Parts
    judged: bool


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @abstractmethod
    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""


class _Selecting(_Rule):
    """A rule on the pairs that its patterns match; it warns when they match none, and fails with ``strict``."""

    metric: Pattern = "*"
    strict: bool = False

    @property
    def scope(self) -> str:
        """The patterns, in words."""
        return f"metric {one_line(self.metric)}"

    def _matching(self, facts: Facts) -> list[PairDecision]:
        matches = _matcher(self.metric)
        return [pair for pair in facts.pairs if matches(pair.metric)]

    def _unmatched(self) -> Finding:
        return Finding("fail" if self.strict else "warn", (f"No result matches {self.scope}.",), judged=False)


class _SelectingDatasets(_Selecting):
    dataset: Pattern = "*"

    @property
    def scope(self) -> str:
        """The patterns, in words."""
        return f"{super().scope} on dataset {one_line(self.dataset)}"

    def _matching(self, facts: Facts) -> list[PairDecision]:
        matches = _matcher(self.dataset)
        return [
            pair
            for pair in super()._matching(facts)
            if matches(pair.dataset) or (pair.name is not None and matches(pair.name))
        ]


class NoRegression(_SelectingDatasets):
    """Fails when a matching pair is worse.

    ``relative`` and ``absolute`` replace the metric's tolerances: one given alone is the only tolerance.
    """

    rule: Literal["no_regression"] = "no_regression"
    relative: Size | None = None
    absolute: Size | None = None

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        states = [(pair, self._state(pair, facts.metrics)) for pair in matching]
        judged = [pair for pair, state in states if state in JUDGED]
        worse = [pair for pair, state in states if state == "worse"]
        unclear = _unclear(matching)
        if not judged and not unclear:
            return Finding("not_applicable", ("No matching result has a number on both sides.",), judged=False)
        clauses: list[Parts] = []
        if worse:
            verb = "is" if len(worse) == 1 else "are"
            count = f"{len(worse)} of {counted(len(judged), 'result')} {verb} worse{self._beyond}: "
            clauses.append((count, *_listed(_worst_first(worse), lambda pair: self._change(pair, facts.metrics))))
        elif judged:
            clauses.append((f"None of {counted(len(judged), 'result')} is worse{self._beyond}",))
        if unclear:
            clauses.append(_not_comparable(unclear))
        result: RuleOutcome = "fail" if worse else "warn" if unclear else "pass"
        return Finding(result, _sentence(*clauses), judged=bool(judged))

    @property
    def _has_tolerance(self) -> bool:
        return self.relative is not None or self.absolute is not None

    @property
    def _beyond(self) -> str:
        """The rule's own tolerances, in words."""
        tolerances = []
        if self.relative is not None:
            tolerances.append(_percent(self.relative))
        if self.absolute is not None:
            tolerances.append(_number(self.absolute))
        return f" by more than {' and '.join(tolerances)}" if tolerances else ""

    def _change(self, pair: PairDecision, metrics: Mapping[str, MetricContract]) -> Parts:
        meaning = contract(pair.metric, metrics)
        limit = self.relative if self._has_tolerance else meaning.effective_relative
        change = change_text(pair, value_digits([pair], meaning), meaning.unit, apart_from=limit or 0.0)
        return *_pair_parts(pair), f" {change}"

    def _state(self, pair: PairDecision, metrics: Mapping[str, MetricContract]) -> State:
        if not self._has_tolerance or pair.state not in JUDGED or pair.baseline is None or pair.candidate is None:
            return pair.state
        own = replace(contract(pair.metric, metrics), relative=self.relative, absolute=self.absolute)
        return state_of(pair.baseline, pair.candidate, own)


class NoMissing(_SelectingDatasets):
    """Fails when the candidate lacks a result that the baseline has."""

    rule: Literal["no_missing"] = "no_missing"

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        expected = [pair for pair in matching if pair.baseline is not None]
        missing = [pair for pair in expected if pair.state == "missing"]
        if not expected:
            return Finding("not_applicable", ("The baseline has no matching number.",), judged=False)
        of_baseline = f"{counted(len(expected), 'result')} of the baseline"
        if not missing:
            return Finding("pass", (f"None of {of_baseline} is missing.",), judged=True)
        verb = "is" if len(missing) == 1 else "are"
        names = _listed(missing, lambda pair: (*_pair_parts(pair), f" (was {_number(pair.baseline)})"))
        return Finding("fail", _sentence((f"{len(missing)} of {of_baseline} {verb} missing: ", *names)), judged=True)


class Bound(_SelectingDatasets):
    """Fails when the candidate's number is below ``min``, above ``max``, or absent."""

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
        """Apply the rule."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        limits = (("at least", self.min), ("at most", self.max))
        bounds = " and ".join(f"{words} {_number(limit)}" for words, limit in limits if limit is not None)
        outside = sorted((pair for pair in matching if self._excess(pair) > 0), key=self._excess, reverse=True)
        if outside:
            verb = "is" if len(outside) == 1 else "are"
            count = f"{len(outside)} of {counted(len(matching), 'result')} {verb} not {bounds}: "
            return Finding("fail", _sentence((count, *_listed(outside, _candidate_parts))), judged=True)
        if len(matching) > 1:
            return Finding("pass", (f"All {len(matching)} matching results are {bounds}.",), judged=True)
        (pair,) = matching
        return Finding("pass", (*_pair_parts(pair), f" is {bounds} ({_number(pair.candidate)})."), judged=True)

    def _excess(self, pair: PairDecision) -> float:
        """How far the candidate's number is out of bounds; infinitely far without one."""
        if pair.candidate is None:
            return float("inf")
        return max(
            self.min - pair.candidate if self.min is not None else 0.0,
            pair.candidate - self.max if self.max is not None else 0.0,
        )


class Improves(_Selecting):
    """Fails when the mean gain of a matching metric, over the datasets both sides have, is below ``at_least``.

    Each metric is averaged by itself. The mean is undefined when a baseline is 0: then the rule fails if a result got
    worse from 0, else it warns.
    """

    rule: Literal["improves"] = "improves"
    metric: Pattern
    at_least: Size

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        by_metric: dict[str, list[PairDecision]] = {}
        for pair in matching:
            by_metric.setdefault(pair.metric, []).append(pair)
        findings = [self._of_metric(metric, pairs) for metric, pairs in by_metric.items()]
        findings.sort(key=lambda finding: BY_URGENCY.index(finding.result))
        result = findings[0].result
        if result == "not_applicable":
            return Finding(result, ("No matching result has a number on both sides.",), judged=False)
        applicable = [finding.parts for finding in findings if finding.result != "not_applicable"]
        clauses = [_listed(applicable, tuple)]
        if unclear := _unclear(matching):
            result = "warn" if result == "pass" else result
            clauses.append(_not_comparable(unclear))
        return Finding(result, _sentence(*clauses), judged=any(finding.judged for finding in findings))

    def _of_metric(self, metric: str, pairs: Sequence[PairDecision]) -> Finding:
        """The finding for one metric, as a clause."""
        shared = [pair for pair in pairs if pair.state in JUDGED]
        if not shared:
            had_baseline = any(pair.baseline is not None for pair in pairs)
            clause = f"{_name(metric)} has no dataset to average over"
            return Finding("warn" if had_baseline else "not_applicable", (clause,), judged=False)
        mean = _mean_gain(shared)
        if mean is None:
            clause = f"{_name(metric)} has no mean gain, because a baseline is 0"
            worse = [pair for pair in shared if pair.baseline == 0 and pair.state == "worse"]
            if worse:
                return Finding("fail", (f"{clause}; worse from there: ", *_listed(worse, _pair_parts)), judged=True)
            return Finding("warn", (clause,), judged=False)
        fails = mean < _decimal(self.at_least)
        gain = percent(float(mean), apart_from=self.at_least)
        clause = (
            f"{_name(metric)} gains {gain} on average over {counted(len(shared), 'dataset')}, "
            f"{'below' if fails else 'at least'} {_percent(self.at_least)}"
        )
        return Finding("fail" if fails else "pass", (clause,), judged=True)


class Shares(_Rule):
    """Fails when fewer than ``at_least`` pairs can be compared, that is, are better, worse or the same."""

    rule: Literal["shares"] = "shares"
    at_least: Annotated[int, Field(ge=1)]

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if all(pair.baseline is None for pair in facts.pairs):
            return Finding("not_applicable", ("The baseline has no number to compare with.",), judged=False)
        count = sum(pair.state in JUDGED for pair in facts.pairs)
        passes = count >= self.at_least
        limit = f"{'at least' if passes else 'fewer than'} {self.at_least}"
        sentence = f"{counted(count, 'result')} can be compared, {limit}."
        return Finding("pass" if passes else "fail", (sentence,), judged=True)


class Described(_Rule):
    """Fails when the version has no description."""

    rule: Literal["described"] = "described"

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if facts.description and facts.description.strip():
            return Finding("pass", ("The version is described.",), judged=True)
        return Finding("fail", ("The version has no description.",), judged=True)


class Labelled(_Rule):
    """Fails when the version lacks one of the labels."""

    rule: Literal["labelled"] = "labelled"
    keys: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1, strict=False)]

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        missing = [key for key in self.keys if key not in facts.labels]
        if not missing:
            return Finding("pass", ("The version is labelled ", *_listed(self.keys, _name_parts), "."), judged=True)
        return Finding("fail", ("The version lacks the label ", *_listed(missing, _name_parts), "."), judged=True)


Rule = Annotated[
    NoRegression | NoMissing | Bound | Improves | Shares | Described | Labelled, Field(discriminator="rule")
]
Policy = tuple[Rule, ...]
KINDS: Final[Mapping[str, type[BaseModel]]] = {
    kind.model_fields["rule"].default: kind
    for kind in (NoRegression, NoMissing, Bound, Improves, Shares, Described, Labelled)
}
"""The kinds of rules by name."""
DEFAULT_POLICY: Final[Policy] = (NoRegression(), NoMissing())
"""The rules without a configured policy: no result is worse, and none is missing."""


def evaluate(
    rules: Sequence[Rule],
    pairs: Sequence[PairDecision],
    *,
    description: str | None,
    labels: Mapping[str, str],
    metrics: Mapping[str, MetricContract],
) -> tuple[tuple[RuleResult, ...], Overall]:
    """Apply every rule.

    Args:
        rules: the policy.
        pairs: the pairs of the Decision.
        description: the candidate's description.
        labels: the candidate's labels.
        metrics: contracts of paiview.toml and of the page, by metric.

    Returns:
        The result of each rule, in their order, and the overall result: fail when a rule fails; undecided when no
        rule could judge anything, or no pair is better, worse or the same; else pass.
    """
    facts = Facts(pairs, description, labels, metrics)
    findings = [rule.find(facts) for rule in rules]
    names = {pair.dataset: pair.name for pair in pairs if pair.name is not None}
    results = tuple(_result(rule, finding, names) for rule, finding in zip(rules, findings, strict=True))
    if any(finding.result == "fail" for finding in findings):
        return results, "fail"
    judged = any(finding.judged for finding in findings) and any(pair.state in JUDGED for pair in pairs)
    return results, "pass" if judged else "undecided"


def _result(rule: Rule, finding: Finding, names: Mapping[str, str]) -> RuleResult:
    pieces = [""]
    for part in finding.parts:
        if isinstance(part, DatasetRef):
            pieces += [part.dataset, ""]
        else:
            pieces[-1] += part
    return RuleResult(
        rule=rule.rule,
        result=finding.result,
        sentence=sentence_of(pieces, names),
        pieces=tuple(pieces) if len(pieces) > 1 else (),
    )


def _unclear(pairs: Iterable[PairDecision]) -> list[PairDecision]:
    """Pairs that are not comparable although the baseline has a number, or more than one."""
    return [
        pair
        for pair in pairs
        if pair.state == "not_comparable" and (pair.baseline is not None or pair.duplicated in ("baseline", "both"))
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
    """By effect; a pair without one, which got worse from zero, comes first."""
    return sorted(pairs, key=lambda pair: float("-inf") if pair.effect is None else pair.effect)


def _sentence(*clauses: Parts) -> Parts:
    parts: list[str | DatasetRef] = []
    for clause in clauses:
        parts += [". ", *clause] if parts else clause
    return *parts, "."


def _listed(items: Sequence[_Item], parts_of: Callable[[_Item], Parts]) -> Parts:
    """The first few items, and how many more there are."""
    parts: list[str | DatasetRef] = []
    for item in items[:_MAX_LISTED]:
        parts += [", ", *parts_of(item)] if parts else parts_of(item)
    if len(items) > _MAX_LISTED:
        parts.append(f" and {len(items) - _MAX_LISTED} more")
    return tuple(parts)


def _pair_parts(pair: PairDecision) -> Parts:
    return f"{_name(pair.metric)} on ", DatasetRef(pair.dataset)


def _candidate_parts(pair: PairDecision) -> Parts:
    value = "has no number" if pair.candidate is None else f"is {_number(pair.candidate)}"
    return *_pair_parts(pair), f" {value}"


def _not_comparable(pairs: Sequence[PairDecision]) -> Parts:
    return "Not comparable: ", *_listed(pairs, _pair_parts)


def _name_parts(text: str) -> Parts:
    return (_name(text),)


def _name(text: str) -> str:
    return one_line(text, _MAX_NAME_LENGTH)


def _number(value: float | None) -> str:
    """A number as it is stored, with a true minus sign."""
    return "–" if value is None else repr(value).removesuffix(".0").replace("-", "−")


def _percent(share: float) -> str:
    """A share in percent, without digits that only the multiplication adds."""
    return f"{100 * share:.12g} %"

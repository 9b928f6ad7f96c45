"""The policy: may a version be approved? Its rules, and what each of them finds.

A rule judges the pairs of a Decision or the version itself. It fails, passes, leaves the question open, or does not
apply. Patterns are shell-style and case-sensitive, and a name always matches itself; a dataset is matched by its
identity, with or without the part in brackets, and by its display name. The rules are described in docs/policy.md.
"""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from typing import Annotated, Final, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from paiview.decisions.decision import (
    BY_URGENCY,
    JUDGED,
    DoubtKind,
    PairDecision,
    Paired,
    RuleOutcome,
    State,
)
from paiview.decisions.exact import QUOTIENT, exact_decimal
from paiview.decisions.noise import level_text
from paiview.decisions.noninferiority import NoiseTest, failing, noise_test
from paiview.decisions.pairs import exact_gain, state_of
from paiview.decisions.wording import change_text, percent, value_digits
from paiview.evaluation.dataset_identity import base_of
from paiview.evaluation.metric_meaning import MetricContract, contract, stored_number
from paiview.evaluation.metric_numbers import is_only_percent, range_problem
from paiview.evaluation.name_patterns import matches
from paiview.evaluation.noise_evidence import MIN_DECIDING_GROUPS, STATE_LEVEL
from paiview.evaluation.results import Pair
from paiview.text import counted, one_line

PairDoubt = Literal["assumed", "unknown", "scale", "version", "duplicate", "invalid", "unmatched"]
"""The doubts that a rule can accept; ``unmatched`` is about the rule itself."""
BaselineDoubt = Literal["listing", "order"]
"""The doubts about the choice of the baseline, which ``[policy_defaults]`` can accept."""
_MAX_LISTED: Final = 5
_MAX_NAME_LENGTH: Final = 80
_ROUNDED: Final = Context(prec=30)
"""Fewer digits than a gain has, so that thirds add up to a whole."""
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


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @abstractmethod
    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""


class Selecting(_Rule):
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


class _SelectingDatasets(Selecting):
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


class NoRegression(_SelectingDatasets):
    """Fails when a matching pair is worse.

    ``relative`` and ``absolute`` replace the metric's tolerances: one given alone is the only tolerance. A change in a
    metric whose direction is assumed leaves the rule undecided.

    With paired evidence, a worse pair that may be so by chance leaves the rule undecided. ``confidence`` asks for
    evidence of that level on every pair. ``margin`` asks for evidence that no pair is worse by more than this share:
    the interval of the improvement has to end above it, and a fail below it.
    """

    rule: Literal["no_regression"] = "no_regression"
    relative: Size | None = None
    absolute: Size | None = None
    margin: Annotated[float, Field(ge=0, lt=1)] | None = None
    confidence: Annotated[float, Field(gt=0.5, lt=1)] | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> "NoRegression":
        if self.margin is not None and self._has_tolerance:
            raise ValueError("has a margin beside relative or absolute: the margin is the tolerance where it is set")
        return self

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        states = [(pair, self._state(pair, facts.metrics)) for pair in matching]
        judged = [pair for pair, state in states if state in JUDGED]
        assumed = [pair for pair, state in states if self._rests_on_assumption(pair, state)]
        certain = [
            pair for pair in judged if pair.standing != "assumed" or not (self.margin is not None or pair.has_changed)
        ]
        unknown = [pair for pair, state in states if pair.state in JUDGED and state not in JUDGED]
        if not judged and not unknown:
            return Finding("not_applicable", ("No matching result can be compared.",))
        shown = self._shown(certain, {pair.pair: state for pair, state in states}, facts.metrics)
        clauses = self._clauses(certain, shown, facts.metrics)
        if assumed:
            changed = "Changed, w" if self.margin is None else "W"
            clauses.append((f"{changed}ith a direction that is only assumed: ", *listed(assumed, pair_parts)))
        if unknown:
            clauses.append((f"Changed{self._beyond}, with an unknown direction: ", *listed(unknown, pair_parts)))
        if incomparable := [pair for pair in matching if pair.state == "not_comparable"]:
            clauses.append(("Not comparable: ", *listed(incomparable, pair_parts)))
        if not clauses:
            count = f"{counted(len(judged), 'result')} within tolerance, with a direction that is only assumed: "
            clauses.append((count, *listed(judged, pair_parts)))
        open_kinds: list[tuple[PairDoubt, list[PairDecision]]] = [("assumed", assumed), ("unknown", unknown)]
        is_open = any(kind not in facts.accepted.get(pair.pair, ()) for kind, group in open_kinds for pair in group)
        is_open = is_open or bool(shown.unsettled or shown.without)
        result: RuleOutcome = (
            "fail" if shown.worse else "undecided" if is_open else "pass" if certain else "not_applicable"
        )
        return Finding(result, _sentence(*clauses))

    @property
    def _level(self) -> float:
        return STATE_LEVEL if self.confidence is None else self.confidence

    def _paired(self, pair: PairDecision) -> Paired | None:
        """The evidence of the level that the rule uses, from enough groups to decide."""
        of_pair = (pair.paired, *pair.paired_levels)
        return next((each for each in of_pair if each is not None and each.level == self._level and each.decides), None)

    def _rests_on_assumption(self, pair: PairDecision, state: State) -> bool:
        if pair.standing != "assumed" or state not in JUDGED:
            return False
        return self.margin is not None or state != "same"

    def _shown(
        self,
        pairs: Sequence[PairDecision],
        states: Mapping[Pair, State],
        metrics: Mapping[str, MetricContract],
    ) -> "_Shown":
        """What is shown of some pairs whose direction is certain, or whose numbers are the same."""
        tests = {
            pair.pair: test
            for pair in pairs
            if (paired := self._paired(pair)) is not None
            and (test := noise_test(pair, paired, contract(pair.metric, metrics), self.margin or 0.0)) is not None
        }
        asks = self.margin is not None or self.confidence is not None
        without = [pair for pair in pairs if asks and pair.pair not in tests]
        failed = {test.pair.pair for test in failing([*tests.values()], self._level)}
        worse, unsettled = [], []
        for pair in (pair for pair in pairs if not asks or pair.pair in tests):
            test, state = tests.get(pair.pair), states[pair.pair]
            if self.margin is not None:
                is_worse, is_open = pair.pair in failed, test is not None and not test.holds
            else:
                is_worse = state == "worse" and (test is None or pair.pair in failed)
                loses = test is None or test.improvement < 0
                is_open = state == "worse" or (state == "unclear" and loses)
            if is_worse:
                worse.append(pair)
            elif is_open:
                unsettled.append(pair)
        return _Shown(worse, unsettled, without, tests)

    def _clauses(
        self, certain: Sequence[PairDecision], shown: "_Shown", metrics: Mapping[str, MetricContract]
    ) -> list[Parts]:
        clauses: list[Parts] = []
        results = counted(len(certain), "result")
        if shown.worse:
            verb = "is" if len(shown.worse) == 1 else "are"
            worst = listed(_worst_first(shown.worse), lambda pair: self._change(pair, metrics))
            clauses.append((f"{len(shown.worse)} of {results} {verb} worse{self._beyond}: ", *worst))
            if len(shown.tests) > 1 and any(pair.pair in shown.tests for pair in shown.worse):
                clauses.append((f"Corrected for {len(shown.tests)} results with paired evidence (approximate)",))
        elif certain and not shown.without and not shown.unsettled:
            clauses.append((f"None of {results} is worse{self._beyond}{self._with_confidence}",))
        elif certain:
            clauses.append((f"None of {results} is shown to be worse{self._beyond}",))
        if shown.unsettled:
            may_be = "May be worse, or chance" if self.margin is None else f"May be worse{self._beyond}"
            items = listed(_worst_first(shown.unsettled), lambda pair: self._open_change(pair, shown, metrics))
            clauses.append((f"{may_be}: ", *items))
        if shown.without:
            asked = f"Without paired evidence of {level_text(self._level)} from at least {MIN_DECIDING_GROUPS} groups: "
            clauses.append((asked, *listed(shown.without, pair_parts)))
        return clauses

    @property
    def _with_confidence(self) -> str:
        asks = self.margin is not None or self.confidence is not None
        return f", with {level_text(self._level)} confidence" if asks else ""

    @property
    def _has_tolerance(self) -> bool:
        return self.relative is not None or self.absolute is not None

    @property
    def _beyond(self) -> str:
        """The rule's own tolerances or its margin, in words."""
        tolerances = []
        share = self.relative if self.margin is None else self.margin
        if share is not None:
            tolerances.append(_percent(share))
        if self.absolute is not None:
            tolerances.append(_number(self.absolute))
        return f" by more than {' and '.join(tolerances)}" if tolerances else ""

    def _change(self, pair: PairDecision, metrics: Mapping[str, MetricContract]) -> Parts:
        meaning = contract(pair.metric, metrics)
        limit = self.relative if self._has_tolerance else meaning.effective_relative
        if self.margin is not None:
            limit = self.margin
        change = change_text(pair, value_digits([pair], meaning), meaning.unit, apart_from=limit or 0.0)
        return *pair_parts(pair), f" {change}"

    def _open_change(self, pair: PairDecision, shown: "_Shown", metrics: Mapping[str, MetricContract]) -> Parts:
        """A change that is not settled, and what would settle it."""
        test = shown.tests.get(pair.pair)
        if test is None:
            return self._change(pair, metrics)
        how = test.settling
        if test.is_beyond:
            how = f"which is often so by chance for one of {len(shown.tests)} results with paired evidence"
        return *self._change(pair, metrics), f", {how}"

    def _state(self, pair: PairDecision, metrics: Mapping[str, MetricContract]) -> State:
        if pair.state not in JUDGED or pair.baseline is None or pair.candidate is None:
            return pair.state
        if not self._has_tolerance and self.confidence is None:
            return pair.state
        meaning = contract(pair.metric, metrics)
        if self._has_tolerance:
            meaning = replace(meaning, relative=self.relative, absolute=self.absolute)
        state = state_of(pair.baseline, pair.candidate, meaning)
        paired = self._paired(pair)
        return "unclear" if state in ("better", "worse") and paired is not None and paired.holds_zero else state


class _Shown(NamedTuple):
    """What ``NoRegression`` finds about the pairs that it can judge.

    Attributes:
        worse: those that are worse.
        unsettled: those that may be worse, or may be so by chance.
        without: those without the evidence that the rule asks for.
        tests: those with paired evidence.
    """

    worse: list[PairDecision]
    unsettled: list[PairDecision]
    without: list[PairDecision]
    tests: Mapping[Pair, NoiseTest]


class NoMissing(_SelectingDatasets):
    """Fails when the candidate lacks a result that the baseline has."""

    rule: Literal["no_missing"] = "no_missing"

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        missing = [pair for pair in matching if pair.state == "missing"]
        present = [pair for pair in matching if pair.state in JUDGED or (pair.baseline is not None and _is_valid(pair))]
        expected = {pair.pair for pair in (*missing, *present)}
        if not expected:
            has_none = all(pair.state == "new" for pair in matching)
            sentence = "The baseline has no matching number." if has_none else "No matching result can be compared."
            return Finding("not_applicable", (sentence,))
        of_baseline = f"{counted(len(expected), 'result')} of the baseline"
        if not missing:
            return Finding("pass", (f"None of {of_baseline} is missing.",))
        verb = "is" if len(missing) == 1 else "are"
        names = listed(missing, lambda pair: (*pair_parts(pair), f" (was {_number(pair.baseline)})"))
        return Finding("fail", _sentence((f"{len(missing)} of {of_baseline} {verb} missing: ", *names)))


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

    def selects(self, pair: PairDecision) -> bool:
        """Whether the rule is about a pair: any, whether it is judged or not."""
        return super().selects(pair.model_copy(update={"state": "same"}) if pair.state == "not_judged" else pair)

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if not (matching := self._matching(facts)):
            return self._unmatched()
        limits = (("at least", self.min), ("at most", self.max))
        bounds = " and ".join(f"{words} {_number(limit)}" for words, limit in limits if limit is not None)
        unsure: list[PairDecision] = []
        sure: list[PairDecision] = []
        for pair in matching:
            is_unsure = self._is_unsure(pair, contract(pair.metric, facts.metrics))
            (unsure if is_unsure else sure).append(pair)
        outside = sorted((pair for pair in sure if self._excess(pair) > 0), key=self._excess, reverse=True)
        if outside:
            verb = "is" if len(outside) == 1 else "are"
            count = f"{len(outside)} of {counted(len(matching), 'result')} {verb} not {bounds}: "
            return Finding("fail", _sentence((count, *listed(outside, _candidate_parts))))
        if unsure:
            reason = f"Not sure to be {bounds}, for the scale is not known or the number is not valid: "
            return Finding("undecided", _sentence((reason, *listed(unsure, _candidate_parts))))
        if len(matching) > 1:
            return Finding("pass", (f"All {len(matching)} matching results are {bounds}.",))
        (pair,) = matching
        return Finding("pass", (*pair_parts(pair), f" is {bounds} ({_number(pair.candidate)})."))

    def _is_unsure(self, pair: PairDecision, meaning: MetricContract) -> bool:
        """Whether the number and a limit may be on different scales, or the metric cannot have this number."""
        if pair.candidate is None:
            return False
        if range_problem(pair.candidate, meaning) is not None:
            return self._excess(pair) == 0
        number_is_percent = meaning.scale == "mixed" or is_only_percent(pair.candidate, meaning)
        may_be_fraction = meaning.scale is None and 0 < abs(pair.candidate) <= 1
        return any(
            (number_is_percent and 0 < abs(limit) <= 1) or (may_be_fraction and is_only_percent(limit, meaning))
            for limit in (self.min, self.max)
            if limit is not None
        )

    def _excess(self, pair: PairDecision) -> float:
        """How far the candidate's number is out of bounds; infinitely far without one."""
        if pair.candidate is None:
            return float("inf")
        return max(
            0.0,
            self.min - pair.candidate if self.min is not None else 0.0,
            pair.candidate - self.max if self.max is not None else 0.0,
        )


class Improves(Selecting):
    """Fails when the mean gain of a matching metric, over the datasets both sides have, is below ``at_least``.

    Each metric is averaged by itself. The rule is undecided over a direction that is assumed, and where a gain is
    undefined, such as from 0, unless that result is worse: then it fails.
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
        findings = [
            self._of_metric(contract(metric, facts.metrics), pairs, facts) for metric, pairs in by_metric.items()
        ]
        findings.sort(key=lambda finding: BY_URGENCY.index(finding.result))
        result = findings[0].result
        if result == "not_applicable":
            return Finding(result, ("No matching result can be compared.",))
        clauses = [listed([finding.parts for finding in findings if finding.result != "not_applicable"], tuple)]
        if incomparable := [pair for pair in matching if pair.state == "not_comparable"]:
            clauses.append(("Not comparable: ", *listed(incomparable, pair_parts)))
        return Finding(result, _sentence(*clauses))

    def _of_metric(self, meaning: MetricContract, pairs: Sequence[PairDecision], facts: Facts) -> Finding:
        """The finding for one metric, as a clause."""
        name = _name(meaning.metric)
        shared = [pair for pair in pairs if pair.state in JUDGED]
        if not shared:
            return Finding("not_applicable", (f"{name} has no dataset to average over",))
        gains = [exact_gain(pair.baseline, pair.candidate, meaning) for pair in shared]
        defined = [gain for gain in gains if gain is not None]
        if len(defined) < len(gains):
            undefined = [pair for pair, gain in zip(shared, gains, strict=True) if gain is None]
            worse = [pair for pair in undefined if pair.state == "worse" and pair.is_certain]
            clause = f"{name} has no mean gain, because the gain from some baselines is undefined"
            if worse:
                return Finding("fail", (f"{clause}; worse from there: ", *listed(worse, pair_parts)))
            return Finding("undecided", (clause,))
        if meaning.standing == "assumed" and any(
            pair.has_changed and "assumed" not in facts.accepted.get(pair.pair, ()) for pair in shared
        ):
            return Finding("undecided", (f"{name} has a direction that is only assumed",))
        with localcontext(QUOTIENT):
            total = sum(defined, Decimal())
        mean = _ROUNDED.divide(total, Decimal(len(defined)))
        fails = mean < exact_decimal(self.at_least)
        gain = percent(float(mean), apart_from=self.at_least)
        clause = (
            f"{name} gains {gain} on average over {counted(len(shared), 'dataset')}, "
            f"{'below' if fails else 'at least'} {_percent(self.at_least)}"
        )
        return Finding("fail" if fails else "pass", (clause,))


class Shares(_Rule):
    """Fails when fewer than ``at_least`` pairs can be compared, that is, are better, worse, unclear or the same."""

    rule: Literal["shares"] = "shares"
    at_least: Annotated[int, Field(ge=1)]

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if all(pair.baseline is None for pair in facts.pairs if pair.state != "not_judged"):
            return Finding("not_applicable", ("The baseline has no number to compare with.",))
        count = sum(pair.state in JUDGED for pair in facts.pairs)
        passes = count >= self.at_least
        limit = f"{'at least' if passes else 'fewer than'} {self.at_least}"
        sentence = f"{counted(count, 'result')} can be compared, {limit}."
        return Finding("pass" if passes else "fail", (sentence,))


class Described(_Rule):
    """Fails when the version has no description."""

    rule: Literal["described"] = "described"

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if facts.description and facts.description.strip():
            return Finding("pass", ("The version is described.",))
        return Finding("fail", ("The version has no description.",))


class Labelled(_Rule):
    """Fails when the version lacks one of the labels."""

    rule: Literal["labelled"] = "labelled"
    keys: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1, strict=False)]

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        missing = [key for key in self.keys if key not in facts.labels]
        if not missing:
            return Finding("pass", ("The version is labelled ", *listed(self.keys, _name_parts), "."))
        return Finding("fail", ("The version lacks the label ", *listed(missing, _name_parts), "."))


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


def is_about_results(rule: Rule) -> bool:
    """Whether a rule judges results rather than the version itself."""
    return not isinstance(rule, Described | Labelled)


def _is_valid(pair: PairDecision) -> bool:
    return pair.reason != "invalid"


def _worst_first(pairs: Iterable[PairDecision]) -> list[PairDecision]:
    """By effect; a pair without one, which got worse from zero, comes first."""
    return sorted(pairs, key=lambda pair: float("-inf") if pair.effect is None else pair.effect)


def sentence_pieces(parts: Parts) -> tuple[str, ...]:
    """A sentence as text and datasets in turn."""
    pieces = [""]
    for part in parts:
        if isinstance(part, DatasetRef):
            pieces += [part.dataset, ""]
        else:
            pieces[-1] += part
    return tuple(pieces)


def _sentence(*clauses: Parts) -> Parts:
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
    return f"{_name(pair.metric)} on ", DatasetRef(pair.dataset)


def _candidate_parts(pair: PairDecision) -> Parts:
    value = "has no number" if pair.candidate is None else f"is {_number(pair.candidate)}"
    return *pair_parts(pair), f" {value}"


def _name_parts(text: str) -> Parts:
    return (_name(text),)


def _name(text: str) -> str:
    return one_line(text, _MAX_NAME_LENGTH)


def _number(value: float | None) -> str:
    """A number as it is stored, with a true minus sign."""
    return "–" if value is None else stored_number(value)


def _percent(share: float) -> str:
    """A share in percent, without digits that only the multiplication adds."""
    return f"{100 * share:.12g} %"

"""The policy: may a version be approved? Its rules, and what each of them finds.

A rule judges the pairs of a Decision or the version itself. It fails, passes, leaves the question open, or does not
apply. Patterns are shell-style and case-sensitive, and a name always matches itself; a dataset is matched by its
identity, with or without the part in brackets, and by its display name. The rules are described in docs/policy.md.
"""

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, localcontext
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, model_validator

from paiview.decisions.decision import BY_URGENCY, JUDGED, PairDecision
from paiview.decisions.exact import QUOTIENT, exact_decimal
from paiview.decisions.no_regression import NoRegression
from paiview.decisions.pairs import exact_gain
from paiview.decisions.rule_terms import (
    Facts,
    Finding,
    Limit,
    Parts,
    Pattern,
    PolicyRule,
    Selecting,
    SelectingDatasets,
    Size,
    listed,
    name_parts,
    name_text,
    number_text,
    pair_parts,
    sentence_parts,
)
from paiview.decisions.wording import percent, share_text
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.evaluation.metric_numbers import is_only_percent, range_problem
from paiview.text import counted

_ROUNDED: Final = Context(prec=30)
"""Fewer digits than a gain has, so that thirds add up to a whole."""


class NoMissing(SelectingDatasets):
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
        names = listed(missing, lambda pair: (*pair_parts(pair), f" (was {number_text(pair.baseline)})"))
        return Finding("fail", sentence_parts((f"{len(missing)} of {of_baseline} {verb} missing: ", *names)))


class Bound(SelectingDatasets):
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
                f"has min {number_text(self.min)} above max {number_text(self.max)}: every number is out of bounds"
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
        bounds = " and ".join(f"{words} {number_text(limit)}" for words, limit in limits if limit is not None)
        unsure: list[PairDecision] = []
        sure: list[PairDecision] = []
        for pair in matching:
            is_unsure = self._is_unsure(pair, contract(pair.metric, facts.metrics))
            (unsure if is_unsure else sure).append(pair)
        outside = sorted((pair for pair in sure if self._excess(pair) > 0), key=self._excess, reverse=True)
        if outside:
            verb = "is" if len(outside) == 1 else "are"
            count = f"{len(outside)} of {counted(len(matching), 'result')} {verb} not {bounds}: "
            return Finding("fail", sentence_parts((count, *listed(outside, _candidate_parts))))
        if unsure:
            reason = f"Not sure to be {bounds}, for the scale is not known or the number is not valid: "
            return Finding("undecided", sentence_parts((reason, *listed(unsure, _candidate_parts))))
        if len(matching) > 1:
            return Finding("pass", (f"All {len(matching)} matching results are {bounds}.",))
        (pair,) = matching
        return Finding("pass", (*pair_parts(pair), f" is {bounds} ({number_text(pair.candidate)})."))

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
        return Finding(result, sentence_parts(*clauses))

    def _of_metric(self, meaning: MetricContract, pairs: Sequence[PairDecision], facts: Facts) -> Finding:
        """The finding for one metric, as a clause."""
        name = name_text(meaning.metric)
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
            f"{'below' if fails else 'at least'} {share_text(self.at_least)}"
        )
        return Finding("fail" if fails else "pass", (clause,))


class Shares(PolicyRule):
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


class Described(PolicyRule):
    """Fails when the version has no description."""

    rule: Literal["described"] = "described"

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        if facts.description and facts.description.strip():
            return Finding("pass", ("The version is described.",))
        return Finding("fail", ("The version has no description.",))


class Labelled(PolicyRule):
    """Fails when the version lacks one of the labels."""

    rule: Literal["labelled"] = "labelled"
    keys: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1, strict=False)]

    def find(self, facts: Facts) -> Finding:
        """Apply the rule."""
        missing = [key for key in self.keys if key not in facts.labels]
        if not missing:
            return Finding("pass", ("The version is labelled ", *listed(self.keys, name_parts), "."))
        return Finding("fail", ("The version lacks the label ", *listed(missing, name_parts), "."))


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


def _candidate_parts(pair: PairDecision) -> Parts:
    value = "has no number" if pair.candidate is None else f"is {number_text(pair.candidate)}"
    return *pair_parts(pair), f" {value}"

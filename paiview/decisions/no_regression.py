"""The rule ``no_regression``: no result is worse, by its numbers or by the paired evidence of their noise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from paiview.decisions.decision import JUDGED, PairDecision, Paired, RuleOutcome, State
from paiview.decisions.noninferiority import NoiseTest, failing, noise_test
from paiview.decisions.pairs import state_of
from paiview.decisions.rule_terms import (
    Facts,
    Finding,
    PairDoubt,
    Parts,
    SelectingDatasets,
    Size,
    listed,
    number_text,
    pair_parts,
    sentence_parts,
)
from paiview.decisions.wording import change_text, share_text, value_digits
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.evaluation.noise_evidence import MIN_DECIDING_GROUPS, STATE_LEVEL
from paiview.evaluation.results import Pair
from paiview.text import counted


class NoRegression(SelectingDatasets):
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
        return Finding(result, sentence_parts(*clauses))

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
            clauses.append((f"{_none_of(len(certain))} worse{self._beyond}{self._with_confidence}",))
        elif certain:
            clauses.append((f"{_none_of(len(certain))} shown to be worse{self._beyond}",))
        if shown.unsettled:
            may_be = "May be worse, or chance" if self.margin is None else f"May be worse{self._beyond}"
            items = listed(_worst_first(shown.unsettled), lambda pair: self._open_change(pair, shown, metrics))
            clauses.append((f"{may_be}: ", *items))
        if shown.without:
            asked = f"Without paired evidence of {share_text(self._level)} from at least {MIN_DECIDING_GROUPS} groups: "
            clauses.append((asked, *listed(shown.without, pair_parts)))
        return clauses

    @property
    def _with_confidence(self) -> str:
        asks = self.margin is not None or self.confidence is not None
        return f", with {share_text(self._level)} confidence" if asks else ""

    @property
    def _has_tolerance(self) -> bool:
        return self.relative is not None or self.absolute is not None

    @property
    def _beyond(self) -> str:
        """The rule's own tolerances or its margin, in words."""
        tolerances = []
        share = self.relative if self.margin is None else self.margin
        if share is not None:
            tolerances.append(share_text(share))
        if self.absolute is not None:
            tolerances.append(number_text(self.absolute))
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
        remark = test.settling
        if test.is_beyond:
            remark = f"which is often so by chance for one of {len(shown.tests)} results with paired evidence"
        return *self._change(pair, metrics), f", {remark}"

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


def _worst_first(pairs: Iterable[PairDecision]) -> list[PairDecision]:
    """By effect; a pair without one, which got worse from zero, comes first."""
    return sorted(pairs, key=lambda pair: float("-inf") if pair.effect is None else pair.effect)


def _none_of(results: int) -> str:
    """How a sentence about results begins that are not worse."""
    return "1 result is not" if results == 1 else f"None of {results} results is"

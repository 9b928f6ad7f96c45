"""The policy applied to the pairs of a decision: what each rule finds, what stays open, and whether it passes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Doubt, Overall, PairDecision, RuleResult, sentence_of
from paiview.decisions.doubts import BaselineFacts, accepted_doubts, baseline_doubts, pair_doubts
from paiview.decisions.policy import Rule, is_about_results
from paiview.decisions.rule_terms import Facts, Finding, Selecting, sentence_pieces


class PolicyOutcome(NamedTuple):
    """The result of each rule in their order, what stays open, and the overall result."""

    rules: tuple[RuleResult, ...]
    doubts: tuple[Doubt, ...]
    overall: Overall


def apply_policy(
    contracts: Contracts,
    pairs: Sequence[PairDecision],
    *,
    description: str | None,
    labels: Mapping[str, str],
    baseline: BaselineFacts,
) -> PolicyOutcome:
    """Apply every rule.

    The policy fails when a rule fails. It is undecided when a rule is, when no rule about results passes, or when a
    doubt stands that the policy does not accept. Else it passes.

    Args:
        contracts: what metrics mean, and the policy.
        pairs: the pairs of the Decision.
        description: the candidate's description.
        labels: the candidate's labels.
        baseline: why the baseline may be the wrong one.
    """
    accepted = accepted_doubts(pairs, contracts.rules)
    facts = Facts(pairs, description, labels, contracts.metrics, accepted)
    findings = [(rule, rule.find(facts)) for rule in contracts.rules]
    doubts = (
        *baseline_doubts(baseline, contracts.accept),
        *pair_doubts(pairs, contracts.rules, contracts.metrics, accepted),
        *_unmatched(findings),
    )
    names = {pair.dataset: pair.name for pair in pairs if pair.name is not None}
    results = tuple(_result(rule, finding, names) for rule, finding in findings)
    return PolicyOutcome(results, doubts, _overall(findings, doubts))


def _overall(findings: Sequence[tuple[Rule, Finding]], doubts: Sequence[Doubt]) -> Overall:
    outcomes = {finding.result for _, finding in findings}
    if "fail" in outcomes:
        return "fail"
    has_passed = any(finding.result == "pass" and is_about_results(rule) for rule, finding in findings)
    if "undecided" in outcomes or not has_passed or not all(doubt.accepted for doubt in doubts):
        return "undecided"
    return "pass"


def _unmatched(findings: Sequence[tuple[Rule, Finding]]) -> list[Doubt]:
    """A doubt for each rule that matches no result."""
    return [
        Doubt(
            kind="unmatched",
            sentence=f"{rule.rule}: no result matches {rule.scope}. Correct the pattern, or remove the rule.",
            accepted="unmatched" in rule.accept,
        )
        for rule, finding in findings
        if finding.unmatched and isinstance(rule, Selecting)
    ]


def _result(rule: Rule, finding: Finding, names: Mapping[str, str]) -> RuleResult:
    pieces = sentence_pieces(finding.parts)
    return RuleResult(
        rule=rule.rule,
        result=finding.result,
        sentence=sentence_of(pieces, names),
        pieces=pieces if len(pieces) > 1 else (),
    )

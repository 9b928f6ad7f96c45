"""The policy tried on the past: what it would have said of every version a model has, at the version's time.

Each version is judged as ``paiview check`` judges it: against the newest Approved version before it that shares a
score, with every version after it unseen. Metrics, statuses and rules are those of today. PAI does not say when a
version was approved, so that one approved after the next was made counts as approved before it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Final

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Doubt, Overall, RuleResult
from paiview.decisions.doubts import policy_lines
from paiview.decisions.lineage import Judgement, Lineage, judge
from paiview.decisions.no_regression import NoRegression
from paiview.decisions.policy import Rule
from paiview.decisions.policy_outcome import PolicyOutcome

TOLERANCES: Final = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1)
"""The relative tolerances of the curve, as shares."""
UNKNOWN_LIMIT: Final = (
    "PAI does not say when a version was approved. One that was approved after a later version was made counts as "
    "approved before it. Metrics, statuses and rules are those of today."
)
"""What a backtest cannot know, for its readers."""

RESULTS: Final[tuple[Overall, ...]] = ("pass", "undecided", "fail")

Counts = Mapping[tuple[str | None, Overall], int]
"""How many versions there are of each approval status and overall result."""


@dataclass(frozen=True)
class BacktestedVersion:
    """A version, and what the policy would have said of it.

    Attributes:
        name: the VersionName.
        status: the approval status of today; ``None`` without one.
        baseline: the version it is compared with; ``None`` without one.
        overall: by the policy in force.
        findings: the rules or doubts that decided; where nothing stands against the version, none. Each has a sentence
            and its pieces, as in a Decision.
        by_tolerance: overall with each tolerance of the curve; empty without a curve.
    """

    name: str
    status: str | None
    baseline: str | None
    overall: Overall
    findings: tuple[RuleResult | Doubt, ...]
    by_tolerance: tuple[Overall, ...] = ()


@dataclass(frozen=True)
class Step:
    """A tolerance of the curve, and how many versions of each status get each result with it."""

    tolerance: float
    counts: Counts


@dataclass(frozen=True)
class Backtest:
    """What the policy would have said of the versions of a model.

    Attributes:
        model: the ModelId.
        policy_fingerprint: as in a Decision.
        versions: the newest first.
        older: how many older versions are not judged.
        tolerances: those of the curve; empty where no rule has a tolerance.
    """

    model: str
    policy_fingerprint: str
    versions: tuple[BacktestedVersion, ...]
    older: int = 0
    tolerances: tuple[float, ...] = ()

    @cached_property
    def counts(self) -> Counts:
        """Of the policy in force."""
        return Counter((version.status, version.overall) for version in self.versions)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The curve."""
        return tuple(
            Step(tolerance, Counter((version.status, version.by_tolerance[place]) for version in self.versions))
            for place, tolerance in enumerate(self.tolerances)
        )

    def versions_with(self, status: str, overall: Overall) -> list[BacktestedVersion]:
        """The versions of one status and result, the newest first."""
        return [version for version in self.versions if (version.status, version.overall) == (status, overall)]


def backtest(
    lineage: Lineage,
    contracts: Contracts = Contracts(),
    *,
    tolerances: Sequence[float] = TOLERANCES,
    newest: int | None = None,
) -> Backtest:
    """Judge the versions of a model by the policy, each at its time.

    Args:
        lineage: the model's versions.
        contracts: what metrics and datasets mean, and the policy.
        tolerances: relative tolerances, as shares, each of which is tried in the place of those in force; they rise.
        newest: judge so many of the newest versions at most; baselines are chosen among all.
    """
    names = [*dict.fromkeys(lineage.names)]
    judged = names if newest is None else names[max(0, len(names) - newest) :]
    has_curve = any(map(_has_tolerance, contracts.rules))
    steps = [_with_tolerance(contracts, tolerance) for tolerance in tolerances] if has_curve else []
    return Backtest(
        lineage.model_id,
        contracts.fingerprint,
        tuple(_backtested(lineage, name, contracts, steps) for name in judged)[::-1],
        older=len(names) - len(judged),
        tolerances=tuple(tolerances) if has_curve else (),
    )


def tolerance_lines(rules: Iterable[Rule], tolerance: float) -> str:
    """The lines of paiview.toml that hold a policy with one relative tolerance, a share, in all rules that have one."""
    return policy_lines(_tolerant(rules, tolerance))


def share_of_percent(percent: float) -> float:
    """A tolerance in percent as a share: 0.7 % is 0.007, but 0.7 / 100 is not."""
    return float(Decimal(repr(percent)).scaleb(-2))


def _with_tolerance(contracts: Contracts, tolerance: float) -> Contracts:
    return replace(contracts, rules=_tolerant(contracts.rules, tolerance))


def _tolerant(rules: Iterable[Rule], tolerance: float) -> tuple[Rule, ...]:
    """The rules with one tolerance; those that become equal by it are one, for a policy may not repeat a rule."""
    changed = [
        rule.model_copy(update={"relative": tolerance, "absolute": None}) if _has_tolerance(rule) else rule
        for rule in rules
    ]
    return tuple(dict.fromkeys(changed))


def _has_tolerance(rule: Rule) -> bool:
    # A margin stands in the place of a tolerance.
    return isinstance(rule, NoRegression) and rule.margin is None


def _backtested(lineage: Lineage, name: str, contracts: Contracts, steps: Sequence[Contracts]) -> BacktestedVersion:
    judgement = judge(lineage, name, contracts)
    outcome = judgement.apply_policy(contracts)
    return BacktestedVersion(
        name=name,
        status=lineage.version(name).approval_status,
        baseline=judgement.before.name if judgement.before else None,
        overall=outcome.overall,
        findings=_deciding(outcome),
        by_tolerance=_outcomes(judgement, steps),
    )


def _outcomes(judgement: Judgement, steps: Sequence[Contracts]) -> tuple[Overall, ...]:
    """Overall at each step of a ladder whose tolerance rises.

    A wider tolerance makes no result worse and leaves none more open. Where both ends of a part of the ladder agree, so
    does all between them, and most rules need to be applied at few steps.
    """
    outcomes: dict[int, Overall] = {}
    parts = [(0, len(steps) - 1)] if steps else []
    while parts:
        first, last = parts.pop()
        for place in {first, last} - outcomes.keys():
            outcomes[place] = judgement.apply_policy(steps[place]).overall
        if outcomes[first] == outcomes[last]:
            outcomes |= dict.fromkeys(range(first, last), outcomes[first])
        elif last - first > 1:
            middle = (first + last) // 2
            parts += [(first, middle), (middle, last)]
    return tuple(outcomes[place] for place in range(len(steps)))


def _deciding(outcome: PolicyOutcome) -> tuple[RuleResult | Doubt, ...]:
    """The rules that fail; else what is undecided."""
    if outcome.overall != "undecided":
        return tuple(rule for rule in outcome.rules if rule.result == outcome.overall == "fail")
    open_rules = (rule for rule in outcome.rules if rule.result == "undecided")
    return (*open_rules, *(doubt for doubt in outcome.doubts if not doubt.accepted))

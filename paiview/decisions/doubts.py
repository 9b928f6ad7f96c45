"""What keeps a decision open: results that nobody can judge yet, and a baseline that may be the wrong one.

Each doubt is one sentence with what settles it, and lines of paiview.toml where they can. A doubt about a pair counts
only where a rule of the policy is about that pair; the rules that are may accept it, if all of them do.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from paiview import toml_file
from paiview.decisions.decision import Doubt, DoubtKind, PairDecision, PairRef, sentence_of
from paiview.decisions.policy import Rule
from paiview.decisions.rule_terms import Parts, Selecting, listed, pair_parts, sentence_pieces
from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.evaluation.metric_numbers import range_problem
from paiview.evaluation.results import Pair
from paiview.text import counted

_MAX_TABLES: Final = 20
"""Metrics whose lines are offered; a pattern serves more of them better."""
_CHOICE: Final = '  # or "higher", "zero"; or in its place: target = NUMBER, or ignore = true'
_WHOLE_POLICY: Final = "# in place of every [[policy]] table"
_MIXED: Final = "  # numbers of at most 1 are fractions and count times 100"
_REASONS: Final[Mapping[DoubtKind, str]] = {
    "assumed": "the direction is only assumed",
    "unknown": "which way is better is not known",
    "scale": "one number is in percent and the other a fraction",
    "version": "the two sides used different versions of the dataset",
    "duplicate": "a side gives several numbers",
    "invalid": "a side has no valid number",
}
_REMEDIES: Final[Mapping[DoubtKind, str]] = {
    "assumed": "Confirm it, or set another one",
    "unknown": "Set a direction, or ignore the metric",
    "scale": "Say how the metric is stored",
    "version": "Evaluate both sides on the same version, or accept the comparison in the policy",
    "duplicate": "Name the split, subset or config of each result in its Dataset, or accept it in the policy",
    "invalid": "Correct the result, or accept it in the policy",
}


class BaselineFacts(NamedTuple):
    """Why the baseline that the rules chose may be the wrong one; ``None`` for no doubt.

    Attributes:
        listing: a sentence where the listing lacks versions.
        order: a sentence where the order of the versions is not certain.
    """

    listing: str | None = None
    order: str | None = None


def doubt_about(pair: PairDecision, metrics: Mapping[str, MetricContract]) -> DoubtKind | None:
    """Why a pair that needs a judgement has none that may decide; ``None`` without such a doubt."""
    if pair.standing == "assumed" and pair.state in ("better", "worse", "unclear"):
        return "assumed"
    if pair.state != "not_comparable":
        return None
    match pair.reason:
        case "invalid" | "no_number":
            return "invalid" if _is_valid(pair.baseline, contract(pair.metric, metrics)) else None
        case "unknown" | "scale" | "version" | "duplicate" as kind:
            return kind
    return None


def _is_valid(number: float | None, meaning: MetricContract) -> bool:
    return number is not None and range_problem(number, meaning) is None


def accepted_doubts(pairs: Iterable[PairDecision], rules: Sequence[Rule]) -> dict[Pair, frozenset[DoubtKind]]:
    """By pair, the kinds of doubt that every rule accepts which is about it; without the pairs that have none."""
    if not any(isinstance(rule, Selecting) and rule.accept for rule in rules):
        return {}
    accepted: dict[Pair, frozenset[DoubtKind]] = {}
    for pair in pairs:
        kinds = [frozenset[DoubtKind](rule.accept) for rule in _about(pair, rules)]
        accepted[pair.pair] = frozenset[DoubtKind]().union(*kinds[:1]).intersection(*kinds)
    return accepted


def _about(pair: PairDecision, rules: Sequence[Rule]) -> list[Selecting]:
    return [rule for rule in rules if isinstance(rule, Selecting) and rule.selects(pair)]


def pair_doubts(
    pairs: Sequence[PairDecision],
    rules: Sequence[Rule],
    metrics: Mapping[str, MetricContract],
    accepted: Mapping[Pair, frozenset[DoubtKind]],
) -> Iterator[Doubt]:
    """The doubts about pairs that a rule is about, one for each kind and for what is accepted of it."""
    groups: dict[tuple[DoubtKind, bool], list[PairDecision]] = {}
    for pair in pairs:
        kind = doubt_about(pair, metrics)
        if kind is not None and _about(pair, rules):
            groups.setdefault((kind, kind in accepted.get(pair.pair, ())), []).append(pair)
    for (kind, is_accepted), group in groups.items():
        names = {pair.dataset: pair.name for pair in group if pair.name is not None}
        parts: Parts = (
            f"{counted(len(group), 'result')} where {_REASONS[kind]}: ",
            *listed(group, pair_parts),
            f". {'Accepted by the policy' if is_accepted else _REMEDIES[kind]}.",
        )
        pieces = sentence_pieces(parts)
        yield Doubt(
            kind=kind,
            sentence=sentence_of(pieces, names),
            pieces=pieces,
            pairs=tuple(PairRef(dataset=pair.dataset, metric=pair.metric) for pair in group),
            toml=_toml(kind, group, metrics, rules),
            accepted=is_accepted,
        )


def baseline_doubts(facts: BaselineFacts, accept: Iterable[str]) -> Iterator[Doubt]:
    """The doubts about the baseline that the rules chose."""
    accepted = set(accept)
    reasons: tuple[tuple[DoubtKind, str | None], ...] = (("listing", facts.listing), ("order", facts.order))
    for kind, sentence in reasons:
        if sentence is not None:
            is_accepted = kind in accepted
            remedy = "Accepted by the policy." if is_accepted else "Name the baseline, or accept this in the policy."
            toml = toml_file.written({"policy_defaults": {"accept": sorted({*accepted, kind})}})
            yield Doubt(kind=kind, sentence=f"{sentence} {remedy}", toml=toml, accepted=is_accepted)


def direction_lines(contracts: Sequence[MetricContract]) -> str:
    """The lines of paiview.toml that set the directions of metrics: what is assumed as it is, else to be chosen."""
    return _tables(
        (meaning.metric, {"direction": meaning.direction or "lower"}, "" if meaning.direction else _CHOICE)
        for meaning in contracts
    )


def _scale_lines(contracts: Sequence[MetricContract]) -> str:
    return _tables((meaning.metric, {"scale": "mixed"}, _MIXED) for meaning in contracts)


def _toml(
    kind: DoubtKind, group: Sequence[PairDecision], metrics: Mapping[str, MetricContract], rules: Sequence[Rule]
) -> str:
    """The lines that settle a doubt about some pairs: what their metrics mean, else the policy with what it accepts."""
    contracts = [contract(metric, metrics) for metric in dict.fromkeys(pair.metric for pair in group)]
    if kind in ("assumed", "unknown"):
        return direction_lines(contracts)
    if kind == "scale":
        return _scale_lines(contracts)
    return policy_lines(
        rule.model_copy(update={"accept": tuple(sorted({*rule.accept, kind}))})
        if isinstance(rule, Selecting) and any(rule.selects(pair) for pair in group)
        else rule
        for rule in rules
    )


def policy_lines(rules: Iterable[Rule]) -> str:
    """The lines of paiview.toml that hold a policy, in place of the one there."""
    tables = [
        {"rule": rule.rule} | rule.model_dump(mode="json", exclude_defaults=True, exclude_none=True) for rule in rules
    ]
    return f"{_WHOLE_POLICY}\n{toml_file.written({'policy': tables})}"


def _tables(settings: Iterable[tuple[str, Mapping[str, str], str]]) -> str:
    """Tables of paiview.toml, each with a comment after its line."""
    tables = [toml_file.written({"metrics": {name: dict(table)}}) + comment for name, table, comment in settings]
    more = len(tables) - _MAX_TABLES
    return "\n\n".join(tables[:_MAX_TABLES]) + (f"\n\n# and {counted(more, 'more metric')}" if more > 0 else "")

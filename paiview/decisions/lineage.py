"""From the versions of a model to a Decision: which baseline, what each pair says, and whether the policy lets it pass.

Pure. The whole, unfiltered list of versions decides, so that a filter of the reader never moves a baseline.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from paiview.decisions import policy
from paiview.decisions.averages import averages
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision, MetricInForce
from paiview.decisions.pairs import judge_pairs, summarize
from paiview.evaluation.metric_meaning import SCALE_JUMP, MetricContract, contract
from paiview.evaluation.results import Evaluation, Pair, evaluation, versions_measuring
from paiview.evaluation.version_order import total_order
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import ModelVersion
from paiview.text import counted, one_line, shorten_front

_NEWEST_APPROVED: Final = "newest approved by creation"
_NEWEST_BEFORE: Final = "newest approved before the candidate"
_NOTHING_SHARED: Final = "newest approved by creation, though no approved version shares a result with the candidate"
_NONE_APPROVED: Final = "newest earlier version that shares a result: none before the candidate is approved"
_GIVEN: Final = "chosen by the reader"
_NO_BASELINE: Final = "no baseline: no version before the candidate is approved or shares a result"
_KEPT: Final = 256
"""Versions of one listing that stay read, the last asked for: a comparison needs few of thousands."""
_AT_ONCE: Final = 256
"""Versions searched together at most, by the results they share with the candidate."""
_NAME: Final = 80


_Aliases = frozenset[tuple[str, str]]


class ComparisonError(PaiviewError):
    """What was asked for cannot be compared."""

    advice = "Choose two different versions."


class UnknownVersionError(ComparisonError):
    """The candidate or the baseline is not a version of the model."""

    advice = "Check the name: it may be mistyped, or the version was deleted."


class Lineage:
    """One model's versions in their total order, read into measurements when they are asked for.

    Args:
        model_id: the model.
        versions: the whole listing, unfiltered.
        fetched_at: when it was read, UTC.
        uneven: a sentence when versions may be missing from the listing.
        names: given for versions that are in their order already.

    Attributes:
        model_id, fetched_at, uneven: as given.
        names: the VersionNames in order; a version without one has a placeholder.
    """

    def __init__(
        self,
        model_id: str,
        versions: Sequence[ModelVersion],
        fetched_at: datetime,
        *,
        uneven: str | None = None,
        names: list[str] | None = None,
    ) -> None:
        self.model_id = model_id
        self.fetched_at = fetched_at
        self.uneven = uneven
        if names is None:
            order = total_order(versions)
            names, versions = order.names, [versions[place] for place in order.listing_indexes]
        self.names = names
        self._versions = versions
        self._at = {name: at for at, name in reversed([*enumerate(names)])}
        self._read = lru_cache(_KEPT)(self._evaluate)
        self._decided = lru_cache(_KEPT)(self._decide)
        self._found = lru_cache(_KEPT)(self._search)

    def amended(self, versions: Mapping[str, ModelVersion]) -> "Lineage":
        """The same lineage with some of its versions as they were read later: a creation and a name never change.

        Args:
            versions: by VersionName.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        places = {self._place(name): version for name, version in versions.items()}
        kept = [places.get(place, version) for place, version in enumerate(self._versions)]
        return Lineage(self.model_id, kept, self.fetched_at, uneven=self.uneven, names=self.names)

    def __contains__(self, name: object) -> bool:
        """Whether the model has a version of this name."""
        return name in self._at

    def version(self, name: str) -> ModelVersion:
        """One version.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        return self._versions[self._place(name)]

    def evaluation(self, name: str, aliases: Mapping[str, str]) -> Evaluation:
        """What one version measured, under the names that the aliases give its datasets.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        return self._read(self._place(name), frozenset(aliases.items()))

    def newest_pending(self) -> str | None:
        """The newest version that waits for a decision."""
        pending = (at for at in reversed(range(len(self.names))) if self._versions[at].approval_status == "Pending")
        at = next(pending, None)
        return None if at is None else self.names[at]

    def approved_after(self, name: str) -> list[str]:
        """The Approved versions that come after one in the order, the newest first.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        later = range(len(self.names) - 1, self._place(name), -1)
        return [self.names[at] for at in later if self._versions[at].approval_status == "Approved"]

    def baseline(self, candidate: str, aliases: Mapping[str, str]) -> tuple[str | None, str]:
        """The version to compare with, and why it is that one.

        The newest Approved version before the candidate that has a number for a pair the candidate has a number for;
        else the newest Approved before it; else, where none is approved, the newest earlier one that shares a pair.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        return self._found(self._place(candidate), frozenset(aliases.items()))

    def decide(self, candidate: str, baseline: str | None, contracts: Contracts) -> Decision:
        """``decide`` among the versions of this one lineage, made once for all who ask the same."""
        sources = tuple(known.source for known in contracts.metrics.values())
        return self._decided(candidate, baseline, _Meaning((contracts.fingerprint, sources), contracts))

    def _decide(self, candidate: str, baseline: str | None, meaning: "_Meaning") -> Decision:
        return _decide(self, candidate, baseline, None, meaning.contracts)

    def _place(self, name: str) -> int:
        try:
            return self._at[name]
        except KeyError:
            raise UnknownVersionError(f"{self.model_id} has no version {name}.", status=404) from None

    def _evaluate(self, place: int, aliases: _Aliases) -> Evaluation:
        return evaluation(self._versions[place].metrics, dict(aliases))

    def _search(self, candidate: int, aliases: _Aliases) -> tuple[str | None, str]:
        before = range(candidate - 1, -1, -1)
        approved = [at for at in before if self._versions[at].approval_status == "Approved"]
        found = self._first_sharing(approved or before, _numbered(self._read(candidate, aliases)), aliases)
        if found is None:
            return (self.names[approved[0]], _NOTHING_SHARED) if approved else (None, _NO_BASELINE)
        if not approved:
            return self.names[found], _NONE_APPROVED
        if found != approved[0]:
            newest = one_line(self.names[approved[0]], _NAME)
            return self.names[found], f"{_NEWEST_BEFORE} that shares a result: {newest} is newer and shares none"
        return self.names[found], _NEWEST_BEFORE if self.approved_after(self.names[candidate]) else _NEWEST_APPROVED

    def _first_sharing(self, places: Sequence[int], wanted: set[Pair], aliases: _Aliases) -> int | None:
        """The first of the places that has a number for a wanted pair; mostly one of the first few has."""
        start, size = 0, 1
        while wanted and start < len(places):
            part = places[start : start + size]
            given = versions_measuring([self._versions[at].metrics for at in part], wanted, dict(aliases))
            for at, has in zip(part, given, strict=True):
                if has and not wanted.isdisjoint(_numbered(self._read(at, aliases))):
                    return at
            start, size = start + size, min(2 * size, _AT_ONCE)
        return None


@dataclass(frozen=True)
class _Meaning:
    """Contracts as a key: they are equal where all is that a Decision tells of them."""

    identity: tuple[object, ...]
    contracts: Contracts = field(compare=False)


@dataclass(frozen=True)
class _Side:
    """A version of the comparison, and what it measured."""

    model_id: str
    name: str
    version: ModelVersion
    results: Evaluation


def decide(
    lineage: Lineage,
    candidate: str,
    *,
    baseline: str | None = None,
    other: Lineage | None = None,
    contracts: Contracts = Contracts(),
) -> Decision:
    """Decide whether a candidate is better than its baseline, and whether the policy lets it be approved.

    Args:
        lineage: the candidate's model.
        candidate: VersionName.
        baseline: VersionName; by default the one that ``Lineage.baseline`` names. With ``other`` it has to be given.
        other: the baseline's model where it is not the candidate's.
        contracts: what metrics and datasets mean, and the policy.

    Raises:
        UnknownVersionError: candidate or baseline is no version of its model.
        ComparisonError: the candidate is its own baseline, or another model is given without one of its versions.
    """
    if other is None:
        return lineage.decide(candidate, baseline, contracts)
    return _decide(lineage, candidate, baseline, other, contracts)


def _decide(
    lineage: Lineage, candidate: str, baseline: str | None, other: Lineage | None, contracts: Contracts
) -> Decision:
    aliases = contracts.aliases
    against, reason = _baseline(lineage, candidate, baseline, other, aliases)
    judged = _Side(lineage.model_id, candidate, lineage.version(candidate), lineage.evaluation(candidate, aliases))
    pairs = judge_pairs(judged.results, against.results if against else None, contracts.metrics, contracts.datasets)
    labels = {label.key: label.value for label in judged.version.labels}
    rules, overall = policy.evaluate(
        contracts.rules,
        pairs,
        description=judged.version.version_description,
        labels=labels,
        metrics=contracts.metrics,
    )
    return Decision(
        model=lineage.model_id,
        candidate=candidate,
        baseline_model=against.model_id if against else None,
        baseline=against.name if against else None,
        baseline_reason=reason,
        fetched_at=min([lineage.fetched_at, *([other.fetched_at] if other else [])]),
        data_fingerprint=_data_fingerprint(judged, against),
        policy_fingerprint=contracts.fingerprint,
        pairs=pairs,
        summary=summarize(pairs),
        averages=averages(pairs),
        rules=rules,
        overall=overall,
        metrics=tuple(
            _in_force(contract(metric, contracts.metrics)) for metric in sorted({pair.metric for pair in pairs})
        ),
        notes=_notes(judged, against, lineage, other),
    )


def _baseline(
    lineage: Lineage, candidate: str, asked: str | None, other: Lineage | None, aliases: Mapping[str, str]
) -> tuple[_Side | None, str]:
    home = other or lineage
    elsewhere = home.model_id != lineage.model_id
    if elsewhere and asked is None:
        raise ComparisonError(f"No version of {home.model_id} is named as the baseline.", status=400)
    by_rule, reason = lineage.baseline(candidate, aliases)
    if elsewhere or asked not in (None, by_rule):
        reason = f"{_GIVEN} from another model" if elsewhere else _GIVEN
        if not elsewhere and by_rule is not None:
            # Links keep a baseline, and a newer version may have been approved since.
            reason += f", the rules choose {one_line(by_rule, _NAME)}"
    if asked is None:
        asked = by_rule
    if asked is None:
        return None, reason
    if not elsewhere and asked == candidate:
        raise ComparisonError(f"{candidate} is both the candidate and the baseline.", status=400)
    return _Side(home.model_id, asked, home.version(asked), home.evaluation(asked, aliases)), reason


def _numbered(results: Evaluation) -> set[Pair]:
    return {pair for pair, measurement in results.items() if measurement.value == measurement.value}


def _data_fingerprint(judged: _Side, against: _Side | None) -> str:
    """``sha256:`` of both Metrics as canonical JSON; a value JSON cannot hold stands as its Python text."""
    facts = {"baseline": against.version.metrics if against else None, "candidate": judged.version.metrics}
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=repr)
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()}"


def _in_force(known: MetricContract) -> MetricInForce:
    return MetricInForce(
        metric=known.name,
        direction=known.direction,
        unit=known.unit,
        relative=known.relative,
        absolute=known.absolute,
        digits=known.digits,
        source=known.source,
    )


def _notes(judged: _Side, against: _Side | None, lineage: Lineage, other: Lineage | None) -> tuple[str, ...]:
    """What a reader should know about the two sides as a whole, in plain sentences."""
    uneven = [
        f"{one_line(read.model_id, _NAME)}: {read.uneven} Versions may be missing, and with them a newer baseline."
        for read in (lineage, other)
        if read is not None and read.uneven
    ]
    overtaken = []
    later = lineage.approved_after(judged.name) if judged.version.approval_status != "Approved" else []
    if later and other is None and (against is None or against.name != later[0]):
        others = f" and {counted(len(later) - 1, 'more version')}, which are" if len(later) > 1 else ", which is"
        told = f"{one_line(judged.name, _NAME)} was created before {one_line(later[0], _NAME)}{others} approved"
        overtaken.append(f"{told}: it is not compared with the newest approved.")
    unapproved = []
    if against is not None and against.version.approval_status != "Approved":
        status = against.version.approval_status
        told = f"is {one_line(status, _NAME)}" if status else "has no approval status"
        name = one_line(against.name, _NAME)
        unapproved.append(f"Baseline {name} {told}: the comparison is with a version that is not approved.")
    earlier = against.results if against else {}
    jumps = sorted(
        f"{one_line(pair.metric, _NAME)} on {shorten_front(pair.dataset, _NAME)} is {after.value:g} and was "
        f"{before.value:g}: about 100 times apart, like a fraction beside a percentage. It is judged as stored."
        for pair, after in judged.results.items()
        if (before := earlier.get(pair)) is not None and _is_jump(before.value, after.value)
    )
    return (*unapproved, *overtaken, *uneven, *jumps)


def _is_jump(before: float, after: float) -> bool:
    small, large = sorted((before, after))
    return small > 0 and SCALE_JUMP[0] <= large / small <= SCALE_JUMP[1]

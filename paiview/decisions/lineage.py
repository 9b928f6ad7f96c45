"""From the versions of a model to a Decision: choose the baseline, judge the pairs, apply the policy.

The baseline is chosen among all versions of the model, so that a filter of the reader never changes it.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from paiview.decisions import policy
from paiview.decisions.averages import averages
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision
from paiview.decisions.pairs import judge_pairs, summarize
from paiview.evaluation.metric_meaning import contract, is_scale_jump
from paiview.evaluation.results import Evaluation, Pair, evaluation, versions_measuring
from paiview.evaluation.version_order import total_order
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import ModelVersion
from paiview.text import counted, one_line, shorten_front

_NEWEST_APPROVED: Final = "newest approved by creation"
_NEWEST_BEFORE: Final = "newest approved before the candidate"
_NOTHING_SHARED: Final = "newest approved by creation, though no approved version shares a result with the candidate"
_NONE_APPROVED: Final = "newest earlier version that shares a result: none before the candidate is approved"
_CHOSEN_BY_READER: Final = "chosen by the reader"
_NO_BASELINE: Final = "no baseline: no version before the candidate is approved or shares a result"
_CACHE_SIZE: Final = 256
"""Evaluations, baselines and decisions cached for one listing; a comparison needs few of thousands of versions."""
_MAX_SEARCH_BATCH: Final = 256
"""Versions searched at once for a result that the candidate has too."""
_MAX_NAME_LENGTH: Final = 80

_Aliases = frozenset[tuple[str, str]]


class ComparisonError(PaiviewError):
    """The two versions cannot be compared."""

    advice = "Choose two different versions."


class UnknownVersionError(ComparisonError):
    """The candidate or the baseline is not a version of the model."""

    advice = "Check the name: it may be mistyped, or the version was deleted."


class Lineage:
    """One model's versions in their total order, their Metrics read when needed.

    Args:
        model_id: the model.
        versions: the whole listing, unfiltered.
        fetched_at: when it was read, UTC.
        uneven: a sentence when versions may be missing from the listing.

    Attributes:
        model_id, fetched_at, uneven: the arguments.
        names: the VersionNames in order; a version without one has a placeholder.
    """

    def __init__(
        self,
        model_id: str,
        versions: Sequence[ModelVersion],
        fetched_at: datetime,
        *,
        uneven: str | None = None,
    ) -> None:
        self.model_id = model_id
        self.fetched_at = fetched_at
        self.uneven = uneven
        order = total_order(versions)
        self.names = order.names
        self._versions = [versions[index] for index in order.listing_indexes]
        self._index_of_name = {name: index for index, name in reversed([*enumerate(self.names)])}
        self._cached_evaluation = lru_cache(_CACHE_SIZE)(self._evaluate)
        self._cached_baseline = lru_cache(_CACHE_SIZE)(self._choose_baseline)
        self._cached_decision = lru_cache(_CACHE_SIZE)(self._new_decision)

    def __contains__(self, name: object) -> bool:
        """Whether the model has a version of this name."""
        return name in self._index_of_name

    def version(self, name: str) -> ModelVersion:
        """One version.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        return self._versions[self._index(name)]

    def evaluation(self, name: str, aliases: Mapping[str, str]) -> Evaluation:
        """The measurements of one version, with aliases of datasets replaced by their targets.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        return self._cached_evaluation(self._index(name), frozenset(aliases.items()))

    def newest_pending(self) -> str | None:
        """The newest Pending version."""
        indexes = reversed(range(len(self.names)))
        return next((self.names[index] for index in indexes if self._status(index) == "Pending"), None)

    def approved_after(self, name: str) -> list[str]:
        """The Approved versions after one in the order, the newest first.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        later = range(len(self.names) - 1, self._index(name), -1)
        return [self.names[index] for index in later if self._status(index) == "Approved"]

    def baseline(self, candidate: str, aliases: Mapping[str, str]) -> tuple[str | None, str]:
        """The version to compare a candidate with, and the reason for this choice.

        The newest Approved version before the candidate that shares a number with it (both have a number for the same
        pair); else the newest Approved version before it; else, if none before it is Approved, the newest earlier
        version that shares a number.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        return self._cached_baseline(self._index(candidate), frozenset(aliases.items()))

    def decision(self, candidate: str, baseline: str | None, contracts: Contracts) -> Decision:
        """``decide`` within this lineage, made once for equal arguments."""
        return self._cached_decision(candidate, baseline, _ContractsKey.of(contracts))

    def _new_decision(self, candidate: str, baseline: str | None, key: "_ContractsKey") -> Decision:
        return _assemble(self, candidate, baseline, None, key.contracts)

    def _index(self, name: str) -> int:
        try:
            return self._index_of_name[name]
        except KeyError:
            raise UnknownVersionError(f"{self.model_id} has no version {name}.", status=404) from None

    def _status(self, index: int) -> str | None:
        return self._versions[index].approval_status

    def _evaluate(self, index: int, aliases: _Aliases) -> Evaluation:
        return evaluation(self._versions[index].metrics, dict(aliases))

    def _choose_baseline(self, candidate: int, aliases: _Aliases) -> tuple[str | None, str]:
        before = range(candidate - 1, -1, -1)
        approved = [index for index in before if self._status(index) == "Approved"]
        pairs = _numbered_pairs(self._cached_evaluation(candidate, aliases))
        sharing = self._first_sharing(approved or before, pairs, aliases)
        if sharing is None:
            return (self.names[approved[0]], _NOTHING_SHARED) if approved else (None, _NO_BASELINE)
        if not approved:
            return self.names[sharing], _NONE_APPROVED
        if sharing != approved[0]:
            newest = one_line(self.names[approved[0]], _MAX_NAME_LENGTH)
            return self.names[sharing], f"{_NEWEST_BEFORE} that shares a result: {newest} is newer and shares none"
        return self.names[sharing], _NEWEST_BEFORE if self.approved_after(self.names[candidate]) else _NEWEST_APPROVED

    def _first_sharing(self, indexes: Sequence[int], pairs: set[Pair], aliases: _Aliases) -> int | None:
        """The first of some versions that has a number for any of the pairs.

        The batches grow, because one of the first few versions nearly always has one.
        """
        start, size = 0, 1
        while pairs and start < len(indexes):
            batch = indexes[start : start + size]
            measuring = versions_measuring([self._versions[index].metrics for index in batch], pairs, dict(aliases))
            for index, measures in zip(batch, measuring, strict=True):
                if measures and not pairs.isdisjoint(_numbered_pairs(self._cached_evaluation(index, aliases))):
                    return index
            start, size = start + size, min(2 * size, _MAX_SEARCH_BATCH)
        return None


@dataclass(frozen=True)
class _ContractsKey:
    """Contracts as a cache key; equal for contracts of which a Decision shows no difference."""

    fingerprint: str
    sources: tuple[str, ...]
    contracts: Contracts = field(compare=False)

    @classmethod
    def of(cls, contracts: Contracts) -> "_ContractsKey":
        return cls(contracts.fingerprint, tuple(metric.source for metric in contracts.metrics.values()), contracts)


@dataclass(frozen=True)
class _Side:
    """One version of the comparison."""

    model_id: str
    name: str
    version: ModelVersion
    results: Evaluation

    @classmethod
    def of(cls, lineage: Lineage, name: str, aliases: Mapping[str, str]) -> "_Side":
        return cls(lineage.model_id, name, lineage.version(name), lineage.evaluation(name, aliases))


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
        baseline: VersionName; by default that of ``Lineage.baseline``. Required with ``other``.
        other: the baseline's model where it is not the candidate's.
        contracts: what metrics and datasets mean, and the policy.

    Raises:
        UnknownVersionError: candidate or baseline is not a version of its model.
        ComparisonError: the candidate is its own baseline, or ``other`` comes without a baseline.
    """
    if other is None:
        return lineage.decision(candidate, baseline, contracts)
    return _assemble(lineage, candidate, baseline, other, contracts)


def _assemble(
    lineage: Lineage, candidate: str, baseline: str | None, other: Lineage | None, contracts: Contracts
) -> Decision:
    aliases = contracts.aliases
    before, reason = _baseline(lineage, candidate, baseline, other, aliases)
    after = _Side.of(lineage, candidate, aliases)
    pairs = judge_pairs(after.results, before.results if before else None, contracts.metrics, contracts.datasets)
    rules, overall = policy.evaluate(
        contracts.rules,
        pairs,
        description=after.version.version_description,
        labels={label.key: label.value for label in after.version.labels},
        metrics=contracts.metrics,
    )
    metrics = sorted({pair.metric for pair in pairs})
    return Decision(
        model=lineage.model_id,
        candidate=candidate,
        baseline_model=before.model_id if before else None,
        baseline=before.name if before else None,
        baseline_reason=reason,
        fetched_at=min([lineage.fetched_at, *([other.fetched_at] if other else [])]),
        data_fingerprint=_data_fingerprint(after, before),
        policy_fingerprint=contracts.fingerprint,
        pairs=pairs,
        summary=summarize(pairs),
        averages=averages(pairs),
        rules=rules,
        overall=overall,
        metrics=tuple(contract(metric, contracts.metrics).resolved() for metric in metrics),
        notes=(
            *_approval_notes(after, before, lineage, other),
            *_listing_notes(lineage, other),
            *_scale_notes(after.results, before.results if before else {}),
        ),
    )


def _baseline(
    lineage: Lineage, candidate: str, requested: str | None, other: Lineage | None, aliases: Mapping[str, str]
) -> tuple[_Side | None, str]:
    """The baseline, as requested or chosen by the rules, and the reason for it."""
    home = other or lineage
    is_elsewhere = home.model_id != lineage.model_id
    if is_elsewhere and requested is None:
        raise ComparisonError(f"No version of {home.model_id} is named as the baseline.", status=400)
    by_rule, reason = lineage.baseline(candidate, aliases)
    if is_elsewhere:
        reason = f"{_CHOSEN_BY_READER} from another model"
    elif requested not in (None, by_rule):
        reason = _CHOSEN_BY_READER
        if by_rule is not None:
            # A link keeps its baseline, though a newer version may have been approved since.
            reason += f", the rules choose {one_line(by_rule, _MAX_NAME_LENGTH)}"
    name = by_rule if requested is None else requested
    if name is None:
        return None, reason
    if not is_elsewhere and name == candidate:
        raise ComparisonError(f"{candidate} is both the candidate and the baseline.", status=400)
    return _Side.of(home, name, aliases), reason


def _numbered_pairs(results: Evaluation) -> set[Pair]:
    return {pair for pair, measurement in results.items() if not math.isnan(measurement.value)}


def _data_fingerprint(after: _Side, before: _Side | None) -> str:
    """``sha256:`` of both Metrics as canonical JSON; a value that JSON cannot hold is written as its Python repr."""
    facts = {"baseline": before.version.metrics if before else None, "candidate": after.version.metrics}
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=repr)
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()}"


def _approval_notes(after: _Side, before: _Side | None, lineage: Lineage, other: Lineage | None) -> Iterator[str]:
    if before is not None and before.version.approval_status != "Approved":
        status = before.version.approval_status
        predicate = f"is {one_line(status, _MAX_NAME_LENGTH)}" if status else "has no approval status"
        name = one_line(before.name, _MAX_NAME_LENGTH)
        yield f"Baseline {name} {predicate}: the comparison is with a version that is not approved."
    later = lineage.approved_after(after.name) if after.version.approval_status != "Approved" else []
    if later and other is None and (before is None or before.name != later[0]):
        candidate, newest = one_line(after.name, _MAX_NAME_LENGTH), one_line(later[0], _MAX_NAME_LENGTH)
        more = f" and {counted(len(later) - 1, 'more version')}, which are" if len(later) > 1 else ", which is"
        yield f"{candidate} was created before {newest}{more} approved: it is not compared with the newest approved."


def _listing_notes(lineage: Lineage, other: Lineage | None) -> Iterator[str]:
    for listing in (lineage, other):
        if listing is not None and listing.uneven:
            model = one_line(listing.model_id, _MAX_NAME_LENGTH)
            yield f"{model}: {listing.uneven} Versions may be missing, and with them a newer baseline."


def _scale_notes(after: Evaluation, before: Evaluation) -> list[str]:
    return sorted(
        f"{one_line(pair.metric, _MAX_NAME_LENGTH)} on {shorten_front(pair.dataset, _MAX_NAME_LENGTH)} is "
        f"{now.value:g} and was {was.value:g}: about 100 times apart, like a fraction beside a percentage. "
        "It is judged as stored."
        for pair, now in after.items()
        if (was := before.get(pair)) is not None and is_scale_jump(was.value, now.value)
    )

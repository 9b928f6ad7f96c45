"""From the versions of a model to a Decision: choose the baseline, judge the pairs, apply the policy.

The baseline is chosen among all versions of the model, so that a filter of the reader never changes it.
"""

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final

from paiview.decisions.averages import averages
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision, PairDecision
from paiview.decisions.doubts import BaselineFacts
from paiview.decisions.noise import Compared
from paiview.decisions.pairs import judge_pairs, measured_number, summarize
from paiview.decisions.policy_outcome import PolicyOutcome, apply_policy
from paiview.decisions.reruns import MOST_RUNS, RERUN_LABEL, Runs, rerun_sentences
from paiview.evaluation.dataset_identity import look_alikes
from paiview.evaluation.metric_numbers import range_problem
from paiview.evaluation.results import Evaluation, MeasuredPairs, Pair, evaluation, unreadable
from paiview.evaluation.version_order import total_order
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import ModelVersion
from paiview.text import counted, escape_toml, one_line

_NEWEST_BEFORE: Final = "newest approved before the candidate"
_NOTHING_SHARED: Final = ", though no approved version shares a result with the candidate"
_NONE_APPROVED: Final = "newest earlier version that shares a result: none before the candidate is approved"
NAMED: Final = "named"
"""Who named a baseline, where nothing more is known."""
_NO_BASELINE: Final = "no baseline: no version before the candidate is approved or shares a result"
_CACHE_SIZE: Final = 256
"""Evaluations, baselines and decisions cached for one listing; a comparison needs few of thousands of versions."""
_SEARCHED_AT_ONCE: Final = 64
"""Versions whose results are read at once, and kept, in a search for one that has a result of the candidate."""
_KEPT_SEARCHES: Final = 4
"""Contracts for which what was read in searches is kept."""
_MAX_NAME_LENGTH: Final = 80
_MAX_SENTENCE_LENGTH: Final = 200


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
        total: how many versions the model has by the service's count; by default as many as are listed.

    Attributes:
        model_id, fetched_at, uneven, total: the arguments.
        names: the VersionNames in order; a version without one has a placeholder.
        has_times: whether any version has a readable creation time.
    """

    def __init__(
        self,
        model_id: str,
        versions: Sequence[ModelVersion],
        fetched_at: datetime,
        *,
        uneven: str | None = None,
        total: int | None = None,
    ) -> None:
        self.model_id = model_id
        self.fetched_at = fetched_at
        self.uneven = uneven
        self.total = len(versions) if total is None else total
        order = total_order(versions)
        self.names = order.names
        self.has_times = any(created is not None for created in order.created)
        self._versions = [versions[index] for index in order.listing_indexes]
        self._approved = [index for index in range(len(self._versions)) if self._status(index) == "Approved"]
        self._undated = [index for index, created in enumerate(order.created) if created is None]
        self._index_of_name = {name: index for index, name in reversed([*enumerate(self.names)])}
        self._cached_evaluation = lru_cache(_CACHE_SIZE)(self._evaluate)
        self._cached_scores = lru_cache(_CACHE_SIZE)(self._scored_pairs)
        self._cached_baseline = lru_cache(_CACHE_SIZE)(self._choose_baseline)
        self._cached_facts = lru_cache(_CACHE_SIZE)(self._find_facts)
        self._cached_decision = lru_cache(_CACHE_SIZE)(self._new_decision)
        self._cached_searches = lru_cache(_KEPT_SEARCHES)(self._new_search)

    def __contains__(self, name: object) -> bool:
        """Whether the model has a version of this name."""
        return name in self._index_of_name

    def version(self, name: str) -> ModelVersion:
        """One version.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        return self._versions[self._index(name)]

    @property
    def missing(self) -> int:
        """The versions that the service counts and the listing lacks."""
        return max(0, self.total - len(self.names))

    def evaluation(self, name: str, contracts: Contracts) -> Evaluation:
        """The measurements of one version, with aliases of datasets and metrics replaced by their targets.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        return self._cached_evaluation(self._index(name), contracts)

    def runs_of(self, name: str, contracts: Contracts) -> Runs | None:
        """The evaluations of the version that this one is, or is labelled as a re-run of; ``None`` without re-runs.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        original = _rerun_of(self.version(name)) or name
        indexes = self._reruns.get(original, [])
        if original in self._index_of_name:
            indexes = sorted({self._index(original), *indexes})
        if len(indexes) < 2:
            return None
        return Runs(original, [self._cached_evaluation(index, contracts) for index in indexes[-MOST_RUNS:]])

    @cached_property
    def _reruns(self) -> dict[str, list[int]]:
        """By VersionName, the places of the versions that are labelled as its re-runs."""
        places: dict[str, list[int]] = {}
        for index, version in enumerate(self._versions):
            if (original := _rerun_of(version)) is not None:
                places.setdefault(original, []).append(index)
        return places

    def newest_pending(self) -> str | None:
        """The newest Pending version."""
        indexes = reversed(range(len(self.names)))
        return next((self.names[index] for index in indexes if self._status(index) == "Pending"), None)

    def approved_after(self, name: str) -> list[str]:
        """The Approved versions after one in the order, the newest first.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        later = self._approved[bisect_right(self._approved, self._index(name)) :]
        return [self.names[index] for index in reversed(later)]

    def baseline(self, candidate: str, contracts: Contracts) -> tuple[str | None, str]:
        """The version to compare a candidate with, and the reason for this choice.

        The newest Approved version before the candidate that shares a number with it (both have a number for the same
        pair); else the newest Approved version before it; else, if none before it is Approved, the newest earlier
        version that shares a number.

        Raises:
            UnknownVersionError: the model has no version of this name.
        """
        return self._cached_baseline(self._index(candidate), contracts)

    def decision(self, candidate: str, baseline: str | None, named_by: str, contracts: Contracts) -> Decision:
        """``decide`` within this lineage, made once for equal arguments."""
        return self._cached_decision(candidate, baseline, named_by, contracts)

    def _new_decision(self, candidate: str, baseline: str | None, named_by: str, contracts: Contracts) -> Decision:
        return _assemble(self, candidate, baseline, None, named_by, contracts)

    def unknown(self, name: str) -> UnknownVersionError:
        """The error that the model has no version of this name, as of this listing."""
        moment = f"{self.fetched_at:%Y-%m-%d %H:%M:%S} UTC"
        return UnknownVersionError(f"{self.model_id} has no version {name} as of {moment}.", status=404)

    def _index(self, name: str) -> int:
        try:
            return self._index_of_name[name]
        except KeyError:
            raise self.unknown(name) from None

    def _status(self, index: int) -> str | None:
        return self._versions[index].approval_status

    def _evaluate(self, index: int, contracts: Contracts) -> Evaluation:
        return evaluation(self._versions[index].metrics, contracts.aliases, contracts.metric_aliases)

    def _choose_baseline(self, candidate: int, contracts: Contracts) -> tuple[str | None, str]:
        approved = self._approved[: bisect_left(self._approved, candidate)][::-1]
        pairs = self._cached_scores(candidate, contracts)
        sharing = self._newest_sharing(pairs, len(approved) or candidate, contracts, is_approved=bool(approved))
        newest = f"newest approved by {'creation' if self.has_times else 'name'}"
        if sharing is None:
            return (self.names[approved[0]], f"{newest}{_NOTHING_SHARED}") if approved else (None, _NO_BASELINE)
        if not approved:
            return self.names[sharing], _NONE_APPROVED
        if sharing != approved[0]:
            later = one_line(self.names[approved[0]], _MAX_NAME_LENGTH)
            return self.names[sharing], f"{_NEWEST_BEFORE} that shares a result: {later} is newer and shares none"
        return self.names[sharing], _NEWEST_BEFORE if self._approved[-1] > candidate else newest

    def _scored_pairs(self, index: int, contracts: Contracts) -> set[Pair]:
        """The pairs that a version has a valid number for, in metrics that are scores."""
        measured = self._cached_evaluation(index, contracts)
        meanings = {metric: contracts.metrics[metric] for metric in {pair.metric for pair in measured}}
        ignored = {dataset for dataset in {pair.dataset for pair in measured} if contracts.datasets[dataset].ignore}
        pairs = set()
        for pair, measurement in measured.items():
            number, meaning = measured_number(measurement), meanings[pair.metric]
            is_judged = meaning.standing != "not_a_score" and pair.dataset not in ignored
            if number is not None and is_judged and range_problem(number, meaning) is None:
                pairs.add(pair)
        return pairs

    def largest_overlap(self, decision: Decision, contracts: Contracts) -> tuple[str, int] | None:
        """The earlier version that shares the most scores with a candidate that shares none with its baseline.

        Returns:
            Its name and the number of scores; ``None`` where the decision compares something, or no version shares any.
        """
        if decision.summary.word != "Not comparable" or decision.baseline_model not in (None, self.model_id):
            return None
        candidate = self._index(decision.candidate)
        pairs = self._cached_scores(candidate, contracts)
        baseline = None if decision.baseline is None else self._index(decision.baseline)
        if not pairs or candidate == 0 or (baseline is not None and self._shares(baseline, pairs, contracts)):
            return None
        most, newest = 0, 0
        for index in self._measuring(pairs, candidate, contracts, is_approved=False):
            # Not from the cache, which thousands of versions would empty.
            shared = len(pairs & self._scored_pairs(index, contracts))
            # Of versions that share as many, the newest.
            if shared > most:
                most, newest = shared, index
        return (self.names[newest], most) if most else None

    def _newest_sharing(self, pairs: set[Pair], before: int, contracts: Contracts, *, is_approved: bool) -> int | None:
        """The newest version that has a valid number for any of the pairs; arguments as for ``_measuring``."""
        if not pairs or not before:
            return None
        # The newest nearly always has one, and is read for the comparison anyway.
        newest = self._approved[before - 1] if is_approved else before - 1
        if self._shares(newest, pairs, contracts):
            return newest
        measuring = self._measuring(pairs, before - 1, contracts, is_approved=is_approved)
        return next((index for index in measuring if self._shares(index, pairs, contracts)), None)

    def _measuring(self, pairs: set[Pair], before: int, contracts: Contracts, *, is_approved: bool) -> Iterator[int]:
        """The versions that have a number for any of the pairs, the newest first.

        Args:
            pairs: the pairs.
            before: how many of the versions are searched, from the oldest on.
            contracts: what metrics and datasets mean.
            is_approved: whether the Approved versions alone are searched, and counted.
        """
        indexes = self._approved if is_approved else range(len(self._versions))
        parts = self._cached_searches(is_approved, contracts)
        for start in range((before - 1) // _SEARCHED_AT_ONCE * _SEARCHED_AT_ONCE, -1, -_SEARCHED_AT_ONCE):
            part = indexes[start : start + _SEARCHED_AT_ONCE]
            if start not in parts:
                metrics = [self._versions[index].metrics for index in part]
                parts[start] = MeasuredPairs(metrics, contracts.aliases, contracts.metric_aliases)
            places = parts[start].versions_with(pairs)
            yield from (part[place] for place in reversed(places) if start + place < before)

    def _new_search(self, _is_approved: bool, _contracts: Contracts) -> dict[int, MeasuredPairs]:
        """What searches have read, by the place of the first version of a part; the cache keeps one for each call."""
        return {}

    def _shares(self, index: int, pairs: set[Pair], contracts: Contracts) -> bool:
        return not pairs.isdisjoint(self._cached_scores(index, contracts))

    def baseline_facts(self, candidate: str, contracts: Contracts) -> BaselineFacts:
        """Why the baseline that the rules choose for a candidate may be the wrong one."""
        return self._cached_facts(self._index(candidate), contracts)

    def _find_facts(self, candidate: int, contracts: Contracts) -> BaselineFacts:
        listing = None
        if self.uneven or self.missing:
            counts = f"{len(self.names)} of {counted(self.total, 'version')} are listed."
            listing = f"{self.uneven or counts} A newer approved version may be missing."
        pairs = self._cached_scores(candidate, contracts)
        unsure = [
            index
            for index in self._undated
            if index == candidate or (self._status(index) == "Approved" and self._shares(index, pairs, contracts))
        ]
        if not unsure:
            return BaselineFacts(listing)
        name = one_line(self.names[unsure[0]], _MAX_NAME_LENGTH)
        more = f" and {counted(len(unsure) - 1, 'more version')} have" if len(unsure) > 1 else " has"
        return BaselineFacts(listing, f"{name}{more} no readable creation time, so that the order is not certain.")


def _rerun_of(version: ModelVersion) -> str | None:
    return next((label.value for label in version.labels if label.key == RERUN_LABEL and label.value), None)


@dataclass(frozen=True)
class _Side:
    """One version of the comparison."""

    model_id: str
    name: str
    version: ModelVersion
    results: Evaluation

    @classmethod
    def of(cls, lineage: Lineage, name: str, contracts: Contracts) -> "_Side":
        return cls(lineage.model_id, name, lineage.version(name), lineage.evaluation(name, contracts))


def decide(
    lineage: Lineage,
    candidate: str,
    *,
    baseline: str | None = None,
    other: Lineage | None = None,
    named_by: str = NAMED,
    contracts: Contracts = Contracts(),
) -> Decision:
    """Decide whether a candidate is better than its baseline, and whether the policy lets it be approved.

    Args:
        lineage: the candidate's model.
        candidate: VersionName.
        baseline: VersionName; by default that of ``Lineage.baseline``. Required with ``other``.
        other: the baseline's model where it is not the candidate's.
        named_by: who named the baseline, in words.
        contracts: what metrics and datasets mean, and the policy.

    Raises:
        UnknownVersionError: candidate or baseline is not a version of its model.
        ComparisonError: the candidate is its own baseline, or ``other`` comes without a baseline.
    """
    if other is None:
        return lineage.decision(candidate, baseline, named_by, contracts)
    return _assemble(lineage, candidate, baseline, other, named_by, contracts)


@dataclass(frozen=True)
class Judgement:
    """A candidate and its baseline pair by pair, before any policy is applied.

    Attributes:
        after, before: the candidate and its baseline; ``None`` without a baseline.
        reason: why this baseline.
        facts: why the baseline may be the wrong one.
        pairs: those of the Decision.
    """

    after: _Side
    before: _Side | None
    reason: str
    facts: BaselineFacts
    pairs: tuple[PairDecision, ...]

    def apply_policy(self, contracts: Contracts) -> PolicyOutcome:
        """Apply the rules of ``contracts``, which otherwise are those that the pairs were judged with."""
        return apply_policy(
            contracts,
            self.pairs,
            description=self.after.version.version_description,
            labels={label.key: label.value for label in self.after.version.labels},
            baseline=self.facts,
        )


def judge(
    lineage: Lineage,
    candidate: str,
    contracts: Contracts,
    *,
    baseline: str | None = None,
    other: Lineage | None = None,
    named_by: str = NAMED,
) -> Judgement:
    """The part of ``decide`` before the policy; arguments and errors as there."""
    before, reason, facts = _baseline(lineage, candidate, baseline, other, named_by, contracts)
    after = _Side.of(lineage, candidate, contracts)
    pairs = judge_pairs(
        after.results,
        before.results if before else None,
        contracts.metrics,
        contracts.datasets,
        Compared(lineage.model_id, before.model_id, before.name) if before else None,
    )
    return Judgement(after, before, reason, facts, pairs)


def _assemble(
    lineage: Lineage,
    candidate: str,
    baseline: str | None,
    other: Lineage | None,
    named_by: str,
    contracts: Contracts,
) -> Decision:
    judged = judge(lineage, candidate, contracts, baseline=baseline, other=other, named_by=named_by)
    after, before, facts, pairs = judged.after, judged.before, judged.facts, judged.pairs
    rules, doubts, overall = judged.apply_policy(contracts)
    metrics = sorted({pair.metric for pair in pairs})
    return Decision(
        model=lineage.model_id,
        candidate=candidate,
        baseline_model=before.model_id if before else None,
        baseline=before.name if before else None,
        baseline_reason=judged.reason,
        fetched_at=min([lineage.fetched_at, *([other.fetched_at] if other else [])]),
        data_fingerprint=_data_fingerprint(after, before),
        policy_fingerprint=contracts.fingerprint,
        pairs=pairs,
        summary=summarize(pairs),
        averages=averages(pairs, contracts.metrics),
        rules=rules,
        doubts=doubts,
        overall=overall,
        metrics=tuple(contracts.metrics[metric] for metric in metrics),
        notes=(
            *_approval_notes(after, before, lineage, other),
            *(() if facts.listing else _listing_notes(lineage, other)),
            *_order_notes(lineage, facts),
            *rerun_sentences(_families(lineage, other, after, before, contracts), pairs, contracts.metrics),
            *_unreadable_notes(after, before),
            *_look_alike_notes("metrics", [pair.metric for pair in pairs]),
            *_look_alike_notes("datasets", [pair.dataset for pair in pairs]),
            *contracts.ignored,
        ),
    )


def _baseline(
    lineage: Lineage,
    candidate: str,
    requested: str | None,
    other: Lineage | None,
    named_by: str,
    contracts: Contracts,
) -> tuple[_Side | None, str, BaselineFacts]:
    """The baseline, as requested or chosen by the rules, the reason for it, and what puts the choice in doubt."""
    home = other or lineage
    is_elsewhere = home.model_id != lineage.model_id
    if is_elsewhere and requested is None:
        raise ComparisonError(f"No version of {home.model_id} is named as the baseline.", status=400)
    by_rule, reason = lineage.baseline(candidate, contracts)
    facts = lineage.baseline_facts(candidate, contracts) if requested is None else BaselineFacts()
    if is_elsewhere:
        reason = f"{named_by}, from another model"
    elif requested is not None:
        reason = named_by
        if by_rule is not None and by_rule != requested:
            # A link keeps its baseline, though a newer version may have been approved since.
            reason += f"; the rules choose {one_line(by_rule, _MAX_NAME_LENGTH)}"
    name = by_rule if requested is None else requested
    if name is None:
        return None, reason, facts
    if not is_elsewhere and name == candidate:
        raise ComparisonError(f"{candidate} is both the candidate and the baseline.", status=400)
    return _Side.of(home, name, contracts), reason, facts


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
        if listing is None:
            continue
        model = one_line(listing.model_id, _MAX_NAME_LENGTH)
        if listing.uneven:
            yield f"{model}: {listing.uneven} Versions may be missing, and with them a newer baseline."
        elif listing.missing:
            listed = f"{len(listing.names)} of {counted(listing.total, 'version')}"
            yield f"{model}: {listed} are listed. A newer baseline may be missing."


def _order_notes(lineage: Lineage, facts: BaselineFacts) -> Iterator[str]:
    if facts.order is None and not lineage.has_times and lineage.names:
        yield "No version has a readable creation time: they are in the order of their names."


def _families(
    lineage: Lineage, other: Lineage | None, after: _Side, before: _Side | None, contracts: Contracts
) -> list[Runs]:
    """The runs of the baseline and of the candidate, once where they are runs of one version."""
    all_runs = [(other or lineage).runs_of(before.name, contracts)] if before else []
    all_runs.append(lineage.runs_of(after.name, contracts))
    families = {runs.version: runs for runs in reversed(all_runs) if runs is not None}
    return [*families.values()][::-1]


def _unreadable_notes(*sides: _Side | None) -> Iterator[str]:
    """What of the Metrics of both sides could not become a result, with a count where it is much."""
    for side in sides:
        sentences = unreadable(side.version.metrics) if side is not None else []
        if side is not None and sentences:
            more = f" and {counted(len(sentences) - 1, 'more field')}" if len(sentences) > 1 else ""
            name = one_line(side.name, _MAX_NAME_LENGTH)
            yield f"{name}: {one_line(sentences[0], _MAX_SENTENCE_LENGTH)}{more}. It is not compared."


def _look_alike_notes(kind: str, names: Iterable[str]) -> Iterator[str]:
    """Names that look alike, with the lines of paiview.toml that make them one."""
    for group in look_alikes(names):
        first, *others = map(_quoted, group)
        tables = " and in ".join(f"[{kind}.{name}]" for name in others)
        yield (
            f"These {kind} look alike and are compared as different ones: {', '.join([first, *others])}. If they are "
            f"one, write alias_of = {first} in {tables}."
        )


def _quoted(name: str) -> str:
    """A name as a string of TOML in which every blank and invisible character shows."""
    shown = name if len(name) <= _MAX_NAME_LENGTH else f"{name[: _MAX_NAME_LENGTH - 1]}…"
    return escape_toml(json.dumps(shown, ensure_ascii=False)).replace("  ", " \\u0020")

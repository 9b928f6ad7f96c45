"""Decisions about versions as they are now: by the listings, and by the versions at stake read one by one."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from paiview import comparison
from paiview.comparison import UnknownVersionError
from paiview.contracts import Contracts, in_force
from paiview.decision import Decision
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import ModelVersion
from paiview.registry import Afresh, Registry
from paiview.text import plain


class Judged(NamedTuple):
    """Decisions, and what they rest on.

    Attributes:
        decisions: one a candidate, in their order.
        versions: every candidate and baseline as it was judged, by ModelId and VersionName.
        read_at: a moment since which all of them were read, UTC.
    """

    decisions: list[Decision]
    versions: dict[tuple[str, str], ModelVersion]
    read_at: datetime


def decide(
    registry: Registry,
    model_id: str,
    candidate: str,
    *,
    baseline: str | None = None,
    baseline_model: str | None = None,
    contracts: Contracts | None = None,
) -> Decision:
    """Decide about one version; arguments and errors as for ``judge``."""
    judged = judge(
        registry, model_id, [candidate], baseline=baseline, baseline_model=baseline_model, contracts=contracts
    )
    return judged.decisions[0]


def judge(
    registry: Registry,
    model_id: str,
    candidates: Sequence[str],
    *,
    baseline: str | None = None,
    baseline_model: str | None = None,
    contracts: Contracts | None = None,
    afresh: bool = True,
) -> Judged:
    """Decide about some versions, each by the whole listings of its model and of the baseline's.

    Candidates and baselines count as they are read anew (``Registry.afresh``). Where that fails they count as they
    were read before, and a note of each decision says so.

    Args:
        registry: where the versions come from.
        model_id: the candidates' model.
        candidates: VersionNames, at least one.
        baseline: VersionName; chosen by the rules, for each candidate, when not given.
        baseline_model: the baseline's model where it is not the candidates'.
        contracts: what metrics and datasets mean, and the policy; by default those of paiview.toml.
        afresh: whether to read anew; else the listings count as they are.

    Raises:
        PaiviewError: the models cannot be read, a version is unknown or gone, or the two cannot be compared.
    """
    home = model_id if baseline_model is None else baseline_model
    contracts = contracts or in_force()
    snapshots = {name: registry.versions(name) for name in dict.fromkeys((model_id, home))}
    lineages = {name: snapshot.lineage for name, snapshot in snapshots.items()}
    versions: dict[tuple[str, str], ModelVersion] = {}
    read_at = [] if afresh else [snapshot.whole_at for snapshot in snapshots.values()]
    notes: dict[str, None] = {}
    moved = True
    while moved:
        moved = False
        decisions = [
            comparison.decide(
                lineages[model_id],
                candidate,
                baseline=baseline,
                other=None if home == model_id else lineages[home],
                contracts=contracts,
            )
            for candidate in candidates
        ]
        for name, lineage in lineages.items():
            listed = {
                version: lineage.version(version)
                for version in _at_stake(decisions, name)
                if (name, version) not in versions
            }
            versions |= {(name, version): was for version, was in listed.items()}
            if not listed or not afresh:
                continue
            found = registry.afresh(snapshots[name], [version for version, was in listed.items() if was.version_name])
            read_at.append(found.fetched_at)
            if found.failure is not None:
                notes[_not_afresh(name, found, found.failure)] = None
            now = {version: is_now for version, is_now in found.versions.items() if is_now is not None}
            if len(now) < len(found.versions):
                _list_anew(registry, name, [version for version in found.versions if version not in now])
                return judge(
                    registry,
                    model_id,
                    candidates,
                    baseline=baseline,
                    baseline_model=baseline_model,
                    contracts=contracts,
                    afresh=False,
                )
            versions |= {(name, version): is_now for version, is_now in now.items()}
            if changed := {version: is_now for version, is_now in now.items() if _differ(listed[version], is_now)}:
                # The rules may choose another baseline for what they are now, which is then read as well.
                lineages[name] = lineage.amended(changed)
                registry.doubt_versions(name)
                moved = True
    noted = [decision.model_copy(update={"notes": (*decision.notes, *notes)}) for decision in decisions]
    return Judged(noted, versions, min(read_at))


def _at_stake(decisions: Sequence[Decision], model_id: str) -> list[str]:
    """The versions of a model that some decisions are about, each once."""
    sides = [(decision.model, decision.candidate) for decision in decisions]
    sides += [
        (decision.baseline_model, decision.baseline)
        for decision in decisions
        if decision.baseline_model is not None and decision.baseline is not None
    ]
    return list(dict.fromkeys(version for name, version in sides if name == model_id))


def _list_anew(registry: Registry, model_id: str, missing: Sequence[str]) -> None:
    """Read a model's versions whole because some of them are not found one by one: the listing tells who is right.

    Raises:
        UnknownVersionError: the listing cannot be read.
    """
    registry.refresh_versions(model_id)
    if registry.versions(model_id).failure is not None:
        raise UnknownVersionError(f"{model_id} has no version {plain(missing[0])} any more.", status=404)


def _differ(one: ModelVersion, other: ModelVersion) -> bool:
    """Whether something is different that a decision depends on."""
    return _facts(one) != _facts(other)


def _facts(version: ModelVersion) -> tuple[object, ...]:
    return version.approval_status, version.metrics, version.version_description, version.labels


def _not_afresh(model_id: str, found: Afresh, failure: PaiviewError) -> str:
    return (
        f"{plain(model_id, 80)}: the versions compared could not be read anew for this verdict, and count as they "
        f"were at {found.fetched_at:%Y-%m-%d %H:%M:%S} UTC. {plain(failure.message, 300)}"
    )

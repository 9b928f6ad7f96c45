"""Decisions about versions as they are now: by the listings, and by the versions at stake read one by one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from paiview.decisions.contracts import Contracts, current
from paiview.decisions.decision import Decision
from paiview.decisions.lineage import UnknownVersionError, decide
from paiview.evaluation.version_order import naive_time
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import ModelVersion
from paiview.registry.registry import Registry, are_alike
from paiview.registry.snapshots import Afresh, VersionsSnapshot
from paiview.text import one_line

MOST_CANDIDATES: Final = 50
"""Versions that a page judges side by side."""


class LiveDecisions(NamedTuple):
    """Decisions, and what they rest on.

    Attributes:
        decisions: one a candidate, in their order.
        versions: every candidate and baseline as it was judged, by ModelId and VersionName.
        read_at: a moment since which all of them were read, UTC.
    """

    decisions: list[Decision]
    versions: dict[tuple[str, str], ModelVersion]
    read_at: datetime


def decide_now(
    registry: Registry,
    model_id: str,
    candidate: str,
    *,
    baseline: str | None = None,
    baseline_model: str | None = None,
    contracts: Contracts | None = None,
) -> Decision:
    """Decide about one version; arguments and errors as for ``judge``."""
    judged = decide_all_now(
        registry, model_id, [candidate], baseline=baseline, baseline_model=baseline_model, contracts=contracts
    )
    return judged.decisions[0]


def decide_all_now(
    registry: Registry,
    model_id: str,
    candidates: Sequence[str],
    *,
    baseline: str | None = None,
    baseline_model: str | None = None,
    contracts: Contracts | None = None,
    afresh: bool = True,
) -> LiveDecisions:
    """Decide about some versions, each by the whole listings of its model and of the baseline's.

    The listings are no older than their time to live, and candidates and baselines count as they are read anew
    (``Registry.afresh``). What fails of that counts as it was read before, and a note of each decision says so.

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
    contracts = contracts or current()
    snapshots = {name: registry.versions(name, current=afresh) for name in dict.fromkeys((model_id, home))}
    lineages = {name: snapshot.lineage for name, snapshot in snapshots.items()}
    versions: dict[tuple[str, str], ModelVersion] = {}
    as_listed = set() if afresh else {*snapshots}
    read_at = []
    notes: dict[str, None] = {}
    moved = True
    while moved:
        moved = False
        decisions = [
            decide(
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
            named = [version for version, was in listed.items() if was.version_name]
            if name in as_listed or len(named) < len(listed):
                read_at.append(snapshots[name].whole_at)
            if name in as_listed or not named:
                continue
            found = registry.afresh(snapshots[name], named)
            read_at.append(found.fetched_at)
            if found.failure is not None:
                notes[_not_afresh(name, found, found.failure)] = None
            now = {
                version: is_now
                for version, is_now in found.versions.items()
                if is_now is not None and _is_same(listed[version], is_now)
            }
            if gone := [version for version in found.versions if version not in now]:
                snapshots[name] = _list_anew(registry, name, gone[0], found.fetched_at)
                lineages[name] = snapshots[name].lineage
                as_listed.add(name)
                versions = {at: version for at, version in versions.items() if at[0] != name}
                moved = True
                break
            versions |= {(name, version): is_now for version, is_now in now.items()}
            if changed := {version: is_now for version, is_now in now.items() if _differ(listed[version], is_now)}:
                # The rules may choose another baseline for what they are now, which is then read as well.
                lineages[name] = lineage.amended(changed)
                registry.doubt_versions(name)
                moved = True
    for name, snapshot in snapshots.items():
        if afresh and snapshot.failure is not None:
            notes[_not_current(name, snapshot, snapshot.failure)] = None
    noted = [decision.model_copy(update={"notes": (*decision.notes, *notes)}) for decision in decisions]
    return LiveDecisions(noted, versions, min(read_at))


def _at_stake(decisions: Sequence[Decision], model_id: str) -> list[str]:
    """The versions of a model that some decisions are about, each once."""
    sides = [(decision.model, decision.candidate) for decision in decisions]
    sides += [
        (decision.baseline_model, decision.baseline)
        for decision in decisions
        if decision.baseline_model is not None and decision.baseline is not None
    ]
    return list(dict.fromkeys(version for name, version in sides if name == model_id))


def _list_anew(registry: Registry, model_id: str, missing: str, since: datetime) -> VersionsSnapshot:
    """A whole listing begun since a version was not found as it had been listed: it tells who is right.

    Raises:
        UnknownVersionError: there is none, or it may hold what does not exist any more.
    """
    listed = registry.versions(model_id)
    # Twice at most: what was under way already may have begun too early. One that somebody else read will do.
    for _ in range(2):
        if listed.failure is None and listed.whole_at < since:
            registry.refresh_versions(model_id)
            listed = registry.versions(model_id)
    if listed.failure is not None or listed.uneven or listed.whole_at < since:
        raise UnknownVersionError(f"{model_id} has no version {one_line(missing)} any more, or a new one.", status=404)
    return listed


def _is_same(one: ModelVersion, other: ModelVersion) -> bool:
    """Whether two of one name were created at the same second, as far as both tell: else it was created again."""
    created = [naive_time(version.gmt_create_time) for version in (one, other)]
    return None in created or len({moment and moment.replace(microsecond=0) for moment in created}) == 1


def _differ(one: ModelVersion, other: ModelVersion) -> bool:
    """Whether something is different that a decision depends on."""
    return not are_alike(_facts(one), _facts(other))


def _facts(version: ModelVersion) -> tuple[object, ...]:
    return version.approval_status, version.metrics, version.version_description, version.labels


def _not_afresh(model_id: str, found: Afresh, failure: PaiviewError) -> str:
    return (
        f"{one_line(model_id, 80)}: the versions compared could not be read anew for this verdict, and count as they "
        f"were at {found.fetched_at:%Y-%m-%d %H:%M:%S} UTC. {one_line(failure.message, 300)}"
    )


def _not_current(model_id: str, snapshot: VersionsSnapshot, failure: PaiviewError) -> str:
    return (
        f"{one_line(model_id, 80)}: the versions could not be listed anew for this verdict. What was created or "
        f"approved since {snapshot.fetched_at:%Y-%m-%d %H:%M:%S} UTC does not count. {one_line(failure.message, 300)}"
    )

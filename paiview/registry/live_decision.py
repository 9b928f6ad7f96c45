"""Decisions about versions as they are now: by the listings, and by the versions at stake read one by one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from paiview.decisions.contracts import Contracts, current_or_last_good
from paiview.decisions.decision import Decision
from paiview.decisions.lineage import NAMED, UnknownVersionError, decide
from paiview.evaluation.version_order import naive_time
from paiview.pai.errors import PaiviewError, UnavailableError
from paiview.pai.objects import ModelVersion
from paiview.registry.registry import Registry, are_alike
from paiview.registry.snapshots import RereadVersions, VersionsSnapshot
from paiview.text import one_line

MOST_CANDIDATES: Final = 50
"""Versions that a page decides about side by side."""


class LiveDecisions(NamedTuple):
    """Decisions, and the data they rest on.

    Attributes:
        decisions: one for each candidate, in the same order.
        versions: every candidate and baseline as it was compared, by ModelId and VersionName.
        read_at: when the oldest of these reads began, UTC.
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
    """Decide about one version; arguments and errors as for ``decide_all_now``."""
    live = decide_all_now(
        registry, model_id, [candidate], baseline=baseline, baseline_model=baseline_model, contracts=contracts
    )
    return live.decisions[0]


def decide_listed(snapshot: VersionsSnapshot, candidates: Sequence[str], contracts: Contracts) -> list[Decision]:
    """Decide about some versions by one listing, however old, and read nothing.

    Args:
        snapshot: the whole listing of their model.
        candidates: VersionNames.
        contracts: metric and dataset settings, and the policy, without those that came with the data.

    Raises:
        UnknownVersionError: the listing has no such version.
    """
    contracts = contracts.with_data(snapshot.meanings)
    return [decide(snapshot.lineage, name, contracts=contracts) for name in candidates]


def decide_all_now(
    registry: Registry,
    model_id: str,
    candidates: Sequence[str],
    *,
    baseline: str | None = None,
    baseline_model: str | None = None,
    named_by: str = NAMED,
    contracts: Contracts | None = None,
) -> LiveDecisions:
    """Decide about some versions, each by the whole listings of its model and of the baseline's model.

    No listing is older than its TTL, and candidates and baselines are read again (``Registry.reread_versions``). If
    one of them has changed or is gone, its model is listed in full, and the decisions rest on that listing. If a read
    fails, the decisions rest on the data read before, with a note.

    Args:
        registry: where the versions come from.
        model_id: the candidates' model.
        candidates: VersionNames, at least one.
        baseline: VersionName; by default the rules choose one for each candidate.
        baseline_model: the baseline's model, if it is not the candidates'.
        named_by: who named the baseline, in words.
        contracts: metric and dataset settings, and the policy; by default those of paiview.toml.

    Raises:
        PaiviewError: a listing cannot be read, a version is unknown or gone, the two cannot be compared, or a version
            has changed and its model cannot be listed again.
    """
    home = model_id if baseline_model is None else baseline_model
    named = {model_id: [*candidates]}
    named.setdefault(home, []).extend([] if baseline is None else [baseline])
    snapshots = {name: registry.versions(name, current=True, naming=versions) for name, versions in named.items()}
    contracts = (contracts or current_or_last_good()).with_data(snapshots[model_id].meanings)

    def decide_all() -> list[Decision]:
        lineage = snapshots[model_id].lineage
        other = None if home == model_id else snapshots[home].lineage
        return [
            decide(lineage, name, baseline=baseline, other=other, named_by=named_by, contracts=contracts)
            for name in candidates
        ]

    decisions = decide_all()
    at_stake = _at_stake(decisions, snapshots)
    rereads, newer = _read_again(registry, snapshots, at_stake)
    if newer:
        snapshots |= newer
        decisions = decide_all()
        at_stake = _at_stake(decisions, snapshots)

    versions = {(name, version): was for name, listed in at_stake.items() for version, was in listed.items()}
    for name, now in rereads.items():
        versions |= {(name, version): current for version, current in now.versions.items() if current is not None}
    notes = [_not_reread(name, now.fetched_at, now.failure) for name, now in rereads.items() if now.failure]
    notes += [_not_listed(name, now.fetched_at, now.failure) for name, now in snapshots.items() if now.failure]
    noted = [decision.model_copy(update={"notes": (*decision.notes, *notes)}) for decision in decisions]
    return LiveDecisions(noted, versions, _oldest_read(snapshots, at_stake, rereads))


_Listed = dict[str, ModelVersion]
"""Candidates and baselines of one model as they are listed, by VersionName, or by its placeholder without one."""


def _at_stake(decisions: Sequence[Decision], snapshots: Mapping[str, VersionsSnapshot]) -> dict[str, _Listed]:
    """The candidates and baselines, by ModelId."""
    at_stake: dict[str, _Listed] = {name: {} for name in snapshots}
    for decision in decisions:
        for name, version in ((decision.model, decision.candidate), (decision.baseline_model, decision.baseline)):
            if name is not None and version is not None:
                at_stake[name][version] = snapshots[name].lineage.version(version)
    return at_stake


def _named(listed: _Listed) -> list[str]:
    return [name for name, version in listed.items() if version.version_name]


def _read_again(
    registry: Registry, snapshots: Mapping[str, VersionsSnapshot], at_stake: Mapping[str, _Listed]
) -> tuple[dict[str, RereadVersions], dict[str, VersionsSnapshot]]:
    """Read the versions at stake again, and list the models of those that have changed or are gone.

    Returns:
        by ModelId: the versions that are as listed, and the listings of the other models.
    """
    rereads, newer = {}, {}
    for name, listed in at_stake.items():
        now = registry.reread_versions(snapshots[name], _named(listed))
        if _gone(listed, now) or _changed(listed, now):
            newer[name] = _list_again(registry, snapshots[name], listed, now)
        else:
            rereads[name] = now
    return rereads, newer


def _gone(listed: _Listed, now: RereadVersions) -> list[str]:
    """The versions that no longer exist, or were created again."""
    return [name for name, version in now.versions.items() if version is None or not _is_same(listed[name], version)]


def _changed(listed: _Listed, now: RereadVersions) -> list[str]:
    """The versions that differ in a field that a decision depends on."""
    current = [(name, version) for name, version in now.versions.items() if version is not None]
    return [name for name, version in current if not are_alike(_facts(listed[name]), _facts(version))]


def _list_again(registry: Registry, before: VersionsSnapshot, listed: _Listed, now: RereadVersions) -> VersionsSnapshot:
    """A full listing, read since some versions were found gone or changed.

    Raises:
        UnknownVersionError: a version is gone, and there is no such listing.
        UnavailableError: a version has changed, and there is no such listing.
    """

    def is_newer(listing: VersionsSnapshot) -> bool:
        # Both, because the clock may have been set back since the listing before.
        return listing.fully_read_at >= now.fetched_at and listing.fully_read_at != before.fully_read_at

    listing = registry.versions(before.model_id)
    # Another reader may have asked for one already.
    if listing.failure is None and not is_newer(listing):
        registry.refresh_versions(before.model_id)
        listing = registry.versions(before.model_id)
    # An uneven listing may contain versions that no longer exist.
    if listing.failure is None and not listing.uneven and is_newer(listing):
        return listing
    model = one_line(before.model_id, 80)
    gone = _gone(listed, now)
    if gone:
        raise UnknownVersionError(
            f"{model} no longer has the version {one_line(gone[0], 80)}, or it was created again.", status=404
        )
    reason = listing.failure.message if listing.failure else listing.uneven or ""
    raise UnavailableError(
        f"{model}: {one_line(_changed(listed, now)[0], 80)} has changed since the versions were listed, and they "
        f"could not be listed again. {one_line(reason, 300)}".strip()
    )


def _oldest_read(
    snapshots: Mapping[str, VersionsSnapshot],
    at_stake: Mapping[str, _Listed],
    rereads: Mapping[str, RereadVersions],
) -> datetime:
    """When the oldest read of a version at stake began."""
    reads = [now.fetched_at for now in rereads.values()]
    reads += [
        snapshots[name].fully_read_at
        for name, listed in at_stake.items()
        if name not in rereads or len(_named(listed)) < len(listed)
    ]
    return min(reads)


def _is_same(one: ModelVersion, other: ModelVersion) -> bool:
    """Whether two versions of one name were created in the same second, as far as both say; if not, it is a new one."""
    created = [naive_time(version.gmt_create_time) for version in (one, other)]
    return None in created or len({moment and moment.replace(microsecond=0) for moment in created}) == 1


def _facts(version: ModelVersion) -> tuple[object, ...]:
    return version.approval_status, version.metrics, version.version_description, version.labels


def _not_reread(model_id: str, read_at: datetime, failure: PaiviewError) -> str:
    return (
        f"{one_line(model_id, 80)}: the versions compared could not be read again for this decision. They are as of "
        f"{read_at:%Y-%m-%d %H:%M:%S} UTC. {one_line(failure.message, 300)}"
    )


def _not_listed(model_id: str, read_at: datetime, failure: PaiviewError) -> str:
    return (
        f"{one_line(model_id, 80)}: the versions could not be listed again for this decision. Versions created or "
        f"approved since {read_at:%Y-%m-%d %H:%M:%S} UTC are not considered. {one_line(failure.message, 300)}"
    )

"""What a page reads, with where it came from and how old it is."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import streamlit as st

from paiview.decisions.contracts import Contracts
from paiview.evaluation.frames import NO_DATASET, Frames
from paiview.evaluation.queries import counts_of
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import Model, VersionFilters
from paiview.registry.registry import Registry
from paiview.registry.snapshots import ModelsSnapshot, VersionsSnapshot
from paiview.text import counted, escape_markdown, unique_names
from paiview.ui import messages

_NAMED = 200
"""Datasets whose names are asked for: four short requests, kept for minutes."""
_NOTABLE = 15.0
"""Seconds between the last look at a listing and the last look at every version of it, from which on it is told."""


class Read(Protocol):
    """What was read from the service, with its age and, where it is not fresh, the reason."""

    @property
    def fetched_at(self) -> datetime:
        """When it was read, UTC."""

    @property
    def failure(self) -> PaiviewError | None:
        """Why it could not be read anew."""


def connection(registry: Registry, read: Read, shown: str) -> bool:
    """Say where the data came from and how old they are.

    Args:
        registry: where they came from.
        read: the snapshot shown.
        shown: how much of it, such as "101 of 101 versions".

    Returns:
        Whether the reader asked for a refresh.
    """
    with st.container(key="connection", horizontal=True, vertical_alignment="center"):
        st.caption(f"{origin(registry)} · read {age(read.fetched_at)} ago ({read.fetched_at:%H:%M:%S} UTC) · {shown}")
        asked = st.button("Refresh", key="refresh", type="tertiary", help="Read this from the service again")
    if read.failure is not None:
        reason = messages.describe(read.failure)
        messages.warn(f"This is what was read {age(read.fetched_at)} ago; reading it again failed. {reason}")
    return asked


def origin(registry: Registry) -> str:
    """The service in words, and who sees it."""
    if registry.embedded:
        return "**Embedded registry**: numbers are published and cited, approval statuses are the demo's"
    return f"**{escape_markdown(registry.endpoint)}** · everyone here sees what the server's credential sees"


def age(moment: datetime) -> str:
    """How long ago, in the unit a reader would use."""
    seconds = max(0, math.floor((datetime.now(UTC) - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def title(model: Model, model_id: str) -> None:
    """The head of a page about one model."""
    st.title(escape_markdown(model.model_name or model_id), anchor=False)
    facts = [model_id, model.task, model.domain, model.provider]
    st.caption(" · ".join(escape_markdown(fact, 80) for fact in facts if fact))


def versions(
    registry: Registry, model_id: str, filters: VersionFilters | None = None, *, current: bool = False
) -> VersionsSnapshot:
    """Read a model's versions and say where they came from; the page ends when they cannot be had.

    Args:
        registry: the registry layer.
        model_id: the model.
        filters: what PAI is asked to filter; without them the whole listing is read.
        current: whether the page waits for a newer one as soon as this is older than its time to live.
    """
    filters = filters or VersionFilters()
    try:
        if st.session_state.get("refresh"):
            registry.refresh_versions(model_id, filters)
        with messages.reading("versions") as progress:
            snapshot = registry.versions(model_id, filters, current=current, progress=progress)
    except PaiviewError as error:
        messages.stop(error)
    flagged = snapshot.frames.flagged
    shown = f"{len(snapshot.versions)} of {counted(snapshot.total, 'version')}"
    facts = [shown]
    if flagged:
        facts.append(counted(flagged, "flagged field"))
    if (snapshot.fetched_at - snapshot.whole_at).total_seconds() > _NOTABLE:
        facts.append(f"every field as of {age(snapshot.whole_at)} ago")
    connection(registry, snapshot, ", ".join(facts))
    if snapshot.uneven:
        messages.warn(escape_markdown(snapshot.uneven, 400))
    return snapshot


def dataset_names(
    registry: Registry, model: Model, frames: Frames, contracts: Contracts, also: Sequence[str] = ()
) -> dict[str, str]:
    """Dataset to a name: that of paiview.toml, else the service's, which is asked for the most covered ``_NAMED``.

    The others stay ids. No two names are alike: what several datasets are called stands with the id of each. So do
    aliases with the name of what they stand for.

    Every page of a model asks for the same ids, so that all of them share one cached answer. ``also`` are ids of
    another model: those that this one does not have are asked for apart.
    """
    ids = _ids(counts_of(frames, "dataset"))
    names = registry.dataset_names(ids, model.workspace_id)
    beyond = [name for name in _ids(also) if name not in ids]
    if beyond:
        names = names | registry.dataset_names(beyond)  # Another mapping: this one is the cache's.
    configured = {dataset: known.name for dataset, known in contracts.datasets.items() if known.name is not None}
    aliases = {alias: configured[dataset] for alias, dataset in contracts.aliases.items() if dataset in configured}
    return unique_names(names | aliases | configured)


def _ids(datasets: Iterable[str]) -> list[str]:
    return [name for name in datasets if "://" not in name and name != NO_DATASET][:_NAMED]


def models(registry: Registry, workspace_id: str | None) -> ModelsSnapshot:
    """Read the models of a workspace and say where they came from; the page ends when they cannot be had."""
    try:
        if st.session_state.get("refresh"):
            registry.refresh_models(workspace_id)
        with messages.reading("models") as progress:
            snapshot = registry.models(workspace_id, progress=progress)
    except PaiviewError as error:
        messages.stop(error)
    connection(registry, snapshot, f"{len(snapshot.items)} of {counted(snapshot.total, 'model')}")
    return snapshot

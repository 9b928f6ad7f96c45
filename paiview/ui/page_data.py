"""What a page reads from the service, and the line that says where it came from and how old it is."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
import streamlit as st

from paiview.decisions.contracts import Contracts
from paiview.evaluation import queries
from paiview.evaluation.dataset_identity import NO_DATASET, base_of
from paiview.evaluation.frames import Frames, build
from paiview.pai.errors import PaiviewError
from paiview.pai.listing_facts import Origin, read_origin
from paiview.pai.objects import Model, ModelFilters, ModelVersion, VersionFilters
from paiview.registry.registry import Registry
from paiview.registry.snapshots import ModelsSnapshot, VersionsSnapshot
from paiview.text import counted, escape_markdown, one_line, unique_names
from paiview.ui import app_frame, messages, page_head
from paiview.ui.cache_keys import TTL_SECONDS
from paiview.ui.model_data import ModelData
from paiview.ui.reader_clock import reader_time

_REFRESH = "refresh"
_EMBEDDED = "**Embedded registry**"
_MAX_NAMED_DATASETS = 200
"""Datasets whose names are read from the service: four short requests, whose responses are cached for minutes."""
_MAX_RENAMED_FRAMES = 8
"""Listings kept with their aliases replaced; those of 10,000 versions take about 10 MB each."""
_MAX_NAMED_FILES = 3
_AGE_INTERVAL_SECONDS = 60.0
"""Seconds between two updates of the age of what is shown; they send no request to the service."""
_MIN_REPORTED_LAG_SECONDS = 15.0
"""How much older the last complete listing must be than the last look at it for the page to say so."""


class ReadResult(Protocol):
    """What was read from the service, with its age and, where it is stale, the reason."""

    @property
    def fetched_at(self) -> datetime:
        """When it was read, UTC."""

    @property
    def failure(self) -> PaiviewError | None:
        """Why the last attempt to read it again failed; ``None`` when none did."""

    @property
    def request_id(self) -> str | None:
        """The RequestId of the response; ``None`` where the service sent none."""


def read_versions(
    registry: Registry,
    model_id: str,
    filters: VersionFilters | None = None,
    *,
    workspace_id: str | None = None,
    current: bool = False,
    naming: Sequence[str] = (),
) -> VersionsSnapshot:
    """Read a model's versions and draw where they came from; the page ends when they cannot be read.

    Args:
        registry: where they come from.
        model_id: the model.
        filters: what PAI is asked to filter; without them the whole listing is read.
        workspace_id: the workspace of the model, where it is known.
        current: whether a snapshot older than its time to live is read again before it is shown.
        naming: VersionNames; a snapshot without one of them is read again, for it may be new.
    """
    filters = filters or VersionFilters()
    try:
        if st.session_state.get(_REFRESH):
            registry.refresh_versions(model_id, filters)
            if filters.selects:
                # What is approved now comes from the whole listing.
                registry.refresh_versions(model_id)
        with messages.reading_progress("versions") as progress:
            snapshot = registry.versions(model_id, filters, current=current, progress=progress, naming=naming)
    except PaiviewError as error:
        messages.end_page_with(error)
    is_saved = registry.embedded and snapshot.origin is not None and snapshot.origin.kind == "saved"
    facts = [] if is_saved else [snapshot.coverage]
    if flagged := snapshot.frames.flagged:
        facts.append(counted(flagged, "flagged field"))
    if (snapshot.fetched_at - snapshot.fully_read_at).total_seconds() > _MIN_REPORTED_LAG_SECONDS:
        facts.append(f"every field as of {age(snapshot.fully_read_at)} ago")
    label = _source_label(registry, [snapshot.origin])
    origin = [_origin_of_versions(registry, snapshot), *_place(registry, workspace_id)]
    _draw_source(label, origin, snapshot, ", ".join(facts))
    for sentence in snapshot.warnings:
        messages.warn(escape_markdown(sentence, 400))
    _draw_standing(registry, model_id, snapshot)
    return snapshot


def read_whole(registry: Registry, model_id: str, snapshot: VersionsSnapshot) -> VersionsSnapshot:
    """The listing without filters, which the approved version and the best so far come from.

    Where it cannot be read, the page says so and goes on with what the filters leave.

    Args:
        registry: where it comes from.
        model_id: the model.
        snapshot: what ``read_versions`` returned; the listing is read again if it lacks one of its versions.
    """
    if not snapshot.is_filtered:
        return snapshot
    try:
        return registry.versions(model_id, naming=snapshot.frames.versions["version_name"].tolist())
    except PaiviewError as error:
        messages.warn(
            "What is approved now and the best so far count only the versions that pass the filters, for the others "
            f"cannot be read. {messages.describe(error)}"
        )
        return snapshot


def positions_in(whole: VersionsSnapshot, snapshot: VersionsSnapshot, frames: Frames) -> queries.VersionIndexes:
    """The versions of a filtered listing as positions in the frames of the whole one, ascending.

    Args:
        whole: the listing without filters.
        snapshot: the filtered listing.
        frames: the frames of ``whole``.
    """
    if snapshot is whole:
        return np.arange(len(frames.versions))
    passing = {(version.version_name, version.gmt_create_time) for version in snapshot.versions}
    listed = [whole.versions[at] for at in frames.versions["listing_index"].tolist()]
    return np.flatnonzero([(version.version_name, version.gmt_create_time) in passing for version in listed])


def whole_listing(registry: Registry, model_id: str, snapshot: VersionsSnapshot) -> VersionsSnapshot | None:
    """The listing without a filter, which knows what is approved now; ``None`` where it cannot be read."""
    try:
        return registry.versions(model_id) if snapshot.is_filtered else snapshot
    except PaiviewError:
        return None


def offered_versions(registry: Registry, model_id: str) -> tuple[ModelVersion, ...]:
    """The versions whose values filters offer; none where the whole listing cannot be read, for the page says so."""
    try:
        with messages.reading_progress("versions") as progress:
            return registry.versions(model_id, progress=progress).versions
    except PaiviewError:
        return ()


def offered_models(registry: Registry, workspace_id: str | None) -> tuple[Model, ...]:
    """The models whose values filters offer; none where they cannot be read."""
    try:
        with messages.reading_progress("models") as progress:
            return registry.models(workspace_id, progress=progress).items
    except PaiviewError:
        return ()


def _draw_standing(registry: Registry, model_id: str, snapshot: VersionsSnapshot) -> None:
    """Draw what is approved now; nothing where the whole listing cannot be read."""
    if whole := whole_listing(registry, model_id, snapshot):
        page_head.draw_standing(whole.frames)


def read_models(registry: Registry, workspace_id: str | None, filters: ModelFilters = ModelFilters()) -> ModelsSnapshot:
    """Read the models and draw where they came from; the page ends when they cannot be read.

    Args:
        registry: where they come from.
        workspace_id: only models of this workspace. The public models of a provider belong to none.
        filters: what PAI is asked to filter.
    """
    if filters.provider:
        workspace_id = None
    try:
        if st.session_state.get(_REFRESH):
            registry.refresh_models(workspace_id, filters)
        with messages.reading_progress("models") as progress:
            snapshot = registry.models(workspace_id, filters, progress=progress)
    except PaiviewError as error:
        messages.end_page_with(error)
    shown = f"{len(snapshot.items)} of {counted(snapshot.total, 'model')}"
    label = _source_label(registry, [read_origin(model.extra_info or {}) for model in snapshot.items])
    origin = [_origin_of_models(registry, snapshot), *_place(registry, workspace_id)]
    _draw_source(label, origin, snapshot, shown)
    return snapshot


def frames_of(snapshot: VersionsSnapshot, contracts: Contracts) -> Frames:
    """The frames of a listing, with aliases of metrics and datasets replaced by their targets."""
    return _renamed_frames(listing=_Listing(snapshot, contracts)) if contracts.has_aliases else snapshot.frames


@dataclass(frozen=True, slots=True, eq=False)
class _Listing:
    snapshot: VersionsSnapshot
    contracts: Contracts

    def key(self) -> str:
        return f"{self.snapshot.identity} {self.contracts.fingerprint}"


@st.cache_resource(
    ttl=TTL_SECONDS, max_entries=_MAX_RENAMED_FRAMES, show_spinner=False, hash_funcs={_Listing: _Listing.key}
)
def _renamed_frames(listing: _Listing) -> Frames:
    contracts = listing.contracts
    return build(listing.snapshot.versions, contracts.aliases, contracts.metric_aliases)


def model_data(registry: Registry, model: Model, snapshot: VersionsSnapshot, contracts: Contracts) -> ModelData:
    """The data of a page about one model, with the names of its datasets."""
    frames = frames_of(snapshot, contracts)
    names = read_dataset_names(registry, model, frames, contracts)
    return ModelData(identity=snapshot.identity, frames=frames, contracts=contracts, dataset_names=names)


def read_dataset_names(
    registry: Registry, model: Model, frames: Frames, contracts: Contracts, others: Sequence[str] = ()
) -> dict[str, str]:
    """Dataset to a name: that of paiview.toml, else the service's, read for the most covered datasets only.

    Datasets without a name are left out. A split, subset or configuration has the name of its dataset, with the
    brackets. Where several datasets share a name, it is followed by the id of each.

    Args:
        registry: where names come from.
        model: the model; all its pages read the names of the same ids, and so share one cached response.
        frames: the frames of its listing.
        contracts: the names of paiview.toml.
        others: ids of another model; those that this model does not have are read in a request of their own.
    """
    shown = frames.dataset_counts
    ids = _readable_ids(shown)
    names = registry.dataset_names(ids, model.workspace_id)
    if other_ids := [dataset for dataset in _readable_ids(others) if dataset not in ids]:
        names = names | registry.dataset_names(other_ids)  # A new mapping: this one belongs to the cache.
    configured = {dataset: item.name for dataset, item in contracts.datasets.items() if item.name is not None}
    unique = unique_names(names | configured)
    parts = {identity: base_of(identity) for identity in (*shown, *others)}
    return {
        identity: unique[base] + identity[len(base) :] for identity, base in parts.items() if base in unique
    } | unique


def _readable_ids(datasets: Iterable[str]) -> list[str]:
    """The first of those that can be DatasetIds: not a Uri, nor the lack of a dataset."""
    ids = dict.fromkeys(map(base_of, datasets))
    return [dataset for dataset in ids if "://" not in dataset and dataset != NO_DATASET][:_MAX_NAMED_DATASETS]


def age(moment: datetime) -> str:
    """How long ago, in the unit a reader would use."""
    seconds = max(0, math.floor((datetime.now(UTC) - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _draw_source(label: str, origin: Sequence[str], result: ReadResult, shown: str) -> None:
    """Draw where data came from and how old they are, with a button to refresh them.

    Args:
        label: where they came from in two words.
        origin: where they came from, as Markdown, a fact in a line.
        result: what is shown.
        shown: how much of it, such as "101 of 101 versions".
    """
    read_at = result.fetched_at
    is_old = result.failure is not None
    with app_frame.regions().connection:
        _draw_origin(label, origin, read_at, shown, result.request_id, is_old=is_old)
        st.button(
            "Refresh", icon=":material/refresh:", key=_REFRESH, type="tertiary", help="Read this from the service again"
        )
        app_frame.draw_legend()
    if result.failure is not None:
        reason = messages.describe(result.failure)
        messages.warn(f"This was read {age(read_at)} ago; reading it again failed. {reason}")


@st.fragment(run_every=_AGE_INTERVAL_SECONDS)
def _draw_origin(
    label: str, origin: Sequence[str], read_at: datetime, shown: str, request_id: str | None, *, is_old: bool
) -> None:
    """Draw where data came from and how old they are; the age is updated while the page is open.

    The session keeps the arguments for that, so no argument may hold the data.
    """
    moment = reader_time(read_at)
    here = "" if moment.zone == "UTC" else f"; {moment.local} {escape_markdown(moment.zone)}"
    facts = [*origin, f"read {age(read_at)} ago ({moment.utc} UTC{here})", *([shown] if shown else [])]
    label = f"{label} · {age(read_at)} {'old' if is_old else 'ago'}"
    with st.popover(
        f":orange[{label}]" if is_old else label, icon=":material/database:", type="tertiary", key="source"
    ):
        st.markdown("  \n".join(facts))
        if request_id:
            st.caption("RequestId of this answer")
            st.code(one_line(request_id), language=None, wrap_lines=True)


def _source_label(registry: Registry, origins: Iterable[Origin | None]) -> str:
    if not registry.embedded:
        return "PAI"
    kinds = {origin.kind if origin else None for origin in origins}
    if len(kinds) != 1:
        return "Embedded registry"
    return {"published": "Demo registry", "saved": "Saved answers"}.get(kinds.pop() or "", "Embedded registry")


def _origin_of_versions(registry: Registry, snapshot: VersionsSnapshot) -> str:
    """Where the versions of a model come from."""
    origin = snapshot.origin
    if not registry.embedded:
        return _service(registry)
    if origin is None:
        return _EMBEDDED
    if origin.kind == "published":
        return f"{_EMBEDDED}: numbers are published and cited, approval statuses are the demo's"
    named = [escape_markdown(name, 80) for name in origin.files[:_MAX_NAMED_FILES]]
    files = ", ".join(named) + (f" and {more} more" if (more := len(origin.files) - len(named)) else "")
    return f"{_EMBEDDED}: a saved answer, {snapshot.coverage}, read from {files}"


def _origin_of_models(registry: Registry, snapshot: ModelsSnapshot) -> str:
    """Where the models come from."""
    if not registry.embedded:
        return _service(registry)
    origins = [read_origin(model.extra_info or {}) for model in snapshot.items]
    kinds = Counter(origin.kind if origin else None for origin in origins)
    facts = []
    if kinds["published"]:
        facts.append("numbers are published and cited, approval statuses are the demo's")
    if kinds["saved"]:
        saved = "is a saved answer" if kinds["saved"] == 1 else "are saved answers"
        facts.append(f"{counted(kinds['saved'], 'model')} {saved}")
    return f"{_EMBEDDED}: {'; '.join(facts)}" if facts else _EMBEDDED


def _service(registry: Registry) -> str:
    """The service, and whose permissions decide what is visible."""
    return f"**{escape_markdown(registry.endpoint)}** · everyone here sees what the server's credential sees"


def _place(registry: Registry, workspace_id: str | None) -> list[str]:
    """The region, which the embedded registry has none of, and the workspace, as Markdown in one line."""
    facts = {"region": registry.console_region, "workspace": workspace_id or registry.workspace_id}
    parts = [f"{name} {escape_markdown(value, 80)}" for name, value in facts.items() if value]
    return [" · ".join(parts)] if parts else []

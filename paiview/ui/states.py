"""What a page says when it waits, when something is wrong, and where its data came from."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import NoReturn, Protocol

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from paiview.decisions.contracts import Contracts
from paiview.evaluation.frames import NO_DATASET, Frames
from paiview.evaluation.queries import counts, scale_jumps
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import Model, VersionFilters
from paiview.registry import cache
from paiview.registry.cache import Key, Missed
from paiview.registry.connection import connect
from paiview.registry.registry import Registry
from paiview.registry.snapshots import ModelsSnapshot, VersionsSnapshot
from paiview.text import counted, escape_markdown, unique_names
from paiview.ui import kept, url

_NAMED = 200
"""Datasets whose names are asked for: four short requests, kept for minutes."""
_TOLD = 5
"""Facts of a kind that are told one by one; the others are counted."""
WATCH = 5.0
"""Seconds between two looks for what a page had to miss."""
_NOTABLE = 15.0
"""Seconds between the last look at a listing and the last look at every version of it, from which on it is told."""
_problems: ContextVar[DeltaGenerator] = ContextVar("paiview_problems")


class Read(Protocol):
    """What was read from the service, with its age and, where it is not fresh, the reason."""

    @property
    def fetched_at(self) -> datetime:
        """When it was read, UTC."""

    @property
    def failure(self) -> PaiviewError | None:
        """Why it could not be read anew."""


@contextmanager
def problem_region() -> Iterator[None]:
    """Open the one place where a page reports progress, errors and warnings about data.

    What comes and goes has its place there: in between the parts of a page it would move all that are below.
    """
    token = _problems.set(st.container(key="problem"))
    try:
        yield
    finally:
        _problems.reset(token)


def warn(sentence: str) -> None:
    """Report something the reader should know; ``sentence`` is Markdown made by paiview, its foreign parts escaped."""
    _problems.get().warning(sentence)


def warn_of_notes(notes: Iterable[str]) -> None:
    """Report what decisions say about their two sides, each once; those that end alike are one warning."""
    alike: dict[str, list[str]] = {}
    for note in dict.fromkeys(notes):
        fact, separator, end = note.rpartition(": ")
        alike.setdefault(separator + end, []).append(fact)
    for end, facts in alike.items():
        if len(facts) == 1:
            warn(escape_markdown(facts[0] + end, 600))
        else:
            told = [escape_markdown(fact, 300) for fact in facts[:_TOLD]]
            warn(_together(told, len(facts)) + escape_markdown(end, 600))


def _together(told: Sequence[str], count: int) -> str:
    """Facts in a row, and how many of ``count`` are left out."""
    beyond = count - len(told)
    return "; ".join([*told, f"and {beyond} more like {'it' if beyond == 1 else 'them'}"] if beyond else told)


@st.cache_resource(ttl=kept.SECONDS, max_entries=64, show_spinner=False)
def _jumps(identity: str, _frames: Frames) -> str | None:  # noqa: ARG001 - the identity stands for the frames
    """A sentence about the jumps of ``queries.scale_jumps``, made once a listing; ``None`` without any."""
    found = scale_jumps(_frames.metrics)
    told = [
        f"{escape_markdown(jump['metric'])} on {escape_markdown(jump['dataset'])} is {jump['value']:g} in "
        f"{escape_markdown(jump['version_name'])} and was {jump['previous']:g} before"
        for jump in found.head(_TOLD).astype({"metric": "str", "dataset": "str"}).to_dict("records")
    ]
    if not told:
        return None
    return (
        f"{_together(told, len(found))}: about 100 times apart, like a fraction beside a percentage. "
        "Each is drawn as stored."
    )


def warn_of_jumps(identity: str, frames: Frames) -> None:
    """Report the jumps of scale in a listing, which ``identity`` names."""
    if sentence := _jumps(identity=identity, _frames=frames):
        warn(sentence)


def fail(error: PaiviewError) -> None:
    """Report an error: what happened, Code and RequestId, what to try."""
    _problems.get().error(describe(error))


def end() -> NoReturn:
    """End the page here: what is above stays usable."""
    finish()
    st.stop()


def finish() -> None:
    """Do what belongs at the end of every run: bring the URL up to date, and watch for what the page had to miss."""
    url.send()
    if missed := cache.missed():
        _watch(connect(), missed)


@st.fragment(run_every=WATCH)
def _watch(registry: Registry, missed: Mapping[Key, Missed]) -> None:
    """Run the page again once something it missed can be had: a page that shows a failure recovers by itself."""
    if registry.changed(missed):
        st.rerun()


def stop(error: PaiviewError) -> NoReturn:
    """Report an error and end the page: what is above it stays usable."""
    fail(error)
    end()


def describe(error: PaiviewError) -> str:
    """One error as Markdown, its foreign parts escaped."""
    named = (("Code", error.code), ("RequestId", error.request_id))
    facts = ", ".join(f"{name} {escape_markdown(value)}" for name, value in named if value)
    told = f" ({facts})" if facts else ""
    return f"{escape_markdown(error.message, 600)}{told} {error.advice}".strip()


def invalid(name: str, value: str) -> None:
    """Report a value in the URL that no control knows; it is ignored."""
    asked = f"{escape_markdown(name)} = {escape_markdown(value)}"
    warn(f"The link asks for {asked}, which is not a choice here. It is ignored.")


@contextmanager
def reading(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress by pages while a listing is read; nothing is drawn for one that is there already."""
    slot: DeltaGenerator | None = None

    def progress(done: int, total: int) -> None:
        nonlocal slot
        slot = slot or _problems.get().empty()
        share = done / total if total else 0.0
        slot.progress(min(share, 1.0), text=f"Reading {what}: page {done} of {total}" if total else f"Reading {what}")

    try:
        yield progress
    finally:
        if slot is not None:
            slot.empty()


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
        warn(f"This is what was read {age(read.fetched_at)} ago; reading it again failed. {describe(read.failure)}")
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
        with reading("versions") as progress:
            snapshot = registry.versions(model_id, filters, current=current, progress=progress)
    except PaiviewError as error:
        stop(error)
    flagged = snapshot.frames.flagged
    shown = f"{len(snapshot.versions)} of {counted(snapshot.total, 'version')}"
    facts = [shown]
    if flagged:
        facts.append(counted(flagged, "flagged field"))
    if (snapshot.fetched_at - snapshot.whole_at).total_seconds() > _NOTABLE:
        facts.append(f"every field as of {age(snapshot.whole_at)} ago")
    connection(registry, snapshot, ", ".join(facts))
    if snapshot.uneven:
        warn(escape_markdown(snapshot.uneven, 400))
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
    ids = _ids(counts(frames, "dataset"))
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
        with reading("models") as progress:
            snapshot = registry.models(workspace_id, progress=progress)
    except PaiviewError as error:
        stop(error)
    connection(registry, snapshot, f"{len(snapshot.items)} of {counted(snapshot.total, 'model')}")
    return snapshot

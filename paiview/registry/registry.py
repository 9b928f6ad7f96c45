"""The registry that pages, commands and the HTTP API read: PAI behind a cache that outlasts its failures."""

import hashlib
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic_core import to_json

from paiview.pai.client import Client
from paiview.pai.console import region_of
from paiview.pai.errors import AnswerError, NotFoundError, PaiviewError, ParameterError, PermissionDeniedError
from paiview.pai.objects import Filters, Model, ModelFilters, ModelVersion, VersionFilters
from paiview.pai.paging import Progress
from paiview.registry.budget import Budget
from paiview.registry.cache import MAX_STALE_TTLS, Cache, Key, Missed
from paiview.registry.clock import seconds, utc
from paiview.registry.snapshots import (
    DatasetNames,
    ModelsSnapshot,
    RereadVersions,
    Review,
    Snapshot,
    VersionsSnapshot,
    WorkspacesSnapshot,
)
from paiview.text import counted

if TYPE_CHECKING:
    from paiview.registry.shared_store import SharedStore

MAX_PARAMETER_CHARACTERS: Final = 512
"""Of an id, a name or a filter; those of PAI are far shorter."""
MAX_CACHED_BYTES: Final = 768 * 2**20
"""Of all snapshots in memory, by ``Snapshot.memory_bytes``; the listing read last always stays."""
SLOW_DATA_TTLS: Final = 5
"""Counts of statuses, workspaces and dataset names are fresh for this many TTLs: they seldom change."""
OPTIONAL_NAMES_WAIT_SECONDS: Final = 3.0
"""How long a page waits for names of workspaces and datasets, which it can do without."""
PENDING_SHOWN: Final = 10
"""Newest Pending versions read with the counts of a model."""
FULL_LIST_EVERY_TTLS: Final = 5
"""After this many TTLs a listing is read in full; until then a refresh reads a few pages and three counts."""
DECISION_MAX_AGE_SECONDS: Final = 10.0
"""A decision may rest on a read that began this long ago; older versions are read again, one by one."""
UNKNOWN_MAX_AGE_SECONDS: Final = 1.0
"""By a listing older than this no version is called unknown: it is read again."""
DECISION_WAIT_SECONDS: Final = 5.0
"""How long a page waits for these reads, or for a newer listing. Then it decides by what it has, with a note."""

SnapshotT = TypeVar("SnapshotT", bound=Snapshot)


class Registry:
    """Models and versions of PAI, each query through one cached snapshot (see ``paiview.registry.cache.Cache``).

    Every method that reads raises a ``PaiviewError`` if the read fails and there is no last good snapshot.

    Args:
        client: sends the requests.
        endpoint: URL of the service.
        principal: whose credential is used.
        embedded: whether the service is the embedded registry.
        ttl: seconds a snapshot is fresh; 0 reads at every call.
        reader_wait_seconds: how long a page waits in total for reads that make no progress.
        region: of the service, if known.
        workspace_id: the workspace chosen in the settings.
        reads_per_second: how many reads each client may cause on the average; 0 is no limit.
        clock: monotonic seconds.
        now: the time of day, UTC.
        store: snapshots that other processes have read.

    Attributes:
        endpoint, principal, embedded, region, workspace_id: as passed in.
    """

    def __init__(
        self,
        client: Client,
        *,
        endpoint: str,
        principal: str,
        embedded: bool,
        ttl: float,
        reader_wait_seconds: float = math.inf,
        region: str | None = None,
        workspace_id: str | None = None,
        reads_per_second: float = 0.0,
        clock: Callable[[], float] = seconds,
        now: Callable[[], datetime] = utc,
        store: "SharedStore | None" = None,
    ) -> None:
        self.endpoint = endpoint
        self.principal = principal
        self.embedded = embedded
        self.region = region
        self.workspace_id = workspace_id
        self._client = client
        self._ttl = ttl
        self._now = now
        self._cache = Cache(
            MAX_CACHED_BYTES, clock, reader_wait_seconds=reader_wait_seconds, budget=Budget(reads_per_second, clock)
        )
        self._shared = None
        if store is not None:
            from paiview.registry.shared_reads import SharedReads  # noqa: PLC0415 - its Redis client takes long to import

            self._shared = SharedReads(self._cache, store, clock, now)

    def versions(
        self,
        model_id: str,
        filters: VersionFilters = VersionFilters(),
        *,
        progress: Progress | None = None,
        current: bool = False,
        naming: Collection[str] = (),
    ) -> VersionsSnapshot:
        """All versions of a model that pass the filters.

        A listing whose size does not match its count may lack versions that exist, even an approved one. Then the
        versions of the previous snapshot are kept as well, and ``uneven`` says so, until a listing matches.

        Args:
            model_id: the model.
            filters: sent to the service.
            progress: called with (pages done, pages in total), in the caller's thread.
            current: whether to wait for a newer listing if this one is older than its TTL.
            naming: VersionNames. If the listing lacks one and is older than ``UNKNOWN_MAX_AGE_SECONDS``, a newer one is
                read, once: the version may have been created since.
        """
        listed = self._versions(model_id, filters, progress, self._ttl, self._ttl if current else None)
        if all(name in listed.lineage for name in naming):
            return listed
        # If the age is below 0 the clock has been set back since, and the true age is unknown.
        if 0 <= (self._now() - listed.fetched_at).total_seconds() <= UNKNOWN_MAX_AGE_SECONDS:
            return listed
        return self._versions(
            model_id, filters, progress, min(self._ttl, UNKNOWN_MAX_AGE_SECONDS), UNKNOWN_MAX_AGE_SECONDS
        )

    def _versions(
        self, model_id: str, filters: VersionFilters, progress: Progress | None, ttl: float, max_age: float | None
    ) -> VersionsSnapshot:
        """A listing; with ``max_age`` its reader waits for one that is not older, and otherwise only for the first."""
        key = self._key("versions", model_id, filters)

        def load(report: Progress) -> VersionsSnapshot:
            entry, _ = self._cache.state(key)
            before = entry.snapshot if entry and isinstance(entry.snapshot, VersionsSnapshot) else None
            # After a failure, and where a reader asks for a new listing, it is read in full.
            has_to_be_full = entry is None or entry.wanted_since is not None or entry.snapshot.failure is not None
            if before and not has_to_be_full and (refreshed := self._refreshed(before)):
                return refreshed
            return self._listed(model_id, filters, before, report)

        return self._get(
            key,
            load,
            VersionsSnapshot,
            progress=progress,
            ttl=ttl,
            max_wait=DECISION_WAIT_SECONDS if max_age is not None and self._cache.last_good(key) else math.inf,
            max_age=max_age,
        )

    def _listed(
        self, model_id: str, filters: VersionFilters, before: VersionsSnapshot | None, report: Progress
    ) -> VersionsSnapshot:
        """A listing read page by page."""
        began_at = self._now()
        listing = self._client.list_all_model_versions(model_id, filters, progress=report)
        versions, uneven = listing.items, listing.uneven
        if uneven and before and (missing := _missing(before.versions, versions)):
            versions += missing
            uneven += f" Kept from the previous listing: {counted(len(missing), 'version')}."
        meanings, origin, complaint = listing.facts
        if origin is not None:
            uneven = uneven or origin.doubled
        listed = VersionsSnapshot(
            fetched_at=began_at,
            model_id=model_id,
            filters=filters,
            fully_read_at=began_at,
            versions=versions,
            total=listing.total_count,
            uneven=uneven,
            meanings=meanings,
            origin=origin,
            remarks=(*(origin.remarks if origin else ()), *([complaint] if complaint else ())),
            identity="",
            request_id=listing.request_id,
        )
        identified = _identified(listed)
        if before and before.identity == identified.identity:
            request_id = listing.request_id
            return replace(before, fetched_at=began_at, fully_read_at=began_at, failure=None, request_id=request_id)
        return identified

    def _refreshed(self, before: VersionsSnapshot) -> VersionsSnapshot | None:
        """A full listing brought up to date by a few pages; ``None`` if it has to be read in full."""
        began_at = self._now()
        age = (began_at - before.fully_read_at).total_seconds()
        # If the age is below 0 the clock has been set back since, and the true age is unknown.
        if before.filters != VersionFilters() or before.uneven or not 0 <= age < FULL_LIST_EVERY_TTLS * self._ttl:
            return None
        answer = self._client.refresh_model_versions(before.model_id, before.versions)
        if answer is None:
            return None
        versions, request_id = answer
        pairs = zip(before.versions, versions, strict=False)
        if len(versions) == len(before.versions) and all(are_alike(old.unmasked, new.unmasked) for old, new in pairs):
            return replace(before, fetched_at=began_at, failure=None, request_id=request_id)
        refreshed = VersionsSnapshot(
            fetched_at=began_at,
            model_id=before.model_id,
            filters=before.filters,
            fully_read_at=before.fully_read_at,
            versions=versions,
            total=len(versions) + before.missing,
            uneven=None,
            meanings=before.meanings,
            origin=before.origin,
            remarks=before.remarks,
            identity="",
            request_id=request_id,
        )
        return _identified(refreshed)

    def reread_versions(self, snapshot: VersionsSnapshot, version_names: Collection[str]) -> RereadVersions:
        """Some versions of a listing as they are now, read one by one.

        A listing that was fully read in the last ``DECISION_MAX_AGE_SECONDS`` is recent enough: nothing is read, and no
        version returned. The same holds if the reads fail, with the ``failure``. Nothing is raised. The result is never
        older than the listing.
        """
        names = sorted(version_names)
        max_age = min(DECISION_MAX_AGE_SECONDS, self._ttl)
        as_listed = RereadVersions(fetched_at=snapshot.fully_read_at, versions={})
        # If the age is below 0 the clock has been set back since, and the true age is unknown.
        if not names or 0 <= (self._now() - snapshot.fully_read_at).total_seconds() < max_age:
            return as_listed

        def load(name: str, _report: Progress) -> RereadVersions:
            began_at = self._now()
            versions = self._client.get_model_versions(snapshot.model_id, [name])
            if (version := versions[name]) is not None and version.version_name != name:
                raise AnswerError("GetModelVersion returned another version than the one requested.")
            return RereadVersions(fetched_at=began_at, versions=versions)

        try:
            # Each version by itself, so that comparisons share them. With the identity: what was read for an earlier
            # listing may be older than this one.
            keys = {name: self._key("reread", snapshot.model_id, snapshot.identity, (name,)) for name in names}
            asked_at = {
                name: self._cache.start(key, partial(load, name), ttl=max_age, max_age=0.0)
                for name, key in keys.items()
            }
            rereads = [
                self._cache.get(
                    key,
                    partial(load, name),
                    ttl=max_age,
                    max_wait=DECISION_WAIT_SECONDS,
                    max_age=0.0,
                    asked_at=asked_at[name],
                )
                for name, key in keys.items()
            ]
        except PaiviewError as error:
            return replace(as_listed, failure=error)
        failure = next((reread.failure for reread in rereads if reread.failure), None)
        fetched_at = min(reread.fetched_at for reread in rereads)
        if failure is not None and fetched_at < snapshot.fully_read_at:
            return replace(as_listed, failure=failure)
        versions = {name: version for reread in rereads for name, version in reread.versions.items()}
        return RereadVersions(fetched_at=fetched_at, versions=versions, failure=failure)

    def refresh_versions(self, model_id: str, filters: VersionFilters = VersionFilters()) -> None:
        """Let the next ``versions`` with these arguments read the listing in full; the last good one is kept."""
        self._cache.refresh(self._key("versions", model_id, filters))

    def models(
        self,
        workspace_id: str | None = None,
        filters: ModelFilters = ModelFilters(),
        *,
        progress: Progress | None = None,
    ) -> ModelsSnapshot:
        """The models that pass the filters.

        Args:
            workspace_id: only models of this workspace; ``None`` lists all that this credential can see.
            filters: sent to the service; ``workspace_id`` goes before theirs.
            progress: called with (pages done, pages in total), in the caller's thread.
        """
        asked = _in_workspace(filters, workspace_id)

        def load(report: Progress) -> ModelsSnapshot:
            began_at = self._now()
            listing = self._client.list_all_models(asked, progress=report)
            return ModelsSnapshot(
                fetched_at=began_at,
                items=listing.items,
                total=listing.total_count,
                uneven=listing.uneven,
                filters=asked,
                request_id=listing.request_id,
            )

        return self._get(self._key("models", asked), load, ModelsSnapshot, progress=progress)

    def workspace_to_list(self, workspace_id: str | None, filters: ModelFilters) -> str | None:
        """The workspace whose models a reader means: the one asked for, else that of the settings.

        A provider's public models belong to no workspace of the reader, so that the settings do not narrow them.
        """
        return workspace_id or (None if filters.provider else self.workspace_id)

    @property
    def console_region(self) -> str | None:
        """The region of PAI's console: that of the settings, or of an endpoint of PAI's; ``None`` where unknown."""
        return None if self.embedded else self.region or region_of(self.endpoint)

    def changed(self, missed: Mapping[Key, Missed]) -> bool:
        """Whether a read that a reader missed would end differently now (``Cache.changed``)."""
        return self._cache.changed(missed)

    def refresh_models(self, workspace_id: str | None = None, filters: ModelFilters = ModelFilters()) -> None:
        """Let the next ``models`` with these arguments read again, and of each model ``review`` and ``versions``."""
        key = self._key("models", _in_workspace(filters, workspace_id))
        listed = self._cache.last_good(key)
        self._cache.refresh(key)
        for model in listed.items if isinstance(listed, ModelsSnapshot) else ():
            self._cache.refresh(self._key("review", model.model_id))
            self._cache.refresh(self._key("versions", model.model_id, VersionFilters()))

    def model(self, model_id: str) -> Model:
        """One model, whether or not a listing contains it."""

        def load(_report: Progress) -> ModelsSnapshot:
            return ModelsSnapshot(fetched_at=self._now(), items=(self._client.get_model(model_id),), total=1)

        return self._get(self._key("model", model_id), load, ModelsSnapshot).items[0]

    def workspaces(self) -> WorkspacesSnapshot:
        """The workspaces that this credential can see."""

        def load(_report: Progress) -> WorkspacesSnapshot:
            began_at = self._now()
            listing = self._client.list_all_workspaces()
            return WorkspacesSnapshot(fetched_at=began_at, items=listing.items)

        key, ttl = self._key("workspaces"), self._ttl * SLOW_DATA_TTLS
        return self._get(key, load, WorkspacesSnapshot, ttl=ttl, max_wait=OPTIONAL_NAMES_WAIT_SECONDS)

    def review(self, model_id: str) -> Review:
        """The counts of a model's versions by status: one short request for each status."""

        def load(_report: Progress) -> Review:
            began_at = self._now()
            newest = VersionFilters(approval_status="Pending", order="DESC")
            pending = self._client.list_model_versions(model_id, newest, page_size=PENDING_SHOWN)
            approved, rejected = (
                self._client.list_model_versions(model_id, VersionFilters(approval_status=status)).total_count
                for status in ("Approved", "Rejected")
            )
            return Review(
                fetched_at=began_at,
                pending=pending.total_count,
                approved=approved,
                rejected=rejected,
                newest_pending=pending.items,
            )

        key, max_age = self._key("review", model_id), self._ttl * MAX_STALE_TTLS
        return self._get(key, load, Review, ttl=self._ttl * SLOW_DATA_TTLS, max_age=max_age)

    def dataset_names(self, ids: Collection[str], workspace_id: str | None = None) -> dict[str, str]:
        """Names of datasets, by DatasetId.

        A page can do without them: unknown, invisible and unreadable ones are left out, and nothing is raised.
        """
        requested = tuple(sorted(set(ids)))
        if not requested:
            return {}

        def load(_report: Progress) -> DatasetNames:
            try:
                datasets = self._client.list_datasets(requested, workspace_id=workspace_id)
            except (NotFoundError, PermissionDeniedError):
                return DatasetNames(fetched_at=self._now(), names={})
            names = {item.dataset_id: item.name for item in datasets if item.dataset_id and item.name}
            return DatasetNames(fetched_at=self._now(), names=names)

        try:
            key, ttl = self._key("datasets", requested, workspace_id), self._ttl * SLOW_DATA_TTLS
            return self._get(key, load, DatasetNames, ttl=ttl, max_wait=OPTIONAL_NAMES_WAIT_SECONDS).names
        except PaiviewError:
            return {}

    def held(self) -> list[tuple[str, float]]:
        """The kind of each cached snapshot, such as ``versions``, and when it was read by the clock."""
        return self._cache.held()

    def drop_expired(self) -> None:
        """Drop the snapshots that nobody has used for long."""
        self._cache.drop_expired()

    def under_way(self) -> list[str]:
        """The kind of each read under way."""
        return self._cache.under_way()

    def broken_models(self) -> int:
        """How many models are skipped now because their requests hung."""
        return self._client.broken_models

    def _get(
        self,
        key: Key,
        load: Callable[[Progress], SnapshotT],
        kind: type[SnapshotT],
        *,
        ttl: float | None = None,
        max_age: float | None = None,
        max_wait: float = math.inf,
        progress: Progress | None = None,
    ) -> SnapshotT:
        """``Cache.get`` of a snapshot that other processes share; the TTL is that of this registry by default."""
        ttl = self._ttl if ttl is None else ttl
        max_age = ttl * MAX_STALE_TTLS if max_age is None else max_age
        shared = self._shared
        once = load if shared is None else shared.once(key, load, kind, ttl=ttl, max_age=max_age)
        return self._cache.get(key, once, ttl=ttl, max_age=max_age, max_wait=max_wait, progress=progress)

    def _key(self, kind: str, *query: object) -> Key:
        """The key of a query in the cache. Whatever strangers ask for passes here; what was listed stands in a tuple.

        Raises:
            ParameterError: a text in it is longer than any that the service has.
        """
        for part in query:
            texts = part.texts if isinstance(part, Filters) else (part,)
            if any(isinstance(text, str) and len(text) > MAX_PARAMETER_CHARACTERS for text in texts):
                raise ParameterError(f"A parameter is longer than {MAX_PARAMETER_CHARACTERS} characters.")
        return (kind, self.endpoint, self.principal, *query)


def _identified(listed: VersionsSnapshot) -> VersionsSnapshot:
    """The same listing with its identity and the size of its JSON."""
    facts = [
        listed.model_id,
        listed.filters.model_dump(exclude_none=True),
        listed.total,
        listed.uneven,
        listed.meanings,
        listed.origin,
        listed.remarks,
        [version.unmasked for version in listed.versions],
    ]
    text = to_json(facts)
    return replace(listed, identity=hashlib.blake2b(text, digest_size=12).hexdigest(), json_bytes=len(text))


def _in_workspace(filters: ModelFilters, workspace_id: str | None) -> ModelFilters:
    return filters if workspace_id is None else filters.model_copy(update={"workspace_id": workspace_id})


def are_alike(one: object, other: object) -> bool:
    """Whether two JSON values are the same; unlike with ``==``, NaN is the same as NaN."""
    return one == other or to_json(one) == to_json(other)


def _missing(before: tuple[ModelVersion, ...], now: tuple[ModelVersion, ...]) -> tuple[ModelVersion, ...]:
    """The named versions of a listing that are not in a later one."""
    names = {version.version_name for version in now}
    return tuple(version for version in before if version.version_name and version.version_name not in names)

"""The cached API layer: one snapshot of each query, shared by all sessions, bounded and safe when the service fails."""

import hashlib
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace as replaced
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from paiview.pai.client import Client
from paiview.pai.errors import AnswerError, NotFoundError, PaiviewError, PermissionDeniedError
from paiview.pai.objects import Model, ModelFilters, ModelVersion, VersionFilters
from paiview.pai.paging import Progress
from paiview.registry.cache import PATIENCE, Cache, Key, Missed
from paiview.registry.clock import seconds, utc
from paiview.registry.snapshots import Afresh, ModelsSnapshot, Names, Review, VersionsSnapshot, WorkspacesSnapshot

if TYPE_CHECKING:
    from paiview.registry.shared_store import Shared

HELD: Final = 50_000
"""Versions (and models, workspaces, counts: one each) kept in memory at most; the last read listing always is."""
LONG: Final = 5
"""Times to live that counts of statuses, workspaces and names of datasets are fresh: they seldom move."""
ORNAMENT: Final = 3.0
"""Seconds a page waits in vain for what it can do without: names of workspaces and datasets."""
WAITING: Final = 10
"""Newest Pending versions read with the counts of a model."""
WHOLE: Final = 5
"""Times to live after which a listing is read whole again; in between, a few pages and three counts tell of changes."""
AFRESH: Final = 10.0
"""Seconds since the begin of a read that a verdict may rest on it: older versions are read anew, one by one."""
AFRESH_WAIT: Final = 5.0
"""Seconds a page waits in vain for them, or for a newer listing, before it judges by what it has and says so."""


class Registry:
    """What the pages and the command line read, each query through one cached snapshot (see ``cache``).

    Every method that reads raises a ``PaiviewError`` when there is neither an answer nor a last good snapshot.

    Args:
        client: asks the service.
        endpoint: the URL of the service.
        principal: whose data are read.
        embedded: whether the service is the embedded registry.
        ttl: seconds a snapshot is fresh; 0 reads every time.
        patience: seconds a page waits in all for answers it does not get (``paiview.registry.cache.reading``).
        region: the region of the service, where it is known.
        workspace_id: the workspace chosen by the settings.
        clock: seconds that only grow.
        now: the time of day, UTC.
        shared: what other processes read.

    Attributes:
        endpoint, principal, embedded, region, workspace_id: as given.
    """

    def __init__(
        self,
        client: Client,
        *,
        endpoint: str,
        principal: str,
        embedded: bool,
        ttl: float,
        patience: float = math.inf,
        region: str | None = None,
        workspace_id: str | None = None,
        clock: Callable[[], float] = seconds,
        now: Callable[[], datetime] = utc,
        shared: "Shared | None" = None,
    ) -> None:
        self.endpoint = endpoint
        self.principal = principal
        self.embedded = embedded
        self.region = region
        self.workspace_id = workspace_id
        self._client = client
        self._ttl = ttl
        self._now = now
        self._cache = Cache(HELD, clock, now=now, patience=patience, shared=shared)
        self._doubted: set[Key] = set()

    def versions(
        self,
        model_id: str,
        filters: VersionFilters = VersionFilters(),
        *,
        progress: Progress | None = None,
        current: bool = False,
    ) -> VersionsSnapshot:
        """All versions of a model that pass the filters.

        A listing that does not fit its own count may lack versions that are there, an approved one among them: those
        of the snapshot before are kept beside it, and ``uneven`` says so, until a listing fits.

        Args:
            model_id: the model.
            filters: what the service is asked to filter.
            progress: told pages, in the caller's thread.
            current: whether to wait for a newer listing as soon as this one is older than its time to live.
        """
        key = self._key("versions", model_id, filters)

        def load(report: Progress) -> VersionsSnapshot:
            last = self._cache.last_good(key)
            before = last if isinstance(last, VersionsSnapshot) else None
            # Asked again after the few pages: who doubted meanwhile waits for this very read.
            if before and key not in self._doubted and (grown := self._grown(before)) and key not in self._doubted:
                return grown
            started = self._now()
            # Before the read: it answers no doubt that comes up while it is under way.
            doubted = key in self._doubted
            self._doubted.discard(key)
            try:
                listing = self._client.list_all_model_versions(model_id, filters, progress=report)
            except PaiviewError:
                if doubted:
                    self._doubted.add(key)
                raise
            versions, uneven = listing.items, listing.uneven
            if uneven and before and (kept := _missing(before.versions, versions)):
                versions += kept
                uneven += f" {len(kept)} that did not come this time, and did before, are kept."
            read = VersionsSnapshot(
                fetched_at=started,
                model_id=model_id,
                filters=filters,
                whole_at=started,
                versions=versions,
                total=listing.total_count,
                uneven=uneven,
                identity=_identity(model_id, filters, versions, listing.total_count, uneven),
            )
            if before and before.identity == read.identity:
                return replaced(before, fetched_at=started, whole_at=started, failure=None)
            return read

        longest = AFRESH_WAIT if current and self._cache.last_good(key) else math.inf
        return self._cache.get(
            key,
            load,
            ttl=self._ttl,
            progress=progress,
            longest=longest,
            oldest=self._ttl if current else None,
            kind=VersionsSnapshot,
        )

    def _grown(self, before: VersionsSnapshot) -> VersionsSnapshot | None:
        """A whole listing of a while ago as it is now, read by a few pages; ``None`` to read it whole."""
        started = self._now()
        age = (started - before.whole_at).total_seconds()
        # An age below 0 is of a clock that was set back since: it tells nothing.
        if before.filters != VersionFilters() or before.uneven or not 0 <= age < WHOLE * self._ttl:
            return None
        versions = self._client.refresh_model_versions(before.model_id, before.versions)
        if versions is None:
            return None
        pairs = zip(before.versions, versions, strict=False)
        if len(versions) == before.size and all(are_alike(old.raw, new.raw) for old, new in pairs):
            return replaced(before, fetched_at=started, failure=None)
        return VersionsSnapshot(
            fetched_at=started,
            model_id=before.model_id,
            filters=before.filters,
            whole_at=before.whole_at,
            versions=versions,
            total=len(versions),
            uneven=None,
            identity=_identity(before.model_id, before.filters, versions, len(versions), None),
        )

    def afresh(self, snapshot: VersionsSnapshot, version_names: Collection[str]) -> Afresh:
        """Some versions of a listing as they are now, read one by one where the listing is older than ``AFRESH``.

        When that fails nothing is raised: what was read before is given, with the ``failure``. Never is that older than
        the listing.
        """
        names = tuple(sorted(version_names))
        longest = min(AFRESH, self._ttl)
        as_listed = Afresh(fetched_at=snapshot.whole_at, versions={})

        # An age below 0 is of a clock that was set back since: it tells nothing.
        if not names or 0 <= (self._now() - snapshot.whole_at).total_seconds() < longest:
            return as_listed

        def load(_report: Progress) -> Afresh:
            started = self._now()
            versions = self._client.get_model_versions(snapshot.model_id, names)
            for name, version in versions.items():
                if version is not None and version.version_name != name:
                    raise AnswerError("GetModelVersion was answered with another version than was asked for.")
            return Afresh(fetched_at=started, versions=versions)

        try:
            # What was read for an earlier listing may be older than what this one says.
            key = self._key("afresh", snapshot.model_id, snapshot.identity, names)
            found = self._cache.get(key, load, ttl=longest, longest=AFRESH_WAIT, oldest=0.0)
        except PaiviewError as error:
            return replaced(as_listed, failure=error)
        older = found.failure is not None and found.fetched_at < snapshot.whole_at
        return replaced(as_listed, failure=found.failure) if older else found

    def doubt_versions(self, model_id: str) -> None:
        """Let the next refresh of a model's versions read them whole."""
        self._doubted.add(self._key("versions", model_id, VersionFilters()))

    def refresh_versions(self, model_id: str, filters: VersionFilters = VersionFilters()) -> None:
        """Let the next ``versions`` of this very query read it whole; the last good snapshot stays for a failure."""
        key = self._key("versions", model_id, filters)
        self._doubted.add(key)
        self._cache.refresh(key)

    def models(self, workspace_id: str | None = None, *, progress: Progress | None = None) -> ModelsSnapshot:
        """The models of a workspace; ``None`` for all that can be seen."""

        def load(report: Progress) -> ModelsSnapshot:
            started = self._now()
            listing = self._client.list_all_models(ModelFilters(workspace_id=workspace_id), progress=report)
            return ModelsSnapshot(
                fetched_at=started,
                items=listing.items,
                total=listing.total_count,
                uneven=listing.uneven,
            )

        key = self._key("models", workspace_id)
        return self._cache.get(key, load, ttl=self._ttl, progress=progress, kind=ModelsSnapshot)

    def changed(self, missed: Mapping[Key, Missed]) -> bool:
        """Whether something of what a reader missed would be answered otherwise by now (``Cache.changed``)."""
        return self._cache.changed(missed)

    def refresh_models(self, workspace_id: str | None = None) -> None:
        """Let the next ``models`` of this workspace read anew, and the next ``review`` of each model in it."""
        key = self._key("models", workspace_id)
        listed = self._cache.last_good(key)
        self._cache.refresh(key)
        for model in listed.items if isinstance(listed, ModelsSnapshot) else ():
            self._cache.refresh(self._key("review", model.model_id))

    def model(self, model_id: str) -> Model:
        """One model, whether or not a list holds it."""

        def load(_report: Progress) -> ModelsSnapshot:
            return ModelsSnapshot(fetched_at=self._now(), items=(self._client.get_model(model_id),), total=1)

        return self._cache.get(self._key("model", model_id), load, ttl=self._ttl, kind=ModelsSnapshot).items[0]

    def workspaces(self) -> WorkspacesSnapshot:
        """The workspaces, read every ``LONG`` times to live."""

        def load(_report: Progress) -> WorkspacesSnapshot:
            started = self._now()
            listing = self._client.list_all_workspaces()
            return WorkspacesSnapshot(fetched_at=started, items=listing.items)

        key, ttl = self._key("workspaces"), self._ttl * LONG
        return self._cache.get(key, load, ttl=ttl, longest=ORNAMENT, kind=WorkspacesSnapshot)

    def review(self, model_id: str) -> Review:
        """The statuses of a model's versions, read every ``LONG`` times to live: one short call a status."""

        def load(_report: Progress) -> Review:
            started = self._now()
            newest = VersionFilters(approval_status="Pending", order="DESC")
            waiting = self._client.list_model_versions(model_id, newest, page_size=WAITING)
            approved, rejected = (
                self._client.list_model_versions(model_id, VersionFilters(approval_status=status)).total_count
                for status in ("Approved", "Rejected")
            )
            return Review(
                fetched_at=started,
                pending=waiting.total_count,
                approved=approved,
                rejected=rejected,
                waiting=waiting.items,
            )

        key, oldest = self._key("review", model_id), self._ttl * PATIENCE
        return self._cache.get(key, load, ttl=self._ttl * LONG, oldest=oldest, kind=Review)

    def dataset_names(self, ids: Collection[str], workspace_id: str | None = None) -> dict[str, str]:
        """DatasetId to name, read every ``LONG`` times to live.

        A name is an ornament of its id: those that do not exist, may not be seen or cannot be read now are left out,
        and nothing is raised.
        """
        asked = tuple(sorted(set(ids)))
        if not asked:
            return {}

        def load(_report: Progress) -> Names:
            try:
                found = self._client.list_datasets(asked, workspace_id=workspace_id)
            except (NotFoundError, PermissionDeniedError):
                return Names(fetched_at=self._now(), names={})
            names = {item.dataset_id: item.name for item in found if item.dataset_id and item.name}
            return Names(fetched_at=self._now(), names=names)

        try:
            key = self._key("datasets", asked, workspace_id)
            return self._cache.get(key, load, ttl=self._ttl * LONG, longest=ORNAMENT, kind=Names).names
        except PaiviewError:
            return {}

    def held(self) -> list[tuple[str, float]]:
        """The kind of each snapshot kept, such as ``versions``, and when it was read by the clock."""
        return self._cache.held()

    def under_way(self) -> list[str]:
        """The kind of each read under way."""
        return self._cache.under_way()

    def _key(self, *asked: object) -> Key:
        return (asked[0], self.endpoint, self.principal, *asked[1:])


def _identity(
    model_id: str, filters: VersionFilters, versions: tuple[ModelVersion, ...], total: int, uneven: str | None
) -> str:
    facts = [model_id, filters.query(), total, uneven, [version.raw for version in versions]]
    return hashlib.blake2b(to_json(facts), digest_size=12).hexdigest()


def are_alike(one: object, other: object) -> bool:
    """Whether two values that JSON can hold are the same; NaN, which is not equal to itself, is."""
    return one == other or to_json(one) == to_json(other)


def _missing(before: tuple[ModelVersion, ...], now: tuple[ModelVersion, ...]) -> tuple[ModelVersion, ...]:
    """The named versions of a listing that another one does not have."""
    names = {version.version_name for version in now}
    return tuple(version for version in before if version.version_name and version.version_name not in names)

"""Snapshots: what the service answered to one query at one moment."""

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, cast

from pydantic import AwareDatetime, ConfigDict
from pydantic_core import to_json

from paiview.pai.errors import PaiviewError
from paiview.pai.listing_facts import Meanings, Origin
from paiview.pai.objects import Model, ModelFilters, ModelVersion, PaiObject, VersionFilters, Workspace
from paiview.registry.model_search import NEWEST_CHANGE_FIRST, matching_models
from paiview.text import counted

if TYPE_CHECKING:
    from paiview.decisions.lineage import Lineage
    from paiview.evaluation.frames import Frames


MEMORY_PER_JSON_BYTE: Final = 10
"""Measured: 10,000 versions of 1.1 kB of JSON take 111 MB, with their frames and decisions."""
ENTRY_BYTES: Final = 8_192
"""Of a snapshot without objects: its key, its filters, and what the cache keeps about it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """What the service answered to one query at one moment.

    Attributes:
        fetched_at: when the read began, UTC.
        failure: the error of the last attempt to read it again; ``None`` if there was no later attempt.
        identity: differs between different contents; empty if the content has none.
        request_id: the RequestId of PAI's response, one line of visible characters: of a listing in several pages that
            of the first one, of one that was brought up to date that of the page with the newest items; ``None`` where
            PAI sent none, and for snapshots other than listings.
    """

    # For the validation of snapshots from other processes (paiview.registry.shared_format).
    __pydantic_config__: ClassVar = ConfigDict(arbitrary_types_allowed=True)

    expiry_seconds: ClassVar = 3600.0
    """How long the cache keeps it after its last use."""

    fetched_at: datetime
    failure: PaiviewError | None = None
    identity: str = ""
    request_id: str | None = None

    @property
    def memory_bytes(self) -> int:
        """About how much memory it takes up, from the JSON of its objects."""
        return ENTRY_BYTES + MEMORY_PER_JSON_BYTE * self._json_bytes

    @property
    def _json_bytes(self) -> int:
        """Bytes of the JSON of its objects."""
        return 0

    @property
    def is_filtered(self) -> bool:
        """Whether filters of a reader select what it holds: there may be any number of them."""
        return False


def _json_size(objects: Iterable[PaiObject]) -> int:
    return sum(len(to_json(item.raw, inf_nan_mode="strings")) for item in objects)


class JsonText(NamedTuple):
    """The JSON array of the objects of a listing, secrets masked, and its digest."""

    text: bytes
    digest: str


def _json_text(objects: Sequence[PaiObject]) -> JsonText:
    # JSON has no NaN; as a string no value is lost. In ASCII no control character reaches a terminal.
    text = to_json([item.raw for item in objects], inf_nan_mode="strings", ensure_ascii=True)
    return JsonText(text, hashlib.blake2b(text, digest_size=16).hexdigest())


def _frames(versions: Sequence[ModelVersion]) -> "Frames":
    from paiview.evaluation import frames  # noqa: PLC0415 - pandas takes most of a second to import, and not all need it

    return frames.build(versions)


class _Shared:
    """What is made of the objects of one listing, by the first reader that needs it."""

    def __init__(self, make: Callable[[Sequence[Any]], Any]) -> None:
        self._make = make
        # Held while it is made: other readers of the same listing wait instead of making it again.
        self._lock = threading.Lock()
        self._made: Any = None

    def of(self, objects: Sequence[PaiObject]) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make(objects)
            return self._made


@dataclass(frozen=True, kw_only=True, eq=False)
class VersionsSnapshot(Snapshot):
    """The versions of one model, as one complete listing.

    Attributes:
        model_id: the model.
        filters: the filters of the request.
        versions: in the order of the listing, without repetitions.
        total: the service's count.
        uneven: a sentence if versions may be missing because the listing changed while it was read, or because a name
            stands for different versions; else ``None``.
        meanings: what metrics mean, as the response says it; not validated.
        origin: where the embedded registry has the model from; ``None`` for any other service.
        remarks: sentences about what is ignored in the response, or in the files it was saved in.
        identity: changes exactly when the listing does, for cache keys.
        json_bytes: of the JSON of its versions.
        fully_read_at: when the last read of all pages began, UTC. A later edit of an old version may be missing.
    """

    model_id: str
    filters: VersionFilters
    fully_read_at: AwareDatetime
    versions: tuple[ModelVersion, ...]
    total: int
    uneven: str | None
    meanings: Meanings = field(default_factory=dict)
    origin: Origin | None = None
    remarks: tuple[str, ...] = ()
    identity: str
    json_bytes: int = 0
    _frames: _Shared = field(default_factory=lambda: _Shared(_frames), repr=False)
    _json: _Shared = field(default_factory=lambda: _Shared(_json_text), repr=False)

    @property
    def json(self) -> JsonText:
        """The versions as JSON, made once and shared by all readers."""
        return cast("JsonText", self._json.of(self.versions))

    @property
    def frames(self) -> "Frames":
        """The frames of this listing, built once and shared by all readers, who must not change them."""
        return cast("Frames", self._frames.of(self.versions))

    @cached_property
    def lineage(self) -> "Lineage":
        """The versions in their order, for decisions."""
        from paiview.decisions.lineage import Lineage  # noqa: PLC0415 - only decisions need it

        return Lineage(self.model_id, self.versions, self.fetched_at, uneven=self.uneven, total=self.total)

    @property
    def missing(self) -> int:
        """The versions that are counted and not listed; with filters, also those of the model that may pass them."""
        return max(0, self.total - len(self.versions)) + self._unsaved

    @property
    def coverage(self) -> str:
        """How much is listed: ``10 of 15 versions``."""
        more = f"; {self._unsaved} more were not saved and may match" if self._unsaved else ""
        return f"{len(self.versions)} of {self.total} versions{more}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each reason to doubt the listing."""
        is_partial = self.missing and not self.uneven
        partial = f"{counted(self.missing, 'version')} not listed: a newer approved one may be among them."
        return tuple(filter(None, (self.uneven, partial if is_partial else None, *self.remarks)))

    @property
    def _unsaved(self) -> int:
        """Versions that no saved response contains, where the filters hide whether ``total`` counts them."""
        return self.origin.missing if self.origin and self.filters.selects else 0

    @property
    def _json_bytes(self) -> int:
        return self.json_bytes

    @property
    def is_filtered(self) -> bool:
        """Whether it holds a part of the versions."""
        return self.filters.selects


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelsSnapshot(Snapshot):
    """The models that pass the filters; ``total`` and ``uneven`` as in ``VersionsSnapshot``."""

    items: tuple[Model, ...]
    total: int
    uneven: str | None = None
    filters: ModelFilters = ModelFilters()
    _json: _Shared = field(default_factory=lambda: _Shared(_json_text), repr=False)

    @property
    def json(self) -> JsonText:
        """The models as JSON, made once and shared by all readers."""
        return cast("JsonText", self._json.of(self.items))

    @cached_property
    def newest_change_first(self) -> Sequence[Model]:
        """The models in the order of the page of models, sorted once for all readers."""
        return matching_models(self.items, text="", task=None, domain=None, sort=NEWEST_CHANGE_FIRST)

    @property
    def fully_read_at(self) -> datetime:
        """When the read of all pages began, UTC: that of every read."""
        return self.fetched_at

    @property
    def is_filtered(self) -> bool:
        """Whether it holds other models than those of a workspace, or of all."""
        return self.filters.model_copy(update={"workspace_id": None}).selects

    @cached_property
    def _json_bytes(self) -> int:
        return _json_size(self.items)


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkspacesSnapshot(Snapshot):
    """The workspaces that this credential can see."""

    items: tuple[Workspace, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Review(Snapshot):
    """How many versions of a model have each status, and the newest Pending ones, newest first."""

    pending: int
    approved: int
    rejected: int
    newest_pending: tuple[ModelVersion, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class DatasetNames(Snapshot):
    """Names of datasets, by DatasetId."""

    names: dict[str, str]


@dataclass(frozen=True, kw_only=True, eq=False)
class RereadVersions(Snapshot):
    """Versions read one by one, by VersionName; ``None`` for a version that no longer exists."""

    # A decision rests on one for seconds, and readers can ask for any number of them.
    expiry_seconds: ClassVar = 15.0
    versions: dict[str, ModelVersion | None]

    @cached_property
    def _json_bytes(self) -> int:
        return _json_size(version for version in self.versions.values() if version is not None)

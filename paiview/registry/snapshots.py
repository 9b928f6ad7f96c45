"""Snapshots: what the service answered at one moment, as this process keeps it and as others read it again."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, fields
from dataclasses import replace as replaced
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, cast

from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from paiview.pai.errors import PaiviewError
from paiview.pai.objects import Model, ModelVersion, PaiObject, VersionFilters, Workspace
from paiview.registry.shared_format import Head, UnreadableError

if TYPE_CHECKING:
    from paiview.decisions.lineage import Lineage
    from paiview.evaluation.frames import Frames

_APART: Final = {"fetched_at", "failure", "identity"}
"""Fields of a snapshot that are no facts of its head."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """What the service answered at one moment.

    Attributes:
        fetched_at: when it was read, UTC.
        failure: why it is not newer: the last attempt to read it again failed with this. ``None`` when none failed.
        identity: tells its content from others; empty where that is not known.
        CONTENT: the field that holds objects of the service, which is most of it.
    """

    CONTENT: ClassVar[str | None] = None
    __pydantic_config__: ClassVar = ConfigDict(arbitrary_types_allowed=True)

    fetched_at: datetime
    failure: PaiviewError | None = None
    identity: str = ""

    @property
    def size(self) -> int:
        """What it counts towards the bound of the cache."""
        return 1

    @property
    def complete_at(self) -> datetime:
        """The moment since which an edit may not be in it, UTC."""
        return self.fetched_at

    def dated(self, _fetched_at: datetime) -> Self:
        """This one, which another process read, with no ``complete_at`` that is later than by the clock here.

        What a clock that is behind has dated is left: it only counts as older than it is.

        Args:
            _fetched_at: when it was read, by the clock here.
        """
        return self

    def head(self) -> Head:
        """All but its content, for other processes."""
        names = {each.name for each in fields(self) if not each.name.startswith("_")} - {*_APART, self.CONTENT}
        facts = {name: getattr(self, name) for name in names}
        identity = self.identity or self.fetched_at.isoformat()
        return Head(fetched_at=self.fetched_at, identity=identity, facts=to_jsonable_python(facts))

    def content(self) -> list[Any]:
        """The JSON values that its content was read from."""
        objects: tuple[PaiObject, ...] = getattr(self, self.CONTENT) if self.CONTENT else ()
        return [item.raw for item in objects]

    @classmethod
    def of(cls, head: Head, content: Callable[[], list[Any]], last: "Snapshot | None") -> Self:
        """The snapshot that another process wrote.

        Args:
            head: what it wrote of ``head``.
            content: what it wrote of ``content``; asked for unless ``last`` has it.
            last: the snapshot known before.

        Raises:
            UnreadableError: it is none of these.
        """
        known = last if isinstance(last, cls) and last.identity == head.identity else None
        items = {} if cls.CONTENT is None else {cls.CONTENT: [] if known else content()}
        written = {**head.facts, **items, "fetched_at": head.fetched_at, "identity": head.identity}
        try:
            read: Self = _adapter(cast("Hashable", cls)).validate_python(written)
        except ValidationError as error:
            raise UnreadableError(f"{error.error_count()} fields do not fit") from None
        return read if known is None else read.beside(known)

    def beside(self, known: Self) -> Self:
        """This one with the content of another, which is the same, so that it is there once."""
        content = {} if self.CONTENT is None else {self.CONTENT: getattr(known, self.CONTENT)}
        return cast("Self", replaced(cast("Any", self), **content))


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


class _SharedFrames:
    """The frames of one listing, built by the first who needs them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: Frames | None = None

    def of(self, versions: tuple[ModelVersion, ...]) -> "Frames":
        from paiview.evaluation import frames  # noqa: PLC0415 - pandas takes most of a second to import, and not all need it

        with self._lock:
            if self._frames is None:
                self._frames = frames.build(versions)
            return self._frames


@dataclass(frozen=True, kw_only=True, eq=False)
class VersionsSnapshot(Snapshot):
    """The versions of one model, as one complete listing.

    Attributes:
        model_id: the model.
        filters: what the service was asked to filter.
        versions: in the order of the listing, without repetitions.
        total: how many the service says there are.
        uneven: a sentence when the listing moved while it was read, else ``None``.
        identity: changes exactly when the listing does, for keys of caches.
        whole_at: when it was last read page by page, UTC: an edit of an old version since then may not be in it.
    """

    CONTENT: ClassVar = "versions"

    model_id: str
    filters: VersionFilters
    whole_at: AwareDatetime
    versions: tuple[ModelVersion, ...]
    total: int
    uneven: str | None
    identity: str
    _frames: _SharedFrames = field(default_factory=_SharedFrames, repr=False)

    @property
    def complete_at(self) -> datetime:
        """When it was last read whole."""
        return self.whole_at

    def dated(self, fetched_at: datetime) -> Self:
        """This one, read whole as long before that moment as the other process says."""
        return replaced(self, whole_at=min(self.whole_at, fetched_at - (self.fetched_at - self.whole_at)))

    def beside(self, known: Self) -> Self:
        """This one with the versions of another, and their frames."""
        return replaced(self, versions=known.versions, _frames=known._frames)

    @property
    def frames(self) -> "Frames":
        """The frames of this listing: built once, shared by all who show it. They must not be changed."""
        return self._frames.of(self.versions)

    @cached_property
    def lineage(self) -> "Lineage":
        """The versions in their order, for decisions."""
        from paiview.decisions.lineage import Lineage  # noqa: PLC0415 - only those who decide need it

        return Lineage(self.model_id, self.versions, self.fetched_at, uneven=self.uneven)

    @property
    def size(self) -> int:
        """The number of versions, at least 1."""
        return max(len(self.versions), 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelsSnapshot(Snapshot):
    """The models of a workspace, or of all; ``total`` and ``uneven`` as for versions."""

    CONTENT: ClassVar = "items"

    items: tuple[Model, ...]
    total: int
    uneven: str | None = None

    @property
    def size(self) -> int:
        """The number of models, at least 1."""
        return max(len(self.items), 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkspacesSnapshot(Snapshot):
    """The workspaces this credential may see."""

    CONTENT: ClassVar = "items"

    items: tuple[Workspace, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Review(Snapshot):
    """How many versions of a model have each status, and the newest of those that are Pending, newest first."""

    CONTENT: ClassVar = "waiting"

    pending: int
    approved: int
    rejected: int
    waiting: tuple[ModelVersion, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Names(Snapshot):
    """Names of datasets, by id."""

    names: dict[str, str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Afresh(Snapshot):
    """Versions read one by one, by VersionName; ``None`` for one that does not exist any more.

    Those that are missing are as they were listed, which was at ``fetched_at`` where all are.
    """

    versions: dict[str, ModelVersion | None]

    @property
    def size(self) -> int:
        """The number of versions, at least 1."""
        return max(len(self.versions), 1)

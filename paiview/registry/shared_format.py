"""Snapshots and errors as bytes for other processes: JSON, compressed, and validated when they are read."""

import hashlib
import json
import zlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import fields, replace
from functools import cache
from io import BytesIO
from typing import Any, Final, TypeVar, cast

from pydantic import AwareDatetime, BaseModel, FiniteFloat, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json, to_jsonable_python

from paiview.pai import errors
from paiview.pai.errors import (
    AccessKeyError,
    ClockError,
    PaiviewError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from paiview.pai.objects import JsonObject, PaiObject
from paiview.registry.snapshots import ModelsSnapshot, Review, Snapshot, VersionsSnapshot, WorkspacesSnapshot
from paiview.text import one_line

FORMAT_VERSION: Final = 4
"""Part of every name. Raise it with every change to what is written or how long it is kept, so that two releases that
run side by side read nothing from each other."""
MAX_BODY_BYTES: Final = 256 * 2**20
"""Uncompressed; larger bodies are neither written nor read."""
MAX_BODY_VALUES: Final = 8_000_000
"""By the commas and brackets of the text; 10,000 versions with 100 metrics each have about two million."""
MAX_LINE_VALUES: Final = 1_000_000
"""Of one line, counted before it is parsed: parsing takes 64 MB at most."""
MAX_BODY_OBJECTS: Final = 200_000
"""Versions or models; an empty one takes 1 kB of memory."""
_VALUE_SIGNS: Final = (b",", b"{", b"[")
MAX_TEXT_CHARACTERS: Final = 1000
"""Of each text of an error."""
COMPRESSION_LEVEL: Final = 1
"""Of zlib: it compresses 10,000 versions to a sixteenth in 30 ms; level 6 to a twentieth in twice the time."""
ITEMS_PER_LINE: Final = 100
"""Of a body: parsing one line does not hold the GIL for long."""

ResultT = TypeVar("ResultT")
SnapshotT = TypeVar("SnapshotT", bound=Snapshot)


class UnreadableError(Exception):
    """The bytes are not in this format."""


class Head(BaseModel):
    """The small part of a snapshot, which may change while its body stays the same.

    Attributes:
        fetched_at: when it was read, by the clock of the process that read it.
        identity: differs between different bodies.
        facts: the other fields of the snapshot.
    """

    fetched_at: AwareDatetime
    identity: str
    facts: JsonObject


class _Failure(BaseModel):
    kind: str
    message: str
    code: str | None
    request_id: str | None
    status: int | None
    retry_after: FiniteFloat | None = None


_BODY_FIELDS: Final[dict[type[Snapshot], str]] = {
    VersionsSnapshot: "versions",
    ModelsSnapshot: "items",
    WorkspacesSnapshot: "items",
    Review: "newest_pending",
}
"""The field that is the body of a snapshot: objects of the service. Other snapshots have an empty body."""
_ERROR_KINDS: Final[dict[str, type[ServiceError]]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, ServiceError)
}
_ERRORS_OF_ONE_PROCESS: Final = (AccessKeyError, ClockError, UnreachableError)
"""They say more about the process than about the service: its secret or token, its clock, its network."""


def head_of(snapshot: Snapshot) -> Head:
    """The head of a snapshot."""
    apart = {"fetched_at", "failure", "identity", _BODY_FIELDS.get(type(snapshot))}
    facts = {name: getattr(snapshot, name) for name in _public_fields(type(snapshot)) if name not in apart}
    identity = snapshot.identity or snapshot.fetched_at.isoformat()
    return Head(fetched_at=snapshot.fetched_at, identity=identity, facts=to_jsonable_python(facts))


def body_of(snapshot: Snapshot) -> list[Any]:
    """The JSON values of the objects in a snapshot."""
    body_field = _BODY_FIELDS.get(type(snapshot))
    objects: tuple[PaiObject, ...] = getattr(snapshot, body_field) if body_field else ()
    return [item.raw for item in objects]


def snapshot_from(
    kind: type[SnapshotT], head: Head, read_body: Callable[[], list[Any]], last: Snapshot | None
) -> SnapshotT:
    """The snapshot that another process wrote.

    Args:
        kind: its class.
        head: its head.
        read_body: reads its body; called only if ``last`` has another one.
        last: the snapshot that this process has; its objects, and frames made of them, are used again.

    Raises:
        UnreadableError: head and body are not those of a snapshot of this class.
    """
    same = last if isinstance(last, kind) and last.identity == head.identity else None
    body_field = _BODY_FIELDS.get(kind)
    body = {} if body_field is None else {body_field: [] if same else read_body()}
    values = {**head.facts, **body, "fetched_at": head.fetched_at, "identity": head.identity}
    snapshot: SnapshotT = _checked(lambda: _adapter(cast("Hashable", kind)).validate_python(values))
    if same is None:
        return snapshot
    changes = {name: getattr(snapshot, name) for name in _public_fields(kind) if name != body_field}
    return cast("SnapshotT", replace(cast("Any", same), **changes))


def _public_fields(kind: type[Snapshot]) -> list[str]:
    return [each.name for each in fields(kind) if not each.name.startswith("_")]


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def query_name(key: Sequence[Hashable]) -> str:
    """The name of a query in the store; it reveals neither the query, nor the endpoint, nor the principal."""
    # Not to_json: it refuses unpaired surrogates, and a URL may ask for any text.
    query = json.dumps(to_jsonable_python(key)).encode()
    return f"paiview:{FORMAT_VERSION}:{hashlib.blake2b(query, digest_size=16).hexdigest()}"


def pack_head(head: Head) -> bytes:
    """Write a head."""
    return to_json(head)


def read_head(data: bytes) -> Head:
    """Read a head.

    Raises:
        UnreadableError: the bytes are not a head.
    """
    return _checked(lambda: Head.model_validate_json(data))


def pack_body(identity: str, items: Sequence[Any]) -> bytes | None:
    """Write a body of JSON values; ``None`` if it is too large to share."""
    lines = [
        to_json(identity),
        *(to_json(items[start : start + ITEMS_PER_LINE]) for start in range(0, len(items), ITEMS_PER_LINE)),
    ]
    text = b"\n".join(lines)
    is_shareable = len(items) <= MAX_BODY_OBJECTS and _is_shareable(text)
    return zlib.compress(text, COMPRESSION_LEVEL) if is_shareable else None


def read_body(data: bytes, identity: str) -> list[Any]:
    """Read the body with this identity.

    Raises:
        UnreadableError: the bytes are not a body, are too large, or have another identity.
    """
    return _checked(lambda: _items(data, identity))


def _items(data: bytes, identity: str) -> list[Any]:
    inflating = zlib.decompressobj()
    text = inflating.decompress(data, MAX_BODY_BYTES)
    if not inflating.eof:
        raise ValueError("too large or truncated")
    if not _is_shareable(text):
        raise ValueError("too many values")
    first, *lines = text.split(b"\n")
    if from_json(first) != identity:
        raise ValueError("another identity")
    items: list[Any] = []
    for line in lines:
        items += _LIST.validate_python(from_json(line))
        if len(items) > MAX_BODY_OBJECTS:
            raise ValueError("too many objects")
    return items


def _is_shareable(text: bytes) -> bool:
    """Whether a body holds no more bytes, lines and values than allowed: a value of two bytes takes 64 in memory."""
    # Each line but the first has at least one object.
    if len(text) > MAX_BODY_BYTES or text.count(b"\n") > MAX_BODY_OBJECTS or _values(text) > MAX_BODY_VALUES:
        return False
    # One line at a time: a list of all lines would double the body in memory.
    return all(_values(line) <= MAX_LINE_VALUES for line in BytesIO(text))


def _values(text: bytes) -> int:
    """About how many values a text has."""
    return sum(map(text.count, _VALUE_SIGNS))


_LIST: Final = TypeAdapter(list[Any])


def concerns_all_processes(error: PaiviewError) -> bool:
    """Whether the other processes would most likely get the same error."""
    return isinstance(error, ServiceError) and not isinstance(error, _ERRORS_OF_ONE_PROCESS)


def pack_error(error: PaiviewError) -> bytes:
    """Write an error."""
    return to_json(
        _Failure(
            kind=type(error).__name__,
            message=error.message,
            code=error.code,
            request_id=error.request_id,
            status=error.status,
            retry_after=error.retry_after if isinstance(error, ThrottledError) else None,
        )
    )


def read_error(data: bytes) -> ServiceError:
    """Read an error.

    Raises:
        UnreadableError: the bytes are not an error of the service.
    """
    failure = _checked(lambda: _Failure.model_validate_json(data))
    kind = _ERROR_KINDS.get(failure.kind)
    if kind is None:
        raise UnreadableError(f"{failure.kind} is not an error of the service")
    error = kind(
        one_line(failure.message, MAX_TEXT_CHARACTERS),
        code=failure.code and one_line(failure.code, MAX_TEXT_CHARACTERS),
        request_id=failure.request_id and one_line(failure.request_id, MAX_TEXT_CHARACTERS),
        status=failure.status,
    )
    if isinstance(error, ThrottledError):
        error.retry_after = failure.retry_after
    return error


def _checked(read: Callable[[], ResultT]) -> ResultT:
    try:
        return read()
    except ValidationError as error:
        raise UnreadableError(f"{error.error_count()} invalid fields") from None
    except (ValueError, zlib.error) as error:
        raise UnreadableError(str(error)) from None

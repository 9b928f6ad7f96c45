"""Snapshots and errors as bytes that another process reads again: JSON, compressed, and checked when it is read."""

import hashlib
import json
import zlib
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, TypeVar

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
from paiview.pai.objects import JsonObject

FORMAT: Final = 1
"""Part of every name. Whoever changes what is written, or how long it lives, raises it: two releases that run side by
side then read nothing of each other."""
LARGEST: Final = 256 * 2**20
"""Bytes of an uncompressed body; a larger one is neither written nor read."""
LEVEL: Final = 1
"""Of zlib: it makes 10,000 versions a sixteenth in 30 ms; level 6 makes them a twentieth in more than twice that."""
LINE: Final = 100
"""Items a line of a body: few enough that parsing one holds up no other thread for long."""

ResultT = TypeVar("ResultT")


class UnreadableError(Exception):
    """Bytes that are no entry of this format."""


class Head(BaseModel):
    """What is small of a snapshot, and may change while its content does not.

    Attributes:
        fetched_at: when it was read, by the clock of whoever read it.
        identity: tells contents apart.
        facts: the fields of the snapshot that are not its content.
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


_KINDS: Final[dict[str, type[ServiceError]]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, ServiceError)
}
_OWN: Final = (AccessKeyError, ClockError, UnreachableError)
"""What says more about the process that met it than about the service: its secret or token, its clock, its network."""


def name_of(key: Sequence[Hashable]) -> str:
    """The name of a query: tells nothing of what is asked, where, and for whom."""
    # Not to_json: it refuses what no text can hold, and anything may be asked for.
    asked = json.dumps(to_jsonable_python(key)).encode()
    return f"paiview:{FORMAT}:{hashlib.blake2b(asked, digest_size=16).hexdigest()}"


def pack_head(head: Head) -> bytes:
    """Write a head."""
    return to_json(head)


def read_head(data: bytes) -> Head:
    """Read a head.

    Raises:
        UnreadableError: it is none.
    """
    return _checked(lambda: Head.model_validate_json(data))


def pack_body(identity: str, items: Sequence[Any]) -> bytes | None:
    """Write the JSON values that a content is made of; ``None`` when they are too large to share."""
    lines = [to_json(identity), *(to_json(items[start : start + LINE]) for start in range(0, len(items), LINE))]
    if sum(map(len, lines)) + len(lines) > LARGEST:
        return None
    return zlib.compress(b"\n".join(lines), LEVEL)


def read_body(data: bytes, identity: str) -> list[Any]:
    """Read the content of an identity.

    Raises:
        UnreadableError: it is none, is too large, or is of another identity.
    """
    return _checked(lambda: _items(data, identity))


def _items(data: bytes, identity: str) -> list[Any]:
    inflating = zlib.decompressobj()
    text = inflating.decompress(data, LARGEST)
    if not inflating.eof:
        raise ValueError("too large, or cut off")
    first, *lines = text.split(b"\n")
    if from_json(first) != identity:
        raise ValueError("of another identity")
    return [item for line in lines for item in _LIST.validate_python(from_json(line))]


_LIST: Final = TypeAdapter(list[Any])


def is_common(error: PaiviewError) -> bool:
    """Whether every process would be answered so, as far as one can tell."""
    return isinstance(error, ServiceError) and not isinstance(error, _OWN)


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
        UnreadableError: it is none of the service's.
    """
    said = _checked(lambda: _Failure.model_validate_json(data))
    kind = _KINDS.get(said.kind)
    if kind is None:
        raise UnreadableError(f"{said.kind} is no error of the service")
    error = kind(said.message, code=said.code, request_id=said.request_id, status=said.status)
    if isinstance(error, ThrottledError):
        error.retry_after = said.retry_after
    return error


def _checked(read: Callable[[], ResultT]) -> ResultT:
    try:
        return read()
    except ValidationError as error:
        raise UnreadableError(f"{error.error_count()} fields do not fit") from None
    except (ValueError, zlib.error) as error:
        raise UnreadableError(str(error)) from None

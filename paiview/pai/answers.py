"""An HTTP answer read: the JSON object of a success, or the error it stands for. No input or output happens here."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json

from paiview.pai.errors import AnswerError, CutOffError, ServiceError, error_for
from paiview.pai.objects import JsonObject

MESSAGE_LENGTH: Final = 500
"""Characters of the service's Message that are shown."""
INTEGER_DIGITS: Final = 4300
"""Digits Python turns into an integer; a longer number stays a text."""
DEEPEST: Final = 200
"""Levels of nesting that every reader and writer of JSON goes; what is nested deeper stays a text."""
_LONE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: the JSON object of the body, without its RequestId."""

    action: str
    body: JsonObject
    request_id: str | None


def read_answer(
    action: str, status: int, headers: Mapping[str, str], content: bytes, *, hidden: tuple[str | None, ...] = ()
) -> Answer:
    """Read a complete answer.

    Args:
        action: the operation that was asked for.
        status: the HTTP status.
        headers: the answer's headers, looked up in lower case.
        content: the body.
        hidden: texts that no error may repeat, though the service may quote them.

    Raises:
        ServiceError: the error the answer stands for; ``CutOffError`` when JSON began and did not end.
    """
    request_id = _text(headers.get("x-acs-request-id"), hidden)
    if 300 <= status < 400:
        raise AnswerError(
            f"{action} was answered with a redirect, which PAI never sends.", request_id=request_id, status=status
        )
    try:
        body = parse_json(content)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        request_id = _text(body.get("RequestId", body.get("requestId")), hidden) or request_id
    if status >= 400:
        raise _refusal(action, status, headers, body, request_id, hidden)
    if isinstance(body, dict):
        return Answer(action, {name: value for name, value in body.items() if name != "RequestId"}, request_id)
    begun = body is None and content.lstrip().startswith(b"{")
    raise (CutOffError if begun else AnswerError)(
        f"{action} was answered with {_described(content, begun=begun)} in place of a JSON object.",
        request_id=request_id,
        status=status,
    )


def parse_json(content: bytes) -> Any:
    """Parse JSON as it occurs: NaN and infinities are kept, bytes and surrogates no text can hold become escapes.

    Each has its own (the byte ff becomes the six characters of the surrogate dcff), so that names still differ.

    Raises:
        ValueError: it is not JSON.
        RecursionError: it is nested deeper than any reader goes.
    """
    try:
        return from_json(content)
    except ValueError:
        value = json.loads(content.decode("utf-8-sig", "surrogateescape"), parse_int=_integer)
        value = json.loads(_LONE.sub(_escape, json.dumps(value, ensure_ascii=False)))
        _flatten(value)
        return value


def _flatten(tree: Any) -> None:
    """Turn what is nested deeper than ``DEEPEST`` into its JSON text, level by level: a recursion would end sooner."""
    level = [tree] if isinstance(tree, dict | list) else []
    for _ in range(DEEPEST - 1):
        level = [inner for outer in level for _, inner in _nested(outer)]
    for outer in level:
        for key, inner in _nested(outer):
            outer[key] = json.dumps(inner, ensure_ascii=False)


def _nested(outer: Any) -> list[tuple[Any, Any]]:
    """The objects and lists directly inside of one, each with its key or place."""
    items = outer.items() if isinstance(outer, dict) else enumerate(outer)
    return [(key, inner) for key, inner in items if isinstance(inner, dict | list)]


def _escape(lone: re.Match[str]) -> str:
    """The escape of a lone surrogate as text, inside of JSON."""
    return rf"\\u{ord(lone[0]):x}"


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits.removeprefix("-")) <= INTEGER_DIGITS else digits


def _refusal(
    action: str,
    status: int,
    headers: Mapping[str, str],
    body: Any,
    request_id: str | None,
    hidden: tuple[str | None, ...],
) -> ServiceError:
    hint = headers.get("x-acs-retry-after", "").strip()
    retry_after = int(hint) / 1000 if hint.isascii() and hint.isdigit() and len(hint) < 15 and int(hint) else None
    if isinstance(body, dict):
        code, text = (_text(body.get(name, body.get(name.lower())), hidden) for name in ("Code", "Message"))
    elif status == 429 or status >= 500 or retry_after is not None:
        code = text = None
    else:
        return AnswerError(
            f"{action} was answered with HTTP status {status} and no JSON, so not by PAI.",
            request_id=request_id,
            status=status,
        )
    return error_for(action, status, code=code, text=text, request_id=request_id, retry_after=retry_after)


def _text(value: Any, hidden: tuple[str | None, ...]) -> str | None:
    """A Code, Message or RequestId as one short printable line; the service also sends numbers."""
    if value is None or isinstance(value, dict | list):
        return None
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    for secret in filter(None, hidden):  # Before the cut, which could leave the beginning of one.
        line = line.replace(secret, "***")
    return f"{line[:MESSAGE_LENGTH]}…" if len(line) > MESSAGE_LENGTH else line or None


def _described(content: bytes, *, begun: bool) -> str:
    start = content[:200].lstrip().lower()
    if not start:
        return "an empty body"
    if start.startswith(b"<"):
        return "a web page"
    return "the beginning of one" if begun else "something else"

"""Reads an HTTP response: the JSON object of a success, or the error it reports. Does no input or output."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json

from paiview.pai.errors import AnswerError, CutOffError, ServiceError, error_for
from paiview.pai.objects import JsonObject
from paiview.secret_masking import mask_text

MAX_MESSAGE_CHARACTERS: Final = 500
"""Characters shown of the service's Message."""
MAX_INTEGER_DIGITS: Final = 4300
"""Digits that Python converts to an integer; a longer number stays text."""
MAX_NESTING_LEVELS: Final = 200
"""Levels of nesting that every JSON reader and writer supports; a value nested deeper stays text."""
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A success: the JSON object of the body, without its RequestId."""

    action: str
    body: JsonObject
    request_id: str | None


def read_response(
    action: str, status: int, headers: Mapping[str, str], content: bytes, *, hidden: tuple[str | None, ...] = ()
) -> ApiResponse:
    """Read a complete response.

    Args:
        action: the API operation.
        status: the HTTP status.
        headers: the headers; names are looked up in lower case.
        content: the body.
        hidden: secrets that the service may quote and no error may repeat.

    Raises:
        ServiceError: the response reports an error or is no JSON object; ``CutOffError`` if its JSON is incomplete.
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
        return ApiResponse(action, {name: value for name, value in body.items() if name != "RequestId"}, request_id)
    is_cut_off = body is None and content.lstrip().startswith(b"{")
    error_class = CutOffError if is_cut_off else AnswerError
    raise error_class(
        f"{action} was answered with {_described(content, is_cut_off=is_cut_off)} in place of a JSON object.",
        request_id=request_id,
        status=status,
    )


def parse_json(content: bytes) -> Any:
    r"""Parse JSON leniently: keep NaN and infinities, and escape bytes and lone surrogates that no text can hold.

    Each has an escape of its own (the byte ff becomes the six characters ``\udcff``), so that different names stay
    different.

    Raises:
        ValueError: it is not JSON.
        RecursionError: it is nested too deep for any parser.
    """
    try:
        return from_json(content)
    except ValueError:
        value = json.loads(content.decode("utf-8-sig", "surrogateescape"), parse_int=_integer)
        value = json.loads(_LONE_SURROGATE.sub(_escape, json.dumps(value, ensure_ascii=False)))
        _flatten(value)
        return value


def _flatten(tree: Any) -> None:
    """Replace values nested deeper than ``MAX_NESTING_LEVELS`` by their JSON text; iterative, to spare the stack."""
    level = [tree] if isinstance(tree, dict | list) else []
    for _ in range(MAX_NESTING_LEVELS - 1):
        level = [inner for outer in level for _, inner in _nested(outer)]
    for outer in level:
        for key, inner in _nested(outer):
            outer[key] = json.dumps(inner, ensure_ascii=False)


def _nested(outer: Any) -> list[tuple[Any, Any]]:
    """The objects and lists directly inside a value, each with its key or index."""
    items = outer.items() if isinstance(outer, dict) else enumerate(outer)
    return [(key, inner) for key, inner in items if isinstance(inner, dict | list)]


def _escape(match: re.Match[str]) -> str:
    """A lone surrogate as the text of its escape, inside JSON."""
    return rf"\\u{ord(match[0]):x}"


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits.removeprefix("-")) <= MAX_INTEGER_DIGITS else digits


def _refusal(
    action: str,
    status: int,
    headers: Mapping[str, str],
    body: Any,
    request_id: str | None,
    hidden: tuple[str | None, ...],
) -> ServiceError:
    retry_after = _retry_after(headers)
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


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the service asks to wait; it sends milliseconds. ``None`` without a usable hint."""
    hint = headers.get("x-acs-retry-after", "").strip()
    is_number = hint.isascii() and hint.isdigit() and len(hint) < 15
    return int(hint) / 1000 if is_number and int(hint) > 0 else None


def _text(value: Any, hidden: tuple[str | None, ...]) -> str | None:
    """A Code, Message or RequestId as one short printable line without secrets; the service also sends numbers."""
    if value is None or isinstance(value, dict | list):
        return None
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    line = mask_text(line)
    for secret in filter(None, hidden):  # Before the text is cut, for a cut could leave the start of a secret.
        line = line.replace(secret, "***")
    return f"{line[:MAX_MESSAGE_CHARACTERS]}…" if len(line) > MAX_MESSAGE_CHARACTERS else line or None


def _described(content: bytes, *, is_cut_off: bool) -> str:
    start = content[:200].lstrip().lower()
    if not start:
        return "an empty body"
    if start.startswith(b"<"):
        return "a web page"
    return "the beginning of one" if is_cut_off else "something else"

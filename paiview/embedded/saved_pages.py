"""The content of a data file: pages of ListModelVersions, whatever they were saved with.

A file holds a response, one of the SDK (with ``body``) or of a gateway (with ``data``), a list of pages or of versions,
one version, or several of these one after another, as JSON Lines are. Names of fields may also be written like
``total_count`` or ``totalCount``, as SDKs of other languages print them.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from paiview.pai.listing_facts import MEANINGS_FIELD
from paiview.pai.objects import JsonObject, Label, ModelVersion

MAX_NESTING_LEVELS: Final = 200
_MAX_INTEGER_DIGITS: Final = 4300
"""Digits that Python converts to an integer; a longer number stays text."""
_MAX_TOTAL: Final = 10**15 - 1
_MAX_ID_LENGTH: Final = 512
_MAX_WRAPPERS: Final = 3
_BLANKS: Final = re.compile("[ \t\r\n\ufeff\x1e]*")
"""Between JSON texts; also byte order marks, where files were joined, and the separators of JSON text sequences."""
_PYTHON_DUMP: Final = re.compile(r"[\[({]\s*(?:\{\s*)?'")
_MAX_TOKEN: Final = 10
"""More characters than a word or an escape of JSON has."""
_LITERALS: Final = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_VERSION_FIELDS: Final = {
    **{name.replace("_", ""): str(info.alias) for name, info in ModelVersion.model_fields.items()},
    "modelid": "ModelId",
}
_LABEL_FIELDS: Final = {name: str(info.alias) for name, info in Label.model_fields.items()}


class ContentError(ValueError):
    """A file holds something else; the text is the end of the sentence "The file is no saved response: …"."""


class SavedPage(NamedTuple):
    """One page of a listing.

    Attributes:
        model_id: the ModelId beside the versions, if there is one.
        versions: as saved.
        total: TotalCount; 0 if it is absent or no number.
        meanings: the object ``metrics`` beside the versions, as saved.
    """

    model_id: str | None
    versions: list[JsonObject]
    total: int = 0
    meanings: Any = None


def read_pages(content: bytes) -> list[SavedPage]:
    """The pages in a file.

    Raises:
        ContentError: it is empty, no JSON, or holds anything that is neither a page nor a version.
    """
    pages = [page for document in _documents(_text(content)) for page in _pages(document)]
    if not pages:
        raise ContentError("it is empty")
    return pages


def model_id_of(fields: JsonObject) -> str | None:
    """The ModelId of a response or a version, if it can be one."""
    value = fields.get("ModelId")
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_ID_LENGTH or value in (".", ".."):
        return None
    return value if value.isprintable() and not value.isspace() else None


def _text(content: bytes) -> str:
    try:
        return content.decode(json.detect_encoding(content), "surrogatepass")
    except UnicodeDecodeError:
        raise ContentError("its bytes are no text in UTF-8 or UTF-16") from None


def _documents(text: str) -> Iterator[Any]:
    """The JSON texts of a file, one after another."""
    decoder = json.JSONDecoder(parse_int=_integer)
    position = _after_blanks(text, 0)
    while position < len(text):
        try:
            document, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise ContentError(_fault(text, error)) from None
        except RecursionError:
            raise ContentError(_TOO_DEEP) from None
        _check_depth(document)
        yield document
        position = _after_blanks(text, position)


_TOO_DEEP: Final = f"it is nested more than {MAX_NESTING_LEVELS} levels deep"


def _after_blanks(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    return match.end() if match else position


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits.removeprefix("-")) <= _MAX_INTEGER_DIGITS else digits


def _fault(text: str, error: json.JSONDecodeError) -> str:
    """Why a text is no JSON, without the terms of a parser."""
    start = text[_after_blanks(text, 0) :][:200]
    if start.startswith("<"):
        return "it is a web page or XML"
    if _PYTHON_DUMP.match(start):
        return "it is printed Python, which json.dumps would write as JSON"
    rest = text[error.pos : error.pos + _MAX_TOKEN].rstrip()
    # At the end of the text also a word, a number or an escape may be cut off.
    is_in_token = len(text) - error.pos < _MAX_TOKEN and (
        any(word.startswith(rest) for word in _LITERALS)
        or not rest.strip("-+.eE")
        or error.msg.startswith("Invalid \\")
    )
    if error.msg.startswith("Unterminated") or is_in_token:
        return f"it ends in the middle, in line {error.lineno}"
    return f"line {error.lineno} is not JSON"


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(MAX_NESTING_LEVELS + 1):
        level = [inner for outer in level for inner in _nested(outer)]
    if level:
        raise ContentError(_TOO_DEEP)


def _nested(value: Any) -> list[Any]:
    """The objects and lists directly inside a value."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict | list)]


def _pages(document: Any) -> Iterator[SavedPage]:
    if isinstance(document, list):
        yield from _pages_of_list(document)
        return
    page = _page(document) if isinstance(document, dict) else None
    if page is None:
        raise ContentError("it has neither the array Versions nor a VersionName")
    yield page


def _pages_of_list(items: list[Any]) -> Iterator[SavedPage]:
    """The pages of a list of pages, and those of its items that are versions as one more page."""
    versions, has_pages, nameless = [], False, 0
    for number, item in enumerate(items, start=1):
        if isinstance(item, list):
            has_pages = True
            yield from _pages_of_list(item)
        elif not isinstance(item, dict):
            raise ContentError(f"its version {number} is not an object")
        elif "ModelName" in item:
            raise ContentError(f"its version {number} is a model")
        elif _has_versions(item):
            has_pages = True
            yield from filter(None, [_page(item)])
        else:
            versions.append(_version(item))
            nameless = nameless or ("VersionName" not in versions[-1] and number)
    if has_pages and nameless:
        raise ContentError(f"its page {nameless} has no array Versions")
    if versions or not items:
        yield SavedPage(None, versions)


def _has_versions(fields: JsonObject) -> bool:
    return any(_plain(name) in ("versions", "body", "data") for name in fields)


def _page(fields: JsonObject) -> SavedPage | None:
    """The page that a response is, or holds in ``body`` or ``data``; that of a single version; ``None`` without any."""
    meanings, model_id = None, None
    for _ in range(_MAX_WRAPPERS):
        by_plain_name = {_plain(name): value for name, value in fields.items()}
        model_id = model_id_of({"ModelId": by_plain_name.get("modelid")}) or model_id
        if "versions" in by_plain_name:
            meanings = fields.get(MEANINGS_FIELD, meanings)
            versions = _versions(by_plain_name["versions"])
            return SavedPage(model_id, versions, _total(by_plain_name.get("totalcount")), meanings)
        if "versionname" in by_plain_name:
            if "VersionName" in fields:
                meanings = fields.get(MEANINGS_FIELD, meanings)
            version = {name: value for name, value in _version(fields).items() if name != "RequestId"}
            return SavedPage(model_id, [version], 0, meanings)
        meanings = fields.get(MEANINGS_FIELD, meanings)
        fields = _unwrapped(by_plain_name.get("body", by_plain_name.get("data")))
    return None


def _unwrapped(inner: Any) -> JsonObject:
    """The object inside a wrapper, which may be there as JSON text."""
    if isinstance(inner, str):
        inner = next(_documents(inner), None)
    return inner if isinstance(inner, dict) else {}


def _versions(value: Any) -> list[JsonObject]:
    if value is not None and not isinstance(value, list):
        raise ContentError("its Versions are no array")
    for number, version in enumerate(value or (), start=1):
        if not isinstance(version, dict):
            raise ContentError(f"its version {number} is not an object")
    return [_version(version) for version in value or ()]


def _version(fields: JsonObject) -> JsonObject:
    """A version with PAI's names of the fields; unchanged if it has any of them."""
    if "VersionName" in fields or not any(_plain(name) == "versionname" for name in fields):
        return fields
    version = {_VERSION_FIELDS.get(_plain(name), name): value for name, value in fields.items()}
    if isinstance(labels := version.get("Labels"), list):
        version["Labels"] = [_label(label) if isinstance(label, dict) else label for label in labels]
    return version


def _label(fields: JsonObject) -> JsonObject:
    return {_LABEL_FIELDS.get(name, name): value for name, value in fields.items()}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _total(value: Any) -> int:
    if isinstance(value, str):
        number = int(value) if value.isascii() and value.isdigit() and len(value) <= _MAX_INTEGER_DIGITS else 0
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else 0
    else:
        number = value if isinstance(value, int) and not isinstance(value, bool) else 0
    return min(max(number, 0), _MAX_TOTAL)

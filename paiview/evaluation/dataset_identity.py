"""Which dataset a result was measured on.

A result names its dataset by DatasetId or Uri, and sometimes by more beside it: version, split, subset, configuration.
The identity is the id, or the Uri in one canonical form, with split, subset and configuration in brackets:
``d-librispeech[split=test-other]``. The dataset's version stands apart, for another version is the same dataset, though
its numbers are not comparable. Everything here takes linear time and raises nothing, whatever the text.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import unquote

from paiview.text import json_text

NO_DATASET: Final = "(no dataset)"
Kind = Literal["id", "uri", "none"]
DATASET_KINDS: Final[tuple[Kind, ...]] = ("id", "uri", "none")
_NO_IDENTITY: Final = "dataset has no DatasetId or Uri"
_NO_TEXT: Final = "DatasetId or Uri is no text"

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_HOST_AND_PORT: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]+):([0-9]*)")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443", "ftp": "21"}
_MOUNTED: Final = frozenset({"cpfs", "nas"})
"""Schemes of file systems that PAI mounts: what follows is a path and no URL."""
_BUCKET: Final = r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
_ENDPOINT: Final = r"(?:s3\.)?oss-[a-z0-9-]+\.aliyuncs\.com"
_OSS_HOST: Final = re.compile(rf"(?:({_BUCKET})\.)?{_ENDPOINT}|({_BUCKET})\.[a-z]{{2}}-[a-z0-9-]+\.oss\.aliyuncs\.com")
"""The host of a bucket, or an endpoint, whose first piece of the path is the bucket; the region does not matter."""
_BARE_OSS: Final = re.compile(rf"(?i)(?:{_BUCKET}\.)?{_ENDPOINT}(?=[/?#:]|\Z)")
_OSS_PATH: Final = re.compile(rf"(?i)/({_BUCKET})(/.*)?", re.DOTALL)
_ESCAPES: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_SIGNING_PREFIXES: Final = ("x-oss-", "x-amz-", "x-goog-")
_SIGNING: Final = frozenset(
    {"signature", "sig", "expires", "token", "security-token", "ossaccesskeyid", "awsaccesskeyid", "role_arn"}
)
_NAMING: Final[tuple[tuple[Kind, str], ...]] = (("id", "datasetid"), ("uri", "uri"))
_MOST_MARKS: Final = 30
"""Marks on one letter in the Unicode Stream-Safe Text Format."""
_PART: Final = r"(?:split|subset|config)=[^\[\],]*"
_PARTS: Final = re.compile(rf"\[(?:{_PART}(?:,{_PART})*)?\]")
_SPECIAL: Final = re.compile(r"%(?=5B|5D|2C|25)|[\[\],]")
"""What would be misread in the brackets of an identity."""


class CanonicalUri(NamedTuple):
    """A Uri in one form for all spellings of one address, and its ``versionId``, which is no part of it."""

    uri: str
    version: str | None


class DatasetIdentity(NamedTuple):
    """The dataset of a result.

    Attributes:
        dataset: the identity; ``NO_DATASET`` without one, the JSON text of what names nothing.
        kind: what names it.
        version: the dataset's version; several different ones are joined by `` / ``.
        problem: why it is odd, if it is.
        uri: the Uri as given, also beside a DatasetId; several are joined by `` / ``.
    """

    dataset: str
    kind: Kind
    version: str | None = None
    problem: str | None = None
    uri: str | None = None


def canonical_uri(text: str) -> CanonicalUri:
    """A Uri without what may differ between two addresses of one file; canonicalising again changes nothing.

    Scheme and host are in lower case and the path is percent-decoded where that is unambiguous. User, default port,
    fragment, one trailing slash and signing parameters are dropped. Every address of an object in OSS is
    ``oss://bucket/key``. What is no URL is only normalized (Unicode NFC).
    """
    text = _normalized("NFC", text)
    # Trailing blanks may belong to the path.
    address = text.lstrip()
    match = _URL.fullmatch(f"oss://{address}" if _BARE_OSS.match(address) else address)
    if match is None or (scheme := match[1].lower()) in _MOUNTED:
        return CanonicalUri(text, None)
    host, port = _host_and_port(scheme, match[2])
    path, query = _decoded_path(match[3]), match[4] or ""
    if in_oss := _in_oss(host, path):
        scheme, (host, path), port = "oss", in_oss, ""
    kept = "" if scheme == "oss" else _without_signature(query)
    return CanonicalUri(f"{scheme}://{host}{port}{path}{kept and f'?{kept}'}", _version_id(query))


def identify(dataset: Any) -> DatasetIdentity:
    """The dataset that the field Dataset of a result names.

    DatasetId goes before Uri. Version or DatasetVersion, Split, Subset, and Config or Name may stand beside it; all
    names of fields are read in any case. A Name is a configuration only without a Config, and where it does not repeat
    the id or the Uri.
    """
    if dataset in (None, ""):
        return DatasetIdentity(NO_DATASET, "none")
    if isinstance(dataset, str):
        uri, version = canonical_uri(dataset)
        return DatasetIdentity(_with_parts(uri, {}), "none", version, _NO_IDENTITY)
    if not isinstance(dataset, dict):
        return DatasetIdentity(json_text(dataset), "none", None, _NO_IDENTITY)
    fields: dict[str, list[Any]] = {}
    for name, value in dataset.items():
        fields.setdefault(str(name).lower(), []).append(value)
    names = [(kind, value) for kind, key in _NAMING for value in fields.get(key, ())]
    problem = None if all(isinstance(value, str | None) for _, value in names) else _NO_TEXT
    named = [(kind, value) for kind, value in names if isinstance(value, str) and value]
    if not named:
        if any(dataset.values()):
            return DatasetIdentity(json_text(dataset), "none", None, _NO_IDENTITY)
        return DatasetIdentity(NO_DATASET, "none", None, problem)
    addresses = [canonical_uri(value) if kind == "uri" or "://" in value else None for kind, value in named]
    (kind, value), address = named[0], addresses[0]
    version = joined([*_texts(fields, "datasetversion", "version"), *(uri.version for uri in addresses if uri)])
    base = address.uri if address else value
    parts = _parts(fields, [*(value for _, value in named), base]) if len(fields) > 1 else {}
    uris = joined(value for kind, value in named if kind == "uri")
    return DatasetIdentity(_with_parts(base, parts), kind, version, problem, uris)


def named_dataset(kind: Kind, text: str) -> DatasetIdentity:
    """``identify`` of a Dataset that holds one DatasetId or one Uri and nothing else; the text is not empty."""
    if kind == "id" and "://" not in text:
        return DatasetIdentity(_with_parts(text, {}), kind)
    uri, version = canonical_uri(text)
    return DatasetIdentity(_with_parts(uri, {}), kind, version, None, text if kind == "uri" else None)


def base_of(identity: str) -> str:
    """The id or Uri of an identity, without split, subset and configuration.

    >>> base_of("d-librispeech[split=test-other]"), base_of("squad[v2]")
    ('d-librispeech', 'squad[v2]')
    """
    start = identity.rfind("[")
    return identity[:start] if start >= 0 and _PARTS.fullmatch(identity, start) else identity


def configured_identity(name: str) -> str:
    """The identity that a dataset's name in a configuration stands for: a Uri of any form is made canonical."""
    base = base_of(name)
    return canonical_uri(base).uri + name[len(base) :] if "://" in base or _BARE_OSS.match(base) else name


def renaming(aliases: Mapping[str, str]) -> Callable[[str], str]:
    """A function from an identity to the one it is another name of, or to itself.

    Args:
        aliases: an identity, its base or a raw Uri, to its target. The alias of a base goes for all its splits, subsets
            and configurations, and keeps the brackets; that of a whole identity goes before it. A mapping may know
            more names than it lists, such as those that a pattern matches.
    """
    targets = {configured_identity(name): configured_identity(target) for name, target in aliases.items()}

    def target_of(identity: str) -> str | None:
        target = aliases.get(identity)
        return targets.get(identity) or (configured_identity(target) if target is not None else None)

    def renamed(identity: str) -> str:
        base = base_of(identity)
        if identity in targets:
            return targets[identity]
        if (target := target_of(base)) is not None:
            return target + identity[len(base) :]
        return target_of(identity) or identity

    return renamed


def look_alikes(names: Iterable[str]) -> list[tuple[str, ...]]:
    """The names of which two or more differ only in case, blanks, width or invisible characters.

    Returns:
        Each group and the names in it in order of first appearance.
    """
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        folded = _normalized("NFKC", _normalized("NFKC", name).casefold())
        bare = "".join(char for char in folded if not char.isspace() and unicodedata.category(char) != "Cf")
        groups.setdefault(bare, []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def joined(texts: Iterable[str | None]) -> str | None:
    """Several values of one field as one text: each different one once, sorted; ``None`` without any."""
    return " / ".join(sorted({text for text in texts if text})) or None


def _normalized(form: Literal["NFC", "NFKC"], text: str) -> str:
    """The text in a Unicode form, but for piles of marks longer than any writing has, which take quadratic time."""
    if text.isascii():
        return text
    pieces: list[str] = []
    start = end = 0
    for is_mark, chars in groupby(text, key=_is_mark):
        length = sum(1 for _ in chars)
        if is_mark and length > _MOST_MARKS:
            pieces += [unicodedata.normalize(form, text[start:end]), text[end : end + length]]
            start = end + length
        end += length
    return "".join([*pieces, unicodedata.normalize(form, text[start:])])


def _is_mark(char: str) -> bool:
    return char >= "\u0300" and (unicodedata.category(char)[0] == "M" or char in "\uff9e\uff9f")


def _host_and_port(scheme: str, authority: str) -> tuple[str, str]:
    """The host in lower case and the port with its colon, without the user and the port that goes without saying."""
    authority = _normalized("NFC", authority.rpartition("@")[2].lower())
    match = _HOST_AND_PORT.fullmatch(authority)
    if match is None:
        return authority, ""
    is_default = match[2] == "" or match[2].lstrip("0") == _DEFAULT_PORTS.get(scheme)
    return match[1], "" if is_default else f":{match[2]}"


def _in_oss(host: str, path: str) -> tuple[str, str] | None:
    """The bucket and the path in it, if the host is one of OSS."""
    match = _OSS_HOST.fullmatch(host)
    if match is None:
        return None
    if bucket := match[1] or match[2]:
        return bucket, path
    below = _OSS_PATH.fullmatch(path)
    return (below[1].lower(), below[2] or "") if below else None


def _decoded_path(path: str) -> str:
    pieces = "/".join(map(_decoded, path.split("/"))) if "%" in path else path
    return pieces[:-1] if pieces.endswith("/") and not pieces.endswith("//") else pieces


def _decoded(piece: str) -> str:
    """A piece of a path without the escapes that stand for one thing only; unchanged if others would come of it."""
    decoded = _ESCAPES.sub(_decoded_escapes, piece)
    return _normalized("NFC", decoded) if _ESCAPES.sub(_decoded_escapes, decoded) == decoded else piece


def _decoded_escapes(match: re.Match[str]) -> str:
    text = bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "surrogateescape")
    # A surrogate is a byte that is not UTF-8.
    return "".join(
        f"%{ord(char) & 0xFF:02X}" if char in "%/?#" or "\udc80" <= char <= "\udcff" else char for char in text
    )


def _version_id(query: str) -> str | None:
    parameters = [part.partition("=") for part in re.split("[&;]", query)]
    values = [value for name, _, value in parameters if _parameter_name(name) == "versionid"]
    return joined(_normalized("NFC", unquote(value)).strip() for value in values)


def _without_signature(query: str) -> str:
    """The query without the parameters that sign and without ``versionId``; others as they are, in their order."""
    parameters = [[part for part in parameter.split(";") if not _is_dropped(part)] for parameter in query.split("&")]
    return "&".join(";".join(parts) for parts in parameters if parts)


def _is_dropped(parameter: str) -> bool:
    name = _parameter_name(parameter.partition("=")[0])
    return name in _SIGNING or name == "versionid" or name.startswith(_SIGNING_PREFIXES)


def _parameter_name(name: str) -> str:
    return unquote(name).strip().lower()


def _texts(fields: Mapping[str, list[Any]], *names: str) -> list[str]:
    """The values of some fields as texts, without blanks around them."""
    values = [value for name in names for value in fields.get(name, ())]
    return [
        value.strip() if isinstance(value, str) else json_text(value) for value in values if value not in (None, [], {})
    ]


def _parts(fields: Mapping[str, list[Any]], repeated: Iterable[str]) -> dict[str, str | None]:
    return {
        "split": joined(_texts(fields, "split")),
        "subset": joined(_texts(fields, "subset")),
        "config": joined(_texts(fields, "config")) or joined(_new_names(fields, repeated)),
    }


def _new_names(fields: Mapping[str, list[Any]], repeated: Iterable[str]) -> list[str]:
    """The names of a dataset that say more than its id and its Uri."""
    said = {text for whole in repeated for text in (whole.strip().casefold(), whole.rpartition("/")[2].casefold())}
    return [name for name in _texts(fields, "name") if name.casefold() not in said]


def _with_parts(base: str, parts: Mapping[str, str | None]) -> str:
    """The identity; empty brackets follow a base that ends in brackets like those of an identity."""
    inner = ",".join(f"{name}={_SPECIAL.sub(_escaped, value)}" for name, value in parts.items() if value)
    return f"{base}[{inner}]" if inner or base_of(base) != base else base


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"

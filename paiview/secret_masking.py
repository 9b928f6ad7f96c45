"""Secrets in untrusted data, masked before it is shown."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

MASK: Final = "••••"
_MAX_DEPTH: Final = 64
_SECRET_NAME: Final = re.compile(
    r"secret|passw(or)?d|passphrase|credential|authorization|(api|access|private|auth|session|security)_?(key|token)"
    r"|(?<![a-z])(token|pwd|cookie)s?(?![a-z])|(?<![a-z])keys?$|role_?arn",
)
_HARMLESS_NAME: Final = re.compile(r"label_?keys?$|(primary|foreign|sort|partition)_keys?$")
_ENVIRONMENT: Final = frozenset({"env", "envs", "environ", "environment", "environments", "environment_variables"})
_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
_USER_IN_URL: Final = re.compile(r"(?<=://)[^/\s?#]*@")
_SENSITIVE: Final = (
    r"[\w-]*(?:secret|passw(?:or)?d|passphrase|credential|(?<![a-z])tokens?(?![a-z])|(?:access|security|session|auth)token"
    r"|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|role[_-]?arn)[\w-]*"
)
_SECRET_IN_QUERY: Final = re.compile(rf"(?i)((?:[?&;]|%26)(?:{_SENSITIVE}|[\w-]*signature|pwd|key)=)[^&#\s\"']+")
_SECRET_IN_COMMAND: Final = re.compile(rf"(?i)(?<![?&;\w-])({_SENSITIVE}=|--{_SENSITIVE}\s+)(\"[^\"]*\"|'[^']*'|\S+)")
_IN_SECRET_COMMANDS: Final = ("secret", "passw", "passphrase", "credential", "token", "key", "arn")
"""Every match of ``_SECRET_IN_COMMAND`` contains one of these; texts without them skip its 0.5 s per megabyte."""
_SECRET_OPTION: Final = re.compile(rf"(?i)--?{_SENSITIVE}")
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")


def mask_secrets(tree: Any) -> Any:
    """The JSON tree with ``••••`` in place of every secret.

    Secret are values named token, secret, password, credential, authorization or key (``api_key``, ``AccessKeyId``;
    not the bare Key of a label or of an object in a bucket), every value of an environment, and the value beside a
    secret name (``{"Name": "token", "Value": …}``). Within texts: the user part of URLs, signatures and tokens in
    queries, ``--password …`` (in a list too), ``API_KEY=…`` and bearer tokens. A text that is JSON is masked inside.
    True, false and null are kept, and so is a number named token (``max_tokens``).
    """
    return _masked(tree, _MAX_DEPTH)


def _masked(tree: Any, depth: int) -> Any:
    if depth == 0:
        return MASK
    if isinstance(tree, Mapping):
        return _masked_object(tree, depth - 1)
    if isinstance(tree, list | tuple):
        return _masked_list(tree, depth - 1)
    return _masked_text(tree, depth - 1) if isinstance(tree, str) else tree


def _masked_list(items: Sequence[Any], depth: int) -> list[Any]:
    """A list, which may be the words of a command: the word after ``--password`` is masked."""
    is_after_option = [False, *(isinstance(item, str) and bool(_SECRET_OPTION.fullmatch(item)) for item in items)]
    return [
        MASK if is_secret and isinstance(item, str) else _masked(item, depth)
        for item, is_secret in zip(items, is_after_option, strict=False)
    ]


def _masked_object(tree: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
    names = {str(name).lower(): name for name in tree}
    pair_name = next((tree[names[name]] for name in ("name", "key") if name in names), None)
    is_pair = "value" in names or "defaultvalue" in names or "default_value" in names
    hides_value = is_pair and isinstance(pair_name, str) and _is_secret(pair_name)
    harmless_key = is_pair or "bucket" in names
    masked: dict[Any, Any] = {}
    for name, value in tree.items():
        words = _words(str(name))
        if words in _ENVIRONMENT:
            masked[name] = _hidden_environment(value, depth)
        elif (hides_value and words in ("value", "default_value")) or (
            _is_secret(str(name)) and not (harmless_key and words == "key") and not _is_token_count(words, value)
        ):
            masked[name] = _hidden(value, depth)
        else:
            masked[name] = _masked(value, depth)
    return masked


def _hidden(value: Any, depth: int) -> Any:
    """The same structure with every text and number masked."""
    if value is None or isinstance(value, bool):
        return value
    if depth > 0 and isinstance(value, Mapping):
        return {name: _hidden(inner, depth - 1) for name, inner in value.items()}
    if depth > 0 and isinstance(value, list | tuple):
        return [_hidden(inner, depth - 1) for inner in value]
    return MASK


def _hidden_environment(value: Any, depth: int) -> Any:
    """An environment with its values masked: an object, a list of names and values, or a list of ``NAME=value``."""
    if not isinstance(value, list | tuple):
        return _hidden(value, depth)
    hidden: list[Any] = []
    for item in value:
        if isinstance(item, Mapping):
            hidden.append(
                {
                    name: inner
                    if str(name).lower() in ("name", "key") and isinstance(inner, str)
                    else _hidden(inner, depth)
                    for name, inner in item.items()
                }
            )
        elif isinstance(item, str) and "=" in item:
            hidden.append(f"{item.partition('=')[0]}={MASK}")
        else:
            hidden.append(_hidden(item, depth))
    return hidden


def _masked_text(text: str, depth: int) -> str:
    if text.lstrip()[:1] in ("{", "["):
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError):
            tree = None
        if tree is not None:
            masked = _masked(tree, depth)
            return text if masked == tree else json.dumps(masked, ensure_ascii=False)
    text = _USER_IN_URL.sub(f"{MASK}@", text)
    text = _SECRET_IN_QUERY.sub(rf"\1{MASK}", text)
    folded = text.casefold()
    if any(word in folded for word in _IN_SECRET_COMMANDS):
        text = _SECRET_IN_COMMAND.sub(rf"\1{MASK}", text)
    return _BEARER.sub(rf"\1 {MASK}", text)


def _words(name: str) -> str:
    """A name in lower case with ``_`` between its words."""
    return _HUMPS.sub("_", name).strip("_").lower()


def _is_secret(name: str) -> bool:
    words = _words(name)
    return bool(_SECRET_NAME.search(words)) and not _HARMLESS_NAME.search(words)


def _is_token_count(words: str, value: Any) -> bool:
    return isinstance(value, int | float) and words.endswith(("token", "tokens"))

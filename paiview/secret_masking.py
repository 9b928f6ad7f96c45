"""Secrets in foreign data, masked by what a value is and where it stands.

``paiview.pai.objects`` masks what it parses, once, so that every page, file, log and cache shows the same.
"""

import json
import math
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import is_
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import unquote

from pydantic_core import SchemaValidator, core_schema

MASK: Final = "••••"
_MAX_DEPTH: Final = 64
"""Levels of nesting, those of JSON within texts included; below them every text is masked."""
_MAX_CACHED_CHARACTERS: Final = 200
_MAX_JUDGED_CHARACTERS: Final = 256
"""How much of a value decides whether it is a secret."""
_CACHE_SIZE: Final = 8192
_MAX_PASSES: Final = 8
_MAX_CACHED_NAMES: Final = 64
_PLAIN: Final = frozenset({int, float, bool, type(None)})
"""Types whose values are never secrets."""
_CONTAINERS: Final = (dict, list, tuple)
_PLAIN_METRICS: Final = ("Results",)
_DATASET_NAMES: Final = frozenset({"DatasetId", "Uri"})
_JSON_STARTS: Final = ("{", "[")
Secrecy = Literal["secret", "token", "random", "none"]
"""Which texts a name makes secret: all; all but special tokens and numbers among metrics; only those that look random;
none."""

_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
_SECRET_NAME: Final = re.compile(
    r"secrets?(?![a-z])|secret_?(?:key|token|id|name|access)|passw(?:or)?ds?(?![a-z])|passphrase|credential|authorization"
    r"|(?<![a-z])(?:pwd|cookie)s?(?![a-z])|role_?arn"
    r"|(?:api|access|private|auth|session|security|encryption|signing|account|storage|ssh|master)_?(?:key|token)"
    r"|密码|密钥|口令|令牌"
)
_TOKEN_NAME: Final = re.compile(r"(?<![a-z])tokens?(?:_?(?:value|string))?$|^key$")
_RANDOM_NAME: Final = re.compile(r"(?<![a-z])tokens?(?![a-z])|keys?$|(?<![a-z])signature$|^(?:ak|sk|sig|auth|jwt)$")
_QUALIFIED_TOKEN: Final = re.compile(
    r"(?:^|_)(?:max|min|num|number|n|total|count|per|mean|avg|average|length|len|limit|size|budget|new|input|output|prompt"
    r"|completion|generated|context|seq|sequence|batch|seen|vocab|label"
    r"|pad|padding|bos|eos|sos|eot|unk|unknown|cls|sep|mask|special|stop|start|end|begin|image|audio|video|blank|bpe"
    r")_(?:\w+_)?tokens?$"
)
"""Counts of tokens, and special tokens of a vocabulary."""
_SIGNING: Final = re.compile(
    r"(?:x-(?:oss|amz|goog|cos)-.*|.*signature|sig|expires|.*token|ossaccesskeyid|awsaccesskeyid|googleaccessid|role_arn"
    r"|key-pair-id|apikey|passw?|pw|jwt|auth)",
    re.DOTALL,
)
"""Parameters of an address that sign it or let somebody in."""
_ENVIRONMENT: Final = frozenset(
    {"env", "envs", "environ", "environment", "environments", "environment_variables", "env_var", "env_vars", "envvars"}
)
_PAIR_NAMES: Final = ("name", "key")
_PAIR_VALUES: Final = frozenset({"value", "default_value", "val", "default"})
_IDENTITIES: Final = frozenset({"versionname", "modelid", "datasetid", "workspaceid"})
"""Names by which the service finds an object: only addresses within them are masked."""
_HARMLESS_TEXT: Final = re.compile(r"\s*+(?:true|false|none|null|nil|yes|no|on|off)?\s*+", re.IGNORECASE)
_SPECIAL_TOKEN: Final = re.compile(r"<[^<>]{0,40}>|\[[A-Za-z_]{1,16}\]")
_NUMBER: Final = re.compile(r"\s*+[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?%?\s*+")
_RANDOM: Final = re.compile(r"[A-Za-z0-9+]{20,}")

_URL_USER: Final = re.compile(r"(?<=://)[^/\s?#]*@")
_PARAMETER: Final = re.compile(r"[?&;#]([\w.~%\[\]-]++)=", re.ASCII)
_PARAMETER_VALUE: Final = re.compile(r"[^&#\s\"'<>]*+")
_ENCODED_PARAMETER: Final = re.compile(r"%(?:25)*(?:3F|26|23)([\w.~-]++)%(?:25)*3D", re.ASCII | re.IGNORECASE)
_ENCODED_VALUE: Final = re.compile(r"(?:(?!%(?:25)*(?:26|23))[^&#\s\"'<>])*", re.IGNORECASE)
"""Not possessive: before Python 3.11.4 that matches wrongly around a lookahead."""
_AUTHORIZATION: Final = re.compile(
    r"(authorization[\"']?[ \t]{0,3}[=:][ \t]{0,3}[\"']?)"
    r"(?:((?:bearer|basic|token|digest|negotiate)[ \t]{1,3})[^\s\"']+|[^\s\"'][^\r\n\"']*+)",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(r"\b(bearer|basic)(\s{1,8})([\w.~+/=-]{8,})", re.IGNORECASE | re.ASCII)
_ASSIGNED: Final = re.compile(
    r"(?<![\w.%/?&;#-])-{0,2}((?:(?:api|access|secret|private)[ ])?[a-z_][\w.-]*+|密码|密钥|口令|令牌)[\"']?"
    r"(=(?![=\s])>?|[ \t]{1,8}=>?[ \t]{1,8}|[ \t]{0,8}[:：](?!//)[ \t]{0,8})(?=\S)",
    re.IGNORECASE | re.ASCII,
)
_OPTION: Final = re.compile(r"(?<![\w-])--?([a-z][\w.-]*+)[ \t]+(?![\s-])", re.IGNORECASE | re.ASCII)
_OPTION_WORD: Final = re.compile(r"--?([a-z][\w.-]*+)", re.IGNORECASE | re.ASCII)
_USER_OPTION: Final = re.compile(r"(?<!\S)(-u|--user)([ \t=]{1,8})[^\s:]{1,200}:\S+")
_VALUE: Final = re.compile(r"\"[^\"]*+\"?|'[^']*+'?|[^\s\"']\S*+")
_TAIL: Final = ",;)}]>\"'"
"""What may follow an unquoted value."""
_SHAPES: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"LTAI[A-Za-z0-9]{8,}|(?:STS|TMP)\.[A-Za-z0-9]{8,}|(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_(?=[a-z]{0,64}[A-Z0-9])[A-Za-z0-9]{16,}"
    r"|sk-(?:(?:proj|svcacct|admin|ant|or)-[\w-]{20,}|(?=[A-Za-z_]{0,64}[0-9])[A-Za-z0-9_]{20,}[\w-]*+)"
    r"|[srp]k_(?:live|test)_[A-Za-z0-9]{10,}|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}"
    r"|AIza[\w-]{30,}|ya29\.[\w-]{20,}|eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*+)*+"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,}|dckr_pat_[\w-]{20,}|dapi[0-9a-f]{32,}|r8_[A-Za-z0-9]{30,}"
    r"|gsk_[A-Za-z0-9]{30,}|xai-[A-Za-z0-9]{40,}|nvapi-[\w-]{40,}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|ms-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r")",
    re.ASCII,
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----(?:[^-]|-(?!----END))*+(?:-----END [A-Z0-9 ]{0,60}-----)?"
)

_SIGNS: Final = (
    *("@", "key", "secret", "pass", "pwd", "pw=", "credential", "auth", "cookie", "token", "arn", "sig", "expires"),
    *("x-oss-", "x-amz-", "x-goog-", "x-cos-", "googleaccessid", "jwt", "bearer", "basic", "-u ", "--user"),
    *("ltai", "sts.", "tmp.", "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hf_"),
    *("sk-", "k_live_", "k_test_", "xox", "xapp-", "aiza", "ya29.", "eyj", "npm_", "pypi-", "dckr_pat_", "dapi", "r8_"),
    *("gsk_", "xai-", "nvapi-", "sg.", "ms-", "密码", "密钥", "口令", "令牌"),
)
"""Each text in which something is masked has one of these, whatever its name, or is JSON."""
_SIGN_PATTERN: Final = f"(?i:{'|'.join(map(re.escape, _SIGNS))})"
_SIGN: Final = SchemaValidator(core_schema.str_schema(pattern=_SIGN_PATTERN))
"""Texts with a sign, by pydantic's regular expressions, which search for many words at once in linear time."""
_ODD_START: Final = r"(?:\A|\x00)(?:\s*[{\[][^\x00]{2}|--?[A-Za-z])"
"""Within texts joined by NUL, one that may be JSON with something in it, or an option of a command."""
_SUSPECT: Final = SchemaValidator(core_schema.str_schema(pattern=f"{_SIGN_PATTERN}|{_ODD_START}"))


class _Name(NamedTuple):
    """What a field's name says.

    Attributes:
        folded: in lower case.
        words: in lower case with ``_`` between its words.
        secrecy: which texts it makes secret.
    """

    folded: str
    words: str
    secrecy: Secrecy


_Role = Literal["plain", "named", "pair", "suspect"]
"""Whether names make no text secret, or some, or are those of a name and its value, or are too odd for a quick look."""


class _Layout(NamedTuple):
    """What the names of an object's fields say together.

    Attributes:
        names: what each says.
        shown: each as it is shown; ``None`` if all are as they are.
        role: for a quick look.
        name_at: in a pair, the position of the field that names the value.
        is_pair: whether there is a field for a value that another field names.
        has_harmless_key: whether a field Key is no secret: that of a label, or of an object in a bucket.
    """

    names: tuple[_Name, ...]
    shown: tuple[Any, ...] | None
    role: _Role
    name_at: int | None
    is_pair: bool
    has_harmless_key: bool


_layouts: Final[dict[tuple[Any, ...], _Layout]] = {}


def mask_secrets(tree: Any) -> Any:
    """The JSON tree with ``••••`` in place of every secret; the same object when there is none.

    A secret is always a text: numbers, true, false and null are kept everywhere. Which texts are secrets is in
    docs/security.md. Names of metrics, and names by which the service finds an object, are kept.
    """
    return tree if _is_harmless(tree) else _masked(tree, _MAX_DEPTH, in_metrics=False)


def mask_text(text: str) -> str:
    """The text with ``••••`` in place of every secret."""
    return _masked_text(text, _MAX_DEPTH, in_metrics=False)


def _is_harmless(tree: Any) -> bool:
    """Whether a look shows that there is no secret in a tree, as in most; masking takes several times as long."""
    texts: list[str] = []
    level = [tree]
    for _ in range(_MAX_DEPTH):
        containers, level = level, []
        for container in containers:
            if type(container) is dict:
                names = tuple(container)
                if names == _PLAIN_METRICS and _add_dataset_texts(container["Results"], texts):
                    continue
                layout = _layouts.get(names) or _layout(names)
                if layout.role != "plain" and not _is_harmless_object(container, layout):
                    return False
                values: Iterable[Any] = container.values()
            elif type(container) is list:
                values = container
            else:
                return False
            for value in values:
                kind = type(value)
                if kind is str:
                    texts.append(value)
                elif kind is dict or kind is list:
                    level.append(value)
                elif kind not in _PLAIN:
                    return False
        if not level:
            return _are_harmless_texts(texts)
    return False


def _add_dataset_texts(results: Any, texts: list[str]) -> bool:
    """Add the names of datasets to ``texts`` if results have the usual shape, with numbers alone; else return False."""
    try:
        numbers = chain.from_iterable([item["Metrics"].values() for item in results])
        datasets = [item["Dataset"] for item in results]
        names = [*chain.from_iterable(map(dict.values, datasets))]
        is_usual = _PLAIN.issuperset(map(type, numbers)) and _DATASET_NAMES.issuperset(chain.from_iterable(datasets))
    except (AttributeError, KeyError, TypeError):
        return False
    if not is_usual or max(map(len, results), default=2) > 2 or {*map(type, names)} - {str}:
        return False
    texts += names
    return True


def _are_harmless_texts(texts: Sequence[str]) -> bool:
    if not _matches(_SUSPECT, "\0".join(texts)):
        return True
    return not any(_names_secret_option(text) or mask_text(text) is not text for text in texts)


def _matches(pattern: SchemaValidator, text: str) -> bool:
    # A lone surrogate, which has no UTF-8 form, would count as no text at all.
    return pattern.isinstance_python(text if text.isascii() else text.encode("utf-8", "replace").decode())


def _names_secret_option(text: str) -> bool:
    """Whether a text is an option such as ``--password``, which makes the next word of a command a secret."""
    match = _OPTION_WORD.fullmatch(text)
    return match is not None and _name(match[1]).secrecy != "none"


def _is_harmless_object(tree: Mapping[Any, Any], layout: _Layout) -> bool:
    """Whether no name in an object makes a text beside it a secret."""
    if layout.role == "suspect":
        return False
    named = zip(layout.names, tree.values(), strict=True)
    if layout.role == "pair":
        texts = [*tree.values()]
        at = layout.name_at or 0
        if not isinstance(texts[at], str):
            return False
        named = zip([_name(texts[at])], [texts[1 - at]], strict=True)
    for name, value in named:
        is_plain = name.secrecy == "none" and name.words not in _ENVIRONMENT
        if is_plain or type(value) in _PLAIN:
            continue
        if not isinstance(value, str) or _hides(name, value) or name.words in _ENVIRONMENT:
            return False
    return True


def _layout(names: tuple[Any, ...]) -> _Layout:
    """The layout of an object with fields of these names; short ones are kept, for many objects have the same."""
    shown: list[Any] = []
    for name in names:
        shown.append(_unused(mask_name(name), shown) if isinstance(name, str) else name)
    texts = [*map(str, shown)]
    facts = tuple(map(_name, texts))
    all_words = [name.words for name in facts]
    is_pair = not _PAIR_VALUES.isdisjoint(all_words)
    name_at = next((at for at, words in enumerate(all_words) if words in _PAIR_NAMES), None) if is_pair else None
    has_secrets = any(name.secrecy != "none" or name.words in _ENVIRONMENT for name in facts)
    role: _Role = "named" if has_secrets else "plain"
    is_renamed = any(new is not old for new, old in zip(shown, names, strict=True))
    if is_renamed or "bucket" in all_words:
        role = "suspect"
    elif is_pair:
        role = "pair" if len(names) == 2 and name_at is not None else "suspect"
    has_harmless_key = is_pair or "bucket" in all_words or [*names] == ["Key"]
    layout = _Layout(facts, tuple(shown) if is_renamed else None, role, name_at, is_pair, has_harmless_key)
    if len(names) <= _MAX_CACHED_NAMES and sum(map(len, texts)) <= _MAX_CACHED_CHARACTERS * 4:
        if len(_layouts) > _CACHE_SIZE:
            _layouts.clear()
        _layouts[names] = layout
    return layout


def _masked(tree: Any, depth: int, *, in_metrics: bool) -> Any:
    if isinstance(tree, str):
        return _masked_text(tree, depth, in_metrics=in_metrics)
    if not isinstance(tree, _CONTAINERS):
        return tree
    if depth == 0:
        return _hidden(tree)
    if isinstance(tree, dict):
        return _masked_object(tree, depth - 1, in_metrics=in_metrics)
    return _masked_list(tree, depth - 1, in_metrics=in_metrics)


def _masked_list(items: Sequence[Any], depth: int, *, in_metrics: bool, name: "_Name | None" = None) -> Any:
    """A list under a name, if any; it may be the words of a command: the word after ``--password`` is masked."""
    masked = []
    option = None
    for item in items:
        is_secret = isinstance(item, str) and any(
            _hides(each, item, in_metrics=in_metrics) for each in (name, option) if each is not None
        )
        masked.append(MASK if is_secret else _masked(item, depth, in_metrics=in_metrics))
        match = _OPTION_WORD.fullmatch(item) if isinstance(item, str) else None
        option = _name(match[1]) if match else None
    return masked if any(new is not old for new, old in zip(masked, items, strict=True)) else items


def _masked_object(tree: Mapping[Any, Any], depth: int, *, in_metrics: bool) -> Any:
    if in_metrics and _PLAIN.issuperset(map(type, tree.values())):
        return tree
    names = tuple(tree)
    layout = _layouts.get(names) or _layout(names)
    values = [*tree.values()]
    pair_name = None
    if layout.is_pair:
        pair_name = values[layout.name_at] if layout.name_at is not None else ""
    masked = []
    for name, value in zip(layout.names, values, strict=True):
        if type(value) in _PLAIN:
            shown = value
        elif layout.has_harmless_key and name.words == "key":
            shown = _masked(value, depth, in_metrics=in_metrics)
        elif isinstance(pair_name, str) and name.words in _PAIR_VALUES:
            shown = _masked_field(_name(mask_name(pair_name)), value, depth, in_metrics=in_metrics)
        else:
            shown = _masked_field(name, value, depth, in_metrics=in_metrics)
        masked.append(shown)
    shown_names = None if in_metrics else layout.shown
    if shown_names is None and all(map(is_, masked, values)):
        return tree
    return dict(zip(shown_names or names, masked, strict=True))


def _masked_field(name: "_Name", value: Any, depth: int, *, in_metrics: bool) -> Any:
    """The value of a field, masked as its name asks."""
    is_environment = name.words in _ENVIRONMENT and not in_metrics
    if isinstance(value, str):
        if _hides(name, value, in_metrics=in_metrics) or (is_environment and "=" in value):
            return MASK
        if name.folded in _IDENTITIES or name.folded == "dataset" or (in_metrics and name.folded == "uri"):
            return _masked_address(value)
    elif is_environment:
        return _hidden_environment(value)
    elif isinstance(value, _CONTAINERS):
        if depth == _MAX_DEPTH - 1 and name.secrecy == "none" and _is_harmless(value):
            return value
        if name.secrecy == "secret" or (name.secrecy == "token" and not in_metrics):
            return _hidden(value)
        if name.secrecy == "random" and not isinstance(value, dict):
            return _masked_list(value, depth, in_metrics=in_metrics, name=name)
    return _masked(value, depth, in_metrics=in_metrics or name.folded == "metrics")


def _hidden(value: Any) -> Any:
    """The same structure, however deep, with every text masked; the same object when there is none."""
    holder: list[Any] = [value]
    is_changed = False
    places: list[tuple[Any, Any]] = [(holder, 0)]
    while places:
        container, at = places.pop()
        item = container[at]
        if isinstance(item, str):
            if item != MASK and not _HARMLESS_TEXT.fullmatch(item):
                container[at] = MASK
                is_changed = True
        elif isinstance(item, _CONTAINERS):
            copy: Any = _renamed(item) if isinstance(item, dict) else [*item]
            container[at] = copy
            is_changed = is_changed or (isinstance(item, dict) and [*copy] != [*item])
            places += [(copy, key) for key in (copy if isinstance(copy, dict) else range(len(copy)))]
    return holder[0] if is_changed else value


def _renamed(tree: Mapping[Any, Any]) -> dict[Any, Any]:
    """A copy with secrets in its names masked."""
    copy: dict[Any, Any] = {}
    for name, value in tree.items():
        copy[_unused(mask_name(name), copy) if isinstance(name, str) else name] = value
    return copy


def _hidden_environment(value: Any) -> Any:
    """An environment with its values masked: an object, a list of names and values, or a list of ``NAME=value``."""
    if not isinstance(value, (list, tuple)):
        return _hidden(value)
    hidden: list[Any] = []
    for item in value:
        if isinstance(item, dict):
            kept = {
                name: inner
                for name, inner in item.items()
                if str(name).lower() in _PAIR_NAMES and isinstance(inner, str)
            }
            hidden.append({**_hidden(item), **kept} if kept else _hidden(item))
        elif isinstance(item, str) and "=" in item:
            hidden.append(f"{mask_text(item.partition('=')[0])}={MASK}")
        else:
            hidden.append(_hidden(item))
    return hidden


def _unused(name: str, masked: Container[Any]) -> str:
    """A name that no earlier field has: two masked names must not become one."""
    number = 1
    unused = name
    while unused in masked:
        number += 1
        unused = f"{name} ({number})"
    return unused


def _masked_text(text: str, depth: int, *, in_metrics: bool) -> str:
    if depth > 0 and text.lstrip()[:1] in _JSON_STARTS:
        try:
            tree = json.loads(text, object_pairs_hook=_object, parse_float=_float)
        except (ValueError, RecursionError):
            return _masked_line(text)
        masked = _masked(tree, depth - 1, in_metrics=in_metrics)
        return text if masked is tree else json.dumps(masked, ensure_ascii=False)
    return mask_name(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) < len(pairs):
        raise ValueError("a name occurs twice, and its first value would be lost")
    return tree


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number that a float cannot hold would be lost")
    return number


def mask_name(text: str) -> str:
    """``mask_text`` of a text that is not read as JSON."""
    masked = _cached_line(text) if len(text) <= _MAX_CACHED_CHARACTERS else _masked_line(text)
    # The cache may hold an equal text that is another object.
    return text if masked == text else masked


def _masked_line(text: str) -> str:
    if not _matches(_SIGN, text):
        return text
    # A mask may be where another name ends or begins.
    for _ in range(_MAX_PASSES):
        masked = _masked_once(text)
        if masked == text:
            break
        text = masked
    return text


def _masked_once(text: str) -> str:
    text = _masked_address(_SHAPES.sub(MASK, _PRIVATE_KEY.sub(MASK, text)))
    text = _AUTHORIZATION.sub(rf"\1\2{MASK}", text)
    text = _BEARER.sub(_masked_bearer, text)
    text = _USER_OPTION.sub(rf"\1\2{MASK}", text)
    text = _replaced(text, _OPTION, _VALUE, _hides_option)
    return _replaced(text, _ASSIGNED, _VALUE, _hides_assigned)


_cached_line: Final = lru_cache(_CACHE_SIZE)(_masked_line)


def _masked_address(text: str) -> str:
    """The text with the users of addresses and the parameters that sign them masked."""
    if "://" in text:
        text = _URL_USER.sub(f"{MASK}@", text)
    if "=" in text:
        text = _replaced(text, _PARAMETER, _PARAMETER_VALUE, _hides_parameter)
    if "%" in text:
        text = _replaced(text, _ENCODED_PARAMETER, _ENCODED_VALUE, _hides_parameter)
    return text


def _replaced(
    text: str, names: re.Pattern[str], values: re.Pattern[str], hides: Callable[[re.Match[str], str], bool]
) -> str:
    """Mask the values after some names. A value that is no secret is searched for further names."""
    parts = []
    done = at = 0
    while match := names.search(text, at):
        at = match.end()
        start = values.match(text, at, at + _MAX_JUDGED_CHARACTERS)
        if start is not None and start[0] and hides(match, start[0]):
            value = values.match(text, at)
            whole = value[0] if value else ""
            tail = "" if whole[:1] in ("'", '"') else whole[len(whole.rstrip(_TAIL)) :]
            if whole != tail:
                at += len(whole)
                parts += [text[done : match.end()], MASK, tail]
                done = at
    return "".join([*parts, text[done:]]) if parts else text


def _hides_parameter(match: re.Match[str], value: str) -> bool:
    name = _name(unquote(match[1]))
    signs = bool(_SIGNING.fullmatch(name.folded)) and not _QUALIFIED_TOKEN.search(name.words)
    return signs or (_looks_random(value) if name.words == "key" else _hides(name, value))


def _hides_option(match: re.Match[str], value: str) -> bool:
    return _name(match[1]).words != "key" and _hides(_name(match[1]), value.strip("\"'"))


def _hides_assigned(match: re.Match[str], value: str) -> bool:
    name = _name(match[1])
    if name.words in ("key", "authorization", "proxy_authorization"):
        return False
    is_prose = name.words in ("token", "tokens") and "=" not in match[2] and value.strip(_TAIL).isalpha()
    return not is_prose and _hides(name, value.strip("\"'").rstrip(_TAIL))


def _masked_bearer(match: re.Match[str]) -> str:
    word = match[3]
    is_word = word.rstrip(".-").isalpha() and word[1:] == word[1:].lower()
    return match[0] if is_word else f"{match[1]}{match[2]}{MASK}"


def _hides(name: _Name, value: str, *, in_metrics: bool = False) -> bool:
    """Whether a text under a name is a secret."""
    if name.secrecy == "none" or _HARMLESS_TEXT.fullmatch(value):
        return False
    if name.secrecy == "random":
        return _looks_random(value)
    if name.secrecy == "token":
        return not (_SPECIAL_TOKEN.fullmatch(value) or (in_metrics and _NUMBER.fullmatch(value)))
    return True


def _looks_random(value: str) -> bool:
    """Whether a text has twenty letters and digits in a row, with both among them."""
    return any(not run.isalpha() and not run.isdigit() for run in _RANDOM.findall(value))


def _name(name: str) -> _Name:
    return _cached_name(name) if len(name) <= _MAX_CACHED_CHARACTERS else _read_name(name)


def _read_name(name: str) -> _Name:
    words = _HUMPS.sub("_", name).strip("_").lower()
    secrecy: Secrecy = "none"
    if "=" in name.removesuffix("="):
        # An assignment, which is masked itself; its name says nothing about the value beside it.
        pass
    elif _SECRET_NAME.search(words):
        secrecy = "secret"
    elif _TOKEN_NAME.search(words) and not _QUALIFIED_TOKEN.search(words):
        secrecy = "token"
    elif _RANDOM_NAME.search(words):
        secrecy = "random"
    return _Name(name.lower(), words, secrecy)


_cached_name: Final = lru_cache(_CACHE_SIZE)(_read_name)

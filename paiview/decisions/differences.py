"""Differences between versions besides their results: fields, labels and specs, path by path.

Values are compared as they came and shown with secrets masked. So each masked text is compared with a mark behind it: a
keyed digest of what it stands for. The mark is cut off before anything is shown.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Final, NamedTuple, cast

from deepdiff import DeepDiff
from deepdiff.helper import notpresent

from paiview.pai.objects import JsonObject, Label, ModelVersion
from paiview.secret_masking import MASK
from paiview.text import json_text

_COMPARED_ELSEWHERE: Final = ("Metrics", "VersionName")
_MAX_EXACT_INTEGER: Final = 2**53
_NAME_KEYS: Final = ("Name", "name", "Key", "key")
_MARK: Final = "\N{NULL}"
_MARKED: Final = re.compile(r"(?:\0|\\u0000)(digest|number) [0-9a-f]{1,32}(?:\0|\\u0000)")
"""A mark as it is, or as JSON writes it."""
_ANOTHER: Final = " (another value)"
_PERHAPS_ANOTHER: Final = f"{_MARK} (perhaps another value)"


class Difference(NamedTuple):
    """One path at which a version differs from the first one.

    Attributes:
        path: such as ``TrainingSpec.HyperParameters[lr].Value``.
        texts: the value of each version, in their order: text as it is, other values as JSON, ``None`` for no value.
    """

    path: str
    texts: tuple[str | None, ...]


def differences(versions: Mapping[str, ModelVersion]) -> list[Difference]:
    """Compare two or more versions with the first of them.

    Lists of named objects are compared by name, other lists by insertions and deletions, so that one insertion is one
    difference. Secrets are masked, but compared as they came: of two different ones the second is
    ``•••• (another value)``.

    Args:
        versions: by name; the others are compared with the first one.

    Returns:
        The paths at which any version differs from the first, without Metrics, in alphabetical order. A path comes
        twice where one version inserted an item into a list and another one changed it.
    """
    return [difference for difference in _compared(versions) if not _is_undetermined(difference)]


def undetermined(versions: Mapping[str, ModelVersion]) -> list[str]:
    """The paths at which versions may differ: a value was masked before it came here, as in an exported file."""
    return list(dict.fromkeys(difference.path for difference in _compared(versions) if _is_undetermined(difference)))


def _is_undetermined(difference: Difference) -> bool:
    return any(text is not None and text.endswith(_PERHAPS_ANOTHER) for text in difference.texts)


def _compared(versions: Mapping[str, ModelVersion]) -> list[Difference]:
    """All differences, and what may be one."""
    marks = _Marks()
    trees = [_tree(version, marks) for version in versions.values()]
    first, *others = trees
    by_path: dict[tuple[str, tuple[str | int, ...], str | None], list[str | None]] = {}
    for index, other in enumerate(others, start=1):
        levels = DeepDiff(first, other, view="tree", verbose_level=2, ignore_nan_inequality=True)
        for level in (level for kind in levels.values() for level in kind):
            steps = level.path(output_format="list")
            before, after = _texts(level.t1, level.t2)
            texts = by_path.setdefault((_path(steps), tuple(steps), before), [before] * len(trees))
            texts[index] = after
    alphabetical = sorted(by_path.items(), key=lambda item: (item[0][0], item[0][2] or ""))
    return [Difference(path, tuple(texts)) for (path, _, _), texts in alphabetical]


class _Marks:
    """Marks for masked texts: equal for equal ones, and different for all that were masked before they came here."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._numbers = count()

    def marked(self, shown: Any, unmasked: Any) -> Any:
        """``shown`` with a mark behind each text that differs from ``unmasked``, or that was masked before."""
        if isinstance(shown, Mapping):
            return {
                (name if name == old_name else self._digested(name, old_name)): self.marked(value, old)
                for (name, value), (old_name, old) in zip(shown.items(), unmasked.items(), strict=True)
            }
        if isinstance(shown, list):
            return [self.marked(value, old) for value, old in zip(shown, unmasked, strict=True)]
        if not isinstance(shown, str):
            return shown
        if shown != unmasked:
            return self._digested(shown, unmasked)
        return f"{shown}{_MARK}number {next(self._numbers):x}{_MARK}" if MASK in shown else shown

    def _digested(self, shown: str, unmasked: str) -> str:
        digest = hashlib.blake2b(unmasked.encode(errors="backslashreplace"), key=self._key, digest_size=16)
        return f"{shown}{_MARK}digest {digest.hexdigest()}{_MARK}"


def _tree(version: ModelVersion, marks: _Marks) -> JsonObject:
    shown, unmasked = (_fields(raw, version.misfits) for raw in (version.raw, version.unmasked))
    fields = marks.marked(shown, unmasked)
    if "Labels" not in version.misfits:
        marked = fields.get("Labels") or ()
        fields["Labels"] = dict(map(_key_and_value, version.labels, marked))
    return cast("JsonObject", _named(fields))


def _key_and_value(label: Label, marked: Any) -> tuple[str, str]:
    """The texts of a label with their marks."""
    texts = marked if isinstance(marked, dict) else {}
    key, value = texts.get("Key"), texts.get("Value")
    return key if isinstance(key, str) else label.key, value if isinstance(value, str) else label.value


def _fields(raw: Any, misfits: Mapping[str, Any]) -> JsonObject:
    fields = raw if isinstance(raw, dict) else misfits
    return {name: value for name, value in fields.items() if name not in _COMPARED_ELSEWHERE and value is not None}


def _named(tree: Any) -> Any:
    """The tree with each list of uniquely named objects turned into one object with these names as keys.

    Floats without a fraction become integers, as far as floats hold every integer exactly, so that 1 equals 1.0.
    """
    if isinstance(tree, Mapping):
        return {str(name): _named(value) for name, value in tree.items()}
    if isinstance(tree, float) and tree.is_integer() and abs(tree) < _MAX_EXACT_INTEGER:
        return int(tree)
    if not isinstance(tree, list):
        return tree
    items = [_named(item) for item in tree]
    for key in _NAME_KEYS:
        names = [item.get(key) if isinstance(item, Mapping) else None for item in items]
        if items and all(isinstance(name, str) for name in names) and len({*names}) == len(names):
            return {f"[{name}]": item for name, item in zip(names, items, strict=True)}
    return items


def _path(steps: Sequence[str | int]) -> str:
    path = ""
    for step in steps:
        text = f"[{step}]" if isinstance(step, int) else _MARKED.sub("", str(step))
        path += text if text.startswith("[") or not path else f".{text}"
    return path


def _texts(before: Any, after: Any) -> tuple[str | None, str | None]:
    """Two different values as texts that differ."""
    texts = _text(before), _text(after)
    shown = [None if text is None else _MARKED.sub("", text) for text in texts]
    if shown[0] == shown[1]:
        marks = [_MARKED.findall(text or "") for text in texts]
        if not any(marks):
            return json_text(before), json_text(after)
        remark = _PERHAPS_ANOTHER if "number" in (*marks[0], *marks[1]) else _ANOTHER
        return shown[0], f"{shown[1]}{remark}"
    return shown[0], shown[1]


def _text(value: Any) -> str | None:
    if value is notpresent:
        return None
    return value if isinstance(value, str) else json_text(value)

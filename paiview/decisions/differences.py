"""Differences between versions besides their results: fields, labels and specs, path by path."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from deepdiff import DeepDiff
from deepdiff.helper import notpresent

from paiview.pai.objects import JsonObject, ModelVersion
from paiview.secret_masking import mask_secrets
from paiview.text import json_text

_COMPARED_ELSEWHERE: Final = ("Metrics", "VersionName")
_MAX_EXACT_INTEGER: Final = 2**53
_NAME_KEYS: Final = ("Name", "name", "Key", "key")


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
    difference. Secrets are masked first, so that two different secrets are no difference.

    Args:
        versions: by name; the others are compared with the first one.

    Returns:
        The paths at which any version differs from the first, without Metrics, in alphabetical order. A path comes
        twice where one version inserted an item into a list and another one changed it.
    """
    trees = [_tree(version) for version in versions.values()]
    first, *others = trees
    by_path: dict[tuple[str, tuple[str | int, ...], str | None], list[str | None]] = {}
    for index, other in enumerate(others, start=1):
        levels = DeepDiff(first, other, view="tree", verbose_level=2, ignore_nan_inequality=True)
        for level in (level for kind in levels.values() for level in kind):
            steps = level.path(output_format="list")
            before, after = _text(level.t1), _text(level.t2)
            if before == after:
                before, after = json_text(level.t1), json_text(level.t2)
            texts = by_path.setdefault((_path(steps), tuple(steps), before), [before] * len(trees))
            texts[index] = after
    alphabetical = sorted(by_path.items(), key=lambda item: (item[0][0], item[0][2] or ""))
    return [Difference(path, tuple(texts)) for (path, _, _), texts in alphabetical]


def _tree(version: ModelVersion) -> JsonObject:
    raw = version.raw if isinstance(version.raw, dict) else version.misfits
    fields = {name: value for name, value in raw.items() if name not in _COMPARED_ELSEWHERE and value is not None}
    if "Labels" not in version.misfits:
        fields["Labels"] = {label.key: label.value for label in version.labels}
    return cast("JsonObject", _named(mask_secrets(fields)))


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
        text = f"[{step}]" if isinstance(step, int) else str(step)
        path += text if text.startswith("[") or not path else f".{text}"
    return path


def _text(value: Any) -> str | None:
    if value is notpresent:
        return None
    return value if isinstance(value, str) else json_text(value)

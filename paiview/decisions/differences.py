"""What differs between versions besides their results: fields, labels and specs, path by path."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from deepdiff import DeepDiff
from deepdiff.helper import notpresent

from paiview.evaluation.results import json_text
from paiview.pai.objects import JsonObject, ModelVersion
from paiview.secret_masking import mask_secrets

_ELSEWHERE: Final = ("Metrics", "VersionName")
"""Fields that the comparison itself is about."""
_EXACT: Final = 2**53
_NAMES: Final = ("Name", "name", "Key", "key")


class Difference(NamedTuple):
    """One path at which a version differs from the first one.

    Attributes:
        path: where, such as ``TrainingSpec.HyperParameters[lr].Value``.
        texts: what stands there, by version in the order given, text as it is and the rest as JSON; ``None`` where
            nothing stands.
    """

    path: str
    texts: tuple[str | None, ...]


def differences(versions: Mapping[str, ModelVersion]) -> list[Difference]:
    """Compare two or more versions with the first of them.

    Lists of named objects are compared by name, other lists by what was put in and taken out, so that one insertion
    is one difference. Values under names of secrets are masked first, and so is a difference between two of them.

    Args:
        versions: by name; the first is what the others are compared with.

    Returns:
        The paths at which any version differs from the first, in alphabetical order. A path may come twice: what one
        version put into a list and another changed there are two differences. Metrics are not among them.
    """
    trees = [_tree(version) for version in versions.values()]
    first, *others = trees
    found: dict[tuple[str, tuple[str | int, ...], str | None], list[str | None]] = {}
    for place, other in enumerate(others, start=1):
        levels = DeepDiff(first, other, view="tree", verbose_level=2, ignore_nan_inequality=True)
        for level in (level for kind in levels.values() for level in kind):
            steps = level.path(output_format="list")
            before, after = _text(level.t1), _text(level.t2)
            if before == after:
                before, after = json_text(level.t1), json_text(level.t2)
            texts = found.setdefault((_path(steps), tuple(steps), before), [before] * len(trees))
            texts[place] = after
    by_path = sorted(found.items(), key=lambda item: (item[0][0], item[0][2] or ""))
    return [Difference(path, tuple(texts)) for (path, _, _), texts in by_path]


def _tree(version: ModelVersion) -> JsonObject:
    given = version.raw if isinstance(version.raw, dict) else version.misfits
    fields = {name: value for name, value in given.items() if name not in _ELSEWHERE and value is not None}
    if "Labels" not in version.misfits:
        fields["Labels"] = {label.key: label.value for label in version.labels}
    return cast("JsonObject", _named(mask_secrets(fields)))


def _named(tree: Any) -> Any:
    """The same tree with each list of objects that have different names as an object of these names.

    A number is the same as integer and as float, up to where floats hold every integer.
    """
    if isinstance(tree, Mapping):
        return {str(name): _named(value) for name, value in tree.items()}
    if isinstance(tree, float) and tree.is_integer() and abs(tree) < _EXACT:
        return int(tree)
    if not isinstance(tree, list):
        return tree
    items = [_named(item) for item in tree]
    for key in _NAMES:
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

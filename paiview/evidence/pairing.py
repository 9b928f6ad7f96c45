"""The items of two versions side by side. Both have to be scored on the same items: nothing is left out silently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paiview.evidence.item_records import ItemsError, Kind
from paiview.evidence.items import Items, some_names
from paiview.text import counted, one_line


@dataclass(frozen=True, eq=False)
class PairedItems:
    """The same items with the results of both versions, in the order of their ids.

    Attributes:
        kind: errors out of n, or values.
        metric: the name of the metric where nobody gives another one.
        ids: of the N items.
        amounts: shape (2, N), errors or values of the baseline and of the candidate.
        sizes: shape (2, N), what the errors are counted in; 1 for values.
        groups: shape (N,), the index of each item's group; of the item itself without groups.
        labels: the names of the G groups by their index; ``None`` without groups.
        group_noun: what a group is called.
        remarks: sentences about what is odd.
    """

    kind: Kind
    metric: str
    ids: tuple[str, ...]
    amounts: NDArray[np.float64]
    sizes: NDArray[np.float64]
    groups: NDArray[np.intp]
    labels: tuple[str, ...] | None
    group_noun: str
    remarks: tuple[str, ...] = ()

    @property
    def group_count(self) -> int:
        """How many groups there are; without groups each item is one."""
        return len(self.ids) if self.labels is None else len(self.labels)


def pair_items(baseline: Items, candidate: Items, groups: Mapping[str, str] | None = None) -> PairedItems:
    """Put the items of both versions side by side.

    Args:
        baseline: the items of the version to compare with.
        candidate: those of the version to judge.
        groups: the group of each item; by default what the files say.

    Raises:
        ItemsError: an item is in one of the files only, the files disagree about the group of an item, one is in no
            group, or they hold different kinds of numbers.
    """
    _require_same_items(baseline, candidate)
    if baseline.kind != candidate.kind:
        kinds = {"errors": "errors and n", "value": "values"}
        raise ItemsError(
            f"{one_line(baseline.source)} has {kinds[baseline.kind]}, but {one_line(candidate.source)} has "
            f"{kinds[candidate.kind]}."
        )
    # In the order of ids, and of groups below, the draws are the same whatever the order of the lines is.
    order = sorted(range(len(baseline.ids)), key=baseline.ids.__getitem__)
    ids = tuple(baseline.ids[at] for at in order)
    index = {item: at for at, item in enumerate(candidate.ids)}
    aligned = [index[item] for item in ids]
    indexes, labels = _groups(ids, *_group_sources(baseline, candidate, groups))
    sizes = np.stack([baseline.sizes[order], candidate.sizes[aligned]])
    for side, items in zip(sizes, (baseline, candidate), strict=True):
        if not side.sum():
            raise ItemsError(f"{one_line(items.source)}: the n of all items is 0.")
    given = next((items.group_noun for items in (baseline, candidate) if items.groups is not None), "group")
    return PairedItems(
        baseline.kind,
        candidate.metric,
        ids,
        np.stack([baseline.amounts[order], candidate.amounts[aligned]]),
        sizes,
        indexes,
        labels,
        "group" if groups is not None else given,
        tuple(_remarks(ids, sizes)),
    )


def _require_same_items(baseline: Items, candidate: Items) -> None:
    sides = ((baseline, candidate, "missing"), (candidate, baseline, "extra"))
    problems = []
    for one, other, word in sides:
        there = frozenset(other.ids)
        if alone := [item for item in one.ids if item not in there]:
            is_are = "is" if len(alone) == 1 else "are"
            problems.append(f"{len(alone):,} of {counted(len(one.ids), 'item')} {is_are} {word} ({some_names(alone)})")
    if problems:
        names = f"{one_line(candidate.source)} does not have the items of {one_line(baseline.source)}"
        raise ItemsError(f"{names}: {'; '.join(problems)}. Score both versions on the same items.")


def _group_sources(
    baseline: Items, candidate: Items, groups: Mapping[str, str] | None
) -> tuple[Mapping[str, str], ...]:
    """What is said about groups, each as the group by item."""
    if groups is not None:
        return (groups,)
    return tuple(
        dict(zip(items.ids, items.groups, strict=True)) for items in (baseline, candidate) if items.groups is not None
    )


def _groups(ids: Sequence[str], *sources: Mapping[str, str]) -> tuple[NDArray[np.intp], tuple[str, ...] | None]:
    """The index of each item's group, and the names of the groups in their order."""
    if not sources:
        return np.arange(len(ids)), None
    first = sources[0]
    if without := [item for item in ids if item not in first]:
        raise ItemsError(f"{counted(len(without), 'item')} without a group: {some_names(without)}.")
    for other in sources[1:]:
        if moved := [item for item in ids if other[item] != first[item]]:
            have = "has another group" if len(moved) == 1 else "have other groups"
            raise ItemsError(f"{counted(len(moved), 'item')} {have} in the candidate's file: {some_names(moved)}.")
    labels = tuple(sorted({first[item] for item in ids}))
    index = {label: at for at, label in enumerate(labels)}
    return np.array([index[first[item]] for item in ids], dtype=np.intp), labels


def _remarks(ids: Sequence[str], sizes: NDArray[np.float64]) -> list[str]:
    different = [at for at, is_other in enumerate((sizes[0] != sizes[1]).tolist()) if is_other]
    if not different:
        return []
    names = some_names([ids[at] for at in different])
    differ = f"The n of {counted(len(different), 'item')} of {len(ids):,} differs between the files ({names})"
    return [f"{differ}: were both scored against the same references?"]

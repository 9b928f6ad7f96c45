"""Which items got worse and which better between two versions, the most first."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paiview.evaluation.metric_meaning import stored_number
from paiview.evidence.items import GroupSource, ItemSource, ItemTexts, groups_by_item, read_items, read_texts
from paiview.evidence.pairing import PairedItems, pair_items
from paiview.text import one_line

Direction = Literal["lower", "higher"]
Side = Literal["worse", "better", "higher", "lower"]
"""``higher`` and ``lower`` where nobody knows which way is better."""

DEFAULT_TOP: Final = 20
_SIDES: Final[Mapping[Direction | None, tuple[Side, Side]]] = {
    "lower": ("worse", "better"),
    "higher": ("better", "worse"),
    None: ("higher", "lower"),
}
"""What became of an item whose number rises, and of one whose number falls."""
_NO_TEXTS: Final = ItemTexts("", "")


class ItemChange(NamedTuple):
    """One item on both sides.

    Attributes:
        id: its name.
        group: its group; ``None`` without groups.
        side: what became of it.
        baseline, candidate: errors or values.
        n: what the candidate's errors are counted in; 1 for a value.
        reference: what would be right; empty where no file has it.
        baseline_text, candidate_text: what each version made of it; empty where its file has no texts.
    """

    id: str
    group: str | None
    side: Side
    baseline: float
    candidate: float
    n: float
    reference: str = ""
    baseline_text: str = ""
    candidate_text: str = ""

    @property
    def change(self) -> float:
        """Candidate minus baseline."""
        return self.candidate - self.baseline


class SideCount(NamedTuple):
    """How many items changed to one side, and by how much in all; both are 0 or more."""

    side: Side
    items: int
    amount: float


class Explanation(NamedTuple):
    """What became of the items.

    Attributes:
        n: how many there are.
        has_errors: whether they have errors; else values.
        counts: the items of each side, the worse side first.
        changes: of each side the items that changed most, likewise.
    """

    n: int
    has_errors: bool
    counts: tuple[SideCount, SideCount]
    changes: tuple[tuple[ItemChange, ...], tuple[ItemChange, ...]]

    @property
    def unchanged(self) -> int:
        """How many items have the same errors or value on both sides."""
        return self.n - sum(count.items for count in self.counts)

    def tree(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "n": self.n,
            "unchanged": self.unchanged,
            **{
                count.side: {
                    "items": count.items,
                    "amount": count.amount,
                    "most": [{**change._asdict(), "change": change.change} for change in changes],
                }
                for count, changes in zip(self.counts, self.changes, strict=True)
            },
        }


def explain(
    baseline: ItemSource,
    candidate: ItemSource,
    *,
    direction: Direction | None = None,
    group: str | None = None,
    groups: GroupSource | None = None,
    top: int = DEFAULT_TOP,
) -> Explanation:
    """List which items got worse and which better, those that changed most first.

    Args:
        baseline: as for ``significance``.
        candidate: likewise.
        direction: which way is better; fewer errors always are.
        group: the column that holds the group.
        groups: the group of each item, or a file of them, in place of a column.
        top: how many items of each side.

    Raises:
        ItemsError: a file cannot be read, or the two do not belong together.
    """
    before, after = read_items(baseline, "baseline", group), read_items(candidate, "candidate", group)
    paired = pair_items(before, after, groups_by_item(groups))
    return explanation_of(paired, baseline, candidate, direction=direction, group=group, top=top)


def explanation_of(
    paired: PairedItems,
    baseline: ItemSource,
    candidate: ItemSource,
    *,
    direction: Direction | None = None,
    group: str | None = None,
    top: int = DEFAULT_TOP,
) -> Explanation:
    """The same of items that have been read, whose texts are read again from the sources."""
    has_errors = paired.kind == "errors"
    way = "lower" if has_errors else direction
    rises, falls = _SIDES[way]
    differences = paired.amounts[1] - paired.amounts[0]
    counts = {side: _count(side, differences * sign) for side, sign in ((rises, 1), (falls, -1))}
    # A stable sort: of items that changed equally the one whose id comes first is first, in every run.
    most = {
        rises: [int(at) for at in np.argsort(-differences, kind="stable")[:top] if differences[at] > 0],
        falls: [int(at) for at in np.argsort(differences, kind="stable")[:top] if differences[at] < 0],
    }
    wanted = {paired.ids[at] for places in most.values() for at in places}
    texts = (read_texts(baseline, wanted, group), read_texts(candidate, wanted, group))
    first, second = (rises, falls) if rises != "better" else (falls, rises)
    return Explanation(
        len(paired.ids),
        has_errors,
        (counts[first], counts[second]),
        (
            tuple(_change(paired, at, first, texts) for at in most[first]),
            tuple(_change(paired, at, second, texts) for at in most[second]),
        ),
    )


def counts_sentence(found: Explanation) -> str:
    """How many items changed to each side: "Of 40 items 3 got worse (+5 errors), 2 got better (−2 errors)…"."""
    parts = []
    for count in found.counts:
        sign = "+" if count.side in ("worse", "higher") else "−"
        by = f" ({sign}{stored_number(count.amount)} errors)" if found.has_errors and count.items else ""
        parts.append(f"{count.items:,} got {count.side}{by}")
    return f"Of {found.n:,} items {parts[0]}, {parts[1]}, {found.unchanged:,} did not change."


def numbers_text(change: ItemChange, *, has_errors: bool) -> str:
    """Both numbers of an item: ``2 → 5 errors of 21``, or ``0.4 → 0.7``."""
    numbers = f"{stored_number(change.baseline)} → {stored_number(change.candidate)}"
    return f"{numbers} errors of {stored_number(change.n)}" if has_errors else numbers


def text_rows(change: ItemChange, limit: int) -> list[tuple[str, str]]:
    """The texts of an item with their labels, each on one printable line; none where no file has texts."""
    texts = (
        ("reference", change.reference),
        ("baseline", change.baseline_text),
        ("candidate", change.candidate_text),
    )
    if not any(text for _, text in texts):
        return []
    return [(label, one_line(text, limit) or "(nothing)") for label, text in texts]


def _count(side: Side, differences: NDArray[np.float64]) -> SideCount:
    """The items of a side, whose differences are those above 0."""
    above = differences[differences > 0]
    return SideCount(side, len(above), float(above.sum()))


def _change(
    paired: PairedItems, at: int, side: Side, texts: tuple[Mapping[str, ItemTexts], Mapping[str, ItemTexts]]
) -> ItemChange:
    name = paired.ids[at]
    before, after = (of_side.get(name, _NO_TEXTS) for of_side in texts)
    return ItemChange(
        name,
        None if paired.labels is None else paired.labels[paired.groups[at]],
        side,
        float(paired.amounts[0][at]),
        float(paired.amounts[1][at]),
        float(paired.sizes[1][at]),
        after.reference or before.reference,
        before.hypothesis,
        after.hypothesis,
    )

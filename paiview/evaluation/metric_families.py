"""Which of hundreds of results stand first: those of the whole before those of one class, folded by family.

A report for each class gives a version three results a class on one dataset. A reader needs the few of the whole, then
the classes that changed for the worse; the others stay one click away, counted by the metric that they share.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from paiview.evaluation.metric_meaning import MetricContract, contract
from paiview.evaluation.results import Pair
from paiview.text import counted, one_line

MAX_UNFOLDED: Final = 20
"""Results on one dataset that are shown without folding."""
_MIN_NESTED: Final = 6
"""Metrics ``outer.inner`` that share an end and make a family."""
_MIN_FLAT: Final = 12
"""Metrics ``outer_inner`` that do; more, for many names of different metrics begin alike."""
_MAX_RANKED: Final = 1_000
"""Metrics whose direction is looked up; a name costs a tenth of a millisecond."""
_MAX_NAMED: Final = 3
_NESTING: Final = re.compile(r"[./]")
_WORDS: Final = re.compile(r"[\W_]+")
_OF_THE_WHOLE: Final = frozenset({"all", "average", "avg", "macro", "mean", "micro", "overall", "total", "weighted"})
_NO_EFFECTS: Final[Mapping[Pair, float | None]] = MappingProxyType({})
_NO_MEANINGS: Final[Mapping[str, MetricContract]] = MappingProxyType({})


class Folded(NamedTuple):
    """Some results, divided.

    Attributes:
        shown: the indexes of those that stand first: dataset by dataset as they first appear, of a dataset that is
            divided those that matter most first, else in the order given.
        hidden: the indexes of the others, in the order given.
        summary: what the others are: "precision ×93, recall ×93 and 2 more"; empty without any.
    """

    shown: list[int]
    hidden: list[int]
    summary: str


def families(metrics: Collection[str]) -> dict[str, str]:
    """Metric to what it shares with many others: the first or the last part of its name, whichever more have.

    Averages over classes belong to none, and neither do names without parts.

    >>> names = [f"{animal}.recall" for animal in ("ant", "bee", "cat", "dog", "elk", "fox")]
    >>> families([*names, "macro avg.recall", "accuracy"])["ant.recall"]
    'recall'
    """
    ends = {metric: _ends(metric) for metric in metrics}
    counts = Counter(end for pair in ends.values() for end in pair)
    family_of = {}
    for metric, pair in ends.items():
        if not pair or not _OF_THE_WHOLE.isdisjoint(_WORDS.split(metric.casefold())):
            continue
        is_nested, _, shared = largest = max(pair, key=lambda end: counts[end])
        if counts[largest] >= (_MIN_NESTED if is_nested else _MIN_FLAT):
            family_of[metric] = shared
    return family_of


def _ends(metric: str) -> tuple[tuple[bool, bool, str], ...]:
    """The first and the last part of a name, each with whether the parts are nested and whether it is the first."""
    is_nested = _NESTING.search(metric) is not None
    parts = [part for part in (_NESTING if is_nested else _WORDS).split(metric) if part]
    return ((is_nested, True, parts[0]), (is_nested, False, parts[-1])) if len(parts) > 1 else ()


def fold(
    pairs: Sequence[Pair],
    meanings: Mapping[str, MetricContract] = _NO_MEANINGS,
    effects: Mapping[Pair, float | None] = _NO_EFFECTS,
) -> Folded:
    """Divide results into the ``MAX_UNFOLDED`` of each dataset that matter first, and the others.

    Of a dataset with more, metrics of the whole come before those of a family, then those with a direction, then what
    lost most.

    Args:
        pairs: the results.
        meanings: contracts that complete or replace the built-in ones.
        effects: the effect of each pair that was judged; positive is better.
    """
    on_dataset: defaultdict[str, list[int]] = defaultdict(list)
    for index, pair in enumerate(pairs):
        on_dataset[pair.dataset].append(index)
    crowded = [indexes for indexes in on_dataset.values() if len(indexes) > MAX_UNFOLDED]
    metrics = dict.fromkeys(pairs[index].metric for indexes in crowded for index in indexes)
    family_of = families(metrics)
    has_direction = {
        metric: contract(metric, meanings).direction is not None
        for metric in [name for name in metrics if name not in family_of][:_MAX_RANKED]
    }

    def rank(index: int) -> tuple[bool, bool, float]:
        metric = pairs[index].metric
        is_of_family = metric in family_of
        return is_of_family, not (is_of_family or has_direction.get(metric)), effects.get(pairs[index]) or 0.0

    shown: list[int] = []
    hidden: list[int] = []
    for indexes in on_dataset.values():
        ranked = sorted(indexes, key=rank) if len(indexes) > MAX_UNFOLDED else indexes
        shown += ranked[:MAX_UNFOLDED]
        hidden += ranked[MAX_UNFOLDED:]
    hidden.sort()
    return Folded(shown, hidden, _summary([family_of.get(pairs[index].metric) for index in hidden]))


def _summary(names: Sequence[str | None]) -> str:
    """The families of some results with their counts, the largest first; those of none are counted last."""
    counts = Counter(name for name in names if name is not None)
    named = [f"{one_line(name, 40)} ×{count}" for name, count in counts.most_common(_MAX_NAMED)]
    others = len(names) - sum(count for _, count in counts.most_common(_MAX_NAMED))
    if not named:
        return counted(others, "other result") if others else ""
    return ", ".join(named) + (f" and {others} more" if others else "")

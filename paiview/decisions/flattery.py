"""What choosing the best of several candidates adds to its numbers by chance.

The largest of k numbers that differ by noise alone is above their mean by about z((k − 0.375) / (k + 0.25)) standard
deviations (Blom, Statistical estimates and transformed beta-variables, 1958).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from paiview.decisions.decision import JUDGED, Decision
from paiview.decisions.wording import percent
from paiview.text import one_line

_MAX_METRICS: Final = 3
_MAX_NAME: Final = 60


def flattery(decisions: Sequence[Decision]) -> dict[str, float]:
    """By metric, how much better the best of equally good candidates seems on one dataset, as a share of its number.

    Only metrics whose ``noise`` is declared and on which two candidates or more are compared have one.
    """
    candidates = Counter(
        metric
        for decision in decisions
        for metric in {pair.metric for pair in decision.pairs if pair.state in JUDGED and pair.candidate is not None}
    )
    noise = {each.metric: each.noise for decision in decisions for each in decision.metrics if each.noise}
    return {
        metric: relative * _expected_maximum(candidates[metric])
        for metric, relative in noise.items()
        if candidates[metric] > 1
    }


def flattery_sentence(decisions: Sequence[Decision]) -> str:
    """What a reader has to know who chooses among the candidates, with its size where that can be estimated."""
    count = len(decisions)
    shares = flattery(decisions)
    if not shares:
        return f"Chosen among {count}: picking the best of many on the same test sets flatters the winner."
    return (
        f"Chosen among {count}: if all were equally good, the best on one dataset would still seem better than it is, "
        f"by {_listed(shares)}, for evaluating again gives other numbers."
    )


def _listed(shares: Mapping[str, float]) -> str:
    sizes = [(percent(share).lstrip("+"), one_line(metric, _MAX_NAME)) for metric, share in shares.items()]
    clauses = [f"about {size} of {metric}" for size, metric in sizes]
    more = [f"{len(clauses) - _MAX_METRICS} more metrics"] if len(clauses) > _MAX_METRICS else []
    *first, last = [*clauses[:_MAX_METRICS], *more]
    return f"{', '.join(first)} and {last}" if first else last


def _expected_maximum(count: int) -> float:
    """Of so many standard normal numbers."""
    from statistics import NormalDist  # noqa: PLC0415 - only a declared noise needs it

    return NormalDist().inv_cdf((count - 0.375) / (count + 0.25))

"""The queue of versions that wait for review: which versions are in it, the decision about each, and their order."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision, Word
from paiview.pai.times import parse_time
from paiview.registry.live_decision import decide_listed
from paiview.registry.snapshots import VersionsSnapshot

MAX_JUDGED: Final = 60
"""The newest Pending versions of a model that are judged; one takes about two milliseconds."""
PENDING: Final = "Pending"
VERDICTS: Final[Mapping[Word, str]] = {
    "Better": "better",
    "Trade-off": "trade-off",
    "Worse": "worse",
    "Incomplete": "incomplete",
    "Too close to call": "too-close",
    "Not comparable": "not-comparable",
}
"""The words, the most promising first, and what a link calls each."""
_WORD_ORDER: Final = tuple(VERDICTS)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class QueuedVersion(NamedTuple):
    """A Pending version.

    Attributes:
        decision: by the listing, against the baseline that the rules choose.
        created: when it was created, UTC; ``None`` if that is unreadable.
        superseded: whether a version after it in the order is Approved.
    """

    decision: Decision
    created: datetime | None
    superseded: bool


class ModelQueue(NamedTuple):
    """The Pending versions of one model.

    Attributes:
        judged: the newest ``MAX_JUDGED``, newest first.
        unjudged: how many others are newer than what is approved.
        unjudged_superseded: how many others are superseded.
    """

    judged: tuple[QueuedVersion, ...]
    unjudged: int = 0
    unjudged_superseded: int = 0

    def waiting(self, *, with_superseded: bool) -> int:
        """How many versions wait, judged or not."""
        judged = sum(with_superseded or not version.superseded for version in self.judged)
        return judged + self.left_out(with_superseded=with_superseded)

    def left_out(self, *, with_superseded: bool) -> int:
        """How many of those that wait are not judged."""
        return self.unjudged + (self.unjudged_superseded if with_superseded else 0)


def judge_pending(snapshot: VersionsSnapshot, contracts: Contracts) -> ModelQueue:
    """Judge the newest Pending versions of a model.

    Args:
        snapshot: the whole listing of the model.
        contracts: metric and dataset settings, and the policy, without those that came with the data.
    """
    lineage = snapshot.lineage
    superseded = False
    pending: dict[str, bool] = {}
    for name in reversed(lineage.names):
        status = lineage.version(name).approval_status
        superseded = superseded or status == "Approved"
        if status == PENDING:
            pending.setdefault(name, superseded)
    names = [*pending][:MAX_JUDGED]
    others = [*pending.values()][MAX_JUDGED:]
    judged = [
        QueuedVersion(decision, parse_time(lineage.version(name).gmt_create_time), pending[name])
        for name, decision in zip(names, decide_listed(snapshot, names, contracts), strict=True)
    ]
    return ModelQueue(tuple(judged), others.count(False), others.count(True))


def most_promising_first(versions: Iterable[QueuedVersion]) -> list[QueuedVersion]:
    """Sort versions of any models.

    What passes the policy comes first, then the verdicts in the order of ``VERDICTS``. Within a verdict those come
    first that are better on more results than they are worse on, then the newest.
    """
    return sorted(versions, key=_order)


def promise(decision: Decision) -> tuple[bool, int, int]:
    """The place of a decision among others, the most promising first: the order of the queue but for times."""
    summary = decision.summary
    return decision.overall != "pass", _WORD_ORDER.index(summary.word), summary.worse - summary.better


def _order(version: QueuedVersion) -> tuple[bool, int, int, float]:
    seconds = math.inf if version.created is None else -(version.created - _EPOCH).total_seconds()
    return *promise(version.decision), seconds

"""The outcome of one attack, the bounds it is held to, and the table of all."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MEDIAN_SECONDS: Final = 1.0
"""The median page of another reader takes less."""
WORST_SECONDS: Final = 5.0
"""No page of another reader takes longer."""
GROWTH: Final = 1.10
"""Memory after the attack to memory before it, at most."""
RETURN_SECONDS: Final = 60.0
"""Within which memory has returned."""


@dataclass(frozen=True)
class AttackResult:
    """What an attacker did and got.

    Attributes:
        request: what the attacker sent.
        effect: what the attacker got.
        faults: sentences about what differs from the expected.
        is_measured: false where a program that the attack needs is missing; ``effect`` then names it.
    """

    request: str
    effect: str
    faults: tuple[str, ...] = ()
    is_measured: bool = True


@dataclass(frozen=True)
class Others:
    """What another client saw during an attack.

    Attributes:
        pages: seconds of each run of a page.
        requests: seconds of each HTTP request.
        failed: what went wrong, one text each.
    """

    pages: Sequence[float]
    requests: Sequence[float]
    failed: Sequence[str]

    @property
    def missed(self) -> list[str]:
        """The bounds that do not hold."""
        checks = {
            f"the median page took {statistics.median(self.pages or [0.0]):.1f} s": (
                statistics.median(self.pages or [0.0]) >= MEDIAN_SECONDS
            ),
            f"a page took {max(self.pages, default=0.0):.1f} s": max(self.pages, default=0.0) > WORST_SECONDS,
            f"{len(self.failed)} of the others' requests failed ({', '.join(sorted({*self.failed}))})": bool(
                self.failed
            ),
            "no page was run": not self.pages,
        }
        return [sentence for sentence, is_missed in checks.items() if is_missed]


@dataclass(frozen=True)
class Memory:
    """The resident memory of the dashboard in MB, and the seconds after the attack until it was ``after``."""

    before: float
    peak: float
    after: float
    seconds: float

    @property
    def missed(self) -> list[str]:
        """The bounds that do not hold."""
        if self.after <= self.before * GROWTH:
            return []
        return [f"memory was {self.after / self.before - 1:+.0%} {self.seconds:.0f} s after"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of one attack; ``others`` and ``memory`` are absent where no server was attacked."""

    number: int
    name: str
    result: AttackResult
    others: Others | None = None
    memory: Memory | None = None

    @property
    def missed(self) -> list[str]:
        """The bounds that do not hold, in words."""
        return [
            *self.result.faults,
            *(self.others.missed if self.others else ()),
            *(self.memory.missed if self.memory else ()),
        ]

    @property
    def verdict(self) -> str:
        """One word, or the bounds that do not hold."""
        if not self.result.is_measured:
            return "–"
        return f"**missed**: {'; '.join(self.missed)}" if self.missed else "held"


def table(outcomes: Sequence[Outcome]) -> str:
    """The report as Markdown."""
    head = "| # | Attack | Request | Effect | Others' pages: median, worst; requests: worst; failed |"
    lines = [f"{head} Memory before, peak, after | Bounds |", "|---|---|---|---|---|---|---|"]
    for outcome in outcomes:
        cells = (
            str(outcome.number),
            outcome.name,
            outcome.result.request,
            outcome.result.effect,
            _seen(outcome.others),
            _held(outcome.memory),
            outcome.verdict,
        )
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)


def _seen(others: Others | None) -> str:
    if others is None:
        return ""
    pages = f"{statistics.median(others.pages or [0.0]):.2f} s, {max(others.pages, default=0.0):.2f} s"
    number = len(others.pages) + len(others.requests)
    return f"{pages}; {max(others.requests, default=0.0):.2f} s; {len(others.failed)} of {number}"


def _held(memory: Memory | None) -> str:
    if memory is None:
        return ""
    return f"{memory.before:.0f}, {memory.peak:.0f}, {memory.after:.0f} MB after {memory.seconds:.0f} s"

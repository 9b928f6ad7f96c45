"""Every fault in every situation with the real time limits, and the table of it in docs/reliability.md.

make reliability
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from tests.faults.matrix import FAULTS, Fault
from tests.faults.stage import REAL, Outcome, Situation, faults_of, play_numbered, warm_up
from tests.harness.documents import put

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
AT_ONCE: Final = 3
"""Rows played at the same time: more would measure how busy the machine is."""


class Row(NamedTuple):
    """A fault, and what came of it in each situation."""

    fault: Fault
    outcomes: dict[Situation, Outcome]


def main() -> None:
    """Run the matrix.

    Raises:
        SystemExit: with the rows that are not as they are to be; the table is written all the same.
    """
    rows = _played()
    put(PAGE, "matrix", f"{_table(rows)}\n\n{_summary(rows)}")
    sys.stdout.write(f"{_summary(rows)}\n")
    wrong = [
        f"{row.fault.name}, {situation}: {sentence}"
        for row in rows
        for situation, outcome in row.outcomes.items()
        for sentence in faults_of(row.fault, situation, REAL, outcome)
    ]
    if wrong:
        sys.exit("\n".join(wrong))


def _played() -> list[Row]:
    """Play each fault in each situation, in processes that have drawn a page before."""
    pairs = [(index, situation) for index in range(len(FAULTS)) for situation in Situation]
    # Processes, for the pages share one registry a process; and not forked, for threads run here.
    spawning = get_context("spawn")
    with ProcessPoolExecutor(AT_ONCE, spawning, warm_up, (spawning.Barrier(AT_ONCE),)) as pool:
        outcomes = iter(list(pool.map(play_numbered, *zip(*pairs, strict=True))))
    return [Row(fault, dict(zip(Situation, outcomes, strict=False))) for fault in FAULTS]


def _table(rows: Sequence[Row]) -> str:
    heads = [f"{situation[0].upper()}{situation[1:]}" for situation in Situation]
    lines = [f"| Fault | The page says | {' | '.join(heads)} |", f"|---|---|{'---|' * len(heads)}"]
    for row in rows:
        cells = " | ".join(map(_cell, row.outcomes.values()))
        lines.append(f"| {row.fault.name} | {_said(row.outcomes[Situation.FIRST])} | {cells} |")
    return "\n".join(lines)


def _cell(outcome: Outcome) -> str:
    """Seconds, requests, versions."""
    lost = f", {outcome.lost} not" if outcome.lost else ""
    return f"{outcome.seconds:.1f} s; {outcome.requests} ({outcome.most}); {outcome.shown or 'none'}{lost}"


def _said(outcome: Outcome) -> str:
    """The last report of a page: those before it are about less."""
    return outcome.told.rpartition("\n")[2].replace("|", "\\|") or "nothing: all is there"


def _summary(rows: Sequence[Row]) -> str:
    outcomes = [outcome for row in rows for outcome in row.outcomes.values()]
    longest = max(outcome.seconds for outcome in outcomes)
    most = max(outcome.most for outcome in outcomes)
    crowded = max(row.outcomes[Situation.CROWD].most for row in rows)
    return (
        "A cell says how long the page took, or the slowest of the sessions; how many requests for the listing went "
        "out (in brackets the most for one page of it; below HTTP, tries to connect); how many versions are shown, and "
        "how many that had come are not.\n\n"
        f"These are {len(outcomes)} measurements. The longest took {longest:.1f} s with a deadline of "
        f"{REAL.deadline:g} s. No page of a listing was asked for more than {most} times, and {crowded} "
        f"times while 20 sessions waited for it."
    )


if __name__ == "__main__":
    main()

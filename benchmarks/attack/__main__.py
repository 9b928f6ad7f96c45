"""Attack the dashboard in every way that once worked, and see what others notice.

``python -m benchmarks.attack`` runs every row and writes the table in docs/reliability.md. With numbers, as in
``python -m benchmarks.attack 4 12``, it runs these rows and prints them. Both exit with 1 when a bound is missed.
"""

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

# Each module adds its rows.
from benchmarks.attack import authors, clients, crowd, messages, surroundings
from benchmarks.attack.outcome import AttackResult, Outcome, table
from benchmarks.attack.target import ROWS, NotMeasuredError, Row
from tests.harness.documents import put

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
MODULES: Final = (authors, clients, crowd, messages, surroundings)


def main() -> int:
    """Attack, print, and say whether everything holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attack", description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help=_listed())
    asked = parser.parse_args().rows
    if unknown := [number for number in asked if number not in ROWS]:
        parser.error(f"there is no row {unknown[0]}")
    outcomes, loads = [], []
    for number in asked or sorted(ROWS):
        start = time.monotonic()
        loads.append(os.getloadavg()[0])
        outcomes.append(_run(ROWS[number]))
        seconds = time.monotonic() - start
        print(f"{table(outcomes[-1:]).splitlines()[-1]} {seconds:.0f} s, load before {loads[-1]:.1f}", flush=True)
    measured_outcomes = [outcome for outcome in outcomes if outcome.result.is_measured]
    missed = [outcome for outcome in measured_outcomes if outcome.missed]
    summary = (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load average of the machine {min(loads):.1f} to "
        f"{max(loads):.1f}: {len(measured_outcomes) - len(missed)} of {len(measured_outcomes)} rows hold."
    )
    print(summary)
    if not asked:
        put(DOCUMENT, "attacks", f"{table(outcomes)}\n\n{summary}")
    return 1 if missed else 0


def _run(row: Row) -> Outcome:
    """The outcome of a row; one that fails is a bound that does not hold, and takes no other one away."""
    try:
        return row.run()
    except NotMeasuredError as error:
        return Outcome(row.number, row.name, AttackResult("", f"not measured: {error}", is_measured=False))
    except Exception as error:  # noqa: BLE001 - whatever it is, the row says so
        text = " ".join(str(error).split())
        return Outcome(row.number, row.name, AttackResult("", "", (f"{type(error).__name__}: {text[-400:]}",)))


def _listed() -> str:
    return "; ".join(f"{number} {row.name}" for number, row in sorted(ROWS.items()))


if __name__ == "__main__":
    sys.exit(main())

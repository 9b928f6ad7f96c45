"""``paiview.significance``: 10,000 draws of 10,000 and of 100,000 items, each in a process of its own.

Errors of utterances are whole numbers, of which many are alike; values have all their digits, so that each item has to
be drawn by itself. Times are of the processor: the work has one thread, and other work on the machine does not count.
"""

import subprocess
import sys

from benchmarks.report import Row

DRAWS = 10_000
ITEMS = 10_000
MANY_ITEMS = 100_000
ROUNDS = 3
SECONDS = 2.0
"""Of CPU that draws of ``ITEMS`` may take."""
MEGABYTES = 300.0
"""That a process may take, Python and numpy included."""

_CODE = """
import resource
import sys
import time
from random import Random

import paiview

kind, items, draws = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chance = Random(1)
if kind == "errors":
    sizes = [chance.randint(1, 30) for _ in range(items)]
    sides = [[{"id": at, "errors": min(n, chance.randint(0, 3)), "n": n} for at, n in enumerate(sizes)] for _ in (0, 1)]
else:
    sides = [[{"id": at, "value": chance.random()} for at in range(items)] for _ in (0, 1)]
start = time.process_time()
found = paiview.significance(*sides, draws=draws)
seconds = time.process_time() - start
assert (found.n, found.groups, len(found.changes), found.method) == (items, items, draws, "bootstrap")
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
"""Prints the seconds of CPU from rows to the result, and the most memory of the process in MB."""


def run() -> list[Row]:
    rows = []
    for kind in ("errors", "value"):
        measured = [_measured(kind, ITEMS) for _ in range(ROUNDS)]
        seconds, memory = min(measured)[0], max(megabytes for _, megabytes in measured)
        name = f"significance, {DRAWS:,} draws of {ITEMS:,} items ({kind})"
        rows += [
            Row(f"{name}, to {SECONDS:g} s", f"{seconds:.2f} s of CPU", seconds / SECONDS, 1.0, at_most=True),
            Row(f"{name}, to {MEGABYTES:g} MB", f"{memory:.0f} MB", memory / MEGABYTES, 1.0, at_most=True),
        ]
    for kind in ("errors", "value"):
        seconds, memory = _measured(kind, MANY_ITEMS)
        name = f"significance, memory of {MANY_ITEMS:,} items ({kind}), to {MEGABYTES:g} MB"
        figures = f"{memory:.0f} MB, {seconds:.1f} s of CPU"
        rows.append(Row(name, figures, memory / MEGABYTES, 1.0, at_most=True))
    return rows


def _measured(kind: str, items: int) -> tuple[float, float]:
    """Seconds of CPU and MB."""
    command = [sys.executable, "-c", _CODE, kind, str(items), str(DRAWS)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(printed[0]), float(printed[1])

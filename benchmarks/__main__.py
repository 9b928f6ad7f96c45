"""Run the benchmarks.

``python -m benchmarks`` runs every part, each in a process of its own, and writes docs/performance.md;
``python -m benchmarks PART ...`` runs some and prints their rows. Both exit with 1 when a promised ratio does not hold.
With ``--peers`` what is compared with other software is measured up to three times and has to hold once, by a wide
margin: for a release, not for every commit, since other work on the machine moves a ratio by a third.
"""

import argparse
import importlib
import json
import math
import pkgutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import benchmarks
from benchmarks.report import Row, document, text
from tests.harness.documents import put

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "performance.md"
PEERS: Final = ("frames", "listing", "mlflow_peer")
"""The parts that compare with other software."""
ROUNDS: Final = 3
MARGIN: Final = 1.5


def main() -> int:
    """Measure, print, and say whether everything holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(_parts()))
    parser.add_argument("--peers", action="store_true", help="the ratios to other software alone, by a wide margin")
    parser.add_argument(
        "--json", action="store_true", help="print rows as JSON, for the process that writes the report"
    )
    asked = parser.parse_args()
    if asked.peers:
        return _peers()
    if asked.json:
        print(json.dumps([asdict(row) for part in asked.parts for row in importlib.import_module(part).run()]))
        return 0
    measured = {}
    for part in asked.parts or _parts():
        measured[part] = _measured(part)
        print(text(measured[part]), flush=True)
    if not asked.parts:
        put(DOCUMENT, "figures", document(measured))
    return 0 if all(row.holds for rows in measured.values() for row in rows) else 1


def _parts() -> list[str]:
    """The modules of this package that have a ``run``, told by their text: some take long to import."""
    folder = Path(__file__).parent
    names = [found.name for found in pkgutil.iter_modules(benchmarks.__path__) if not found.ispkg]
    return [name for name in names if "\ndef run() -> list[Row]:\n" in (folder / f"{name}.py").read_text("utf-8")]


def _measured(part: str) -> list[Row]:
    """The rows of a part; one that fails is a row that does not hold, and takes no other one away."""
    command = [sys.executable, "-m", "benchmarks", "--json", f"benchmarks.{part}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        reason = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        return [Row(part, f"failed: {reason[:200]}", math.nan, 1.0, at_most=True)]
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]


def _peers() -> int:
    """Measure the ratios to other software until each has held by the margin, at most so many rounds."""
    missed: list[str] = []
    for part in PEERS:
        held: dict[str, bool] = {}
        for _ in range(ROUNDS):
            rows = [row for row in _measured(part) if row.peer]
            print(text(rows), flush=True)
            held |= {row.name: held.get(row.name, False) or row.within(MARGIN) for row in rows}
            if held and all(held.values()):
                break
        missed += [name for name, has in held.items() if not has] if held else [f"{part} (not measured)"]
    for name in missed:
        print(f"{name}: not within {MARGIN:g} times its bound in any of {ROUNDS} rounds", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

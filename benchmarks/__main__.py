"""Run every benchmark: ``python -m benchmarks``. Exits with 1 when a promised ratio does not hold."""

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.report import Row


def main() -> int:
    """Run each module of this package that has a ``run``, and print a line for each of its rows."""
    rows: list[Row] = []
    for found in pkgutil.iter_modules(benchmarks.__path__):
        if found.name != "__main__":
            module = importlib.import_module(f"benchmarks.{found.name}")
            if hasattr(module, "run"):
                rows += module.run()
    width = max(len(row.name) for row in rows)
    print(f"{'benchmark':<{width}}  {'ratio':>7}  {'bound':>9}  holds  figures")
    for row in rows:
        bound = f"{'≤' if row.at_most else '≥'} {row.bound:g}"
        print(f"{row.name:<{width}}  {row.ratio:>7.3f}  {bound:>9}  {'yes' if row.holds else 'NO':<5}  {row.figures}")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

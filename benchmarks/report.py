"""What a benchmark reports: rows with their figures, whether the promised ratio holds, and the table of them all."""

import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One comparison of a run.

    Attributes:
        name: what was compared.
        figures: the measured times, in words.
        ratio: ours to theirs, both measured in the same run; NaN where it could not be measured.
        bound: what the ratio is promised to be.
        at_most: whether the bound is an upper one; else a lower one.
        peer: whether it is compared with other software, and not with a bound in seconds, bytes or the like.
    """

    name: str
    figures: str
    ratio: float
    bound: float
    at_most: bool
    peer: bool = False

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return self.within(1.0)

    def within(self, margin: float) -> bool:
        """Whether the promise is kept when it is as many times wider; of what was not measured it is not."""
        return self.ratio <= self.bound * margin if self.at_most else self.ratio >= self.bound / margin


def document(parts: Mapping[str, Sequence[Row]]) -> str:
    """The report as Markdown: the machine, and one table with the command of each part.

    Args:
        parts: by the name of its module, the rows of each benchmark.
    """
    lines = [_machine(), "", "| Benchmark | Figures | Ratio | Bound | Holds |", "|---|---|---|---|---|"]
    for part, rows in parts.items():
        lines.append(f"| **`.venv/bin/python -m benchmarks {part}`** | | | | |")
        for row in rows:
            ratio = "–" if math.isnan(row.ratio) else f"{row.ratio:.3g}"
            bound = f"{'≤' if row.at_most else '≥'} {row.bound:g}"
            cells = (row.name, row.figures, ratio, bound, "yes" if row.holds else "**no**")
            lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    every = [row for rows in parts.values() for row in rows]
    missed = sum(not row.holds for row in every)
    return "\n".join([*lines, "", f"{len(every) - missed} of {len(every)} hold."])


def text(rows: Sequence[Row]) -> str:
    """The rows as lines for a terminal."""
    width = max((len(row.name) for row in rows), default=0)
    lines = [f"{'benchmark':<{width}}  {'ratio':>7}  {'bound':>9}  holds  figures"]
    for row in rows:
        bound = f"{'≤' if row.at_most else '≥'} {row.bound:g}"
        holds = "yes" if row.holds else "NO"
        lines.append(f"{row.name:<{width}}  {row.ratio:>7.3f}  {bound:>9}  {holds:<5}  {row.figures}")
    return "\n".join(lines)


def _machine() -> str:
    names = ("streamlit", "pandas", "plotly", "pydantic", "httpx")
    versions = [f"{name} {version(name)}" for name in names]
    beside = Path(__file__).parents[1] / ".venv" / "mlflow" / "lib"
    peers = distributions(name="mlflow", path=[str(path) for path in beside.glob("python*/site-packages")])
    versions += [f"MLflow {peer.version}" for peer in peers]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, {', '.join(versions)}."
    )


def _processor() -> str:
    told = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("model name")[2]
    return told.partition("\n")[0].strip(" \t:") or platform.machine()

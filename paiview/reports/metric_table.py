"""What each metric of a model means, as rows of a table, and the lines of paiview.toml for what is open."""

from collections.abc import Iterable
from typing import Final

from paiview.decisions.doubts import direction_lines
from paiview.evaluation.metric_meaning import Meanings, MetricContract
from paiview.reports.plain_text import NAME_LENGTH, STANDINGS, meaning_text
from paiview.text import one_line

METRIC_COLUMNS: Final = ("metric", "better is", "standing", "range", "scale", "source")
_BY_STANDING: Final = ("assumed", "unknown", "declared", "known", "not_a_score")
"""The order of the rows: what is open first."""


def metric_rows(names: Iterable[str], meanings: Meanings) -> list[tuple[str, ...]]:
    """One row for each metric, what is open first; columns as in ``METRIC_COLUMNS``."""
    contracts = sorted(
        (meanings[name] for name in names), key=lambda each: (_BY_STANDING.index(each.standing), each.metric)
    )
    return [
        (
            one_line(each.metric, NAME_LENGTH),
            meaning_text(each).removeprefix("assumed: "),
            STANDINGS[each.standing] + (f" ({one_line(each.reason, NAME_LENGTH)})" if each.reason else ""),
            _range_text(each),
            each.scale or ("fraction or percent" if each.has_scales else "–"),
            each.source if each.source != "none" else "–",
        )
        for each in contracts
    ]


def open_lines(names: Iterable[str], meanings: Meanings) -> str:
    """The lines of paiview.toml for each metric whose direction is assumed or unknown; empty without one."""
    contracts = [meanings[name] for name in sorted(names)]
    return direction_lines([each for each in contracts if each.standing in ("assumed", "unknown")])


def _range_text(meaning: MetricContract) -> str:
    if meaning.range is None:
        return "–"
    low, high = ("∞" if end is None else f"{end:g}" for end in meaning.range)
    return f"{'(−' if meaning.range[0] is None else '['}{low}, {high}{')' if meaning.range[1] is None else ']'}"

"""The table of versions: chosen fields, a column for every metric and dataset, the best of each marked."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from paiview.frames import Frames, Pair
from paiview.metrics import contract, display_digits, format_value
from paiview.text import plain, shorten_front
from paiview.ui import state
from paiview.views import FIELDS, Slice, page_of

_BEST = "★ "
_ROWS_IN_SIGHT = 16
_SCROLLING_PIXELS = 560
_LONG_TEXTS = ("description", "labels", "source id", "uri", "problem")
_ARROWS = {"lower": "↓", "higher": "↑", None: "?"}
_STATUS = {"Approved": "✓ Approved", "Rejected": "✕ Rejected", "Pending": "○ Pending"}


def versions_frame(versions: pd.DataFrame, numbers: pd.DataFrame, fields: Sequence[str]) -> pd.DataFrame:
    """The table as data: ``version``, the chosen fields under the names readers see, the numbers before long texts.

    Args:
        versions: rows of the versions frame, in the order to show.
        numbers: the same rows, ``metric@dataset`` columns.
        fields: names of ``paiview.views.FIELDS``.
    """
    table = pd.DataFrame({"version": versions["version_name"]}, index=versions.index)
    for field in fields:
        table[field] = versions[FIELDS[field]]
    long = [field for field in fields if field in _LONG_TEXTS]
    return pd.concat([table.drop(columns=long), numbers, table[long]], axis="columns")


def styled(table: pd.DataFrame, pairs: Sequence[Pair], best: Mapping[str, float]) -> Styler:
    """The table to draw: numbers with the same decimals a column, the best of each with a star.

    Args:
        table: what ``versions_frame`` gave.
        pairs: the pairs of its number columns.
        best: column to the number that gets the star, for the columns that have a best.
    """
    shown = table.copy()
    if "status" in shown:
        shown["status"] = shown["status"].astype("str").map(_status, na_action="ignore")
    formats: dict[Any, str | Callable[[object], str] | None] = {}
    for pair in pairs:
        column = pair.column
        known = contract(pair.metric).digits
        digits = display_digits(shown[column].to_numpy()) if known is None else known
        formats[column] = partial(_number, digits=digits, best=best.get(column))
    return shown.style.format(formats, na_rep="")


def _status(status: str) -> str:
    return _STATUS.get(status, plain(status))


def _number(value: Any, *, digits: int, best: float | None) -> str:
    return f"{_BEST if value == best else ''}{format_value(value, digits)}"


def columns(pairs: Sequence[Pair], dataset_names: Mapping[str, str]) -> dict[str, Any]:
    """How each column is shown: times in UTC, number heads with the direction and the dataset's name."""
    config: dict[str, Any] = {
        "version": st.column_config.TextColumn("version", pinned=True),
        "created": st.column_config.DatetimeColumn("created (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "modified": st.column_config.DatetimeColumn("modified (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "description": st.column_config.TextColumn("description", width="large"),
    }
    for pair in pairs:
        name = dataset_names.get(pair.dataset, pair.dataset)
        arrow = _ARROWS[contract(pair.metric).direction]
        config[pair.column] = st.column_config.NumberColumn(
            f"{plain(pair.metric, 30)} {arrow} {plain(shorten_front(name, 28))}", help=plain(pair.dataset)
        )
    return config


def paged(count: int, size: int, what: str) -> Slice:
    """Draw the pages of a list where it has several, and say which part is shown."""
    pages = page_of(count, size, 1).pages
    state.check("page", [str(number) for number in range(1, pages + 1)])
    number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    part = page_of(count, size, number)
    if count == 0:
        st.info(f"No {what} pass the filters. Clear a filter in the sidebar.")
    elif pages > 1:
        st.caption(f"{what.capitalize()} {part.start + 1} to {part.stop} of {count}")
    return part


def height(rows: int) -> Literal["content"] | int:
    """The height of a table of so many rows: as many as it has, up to where it scrolls."""
    return "content" if rows <= _ROWS_IN_SIGHT else _SCROLLING_PIXELS


def legend(hidden: int) -> None:
    """Explain the marks of the table, and say how many number columns are not shown."""
    left_out = f" {hidden} more columns are not shown: choose datasets or metrics." if hidden > 0 else ""
    st.caption(
        f"★ best of the versions that pass the filters · ↓ lower is better · ↑ higher is better · ? unknown.{left_out}"
    )


def side_by_side(frames: Frames, orders: Sequence[int], dataset_names: Mapping[str, str]) -> pd.DataFrame:
    """The numbers of a few versions, a row a (dataset, metric) that any of them has, a column a version."""
    chosen = frames.metrics[frames.metrics["order"].isin(list(orders)) & frames.metrics["value"].notna()]
    table = chosen.astype({"dataset": "str", "metric": "str"}).pivot_table(
        index=["dataset", "metric"], columns="order", values="value", aggfunc="first"
    )
    table = table[sorted(orders)].set_axis(
        frames.versions["version_name"].iloc[sorted(orders)].tolist(), axis="columns"
    )
    table = table.reset_index()
    table["dataset"] = [plain(dataset_names.get(dataset, dataset)) for dataset in table["dataset"]]
    return table

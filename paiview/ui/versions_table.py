"""The table of versions: the chosen fields, a column for each metric and dataset, and the best of each marked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from paiview.evaluation import queries
from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.metric_meaning import Direction, MetricContract, contract, display_digits, format_value
from paiview.evaluation.queries import FIELDS, Slice, VersionIndexes, page_of
from paiview.text import counted, escape_markdown, one_line, shorten_front, unique_labels
from paiview.ui import app_frame, url, url_controls
from paiview.ui.cache_keys import TTL_SECONDS
from paiview.ui.model_data import ModelData

_BEST = "font-weight: 700; background-color: rgba(0, 158, 115, 0.2)"
_LONG_NAME = 28
_ROWS_IN_SIGHT = 16
_SCROLLING_PIXELS = 560
_MAX_CELL_CHARACTERS = 2000
"""Longer texts are cut in this table; the version in detail and the downloads have them whole."""
_NOT_TEXT = ("status", "created", "modified")
_LONG_TEXTS = ("description", "labels", "source id", "uri", "problem")
ARROWS: Mapping[Direction | None, str] = {"lower": "↓", "higher": "↑", "zero": "→", "target": "→", None: "?"}
_UNSAFE = 2**53
"""The table in the browser shows an error in place of a number of this size or larger."""
_TINY = 1e-8
"""It shows zeros in place of a smaller number."""
_STATUS = {"Approved": "✓ Approved", "Rejected": "✕ Rejected", "Pending": "○ Pending"}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TablePage:
    """One page of the table of versions.

    Attributes:
        data: the listing.
        passing: the versions that pass the filters, sorted.
        part: the part of them on this page.
        pairs: the number columns.
        fields: the other columns, names of ``paiview.evaluation.queries.FIELDS``.
    """

    data: ModelData
    passing: VersionIndexes
    part: Slice
    pairs: Sequence[Pair]
    fields: Sequence[str]

    @property
    def rows(self) -> VersionIndexes:
        """The versions on this page, as positions in the versions frame."""
        return self.passing[self.part.start : self.part.stop]

    def key(self) -> str:
        """The key of a cache for what is made of this page alone."""
        return self.data.key(self.passing, self.part, tuple(self.pairs), tuple(self.fields))


def draw_versions(page: TablePage) -> list[int]:
    """Draw one page of the versions; ticking a single one opens it in detail.

    Returns:
        The versions that are ticked, as positions in the versions frame.
    """
    table, config = _styled(page=page)
    rows = page.rows
    key = f"rows-{page.data.identity}-{hash(rows.tobytes())}"

    def open_single() -> None:
        ticked = st.session_state[key].selection.rows
        if len(ticked) == 1:
            url.write("version", page.data.frames.versions["version_name"].iloc[rows[ticked[0]]])

    event = st.dataframe(
        table,
        hide_index=True,
        column_config=config,
        key=key,
        height=height(len(rows)),
        on_select=open_single,
        selection_mode="multi-row",
        placeholder="–",
        alt="Versions of the model",
    )
    return [int(rows[row]) for row in event.selection.rows if row < len(rows)]


def versions_frame(
    frames: Frames, version_indexes: VersionIndexes, pairs: Sequence[Pair], fields: Sequence[str]
) -> pd.DataFrame:
    """The table as data: ``version``, the chosen fields under the names readers see, the numbers before long texts."""
    rows = frames.versions.iloc[version_indexes]
    short = [field for field in fields if field not in _LONG_TEXTS]
    long = [field for field in fields if field in _LONG_TEXTS]
    columns: list[tuple[str, pd.Series]] = [("version", rows["version_name"])]
    columns += [(field, rows[FIELDS[field]]) for field in short]
    columns += [
        (str(column), values) for column, values in queries.number_table(frames, pairs).iloc[version_indexes].items()
    ]
    columns += [(field, rows[FIELDS[field]]) for field in long]
    return pd.concat([values.rename(column) for column, values in columns], axis="columns")


@st.cache_resource(ttl=TTL_SECONDS, max_entries=256, show_spinner=False, hash_funcs={TablePage: TablePage.key})
def _styled(page: TablePage) -> tuple[Styler | pd.DataFrame, dict[str, Any]]:
    """The table with the best of each number column marked, and the configuration of its columns."""
    metrics = page.data.contracts.metrics
    table = _display_texts(versions_frame(page.data.frames, page.rows, page.pairs, page.fields), page.fields)
    numbers = queries.number_table(page.data.frames, page.pairs)
    config = column_config(numbers, page.pairs, page.data)
    config["version"] = name_column("version", table["version"], pinned=True)
    best = queries.best_numbers(numbers.iloc[page.passing], page.pairs, metrics)
    marks = pd.DataFrame("", index=table.index, columns=table.columns)
    for column, number in best.items():
        marks.loc[table[column] == number, column] = _BEST
    for column, pair in zip(numbers.columns, page.pairs, strict=True):
        if is_unsafe(table[column]):
            digits = decimal_places(pair, numbers[column].to_numpy(), metrics)
            table[column] = as_text(table[column], [digits] * len(table))
            config[column] = st.column_config.TextColumn(
                config[column]["label"], help=config[column]["help"], alignment="right"
            )
    if not marks.to_numpy().any():
        return table, config
    # Without cell_ids=False Streamlit takes ten times as long.
    return Styler(table, cell_ids=False).apply(lambda _: marks, axis=None), config


def _display_texts(table: pd.DataFrame, fields: Sequence[str]) -> pd.DataFrame:
    """The table with its texts as one line each, and a mark in front of each status."""
    if "status" in table:
        table["status"] = table["status"].astype("str").map(_status, na_action="ignore")
    for field in ("version", *(name for name in fields if name not in _NOT_TEXT)):
        table[field] = table[field].astype("str").map(_line, na_action="ignore")
    return table


def _line(text: str) -> str:
    return one_line(text, _MAX_CELL_CHARACTERS)


def _status(status: str) -> str:
    return _STATUS.get(status, one_line(status))


def column_config(numbers: pd.DataFrame, pairs: Sequence[Pair], data: ModelData) -> dict[str, Any]:
    """Configure each column: times in UTC, heads of numbers with the direction and the dataset's name.

    Args:
        numbers: the numbers of all versions, a column a pair; they decide the decimals of each column.
        pairs: the pairs of its columns.
        data: the listing.
    """
    config: dict[str, Any] = {
        "version": st.column_config.TextColumn("version", pinned=True),
        "created": st.column_config.DatetimeColumn("created (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "modified": st.column_config.DatetimeColumn("modified (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "description": st.column_config.TextColumn("description", width="large"),
    }
    metrics = data.contracts.metrics
    for column, pair in zip(numbers.columns, pairs, strict=True):
        name = data.dataset_names.get(pair.dataset, pair.dataset)
        meaning = contract(pair.metric, metrics)
        arrow = ARROWS[meaning.direction] + ("?" if meaning.standing == "assumed" else "")
        config[column] = st.column_config.NumberColumn(
            f"{one_line(pair.metric, 30)} {arrow} {one_line(shorten_front(name, 28))}",
            help=escape_markdown(pair.dataset),
            format=f"%.{decimal_places(pair, numbers[column].to_numpy(), metrics)}f",
        )
    return config


def decimal_places(pair: Pair, values: Iterable[float], metrics: Mapping[str, MetricContract]) -> int:
    """The decimals configured for a pair's metric, else as many as these values need."""
    configured = contract(pair.metric, metrics).digits
    return display_digits(values) if configured is None else configured


@st.cache_resource(ttl=TTL_SECONDS, max_entries=256, show_spinner=False, hash_funcs={ModelData: ModelData.key})
def column_decimals(data: ModelData, pairs: Sequence[Pair]) -> list[int]:
    """The decimals of each pair's column in the table of versions; 0 for a pair without numbers."""
    histories, metrics = data.frames.histories, data.contracts.metrics
    return [decimal_places(pair, history.values, metrics) if (history := histories.get(pair)) else 0 for pair in pairs]


def with_decimals(table: pd.DataFrame, columns: Sequence[str], digits: Sequence[int]) -> Styler | pd.DataFrame:
    """The table with its numbers in ``columns`` written with as many decimals as ``digits`` gives for each row."""
    if unsafe := [column for column in columns if is_unsafe(table[column])]:
        table = table.assign(**{column: as_text(table[column], digits) for column in unsafe})
        columns = [column for column in columns if column not in unsafe]
    if table.size > pd.get_option("styler.render.max_elements"):
        return table
    styled = Styler(table)
    for places in dict.fromkeys(digits):
        rows = [row_places == places for row_places in digits]
        styled = styled.format(partial(_number_text, digits=places), subset=(rows, [*columns]))
    return styled


def _number_text(value: float, digits: int) -> str:
    """A number with the minus sign that other programs read, for cells are copied into them."""
    return format_value(value, digits).replace("−", "-")


def is_unsafe(numbers: pd.Series) -> bool:
    """Whether one of the numbers is too large or too small for the table in the browser."""
    sizes = np.abs(numbers.to_numpy())
    return bool(((sizes >= _UNSAFE) | ((sizes > 0) & (sizes < _TINY))).any())


def as_text(numbers: pd.Series, digits: Sequence[int]) -> pd.Series:
    """The numbers as text, each with its decimals; NaN stays missing."""
    texts = [
        None if np.isnan(number) else _number_text(number, places)
        for number, places in zip(numbers, digits, strict=True)
    ]
    return pd.Series(texts, index=numbers.index, dtype="str")


def paged(count: int, size: int, what: str) -> Slice:
    """Draw the page numbers of a list that has several pages, and say which part is shown."""
    pages = page_of(count, size, 1).pages
    part = page_of(count, size, url_controls.page_number(pages))
    if count == 0:
        st.info(f"No {what} pass the filters. Clear a filter in the sidebar.")
    elif pages > 1:
        st.caption(f"{what.capitalize()} {part.start + 1} to {part.stop} of {count}")
    return part


def draw_legend(hidden: int) -> None:
    """Explain the marks of the table, and say how many number columns are not shown."""
    left_out = f" {counted(hidden, 'more column')} not shown: choose datasets or metrics." if hidden > 0 else ""
    st.caption(
        "**bold** is the best of the versions that pass the filters · ↓ lower is better · ↑ higher is better · "
        f"→ nearer to its target is better · ? unknown, or only assumed.{left_out}"
    )


def side_by_side(data: ModelData, version_indexes: Sequence[int]) -> Styler | pd.DataFrame:
    """The numbers of a few versions: a row for each (dataset, metric) that any of them has, a column a version."""
    columns = sorted(version_indexes)
    pairs = queries.pairs_with_numbers(data.frames, columns)
    numbers = queries.number_table(data.frames, pairs).iloc[columns].to_numpy().T
    heads = pd.DataFrame(
        {
            "dataset": [one_line(data.dataset_names.get(pair.dataset, pair.dataset)) for pair in pairs],
            "metric": [one_line(pair.metric) for pair in pairs],
        },
        dtype="str",
    )
    names = data.frames.versions["version_name"].iloc[columns].tolist()
    labels = unique_labels([*heads.columns, *map(one_line, names)])[heads.shape[1] :]
    table = pd.concat([heads, pd.DataFrame(numbers, columns=labels)], axis="columns")
    digits = column_decimals(data=data, pairs=pairs)
    sorted_rows = table.sort_values(["dataset", "metric"], kind="stable").index
    return with_decimals(table.loc[sorted_rows].reset_index(drop=True), labels, [digits[row] for row in sorted_rows])


def draw_version_links(model_id: str, name: str) -> None:
    """Draw links to one version in detail and to its comparison."""
    with st.container(horizontal=True, key="version-links"):
        label = escape_markdown(name, 60)
        app_frame.link(app_frame.VERSIONS, f"Open {label}", model=model_id, version=name)
        app_frame.link(app_frame.COMPARE, f"Compare {label} with the approved version", model=model_id, candidate=name)


def draw_compare_link(model_id: str, frames: Frames, ticked: Sequence[int]) -> None:
    """Draw a link to the comparison of the ticked versions: of two the newer is the candidate, of more all are."""
    names = frames.versions["version_name"].iloc[sorted(ticked, reverse=True)].tolist()
    if len(names) == 2:
        app_frame.link(
            app_frame.COMPARE, "Compare the newer with the older", model=model_id, candidate=names[0], baseline=names[1]
        )
    else:
        app_frame.link(app_frame.COMPARE, "Compare them with the approved version", model=model_id, candidate=names)


def name_column(label: str, names: pd.Series, *, pinned: bool = False) -> Any:
    """A text column for names, of medium width where they are long, so that they leave room for the numbers."""
    is_long = names.str.len().max() > _LONG_NAME
    return st.column_config.TextColumn(label, pinned=pinned, width="medium" if is_long else None)


def height(rows: int) -> Literal["content"] | int:
    """The height of a table: all its rows up to ``_ROWS_IN_SIGHT``, beyond that a fixed height that scrolls."""
    return "content" if rows <= _ROWS_IN_SIGHT else _SCROLLING_PIXELS

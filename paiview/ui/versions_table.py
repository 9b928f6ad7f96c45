"""The table of versions: the chosen fields, a column for each metric and dataset, and the best of each marked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from paiview.decisions.wording import percent
from paiview.evaluation import queries
from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.metric_families import fold
from paiview.evaluation.metric_meaning import MetricContract, contract, display_digits, format_value
from paiview.evaluation.queries import FIELDS, Slice, VersionIndexes, page_of
from paiview.figures.style import APPROVED, BETTER, distinct_labels, tint, way
from paiview.pai.objects import ModelVersion
from paiview.text import counted, escape_markdown, one_line, shorten_front, unique_labels
from paiview.ui import app_frame, url, url_controls
from paiview.ui.approved_now import (
    READ_AS_ERRORS,
    ApprovedNow,
    change_text,
    clip_of,
    is_read_as_errors,
    tint_style,
)
from paiview.ui.cache_keys import TTL_SECONDS
from paiview.ui.model_data import ModelData
from paiview.ui.statuses import CHIP_COLOURS, STATUSES, status_count, status_text

_BEST = f"font-weight: 700; background-color: {tint(BETTER, 0.13)}"
_APPROVED_ROW = f"background-color: {tint(APPROVED, 0.1)}"
_LONG_NAME = 28
_MAX_NAME_LETTERS = 36
_LETTER_PIXELS = 7
_BUTTON_PIXELS = 34
_MAX_NAME_PIXELS = 270
_STATUS_PIXELS = 104
_DATE_PIXELS = 92
_TEXT_PIXELS = 260
_ROW_PIXELS = 32
_ROWS_IN_SIGHT = 16
_SCROLLING_PIXELS = 560
_MAX_CELL_CHARACTERS = 2000
"""Longer texts are cut in this table; the version in detail and the downloads have them whole."""
_NOT_TEXT = ("status", "created", "modified")
_TICKED = "ticked-versions"
"""The session entry that holds a ModelId and the names of its versions that are ticked, on any page of the table."""
_UNSAFE = 2**53
"""The table in the browser shows an error in place of a number of this size or larger."""
_TINY = 1e-8
"""It shows zeros in place of a smaller number."""
_ICON_START = ":"
"""A cell of buttons that begins with it may show an icon in place of its text."""
ERRORS_LEGEND = f"{READ_AS_ERRORS.strip()} of the errors, which changed by a larger share than the value."
"""What the mark of an effect means."""
Cells = Literal["values", "change"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TablePage:
    """One page of the table of versions.

    Attributes:
        data: the listing.
        listing: its versions as the service sent them; the identity of ``data`` stands for them.
        passing: the versions that pass the filters, sorted.
        part: the part of them on this page.
        pairs: the number columns.
        fields: the other columns, names of ``paiview.evaluation.queries.FIELDS``.
        cells: whether the numbers are values, or changes against the version that is approved now.
        approved: that version; ``None`` without one.
    """

    data: ModelData
    listing: Sequence[ModelVersion]
    passing: VersionIndexes
    part: Slice
    pairs: Sequence[Pair]
    fields: Sequence[str]
    cells: Cells
    approved: ApprovedNow | None

    @property
    def rows(self) -> VersionIndexes:
        """The versions on this page, as positions in the versions frame."""
        return self.passing[self.part.start : self.part.stop]

    def key(self) -> str:
        """The key of a cache for what is made of this page alone."""
        approved = None if self.approved is None else (self.approved.identity, self.approved.name)
        return self.data.key(self.passing, self.part, tuple(self.pairs), tuple(self.fields), self.cells, approved)


class _StyledPage(NamedTuple):
    """A page of the table as it is drawn.

    Attributes:
        table: with its marks.
        config: the configuration of its columns by position, but for the first.
        has_errors: whether any change is that of the errors.
    """

    table: Styler | pd.DataFrame
    config: dict[int, Any]
    has_errors: bool = False


def draw_versions(page: TablePage, model_id: str) -> None:
    """Draw one page of the versions; a click on a name opens its version in detail, and a tick selects it."""
    table, config, _ = _styled(page=page)
    rows = page.rows
    names = page.data.frames.versions["version_name"].iloc[rows].tolist()
    key = f"rows-{page.data.identity}-{hash(rows.tobytes())}"

    def keep_ticks() -> None:
        on_page = {names[row] for row in _selected(key) if row < len(names)}
        others = [name for name in ticked_names(model_id) if name not in names]
        st.session_state[_TICKED] = (model_id, [*others, *(name for name in names if name in on_page)])

    def open_version() -> None:
        row = st.session_state["open-version"].row
        if row < len(names):
            url.write("version", names[row])

    ticked = {*ticked_names(model_id)}
    shown = [row for row, name in enumerate(names) if name in ticked]
    if key not in st.session_state or sorted(_selected(key)) != shown:
        st.session_state[key] = {"selection": {"rows": shown}}
    widest = max((len(name) for name in names), default=0)
    button = st.column_config.ButtonColumn(
        width=min(_LETTER_PIXELS * min(widest, _MAX_NAME_LETTERS) + _BUTTON_PIXELS, _MAX_NAME_PIXELS),
        pinned=True,
        alignment="left",
        type="tertiary",
        on_click=open_version,
        key="open-version",
    )
    st.dataframe(
        table,
        hide_index=True,
        # By position, as a table with two heads needs it; the index that is not shown is the first.
        column_config=cast("Any", {1: button, **config}),
        key=key,
        height="content",
        row_height=_ROW_PIXELS,
        on_select=keep_ticks,
        selection_mode="multi-row",
        placeholder="–",
        alt="Versions of the model",
    )


def _selected(key: str) -> list[int]:
    """The rows that are ticked in a table."""
    return [*st.session_state[key]["selection"]["rows"]]


def ticked_names(model_id: str) -> list[str]:
    """The versions of a model that are ticked, on any page of the table."""
    ticked_model, names = st.session_state.get(_TICKED, (model_id, []))
    return [*names] if ticked_model == model_id else []


def draw_ticked(data: ModelData, model_id: str, approved: ApprovedNow | None) -> list[int]:
    """Draw the ticked versions as chips that untick them, with links to their comparison; nothing without any.

    Returns:
        The ticked versions, as positions in the versions frame.
    """
    versions = data.frames.versions["version_name"]
    names = [name for name in ticked_names(model_id) if (versions == name).any()]
    indexes = [int(np.flatnonzero((versions == name).to_numpy())[-1]) for name in names]
    if not names:
        return []
    with st.container(key="ticked", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{counted(len(names), 'version')} ticked**", width="content")
        for number, name in enumerate(names):
            st.button(
                escape_markdown(name, 40),
                icon=":material/close:",
                icon_position="right",
                key=f"chip-ticked-{number}",
                help="Untick this version",
                on_click=_untick,
                args=(model_id, name),
            )
        draw_compare_link(model_id, data.frames, indexes, approved)
    return indexes


def _untick(model_id: str, name: str) -> None:
    st.session_state[_TICKED] = (model_id, [other for other in ticked_names(model_id) if other != name])


def versions_frame(
    frames: Frames, version_indexes: VersionIndexes, pairs: Sequence[Pair], fields: Sequence[str]
) -> pd.DataFrame:
    """The table as data: ``version``, the chosen fields under the names readers see, the numbers before texts."""
    rows = frames.versions.iloc[version_indexes]
    short = [field for field in fields if field in _NOT_TEXT]
    long = [field for field in fields if field not in _NOT_TEXT]
    columns: list[tuple[str, pd.Series]] = [("version", rows["version_name"])]
    columns += [(field, rows[FIELDS[field]]) for field in short]
    columns += [
        (str(column), values) for column, values in queries.number_table(frames, pairs).iloc[version_indexes].items()
    ]
    columns += [(field, rows[FIELDS[field]]) for field in long]
    return pd.concat([values.rename(column) for column, values in columns], axis="columns")


@st.cache_resource(ttl=TTL_SECONDS, max_entries=256, show_spinner=False, hash_funcs={TablePage: TablePage.key})
def _styled(page: TablePage) -> _StyledPage:
    table = _display_texts(versions_frame(page.data.frames, page.rows, page.pairs, page.fields), page.fields)
    numbers = [str(column) for column in queries.number_table(page.data.frames, page.pairs).columns]
    marks = pd.DataFrame("", index=table.index, columns=table.columns)
    if page.approved is not None:
        names = page.data.frames.versions["version_name"].iloc[page.rows]
        marks.loc[(names == page.approved.name).to_numpy()] = _APPROVED_ROW
    configure = _write_values if page.cells == "values" or page.approved is None else _write_changes
    of_numbers, texts = configure(page, table, marks, numbers)
    labels = {"version": "Version", "created": "Created (UTC)", "modified": "Modified (UTC)"}
    heads = {column: ("", labels.get(str(column), str(column).capitalize())) for column in table.columns}
    heads |= dict(zip(numbers, number_heads(page.pairs, page.data), strict=True))
    config = {
        place: column
        for place, name in enumerate(table.columns, 1)
        if (column := of_numbers.get(name) or _field_column(name, table[name])) is not None
    }
    columns = pd.MultiIndex.from_tuples([heads[column] for column in table.columns])
    marks.columns = table.columns = columns
    is_marked = marks.to_numpy().any()
    if not is_marked and not texts:
        return _StyledPage(table, config)
    # Without cell_ids=False Streamlit takes ten times as long; with it, texts in place of numbers are lost.
    styled = Styler(table, cell_ids=bool(texts)).apply(lambda _: marks, axis=None)
    for name, rows_and_texts in texts.items():
        for rows, write in rows_and_texts:
            styled = styled.format(write, subset=(rows, [heads[name]]), na_rep="–")
    has_errors = any(text.endswith(READ_AS_ERRORS) for text in table.to_numpy().ravel() if isinstance(text, str))
    has_errors = has_errors or any(any(texts[name][1][0]) for name in texts)
    return _StyledPage(styled, config, has_errors)


_Texts = Mapping[str, Sequence[tuple[list[bool], Callable[[Any], str]]]]
"""How the numbers of a column are written, by rows of the table, where its configuration cannot say it."""


def _write_values(
    page: TablePage, table: pd.DataFrame, marks: pd.DataFrame, columns: Sequence[str]
) -> tuple[dict[str, Any], _Texts]:
    """Mark the best number of each column, and write out those that the browser cannot show."""
    metrics = page.data.contracts.metrics
    numbers = queries.number_table(page.data.frames, page.pairs)
    for column, number in queries.best_numbers(numbers.iloc[page.passing], page.pairs, metrics).items():
        marks.loc[table[column] == number, column] = _BEST
    config = {}
    decimals = column_decimals(data=page.data, pairs=page.pairs)
    for column, pair, digits in zip(columns, page.pairs, decimals, strict=True):
        hint = escape_markdown(pair.dataset)
        if is_unsafe(table[column]):
            table[column] = as_text(table[column], [digits] * len(table))
            config[column] = st.column_config.TextColumn(help=hint, alignment="right")
        else:
            config[column] = st.column_config.NumberColumn(help=hint, format=f"%.{digits}f")
    return config, {}


def _write_changes(
    page: TablePage, table: pd.DataFrame, marks: pd.DataFrame, columns: Sequence[str]
) -> tuple[dict[str, Any], _Texts]:
    """Put the change against the approved version into each cell, tinted by its size."""
    approved, contracts = page.approved, page.data.contracts
    if approved is None:
        return {}, {}
    places = page.data.frames.versions["listing_index"].iloc[page.rows]
    changes = approved.changes([page.listing[place] for place in places], contracts, page.pairs)
    clip = clip_of(decision for row in changes for decision in row.values())
    config: dict[str, Any] = {}
    texts: dict[str, Sequence[tuple[list[bool], Callable[[Any], str]]]] = {}
    for column, pair in zip(columns, page.pairs, strict=True):
        cells = [row.get(pair) for row in changes]
        for row, cell in zip(table.index, cells, strict=True):
            marks.loc[row, column] = tint_style(cell, clip) or marks.loc[row, column]
        hint = escape_markdown(pair.dataset)
        written = [change_text(cell, contracts) for cell in cells]
        effects = [None if cell is None else cell.effect for cell in cells]
        if any(text is not None and effect is None for text, effect in zip(written, effects, strict=True)):
            # A cell that says why it has no effect is a text, and so is its column.
            table[column] = pd.Series(written, index=table.index, dtype="str")
            config[column] = st.column_config.TextColumn(help=hint, alignment="right")
        else:
            table[column] = pd.Series(effects, index=table.index, dtype="float64")
            relative = contract(pair.metric, contracts.metrics).effective_relative
            as_errors = [is_read_as_errors(cell) for cell in cells]
            write = partial(percent, apart_from=relative)
            texts[column] = [
                ([not is_error for is_error in as_errors], write),
                (as_errors, partial(_percent_of_errors, apart_from=relative)),
            ]
            config[column] = st.column_config.NumberColumn(help=hint)
    return config, texts


def _percent_of_errors(effect: float, *, apart_from: float) -> str:
    return percent(effect, apart_from=apart_from) + READ_AS_ERRORS


def _display_texts(table: pd.DataFrame, fields: Sequence[str]) -> pd.DataFrame:
    """The table with its texts as one line each, names as buttons, and statuses as chips."""
    if "status" in table:
        table["status"] = [_chips(status) for status in table["status"].tolist()]
    names = distinct_labels([one_line(name) for name in table["version"].tolist()], _MAX_NAME_LETTERS)
    table["version"] = [f"{_no_icon(name)} ›" for name in names]
    for field in (name for name in fields if name not in _NOT_TEXT):
        table[field] = table[field].astype("str").map(_line, na_action="ignore")
    return table


def _no_icon(name: str) -> str:
    return f"\N{WORD JOINER}{name}" if name.startswith(_ICON_START) else name


def _line(text: str) -> str:
    return one_line(text, _MAX_CELL_CHARACTERS)


def status_options(frames: Frames) -> dict[str, str]:
    """The statuses to pick from with their counts: those present, and those of the link."""
    counts = frames.status_counts
    statuses = dict.fromkeys([*STATUSES, *counts])
    picked = url.requested_values("status")
    return {
        status: status_count(status, counts.get(status, 0))
        for status in statuses
        if status in counts or status in picked
    }


def _chips(status: object) -> list[str]:
    return [status_text(status)] if isinstance(status, str) else []


def _field_column(name: str, values: pd.Series) -> Any:
    """The configuration of a column that is no number; ``None`` for that of the names."""
    if name == "version":
        return None
    if name == "status":
        present = dict.fromkeys(text for chips in values for text in chips)
        options = [*CHIP_COLOURS, *(text for text in present if text not in CHIP_COLOURS)]
        return st.column_config.MultiselectColumn(
            options=options, color=[CHIP_COLOURS.get(text, "gray") for text in options], width=_STATUS_PIXELS
        )
    if name == "created":
        return st.column_config.DatetimeColumn(format="YYYY-MM-DD", timezone="UTC", width=_DATE_PIXELS)
    if name == "modified":
        return st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC")
    is_long = any(len(text) > _LONG_NAME for text in values.dropna().tolist())
    return st.column_config.TextColumn(width=_TEXT_PIXELS if is_long else None)


def number_heads(pairs: Sequence[Pair], data: ModelData) -> list[tuple[str, str]]:
    """The two heads of each number column: the metric with what is better, and the dataset's name."""
    metrics = data.contracts.metrics
    groups = []
    for pair in pairs:
        meaning = contract(pair.metric, metrics)
        groups.append(_head(f"{one_line(pair.metric, 30)} {way(meaning.direction, meaning.standing)}"))
    # Metrics that look alike stay apart by their place; two columns of one metric need different names.
    names = [
        _head(one_line(shorten_front(data.dataset_names.get(pair.dataset, pair.dataset), _LONG_NAME))) for pair in pairs
    ]
    unique: dict[str, list[str]] = {}
    heads = []
    for group, name in zip(groups, names, strict=True):
        taken = unique.setdefault(group, [])
        taken.append(unique_labels([*taken, name])[-1])
        heads.append((group, taken[-1]))
    return heads


def _head(text: str) -> str:
    """A head without the marks that end a text in the form in which two heads reach the browser."""
    return text.replace("'", "’").replace('"', "”")


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
    if pages > 1:
        st.caption(f"{what.capitalize()} {part.start + 1} to {part.stop} of {count}")
    return part


def draw_legend(page: TablePage, hidden: int) -> None:
    """Explain the marks of the table, and say how many number columns are not shown.

    Args:
        page: what is shown.
        hidden: the number columns that are not.
    """
    facts = ["**Bold** on blue is the best of the versions that pass the filters."]
    if page.approved is not None:
        if page.cells == "change":
            against = escape_markdown(page.approved.name, 60)
            facts = [f"Change against {against}, approved now: positive is better, blue better, vermillion worse."]
            facts += [ERRORS_LEGEND] if _styled(page=page).has_errors else []
        if page.approved.name in page.data.frames.versions["version_name"].iloc[page.rows].to_numpy():
            facts.append("The green row is approved now.")
    facts.append("A click on a name opens the version; tick two to compare.")
    if page.part.pages > 1:
        facts.append("A click on a head sorts this page alone, the list above sorts every version.")
    if hidden > 0:
        facts.append(f"{counted(hidden, 'more column')} not shown: choose metrics or datasets.")
    st.caption(" ".join(facts))


def draw_side_by_side(data: ModelData, version_indexes: Sequence[int]) -> None:
    """Draw the numbers of a few versions; of hundreds on one dataset those that matter first, the others folded."""
    columns = sorted(version_indexes)
    pairs = sorted(queries.pairs_with_numbers(data.frames, columns), key=lambda pair: (pair.dataset, pair.metric))
    folded = fold(pairs, data.contracts.metrics)
    alt = "Versions side by side"
    shown = side_by_side(data, columns, [pairs[index] for index in folded.shown])
    st.dataframe(shown, hide_index=True, placeholder="–", alt=alt)
    if not folded.hidden:
        return
    label = f"…and {len(folded.hidden)} more: {escape_markdown(folded.summary)}"
    section = st.expander(label, key="more-side-by-side", on_change="rerun")
    if section.open:
        others = side_by_side(data, columns, [pairs[index] for index in folded.hidden])
        section.dataframe(others, hide_index=True, placeholder="–", alt=alt)


def side_by_side(
    data: ModelData, version_indexes: Sequence[int], pairs: Sequence[Pair] | None = None
) -> Styler | pd.DataFrame:
    """The numbers of a few versions: a row for each (dataset, metric), a column a version.

    Args:
        data: the listing.
        version_indexes: the versions, as positions in the versions frame.
        pairs: the rows; by default every pair that any of them has a number of.
    """
    columns = sorted(version_indexes)
    pairs = queries.pairs_with_numbers(data.frames, columns) if pairs is None else pairs
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


def draw_compare_link(model_id: str, frames: Frames, ticked: Sequence[int], approved: ApprovedNow | None) -> None:
    """Draw links to the comparison of the ticked versions: of two the newer is the candidate, of more all are."""
    names = frames.versions["version_name"].iloc[sorted(ticked, reverse=True)].tolist()
    if len(names) == 2:
        app_frame.link(
            app_frame.COMPARE, "Compare the newer with the older", model=model_id, candidate=names[0], baseline=names[1]
        )
    if approved is not None or len(names) > 2:
        app_frame.link(app_frame.COMPARE, "Compare with the approved version", model=model_id, candidate=names)


def name_column(label: str, names: pd.Series, *, pinned: bool = False) -> Any:
    """A text column for names, of medium width where they are long, so that they leave room for the numbers."""
    is_long = names.str.len().max() > _LONG_NAME
    return st.column_config.TextColumn(label, pinned=pinned, width="medium" if is_long else None)


def height(rows: int) -> Literal["content"] | int:
    """The height of a table: all its rows up to ``_ROWS_IN_SIGHT``, beyond that a fixed height that scrolls."""
    return "content" if rows <= _ROWS_IN_SIGHT else _SCROLLING_PIXELS

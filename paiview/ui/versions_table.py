"""The table of versions: chosen fields, a column for every metric and dataset, the best of each marked."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from paiview.decisions.contracts import Contracts
from paiview.evaluation import queries
from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.metric_meaning import contract, display_digits, format_value
from paiview.evaluation.queries import FIELDS, Meanings, Slice, VersionIndexes, page_of
from paiview.text import counted, escape_markdown, one_line, shorten_front, unique_labels
from paiview.ui import app_frame, url, url_controls
from paiview.ui.cache_keys import SECONDS, key_of

_BEST = "font-weight: 700; background-color: rgba(0, 158, 115, 0.2)"
_LONG_NAME = 28
_ROWS_IN_SIGHT = 16
_SCROLLING_PIXELS = 560
_MOST_CHARACTERS = 2000
"""Of a text in a cell; the version in detail and the downloads have all."""
_NOT_TEXT = ("status", "created", "modified")
_LONG_TEXTS = ("description", "labels", "source id", "uri", "problem")
_ARROWS = {"lower": "↓", "higher": "↑", None: "?"}
_UNSAFE = 2**53
"""From here on a browser's table shows an error in place of a number."""
_STATUS = {"Approved": "✓ Approved", "Rejected": "✕ Rejected", "Pending": "○ Pending"}


def versions(
    identity: str,
    frames: Frames,
    kept: VersionIndexes,
    part: Slice,
    pairs: Sequence[Pair],
    fields: Sequence[str],
    dataset_names: Mapping[str, str],
    contracts: Contracts,
) -> list[int]:
    """Draw one page of the versions; the one that is ticked opens in detail.

    Args:
        identity: names the listing that ``frames`` were made of.
        frames: both frames of the snapshot.
        kept: the versions that pass the filters, sorted.
        part: the part of them to draw.
        pairs: the number columns.
        fields: the other columns, names of ``paiview.evaluation.queries.FIELDS``.
        dataset_names: DatasetId to a name, where known.
        contracts: what metrics mean.

    Returns:
        The versions that are ticked, as positions in the versions frame.
    """
    table, config = _drawn(
        key=key_of(
            identity,
            contracts.fingerprint,
            kept,
            part,
            tuple(pairs),
            tuple(fields),
            tuple(dataset_names.items()),
        ),
        _kept=kept,
        _part=part,
        _pairs=pairs,
        _fields=fields,
        _dataset_names=dataset_names,
        _frames=frames,
        _contracts=contracts,
    )
    rows = kept[part.start : part.stop]
    key = f"rows-{identity}-{hash(rows.tobytes())}"

    def follow() -> None:
        ticked = st.session_state[key].selection.rows
        if len(ticked) == 1:
            url.write("version", frames.versions["version_name"].iloc[rows[ticked[0]]])

    event = st.dataframe(
        table,
        hide_index=True,
        column_config=config,
        key=key,
        height=height(len(rows)),
        on_select=follow,
        selection_mode="multi-row",
        placeholder="–",
        alt="Versions of the model",
    )
    return [int(rows[at]) for at in event.selection.rows if at < len(rows)]


def versions_frame(
    frames: Frames, orders: VersionIndexes, pairs: Sequence[Pair], fields: Sequence[str]
) -> pd.DataFrame:
    """The table as data: ``version``, the chosen fields under the names readers see, the numbers before long texts."""
    rows = frames.versions.iloc[orders]
    short = [field for field in fields if field not in _LONG_TEXTS]
    long = [field for field in fields if field in _LONG_TEXTS]
    columns: list[tuple[str, pd.Series]] = [("version", rows["version_name"])]
    columns += [(field, rows[FIELDS[field]]) for field in short]
    columns += [(str(column), values) for column, values in queries.number_table(frames, pairs).iloc[orders].items()]
    columns += [(field, rows[FIELDS[field]]) for field in long]
    return pd.concat([values.rename(column) for column, values in columns], axis="columns")


def _line(text: str) -> str:
    return one_line(text, _MOST_CHARACTERS)


def _status(status: str) -> str:
    return _STATUS.get(status, one_line(status))


@st.cache_resource(ttl=SECONDS, max_entries=256, show_spinner=False)
def _drawn(
    key: str,  # noqa: ARG001 - stands for all the others in the cache
    _kept: VersionIndexes,
    _part: Slice,
    _pairs: Sequence[Pair],
    _fields: Sequence[str],
    _dataset_names: Mapping[str, str],
    _frames: Frames,
    _contracts: Contracts,
) -> tuple[Styler | pd.DataFrame, dict[str, Any]]:
    """What ``st.dataframe`` is given: the table with the best of each number column marked, and how columns look."""
    table = versions_frame(_frames, _kept[_part.start : _part.stop], _pairs, _fields)
    if "status" in table:
        table["status"] = table["status"].astype("str").map(_status, na_action="ignore")
    for field in ("version", *(name for name in _fields if name not in _NOT_TEXT)):
        table[field] = table[field].astype("str").map(_line, na_action="ignore")
    numbers = queries.number_table(_frames, _pairs)
    config = column_config(numbers, _pairs, _dataset_names, _contracts.metrics)
    config["version"] = name_column("version", table["version"], pinned=True)
    best = queries.best_numbers(numbers.iloc[_kept], _pairs, _contracts.metrics)
    marks = pd.DataFrame("", index=table.index, columns=table.columns)
    for column, number in best.items():
        marks.loc[table[column] == number, column] = _BEST
    for column, pair in zip(numbers.columns, _pairs, strict=True):
        if is_unsafe(table[column]):
            many = places(pair, numbers[column].to_numpy(), _contracts.metrics)
            table[column] = as_text(table[column], [many] * len(table))
            config[column] = st.column_config.TextColumn(
                config[column]["label"], help=config[column]["help"], alignment="right"
            )
    if not marks.to_numpy().any():
        return table, config
    # Ids for every cell would cost Streamlit ten times as much.
    return Styler(table, cell_ids=False).apply(lambda _: marks, axis=None), config


def column_config(
    numbers: pd.DataFrame,
    pairs: Sequence[Pair],
    dataset_names: Mapping[str, str],
    meanings: Meanings = MappingProxyType({}),
) -> dict[str, Any]:
    """How each column is shown: times in UTC, number heads with the direction and the dataset's name.

    Args:
        numbers: the numbers of all versions, which decide the decimals of each column.
        pairs: the pairs of its columns.
        dataset_names: DatasetId to a name, where known.
        meanings: which way is better and how many decimals to show, beyond the built-in names.
    """
    config: dict[str, Any] = {
        "version": st.column_config.TextColumn("version", pinned=True),
        "created": st.column_config.DatetimeColumn("created (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "modified": st.column_config.DatetimeColumn("modified (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "description": st.column_config.TextColumn("description", width="large"),
    }
    for column, pair in zip(numbers.columns, pairs, strict=True):
        name = dataset_names.get(pair.dataset, pair.dataset)
        direction = contract(pair.metric, meanings).direction
        config[column] = st.column_config.NumberColumn(
            f"{one_line(pair.metric, 30)} {_ARROWS[direction]} {one_line(shorten_front(name, 28))}",
            help=escape_markdown(pair.dataset),
            format=f"%.{places(pair, numbers[column].to_numpy(), meanings)}f",
        )
    return config


def places(pair: Pair, values: Iterable[float], meanings: Meanings) -> int:
    """The decimals configured for a pair's metric, else as many as these numbers of it need."""
    configured = contract(pair.metric, meanings).digits
    return display_digits(values) if configured is None else configured


@st.cache_resource(ttl=SECONDS, max_entries=256, show_spinner=False)
def decimals(
    identity: str,  # noqa: ARG001 - stands for the frames in the cache's key
    meaning: str,  # noqa: ARG001 - stands for the contracts
    pairs: tuple[Pair, ...],
    _frames: Frames,
    _contracts: Contracts,
) -> list[int]:
    """The decimals of each pair's column in the table of versions; 0 where there is none."""
    return [
        places(pair, history.values, _contracts.metrics) if (history := _frames.histories.get(pair)) else 0
        for pair in pairs
    ]


def written(table: pd.DataFrame, columns: Sequence[str], digits: Sequence[int]) -> Styler | pd.DataFrame:
    """A table whose rows are of different metrics, each with the decimals of its own in ``columns``."""
    if unsafe := [column for column in columns if is_unsafe(table[column])]:
        table = table.assign(**{column: as_text(table[column], digits) for column in unsafe})
        columns = [column for column in columns if column not in unsafe]
    if table.size > pd.get_option("styler.render.max_elements"):
        return table
    look = Styler(table)
    for many in dict.fromkeys(digits):
        rows = [here == many for here in digits]
        look = look.format(partial(format_value, digits=many), subset=(rows, [*columns]))
    return look


def is_unsafe(numbers: pd.Series) -> bool:
    """Whether a number is too large for a browser's table."""
    return bool((np.abs(numbers.to_numpy()) >= _UNSAFE).any())


def as_text(numbers: pd.Series, digits: Sequence[int]) -> pd.Series:
    """Numbers as they are written, each with its decimals; nothing where there is none."""
    told = [
        None if np.isnan(number) else format_value(number, many) for number, many in zip(numbers, digits, strict=True)
    ]
    return pd.Series(told, index=numbers.index, dtype="str")


def paged(count: int, size: int, what: str) -> Slice:
    """Draw the pages of a list where it has several, and say which part is shown."""
    pages = page_of(count, size, 1).pages
    part = page_of(count, size, url_controls.page(pages))
    if count == 0:
        st.info(f"No {what} pass the filters. Clear a filter in the sidebar.")
    elif pages > 1:
        st.caption(f"{what.capitalize()} {part.start + 1} to {part.stop} of {count}")
    return part


def legend(hidden: int) -> None:
    """Explain the marks of the table, and say how many number columns are not shown."""
    left_out = f" {counted(hidden, 'more column')} not shown: choose datasets or metrics." if hidden > 0 else ""
    st.caption(
        "**bold** is the best of the versions that pass the filters · ↓ lower is better · ↑ higher is better · "
        f"? unknown.{left_out}"
    )


def side_by_side(
    identity: str, frames: Frames, orders: Sequence[int], dataset_names: Mapping[str, str], contracts: Contracts
) -> Styler | pd.DataFrame:
    """The numbers of a few versions, a row a (dataset, metric) that any of them has, a column a version."""
    chosen = sorted(orders)
    numbers = queries.number_table(frames, list(frames.histories)).iloc[chosen].to_numpy().T
    had = ~np.isnan(numbers).all(axis=1)
    pairs = [pair for pair, present in zip(frames.histories, had, strict=True) if present]
    heads = pd.DataFrame(
        {
            "dataset": [one_line(dataset_names.get(pair.dataset, pair.dataset)) for pair in pairs],
            "metric": [one_line(pair.metric) for pair in pairs],
        },
        dtype="str",
    )
    names = frames.versions["version_name"].iloc[chosen].tolist()
    shown = unique_labels([*heads.columns, *map(one_line, names)])[heads.shape[1] :]
    table = pd.concat([heads, pd.DataFrame(numbers[had], columns=shown)], axis="columns")
    digits = decimals(identity, contracts.fingerprint, tuple(pairs), frames, contracts)
    order = table.sort_values(["dataset", "metric"], kind="stable").index
    return written(table.loc[order].reset_index(drop=True), shown, [digits[at] for at in order])


def version_links(model_id: str, name: str) -> None:
    """Links to one version in detail and to its comparison."""
    with st.container(horizontal=True, key="version-links"):
        told = escape_markdown(name, 60)
        app_frame.link(app_frame.VERSIONS, f"Open {told}", model=model_id, version=name)
        app_frame.link(app_frame.COMPARE, f"Compare {told} with the approved version", model=model_id, candidate=name)


def compare_link(model_id: str, frames: Frames, ticked: Sequence[int]) -> None:
    """Link to the comparison of the ticked versions: the newest of two is the candidate, of more all are."""
    names = frames.versions["version_name"].iloc[sorted(ticked, reverse=True)].tolist()
    if len(names) == 2:
        app_frame.link(
            app_frame.COMPARE, "Compare the newer with the older", model=model_id, candidate=names[0], baseline=names[1]
        )
    else:
        app_frame.link(app_frame.COMPARE, "Compare them with the approved version", model=model_id, candidate=names)


def name_column(label: str, names: pd.Series, *, pinned: bool = False) -> Any:
    """A column of names, as wide as they are up to where long ones would leave no room for the numbers."""
    is_long = names.str.len().max() > _LONG_NAME
    return st.column_config.TextColumn(label, pinned=pinned, width="medium" if is_long else None)


def height(rows: int) -> Literal["content"] | int:
    """The height of a table of so many rows: as many as it has, up to where it scrolls."""
    return "content" if rows <= _ROWS_IN_SIGHT else _SCROLLING_PIXELS

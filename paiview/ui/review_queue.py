"""The queue on the page of models: a table of the versions that wait for review, and the controls above it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pandas as pd
import streamlit as st

from paiview.decisions.decision import Decision, Overall, Word
from paiview.figures.sparkline import mean_effects
from paiview.figures.style import distinct_labels
from paiview.registry.review_queue import (
    MAX_JUDGED,
    VERDICTS,
    ModelQueue,
    QueuedVersion,
    judge_pending,
    most_promising_first,
)
from paiview.text import counted, escape_markdown, one_line, shorten_front
from paiview.ui import app_frame, url_controls
from paiview.ui.cache_keys import TTL_SECONDS, key_of
from paiview.ui.model_data import ModelData
from paiview.ui.model_list import ListedModel, ReadModel

_ROW_PIXELS: Final = 34
_ROWS_IN_SIGHT: Final = 12
HEIGHT_PIXELS: Final = _ROW_PIXELS * (_ROWS_IN_SIGHT + 1) + _ROW_PIXELS // 2
"""Of the table when it scrolls: the half row at its end says so."""
_LABEL_CHARACTERS: Final = 25
"""Of a version's name; the browser would cut off the end, in which versions differ."""
_CLICK: Final = "queue-click"
_TARGET: Final = "queue-target"
"""The session entry of the version that was clicked, which the next run opens."""
_CHIPS: Final[Mapping[Word, tuple[str, str]]] = {
    "Better": ("▲ Better", "blue"),
    "Trade-off": ("▲▼ Trade-off", "yellow"),
    "Worse": ("▼ Worse", "orange"),
    "Incomplete": ("○ Incomplete", "yellow"),
    "Too close to call": ("= Too close", "gray"),
    "Not comparable": ("? Not comparable", "gray"),
}
_ASSUMED: Final = "? assumed"
_WARNING: Final = "!"
_POLICY: Final[Mapping[Overall, tuple[str, str]]] = {
    "pass": ("✓ passes", "blue"),
    "fail": ("✕ fails", "orange"),
    "undecided": ("? undecided", "yellow"),
}
_EMPTY: Final = "·"


class _JudgedModel(NamedTuple):
    """The queue of one model.

    Attributes:
        listed: the model.
        queue: its Pending versions.
        labels: VersionName to a label; those of long names are short and differ.
        trends: VersionName to the line of effects, of each version that has one.
    """

    listed: ListedModel
    queue: ModelQueue
    labels: Mapping[str, str]
    trends: Mapping[str, list[float]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Waiting:
    """What waits for review.

    Attributes:
        models: the models that could be read.
        unread: how many models could not be read.
        left_out: how many models were not asked about.
    """

    models: Sequence[_JudgedModel]
    unread: int
    left_out: int

    def count(self, *, with_superseded: bool) -> int:
        """How many versions wait."""
        return sum(model.queue.waiting(with_superseded=with_superseded) for model in self.models)

    def unjudged(self, *, with_superseded: bool) -> int:
        """How many of them are not judged."""
        return sum(model.queue.left_out(with_superseded=with_superseded) for model in self.models)


class _Row(NamedTuple):
    model: _JudgedModel
    version: QueuedVersion

    @property
    def target(self) -> tuple[str, str]:
        """ModelId and VersionName."""
        return self.model.listed.model_id, self.version.decision.candidate


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Selection:
    """The part of the queue that is shown; without ``verdicts`` all of them."""

    waiting: Waiting
    with_superseded: bool
    verdicts: Sequence[str] = ()

    def key(self) -> str:
        models = [model.listed.key() for model in self.waiting.models]
        return key_of(self.with_superseded, tuple(self.verdicts), tuple(models))


def open_clicked() -> None:
    """End the run where a version of the queue was clicked, and show its comparison."""
    target = st.session_state.pop(_TARGET, None)
    if target is not None:
        model_id, name = target
        # Compare writes no more than these into its URL, so that one Back comes back.
        app_frame.go(app_frame.COMPARE, model=model_id, candidate=name)


def judged(read: Sequence[ReadModel], left_out: int) -> Waiting:
    """Judge the Pending versions of models.

    Args:
        read: the models that were read.
        left_out: how many models were not.
    """
    models = [_judged(listed=model.listed) for model in read if model.listed is not None]
    return Waiting(models=models, unread=sum(model.error is not None for model in read), left_out=left_out)


@st.cache_resource(ttl=TTL_SECONDS, max_entries=256, show_spinner=False, hash_funcs={ListedModel: ListedModel.key})
def _judged(listed: ListedModel) -> _JudgedModel:
    queue = judge_pending(listed.snapshot, listed.contracts)
    decisions = [version.decision for version in queue.judged]
    names = [decision.candidate for decision in decisions]
    labels = dict(zip(names, distinct_labels(names, _LABEL_CHARACTERS), strict=True))
    return _JudgedModel(listed, queue, labels, _trends(listed.data, decisions))


def _trends(data: ModelData, decisions: Sequence[Decision]) -> dict[str, list[float]]:
    names = data.frames.versions["version_name"].tolist()
    positions = {name: position for position, name in reversed([*enumerate(names)])}
    return {
        decision.candidate: mean_effects(
            data.frames, positions[decision.candidate], positions[decision.baseline], data.contracts.metrics
        )
        for decision in decisions
        if decision.baseline is not None
    }


def draw(waiting: Waiting) -> None:
    """Draw the queue with its controls."""
    superseded = waiting.count(with_superseded=True) - waiting.count(with_superseded=False)
    with st.container(key="queue-bar", horizontal=True, vertical_alignment="center"):
        heading = st.container(width="content")
        pills = st.container(width="content")
        actions = st.container(key="queue-actions", horizontal=True, vertical_alignment="center", width="content")
    with_superseded = superseded > 0 and actions.toggle(
        f"Also {superseded} older than what is approved", key="superseded", bind="query-params"
    )
    count = waiting.count(with_superseded=with_superseded)
    heading.header(f"{count} waiting for review", anchor=False)
    if count:
        with pills:
            verdicts = _choose_verdicts(_rows(selection=_Selection(waiting=waiting, with_superseded=with_superseded)))
        selection = _Selection(waiting=waiting, with_superseded=with_superseded, verdicts=verdicts)
        rows = _rows(selection=selection)
        if rows:
            with actions:
                _draw_link(rows[0])
        _draw_table(selection, rows)
    else:
        _draw_empty(waiting)
    if sentences := _sentences(waiting, count, with_superseded):
        st.caption(" ".join(sentences))


def _choose_verdicts(rows: Sequence[_Row]) -> list[str]:
    counts = Counter(row.version.decision.summary.word for row in rows)
    requested = st.query_params.get_all("verdict")
    options = {}
    for word, value in VERDICTS.items():
        if counts[word] or value in requested:
            glyph, _, text = _CHIPS[word][0].partition(" ")
            options[value] = f"{glyph} {counts[word]} {text.lower()}"
    return url_controls.picks("Verdict", options, key="verdict")


def _draw_link(row: _Row) -> None:
    model_id, name = row.target
    app_frame.link(app_frame.COMPARE, f"**Review {escape_markdown(name, 40)} →**", model=model_id, candidate=name)


def _draw_empty(waiting: Waiting) -> None:
    with st.container(border=True, key="queue-empty"):
        if waiting.unread and not waiting.models:
            st.markdown(":material/help: **What waits for review is not known**: no model could be read.")
        else:
            st.markdown(
                ":material/task_alt: **Nothing waits for review.** A version waits from its registration in PAI until "
                "somebody approves or rejects it there."
            )


def _sentences(waiting: Waiting, count: int, with_superseded: bool) -> list[str]:
    """What the queue is made of, and what it leaves out."""
    sentences = []
    if count:
        sentences.append(
            "Most promising first: what passes the policy, then what can be compared. A click on a version opens its "
            "comparison. Approval in PAI is final."
        )
    if unjudged := waiting.unjudged(with_superseded=with_superseded):
        verb = "is" if unjudged == 1 else "are"
        sentences.append(f"{unjudged} older {verb} not judged here: of each model the newest {MAX_JUDGED} are.")
    if waiting.unread:
        verb = "is" if waiting.unread == 1 else "are"
        sentences.append(f"{counted(waiting.unread, 'model')} {verb} left out: their versions could not be read.")
    if waiting.left_out:
        verb = "is" if waiting.left_out == 1 else "are"
        sentences.append(
            f"{counted(waiting.left_out, 'model')} {verb} left out: only those changed last are asked about. Filter "
            "them in the sidebar."
        )
    return sentences


def _draw_table(selection: _Selection, rows: Sequence[_Row]) -> None:
    def note_click() -> None:
        row = st.session_state[_CLICK].row
        if row < len(rows):
            st.session_state[_TARGET] = rows[row].target

    config = _column_config(rows)
    config["version"] = st.column_config.ButtonColumn(
        "Version", width=178, type="tertiary", alignment="left", key=_CLICK, on_click=note_click
    )
    with st.container(key="queue-table"):
        st.dataframe(
            _table(selection=selection),
            key="queue-rows",
            hide_index=True,
            column_config=config,
            row_height=_ROW_PIXELS,
            height=HEIGHT_PIXELS if len(rows) > _ROWS_IN_SIGHT else "content",
            placeholder=_EMPTY,
            alt="Versions that wait for review",
        )


@st.cache_resource(ttl=TTL_SECONDS, max_entries=64, show_spinner=False, hash_funcs={_Selection: _Selection.key})
def _rows(selection: _Selection) -> list[_Row]:
    """The versions shown, in order."""
    rows = {
        id(version): _Row(model, version)
        for model in selection.waiting.models
        for version in model.queue.judged
        if selection.with_superseded or not version.superseded
    }
    ordered = [rows[id(version)] for version in most_promising_first(row.version for row in rows.values())]
    chosen = selection.verdicts
    return [row for row in ordered if not chosen or VERDICTS[row.version.decision.summary.word] in chosen]


@st.cache_resource(ttl=TTL_SECONDS, max_entries=64, show_spinner=False, hash_funcs={_Selection: _Selection.key})
def _table(selection: _Selection) -> pd.DataFrame:
    """The table, a row for each of ``_rows``."""
    rows = _rows(selection=selection)
    decisions = [row.version.decision for row in rows]
    summaries = [decision.summary for decision in decisions]
    worst = [summary.worst for summary in summaries]
    return pd.DataFrame(
        {
            "verdict": [_verdict_chips(decision) for decision in decisions],
            "version": [f"{row.model.labels[row.version.decision.candidate]} ›" for row in rows],
            "model": [one_line(row.model.listed.name, 80) for row in rows],
            "policy": [[_POLICY[decision.overall][0]] for decision in decisions],
            "better": _counts([summary.better for summary in summaries]),
            "worse": _counts([summary.worse for summary in summaries]),
            "missing": _counts([summary.missing for summary in summaries]),
            "worst": [None if pair is None or pair.effect is None else 100 * pair.effect for pair in worst],
            "on": [
                None if pair is None else _result_text(row.model, pair.dataset, pair.metric)
                for row, pair in zip(rows, worst, strict=True)
            ],
            "trend": [row.model.trends.get(row.version.decision.candidate, []) for row in rows],
            "against": [None if name is None else one_line(name, 80) for name in (d.baseline for d in decisions)],
            "created": pd.Series([row.version.created for row in rows], dtype="datetime64[us, UTC]"),
        }
    ).astype({"worst": "float64"})


def _verdict_chips(decision: Decision) -> list[str]:
    assumed = [_ASSUMED] if decision.summary.assumed else []
    return [_CHIPS[decision.summary.word][0], *assumed, *([_WARNING] if decision.notes else [])]


def _counts(values: Sequence[int]) -> pd.Series:
    """Counts in which 0 is missing, so that the others are seen."""
    return pd.Series([value or None for value in values], dtype="Int64")


def _result_text(model: _JudgedModel, dataset: str, metric: str) -> str:
    name = model.listed.data.dataset_names.get(dataset, dataset)
    return f"{shorten_front(name, 60)} · {one_line(metric, 60)}"


def _column_config(rows: Sequence[_Row]) -> dict[str, Any]:
    chips = [*_CHIPS.values(), (_ASSUMED, "yellow"), (_WARNING, "yellow")]
    is_marked = any(row.version.decision.summary.assumed for row in rows)
    is_warned = any(row.version.decision.notes for row in rows)
    column = st.column_config
    return {
        "verdict": column.MultiselectColumn(
            "Verdict",
            width=118 + 76 * is_marked + 24 * is_warned,
            pinned=True,
            options=[text for text, _ in chips],
            color=[colour for _, colour in chips],
            help="**? assumed**: the direction of a metric that decides is only assumed. **!**: the comparison has a "
            "warning, for example that the baseline is not approved.",
        ),
        "model": column.TextColumn("Model", width=130),
        "policy": column.MultiselectColumn(
            "Policy",
            width=82,
            options=[text for text, _ in _POLICY.values()],
            color=[colour for _, colour in _POLICY.values()],
            help="Whether the rules of paiview.toml pass, fail, or leave something open",
        ),
        "better": column.NumberColumn("▲", width=36, help="Results that are better"),
        "worse": column.NumberColumn("▼", width=36, help="Results that are worse"),
        "missing": column.NumberColumn("○", width=36, help="Results of the baseline that are missing"),
        "worst": column.NumberColumn("Worst", width=70, format="%+.1f %%", help="The worst effect of those worse"),
        "on": column.TextColumn("on", width=140, help="The dataset and metric of the worst effect"),
        "trend": column.LineChartColumn(
            "Trend ↑ better",
            width=96,
            color="#0072B2",
            help="Mean effect of the main metric against the version in **Against**: the last 24 versions up to this "
            "one. The grey line is no change.",
        ),
        "against": column.TextColumn("Against", width=104, help="The version it is compared with"),
        "created": column.DatetimeColumn("Created", width=84, format="distance", timezone="UTC"),
    }

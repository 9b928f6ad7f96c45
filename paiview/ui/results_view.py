"""The results of a comparison: the table of pairs, the matrix of several candidates, the averages, the Pareto plot."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from paiview.decisions.decision import GLYPHS, Decision, PairDecision, State
from paiview.decisions.pair_rows import PairRow
from paiview.decisions.wording import digits_by_metric, percent
from paiview.evaluation.frames import Pair, column_names
from paiview.evaluation.metric_meaning import format_value
from paiview.figures.pareto import means
from paiview.figures.style import BETTER, WORSE, metrics_of, tint
from paiview.reports import plain_text
from paiview.text import counted, escape_markdown, one_line, shorten_front, unique_labels
from paiview.ui import cache_keys, charts, url_controls, versions_table

_TINTS: Mapping[State, str] = {
    "better": f"background-color: {tint(BETTER, 0.22)}",
    "worse": f"background-color: {tint(WORSE, 0.26)}",
    "missing": f"background-color: {tint(WORSE, 0.12)}",
}
_NUMBERS = ("effect", "baseline", "candidate", "change")
"""In the order of their use: a narrow window cuts the last ones off."""
_HELP = {
    "effect": "Share of the baseline, positive is better. Of an accuracy the larger of gain and reduced errors.",
    "change": "Candidate minus baseline, in the metric's unit",
}
_NAME = 20
"""Characters of the name of a metric that its column has room for."""
_MOST_AXES = 100
_AXIS_PIXELS = 320
_MAX_AVERAGES = 20
_MATRIX_ROWS_IN_SIGHT = 18
_MATRIX_PIXELS = 640


def draw_pairs(rows: Sequence[PairRow], decisions: Sequence[Decision]) -> None:
    """Draw the table of pairs, made once for what it shows.

    Args:
        rows: of ``paiview.decisions.pair_rows.pair_rows``, those on the screen.
        decisions: those they are of.
    """
    _draw_pairs(rows=_Rows(rows, decisions))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    shown: Sequence[PairRow]
    decisions: Sequence[Decision]

    def key(self) -> str:
        shown = [(row.candidate, *row.pair.pair) for row in self.shown]
        return cache_keys.key_of(charts.identity_of(self.decisions), *shown)


@st.cache_data(
    ttl=cache_keys.TTL_SECONDS,
    max_entries=cache_keys.MAX_DECISION_ENTRIES,
    show_spinner=False,
    hash_funcs={_Rows: _Rows.key},
)
def _draw_pairs(rows: _Rows) -> None:
    decisions = rows.decisions
    with_version = len(decisions) > 1
    judged = [row.pair for row in rows.shown]
    notes = [plain_text.pair_note(pair) or None for pair in judged]
    table = pd.DataFrame(
        {
            **({"version": [one_line(row.candidate) for row in rows.shown]} if with_version else {}),
            "state": [plain_text.STATES[pair.state] for pair in judged],
            "dataset": [one_line(shorten_front(pair.name or pair.dataset, 60)) for pair in judged],
            "metric": [one_line(pair.metric) for pair in judged],
            **{number: np.array([getattr(pair, number) for pair in judged], dtype=np.float64) for number in _NUMBERS},
            **({"note": notes} if any(note is not None for note in notes) else {}),
            # Links and the filter know a dataset by its id.
            **(
                {"dataset id": [one_line(pair.dataset) for pair in judged]} if any(pair.name for pair in judged) else {}
            ),
        }
    )
    by_metric = digits_by_metric(judged, metrics_of(decisions))
    digits = [by_metric[pair.metric] for pair in judged]
    written = _written(judged, digits)
    unsafe = [number for number in _NUMBERS if versions_table.is_unsafe(table[number])]
    for number in unsafe:
        table[number] = pd.Series(written[number], dtype="str")
    look = Styler(table)
    for places in dict.fromkeys(digits):
        plainly, signed = _formatter(places, signed=False), _formatter(places, signed=True)
        formatters = {"baseline": plainly, "candidate": plainly, "change": signed, "effect": _percent}
        formats: dict[str, Any] = {number: form for number, form in formatters.items() if number not in unsafe}
        at = None if len({*digits}) == 1 else ([here == places for here in digits], [*formats])
        look = look.format(formats, subset=at)
    tints = [_TINTS.get(pair.state, "") for pair in judged]
    look = look.apply(lambda _: tints, subset=["state"])
    st.dataframe(
        look,
        hide_index=True,
        height="content" if len(table) <= 20 else 720,
        placeholder="–",
        alt="Every pair of the comparison",
        column_config={
            **({"version": versions_table.name_column("version", table["version"])} if with_version else {}),
            "dataset": versions_table.name_column("dataset", table["dataset"]),
            "metric": st.column_config.TextColumn(
                "metric", width=min(_widest("metric", [*table["metric"]]), _pixels(_NAME))
            ),
            **{
                name: st.column_config.Column(
                    name, width=_widest(name, written[name]), help=_HELP.get(name), alignment="right"
                )
                for name in _NUMBERS
            },
        },
    )


def _written(judged: Sequence[PairDecision], digits: Sequence[int]) -> dict[str, list[str | None]]:
    """The numbers of each column as the table shows them, each with the decimals of its row."""
    written: dict[str, list[str | None]] = {name: [] for name in _NUMBERS}
    for pair, places in zip(judged, digits, strict=True):
        for name, texts in written.items():
            value: float | None = getattr(pair, name)
            if value is None:
                texts.append(None)
            elif name == "effect":
                texts.append(_percent(value))
            else:
                texts.append(format_value(value, places, signed=name == "change"))
    return written


def _widest(name: str, written: Sequence[str | None]) -> int:
    """The pixels of a column: left to itself the table cuts those it finds unusually long."""
    return _pixels(max(map(len, filter(None, [name, *written]))))


def _pixels(characters: int) -> int:
    """The width of a column with this many characters."""
    return int(7.5 * characters) + 18


def _percent(share: object) -> str:
    return "–" if not isinstance(share, float) or math.isnan(share) else percent(share)


def _unclear_percent(share: object) -> str:
    return f"{GLYPHS['unclear']} {_percent(share)}"


def _formatter(digits: int, *, signed: bool) -> Callable[[object], str]:
    def text(value: object) -> str:
        return format_value(value, digits, signed=signed) if isinstance(value, float) else "–"

    return text


def draw_matrix(rows: Sequence[PairRow], decisions: Sequence[Decision]) -> None:
    """Draw the effects of several candidates: a row for each pair, a column for each candidate, made once.

    Args:
        rows: of ``paiview.decisions.pair_rows.pair_rows``; the pairs appear in their order.
        decisions: those they are of.
    """
    _draw_matrix(rows=_Rows(rows, decisions))


@st.cache_data(
    ttl=cache_keys.TTL_SECONDS,
    max_entries=cache_keys.MAX_DECISION_ENTRIES,
    show_spinner=False,
    hash_funcs={_Rows: _Rows.key},
)
def _draw_matrix(rows: _Rows) -> None:
    decisions = rows.decisions
    shown = {row.pair.pair: row.pair for row in rows.shown}
    judged = [{pair.pair: pair for pair in decision.pairs} for decision in decisions]
    candidates = unique_labels(["dataset", "metric", "baseline", *(one_line(each.candidate) for each in decisions)])[3:]
    baselines = {(decision.baseline_model, decision.baseline) for decision in decisions}
    digits = digits_by_metric([pair for of in judged for pair in of.values()], metrics_of(decisions))
    table = pd.DataFrame(
        {
            "dataset": [one_line(shorten_front(pair.name or pair.dataset, 60)) for pair in shown.values()],
            "metric": [one_line(pair.metric) for pair in shown.values()],
            **(
                {
                    "baseline": [
                        None if pair.baseline is None else format_value(pair.baseline, digits[pair.metric])
                        for pair in shown.values()
                    ]
                }
                if len(baselines) == 1
                else {}
            ),
            **{
                name: np.array([_effect_of(of.get(pair)) for pair in shown], dtype=np.float64)
                for name, of in zip(candidates, judged, strict=True)
            },
        }
    )
    sizes = np.abs(table[candidates].to_numpy())
    clip = float(np.clip(np.nanquantile(sizes, 0.9), 0.05, 1.0)) if np.isfinite(sizes).any() else 1.0
    tints = pd.DataFrame("", index=table.index, columns=table.columns)
    for name, of in zip(candidates, judged, strict=True):
        tints[name] = [_matrix_tint(of.get(pair), clip) for pair in shown]
    look = Styler(table).format(dict.fromkeys(candidates, _percent)).apply(lambda _: tints, axis=None)
    has_unclear = False
    for name, of in zip(candidates, judged, strict=True):
        unclear = [(cell := of.get(pair)) is not None and cell.state == "unclear" for pair in shown]
        if any(unclear):
            has_unclear = True
            look = look.format({name: _unclear_percent}, subset=(unclear, [name]))
    st.dataframe(
        look,
        hide_index=True,
        height="content" if len(table) <= _MATRIX_ROWS_IN_SIGHT else _MATRIX_PIXELS,
        placeholder="○",
        alt="The effect of each candidate on each dataset",
        column_config={
            "dataset": versions_table.name_column("Dataset", table["dataset"], pinned=True),
            "metric": st.column_config.TextColumn("Metric"),
            "baseline": st.column_config.TextColumn("Baseline", alignment="right"),
            **{name: st.column_config.NumberColumn(name, alignment="right") for name in candidates},
        },
    )
    st.caption(
        f"Effect against the baseline, positive is better; full colour from {percent(clip).lstrip('+')}. "
        "○ missing, new or not comparable." + (f" {GLYPHS['unclear']} may be chance." if has_unclear else "")
    )


def _effect_of(pair: PairDecision | None) -> float:
    return math.nan if pair is None or pair.effect is None else pair.effect


def _matrix_tint(pair: PairDecision | None, clip: float) -> str:
    """The background of a cell: only what counts has one, the stronger the larger the effect."""
    if pair is None or pair.effect is None or pair.state not in ("better", "worse"):
        return ""
    strength = 0.06 + 0.42 * min(abs(pair.effect) / clip, 1.0)
    return f"background-color: {tint(BETTER if pair.state == 'better' else WORSE, strength)}"


def draw_pareto(decisions: Sequence[Decision]) -> None:
    """Draw the candidates by two of their numbers, and name for each excluded one what dominates it."""
    options = _axes(decisions)
    if len(options) < 2:
        return
    st.subheader("Which candidates are worth a look", anchor=False)
    first, second, *_ = options
    shown = {key: one_line(key, 100) for key in options}
    with st.container(key="axes", horizontal=True, vertical_alignment="center"):
        st.caption("Across", width="content")
        across = url_controls.choice("Across", shown, key="x", default=first, width=_AXIS_PIXELS, is_label_shown=False)
        st.caption("up", width="content")
        up = url_controls.choice("Up", shown, key="y", default=second, width=_AXIS_PIXELS, is_label_shown=False)
    x, y = across or first, up or second
    info = charts.pareto(decisions, options[x], options[y])
    if not info.names:
        st.caption("No version has both numbers. A mean is over the datasets that all versions with the metric share.")
        return
    excluded: dict[str, list[str]] = {}
    for name, by in zip(info.names, info.dominators, strict=True):
        if by is not None:
            excluded.setdefault(by, []).append(name)
    caption = "; ".join(
        f"dominated by {escape_markdown(by, 80)}: {escape_markdown(', '.join(names), 600)}"
        for by, names in excluded.items()
    )
    if caption:
        caption = caption[:1].upper() + caption[1:]
    else:
        drawn = " drawn" if info.left_out else ""
        caption = f"No version{drawn} is dominated: each is the best trade of the two"
    missing = f" Not drawn: {escape_markdown(', '.join(info.left_out), 300)}." if info.left_out else ""
    st.caption(f"{caption}.{missing}")


def _axes(decisions: Sequence[Decision]) -> dict[str, Pair | str]:
    """What an axis can show, by its name: the mean of a metric, or a pair; what most candidates have comes first.

    A mean over datasets that are not those of all comes last: nothing can be drawn by it.
    """
    metrics: Counter[str] = Counter()
    draw_pairs: Counter[Pair] = Counter()
    for decision in decisions:
        measured = [pair for pair in decision.pairs if pair.candidate is not None and pair.direction is not None]
        metrics.update({pair.metric for pair in measured})
        draw_pairs.update(pair.pair for pair in measured)
    most = [pair for pair, _ in draw_pairs.most_common(_MOST_AXES)]
    axes: dict[str, Pair | str] = {f"{metric}, mean": metric for metric in metrics}
    axes |= dict(zip(column_names(most), most, strict=True))
    averaged = means(decisions)
    held = {
        name: draw_pairs[axis] if isinstance(axis, Pair) else metrics[axis] if axis in averaged else 0
        for name, axis in axes.items()
    }
    return dict(sorted(axes.items(), key=lambda item: -held[item[0]]))


def explain_deltas(left_out: Mapping[State, int], at_the_edge: int, *, whole_rows: bool, has_whiskers: bool) -> None:
    """Say how to read the delta dot plot, and what it does not show.

    Args:
        left_out: pairs that are not drawn, by their state.
        at_the_edge: marks whose effect is larger than the scale.
        whole_rows: whether a filter of states kept some candidates of a row, of which the plot draws all.
        has_whiskers: whether any result has an interval.
    """
    caption = "Right of the line is better than the baseline; the band is the tolerance."
    if has_whiskers:
        caption += f" {plain_text.WHISKER}"
    if whole_rows:
        caption += " A row shows all candidates where one of them is in a state that was chosen."
    if left_out:
        caption += f" {_not_drawn(left_out)}"
    if at_the_edge:
        caption += f" {counted(at_the_edge, 'mark')} at the edge: the effect is larger than the scale."
    st.caption(caption)


def _not_drawn(left_out: Mapping[State, int]) -> str:
    return f"Not drawn: {plain_text.by_state(left_out)}. Choose datasets, metrics or states; the table has all."


def explain_dumbbells(left_out: Mapping[State, int]) -> None:
    """Say what the dumbbells do not show."""
    missing = f" {_not_drawn(left_out)}" if left_out else ""
    st.caption(f"Each panel in the unit of its metric.{missing}")


def draw_not_judged(decisions: Sequence[Decision]) -> None:
    """Draw, folded, the results that are no scores, such as spreads and counts: no verdict rests on them."""
    pairs = [pair for decision in decisions for pair in decision.pairs if pair.state == "not_judged"]
    if not pairs:
        return
    with st.expander(f"Not judged: {counted(len(pairs), 'result')} of metrics that are no scores, or ignored"):
        table = {
            "metric": [one_line(pair.metric) for pair in pairs],
            "dataset": [one_line(shorten_front(pair.name or pair.dataset, 60)) for pair in pairs],
            "baseline": [pair.baseline for pair in pairs],
            "candidate": [pair.candidate for pair in pairs],
        }
        st.dataframe(pd.DataFrame(table), hide_index=True, placeholder="–", alt="Results that are not judged")


def draw_averages(decision: Decision) -> None:
    """Draw the means over the datasets that both sides have, a line a metric, and where they name different winners."""
    rows = plain_text.average_rows(decision)
    if not rows:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("On average", anchor=False, width="content")
        st.caption("over the datasets that both have; different metrics are never averaged together", width="content")
    lines = [
        f"**{escape_markdown(row.metric)}** · {row.n} {'dataset' if row.n == '1' else 'datasets'} · "
        f"mean {row.baseline} → {row.candidate} · "
        f"mean gain **{row.gain}** · geometric ratio {row.ratio}"
        for row in rows[:_MAX_AVERAGES]
    ]
    st.markdown("  \n".join(lines))
    if len(rows) > _MAX_AVERAGES:
        st.caption(f"{counted(len(rows) - _MAX_AVERAGES, 'more metric')}: the report has all.")
    for remark in plain_text.average_remarks(decision):
        st.caption(escape_markdown(remark, 1000))

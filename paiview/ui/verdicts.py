"""A decision drawn: the word and the headline, the table of pairs, the averages and the rules."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from paiview import verdict
from paiview.decision import Average, Decision, Word
from paiview.frames import Pair, column_names
from paiview.metrics import display_digits, format_value
from paiview.report import OUTCOMES, STATES, WORDS
from paiview.text import counted, markdown, plain, shorten_front
from paiview.ui import charts, state

_COLOURS: dict[Word, str] = {
    "Better": "blue",
    "Worse": "orange",
    "Trade-off": "orange",
    "Incomplete": "orange",
    "Too close to call": "gray",
    "Not comparable": "gray",
}
_OVERALL = {
    "pass": ":blue-badge[✓ policy: pass]",
    "fail": ":orange-badge[✕ policy: fail]",
    "undecided": ":gray-badge[? policy: undecided]",
}
_TINTS = {
    STATES["better"]: "background-color: rgba(0, 114, 178, 0.22)",
    STATES["worse"]: "background-color: rgba(213, 94, 0, 0.26)",
    STATES["missing"]: "background-color: rgba(213, 94, 0, 0.12)",
}
_MOST_AXES = 100
_NAMED = 12
"""Missing and new datasets named in a line; the table holds all."""


def headline(decision: Decision) -> None:
    """Draw one decision's answer: the word, both sides with the reason, and a sentence a metric."""
    word = decision.summary.word
    st.markdown(f"## :{_COLOURS[word]}[{WORDS[word]}] &nbsp; {_OVERALL[decision.overall]}")
    st.markdown(_sides(decision))
    st.markdown("\n".join(f"- {markdown(sentence, 600)}" for sentence in verdict.headline(decision)))
    for unpaired, told in (("missing", "Missing from the candidate"), ("new", "New, without a number to compare with")):
        if named := _pairs_of(decision, unpaired):
            st.caption(f"{told}: {named}")
    if not any(pair.uncertain is not None for pair in decision.pairs) and decision.baseline is not None:
        st.caption("Significance cannot be judged: the registry holds no counts of the items scored.")


def several(decisions: Sequence[Decision]) -> None:
    """Draw the answers of several candidates, one row each."""
    count = len(decisions)
    st.markdown(f"**{count} candidates against {_baseline(decisions[0])}**")
    table = pd.DataFrame(
        {
            "version": [plain(decision.candidate) for decision in decisions],
            "verdict": [WORDS[decision.summary.word] for decision in decisions],
            "policy": [decision.overall for decision in decisions],
            **{
                state: [getattr(decision.summary, state) for decision in decisions]
                for state in ("better", "worse", "same", "missing", "new")
            },
            "not comparable": [decision.summary.not_comparable for decision in decisions],
            "worst": [_worst(decision) for decision in decisions],
        }
    )
    st.dataframe(table, hide_index=True, height="content", placeholder="–", alt="The verdict on each candidate")
    st.caption(f"Chosen among {count}: picking the best of many on the same test sets flatters the winner.")


def pairs(rows: pd.DataFrame, *, with_version: bool) -> None:
    """Draw the table of pairs.

    Args:
        rows: of ``paiview.views.pair_rows``.
        with_version: whether the rows belong to several candidates.
    """
    table = pd.DataFrame(
        {
            **({"version": rows["version"].map(plain)} if with_version else {}),
            "dataset": [plain(shorten_front(name, 60)) for name in rows["name"]],
            "metric": rows["metric"].map(plain),
            "baseline": rows["baseline"],
            "candidate": rows["candidate"],
            "change": rows["change"],
            "effect": rows["effect"],
            "state": rows["state"].map(STATES),
            "note": rows["note"].map(plain, na_action="ignore"),
        }
    )
    if table["note"].isna().all():
        del table["note"]
    look = Styler(table).format(_percent, subset=["effect"])
    for metric, part in rows.groupby("metric", sort=False):
        digits = display_digits(part[["baseline", "candidate"]].to_numpy().ravel())
        at = rows.index[rows["metric"] == metric]
        look = look.format(_formatter(digits, signed=False), subset=(at, ["baseline", "candidate"]))
        look = look.format(_formatter(digits, signed=True), subset=(at, ["change"]))
    tints = table["state"].map(_TINTS.get).fillna("")
    look = look.apply(lambda _: tints, subset=["state"])
    st.dataframe(
        look,
        hide_index=True,
        height="content" if len(table) <= 20 else 720,
        placeholder="–",
        alt="Every pair of the comparison",
        column_config={
            "effect": st.column_config.Column(
                "effect",
                help="Share of the baseline, positive is better. Of an accuracy the larger of gain and reduced errors.",
            ),
            "change": st.column_config.Column("change", help="Candidate minus baseline, in the metric's unit"),
        },
    )


def _percent(share: object) -> str:
    return "–" if not isinstance(share, float) or math.isnan(share) else verdict.percent(share)


def _formatter(digits: int, *, signed: bool) -> Callable[[object], str]:
    def text(value: object) -> str:
        return format_value(value, digits, signed=signed) if isinstance(value, float) else "–"

    return text


def pareto(decisions: Sequence[Decision]) -> None:
    """Draw the candidates by two of their numbers, and name for each excluded one what dominates it."""
    options = _axes(decisions)
    if len(options) < 2:
        return
    st.subheader("Which candidates are worth a look", anchor=False)
    first, second, *_ = options
    shown = {key: plain(key, 100) for key in options}
    with st.container(horizontal=True):
        x = state.choice("Across", shown, key="x", default=first) or first
        y = state.choice("Up", shown, key="y", default=second) or second
    info = charts.pareto(decisions, options[x], options[y])
    excluded = [
        f"{markdown(name, 60)} is dominated by {markdown(by, 60)}"
        for name, by in zip(info.names, info.dominators, strict=True)
        if by is not None
    ]
    told = "; ".join(excluded) if excluded else "No candidate is dominated: each is the best trade of the two"
    missing = f" Not drawn: {markdown(', '.join(info.left_out), 300)}." if info.left_out else ""
    st.caption(f"{told}.{missing}")


def _axes(decisions: Sequence[Decision]) -> dict[str, Pair | str]:
    """What an axis can show, by its name: the mean of a metric, or a pair; what most versions have first."""
    metrics: Counter[str] = Counter()
    measured: Counter[Pair] = Counter()
    for decision in decisions:
        for judged in decision.pairs:
            if judged.candidate is not None and judged.direction is not None:
                metrics[judged.metric] += 1
                measured[Pair(judged.metric, judged.dataset)] += 1
    axes: dict[str, Pair | str] = {f"{metric}, mean": metric for metric, _ in metrics.most_common()}
    pairs = [pair for pair, _ in measured.most_common(_MOST_AXES)]
    by_name: dict[str, Pair | str] = dict(zip(column_names(pairs), pairs, strict=True))
    return axes | by_name if len(axes) > 1 else by_name | axes


def about_deltas(left_out: int, at_the_edge: int) -> None:
    """Say how to read the delta dot plot, and what it does not show."""
    told = "Right of the line is better than the baseline; the band is the tolerance."
    if left_out:
        told += f" {counted(left_out, 'less worrying pair')} not drawn: choose datasets or metrics."
    if at_the_edge:
        told += f" {counted(at_the_edge, 'mark')} at the edge: the effect is larger than the scale."
    st.caption(told)


def about_dumbbells(left_out: int) -> None:
    """Say what the dumbbells do not show."""
    told = f" {counted(left_out, 'less worrying pair')} not drawn: choose datasets or metrics." if left_out else ""
    st.caption(f"Each panel in the unit of its metric.{told}")


def averages(decision: Decision) -> None:
    """Draw the means over the datasets that both sides have, and say where they name different winners."""
    rows = [average for average in decision.averages if average.n]
    if not rows:
        return
    table = pd.DataFrame(
        {
            "metric": [plain(average.metric) for average in rows],
            "datasets": [average.n for average in rows],
            "mean, baseline": [_number(average.macro_baseline) for average in rows],
            "mean, candidate": [_number(average.macro_candidate) for average in rows],
            "geometric ratio": [_number(average.geometric_ratio) for average in rows],
            "mean gain": ["–" if average.mean_gain is None else verdict.percent(average.mean_gain) for average in rows],
        }
    )
    st.dataframe(table, hide_index=True, height="content", alt="Averages over the datasets that both versions have")
    for average in rows:
        for sentence in _doubts(average):
            st.caption(sentence)


def rules(decision: Decision, *, named: bool) -> None:
    """Draw what each rule of the policy found; ``named`` tells of which candidate."""
    if named:
        st.markdown(f"**{markdown(decision.candidate)}** {_OVERALL[decision.overall]}")
    for rule in decision.rules:
        st.markdown(f"**{markdown(rule.rule)}** · {OUTCOMES[rule.result]} · {markdown(rule.sentence, 800)}")


def _doubts(average: Average) -> list[str]:
    metric = markdown(average.metric)
    told = []
    if average.disagree:
        told.append(f"{metric}: the averages name different winners, so neither is the answer.")
    if average.turned_by:
        names = ", ".join(markdown(name, 80) for name in average.turned_by[:_NAMED])
        one = "" if len(average.turned_by) == 1 else "any one of "
        told.append(f"{metric}: without {one}{names} the mean gain turns round.")
    return told


def _sides(decision: Decision) -> str:
    return f"**{markdown(decision.candidate)}** against {_baseline(decision)}"


def _baseline(decision: Decision) -> str:
    if decision.baseline is None:
        return f"nothing: {markdown(decision.baseline_reason)}"
    where = f" of {markdown(decision.baseline_model or '')}" if decision.baseline_model != decision.model else ""
    return f"**{markdown(decision.baseline)}**{where} ({markdown(decision.baseline_reason, 300)})"


def _pairs_of(decision: Decision, state: str) -> str:
    names = [
        f"{markdown(pair.name or pair.dataset, 80)} ({markdown(pair.metric, 40)})"
        for pair in decision.pairs
        if pair.state == state
    ]
    more = f" and {counted(len(names) - _NAMED, 'more pair').removesuffix(' pair')}" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _worst(decision: Decision) -> str | None:
    worst = decision.summary.worst
    if worst is None:
        return None
    size = "" if worst.effect is None else f" {verdict.percent(worst.effect)}"
    return plain(f"{shorten_front(worst.dataset, 40)} · {worst.metric}{size}", 120)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}".replace("-", "−")

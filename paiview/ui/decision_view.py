"""A decision drawn: the word and the headline, the table of pairs, the averages and the rules."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from paiview.decisions.decision import Decision, PairDecision, State, Word
from paiview.decisions.pair_rows import PairRow
from paiview.decisions.wording import digits_by_metric, headline, percent
from paiview.evaluation.frames import Pair, column_names
from paiview.evaluation.metric_meaning import format_value
from paiview.figures.pareto import means
from paiview.figures.style import BETTER, WORSE, metrics_of, tint
from paiview.reports import plain_text
from paiview.text import counted, escape_markdown, one_line, shorten_front, strip_controls
from paiview.ui import cache_keys, charts, url_controls, versions_table

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
_TINTS: Mapping[State, str] = {
    "better": f"background-color: {tint(BETTER, 0.22)}",
    "worse": f"background-color: {tint(WORSE, 0.26)}",
    "missing": f"background-color: {tint(WORSE, 0.12)}",
}
_UNPAIRED: dict[State, str] = {
    "missing": "Missing from the candidate",
    "new": "New, without a number to compare with",
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
_NAMED = 12
"""Missing and new datasets named in a line; the table holds all."""


def draw_headline(decision: Decision, statuses: Mapping[str, str]) -> None:
    """Draw one decision's answer: the word, both sides with the reason, and a sentence a metric.

    Args:
        decision: the decision.
        statuses: the approval status of the versions of the candidate's model that are compared, by VersionName.
    """
    colour = _COLOURS[decision.summary.word]
    st.markdown(f"## :{colour}[{plain_text.word(decision)}] &nbsp; {_OVERALL[decision.overall]}")
    status = escape_markdown(statuses.get(decision.candidate, ""))
    is_now = f" ({status})" if status else ""
    st.markdown(
        f"**{escape_markdown(decision.candidate)}**{is_now} {escape_markdown(plain_text.against(decision), 400)}"
    )
    if decision.pairs:
        st.markdown(
            "\n".join(
                f"- {escape_markdown(sentence, 600)}" for sentence in plain_text.cut(headline(decision), "metric")
            )
        )
    else:
        st.markdown("Neither version has an evaluation result.")
    for unpaired, sentence in _UNPAIRED.items():
        if named := plain_text.names(decision, unpaired):
            more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
            st.caption(f"{sentence}: {escape_markdown(', '.join(named[:_NAMED]), 2000)}{more}")
    draw_doubts(decision)
    _caution([decision])


def draw_doubts(decision: Decision) -> None:
    """Draw what keeps the decision open, each with the lines of paiview.toml that settle it."""
    for doubt in plain_text.open_doubts(decision):
        mark = "accepted by the policy" if doubt.accepted else "**open**"
        st.markdown(f"{mark} · {escape_markdown(doubt.sentence, 800)}")
    lines = [doubt.toml for doubt in decision.doubts if doubt.toml and not doubt.accepted]
    if lines:
        with st.expander("Lines for paiview.toml that settle it"):
            # One block for each doubt: two of them may set the same table.
            for block in lines:
                st.code(strip_controls(block), language="toml")


def draw_several(decisions: Sequence[Decision], statuses: Mapping[str, str]) -> None:
    """Draw the answers of several candidates, one row each; ``statuses`` as for ``headline``."""
    count = len(decisions)
    together = plain_text.all_against(decisions)
    against = together or "each against the baseline that the rules choose for it"
    reasons = [one_line(decision.baseline_reason) for decision in decisions]
    st.markdown(f"**{count} candidates** {escape_markdown(against, 400)}")
    table = pd.DataFrame(
        {
            "version": [one_line(decision.candidate) for decision in decisions],
            "status": [one_line(statuses.get(decision.candidate, "")) for decision in decisions],
            **({} if together else {"baseline": [one_line(decision.baseline or "–") for decision in decisions]}),
            "verdict": [plain_text.word(decision) for decision in decisions],
            "policy": [decision.overall for decision in decisions],
            "worst": [_worst(decision) for decision in decisions],
            **{
                state: [getattr(decision.summary, state) for decision in decisions]
                for state in ("better", "worse", "unclear", "same", "missing", "new")
            },
            "not comparable": [decision.summary.not_comparable for decision in decisions],
            **({"this baseline is": reasons} if len(set(reasons)) > 1 else {}),
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height=versions_table.height(len(table)),
        placeholder="–",
        alt="The verdict on each candidate",
        column_config={
            name: versions_table.name_column(name, table[name]) for name in table.columns[: 2 if together else 3]
        },
    )
    st.caption(f"Chosen among {count}: picking the best of many on the same test sets flatters the winner.")
    _caution(decisions)


def _caution(decisions: Sequence[Decision]) -> None:
    """Say what a reader should know about the verdicts as a whole, each thing once."""
    cautions: dict[str, None] = {}
    for decision in decisions:
        cautions |= dict.fromkeys(plain_text.cautions(decision)[len(decision.notes) :])
    for caution in cautions:
        st.caption(escape_markdown(caution, 400))


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


def _formatter(digits: int, *, signed: bool) -> Callable[[object], str]:
    def text(value: object) -> str:
        return format_value(value, digits, signed=signed) if isinstance(value, float) else "–"

    return text


def draw_pareto(decisions: Sequence[Decision]) -> None:
    """Draw the candidates by two of their numbers, and name for each excluded one what dominates it."""
    options = _axes(decisions)
    if len(options) < 2:
        return
    st.subheader("Which candidates are worth a look", anchor=False)
    first, second, *_ = options
    shown = {key: one_line(key, 100) for key in options}
    with st.container(horizontal=True):
        x = url_controls.choice("Across", shown, key="x", default=first) or first
        y = url_controls.choice("Up", shown, key="y", default=second) or second
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


def explain_deltas(left_out: Mapping[State, int], at_the_edge: int, *, whole_rows: bool) -> None:
    """Say how to read the delta dot plot, and what it does not show.

    Args:
        left_out: pairs that are not drawn, by their state.
        at_the_edge: marks whose effect is larger than the scale.
        whole_rows: whether a filter of states kept some candidates of a row, of which the plot draws all.
    """
    caption = "Right of the line is better than the baseline; the band is the tolerance."
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
    """Draw the means over the datasets that both sides have, and say where they name different winners."""
    rows = plain_text.average_rows(decision)
    if not rows:
        return
    names = ["metric", "datasets", "mean, baseline", "mean, candidate", "geometric ratio", "mean gain"]
    table = pd.DataFrame(rows).set_axis(names, axis="columns")
    height = versions_table.height(len(table))
    st.dataframe(table, hide_index=True, height=height, alt="Averages over the datasets that both versions have")
    for doubt in plain_text.average_remarks(decision):
        st.caption(escape_markdown(doubt, 1000))


def draw_rules(decision: Decision, *, named: bool) -> None:
    """Draw what each rule of the policy found, failures first; ``named`` adds the candidate."""
    if named:
        st.markdown(f"**{escape_markdown(decision.candidate)}** {_OVERALL[decision.overall]}")
        draw_doubts(decision)
    for rule in plain_text.rules(decision):
        outcome = plain_text.OUTCOMES[rule.result]
        st.markdown(f"**{escape_markdown(rule.rule)}** · {outcome} · {escape_markdown(rule.sentence, 1000)}")


def _worst(decision: Decision) -> str | None:
    worst = decision.summary.worst
    if worst is None:
        return None
    size = "" if worst.effect is None else f" {percent(worst.effect)}"
    names = {pair.dataset: pair.name for pair in decision.pairs if pair.name}
    return one_line(f"{shorten_front(names.get(worst.dataset, worst.dataset), 40)} · {worst.metric}{size}", 120)

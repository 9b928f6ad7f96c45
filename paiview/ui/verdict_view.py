"""The answer of a comparison: the word, what was found, the checks of the policy, and several candidates in a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from paiview.decisions.decision import BY_URGENCY, Decision, Doubt, Overall, RuleOutcome, RuleResult, State, Word
from paiview.decisions.flattery import flattery_sentence
from paiview.decisions.wording import lede, percent
from paiview.registry.review_queue import promise
from paiview.reports import plain_text
from paiview.text import counted, escape_markdown, one_line, shorten_front, strip_controls
from paiview.ui import app_frame, messages, statuses, versions_table

STATE_BADGES: Final[Mapping[State, str]] = {
    "better": "blue-badge",
    "worse": "orange-badge",
    "same": "gray-badge",
    "unclear": "gray-badge",
    "missing": "yellow-badge",
    "new": "gray-badge",
    "not_comparable": "gray-badge",
}
"""The colours of the states that count in a summary."""
_BAR_ORDER: Final[tuple[State, ...]] = ("better", "same", "unclear", "worse", "missing", "new", "not_comparable")
"""From good to bad, then what no verdict rests on."""
_TONES: Final[Mapping[Word, str]] = {
    "Better": "blue",
    "Worse": "orange",
    "Trade-off": "yellow",
    "Incomplete": "yellow",
    "Too close to call": "gray",
    "Not comparable": "gray",
}
_OVERALL: Final[Mapping[Overall, str]] = {
    "pass": ":blue-badge[✓ Policy passes]",
    "fail": ":orange-badge[✕ Policy fails]",
    "undecided": ":yellow-badge[? Policy undecided]",
}
_POLICY_CHIPS: Final[Mapping[Overall, str]] = {"pass": "✓ passes", "fail": "✕ fails", "undecided": "? undecided"}
_RULE_TITLES: Final[Mapping[str, str]] = {
    "no_regression": "No regression",
    "no_missing": "Nothing missing",
    "bound": "Within bounds",
    "improves": "Improves on average",
    "shares": "Enough to compare",
    "described": "Described",
    "labelled": "Labelled",
}
_RULE_ICONS: Final[Mapping[RuleOutcome, str]] = {
    "fail": ":orange[✕]",
    "undecided": ":yellow[?]",
    "pass": ":blue[✓]",
    "not_applicable": ":gray[–]",
}
_DOUBT_TITLES: Final = {
    "assumed": "Direction assumed",
    "unknown": "Direction unknown",
    "scale": "Scales differ",
    "version": "Dataset versions differ",
    "duplicate": "Dataset twice",
    "invalid": "Not a number",
    "unmatched": "Rule without a match",
    "listing": "Listing incomplete",
    "order": "Order unknown",
}
NOTE_MARK: Final = ":yellow[:material/warning:]"
"""In front of what a reader has to know about one verdict."""
_MAX_MEAN_GAINS: Final = 2
"""Metrics whose mean gain has a column beside several candidates."""
_MAX_NAMED: Final = 12
"""Missing and new datasets named in a line; the table holds all."""
_UNPAIRED: Final[Mapping[State, str]] = {
    "missing": "Missing from the candidate",
    "new": "New, without a number to compare with",
}


def draw_verdict(decision: Decision, approvals: Mapping[str, str], other_baseline: tuple[str, int] | None) -> None:
    """Draw the answer about one candidate, and the checks of the policy beside it.

    Args:
        decision: the decision.
        approvals: the approval status of the versions of the candidate's model that are compared, by VersionName.
        other_baseline: a version to compare with instead, and the number of results that it shares.
    """
    word = decision.summary.word
    tone = _TONES[word]
    with st.container(key=f"tone-{tone}", border=True):
        left, right = st.columns([11, 9], gap="medium")
        with left:
            st.markdown(_sides(decision, approvals))
            st.markdown(f"## :{tone}[{plain_text.word(decision)}] &nbsp; {_OVERALL[decision.overall]}")
            sentence = lede(decision)
            # Escaping drops the blanks at both ends.
            blank = " " if sentence.rest.startswith(" ") else ""
            with st.container(key="lede"):
                st.markdown(f"**{escape_markdown(sentence.claim, 600)}**{blank}{escape_markdown(sentence.rest, 1200)}")
            _draw_counts(decision)
            if other_baseline is not None:
                name, shared = other_baseline
                label = f"Compare with {escape_markdown(name, 80)}, which shares {counted(shared, 'result')} →"
                app_frame.link(
                    app_frame.COMPARE, label, model=decision.model, candidate=decision.candidate, baseline=name
                )
            for unpaired, what in _UNPAIRED.items():
                if named := plain_text.names(decision, unpaired):
                    more = f" and {len(named) - _MAX_NAMED} more" if len(named) > _MAX_NAMED else ""
                    st.caption(f"{what}: {escape_markdown(', '.join(named[:_MAX_NAMED]), 2000)}{more}")
            _draw_notes([decision])
            draw_cautions([decision])
        with right:
            draw_checks(decision)


def _sides(decision: Decision, approvals: Mapping[str, str]) -> str:
    """The candidate, the baseline and why it is that one, as Markdown."""
    candidate = f"**{escape_markdown(decision.candidate, 200)}**{_badge(approvals.get(decision.candidate))}"
    is_own = decision.baseline_model == decision.model
    status = approvals.get(decision.baseline) if decision.baseline is not None and is_own else None
    reason = one_line(decision.baseline_reason, 400).removeprefix("no baseline: ")
    if decision.baseline is None:
        return f"{candidate} against nothing · {escape_markdown(reason)}"
    home = "" if is_own else f" of {escape_markdown(decision.baseline_model or '', 80)}"
    baseline = f"**{escape_markdown(decision.baseline, 200)}**{home}{_badge(status)}"
    return f"{candidate} against {baseline} · {escape_markdown(reason)}"


def _badge(status: str | None) -> str:
    if not status:
        return ""
    return f" {statuses.badge(status, statuses.status_text(status))}"


def _draw_counts(decision: Decision) -> None:
    """Draw how many results have each state, as a bar and as badges."""
    counts = {state: count for state in _BAR_ORDER if (count := getattr(decision.summary, state))}
    if not counts:
        return
    spoken_counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.items())
    # Numbers and names of states of our own alone.
    parts = "".join(f'<i class="tally-{state}" style="flex:{count} 1 3px"></i>' for state, count in counts.items())
    st.html(f'<div class="tally" role="img" aria-label="{spoken_counts}">{parts}</div>')
    st.markdown(
        " ".join(f":{STATE_BADGES[state]}[{plain_text.count_text(state, count)}]" for state, count in counts.items())
    )


def draw_checks(decision: Decision) -> None:
    """Draw a row for each rule of the policy and for each doubt, what fails first; a row opens to its evidence."""
    rules = sorted(decision.rules, key=lambda rule: BY_URGENCY.index(rule.result))
    doubts = plain_text.open_doubts(decision)
    with st.container(key=f"policy-{decision.candidate}", border=True):
        st.markdown(_checks_head(rules, doubts))
        for rule in rules:
            finding, _, evidence = rule.sentence.partition(": ")
            title = _RULE_TITLES.get(rule.rule, rule.rule)
            label = f"{_RULE_ICONS[rule.result]} **{title}** · {escape_markdown(finding, 160)}"
            with st.expander(label, type="compact"):
                if evidence:
                    st.markdown(escape_markdown(evidence, 2000))
                st.caption(f"The rule `{rule.rule}` says: {plain_text.OUTCOMES[rule.result]}.")
        for doubt in doubts:
            mark, state = (":gray[–]", "accepted by the policy") if doubt.accepted else (":yellow[?]", "open")
            with st.expander(f"{mark} **{_DOUBT_TITLES[doubt.kind]}** · {state}", type="compact"):
                st.markdown(escape_markdown(doubt.sentence, 1200))
                if doubt.toml and not doubt.accepted:
                    st.code(strip_controls(doubt.toml), language="toml")


def _checks_head(rules: Sequence[RuleResult], doubts: Sequence[Doubt]) -> str:
    """How many checks hold, as Markdown."""
    applied = [rule.result for rule in rules if rule.result != "not_applicable"]
    failed, still_open = applied.count("fail"), applied.count("undecided")
    if failed:
        return f":orange[✕] **{failed} of {counted(len(applied), 'check')} failed**"
    waiting = sum(not doubt.accepted for doubt in doubts)
    if still_open or waiting:
        open_counts = [counted(still_open, "check")] if still_open else []
        open_counts += [counted(waiting, "question")] if waiting else []
        return f":yellow[?] **{' and '.join(open_counts)} open**"
    return f":blue[✓] **{counted(len(applied), 'check')} passed**" if applied else ":gray[–] **No check applies**"


def _draw_notes(decisions: Sequence[Decision]) -> None:
    for sentence in messages.note_sentences(note for decision in decisions for note in decision.notes):
        st.caption(f"{NOTE_MARK} {sentence}")


def draw_cautions(decisions: Sequence[Decision]) -> None:
    """Say what a reader should know about the verdicts as a whole, each thing once."""
    cautions: dict[str, None] = {}
    for decision in decisions:
        cautions |= dict.fromkeys(plain_text.cautions(decision)[len(decision.notes) :])
    for caution in cautions:
        st.caption(escape_markdown(caution, 400))


def draw_leaderboard(decisions: Sequence[Decision], approvals: Mapping[str, str]) -> None:
    """Draw the answers about several candidates, the most promising first; ``approvals`` as for ``draw_verdict``."""
    decisions = sorted(decisions, key=promise)
    count = len(decisions)
    passing = sum(decision.overall == "pass" for decision in decisions)
    tone = "blue" if passing else "yellow"
    who = "None" if not passing else f"{passing}"
    verb = "passes" if passing == 1 else "pass"
    together = plain_text.all_against(decisions)
    against = together or "each against the baseline that the rules choose for it"
    with st.container(key=f"tone-{tone}", border=True):
        st.markdown(f"## {who} of {count} candidates {verb} the policy")
        st.markdown(f"**{count} candidates** {escape_markdown(against, 400)}")
        _draw_candidates(decisions, approvals, is_one_baseline=together is not None)
        st.caption(escape_markdown(flattery_sentence(decisions), 600))
        _draw_notes(decisions)
        draw_cautions(decisions)
        for decision in decisions:
            with st.expander(_check_line(decision), type="compact"):
                draw_checks(decision)


def _check_line(decision: Decision) -> str:
    """The outcome of the policy for one of several candidates, as Markdown: what failed, or else what is open."""
    name = f"{_RULE_ICONS[decision.overall]} **{escape_markdown(decision.candidate, 80)}**"
    if decision.overall == "pass":
        return f"{name} passes every check"
    rules = [rule.rule for rule in decision.rules if rule.result == decision.overall]
    titles = [_RULE_TITLES.get(rule, rule).lower() for rule in dict.fromkeys(rules)]
    if decision.overall == "fail":
        return f"{name} fails {' and '.join(titles)}"
    waiting = [_DOUBT_TITLES[doubt.kind].lower() for doubt in plain_text.open_doubts(decision) if not doubt.accepted]
    return f"{name} is undecided: {', '.join([*titles, *dict.fromkeys(waiting)])}"


def _draw_candidates(decisions: Sequence[Decision], approvals: Mapping[str, str], *, is_one_baseline: bool) -> None:
    reasons = [one_line(decision.baseline_reason) for decision in decisions]
    words = list(dict.fromkeys(plain_text.word(decision) for decision in decisions))
    tones = {plain_text.word(decision): _TONES[decision.summary.word] for decision in decisions}
    table = pd.DataFrame(
        {
            "version": [one_line(decision.candidate) for decision in decisions],
            "status": [
                [statuses.status_text(approvals[decision.candidate])] if decision.candidate in approvals else []
                for decision in decisions
            ],
            "verdict": [[plain_text.word(decision)] for decision in decisions],
            "policy": [[_POLICY_CHIPS[decision.overall]] for decision in decisions],
            **{
                plain_text.STATES[state]: pd.array(
                    [getattr(decision.summary, state) or None for decision in decisions], dtype="Int64"
                )
                for state in STATE_BADGES
                if any(getattr(decision.summary, state) for decision in decisions)
            },
            **_mean_gains(decisions),
            "worst result": [_worst(decision) for decision in decisions],
            **({} if is_one_baseline else {"baseline": [one_line(decision.baseline or "–") for decision in decisions]}),
            **({"this baseline is": reasons} if len(set(reasons)) > 1 else {}),
        }
    )
    config: dict[str, Any] = {
        "version": versions_table.name_column("Candidate", table["version"], pinned=True),
        "status": st.column_config.MultiselectColumn(
            "Status", options=list(statuses.CHIP_COLOURS), color=list(statuses.CHIP_COLOURS.values())
        ),
        "verdict": st.column_config.MultiselectColumn("Verdict", options=words, color=[tones[word] for word in words]),
        "policy": st.column_config.MultiselectColumn(
            "Policy", options=list(_POLICY_CHIPS.values()), color=["blue", "orange", "yellow"]
        ),
        "worst result": st.column_config.TextColumn("Worst result"),
        "baseline": st.column_config.TextColumn("Baseline"),
        "this baseline is": st.column_config.TextColumn("This baseline is"),
    }
    st.dataframe(
        table,
        hide_index=True,
        height=versions_table.height(len(table)),
        placeholder="·",
        alt="The verdict on each candidate",
        column_config=config,
    )


def _mean_gains(decisions: Sequence[Decision]) -> dict[str, list[str | None]]:
    """Columns of the mean gain of each candidate, of the metrics that most of them are compared on."""
    metrics = Counter(average.metric for decision in decisions for average in decision.averages)
    gains: dict[str, list[str | None]] = {}
    for metric, _ in metrics.most_common(_MAX_MEAN_GAINS):
        of_metric = [
            next((average.mean_gain for average in decision.averages if average.metric == metric), None)
            for decision in decisions
        ]
        gains[f"Mean gain, {one_line(metric, 40)}"] = [None if gain is None else percent(gain) for gain in of_metric]
    return gains


def _worst(decision: Decision) -> str | None:
    worst = decision.summary.worst
    if worst is None:
        return None
    size = "" if worst.effect is None else f" {percent(worst.effect)}"
    names = {pair.dataset: pair.name for pair in decision.pairs if pair.name}
    return one_line(f"{shorten_front(names.get(worst.dataset, worst.dataset), 40)} · {worst.metric}{size}", 120)

"""A decision to take along: one HTML file, a Markdown text, CSV or JSON, each from the Decision alone.

Foreign text becomes ``plain`` where it is put into rows and sentences; each form then escapes it for itself.
"""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from paiview.decisions.decision import (
    BY_URGENCY,
    GLYPHS,
    Decision,
    MetricInForce,
    Overall,
    PairDecision,
    RuleOutcome,
    RuleResult,
    State,
    Word,
    spoken,
)
from paiview.decisions.pairs import ROUGH
from paiview.decisions.wording import headline, percent, value_digits, written_change
from paiview.evaluation.metric_meaning import format_value
from paiview.text import counted, one_line, shorten_front

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

STATES: Final[dict[State, str]] = {state: f"{glyph} {spoken(state)}" for state, glyph in GLYPHS.items()}
WORDS: Final[dict[Word, str]] = {
    "Better": "▲ Better",
    "Worse": "▼ Worse",
    "Trade-off": "▲▼ Trade-off",
    "Incomplete": "○ Incomplete",
    "Too close to call": "＝ Too close to call",
    "Not comparable": "? Not comparable",
}
UNPAIRED: Final[tuple[State, ...]] = ("missing", "new")
OUTCOMES: Final[dict[RuleOutcome | Overall, str]] = {
    "pass": "✓ pass",
    "fail": "✕ fail",
    "warn": "! warn",
    "not_applicable": "– not applicable",
    "undecided": "? undecided",
}

_ROUGH: Final = f"Intervals ({ROUGH}) inform, and change no state."
_UNCOUNTED: Final = "Significance cannot be judged: the registry holds no counts of the items scored."
_NAME: Final = 80
_ID: Final = 250
"""Characters of a dataset's id and of a note in a row: more would make a row as tall as a page."""
_SENTENCE: Final = 800
_MOST_PAIRS: Final = 40
_MOST_LINES: Final = 20
_MOST_NAMES: Final = 12
_FINGERPRINT: Final = 12
_WORD_JOINER: Final = "\N{WORD JOINER}"
_REFERENCES: Final = re.compile(
    r"""[@#!$~&](?=["\w])|%(?=["\w])|:(?=[\w+/-])|[\[{](?=\S)|www(?=\.)|\bG[HL](?=-\d)""", re.IGNORECASE
)
"""What GitHub and GitLab read after escapes: mentions, issues, labels, milestones, emoji, ``scheme://``, wiki pages."""
_MARKS: Final = re.compile(r"[\\`*\[\]{}<>~$&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BLOCK: Final = re.compile(r"^([0-9]*)([-+#=.)]+)(?=\s|$)")
"""What would begin a list, a heading or a rule."""
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_IDENTIFIER: Final = re.compile(r"[\w.:/@+=…-]+")
_INTERVALS: Final = ("baseline_interval", "candidate_interval", "interval")
_CELLS: Final = tuple(name for name in PairDecision.model_fields if name not in _INTERVALS)


class Row(NamedTuple):
    """One pair as plain text, not yet escaped for any form; ``–`` where there is nothing to show.

    Attributes:
        state: what it means.
        mark: the same as glyph and word.
        label: the dataset by its display name, else by its id, shortened at the front.
        dataset: its id, a long one shortened at the front.
        name: its display name, or nothing.
        metric: the metric.
        baseline, candidate: the numbers, with the same decimals throughout a metric.
        change: candidate minus baseline, signed, with its unit.
        effect: signed percent; positive is better.
        note: what a reader should know about it, or nothing.
    """

    state: State
    mark: str
    label: str
    dataset: str
    name: str
    metric: str
    baseline: str
    candidate: str
    change: str
    effect: str
    note: str


class AverageRow(NamedTuple):
    """The averages of one metric as plain text, not yet escaped; ``–`` where a mean is undefined."""

    metric: str
    n: str
    baseline: str
    candidate: str
    ratio: str
    gain: str


def html(decision: Decision) -> str:
    """One HTML page with its chart, which needs nothing else: no network and no other file."""
    chart, left_out = _chart(decision)
    return _template("report.html").render(
        decision=decision,
        against=against(decision),
        headline=cut(headline(decision), "metric"),
        tally=tally(decision),
        rows=(pairs := rows(decision)),
        noted=any(row.note for row in pairs),
        averages=average_rows(decision),
        doubts=doubts(decision),
        unpaired=[(STATES[state], found) for state in UNPAIRED if (found := names(decision, state))],
        rules=rules(decision),
        cautions=cautions(decision),
        words=WORDS,
        outcomes=OUTCOMES,
        fetched=fetched(decision),
        chart=chart,
        scripts=_sources(chart),
        left_out=left_out,
    )


def markdown(decision: Decision) -> str:
    """A text for a merge request or a chat, in the Markdown of GitHub and GitLab and without HTML.

    Regressions come first; a list that is cut says how much was left out.
    """
    sides = f"{_code(decision.model)} {_code(decision.candidate)}"
    if decision.baseline is not None:
        home = f" of {_code(decision.baseline_model or '')}" if decision.baseline_model != decision.model else ""
        sides += f" against {_code(decision.baseline)}{home}"
    fingerprints = (decision.data_fingerprint, decision.policy_fingerprint)
    data, policy = (_code(text.removeprefix("sha256:")[:_FINGERPRINT]) for text in fingerprints)
    unpaired = [f"{STATES[state]}: {_some(found)}" for state in UNPAIRED if (found := names(decision, state))]
    outcomes = [f"{OUTCOMES[rule.result]}: {rule.rule}: {rule.sentence}" for rule in rules(decision)]
    parts = [
        f"## {WORDS[decision.summary.word]}: {sides}",
        f"**Policy: {OUTCOMES[decision.overall]}** · {tally(decision)} · baseline: {_prose(decision.baseline_reason)}",
        _list(headline(decision), "metric"),
        _pair_table(rows(decision)),
        _list(unpaired, "list"),
        _average_table(average_rows(decision)),
        _list(doubts(decision), "sentence"),
        "### Policy",
        _list(outcomes, "rule") or "There is no rule.",
        "### Notes" if (told := cautions(decision)) else "",
        _list(told, "note"),
        f"Read {fetched(decision)} · data {data} · policy {policy}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def csv(decision: Decision) -> bytes:
    """Every pair as CSV that is safe in a spreadsheet, each row naming both versions it compares."""
    import pandas as pd  # noqa: PLC0415 - the forms that a check prints do without it

    from paiview.exports import csv_bytes  # noqa: PLC0415

    sides = {
        "model": decision.model,
        "candidate_version": decision.candidate,
        "baseline_model": decision.baseline_model,
        "baseline_version": decision.baseline,
    }
    bounds = [f"{interval}_{end}" for interval in _INTERVALS for end in ("low", "high")]
    cells = [
        [
            *sides.values(),
            *(getattr(pair, name) for name in _CELLS),
            *(end for interval in _INTERVALS for end in getattr(pair, interval) or (None, None)),
        ]
        for pair in decision.pairs
    ]
    return csv_bytes(pd.DataFrame(cells, columns=pd.Index([*sides, *_CELLS, *bounds]), dtype=object))


def json(decision: Decision) -> str:
    """The Decision itself, in ASCII: no character of a stranger reaches a terminal."""
    return decision.model_dump_json(indent=2, ensure_ascii=True)


def rows(decision: Decision) -> list[Row]:
    """Every pair as text, in the order of the Decision: regressions first."""
    digits = _digits(decision)
    units = {metric.metric: metric.unit for metric in decision.metrics}
    return [
        Row(
            state=pair.state,
            mark=STATES[pair.state],
            label=_label(pair),
            dataset=shorten_front(pair.dataset, _ID),
            name=one_line(pair.name or "", _NAME),
            metric=one_line(pair.metric, _NAME),
            baseline=_number(pair.baseline, digits[pair.metric]),
            candidate=_number(pair.candidate, digits[pair.metric]),
            change=written_change(pair, digits[pair.metric], units.get(pair.metric)),
            effect=_effect(pair),
            note=_note(pair),
        )
        for pair in decision.pairs
    ]


def average_rows(decision: Decision) -> list[AverageRow]:
    """The averages of each metric that both sides share a dataset of, as text."""
    digits = _digits(decision)
    return [
        AverageRow(
            metric=one_line(average.metric, _NAME),
            n=str(average.n),
            baseline=_number(average.macro_baseline, digits[average.metric] + 1),
            candidate=_number(average.macro_candidate, digits[average.metric] + 1),
            ratio=_number(average.geometric_ratio, 4),
            gain=_percent(average.mean_gain),
        )
        for average in decision.averages
    ]


def doubts(decision: Decision) -> list[str]:
    """Where the averages name different winners, and where one dataset decides: plain sentences."""
    labels = {pair.dataset: _label(pair) for pair in decision.pairs}
    told = []
    for average in decision.averages:
        metric = one_line(average.metric, _NAME)
        if average.disagree:
            told.append(f"{metric}: the averages name different winners, so none of them is the answer.")
        if average.turned_by:
            named = [labels[dataset] for dataset in average.turned_by]
            which = named[0] if len(named) == 1 else f"any one of {_some(named)}"
            told.append(f"{metric}: leaving out {which} turns the mean gain round.")
    return told


def names(decision: Decision, state: State) -> list[str]:
    """The datasets with pairs of this state, each with the metrics: ``meeting (cer, wer)``. Plain text."""
    found: dict[str, list[str]] = {}
    labels: dict[str, str] = {}
    for pair in decision.pairs:
        if pair.state == state:
            labels[pair.dataset] = _label(pair)
            found.setdefault(pair.dataset, []).append(one_line(pair.metric, _NAME))
    return [f"{labels[dataset]} ({_some(metrics)})" for dataset, metrics in found.items()]


def rules(decision: Decision) -> list[RuleResult]:
    """What the rules of the policy found, failures first."""
    return sorted(decision.rules, key=lambda rule: BY_URGENCY.index(rule.result))


def cautions(decision: Decision) -> list[str]:
    """What a reader should know about the decision as a whole: plain sentences."""
    told = [one_line(note, _SENTENCE) for note in decision.notes]
    set_here = [one_line(known.metric, _NAME) for known in decision.metrics if known.source == "page"]
    if set_here:
        told.append(
            f"Judged with what one reader set for {_some(set_here)}: links, the command line and the API judge without."
        )
    if decision.baseline is None:
        return told
    return [*told, _UNCOUNTED if all(pair.uncertain is None for pair in decision.pairs) else _ROUGH]


def tally(decision: Decision) -> str:
    """How many pairs have each state: ``5 better, 1 worse, 2 same``."""
    return by_state({state: getattr(decision.summary, state) for state in STATES}) or "no pairs"


def by_state(counts: Mapping[State, int]) -> str:
    """How many pairs of each state there are, in words; those without any are left out."""
    return ", ".join(f"{count} {spoken(state)}" for state, count in counts.items() if count)


def against(decision: Decision, *, why: bool = True) -> str:
    """The baseline and why it is that one, as plain text: ``against 0.10.0 (newest approved by creation)``."""
    reason = f" ({one_line(decision.baseline_reason, _SENTENCE).removeprefix('no baseline: ')})" if why else ""
    if decision.baseline is None:
        return f"against nothing{reason}"
    home = f" of {one_line(decision.baseline_model or '')}" if decision.baseline_model != decision.model else ""
    return f"against {one_line(decision.baseline)}{home}{reason}"


def all_against(decisions: Sequence[Decision]) -> str | None:
    """The one baseline of some decisions, and why where that is the same for all; ``None`` when they have several."""
    if len({(decision.baseline_model, decision.baseline) for decision in decisions}) > 1:
        return None
    return against(decisions[0], why=len({decision.baseline_reason for decision in decisions}) == 1)


def fetched(decision: Decision) -> str:
    """When the data were read: ``2026-01-02 03:04:05 UTC``."""
    return f"{decision.fetched_at:%Y-%m-%d %H:%M:%S} UTC"


def _digits(decision: Decision) -> dict[str, int]:
    """Decimals of each metric: those of its contract, else as many as its numbers need."""
    known = {metric.metric: metric for metric in decision.metrics}
    pairs: dict[str, list[PairDecision]] = {}
    for pair in decision.pairs:
        pairs.setdefault(pair.metric, []).append(pair)
    return {metric: value_digits(found, known.get(metric)) for metric, found in pairs.items()}


def _label(pair: PairDecision) -> str:
    return one_line(pair.name, _NAME) if pair.name else shorten_front(pair.dataset, _NAME)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else format_value(value, digits)


def _percent(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _effect(pair: PairDecision) -> str:
    as_errors = pair.reading == "error" and pair.effect is not None
    return f"{_percent(pair.effect)} (errors)" if as_errors else _percent(pair.effect)


def _note(pair: PairDecision) -> str:
    told = [one_line(pair.note, _ID)] if pair.note else []
    if pair.uncertain:
        told.append("uncertain: the interval of the change holds 0")
    return "; ".join(told)


def _some(texts: Sequence[str]) -> str:
    """The texts in a line, the first few where they are many."""
    more = len(texts) - _MOST_NAMES
    return ", ".join([*texts[:_MOST_NAMES], *([f"and {more} more"] if more > 0 else [])])


def _code(text: str) -> str:
    """A name for Markdown: as code where it has only the characters of names, else escaped."""
    line = one_line(text, _NAME)
    return f"`{line}`" if _IDENTIFIER.fullmatch(line) else _prose(line)


def _prose(text: str) -> str:
    """A sentence for Markdown, readable unrendered too: nothing in it becomes markup, a mention, a reference or a link.

    What GitHub and GitLab look for after the escapes are read, an invisible word joiner has to break. A pipe is written
    as its entity, for tables differ in how they read an escaped one.
    """
    line = _REFERENCES.sub(lambda match: match[0] + _WORD_JOINER, one_line(text, _SENTENCE))
    line = _BLOCK.sub(r"\1\\\2", _MARKS.sub(r"\\\g<0>", line))
    return line.replace("|", "&#124;")


def cut(sentences: Sequence[str], noun: str) -> list[str]:
    """The first sentences, and how many more there are."""
    more = len(sentences) - _MOST_LINES
    return [*sentences[:_MOST_LINES], *([f"… and {counted(more, f'more {noun}')}"] if more > 0 else [])]


def _list(sentences: Sequence[str], noun: str) -> str:
    return "\n".join(f"- {_prose(sentence)}" for sentence in cut(sentences, noun))


def _pair_table(pairs: Sequence[Row]) -> str:
    if not pairs:
        return ""
    noted = any(row.note for row in pairs[:_MOST_PAIRS])
    header = ["state", "dataset", "metric", "baseline", "candidate", "change", "effect", *(["note"] if noted else [])]
    cells = [
        [
            row.mark,
            _code(row.label),
            _code(row.metric),
            *map(_prose, (row.baseline, row.candidate, row.change, row.effect, *([row.note] if noted else []))),
        ]
        for row in pairs[:_MOST_PAIRS]
    ]
    table = _table(header, ["---", "---", "---", "--:", "--:", "--:", "--:", "---"], cells)
    left = pairs[_MOST_PAIRS:]
    if not left:
        return table
    told = ", ".join(f"{count} {spoken(state)}" for state, count in Counter(row.state for row in left).items())
    return f"{table}\n\n… and {counted(len(left), 'more pair')} ({told}), which the HTML, CSV and JSON reports hold."


def _average_table(averages: Sequence[AverageRow]) -> str:
    if not averages:
        return ""
    header = ["average of", "datasets", "baseline", "candidate", "geometric ratio", "mean gain"]
    cells = [[_code(row.metric), *map(_prose, row[1:])] for row in averages[:_MOST_LINES]]
    table = _table(header, ["---", *["--:"] * 5], cells)
    more = len(averages) - _MOST_LINES
    return f"{table}\n\n… and {counted(more, 'more metric')}" if more > 0 else table


def _table(header: Sequence[str], rules: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    lines = [header, rules[: len(header)], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _tolerance(metric: MetricInForce) -> str:
    relative = f"{metric.relative:.10%}".rstrip("%").rstrip("0").rstrip(".") + " %"
    if metric.absolute is None:
        return relative
    return f"{relative} and {metric.absolute!r}" if metric.relative else repr(metric.absolute)


def _sources(page: str) -> str:
    """What the page's own scripts are known by: a browser then runs no other, whatever a stranger's text became."""
    digests = (hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(page))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests) or "'none'"


@cache
def _template(name: str) -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only the HTML form needs it

    environment = Environment(
        loader=PackageLoader("paiview"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": lambda text: one_line(text, _SENTENCE),
        "name": lambda text: one_line(text, _NAME),
        "sentence": lambda text: one_line(text, _SENTENCE).replace(" %", "\N{NO-BREAK SPACE}%"),
        "tolerance": _tolerance,
    }
    return environment.get_template(name)


def _chart(decision: Decision) -> tuple["Markup", list[str]]:
    """The delta dot plot with plotly itself, and what it does not show; nothing where there is nothing to draw."""
    import plotly.graph_objects as go  # noqa: PLC0415
    import plotly.io  # noqa: PLC0415 - a second that only the HTML form costs
    from markupsafe import Markup  # noqa: PLC0415

    from paiview.figures import delta_figure, delta_info  # noqa: PLC0415

    info = delta_info([decision])
    if not info.rows:
        return Markup(), []
    figure = go.Figure(delta_figure(info).to_dict())
    figure.update_layout(template="none")
    drawn = plotly.io.to_html(
        figure,
        config={"displayModeBar": False, "responsive": True},
        include_plotlyjs=True,
        full_html=False,
        div_id="chart",
    )
    told = []
    if info.beyond:
        told.append(f"{counted(info.beyond, 'effect')} beyond the scale stand at its edge.")
    if info.hidden:
        told.append(f"In the table alone: {by_state(info.hidden)}.")
    paint = f"<script>\n{_template('report.js').render()}</script>"
    return Markup(drawn + paint), told  # noqa: S704 - plotly writes the figure as JSON in which no tag can begin

"""A decision as a file: one HTML page, a Markdown text, CSV or JSON, each from the Decision alone.

Foreign text becomes one line of visible characters where it is put into rows and sentences; each form then escapes it
for itself.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from paiview.decisions.decision import Decision, PairDecision, Paired, spoken
from paiview.decisions.wording import headline
from paiview.evaluation.metric_meaning import MetricContract
from paiview.reports.plain_text import (
    MOST_LINES,
    NAME_LENGTH,
    OUTCOMES,
    SENTENCE_LENGTH,
    STATES,
    UNPAIRED,
    WHISKER,
    AverageRow,
    Row,
    against,
    average_remarks,
    average_rows,
    by_state,
    cautions,
    cut,
    fetched,
    meaning_text,
    names,
    open_doubts,
    rows,
    rules,
    some_of,
    tally,
    word,
)
from paiview.text import counted, one_line, strip_controls

if TYPE_CHECKING:
    from jinja2 import Template

    from paiview.figures.delta import DeltaInfo


_MOST_PAIRS: Final = 40
_FINGERPRINT: Final = 12
_WORD_JOINER: Final = "\N{WORD JOINER}"
_REFERENCES: Final = re.compile(
    r"""[@#!$~&](?=["\w])|%(?=["\w])|:(?=[\w+/-])|[\[{](?=\S)|www(?=\.)|\bG[HL](?=-\d)""", re.IGNORECASE
)
"""What GitHub and GitLab read after escapes: mentions, issues, labels, milestones, emoji, ``scheme://``, wiki pages."""
_MARKS: Final = re.compile(r"[\\`*\[\]{}<>~$&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BLOCK: Final = re.compile(r"^([0-9]*)([-+#=.)]+)(?=\s|$)")
"""What would begin a list, a heading or a rule."""
_IDENTIFIER: Final = re.compile(r"[\w.:/@+=…-]+")
_INTERVALS: Final = ("baseline_interval", "candidate_interval", "interval")
_PAIRED: Final = ("paired", "paired_levels")
_CELLS: Final = tuple(name for name in PairDecision.model_fields if name not in (*_INTERVALS, *_PAIRED))


def to_html(decision: Decision) -> str:
    """One HTML page with its chart. It needs no script, no network and no other file."""
    from paiview.figures import style  # noqa: PLC0415 - numpy, which only the HTML form needs
    from paiview.figures.delta import delta_info  # noqa: PLC0415
    from paiview.figures.delta_table import delta_html  # noqa: PLC0415

    info = delta_info([decision])
    has_whiskers = any(pair.paired or pair.interval for pair in decision.pairs)
    return template("report.html").render(
        decision=decision,
        against=against(decision),
        headline=cut(headline(decision), "metric"),
        tally=tally(decision),
        rows=(pairs := rows(decision)),
        noted=any(row.note for row in pairs),
        averages=average_rows(decision),
        remarks=average_remarks(decision),
        doubts=open_doubts(decision),
        unpaired=[(STATES[state], datasets) for state in UNPAIRED if (datasets := names(decision, state))],
        rules=rules(decision),
        cautions=cautions(decision),
        word=word(decision),
        meaning_text=meaning_text,
        outcomes=OUTCOMES,
        fetched=fetched(decision),
        style=style,
        chart=delta_html(info),
        not_drawn=[*([WHISKER] if has_whiskers else []), *_not_drawn(info)],
    )


def to_markdown(decision: Decision) -> str:
    """A text for a merge request or a chat, in the Markdown of GitHub and GitLab and without HTML.

    Regressions come first; a list that is cut says how much was left out.
    """
    sides = f"{_code(decision.model)} {_code(decision.candidate)}"
    if decision.baseline is not None:
        home = f" of {_code(decision.baseline_model or '')}" if decision.baseline_model != decision.model else ""
        sides += f" against {_code(decision.baseline)}{home}"
    fingerprints = (decision.data_fingerprint, decision.policy_fingerprint)
    data, policy = (_code(text.removeprefix("sha256:")[:_FINGERPRINT]) for text in fingerprints)
    unpaired = [f"{STATES[state]}: {some_of(datasets)}" for state in UNPAIRED if (datasets := names(decision, state))]
    outcomes = [f"{OUTCOMES[rule.result]}: {rule.rule}: {rule.sentence}" for rule in rules(decision)]
    parts = [
        f"## {word(decision)}: {sides}",
        f"**Policy: {OUTCOMES[decision.overall]}** · {tally(decision)} · baseline: {_prose(decision.baseline_reason)}",
        _list(headline(decision), "metric"),
        _pair_table(rows(decision)),
        _list(unpaired, "list"),
        _average_table(average_rows(decision)),
        _list(average_remarks(decision), "sentence"),
        "### Policy",
        _list(outcomes, "rule") or "There is no rule.",
        "### What keeps it open" if decision.doubts else "",
        *_doubt_parts(decision),
        "### Notes" if (notes := cautions(decision)) else "",
        _list(notes, "note"),
        f"Read {fetched(decision)} · data {data} · policy {policy}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def to_csv(decision: Decision) -> bytes:
    """Every pair as CSV that is safe in a spreadsheet, each row naming both versions it compares."""
    import pandas as pd  # noqa: PLC0415 - the forms that a check prints do without it

    from paiview.reports.table_files import csv_bytes  # noqa: PLC0415

    sides = {
        "model": decision.model,
        "candidate_version": decision.candidate,
        "baseline_model": decision.baseline_model,
        "baseline_version": decision.baseline,
    }
    bounds = [f"{interval}_{end}" for interval in _INTERVALS for end in ("low", "high")]
    paired = [f"paired_{name}" for name in Paired.model_fields]
    cells = [
        [
            *sides.values(),
            *(getattr(pair, name) for name in _CELLS),
            *(end for interval in _INTERVALS for end in getattr(pair, interval) or (None, None)),
            *(getattr(pair.paired, name, None) for name in Paired.model_fields),
        ]
        for pair in decision.pairs
    ]
    return csv_bytes(pd.DataFrame(cells, columns=pd.Index([*sides, *_CELLS, *bounds, *paired]), dtype=object))


def to_json(decision: Decision) -> str:
    """The Decision itself, in ASCII: no character of a stranger reaches a terminal."""
    return decision.model_dump_json(indent=2, ensure_ascii=True)


def _code(text: str) -> str:
    """A name for Markdown: as code where it has only the characters of names, else escaped."""
    line = one_line(text, NAME_LENGTH)
    return f"`{line}`" if _IDENTIFIER.fullmatch(line) else _prose(line)


def _prose(text: str) -> str:
    """A sentence for Markdown, readable unrendered too: nothing in it becomes markup, a mention, a reference or a link.

    What GitHub and GitLab look for after the escapes are read, an invisible word joiner has to break. A pipe is written
    as its entity, for tables differ in how they read an escaped one.
    """
    line = _REFERENCES.sub(lambda match: match[0] + _WORD_JOINER, one_line(text, SENTENCE_LENGTH))
    line = _BLOCK.sub(r"\1\\\2", _MARKS.sub(r"\\\g<0>", line))
    return line.replace("|", "&#124;")


def _list(sentences: Sequence[str], noun: str) -> str:
    return "\n".join(f"- {_prose(sentence)}" for sentence in cut(sentences, noun))


def _doubt_parts(decision: Decision) -> list[str]:
    """Each doubt, with the lines of paiview.toml that settle it as code."""
    parts = []
    for doubt in open_doubts(decision):
        parts.append(f"- {_prose(doubt.sentence)}")
        if doubt.toml and not doubt.accepted:
            parts.append(_code_block(doubt.toml))
    return parts


def _code_block(lines: str) -> str:
    """Lines as code, indented: foreign text in them cannot end the block."""
    return "\n".join(f"      {strip_controls(line)}" for line in lines.splitlines())


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
    states = ", ".join(f"{count} {spoken(state)}" for state, count in Counter(row.state for row in left).items())
    return f"{table}\n\n… and {counted(len(left), 'more pair')} ({states}), which the HTML, CSV and JSON reports hold."


def _average_table(averages: Sequence[AverageRow]) -> str:
    if not averages:
        return ""
    header = ["average of", "datasets", "baseline", "candidate", "geometric ratio", "mean gain"]
    cells = [[_code(row.metric), *map(_prose, row[1:])] for row in averages[:MOST_LINES]]
    table = _table(header, ["---", *["--:"] * 5], cells)
    more = len(averages) - MOST_LINES
    return f"{table}\n\n… and {counted(more, 'more metric')}" if more > 0 else table


def _table(header: Sequence[str], rules: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    lines = [header, rules[: len(header)], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _tolerance(metric: MetricContract) -> str:
    relative = f"{metric.effective_relative:.10%}".rstrip("%").rstrip("0").rstrip(".") + " %"
    if metric.absolute is None:
        return relative
    return f"{relative} and {metric.absolute!r}" if metric.effective_relative else repr(metric.absolute)


@cache
def template(name: str) -> "Template":
    """A page of this package: it escapes all text, and what is not defined is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only the HTML form needs it

    environment = Environment(
        loader=PackageLoader("paiview.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": lambda text: one_line(text, SENTENCE_LENGTH),
        "name": lambda text: one_line(text, NAME_LENGTH),
        "sentence": lambda text: one_line(text, SENTENCE_LENGTH).replace(" %", "\N{NO-BREAK SPACE}%"),
        "tolerance": _tolerance,
    }
    return environment.get_template(name)


def _not_drawn(info: "DeltaInfo") -> list[str]:
    """What the chart does not show, in sentences."""
    sentences = []
    if info.beyond:
        sentences.append(f"{counted(info.beyond, 'effect')} beyond the scale: the arrows at the edge.")
    if info.hidden:
        sentences.append(f"In the table alone: {by_state(info.hidden)}.")
    return sentences

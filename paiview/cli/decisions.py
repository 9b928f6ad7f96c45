"""``paiview compare`` and ``paiview check``: is a version better, and does it pass the policy?"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Final

import typer

from paiview.cli.options import (
    BaselineModelOption,
    BaselineOption,
    CandidateArgument,
    ModelArgument,
    PolicyOption,
    contracts_with,
    open_registry,
)
from paiview.cli.output import discard_output, print_csv, print_error, print_note, print_table, print_text
from paiview.pai.errors import PaiviewError
from paiview.text import one_line, strip_controls

if TYPE_CHECKING:
    from paiview.decisions.decision import Decision, Overall
    from paiview.reports import plain_text

_EXIT_CODES: Final[dict["Overall", int]] = {"pass": 0, "fail": 1, "undecided": 2}


class ReportFormat(StrEnum):
    """The formats of a comparison."""

    TABLE = "table"
    JSON = "json"
    MD = "md"
    HTML = "html"
    CSV = "csv"


class CheckFormat(StrEnum):
    """The formats of a check. None of them needs pandas or jinja2, so a check starts fast."""

    TABLE = "table"
    JSON = "json"
    MD = "md"


def compare(
    model: ModelArgument,
    candidate: CandidateArgument,
    baseline: BaselineOption = None,
    baseline_model: BaselineModelOption = None,
    policy: PolicyOption = None,
    output: Annotated[
        ReportFormat, typer.Option("--format", case_sensitive=False, help="html is one file that opens offline.")
    ] = ReportFormat.TABLE,
) -> None:
    """Compare a version with the approved one, dataset by dataset."""
    decision = _decide(model, candidate, baseline, baseline_model, policy)
    _print_decision(decision, output)


def check(
    model: ModelArgument,
    candidate: CandidateArgument,
    baseline: BaselineOption = None,
    baseline_model: BaselineModelOption = None,
    policy: PolicyOption = None,
    output: Annotated[CheckFormat, typer.Option("--format", case_sensitive=False)] = CheckFormat.TABLE,
) -> None:
    """Judge a version by the policy. The exit code is 0 for pass, 1 for fail, 2 for undecided and for every error."""
    with _undecided_on_any_error():
        decision = _decide(model, candidate, baseline, baseline_model, policy)
        _print_decision(decision, ReportFormat(output.value))
    raise typer.Exit(_EXIT_CODES[decision.overall])


def _decide(
    model: str, candidate: str, baseline: str | None, baseline_model: str | None, policy: Path | None
) -> "Decision":
    from paiview.registry.live_decision import decide_now  # noqa: PLC0415

    contracts = contracts_with(policy)
    return decide_now(
        open_registry(),
        model,
        candidate,
        baseline=baseline,
        baseline_model=baseline_model,
        contracts=contracts,
    )


@contextmanager
def _undecided_on_any_error() -> Iterator[None]:
    """Print any error in one line and exit with 2; Python's own exit code 1 would read as a failed check."""
    try:
        yield
    except PaiviewError as error:
        print_error(error)
    except Exception as error:  # noqa: BLE001 - after any error nothing is decided
        if isinstance(error, BrokenPipeError):
            discard_output()
        typer.echo(f"error: {type(error).__name__}: {one_line(str(error), 600)}", err=True)
    else:
        return
    raise typer.Exit(_EXIT_CODES["undecided"])


def _print_decision(decision: "Decision", output: ReportFormat) -> None:
    from paiview.reports import documents  # noqa: PLC0415

    if output is ReportFormat.JSON:
        print_text(documents.to_json(decision))
    elif output is ReportFormat.MD:
        print_text(documents.to_markdown(decision), newline=False)
    elif output is ReportFormat.HTML:
        print_text(documents.to_html(decision))
    elif output is ReportFormat.CSV:
        print_csv(documents.to_csv(decision))
    else:
        _print_verdict(decision)


def _print_verdict(decision: "Decision") -> None:
    """Print a decision as text: the word, a sentence for each metric, the results, averages and rules."""
    from paiview.decisions.wording import headline  # noqa: PLC0415
    from paiview.reports import plain_text  # noqa: PLC0415

    print_text(plain_text.word(decision))
    print_text(f"{one_line(decision.model)} {one_line(decision.candidate)} {plain_text.against(decision)}")
    for sentence in headline(decision):
        print_text(f"  {one_line(sentence, 800)}")
    if pairs := plain_text.rows(decision):
        print_text()
        _print_pairs(pairs)
    if averages := plain_text.average_rows(decision):
        print_text()
        print_table(("AVERAGE OF", "DATASETS", "BASELINE", "CANDIDATE", "RATIO", "MEAN GAIN"), averages)
    for sentence in plain_text.average_remarks(decision):
        print_text(sentence)
    print_text()
    for rule in plain_text.rules(decision):
        print_text(f"{plain_text.OUTCOMES[rule.result]}: {one_line(rule.rule)}: {one_line(rule.sentence, 800)}")
    for doubt in plain_text.open_doubts(decision):
        print_text(f"{'accepted' if doubt.accepted else 'open'}: {one_line(doubt.sentence, 800)}")
        if doubt.toml and not doubt.accepted:
            print_text(indent(strip_controls(doubt.toml), "    "))
    print_text(f"Policy: {plain_text.OUTCOMES[decision.overall]}")
    for sentence in plain_text.cautions(decision):
        print_note(sentence)


def _print_pairs(pairs: "Sequence[plain_text.Row]") -> None:
    header = ["STATE", "DATASET", "METRIC", "BASELINE", "CANDIDATE", "CHANGE", "EFFECT"]
    rows = [[row.mark, row.label, row.metric, row.baseline, row.candidate, row.change, row.effect] for row in pairs]
    if any(row.note for row in pairs):
        header.append("NOTE")
        for cells, row in zip(rows, pairs, strict=True):
            cells.append(row.note)
    print_table(header, rows, max_cell_width=200)

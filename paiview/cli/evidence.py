"""The commands that need no registry: is a difference real, and which items made it? They read files of items."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from paiview.cli.options import BaselineModelOption
from paiview.cli.output import print_error, print_note, print_text, print_tree
from paiview.pai.errors import PaiviewError, ParameterError
from paiview.text import one_line

if TYPE_CHECKING:
    from paiview.evidence.explanation import Explanation
    from paiview.evidence.finding import Significance

_BAD_INPUT: Final = 2
"""The exit code for files that cannot be read or do not belong together, as for invalid arguments."""
_PROGRESS_SECONDS: Final = 2.0
_TEXT_CHARACTERS: Final = 400
_ID_CHARACTERS: Final = 120
_SENTENCE_CHARACTERS: Final = 800
_USUAL_DATASETS: Final = 40
"""Datasets for whose evidence there is room in Metrics when each has one entry."""
_RESULT_BYTES: Final = 60
"""Of a result without its evidence: its dataset and a metric."""

_BaselineArgument = Annotated[
    Path, typer.Argument(metavar="BASELINE", exists=True, dir_okay=False, help="The items of the approved version.")
]
_CandidateArgument = Annotated[
    Path, typer.Argument(metavar="CANDIDATE", exists=True, dir_okay=False, help="The same items of the candidate.")
]
_MetricOption = Annotated[str | None, typer.Option(help="The name of the metric in PAI. Default: by the file.")]
_GroupOption = Annotated[
    str | None,
    typer.Option(help="The column of the speaker, conversation or the like. Default: by its name."),
]
_GroupsOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="A file with an id and its group on each line, as utt2spk."),
]
_DirectionOption = Annotated[
    bool | None, typer.Option("--higher/--lower", help="Which way is better. Default: by the metric's name.")
]
_JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON in place of text.")]


class ReportFileError(PaiviewError):
    """The file of a report cannot be written."""

    advice = "Choose another path."


def significance(
    baseline: _BaselineArgument,
    candidate: _CandidateArgument,
    metric: _MetricOption = None,
    baseline_version: Annotated[
        str | None, typer.Option(help="The VersionName of the baseline, for the JSON to register.")
    ] = None,
    baseline_model: BaselineModelOption = None,
    group: _GroupOption = None,
    groups: _GroupsOption = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same digits.")] = 0,
    draws: Annotated[int, typer.Option(min=100, max=1_000_000, help="How often the groups are drawn again.")] = 10_000,
    level: Annotated[
        list[float] | None, typer.Option(help="The confidence of a further interval, such as 0.99. Can be repeated.")
    ] = None,
    higher: _DirectionOption = None,
    percent: Annotated[bool, typer.Option("--percent", help="The metric is registered in percent.")] = False,
    as_json: _JsonOption = False,
    html: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write a page with the draws and the items that changed."),
    ] = None,
) -> None:
    """Say whether a difference is more than chance, from the results of two versions item by item."""
    from paiview.evidence.finding import tree  # noqa: PLC0415 - numpy, which the other commands do without
    from paiview.evidence.significance import significance as compare  # noqa: PLC0415

    with _bad_input():
        finding = compare(
            baseline,
            candidate,
            metric=metric,
            baseline_version=baseline_version,
            baseline_model=baseline_model,
            group=group,
            groups=groups,
            seed=seed,
            draws=draws,
            levels=level or (),
            **_meaning(metric, higher, percent=percent),
            progress=_Progress(),
        )
    if as_json:
        print_tree(tree(finding))
    else:
        for sentence in finding.sentences:
            print_text(one_line(sentence, _SENTENCE_CHARACTERS))
        print_text("\nTo register beside Metrics of the candidate:")
        print_text(json.dumps({"Paired": finding.paired}))
    for note in _notes(finding):
        print_note(note)
    # The page comes last: a run may take long, and its result is printed even where the page cannot be written.
    if html is not None:
        with _bad_input():
            _write_page(html, finding, baseline, candidate, group)


def explain(
    baseline: _BaselineArgument,
    candidate: _CandidateArgument,
    top: Annotated[int, typer.Option(min=1, max=10_000, help="How many items of each side.")] = 20,
    metric: _MetricOption = None,
    group: _GroupOption = None,
    groups: _GroupsOption = None,
    higher: _DirectionOption = None,
    as_json: _JsonOption = False,
) -> None:
    """List which items got worse and which better, those that changed most first."""
    from paiview.evidence.explanation import explain as explained  # noqa: PLC0415 - likewise

    with _bad_input():
        direction = _meaning(metric, higher, percent=False)["direction"]
        explanation = explained(baseline, candidate, direction=direction, group=group, groups=groups, top=top)
    if as_json:
        print_tree(explanation.tree())
    else:
        _print_changes(explanation)


def _print_changes(explanation: "Explanation") -> None:
    from paiview.evidence.explanation import counts_sentence, numbers_text, text_rows  # noqa: PLC0415

    print_text(counts_sentence(explanation))
    for count, changes in zip(explanation.counts, explanation.changes, strict=True):
        if not changes:
            continue
        print_text(f"\n{count.side}{'' if len(changes) == count.items else f' (the first {len(changes):,})'}:")
        for change in changes:
            of_group = "" if change.group is None else f"  ({one_line(change.group, _ID_CHARACTERS)})"
            name = one_line(change.id, _ID_CHARACTERS)
            print_text(f"  {name}{of_group}: {numbers_text(change, has_errors=explanation.has_errors)}")
            for label, text in text_rows(change, _TEXT_CHARACTERS):
                print_text(f"    {label:<9}  {text}")


def _meaning(metric: str | None, higher: bool | None, *, percent: bool) -> dict[str, Any]:
    """The arguments ``direction``, ``target`` and ``percent``: from the options, else from a sure meaning."""
    from paiview.decisions import contracts  # noqa: PLC0415

    direction: Literal["lower", "higher"] | None = None if higher is None else "higher" if higher else "lower"
    facts: dict[str, Any] = {"direction": direction, "target": None, "percent": percent}
    if metric is None:
        return facts
    meaning = contracts.current().metrics[metric]
    facts["percent"] = percent or meaning.scale == "percent"
    if direction is None and meaning.standing in ("declared", "known"):
        facts["target"] = meaning.best
        facts["direction"] = meaning.direction if meaning.best is None else None
    return facts


def _notes(finding: "Significance") -> Iterator[str]:
    """What a reader should know beside the result."""
    from paiview.evidence.finding import compact_size  # noqa: PLC0415
    from paiview.pai.objects import MAX_METRICS_BYTES  # noqa: PLC0415

    yield from finding.remarks
    if finding.baseline_version is None:
        yield "Evidence that names no baseline is not used: complete it with --baseline-version."
    size = compact_size({"Paired": finding.paired})
    if size > MAX_METRICS_BYTES // _USUAL_DATASETS:
        fitting = MAX_METRICS_BYTES // (size + _RESULT_BYTES)
        yield (
            f"This evidence takes {size:,} bytes. PAI accepts {MAX_METRICS_BYTES:,} bytes of Metrics for a version: "
            f"about {fitting:,} datasets with as much."
        )


def _write_page(file: Path, finding: "Significance", baseline: Path, candidate: Path, group: str | None) -> None:
    from paiview.evidence.explanation import explanation_of  # noqa: PLC0415
    from paiview.reports.significance_page import significance_html  # noqa: PLC0415

    # With a target the direction is that of the distance, which the items do not have.
    direction = finding.direction if finding.target is None else None
    explanation = explanation_of(finding.items, baseline, candidate, direction=direction, group=group)
    page = significance_html(finding, explanation, (baseline.name, candidate.name))
    try:
        file.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ReportFileError(f"{one_line(str(file))} cannot be written: {error.strerror}.") from None


class _Progress:
    """Prints how far the draws are, every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, done: int, draws: int) -> None:
        now = time.monotonic()
        if now - self._last >= _PROGRESS_SECONDS and done < draws:
            self._last = now
            print_note(f"{done:,} of {draws:,} draws")


@contextmanager
def _bad_input() -> Iterator[None]:
    """End with exit code 2 and one line when the files or arguments cannot be used, or the page cannot be written."""
    from paiview.evidence.item_records import ItemsError  # noqa: PLC0415

    try:
        yield
    except (ItemsError, ParameterError, ReportFileError) as error:
        print_error(error)
        raise typer.Exit(_BAD_INPUT) from None

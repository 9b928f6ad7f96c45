"""``paiview backtest``: what the policy would have said of the versions that a model has."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from paiview.cli.options import ModelArgument, PolicyOption, contracts_with, open_registry
from paiview.cli.output import print_note, print_table, print_text, print_tree
from paiview.pai.errors import ParameterError
from paiview.text import counted, one_line, strip_controls

if TYPE_CHECKING:
    from paiview.decisions.backtest import Backtest, BacktestedVersion, Counts

_SENTENCE_CHARACTERS: Final = 400
_NAME_CHARACTERS: Final = 80
_STATUSES: Final = ("Approved", "Rejected", "Pending")


class BacktestFormat(StrEnum):
    """The formats of a backtest."""

    TABLE = "table"
    JSON = "json"


def backtest(
    model: ModelArgument,
    policy: PolicyOption = None,
    tolerance: Annotated[
        float | None,
        typer.Option(min=0, help="A relative tolerance in percent, such as 2: print the lines of paiview.toml for it."),
    ] = None,
    newest: Annotated[
        int | None, typer.Option(min=1, help="Judge so many of the newest versions. Default: all.")
    ] = None,
    output: Annotated[BacktestFormat, typer.Option("--format", case_sensitive=False)] = BacktestFormat.TABLE,
) -> None:
    """Try the policy on the past: which Approved versions it stops, and which Rejected ones it lets pass."""
    from paiview.decisions import backtest as past  # noqa: PLC0415 - only this command needs what decides

    current = contracts_with(policy)
    share = None if tolerance is None else past.share_of_percent(tolerance)
    ladder = past.TOLERANCES if share is None else tuple(sorted({*past.TOLERANCES, share}))
    snapshot = open_registry().versions(model)
    current = current.with_data(snapshot.meanings)
    trial = past.backtest(snapshot.lineage, current, tolerances=ladder, newest=newest)
    if share is not None and not trial.tolerances:
        raise ParameterError("No rule of the policy has a relative tolerance.")
    lines = None if share is None else past.tolerance_lines(current.rules, share)
    if output is BacktestFormat.JSON:
        print_tree(_tree(trial, lines))
    else:
        _print_text(trial, lines)
    for sentence in (past.UNKNOWN_LIMIT, *snapshot.warnings, *current.ignored):
        print_note(sentence)


def _print_text(trial: "Backtest", lines: str | None) -> None:
    from paiview.decisions.backtest import RESULTS  # noqa: PLC0415
    from paiview.decisions.wording import share_text  # noqa: PLC0415

    older = f"; {counted(trial.older, 'older version')} not judged" if trial.older else ""
    print_text(f"{one_line(trial.model)}: {counted(len(trial.versions), 'version')} judged{older}\n")
    statuses = _statuses(trial.counts)
    print_table(
        ("STATUS", *(overall.upper() for overall in RESULTS)),
        [
            (_shown(status), *(str(trial.counts.get((status, overall), 0)) for overall in RESULTS))
            for status in statuses
        ],
    )
    _print_versions("Approved versions that the policy stops", trial.versions_with("Approved", "fail"))
    _print_versions("Rejected versions that it lets pass", trial.versions_with("Rejected", "pass"))
    if trial.steps:
        print_text("\nWith one relative tolerance in every no_regression rule:")
        print_table(
            ("TOLERANCE", "APPROVED STOPPED", "APPROVED UNDECIDED", "REJECTED PASSING", "REJECTED UNDECIDED"),
            [
                (
                    share_text(step.tolerance),
                    *(
                        str(step.counts.get(key, 0))
                        for key in (
                            ("Approved", "fail"),
                            ("Approved", "undecided"),
                            ("Rejected", "pass"),
                            ("Rejected", "undecided"),
                        )
                    ),
                )
                for step in trial.steps
            ],
        )
    if lines is not None:
        print_text(f"\n{strip_controls(lines)}")


def _print_versions(title: str, versions: "Sequence[BacktestedVersion]") -> None:
    print_text(f"\n{title}: {len(versions) or 'none'}")
    for version in versions:
        against = (
            f"against {one_line(version.baseline, _NAME_CHARACTERS)}" if version.baseline else "without a baseline"
        )
        print_text(f"  {one_line(version.name, _NAME_CHARACTERS)} {against}")
        for finding in version.findings:
            print_text(f"    {one_line(finding.sentence, _SENTENCE_CHARACTERS)}")


def _statuses(counts: "Counts") -> list[str | None]:
    """The usual statuses, then others, then none."""
    others = {status for status, _ in counts} - {*_STATUSES}
    return [*_STATUSES, *sorted(status for status in others if status), *([None] if None in others else [])]


def _shown(status: str | None) -> str:
    return one_line(status, _NAME_CHARACTERS) if status else "(no status)"


def _tree(trial: "Backtest", lines: str | None) -> dict[str, Any]:
    return {
        "model": trial.model,
        "policy_fingerprint": trial.policy_fingerprint,
        "counts": _counts_tree(trial.counts),
        "curve": [{"tolerance": step.tolerance, "counts": _counts_tree(step.counts)} for step in trial.steps],
        "versions": [
            {
                "version": version.name,
                "status": version.status,
                "baseline": version.baseline,
                "overall": version.overall,
                "findings": [finding.sentence for finding in version.findings],
                "by_tolerance": dict(zip(map(str, trial.tolerances), version.by_tolerance, strict=True)),
            }
            for version in trial.versions
        ],
        "older_not_judged": trial.older,
        "toml": lines,
    }


def _counts_tree(counts: "Counts") -> list[dict[str, Any]]:
    from paiview.decisions.backtest import RESULTS  # noqa: PLC0415

    return [
        {"status": status, "overall": overall, "versions": counts[status, overall]}
        for status in _statuses(counts)
        for overall in RESULTS
        if counts.get((status, overall))
    ]

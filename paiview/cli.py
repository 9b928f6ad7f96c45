"""The command line: what programs read goes to stdout alone, everything else to stderr."""

import errno
import io
import json
import logging
import os
import signal
import socket
import sys
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from pydantic_core import from_json, to_json

from paiview import settings
from paiview.pai.errors import PaiviewError, SettingError
from paiview.pai.objects import PaiObject, VersionFilters
from paiview.secret_masking import mask_secrets
from paiview.settings import load_settings, setting_origins
from paiview.text import one_line, strip_controls

if TYPE_CHECKING:
    import pandas as pd

    from paiview.decisions.decision import Decision, Overall

APP: Final = Path(__file__).resolve().parent.parent / "app.py"
"""What Streamlit runs; it stands beside the package in a checkout."""

_EXIT_CODES: Final[dict["Overall", int]] = {"pass": 0, "fail": 1, "undecided": 2}

app = typer.Typer(
    help="The evaluation metrics of PAI model versions, compared before one is approved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Format(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class ReportFormat(StrEnum):
    """How a comparison is printed."""

    TABLE = "table"
    JSON = "json"
    MD = "md"
    HTML = "html"
    CSV = "csv"


class CheckFormat(StrEnum):
    """How a check is printed: the formats that start fast."""

    TABLE = "table"
    JSON = "json"
    MD = "md"


class Order(StrEnum):
    """The order of a listing."""

    ASC = "ASC"
    DESC = "DESC"


FormatOption = Annotated[
    Format, typer.Option("--format", help="JSON is as PAI sent it, secrets masked; CSV is safe in a spreadsheet.")
]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="ModelId.")]
CandidateArgument = Annotated[str, typer.Argument(metavar="CANDIDATE", help="VersionName of the version in question.")]
BaselineOption = Annotated[
    str | None, typer.Option(help="VersionName to compare with; else the rules choose: mostly the newest approved one.")
]
BaselineModelOption = Annotated[str | None, typer.Option(help="ModelId of the baseline, where it is another model.")]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="A TOML file whose [[policy]] rules count in place of those in force."
    ),
]
DataOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        exists=True,
        dir_okay=False,
        resolve_path=True,
        help="A saved answer of ListModelVersions, shown as a model of its own. May be repeated.",
    ),
]


class PortError(SettingError):
    """The dashboard cannot listen where it was told to."""

    advice = "Choose another port: make run PORT=9000"


def main() -> None:
    """Run the command line; an error is one line on stderr and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # What the layers log is told once, as the error below; without a handler logging would print it as well.
    for name in ("paiview", "stamina"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    try:
        app()
    except PaiviewError as error:
        _tell(error)
        sys.exit(1)
    finally:
        # Only the commands that read import the registry layer; there is nothing to close for the others.
        if (connection := sys.modules.get("paiview.registry.connection")) is not None:
            connection.disconnect()


@app.command()
def models(
    workspace: Annotated[str | None, typer.Option(help="WorkspaceId; else PAIVIEW_WORKSPACE_ID, else all.")] = None,
    q: Annotated[str, typer.Option("--q", help="Text in a name, id, description or label.")] = "",
    output: FormatOption = Format.TABLE,
) -> None:
    """List the models, newest first."""
    from paiview.registry.connection import connect  # noqa: PLC0415 - the imports of what reads take time only reading needs
    from paiview.registry.model_search import matching_models  # noqa: PLC0415

    registry = connect(_alone())
    snapshot = registry.models(workspace or registry.workspace_id)
    found = matching_models(snapshot.items, text=q, task=None, domain=None, sort="-created")
    if output is Format.JSON:
        _print_json(found)
    elif output is Format.CSV:
        import pandas as pd  # noqa: PLC0415

        rows = [
            (
                model.model_id,
                model.model_name,
                model.workspace_id,
                model.task,
                model.domain,
                model.provider,
                model.latest_version.version_name if model.latest_version else None,
                model.gmt_create_time,
                model.model_description,
            )
            for model in found
        ]
        names = [
            "model_id",
            "model_name",
            "workspace_id",
            "task",
            "domain",
            "provider",
            "latest_version",
            "created",
            "description",
        ]
        _print_frame(pd.DataFrame(rows, columns=pd.Index(names)))
    else:
        _print_table(
            ("MODEL", "NAME", "TASK", "NEWEST", "CREATED"),
            [
                (
                    model.model_id,
                    model.model_name,
                    model.task,
                    model.latest_version.version_name if model.latest_version else None,
                    model.gmt_create_time,
                )
                for model in found
            ],
        )
    _say(snapshot.uneven or f"{len(found)} of {snapshot.total} models")


@app.command()
def versions(
    model: ModelArgument,
    version_name: Annotated[str | None, typer.Option()] = None,
    format_type: Annotated[str | None, typer.Option()] = None,
    framework_type: Annotated[str | None, typer.Option()] = None,
    source_type: Annotated[str | None, typer.Option()] = None,
    source_id: Annotated[str | None, typer.Option()] = None,
    label: Annotated[str | None, typer.Option(help="Text in a label key or value.")] = None,
    approval_status: Annotated[str | None, typer.Option(help="Pending, Approved or Rejected.")] = None,
    order: Annotated[Order, typer.Option()] = Order.ASC,
    sort_by: Annotated[str, typer.Option()] = "GmtCreateTime",
    output: FormatOption = Format.TABLE,
) -> None:
    """List the versions of a model, filtered and sorted by PAI. CSV has a column for each metric on each dataset."""
    from paiview.registry.connection import connect  # noqa: PLC0415

    filters = VersionFilters(
        version_name=version_name,
        format_type=format_type,
        framework_type=framework_type,
        source_type=source_type,
        source_id=source_id,
        label=label,
        approval_status=approval_status,
        order=order.value,
        sort_by=sort_by,
    )
    snapshot = connect(_alone()).versions(model, filters)
    if output is Format.JSON:
        _print_json(snapshot.versions)
    elif output is Format.CSV:
        from paiview.evaluation.queries import number_table  # noqa: PLC0415

        frames = snapshot.frames
        table = frames.versions.join(number_table(frames, frames.pairs))
        _print_frame(table.sort_values("listing_index").drop(columns="listing_index"))
    else:
        _print_table(
            ("VERSION", "STATUS", "CREATED", "FRAMEWORK", "FORMAT", "DESCRIPTION"),
            [
                (
                    version.version_name,
                    version.approval_status,
                    version.gmt_create_time,
                    version.framework_type,
                    version.format_type,
                    version.version_description,
                )
                for version in snapshot.versions
            ],
        )
    _say(snapshot.uneven or f"{len(snapshot.versions)} of {snapshot.total} versions")


@app.command()
def compare(
    model: ModelArgument,
    candidate: CandidateArgument,
    baseline: BaselineOption = None,
    baseline_model: BaselineModelOption = None,
    policy: PolicyOption = None,
    output: Annotated[ReportFormat, typer.Option("--format", help="HTML is one file with its chart.")] = (
        ReportFormat.TABLE
    ),
) -> None:
    """Tell, dataset by dataset, whether a version is better than the approved one."""
    decision = _decide(model, candidate, baseline, baseline_model, policy)
    _print_decision(decision, output)


@app.command()
def check(
    model: ModelArgument,
    candidate: CandidateArgument,
    baseline: BaselineOption = None,
    baseline_model: BaselineModelOption = None,
    policy: PolicyOption = None,
    output: Annotated[CheckFormat, typer.Option("--format")] = CheckFormat.TABLE,
) -> None:
    """Let the policy decide. Exits with 0 for pass, 1 for fail, 2 for undecided or anything unexpected."""
    with _undecided_on_any_error():
        decision = _decide(model, candidate, baseline, baseline_model, policy)
        _print_decision(decision, ReportFormat(output.value))
    raise typer.Exit(_EXIT_CODES[decision.overall])


@app.command("config")
def show_config() -> None:
    """Print every setting, metric, dataset and rule of the policy in force, and where it comes from.

    Credentials are no settings, and not shown.
    """
    from paiview.decisions import contracts  # noqa: PLC0415

    settings = load_settings()
    origins = setting_origins()
    values = {name: getattr(settings, name) for name in origins}
    values["data"] = os.pathsep.join(map(str, settings.data)) or None
    values |= {name: ", ".join(values[name]) or None for name in ("allowed_hosts", "trusted_proxies")}
    values["rate_limit"] = settings.requests_per_second
    if settings.endpoint is None:
        values["endpoint"] = settings.service_endpoint or "(the embedded registry)"
        origins["endpoint"] = "PAIVIEW_REGION" if settings.region else "default"
    rows = [
        (f"PAIVIEW_{name.upper()}", None if value is None else f"{value:g}" if isinstance(value, float) else str(value))
        for name, value in values.items()
    ]
    _print_table(
        ("SETTING", "VALUE", "FROM"),
        [
            *((name, value, origin) for (name, value), origin in zip(rows, origins.values(), strict=True)),
            *contracts.explain(),
        ],
        limit=1000,
    )


@app.command()
def local(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 is any free port.")] = 0,
    data: DataOption = None,
    data_dir: Annotated[Path | None, typer.Option(file_okay=False, help="Where the registry keeps its file.")] = None,
) -> None:
    """Serve the embedded registry alone, and print what to paste to use it."""
    from paiview.embedded.local_registry import LocalRegistry  # noqa: PLC0415

    settings = load_settings()
    registry = LocalRegistry(data_dir or settings.data_dir, data_files=tuple(data or settings.data), port=port)
    registry.start()
    try:
        interrupted = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: interrupted.set())
        typer.echo(f"export PAIVIEW_ENDPOINT={registry.endpoint}")
        typer.echo(f"export ALIBABA_CLOUD_ACCESS_KEY_ID={registry.access_key_id}")
        typer.echo(f"export ALIBABA_CLOUD_ACCESS_KEY_SECRET={registry.access_key_secret}")
        interrupted.wait()
    finally:
        registry.stop()


@app.command()
def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    host: Annotated[str, typer.Option(help="The address to listen on. Whoever reaches it sees all.")] = "127.0.0.1",
    data: DataOption = None,
) -> None:
    """Serve the dashboard."""
    from paiview.decisions import contracts  # noqa: PLC0415

    if not APP.is_file():
        raise SettingError(f"The dashboard runs from a checkout of paiview: there is no {APP}.")
    if data:
        os.environ["PAIVIEW_DATA"] = os.pathsep.join(map(str, data))
    settings = load_settings()
    contracts.current()
    _check_port(host, port)
    # uvicorn believes every client of this machine unless it is told whom to believe.
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(settings.trusted_proxies)
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port), "--server.address", host]
    os.execv(command[0], command)  # noqa: S606 - the dashboard takes this process's place, and its signals


def _check_port(host: str, port: int) -> None:
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        told = (error.strerror or str(error)).partition(" (while ")[0]
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be opened ({told})"
        raise PortError(f"Port {port} on {one_line(host)} {reason}.") from None


def _decide(
    model: str, candidate: str, baseline: str | None, baseline_model: str | None, policy: Path | None
) -> "Decision":
    from paiview.decisions import contracts  # noqa: PLC0415
    from paiview.registry.connection import connect  # noqa: PLC0415
    from paiview.registry.live_decision import decide_now  # noqa: PLC0415

    current = contracts.current()
    if policy is not None:
        current = replace(current, rules=contracts.load_policy(policy, current))
    return decide_now(
        connect(_alone()), model, candidate, baseline=baseline, baseline_model=baseline_model, contracts=current
    )


def _alone() -> settings.Settings:
    """The settings of a command: it reads PAI itself, for what others read a while ago is no ground for a check."""
    return load_settings().model_copy(update={"cache_url": None})


@contextmanager
def _undecided_on_any_error() -> Iterator[None]:
    """Tell any error in one line and exit with 2: the 1 of an uncaught one would read as a failed check."""
    try:
        yield
    except PaiviewError as error:
        _tell(error)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, nothing was decided
        if isinstance(error, BrokenPipeError):
            # Nobody reads any more. Python would flush what is left once more at its end, and fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        typer.echo(f"error: {type(error).__name__}: {one_line(str(error), 600)}", err=True)
    else:
        return
    raise typer.Exit(_EXIT_CODES["undecided"])


def _tell(error: PaiviewError) -> None:
    named = (("Code", error.code), ("RequestId", error.request_id))
    facts = ", ".join(f"{name} {one_line(value)}" for name, value in named if value)
    told = f" ({facts})" if facts else ""
    typer.echo(f"error: {one_line(error.message, 600)}{told} {error.advice}".rstrip(), err=True)


def _print_decision(decision: "Decision", output: ReportFormat) -> None:
    from paiview.reports import documents  # noqa: PLC0415

    if output is ReportFormat.JSON:
        typer.echo(documents.to_json(decision))
    elif output is ReportFormat.MD:
        typer.echo(documents.to_markdown(decision), nl=False)
    elif output is ReportFormat.HTML:
        typer.echo(documents.to_html(decision))
    elif output is ReportFormat.CSV:
        _print_csv(documents.to_csv(decision))
    else:
        _print_verdict(decision)


def _print_verdict(decision: "Decision") -> None:
    """Print a decision for a reader at a terminal: the word, a sentence a metric, every pair, averages and rules."""
    from paiview.decisions.wording import headline  # noqa: PLC0415
    from paiview.reports import plain_text  # noqa: PLC0415

    typer.echo(plain_text.WORDS[decision.summary.word])
    typer.echo(f"{one_line(decision.model)} {one_line(decision.candidate)} {plain_text.against(decision)}")
    for sentence in headline(decision):
        typer.echo(f"  {one_line(sentence, 800)}")
    if pairs := plain_text.rows(decision):
        noted = any(row.note for row in pairs)
        header = (
            "STATE",
            "DATASET",
            "METRIC",
            "BASELINE",
            "CANDIDATE",
            "CHANGE",
            "EFFECT",
            *(["NOTE"] if noted else []),
        )
        typer.echo()
        _print_table(
            header,
            [
                (row.mark, row.label, row.metric, row.baseline, row.candidate, row.change, row.effect, row.note)[
                    : len(header)
                ]
                for row in pairs
            ],
            limit=200,
        )
    if averages := plain_text.average_rows(decision):
        typer.echo()
        _print_table(("AVERAGE OF", "DATASETS", "BASELINE", "CANDIDATE", "RATIO", "MEAN GAIN"), averages)
    for sentence in plain_text.doubts(decision):
        typer.echo(sentence)
    typer.echo()
    for rule in plain_text.rules(decision):
        typer.echo(f"{plain_text.OUTCOMES[rule.result]}: {one_line(rule.rule)}: {one_line(rule.sentence, 800)}")
    typer.echo(f"Policy: {plain_text.OUTCOMES[decision.overall]}")
    for sentence in plain_text.cautions(decision):
        _say(sentence)


def _say(sentence: str) -> None:
    typer.echo(one_line(sentence, 400), err=True)


def _print_json(items: Sequence[PaiObject]) -> None:
    """Print the objects as PAI sent them, secrets masked, in ASCII: no character of theirs reaches the terminal."""
    # JSON has no NaN; a text in its place loses nothing.
    raw = from_json(to_json([mask_secrets(item.raw) for item in items], inf_nan_mode="strings"))
    typer.echo(json.dumps(raw, indent=2))


def _print_frame(frame: "pd.DataFrame") -> None:
    from paiview.reports.table_files import csv_bytes  # noqa: PLC0415

    _print_csv(csv_bytes(frame))


def _print_csv(content: bytes) -> None:
    """Print CSV without the characters that a terminal would obey."""
    typer.echo(strip_controls(content.decode()).encode(), nl=False)


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str | None]], limit: int = 60) -> None:
    """Print rows in columns as wide as their widest cell, each cell cut at ``limit`` characters."""
    cells = [header, *([one_line(cell or "", limit) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


def _width(text: str) -> int:
    """Places a text takes in a terminal: Chinese characters take two, accents none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )

"""The command line. Results go to stdout, all messages to stderr."""

import errno
import io
import json
import logging
import os
import re
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
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Final

import typer
from pydantic_core import from_json, to_json

from paiview import __version__, cli_backtest, cli_evidence, settings
from paiview.app_folder import APP_FOLDER
from paiview.pai.errors import PaiviewError, SettingError, error_text
from paiview.pai.objects import Label, Model, ModelFilters, PaiObject, VersionFilters
from paiview.pai.vocabulary import APPROVAL_STATUSES, PROVIDERS, SOURCE_TYPES, spellings_of
from paiview.settings import load_settings, setting_origins
from paiview.text import json_text, one_line, strip_controls

if TYPE_CHECKING:
    import pandas as pd

    from paiview.decisions.decision import Decision, Overall
    from paiview.registry.snapshots import VersionsSnapshot
    from paiview.reports import plain_text

_TRUE_MINUS: Final = re.compile(r"(?:(?<![^\s(])|(?<=[0-9]e))−(?=[0-9])")
"""That of a number or of its exponent."""
_EXIT_CODES: Final[dict["Overall", int]] = {"pass": 0, "fail": 1, "undecided": 2}

app = typer.Typer(
    help="The evaluation metrics of PAI model versions, compared before one is approved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Format(StrEnum):
    """The formats of a list."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class ReportFormat(StrEnum):
    """The formats of a comparison."""

    TABLE = "table"
    JSON = "json"
    MD = "md"
    HTML = "html"
    CSV = "csv"


class CheckFormat(StrEnum):
    """The formats of a check: those that need neither pandas nor jinja2, so that it starts fast."""

    TABLE = "table"
    JSON = "json"
    MD = "md"


class Order(StrEnum):
    """``Order`` of ListModelVersions."""

    ASC = "ASC"
    DESC = "DESC"


_LABEL_HELP: Final = "Text in a label key or value, or key=value for one label."
FormatOption = Annotated[
    Format,
    typer.Option(
        "--format",
        case_sensitive=False,
        help="json is as PAI sent it, with secrets masked; csv is safe to open in a spreadsheet.",
    ),
]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A ModelId.")]
CandidateArgument = Annotated[str, typer.Argument(metavar="CANDIDATE", help="The VersionName to approve or reject.")]
BaselineOption = Annotated[
    str | None,
    typer.Option(help="The VersionName to compare with. Default: by rule, usually the newest approved one before it."),
]
BaselineModelOption = Annotated[
    str | None, typer.Option(help="The ModelId of the baseline, if it belongs to another model.")
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="A TOML file whose [[policy]] rules replace those of paiview.toml."),
]
DataOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        exists=True,
        dir_okay=False,
        resolve_path=True,
        help="A saved response of ListModelVersions, or its pages or versions, shown as a model named after the file. "
        "Can be repeated.",
    ),
]


class PortError(SettingError):
    """The dashboard cannot listen on this port."""

    advice = "Choose another port: paiview dashboard --port 9000, or make run PORT=9000."


class HostError(SettingError):
    """The dashboard cannot listen on this address."""

    advice = "Pass an address of this machine with --host: 127.0.0.1, or 0.0.0.0 to listen on all of them."


class OutputError(PaiviewError):
    """Standard output cannot be written, for example because the disk is full."""


def _print_version(requested: bool) -> None:
    if requested:
        _print(f"paiview {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an error is one line on stderr and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # A failure is printed once, as the error below. Without a handler logging would also print the log record.
    for name in ("paiview", "stamina"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    try:
        app()
    except PaiviewError as error:
        _tell(error)
        sys.exit(1)
    except OSError as error:
        # typer writes the help itself. An error of a file has its name, and is a fault of this program.
        if error.filename is not None:
            raise
        _discard_output()
        _tell(_unwritable(error))
        sys.exit(1)
    finally:
        # Only commands that read PAI import this module; the others have no connection to close.
        if (connection := sys.modules.get("paiview.registry.connection")) is not None:
            connection.disconnect()


@app.command()
def models(
    workspace: Annotated[
        str | None, typer.Option(help="A WorkspaceId. Default: PAIVIEW_WORKSPACE_ID, otherwise all workspaces.")
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(help=f"List the public models of this provider, such as {' or '.join(PROVIDERS)}, not your own."),
    ] = None,
    model_name: Annotated[str | None, typer.Option(help="Part of a name; in double quotes the whole name.")] = None,
    query: Annotated[str | None, typer.Option(help="Text in a name, domain, task or label, found by PAI.")] = None,
    label: Annotated[str | None, typer.Option(help=_LABEL_HELP)] = None,
    tag: Annotated[str | None, typer.Option(help="key=value, or a JSON array of objects with Key and Value.")] = None,
    conditions: Annotated[
        str | None,
        typer.Option(help="ParameterSize<3000 (millions), or a JSON array of objects with Column, Operator and Value."),
    ] = None,
    domain: Annotated[str | None, typer.Option()] = None,
    task: Annotated[str | None, typer.Option()] = None,
    origin: Annotated[str | None, typer.Option()] = None,
    model_type: Annotated[str | None, typer.Option()] = None,
    collections: Annotated[str | None, typer.Option(help="Collections of PAI, joined by commas.")] = None,
    q: Annotated[str, typer.Option("--q", help="Text to find in a name, id, description, label or owner.")] = "",
    output: FormatOption = Format.TABLE,
) -> None:
    """List the models that pass PAI's filters, newest first."""
    from paiview.registry.connection import connect  # noqa: PLC0415 - only commands that read PAI pay for the import
    from paiview.registry.model_search import matching_models  # noqa: PLC0415

    registry = connect(_uncached_settings())
    filters = ModelFilters(
        provider=provider,
        model_name=model_name,
        query_text=query,
        label=label,
        tag=tag,
        conditions=conditions,
        domain=domain,
        task=task,
        origin=origin,
        model_type=model_type,
        collections=collections,
    )
    snapshot = registry.models(registry.workspace_to_list(workspace, filters), filters)
    matches = matching_models(snapshot.items, text=q, task=None, domain=None, sort="-created")
    if output is Format.JSON:
        _print_json(matches)
    elif output is Format.CSV:
        _print_frame(_models_frame(matches))
    else:
        _print_table(
            ("MODEL", "NAME", "TASK", "NEWEST", "CREATED"),
            [
                (model.model_id, model.model_name, model.task, _latest_version_name(model), model.gmt_create_time)
                for model in matches
            ],
        )
    _print_note(snapshot.uneven or f"{len(matches)} of {snapshot.total} models")


def _models_frame(models: Sequence[Model]) -> "pd.DataFrame":
    """The columns of the CSV, one row for each model."""
    import pandas as pd  # noqa: PLC0415 - only CSV needs it

    columns = {
        "model_id": [model.model_id for model in models],
        "model_name": [model.model_name for model in models],
        "workspace_id": [model.workspace_id for model in models],
        "task": [model.task for model in models],
        "domain": [model.domain for model in models],
        "provider": [model.provider for model in models],
        "latest_version": [_latest_version_name(model) for model in models],
        "created": [model.gmt_create_time for model in models],
        "description": [model.model_description for model in models],
        "doc": [model.model_doc for model in models],
        "origin": [model.origin for model in models],
        "model_type": [model.model_type for model in models],
        "parameter_size": [model.parameter_size for model in models],
        "accessibility": [model.accessibility for model in models],
        "labels": [_labels_text(model.labels) for model in models],
        "tags": [_labels_text(model.tags) for model in models],
        "extra_info": [model.extra_info and json_text(model.extra_info) for model in models],
        "user_id": [model.user_id for model in models],
        "owner_id": [model.owner_id for model in models],
    }
    return pd.DataFrame(columns, dtype=object)


def _labels_text(labels: Sequence[Label]) -> str:
    return ", ".join(f"{label.key}={label.value}" for label in labels)


def _latest_version_name(model: Model) -> str | None:
    return model.latest_version.version_name if model.latest_version else None


def _approval_status(value: str | None) -> str | None:
    if value is not None and not {*spellings_of(value, APPROVAL_STATUSES)} <= {*APPROVAL_STATUSES}:
        raise typer.BadParameter(f"{one_line(value, 60)} is none of {', '.join(APPROVAL_STATUSES)}.")
    return value


@app.command()
def versions(
    model: ModelArgument,
    version_name: Annotated[str | None, typer.Option()] = None,
    format_type: Annotated[str | None, typer.Option()] = None,
    framework_type: Annotated[str | None, typer.Option()] = None,
    source_type: Annotated[str | None, typer.Option(help=f"{', '.join(SOURCE_TYPES)}, or another one.")] = None,
    source_id: Annotated[str | None, typer.Option()] = None,
    label: Annotated[str | None, typer.Option(help=_LABEL_HELP)] = None,
    approval_status: Annotated[
        str | None, typer.Option(callback=_approval_status, help="Pending, Approved or Rejected.")
    ] = None,
    order: Annotated[Order, typer.Option(case_sensitive=False)] = Order.ASC,
    sort_by: Annotated[str, typer.Option()] = "GmtCreateTime",
    output: FormatOption = Format.TABLE,
) -> None:
    """List the versions of a model, filtered and sorted by PAI. CSV has a column for each metric on each dataset.

    Beyond 1,000 of them it has one number in a row.
    """
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
    _print_versions(connect(_uncached_settings()).versions(model, filters), output)


def _print_versions(snapshot: "VersionsSnapshot", output: Format) -> None:
    if output is Format.JSON:
        _print_exported(snapshot)
    elif output is Format.CSV:
        from paiview.evaluation.queries import MAX_COLUMNS, long_form  # noqa: PLC0415 - only CSV needs pandas
        from paiview.reports.version_tables import version_table  # noqa: PLC0415

        frames = snapshot.frames
        in_order = frames.versions["listing_index"].to_numpy().argsort()
        if len(frames.pairs) > MAX_COLUMNS:
            _print_frame(long_form(frames, frames.pairs, in_order))
            _print_note(f"More than {MAX_COLUMNS:,} columns: one number in a row instead.")
        else:
            _print_frame(version_table(frames, snapshot.versions, in_order, frames.pairs))
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
    _print_note(snapshot.coverage)
    for sentence in snapshot.warnings:
        _print_note(sentence)


@app.command()
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


@app.command()
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


app.command()(cli_backtest.backtest)
app.command()(cli_evidence.significance)
app.command()(cli_evidence.explain)


@app.command()
def meaning(model: ModelArgument) -> None:
    """Print what each metric of a model means, and the lines of paiview.toml for what is open."""
    from paiview.decisions import contracts  # noqa: PLC0415
    from paiview.registry.connection import connect  # noqa: PLC0415
    from paiview.reports.metric_table import METRIC_COLUMNS, metric_rows, open_lines  # noqa: PLC0415

    snapshot = connect(_uncached_settings()).versions(model)
    in_force = contracts.current().with_data(snapshot.meanings)
    meanings = in_force.metrics
    names = snapshot.frames.metrics["metric"].cat.categories.tolist()
    _print_table([column.upper() for column in METRIC_COLUMNS], metric_rows(names, meanings), max_cell_width=80)
    if lines := open_lines(names, meanings):
        _print()
        _print(strip_controls(lines))
    for sentence in in_force.ignored:
        _print_note(sentence)


@app.command("config")
def show_config() -> None:
    """Print every setting, metric, dataset and policy rule in use, and its source.

    Credentials are not settings and are not printed.
    """
    from paiview.decisions import contracts  # noqa: PLC0415 - most commands do without

    _print_table(
        ("SETTING", "VALUE", "FROM"), [*_setting_rows(load_settings()), *contracts.explain()], max_cell_width=1000
    )


def _setting_rows(settings: settings.Settings) -> list[tuple[str, str | None, str]]:
    """Variable, value and source of each setting."""
    sources = setting_origins()
    values = {name: getattr(settings, name) for name in sources}
    values["data"] = os.pathsep.join(map(str, settings.data)) or None
    values |= {name: ", ".join(values[name]) or None for name in ("allowed_hosts", "trusted_proxies")}
    values["rate_limit"] = settings.requests_per_second
    if settings.endpoint is None:
        values["endpoint"] = settings.service_endpoint or "(the embedded registry)"
        sources["endpoint"] = "PAIVIEW_REGION" if settings.region else "default"
    return [(f"PAIVIEW_{name.upper()}", _setting_text(values[name]), source) for name, source in sources.items()]


def _setting_text(value: object) -> str | None:
    if value is None:
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)


@app.command()
def local(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 chooses a free port.")] = 0,
    data: DataOption = None,
    data_dir: Annotated[
        Path | None, typer.Option(file_okay=False, help="The folder of the registry's file. Default: PAIVIEW_DATA_DIR.")
    ] = None,
) -> None:
    """Serve only the embedded registry, and print the shell commands that make a client use it."""
    from paiview.embedded.local_registry import LocalRegistry  # noqa: PLC0415

    settings = load_settings()
    registry = LocalRegistry(data_dir or settings.data_dir, data_files=tuple(data or settings.data), port=port)
    _check_data(tuple(data or settings.data))
    registry.start()
    try:
        interrupted = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: interrupted.set())
        _print(f"export PAIVIEW_ENDPOINT={registry.endpoint}")
        _print(f"export ALIBABA_CLOUD_ACCESS_KEY_ID={registry.access_key_id}")
        _print(f"export ALIBABA_CLOUD_ACCESS_KEY_SECRET={registry.access_key_secret}")
        interrupted.wait()
    finally:
        registry.stop()


@app.command()
def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    host: Annotated[
        str, typer.Option(help="The address to listen on. Everyone who can reach it sees all data.")
    ] = "127.0.0.1",
    data: DataOption = None,
) -> None:
    """Serve the dashboard."""
    from paiview.decisions import contracts  # noqa: PLC0415

    if data:
        os.environ["PAIVIEW_DATA"] = os.pathsep.join(map(str, data))
    settings = load_settings()
    contracts.current()
    if settings.service_endpoint is None:
        _check_data(settings.data)
    _check_address(host, port)
    # By default uvicorn trusts the X-Forwarded-For of every client on this machine.
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(settings.trusted_proxies)
    # Streamlit reads .streamlit/config.toml beside this file, whatever the current folder is.
    script = str(APP_FOLDER / "app.py")
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port), "--server.address", host]
    os.execv(command[0], command)  # noqa: S606 - the dashboard replaces this process, and receives its signals


def _check_data(data: Sequence[Path]) -> None:
    """Refuse a broken data file before the dashboard starts, and tell what is odd in the others."""
    from paiview.embedded.local_registry import seed_files  # noqa: PLC0415

    for file in seed_files(data):
        for sentence in file.remarks:
            _print_note(sentence)


def _check_address(host: str, port: int) -> None:
    """Raise a sentence for what Streamlit would report as a traceback."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortError(f"Port {port} on {one_line(host)} is in use.") from None
        # socket appends the address: "Cannot assign requested address (while attempting to bind on address ...)".
        reason = (error.strerror or str(error)).partition(" (while ")[0]
        if error.errno == errno.EACCES:
            raise PortError(f"Port {port} on {one_line(host)} cannot be opened: {reason}.") from None
        raise HostError(f"The dashboard cannot listen on {one_line(host)}: {reason}.") from None


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
        connect(_uncached_settings()),
        model,
        candidate,
        baseline=baseline,
        baseline_model=baseline_model,
        contracts=current,
    )


def _uncached_settings() -> settings.Settings:
    """The settings of a command, which reads PAI itself: an approval must not depend on a shared, older response."""
    return load_settings().model_copy(update={"cache_url": None})


@contextmanager
def _undecided_on_any_error() -> Iterator[None]:
    """Print any error in one line and exit with 2; Python's own exit code 1 would read as a failed check."""
    try:
        yield
    except PaiviewError as error:
        _tell(error)
    except Exception as error:  # noqa: BLE001 - after any error nothing is decided
        if isinstance(error, BrokenPipeError):
            _discard_output()
        typer.echo(f"error: {type(error).__name__}: {one_line(str(error), 600)}", err=True)
    else:
        return
    raise typer.Exit(_EXIT_CODES["undecided"])


def _tell(error: PaiviewError) -> None:
    typer.echo(f"error: {error_text(error, one_line)}", err=True)


def _print_decision(decision: "Decision", output: ReportFormat) -> None:
    from paiview.reports import documents  # noqa: PLC0415

    if output is ReportFormat.JSON:
        _print(documents.to_json(decision))
    elif output is ReportFormat.MD:
        _print(documents.to_markdown(decision), newline=False)
    elif output is ReportFormat.HTML:
        _print(documents.to_html(decision))
    elif output is ReportFormat.CSV:
        _print_csv(documents.to_csv(decision))
    else:
        _print_verdict(decision)


def _print_verdict(decision: "Decision") -> None:
    """Print a decision as text: the word, a sentence for each metric, the results, averages and rules."""
    from paiview.decisions.wording import headline  # noqa: PLC0415
    from paiview.reports import plain_text  # noqa: PLC0415

    _print(plain_text.word(decision))
    _print(f"{one_line(decision.model)} {one_line(decision.candidate)} {plain_text.against(decision)}")
    for sentence in headline(decision):
        _print(f"  {one_line(sentence, 800)}")
    if pairs := plain_text.rows(decision):
        _print()
        _print_pairs(pairs)
    if averages := plain_text.average_rows(decision):
        _print()
        _print_table(("AVERAGE OF", "DATASETS", "BASELINE", "CANDIDATE", "RATIO", "MEAN GAIN"), averages)
    for sentence in plain_text.average_remarks(decision):
        _print(sentence)
    _print()
    for rule in plain_text.rules(decision):
        _print(f"{plain_text.OUTCOMES[rule.result]}: {one_line(rule.rule)}: {one_line(rule.sentence, 800)}")
    for doubt in plain_text.open_doubts(decision):
        _print(f"{'accepted' if doubt.accepted else 'open'}: {one_line(doubt.sentence, 800)}")
        if doubt.toml and not doubt.accepted:
            _print(indent(strip_controls(doubt.toml), "    "))
    _print(f"Policy: {plain_text.OUTCOMES[decision.overall]}")
    for sentence in plain_text.cautions(decision):
        _print_note(sentence)


def _print_pairs(pairs: "Sequence[plain_text.Row]") -> None:
    header = ["STATE", "DATASET", "METRIC", "BASELINE", "CANDIDATE", "CHANGE", "EFFECT"]
    rows = [[row.mark, row.label, row.metric, row.baseline, row.candidate, row.change, row.effect] for row in pairs]
    if any(row.note for row in pairs):
        header.append("NOTE")
        for cells, row in zip(rows, pairs, strict=True):
            cells.append(row.note)
    _print_table(header, rows, max_cell_width=200)


def _print_note(sentence: str) -> None:
    typer.echo(one_line(sentence, 400), err=True)


def _print_exported(snapshot: "VersionsSnapshot") -> None:
    """Print the versions: a list, or a whole response where a list would lose something when it is loaded again."""
    from paiview.pai.listing_facts import MEANINGS_FIELD  # noqa: PLC0415

    brings_meanings = bool(snapshot.meanings) and (snapshot.origin is None or snapshot.origin.kind != "published")
    raw = [version.raw for version in snapshot.versions]
    if not snapshot.missing and not brings_meanings:
        _print_tree(raw)
        return
    meanings = {MEANINGS_FIELD: dict(snapshot.meanings)} if brings_meanings else {}
    _print_tree({"Versions": raw, "TotalCount": len(raw) + snapshot.missing, **meanings})


def _print_json(items: Sequence[PaiObject]) -> None:
    _print_tree([item.raw for item in items])


def _print_tree(tree: object) -> None:
    """Print JSON in ASCII: a terminal obeys no character of the registry's."""
    # JSON has no NaN; as a string no value is lost.
    _print(json.dumps(from_json(to_json(tree, inf_nan_mode="strings")), indent=2))


def _print_frame(frame: "pd.DataFrame") -> None:
    from paiview.reports.table_files import csv_bytes  # noqa: PLC0415

    _print_csv(csv_bytes(frame))


def _print_csv(content: bytes) -> None:
    """Print CSV without byte order mark, for the next program, and without control characters, for the terminal."""
    _print(strip_controls(content.decode("utf-8-sig")).encode(), newline=False)


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str | None]], max_cell_width: int = 60) -> None:
    """Print rows in columns, each as wide as its widest cell; ``max_cell_width`` is in characters."""
    cells = [header, *([_cell(cell, max_cell_width) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        _print("  ".join(padded).rstrip())


def _cell(text: str | None, limit: int) -> str:
    """A cell on one line; numbers get the minus sign that other programs read, unless a person reads the table."""
    line = one_line(text or "", limit)
    return line if sys.stdout.isatty() else _TRUE_MINUS.sub("-", line)


def _width(text: str) -> int:
    """The columns that a text takes in a terminal: Chinese characters take two, combining accents none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _print(text: str | bytes = "", *, newline: bool = True) -> None:
    """Write to stdout.

    Raises:
        OutputError: the device refuses the text.
        BrokenPipeError: the reader has left; typer ends the command without a message.
    """
    try:
        typer.echo(text, nl=newline)
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_output()
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> OutputError:
    return OutputError(f"The output cannot be written: {error.strerror}.")


def _discard_output() -> None:
    """Drop the text that stdout still buffers: at the end Python would try to write it, and fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

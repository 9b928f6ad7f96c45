"""The commands in one program, ``paiview``."""

import io
import logging
import sys
from typing import Annotated

import typer

from paiview import __version__
from paiview.cli import backtest, configuration, decisions, evidence, lists, serving
from paiview.cli.output import discard_output, print_error, print_text, unwritable
from paiview.pai.errors import PaiviewError

app = typer.Typer(
    help="The evaluation metrics of PAI model versions, compared before one is approved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _command in (
    lists.models,
    lists.versions,
    decisions.compare,
    decisions.check,
    backtest.backtest,
    evidence.significance,
    evidence.explain,
    configuration.meaning,
    configuration.config,
    serving.local,
    serving.dashboard,
):
    app.command()(_command)


def _print_version(requested: bool) -> None:
    if requested:
        print_text(f"paiview {__version__}")
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
        print_error(error)
        sys.exit(1)
    except OSError as error:
        # typer writes the help itself. An error of a file has its name, and is a fault of this program.
        if error.filename is not None:
            raise
        discard_output()
        print_error(unwritable(error))
        sys.exit(1)
    finally:
        # Only commands that read PAI import this module; the others have no connection to close.
        if (connection := sys.modules.get("paiview.registry.connection")) is not None:
            connection.disconnect()

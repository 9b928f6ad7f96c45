"""The command line, run in the process of the test."""

import csv
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import pytest

from paiview.cli.main import main
from paiview.decisions.decision import Decision
from tests.harness.dashboard import ROOT


class Printed(NamedTuple):
    """The exit code of a command, and its output."""

    code: int
    out: str
    err: str

    @property
    def table(self) -> list[list[str]]:
        """Rows of a table, header first; at least two spaces separate columns."""
        return [re.split(r"\s{2,}", line) for line in self.out.splitlines()]

    @property
    def csv(self) -> list[dict[str, str]]:
        """Rows of a CSV file."""
        return list(csv.DictReader(io.StringIO(self.out, newline="")))

    @property
    def decision(self) -> Decision:
        """A decision as JSON."""
        return Decision.model_validate_json(self.out)


Run = Callable[..., Printed]
PROCESS_SECONDS: Final = 30.0
"""After which a process has failed."""


def process(settings: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with these arguments in a process of its own, with ``settings`` in its environment."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        encoding="utf-8",
        timeout=PROCESS_SECONDS,
        check=False,
    )


def commands(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], *first: str) -> Run:
    """A function that runs a command with its arguments; those in ``first`` come before them."""

    def run(*arguments: str) -> Printed:
        monkeypatch.setattr(sys, "argv", ["paiview", *first, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfdbinary.readouterr()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return Printed(code, out.decode(), err.decode())

    return run

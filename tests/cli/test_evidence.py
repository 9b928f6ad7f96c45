"""``significance`` and ``explain``: results on stdout, notes on stderr, and exit code 2 for what cannot be used."""

import json
import math
import os
import subprocess
import sys
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from paiview.cli import evidence
from paiview.cli.evidence import _Progress
from paiview.evidence.significance import DEFAULT_DRAWS, MAX_DRAWS, MIN_DRAWS
from tests.harness.commands import Run, commands
from tests.harness.item_files import Row, json_lines, published_items

WAIT = 60.0
ROOT = Path(__file__).parents[2]
HOSTILE = "\x1b[31mred\u202e<script>"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Run:
    """Run the command line in this process, in a folder of its own; a busy machine prints no progress."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evidence, "_PROGRESS_SECONDS", math.inf)

    return commands(monkeypatch, capfdbinary)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """The published results of Azure and ElevenLabs, by the names of their files."""
    json_lines(tmp_path / "azure.jsonl", published_items("azure"))
    json_lines(tmp_path / "eleven.jsonl", published_items("elevenlabs-scribe-v2"))
    return "azure.jsonl", "eleven.jsonl"


def items(tmp_path: Path, name: str, *errors: int, **more: Any) -> str:
    rows: list[Row] = [{"id": f"u{at}", "errors": number, "n": 10, **more} for at, number in enumerate(errors)]
    json_lines(tmp_path / name, rows)
    return name


def values(tmp_path: Path, name: str, *numbers: float) -> str:
    json_lines(tmp_path / name, ({"id": at, "value": number} for at, number in enumerate(numbers)))
    return name


def test_the_answer_comes_first_and_the_json_last(run: Run, files: tuple[str, str]) -> None:
    printed = run("significance", *files, "--metric", "wer", "--baseline-version", "0.4.0")
    lines = printed.out.splitlines()
    assert lines[0] == "Too close to call: the difference may be chance."
    assert lines[-2] == "To register beside Metrics of the candidate:"
    [entry] = json.loads(lines[-1])["Paired"]["wer"]
    assert list(entry) == ["baseline", "model", "change", "low", "high", "level", "method", "draws", "n", "groups"]
    assert (entry["baseline"], entry["n"], entry["groups"], entry["draws"]) == ("0.4.0", 4270, 250, 10_000)
    assert entry["low"] < entry["change"] < 0 < entry["high"]
    assert printed.code == 0
    assert printed.err.startswith("The n of 13 items of 4,270 differs between the files (")
    assert printed.err.count("\n") == 1


def test_json_is_whole_and_repeatable(run: Run, files: tuple[str, str]) -> None:
    command = ("significance", *files, "--json", "--seed", "3", "--draws", "2000", "--level", "0.9", "--level", "0.99")
    first, second = run(*command), run(*command)
    assert first == second
    tree = json.loads(first.out)
    assert [interval["level"] for interval in tree["intervals"]] == [0.95, 0.9, 0.99]
    assert (tree["metric"], tree["seed"], tree["draws"], tree["state"]) == ("error_rate", 3, 2000, "unclear")
    assert json.loads(run(*command, "--seed", "4").out)["intervals"] != tree["intervals"]
    assert "about 14 datasets with as much." in first.err
    assert "Evidence that names no baseline is not used: complete it with --baseline-version.\n" in first.err


def test_the_page_is_written(run: Run, files: tuple[str, str], tmp_path: Path) -> None:
    printed = run("significance", *files, "--html", "page.html")
    assert printed.code == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "eleven.jsonl against azure.jsonl" in page
    refused = run("significance", *files, "--html", "none/page.html")
    assert (refused.code, refused.out) == (2, printed.out), "The result is printed first."
    assert (
        refused.err.splitlines()[-1]
        == "error: none/page.html cannot be written: No such file or directory. Choose another path."
    )


def test_the_page_of_a_metric_with_a_target_tells_no_raw_change_as_worse(run: Run, tmp_path: Path) -> None:
    before = values(tmp_path, "a", *[-5.0 - at % 3 for at in range(60)])
    after = values(tmp_path, "b", *[-1.0 - at % 2 for at in range(60)])
    printed = run("significance", before, after, "--metric", "bias", "--html", "page.html")
    assert printed.out.startswith("Better")
    assert "got worse" not in (tmp_path / "page.html").read_text("utf-8")


def test_groups_come_from_a_column_or_a_file(run: Run, tmp_path: Path) -> None:
    before = items(tmp_path, "a.jsonl", *[1, 2] * 30, room="r", spk="s")
    after = items(tmp_path, "b.jsonl", *[0, 1] * 30, room="r", spk="s")
    assert "There is only one group: no spread" in run("significance", before, after, "--group", "room").err
    (tmp_path / "utt2spk").write_text("".join(f"u{at} {at % 30}\n" for at in range(60)))
    printed = run("significance", before, after, "--groups", "utt2spk", "--json")
    assert (json.loads(printed.out)["groups"], json.loads(printed.out)["method"]) == (30, "t")


def test_the_direction_is_that_of_the_options_or_of_paiview_toml(run: Run, tmp_path: Path) -> None:
    before, after = values(tmp_path, "a", *[1, 2] * 30), values(tmp_path, "b", *[2, 3] * 30)
    sides = {
        options: json.loads(run("significance", before, after, "--json", *options).out)["state"]
        for options in ((), ("--higher",), ("--lower",), ("--metric", "accuracy"), ("--metric", "quux"))
    }
    assert [*sides.values()] == ["changed", "better", "worse", "better", "changed"]
    (tmp_path / "paiview.toml").write_text(
        '[metrics.quux]\ndirection = "lower"\nscale = "percent"\n[metrics.aim]\ndirection = "target"\ntarget = 2\n'
    )
    quux = json.loads(run("significance", before, after, "--json", "--metric", "quux").out)
    assert (quux["state"], quux["baseline"], quux["change"]) == ("worse", 150, 100)
    aim = json.loads(run("significance", before, after, "--json", "--metric", "aim").out)
    assert (aim["target"], aim["Paired"]["aim"][0]["of"]) == (2, "distance")
    assert json.loads(run("significance", before, after, "--json", "--percent").out)["baseline"] == 150


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["a.jsonl", "c.jsonl"],
            "error: c.jsonl does not have the items of a.jsonl: 2 of 3 items are missing (u1, u2)",
        ),
        (["a.jsonl", "broken"], "error: broken, line 1: it is not JSON: Expecting"),
        (
            ["a.jsonl", "a.jsonl", "--group", "room"],
            "error: a.jsonl, line 1: there is no column room; the columns ",
        ),
        (["a.jsonl", "none"], "Usage: "),
        (["a.jsonl", "a.jsonl", "--draws", "3"], "Usage: "),
        (["a.jsonl", "a.jsonl", "--metric", "accuracy"], "error: The files hold errors, but fewer errors are not a "),
    ],
)
def test_what_cannot_be_used_ends_with_2(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    items(tmp_path, "a.jsonl", 1, 2, 3)
    items(tmp_path, "c.jsonl", 1)
    (tmp_path / "broken").write_text("{")
    printed = run("significance", *arguments)
    assert (printed.code, printed.out) == (2, "")
    assert printed.err.startswith(message)
    if message.startswith("error"):
        assert printed.err.endswith(" docs/significance.md describes the files.\n")


def test_the_command_and_the_function_have_the_same_draws() -> None:
    draws = signature(evidence.significance).parameters["draws"]
    [option] = draws.annotation.__metadata__
    assert (draws.default, option.min, option.max) == (DEFAULT_DRAWS, MIN_DRAWS, MAX_DRAWS)


def test_a_level_that_cannot_be_ends_with_2(run: Run, tmp_path: Path) -> None:
    name = items(tmp_path, "a.jsonl", 1, 2, 3)
    printed = run("significance", name, name, "--level", "95")
    assert printed == (2, "", "error: A level must be above 0 and below 1, such as 0.99.\n")


def test_explain_lists_the_items_of_each_side(run: Run, tmp_path: Path) -> None:
    before = items(tmp_path, "a.jsonl", 1, 5, 3, 0, speaker="s\x1b")
    json_lines(
        tmp_path / "b.jsonl",
        [
            {"id": f"u{at}", "errors": errors, "n": 10, "ref": f"{HOSTILE} {at}\n2", "hyp": "x" * 1000}
            for at, errors in enumerate((4, 2, 3, 1))
        ],
    )
    printed = run("explain", before, "b.jsonl", "--top", "1")
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.splitlines() == [
        "Of 4 items 2 got worse (+4 errors), 1 got better (−3 errors), 1 did not change.",
        "",
        "worse (the first 1):",
        "  u0  (s�): 1 → 4 errors of 10",
        "    reference  �[31mred�<script> 0 2",
        "    baseline   (nothing)",
        f"    candidate  {'x' * 399}…",
        "",
        "better:",
        "  u1  (s�): 5 → 2 errors of 10",
        "    reference  �[31mred�<script> 1 2",
        "    baseline   (nothing)",
        f"    candidate  {'x' * 399}…",
    ]


def test_explain_prints_json_in_ascii(run: Run, tmp_path: Path) -> None:
    before, after = items(tmp_path, "a.jsonl", 1, 5, ref=HOSTILE), items(tmp_path, "b.jsonl", 2, 5, ref=HOSTILE)
    printed = run("explain", before, after, "--json")
    assert printed.out.isascii()
    assert "\x1b" not in printed.out
    assert json.loads(printed.out)["worse"]["most"][0]["reference"] == HOSTILE


def test_explain_of_values_follows_the_direction(run: Run, tmp_path: Path) -> None:
    before, after = values(tmp_path, "a", 1, 2, 3), values(tmp_path, "b", 2, 2, 3)
    assert run("explain", before, after, "--metric", "accuracy").out.startswith("Of 3 items 0 got worse, 1 got better")
    assert run("explain", before, after, "--lower").out.startswith("Of 3 items 1 got worse, 0 got better")
    assert run("explain", before, after).out.startswith("Of 3 items 1 got higher, 0 got lower")


def test_items_may_come_through_a_pipe(tmp_path: Path) -> None:
    items(tmp_path, "a.jsonl", *[1, 2] * 30)
    items(tmp_path, "b.jsonl", *[1, 1] * 30, ref="text")
    script = f"{sys.executable} -m paiview significance <(cat a.jsonl) <(cat b.jsonl) --html page.html --json"
    printed = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=WAIT,
        check=False,
    )
    assert printed.returncode == 0, printed.stderr
    assert json.loads(printed.stdout)["state"] == "better"
    assert "Reference" not in (tmp_path / "page.html").read_text("utf-8")


def test_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    name = items(tmp_path, "a.jsonl", 1, 2, 3)
    with Path("/dev/full").open("w") as full:
        printed = subprocess.run(
            [sys.executable, "-m", "paiview", "explain", name, name],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=WAIT,
            check=False,
        )
    assert printed.returncode == 1
    assert printed.stderr == "error: The output cannot be written: No space left on device.\n"


def test_progress_is_printed_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter((0.0, 1.0, 2.5, 3.0, 5.0, 9.0))
    monkeypatch.setattr("paiview.cli.evidence.time.monotonic", lambda: next(times))
    progress = _Progress()
    for done in (1000, 2000, 3000, 4000, 10_000):
        progress(done, 10_000)
    assert capsys.readouterr().err == "2,000 of 10,000 draws\n4,000 of 10,000 draws\n"

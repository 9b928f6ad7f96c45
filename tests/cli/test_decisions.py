"""``compare`` and ``check``: one decision in every format, and exit codes that never pass by mistake."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NoReturn

import pytest

from paiview.registry import connection
from paiview.registry.connection import disconnect
from paiview.registry.registry import Registry
from paiview.reports import documents
from tests.harness.commands import PROCESS_SECONDS, Run, commands, process
from tests.harness.dashboard import ROOT

HOSTILE = "\x1b[31mred\x07\u202e|`"


def version(name: str, status: str, month: int, **values: float) -> dict[str, Any]:
    results = [{"Dataset": {"DatasetId": dataset}, "Metrics": {"cer": value}} for dataset, value in values.items()]
    return {
        "VersionName": name,
        "ApprovalStatus": status,
        "GmtCreateTime": f"2024-{month:02}-01T00:00:00Z",
        "Metrics": {"Results": results},
    }


SAVED = [
    version("0.1.0", "Approved", 1, aishell=0.2, meeting=0.3),
    version("0.2.0", "Pending", 2, aishell=0.18, meeting=0.27),
    version("0.3.0", "Pending", 3, aishell=0.18, meeting=0.33, new=0.5),
    version("0.4.0", "Pending", 4, **{HOSTILE: 0.1, "aishell": 0.2, "meeting": 0.3}),
]
OTHER = [version("9.0.0", "Approved", 1, aishell=0.1)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an embedded registry with ``SAVED`` as model-mine and ``OTHER`` as model-other."""
    folder = tmp_path_factory.mktemp("saved")
    for name, versions in (("mine", SAVED), ("other", OTHER)):
        (folder / f"{name}.json").write_text(json.dumps({"Versions": versions}))
    files = os.pathsep.join(str(folder / f"{name}.json") for name in ("mine", "other"))
    return {"PAIVIEW_DATA_DIR": str(tmp_path_factory.mktemp("registry")), "PAIVIEW_DATA": files}


@pytest.fixture
def run(
    settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
) -> Run:
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    return commands(monkeypatch, capfdbinary)


def assert_one_line(err: str) -> None:
    assert err.count("\n") == 1
    assert err.startswith("error: ")


def test_a_comparison_is_a_table_that_begins_with_the_answer(run: Run) -> None:
    printed = run("compare", "model-mine", "0.3.0")
    assert printed.out.splitlines() == [
        "▲▼ Trade-off",
        "model-mine 0.3.0 against 0.1.0 (newest approved by creation)",
        "  cer: better on 1, worse on 1 (meeting −10.0 %), new 1",
        "",
        "STATE     DATASET  METRIC  BASELINE  CANDIDATE  CHANGE  EFFECT",
        "▼ worse   meeting  cer     0.30      0.33       +3 pp   -10.0 %",
        "▲ better  aishell  cer     0.20      0.18       -2 pp   +10.0 %",
        "✚ new     new      cer     –         0.50       –       –",
        "",
        "AVERAGE OF  DATASETS  BASELINE  CANDIDATE  RATIO   MEAN GAIN",
        "cer         2         0.250     0.255      0.9950  0.0 %",
        "cer: the averages name different winners, so none of them is the answer.",
        "",
        "✕ fail: no_regression: 1 of 2 results is worse: cer on meeting −10.0 % (0.30 → 0.33, +3 pp).",
        "✓ pass: no_missing: None of 2 results of the baseline is missing.",
        "Policy: ✕ fail",
    ]
    assert (printed.code, printed.err) == (
        0,
        "Significance cannot be judged: no result has paired evidence, counts or a spread.\n",
    )


def saved(folder: Path, monkeypatch: pytest.MonkeyPatch, baseline: dict[str, Any], candidate: dict[str, Any]) -> None:
    """Serve two versions as model-two, with these metrics on one dataset."""
    sides = ((1, "Approved", baseline), (2, "Pending", candidate))
    versions = [
        version(f"0.{month}.0", status, month)
        | {"Metrics": {"Results": [{"Dataset": {"DatasetId": "d"}, "Metrics": metrics}]}}
        for month, status, metrics in sides
    ]
    (folder / "two.json").write_text(json.dumps({"Versions": versions}))
    monkeypatch.setenv("PAIVIEW_DATA", str(folder / "two.json"))
    monkeypatch.setenv("PAIVIEW_DATA_DIR", str(folder / "registry"))


def test_every_number_of_a_piped_table_is_read_by_the_next_program(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, monkeypatch, {"mse": 6.1e-15, "psnr": -3.5}, {"mse": 3.2e-15, "psnr": -4.5})
    rows = [re.split(r"\s{2,}", line) for line in run("compare", "model-two", "0.2.0").out.splitlines()]
    cells = {row[2]: [float(cell) for cell in row[3:6]] for row in rows if row[1:2] == ["d"]}
    assert cells == {"mse": [6.1e-15, 3.2e-15, -2.9e-15], "psnr": [-3.5, -4.5, -1.0]}


def test_names_that_look_alike_are_quoted_so_that_they_differ_and_can_be_pasted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = ["wer ", " w  er", "WER\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}wer\t"]
    saved(tmp_path, monkeypatch, {"wer": 0.2}, dict.fromkeys(others, 0.1))
    (note,) = [line for line in run("compare", "model-two", "0.2.0").err.splitlines() if "look alike" in line]
    tables = re.findall(r'\[metrics\.".*?"\]', note)
    assert {*tomllib.loads("\n".join(tables))["metrics"]} == {*others}
    target = re.findall(r'alias_of = ".*?"', note)
    (tmp_path / "paiview.toml").write_text("\n".join(f"{table}\n{target[0]}" for table in tables[:1]))
    assert "wer" in {pair.metric for pair in run("compare", "model-two", "0.2.0", "--format", "json").decision.pairs}


@pytest.mark.parametrize(
    ("candidate", "code", "overall"), [("0.2.0", 0, "pass"), ("0.3.0", 1, "fail"), ("0.1.0", 2, "undecided")]
)
@pytest.mark.parametrize("form", ["table", "json", "md"])
def test_a_check_ends_as_the_policy_says(run: Run, candidate: str, code: int, overall: str, form: str) -> None:
    checked = run("check", "model-mine", candidate, "--format", form)
    compared = run("compare", "model-mine", candidate, "--format", form)
    assert (checked.code, compared.code) == (code, 0)
    assert overall in checked.out
    if form == "json":
        assert checked.decision == compared.decision
        assert checked.decision.overall == overall
    else:
        assert checked.out.splitlines()[:-1] == compared.out.splitlines()[:-1]


def test_every_format_has_the_same_decision(run: Run) -> None:
    decision = run("compare", "model-mine", "0.3.0", "--format", "json").decision
    html = run("compare", "model-mine", "0.3.0", "--format", "html")
    assert (html.code, html.err) == (0, "")
    assert html.out.startswith("<!doctype html>")
    assert decision.data_fingerprint in html.out
    assert decision.data_fingerprint[7:19] in run("compare", "model-mine", "0.3.0", "--format", "md").out
    table = run("compare", "model-mine", "0.3.0", "--format", "csv")
    assert table.out == documents.to_csv(decision).decode("utf-8-sig"), "Without the byte order mark of a file."


def test_another_baseline_can_be_chosen(run: Run) -> None:
    decision = run("compare", "model-mine", "0.3.0", "--baseline", "0.2.0", "--format", "json").decision
    assert (decision.baseline, decision.baseline_model) == ("0.2.0", "model-mine")


def test_a_baseline_can_be_of_another_model(run: Run) -> None:
    chosen = ("--baseline", "9.0.0", "--baseline-model", "model-other")
    printed = run("compare", "model-mine", "0.2.0", *chosen)
    assert printed.out.splitlines()[1].startswith("model-mine 0.2.0 against 9.0.0 of model-other (")
    assert run("check", "model-mine", "0.2.0", *chosen).code == 1


def test_a_policy_file_replaces_the_rules(run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[policy]]\nrule = "bound"\nmetric = "cer"\ndataset = "meeting"\nmax = 0.5\n')
    checked = run("check", "model-mine", "0.3.0", "--policy", str(policy), "--format", "json")
    assert checked.code == 0
    assert [rule.rule for rule in checked.decision.rules] == ["bound"]
    assert (
        checked.decision.policy_fingerprint
        != run("compare", "model-mine", "0.3.0", "--format", "json").decision.policy_fingerprint
    )
    assert checked.decision.pairs == run("compare", "model-mine", "0.3.0", "--format", "json").decision.pairs


def test_a_policy_file_is_read_with_the_directions_of_paiview_toml(run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[policy]]\nrule = "improves"\nmetric = "speed"\nat_least = 0.1\n')
    printed = run("check", "model-mine", "0.2.0", "--policy", str(policy))
    assert "[[policy]] rule 1 metric speed has no known direction" in printed.err
    (tmp_path / "paiview.toml").write_text('[metrics.speed]\ndirection = "higher"\n')
    checked = run("check", "model-mine", "0.2.0", "--policy", str(policy), "--format", "json").decision
    assert [rule.sentence for rule in checked.rules] == ["No result matches metric speed."]


def test_the_rules_of_paiview_toml_are_in_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "paiview.toml").write_text('[[policy]]\nrule = "described"\n')
    checked = run("check", "model-mine", "0.2.0", "--format", "json")
    assert [rule.rule for rule in checked.decision.rules] == ["described"]
    assert checked.code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model-none", "0.1.0"], "ListModelVersions was answered with 201900002"),
        (["model-mine", "9.9.9"], "model-mine has no version 9.9.9 as of "),
        (["model-mine", ""], "model-mine has no version as of "),
        (["model-mine", "0.2.0", "--baseline", "9.9.9"], "model-mine has no version 9.9.9 as of "),
        (["model-mine", "0.2.0", "--baseline", ""], "model-mine has no version as of "),
        (["model-mine", "0.2.0", "--baseline", "0.1.0", "--baseline-model", ""], "“” is not a model id."),
        (["model-mine", "0.2.0", "--baseline", "0.2.0"], "0.2.0 is both the candidate and the baseline."),
        (["model-mine", "0.2.0", "--baseline", "0.1.0", "--baseline-model", "model-none"], "ListModelVersions was"),
        (["model-mine", "0.2.0", "--baseline-model", "model-other"], "No version of model-other is named"),
        (["model-mine", "\x1b[2J"], "model-mine has no version �[2J as of "),
    ],
)
def test_what_cannot_be_compared_is_one_line(run: Run, arguments: list[str], message: str) -> None:
    for command, code in (("compare", 1), ("check", 2)):
        printed = run(command, *arguments)
        assert (printed.code, printed.out) == (code, "")
        assert_one_line(printed.err)
        assert printed.err.startswith(f"error: {message}")


@pytest.mark.parametrize(
    "content", ['[[policy]]\nrule = "unheard_of"\n', "[[policy", '[metrics.cer]\ndirection = "lower"\n']
)
def test_a_policy_that_cannot_be_used_is_one_line(run: Run, tmp_path: Path, content: str) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(content)
    for command, code in (("compare", 1), ("check", 2)):
        printed = run(command, "model-mine", "0.2.0", "--policy", str(policy))
        assert (printed.code, printed.out) == (code, "")
        assert_one_line(printed.err)
        assert "policy.toml" in printed.err


def test_a_wrong_setting_leaves_a_check_undecided(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIVIEW_PAGE_SIZE", "0")
    printed = run("check", "model-mine", "0.2.0")
    assert (printed.code, printed.out) == (2, "")
    assert_one_line(printed.err)


def test_a_service_out_of_reach_leaves_a_check_undecided(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAIVIEW_DATA")
    monkeypatch.setenv("PAIVIEW_ENDPOINT", "http://127.0.0.1:9")
    printed = run("check", "model-mine", "0.2.0")
    assert (printed.code, printed.out) == (2, "")
    assert_one_line(printed.err)


@pytest.mark.parametrize("error", [ZeroDivisionError("a\nb"), MemoryError(), RecursionError("deep"), EOFError()])
def test_an_internal_error_leaves_a_check_undecided(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_arguments: object, **_named: object) -> NoReturn:
        raise error

    monkeypatch.setattr(Registry, "versions", fail)
    printed = run("check", "model-mine", "0.2.0")
    assert (printed.code, printed.out) == (2, "")
    assert_one_line(printed.err)
    assert printed.err.startswith(f"error: {type(error).__name__}: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", "model-mine"],
        ["check", "model-mine", "0.2.0", "--format", "html"],
        ["check", "model-mine", "0.2.0", "--policy", "nowhere.toml"],
        ["compare", "model-mine", "0.2.0", "--format", "pdf"],
        ["compare", "model-mine", "0.2.0", "--basline", "0.1.0"],
    ],
)
def test_invalid_arguments_are_reported_on_stderr(run: Run, arguments: list[str]) -> None:
    printed = run(*arguments)
    assert (printed.code, printed.out) == (2, "")
    assert "Usage: " in printed.err


@pytest.mark.parametrize("form", ["table", "json", "md", "csv"])
def test_no_terminal_escape_of_the_service_is_printed(run: Run, form: str) -> None:
    printed = run("compare", "model-mine", "0.4.0", "--format", form)
    assert printed.code == 0
    for control in ("\x1b", "\x07", *(["\u202e"] if form != "csv" else [])):
        assert control not in printed.out + printed.err


def test_a_check_whose_pipe_is_closed_is_undecided(settings: dict[str, str]) -> None:
    command = [sys.executable, "-m", "paiview", "check", "model-mine", "0.3.0", "--format", "json"]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as checking:
        assert checking.stdout is not None
        assert checking.stderr is not None
        checking.stdout.close()
        err = checking.stderr.read()
        assert checking.wait(PROCESS_SECONDS) == 2
    assert err == "error: BrokenPipeError: [Errno 32] Broken pipe\n"


def test_a_check_imports_nothing_heavy(settings: dict[str, str]) -> None:
    code = """
import sys
from paiview.cli.main import main

heavy = {"streamlit", "plotly", "pandas", "numpy", "scipy", "jinja2"}
for form in ("table", "json", "md"):
    sys.argv = ["paiview", "check", "model-mine", "0.2.0", "--format", form]
    try:
        main()
    except SystemExit as ended:
        print(ended.code, *heavy & set(sys.modules), file=sys.stderr)
"""
    found = process(settings, "-c", code)
    assert found.returncode == 0
    assert [line for line in found.stderr.splitlines() if not line.startswith("Significance")] == ["0", "0", "0"]


def test_the_registry_is_closed_when_a_check_has_failed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    def note() -> None:
        closed.append(True)
        disconnect()

    monkeypatch.setattr(connection, "disconnect", note)
    assert run("check", "model-mine", "0.3.0").code == 1
    assert closed == [True]

"""``backtest``: the policy tried on past versions, as text and JSON."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paiview.registry.connection import disconnect
from tests.harness.commands import Run, commands

HOSTILE = "\x1b[31mred\x07\u202e"


def version(name: str, status: str, month: int, cer: float, dataset: str = "aishell") -> dict[str, Any]:
    return {
        "VersionName": name,
        "ApprovalStatus": status,
        "GmtCreateTime": f"2024-{month:02}-01T00:00:00Z",
        "Metrics": {"Results": [{"Dataset": {"DatasetId": dataset}, "Metrics": {"cer": cer}}]},
    }


SAVED = [
    version("0.1.0", "Approved", 1, 0.100, HOSTILE),
    version("0.2.0", "Approved", 2, 0.104, HOSTILE),
    version("0.3.0", "Rejected", 3, 0.090, HOSTILE),
    version("0.4.0", "Pending", 4, 0.200, HOSTILE),
]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Iterator[Run]:
    """Run the command line in this process, in a folder of its own, with ``SAVED`` as model-mine."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.json").write_text(json.dumps({"Versions": SAVED}))
    monkeypatch.setenv("PAIVIEW_DATA", str(tmp_path / "mine.json"))
    monkeypatch.setenv("PAIVIEW_DATA_DIR", str(tmp_path / "registry"))

    disconnect()
    yield commands(monkeypatch, capfdbinary, "backtest")
    disconnect()


def test_the_text_names_what_the_rules_stop_and_let_pass(run: Run) -> None:
    printed = run("model-mine")
    assert printed.code == 0
    lines = printed.out.splitlines()
    assert lines[0] == "model-mine: 4 versions judged"
    table = {line.split()[0]: line.split()[1:] for line in lines[2:6]}
    assert table == {
        "STATUS": ["PASS", "UNDECIDED", "FAIL"],
        "Approved": ["0", "1", "1"],
        "Rejected": ["1", "0", "0"],
        "Pending": ["0", "0", "1"],
    }
    stopped = lines.index("Approved versions that the policy stops: 1")
    assert lines[stopped + 1] == "  0.2.0 against 0.1.0"
    assert "1 of 1 result is worse: cer on" in lines[stopped + 2]
    passing = lines.index("Rejected versions that it lets pass: 1")
    assert lines[passing + 1] == "  0.3.0 against 0.2.0"
    curve = {line.rpartition(" %")[0]: line.rpartition(" %")[2].split() for line in lines if " %  " in line}
    assert [*curve] == ["0", "0.1", "0.2", "0.5", "1", "2", "3", "5", "10"]
    assert curve["3"] == ["1", "1", "1", "0"]
    assert curve["5"] == ["0", "1", "1", "0"]
    assert "PAI does not say when a version was approved." in printed.err
    assert not {"\x1b", "\x07", "\u202e"} & {*printed.out, *printed.err}


def test_json_has_every_version_the_counts_and_the_curve(run: Run) -> None:
    tree = json.loads(run("model-mine", "--format", "json", "--newest", "3").out)
    assert [(each["version"], each["overall"], each["baseline"]) for each in tree["versions"]] == [
        ("0.4.0", "fail", "0.2.0"),
        ("0.3.0", "pass", "0.2.0"),
        ("0.2.0", "fail", "0.1.0"),
    ]
    assert tree["counts"] == [
        {"status": "Approved", "overall": "fail", "versions": 1},
        {"status": "Rejected", "overall": "pass", "versions": 1},
        {"status": "Pending", "overall": "fail", "versions": 1},
    ]
    assert (tree["model"], tree["older_not_judged"], tree["toml"]) == ("model-mine", 1, None)
    assert tree["curve"][0]["tolerance"] == 0
    assert tree["versions"][2]["by_tolerance"] == dict.fromkeys(
        ["0.0", "0.001", "0.002", "0.005", "0.01", "0.02", "0.03"], "fail"
    ) | {"0.05": "pass", "0.1": "pass"}


def test_a_tolerance_is_tried_and_its_lines_are_printed(run: Run, tmp_path: Path) -> None:
    printed = run("model-mine", "--tolerance", "0.7")
    assert "\n0.7 %  " in printed.out
    lines = printed.out[printed.out.index("# in place of") :]
    assert tomllib.loads(lines) == {"policy": [{"rule": "no_regression", "relative": 0.007}, {"rule": "no_missing"}]}
    (tmp_path / "policy.toml").write_text('[[policy]]\nrule = "bound"\nmetric = "cer"\nmax = 0.15\n')
    bound = run("model-mine", "--policy", "policy.toml")
    assert bound.out.splitlines()[3].split() == ["Approved", "2", "0", "0"]
    assert "TOLERANCE" not in bound.out
    refused = run("model-mine", "--policy", "policy.toml", "--tolerance", "2")
    assert (refused.code, refused.out) == (1, "")
    assert "No rule of the policy has a relative tolerance." in refused.err

"""The command line: results on stdout, one line on stderr for an error, and never a traceback."""

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paiview import __version__
from paiview.cli import output
from paiview.embedded.local_registry import LocalRegistry
from paiview.evaluation import queries
from paiview.pai.credentials import StaticCredentials
from paiview.pai.errors import SettingError
from paiview.pai.transport import MAX_ATTEMPTS
from paiview.registry import connection
from paiview.registry.connection import connect
from tests.harness.commands import PROCESS_SECONDS, Run, commands, process
from tests.harness.dashboard import ROOT
from tests.harness.server import Server, refusal, script

FAMILIES = {
    "model-funasr",
    "model-pyannotediarization",
    "model-timm",
    "model-wenetmandarin",
    "model-whisper",
    "model-yolov5",
}
HOSTILE = "\x1b[31mred\x07\x9b2J\u202e"
SAVED: list[dict[str, Any]] = [
    {
        "VersionName": "0.1.0",
        "VersionDescription": "通用语音识别",
        "ApprovalStatus": "Approved",
        "FrameworkType": "PyTorch",
        "Labels": [{"Key": "team", "Value": "asr"}],
        "GmtCreateTime": "2024-01-01T00:00:00Z",
        "Metrics": {"Results": [{"Dataset": {"DatasetId": "aishell"}, "Metrics": {"cer": 0.175, "=x": 1}}]},
    },
    {
        "VersionName": "0.2.0",
        "VersionDescription": HOSTILE,
        "ApprovalStatus": "Pending",
        "Uri": "=HYPERLINK(1)",
        "GmtCreateTime": "2024-02-01T00:00:00Z",
        "Metrics": {"Results": [{"Dataset": {"Uri": "oss://b/k"}, "Metrics": {"cer": 0.5}}]},
        "FieldOfTomorrow": [1],
    },
    {
        "VersionName": "0.10.0",
        "VersionDescription": "wide",
        "ApprovalStatus": "Pending",
        "FrameworkType": "框架",
        "GmtCreateTime": "2024-03-01T00:00:00Z",
        "Metrics": {"cer": math.nan},
    },
]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("saved") / "mine.json"
    file.write_text(json.dumps({"Versions": SAVED}))
    return file


@pytest.fixture
def run(data_dir: Path, saved: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run the command line in this process, over the embedded registry with ``SAVED`` as model-mine."""
    monkeypatch.setenv("PAIVIEW_DATA_DIR", str(data_dir))
    monkeypatch.setenv("PAIVIEW_DATA", str(saved))

    return commands(monkeypatch, capfdbinary)


def assert_one_line(err: str) -> None:
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version") == (0, f"paiview {__version__}\n", "")


def test_models_are_listed_newest_first_as_a_table(run: Run) -> None:
    printed = run("models")
    header, *rows = printed.table
    assert header == ["MODEL", "NAME", "TASK", "NEWEST", "CREATED"]
    assert {row[0] for row in rows} == FAMILIES | {"model-mine"}
    created = [row[-1] for row in rows]
    assert created == sorted(created, reverse=True)
    assert (printed.code, printed.err) == (0, "7 of 7 models\n")


def test_models_are_searched_by_text(run: Run) -> None:
    printed = run("models", "--q", "MODEL-MINE")
    assert [row[:2] for row in printed.table[1:]] == [["model-mine", "mine"]]
    assert printed.err == "1 of 7 models\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--model-name", '"mine"'], {"model-mine"}),
        (["--task", "object-detection"], {"model-yolov5"}),
        (["--domain", "cv", "--label", "license=AGPL-3.0"], {"model-yolov5"}),
        (["--tag", "license=AGPL-3.0"], {"model-yolov5"}),
        (["--query", "detection"], {"model-yolov5"}),
        (["--provider", "nobody"], set()),
        (["--origin", "civitai"], set()),
        (["--model-type", "lora"], set()),
        (["--conditions", "ParameterSize<0"], set()),
        (["--collections", "AI4D"], set()),
    ],
)
def test_every_filter_of_models_is_an_option(run: Run, options: list[str], expected: set[str]) -> None:
    printed = run("models", *options, "--format", "json")
    assert {model["ModelId"] for model in json.loads(printed.out)} == expected
    assert printed.err == f"{len(expected)} of {len(expected)} models\n"


def test_models_of_another_workspace_are_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = run("models", "--workspace", "no-such-workspace")
    assert (printed.code, len(printed.table), printed.err) == (0, 1, "0 of 0 models\n")
    monkeypatch.setenv("PAIVIEW_WORKSPACE_ID", "no-such-workspace")
    assert run("models") == printed


def test_models_as_json_are_as_the_service_sent_them(run: Run) -> None:
    models = json.loads(run("models", "--format", "json").out)
    assert {model["ModelId"] for model in models} == FAMILIES | {"model-mine"}
    assert all({"ModelName", "GmtCreateTime", "WorkspaceId"} <= set(model) for model in models)


def test_models_as_csv_have_named_columns(run: Run) -> None:
    rows = run("models", "--format", "csv").csv
    mine = next(row for row in rows if row["model_id"] == "model-mine")
    assert list(mine) == [
        "model_id",
        "model_name",
        "workspace_id",
        "task",
        "domain",
        "provider",
        "latest_version",
        "created",
        "description",
        "doc",
        "origin",
        "model_type",
        "parameter_size",
        "accessibility",
        "labels",
        "tags",
        "extra_info",
        "user_id",
        "owner_id",
    ]
    assert (mine["model_name"], mine["latest_version"], mine["task"]) == ("mine", "0.10.0", "")


def test_versions_are_listed_as_a_table_without_terminal_escapes(run: Run) -> None:
    printed = run("versions", "model-mine")
    assert printed.out.splitlines() == [
        "VERSION  STATUS    CREATED               FRAMEWORK  FORMAT  DESCRIPTION",
        "0.1.0    Approved  2024-01-01T00:00:00Z  PyTorch            通用语音识别",
        "0.2.0    Pending   2024-02-01T00:00:00Z                     �[31mred��2J�",
        "0.10.0   Pending   2024-03-01T00:00:00Z  框架               wide",
    ]
    assert (printed.code, printed.err) == (0, "3 of 3 versions\n")


def test_versions_as_json_are_as_the_service_sent_them_in_ascii(run: Run) -> None:
    printed = run("versions", "model-mine", "--format", "json")
    assert printed.out.isascii()
    assert "\x1b" not in printed.out
    first, second, third = json.loads(printed.out)
    assert third["Metrics"] == {"cer": "NaN"}
    assert first["VersionDescription"] == "通用语音识别"
    assert {name: second[name] for name in SAVED[1]} == SAVED[1]


def test_versions_as_csv_have_a_column_a_metric_and_dataset(run: Run) -> None:
    printed = run("versions", "model-mine", "--format", "csv")
    rows = printed.csv
    assert [row["version_name"] for row in rows] == ["0.1.0", "0.2.0", "0.10.0"]
    assert [row["cer@aishell"] for row in rows] == ["0.175", "", ""]
    assert [row["cer@oss://b/k"] for row in rows] == ["", "0.5", ""]
    assert [row["'=x@aishell"] for row in rows] == ["1.0", "", ""]
    assert rows[1]["uri"] == "'=HYPERLINK(1)"
    assert rows[1]["description"] == "�[31mred��2J�"
    assert rows[0]["labels"] == "team=asr"
    assert printed.out.startswith('"version_name"')
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", printed.out)


def test_versions_as_csv_have_one_number_in_a_row_beyond_the_columns_of_a_table(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MAX_COLUMNS", 2)
    printed = run("versions", "model-mine", "--format", "csv")
    assert [tuple(row.values()) for row in printed.csv] == [
        ("0.1.0", "aishell", "cer", "0.175"),
        ("0.1.0", "aishell", "'=x", "1.0"),
        ("0.2.0", "oss://b/k", "cer", "0.5"),
    ]
    assert "More than 2 columns: one number in a row instead." in printed.err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--order", "DESC"], ["0.10.0", "0.2.0", "0.1.0"]),
        (["--approval-status", "Approved"], ["0.1.0"]),
        (["--version-name", "0.2.0"], ["0.2.0"]),
        (["--label", "asr"], ["0.1.0"]),
        (["--label", "label=team=asr"], ["0.1.0"]),
        (["--label", "team=as"], []),
        (["--framework-type", "PyTorch"], ["0.1.0"]),
        (["--framework-type", "pytorch"], ["0.1.0"]),
        (["--format-type", "ONNX"], []),
        (["--source-type", "PAIFlow"], []),
        (["--source-id", "test"], []),
        (["--approval-status", "Pending", "--order", "DESC", "--sort-by", "GmtCreateTime"], ["0.10.0", "0.2.0"]),
    ],
)
def test_every_filter_of_the_api_is_an_option(run: Run, options: list[str], expected: list[str]) -> None:
    printed = run("versions", "model-mine", *options, "--format", "json")
    assert [row["VersionName"] for row in json.loads(printed.out)] == expected
    assert printed.err == f"{len(expected)} of {len(expected)} versions\n"


def test_csv_keeps_the_order_of_the_listing(run: Run) -> None:
    rows = run("versions", "model-mine", "--order", "DESC", "--format", "csv").csv
    assert [row["version_name"] for row in rows] == ["0.10.0", "0.2.0", "0.1.0"]


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_an_unknown_model_is_one_line_with_code_and_request_id(run: Run, form: str) -> None:
    printed = run("versions", "model-none", "--format", form)
    assert (printed.code, printed.out) == (1, "")
    assert_one_line(printed.err)
    assert printed.err.startswith("error: ListModelVersions was answered with 201900002: ")
    assert re.search(r"\(Code 201900002, RequestId [0-9A-F-]{36}\) Check the id", printed.err)


@pytest.mark.parametrize(
    "arguments",
    [
        ["versions"],
        ["versions", "model-mine", "--order", "UP"],
        ["models", "--format", "xml"],
        ["local", "--data", "nowhere.json"],
        ["local", "--port", "70000"],
        ["dashboard", "--port", "0"],
        ["unheard-of"],
        [],
    ],
)
def test_invalid_arguments_are_reported_on_stderr(run: Run, arguments: list[str]) -> None:
    printed = run(*arguments)
    assert (printed.code, printed.out) == (2, "")
    assert "Usage: " in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("command", [["models"], ["versions", "model-mine"], ["config"], ["local"], ["dashboard"]])
def test_a_wrong_setting_is_one_line_in_every_command(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("PAIVIEW_PAGE_SIZE", "0")
    printed = run(*command)
    assert (printed.code, printed.out) == (1, "")
    assert_one_line(printed.err)
    assert printed.err.startswith("error: PAIVIEW_PAGE_SIZE must be ")


@pytest.mark.parametrize("command", [["compare", "model-mine", "0.2.0"], ["config"], ["dashboard"]])
def test_a_contradictory_configuration_stops_every_command_that_needs_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "paiview.toml").write_text('page_size = 20\n[datasets.a]\nalias_of = "a"')
    advice = "Correct the setting and start again."
    assert run(*command) == (1, "", f"error: paiview.toml: [datasets.a] alias_of names the dataset itself. {advice}\n")


def test_a_data_file_that_is_no_listing_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    monkeypatch.setenv("PAIVIEW_DATA", str(broken))
    printed = run("models")
    assert (printed.code, printed.out) == (1, "")
    assert_one_line(printed.err)
    assert str(broken) in printed.err


def test_a_service_that_cannot_be_reached_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAIVIEW_DATA")
    monkeypatch.setenv("PAIVIEW_ENDPOINT", "http://127.0.0.1:9")
    printed = run("models")
    assert (printed.code, printed.out) == (1, "")
    assert_one_line(printed.err)
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in printed.err


def test_a_service_that_keeps_failing_is_one_line() -> None:
    # After the error SignatureNonceUsed the client retries at once.
    with Server(script(refusal("SignatureNonceUsed", 400))) as pai:
        key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}
        printed = process({"PAIVIEW_ENDPOINT": pai.url, **key}, "-m", "paiview", "models")
    assert (printed.returncode, printed.stdout, len(pai.requests)) == (1, "", MAX_ATTEMPTS)
    assert_one_line(printed.stderr)
    assert "Code SignatureNonceUsed" in printed.stderr


def test_a_command_does_not_use_the_shared_cache(
    run: Run, monkeypatch: pytest.MonkeyPatch, local_registry: LocalRegistry
) -> None:
    monkeypatch.delenv("PAIVIEW_DATA")
    monkeypatch.setenv("PAIVIEW_ENDPOINT", local_registry.endpoint)
    monkeypatch.setenv("PAIVIEW_CACHE_URL", "redis://127.0.0.1:1/0?no=option")
    key = StaticCredentials(local_registry.access_key_id, local_registry.access_key_secret)
    monkeypatch.setattr(connection, "from_chain", lambda: key)
    for command in (["models"], ["versions", "model-whisper"], ["compare", "model-whisper", "1.0.0_base_en"]):
        assert run(*command).code == 0
    with pytest.raises(SettingError, match="PAIVIEW_CACHE_URL"):
        connect()


def test_config_prints_each_setting_with_value_and_source(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data_dir: Path, saved: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "paiview.toml").write_text("page_size = 20")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cr3t")
    monkeypatch.setenv("PAIVIEW_CACHE_URL", "redis://:s3cr3t@cache.example.com")
    printed = run("config")
    rows = {line[:25].strip(): re.split(r"\s{2,}", line)[1:] for line in printed.out.splitlines()}
    assert printed.table[0] == ["SETTING", "VALUE", "FROM"]
    assert rows["PAIVIEW_ENDPOINT"] == ["(the embedded registry)", "default"]
    assert rows["PAIVIEW_PAGE_SIZE"] == ["20", "paiview.toml"]
    assert rows["PAIVIEW_CACHE_URL"] == ["**********", "environment"]
    assert rows["PAIVIEW_DEADLINE"] == ["15", "default"]
    assert rows["PAIVIEW_RATE_LIMIT"] == ["0", "default"]
    assert rows["PAIVIEW_DATA_DIR"] == [str(data_dir), "environment"]
    assert rows["PAIVIEW_DATA"] == [str(saved), "environment"]
    assert "s3cr3t" not in printed.out
    assert (printed.code, printed.err) == (0, "")


def test_config_prints_the_metrics_the_datasets_and_the_policy(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def contracts() -> list[list[str]]:
        return [row for row in run("config").table if row[0].startswith(("metrics", "datasets", "policy"))]

    monkeypatch.chdir(tmp_path)
    built_in = ["metrics", "direction by the catalogue, relative 0.01", "built-in"]
    assert contracts() == [
        built_in,
        ["policy.1", 'no_regression: metric "*", strict false, accept [], dataset "*"', "default policy"],
        ["policy.2", 'no_missing: metric "*", strict false, accept [], dataset "*"', "default policy"],
    ]
    (tmp_path / "paiview.toml").write_text(
        '[metrics.cer]\ndigits = 4\n[datasets."a\\u001b b"]\nname = "A"\n[[policy]]\nrule = "described"'
    )
    assert contracts() == [
        built_in,
        ["metrics.cer.direction", "lower", "catalogue"],
        ["metrics.cer.digits", "4", "paiview.toml: [metrics.cer] digits"],
        ["metrics.cer.relative", "0.01", "default"],
        ['datasets."a� b".name', "A", 'paiview.toml: [datasets."a� b"] name'],
        ["policy.1", "described", "paiview.toml: [[policy]] rule 1"],
    ]


def test_config_prints_the_endpoint_of_a_region(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAIVIEW_DATA")
    monkeypatch.setenv("PAIVIEW_REGION", "cn-beijing")
    rows = {row[0]: row[1:] for row in run("config").table}
    assert rows["PAIVIEW_ENDPOINT"] == ["https://aiworkspace.cn-beijing.aliyuncs.com", "PAIVIEW_REGION"]
    assert rows["PAIVIEW_RATE_LIMIT"] == ["20", "default"]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_dashboard_on_a_taken_port_is_one_line(run: Run, taken_port: int) -> None:
    printed = run("dashboard", "--port", str(taken_port))
    advice = "Choose another port: paiview dashboard --port 9000, or make run PORT=9000."
    assert printed == (1, "", f"error: Port {taken_port} on 127.0.0.1 is in use. {advice}\n")


def test_a_dashboard_on_an_address_of_another_machine_is_one_line(run: Run) -> None:
    reason = "Cannot assign requested address."
    advice = "Pass an address of this machine with --host: 127.0.0.1, or 0.0.0.0 to listen on all of them."
    printed = run("dashboard", "--host", "203.0.113.1")
    assert printed == (1, "", f"error: The dashboard cannot listen on 203.0.113.1: {reason} {advice}\n")


def test_a_registry_on_a_taken_port_is_one_line(run: Run, taken_port: int) -> None:
    printed = run("local", "--port", str(taken_port))
    assert (printed.code, printed.out) == (1, "")
    assert printed.err.startswith(f"error: Port {taken_port} cannot be used for the embedded registry: ")
    assert_one_line(printed.err)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_local_prints_shell_commands_and_serves_until_a_signal(
    data_dir: Path, saved: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "paiview", "local", "--data-dir", str(data_dir), "--data", str(saved)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            lines = [serving.stdout.readline() for _ in range(3)]
            exported = dict(line.removeprefix("export ").rstrip("\n").split("=", maxsplit=1) for line in lines)
            assert list(exported) == [
                "PAIVIEW_ENDPOINT",
                "ALIBABA_CLOUD_ACCESS_KEY_ID",
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            ]
            assert all(line.startswith("export ") for line in lines)
            if number is signal.SIGTERM:
                listed = process(exported, "-m", "paiview", "versions", "model-mine", "--order", "DESC")
                assert (listed.returncode, listed.stderr) == (0, "3 of 3 versions\n")
                assert [line.split()[0] for line in listed.stdout.splitlines()] == [
                    "VERSION",
                    "0.10.0",
                    "0.2.0",
                    "0.1.0",
                ]
                refused = process(
                    exported | {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "wrong-secret"}, "-m", "paiview", "models"
                )
                assert (refused.returncode, refused.stdout) == (1, "")
                assert_one_line(refused.stderr)
                assert "Code SignatureDoesNotMatch" in refused.stderr
                assert "wrong-secret" not in refused.stderr
            serving.send_signal(number)
            out, err = serving.communicate(timeout=PROCESS_SECONDS)
            assert (serving.returncode, out, err) == (0, "", "")
        finally:
            serving.kill()


@pytest.mark.parametrize("module", ["paiview.cli.main", "paiview.registry.registry", "paiview.settings"])
def test_nothing_heavy_is_imported_before_it_is_needed(module: str) -> None:
    code = f"import sys, {module}; print(*{{'streamlit', 'plotly', 'pandas', 'numpy'}} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("\n", "")


def test_output_that_the_terminal_cannot_show_is_escaped(data_dir: Path, saved: Path) -> None:
    settings = {"PAIVIEW_DATA_DIR": str(data_dir), "PAIVIEW_DATA": str(saved), "PYTHONIOENCODING": "latin-1"}
    printed = process(settings, "-m", "paiview", "versions", "model-mine", "--version-name", "0.1.0")
    assert printed.returncode == 0
    assert r"\u901a\u7528" in printed.stdout


def test_a_closed_pipe_prints_no_traceback(data_dir: Path) -> None:
    command = [sys.executable, "-m", "paiview", "versions", "model-timm", "--format", "json"]
    environment = {**os.environ, "PAIVIEW_DATA_DIR": str(data_dir)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as writing:
        assert writing.stdout is not None
        assert writing.stderr is not None
        assert writing.stdout.readline() == "[\n"
        writing.stdout.close()
        err: Any = writing.stderr.read()
        writing.wait(PROCESS_SECONDS)
    assert "Traceback" not in err
    assert "Exception" not in err


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["models"], 1),
        (["versions", "model-whisper", "--format", "json"], 1),
        (["compare", "model-whisper", "3.0.0_large", "--format", "html"], 1),
        (["check", "model-whisper", "3.0.0_large"], 2),
        (["config"], 1),
        (["local"], 1),
        (["--version"], 1),
        (["--help"], 1),
        (["compare", "--help"], 1),
    ],
)
def test_output_that_cannot_be_written_is_one_line(data_dir: Path, command: list[str], code: int) -> None:
    environment = {**os.environ, "PAIVIEW_DATA_DIR": str(data_dir)}
    with Path("/dev/full").open("w") as full:
        printed = subprocess.run(
            [sys.executable, "-m", "paiview", *command],
            cwd=ROOT,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PROCESS_SECONDS,
            check=False,
        )
    assert printed.returncode == code
    assert printed.stderr == "error: The output cannot be written: No space left on device.\n"


@pytest.mark.parametrize("spelling", ["pending", "PENDING", "Pending"])
def test_an_approval_status_is_understood_in_any_case(run: Run, spelling: str) -> None:
    printed = run("versions", "model-mine", "--approval-status", spelling)
    assert printed.code == 0
    assert {row[1] for row in printed.table[1:]} == {"Pending"}


@pytest.mark.parametrize("spelling", ["pendin", "", "Approved,Rejected", "\x1b[2J"])
def test_an_unknown_approval_status_is_refused_with_the_three_words(run: Run, spelling: str) -> None:
    printed = run("versions", "model-mine", "--approval-status", spelling)
    assert (printed.code, printed.out) == (2, "")
    assert "Pending, Approved, Rejected" in printed.err
    assert "\x1b" not in printed.err


def test_other_choices_are_understood_in_any_case(run: Run) -> None:
    printed = run("versions", "model-mine", "--order", "desc", "--sort-by", "gmtcreatetime", "--format", "JSON")
    names = [version["VersionName"] for version in json.loads(printed.out)]
    assert names == [version["VersionName"] for version in reversed(SAVED)]
    assert run("versions", "model-wenetmandarin", "--source-type", "CUSTOM").err.startswith("101 of 101")


def test_a_list_of_versions_that_was_saved_in_part_says_so(run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    file = tmp_path / "part.json"
    file.write_text(json.dumps({"Versions": SAVED, "TotalCount": 15}))
    monkeypatch.setenv("PAIVIEW_DATA", str(file))
    monkeypatch.setenv("PAIVIEW_DATA_DIR", str(tmp_path / "registry"))
    missing = 15 - len(SAVED)
    whole = f"{len(SAVED)} of 15 versions\n{missing} versions not listed: a newer approved one may be among them.\n"
    assert run("versions", "model-part").err == whole
    filtered = run("versions", "model-part", "--approval-status", "rejected").err
    assert f"; {missing} more were not saved and may match\n" in filtered


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b'{"Versions": [', "it ends in the middle, in line 1"),
        ("情感".encode("gbk"), "its bytes are no text in UTF-8 or UTF-16"),
    ],
)
def test_a_dashboard_over_a_broken_file_does_not_start(run: Run, tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    for command in ("dashboard", "local"):
        printed = run(command, "--data", str(file))
        assert (printed.code, printed.out) == (1, "")
        assert_one_line(printed.err)
        begin = f"error: The data file {file} is not a saved response of ListModelVersions: {reason}. Pass a saved"
        assert printed.err.startswith(begin)


def test_a_dashboard_tells_at_its_start_what_is_odd_in_its_files(run: Run, tmp_path: Path, taken_port: int) -> None:
    file = tmp_path / "odd.json"
    file.write_text(json.dumps({"Versions": [SAVED[0], {**SAVED[0], "Uri": "x"}], "TotalCount": 9}))
    printed = run("dashboard", "--data", str(file), "--port", str(taken_port))
    assert printed.err.splitlines()[:2] == [
        "model-odd: Saved more than once with different content: 0.1.0. Of each the first in the listing counts.",
        "model-odd: 2 of 9 versions were saved.",
    ]


def test_tables_have_the_minus_sign_of_programs_unless_a_person_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["−7.9 %", "1.0 (−0.3 pp)", "a−1", "−x"]
    assert [output._cell(text, 60) for text in texts] == ["-7.9 %", "1.0 (-0.3 pp)", "a−1", "−x"]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert [output._cell(text, 60) for text in texts] == texts

"""The files of a release, and how a release that draws no page is noticed."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from tests.cluster.nodes import DEPLOY, Replica, ask
from tests.cluster.waiting import until
from tests.harness.dashboard import ROOT


def copied() -> list[str]:
    """The files of the project that the container gets, besides its requirements."""
    lines = re.findall(r"^COPY (\S+) (\S+)$", (DEPLOY / "Containerfile").read_text("utf-8"), re.MULTILINE)
    for source, target in lines:
        assert target == (source if source.endswith("/") else "./")
    return [source.removesuffix("/") for source, _ in lines if source != "requirements.txt"]


def answers(replica: Replica) -> bool:
    try:
        return ask(replica.port, "/healthz").status == 200
    except ConnectionError:
        return False


def test_the_files_of_the_container_draw_a_page_and_a_failing_page_is_noticed(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in copied():
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)
    started = Replica(tmp_path, {"PAIVIEW_DATA_DIR": str(tmp_path)}, project)
    started.start()
    try:
        assert started.draws(), started.said
    finally:
        started.end()

    with (project / "pages" / "models.py").open("a", encoding="utf-8") as page:
        page.write("raise ZeroDivisionError\n")
    started.start()
    try:
        until(lambda: answers(started), "it answers")
        assert ask(started.port, "/_stcore/script-health-check").status == 503
    finally:
        started.end()


def test_the_builder_of_the_container_gets_only_the_files_it_needs() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert kept == {*copied(), "requirements.txt"} - {".streamlit"} | {".streamlit/config.toml"}


def test_a_rolling_restart_stops_at_the_first_that_fails(tmp_path: Path) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/said\nexit 1\n', encoding="utf-8")
    systemctl.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ended = subprocess.run([str(DEPLOY / "rolling-restart"), "8501", "8502"], env=environment, check=False)
    assert ended.returncode == 1
    assert (tmp_path / "said").read_text("utf-8") == "restart paiview@8501\n"


def test_a_process_keeps_the_release_that_the_link_named_at_its_start(tmp_path: Path) -> None:
    """Otherwise later imports would come from the next release."""
    release, link = tmp_path / "release", tmp_path / "paiview"
    python = release / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$0" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    link.symlink_to(release)
    unit = (DEPLOY / "paiview@.service").read_text("utf-8")
    [command] = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    words = shlex.split(command.replace("%i", "8501").replace("$$", "$"))
    started = subprocess.run(words, cwd=link, check=True, capture_output=True, text=True)
    assert started.stdout == f"{python} -m paiview dashboard --port 8501\n"

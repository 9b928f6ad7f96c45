"""The wheel: an installed paiview needs no checkout, whatever the current folder is."""

import asyncio
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from paiview import __version__
from tests.harness.dashboard import ROOT, started
from tests.harness.sessions import Run, Session

SOURCES = ("app.py", "pages", "paiview", ".streamlit", "pyproject.toml", "README.md", "LICENSE")
WAIT = 60.0
"""Seconds after which a process has failed."""
ANYWHERE = Path("/")


def run(*command: str | Path, folder: Path = ANYWHERE) -> str:
    finished = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=WAIT, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources, which it leaves as they are; nothing is downloaded."""
    sources = tmp_path_factory.mktemp("sources")
    for path in (*(ROOT / name for name in SOURCES), *ROOT.glob("requirements*.in")):
        if path.is_dir():
            shutil.copytree(path, sources / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, sources)
    build = ("wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", sources / "built")
    run(sys.executable, "-m", "pip", *build, sources)
    [built] = (sources / "built").iterdir()
    return built


@pytest.fixture(scope="module")
def paiview(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in an environment that holds the wheel, and borrows its dependencies from the one of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    borrowed = [path for path in sys.path if Path(path).name == "site-packages"]
    Path(paths["purelib"], "dependencies.pth").write_text("\n".join(borrowed), "utf-8")
    python = Path(paths["scripts"], "python")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    return python.with_name("paiview")


def sources() -> Iterator[str]:
    """The files that an installation needs, by their paths in the wheel."""
    for path in (ROOT / "paiview").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            yield path.relative_to(ROOT).as_posix()
    for path in (ROOT / "app.py", ROOT / ".streamlit" / "config.toml", *(ROOT / "pages").glob("*.py")):
        yield f"paiview/dashboard/{path.relative_to(ROOT).as_posix()}"


def test_the_wheel_holds_every_file_of_the_package_and_the_dashboard_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    packed = [name for name in names if not PurePosixPath(name).parts[0].endswith(".dist-info")]
    assert sorted(packed) == sorted(sources())


def test_the_version_is_printed(paiview: Path) -> None:
    assert run(paiview, "--version") == f"paiview {__version__}\n"


def test_a_comparison_finds_its_template_and_the_published_results(paiview: Path) -> None:
    report = run(paiview, "compare", "model-whisper", "3.0.0_large", "--format", "html")
    assert report.startswith("<!doctype html>")
    assert "3.0.0_large" in report
    assert report.rstrip().endswith("</html>")


def test_the_dashboard_draws_its_pages_with_its_own_configuration(paiview: Path, tmp_path: Path) -> None:
    async def visit(url: str) -> tuple[Run, Run]:
        async with Session(url) as session:
            return await session.open(""), await session.open("compare", model="model-whisper")

    with started([paiview], ANYWHERE, {"PAIVIEW_DATA_DIR": str(tmp_path)}) as served:
        models, compare = asyncio.run(visit(served.url))
    assert b"#0B6BA8" in models.raw, "The theme of .streamlit/config.toml is not in force."
    assert b"model=model-whisper" in models.raw
    assert "Policy" in compare.text
    assert models.alerts + compare.alerts == []

"""The frame around the pages."""

import ast
from pathlib import Path

import pytest

from tests.harness.dashboard import ROOT
from tests.pages.conftest import Run

PAGES = sorted(path for path in (ROOT / "pages").glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_first_requires_the_frame(path: Path) -> None:
    """Streamlit runs a file of pages/ without app.py for the first deep link after a start."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    first = next(node for node in body[1:] if not isinstance(node, ast.Import | ast.ImportFrom))
    assert ast.unparse(first) == "app_frame.require()"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_defines_no_function_and_no_class(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def test_app_py_is_a_script_and_an_application() -> None:
    body = ast.parse((ROOT / "app.py").read_text(encoding="utf-8")).body
    assert ast.unparse(body[-1]).startswith("if __name__ == '__main__':\n    app_frame.run()\nelse:\n    app = st.App(")


def test_the_default_page_is_models(run: Run) -> None:
    assert run("models").title[0].value == "Models"

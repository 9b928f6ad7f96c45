"""What the pages say of where a model comes from: the truth about each model of the embedded registry."""

import json
from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from paiview.registry.connection import connect, disconnect
from paiview.settings import Settings
from tests.harness.dashboard import ROOT
from tests.harness.service import version
from tests.pages.conftest import page_text, unescaped

PUBLISHED = "numbers are published and cited, approval statuses are the demo's"


@pytest.fixture(scope="module", autouse=True)
def _connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The embedded registry with two saved answers, one of them with 2 of 14 versions."""
    folder = tmp_path_factory.mktemp("origin")
    versions = [version(name, "2024-01-01", {"d-a": {"cer": 0.1}}) for name in ("0.1.0", "0.2.0")]
    (folder / "rich.json").write_text(json.dumps({"Versions": versions, "TotalCount": 14}))
    doubled = [{**versions[0], "ModelId": "model-joined"}, {**versions[0], "ModelId": "model-joined", "Uri": "x"}]
    (folder / "_a*b_.json").write_text(json.dumps(doubled))
    (folder / "c.json").write_text(json.dumps({**versions[1], "ModelId": "model-joined"}))
    connect(Settings(data_dir=folder / "registry", data=tuple(sorted(folder.glob("*.json")))))
    yield
    disconnect()


def page(name: str, **parameters: str) -> AppTest:
    st.cache_resource.clear()
    st.cache_data.clear()
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in parameters.items():
        app.query_params[key] = value
    app.switch_page(f"pages/{name}.py").run()
    assert [item.value for item in app.exception] == []
    return app


@pytest.mark.parametrize("name", ["versions", "compare", "trends"])
def test_a_saved_answer_is_told_as_one_with_its_file_and_how_much_it_holds(name: str) -> None:
    app = page(name, model="model-rich")
    assert "a saved answer, 2 of 14 versions, read from rich.json" in unescaped(page_text(app))
    assert "published" not in page_text(app)


def test_a_published_family_is_told_as_published() -> None:
    app = page("versions", model="model-whisper")
    assert PUBLISHED in page_text(app)
    assert "8 of 8 versions" in page_text(app)
    assert "saved answer" not in page_text(app)


def test_several_files_of_one_model_are_all_named_and_a_doubled_version_is_told() -> None:
    app = page("versions", model="model-joined")
    assert "a saved answer, 2 of 3 versions, read from _a*b_.json, c.json" in unescaped(page_text(app))
    (warning,) = app.warning
    assert "Saved more than once with different content: 0.1.0." in unescaped(warning.value)


def test_the_list_of_models_tells_both_kinds_apart() -> None:
    text = page_text(page("models"))
    assert f"{PUBLISHED}; 2 models are saved answers" in text


@pytest.mark.parametrize("name", ["versions", "models"])
def test_the_embedded_registry_is_in_no_region(name: str) -> None:
    assert "region" not in page_text(page(name))

"""What every test gets: an environment without the machine's settings, and a registry to read from."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from paiview.embedded.local_registry import LocalRegistry

PREFIXES = ("PAIVIEW_", "ALIBABA_CLOUD_")

# How long one example takes says how busy the machine is; the time limit of pytest finds what hangs.
settings.register_profile("unhurried", deadline=None)
# For tests/evaluation/test_odd_data.py: ``--hypothesis-profile=long --timeout=0``.
settings.register_profile("long", deadline=None, max_examples=20_000)
settings.load_profile("unhurried")


def _settings_of_the_machine() -> list[str]:
    return [name for name in os.environ if name.startswith(PREFIXES)]


# The official credentials package reads its variables once, when a test module imports it: gone before collection.
for _name in _settings_of_the_machine():
    del os.environ[_name]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that of two processes none is left alone with it."""
    items.sort(key=lambda item: item.path.parent.name not in ("browser", "faults"))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting or credential of the machine or of an earlier test reaches a test; its home is an empty folder."""
    for name in _settings_of_the_machine():
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session", autouse=True)
def _no_search_for_components() -> Iterator[None]:
    """paiview uses no components; the test runner would look for some in every package, 0.3 s for each page."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("streamlit.components.v2.manifest_scanner.scan_component_manifests", list)
        yield


@pytest.fixture(scope="session")
def local_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRegistry]:
    """The embedded registry with the published families, to read from only: all tests share it."""
    with LocalRegistry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry

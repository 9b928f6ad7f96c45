"""A registry with the published families, and one to write to, each with the official SDK as client."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alibabacloud_aiworkspace20210204.client import Client

from paiview.embedded.local_registry import LocalRegistry
from tests.embedded.sdk import bare_registry, new_model, sdk_client


@pytest.fixture(scope="session")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    with LocalRegistry(folder):
        return folder


@pytest.fixture
def data_dir(_filled: Path, tmp_path: Path) -> Path:
    """A folder with the published families, copied because filling it takes half a second."""
    return shutil.copytree(_filled, tmp_path / "data")


@pytest.fixture(scope="session")
def published_sdk(local_registry: LocalRegistry) -> Client:
    """Reads the published families."""
    return sdk_client(local_registry.endpoint, local_registry.access_key_id, local_registry.access_key_secret)


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry to write to. All tests share it; each creates its own models."""
    with bare_registry(tmp_path_factory.mktemp("bare")) as url:
        yield url


@pytest.fixture(scope="session")
def sdk(endpoint: str) -> Client:
    """Writes to the shared registry."""
    return sdk_client(endpoint)


@pytest.fixture
def model_id(sdk: Client) -> str:
    """A model without versions."""
    return new_model(sdk)

"""The official SDK as client of the embedded registry, and registries with only the data of a test."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config

from paiview.embedded.asgi_app import RegistryApp
from paiview.embedded.background_server import HOST, BackgroundServer
from paiview.embedded.store import SeedFile, Store

KEY_ID: Final = "key-of-the-tests"
SECRET: Final = "secret-of-the-tests"


def sdk_client(endpoint: str, access_key_id: str = KEY_ID, access_key_secret: str = SECRET) -> Client:
    """The official client for a registry on this machine."""
    host = endpoint.removeprefix("http://")
    return Client(
        Config(access_key_id=access_key_id, access_key_secret=access_key_secret, endpoint=host, protocol="HTTP")
    )


@contextmanager
def bare_registry(
    folder: Path,
    files: Sequence[SeedFile] = (),
    *,
    requests_per_second: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[str]:
    """Serve a registry without the published families; yields its endpoint."""
    with closing(Store(folder / "registry.sqlite3")) as store:
        store.seed(files)
        app = RegistryApp(store, {KEY_ID: SECRET}, requests_per_second=requests_per_second, clock=clock)
        with BackgroundServer(app) as server:
            yield f"http://{HOST}:{server.port}"


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    """The HTTP status and the Code a call is refused with."""
    with pytest.raises(ClientException) as caught:
        call()
    return caught.value.status_code, caught.value.code


def new_model(sdk: Client, name: str = "of-a-test", **fields: Any) -> str:
    """Create a model; returns its id."""
    return str(sdk.create_model(models.CreateModelRequest(model_name=name, **fields)).body.model_id)


def new_version(sdk: Client, model_id: str, **fields: Any) -> str:
    """Create a version; returns its name."""
    request = models.CreateModelVersionRequest(**{"uri": "oss://bucket/key/"} | fields)
    return str(sdk.create_model_version(model_id, request).body.version_name)


def read_version(sdk: Client, model_id: str, name: str) -> dict[str, Any]:
    """GetModelVersion, without the RequestId."""
    return _without_request_id(sdk.get_model_version(model_id, name, models.GetModelVersionRequest()))


def read_model(sdk: Client, model_id: str) -> dict[str, Any]:
    """GetModel, without the RequestId."""
    return _without_request_id(sdk.get_model(model_id, models.GetModelRequest()))


def listed_versions(sdk: Client, model_id: str, **parameters: Any) -> tuple[int, list[dict[str, Any]]]:
    """ListModelVersions: TotalCount and the versions of the page."""
    answer = sdk.list_model_versions(model_id, models.ListModelVersionsRequest(**parameters)).body.to_map()
    return answer["TotalCount"], answer["Versions"]


def every_version(sdk: Client, model_id: str) -> list[dict[str, Any]]:
    """All versions of a model, page after page until one is empty."""
    found: list[dict[str, Any]] = []
    while page := listed_versions(sdk, model_id, page_number=len(found) // 100 + 1, page_size=100)[1]:
        found += page
        if len(page) < 100:
            break
    return found


def _without_request_id(answer: Any) -> dict[str, Any]:
    fields: dict[str, Any] = answer.body.to_map()
    assert fields.pop("RequestId")
    return fields

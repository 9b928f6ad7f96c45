"""Throttling and a broken file, through the official SDK."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client
from alibabacloud_tea_openapi.exceptions import ServerException, ThrottlingException

from paiview.embedded.local_registry import LocalRegistry
from tests.embedded.sdk import bare_registry, listed_versions, new_model, sdk_client


class Clock:
    """A clock that moves only when a test moves it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def throttled_registry(folder: Path, requests_per_second: int) -> Iterator[tuple[Client, Clock]]:
    clock = Clock()
    with bare_registry(folder, requests_per_second=requests_per_second, clock=clock) as endpoint:
        yield sdk_client(endpoint), clock


def list_models(client: Client) -> None:
    client.list_models(models.ListModelsRequest())


def repeat(client: Client, times: int) -> None:
    for _ in range(times):
        list_models(client)


def wait_asked_for(client: Client) -> int:
    """The milliseconds that a throttled call has to wait."""
    with pytest.raises(ThrottlingException) as caught:
        list_models(client)
    assert (caught.value.status_code, caught.value.code) == (400, "Throttling.User")
    return int(caught.value.retry_after)


def test_a_call_over_the_limit_gets_the_milliseconds_to_wait(tmp_path: Path) -> None:
    with throttled_registry(tmp_path, 1) as (client, clock):
        list_models(client)
        assert wait_asked_for(client) == 1000
        clock.now += 0.75
        assert wait_asked_for(client) == 250
        clock.now += 0.2499
        assert wait_asked_for(client) == 1
        clock.now += 0.0002
        list_models(client)
        assert wait_asked_for(client) == 1000


def test_the_limit_is_a_sliding_second_of_accepted_calls(tmp_path: Path) -> None:
    with throttled_registry(tmp_path, 2) as (client, clock):
        list_models(client)
        clock.now += 0.5
        list_models(client)
        assert wait_asked_for(client) == 500
        clock.now += 0.5
        list_models(client)
        assert wait_asked_for(client) == 500


def test_each_operation_has_a_limit_of_its_own(tmp_path: Path) -> None:
    with throttled_registry(tmp_path, 1) as (client, _clock):
        model_id = new_model(client)
        list_models(client)
        assert listed_versions(client, model_id) == (0, [])
        wait_asked_for(client)


def test_without_a_limit_nothing_is_throttled(tmp_path: Path) -> None:
    with throttled_registry(tmp_path, 0) as (client, _clock):
        repeat(client, 30)


def test_the_limit_of_the_embedded_registry_is_in_force(data_dir: Path) -> None:
    with LocalRegistry(data_dir, requests_per_second=1) as registry:
        client = sdk_client(registry.endpoint, registry.access_key_id, registry.access_key_secret)
        with pytest.raises(ThrottlingException):
            repeat(client, 20)


def test_a_file_that_breaks_under_the_registry_is_an_error_of_the_server(tmp_path: Path) -> None:
    with bare_registry(tmp_path) as endpoint:
        client = sdk_client(endpoint)
        with closing(sqlite3.connect(tmp_path / "registry.sqlite3", isolation_level=None)) as file:
            file.execute("DROP TABLE models")
        with pytest.raises(ServerException) as caught:
            list_models(client)
        assert (caught.value.status_code, caught.value.code) == (500, "InternalError")

"""The embedded registry as a whole: restart, failures at the start, and stop."""

import json
import socket
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client
from starlette.responses import Response

from paiview.embedded.background_server import BackgroundServer
from paiview.embedded.local_registry import LocalRegistry
from paiview.pai.errors import SettingError
from tests.embedded.sdk import every_version, listed_versions, new_model, new_version, read_version, refusal, sdk_client


def client_of(registry: LocalRegistry) -> Client:
    return sdk_client(registry.endpoint, registry.access_key_id, registry.access_key_secret)


def port_of(registry: LocalRegistry) -> int:
    port = urlsplit(registry.endpoint).port
    assert port
    return port


def model_ids(client: Client) -> list[str]:
    page = client.list_models(models.ListModelsRequest(page_size=100)).body.models
    return sorted(model.model_id for model in page)


def test_what_was_changed_stays_over_a_restart(data_dir: Path) -> None:
    with LocalRegistry(data_dir) as registry:
        client = client_of(registry)
        request = models.UpdateModelVersionRequest(approval_status="Approved", version_description="checked")
        client.update_model_version("model-whisper", "3.1.0_large_turbo", request)
        client.delete_model_version("model-whisper", "1.0.0_tiny_en", models.DeleteModelVersionRequest())
        client.delete_model("model-yolov5", models.DeleteModelRequest())
        own = new_model(client, "my own")
        new_version(client, own, version_name="1.0.0", metrics={"cer": 0.1})
        ids, whisper, others = model_ids(client), every_version(client, "model-whisper"), every_version(client, own)
    with LocalRegistry(data_dir) as registry:
        client = client_of(registry)
        assert model_ids(client) == ids
        assert "model-yolov5" not in ids
        assert every_version(client, "model-whisper") == whisper
        assert every_version(client, own) == others
        turbo = read_version(client, "model-whisper", "3.1.0_large_turbo")
        assert (turbo["ApprovalStatus"], turbo["VersionDescription"]) == ("Approved", "checked")
        assert len(whisper) == 7


def test_a_changed_data_file_replaces_its_own_model_alone(tmp_path: Path, data_dir: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    for file in (first, second):
        file.write_text(json.dumps([{"VersionName": "1.0.0"}, {"VersionName": "2.0.0"}]))
    edit = models.UpdateModelVersionRequest(version_description="edited")
    edited = ("model-first", "model-second", "model-whisper")
    with LocalRegistry(data_dir, data_files=[first, second]) as registry:
        client = client_of(registry)
        for model_id, name in zip(edited, ("1.0.0", "1.0.0", "3.0.0_large"), strict=True):
            client.update_model_version(model_id, name, edit)
    first.write_text(json.dumps([{"VersionName": "1.0.0"}, {"VersionName": "3.0.0"}]))
    with LocalRegistry(data_dir, data_files=[first, second]) as registry:
        client = client_of(registry)
        assert [version["VersionName"] for version in every_version(client, "model-first")] == ["1.0.0", "3.0.0"]
        assert "VersionDescription" not in read_version(client, "model-first", "1.0.0")
        assert read_version(client, "model-second", "1.0.0")["VersionDescription"] == "edited"
        assert read_version(client, "model-whisper", "3.0.0_large")["VersionDescription"] == "edited"


def test_the_access_key_is_new_with_every_registry(data_dir: Path) -> None:
    one, other = LocalRegistry(data_dir), LocalRegistry(data_dir)
    assert one.access_key_id != other.access_key_id
    assert one.access_key_secret != other.access_key_secret
    with one, other:
        stranger = sdk_client(other.endpoint, one.access_key_id, one.access_key_secret)
        assert refusal(lambda: model_ids(stranger)) == (404, "InvalidAccessKeyId.NotFound")
    assert all(
        key.encode() not in file.read_bytes()
        for file in data_dir.iterdir()
        for key in (one.access_key_id, one.access_key_secret)
    )


def test_two_registries_share_a_folder(data_dir: Path) -> None:
    with LocalRegistry(data_dir) as one, LocalRegistry(data_dir) as other:
        writer, reader = client_of(one), client_of(other)
        model_id = new_model(writer)
        new_version(writer, model_id, version_name="1.0.0")
        new_version(reader, model_id, version_name="2.0.0")
        names = ["1.0.0", "2.0.0"]
        for client in (writer, reader):
            assert [version["VersionName"] for version in every_version(client, model_id)] == names
        assert refusal(lambda: new_version(writer, model_id, version_name="2.0.0"))[0] == 409


def test_registries_that_start_at_the_same_moment_fill_a_folder_once(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def counted(_number: int) -> tuple[int, int]:
        together.wait()
        with LocalRegistry(tmp_path) as registry:
            client = client_of(registry)
            return len(model_ids(client)), listed_versions(client, "model-timm")[0]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(counted, range(4))) == [(6, 1556)] * 4


def test_many_callers_at_once_lose_nothing(data_dir: Path) -> None:
    with LocalRegistry(data_dir) as registry:
        model_id = new_model(client_of(registry))

        def write(_number: int) -> list[str]:
            client = client_of(registry)
            return [new_version(client, model_id) for _ in range(5)]

        with ThreadPoolExecutor(8) as pool:
            written = [name for names in pool.map(write, range(8)) for name in names]
        found = [version["VersionName"] for version in every_version(client_of(registry), model_id)]
    assert sorted(written) == sorted(found)
    assert set(found) == {f"0.{minor}.0" for minor in range(1, 41)}


def _file_as_folder(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file"


def _folder_below_a_file(folder: Path) -> Path:
    return _file_as_folder(folder) / "below"


def _folder_as_registry_file(folder: Path) -> Path:
    (folder / "registry.sqlite3").mkdir()
    return folder


def _other_file_as_registry_file(folder: Path) -> Path:
    (folder / "registry.sqlite3").write_text("These are notes, and no registry of anything at all.\n" * 40)
    return folder


def _other_database_as_registry_file(folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "registry.sqlite3")) as file:
        file.execute("CREATE TABLE seeds (other TEXT)")
    return folder


def _folder_nobody_may_write_to(_folder: Path) -> Path:
    return Path("/proc/paiview")


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (_file_as_folder, "which cannot be used: File exists."),
        (_folder_below_a_file, "which cannot be used: Not a directory."),
        (_folder_nobody_may_write_to, "which cannot be used: "),
        (_folder_as_registry_file, "whose registry.sqlite3 cannot be used: unable to open database file."),
        (_other_file_as_registry_file, "whose registry.sqlite3 cannot be used: file is not a database."),
        (_other_database_as_registry_file, "whose registry.sqlite3 cannot be used: no such column: model_id."),
    ],
)
def test_a_folder_that_cannot_be_used_is_named_in_a_sentence(
    tmp_path: Path, prepare: Callable[[Path], Path], reason: str
) -> None:
    data_dir = prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SettingError) as caught:
        LocalRegistry(data_dir).start()
    assert caught.value.message.startswith(f"PAIVIEW_DATA_DIR is {data_dir}, {reason}")
    assert "\n" not in caught.value.message
    assert sorted(tmp_path.rglob("*")) == before


def test_a_port_in_use_is_named_and_the_file_is_closed(data_dir: Path) -> None:
    with LocalRegistry(data_dir) as registry:
        port = port_of(registry)
        failed = LocalRegistry(data_dir, port=port)
        with pytest.raises(SettingError) as caught:
            failed.start()
        assert caught.value.message == f"Port {port} cannot be used for the embedded registry: address already in use."
        failed.stop()
        assert model_ids(client_of(registry))
    with failed:
        assert port_of(failed) == port


def test_a_port_is_taken_before_it_is_served() -> None:
    with closing(socket.socket()) as idle:
        server = BackgroundServer(Response("first"))
        with pytest.raises(SettingError, match="address already in use"):
            BackgroundServer(Response("second"), server.port)
        with server:
            idle.connect(("127.0.0.1", server.port))


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_does_not_exist_is_named(data_dir: Path, port: int) -> None:
    with pytest.raises(SettingError, match=rf"Port {port} cannot be used for the embedded registry: .*0-65535"):
        LocalRegistry(data_dir, port=port).start()


def test_stop_frees_the_port_and_may_come_twice_or_without_a_start(data_dir: Path) -> None:
    LocalRegistry(data_dir).stop()
    registry = LocalRegistry(data_dir).start()
    port = port_of(registry)
    registry.stop()
    registry.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with LocalRegistry(data_dir, port=port) as again:
        assert port_of(again) == port
        assert len(model_ids(client_of(again))) == 6


def test_stop_does_not_wait_for_a_connection_that_is_open(data_dir: Path) -> None:
    registry = LocalRegistry(data_dir).start()
    with socket.create_connection(("127.0.0.1", port_of(registry)), timeout=5) as connection:
        registry.stop()
        assert connection.recv(1) == b""


def test_a_registry_may_be_started_again(data_dir: Path) -> None:
    registry = LocalRegistry(data_dir)
    for _ in range(2):
        with registry:
            assert len(model_ids(client_of(registry))) == 6
    ports = [port_of(registry.start())]
    with registry:  # restarts it
        ports.append(port_of(registry))
        assert len(model_ids(client_of(registry))) == 6
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_it_listens_on_loopback_alone(local_registry: LocalRegistry) -> None:
    assert local_registry.endpoint.startswith("http://127.0.0.1:")

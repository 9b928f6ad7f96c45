"""The metrics of the dashboard itself."""

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from paiview.embedded.local_registry import LocalRegistry
from paiview.pai import transport
from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
from paiview.pai.errors import AccessKeyError, NotFoundError, UnreachableError
from paiview.server import telemetry


def samples(prefix: str) -> dict[tuple[str, ...], float]:
    """The series with a prefix: the rest of the name and the values of the labels, to the value."""
    families = text_string_to_metric_families(telemetry.exposition().decode())
    return {
        (sample.name.removeprefix(prefix), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith(prefix)
    }


@pytest.fixture
def seen() -> Iterator[list[tuple[str, str]]]:
    """The operations and outcomes of the requests, in their order."""
    found: list[tuple[str, str]] = []

    def tell(operation: str, outcome: str, seconds: float) -> None:
        assert 0 <= seconds < 60
        found.append((operation, outcome))

    transport.observers.add(tell)
    yield found
    transport.observers.discard(tell)


def test_requests_are_observed_with_their_outcome(local_registry: LocalRegistry, seen: list[tuple[str, str]]) -> None:
    key = StaticCredentials(local_registry.access_key_id, local_registry.access_key_secret)
    with Client(local_registry.endpoint, key) as client:
        client.list_all_model_versions("model-whisper")
        with pytest.raises(NotFoundError):
            client.get_model("model-none")
    with (
        Client(local_registry.endpoint, StaticCredentials("nobody", "x")) as stranger,
        pytest.raises(AccessKeyError),
    ):
        stranger.list_models()
    with Client("http://127.0.0.1:9", key) as client, pytest.raises(UnreachableError):
        client.list_models()
    assert seen == [
        ("ListModelVersions", "Ok"),
        ("GetModel", "NotFound"),
        ("ListModels", "AccessKey"),
        ("ListModels", "Unreachable"),
    ]


def test_requests_are_counted_and_timed() -> None:
    telemetry.pai_request("ListTests", "Ok", 0.3)
    telemetry.pai_request("ListTests", "Throttled", 0.01)
    found = samples("paiview_pai_request")
    assert found["s_total", "ListTests", "Ok"] == found["s_total", "ListTests", "Throttled"] == 1
    assert found["_seconds_count", "ListTests"] == 2
    assert found["_seconds_sum", "ListTests"] == pytest.approx(0.31)


def test_the_cache_is_read_at_each_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paiview.server.telemetry.seconds", lambda: 100.0)
    held = [("versions", 90.0), ("versions", 40.0), ("models", 99.0)]
    telemetry.watch(lambda: held, lambda: ["versions", "review", "review"])
    try:
        assert samples("paiview_snapshot") == {
            ("s", "versions"): 2,
            ("s", "models"): 1,
            ("_newest_age_seconds", "versions"): 10,
            ("_newest_age_seconds", "models"): 1,
            ("_oldest_age_seconds", "versions"): 60,
            ("_oldest_age_seconds", "models"): 1,
        }
        assert samples("paiview_reads_under_way") == {("", "versions"): 1, ("", "review"): 2}
    finally:
        telemetry.watch(tuple, tuple)
    assert samples("paiview_snapshot") == {}


def test_the_process_and_the_version_are_exported() -> None:
    assert samples("process_")["resident_memory_bytes",] > 1e6
    assert samples("paiview_info") == {("", "0.1.0"): 1}

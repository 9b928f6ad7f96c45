"""One deployment for all tests, restored before each of them."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.browser.conftest import browser, page
from tests.cluster.nodes import Cluster, Replica, nginx
from tests.cluster.stores import PASSWORD, Store
from tests.harness.server import Server
from tests.harness.service import Json, Service, version

__all__ = ["browser", "page"]

SECRET = "a-secret-that-all-replicas-sign-cookies-with"
MODELS = [f"model-{name}" for name in ("killed", "restarted", "shared", "edited", "before", "alone", "after")]
"""One for each listing that a test counts or changes."""
PAGES = [1, 2, 3]
"""The pages of one listing of a model."""


def versions() -> list[Json]:
    """Without a Pending version: Models would list its model to decide about it."""
    results = {"d-near": {"wer": 0.1, "cer": 0.05}, "d-far": {"wer": 0.2, "cer": 0.15}}
    return [
        version(
            f"1.{number}.0",
            f"2024-01-{number + 1:02}",
            results,
            ApprovalStatus="Approved" if number % 2 else "Rejected",
            VersionDescription="kept" if number < 6 else "left out",
        )
        for number in range(12)
    ]


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    service = Service(
        models=[{"ModelId": model, "ModelName": model} for model in MODELS],
        versions={model: versions() for model in MODELS},
    )
    with ExitStack() as running:
        server = running.enter_context(Server(service))
        store = Store(folder)
        store.start()
        running.callback(store.close)
        settings = {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "key",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret-that-no-page-may-show",
            "PAIVIEW_ALLOWED_HOSTS": "pai.example.com",
            "PAIVIEW_CACHE_TTL": "3600",
            "PAIVIEW_CACHE_URL": store.url.get_secret_value(),
            "PAIVIEW_ENDPOINT": server.url,
            "PAIVIEW_PAGE_SIZE": "5",
            "PAIVIEW_TRUSTED_PROXIES": "127.0.0.1",
            "STREAMLIT_SERVER_COOKIE_SECRET": SECRET,
        }
        replicas = tuple(Replica(folder, settings) for _ in range(3))
        for replica in replicas:
            replica.start()
            running.callback(replica.end)
        port = running.enter_context(nginx(folder, replicas))
        for replica in replicas:
            assert replica.draws(), replica.said
        yield Cluster(port, replicas, store, service, folder)
    for replica in replicas:
        assert "Traceback" not in replica.said, replica.said
        assert "secret-that" not in replica.said
        assert PASSWORD not in replica.said


@pytest.fixture
def cluster(_running: Cluster) -> Cluster:
    _running.made_whole()
    return _running

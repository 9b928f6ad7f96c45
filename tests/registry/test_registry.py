"""The registry over real sockets: which reads are shared, which are separate, and what a failing service leaves."""

import asyncio
import json
import math
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from paiview.embedded.local_registry import LocalRegistry
from paiview.pai import transport
from paiview.pai.client import Client
from paiview.pai.credentials import CredentialSource, StaticCredentials
from paiview.pai.errors import CredentialError, NotFoundError, PermissionDeniedError, SettingError, UnreachableError
from paiview.pai.objects import ModelFilters, VersionFilters
from paiview.registry import connection
from paiview.registry.connection import _PROCESS, connect, disconnect
from paiview.registry.live_decision import decide_now
from paiview.registry.registry import PENDING_SHOWN, SLOW_DATA_TTLS, Registry
from paiview.settings import Settings
from tests.harness.server import Reply, Request, Server, refusal, reply

TTL = 60.0
WAIT = 10.0
"""Seconds after which a test that waits for another thread has failed."""
READER = StaticCredentials("reader", "secret")
NEWEST_FIRST = VersionFilters(order="DESC")


class Clock:
    """A clock that the tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def version(number: int, status: str = "Pending", **fields: Any) -> dict[str, Any]:
    created = f"2024-01-01T00:{number:02}:00Z"
    return {"VersionName": f"0.{number}.0", "ApprovalStatus": status, "GmtCreateTime": created, **fields}


@dataclass
class Service:
    """A small PAI: responds from its lists, or with ``error`` to every request, once ``gate`` is open."""

    versions: list[dict[str, Any]] = field(default_factory=lambda: [version(1, "Approved"), version(2)])
    models: list[dict[str, Any]] = field(default_factory=lambda: [{"ModelId": "model-a"}, {"ModelId": "model-b"}])
    datasets: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    """Further fields of every page of versions."""
    error: Reply | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    @contextmanager
    def served(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
        """Serve it, with short waits before retries; the gate is opened before the end."""
        monkeypatch.setattr(transport, "FIRST_RETRY_WAIT_SECONDS", 0.005)
        with ExitStack() as running:
            running.callback(self.gate.set)
            yield running.enter_context(Server(self.respond))

    async def respond(self, request: Request) -> Reply:
        await asyncio.to_thread(self.gate.wait, WAIT)
        kind = request.path.rsplit("/", 1)[1]
        if request.query.get("PageNumber", "1") == "1":
            self.asked.append(kind)
        if self.error is not None:
            return self.error
        if kind.startswith("model-"):
            return reply(next(model for model in self.models if model["ModelId"] == kind) | {"RequestId": "R"})
        wanted = request.query.get("ApprovalStatus")
        items = {
            "versions": [item for item in self.versions if wanted in (None, item["ApprovalStatus"])],
            "models": self.models,
            "workspaces": [{"WorkspaceId": "1"}],
            "datasets": self.datasets,
        }[kind]
        items = items[::-1] if request.query.get("Order") == "DESC" else items
        size = int(request.query["PageSize"])
        start = (request.page - 1) * size
        field_name = kind.capitalize()
        more = self.more if kind == "versions" else {}
        return reply({field_name: items[start : start + size], "TotalCount": len(items), "RequestId": "R", **more})


OpenRegistry = Callable[..., Registry]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with service.served(monkeypatch) as running:
        yield running


@pytest.fixture
def open_registry(clock: Clock) -> Iterator[OpenRegistry]:
    with ExitStack() as clients:

        def start(endpoint: str, credentials: StaticCredentials = READER, ttl: float = TTL) -> Registry:
            client = clients.enter_context(Client(endpoint, credentials, page_size=2, deadline=5.0))
            return Registry(
                client, endpoint=endpoint, principal=credentials.principal, embedded=False, ttl=ttl, clock=clock
            )

        yield start


@pytest.fixture
def registry(server: Server, open_registry: OpenRegistry) -> Registry:
    return open_registry(server.url)


def names(registry: Registry, filters: VersionFilters = VersionFilters()) -> list[str | None]:
    return [item.version_name for item in registry.versions("model-a", filters).versions]


def test_a_snapshot_holds_the_whole_listing(service: Service, registry: Registry) -> None:
    service.versions = [version(number) for number in range(5)]
    snapshot = registry.versions("model-a")
    assert [item.version_name for item in snapshot.versions] == ["0.0.0", "0.1.0", "0.2.0", "0.3.0", "0.4.0"]
    assert (snapshot.model_id, snapshot.total, len(snapshot.versions)) == ("model-a", 5, 5)
    assert (snapshot.failure, snapshot.uneven, snapshot.filters) == (None, None, VersionFilters())
    assert snapshot.frames.versions["version_name"].tolist() == ["0.0.0", "0.1.0", "0.2.0", "0.3.0", "0.4.0"]
    assert snapshot.frames is snapshot.frames


def test_an_empty_listing_still_has_a_size(service: Service, registry: Registry) -> None:
    service.versions = []
    snapshot = registry.versions("model-a")
    assert (snapshot.versions, snapshot.total) == ((), 0)
    assert len(snapshot.frames.versions) == 0


def test_the_embedded_registry_is_read_like_a_service(
    local_registry: LocalRegistry, open_registry: OpenRegistry
) -> None:
    credentials = StaticCredentials(local_registry.access_key_id, local_registry.access_key_secret)
    registry = open_registry(local_registry.endpoint, credentials)
    assert {model.model_id for model in registry.models().items} == {
        "model-funasr",
        "model-pyannotediarization",
        "model-timm",
        "model-wenetmandarin",
        "model-whisper",
        "model-yolov5",
    }
    snapshot = registry.versions("model-whisper")
    assert len(snapshot.versions) == snapshot.total > 5
    assert (snapshot.frames.versions["version_name"].nunique(), snapshot.uneven) == (snapshot.total, None)
    review = registry.review("model-whisper")
    statuses = [item.approval_status for item in snapshot.versions]
    counted = [statuses.count(status) for status in ("Pending", "Approved", "Rejected")]
    assert [review.pending, review.approved, review.rejected] == counted
    with pytest.raises(NotFoundError, match="201900002"):
        registry.versions("model-none")


def test_many_readers_cost_one_listing(service: Service, registry: Registry) -> None:
    readers = 12
    service.gate.clear()
    waiting = threading.Semaphore(0)

    def read() -> Any:
        told: list[None] = []

        def progress(_done: int, _total: int) -> None:
            if not told:
                told.append(None)
                waiting.release()

        return registry.versions("model-a", progress=progress)

    with ThreadPoolExecutor(readers) as pool:
        futures = [pool.submit(read) for _ in range(readers)]
        for _ in range(readers):
            assert waiting.acquire(timeout=WAIT)
        service.gate.set()
        snapshots = [future.result(WAIT) for future in futures]
    assert service.asked == ["versions"]
    assert {id(snapshot) for snapshot in snapshots} == {id(snapshots[0])}


def test_the_frames_are_built_once_for_all_readers(registry: Registry) -> None:
    snapshot = registry.versions("model-a")
    together = threading.Barrier(8)

    def read() -> int:
        together.wait(WAIT)
        return id(snapshot.frames)

    with ThreadPoolExecutor(8) as pool:
        assert len({future.result(WAIT) for future in [pool.submit(read) for _ in range(8)]}) == 1


def test_progress_is_reported_in_the_thread_of_the_caller(service: Service, registry: Registry) -> None:
    service.gate.clear()
    told: list[int] = []

    def progress(_done: int, _total: int) -> None:
        told.append(threading.get_ident())
        service.gate.set()

    registry.versions("model-a", progress=progress)
    assert set(told) == {threading.get_ident()}


def test_a_fresh_snapshot_sends_no_request(service: Service, registry: Registry, clock: Clock) -> None:
    first = registry.versions("model-a")
    clock.now += TTL - 1
    assert registry.versions("model-a") is first
    assert service.asked == ["versions"]


def test_with_a_ttl_of_zero_every_call_reads(service: Service, server: Server, open_registry: OpenRegistry) -> None:
    registry = open_registry(server.url, ttl=0)
    registry.versions("model-a")
    service.versions.append(version(3))
    assert len(registry.versions("model-a").versions) == 3
    assert service.asked == ["versions", "versions"]


def test_each_model_and_filter_has_its_own_snapshot(service: Service, registry: Registry) -> None:
    assert names(registry) == ["0.1.0", "0.2.0"]
    assert names(registry, NEWEST_FIRST) == ["0.2.0", "0.1.0"]
    assert names(registry, VersionFilters(approval_status="Approved")) == ["0.1.0"]
    assert registry.versions("model-b").model_id == "model-b"
    assert service.asked == ["versions"] * 4
    assert names(registry, VersionFilters(order="DESC")) == ["0.2.0", "0.1.0"]
    assert len(service.asked) == 4


def test_keys_hold_the_endpoint_and_the_principal(server: Server, open_registry: OpenRegistry) -> None:
    other_reader = StaticCredentials("other", "secret")
    one, other, elsewhere = (
        open_registry(server.url),
        open_registry(server.url, other_reader),
        open_registry("http://127.0.0.1:9"),
    )
    keys = {registry._key("versions", "model-a") for registry in (one, other, elsewhere)}
    assert len(keys) == 3
    assert one._key("versions", "model-a") == open_registry(server.url)._key("versions", "model-a")


def test_refresh_reads_its_own_query_again_and_no_other(service: Service, registry: Registry) -> None:
    registry.versions("model-a")
    registry.versions("model-a", NEWEST_FIRST)
    registry.versions("model-b")
    service.versions.append(version(3))
    registry.refresh_versions("model-a")
    assert names(registry) == ["0.1.0", "0.2.0", "0.3.0"]
    assert names(registry, NEWEST_FIRST) == ["0.2.0", "0.1.0"]
    assert len(registry.versions("model-b").versions) == 2
    assert len(service.asked) == 4


def test_an_unchanged_listing_keeps_its_identity_and_its_frames(registry: Registry) -> None:
    before = registry.versions("model-a")
    frames = before.frames
    registry.refresh_versions("model-a")
    after = registry.versions("model-a")
    assert after is not before
    assert after.fetched_at > before.fetched_at
    assert (after.identity, after.versions) == (before.identity, before.versions)
    assert after.frames is frames


@pytest.mark.parametrize(
    "change",
    [
        lambda versions: versions.append(version(3)),
        lambda versions: versions.pop(),
        lambda versions: versions.reverse(),
        lambda versions: versions[1].update(ApprovalStatus="Approved"),
        lambda versions: versions[1].update(FieldOfTomorrow=1),
        lambda versions: versions[1].update(Metrics={"Results": []}),
    ],
    ids=["added", "removed", "reordered", "approved", "unknown field", "metrics"],
)
def test_any_change_of_the_listing_changes_its_identity(
    service: Service, registry: Registry, change: Callable[[list[dict[str, Any]]], None]
) -> None:
    before = registry.versions("model-a")
    change(service.versions)
    registry.refresh_versions("model-a")
    after = registry.versions("model-a")
    assert after.identity != before.identity
    assert after.frames is not before.frames


def test_equal_listings_of_two_models_differ_in_identity(registry: Registry) -> None:
    assert registry.versions("model-a").identity != registry.versions("model-b").identity


def test_when_the_service_is_gone_the_last_good_snapshot_says_so(service: Service, open_registry: OpenRegistry) -> None:
    with Server(service.respond) as server:
        registry = open_registry(server.url)
        before = registry.versions("model-a")
    registry.refresh_versions("model-a")
    after = registry.versions("model-a")
    assert isinstance(after.failure, UnreachableError)
    assert (after.versions, after.fetched_at, after.identity) == (before.versions, before.fetched_at, before.identity)
    assert after.frames is before.frames
    with pytest.raises(UnreachableError):
        registry.versions("model-b")


def test_when_the_service_is_back_the_failure_is_gone(service: Service, registry: Registry) -> None:
    registry.versions("model-a")
    service.error = refusal("MissingParameter", 400)
    registry.refresh_versions("model-a")
    assert registry.versions("model-a").failure is not None
    service.error = None
    registry.refresh_versions("model-a")
    assert registry.versions("model-a").failure is None


def test_a_listing_without_permission_any_more_is_not_shown(service: Service, registry: Registry) -> None:
    registry.versions("model-a")
    service.error = refusal("NoPermission", 403)
    registry.refresh_versions("model-a")
    with pytest.raises(PermissionDeniedError):
        registry.versions("model-a")


def test_a_review_counts_the_statuses_and_shows_the_newest_pending(service: Service, registry: Registry) -> None:
    statuses = ["Approved", "Pending", "Rejected", "Pending", "Approved", "Shadow"] + ["Pending"] * 12
    service.versions = [version(number, status) for number, status in enumerate(statuses)]
    review = registry.review("model-a")
    assert (review.pending, review.approved, review.rejected) == (14, 2, 1)
    assert [item.version_name for item in review.newest_pending] == [
        f"0.{number}.0" for number in range(17, 17 - PENDING_SHOWN, -1)
    ]
    assert len(service.asked) == 3


def test_counts_are_fresh_for_longer_than_listings(service: Service, registry: Registry, clock: Clock) -> None:
    registry.review("model-a")
    registry.workspaces()
    service.asked.clear()
    clock.now += TTL * SLOW_DATA_TTLS - 1
    registry.review("model-a")
    assert [item.workspace_id for item in registry.workspaces().items] == ["1"]
    assert service.asked == []


def test_refreshing_the_models_refreshes_their_reviews_and_listings(service: Service, registry: Registry) -> None:
    assert [model.model_id for model in registry.models("1").items] == ["model-a", "model-b"]
    registry.review("model-a")
    registry.review("model-elsewhere")
    registry.versions("model-a")
    service.versions.append(version(3))
    service.models.append({"ModelId": "model-c"})
    registry.refresh_models("1")
    snapshot = registry.models("1")
    assert (len(snapshot.items), snapshot.total) == (3, 3)
    assert registry.review("model-a").pending == 2
    assert registry.review("model-elsewhere").pending == 1
    assert len(registry.versions("model-a").versions) == 3


def test_each_workspace_has_its_own_list(service: Service, registry: Registry, server: Server) -> None:
    registry.models()
    registry.models("1")
    registry.models("1")
    asked = [request.query.get("WorkspaceId") for request in server.requests]
    assert asked == [None, "1"]


def test_each_filter_of_models_is_a_list_of_its_own(registry: Registry, server: Server) -> None:
    public = ModelFilters(provider="PAI")
    for filters in (ModelFilters(), public, ModelFilters(provider="pai")):
        registry.models(None, filters)
    assert [request.query.get("Provider") for request in server.requests] == [None, "pai"]
    snapshot = registry.models(None, public)
    assert (snapshot.filters, snapshot.is_filtered) == (public, True)
    assert not registry.models("1").is_filtered


def test_a_refresh_of_filtered_models_reads_them_again(service: Service, registry: Registry) -> None:
    public = ModelFilters(provider="pai")
    registry.models("1", public)
    registry.models("1")
    service.asked.clear()
    registry.refresh_models("1", public)
    registry.models("1")
    registry.models("1", public)
    assert service.asked == ["models"]


@pytest.mark.parametrize(
    ("asked", "provider", "listed"),
    [(None, None, "7"), (None, "", "7"), ("8", None, "8"), (None, "pai", None), ("8", "pai", "8")],
)
def test_public_models_are_not_narrowed_to_the_workspace_of_the_settings(
    server: Server, asked: str | None, provider: str | None, listed: str | None
) -> None:
    with Client(server.url, READER) as client:
        registry = Registry(client, endpoint=server.url, principal="me", embedded=False, ttl=TTL, workspace_id="7")
        assert registry.workspace_to_list(asked, ModelFilters(provider=provider)) == listed


@pytest.mark.parametrize(
    ("endpoint", "embedded", "region", "expected"),
    [
        ("https://aiworkspace.cn-beijing.aliyuncs.com", False, None, "cn-beijing"),
        ("https://aiworkspace.cn-beijing.aliyuncs.com", False, "cn-shanghai", "cn-shanghai"),
        ("https://pai.example", False, None, None),
        ("http://127.0.0.1:1", True, "cn-shanghai", None),
    ],
)
def test_the_region_of_the_console_comes_from_the_settings_or_the_endpoint(
    server: Server, endpoint: str, embedded: bool, region: str | None, expected: str | None
) -> None:
    with Client(server.url, READER) as client:
        registry = Registry(client, endpoint=endpoint, principal="me", embedded=embedded, ttl=TTL, region=region)
        assert registry.console_region == expected


LABELS = (("team", "speech"), ("team", "speech-zh"), ("speech", "team"))


def test_a_label_with_a_value_lists_and_counts_that_label_alone(service: Service, registry: Registry) -> None:
    service.versions = [
        version(number) | {"Labels": [{"Key": key, "Value": value}]} for number, (key, value) in enumerate(LABELS)
    ]
    snapshot = registry.versions("model-a", VersionFilters(label="team=speech"))
    assert [item.version_name for item in snapshot.versions] == [service.versions[0]["VersionName"]]
    assert (snapshot.total, snapshot.missing, snapshot.coverage) == (1, 0, "1 of 1 versions")
    assert snapshot.is_filtered


def test_the_request_id_of_a_listing_is_that_of_its_first_page(service: Service, registry: Registry) -> None:
    service.more = {"RequestId": "R-versions"}
    assert registry.versions("model-a").request_id == "R-versions"
    assert registry.models().request_id == "R"
    service.more = {"RequestId": "R-later"}
    registry.refresh_versions("model-a")
    assert registry.versions("model-a").request_id == "R-later"


def test_one_model_is_read_whether_or_not_a_list_holds_it(service: Service, registry: Registry) -> None:
    assert registry.model("model-b").model_id == "model-b"
    registry.model("model-b")
    assert service.asked == ["model-b"]


def test_dataset_names_are_read_once_in_any_order(service: Service, registry: Registry) -> None:
    service.datasets = [{"DatasetId": "d-1", "Name": "aishell"}, {"DatasetId": "d-2"}, {"Name": "nobody"}]
    assert registry.dataset_names(["d-2", "d-1", "d-1"]) == {"d-1": "aishell"}
    assert registry.dataset_names({"d-1", "d-2"}) == {"d-1": "aishell"}
    assert service.asked == ["datasets"]


def test_no_dataset_sends_no_request(service: Service, registry: Registry) -> None:
    assert registry.dataset_names([]) == {}
    assert service.asked == []


@pytest.mark.parametrize(
    "error", [refusal("NoPermission", 403), refusal("201300003", 404), refusal("MissingParameter", 400)]
)
def test_a_page_can_do_without_dataset_names(service: Service, registry: Registry, error: Reply) -> None:
    service.error = error
    assert registry.dataset_names(["d-1"]) == {}
    assert registry.dataset_names(["d-1"]) == {}
    assert service.asked == ["datasets"]


@pytest.fixture
def process() -> Iterator[None]:
    """A process without a registry, even if other tests have connected one."""
    disconnect()
    yield
    disconnect()


@pytest.mark.usefixtures("process")
def test_snapshots_and_reads_are_reported_by_kind_alone(service: Service, registry: Registry, clock: Clock) -> None:
    registry.versions("model-a")
    clock.now += 5
    registry.models()
    assert sorted(registry.held()) == [("models", clock.now), ("versions", clock.now - 5)]
    assert registry.under_way() == []


def test_the_first_to_connect_starts_the_embedded_registry(tmp_path: Path) -> None:
    saved = tmp_path / "mine.json"
    saved.write_text(json.dumps({"Versions": [version(1)]}))
    registry = connect(Settings(data_dir=tmp_path / "data", data=(saved,), workspace_id="1", cache_ttl=5))
    assert registry.embedded
    assert registry.endpoint.startswith("http://127.0.0.1:")
    assert (registry.workspace_id, registry.region) == ("1", None)
    assert [item.version_name for item in registry.versions("model-mine").versions] == ["0.1.0"]
    assert connect() is registry


@pytest.mark.usefixtures("process")
def test_after_disconnecting_the_next_call_connects_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    first = connect(settings)
    disconnect()
    disconnect()
    with pytest.raises(UnreachableError):
        first.versions("model-funasr")
    second = connect(settings)
    assert second is not first
    assert second.principal != first.principal
    assert second.versions("model-funasr").total > 0


@pytest.mark.usefixtures("process")
def test_all_threads_get_one_registry(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with ThreadPoolExecutor(4) as pool:
        found = [future.result(WAIT) for future in [pool.submit(connect, settings) for _ in range(4)]]
    assert len({id(registry) for registry in found}) == 1


@pytest.mark.usefixtures("process")
def test_after_a_failure_the_next_call_tries_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIVIEW_PAGE_SIZE", "0")
    with pytest.raises(SettingError, match="PAIVIEW_PAGE_SIZE"):
        connect()
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(SettingError, match="PAIVIEW_DATA_DIR"):
        connect(Settings(page_size=50, data_dir=blocked))
    assert connect(Settings(page_size=50, data_dir=tmp_path / "data")).embedded


@pytest.mark.usefixtures("process")
def test_threads_that_wait_for_a_hanging_credential_get_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: queue.Queue[threading.Event] = queue.Queue()

    def hanging() -> CredentialSource:
        tried.put(given_up := threading.Event())
        assert given_up.wait(WAIT)
        raise CredentialError("It hangs.")

    monkeypatch.setattr(connection, "from_chain", hanging)
    arrived = threading.Semaphore(0)
    lock = _PROCESS._lock

    class Lock:
        def __enter__(self) -> None:
            arrived.release()
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    monkeypatch.setattr(_PROCESS, "_lock", Lock())
    settings = Settings(endpoint="http://127.0.0.1:1")
    for _ in range(2):
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(connect, settings) for _ in range(4)]
            for _ in waiting:
                assert arrived.acquire(timeout=WAIT)
            tried.get(timeout=WAIT).set()
            failures = [future.exception(WAIT) for future in waiting]
        assert [str(failure) for failure in failures] == ["It hangs."] * 4
        assert len({id(failure) for failure in failures}) == 4
        assert tried.empty()


@pytest.mark.usefixtures("process")
def test_a_service_without_a_credential_is_an_error_that_leaves_nothing_behind(server: Server) -> None:
    before = _own_threads()
    with pytest.raises(CredentialError) as caught:
        connect(Settings(endpoint=server.url))
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in caught.value.advice
    assert server.requests == []
    assert _own_threads() <= before


def _own_threads() -> set[threading.Thread]:
    """paiview's threads; the official credentials package starts another one at import and never ends it."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("paiview")}


def results(value: float) -> dict[str, Any]:
    return {"Results": [{"Dataset": {"DatasetId": "a"}, "Metrics": {"cer": value}}]}


def test_a_decision_is_about_the_data_as_last_read(service: Service, registry: Registry) -> None:
    service.versions = [version(1, "Approved", Metrics=results(0.2)), version(2, Metrics=results(0.1))]
    first = decide_now(registry, "model-a", "0.2.0")
    assert (first.baseline, first.summary.word, first.notes) == ("0.1.0", "Better", ())
    assert decide_now(registry, "model-a", "0.2.0", baseline_model="model-a") == first
    assert service.asked == ["versions"]
    service.versions[1] = version(2, Metrics=results(0.3))
    registry.refresh_versions("model-a")
    second = decide_now(registry, "model-a", "0.2.0")
    assert (second.summary.word, second.overall) == ("Worse", "fail")
    assert second.data_fingerprint != first.data_fingerprint
    assert second.fetched_at > first.fetched_at


def test_a_decision_about_an_uneven_listing_says_so(service: Service, registry: Registry) -> None:
    service.versions = [version(1, "Approved", Metrics=results(0.2)), version(2, Metrics=results(0.1)), version(2)]
    changing = "The list kept changing while it was read twice: the service counts 3, and 2 "
    by_rule = decide_now(registry, "model-a", "0.2.0")
    [doubt] = by_rule.doubts
    assert (doubt.kind, by_rule.overall) == ("listing", "undecided")
    assert doubt.sentence.startswith(changing)
    assert " A newer approved version may be missing. " in doubt.sentence
    named = decide_now(registry, "model-a", "0.2.0", baseline="0.1.0")
    [note] = named.notes
    assert note.startswith(f"model-a: {changing}")
    assert note.endswith(" Versions may be missing, and with them a newer baseline.")
    assert (named.doubts, named.overall) == ((), "pass")


def test_an_uneven_listing_keeps_the_versions_of_the_previous_one(service: Service, registry: Registry) -> None:
    service.versions = [version(1, "Approved", Metrics=results(0.2)), version(2, Metrics=results(0.1))]
    registry.versions("model-a")
    service.versions = [version(2, Metrics=results(0.3)), version(2), version(3)]
    registry.refresh_versions("model-a")
    shown = registry.versions("model-a")
    assert [item.version_name for item in shown.versions] == ["0.2.0", "0.3.0", "0.1.0"]
    assert shown.uneven
    assert shown.uneven.endswith(" Kept from the previous listing: 1 version.")
    decision = decide_now(registry, "model-a", "0.2.0")
    assert (decision.baseline, decision.summary.word) == ("0.1.0", "Worse")
    service.versions = [version(2), version(3)]
    registry.refresh_versions("model-a")
    assert names(registry) == ["0.2.0", "0.3.0"]


MEANINGS = {"quality": {"direction": "higher"}, "cer_*": {"digits": 3}}
ORIGIN = {"kind": "saved", "files": ["a.json"], "listed": 3, "missing": 12}


def test_a_listing_that_was_saved_in_part_is_neither_complete_nor_changing(
    service: Service, registry: Registry
) -> None:
    service.versions, service.more = [version(number) for number in range(3)], {"TotalCount": 15, "origin": ORIGIN}
    snapshot = registry.versions("model-a")
    assert (len(snapshot.versions), snapshot.total, snapshot.missing, snapshot.uneven) == (3, 15, 12, None)
    assert snapshot.coverage == "3 of 15 versions"
    assert snapshot.warnings == ("12 versions not listed: a newer approved one may be among them.",)
    assert (snapshot.lineage.total, snapshot.lineage.missing) == (15, 12)


def test_a_filtered_listing_says_that_versions_which_were_not_saved_may_match(
    service: Service, registry: Registry
) -> None:
    service.versions, service.more = [version(1)], {"origin": {**ORIGIN, "listed": 1}}
    snapshot = registry.versions("model-a", VersionFilters(approval_status="Pending"))
    assert (snapshot.total, snapshot.missing) == (1, 12)
    assert snapshot.coverage == "1 of 1 versions; 12 more were not saved and may match"
    assert registry.versions("model-a", VersionFilters(order="DESC")).coverage == "1 of 1 versions"


def test_a_partial_listing_that_grows_stays_partial_and_keeps_what_metrics_mean(
    service: Service, registry: Registry
) -> None:
    facts = {"TotalCount": 21, "origin": {**ORIGIN, "listed": 9}, "metrics": MEANINGS}
    service.versions, service.more = [version(number) for number in range(9)], facts
    before = registry.versions("model-a")
    service.versions.append(version(9))
    registry.refresh_versions("model-a")
    service.more = {**facts, "TotalCount": 22, "origin": {**ORIGIN, "listed": 10}}
    after = registry.versions("model-a")
    assert (len(after.versions), after.total, after.missing) == (10, 22, 12)
    assert (before.meanings, after.meanings) == (MEANINGS, MEANINGS)
    assert before.identity != after.identity


def test_what_metrics_mean_is_part_of_the_identity(service: Service, registry: Registry) -> None:
    plain = registry.versions("model-a")
    service.more = {"metrics": MEANINGS}
    registry.refresh_versions("model-a")
    told = registry.versions("model-a")
    assert (plain.meanings, told.meanings, plain.versions) == ({}, MEANINGS, told.versions)
    assert plain.identity != told.identity
    registry.refresh_versions("model-a")
    assert registry.versions("model-a").identity == told.identity


@pytest.mark.parametrize(
    ("metrics", "meanings", "complaints"),
    [
        (None, {}, 0),
        ([], {}, 1),
        ("cer", {}, 1),
        (math.nan, {}, 1),
        ({}, {}, 0),
        ({"cer": {"direction": ["odd"]}, "wer": 3, "mer": None}, {"cer": {"direction": ["odd"]}}, 1),
    ],
)
@pytest.mark.parametrize("origin", [None, 3, {}, {"kind": "invented"}, {"kind": "saved", "listed": -1}, []])
def test_facts_of_the_wrong_shape_are_ignored_with_one_complaint(
    service: Service, registry: Registry, metrics: Any, meanings: Any, complaints: int, origin: Any
) -> None:
    service.more = {"metrics": metrics, "origin": origin}
    snapshot = registry.versions("model-a")
    assert (len(snapshot.versions), snapshot.uneven, snapshot.origin) == (2, None, None)
    assert (snapshot.meanings, len(snapshot.remarks)) == (meanings, complaints)


def test_a_name_with_different_content_is_told_in_place_of_a_change(service: Service, registry: Registry) -> None:
    service.versions = [version(1), version(1, "Approved"), version(2)]
    service.more = {"origin": {"kind": "saved", "doubled": "0.1.0 is there twice."}}
    snapshot = registry.versions("model-a")
    assert (len(snapshot.versions), snapshot.total, snapshot.missing) == (2, 3, 1)
    assert (snapshot.uneven, snapshot.warnings) == ("0.1.0 is there twice.", ("0.1.0 is there twice.",))

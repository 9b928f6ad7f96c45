"""The HTTP API: read-only JSON, errors with PAI's fields, and a queue that never blocks the pages."""

import asyncio
import json
import logging
import math
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NoReturn

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from paiview.decisions.decision import Decision
from paiview.decisions.lineage import ComparisonError, UnknownVersionError
from paiview.embedded.background_server import HOST, BackgroundServer
from paiview.pai.errors import (
    AccessKeyError,
    AnswerError,
    ClockError,
    CredentialError,
    DeadlineError,
    NotFoundError,
    PaiviewError,
    PermissionDeniedError,
    RequestRefusedError,
    SettingError,
    ThrottledError,
    UnavailableError,
    UnreachableError,
)
from paiview.pai.paging import Progress
from paiview.registry.budget import BudgetError
from paiview.registry.cache import Cache
from paiview.registry.connection import connect, disconnect
from paiview.registry.live_decision import decide_now
from paiview.registry.registry import Registry
from paiview.server import http_api, shared_threads
from paiview.settings import Settings
from tests.registry.test_cache import KEY, TTL, Clock, Numbered

WAIT = 10.0
IDENTIFIER = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
SAVED: list[dict[str, Any]] = [
    {
        "VersionName": "0.1.0",
        "ApprovalStatus": "Approved",
        "GmtCreateTime": "2024-01-01T00:00:00Z",
        "Metrics": {"Results": [{"Dataset": {"DatasetId": "aishell"}, "Metrics": {"cer": 0.2, "bad": math.nan}}]},
        "InferenceSpec": {"env": [{"name": "TOKEN", "value": "s3cr3t"}], "api_key": "s3cr3t"},
    },
    {
        "VersionName": "0.2.0",
        "VersionDescription": "<script>通用</script>",
        "ApprovalStatus": "Pending",
        "GmtCreateTime": "2024-02-01T00:00:00Z",
        "Metrics": {"Results": [{"Dataset": {"DatasetId": "aishell"}, "Metrics": {"cer": 0.18}}]},
    },
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The registry of this process: the embedded one with ``SAVED`` as model-mine."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "mine.json").write_text(json.dumps({"Versions": SAVED}))
    connected = connect(Settings(data_dir=folder / "registry", data=(folder / "mine.json",)))
    yield connected
    disconnect()


@pytest.fixture(scope="module")
def client(source: Registry) -> Iterator[httpx.Client]:
    with (
        BackgroundServer(Starlette(routes=[http_api.mount()])) as server,
        httpx.Client(base_url=f"http://{HOST}:{server.port}") as opened,
    ):
        yield opened


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_arguments: object, **_named: object) -> NoReturn:
        raise error

    monkeypatch.setattr(Registry, "versions", fail)
    monkeypatch.setattr(Registry, "models", fail)


class Slow:
    """Listings of models that come when ``gate`` is set; ``begun`` is released for each that has begun."""

    def __init__(self, answer: object) -> None:
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.runs = 0
        self._answer = answer

    def __call__(self, *_arguments: object) -> object:
        self.runs += 1
        self.begun.release()
        assert self.gate.wait(WAIT)
        return self._answer


@pytest.fixture
def slow(source: Registry, monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow(source.models())
    monkeypatch.setattr(Registry, "models", made)
    return made


def client_at(address: str) -> httpx.Client:
    """A client with an address of loopback and a connection for each request."""
    return httpx.Client(transport=httpx.HTTPTransport(local_address=address), timeout=WAIT)


def unanswered(client: httpx.Client, path: str, address: str = "127.0.0.2") -> socket.socket:
    """A connection on which a request was sent."""
    opened = socket.create_connection((HOST, client.base_url.port or 0), WAIT, (address, 0))
    opened.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    return opened


def refused_at_last(client: httpx.Client, url: str, is_refused: bool) -> bool:
    """Ask until a request is refused at once, or until it is not and waits."""
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        try:
            status = client.get(url, timeout=0.2).status_code
        except httpx.ReadTimeout:
            status = 0
        if (status == 503) is is_refused:
            return True
    return False


def error_body(answer: httpx.Response) -> dict[str, str]:
    """The body of an error; checks its headers and fields."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, str] = answer.json()
    assert list(body) == ["Code", "Message", "RequestId"]
    assert all(body.values())
    return body


def test_the_decision_is_that_of_the_other_interfaces(client: httpx.Client, source: Registry) -> None:
    answer = client.get("/api/models/model-mine/decision?candidate=0.2.0")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    decision = Decision.model_validate_json(answer.content)
    assert decision == decide_now(source, "model-mine", "0.2.0")
    assert (decision.baseline, decision.summary.word) == ("0.1.0", "Incomplete"), "The baseline has a value for bad."


def test_baseline_and_its_model_can_be_chosen(client: httpx.Client) -> None:
    asked = {"candidate": "0.2.0", "baseline": "1.0.0_large", "baseline_model": "model-whisper"}
    body = client.get("/api/models/model-mine/decision", params=asked).json()
    assert (body["baseline"], body["baseline_model"]) == ("1.0.0_large", "model-whisper")
    body = client.get("/api/models/model-mine/decision?candidate=0.1.0&baseline=0.2.0").json()
    assert (body["baseline"], body["baseline_reason"]) == ("0.2.0", "named")


def test_models_are_listed_as_the_service_sent_them(client: httpx.Client, source: Registry) -> None:
    body = client.get("/api/models").json()
    assert list(body) == ["Models", "TotalCount", "FetchedAt", "CompleteAt", "Warning", "RequestId"]
    assert IDENTIFIER.fullmatch(body["RequestId"])
    assert (body["TotalCount"], body["Warning"]) == (7, None)
    assert body["Models"] == [model.raw for model in source.models().items]
    assert datetime.fromisoformat(body["FetchedAt"]) <= datetime.now(UTC)
    assert client.get("/api/models?workspace=none").json()["Models"] == []


def test_versions_are_listed_without_their_secrets(client: httpx.Client) -> None:
    answer = client.get("/api/models/model-mine/versions")
    body = answer.json()
    assert [version["VersionName"] for version in body["Versions"]] == ["0.1.0", "0.2.0"]
    assert body["Versions"][1]["VersionDescription"] == "<script>通用</script>"
    assert body["Versions"][0]["Metrics"]["Results"][0]["Metrics"] == {"cer": 0.2, "bad": "NaN"}
    assert "s3cr3t" not in answer.text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("approval_status=pending", ["0.2.0"]),
        ("approval_status=Approved", ["0.1.0"]),
        ("version_name=0.1.0", ["0.1.0"]),
        ("order=desc", ["0.2.0", "0.1.0"]),
        ("label=none", []),
        ("label=team=speech", []),
        ("format_type=onnx", []),
        ("framework_type=pytorch", []),
        ("source_type=PAIFlow&source_id=x", []),
        ("approval_status=Rejected&order=ASC&sort_by=GmtCreateTime", []),
    ],
)
def test_versions_are_filtered_as_pai_documents(client: httpx.Client, query: str, names: list[str]) -> None:
    body = client.get(f"/api/models/model-mine/versions?{query}").json()
    assert [version["VersionName"] for version in body["Versions"]] == names
    assert (body["TotalCount"], body["Warning"]) == (len(names), None)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("model_name=mine", ["model-mine"]),
        ('model_name="min"', []),
        ("query=keyword", []),
        ("task=object-detection", ["model-yolov5"]),
        ("domain=cv&order=asc&task=image-classification", ["model-timm"]),
        ("label=license=AGPL-3.0", ["model-yolov5"]),
        ("tag=license=AGPL-3.0", ["model-yolov5"]),
        ("conditions=ParameterSize<0", []),
        ("collections=AI4D", []),
        ("model_type=LoRA", []),
        ("origin=civitai", []),
        ("provider=nobody", []),
        ("workspace=none", []),
    ],
)
def test_models_are_filtered_as_pai_documents(client: httpx.Client, query: str, ids: list[str]) -> None:
    body = client.get(f"/api/models?{query}").json()
    assert [model["ModelId"] for model in body["Models"]] == ids
    assert body["TotalCount"] == len(ids)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "models/model-mine/versions?approval_status=Done",
            "The parameter approval_status is none of Pending, Approved, Rejected.",
        ),
        ("models/model-mine/versions?order=up", "The parameter order is none of ASC, DESC."),
        ("models?order=newest", "The parameter order is none of ASC, DESC."),
        ("models?provider=", "The parameter provider is empty."),
        ("models?provider=pai&provider=huggingface", "The parameter provider is given more than once."),
        ("models/model-mine/versions?format_typ=ONNX", "There is no parameter format_typ here."),
        ("models/model-mine/versions?provider=pai", "There is no parameter provider here."),
        (f"models?tag={'t' * 600}", "The tag is longer than 512 characters."),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(client: httpx.Client, path: str, message: str) -> None:
    answer = client.get(f"/api/{path}")
    assert answer.status_code == 400
    assert error_body(answer)["Message"].startswith(message)


def test_a_sort_that_pai_refuses_is_its_error(client: httpx.Client) -> None:
    answer = client.get("/api/models/model-mine/versions?sort_by=VersionName")
    assert (answer.status_code, error_body(answer)["Code"]) == (400, "InvalidSortBy")


def test_a_stale_listing_has_the_reason_as_warning(
    client: httpx.Client, source: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = replace(source.versions("model-mine"), failure=UnavailableError("PAI is down."))
    monkeypatch.setattr(Registry, "versions", lambda *_: old)
    assert client.get("/api/models/model-mine/versions").json()["Warning"] == "Reading this again failed: PAI is down."


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/models/model-none/versions", 404, "201900002"),
        ("/api/models/model-none/decision?candidate=0.2.0", 404, "201900002"),
        ("/api/models/model-mine/decision?candidate=9.9.9", 404, "UnknownVersion"),
        ("/api/models/model-mine/decision?candidate=0.2.0&baseline=9.9.9", 404, "UnknownVersion"),
        ("/api/models/model-mine/decision?candidate=0.2.0&baseline=0.2.0", 400, "Comparison"),
        ("/api/models/model-mine/decision?candidate=0.2.0&baseline_model=model-whisper", 400, "Comparison"),
        ("/api/models/model-mine/decision?candidate=0.2.0&baseline=0.1.0&baseline_model=none", 404, "201900002"),
        ("/api/models/model-mine/decision", 400, "Parameter"),
        ("/api/models/model-mine/decision?candidate=", 400, "Parameter"),
        ("/api/models/model-mine/decision?candidate=0.2.0&baseline=", 400, "Parameter"),
        ("/api/models/model-mine/decision?candidate=0.2.0&candidate=0.1.0", 400, "Parameter"),
        ("/api/models/model-mine/decision?candidate=0.2.0&basline=0.1.0", 400, "Parameter"),
        ("/api/models/model-mine/versions?page=1", 400, "Parameter"),
        ("/api/models?q=x", 400, "Parameter"),
        (f"/api/models/model-mine/decision?candidate={'9' * 5000}", 400, "Parameter"),
        (f"/api/models/{'m' * 5000}/versions", 400, "Parameter"),
        ("/api/models/model-mine/decision?candidate=%00%1b%F0%9F", 404, "UnknownVersion"),
        ("/api/models/%00/versions", 404, "201900002"),
        ("/api/models/%2e%2e/versions", 404, None),
        ("/api/models/a%2Fb/versions", 404, "NotFound"),
        ("/api/models//versions", 404, "NotFound"),
        ("/api/", 404, "NotFound"),
        ("/api/nothing", 404, "NotFound"),
        ("/api/models/", 404, "NotFound"),
        ("/api/models/model-mine/versions/", 404, "NotFound"),
        ("/api/models/model-mine/decision/more?candidate=0.2.0", 404, "NotFound"),
    ],
)
def test_an_invalid_request_is_refused_in_json(client: httpx.Client, path: str, status: int, code: str | None) -> None:
    answer = client.get(path)
    body = error_body(answer)
    assert answer.status_code == status
    assert code is None or body["Code"] == code
    assert body["Message"].isprintable()
    assert len(body["Message"]) < 1000


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/models", "/api/models/model-mine/decision?candidate=0.2.0"])
def test_methods_other_than_get_are_refused(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, error_body(answer)["Code"]) == (405, "MethodNotAllowed")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFoundError("no such model", code="201900002", request_id="R-1", status=404), 404, "201900002"),
        (PermissionDeniedError("not yours", code="NoPermission", request_id="R-1", status=403), 403, "NoPermission"),
        (ThrottledError("too fast", code="Throttling.User", request_id="R-1", status=400), 429, "Throttling.User"),
        (RequestRefusedError("bad id", code="InvalidParameter", request_id="R-1", status=400), 400, "InvalidParameter"),
        (
            AccessKeyError("unknown key", code="InvalidAccessKeyId.NotFound", status=404),
            502,
            "InvalidAccessKeyId.NotFound",
        ),
        (ClockError("clock", code="InvalidTimeStamp.Expired", status=400), 502, "InvalidTimeStamp.Expired"),
        (UnavailableError("down", code="ServiceUnavailable", status=503), 502, "ServiceUnavailable"),
        (UnreachableError("refused"), 502, "Unreachable"),
        (AnswerError("no JSON"), 502, "Answer"),
        (DeadlineError("late"), 504, "Deadline"),
        (CredentialError("none"), 500, "Credential"),
        (SettingError("wrong"), 500, "Setting"),
        (UnknownVersionError("none"), 404, "UnknownVersion"),
        (ComparisonError("same"), 400, "Comparison"),
        (PaiviewError("else"), 500, "Paiview"),
    ],
)
@pytest.mark.parametrize("path", ["models", "models/model-mine/versions", "models/model-mine/decision?candidate=0.2.0"])
def test_an_error_has_the_status_of_its_class(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, path: str, error: PaiviewError, status: int, code: str
) -> None:
    failing(monkeypatch, error)
    answer = client.get(f"/api/{path}")
    body = error_body(answer)
    assert (answer.status_code, body["Code"]) == (status, code)
    assert body["Message"] == f"{error.message_for_readers} {error.advice}".strip()
    assert body["RequestId"] == error.request_id or IDENTIFIER.fullmatch(body["RequestId"])


@pytest.mark.parametrize(("seconds", "header"), [(2.5, "3"), (0.0, "1"), (None, None)])
def test_a_throttled_response_has_the_seconds_to_wait(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, seconds: float | None, header: str | None
) -> None:
    error = ThrottledError("too fast")
    error.retry_after = seconds
    failing(monkeypatch, error)
    assert client.get("/api/models").headers.get("retry-after") == header


def test_an_internal_error_is_logged_and_its_details_are_not_sent(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing(monkeypatch, ZeroDivisionError("s3cr3t"))
    with caplog.at_level(logging.ERROR, "paiview.server.http_api"):
        answer = client.get("/api/models/model-mine/decision?candidate=0.2.0")
    body = error_body(answer)
    assert (answer.status_code, body["Code"]) == (500, "InternalError")
    assert "s3cr3t" not in answer.text
    (record,) = caplog.records
    assert body["RequestId"] in record.getMessage()
    assert "\n  ZeroDivisionError: s3cr3t" in record.getMessage()


def test_text_of_the_service_in_an_error_has_no_control_characters(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, NotFoundError("a\x1b[31m\u202eb\nc" + "x" * 2000, code="C\x07", request_id="R\n"))
    body = error_body(client.get("/api/models"))
    assert body["Message"].startswith("a�[31m�b c")
    assert len(body["Message"]) < 700
    assert (body["Code"], body["RequestId"]) == ("C�", "R")


def test_with_a_slow_service_pages_are_served_and_the_queue_is_bounded(slow: Slow) -> None:
    def page(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("page")

    every = http_api.MAX_CONCURRENT_REQUESTS + http_api.MAX_QUEUED_REQUESTS

    async def visit() -> tuple[Counter[int], str]:
        app = Starlette(routes=[http_api.mount(), Route("/page", page)])
        async with AsyncExitStack() as stack:
            browsers = [
                await stack.enter_async_context(
                    httpx.AsyncClient(
                        transport=httpx.ASGITransport(app, client=(f"10.0.0.{number}", 1)), base_url="http://paiview"
                    )
                )
                for number in range(3)
            ]
            asked = {asyncio.create_task(browsers[number % 3].get("/api/models")) for number in range(every + 3)}
            try:
                for _ in range(http_api.MAX_CONCURRENT_REQUESTS):
                    assert await asyncio.to_thread(slow.begun.acquire, timeout=WAIT)
                refused: set[asyncio.Task[httpx.Response]] = set()
                while len(refused) < 3:
                    found, _ = await asyncio.wait(asked - refused, timeout=WAIT, return_when=asyncio.FIRST_COMPLETED)
                    assert found
                    refused |= found
                assert {
                    (task.result().headers["retry-after"], error_body(task.result())["Code"]) for task in refused
                } == {("1", "Busy")}
                seen = (await asyncio.wait_for(browsers[0].get("/page"), WAIT)).text
            finally:
                slow.gate.set()
            return Counter(answer.status_code for answer in await asyncio.gather(*asked)), seen

    assert asyncio.run(visit()) == ({200: every, 503: 3}, "page")


def test_a_client_with_slow_requests_leaves_half_to_the_others(client: httpx.Client, slow: Slow) -> None:
    url = f"{client.base_url}/api/models"
    half = (http_api.MAX_CONCURRENT_REQUESTS + http_api.MAX_QUEUED_REQUESTS) // 2
    with client_at("127.0.0.2") as greedy, client_at("127.0.0.3") as other, ThreadPoolExecutor(half + 2) as asking:
        asked = {asking.submit(greedy.get, url) for _ in range(half + 1)}
        try:
            for _ in range(http_api.MAX_CONCURRENT_REQUESTS // 2):
                assert slow.begun.acquire(timeout=WAIT)
            # One is beyond what may wait; no further one runs, though half of the threads are free.
            refused, _ = wait(asked, WAIT, FIRST_COMPLETED)
            assert [(each.result().status_code, error_body(each.result())["Code"]) for each in refused] == [
                (503, "Busy")
            ]
            assert not slow.begun.acquire(blocking=False)
            # The other client is not behind them.
            begun = asking.submit(other.get, url)
            assert slow.begun.acquire(timeout=WAIT)
        finally:
            slow.gate.set()
        assert begun.result().status_code == 200
        assert Counter(each.result().status_code for each in asked) == {200: half, 503: 1}


def test_a_request_whose_client_has_left_waits_no_longer(client: httpx.Client, slow: Slow) -> None:
    url = f"{client.base_url}/api/models"
    running = http_api.MAX_CONCURRENT_REQUESTS // 2
    half = running + http_api.MAX_QUEUED_REQUESTS // 2
    with client_at("127.0.0.2") as patient, ThreadPoolExecutor(running) as asking:
        try:
            asked = [asking.submit(patient.get, url) for _ in range(running)]
            for _ in range(running):
                assert slow.begun.acquire(timeout=WAIT)
            with ExitStack() as left:
                for _ in range(half - running):
                    left.callback(unanswered(client, "/api/models").close)
                assert refused_at_last(patient, url, True)
            # Their places are free again.
            assert refused_at_last(patient, url, False)
        finally:
            slow.gate.set()
        assert [each.result().status_code for each in asked] == [200] * running
        assert patient.get(url).status_code == 200
    # Those that were left never ran: no thread is spent on them.
    assert slow.runs <= running + 3


def test_a_queued_request_times_out_and_a_running_one_is_finished(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, slow: Slow
) -> None:
    monkeypatch.setattr(shared_threads, "QUEUE_TIMEOUT_SECONDS", 1.0)
    share = http_api.MAX_CONCURRENT_REQUESTS // 2
    with ThreadPoolExecutor(share + 2) as asking:
        asked = {asking.submit(httpx.get, f"{client.base_url}/api/models") for _ in range(share + 2)}
        try:
            refused: set[Future[httpx.Response]] = set()
            while len(refused) < 2:
                found, _ = wait(asked - refused, WAIT, FIRST_COMPLETED)
                assert found
                refused |= found
        finally:
            slow.gate.set()
        answered = Counter(answer.result().status_code for answer in asked - refused)
    assert {(answer.result().status_code, error_body(answer.result())["Code"]) for answer in refused} == {(503, "Busy")}
    assert answered == {200: share}


def test_the_time_in_the_queue_counts_towards_the_wait_for_the_service(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    # The clock does not move, so that only the time in the queue counts; the read does not return.
    cache = Cache(10, Clock(), reader_wait_seconds=1e-6)

    def load(_report: Progress) -> Numbered:
        gate.wait(WAIT)
        return Numbered(fetched_at=datetime.now(UTC), number=1)

    monkeypatch.setattr(Registry, "models", lambda *_: cache.get(KEY, load, ttl=TTL))
    try:
        answer = client.get("/api/models")
    finally:
        gate.set()
    assert (answer.status_code, error_body(answer)["Code"]) == (504, "Deadline")


def test_all_requests_for_a_listing_share_its_bytes(client: httpx.Client, source: Registry) -> None:
    first = client.get("/api/models/model-mine/versions")
    assert source.versions("model-mine").json is source.versions("model-mine").json
    again = client.get("/api/models/model-mine/versions", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/api/models")
    assert other.headers["etag"] != first.headers["etag"]


def test_a_client_that_has_spent_its_share_is_told_when_to_come_back(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, BudgetError(12.3))
    answer = client.get("/api/models")
    assert (answer.status_code, error_body(answer)["Code"]) == (429, "Budget")
    assert answer.headers["retry-after"] == "13"

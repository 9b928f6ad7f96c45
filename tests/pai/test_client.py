"""What the client asks for, on the wire, and how its callers share it, hurry it and end it."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import pytest

from paiview import __version__
from paiview.embedded.signature import SignatureCheck, SignedRequest
from paiview.pai.client import Client
from paiview.pai.credentials import Credential
from paiview.pai.errors import (
    AnswerError,
    DeadlineError,
    NotFoundError,
    PaiviewError,
    PermissionDeniedError,
    UnavailableError,
    UnreachableError,
)
from paiview.pai.objects import ModelFilters, VersionFilters
from tests.harness.server import Act, Reply, Request, refusal, reply, script
from tests.pai.conftest import CREDENTIALS, KEY_ID, SECRET, TOKEN, Connect, Serve

WAIT: Final = 10.0
"""Seconds after which a test that waits for another thread has failed."""
ORDERED: Final = {"Order": "ASC", "SortBy": "GmtCreateTime"}
FIRST_PAGE: Final = {**ORDERED, "PageNumber": "1", "PageSize": "50"}


async def any_call(request: Request) -> Reply:
    """An answer that fits every call: an empty list of everything, and one object."""
    lists: dict[str, Any] = {"Versions": [], "Models": [], "Workspaces": [], "Datasets": []}
    return reply({**lists, "TotalCount": 0, "ModelId": "model-a", "VersionName": "1.0.0"})


@pytest.mark.parametrize(
    ("call", "action", "path", "query"),
    [
        (
            lambda client: client.list_model_versions("model-a"),
            "ListModelVersions",
            "/api/v1/models/model-a/versions",
            FIRST_PAGE,
        ),
        (
            lambda client: client.list_all_model_versions("model-a"),
            "ListModelVersions",
            "/api/v1/models/model-a/versions",
            FIRST_PAGE,
        ),
        (
            lambda client: client.get_model_version("model-a", "1.0.0_beta"),
            "GetModelVersion",
            "/api/v1/models/model-a/versions/1.0.0_beta",
            {},
        ),
        (lambda client: client.list_models(), "ListModels", "/api/v1/models", FIRST_PAGE),
        (lambda client: client.list_all_models(), "ListModels", "/api/v1/models", FIRST_PAGE),
        (lambda client: client.get_model("model-a"), "GetModel", "/api/v1/models/model-a", {}),
        (lambda client: client.list_all_workspaces(), "ListWorkspaces", "/api/v1/workspaces", FIRST_PAGE),
        (
            lambda client: client.list_datasets(["d-1", "d-2"], "123"),
            "ListDatasets",
            "/api/v1/datasets",
            {"DatasetIds": "d-1,d-2", "WorkspaceId": "123", "PageNumber": "1", "PageSize": "50"},
        ),
        (
            lambda client: client.list_datasets(["d-1"]),
            "ListDatasets",
            "/api/v1/datasets",
            {"DatasetIds": "d-1", "PageNumber": "1", "PageSize": "50"},
        ),
    ],
)
def test_each_method_calls_its_operation(
    call: Callable[[Client], object], action: str, path: str, query: dict[str, str], serve: Serve, connect: Connect
) -> None:
    server = serve(any_call)
    call(connect(server.url))
    (request,) = server.requests
    assert (request.method, request.path, request.query) == ("GET", path, query)
    assert request.headers["x-acs-action"] == action
    assert request.headers["x-acs-version"] == "2021-02-04"
    assert request.headers["user-agent"] == f"paiview/{__version__}"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"


VERSION_FILTERS: Final = {
    "VersionName": "1.0.0_beta",
    "FormatType": "Keras H5",
    "FrameworkType": "PyTorch",
    "SourceType": "PAIFlow",
    "SourceId": "region=cn-shanghai,workspaceId=13,kind=PipelineRun,id=run-x",
    "Label": "情感 v1+*~/&?#%",
    "ApprovalStatus": "Pending",
    "Order": "DESC",
    "SortBy": "GmtModifiedTime",
}
MODEL_FILTERS: Final = {
    "WorkspaceId": "123",
    "ModelName": '"exact name"',
    "Query": "fuzzy",
    "Label": "k v",
    "Tag": '[{"Key":"k","Value":"v"}]',
    "Conditions": '[{"Column":"ParameterSize","Operator":"LessThan","Value":"3000"}]',
    "Domain": "nlp",
    "Task": "text-generation",
    "Origin": "ModelScope",
    "ModelType": "LoRA",
    "Provider": "pai",
    "Collections": "AI4D,QuickStart",
    "Order": "DESC",
    "SortBy": "GmtModifiedTime",
}


def test_every_documented_filter_of_versions_reaches_the_wire(serve: Serve, connect: Connect) -> None:
    server = serve(any_call)
    filters = VersionFilters.model_validate(VERSION_FILTERS)
    connect(server.url).list_model_versions("model-a", filters, page_number=3, page_size=7)
    assert server.requests[0].query == {**VERSION_FILTERS, "PageNumber": "3", "PageSize": "7"}


def test_every_documented_filter_of_models_reaches_the_wire(serve: Serve, connect: Connect) -> None:
    server = serve(any_call)
    filters = ModelFilters.model_validate(MODEL_FILTERS)
    connect(server.url).list_models(filters, page_number=3, page_size=7)
    assert server.requests[0].query == {**MODEL_FILTERS, "PageNumber": "3", "PageSize": "7"}


@pytest.mark.parametrize("name", [name for name in VERSION_FILTERS if name not in ORDERED])
def test_a_filter_of_versions_is_sent_alone_and_on_every_page(name: str, serve: Serve, connect: Connect) -> None:
    async def respond(request: Request) -> Reply:
        return reply({"Versions": [{"VersionName": f"{request.page}"}], "TotalCount": 3})

    server = serve(respond)
    filters = VersionFilters.model_validate({name: VERSION_FILTERS[name]})
    connect(server.url).list_all_model_versions("model-a", filters)
    assert sorted(server.pages) == [1, 2, 3]
    for request in server.requests:
        rest = {key: value for key, value in request.query.items() if key != "PageNumber"}
        assert rest == {**ORDERED, name: VERSION_FILTERS[name], "PageSize": "50"}


@pytest.mark.parametrize("name", [name for name in MODEL_FILTERS if name not in ORDERED])
def test_a_filter_of_models_is_sent_alone(name: str, serve: Serve, connect: Connect) -> None:
    server = serve(any_call)
    connect(server.url).list_all_models(ModelFilters.model_validate({name: MODEL_FILTERS[name]}))
    assert server.requests[0].query == {**FIRST_PAGE, name: MODEL_FILTERS[name]}


def test_filters_have_python_names_too_and_none_is_not_sent(serve: Serve, connect: Connect) -> None:
    server = serve(any_call)
    client = connect(server.url)
    client.list_model_versions("model-a", VersionFilters(approval_status="Approved", label=None))
    client.list_models(ModelFilters(query_text="fuzzy", domain=None))
    assert server.requests[0].query == {**FIRST_PAGE, "ApprovalStatus": "Approved"}
    assert server.requests[1].query == {**FIRST_PAGE, "Query": "fuzzy"}


def test_an_empty_filter_is_sent_because_it_means_something(serve: Serve, connect: Connect) -> None:
    server = serve(any_call)
    connect(server.url).list_models(ModelFilters(provider=""))
    assert server.requests[0].query == {**FIRST_PAGE, "Provider": ""}


def test_the_page_size_of_the_client_is_asked_for(serve: Serve, connect: Connect) -> None:
    server = serve(any_call)
    connect(server.url, page_size=20).list_all_models()
    assert server.requests[0].query["PageSize"] == "20"


ODD_IDS: Final = {
    "model-a": "model-a",
    "a/b": "a%2Fb",
    "../../secrets": "..%2F..%2Fsecrets",
    "模型": "%E6%A8%A1%E5%9E%8B",
    "a b?c#d": "a%20b%3Fc%23d",
    "a%2Fb": "a%252Fb",
    "a+b*c~d": "a%2Bb%2Ac~d",
    "...": "...",
    "a\r\nHost: b": "a%0D%0AHost%3A%20b",
    "\ud800": "%3F",
}


@pytest.mark.parametrize(("identity", "segment"), ODD_IDS.items(), ids=ascii)
def test_ids_are_one_segment_of_the_path_and_signed_as_sent(
    identity: str, segment: str, serve: Serve, connect: Connect
) -> None:
    check = SignatureCheck({KEY_ID: SECRET})

    async def respond(request: Request) -> Reply:
        check.check(SignedRequest(request.method, request.path, request.raw_query, request.headers))
        return await any_call(request)

    server = serve(respond)
    client = connect(server.url)
    client.get_model(identity)
    client.get_model_version(identity, identity)
    client.list_model_versions(identity, VersionFilters(label=identity))
    assert [request.path for request in server.requests] == [
        f"/api/v1/models/{segment}",
        f"/api/v1/models/{segment}/versions/{segment}",
        f"/api/v1/models/{segment}/versions",
    ]


@pytest.mark.parametrize("identity", ["", ".", ".."])
def test_an_id_that_is_no_segment_is_not_found_without_asking(identity: str, serve: Serve, connect: Connect) -> None:
    server = serve(any_call)
    client = connect(server.url)
    calls: list[Callable[[], object]] = [
        lambda: client.get_model(identity),
        lambda: client.list_model_versions(identity),
        lambda: client.list_all_model_versions(identity),
        lambda: client.get_model_version("model-a", identity),
    ]
    for call in calls:
        with pytest.raises(NotFoundError, match="is not a"):
            call()
    assert server.requests == []


def test_an_endpoint_may_end_in_a_slash(serve: Serve, connect: Connect) -> None:
    server = serve(any_call)
    connect(f"{server.url}/").list_models()
    assert server.requests[0].path == "/api/v1/models"


def test_an_object_is_read_without_its_request_id(serve: Serve, connect: Connect) -> None:
    body = {"RequestId": "R-1", "ModelId": "model-a", "ModelName": "情感", "Novel": [1]}
    model = connect(serve(script(reply(body))).url).get_model("model-a")
    assert (model.model_id, model.model_name) == ("model-a", "情感")
    assert model.raw == {"ModelId": "model-a", "ModelName": "情感", "Novel": [1]}


def test_an_object_without_a_field_is_an_error(serve: Serve, connect: Connect) -> None:
    client = connect(serve(script(reply({"RequestId": "R-1"}))).url)
    with pytest.raises(AnswerError, match="empty object") as raised:
        client.get_model_version("model-a", "1.0.0")
    assert raised.value.request_id == "R-1"


async def every_dataset(request: Request) -> Reply:
    ids = request.query["DatasetIds"].split(",")
    start = (request.page - 1) * 20
    items = [{"DatasetId": identity, "Name": identity.upper()} for identity in ids[start : start + 20]]
    return reply({"Datasets": items, "TotalCount": len(ids)})


def test_many_datasets_are_asked_for_in_chunks_and_each_once(serve: Serve, connect: Connect) -> None:
    server = serve(every_dataset)
    ids = [f"d-{number}" for number in range(120)]
    datasets = connect(server.url).list_datasets([*ids, *ids], "123")
    assert [dataset.dataset_id for dataset in datasets] == ids
    assert datasets[7].name == "D-7"
    chunks = {request.query["DatasetIds"] for request in server.requests}
    assert sorted(len(chunk.split(",")) for chunk in chunks) == [20, 50, 50]
    assert len(server.requests) == 3 + 3 + 1


def test_texts_that_cannot_be_dataset_ids_are_not_sent(serve: Serve, connect: Connect) -> None:
    server = serve(every_dataset)
    client = connect(server.url)
    assert client.list_datasets([]) == ()
    assert client.list_datasets(["", "a,b", "oss://bucket/key", "数据", "a b", "x" * 129, "d-1\n"]) == ()
    assert server.requests == []
    assert [found.dataset_id for found in client.list_datasets(["a,b", "d-1", "A.b_c-9"])] == ["d-1", "A.b_c-9"]


def test_the_rate_limit_spaces_requests_of_all_threads(serve: Serve, connect: Connect) -> None:
    server = serve(any_call)
    client = connect(server.url, rate_limit=40)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        for call in [threads.submit(client.list_models) for _ in range(9)]:
            call.result()
    assert time.monotonic() - began >= 8 / 40
    assert len(server.requests) == 9


def test_the_rate_limit_counts_retries(serve: Serve, connect: Connect) -> None:
    client = connect(serve(script(refusal("ServiceUnavailable", 503))).url, rate_limit=20)
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        client.list_models()
    assert time.monotonic() - began >= 3 / 20


def test_the_deadline_is_for_each_request_and_not_for_the_listing(serve: Serve, connect: Connect) -> None:
    async def respond(request: Request) -> Reply:
        await asyncio.sleep(0.1)
        return reply({"Models": [{"ModelId": f"{request.page}"}], "TotalCount": 8})

    client = connect(serve(respond).url, concurrency=1, deadline=0.7)
    assert len(client.list_all_models().items) == 8


def test_the_deadline_counts_from_the_wish(serve: Serve, connect: Connect) -> None:
    async def respond(_request: Request) -> Reply:
        return (Act.HANG,)

    client = connect(serve(respond).url, concurrency=1, deadline=0.3)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(client.list_models) for _ in range(8)]
        errors = [future.exception() for future in futures]
    assert all(isinstance(error, DeadlineError) for error in errors)
    assert time.monotonic() - began < 2.0


def test_threads_that_share_a_client_share_its_concurrency_and_get_their_own_answers(
    serve: Serve, connect: Connect
) -> None:
    together = asyncio.Barrier(3)

    async def respond(request: Request) -> Reply:
        await together.wait()  # Passes only when three requests are here at once.
        await asyncio.sleep(0.01)  # Time for a fourth to show itself.
        return reply({"VersionName": request.path.rpartition("/")[2]})

    server = serve(respond)
    client = connect(server.url, concurrency=3)
    names = [f"version-{number}" for number in range(24)]
    with ThreadPoolExecutor(24) as threads:
        versions = [*threads.map(partial(client.get_model_version, "model-a"), names)]
    assert [version.version_name for version in versions] == names
    assert server.most_in_flight == 3


def test_a_long_listing_lets_other_callers_in_between(serve: Serve, connect: Connect) -> None:
    async def respond(request: Request) -> Reply:
        if "PageNumber" not in request.query:
            return reply({"ModelId": "model-a"})
        await asyncio.sleep(0.02)
        return reply({"Models": [{"ModelId": f"{request.page}"}], "TotalCount": 40})

    server = serve(respond)
    client = connect(server.url, concurrency=2)
    with ThreadPoolExecutor(1) as threads:
        between: list[Future[Any]] = []

        def call_once(done: int, _: int) -> None:
            if done == 1:
                between.append(threads.submit(client.get_model, "model-a"))

        client.list_all_models(progress=call_once)
        assert between[0].result(WAIT).model_id == "model-a"
    actions = [request.headers["x-acs-action"] for request in server.requests]
    assert actions.index("GetModel") < 20


def test_a_connection_the_server_has_closed_since_is_replaced(serve: Serve, connect: Connect) -> None:
    once = reply({"Models": [], "TotalCount": 0}, then=Act.CLOSE)
    server = serve(script(once))
    client = connect(server.url)
    for _ in range(3):
        assert client.list_models().total_count == 0


@dataclass
class Hanging:
    """A source of credentials that answers only once it is let go."""

    over: threading.Event = field(default_factory=threading.Event)
    principal: str = "slow"

    def get(self, *, fresh: bool = False) -> Credential:
        self.over.wait(WAIT)
        return CREDENTIALS.get()


def test_a_source_of_credentials_that_hangs_ends_at_the_deadline(serve: Serve, connect: Connect) -> None:
    source = Hanging()
    client = connect(serve(any_call).url, source, deadline=0.1)
    try:
        with pytest.raises(DeadlineError):
            client.list_models()
    finally:
        source.over.set()


def test_close_breaks_off_every_call_that_is_under_way(serve: Serve, connect: Connect) -> None:
    here = threading.Semaphore(0)

    async def respond(request: Request) -> Reply:
        if "PageNumber" in request.query and request.page == 1:
            return reply({"Models": [{"ModelId": "a"}], "TotalCount": 9})
        here.release()
        return (Act.HANG,)

    client = connect(serve(respond).url, concurrency=4, deadline=60, read_timeout=60)
    with ThreadPoolExecutor(8) as threads:
        calls: list[Future[Any]] = [threads.submit(client.list_all_models)]
        calls += [threads.submit(client.get_model, "model-a") for _ in range(7)]  # Some of them wait for a slot.
        for _ in range(4):
            assert here.acquire(timeout=WAIT)
        began = time.monotonic()
        client.close()
        for call in calls:
            with pytest.raises(UnreachableError, match="has been closed"):
                call.result(WAIT)
    assert time.monotonic() - began < WAIT


def test_a_closed_client_refuses_calls_with_an_error_of_the_family(serve: Serve, connect: Connect) -> None:
    server = serve(any_call)
    client = connect(server.url)
    client.close()
    client.close()
    calls: list[Callable[[], object]] = [
        client.list_models,
        client.list_all_workspaces,
        lambda: client.get_model("model-a"),
        lambda: client.list_datasets(["d-1"]),
    ]
    for call in calls:
        with pytest.raises(PaiviewError, match="has been closed"):
            call()
    assert server.requests == []


def test_leaving_the_context_ends_the_thread_of_the_client(serve: Serve) -> None:
    def clients() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "paiview-client"}

    server = serve(any_call)
    before = clients()
    with Client(server.url, CREDENTIALS) as client:
        client.list_models()
        assert len(clients() - before) == 1
    assert clients() <= before
    with pytest.raises(UnreachableError):
        client.list_models()


def test_a_client_shows_no_secret(connect: Connect) -> None:
    client = connect("http://127.0.0.1:1")
    shown = repr(client) + repr(vars(client)) + repr(CREDENTIALS) + repr(CREDENTIALS.get())
    assert KEY_ID in shown
    assert SECRET not in shown
    assert TOKEN not in shown


def test_versions_are_got_by_name_and_those_that_are_gone_are_none(serve: Serve, connect: Connect) -> None:
    async def respond(request: Request) -> Reply:
        name = request.path.rsplit("/", 1)[1]
        return refusal("201900003", 404) if name == "b" else reply({"VersionName": name, "RequestId": "R"})

    client = connect(serve(respond).url)
    found = client.get_model_versions("model-a", ["c", "b", "a"])
    told = [(name, version and version.version_name) for name, version in found.items()]
    assert told == [("c", "c"), ("b", None), ("a", "a")]
    assert client.get_model_versions("model-a", []) == {}


def test_one_version_that_cannot_be_read_fails_for_all(serve: Serve, connect: Connect) -> None:
    async def respond(request: Request) -> Reply:
        return refusal("NoPermission", 403) if request.path.endswith("/b") else reply({"VersionName": "a"})

    with pytest.raises(PermissionDeniedError):
        connect(serve(respond).url).get_model_versions("model-a", ["a", "b"])

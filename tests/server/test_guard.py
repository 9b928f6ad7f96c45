"""What the guard refuses and the headers that it adds, over real sockets."""

import asyncio
import json
import logging
import os
import socket
import sys
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any, NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from paiview.cli import serving
from paiview.embedded.background_server import HOST, BackgroundServer
from paiview.server import guard, http_api, telemetry
from paiview.server.guard import Guard
from paiview.server.rate_limit import RateLimit

HEADERS = [(b"content-security-policy", b"default-src 'none'"), (b"x-frame-options", b"DENY")]
BURST = 3


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    body: str


def ask(port: int, target: str, *headers: str, method: str = "GET", host: str | None = HOST) -> Answer:
    """Send one request exactly as given, which a client library would normalize, and read the response."""
    lines = [f"{method} {target} HTTP/1.1", *([] if host is None else [f"Host: {host}"]), *headers, "Connection: close"]
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        with HTTPResponse(connection, method=method) as answer:
            answer.begin()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read().decode())


def counted(name: str, **labels: str) -> float:
    """The value of a counter in the exposition; 0 if it is absent."""
    families = text_string_to_metric_families(telemetry.exposition().decode())
    samples = (sample for family in families for sample in family.samples)
    return next((sample.value for sample in samples if (sample.name, sample.labels) == (name, labels)), 0.0)


async def broken(_request: Request) -> PlainTextResponse:
    raise ZeroDivisionError("s3cr3t")


def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"page {request.url.path}")


@pytest.fixture(scope="module")
def clock() -> list[float]:
    """The time of the rate limit, in seconds; a test changes it."""
    return [0.0]


@pytest.fixture(scope="module")
def served(clock: list[float]) -> Iterator[int]:
    limit = RateLimit(2.0, BURST, 100, lambda: clock[0])
    middleware = [Middleware(Guard, hosts=["pai.example"], headers=HEADERS, rate_limit=limit, stopping=asyncio.Event())]
    routes = [Route("/broken", broken), http_api.mount(), Route("/{path:path}", page)]
    with BackgroundServer(Starlette(routes=routes, middleware=middleware)) as server:
        yield server.port


@pytest.fixture
def port(served: int, clock: list[float]) -> int:
    """The port of the server, after the rate limit has recovered."""
    clock[0] += 1000
    return served


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8501",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "pai.example.evil",
        "evil.pai.example",
        "pai.example@evil.example",
        "evil@127.0.0.1",
        "10.1.2.3",
        "127.0.0.2",
        "[::2]",
        "[::1",
        "127.0.0.1:",
        "127.0.0.1:80/x",
        "127.0.0.1,evil.example",
        ".",
        "",
        "\xff",
    ],
)
def test_an_unknown_host_name_is_refused(port: int, host: str) -> None:
    answer = ask(port, "/", host=host)
    assert answer.status == 421
    assert "PAIVIEW_ALLOWED_HOSTS" in answer.body
    assert json.loads(ask(port, "/api/models", host=host).body)["Code"] == "UnknownHost"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:9", "localhost", "LOCALHOST:1", "localhost.", "[::1]:80", "pai.example", "PAI.Example"],
)
def test_the_host_names_of_the_dashboard_are_served(port: int, host: str) -> None:
    assert ask(port, "/versions", host=host)[::2] == (200, "page /versions")


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [
        ("10.0.0.5", b"10.0.0.5:8501", 200),
        ("::ffff:10.0.0.5", b"10.0.0.5", 200),
        ("fd00::5", b"[fd00::5]:8501", 200),
        ("10.0.0.5", b"10.0.0.6", 421),
    ],
)
def test_the_address_of_the_connection_is_a_host_name_of_the_dashboard(address: str, host: bytes, status: int) -> None:
    sent: list[Any] = []

    async def visit() -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "headers": [(b"host", host)],
            "server": (address, 8501),
        }
        app = Guard(
            PlainTextResponse("page"), hosts=(), headers=(), rate_limit=RateLimit(1, 1, 1), stopping=asyncio.Event()
        )
        await app(scope, receive, send)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    async def send(message: Any) -> None:
        sent.append(message)

    coroutine = visit()
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert sent[0]["status"] == status


@pytest.mark.parametrize("is_stopping", [False, True])
def test_a_stopping_process_closes_connections_and_refuses_web_sockets(is_stopping: bool) -> None:
    stopping = asyncio.Event()
    if is_stopping:
        stopping.set()
    sent: list[Any] = []
    opened: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        opened.append(scope["type"])
        if scope["type"] == "http":
            await PlainTextResponse("page")(scope, receive, send)

    async def visit() -> None:
        at = {"path": "/", "raw_path": b"/", "query_string": b"", "headers": [(b"host", b"localhost")]}
        served = Guard(app, hosts=(), headers=(), rate_limit=RateLimit(1, 1, 1), stopping=stopping)
        await served({"type": "http", "method": "GET", **at, "server": (HOST, 8501)}, receive, send)
        await served({"type": "websocket", **at, "server": (HOST, 8501)}, receive, send)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(visit())
    assert ((b"connection", b"close") in sent[0]["headers"]) == is_stopping
    assert opened == (["http"] if is_stopping else ["http", "websocket"])
    assert [message["type"] for message in sent[2:]] == (["websocket.close"] if is_stopping else [])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"])
def test_methods_other_than_get_and_head_are_refused(port: int, method: str) -> None:
    answer = ask(port, "/", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    of_api = ask(port, "/api/models", method=method)
    assert (of_api.status, json.loads(of_api.body)["Code"]) == (405, "MethodNotAllowed")
    assert ask(port, "/", method="HEAD")[::2] == (200, "")


@pytest.mark.parametrize("header", ["Content-Length: 5", "Content-Length: 99999999999", "Transfer-Encoding: chunked"])
def test_a_body_is_refused_without_reading_it(port: int, header: str) -> None:
    assert ask(port, "/", header).status == 400
    assert ask(port, "/", "Content-Length: 0").status == 200


def test_a_long_url_is_refused(port: int) -> None:
    assert ask(port, f"/?q={'x' * (guard.MAX_URL_BYTES - 3)}").status == 200
    assert ask(port, f"/?q={'x' * (guard.MAX_URL_BYTES - 2)}").status == 414
    assert ask(port, f"/{'%41' * (guard.MAX_URL_BYTES // 3 + 1)}").status == 414
    assert json.loads(ask(port, f"/api/models?workspace={'x' * guard.MAX_URL_BYTES}").body)["Code"] == "UriTooLong"


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/agent/interact",
        "/_stcore/agent/openapi.json",
        "/_stcore/upload_file/session/file",
        "/_stcore/health/more",
        "/under/a/base/_stcore/metrics",
        "/_stcore/",
        "/%5fstcore/metrics",
    ],
)
def test_endpoints_of_streamlit_that_the_pages_do_not_use_are_not_served(port: int, path: str) -> None:
    assert ask(port, path).status == 404
    assert ask(port, "/_stcore/health").status == 200


def test_a_client_over_its_rate_gets_the_seconds_to_wait(port: int, clock: list[float]) -> None:
    refused = counted("paiview_refused_total", code="TooManyRequests")
    asked = [ask(port, "/api/nothing") for _ in range(BURST + 2)]
    assert [answer.status for answer in asked] == [404] * BURST + [429] * 2
    assert asked[-1].headers["retry-after"] == "1"
    assert json.loads(asked[-1].body)["Code"] == "TooManyRequests"
    assert [ask(port, path).status for path in ("/metrics", "/_stcore/script-health-check")] == [429, 429]
    assert [ask(port, path).status for path in ("/versions", "/healthz")] == [200, 200]
    assert counted("paiview_refused_total", code="TooManyRequests") == refused + 4
    # By default uvicorn trusts this machine like a proxy.
    assert ask(port, "/api/nothing", "X-Forwarded-For: 192.0.2.7").status == 404
    clock[0] += 0.5
    assert [ask(port, "/metrics").status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("path", [*sorted(guard.RATE_LIMITED_PATHS), "/api/models"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("dest", "mode"), [("image", "no-cors"), ("empty", "cors"), ("iframe", "navigate"), ("object", "navigate")]
)
def test_what_a_page_of_another_site_embeds_is_refused_and_not_counted(
    port: int, path: str, site: str, dest: str, mode: str
) -> None:
    refused = counted("paiview_refused_total", code="ForeignOrigin")
    headers = [f"Sec-Fetch-Site: {site}", f"Sec-Fetch-Dest: {dest}", f"Sec-Fetch-Mode: {mode}"]
    answers = [ask(port, path, *headers) for _ in range(BURST + 1)]
    assert [answer.status for answer in answers] == [403] * (BURST + 1)
    body = answers[0].body
    assert (json.loads(body)["Message"] if path == "/api/models" else body) == (
        "Pages of other sites may not request this."
    )
    assert counted("paiview_refused_total", code="ForeignOrigin") == refused + BURST + 1
    # The reader of that page is the same client; the refused requests did not count.
    assert [ask(port, "/metrics").status for _ in range(BURST + 1)] == [200] * BURST + [429]
    # Pages are served to other sites too: they cost no more than a file.
    assert ask(port, "/versions", *headers).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate"],
        ["Sec-Fetch-Site: none", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate"],
        ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Dest: image", "Sec-Fetch-Mode: no-cors"],
        ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: cors"],
        [],
    ],
    ids=["link", "typed", "own image", "own script", "program"],
)
def test_links_own_pages_and_programs_are_served(port: int, headers: list[str]) -> None:
    assert [ask(port, path, *headers).status for path in ("/metrics", "/_stcore/script-health-check")] == [200, 200]
    assert json.loads(ask(port, "/api/nothing", *headers).body)["Code"] == "NotFound"


def test_the_path_api_alone_is_refused_in_json(port: int) -> None:
    answer = ask(port, "/api")
    assert (answer.status, json.loads(answer.body)["Code"]) == (404, "NotFound")
    assert ask(port, "/apis")[::2] == (200, "page /apis")


def test_the_longest_silent_client_is_forgotten_beyond_the_limit() -> None:
    limit = RateLimit(1.0, 1, 2, lambda: 0.0)
    assert [limit.wait(client) for client in ("a", "b", "a", "b")] == [0.0, 0.0, 1.0, 1.0]
    # With the third client, a is forgotten: it has been silent for longest.
    assert [limit.wait(client) for client in ("c", "b", "a")] == [0.0, 1.0, 0.0]


def test_the_average_rate_is_allowed_and_refused_requests_do_not_count() -> None:
    now = [0.0]
    limit = RateLimit(2.0, 3, 10, lambda: now[0])
    answered = 0
    for step in range(1000):
        now[0] = step / 100
        answered += limit.wait("a") == 0.0
    assert answered == pytest.approx(3 + 2.0 * 10, abs=1)


@pytest.mark.parametrize(
    ("client", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:127.0.0.1", "::1", False),
    ],
)
def test_an_ipv4_address_or_an_ipv6_network_is_one_client(client: str, other: str, *, same: bool) -> None:
    counted_as = [guard.client_key({"client": (address, 1)}) for address in (client, other)]
    assert (counted_as[0] == counted_as[1]) is same


@pytest.mark.parametrize(
    ("target", "method", "host"),
    [
        ("/", "GET", HOST),
        ("/", "GET", "evil.example"),
        ("/", "PUT", HOST),
        ("/broken", "GET", HOST),
        ("/api/x", "GET", HOST),
    ],
)
def test_every_response_has_the_security_headers(port: int, target: str, method: str, host: str) -> None:
    answer = ask(port, target, method=method, host=host)
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert answer.headers["x-frame-options"] == "DENY"


def test_an_internal_error_is_logged_and_its_details_are_not_sent(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "paiview.server.guard"):
        answer = ask(port, "/broken")
    assert answer.status == 500
    assert "s3cr3t" not in answer.body
    (record,) = caplog.records
    assert "\n  ZeroDivisionError: s3cr3t" in record.getMessage()


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/models", "models"),
        ("/api/models/model-canary/versions", "versions"),
        ("/api/models/model-canary/decision", "decision"),
        ("/api/model-canary", "other"),
        ("/api/models/model-canary/versions/canary", "other"),
    ],
)
def test_responses_are_counted_by_route_and_never_by_path(port: int, path: str, route: str) -> None:
    before = counted("paiview_api_requests_total", route=route, status="405")
    ask(port, path, method="POST")
    assert counted("paiview_api_requests_total", route=route, status="405") == before + 1
    assert "canary" not in telemetry.exposition().decode()


@pytest.mark.parametrize(("proxies", "trusted"), [(None, ""), ("10.0.0.5, 10.1.0.0/16", "10.0.0.5/32,10.1.0.0/16")])
def test_only_configured_proxies_are_trusted(
    monkeypatch: pytest.MonkeyPatch, proxies: str | None, trusted: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    if proxies is not None:
        monkeypatch.setenv("PAIVIEW_TRUSTED_PROXIES", proxies)
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, command: started.append(command))
    with socket.create_server((HOST, 0)) as free:
        number = free.getsockname()[1]
    serving.dashboard(port=number, host=HOST)
    assert os.environ["FORWARDED_ALLOW_IPS"] == trusted
    assert started[0][:3] == [sys.executable, "-m", "streamlit"]


@pytest.mark.parametrize(
    ("scheme", "origin", "is_opened"),
    [
        ("ws", b"", True),
        ("ws", b"http://localhost:8501", True),
        ("ws", b"https://localhost:8501", True),
        ("wss", b"https://localhost:8501", True),
        ("wss", b"http://localhost:8501", False),
        ("ws", b"ftp://localhost:8501", False),
        ("ws", b"x://localhost:8501", False),
        ("ws", b"http://localhost", False),
        ("ws", b"http://other.example:8501", False),
        ("ws", b"null", False),
    ],
)
def test_a_web_socket_is_opened_by_own_pages_of_the_same_scheme(scheme: str, origin: bytes, is_opened: bool) -> None:
    opened: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        opened.append(scope["type"])

    async def visit() -> None:
        headers = [(b"host", b"localhost:8501"), *([(b"origin", origin)] if origin else [])]
        scope = {"type": "websocket", "scheme": scheme, "path": "/", "headers": headers, "server": (HOST, 8501)}
        served = Guard(app, hosts=(), headers=(), rate_limit=RateLimit(1, 1, 1), stopping=asyncio.Event())
        await served(scope, receive, send)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    async def send(_message: Any) -> None:
        pass

    asyncio.run(visit())
    assert bool(opened) == is_opened

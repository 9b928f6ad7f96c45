"""The server around the pages: the real dashboard, asked over raw sockets."""

import asyncio
import base64
import os
import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from websockets.frames import CloseCode

from paiview.embedded.background_server import BackgroundServer
from paiview.server import guard
from paiview.server.app import app_arguments
from paiview.server.browser_messages import MAX_MESSAGE_BYTES, SCRIPT_NAME
from tests.browser.conftest import Start
from tests.harness.dashboard import LOOPBACK, ROOT
from tests.harness.sessions import Session

pytestmark = pytest.mark.browser

OWN = f"Host: {LOOPBACK}"
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def ask(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send these very bytes and read one answer: its status, headers and body."""
    with socket.create_connection((LOOPBACK, urlsplit(url).port or 80), timeout=10) as connection:
        with suppress(ConnectionError):
            connection.sendall(request)
        with HTTPResponse(connection, method="HEAD" if request.startswith(b"HEAD ") else "GET") as answer:
            answer.begin()
            # A handshake that was accepted has no end.
            body = b"" if answer.status == 101 else answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def written(target: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/{version}", *headers, "Connection: close", "", ""]).encode("latin-1")


def handshake(url: str, host: str, origin: str | None) -> int:
    """The status with which a WebSocket is accepted or refused."""
    headers = [
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: streamlit, x",
        *([] if origin is None else [f"Origin: {origin}"]),
    ]
    return ask(url, "\r\n".join(["GET /_stcore/stream HTTP/1.1", *headers, "", ""]).encode())[0]


def test_it_says_that_it_is_well(embedded: str) -> None:
    assert ask(embedded, written("/healthz", OWN))[::2] == (200, b"ok")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 200),
        ("/versions", 200),
        ("/healthz", 200),
        ("/metrics", 200),
        ("/favicon.png", 200),
        ("/_stcore/health", 200),
        ("/_stcore/host-config", 200),
        ("/_stcore/script-health-check", 200),
        ("/api/nothing", 404),
        ("/media/nothing", 404),
        ("/static/", 301),
        ("/_stcore/metrics", 404),
        ("/..%2f..%2fREADME.md", 400),
    ],
)
def test_every_answer_has_the_security_headers(embedded: str, target: str, status: int) -> None:
    found, headers, _ = ask(embedded, written(target, OWN))
    assert found == status
    assert HEADERS.items() <= headers.items()
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert (policy["default-src"], policy["connect-src"]) == ("'none'", "'self'")
    assert "unsafe" not in policy["script-src"].replace("'wasm-unsafe-eval'", "")
    assert not re.search(r"https?:|\*", headers["content-security-policy"])
    assert "access-control-allow-origin" not in headers


def test_the_configuration_beside_the_script_is_in_force_from_another_folder(embedded: str) -> None:
    async def visit() -> bytes:
        async with Session(embedded) as session:
            return bytes((await session.open("")).raw)

    # In a thread of its own: while Chromium is open, this thread has a running event loop.
    with ThreadPoolExecutor(1) as thread:
        first_page = thread.submit(asyncio.run, visit()).result()
    assert b"#0B6BA8" in first_page, "The theme of .streamlit/config.toml is not in force."
    # Streamlit serves this path only if the configuration says so.
    assert ask(embedded, written("/_stcore/script-health-check", OWN))[::2] == (200, b"ok")


HOSTILE = [
    *[
        written(target, OWN)
        for target in (
            "/..%2f..%2fetc/passwd",
            "/static/../../etc/passwd",
            "/static/%2e%2e/%2e%2e/index.html",
            "/media/",
            "/media/../app.py",
            "/component/a/../../app.py",
            "/%00",
            "/static/js/%00.js",
            "//server/share",
            "/%5c%5cserver%5cshare",
            "/\\evil.example/",
            "/C:/x",
            "/a%0d%0aSet-Cookie:%20x=y/",
            "/\xff\xfe",
            "/api",
            "/api/models/",
            "/api/\xff",
            "/api/models?workspace=\xff",
            "/api/models/%ff/versions",
            "/api/models/%ed%a0%80/versions",
            "/api/models/%00/decision?candidate=%00",
            "/api/models/a%2Fb/versions",
            "/api/models?%00=%00",
            f"/api/models?workspace={'9' * 5000}",
            f"/api/models?{'a=b&' * 1000}",
            f"/versions?model={'x' * guard.MAX_URL_BYTES}",
            f"/{'x' * 70_000}",
            "/_stcore/agent/mcp",
            "/_stcore/upload_file/a/b",
            "/under/_stcore/metrics",
            "*",
            "http://evil.example/healthz",
            "healthz",
            "",
        )
    ],
    *[
        written(target, OWN, method=method)
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "\0", "A" * 5000)
        for target in ("/", "/api/models", "/_stcore/upload_file/a/b")
    ],
    *[
        written("/versions", *headers)
        for headers in (
            [],
            [OWN, OWN],
            ["Host: a b"],
            ["Host: evil.example"],
            ["Host: [::1"],
            [f"Host: x@{LOOPBACK}"],
            [OWN, "Content-Length: 5"],
            [OWN, "Content-Length: -5"],
            [OWN, "Content-Length: 0", "Content-Length: 5"],
            [OWN, "Transfer-Encoding: chunked"],
            [OWN, "Transfer-Encoding: gzip"],
            [OWN, "X: a\0b"],
        )
    ],
    written("/favicon.png", OWN, "Range: bytes=a-b"),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100 + b"\r\n\r\n",
    b"\0" * 100 + b"\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", HOSTILE, ids=lambda sent: repr(sent[:60]))
def test_what_cannot_be_meant_is_refused(embedded: str, request_bytes: bytes) -> None:
    """A traceback in the log would fail at the end of the session."""
    status, headers, body = ask(embedded, request_bytes)
    assert 400 <= status < 500
    assert len(body) < 500
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "headers",
    [
        ["Range: bytes=0-0,1-1"],
        ["If-Modified-Since: x"],
        ["Accept-Encoding: \xff;q=x"],
        [f"Accept: {'a/b,' * 2000}"],
        ["Cookie: _streamlit_xsrf=2|zz|\xff|99999999999999999999; session=xx"],
        [f"Cookie: {'a=b; ' * 2000}"],
        ["X: a\r\n b"],
        ["X-Forwarded-For: \xff, x", "X-Forwarded-Proto: javascript"],
        ["Expect: 100-continue"],
    ],
    ids=lambda headers: repr(headers[0][:30]),
)
@pytest.mark.parametrize("target", ["/", "/_stcore/health"])
def test_odd_headers_break_nothing(embedded: str, target: str, headers: list[str]) -> None:
    assert ask(embedded, written(target, OWN, *headers))[0] in (200, 206)


@pytest.mark.parametrize(
    "target", ["/static", "/static/js", "/media", "/app/static/app.py", "/pages/compare.py", "/app.py"]
)
def test_no_folder_and_no_file_of_the_project_is_served(embedded: str, target: str) -> None:
    """An unknown address gives the page of every address, which says so in the browser."""
    assert ask(embedded, written(target, OWN))[::2] == ask(embedded, written("/", OWN))[::2]


def test_nothing_is_taken_though_the_tokens_are_right(embedded: str) -> None:
    cookie = ask(embedded, written("/_stcore/health", OWN))[1]["set-cookie"]
    assert "samesite=strict" in cookie.lower()
    value = cookie.partition(";")[0]
    token = f"X-Xsrftoken: {value.partition('=')[2]}"
    for target in ("/_stcore/upload_file/session/file", "/_stcore/agent/interact"):
        for method in ("PUT", "POST", "DELETE", "OPTIONS"):
            headers = (OWN, f"Cookie: {value}", token, f"Origin: {embedded}")
            assert ask(embedded, written(target, *headers, method=method))[0] == 405


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("{own}", "http://{own}", 101),
        ("localhost:9", "http://localhost:9", 101),
        ("{own}", None, 101),
        ("{own}", "http://evil.example", 403),
        ("{own}", "http://localhost:3000", 403),
        ("{own}", f"http://{LOOPBACK}:1", 403),
        ("{own}", "null", 403),
        ("evil.example", "http://evil.example", 403),
        ("evil.example", None, 403),
    ],
)
def test_a_page_of_another_site_cannot_connect(embedded: str, host: str, origin: str | None, status: int) -> None:
    own = urlsplit(embedded).netloc
    assert handshake(embedded, host.format(own=own), origin and origin.format(own=own)) == status


def refused(url: str) -> float:
    """Connections of pages of other sites that were refused so far."""
    told = ask(url, written("/metrics", OWN))[2].decode()
    found = re.search(r'^paiview_refused_total\{code="ForeignOrigin"\} (.+)$', told, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_a_page_of_another_site_embeds_nothing_and_its_link_is_followed(embedded: str, page: Page) -> None:
    """Another port is another site for everything but the name that browsers give it."""
    image = f"{embedded}/metrics"
    models = f"{embedded}/api/models"
    other = HTMLResponse(f'<img src="{image}"><iframe src="{models}"></iframe><a href="{models}">models</a>')
    before = refused(embedded)
    with BackgroundServer(Starlette(routes=[Route("/", lambda _request: other)])) as running:
        page.goto(f"http://{LOOPBACK}:{running.port}/")
        assert refused(embedded) == before + 2
        with page.expect_navigation() as followed:
            page.get_by_role("link").click()
        assert (followed.value.url, followed.value.status) == (models, 200)


def test_metrics_are_there_for_prometheus(embedded: str) -> None:
    assert ask(embedded, written("/api/models", OWN))[0] == 200
    status, headers, body = ask(embedded, written("/metrics", OWN))
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/plain")
    told = body.decode()
    assert re.search(r'^paiview_pai_requests_total\{operation="ListModels",outcome="Ok"\} [1-9]', told, re.MULTILINE)
    assert re.search(r'^paiview_api_requests_total\{route="models",status="200"\} [1-9]', told, re.MULTILINE)
    assert "model-whisper" not in told
    assert len(body) < 100_000


def test_a_name_of_the_company_is_served_and_a_forged_address_is_not_believed(start: Start) -> None:
    url = start(PAIVIEW_ALLOWED_HOSTS="pai.example.com")
    assert ask(url, written("/versions", "Host: pai.example.com"))[0] == 200
    assert ask(url, written("/versions", "Host: other.example.com"))[0] == 421
    assert handshake(url, "pai.example.com", "https://pai.example.com") == 101
    assert handshake(url, "pai.example.com", "https://other.example.com") == 403
    asked = [ask(url, written("/metrics", OWN, f"X-Forwarded-For: 192.0.2.{number}"))[0] for number in range(100)]
    assert asked[: guard.MAX_BURST_REQUESTS] == [200] * guard.MAX_BURST_REQUESTS
    assert 429 in asked


def test_a_wrong_setting_ends_it_before_the_first_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIVIEW_CONCURRENCY", "none")
    with pytest.raises(SystemExit, match=r"paiview: PAIVIEW_CONCURRENCY .+"):
        app_arguments()


def test_a_page_is_not_told_where_the_server_has_its_files(embedded: str) -> None:
    async def first_run() -> bytes:
        async with Session(embedded) as session:
            return bytes((await session.open("")).raw)

    with ThreadPoolExecutor(1) as thread:
        told = thread.submit(asyncio.run, first_run()).result()
    assert SCRIPT_NAME.encode() in told
    for secret in (str(ROOT), sys.version.split()[0], ", ".join(map(str, sys.version_info[:3]))):
        assert secret.encode() not in told


def test_a_message_that_no_page_sends_is_cut_off_before_it_is_received(embedded: str) -> None:
    async def send() -> int | None:
        async with Session(embedded) as session:
            await session._socket.send(bytes(MAX_MESSAGE_BYTES + 1))
            await session._socket.wait_closed()
            return session._socket.close_code

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, send()).result() == CloseCode.MESSAGE_TOO_BIG

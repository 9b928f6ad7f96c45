"""What a caller gets from a service, or a way to it, that misbehaves: over real sockets."""

import gzip
import json
import logging
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from paiview.pai import transport
from paiview.pai.client import Client
from paiview.pai.credentials import Credential
from paiview.pai.errors import (
    AccessKeyError,
    AnswerError,
    ClockError,
    CredentialError,
    CutOffError,
    DeadlineError,
    ExpiredTokenError,
    NotFoundError,
    PermissionDeniedError,
    RequestRefusedError,
    ServiceError,
    ThrottledError,
    UnavailableError,
    UnreachableError,
)
from paiview.pai.transport import MAX_ATTEMPTS
from tests.harness.server import Act, Reply, Request, refusal, reply, script
from tests.pai.conftest import KEY_ID, SECRET, TOKEN, Connect, Serve, assert_keeps_secrets, everything_said

GENEROUS: Final = 10.0
"""Seconds that prove a bound of a fraction of one was kept."""
HOUR: Final = {"x-acs-retry-after": "3600000"}
SOON: Final = {"x-acs-retry-after": "5"}
GOOD: Final = reply({"Versions": [], "TotalCount": 0, "RequestId": "R-good"})
HTML: Final = b"<!DOCTYPE html><html><body>Bad gateway</body></html>"
RETRYABLE: Final = (UnreachableError, DeadlineError, AnswerError, ThrottledError, UnavailableError)


@dataclass(frozen=True)
class Case:
    """One way to fail, and what is made of it."""

    name: str
    answer: Reply
    error: type[ServiceError]
    code: str | None = None
    request_id: str | None = None
    status: int | None = None
    says: str = "ListModelVersions"
    requests: int = 1


def refused(code: str, status: int, error: type[ServiceError], **kept: Any) -> Case:
    """A case whose answer has a Code."""
    return Case(code, refusal(code, status), error, code, f"R-{code}", status, **kept)


AT_ONCE: Final = [
    Case("web page", reply(HTML), AnswerError, status=200, says="a web page"),
    Case("empty body", reply(b""), AnswerError, status=200, says="an empty body"),
    Case("list", reply([{"VersionName": "1.0.0"}]), AnswerError, status=200, says="something else"),
    Case("other object", reply({"RequestId": "R-1"}), AnswerError, None, "R-1", 200, "TotalCount"),
    Case("not a list", reply({"Versions": {}, "TotalCount": 1}), AnswerError, status=200, says="TotalCount"),
    Case("bad total", reply({"Versions": [], "TotalCount": "many"}), AnswerError, status=200, says="TotalCount"),
    Case("not gzip", reply(b"{}", headers={"Content-Encoding": "gzip"}), AnswerError, status=200, says="compressed"),
    Case(
        "gzip in gzip",
        reply(gzip.compress(gzip.compress(b"{}")), headers={"Content-Encoding": "gzip, gzip"}),
        AnswerError,
        status=200,
        says="compressed",
    ),
    Case("deflate", reply(zlib.compress(b"{}"), headers={"Content-Encoding": "deflate"}), AnswerError, status=200),
    Case("redirect", reply(status=302, headers={"Location": "/"}), AnswerError, status=302, says="redirect"),
    Case("web page 404", reply(HTML, status=404), AnswerError, status=404, says="not by PAI"),
    Case("web page 403", reply(HTML, status=403), AnswerError, status=403, says="not by PAI"),
    Case("no code 401", reply({}, status=401), AccessKeyError, status=401, says="HTTP status 401"),
    Case(
        "number as code",
        reply({"Code": 201900002, "RequestId": 7}, status=404),
        NotFoundError,
        "201900002",
        "7",
        404,
    ),
    Case(
        "lower case",
        reply({"code": "NoPermission", "message": "Ask Li.", "requestId": "R-low"}, status=403),
        PermissionDeniedError,
        "NoPermission",
        "R-low",
        403,
        "Ask Li.",
    ),
    Case(
        "id in header",
        reply({"Code": "NoPermission"}, status=403, headers={"x-acs-request-id": "R-head"}),
        PermissionDeniedError,
        "NoPermission",
        "R-head",
        403,
    ),
    Case(
        "an hour",
        refusal("Throttling.User", 400, headers=HOUR),
        ThrottledError,
        "Throttling.User",
        "R-Throttling.User",
        400,
        "asking to wait 3600 s",
    ),
    refused("NoPermission", 403, PermissionDeniedError, says="Why."),
    refused("Forbidden.RAM", 403, PermissionDeniedError),
    refused("Forbidden.AccessDenied", 403, PermissionDeniedError),
    refused("InvalidAccessKeyId.NotFound", 404, AccessKeyError),
    refused("InvalidAccessKeyId.Inactive", 400, AccessKeyError),
    refused("SignatureDoesNotMatch", 400, AccessKeyError, says="does not match"),
    refused("IncompleteSignature", 400, AccessKeyError),
    refused("InvalidSecurityToken.Malformed", 400, AccessKeyError),
    refused("InvalidTimeStamp.Expired", 400, ClockError),
    refused("201900002", 404, NotFoundError),
    refused("201900003", 404, NotFoundError),
    refused("100400027", 404, NotFoundError),
    refused("InvalidApi.NotFound", 404, NotFoundError),
    refused("InvalidParameter", 400, RequestRefusedError, says="Why."),
    refused("Unheard.Of", 400, RequestRefusedError, says="Why."),
    refused("Unheard.Of.Missing", 404, NotFoundError),
]

RETRIED: Final = (
    Case("half a JSON", reply(b'{"Versions": [{"Ver'), CutOffError, status=200, says="the beginning"),
    Case("short body", reply(b'{"Vers', length=99, then=Act.CLOSE), CutOffError, says="closed"),
    Case("reset in body", reply(b'{"Vers', length=99, then=Act.RESET), CutOffError, says="closed"),
    Case("no answer", (Act.CLOSE,), CutOffError, says="closed"),
    Case("not HTTP", (b"SSH-2.0-OpenSSH_9.6\r\n", Act.CLOSE), CutOffError, says="closed"),
    Case("silent", (Act.HANG,), DeadlineError, says="nothing more"),
    Case("silent in body", reply(b'{"V', length=99, then=Act.HANG), DeadlineError, says="nothing more"),
    Case("web page 502", reply(HTML, status=502), UnavailableError, status=502, says="status 502"),
    Case("bare 500", reply(status=500), UnavailableError, status=500, says="status 500"),
    Case("bare 429", reply(status=429), ThrottledError, status=429, says="status 429"),
    Case(
        "hinted",
        refusal("Throttling.User", 400, headers=SOON),
        ThrottledError,
        "Throttling.User",
        "R-Throttling.User",
        400,
    ),
    Case(
        "hinted 429",
        refusal("Throttling.Api", 429, headers=SOON),
        ThrottledError,
        "Throttling.Api",
        "R-Throttling.Api",
        429,
    ),
    Case("hint decides", refusal("Unheard.Of", 400, headers=SOON), ThrottledError, "Unheard.Of", "R-Unheard.Of", 400),
    Case("hinted page", reply(HTML, status=400, headers=SOON), ThrottledError, status=400),
    refused("Throttling.User", 400, ThrottledError),
    refused("Throttling", 503, ThrottledError),
    refused("Rejected.Throttling", 400, ThrottledError),
    refused("InternalError", 500, UnavailableError),
    refused("ServiceUnavailable", 503, UnavailableError),
    refused("Unheard.Of", 500, UnavailableError),
    refused("SignatureNonceUsed", 400, UnavailableError),
)
AFTER_ATTEMPTS: Final = [replace(case, requests=MAX_ATTEMPTS) for case in RETRIED]


def named(case: Case) -> str:
    return f"{case.name}-{case.status}"


def failure_of(client: Client) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        client.list_model_versions("model-a")
    return raised.value


@pytest.mark.parametrize("case", [*AT_ONCE, *AFTER_ATTEMPTS], ids=named)
def test_each_failure_becomes_one_clear_error_within_bounded_attempts(
    case: Case, serve: Serve, connect: Connect
) -> None:
    server = serve(script(case.answer))
    error = failure_of(connect(server.url, deadline=GENEROUS, read_timeout=0.25))
    assert type(error) is case.error
    assert (error.code, error.request_id, error.status) == (case.code, case.request_id, case.status)
    assert case.says in error.message
    assert str(error) == error.message
    assert error.advice
    assert error.retryable is isinstance(error, RETRYABLE)
    assert len(server.requests) == case.requests
    assert_keeps_secrets(error)


@pytest.mark.parametrize("case", AFTER_ATTEMPTS, ids=named)
def test_a_failure_that_passes_is_not_seen_by_the_caller(case: Case, serve: Serve, connect: Connect) -> None:
    server = serve(script(case.answer, GOOD))
    page = connect(server.url, deadline=GENEROUS, read_timeout=0.25).list_model_versions("model-a")
    assert (page.items, page.request_id) == ((), "R-good")
    assert len(server.requests) == 2


def test_each_attempt_is_signed_anew(serve: Serve, connect: Connect) -> None:
    server = serve(script(refusal("ServiceUnavailable", 503)))
    failure_of(connect(server.url))
    for name in ("x-acs-signature-nonce", "authorization"):
        assert len({request.headers[name] for request in server.requests}) == MAX_ATTEMPTS


def test_retries_wait_longer_and_longer(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_RETRY_WAIT_SECONDS", 0.05)
    server = serve(script(refusal("ServiceUnavailable", 503)))
    began = time.monotonic()
    failure_of(connect(server.url))
    assert time.monotonic() - began >= 0.05 + 0.1 + 0.2


def test_a_nonce_that_was_used_is_replaced_at_once(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wait in ("FIRST_RETRY_WAIT_SECONDS", "MAX_RETRY_WAIT_SECONDS"):
        monkeypatch.setattr(transport, wait, 60.0)
    server = serve(script(refusal("SignatureNonceUsed", 400), GOOD))
    assert connect(server.url, deadline=GENEROUS).list_model_versions("model-a").request_id == "R-good"


def test_a_hint_of_the_service_is_waited_for(serve: Serve, connect: Connect) -> None:
    hint = {"x-acs-retry-after": "250"}
    server = serve(script(refusal("Throttling.User", 400, headers=hint), GOOD))
    began = time.monotonic()
    connect(server.url).list_model_versions("model-a")
    assert time.monotonic() - began >= 0.25


@pytest.mark.parametrize("hint", ["0", "-5", "1.5", "soon", "", "９", "9" * 40])
def test_a_hint_that_is_no_number_of_milliseconds_is_none(hint: str, serve: Serve, connect: Connect) -> None:
    headers = {"x-acs-retry-after": hint.encode().decode("latin-1")}
    answer = refusal("Throttling", 400, headers=headers)
    error = failure_of(connect(serve(script(answer)).url))
    assert isinstance(error, ThrottledError)
    assert error.retry_after is None


def test_a_hint_beyond_the_deadline_ends_the_attempts_at_once(serve: Serve, connect: Connect) -> None:
    server = serve(script(refusal("Throttling.User", 400, headers=HOUR)))
    began = time.monotonic()
    error = failure_of(connect(server.url, deadline=60))
    assert time.monotonic() - began < GENEROUS
    assert isinstance(error, ThrottledError)
    assert error.retry_after == 3600


def test_a_hint_does_not_make_a_final_refusal_throttling(serve: Serve, connect: Connect) -> None:
    server = serve(script(refusal("NoPermission", 403, headers=SOON)))
    assert type(failure_of(connect(server.url))) is PermissionDeniedError
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [(Act.HANG,), reply(b"{", length=10**6, then=Act.DRIP)], ids=["silent", "dripping"])
def test_the_deadline_cuts_an_answer_that_does_not_end(answer: Reply, serve: Serve, connect: Connect) -> None:
    server = serve(script(answer))
    began = time.monotonic()
    error = failure_of(connect(server.url, deadline=0.2, read_timeout=60))
    assert time.monotonic() - began < GENEROUS
    assert type(error) is DeadlineError
    assert error.message == "ListModelVersions got no complete response within 0.2 s."
    assert len(server.requests) == 1
    assert_keeps_secrets(error)


def test_the_deadline_tells_what_the_last_attempt_met(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "FIRST_RETRY_WAIT_SECONDS", 60.0)
    monkeypatch.setattr(transport, "MAX_RETRY_WAIT_SECONDS", 60.0)
    server = serve(script(refusal("ServiceUnavailable", 503)))
    error = failure_of(connect(server.url, deadline=0.3))
    assert type(error) is DeadlineError
    assert error.message.endswith("Last attempt: ListModelVersions was answered with ServiceUnavailable: Why.")
    assert (error.code, error.request_id, error.status) == ("ServiceUnavailable", "R-ServiceUnavailable", 503)


def test_a_refused_connection_is_unreachable(connect: Connect) -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))  # Taken, but nobody listens.
        error = failure_of(connect(f"http://127.0.0.1:{bound.getsockname()[1]}"))
    assert type(error) is UnreachableError
    assert error.message == "No connection could be made to 127.0.0.1."
    assert "PAIVIEW_ENDPOINT" in error.advice
    assert_keeps_secrets(error)


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port that accepts no further connection: its queue is full and nobody empties it."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(closing(socket.socket()))
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = sockets.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_connection_that_is_not_accepted_ends_in_time(full_port: int, connect: Connect) -> None:
    error = failure_of(connect(f"http://127.0.0.1:{full_port}", connect_timeout=0.1))
    assert type(error) is DeadlineError
    assert "accepted no connection in time" in error.message
    assert_keeps_secrets(error)


def test_an_unknown_host_is_named(connect: Connect, direct: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure_of(connect("https://aiworkspace.nowhere.invalid"))
    assert type(error) is UnreachableError
    assert error.message == "No PAI endpoint answers at aiworkspace.nowhere.invalid: the host name is unknown."
    assert_keeps_secrets(error)


def test_a_name_lookup_that_hangs_keeps_neither_the_call_nor_the_close(
    connect: Connect, direct: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60) and [])
    client = connect("http://aiworkspace.slow.invalid", deadline=0.1)
    began = time.monotonic()
    try:
        error = failure_of(client)
        client.close()
        assert time.monotonic() - began < GENEROUS
    finally:
        over.set()
    assert type(error) is DeadlineError


def test_a_name_lookup_that_hangs_does_not_keep_the_process() -> None:
    code = """
import socket, threading
from paiview.pai.client import Client
from paiview.pai.errors import ServiceError
from paiview.pai.credentials import StaticCredentials
socket.getaddrinfo = lambda *_, **__: threading.Event().wait()
with Client("http://aiworkspace.slow.invalid", StaticCredentials("id", "secret"), deadline=0.1) as client:
    try:
        client.list_models()
    except ServiceError as error:
        print(type(error).__name__)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=True)
    assert (ended.stdout, ended.stderr) == (b"DeadlineError\n", b"")


def test_a_server_without_tls_is_not_trusted(serve: Serve, connect: Connect) -> None:
    server = serve(script(GOOD))
    error = failure_of(connect(server.url.replace("http:", "https:")))
    assert type(error) is UnreachableError
    assert "TLS" in error.message
    assert server.requests == []


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of this machine stands in the way."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_proxy_of_the_environment_is_used_for_far_hosts_alone(
    serve: Serve, connect: Connect, direct: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(script(GOOD))
    near = serve(script(GOOD))
    monkeypatch.setenv("http_proxy", proxy.url)
    connect(near.url).list_model_versions("model-a")
    assert (len(near.requests), len(proxy.requests)) == (1, 0)
    connect("http://pai.invalid").list_model_versions("model-a")
    assert [request.path for request in proxy.requests] == ["http://pai.invalid/api/v1/models/model-a/versions"]


def test_a_redirect_is_not_followed_to_another_host(serve: Serve, connect: Connect) -> None:
    other = serve(script(GOOD))
    server = serve(script(reply(status=307, headers={"Location": f"{other.url}/api/v1/models"})))
    error = failure_of(connect(server.url))
    assert type(error) is AnswerError
    assert other.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        reply(b" " * 5000),
        reply(b" " * 5000, status=503),
        reply(gzip.compress(b" " * 2**20), headers={"Content-Encoding": "gzip"}),
        reply(b" " * 5000, length=10**9, then=Act.DRIP),
    ],
    ids=["plain", "error", "compressed", "endless"],
)
def test_a_body_beyond_the_bound_is_given_up(
    answer: Reply, serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 4000)
    server = serve(script(answer))
    error = failure_of(connect(server.url, deadline=GENEROUS))
    assert type(error) is AnswerError
    assert "more than" in error.message
    assert len(server.requests) == 1


def test_no_part_of_a_compressed_body_is_unpacked_beyond_the_bound(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    unpack = transport._inflating

    def recorded(coding: str) -> Callable[[bytes, int], bytes]:
        inflate = unpack(coding)

        def unpacked(chunk: bytes, limit: int) -> bytes:
            part = inflate(chunk, limit)
            sizes.append(len(part))
            return part

        return unpacked

    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 4000)
    monkeypatch.setattr(transport, "_inflating", recorded)
    bomb = reply(gzip.compress(b" " * 2**24), headers={"Content-Encoding": "gzip"})
    assert type(failure_of(connect(serve(script(bomb)).url))) is AnswerError
    assert sum(sizes) == 4001


def test_a_body_of_exactly_the_bound_is_read(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"Versions": [], "TotalCount": 0}).encode()
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", len(body))
    assert connect(serve(script(reply(body))).url).list_model_versions("model-a").total_count == 0


@pytest.mark.parametrize("padding", [0, 470, 480, 495])
def test_an_error_never_repeats_a_secret_the_service_quotes(padding: int, serve: Serve, connect: Connect) -> None:
    async def respond(request: Request) -> Reply:
        quoted = f"{'x' * padding} {request.headers['x-acs-security-token']} {SECRET} end"
        return refusal("InvalidParameter", 400, quoted)

    error = failure_of(connect(serve(respond).url))
    assert_keeps_secrets(error)
    said = everything_said(error)
    assert TOKEN[:8] not in said
    assert SECRET[:8] not in said


def test_no_field_of_an_error_repeats_a_secret(serve: Serve, connect: Connect) -> None:
    in_header = reply({"Code": f"Bad.{SECRET}"}, status=400, headers={"x-acs-request-id": f"R-{TOKEN}"})
    error = failure_of(connect(serve(script(in_header)).url))
    assert (error.code, error.request_id) == ("Bad.***", "R-***")
    assert_keeps_secrets(error)
    in_body = reply({"RequestId": f"R-{TOKEN}"})
    assert failure_of(connect(serve(script(in_body)).url)).request_id == "R-***"


def test_the_message_of_a_wrong_signature_is_never_shown(serve: Serve, connect: Connect) -> None:
    quoted = "server StringToSign is [ACS3-HMAC-SHA256\nabc], server CanonicalRequest is [GET\n/api]"
    error = failure_of(connect(serve(script(refusal("SignatureDoesNotMatch", 400, quoted))).url))
    assert "StringToSign" not in everything_said(error)
    assert "the access key secret does not match the access key id" in error.message


def test_a_long_message_with_odd_characters_becomes_one_short_line(serve: Serve, connect: Connect) -> None:
    text = "first\r\n\tsecond \x1b[31m\u202e" + "长" * 10_000
    error = failure_of(connect(serve(script(refusal("InvalidParameter", 400, text))).url))
    assert "first second [31m 长长" in error.message
    assert error.message.isprintable()
    assert len(error.message) < 600


@pytest.mark.parametrize("answer", [GOOD, refusal("ServiceUnavailable", 503), (Act.CLOSE,)], ids=["good", "bad", "cut"])
def test_logs_hold_no_secret(answer: Reply, serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = connect(serve(script(answer, answer, GOOD)).url)
    client.list_model_versions("model-a")
    assert "127.0.0.1" in caplog.text
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text


@dataclass
class Renewing:
    """A source of temporary credentials: another token each time it is asked anew."""

    asked: list[bool] = field(default_factory=list)
    error: CredentialError | None = None
    principal: str = "role"

    def get(self, *, fresh: bool = False) -> Credential:
        self.asked.append(fresh)
        if self.error is not None:
            raise self.error
        return Credential(KEY_ID, SECRET, f"token-{len(self.asked)}")


def test_an_expired_token_is_renewed_once_and_the_call_works(serve: Serve, connect: Connect) -> None:
    source = Renewing()
    server = serve(script(refusal("InvalidSecurityToken.Expired", 400), GOOD))
    connect(server.url, source).list_model_versions("model-a")
    assert source.asked == [False, True]
    assert [request.headers["x-acs-security-token"] for request in server.requests] == ["token-1", "token-2"]


def test_a_token_that_is_expired_even_when_fresh_is_told(serve: Serve, connect: Connect) -> None:
    source = Renewing()
    server = serve(script(refusal("InvalidSecurityToken.Expired", 403)))
    error = failure_of(connect(server.url, source))
    assert type(error) is ExpiredTokenError
    assert (error.code, error.retryable) == ("InvalidSecurityToken.Expired", False)
    assert source.asked == [False, True]
    assert len(server.requests) == 2


def test_many_requests_that_meet_an_expired_token_renew_it_once(serve: Serve, connect: Connect) -> None:
    async def respond(request: Request) -> Reply:
        if request.page > 1 and request.headers["x-acs-security-token"] == "token-1":
            return refusal("InvalidSecurityToken.Expired", 400)
        return reply({"Versions": [{"VersionName": f"{request.page}"}], "TotalCount": 8})

    source = Renewing()
    listing = connect(serve(respond).url, source, concurrency=4).list_all_model_versions("model-a")
    assert len(listing.items) == 8
    assert source.asked == [False, True]


def test_the_source_is_asked_again_only_after_the_life_of_a_credential(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Renewing()
    client = connect(serve(script(GOOD)).url, source)
    for _ in range(3):
        client.list_model_versions("model-a")
    assert source.asked == [False]
    monkeypatch.setattr(transport, "CREDENTIAL_LIFETIME_SECONDS", 0.0)
    short = connect(serve(script(GOOD)).url, source)
    for _ in range(2):
        short.list_model_versions("model-a")
    assert source.asked == [False, False, False]


def test_without_a_credential_no_request_is_made(serve: Serve, connect: Connect) -> None:
    server = serve(script(GOOD))
    source = Renewing(error=CredentialError("There is none."))
    client = connect(server.url, source)
    with pytest.raises(CredentialError, match="There is none"):
        client.list_model_versions("model-a")
    assert server.requests == []
    source.error = None
    assert client.list_model_versions("model-a").request_id == "R-good"

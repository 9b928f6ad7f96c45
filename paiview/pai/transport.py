"""Sends one signed GET request, with limits on time and size, and retries it. The only module that imports httpx."""

import base64
import hashlib
import logging
import os
import secrets
import socket
import ssl
import threading
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import chain
from math import inf
from queue import SimpleQueue
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import stamina

from paiview import __version__
from paiview.pai import signing
from paiview.pai.credentials import Credential, CredentialSource, asked
from paiview.pai.errors import (
    AnswerError,
    CutOffError,
    DeadlineError,
    ExpiredTokenError,
    PaiviewError,
    ServiceError,
    ThrottledError,
    UnavailableError,
    UnreachableError,
)
from paiview.pai.proxies import proxy_for
from paiview.pai.responses import ApiResponse, read_response

API_VERSION: Final = "2021-02-04"
MAX_ATTEMPTS: Final = 4
"""Attempts at one request, the first included."""
FIRST_RETRY_WAIT_SECONDS: Final = 0.2
MAX_RETRY_WAIT_SECONDS: Final = 5.0
"""The wait doubles with each retry, with a jitter of up to FIRST_RETRY_WAIT_SECONDS, up to the maximum. If the service
says how long to wait, that counts instead."""
MAX_BODY_BYTES: Final = 64 * 2**20
"""Size limit of one response, decompressed. A page of 100 versions is about 100 kB."""
CREDENTIAL_LIFETIME_SECONDS: Final = 60.0
"""How long a credential is used before its source is asked again; the chain renews it 15 minutes before it expires."""
MAX_TIMEOUTS: Final = 3
"""Deadlines in a row after which the requests about a model fail at once."""
BREAK_SECONDS: Final = 30.0
MAX_BREAKERS: Final = 1_000
"""Models whose timeouts are remembered."""
CLOSE_TIMEOUT_SECONDS: Final = 0.5
"""How long ``close`` waits for threads of requests to end; their callers do not wait."""
CLOSED_MESSAGE: Final = "The connection to the service has been closed."
Observer = Callable[[str, str, float], None]
observers: Final[set[Observer]] = set()
"""Called after each attempt, in the thread of the request, with its operation, its outcome and its seconds. The outcome
is ``Ok``, the class of the error without "Error", or ``Cancelled`` if nobody waits for it. They must not block."""

Result = TypeVar("Result")


class RequestCount:
    """How many requests were submitted in a context."""

    def __init__(self) -> None:
        self.count = 0


_request_count: ContextVar[RequestCount | None] = ContextVar("paiview_request_count", default=None)


@contextmanager
def counted_requests() -> Iterator[RequestCount]:
    """Count the requests that this context submits, in the thread that calls."""
    count = RequestCount()
    token = _request_count.set(count)
    try:
        yield count
    finally:
        _request_count.reset(token)


# At DEBUG it logs the headers of each response, in which a service may quote the request.
logging.getLogger("httpcore").setLevel(logging.INFO)


class Acs3Auth(httpx.Auth):
    """Signs a request with a new nonce and date each time it is sent."""

    requires_request_body = True

    def __init__(self, action: str, credential: Credential) -> None:
        self._action = action
        self._credential = credential

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the API's headers, and sign host, content-type and all x-acs-* (a proxy may change the others)."""
        credential = self._credential
        content_sha256 = hashlib.sha256(request.content).hexdigest()
        headers = {
            "x-acs-action": self._action,
            "x-acs-version": API_VERSION,
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-content-sha256": content_sha256,
        }
        if credential.security_token:
            headers["x-acs-security-token"] = credential.security_token
            headers["x-acs-accesskey-id"] = credential.access_key_id
        request.headers.update(headers)
        headers |= {name: request.headers[name] for name in ("host", "content-type") if name in request.headers}
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        canonical = signing.canonical_request(request.method, path, query, headers, content_sha256)
        request.headers["authorization"] = signing.authorization(
            credential.access_key_id, credential.access_key_secret, headers, signing.string_to_sign(canonical)
        )
        yield request


class RateLimiter:
    """Spaces requests evenly over all threads, until ``closed`` is set."""

    def __init__(self, requests_per_second: float, closed: threading.Event) -> None:
        self._interval = 1 / requests_per_second if requests_per_second else 0.0
        self._closed = closed
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Wait for the next free slot."""
        if self._interval:
            with self._lock:
                now = time.monotonic()
                start = max(self._next, now)
                self._next = start + self._interval
            self._closed.wait(start - now)


@dataclass(eq=False)
class _Request:
    """One request with its retries.

    Attributes:
        action: the API operation.
        url: the URL with the query.
        group: the model that it is about, whose requests share slots; empty without one.
        deadline_at: by ``time.monotonic``.
        parse: makes the result of the response.
        future: gets the outcome from its thread, from the deadline, from ``close`` or from a caller who cancels,
            whichever comes first. Once it is done, the thread makes no further attempt.
        failure: the last failed attempt.
        renewed: whether the credential was renewed for it.
    """

    action: str
    url: str
    group: str
    deadline_at: float
    parse: Callable[[ApiResponse], Any]
    future: Future[Any] = field(default_factory=Future)
    failure: ServiceError | None = None
    renewed: bool = False

    def finish(self, outcome: Any) -> None:
        """Set the result, or the error to raise, unless there is one already."""
        with suppress(InvalidStateError):
            if isinstance(outcome, BaseException):
                self.future.set_exception(outcome)
            else:
                self.future.set_result(outcome)

    def check_wanted(self) -> None:
        """End the thread of a request that has its outcome.

        Raises:
            CancelledError: it has.
        """
        if self.future.done():
            raise CancelledError


class _Timeouts(NamedTuple):
    """The requests of a group that ran into their deadlines since its last answer."""

    number: int
    last_at: float


class Transport:
    """Sends signed GET requests to one endpoint. May be used by any thread.

    Each request runs in a daemon thread of its own once it has a slot, and one thread watches the deadlines, which
    count from ``submit``. So a deadline holds whatever a request waits for, even a slot, a name lookup or a credential
    source. A request that is given up frees its slot at once; its thread ends at the next part of the body or at a
    timeout, or once the service stops sending headers. The threads of a ``ThreadPoolExecutor`` would delay the exit of
    the process; daemons do not.

    The requests about one model have ``concurrency`` slots, and all together twice as many, so that a model that hangs
    delays no other; free slots go to the models in turn. After ``MAX_TIMEOUTS`` deadlines in a row, requests about that
    model fail at once for ``BREAK_SECONDS``; then one of them tries.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: CredentialSource,
        *,
        concurrency: int,
        rate_limit: float,
        deadline: float,
        connect_timeout: float,
        read_timeout: float,
    ) -> None:
        self._endpoint = endpoint
        self._host = urlsplit(endpoint).hostname or endpoint
        self._credentials = credentials
        # Guards the three below; nobody waits for the source while holding it.
        self._credential_lock = threading.Lock()
        self._credential: Future[Credential] | None = None
        """The credential in use, or the one that is being fetched."""
        self._credential_until = inf
        self._credential_expired = False
        self._deadline = deadline
        self._closed = threading.Event()
        self._limiter = RateLimiter(rate_limit, self._closed)
        self._concurrency = concurrency
        # Guards the four below, from a decision about them to the change that follows from it.
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[_Request]] = {}
        """By group; the group that gets the next slot first."""
        self._running: dict[_Request, str] = {}
        """The requests that hold a slot, each with its group."""
        self._threads: dict[_Request, threading.Thread] = {}
        self._timeouts: dict[str, _Timeouts] = {}
        """By group; the one with the oldest timeout first."""
        self._submitted: SimpleQueue[_Request | None] = SimpleQueue()
        self._http = httpx.Client(
            headers={
                "user-agent": f"paiview/{__version__}",
                "accept": "application/json",
                # Only what ``_inflating`` reads: httpx itself decompresses without a bound.
                "accept-encoding": "gzip",
            },
            follow_redirects=False,
            # Cookies are refused: the service could mark all later requests with them.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            # The slots limit the connections.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=2 * concurrency, keepalive_expiry=4.0),
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout),
            proxy=proxy_for(endpoint, os.environ),
            # httpx would fail with a traceback on entries of NO_PROXY such as fd00::/8; SSL_CERT_FILE is read here.
            verify=httpx.create_ssl_context(),
            trust_env=False,
        )
        self._watcher = threading.Thread(target=self._watch, name="paiview-client", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Fail all requests under way with ``UnreachableError``, and close the connections once their threads end."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            requests = [*self._threads, *chain.from_iterable(self._waiting.values())]
        for request in requests:
            request.finish(UnreachableError(CLOSED_MESSAGE))
        self._submitted.put(None)
        self._watcher.join(CLOSE_TIMEOUT_SECONDS)

    def submit(
        self,
        action: str,
        path: str,
        parameters: Mapping[str, str],
        parse: Callable[[ApiResponse], Result],
        group: str = "",
    ) -> Future[Result]:
        """Send one request and retry it within the deadline.

        Args:
            action: the API operation.
            path: the path, percent-encoded.
            parameters: the query.
            parse: makes the result of the response.
            group: the model that it is about, if it is about one.

        Returns:
            a future of the result, which raises ``ServiceError`` if every attempt failed, and ``CredentialError``
            without a usable credential. It may be cancelled at any time.

        Raises:
            UnreachableError: the transport has been closed.
        """
        url = f"{self._endpoint}{path}?{signing.canonical_query(parameters)}".removesuffix("?")
        request = _Request(action, url, group, time.monotonic() + self._deadline, parse)
        with self._lock:
            if self._closed.is_set():
                raise UnreachableError(CLOSED_MESSAGE)
            is_broken = self._is_broken(group)
            if not is_broken:
                self._waiting.setdefault(group, deque()).append(request)
        if is_broken:
            request.finish(DeadlineError(f"{action} is not tried now: the last requests of its kind hung."))
            return request.future
        if (count := _request_count.get()) is not None:
            count.count += 1
        self._submitted.put(request)
        request.future.add_done_callback(lambda _: self._leave(request))
        self._start_waiting()
        return request.future

    @property
    def broken_groups(self) -> int:
        """How many models are skipped now because their requests hung."""
        with self._lock:
            return sum(map(self._is_broken, self._timeouts))

    def _is_broken(self, group: str) -> bool:
        """Whether requests of a group fail at once; the caller holds the lock."""
        number, last_at = self._timeouts.get(group, _Timeouts(0, 0.0))
        if number < MAX_TIMEOUTS:
            return False
        is_tried = group in self._waiting or group in self._running.values()
        return is_tried or time.monotonic() < last_at + BREAK_SECONDS

    def _leave(self, request: _Request) -> None:
        """Free the slot of a request that is done, or its place in the queue."""
        with self._lock:
            if self._running.pop(request, None) is None and request in (
                waiting := self._waiting.get(request.group, deque())
            ):
                waiting.remove(request)
                if not waiting:
                    del self._waiting[request.group]
        self._start_waiting()

    def _start_waiting(self) -> None:
        """Give the free slots to requests that wait."""
        with self._lock:
            while not self._closed.is_set() and (request := self._next_waiting()) is not None:
                thread = threading.Thread(target=self._run, args=(request,), name="paiview-request", daemon=True)
                self._running[request] = request.group
                self._threads[request] = thread
                thread.start()

    def _next_waiting(self) -> _Request | None:
        """Take the request that gets the next slot, if one is free for it, and put its group behind the others."""
        running = Counter(self._running.values())
        if running.total() >= 2 * self._concurrency:
            return None
        group = next((group for group in self._waiting if running[group] < self._concurrency), None)
        if group is None:
            return None
        waiting = self._waiting.pop(group)
        request = waiting.popleft()
        if waiting:
            self._waiting[group] = waiting
        return request

    def _count_timeout(self, group: str) -> None:
        with self._lock:
            number = self._timeouts.pop(group, _Timeouts(0, 0.0)).number
            self._timeouts[group] = _Timeouts(number + 1, time.monotonic())
            if len(self._timeouts) > MAX_BREAKERS:
                del self._timeouts[next(iter(self._timeouts))]

    def _forget_timeouts(self, group: str) -> None:
        with self._lock:
            self._timeouts.pop(group, None)

    def _watch(self) -> None:
        """End each request at its deadline. All have the same time limit, so those that came first end first."""
        while (request := self._submitted.get()) is not None:
            with suppress(TimeoutError, CancelledError):
                request.future.exception(request.deadline_at - time.monotonic())
            if not request.future.done():
                if request in self._running:
                    self._count_timeout(request.group)
                request.finish(self._late(request.action, request.failure))
        with self._lock:
            threads = tuple(self._threads.values())
        for thread in threads:
            thread.join()
        self._http.close()

    def _late(self, action: str, failure: ServiceError | None) -> DeadlineError:
        message = f"{action} got no complete response within {self._deadline:g} s."
        if failure is None:
            return DeadlineError(message)
        return DeadlineError(
            f"{message} Last attempt: {failure.message}",
            code=failure.code,
            request_id=failure.request_id,
            status=failure.status,
        )

    def _run(self, request: _Request) -> None:
        try:
            request.check_wanted()
            self._limiter.wait()
            response = self._retried(request)
            self._forget_timeouts(request.group)
            request.finish(request.parse(response))
        except BaseException as error:  # noqa: BLE001 - the future raises it
            if isinstance(error, ServiceError) and not isinstance(error, DeadlineError):
                self._forget_timeouts(request.group)
            request.finish(error)
        finally:
            with self._lock:
                del self._threads[request]

    def _retried(self, request: _Request) -> ApiResponse:
        def wait_after(error: Exception) -> bool | float:
            """Seconds before the next attempt; True for the usual wait, False for no further attempt."""
            if isinstance(error, ExpiredTokenError) and not request.renewed:
                request.renewed = True
                return 0.0
            if not isinstance(error, ThrottledError | UnavailableError | DeadlineError | CutOffError):
                return False
            request.failure = error
            if error.code == "SignatureNonceUsed":
                return 0.0
            hint = error.retry_after if isinstance(error, ThrottledError) else None
            if hint is None:
                return True
            return hint if hint < request.deadline_at - time.monotonic() else False

        for attempt in stamina.retry_context(
            on=wait_after,
            attempts=MAX_ATTEMPTS,
            timeout=None,
            wait_initial=FIRST_RETRY_WAIT_SECONDS,
            wait_max=MAX_RETRY_WAIT_SECONDS,
            wait_jitter=FIRST_RETRY_WAIT_SECONDS,
        ):
            with attempt:
                if attempt.num > 1:
                    self._limiter.wait()
                return self._observed(request)
        raise AssertionError("stamina raises after the last attempt")

    def _observed(self, request: _Request) -> ApiResponse:
        request.check_wanted()
        started = time.monotonic()
        # The outcome of an attempt that its caller no longer waits for.
        outcome = "Cancelled"
        try:
            response = self._once(request)
        except PaiviewError as error:
            outcome = type(error).__name__.removesuffix("Error")
            raise
        else:
            outcome = "Ok"
            return response
        finally:
            for observe in observers:
                observe(request.action, outcome, time.monotonic() - started)

    def _once(self, request: _Request) -> ApiResponse:
        credential = self._current_credential(request)
        try:
            response, content = self._read(request, credential)
            return read_response(
                request.action,
                response.status_code,
                response.headers,
                content,
                hidden=_secret_forms(credential),
            )
        except ExpiredTokenError:
            self._renew_credential(credential)
            raise
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = self._failure(request.action, error)
        # Raised outside the except clause: httpx's error would be its context, and holds the request with its token.
        raise failure

    def _read(self, request: _Request, credential: Credential) -> tuple[httpx.Response, bytes]:
        content = bytearray()
        with self._http.stream("GET", request.url, auth=Acs3Auth(request.action, credential)) as response:
            try:
                inflate = _inflating(response.headers.get("content-encoding", ""))
                for chunk in response.iter_raw():
                    request.check_wanted()
                    content += inflate(chunk, MAX_BODY_BYTES + 1 - len(content))
                    if len(content) > MAX_BODY_BYTES:
                        raise AnswerError(
                            f"{request.action} was answered with more than {MAX_BODY_BYTES // 2**20} MB.",
                            status=response.status_code,
                        )
            except (ValueError, zlib.error):
                raise AnswerError(
                    f"{request.action} was answered with a compressed body that cannot be read.",
                    status=response.status_code,
                ) from None
        return response, bytes(content)

    def _current_credential(self, request: _Request) -> Credential:
        """The credential, which all requests share; one of them fetches it, and each waits until its own deadline."""
        with self._credential_lock:
            if self._credential is None or time.monotonic() >= self._credential_until:
                self._credential = self._fetched_credential(fresh=self._credential_expired)
                self._credential_expired = False
            credential = self._credential
        try:
            return credential.result(request.deadline_at - time.monotonic())
        except TimeoutError:
            # The next request asks the source again.
            self._drop_credential(credential)
            raise DeadlineError("The source of the access key did not answer in time.") from None
        except Exception:
            self._drop_credential(credential)
            raise

    def _fetched_credential(self, *, fresh: bool) -> Future[Credential]:
        """Start to fetch the credential; the caller holds the lock."""
        self._credential_until = time.monotonic() + CREDENTIAL_LIFETIME_SECONDS
        return asked(lambda: self._credentials.get(fresh=fresh))

    def _drop_credential(self, credential: Future[Credential]) -> None:
        with self._credential_lock:
            if self._credential is credential:
                self._credential = None

    def _renew_credential(self, expired: Credential) -> None:
        """Let the next request ask the source for a new credential, unless another request has."""
        with self._credential_lock:
            current = self._credential
            if current is not None and current.done() and current.exception() is None and current.result() is expired:
                self._credential = None
                self._credential_expired = True

    def _failure(self, action: str, error: httpx.HTTPError | httpx.InvalidURL) -> ServiceError:
        causes = _causes(error)
        match error:
            case httpx.ConnectTimeout():
                return DeadlineError(f"{self._host} accepted no connection in time for {action}.")
            case httpx.TimeoutException():
                return DeadlineError(f"{self._host} sent nothing more while it answered {action}.")
            case httpx.ConnectError() if any(isinstance(cause, socket.gaierror) for cause in causes):
                return UnreachableError(f"No PAI endpoint answers at {self._host}: the host name is unknown.")
            case httpx.ConnectError() if any(isinstance(cause, ssl.SSLError) for cause in causes):
                return UnreachableError(f"No trusted TLS connection could be made to {self._host}.")
            case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
                return CutOffError(f"{self._host} closed the connection while it answered {action}.")
            case _:
                return UnreachableError(f"No connection could be made to {self._host}.")


def _inflating(coding: str) -> Callable[[bytes, int], bytes]:
    """A function that decompresses the next part of a body, to a number of bytes at most.

    Raises:
        ValueError: the body has another coding than the one asked for, or several.
    """
    if coding.strip().lower() in ("", "identity"):
        return lambda chunk, _: chunk
    if coding.strip().lower() not in ("gzip", "x-gzip"):
        raise ValueError(coding)
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress


def _secret_forms(credential: Credential) -> tuple[str, ...]:
    """The forms of a credential that no error may repeat: each part plain, percent-encoded and in base64."""
    parts = filter(None, (credential.access_key_secret, credential.security_token, credential.access_key_id))
    return tuple(
        form
        for text in parts
        for form in (text, quote(text), signing.percent_encode(text), base64.b64encode(text.encode()).decode())
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    causes = []
    while error is not None:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes

"""Sends one signed GET request, with limits on time and size, and retries it. The only module that imports httpx."""

import asyncio
import base64
import hashlib
import logging
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import stamina

from paiview import __version__
from paiview.pai import signing
from paiview.pai.credentials import Credential, CredentialSource
from paiview.pai.endpoint import LOOPBACK_HOSTS
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
from paiview.pai.responses import ApiResponse, read_response

API_VERSION: Final = "2021-02-04"
MAX_ATTEMPTS: Final = 4
"""Attempts at one request, the first included."""
FIRST_RETRY_WAIT_SECONDS: Final = 0.2
MAX_RETRY_WAIT_SECONDS: Final = 5.0
"""The wait doubles with each retry up to the maximum; a jitter of up to FIRST_RETRY_WAIT_SECONDS is added."""
MAX_BODY_BYTES: Final = 64 * 2**20
"""Size limit of one response, decompressed. A page of 100 versions is about 100 kB."""
CREDENTIAL_LIFETIME_SECONDS: Final = 60.0
"""How long a credential is used before its source is asked again; the chain renews it 15 minutes before it expires."""
EXPIRED: Final = -1.0
"""Marks a credential that the service has called expired."""
Observer = Callable[[str, str, float], None]
observers: Final[set[Observer]] = set()
"""Called after each attempt with its operation, its outcome (``Ok``, or the error class without "Error") and its
seconds. They must not block."""
CLOSING_STEP: Final = "response_closed"
"""The one step of httpcore that does not wait for the network and must be completed."""

Result = TypeVar("Result")
Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Called at each step of httpcore, such as ``http11.receive_response_body.started``, with its details."""

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
    """Spaces requests evenly. Belongs to one event loop."""

    def __init__(self, requests_per_second: float) -> None:
        self._interval = 1 / requests_per_second if requests_per_second else 0.0
        self._next = 0.0

    async def wait(self) -> None:
        """Wait for the next free slot."""
        if self._interval:
            now = asyncio.get_running_loop().time()
            start = max(self._next, now)
            self._next = start + self._interval
            await asyncio.sleep(start - now)


class _Exchange:
    """Runs one request in a task of its own, which is cancelled only while it waits for the network.

    A cancellation at another step leaks the connection: httpcore shields such steps by anyio, which does not hold off
    ``Task.cancel``, and its pool then counts the connection as in use for ever.
    """

    def __init__(self) -> None:
        self._is_waiting = False
        self._is_cancelled = False

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run the request, which reports its steps to ``trace``; a cancellation is raised once it has ended."""
        task = asyncio.create_task(work)
        try:
            await asyncio.wait((task,))
            return task.result()
        except asyncio.CancelledError:
            self._is_cancelled = True
            if self._is_waiting:
                task.cancel()
            while not task.done():
                # A second cancellation changes nothing.
                with suppress(asyncio.CancelledError):
                    await asyncio.wait((task,))
            if not task.cancelled():
                # asyncio logs an error that is never retrieved.
                task.exception()
            raise

    async def trace(self, event: str, _about: Mapping[str, Any]) -> None:
        """Note whether the step waits for the network; after a cancellation, start no such step."""
        _, step, stage = event.rsplit(".", 2)
        self._is_waiting = stage == "started" and step != CLOSING_STEP
        if self._is_waiting and self._is_cancelled:
            raise asyncio.CancelledError


@dataclass
class _Progress:
    """The state of one request: its deadline, its last failed attempt, and whether the credential was renewed."""

    ends: float
    failure: ServiceError | None = None
    renewed: bool = False


class Transport:
    """Sends signed GET requests to one endpoint. Belongs to one event loop."""

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
        self._credential: Credential | None = None
        self._credential_until = 0.0
        self._credential_lock = asyncio.Lock()
        self._deadline = deadline
        self._slots = asyncio.Semaphore(concurrency)
        self._limiter = RateLimiter(rate_limit)
        self._http = httpx.AsyncClient(
            headers={"user-agent": f"paiview/{__version__}", "accept": "application/json"},
            follow_redirects=False,
            # Cookies are refused: the service could mark all later requests with them.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            # The semaphore bounds the connections.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=concurrency, keepalive_expiry=4.0),
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout),
            # A proxy of the environment cannot reach a server on this machine.
            trust_env=self._host not in LOOPBACK_HOSTS,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, action: str, path: str, parameters: Mapping[str, str]) -> ApiResponse:
        """Send one request and retry it within the deadline, which starts once a slot is free.

        Args:
            action: the API operation.
            path: the path, percent-encoded.
            parameters: the query.

        Raises:
            ServiceError: every attempt failed.
            CredentialError: there is no usable credential.
        """
        url = f"{self._endpoint}{path}?{signing.canonical_query(parameters)}".removesuffix("?")
        async with self._slots:
            await self._limiter.wait()
            progress = _Progress(asyncio.get_running_loop().time() + self._deadline)
            try:
                async with asyncio.timeout_at(progress.ends):
                    return await self._retried(action, url, progress)
            except TimeoutError:
                raise self._late(action, progress.failure) from None

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

    async def _retried(self, action: str, url: str, progress: _Progress) -> ApiResponse:
        def wait_after(error: Exception) -> bool | float:
            """Seconds before the next attempt; True for the usual wait, False for no further attempt."""
            if isinstance(error, ExpiredTokenError) and not progress.renewed:
                progress.renewed = True
                return 0.0
            if not isinstance(error, ThrottledError | UnavailableError | DeadlineError | CutOffError):
                return False
            progress.failure = error
            hint = error.retry_after if isinstance(error, ThrottledError) else None
            if error.code == "SignatureNonceUsed":
                return 0.0
            if hint is None:
                return True
            time_left = progress.ends - asyncio.get_running_loop().time()
            return hint if hint < time_left else False

        async for attempt in stamina.retry_context(
            on=wait_after,
            attempts=MAX_ATTEMPTS,
            timeout=None,
            wait_initial=FIRST_RETRY_WAIT_SECONDS,
            wait_max=MAX_RETRY_WAIT_SECONDS,
            wait_jitter=FIRST_RETRY_WAIT_SECONDS,
        ):
            with attempt:
                if attempt.num > 1:
                    await self._limiter.wait()
                return await self._observed(action, url)
        raise AssertionError("stamina raises after the last attempt")

    async def _observed(self, action: str, url: str) -> ApiResponse:
        started = asyncio.get_running_loop().time()
        # The outcome at the deadline of the request, or when the client is closed.
        outcome = "Cancelled"
        try:
            answer = await self._once(action, url)
        except PaiviewError as error:
            outcome = type(error).__name__.removesuffix("Error")
            raise
        else:
            outcome = "Ok"
            return answer
        finally:
            for observe in observers:
                observe(action, outcome, asyncio.get_running_loop().time() - started)

    async def _once(self, action: str, url: str) -> ApiResponse:
        credential = await self._current_credential()
        try:
            exchange = _Exchange()
            response, content = await exchange.run(self._read(action, url, credential, exchange.trace))
            return read_response(
                action, response.status_code, response.headers, content, hidden=_secret_forms(credential)
            )
        except ExpiredTokenError:
            if credential is self._credential:
                self._credential_until = EXPIRED
            raise
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = self._failure(action, error)
        # Raised outside the except clause: httpx's error would be its context, and holds the request with its token.
        raise failure

    async def _read(self, action: str, url: str, credential: Credential, trace: Trace) -> tuple[httpx.Response, bytes]:
        content = bytearray()
        auth = Acs3Auth(action, credential)
        async with self._http.stream("GET", url, auth=auth, extensions={"trace": trace}) as response:
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_BODY_BYTES:
                    raise AnswerError(
                        f"{action} was answered with more than {MAX_BODY_BYTES // 2**20} MB.",
                        status=response.status_code,
                    )
        return response, bytes(content)

    async def _current_credential(self) -> Credential:
        """The credential in use; its source is asked in a thread, for it may read files and use the network."""
        async with self._credential_lock:
            now = asyncio.get_running_loop().time()
            if self._credential is None or now >= self._credential_until:
                expired = self._credential_until == EXPIRED
                self._credential = await asyncio.to_thread(self._credentials.get, fresh=expired)
                self._credential_until = now + CREDENTIAL_LIFETIME_SECONDS
            return self._credential

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
            case httpx.DecodingError():
                return AnswerError(f"{action} was answered with a compressed body that cannot be read.")
            case _:
                return UnreachableError(f"No connection could be made to {self._host}.")


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

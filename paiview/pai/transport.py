"""One signed GET request: sent, bounded in time and size, retried. The only module that knows httpx."""

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
from paiview.pai.answers import Answer, read_answer
from paiview.pai.credentials import Credential, CredentialSource
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

API_VERSION: Final = "2021-02-04"
TRIES: Final = 4
"""Requests made for one answer, the first included."""
FIRST_WAIT: Final = 0.2
LONGEST_WAIT: Final = 5.0
"""Seconds before the first retry, doubled for each further one up to the longest, plus up to FIRST_WAIT of jitter."""
LARGEST_BODY: Final = 64 * 2**20
"""Bytes of one answer, decompressed. A page of 100 versions is about 100 kB."""
CREDENTIAL_LIFE: Final = 60.0
"""Seconds a credential is used before its source is asked again; the chain renews 15 minutes before expiry."""
EXPIRED: Final = -1.0
"""Stands for the end of a credential that the service has called expired."""
Observer = Callable[[str, str, float], None]
observers: Final[set[Observer]] = set()
"""Told of every request sent: the operation, ``Ok`` or what it ended with, and the seconds. They must not wait."""
CLOSING_STEP: Final = "response_closed"
"""The step of httpcore that waits for nothing and has to come to its end; all others wait for the network."""
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})

Result = TypeVar("Result")
Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Told of each step of httpcore, as ``http11.receive_response_body.started``, and of what belongs to it."""

# At DEBUG it writes the headers of every answer, and a service may quote in them what it was sent.
logging.getLogger("httpcore").setLevel(logging.INFO)


class Acs3Auth(httpx.Auth):
    """Signs a request with a nonce and a date of its own, each time it is sent."""

    requires_request_body = True

    def __init__(self, action: str, credential: Credential) -> None:
        self._action = action
        self._credential = credential

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the headers of the API, and sign host, content-type and all x-acs-* (a proxy may change the others)."""
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
        """Wait for the next free moment."""
        if self._interval:
            now = asyncio.get_running_loop().time()
            moment = max(self._next, now)
            self._next = moment + self._interval
            await asyncio.sleep(moment - now)


class _Exchange:
    """One request and its answer, in a task of their own that is cancelled only while it waits for the network.

    Anywhere else, when it has just connected or is closing an answer, httpcore does not bear it: its shields are
    anyio's, which do not hold ``Task.cancel`` off, and the pool keeps a connection that it takes to be in use for ever.
    """

    def __init__(self) -> None:
        self._waits = False
        self._broken_off = False

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do the work, which has ``trace`` told of its steps; a cancellation is raised once all of it has ended."""
        task = asyncio.create_task(work)
        try:
            await asyncio.wait((task,))
            return task.result()
        except asyncio.CancelledError:
            self._broken_off = True
            if self._waits:
                task.cancel()
            while not task.done():
                # A second cancellation asks for no more than the first.
                with suppress(asyncio.CancelledError):
                    await asyncio.wait((task,))
            # What it ended with is of no use any more, but asyncio logs an error that nobody asked for.
            _ = task.cancelled() or task.exception()
            raise

    async def trace(self, event: str, _about: Mapping[str, Any]) -> None:
        """Note whether the step waits for the network, and let none begin that would once it is broken off."""
        _, step, stage = event.rsplit(".", 2)
        self._waits = stage == "started" and step != CLOSING_STEP
        if self._waits and self._broken_off:
            raise asyncio.CancelledError


@dataclass
class _Progress:
    """What one request went through so far."""

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
            # No cookie is kept: the service would get back what it chose to set, in every later request.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            # The semaphore bounds the connections.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=concurrency, keepalive_expiry=4.0),
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout),
            # A proxy named in the environment cannot reach a server of this machine.
            trust_env=self._host not in LOOPBACK_HOSTS,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, action: str, path: str, parameters: Mapping[str, str]) -> Answer:
        """Send one request and retry it within the deadline, which begins once a slot is free.

        Args:
            action: the operation.
            path: the path, percent-encoded.
            parameters: the query.

        Raises:
            ServiceError: no retry helped.
            CredentialError: there is nothing to sign with.
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
        message = f"{action} got no complete answer within {self._deadline:g} s."
        if failure is None:
            return DeadlineError(message)
        return DeadlineError(
            f"{message} The last try: {failure.message}",
            code=failure.code,
            request_id=failure.request_id,
            status=failure.status,
        )

    async def _retried(self, action: str, url: str, progress: _Progress) -> Answer:
        def wait_after(error: Exception) -> bool | float:
            """Seconds before the next try, True for the usual ones, False for none."""
            if isinstance(error, ExpiredTokenError) and not progress.renewed:
                progress.renewed = True
                return 0.0
            if not isinstance(error, ThrottledError | UnavailableError | DeadlineError | CutOffError):
                return False
            progress.failure = error
            hint = error.retry_after if isinstance(error, ThrottledError) else None
            if error.code == "SignatureNonceUsed":
                return 0.0
            return True if hint is None else hint < progress.ends - asyncio.get_running_loop().time() and hint

        async for attempt in stamina.retry_context(
            on=wait_after,
            attempts=TRIES,
            timeout=None,
            wait_initial=FIRST_WAIT,
            wait_max=LONGEST_WAIT,
            wait_jitter=FIRST_WAIT,
        ):
            with attempt:
                if attempt.num > 1:
                    await self._limiter.wait()
                return await self._observed(action, url)
        raise AssertionError("stamina raises after the last attempt")

    async def _observed(self, action: str, url: str) -> Answer:
        started = asyncio.get_running_loop().time()
        # What ends it otherwise is the deadline of the whole, or that the client is closed.
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
            for tell in observers:
                tell(action, outcome, asyncio.get_running_loop().time() - started)

    async def _once(self, action: str, url: str) -> Answer:
        credential = await self._current_credential()
        try:
            exchange = _Exchange()
            response, content = await exchange.run(self._read(action, url, credential, exchange.trace))
            return read_answer(action, response.status_code, response.headers, content, hidden=_quotations(credential))
        except ExpiredTokenError:
            if credential is self._credential:
                self._credential_until = EXPIRED
            raise
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = self._failure(action, error)
        # Raised out here so that it does not keep httpx's error, which holds the request with its token.
        raise failure

    async def _read(self, action: str, url: str, credential: Credential, trace: Trace) -> tuple[httpx.Response, bytes]:
        content = bytearray()
        auth = Acs3Auth(action, credential)
        async with self._http.stream("GET", url, auth=auth, extensions={"trace": trace}) as response:
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > LARGEST_BODY:
                    raise AnswerError(
                        f"{action} was answered with more than {LARGEST_BODY // 2**20} MB.",
                        status=response.status_code,
                    )
        return response, bytes(content)

    async def _current_credential(self) -> Credential:
        """The credential in use, asked for in a thread: a source may read files and ask the network."""
        async with self._credential_lock:
            now = asyncio.get_running_loop().time()
            if self._credential is None or now >= self._credential_until:
                expired = self._credential_until == EXPIRED
                self._credential = await asyncio.to_thread(self._credentials.get, fresh=expired)
                self._credential_until = now + CREDENTIAL_LIFE
            return self._credential

    def _failure(self, action: str, error: httpx.HTTPError | httpx.InvalidURL) -> ServiceError:
        causes = _causes(error)
        match error:
            case httpx.ConnectTimeout():
                return DeadlineError(f"{self._host} accepted no connection in time for {action}.")
            case httpx.TimeoutException():
                return DeadlineError(f"{self._host} went silent while it answered {action}.")
            case httpx.ConnectError() if any(isinstance(cause, socket.gaierror) for cause in causes):
                return UnreachableError(f"No PAI endpoint answers at {self._host}: no such host is known.")
            case httpx.ConnectError() if any(isinstance(cause, ssl.SSLError) for cause in causes):
                return UnreachableError(f"No trusted TLS connection could be made to {self._host}.")
            case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
                return CutOffError(f"{self._host} broke the connection off while it answered {action}.")
            case httpx.DecodingError():
                return AnswerError(f"{action} was answered with a compressed body that cannot be read.")
            case _:
                return UnreachableError(f"No connection could be made to {self._host}.")


def _quotations(credential: Credential) -> tuple[str, ...]:
    """What no error may repeat of a credential: each part as it is, percent-encoded and in base64."""
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

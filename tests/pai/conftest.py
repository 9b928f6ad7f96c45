"""Servers and clients that end with the test, and secrets that must never be seen."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Final, Protocol

import pytest

from paiview.pai import transport
from paiview.pai.client import Client
from paiview.pai.credentials import CredentialSource, StaticCredentials
from paiview.pai.errors import PaiviewError
from tests.harness.server import Responder, Server

KEY_ID: Final = "test-key-id"
SECRET: Final = "secret-of-the-test-that-none-may-see"
TOKEN: Final = "token-of-the-test+that/none==may-see"
CREDENTIALS: Final = StaticCredentials(KEY_ID, SECRET, TOKEN)

Serve = Callable[[Responder], Server]


class Connect(Protocol):
    """Starts a client; without ``credentials`` it has those of the tests."""

    def __call__(
        self,
        endpoint: str,
        credentials: CredentialSource = ...,
        *,
        page_size: int = ...,
        concurrency: int = ...,
        rate_limit: float = ...,
        deadline: float = ...,
        connect_timeout: float = ...,
        read_timeout: float = ...,
    ) -> Client: ...


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_RETRY_WAIT_SECONDS", 0.005)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as servers:
        yield lambda respond: servers.enter_context(Server(respond))


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as clients:

        def start(endpoint: str, credentials: CredentialSource = CREDENTIALS, **options: float) -> Client:
            # mypy cannot match open keywords with the protocol's closed ones.
            return clients.enter_context(partial(Client, endpoint, credentials, **options)())  # type: ignore[arg-type]

        yield start


def everything_said(error: BaseException) -> str:
    """All the text an error and those behind it can put on a page or into a log, local variables apart."""
    said = ["".join(traceback.format_exception(error))]
    for link in chain(error):
        said += [str(link), repr(link), repr(link.args), repr(vars(link))]
    return "\n".join(said)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those it came from, the ones a traceback leaves out included."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def assert_keeps_secrets(error: PaiviewError) -> None:
    said = everything_said(error)
    assert SECRET not in said
    assert TOKEN not in said
    assert not any(hasattr(link, "request") for link in chain(error))

"""Reading ahead: asking for a page begins its listing, and what cannot be read is left to the page to tell."""

import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette

from paiview import ahead, registry, server
from paiview.config import Settings
from paiview.edge import RateLimit
from paiview.pai.objects import VersionFilters
from tests.pages.conftest import CREDENTIALS, Service, version
from tests.pai.server import Act, Reply, Request, Server

Ask = Callable[..., httpx.Response]
WAIT = 10.0
MOST = 10
"""Listings that are read ahead for the client of a test."""
LISTING = "models/model-asr/versions"


async def get(limit: RateLimit, page: str, query: dict[str, str], headers: dict[str, str]) -> httpx.Response:
    """Ask for a page, and answer when all that the request is to the server has ended."""
    transport = httpx.ASGITransport(Starlette(routes=ahead.routes(server.SHELL, limit)))
    async with httpx.AsyncClient(transport=transport, base_url="http://paiview") as client:
        return await client.get(f"/{page}?{urlencode(query)}", headers=headers)


@pytest.fixture
def service() -> Service:
    return Service(versions={"model-asr": [version("0.1.0", "2024-01-01", {"d": {"cer": 0.1}})]})


@pytest.fixture
def ask(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Asks for a page, and answers when the reading ahead has ended."""
    # The official chain reads its variables only once a process.
    monkeypatch.setattr(registry, "from_chain", lambda: CREDENTIALS)
    registry.disconnect()

    # Its clock stands: so many are read ahead, and no more.
    limit = RateLimit(1.0, MOST, 10, lambda: 0.0)

    def ended(page: str, query: dict[str, str], **headers: str) -> httpx.Response:
        answer = portal.call(get, limit, page, query, {name.replace("_", "-"): told for name, told in headers.items()})
        for thread in threading.enumerate():
            if thread.name == ahead.THREAD:
                thread.join()
        return answer

    # In a loop of another thread: a browser test before this one leaves a loop in the main one.
    with Server(service) as pai, start_blocking_portal() as portal:
        registry.connect(Settings(endpoint=pai.url))
        yield ended
    registry.disconnect()


@pytest.mark.parametrize("page", ["versions", "trends"])
def test_asking_for_a_page_reads_the_listing_that_the_page_will_read(ask: Ask, service: Service, page: str) -> None:
    answer = ask(page, {"model": "model-asr", "sort": "created"})
    assert (answer.status_code, answer.text) == (200, server.SHELL.read_text(encoding="utf-8"))
    assert answer.headers["cache-control"] == "no-cache"
    assert len(service.asked(LISTING)) == 1
    registry.connect().versions("model-asr", VersionFilters(order="ASC"))
    assert len(service.asked(LISTING)) == 1


def test_where_the_page_reads_no_whole_listing_nothing_is_read(ask: Ask, service: Service) -> None:
    for query in ({}, {"model": ""}, {"model": "model-asr", "approval_status": "Approved"}):
        assert ask("versions", query).status_code == 200
    assert service.asked(LISTING) == []


def test_a_model_that_is_not_there_is_left_to_the_page(ask: Ask, service: Service) -> None:
    for _ in range(6):
        assert ask("versions", {"model": "model-none"}).status_code == 200
    ask("versions", {"model": "model-asr"})
    assert len(service.asked(LISTING)) == 1


@pytest.mark.parametrize(("told", "read"), [("document", 1), ("image", 0), ("iframe", 0), ("empty", 0)])
def test_only_who_opens_the_page_has_it_read_ahead(ask: Ask, service: Service, told: str, read: int) -> None:
    """An image on a page of another site may have the address of a page."""
    assert ask("versions", {"model": "model-asr"}, sec_fetch_dest=told).text == server.SHELL.read_text("utf-8")
    assert len(service.asked(LISTING)) == read


def test_beyond_the_rate_of_its_client_a_page_is_served_and_nothing_read(ask: Ask, service: Service) -> None:
    for number in range(MOST + 3):
        assert ask("versions", {"model": f"model-{number}"}).status_code == 200
    asked = {request.path for request in service.requests}
    assert asked == {f"/api/v1/models/model-{number}/versions" for number in range(MOST)}


def test_where_no_thread_can_be_had_the_page_is_served_and_a_later_one_is_read_ahead(
    ask: Ask, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == ahead.THREAD:
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", refuse)
        # More than are read at once.
        for _ in range(6):
            answer = ask("versions", {"model": "model-asr"})
            assert (answer.status_code, answer.text) == (200, server.SHELL.read_text("utf-8"))
    assert service.asked(LISTING) == []
    ask("versions", {"model": "model-asr"})
    assert len(service.asked(LISTING)) == 1


def test_the_request_has_ended_though_the_service_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is told to end waits for its requests."""
    asked = threading.Event()

    async def hanging(_request: Request) -> Reply:
        asked.set()
        return (Act.HANG,)

    monkeypatch.setattr(registry, "from_chain", lambda: CREDENTIALS)
    registry.disconnect()
    with Server(hanging) as pai, start_blocking_portal() as portal:
        registry.connect(Settings(endpoint=pai.url))
        assert portal.call(get, RateLimit(1.0, 1, 1), "versions", {"model": "model-asr"}, {}).status_code == 200
        assert asked.wait(WAIT)
        [reader] = (thread for thread in threading.enumerate() if thread.name == ahead.THREAD)
        assert reader.daemon
        registry.disconnect()
        reader.join(WAIT)
        assert not reader.is_alive()

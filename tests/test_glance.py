"""The image over a Compare link: what the link compares and nothing else, from the decision, in the page at once."""

import html
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from paiview import glance, judgement, registry, server
from paiview.config import Settings
from paiview.judgement import Judged
from paiview.local.background import HOST, BackgroundServer
from tests.test_api import SAVED, WAIT

LINK = "model=model-mine&candidate=0.2.0&baseline=0.1.0"


async def taken(_request: Request) -> JSONResponse:
    """How many of the threads that serve files are taken."""
    return JSONResponse(to_thread.current_default_thread_limiter().borrowed_tokens)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("glance")
    (folder / "mine.json").write_text(json.dumps({"Versions": SAVED}))
    registry.connect(Settings(data_dir=folder / "registry", data=(folder / "mine.json",)))
    with (
        BackgroundServer(Starlette(routes=[*glance.routes(server.SHELL), Route("/threads", taken)])) as running,
        httpx.Client(base_url=f"http://{HOST}:{running.port}") as opened,
    ):
        yield opened
    registry.disconnect()


def test_the_image_tells_the_verdict_and_every_pair(client: httpx.Client) -> None:
    answer = client.get(f"/glance.svg?{LINK}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["cache-control"] == "no-store"
    for expected in (
        "▲ Better",
        "0.2.0 against 0.1.0 (",
        "cer: better on 1",
        ">aishell<",
        "▲ 0.18 ← 0.20",
    ):
        assert expected in answer.text


def test_several_candidates_share_one_image_without_the_baseline(client: httpx.Client) -> None:
    text = client.get(f"/glance.svg?{LINK}&candidate=0.1.0&candidate=0.2.0").text
    assert "2 candidates of model-mine" in text
    assert "against 0.1.0" in text


def test_what_a_link_was_made_with_does_not_matter(client: httpx.Client) -> None:
    plain = client.get(f"/glance.svg?{LINK}").text
    assert client.get(f"/glance.svg?{LINK}&data=0123456789ab&workspace=1").text == plain


@pytest.mark.parametrize(
    "query",
    [
        "",
        "model=model-mine",
        "candidate=0.2.0",
        f"{LINK}&state=better",
        f"{LINK}&metric=cer",
        f"{LINK}&model=model-whisper",
        f"{LINK}&baseline=0.2.0",
        urlencode([("model", "model-mine"), *(("candidate", f"{number}") for number in range(51))]),
    ],
)
def test_there_is_no_image_where_the_page_may_show_something_else(client: httpx.Client, query: str) -> None:
    assert client.get(f"/glance.svg?{query}").status_code == 404
    assert client.get(f"/compare?{query}").text == server.SHELL.read_text("utf-8")


@pytest.mark.parametrize("query", ["model=model-mine&candidate=9", "model=model-none&candidate=1"])
def test_what_does_not_exist_is_left_for_the_page_to_tell(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/glance.svg?{query}")
    assert (answer.status_code, answer.content) == (404, b"")


def test_where_every_candidate_is_the_baseline_the_page_is_left_to_tell(client: httpx.Client) -> None:
    answer = client.get("/glance.svg?model=model-mine&candidate=0.1.0&candidate=0.1.0&baseline=0.1.0")
    assert (answer.status_code, answer.content) == (404, b"")


def test_the_page_is_streamlits_own_with_the_image_before_all_scripts(client: httpx.Client) -> None:
    answer = client.get(f"/compare?{LINK}")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/html")
    page = answer.text
    asked = re.findall(r'(?:href|src)="(\./glance\.svg\?[^"]*)"', page)
    assert [html.unescape(found) for found in asked] == [f"./glance.svg?{LINK}"] * 2
    assert page.index("glance.svg") < page.index("<script")
    added = r'<link rel="preload" as="image"[^>]*><style>.*?</style>|<img id="glance"[^>]*>'
    without = re.sub(added, "", page, flags=re.DOTALL)
    assert without == server.SHELL.read_text("utf-8")


def test_a_query_ends_no_tag() -> None:
    page = glance.with_image(server.SHELL.read_text("utf-8"), f'{LINK}&data="><script>alert(1)</script>')
    assert page.count("<script") == server.SHELL.read_text("utf-8").count("<script")


def test_what_is_doubtful_is_told_with_the_verdict(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = judgement.judge
    notes = ("It is <old>.", "n" * 300, "3", "4", "5")

    def doubtful(*asked: Any, **named: Any) -> Judged:
        judged = judge(*asked, **named)
        return judged._replace(
            decisions=[decision.model_copy(update={"notes": notes}) for decision in judged.decisions]
        )

    assert "⚠" not in client.get(f"/glance.svg?{LINK}").text
    monkeypatch.setattr(judgement, "judge", doubtful)
    told = client.get(f"/glance.svg?{LINK}").text
    lines = [
        "▲ Better",
        "⚠ It is &lt;old&gt;.",
        "⚠ nnn",
        "⚠ 3<",
        "⚠ and 2 more warnings, which the page tells",
        "0.2.0 against",
    ]
    assert sorted(lines, key=told.index) == lines
    assert "n" * 151 not in told
    several = client.get("/glance.svg?model=model-mine&candidate=0.1.0&candidate=0.2.0").text
    assert "⚠ 2 of them with a warning, which the page tells" in several


def test_a_slow_service_holds_up_no_file_and_no_image_comes_late(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, asked = threading.Event(), threading.Semaphore(0)
    judge = judgement.judge

    def slow(*arguments: Any, **named: Any) -> Judged:
        asked.release()
        assert gate.wait(WAIT)
        return judge(*arguments, **named)

    monkeypatch.setattr(judgement, "judge", slow)
    with ThreadPoolExecutor(glance.AT_ONCE) as readers:
        answers = [readers.submit(httpx.get, f"{client.base_url}/glance.svg?{LINK}") for _ in range(glance.AT_ONCE)]
        try:
            for _ in answers:
                assert asked.acquire(timeout=WAIT)
            assert client.get(f"/glance.svg?{LINK}").status_code == 404
            assert client.get("/threads").json() == 0
        finally:
            gate.set()
        assert [answer.result().status_code for answer in answers] == [200] * glance.AT_ONCE
    assert client.get(f"/glance.svg?{LINK}").status_code == 200

"""Hostile texts in whatever leaves paiview besides its pages: files, reports, the API, the terminal, logs, requests."""

import csv
import io
import logging
import re
import tomllib
import unicodedata
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any, Final
from urllib.parse import unquote

import httpx
import pytest
from markdown_it import MarkdownIt
from starlette.applications import Starlette
from typer.testing import CliRunner

from paiview.cli.main import app as commands
from paiview.decisions.decision import Decision
from paiview.embedded.background_server import HOST, BackgroundServer
from paiview.evaluation import queries
from paiview.evaluation.dataset_identity import identify
from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
from paiview.pai.errors import PaiviewError, ParameterError
from paiview.registry import connection
from paiview.registry.connection import connect, disconnect
from paiview.registry.live_decision import decide_now
from paiview.registry.registry import MAX_PARAMETER_CHARACTERS, Registry
from paiview.reports import documents
from paiview.reports.table_files import csv_bytes
from paiview.secret_masking import mask_secrets
from paiview.server import http_api
from paiview.settings import Settings
from tests.harness import hostile
from tests.harness.server import Reply, Request, Server, reply

TEXTS: Final = hostile.TEXTS
OBEYED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x80-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys or turns text around, save for tabs and line feeds."""
BLOCKS: Final = (
    "heading",
    "paragraph",
    "bullet_list",
    "list_item",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "strong",
)
RENDERED: Final = frozenset({f"{block}_{end}" for block in BLOCKS for end in ("open", "close")})
"""What a report in Markdown consists of: no link, no picture, no HTML."""


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    with Server(hostile.respond) as server:
        yield server


@pytest.fixture(scope="module")
def source(service: Server) -> Iterator[Registry]:
    """The registry of this process, over a service whose every text is hostile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "from_chain", lambda: StaticCredentials("key", "secret"))
        connected = connect(Settings(endpoint=service.url, deadline=30))
        yield connected
        disconnect()


@pytest.fixture(scope="module")
def decision(source: Registry) -> Decision:
    """The comparison of two versions that have a result on a dataset of every name."""
    found = decide_now(source, hostile.MODEL, hostile.CANDIDATE)
    assert found.baseline == hostile.BASELINE
    named = [result["Dataset"] for result in hostile.results(1)["Results"]]
    assert {pair.dataset for pair in found.pairs} == {identify(dataset).dataset for dataset in named}
    assert {pair.metric for pair in found.pairs} >= {*hostile.TEXTS}
    return found.named(source.dataset_names([f"d-{place}" for place in range(len(hostile.TEXTS))]))


def live_cells(content: bytes) -> list[str]:
    """The cells a spreadsheet would compute, wherever it splits the file."""
    rows = [*csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))]
    assert len({len(row) for row in rows}) == 1
    return [part for row in rows for cell in row if not _is_number(cell) for part in _parts(cell) if _is_formula(part)]


def _parts(cell: str) -> list[str]:
    """What becomes of a cell where semicolons or tabs part cells and a line break ends a row."""
    parts = re.split(r"[;\t\r\n]", cell)
    return parts if len(parts) > 1 else [cell]


def _is_formula(cell: str) -> bool:
    seen = [char for char in cell if unicodedata.category(char)[0] not in "ZC" and char != '"']
    return unicodedata.normalize("NFKC", seen[0]) in ("=", "+", "-", "@") if seen else cell.startswith(("\t", "\r"))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell == cell.strip()


def test_the_corpus_would_be_live_without_care() -> None:
    text = "\n".join(f'"{formula}"' for formula in ("=1+1", "x;=1+1", "\u200b＝1", "-1+x"))
    assert live_cells(text.encode()) == ["=1+1", "=1+1", "\u200b＝1", "-1+x"]


def test_no_csv_has_a_live_formula_and_all_of_them_have_every_text(source: Registry, decision: Decision) -> None:
    frames = source.versions(hostile.MODEL).frames
    every = queries.long_form(frames, [*frames.histories], frames.versions.index.to_numpy())
    files = {
        "versions": csv_bytes(frames.versions.join(queries.number_table(frames, frames.pairs))),
        "numbers": csv_bytes(every),
        "pairs": documents.to_csv(decision),
    }
    assert {name: live_cells(content) for name, content in files.items()} == {name: [] for name in files}
    for content in files.values():
        assert content.decode().count("window.owned=1") > 20


def test_a_report_in_markdown_has_no_markup_but_its_own(decision: Decision) -> None:
    written = documents.to_markdown(decision)
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(written)
    kinds = {child.type for token in tokens for child in [token, *(token.children or [])]}
    assert kinds <= RENDERED | {"inline", "text", "text_special", "code_inline", "code_block", "softbreak"}
    lines = "".join(token.content for token in tokens if token.type == "code_block")
    assert {*tomllib.loads(lines)["metrics"]} <= {pair.metric for pair in decision.pairs}, "Code is lines of TOML."
    heads = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    assert heads[1:] == ["Policy", "What keeps it open", "Notes"]
    assert not OBEYED.search(written)
    assert len(written) < 65_536, "GitHub takes no longer comment."


class Elements(HTMLParser):
    """The tags of a page with the names of their attributes, its scripts, its addresses and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[tuple[str, ...]] = set()
        self.scripts: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self._in_script = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add((tag, *(name for name, _ in attrs)))
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "data", "srcdoc")]
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        (self.scripts if self._in_script else self.texts).append(data)


def harmless(tree: Any) -> Any:
    """The same tree with a word in place of each text that is no name of ours, another word for another text."""
    if isinstance(tree, dict):
        return {name: harmless(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [harmless(item) for item in tree]
    is_foreign = isinstance(tree, str) and not re.fullmatch(r"[\w.:+ -]+", tree, re.ASCII)
    return f"text {zlib.crc32(tree.encode())}" if is_foreign else tree


def test_a_report_in_html_has_the_elements_of_any_other_and_asks_nobody(decision: Decision) -> None:
    plain = Decision.model_validate(harmless(decision.model_dump(mode="json")))
    hostile_page, plain_page = Elements(documents.to_html(decision)), Elements(documents.to_html(plain))
    assert hostile_page.tags == plain_page.tags
    assert hostile_page.addresses == []
    assert hostile_page.scripts == []
    assert not OBEYED.search("".join(hostile_page.texts))


@pytest.fixture(scope="module")
def client(source: Registry) -> Iterator[httpx.Client]:
    with (
        BackgroundServer(Starlette(routes=[http_api.mount()])) as server,
        httpx.Client(base_url=f"http://{HOST}:{server.port}", timeout=30) as found,
    ):
        yield found


def test_the_api_answers_in_ascii_with_every_text_as_it_came(client: httpx.Client, source: Registry) -> None:
    told = client.get("/api/models")
    models = told.json()["Models"]
    assert {model["ModelName"] for model in models} >= {mask_secrets(text) for text in hostile.TEXTS}
    listed = client.get(f"/api/models/{hostile.MODEL}/versions")
    names = {version["VersionName"] for version in listed.json()["Versions"]}
    assert names >= {mask_secrets({"VersionName": text})["VersionName"] for text in TEXTS}
    judged = client.get(f"/api/models/{hostile.MODEL}/decision", params={"candidate": hostile.CANDIDATE})
    assert Decision.model_validate(judged.json()) == decide_now(source, hostile.MODEL, hostile.CANDIDATE)
    for answer in (told, listed, judged):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert not OBEYED.search(answer.text)
        assert answer.text.isascii()


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["models"], len(hostile.TEXTS) + 2),
        (["models", "--format", "csv"], None),
        (["models", "--format", "json"], None),
        (["versions", hostile.MODEL], len(hostile.TEXTS) + 4),
        (["versions", hostile.MODEL, "--format", "csv"], None),
        (["versions", hostile.MODEL, "--format", "json"], None),
        *(
            (["compare", hostile.MODEL, hostile.CANDIDATE, "--format", form], None)
            for form in ("table", "md", "csv", "json")
        ),
        *((["check", hostile.MODEL, hostile.CANDIDATE, "--format", form], None) for form in ("table", "md", "json")),
    ],
    ids=lambda value: "-".join(value[:1] + value[-1:]) if isinstance(value, list) else "",
)
def test_nothing_a_terminal_obeys_is_printed(source: Registry, arguments: list[str], lines: int | None) -> None:
    printed = CliRunner().invoke(commands, arguments)
    assert printed.exit_code == (1 if arguments[0] == "check" else 0), printed.stderr
    assert not OBEYED.search(printed.stdout)
    assert not OBEYED.search(printed.stderr)
    assert "owned" in printed.stdout
    if "csv" not in arguments:
        assert "\t" not in printed.stdout
        assert not [line for line in printed.stdout.splitlines() if line.startswith("ERROR")]
    if lines is not None:
        assert len(printed.stdout.splitlines()) == lines, "A line a row, and one for the heads."


async def refuse(request: Request) -> Reply:
    """Refuse with the text that the id of the model asked for is."""
    text = unquote(request.path.split("/")[4])
    body = {"Code": text, "Message": text, "RequestId": text}
    return reply(body, status=403)


def test_no_line_of_the_log_is_a_strangers(caplog: pytest.LogCaptureFixture) -> None:
    texts = [text for text in hostile.TEXTS if text != ".." and len(text) <= MAX_PARAMETER_CHARACTERS]
    key = StaticCredentials("key", "secret")
    with Server(refuse) as server, Client(server.url, key) as client, caplog.at_level(logging.DEBUG):
        source = Registry(client, endpoint=server.url, principal="key", embedded=False, ttl=60)
        for text in texts:
            with pytest.raises(PaiviewError):
                source.versions(text)
    told = [record.getMessage() for record in caplog.records if record.name.startswith("paiview")]
    assert len(told) >= len(texts)
    assert [line for line in told if not line.isprintable()] == []
    assert max(map(len, told)) < 2000


def test_an_id_is_one_segment_of_a_request(service: Server, source: Registry) -> None:
    asked = [text for text in hostile.TEXTS if text != ".." and len(text) <= MAX_PARAMETER_CHARACTERS]
    before = len(service.requests)
    for text in {*hostile.TEXTS} - {*asked, ".."}:
        with pytest.raises(ParameterError):
            source.review(text)
    for text in asked:
        source.review(text)
    paths = {request.path for request in service.requests[before:]}
    assert {unquote(path.split("/")[4]) for path in paths} == {*asked}
    assert {(len(path.split("/")), path.split("/")[5]) for path in paths} == {(6, "versions")}
    with pytest.raises(PaiviewError, match="not a model id"):
        source.versions("..")

"""A canary for key, secret and token: whatever the service does with them, they are seen nowhere but in its headers.

The service is hostile: every error and every header of its answers quotes all it was sent, and the secret besides. All
that paiview runs logs at its most talkative.
"""

import asyncio
import base64
import html
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from tests.faults.matrix import FAULTS, VERSIONS, Fault, Way
from tests.harness.dashboard import LOOPBACK, ROOT, START, free_port
from tests.harness.server import Act, Reply, Request, Responder, Server, refusal, reply
from tests.harness.service import version
from tests.harness.sessions import Session

pytestmark = pytest.mark.timeout(300)
"""All pages of all models are opened for the first test."""

KEY_ID: Final = "LTAI5tCANARYKEYID83c1f0"
SECRET: Final = "CANARYSECRET4d27b9/with+odd=signs"
TOKEN: Final = "CANARYTOKEN6a05e2/with+odd=signs=="
WORDS: Final = ("CANARYKEYID83c1f0", "CANARYSECRET4d27b9", "CANARYTOKEN6a05e2")
"""Letters and digits that each canary holds, which no way of quoting changes."""
ALLOWED: Final = frozenset({"authorization", "x-acs-accesskey-id", "x-acs-security-token"})
SPECS: Final = "model-specs"
SPEC: Final = {
    "env": [{"name": "ACCESS", "value": SECRET}],
    "token": TOKEN,
    "secret": SECRET,
    "password": SECRET,
    "nested": {"access_key_id": KEY_ID, "api_token": TOKEN, "deep": [{"password": TOKEN}]},
}
LIMITS: Final = {"PAIVIEW_DEADLINE": "1.5", "PAIVIEW_READ_TIMEOUT": "1", "PAIVIEW_CONNECT_TIMEOUT": "0.5"}
LOUD: Final = "import logging\nlogging.basicConfig(level=logging.DEBUG)\n"
"""What Python runs at its start where it finds it: every logger of every package speaks."""
INVOKE: Final = """
import json, sys
from typer.testing import CliRunner
from paiview.cli.main import app
for command in json.load(sys.stdin):
    result = CliRunner().invoke(app, command)
    print(command, result.exit_code, result.output, repr(result.exception), flush=True)
"""


def model_of(fault: Fault) -> str:
    return "model-" + re.sub("[^a-z0-9]+", "-", fault.name.lower()).strip("-")


SERVED: Final = {model_of(fault): fault for fault in FAULTS if fault.way is Way.SERVED}


def quoted(request: Request) -> str:
    """All that the service can know, and the secret, in the ways it may be written."""
    sent = [request.headers.get(name, "") for name in sorted(ALLOWED)]
    forms = [
        form
        for text in (KEY_ID, SECRET, TOKEN)
        for form in (text, quote(text, safe=""), quote(text), base64.b64encode(text.encode()).decode(), repr(text))
    ]
    return " ".join(["Canonical string: GET", *forms, *sent])


def quoting(answer: Reply, request: Request) -> Reply:
    """The same answer with all of it in Message and RequestId, in a page of HTML, and in headers."""
    sent, *rest = answer
    if isinstance(sent, Act):
        return answer
    head, _, body = sent.partition(b"\r\n\r\n")
    text = quoted(request)
    if not head.startswith(b"HTTP/1.1 200") and body.startswith(b"{"):
        told = json.loads(body)
        body = json.dumps(told | {"Message": text, "RequestId": f"{told['RequestId']} {text}", "HostId": text}).encode()
    elif body.startswith(b"<"):
        body += html.escape(text).encode()
    elif not head.startswith(b"HTTP/1.1 200"):
        body = text.encode()
    announced = re.search(rb"Content-Length: (\d+)", head)
    length = int(announced[1]) if rest and announced else len(body)
    head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % max(length, len(body) + bool(rest)), head)
    headers = f"\r\nx-acs-request-id: R-{text}\r\nServer: {text}\r\nSet-Cookie: token={text}\r\n\r\n"
    return (head + headers.encode() + body, *rest)


class Hostile:
    """A model for every fault, and one whose specs hold secrets."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, bool], Responder] = {}
        self.listed = [
            *VERSIONS[:2],
            version("1.2.0", "2024-01-03", {"d-a": {"cer": 0.1}}, InferenceSpec=SPEC, TrainingSpec=SPEC, Labels=[]),
            version("1.3.0", "2024-01-04", {"d-a": {"cer": 0.2}}, InferenceSpec=SPEC | {"token": "other"}),
        ]

    async def __call__(self, request: Request) -> Reply:
        match request.path.removeprefix("/api/v1/").split("/"):
            case ["models"]:
                items = [{"ModelId": name, "ModelName": name} for name in (SPECS, *SERVED)]
                return reply({"Models": items, "TotalCount": len(items)})
            case ["models", name, "versions"] if name in SERVED and SERVED[name].answers:
                make = SERVED[name].answers
                assert make is not None
                # Counts of a status, which the page of models asks for, do not move a fault of the whole listing on.
                answer = self._answers.setdefault((name, "ApprovalStatus=" in request.raw_query), make())
                return quoting(await answer(request), request)
            case ["models", _, "versions"]:
                return reply({"Versions": self.listed, "TotalCount": len(self.listed), "RequestId": "R-good"})
            case ["workspaces"]:
                return reply({"Workspaces": [], "TotalCount": 0})
            case _:
                return quoting(refusal("201900002", 404), request)


@dataclass(frozen=True)
class Run:
    """All that was said, by where it was said."""

    said: dict[str, bytes]
    requests: list[Request]
    problems: dict[str, str]


def environment(home: Path, **settings: str) -> dict[str, str]:
    """What a process of paiview gets: the canaries, and the loudest log."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAIVIEW_", "ALIBABA_CLOUD_"))}
    return kept | {
        "PYTHONPATH": os.pathsep.join((str(home / "loud"), str(ROOT))),
        "HOME": str(home),
        "PAIVIEW_DATA_DIR": str(home / "data"),
        "STREAMLIT_LOGGER_LEVEL": "debug",
        "PYTHONASYNCIODEBUG": "1",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
        "ALIBABA_CLOUD_SECURITY_TOKEN": TOKEN,
        **LIMITS,
        **settings,
    }


def command_line(home: Path, endpoint: str, *commands: tuple[str, ...]) -> bytes:
    """What these commands write, in one process."""
    process = subprocess.run(
        [sys.executable, "-c", INVOKE],
        input=json.dumps(commands).encode(),
        cwd=home,
        env=environment(home, PAIVIEW_ENDPOINT=endpoint, COLUMNS="400"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=100,
        check=True,
    )
    return process.stdout


def await_answer(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the dashboard answers."""
    ends = time.monotonic() + START
    while time.monotonic() < ends:
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            fetched(f"{url}/healthz")
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            break
    raise AssertionError("The dashboard does not answer.")


def fetched(url: str) -> bytes:
    """The head and body of an answer, an error's as well."""
    try:
        with urllib.request.urlopen(url, timeout=START) as answer:  # noqa: S310 - the URL is of this test
            return str(answer.headers).encode() + bytes(answer.read())
    except urllib.error.HTTPError as error:
        return str(error.headers).encode() + error.read()


async def visited(url: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """Every page of every model, as it goes over the wire, and what the page of versions reports."""
    said: dict[str, bytes] = {}
    problems: dict[str, str] = {}
    at_once = asyncio.Semaphore(6)

    async def visit(model: str) -> None:
        async with at_once, Session(url) as session:
            for page in ("versions", "trends", "compare"):
                run = await session.open(page, model=model)
                said[f"{page} of {model}"] = bytes(run.raw)
                if page == "versions":
                    problems[model] = "\n".join(run.alerts)
                    pressed = await session.press("refresh") if "refresh" in run.widgets else run
                    said[f"{page} of {model}, read again"] = bytes(pressed.raw)
            for name in ("1.2.0", "1.3.0"):
                said[f"{name} of {model}"] = bytes((await session.open("versions", model=model, version=name)).raw)

    async with Session(url) as session:
        said["models"] = bytes((await session.open("")).raw)
    await asyncio.gather(*map(visit, (SPECS, *SERVED)))
    async with Session(url) as session:
        run = await session.open("compare", model=SPECS, candidate="1.3.0", baseline="1.2.0", data="000000000000")
        said["compare by a link"] = bytes(run.raw)
    return said, problems


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield f"file {path.name}", path.read_bytes()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every fault, seen by every way to look at it."""
    home = tmp_path_factory.mktemp("canary")
    (home / "data").mkdir()
    (home / "loud").mkdir()
    (home / "loud" / "sitecustomize.py").write_text(LOUD)
    log = home / "log"
    said: dict[str, bytes] = {}
    with ExitStack() as running:
        service = running.enter_context(Server(Hostile()))
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "paiview", "dashboard", "--port", str(port)],
            cwd=home,
            env=environment(home, PAIVIEW_ENDPOINT=service.url),
            stdout=running.enter_context(log.open("wb")),
            stderr=subprocess.STDOUT,
        )
        running.callback(process.wait, START)
        running.callback(process.terminate)
        url = f"http://{LOOPBACK}:{port}"
        await_answer(url, process)
        pages, problems = asyncio.run(visited(url))
        said |= pages
        for model in (SPECS, *SERVED):
            said[f"API versions of {model}"] = fetched(f"{url}/api/models/{model}/versions")
            said[f"API decision of {model}"] = fetched(f"{url}/api/models/{model}/decision?candidate=1.3.0")
        said["API models"] = fetched(f"{url}/api/models")
        said["metrics"] = fetched(f"{url}/metrics")
        said["process"] = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        said["command line"] = command_line(
            home,
            service.url,
            ("models",),
            ("config",),
            *((*("versions", SPECS, "--format"), kind) for kind in ("table", "json", "csv")),
            *(
                (*("compare", SPECS, "1.3.0", "--baseline", "1.2.0", "--format"), kind)
                for kind in ("table", "json", "md", "html")
            ),
            *(
                (*("check", SPECS, "1.3.0", "--baseline", "1.2.0", "--format"), kind)
                for kind in ("table", "json", "md")
            ),
            *(("versions", model) for model in SERVED),
        )
        said["command line, nobody listens"] = command_line(
            home, "http://127.0.0.1:9", ("models",), ("versions", SPECS)
        )
        said["command line, no TLS"] = command_line(
            home, service.url.replace("http:", "https:"), ("models",), ("versions", SPECS)
        )
    return Run(said | dict(written(home)), list(service.requests), problems)


def quotations(content: bytes) -> list[str]:
    """The canaries that stand in a text, as they are or in base64, wherever that begins."""
    found = [word for word in WORDS if word.encode() in content or word.encode().hex().encode() in content]
    for word in WORDS:
        for before in range(3):
            coded = base64.b64encode(b"\0" * before + word.encode())
            # Without the ends, which depend on what stands beside it.
            if coded[4 if before else 0 : -4] in content:
                found.append(f"{word} in base64")
    return found


def test_the_canaries_are_found_where_they_are() -> None:
    for text in (KEY_ID, SECRET, TOKEN):
        for form in (text, quote(text, safe=""), repr(text), html.escape(text), json.dumps(text)):
            assert len(quotations(form.encode())) == 1
        for before in range(4):
            assert len(quotations(base64.b64encode(b"-" * before + text.encode()))) == 1


def test_every_fault_was_met(run: Run) -> None:
    """The version missing is missed by a link alone, and the large answer may be too large for so short a deadline."""
    unexpected = [name for name, fault in SERVED.items() if bool(run.problems[name]) is not bool(fault.says)]
    assert set(unexpected) <= {"model-version-missing", "model-a-50-mb-answer"}
    assert b"DEBUG:asyncio" in run.said["file log"]
    assert b"INFO:httpx:HTTP Request: GET" in run.said["file log"]
    assert b"INFO:httpx:HTTP Request: GET" in run.said["command line"]
    assert all(request.headers["x-acs-security-token"] == TOKEN for request in run.requests)


def test_no_canary_is_said_anywhere(run: Run) -> None:
    leaks = {place: found for place, content in run.said.items() if (found := quotations(content))}
    assert leaks == {}


def test_what_specs_hold_is_masked_and_not_left_out(run: Run) -> None:
    for place in (f"1.2.0 of {SPECS}", f"API versions of {SPECS}", "command line"):
        assert "••••".encode() in run.said[place] or rb"\u2022" in run.said[place], place


def test_the_canaries_travel_in_their_headers_alone(run: Run) -> None:
    for request in run.requests:
        elsewhere: dict[str, Any] = {name: text for name, text in request.headers.items() if name not in ALLOWED}
        told = f"{request.method} {request.path} {request.raw_query} {elsewhere}"
        assert quotations(told.encode()) == []
        assert not any(word in request.headers["authorization"] for word in WORDS[1:])

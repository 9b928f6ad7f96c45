"""The faults of a service, as data: how it misbehaves, and what a page makes of it.

Each hits the listing of the versions of one model and nothing else, except for those below HTTP, which hit all.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from paiview.pai.transport import MAX_ATTEMPTS
from tests.harness.server import Act, Reply, Request, Responder, refusal, reply, script
from tests.harness.service import version

MODEL: Final = "model-a"
VERSIONS: Final = [version(f"1.{minor}.0", f"2024-01-{minor + 1:02}", {"d-a": {"cer": 0.1}}) for minor in range(18)]
PAGE_SIZE: Final = 8
"""Three pages of versions, and one page of the table with whatever a fault adds."""
HTML: Final = b"<!DOCTYPE html><html><body><h1>Bad gateway</h1></body></html>"
HALF: Final = b'{"Versions": [{"VersionName": "1.0.0", "Ver'
LARGE: Final = 50 * 2**20
LATE: Final = "within {deadline:g} s"
UNEVEN: Final = "The list kept changing while it was read twice: the service counts"


class Way(Enum):
    """Where the way to the service ends."""

    SERVED = auto()
    REFUSED = auto()
    UNKNOWN_HOST = auto()
    NOT_ACCEPTED = auto()


@dataclass(frozen=True)
class Fault:
    """One way to misbehave, and what is to come of it.

    Attributes:
        name: what stands in the table.
        says: what a page says, every text of it; ``{deadline}`` stands for the one in force. Nothing for no text.
        answers: makes what answers for the listing. The good listing when not given.
        way: where the way to the service ends.
        tries: requests for one page of the listing, at most.
        shown: versions that come all the same.
        withdraws: whether what was read before may not be shown any more.
        page: the page that is looked at.
        parameters: its query besides the model.
    """

    name: str
    says: tuple[str, ...] = ()
    answers: Callable[[], Responder] | None = None
    way: Way = Way.SERVED
    tries: int = 1
    shown: int = 0
    withdraws: bool = False
    page: str = "versions"
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Whether a page waits for it as long as it waits at all."""
        return LATE in self.says

    @property
    def kept(self) -> int:
        """Versions shown when the good listing came before."""
        return 0 if self.withdraws else max(self.shown, len(VERSIONS))

    def lost(self, *, after_good: bool) -> int:
        """Versions that came and are not shown: those that may not be seen any more."""
        return len(VERSIONS) if after_good and self.withdraws else 0


def listed(request: Request, items: Sequence[dict[str, Any]], size: int | None = None, **fields: Any) -> Reply:
    """One page of these items, as long as asked or shorter."""
    size = min(size or PAGE_SIZE, int(request.query["PageSize"]))
    start = (request.page - 1) * size
    return reply({"Versions": items[start : start + size], "TotalCount": len(items), "RequestId": "R-good", **fields})


def always(*answers: Reply) -> Callable[[], Responder]:
    """These answers in turn, and the last one from then on."""
    return lambda: script(*answers)


def refused(code: str, status: int, headers: dict[str, str] | None = None) -> Callable[[], Responder]:
    """An error of the service for every request."""
    return always(refusal(code, status, headers=headers or {}))


def expiring() -> Responder:
    """Calls the first token expired, and lists for the next."""
    asked = 0

    async def respond(request: Request) -> Reply:
        nonlocal asked
        asked += 1
        return refusal("InvalidSecurityToken.Expired", 400) if asked == 1 else listed(request, VERSIONS)

    return respond


def capped() -> Responder:
    """Gives shorter pages than asked for."""

    async def respond(request: Request) -> Reply:
        return listed(request, VERSIONS, 3)

    return respond


def in_order() -> Callable[[Request], int]:
    """Counts the requests that come before this one if all pages of a listing are requested in order.

    Clients request pages in parallel, so the order in which they come is not certain.
    """
    listings = 0

    def earlier(request: Request) -> int:
        nonlocal listings
        listings += request.page == 1
        return (listings - 1) * -(-len(VERSIONS) // PAGE_SIZE) + request.page - 1

    return earlier


def shrinking() -> Responder:
    """Loses its first version after each response."""
    earlier = in_order()

    async def respond(request: Request) -> Reply:
        return listed(request, VERSIONS[earlier(request) :])

    return respond


def growing() -> Responder:
    """Gets a version before all others after each response."""
    earlier = in_order()

    async def respond(request: Request) -> Reply:
        new = [version(f"2.{number}.0", "2024-02-01") for number in reversed(range(earlier(request)))]
        return listed(request, [*new, *VERSIONS])

    return respond


def repeating() -> Responder:
    """Begins its second page with the last three versions of the first."""
    items = [*VERSIONS[:PAGE_SIZE], *VERSIONS[PAGE_SIZE - 3 : -3]]

    async def respond(request: Request) -> Reply:
        return listed(request, items)

    return respond


def gapped() -> Responder:
    """Sends a second page without a version."""

    async def respond(request: Request) -> Reply:
        if request.page == 2:
            return reply({"Versions": [], "TotalCount": len(VERSIONS), "RequestId": "R-good"})
        return listed(request, VERSIONS)

    return respond


def large() -> Responder:
    """Sends a first page of 50 MB: half of it one description, half a field that nobody knows."""
    padding = "x" * (LARGE // 2)
    items = [VERSIONS[0] | {"VersionDescription": padding, "Padding": padding}, *VERSIONS[1:]]

    async def respond(request: Request) -> Reply:
        return listed(request, items)

    return respond


def redirecting() -> Responder:
    """Sends the asker to the same port under another host name."""

    async def respond(request: Request) -> Reply:
        port = request.headers["host"].rpartition(":")[2]
        return reply(status=307, headers={"Location": f"http://localhost:{port}/elsewhere"})

    return respond


def names_in(answer: Reply) -> set[str]:
    """The versions that an answer lists, where it came whole."""
    head, _, body = b"".join(part for part in answer if isinstance(part, bytes)).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200") or len(body) > LARGE:
        return {item["VersionName"] for item in VERSIONS[:PAGE_SIZE]} if len(body) > LARGE else set()
    try:
        items = json.loads(body)["Versions"]
    except (ValueError, TypeError):
        return set()
    return {item["VersionName"] for item in items}


FAULTS: Final = [
    Fault("none, to compare with", shown=len(VERSIONS)),
    Fault("connection refused", ("No connection could be made to 127.0.0.1",), way=Way.REFUSED),
    Fault("DNS failure", ("No PAI endpoint answers at localhost: the host name is unknown",), way=Way.UNKNOWN_HOST),
    Fault("connect hang", (LATE,), way=Way.NOT_ACCEPTED, tries=MAX_ATTEMPTS),
    Fault("read hang", (LATE,), always((Act.HANG,)), tries=MAX_ATTEMPTS),
    Fault("dripping body", (LATE,), always(reply(HALF, length=10**6, then=Act.DRIP))),
    Fault(
        "reset mid-body",
        ("closed the connection",),
        always(reply(HALF, length=5000, then=Act.RESET)),
        tries=MAX_ATTEMPTS,
    ),
    Fault(
        "body shorter than Content-Length",
        ("closed the connection",),
        always(reply(HALF, length=5000, then=Act.CLOSE)),
        tries=MAX_ATTEMPTS,
    ),
    Fault("200 with HTML", ("a web page",), always(reply(HTML))),
    Fault(
        "200 with half a JSON",
        ("the beginning of one in place of a JSON object",),
        always(reply(HALF)),
        tries=MAX_ATTEMPTS,
    ),
    Fault("200 with a JSON list", ("something else",), always(reply(VERSIONS))),
    Fault("500", ("InternalError", "R-InternalError"), refused("InternalError", 500), tries=MAX_ATTEMPTS),
    Fault("502 with HTML", ("HTTP status 502",), always(reply(HTML, status=502)), tries=MAX_ATTEMPTS),
    Fault(
        "503", ("ServiceUnavailable", "R-ServiceUnavailable"), refused("ServiceUnavailable", 503), tries=MAX_ATTEMPTS
    ),
    Fault("429 without a hint", ("HTTP status 429",), always(reply(status=429)), tries=MAX_ATTEMPTS),
    Fault(
        "429 with a hint",
        ("Throttling.Api", "asking to wait 0.25 s"),
        refused("Throttling.Api", 429, {"x-acs-retry-after": "250"}),
        tries=MAX_ATTEMPTS,
    ),
    Fault(
        "Throttling.User as 400 with a hint",
        ("Throttling.User", "asking to wait 0.25 s", "R-Throttling.User"),
        refused("Throttling.User", 400, {"x-acs-retry-after": "250"}),
        tries=MAX_ATTEMPTS,
    ),
    Fault(
        "a hint of an hour",
        ("Throttling.User", "asking to wait 3600 s"),
        refused("Throttling.User", 400, {"x-acs-retry-after": "3600000"}),
    ),
    Fault("NoPermission", ("NoPermission", "R-NoPermission"), refused("NoPermission", 403), withdraws=True),
    Fault(
        "wrong secret",
        ("the access key secret does not match", "R-SignatureDoesNotMatch"),
        refused("SignatureDoesNotMatch", 400),
        withdraws=True,
    ),
    Fault(
        "unknown key",
        ("InvalidAccessKeyId.NotFound", "Check the server's access key"),
        refused("InvalidAccessKeyId.NotFound", 404),
        withdraws=True,
    ),
    Fault("expired token, then fine", (), expiring, tries=2, shown=len(VERSIONS)),
    Fault(
        "expired token for good",
        ("InvalidSecurityToken.Expired", "Renew"),
        refused("InvalidSecurityToken.Expired", 400),
        tries=2,
    ),
    Fault("clock skew", ("InvalidTimeStamp.Expired", "Set the clock"), refused("InvalidTimeStamp.Expired", 400)),
    Fault("model missing", ("201900002", "R-201900002"), refused("201900002", 404), withdraws=True),
    Fault(
        "version missing",
        ("has no version 9",),
        shown=len(VERSIONS),
        page="compare",
        parameters={"candidate": "9.9.9"},
    ),
    Fault("page cap below what was asked", (), capped, shown=len(VERSIONS)),
    Fault("total shrinking", (f"{UNEVEN} 14, and 18 different ones came",), shrinking, tries=2, shown=18),
    Fault("total growing", (f"{UNEVEN} 23, and 21 different ones came",), growing, tries=2, shown=21),
    Fault("duplicates across pages", (f"{UNEVEN} 18, and 15 different ones came",), repeating, tries=2, shown=15),
    Fault("empty page in the middle", (f"{UNEVEN} 18, and 10 different ones came",), gapped, tries=2, shown=10),
    Fault("a 50 MB answer", (), large, shown=len(VERSIONS)),
    Fault("a redirect to another host", ("redirect",), redirecting),
]

"""Decisions about versions as they are now, over real sockets: what is read again, and the notes if that fails."""

import asyncio
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from paiview.decisions.contracts import Contracts
from paiview.decisions.lineage import UnknownVersionError
from paiview.pai import transport
from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
from paiview.pai.errors import UnavailableError
from paiview.pai.objects import VersionFilters
from paiview.registry import cache
from paiview.registry.live_decision import LiveDecisions, decide_all_now, decide_listed, decide_now
from paiview.registry.registry import (
    DECISION_MAX_AGE_SECONDS,
    FULL_LIST_EVERY_TTLS,
    UNKNOWN_MAX_AGE_SECONDS,
    Registry,
)
from tests.harness.server import Reply, Request, Responder, Server, refusal, reply
from tests.harness.service import Service, version

TTL: Final = 60.0
MODEL: Final = "model-a"
VERSIONS: Final = f"models/{MODEL}/versions"
DAY: Final = datetime(2026, 1, 2, tzinfo=UTC)
PAGE_SIZE: Final = 2
WAIT: Final = 10.0
"""Seconds after which a wait has failed."""


class Clock:
    """A clock that the tests move."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return DAY + timedelta(seconds=self.seconds)


def measured(name: str, day: int, value: float, status: str = "Pending", **fields: Any) -> dict[str, Any]:
    return version(name, f"2024-01-{day:02}", {"d-a": {"cer": value}}, ApprovalStatus=status, **fields)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service() -> Service:
    """Eight versions: more than the three pages of a refresh contain."""
    older = [measured(f"0.{day}.0", day, 0.9, "Rejected") for day in range(1, 6)]
    newer = [measured("1.0.0", 6, 0.2, "Approved"), measured("1.1.0", 7, 0.3), measured("1.2.0", 8, 0.1)]
    return Service(versions={MODEL: [*older, *newer]})


class Held:
    """Holds responses back after they are computed."""

    def __init__(self) -> None:
        self._path = ""
        self._asked = threading.Event()
        self._gate = threading.Event()
        self._gate.set()

    def after(self, path: str) -> None:
        """Hold the responses to a path from now on."""
        self._path = f"/api/v1/{path}"
        self._gate.clear()

    def wait(self) -> None:
        """Wait until the first of them is computed."""
        assert self._asked.wait(WAIT)

    def release(self) -> None:
        """Send all responses."""
        self._gate.set()

    def around(self, service: Service) -> Responder:
        async def respond(request: Request) -> Reply:
            answer = await service(request)
            if request.path == self._path and not self._gate.is_set():
                self._asked.set()
                await asyncio.to_thread(self._gate.wait, WAIT)
            return answer

        return respond


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def registry(service: Service, clock: Clock, held: Held, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setattr(transport, "FIRST_RETRY_WAIT_SECONDS", 0.005)
    monkeypatch.setattr(cache, "PROGRESS_INTERVAL_SECONDS", 0.005)
    with ExitStack() as running:
        url = running.enter_context(Server(held.around(service))).url
        client = running.enter_context(
            Client(url, StaticCredentials("key", "secret"), page_size=PAGE_SIZE, deadline=5.0)
        )
        yield Registry(
            client,
            endpoint=url,
            principal="key",
            embedded=False,
            ttl=TTL,
            reader_wait_seconds=15.0,
            clock=clock,
            now=clock.now,
        )


@pytest.fixture
def compare(registry: Registry) -> Callable[..., LiveDecisions]:
    def about(*candidates: str, **options: Any) -> LiveDecisions:
        return decide_all_now(registry, MODEL, candidates or ("1.2.0",), contracts=Contracts(), **options)

    return about


Compare = Callable[..., LiveDecisions]


def change(service: Service, name: str, **fields: Any) -> None:
    """Change fields of a version in the service."""
    service.versions[MODEL] = [
        item | fields if item["VersionName"] == name else item for item in service.versions[MODEL]
    ]


def results(value: float) -> dict[str, Any]:
    return {"Results": [{"Dataset": {"DatasetId": "d-a"}, "Metrics": {"cer": value}}]}


def single_reads(service: Service) -> list[str]:
    return sorted(
        request.path.removeprefix(f"/api/v1/{VERSIONS}/")
        for request in service.requests
        if request.path.startswith(f"/api/v1/{VERSIONS}/")
    )


def settle() -> None:
    """Wait for the end of all background reads."""
    for thread in threading.enumerate():
        if thread.name == "paiview-read":
            thread.join(WAIT)


def test_a_recent_listing_is_enough(service: Service, clock: Clock, compare: Compare) -> None:
    first = compare()
    assert (first.decisions[0].baseline, first.decisions[0].summary.word) == ("1.0.0", "Better")
    assert first.read_at == DAY
    clock.seconds = DECISION_MAX_AGE_SECONDS - 0.1
    assert compare() == first
    assert single_reads(service) == []


def test_with_an_older_listing_both_sides_are_read_one_by_one(service: Service, clock: Clock, compare: Compare) -> None:
    compare()
    clock.seconds = DECISION_MAX_AGE_SECONDS
    judged = compare()
    assert single_reads(service) == ["1.0.0", "1.2.0"]
    assert judged.read_at == DAY + timedelta(seconds=DECISION_MAX_AGE_SECONDS)
    assert judged.decisions[0].notes == ()
    clock.seconds += DECISION_MAX_AGE_SECONDS - 0.1
    assert compare() == judged
    clock.seconds += 0.1
    assert compare().read_at == clock.now()
    assert single_reads(service) == ["1.0.0", "1.0.0", "1.2.0", "1.2.0"]


def test_the_age_of_a_slow_response_counts_from_its_request(
    service: Service, clock: Clock, held: Held, compare: Compare
) -> None:
    compare()
    clock.seconds = DECISION_MAX_AGE_SECONDS
    # The baseline is asked for last, so that both requests have begun before the clock goes on.
    held.after(f"{VERSIONS}/1.0.0")
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(compare)
        held.wait()
        clock.seconds += 13
        held.release()
        assert slow.result(WAIT).read_at == DAY + timedelta(seconds=DECISION_MAX_AGE_SECONDS)
    change(service, "1.0.0", Metrics=results(0.05))
    clock.seconds += DECISION_MAX_AGE_SECONDS - 0.5
    judged = compare()
    assert (judged.decisions[0].summary.word, judged.read_at) == ("Worse", clock.now())


def test_an_edit_of_the_candidate_is_in_the_decision(service: Service, clock: Clock, compare: Compare) -> None:
    before = compare().decisions[0]
    change(service, "1.2.0", Metrics=results(0.5))
    clock.seconds = DECISION_MAX_AGE_SECONDS
    judged = compare()
    assert (judged.decisions[0].summary.word, judged.decisions[0].notes) == ("Worse", ())
    assert judged.decisions[0].data_fingerprint != before.data_fingerprint
    assert judged.versions[MODEL, "1.2.0"].metrics == results(0.5)


def test_an_edit_of_the_baseline_is_in_the_decision(service: Service, clock: Clock, compare: Compare) -> None:
    compare()
    change(service, "1.0.0", Metrics=results(0.05))
    clock.seconds = DECISION_MAX_AGE_SECONDS
    assert compare().decisions[0].summary.word == "Worse"


def test_a_status_changed_since_the_listing_is_shown(service: Service, clock: Clock, compare: Compare) -> None:
    compare()
    change(service, "1.2.0", ApprovalStatus="Rejected")
    clock.seconds = DECISION_MAX_AGE_SECONDS
    assert compare().versions[MODEL, "1.2.0"].approval_status == "Rejected"


def test_if_the_baseline_is_no_longer_approved_the_rules_choose_another_from_a_new_listing(
    service: Service, clock: Clock, compare: Compare
) -> None:
    change(service, "1.1.0", ApprovalStatus="Approved")
    assert compare().decisions[0].baseline == "1.1.0"
    change(service, "1.1.0", ApprovalStatus="Rejected")
    change(service, "1.0.0", Metrics=results(0.01))
    clock.seconds = DECISION_MAX_AGE_SECONDS
    judged = compare()
    assert (judged.decisions[0].baseline, judged.decisions[0].summary.word) == ("1.0.0", "Worse")
    assert judged.read_at == clock.now()
    assert single_reads(service) == ["1.1.0", "1.2.0"]
    assert len(service.asked(VERSIONS)) == 8


def test_candidates_are_read_together_and_each_gets_a_decision(
    service: Service, clock: Clock, compare: Compare
) -> None:
    compare("1.1.0", "1.2.0")
    change(service, "1.1.0", Metrics=results(0.05))
    clock.seconds = DECISION_MAX_AGE_SECONDS
    judged = compare("1.1.0", "1.2.0")
    assert [decision.summary.word for decision in judged.decisions] == ["Better", "Better"]
    assert single_reads(service) == ["1.0.0", "1.1.0", "1.2.0"]


def test_a_deleted_version_gets_no_decision(service: Service, clock: Clock, compare: Compare) -> None:
    compare()
    service.versions[MODEL].pop()
    clock.seconds = DECISION_MAX_AGE_SECONDS
    with pytest.raises(UnknownVersionError, match=r"model-a has no version 1\.2\.0 as of .* UTC\.") as raised:
        compare()
    assert raised.value.status == 404


def test_a_deleted_version_gets_no_decision_when_listing_fails(
    service: Service, clock: Clock, compare: Compare
) -> None:
    compare()
    service.versions[MODEL].pop()
    service.refusals[f"/api/v1/{VERSIONS}"] = refusal("NotNow", 400)
    clock.seconds = DECISION_MAX_AGE_SECONDS
    with pytest.raises(UnknownVersionError, match=r"model-a no longer has the version 1\.2\.0"):
        compare()


def test_a_version_that_is_listed_but_not_found_by_name_is_decided_from_a_new_listing(
    service: Service, clock: Clock, compare: Compare
) -> None:
    compare()
    service.refusals[f"/api/v1/{VERSIONS}/1.2.0"] = refusal("201900003", 404)
    change(service, "1.2.0", Metrics=results(0.5))
    clock.seconds = DECISION_MAX_AGE_SECONDS
    judged = compare()
    assert (judged.decisions[0].summary.word, judged.read_at) == ("Worse", clock.now())


def test_if_rereading_fails_the_listing_counts_and_a_note_says_so(
    service: Service, clock: Clock, compare: Compare
) -> None:
    before = compare().decisions[0]
    service.refusals[f"/api/v1/{VERSIONS}/1.2.0"] = refusal("NoPermission", 403, "May list, may not get.")
    clock.seconds = 30
    judged = compare()
    [note] = judged.decisions[0].notes
    assert note.startswith(
        "model-a: the versions compared could not be read again for this decision. They are as of "
        "2026-01-02 00:00:00 UTC."
    )
    assert "May list, may not get." in note
    assert judged.read_at == DAY
    assert judged.decisions[0].model_copy(update={"notes": ()}) == before


def test_a_baseline_of_another_model_is_read_again_as_well(service: Service, clock: Clock, compare: Compare) -> None:
    service.versions["model-b"] = [measured("7.0.0", 1, 0.2)]
    options = {"baseline": "7.0.0", "baseline_model": "model-b"}
    assert compare(**options).decisions[0].summary.word == "Better"
    service.versions["model-b"] = [measured("7.0.0", 1, 0.05)]
    clock.seconds = DECISION_MAX_AGE_SECONDS
    judged = compare(**options)
    assert judged.decisions[0].summary.word == "Worse"
    assert set(judged.versions) == {(MODEL, "1.2.0"), ("model-b", "7.0.0")}


def test_a_version_without_a_name_counts_as_listed(service: Service, clock: Clock, compare: Compare) -> None:
    service.versions[MODEL].append(measured("", 9, 0.01))
    compare("(unnamed 9)")
    clock.seconds = DECISION_MAX_AGE_SECONDS
    judged = compare("(unnamed 9)")
    assert judged.decisions[0].summary.word == "Better"
    assert single_reads(service) == ["1.0.0"]


def test_a_candidate_that_was_created_again_is_decided_from_a_new_listing(
    service: Service, clock: Clock, compare: Compare
) -> None:
    change(service, "1.2.0", ApprovalStatus="Approved")
    assert compare("1.1.0").decisions[0].baseline == "1.0.0"
    change(service, "1.1.0", **measured("1.1.0", 9, 0.3))
    service.versions[MODEL].append(service.versions[MODEL].pop(-2))
    clock.seconds = DECISION_MAX_AGE_SECONDS
    judged = compare("1.1.0")
    assert (judged.decisions[0].baseline, judged.read_at) == ("1.2.0", clock.now())


def test_a_creation_time_with_milliseconds_is_the_same(service: Service, clock: Clock, compare: Compare) -> None:
    compare()
    service.refusals[f"/api/v1/{VERSIONS}/1.2.0"] = reply(
        service.versions[MODEL][-1] | {"GmtCreateTime": "2024-01-08T00:00:00.123Z"}
    )
    clock.seconds = DECISION_MAX_AGE_SECONDS
    compare()
    assert len(service.asked(VERSIONS)) == 4


def test_versions_reread_before_a_newer_listing_do_not_count(
    service: Service, clock: Clock, registry: Registry, compare: Compare
) -> None:
    compare()
    clock.seconds = DECISION_MAX_AGE_SECONDS
    assert compare().decisions[0].summary.word == "Better"
    clock.seconds = 30
    change(service, "1.2.0", Metrics=results(0.5))
    registry.refresh_versions(MODEL)
    registry.versions(MODEL)
    service.refusals[f"/api/v1/{VERSIONS}/1.2.0"] = refusal("NotNow", 400)
    clock.seconds = 30 + DECISION_MAX_AGE_SECONDS
    judged = compare()
    assert (judged.decisions[0].summary.word, judged.read_at) == ("Worse", DAY + timedelta(seconds=30))
    assert len(judged.decisions[0].notes) == 1


def test_versions_reread_before_a_newer_but_equal_listing_do_not_count(
    service: Service, clock: Clock, registry: Registry, compare: Compare
) -> None:
    compare()
    change(service, "1.2.0", Metrics=results(0.5))
    clock.seconds = DECISION_MAX_AGE_SECONDS
    assert compare().decisions[0].summary.word == "Worse"
    change(service, "1.2.0", Metrics=results(0.1))
    clock.seconds = 30
    registry.refresh_versions(MODEL)
    registry.versions(MODEL)
    service.refusals[f"/api/v1/{VERSIONS}/1.2.0"] = refusal("NotNow", 400)
    clock.seconds = 30 + DECISION_MAX_AGE_SECONDS
    judged = compare()
    assert (judged.decisions[0].summary.word, judged.read_at) == ("Better", DAY + timedelta(seconds=30))


def test_a_response_with_another_version_does_not_count(service: Service, clock: Clock, compare: Compare) -> None:
    before = compare().decisions[0]
    service.refusals[f"/api/v1/{VERSIONS}/1.2.0"] = reply(service.versions[MODEL][0])
    clock.seconds = DECISION_MAX_AGE_SECONDS
    judged = compare().decisions[0]
    assert "another version than the one requested" in judged.notes[0]
    assert judged.model_copy(update={"notes": ()}) == before


def test_a_decision_waits_for_a_newer_listing_after_the_ttl(service: Service, clock: Clock, compare: Compare) -> None:
    assert compare().decisions[0].baseline == "1.0.0"
    change(service, "1.1.0", ApprovalStatus="Approved", Metrics=results(0.05))
    clock.seconds = TTL
    judged = compare().decisions[0]
    assert (judged.baseline, judged.summary.word, judged.fetched_at) == ("1.1.0", "Worse", clock.now())


def test_a_note_says_that_listing_again_failed(service: Service, clock: Clock, compare: Compare) -> None:
    compare()
    service.refusals[f"/api/v1/{VERSIONS}"] = refusal("NotNow", 400)
    clock.seconds = TTL
    judged = compare()
    [note] = judged.decisions[0].notes
    assert note.startswith(
        "model-a: the versions could not be listed again for this decision. Versions created or approved since "
        "2026-01-02 00:00:00 UTC are not considered."
    )
    assert judged.read_at == clock.now()


def test_a_decision_waits_less_for_a_hanging_listing_than_a_page_does(
    service: Service, clock: Clock, compare: Compare, held: Held
) -> None:
    def as_page() -> LiveDecisions:
        with cache.reading():
            return compare()

    compare()
    clock.seconds = TTL
    held.after(VERSIONS)
    with ThreadPoolExecutor(1) as pool:
        judged = pool.submit(as_page)
        while not judged.done():
            clock.seconds += 1
            wait([judged], 0.01)
        held.release()
    assert "No answer came within 5 s" in judged.result().decisions[0].notes[-1]


def test_the_decision_is_as_old_as_the_listing_of_a_version_without_a_name(
    service: Service, clock: Clock, compare: Compare
) -> None:
    service.versions[MODEL].append(measured("", 9, 0.01))
    compare("(unnamed 9)")
    clock.seconds = DECISION_MAX_AGE_SECONDS
    assert compare("(unnamed 9)").read_at == DAY


def test_a_deleted_version_is_not_decided_from_a_listing_that_was_under_way(
    service: Service, clock: Clock, compare: Compare, held: Held
) -> None:
    del service.versions[MODEL][:6]
    compare()
    clock.seconds = TTL
    held.after(VERSIONS)
    with ThreadPoolExecutor(1) as pool:
        judged = pool.submit(compare)
        held.wait()
        service.versions[MODEL].pop()
        clock.seconds += DECISION_MAX_AGE_SECONDS
        held.release()
        with pytest.raises(UnknownVersionError):
            judged.result(WAIT)
    assert single_reads(service) == ["1.1.0", "1.2.0"]


def test_a_deleted_version_is_not_decided_from_an_uneven_listing_that_keeps_it(
    service: Service, clock: Clock, compare: Compare
) -> None:
    compare()
    service.refusals[f"/api/v1/{VERSIONS}"] = reply({"Versions": service.versions[MODEL][:-1], "TotalCount": 9})
    service.versions[MODEL].pop()
    clock.seconds = DECISION_MAX_AGE_SECONDS
    with pytest.raises(UnknownVersionError, match=r"no longer has the version 1\.2\.0"):
        compare()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal("NotNow", 400, "Not now."), "Not now."),
        (reply({"Versions": [measured("1.0.0", 6, 0.2)], "TotalCount": 9}), "kept changing"),
    ],
)
def test_a_changed_version_gets_no_decision_when_listing_fails(
    service: Service, clock: Clock, compare: Compare, answer: Reply, reason: str
) -> None:
    compare()
    change(service, "1.2.0", Metrics=results(0.5))
    service.refusals[f"/api/v1/{VERSIONS}"] = answer
    clock.seconds = DECISION_MAX_AGE_SECONDS
    with pytest.raises(UnavailableError) as raised:
        compare()
    assert raised.value.message.startswith("model-a: 1.2.0 has changed since the versions were listed, and they could")
    assert reason in raised.value.message


def test_many_readers_of_a_changed_version_list_once(service: Service, clock: Clock, compare: Compare) -> None:
    compare()
    change(service, "1.2.0", Metrics=results(0.5))
    clock.seconds = DECISION_MAX_AGE_SECONDS
    with ThreadPoolExecutor(20) as pool:
        judged = [pool.submit(compare) for _ in range(20)]
        assert {each.result(WAIT).decisions[0].summary.word for each in judged} == {"Worse"}
    assert len(service.asked(VERSIONS)) == 8


def test_many_readers_of_a_deleted_version_list_once(service: Service, clock: Clock, compare: Compare) -> None:
    compare()
    service.versions[MODEL] = [item for item in service.versions[MODEL] if item["VersionName"] != "1.0.0"]
    clock.seconds = DECISION_MAX_AGE_SECONDS
    with ThreadPoolExecutor(20) as pool:
        judged = [pool.submit(compare) for _ in range(20)]
        assert {each.result(WAIT).decisions[0].baseline for each in judged} == {"1.1.0"}
    assert len(service.asked(VERSIONS)) == 8


def test_readers_of_a_deleted_version_do_not_repeat_a_failed_listing(
    service: Service, clock: Clock, compare: Compare
) -> None:
    compare()
    service.versions[MODEL].pop()
    service.refusals[f"/api/v1/{VERSIONS}"] = refusal("NotNow", 400)
    clock.seconds = DECISION_MAX_AGE_SECONDS
    for _ in range(20):
        with pytest.raises(UnknownVersionError):
            compare()
    assert len(service.asked(VERSIONS)) == 5


def test_a_new_listing_of_one_model_does_not_replace_rereading_the_other(
    service: Service, clock: Clock, compare: Compare
) -> None:
    service.versions["model-b"] = [measured("7.0.0", 1, 0.2)]
    options = {"baseline": "7.0.0", "baseline_model": "model-b"}
    assert compare(**options).decisions[0].summary.word == "Better"
    service.refusals[f"/api/v1/{VERSIONS}/1.2.0"] = refusal("201900003", 404)
    service.versions["model-b"] = [measured("7.0.0", 1, 0.05)]
    clock.seconds = DECISION_MAX_AGE_SECONDS
    assert compare(**options).decisions[0].summary.word == "Worse"


def test_a_listing_dated_by_a_clock_that_was_ahead_is_not_trusted(
    service: Service, clock: Clock, registry: Registry, compare: Compare
) -> None:
    clock.seconds = 100
    compare()
    change(service, "1.2.0", Metrics=results(0.5))
    clock.seconds = 90
    assert compare().decisions[0].summary.word == "Worse"


def test_a_listing_alone_decides_without_a_read(service: Service, clock: Clock, registry: Registry) -> None:
    listing = registry.versions(MODEL)
    before = len(service.requests)
    clock.seconds = 30
    decisions = decide_listed(listing, ["1.2.0", "1.1.0"], Contracts())
    assert [(decision.candidate, decision.summary.word) for decision in decisions] == [
        ("1.2.0", "Better"),
        ("1.1.0", "Worse"),
    ]
    assert len(service.requests) == before


def test_a_refresh_of_an_unchanged_listing_requests_three_pages(
    service: Service, clock: Clock, registry: Registry
) -> None:
    first = registry.versions(MODEL)
    assert len(service.asked(VERSIONS)) == 4
    clock.seconds = TTL
    registry.versions(MODEL)
    settle()
    requests = service.asked(VERSIONS)[4:]
    assert Counter(query.get("ApprovalStatus") for query in requests) == Counter([None, "Approved", "Rejected"])
    second = registry.versions(MODEL)
    assert (second.identity, second.fetched_at, second.fully_read_at) == (first.identity, clock.now(), DAY)
    assert second.frames is first.frames


def test_new_and_newly_approved_versions_come_with_the_three_pages(
    service: Service, clock: Clock, registry: Registry
) -> None:
    first = registry.versions(MODEL)
    change(service, "1.1.0", ApprovalStatus="Approved")
    service.versions[MODEL].append(measured("2.0.0", 9, 0.4))
    clock.seconds = TTL
    registry.versions(MODEL)
    settle()
    assert len(service.asked(VERSIONS)) == 4 + 3
    second = registry.versions(MODEL)
    assert second.identity != first.identity
    assert second.total == 9
    assert [item.raw for item in second.versions] == service.versions[MODEL]
    assert second.frames.versions["version_name"].iloc[-1] == "2.0.0"


def test_a_change_that_the_three_pages_do_not_explain_is_listed_in_full(
    service: Service, clock: Clock, registry: Registry
) -> None:
    registry.versions(MODEL)
    del service.versions[MODEL][0]
    clock.seconds = TTL
    registry.versions(MODEL)
    settle()
    second = registry.versions(MODEL)
    assert (len(second.versions), second.fully_read_at) == (7, clock.now())


def test_an_edit_of_an_old_version_shows_after_a_few_refreshes_at_the_latest(
    service: Service, clock: Clock, registry: Registry
) -> None:
    registry.versions(MODEL)
    change(service, "0.1.0", VersionDescription="edited")
    seen_after = 0
    while registry.versions(MODEL).versions[0].version_description != "edited":
        clock.seconds += TTL
        registry.versions(MODEL)
        settle()
        seen_after += 1
    assert seen_after == FULL_LIST_EVERY_TTLS


def test_a_listing_dated_by_a_clock_that_was_ahead_is_read_in_full(
    service: Service, clock: Clock, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.versions(MODEL)
    asked = len(service.asked(VERSIONS))
    clock.seconds = TTL
    monkeypatch.setattr(registry, "_now", lambda: DAY - timedelta(hours=1))
    registry.versions(MODEL)
    settle()
    assert len(service.asked(VERSIONS)) == asked + 4


def test_refresh_reads_every_version(service: Service, clock: Clock, registry: Registry) -> None:
    registry.versions(MODEL)
    change(service, "0.1.0", VersionDescription="edited")
    registry.refresh_versions(MODEL)
    assert registry.versions(MODEL).versions[0].version_description == "edited"


def test_a_decision_that_finds_an_edit_lists_every_version(
    service: Service, clock: Clock, registry: Registry, compare: Compare
) -> None:
    compare()
    change(service, "0.1.0", VersionDescription="edited")
    change(service, "1.2.0", Metrics=results(0.5))
    clock.seconds = DECISION_MAX_AGE_SECONDS
    compare()
    clock.seconds = TTL
    registry.versions(MODEL)
    settle()
    assert registry.versions(MODEL).versions[0].version_description == "edited"


def test_nan_is_not_an_edit(service: Service, clock: Clock, registry: Registry, compare: Compare) -> None:
    change(service, "1.2.0", Metrics=results(math.nan))
    compare()
    asked = len(service.asked(VERSIONS))
    clock.seconds = DECISION_MAX_AGE_SECONDS
    compare()
    assert single_reads(service)
    clock.seconds = TTL
    before = registry.versions(MODEL)
    settle()
    assert len(service.asked(VERSIONS)) == asked + 3
    assert registry.versions(MODEL).frames is before.frames


def test_a_full_read_that_fails_is_repeated(service: Service, clock: Clock, registry: Registry) -> None:
    registry.versions(MODEL)
    change(service, "0.1.0", VersionDescription="edited")
    service.refusals[f"/api/v1/{VERSIONS}"] = refusal("NotNow", 400)
    registry.refresh_versions(MODEL)
    assert registry.versions(MODEL).failure is not None
    service.refusals.clear()
    clock.seconds = cache.FAILURE_MEMORY_SECONDS
    registry.versions(MODEL)
    settle()
    assert registry.versions(MODEL).versions[0].version_description == "edited"


def test_refresh_during_the_three_pages_reads_every_version(
    service: Service, clock: Clock, registry: Registry, held: Held
) -> None:
    registry.versions(MODEL)
    change(service, "0.1.0", VersionDescription="edited")
    clock.seconds = TTL
    held.after(VERSIONS)
    registry.versions(MODEL)
    held.wait()
    clock.seconds += 1
    registry.refresh_versions(MODEL)
    held.release()
    assert registry.versions(MODEL).versions[0].version_description == "edited"


def test_a_refresh_during_a_full_read_reads_every_version_once_more(
    service: Service, clock: Clock, registry: Registry, held: Held
) -> None:
    registry.versions(MODEL)
    clock.seconds = TTL * FULL_LIST_EVERY_TTLS
    held.after(VERSIONS)
    registry.versions(MODEL)
    held.wait()
    change(service, "0.1.0", VersionDescription="edited")
    clock.seconds += 1
    registry.refresh_versions(MODEL)
    held.release()
    assert registry.versions(MODEL).versions[0].version_description == "edited"


def test_few_versions_are_always_listed_in_full(service: Service, clock: Clock, registry: Registry) -> None:
    del service.versions[MODEL][:2]
    registry.versions(MODEL)
    clock.seconds = TTL
    registry.versions(MODEL)
    settle()
    assert all("ApprovalStatus" not in query for query in service.asked(VERSIONS))


def test_a_filtered_listing_is_always_read_in_full(service: Service, clock: Clock, registry: Registry) -> None:
    filters = VersionFilters(order="DESC")
    registry.versions(MODEL, filters)
    clock.seconds = TTL
    registry.versions(MODEL, filters)
    settle()
    assert len(service.asked(VERSIONS)) == 8


def test_a_version_created_after_the_listing_is_listed_before_it_is_called_unknown(
    service: Service, clock: Clock, registry: Registry
) -> None:
    registry.versions(MODEL)
    service.versions[MODEL].append(measured("1.3.0", 9, 0.05))
    clock.seconds = UNKNOWN_MAX_AGE_SECONDS + 0.1
    before = len(service.asked(VERSIONS))
    assert decide_now(registry, MODEL, "1.3.0").candidate == "1.3.0"
    # Nine versions are five pages of two; a refresh reads three and sees the new one.
    assert len(service.asked(VERSIONS)) - before == 3
    service.versions[MODEL].append(measured("1.4.0", 10, 0.05))
    clock.seconds += UNKNOWN_MAX_AGE_SECONDS + 0.1
    assert decide_now(registry, MODEL, "1.3.0", baseline="1.4.0").baseline == "1.4.0"


def test_an_unknown_version_is_asked_for_afresh_once_and_the_sentence_says_as_of_when(
    service: Service, clock: Clock, registry: Registry
) -> None:
    registry.versions(MODEL)
    clock.seconds = 30.0
    with pytest.raises(UnknownVersionError, match=r"model-a has no version 9\.9\.9 as of 2026-01-02 00:00:30 UTC\."):
        decide_now(registry, MODEL, "9.9.9")
    before = len(service.asked(VERSIONS))
    clock.seconds += UNKNOWN_MAX_AGE_SECONDS
    for _ in range(20):
        with pytest.raises(UnknownVersionError, match="as of 2026-01-02 00:00:30 UTC"):
            decide_now(registry, MODEL, "9.9.9")
    assert len(service.asked(VERSIONS)) == before


def test_an_unknown_version_is_told_as_of_the_last_listing_if_it_cannot_be_listed_again(
    service: Service, clock: Clock, registry: Registry
) -> None:
    registry.versions(MODEL)
    clock.seconds = 30.0
    service.refusals[f"/api/v1/{VERSIONS}"] = refusal("NotNow", 400)
    with pytest.raises(UnknownVersionError, match=r"has no version 9\.9\.9 as of 2026-01-02 00:00:00 UTC\."):
        decide_now(registry, MODEL, "9.9.9")
    assert decide_now(registry, MODEL, "1.2.0").candidate == "1.2.0"


def test_a_known_version_is_decided_about_without_another_listing(
    service: Service, clock: Clock, registry: Registry
) -> None:
    registry.versions(MODEL)
    before = len(service.asked(VERSIONS))
    clock.seconds = 30.0
    decide_now(registry, MODEL, "1.2.0", baseline="1.0.0")
    assert len(service.asked(VERSIONS)) == before


def test_a_partial_listing_is_a_doubt_or_a_note_where_the_baseline_is_named(
    service: Service, registry: Registry
) -> None:
    service.refusals[f"/api/v1/{VERSIONS}"] = reply(
        {
            "Versions": service.versions[MODEL],
            "TotalCount": 15,
            "origin": {"kind": "saved", "files": ["a.json"], "listed": 8, "missing": 7},
        }
    )
    by_rule = decide_now(registry, MODEL, "1.2.0")
    [doubt] = [doubt for doubt in by_rule.doubts if doubt.kind == "listing"]
    assert doubt.sentence.startswith("8 of 15 versions are listed. A newer approved version may be missing. ")
    assert by_rule.overall != "pass"
    assert not [note for note in by_rule.notes if "listed" in note], "It is said once."
    named = decide_now(registry, MODEL, "1.2.0", baseline="1.0.0")
    assert "model-a: 8 of 15 versions are listed. A newer baseline may be missing." in named.notes
    assert not [doubt for doubt in named.doubts if doubt.kind == "listing"]

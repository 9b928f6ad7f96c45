"""Listings read whole: pages side by side, each item once, and what is said when the list moves meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from math import nan
from typing import Any

import pytest

from paiview.pai import paging
from paiview.pai.errors import AnswerError, PermissionDeniedError
from paiview.pai.objects import VersionFilters
from paiview.pai.paging import Listing
from tests.harness.server import Reply, Request, Responder, refusal, reply
from tests.pai.conftest import Connect, Serve

NAMES = [f"0.{minor}.0" for minor in range(1, 46)]


def page(names: Sequence[str], total: object) -> Reply:
    return reply({"Versions": [{"VersionName": name} for name in names], "TotalCount": total})


def paged(names: Sequence[str], longest: int = 1000) -> Responder:
    """A list that stands still, on pages of the size asked for or the longest there is."""

    async def respond(request: Request) -> Reply:
        size = min(int(request.query["PageSize"]), longest)
        return page(names[(request.page - 1) * size :][:size], len(names))

    return respond


def in_turn(*listings: Sequence[tuple[Sequence[str], int]]) -> Responder:
    """A list that looks another way each time its first page is asked for: for each page its names and the total."""
    remaining = iter(listings)
    current: Sequence[tuple[Sequence[str], int]] = ()

    async def respond(request: Request) -> Reply:
        nonlocal current
        if request.page == 1:
            current = next(remaining)
        return page(*current[request.page - 1])

    return respond


def names_of(listing: Listing[Any]) -> list[str]:
    return [item.version_name for item in listing.items]


def test_one_page_is_one_request(serve: Serve, connect: Connect) -> None:
    server = serve(paged(NAMES))
    listing = connect(server.url).list_all_model_versions("model-a")
    assert names_of(listing) == NAMES
    assert (listing.total_count, listing.requests, listing.uneven) == (45, 1, None)
    assert len(server.requests) == 1


def test_an_empty_list_is_one_request(serve: Serve, connect: Connect) -> None:
    listing = connect(serve(paged([])).url).list_all_model_versions("model-a")
    assert (listing.items, listing.total_count, listing.requests, listing.uneven) == ((), 0, 1, None)


def test_pages_shorter_than_asked_for_are_taken_as_the_server_cuts_them(serve: Serve, connect: Connect) -> None:
    server = serve(paged(NAMES, longest=20))
    listing = connect(server.url, page_size=50).list_all_model_versions("model-a")
    assert names_of(listing) == NAMES
    assert (listing.total_count, listing.requests, listing.uneven) == (45, 3, None)
    assert sorted(server.pages) == [1, 2, 3]
    assert {request.query["PageSize"] for request in server.requests} == {"50"}


@pytest.mark.parametrize(("size", "requests"), [(1, 45), (44, 2), (45, 1), (46, 1)])
def test_no_page_is_left_out_or_asked_for_beyond_the_end(
    size: int, requests: int, serve: Serve, connect: Connect
) -> None:
    server = serve(paged(NAMES))
    listing = connect(server.url, page_size=size).list_all_model_versions("model-a")
    assert names_of(listing) == NAMES
    assert sorted(server.pages) == list(range(1, requests + 1))


def test_the_first_page_comes_alone_and_the_rest_as_many_at_a_time_as_allowed(serve: Serve, connect: Connect) -> None:
    together = asyncio.Barrier(4)

    async def respond(request: Request) -> Reply:
        if request.page > 1:
            await together.wait()  # Passes only when four requests are here at once.
        return page([NAMES[request.page - 1]], 13)

    server = serve(respond)
    listing = connect(server.url, concurrency=4).list_all_model_versions("model-a")
    assert names_of(listing) == NAMES[:13]
    assert server.pages[0] == 1
    assert server.most_in_flight == 4


def test_one_at_a_time_is_possible(serve: Serve, connect: Connect) -> None:
    server = serve(paged(NAMES, longest=5))
    connect(server.url, concurrency=1).list_all_model_versions("model-a")
    assert server.most_in_flight == 1
    assert server.pages == list(range(1, 10))


def test_pages_keep_the_order_of_the_server_whichever_comes_first(serve: Serve, connect: Connect) -> None:
    later = asyncio.Event()

    async def respond(request: Request) -> Reply:
        if request.page == 2:
            await later.wait()
        if request.page == 4:
            later.set()
        return page([NAMES[request.page - 1]], 4)

    listing = connect(serve(respond).url).list_all_model_versions("model-a")
    assert names_of(listing) == NAMES[:4]


@pytest.mark.parametrize(
    "first",
    [
        [("ab", 4), ("cd", 5)],
        [("ab", 6), ("cd", 5), ("e", 5)],
        [("ab", 4), ("bc", 4)],
        [("ab", 5), ("", 5), ("e", 5)],
        [("", 5)],
    ],
    ids=["grew", "shrank", "shifted", "page empty", "first page empty"],
)
def test_a_list_that_moved_while_it_was_read_is_read_again(
    first: list[tuple[str, int]], serve: Serve, connect: Connect
) -> None:
    server = serve(in_turn(first, [("ab", 5), ("cd", 5), ("e", 5)]))
    listing = connect(server.url).list_all_model_versions("model-a")
    assert names_of(listing) == list("abcde")
    assert (listing.total_count, listing.uneven) == (5, None)
    assert listing.requests == len(server.requests) == len(first) + 3


@pytest.mark.parametrize(
    ("first", "second", "names", "total"),
    [
        ([("ab", 4), ("bc", 4)], [("ab", 4), ("bc", 4)], "abc", 4),
        ([("ab", 6), ("", 6), ("ef", 6)], [("ab", 6), ("", 6), ("ef", 6)], "abef", 6),
        ([("ab", 3), ("c", 4)], [("bd", 4), ("e", 5)], "bdeac", 5),
        ([("aa", 2)], [("aa", 2)], "a", 2),
        ([("", 3)], [("", 3)], "", 3),
        ([("ab", 0)], [("ab", 0)], "ab", 0),
    ],
    ids=["repeats", "page empty", "moves on", "twice on a page", "empty but counted", "there but not counted"],
)
def test_a_list_that_never_fits_gives_all_that_came_once_and_says_so(
    first: list[tuple[str, int]],
    second: list[tuple[str, int]],
    names: str,
    total: int,
    serve: Serve,
    connect: Connect,
) -> None:
    server = serve(in_turn(first, second))
    listing = connect(server.url).list_all_model_versions("model-a")
    assert names_of(listing) == list(names)
    assert listing.total_count == total
    assert listing.uneven == (
        f"The list kept changing while it was read twice: the service counts {total}, "
        f"and {len(names)} different ones came."
    )
    assert len(server.requests) == len(first) + len(second)


@pytest.mark.parametrize(
    "item", [{"Uri": "oss://a"}, {"VersionName": None}, {"VersionName": ""}, {"VersionName": ["a"]}, None, "a", 1, {}]
)
def test_items_without_a_name_are_all_kept(item: object, serve: Serve, connect: Connect) -> None:
    async def respond(_: Request) -> Reply:
        return reply({"Versions": [item, item, {"VersionName": "a"}], "TotalCount": 3})

    listing = connect(serve(respond).url).list_all_model_versions("model-a")
    assert [version.raw for version in listing.items] == [item, item, {"VersionName": "a"}]
    assert listing.uneven is None


def test_items_without_a_name_are_not_doubled_by_reading_twice(serve: Serve, connect: Connect) -> None:
    async def respond(_: Request) -> Reply:
        return reply({"Versions": [{"Uri": "oss://a"}, {"Uri": "oss://b", "Metrics": {"cer": nan}}], "TotalCount": 0})

    listing = connect(serve(respond).url).list_all_model_versions("model-a")
    assert [version.uri for version in listing.items] == ["oss://a", "oss://b"]


def test_a_number_as_name_is_the_same_as_its_text(serve: Serve, connect: Connect) -> None:
    async def respond(_: Request) -> Reply:
        return reply({"Versions": [{"VersionName": 1}, {"VersionName": "1"}], "TotalCount": 1})

    assert names_of(connect(serve(respond).url).list_all_model_versions("model-a")) == ["1"]


def test_progress_counts_pages_up_to_all(serve: Serve, connect: Connect) -> None:
    told: list[tuple[int, int]] = []
    connect(serve(paged(NAMES, longest=10)).url).list_all_model_versions(
        "model-a", progress=lambda done, total: told.append((done, total))
    )
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_progress_counts_anew_when_the_list_is_read_again(serve: Serve, connect: Connect) -> None:
    told: list[tuple[int, int]] = []
    respond = in_turn([("a", 2), ("b", 3)], [("ab", 3), ("c", 3)])
    connect(serve(respond).url).list_all_model_versions("model-a", progress=lambda *counts: told.append(counts))
    assert told == [(1, 2), (2, 2), (1, 2), (2, 2)]


def test_a_progress_that_fails_ends_the_listing_and_not_the_client(serve: Serve, connect: Connect) -> None:
    def fail(done: int, total: int) -> None:
        if done == 2:
            raise ZeroDivisionError(total)

    client = connect(serve(paged(NAMES, longest=10)).url)
    with pytest.raises(ZeroDivisionError):
        client.list_all_model_versions("model-a", progress=fail)
    assert len(client.list_all_model_versions("model-a").items) == 45


def test_a_page_that_fails_is_one_error_and_stops_the_others(serve: Serve, connect: Connect) -> None:
    async def respond(request: Request) -> Reply:
        if request.page == 2:
            return refusal("NoPermission", 403)
        if request.page > 2:
            await asyncio.Event().wait()
        return page(NAMES[:1], 45)

    server = serve(respond)
    client = connect(server.url, concurrency=3, deadline=60, read_timeout=60)
    with pytest.raises(PermissionDeniedError) as raised:
        client.list_all_model_versions("model-a")
    assert raised.value.code == "NoPermission"
    assert set(server.pages) <= {1, 2, 3, 4}


def test_no_count_however_wrong_makes_it_list_for_ever(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 5)

    async def respond(request: Request) -> Reply:
        return page([f"{request.page}"], 10**14)

    server = serve(respond)
    listing = connect(server.url).list_all_model_versions("model-a")
    assert names_of(listing) == ["1", "2", "3", "4", "5"]
    assert listing.uneven is not None
    assert len(server.requests) == 10


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"Versions": None, "TotalCount": 0}, 0),
        ({"TotalCount": 0}, 0),
        ({"Versions": []}, 0),
        ({"Versions": [{}], "TotalCount": "1"}, 1),
        ({"Versions": [], "TotalCount": None}, 0),
    ],
)
def test_a_list_answer_may_leave_out_what_is_empty(
    body: dict[str, Any], count: int, serve: Serve, connect: Connect
) -> None:
    async def respond(_: Request) -> Reply:
        return reply(body)

    page = connect(serve(respond).url).list_model_versions("model-a")
    assert (len(page.items), page.total_count) == (count, count)


@pytest.mark.parametrize("total", [None, -1, 1.5, True, "", "１", "1 ", [], 10**15])
def test_a_count_that_is_no_count_is_an_error(total: object, serve: Serve, connect: Connect) -> None:
    async def respond(_: Request) -> Reply:
        return page(["a"], total)

    with pytest.raises(AnswerError, match="TotalCount"):
        connect(serve(respond).url).list_all_model_versions("model-a")


def test_models_and_workspaces_are_told_apart_by_their_ids(serve: Serve, connect: Connect) -> None:
    async def respond(request: Request) -> Reply:
        kind = request.path.rpartition("/")[2]
        identity = {"models": "ModelId", "workspaces": "WorkspaceId"}[kind]
        items = [{identity: f"{number}", "Name": "same"} for number in (1, 2, 2)]
        return reply({kind.capitalize(): items, "TotalCount": 2})

    client = connect(serve(respond).url)
    reads: list[Callable[[], Listing[Any]]] = [client.list_all_models, client.list_all_workspaces]
    for read in reads:
        listing = read()
        assert [item.raw["Name"] for item in listing.items] == ["same", "same"]
        assert listing.uneven is None


def test_a_listing_names_the_request_of_its_first_page(serve: Serve, connect: Connect) -> None:
    async def respond(request: Request) -> Reply:
        names = NAMES[(request.page - 1) * 50 :][:50]
        return reply(
            {
                "Versions": [{"VersionName": name} for name in names],
                "TotalCount": len(NAMES),
                "RequestId": f"R-{request.page}\n{'x' * 5000}",
            }
        )

    listing = connect(serve(respond).url).list_all_model_versions("model-a")
    assert listing.request_id is not None
    assert listing.request_id.startswith("R-1 xxx")
    assert len(listing.request_id) <= 501


def test_what_pai_cannot_leave_out_is_left_out_and_not_counted(serve: Serve, connect: Connect) -> None:
    items = [
        {"VersionName": name, "FrameworkType": kind}
        for name, kind in zip("abc", ("Pytorch", "PyTorch", "Keras"), strict=True)
    ]

    async def respond(_request: Request) -> Reply:
        return reply({"Versions": items, "TotalCount": 3})

    server = serve(respond)
    listing = connect(server.url).list_all_model_versions("model-a", VersionFilters(framework_type="PYTORCH"))
    assert "FrameworkType" not in server.requests[0].query
    assert (names_of(listing), listing.total_count, listing.uneven) == (["a", "b"], 2, None)

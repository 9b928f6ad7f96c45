"""The search for garbage is off while something large is built, and on again after it whatever happens."""

import gc
from collections.abc import Iterator

import pytest

from paiview.pai.garbage import SearchPause
from tests.harness.server import Reply, Request, refusal, reply
from tests.pai.conftest import Connect, Serve


@pytest.fixture(autouse=True)
def _searching() -> Iterator[None]:
    assert gc.isenabled()
    yield
    enabled = gc.isenabled()
    gc.enable()
    assert enabled


def test_the_search_is_off_inside_alone() -> None:
    with SearchPause():
        assert not gc.isenabled()


def test_an_error_switches_it_on_again() -> None:
    with pytest.raises(KeyError), SearchPause():
        raise KeyError


def test_the_last_of_several_pauses_switches_it_on() -> None:
    with SearchPause() as outer:
        with SearchPause():
            outer.end()
            assert not gc.isenabled()
        assert gc.isenabled()
        outer.end()


def test_a_program_that_switched_it_off_keeps_it_off() -> None:
    gc.disable()
    with SearchPause():
        pass
    assert not gc.isenabled()
    gc.enable()


def test_a_listing_is_read_without_the_search_and_ends_with_it(serve: Serve, connect: Connect) -> None:
    seen: list[bool] = []

    async def respond(request: Request) -> Reply:
        seen.append(gc.isenabled())
        versions = [{"VersionName": f"0.{request.page}.0"}]
        return reply({"Versions": versions, "TotalCount": 2}) if request.page < 3 else refusal("NoPermission", 403)

    client = connect(serve(respond).url, page_size=1)
    assert len(client.list_all_model_versions("model-1").items) == 2
    assert seen == [False, False]

"""Replicas share what they read, and each reads for itself while the store is down."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from tests.cluster.conftest import PAGES
from tests.cluster.nodes import Cluster, Replica, apart
from tests.cluster.waiting import until
from tests.harness.sessions import Run, Session

READERS = 4
"""Sessions of each replica."""


def pages(cluster: Cluster, model: str, **filters: str) -> list[int]:
    """The pages of a model's listing that were requested with these filters alone."""
    asked = cluster.service.asked(f"models/{model}/versions")
    of_pages = {"PageNumber", "PageSize", "Order", "SortBy"}
    return sorted(
        int(query["PageNumber"])
        for query in asked
        if {key: query[key] for key in query if key not in of_pages} == filters
    )


def opened(cluster: Cluster, model: str, *, refreshed_by: Replica | None = None, **filters: str) -> list[Run]:
    """Open a model at all replicas at once; if one of them is to refresh it, then run all pages again."""

    async def read() -> list[Run]:
        async with AsyncExitStack() as closing:
            sessions = [
                await closing.enter_async_context(Session(cluster.url, cluster.headers(replica)))
                for replica in cluster.replicas * READERS
            ]
            assert [replica.open_pages for replica in cluster.replicas] == [READERS] * len(cluster.replicas)
            runs = await asyncio.gather(*(session.open("versions", model=model, **filters) for session in sessions))
            if refreshed_by is not None:
                await sessions[cluster.replicas.index(refreshed_by)].press("refresh")
                runs = await asyncio.gather(*(session.rerun() for session in sessions))
            return runs

    runs = apart(read())
    for run in runs:
        assert "12 of 12 versions" in run.text
        assert run.alerts == []
    return runs


def shares(cluster: Cluster, replica: Replica) -> bool:
    """Let a replica read; returns whether it uses the store."""
    opened(cluster, "model-before", refreshed_by=replica)
    return replica.shares


def test_one_listing_serves_all_replicas(cluster: Cluster) -> None:
    opened(cluster, "model-shared")
    assert pages(cluster, "model-shared") == PAGES
    opened(cluster, "model-shared")
    assert pages(cluster, "model-shared") == PAGES


def test_all_replicas_see_what_one_refreshes(cluster: Cluster) -> None:
    opened(cluster, "model-edited")
    asked = len(pages(cluster, "model-edited"))
    edited = cluster.service.versions["model-edited"][-1]
    edited["VersionDescription"] = "edited just now"
    for run in opened(cluster, "model-edited"):
        assert b"edited just now" not in run.raw
    assert len(pages(cluster, "model-edited")) == asked
    opened(cluster, "model-edited", refreshed_by=cluster.replicas[1])
    until(lambda: all(b"edited just now" in run.raw for run in opened(cluster, "model-edited")), "all replicas show it")
    assert pages(cluster, "model-edited")[asked:]


def test_replicas_read_for_themselves_until_their_store_is_back(cluster: Cluster) -> None:
    opened(cluster, "model-before")
    cluster.store.kill()
    opened(cluster, "model-before")
    assert pages(cluster, "model-before") == PAGES
    # A replica reads all listings when it first draws the page of models, but no listing with this filter.
    opened(cluster, "model-alone", version_name="0.1.0")
    assert pages(cluster, "model-alone", VersionName="0.1.0") == sorted(PAGES * len(cluster.replicas))

    cluster.store.start()
    for replica in cluster.replicas:
        until(partial(shares, cluster, replica), "it shares again")
    opened(cluster, "model-after")
    assert pages(cluster, "model-after") == PAGES

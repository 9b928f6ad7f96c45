"""Processes are killed and restarted: what their readers lose, and how they recover."""

import asyncio
import signal
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.browser.test_journey import choose, query
from tests.cluster.nodes import Cluster, Replica, apart
from tests.cluster.waiting import LONGEST, until
from tests.harness.dashboard import opened, region, settled
from tests.harness.sessions import Session

FILTERED: Final = "metric=wer&dataset=d-far&status=Approved&text=kept&window=50&scale=raw"
THINKING: Final = 0.1
"""Seconds between two requests of a reader under load."""
READERS: Final = 2
"""Open pages, and HTTP clients, for each replica under load."""


def holder(cluster: Cluster) -> Replica | None:
    """The replica of the one open page."""
    return next((replica for replica in cluster.replicas if replica.runs and replica.open_pages), None)


def test_a_page_moves_to_another_replica_when_its_own_is_killed(cluster: Cluster, page: Page) -> None:
    opened(page, f"{cluster.url}/trends?model=model-killed&{FILTERED}")
    heatmap = page.locator(".st-key-heatmap")
    expect(heatmap).to_contain_text("d-far")
    asked, drawn = query(page), region(page, "heatmap")
    held = holder(cluster)
    assert held is not None

    held.end(signal.SIGKILL)
    other = until(lambda: holder(cluster), "the page is open at another replica")
    assert other is not held
    assert (query(settled(page)), region(page, "heatmap")) == (asked, drawn)
    choose(page, "dataset", "d-near")
    expect(heatmap).to_contain_text("d-near")
    expect(heatmap).to_contain_text("1.5.0")
    expect(heatmap).not_to_contain_text("1.4.0")
    page.locator(".st-key-downloads button").first.click()
    settled(page)

    # The cookie leads back to the replica that was killed; the page, and with it the file, stays where it is.
    cluster.made_whole()
    assert holder(cluster) is other
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert sum('"d-near"' in line for line in lines) == sum('"d-far"' in line for line in lines) == 3

    page.reload()
    settled(page)
    until(lambda: holder(cluster) is held, "the page is where its cookie leads")
    assert query(page) == {**asked, "dataset": ["d-far", "d-near"]}
    expect(heatmap).to_contain_text("d-near")
    expect(heatmap).not_to_contain_text("1.4.0")


@dataclass
class Load:
    """Readers of all replicas during the restart, and their responses."""

    cluster: Cluster
    over: asyncio.Event = field(default_factory=asyncio.Event)
    answers: Counter[int] = field(default_factory=Counter)
    runs: int = 0
    reconnects: int = 0
    faults: list[str] = field(default_factory=list)

    async def thought(self) -> bool:
        """Wait a moment; returns whether the load goes on."""
        try:
            await asyncio.wait_for(self.over.wait(), THINKING)
        except TimeoutError:
            return True
        return False

    async def asks(self, replica: Replica, address: str) -> None:
        """Send HTTP requests, and count the responses."""
        headers = self.cluster.headers(replica)
        for number in count():
            path = ("/", "/api/models/model-restarted/versions", "/healthz", "/favicon.png")[number % 4]
            answer = await asyncio.to_thread(self.cluster.ask, path, source=address, **headers)
            self.answers[answer.status] += 1
            if not await self.thought():
                return

    async def reads(self, replica: Replica) -> None:
        """Run a page again and again; when its connection is lost open it again, as a browser does."""
        headers = {"Cookie": f"paiview={self.cluster.cookie(replica)}"}
        while not self.over.is_set():
            try:
                async with Session(self.cluster.url, headers) as session:
                    await session.open("versions", model="model-restarted")
                    while True:
                        run = await session.rerun()
                        self.runs += 1
                        if "12 of 12 versions" not in run.text or run.alerts:
                            self.faults.append(run.text)
                        if not await self.thought():
                            return
            except (ConnectionClosed, InvalidStatus):
                self.reconnects += 1


def test_a_rolling_restart_under_load_loses_no_answer(cluster: Cluster) -> None:

    before = {replica.process_id for replica in cluster.replicas}

    async def play() -> tuple[int, Load]:
        load = Load(cluster)
        async with asyncio.TaskGroup() as readers:
            for number, replica in enumerate(cluster.replicas * READERS):
                readers.create_task(load.reads(replica))
                readers.create_task(load.asks(replica, f"127.0.1.{number + 1}"))
            code = await asyncio.to_thread(cluster.restart)
            load.over.set()
        return code, load

    code, load = apart(asyncio.wait_for(play(), 3 * LONGEST))
    assert code == 0
    assert before.isdisjoint(replica.process_id for replica in cluster.replicas)
    assert load.faults == []
    assert load.answers.keys() == {200}
    # Each page was lost when its replica ended, and once more when that happened to where it had gone.
    assert load.reconnects >= len(cluster.replicas) * READERS

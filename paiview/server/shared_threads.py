"""Threads that answer requests, and the queue before them, divided between clients."""

import time
from collections.abc import Callable
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from anyio import CancelScope, CapacityLimiter, create_task_group, move_on_after, to_thread
from starlette.requests import Request

from paiview.registry.budget import client_of
from paiview.server.rate_limit import OpenConnections

QUEUE_TIMEOUT_SECONDS: Final = 10.0
"""A request that has waited this long for a thread gets none."""

ResultT = TypeVar("ResultT")


class SharedThreads:
    """Threads and the queue before them. One client gets at most half of either, however many requests it sends.

    Separate from the threads that serve the pages, which a slow service must not block. Used on the event loop only.

    Args:
        threads: the requests that run at a time.
        queued: the requests that wait for a thread.
    """

    def __init__(self, threads: int, queued: int) -> None:
        self._threads = CapacityLimiter(threads)
        self._of_client = threads // 2
        self._open = OpenConnections((threads + queued) // 2, threads + queued)
        self._turns: WeakValueDictionary[str, CapacityLimiter] = WeakValueDictionary()
        """By client, as long as it has requests: what it may run at a time."""

    async def run(self, request: Request, respond: Callable[[float], ResultT]) -> ResultT | None:
        """Respond to a request in a thread; ``None`` if the queue or its client's half is full, or no thread was free.

        Args:
            request: whose client is counted.
            respond: builds the response. It gets the time of the request, in seconds of ``time.monotonic``. It runs to
                its end once it has begun, and counts as its client's until then.
        """
        received_at = time.monotonic()
        client = client_of(request.client.host if request.client else "")
        if not self._open.enter(client):
            return None
        turns = self._turns.setdefault(client, CapacityLimiter(self._of_client))
        result = None
        try:
            with move_on_after(QUEUE_TIMEOUT_SECONDS) as wait:
                async with create_task_group() as tasks:
                    tasks.start_soon(_end_when_left, request, wait)
                    # A request waits for its client's turn first: in the queue for a thread it would delay others.
                    async with turns:
                        result = await to_thread.run_sync(respond, received_at, limiter=self._threads)
                    tasks.cancel_scope.cancel()
        finally:
            self._open.leave(client)
        return result


async def _end_when_left(request: Request, wait: CancelScope) -> None:
    """End the wait of a request when its client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    wait.cancel()

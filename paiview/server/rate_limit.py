"""Token buckets: how often a client may ask."""

import time
from collections.abc import Callable


class RateLimit:
    """A token bucket for each client, in bounded memory.

    Args:
        per_second: the average number of requests.
        burst: the number of requests that may come at once.
        max_clients: the number of clients that are remembered.
        clock: monotonic seconds.
    """

    def __init__(
        self, per_second: float, burst: int, max_clients: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = 1 / per_second
        self._tolerance = (burst - 1) / per_second
        self._max_clients = max_clients
        self._clock = clock
        self._due: dict[str, float] = {}
        """When the next request of a client would be on the average; the longest silent client first."""

    def wait(self, client: str) -> float:
        """Count a request; returns 0, or the seconds after which the client may send the next one."""
        now = self._clock()
        due = max(self._due.pop(client, now), now)
        wait = due - now - self._tolerance
        # A refused request does not count. Inserted at the end, so that the first entry is the longest silent client.
        self._due[client] = due if wait > 0 else due + self._interval
        if len(self._due) > self._max_clients:
            del self._due[next(iter(self._due))]
        return max(wait, 0.0)

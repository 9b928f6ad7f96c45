"""How often a client may ask, and how many connections it may keep open."""

import time
from collections import Counter
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


class OpenConnections:
    """The number of connections that each client keeps open.

    Args:
        of_client: the most that one client may have.
        total: the most of all clients together.
    """

    def __init__(self, of_client: int, total: int) -> None:
        self._of_client = of_client
        self._total = total
        self._open: Counter[str] = Counter()
        self._count = 0

    def enter(self, client: str) -> bool:
        """Count a connection, or return ``False``: then it is one too many."""
        if self._count >= self._total or self._open[client] >= self._of_client:
            return False
        self._open[client] += 1
        self._count += 1
        return True

    def leave(self, client: str) -> None:
        """Forget a connection that was counted."""
        self._open[client] -= 1
        self._count -= 1
        if not self._open[client]:
            del self._open[client]

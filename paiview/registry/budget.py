"""What each client may spend: reads of PAI, whose quota all share."""

import ipaddress
import time
from collections.abc import Callable
from typing import Final

from paiview.pai.errors import PaiviewError

BURST_SECONDS: Final = 60.0
"""How long a client may spend nothing to have the most to spend: a listing of 10,000 versions is 200 reads at once."""
MAX_CLIENTS: Final = 10_000
"""The clients whose budgets are remembered. Beyond it the one that has spent nothing for longest is forgotten."""


class BudgetError(PaiviewError):
    """A client has asked for more reads of PAI than it may.

    Attributes:
        retry_after: seconds until it may ask for more.
    """

    advice = "Wait a little; what has been read before is still shown."
    retryable = True

    def __init__(self, retry_after: float) -> None:
        super().__init__("Your address has asked PAI for more than its share, which is limited for the others' sake.")
        self.retry_after = retry_after


class Budget:
    """Reads that each client may still cause; they are counted after they were made, so that one may overdraw it.

    Args:
        reads_per_second: how much every client gets; 0 is no limit.
        clock: monotonic seconds.
    """

    def __init__(self, reads_per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = reads_per_second
        self._clock = clock
        self._paid_until: dict[str, float] = {}
        """When each client will have paid for its reads at its rate; the one that spent least lately first."""

    def check(self, client: str) -> None:
        """Refuse a client that has spent its share.

        Raises:
            BudgetError: it has.
        """
        debt = self._paid_until.get(client, 0.0) - self._clock() - BURST_SECONDS
        if self._rate and debt > 0:
            raise BudgetError(debt)

    def spend(self, client: str, reads: int) -> None:
        """Count reads that were made for a client."""
        if self._rate and reads:
            start = max(self._paid_until.pop(client, 0.0), self._clock())
            self._paid_until[client] = start + reads / self._rate
            if len(self._paid_until) > MAX_CLIENTS:
                self._paid_until.pop(next(iter(self._paid_until)), None)


NO_LIMIT: Final = Budget(0.0)


def client_of(address: str) -> str:
    """The client behind an address: an IPv4 address, or a /64 network of IPv6, which one host can own."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    # A dual-stack socket maps all IPv4 addresses into one /64 network.
    return str(parsed.ipv4_mapped or parsed.packed[:8])

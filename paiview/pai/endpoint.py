"""What the settings and the transport both need to know about endpoints."""

from typing import Final

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Host names of this machine: plain HTTP is allowed, no proxy is used, and no rate limit is needed."""

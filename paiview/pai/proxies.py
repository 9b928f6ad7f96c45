"""The proxy that the environment names for one endpoint."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from paiview.pai.endpoint import LOOPBACK_HOSTS
from paiview.pai.errors import SettingError

_HOST: Final = re.compile(r"[\w.-]+|[0-9a-f:.]+", re.ASCII)
_SCHEMES: Final = ("http", "https")


def proxy_for(endpoint: str, environment: Mapping[str, str]) -> str | None:
    """The URL of the proxy for an endpoint; ``None`` to connect directly, as always to this machine.

    Args:
        endpoint: the URL of the service.
        environment: ``HTTPS_PROXY`` of an https endpoint, else ``ALL_PROXY``; ``NO_PROXY`` lists hosts, domains,
            addresses and networks that need none. The names in lower case go before those in upper case.

    Raises:
        SettingError: the proxy is none that paiview can use, such as one for SOCKS.
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if host in LOOPBACK_HOSTS or _needs_none(host, port, environment):
        return None
    for name in (f"{parts.scheme.upper()}_PROXY", "ALL_PROXY"):
        for spelling in (name.lower(), name):
            if value := environment.get(spelling, "").strip():
                return _checked(value, spelling)
    return None


def _checked(value: str, variable: str) -> str:
    """The URL of a proxy; the message repeats no more of it than the scheme, since it may hold a password."""
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        is_usable = parts.port != 0 and bool(_HOST.fullmatch(parts.hostname or "")) and not re.search(r"[^!-~]", url)
    except ValueError:
        parts, is_usable = None, False
    if parts is not None and parts.scheme not in _SCHEMES:
        kind = "a SOCKS proxy" if parts.scheme.startswith("socks") else "no HTTP proxy"
        raise SettingError(f"{variable} names {kind}, and paiview can use http and https proxies only.")
    if not is_usable:
        raise SettingError(f"{variable} is not the URL of a proxy, such as http://proxy.example.com:3128.")
    return url


def _needs_none(host: str, port: int, environment: Mapping[str, str]) -> bool:
    entries = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return any(_covers(entry, host, port) for entry in entries.replace(",", " ").lower().split())


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY covers a host: ``*``, an address, a network, or a domain with what is below it."""
    if entry == "*":
        return True
    entry = entry.partition("://")[2] or entry
    name, _, digits = entry.rpartition(":")
    if digits.isdecimal() and (":" not in name or name.startswith("[")):
        if int(digits[:6]) != port:
            return False
        entry = name
    entry = entry.replace("[", "").replace("]", "")
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        domain = entry.removeprefix("*").removeprefix(".").removesuffix(".")
        return bool(domain) and f".{host}".endswith(f".{domain}")
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False

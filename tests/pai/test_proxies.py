"""The proxy of an endpoint: what the environment says, in every form that people write."""

from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
from paiview.pai.errors import SettingError
from paiview.pai.proxies import proxy_for

PAI = "https://aiworkspace.cn-shanghai.aliyuncs.com"
PROXY = "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, PROXY),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"all_proxy": "socks5://socks.example.com:1080", "HTTPS_PROXY": PROXY}, PROXY),
        ({"ALL_PROXY": "proxy.example.com:3128"}, PROXY),
        ({"HTTPS_PROXY": "http://user:pw@proxy.example.com:3128"}, "http://user:pw@proxy.example.com:3128"),
        ({"ALL_PROXY": "http://[fd00::1]:3128"}, "http://[fd00::1]:3128"),
    ],
)
def test_the_environment_names_the_proxy(environment: dict[str, str], proxy: str | None) -> None:
    assert proxy_for(PAI, environment) == proxy


@pytest.mark.parametrize(
    ("endpoint", "entries", "is_direct"),
    [
        (PAI, "*", True),
        (PAI, "aliyuncs.com", True),
        (PAI, " example.com , .aliyuncs.com,, ", True),
        (PAI, "*.ALIYUNCS.com", True),
        (PAI, "yuncs.com", False),
        (PAI, "aliyuncs.com:443", True),
        (PAI, "aliyuncs.com:8443", False),
        (PAI, "fd00::/8,[::1],::1,10.0.0.0/8", False),
        (PAI, ",,", False),
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://10.1.2.3", "10.1.2.3", True),
        ("https://11.1.2.3", "10.0.0.0/8", False),
        ("https://[fd00::5]", "fd00::/8", True),
        ("https://[fd00::5]", "[fd00::5]", True),
        ("https://[fd00::5]:8443", "[fd00::5]:8443", True),
        ("https://[fd00::5]:8443", "[fd00::5]:443", False),
        ("https://[fe00::5]", "fd00::/8 10.0.0.0/8", False),
        ("http://127.0.0.1:8080", "", True),
        ("http://[::1]:8080", "", True),
        ("http://localhost:8080", "", True),
    ],
)
def test_no_proxy_is_read_in_every_form(endpoint: str, entries: str, is_direct: bool) -> None:
    environment = {"ALL_PROXY": PROXY, "HTTP_PROXY": "socks5://h:1"}
    assert (proxy_for(endpoint, {**environment, "NO_PROXY": entries}) is None) == is_direct
    assert (proxy_for(endpoint, {**environment, "no_proxy": entries}) is None) == is_direct


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("ALL_PROXY", "socks5://user:secret@h:1080", "ALL_PROXY names a SOCKS proxy"),
        ("HTTPS_PROXY", "socks5h://h:1080", "HTTPS_PROXY names a SOCKS proxy"),
        ("all_proxy", "ftp://user:secret@h", "all_proxy names no HTTP proxy"),
        ("HTTPS_PROXY", "http://", "HTTPS_PROXY is not the URL of a proxy"),
        ("HTTPS_PROXY", "http://user:secret@h:99999999", "HTTPS_PROXY is not the URL of a proxy"),
        ("HTTPS_PROXY", "http://[secret", "HTTPS_PROXY is not the URL of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_one_sentence(
    variable: str, value: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingError) as caught:
        Client(PAI, StaticCredentials("key", "secret"))
    assert caught.value.message.startswith(reason)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("entries", ["fd00::/8", "[::1]", "::1", "10.0.0.0/8, ", "a b,,*.c", "://", "[", "a:b:c", "/"])
def test_no_entry_of_no_proxy_stops_a_client(entries: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", entries)
    with Client(PAI, StaticCredentials("key", "secret")):
        pass


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_read_or_refused_in_a_sentence(value: str, entries: str) -> None:
    with suppress(SettingError):
        proxy = proxy_for(PAI, {"ALL_PROXY": value, "NO_PROXY": entries})
        assert proxy is None or httpx.Proxy(proxy).url.host

"""What passes nginx, and what does not."""

import gzip
import json

import pytest

from paiview.server import guard
from tests.browser.test_server import HEADERS, handshake
from tests.cluster.nodes import Cluster


def test_all_requests_with_one_cookie_come_to_one_replica(cluster: Cluster) -> None:
    for replica in cluster.replicas:
        headers = cluster.headers(replica)
        paths = ("/", "/healthz", "/versions", "/favicon.png", "/_stcore/health", "/_stcore/host-config")
        for path in paths:
            assert cluster.ask(f"{path}?one-cookie-{replica.port}", **headers).status == 200
        assert cluster.asked(f"one-cookie-{replica.port}", len(paths)) == [replica.address] * len(paths)


def test_a_browser_gets_a_cookie_once_and_keeps_it(cluster: Cluster) -> None:
    first = cluster.ask("/healthz")
    name, *rest = first.headers["set-cookie"].split("; ")
    assert sorted(rest) == ["HttpOnly", "Path=/", "SameSite=Lax"]
    value = name.removeprefix("paiview=")
    assert len(value) == 32
    assert "set-cookie" not in cluster.ask("/healthz", cookie=name).headers


@pytest.mark.parametrize("made_up", ["", "x", "A" * 32, "0" * 31, "0" * 33, "127.0.0.1:8501", "0" * 32 + ";x=y"])
def test_a_cookie_that_nginx_did_not_set_is_replaced(cluster: Cluster, made_up: str) -> None:
    answer = cluster.ask("/healthz", cookie=f"paiview={made_up}")
    assert ("paiview=" in answer.headers.get("set-cookie", "")) is not made_up.startswith("0" * 32 + ";")


def test_an_unknown_host_is_refused(cluster: Cluster) -> None:
    assert [cluster.ask("/", host=name).status for name in ("evil.example", "pai.example.com")] == [421, 200]


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("pai.example.com", "http://evil.example", 403),
        ("evil.example", "http://pai.example.com", 403),
        ("evil.example", "http://evil.example", 403),
        ("evil.example", None, 403),
        ("pai.example.com", "null", 403),
        ("pai.example.com", "http://pai.example.com:81", 403),
        ("pai.example.com", "https://pai.example.com", 101),
        ("pai.example.com:81", "http://pai.example.com:81", 101),
        ("pai.example.com", None, 101),
    ],
)
def test_a_page_of_another_site_opens_no_websocket(
    cluster: Cluster, host: str, origin: str | None, status: int
) -> None:
    assert handshake(cluster.url, host, origin) == status


@pytest.mark.parametrize("path", ["/metrics", "/_stcore/script-health-check"])
def test_paths_for_operators_are_not_reachable(cluster: Cluster, path: str) -> None:
    encoded = path.replace("e", "%65")
    for written in (path, f"{path}?x", f"/{path}", f"/x/..{path}", encoded):
        assert cluster.ask(written).status == 404
    mark = f"operators-{len(path)}"
    assert cluster.ask(f"{path}?{mark}").status == 404
    # Known at nginx by no process having been asked.
    assert cluster.asked(mark) == ["-"]


def test_security_headers_and_compression_pass(cluster: Cluster) -> None:
    for path in ("/", "/versions", "/favicon.png", "/api/nothing"):
        answer = cluster.ask(path, accept_encoding="gzip")
        assert HEADERS.items() <= answer.headers.items()
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = cluster.ask("/", accept_encoding="gzip")
    assert page.headers["content-encoding"] == "gzip"
    script = gzip.decompress(page.body).decode().partition('src="./')[2].partition('"')[0]
    plain, packed = (cluster.ask(f"/{script}", accept_encoding=coding) for coding in ("identity", "gzip"))
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2


def test_each_address_has_its_own_rate_limit(cluster: Cluster) -> None:
    headers = cluster.headers(cluster.replicas[0])
    asked = [
        cluster.ask("/api/nothing", source="127.0.0.2", x_forwarded_for=f"192.0.2.{number}", **headers)
        for number in range(guard.MAX_BURST_REQUESTS + 40)
    ]
    assert asked[0].status == 404
    assert asked[-1].status == 429
    assert json.loads(asked[-1].body)["Code"] == "TooManyRequests"
    assert cluster.ask("/api/nothing", source="127.0.0.3", **headers).status == 404

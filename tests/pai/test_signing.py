"""The signature, against what the official SDK signs and the documentation publishes."""

import hashlib
import json
import re
import secrets
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import httpx
import pytest

from paiview.pai import signing, transport
from paiview.pai.credentials import Credential
from paiview.pai.transport import Acs3Auth

Vector = dict[str, Any]

VECTORS: list[Vector] = json.loads(Path(__file__).parents[1].joinpath("data/acs3_vectors.json").read_bytes())["vectors"]
# The SDK also signs accept, user-agent and a header of its own, which paiview leaves out.
OF_OUR_HEADERS = [vector for vector in VECTORS if vector["kind"] != "sdk_end_to_end"]


def named(vector: Vector) -> str:
    return str(vector["name"])


def body_of(vector: Vector) -> bytes:
    return (vector["body"] or "").encode()


def test_every_kind_of_vector_is_there() -> None:
    assert len(VECTORS) == 10
    assert {vector["kind"] for vector in VECTORS} == {"direct", "sdk_end_to_end", "published"}
    assert {vector["method"] for vector in VECTORS} == {"GET", "PUT", "POST", "DELETE"}


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_each_step_gives_the_bytes_of_the_vector(vector: Vector) -> None:
    query = signing.canonical_query(vector["query"])
    assert query == vector["canonical_query"]
    assert signing.signed_headers(vector["headers"]) == vector["signed_headers"]

    content_sha256 = hashlib.sha256(body_of(vector)).hexdigest()
    canonical = signing.canonical_request(vector["method"], vector["path"], query, vector["headers"], content_sha256)
    assert canonical == vector["canonical_request"]

    text = signing.string_to_sign(canonical)
    assert text == vector["string_to_sign"]
    signed = signing.authorization(vector["access_key_id"], vector["access_key_secret"], vector["headers"], text)
    assert signed == vector["authorization"]


@pytest.mark.parametrize("vector", OF_OUR_HEADERS, ids=named)
def test_a_request_is_signed_as_the_vector_says(vector: Vector, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = vector["headers"]

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Then":
            return cls.fromisoformat(headers["x-acs-date"]).astimezone(tz)

    monkeypatch.setattr(transport, "datetime", Then)
    monkeypatch.setattr(secrets, "token_hex", lambda _: headers["x-acs-signature-nonce"])
    monkeypatch.setattr(transport, "API_VERSION", headers["x-acs-version"])
    sent = {"user-agent": "not signed", "accept": "application/json"}
    if "content-type" in headers:
        sent["content-type"] = headers["content-type"]
    request = httpx.Request(vector["method"], vector["wire_url_canonical"], headers=sent, content=body_of(vector))

    credential = Credential(vector["access_key_id"], vector["access_key_secret"], vector["security_token"])
    signed = next(Acs3Auth(headers["x-acs-action"], credential).sync_auth_flow(request))

    assert signed.headers["authorization"] == vector["authorization"]
    assert {name: signed.headers[name] for name in headers} == headers
    assert str(signed.url) == vector["wire_url_canonical"]


def test_two_requests_never_share_a_nonce_and_are_dated_now() -> None:
    auth = Acs3Auth("ListModels", Credential("id", "secret"))
    first, second = (next(auth.sync_auth_flow(httpx.Request("GET", "https://example.com/"))) for _ in range(2))
    nonces = {request.headers["x-acs-signature-nonce"] for request in (first, second)}
    assert len(nonces) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", nonce) for nonce in nonces)
    date = datetime.strptime(first.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%S%z")
    assert abs((datetime.now(UTC) - date).total_seconds()) < 60


def test_a_permanent_key_sends_no_headers_of_a_temporary_one() -> None:
    auth = Acs3Auth("ListModels", Credential("id", "secret"))
    request = next(auth.sync_auth_flow(httpx.Request("GET", "https://example.com/")))
    assert "x-acs-security-token" not in request.headers
    assert "x-acs-accesskey-id" not in request.headers


@pytest.mark.parametrize(
    ("method", "path", "query", "host", "key"),
    [
        ("PUT", "/a", "b=1", "h", "k"),
        ("GET", "/b", "b=1", "h", "k"),
        ("GET", "/a", "b=2", "h", "k"),
        ("GET", "/a", "b=1", "i", "k"),
        ("GET", "/a", "b=1", "h", "l"),
    ],
)
def test_one_changed_byte_anywhere_changes_the_signature(
    method: str, path: str, query: str, host: str, key: str
) -> None:
    def signature(method: str, path: str, query: str, host: str, key: str) -> str:
        canonical = signing.canonical_request(method, path, query, {"host": host}, "hash")
        return signing.authorization("id", key, {"host": host}, signing.string_to_sign(canonical))

    assert signature(method, path, query, host, key) != signature("GET", "/a", "b=1", "h", "k")


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("AZaz09-_.~", "AZaz09-_.~"),
        (" +*/=&?#%", "%20%2B%2A%2F%3D%26%3F%23%25"),
        ("情", "%E6%83%85"),
        ("😀", "%F0%9F%98%80"),
        ("a\nb\0", "a%0Ab%00"),
        ("\ud800", "%3F"),
        ("", ""),
    ],
)
def test_all_but_unreserved_characters_are_percent_encoded(text: str, encoded: str) -> None:
    assert signing.percent_encode(text) == encoded


def test_headers_are_signed_in_order_lower_case_and_trimmed() -> None:
    headers = {"X-Acs-B": " two ", "Host": "example.com", "x-acs-a": "one"}
    canonical = signing.canonical_request("GET", "/", "", headers, "hash")
    assert canonical == "GET\n/\n\nhost:example.com\nx-acs-a:one\nx-acs-b:two\n\nhost;x-acs-a;x-acs-b\nhash"


def test_headers_are_ordered_by_name_even_where_one_name_begins_another() -> None:
    headers = {"x-acs-a-b": "two", "x-acs-a": "one"}
    canonical = signing.canonical_request("GET", "/", "", headers, "hash")
    assert canonical == "GET\n/\n\nx-acs-a:one\nx-acs-a-b:two\n\nx-acs-a;x-acs-a-b\nhash"

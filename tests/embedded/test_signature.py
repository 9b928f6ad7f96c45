"""Signatures of the official SDK are accepted; all other requests are refused."""

import hashlib
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote, urlsplit

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest

from paiview.embedded import asgi_app, signature
from paiview.embedded.request import RefusedError
from paiview.embedded.signature import SignatureCheck, SignedRequest
from tests.embedded.sdk import KEY_ID, SECRET, new_model, read_model, refusal, sdk_client

ALGORITHM: Final = "ACS3-HMAC-SHA256"
DATE_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
VECTORS: Final = json.loads(Path(__file__).parents[1].joinpath("data/acs3_vectors.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Raw:
    """A request down to its headers, which the SDK's own function signs."""

    endpoint: str
    method: str = "GET"
    path: str = "/api/v1/models"
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    action: str = "ListModels"
    headers: Mapping[str, str | None] = field(default_factory=dict)

    def signed(self) -> dict[str, str]:
        """All headers. Arguments replace the usual ones; None omits one from request and signature."""
        usual: dict[str, str | None] = {
            "host": urlsplit(self.endpoint).netloc,
            "x-acs-action": self.action,
            "x-acs-version": "2021-02-04",
            "x-acs-date": datetime.now(UTC).strftime(DATE_FORMAT),
            "x-acs-signature-nonce": Utils.get_nonce(),
            "x-acs-content-sha256": hashlib.sha256(self.body).hexdigest(),
        } | ({"content-type": "application/json; charset=utf-8"} if self.body else {})
        headers = {name: value for name, value in {**usual, **self.headers}.items() if value is not None}
        request = DaraRequest()
        request.method, request.pathname = self.method, self.path
        request.query, request.headers = dict(self.query), dict(headers)
        payload = headers.get("x-acs-content-sha256", "")
        return {"authorization": Utils.get_authorization(request, ALGORITHM, payload, KEY_ID, SECRET)} | headers

    def send(self, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        """Send with these headers, otherwise with the signed ones; returns the status and the JSON of the response."""
        connection = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=10)
        url = self.path + ("?" + "&".join(f"{k}={quote(v, safe='')}" for k, v in self.query.items())) * bool(self.query)
        try:
            connection.putrequest(self.method, url, skip_host=True, skip_accept_encoding=True)
            for name, value in (self.signed() if headers is None else headers).items():
                connection.putheader(name, value)
            if self.body:
                connection.putheader("content-length", str(len(self.body)))
            connection.endheaders(self.body or None)
            answer = connection.getresponse()
            fields: dict[str, Any] = json.loads(answer.read())
            assert answer.headers["x-acs-request-id"] == fields["RequestId"]
        finally:
            connection.close()
        return answer.status, fields

    def refused(self, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """The status and the Code."""
        status, fields = self.send(headers)
        return status, fields["Code"]


def list_models(sdk: Client) -> object:
    return sdk.list_models(models.ListModelsRequest())


def test_a_wrong_secret_does_not_match(endpoint: str) -> None:
    client = sdk_client(endpoint, access_key_secret=SECRET + "x")
    assert refusal(partial(list_models, client)) == (400, "SignatureDoesNotMatch")


def test_an_unknown_key_is_not_found(endpoint: str) -> None:
    client = sdk_client(endpoint, access_key_id="another-key")
    assert refusal(partial(list_models, client)) == (404, "InvalidAccessKeyId.NotFound")


def test_the_message_of_a_mismatch_quotes_what_was_signed_and_no_secret(endpoint: str) -> None:
    raw = Raw(endpoint, query={"ModelName": "q"})
    status, fields = raw.send(raw.signed() | {"x-acs-version": "2020-01-01"})
    assert (status, fields["Code"]) == (400, "SignatureDoesNotMatch")
    assert "GET\n/api/v1/models\nModelName=q\nhost:127.0.0.1:" in fields["Message"]
    assert SECRET not in json.dumps(fields)


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_less_than_15_minutes_off_is_accepted(
    sdk: Client, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    shifted = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime(DATE_FORMAT)
    monkeypatch.setattr(Utils, "get_timestamp", lambda: shifted)
    list_models(sdk)


@pytest.mark.parametrize("minutes", [-16, 16, -60 * 24 * 365])
def test_a_clock_more_than_15_minutes_off_is_refused(
    sdk: Client, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    shifted = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime(DATE_FORMAT)
    monkeypatch.setattr(Utils, "get_timestamp", lambda: shifted)
    assert refusal(partial(list_models, sdk)) == (400, "InvalidTimeStamp.Expired")


@pytest.mark.parametrize("date", ["", "now", "2021-01-01T00:00:00", "2021-01-01 00:00:00Z", "2021-13-01T00:00:00Z"])
def test_a_date_of_another_form_is_refused(endpoint: str, date: str) -> None:
    assert Raw(endpoint, headers={"x-acs-date": date}).refused() == (400, "InvalidTimeStamp.Format")


def test_a_nonce_counts_once(sdk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Utils, "get_nonce", lambda: "a nonce of this test alone")
    list_models(sdk)
    assert refusal(partial(list_models, sdk)) == (400, "SignatureNonceUsed")


def test_a_request_that_is_sent_again_as_it_was_is_refused(endpoint: str) -> None:
    raw = Raw(endpoint)
    headers = raw.signed()
    assert raw.send(headers)[0] == 200
    assert raw.refused(headers) == (400, "SignatureNonceUsed")


def test_a_request_that_was_refused_does_not_use_up_the_nonce(endpoint: str) -> None:
    raw = Raw(endpoint)
    headers = raw.signed()
    assert raw.refused(headers | {"x-acs-content-sha256": "0" * 64}) == (400, "SignatureDoesNotMatch")
    assert raw.send(headers)[0] == 200


def test_a_body_is_read_after_the_signature_and_to_a_bound(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi_app, "MAX_BODY_BYTES", 1000)
    raw = Raw(endpoint, "POST", action="CreateModel", body=b" " * 1001)
    assert raw.refused() == (413, "EntityTooLarge")
    assert raw.refused({"host": "127.0.0.1", "content-type": "application/json"}) == (400, "IncompleteSignature")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("x-acs-date", (400, "InvalidTimeStamp.Format")),
        ("x-acs-signature-nonce", (400, "IncompleteSignature")),
        ("x-acs-content-sha256", (400, "SignatureDoesNotMatch")),
        ("x-acs-action", (404, "InvalidApi.NotFound")),
        ("x-acs-version", (404, "InvalidApi.NotFound")),
    ],
)
def test_a_request_signed_without_a_header_it_needs_is_refused(
    endpoint: str, name: str, answer: tuple[int, str]
) -> None:
    assert Raw(endpoint, headers={name: None}).refused() == answer


@pytest.mark.parametrize("name", ["host", "x-acs-action", "x-acs-signature-nonce"])
def test_a_signature_that_leaves_a_header_out_is_incomplete(endpoint: str, name: str) -> None:
    raw = Raw(endpoint)
    lacking = replace(raw, headers={name: None}).signed()
    assert raw.refused({name: raw.signed()[name]} | lacking) == (400, "IncompleteSignature")


def test_an_x_acs_header_that_was_not_signed_is_refused(endpoint: str) -> None:
    raw = Raw(endpoint)
    assert raw.refused(raw.signed() | {"x-acs-extra": "1"}) == (400, "IncompleteSignature")


def test_a_signed_header_that_is_not_sent_is_refused(endpoint: str) -> None:
    raw = Raw(endpoint, headers={"x-acs-extra": "1"})
    headers = raw.signed()
    del headers["x-acs-extra"]
    assert raw.refused(headers) == (400, "IncompleteSignature")


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("", id="empty"),
        pytest.param("acs {key}:c2lnbmF0dXJl", id="the older form"),
        pytest.param("ACS3-HMAC-SHA1 Credential={key},SignedHeaders={names},Signature={hex}", id="another algorithm"),
        pytest.param("ACS3-HMAC-SHA256Credential={key},SignedHeaders={names},Signature={hex}", id="no blank"),
        pytest.param("ACS3-HMAC-SHA256 Credential={key},SignedHeaders={names},Signature={hex:.63}", id="cut off"),
        pytest.param("ACS3-HMAC-SHA256 Credential={key},SignedHeaders={names},Signature={hex},A=1", id="too much"),
        pytest.param("ACS3-HMAC-SHA256 Credential={key},SignedHeaders={names},signature={hex}", id="another name"),
        pytest.param("ACS3-HMAC-SHA256 SignedHeaders={names},Credential={key},Signature={hex}", id="another order"),
    ],
)
def test_an_authorization_of_another_form_is_incomplete(endpoint: str, broken: str) -> None:
    raw = Raw(endpoint)
    headers = raw.signed()
    names, signed = headers["authorization"].split("SignedHeaders=")[1].split(",Signature=")
    assert raw.refused(headers | {"authorization": broken.format(key=KEY_ID, names=names, hex=signed)}) == (
        400,
        "IncompleteSignature",
    )


def test_a_request_without_an_authorization_is_incomplete(endpoint: str) -> None:
    raw = Raw(endpoint)
    headers = raw.signed()
    del headers["authorization"]
    assert raw.refused(headers) == (400, "IncompleteSignature")


POST: Final[dict[str, Any]] = {
    "method": "POST",
    "action": "CreateModel",
    "body": b'{"ModelName":"of the signature test"}',
}


@pytest.mark.parametrize(
    ("sent", "changes"),
    [
        pytest.param({"query": {"Order": "ASC"}}, {"query": {"Order": "DESC"}}, id="another value in the query"),
        pytest.param({"query": {"Order": "ASC"}}, {"query": {}}, id="a parameter less"),
        pytest.param({}, {"query": {"Order": "ASC"}}, id="a parameter more"),
        pytest.param({"query": {"Label": "a b"}}, {"query": {"Label": "a+b"}}, id="a plus in place of a blank"),
        pytest.param({}, {"path": "/api/v1/models/"}, id="another path"),
        pytest.param({}, {"method": "POST"}, id="another method"),
        pytest.param(POST, {"body": b'{"ModelName":"of the signature tesT"}'}, id="another body"),
        pytest.param(POST, {"body": b""}, id="no body"),
        pytest.param({}, {"body": b"{}"}, id="a body that was not there"),
    ],
)
def test_a_request_changed_on_its_way_is_refused(endpoint: str, sent: dict[str, Any], changes: dict[str, Any]) -> None:
    raw = Raw(endpoint, **sent)
    headers = raw.signed()
    assert replace(raw, **changes).refused(headers) == (400, "SignatureDoesNotMatch")
    assert raw.send(headers)[0] == 200


@pytest.mark.parametrize("name", ["host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce", "content-type"])
def test_a_header_changed_on_its_way_is_refused(endpoint: str, name: str) -> None:
    raw = Raw(endpoint, **POST)
    headers = raw.signed()
    other = (datetime.now(UTC) - timedelta(minutes=1)).strftime(DATE_FORMAT) if name == "x-acs-date" else "other"
    assert raw.refused(headers | {name: other}) == (400, "SignatureDoesNotMatch")


def test_the_order_of_the_query_and_how_blanks_are_written_do_not_matter(sdk: Client, endpoint: str) -> None:
    new_model(sdk, "a + b")
    raw = Raw(endpoint, query={"ModelName": '"a + b"', "Order": "ASC"})
    assert [model["ModelName"] for model in raw.send()[1]["Models"]] == ["a + b"]
    request = models.ListModelsRequest(model_name='"a + b"', page_size=1, order="ASC")
    assert [model.model_name for model in sdk.list_models(request).body.models] == ["a + b"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"path": "/api/v1/models/a/b/c"}, id="no such path"),
        pytest.param({"path": "/"}, id="the root"),
        pytest.param({"path": "/api/v1/models/"}, id="a slash too many"),
        pytest.param({"method": "PATCH"}, id="no such method"),
        pytest.param({"action": "ListWorkspaces"}, id="an action of another path"),
        pytest.param({"headers": {"x-acs-version": "2020-01-01"}}, id="another version"),
    ],
)
def test_a_request_that_is_no_operation_is_not_found(endpoint: str, changes: dict[str, Any]) -> None:
    assert Raw(endpoint, **changes).refused() == (404, "InvalidApi.NotFound")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b'"text"', id="a text"),
        pytest.param(b"\xff\xfe\xfd", id="no text"),
        pytest.param(b'{"ModelName":"n","OrderNumber":NaN}', id="NaN"),
        pytest.param(b'{"ModelName":"n","ExtraInfo":{"a":1e999}}', id="a number beyond all"),
        pytest.param(b'{"ModelName":"n","OrderNumber":' + b"9" * 5000 + b"}", id="a number of 5000 digits"),
        pytest.param(b'{"ExtraInfo":' + b"[" * 100_000, id="nested deeper than anyone reads"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(endpoint: str, body: bytes) -> None:
    assert Raw(endpoint, **POST | {"body": body}).refused() == (400, "InvalidParameter")


def test_a_deeply_nested_filter_is_refused(endpoint: str) -> None:
    assert Raw(endpoint, query={"Tag": "[" * 5000}).refused() == (400, "InvalidTag")


def test_an_unknown_parameter_and_an_unknown_field_are_ignored(sdk: Client, endpoint: str) -> None:
    assert Raw(endpoint, query={"Labels": "x", "PageSize": "1"}).send()[0] == 200
    status, fields = Raw(endpoint, **POST | {"body": b'{"ModelName":"n","Colour":"red","Task":null}'}).send()
    assert status == 200
    assert not {"Colour", "Task"} & set(read_model(sdk, fields["ModelId"]))


def test_an_error_says_what_the_service_says_with_one(endpoint: str) -> None:
    status, fields = Raw(endpoint, path="/api/v1/models/model-x", action="GetModel").send()
    assert (status, fields["Code"], fields["Message"]) == (404, "201900002", "Model model-x does not exist.")
    assert fields["HostId"] == urlsplit(endpoint).netloc
    assert fields["Recommend"].endswith(f"?q=201900002&requestId={fields['RequestId']}")


def test_every_answer_has_a_request_id_of_its_own(endpoint: str) -> None:
    assert len({Raw(endpoint).send()[1]["RequestId"] for _ in range(3)}) == 3


def at_the_time_of(vector: Mapping[str, Any]) -> type[datetime]:
    """A datetime whose present is that of a vector."""
    moment = datetime.strptime(vector["headers"]["x-acs-date"], DATE_FORMAT).replace(tzinfo=UTC)

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Then":
            return cls.fromtimestamp(moment.timestamp(), tz)

    return Then


def request_of(vector: Mapping[str, Any], url: str) -> SignedRequest:
    """A vector's request as it is sent, with another URL or not."""
    parts = urlsplit(url)
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    return SignedRequest(
        method=vector["method"],
        raw_path=parts.path or "/",
        raw_query=parts.query,
        headers=headers | {"authorization": vector["authorization"]},
    )


@pytest.mark.parametrize("url", ["wire_url_canonical", "wire_url_as_sdk_sends_it"])
@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_the_recorded_and_the_published_signatures_are_good(
    monkeypatch: pytest.MonkeyPatch, vector: dict[str, Any], url: str
) -> None:
    monkeypatch.setattr(signature, "datetime", at_the_time_of(vector))
    check = SignatureCheck({vector["access_key_id"]: vector["access_key_secret"]})
    request = request_of(vector, vector[url])
    with pytest.raises(RefusedError) as caught:
        check.check(replace(request, raw_query=f"{request.raw_query}&Z=1".removeprefix("&")))
    assert caught.value.code == "SignatureDoesNotMatch"
    body = (vector["body"] or "").encode()
    check.check(request)
    with pytest.raises(RefusedError) as caught:
        check.accept(request, body + b"more")
    assert caught.value.code == "SignatureDoesNotMatch"
    check.accept(request, body)
    with pytest.raises(RefusedError) as caught:
        check.accept(request, body)
    assert caught.value.code == "SignatureNonceUsed"


def test_a_nonce_is_forgotten_once_no_date_could_be_accepted_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    vector = VECTORS["vectors"][0]
    moment = [0.0]
    monkeypatch.setattr(signature, "datetime", at_the_time_of(vector))
    monkeypatch.setattr("paiview.embedded.signature.time", SimpleNamespace(monotonic=lambda: moment[0]))
    check = SignatureCheck({vector["access_key_id"]: vector["access_key_secret"]})
    request = request_of(vector, vector["wire_url_canonical"])
    accepted = partial(check.accept, request, (vector["body"] or "").encode())
    accepted()
    moment[0] = 30 * 60
    with pytest.raises(RefusedError):
        accepted()
    moment[0] = 30 * 60 + 1
    accepted()

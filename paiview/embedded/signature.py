"""The check of a request's signature (ACS3-HMAC-SHA256). It shares no code with the client that signs.

The steps follow Alibaba Cloud's description of the V3 signature: the access key is known, the time differs by at most
15 minutes, the hash is that of the body, the signature matches, and the nonce is new.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from paiview.embedded.assumptions import ErrorCode
from paiview.embedded.request import RefusedError

_ALGORITHM: Final = "ACS3-HMAC-SHA256"
_MAX_CLOCK_SKEW_SECONDS: Final = 15 * 60
_DATE_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
_AUTHORIZATION: Final = re.compile(
    rf"{_ALGORITHM} Credential=(?P<key>[^,\s]+), ?SignedHeaders=(?P<headers>[^,\s]+), ?"
    rf"Signature=(?P<signature>[0-9a-f]{{64}})"
)

_INCOMPLETE: Final = ErrorCode(400, "IncompleteSignature")
_UNKNOWN_KEY: Final = ErrorCode(404, "InvalidAccessKeyId.NotFound")
_MISMATCH: Final = ErrorCode(400, "SignatureDoesNotMatch")
_BAD_DATE: Final = ErrorCode(400, "InvalidTimeStamp.Format")
_EXPIRED: Final = ErrorCode(400, "InvalidTimeStamp.Expired")
_NONCE_USED: Final = ErrorCode(400, "SignatureNonceUsed")
_WRONG_HASH: Final = "The header x-acs-content-sha256 is not the SHA-256 of the body."


@dataclass(frozen=True)
class SignedRequest:
    """The signed parts of a request as received: path and query are percent-encoded, header names in lower case.

    Bytes beyond ASCII are decoded as Latin-1. The signature covers the body by its hash, so that it is checked before
    the body is read.
    """

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]


class SignatureCheck:
    """Checks requests against access keys, and remembers each nonce for as long as a replay would be in time.

    Args:
        secrets: access key id to secret.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = secrets
        self._nonces: dict[str, float] = {}

    def check(self, request: SignedRequest) -> None:
        """Check a request but for its body and its nonce, which are left to ``accept``.

        Raises:
            RefusedError: with the ``Code`` that PAI would return.
        """
        authorization = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if authorization is None:
            raise RefusedError(_INCOMPLETE, f"The header Authorization is not of the form of {_ALGORITHM}.")
        _check_date(request.headers.get("x-acs-date", ""))
        secret = self._secrets.get(authorization["key"])
        if secret is None:
            raise RefusedError(_UNKNOWN_KEY, "Specified access key is not found.")
        signed = authorization["headers"].split(";")
        required = {"host", *(name for name in request.headers if name.startswith("x-acs-"))}
        nonce = request.headers.get("x-acs-signature-nonce", "")
        if not required <= set(signed) <= set(request.headers) or not nonce:
            raise RefusedError(_INCOMPLETE, "The nonce, the host and every x-acs header must be there and signed.")
        if "x-acs-content-sha256" not in request.headers:
            raise RefusedError(_MISMATCH, _WRONG_HASH)
        canonical = _canonical_request(request, signed)
        text = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode('latin-1')).hexdigest()}"
        signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, authorization["signature"]):
            message = "Specified signature is not matched with our calculation. "
            raise RefusedError(
                _MISMATCH, f"{message}server StringToSign is [{text}], server CanonicalRequest is [{canonical}]"
            )

    def accept(self, request: SignedRequest, body: bytes) -> None:
        """Check the body of a request that ``check`` found right, and use up its nonce.

        Raises:
            RefusedError: it is not the body that was signed, or the nonce was used before.
        """
        if request.headers.get("x-acs-content-sha256") != hashlib.sha256(body).hexdigest():
            raise RefusedError(_MISMATCH, _WRONG_HASH)
        self._use_nonce(request.headers["x-acs-signature-nonce"])

    def _use_nonce(self, nonce: str) -> None:
        now = time.monotonic()
        # A request dated 15 minutes ahead is still accepted 30 minutes from now.
        while self._nonces and now - next(iter(self._nonces.values())) > 2 * _MAX_CLOCK_SKEW_SECONDS:
            del self._nonces[next(iter(self._nonces))]
        if nonce in self._nonces:
            raise RefusedError(_NONCE_USED, "Specified signature nonce was used already.")
        self._nonces[nonce] = now


def _check_date(text: str) -> None:
    try:
        date = datetime.strptime(text, _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise RefusedError(_BAD_DATE, "The header x-acs-date is not of the form yyyy-MM-ddTHH:mm:ssZ.") from None
    if abs((datetime.now(UTC) - date).total_seconds()) > _MAX_CLOCK_SKEW_SECONDS:
        raise RefusedError(_EXPIRED, "Specified time stamp or date value is expired.")


def _canonical_request(request: SignedRequest, signed: Sequence[str]) -> str:
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in sorted(signed))
    names = ";".join(sorted(signed))
    query = _canonical_query(request.raw_query)
    return "\n".join((request.method, request.raw_path, query, headers, names, request.headers["x-acs-content-sha256"]))


def _canonical_query(raw: str) -> str:
    """Sort a query and normalize its encoding: clients send a space as ``+`` and sign it as ``%20``."""
    pairs = [pair.partition("=")[::2] for pair in raw.split("&") if pair]
    return "&".join(f"{name}={value}" for name, value in sorted((_encoded(n), _encoded(v)) for n, v in pairs))


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ")), safe="-_.~")

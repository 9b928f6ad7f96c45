"""The signature ACS3-HMAC-SHA256 of Alibaba Cloud, as pure functions from text to text.

Follows "Request syntax and signature method V3" of the API documentation: hash a canonical form of the request, and
sign the hash with the access key secret.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

ALGORITHM = "ACS3-HMAC-SHA256"


def percent_encode(text: str) -> str:
    """Encode all but the unreserved characters as upper-case ``%XX`` of UTF-8; ``/`` is encoded too.

    A lone surrogate has no UTF-8 form and becomes ``?``.

    >>> percent_encode("情感 v1+*~/=&?")
    '%E6%83%85%E6%84%9F%20v1%2B%2A~%2F%3D%26%3F'
    """
    return quote(text, safe="~", errors="replace")


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Encode the parameters and join them, sorted by name; an empty value keeps its ``=``.

    >>> canonical_query({"PageSize": "10", "Label": ""})
    'Label=&PageSize=10'
    """
    return "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in sorted(parameters.items()))


def signed_headers(headers: Mapping[str, str]) -> str:
    """List the names of the headers that the signature covers.

    >>> signed_headers({"x-acs-action": "GetModel", "Host": "example.com"})
    'host;x-acs-action'
    """
    return ";".join(sorted(name.lower() for name in headers))


def canonical_request(method: str, path: str, query: str, headers: Mapping[str, str], content_sha256: str) -> str:
    """Write a request in the canonical form that client and service hash.

    Args:
        method: the HTTP method, upper case.
        path: the path as sent, percent-encoded.
        query: the result of ``canonical_query``.
        headers: exactly the headers to sign.
        content_sha256: the SHA-256 of the body, lower-case hex.
    """
    ordered = sorted((name.lower(), value.strip()) for name, value in headers.items())
    lines = "".join(f"{name}:{value}\n" for name, value in ordered)
    return "\n".join((method, path, query, lines, signed_headers(headers), content_sha256))


def string_to_sign(request: str) -> str:
    """Build the text to sign from a canonical request."""
    return f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"


def authorization(access_key_id: str, access_key_secret: str, headers: Mapping[str, str], text: str) -> str:
    """Sign a text and build the ``Authorization`` header.

    Args:
        access_key_id: the id of the key; part of the header.
        access_key_secret: the secret of the key; never sent.
        headers: the headers that the signature covers.
        text: the result of ``string_to_sign``.
    """
    signature = hmac.new(access_key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={access_key_id},SignedHeaders={signed_headers(headers)},Signature={signature}"

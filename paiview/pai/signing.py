"""The signature ACS3-HMAC-SHA256 of Alibaba Cloud, as pure functions from text to text.

The rule is "Request syntax and signature method V3" of the API documentation: a canonical form of the request is
hashed, and the hash is signed with the access key secret.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

ALGORITHM = "ACS3-HMAC-SHA256"


def percent_encode(text: str) -> str:
    """Encode everything but the unreserved characters, ``/`` included, as upper-case ``%XX`` of UTF-8.

    A lone surrogate has no UTF-8 form and becomes ``?``.

    >>> percent_encode("情感 v1+*~/=&?")
    '%E6%83%85%E6%84%9F%20v1%2B%2A~%2F%3D%26%3F'
    """
    return quote(text, safe="~", errors="replace")


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Join the parameters sorted by name, names and values encoded; an empty value keeps its ``=``.

    >>> canonical_query({"PageSize": "10", "Label": ""})
    'Label=&PageSize=10'
    """
    return "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in sorted(parameters.items()))


def signed_headers(headers: Mapping[str, str]) -> str:
    """Name the headers the signature covers.

    >>> signed_headers({"x-acs-action": "GetModel", "Host": "example.com"})
    'host;x-acs-action'
    """
    return ";".join(sorted(name.lower() for name in headers))


def canonical_request(method: str, path: str, query: str, headers: Mapping[str, str], content_sha256: str) -> str:
    """Write a request in the form both sides hash.

    Args:
        method: the HTTP method, upper case.
        path: the path as it is sent, already percent-encoded.
        query: what ``canonical_query`` gives.
        headers: the headers to sign, and only those.
        content_sha256: the hash of the body's bytes, lower-case hex.
    """
    ordered = sorted((name.lower(), value.strip()) for name, value in headers.items())
    lines = "".join(f"{name}:{value}\n" for name, value in ordered)
    return "\n".join((method, path, query, lines, signed_headers(headers), content_sha256))


def string_to_sign(request: str) -> str:
    """Hash a canonical request into the text that is signed."""
    return f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"


def authorization(access_key_id: str, access_key_secret: str, headers: Mapping[str, str], text: str) -> str:
    """Sign a text and write the ``Authorization`` header.

    Args:
        access_key_id: the id of the key, sent along.
        access_key_secret: the secret of the key, never sent.
        headers: the headers the signature covers.
        text: what ``string_to_sign`` gives.
    """
    signature = hmac.new(access_key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={access_key_id},SignedHeaders={signed_headers(headers)},Signature={signature}"

"""The one family of errors: what happened, whether trying again helps, and what to do.

The service tells what went wrong by ``Code``, not by the HTTP status: an unknown access key and a missing model are
both 404, and throttling is usually 400. So the classes here follow the Code.
"""

from collections.abc import Callable
from typing import Final


class PaiviewError(Exception):
    """Base of every error paiview raises on purpose.

    Attributes:
        message: what happened, one plain sentence; holds no secret.
        advice: what the reader can do about it.
        retryable: whether the same call may work a little later.
        code: ``Code`` of the service, ``None`` where the service gave none.
        request_id: ``RequestId`` of the service, to quote to its support.
        status: the HTTP status, ``None`` where no answer came.
    """

    advice: str = ""
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        request_id: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.request_id = request_id
        self.status = status


class SettingError(PaiviewError):
    """A setting of paiview has a value that cannot be used."""

    advice = "Correct the setting and start again."


class CredentialError(PaiviewError):
    """No usable Alibaba Cloud credential was found on the server."""

    advice = (
        "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or repair the source that is configured."
    )


class ServiceError(PaiviewError):
    """The service, or the way to it, failed."""


class UnreachableError(ServiceError):
    """No connection could be made: refused, no such host, TLS."""

    advice = "Check PAIVIEW_ENDPOINT or PAIVIEW_REGION, the network and the proxy."
    retryable = True


class DeadlineError(ServiceError):
    """No complete answer came in time."""

    advice = "Try again; if it stays, the service or the network is slow."
    retryable = True


class AnswerError(ServiceError):
    """An answer came that is not the JSON object the API promises: a proxy page, a cut-off body."""

    advice = "Check that the endpoint is PAI's and that no proxy answers in its place."
    retryable = True


class CutOffError(AnswerError):
    """An answer broke off before its end; asking again usually brings it whole."""


class AccessKeyError(ServiceError):
    """The access key is unknown or disabled, or its secret or token does not fit."""

    advice = "Check the server's access key id, secret and token."


class ExpiredTokenError(AccessKeyError):
    """The temporary credential has expired; with a fresh one the call works."""

    advice = "Renew the server's temporary credential."


class ClockError(ServiceError):
    """The clock of this machine is more than 15 minutes off."""

    advice = "Set the clock of the machine paiview runs on."


class PermissionDeniedError(ServiceError):
    """The credential is good, but may not do this."""

    advice = "Ask for the RAM permission or the workspace role that this needs."


class NotFoundError(ServiceError):
    """The model, version, dataset or workspace does not exist, or is not visible to this credential."""

    advice = "Check the id, the region and the workspace."


class ThrottledError(ServiceError):
    """The account is over the service's rate limit, which all its users share.

    Attributes:
        retry_after: seconds the service asked to wait, ``None`` where it gave no hint.
    """

    advice = "Wait a little, or lower PAIVIEW_RATE_LIMIT."
    retryable = True
    retry_after: float | None = None


class UnavailableError(ServiceError):
    """The service has trouble of its own (5xx)."""

    advice = "Try again in a minute."
    retryable = True


class RequestRefusedError(ServiceError):
    """The service refused the request, for a reason its Code and Message give."""

    advice = "Read the Message; quote the RequestId to Alibaba Cloud support if it does not help."


_BY_CODE: Final[dict[str, type[ServiceError]]] = {
    "InvalidAccessKeyId": AccessKeyError,
    "SignatureDoesNotMatch": AccessKeyError,
    "IncompleteSignature": AccessKeyError,
    "SignatureNonceUsed": UnavailableError,
    "InvalidSecurityToken.Expired": ExpiredTokenError,
    "InvalidSecurityToken": AccessKeyError,
    "InvalidTimeStamp": ClockError,
    "NoPermission": PermissionDeniedError,
    "Forbidden": PermissionDeniedError,
    "Throttling": ThrottledError,
    "Rejected.Throttling": ThrottledError,
    "ServiceUnavailable": UnavailableError,
    "InternalError": UnavailableError,
    "InvalidApi.NotFound": NotFoundError,
    "201900002": NotFoundError,
    "201900003": NotFoundError,
    "201300003": NotFoundError,
    "100400027": NotFoundError,
    "100400008": NotFoundError,
    "100700008": NotFoundError,
}

_BY_STATUS: Final[dict[int, type[ServiceError]]] = {
    401: AccessKeyError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: ThrottledError,
}
_OWN_WORDS: Final[dict[str, str]] = {
    "SignatureDoesNotMatch": "the access key secret does not fit the access key id",
    "IncompleteSignature": "the signature did not arrive whole",
}
"""Codes whose Message quotes the signed request, which is not to be shown, and what is said in its place."""


def error_for(
    action: str,
    status: int,
    *,
    code: str | None = None,
    text: str | None = None,
    request_id: str | None = None,
    retry_after: float | None = None,
) -> ServiceError:
    """Build the error an answer stands for: by its Code, by the Code up to a dot, else by its status.

    Args:
        action: the operation that was asked for.
        status: the HTTP status.
        code: ``Code`` of the answer.
        text: ``Message`` of the answer.
        request_id: ``RequestId`` of the answer.
        retry_after: seconds the service asks to wait. With this hint every error that may pass, and every one whose
            Code is unknown, is throttling: the service's own tools decide by the hint alone.
    """
    known, found = _class_of(code)
    kind = found or (UnavailableError if status >= 500 else _BY_STATUS.get(status, RequestRefusedError))
    if retry_after is not None and (found is None or found.retryable):
        kind = ThrottledError
    words = _OWN_WORDS.get(known) or text
    answered = f"{action} was answered with {code or f'HTTP status {status}'}"
    if retry_after is not None and kind is ThrottledError:
        answered += f", asking to wait {retry_after:.10g} s"
    error = kind(f"{answered}: {words}" if words else f"{answered}.", code=code, request_id=request_id, status=status)
    if isinstance(error, ThrottledError):
        error.retry_after = retry_after
    return error


def _class_of(code: str | None) -> tuple[str, type[ServiceError] | None]:
    """The longest part of a Code, up to its end or one of its dots, that is known, and its class."""
    part = code or ""
    while part:
        if part in _BY_CODE:
            return part, _BY_CODE[part]
        part = part.rpartition(".")[0]
    return "", None


def error_text(error: PaiviewError, escape: Callable[[str, int], str]) -> str:
    """An error as one text: what happened, Code and RequestId, and what to do.

    Args:
        error: the error.
        escape: makes a text of the service safe for the place where it is shown, and cuts it to a number of characters.
    """
    ids = (("Code", error.code), ("RequestId", error.request_id))
    facts = ", ".join(f"{name} {escape(value, 200)}" for name, value in ids if value)
    return f"{escape(error.message, 600)}{f' ({facts})' if facts else ''} {error.advice}".strip()

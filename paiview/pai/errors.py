"""The one family of errors: what happened, whether a retry may help, and what the reader can do.

The service identifies a failure by ``Code``, not by the HTTP status: an unknown access key and a missing model are both
404, and throttling is usually 400. So the class follows the Code.

    PaiviewError
        SettingError
        ParameterError
        CredentialError
        ServiceError
            UnreachableError
            DeadlineError
            AnswerError
                CutOffError
            AccessKeyError
                ExpiredTokenError
            ClockError
            PermissionDeniedError
            NotFoundError
            ThrottledError
            UnavailableError
            RequestRefusedError
"""

from collections.abc import Callable
from typing import Final


class PaiviewError(Exception):
    """Base of every error paiview raises on purpose.

    Attributes:
        message: what happened, in one plain sentence without secrets.
        advice: what the reader can do about it.
        retryable: whether the same call may succeed a little later.
        code: ``Code`` of the response, if it has one.
        request_id: ``RequestId`` of the response, if it has one; Alibaba Cloud support asks for it.
        status: HTTP status of the response, ``None`` if no response came.
    """

    advice: str = ""
    retryable: bool = False

    @property
    def message_for_readers(self) -> str:
        """``message``, or less where it names files and settings of the server, which strangers need not know."""
        return self.message

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
    """A setting of paiview has an invalid value."""

    advice = "Correct the setting and start again."

    def __init__(self, message: str, *, for_readers: str | None = None) -> None:
        """Make the error.

        Args:
            message: as in ``PaiviewError``; it may name files and values of the server.
            for_readers: the same for strangers; by default only that there is such a setting.
        """
        super().__init__(message)
        self._for_readers = for_readers

    @property
    def message_for_readers(self) -> str:
        """What strangers may know; the log has the message."""
        return self._for_readers or "A setting of this server cannot be used; its log says which one and why."


class ParameterError(PaiviewError):
    """A request has an invalid parameter."""


class CredentialError(PaiviewError):
    """No usable Alibaba Cloud credential was found on the server."""

    advice = (
        "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or repair the source that is configured."
    )


class ServiceError(PaiviewError):
    """The service or the connection to it failed."""


class UnreachableError(ServiceError):
    """No connection could be made: it was refused, the host is unknown, or TLS failed."""

    advice = "Check PAIVIEW_ENDPOINT or PAIVIEW_REGION, the network and the proxy."
    retryable = True


class DeadlineError(ServiceError):
    """No complete response came in time."""

    advice = "Try again; if it persists, the service or the network is slow."
    retryable = True


class AnswerError(ServiceError):
    """The response is not the JSON object that the API promises, such as the error page of a proxy."""

    advice = "Check that the endpoint is PAI's and that no proxy answers in its place."
    retryable = True


class CutOffError(AnswerError):
    """The response ended too early; a retry usually succeeds."""


class AccessKeyError(ServiceError):
    """The access key is unknown or disabled, or its secret or token does not match."""

    advice = "Check the server's access key id, secret and token."


class ExpiredTokenError(AccessKeyError):
    """The temporary credential has expired; the call needs a new one."""

    advice = "Renew the server's temporary credential."


class ClockError(ServiceError):
    """The clock of this machine is more than 15 minutes off."""

    advice = "Set the clock of the machine paiview runs on."


class PermissionDeniedError(ServiceError):
    """The credential is valid but lacks a permission."""

    advice = "Ask for the RAM permission or the workspace role that this needs."


class NotFoundError(ServiceError):
    """The model, version, dataset or workspace does not exist, or is not visible to this credential."""

    advice = "Check the id, the region and the workspace."


class ThrottledError(ServiceError):
    """The account exceeds the service's rate limit, which all its users share.

    Attributes:
        retry_after: seconds the service asks to wait, ``None`` if it gives no hint.
    """

    advice = "Wait a little, or lower PAIVIEW_RATE_LIMIT."
    retryable = True
    retry_after: float | None = None


class UnavailableError(ServiceError):
    """The service failed (5xx)."""

    advice = "Try again in a minute."
    retryable = True


class RequestRefusedError(ServiceError):
    """The service refused the request; Code and Message give the reason."""

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
_SAFE_MESSAGES: Final[dict[str, str]] = {
    "SignatureDoesNotMatch": "the access key secret does not match the access key id",
    "IncompleteSignature": "the signature arrived incomplete",
}
"""The text shown for a Code whose Message quotes the signed request, which must not be shown."""


def error_for(
    action: str,
    status: int,
    *,
    code: str | None = None,
    text: str | None = None,
    request_id: str | None = None,
    retry_after: float | None = None,
) -> ServiceError:
    """Build the error for a response: by its Code, by a part of the Code up to a dot, else by its status.

    Args:
        action: the API operation.
        status: the HTTP status.
        code: ``Code`` of the response.
        text: ``Message`` of the response.
        request_id: ``RequestId`` of the response.
        retry_after: seconds the service asks to wait. With this hint an error that is retryable or has an unknown Code
            counts as throttling, for Alibaba Cloud's own SDK decides by the hint alone.
    """
    listed_code, listed_class = _class_of(code)
    by_status = UnavailableError if status >= 500 else _BY_STATUS.get(status, RequestRefusedError)
    kind = listed_class or by_status
    if retry_after is not None and (listed_class is None or listed_class.retryable):
        kind = ThrottledError
    words = _SAFE_MESSAGES.get(listed_code) or text
    message = f"{action} was answered with {code or f'HTTP status {status}'}"
    if retry_after is not None and kind is ThrottledError:
        message += f", asking to wait {retry_after:.10g} s"
    message += f": {words}" if words else "."
    error = kind(message, code=code, request_id=request_id, status=status)
    if isinstance(error, ThrottledError):
        error.retry_after = retry_after
    return error


_MAX_CODE_CHARACTERS: Final = max(map(len, _BY_CODE))


def _class_of(code: str | None) -> tuple[str, type[ServiceError] | None]:
    """The longest part of a Code, up to its end or one of its dots, that ``_BY_CODE`` lists, and its class."""
    part = (code or "")[: _MAX_CODE_CHARACTERS + 1]
    while part:
        if part in _BY_CODE:
            return part, _BY_CODE[part]
        part = part.rpartition(".")[0]
    return "", None


def error_text(error: PaiviewError, escape: Callable[[str, int], str], message: str | None = None) -> str:
    """An error as one text: what happened, Code and RequestId, and what to do.

    Args:
        error: the error.
        escape: makes a text of the service safe for the place where it is shown, and cuts it to a number of characters.
        message: what happened; ``error.message`` by default.
    """
    ids = (("Code", error.code), ("RequestId", error.request_id))
    facts = ", ".join(f"{name} {escape(value, 200)}" for name, value in ids if value)
    return f"{escape(message or error.message, 600)}{f' ({facts})' if facts else ''} {error.advice}".strip()

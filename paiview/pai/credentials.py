"""Where the access key comes from: the official credential chain, or a fixed key.

The chain is that of alibabacloud-credentials: environment, OIDC role, ``~/.aliyun/config.json``,
``~/.alibabacloud/credentials.ini``, the role of the ECS machine, a credentials URI.
"""

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from paiview.pai.errors import CredentialError

if TYPE_CHECKING:
    from alibabacloud_credentials.client import Client as Chain
    from alibabacloud_credentials.models import CredentialModel

AnswerT = TypeVar("AnswerT")

ECS_DISABLED: Final = "ALIBABA_CLOUD_ECS_METADATA_DISABLED"
ECS_ROLE: Final = "ALIBABA_CLOUD_ECS_METADATA"
MACHINE_FILES: Final = (Path("/sys/class/dmi/id/sys_vendor"), Path("/sys/class/dmi/id/product_name"))
SOURCE_VARIABLES: Final = (
    "ALIBABA_CLOUD_PROFILE",
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_CREDENTIALS_URI",
    ECS_ROLE,
)
NO_CREDENTIAL_MESSAGE: Final = "No usable Alibaba Cloud credential was found on the server."


@dataclass(frozen=True)
class Credential:
    """An access key, with a security token if it is temporary.

    Raises:
        CredentialError: a part is empty or holds characters that no header can hold, such as a line break.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("access_key_id", "access_key_secret", "security_token"):
            text = getattr(self, name)
            if text is not None and not (text and text.isascii() and text.isprintable() and " " not in text):
                part = name.replace("_", " ")
                raise CredentialError(
                    f"The {part} of the server is empty or contains blanks or other invalid characters."
                )


class CredentialSource(Protocol):
    """A source of credentials. Both members may read files and make network requests."""

    @property
    def principal(self) -> str:
        """Identifies whose data is read, for cache keys. It does not change when a temporary credential is renewed.

        Raises:
            CredentialError: there is no usable credential.
        """

    def get(self, *, fresh: bool = False) -> Credential:
        """Return a valid credential; ``fresh`` bypasses what the source has cached.

        Raises:
            CredentialError: there is no usable credential.
        """


@dataclass(frozen=True)
class StaticCredentials:
    """A fixed access key, such as that of the embedded registry."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)

    @property
    def principal(self) -> str:
        """The access key id."""
        return self.access_key_id

    def get(self, *, fresh: bool = False) -> Credential:  # noqa: ARG002 - a fixed key is never stale
        """Return the fixed key."""
        return Credential(self.access_key_id, self.access_key_secret, self.security_token)


class ChainCredentials:
    """The official chain. It keeps using the first source that yields a credential."""

    def __init__(self) -> None:
        self._chain = _chain()

    @cached_property
    def principal(self) -> str:
        """The id of a permanent or environment key, else the source and a digest of its configuration.

        The digest distinguishes two profiles or roles, and stays the same while their temporary key ids rotate.
        """
        credential = self._current()
        source = str(credential.provider_name).removeprefix("default/")
        if not credential.security_token or source == "env":
            return str(credential.access_key_id)
        digest = hashlib.sha256()
        for name in SOURCE_VARIABLES:
            digest.update(f"{name}={os.environ.get(name, '')}\0".encode(errors="replace"))
        for file in _profile_files():
            digest.update(file.read_bytes() if file.is_file() else b"")
        return f"{source}:{digest.hexdigest()[:12]}"

    def get(self, *, fresh: bool = False) -> Credential:
        """Return the chain's credential; ``fresh`` rebuilds the chain, so that it queries every source again."""
        if fresh:
            self._chain = _chain()
        credential = self._current()
        return Credential(
            (credential.access_key_id or "").strip(),
            (credential.access_key_secret or "").strip(),
            (credential.security_token or "").strip() or None,
        )

    def _current(self) -> "CredentialModel":
        from alibabacloud_credentials.exceptions import CredentialException  # noqa: PLC0415 - see _chain
        from Tea.exceptions import TeaException  # noqa: PLC0415

        # Errors of the sources may quote responses and files that hold secrets, so they are not even kept as a context.
        with suppress(CredentialException, TeaException, OSError, ValueError, LookupError, TypeError, AttributeError):
            return self._chain.get_credential()
        raise CredentialError(NO_CREDENTIAL_MESSAGE)


def asked(question: Callable[[], AnswerT]) -> Future[AnswerT]:
    """The answer of a source, which may never come: a daemon thread waits for it."""
    answer: Future[AnswerT] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:  # noqa: BLE001 - the future raises it
            answer.set_exception(error)

    threading.Thread(target=ask, name="paiview-credential", daemon=True).start()
    return answer


def from_chain() -> CredentialSource:
    """The official chain; it queries the ECS metadata service only on a machine that may have one.

    Raises:
        CredentialError: the configuration of a source is invalid.
    """
    return ChainCredentials()


def _chain() -> "Chain":
    """Build the chain. Its package reads the environment at import: it is imported after ``ECS_DISABLED`` is set."""
    if not _ecs_plausible():
        os.environ[ECS_DISABLED] = "true"
    from alibabacloud_credentials.client import Client as Chain  # noqa: PLC0415

    # The package logs failures to stderr, with stack traces and responses of token services.
    logging.getLogger("credentials").disabled = True
    try:
        return Chain()
    except ValueError:
        raise CredentialError(NO_CREDENTIAL_MESSAGE) from None


def _ecs_plausible() -> bool:
    """Whether this may be an ECS machine; elsewhere the metadata request takes a second and logs a stack trace."""
    disabled = os.environ.get(ECS_DISABLED, "").lower()
    if disabled:
        return disabled != "true"
    return bool(os.environ.get(ECS_ROLE)) or any(
        file.is_file() and "alibaba" in file.read_text(errors="replace").lower() for file in MACHINE_FILES
    )


def _profile_files() -> tuple[Path, Path]:
    ini = os.environ.get("ALIBABA_CLOUD_CREDENTIALS_FILE")
    return Path.home() / ".aliyun/config.json", Path(ini) if ini else Path.home() / ".alibabacloud/credentials.ini"

"""Where the access key comes from: the official credential chain, or a fixed pair.

The chain is alibabacloud-credentials' own: environment, OIDC role, ``~/.aliyun/config.json``,
``~/.alibabacloud/credentials.ini``, the role of the ECS machine, a credentials URI.
"""

import hashlib
import logging
import os
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from paiview.pai.errors import CredentialError

if TYPE_CHECKING:
    from alibabacloud_credentials.client import Client as Chain
    from alibabacloud_credentials.models import CredentialModel

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
MISSING: Final = "No usable Alibaba Cloud credential was found on the server."


@dataclass(frozen=True)
class Credential:
    """What a request is signed with.

    Raises:
        CredentialError: a part is empty or holds what cannot stand in a header, such as a line break.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("access_key_id", "access_key_secret", "security_token"):
            text = getattr(self, name)
            if text is not None and not (text and text.isascii() and text.isprintable() and " " not in text):
                raise CredentialError(
                    f"The {name.replace('_', ' ')} of the server is empty or holds blanks or other characters "
                    "that none can hold."
                )


class CredentialSource(Protocol):
    """Gives the credential that is valid now. Both members may read files and ask the network."""

    @property
    def principal(self) -> str:
        """Whose data is read, to keep caches apart: stable across renewals of a temporary credential.

        Raises:
            CredentialError: there is no usable credential.
        """

    def get(self, *, fresh: bool = False) -> Credential:
        """Give the credential; ``fresh`` asks the source anew instead of trusting what it remembers.

        Raises:
            CredentialError: there is no usable credential.
        """


@dataclass(frozen=True)
class StaticCredentials:
    """A fixed access key, as the embedded registry has."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)

    @property
    def principal(self) -> str:
        """The access key id."""
        return self.access_key_id

    def get(self, *, fresh: bool = False) -> Credential:  # noqa: ARG002 - a fixed key has nothing fresher
        """Give the fixed key."""
        return Credential(self.access_key_id, self.access_key_secret, self.security_token)


class ChainCredentials:
    """The official chain. The first source that answers is used for good."""

    def __init__(self) -> None:
        self._chain = _chain()

    @cached_property
    def principal(self) -> str:
        """The id of a permanent or environment key, else the source and a digest of its configuration.

        The digest tells two profiles or roles apart, and stays the same while their temporary ids rotate.
        """
        found = self._ask()
        source = str(found.provider_name).removeprefix("default/")
        if not found.security_token or source == "env":
            return str(found.access_key_id)
        digest = hashlib.sha256()
        for name in SOURCE_VARIABLES:
            digest.update(f"{name}={os.environ.get(name, '')}\0".encode(errors="replace"))
        for file in _profile_files():
            digest.update(file.read_bytes() if file.is_file() else b"")
        return f"{source}:{digest.hexdigest()[:12]}"

    def get(self, *, fresh: bool = False) -> Credential:
        """Ask the chain; ``fresh`` builds it anew, so that every source is read and asked again."""
        if fresh:
            self._chain = _chain()
        found = self._ask()
        return Credential(
            (found.access_key_id or "").strip(),
            (found.access_key_secret or "").strip(),
            (found.security_token or "").strip() or None,
        )

    def _ask(self) -> "CredentialModel":
        from alibabacloud_credentials.exceptions import CredentialException  # noqa: PLC0415 - see _chain
        from Tea.exceptions import TeaException  # noqa: PLC0415

        # What the sources say may quote answers and files that hold secrets: it is not kept, not even as a context.
        with suppress(CredentialException, TeaException, OSError, ValueError, LookupError, TypeError, AttributeError):
            return self._chain.get_credential()
        raise CredentialError(MISSING)


def from_chain() -> CredentialSource:
    """The official chain, with its ECS step only where it can work.

    Raises:
        CredentialError: a source is configured so that the chain cannot be built.
    """
    return ChainCredentials()


def _chain() -> "Chain":
    """Build the chain. Its package reads the environment once, when it is imported: so it is imported here."""
    if not _ecs_plausible():
        os.environ[ECS_DISABLED] = "true"
    from alibabacloud_credentials.client import Client as Chain  # noqa: PLC0415

    # The package logs failures to stderr, stack traces and answers of token services included.
    logging.getLogger("credentials").disabled = True
    try:
        return Chain()
    except ValueError:
        raise CredentialError(MISSING) from None


def _ecs_plausible() -> bool:
    """Whether to ask the metadata service: elsewhere it is a second of waiting and a stack trace."""
    disabled = os.environ.get(ECS_DISABLED, "").lower()
    if disabled:
        return disabled != "true"
    return bool(os.environ.get(ECS_ROLE)) or any(
        file.is_file() and "alibaba" in file.read_text(errors="replace").lower() for file in MACHINE_FILES
    )


def _profile_files() -> tuple[Path, Path]:
    ini = os.environ.get("ALIBABA_CLOUD_CREDENTIALS_FILE")
    return Path.home() / ".aliyun/config.json", Path(ini) if ini else Path.home() / ".alibabacloud/credentials.ini"

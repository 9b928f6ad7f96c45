"""The one registry of this process: connected by its first reader, closed at the end."""

import copy
import threading
from contextlib import ExitStack
from typing import Final

from paiview.pai.client import Client
from paiview.pai.credentials import CredentialSource, StaticCredentials, from_chain
from paiview.pai.errors import PaiviewError
from paiview.registry.registry import Registry
from paiview.settings import Settings, load_settings


class _Process:
    """The one registry of this process, and the embedded one behind it where there is none outside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registry: Registry | None = None
        self._failure: PaiviewError | None = None
        self._closing = ExitStack()

    def connect(self, settings: Settings | None) -> Registry:
        known = self._failure
        with self._lock:
            if self._registry is None:
                # Of those who came while another tried none tries for itself: a source that hangs holds each up once.
                if self._failure not in (None, known):
                    raise copy.copy(self._failure)
                with ExitStack() as undo:
                    try:
                        self._registry = _open(settings or load_settings(), undo)
                    except PaiviewError as error:
                        self._failure = copy.copy(error)
                        raise
                    self._closing = undo.pop_all()
            return self._registry

    @property
    def connected(self) -> Registry | None:
        """The registry, where somebody has asked for it."""
        return self._registry

    def disconnect(self) -> None:
        with self._lock:
            self._registry = None
            self._closing.close()


def _open(settings: Settings, closing: ExitStack) -> Registry:
    """Connect as the settings say; what has to be closed later is put on ``closing``."""
    endpoint = settings.service_endpoint
    credentials: CredentialSource
    if endpoint is None:
        from paiview.embedded.local_registry import LocalRegistry  # noqa: PLC0415 - a server that only this case needs

        embedded = LocalRegistry(settings.data_dir, data_files=settings.data)
        embedded.start()
        closing.callback(embedded.stop)
        endpoint = embedded.endpoint
        credentials = StaticCredentials(embedded.access_key_id, embedded.access_key_secret)
    else:
        credentials = from_chain()
    client = Client(
        endpoint,
        credentials,
        page_size=settings.page_size,
        concurrency=settings.concurrency,
        rate_limit=settings.requests_per_second,
        deadline=settings.deadline,
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
    )
    closing.callback(client.close)
    shared = None
    if settings.cache_url and settings.service_endpoint:
        from paiview.registry.shared_store import Shared  # noqa: PLC0415 - most do without

        shared = Shared(settings.cache_url)
        closing.callback(shared.close)
    return Registry(
        client,
        endpoint=endpoint,
        principal=credentials.principal,
        embedded=settings.service_endpoint is None,
        ttl=settings.cache_ttl,
        patience=settings.deadline,
        region=settings.region,
        workspace_id=settings.workspace_id,
        shared=shared,
    )


_PROCESS: Final = _Process()


def connect(settings: Settings | None = None) -> Registry:
    """Give the registry of this process; whoever asks first connects it.

    With an endpoint or a region that is PAI, with the credential of the official chain; else the embedded registry is
    started. Who came while that was tried gets the same failure, and the next call tries again.

    Args:
        settings: those of ``config.load()`` unless given; only the first call's count.

    Raises:
        PaiviewError: a setting cannot be used, there is no credential, or the embedded registry cannot start.
    """
    return _PROCESS.connect(settings)


def held() -> list[tuple[str, float]]:
    """The kind of each snapshot kept, such as ``versions``, and when it was read by ``paiview.registry.clock``."""
    return _PROCESS.connected.held() if _PROCESS.connected else []


def under_way() -> list[str]:
    """The kind of each read of the service under way."""
    return _PROCESS.connected.under_way() if _PROCESS.connected else []


def disconnect() -> None:
    """Close the registry of this process, and the embedded one with it; the next ``connect`` begins anew."""
    _PROCESS.disconnect()

"""The one registry of this process: connected at its first use, closed at the end."""

import copy
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from paiview.pai.client import Client
from paiview.pai.credentials import CredentialSource, StaticCredentials, asked, from_chain
from paiview.pai.errors import CredentialError, PaiviewError
from paiview.registry.registry import Registry
from paiview.settings import Settings, load_settings

if TYPE_CHECKING:
    from paiview.registry.shared_store import SharedStore

shared_read_observers: Final[set[Callable[[str], None]]] = set()
"""Called with the outcome of each read through the shared cache: ``hit``, ``wait``, ``miss`` or ``away``."""


class _Process:
    """The one registry of this process, and the embedded one behind it if no service is configured."""

    def __init__(self) -> None:
        # Held while connecting: one thread tries, the others wait for its registry or its failure.
        self._lock = threading.Lock()
        self._registry: Registry | None = None
        self._failure: PaiviewError | None = None
        self._closing = ExitStack()

    def connect(self, settings: Settings | None) -> Registry:
        failure_before = self._failure
        with self._lock:
            if self._registry is None:
                # Another thread failed while this one waited: a credential source that hangs delays each thread once.
                if self._failure not in (None, failure_before):
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
        """The registry, if it is connected."""
        return self._registry

    def disconnect(self) -> None:
        with self._lock:
            self._registry = None
            self._closing.close()


def _open(settings: Settings, closing: ExitStack) -> Registry:
    """Connect as the settings say, and put what has to be closed later on ``closing``."""
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
    return Registry(
        client,
        endpoint=endpoint,
        principal=_principal(credentials, settings.deadline),
        embedded=settings.service_endpoint is None,
        ttl=settings.cache_ttl,
        reader_wait_seconds=settings.deadline,
        region=settings.region,
        workspace_id=settings.workspace_id,
        reads_per_second=settings.requests_per_second / 2,
        store=_open_store(settings, closing),
    )


def _principal(credentials: CredentialSource, timeout: float) -> str:
    """Whose credential it is, within some seconds: a source may ask another host, which may never answer.

    Raises:
        CredentialError: there is none, or the source did not answer in time.
    """
    try:
        return asked(lambda: credentials.principal).result(timeout)
    except TimeoutError:
        raise CredentialError(f"The source of the access key did not answer within {timeout:g} s.") from None


def _open_store(settings: Settings, closing: ExitStack) -> "SharedStore | None":
    """The store of the shared cache, if there is one; the embedded registry has none."""
    if not (settings.cache_url and settings.service_endpoint):
        return None
    from paiview.registry.shared_store import SharedStore  # noqa: PLC0415 - its Redis client takes long to import

    store = SharedStore(settings.cache_url, shared_read_observers)
    closing.callback(store.close)
    return store


_PROCESS: Final = _Process()


def connect(settings: Settings | None = None) -> Registry:
    """Return the registry of this process; the first call connects it.

    With an endpoint or a region it is PAI, with the credential of the official chain, else the embedded registry is
    started. Threads that wait while another one connects get the same failure; the next call tries again.

    Args:
        settings: ``paiview.settings.load_settings()`` by default; ignored when the registry is connected.

    Raises:
        PaiviewError: a setting is invalid, there is no credential, or the embedded registry cannot start.
    """
    return _PROCESS.connect(settings)


def held() -> list[tuple[str, float]]:
    """The kind of each cached snapshot, such as ``versions``, and when it was read by ``paiview.registry.clock``."""
    return _PROCESS.connected.held() if _PROCESS.connected else []


def drop_expired() -> None:
    """Drop the snapshots that nobody has used for long."""
    if _PROCESS.connected:
        _PROCESS.connected.drop_expired()


def under_way() -> list[str]:
    """The kind of each read under way."""
    return _PROCESS.connected.under_way() if _PROCESS.connected else []


def broken_models() -> int:
    """How many models are skipped now because their requests hung."""
    return _PROCESS.connected.broken_models() if _PROCESS.connected else 0


def disconnect() -> None:
    """Close the registry of this process, and the embedded one; the next ``connect`` connects again."""
    _PROCESS.disconnect()

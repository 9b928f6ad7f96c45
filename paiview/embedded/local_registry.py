"""The embedded registry: an HTTP server on this machine that behaves as PAI's model registry is documented to.

It holds published evaluation results and answers the official SDK as well as paiview. What the documentation leaves
open, and the registry therefore assumes, stands in ``paiview.embedded.assumptions``.
"""

import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from paiview.embedded.asgi_app import RegistryApp
from paiview.embedded.background_server import HOST, BackgroundServer
from paiview.embedded.published_results import published
from paiview.embedded.saved_answers import saved_answer
from paiview.embedded.store import SeedFile, Store
from paiview.pai.errors import SettingError

__all__ = ["LocalRegistry"]

_FILE_NAME: Final = "registry.sqlite3"


class LocalRegistry:
    """The embedded registry: a real HTTP server on 127.0.0.1 in a daemon thread, SQLite behind it.

    What callers change, approvals included, stays in ``data_dir``; the access key is new with every registry object
    and is written nowhere.

    Args:
        data_dir: the folder for the registry's file, made when missing. Several registries may share it.
        data_files: saved ListModelVersions answers, each to be shown as the model ``model-<stem>``, which stays in the
            folder when its file is not given again.
        port: the port, or 0 for any free one.
        requests_per_second: the limit on each operation, beyond which requests are throttled; 0 is none.

    Attributes:
        endpoint: the URL, once started.
        access_key_id: the only access key id that is accepted.
        access_key_secret: its secret.
    """

    endpoint: str

    def __init__(
        self,
        data_dir: Path,
        *,
        data_files: Sequence[Path] = (),
        port: int = 0,
        requests_per_second: int = 0,
    ) -> None:
        self._data_dir = data_dir
        self._data_files = data_files
        self._port = port
        self._requests_per_second = requests_per_second
        self._running = ExitStack()
        self.access_key_id = f"local{secrets.token_hex(8)}"
        self.access_key_secret = secrets.token_urlsafe(24)

    def start(self) -> Self:
        """Read the data and serve; returns when requests are answered. A registry that runs already starts anew.

        Raises:
            SettingError: the port is taken, the folder cannot be written to, or a data file cannot be used.
        """
        self.stop()
        with ExitStack() as running:
            store = running.enter_context(closing(self._seeded_store()))
            keys = {self.access_key_id: self.access_key_secret}
            app = RegistryApp(store, keys, requests_per_second=self._requests_per_second)
            server = running.enter_context(BackgroundServer(app, self._port))
            self.endpoint = f"http://{HOST}:{server.port}"
            self._running = running.pop_all()
        return self

    def stop(self) -> None:
        """Finish the requests under way, free the port and close the file; does nothing when not started."""
        self._running.close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _seeded_store(self) -> Store:
        files = _distinct([*published(), *map(saved_answer, self._data_files)])
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            store = Store(self._data_dir / _FILE_NAME)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingError(f"PAIVIEW_DATA_DIR is {self._data_dir}, which cannot be used: {reason}.") from error
        except sqlite3.Error as error:
            raise _unusable(self._data_dir, error) from error
        try:
            store.seed(files)
        except sqlite3.Error as error:
            store.close()
            raise _unusable(self._data_dir, error) from error
        return store


def _distinct(files: Sequence[SeedFile]) -> Sequence[SeedFile]:
    seen: set[str] = set()
    for file in files:
        if file.model_id in seen:
            raise SettingError(f"Two data files would both be {file.model_id}: rename one of them.")
        seen.add(file.model_id)
    return files


def _unusable(data_dir: Path, error: sqlite3.Error) -> SettingError:
    return SettingError(f"PAIVIEW_DATA_DIR is {data_dir}, whose {_FILE_NAME} cannot be used: {error}.")

"""The embedded registry: an HTTP server on this machine that follows the documentation of PAI's model registry.

It contains published evaluation results, and works with the official SDK as well as with paiview. Where the
documentation says nothing, it follows ``paiview.embedded.assumptions``.
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
from paiview.embedded.saved_answers import saved_answers
from paiview.embedded.store import SeedFile, Store
from paiview.pai.errors import SettingError

_FILE_NAME: Final = "registry.sqlite3"


class LocalRegistry:
    """An HTTP server on 127.0.0.1 in a daemon thread, with an SQLite file.

    Changes that clients make, including approvals, stay in ``data_dir``. Every object makes a new access key, which is
    never stored.

    Args:
        data_dir: the folder of the SQLite file, created if missing. Several registries can share it.
        data_files: saved responses of ListModelVersions. Each is shown as the model ``model-<file name>``, or as the
            one whose ModelId it names, which stays in the folder when a later start does not pass the file again.
        port: 0 chooses a free one.
        requests_per_second: the limit of each operation; 0 is none.

    Attributes:
        endpoint: the URL; set by ``start``.
        access_key_id: the only accepted access key id.
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
        """Read the data and serve; returns once connections are accepted. A running registry is restarted.

        Raises:
            SettingError: the port is in use, the folder cannot be written, or a data file is invalid.
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
        """Finish the running requests, free the port and close the file. Does nothing if not started."""
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
        files = seed_files(self._data_files)
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


def seed_files(data_files: Sequence[Path]) -> list[SeedFile]:
    """The published families and the saved responses.

    Raises:
        SettingError: a data file is invalid, or two are the same model by their names.
    """
    files = [*published(), *saved_answers(data_files)]
    seen: set[str] = set()
    for file in files:
        if file.model_id in seen:
            raise SettingError(f"Two data files would both be {file.model_id}: rename one of them.")
        seen.add(file.model_id)
    return files


def _unusable(data_dir: Path, error: sqlite3.Error) -> SettingError:
    return SettingError(f"PAIVIEW_DATA_DIR is {data_dir}, whose {_FILE_NAME} cannot be used: {error}.")

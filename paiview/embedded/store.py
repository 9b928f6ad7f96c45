"""The SQLite file of the embedded registry.

Each model, version and dataset is stored as the JSON of the API, so that it is read back unchanged. The other columns
are for filtering and sorting. ``place`` is the order of creation.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from paiview.embedded.request import to_json
from paiview.pai.listing_facts import NO_FACTS, ListingFacts, facts_body, listing_facts
from paiview.pai.objects import JsonObject
from paiview.pai.times import time_key

_LOCK_TIMEOUT_SECONDS: Final = 30.0
"""How long to wait for another process that writes to the same file."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS seeds (model_id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS facts (model_id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS models (
    place INTEGER PRIMARY KEY, model_id TEXT NOT NULL UNIQUE, created TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS datasets (dataset_id TEXT PRIMARY KEY, model_id TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS versions (
    place INTEGER PRIMARY KEY, model_id TEXT NOT NULL, created TEXT NOT NULL,
    version_name TEXT, format_type TEXT, framework_type TEXT, source_type TEXT, source_id TEXT, approval_status TEXT,
    labels TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS versions_by_name ON versions (model_id, version_name);
CREATE INDEX IF NOT EXISTS versions_by_time ON versions (
    model_id, created, place,
    version_name, format_type, framework_type, source_type, source_id, approval_status, labels
);
"""

_MATCHING: Final = """
FROM versions INDEXED BY versions_by_time WHERE model_id = :model_id
AND (:VersionName IS NULL OR version_name = :VersionName)
AND (:FormatType IS NULL OR format_type = :FormatType)
AND (:FrameworkType IS NULL OR framework_type = :FrameworkType)
AND (:SourceType IS NULL OR source_type = :SourceType)
AND (:SourceId IS NULL OR source_id = :SourceId)
AND (:ApprovalStatus IS NULL OR approval_status = :ApprovalStatus)
AND (:Label IS NULL OR instr(labels, :Label) > 0)
"""
_COUNT: Final = f"SELECT count(*) {_MATCHING}"
_PAGE: Final = f"SELECT body {_MATCHING} ORDER BY created, place LIMIT :limit OFFSET :offset"
_PAGE_DESCENDING: Final = f"SELECT body {_MATCHING} ORDER BY created DESC, place DESC LIMIT :limit OFFSET :offset"

VERSION_FILTERS: Final = (
    "VersionName",
    "FormatType",
    "FrameworkType",
    "SourceType",
    "SourceId",
    "ApprovalStatus",
    "Label",
)
_LABEL_SEPARATOR: Final = "\x1f"


class StoredVersion(NamedTuple):
    """A version and its ``place``, under which a changed one is saved."""

    place: int
    fields: JsonObject


class Seed(NamedTuple):
    """A model, its versions and their datasets, as objects of the API, and what the listing of the versions says."""

    model: JsonObject
    versions: Sequence[JsonObject]
    datasets: Sequence[JsonObject]
    facts: ListingFacts = NO_FACTS


@dataclass(frozen=True)
class SeedFile:
    """One or more files with one model.

    Attributes:
        fingerprint: changes with their content.
        read: the model.
        remarks: sentences about what is missing, odd or ignored in the files.
    """

    model_id: str
    fingerprint: str
    read: Callable[[], Seed]
    remarks: tuple[str, ...] = ()


class Store:
    """One SQLite file. Processes can share it; within a process only one thread at a time may use it.

    Every method can raise ``sqlite3.Error``.

    Raises:
        sqlite3.Error: the file cannot be opened, or is no SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(
            path, timeout=_LOCK_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self.transaction():
                for statement in _SCHEMA.split(";"):
                    self._connection.execute(statement)
        except sqlite3.Error:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end of the block, or roll back if it raises."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            # SQLite has rolled back already where a write failed, such as on a full disk.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def seed(self, files: Sequence[SeedFile]) -> None:
        """Store the models of the files in one transaction.

        A file with the same content as last time is skipped, so that edits since then stay, including deletion. A file
        with new content replaces only its own model.
        """
        with self.transaction():
            fingerprints = dict(self._connection.execute("SELECT model_id, fingerprint FROM seeds").fetchall())
            for file in files:
                if fingerprints.get(file.model_id) != file.fingerprint:
                    self._replace(file.model_id, file.read())
                    values = (file.model_id, file.fingerprint)
                    self._connection.execute("INSERT OR REPLACE INTO seeds VALUES (?, ?)", values)

    def models(self) -> list[JsonObject]:
        """All models, in the order of creation."""
        return [json.loads(row[0]) for row in self._rows("SELECT body FROM models ORDER BY created, place")]

    def model(self, model_id: str) -> JsonObject | None:
        """One model."""
        rows = self._rows("SELECT body FROM models WHERE model_id = ?", (model_id,))
        return json.loads(rows[0][0]) if rows else None

    def save_model(self, model_id: str, model: JsonObject) -> None:
        """Insert or replace a model."""
        statement = (
            "INSERT INTO models (model_id, created, body) VALUES (?, ?, ?)"
            "ON CONFLICT (model_id) DO UPDATE SET created = excluded.created, body = excluded.body"
        )
        self._rows(statement, (model_id, _sortable(model.get("GmtCreateTime")), to_json(model)))

    def delete_model(self, model_id: str) -> None:
        """Delete a model and its versions."""
        for table in ("models", "versions", "facts"):
            self._rows(f"DELETE FROM {table} WHERE model_id = ?", (model_id,))  # noqa: S608 - a table of this module

    def versions(
        self, model_id: str, filters: Mapping[str, str | None], *, descending: bool, offset: int, limit: int
    ) -> tuple[int, list[str]]:
        """Find versions, ordered by GmtCreateTime.

        Args:
            model_id: the model.
            filters: for each of ``VERSION_FILTERS`` a value, or ``None`` for no filter.
            descending: newest first.
            offset: the number of matches to skip.
            limit: the largest number of matches to return.

        Returns:
            The number of all matches, and the JSON of those on the page.
        """
        values = {name: _storable(value) for name, value in filters.items()} | {"model_id": model_id}
        total = self._rows(_COUNT, values)[0][0]
        page = _PAGE_DESCENDING if descending else _PAGE
        rows = self._rows(page, values | {"limit": limit, "offset": offset})
        return total, [row[0] for row in rows]

    def facts(self, model_id: str) -> ListingFacts:
        """What the listing of a model's versions says; nothing for a model that no file contains."""
        rows = self._rows("SELECT body FROM facts WHERE model_id = ?", (model_id,))
        return listing_facts(json.loads(rows[0][0])) if rows else NO_FACTS

    def version(self, model_id: str, version_name: str) -> StoredVersion | None:
        """One version; the first in the listing if a saved answer repeats the name."""
        rows = self._rows(
            "SELECT place, body FROM versions WHERE model_id = ? AND version_name = ? ORDER BY created, place LIMIT 1",
            (model_id, _storable(version_name)),
        )
        return StoredVersion(rows[0][0], json.loads(rows[0][1])) if rows else None

    def version_names(self, model_id: str) -> list[str]:
        """The names of a model's versions."""
        rows = self._rows("SELECT version_name FROM versions WHERE model_id = ?", (model_id,))
        return [row[0] for row in rows if row[0]]

    def latest_version(self, model_id: str) -> JsonObject | None:
        """The newest version by creation."""
        rows = self._rows(
            "SELECT body FROM versions WHERE model_id = ? ORDER BY created DESC, place DESC LIMIT 1", (model_id,)
        )
        return json.loads(rows[0][0]) if rows else None

    def save_version(self, model_id: str, version: JsonObject, place: int | None = None) -> None:
        """Insert a version, or replace the one at ``place``."""
        texts = [_storable(version.get(name)) for name in VERSION_FILTERS[:-1]]
        values = [place, model_id, _sortable(version.get("GmtCreateTime")), *texts, _labels(version), to_json(version)]
        self._rows("INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def delete_version(self, place: int) -> None:
        """Delete the version at a place."""
        self._rows("DELETE FROM versions WHERE place = ?", (place,))

    def datasets(self) -> list[JsonObject]:
        """All datasets, in the order of their ids."""
        return [json.loads(row[0]) for row in self._rows("SELECT body FROM datasets ORDER BY dataset_id")]

    def dataset(self, dataset_id: str) -> JsonObject | None:
        """One dataset."""
        rows = self._rows("SELECT body FROM datasets WHERE dataset_id = ?", (_storable(dataset_id),))
        return json.loads(rows[0][0]) if rows else None

    def _replace(self, model_id: str, seed: Seed) -> None:
        self.delete_model(model_id)
        self._rows("DELETE FROM datasets WHERE model_id = ?", (model_id,))
        self.save_model(model_id, seed.model)
        for version in seed.versions:
            self.save_version(model_id, version)
        self._rows("INSERT INTO facts VALUES (?, ?)", (model_id, to_json(facts_body(seed.facts))))
        for dataset in seed.datasets:
            values = (dataset["DatasetId"], model_id, to_json(dataset))
            self._rows("INSERT OR IGNORE INTO datasets VALUES (?, ?, ?)", values)

    def _rows(self, statement: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return cast("list[tuple[Any, ...]]", self._connection.execute(statement, values).fetchall())


def _storable(value: Any) -> str | None:
    """A value as text for a column. SQLite accepts no lone surrogates; they become question marks."""
    return None if value is None else str(value).encode(errors="replace").decode()


def _sortable(time: Any) -> str:
    """A time of the API as text that sorts by time; unreadable ones come first."""
    text = _storable(time) or ""
    key = time_key(text)
    return f" {text}" if key is None else f"{key[0].isoformat(timespec='microseconds')}{key[1]}"


def _labels(version: JsonObject) -> str:
    """All keys and values of a version's labels, separated so that no filter matches across two of them."""
    labels = version.get("Labels")
    texts = [
        str(label[part])
        for label in (labels if isinstance(labels, list) else [])
        for part in ("Key", "Value")
        if isinstance(label, dict) and label.get(part) is not None
    ]
    return _storable(_LABEL_SEPARATOR.join(texts)) or ""

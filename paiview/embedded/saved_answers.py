"""Saved responses of ListModelVersions as models, so that an export can be viewed without a credential."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from paiview.embedded.saved_pages import ContentError, SavedPage, model_id_of, read_pages
from paiview.embedded.store import Seed, SeedFile
from paiview.embedded.workspaces_datasets import OWNER_ID, WORKSPACE_ID
from paiview.pai.errors import SettingError
from paiview.pai.listing_facts import MEANINGS_FIELD, ORIGIN_FIELD, ListingFacts, Origin, facts_body, read_meanings
from paiview.pai.objects import JsonObject
from paiview.pai.times import time_key

_MAPPING_VERSION: Final = b"2"
"""Part of every fingerprint. Raise it when this module maps the same file to other objects."""
_UNKNOWN_TIME: Final = "1970-01-01T00:00:00.000Z"
_MAX_NAMES: Final = 3
"""VersionNames in a sentence."""
_MAX_NAME_LENGTH: Final = 80


class DataFileError(SettingError):
    """A data file cannot be read, or holds something else."""

    advice = (
        "Pass a saved response of ListModelVersions, its pages, or a list of its versions, as JSON in UTF-8 or UTF-16."
    )


@dataclass
class _SavedModel:
    """What the files say about one model.

    Attributes:
        paths: the files.
        hash: over their contents.
        versions: as in the files; of equal ones with the same name only the first.
        total: the largest TotalCount.
        meanings: what metrics mean.
        remarks: sentences about what is ignored.
        contents: by VersionName, its different contents.
    """

    paths: list[Path] = field(default_factory=list)
    hash: Any = field(default_factory=lambda: hashlib.sha256(_MAPPING_VERSION))
    versions: list[JsonObject] = field(default_factory=list)
    total: int = 0
    meanings: dict[str, dict[str, Any]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    contents: dict[str, set[str]] = field(default_factory=dict)

    def add_version(self, version: JsonObject) -> None:
        """Add a version, unless it is there already: pages that were saved one after another may overlap."""
        name = version.get("VersionName")
        if name is not None and name != "":
            contents = self.contents.setdefault(_printable(str(name)), set())
            content = json.dumps(version, sort_keys=True)
            if content in contents:
                return
            contents.add(content)
        self.versions.append(version)

    def add_meanings(self, file_name: str, value: Any) -> None:
        """Add what metrics mean, the later file before the earlier one."""
        meanings, complaint = read_meanings(value)
        for name, meaning in meanings.items():
            self.meanings[name] = {**self.meanings.get(name, {}), **meaning}
        if complaint is not None:
            self.remark(f"{file_name}: {complaint}")

    def remark(self, sentence: str) -> None:
        """Add a sentence once."""
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    @property
    def origin(self) -> Origin:
        """Where the model is from."""
        return Origin(
            kind="saved",
            files=tuple(dict.fromkeys(_printable(path.name) for path in self.paths)),
            missing=max(0, self.total - len(self.versions)),
            doubled=self._doubled(),
            remarks=tuple(self.remarks),
        )

    def _doubled(self) -> str | None:
        names = [name for name, contents in self.contents.items() if len(contents) > 1]
        if not names:
            return None
        shown = ", ".join(name[:_MAX_NAME_LENGTH] for name in names[:_MAX_NAMES])
        more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
        return f"Saved more than once with different content: {shown}{more}. Of each the first in the listing counts."


def saved_answers(paths: Sequence[Path]) -> list[SeedFile]:
    """Read saved responses as models: by the ModelId that they name, else one for each file, named after it.

    The versions are stored as they are in the files, including unknown fields and invalid values. ``NAME.metrics.toml``
    beside ``NAME.json`` says what its metrics mean, like the object ``metrics`` of a response.

    Raises:
        DataFileError: a file cannot be read, or has another content; the sentence names the file and the reason.
        SettingError: no ModelId can be made of the name of a file.
    """
    by_id: dict[str, _SavedModel] = {}
    by_name: list[tuple[str, _SavedModel]] = []
    for path in paths:
        models = _read_file(path, by_id)
        if None in models:
            by_name.append((_id_by_name(path), models[None]))
    return [_seed_file(model_id, saved) for model_id, saved in (*by_id.items(), *by_name)]


def _read_file(path: Path, by_id: dict[str, _SavedModel]) -> dict[str | None, _SavedModel]:
    """Add what a file says to its models, by ModelId; those without one are new, under ``None``."""
    content = _content(path)
    try:
        pages = read_pages(content)
    except ContentError as error:
        raise DataFileError(f"The data file {path} is not a saved response of ListModelVersions: {error}.") from error
    model_ids = {model_id for page in pages for model_id in (page.model_id, *map(model_id_of, page.versions))} - {None}
    # A file that names one model is all about it, also where single pages or versions do not repeat its id.
    default = model_ids.pop() if len(model_ids) == 1 else None
    models: dict[str | None, _SavedModel] = {}

    def model(model_id: str | None) -> _SavedModel:
        saved = _SavedModel() if model_id is None else by_id.setdefault(model_id, _SavedModel())
        return models.setdefault(model_id, saved)

    for page in pages:
        _add_page(page, page.model_id or default, model, path.name)
    beside = path.with_name(f"{path.stem}.metrics.toml")
    toml = _content_beside(beside)
    meanings = _toml_meanings(toml)
    for saved in models.values():
        saved.paths.append(path)
        saved.hash.update(repr((path.stem, len(content), len(toml or b""))).encode() + content + (toml or b""))
        saved.add_meanings(beside.name, meanings)
    return models


def _add_page(page: SavedPage, page_id: str | None, model: Callable[[str | None], _SavedModel], file_name: str) -> None:
    models = {page_id: model(page_id)} if not page.versions else {}
    for version in page.versions:
        model_id = model_id_of(version) or page_id
        models[model_id] = model(model_id)
        models[model_id].add_version(version)
    for saved in models.values():
        saved.total = max(saved.total, page.total)
        saved.add_meanings(file_name, page.meanings)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataFileError(f"The data file {path} cannot be read: {error.strerror}.") from error


def _content_beside(path: Path) -> bytes | None:
    """The content of a file that may be absent."""
    return _content(path) if path.exists() else None


def _toml_meanings(content: bytes | None) -> Any:
    """The tables of metrics in a TOML file, with or without the table ``metrics`` around them, as JSON values."""
    if content is None:
        return None
    try:
        tables = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return "no TOML"
    return json.loads(json.dumps(tables.get(MEANINGS_FIELD, tables), default=str))


def _id_by_name(path: Path) -> str:
    identifier = "".join(filter(str.isalnum, path.stem)).lower()
    if not identifier:
        raise SettingError(
            f"The data file {path} needs a letter or a digit in its name, from which the ModelId is made."
        )
    return f"model-{identifier}"


def _seed_file(model_id: str, saved: _SavedModel) -> SeedFile:
    origin = saved.origin
    name = saved.paths[0].stem if len(origin.files) == 1 else model_id
    facts = ListingFacts(saved.meanings, origin)
    counted = [f"{len(saved.versions)} of {saved.total} versions were saved."] if origin.missing else []
    remarks = tuple(f"{model_id}: {text}" for text in (*filter(None, [origin.doubled]), *counted, *origin.remarks))
    return SeedFile(model_id, saved.hash.hexdigest(), partial(_seed, model_id, name, saved.versions, facts), remarks)


def _seed(model_id: str, name: str, versions: list[JsonObject], facts: ListingFacts) -> Seed:
    texts = [time for version in versions if isinstance(time := version.get("GmtCreateTime"), str)]
    times = [text for key, text in sorted((time_key(text), text) for text in texts if time_key(text) is not None)]
    model = {
        "ModelId": model_id,
        "ModelName": _printable(name),
        "ModelDescription": "Read from a saved ListModelVersions answer.",
        "WorkspaceId": WORKSPACE_ID,
        "UserId": OWNER_ID,
        "OwnerId": OWNER_ID,
        "Accessibility": "PRIVATE",
        "Labels": [],
        "ExtraInfo": {ORIGIN_FIELD: facts_body(facts)[ORIGIN_FIELD]},
        "GmtCreateTime": times[0] if times else _UNKNOWN_TIME,
        "GmtModifiedTime": times[-1] if times else _UNKNOWN_TIME,
    }
    return Seed(model, versions, (), facts)


def _printable(text: str) -> str:
    """A text without unpaired surrogates, which a name of a file may hold."""
    return text.encode(errors="replace").decode()

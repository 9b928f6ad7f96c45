"""Saved responses of ListModelVersions as models, so that an export can be viewed without a credential."""

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from paiview.embedded.store import Seed, SeedFile
from paiview.embedded.workspaces_datasets import OWNER_ID, WORKSPACE_ID
from paiview.pai.errors import SettingError
from paiview.pai.objects import JsonObject

_MAPPING_VERSION: Final = b"1"
"""Part of every fingerprint. Raise it when this module maps the same file to other objects."""
_UNKNOWN_TIME: Final = "1970-01-01T00:00:00.000Z"


def saved_answer(path: Path) -> SeedFile:
    """Read a saved response of ListModelVersions, or an array of ModelVersions, as a model named after the file.

    The versions are stored as they are in the file, including unknown fields and invalid values.

    Raises:
        SettingError: the file cannot be read, or has another content; the sentence names the file and the reason.
    """
    identifier = "".join(filter(str.isalnum, path.stem)).lower()
    if not identifier:
        raise SettingError(
            f"The data file {path} needs a letter or a digit in its name, from which the ModelId is made."
        )
    try:
        content = path.read_bytes()
        versions = _versions(json.loads(content))
    except OSError as error:
        raise SettingError(f"The data file {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise SettingError(f"The data file {path} is not a saved response of ListModelVersions: {error}.") from error
    model_id = f"model-{identifier}"
    fingerprint = hashlib.sha256(_MAPPING_VERSION + path.stem.encode() + content).hexdigest()
    return SeedFile(model_id, fingerprint, partial(_seed, model_id, path.stem, versions))


def _versions(content: Any) -> list[JsonObject]:
    versions = content.get("Versions") if isinstance(content, dict) else content
    if not isinstance(versions, list):
        raise ValueError("it is neither an array nor an object with the array Versions")  # noqa: TRY004 - JSON, not Python
    for number, version in enumerate(versions, start=1):
        if not isinstance(version, dict):
            raise ValueError(f"its version {number} is not an object")  # noqa: TRY004
    return cast("list[JsonObject]", versions)


def _seed(model_id: str, name: str, versions: list[JsonObject]) -> Seed:
    times = sorted(time for version in versions if isinstance(time := version.get("GmtCreateTime"), str))
    model = {
        "ModelId": model_id,
        "ModelName": name,
        "ModelDescription": "Read from a saved ListModelVersions answer.",
        "WorkspaceId": WORKSPACE_ID,
        "UserId": OWNER_ID,
        "OwnerId": OWNER_ID,
        "Accessibility": "PRIVATE",
        "Labels": [],
        "GmtCreateTime": times[0] if times else _UNKNOWN_TIME,
        "GmtModifiedTime": times[-1] if times else _UNKNOWN_TIME,
    }
    return Seed(model, versions, ())

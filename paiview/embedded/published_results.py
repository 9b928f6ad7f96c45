"""The published families: files of cited evaluation results, mapped to models, versions and datasets.

- A family becomes a Model. ExtraInfo contains its notes, units, primary metric, license and sources; ModelDoc is the
  source repository at the commit that was read.
- A version keeps its name. FrameworkType is its framework, SourceId the source repository, and Uri the web address of
  the cited lines, if there is one. ExtraInfo contains the citation, the published name, whether name and date are
  published or assigned, the published date, and the number of parameters. The labels are those of the family's file,
  plus the short ones of these facts.
- A label cannot contain ``=`` or a comma and has at most 128 bytes. These become ``:`` and ``;``, and longer text is
  cut; ExtraInfo has the exact text.
- Metrics are the published results in the format that PAI's documentation recommends.
- Dates are completed to seconds. Versions with the same date are one second apart, in the order of the file.
- A dataset keeps the name that the first family gives its id. If a family gives several ids the same name, the first
  part of the description is appended to it.
- A family whose ``model.public`` is true is a public model of its ``provider``, as PAI's own are: it has a Provider, no
  workspace, and another owner. The others are models of the account, in the workspace of their domain; ExtraInfo names
  their publisher.
- Origin is that of the publisher, ModelScope or HuggingFace, ModelType is Checkpoint, and ParameterSize, in millions,
  is that of the newest version with a published count.
- FormatType, the address of the model and specs are those that the family's file has; a dataset whose id is an address
  is named by Uri, and is no registered dataset. ``demo_fields`` adds invented ones to some versions.
- The description of a model ends with the rule by which the statuses are invented.
- The Uri of a registered dataset is invented (``demo_fields.dataset_uri``), and its label says so. DataType is AUDIO or
  PIC by the family's domain.
- The listing of its versions says what the metrics mean whose names do not.
"""

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from importlib import resources
from typing import Any, Final

from paiview.embedded import demo_fields
from paiview.embedded.demo_statuses import RULE, statuses
from paiview.embedded.request import MAX_LABEL_BYTES, wire_time
from paiview.embedded.store import Seed, SeedFile
from paiview.embedded.workspaces_datasets import OWNER_ID, PUBLIC_OWNER_ID, VISION_WORKSPACE_ID, WORKSPACE_ID
from paiview.pai.listing_facts import ORIGIN_FIELD, ListingFacts, Origin
from paiview.pai.objects import JsonObject

_MAPPING_VERSION: Final = b"3"
"""Part of every fingerprint. Raise it when this module maps the same file to other objects."""

_ORIGIN: Final = Origin(kind="published")
_UNUSUAL_METRICS: Final = ("ms_", "seconds_per_hour")
"""Prefixes of the metrics that the families explain; the catalogue knows all their other metrics."""
_ORIGINS: Final = {"modelscope": "ModelScope", "huggingface": "HuggingFace"}
_COVERS: Final = {"github.com/openai/whisper": "approach.png"}
"""Pictures in the published repositories, by repository: CoverUris of the model."""
_WORKSPACES: Final = {"audio": WORKSPACE_ID, "cv": VISION_WORKSPACE_ID}
_DATA_TYPES: Final = {"audio": "AUDIO", "cv": "PIC"}
_URI_LABEL: Final = {"Key": "uri", "Value": "invented for this demonstration"}
_SHORT_UNITS: Final = {"milliseconds": "ms"}
_EARLIEST: Final = "1970-01-01T00:00:00Z"
_SUFFIX: Final = ".json.gz"
_CITATION: Final = re.compile(
    r"(?:(?P<repository>[\w.-]+/[\w.-]+) )?(?P<path>[^@;]+)@(?P<commit>[0-9a-f]{7,40})"
    r"(?:[^#;]*(?P<lines>#L\d+(?:-L\d+)?))?"
)


def published() -> Iterator[SeedFile]:
    """The families in the package, in the order of their file names."""
    folder = resources.files("paiview.embedded") / "data"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(_SUFFIX):
            content = file.read_bytes()
            model_id = "model-" + "".join(filter(str.isalnum, file.name.removesuffix(_SUFFIX)))
            fingerprint = hashlib.sha256(_MAPPING_VERSION + content).hexdigest()
            yield SeedFile(model_id, fingerprint, partial(_read, model_id, content))


def _read(model_id: str, content: bytes) -> Seed:
    return seed(model_id, json.loads(gzip.decompress(content)))


def seed(model_id: str, family: Mapping[str, Any]) -> Seed:
    """Map one family.

    Args:
        model_id: the id of its model.
        family: the content of its file, in the format of ``data/README.md``.
    """
    times = completed_dates([version["date"] for version in family["versions"]])
    order = sorted(range(len(times)), key=times.__getitem__)
    metric = family["primary_metric"]
    values = [_values(family["versions"][index], metric) for index in order]
    by_order = statuses(values, lower_is_better=family["units"][metric]["better"] == "lower")
    versions = [
        _version(family["model"], family["versions"][index], times[index], status)
        for index, status in zip(order, by_order, strict=True)
    ]
    facts = ListingFacts(_meanings(family["units"]), _ORIGIN)
    return Seed(_model(model_id, family, times), versions, _datasets(family, min(times)), facts)


def _meanings(units: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """What those metrics mean whose names do not say it everywhere."""
    return {
        metric: {"direction": unit["better"], "unit": _SHORT_UNITS.get(unit["unit"], unit["unit"])}
        for metric, unit in units.items()
        if metric.startswith(_UNUSUAL_METRICS)
    }


def completed_dates(dates: Sequence[str | None]) -> list[datetime]:
    """Complete dates of year, month, day or second precision to distinct UTC seconds.

    Equal dates become one second apart, in their order. An unknown date is taken from the version before it.
    """
    completed = _EARLIEST
    seen: Counter[datetime] = Counter()
    result = []
    for date in dates:
        completed = date + _EARLIEST[len(date) :] if date else completed
        time = datetime.fromisoformat(completed)
        result.append(time + timedelta(seconds=seen[time]))
        seen[time] += 1
    return result


def _values(version: Mapping[str, Any], metric: str) -> dict[str, float]:
    return {
        result["dataset"]: result["metrics"][metric] for result in version["results"] if metric in result["metrics"]
    }


def _version(model: Mapping[str, Any], published: Mapping[str, Any], time: datetime, status: str) -> JsonObject:
    created = wire_time(time)
    facts = {
        "published_name": published["published_name"],
        "version_name_is": published["version_name_is"],
        "date_is": published["date_is"],
        "parameters": published["params"],
    }
    labels = published["labels"] | {name: str(fact) for name, fact in facts.items() if fact is not None}
    uri = published.get("uri") or citation_url(published["source"], model["source_repo"])
    owner_id = _owner(model)
    version = {
        "VersionName": published["version_name"],
        "VersionDescription": published["description"],
        **({"Uri": uri} if uri else {}),
        **({"FormatType": published["format"]} if "format" in published else {}),
        **({"FrameworkType": published["framework"]} if published["framework"] else {}),
        "ApprovalStatus": status,
        "SourceType": "Custom",
        "SourceId": model["source_repo"],
        "Labels": [{"Key": _label_text(key), "Value": _label_text(value)} for key, value in labels.items()],
        "Metrics": {
            "Results": [
                {"Dataset": {_naming(result["dataset"]): result["dataset"]}, "Metrics": result["metrics"]}
                for result in published["results"]
            ]
        },
        "Options": "{}",
        **published.get("specs", {}),
        "ExtraInfo": {
            "Citation": published["source"],
            "PublishedName": published["published_name"],
            "VersionNameIs": published["version_name_is"],
            "Date": published["date"],
            "DateIs": published["date_is"],
            "Parameters": published["params"],
        },
        "UserId": owner_id,
        "OwnerId": owner_id,
        "GmtCreateTime": created,
        "GmtModifiedTime": created,
    }
    return demo_fields.with_demo_fields(
        version,
        published["labels"],
        workspace_id=_WORKSPACES[model["domain"]],
        datasets=[result["dataset"] for result in published["results"]],
        commit=model["retrieved_commit"],
    )


def _naming(dataset: str) -> str:
    """The field of a result's Dataset that names this one."""
    return "Uri" if "://" in dataset else "DatasetId"


def _owner(model: Mapping[str, Any]) -> str:
    return PUBLIC_OWNER_ID if model.get("public") else OWNER_ID


def _parameters_in_millions(family: Mapping[str, Any], times: Sequence[datetime]) -> int | None:
    """The parameters of the newest version whose number is published."""
    sizes = [(time, version["params"]) for time, version in zip(times, family["versions"], strict=True)]
    published = [(time, size) for time, size in sizes if size]
    return round(max(published)[1] / 1_000_000) if published else None


def _model(model_id: str, family: Mapping[str, Any], times: Sequence[datetime]) -> JsonObject:
    model = family["model"]
    repository = model["source_repo"]
    labels = [
        {"Key": "license", "Value": _label_text(model["license"])},
        {"Key": "primary_metric", "Value": _label_text(family["primary_metric"])},
    ]
    place = {"Provider": model["provider"]} if model.get("public") else {"WorkspaceId": _WORKSPACES[model["domain"]]}
    origin = _ORIGINS.get(model["provider"])
    size = _parameters_in_millions(family, times)
    has_demo_fields = any(demo_fields.has_demo_fields(version["labels"]) for version in family["versions"])
    rules = [RULE, *([demo_fields.RULE] if has_demo_fields else [])]
    return {
        "ModelId": model_id,
        "ModelName": model["name"],
        "ModelDescription": f"{model['description']}\n\n{' '.join(rules)}",
        "ModelDoc": f"https://{repository}/tree/{model['retrieved_commit']}",
        **place,
        "UserId": _owner(model),
        "OwnerId": _owner(model),
        "Accessibility": "PUBLIC",
        "Domain": model["domain"],
        "Task": model["task"],
        **({"Origin": origin} if origin else {}),
        "ModelType": "Checkpoint",
        **({"ParameterSize": size} if size else {}),
        "Labels": labels,
        "ExtraInfo": {
            ORIGIN_FIELD: _ORIGIN.model_dump(mode="json", exclude_defaults=True),
            "Publisher": model["provider"],
            "PrimaryMetric": family["primary_metric"],
            "Statuses": RULE,
            "Notes": model["notes"],
            "Units": family["units"],
            "License": model["license"],
            "SourceRepository": repository,
            "SourceFiles": model["source_files"],
            "RetrievedCommit": model["retrieved_commit"],
            "OtherSources": model.get("other_sources", []),
            **_cover(repository, model["retrieved_commit"]),
        },
        "GmtCreateTime": wire_time(min(times), "milliseconds"),
        "GmtModifiedTime": wire_time(max(times), "milliseconds"),
    }


def _cover(repository: str, commit: str) -> JsonObject:
    if repository not in _COVERS:
        return {}
    name = repository.partition("/")[2]
    return {"CoverUris": [f"https://raw.githubusercontent.com/{name}/{commit}/{_COVERS[repository]}"]}


def _datasets(family: Mapping[str, Any], time: datetime) -> list[JsonObject]:
    datasets: Mapping[str, Mapping[str, str]] = family["datasets"]
    domain = family["model"]["domain"]
    workspace_id = WORKSPACE_ID if family["model"].get("public") else _WORKSPACES[domain]
    uses = Counter(dataset["name"] for dataset in datasets.values())
    return [
        {
            "DatasetId": dataset_id,
            "Name": dataset["name"]
            if uses[dataset["name"]] == 1
            else f"{dataset['name']}: {dataset['description'].partition(',')[0]}",
            "Description": dataset["description"],
            "Uri": demo_fields.dataset_uri(dataset_id),
            "DataSourceType": "OSS",
            "DataType": _DATA_TYPES[domain],
            "Property": "DIRECTORY",
            "Accessibility": "PUBLIC",
            "WorkspaceId": workspace_id,
            "UserId": OWNER_ID,
            "OwnerId": OWNER_ID,
            "Labels": [_URI_LABEL],
            "GmtCreateTime": wire_time(time),
            "GmtModifiedTime": wire_time(time),
        }
        for dataset_id, dataset in datasets.items()
        if _naming(dataset_id) == "DatasetId"
    ]


def citation_url(citation: str, repository: str) -> str | None:
    """The web address of the first source in a citation, at its commit; ``None`` if it has no such form.

    Args:
        citation: ``path@commit#L1-L2``, with ``owner/name`` in front if the repository is another one.
        repository: host and name of the family's repository, such as ``github.com/wenet-e2e/wenet``.
    """
    match = _CITATION.match(citation)
    if not match:
        return None
    if match["repository"]:
        repository = f"{repository.partition('/')[0]}/{match['repository']}"
    path = match["path"]
    if "*" in path:
        return f"https://{repository}/tree/{match['commit']}/{path.rpartition('/')[0]}"
    plain = "?plain=1" if match["lines"] and path.endswith(".md") else ""
    return f"https://{repository}/blob/{match['commit']}/{path}{plain}{match['lines'] or ''}"


def _label_text(text: str) -> str:
    """Replace what a label cannot contain, and cut it."""
    allowed = text.replace("=", ":").replace(",", ";").encode()
    return allowed[:MAX_LABEL_BYTES].decode(errors="ignore")

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
- FormatType and the specs are not published and stay absent.
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

from paiview.embedded.demo_statuses import RULE, statuses
from paiview.embedded.request import MAX_LABEL_BYTES, wire_time
from paiview.embedded.store import Seed, SeedFile
from paiview.embedded.workspaces_datasets import OWNER_ID, WORKSPACE_ID
from paiview.pai.listing_facts import ORIGIN_FIELD, ListingFacts, Origin
from paiview.pai.objects import JsonObject

_MAPPING_VERSION: Final = b"2"
"""Part of every fingerprint. Raise it when this module maps the same file to other objects."""

_ORIGIN: Final = Origin(kind="published")
_UNUSUAL_METRICS: Final = ("ms_", "seconds_per_hour")
"""Prefixes of the metrics that the families explain; the catalogue knows all their other metrics."""
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
    return Seed(_model(model_id, family, times), versions, _datasets(family["datasets"], min(times)), facts)


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
    uri = citation_url(published["source"], model["source_repo"])
    return {
        "VersionName": published["version_name"],
        "VersionDescription": published["description"],
        **({"Uri": uri} if uri else {}),
        "FrameworkType": published["framework"],
        "ApprovalStatus": status,
        "SourceType": "Custom",
        "SourceId": model["source_repo"],
        "Labels": [{"Key": _label_text(key), "Value": _label_text(value)} for key, value in labels.items()],
        "Metrics": {
            "Results": [
                {"Dataset": {"DatasetId": result["dataset"]}, "Metrics": result["metrics"]}
                for result in published["results"]
            ]
        },
        "Options": "{}",
        "ExtraInfo": {
            "Citation": published["source"],
            "PublishedName": published["published_name"],
            "VersionNameIs": published["version_name_is"],
            "Date": published["date"],
            "DateIs": published["date_is"],
            "Parameters": published["params"],
        },
        "UserId": OWNER_ID,
        "OwnerId": OWNER_ID,
        "GmtCreateTime": created,
        "GmtModifiedTime": created,
    }


def _model(model_id: str, family: Mapping[str, Any], times: Sequence[datetime]) -> JsonObject:
    model = family["model"]
    repository = model["source_repo"]
    labels = [
        {"Key": "license", "Value": _label_text(model["license"])},
        {"Key": "primary_metric", "Value": _label_text(family["primary_metric"])},
    ]
    return {
        "ModelId": model_id,
        "ModelName": model["name"],
        "ModelDescription": model["description"],
        "ModelDoc": f"https://{repository}/tree/{model['retrieved_commit']}",
        "WorkspaceId": WORKSPACE_ID,
        "UserId": OWNER_ID,
        "OwnerId": OWNER_ID,
        "Provider": model["provider"],
        "Accessibility": "PUBLIC",
        "Domain": model["domain"],
        "Task": model["task"],
        "Labels": labels,
        "ExtraInfo": {
            ORIGIN_FIELD: _ORIGIN.model_dump(mode="json", exclude_defaults=True),
            "PrimaryMetric": family["primary_metric"],
            "Statuses": RULE,
            "Notes": model["notes"],
            "Units": family["units"],
            "License": model["license"],
            "SourceRepository": repository,
            "SourceFiles": model["source_files"],
            "RetrievedCommit": model["retrieved_commit"],
            "OtherSources": model.get("other_sources", []),
        },
        "GmtCreateTime": wire_time(min(times), "milliseconds"),
        "GmtModifiedTime": wire_time(max(times), "milliseconds"),
    }


def _datasets(datasets: Mapping[str, Mapping[str, str]], time: datetime) -> list[JsonObject]:
    uses = Counter(dataset["name"] for dataset in datasets.values())
    return [
        {
            "DatasetId": dataset_id,
            "Name": dataset["name"]
            if uses[dataset["name"]] == 1
            else f"{dataset['name']}: {dataset['description'].partition(',')[0]}",
            "Description": dataset["description"],
            "Accessibility": "PUBLIC",
            "WorkspaceId": WORKSPACE_ID,
            "UserId": OWNER_ID,
            "OwnerId": OWNER_ID,
            "Labels": [],
            "GmtCreateTime": wire_time(time),
            "GmtModifiedTime": wire_time(time),
        }
        for dataset_id, dataset in datasets.items()
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

"""A service on loopback that answers like PAI with what a test puts in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from paiview.pai.credentials import StaticCredentials
from tests.harness.server import Reply, Request, refusal, reply

CREDENTIALS: Final = StaticCredentials("key", "secret-that-no-page-may-show")
Json = dict[str, Any]


def version(name: str, created: str, results: dict[str, Json] | None = None, **fields: Any) -> Json:
    """A ModelVersion; ``results`` is dataset to metric to value."""
    items = [{"Dataset": {"DatasetId": dataset}, "Metrics": values} for dataset, values in (results or {}).items()]
    return {
        "VersionName": name,
        "GmtCreateTime": f"{created}T00:00:00Z",
        "ApprovalStatus": "Pending",
        "Metrics": {"Results": items},
        **fields,
    }


@dataclass
class Service:
    """Answers like PAI with what the test put in; filters are recorded, not applied, except ApprovalStatus."""

    models: list[Json] = field(default_factory=list)
    versions: dict[str, list[Json]] = field(default_factory=dict)
    datasets: list[Json] = field(default_factory=list)
    workspaces: list[Json] = field(default_factory=list)
    refusals: dict[str, Reply] = field(default_factory=dict)
    """Path to the answer it gets in place of the data."""
    requests: list[Request] = field(default_factory=list)

    async def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        if request.path in self.refusals:
            return self.refusals[request.path]
        match request.path.removeprefix("/api/v1/").split("/"):
            case ["models"]:
                return _page(request, "Models", self.models)
            case ["models", model, "versions"] if model in self.versions:
                status = request.query.get("ApprovalStatus")
                kept = [item for item in self.versions[model] if status in (None, item.get("ApprovalStatus"))]
                return _page(request, "Versions", kept[::-1] if request.query.get("Order") == "DESC" else kept)
            case ["models", model, "versions", name]:
                found = [item for item in self.versions.get(model, []) if item["VersionName"] == name]
                return reply({"RequestId": "R-good", **found[0]}) if found else refusal("201900003", 404, "It is gone.")
            case ["datasets"]:
                return _page(request, "Datasets", self.datasets)
            case ["workspaces"]:
                return _page(request, "Workspaces", self.workspaces)
            case _:
                return refusal("201900002", 404, "It does not exist.")

    def asked(self, path: str) -> list[dict[str, str]]:
        """The queries that came for a path."""
        return [request.query for request in self.requests if request.path == f"/api/v1/{path}"]


def _page(request: Request, name: str, items: Sequence[Json]) -> Reply:
    size = int(request.query["PageSize"])
    start = (request.page - 1) * size
    return reply({name: items[start : start + size], "TotalCount": len(items), "RequestId": "R-good"})

"""The read-only client of the PAI model registry."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeVar

from paiview.pai import incremental
from paiview.pai.credentials import CredentialSource
from paiview.pai.errors import AnswerError, NotFoundError
from paiview.pai.listing_facts import listing_facts
from paiview.pai.objects import (
    Dataset,
    Filters,
    Model,
    ModelFilters,
    ModelVersion,
    PaiObject,
    VersionFilters,
    Workspace,
)
from paiview.pai.paging import Listing, Page, Progress, list_all, result
from paiview.pai.responses import ApiResponse
from paiview.pai.signing import percent_encode
from paiview.pai.transport import Transport

_MODELS_PATH: Final = "/api/v1/models/"
MAX_DATASET_IDS_PER_REQUEST: Final = 50
"""Keeps the URL well below 8 kB."""
_DATASET_ID: Final = re.compile(r"[\w./-]{1,128}", re.ASCII)
_NAMES: Final = {ModelVersion: "version_name", Model: "model_id", Workspace: "workspace_id", Dataset: "dataset_id"}

Object = TypeVar("Object", bound=PaiObject)


class RefreshedVersions(NamedTuple):
    """All versions of a model, oldest first, and the RequestId of the page with the newest ones."""

    versions: tuple[ModelVersion, ...]
    request_id: str | None


class Client:
    """Reads models, versions, workspaces and datasets of one endpoint as one identity.

    The methods may be called from any thread. All callers together make at most ``concurrency`` requests at a time
    about one model, twice as many in all, and ``rate_limit`` requests a second. Every method raises ``ServiceError`` if
    the service or the connection to it fails, and ``CredentialError`` without a usable credential.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: CredentialSource,
        *,
        page_size: int = 50,
        concurrency: int = 8,
        rate_limit: float = 0.0,
        deadline: float = 15.0,
        connect_timeout: float = 5.0,
        read_timeout: float = 10.0,
    ) -> None:
        """Start the client without making a request.

        Args:
            endpoint: URL of the service, without a path.
            credentials: the source of the key that signs the requests.
            page_size: items requested per page; the server may send fewer.
            concurrency: requests at the same time about one model; twice as many in all.
            rate_limit: requests a second, retries included; 0 disables the limit.
            deadline: seconds for one request with all its retries.
            connect_timeout: connection timeout, in seconds; only ``deadline`` limits the name lookup.
            read_timeout: seconds without a byte of the response.
        """
        self._page_size = page_size
        self._concurrency = concurrency
        self._transport = Transport(
            endpoint.rstrip("/"),
            credentials,
            concurrency=concurrency,
            rate_limit=rate_limit,
            deadline=deadline,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )

    def list_model_versions(
        self,
        model_id: str,
        filters: VersionFilters = VersionFilters(),
        *,
        page_number: int = 1,
        page_size: int | None = None,
    ) -> Page[ModelVersion]:
        """List one page of a model's versions; what only ``filters.admits`` can leave out is on it."""
        path = _versions_path(model_id)
        return result(self._page(ModelVersion, path, filters.query(), page_number, page_size))

    def list_all_model_versions(
        self, model_id: str, filters: VersionFilters = VersionFilters(), *, progress: Progress | None = None
    ) -> Listing[ModelVersion]:
        """List all versions of a model."""
        return self._filtered(ModelVersion, _versions_path(model_id), filters, progress)

    def refresh_model_versions(self, model_id: str, known: Sequence[ModelVersion]) -> RefreshedVersions | None:
        """Update a complete listing with three pages, as ``paiview.pai.incremental`` describes.

        Args:
            model_id: the model.
            known: all versions at an earlier time, oldest first.

        Returns:
            all versions; ``None`` if they have to be listed in full.
        """
        # A listing that fits on as many pages is as fast, and complete.
        if len(known) <= len(incremental.FIRST_PAGE_FILTERS) * self._page_size:
            return None
        path = _versions_path(model_id)
        futures = [self._page(ModelVersion, path, filters.query(), 1) for filters in incremental.FIRST_PAGE_FILTERS]
        with _cancelled_on_error(futures):
            pages = [future.result() for future in futures]
        merged = incremental.merge(known, pages)
        return None if merged is None else RefreshedVersions(merged, pages[0].request_id)

    def get_model_version(self, model_id: str, version_name: str) -> ModelVersion:
        """Get one version.

        Raises:
            NotFoundError: the model or the version does not exist.
        """
        return result(self._one(ModelVersion, "GetModelVersion", _version_path(model_id, version_name)))

    def get_model_versions(self, model_id: str, version_names: Collection[str]) -> dict[str, ModelVersion | None]:
        """Get several versions in parallel; ``None`` for one that does not exist."""
        paths = [_version_path(model_id, name) for name in version_names]
        futures = [self._one(ModelVersion, "GetModelVersion", path) for path in paths]
        with _cancelled_on_error(futures):
            return dict(zip(version_names, map(_result_or_none, futures), strict=True))

    def list_models(
        self, filters: ModelFilters = ModelFilters(), *, page_number: int = 1, page_size: int | None = None
    ) -> Page[Model]:
        """List one page of the models; what only ``filters.admits`` can leave out is on it."""
        return result(self._page(Model, "/api/v1/models", filters.query(), page_number, page_size))

    def list_all_models(
        self, filters: ModelFilters = ModelFilters(), *, progress: Progress | None = None
    ) -> Listing[Model]:
        """List all models."""
        return self._filtered(Model, "/api/v1/models", filters, progress)

    def get_model(self, model_id: str) -> Model:
        """Get one model.

        Raises:
            NotFoundError: the model does not exist.
        """
        return result(self._one(Model, "GetModel", f"/api/v1/models/{_segment(model_id, 'model id')}"))

    def list_all_workspaces(self) -> Listing[Workspace]:
        """List all workspaces the credential may see."""
        return self._all(Workspace, "/api/v1/workspaces", Filters().query(), None)

    def list_datasets(self, dataset_ids: Sequence[str], workspace_id: str | None = None) -> tuple[Dataset, ...]:
        """List those of the datasets that exist, in this workspace or else in the default one.

        The ids come from evaluation results, so a text that cannot be an id is left out.
        """
        ids = [text for text in dict.fromkeys(dataset_ids) if _DATASET_ID.fullmatch(text)]
        chunks = [
            ids[start : start + MAX_DATASET_IDS_PER_REQUEST]
            for start in range(0, len(ids), MAX_DATASET_IDS_PER_REQUEST)
        ]
        workspace = {} if workspace_id is None else {"WorkspaceId": workspace_id}

        queries = [{"DatasetIds": ",".join(chunk), **workspace} for chunk in chunks]
        listings = [self._all(Dataset, "/api/v1/datasets", query, None) for query in queries]
        return tuple(dataset for listing in listings for dataset in listing.items)

    @property
    def broken_models(self) -> int:
        """How many models are skipped now because their requests hung."""
        return self._transport.broken_groups

    def close(self) -> None:
        """Fail all calls under way with ``UnreachableError``, and close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _page(
        self,
        kind: type[Object],
        path: str,
        query: Mapping[str, str],
        number: int,
        size: int | None = None,
    ) -> Future[Page[Object]]:
        def parse(response: ApiResponse) -> Page[Object]:
            items, total = _items(response, "Versions" if kind is ModelVersion else f"{kind.__name__}s")
            return Page(
                tuple(map(kind.model_validate, items)), total, response.request_id, listing_facts(response.body)
            )

        parameters = {**query, "PageNumber": str(number), "PageSize": str(size or self._page_size)}
        return self._transport.submit(f"List{kind.__name__}s", path, parameters, parse, _model_in(path))

    def _all(
        self, kind: type[Object], path: str, query: Mapping[str, str], progress: Progress | None
    ) -> Listing[Object]:
        name = _NAMES[kind]
        return list_all(
            lambda number: self._page(kind, path, query, number),
            lambda item: getattr(item, name) or None,
            # The text, for values may hold NaN, which does not equal itself.
            lambda item: repr(item.unmasked),
            concurrency=self._concurrency,
            progress=progress,
        )

    def _filtered(self, kind: type[Object], path: str, filters: Filters, progress: Progress | None) -> Listing[Object]:
        listing = self._all(kind, path, filters.query(), progress)
        return listing if filters.is_applied_by_pai else listing.only(filters.admits)

    def _one(self, kind: type[Object], action: str, path: str) -> Future[Object]:
        def parse(response: ApiResponse) -> Object:
            if not response.body:
                raise AnswerError(
                    f"{action} was answered with an empty object.", request_id=response.request_id, status=200
                )
            return kind.model_validate(response.body)

        return self._transport.submit(action, path, {}, parse, _model_in(path))


@contextmanager
def _cancelled_on_error(futures: Sequence[Future[Any]]) -> Iterator[None]:
    """Cancel the requests that are still under way when the block ends."""
    try:
        yield
    finally:
        for future in futures:
            future.cancel()


def _result_or_none(future: Future[Object]) -> Object | None:
    try:
        return future.result()
    except NotFoundError:
        return None


def _model_in(path: str) -> str:
    """The model that a path is about, as it stands there; empty for other paths."""
    return path.removeprefix(_MODELS_PATH).partition("/")[0] if path.startswith(_MODELS_PATH) else ""


def _versions_path(model_id: str) -> str:
    return f"/api/v1/models/{_segment(model_id, 'model id')}/versions"


def _version_path(model_id: str, version_name: str) -> str:
    return f"{_versions_path(model_id)}/{_segment(version_name, 'version name')}"


def _segment(text: str, what: str) -> str:
    """Encode a text as one path segment; an empty one or dots would change the path."""
    if text in ("", ".", ".."):
        raise NotFoundError(f"“{text}” is not a {what}.")
    return percent_encode(text)


def _items(response: ApiResponse, field: str) -> tuple[list[Any], int]:
    """The items of a list response, and how many there are in all."""
    items = response.body.get(field)
    total = response.body.get("TotalCount")
    items = [] if items is None and total is not None else items
    total = 0 if total is None and items == [] else total
    if not isinstance(items, list) or not re.fullmatch("[0-9]{1,15}", str(total)):
        raise AnswerError(
            f"{response.action} was answered without a list of {field} and their TotalCount.",
            request_id=response.request_id,
            status=200,
        )
    return items, int(str(total))

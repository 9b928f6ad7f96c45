"""The objects of the service: models, versions, workspaces and datasets.

Field names, types and meanings follow the API reference of AIWorkSpace 2021-02-04. Three rules hold for every object:

- Every field may be absent, and is ``None`` then (labels: empty).
- Unknown fields are kept in ``model_extra``, and enumerations are open strings, for real data holds spellings that the
  documentation does not list.
- A value of the wrong type does not invalidate the object: its field is left out, and the value is kept in
  ``misfits``. ``raw`` always holds the original JSON value.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_pascal

JsonObject = dict[str, Any]


class PaiObject(BaseModel):
    """An object of the API, parsed leniently: no received value is rejected or lost."""

    model_config = ConfigDict(
        alias_generator=to_pascal,
        coerce_numbers_to_str=True,
        extra="allow",
        frozen=True,
        protected_namespaces=(),
    )

    @property
    def raw(self) -> Any:
        """The JSON value this object was parsed from, unchanged."""
        return (self.__pydantic_private__ or {}).get("raw")

    @property
    def misfits(self) -> Mapping[str, Any]:
        """Values of a type that the API does not document, by the API's name of the field."""
        return cast("Mapping[str, Any]", (self.__pydantic_private__ or {}).get("misfits", {}))

    @model_validator(mode="wrap")
    @classmethod
    def _keep_misfits(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, cls):
            return data
        fields = cast("JsonObject", data) if isinstance(data, dict) else {"": data}
        misfits: JsonObject = {} if isinstance(data, dict) else fields
        try:
            result = handler({} if misfits else fields)
        except ValidationError as error:
            misfits = {
                name: fields[name] for name in (str(e["loc"][0]) for e in error.errors() if e["loc"]) if name in fields
            }
            result = handler({name: value for name, value in fields.items() if name not in misfits})
        # Written into pydantic's slot directly: declared private attributes cost more than parsing itself.
        object.__setattr__(result, "__pydantic_private__", {"raw": data, "misfits": misfits})
        return result


class Label(PaiObject):
    """A key and value attached to a version or a model."""

    key: str = ""
    value: str = ""


def _none_is_empty(value: Any) -> Any:
    return () if value is None else value


Labels = Annotated[tuple[Label, ...], BeforeValidator(_none_is_empty)]


class ModelVersion(PaiObject):
    """One version of a model, from ListModelVersions or GetModelVersion.

    Times are the original strings (UTC, in one of three formats; ``version_order`` parses them). ``options`` is JSON
    text, while ``extra_info`` and the specs are objects without a fixed structure. ``metrics`` is any JSON at all, for
    the service enforces no shape, and some write JSON text or an array (``evaluation.results`` reads them).
    """

    version_name: str | None = None
    version_description: str | None = None
    uri: str | None = None
    format_type: str | None = None
    framework_type: str | None = None
    approval_status: str | None = None
    source_type: str | None = None
    source_id: str | None = None
    labels: Labels = ()
    metrics: Any = None
    options: str | None = None
    extra_info: JsonObject | None = None
    training_spec: JsonObject | None = None
    inference_spec: JsonObject | None = None
    evaluation_spec: JsonObject | None = None
    compression_spec: JsonObject | None = None
    distillation_spec: JsonObject | None = None
    user_id: str | None = None
    owner_id: str | None = None
    gmt_create_time: str | None = None
    gmt_modified_time: str | None = None


class Model(PaiObject):
    """A registered model, from ListModels or GetModel. ``parameter_size`` is in millions."""

    model_id: str | None = None
    model_name: str | None = None
    model_description: str | None = None
    model_doc: str | None = None
    workspace_id: str | None = None
    owner_id: str | None = None
    user_id: str | None = None
    provider: str | None = None
    accessibility: str | None = None
    domain: str | None = None
    task: str | None = None
    origin: str | None = None
    model_type: str | None = None
    order_number: int | None = None
    parameter_size: int | None = None
    labels: Labels = ()
    tags: Labels = ()
    extra_info: JsonObject | None = None
    latest_version: ModelVersion | None = None
    gmt_create_time: str | None = None
    gmt_modified_time: str | None = None
    gmt_latest_version_modified_time: str | None = None


class Workspace(PaiObject):
    """A workspace, which owns models. Its creator and administrators are personal data, so they are no fields here."""

    workspace_id: str | None = None
    workspace_name: str | None = None
    display_name: str | None = None
    description: str | None = None
    status: str | None = None
    is_default: bool | None = None


class Dataset(PaiObject):
    """A registered dataset: it has the name for the DatasetId of a result."""

    dataset_id: str | None = None
    name: str | None = None
    uri: str | None = None
    workspace_id: str | None = None


class Filters(BaseModel):
    """The filters of a listing; ``None`` means no filter. Equal filters are equal cache keys."""

    model_config = ConfigDict(alias_generator=to_pascal, frozen=True, populate_by_name=True, protected_namespaces=())

    order: str = "ASC"
    sort_by: str = "GmtCreateTime"

    def query(self) -> dict[str, str]:
        """The query parameters under the API's names, without those that are ``None``."""
        return cast("dict[str, str]", self.model_dump(by_alias=True, exclude_none=True))


class VersionFilters(Filters):
    """The filters of ListModelVersions. ``label`` matches part of any label key or value."""

    version_name: str | None = None
    format_type: str | None = None
    framework_type: str | None = None
    source_type: str | None = None
    source_id: str | None = None
    label: str | None = None
    approval_status: str | None = None


class ModelFilters(Filters):
    """The filters of ListModels.

    ``model_name`` matches fuzzily unless wrapped in double quotes; ``tag`` and ``conditions`` are JSON arrays as text.
    """

    workspace_id: str | None = None
    model_name: str | None = None
    query_text: str | None = Field(default=None, alias="Query")
    label: str | None = None
    tag: str | None = None
    conditions: str | None = None
    domain: str | None = None
    task: str | None = None
    origin: str | None = None
    model_type: str | None = None
    provider: str | None = None
    collections: str | None = None

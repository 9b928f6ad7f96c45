"""The objects of the service: models, versions, workspaces and datasets.

Field names, types and meanings follow the API reference of AIWorkSpace 2021-02-04. Three rules hold for every object:

- Every field may be absent, and is ``None`` then (labels: empty).
- Unknown fields are kept in ``model_extra``, and enumerations are open strings, for real data holds spellings that the
  documentation does not list.
- A value of the wrong type does not invalidate the object: its field is left out, and the value is kept in
  ``misfits``. ``raw`` always holds the whole JSON value.

Secrets are masked here, before anything is read from an object, so that nothing that shows, stores or searches objects
can leak them. What a mask stands for is kept in ``unmasked``, only to see whether two values differ.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Annotated, Any, ClassVar, Final, Self, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_pascal

from paiview.pai.vocabulary import (
    APPROVAL_STATUSES,
    FORMAT_TYPES,
    FRAMEWORK_TYPES,
    MODEL_TYPES,
    ORDERS,
    ORIGINS,
    OTHER_FORMAT_TYPES,
    OTHER_FRAMEWORK_TYPES,
    OTHER_MODEL_TYPES,
    OTHER_ORIGINS,
    PROVIDERS,
    SORT_FIELDS,
    SOURCE_TYPES,
    folded_spelling,
    spellings_of,
)
from paiview.secret_masking import mask_secrets

JsonObject = dict[str, Any]
MAX_METRICS_BYTES: Final = 8192
"""Of the Metrics of a version as compact JSON in UTF-8, when it is created or updated."""
_NAMES_A_PERSON: Final = re.compile(r"creator|admin|owner|member|user", re.IGNORECASE)
"""Fields of a workspace that hold names of people, or their ids."""


class PaiObject(BaseModel):
    """An object of the API, parsed leniently: no received value is rejected or lost."""

    model_config = ConfigDict(
        alias_generator=to_pascal,
        coerce_numbers_to_str=True,
        extra="allow",
        frozen=True,
        protected_namespaces=(),
    )

    _is_part: ClassVar[bool] = False
    """Whether the object that contains it has been masked as a whole."""

    @property
    def raw(self) -> Any:
        """The JSON value this object was parsed from, with secrets masked; otherwise unchanged."""
        return (self.__pydantic_private__ or {}).get("raw")

    @property
    def unmasked(self) -> Any:
        """The JSON value as it came, for comparisons; nothing may show or store it. ``raw`` if nothing was masked."""
        private = self.__pydantic_private__ or {}
        return private.get("unmasked", private.get("raw"))

    @property
    def misfits(self) -> Mapping[str, Any]:
        """Values of a type that the API does not document, by the API's name of the field."""
        return cast("Mapping[str, Any]", (self.__pydantic_private__ or {}).get("misfits", {}))

    @model_validator(mode="wrap")
    @classmethod
    def _keep_misfits(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, cls):
            return data
        unmasked = cls._received(data)
        data = unmasked if cls._is_part else mask_secrets(unmasked)
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
        kept = {"raw": data, "misfits": misfits}
        object.__setattr__(result, "__pydantic_private__", kept if data is unmasked else kept | {"unmasked": unmasked})
        return result

    @classmethod
    def _received(cls, data: Any) -> Any:
        """What is kept of the JSON value of an object: all of it, unless a class says otherwise."""
        return data


class Label(PaiObject):
    """A key and value attached to a version or a model."""

    _is_part: ClassVar[bool] = True

    key: str = ""
    value: str = ""


def _none_is_empty(value: Any) -> Any:
    return () if value is None else value


Labels = Annotated[tuple[Label, ...], BeforeValidator(_none_is_empty)]


class ModelVersion(PaiObject):
    """One version of a model, from ListModelVersions or GetModelVersion.

    Times are the original strings (``times`` parses them). ``options`` is JSON text, while ``extra_info`` and the specs
    are objects without a fixed structure. ``metrics`` is any JSON at all, for the service enforces no shape, and some
    write JSON text or an array (``evaluation.results`` reads them).
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
    """A workspace, which owns models. Of its creator and administrators, which are personal data, nothing is kept."""

    workspace_id: str | None = None
    workspace_name: str | None = None
    display_name: str | None = None
    description: str | None = None
    status: str | None = None
    is_default: bool | None = None

    @classmethod
    def _received(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if not _NAMES_A_PERSON.search(name)}


class Dataset(PaiObject):
    """A registered dataset: it has the name for the DatasetId of a result.

    ``data_source_type`` is OSS, NAS or another store, ``data_type`` is COMMON, PIC, TEXT, VIDEO or AUDIO, and
    ``property`` is FILE or DIRECTORY (CreateDataset).
    """

    dataset_id: str | None = None
    name: str | None = None
    description: str | None = None
    uri: str | None = None
    data_source_type: str | None = None
    data_type: str | None = None
    property: str | None = None
    accessibility: str | None = None
    labels: Labels = ()
    workspace_id: str | None = None


_LABEL_PREFIX: Final = "label"


class Filters(BaseModel):
    """The filters of a listing; ``None`` means no filter. Equal filters are equal cache keys.

    A value that has known spellings (``vocabulary``) is forgiven its case. If it is like one of them it becomes that
    one. If it is like several, such as ``pytorch``, or is a label ``key=value``, PAI is asked for more, and ``admits``
    says what of its answer is meant.
    """

    model_config = ConfigDict(alias_generator=to_pascal, frozen=True, populate_by_name=True, protected_namespaces=())

    _known: ClassVar[Mapping[str, Sequence[str]]] = {}
    """By field, its known spellings."""

    order: str = "ASC"
    sort_by: str = "GmtCreateTime"
    label: str | None = None

    @field_validator("*")
    @classmethod
    def _forgive(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not value:
            return value
        if info.field_name == "label":
            return _label_filter(value)
        documented = {**_KNOWN_IN_ALL, **cls._known}.get(info.field_name or "", ())
        spellings = spellings_of(value, documented)
        if len(spellings) == 1:
            return spellings[0]
        # Folded, so that all spellings are one cache key, unless that is a spelling with a meaning of its own.
        folded = folded_spelling(value)
        return value if folded in documented else folded

    def query(self) -> dict[str, str]:
        """The query parameters under the API's names, without those that are ``None`` or that PAI cannot apply."""
        sent = self.model_dump(by_alias=True, exclude_none=True, exclude=set(self._ambiguous))
        if (pair := self.label_pair) is not None:
            # A label's key and value hold no "=". PAI finds a text in either, and the longer one is in fewer labels.
            sent["Label"] = max(pair, key=len)
        return cast("dict[str, str]", sent)

    @property
    def texts(self) -> tuple[str, ...]:
        """Every value that is set."""
        return tuple(value for value in self.model_dump().values() if value is not None)

    @property
    def selects(self) -> bool:
        """Whether they leave anything out; an empty text does not."""
        return any(self.model_dump(exclude={"order", "sort_by"}).values())

    @property
    def label_pair(self) -> tuple[str, str] | None:
        """The key and the value of the label that is asked for; one of them may be empty, and is then any."""
        key, equals, value = (self.label or "").partition("=")
        return (key, value) if equals else None

    @property
    def is_applied_by_pai(self) -> bool:
        """Whether PAI applies all of them, so that ``admits`` lets everything pass that it lists."""
        return not self._ambiguous and self.label_pair is None

    def admits(self, item: PaiObject) -> bool:
        """Whether an object that PAI lists for ``query`` is meant."""
        return all(
            folded_spelling(getattr(item, name) or "") == folded_spelling(getattr(self, name))
            for name in self._ambiguous
        ) and self._admits_labels((*getattr(item, "labels", ()), *getattr(item, "tags", ())))

    def _admits_labels(self, labels: Iterable[Label]) -> bool:
        if self.label_pair is None:
            return True
        key, value = self.label_pair
        return any(key in ("", label.key) and value in ("", label.value) for label in labels)

    @property
    def _ambiguous(self) -> tuple[str, ...]:
        """The fields whose value stands for several documented spellings, of which PAI would be asked for one."""
        return tuple(
            name
            for name, documented in self._known.items()
            if (value := getattr(self, name)) and len(spellings_of(value, documented)) > 1
        )


_KNOWN_IN_ALL: Final = {"order": ORDERS, "sort_by": SORT_FIELDS}


def _label_filter(text: str) -> str:
    """A label filter as ``key=value`` without blanks around them, or any other text as it is.

    A key holds no ``=``, so that ``label=key=value`` can only be ``key=value`` behind the name of the parameter.
    """
    parts = [part.strip() for part in text.split("=")]
    if len(parts) == 1:
        return text
    names = len(list(takewhile(lambda part: part.casefold() == _LABEL_PREFIX, parts[:-2])))
    return "=".join(parts[names:])


class VersionFilters(Filters):
    """The filters of ListModelVersions.

    ``label`` matches part of any label key or value; ``key=value`` is one label, and ``key=`` any with that key.
    """

    _known: ClassVar[Mapping[str, Sequence[str]]] = {
        "format_type": (*FORMAT_TYPES, *OTHER_FORMAT_TYPES),
        "framework_type": (*FRAMEWORK_TYPES, *OTHER_FRAMEWORK_TYPES),
        "source_type": SOURCE_TYPES,
        "approval_status": APPROVAL_STATUSES,
    }

    version_name: str | None = None
    format_type: str | None = None
    framework_type: str | None = None
    source_type: str | None = None
    source_id: str | None = None
    approval_status: str | None = None


class ModelFilters(Filters):
    """The filters of ListModels.

    ``model_name`` matches fuzzily unless wrapped in double quotes. ``provider`` lists that provider's public models;
    without it, or with an empty one, your own are listed. ``label`` is as in ``VersionFilters``. ``tag`` is a JSON
    array of objects with Key and Value as text, and ``key=value`` is one such object; ``conditions`` is a JSON array of
    objects with Column, Operator and Value, and ``ParameterSize<3000`` (in millions) is the documented one.
    """

    _known: ClassVar[Mapping[str, Sequence[str]]] = {
        "origin": (*ORIGINS, *OTHER_ORIGINS),
        "model_type": (*MODEL_TYPES, *OTHER_MODEL_TYPES),
        "provider": PROVIDERS,
    }

    workspace_id: str | None = None
    model_name: str | None = None
    query_text: str | None = Field(default=None, alias="Query")
    tag: str | None = None
    conditions: str | None = None
    domain: str | None = None
    task: str | None = None
    origin: str | None = None
    model_type: str | None = None
    provider: str | None = None
    collections: str | None = None

    @field_validator("tag")
    @classmethod
    def _read_tag(cls, value: str | None) -> str | None:
        if not value or value.lstrip().startswith("[") or "=" not in value:
            return value
        key, _, text = value.partition("=")
        return _json_array({"Key": key.strip(), "Value": text.strip()})

    @field_validator("conditions")
    @classmethod
    def _read_conditions(cls, value: str | None) -> str | None:
        match = _CONDITION.fullmatch(value or "")
        return _json_array({"Column": match[1], "Operator": "LessThan", "Value": match[2]}) if match else value


_CONDITION: Final = re.compile(r"\s{0,8}([A-Za-z]{1,64})\s{0,8}<\s{0,8}([0-9]{1,18})\s{0,8}")


def _json_array(item: dict[str, str]) -> str:
    return json.dumps([item], ensure_ascii=False, separators=(",", ":"))

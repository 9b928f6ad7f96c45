"""What a listing says beside PAI's own fields: what its metrics mean, and where the embedded registry has it from.

PAI sends neither: its fields begin with a capital. Nothing that a listing says here is an error; what cannot be read is
ignored, with a sentence.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, NonNegativeInt, TypeAdapter, ValidationError

from paiview.pai.objects import JsonObject

MEANINGS_FIELD: Final = "metrics"
ORIGIN_FIELD: Final = "origin"
Meanings = Mapping[str, Mapping[str, Any]]
"""For a metric or a pattern, the keys of its table in ``paiview.toml``; not validated."""


class Origin(BaseModel):
    """Where the embedded registry has a model from.

    Attributes:
        kind: the published families, or saved responses.
        files: the names of the files.
        listed: the versions that match the request and can be read; fewer than TotalCount if some were not saved.
        missing: versions of the model that the saved responses count and do not contain, whatever the filters.
        doubled: a sentence if a VersionName stands for different versions.
        remarks: a sentence for each thing in the files that is ignored.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["published", "saved"]
    files: tuple[str, ...] = ()
    listed: NonNegativeInt | None = None
    missing: NonNegativeInt = 0
    doubled: str | None = None
    remarks: tuple[str, ...] = ()


class ListingFacts(NamedTuple):
    """The facts beside one page of a listing.

    Attributes:
        meanings: what metrics mean; empty without.
        origin: where the embedded registry has the model from; ``None`` for any other service.
        complaint: a sentence about meanings that are ignored.
    """

    meanings: Meanings
    origin: Origin | None
    complaint: str | None = None


NO_FACTS: Final = ListingFacts({}, None)
_ORIGIN: Final = TypeAdapter(Origin)


def listing_facts(body: JsonObject) -> ListingFacts:
    """Read the facts in a response."""
    meanings, complaint = read_meanings(body.get(MEANINGS_FIELD))
    return ListingFacts(meanings, read_origin(body), complaint)


def facts_body(facts: ListingFacts) -> JsonObject:
    """The fields of a response that hold the facts, without those that say nothing."""
    origin = None if facts.origin is None else facts.origin.model_dump(mode="json", exclude_defaults=True)
    fields = {MEANINGS_FIELD: facts.meanings or None, ORIGIN_FIELD: origin}
    return {name: value for name, value in fields.items() if value is not None}


def read_origin(body: Mapping[str, Any]) -> Origin | None:
    """The origin in a response, or in the ExtraInfo of a model."""
    if ORIGIN_FIELD not in body:
        return None
    try:
        return _ORIGIN.validate_python(body[ORIGIN_FIELD])
    except ValidationError:
        return None


def read_meanings(value: Any) -> tuple[Meanings, str | None]:
    """The meanings in a JSON value, and a sentence about what is ignored."""
    if value is None:
        return {}, None
    if not isinstance(value, dict):
        return {}, "What metrics mean is ignored: “metrics” is not an object."
    meanings = {name: meaning for name, meaning in value.items() if isinstance(meaning, dict)}
    ignored = len(value) - len(meanings)
    return (
        meanings,
        f"What {ignored} of {len(value)} metrics mean is ignored: it is not an object." if ignored else None,
    )

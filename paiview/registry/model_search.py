"""Models filtered and sorted for the list of models."""

from collections.abc import Sequence

from paiview.pai.objects import Model
from paiview.pai.times import TimeKey, time_key

NEWEST_CHANGE_FIRST = "-modified"
MODEL_SORTS = {
    NEWEST_CHANGE_FIRST: "Newest change first",
    "-created": "Newest model first",
    "created": "Oldest model first",
    "name": "Name, A to Z",
    "-name": "Name, Z to A",
}


def matching_models(
    models: Sequence[Model], *, text: str, task: str | None, domain: str | None, sort: str
) -> list[Model]:
    """Filter and sort models.

    Args:
        models: the whole listing.
        text: part of the name, the id, the description, a label, a tag, the provider, the origin, the type, or the id
            of the user or the owner; the case is ignored.
        task: the task, ``None`` for any.
        domain: the domain, ``None`` for any.
        sort: a key of ``MODEL_SORTS``; models without a time come last.
    """
    needle = text.strip().casefold()

    def contains_text(model: Model) -> bool:
        labels = [text for label in (*model.labels, *model.tags) for text in (label.key, label.value)]
        texts = (
            model.model_name,
            model.model_id,
            model.model_description,
            model.provider,
            model.origin,
            model.model_type,
            model.user_id,
            model.owner_id,
            *labels,
        )
        return any(needle in value.casefold() for value in texts if value)

    matches = [
        model
        for model in models
        if task in (None, model.task) and domain in (None, model.domain) and (not needle or contains_text(model))
    ]
    field = sort.removeprefix("-")
    if field == "name":
        return sorted(matches, key=lambda model: (model.model_name or "").casefold(), reverse=sort.startswith("-"))

    fields = ("gmt_create_time",) if field == "created" else ("gmt_latest_version_modified_time", "gmt_modified_time")

    def latest_change(model: Model) -> tuple[TimeKey, ...]:
        keys = (time_key(getattr(model, name)) for name in fields)
        return tuple(sorted([key for key in keys if key is not None])[-1:])

    return sorted(matches, key=latest_change, reverse=sort.startswith("-"))

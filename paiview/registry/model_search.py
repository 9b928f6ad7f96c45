"""Models filtered and sorted for the list of models."""

import math
from collections.abc import Sequence

from paiview.evaluation.version_order import parse_time
from paiview.pai.objects import Model

MODEL_SORTS = {
    "-modified": "Newest change first",
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
        text: part of the name, the id, the description or a label; the case is ignored.
        task: the task, ``None`` for any.
        domain: the domain, ``None`` for any.
        sort: a key of ``MODEL_SORTS``; models without a time come last.
    """
    needle = text.strip().casefold()

    def contains_text(model: Model) -> bool:
        labels = [text for label in (*model.labels, *model.tags) for text in (label.key, label.value)]
        texts = (model.model_name, model.model_id, model.model_description, *labels)
        return any(needle in value.casefold() for value in texts if value)

    matches = [
        model
        for model in models
        if task in (None, model.task) and domain in (None, model.domain) and (not needle or contains_text(model))
    ]
    field = sort.removeprefix("-")
    if field == "name":
        return sorted(matches, key=lambda model: (model.model_name or "").casefold(), reverse=sort.startswith("-"))

    def latest_change(model: Model) -> float:
        times = (
            [model.gmt_create_time]
            if field == "created"
            else [model.gmt_latest_version_modified_time, model.gmt_modified_time]
        )
        parsed = [time for time in map(parse_time, times) if time is not None]
        return max(time.timestamp() for time in parsed) if parsed else -math.inf

    return sorted(matches, key=latest_change, reverse=sort.startswith("-"))

"""The tables of a listing that are downloaded, the same for CSV, JSON and Parquet.

Both hold what the reader sees and nothing else: the versions passed in, in their order. Frames keep the fields that are
shown and filtered; the documents of a version (Options, ExtraInfo, specs and fields that PAI does not document) are
read here, from the version itself, for only a download needs them.
"""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.queries import VersionIndexes, number_table
from paiview.pai.objects import ModelVersion
from paiview.text import encodable, json_text

DOCUMENT_COLUMNS: Final = {
    "options": "Options",
    "extra_info": "ExtraInfo",
    "training_spec": "TrainingSpec",
    "inference_spec": "InferenceSpec",
    "evaluation_spec": "EvaluationSpec",
    "compression_spec": "CompressionSpec",
    "distillation_spec": "DistillationSpec",
}
"""Column to the API's name of the field. Each cell is the JSON text of the field with secrets masked, or the text
itself where the field holds text, as Options does; NA where the field is absent."""
OTHER_FIELDS: Final = "other_fields"
"""The column with the fields that PAI does not document, as one JSON object; NA without any."""


def version_table(
    frames: Frames, versions: Sequence[ModelVersion], shown: VersionIndexes, pairs: Sequence[Pair]
) -> pd.DataFrame:
    """One row for each version.

    Args:
        frames: both frames of the listing.
        versions: the versions of the listing, in its order.
        shown: rows of ``frames.versions``, in the order of the table.
        pairs: the number columns.

    Returns:
        The columns of ``frames.versions`` without ``listing_index``, then those of ``DOCUMENT_COLUMNS`` and
        ``OTHER_FIELDS``, then a float64 column ``metric@dataset`` for each pair; index 0..n-1.
    """
    rows = frames.versions.iloc[shown]
    raw = [versions[index].raw for index in rows["listing_index"].tolist()]
    others = [versions[index].model_extra for index in rows["listing_index"].tolist()]
    documents = {
        column: pd.array([_document(item, field) for item in raw], dtype="str")
        for column, field in DOCUMENT_COLUMNS.items()
    }
    documents[OTHER_FIELDS] = pd.array([json_text(fields) if fields else None for fields in others], dtype="str")
    parts = [
        rows.drop(columns="listing_index").reset_index(drop=True),
        pd.DataFrame(documents),
        number_table(frames, pairs).iloc[shown].reset_index(drop=True),
    ]
    return pd.concat(parts, axis="columns")


def result_table(
    frames: Frames, shown: VersionIndexes, metrics: Sequence[str] = (), datasets: Sequence[str] = ()
) -> pd.DataFrame:
    """The rows of ``frames.metrics`` of some versions, in the order of ``shown``; without ``version_index``.

    Args:
        frames: both frames of the listing.
        shown: rows of ``frames.versions``, in the order of the table.
        metrics: the metrics whose results it holds; empty for all.
        datasets: the datasets, likewise.
    """
    rows = frames.metrics
    if metrics:
        rows = rows[rows["metric"].isin(list(metrics))]
    if datasets:
        rows = rows[rows["dataset"].isin(list(datasets))]
    index = rows.set_index("version_index", drop=True)
    present = shown[pd.Index(shown).isin(index.index)]
    rows = index.loc[present] if len(present) else index.iloc[:0]
    return rows.reset_index(drop=True)


def _document(raw: Any, field: str) -> str | None:
    """A field of a version as text."""
    value = raw.get(field) if isinstance(raw, dict) else None
    if value is None or isinstance(value, str):
        return value if value is None else encodable(value)
    return json_text(value)

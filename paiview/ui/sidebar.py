"""The controls: workspace and model, the filters PAI applies, and the filters on the frame."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from paiview.evaluation import queries
from paiview.evaluation.frames import Frames
from paiview.evaluation.queries import FIELDS
from paiview.pai.errors import PaiviewError, PermissionDeniedError
from paiview.pai.objects import Model, VersionFilters
from paiview.registry.connection import connect
from paiview.registry.model_search import MODEL_SORTS
from paiview.registry.registry import Registry
from paiview.text import one_line, unique_names
from paiview.ui import messages, url, url_controls

STATUSES = ("Pending", "Approved", "Rejected")
FORMAT_TYPES = (
    "OfflineModel",
    "SavedModel",
    "Keras H5",
    "Frozen Pb",
    "Caffe Prototxt",
    "TorchScript",
    "XGBoost",
    "PMML",
    "AlinkModel",
    "ONNX",
)
FRAMEWORK_TYPES = ("Pytorch", "PyTorch", "XGBoost", "Keras", "Caffe", "Alink", "Xflow", "TensorFlow")
SOURCE_TYPES = ("Custom", "PAIFlow", "TrainingService")
_PAI_FILTERS = (
    "approval_status",
    "version_name",
    "label",
    "framework_type",
    "format_type",
    "source_type",
    "source_id",
    "order",
)
_TABLE_FILTERS = ("created_from", "created_to", "min", "max", "columns")
_OF_ONE_MODEL = ("candidate", "baseline", "baseline_model", "version")
"""Choices that name versions of a model: another model may have a version of that name, and nobody chose that one."""
DEFAULT_FIELDS = ("status", "created", "description")


class Chosen(NamedTuple):
    """The model a page is about, and where it came from."""

    registry: Registry
    model: Model
    model_id: str


class TableFilters(NamedTuple):
    """The filters and choices of the versions table that work on the frame."""

    text: str
    created_from: date | None
    created_to: date | None
    minimum: float | None
    maximum: float | None
    fields: list[str]


def connect_or_end() -> Registry:
    """The registry layer; without one the page ends with the reason."""
    try:
        return connect()
    except PaiviewError as error:
        messages.stop(error)


def workspace(registry: Registry) -> str | None:
    """Choose a workspace. Where workspaces cannot be listed, the setting decides and the control is left out."""
    try:
        found = registry.workspaces().items
    except PermissionDeniedError:
        return registry.workspace_id
    except PaiviewError as error:
        messages.fail(error)
        return registry.workspace_id
    names = {item.workspace_id: item.workspace_name or item.workspace_id for item in found if item.workspace_id}
    if registry.workspace_id and registry.workspace_id not in names:
        names[registry.workspace_id] = registry.workspace_id
    shown = {key: one_line(f"{name} ({key})" if name != key else key, 80) for key, name in names.items()}
    return url_controls.choice(
        "Workspace", shown, key="workspace", default=registry.workspace_id, placeholder="All workspaces"
    )


def choose_model() -> Chosen:
    """Choose workspace and model; the page ends when there is no model to show, or the link asks for an unknown one."""
    registry = connect_or_end()
    unknown: PaiviewError | None = None
    with st.sidebar:
        workspace_id = workspace(registry)
        try:
            with messages.reading("models") as progress:
                models = {
                    item.model_id: item
                    for item in registry.models(workspace_id, progress=progress).items
                    if item.model_id
                }
        except PaiviewError as error:
            messages.stop(error)
        asked = url.asked("model")
        if url.is_of_a_link("model"):
            url.forget(*_OF_ONE_MODEL)
        if asked is not None and asked not in models:
            # Another workspace's, or none at all: it stays the choice, so that what the link says is what is told.
            try:
                models[asked] = registry.model(asked)
            except PaiviewError as error:
                models[asked], unknown = Model(), error
        if not models:
            st.info("There are no models here. Register one in PAI, or choose another workspace.")
            messages.end()
        shown = unique_names({key: one_line(item.model_name or key, 80) for key, item in models.items()})
        first = next(iter(shown))
        model_id = (
            url_controls.choice("Model", shown, key="model", default=first, pinned=True, on_change=_drop_its_versions)
            or first
        )
    if unknown is not None and model_id == asked:
        messages.stop(unknown)
    return Chosen(registry, models[model_id], model_id)


def _drop_its_versions() -> None:
    for key in _OF_ONE_MODEL:
        url.write(key)


def version_filters() -> VersionFilters:
    """Draw the filters that PAI itself applies, when they are opened or in use; each reaches the wire."""
    with st.sidebar:
        place, drawn = _on_demand("Filters in PAI", _PAI_FILTERS)
    if not drawn:
        return VersionFilters(order="ASC")
    with place:
        return VersionFilters(
            approval_status=_one_of("Approval status", STATUSES, "approval_status"),
            version_name=_text("Version name", "version_name", "exact name, such as 0.4.0"),
            label=_text("Label", "label", "text in a label key or value"),
            framework_type=_one_of("Framework", FRAMEWORK_TYPES, "framework_type", open_list=True),
            format_type=_one_of("Format", FORMAT_TYPES, "format_type", open_list=True),
            source_type=_one_of("Source type", SOURCE_TYPES, "source_type", open_list=True),
            source_id=_text("Source id", "source_id", "as PAI stores it"),
            order=_one_of("Order of the listing", ("ASC", "DESC"), "order") or "ASC",
        )


def _on_demand(label: str, keys: Sequence[str]) -> tuple[DeltaGenerator, bool]:
    """A part of the sidebar whose controls are sent when the reader opens it or the link uses one of them.

    Returns:
        Where to draw, and whether to.
    """
    used = any(st.query_params.get(key) for key in keys)
    place = st.expander(label, expanded=used, key=f"part-{keys[0]}", on_change="rerun")
    return place, used or bool(place.open)


def _text(label: str, key: str, placeholder: str) -> str | None:
    return st.text_input(label, key=key, bind="query-params", placeholder=placeholder).strip() or None


def _one_of(label: str, documented: Sequence[str], key: str, *, open_list: bool = False) -> str | None:
    """A filter of one value; an open list takes values the documentation does not name."""
    asked = st.query_params.get(key)
    options = list(documented)
    if open_list and asked and asked not in options:
        options.append(asked)
    if not open_list:
        url_controls.check(key, options.__contains__)
    return st.selectbox(
        label,
        options,
        index=None,
        key=key,
        bind="query-params",
        placeholder="Any",
        accept_new_options=open_list,
    )


def metric_and_dataset(frames: Frames) -> tuple[list[str], list[str]]:
    """Choose metrics and datasets among those with results; none chosen leaves the choice to the page."""
    metrics = several("Metric", list(queries.counts_of(frames, "metric")), "metric", "The most covered")
    datasets = several("Dataset", list(queries.counts_of(frames, "dataset")), "dataset", "All, the most covered first")
    return metrics, datasets


def several(label: str, options: list[str], key: str, placeholder: str) -> list[str]:
    """Choose any number of values; what the link asks for beyond them is named and ignored."""
    shown = url_controls.labels(options, str)
    url_controls.check(key, {*shown.values()}.__contains__)
    before = st.session_state.get(key, [])
    kept = [option for option in before if option in shown]
    if kept != before:
        # Streamlit would drop the others from the control and leave them in the URL.
        st.session_state[key] = kept
    format_func = shown.__getitem__
    return st.multiselect(
        label, options, key=key, bind="query-params", placeholder=placeholder, format_func=format_func
    )


def table_filters(metric: str | None) -> TableFilters:
    """Draw the filters on the frame: text, dates, the range of the first chosen metric, and the fields shown."""
    with st.sidebar:
        text = st.text_input("Search", key="text", bind="query-params", placeholder="name, description, label, uri")
        place, drawn = _on_demand("Dates, range and columns", _TABLE_FILTERS)
    if not drawn:
        return TableFilters(text, None, None, None, None, list(DEFAULT_FIELDS))
    with place:
        for key in ("created_from", "created_to"):
            url_controls.check(key, url_controls.readable(date.fromisoformat))
        for key in ("min", "max"):
            url_controls.check(key, url_controls.readable(float))
        since, until = st.columns(2)
        created_from = since.date_input("Created from", None, key="created_from", bind="query-params")
        created_to = until.date_input("to", None, key="created_to", bind="query-params")
        low, high = st.columns(2)
        named = one_line(metric, 24) if metric else "Metric"
        passing = "A version passes when one of its values is in the range, on any of the datasets chosen, else on any."
        minimum = low.number_input(
            f"{named} from", value=None, key="min", bind="query-params", format="%g", help=passing
        )
        maximum = high.number_input("to", value=None, key="max", bind="query-params", format="%g", help=passing)
        url_controls.check("columns", FIELDS.__contains__)
        fields = st.multiselect(
            "Columns", list(FIELDS), default=list(DEFAULT_FIELDS), key="columns", bind="query-params"
        )
    if created_from and created_to and created_from > created_to:
        messages.warn(
            "The dates are the wrong way round: nothing can be created after the first and before the second."
        )
    if minimum is not None and maximum is not None and minimum > maximum:
        messages.warn("The range is the wrong way round: its lower end is above its upper end.")
    return TableFilters(text, created_from, created_to, minimum, maximum, fields)


def statuses(frames: Frames) -> list[str]:
    """Choose approval statuses; none chosen is all."""
    found = frames.versions["approval_status"].cat.categories.astype(str).tolist()
    options = [*STATUSES, *(status for status in found if status not in STATUSES)]
    return several("Status", options, "status", "Any")


def one_of_these(label: str, values: Sequence[str | None], key: str) -> str | None:
    """Choose one of the values found in the data; none chosen is any."""
    options = sorted({value for value in values if value})
    shown = url_controls.labels(options, str)
    url_controls.check(key, {*shown.values()}.__contains__)
    format_func = shown.__getitem__
    return st.selectbox(
        label, options, index=None, key=key, bind="query-params", placeholder="Any", format_func=format_func
    )


def model_sort() -> str:
    """Choose the order of the models."""
    first = next(iter(MODEL_SORTS))
    return url_controls.choice("Sort", MODEL_SORTS, key="sort", default=first) or first

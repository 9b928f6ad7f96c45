"""The controls of the sidebar: the filters that PAI applies, and those on the frame."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from paiview.evaluation.frames import Frames
from paiview.evaluation.queries import FIELDS
from paiview.pai.objects import Model, VersionFilters
from paiview.registry.model_search import MODEL_SORTS
from paiview.text import escape_markdown, one_line
from paiview.ui import messages, url_controls

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
_PAI_FILTER_KEYS = (
    "approval_status",
    "version_name",
    "label",
    "framework_type",
    "format_type",
    "source_type",
    "source_id",
    "order",
)
MODEL_FILTERS = {"q": "Search", "task": "Task", "domain": "Domain"}
"""The filters on the list of models: parameter to label."""
MAX_OPTIONS = 500
"""The options of one control; more would be sent to the browser in every run of the page."""
_TABLE_FILTER_KEYS = ("created_from", "created_to", "min", "max", "columns")
DEFAULT_FIELDS = ("status", "created", "description")


class TableFilters(NamedTuple):
    """The filters on the frame and the fields shown, of the table of versions."""

    text: str
    created_from: date | None
    created_to: date | None
    minimum: float | None
    maximum: float | None
    fields: list[str]


class ModelFilters(NamedTuple):
    """The filters on the list of models; the fields are named as the parameters of the URL.

    Attributes:
        q: part of the name, the id, the description or a label.
        task, domain: ``None`` for any.
    """

    q: str
    task: str | None
    domain: str | None

    @property
    def active(self) -> dict[str, str]:
        """Parameter to value, of the filters that leave something out."""
        return {key: value for key, value in self._asdict().items() if value and value.strip()}


def choose_version_filters() -> VersionFilters:
    """Choose the filters that PAI applies; they are drawn when the reader opens them or the link uses one."""
    with st.sidebar:
        section, is_drawn = _section("Filters in PAI", _PAI_FILTER_KEYS)
    if not is_drawn:
        return VersionFilters(order="ASC")
    with section:
        return VersionFilters(
            approval_status=_choose_documented("Approval status", STATUSES, "approval_status"),
            version_name=_text("Version name", "version_name", "exact name, such as 0.4.0"),
            label=_text("Label", "label", "text in a label key or value"),
            framework_type=_choose_documented("Framework", FRAMEWORK_TYPES, "framework_type", open_list=True),
            format_type=_choose_documented("Format", FORMAT_TYPES, "format_type", open_list=True),
            source_type=_choose_documented("Source type", SOURCE_TYPES, "source_type", open_list=True),
            source_id=_text("Source id", "source_id", "as PAI stores it"),
            order=_choose_documented("Order of the listing", ("ASC", "DESC"), "order") or "ASC",
        )


def _section(label: str, keys: Sequence[str]) -> tuple[DeltaGenerator, bool]:
    """A section of the sidebar whose controls are drawn when the reader opens it or the link uses one of them.

    Returns:
        The section, and whether its controls are to be drawn.
    """
    is_used = any(st.query_params.get(key) for key in keys)
    section = st.expander(label, expanded=is_used, key=f"part-{keys[0]}", on_change="rerun")
    return section, is_used or bool(section.open)


def _text(label: str, key: str, placeholder: str) -> str | None:
    return st.text_input(label, key=key, bind="query-params", placeholder=placeholder).strip() or None


def _choose_documented(label: str, documented: Sequence[str], key: str, *, open_list: bool = False) -> str | None:
    """Choose the value of a filter of PAI; with ``open_list`` it may be one that the documentation does not name."""
    requested = st.query_params.get(key)
    options = list(documented)
    if open_list and requested and requested not in options:
        options.append(requested)
    if not open_list:
        url_controls.warn_of_invalid_values(key, options.__contains__)
    return st.selectbox(
        label,
        options,
        index=None,
        key=key,
        bind="query-params",
        placeholder="Any",
        accept_new_options=open_list,
    )


def choose_metrics_and_datasets(frames: Frames) -> tuple[list[str], list[str]]:
    """Choose metrics and datasets among those with results; an empty list leaves the choice to the page."""
    metrics = choose_any("Metric", list(frames.metric_counts), "metric", "The most covered")
    datasets = choose_any("Dataset", list(frames.dataset_counts), "dataset", "All, the most covered first")
    return metrics, datasets


def choose_any(label: str, options: list[str], key: str, placeholder: str) -> list[str]:
    """Choose any number of the options; the page names other values of the link and ignores them."""
    previous = st.session_state.get(key, [])
    is_long = len(options) > MAX_OPTIONS
    if is_long:
        named = {*previous, *st.query_params.get_all(key)}
        options = [*options[:MAX_OPTIONS], *(option for option in options[MAX_OPTIONS:] if option in named)]
    labels = url_controls.labels(options, str)
    url_controls.warn_of_invalid_values(key, {*labels.values()}.__contains__)
    valid = [option for option in previous if option in labels]
    if valid != previous:
        # Streamlit would drop the others from the control and leave them in the URL.
        st.session_state[key] = valid
        if is_long:
            url_controls.warn_of_unknown(label, [option for option in previous if option not in labels])
    chosen = st.multiselect(
        label,
        options,
        key=key,
        bind="query-params",
        placeholder=placeholder,
        format_func=lambda option: labels.get(option, option),
        accept_new_options=is_long,
        help=f"The first {MAX_OPTIONS} are listed; type the whole name of another." if is_long else None,
    )
    return [option for option in chosen if option in labels]


def choose_table_filters(metric: str | None) -> TableFilters:
    """Choose the filters on the frame: text, dates, the range of ``metric``, and the fields shown."""
    with st.sidebar:
        text = st.text_input("Search", key="text", bind="query-params", placeholder="name, description, label, uri")
        section, is_drawn = _section("Dates, range and columns", _TABLE_FILTER_KEYS)
    if not is_drawn:
        return TableFilters(text, None, None, None, None, list(DEFAULT_FIELDS))
    with section:
        created_from, created_to = _choose_dates()
        minimum, maximum = _choose_range(metric)
        url_controls.warn_of_invalid_values("columns", FIELDS.__contains__)
        fields = st.multiselect(
            "Columns", list(FIELDS), default=list(DEFAULT_FIELDS), key="columns", bind="query-params"
        )
    return TableFilters(text, created_from, created_to, minimum, maximum, fields)


def _choose_dates() -> tuple[date | None, date | None]:
    """Choose the first and the last day of creation, UTC."""
    for key in ("created_from", "created_to"):
        url_controls.warn_of_invalid_values(key, url_controls.is_parsed_by(date.fromisoformat))
    since, until = st.columns(2)
    created_from = since.date_input("Created from", None, key="created_from", bind="query-params")
    created_to = until.date_input("to", None, key="created_to", bind="query-params")
    if created_from and created_to and created_from > created_to:
        messages.warn("The dates are the wrong way round: no version is created after the first and before the second.")
    return created_from, created_to


def _choose_range(metric: str | None) -> tuple[float | None, float | None]:
    """Choose the least and the largest value of ``metric``."""
    for key in ("min", "max"):
        url_controls.warn_of_invalid_values(key, url_controls.is_parsed_by(float))
    low, high = st.columns(2)
    name = one_line(metric, 24) if metric else "Metric"
    hint = "A version passes when one of its values is in the range, on a chosen dataset or, without one, on any."
    minimum = low.number_input(f"{name} from", value=None, key="min", bind="query-params", format="%g", help=hint)
    maximum = high.number_input("to", value=None, key="max", bind="query-params", format="%g", help=hint)
    if minimum is not None and maximum is not None and minimum > maximum:
        messages.warn("The range is the wrong way round: its lower end is above its upper end.")
    return minimum, maximum


def choose_statuses(frames: Frames) -> list[str]:
    """Choose approval statuses; an empty list is all."""
    present = frames.versions["approval_status"].cat.categories.astype(str).tolist()
    options = [*STATUSES, *(status for status in present if status not in STATUSES)]
    return choose_any("Status", options, "status", "Any")


def choose_one(label: str, values: Sequence[str | None], key: str) -> str | None:
    """Choose one of the values present in the data; ``None`` is any."""
    options = sorted({value for value in values if value})
    labels = url_controls.labels(options, str)
    url_controls.warn_of_invalid_values(key, {*labels.values()}.__contains__)
    format_func = labels.__getitem__
    return st.selectbox(
        label, options, index=None, key=key, bind="query-params", placeholder="Any", format_func=format_func
    )


def choose_models(models: Sequence[Model]) -> ModelFilters:
    """Choose which models to show."""
    with st.sidebar:
        head = st.container(key="filters-head", horizontal=True, vertical_alignment="center")
        filters = ModelFilters(
            st.text_input("Search", key="q", bind="query-params", placeholder="name, id, description, label"),
            choose_one("Task", [model.task for model in models], "task"),
            choose_one("Domain", [model.domain for model in models], "domain"),
        )
        count = len(filters.active)
        head.markdown(f"**Filters**{f' · {count}' if count else ''}", width="stretch")
        if count:
            head.button(
                "Clear all", key="clear-filters", type="tertiary", on_click=_clear, args=(*ModelFilters._fields,)
            )
    return filters


def draw_active(filters: ModelFilters) -> None:
    """Draw each active filter as a button that removes it."""
    for key, value in filters.active.items():
        label = f"{MODEL_FILTERS[key]}: {escape_markdown(value, 40)}"
        st.button(
            label, key=f"clear-{key}", icon=":material/close:", icon_position="right", on_click=_clear, args=(key,)
        )


def _clear(*keys: str) -> None:
    for key in keys:
        st.session_state[key] = "" if key == "q" else None


def choose_model_sort() -> str:
    """Choose the order of the models."""
    first = next(iter(MODEL_SORTS))
    return url_controls.choice("Sort", MODEL_SORTS, key="sort", default=first, is_label_shown=False, width=190) or first

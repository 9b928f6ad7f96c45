"""The filters of the sidebar: those that PAI applies and those on the frame, and a chip for each that is active."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from paiview.evaluation.frames import Frames
from paiview.evaluation.queries import FIELDS
from paiview.pai.objects import Model, VersionFilters
from paiview.pai.vocabulary import (
    APPROVAL_STATUSES,
    FORMAT_TYPES,
    FRAMEWORK_TYPES,
    OTHER_FORMAT_TYPES,
    OTHER_FRAMEWORK_TYPES,
    SOURCE_TYPES,
)
from paiview.registry.model_search import MODEL_SORTS
from paiview.text import escape_markdown, one_line
from paiview.ui import messages, url, url_controls

_FORMATS = (*FORMAT_TYPES, *OTHER_FORMAT_TYPES)
_FRAMEWORKS = (*FRAMEWORK_TYPES, *OTHER_FRAMEWORK_TYPES)
MODEL_FILTERS = {"q": "Search", "task": "Task", "domain": "Domain"}
"""The filters on the list of models: parameter to label."""
_PAI_FILTERS = {
    "approval_status": "ApprovalStatus",
    "version_name": "VersionName",
    "label": "Label",
    "framework_type": "FrameworkType",
    "format_type": "FormatType",
    "source_type": "SourceType",
    "source_id": "SourceId",
}
"""The filters that PAI applies: the parameter of the link, to that of ListModelVersions."""
MAX_OPTIONS = 500
"""The options of one control; more would be sent to the browser in every run of the page."""
_TABLE_FILTERS = {"created_from": "Created from", "created_to": "Created to", "min": "from", "max": "to"}
_LISTS = ("metric", "dataset")
_TEXTS = ("text", "version_name", "label", "source_id")
_IN_THE_BAR = ("text", "status")
"""Filters above the table, which have no chip: what is chosen there is in sight."""
DEFAULT_FIELDS = ("status", "created", "description")


class Sections(NamedTuple):
    """The parts of the sidebar, in their order; a page fills them in any order."""

    head: DeltaGenerator
    what: DeltaGenerator
    versions: DeltaGenerator
    in_pai: DeltaGenerator


class TableFilters(NamedTuple):
    """The filters on the frame that stand in the sidebar."""

    created_from: date | None
    created_to: date | None
    minimum: float | None
    maximum: float | None


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


def draw_sections() -> Sections:
    """Draw the empty parts of the sidebar of filters."""
    with st.sidebar:
        head = st.container(key="filters-head", horizontal=True, vertical_alignment="center")
        what = st.expander("What", expanded=True, key="part-what")
        return Sections(head, what, st.container(), st.container())


def draw_head(sections: Sections) -> None:
    """Draw the heading with the count of active filters; called once every filter is drawn."""
    count = len(_active())
    with sections.head:
        st.markdown(f"**Filters** &nbsp;:blue-badge[{count}]" if count else "**Filters**", width="stretch")
        st.button("Clear all", key="clear-filters", type="tertiary", on_click=clear_all, disabled=not count)


def draw_chips(metric: str | None = None) -> None:
    """Draw a chip for each active filter of the sidebar, which removes it.

    Args:
        metric: what the range applies to.
    """
    for number, (key, value) in enumerate(_active()):
        st.button(
            escape_markdown(_chip_text(key, value, metric), 60),
            icon=":material/close:",
            icon_position="right",
            key=f"chip-{number}",
            help="Remove this filter",
            on_click=_remove,
            args=(key, value),
        )


def clear_all() -> None:
    """Clear every filter, those of the bar too; the columns stay."""
    for key in (*_LISTS, *_IN_THE_BAR, *_TABLE_FILTERS, *_PAI_FILTERS):
        _clear(key)


def is_any_active() -> bool:
    """Whether a filter is active, in the sidebar or the bar."""
    return bool(_active() or any(st.session_state.get(key) for key in _IN_THE_BAR))


def _active() -> list[tuple[str, Any]]:
    """The active filters of the sidebar: key and value, once a value of those that hold several."""
    chosen = [(key, value) for key in _LISTS for value in st.session_state.get(key) or ()]
    values = {key: st.session_state.get(key) for key in (*_TABLE_FILTERS, *_PAI_FILTERS)}
    return chosen + [(key, value) for key, value in values.items() if value not in (None, "")]


def _chip_text(key: str, value: Any, metric: str | None) -> str:
    if key in _LISTS:
        return str(value)
    if key in ("min", "max"):
        return f"{one_line(metric, 24) if metric else 'Metric'} {_TABLE_FILTERS[key]} {value:g}"
    return f"{_TABLE_FILTERS.get(key) or _PAI_FILTERS[key]} {value}"


def _remove(key: str, value: Any) -> None:
    if key in _LISTS:
        st.session_state[key] = [chosen for chosen in st.session_state.get(key) or () if chosen != value]
    else:
        _clear(key)


def _clear(key: str) -> None:
    if key == "status":
        # Pills keep their values in the link themselves.
        url.write(key)
    if key in st.session_state:
        current = st.session_state[key]
        st.session_state[key] = [] if isinstance(current, list) else "" if key in _TEXTS else None


def choose_version_filters(region: DeltaGenerator | None = None) -> VersionFilters:
    """Choose the filters that PAI applies; they are drawn when the reader opens them or the link uses one.

    The order of the listing is no choice: a page sorts what it shows, and a link that names one is read all the same.
    """
    with region or st.sidebar:
        section, is_drawn = _section("In PAI", tuple(_PAI_FILTERS))
    if not is_drawn:
        return VersionFilters()
    with section:
        return VersionFilters(
            approval_status=_choose_documented("Approval status", APPROVAL_STATUSES, "approval_status"),
            version_name=_text("Version name", "version_name", "exact name, such as 0.4.0"),
            label=_text("Label", "label", "text in a label key or value"),
            framework_type=_choose_documented("Framework", _FRAMEWORKS, "framework_type", open_list=True),
            format_type=_choose_documented("Format", _FORMATS, "format_type", open_list=True),
            source_type=_choose_documented("Source type", SOURCE_TYPES, "source_type", open_list=True),
            source_id=_text("Source id", "source_id", "as PAI stores it"),
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


def choose_search() -> str:
    """Choose a text to search versions for; its place is the bar."""
    return st.text_input(
        "Search",
        key="text",
        bind="query-params",
        placeholder="Search versions",
        label_visibility="collapsed",
        icon=":material/search:",
        help="Contained in the name, description, labels, source or Uri",
    )


def choose_columns() -> list[str]:
    """Choose the fields that the table shows beside the numbers."""
    url_controls.warn_of_invalid_values("columns", FIELDS.__contains__)
    return st.multiselect("Columns", list(FIELDS), default=list(DEFAULT_FIELDS), key="columns", bind="query-params")


def choose_table_filters(metric: str | None, region: DeltaGenerator | None = None) -> TableFilters:
    """Choose the dates of creation and the range of ``metric``; drawn when opened or when the link uses one."""
    with region or st.sidebar:
        section, is_drawn = _section("Versions", tuple(_TABLE_FILTERS))
    if not is_drawn:
        return TableFilters(None, None, None, None)
    with section:
        return TableFilters(*_choose_dates(), *_choose_range(metric))


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
    options = [*APPROVAL_STATUSES, *(status for status in present if status not in APPROVAL_STATUSES)]
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
                "Clear all", key="clear-filters", type="tertiary", on_click=_clear_models, args=(*ModelFilters._fields,)
            )
    return filters


def draw_active(filters: ModelFilters) -> None:
    """Draw each active filter as a button that removes it."""
    for key, value in filters.active.items():
        label = f"{MODEL_FILTERS[key]}: {escape_markdown(value, 40)}"
        st.button(
            label,
            key=f"clear-{key}",
            icon=":material/close:",
            icon_position="right",
            on_click=_clear_models,
            args=(key,),
        )


def _clear_models(*keys: str) -> None:
    for key in keys:
        st.session_state[key] = "" if key == "q" else None


def choose_model_sort() -> str:
    """Choose the order of the models."""
    first = next(iter(MODEL_SORTS))
    return url_controls.choice("Sort", MODEL_SORTS, key="sort", default=first, is_label_shown=False, width=190) or first

"""The filters of the sidebar: those that PAI applies and those on the frame, and a chip for each that is active."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from paiview.evaluation import queries
from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.queries import FIELDS
from paiview.pai.objects import Model, ModelFilters, ModelVersion, PaiObject, VersionFilters
from paiview.pai.vocabulary import (
    APPROVAL_STATUSES,
    FORMAT_TYPES,
    FRAMEWORK_TYPES,
    MODEL_TYPES,
    ORIGINS,
    OTHER_FORMAT_TYPES,
    OTHER_FRAMEWORK_TYPES,
    OTHER_MODEL_TYPES,
    OTHER_ORIGINS,
    PROVIDERS,
    SOURCE_TYPES,
    spellings_of,
)
from paiview.registry.model_search import MODEL_SORTS
from paiview.text import escape_markdown, one_line
from paiview.ui import messages, url, url_controls

MAX_OPTIONS = 500
"""The options of one control; more would be sent to the browser in every run of the page."""
_MOST_SELECTED_AT_ONCE: Final = 50
"""The options that one click may select: each is a part of the address, which a server takes only so long."""
DEFAULT_FIELDS = ("status", "created", "description")
_DATES = ("created_from", "created_to")
_RANGE = ("min", "max")


class Sections(NamedTuple):
    """The parts of the sidebar, in their order; a page fills them in any order, and those it leaves empty are unseen.

    Attributes:
        head: the heading, with the count of active filters.
        what: what is shown.
        versions: filters on the frame of versions.
        in_pai: filters that PAI applies.
    """

    head: DeltaGenerator
    what: DeltaGenerator
    versions: DeltaGenerator
    in_pai: DeltaGenerator


@dataclass(frozen=True, slots=True)
class FilterSet:
    """The filters of a page. The parameter of a link is also the key of its control.

    Attributes:
        chips: the filters that have a chip: the parameter, to its name there. A chip of an empty name shows the value
            alone.
        in_pai: those of them that PAI applies.
        in_the_bar: the filters in sight above what they filter, which need no chip.
    """

    chips: Mapping[str, str]
    in_pai: tuple[str, ...]
    in_the_bar: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The parameters of all filters."""
        return (*self.chips, *self.in_the_bar)

    def active(self) -> list[tuple[str, Any]]:
        """The filters with a chip that are set: parameter and value, once for each value of those with several."""
        values = [(key, st.session_state.get(key)) for key in self.chips]
        return [
            (key, value)
            for key, chosen in values
            for value in (chosen if isinstance(chosen, list) else [chosen])
            if value is not None and str(value).strip()
        ]

    def is_any_active(self) -> bool:
        """Whether any filter is set, in the sidebar or the bar."""
        return bool(self.active() or any(st.session_state.get(key) for key in self.in_the_bar))

    def parameters(self) -> dict[str, list[str]]:
        """The filters that are set, as parameters of a link to another page that has them."""
        picked = {key: url.requested_values(key) for key in _PICKED if key in self.keys}
        return self.bound_parameters() | {key: values for key, values in picked.items() if values}

    def bound_parameters(self) -> dict[str, list[str]]:
        """Those of the controls that Streamlit binds to the URL."""
        chosen = {key: _bound_values(key) for key in self.keys if key not in _PICKED}
        return {key: values for key, values in chosen.items() if values}

    def clear(self) -> None:
        """Clear every filter, those of the bar too."""
        for key in self.keys:
            _clear(key)


def _bound_values(key: str) -> list[str]:
    """The values of a bound control as its link holds them; those of the link before the control is drawn first."""
    if key not in st.session_state:
        return [value for value in st.query_params.get_all(key) if value]
    chosen = st.session_state[key]
    values = chosen if isinstance(chosen, list) else [chosen]
    return [str(value) for value in values if value is not None and str(value).strip()]


OF_VERSIONS: Final = FilterSet(
    chips={
        "metric": "",
        "dataset": "",
        "created_from": "Created from",
        "created_to": "Created to",
        "min": "from",
        "max": "to",
        "approval_status": "ApprovalStatus",
        "version_name": "VersionName",
        "label": "Label",
        "framework_type": "FrameworkType",
        "format_type": "FormatType",
        "source_type": "SourceType",
        "source_id": "SourceId",
    },
    in_pai=(
        "approval_status",
        "version_name",
        "label",
        "framework_type",
        "format_type",
        "source_type",
        "source_id",
    ),
    in_the_bar=("text", "status"),
)
"""The filters of the pages that draw versions."""
OF_MODELS: Final = FilterSet(
    chips={
        "q": "Search",
        "task": "Task",
        "domain": "Domain",
        "provider": "Provider",
        "model_name": "ModelName",
        "model_type": "ModelType",
        "origin": "Origin",
        "model_label": "Label",
        "tag": "Tag",
        "collections": "Collections",
        "query": "Query",
        "conditions": "Conditions",
    },
    in_pai=(
        "provider",
        "model_name",
        "model_type",
        "origin",
        "model_label",
        "tag",
        "collections",
        "query",
        "conditions",
    ),
)
"""The filters of the page of models. Their search stands below the queue, which it filters too, and so has a chip."""


class TableFilters(NamedTuple):
    """The filters on the frame that the sidebar holds.

    Attributes:
        metric: what the range applies to.
        created_from, created_to: the first and the last day of creation, UTC.
        minimum, maximum: the range.
    """

    metric: str | None
    created_from: date | None = None
    created_to: date | None = None
    minimum: float | None = None
    maximum: float | None = None

    def matching(
        self, frames: Frames, *, text: str, statuses: Sequence[str], datasets: Sequence[str]
    ) -> queries.VersionIndexes:
        """The versions that pass these filters and those of the bar; arguments as for ``queries.matching``."""
        return queries.matching(frames, text=text, statuses=statuses, datasets=datasets, **self._asdict())


def draw_sections() -> Sections:
    """Draw the empty parts of the sidebar of filters."""
    with st.sidebar:
        head = st.container(key="filters-head", horizontal=True, vertical_alignment="center")
        what = st.expander("What", expanded=True, key="part-what")
        return Sections(head, what, st.container(), st.container())


def draw_head(sections: Sections, filters: FilterSet) -> None:
    """Draw the heading with the count of active filters; called once every filter is drawn."""
    count = len(filters.active())
    with sections.head:
        st.markdown(f"**Filters** &nbsp;:blue-badge[{count}]" if count else "**Filters**", width="stretch")
        st.button("Clear all", key="clear-filters", type="tertiary", on_click=filters.clear, disabled=not count)


def draw_chips(filters: FilterSet, sentence: str, metric: str | None = None) -> None:
    """Draw what the filters leave, and a chip for each active filter, which removes it.

    Args:
        filters: the filters of the page.
        sentence: what they leave, as Markdown.
        metric: what the range applies to.
    """
    with st.container(key="chips", horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(sentence, width="content")
        for number, (key, value) in enumerate(filters.active()):
            st.button(
                escape_markdown(_chip_text(filters.chips[key], key, value, metric), 60),
                icon=":material/close:",
                icon_position="right",
                key=f"chip-{number}",
                help="Remove this filter",
                on_click=_remove,
                args=(key, value),
            )


def draw_empty(filters: FilterSet, sentence: str) -> None:
    """Say that the filters leave nothing, with a button that clears them where one is set."""
    with st.container(key="empty", border=True):
        st.markdown(f"**{sentence}**")
        if filters.is_any_active():
            st.button("Clear filters", key="clear-filters-here", on_click=filters.clear)


def _chip_text(name: str, key: str, value: Any, metric: str | None) -> str:
    if key in _RANGE:
        return f"{one_line(metric, 24) if metric else 'Metric'} {name} {value:g}"
    return f"{name} {value}".strip()


def _remove(key: str, value: Any) -> None:
    chosen = st.session_state.get(key)
    if isinstance(chosen, list):
        st.session_state[key] = [other for other in chosen if other != value]
    else:
        _clear(key)


def _clear(key: str) -> None:
    if key in _PICKED:
        url.write(key)
    current = st.session_state.get(key)
    if current:
        st.session_state[key] = [] if isinstance(current, list) else "" if key in _TYPED else None


_PICKED: Final = ("status",)
"""Filters that are pills, which keep their values in the link themselves."""
_TYPED: Final = ("text", "q", "model_name", "tag", "collections", "query", "conditions")
"""Filters that are typed, whose empty value is the empty text."""


def choose_version_filters(region: DeltaGenerator, offered: Callable[[], Sequence[ModelVersion]]) -> VersionFilters:
    """Choose the filters that PAI applies; they are drawn when the reader opens them or one is in use.

    The order of the listing is no choice: a page sorts what it shows, and a link that names one is read all the same.

    Args:
        region: where they are drawn.
        offered: gives the whole listing, whose values are offered beside the documented ones; called only where the
            controls are drawn.
    """
    with region:
        section, is_drawn = _section("In PAI", OF_VERSIONS.in_pai)
    if not is_drawn:
        return VersionFilters()
    versions = offered()
    with section:
        return VersionFilters(
            approval_status=_choose_documented("Approval status", APPROVAL_STATUSES, "approval_status"),
            version_name=_choose_open(
                "Version name", _present(versions, "version_name"), "version_name", "exact, such as 0.4.0"
            ),
            label=_choose_open("Label", _present_labels(versions), "label", "key=value, or a part of either"),
            framework_type=_choose_open(
                "Framework",
                [*FRAMEWORK_TYPES, *OTHER_FRAMEWORK_TYPES, *_present(versions, "framework_type")],
                "framework_type",
            ),
            format_type=_choose_open(
                "Format", [*FORMAT_TYPES, *OTHER_FORMAT_TYPES, *_present(versions, "format_type")], "format_type"
            ),
            source_type=_choose_open("Source type", [*SOURCE_TYPES, *_present(versions, "source_type")], "source_type"),
            source_id=_choose_open("Source id", _present(versions, "source_id"), "source_id", "as PAI stores it"),
        )


def _present(items: Sequence[PaiObject], name: str) -> list[str]:
    """The values of a field, each once, those of the last items first."""
    return [*dict.fromkeys(value for item in reversed(items) if (value := getattr(item, name)))]


def _present_labels(items: Iterable[Model | ModelVersion]) -> list[str]:
    """The labels as ``key=value``, each once, those of the last items first."""
    return [*dict.fromkeys(f"{label.key}={label.value}" for item in reversed([*items]) for label in item.labels)]


def choose_model_filters(region: DeltaGenerator, offered: Callable[[], Sequence[Model]]) -> ModelFilters:
    """Choose the filters of models that PAI applies; they are drawn when the reader opens them or one is in use.

    Args:
        region: where they are drawn.
        offered: gives the models whose values are offered beside the documented ones; called only where the controls
            are drawn.
    """
    with region:
        section, is_drawn = _section("In PAI", OF_MODELS.in_pai)
    if not is_drawn:
        return ModelFilters()
    models = offered()
    with section:
        return ModelFilters(
            provider=_choose_open("Provider", PROVIDERS, "provider", "None: your own models"),
            model_name=_text("Model name", "model_name", 'a part; whole in quotes: "asr"'),
            model_type=_choose_open(
                "Model type", [*MODEL_TYPES, *OTHER_MODEL_TYPES, *_present(models, "model_type")], "model_type"
            ),
            origin=_choose_open("Origin", [*ORIGINS, *OTHER_ORIGINS, *_present(models, "origin")], "origin"),
            label=_choose_open("Label", _present_labels(models), "model_label", "key=value, or a part of either"),
            tag=_text("Tag", "tag", "key=value"),
            collections=_text("Collections", "collections", "names, separated by commas"),
            query_text=_text("Query", "query", "words in name or description"),
            conditions=_text("Conditions", "conditions", "ParameterSize<3000"),
        )


def _section(label: str, keys: Sequence[str]) -> tuple[DeltaGenerator, bool]:
    """A section of the sidebar whose controls are drawn when the reader opens it or one of them is in use.

    Returns:
        The section, and whether its controls are to be drawn.
    """
    is_used = any(st.query_params.get(key) or st.session_state.get(key) not in (None, "") for key in keys)
    section = st.expander(label, expanded=is_used, key=f"part-{keys[0]}", on_change="rerun")
    return section, is_used or bool(section.open)


def _text(label: str, key: str, placeholder: str) -> str | None:
    return st.text_input(label, key=key, bind="query-params", placeholder=placeholder).strip() or None


def _choose_documented(label: str, documented: Sequence[str], key: str) -> str | None:
    """Choose the value of a filter of PAI that has no others than the documented ones, in any spelling."""
    _forgive_spelling(key, documented)
    url_controls.warn_of_invalid_values(key, lambda value: spellings_of(value, documented)[0] in documented)
    return st.selectbox(label, [*documented], index=None, key=key, bind="query-params", placeholder="Any")


def _choose_open(label: str, offered: Iterable[str], key: str, placeholder: str = "Any") -> str | None:
    """Choose the value of a filter of PAI, one of those offered or any that is typed."""
    # Streamlit compares the text of a link with that of the options.
    options = [value for value in dict.fromkeys(offered) if value and value == one_line(value)]
    _forgive_spelling(key, options)
    named = (st.session_state.get(key), st.query_params.get(key))
    options = [*dict.fromkeys([*options[:MAX_OPTIONS], *(value for value in named if value)])]
    chosen = st.selectbox(
        label,
        options,
        index=None,
        key=key,
        bind="query-params",
        placeholder=placeholder,
        accept_new_options=True,
    )
    return (chosen or "").strip() or None


def _forgive_spelling(key: str, options: Sequence[str]) -> None:
    """Choose the one option that a link spells in another way."""
    requested = st.query_params.get(key)
    if key in st.session_state or not requested:
        return
    spellings = spellings_of(requested, options)
    if len(spellings) == 1 and spellings[0] != requested:
        st.session_state[key] = spellings[0]


def choose_metrics_and_datasets(frames: Frames) -> tuple[list[str], list[str]]:
    """Choose metrics and datasets among those with results; an empty list leaves the choice to the page."""
    metrics = choose_any("Metric", list(frames.metric_counts), "metric", "The most covered")
    datasets = choose_any("Dataset", list(frames.dataset_counts), "dataset", "All, the most covered first")
    return metrics, datasets


def find_columns(pairs: Sequence[Pair], names: Mapping[str, str], most: int) -> list[Pair]:
    """Choose a text to search number columns for where there are more than ``most``.

    Args:
        pairs: the columns.
        names: dataset to the name it has on the page.
        most: the columns that a page shows.

    Returns:
        The columns whose metric, dataset or dataset's name contains the text, ignoring case; all without a text.
    """
    if len(pairs) <= most and not _bound_values("find"):
        return [*pairs]
    needle = st.text_input(
        "Find columns", key="find", bind="query-params", placeholder="metric or dataset", help="Leaves the others out"
    )
    needle = needle.strip().casefold()
    return [
        pair
        for pair in pairs
        if any(needle in text.casefold() for text in (*pair, names.get(pair.dataset, pair.dataset)))
    ]


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
        select_all=len(options) <= _MOST_SELECTED_AT_ONCE,
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


def column_parameters() -> dict[str, list[str]]:
    """The chosen columns as parameters of a link; none for the usual ones."""
    columns = _bound_values("columns")
    return {"columns": columns} if columns and columns != [*DEFAULT_FIELDS] else {}


def choose_table_filters(metric: str | None, region: DeltaGenerator) -> TableFilters:
    """Choose the dates of creation and the range of ``metric``; drawn when opened or when the link uses one."""
    with region:
        section, is_drawn = _section("Versions", (*_DATES, *_RANGE))
    if not is_drawn:
        return TableFilters(metric)
    with section:
        return TableFilters(metric, *_choose_dates(), *_choose_range(metric))


def _choose_dates() -> tuple[date | None, date | None]:
    """Choose the first and the last day of creation, UTC."""
    for key in _DATES:
        url_controls.warn_of_invalid_values(key, url_controls.is_parsed_by(date.fromisoformat))
    created_from = st.date_input("Created from", None, key="created_from", bind="query-params")
    created_to = st.date_input("Created to", None, key="created_to", bind="query-params")
    if created_from and created_to and created_from > created_to:
        messages.warn("The dates are the wrong way round: no version is created after the first and before the second.")
    return created_from, created_to


def _choose_range(metric: str | None) -> tuple[float | None, float | None]:
    """Choose the least and the largest value of ``metric``."""
    for key in _RANGE:
        url_controls.warn_of_invalid_values(key, url_controls.is_parsed_by(float))
    low, high = st.columns(2)
    name = one_line(metric, 24) if metric else "Metric"
    hint = "A version passes when one of its values is in the range, on a chosen dataset or, without one, on any."
    minimum = low.number_input(f"{name} from", value=None, key="min", bind="query-params", format="%g", help=hint)
    maximum = high.number_input("to", value=None, key="max", bind="query-params", format="%g", help=hint)
    if minimum is not None and maximum is not None and minimum > maximum:
        messages.warn("The range is the wrong way round: its lower end is above its upper end.")
    return minimum, maximum


def choose_one(label: str, values: Sequence[str | None], key: str) -> str | None:
    """Choose one of the values present in the data; ``None`` is any."""
    options = sorted({value for value in values if value})
    labels = url_controls.labels(options, str)
    url_controls.warn_of_invalid_values(key, {*labels.values()}.__contains__)
    format_func = labels.__getitem__
    return st.selectbox(
        label, options, index=None, key=key, bind="query-params", placeholder="Any", format_func=format_func
    )


def choose_model_search() -> str:
    """Choose a text to search models for; its place is the bar."""
    return st.text_input(
        "Search",
        key="q",
        bind="query-params",
        placeholder="Search models",
        label_visibility="collapsed",
        icon=":material/search:",
        width=250,
        help="Contained in the name, id, description, labels, tags, provider, origin, type, user or owner",
    )


def choose_task_and_domain(region: DeltaGenerator, models: Sequence[Model]) -> tuple[str | None, str | None]:
    """Choose task and domain among those of the models; ``None`` is any."""
    with region:
        task = choose_one("Task", [model.task for model in models], "task")
        return task, choose_one("Domain", [model.domain for model in models], "domain")


def choose_model_sort() -> str:
    """Choose the order of the models."""
    first = next(iter(MODEL_SORTS))
    return url_controls.choice("Sort", MODEL_SORTS, key="sort", default=first, is_label_shown=False, width=190) or first

"""Controls whose choices are kept in the URL: a pasted link restores the view.

Most controls bind themselves (``bind="query-params"``), and their parameter holds the label shown. Where the link must
hold something else (the id of a model rather than its name, ``-created`` rather than "newest first"), use ``choice``,
or ``picks`` for several values. The page names invalid values of both kinds and ignores them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

import streamlit as st

from paiview.text import escape_markdown, one_line, unique_labels
from paiview.ui import messages, url

_MAX_LABEL_CHARACTERS: Final = 1000


def choice(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    default: str | None = None,
    pinned: bool = False,
    placeholder: str | None = None,
    help: str | None = None,  # noqa: A002 - Streamlit's own word
    allowed: Callable[[str], bool] | None = None,
    on_change: Callable[[], None] | None = None,
    width: int | Literal["stretch"] = "stretch",
    is_label_shown: bool = True,
) -> str | None:
    """Draw a select box whose URL parameter holds the value, not the text shown.

    Args:
        label: the control's label.
        options: value to the text shown.
        key: the query parameter and the control's key.
        default: the value when the URL requests none.
        pinned: whether the value stays in the URL even when it is the default.
        placeholder: the text shown when nothing is chosen (only without a default).
        help: the tooltip.
        allowed: which values may be typed in addition to the options, where there are too many to list.
        on_change: called when the reader changes the choice, before the page runs again.
        width: pixels.
        is_label_shown: whether the label is in sight; a screen reader has it always.

    Returns:
        The chosen value; ``None`` when nothing is chosen.
    """
    _warn_of_rejected(label, key)
    value = url.requested(key)
    if value is not None and value not in options and allowed is not None and allowed(value):
        options = {**options, value: one_line(value, 80)}
    if value is not None and value not in options:
        if url.is_from_link(key):
            messages.warn_of_invalid_value(key, value)
        value = None
    if value is None:
        value = default
    st.session_state[key] = value
    shown = labels(options, options.__getitem__)
    st.selectbox(
        label,
        list(options),
        # With an index, neither Escape nor a cross empties what cannot be empty.
        index=None if default is None else 0,
        format_func=lambda option: shown.get(option, one_line(option)),
        key=key,
        on_change=_write_choice,
        args=(key, allowed, on_change),
        placeholder=placeholder,
        help=help,
        accept_new_options=allowed is not None,
        width=width,
        label_visibility="visible" if is_label_shown else "collapsed",
    )
    url.write(key, value if pinned or value != default else None)
    return value


def labels(options: Iterable[str], format_func: Callable[[str], str]) -> dict[str, str]:
    """The label of each option, no two alike: Streamlit identifies an option by its label."""
    values = [*options]
    texts = [one_line(format_func(value), _MAX_LABEL_CHARACTERS) for value in values]
    return dict(zip(values, unique_labels(texts), strict=True))


def choices(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    chosen: Sequence[str],
    most: int,
    format_func: Callable[[str], str],
    allowed: Callable[[str], bool],
    on_change: Callable[[], None] | None = None,
    help: str | None = None,  # noqa: A002 - Streamlit's own word
    width: int | Literal["stretch"] = "stretch",
    is_label_shown: bool = True,
    placeholder: str | None = None,
) -> list[str]:
    """Draw a multiselect whose URL parameter is repeated, once a value, even for the default.

    Args:
        label: the control's label.
        options: the values.
        key: the query parameter and the control's key.
        chosen: the values chosen now; the caller reads ``url.requested_values`` and knows the default.
        most: the largest number of values that may be chosen.
        format_func: value to the text shown.
        allowed: which values may be typed; the options are among them.
        on_change: called when the reader changes the choice, before the page runs again.
        help: the tooltip.
        width: pixels.
        is_label_shown: whether the label is in sight; a screen reader has it always.
        placeholder: the text shown when nothing is chosen.
    """
    _warn_of_rejected(label, key)
    st.session_state[key] = [*chosen]
    shown = labels(dict.fromkeys([*options, *chosen]), format_func)

    def write_choices() -> None:
        _keep_rejected(key, [value for value in st.session_state[key] if not allowed(value)])
        url.write(key, *filter(allowed, st.session_state[key]))
        if on_change is not None:
            on_change()

    st.multiselect(
        label,
        [*shown],
        key=key,
        max_selections=most,
        format_func=lambda option: shown.get(option, one_line(option)),
        on_change=write_choices,
        accept_new_options=True,
        # "Select all" would be the first entry of the list, where it is easily taken for a version.
        select_all=False,
        help=help,
        width=width,
        label_visibility="visible" if is_label_shown else "collapsed",
        placeholder=placeholder,
    )
    url.write(key, *chosen)
    return [*chosen]


def picks(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    help: str | None = None,  # noqa: A002 - Streamlit's own word
    is_label_shown: bool = False,
) -> list[str]:
    """Draw pills of which any number may be picked; the URL parameter is repeated and holds the values, not the texts.

    Args:
        label: the control's label.
        options: value to the text shown.
        key: the query parameter and the control's key.
        help: the tooltip.
        is_label_shown: whether the label is in sight; a screen reader has it always.

    Returns:
        The picked values, in the order of the options; none of them means all.
    """
    requested = url.requested_values(key)
    if url.is_from_link(key):
        for value in requested:
            if value not in options:
                messages.warn_of_invalid_value(key, value)
    picked = [value for value in options if value in requested]
    st.session_state[key] = picked
    shown = labels(options, options.__getitem__)
    st.pills(
        label,
        list(options),
        selection_mode="multi",
        format_func=lambda option: escape_markdown(shown[option]),
        key=key,
        on_change=lambda: url.write(key, *st.session_state[key]),
        help=help,
        label_visibility="visible" if is_label_shown else "collapsed",
    )
    url.write(key, *picked)
    return picked


def page_number(pages: int) -> int:
    """Draw the page numbers of a list of several pages, and return the one chosen, from 1.

    A bound pagination would return to page 1 whenever the number of pages changes, and leave the old number in the URL.
    """
    key = "page"
    requested = next(reversed(url.url_values(key)), "1")
    number = int(requested) if requested.isascii() and requested.isdigit() and len(requested) < 10 else 0
    if not 1 <= number <= pages:
        shown = min(max(1, number), pages)
        if url.is_from_link(key) and number > pages:
            there_are = "there is one" if pages == 1 else f"there are {pages:,}"
            messages.warn(f"The link asks for page {number}, and {there_are}: page {shown} is shown.")
        elif url.is_from_link(key):
            messages.warn_of_invalid_value(key, requested)
        number = shown
    if pages > 1:
        st.session_state[key] = number
        st.pagination(pages, key=key, on_change=_write_choice, args=(key,))
    url.write(key, str(number) if number > 1 else None)
    return number


def _write_choice(
    key: str, allowed: Callable[[str], bool] | None = None, on_change: Callable[[], None] | None = None
) -> None:
    value = st.session_state[key]
    if value is not None and allowed is not None and not allowed(value):
        _keep_rejected(key, [value])
        return
    url.write(key, None if value is None or (key == "page" and value == 1) else str(value))
    if on_change is not None:
        on_change()


def _keep_rejected(key: str, values: list[str]) -> None:
    """Keep typed values that are not allowed for the next run, which warns of them."""
    if values:
        st.session_state[f"rejected-{key}"] = values


def _warn_of_rejected(label: str, key: str) -> None:
    warn_of_unknown(label, st.session_state.pop(f"rejected-{key}", ()))


def warn_of_unknown(label: str, values: Iterable[str]) -> None:
    """Warn of typed values that are none of the options."""
    for value in values:
        messages.warn(
            f"{label}: {escape_markdown(value)} does not exist. Type the whole name, or look it up on Versions."
        )


def warn_of_invalid_values(key: str, allowed: Callable[[str], bool]) -> None:
    """Warn of the values of a bound parameter that are not allowed, which Streamlit drops silently.

    Only before the control is drawn for the first time: later values are the reader's own, and another choice may have
    made one of them invalid.
    """
    if key in st.session_state:
        return
    for value in st.query_params.get_all(key):
        if value and not allowed(value):
            messages.warn_of_invalid_value(key, value)


def is_parsed_by(parse: Callable[[str], object]) -> Callable[[str], bool]:
    """A test whether ``parse`` accepts a text without a ``ValueError``."""

    def allowed(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return allowed


def segments(label: str, options: Mapping[str, str], *, key: str, default: str) -> str:
    """Draw adjacent buttons of which one is chosen; the URL parameter holds its value, not the text shown.

    Args:
        label: what is chosen, for a screen reader.
        options: value to the text shown.
        key: the query parameter and the control's key.
        default: the value when the URL requests none of the options.
    """
    value = url.requested(key) or default
    if value not in options:
        if url.is_from_link(key):
            messages.warn_of_invalid_value(key, value)
        value = default
    st.session_state[key] = value
    st.segmented_control(
        label,
        [*options],
        required=True,
        # The texts of these controls are Markdown, unlike those of a list.
        format_func=lambda option: escape_markdown(options[option]),
        key=key,
        on_change=_write_choice,
        args=(key,),
        label_visibility="collapsed",
        wrap=False,
    )
    url.write(key, value if value != default else None)
    return value

"""The URL is the state: a pasted link restores the view.

Most controls bind themselves (``bind="query-params"``, whose parameter holds the label shown). Where what is shown is
not what the link must hold (a model's name and its id, "newest first" and ``-created``), ``choice`` keeps the value in
the URL. Invalid values of both are named on the page and ignored.
"""

from collections.abc import Callable, Mapping

import streamlit as st

from paiview.ui import states

_REMEMBERED = "remembered"
"""One entry of the session for all choices: Streamlit walks over every entry at every control."""


def asked(key: str) -> str | None:
    """What the URL asks for, else what this session chose last on any page; an empty value asks for nothing."""
    return st.query_params.get(key) or _remembered().get(key)


def choice(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    default: str | None = None,
    pinned: bool = False,
    placeholder: str | None = None,
    help: str | None = None,  # noqa: A002 - Streamlit's own word
) -> str | None:
    """Draw a select box whose URL parameter holds the value, not the text shown.

    Args:
        label: the control's label.
        options: value to the text shown.
        key: the query parameter and the control's key.
        default: the value when the URL asks for none.
        pinned: keep the value in the URL even when it is the default.
        placeholder: the text shown when nothing is chosen (only without a default).
        help: the tooltip.

    Returns:
        The chosen value; ``None`` when nothing is chosen.
    """
    value = asked(key)
    if value is not None and value not in options:
        if _is_of_a_link(key):
            states.invalid(key, value)
        value = None
    if value is None:
        value = default
    st.session_state[key] = value
    st.selectbox(
        label,
        list(options),
        index=None,
        format_func=lambda option: options.get(option, option),
        key=key,
        on_change=_follow,
        args=(key,),
        placeholder=placeholder,
        help=help,
    )
    write(key, value if pinned or value != default else None)
    return value


def page(pages: int) -> int:
    """Draw the pages of a list, of which there are at least two, and give the number chosen.

    A bound pagination would begin anew whenever the number of pages changes, and leave another number in the URL.
    """
    key = "page"
    asked_for = st.query_params.get(key, "1")
    number = int(asked_for) if asked_for.isascii() and asked_for.isdigit() and len(asked_for) < 10 else 0
    if not 1 <= number <= pages:
        if _is_of_a_link(key):
            states.invalid(key, asked_for)
        number = min(max(1, number), pages)
    st.session_state[key] = number
    st.pagination(pages, key=key, on_change=_follow, args=(key,))
    write(key, str(number) if number > 1 else None)
    return number


def _is_of_a_link(key: str) -> bool:
    """Whether the URL's value came with the link, and is none the reader chose here before something else changed."""
    return key in st.query_params and st.query_params[key] != _remembered().get(key)


def write(key: str, value: str | None) -> None:
    """Put a value into the URL and remember it; ``None`` takes it out."""
    _remembered()[key] = value
    if value is None:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def _remembered() -> dict[str, str | None]:
    """What this session chose last, on any page, by key."""
    chosen: dict[str, str | None] = st.session_state.setdefault(_REMEMBERED, {})
    return chosen


def _follow(key: str) -> None:
    value = st.session_state[key]
    write(key, None if value is None or (key == "page" and value == 1) else str(value))


def check(key: str, allowed: Callable[[str], bool]) -> None:
    """Name the values the URL asks of a bound control that are not allowed; Streamlit drops them silently.

    Only before the control is drawn for the first time: later its parameter is what the reader chose, which another
    choice may have taken away.
    """
    if key in st.session_state:
        return
    for value in st.query_params.get_all(key):
        if value and not allowed(value):
            states.invalid(key, value)


def readable(read: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether ``read`` takes a text without a ``ValueError``."""

    def allowed(value: str) -> bool:
        try:
            read(value)
        except ValueError:
            return False
        return True

    return allowed

"""The URL is the state: a pasted link restores the view.

Most controls bind themselves (``bind="query-params"``, whose parameter holds the label shown). Where what is shown is
not what the link must hold (a model's name and its id, "newest first" and ``-created``), ``choice`` keeps the value in
the URL. Invalid values of both are named on the page and ignored.
"""

from collections.abc import Collection, Mapping

import streamlit as st

from paiview.ui import states

_REMEMBERED = "remembered:"


def asked(key: str) -> str | None:
    """What the URL asks for, else what this session chose last on any page."""
    value = st.query_params.get(key)
    return value if value is not None else st.session_state.get(_REMEMBERED + key)


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
        if key in st.query_params:
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


def write(key: str, value: str | None) -> None:
    """Put a value into the URL and remember it; ``None`` takes it out."""
    st.session_state[_REMEMBERED + key] = value
    if value is None:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def _follow(key: str) -> None:
    write(key, st.session_state[key])


def check(key: str, options: Collection[str]) -> None:
    """Name the values the URL asks of a bound control that it does not know; Streamlit drops them silently."""
    for value in st.query_params.get_all(key):
        if value not in options:
            states.invalid(key, value)

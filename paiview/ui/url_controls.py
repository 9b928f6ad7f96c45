"""The URL is the state: a pasted link restores the view.

Most controls bind themselves (``bind="query-params"``, whose parameter holds the label shown). Where what is shown is
not what the link must hold (a model's name and its id, "newest first" and ``-created``), ``choice`` keeps the value in
the URL. Invalid values of both are named on the page and ignored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import streamlit as st

from paiview.text import escape_markdown, one_line, unique_labels
from paiview.ui import messages, url

_MOST_CHARACTERS: Final = 1000


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
        allowed: which values may be typed though they are not among the options, where there are too many to send.
        on_change: called when the reader changes the choice, before the page runs again.

    Returns:
        The chosen value; ``None`` when nothing is chosen.
    """
    _tell_refused(label, key)
    value = url.asked(key)
    if value is not None and value not in options and allowed is not None and allowed(value):
        options = {**options, value: one_line(value, 80)}
    if value is not None and value not in options:
        if url.is_of_a_link(key):
            messages.invalid(key, value)
        value = None
    if value is None:
        value = default
    st.session_state[key] = value
    shown = labels(options, options.__getitem__)
    st.selectbox(
        label,
        list(options),
        index=None,
        format_func=lambda option: shown.get(option, one_line(option)),
        key=key,
        on_change=_follow,
        args=(key, allowed, on_change),
        placeholder=placeholder,
        help=help,
        accept_new_options=allowed is not None,
    )
    url.write(key, value if pinned or value != default else None)
    return value


def labels(options: Iterable[str], told: Callable[[str], str]) -> dict[str, str]:
    """What is shown for each option, all different: Streamlit knows an option by nothing else."""
    known = [*options]
    return dict(zip(known, unique_labels([one_line(told(option), _MOST_CHARACTERS) for option in known]), strict=True))


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
) -> list[str]:
    """Draw a multiselect whose URL parameter is repeated and always stands in the URL.

    Args:
        label: the control's label.
        options: the values.
        key: the query parameter and the control's key.
        chosen: the values chosen now: the caller reads ``asked_all`` and knows the default.
        most: how many may be chosen.
        format_func: value to the text shown.
        allowed: which values may be typed; the options are among them.
        on_change: called when the reader changes the choice, before the page runs again.
        help: the tooltip.
    """
    _tell_refused(label, key)
    st.session_state[key] = [*chosen]
    shown = labels(dict.fromkeys([*options, *chosen]), format_func)

    def follow() -> None:
        _refuse(key, [value for value in st.session_state[key] if not allowed(value)])
        url.write(key, *filter(allowed, st.session_state[key]))
        if on_change is not None:
            on_change()

    st.multiselect(
        label,
        [*shown],
        key=key,
        max_selections=most,
        format_func=lambda option: shown.get(option, one_line(option)),
        on_change=follow,
        accept_new_options=True,
        # All at once stands first in the list, where whoever meant one version hits it.
        select_all=False,
        help=help,
    )
    url.write(key, *chosen)
    return [*chosen]


def page(pages: int) -> int:
    """Draw the pages of a list where it has several, and give the number chosen.

    A bound pagination would begin anew whenever the number of pages changes, and leave another number in the URL.
    """
    key = "page"
    asked_for = next(reversed(url.in_url(key)), "1")
    number = int(asked_for) if asked_for.isascii() and asked_for.isdigit() and len(asked_for) < 10 else 0
    if not 1 <= number <= pages:
        if url.is_of_a_link(key):
            messages.invalid(key, asked_for)
        number = min(max(1, number), pages)
    if pages > 1:
        st.session_state[key] = number
        st.pagination(pages, key=key, on_change=_follow, args=(key,))
    url.write(key, str(number) if number > 1 else None)
    return number


def _follow(
    key: str, allowed: Callable[[str], bool] | None = None, on_change: Callable[[], None] | None = None
) -> None:
    value = st.session_state[key]
    if value is not None and allowed is not None and not allowed(value):
        _refuse(key, [value])
        return
    url.write(key, None if value is None or (key == "page" and value == 1) else str(value))
    if on_change is not None:
        on_change()


def _refuse(key: str, values: list[str]) -> None:
    """Keep what was typed in vain, for the next run to tell."""
    if values:
        st.session_state[f"refused-{key}"] = values


def _tell_refused(label: str, key: str) -> None:
    for value in st.session_state.pop(f"refused-{key}", ()):
        messages.warn(f"{label}: {escape_markdown(value)} is not there. Type the whole name, or find it on Versions.")


def check(key: str, allowed: Callable[[str], bool]) -> None:
    """Name the values the URL asks of a bound control that are not allowed; Streamlit drops them silently.

    Only before the control is drawn for the first time: later its parameter is what the reader chose, which another
    choice may have taken away.
    """
    if key in st.session_state:
        return
    for value in st.query_params.get_all(key):
        if value and not allowed(value):
            messages.invalid(key, value)


def readable(read: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether ``read`` takes a text without a ``ValueError``."""

    def allowed(value: str) -> bool:
        try:
            read(value)
        except ValueError:
            return False
        return True

    return allowed

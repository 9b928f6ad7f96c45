"""What a link holds: the parameters of the URL, read and written.

What a run of a page writes is sent at its end, all at once: Streamlit makes an entry of the browser's history of every
message, and a reader wants one press of Back for one thing done.
"""

from typing import Final

import streamlit as st

_WAITING: Final = "url-to-be"
_SENT: Final = "url-sent"
_PAGE: Final = "page-of-this-run"
_REMEMBERED: Final = "remembered"
"""One entry of the session for all choices: Streamlit walks over every entry at every control."""


def asked(key: str) -> str | None:
    """What the URL asks for, else what this session chose last on any page; an empty value asks for nothing."""
    return next(reversed(asked_all(key)), None)


def asked_all(key: str) -> list[str]:
    """``asked`` of a parameter that may be repeated, each value once, in the order of the URL."""
    found = [*dict.fromkeys(filter(None, in_url(key)))]
    return found if found or _is_taken_out(key) else _remembered().get(key, [])


def is_of_a_link(key: str) -> bool:
    """Whether the URL's value came with the link, and is none the reader chose here before something else changed."""
    return bool(in_url(key)) and in_url(key) != _remembered().get(key)


def write(key: str, *values: str | None) -> None:
    """Remember values and put them into the URL; none, or ``None`` alone, takes the parameter out."""
    kept = [value for value in values if value is not None]
    if kept or not _is_taken_out(key):
        _remembered()[key] = kept
        _waiting()[key] = kept


def forget(*keys: str) -> None:
    """Forget what was chosen on any page; what the URL asks for stays."""
    for key in keys:
        _remembered().pop(key, None)


def arrive(page: str) -> None:
    """Begin a run of a page. On another page than before, what this session chose goes into the URL again."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        _entry(_SENT).clear()


def send() -> None:
    """Bring the URL up to date: all that this run wrote as one entry of the browser's history.

    What was sent before and is missing now is not sent again: the reader pressed Back, and sending it would undo that.
    """
    waiting, sent = _waiting(), _entry(_SENT)
    changed = {
        key: values
        for key, values in waiting.items()
        if st.query_params.get_all(key) != values and sent.get(key) != values
    }
    sent.update(waiting)
    waiting.clear()
    if changed:
        # An empty list is left out of the URL; taking a parameter out by itself would be an entry of its own.
        st.query_params.update(changed)


def _is_taken_out(key: str) -> bool:
    """Whether a value was sent on this page and is gone: Back took it out, and the page must say what its link says.

    It stays remembered for other pages: a link to one takes it out for a moment, too.
    """
    return not in_url(key) and bool(_entry(_SENT).get(key))


def in_url(key: str) -> list[str]:
    """The values of a parameter as the URL will have them."""
    waiting = _waiting()
    return waiting[key] if key in waiting else st.query_params.get_all(key)


def _remembered() -> dict[str, list[str]]:
    """What this session chose last, on any page, by key."""
    return _entry(_REMEMBERED)


def _waiting() -> dict[str, list[str]]:
    """What is written and not yet in the URL, by key."""
    return _entry(_WAITING)


def _entry(name: str) -> dict[str, list[str]]:
    entry: dict[str, list[str]] = st.session_state.setdefault(name, {})
    return entry

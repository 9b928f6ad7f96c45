"""The parameters of the URL: what a link requests, and what the choices on a page write into it.

Each message that changes the URL makes an entry of the browser's history. A run of a page therefore collects what its
controls write and sends it at its end, all at once: one press of Back undoes one action. The session keeps the pending,
the sent and the remembered values by parameter. A value that is written goes through these states:

         write()               send()               Back pressed
    none ------> PENDING ---------------> SENT -------------------> REMOVED BY BACK
                    ^     URL: the value    |    URL: no value       |
                    |                       |                        |
                    |                       v                        v
                    +---------- begin_run() of another page: nothing is sent there yet,
                      write()   and the value is requested because it is remembered

A page requests the pending value, else that of the URL, else the remembered one. A value removed by Back is neither
requested nor sent again on its page, which shows what its link says; for other pages it stays remembered.

What a page looks like, such as its sort, is remembered for the page and its model. Links within paiview carry it
(``view_of``), so that the page comes back as it was left with the one entry of the link.
"""

from collections.abc import Mapping
from typing import Final

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

_PENDING: Final = "url-pending"
_SENT: Final = "url-sent"
_REMEMBERED: Final = "url-remembered"
"""One session entry for all parameters: Streamlit walks over every entry at every control."""
_PAGE: Final = "page-of-this-run"
_VIEWS: Final = "url-views"
_MAX_VIEWS: Final = 100
"""Pages of models whose view a session keeps; links ask for any number of them."""
_OF_A_VIEW: Final = ("sort", "page", "cells", "window", "scale")
"""The parameters of what a page looks like. On another page or for another model they mean something else."""


def requested(key: str) -> str | None:
    """The value of a parameter that the page is asked to show; ``None`` without any. An empty value counts as none."""
    return next(reversed(requested_values(key)), None)


def requested_values(key: str) -> list[str]:
    """The values of a parameter that may be repeated, each once, in the order of the URL."""
    values = [*dict.fromkeys(filter(None, url_values(key)))]
    if values or _is_removed_by_back(key):
        return values
    return _view().get(key, []) if key in _OF_A_VIEW else _remembered().get(key, [])


def url_values(key: str) -> list[str]:
    """The values of a parameter in the URL as it will be once the pending values are sent."""
    pending = _pending()
    return pending[key] if key in pending else st.query_params.get_all(key)


def current() -> dict[str, list[str]]:
    """Every parameter of the URL as it will be once the pending values are sent."""
    keys = dict.fromkeys([*st.query_params, *_pending()])
    return {key: values for key in keys if (values := url_values(key))}


def is_from_link(key: str) -> bool:
    """Whether the value in the URL came with a link, and is not the one that was chosen last in this session."""
    return bool(url_values(key)) and url_values(key) != _remembered().get(key)


def write(key: str, *values: str | None) -> None:
    """Remember values and make them pending; no value, or ``None`` alone, removes the parameter from the URL."""
    present = [value for value in values if value is not None]
    if present or not _is_removed_by_back(key):
        _remembered()[key] = present
        _pending()[key] = present
        if key in _OF_A_VIEW:
            _view()[key] = present


def view_of(page: str, model_id: str | None) -> dict[str, list[str]]:
    """What a page looked like when it was left, as parameters of a link.

    Args:
        page: the path in the URL.
        model_id: the model it was about.
    """
    views: dict[str, dict[str, list[str]]] = st.session_state.get(_VIEWS, {})
    return {key: values for key, values in views.get(f"{page} {model_id}", {}).items() if values}


def forget(*keys: str) -> None:
    """Forget what was chosen on any page; the values in the URL stay."""
    for key in keys:
        _remembered().pop(key, None)


def begin_run(page: str) -> bool:
    """Begin a run of ``page``; on another page than before, remembered values are requested again.

    Returns:
        Whether it is another page.
    """
    if st.session_state.get(_PAGE) == page:
        return False
    st.session_state[_PAGE] = page
    _session_entry(_SENT).clear()
    return True


def restore(parameters: Mapping[str, list[str]]) -> None:
    """Put back the parameters of bound controls that the URL lost on the way from another page, as one entry.

    Streamlit drops the parameters of controls that the page before had too, and then writes each by itself. After Back
    or Forward it shows what the URL says, and nothing is put back.
    """
    context = get_script_run_ctx()
    lost = {key: values for key, values in parameters.items() if not st.query_params.get_all(key)}
    if not lost or context is None or context.is_history_navigation:
        return
    try:
        st.query_params.update(lost)
    except StreamlitAPIException:
        # The link did not carry them: they still belong to the controls of the page before, and Streamlit restores
        # each when it draws its control here.
        return
    for key in lost:
        # Assigned, so that the browser learns of the value; Streamlit tells it only of those it writes itself.
        st.session_state[key] = st.session_state[key]


def send() -> None:
    """Send the pending values that the URL lacks, as one entry of the browser's history.

    A value that was sent before is not sent again: where it is missing from the URL, Back removed it.
    """
    pending, sent = _pending(), _session_entry(_SENT)
    changed = {
        key: values
        for key, values in pending.items()
        if st.query_params.get_all(key) != values and sent.get(key) != values
    }
    sent.update(pending)
    pending.clear()
    if changed:
        # An empty list removes a parameter; deleting it by itself would be another entry of the history.
        st.query_params.update(changed)


def _is_removed_by_back(key: str) -> bool:
    """Whether a value was sent on this page and is no longer in the URL."""
    return not url_values(key) and bool(_session_entry(_SENT).get(key))


def _remembered() -> dict[str, list[str]]:
    """The values chosen last on any page, by parameter."""
    return _session_entry(_REMEMBERED)


def _view() -> dict[str, list[str]]:
    """The values of this page and its model among ``_OF_A_VIEW``."""
    views: dict[str, dict[str, list[str]]] = st.session_state.setdefault(_VIEWS, {})
    key = f"{st.session_state.get(_PAGE)} {requested('model')}"
    if key not in views and len(views) >= _MAX_VIEWS:
        del views[next(iter(views))]
    return views.setdefault(key, {})


def _pending() -> dict[str, list[str]]:
    """The values written in this run and not yet sent, by parameter."""
    return _session_entry(_PENDING)


def _session_entry(name: str) -> dict[str, list[str]]:
    entry: dict[str, list[str]] = st.session_state.setdefault(name, {})
    return entry

"""The frame around every page: navigation and the one region for problems.

A folder called ``pages`` beside app.py makes Streamlit run a page file by itself for the first visitor after a start
(and always in AppTest). ``require`` at the top of each page starts the frame in that case.
"""

import base64
from collections.abc import Mapping
from contextvars import ContextVar
from copy import copy
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from paiview.app_folder import APP_FOLDER
from paiview.registry.cache import reading
from paiview.ui import messages, script_lock, url

MODELS = "pages/models.py"
VERSIONS = "pages/versions.py"
TRENDS = "pages/trends.py"
COMPARE = "pages/compare.py"
_ICON = "data:image/svg+xml;base64," + base64.b64encode(Path(__file__).with_name("paiview.svg").read_bytes()).decode()

_READABLE_CHARTS = '<style>.stPlotlyChart text[style*="fill: rgb(128, 132, 149)"]{fill:currentColor !important}</style>'
"""Streamlit writes the texts of charts in a grey of 3.7:1 on white; this gives them the colour of the page's text."""

_pages: ContextVar[Mapping[str, Page]] = ContextVar("paiview_pages")
"""The pages of a run of the frame. Streamlit is given them rather than their paths, for which it would look each time.

In a full house that costs most: whoever asks the system for anything hands the interpreter over, and waits in line.
"""


def run() -> None:
    """Draw the frame, then the page the visitor asked for."""
    with script_lock.hold():
        st.set_page_config(page_title="paiview", page_icon=_ICON, layout="wide")
        # Copies, for a page knows whether it may run, and others run beside this one.
        pages = {path: copy(page) for path, page in _found().items()}
        page = st.navigation([*pages.values()], position="hidden")
        url.arrive(page.url_path)
        st.html(_READABLE_CHARTS)
        token = _pages.set(pages)
        try:
            _menu()
            with messages.problem_region(), reading(script_lock.released):
                page.run()
                messages.finish()
        finally:
            _pages.reset(token)


@cache
def _found() -> Mapping[str, Page]:
    """The pages; Streamlit looks for the file of each."""
    return {
        MODELS: st.Page(APP_FOLDER / MODELS, title="Models", default=True),
        VERSIONS: st.Page(APP_FOLDER / VERSIONS, title="Versions", url_path="versions"),
        TRENDS: st.Page(APP_FOLDER / TRENDS, title="Trends", url_path="trends"),
        COMPARE: st.Page(APP_FOLDER / COMPARE, title="Compare", url_path="compare"),
    }


def _menu() -> None:
    """Links to the pages that carry the model along.

    Streamlit's own menu drops the query: the page would have to write the model into its URL anew, which makes another
    entry in the browser's history and costs the reader a press of Back. A second parameter would do the same:
    Streamlit sends each by itself.
    """
    model_id = url.asked("model")
    carried = {"model": model_id} if model_id else None
    with st.sidebar.container(key="menu", gap="xxsmall"):
        pages = _pages.get()
        st.page_link(pages[MODELS], label="Models", icon=":material/stacks:")
        st.page_link(pages[VERSIONS], label="Versions", icon=":material/table_rows:", query_params=carried)
        st.page_link(pages[TRENDS], label="Trends", icon=":material/show_chart:", query_params=carried)
        st.page_link(pages[COMPARE], label="Compare", icon=":material/compare_arrows:", query_params=carried)


def link(page: str, label: str, **parameters: str | list[str]) -> None:
    """Draw a link to a page, in the colour of links; ``label`` is Markdown, its foreign parts escaped."""
    st.page_link(_pages.get()[page], label=f":primary[{label}]", query_params=parameters)


def require() -> None:
    """Start the frame when Streamlit ran a page file without it, and end that run."""
    if _pages.get(None) is None:
        run()
        st.stop()

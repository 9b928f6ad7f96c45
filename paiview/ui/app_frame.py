"""The frame around every page: the menu and the region for messages.

Because of the folder ``pages`` beside app.py, Streamlit runs a page file without app.py for the first visitor after a
start, and always in AppTest. ``require`` at the top of each page then starts the frame.
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
from paiview.registry.budget import client_of
from paiview.registry.cache import reading
from paiview.ui import messages, script_lock, url

MODELS = "pages/models.py"
VERSIONS = "pages/versions.py"
TRENDS = "pages/trends.py"
COMPARE = "pages/compare.py"
_ICON = "data:image/svg+xml;base64," + base64.b64encode(Path(__file__).with_name("paiview.svg").read_bytes()).decode()

_CHART_TEXT_STYLE = (
    '<style>.stPlotlyChart text[style*="fill: rgb(128, 132, 149)"]{fill:currentColor !important}</style>'
)
"""Streamlit's grey for texts of charts has a contrast of 3.7:1 on white; this gives them the page's text colour."""

_pages: ContextVar[Mapping[str, Page]] = ContextVar("paiview_pages")
"""The pages of a run of the frame, by path.

Links take these objects. For a path Streamlit asks the system whether the file exists, and at each such call Python
may hand the GIL to the thread of another session.
"""


def run() -> None:
    """Draw the frame, then the page that was requested."""
    client = client_of(st.context.ip_address or "")
    with script_lock.hold(client):
        st.set_page_config(page_title="paiview", page_icon=_ICON, layout="wide")
        # Copies: Streamlit marks in each page object whether this run may run it, and other runs go on meanwhile.
        pages = {path: copy(page) for path, page in _page_templates().items()}
        page = st.navigation([*pages.values()], position="hidden")
        url.begin_run(page.url_path)
        st.html(_CHART_TEXT_STYLE)
        token = _pages.set(pages)
        try:
            _draw_menu()
            with messages.problem_region(), reading(script_lock.released, client):
                page.run()
                messages.finish_run()
        finally:
            _pages.reset(token)


@cache
def _page_templates() -> Mapping[str, Page]:
    """The pages by path, made once: for each new one Streamlit looks for its file."""
    return {
        MODELS: st.Page(APP_FOLDER / MODELS, title="Models", default=True),
        VERSIONS: st.Page(APP_FOLDER / VERSIONS, title="Versions", url_path="versions"),
        TRENDS: st.Page(APP_FOLDER / TRENDS, title="Trends", url_path="trends"),
        COMPARE: st.Page(APP_FOLDER / COMPARE, title="Compare", url_path="compare"),
    }


def _draw_menu() -> None:
    """Draw links to the pages that keep the model.

    Streamlit's own menu drops the query. The page would then write the model into its URL, which makes a second entry
    in the browser's history. So would a second parameter: Streamlit sends each by itself.
    """
    model_id = url.requested("model")
    query = {"model": model_id} if model_id else None
    with st.sidebar.container(key="menu", gap="xxsmall"):
        pages = _pages.get()
        st.page_link(pages[MODELS], label="Models", icon=":material/stacks:")
        st.page_link(pages[VERSIONS], label="Versions", icon=":material/table_rows:", query_params=query)
        st.page_link(pages[TRENDS], label="Trends", icon=":material/show_chart:", query_params=query)
        st.page_link(pages[COMPARE], label="Compare", icon=":material/compare_arrows:", query_params=query)


def link(page: str, label: str, **parameters: str | list[str]) -> None:
    """Draw a link to a page, in the colour of links; ``label`` is Markdown, with text of the service escaped."""
    st.page_link(_pages.get()[page], label=f":primary[{label}]", query_params=parameters)


def require() -> None:
    """Start the frame where Streamlit runs a page file without it, and end the run after that."""
    if _pages.get(None) is None:
        run()
        st.stop()

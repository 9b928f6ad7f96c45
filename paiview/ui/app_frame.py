"""The frame around every page: the bar at the top and the region for messages.

Because of the folder ``pages`` beside app.py, Streamlit runs a page file without app.py for the first visitor after a
start, and always in AppTest. ``require`` at the top of each page then starts the frame.
"""

import base64
from collections.abc import Mapping
from contextvars import ContextVar
from copy import copy
from functools import cache
from pathlib import Path
from typing import NamedTuple, NoReturn
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import Page

from paiview.app_folder import APP_FOLDER
from paiview.registry.budget import client_of
from paiview.registry.cache import reading
from paiview.ui import messages, script_lock, sidebar, url

MODELS = "pages/models.py"
VERSIONS = "pages/versions.py"
TRENDS = "pages/trends.py"
COMPARE = "pages/compare.py"
_MAX_QUERY_CHARACTERS = 6_000
"""The longest query of a link: common proxies refuse addresses above 8 kB. A longer one goes without the filters."""
_WITH_VERSIONS = {VERSIONS: "versions", TRENDS: "trends"}
"""The pages that share the filters of versions, by file: the path in the URL."""
_ICON = "data:image/svg+xml;base64," + base64.b64encode(Path(__file__).with_name("paiview.svg").read_bytes()).decode()
_STYLE = (
    f"<style>:root {{ --mark: url({_ICON}) }}\n"
    f"{Path(__file__).with_name('look.css').read_text(encoding='utf-8')}</style>"
)
_SIDEBAR_PIXELS = 272
_LEGEND = """**Colours and marks**

:blue-badge[▲ better] :orange-badge[▼ worse] beyond the tolerance ·
:gray-badge[= same] within it ·
:gray-badge[≈ unclear] may be chance, by paired evidence ·
:yellow-badge[○ missing] in the candidate ·
:gray-badge[✚ new] without a number to compare with ·
:gray-badge[? not comparable] for a reason that is told ·
:gray-badge[– not judged] no score

:yellow-badge[○ Pending] :green-badge[✓ Approved] :gray-badge[✕ Rejected] are the statuses in PAI. *Approved
now* is the newest approved version by creation: PAI does not say which was approved last, or which is serving.

**Effect** is the change as a share of the baseline, positive is better; for a score that ends at 1 or 100 %, the
larger of that share and the share of errors removed. **Baseline** is the newest approved version before the candidate
that shares a result with it, unless somebody names another. Up is better, right is better."""

_pages: ContextVar[Mapping[str, Page]] = ContextVar("paiview_pages")
"""The pages of a run of the frame, by path.

Links take these objects. For a path Streamlit asks the system whether the file exists, and at each such call Python
may hand the GIL to the thread of another session.
"""


class Regions(NamedTuple):
    """The parts of the frame that a page fills.

    Attributes:
        scope: the control of the workspace.
        connection: where the data came from, and Refresh.
        head: the model of the page.
        standing: what is approved now, at the end of the head.
    """

    scope: DeltaGenerator
    connection: DeltaGenerator
    head: DeltaGenerator
    standing: DeltaGenerator


_regions: ContextVar[Regions] = ContextVar("paiview_regions")
_carried: ContextVar[dict[str, dict[str, list[str]]]] = ContextVar("paiview_carried_filters")
"""What links of a run carry to the pages that draw versions, by file; the page of models draws dozens of such links."""


def regions() -> Regions:
    """The parts of the frame of this run."""
    return _regions.get()


def run() -> None:
    """Draw the frame, then the page that was requested."""
    client = client_of(st.context.ip_address or "")
    with script_lock.hold(client):
        # Copies: Streamlit marks in each page object whether this run may run it, and other runs go on meanwhile.
        pages = {path: copy(page) for path, page in _page_templates().items()}
        page = st.navigation([*pages.values()], position="hidden")
        if url.begin_run(page.url_path) and page.url_path in _WITH_VERSIONS.values():
            url.restore(sidebar.OF_VERSIONS.bound_parameters())
        st.set_page_config(
            page_title=f"{page.title} · paiview",
            page_icon=_ICON,
            layout="wide",
            # Nothing on Compare is chosen in the sidebar before the answer is read.
            initial_sidebar_state="collapsed" if page.url_path == "compare" else _SIDEBAR_PIXELS,
        )
        st.html(_STYLE)
        token = _pages.set(pages)
        _carried.set({})
        try:
            _draw_frame()
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


def _draw_frame() -> None:
    with st.container(key="topbar", horizontal=True, vertical_alignment="center"):
        with st.container(key="brand", width="content"):
            st.markdown("paiview")
        scope = st.container(key="scope", width=170)
        _draw_menu()
        connection = st.container(
            key="connection",
            horizontal=True,
            horizontal_alignment="right",
            vertical_alignment="center",
            width="content",
        )
    with st.container(key="head", horizontal=True, vertical_alignment="center"):
        head = st.container(key="model-head", horizontal=True, vertical_alignment="center", width="content")
        standing = st.container(key="standing", width="content")
    _regions.set(Regions(scope, connection, head, standing))


def draw_legend() -> None:
    """Explain colours, marks and words; the last part of the bar at the top."""
    with regions().connection.popover("Legend", icon=":material/help:", type="tertiary", key="legend"):
        st.markdown(_LEGEND)


def _draw_menu() -> None:
    """Draw links to the pages that keep the model, and lead to each page as it was left.

    Streamlit's own menu drops the query. The page would then write the model into its URL, which makes a second entry
    in the browser's history. So would a second parameter: Streamlit sends each by itself.
    """
    model_id = url.requested("model")
    query = {"model": model_id} if model_id else None
    with st.container(key="menu", horizontal=True, vertical_alignment="center"):
        pages = _pages.get()
        st.page_link(pages[MODELS], label="Models")
        st.page_link(pages[VERSIONS], label="Versions", query_params=_query(VERSIONS, query or {}))
        st.page_link(pages[TRENDS], label="Trends", query_params=_query(TRENDS, query or {}))
        st.page_link(pages[COMPARE], label="Compare", query_params=query)


def _query(page: str, parameters: Mapping[str, str | list[str]]) -> dict[str, str | list[str]]:
    """The query of a link: its parameters; for Versions and Trends also their filters and last view."""
    if page not in _WITH_VERSIONS:
        return {**parameters}
    model_id = parameters.get("model")
    view = url.view_of(_WITH_VERSIONS[page], model_id if isinstance(model_id, str) else None)
    carried = _carried.get()
    if page not in carried:
        columns = sidebar.column_parameters() if page == VERSIONS else {}
        carried[page] = sidebar.OF_VERSIONS.parameters() | columns
    query = {**carried[page], **view, **parameters}
    return query if len(urlencode(query, doseq=True)) <= _MAX_QUERY_CHARACTERS else {**parameters}


def link(page: str, label: str, **parameters: str | list[str]) -> None:
    """Draw a link to a page, in the colour of links; ``label`` is Markdown, with text of the service escaped."""
    st.page_link(_pages.get()[page], label=f":primary[{label}]", query_params=_query(page, parameters))


def go(page: str, **parameters: str | list[str]) -> NoReturn:
    """End the run and show another page."""
    st.switch_page(_pages.get()[page], query_params=parameters)


def require() -> None:
    """Start the frame where Streamlit runs a page file without it, and end the run after that."""
    if _pages.get(None) is None:
        run()
        st.stop()

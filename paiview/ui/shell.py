"""The frame around every page: navigation and the one region for problems.

A folder called ``pages`` beside app.py makes Streamlit run a page file by itself for the first visitor after a start
(and always in AppTest). ``require`` at the top of each page starts the frame in that case.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path

import streamlit as st

from paiview.ui import state, states

ROOT = Path(__file__).resolve().parents[2]
MODELS = "pages/models.py"
VERSIONS = "pages/versions.py"
TRENDS = "pages/trends.py"
_ICON = Path(__file__).with_name("paiview.svg")
_OF_A_MODEL = ("metric", "dataset")
"""Choices that the pages about one model take over from each other, with the model itself."""

_framed: ContextVar[bool] = ContextVar("paiview_framed", default=False)


def run() -> None:
    """Draw the frame, then the page the visitor asked for."""
    st.set_page_config(page_title="paiview", page_icon=str(_ICON), layout="wide")
    page = st.navigation(
        [
            st.Page(ROOT / MODELS, title="Models", default=True),
            st.Page(ROOT / VERSIONS, title="Versions", url_path="versions"),
            st.Page(ROOT / TRENDS, title="Trends", url_path="trends"),
        ],
        position="hidden",
    )
    _menu()
    token = _framed.set(True)
    try:
        with states.problem_region():
            page.run()
    finally:
        _framed.reset(token)


def _menu() -> None:
    """Links to the pages that carry the model along.

    Streamlit's own menu drops the query: the page would have to write the model into its URL anew, which makes a
    second entry in the browser's history and costs the reader a press of Back.
    """
    carried = {key: values for key in _OF_A_MODEL if (values := st.query_params.get_all(key))}
    model_id = state.asked("model")
    of_the_model: dict[str, Sequence[str]] = {"model": [model_id], **carried} if model_id else {}
    workspace = state.asked("workspace")
    everywhere: dict[str, Sequence[str]] = {"workspace": [workspace]} if workspace else {}
    with st.sidebar.container(key="menu", gap="xxsmall"):
        st.page_link(MODELS, label="Models", icon=":material/stacks:", query_params=everywhere)
        st.page_link(VERSIONS, label="Versions", icon=":material/table_rows:", query_params=everywhere | of_the_model)
        st.page_link(TRENDS, label="Trends", icon=":material/show_chart:", query_params=everywhere | of_the_model)


def require() -> None:
    """Start the frame when Streamlit ran a page file without it, and end that run."""
    if not _framed.get():
        run()
        st.stop()

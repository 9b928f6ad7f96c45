"""The menu of downloads: drawn when it is opened; a file is built when it is downloaded."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd
import streamlit as st

from paiview.reports.table_files import files_of

_TITLE_PIXELS = 150


class Table(NamedTuple):
    """A table to download.

    Attributes:
        title: what it is.
        contents: which rows it has, one in a row of what; a tooltip.
        name: the last part of the names of its files.
        build: makes the table.
    """

    title: str
    contents: str
    name: str
    build: Callable[[], pd.DataFrame]


def offer(model_id: str, tables: Sequence[Table]) -> None:
    """Offer each table as CSV, JSON and Parquet, which have the same rows and columns."""
    menu = st.popover("Download", icon=":material/download:", type="tertiary", key="downloads", on_change="rerun")
    if not menu.open:
        return
    with menu:
        for table in tables:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{table.title}**", help=table.contents, width=_TITLE_PIXELS)
                for file in files_of(table.build, model_id, table.name):
                    st.download_button(
                        file.form,
                        file.build,
                        file_name=file.name,
                        mime=file.mime,
                        key=f"download-{table.name}-{file.form.lower()}",
                        on_click="ignore",
                        type="tertiary",
                    )

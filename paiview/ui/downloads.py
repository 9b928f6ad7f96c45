"""The menu of downloads: drawn when it is opened; a file is built when it is downloaded."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from paiview.evaluation.frames import Frames
from paiview.reports import table_files
from paiview.text import file_name


def offer(shown: Callable[[], pd.DataFrame], description: str, stem: str, frames: Frames) -> None:
    """Offer the data behind a view as CSV and JSON, and both frames as Parquet.

    Args:
        shown: builds the frame behind the view.
        description: what that frame holds, for the tooltip.
        stem: the beginning of the file names.
        frames: both frames of the snapshot.
    """
    menu = st.popover("Download", icon=":material/download:", type="tertiary", key="downloads", on_change="rerun")
    if not menu.open:
        return
    files: list[tuple[str, str, str, Callable[[], bytes], str]] = [
        ("CSV", file_name(stem, ending="csv"), "text/csv", lambda: table_files.csv_bytes(shown()), description),
        (
            "JSON",
            file_name(stem, ending="json"),
            "application/json",
            lambda: table_files.json_bytes(shown()),
            description,
        ),
        (
            "Parquet: versions",
            file_name(stem, "versions", ending="parquet"),
            "application/vnd.apache.parquet",
            lambda: table_files.parquet_bytes(frames.versions),
            "every version, one row each",
        ),
        (
            "Parquet: metrics",
            file_name(stem, "metrics", ending="parquet"),
            "application/vnd.apache.parquet",
            lambda: table_files.parquet_bytes(frames.metrics),
            "every value, one row for each version, dataset and metric",
        ),
    ]
    with menu:
        for label, name, mime, data, hint in files:
            key = f"download-{label.lower().replace(': ', '-')}"
            st.download_button(
                label, data, file_name=name, mime=mime, key=key, help=hint, on_click="ignore", type="tertiary"
            )

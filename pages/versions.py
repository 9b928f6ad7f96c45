"""Versions: one model's versions, every field and filter, and one version whole."""

import pandas as pd
import streamlit as st

from paiview import views
from paiview.text import plain
from paiview.ui import detail, downloads, shell, sidebar, state, states, tables

shell.require()

ROWS = 25
NUMBER_COLUMNS = 12

registry, model, model_id = sidebar.model()
states.title(model, model_id)
# Choices stand above the filters, though their options come out of what the filters let through.
choices = st.sidebar.container()
filters = sidebar.version_filters()
snapshot = states.versions(registry, model_id, filters)
frames = snapshot.frames

with choices:
    metrics, datasets = sidebar.metric_and_dataset(frames)
metric = metrics[0] if metrics else views.main_metric(frames)
wanted = sidebar.table_filters(metric)
pairs = views.shown_pairs(frames, metrics, datasets)
drawn = pairs[:NUMBER_COLUMNS]
names = states.dataset_names(registry, model, frames)
kept = views.matching(
    frames,
    text=wanted.text,
    created_from=wanted.created_from,
    created_to=wanted.created_to,
    datasets=datasets,
    metric=metric,
    minimum=wanted.minimum,
    maximum=wanted.maximum,
)
numbers = views.numbers(frames, drawn)

with choices:
    sort = state.choice("Sort", views.sort_options(list(numbers.columns)), key="sort", default="-created") or "-created"
kept = views.ordered(frames, kept, sort, numbers)


def shown_table(orders: views.Orders) -> pd.DataFrame:
    """The table of these versions as data."""
    return tables.versions_frame(frames.versions.iloc[orders], numbers.iloc[orders], wanted.fields)


def follow() -> None:
    """Open the one version that is ticked."""
    ticked = st.session_state[table_key].selection.rows
    if len(ticked) == 1:
        state.write("version", frames.versions["version_name"].iloc[rows[ticked[0]]])


with st.container(key="versions-table"):
    part = tables.paged(len(kept), ROWS, "versions")
    rows = kept[part.start : part.stop]
    table_key = f"rows-{snapshot.identity}-{hash(rows.tobytes())}"
    event = st.dataframe(
        tables.styled(shown_table(rows), drawn, views.best_numbers(numbers.iloc[kept], drawn)),
        hide_index=True,
        column_config=tables.columns(drawn, names),
        key=table_key,
        height=tables.height(len(rows)),
        on_select=follow,
        selection_mode="multi-row",
        placeholder="–",
        alt="Versions of the model",
    )
    tables.legend(len(pairs) - len(drawn))
    downloads.offer(lambda: shown_table(kept), "every version that passes the filters", f"{model_id}-versions", frames)

ticked = [int(rows[at]) for at in event.selection.rows if at < len(rows)]
if len(ticked) > 1:
    with st.container(key="selection"):
        st.subheader(f"{len(ticked)} versions side by side", anchor=False)
        st.dataframe(tables.side_by_side(frames, ticked, names), hide_index=True, placeholder="–")

options = dict(zip(frames.versions["version_name"], frames.versions["version_name"].map(plain), strict=True))
with st.container(key="version-detail"):
    opened = state.choice("Version in detail", options, key="version", placeholder="Tick a row, or choose a version")
    if opened is not None:
        order = int(frames.versions.index[frames.versions["version_name"] == opened][0])
        detail.show(registry, model, snapshot.versions[int(frames.versions["place"].iloc[order])], frames, order, names)

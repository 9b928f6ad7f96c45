"""Versions: one model's versions, every field and filter, and one version whole."""

import streamlit as st

from paiview.evaluation import queries
from paiview.text import counted
from paiview.ui import (
    app_frame,
    downloads,
    metric_settings,
    page_data,
    sidebar,
    url_controls,
    version_detail,
    versions_table,
)

app_frame.require()

ROWS = 25
NUMBER_COLUMNS = 12

registry, model, model_id = sidebar.choose_model()
page_data.title(model, model_id)
# Choices stand above the filters, though their options come out of what the filters let through.
choices = st.sidebar.container()
filters = sidebar.version_filters()
contracts = metric_settings.in_force()
snapshot = page_data.versions(registry, model_id, filters)
frames = snapshot.frames

with choices:
    metrics, datasets = sidebar.metric_and_dataset(frames)
metric = metrics[0] if metrics else queries.main_metric(frames, contracts.metrics)
wanted = sidebar.table_filters(metric)
pairs = queries.shown_pairs(frames, metrics, datasets, contracts.metrics)
drawn = pairs[:NUMBER_COLUMNS]
names = page_data.dataset_names(registry, model, frames, contracts)
kept = queries.matching(
    frames,
    text=wanted.text,
    created_from=wanted.created_from,
    created_to=wanted.created_to,
    datasets=datasets,
    metric=metric,
    minimum=wanted.minimum,
    maximum=wanted.maximum,
)

numbers = queries.number_table(frames, drawn)
with choices:
    sort = (
        url_controls.choice("Sort", queries.sort_options(list(numbers.columns)), key="sort", default="-created")
        or "-created"
    )
kept = queries.sorted_versions(frames, kept, sort, numbers)

with st.container(key="versions-table"):
    if 0 < len(kept) < len(frames.versions):
        st.caption(f"{len(kept)} of {counted(len(frames.versions), 'version')} pass the filters")
    part = versions_table.paged(len(kept), ROWS, "versions")
    ticked = versions_table.versions(snapshot.identity, frames, kept, part, drawn, wanted.fields, names, contracts)
    versions_table.legend(len(pairs) - len(drawn))
    downloads.offer(
        lambda: versions_table.versions_frame(frames, kept, pairs, wanted.fields),
        "every version that passes the filters, every column",
        f"{model_id}-versions",
        frames,
    )

if len(ticked) > 1:
    with st.container(key="selection"):
        st.subheader(f"{len(ticked)} versions side by side", anchor=False)
        versions_table.compare_link(model_id, frames, ticked)
        beside = versions_table.side_by_side(snapshot.identity, frames, ticked, names, contracts)
        st.dataframe(beside, hide_index=True, placeholder="–")

with st.container(key="version-detail"):
    order = version_detail.choose(frames, kept[part.start : part.stop])
    if order is not None:
        version = snapshot.versions[int(frames.versions["listing_index"].iloc[order])]
        version_detail.show(registry, model, version, frames, order, names, snapshot.identity, contracts)

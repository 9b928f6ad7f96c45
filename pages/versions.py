"""Versions: the versions of one model with every field and filter, and one version in detail."""

import streamlit as st

from paiview.evaluation import queries
from paiview.text import counted
from paiview.ui import (
    app_frame,
    downloads,
    messages,
    metric_settings,
    page_data,
    page_head,
    sidebar,
    url_controls,
    version_detail,
    versions_table,
)

app_frame.require()

ROWS = 25
NUMBER_COLUMNS = 12

registry, model, model_id = page_head.choose_model()
# These controls are above the filters, but their options are those of the versions that pass the filters.
choices = st.sidebar.container()
filters = sidebar.choose_version_filters()
snapshot = page_data.read_versions(registry, model_id, filters)
contracts = metric_settings.effective().with_data(snapshot.meanings)
messages.warn_of_notes(contracts.ignored)
frames = page_data.frames_of(snapshot, contracts)

with choices:
    metrics, datasets = sidebar.choose_metrics_and_datasets(frames)
metric = metrics[0] if metrics else queries.main_metric(frames, contracts.metrics)
table_filters = sidebar.choose_table_filters(metric)
pairs = queries.shown_pairs(frames, metrics, datasets, contracts.metrics)
column_pairs = pairs[:NUMBER_COLUMNS]
data = page_data.model_data(registry, model, snapshot, contracts)
passing = queries.matching(
    frames,
    text=table_filters.text,
    created_from=table_filters.created_from,
    created_to=table_filters.created_to,
    datasets=datasets,
    metric=metric,
    minimum=table_filters.minimum,
    maximum=table_filters.maximum,
)

numbers = queries.number_table(frames, column_pairs)
with choices:
    sort = (
        url_controls.choice("Sort", queries.sort_options(list(numbers.columns)), key="sort", default="-created")
        or "-created"
    )
passing = queries.sorted_versions(frames, passing, sort, numbers)

with st.container(key="versions-table"):
    if 0 < len(passing) < len(frames.versions):
        st.caption(f"{len(passing)} of {counted(len(frames.versions), 'version')} pass the filters")
    part = versions_table.paged(len(passing), ROWS, "versions")
    page = versions_table.TablePage(
        data=data, passing=passing, part=part, pairs=column_pairs, fields=table_filters.fields
    )
    ticked = versions_table.draw_versions(page)
    versions_table.draw_legend(len(pairs) - len(column_pairs))
    is_long = len(pairs) > queries.MAX_COLUMNS
    downloads.offer(
        lambda: (
            queries.long_form(frames, pairs, passing)
            if is_long
            else versions_table.versions_frame(frames, passing, pairs, table_filters.fields)
        ),
        "every version that passes the filters, "
        + (f"one number in a row, for there are more than {queries.MAX_COLUMNS:,}" if is_long else "every column"),
        f"{model_id}-versions",
        frames,
    )

if len(ticked) > 1:
    with st.container(key="selection"):
        st.subheader(f"{len(ticked)} versions side by side", anchor=False)
        versions_table.draw_compare_link(model_id, frames, ticked)
        st.dataframe(versions_table.side_by_side(data, ticked), hide_index=True, placeholder="–")

with st.container(key="version-detail"):
    version_index = version_detail.choose_version(frames, page.rows)
    if version_index is not None:
        version = snapshot.versions[int(frames.versions["listing_index"].iloc[version_index])]
        version_detail.draw(registry, model, version, data, version_index)

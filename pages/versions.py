"""Versions: the versions of one model with every filter and field, and one version in detail."""

import streamlit as st

from paiview.evaluation import queries
from paiview.reports.version_tables import result_table, version_table
from paiview.text import counted, one_line
from paiview.ui import (
    app_frame,
    downloads,
    messages,
    metric_settings,
    page_data,
    page_head,
    sidebar,
    url,
    url_controls,
    version_detail,
    versions_table,
)
from paiview.ui.approved_now import ApprovedNow

app_frame.require()

ROWS = 25
NUMBER_COLUMNS = 24
CELLS = {"values": "Values", "change": "Change against approved"}


registry, model, model_id = page_head.choose_model()
st.set_page_config(page_title=f"{one_line(model.model_name or model_id, 60)} versions · paiview")
sections = sidebar.draw_sections()
filters = sidebar.choose_version_filters(sections.in_pai, lambda: page_data.offered_versions(registry, model_id))
snapshot = page_data.read_versions(registry, model_id, filters, workspace_id=model.workspace_id)
contracts = metric_settings.effective().with_data(snapshot.meanings)
messages.warn_of_notes(contracts.ignored)
frames = page_data.frames_of(snapshot, contracts)
whole = page_data.whole_listing(registry, model_id, snapshot)
approved = ApprovedNow.of(whole)
version_count = len(frames.versions) if whole is None else len(whole.versions)

with sections.what:
    # Those of the whole listing: one filter must not take away what another one has chosen.
    choices = frames if whole is None else page_data.frames_of(whole, contracts)
    metrics, datasets = sidebar.choose_metrics_and_datasets(choices)
    fields = sidebar.choose_columns()
metric = metrics[0] if metrics else queries.main_metric(frames, contracts.metrics)
table_filters = sidebar.choose_table_filters(metric, sections.versions)
pairs = queries.shown_pairs(frames, metrics, datasets, contracts.metrics)
data = page_data.model_data(registry, model, snapshot, contracts)
with sections.what:
    pairs = sidebar.find_columns(pairs, data.dataset_names, NUMBER_COLUMNS)
column_pairs = queries.grouped_by_metric(pairs[:NUMBER_COLUMNS])
numbers = queries.number_table(frames, column_pairs)

with st.container(key="versions-bar", horizontal=True, vertical_alignment="center", gap="small"):
    text = sidebar.choose_search()
    statuses = url_controls.picks("Status", versions_table.status_options(frames), key="status")
    if approved is not None:
        cells = url_controls.segments("Cells", CELLS, key="cells", default="values")
    else:
        cells = "values"
        if url.requested("cells") == "change":
            messages.warn("No version is approved, so there is no change to show.")
    with st.container(key="versions-bar-end", horizontal=True, width="content", vertical_alignment="center"):
        sort = (
            url_controls.choice(
                "Sort",
                queries.sort_options(list(numbers.columns)),
                key="sort",
                default="-created",
                width=190,
                is_label_shown=False,
            )
            or "-created"
        )
        download = st.container(key="versions-download", width="content")
sidebar.draw_head(sections, sidebar.OF_VERSIONS)

passing = table_filters.matching(frames, text=text, statuses=statuses, datasets=datasets)
passing = queries.sorted_versions(frames, passing, sort, numbers)
is_narrowed = len(passing) < version_count
if is_narrowed or sidebar.OF_VERSIONS.is_any_active():
    sentence = f"{len(passing)} of {counted(version_count, 'version')} pass the filters"
    sidebar.draw_chips(sidebar.OF_VERSIONS, sentence, metric)

with st.container(key="versions-table"):
    if len(passing):
        with st.container(key="paging", horizontal=True, vertical_alignment="center", gap="small"):
            part = versions_table.paged(len(passing), ROWS, "versions")
        page = versions_table.TablePage(
            data=data,
            listing=snapshot.versions,
            passing=passing,
            part=part,
            pairs=column_pairs,
            fields=fields,
            cells="change" if cells == "change" else "values",
            approved=approved,
        )
        ticked = versions_table.draw_ticked(data, model_id, approved)
        versions_table.draw_versions(page, model_id)
        with st.container(key="versions-foot", horizontal=True, vertical_alignment="top", gap="small"):
            versions_table.draw_legend(page, len(pairs) - len(column_pairs))
            version_index = version_detail.choose_version(frames, page.rows)
    else:
        ticked = []
        url_controls.page_number(1)
        if version_count:
            sidebar.draw_empty(sidebar.OF_VERSIONS, f"0 of {counted(version_count, 'version')} pass the filters")
        else:
            st.info("This model has no versions. Register one in PAI, then refresh.")
        version_index = version_detail.choose_version(frames, passing)
with download:
    is_wide = len(pairs) > queries.MAX_COLUMNS
    downloads.offer(
        model_id,
        [
            downloads.Table(
                "Versions",
                "The versions that pass the filters, a row each, in the order of the table: every field of PAI"
                + (
                    f", without numbers, for there are more than {queries.MAX_COLUMNS:,} columns of them."
                    if is_wide
                    else ", and the numbers of the table."
                ),
                "versions",
                lambda: version_table(frames, snapshot.versions, passing, () if is_wide else pairs),
            ),
            downloads.Table(
                "Results",
                "Every result of these versions, a row each, as stored: of the chosen metrics and datasets, where "
                "any are chosen.",
                "results",
                lambda: result_table(frames, passing, metrics, datasets),
            ),
        ],
    )

if len(ticked) > 1:
    with st.container(key="selection"):
        st.subheader(f"{len(ticked)} versions side by side", anchor=False)
        versions_table.draw_side_by_side(data, ticked)

if version_index is not None:
    version = snapshot.versions[int(frames.versions["listing_index"].iloc[version_index])]
    version_detail.open_drawer(registry, model, version, data, version_index, approved)

"""Trends: each metric on each dataset, version by version."""

import streamlit as st

from paiview.evaluation import queries
from paiview.text import counted
from paiview.ui import (
    app_frame,
    charts,
    downloads,
    messages,
    metric_settings,
    page_data,
    page_head,
    sidebar,
    url_controls,
    versions_table,
)

app_frame.require()

PANELS = 12
ROWS = 60
WINDOWS = {"50": "Newest 50", "100": "Newest 100", "300": "Newest 300", "all": "All versions"}

registry, model, model_id = page_head.choose_model()
snapshot = page_data.read_versions(registry, model_id)
contracts = metric_settings.effective().with_data(snapshot.meanings)
messages.warn_of_notes(contracts.ignored)
frames = page_data.frames_of(snapshot, contracts)

with st.sidebar:
    metrics, datasets = sidebar.choose_metrics_and_datasets(frames)
    statuses = sidebar.choose_statuses(frames)
    text = st.text_input(
        "Search versions", key="text", bind="query-params", placeholder="name, description, label, uri"
    )
    window = url_controls.choice("Versions shown", WINDOWS, key="window", default="100")
chosen_pairs = queries.shown_pairs(frames, metrics, datasets, contracts.metrics)
if not chosen_pairs:
    st.info("This model has no numeric evaluation results. Versions shows what else there is.")
    messages.end_page()
version_indexes = queries.newest_with(
    frames,
    queries.matching(frames, text=text, statuses=statuses),
    chosen_pairs,
    None if window == "all" else int(window or 100),
)
if not len(version_indexes):
    st.info("No version passes the filters. Clear a filter in the sidebar.")
    messages.end_page()
pairs = queries.drawn_pairs(frames, chosen_pairs, version_indexes)
data = page_data.model_data(registry, model, snapshot, contracts)
with st.container(key="trend-chart"):
    part = versions_table.paged(len(pairs), PANELS, "panels")
    panels = charts.Plot(data=data, shown=pairs[part.start : part.stop], version_indexes=version_indexes)
    hidden, clicked = charts.trend(panels)
    if clicked is not None:
        versions_table.draw_version_links(model_id, clicked)
    without_point = len(chosen_pairs) - len(pairs)
    st.caption(
        "One panel for each metric and dataset, the most covered first, each with its own range. Click a point for "
        "links to its version. Best so far and the approved value count every version"
        + (f"; {counted(hidden, 'point')} of other versions not drawn." if hidden else ".")
        + (f" Left out: {counted(without_point, 'panel')} without a point of these versions." if without_point else "")
    )
with st.container(key="heatmap"):
    approved = queries.newest_approved(frames, pairs)
    scales = {"raw": "Raw values"} | ({"effect": "Effect against the approved version"} if approved is not None else {})
    scale = url_controls.choice("Heatmap", scales, key="scale", default="raw")
    rows = charts.Plot(data=data, shown=pairs[:ROWS], version_indexes=version_indexes)
    against = approved if scale == "effect" else None
    caption = charts.heatmap(rows) if against is None else charts.effect_heatmap(rows, against)
    left_out = f" {len(pairs) - ROWS} rows are not shown: choose datasets." if len(pairs) > ROWS else ""
    st.caption(caption + left_out)
if not_numbers := int(frames.metrics["value"].isna().sum()):
    subject = "1 value is not a number and is" if not_numbers == 1 else f"{not_numbers} values are not numbers and are"
    messages.warn(f"{subject} not drawn; the version in detail shows each.")
messages.warn_of_jumps(data)
downloads.offer(
    lambda: queries.long_form(frames, pairs, version_indexes), "the numbers drawn", f"{model_id}-trends", frames
)

"""Trends: how each metric moved on each dataset, version by version."""

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
    sidebar,
    url_controls,
    versions_table,
)

app_frame.require()

PANELS = 12
ROWS = 60
WINDOWS = {"50": "Newest 50", "100": "Newest 100", "300": "Newest 300", "all": "All versions"}

registry, model, model_id = sidebar.choose_model()
page_data.title(model, model_id)
snapshot = page_data.versions(registry, model_id)
frames = snapshot.frames
contracts = metric_settings.in_force()

with st.sidebar:
    metrics, datasets = sidebar.metric_and_dataset(frames)
    statuses = sidebar.statuses(frames)
    text = st.text_input(
        "Search versions", key="text", bind="query-params", placeholder="name, description, label, uri"
    )
    window = url_controls.choice("Versions shown", WINDOWS, key="window", default="100")
pairs = queries.shown_pairs(frames, metrics, datasets, contracts.metrics)
if not pairs:
    st.info("No version of this model has evaluation results that are numbers. Versions shows what there is.")
    messages.end()
orders = queries.newest_with(
    frames,
    queries.matching(frames, text=text, statuses=statuses),
    pairs,
    None if window == "all" else int(window or 100),
)
if not len(orders):
    st.info("No version passes the filters. Clear a filter in the sidebar.")
    messages.end()
drawn = queries.drawn_pairs(frames, pairs, orders)
empty, pairs = len(pairs) - len(drawn), drawn
names = page_data.dataset_names(registry, model, frames, contracts)
with st.container(key="trend-chart"):
    part = versions_table.paged(len(pairs), PANELS, "panels")
    plot = charts.Plot(snapshot.identity, frames, pairs[part.start : part.stop], orders, names, contracts)
    hidden, clicked = charts.trend(plot)
    if clicked is not None:
        versions_table.version_links(model_id, clicked)
    st.caption(
        "A panel a metric and dataset, the most covered first, each with its own range; a click on a point offers its "
        "version. Best so far and the approved value count every version"
        + (f"; {counted(hidden, 'point')} of other versions not drawn." if hidden else ".")
        + (f" Left out: {counted(empty, 'panel')} without a point of these versions." if empty else "")
    )
with st.container(key="heatmap"):
    approved = queries.newest_approved(frames, pairs)
    scales = {"raw": "Raw values"} | ({"effect": "Effect against the approved version"} if approved is not None else {})
    scale = url_controls.choice("Heatmap", scales, key="scale", default="raw")
    plot = plot._replace(shown=pairs[:ROWS])
    against = approved if scale == "effect" else None
    told = charts.heatmap(plot) if against is None else charts.effect_heatmap(plot, against)
    left_out = f" {len(pairs) - ROWS} rows are not shown: choose datasets." if len(pairs) > ROWS else ""
    st.caption(told + left_out)
not_numbers = int(frames.metrics["value"].isna().sum())
if not_numbers:
    told = "1 value is not a number and is" if not_numbers == 1 else f"{not_numbers} values are not numbers and are"
    messages.warn(f"{told} not drawn; the version in detail shows each.")
messages.warn_of_jumps(snapshot.identity, frames)
downloads.offer(lambda: queries.long_form(frames, pairs, orders), "the numbers drawn", f"{model_id}-trends", frames)

"""Trends: every version against what is approved now, then each metric on each dataset, version by version."""

import numpy as np
import streamlit as st

from paiview.evaluation import queries
from paiview.evaluation.metric_meaning import contract
from paiview.text import counted, escape_markdown
from paiview.ui import (
    app_frame,
    backtest_panel,
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
WINDOWS = {"50": "50", "100": "100", "300": "300", "all": "All"}

registry, model, model_id = page_head.choose_model()
sections = sidebar.draw_sections()
filters = sidebar.choose_version_filters(sections.in_pai, lambda: page_data.offered_versions(registry, model_id))
snapshot = page_data.read_versions(registry, model_id, filters, workspace_id=model.workspace_id)
whole = page_data.read_whole(registry, model_id, snapshot)
contracts = metric_settings.effective().with_data(whole.meanings)
messages.warn_of_notes(contracts.ignored)
frames = page_data.frames_of(whole, contracts)

with sections.what:
    metrics, datasets = sidebar.choose_metrics_and_datasets(frames)
metric = metrics[0] if metrics else queries.main_metric(frames, contracts.metrics)
table_filters = sidebar.choose_table_filters(metric, sections.versions)
with st.container(key="trends-bar", horizontal=True, vertical_alignment="center", gap="small"):
    text = sidebar.choose_search()
    statuses = url_controls.picks("Status", versions_table.status_options(frames), key="status")
    with st.container(key="trends-bar-end", horizontal=True, vertical_alignment="center", width="content"):
        st.caption("Newest", width="content")
        window = url_controls.segments("Versions shown", WINDOWS, key="window", default="100")
        menu = st.container(key="trends-download", width="content")
sidebar.draw_head(sections, sidebar.OF_VERSIONS)
chosen_pairs = queries.shown_pairs(frames, metrics, datasets, contracts.metrics)
passing = np.intersect1d(
    table_filters.matching(frames, text=text, statuses=statuses, datasets=datasets),
    page_data.positions_in(whole, snapshot, frames),
)
version_indexes = queries.newest_with(frames, passing, chosen_pairs, None if window == "all" else int(window))
clauses = []
if sidebar.OF_VERSIONS.is_any_active():
    clauses.append(f"{len(passing)} of {counted(len(frames.versions), 'version')} pass the filters")
if 0 < len(version_indexes) < len(passing):
    is_full = window != "all" and len(version_indexes) == int(window)
    clauses.append(f"{'the newest ' if is_full else ''}{len(version_indexes)} with a number are drawn")
if clauses:
    sidebar.draw_chips(sidebar.OF_VERSIONS, ", ".join(clauses), metric)
if not len(version_indexes):
    if not frames.histories:
        st.info("This model has no numeric evaluation results. Versions shows what else there is.")
    elif len(passing):
        sidebar.draw_empty(
            sidebar.OF_VERSIONS, "None of these versions has a number of these metrics on these datasets"
        )
    else:
        sidebar.draw_empty(sidebar.OF_VERSIONS, f"0 of {counted(len(frames.versions), 'version')} pass the filters")
    messages.end_page()
pairs = queries.drawn_pairs(frames, chosen_pairs, version_indexes)
data = page_data.model_data(registry, model, whole, contracts)

with st.container(key="overview"):
    main = metrics[0] if metrics else chosen_pairs[0].metric
    meaning = contract(main, contracts.metrics)
    main_pairs = [pair for pair in chosen_pairs if pair.metric == main]
    against = queries.newest_approved(frames, main_pairs)
    shown_name = escape_markdown(main, 60)
    if against is None:
        has_approved = frames.newest_approved_name is not None
        subject = "no approved version has a number of" if has_approved else "no version is approved to compare with on"
        st.caption(f"No overview: {subject} {shown_name}.")
    elif meaning.direction is None or meaning.standing == "not_a_score":
        st.caption(f"No overview: nobody has said whether more or less of {shown_name} is better.")
    else:
        name = frames.versions["version_name"].iloc[against]
        label = escape_markdown(name, 60)
        now = "approved now" if name == frames.newest_approved_name else f"the newest approved with {shown_name}"
        st.subheader(f"Every version against {label}, {now}", anchor=False)
        how = st.empty()
        plot = charts.Plot(data=data, shown=main_pairs, version_indexes=version_indexes)
        drawn = charts.overview(plot, against)
        if drawn.clicked is not None:
            versions_table.draw_version_links(model_id, drawn.clicked)
        beyond = "1 mark beyond the axis stands" if drawn.beyond == 1 else f"{drawn.beyond} marks beyond the axis stand"
        how.caption(
            f"Mean effect on {shown_name} over the datasets that both have; above the dashed line is better (blue), "
            "below is worse (vermillion). The bar reaches from the worst dataset to the best."
            + (f" {beyond} at its edge." if drawn.beyond else "")
            + (f" {counted(drawn.unshared, 'version')} without a shared dataset not drawn." if drawn.unshared else "")
            if drawn.drawn
            else f"None of these versions shares a dataset with it on {shown_name}."
        )

approved = queries.newest_approved(frames, pairs)
with st.container(key="trend-parts", horizontal=True, vertical_alignment="center"):
    st.subheader("Dataset by dataset", anchor=False, width="content")
    views = {"panels": "Panels", "raw": "Values"}
    views |= {"effect": "Change against approved"} if approved is not None else {}
    view = url_controls.segments("View", views, key="scale", default="panels")
    numbers = st.container(
        key="trend-pages",
        horizontal=True,
        horizontal_alignment="right",
        vertical_alignment="center",
        width="stretch",
    )
if view == "panels":
    with numbers:
        part = versions_table.paged(len(pairs), PANELS, "panels")
    with st.container(key="trend-chart"):
        panels = charts.Plot(data=data, shown=pairs[part.start : part.stop], version_indexes=version_indexes)
        hidden, clicked = charts.trend(panels)
        if clicked is not None:
            versions_table.draw_version_links(model_id, clicked)
        without_point = len(chosen_pairs) - len(pairs)
        st.caption(
            "The most covered first, each with its own range. Click a point for links to its version. Best so far and "
            "the approved value count every version"
            + (f"; {counted(hidden, 'point')} of other versions not drawn." if hidden else ".")
            + (
                f" Left out: {counted(without_point, 'panel')} without a point of these versions."
                if without_point
                else ""
            )
        )
else:
    with st.container(key="heatmap"):
        rows = charts.Plot(data=data, shown=pairs[:ROWS], version_indexes=version_indexes)
        if view == "effect" and approved is not None:
            caption = charts.effect_heatmap(rows, approved)
        else:
            caption = charts.heatmap(rows, approved)
        left_out = f" {len(pairs) - ROWS} rows are not shown: choose datasets." if len(pairs) > ROWS else ""
        st.caption(caption + left_out)
if not_numbers := int(frames.metrics["value"].isna().sum()):
    subject = "1 value is not a number and is" if not_numbers == 1 else f"{not_numbers} values are not numbers and are"
    messages.warn(f"{subject} not drawn; the version in detail shows each.")
messages.warn_of_jumps(data)
with menu:
    numbers_drawn = downloads.Table(
        "Numbers drawn",
        "The numbers of the versions and datasets drawn here, a row each.",
        "trends",
        lambda: queries.long_form(frames, pairs, version_indexes),
    )
    downloads.offer(model_id, [numbers_drawn])
backtest_panel.draw(whole, contracts, data.dataset_names)

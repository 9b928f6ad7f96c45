"""Compare: is the candidate better than what is approved, on every dataset that matters?"""

import streamlit as st

from paiview.decisions.pair_rows import PAIR_SORTS, pair_rows, pairs_of
from paiview.reports import plain_text
from paiview.ui import (
    app_frame,
    charts,
    comparison_controls,
    decision_view,
    messages,
    metric_settings,
    page_data,
    page_head,
    report_downloads,
    sidebar,
    url_controls,
    versions_table,
)

app_frame.require()

ROWS = 100
PICTURES = {"effect": "Effect on each dataset", "raw": "Both versions in raw units"}

registry, model, model_id = page_head.choose_model()
# The rules choose the baseline below: from what is approved now.
naming = comparison_controls.requested_versions(model_id)
snapshot = page_data.read_versions(registry, model_id, current=True, naming=naming)
contracts = metric_settings.effective().with_data(snapshot.meanings)
with st.sidebar:
    sides = comparison_controls.choose_sides(registry, snapshot.lineage, registry.workspace_id, contracts)
if not sides.candidates:
    pending = snapshot.lineage.newest_pending() is not None
    st.info("Choose a candidate in the sidebar" + ("." if pending else ": no version of this model is Pending."))
    messages.end_page()
if sides.baseline_model is not None and sides.baseline is None:
    st.info("Choose the baseline among the versions of the other model, in the sidebar.")
    messages.end_page()
live = comparison_controls.live_decisions(registry, model_id, sides, contracts)
comparison_controls.warn_of_other_data(live.decisions, sides.link_fingerprint)
all_datasets = sorted({pair.dataset for decision in live.decisions for pair in decision.pairs})
all_metrics = sorted({pair.metric for decision in live.decisions for pair in decision.pairs})
names = page_data.read_dataset_names(
    registry, model, page_data.frames_of(snapshot, contracts), contracts, others=all_datasets
)
decisions = [decision.named(names) for decision in live.decisions]
single = decisions[0] if len(decisions) == 1 else None
messages.warn_of_notes(note for decision in decisions for note in decision.notes)

with st.sidebar:
    metrics = sidebar.choose_any("Metric", all_metrics, "metric", "All")
    datasets = sidebar.choose_any("Dataset", all_datasets, "dataset", "All")
    states = sidebar.choose_any("State", list(plain_text.STATES), "state", "All")
    hide_identical = st.toggle("Hide identical rows", key="hide_identical", bind="query-params")
    sort = url_controls.choice("Sort rows", PAIR_SORTS, key="sort", default="worst") or "worst"

statuses = comparison_controls.approval_statuses(live, model_id)
with st.container(key="verdict", border=True):
    if single is not None:
        decision_view.draw_headline(single, statuses)
    else:
        decision_view.draw_several(decisions, statuses)
# A container even when it is empty: a line that comes and goes would move everything below it.
with st.container(key="read-anew"):
    if live.read_at > snapshot.fully_read_at:
        st.caption(
            f"The versions compared were read again {page_data.age(live.read_at)} ago ({live.read_at:%H:%M:%S} UTC)."
        )
if all_metrics:
    metric_settings.draw_form(all_metrics, contracts)

rows = pair_rows(decisions, metrics=metrics, datasets=datasets, states=states, hide_identical=hide_identical, sort=sort)
if len(rows):
    with st.container(key="delta-chart"):
        shown = pairs_of(rows)
        picture = url_controls.choice("Picture", PICTURES, key="picture", default="effect") if single else "effect"
        if single is not None and picture == "raw":
            decision_view.explain_dumbbells(charts.dumbbells(single, shown))
        else:
            decision_view.explain_deltas(*charts.deltas(decisions, shown), whole_rows=not single and bool(states))
pair_count = sum(len(decision.pairs) - decision.summary.not_judged for decision in decisions)
with st.container(key="compare-table"):
    st.subheader("Every pair" if pair_count else "No pair", anchor=False)
    hidden = pair_count - sum(row.pair.state != "not_judged" for row in rows)
    part = versions_table.paged(len(rows), ROWS, "pairs") if pair_count else None
    if part is not None and len(rows):
        decision_view.draw_pairs(rows[part.start : part.stop], decisions)
    if hidden:
        st.caption(f"{hidden} hidden by the filters of the sidebar. The verdict counts them all.")
    decision_view.draw_not_judged(decisions)
    if single is not None:
        decision_view.draw_averages(single)
if single is None:
    with st.container(key="pareto"):
        decision_view.draw_pareto(decisions)
with st.container(key="policy"):
    st.subheader("Policy", anchor=False)
    for decision in decisions:
        decision_view.draw_rules(decision, named=single is None)
with st.container(key="spec-diff"):
    report_downloads.draw_differences(live)
with st.container(key="report"):
    comparison_controls.draw_copy_link(live.decisions)
    report_downloads.offer(live.decisions, names)

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
    report_downloads,
    sidebar,
    url_controls,
    versions_table,
)

app_frame.require()

ROWS = 100
PICTURES = {"effect": "Effect on each dataset", "raw": "Both versions in raw units"}

registry, model, model_id = sidebar.choose_model()
page_data.title(model, model_id)
# What the rules choose below is pinned in the link: it is chosen from what is approved now.
snapshot = page_data.versions(registry, model_id, current=True)
contracts = metric_settings.in_force()
with st.sidebar:
    chosen = comparison_controls.choose(registry, snapshot.lineage, registry.workspace_id, contracts.aliases)
if not chosen.candidates:
    pending = snapshot.lineage.newest_pending() is not None
    st.info("Choose a candidate in the sidebar" + ("." if pending else ": no version of this model is Pending."))
    messages.end()
if chosen.baseline_model is not None and chosen.baseline is None:
    st.info("Choose the baseline among the versions of the other model, in the sidebar.")
    messages.end()
judged = comparison_controls.decide(registry, model_id, chosen, contracts)
decided = judged.decisions
comparison_controls.pin(decided, chosen.seen)
datasets_in_play = sorted({pair.dataset for decision in decided for pair in decision.pairs})
names = page_data.dataset_names(registry, model, snapshot.frames, contracts, also=datasets_in_play)
decisions = [decision.named(names) for decision in decided]
first = decisions[0]
messages.warn_of_notes(note for decision in decisions for note in decision.notes)

metrics_in_play = sorted({pair.metric for decision in decisions for pair in decision.pairs})
with st.sidebar:
    metrics = sidebar.several("Metric", metrics_in_play, "metric", "All")
    datasets = sidebar.several("Dataset", datasets_in_play, "dataset", "All")
    shown_states = sidebar.several("State", list(plain_text.STATES), "state", "All")
    identical = st.toggle("Hide identical rows", key="hide_identical", bind="query-params")
    sort = url_controls.choice("Sort rows", PAIR_SORTS, key="sort", default="worst") or "worst"

status = comparison_controls.statuses(judged, model_id)
with st.container(key="verdict", border=True):
    if len(decisions) == 1:
        decision_view.draw_headline(first, status)
    else:
        decision_view.draw_several(decisions, status)
# A place of its own, empty or not: what came and went between the parts would move all below it.
with st.container(key="read-anew"):
    if judged.read_at > snapshot.fully_read_at:
        read = f"{page_data.age(judged.read_at)} ago ({judged.read_at:%H:%M:%S} UTC)"
        st.caption(f"The versions judged were read anew {read}.")
if metrics_in_play:
    metric_settings.form(metrics_in_play, contracts)

rows = pair_rows(
    decisions, metrics=metrics, datasets=datasets, states=shown_states, hide_identical=identical, sort=sort
)
if len(rows):
    with st.container(key="delta-chart"):
        shown = pairs_of(rows)
        one = len(decisions) == 1
        picture = url_controls.choice("Picture", PICTURES, key="picture", default="effect") if one else "effect"
        if picture == "raw":
            decision_view.explain_dumbbells(charts.dumbbells(first, shown))
        else:
            decision_view.explain_deltas(*charts.deltas(decisions, shown), whole_rows=not one and bool(shown_states))
every = sum(len(decision.pairs) for decision in decisions)
with st.container(key="compare-table"):
    st.subheader("Every pair" if every else "No pair", anchor=False)
    hidden = every - len(rows)
    part = versions_table.paged(len(rows), ROWS, "pairs") if every else None
    if part is not None and len(rows):
        decision_view.draw_pairs(rows[part.start : part.stop], decisions)
    if hidden:
        st.caption(f"{hidden} hidden by the filters of the sidebar. The verdict counts them all.")
    if len(decisions) == 1:
        decision_view.draw_averages(first)
if len(decisions) > 1:
    with st.container(key="pareto"):
        decision_view.draw_pareto(decisions)
with st.container(key="policy"):
    st.subheader("Policy", anchor=False)
    for decision in decisions:
        decision_view.draw_rules(decision, named=len(decisions) > 1)
with st.container(key="spec-diff"):
    report_downloads.differences(judged)
with st.container(key="report"):
    report_downloads.offer(decided, names)

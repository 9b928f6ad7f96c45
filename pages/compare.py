"""Compare: is the candidate better than what is approved, on every dataset that matters?"""

import streamlit as st

from paiview.decisions.pair_rows import PAIR_SORTS, pair_rows, pairs_of
from paiview.reports import plain_text
from paiview.ui import charts, meanings, reports, shell, sidebar, sides, state, states, tables, verdicts

shell.require()

ROWS = 100
PICTURES = {"effect": "Effect on each dataset", "raw": "Both versions in raw units"}

registry, model, model_id = sidebar.choose_model()
states.title(model, model_id)
# What the rules choose below is pinned in the link: it is chosen from what is approved now.
snapshot = states.versions(registry, model_id, current=True)
contracts = meanings.in_force()
with st.sidebar:
    chosen = sides.choose(registry, snapshot.lineage, registry.workspace_id, contracts.aliases)
if not chosen.candidates:
    pending = snapshot.lineage.newest_pending() is not None
    st.info("Choose a candidate in the sidebar" + ("." if pending else ": no version of this model is Pending."))
    states.end()
if chosen.baseline_model is not None and chosen.baseline is None:
    st.info("Choose the baseline among the versions of the other model, in the sidebar.")
    states.end()
judged = sides.decide(registry, model_id, chosen, contracts)
decided = judged.decisions
sides.pin(decided, chosen.seen)
datasets_in_play = sorted({pair.dataset for decision in decided for pair in decision.pairs})
names = states.dataset_names(registry, model, snapshot.frames, contracts, also=datasets_in_play)
decisions = [decision.named(names) for decision in decided]
first = decisions[0]
states.warn_of_notes(note for decision in decisions for note in decision.notes)

metrics_in_play = sorted({pair.metric for decision in decisions for pair in decision.pairs})
with st.sidebar:
    metrics = sidebar.several("Metric", metrics_in_play, "metric", "All")
    datasets = sidebar.several("Dataset", datasets_in_play, "dataset", "All")
    shown_states = sidebar.several("State", list(plain_text.STATES), "state", "All")
    identical = st.toggle("Hide identical rows", key="hide_identical", bind="query-params")
    sort = state.choice("Sort rows", PAIR_SORTS, key="sort", default="worst") or "worst"

status = sides.statuses(judged, model_id)
with st.container(key="verdict", border=True):
    if len(decisions) == 1:
        verdicts.draw_headline(first, status)
    else:
        verdicts.draw_several(decisions, status)
# A place of its own, empty or not: what came and went between the parts would move all below it.
with st.container(key="read-anew"):
    if judged.read_at > snapshot.whole_at:
        read = f"{states.age(judged.read_at)} ago ({judged.read_at:%H:%M:%S} UTC)"
        st.caption(f"The versions judged were read anew {read}.")
if metrics_in_play:
    meanings.form(metrics_in_play, contracts)

rows = pair_rows(
    decisions, metrics=metrics, datasets=datasets, states=shown_states, hide_identical=identical, sort=sort
)
if len(rows):
    with st.container(key="delta-chart"):
        shown = pairs_of(rows)
        one = len(decisions) == 1
        picture = state.choice("Picture", PICTURES, key="picture", default="effect") if one else "effect"
        if picture == "raw":
            verdicts.explain_dumbbells(charts.dumbbells(first, shown))
        else:
            verdicts.explain_deltas(*charts.deltas(decisions, shown), whole_rows=not one and bool(shown_states))
every = sum(len(decision.pairs) for decision in decisions)
with st.container(key="compare-table"):
    st.subheader("Every pair" if every else "No pair", anchor=False)
    hidden = every - len(rows)
    part = tables.paged(len(rows), ROWS, "pairs") if every else None
    if part is not None and len(rows):
        verdicts.draw_pairs(rows[part.start : part.stop], decisions)
    if hidden:
        st.caption(f"{hidden} hidden by the filters of the sidebar. The verdict counts them all.")
    if len(decisions) == 1:
        verdicts.draw_averages(first)
if len(decisions) > 1:
    with st.container(key="pareto"):
        verdicts.draw_pareto(decisions)
with st.container(key="policy"):
    st.subheader("Policy", anchor=False)
    for decision in decisions:
        verdicts.draw_rules(decision, named=len(decisions) > 1)
with st.container(key="spec-diff"):
    reports.differences(judged)
with st.container(key="report"):
    reports.offer(decided, names)

"""Compare: is the candidate better than what is approved, on every dataset that matters?"""

from collections import Counter

import streamlit as st

from paiview.decisions.decision import BY_CONCERN
from paiview.decisions.pair_rows import PAIR_SORTS, pair_rows, pairs_of
from paiview.reports import plain_text
from paiview.ui import (
    app_frame,
    charts,
    comparison_controls,
    messages,
    metric_settings,
    page_data,
    page_head,
    report_downloads,
    results_view,
    sidebar,
    url_controls,
    verdict_view,
    versions_table,
)

app_frame.require()

ROWS = 100
PICTURES_OF_ONE = {"effect": "Effect", "raw": "Raw units", "table": "Table"}
PICTURES_OF_SEVERAL = {"matrix": "Matrix", "effect": "Effect", "table": "Table"}

registry, model, model_id = page_head.choose_model()
# The rules choose the baseline below: from what is approved now.
naming = comparison_controls.requested_versions(model_id)
snapshot = page_data.read_versions(registry, model_id, workspace_id=model.workspace_id, current=True, naming=naming)
contracts = metric_settings.effective().with_data(snapshot.meanings)
with st.container(key="bar", horizontal=True, vertical_alignment="center"):
    with st.container(key="chooser", horizontal=True, vertical_alignment="center", width="content"):
        sides = comparison_controls.choose_sides(registry, snapshot.lineage, registry.workspace_id, contracts)
    actions = st.container(key="actions", horizontal=True, vertical_alignment="center", width="content")
if not sides.candidates:
    pending = snapshot.lineage.newest_pending() is not None
    st.info("Choose a candidate above" + ("." if pending else ": no version of this model is Pending."))
    messages.end_page()
if sides.baseline_model is not None and sides.baseline is None:
    st.info("Choose the baseline among the versions of the other model, above.")
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

with st.sidebar:
    metrics = sidebar.choose_any("Metric", all_metrics, "metric", "All")
    datasets = sidebar.choose_any("Dataset", all_datasets, "dataset", "All")
    hide_identical = st.toggle("Hide identical rows", key="hide_identical", bind="query-params")
    sort = url_controls.choice("Sort rows", PAIR_SORTS, key="sort", default="worst") or "worst"

statuses = comparison_controls.approval_statuses(live, model_id)
page_head.offer_console(registry, model, [live.versions[model_id, item.candidate] for item in decisions])
with st.container(key="verdict"):
    if single is not None:
        other = snapshot.lineage.largest_overlap(single, contracts)
        verdict_view.draw_verdict(single, statuses, other)
    else:
        verdict_view.draw_leaderboard(decisions, statuses)
is_open = metric_settings.has_open_questions(all_metrics, contracts)
if is_open:
    metric_settings.draw_form(all_metrics, contracts)

counts = Counter(pair.state for decision in decisions for pair in decision.pairs)
is_measured = any(pair.effect is not None for decision in decisions for pair in decision.pairs)
with st.container(key="results-bar", horizontal=True, vertical_alignment="center"):
    st.subheader("Results" if single else "Results of each", anchor=False, width="content")
    pictures = PICTURES_OF_ONE if single else PICTURES_OF_SEVERAL
    usual = next(iter(pictures)) if is_measured else "table"
    picture = url_controls.segments("Picture", pictures, key="picture", default=usual)
    present = [state for state in BY_CONCERN if counts[state]]
    pills = dict[str, str](zip(present, (plain_text.count_text(each, counts[each]) for each in present), strict=True))
    states = url_controls.picks("State", pills, key="state")
rows = pair_rows(decisions, metrics=metrics, datasets=datasets, states=states, hide_identical=hide_identical, sort=sort)
pair_count = sum(len(decision.pairs) - decision.summary.not_judged for decision in decisions)
hidden = pair_count - sum(row.pair.state != "not_judged" for row in rows)
with st.container(key="results"):
    if not rows:
        st.caption("No pair passes the filters." if pair_count else "No pair.")
    elif picture == "table":
        with st.container(key="compare-table"):
            part = versions_table.paged(len(rows), ROWS, "pairs")
            results_view.draw_pairs(rows[part.start : part.stop], decisions)
    elif picture == "matrix":
        results_view.draw_matrix(rows, decisions)
    else:
        with st.container(key="delta-chart"):
            shown = pairs_of(rows)
            if single is not None and picture == "raw":
                results_view.explain_dumbbells(charts.dumbbells(single, shown))
            else:
                left_out, beyond = charts.deltas(decisions, shown)
                results_view.explain_deltas(
                    left_out,
                    beyond,
                    whole_rows=not single and bool(states),
                    has_whiskers=any(row.pair.paired or row.pair.interval for row in rows),
                )
    if hidden:
        st.caption(f"{hidden} hidden by the filters. The verdict counts them all.")
    results_view.draw_not_judged(decisions)
    if single is not None:
        results_view.draw_averages(single)
if single is None:
    with st.container(key="pareto"):
        results_view.draw_pareto(decisions)
if all_metrics and not is_open:
    metric_settings.draw_form(all_metrics, contracts)
with st.container(key="spec-diff"):
    report_downloads.draw_differences(live)
with st.container(key="read-again"):
    if live.read_at > snapshot.fully_read_at:
        st.caption(
            f"The versions compared were read again {page_data.age(live.read_at)} ago ({live.read_at:%H:%M:%S} UTC)."
        )
with actions:
    report_downloads.offer(live.decisions, names, comparison_controls.link_to(live.decisions))

"""Models: the versions that wait for review, the most promising first, and the models of a workspace."""

import streamlit as st

from paiview.registry.model_search import matching_models
from paiview.text import counted
from paiview.ui import (
    app_frame,
    metric_settings,
    model_list,
    page_data,
    page_head,
    review_queue,
    sidebar,
    versions_table,
)

app_frame.require()
review_queue.open_clicked()

CARDS_PER_PAGE = 12

registry = page_head.connect_or_end()
with st.container(key="h1"):
    st.title("Models", anchor=False)
workspace_id = page_head.choose_workspace(registry)
sections = sidebar.draw_sections()
in_pai = sidebar.choose_model_filters(sections.in_pai, lambda: page_data.offered_models(registry, workspace_id))
snapshot = page_data.read_models(registry, workspace_id, in_pai)
contracts = metric_settings.effective()
task, domain = sidebar.choose_task_and_domain(sections.what, snapshot.items)
if registry.embedded:
    model_list.draw_welcome()
chips = st.container()
queue = st.container(key="queue")
with st.container(key="models-bar", horizontal=True, vertical_alignment="center"):
    heading = st.container(width="content")
    text = sidebar.choose_model_search()
    sort = sidebar.choose_model_sort()
sidebar.draw_head(sections, sidebar.OF_MODELS)
matches = matching_models(snapshot.items, text=text, task=task, domain=domain, sort=sort)
# How many there would be without the filters of PAI is not asked.
of_all = "" if len(matches) == len(snapshot.items) else f"{len(matches)} of "
model_count = f"{of_all}{counted(len(snapshot.items), 'model')}"
heading.header(model_count, anchor=False)
if sidebar.OF_MODELS.is_any_active():
    with chips:
        sidebar.draw_chips(sidebar.OF_MODELS, f"{model_count} pass the filters")
part = versions_table.paged(len(matches), CARDS_PER_PAGE, "models")
if snapshot.items and not matches:
    sidebar.draw_empty(sidebar.OF_MODELS, f"0 of {counted(len(snapshot.items), 'model')} pass the filters")
elif not snapshot.items and snapshot.is_filtered:
    sidebar.draw_empty(sidebar.OF_MODELS, "PAI lists no model for these filters")
elif not snapshot.items:
    st.info("There are no models here. Register one in PAI, or choose another workspace.")
shown = matches[part.start : part.stop]
cards = model_list.draw_cards(shown)
with queue, st.skeleton(height=review_queue.HEIGHT_PIXELS):
    read = model_list.read_models(registry, matches, shown, contracts, cards)
    waiting = review_queue.judged(read, left_out=len(matches) - len(read))
with queue:
    review_queue.draw(waiting)

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
snapshot = page_data.read_models(registry, workspace_id)
contracts = metric_settings.effective()
filters = sidebar.choose_models(snapshot.items)
if registry.embedded:
    model_list.draw_welcome()
queue = st.container(key="queue")
with st.container(key="models-bar", horizontal=True, vertical_alignment="center"):
    heading = st.container(width="content")
    sort = sidebar.choose_model_sort()
    sidebar.draw_active(filters)
matches = matching_models(snapshot.items, text=filters.q, task=filters.task, domain=filters.domain, sort=sort)
of_all = "" if len(matches) == len(snapshot.items) else f"{len(matches)} of "
heading.header(f"{of_all}{counted(len(snapshot.items), 'model')}", anchor=False)
part = versions_table.paged(len(matches), CARDS_PER_PAGE, "models")
shown = matches[part.start : part.stop]
cards = model_list.draw_cards(shown)
with queue, st.skeleton(height=review_queue.HEIGHT_PIXELS):
    read = model_list.read_models(registry, matches, shown, contracts, cards)
    waiting = review_queue.judged(read, left_out=len(matches) - len(read))
with queue:
    review_queue.draw(waiting)

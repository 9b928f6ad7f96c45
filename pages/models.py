"""Models: the models of a workspace, and their versions that wait for review."""

import streamlit as st

from paiview.registry.model_search import matching_models
from paiview.ui import app_frame, model_list, page_data, page_head, sidebar, versions_table

app_frame.require()

ROWS = 10

registry = page_head.connect_or_end()
with st.container(key="h1"):
    st.title("Models", anchor=False)
workspace_id = page_head.choose_workspace(registry)
snapshot = page_data.read_models(registry, workspace_id)
with st.sidebar:
    text = st.text_input("Search", key="q", bind="query-params", placeholder="name, id, description, label")
    task = sidebar.choose_one("Task", [model.task for model in snapshot.items], "task")
    domain = sidebar.choose_one("Domain", [model.domain for model in snapshot.items], "domain")
    sort = sidebar.choose_model_sort()
matches = matching_models(snapshot.items, text=text, task=task, domain=domain, sort=sort)

queue = st.container(key="queue", border=True)
st.subheader("All models", anchor=False)
part = versions_table.paged(len(matches), ROWS, "models")
shown = matches[part.start : part.stop]
slots = model_list.draw_models(shown)
model_list.draw_reviews(registry, shown, queue, slots)

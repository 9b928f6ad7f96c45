"""Models: which models are here, and which versions wait for review."""

import streamlit as st

from paiview.registry.model_search import matching_models
from paiview.ui import app_frame, model_list, page_data, sidebar, versions_table

app_frame.require()

ROWS = 10

registry = sidebar.connect_or_end()
st.title("Models", anchor=False)
with st.sidebar:
    workspace_id = sidebar.workspace(registry)
listing = page_data.models(registry, workspace_id)
with st.sidebar:
    text = st.text_input("Search", key="q", bind="query-params", placeholder="name, id, description, label")
    task = sidebar.one_of_these("Task", [model.task for model in listing.items], "task")
    domain = sidebar.one_of_these("Domain", [model.domain for model in listing.items], "domain")
    sort = sidebar.model_sort()
found = matching_models(listing.items, text=text, task=task, domain=domain, sort=sort)

queue = st.container(key="queue", border=True)
st.subheader("All models", anchor=False)
part = versions_table.paged(len(found), ROWS, "models")
shown = found[part.start : part.stop]
rows = model_list.rows(shown)
model_list.review(registry, shown, queue, rows)

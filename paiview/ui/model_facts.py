"""What PAI says of a model: a part of the head that is filled when it is open, and the facts of a card."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from paiview.pai.objects import Model
from paiview.secret_masking import MASK
from paiview.text import ascii_host, escape_invisible, escape_markdown, http_url, one_line, several_lines
from paiview.ui.copied import draw_copied

_MAX_CELL_CHARACTERS = 2000
_MAX_LINES = 60
_WIDTH_PIXELS = 520


def draw(model: Model) -> None:
    """Draw a popover with every field of a model, its description first."""
    about = st.popover(
        "About this model", icon=":material/info:", type="tertiary", key="about-model", on_change="rerun"
    )
    if not about.open:
        return
    with about, st.container(width=_WIDTH_PIXELS, key="model-facts"):
        if model.model_description:
            st.text(several_lines(model.model_description, most=_MAX_LINES))
        table = pd.DataFrame(_rows(model), columns=["field", "value"], dtype="str")
        if len(table):
            st.dataframe(table, hide_index=True, height="content", alt="Fields of the model")
        draw_copied(
            [
                ("ModelId", model.model_id),
                ("WorkspaceId", model.workspace_id),
                ("UserId", model.user_id),
                ("OwnerId", model.owner_id),
            ],
            "model",
        )
        if model.model_doc:
            _draw_doc(model.model_doc)
        if model.extra_info:
            st.markdown("**ExtraInfo**")
            st.json(escape_invisible(model.extra_info), expanded=1)
        if model.model_extra:
            st.markdown("**Fields that PAI does not document**")
            st.json(escape_invisible(model.model_extra), expanded=1)


def card_facts(model: Model) -> str:
    """Task, domain, provider and type of a model as Markdown, those that there are."""
    facts = (model.task, model.domain, model.provider, model.model_type)
    return " · ".join(escape_markdown(fact, 60) for fact in facts if fact)


def _draw_doc(text: str) -> None:
    """Draw ModelDoc, which is the address of a document or the document itself, as text: none of it is rendered."""
    st.markdown("**ModelDoc**")
    address = None if MASK in text else http_url(text)
    if address is None:
        st.text(several_lines(text, most=_MAX_LINES))
        return
    draw_copied([("Address", text)], "model-doc")
    st.link_button(f"Open it at {escape_markdown(ascii_host(address))}", address)


def _rows(model: Model) -> list[tuple[str, str]]:
    """Field and value of each field that is a short text."""
    size = model.parameter_size
    fields: Sequence[tuple[str, str | None]] = (
        ("Provider", model.provider),
        ("Origin", model.origin),
        ("ModelType", model.model_type),
        ("ParameterSize", None if size is None else f"{size:,} million"),
        ("Domain", model.domain),
        ("Task", model.task),
        ("Accessibility", model.accessibility),
        ("OrderNumber", None if model.order_number is None else str(model.order_number)),
        ("Created", model.gmt_create_time),
        ("Modified", model.gmt_modified_time),
        ("Newest version modified", model.gmt_latest_version_modified_time),
        *((f"Tag {tag.key}", tag.value) for tag in model.tags),
        # PAI still sends tags under their former name, labels, too.
        *((f"Label {label.key}", label.value) for label in model.labels if label not in model.tags),
    )
    return [(one_line(name), one_line(value, _MAX_CELL_CHARACTERS)) for name, value in fields if value]

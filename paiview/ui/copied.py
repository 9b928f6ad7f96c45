"""Ids and addresses, each with an icon that copies it."""

from collections.abc import Iterable

import streamlit as st

from paiview.text import one_line

_LABEL_PIXELS = 118
_MAX_CHARACTERS = 4000


def draw_copied(texts: Iterable[tuple[str, str | None]], key: str) -> None:
    """Draw the texts that there are, a line each with its label in front.

    Args:
        texts: label and text; the label is Markdown, with text of the service escaped. A text is on one line, in which
            white space and invisible characters are not as they came.
        key: of the container, unique on the page.
    """
    present = [(label, text) for label, text in texts if text]
    if not present:
        return
    # The style sheet makes lines of blocks whose key begins so.
    with st.container(key=f"copied-{key}", gap="xsmall"):
        for label, text in present:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.caption(label, width=_LABEL_PIXELS)
                st.code(one_line(text, _MAX_CHARACTERS), language=None, wrap_lines=True)

"""What follows a decision: how the versions differ besides their results, and the downloads of its report."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from paiview.decisions.decision import Decision
from paiview.decisions.differences import Difference, differences, undetermined
from paiview.registry.live_decision import LiveDecisions
from paiview.reports import documents
from paiview.text import counted, escape_markdown, file_name, one_line, unique_labels

_MAX_ROWS = 500


def draw_differences(live: LiveDecisions) -> None:
    """Draw a section with the fields, labels and specs in which the versions differ; it is filled when it is open."""
    baselines = dict.fromkeys((decision.baseline_model, decision.baseline) for decision in live.decisions)
    known_baselines = [(model, name) for model, name in baselines if model is not None and name is not None]
    if not known_baselines:
        return
    section = st.expander("What else differs: fields, labels, specs", on_change="rerun", key="differences")
    if not section.open:
        return
    versions = [(f"{name} (baseline)", live.versions[model, name]) for model, name in known_baselines]
    versions += [(item.candidate, live.versions[item.model, item.candidate]) for item in live.decisions]
    # By number: two versions of different models may have the same label.
    compared = {str(number): version for number, (_, version) in enumerate(versions)}
    rows, masked = differences(compared), undetermined(compared)
    with section:
        if masked:
            st.warning(
                f"{counted(len(masked), 'field')} came with values already masked, so they may differ or not: "
                f"{escape_markdown(', '.join(masked), 400)}"
            )
        if rows:
            _draw_difference_rows(rows, [label for label, _ in versions])
        elif not masked:
            st.info("These versions differ in their results alone.")


def _draw_difference_rows(rows: Sequence[Difference], labels: Sequence[str]) -> None:
    table = pd.DataFrame(
        [[one_line(row.path), *(None if text is None else one_line(text, 500) for text in row.texts)] for row in rows],
        columns=unique_labels(["field", *(one_line(label) for label in labels)]),
    )
    st.dataframe(
        table.head(_MAX_ROWS),
        hide_index=True,
        placeholder="–",
        alt="Differences of the versions",
        # Left to its longest text, one column would push the others out of sight.
        column_config={name: st.column_config.TextColumn(name, width="medium") for name in table.columns[1:]},
    )
    caption = f"{counted(len(rows), 'difference')}; equal fields are left out."
    st.caption(caption + (f" The first {_MAX_ROWS} are shown." if len(rows) > _MAX_ROWS else ""))


def offer(decisions: Sequence[Decision], names: Mapping[str, str], link: str) -> None:
    """Offer the link and the text of a comparison to copy, and each decision as a report, built when it is downloaded.

    Args:
        decisions: the decisions, without names of datasets.
        names: DatasetId to a name, for the formats that people read.
        link: names the baseline and the data as they are now.
    """
    copied = st.popover("Copy", icon=":material/content_copy:", key="copy", on_change="rerun")
    if copied.open:
        with copied:
            st.caption("The link names the baseline, and says when the data have changed since.")
            st.code(link, language=None, wrap_lines=True)
            st.caption("As Markdown, for a merge request or a chat")
            text = "\n\n".join(documents.to_markdown(decision.named(names)) for decision in decisions)
            st.code(text, language="markdown", height=320)
    formats: list[tuple[str, str, str, Callable[[Decision], str | bytes]]] = [
        ("HTML", "html", "text/html", lambda decision: documents.to_html(decision.named(names))),
        ("Markdown", "md", "text/markdown", lambda decision: documents.to_markdown(decision.named(names))),
        ("CSV", "csv", "text/csv", documents.to_csv),
        ("JSON", "json", "application/json", documents.to_json),
    ]
    reports = st.popover("Report", icon=":material/description:", key="reports", on_change="rerun")
    if not reports.open:
        return
    with reports:
        for decision in decisions:
            if len(decisions) > 1:
                st.caption(f"**{escape_markdown(decision.candidate, 60)}**")
            with st.container(horizontal=True):
                for label, ending, mime, build in formats:
                    st.download_button(
                        label,
                        partial(build, decision),
                        file_name=file_name(decision.model, decision.candidate, ending=ending),
                        mime=mime,
                        key=f"report-{ending}-{decision.candidate}",
                        on_click="ignore",
                    )

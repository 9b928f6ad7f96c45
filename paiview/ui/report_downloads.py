"""What goes with a verdict: how the versions differ besides their results, and the report to take along."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from paiview.decisions import differences as compared
from paiview.decisions.decision import Decision
from paiview.registry.live_decision import LiveDecisions
from paiview.reports import documents
from paiview.text import counted, escape_markdown, file_name, one_line, unique_labels

_MOST_ROWS = 500


def differences(judged: LiveDecisions) -> None:
    """Draw the fields, labels and specs in which the candidates differ from the baseline, on demand."""
    decisions = judged.decisions
    baselines = {(decision.baseline_model, decision.baseline): None for decision in decisions}
    named = [(home, name) for home, name in baselines if home is not None and name is not None]
    if not named:
        return
    place = st.expander("What else differs: fields, labels, specs", on_change="rerun", key="differences")
    if not place.open:
        return
    sides = [(f"{name} (baseline)", judged.versions[home, name]) for home, name in named]
    sides += [(decision.candidate, judged.versions[decision.model, decision.candidate]) for decision in decisions]
    # By their place, for a version may be called as another one is shown.
    found = compared.differences({str(place): version for place, (_, version) in enumerate(sides)})
    with place:
        if not found:
            st.info("These versions differ in their results alone.")
            return
        table = pd.DataFrame(
            [
                [one_line(item.path), *(None if text is None else one_line(text, 500) for text in item.texts)]
                for item in found
            ],
            columns=unique_labels(["field", *(one_line(name) for name, _ in sides)]),
        )
        st.dataframe(
            table.head(_MOST_ROWS),
            hide_index=True,
            placeholder="–",
            alt="Differences of the versions",
            # As wide as its texts, one version would push the others out of sight.
            column_config={name: st.column_config.TextColumn(name, width="medium") for name in table.columns[1:]},
        )
        told = f"{counted(len(found), 'difference')}; equal fields are left out."
        st.caption(told + (f" The first {_MOST_ROWS} are shown." if len(found) > _MOST_ROWS else ""))


def offer(decisions: Sequence[Decision], names: Mapping[str, str]) -> None:
    """Offer each decision as a report, built when it is asked for.

    Args:
        decisions: as everybody gets them.
        names: DatasetId to a name, for the two forms that people read.
    """
    # No popover: it stays where it opened when the page above it changes, be it out of sight.
    place = st.expander("Report as HTML, Markdown, CSV or JSON", on_change="rerun", key="reports")
    if not place.open:
        return
    kinds: list[tuple[str, str, str, Callable[[Decision], str | bytes]]] = [
        ("HTML", "html", "text/html", lambda decision: documents.to_html(decision.named(names))),
        ("Markdown", "md", "text/markdown", lambda decision: documents.to_markdown(decision.named(names))),
        ("CSV", "csv", "text/csv", documents.to_csv),
        ("JSON", "json", "application/json", documents.to_json),
    ]
    with place:
        for decision in decisions:
            if len(decisions) > 1:
                st.caption(f"**{escape_markdown(decision.candidate, 60)}**")
            with st.container(horizontal=True):
                for label, ending, mime, make in kinds:
                    st.download_button(
                        label,
                        partial(make, decision),
                        file_name=file_name(decision.model, decision.candidate, ending=ending),
                        mime=mime,
                        key=f"report-{ending}-{decision.candidate}",
                        on_click="ignore",
                    )

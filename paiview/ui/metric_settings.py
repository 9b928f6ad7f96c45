"""The directions and tolerances of metrics: those of paiview.toml, and those set for the session."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import streamlit as st

from paiview.decisions import contracts
from paiview.decisions.contracts import Contracts
from paiview.evaluation.metric_meaning import Direction, MetricContract, contract
from paiview.figures.style import WAYS
from paiview.pai.errors import PaiviewError
from paiview.text import escape_markdown, one_line
from paiview.ui import messages, url_controls

_CONTRACTS = "contracts-of-this-session"
_SECTION = "meanings"
"""The key of the section, which is also the session entry that says whether it is open."""
_UNKNOWN = "metrics-of-unknown-direction"
"""The session entry of the metrics whose direction was unknown in the last run."""
_WAS_OPENED = "meanings-opened"
_DIRECTIONS: tuple[Direction, ...] = ("lower", "higher")


def effective() -> Contracts:
    """The contracts of paiview.toml with this session's changes; the page ends when the file cannot be used."""
    try:
        effective_contracts = contracts.current()
    except PaiviewError as error:
        messages.end_page_with(error)
    for metric_contract in _session_contracts().values():
        effective_contracts = contracts.with_metric(effective_contracts, metric_contract)
    return effective_contracts


def draw_form(metrics: Sequence[str], current: Contracts) -> None:
    """Draw the section where the reader sets directions and tolerances, and the lines of paiview.toml that keep them.

    Args:
        metrics: those of the comparison.
        current: the effective contracts.
    """
    unknown = [metric for metric in metrics if contract(metric, current.metrics).direction is None]
    if unknown:
        names = ", ".join(escape_markdown(metric, 60) for metric in unknown[:5])
        st.info(f"Metric direction not configured for {names}: set it below, or in paiview.toml, to get a verdict.")
    _open_for_new(unknown)
    section = st.expander("Directions and tolerances", on_change="rerun", key=_SECTION)
    # A control that is not drawn loses what was typed into it, so the form stays once it was opened.
    if not (section.open or st.session_state.get(_WAS_OPENED)):
        return
    st.session_state[_WAS_OPENED] = True
    with section:
        options = [*unknown, *(name for name in metrics if name not in unknown)]
        # By its label, the choice survives a change of the order.
        labels = url_controls.labels(options, one_line)
        metric = st.selectbox("Metric", options, format_func=labels.__getitem__, key="metric-to-set")
        _draw_metric_form(contract(metric, current.metrics))
        _draw_session_changes()


def _open_for_new(unknown: list[str]) -> None:
    """Open the section when another metric has no direction; else it stays as the reader left it."""
    previous = st.session_state.get(_UNKNOWN, []) if _SECTION in st.session_state else []
    if not {*unknown} <= {*previous}:
        st.session_state[_SECTION] = True
    st.session_state[_UNKNOWN] = unknown


def _draw_metric_form(current: MetricContract) -> None:
    """Draw the form of one metric; submitting it sets its contract for the session and runs the page again."""
    with st.form("meaning", border=False):
        left, middle, right = st.columns(3)
        direction = left.selectbox(
            "Better is",
            _DIRECTIONS,
            index=_DIRECTIONS.index(current.direction) if current.direction else None,
            format_func=WAYS.__getitem__,
            placeholder="Not known",
            key=f"direction-{current.metric}",
        )
        percent = middle.number_input(
            "A change counts above, in % of the baseline",
            min_value=0.0,
            value=_shift_point(current.effective_relative, 2),
            format="%g",
            key=f"relative-{current.metric}",
        )
        absolute = right.number_input(
            "and above, in units of the metric",
            min_value=0.0,
            value=current.absolute,
            format="%g",
            key=f"absolute-{current.metric}",
            placeholder="No such limit",
            help="Where both limits are set, a change counts only when it is above both.",
        )
        if st.form_submit_button("Apply to this session"):
            relative = _shift_point(percent, -2)
            _session_contracts()[current.metric] = replace(
                current, direction=direction, relative=relative, absolute=absolute or None, source="page"
            )
            st.rerun()


def _draw_session_changes() -> None:
    """Draw the changes of this session as lines of paiview.toml, with a button that discards them."""
    changes = _session_contracts()
    if not changes:
        return
    st.caption("Set for this session only. To keep it for everyone, put these lines into paiview.toml:")
    st.code("\n\n".join(contracts.toml_lines(item) for item in changes.values()), language="toml")
    if st.button("Forget what was set here", type="tertiary"):
        changes.clear()
        st.rerun()


def _shift_point(number: float, places: int) -> float:
    """The number with its decimal point moved ``places`` to the right: 0.7 % is 0.007, but 0.7 / 100 is not."""
    return float(Decimal(repr(number)).scaleb(places))


def _session_contracts() -> dict[str, MetricContract]:
    """The contracts that this session set, by metric."""
    entry: dict[str, MetricContract] = st.session_state.setdefault(_CONTRACTS, {})
    return entry

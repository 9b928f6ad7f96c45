"""What metrics mean on this page: the directions and tolerances of paiview.toml, and those set for the session."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import streamlit as st

from paiview.decisions import contracts as layer
from paiview.decisions.contracts import Contracts
from paiview.evaluation.metric_meaning import Direction, MetricContract, contract
from paiview.figures import WAYS
from paiview.pai.errors import PaiviewError
from paiview.text import escape_markdown, one_line
from paiview.ui import messages, url_controls

_CHOSEN = "contracts-of-this-session"
_FORM = "meanings"
_UNKNOWN = "metrics-told-to-be-unknown"
_OPENED = "meanings-opened"
_DIRECTIONS: tuple[Direction, ...] = ("lower", "higher")


def in_force() -> Contracts:
    """The contracts of paiview.toml with what the reader set; the page ends when the file cannot be used."""
    try:
        contracts = layer.current()
    except PaiviewError as error:
        messages.stop(error)
    for chosen in _chosen().values():
        contracts = layer.with_metric(contracts, chosen)
    return contracts


def form(metrics: Sequence[str], contracts: Contracts) -> None:
    """Let the reader say which way is better and what change counts, when opened, with the lines that keep it.

    Args:
        metrics: those of the comparison.
        contracts: what is in force.
    """
    unknown = [metric for metric in metrics if contract(metric, contracts.metrics).direction is None]
    chosen = _chosen()
    if unknown:
        named = ", ".join(escape_markdown(metric, 60) for metric in unknown[:5])
        st.info(f"Which way is better is unknown for {named}: no verdict there until somebody says so.")
    # It opens by itself for a metric that is unknown anew; else it stays as the reader left it.
    told = st.session_state.get(_UNKNOWN, []) if _FORM in st.session_state else []
    if not {*unknown} <= {*told}:
        st.session_state[_FORM] = True
    st.session_state[_UNKNOWN] = unknown
    place = st.expander("Directions and tolerances", on_change="rerun", key=_FORM)
    # What is typed there stays when the part is closed again.
    if not (place.open or st.session_state.get(_OPENED)):
        return
    st.session_state[_OPENED] = True
    with place:
        options = [*unknown, *(name for name in metrics if name not in unknown)]
        # What was chosen stays chosen when it is known and stands elsewhere in the list.
        shown = url_controls.labels(options, one_line)
        metric = st.selectbox("Metric", options, format_func=shown.__getitem__, key="metric-to-set")
        known = contract(metric, contracts.metrics)
        with st.form("meaning", border=False):
            way, relative, absolute = st.columns(3)
            direction = way.selectbox(
                "Better is",
                _DIRECTIONS,
                index=_DIRECTIONS.index(known.direction) if known.direction else None,
                format_func=WAYS.__getitem__,
                placeholder="Not known",
                key=f"direction-{metric}",
            )
            share = relative.number_input(
                "A change counts above, in % of the baseline",
                min_value=0.0,
                value=_times_ten_to(2, known.effective_relative),
                format="%g",
                key=f"relative-{metric}",
            )
            size = absolute.number_input(
                "and above, in units of the metric",
                min_value=0.0,
                value=known.absolute,
                format="%g",
                key=f"absolute-{metric}",
                placeholder="No such limit",
                help="Where both limits are set, a change counts only when it is above both.",
            )
            if st.form_submit_button("Apply to this session"):
                chosen[metric] = replace(
                    known,
                    direction=direction,
                    relative=_times_ten_to(-2, share),
                    absolute=size or None,
                    source="page",
                )
                st.rerun()
        if chosen:
            st.caption("Set for this session only. To keep it for everyone, put these lines into paiview.toml:")
            st.code("\n\n".join(layer.toml_lines(item) for item in chosen.values()), language="toml")
            if st.button("Forget what was set here", type="tertiary"):
                chosen.clear()
                st.rerun()


def _times_ten_to(places: int, number: float) -> float:
    """The number that is written with its point elsewhere: 0.7 % is 0.007, which 0.7 / 100 is not."""
    return float(Decimal(repr(number)).scaleb(places))


def _chosen() -> dict[str, MetricContract]:
    """What this session set, by metric."""
    kept: dict[str, MetricContract] = st.session_state.setdefault(_CHOSEN, {})
    return kept

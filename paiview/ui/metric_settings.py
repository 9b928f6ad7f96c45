"""The directions and tolerances of metrics: those of paiview.toml, and those set for the session."""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from paiview.decisions import contracts
from paiview.decisions.contracts import Contracts
from paiview.evaluation.metric_meaning import Direction, MetricContract, MetricSettings
from paiview.figures.style import WAYS
from paiview.pai.errors import PaiviewError
from paiview.reports import plain_text
from paiview.text import escape_markdown, one_line
from paiview.ui import messages, url_controls

_CONTRACTS = "metric-settings-of-this-session"
_SECTION = "meanings"
"""The key of the section, which is also the session entry that says whether it is open."""
_UNKNOWN = "metrics-of-unknown-direction"
"""The session entry of the metrics whose direction was unknown in the last run."""
_WAS_OPENED = "meanings-opened"
_DIRECTIONS: tuple[Direction, ...] = ("lower", "higher", "zero")


def effective() -> Contracts:
    """The contracts of paiview.toml with this session's changes; the page ends when the file cannot be used."""
    try:
        effective_contracts = contracts.current_or_last_good()
    except PaiviewError as error:
        messages.end_page_with(error)
    return effective_contracts.with_page(_session_settings())


def has_open_questions(metrics: Sequence[str], current: Contracts) -> bool:
    """Whether the direction of a metric is unknown or only assumed, so that no verdict rests on it."""
    return any(current.metrics[metric].standing in ("unknown", "assumed") for metric in metrics)


def draw_form(metrics: Sequence[str], current: Contracts) -> None:
    """Draw the section where the reader sets directions and tolerances, and the lines of paiview.toml that keep them.

    Args:
        metrics: those of the comparison.
        current: the effective contracts.
    """
    unknown = [metric for metric in metrics if current.metrics[metric].standing == "unknown"]
    if unknown:
        names = ", ".join(escape_markdown(metric, 60) for metric in unknown[:5])
        st.info(f"Metric direction not configured for {names}: set it below, or in paiview.toml, to get a verdict.")
    _offer_to_confirm([meaning for metric in metrics if (meaning := current.metrics[metric]).standing == "assumed"])
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
        _draw_metric_form(current.metrics[metric])
        _draw_session_changes()


def _offer_to_confirm(assumed: Sequence[MetricContract]) -> None:
    """Offer to confirm the directions that are only assumed, for this session, with one click."""
    if not assumed:
        return

    def confirm() -> None:
        for meaning in assumed:
            _session_settings()[meaning.metric] = MetricSettings(direction=meaning.direction)
        st.session_state[_SECTION] = True  # It has the lines of paiview.toml that keep them.

    shown = [f"{escape_markdown(each.metric, 60)} ({plain_text.meaning_text(each)})" for each in assumed[:5]]
    more = f" and {len(assumed) - 5} more" if len(assumed) > 5 else ""
    with st.container(key="assumed", horizontal=True, vertical_alignment="center"):
        st.markdown(f"**assumed** · {', '.join(shown)}{more}: neither passes nor fails until it is confirmed.")
        st.button("Confirm for this session", key="confirm-assumed", on_click=confirm)


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
            index=_DIRECTIONS.index(current.direction) if current.direction in _DIRECTIONS else None,
            format_func=WAYS.__getitem__,
            placeholder="Not known",
            key=f"direction-{current.metric}",
        )
        percent = middle.number_input(
            "A change counts above, in %",
            min_value=0.0,
            value=_shift_point(current.effective_relative, 2),
            format="%g",
            key=f"relative-{current.metric}",
            help="Of the baseline; of a score that ends at 1 or 100 %, of the smaller of it and its distance to that.",
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
            _session_settings()[current.metric] = MetricSettings(
                direction=direction, relative=relative, absolute=absolute or None
            )
            st.rerun()


def _draw_session_changes() -> None:
    """Draw the changes of this session as lines of paiview.toml, with a button that discards them."""
    changes = _session_settings()
    if not changes:
        return
    st.caption("Set for this session only. To keep it for everyone, put these lines into paiview.toml:")
    st.code(
        "\n\n".join(contracts.toml_lines(metric, settings) for metric, settings in changes.items()), language="toml"
    )
    if st.button("Forget what was set here", type="tertiary"):
        changes.clear()
        st.rerun()


def _shift_point(number: float, places: int) -> float:
    """The number with its decimal point moved ``places`` to the right: 0.7 % is 0.007, but 0.7 / 100 is not."""
    return float(Decimal(repr(number)).scaleb(places))


def _session_settings() -> dict[str, MetricSettings]:
    """What this session set, by metric."""
    entry: dict[str, MetricSettings] = st.session_state.setdefault(_CONTRACTS, {})
    return entry

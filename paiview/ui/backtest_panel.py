"""The policy tried on the past: a folded section that computes nothing until it is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from paiview.decisions.backtest import RESULTS, UNKNOWN_LIMIT, Backtest, BacktestedVersion, backtest, tolerance_lines
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import sentence_of
from paiview.decisions.wording import share_text
from paiview.figures.backtest_curve import LINES, backtest_figure
from paiview.pai.vocabulary import APPROVAL_STATUSES
from paiview.registry.snapshots import VersionsSnapshot
from paiview.text import counted, one_line
from paiview.ui import url_controls
from paiview.ui.cache_keys import TTL_SECONDS

_SECTION: Final = "backtest"
"""The key of the section, and the query parameter that says whether it is open."""
_MOST_VERSIONS: Final = 200
"""Versions judged, in about half a second the first time: other readers' pages wait for as long."""
_MOST_ROWS: Final = 100
_MOST_KEPT: Final = 16
_SENTENCE_CHARACTERS: Final = 400
_NAME_CHARACTERS: Final = 80


def draw(whole: VersionsSnapshot, contracts: Contracts, names: Mapping[str, str]) -> None:
    """Draw the section.

    Args:
        whole: the listing without filters.
        contracts: what metrics mean in this session, and the policy.
        names: dataset to display name.
    """
    section = st.expander("The policy tried on the past", on_change="rerun", key=_SECTION, bind="query-params")
    if not section.open:
        return
    with section:
        if whole.is_filtered:
            st.info("The versions that the filters hide cannot be read, and with them the baselines of then.")
            return
        trial = _backtest(listing=_Listing(whole, contracts))
        older = f" The {counted(trial.older, 'version')} before them are not judged." if trial.older else ""
        st.caption(
            f"What the policy in force would have said of {counted(len(trial.versions), 'version')}, each against its "
            f"baseline of then.{older} {UNKNOWN_LIMIT}"
        )
        _draw_counts(trial)
        _draw_versions("Approved versions that the policy stops", trial.versions_with("Approved", "fail"), names)
        _draw_versions("Rejected versions that it lets pass", trial.versions_with("Rejected", "pass"), names)
        _draw_curve(trial, contracts)


@dataclass(frozen=True, slots=True, eq=False)
class _Listing:
    snapshot: VersionsSnapshot
    contracts: Contracts

    def key(self) -> str:
        return f"{self.snapshot.identity} {self.contracts.fingerprint}"


@st.cache_resource(ttl=TTL_SECONDS, max_entries=_MOST_KEPT, show_spinner=False, hash_funcs={_Listing: _Listing.key})
def _backtest(listing: _Listing) -> Backtest:
    return backtest(listing.snapshot.lineage, listing.contracts, newest=_MOST_VERSIONS)


def _draw_counts(trial: Backtest) -> None:
    others = sorted({status or "" for status, _ in trial.counts} - {*APPROVAL_STATUSES})
    statuses = [*APPROVAL_STATUSES, *others]
    rows = [
        [one_line(status, _NAME_CHARACTERS) or "(no status)"]
        + [trial.counts.get((status or None, overall), 0) for overall in RESULTS]
        for status in statuses
    ]
    table = pd.DataFrame(rows, columns=["status", *RESULTS])
    st.dataframe(table, hide_index=True, width="content", alt="Results of the policy by approval status")


def _draw_versions(title: str, versions: Sequence[BacktestedVersion], names: Mapping[str, str]) -> None:
    st.markdown(f"**{title}: {len(versions) or 'none'}**")
    if not versions:
        return
    table = pd.DataFrame(
        [
            [
                one_line(version.name, _NAME_CHARACTERS),
                one_line(version.baseline, _NAME_CHARACTERS) if version.baseline else None,
                " ".join(
                    one_line(
                        sentence_of(finding.pieces, names) if finding.pieces else finding.sentence,
                        _SENTENCE_CHARACTERS,
                    )
                    for finding in version.findings
                )
                or None,
            ]
            for version in versions[:_MOST_ROWS]
        ],
        columns=["version", "against", "because"],
    )
    if table["because"].isna().all():
        table = table.drop(columns="because")
    st.dataframe(table, hide_index=True, placeholder="–", alt=title)
    if len(versions) > _MOST_ROWS:
        st.caption(f"The newest {_MOST_ROWS} are shown.")


def _draw_curve(trial: Backtest, contracts: Contracts) -> None:
    if not trial.steps:
        st.caption("No rule of the policy has a relative tolerance to try.")
        return
    st.markdown("**With another tolerance**")
    st.caption("One relative tolerance in every `no_regression` rule, in place of the tolerances in force.")
    st.plotly_chart(
        backtest_figure(trial), key="backtest-figure", config={"displayModeBar": False}, alt="Versions by tolerance"
    )
    table = pd.DataFrame(
        [
            [share_text(step.tolerance), *(step.counts.get((line.status, line.overall), 0) for line in LINES)]
            for step in trial.steps
        ],
        columns=["tolerance", *(line.label for line in LINES)],
    )
    st.dataframe(table, hide_index=True, width="content", alt="Versions by tolerance, as a table")
    options = {f"{step.tolerance:g}": share_text(step.tolerance) for step in trial.steps}
    chosen = url_controls.choice(
        "Lines of paiview.toml for", options, key="tolerance", placeholder="Choose a tolerance", width=260
    )
    if chosen is not None:
        st.code(tolerance_lines(contracts.rules, float(chosen)), language="toml")

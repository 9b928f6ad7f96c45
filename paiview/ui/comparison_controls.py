"""The controls of a comparison: candidates and baseline, and the fingerprint that pins their data in the link."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision
from paiview.decisions.lineage import Lineage, UnknownVersionError
from paiview.pai.errors import PaiviewError
from paiview.registry.live_decision import MOST_CANDIDATES, LiveDecisions, decide_all_now
from paiview.registry.registry import Registry
from paiview.text import escape_markdown, one_line
from paiview.ui import messages, url, url_controls

MAX_LISTED = 200
"""The newest versions, which a chooser lists; the names of older ones are typed. Thousands would slow the page down."""
_CHOSEN_BY_RULE = "baseline-by-rule"
"""The session entry that says whether the baseline is the one that the rules choose."""
_CLEARED = "candidates-cleared-of"
"""The session entry of the model whose candidates the reader cleared: none is chosen there by default."""
_COMPARED_DATA = "compared-data"
"""The session entry of the versions compared, and of the fingerprint of their data when the comparison was opened."""
_FINGERPRINT_DIGITS = 12


class ComparisonSides(NamedTuple):
    """What is compared.

    Attributes:
        candidates: VersionNames.
        baseline: VersionName; ``None`` leaves it to the rules, for each candidate.
        baseline_model: ModelId of the baseline where it is another model's.
        link_fingerprint: the fingerprint of the data that the link was made with; ``None`` without one.
    """

    candidates: list[str]
    baseline: str | None
    baseline_model: str | None
    link_fingerprint: str | None


def choose_sides(
    registry: Registry, lineage: Lineage, workspace_id: str | None, aliases: Mapping[str, str]
) -> ComparisonSides:
    """Choose candidates and baseline; the page ends where the link requests an unknown version or model.

    Args:
        registry: where another model's versions come from.
        lineage: the candidates' model.
        workspace_id: the workspace whose models may be the baseline's; ``None`` for all.
        aliases: dataset to the one it is another name of, for the rule that chooses the baseline.
    """
    link_fingerprint = url.requested("data")
    # If the page ends early, the URL must not keep the fingerprint of an earlier comparison.
    url.write("data")
    candidates = _choose_candidates(lineage)
    baseline_model = _choose_baseline_model(registry, lineage.model_id, workspace_id)
    home = lineage if baseline_model is None else _read_lineage(registry, baseline_model)
    by_rule = lineage.baseline(candidates[0], aliases)[0] if len(candidates) == 1 and home is lineage else None
    _end_page_if_unknown(home, [name] if (name := url.requested("baseline")) else [], "baseline")
    baseline = url_controls.choice(
        "Baseline",
        {name: one_line(name, 80) for name in _newest(home)},
        key="baseline",
        default=by_rule,
        pinned=True,
        placeholder="By the rules" if home is lineage else "Choose one",
        help=_unlisted_hint(home),
        allowed=home.__contains__,
    )
    st.session_state[_CHOSEN_BY_RULE] = baseline == by_rule
    return ComparisonSides(candidates, baseline, baseline_model, link_fingerprint)


def _choose_candidates(lineage: Lineage) -> list[str]:
    requested = url.requested_values("candidate")
    _end_page_if_unknown(lineage, requested, "candidate")
    candidates = [name for name in requested if name in lineage][:MOST_CANDIDATES]
    newest = lineage.newest_pending()
    if not candidates and newest is not None and st.session_state.get(_CLEARED) != lineage.model_id:
        candidates = [newest]

    def update_session() -> None:
        st.session_state[_CLEARED] = None if st.session_state["candidate"] else lineage.model_id
        if st.session_state.get(_CHOSEN_BY_RULE):
            # The rules chose the baseline for the previous candidate; they choose again for the new one.
            url.write("baseline")

    return url_controls.choices(
        "Candidate",
        _newest(lineage),
        key="candidate",
        chosen=candidates,
        most=MOST_CANDIDATES,
        format_func=lambda name: one_line(name, 80),
        allowed=lineage.__contains__,
        on_change=update_session,
        help=_unlisted_hint(lineage),
    )


def _newest(lineage: Lineage) -> list[str]:
    """The newest ``MAX_LISTED`` versions, newest first."""
    return lineage.names[: -MAX_LISTED - 1 : -1]


def _unlisted_hint(lineage: Lineage) -> str | None:
    if len(lineage.names) <= MAX_LISTED:
        return None
    return f"The newest {MAX_LISTED} of {len(lineage.names)} are listed; type the whole name of any other."


def _end_page_if_unknown(lineage: Lineage, names: Sequence[str], key: str) -> None:
    """End the page where a link names a version that does not exist, rather than decide about another one."""
    if not url.is_from_link(key):
        return
    for name in names:
        if name not in lineage:
            messages.end_page_with(UnknownVersionError(f"{lineage.model_id} has no version {one_line(name)}."))


def _choose_baseline_model(registry: Registry, model_id: str, workspace_id: str | None) -> str | None:
    try:
        models = registry.models(workspace_id).items
        names = {item.model_id: one_line(item.model_name or item.model_id, 80) for item in models if item.model_id}
        requested = url.requested("baseline_model")
        if requested is not None and requested not in names:
            names[requested] = one_line(registry.model(requested).model_name or requested, 80)
    except PaiviewError as error:
        messages.end_page_with(error)
    names.pop(model_id, None)
    if requested == model_id:
        url.write("baseline_model")
    return url_controls.choice("Baseline from another model", names, key="baseline_model", placeholder="The same model")


def _read_lineage(registry: Registry, model_id: str) -> Lineage:
    try:
        with messages.reading_progress("versions") as progress:
            return registry.versions(model_id, current=True, progress=progress).lineage
    except PaiviewError as error:
        messages.end_page_with(error)


def live_decisions(registry: Registry, model_id: str, sides: ComparisonSides, contracts: Contracts) -> LiveDecisions:
    """Decisions about the candidates, from data read now; where one cannot be compared the page ends with the error.

    Among several candidates, one that is the baseline itself is left out, with a warning.
    """
    candidates = sides.candidates
    if len(candidates) > 1 and sides.baseline_model is None and sides.baseline in candidates:
        messages.warn(f"{escape_markdown(sides.baseline)} is the baseline and is left out of the candidates.")
        candidates = [name for name in candidates if name != sides.baseline]
    try:
        return decide_all_now(
            registry,
            model_id,
            candidates,
            baseline=sides.baseline,
            baseline_model=sides.baseline_model,
            contracts=contracts,
        )
    except PaiviewError as error:
        messages.end_page_with(error)


def approval_statuses(live: LiveDecisions, model_id: str) -> dict[str, str]:
    """VersionName to approval status, for the versions of ``model_id`` that were compared and have one."""
    return {
        name: version.approval_status
        for (model, name), version in live.versions.items()
        if model == model_id and version.approval_status
    }


def write_fingerprint(decisions: Sequence[Decision], link_fingerprint: str | None) -> None:
    """Write the fingerprint of the compared data into the URL, and warn when the link was made with other data."""
    current = _fingerprint(decisions)
    versions = [
        (decision.model, decision.candidate, decision.baseline_model, decision.baseline) for decision in decisions
    ]
    opened = st.session_state.get(_COMPARED_DATA)
    if opened is None or opened[0] != versions:
        expected = link_fingerprint if opened is None else None
        opened = st.session_state[_COMPARED_DATA] = (versions, expected or current)
    url.write("data", opened[1])
    if opened[1] != current:
        messages.warn(
            f"The data have changed since this link was made: their fingerprint was {one_line(opened[1], 20)} and is "
            f"now {current}. This page decides from the data as they are now."
        )


def _fingerprint(decisions: Sequence[Decision]) -> str:
    """The first digits of the data fingerprint of a decision, or of a hash over those of several."""
    fingerprints = [decision.data_fingerprint for decision in decisions]
    joined = fingerprints[0] if len(fingerprints) == 1 else hashlib.sha256("".join(fingerprints).encode()).hexdigest()
    return joined.removeprefix("sha256:")[:_FINGERPRINT_DIGITS]

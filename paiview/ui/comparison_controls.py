"""The two sides of a comparison: candidates and baseline, and whether the data are still those of the link."""

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

LISTED = 200
"""Versions that a chooser offers, the newest: thousands would be sent whole and read by nobody. Others are typed."""
_BY_RULE = "baseline-by-rule"
_CLEARED = "candidates-cleared-of"
"""The session's entry for the model whose candidates the reader took away: none is offered there again."""
_PINNED = "compared-data"
_PIN_DIGITS = 12


class Sides(NamedTuple):
    """What is compared.

    Attributes:
        candidates: VersionNames.
        baseline: VersionName; ``None`` leaves it to the rules, for each candidate.
        baseline_model: ModelId of the baseline where it is another model's.
        seen: the fingerprint of the data that the link was made with.
    """

    candidates: list[str]
    baseline: str | None
    baseline_model: str | None
    seen: str | None


def choose(registry: Registry, lineage: Lineage, workspace_id: str | None, aliases: Mapping[str, str]) -> Sides:
    """Draw the controls; the page ends where the link asks for a version or model that does not exist.

    Args:
        registry: where another model's versions come from.
        lineage: the candidates' model.
        workspace_id: whose models a baseline may come from; ``None`` for all.
        aliases: datasets that are other names of one, for the rule that chooses the baseline.
    """
    seen = url.asked("data")
    # Where the page ends before there is something to pin, no older pin may stay behind.
    url.write("data")
    candidates = _candidates(lineage)
    baseline_model = _baseline_model(registry, lineage.model_id, workspace_id)
    home = lineage if baseline_model is None else _lineage(registry, baseline_model)
    by_rule = lineage.baseline(candidates[0], aliases)[0] if len(candidates) == 1 and home is lineage else None
    _know(home, [name] if (name := url.asked("baseline")) else [], "baseline")
    baseline = url_controls.choice(
        "Baseline",
        {name: one_line(name, 80) for name in _listed(home)},
        key="baseline",
        default=by_rule,
        pinned=True,
        placeholder="By the rules" if home is lineage else "Choose one",
        help=_help(home),
        allowed=home.__contains__,
    )
    st.session_state[_BY_RULE] = baseline == by_rule
    return Sides(candidates, baseline, baseline_model, seen)


def _candidates(lineage: Lineage) -> list[str]:
    asked = url.asked_all("candidate")
    _know(lineage, asked, "candidate")
    chosen = [name for name in asked if name in lineage][:MOST_CANDIDATES]
    newest = lineage.newest_pending()
    if not chosen and newest is not None and st.session_state.get(_CLEARED) != lineage.model_id:
        chosen = [newest]

    def follow() -> None:
        st.session_state[_CLEARED] = None if st.session_state["candidate"] else lineage.model_id
        if st.session_state.get(_BY_RULE):
            # The rule chose for the candidate before; for another one it chooses anew.
            url.write("baseline")

    return url_controls.choices(
        "Candidate",
        _listed(lineage),
        key="candidate",
        chosen=chosen,
        most=MOST_CANDIDATES,
        format_func=lambda name: one_line(name, 80),
        allowed=lineage.__contains__,
        on_change=follow,
        help=_help(lineage),
    )


def _listed(lineage: Lineage) -> list[str]:
    """The newest versions, newest first."""
    return lineage.names[: -LISTED - 1 : -1]


def _help(lineage: Lineage) -> str | None:
    if len(lineage.names) <= LISTED:
        return None
    return f"The newest {LISTED} of {len(lineage.names)} are listed; type the whole name of any other."


def _know(lineage: Lineage, asked: Sequence[str], key: str) -> None:
    """End the page where the link asks for a version that does not exist: never a verdict about another one."""
    if not url.is_of_a_link(key):
        return
    for name in asked:
        if name not in lineage:
            messages.stop(UnknownVersionError(f"{lineage.model_id} has no version {one_line(name)}."))


def _baseline_model(registry: Registry, model_id: str, workspace_id: str | None) -> str | None:
    try:
        models = registry.models(workspace_id).items
        shown = {item.model_id: one_line(item.model_name or item.model_id, 80) for item in models if item.model_id}
        asked = url.asked("baseline_model")
        if asked is not None and asked not in shown:
            shown[asked] = one_line(registry.model(asked).model_name or asked, 80)
    except PaiviewError as error:
        messages.stop(error)
    shown.pop(model_id, None)
    if url.asked("baseline_model") == model_id:
        url.write("baseline_model")
    return url_controls.choice("Baseline from another model", shown, key="baseline_model", placeholder="The same model")


def _lineage(registry: Registry, model_id: str) -> Lineage:
    try:
        with messages.reading("versions") as progress:
            return registry.versions(model_id, current=True, progress=progress).lineage
    except PaiviewError as error:
        messages.stop(error)


def decide(registry: Registry, model_id: str, chosen: Sides, contracts: Contracts) -> LiveDecisions:
    """Decide about each candidate; the page ends with the problem where one cannot be compared.

    A candidate that is the baseline itself is told and left out where there are others.
    """
    candidates = chosen.candidates
    if len(candidates) > 1 and chosen.baseline_model is None and chosen.baseline in candidates:
        messages.warn(f"{escape_markdown(chosen.baseline)} is the baseline and is left out of the candidates.")
        candidates = [name for name in candidates if name != chosen.baseline]
    try:
        return decide_all_now(
            registry,
            model_id,
            candidates,
            baseline=chosen.baseline,
            baseline_model=chosen.baseline_model,
            contracts=contracts,
        )
    except PaiviewError as error:
        messages.stop(error)


def statuses(judged: LiveDecisions, model_id: str) -> dict[str, str]:
    """The approval status of each version judged that is of this model; without those that have none."""
    return {
        name: version.approval_status
        for (model, name), version in judged.versions.items()
        if model == model_id and version.approval_status
    }


def pin(decisions: Sequence[Decision], seen: str | None) -> None:
    """Put the fingerprint of the data into the URL, and say so when they are not those the link was made with."""
    fingerprints = [decision.data_fingerprint for decision in decisions]
    joined = fingerprints[0] if len(fingerprints) == 1 else hashlib.sha256("".join(fingerprints).encode()).hexdigest()
    current = joined.removeprefix("sha256:")[:_PIN_DIGITS]
    about = [(decision.model, decision.candidate, decision.baseline_model, decision.baseline) for decision in decisions]
    pinned = st.session_state.get(_PINNED)
    if pinned is None or pinned[0] != about:
        pinned = st.session_state[_PINNED] = (about, (seen if pinned is None else None) or current)
    url.write("data", pinned[1])
    if pinned[1] != current:
        messages.warn(
            f"The data have changed since this link was made: it was about {one_line(pinned[1], 20)}, and they are now "
            f"{current}. What you see is decided from the data as they are now."
        )

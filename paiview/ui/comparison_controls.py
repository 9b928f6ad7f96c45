"""The controls of a comparison: candidates and baseline, and the link that pins both with their data.

The URL holds a baseline only where somebody chose it. What the rules choose follows the rules at every read; a link
pins it when it is copied.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision
from paiview.decisions.lineage import Lineage
from paiview.pai.errors import PaiviewError
from paiview.registry.live_decision import MOST_CANDIDATES, LiveDecisions, decide_all_now
from paiview.registry.registry import Registry
from paiview.text import escape_markdown, one_line
from paiview.ui import messages, url, url_controls

MAX_LISTED = 200
"""The newest versions, which a chooser lists; the names of older ones are typed. Thousands would slow the page down."""
_CLEARED = "candidates-cleared-of"
"""The session entry of the model whose candidates the reader cleared: none is chosen there by default."""
_CHOSEN_BASELINE = "baseline-chosen"
"""The session entry of the baseline that the reader chose here; any other one was named by the link."""
_COMPARED_DATA = "compared-data"
"""The session entry of the versions that a link named, and of the fingerprint of their data when it was copied."""
_FINGERPRINT_DIGITS = 12
_ONE_CANDIDATE_PIXELS, _CANDIDATES_PIXELS, _BASELINE_PIXELS = 300, 460, 270


class ComparisonSides(NamedTuple):
    """What is compared.

    Attributes:
        candidates: VersionNames.
        baseline: VersionName; ``None`` leaves it to the rules, for each candidate.
        baseline_model: ModelId of the baseline where it is another model's.
        named_by: who named the baseline, in words.
        link_fingerprint: the fingerprint of the data that the link was made with; ``None`` without one.
    """

    candidates: list[str]
    baseline: str | None
    baseline_model: str | None
    named_by: str
    link_fingerprint: str | None


def requested_versions(model_id: str) -> list[str]:
    """The VersionNames of a model that the link asks for: candidates, and the baseline unless it is another model's."""
    is_elsewhere = url.requested("baseline_model") not in (None, model_id)
    return [*url.requested_values("candidate"), *([] if is_elsewhere else url.requested_values("baseline"))]


def choose_sides(
    registry: Registry, lineage: Lineage, workspace_id: str | None, contracts: Contracts
) -> ComparisonSides:
    """Choose candidates and baseline; the page ends where the link requests an unknown version or model.

    Args:
        registry: where another model's versions come from.
        lineage: the candidates' model.
        workspace_id: the workspace whose models may be the baseline's; ``None`` for all.
        contracts: what metrics and datasets mean, for the rule that chooses the baseline.
    """
    link_fingerprint = url.requested("data")
    candidates = _choose_candidates(lineage)
    st.caption("against", width="content")
    # Another model is chosen beside the baseline, and decides which versions that can be.
    own = st.container(key="own-baseline", width="content")
    with st.popover("Another model", icon=":material/alt_route:", key="other-model"):
        baseline_model = _choose_baseline_model(registry, lineage.model_id, workspace_id)
    home = lineage if baseline_model is None else _read_lineage(registry, baseline_model)
    requested = url.requested("baseline")
    _end_page_if_unknown(home, [requested] if requested else [])
    is_chosen_here = requested is not None and st.session_state.get(_CHOSEN_BASELINE) == requested
    named_by = "chosen by the reader" if is_chosen_here else "named by a link"
    by_rule = {name: lineage.baseline(name, contracts)[0] for name in candidates} if home is lineage else {}
    with own:
        baseline = url_controls.choice(
            "Baseline",
            {name: one_line(name, 80) for name in _newest(home)},
            key="baseline",
            placeholder=_rule_choice(by_rule) if home is lineage else "Choose one",
            help=_unlisted_hint(home),
            allowed=home.__contains__,
            on_change=_remember_choice,
            width=_BASELINE_PIXELS,
            is_label_shown=False,
        )
    if baseline is not None:
        _warn_of_other_choice(baseline, by_rule)
    return ComparisonSides(candidates, baseline, baseline_model, named_by, link_fingerprint)


def _remember_choice() -> None:
    st.session_state[_CHOSEN_BASELINE] = st.session_state["baseline"]


def _rule_choice(by_rule: Mapping[str, str | None]) -> str:
    """What the empty control says: which baseline the rules choose."""
    names = {name for name in by_rule.values() if name is not None}
    return f"{one_line(names.pop(), 60)} (by the rules)" if len(names) == 1 else "By the rules"


def _warn_of_other_choice(baseline: str, by_rule: Mapping[str, str | None]) -> None:
    """Say where the rules would choose another baseline, with the way to it."""
    others = sorted({name for name in by_rule.values() if name not in (None, baseline)})
    if others:
        messages.warn(
            f"The baseline is {escape_markdown(baseline, 80)}; the rules choose "
            f"{', '.join(escape_markdown(name, 80) for name in others[:3])} now."
        )
        messages.offer("Compare with what the rules choose", url.write, "baseline")


def _choose_candidates(lineage: Lineage) -> list[str]:
    candidates = url.requested_values("candidate")[:MOST_CANDIDATES]
    _end_page_if_unknown(lineage, candidates)
    newest = lineage.newest_pending()
    if not candidates and newest is not None and st.session_state.get(_CLEARED) != lineage.model_id:
        candidates = [newest]

    def update_session() -> None:
        st.session_state[_CLEARED] = None if st.session_state["candidate"] else lineage.model_id

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
        width=_ONE_CANDIDATE_PIXELS if len(candidates) < 2 else _CANDIDATES_PIXELS,
        is_label_shown=False,
        placeholder="Choose candidates",
    )


def _newest(lineage: Lineage) -> list[str]:
    """The newest ``MAX_LISTED`` versions, newest first."""
    return lineage.names[: -MAX_LISTED - 1 : -1]


def _unlisted_hint(lineage: Lineage) -> str | None:
    if len(lineage.names) <= MAX_LISTED:
        return None
    return f"The newest {MAX_LISTED} of {len(lineage.names)} are listed; type the whole name of any other."


def _end_page_if_unknown(lineage: Lineage, names: Sequence[str]) -> None:
    """End the page where a version does not exist, or no longer, rather than decide about another one."""
    for name in names:
        if name not in lineage:
            messages.end_page_with(lineage.unknown(name))


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
    return url_controls.choice(
        "Baseline from another model",
        names,
        key="baseline_model",
        placeholder="The same model",
        on_change=_forget_baseline,
    )


def _forget_baseline() -> None:
    """Drop what belongs to the model that the baseline was of: its version, and the data of the link that named it."""
    url.write("baseline")
    url.write("data")


def _read_lineage(registry: Registry, model_id: str) -> Lineage:
    try:
        with messages.reading_progress("versions") as progress:
            naming = url.requested_values("baseline")
            return registry.versions(model_id, current=True, progress=progress, naming=naming).lineage
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
            named_by=sides.named_by,
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


def warn_of_other_data(decisions: Sequence[Decision], link_fingerprint: str | None) -> None:
    """Warn when a link was copied with other data; another comparison forgets the link's fingerprint."""
    versions = [
        (decision.model, decision.candidate, decision.baseline_model, decision.baseline) for decision in decisions
    ]
    if link_fingerprint is None:
        return
    opened = st.session_state.setdefault(_COMPARED_DATA, (versions, link_fingerprint))
    if opened != (versions, link_fingerprint):
        del st.session_state[_COMPARED_DATA]
        url.write("data")
    elif link_fingerprint != (current := _fingerprint(decisions)):
        messages.warn(
            f"The data have changed since this link was copied: their fingerprint was {one_line(link_fingerprint, 20)} "
            f"and is now {current}. This page decides from the data as they are now."
        )


def link_to(decisions: Sequence[Decision]) -> str:
    """The link of this comparison, with the baseline and the data as they are now."""
    baselines = {(decision.baseline_model, decision.baseline) for decision in decisions}
    parameters = url.current()
    if len(baselines) == 1 and decisions[0].baseline is not None:
        parameters["baseline"] = [decisions[0].baseline]
    parameters["data"] = [_fingerprint(decisions)]
    address = (st.context.url or "").partition("?")[0]
    return f"{address}?{urlencode(parameters, doseq=True)}"


def _fingerprint(decisions: Sequence[Decision]) -> str:
    """The first digits of the data fingerprint of a decision, or of a hash over those of several."""
    fingerprints = [decision.data_fingerprint for decision in decisions]
    joined = fingerprints[0] if len(fingerprints) == 1 else hashlib.sha256("".join(fingerprints).encode()).hexdigest()
    return joined.removeprefix("sha256:")[:_FINGERPRINT_DIGITS]

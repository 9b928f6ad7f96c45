"""The version that is approved now, and how others differ from it: by the judgement of each pair that decisions use."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import GLYPHS, JUDGED, PairDecision
from paiview.decisions.noise import Compared
from paiview.decisions.pairs import judge_pairs
from paiview.decisions.wording import no_effect_reason, percent
from paiview.evaluation.metric_meaning import contract
from paiview.evaluation.results import Evaluation, Pair, evaluation
from paiview.figures.style import BETTER, WORSE, tint
from paiview.pai.objects import ModelVersion
from paiview.registry.snapshots import VersionsSnapshot

_CLIPPED_AT = 90
"""The percentile of the effects from which a tint is full, so that one outlier does not pale all the others."""
_LEAST_CLIP, _MOST_CLIP = 0.05, 1.0
_FAINTEST, _FULL = 0.06, 0.48
READ_AS_ERRORS = " †"
"""Follows an effect of the errors, which changed by a larger share than the value."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ApprovedNow:
    """The newest approved version of a whole listing.

    Attributes:
        name: its name.
        version: the version.
        identity: the identity of the listing, for cache keys.
        model_id: its model, by which paired evidence is found.
    """

    name: str
    version: ModelVersion
    identity: str
    model_id: str = ""

    @classmethod
    def of(cls, listing: VersionsSnapshot | None) -> Self | None:
        """The one of a listing without a filter; ``None`` when there is none."""
        name = None if listing is None else listing.frames.newest_approved_name
        if listing is None or name is None:
            return None
        versions = listing.frames.versions
        is_it = (versions["version_name"] == name) & (versions["approval_status"] == "Approved")
        index = int(versions["listing_index"][is_it].iloc[-1])
        return cls(name=name, version=listing.versions[index], identity=listing.identity, model_id=listing.model_id)

    def changes(
        self, versions: Iterable[ModelVersion], contracts: Contracts, pairs: Collection[Pair] | None = None
    ) -> list[dict[Pair, PairDecision]]:
        """The judgement of each pair of some versions against this one.

        Args:
            versions: the versions.
            contracts: what metrics and datasets mean.
            pairs: the pairs to judge; by default all.
        """
        before = _measured(self.version, contracts, pairs)
        compared = Compared(self.model_id, self.model_id, self.name)
        return [
            {
                decision.pair: decision
                for decision in judge_pairs(
                    _measured(version, contracts, pairs), before, contracts.metrics, contracts.datasets, compared
                )
            }
            for version in versions
        ]


def _measured(version: ModelVersion, contracts: Contracts, pairs: Collection[Pair] | None) -> Evaluation:
    measured = evaluation(version.metrics, contracts.aliases, contracts.metric_aliases)
    return measured if pairs is None else {pair: measured[pair] for pair in pairs if pair in measured}


def change_text(decision: PairDecision | None, contracts: Contracts) -> str | None:
    """What a cell says: the effect in percent, else why there is none; ``None`` where the version has no result."""
    if decision is None or decision.state == "missing":
        return None
    if decision.state not in JUDGED:
        return GLYPHS[decision.state]
    if decision.effect is None:
        if decision.state == "same":
            return GLYPHS["same"]
        return no_effect_reason(decision.direction, decision.reading, decision.baseline)
    meaning = contract(decision.metric, contracts.metrics)
    before = f"{GLYPHS['unclear']} " if decision.state == "unclear" else ""
    behind = READ_AS_ERRORS if is_read_as_errors(decision) else ""
    return before + percent(decision.effect, apart_from=meaning.effective_relative) + behind


def is_read_as_errors(decision: PairDecision | None) -> bool:
    """Whether the effect is that of the errors: the values of the two versions differ by a smaller share."""
    return (
        decision is not None
        and decision.reading == "error"
        and decision.effect is not None
        and decision.state in ("better", "worse", "unclear")
    )


def clip_of(decisions: Iterable[PairDecision]) -> float:
    """The effect from which a tint is full."""
    sizes = [abs(each.effect) for each in decisions if each.effect is not None and each.state in ("better", "worse")]
    return float(np.clip(np.percentile(sizes, _CLIPPED_AT), _LEAST_CLIP, _MOST_CLIP)) if sizes else _MOST_CLIP


def tint_style(decision: PairDecision | None, clip: float) -> str:
    """The CSS of a cell: blue where it is better, vermillion where worse, none within the tolerance or chance."""
    colours: Mapping[str, str] = {"better": BETTER, "worse": WORSE}
    if decision is None or decision.state not in colours:
        return ""
    share = 1.0 if decision.effect is None else min(abs(decision.effect) / clip, 1.0)
    return f"background-color: {tint(colours[decision.state], _FAINTEST + (_FULL - _FAINTEST) * share)}"

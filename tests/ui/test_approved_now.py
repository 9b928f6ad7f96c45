"""How versions differ from the one approved now: by the same judgement as a decision, evidence of noise included."""

from typing import Any

from paiview.decisions.contracts import Contracts
from paiview.evaluation.results import Pair
from paiview.pai.objects import ModelVersion
from paiview.ui.approved_now import ApprovedNow, change_text, tint_style
from tests.harness.service import version

WER = Pair("wer", "d")


def with_evidence(**changed: Any) -> ModelVersion:
    entry = {"baseline": "0.1.0", "change": -0.004, "low": -0.0108, "high": 0.0023, "groups": 250, **changed}
    results = [{"Dataset": {"DatasetId": "d"}, "Metrics": {"wer": 0.1104}, "Paired": {"wer": entry}}]
    return ModelVersion.model_validate(version("0.2.0", "2024-01-02", Metrics={"Results": results}))


def test_a_change_that_may_be_chance_has_a_mark_and_no_colour() -> None:
    first = ModelVersion.model_validate(version("0.1.0", "2024-01-01", {"d": {"wer": 0.1144}}))
    approved = ApprovedNow(name="0.1.0", version=first, identity="whole", model_id="model-a")
    contracts = Contracts()
    unclear, clear, elsewhere, own = (
        changes[WER]
        for changes in approved.changes(
            [
                with_evidence(),
                with_evidence(high=-0.001),
                with_evidence(model="model-b"),
                with_evidence(model="model-a"),
            ],
            contracts,
        )
    )
    assert [decision.state for decision in (unclear, clear, elsewhere, own)] == [
        "unclear",
        "better",
        "better",
        "unclear",
    ]
    assert [change_text(decision, contracts) for decision in (unclear, clear)] == ["≈ +3.5 %", "+3.5 %"]
    assert [bool(tint_style(decision, 0.1)) for decision in (unclear, clear)] == [False, True]

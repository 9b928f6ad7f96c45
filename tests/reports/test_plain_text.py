"""Sentences of a decision for places without markup."""

from datetime import UTC, datetime

from paiview.decisions.decision import Decision
from paiview.decisions.lineage import Lineage, decide
from paiview.pai.objects import ModelVersion
from paiview.reports import plain_text


def decision_on(metric: str) -> Decision:
    """0.1.0 has 0.2 and 0.4 on two datasets, and 0.2.0 half of it."""
    versions = [
        ModelVersion.model_validate(
            {
                "VersionName": name,
                "ApprovalStatus": status,
                "GmtCreateTime": f"2026-01-0{day}T00:00:00Z",
                "Metrics": {
                    "Results": [
                        {"Dataset": {"DatasetId": dataset}, "Metrics": {metric: value / day}}
                        for dataset, value in (("a", 0.2), ("b", 0.4))
                    ]
                },
            }
        )
        for day, name, status in ((1, "0.1.0", "Approved"), (2, "0.2.0", "Pending"))
    ]
    return decide(Lineage("model-a", versions, datetime.now(UTC)), "0.2.0")


def test_an_average_of_an_assumed_direction_says_so() -> None:
    (sentence,) = plain_text.average_remarks(decision_on("wer_callcenter"))
    assert sentence == "Which way is better, and so the mean gain, is only assumed of wer_callcenter."


def test_an_average_of_a_known_direction_needs_no_remark() -> None:
    assert plain_text.average_remarks(decision_on("wer")) == []

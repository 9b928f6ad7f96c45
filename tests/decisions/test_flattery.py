"""How much the best of several candidates is flattered by being chosen."""

from datetime import UTC, datetime

import pytest

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision
from paiview.decisions.flattery import flattery, flattery_sentence
from paiview.decisions.lineage import Lineage, decide
from paiview.evaluation.metric_meaning import MetricSettings
from paiview.pai.objects import ModelVersion

EXPECTED_MAXIMUM = {2: 0.5642, 3: 0.8463, 5: 1.1630, 10: 1.5388}
"""Of so many standard normal numbers, from the tables of order statistics of Harter (1961)."""


def decisions(count: int, noise: float | None) -> list[Decision]:
    versions = [
        ModelVersion.model_validate(
            {
                "VersionName": f"0.{number}.0",
                "ApprovalStatus": "Pending" if number else "Approved",
                "GmtCreateTime": f"2026-01-{number + 1:02}T00:00:00Z",
                "Metrics": {"Results": [{"Dataset": {"DatasetId": "d"}, "Metrics": {"cer": 0.1, "rtf": 0.2}}]},
            }
        )
        for number in range(count + 1)
    ]
    contracts = Contracts(metric_tables={"cer": MetricSettings(noise=noise)})
    lineage = Lineage("m", versions, datetime(2026, 2, 1, tzinfo=UTC))
    return [decide(lineage, f"0.{number}.0", contracts=contracts) for number in range(1, count + 1)]


@pytest.mark.parametrize("count", EXPECTED_MAXIMUM)
def test_the_best_of_many_is_above_their_mean_by_the_expected_maximum(count: int) -> None:
    assert flattery(decisions(count, 0.02)) == {"cer": pytest.approx(0.02 * EXPECTED_MAXIMUM[count], rel=0.05)}


def test_the_sentence_has_a_size_only_where_noise_is_declared() -> None:
    assert "by about 1.7 % of cer, for evaluating again gives other numbers." in flattery_sentence(decisions(3, 0.02))
    assert flattery(decisions(3, None)) == {}
    assert flattery_sentence(decisions(3, None)).endswith(
        "picking the best of many on the same test sets flatters the winner."
    )


def test_one_candidate_is_chosen_among_none() -> None:
    assert flattery(decisions(1, 0.02)) == {}

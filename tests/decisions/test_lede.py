"""A decision in one or two sentences: what was found, its worst or best result, and what is missing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision, Word
from paiview.decisions.lineage import Lineage, decide
from paiview.decisions.wording import lede
from paiview.evaluation.metric_meaning import MetricSettings
from paiview.pai.objects import ModelVersion

READ = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Values = Mapping[str, Any]
"""Values by metric and dataset, such as ``cer@a``."""


def decided(before: Values | None, after: Values, contracts: Contracts = Contracts()) -> Decision:
    """The decision about results on datasets, against those of the only other version; ``None`` for no other."""
    sides = [("1", "Approved", before)] * (before is not None) + [("2", "Pending", after)]
    versions = []
    for day, (name, status, values) in enumerate(sides, 1):
        results = [
            {"Dataset": {"DatasetId": key.partition("@")[2]}, "Metrics": {key.partition("@")[0]: value}}
            for key, value in (values or {}).items()
        ]
        versions.append(
            ModelVersion.model_validate(
                {
                    "VersionName": name,
                    "ApprovalStatus": status,
                    "GmtCreateTime": f"2026-01-0{day}T00:00:00Z",
                    "Metrics": {"Results": results},
                }
            )
        )
    return decide(Lineage("model-a", versions, READ), "2", contracts=contracts)


@pytest.mark.parametrize(
    ("before", "after", "word", "claim", "rest"),
    [
        pytest.param(
            {"cer@a": 0.20, "cer@b": 0.30},
            {"cer@a": 0.18, "cer@b": 0.15},
            "Better",
            "Better on 2",
            " of 2 compared results, worse on none. b gains most: cer 0.30 → 0.15 (+50.0 %).",
            id="the largest gain",
        ),
        pytest.param(
            {"cer@a": 0.20, "cer@b": 0.30, "cer@c": 0.1},
            {"cer@a": 0.24, "cer@b": 0.33, "cer@c": 0.1},
            "Worse",
            "Worse on 2",
            " of 3 compared results. a loses most: cer 0.20 → 0.24 (−20.0 %).",
            id="the largest loss, by its share",
        ),
        pytest.param(
            {"cer@a": 0.20, "cer@b": 0.30, "cer@c": 0.1, "cer@d": 0.1},
            {"cer@a": 0.10, "cer@b": 0.33},
            "Trade-off",
            "Worse on 1",
            " of 2 compared results, better on 1. b loses most: cer 0.30 → 0.33 (−10.0 %). "
            "2 results of the baseline are missing.",
            id="both, and what is missing",
        ),
        pytest.param(
            {"cer@a": 0.20, "cer@b": 0.30},
            {"cer@a": 0.10},
            "Incomplete",
            "Better on the one compared result",
            ". a gains: cer 0.2 → 0.1 (+50.0 %). 1 result of the baseline is missing.",
            id="better, but one is missing",
        ),
        pytest.param(
            {"cer@a": 0.20, "cer@b": 0.30, "acc@c": 0.9},
            {"cer@a": 0.20, "cer@b": 0.3001, "acc@c": 90.0, "cer@new": 0.1},
            "Too close to call",
            "None of 2 compared results",
            " moved beyond the tolerance. 1 cannot be compared.",
            id="what is new is in the tally alone",
        ),
        pytest.param(
            {"cer@a": 0.20, "wer@a": 0.3},
            {"cer@b": 0.20, "wer@a": 30.0},
            "Not comparable",
            "No result can be judged.",
            " 1 result of both cannot be compared. 1 result of the baseline is missing, 1 is new.",
            id="one of each that is not compared",
        ),
        pytest.param(
            {"cer@a": 0.20, "cer@b": 0.20},
            {"cer@c": 0.20, "cer@d": 0.2, "cer@e": 0.2},
            "Not comparable",
            "The two share no result",
            ": 2 results of the baseline are missing, 3 are new.",
            id="nothing shared",
        ),
        pytest.param(
            None,
            {"cer@a": 0.20, "cer@b": 0.20},
            "Not comparable",
            "There is nothing to compare with",
            ": 2 results of the candidate.",
            id="no baseline",
        ),
        pytest.param({}, {}, "Not comparable", "Neither version has an evaluation result.", "", id="no results"),
        pytest.param(
            {"acc_stderr@a": 0.20},
            {"acc_stderr@a": 0.10},
            "Not comparable",
            "No result is a score.",
            "",
            id="spreads alone",
        ),
    ],
)
def test_the_sentences_of_each_word(before: Values | None, after: Values, word: Word, claim: str, rest: str) -> None:
    decision = decided(before, after)
    told = lede(decision)
    assert decision.summary.word == word
    assert (told.claim, told.rest) == (claim, rest)
    assert told.text == claim + rest


def test_a_result_without_a_share_is_the_largest_and_says_why() -> None:
    decision = decided({"cer@a": 0.0, "cer@b": 0.1}, {"cer@a": 0.1, "cer@b": 0.9})
    assert lede(decision).rest == " of 2 compared results. a loses most: cer 0.0 → 0.1 (from 0)."


def test_names_and_configured_decimals_are_shown_as_elsewhere() -> None:
    configured = Contracts(metric_tables={"cer": MetricSettings(digits=3)})
    decision = decided({"cer@a": 0.1}, {"cer@a": 0.2}, configured).named({"a": "Meeting\nroom\u202e"})
    assert lede(decision).rest.startswith(". Meeting room")
    assert "cer 0.100 → 0.200 (−100.0 %)" in lede(decision).rest
    assert not {"\n", "\u202e"} & {*lede(decision).text}
    long = decided({f"cer@{'d' * 500}": 0.1}, {f"cer@{'d' * 500}": 0.2})
    assert len(lede(long).text) < 200

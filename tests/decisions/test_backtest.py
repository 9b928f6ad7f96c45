"""What the policy would have said of past versions, each at its time."""

import tomllib
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.decisions.backtest import TOLERANCES, Backtest, backtest, tolerance_lines
from paiview.decisions.contracts import Contracts
from paiview.decisions.lineage import Lineage, decide
from paiview.decisions.no_regression import NoRegression
from paiview.decisions.policy import Bound, Described, NoMissing
from paiview.evaluation.metric_meaning import MetricSettings
from paiview.pai.objects import ModelVersion

READ = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def version(
    name: str,
    status: str | None,
    cer: float | None,
    day: int | None,
    paired: dict[str, Any] | None = None,
    **others: Any,
) -> ModelVersion:
    numbers = others | ({} if cer is None else {"cer": cer})
    result = {"Dataset": {"DatasetId": "a"}, "Metrics": numbers, "Paired": paired or {}}
    return ModelVersion.model_validate(
        {
            "VersionName": name,
            "ApprovalStatus": status,
            "GmtCreateTime": None if day is None else f"2026-01-{day:02}T00:00:00Z",
            "Metrics": {"Results": [result]},
        }
    )


PAST = [
    version("1", "Approved", 0.100, 1),
    version("2", "Rejected", 0.090, 2),  # better than 1
    version("3", "Approved", 0.104, 3),  # 4 % worse than 1
    version("4", "Rejected", 0.110, 4),  # 5.8 % worse than 3
    version("5", "Approved", 0.103, 5),  # 1 % better than 3
    version("6", "Pending", None, 6),  # lacks what 5 has
]


def tried(*versions: ModelVersion, contracts: Contracts = Contracts(), **options: Any) -> Backtest:
    return backtest(Lineage("model-asr", versions, READ), contracts, **options)


def test_each_version_is_judged_against_its_baseline_of_then() -> None:
    found = tried(*PAST)
    assert [(each.name, each.status, each.baseline, each.overall) for each in found.versions] == [
        ("6", "Pending", "5", "fail"),
        ("5", "Approved", "3", "pass"),
        ("4", "Rejected", "3", "fail"),
        ("3", "Approved", "1", "fail"),
        ("2", "Rejected", "1", "pass"),
        ("1", "Approved", None, "undecided"),
    ]
    assert [each.name for each in found.versions_with("Approved", "fail")] == ["3"]
    assert [each.name for each in found.versions_with("Rejected", "pass")] == ["2"]
    assert found.counts == {
        ("Pending", "fail"): 1,
        ("Approved", "pass"): 1,
        ("Rejected", "fail"): 1,
        ("Approved", "fail"): 1,
        ("Rejected", "pass"): 1,
        ("Approved", "undecided"): 1,
    }


def test_what_decided_is_told() -> None:
    sentences = {each.name: [finding.sentence for finding in each.findings] for each in tried(*PAST).versions}
    assert sentences["5"] == []
    (worse,) = sentences["3"]
    assert worse.startswith("1 of 1 result is worse: cer on a ")
    assert any("1 of 1 result of the baseline is missing" in sentence for sentence in sentences["6"])


def test_the_curve_says_what_each_tolerance_would_change() -> None:
    found = tried(*PAST)
    assert found.tolerances == TOLERANCES
    failing = {
        step.tolerance: sorted(
            each.name for each in found.versions if each.by_tolerance[place] == "fail" and each.status != "Pending"
        )
        for place, step in enumerate(found.steps)
    }
    assert failing[0.0] == failing[0.03] == ["3", "4"]
    assert failing[0.05] == ["4"]
    assert failing[0.1] == []
    assert [step.counts["Approved", "fail"] for step in found.steps] == [1] * 7 + [0] * 2


def test_a_policy_without_a_tolerance_has_no_curve() -> None:
    found = tried(*PAST, contracts=Contracts(rules=(NoMissing(),)))
    assert (found.tolerances, found.steps) == ((), ())


def test_the_newest_alone_are_judged_against_baselines_among_all() -> None:
    found = tried(*PAST, newest=2)
    assert [(each.name, each.baseline) for each in found.versions] == [("6", "5"), ("5", "3")]
    assert found.older == 4
    assert tried(newest=2).versions == ()


def test_the_lines_of_a_tolerance_are_a_policy_that_gives_the_answers_of_its_step() -> None:
    rules = (NoRegression(metric="cer"), NoRegression(metric="cer", absolute=0.5), Bound(metric="cer", max=1.0))
    lines = tolerance_lines(rules, 0.05)
    assert tomllib.loads(lines) == {
        "policy": [
            {"rule": "no_regression", "metric": "cer", "relative": 0.05},
            {"rule": "bound", "metric": "cer", "max": 1.0},
        ]
    }
    pasted = Contracts(rules=(NoRegression(metric="cer", relative=0.05), Bound(metric="cer", max=1.0)))
    step = next(step for step in tried(*PAST, contracts=Contracts(rules=rules)).steps if step.tolerance == 0.05)
    assert step.counts == tried(*PAST, contracts=pasted).counts


NUMBERS = st.sampled_from([None, 0.0, 0.1, 0.1001, 0.101, 0.102, 0.105, 0.11, 0.2, 1.5])
EVIDENCE = st.one_of(
    st.none(), st.tuples(st.integers(1, 2), st.sampled_from([0.0005, 0.003, 0.02]), st.sampled_from([10, 100]))
)
"""How many places back the version of paired evidence is, how far the interval of cer reaches each way, its groups."""
HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(["Approved", "Rejected", "Pending", None]),
        NUMBERS,
        st.dictionaries(st.sampled_from(["iou.person", "width", "acc"]), NUMBERS.filter(lambda n: n is not None)),
        st.one_of(st.none(), st.integers(1, 9)),
        EVIDENCE,
    ),
    min_size=1,
    max_size=7,
)
POLICIES = st.sampled_from(
    [
        Contracts(),
        Contracts(rules=(NoRegression(relative=0.02), Described())),
        Contracts(rules=(NoRegression(accept=("assumed", "unknown")), Bound(metric="cer", max=0.15))),
        Contracts(rules=(NoRegression(confidence=0.95), NoMissing())),
        Contracts(rules=(NoRegression(margin=0.03), NoRegression(metric="iou.person"))),
        Contracts(metric_tables={"width": MetricSettings(absolute=0.01), "cer": MetricSettings(relative=0.05)}),
    ]
)


@settings(max_examples=200, deadline=None)
@given(HISTORIES, POLICIES, st.integers(0, 2))
def test_it_answers_as_a_check_would_have_when_the_version_was_the_newest(
    history: list[tuple[str | None, float | None, dict[str, float], int | None, tuple[int, float, int] | None]],
    contracts: Contracts,
    missing: int,
) -> None:
    versions = []
    for place, (status, cer, others, day, evidence) in enumerate(history):
        paired = {}
        if evidence is not None and cer is not None:
            back, reach, groups = evidence
            if place >= back and (before := history[place - back][1]) is not None:
                change = cer - before
                interval = {"change": change, "low": change - reach, "high": change + reach, "level": 0.95}
                paired = {"cer": [{"baseline": f"0.{place - back}.0", **interval, "n": 10 * groups, "groups": groups}]}
        versions.append(version(f"0.{place}.0", status, cer, day, paired, **others))
    whole = Lineage("m", versions, READ, total=len(versions) + missing)
    found = backtest(whole, contracts)
    of_name = {each.version_name: each for each in versions}
    listed = [of_name[name] for name in whole.names]
    for place, each in enumerate(reversed(found.versions), 1):
        then = Lineage("m", listed[:place], READ, total=place + missing)
        decision = decide(then, each.name, contracts=contracts)
        assert (each.overall, each.baseline) == (decision.overall, decision.baseline)
        for tolerance, overall in zip(found.tolerances, each.by_tolerance, strict=True):
            rules = tuple(
                rule.model_copy(update={"relative": tolerance, "absolute": None})
                if isinstance(rule, NoRegression)
                else rule
                for rule in contracts.rules
            )
            tolerant = Contracts(metric_tables=contracts.metric_tables, rules=rules)
            assert overall == decide(then, each.name, contracts=tolerant).overall

"""Which baseline a candidate is compared with, and what a decision is made of."""

import hashlib
import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision
from paiview.decisions.lineage import ComparisonError, Lineage, UnknownVersionError, decide
from paiview.evaluation.metric_meaning import DatasetContract, MetricSettings
from paiview.pai.objects import ModelVersion

READ = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Results = dict[str, dict[str, Any]]


def version(name: str, status: str | None, results: Results, day: int = 1, **fields: Any) -> ModelVersion:
    items = [{"Dataset": {"DatasetId": dataset}, "Metrics": values} for dataset, values in results.items()]
    return ModelVersion.model_validate(
        {
            "VersionName": name,
            "ApprovalStatus": status,
            "GmtCreateTime": f"2026-01-{day:02}T00:00:00Z",
            "Metrics": {"Results": items},
            **fields,
        }
    )


def lineage(*versions: ModelVersion, model_id: str = "model-asr") -> Lineage:
    return Lineage(model_id, versions, READ)


A = {"a": {"cer": 0.1}}
B = {"b": {"cer": 0.1}}
A_TWICE = [{"Dataset": {"DatasetId": "a"}, "Metrics": {"cer": value}} for value in (0.1, 0.2)]


@pytest.mark.parametrize(
    ("versions", "baseline", "reason"),
    [
        pytest.param(
            [version("1", "Approved", A, 1), version("2", "Approved", A, 2), version("c", "Pending", A, 3)],
            "2",
            "newest approved by creation",
            id="the newest approved one",
        ),
        pytest.param(
            [version("1", "Approved", A, 1), version("2", "Approved", B, 2), version("c", "Pending", A, 3)],
            "1",
            "newest approved before the candidate that shares a result: 2 is newer and shares none",
            id="an approved one that shares nothing is passed over, and told",
        ),
        pytest.param(
            [version("1", "Approved", A, 1), version("c", "Pending", A, 3), version("9", "Approved", A, 9)],
            "1",
            "newest approved before the candidate",
            id="one created after the candidate is not before it",
        ),
        pytest.param(
            [version("1", "Approved", A, 1), version("2", "Rejected", A, 2), version("c", "Pending", A, 3)],
            "1",
            "newest approved by creation",
            id="a rejected one is no baseline while one is approved",
        ),
        pytest.param(
            [version("1", "Approved", {"a": {"cer": "n/a"}}, 1), version("c", "Pending", A, 3)],
            "1",
            "newest approved by creation, though no approved version shares a result with the candidate",
            id="what is no number is not shared",
        ),
        pytest.param(
            [version("1", "Approved", B, 1), version("2", "Approved", {}, 2), version("c", "Pending", A, 3)],
            "2",
            "newest approved by creation, though no approved version shares a result with the candidate",
            id="none shares: the newest approved",
        ),
        pytest.param(
            [
                version("1", "Rejected", A, 1),
                version("2", "Pending", A, 2),
                version("3", "Pending", B, 2),
                version("c", "Pending", A, 3),
            ],
            "2",
            "newest earlier version that shares a result: none before the candidate is approved",
            id="none is approved: the newest earlier one that shares",
        ),
        pytest.param(
            [version("1", "Rejected", A, 1), version("c", "Pending", A, 3)],
            "1",
            "newest earlier version that shares a result: none before the candidate is approved",
            id="none is approved: a rejected one, too",
        ),
        pytest.param(
            [version("1", "Pending", B, 1), version("c", "Pending", A, 3), version("9", "Approved", A, 9)],
            None,
            "no baseline: no version before the candidate is approved or shares a result",
            id="none at all",
        ),
    ],
)
def test_the_baseline_follows_the_rules_and_is_told_with_its_reason(
    versions: list[ModelVersion], baseline: str | None, reason: str
) -> None:
    for listed in (versions, versions[::-1]):
        decision = decide(lineage(*listed), "c")
        assert (decision.baseline, decision.baseline_reason) == (baseline, reason)
        assert decision.baseline_model == (None if baseline is None else "model-asr")


FIRST, CANDIDATE = version("1", "Approved", A, 1), version("c", "Pending", A, 3)
LATER = [version("8", "Approved", A, 8), version("9", "Approved", A, 9), version("p", "Pending", A, 10)]
BOTH = "c was created before 9 and 1 more version, which are approved: it is not compared with the newest approved."
ONE = "c was created before 9, which is approved: it is not compared with the newest approved."


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("Approved", ()),
        ("Rejected", ("Baseline 1 is Rejected",)),
        ("Pending", ("Baseline 1 is Pending",)),
        ("Odd\n[x](y)", ("Baseline 1 is Odd [x](y)",)),
        (None, ("Baseline 1 has no approval status",)),
    ],
)
def test_a_baseline_that_is_not_approved_is_told_whichever_model_it_is_of(
    status: str | None, told: tuple[str, ...]
) -> None:
    baseline = version("1", status, A, 1)
    notes = tuple(f"{fact}: the comparison is with a version that is not approved." for fact in told)
    assert decide(lineage(baseline, CANDIDATE), "c", baseline="1").notes == notes
    other = lineage(baseline, model_id="model-other")
    assert decide(lineage(CANDIDATE), "c", baseline="1", other=other).notes == notes


@pytest.mark.parametrize(
    ("versions", "baseline", "notes"),
    [
        ([FIRST, CANDIDATE, *LATER], None, (BOTH,)),
        ([FIRST, CANDIDATE, *LATER], "8", (BOTH,)),
        ([FIRST, CANDIDATE, *LATER], "9", ()),
        ([FIRST, CANDIDATE, LATER[1]], None, (ONE,)),
        ([CANDIDATE, LATER[1]], None, (ONE,)),
        ([FIRST, CANDIDATE], None, ()),
        ([FIRST, version("c", "Approved", A, 3), *LATER], None, ()),
    ],
)
def test_a_candidate_that_approved_versions_have_overtaken_is_told_to_be(
    versions: list[ModelVersion], baseline: str | None, notes: tuple[str, ...]
) -> None:
    assert decide(lineage(*versions), "c", baseline=baseline).notes == notes


def test_a_decision_is_made_once_for_all_who_ask_the_same() -> None:
    versions = lineage(version("1", "Approved", A, 1), version("c", "Pending", A, 2))
    decision = decide(versions, "c")
    assert decide(versions, "c", contracts=Contracts()) is decision
    assert decide(versions, "c", baseline="1").pairs == decision.pairs
    tables = {"cer": MetricSettings("higher")}
    of_page = decide(versions, "c", contracts=Contracts(page=tables))
    configured = decide(versions, "c", contracts=Contracts(metric_tables=tables))
    assert [meaning.source for meaning in (of_page.metrics[0], configured.metrics[0])] == ["page", "configuration"]
    assert decide(lineage(version("1", "Approved", A, 1)), "1") != decision


def test_equal_times_are_settled_by_the_numbers_of_the_name() -> None:
    versions = [version("0.10.0", "Approved", A), version("0.9.0", "Approved", A), version("0.11.0", "Pending", A)]
    assert decide(lineage(*versions), "0.11.0").baseline == "0.10.0"


def test_a_named_baseline_says_who_named_it_and_what_the_rules_choose() -> None:
    versions = lineage(version("1", "Approved", A, 1), version("2", "Approved", A, 2), version("c", "Pending", A, 3))
    assert decide(versions, "c", baseline="1").baseline_reason == "named; the rules choose 2"
    by_link = decide(versions, "c", baseline="1", named_by="named by a link")
    assert by_link.baseline_reason == "named by a link; the rules choose 2"
    same = decide(versions, "c", baseline="2", named_by="named by a link")
    assert same.baseline_reason == "named by a link"
    assert same.model_copy(update={"baseline_reason": ""}) == decide(versions, "c").model_copy(
        update={"baseline_reason": ""}
    )


def test_a_baseline_named_where_the_rules_choose_none() -> None:
    versions = lineage(version("c", "Pending", A, 3), version("9", "Approved", A, 9))
    decision = decide(versions, "c", baseline="9")
    assert (decision.baseline, decision.baseline_reason) == ("9", "named")


def test_a_baseline_of_another_model() -> None:
    home = lineage(version("c", "Pending", A, 3))
    other = Lineage("model-other", [version("1", "Approved", {"a": {"cer": 0.2}}, 9)], datetime(2026, 1, 1, tzinfo=UTC))
    decision = decide(home, "c", baseline="1", other=other)
    assert (decision.baseline_model, decision.baseline) == ("model-other", "1")
    assert decision.baseline_reason == "named, from another model"
    assert decision.summary.word == "Better"
    assert decision.fetched_at == other.fetched_at
    with pytest.raises(ComparisonError, match="No version of model-other is named as the baseline"):
        decide(home, "c", other=other)


def test_a_version_of_the_same_name_in_another_model_is_another_version() -> None:
    home = lineage(version("c", "Pending", A, 3))
    other = lineage(version("c", "Approved", A, 1), model_id="model-other")
    assert decide(home, "c", baseline="c", other=other).summary.word == "Too close to call"


@pytest.mark.parametrize(
    ("candidate", "baseline", "told"),
    [
        ("9.9.9", None, "model-asr has no version 9.9.9 as of "),
        ("c", "9.9.9", "model-asr has no version 9.9.9 as of "),
        ("c", "", "model-asr has no version  as of "),
        ("c", "c", "c is both the candidate and the baseline."),
    ],
)
def test_no_verdict_about_another_version(candidate: str, baseline: str | None, told: str) -> None:
    versions = lineage(version("1", "Approved", A, 1), version("c", "Pending", A, 3))
    with pytest.raises(ComparisonError) as raised:
        decide(versions, candidate, baseline=baseline)
    assert raised.value.message.startswith(told)
    assert isinstance(raised.value, UnknownVersionError) == ("no version" in told)


def test_two_names_of_one_dataset_are_compared_through_their_alias() -> None:
    versions = lineage(version("1", "Approved", {"oss://a.tsv": {"cer": 0.2}}, 1), version("c", "Pending", A, 2))
    assert decide(versions, "c").summary.word == "Not comparable"
    contracts = Contracts(
        dataset_tables={"oss://a.tsv": DatasetContract(alias_of="a"), "a": DatasetContract(name="AISHELL")}
    )
    decision = decide(versions, "c", contracts=contracts)
    assert decision.summary.word == "Better"
    assert [(pair.dataset, pair.name) for pair in decision.pairs] == [("a", "AISHELL")]


def test_the_fingerprint_is_of_both_metrics_and_of_nothing_else() -> None:
    before, after = version("1", "Approved", A, 1), version("c", "Pending", {"a": {"准确率": 0.9, "cer": 0.2}}, 2)
    decision = decide(lineage(before, after), "c")
    text = json.dumps(
        {"baseline": before.metrics, "candidate": after.metrics},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    assert decision.data_fingerprint == "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    again = lineage(before, version("c", "Rejected", {"a": {"cer": 0.2, "准确率": 0.9}}, 2, VersionDescription="new"))
    assert decide(again, "c").data_fingerprint == decision.data_fingerprint
    edited = lineage(before, version("c", "Pending", {"a": {"cer": 0.2, "准确率": 0.91}}, 2))
    assert decide(edited, "c").data_fingerprint != decision.data_fingerprint


def test_decisions_are_equal_whenever_they_were_read() -> None:
    versions = [version("1", "Approved", A, 1), version("c", "Pending", B, 2)]
    one, other = decide(lineage(*versions), "c"), decide(Lineage("model-asr", versions, datetime.now(UTC)), "c")
    assert one == other
    assert hash(one) == hash(other)
    assert one != decide(lineage(*versions), "c", contracts=Contracts(page={"cer": MetricSettings("higher")}))
    assert Decision.model_validate_json(one.model_dump_json()) == one


def test_two_scales_are_not_compared_until_the_file_says_how_they_are_stored() -> None:
    versions = lineage(
        version("1", "Approved", {"a": {"cer": 17.5}}, 1), version("c", "Pending", {"a": {"cer": 0.18}}, 2)
    )
    decision = decide(versions, "c")
    assert (decision.summary.word, decision.overall) == ("Not comparable", "undecided")
    assert [(doubt.kind, doubt.toml) for doubt in decision.doubts] == [
        ("scale", '[metrics.cer]\nscale = "mixed"  # numbers of at most 1 are fractions and count times 100')
    ]
    mixed = decide(versions, "c", contracts=Contracts(metric_tables={"cer": MetricSettings(scale="mixed")}))
    assert (mixed.summary.word, mixed.overall, mixed.doubts) == ("Worse", "fail", ())
    assert [(pair.baseline, pair.candidate) for pair in mixed.pairs] == [(17.5, 18.0)]


def test_long_and_hostile_names_leave_sentences_readable() -> None:
    name = "\x1b[31m\u202e" + "x" * 20_000 + "end"
    other = "\x1b[31m\u202e" + "y" * 20_000 + "end"
    versions = [version(name, "Approved", {name: {name: 1}}, 1), version(other, "Approved", {}, 2)]
    decision = decide(lineage(*versions, version("c", "Pending", {name: {name: 2}}, 3), model_id=name), "c")
    assert decision.baseline == name
    [doubt] = decision.doubts
    assert doubt.kind == "unknown"
    for text in (decision.baseline_reason, doubt.sentence, *(rule.sentence for rule in decision.rules)):
        assert text.isprintable()
        assert len(text) < 400


def test_a_listing_that_was_read_unevenly_may_hide_the_baseline() -> None:
    versions = [version("1", "Approved", A, 1), version("c", "Pending", A, 2)]
    sure, doubtful = Lineage("model-asr", versions, READ), Lineage("model-asr", versions, READ, uneven="It moved.")
    other = Lineage("model-other", versions, READ, uneven="It moved.")
    assert (decide(sure, "c").notes, decide(sure, "c").doubts) == ((), ())
    for partial in (doubtful, Lineage("m", versions[1:], READ, uneven="It moved.")):
        [doubt] = decide(partial, "c").doubts
        assert doubt.kind == "listing"
        assert doubt.sentence.startswith("It moved. A newer approved version may be missing. ")
        assert decide(partial, "c").notes == (), "the doubt says it"
    note = " It moved. Versions may be missing, and with them a newer baseline."
    assert decide(doubtful, "c", baseline="1").notes == (f"model-asr:{note}",)
    assert decide(sure, "c", baseline="1", other=other).notes == (f"model-other:{note}",)


def test_a_listing_of_fewer_versions_than_the_model_has_is_a_doubt_where_the_rules_chose() -> None:
    versions = [
        version("1", "Approved", A, 1),
        *(version(f"0.{at}.0", "Pending", A, 2) for at in range(8)),
        version("c", "Pending", A, 3),
    ]
    whole, partial = Lineage("model-asr", versions, READ, total=10), Lineage("model-asr", versions, READ, total=15)
    assert (decide(whole, "c").overall, decide(whole, "c").doubts, decide(whole, "c").notes) == ("pass", (), ())
    decision = decide(partial, "c")
    assert decision.overall == "undecided"
    [doubt] = decision.doubts
    assert (doubt.kind, doubt.pairs, doubt.accepted) == ("listing", (), False)
    assert doubt.sentence.startswith("10 of 15 versions are listed. A newer approved version may be missing. ")
    assert doubt.toml == '[policy_defaults]\naccept = [\n    "listing",\n]'
    accepting = decide(partial, "c", contracts=Contracts(accept=frozenset({"listing"})))
    assert accepting.overall == "pass"
    assert [accepted.accepted for accepted in accepting.doubts] == [True]
    assert decide(partial, "c", contracts=Contracts(accept=frozenset({"order"}))).overall == "undecided"


def test_a_named_baseline_of_a_partial_listing_is_pointed_out_and_no_doubt() -> None:
    versions = [version("1", "Approved", A, 1), version("c", "Pending", A, 3)]
    decision = decide(Lineage("model-asr", versions, READ, total=15), "c", baseline="1")
    assert (decision.overall, decision.doubts) == ("pass", ())
    assert decision.notes == ("model-asr: 2 of 15 versions are listed. A newer baseline may be missing.",)
    other = Lineage("model-other", versions, READ, total=3)
    elsewhere = decide(Lineage("model-asr", versions, READ), "c", baseline="1", other=other)
    assert elsewhere.doubts == ()
    assert elsewhere.notes == ("model-other: 2 of 3 versions are listed. A newer baseline may be missing.",)


def undated(name: str, status: str, results: Results) -> ModelVersion:
    return version(name, status, results, GmtCreateTime="yesterday")


NEWER, PENDING = version("0.2.0", "Approved", A, 2), version("0.3.0", "Pending", A, 3)


@pytest.mark.parametrize(
    ("versions", "is_doubt"),
    [
        pytest.param([undated("0.1.0", "Approved", A), NEWER, PENDING], True, id="approved and shares a score"),
        pytest.param([undated("0.1.0", "Approved", B), NEWER, PENDING], False, id="approved and shares none"),
        pytest.param([undated("0.1.0", "Pending", A), NEWER, PENDING], False, id="not approved"),
        pytest.param([undated("0.3.0", "Pending", A), NEWER], True, id="the candidate itself"),
        pytest.param([undated("0.2.0", "Approved", A), undated("0.3.0", "Pending", A)], True, id="no version at all"),
        pytest.param([version("0.1.0", "Approved", A, 2), NEWER, PENDING], False, id="equal times"),
    ],
)
def test_the_order_is_a_doubt_where_a_time_that_matters_is_not_readable(
    versions: list[ModelVersion], is_doubt: bool
) -> None:
    decision = decide(lineage(*versions), "0.3.0")
    assert [doubt.kind for doubt in decision.doubts] == ["order"] * is_doubt
    if decision.baseline is not None:
        assert decision.overall == ("undecided" if is_doubt else "pass")
        accepting = decide(lineage(*versions), "0.3.0", contracts=Contracts(accept=frozenset({"order"})))
        assert accepting.overall == "pass"
        named = decide(lineage(*versions), "0.3.0", baseline=decision.baseline)
        assert (named.overall, named.doubts) == ("pass", ())


def test_without_any_time_the_names_say_which_is_newest_and_that_is_told() -> None:
    names = [undated("0.9.0", "Approved", A), undated("0.10.0", "Approved", A), undated("0.11.0", "Pending", A)]
    decision = decide(lineage(*names), "0.11.0")
    assert (decision.baseline, decision.baseline_reason) == ("0.10.0", "newest approved by name")
    [doubt] = decision.doubts
    assert doubt.sentence.startswith("0.9.0 and 2 more versions have no readable creation time, so that the order is ")
    assert decision.notes == ()
    named = decide(lineage(*names), "0.11.0", baseline="0.9.0")
    assert named.notes == ("No version has a readable creation time: they are in the order of their names.",)
    assert (named.doubts, named.overall) == ((), "pass")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"a": {"acc": -1}}, {"a": {"acc": 0.9}}, id="invalid before"),
        pytest.param({"a": {"acc": 0.9}}, {"a": {"acc": -1}}, id="invalid in the candidate"),
        pytest.param({"a": {"epoch": 3}}, {"a": {"epoch": 3}}, id="no score"),
    ],
)
def test_only_a_valid_number_of_a_score_is_shared(before: Results, after: Results) -> None:
    versions = lineage(version("1", "Pending", before, 1), version("c", "Pending", after, 2))
    assert decide(versions, "c").baseline is None


def test_an_ignored_dataset_is_not_shared() -> None:
    versions = lineage(version("1", "Pending", A, 1), version("c", "Pending", A, 2))
    assert decide(versions, "c").baseline == "1"
    ignoring = Contracts(dataset_tables={"a": DatasetContract(ignore=True)})
    assert decide(versions, "c", contracts=ignoring).baseline is None


def test_an_alias_of_a_metric_is_shared_too() -> None:
    versions = lineage(
        version("1", "Approved", {"a": {"acc,none": 0.8}}, 1), version("c", "Pending", {"a": {"acc": 0.9}}, 2)
    )
    assert decide(versions, "c").summary.word == "Not comparable"
    renamed = decide(versions, "c", contracts=Contracts(metric_tables={"acc,none": MetricSettings(alias_of="acc")}))
    assert renamed.baseline_reason == "newest approved by creation"
    assert [(pair.metric, pair.state) for pair in renamed.pairs] == [("acc", "better")]


def test_the_baseline_is_found_behind_hundreds_that_share_nothing() -> None:
    between = [version(f"0.{at}.0", "Approved", B, 2) for at in range(700)]
    twice = version("0.800.0", "Approved", {}, 2, Metrics={"Results": [*A_TWICE]})
    versions = lineage(version("1", "Approved", A, 1), *between, twice, version("c", "Pending", A, 3))
    newer = "newest approved before the candidate that shares a result: 0.800.0 is newer and shares none"
    assert versions.baseline("c", Contracts()) == ("1", newer)
    alias = Contracts(dataset_tables={"b": DatasetContract(alias_of="a")})
    assert versions.baseline("c", alias)[0] == "0.699.0"


@pytest.mark.parametrize("status", ["Approved", "Pending"])
def test_each_of_many_candidates_finds_the_newest_earlier_version_that_shares_a_result(status: str) -> None:
    datasets = [f"d-{place * place % 97}" for place in range(200)]
    versions = [
        version(
            f"0.{place}.0",
            status,
            {dataset: {"cer": 0.1}},
            GmtCreateTime=f"2026-01-{place // 24 + 1:02}T{place % 24:02}:00:00Z",
        )
        for place, dataset in enumerate(datasets)
    ]
    searched = lineage(*versions)
    for place, dataset in enumerate(datasets):
        earlier = [before for before in range(place) if datasets[before] == dataset]
        usual = f"0.{place - 1}.0" if status == "Approved" and place else None
        expected = f"0.{earlier[-1]}.0" if earlier else usual
        assert searched.baseline(f"0.{place}.0", Contracts())[0] == expected


def largest_overlap(versions: Lineage, candidate: str, contracts: Contracts = Contracts(), **asked: Any) -> Any:
    decision = decide(versions, candidate, contracts=contracts, **asked)
    return versions.largest_overlap(decision, contracts)


def test_a_version_that_shares_nothing_with_its_baseline_is_offered_the_one_that_shares_the_most() -> None:
    both = {"a": {"cer": 0.1}, "d": {"cer": 0.1}}
    versions = lineage(
        version("1", "Rejected", A, 1),
        version("2", "Rejected", both, 2),
        version("3", "Rejected", both, 3),
        version("4", "Approved", B, 4),
        version("5", "Rejected", A, 5),
        version("c", "Pending", both | {"e": {"cer": 0.1}}, 6),
        version("7", "Rejected", both | {"e": {"cer": 0.1}}, 7),
    )
    assert largest_overlap(versions, "c", baseline="4") == ("3", 2), "Of those as good the newest, and none after it."
    assert largest_overlap(versions, "c", baseline="1") is None, "It compares something."
    assert largest_overlap(versions, "1") is None, "Nothing is earlier."
    alias = Contracts(dataset_tables={"b": DatasetContract(alias_of="a"), "d": DatasetContract(ignore=True)})
    assert largest_overlap(versions, "c", alias, baseline="4") is None
    other = lineage(version("x", "Approved", B, 1), model_id="model-other")
    assert largest_overlap(versions, "c", baseline="x", other=other) is None, "The reader chose another model."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"a": {"acc": 0.9}}, {"a": {"acc": 91.0}}, id="two scales"),
        pytest.param({"a": {"blobs": 3}}, {"a": {"blobs": 4}}, id="no direction"),
        pytest.param({"a": {"epoch": 3}}, {"a": {"epoch": 3}}, id="no score"),
        pytest.param({"b": {"cer": 3}}, {"a": {"cer": 3}}, id="nothing shared with any"),
        pytest.param({}, {}, id="no results"),
    ],
)
def test_no_version_is_offered_where_that_would_not_help(before: Results, after: Results) -> None:
    """A link that leads to the comparison on the screen, or to one that says as little, helps nobody."""
    versions = lineage(version("1", "Approved", before, 1), version("c", "Pending", after, 2))
    assert decide(versions, "c").summary.word == "Not comparable"
    assert largest_overlap(versions, "c") is None


def test_the_contracts_in_force_stand_in_the_decision() -> None:
    versions = lineage(
        version("1", "Approved", {"a": {"cer": 0.1, "speed": 1}}, 1),
        version("c", "Pending", {"a": {"cer": 0.1, "speed": 2}}, 2),
    )
    decision = decide(versions, "c", contracts=Contracts(page={"speed": MetricSettings("higher")}))
    assert [(item.metric, item.direction, item.source) for item in decision.metrics] == [
        ("cer", "lower", "catalogue"),
        ("speed", "higher", "page"),
    ]


def test_the_newest_pending_version_is_the_candidate_to_offer() -> None:
    versions = lineage(version("1", "Pending", A, 1), version("2", "Pending", A, 2), version("3", "Approved", A, 3))
    assert versions.newest_pending() == "2"
    assert lineage(version("3", "Approved", A, 3)).newest_pending() is None


VALUES = st.one_of(
    st.floats(),
    st.integers(),
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(["0.1", 0.0, 1.0, math.inf]),
)
METRICS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "Results": st.lists(
                st.fixed_dictionaries(
                    {
                        "Dataset": st.sampled_from([{"DatasetId": "a"}, {"Uri": "b"}, {}, None, "a"]),
                        "Metrics": st.dictionaries(st.sampled_from(["cer", "acc", "speed", "x.y"]), VALUES, max_size=3),
                    }
                ),
                max_size=4,
            )
        }
    ),
    st.dictionaries(st.text(max_size=3), VALUES, max_size=2),
)


@settings(deadline=None, max_examples=150)
@given(METRICS, METRICS)
def test_no_results_are_too_odd_for_a_decision(before: Any, after: Any) -> None:
    versions = [
        ModelVersion.model_validate({"VersionName": "1", "ApprovalStatus": "Approved", "Metrics": before}),
        ModelVersion.model_validate({"VersionName": "c", "ApprovalStatus": "Pending", "Metrics": after}),
    ]
    decision = decide(lineage(*versions), "c", baseline="1")
    assert Decision.model_validate_json(decision.model_dump_json()) == decision

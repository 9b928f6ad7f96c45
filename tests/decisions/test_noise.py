"""Evidence of noise in a pair: what makes it unclear, what only informs, and what is not used."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from paiview.decisions.averages import averages
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision, PairDecision, Paired
from paiview.decisions.lineage import Lineage, decide
from paiview.decisions.noise import Compared
from paiview.decisions.pairs import judge_pairs, summarize
from paiview.decisions.wording import headline, lede, short_headline
from paiview.evaluation.metric_meaning import DatasetContract, Direction, MetricContract, MetricSettings
from paiview.evaluation.noise_evidence import PairedEntry, Spread
from paiview.evaluation.results import Measurement, Pair
from paiview.pai.objects import ModelVersion
from paiview.reports import plain_text
from paiview.reports.documents import to_html

COMPARED = Compared("model-a", "model-a", "1")
WER = MetricContract("wer", "lower", range=(0.0, None), has_scales=True, standing="known")
BIAS = MetricContract("bias", "target", target=0.5, standing="declared")


def entry(change: float, low: float, high: float, **rest: Any) -> PairedEntry:
    return PairedEntry("1", None, change, low, high, **{"n": 4270, "groups": 250, **rest})


def judged(
    before: float,
    after: float,
    *entries: PairedEntry,
    meaning: MetricContract = WER,
    compared: Compared | None = COMPARED,
    spreads: tuple[Spread | None, Spread | None] = (None, None),
    n: int | None = None,
) -> PairDecision:
    pair = Pair(meaning.metric, "d-1")
    (decided,) = judge_pairs(
        {pair: Measurement(after, paired=entries, spread=spreads[1])},
        {pair: Measurement(before, spread=spreads[0])},
        {meaning.metric: meaning},
        {"d-1": DatasetContract(n={meaning.metric: n})} if n else {},
        compared,
    )
    return decided


def test_an_interval_that_holds_0_makes_a_change_unclear() -> None:
    pair = judged(0.1144, 0.1104, entry(-0.004, -0.0108, 0.0023))
    assert (pair.state, pair.evidence) == ("unclear", "paired")
    assert pair.paired == Paired(low=-0.0108, high=0.0023, level=0.95, n=4270, groups=250, decides=True)
    assert pair.note == (
        "the difference may be chance: between −0.0108 and +0.0023 with 95 % confidence; about 1,200 more groups of "
        "items would settle it, if the difference stays as it is"
    )
    assert pair.gain == pytest.approx(0.035, abs=1e-4)


@pytest.mark.parametrize(
    ("after", "ends", "state"),
    [
        (0.1104, (-0.008, -0.0001), "better"),
        (0.1184, (0.0001, 0.008), "worse"),
        (0.1184, (0.0, 0.008), "unclear"),
        (0.1104, (-0.008, 0.0), "unclear"),
        (0.1144, (-0.01, 0.01), "same"),
        (0.1145, (-0.01, 0.01), "same"),
    ],
)
def test_the_interval_and_then_the_tolerance_decide(after: float, ends: tuple[float, float], state: str) -> None:
    change = round(after - 0.1144, 4)
    pair = judged(0.1144, after, entry(change, *ends))
    assert (pair.state, pair.evidence) == (state, "paired")


@pytest.mark.parametrize(
    ("before", "after", "change", "is_used"),
    [
        (0.175, 0.172, -0.003, True),
        (0.175, 0.172, -0.004, False),
        (0.175, 0.172, -0.0034, True),
        (0.175, 0.172, -0.0041, False),
        (0.1144, 0.1104, -0.00398712, True),
        (0.1144, 0.1104, -0.00388712, False),
        (0.11437291, 0.11039017, -0.00398274, True),
        (0.11437291, 0.11039017, -0.0039827, True),
        (0.11437291, 0.11039017, -0.0039826, False),
        (0.1144, 0.1104, 0.004, False),
        (11.44, 11.04, -0.4, True),
        (11.44, 11.04, -0.004, False),
        (100.0, 90.0, -10.0, True),
        (0.2, 0.1, -0.1, True),
        (0.3, 0.1, -0.19999999999999998, True),
    ],
)
def test_evidence_about_other_numbers_is_not_used(before: float, after: float, change: float, is_used: bool) -> None:
    pair = judged(before, after, entry(change, change - 20, change + 20))
    assert (pair.paired is not None) == is_used == (pair.state == "unclear")
    assert pair.evidence == ("paired" if is_used else None)
    if not is_used:
        assert pair.note is not None
        assert pair.note.startswith("paired evidence is not used: its change ")


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        pytest.param(0.10, 0.30, entry(0.0, -0.01, 0.01), id="a change of 0 beside a threefold error"),
        pytest.param(4.0, 3.6, entry(0.0, -0.05, 0.05), id="numbers edited since"),
        pytest.param(12.0, 13.4, entry(1.0, 0.8, 1.1), id="few digits, and outside of the interval"),
        pytest.param(12.0, 13.0, entry(0.01, -0.02, 0.04), id="a fraction beside percent"),
        pytest.param(12.0, 12.1, entry(0.001, -0.01, 0.012), id="a small fraction beside percent"),
    ],
)
def test_evidence_whose_interval_does_not_hold_the_change_is_not_used(
    before: float, after: float, found: PairedEntry
) -> None:
    pair = judged(before, after, found)
    assert (pair.paired, pair.evidence) == (None, None)
    assert pair.note is not None
    assert pair.note.startswith("paired evidence is not used: its ")


@pytest.mark.parametrize(
    ("found", "compared", "is_used"),
    [
        (entry(-0.01, -1, 1), COMPARED, True),
        (entry(-0.01, -1, 1), None, False),
        (entry(-0.01, -1, 1), Compared("model-a", "model-a", "2"), False),
        (entry(-0.01, -1, 1), Compared("model-a", "model-b", "1"), False),
        (entry(-0.01, -1, 1)._replace(model="model-b"), Compared("model-a", "model-b", "1"), True),
        (entry(-0.01, -1, 1)._replace(model="model-b"), COMPARED, False),
        (entry(-0.01, -1, 1)._replace(model="model-a"), COMPARED, True),
    ],
)
def test_evidence_is_about_one_baseline_of_one_model(
    found: PairedEntry, compared: Compared | None, is_used: bool
) -> None:
    pair = judged(0.1, 0.09, found, compared=compared)
    assert pair.state == ("unclear" if is_used else "better")
    if compared and not is_used:
        home = f" of {found.model}" if found.model else ""
        assert pair.note == f"paired evidence is about the baseline 1{home}"


def test_few_groups_inform_and_do_not_decide() -> None:
    pair = judged(0.1, 0.09, entry(-0.01, -0.03, 0.01, groups=19))
    assert (pair.state, pair.evidence) == ("better", "paired")
    assert pair.paired is not None
    assert not pair.paired.decides
    assert pair.note == (
        "19 groups of items are too few to decide, 20 are needed; a hint: the difference may be chance"
    )
    clear = judged(0.1, 0.09, entry(-0.01, -0.03, -0.005, groups=19))
    assert clear.note is not None
    assert clear.note.endswith("a hint: the difference is hardly chance")
    assert judged(0.1, 0.09, entry(-0.01, -0.03, 0.01, groups=20)).state == "unclear"
    assert judged(0.1, 0.09, entry(-0.01, -0.03, 0.01, groups=None, n=19)).state == "better"
    assert judged(0.1, 0.09, entry(-0.01, -0.03, 0.01, groups=None, n=None)).state == "unclear"


def test_two_entries_that_differ_are_not_used() -> None:
    pair = judged(0.1, 0.09, entry(-0.01, -0.03, 0.01), entry(-0.01, -0.03, -0.001))
    assert (pair.state, pair.evidence, pair.paired) == ("better", None, None)
    assert pair.note == "paired evidence is not used: 2 entries of 95 % differ"


def test_states_follow_the_level_of_95_percent() -> None:
    wide, narrow = entry(-0.01, -0.03, 0.01, level=0.99), entry(-0.01, -0.02, -0.001)
    pair = judged(0.1, 0.09, wide, narrow)
    assert (pair.state, pair.paired and pair.paired.level) == ("better", 0.95)
    assert [paired.level for paired in pair.paired_levels] == [0.99]
    assert (judged(0.1, 0.09, wide).state, judged(0.1, 0.09, wide).evidence) == ("better", None)


def test_with_a_target_it_is_of_the_distance() -> None:
    # 0.6 is 0.1 from the target and 0.42 is 0.08: the distance fell by 0.02, and the value by 0.18.
    pair = judged(0.6, 0.42, entry(-0.02, -0.05, 0.01, is_distance=True), meaning=BIAS)
    assert (pair.state, pair.change) == ("unclear", -0.18)
    assert judged(0.6, 0.42, entry(-0.02, -0.05, -0.01, is_distance=True), meaning=BIAS).state == "better"
    of_value = judged(0.6, 0.42, entry(-0.18, -0.5, 0.1), meaning=BIAS)
    assert of_value.state == "better"
    assert of_value.note == "paired evidence is not used: it is not of the distance to the target"
    # The distance grew by 0.0112. The numbers have one decimal, but the evidence says the opposite of them.
    coarse = replace(BIAS, target=0.5556)
    assert judged(0.6, 0.5, entry(-0.0112, -0.05, 0.01, is_distance=True), meaning=coarse).state == "worse"
    assert judged(0.6, 0.5, entry(0.0112, -0.01, 0.05, is_distance=True), meaning=coarse).state == "unclear"
    of_distance = judged(0.1, 0.09, entry(-0.01, -0.5, 0.1, is_distance=True))
    assert of_distance.note == "paired evidence is not used: it is of the distance from a target"


def test_where_fractions_count_times_100_the_evidence_of_a_fraction_does_too() -> None:
    mixed = replace(WER, scale="mixed")
    pair = judged(0.1144, 0.1104, entry(-0.004, -0.0108, 0.0023), meaning=mixed)
    assert (pair.baseline, pair.candidate, pair.state) == (11.44, 11.04, "unclear")
    assert pair.paired == Paired(low=-1.08, high=0.23, level=0.95, n=4270, groups=250)
    assert judged(11.44, 0.1104, entry(-0.004, -0.0108, 0.0023), meaning=mixed).state == "unclear"
    assert judged(0.1144, 11.04, entry(-0.4, -1.08, 0.23), meaning=mixed).state == "unclear"
    assert judged(0.1144, 11.04, entry(-0.004, -0.0108, 0.0023), meaning=mixed).state == "better"


def test_standard_errors_inform_and_change_no_state() -> None:
    pair = judged(0.5, 0.45, spreads=(Spread(stderr=0.03), Spread(stderr=0.04)))
    assert (pair.state, pair.evidence, pair.uncertain) == ("better", "spread", True)
    assert pair.interval == pytest.approx((-0.05 - 1.959964 * 0.05, -0.05 + 1.959964 * 0.05), abs=1e-6)
    assert pair.candidate_interval == pytest.approx((0.45 - 1.959964 * 0.04, 0.45 + 1.959964 * 0.04), abs=1e-6)
    far = judged(0.5, 0.3, spreads=(Spread(stderr=0.03), Spread(stderr=0.04)))
    assert (far.state, far.uncertain) == ("better", False)


def test_two_intervals_inform_and_change_no_state() -> None:
    spreads = (Spread(low=0.46, high=0.53), Spread(low=0.42, high=0.49))
    pair = judged(0.5, 0.45, spreads=spreads)
    # −0.05 − √(0.03² + 0.03²), −0.05 + √(0.04² + 0.04²)
    assert pair.interval == pytest.approx((-0.05 - 0.03 * 2**0.5, -0.05 + 0.04 * 2**0.5))
    assert (pair.state, pair.evidence, pair.uncertain) == ("better", "spread", True)
    assert judged(0.5, 0.45, spreads=(None, Spread(stderr=0.01))).interval is None
    assert judged(0.5, 0.45, spreads=(Spread(stderr=0.01), None)).evidence is None


def test_a_spread_follows_the_scale_of_its_number() -> None:
    mixed = replace(WER, scale="mixed")
    pair = judged(0.5, 45.0, spreads=(Spread(stderr=0.03), Spread(stderr=4)), meaning=mixed)
    assert pair.interval == pytest.approx((-5 - 1.959964 * 5, -5 + 1.959964 * 5), abs=1e-5)


def test_evidence_is_used_in_one_order() -> None:
    spreads = (Spread(stderr=0.03), Spread(stderr=0.04))
    noisy = replace(WER, noise=0.1)
    everything = judged(0.5, 0.45, entry(-0.05, -0.1, 0.1), spreads=spreads, n=100, meaning=noisy)
    assert (everything.evidence, everything.state) == ("paired", "unclear")
    counted = judged(0.5, 0.45, spreads=spreads, n=100, meaning=noisy)
    assert (counted.evidence, counted.interval) == ("counts", judged(0.5, 0.45, n=100).interval)
    assert everything.interval == counted.interval
    assert judged(0.5, 0.45, spreads=spreads, meaning=noisy).evidence == "spread"
    assert judged(0.5, 0.45, meaning=noisy).evidence == "noise"
    assert judged(0.5, 0.45).evidence is None


@pytest.mark.parametrize(
    ("after", "is_within"), [(0.472, True), (0.528, True), (0.4719, False), (0.5281, False), (0.5, False)]
)
def test_a_change_within_rerun_noise_is_told_and_changes_no_state(after: float, is_within: bool) -> None:
    # 2.8 × 0.02 × 0.5 is 0.028.
    pair = judged(0.5, after, meaning=replace(WER, noise=0.02))
    assert pair.note == ("within re-run noise" if is_within else None)
    assert pair.state == judged(0.5, after).state


FINITE = st.floats(-1e3, 1e3)
DIRECTIONS: st.SearchStrategy[Direction] = st.sampled_from(["lower", "higher", "zero"])


@settings(deadline=None)
@given(FINITE, FINITE, FINITE, FINITE, DIRECTIONS)
def test_swapping_the_sides_mirrors_what_evidence_says(
    before: float, after: float, below: float, above: float, direction: Direction
) -> None:
    meaning = MetricContract("x", direction, standing="declared", relative=0.0)
    change = abs(after) - abs(before) if direction == "zero" else after - before
    low, high = change - abs(below), change + abs(above)
    assume(low <= change <= high)
    is_distance = direction == "zero"
    pair = judged(before, after, entry(change, low, high, is_distance=is_distance), meaning=meaning)
    swapped = judged(after, before, entry(-change, -high, -low, is_distance=is_distance), meaning=meaning)
    assert swapped.state == {"better": "worse", "worse": "better"}.get(pair.state, pair.state)
    assert (pair.paired is None) == (swapped.paired is None)


@settings(deadline=None)
@given(FINITE, FINITE, st.lists(st.floats(0, 10), min_size=4, max_size=4).map(sorted), DIRECTIONS)
def test_a_wider_interval_never_settles_what_was_unclear(
    before: float, after: float, widths: list[float], direction: Direction
) -> None:
    meaning = MetricContract("x", direction, standing="declared")
    is_distance = direction == "zero"
    change = abs(after) - abs(before) if is_distance else after - before
    narrow, wide = (
        judged(before, after, entry(change, change - width, change + width, is_distance=is_distance), meaning=meaning)
        for width in (widths[0], widths[3])
    )
    assert narrow.state != "unclear" or wide.state == "unclear"
    assert wide.state in (narrow.state, "unclear")


@given(st.sampled_from(get_args(Direction)), FINITE, FINITE, st.booleans())
def test_evidence_about_another_baseline_changes_nothing_but_the_note(
    direction: Direction, before: float, after: float, is_distance: bool
) -> None:
    meaning = MetricContract("x", direction, 0.5 if direction == "target" else None, standing="declared")
    other = entry(after - before, -1e9, 1e9, is_distance=is_distance)._replace(baseline="0")
    with_it, without = (judged(before, after, *entries, meaning=meaning) for entries in ((other,), ()))
    assert with_it.model_copy(update={"note": without.note}) == without


def decision(entries: list[dict[str, Any]], contracts: Contracts = Contracts(), metric: str = "wer") -> Decision:
    """The decision on a candidate with some evidence, of a whole model."""
    results = {
        "1": {"Dataset": {"DatasetId": "d-1"}, "Metrics": {metric: 0.1144}},
        "2": {"Dataset": {"DatasetId": "d-1"}, "Metrics": {metric: 0.1104}, "Paired": {metric: entries}},
    }
    versions = [
        ModelVersion.model_validate(
            {
                "VersionName": name,
                "GmtCreateTime": f"2026-01-0{name}T00:00:00Z",
                "ApprovalStatus": "Approved" if name == "1" else "Pending",
                "Metrics": {"Results": [result]},
            }
        )
        for name, result in results.items()
    ]
    return decide(Lineage("model-a", versions, datetime(2026, 1, 3, tzinfo=UTC)), "2", contracts=contracts)


def several(*pairs: tuple[str, float, PairedEntry | None]) -> Decision:
    """The decision on datasets with the same baseline of 0.1."""
    judged_pairs = judge_pairs(
        {Pair("wer", name): Measurement(after, paired=(found,) if found else ()) for name, after, found in pairs},
        {Pair("wer", name): Measurement(0.1) for name, *_ in pairs},
        {"wer": WER},
        compared=COMPARED,
    )
    return decision([UNCLEAR]).model_copy(
        update={"pairs": judged_pairs, "summary": summarize(judged_pairs), "averages": averages(judged_pairs)}
    )


MAYBE = entry(-0.01, -0.03, 0.01)


def test_unclear_results_are_named_and_are_neither_better_nor_worse() -> None:
    only = several(("a", 0.09, MAYBE), ("b", 0.1, None))
    assert only.summary.word == "Too close to call"
    assert headline(only) == ["wer: unclear on 1 (a), same on 1"]
    assert short_headline(only.summary) == "unclear on 1, same on 1"
    assert lede(only).text == (
        "Too close to call on 1 of 2 compared results: the difference may be chance. a differs most: wer 0.10 → 0.09 "
        "(+10.0 %)."
    )
    beside = several(("a", 0.09, MAYBE), ("b", 0.05, None), *((f"c{at}", 0.09, MAYBE) for at in range(3)))
    assert beside.summary.word == "Better"
    assert headline(beside) == ["wer: better on 1, unclear on 4 (a, c0, c1 and 1 more)"]
    assert lede(beside).text.endswith(" On 4 more the difference may be chance.")
    assert several(("a", 0.09, MAYBE), ("b", 0.2, None)).summary.word == "Worse"


def test_averages_are_over_unclear_results_too() -> None:
    (average,) = several(("a", 0.09, MAYBE), ("b", 0.05, None), ("c", 0.1, None)).averages
    assert average.n == 3
    assert average.mean_gain == pytest.approx(0.2)


@pytest.mark.parametrize(("count", "told"), [(9, []), (10, [1]), (40, [2])])
def test_of_many_results_some_differ_by_chance_alone(count: int, told: list[int]) -> None:
    many = several(*((f"d{at}", 0.09, MAYBE) for at in range(count)), ("bare", 0.09, None))
    assert plain_text.cautions(many) == [
        f"Of {count} results with paired evidence about {expected} would be better or worse by chance alone."
        for expected in told
    ]
    few = several(*((f"d{at}", 0.09, MAYBE._replace(groups=5)) for at in range(count)))
    assert plain_text.cautions(few) == []


def test_without_any_evidence_significance_cannot_be_judged() -> None:
    assert plain_text.cautions(several(("a", 0.09, None))) == [
        "Significance cannot be judged: no result has paired evidence, counts or a spread."
    ]


def test_the_report_draws_and_explains_the_interval() -> None:
    page = to_html(several(("a", 0.09, MAYBE)))
    assert "A whisker is where the effect may lie, with 95 % confidence." in page
    assert '<span class="state unclear">≈ unclear</span>' in page
    assert "A whisker" not in to_html(several(("a", 0.09, None)))


UNCLEAR = {"baseline": "1", "model": None, "change": -0.004, "low": -0.0108, "high": 0.0023, "n": 4270, "groups": 250}


def test_evidence_registered_with_a_version_decides_about_it() -> None:
    decided = decision([UNCLEAR])
    assert (decided.summary.word, decided.summary.unclear, decided.summary.better) == ("Too close to call", 1, 0)
    assert decided.pairs[0].paired == Paired(low=-0.0108, high=0.0023, level=0.95, n=4270, groups=250)
    assert Decision.model_validate_json(decided.model_dump_json()) == decided
    assert decision([{**UNCLEAR, "high": -0.001}]).summary.word == "Better"
    assert decision([{**UNCLEAR, "model": "model-a"}]).summary.word == "Too close to call"
    assert decision([{**UNCLEAR, "model": "model-b"}]).summary.word == "Better"


def test_an_alias_takes_the_evidence_along() -> None:
    contracts = Contracts(
        metric_tables={"wer,none": MetricSettings(alias_of="wer")},
        dataset_tables={"d-1": DatasetContract(alias_of="d-2")},
    )
    decided = decision([UNCLEAR], contracts, "wer,none")
    assert [(pair.metric, pair.dataset, pair.state) for pair in decided.pairs] == [("wer", "d-2", "unclear")]


def test_evidence_that_cannot_be_read_is_told_by_the_decision() -> None:
    decided = decision([{**UNCLEAR, "low": 1}])
    assert decided.summary.word == "Better"
    assert [note.partition(":")[0] for note in decided.notes] == ["2"]
    assert "Results[0].Paired.wer[0] has low above high" in decided.notes[0]


def test_a_word_that_hangs_on_an_assumed_direction_says_so_though_it_is_unclear() -> None:
    decided = decision([UNCLEAR], metric="wer_callcenter")
    assert (decided.pairs[0].standing, decided.pairs[0].state) == ("assumed", "unclear")
    assert (decided.summary.word, decided.summary.assumed) == ("Too close to call", True)
    assert [doubt.kind for doubt in decided.doubts] == ["assumed"]

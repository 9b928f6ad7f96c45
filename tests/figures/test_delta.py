"""What the delta dot plot shows: the effects of the decision, the worst first, their scale and their texts."""

import math

import pytest

from paiview.decisions.noise import Compared
from paiview.decisions.pairs import judge_pairs
from paiview.evaluation.metric_meaning import DatasetContract, MetricContract, catalogue_contract
from paiview.evaluation.noise_evidence import PairedEntry
from paiview.evaluation.results import Measurement, Pair
from paiview.figures.delta import DeltaInfo, delta_info
from paiview.figures.delta_table import delta_html
from tests.figures.conftest import decision, meant

MIXED = decision(
    {"cer@a": 0.172, "cer@b": 0.11, "cer@c": 0.2004, "cer@e": 0.3, "cer@f": 0.095, "blobs@a": 4.0},
    {"cer@a": 0.175, "cer@b": 0.10, "cer@c": 0.2, "cer@d": 0.5, "cer@f": 0.1, "blobs@a": 3.0},
)


def effects(info: DeltaInfo) -> dict[str, float]:
    return {info.rows[mark.row].pair.dataset: mark.effect for mark in info.marks}


def test_rows_begin_with_what_worries_most() -> None:
    info = delta_info([MIXED])
    assert [(row.pair.metric, row.pair.dataset) for row in info.rows] == [
        ("cer", "b"),
        ("cer", "d"),
        ("cer", "f"),
        ("cer", "a"),
        ("cer", "c"),
        ("cer", "e"),
        ("blobs", "a"),
    ]
    assert [mark.state for mark in sorted(info.marks)] == [
        "worse",
        "missing",
        "better",
        "better",
        "same",
        "new",
        "not_comparable",
    ]


def test_one_metric_s_rows_are_those_of_the_decision_in_its_order() -> None:
    judged = [(pair.metric, pair.dataset) for pair in MIXED.pairs if pair.metric == "cer"]
    assert [row.pair for row in delta_info([MIXED]).rows if row.pair.metric == "cer"] == judged


def test_effects_are_those_of_the_decision() -> None:
    info = delta_info([MIXED], shown=[Pair("cer", dataset) for dataset in "abc"])
    assert effects(info) == pytest.approx({"a": 0.003 / 0.175, "b": -0.1, "c": -0.002})
    assert [mark.label for mark in sorted(info.marks)] == ["−10.0 %", "+1.7 %", "−0.2 %"]


def test_a_mark_without_a_size_says_why() -> None:
    info = delta_info([MIXED])
    labels = {info.rows[mark.row].pair: mark.label for mark in info.marks if math.isnan(mark.effect)}
    assert labels == {
        Pair("cer", "d"): "missing",
        Pair("cer", "e"): "new",
        Pair("blobs", "a"): "not comparable",
    }
    assert info.limit == pytest.approx(0.1)


def test_a_change_from_zero_or_no_errors_says_so() -> None:
    info = delta_info(
        [
            decision(
                {"cer@a": 0.1, "wip@b": 0.2, "acc@c": 0.98, "cer@same": 0.0},
                {"cer@a": 0.0, "wip@b": 0.0, "acc@c": 1.0, "cer@same": 0.0},
            )
        ]
    )
    labels = {info.rows[mark.row].pair.dataset: (mark.state, mark.label) for mark in info.marks}
    assert labels == {
        "a": ("worse", "from 0"),
        "b": ("better", "from 0"),
        "c": ("worse", "from no errors"),
        "same": ("same", "0.0 %"),
    }


def test_the_end_of_a_row_holds_the_glyph_and_both_numbers_with_equal_decimals() -> None:
    info = delta_info([MIXED])
    assert [row.values for row in info.rows] == [
        "▼ 0.1000 → 0.1100",
        "○ 0.5000 → –",
        "▲ 0.1000 → 0.0950",
        "▲ 0.1750 → 0.1720",
        "= 0.2000 → 0.2004",
        "✚ – → 0.3000",
        "? 3 → 4",
    ]


def test_the_decimals_of_the_contract_are_kept() -> None:
    told = decision({"cer@a": 0.2}, {"cer@a": 0.1754}, metrics={"cer": meant("cer", digits=2)})
    assert delta_info([told]).rows[0].values == "▼ 0.18 → 0.20"


def test_each_metric_has_a_panel_with_its_direction_and_tolerance() -> None:
    told = decision(
        {"cer@a": 0.1, "acc@a": 0.5, "blobs@a": 1.0, "acc@b": 0.6},
        {"cer@a": 0.2, "acc@a": 0.9, "blobs@a": 1.0, "acc@b": 0.6},
        metrics={"acc": meant("acc", relative=0.05, absolute=0.002)},
    )
    info = delta_info([told])
    assert [tuple(panel) for panel in info.panels] == [
        ("acc", "↑ higher is better, tolerance 5 % and 0.002", 0, 1),
        ("cer", "↓ lower is better, tolerance 1 %", 2, 2),
        ("blobs", "direction unknown", 3, 3),
    ]


def test_the_band_is_the_tolerance_in_effects() -> None:
    told = decision(
        {"cer@a": 0.2, "acc@b": 0.92, "blobs@c": 3.0, "cer@d": 0.4, "f1@e": 0.2},
        {"cer@a": 0.1, "acc@b": 0.9, "blobs@c": 4.0, "cer@d": 0.2, "f1@e": 0.1},
        metrics={
            "cer": meant("cer", relative=0.03, absolute=0.01),
            "acc": meant("acc", relative=0.01, absolute=0.005),
        },
    )
    info = delta_info([told])
    band = {row.pair.dataset: info.tolerance[place, 0] for place, row in enumerate(info.rows)}
    assert band == pytest.approx(
        {
            "a": 0.1,  # 0.01 of 0.1
            "d": 0.05,  # 0.01 of 0.2
            "b": 0.05,  # 0.005 of the 0.1 errors
            "c": 0.0,  # nobody said which way is better
            "e": 0.01,
        }
    )


def test_a_mark_is_the_same_exactly_within_its_band() -> None:
    numbers = {f"cer@{place}": round(0.1 + place / 10_000, 4) for place in range(-30, 31)}
    told = decision(numbers, dict.fromkeys(numbers, 0.1), metrics={"cer": meant("cer", absolute=0.0015)})
    info = delta_info([told], most=100)
    for mark in info.marks:
        is_inside = abs(mark.effect) <= info.tolerance[mark.row, 0] + 1e-12
        assert (mark.state == "same") == is_inside


def test_the_band_of_a_target_is_in_shares_of_the_distance_to_it() -> None:
    told = decision(
        {"length_ratio@a": 0.85, "length_ratio@b": 1.1},
        {"length_ratio@a": 0.8, "length_ratio@b": 1.0},
        metrics={"length_ratio": meant("length_ratio", "target", target=1.0, absolute=0.06)},
    )
    info = delta_info([told])
    bands = {row.pair.dataset: info.tolerance[place, 0] for place, row in enumerate(info.rows)}
    assert bands["a"] == pytest.approx(0.3)
    marks = {info.rows[mark.row].pair.dataset: (mark.state, mark.label) for mark in info.marks}
    assert marks == {"a": ("same", "+25.0 %"), "b": ("worse", "from the target")}


def test_a_target_has_no_whisker() -> None:
    told = decision(
        {"share@a": Measurement(0.6, n=100)},
        {"share@a": Measurement(0.9, n=100)},
        metrics={"share": meant("share", "target", target=0.5)},
    )
    (mark,) = delta_info([told]).marks
    assert (mark.state, mark.effect) == ("better", 0.75)
    assert math.isnan(mark.low)
    assert math.isnan(mark.high)


def test_whiskers_stand_only_where_both_sides_were_counted() -> None:
    told = decision(
        {"cer@a": Measurement(0.1, n=1000), "cer@b": 0.1, "acc@c": Measurement(0.95, n=1000)},
        {"cer@a": Measurement(0.2, n=1000), "cer@b": 0.2, "acc@c": Measurement(0.9, n=1000)},
    )
    info = delta_info([told])
    pairs = {pair.dataset: pair for pair in told.pairs}
    ends = {info.rows[mark.row].pair.dataset: (mark.low, mark.high) for mark in info.marks}
    low, high = pairs["a"].interval or (0, 0)
    assert ends["a"] == pytest.approx((-high / 0.2, -low / 0.2))
    low, high = pairs["c"].interval or (0, 0)
    assert pairs["c"].reading == "error"
    assert ends["c"] == pytest.approx((low / 0.1, high / 0.1))
    assert all(map(math.isnan, ends["b"]))
    for mark in info.marks:
        assert math.isnan(mark.low) or mark.low < mark.effect < mark.high


def test_one_huge_effect_does_not_widen_the_scale() -> None:
    told = decision(
        {"cer@a": 0.19, "cer@b": 0.18, "cer@c": 0.17, "cer@huge": 1.9},
        {"cer@a": 0.2, "cer@b": 0.2, "cer@c": 0.2, "cer@huge": 0.2},
    )
    info = delta_info([told])
    assert info.limit == pytest.approx(0.15)
    assert info.beyond == 1
    assert effects(info)["huge"] == pytest.approx(-8.5)


def test_effects_of_one_size_are_not_clipped() -> None:
    told = decision({"cer@a": 0.1, "cer@b": 0.4}, {"cer@a": 0.2, "cer@b": 0.2})
    info = delta_info([told])
    assert (info.limit, info.beyond) == (1.0, 0)


def test_effects_at_the_end_of_the_floats_are_beyond_the_scale() -> None:
    info = delta_info([decision({"cer@a": 1.0, "cer@b": 2.0}, {"cer@a": 6e-309, "cer@b": 4e-308})])
    assert (info.limit, info.beyond) == (1e100, 2)


def test_rows_of_several_candidates_follow_the_worst_of_them() -> None:
    base = {"cer@a": 0.1, "cer@b": 0.1, "cer@c": 0.1}
    info = delta_info(
        [
            decision({"cer@a": 0.05, "cer@b": 0.11, "cer@c": 0.1}, base, "0.11.0"),
            decision({"cer@a": 0.12, "cer@b": 0.1, "cer@c": 0.1}, base, "0.12.0"),
        ]
    )
    assert [row.pair.dataset for row in info.rows] == ["a", "b", "c"]
    assert info.candidates == ["0.11.0", "0.12.0"]
    assert {(mark.row, mark.column): mark.label for mark in info.marks} == {
        (0, 0): "+50.0 %",
        (0, 1): "−20.0 %",
        (1, 0): "−10.0 %",
        (1, 1): "0.0 %",
        (2, 0): "0.0 %",
        (2, 1): "0.0 %",
    }
    assert {row.values for row in info.rows} == {""}


def test_candidates_with_baselines_of_their_own_say_so() -> None:
    base = {"cer@a": 0.1}
    told = [decision({"cer@a": 0.2}, base, "0.11.0"), decision({"cer@a": 0.2}, base, "0.12.0", against="0.9.0")]
    assert delta_info(told).baseline == "each one's baseline"


def test_without_a_baseline_everything_is_new() -> None:
    info = delta_info([decision({"cer@a": 0.1}, None)])
    assert (info.baseline, [mark.state for mark in info.marks]) == ("no baseline", ["new"])


def test_the_least_worrying_rows_are_left_out_and_counted() -> None:
    base = {f"cer@{place:02}": 0.1 for place in range(50)}
    told = decision({name: 0.1 + 0.001 * place for place, name in enumerate(base)}, base)
    info = delta_info([told])
    assert (len(info.rows), info.hidden) == (40, {"worse": 8, "same": 2})
    assert [row.pair.dataset for row in info.rows[:2]] == ["49", "48"]
    assert delta_info([told], most=60).hidden == {}
    assert len(delta_info([told], most=60).rows) == 50


def test_missing_datasets_leave_room_for_what_became_better() -> None:
    base = {f"cer@{place:02}": 0.1 for place in range(80)}
    info = delta_info([decision({f"cer@{place:02}": 0.05 if place else 0.2 for place in range(15)}, base)])
    assert [mark.state for mark in info.marks].count("better") == 14
    assert [mark.state for mark in info.marks].count("missing") == 25
    assert (info.rows[0].pair.dataset, info.hidden) == ("00", {"missing": 40})


def test_only_the_pairs_asked_for_are_drawn() -> None:
    info = delta_info([MIXED], shown={Pair("cer", "d"), Pair("blobs", "a"), Pair("cer", "unheard of")})
    assert [row.pair for row in info.rows] == [Pair("cer", "d"), Pair("blobs", "a")]
    assert info.hidden == {}


def test_nothing_to_draw_has_no_rows() -> None:
    for info in (delta_info([]), delta_info([MIXED], shown=[]), delta_info([decision({}, {})])):
        assert (info.rows, info.marks, info.hidden) == ([], [], {})


def test_datasets_have_their_display_names_and_stay_apart() -> None:
    told = decision(
        {"cer@d-1": 0.1, "cer@d-2": 0.1},
        {"cer@d-1": 0.2, "cer@d-2": 0.2},
        datasets={"d-1": DatasetContract(name="test"), "d-2": DatasetContract(name="test")},
    )
    assert [row.label for row in delta_info([told]).rows] == ["test", "test (2)"]


def test_hover_tells_everything_about_a_pair() -> None:
    told = decision({"acc@a": 0.981}, {"acc@a": 0.99})
    (mark,) = delta_info([told]).marks
    assert mark.hover == "0.12.0 · a\nacc 0.990 → 0.981\n▼ worse · −90.0 % read as errors"


def test_paired_evidence_is_a_whisker_and_a_word_of_its_own() -> None:
    pair = Pair("cer", "a")
    entry = PairedEntry("1", None, -0.004, -0.0108, 0.0023, groups=250)
    pairs = judge_pairs(
        {pair: Measurement(0.196, paired=(entry,))}, {pair: Measurement(0.2)}, compared=Compared("m", "m", "1")
    )
    told = decision({}, {}).model_copy(update={"pairs": pairs, "metrics": (catalogue_contract("cer"),)})
    info = delta_info([told])
    (mark,) = info.marks
    assert (mark.state, mark.label) == ("unclear", "+2.0 %")
    assert [mark.effect, mark.low, mark.high] == pytest.approx([0.02, -0.0115, 0.054])
    assert info.rows[0].values == "≈ 0.200 → 0.196"
    assert mark.hover.splitlines()[2:4] == [
        "≈ unclear · +2.0 %",
        "−1.2 % to +5.4 %: with 95 % confidence, on the same items",
    ]
    drawn = str(delta_html(info))
    assert "delta-mark delta-unclear delta-wave" in drawn
    assert 'class="delta-whisker"' in drawn
    assert '<span class="delta-unseen"> unclear</span>' in drawn


def test_with_a_target_the_whisker_of_paired_evidence_is_of_the_distance() -> None:
    pair, meaning = Pair("x", "a"), MetricContract("x", "target", target=0.5, standing="declared")
    entry = PairedEntry("1", None, -0.02, -0.05, 0.01, is_distance=True, groups=250)
    pairs = judge_pairs(
        {pair: Measurement(0.42, paired=(entry,))},
        {pair: Measurement(0.6)},
        {"x": meaning},
        compared=Compared("m", "m", "1"),
    )
    (mark,) = delta_info([decision({}, {}).model_copy(update={"pairs": pairs, "metrics": (meaning,)})]).marks
    # Of the distance of 0.1 the candidate is 0.02 nearer, and may be 0.05 nearer or 0.01 farther.
    assert mark.state == "unclear"
    assert [mark.effect, mark.low, mark.high] == pytest.approx([0.2, -0.1, 0.5])

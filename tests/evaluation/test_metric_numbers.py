"""Which numbers a metric can have, and on which scale: fractions, percent, and both side by side."""

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paiview.evaluation.metric_meaning import MetricContract, Scale, catalogue_contract
from paiview.evaluation.metric_numbers import (
    are_on_different_scales,
    ceiling,
    counted_number,
    is_only_percent,
    max_fraction,
    possible_range,
    range_problem,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCALES: st.SearchStrategy[Scale | None] = st.sampled_from([None, "fraction", "percent", "mixed"])
CONTRACTS = st.builds(
    MetricContract,
    metric=st.just("m"),
    direction=st.sampled_from([None, "lower", "higher", "zero"]),
    range=st.sampled_from([None, (0.0, 1.0), (0.0, None), (-1.0, 1.0), (None, 1.0), (None, 0.0), (2.0, 5.0)]),
    has_scales=st.booleans(),
    scale=SCALES,
)


def meant(metric: str, scale: Scale | None = None) -> MetricContract:
    """A metric of the catalogue, stored on a scale."""
    known = catalogue_contract(metric)
    return MetricContract(metric, known.direction, range=known.range, has_scales=known.has_scales, scale=scale)


class TestDifferentScales:
    @pytest.mark.parametrize(
        ("metric", "one", "other", "different"),
        [
            ("acc", 0.934, 91.8, True),
            ("wer", 0.40, 19.0, True),
            ("wer", 8.2, 0.079, True),
            ("acc", 0.0069, 0.6987, False),
            ("wer", 1.78, 0.9, False),
            # both in percent, both fractions, equal
            ("acc", 93.4, 91.8, False),
            ("acc", 0.5, 0.01, False),
            ("acc", 91.8, 91.8, False),
            # a side above 1 is no fraction of an accuracy, and one of an error rate up to 3
            ("acc", 1.5, 0.14, True),
            ("acc", 1.5, 0.2, False),
            ("wer", 3.0, 0.1, False),
            ("wer", 3.1, 0.1, True),
            ("eer", 3.0, 0.1, True),
            # the ratio is above 10, and exactly 10 is not
            ("acc", 9.0, 0.9, False),
            ("acc", 9.1, 0.9, True),
            ("acc", 1.1, 0.11, False),
            ("acc", 1.9, 0.19, False),
            ("acc", 1.91, 0.19, True),
            # 0 is the same number on both scales, and a number above 1 is no fraction beside another one
            ("acc", 0.0, 91.8, False),
            ("acc", 1.0, 91.8, True),
            ("acc", 1.01, 91.8, False),
            # correlations are negative too
            ("mcc", -0.4, -39.0, True),
            ("mcc", -0.4, 39.0, True),
            # metrics without both scales have no check
            ("latency_ms", 0.5, 500.0, False),
            ("loss", 0.1, 90.0, False),
            ("perplexity", 0.9, 90.0, False),
            ("psnr", 0.5, 40.0, False),
            ("blobs", 0.5, 40.0, False),
        ],
    )
    def test_one_side_can_only_be_percent_and_the_other_only_a_fraction_beside_it(
        self, metric: str, one: float, other: float, different: bool
    ) -> None:
        assert are_on_different_scales(one, other, meant(metric)) == different
        assert are_on_different_scales(other, one, meant(metric)) == different

    @pytest.mark.parametrize(
        ("scale", "different"), [(None, True), ("percent", True), ("fraction", False), ("mixed", False)]
    )
    def test_a_declared_scale_settles_it_or_leaves_it(self, scale: Scale | None, different: bool) -> None:
        assert are_on_different_scales(0.934, 91.8, meant("acc", scale)) == different

    def test_a_declared_scale_brings_the_check_to_a_metric_of_any_name(self) -> None:
        assert are_on_different_scales(0.9, 90.0, MetricContract("blobs", scale="percent"))
        assert not are_on_different_scales(0.9, 90.0, MetricContract("blobs"))

    @given(FINITE, FINITE, CONTRACTS)
    def test_the_sides_may_be_swapped(self, one: float, other: float, meaning: MetricContract) -> None:
        assert are_on_different_scales(one, other, meaning) == are_on_different_scales(other, one, meaning)

    @given(FINITE, CONTRACTS)
    def test_a_number_is_on_its_own_scale(self, number: float, meaning: MetricContract) -> None:
        assert not are_on_different_scales(number, number, meaning)

    @given(st.floats(0, 1), st.floats(0, 1))
    def test_two_fractions_are_on_one_scale(self, one: float, other: float) -> None:
        assert not are_on_different_scales(one, other, meant("acc"))

    @given(st.integers(1, 1000), st.integers(1, 1000))
    def test_a_fraction_and_its_like_in_percent_are_apart_where_the_percentage_says_so(
        self, one: int, other: int
    ) -> None:
        fraction, percent = one / 1000, other / 10
        assume(percent > 1)
        assert are_on_different_scales(fraction, percent, meant("acc")) == (
            other * 10 > one * 1 and percent * 1000 > 10 * one
        )


class TestRange:
    @pytest.mark.parametrize(
        ("metric", "value", "problem"),
        [
            ("mAP", -1, "mAP cannot be below 0"),
            ("mAP", -1e-8, "mAP cannot be below 0"),
            ("mAP", -1e-10, None),
            ("acc", 1.0, None),
            ("acc", 91.8, None),
            ("acc", 100.0, None),
            ("acc", 100.00001, "acc cannot be above 100"),
            ("wer", 1.78, None),
            ("wer", 250.0, None),
            ("wer", -0.1, "wer cannot be below 0"),
            ("rtf", 12.0, None),
            ("rtf", -1.0, "rtf cannot be below 0"),
            ("r2", -15.0, None),
            ("r2", 1.1, "r2 cannot be above 1"),
            ("ssim", -1.1, "ssim cannot be below −1"),
            ("ssim", 1 + 1e-10, None),
            ("ssim", 1 + 1e-8, "ssim cannot be above 1"),
            ("mcc", -45.0, None),
            ("mcc", -101.0, "mcc cannot be below −100"),
            ("neg_mean_squared_error", 0.1, "neg_mean_squared_error cannot be above 0"),
            ("neg_mean_squared_error", -31.9, None),
            ("psnr", -40.0, None),
            ("loss", -40.0, None),
            ("blobs", -1e300, None),
        ],
    )
    def test_a_number_beyond_the_definition_is_named(self, metric: str, value: float, problem: str | None) -> None:
        assert range_problem(value, catalogue_contract(metric)) == problem

    @pytest.mark.parametrize(
        ("scale", "value", "problem"),
        [
            ("fraction", 0.918, None),
            ("fraction", 91.8, "acc cannot be above 1"),
            ("fraction", 1.5, "acc cannot be above 1"),
            ("percent", 91.8, None),
            ("percent", 0.934, None),
            ("percent", 100.5, "acc cannot be above 100"),
            ("mixed", 91.8, None),
            ("mixed", 100.5, "acc cannot be above 100"),
            (None, 91.8, None),
        ],
    )
    def test_the_declared_scale_bounds_what_is_stored(
        self, scale: Scale | None, value: float, problem: str | None
    ) -> None:
        assert range_problem(value, meant("acc", scale)) == problem

    def test_a_range_of_its_own_is_as_stored(self) -> None:
        stars = MetricContract("stars", range=(1.0, 5.0))
        assert range_problem(0.5, stars) == "stars cannot be below 1"
        assert range_problem(5.5, stars) == "stars cannot be above 5"
        assert range_problem(5.0, stars) is None
        precise = MetricContract("share", range=(0.123456789, None))
        assert range_problem(0.1, precise) == "share cannot be below 0.123456789"

    def test_an_error_rate_declared_as_a_fraction_cannot_be_a_percentage(self) -> None:
        declared = MetricContract("wer", "lower", range=(0.0, None), scale="fraction", has_scales=True)
        assert range_problem(19.0, declared) == "wer cannot be above 3"
        assert range_problem(1.4, declared) is None, "More words may be wrong than there are."
        assert range_problem(19.0, replace(declared, scale=None)) is None

    @given(FINITE, CONTRACTS)
    def test_a_number_has_a_problem_only_outside_of_the_possible_range(
        self, number: float, meaning: MetricContract
    ) -> None:
        low, high = possible_range(meaning)
        problem = range_problem(number, meaning)
        if low <= number <= high:
            assert problem is None
        elif number < low - 2e-9 * max(1, abs(low)) or number > high + 2e-9 * max(1, abs(high)):
            assert problem is not None

    @given(FINITE)
    def test_without_a_range_every_number_is_possible(self, number: float) -> None:
        assert range_problem(number, MetricContract("m", has_scales=True)) is None


class TestMixed:
    @pytest.mark.parametrize(
        ("value", "number"), [(0.934, 93.4), (91.8, 91.8), (1.0, 100.0), (1.01, 1.01), (0.0, 0.0), (-0.3, -30.0)]
    )
    def test_numbers_of_at_most_1_count_times_100(self, value: float, number: float) -> None:
        assert counted_number(value, meant("acc", "mixed")) == number

    @pytest.mark.parametrize("scale", [None, "fraction", "percent"])
    def test_no_other_scale_changes_a_number(self, scale: Scale | None) -> None:
        assert counted_number(0.934, meant("acc", scale)) == 0.934

    @given(st.integers(0, 1000))
    def test_a_fraction_counts_exactly_as_its_percentage(self, thousandths: int) -> None:
        assert counted_number(thousandths / 1000, meant("acc", "mixed")) == thousandths / 10

    @given(st.floats(0, 100), st.floats(0, 100))
    def test_two_mixed_numbers_are_always_on_one_scale(self, one: float, other: float) -> None:
        meaning = meant("acc", "mixed")
        assert not are_on_different_scales(counted_number(one, meaning), counted_number(other, meaning), meaning)


class TestCeiling:
    @pytest.mark.parametrize(
        ("metric", "one", "other", "top"),
        [
            ("acc", 0.98, 0.99, 1),
            ("acc", 98.0, 99.0, 100),
            ("acc", 0.98, 98.0, 100),
            ("r2", -4.0, 0.5, 1),
            ("mcc", -0.5, 0.5, 1),
            ("wer", 0.1, 0.2, None),
            ("mos", 0.5, 0.9, None),
            ("psnr", 0.5, 0.9, None),
            ("blobs", 0.5, 0.9, None),
        ],
    )
    def test_it_is_the_end_of_a_range_that_ends_at_1(
        self, metric: str, one: float, other: float, top: int | None
    ) -> None:
        assert ceiling(one, other, catalogue_contract(metric)) == ceiling(other, one, catalogue_contract(metric)) == top

    @pytest.mark.parametrize(("scale", "top"), [("percent", 100), ("mixed", 100), ("fraction", 1), (None, 1)])
    def test_the_declared_scale_says_which(self, scale: Scale | None, top: int) -> None:
        assert ceiling(0.5, 0.9, meant("acc", scale)) == top

    def test_a_range_that_ends_elsewhere_has_none(self) -> None:
        assert ceiling(0.5, 0.9, MetricContract("m", "higher", range=(0.0, 5.0))) is None


@given(FINITE, CONTRACTS)
def test_only_what_may_have_both_scales_can_be_only_percent(number: float, meaning: MetricContract) -> None:
    limit = max_fraction(meaning)
    assert is_only_percent(number, meaning) == (limit is not None and abs(number) > limit)
    if meaning.scale in ("fraction", "mixed") or not (meaning.has_scales or meaning.scale):
        assert limit is None
    else:
        assert limit in (1, 3)
    assert not math.isnan(counted_number(number, meaning))

"""The draws, the intervals and the standard error: against scipy and statsmodels, and by simulation."""

from typing import Final

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]
from statsmodels.regression.linear_model import WLS  # type: ignore[import-untyped]

from paiview.evidence import resampling
from paiview.evidence.item_records import ItemsError
from paiview.evidence.items import read_items
from paiview.evidence.pairing import pair_items
from paiview.evidence.resampling import (
    Floats,
    GroupSums,
    change_between,
    group_sums,
    percentile_interval,
    ratios,
    redrawn_changes,
    standard_error,
    t_interval,
)
from tests.harness.item_files import published_items

LEVEL: Final = 0.95


def published() -> GroupSums:
    before, after = (read_items(published_items(name)) for name in ("azure", "elevenlabs-scribe-v2"))
    return group_sums(pair_items(before, after))


def same_sizes(differences: Floats, sizes: Floats) -> GroupSums:
    """The sums of a baseline without errors and a candidate with these."""
    return GroupSums(np.zeros(len(sizes)), sizes, differences, sizes)


def simulated(generator: np.random.Generator, groups: int, shared: float) -> tuple[Floats, Floats]:
    """Differences in errors and sizes of items, whose true ratio is 0, and the index of each item's group.

    A group has 10 to 30 items.

    Args:
        generator: of the numbers.
        groups: how many.
        shared: the spread of what the items of a group have in common; that of each by itself is 1.
    """
    counts = generator.integers(10, 31, groups)
    index = np.repeat(np.arange(groups), counts)
    sizes = generator.integers(1, 20, len(index)).astype(float)
    rates = generator.normal(0, shared, groups)[index] + generator.normal(0, 1, len(index))
    return np.stack([rates * sizes, sizes]), index.astype(float)


def by_group(items: Floats, index: Floats) -> GroupSums:
    differences, sizes = (np.bincount(index.astype(int), row).astype(float) for row in items)
    return same_sizes(differences, sizes)


class TestDraws:
    def test_the_interval_is_that_of_scipy(self) -> None:
        sums = published()

        def change(before: Floats, sizes: Floats, after: Floats, after_sizes: Floats, axis: int = -1) -> Floats:
            change: Floats = after.sum(axis) / after_sizes.sum(axis) - before.sum(axis) / sizes.sum(axis)
            return change

        generator = np.random.default_rng(1)
        theirs = stats.bootstrap(
            sums, change, paired=True, method="percentile", n_resamples=20_000, batch=2_000, rng=generator
        )
        ours = redrawn_changes(sums, 20_000, 2)
        width = theirs.confidence_interval.high - theirs.confidence_interval.low
        assert percentile_interval(ours, LEVEL) == pytest.approx([*theirs.confidence_interval], abs=0.03 * width)
        assert ours.std(ddof=1) == pytest.approx(theirs.standard_error, rel=0.02)

    def test_equal_sizes_give_what_the_general_way_gives(self, monkeypatch: pytest.MonkeyPatch) -> None:
        generator = np.random.default_rng(5)
        sizes = generator.integers(1, 30, 80).astype(float)
        sums = GroupSums(generator.poisson(3, 80).astype(float), sizes, generator.poisson(3, 80).astype(float), sizes)
        fast = redrawn_changes(sums, 500, 3)
        monkeypatch.setattr(np, "array_equal", lambda *_: False)
        assert redrawn_changes(sums, 500, 3) == pytest.approx(fast, abs=1e-15)

    @pytest.mark.parametrize("is_paired", [True, False])
    def test_groups_that_are_alike_are_drawn_as_those_that_are_not(
        self, monkeypatch: pytest.MonkeyPatch, is_paired: bool
    ) -> None:
        generator = np.random.default_rng(8)
        sizes = generator.integers(1, 4, 400).astype(float)
        before, after = generator.integers(0, 3, (2, 400)).astype(float)
        sums = GroupSums(before, sizes, after, sizes if is_paired else sizes + before)
        by_kind = redrawn_changes(sums, 20_000, 1)
        monkeypatch.setattr(resampling, "_ALIKE", 401)
        one_by_one = redrawn_changes(sums, 20_000, 2)
        assert (by_kind[:1000] != one_by_one[:1000]).any()
        assert stats.ks_2samp(by_kind, one_by_one).pvalue > 0.01

    @pytest.mark.parametrize("alike", [1, 31])
    def test_each_draw_has_as_many_groups_as_there_are(self, monkeypatch: pytest.MonkeyPatch, alike: int) -> None:
        monkeypatch.setattr(resampling, "_ALIKE", alike)
        groups = 30
        ones = np.ones(groups)
        marked = redrawn_changes(same_sizes(np.eye(groups)[0], ones), 20_000, 1) * groups
        assert {*marked.round(9)} <= {float(times) for times in range(groups)}
        # How often one group is in a draw is binomial: n = groups, p = 1 / groups.
        assert marked.mean() == pytest.approx(1, abs=0.03)
        assert marked.var() == pytest.approx(1 - 1 / groups, abs=0.05)

    def test_the_last_part_is_filled_too(self) -> None:
        rows = resampling._CHUNK_CELLS // 100
        told: list[tuple[int, int]] = []
        sizes = np.arange(1.0, 101.0)
        changes = redrawn_changes(
            same_sizes(sizes, sizes), rows + 7, 0, progress=lambda done, draws: told.append((done, draws))
        )
        assert changes == pytest.approx(np.ones(rows + 7))
        assert told == [(rows, rows + 7), (rows + 7, rows + 7)]

    def test_of_a_target_the_distance_is_drawn(self) -> None:
        ones = np.ones(60)
        sums = GroupSums(np.full(60, 3.0), ones, np.full(60, -1.0), ones)
        assert change_between(*ratios(sums), target=0.0) == -2
        assert redrawn_changes(sums, 200, 0, target=0.0) == pytest.approx(np.full(200, -2.0))

    def test_groups_that_are_nearly_all_empty_are_refused(self) -> None:
        sizes = np.zeros(100)
        sizes[0] = 1
        with pytest.raises(ItemsError, match="Nearly all groups have an n of 0"):
            redrawn_changes(same_sizes(np.zeros(100), sizes), 1000, 0)


class TestStandardError:
    def test_it_is_the_cluster_robust_one_of_statsmodels(self) -> None:
        items, index = simulated(np.random.default_rng(3), 40, 0.5)
        fit = WLS(items[0] / items[1], np.ones(items.shape[1]), weights=items[1]).fit(
            cov_type="cluster", cov_kwds={"groups": index.astype(int)}
        )
        sums = by_group(items, index)
        assert ratios(sums)[1] == pytest.approx(float(fit.params[0]))
        assert standard_error(sums) == pytest.approx(float(fit.bse[0]), rel=1e-9)

    def test_of_values_the_interval_is_that_of_the_paired_t_test(self) -> None:
        generator = np.random.default_rng(4)
        before, after = generator.normal(0, 1, (2, 12))
        sums = GroupSums(before, np.ones(12), after, np.ones(12))
        theirs = stats.ttest_rel(after, before).confidence_interval(LEVEL)
        change = change_between(*ratios(sums))
        assert t_interval(change, standard_error(sums), 12, LEVEL) == pytest.approx([theirs.low, theirs.high])

    def test_it_is_the_spread_of_the_draws_where_there_are_many_groups(self) -> None:
        sums = published()
        assert standard_error(sums) == pytest.approx(redrawn_changes(sums, 20_000, 1).std(), rel=0.03)

    def test_that_of_a_distance_has_the_signs_of_its_sides(self) -> None:
        generator = np.random.default_rng(6)
        before, after = generator.normal(2, 1, 300), generator.normal(-1, 1, 300)
        sums = GroupSums(before, np.ones(300), after, np.ones(300))
        # Below the target the distance falls where the value rises: −after − before.
        assert standard_error(sums, target=0.0) == pytest.approx(np.std(-after - before, ddof=1) / np.sqrt(300))


class TestCoverage:
    """How often the interval holds the truth, 0, in data made so."""

    def share_covered(self, groups: int, rounds: int, seed: int, *, is_bootstrap: bool) -> float:
        generator = np.random.default_rng(seed)
        covered = 0
        for at in range(rounds):
            sums = by_group(*simulated(generator, groups, 0.7))
            if is_bootstrap:
                low, high = percentile_interval(redrawn_changes(sums, 1000, at), LEVEL)
            else:
                low, high = t_interval(ratios(sums)[1], standard_error(sums), groups, LEVEL)
            covered += low <= 0 <= high
        return covered / rounds

    @pytest.mark.parametrize("groups", [100, 250])
    def test_with_many_groups_percentiles_cover_95_of_100(self, groups: int) -> None:
        assert self.share_covered(groups, 1500, 11, is_bootstrap=True) == pytest.approx(0.95, abs=0.02)

    @pytest.mark.parametrize("groups", [5, 10, 20, 49])
    def test_with_few_groups_the_t_formula_covers_95_of_100(self, groups: int) -> None:
        assert self.share_covered(groups, 3000, 12, is_bootstrap=False) == pytest.approx(0.95, abs=0.02)

    def test_with_few_groups_percentiles_would_be_too_narrow(self) -> None:
        assert self.share_covered(5, 1500, 13, is_bootstrap=True) < 0.88

    def test_without_groups_the_interval_misses_it(self) -> None:
        generator = np.random.default_rng(14)
        covered = 0
        rounds = 120
        for at in range(rounds):
            items, _ = simulated(generator, 100, 0.7)
            low, high = percentile_interval(redrawn_changes(same_sizes(*items), 500, at), LEVEL)
            covered += low <= 0 <= high
        assert covered / rounds < 0.75


def test_two_systems_of_which_none_is_better_are_told_apart_in_5_of_100() -> None:
    """A/A: the labels of the published results are swapped at random, conversation by conversation."""
    sums = published()
    generator = np.random.default_rng(15)
    rounds = 2000
    different = 0
    for at in range(rounds):
        is_swapped = generator.random(len(sums.baseline)) < 0.5
        swapped = GroupSums(
            np.where(is_swapped, sums.candidate, sums.baseline),
            np.where(is_swapped, sums.candidate_sizes, sums.baseline_sizes),
            np.where(is_swapped, sums.baseline, sums.candidate),
            np.where(is_swapped, sums.baseline_sizes, sums.candidate_sizes),
        )
        low, high = percentile_interval(redrawn_changes(swapped, 1000, at), LEVEL)
        different += not low <= 0 <= high
    assert different / rounds == pytest.approx(0.05, abs=0.01)

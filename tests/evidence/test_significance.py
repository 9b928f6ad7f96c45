"""The public function: what is registered, which way is better, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

import paiview
from paiview.evidence.finding import Significance, compact_size, metrics_size_warning, tree
from paiview.evidence.item_records import ItemsError
from paiview.evidence.significance import significance
from paiview.pai.errors import ParameterError
from paiview.pai.objects import MAX_METRICS_BYTES
from tests.harness.item_files import Row, values


def scored(count: int, shift: float = 0.0, seed: int = 1) -> tuple[list[Row], list[Row]]:
    """Values of a baseline, and those of a candidate that are higher by a shift and noise."""
    generator = np.random.default_rng(seed)
    before = generator.normal(10, 3, count)
    return values(*before.tolist()), values(*(before + shift + generator.normal(0, 1, count)).tolist())


def erroneous(count: int, before: int, after: int) -> tuple[list[Row], list[Row]]:
    """Items with as many errors of 10 on each side, but for the first, which has one error more in both."""
    sides = [
        [{"id": at, "errors": errors + (at == 0), "n": 10, "conversation": at // 2} for at in range(count)]
        for errors in (before, after)
    ]
    return sides[0], sides[1]


class TestRegistered:
    def test_an_entry_has_the_fields_of_paired_evidence(self) -> None:
        found = significance(*erroneous(120, 2, 1), metric="cer", baseline_version="0.4.0", levels=[0.99], seed=3)
        assert json.loads(json.dumps(found.paired)) == {
            "cer": [
                {
                    "baseline": "0.4.0",
                    "model": None,
                    "change": -0.1,
                    "low": -0.1,
                    "high": -0.1,
                    "level": level,
                    "method": "bootstrap",
                    "draws": 10_000,
                    "n": 120,
                    "groups": 60,
                }
                for level in (0.95, 0.99)
            ]
        }

    def test_the_baseline_may_belong_to_another_model(self) -> None:
        [entry] = significance(*erroneous(120, 2, 1), baseline_version="9", baseline_model="model-x").paired[
            "error_rate"
        ]
        assert (entry["baseline"], entry["model"]) == ("9", "model-x")

    def test_numbers_have_six_significant_digits(self) -> None:
        found = significance(*scored(80, 0.5))
        [entry] = found.paired["mean"]
        assert entry["change"] == float(f"{found.change:.6g}") != found.change
        assert entry["low"] <= entry["change"] <= entry["high"]

    def test_in_percent_all_numbers_are_100_times_as_large(self) -> None:
        sides = erroneous(120, 2, 1)
        plain, percent = significance(*sides), significance(*sides, percent=True)
        assert (percent.baseline, percent.change) == pytest.approx((100 * plain.baseline, 100 * plain.change))
        assert percent.p == plain.p
        assert percent.items.amounts.tolist() == plain.items.amounts.tolist()

    def test_few_groups_have_no_draws(self) -> None:
        found = significance(*scored(12, 0.5), metric="mean_score")
        theirs = stats.ttest_rel(*([row["value"] for row in side] for side in reversed(scored(12, 0.5))))
        interval = theirs.confidence_interval(0.95)
        [entry] = found.paired["mean_score"]
        assert (entry["method"], entry["draws"], entry["n"], entry["groups"]) == ("t", 0, 12, 12)
        assert (entry["low"], entry["high"]) == pytest.approx((interval.low, interval.high), rel=1e-5)
        assert found.p == pytest.approx(theirs.pvalue)
        assert not found.decides

    def test_50_groups_are_enough_for_draws_and_20_to_decide(self) -> None:
        made = {count: significance(*scored(count, 1)) for count in (19, 20, 49, 50)}
        assert {count: (found.method, found.decides) for count, found in made.items()} == {
            19: ("t", False),
            20: ("t", True),
            49: ("t", True),
            50: ("bootstrap", True),
        }

    def test_as_json_it_has_everything_but_items_and_draws(self) -> None:
        found = significance(*scored(60, 1), metric="accuracy")
        facts = json.loads(json.dumps(tree(found)))
        assert facts["Paired"] == found.paired
        assert facts["intervals"] == [{"level": 0.95, "low": found.intervals[0].low, "high": found.intervals[0].high}]
        assert (facts["state"], facts["direction"], facts["n"], facts["decides"]) == ("better", "higher", 60, True)
        assert facts["sentences"] == [*found.sentences]


class TestDirection:
    def test_the_catalogue_knows_it(self) -> None:
        assert significance(*scored(60, 1), metric="accuracy").state == "better"
        assert significance(*scored(60, -1), metric="accuracy").state == "worse"
        assert significance(*scored(60, 1), metric="rtf").state == "worse"

    def test_an_option_goes_before_it(self) -> None:
        assert significance(*scored(60, 1), metric="accuracy", direction="lower").state == "worse"

    def test_without_one_a_change_is_neither(self) -> None:
        found = significance(*scored(60, 1), metric="quux")
        assert (found.direction, found.state, found.p_not_better) == (None, "changed", None)
        assert significance(*scored(60, 0), metric="quux").state == "unclear"

    def test_fewer_errors_are_better_whatever_the_name(self) -> None:
        assert significance(*erroneous(120, 2, 1), metric="quux").state == "better"
        assert significance(*erroneous(120, 1, 2)).state == "worse"

    @pytest.mark.parametrize("options", [{"metric": "accuracy"}, {"direction": "higher"}, {"metric": "bias"}])
    def test_errors_of_a_metric_that_counts_no_errors_are_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ItemsError, match="The files hold errors, but fewer errors are not a better"):
            significance(*erroneous(120, 2, 1), **options)

    def test_of_a_metric_with_a_target_it_is_the_distance(self) -> None:
        before, after = values(*[3.0, 5.0] * 30), values(*[-1.0, -2.0] * 30)
        for options in ({"metric": "bias"}, {"target": 0.0}):
            found = significance(before, after, **options)
            [entry] = next(iter(found.paired.values()))
            assert (found.baseline, found.candidate, found.change) == (4, -1.5, -2.5)
            assert (entry["of"], entry["change"], found.state) == ("distance", -2.5, "better")

    def test_both_sides_alike_are_the_same(self) -> None:
        before, _ = scored(60)
        found = significance(before, before, metric="accuracy")
        assert (found.state, found.change, found.p, found.p_not_better) == ("same", 0, 1, 1)

    def test_an_interval_that_ends_at_0_is_unclear(self) -> None:
        # A third of the draws lack the only item that changed.
        found = significance(values(*[0.0] * 60), values(*[0.0] * 59, 1.0), metric="accuracy")
        assert (found.intervals[0].low, found.state) == (0, "unclear")
        assert found.intervals[0].high > 0


class TestSides:
    """p of each side, and of both."""

    def test_p_is_never_0(self) -> None:
        found = significance(*scored(60, 5), draws=999, metric="accuracy")
        assert (found.p_not_better, found.p, found.p_not_lower) == (0.001, 0.002, 1.0)

    def test_swapped_sides_swap_the_p(self) -> None:
        before, after = scored(30, 0.3)
        one, other = significance(before, after), significance(after, before)
        assert (one.p_not_lower, one.p_not_higher) == pytest.approx((other.p_not_higher, other.p_not_lower))

    def test_p_agrees_with_the_interval(self) -> None:
        for seed in range(20):
            found = significance(*scored(80, 0.2, seed), seed=seed)
            assert (found.p > 0.05) is (found.state == "unclear") or found.p == pytest.approx(0.05, abs=0.001)


class TestRefused:
    def test_one_item_or_group_alone(self) -> None:
        for side, noun in ((values(1.0), "item"), (values(1.0, 2.0, spk=["s", "s"]), "speaker")):
            with pytest.raises(ItemsError, match=f"There is only one {noun}: no spread can be seen from it"):
                significance(side, side)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"seed": -1}, "The seed must be at least 0."),
            ({"draws": 99}, "The draws must be 100 to 1,000,000."),
            ({"levels": [95]}, "A level must be above 0 and below 1, such as 0.99."),
            ({"direction": "up"}, "The direction must be lower or higher."),
            ({"direction": "lower", "target": 0.0}, "A metric has a direction or a target, not both."),
        ],
    )
    def test_an_argument_that_cannot_be(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(ParameterError) as caught:
            significance(*scored(60), **options)
        assert caught.value.message == message

    def test_few_draws_for_a_level_are_told(self) -> None:
        assert significance(*scored(60), levels=[0.999]).remarks == (
            "10,000 draws are few for a level of 0.999: 20,000 would make it steady.",
        )
        assert significance(*scored(30), levels=[0.999]).remarks == ()


class TestRoom:
    """PAI's limit of Metrics."""

    def metrics(self, datasets: int, found: Significance) -> dict[str, Any]:
        return {
            "Results": [
                {"Dataset": {"DatasetId": f"d-{at:04}"}, "Metrics": {"cer": 0.0195}, "Paired": found.paired}
                for at in range(datasets)
            ]
        }

    def test_there_is_room_for_the_evidence_of_about_40_datasets(self) -> None:
        found = significance(*erroneous(120, 2, 1), metric="cer", baseline_version="0.4.0")
        fitting = next(
            count for count in range(100) if compact_size(self.metrics(count + 1, found)) > MAX_METRICS_BYTES
        )
        assert 33 <= fitting <= 45

    def test_it_is_told_when_there_is_little_left(self) -> None:
        found = significance(*erroneous(120, 2, 1), metric="cer", baseline_version="0.4.0")
        assert metrics_size_warning(self.metrics(10, found)) is None
        sizes = {"Results": "x" * 7500}, {"Results": "x" * 9000}
        assert [metrics_size_warning(metrics) for metrics in sizes] == [
            "Metrics take 7,514 bytes of the 8,192 that PAI accepts.",
            "Metrics take 9,014 bytes, but PAI accepts at most 8,192: leave out intervals of other levels first.",
        ]


def test_the_package_offers_it_and_imports_it_only_when_it_is_asked_for() -> None:
    assert paiview.significance is significance
    assert paiview.metrics_size_warning is metrics_size_warning
    assert {"significance", "metrics_size_warning"} <= {*paiview.__all__}
    with pytest.raises(AttributeError, match="module 'paiview' has no attribute 'nothing'"):
        paiview.nothing  # noqa: B018
    code = "import sys, paiview; print('numpy' in sys.modules); paiview.significance; print('pandas' in sys.modules)"
    root = Path(paiview.__file__).parents[1]
    printed = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["False", "False"]


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    significance(*scored(60), progress=lambda done, draws: told.append((done, draws)))
    assert told[-1] == (10_000, 10_000)
    assert [done for done, _ in told] == sorted(done for done, _ in told)

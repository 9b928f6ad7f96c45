"""What metrics mean: layers of settings, standings, best so far, jumps of scale, and how numbers are written."""

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.evaluation.frames import build
from paiview.evaluation.metric_meaning import (
    Direction,
    Meanings,
    MetricContract,
    MetricLayer,
    MetricSettings,
    Source,
    catalogue_contract,
    contract,
    display_digits,
    format_value,
    stored_number,
)
from paiview.evaluation.metric_numbers import running_best
from paiview.evaluation.queries import scale_jumps
from paiview.pai.objects import ModelVersion

UNHURRIED = settings(deadline=None)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
Tables = Mapping[str, MetricSettings]


NO_TABLES: Tables = MappingProxyType({})


def meanings(page: Tables = NO_TABLES, configuration: Tables = NO_TABLES, data: Tables = NO_TABLES) -> Meanings:
    layers: list[tuple[Source, Tables]] = [("page", page), ("configuration", configuration), ("data", data)]
    return Meanings(MetricLayer(source, tables) for source, tables in layers)


class TestCatalogue:
    @pytest.mark.parametrize(
        ("name", "direction", "standing", "source"),
        [
            ("cer", "lower", "known", "catalogue"),
            ("val/Top1Acc", "higher", "known", "catalogue"),
            ("bias", "zero", "known", "catalogue"),
            ("wer_callcenter", "lower", "assumed", "catalogue"),
            ("blobs", None, "unknown", "none"),
            ("acc_stderr,none", None, "not_a_score", "none"),
        ],
    )
    def test_it_says_what_nobody_configured_means(
        self, name: str, direction: Direction | None, standing: str, source: Source
    ) -> None:
        meaning = catalogue_contract(name)
        assert (meaning.metric, meaning.direction, meaning.standing, meaning.source) == (
            name,
            direction,
            standing,
            source,
        )
        assert meaning.reason
        assert meaning == meanings()[name] == contract(name) == contract(name, {})

    def test_ranges_and_scales_come_along(self) -> None:
        assert (catalogue_contract("acc").range, catalogue_contract("acc").has_scales) == ((0, 1), True)
        assert (catalogue_contract("r2").range, catalogue_contract("r2").has_scales) == ((None, 1), False)
        assert catalogue_contract("psnr").range is None

    def test_a_given_contract_goes_before_it(self) -> None:
        given_one = MetricContract("cer", "higher", standing="declared", source="page")
        assert contract("cer", {"cer": given_one}) is given_one
        assert contract("wer", {"cer": given_one}) == catalogue_contract("wer")


class TestLayers:
    def test_each_field_comes_from_the_first_that_sets_it(self) -> None:
        resolved = meanings(
            page={"wer": MetricSettings(digits=1)},
            configuration={
                "w*": MetricSettings(direction="higher", unit="pp", digits=2, absolute=0.1),
                "wer": MetricSettings(unit="%", digits=3),
                "*r": MetricSettings(direction="lower", relative=0.5, scale="percent"),
            },
            data={"wer": MetricSettings(direction="lower", scale="mixed", range=(0.0, 2.0))},
        )["wer"]
        assert resolved == MetricContract(
            "wer",
            direction="higher",
            unit="%",
            scale="percent",
            range=(0.0, 2.0),
            has_scales=True,
            relative=0.5,
            absolute=0.1,
            digits=1,
            standing="declared",
            source="configuration",
        )

    @pytest.mark.parametrize("source", ["page", "configuration", "data"])
    def test_the_source_is_that_of_the_direction(self, source: str) -> None:
        resolved = meanings(**{source: {"blobs": MetricSettings(direction="higher")}})["blobs"]
        assert (resolved.direction, resolved.standing, resolved.source) == ("higher", "declared", source)

    def test_the_page_goes_before_the_file_before_the_data(self) -> None:
        higher, lower, zero = (MetricSettings(direction=way) for way in ("higher", "lower", "zero"))
        assert meanings({"x": higher}, {"x": lower}, {"x": zero})["x"].direction == "higher"
        assert meanings({}, {"x": lower}, {"x": zero})["x"].direction == "lower"
        assert meanings({}, {}, {"x": zero})["x"].direction == "zero"
        assert meanings({}, {"*": lower}, {"x": zero})["x"].direction == "lower"

    def test_of_the_patterns_the_first_that_sets_the_field_counts(self) -> None:
        tables = {
            "*": MetricSettings(relative=0.1),
            "a*": MetricSettings(direction="lower", relative=0.2),
            "*b": MetricSettings(direction="higher"),
        }
        resolved = meanings(configuration=tables)["ab"]
        assert (resolved.relative, resolved.direction) == (0.1, "lower")
        assert meanings(configuration=tables)["b"].direction == "higher"

    @pytest.mark.parametrize("name", ["mAP@[0.5:0.95]", "a[b", "[!x]", "*", "?", "acc,none", "a]b"])
    def test_a_table_of_a_name_with_brackets_is_about_that_name_and_goes_first(self, name: str) -> None:
        tables = {"*": MetricSettings(direction="lower"), name: MetricSettings(direction="higher")}
        if name == "*":
            tables = {"?*": MetricSettings(direction="lower"), name: MetricSettings(direction="higher")}
        assert meanings(configuration=tables)[name].direction == "higher"

    def test_a_pattern_of_patterns_matches_case_sensitively(self) -> None:
        tables = {"iou.*": MetricSettings(direction="higher")}
        assert meanings(configuration=tables)["iou.person"].standing == "declared"
        assert meanings(configuration=tables)["IoU.person"].standing == catalogue_contract("IoU.person").standing

    def test_a_mapping_that_has_every_name(self) -> None:
        table = meanings(configuration={"b": MetricSettings(digits=1), "a": MetricSettings(digits=2)})
        assert list(table) == ["b", "a"]
        assert len(table) == 2
        assert "anything" in table
        assert table["anything"].standing == "unknown"


class TestStanding:
    @pytest.mark.parametrize(
        "table",
        [
            MetricSettings(relative=0.5),
            MetricSettings(absolute=1.0),
            MetricSettings(digits=2),
            MetricSettings(unit="ms"),
            MetricSettings(scale="percent"),
            MetricSettings(range=(None, 3.0)),
            MetricSettings(ignore=False),
            MetricSettings(alias_of="x"),
        ],
    )
    @pytest.mark.parametrize("name", ["wer", "wer_callcenter", "blobs", "epoch"])
    def test_only_a_direction_declares_one(self, name: str, table: MetricSettings) -> None:
        built_in, resolved = catalogue_contract(name), meanings(configuration={name: table})[name]
        assert (resolved.direction, resolved.standing, resolved.source, resolved.reason) == (
            built_in.direction,
            built_in.standing,
            built_in.source,
            built_in.reason,
        )

    @pytest.mark.parametrize("name", ["wer", "wer_callcenter", "blobs", "epoch", "acc_stderr"])
    @pytest.mark.parametrize("way", ["lower", "higher", "zero"])
    def test_a_direction_is_declared_whatever_the_name(self, name: str, way: Direction) -> None:
        resolved = meanings(page={name: MetricSettings(direction=way)})[name]
        assert (resolved.direction, resolved.standing, resolved.reason) == (way, "declared", "")

    @pytest.mark.parametrize("source", ["page", "configuration", "data"])
    @pytest.mark.parametrize("way", [None, "lower"])
    def test_what_is_ignored_is_no_score(self, source: str, way: Direction | None) -> None:
        resolved = meanings(**{source: {"wer": MetricSettings(direction=way, ignore=True)}})["wer"]
        assert (resolved.ignore, resolved.standing) == (True, "not_a_score")

    def test_a_name_may_be_taken_out_of_a_pattern_that_ignores(self) -> None:
        tables = {"iou.*": MetricSettings(ignore=True), "iou.person": MetricSettings("higher", ignore=False)}
        table = meanings(configuration=tables)
        assert (table["iou.person"].standing, table["iou.car"].standing) == ("declared", "not_a_score")

    @pytest.mark.parametrize("name", ["wer", "blobs", "bias"])
    def test_a_target_is_the_best_number(self, name: str) -> None:
        resolved = meanings(configuration={name: MetricSettings("target", target=1.0)})[name]
        assert (resolved.direction, resolved.best, resolved.standing) == ("target", 1.0, "declared")

    @pytest.mark.parametrize("way", ["lower", "higher", "zero"])
    def test_a_target_counts_for_the_direction_target_alone(self, way: Direction) -> None:
        tables = {"x": MetricSettings(way)}, {"*": MetricSettings("target", target=1.0)}
        assert meanings(page=tables[0], data=tables[1])["x"].target is None
        assert meanings(configuration={**tables[0], **tables[1]})["x"].target is None
        assert meanings(configuration={"bias": MetricSettings(way)})["bias"].target is None

    def test_what_is_ignored_has_no_reason_from_the_catalogue(self) -> None:
        assert meanings(configuration={"wer": MetricSettings(ignore=True)})["wer"].reason == ""

    def test_zero_is_the_best_of_a_signed_error(self) -> None:
        assert catalogue_contract("bias").best == 0
        assert catalogue_contract("wer").best is None


@pytest.mark.parametrize(
    ("better", "expected"),
    [
        ("lower", [math.nan, 0.3, 0.3, 0.3, 0.2, 0.2]),
        ("higher", [math.nan, 0.3, 0.3, 0.4, 0.4, 0.5]),
        (None, [math.nan] * 6),
    ],
)
def test_the_best_so_far_steps_over_missing_numbers(better: Direction | None, expected: list[float]) -> None:
    values = np.array([math.nan, 0.3, math.nan, 0.4, 0.2, 0.5])
    np.testing.assert_array_equal(running_best(values, MetricContract("x", better)), expected)


@pytest.mark.parametrize(
    ("meaning", "expected"),
    [
        (MetricContract("x", "zero", target=0.0), [math.nan, -3, -3, 2, -1, -1, 0.5]),
        (MetricContract("x", "target", target=1.0), [math.nan, -3, -3, 2, 2, 2, 0.5]),
    ],
)
def test_the_best_so_far_of_a_target_is_the_nearest_and_the_first_of_equal_ones(
    meaning: MetricContract, expected: list[float]
) -> None:
    values = np.array([math.nan, -3, math.nan, 2, -1, 1000, 0.5])
    np.testing.assert_array_equal(running_best(values, meaning), expected)


@pytest.mark.parametrize(
    ("meaning", "values", "expected"),
    [
        # -1 stands for "no ground truth", 250 for a slip.
        (catalogue_contract("cer"), [-1, 0.3, -1, 0.2], [math.nan, 0.3, 0.3, 0.2]),
        (catalogue_contract("acc"), [0.9, 250, 0.8], [0.9, 0.9, 0.9]),
        (replace(catalogue_contract("acc"), scale="mixed"), [92.5, 0.934, 93.0], [92.5, 0.934, 0.934]),
    ],
)
def test_an_impossible_number_is_never_the_best_and_scales_do_not_decide(
    meaning: MetricContract, values: list[float], expected: list[float]
) -> None:
    np.testing.assert_array_equal(running_best(np.array(values), meaning), expected)


@pytest.mark.parametrize("better", ["lower", "higher", "zero", "target", None])
def test_nothing_has_no_best(better: Direction | None) -> None:
    assert running_best(np.array([]), MetricContract("x", better, target=0.0)).tolist() == []


def history(*values: Any, metric: str = "cer") -> list[ModelVersion]:
    return [
        ModelVersion.model_validate(
            {
                "VersionName": f"0.{place}.0",
                "GmtCreateTime": f"2024-01-01T00:{place:02}:00Z",
                "Metrics": {"Results": [{"Dataset": {"DatasetId": "a"}, "Metrics": {metric: value}}]},
            }
        )
        for place, value in enumerate(values)
        if value is not None
    ]


@pytest.mark.parametrize(
    ("metric", "values", "jumps"),
    [
        ("acc", [0.934, 91.8], [("0.1.0", 0.934, 91.8)]),
        ("acc", [91.8, 0.934], [("0.1.0", 91.8, 0.934)]),
        ("cer", [0.40, 19.0], [("0.1.0", 0.40, 19.0)]),
        ("cer", [0.175, None, "x", 17.5, 0.17], [("0.3.0", 0.175, 17.5), ("0.4.0", 17.5, 0.17)]),
        ("cer", [17.5, 18.0, 17.0], []),
        ("cer", [1.78, 0.9], []),
        ("cer", [0.0, 17.5, 0.0], []),
        ("acc", [0.0069, 0.6987], []),
        ("acc", [0.9, None, 9.0], []),
        ("latency_ms", [0.5, 500.0], []),
        ("loss", [0.5, 500.0], []),
        ("blobs", [0.5, 500.0], []),
        ("acc", [0.175], []),
        ("acc", [], []),
    ],
)
def test_a_jump_between_fractions_and_percent_is_marked_both_ways(
    metric: str, values: list[Any], jumps: list[Any]
) -> None:
    table = scale_jumps(build(history(*values, metric=metric)), {})
    assert list(table.columns) == ["metric", "dataset", "version_name", "previous", "value"]
    assert list(table[["version_name", "previous", "value"]].itertuples(index=False, name=None)) == jumps


@pytest.mark.parametrize(("scale", "count"), [(None, 0), ("percent", 1), ("fraction", 0), ("mixed", 0)])
def test_what_a_file_says_of_the_scale_decides_what_a_jump_is(scale: Any, count: int) -> None:
    frames = build(history(0.175, 17.5, metric="blobs"))
    assert len(scale_jumps(frames, {"blobs": MetricContract("blobs", scale=scale)})) == count
    known = build(history(0.175, 17.5))
    assert len(scale_jumps(known, {"cer": MetricContract("cer", "lower", has_scales=True, scale=scale)})) == (
        scale in (None, "percent")
    )


def test_jumps_of_one_history_are_in_version_order() -> None:
    table = scale_jumps(build(history(*[0.5, 50.0] * 6)), {})
    assert table["version_name"].tolist() == [f"0.{place}.0" for place in range(1, 12)]


def test_jumps_are_of_one_metric_on_one_dataset() -> None:
    percent = {"Results": [{"Dataset": {"DatasetId": "b"}, "Metrics": {"cer": 17.5}}]}
    other = ModelVersion.model_validate(
        {"VersionName": "9.0.0", "GmtCreateTime": "2025-01-01T00:00:00Z", "Metrics": percent}
    )
    assert len(scale_jumps(build([*history(0.175), other]), {})) == 0


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([], 0),
        ([math.nan, math.inf], 0),
        ([0.0], 0),
        ([3.0, 200.0], 0),
        ([0.175, 0.2], 3),
        ([0.1 + 0.2], 1),
        ([0.15000000000000002, 0.13], 2),
        ([0.12345671, 0.12345678], 7),
        ([0.5, 3.2e-9], 10),
        ([0.1, 0.1 + 1e-16], 1),
        ([0.123456789], 6),
        ([0.00012345678], 7),
        ([0.00012], 5),
        ([1e-30], 12),
        ([1e300, 0.5], 1),
        ([-0.25, 0.5], 2),
    ],
)
def test_digits_show_numbers_as_stored_within_reason(values: list[float], digits: int) -> None:
    assert display_digits(np.array(values)) == digits


@UNHURRIED
@given(st.lists(st.decimals(-1000, 1000, places=4), min_size=1, max_size=5))
def test_numbers_of_up_to_six_decimals_are_never_rounded(stored: list[Any]) -> None:
    values = [float(value) for value in stored]
    digits = display_digits(np.array(values))
    assert [float(format_value(value, digits).replace("−", "-")) for value in values] == values


@UNHURRIED
@given(st.lists(FINITE, max_size=5))
def test_digits_tell_numbers_apart(values: list[float]) -> None:
    digits = display_digits(np.array(values, dtype=np.float64))
    assert 0 <= digits <= 15
    different = {f"{value:.14e}" for value in values if abs(value) < 1e9}
    assert len({format_value(value, digits) for value in values}) >= len(different) or max(map(abs, values)) >= 10


@pytest.mark.parametrize(
    ("value", "digits", "plain", "signed"),
    [
        (0.175, 3, "0.175", "+0.175"),
        (-0.175, 3, "−0.175", "−0.175"),
        (1.0, 2, "1.00", "+1.00"),
        (0.0, 2, "0.00", "0.00"),
        (-0.0, 2, "0.00", "0.00"),
        (-0.0001, 2, "0.00", "0.00"),
        (0.0001, 2, "0.00", "0.00"),
        (12345.0, 0, "12345", "+12345"),
        (9999999999999998.0, 1, "9999999999999998.0", "+9999999999999998.0"),
        (1e16, 2, "1e+16", "+1e+16"),
        (-1.5e300, 2, "−1.5e+300", "−1.5e+300"),
        (1e-300, 12, "1e−300", "+1e−300"),
        (-3.2e-15, 12, "−3.2e−15", "−3.2e−15"),
        (0.5, 12, "0.500000000000", "+0.500000000000"),
        (0.001, 2, "0.00", "0.00"),
        (math.nan, 2, "–", "–"),
        (math.inf, 2, "–", "–"),
    ],
)
def test_a_number_is_written_with_its_decimals_and_a_true_minus(
    value: float, digits: int, plain: str, signed: str
) -> None:
    assert format_value(value, digits) == plain
    assert format_value(value, digits, signed=True) == signed


@UNHURRIED
@given(FINITE, st.integers(0, 12))
def test_a_written_number_reads_back_within_its_last_decimal(value: float, digits: int) -> None:
    for text in (format_value(value, digits), format_value(value, digits, signed=True)):
        assert "-" not in text
        read = float(text.replace("−", "-"))
        assert math.isclose(read, value, abs_tol=0.5000001 * 10**-digits, rel_tol=1e-15)


def test_a_number_of_a_frame_is_written_like_any_other() -> None:
    assert format_value(np.float64(1e300), 2) == "1e+300"
    assert display_digits(np.array([0.25, np.nan, np.inf])) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-1.0, "−1"),
        (0.1, "0.1"),
        (100.00001, "100.00001"),
        (-0.0, "−0"),
        (1e300, "1e+300"),
        (1e-9, "1e−09"),
    ],
)
def test_a_number_in_a_sentence_is_written_as_it_is_stored(value: float, text: str) -> None:
    assert stored_number(value) == text

"""What metrics mean: directions by name, best so far, jumps of scale, and how numbers are written."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.evaluation.frames import build
from paiview.evaluation.metric_meaning import (
    Direction,
    MetricContract,
    contract,
    direction,
    display_digits,
    format_value,
    running_best,
)
from paiview.evaluation.queries import scale_jumps
from paiview.pai.objects import ModelVersion

UNHURRIED = settings(deadline=None)


def words(text: str) -> list[str]:
    return text.split()


LOWER = words(
    "cer wer mer ser der eer ter tser wil loss nll ppl perplexity mae mse rmse mape rtf latency ttft fid fad "
    "err error errors 字错率 词错率 错误率"
)
HIGHER = words(
    "acc accuracy top f1 precision recall auc auroc miou iou dice bleu chrf rouge meteor mos pesq stoi r2 throughput "
    "rtfx wip uas las fps ndcg mrr hits pass 准确率"
)
NUMBERED = words("acc top f map rouge bleu recall precision ndcg hits pass")
VETO = words("reduction improvement drop gain delta diff change ratio std var ci count num")
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("name", LOWER)
def test_lower_is_better_for_the_words_of_the_table(name: str) -> None:
    assert direction(name) == "lower"


@pytest.mark.parametrize("name", HIGHER)
def test_higher_is_better_for_the_words_of_the_table(name: str) -> None:
    assert direction(name) == "higher"


@pytest.mark.parametrize("word", NUMBERED)
@pytest.mark.parametrize("form", ["{}5", "{}50", "{}@5", "{}_5", "val/{}5"])
def test_digits_may_follow_some_words(word: str, form: str) -> None:
    assert direction(form.format(word)) == "higher"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CER", "lower"),
        ("testCer", "lower"),
        ("eval_WER", "lower"),
        ("wer(%)", "lower"),
        ("WER（％）", "lower"),
        ("cer-greedy", "lower"),
        ("val.loss", "lower"),
        ("p99 latency [ms]", "lower"),
        ("latencyP99", "lower"),
        ("ms", "lower"),
        ("ms_per_image", "lower"),
        ("seconds/step", "lower"),
        ("per", "lower"),
        ("test_per", "lower"),
        ("top1_err", "lower"),
        ("acc_error", "lower"),
        ("Top-1 error", "lower"),
        ("top1", "higher"),
        ("top-5", "higher"),
        ("Top1Acc", "higher"),
        ("mAP", "higher"),
        ("mAP50", "higher"),
        ("mAP@0.5:0.95", "higher"),
        ("mAP50-95", "higher"),
        ("box_map", "higher"),
        ("em", "higher"),
        ("exact em", "higher"),
        ("nDCG@10", "higher"),
        ("mIoU", "higher"),
        ("f1_macro", "higher"),
        ("macroF1", "higher"),
        ("BLEU-4", "higher"),
        ("ROUGE1", "higher"),
        ("pass@1", "higher"),
        ("识别 准确率", "higher"),
    ],
)
def test_names_of_the_field_are_known(name: str, expected: Direction) -> None:
    assert direction(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "%",
        "blobs",
        "score",
        "params",
        "val",
        "cers",
        "accurate",
        "lossless",
        "concern",
        "topology",
        "er",
        "accuracy_loss",
        "precision_error",
        "map_size",
        "em_dash",
        "latency_ms_num",
        "ms_cer_std",
        "images per second",
        "per_image",
        "time_ms",
        "time_seconds",
        "cer1",
        "loss2",
        "emb",
        "map_to",
        "字错率下降",
    ],
)
def test_what_the_table_does_not_say_stays_unknown(name: str) -> None:
    assert direction(name) is None


@pytest.mark.parametrize("veto", VETO)
@pytest.mark.parametrize("known", ["cer", "accuracy"])
def test_a_veto_wins_wherever_it_stands(veto: str, known: str) -> None:
    assert direction(f"{known}_{veto}") is None
    assert direction(f"{veto} of {known}") is None
    assert direction(f"{known}{veto.capitalize()}") is None


@pytest.mark.parametrize("word", LOWER + HIGHER)
def test_a_word_within_a_longer_word_says_nothing(word: str) -> None:
    assert direction(f"q{word}") is None
    assert direction(f"{word}q") is None


def test_a_contract_is_the_built_in_one_unless_configured() -> None:
    assert contract("cer") == MetricContract("cer", "lower", source="built-in")
    assert contract("blobs") == MetricContract("blobs", None, source="none")


def test_the_configuration_wins_and_is_completed_by_the_built_in_direction() -> None:
    configured = {
        "cer": MetricContract("cer", "higher", digits=3, source="configuration"),
        "wer": MetricContract("wer", relative=0.05, source="configuration"),
        "blobs": MetricContract("blobs", unit="count", source="configuration"),
    }
    assert contract("cer", configured) == configured["cer"]
    assert contract("wer", configured) == MetricContract("wer", "lower", relative=0.05, source="built-in")
    assert contract("blobs", configured) == configured["blobs"]
    assert contract("top1", configured).direction == "higher"


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
    np.testing.assert_array_equal(running_best(values, better), expected)


@pytest.mark.parametrize("better", ["lower", "higher", None])
def test_nothing_has_no_best(better: Direction | None) -> None:
    assert running_best(np.array([]), better).tolist() == []


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
    ("values", "jumps"),
    [
        ([0.175, 17.5], [("0.1.0", 0.175, 17.5)]),
        ([17.5, 0.175], [("0.1.0", 17.5, 0.175)]),
        ([0.175, None, "x", 17.5, 0.17], [("0.3.0", 0.175, 17.5), ("0.4.0", 17.5, 0.17)]),
        ([1.0, 50.0], [("0.1.0", 1.0, 50.0)]),
        ([1.0, 200.0], [("0.1.0", 1.0, 200.0)]),
        ([1.0, 49.9], []),
        ([1.0, 201.0], []),
        ([0.0, 17.5, 0.0], []),
        ([-0.175, 17.5], []),
        ([-0.175, -17.5], []),
        ([1e-320, 1e-318, 1e308], [("0.1.0", 1e-320, 1e-318)]),
        ([0.175], []),
        ([], []),
    ],
)
def test_a_jump_by_about_a_hundred_times_is_found_both_ways(values: list[Any], jumps: list[Any]) -> None:
    found = scale_jumps(build(history(*values)).metrics)
    assert list(found.columns) == ["metric", "dataset", "version_name", "previous", "value"]
    assert list(found[["version_name", "previous", "value"]].itertuples(index=False, name=None)) == jumps


def test_jumps_are_of_one_metric_on_one_dataset() -> None:
    percent = {"Results": [{"Dataset": {"DatasetId": "b"}, "Metrics": {"cer": 17.5}}]}
    other = ModelVersion.model_validate(
        {"VersionName": "9.0.0", "GmtCreateTime": "2025-01-01T00:00:00Z", "Metrics": percent}
    )
    assert len(scale_jumps(build([*history(0.175), other]).metrics)) == 0


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([], 0),
        ([math.nan, math.inf], 0),
        ([0.0], 0),
        ([3.0, 200.0], 0),
        ([0.175, 0.2], 3),
        ([0.1 + 0.2], 6),
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
def test_digits_stay_between_none_and_twelve(values: list[float]) -> None:
    assert 0 <= display_digits(np.array(values, dtype=np.float64)) <= 12


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

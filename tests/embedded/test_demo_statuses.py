"""The rule that gives demonstration statuses, on made-up values and on the published ones."""

from fractions import Fraction
from typing import Final

import pytest
from alibabacloud_aiworkspace20210204.client import Client

from paiview.embedded.demo_statuses import statuses
from tests.embedded.sdk import listed_versions, read_model

A, R, P = "Approved", "Rejected", "Pending"
NEWEST: Final[list[dict[str, float]]] = [{}] * 3


def judged(*values: dict[str, float], lower_is_better: bool = True) -> list[str]:
    """The statuses of versions that three newer ones follow."""
    given = statuses([*values, *NEWEST], lower_is_better=lower_is_better)
    assert given[-3:] == [P, P, P]
    return given[:-3]


@pytest.mark.parametrize(("lower_is_better", "expected"), [(True, [A, A, R, R]), (False, [A, R, A, R])])
def test_a_version_is_approved_when_it_gains_on_the_last_approved_one(
    lower_is_better: bool, expected: list[str]
) -> None:
    values: list[dict[str, float]] = [{"d": 0.5}, {"d": 0.4}, {"d": 0.6}, {"d": 0.45}]
    assert judged(*values, lower_is_better=lower_is_better) == expected


def test_no_gain_is_no_approval() -> None:
    assert judged({"d": 0.5}, {"d": 0.5}) == [A, R]


def test_a_rejected_version_is_not_the_one_to_beat() -> None:
    assert judged({"d": 0.5}, {"d": 0.9}, {"d": 0.6}, {"d": 0.4}) == [A, R, R, A]


def test_the_gain_is_relative_so_a_small_number_weighs_as_much_as_a_large_one() -> None:
    # +50 % on a and -10 % on b: the sum of the numbers grows, the mean gain does not.
    assert judged({"a": 0.1, "b": 10.0}, {"a": 0.05, "b": 11.0}) == [A, A]
    assert judged({"a": 0.1, "b": 10.0}, {"a": 0.15, "b": 9.0}) == [A, R]


def test_a_mean_gain_of_zero_is_zero_in_decimals() -> None:
    # -0.1 / 0.3 and +0.1 / 0.3 do not cancel out in binary, and leave a little gain.
    assert Fraction(0.2) - Fraction(0.3) + Fraction(0.4) - Fraction(0.3) > 0
    assert judged({"a": 0.3, "b": 0.3}, {"a": 0.2, "b": 0.4}, lower_is_better=False) == [A, R]


def test_only_shared_datasets_count() -> None:
    assert judged({"a": 0.5, "b": 0.5}, {"b": 0.4, "c": 0.9}) == [A, A]


def test_a_version_that_shares_no_dataset_or_has_no_result_stays_pending_and_changes_nothing() -> None:
    assert judged({"a": 0.5}, {"b": 0.1}, {}, {"a": 0.4}) == [A, P, P, A]


def test_versions_before_the_first_results_stay_pending() -> None:
    assert judged({}, {}, {"a": 0.5}, {"a": 0.6}) == [P, P, A, R]


def test_a_dataset_where_the_approved_one_has_zero_does_not_count() -> None:
    assert judged({"a": 0.0, "b": 0.5}, {"a": 0.3, "b": 0.4}) == [A, A]
    assert judged({"a": 0.0}, {"a": 0.3}) == [A, P]


def test_a_negative_value_gains_in_the_same_direction() -> None:
    assert judged({"a": -0.5}, {"a": -0.4}, lower_is_better=True) == [A, R]
    assert judged({"a": -0.5}, {"a": -0.4}, lower_is_better=False) == [A, A]


@pytest.mark.parametrize("count", range(6))
def test_the_newest_three_stay_pending(count: int) -> None:
    values: list[dict[str, float]] = [{"d": 1 / (place + 1)} for place in range(count)]
    assert statuses(values, lower_is_better=True) == [A] * (count - 3) + [P] * min(count, 3)


FAMILIES: Final[dict[str, list[tuple[str, dict[str, float], str]]]] = {
    "model-wenetmandarin cer_attention_rescoring": [
        *((f"0.{minor}.0", {}, P) for minor in range(1, 11)),
        ("0.11.0", {"aishell1-test": 0.0512, "aishell1-test/chunk-16": 0.0553}, A),
        ("0.12.0", {"aishell1-test": 0.047}, A),  # 0.0512 to 0.047
        ("0.13.0", {"aishell1-test": 0.0542}, R),
        ("0.14.0", {"aishell1-test": 0.049}, R),  # better than 0.11.0, and yet worse than 0.12.0
    ],
    "model-funasr cer": [
        ("0.1.0_paraformerbert_recipe", {"aishell1-dev": 0.043, "aishell1-test": 0.048}, A),
        ("0.2.0_paraformer_large_first_release", {"aishell1-dev": 0.0175, "aishell1-test": 0.0195}, A),
        ("0.3.0_paraformer_large_first_release_lm", {"speechio-zh00001": 0.0035}, A),  # 0.0049, and so on 15 sets
        ("0.4.0_conformer_recipe", {"aishell1-dev": 0.0442, "aishell1-test": 0.0487}, P),  # 0.3.0 has none of them
        ("0.5.0_paraformer_recipe_no_ctc", {"aishell1-dev": 0.0466, "aishell1-test": 0.0511}, P),
    ],
    "model-pyannotediarization der": [
        ("1.1.0", {"ami-ihm": 0.297, "dihard-3-full": 0.292, "voxconverse-0.3": 0.215}, A),
        ("2.0.0", {"ami-ihm": 0.182, "dihard-3-full": 0.21, "voxconverse-0.3": 0.126}, A),
        ("2.1.0", {"ami-ihm": 0.189, "dihard-3-full": 0.269, "voxconverse-0.3": 0.112, "repere-phase2": 0.082}, A),
        ("2.1.0_finetuned", {"ami-ihm": 0.185, "dihard-3-full": 0.219, "voxconverse-0.3": 0.107}, A),
        ("3.0.0", {"aishell-4": 0.123, "dihard-3-full": 0.217, "repere-phase2": 0.078}, A),
        ("0.1.0_service", {"aishell-4": 0.123, "dihard-3-full": 0.17, "repere-phase2": 0.078}, A),
        ("3.1.0", {"aishell-4": 0.122, "dihard-3-full": 0.217, "repere-phase2": 0.078}, R),  # gains on aishell-4 alone
    ],
    "model-whisper wer": [
        ("1.0.0_tiny_en", {"librispeech-test-clean": 0.056, "wsj": 0.05}, A),
        ("1.0.0_base_en", {"librispeech-test-clean": 0.042, "wsj": 0.046}, A),
        ("1.0.0_small_en", {"librispeech-test-clean": 0.031, "wsj": 0.033}, A),
    ],
    "model-yolov5 map50_95": [
        ("1.0.0_yolov5s", {"coco-val2017": 0.366, "coco-test-dev2017": 0.366}, A),
        ("1.0.0_yolov5m", {"coco-val2017": 0.434, "coco-test-dev2017": 0.434}, A),
        ("1.0.0_yolov5l", {"coco-val2017": 0.466, "coco-test-dev2017": 0.467}, A),
        ("1.0.0_yolov5x", {"coco-val2017": 0.484, "coco-test-dev2017": 0.484}, A),
        ("2.0.0_yolov5s", {"coco-val2017": 0.361, "coco-test-dev2017": 0.361}, R),
        ("2.0.0_yolov5m", {"coco-val2017": 0.435, "coco-test-dev2017": 0.435}, R),
        ("2.0.0_yolov5l", {"coco-val2017": 0.47, "coco-test-dev2017": 0.471}, R),
        ("2.0.0_yolov5x", {"coco-val2017": 0.49, "coco-test-dev2017": 0.49}, A),
    ],
    "model-timm top1": [
        ("0.8.3_beit_base_patch16_224_in22k_ft_in22k_in1k", {"imagenet-1k-val": 0.85238, "imagenet-a": 0.50747}, A),
        ("0.8.3_beit_base_patch16_384_in22k_ft_in22k_in1k", {"imagenet-1k-val": 0.86814, "imagenet-a": 0.67013}, A),
        ("0.8.3_beit_large_patch16_224_in22k_ft_in22k_in1k", {"imagenet-1k-val": 0.87486, "imagenet-a": 0.69053}, A),
        ("0.8.3_beit_large_patch16_384_in22k_ft_in22k_in1k", {"imagenet-1k-val": 0.8838, "imagenet-a": 0.80173}, A),
        ("0.8.3_beit_large_patch16_512_in22k_ft_in22k_in1k", {"imagenet-1k-val": 0.88576, "imagenet-a": 0.8296}, A),
        ("0.8.3_beitv2_base_patch16_224_in1k_ft_in22k_in1k", {"imagenet-1k-val": 0.86494, "imagenet-a": 0.6148}, R),
    ],
}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_first_versions_of_a_family_have_the_statuses_worked_out_by_hand(
    published_sdk: Client, family: str
) -> None:
    model_id, metric = family.split()
    expected = FAMILIES[family]
    found = listed_versions(published_sdk, model_id, page_size=len(expected))[1]
    assert [(version["VersionName"], version["ApprovalStatus"]) for version in found] == [
        (name, status) for name, _, status in expected
    ]
    for version, (_, values, _) in zip(found, expected, strict=True):
        results = {each["Dataset"]["DatasetId"]: each["Metrics"] for each in version["Metrics"]["Results"]}
        assert {dataset: results[dataset][metric] for dataset in values} == values
        assert bool(values) == any(metric in metrics for metrics in results.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_newest_three_of_a_family_wait_for_review(published_sdk: Client, family: str) -> None:
    newest = listed_versions(published_sdk, family.split(maxsplit=1)[0], page_size=3, order="DESC")[1]
    assert [version["ApprovalStatus"] for version in newest] == [P, P, P]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_tells_its_primary_metric_and_that_the_statuses_are_not_published(
    published_sdk: Client, family: str
) -> None:
    model_id, metric = family.split()
    model = read_model(published_sdk, model_id)
    assert model["ExtraInfo"]["PrimaryMetric"] == metric
    assert {"Key": "primary_metric", "Value": metric} in model["Labels"]
    assert "approval statuses are not" in model["ExtraInfo"]["Statuses"]

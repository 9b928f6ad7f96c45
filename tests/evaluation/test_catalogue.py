"""What the catalogue says of names: typical ones, those of public libraries, and the rules, one by one."""

import csv
import json
import subprocess
import sys
import time
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.evaluation import catalogue as module
from paiview.evaluation.catalogue import Meaning, catalogue, catalogued
from tests.harness.dashboard import ROOT

UNHURRIED = settings(deadline=None)
HERE = Path(__file__).parent
FOLDER = Path(module.__file__).parent


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def words(text: str) -> list[str]:
    return text.split()


NAMES: dict[str, str] = read_json(HERE / "metric_names.json")
"""Typical names and their right meaning, written down before the catalogue."""
REFERENCE: dict[str, dict[str, list[str]]] = read_json(ROOT / "tests" / "data" / "metric_directions.json")
"""Names of public libraries, and the directions that each library declares for them."""
CORRECTIONS: dict[str, dict[str, str]] = read_json(HERE / "metric_direction_corrections.json")
WORDS = tomllib.loads((FOLDER / "name_words.toml").read_text("utf-8"))
ROWS = [
    row
    for row in csv.reader((FOLDER / "catalogue.csv").read_text("utf-8").splitlines())
    if row and not row[0].startswith("#")
]

LOSSES = ["wer", "mean_squared_error", "log_loss", "latency", "fid", "字错率"]
SCORES = ["acc", "miou", "ndcg", "psnr", "rouge1", "准确率"]
METRICS = st.sampled_from(LOSSES + SCORES)
NEUTRAL = words(
    "val test dev eval train macro micro weighted samples avg mean overall greedy beam search rescore rescoring ctc "
    "attention attn prefix rnnt transducer cif paraformer lm hlg ngram fusion lfmmi nbest streaming offline chunk full "
    "norm normalized raw none strict flexible match extract punct itn with without label filtered char word token "
    "sentence utterance frame pixel class instance bbox box mask segm pose keypoint small medium large s m l all clean "
    "noisy other far near cpu gpu cuda onnx tensorrt fp16 fp32 bf16 int8 v100 a100 h100 t4 5 50 p95 b ms pct db zh en "
    "ja ko yue de fr es at of best last final score value rate metric metrics"
)
TURNING = words("reduction improvement drop gain change ratio relative inverse minus no non not")
SPREADS = words(
    "stderr std_err std stdev stddev var variance ci ci_low ci_high count delta diff difference gap drop gain "
    "improvement reduction change weight threshold rank"
)
NO_SCORES = words(
    "support epoch step lr learning_rate seed threshold rank weight batch_size temperature tp fp fn tn sub ins del snt "
    "wrd params flops gflops macs model_size gpu_mem runtime "
    "samples_per_second steps_per_second training_time timestamp"
)


def standing(name: str) -> str:
    return catalogued(name).standing


def direction(name: str) -> tuple[str, str | None]:
    meaning = catalogued(name)
    return meaning.standing, meaning.direction


def is_judged(meaning: Meaning) -> bool:
    return meaning.standing in {"known", "assumed"}


# Typical names


def test_the_list_holds_scores_other_numbers_and_names_that_nobody_can_read() -> None:
    rights = list(NAMES.values())
    assert len(rights) >= 300
    assert rights.count("not_a_score") >= 50
    assert rights.count("open") >= 20
    assert set(rights) <= {"lower", "higher", "zero", "target", "not_a_score", "open"}


def test_nine_in_ten_typical_scores_are_known() -> None:
    scores = {name: right for name, right in NAMES.items() if right not in {"not_a_score", "open"}}
    strange = {name: catalogued(name).reason for name in scores if standing(name) != "known"}
    share = 1 - len(strange) / len(scores)
    assert share >= 0.9, f"{share:.1%} of {len(scores)} are known; not {strange}"


def test_no_typical_name_is_judged_wrongly() -> None:
    judged = {name: meaning for name in NAMES if is_judged(meaning := catalogued(name))}
    wrong = {name: (NAMES[name], meaning) for name, meaning in judged.items() if meaning.direction != NAMES[name]}
    assert wrong == {}, f"{len(wrong)} of {len(NAMES)} are wrong"


# The names of public libraries


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_names_of_public_libraries_mean_what_the_library_says_unless_it_errs(name: str) -> None:
    declared = set(REFERENCE[name])
    if name in CORRECTIONS or len(declared) > 1 or "none" in declared:
        return
    assert ("known", *declared) == direction(name)


@pytest.mark.parametrize("name", sorted(CORRECTIONS))
def test_what_a_library_errs_about_is_put_right_with_a_reason(name: str) -> None:
    right = CORRECTIONS[name]["right"]
    assert [right] != list(REFERENCE[name])
    assert len(CORRECTIONS[name]["reason"]) > 30
    assert CORRECTIONS[name]["source"]
    expected = {"open": ("unknown", None), "not_a_score": ("not_a_score", None)}.get(right, ("known", right))
    assert direction(name) == expected


# Spellings


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("rouge1_diff", "higher"),
        ("ranking_loss", "lower"),
        ("kendall_rank_corr_coef", "higher"),
        ("d2_log_loss_score", "higher"),
        ("neg_log_likelihood", "lower"),
        ("negative_predictive_value", "higher"),
        ("negative_likelihood_ratio", "lower"),
        ("mean_rank", "lower"),
        ("snr_improvement", "higher"),
        ("normalized_discounted_cumulative_gain", "higher"),
        ("max_error", "lower"),
        ("val_explained_variance", "higher"),
        ("pass@1", "higher"),
        ("bias", "zero"),
        ("val_mean_error", "zero"),
    ],
)
def test_a_spelling_goes_before_every_word_rule(name: str, right: str) -> None:
    assert direction(name) == ("known", right)


@pytest.mark.parametrize(
    "name", ["mAP", "nDCG", "mIoU", "testMIoU", "ValWER", "RougeLsum", "MulticlassAccuracy", "F1Score"]
)
def test_camel_case_is_split_unless_the_piece_is_a_spelling(name: str) -> None:
    assert standing(name) == "known"


@pytest.mark.parametrize("name", ["map50", "acc1", "ndcg10", "hits10", "recall5", "f1", "r2", "rouge1", "mc1", "top5"])
def test_a_number_glued_to_a_spelling_is_split_off(name: str) -> None:
    assert direction(name) == ("known", "higher")


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("ms_ssim", "structural_similarity_index_measure"),
        ("val_ms_ssim", "structural_similarity_index_measure"),
        ("fpr_at_95_recall", "false_positive_rate"),
        ("mean_squared_log_error", "mean_squared_log_error"),
        ("top5_error", "top1_error"),
        ("字错误率", "字错率"),
        ("测试集词错误率", "字错率"),
    ],
)
def test_the_longest_spelling_counts(name: str, entry: str) -> None:
    assert catalogued(name).entry == entry
    assert standing(name) == "known"


@pytest.mark.parametrize(
    "name", ["WER (%)", "WER（％）", "wer [%]", " wer ", "w-e-r", "R^2", "R²", "MS-SSIM", "ＷＥＲ", "wer#", "wer|ctc"]
)
def test_case_blanks_width_and_separators_do_not_matter(name: str) -> None:
    assert standing(name) == "known"


@given(st.sampled_from(sorted(catalogue().spellings)), st.sampled_from("_-. :,;()[]%|=#"))
@UNHURRIED
def test_a_spelling_may_be_written_in_capitals_between_separators(spelling: str, separator: str) -> None:
    assert catalogued(f"{separator}{spelling.upper()}{separator}") == catalogued(spelling)


# Negation


@pytest.mark.parametrize("prefix", ["neg_", "negative_", "Neg", "val_neg_", "test/neg_"])
def test_neg_before_a_loss_turns_its_direction(prefix: str) -> None:
    assert direction(f"{prefix}MeanSquaredError") == ("known", "higher")


def test_neg_before_a_loss_turns_its_range() -> None:
    assert catalogued("mean_squared_error").range == (0.0, None)
    assert catalogued("neg_mean_squared_error").range == (None, 0.0)
    assert catalogued("neg_error_rate_x").range is None
    assert catalogued("neg_equal_error_rate").range == (-1.0, 0.0)
    assert catalogued("neg_loss").range is None


@pytest.mark.parametrize(
    "name", ["neg_accuracy", "neg_recall", "neg_neg_mse", "neg_loss", "mse_neg", "neg_wer_callcenter"]
)
def test_neg_elsewhere_leaves_nothing_to_assume(name: str) -> None:
    assert standing(name) == "unknown"


@pytest.mark.parametrize(
    "name",
    [
        *("1-wer", "1 - ned", "100-WER", "1−cer", "1/latency", "(1-wer)", "(1 - wer)*100", "1.00-wer", "100%-wer"),
        *("1—wer", "1-(wer)", "score [1-f1]", "(1/wer)"),
    ],
)
def test_a_complement_is_not_the_metric(name: str) -> None:
    assert standing(name) == "unknown"


@pytest.mark.parametrize(
    "name",
    ["latency<100ms", "mae < 0.1", "error≤5", "acc>0.9", "-loss", "−loss", "loss*-1", "acc±", "~accuracy", "!error"],
)
def test_a_mark_that_makes_another_number_leaves_nothing_to_assume(name: str) -> None:
    assert standing(name) == "unknown"


@pytest.mark.parametrize(
    ("name", "way"), [("WER ↓", "lower"), ("Accuracy ↑", "higher"), ("Accuracy↓", None), ("Error ↑", None)]
)
def test_an_arrow_confirms_the_words_or_leaves_nothing_to_assume(name: str, way: str | None) -> None:
    assert direction(name) == (("unknown", None) if way is None else ("known", way))


@pytest.mark.parametrize("name", ["R^2", "1-best wer", "acc (1-shot)", "wer (1/2)", "TPR@FPR=1e-3", "mAP@[.5:.95]"])
def test_marks_of_usual_names_leave_them_known(name: str) -> None:
    assert standing(name) == "known"


# Neutral qualifiers and other words


@pytest.mark.parametrize(("metric", "qualifier"), list(product(["wer", "accuracy"], NEUTRAL)))
def test_every_neutral_qualifier_leaves_a_name_known(metric: str, qualifier: str) -> None:
    meant = catalogued(metric).direction
    assert direction(f"{metric}_{qualifier}") == ("known", meant)
    assert direction(f"{qualifier}/{metric}") == ("known", meant)


@given(
    METRICS,
    st.lists(st.sampled_from([word for word in NEUTRAL if word not in "sml"]), max_size=4),
    st.sampled_from("_-/.:, "),
)
@UNHURRIED
def test_neutral_qualifiers_leave_a_name_known(metric: str, qualifiers: list[str], separator: str) -> None:
    name = separator.join([*qualifiers, metric])
    assert direction(name) == ("known", catalogued(metric).direction)


@pytest.mark.parametrize(
    "name",
    [
        "mAP@[.5:.95]",
        "mAP@[0.5:0.95]",
        "mAP@0.5",
        "metrics/mAP50-95(B)",
        "bbox_mAP_50",
        "ndcg@10",
        "valid_0's auc",
        "acc,none",
        "exact_match,strict-match",
        "word_perplexity,none",
        "latency_p95",
        "latencyP99",
        "gsm8k_exact_match",
        "top1_acc",
        "wer_far",
        "cer_ar",
        "train_loss_epoch",
        "字错率(%)",
        "验证集准确率",
        "F1值",
    ],
)
def test_names_as_tools_write_them_are_known(name: str) -> None:
    assert standing(name) == "known"


STRANGE = st.text("qxzjvw", min_size=4, max_size=9)


@given(METRICS, STRANGE, st.sampled_from("_-: "), st.booleans())
@UNHURRIED
def test_a_word_that_nobody_understands_never_leaves_a_name_known(
    metric: str, word: str, separator: str, is_first: bool
) -> None:
    meaning = catalogued(separator.join([word, metric] if is_first else [metric, word]))
    assert (meaning.standing, meaning.direction) == ("assumed", catalogued(metric).direction)
    assert word in meaning.reason


@pytest.mark.parametrize("word", TURNING)
@pytest.mark.parametrize("form", ["{word}_{metric}", "{word} foo {metric}", "{metric}_{word}_foo"])
@pytest.mark.parametrize("metric", ["wer", "accuracy"])
def test_beside_words_that_may_turn_it_around_nothing_is_assumed(word: str, form: str, metric: str) -> None:
    assert not is_judged(catalogued(form.format(word=word, metric=metric)))


def test_spellings_that_disagree_are_unknown_and_those_that_agree_are_assumed() -> None:
    assert standing("accuracy_loss") == "unknown"
    assert standing("recall_latency") == "unknown"
    assert "disagree" in catalogued("accuracy_loss").reason
    assert direction("wer_latency") == ("assumed", "lower")
    assert direction("map_loss") == ("unknown", None)


@pytest.mark.parametrize("word", words("per is map em ser"))
def test_spellings_that_are_also_words_count_beside_neutral_qualifiers_alone(word: str) -> None:
    assert standing(word) == "known"
    assert standing(f"test_{word}") == "known"
    assert standing(f"{word}_customer") == "unknown"
    assert standing(f"customer_{word}") == "unknown"


@pytest.mark.parametrize(
    "name",
    [
        "pass",
        "hit",
        "top",
        "pass_ask",
        "pass_other",
        "top_ask",
        "drop_ask",
        "error_ask",
        "error_other",
        "hit_song",
        "is_ok",
        "is_valid",
        "no_speech_prob",
        "error_analysis_time",
        "per_second",
        "foo",
        "score",
        "value",
        "test",
        "avg",
        "%",
        "",
    ],
)
def test_words_are_no_metrics(name: str) -> None:
    assert standing(name) == "unknown"


@pytest.mark.parametrize(
    "name", ["coverage", "ned", "gini", "kl", "attack_success_rate", "F1-all", "val_coverage", "cer_coverage"]
)
def test_what_is_read_both_ways_is_never_judged(name: str) -> None:
    assert standing(name) == "unknown"


# Leaf and parent


def test_a_known_leaf_is_known_whatever_the_parent() -> None:
    for parent in ("callcenter", "person", "macro avg", "account_change", "drop_ask", "error_ask", "loss", "mmlu_law"):
        assert direction(f"{parent}.f1-score") == ("known", "higher")
        assert direction(f"{parent}/wer") == ("known", "lower")


def test_a_known_parent_alone_is_assumed() -> None:
    assert direction("iou.person") == ("assumed", "higher")
    assert direction("wer/callcenter") == ("assumed", "lower")
    assert direction("wer/test_clean") == ("known", "lower")


@pytest.mark.parametrize(
    "name",
    [
        "delta/wer",
        "stderr.acc",
        "val_delta/wer",
        "wer_reduction/cer",
        "relative/wer",
        "delta_vs_v2/wer",
        "gain/f1",
        "vs_baseline/wer",
        "a/std/wer",
    ],
)
def test_a_known_leaf_of_something_else_is_unknown(name: str) -> None:
    assert standing(name) == "unknown"


# Not a score


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("metric", ["acc", "wer", "f1"])
@pytest.mark.parametrize("filters", ["", ",none", "_greedy", "@5"])
def test_spreads_and_differences_are_no_scores(spread: str, metric: str, filters: str) -> None:
    assert standing(f"{metric}_{spread}{filters}") == "not_a_score"


@pytest.mark.parametrize("name", NO_SCORES)
@pytest.mark.parametrize("form", ["{}", "val_{}", "train/{}", "{}_mean"])
def test_what_describes_a_run_is_no_score(name: str, form: str) -> None:
    assert standing(form.format(name)) == "not_a_score"


@pytest.mark.parametrize(
    "name",
    [
        "num_correct",
        "n_tokens",
        "val_num_samples",
        "wer_vs_baseline",
        "wer_vs_baseline_pct",
        "word_count",
        "best_epoch",
        "best_loss_epoch",
        "macro avg.support",
        "wer_reduction",
        "accuracy_gap",
        "标准差",
        "准确率标准差",
        "字错率下降",
        "样本数",
    ],
)
def test_counts_and_comparisons_are_no_scores(name: str) -> None:
    assert standing(name) == "not_a_score"


@pytest.mark.parametrize(
    "name",
    ["delta_wer", "std_wer", "count_acc", "wer_ratio", "non_silence_wer", "relative_wer", "acc_error", "num_acc/foo"],
)
def test_other_places_of_such_words_leave_nothing_to_assume(name: str) -> None:
    assert not is_judged(catalogued(name))


@given(METRICS, st.sampled_from(["stderr", "std", "count"]), st.sampled_from("_-/. "))
@UNHURRIED
def test_a_spread_of_a_known_metric_is_no_score(metric: str, spread: str, separator: str) -> None:
    assert standing(f"{metric}{separator}{spread}") == "not_a_score"


# Ranges and scales


@pytest.mark.parametrize(
    ("name", "bounds", "has_scales"),
    [
        ("wer", (0.0, None), True),
        ("cer", (0.0, None), True),
        ("der", (0.0, None), True),
        ("rtf", (0.0, None), False),
        ("accuracy", (0.0, 1.0), True),
        ("f1", (0.0, 1.0), True),
        ("mAP_50", (0.0, 1.0), True),
        ("r2", (None, 1.0), False),
        ("explained_variance", (None, 1.0), False),
        ("ssim", (-1.0, 1.0), False),
        ("mcc", (-1.0, 1.0), True),
        ("kappa", (-1.0, 1.0), True),
        ("pearsonr", (-1.0, 1.0), True),
        ("stoi", (-1.0, 1.0), True),
        ("psnr", None, False),
        ("si_sdr", None, False),
        ("kid", None, False),
        ("mos", None, False),
        ("log_likelihood", None, False),
        ("loss", None, False),
        ("latency_ms", (0.0, None), False),
        ("perplexity", (0.0, None), False),
    ],
)
def test_ranges_and_scales(name: str, bounds: tuple[float | None, float | None] | None, has_scales: bool) -> None:
    meaning = catalogued(name)
    assert (meaning.range, meaning.has_scales) == (bounds, has_scales)


def test_zero_is_target_zero() -> None:
    assert catalogued("bias")[:3] == ("known", "zero", 0.0)
    assert catalogued("wer").target is None


def test_what_is_not_judged_has_neither_direction_nor_range() -> None:
    for name in ("acc_stderr", "foo", "coverage", "accuracy_loss"):
        assert catalogued(name)[1:5] == (None, None, None, False)
        assert catalogued(name).reason


# Hostile names and cost


@given(st.text(max_size=300))
@settings(deadline=None, max_examples=300)
def test_no_name_raises(name: str) -> None:
    catalogued(name)


@pytest.mark.parametrize(
    "name",
    [
        "wer_" * 5000,
        "a\u0301" * 10_000,
        "_" * 10_000,
        "/" * 10_000,
        "\ud800",
        "foo_\udfff",
        "\ufdfa" * 200,
        "1" * 200,
        "aA" * 100,
        "字" * 200,
        "a/" * 100,
        "p1" * 100,
        "\x00",
        "1-" * 100,
    ],
)
def test_hostile_names_are_never_known_nor_slow(name: str) -> None:
    started = time.perf_counter()
    assert not is_judged(catalogued(name))
    assert time.perf_counter() - started < 1


def test_a_name_of_two_hundred_characters_is_read_and_a_longer_one_is_not() -> None:
    assert standing("val_" * 49 + "wer") == "known"
    assert standing("val_" * 50 + "wer") == "unknown"


def test_the_catalogue_needs_neither_pandas_nor_numpy() -> None:
    code = "import sys; from paiview.evaluation.catalogue import catalogued; catalogued('wer'); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert {"numpy", "pandas"}.isdisjoint(ran.stdout.split())


# The data


def test_every_line_of_the_catalogue_is_whole() -> None:
    for row in ROWS:
        name, spellings, way, bounds, scales, kind, source = row
        assert all((name, kind, source)), row
        assert way in {"lower", "higher", "zero", "open"} or way.startswith("target:"), row
        assert scales in {"yes", "no"}, row
        assert bounds == "" or ".." in bounds, row
        for spelling in [name, *spellings.split("|")]:
            assert spelling == spelling.strip().lower(), row


def test_no_spelling_stands_in_two_entries() -> None:
    owners: dict[str, set[str]] = {}
    for name, spellings, *_ in ROWS:
        for spelling in filter(None, [name, *spellings.split("|")]):
            owners.setdefault(spelling.replace("_", ""), set()).add(name)
    assert {spelling: names for spelling, names in owners.items() if len(names) > 1} == {}


def test_every_spelling_means_its_entry() -> None:
    for name, spellings, way, *_ in ROWS:
        for spelling in filter(None, [name, *spellings.split("|")]):
            meaning = catalogued(spelling)
            expected = ("unknown", None) if way == "open" else ("known", way)
            assert (meaning.standing, meaning.direction) == expected, spelling


def test_spellings_that_are_also_words_are_spellings() -> None:
    lists = [WORDS["also_words"][key] for key in ("words", "alone", "qualifying")]
    for word in " ".join(lists).split():
        assert word.replace("_", "") in catalogue().spellings, word


def test_top_of_a_benchmark_and_the_far_field_are_read_by_what_stands_beside_them() -> None:
    assert direction("far") == ("known", "lower")
    assert direction("bbh_far") == ("known", "higher")
    assert direction("TriviaQA (EM)") == ("known", "higher")
    assert direction("lambada_ppl") == ("known", "lower")
    assert direction("truthfulqa_toxicity") == ("known", "lower")


def test_a_slash_of_a_unit_is_no_parent() -> None:
    assert direction("Throughput [tokens/s]") == ("known", "higher")
    assert direction("PSNR/SSIM") == ("known", "higher")
    assert catalogued("output tokens/s").kind == "speed"


def test_letters_that_qualify_are_not_joined_to_a_spelling() -> None:
    assert direction("accuracy_k_l") == ("known", "higher")
    assert standing("accuracy_kl") == "unknown"

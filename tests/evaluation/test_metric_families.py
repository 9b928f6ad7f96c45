"""Hundreds of results: those of the whole stand first, the others are counted by what they share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.evaluation.metric_families import MAX_UNFOLDED, families, fold
from paiview.evaluation.results import Pair

ANIMALS = [f"animal{number}" for number in range(100)]
WHOLE = ["accuracy", "macro avg.precision", "weighted avg.f1-score", "inference_ms"]


def report(*, nested: bool) -> list[str]:
    """The metrics of a classification report: three a class."""
    join = "{1}.{0}" if nested else "{0}_{1}"
    return [join.format(metric, animal) for animal in ANIMALS for metric in ("precision", "recall", "f1-score")]


@pytest.mark.parametrize("nested", [True, False])
def test_metrics_of_classes_are_families_by_the_metric_they_share(nested: bool) -> None:
    found = families([*report(nested=nested), *WHOLE])
    assert {*found.values()} == {"precision", "recall", "f1-score" if nested else "f1"}
    assert not {*found} & {*WHOLE}


def test_a_dictionary_by_metric_is_a_family_by_its_outer_name() -> None:
    names = [f"iou.{animal}" for animal in ANIMALS] + ["acc.animal1"]
    assert families(names) == {name: "iou" for name in names if name != "acc.animal1"}


@pytest.mark.parametrize(
    "names",
    [
        ["cer", "wer", "rtf"],
        ["eval_cer", "eval_wer", "eval_loss", "eval_bleu", "eval_runtime", "eval_f1", "eval_acc"],
        [f"{animal}.recall" for animal in ANIMALS[:5]],
        ["", ".", "_", "..", "a."],
        [],
    ],
)
def test_a_few_names_that_begin_alike_are_no_family(names: list[str]) -> None:
    assert families(names) == {}


def test_what_is_of_the_whole_comes_first_then_the_classes_that_lost_most() -> None:
    pairs = [Pair(metric, "d") for metric in (*report(nested=True), *WHOLE)]
    lost = {Pair("animal50.recall", "d"): -0.5, Pair("animal70.precision", "d"): -0.4, Pair("animal1.recall", "d"): 0.9}
    folded = fold(pairs, effects=lost)
    shown = [pairs[index].metric for index in folded.shown]
    assert len(shown) == MAX_UNFOLDED
    assert {*shown[:4]} == {*WHOLE}
    assert shown[4:6] == ["animal50.recall", "animal70.precision"]
    assert "animal1.recall" not in shown
    assert len(folded.hidden) == 304 - MAX_UNFOLDED
    counts = {name: int(count) for name, _, count in (part.partition(" ×") for part in folded.summary.split(", "))}
    assert sum(counts.values()) == len(folded.hidden)
    assert {*counts} == {"precision", "recall", "f1-score"}


def test_names_without_a_family_are_folded_too_those_without_a_direction_first() -> None:
    pairs = [Pair(f"foo{number}", "d") for number in range(40)] + [Pair("cer", "d")]
    folded = fold(pairs)
    assert pairs[-1] in [pairs[index] for index in folded.shown]
    assert folded.summary == "21 other results"


def test_each_dataset_is_folded_by_itself_and_a_short_one_not() -> None:
    pairs = [Pair(metric, dataset) for dataset in ("a", "b") for metric in report(nested=True)]
    pairs += [Pair("cer", f"c{number}") for number in range(200)]
    folded = fold(pairs)
    assert [pairs[index] for index in folded.shown[-200:]] == pairs[-200:]
    assert len(folded.shown) == 2 * MAX_UNFOLDED + 200
    assert {pairs[index].dataset for index in folded.hidden} == {"a", "b"}
    assert fold(pairs[-200:]).summary == ""


@given(st.lists(st.builds(Pair, st.text(max_size=8), st.sampled_from(["a", "b"])), max_size=80))
def test_every_result_is_on_one_side(pairs: list[Pair]) -> None:
    folded = fold(pairs)
    assert sorted([*folded.shown, *folded.hidden]) == [*range(len(pairs))]
    if not folded.hidden:
        assert [*dict.fromkeys(pairs[index].dataset for index in folded.shown)] == [
            *dict.fromkeys(pair.dataset for pair in pairs)
        ]
    assert folded.hidden == sorted(folded.hidden)
    assert bool(folded.summary) is bool(folded.hidden)

"""Which items got worse and better, the most first."""

from pathlib import Path

import pytest

from paiview.evidence.explanation import counts_sentence, explain, numbers_text, text_rows
from tests.harness.item_files import json_lines, values

BEFORE = [
    {"id": "a", "errors": 1, "n": 5, "group": "g1", "ref": "one two", "hyp": "one"},
    {"id": "b", "errors": 4, "n": 9, "group": "g1"},
    {"id": "c", "errors": 2, "n": 7, "group": "g2"},
    {"id": "d", "errors": 0, "n": 3, "group": "g2"},
]
AFTER = [
    {"id": "d", "errors": 3, "n": 3, "ref": "x\x1b[2J\ny", "hyp": ""},
    {"id": "c", "errors": 2, "n": 7},
    {"id": "b", "errors": 2, "n": 9},
    {"id": "a", "errors": 2, "n": 5, "ref": "one two", "hyp": "on too"},
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return json_lines(tmp_path / "before.jsonl", BEFORE), json_lines(tmp_path / "after.jsonl", AFTER)


def test_the_most_changed_items_come_first_on_each_side(files: tuple[Path, Path]) -> None:
    found = explain(*files)
    assert [(count.side, count.items, count.amount) for count in found.counts] == [("worse", 2, 4), ("better", 1, 2)]
    worse, better = found.changes
    assert [(item.id, item.baseline, item.candidate, item.n, item.group) for item in worse] == [
        ("d", 0, 3, 3, "g2"),
        ("a", 1, 2, 5, "g1"),
    ]
    assert [(item.id, item.change) for item in better] == [("b", -2)]
    assert (found.n, found.unchanged) == (4, 1)
    assert counts_sentence(found) == ("Of 4 items 2 got worse (+4 errors), 1 got better (−2 errors), 1 did not change.")


def test_texts_of_both_files_stand_side_by_side(files: tuple[Path, Path]) -> None:
    (loud, quiet), (silent,) = explain(*files).changes
    assert text_rows(quiet, 100) == [("reference", "one two"), ("baseline", "one"), ("candidate", "on too")]
    assert text_rows(loud, 100) == [
        ("reference", "x�[2J y"),
        ("baseline", "(nothing)"),
        ("candidate", "(nothing)"),
    ]
    assert text_rows(silent, 100) == []


def test_only_so_many_are_listed_and_all_are_counted(files: tuple[Path, Path]) -> None:
    found = explain(*files, top=1)
    assert [len(changes) for changes in found.changes] == [1, 1]
    assert found.counts[0].items == 2


def test_of_values_the_direction_says_which_are_worse() -> None:
    before, after = values(1.0, 2.0, 3.0), values(1.5, 1.0, 3.0)
    sides = {
        way: [
            (count.side, *(item.id[-1] for item in items))
            for count, items in zip(found.counts, found.changes, strict=True)
        ]
        for way in ("higher", "lower", None)
        for found in [explain(before, after, direction=way)]
    }
    assert sides == {
        "higher": [("worse", "1"), ("better", "0")],
        "lower": [("worse", "0"), ("better", "1")],
        None: [("higher", "0"), ("lower", "1")],
    }
    assert counts_sentence(explain(before, after)) == "Of 3 items 1 got higher, 1 got lower, 1 did not change."


def test_numbers_are_written_as_they_are_stored(files: tuple[Path, Path]) -> None:
    (item, *_), _ = explain(*files).changes
    assert numbers_text(item, has_errors=True) == "0 → 3 errors of 3"
    assert numbers_text(item._replace(baseline=0.25, candidate=-1.5), has_errors=False) == "0.25 → −1.5"


def test_as_json_it_has_the_sides_and_their_items(files: tuple[Path, Path]) -> None:
    tree = explain(*files, top=1).tree()
    assert (tree["n"], tree["unchanged"], tree["better"]["amount"]) == (4, 1, 2)
    assert tree["worse"]["items"] == 2
    assert tree["worse"]["most"][0] == {
        "id": "d",
        "group": "g2",
        "side": "worse",
        "baseline": 0,
        "candidate": 3,
        "n": 3,
        "change": 3,
        "reference": "x\x1b[2J\ny",
        "baseline_text": "",
        "candidate_text": "",
    }


def test_items_that_changed_equally_come_in_the_order_of_their_ids() -> None:
    before, after = values(*[1.0] * 30), values(*[2.0] * 30)
    assert [item.id for item in explain(before, after).changes[0]] == [f"{at:06}" for at in range(20)]

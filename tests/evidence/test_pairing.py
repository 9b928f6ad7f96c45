"""Items side by side: nothing is left out silently."""

from typing import Any

import pytest

from paiview.evidence.item_records import ItemsError
from paiview.evidence.items import read_items
from paiview.evidence.pairing import PairedItems, pair_items
from tests.harness.item_files import values


def rows(names: str, **columns: Any) -> list[dict[str, Any]]:
    """An item for each letter, with 1 error of 10."""
    found: list[dict[str, Any]] = [{"id": name, "errors": 1, "n": 10} for name in names]
    for name, column in columns.items():
        for row, cell in zip(found, column, strict=True):
            row[name] = cell
    return found


def paired(before: list[dict[str, Any]], after: list[dict[str, Any]], **options: Any) -> PairedItems:
    return pair_items(read_items(before, "before"), read_items(after, "after"), **options)


def problem(before: list[dict[str, Any]], after: list[dict[str, Any]], **options: Any) -> str:
    with pytest.raises(ItemsError) as caught:
        paired(before, after, **options)
    return caught.value.message


def test_items_are_put_side_by_side_by_id_whatever_their_order() -> None:
    found = paired(rows("cab", errors=[3, 1, 2]), rows("bac", errors=[20, 10, 30], n=[1, 2, 3]))
    assert found.ids == ("a", "b", "c")
    assert found.amounts.tolist() == [[1, 2, 3], [10, 20, 30]]
    assert found.sizes.tolist() == [[10, 10, 10], [2, 1, 3]]
    assert (found.groups.tolist(), found.labels, found.group_count) == ([0, 1, 2], None, 3)


def test_missing_and_extra_items_are_named_with_how_many() -> None:
    assert problem(rows("abcdefgh"), rows("ax")) == (
        "after does not have the items of before: 7 of 8 items are missing (b, c, d, e, f, 2 more); "
        "1 of 2 items is extra (x). Score both versions on the same items."
    )


def test_groups_are_those_of_the_file_that_has_them() -> None:
    grouped = rows("abc", speaker=["s2", "s1", "s2"])
    for before, after in ((grouped, rows("abc")), (rows("abc"), grouped), (grouped, grouped)):
        found = paired(before, after)
        assert (found.groups.tolist(), found.labels, found.group_count) == ([1, 0, 1], ("s1", "s2"), 2)
        assert found.group_noun == "speaker"


def test_files_that_disagree_about_groups_are_refused() -> None:
    message = problem(rows("abc", group="112"), rows("abc", group="122"))
    assert message == "1 item has another group in the candidate's file: b."


def test_groups_from_elsewhere_go_before_those_of_the_files() -> None:
    found = paired(rows("abc", group="112"), rows("abc", group="122"), groups={"a": "x", "b": "y", "c": "x", "d": "z"})
    assert (found.groups.tolist(), found.labels, found.group_noun) == ([0, 1, 0], ("x", "y"), "group")
    assert problem(rows("ab"), rows("ab"), groups={"a": "x"}) == "1 item without a group: b."


def test_different_kinds_are_refused() -> None:
    assert problem(values(1.0), [{"id": "000000", "errors": 1, "n": 2}]) == (
        "before has values, but after has errors and n."
    )


def test_sizes_that_are_all_0_are_refused() -> None:
    assert problem(rows("ab", n=[0, 0]), rows("ab")) == "before: the n of all items is 0."


def test_sizes_that_differ_are_told() -> None:
    assert paired(rows("abc"), rows("abc")).remarks == ()
    assert paired(rows("abc"), rows("abc", n=[10, 11, 12])).remarks == (
        "The n of 2 items of 3 differs between the files (b, c): were both scored against the same references?",
    )

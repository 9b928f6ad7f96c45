"""Patterns of names: a name always matches itself, and a pattern costs linear time."""

from time import perf_counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paiview.evaluation.name_patterns import NamedTables, has_wildcard, matches

NAMES = st.text(st.characters(codec="utf-8"), max_size=12) | st.text("*?[]!-ab:.@0,59", max_size=12)


@given(NAMES)
@example("mAP@[0.5:0.95]")
@example("[")
@example("[!]")
@example("a[]b")
@example("\n")
def test_a_name_matches_itself_brackets_and_all(name: str) -> None:
    assert matches(name, name)


@pytest.mark.parametrize(
    ("pattern", "name", "is_match"),
    [
        ("mAP@[0.5:0.95]", "mAP@[0.5:0.95]", True),
        ("mAP@[0.5:0.95]", "mAP@0", True),
        ("mAP@[[]0.5:0.95]", "mAP@[0.5:0.95]", True),
        ("mAP@[[]0.5:0.95]", "mAP@0", False),
        ("wer*", "wer", True),
        ("wer*", "wer_zh", True),
        ("wer*", "cer", False),
        ("wer", "wer_zh", False),
        ("*wer", "val/wer", True),
        ("?er", "cer", True),
        ("?er", "er", False),
        ("[cw]er", "wer", True),
        ("[!c]er", "cer", False),
        ("WER", "wer", False),
        ("w*", "WER", False),
        ("iou.*", "iou_person", False),
        ("*", "", True),
        ("*", "a\nb", True),
        ("wer", "wer\n", False),
        ("", "", True),
        ("", "a", False),
        ("acc,*", "acc,none", True),
        ("oss://b/*", "oss://b/k[split=test]", True),
    ],
)
def test_patterns_are_those_of_the_shell_and_case_sensitive(pattern: str, name: str, is_match: bool) -> None:
    assert matches(pattern, name) == is_match


@given(NAMES)
def test_a_name_without_wildcards_matches_itself_alone(name: str) -> None:
    if not has_wildcard(name):
        assert not matches(name, f"{name}x")
        assert not matches(name, f"x{name}")


@pytest.mark.parametrize("pattern", ["*a" * 40, "*" * 2000, "[a]" * 500, "?*" * 500, "a*" * 40 + "b"])
def test_a_pattern_costs_no_more_than_linear_time(pattern: str) -> None:
    started = perf_counter()
    assert not matches(pattern + "!", "a" * 20_000)
    assert perf_counter() - started < 2


class TestNamedTables:
    TABLES = NamedTables({"*": 0, "a*": 1, "ab": 2, "[x]": 3, "*b": 4, "cd": 5})

    @pytest.mark.parametrize(
        ("names", "tables"),
        [
            (("ab",), [2, 0, 1, 4]),
            (("a",), [0, 1]),
            (("x",), [0, 3]),
            (("[x]",), [3, 0]),
            (("*",), [0]),
            (("cd", "ab"), [5, 2, 0, 1, 4]),
            (("ab[split=test]", "ab"), [2, 0, 1, 4]),
        ],
    )
    def test_a_name_goes_before_patterns_and_those_are_in_the_order_of_the_file(
        self, names: tuple[str, ...], tables: list[int]
    ) -> None:
        assert [*self.TABLES.of(*names)] == tables

    @given(st.lists(NAMES, min_size=1, unique=True), NAMES)
    def test_a_pattern_never_goes_before_a_name(self, keys: list[str], name: str) -> None:
        tables = NamedTables({key: key for key in keys})
        found = [*tables.of(name)]
        assert (found[:1] == [name]) == (name in keys)
        assert len(found) == len({*found})
        assert {*found} == {key for key in keys if key == name or (has_wildcard(key) and matches(key, name))}

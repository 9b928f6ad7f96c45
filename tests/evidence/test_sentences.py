"""What a reader without statistics is told."""

import pytest

from paiview.evidence.sentences import groups_to_settle, p_text
from paiview.evidence.significance import significance
from tests.harness.item_files import values

TRAINING = (
    "This is about the choice of test items. It does not cover training: a second run of the same training may differ "
    "by more."
)


INDEPENDENT = (
    "Each item counts as independent of all others. If several come from one speaker, conversation or document, name "
    "that as the group: without it the interval is too narrow."
)
INTERVAL = "With 95 % confidence the change over all such items is"
DRAWS = "The candidate is better in 8,159 of 10,000 random draws of the 60 items"
ALL_DRAWS = "The candidate is better in all of 10,000 random draws of the 100 speakers"


def test_many_groups_that_settle_it() -> None:
    before, after = ([{"id": at, "errors": e + at % 2, "n": 10, "spk": at} for at in range(100)] for e in (2, 1))
    assert significance(before, after, metric="cer").sentences == (
        "Better, and hardly by chance.",
        "cer went from 0.25 to 0.15 (−0.10, 40.0 % better) on 100 items of 100 speakers.",
        "With 95 % confidence the change over all such items is between −0.10 and −0.10, all of it better.",
        f"{ALL_DRAWS}: two-sided p < 0.0002; one-sided p < 0.0001 that the candidate is not better.",
        TRAINING,
    )


def test_a_difference_that_more_groups_would_settle() -> None:
    before, after = values(*[0.0] * 60), values(*[1.0, -0.8] * 30)
    assert significance(before, after, metric="accuracy").sentences == (
        "Too close to call: the difference may be chance.",
        "accuracy went from 0.00 to 0.10 (+0.10) on 60 items.",
        f"{INTERVAL} between −0.14 and +0.34, which includes 0, no change at all.",
        f"{DRAWS}: two-sided p = 0.368; one-sided p = 0.184 that the candidate is not better.",
        "If the difference stays as it is, about 650 more items would settle it.",
        INDEPENDENT,
        TRAINING,
    )


def test_too_few_groups_to_decide() -> None:
    before, after = values(*[2.0] * 12, group="aabbccddeeff"), values(*[1.0, 1.5] * 6)
    sentences = significance(before, after, metric="rtf").sentences
    assert sentences[0] == "6 groups are too few to decide; at least 20 are needed. The hint: better."
    assert sentences[3] == (
        "Under 50 groups, the interval is the change ± Student's t × its standard error: two-sided p < 0.0001; "
        "one-sided p < 0.0001 that the candidate is not better."
    )


def test_a_direction_that_nobody_knows() -> None:
    before, after = values(*[2.0, 3.0] * 30), values(*[1.0, 2.0] * 30)
    sentences = significance(before, after, metric="quux").sentences
    assert sentences[0].startswith("Different, and hardly by chance. Whether that is better is not known")
    assert "(−1.0, 40.0 % lower)" in sentences[1]
    assert sentences[2].endswith("which leaves out 0.")
    assert sentences[3] == "The candidate is lower in all of 10,000 random draws of the 60 items: two-sided p < 0.0002."


def test_a_target_and_no_difference() -> None:
    before = values(*[3.0, 5.0] * 30)
    assert (
        "went from 4.00 to −1.50 (−2.50 in the distance from 0, 62.5 % better)"
        in (significance(before, values(*[-1.0, -2.0] * 30), metric="bias").sentences[1])
    )
    same = significance(before, before, metric="accuracy").sentences
    assert same[0] == "No difference on these items."
    assert same[2].endswith("between 0 and 0, no change at all.")
    assert same[3].startswith(
        "The candidate is better in none of 10,000 random draws of the 60 items: two-sided p = 1.000"
    )


def test_foreign_names_are_one_printable_line() -> None:
    for sentence in significance(values(*[1.0, 2.0] * 30), values(*[1.0] * 60), metric="a\x1b[2J\nb").sentences:
        assert sentence.isprintable()


@pytest.mark.parametrize(
    ("p", "bound", "text"),
    [
        (1 / 10_001, 1e-4, "p < 0.0001"),
        (2 / 10_001, 1e-4, "p = 0.0002"),
        (2 / 10_001, 2e-4, "p < 0.0002"),
        (1 / 100_001, 1e-5, "p < 0.00001"),
        (1 / 3001, 1 / 3000, "p < 0.0004"),
        (1 / 101, 1e-2, "p < 0.01"),
        (0.00999, 1e-4, "p = 0.0100"),
        (0.0117, 1e-4, "p = 0.012"),
        (1.0, 1e-4, "p = 1.000"),
        (0.0, 1e-4, "p < 0.0001"),
    ],
)
def test_p_is_written_with_the_digits_that_it_has(p: float, bound: float, text: str) -> None:
    assert p_text(p, bound) == text


@pytest.mark.parametrize(
    ("groups", "half", "gap", "more"),
    [
        (250, 0.0066, 0.004, 1200),
        (100, 1.0, 0.999, 110),
        (10, 1.0, 1.0, 11),
        (100, 3.0, 1.0, 1800),
        (100, 3.2, 1.0, None),
        (100, 1.0, 0.0, None),
    ],
)
def test_how_many_more_groups_would_settle_it(groups: int, half: float, gap: float, more: int | None) -> None:
    assert groups_to_settle(groups, half, gap) == more

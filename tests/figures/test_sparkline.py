"""The numbers of small lines: mean effects of the last versions, and the history of one number."""

import pytest

from paiview.evaluation.frames import Frames, build
from paiview.figures import sparkline
from paiview.figures.sparkline import mean_effects, number_history
from tests.figures.conftest import CER, version


def test_effects_are_those_of_the_last_versions_up_to_one(frames: Frames) -> None:
    """By hand, against 0.25: 0.30 is 20 % worse, 0.35 is 40 % worse, 0.28 is 12 % worse."""
    assert mean_effects(frames, 4, 2) == pytest.approx([-20, -40, 0, -12])
    assert mean_effects(frames, 5, 2) == pytest.approx([-20, -40, 0, -12, 20])


def test_a_line_needs_two_versions_that_can_be_compared(frames: Frames) -> None:
    assert mean_effects(frames, 0, 2) == []
    assert mean_effects(build([]), -1, 0) == []
    assert mean_effects(frames, 4, 3) == [], "the baseline has no number"


def test_only_the_newest_versions_are_on_the_line(frames: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparkline, "MAX_EFFECTS", 2)
    assert mean_effects(frames, 5, 2) == pytest.approx([-12, 20])


def test_the_mean_is_over_the_datasets_and_cut() -> None:
    frames = build(
        [
            version(0, "0.1.0", "Approved", {"cer@a": 0.1, "cer@b": 0.2}),
            version(1, "0.2.0", "Pending", {"cer@a": 0.9, "cer@b": 0.1}),
            version(2, "0.3.0", "Pending", {"cer@b": 0.15}),
        ]
    )
    assert mean_effects(frames, 2, 0) == pytest.approx([0, (-100 + 50) / 2, 25])


def test_the_history_has_the_number_of_the_newest_approved_version(frames: Frames) -> None:
    history = number_history(frames)
    assert history is not None
    assert history.pair == CER
    assert history.approved == 0.25
    assert history.numbers == [0.30, 0.35, 0.25, 0.28, 0.20]


def test_the_history_prefers_what_the_approved_version_has() -> None:
    frames = build(
        [
            version(0, "0.1.0", "Rejected", {"cer@a": 0.3, "cer@b": 0.3}),
            version(1, "0.2.0", "Rejected", {"cer@a": 0.2}),
            version(2, "0.3.0", "Approved", {"cer@b": 0.1}),
        ]
    )
    history = number_history(frames)
    assert history is not None
    assert history.pair.dataset == "b"
    assert history.approved == 0.1


def test_without_an_approved_version_there_is_a_history_and_no_number() -> None:
    history = number_history(build([version(0, "0.1.0", "Pending", {"cer": 0.3})]))
    assert history is not None
    assert history.approved is None
    assert history.numbers == [0.3]
    assert number_history(build([])) is None

"""The page of a significance: one file without scripts, whatever strangers wrote into the items."""

import re
from typing import Any

import numpy as np
import pytest

from paiview.evidence.explanation import explanation_of
from paiview.evidence.significance import significance
from paiview.reports.significance_page import drawing, significance_html
from paiview.text import one_line
from tests.harness.hostile import TEXTS
from tests.harness.item_files import Row, values
from tests.reports.test_documents import Page


def utterances(errors: int, text: str = "hello", count: int = 60) -> list[Row]:
    """Items of which every second has so many errors, and the others one."""
    return [
        {
            "id": f"{text}{at}",
            "errors": errors if at % 2 else 1,
            "n": 10,
            "group": f"{text}{at % 55}",
            "ref": text,
            "hyp": f"{text}!",
        }
        for at in range(count)
    ]


def page(before: list[Row], after: list[Row], **options: Any) -> Page:
    found = significance(before, after, **options)
    explanation = explanation_of(found.items, before, after, direction=found.direction, top=5)
    return Page(significance_html(found, explanation, ("before.jsonl", "after.jsonl")))


def test_it_needs_nothing_else() -> None:
    shown = page(utterances(2), utterances(3))
    policy = next(meta["content"] for meta in shown.tags("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert shown.code["script"] == []
    assert not any(re.search(r"url\(|@import", style) for style in shown.code["style"])
    assert not [tag for tag, attributes in shown.elements if {"src", "href"} & {*attributes}]


def test_it_tells_all_of_it() -> None:
    shown = page(utterances(2), utterances(3), metric="wer", baseline_version="0.4.0", seed=5)
    found = significance(utterances(2), utterances(3), metric="wer", seed=5)
    assert f"▼ {found.sentences[0]}" in shown.texts
    for told in (
        *(sentence.replace(" %", "\N{NO-BREAK SPACE}%") for sentence in found.sentences[1:]),
        "after.jsonl against before.jsonl",
        "no change",
        "these items +0.050",
        "Of 60 items 30 got worse (+30 errors), 0 got better, 30 did not change.",
        "Got worse: the 5 that changed most",
        "before.jsonl, version 0.4.0",
        "10,000, seed 5",
        "Percentiles of a paired bootstrap over groups",
    ):
        assert told in shown.texts
    row = shown.texts.index("hello1")
    assert shown.texts[row : row + 6] == ["hello1", "hello1", "2 → 3 errors of 10", "hello", "hello!", "hello!"]
    assert any('"baseline": "0.4.0"' in text for text in shown.texts)


def test_items_without_texts_have_no_columns_for_them() -> None:
    shown = page(values(*[1.0, 2.0] * 30), values(*[1.5, 2.0] * 30), metric="quux")
    assert "Reference" not in shown.texts
    assert "Got higher: the 5 that changed most" in shown.texts
    assert {rect["class"] for rect in shown.tags("rect")} == {"neutral"}


def test_too_few_groups_have_no_verdict() -> None:
    shown = page(values(*[1.0, 2.0] * 5), values(*[1.5, 2.5] * 5), metric="accuracy")
    assert shown.texts[0] == "Too few groups to decide: accuracy"
    assert {section["class"] for section in shown.tags("section")} == {"answer unclear"}
    assert "Student's t with a linearised standard error over groups" in shown.texts


@pytest.mark.parametrize("text", [text for text in TEXTS if text.strip() and len(text) < 1000])
def test_foreign_text_is_shown_as_text(text: str) -> None:
    before, after = utterances(2, text), utterances(3, text)
    shown, calm = (
        page(one, other, metric=text)
        for one, other, text in (
            (before, after, text),
            (utterances(2), utterances(3), "harmless"),
        )
    )
    assert [tag for tag, _ in shown.elements] == [tag for tag, _ in calm.elements]
    assert shown.code["script"] == []
    assert one_line(text, 400) in " ".join(shown.texts)


class TestDrawing:
    def test_the_bars_hold_every_draw_and_meet_at_0(self) -> None:
        found = significance(utterances(2), [*utterances(1)[:30], *utterances(3)[30:]], metric="wer")
        drawn = drawing(found)
        heights = np.array([bar.height for bar in drawn.bars])
        assert heights.max() == drawn.height
        better = sum(bar.height for bar in drawn.bars if bar.tone == "better") / heights.sum()
        assert better == pytest.approx((found.changes < 0).mean(), abs=0.005)
        assert all(bar.left + bar.width <= drawn.zero.at + 0.05 for bar in drawn.bars if bar.tone == "better")
        assert all(bar.left >= drawn.zero.at - 0.05 for bar in drawn.bars if bar.tone == "worse")
        assert all(bar.top + bar.height == pytest.approx(drawn.height, abs=0.02) for bar in drawn.bars)

    def test_what_is_marked_lies_inside(self) -> None:
        for sides in ((utterances(2), utterances(3)), (utterances(3), utterances(2)), (utterances(2), utterances(2))):
            drawn = drawing(significance(*sides))
            places = [drawn.zero.at, drawn.change.at, drawn.low, drawn.high]
            assert all(0 <= place <= drawn.width for place in places)
            assert drawn.low <= drawn.change.at <= drawn.high
            assert len(drawn.bars) <= 42

    def test_higher_is_better_where_the_metric_says_so(self) -> None:
        drawn = drawing(significance(values(*[1.0, 2.0] * 30), values(*[2.0, 5.0] * 30), metric="accuracy"))
        assert {bar.tone for bar in drawn.bars} == {"better"}
        assert drawn.zero.at < drawn.change.at

"""The delta dot plot as an image: the marks of the plot, in its order, with its signs, and foreign text set in."""

from xml.etree import ElementTree as ET

import pytest

from paiview.figures import delta_info, delta_still
from paiview.figures.conventions import BETTER, WORSE
from tests.figures.conftest import MARKUP, decision

MIXED = decision(
    {"cer@a": 0.172, "cer@b": 0.11, "cer@c": 0.2004, "cer@e": 0.3, "blobs@a": 4.0},
    {"cer@a": 0.175, "cer@b": 0.10, "cer@c": 0.2, "cer@d": 0.5, "blobs@a": 3.0},
)
NAMESPACE = "{http://www.w3.org/2000/svg}"


def image(*decisions: object, title: str = "Trade-off", lines: tuple[str, ...] = ()) -> ET.Element:
    return ET.fromstring(delta_still(delta_info(decisions), title, lines))  # type: ignore[arg-type]  # noqa: S314


def marks(root: ET.Element) -> list[tuple[float, float, str]]:
    """Place and style of each mark."""
    found = []
    for path in root.iter(f"{NAMESPACE}path"):
        if moved := path.get("transform"):
            x, y = moved.removeprefix("translate(").removesuffix(")").split()
            found.append((float(x), float(y), str(path.get("style"))))
    return found


def texts(root: ET.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{NAMESPACE}text")]


def test_better_stands_right_of_the_baseline_and_worse_left_as_far_as_the_plot_has_it() -> None:
    root = image(MIXED)
    [line] = {
        float(str(path.get("d"))[1:].split()[0]) for path in root.iter(f"{NAMESPACE}path") if not path.get("transform")
    }
    by_style = {style: x for x, _, style in marks(root)}
    better, worse = by_style[f"fill:{BETTER}"], by_style[f"fill:{WORSE}"]
    assert worse < line < better
    effects = {mark.state: mark.effect for mark in delta_info([MIXED]).marks}
    assert (better - line) / (line - worse) == pytest.approx(effects["better"] / -effects["worse"], abs=0.01)


def test_each_pair_has_a_mark_in_its_own_row_and_its_numbers() -> None:
    root = image(MIXED)
    assert len({y for _, y, _ in marks(root)}) == len(MIXED.pairs) == len(marks(root))
    assert {"Trade-off", "a", "b", "▼ 0.1100 ← 0.1000", "−10.0 %"} <= {*texts(root)}


def test_what_has_no_size_is_hollow() -> None:
    hollow = [style for _, _, style in marks(image(MIXED)) if "fill:none" in style]
    assert len(hollow) == sum(pair.state in ("missing", "new", "not_comparable") for pair in MIXED.pairs)


def test_candidates_are_columns_from_left_to_right() -> None:
    first = decision({"cer@a": 0.2}, {"cer@a": 0.1})
    root = image(*(first.model_copy(update={"candidate": f"v{number}"}) for number in range(20)))
    assert [text for text in texts(root) if text.startswith("v")] == [f"v{number}" for number in range(20)]
    places = [x for x, _, _ in marks(root)]
    assert places == sorted(places)
    assert len({*places}) == 20


def test_foreign_text_stays_text() -> None:
    named = decision({f"cer@{MARKUP}": 0.2}, {f"cer@{MARKUP}": 0.1})
    root = image(named, title=MARKUP, lines=(MARKUP,))
    assert texts(root)[:2] == [MARKUP, MARKUP]
    assert sum(text.endswith("%{y} & z") for text in texts(root)) == 3
    used = {element.tag.removeprefix(NAMESPACE) for element in root.iter()}
    assert used == {"svg", "style", "g", "text", "path", "rect"}


def test_nothing_to_compare_is_a_title_alone() -> None:
    root = image(decision({}, {}), title="Incomplete", lines=("no results",))
    assert texts(root) == ["Incomplete", "no results"]
    assert marks(root) == []

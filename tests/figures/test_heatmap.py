"""The heatmap: a row a pair, a column a version, better is darker."""

import html

import numpy as np
import pytest

from paiview.figures import heatmap_figure
from paiview.frames import Frames, Pair, build
from tests.figures.conftest import BLOBS, CER, TOP1, heatmap, version


def test_rows_that_read_the_same_stay_apart() -> None:
    frames = build([version(0, "0.1.0", None, {"cer@d-1": 0.1, "cer@d-2": 0.2})])
    info = heatmap(frames, Pair("cer", "d-1"), Pair("cer", "d-2"), names={"d-1": "test", "d-2": "test"})
    assert info.rows == ["test · cer", "test · cer (2)"]


def test_the_heatmap_has_a_row_a_pair_and_a_column_a_version_with_a_number(frames: Frames) -> None:
    info = heatmap(frames, TOP1, BLOBS)
    assert info.rows == ["aishell · top1", "aishell · blobs"]
    assert info.names == ["0.1.0", "0.9.0", "0.10.0", "0.12.0"]
    assert info.texts == [["0.5", "0.6", "", "0.7"], ["3", "", "5", ""]]


@pytest.mark.parametrize(
    ("pair", "shade"),
    [
        (CER, [1 / 3, 0, 2 / 3, 7 / 15, 1]),
        (TOP1, [0, 0.5, 1]),
        (BLOBS, [0, 0]),
    ],
)
def test_better_is_darker_and_an_unknown_direction_has_no_colour(
    frames: Frames, pair: Pair, shade: list[float]
) -> None:
    info = heatmap(frames, pair)
    np.testing.assert_allclose(info.shade, [shade])
    assert info.unknown == (["blobs"] if pair is BLOBS else [])


def test_equal_numbers_have_one_shade() -> None:
    frames = build([version(place, f"0.{place}.0", None, {"cer": 0.1}) for place in range(3)])
    assert heatmap(frames, CER).shade.tolist() == [[0.5, 0.5, 0.5]]


def test_numbers_at_the_ends_of_the_floats_are_shaded() -> None:
    frames = build(
        [version(place, f"0.{place}.0", None, {"cer": value}) for place, value in enumerate([-1.7e308, 1.7e308])]
    )
    assert heatmap(frames, CER).shade.tolist() == [[1.0, 0.0]]


def test_the_heatmap_shows_only_the_versions_asked_in_version_order(frames: Frames) -> None:
    info = heatmap(frames, CER, orders=[4, 3, 0])
    assert info.names == ["0.1.0", "0.12.0"]
    assert info.texts == [["0.30", "0.28"]]


def test_the_heatmap_draws_its_info(frames: Frames) -> None:
    info = heatmap(frames, CER, TOP1)
    figure = heatmap_figure(info)
    trace, numbers = figure.data
    assert (list(trace.x), list(trace.y)) == (info.names, info.rows)
    np.testing.assert_array_equal(trace.z, info.shade)
    assert [list(row) for row in trace.text] == info.texts
    assert (trace.zmin, trace.zmax) == (0, 1)
    written = dict(zip(zip(numbers.y, numbers.x, strict=True), numbers.text, strict=True))
    assert [[written[row, name] for name in info.names] for row in info.rows] == info.texts
    assert list(figure.layout.xaxis.categoryarray) == info.names
    assert list(figure.layout.yaxis.categoryarray) == info.rows
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("category", "category")
    assert figure.layout.yaxis.autorange == "reversed"


def test_small_cells_hold_no_numbers() -> None:
    frames = build([version(place, f"0.{place}.0", None, {"cer": place}) for place in range(60)])
    (trace,) = heatmap_figure(heatmap(frames, CER)).data
    assert trace.text[0][59] == "59"


def test_a_missing_number_is_blank(frames: Frames) -> None:
    info = heatmap(frames, CER, BLOBS)
    place = info.names.index("0.12.0")
    assert np.isnan(info.shade[1, place])
    assert info.texts[1][place] == ""


def test_labels_read_back_as_the_names_of_the_frame(frames: Frames) -> None:
    assert [html.unescape(name) for name in heatmap(frames, CER).names] == [
        name for name in frames.versions["version_name"] if name != "0.11.0"
    ]

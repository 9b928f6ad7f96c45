"""The tables of versions as data."""

from paiview.frames import build
from paiview.pai.objects import ModelVersion
from paiview.ui import tables
from tests.pages.conftest import version


def test_side_by_side_has_a_row_a_pair_that_any_of_them_has() -> None:
    frames = build(
        [
            ModelVersion.model_validate(fields)
            for fields in (
                version("0.1.0", "2024-01-01", {"d-b": {"cer": 0.1}, "d-a": {"cer": 0.2}}),
                version("0.2.0", "2024-01-02"),
                version("0.3.0", "2024-01-03", {"d-c": {"cer": 0.3}}),
            )
        ]
    )
    table = tables.side_by_side(frames, [1, 0], {"d-a": "Zeta"})
    assert list(table.columns) == ["dataset", "metric", "0.1.0", "0.2.0"]
    assert table.fillna(-1).to_numpy().tolist() == [["Zeta", "cer", 0.2, -1.0], ["d-b", "cer", 0.1, -1.0]]


def test_side_by_side_of_versions_without_numbers_is_empty() -> None:
    names = ("0.1.0", "0.2.0")
    frames = build([ModelVersion.model_validate(version(name, "2024-01-01")) for name in names])
    assert tables.side_by_side(frames, [0, 1], {}).shape == (0, 4)

"""Frames as files: CSV that runs nothing, JSON that is JSON, Parquet that keeps its types."""

import csv
import io
import json
import math
import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.evaluation.frames import Frames, build
from paiview.pai.objects import ModelVersion
from paiview.reports.table_files import csv_bytes, files_of, json_bytes, parquet_bytes

UNHURRIED = settings(deadline=None)


@pytest.fixture
def frames() -> Frames:
    versions = [
        {
            "VersionName": "0.10.0_beta",
            "VersionDescription": '=HYPERLINK("https://a.example"), "语音"\n第二行',
            "ApprovalStatus": "Approved",
            "OwnerId": "12345678901234567890",
            "GmtCreateTime": "2021-01-30T12:51:33.028Z",
            "Metrics": {
                "Results": [{"Dataset": {"DatasetId": "d-1"}, "Metrics": {"cer": 0.1 + 0.2, "wer": math.nan, "n": "7"}}]
            },
        },
        {"VersionName": "latest", "GmtCreateTime": "soon", "Labels": [{"Key": "@a", "Value": "b"}]},
    ]
    return build([ModelVersion.model_validate(version) for version in versions])


def cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def one_cell(value: Any) -> str:
    """The cell a spreadsheet reads for one value."""
    header, (cell,) = cells(csv_bytes(pd.DataFrame({"a": pd.Series([value], dtype=object)})))
    assert header == ["a"]
    return cell


def parsed(content: bytes) -> Any:
    def refuse(literal: str) -> None:
        pytest.fail(f"{literal} is no JSON")

    return json.loads(content, parse_constant=refuse)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "  =1",
        "\u3000=1",
        "\u202e=1",
        "﹦1",
        "\u200b=1",
        "\ufeff=1",
        "\u00a0@x",
        '=cmd|"/c calc"!A0',
    ],
)
def test_a_text_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert one_cell(text) == f"'{text}"
    (header,) = cells(csv_bytes(pd.DataFrame(columns=[text])))
    assert header == [f"'{text}"]


@pytest.mark.parametrize(
    "text",
    [
        "a=1",
        "0.1.0",
        "a,b",
        'say "x"',
        "two\nlines",
        "a;b",
        "a; b-c",
        "two\n\tlines",
        "通用语音",
        "  x",
        "'=1",
        "1-2",
        "x@y",
    ],
)
def test_other_text_is_written_as_it_is(text: str) -> None:
    assert one_cell(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x;=1+1;y", "x;'=1+1;y"),
        ("x;-1\t+1", "x;'-1\t'+1"),
        ('x"; @a', "x\"; '@a"),
        ("x\r\n=1", "x\r\n'=1"),
        ("\t=1", "'\t'=1"),
        ("\n＝1", "'\n'＝1"),
    ],
)
def test_a_text_that_is_several_cells_elsewhere_has_a_formula_in_none(text: str, written: str) -> None:
    assert one_cell(text) == written


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (-0.5, "-0.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-300, "1e-300"),
        (-7, "-7"),
        (2**60, "1152921504606846976"),
        (True, "True"),
        (pd.Timestamp("2021-01-30T12:51:33.028Z"), "2021-01-30T12:51:33.028000Z"),
        (None, ""),
        (math.nan, ""),
        (math.inf, ""),
        (pd.NA, ""),
        (pd.NaT, ""),
    ],
)
def test_numbers_stay_numbers_and_missing_values_are_empty(value: Any, cell: str) -> None:
    header, *rows = cells(csv_bytes(pd.DataFrame({"a": pd.Series([value], dtype=object), "b": ["x"]})))
    assert (header, rows) == (["a", "b"], [[cell, "x"]])


def test_csv_begins_with_a_byte_order_mark_and_has_no_index(frames: Frames) -> None:
    content = csv_bytes(frames.versions)
    assert content.startswith("\ufeff".encode() + b'"version_name","listing_index","created"')
    assert content.count(b"\xef\xbb\xbf") == 1


def test_csv_of_the_frames_holds_every_cell(frames: Frames) -> None:
    header, *rows = cells(csv_bytes(frames.versions))
    assert header == list(frames.versions.columns)
    first, second = (dict(zip(header, row, strict=True)) for row in rows)
    assert (first["version_name"], second["version_name"]) == ("latest", "0.10.0_beta")
    assert first["labels"] == "'@a=b"
    assert first["created"] == ""
    assert second["description"] == '\'=HYPERLINK("https://a.example"), "语音"\n第二行'
    assert second["owner_id"] == "12345678901234567890"
    assert second["created"] == "2021-01-30T12:51:33.028000Z"
    assert (second["major"], second["minor"], second["suffix"]) == ("0", "10", "beta")
    header, *rows = cells(csv_bytes(frames.metrics))
    assert [dict(zip(header, row, strict=True))["value"] for row in rows] == ["0.30000000000000004", "", "7.0"]


def test_csv_writes_what_utf8_cannot_hold_as_its_escape() -> None:
    assert csv_bytes(pd.DataFrame({"a": pd.Series(["x\ud800"], dtype=object)})) == b'\xef\xbb\xbf"a"\n"x\\ud800"\n'


@UNHURRIED
@given(st.lists(st.text(max_size=8) | st.text(";\t=-'\" ", max_size=8), min_size=1, max_size=5))
def test_no_cell_begins_a_formula_and_none_is_lost(texts: list[str]) -> None:
    frame = pd.DataFrame({"a": pd.Series(texts, dtype=object), "b": "x"})
    written = [row[0] for row in cells(csv_bytes(frame))[1:]]
    parts = [part.strip() for cell in written for part in re.split(r"[;\t\r\n]", cell)]
    assert not any(part.startswith(("=", "+", "-", "@")) for part in parts)
    encodable = [text.encode("utf-8", "backslashreplace").decode() for text in texts]
    # Apostrophes are all that is added.
    assert [cell.replace("'", "") for cell in written] == [text.replace("'", "") for text in encodable]


def test_json_has_an_object_a_row_with_null_for_missing_values(frames: Frames) -> None:
    records = parsed(json_bytes(frames.metrics))
    numbers = {"cer": 0.1 + 0.2, "wer": None, "n": 7.0}
    assert {record["metric"]: record["value"] for record in records} == numbers
    assert [record["raw"] for record in records] == [None, "NaN", '"7"']
    assert records[0] == {
        "version_index": 1,
        "version_name": "0.10.0_beta",
        "dataset": "d-1",
        "metric": "cer",
        "dataset_kind": "id",
        "dataset_version": None,
        "dataset_uri": None,
        "paired": None,
        "value": 0.1 + 0.2,
        "raw": None,
        "problem": None,
        "n": None,
        "errors": None,
    }


def test_json_keeps_text_and_times(frames: Frames) -> None:
    first, second = parsed(json_bytes(frames.versions))
    assert first["created"] is None
    assert second["created"] == "2021-01-30T12:51:33.028000Z"
    assert second["description"].startswith("=HYPERLINK")
    assert (second["major"], second["owner_id"]) == (0, "12345678901234567890")


def test_json_of_an_empty_frame_is_an_empty_list() -> None:
    assert parsed(json_bytes(build([]).metrics)) == []


@UNHURRIED
@given(st.lists(st.one_of(st.floats(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=5), st.none()), max_size=6))
def test_json_is_valid_and_exact_whatever_the_cells(values: list[Any]) -> None:
    records = parsed(json_bytes(pd.DataFrame({"a": pd.Series(values, dtype=object)})))
    expected = [None if isinstance(value, float) and not math.isfinite(value) else value for value in values]
    texts = [
        value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value for value in expected
    ]
    assert [record["a"] for record in records] == texts


@pytest.mark.parametrize("name", ["versions", "metrics"])
def test_parquet_reads_back_the_same(frames: Frames, name: str) -> None:
    frame = getattr(frames, name)
    read = pd.read_parquet(io.BytesIO(parquet_bytes(frame)))
    empty = [column for column in frame if frame[column].dtype == "category" and not len(frame[column].cat.categories)]
    pd.testing.assert_frame_equal(read.drop(columns=empty), frame.drop(columns=empty))
    pd.testing.assert_frame_equal(read[empty], frame[empty], check_categorical=False, check_dtype=False)


@pytest.mark.parametrize("name", ["versions", "metrics"])
def test_parquet_of_nothing_keeps_the_columns_and_types(name: str) -> None:
    frame = getattr(build([]), name)
    read = pd.read_parquet(io.BytesIO(parquet_bytes(frame)))
    assert read.dtypes.map(str).to_dict() == frame.dtypes.map(str).to_dict()


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("model-a", "versions"), "model-a-versions"),
        (("model-a-versions", "versions"), "model-a-versions"),
        (("versions", "versions"), "versions"),
        (("model-a", "subversions", "versions"), "model-a-subversions-versions"),
        (("../a", "results"), "_a-results"),
    ],
)
def test_no_file_name_says_one_thing_twice(parts: tuple[str, ...], name: str) -> None:
    assert [file.name for file in files_of(pd.DataFrame, *parts)] == [f"{name}.csv", f"{name}.json", f"{name}.parquet"]


def test_each_form_holds_the_same_rows_and_columns(frames: Frames) -> None:
    table = frames.metrics[["version_name", "metric", "value"]]
    as_csv, as_json, as_parquet = (file.build() for file in files_of(lambda: table, "a"))
    header, *rows = cells(as_csv)
    assert header == list(parsed(as_json)[0]) == list(pd.read_parquet(io.BytesIO(as_parquet)).columns)
    assert len(rows) == len(parsed(as_json)) == len(pd.read_parquet(io.BytesIO(as_parquet))) == len(table)


def test_a_table_is_made_when_a_file_is_built() -> None:
    made = []

    def table() -> pd.DataFrame:
        made.append("table")
        return pd.DataFrame({"a": [1]})

    files = files_of(table, "a")
    assert made == []
    assert [file.form for file in files] == ["CSV", "JSON", "Parquet"]
    files[0].build()
    assert made == ["table"]

"""Rows of JSON Lines and CSV: names of columns, numbers, and errors that name file, line and field."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.evidence.item_lines import MAX_LINE_BYTES
from paiview.evidence.item_records import SYNONYMS, ItemsError, columns_of, group_noun
from paiview.evidence.items import Items, ItemSource, read_groups, read_items, read_texts
from tests.harness.item_files import json_lines, values

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(str.strip)


def read(folder: Path, content: str | bytes, **options: Any) -> Items:
    file = folder / "items"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_items(file, **options)


def problem(folder: Path, content: str | bytes, **options: Any) -> str:
    with pytest.raises(ItemsError) as caught:
        read(folder, content, **options)
    return caught.value.message.removeprefix(f"{folder / 'items'}, ").removeprefix(f"{folder / 'items'}: ")


def items_or_message(source: ItemSource) -> Items | str:
    try:
        return read_items(source)
    except ItemsError as error:
        return error.message


class TestJsonLines:
    def test_errors_n_and_group_are_read(self, tmp_path: Path) -> None:
        items = read(
            tmp_path,
            '{"id": "a", "errors": 2, "n": 21, "speaker": "s1"}\n\n{"id": 7, "errors": 0.5, "n": 0, "speaker": 2}\n',
        )
        assert (items.kind, items.metric, items.ids) == ("errors", "error_rate", ("a", "7"))
        assert (items.amounts.tolist(), items.sizes.tolist()) == ([2, 0.5], [21, 0])
        assert (items.groups, items.group_noun) == (("s1", "2"), "speaker")

    def test_values_are_read_and_true_is_1(self, tmp_path: Path) -> None:
        items = read(tmp_path, '{"Utt-ID": "a", "Score": -1.5}\n{"Utt-ID": "b", "Score": true}')
        assert (items.kind, items.metric, items.groups) == ("value", "mean", None)
        assert (items.amounts.tolist(), items.sizes.tolist()) == ([-1.5, 1], [1, 1])

    def test_errors_and_n_go_before_a_value(self, tmp_path: Path) -> None:
        assert read(tmp_path, '{"id": "a", "value": 0.1, "errors": 1, "n": 10}').kind == "errors"

    def test_columns_may_stand_in_any_order_on_each_line(self, tmp_path: Path) -> None:
        items = read(tmp_path, '{"id": "a", "errors": 1, "n": 2}\n{"n": 5, "more": [], "errors": 4, "id": "b"}')
        assert (items.amounts.tolist(), items.sizes.tolist()) == ([1, 4], [2, 5])

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ('{"id": "b", "errors": -1, "n": 2}', "line 2: errors must be a number of at least 0, but is -1."),
            ('{"id": "b", "errors": "1", "n": 2}', "line 2: errors must be a number of at least 0, but is “1”."),
            ('{"id": "b", "errors": true, "n": 2}', "line 2: errors must be a number of at least 0, but is true."),
            ('{"id": "b", "errors": 1, "n": NaN}', "line 2: n must be a number of at least 0, but is nan."),
            ('{"id": "b", "errors": 1, "n": 1e999}', "line 2: n must be a number of at least 0, but is inf."),
            ('{"id": "b", "errors": 1, "n": null}', "line 2: n must be a number of at least 0, but is null."),
            ('{"id": "b", "errors": [1], "n": 1}', "line 2: errors must be a number of at least 0, but is a list."),
            (
                f'{{"id": "b", "errors": 1{"0" * 400}, "n": 1}}',
                "line 2: errors must be a number of at least 0, but is a number too large.",
            ),
            ('{"id": "", "errors": 1, "n": 2}', "line 2: id must be a text or a whole number, but is empty."),
            ('{"id": 1.5, "errors": 1, "n": 2}', "line 2: id must be a text or a whole number, but is 1.5."),
            ('{"id": "b", "errors": 1}', "line 2: there is no n; the columns are id, errors."),
            ('{"id": "b"}', "line 2: there are neither errors and n nor a value; the columns are id."),
            ('{"errors": 1, "n": 2}', "line 2: there is no id; the columns are errors, n."),
            ('{"id": "b", "value": 1}', "line 2: it has a value, but line 1 errors and n."),
            ('{"id": "b", "errors": 1, "n": 2, "group": "g"}', "line 2: it has a group, unlike line 1."),
            ('{"id": "b", "errors": 1, "errors": 2, "n": 2}', "line 2: it cannot be read: a name occurs twice."),
            ('{"id": "b", "errors": 1, "Errors": 2, "n": 2}', "line 2: two columns are named errors."),
            ('{"id": "b", "errors": 1, "words": 2, "tokens": 3}', "words, tokens could each be the n; name the right"),
            ('["b", 1, 2]', "line 2: it is not a JSON object."),
            ('{"id": "b"', "line 2: it is not JSON: Expecting ',' delimiter at column"),
            ("[" * 100_000, "line 2: it cannot be read: "),
        ],
    )
    def test_an_error_names_line_and_field(self, tmp_path: Path, line: str, message: str) -> None:
        assert message in problem(tmp_path, f'{{"id": "a", "errors": 1, "n": 2}}\n{line}\n')

    def test_rows_in_memory_are_named_by_their_number(self) -> None:
        with pytest.raises(ItemsError, match=r"candidate, item 2: value must be a finite number, but is null\."):
            read_items([{"id": "a", "value": 1}, {"id": "b", "value": None}], "candidate")

    def test_a_json_array_is_refused_with_what_to_do(self, tmp_path: Path) -> None:
        assert problem(tmp_path, '[{"id": 1}]') == "line 1: it begins a JSON array: write one object a line."


class TestCsv:
    @pytest.mark.parametrize("delimiter", [",", "\t", ";"])
    def test_the_header_names_the_fields(self, tmp_path: Path, delimiter: str) -> None:
        lines = ["\ufeffID,Ref Words,Edits,Session", "a,21,2,s1", "", '"b",1e2,0,s2']
        items = read(tmp_path, "\r\n".join(lines).replace(",", delimiter))
        assert (items.ids, items.amounts.tolist(), items.sizes.tolist()) == (("a", "b"), [2, 0], [21, 100])
        assert (items.groups, items.group_noun) == (("s1", "s2"), "session")

    def test_fields_in_quotes_hold_line_breaks(self, tmp_path: Path) -> None:
        assert read(tmp_path, 'id,value,ref\na,1,"x\ny, ""z"""\nb,2,\n').ids == ("a", "b")
        texts = read_texts(tmp_path / "items", ["a", "b", "none"])
        assert {name: text.reference for name, text in texts.items()} == {"a": 'x\ny, "z"', "b": ""}

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("b,1", "line 3: it has 2 fields, but the header has 3."),
            ("b,x,2", "line 3: errors must be a number of at least 0, but is “x”."),
            ("b,1_0,2", "line 3: errors must be a number of at least 0, but is “1_0”."),
            ("b,inf,2", "line 3: errors must be a number of at least 0, but is “inf”."),
            (f"b,{'1' * 401},2", "line 3: errors must be a number of at least 0, but is “1111"),
            ("b,,2", "line 3: errors must be a number of at least 0, but is empty."),
            ('b,1,"2', "line 3: it is not valid CSV: unexpected end of data."),
            ('b,1,"2"3', "line 3: it is not valid CSV: "),
        ],
    )
    def test_an_error_names_line_and_field(self, tmp_path: Path, row: str, message: str) -> None:
        assert problem(tmp_path, f"id,errors,n\na,1,2\n{row}").startswith(message)

    def test_a_quote_that_is_left_open_does_not_swallow_the_file(self, tmp_path: Path) -> None:
        lines = "".join(f"u{at},1,2\n" for at in range(40_000))
        assert problem(tmp_path, f'id,errors,n\na,1,"2\n{lines}').startswith(
            "line 2: it is not valid CSV: field larger"
        )

    def test_true_and_false_are_values(self, tmp_path: Path) -> None:
        assert read(tmp_path, "id,correct\na,TRUE\nb,false").amounts.tolist() == [1, 0]

    def test_a_header_alone_has_no_items(self, tmp_path: Path) -> None:
        assert problem(tmp_path, "id,errors,n\n") == f"{tmp_path / 'items'} holds no items."


class TestColumns:
    @pytest.mark.parametrize("field", SYNONYMS)
    def test_every_documented_name_is_understood(self, field: str) -> None:
        for name in SYNONYMS[field]:
            others = {"id": "id"} if field == "value" else {"id": "id", "errors": "errors", "n": "n"}
            row = [*({**others, field: name}.values())]
            assert getattr(columns_of([text.upper() for text in row]), field) == name.upper()

    def test_a_group_column_is_chosen_by_name(self) -> None:
        names = ["id", "value", "Speaker", "Session"]
        assert columns_of(names, "session").group == "Session"
        with pytest.raises(ValueError, match="speaker, session could each be the group; choose one with --group"):
            columns_of(names)
        with pytest.raises(ValueError, match="there is no column room; the columns are id, value, Speaker, Session"):
            columns_of(names, "room")

    @pytest.mark.parametrize(
        ("column", "noun"),
        [("conversation", "conversation"), ("SPK", "speaker"), ("session-id", "session"), ("room", "group")],
    )
    def test_a_group_is_called_by_its_column(self, column: str, noun: str) -> None:
        assert group_noun(column) == noun


class TestFiles:
    def test_a_line_that_is_too_long_is_named(self, tmp_path: Path) -> None:
        start = '{"id": "a", "value": 1, "ref": "'
        fits = start + "x" * (MAX_LINE_BYTES - len(start) - 3) + '"}\n'
        assert len(fits) == MAX_LINE_BYTES
        assert read(tmp_path, fits).ids == ("a",)
        assert problem(tmp_path, "\n" + fits[:-3] + 'x"}\n') == "line 2: it is longer than 1,000,000 bytes."

    @pytest.mark.parametrize("content", ["", "\n \n", b"\xef\xbb\xbf"])
    def test_an_empty_file_has_no_items(self, tmp_path: Path, content: str | bytes) -> None:
        assert problem(tmp_path, content) == f"{tmp_path / 'items'} holds no items."

    def test_another_encoding_is_named(self, tmp_path: Path) -> None:
        assert problem(tmp_path, "id,value\nä,1".encode("latin-1")) == "line 2: it is not in UTF-8."
        assert problem(tmp_path, "id,value\na,1".encode("utf-16")) == "line 1: it is in UTF-16; save it in UTF-8."

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ItemsError, match=r"none\.csv cannot be read: No such file or directory\."):
            read_items(tmp_path / "none.csv")

    def test_doubled_ids_are_named_with_how_many(self, tmp_path: Path) -> None:
        content = "id,value\n" + "".join(f"u{at % 7},1\n" for at in range(14)) + "v,1\n"
        assert problem(tmp_path, content) == "7 ids occur more than once: u0, u1, u2, u3, u4, 2 more."

    def test_too_many_items_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("paiview.evidence.items.MAX_ITEMS", 2)
        assert problem(tmp_path, "id,value\na,1\nb,1\nc,1") == "line 4: there are more than 2 items."

    def test_a_message_has_no_control_characters_of_a_file(self, tmp_path: Path) -> None:
        assert "\x1b" not in problem(tmp_path, "id,value\na\x1b[2J,1\na\x1b[2J,1")
        assert "\x1b" not in problem(tmp_path, "id,\x1b[2J\na,1")

    def test_groups_come_from_utt2spk(self, tmp_path: Path) -> None:
        file = tmp_path / "utt2spk"
        file.write_text("a  s1\n\nb\ts 2\na s1\n")
        assert read_groups(file) == {"a": "s1", "b": "s 2"}
        for content, message in (("a\n", "line 1: a group must follow"), ("a 1\na 2\n", "line 2: a has another group")):
            file.write_text(content)
            with pytest.raises(ItemsError, match=message):
                read_groups(file)

    def test_too_many_groups_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("paiview.evidence.items.MAX_ITEMS", 1)
        file = tmp_path / "utt2spk"
        file.write_text("a 1\nb 1\nc 1\n")
        with pytest.raises(ItemsError, match="line 3: there are more than 1 items"):
            read_groups(file)

    def test_texts_are_not_read_twice_from_what_can_be_read_once(self) -> None:
        assert read_texts(iter(values(1, 2)), ["000000"]) == {}
        assert {*read_texts(values(1, 2), ["000000"])} == {"000000"}


@given(rows=st.lists(st.tuples(NAMES, st.floats(0, 1e9), st.floats(0, 1e9)), min_size=1, unique_by=lambda row: row[0]))
def test_json_lines_give_back_what_was_written(
    rows: list[tuple[str, float, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = json_lines(
        tmp_path_factory.mktemp("items") / "items.jsonl",
        ({"id": name, "errors": errors, "n": n} for name, errors, n in rows),
    )
    items = read_items(file)
    assert [*zip(items.ids, items.amounts.tolist(), items.sizes.tolist(), strict=True)] == rows


@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: f"id,value\n{text}".encode())))
def test_any_content_is_items_or_an_error_in_words(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("items") / "items"
    file.write_bytes(content)
    items = items_or_message(file)
    if isinstance(items, str):
        assert items.isprintable()
    else:
        assert len(items.ids) == len(items.amounts) == len({*items.ids}) > 0
        assert all(math.isfinite(amount) for amount in items.amounts)


@given(
    row=st.dictionaries(
        st.one_of(st.sampled_from(["id", "errors", "n", "value", "group"]), st.text(max_size=5)),
        st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=3),
    )
)
def test_any_object_is_an_item_or_an_error_in_words(
    row: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("items") / "items"
    file.write_text(json.dumps(row))
    for source in (file, [row]):
        items = items_or_message(source)
        assert items.isprintable() if isinstance(items, str) else len(items.ids) == 1

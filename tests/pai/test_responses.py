"""JSON as it occurs, read without loss where possible and without a crash everywhere."""

import json
import math
from json import JSONDecodeError
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from paiview.pai.errors import AnswerError, CutOffError, ServiceError
from paiview.pai.responses import MAX_INTEGER_DIGITS, MAX_NESTING_LEVELS, parse_json, read_response

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES, st.booleans())
@settings(max_examples=150)
def test_whatever_json_can_say_is_read_back_as_it_was(value: Any, escaped: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=60))
@settings(max_examples=150)
def test_any_bytes_are_json_or_a_value_error(content: bytes) -> None:
    try:
        value = parse_json(content)
    except ValueError:
        return
    json.dumps(value, ensure_ascii=False).encode()  # A page and a file can hold it.


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b' \r\n{"a": 1}\t\n', {"a": 1}),
        (b'\xef\xbb\xbf{"a": "\xe6\x83\x85"}', {"a": "情"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"": {"": null}}', {"": {"": None}}),
        (b'{"a": Infinity, "b": -Infinity, "c": 1e999}', {"a": math.inf, "b": -math.inf, "c": math.inf}),
        (b"[123456789012345678901234567890, 0.1, 1.0]", [123456789012345678901234567890, 0.1, 1.0]),
        (rb'["\ud83d\ude00", "\u0000"]', ["😀", "\0"]),
        (rb'{"\ud800": "a\udfff", "\ud801": 1}', {r"\ud800": r"a\udfff", r"\ud801": 1}),
        (b'["\xff\xfe", 1]', [r"\udcff\udcfe", 1]),
        (b"null", None),
        (b"3", 3),
    ],
)
def test_odd_but_readable_json_is_read(content: bytes, value: object) -> None:
    assert parse_json(content) == value


def test_not_a_number_is_kept() -> None:
    assert math.isnan(parse_json(b'{"cer": NaN}')["cer"])
    assert math.isnan(parse_json(rb'{"cer": NaN, "name": "\ud800"}')["cer"])


@pytest.mark.parametrize("digits", [19, 309, MAX_INTEGER_DIGITS])
def test_long_integers_keep_every_digit(digits: int) -> None:
    assert parse_json(b"[%s]" % (b"7" * digits)) == [int("7" * digits)]


def test_an_integer_too_long_for_python_stays_a_text() -> None:
    number = "7" * (MAX_INTEGER_DIGITS + 1)
    assert parse_json(f'{{"a": {number}, "b": 1}}'.encode()) == {"a": number, "b": 1}


@pytest.mark.parametrize("depth", [10, 190, MAX_NESTING_LEVELS])
def test_deep_nesting_is_read(depth: int) -> None:
    value = parse_json(b'{"a":' * depth + b"1" + b"}" * depth)
    for _ in range(depth):
        value = value["a"]
    assert value == 1


@pytest.mark.parametrize("depth", [MAX_NESTING_LEVELS + 1, 300, 900])
def test_what_is_nested_beyond_other_readers_stays_a_text(depth: int) -> None:
    value = parse_json(b'[1, {"a":' + b'{"a":' * (depth - 2) + b"NaN" + b"}" * (depth - 1) + b"]")
    to_json(value)
    inner = value[1]
    for _ in range(MAX_NESTING_LEVELS - 1):
        inner = inner["a"]
    assert inner == '{"a": ' * (depth - MAX_NESTING_LEVELS) + "NaN" + "}" * (depth - MAX_NESTING_LEVELS)
    assert value[0] == 1


@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"{", b'{"a": 1', b'{"a" 1}', b"{'a': 1}", b"[1,]", b"{}{}", b"nan", b"<html>", b"\xff", b"\x00"],
)
def test_what_is_not_json_is_a_value_error(content: bytes) -> None:
    with pytest.raises(JSONDecodeError):
        parse_json(content)


@pytest.mark.parametrize("opened", [b"[", b'{"a":'])
@pytest.mark.parametrize("status", [200, 400, 503])
def test_nesting_beyond_every_reader_is_an_error_of_the_family(opened: bytes, status: int) -> None:
    with pytest.raises(ServiceError) as raised:
        read_response("GetModel", status, {}, opened * 100_000)
    assert raised.value.status == status


@given(
    st.sampled_from([200, 201, 204, 301, 400, 403, 404, 429, 500, 503]),
    st.dictionaries(st.sampled_from(["x-acs-request-id", "x-acs-retry-after"]), st.text(max_size=8)),
    st.dictionaries(st.sampled_from(["Code", "Message", "RequestId", "code", "message", "requestId"]), JSON_VALUES)
    | JSON_VALUES,
)
@settings(max_examples=150)
def test_any_answer_is_an_object_or_an_error_of_the_family(status: int, headers: dict[str, str], body: Any) -> None:
    content = json.dumps(body).encode()
    if status < 300 and isinstance(body, dict):
        answer = read_response("GetModel", status, headers, content)
        assert answer.body == {name: value for name, value in body.items() if name != "RequestId"}
        return
    with pytest.raises(ServiceError) as raised:
        read_response("GetModel", status, headers, content)
    assert raised.value.status == status
    assert raised.value.message.isprintable()
    assert raised.value.advice


def test_a_success_is_the_object_without_its_request_id() -> None:
    answer = read_response("GetModel", 200, {}, b'{"RequestId": "R-1", "ModelId": "a"}')
    assert (answer.action, answer.body, answer.request_id) == ("GetModel", {"ModelId": "a"}, "R-1")


def test_the_request_id_of_the_body_goes_before_that_of_the_header() -> None:
    headers = {"x-acs-request-id": "R-head"}
    assert read_response("GetModel", 200, headers, b'{"RequestId": "R-body"}').request_id == "R-body"
    assert read_response("GetModel", 200, headers, b"{}").request_id == "R-head"


@pytest.mark.parametrize(
    ("content", "kind", "says"),
    [
        (b'{"Versions": [', CutOffError, "the beginning of one"),
        (b"  {", CutOffError, "the beginning of one"),
        (b"[1, 2", AnswerError, "something else"),
        (b"[1, 2]", AnswerError, "something else"),
        (b'"text"', AnswerError, "something else"),
        (b"null", AnswerError, "something else"),
        (b"\n", AnswerError, "an empty body"),
        (b"\n <?xml version='1.0'?>", AnswerError, "a web page"),
    ],
)
def test_a_success_that_is_no_object_is_described(content: bytes, kind: type[ServiceError], says: str) -> None:
    with pytest.raises(AnswerError) as raised:
        read_response("GetModel", 200, {}, content)
    assert type(raised.value) is kind
    assert raised.value.message == f"GetModel was answered with {says} in place of a JSON object."

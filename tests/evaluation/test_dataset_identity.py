"""Which dataset a result names: one form for every spelling of a Uri, and what stands beside it."""

import time
import unicodedata
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paiview.evaluation.dataset_identity import (
    NO_DATASET,
    base_of,
    canonical_uri,
    configured_identity,
    identify,
    joined,
    look_alikes,
    renaming,
)


def canonical(uri: str) -> str:
    return canonical_uri(uri).uri


@pytest.mark.parametrize(
    "uri",
    [
        "oss://asr-eval/sets/test.jsonl",
        "oss://asr-eval/sets/test.jsonl/",
        "OSS://ASR-Eval/sets/test.jsonl",
        "oss://asr-eval/sets/t%65st.jsonl",
        "oss://asr-eval/sets/test.jsonl?x-oss-process=text",
        "oss://asr-eval/sets/test.jsonl#part",
        "oss://asr-eval.oss-cn-shanghai.aliyuncs.com/sets/test.jsonl",
        "oss://asr-eval.oss-cn-shanghai-internal.aliyuncs.com/sets/test.jsonl",
        "oss://asr-eval.oss-accelerate.aliyuncs.com/sets/test.jsonl",
        "oss://oss-cn-shanghai.aliyuncs.com/asr-eval/sets/test.jsonl",
        "http://asr-eval.oss-cn-shanghai.aliyuncs.com/sets/test.jsonl",
        "http://asr-eval.oss-cn-shanghai.aliyuncs.com:80/sets/test.jsonl",
        "https://asr-eval.oss-us-west-1-internal.aliyuncs.com/sets/test.jsonl/",
        "https://asr-eval.oss-cn-shanghai-finance-1.aliyuncs.com/sets/test.jsonl",
        "https://asr-eval.oss-accelerate-overseas.aliyuncs.com/sets/test.jsonl",
        "https://asr-eval.cn-hangzhou.oss.aliyuncs.com/sets/test.jsonl",
        "https://asr-eval.s3.oss-cn-shanghai.aliyuncs.com/sets/test.jsonl",
        "https://s3.oss-cn-shanghai.aliyuncs.com/asr-eval/sets/test.jsonl",
        "https://oss-cn-shanghai.aliyuncs.com/asr-eval/sets/test.jsonl",
        "https://oss-cn-shanghai-internal.aliyuncs.com/asr%2Deval/sets/test.jsonl",
        "https://user:password@ASR-EVAL.OSS-CN-SHANGHAI.ALIYUNCS.COM:443/sets/test.jsonl?a=1",
        "https://asr-eval.oss-cn-shanghai.aliyuncs.com/sets/test.jsonl?Expires=1&OSSAccessKeyId=k&Signature=s%3D",
        "asr-eval.oss-cn-shanghai.aliyuncs.com/sets/test.jsonl",
        "  https://asr-eval.oss-cn-shanghai.aliyuncs.com/sets/test.jsonl",
    ],
)
def test_every_address_of_an_object_in_oss_is_one_uri(uri: str) -> None:
    assert canonical_uri(uri) == ("oss://asr-eval/sets/test.jsonl", None)


@pytest.mark.parametrize(
    "uris",
    [
        ("oss://b-1/k", "oss://b-2/k", "https://b-1.example.com/k", "https://oss-cn-shanghai.example.com/b-1/k"),
        ("oss://bucket/a/b", "oss://bucket/a//b", "oss://bucket/a/b//", "oss://bucket/A/b", "oss://bucket/a%2Fb"),
        ("http://h.example/a", "https://h.example/a", "https://h.example:8443/a", "https://h.example:80/a"),
        ("https://h.example/a?split=a", "https://h.example/a?split=b", "https://h.example/a"),
        ("https://h.example/?a=1&b=2", "https://h.example/?b=2&a=1"),
        ("https://h.example/100%25", "https://h.example/100"),
        ("https://a.b.oss-cn-shanghai.aliyuncs.com/k", "oss://a/k", "oss://b/k"),
        ("https://oss-cn-shanghai.aliyuncs.com", "https://oss-cn-beijing.aliyuncs.com"),
        ("oss://bucket.oss-cn-shanghai.aliyuncs.com.evil.example/k", "oss://bucket/k"),
        ("s3://bucket/k", "gs://bucket/k", "oss://bucket/k", "hdfs://bucket/k"),
    ],
)
def test_addresses_of_different_things_stay_different(uris: tuple[str, ...]) -> None:
    assert len({*map(canonical, uris)}) == len(uris)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("HTTPS://Data.Example.COM:443/Sets/Test", "https://data.example.com/Sets/Test"),
        ("http://data.example:0080/a", "http://data.example/a"),
        ("http://data.example:/a", "http://data.example/a"),
        ("http://data.example:443/a", "http://data.example:443/a"),
        ("https://[2001:DB8::1]:443/a", "https://[2001:db8::1]/a"),
        ("https://user@data.example/a", "https://data.example/a"),
        ("https://a:b@c:d@data.example/a", "https://data.example/a"),
        ("https://data.example/a#part?sig=1", "https://data.example/a"),
        ("https://data.example/a?", "https://data.example/a"),
        ("https://data.example/%E6%B5%8B%E8%AF%95%20set", "https://data.example/测试 set"),
        ("https://data.example/e%CC%81", "https://data.example/é"),
        ("https://data.example/a%20b%2fc%3F%23%25", "https://data.example/a b%2Fc%3F%23%25"),
        ("https://data.example/a%ff%C3%A9", "https://data.example/a%FFé"),
        ("https://data.example/100%", "https://data.example/100%"),
        ("https://data.example/%%34%31", "https://data.example/%%34%31"),
        ("https://data.example/a//b/", "https://data.example/a//b"),
        ("https://data.example/a//", "https://data.example/a//"),
        ("https://data.example/", "https://data.example"),
        ("https://data.example/a?b=%20&SIG=x&c=1", "https://data.example/a?b=%20&c=1"),
        ("s3://Bucket/key?X-Amz-Signature=a&X-Amz-SignedHeaders=host;x-amz-date", "s3://bucket/key"),
        ("https://data.example/a?b=1;token=x&c", "https://data.example/a?b=1&c"),
        ("file:///data/test/", "file:///data/test"),
        ("oss://bucket", "oss://bucket"),
        ("oss://bucket/", "oss://bucket"),
        ("https://oss-cn-shanghai.aliyuncs.com/?sig=1", "https://oss-cn-shanghai.aliyuncs.com"),
    ],
)
def test_a_url_is_written_in_one_form(uri: str, expected: str) -> None:
    assert canonical(uri) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "d-1",
        "/mnt/data/a%20b/",
        "C:\\data\\test",
        "data/Test?sig=1#x",
        "cpfs://CPFS-1.cn-hangzhou/share/",
        "nas://1-x.cn-hangzhou.nas.aliyuncs.com/data/",
        "://x",
        "1http://x",
        "\ud800/\udfff",
        "asr-eval.oss-cn-shanghai.aliyuncs.com.example/k",
    ],
)
def test_what_is_no_url_stays_itself(text: str) -> None:
    assert canonical_uri(text) == (text, None)


def test_what_is_no_url_is_composed() -> None:
    assert canonical("/mnt/e\u0301") == "/mnt/\u00e9"


@pytest.mark.parametrize(
    ("uri", "version"),
    [
        ("oss://b/k?versionId=CAEQ", "CAEQ"),
        ("https://bucket.oss-cn-shanghai.aliyuncs.com/k?Signature=s&versionId=CAE%3D&Expires=1", "CAE="),
        ("https://data.example/k?VersionID=3&a=1", "3"),
        ("https://data.example/k?a=1;versionId=3", "3"),
        ("s3://b/k?versionId=null", "null"),
        ("oss://b/k?versionId=", None),
        ("oss://b/k?versionId=2&versionId=1&versionId=2", "1 / 2"),
        ("oss://b/k#versionId=2", None),
    ],
)
def test_a_version_id_is_the_version_of_the_dataset_and_no_part_of_the_uri(uri: str, version: str | None) -> None:
    assert canonical_uri(uri).version == version
    assert "version" not in canonical(uri).lower()


SIGNING = [
    "Signature",
    "sig",
    "Expires",
    "token",
    "security-token",
    "OSSAccessKeyId",
    "AWSAccessKeyId",
    "role_arn",
    "x-oss-signature",
    "x-oss-credential",
    "X-Amz-Signature",
    "X-Goog-Signature",
]
PIECES = st.sampled_from(
    [
        *(
            "/",
            "//",
            "%",
            "%25",
            "%2F",
            "%41",
            "%E4%BD%A0",
            "%ff",
            "%CC%87",
            "?",
            "#",
            "&",
            ";",
            "=",
            "@",
            ":",
            "[",
            "]",
        ),
        *(".", "a", "B", " ", "\n", "é", "e\u0301", "\u212a", "İ", "\ud800", "oss", "bucket", "versionId", "80"),
        *("oss-cn-shanghai.aliyuncs.com", "cn-shanghai.oss.aliyuncs.com", "s3.", "\u0301\u0327" * 16, "\u0344"),
    ]
)
STARTS = st.sampled_from(["", " ", "oss://", "http://", "HTTPS://", "s3://", "nas://", "file:///", "x://u:p@"])
ADDRESSES = st.one_of(
    st.text(),
    st.builds("{}{}".format, STARTS, st.lists(st.one_of(PIECES, st.text(max_size=2)), max_size=12).map("".join)),
)


@given(ADDRESSES)
@example("https://oss-cn-shanghai.aliyuncs.com/b%75cket/k//")
@example("https://oss-cn-shanghai.aliyuncs.com/bucket//")
@example("http://::80")
@example("http://u@/a/")
def test_canonicalising_twice_changes_nothing_and_no_text_raises(text: str) -> None:
    uri, _ = canonical_uri(text)
    assert canonical_uri(uri) == (uri, None)


@given(st.text(max_size=20), STARTS)
def test_spellings_of_one_text_are_one_uri(text: str, start: str) -> None:
    decomposed, composed = (unicodedata.normalize(form, start + text) for form in ("NFD", "NFC"))
    assert canonical_uri(decomposed) == canonical_uri(composed)
    assert unicodedata.is_normalized("NFC", canonical(composed))


@given(
    st.sampled_from(
        ["https://data.example/a", "oss://b/k", "http://bucket.oss-cn-shanghai.aliyuncs.com/k", "s3://b/k"]
    ),
    st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from(SIGNING),
                st.sampled_from(SIGNING).map(str.upper),
                st.sampled_from(SIGNING).map(lambda name: f"%{ord(name[0]):02x}{name[1:]}"),
                st.just("split"),
            ),
            st.sampled_from(["&", ";", "&amp;"]),
        ),
        max_size=5,
    ),
)
def test_what_signs_an_address_never_survives(address: str, names: list[tuple[str, str]]) -> None:
    query = "".join(f"{separator}{name}={'harmless' if name == 'split' else 's3cret'}" for name, separator in names)
    uri = canonical(f"{address}?{query}")
    assert "s3cret" not in uri
    kept = 0 if uri.startswith("oss:") else sum(name == "split" for name, _ in names)
    assert uri.count("harmless") == kept


MARKS = ("\u0307", "\u0301\u0327", "\u0f73", "\uff9e\u0327", "%CC%81%CC%A7")


@pytest.mark.parametrize(
    "piece", ["%41", "%%34", "/", "&sig=1", ";", "[split=", "a.", "@:", "oss-a.aliyuncs.com/", "%ff", "e\u0301", *MARKS]
)
def test_long_texts_take_linear_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    started = time.process_time()
    for start in ("", "https://", "https://h/", "https://h/?"):
        canonical_uri(start + text)
    identify({"DatasetId": text, "Split": text, "Name": text})
    look_alikes([text])
    # In quadratic time it would be minutes.
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("dataset", "expected", "kind", "version"),
    [
        ({"DatasetId": "d-1"}, "d-1", "id", None),
        ({"DatasetId": "d-1", "Version": "v1"}, "d-1", "id", "v1"),
        ({"DatasetId": "d-1", "DatasetVersion": " v1 "}, "d-1", "id", "v1"),
        ({"DatasetId": "d-1", "version": 1}, "d-1", "id", "1"),
        ({"DatasetId": "d-1", "VERSION": "1"}, "d-1", "id", "1"),
        ({"DatasetId": "d-1", "Version": 1.5}, "d-1", "id", "1.5"),
        ({"DatasetId": "d-1", "Version": ""}, "d-1", "id", None),
        ({"DatasetId": "d-1", "Version": None}, "d-1", "id", None),
        ({"DatasetId": "d-1", "Version": "v2", "DatasetVersion": "v1"}, "d-1", "id", "v1 / v2"),
        ({"DatasetId": "d-1", "Version": "v1", "DatasetVersion": "v1"}, "d-1", "id", "v1"),
        ({"Uri": "oss://b/k?versionId=7"}, "oss://b/k", "uri", "7"),
        ({"Uri": "oss://b/k?versionId=7", "Version": "v1"}, "oss://b/k", "uri", "7 / v1"),
        ({"DatasetId": "d-1", "Uri": "oss://b/k?versionId=7"}, "d-1", "id", "7"),
        ({"DatasetId": "d-1@v2"}, "d-1@v2", "id", None),
        ({"datasetid": "d-1"}, "d-1", "id", None),
        ({"URI": "OSS://B/k/"}, "oss://b/k", "uri", None),
        ({"DatasetId": "https://b.example/k?sig=1"}, "https://b.example/k", "id", None),
        ({"DatasetId": "e\u0301"}, "e\u0301", "id", None),
        ({"DatasetId": "d-1", "Split": "test-other"}, "d-1[split=test-other]", "id", None),
        ({"DatasetId": "d-1", "split": " test "}, "d-1[split=test]", "id", None),
        ({"DatasetId": "d-1", "Split": "", "Subset": None, "Config": " "}, "d-1", "id", None),
        (
            {"Config": "en", "Subset": "a", "Split": "test", "Uri": "oss://b/k"},
            "oss://b/k[split=test,subset=a,config=en]",
            "uri",
            None,
        ),
        ({"DatasetId": "d-1", "Name": "en"}, "d-1[config=en]", "id", None),
        ({"DatasetId": "d-1", "Config": "en", "Name": "zh"}, "d-1[config=en]", "id", None),
        ({"DatasetId": "d-1", "Config": "", "Name": "zh"}, "d-1[config=zh]", "id", None),
        ({"DatasetId": "d-1", "Name": "D-1 "}, "d-1", "id", None),
        ({"Uri": "oss://b/sets/test.tsv", "Name": "test.tsv"}, "oss://b/sets/test.tsv", "uri", None),
        ({"Uri": "oss://b/sets/", "Name": "oss://b/sets"}, "oss://b/sets", "uri", None),
        ({"DatasetId": "d-1", "Split": 1}, "d-1[split=1]", "id", None),
        ({"DatasetId": "d-1", "Split": ["a", "b"]}, 'd-1[split=%5B"a"%2C "b"%5D]', "id", None),
        ({"DatasetId": "d-1", "Unknown": "x"}, "d-1", "id", None),
        ({"DatasetId": "squad[v2]"}, "squad[v2]", "id", None),
        ({"DatasetId": "d-1[split=test]"}, "d-1[split=test][]", "id", None),
        (None, NO_DATASET, "none", None),
        ({}, NO_DATASET, "none", None),
        ("", NO_DATASET, "none", None),
    ],
)
def test_a_result_names_its_dataset(dataset: Any, expected: str, kind: str, version: str | None) -> None:
    assert identify(dataset)[:4] == (expected, kind, version, None)


@pytest.mark.parametrize(
    ("dataset", "expected", "version"),
    [
        ("aishell", "aishell", None),
        ("https://h.example/a?Signature=s&versionId=1", "https://h.example/a", "1"),
        (7, "7", None),
        ({"Name": "aishell"}, '{"Name": "aishell"}', None),
        ({"DatasetId": 7}, '{"DatasetId": 7}', None),
        ({"Split": "test"}, '{"Split": "test"}', None),
        ([{"DatasetId": "d-1"}], '[{"DatasetId": "d-1"}]', None),
    ],
)
def test_what_names_no_dataset_is_kept_and_flagged(dataset: Any, expected: str, version: str | None) -> None:
    assert identify(dataset)[:4] == (expected, "none", version, "dataset has no DatasetId or Uri")


@pytest.mark.parametrize(
    ("dataset", "uri"),
    [
        (
            {"DatasetId": "d-1", "Uri": "oss://b.oss-cn-beijing.aliyuncs.com/k/"},
            "oss://b.oss-cn-beijing.aliyuncs.com/k/",
        ),
        ({"Uri": "OSS://b/k/"}, "OSS://b/k/"),
        ({"Uri": "oss://b/k", "Split": "test"}, "oss://b/k"),
        ({"Uri": "oss://b/2", "uri": "oss://b/1"}, "oss://b/1 / oss://b/2"),
        ({"DatasetId": "oss://b/k"}, None),
        ({"DatasetId": "d-1", "Uri": 7}, None),
        ({"DatasetId": "d-1", "Uri": ""}, None),
        ("oss://b/k", None),
        (None, None),
    ],
)
def test_the_uri_is_kept_as_given_also_beside_an_id(dataset: Any, uri: str | None) -> None:
    assert identify(dataset).uri == uri


def test_an_id_that_is_no_text_is_flagged() -> None:
    flag = "DatasetId or Uri is no text"
    assert identify({"DatasetId": 7, "Uri": "oss://b/k"})[:4] == ("oss://b/k", "uri", None, flag)
    assert identify({"DatasetId": "d-1", "Uri": 7})[:4] == ("d-1", "id", None, flag)
    assert identify({"DatasetId": 0})[:4] == (NO_DATASET, "none", None, flag)


NAMES = st.one_of(
    st.text(min_size=1, max_size=4),
    st.lists(
        st.sampled_from(["d", "[", "]", "split=", "subset=", "a", ",", "%", "%5B", "25"]), min_size=1, max_size=8
    ).map("".join),
)
PARTS = st.fixed_dictionaries({}, optional=dict.fromkeys(("Split", "Subset", "Config"), NAMES))


@given(NAMES, PARTS)
def test_the_base_of_an_identity_is_the_id(name: str, parts: dict[str, str]) -> None:
    assert base_of(identify({"DatasetId": name, **parts}).dataset) == name


@given(st.lists(st.tuples(NAMES, PARTS), max_size=4))
def test_different_datasets_have_different_identities(datasets: list[tuple[str, dict[str, str]]]) -> None:
    meant = {(name, *(parts.get(key, "").strip() for key in ("Split", "Subset", "Config"))) for name, parts in datasets}
    assert len({identify({"DatasetId": name, **parts}).dataset for name, parts in datasets}) == len(meant)


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), ADDRESSES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["DatasetId", "uri", "Uri", "Version", "split", "Name"]), inner, max_size=4),
    ),
    max_leaves=6,
)


@given(ANYTHING)
def test_whatever_names_a_dataset_nothing_raises(dataset: Any) -> None:
    identity = identify(dataset)
    assert identity.dataset
    assert identity.version is None or identity.version.strip()
    assert identity == identify(dataset)


def test_a_number_too_long_to_write_is_a_version_too() -> None:
    assert identify({"DatasetId": "d-1", "Version": 10**5000}).version


@pytest.mark.parametrize(
    ("identity", "base"),
    [
        ("d-1", "d-1"),
        ("d-1[split=a]", "d-1"),
        ("d-1[split=a,subset=b,config=c=d]", "d-1"),
        ("oss://b/k[config=a]", "oss://b/k"),
        ("d[0]", "d[0]"),
        ("d[0][split=a]", "d[0]"),
        ("d[split=a][]", "d[split=a]"),
        ("d[split=a]x", "d[split=a]x"),
        ("d[split=a", "d[split=a"),
        ("[split=a]", ""),
        ("", ""),
        (NO_DATASET, NO_DATASET),
    ],
)
def test_the_base_is_what_stands_before_the_brackets(identity: str, base: str) -> None:
    assert base_of(identity) == base


def test_a_dataset_of_a_configuration_may_be_named_by_a_raw_uri() -> None:
    raw = "https://asr-eval.oss-cn-shanghai.aliyuncs.com/a/?Signature=s"
    assert configured_identity(raw) == "oss://asr-eval/a"
    assert configured_identity(f"{raw}[split=test]") == "oss://asr-eval/a[split=test]"
    assert configured_identity("asr-eval.oss-cn-shanghai.aliyuncs.com/a") == "oss://asr-eval/a"
    assert configured_identity("d-1[split=a]") == "d-1[split=a]"
    assert configured_identity("e\u0301") == "e\u0301"


def test_an_alias_of_a_base_goes_for_all_its_splits_and_one_of_an_identity_before_it() -> None:
    renamed = renaming({"d-a": "d-b", "d-a[split=dev]": "d-c", "https://Data.example:443/x/?sig=1": "d-d"})
    assert renamed("d-a") == "d-b"
    assert renamed("d-a[split=test]") == "d-b[split=test]"
    assert renamed("d-a[split=dev]") == "d-c"
    assert renamed("https://data.example/x[config=en]") == "d-d[config=en]"
    assert renamed("d-b") == "d-b"
    assert renamed("d-ab") == "d-ab"


def test_the_target_of_an_alias_may_be_a_raw_uri() -> None:
    assert renaming({"d-a": "https://bucket.oss-cn-shanghai.aliyuncs.com/k/"})("d-a") == "oss://bucket/k"


def test_names_that_look_alike_are_grouped_in_order_of_first_appearance() -> None:
    names = ["cer", "wer", "wer ", "WER", "ｗｅｒ", "d-1", "D-1", "w\u200ber", "wer", "ser", "straße", "STRASSE"]
    assert look_alikes(names) == [("wer", "wer ", "WER", "ｗｅｒ", "w\u200ber"), ("d-1", "D-1"), ("straße", "STRASSE")]
    assert look_alikes(iter(["wer", "cer", "wer"])) == []
    assert look_alikes(["a-b", "a_b", "ab", "a.b"]) == []
    assert look_alikes(["top 5", "top\u30005", "TOP5"]) == [("top 5", "top\u30005", "TOP5")]
    assert look_alikes([]) == []


@given(st.lists(st.text(max_size=3), max_size=6))
def test_every_look_alike_is_a_name_and_stands_in_one_group(names: list[str]) -> None:
    grouped = [name for group in look_alikes(names) for name in group]
    assert len({*grouped}) == len(grouped)
    assert {*grouped} <= {*names}
    for group in look_alikes(names):
        for one, other in pairwise(group):
            assert look_alikes([one, other]) == [(one, other)]


def test_several_values_are_one_text_in_any_order() -> None:
    assert joined(["b", None, "a", "b", ""]) == "a / b"
    assert joined([]) is None
    assert joined([None, ""]) is None

"""Answers of ListModelVersions that no service should give: every documented field, right, absent, null or wrong.

A tree is Python's JSON with a ``Token`` where JSON can say what Python cannot hold. ``written`` makes bytes of it, with
lone surrogates as escapes and NaN and infinities as the bare words that many writers of JSON leave.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

TEXT_FIELDS: Final = (
    "VersionName",
    "VersionDescription",
    "Uri",
    "FormatType",
    "FrameworkType",
    "ApprovalStatus",
    "SourceType",
    "SourceId",
    "Options",
    "UserId",
    "OwnerId",
    "GmtCreateTime",
    "GmtModifiedTime",
)
OBJECT_FIELDS: Final = (
    "Metrics",
    "ExtraInfo",
    "TrainingSpec",
    "InferenceSpec",
    "EvaluationSpec",
    "CompressionSpec",
    "DistillationSpec",
)
GOOD_TIMES: Final = (
    "2021-01-21T17:12:35Z",
    "2021-01-21T17:12:35.028Z",
    "2021-01-21T17:12Z",
    "2022-02-03T04:05:06Z",
    "2024-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999Z",
    "2021-01-21T17:12:35+08:00",
    "2021-01-21t17:12:35,0280001z",
    "2016-12-31T23:59:60Z",
)
METRIC_NAMES: Final = ("cer", "wer", "accuracy", "f1", "rtf", "quality", "loss")


@dataclass(frozen=True)
class Token:
    """A piece of JSON that is written as it stands."""

    json: str


def written(tree: Any) -> str:
    """The tree as JSON."""
    match tree:
        case Token():
            return tree.json
        case dict():
            return "{" + ", ".join(f"{json.dumps(name)}: {written(value)}" for name, value in tree.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, tree)) + "]"
        case _:
            return json.dumps(tree)


def _nested(opened: str, inner: str, closed: str, depth: int) -> Token:
    return Token(opened * depth + inner + closed * depth)


def _mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any], times: int = 5) -> st.SearchStrategy[Any]:
    """The usual in so many of the cases and the odd in one more."""
    return st.integers(0, times).flatmap(lambda drawn: odd if drawn == times else usual)


_LONG: Final = "长" * 1000
_TEXTS: Final = st.sampled_from(
    [
        "",
        " ",
        "\n\t",
        "\0",
        "a\ud800b",
        "\udfff",
        "\ud800",
        "?",
        "情感识别",
        "字错率",
        "Ａ％",
        "1",
        "0.175",
        "-0",
        "1e5",
        "1e999",
        " 3 ",
        "0.2\x1f",
        "１２",
        "NaN",
        "Infinity",
        "null",
        "true",
        "{}",
        "[]",
        '{"Results": [{"Dataset": {"DatasetId": "d-1"}, "Metrics": {"cer": 0.1}}]}',
        '{"not": json',
        "<b>&amp;</b>",
        "=1+1",
        "%{x}",
        "[a](javascript:x)",
        "\u202eabc\u200b",
        "oss://bucket.oss-cn-shanghai.aliyuncs.com/a/b.tsv",
        "(no dataset)",
        "(unnamed 1)",
        "region=cn-shanghai,workspaceId=1,kind=ServiceJob,id=x",
        "region=,workspaceId",
        _LONG,
    ]
)
TEXTS: Final = st.one_of(_TEXTS, _TEXTS, st.text(max_size=6))

_NUMBERS: Final = st.one_of(
    st.sampled_from(
        [
            0,
            1,
            -1,
            17.5,
            0.175,
            -0.0,
            0.0,
            1.0,
            100.0,
            2**53,
            2**53 + 1,
            -(2**63),
            2**64,
            10**400,
            1e308,
            -1e308,
            1.7976931348623157e308,
            5e-324,
            2.2250738585072014e-308,
            0.1 + 0.2,
            1 - 2**-53,
            float("nan"),
            float("inf"),
            float("-inf"),
            Token("1e999"),
            Token("-1E+400"),
            Token("1e-999"),
            Token("-0"),
            Token("0.10000000000000000000000000000000000000000001"),
            Token("7" * 5000),
            Token("-" + "7" * 4300),
        ]
    ),
    st.floats(),
)
_DEEP: Final = st.sampled_from(
    [
        _nested('{"a": ', "1", "}", 9),
        _nested('{"a": ', "0.5", "}", 60),
        _nested("[", "", "]", 70),
        _nested('{"a": [', "NaN", "]}", 90),
        _nested('{"a": ', "1", "}", 250),
        Token('{"cer": 1, "cer": 2}'),
    ]
)
_SCALARS: Final = st.one_of(st.none(), st.booleans(), _NUMBERS, TEXTS)
ODD: Final = st.one_of(
    _SCALARS,
    _SCALARS,
    _DEEP,
    st.recursive(
        _SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
        max_leaves=4,
    ),
)
"""Any JSON at all."""

_VALUES: Final = _mostly(
    st.one_of(st.sampled_from([0.175, 0.172, 0.98, 0.99, 1.0, 0.0, 1, 0, 17.5]), st.floats(0, 1)),
    st.one_of(_NUMBERS, ODD),
    3,
)
_METRIC_NAMES: Final = _mostly(
    st.sampled_from(METRIC_NAMES),
    st.one_of(TEXTS, st.sampled_from(["CER", "cer ", "ＣＥＲ", "a.b", "top5_acc", "mAP@0.5", "accuracy_loss"])),
)
_METRIC_VALUES: Final = st.dictionaries(
    _METRIC_NAMES, _mostly(_VALUES, st.dictionaries(_METRIC_NAMES, _VALUES, max_size=2), 9), max_size=4
)
_IDENTITIES: Final = st.sampled_from(["d-1", "d-2", "d-3", "oss://b/test.tsv"])
_ADDRESSES: Final = st.sampled_from(
    [
        "https://b.oss-cn-shanghai-internal.aliyuncs.com/test.tsv?Expires=1&Signature=x&versionId=2",
        "HTTP://user:password@Data.Example:80/%E9%95%BF/a%2fb/?split=test&token=x#part",
        "oss://b/%zz//[split=test]",
        "https://[",
    ]
)
_TEXT_METRICS: Final = st.sampled_from(
    [
        '{"Results": [{"Dataset": {"DatasetId": "d-1"}, "Metrics": {"cer": 0.1, "wer": NaN}}], "cer": 0.2}',
        '[{"Dataset": {"DatasetId": "d-2"}, "Metrics": "{\\"cer\\": 0.1}"}]',
        '"{\\"cer\\": 0.1}"',
        '{"cer": [0.1, null, 0.3], "wer": [[1, 2], [3, 4]]}',
    ]
)
_DATASETS: Final = _mostly(
    st.one_of(
        st.builds(lambda name: {"DatasetId": name}, _IDENTITIES),
        st.builds(lambda name: {"Uri": name}, _IDENTITIES),
    ),
    st.one_of(
        ODD,
        st.fixed_dictionaries(
            {},
            optional={
                "DatasetId": st.one_of(_IDENTITIES, ODD),
                "Uri": st.one_of(_IDENTITIES, _ADDRESSES, ODD),
                "Name": ODD,
                "Version": st.one_of(st.sampled_from(["v1", 1, "1"]), ODD),
                "split": st.one_of(st.sampled_from(["test", "a,b", "[]"]), ODD),
            },
        ),
    ),
    8,
)
_COUNTS: Final = st.one_of(
    st.dictionaries(
        _METRIC_NAMES,
        _mostly(
            st.fixed_dictionaries({"n": st.integers(0, 2000), "errors": st.integers(0, 400)}),
            st.one_of(
                ODD, st.fixed_dictionaries({}, optional={"n": st.one_of(_NUMBERS, ODD), "errors": _NUMBERS, "x": ODD})
            ),
        ),
        max_size=3,
    ),
    ODD,
)
_RESULT: Final = _mostly(
    st.fixed_dictionaries({"Dataset": _DATASETS, "Metrics": _METRIC_VALUES}),
    st.one_of(
        ODD,
        st.fixed_dictionaries(
            {},
            optional={
                "Dataset": _DATASETS,
                "Metrics": st.one_of(_METRIC_VALUES, _METRIC_VALUES, ODD),
                "Counts": _COUNTS,
                "Unknown": ODD,
            },
        ),
    ),
    6,
)
_METRICS: Final = _mostly(
    st.fixed_dictionaries({"Results": st.lists(_RESULT, max_size=4)}),
    st.one_of(
        ODD,
        st.lists(_RESULT, max_size=3),
        _RESULT,
        _TEXT_METRICS,
        _METRIC_VALUES,
        st.fixed_dictionaries(
            {"Results": st.one_of(st.lists(_RESULT, max_size=3), ODD)}, optional={"cer": _VALUES, "test": ODD}
        ),
    ),
    6,
)

_NAMES: Final = _mostly(
    st.builds("{}.{}.0".format, st.integers(0, 2), st.integers(0, 12)),
    st.one_of(TEXTS, st.sampled_from(["1.0.0_beta", "1.0.0_beta2", "01.0.0", "1.1", "v1", 1, 1.0, 2**70]), ODD),
    7,
)
_TIMES: Final = _mostly(
    st.sampled_from(GOOD_TIMES),
    st.one_of(
        ODD,
        st.sampled_from(
            [
                "2021-02-30T00:00:00Z",
                "2021-01-21 17:12:35",
                "0000-01-01T00:00:00Z",
                "2021-01-21T17:12:35",
                "2021-01-21T17:12:60Z",
                "２０２１-01-21T17:12:35Z",
            ]
        ),
    ),
)
_STATUSES: Final = _mostly(st.sampled_from(["Pending", "Approved", "Rejected"]), st.one_of(ODD, st.just("Archived")), 8)
_LABELS: Final = st.one_of(
    st.lists(
        _mostly(
            st.fixed_dictionaries({"Key": TEXTS, "Value": TEXTS}),
            st.one_of(ODD, st.fixed_dictionaries({}, optional={"Key": ODD, "Value": ODD, "Name": ODD})),
            3,
        ),
        max_size=3,
    ),
    ODD,
)
_SPECS: Final = _mostly(
    st.fixed_dictionaries(
        {},
        optional={
            "processor": TEXTS,
            "HyperParameters": st.lists(st.fixed_dictionaries({"Name": TEXTS, "Value": ODD}), max_size=2),
            "containers": ODD,
            "env": ODD,
        },
    ),
    ODD,
    3,
)
_TEXT: Final = _mostly(TEXTS, ODD, 3)

ITEMS: Final = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys((*TEXT_FIELDS, "Unknown", ""), _TEXT),
        **dict.fromkeys(OBJECT_FIELDS, _SPECS),
        "SourceType": st.one_of(st.sampled_from(["Custom", "PAIFlow", "TrainingService"]), _TEXT),
        "Labels": _LABELS,
        "VersionName": _NAMES,
        "Metrics": _METRICS,
        "ApprovalStatus": _STATUSES,
        "GmtCreateTime": _TIMES,
        "GmtModifiedTime": _TIMES,
    },
)
"""One version, each documented field there or not."""
COMPARABLE: Final = st.fixed_dictionaries(
    {"VersionName": _NAMES, "ApprovalStatus": _STATUSES, "GmtCreateTime": _TIMES, "Metrics": _METRICS},
    optional={"Labels": _LABELS, "VersionDescription": _TEXT, "TrainingSpec": _SPECS, "Options": _TEXT},
)
"""One version that mostly has what a comparison needs."""
LISTINGS: Final = st.lists(_mostly(st.one_of(COMPARABLE, COMPARABLE, ITEMS), ODD, 15), max_size=6)
"""The versions of one model; some of them are no objects."""


@st.composite
def answers(draw: st.DrawFn) -> Any:
    """A whole answer: mostly a listing with its count, else something in the place of either, or of both."""
    shape = draw(st.integers(0, 9))
    if shape == 9:
        return draw(ODD)
    items: Any = draw(LISTINGS)
    count = draw(st.one_of(st.integers(0, 20), ODD)) if shape in (7, 8) else len(items)
    if shape == 8:
        items = draw(ODD)
    body = {"RequestId": "R", "Versions": items, "TotalCount": count, "Unknown": None}
    if shape == 7:
        for name in draw(st.sets(st.sampled_from(["Versions", "TotalCount", "RequestId"]))):
            del body[name]
    return body

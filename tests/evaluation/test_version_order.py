"""The total order of versions: times of RFC 3339, names as numbers and stages, the listing last."""

import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.evaluation.version_order import naive_time, name_key, parse_time, time_key, total_order
from paiview.pai.objects import ModelVersion

NOON: Final = datetime(2026, 3, 9, 2, 0, 0, tzinfo=UTC)


def version(name: Any = None, created: Any = None) -> ModelVersion:
    return ModelVersion.model_validate({"VersionName": name, "GmtCreateTime": created})


def names_in_order(*names: str | None, created: str | None = "2026-01-01T00:00:00Z") -> list[str]:
    return total_order([version(name, created) for name in names]).names


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-09T02:00:00Z",
        "2026-03-09T10:00:00+08:00",
        "2026-03-09T10:00:00+0800",
        "2026-03-09T10:00:00+08",
        "2026-03-08T15:30:00-10:30",
        "2026-03-09t02:00:00z",
        "2026-03-09 02:00:00Z",
        "2026-03-09 10:00:00 +0800",
        "2026-03-09T02:00Z",
        "2026-03-09T10:00+08:00",
        "2026-03-09T02:00:00.0Z",
        "2026-03-09T02:00:00,000000000Z",
        "2026-03-09T02:00:00-00:00",
        "2026-03-09T02:00:00.0000000000000000000000000000000000000000Z",
    ],
)
def test_a_time_of_rfc_3339_is_read_with_any_offset_and_decimals(text: str) -> None:
    assert parse_time(text) == NOON
    assert time_key(text) == (NOON.replace(tzinfo=None), "")


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2026-03-09", "1773021600", "2026-03-09T02:00:00", "2026-03-09T02:00:00.Z"),
        *("2026-02-30T02:00:00Z", "2026-13-01T00:00:00Z", "2026-03-09T25:00:00Z", "2026-03-09T02:61:00Z"),
        *("2026-03-09T02:00:61Z", "2026-03-09T02:00:60Z", "2026-03-09T24:00:01Z", "2026-03-09T24:01Z"),
        *("2026-03-09T02:00:00+24:00", "2026-03-09T02:00:00+08:60", "2026-03-09T02:00:00+8", "2026-03-09T02:00:00Z\n"),
        *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "9999-12-31T24:00:00Z"),
        *("２０２６-03-09T02:00:00Z", "2026-03-09T02:00:00\N{MINUS SIGN}08:00", "2026-03-09T02:00:00 UTC"),
    ],
)
def test_anything_else_is_unreadable_and_raises_nothing(text: str) -> None:
    assert parse_time(text) is None
    assert naive_time(text) is None
    assert total_order([version("1.0.0", text)]).created == [None]


@given(
    moment=st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),  # noqa: DTZ001 - hypothesis adds no zone here
    minutes=st.integers(-23 * 60 - 59, 23 * 60 + 59),
    decimals=st.text("0123456789", min_size=1, max_size=12),
)
def test_a_time_is_the_same_in_every_zone(moment: datetime, minutes: int, decimals: str) -> None:
    moment = moment.replace(microsecond=0)
    there = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    sign, size = ("-", -minutes) if minutes < 0 else ("+", minutes)
    text = f"{there:%H:%M:%S}.{decimals}{sign}{size // 60:02}:{size % 60:02}"
    text = f"{there.date().isoformat()}T{text}"
    assert time_key(text) == time_key(f"{moment.isoformat()}.{decimals}Z")
    assert naive_time(text) == moment.replace(microsecond=int(decimals[:6].ljust(6, "0")))


@given(st.lists(st.text("0123456789", min_size=1, max_size=20), min_size=2, max_size=8))
def test_decimals_are_compared_exactly(decimals: list[str]) -> None:
    keys = {text: time_key(f"2026-03-09T02:00:00.{text}Z") for text in decimals}
    by_value = {text: int(text.ljust(20, "0")) for text in decimals}
    for one in decimals:
        for other in decimals:
            assert (keys[one] < keys[other]) == (by_value[one] < by_value[other])  # type: ignore[operator]
            assert (keys[one] == keys[other]) == (by_value[one] == by_value[other])


def test_versions_that_differ_beyond_microseconds_are_ordered_by_it() -> None:
    later, earlier = "2026-03-09T02:00:00.00000012Z", "2026-03-09T10:00:00.0000001+08:00"
    assert total_order([version("1.0.0", later), version("2.0.0", earlier)]).names == ["2.0.0", "1.0.0"]


def test_a_leap_second_lies_between_its_minute_and_the_next_day() -> None:
    texts = [
        "2016-12-31T23:59:59.9999999Z",
        "2016-12-31T23:59:60Z",
        "2017-01-01T07:59:60.5+08:00",
        "2016-12-31T24:00:00Z",
        "2017-01-01T00:00:00.1Z",
    ]
    keys = [time_key(text) for text in texts]
    assert None not in keys
    assert sorted(keys) == keys  # type: ignore[type-var]
    assert time_key("2016-12-31T24:00Z") == time_key("2017-01-01T00:00:00Z")


RELEASES: Final = [
    *(None, "", "!", "draft", "v2", "V9", "v10", "v10.1", "v10.1-rc1"),
    *(
        "0.9.0",
        "0.10.0",
        "1.0.0_dev",
        "1.0.0_dev2",
        "1.0.0_a1",
        "1.0.0_alpha2",
        "1.0.0_a10",
        "1.0.0_b1",
        "1.0.0_beta_2",
    ),
    *("1.0.0_pre1", "1.0.0_preview2", "1.0.0_rc", "1.0.0_RC1", "1.0.0_rc9", "1.0.0_rc10", "1.0.0_rc_11", "1.0.0_rc12"),
    *("1.0.0_rc12_2", "1.0.0_rc12_fix", "1.0.0", "1.0.0_2", "1.0.0_10", "1.0.0_best", "1.0.0_int8", "1.0.0_post1"),
    *("1.0.0_post2", "1.0.0_r2", "1.0.0_r10", "1.0.1_dev", "1.0.1", "1.10.0", "10.0.0_rc1", "10.0.0"),
]


def test_names_are_compared_as_numbers_and_stages() -> None:
    keys = [name_key(name) for name in RELEASES[1:]]
    assert sorted(keys) == keys
    assert len(set(keys)) == len(keys)
    assert names_in_order(*reversed(RELEASES[2:])) == RELEASES[2:]


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0.0_rc10", "1.0.0_rc_10"), ("1.0.0_a1", "1.0.0_ALPHA1"), ("1.0.0_b", "1.0.0_beta"), ("01.0.0", "1.00.0")],
)
def test_names_that_say_the_same_are_in_the_order_of_the_listing(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)
    assert names_in_order(one, other) == [one, other]
    assert names_in_order(other, one) == [other, one]


def test_the_time_goes_before_the_name_and_no_time_before_all() -> None:
    listed = [
        version("1.0.0_rc12", "2026-04-01T02:00:12Z"),
        version("9.0.0", "soon"),
        version("1.0.0_rc9", "2026-04-01T10:00:13+08:00"),
        version("8.0.0"),
    ]
    order = total_order(listed)
    assert order.names == ["8.0.0", "9.0.0", "1.0.0_rc12", "1.0.0_rc9"]
    assert [moment is None for moment in order.created] == [True, True, False, False]


SUFFIXES: Final = [str(name)[5:] for name in RELEASES[11:30]]
PIECES = st.sampled_from(["1", "2", "10", "0", "rc", "RC", "a", "alpha", "dev", "post", "_", ".", "v", "-", "(", "深"])
NAMES = st.one_of(
    st.none(),
    st.lists(PIECES, max_size=6).map("".join),
    st.builds("{}.{}.{}{}".format, *[st.integers(0, 11)] * 3, st.sampled_from(["", *SUFFIXES])),
)
TIMES = st.sampled_from(
    [
        None,
        "soon",
        "2026-01-01T00:00:00Z",
        "2026-01-01T08:00:00+08:00",
        "2026-01-01T00:00:00.0000001Z",
        "2026-01-02T00:00Z",
    ]
)
LISTED = st.lists(st.tuples(NAMES, TIMES), max_size=12)


@given(LISTED, st.randoms(use_true_random=False))
def test_the_order_depends_on_the_listing_only_between_ties(
    listed: list[tuple[str | None, str | None]], random: Any
) -> None:
    def keys(facts: list[tuple[str | None, str | None]]) -> list[tuple[Any, ...]]:
        order = total_order([version(*each) for each in facts])
        sorted_facts = [facts[index] for index in order.listing_indexes]
        return [(time_key(created) or (), name_key(name)) for name, created in sorted_facts]

    shuffled = random.sample(listed, len(listed))
    assert keys(listed) == keys(shuffled)
    indexes = total_order([version(*each) for each in listed]).listing_indexes
    assert sorted(indexes) == list(range(len(listed)))
    tied = list(zip(keys(listed), indexes, strict=True))
    assert all(one[1] < other[1] for one, other in pairwise(tied) if one[0] == other[0])


@given(NAMES, NAMES, NAMES)
def test_names_are_totally_ordered(one: str | None, other: str | None, third: str | None) -> None:
    a, b, c = map(name_key, (one, other, third))
    assert (a < b) + (b < a) + (a == b) == 1
    assert not (a <= b <= c) or a <= c


@given(st.integers(0, 10**25), st.integers(0, 10**25), st.integers(0, 30))
def test_numbers_of_any_length_are_compared_by_value(one: int, other: int, zeros: int) -> None:
    keys = name_key(f"{one}.0.0"), name_key(f"{'0' * zeros}{other}.0.0")
    assert (keys[0] < keys[1], keys[0] == keys[1]) == (one < other, one == other)


def test_ten_thousand_digits_are_read_in_linear_time_and_without_an_error() -> None:
    long, longer = "9" * 10_000, "1" + "0" * 10_000
    names = [f"{longer}.0.0", f"{long}.0.0", f"1.0.0_rc{longer}", f"1.0.0_rc{long}", f"v{longer}", f"v{long}"]
    begun = time.process_time()
    assert names_in_order(*names) == names[::-1]
    for _ in range(50):
        name_key("1.0.0_" + "9" * 200_000)
        time_key("2026-01-01T00:00:00." + "9" * 200_000 + "Z")
        time_key("2026-01-01T00:00:00." + "9" * 200_000)
    assert time.process_time() - begun < 5

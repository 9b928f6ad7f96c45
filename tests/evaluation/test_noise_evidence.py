"""The evidence of noise beside a version's Metrics: what is read, and what is told and left."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.evaluation.noise_evidence import PairedEntry, Spread, read_entries
from paiview.evaluation.results import Measurement, Pair, evaluation, unreadable

ENTRY = {"baseline": "0.4.0", "model": None, "change": -0.004, "low": -0.01, "high": 0.002, "n": 4270, "groups": 250}
READ = PairedEntry("0.4.0", None, -0.004, -0.01, 0.002, 0.95, n=4270, groups=250)


def result(paired: Any, dataset: Any = "d-1", **metrics: Any) -> dict[str, Any]:
    given = dataset if isinstance(dataset, dict) else {"DatasetId": dataset}
    return {"Dataset": given, "Metrics": metrics or {"cer": 0.1104}, "Paired": paired}


def read(*results: Any, metric: str = "cer", dataset: str = "d-1", **aliases: Any) -> Measurement:
    return evaluation({"Results": [*results]}, **aliases)[Pair(metric, dataset)]


def told(*results: Any) -> list[str]:
    return unreadable({"Results": [*results]})


@pytest.mark.parametrize("paired", [{"cer": ENTRY}, {"cer": [ENTRY]}, json.dumps({"cer": [ENTRY, ENTRY]})])
def test_one_entry_a_list_and_json_text_are_the_same(paired: Any) -> None:
    assert read(result(paired)).paired == (READ,)
    assert told(result(paired)) == []


def test_levels_baselines_and_distances_are_entries_of_their_own() -> None:
    entries = [
        {**ENTRY, "level": 0.99},
        {**ENTRY, "baseline": "0.3.0", "model": "model-b"},
        {**ENTRY, "of": "distance", "n": None, "groups": None},
    ]
    assert read(result({"cer": entries})).paired == (
        READ._replace(level=0.99),
        READ._replace(baseline="0.3.0", model="model-b"),
        READ._replace(is_distance=True, n=None, groups=None),
    )


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"low": 0.1}, "has low above high"),
        ({"change": 0.5}, "has a change outside of its interval"),
        ({"low": None}, "needs the numbers change, low and high"),
        ({"high": "0.002"}, "needs the numbers change, low and high"),
        ({"change": True}, "needs the numbers change, low and high"),
        ({"change": float("nan")}, "needs the numbers change, low and high"),
        ({"high": 10**400}, "needs the numbers change, low and high"),
        ({"level": 95}, "has a level that is not between 0 and 1"),
        ({"level": 1.0}, "has a level that is not between 0 and 1"),
        ({"level": "0.95"}, "has a level that is not between 0 and 1"),
        ({"groups": "five"}, "has n or groups that count nothing"),
        ({"groups": 0}, "has n or groups that count nothing"),
        ({"n": 2.5}, "has n or groups that count nothing"),
        ({"n": True}, "has n or groups that count nothing"),
        ({"of": "value"}, 'has an "of" that is not "distance"'),
        ({"baseline": None}, "names no baseline"),
        ({"baseline": ""}, "names no baseline"),
        ({"baseline": "x" * 2000}, "names no baseline"),
        ({"model": 3}, "names a model that is no text"),
    ],
)
def test_an_entry_that_is_none_is_told_and_informs_nothing(changed: dict[str, Any], problem: str) -> None:
    given = result({"cer": [{**ENTRY, **changed}, {**ENTRY, "level": 0.9}]})
    assert read(given).paired == (READ._replace(level=0.9),)
    (sentence,) = told(given)
    assert sentence.startswith(f"Results[0].Paired.cer[0] {problem}: {{")
    assert len(sentence) < 300


@pytest.mark.parametrize(
    ("paired", "sentence"),
    [
        ([], "Results[0].Paired is not an object: []"),
        (3, "Results[0].Paired is not an object: 3"),
        (None, "Results[0].Paired is not an object: null"),
        ({"wer": ENTRY | {"n": 1}}, "Results[0].Paired.wer is of no metric: "),
        ({"cer": "yes"}, 'Results[0].Paired.cer is no list of entries: "yes"'),
        ({"cer": [3]}, "Results[0].Paired.cer[0] is no entry: 3"),
        ({"cer": {**ENTRY, "low": 9}}, "Results[0].Paired.cer has low above high: "),
    ],
)
def test_what_is_no_evidence_is_told(paired: Any, sentence: str) -> None:
    assert read(result(paired)).paired == ()
    assert [text[: len(sentence)] for text in told(result(paired))] == [sentence]


def test_the_entries_read_are_bounded() -> None:
    entries = [{**ENTRY, "baseline": f"0.{at}.0"} for at in range(100)]
    assert len(read(result({"cer": entries})).paired) == 64
    assert told(result({"cer": entries})) == ["Results[0].Paired.cer has 100 entries, of which the first 64 are read"]


def test_evidence_stays_with_its_number_through_aliases_and_splits() -> None:
    given = result({"acc,none": ENTRY}, {"DatasetId": "d-old", "Split": "test"}, **{"acc,none": 0.5})
    measured = read(
        given,
        metric="acc",
        dataset="d-new[split=test]",
        aliases={"d-old": "d-new"},
        metric_aliases={"acc,none": "acc"},
    )
    assert measured.paired == (READ,)


def test_equal_numbers_of_one_pair_have_the_evidence_of_both_and_different_ones_none() -> None:
    other = {**ENTRY, "baseline": "0.3.0"}
    assert read(result({"cer": ENTRY}), result({"cer": [other, ENTRY]})).paired == (
        READ,
        READ._replace(baseline="0.3.0"),
    )
    assert read(result({"cer": ENTRY}), result({"cer": other}, cer=0.2)).paired == ()


@pytest.mark.parametrize(
    ("beside", "spread"),
    [
        ({"acc_stderr,none": 0.01}, Spread(stderr=0.01)),
        ({"acc_stderr,none": 0.01, "acc_ci_low,none": 0.4, "acc_ci_high,none": 0.6}, Spread(stderr=0.01)),
        ({"acc_ci_low,none": 0.4, "acc_ci_high,none": 0.6}, Spread(low=0.4, high=0.6)),
        ({"acc_stderr": 0.01}, None),
        ({"acc_stderr,strict": 0.01}, None),
        ({"acc_std,none": 0.01}, None),
        ({"acc_stderr,none": -0.01}, None),
        ({"acc_stderr,none": "n/a"}, None),
        ({"acc_ci_low,none": 0.4}, None),
        ({"acc_ci_low,none": 0.6, "acc_ci_high,none": 0.7}, None),
        ({"acc_ci_low,none": float("-inf"), "acc_ci_high,none": 0.7}, None),
    ],
)
def test_the_spread_of_a_number_is_that_with_its_filter(beside: dict[str, Any], spread: Spread | None) -> None:
    given = {"Dataset": {"DatasetId": "d-1"}, "Metrics": {"acc,none": 0.5, **beside}}
    assert read(given, metric="acc,none").spread == spread
    # The alias of a number leaves its spread behind under the old name, which still belongs to it.
    assert read(given, metric="acc", metric_aliases={"acc,none": "acc"}).spread == spread


def test_a_spread_is_that_of_its_own_result() -> None:
    one = {"Dataset": {"DatasetId": "d-1"}, "Metrics": {"acc": 0.5}}
    other = {"Dataset": {"DatasetId": "d-2"}, "Metrics": {"acc": 0.5, "acc_stderr": 0.01}}
    assert read(one, other, metric="acc").spread is None
    assert read(one, other, metric="acc", dataset="d-2").spread == Spread(stderr=0.01)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from([*ENTRY, "level", "of", "method", "draws"]), JSON)


@settings(deadline=None)
@given(JSON | FIELDS | st.lists(FIELDS.map(lambda changed: {**ENTRY, **changed}) | JSON, max_size=4))
def test_whatever_paired_is_every_entry_is_read_or_told(value: Any) -> None:
    entries, problems = read_entries(value)
    for entry in entries:
        assert entry.baseline
        assert entry.low <= entry.change <= entry.high
        assert 0 < entry.level < 1
        assert all(count is None or count > 0 for count in (entry.n, entry.groups))
    items = value if isinstance(value, list) else [value]
    assert len(entries) + len(problems) <= max(1, len(items))
    assert bool(entries or problems) == (value != [])
    # The same garbage in a whole version is told and raises nothing either.
    assert read(result({"cer": value})).value == 0.1104
    assert [text.isprintable() for text in told(result({"cer": value}))] == [True] * len(problems)

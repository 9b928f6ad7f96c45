"""The Metrics of many versions searched at once."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.evaluation.results import Pair, evaluation, versions_measuring

ALIASES = {"oss://a": "a"}
VALUES = st.one_of(st.floats(), st.integers(), st.sampled_from(["0.1", "n/a", None, True, 10**400, [1], {"y": 1.0}]))
DATASETS = st.sampled_from([{"DatasetId": "a"}, {"DatasetId": "b"}, {"Uri": "oss://a"}, {}, None, "a"])
NAMES = st.sampled_from(["cer", "x", "x.y"])
METRICS = st.one_of(
    st.none(),
    st.dictionaries(NAMES, VALUES, max_size=2),
    st.fixed_dictionaries(
        {
            "Results": st.lists(
                st.fixed_dictionaries({"Dataset": DATASETS, "Metrics": st.dictionaries(NAMES, VALUES, max_size=3)}),
                max_size=3,
            )
        }
    ),
)
PAIRS = st.sets(st.builds(Pair, NAMES, st.sampled_from(["a", "b", "oss://a", "(no dataset)", "none"])), max_size=3)


def results(**datasets: dict[str, Any]) -> dict[str, Any]:
    return {"Results": [{"Dataset": {"DatasetId": name}, "Metrics": given} for name, given in datasets.items()]}


def test_versions_that_have_a_pair_are_told_by_their_place() -> None:
    versions = [results(a={"cer": 0.1}), None, results(b={"cer": 0.1}), results(a={"wer": 0.1}, b={"x": 1})]
    assert versions_measuring(versions, {Pair("cer", "a")}) == [True, False, False, False]
    assert versions_measuring(versions, {Pair("cer", "b"), Pair("wer", "a")}) == [False, False, True, True]
    assert versions_measuring(versions, set()) == [False] * 4
    assert versions_measuring([], {Pair("cer", "a")}) == []


def test_a_dataset_is_found_by_the_name_of_its_alias() -> None:
    version = results(**{"oss://a": {"cer": 0.1}})
    assert versions_measuring([version], {Pair("cer", "a")}, ALIASES) == [True]
    assert versions_measuring([version], {Pair("cer", "oss://a")}, ALIASES) == [False]


def test_what_is_no_number_is_not_had_and_one_of_several_is() -> None:
    odd = [results(a={"cer": value}) for value in ("n/a", None, float("nan"), float("inf"), "0.1")]
    assert versions_measuring(odd, {Pair("cer", "a")}) == [False, False, False, False, True]
    twice = {"Results": [*results(a={"cer": 0.1})["Results"], *results(a={"cer": 0.2})["Results"]]}
    assert versions_measuring([twice], {Pair("cer", "a")}) == [True]


@settings(deadline=None)
@given(st.lists(METRICS, max_size=4), PAIRS)
def test_it_overlooks_no_version_and_errs_only_where_a_pair_is_given_twice(
    versions: list[Any], pairs: set[Pair]
) -> None:
    for version, told in zip(versions, versions_measuring(versions, pairs, ALIASES), strict=True):
        found = [measured for pair, measured in evaluation(version, ALIASES).items() if pair in pairs]
        has_number = any(measured.value == measured.value for measured in found)
        assert told >= has_number
        assert told == has_number or any(measured.duplicated for measured in found)

"""What differs between versions besides their results."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.decisions.differences import Difference, differences, undetermined
from paiview.pai.objects import ModelVersion


def found(*versions: dict[str, Any]) -> list[Difference]:
    return differences({str(at): ModelVersion.model_validate(fields) for at, fields in enumerate(versions)})


def test_only_what_differs_is_told_and_never_the_name_or_the_metrics() -> None:
    before = {"VersionName": "0.1.0", "Uri": "oss://a", "FormatType": "ONNX", "Metrics": {"cer": 1}}
    after = {"VersionName": "0.2.0", "Uri": "oss://b", "FormatType": "ONNX", "Metrics": {"cer": 2}}
    assert found(before, after) == [Difference("Uri", ("oss://a", "oss://b"))]


def test_labels_are_compared_by_key() -> None:
    before = {"Labels": [{"Key": "stage", "Value": "dev"}, {"Key": "team", "Value": "a"}]}
    after = {"Labels": [{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "prod"}, {"Key": "new", "Value": ""}]}
    assert found(before, after) == [
        Difference("Labels.new", (None, "")),
        Difference("Labels.stage", ("dev", "prod")),
    ]


def test_lists_of_named_objects_are_compared_by_name_whatever_their_order() -> None:
    before = {"TrainingSpec": {"HyperParameters": [{"Name": "lr", "Value": 0.1}, {"Name": "batch", "Value": 8}]}}
    after = {
        "TrainingSpec": {
            "HyperParameters": [
                {"Name": "warmup", "Value": 1},
                {"Name": "batch", "Value": 16},
                {"Name": "lr", "Value": 0.1},
            ]
        }
    }
    assert found(before, after) == [
        Difference("TrainingSpec.HyperParameters[batch].Value", ("8", "16")),
        Difference("TrainingSpec.HyperParameters[warmup]", (None, '{"Name": "warmup", "Value": 1}')),
    ]


def test_one_insertion_into_a_list_is_one_difference() -> None:
    before = {"InferenceSpec": {"files": ["a", "b", "c", "d"]}}
    after = {"InferenceSpec": {"files": ["a", "x", "b", "c", "d"]}}
    assert found(before, after) == [Difference("InferenceSpec.files[1]", (None, "x"))]


def test_several_versions_stand_beside_the_first() -> None:
    versions = [{"Uri": "a"}, {"Uri": "a"}, {"Uri": "b"}, {}]
    assert found(*versions) == [Difference("Uri", ("a", "a", "b", None))]


def test_what_was_put_into_a_list_is_not_taken_for_what_another_version_changed_there() -> None:
    first, inserted, changed = (
        {"InferenceSpec": {"files": files}} for files in (["a", "b"], ["x", "a", "b"], ["c", "b"])
    )
    assert found(first, inserted, changed) == [
        Difference("InferenceSpec.files[0]", (None, "x", None)),
        Difference("InferenceSpec.files[0]", ("a", "a", "c")),
    ]


def test_paths_that_read_alike_are_two() -> None:
    before = {"a.b": {"c": 1}, "a": {"b.c": 2}}
    after = {"a.b": {"c": 3}, "a": {"b.c": 4}}
    assert sorted(found({"InferenceSpec": before}, {"InferenceSpec": after})) == [
        Difference("InferenceSpec.a.b.c", ("1", "3")),
        Difference("InferenceSpec.a.b.c", ("2", "4")),
    ]


def test_a_number_and_its_text_are_told_apart() -> None:
    assert found({"InferenceSpec": {"gpu": "1"}}, {"InferenceSpec": {"gpu": 1}}) == [
        Difference("InferenceSpec.gpu", ('"1"', "1"))
    ]


def test_labels_of_another_shape_stand_as_they_came() -> None:
    assert found({"Labels": []}, {"Labels": "odd"}) == [Difference("Labels", ("{}", "odd"))]


def test_labels_of_no_shape_at_all_are_no_obstacle() -> None:
    odd, plain = {"Labels": [None, "odd", {"Key": 1, "Value": None}]}, {"Labels": [{"Key": "1", "Value": 2}]}
    assert {row.path for row in found(odd, plain)} <= {"Labels", "Labels.", "Labels.1"}
    assert found(odd, odd) == []


def test_equal_versions_differ_in_nothing() -> None:
    assert found({"Uri": "a"}, {"Uri": "a"}) == []
    assert found({"Uri": "a"}) == []


def test_secrets_are_masked() -> None:
    before = {"InferenceSpec": {"token": "before-secret", "replicas": 1}}
    after = {"InferenceSpec": {"token": "after-secret", "replicas": 2, "password": "new-secret"}}
    told = found(before, after)
    assert "secret" not in str(told)
    assert told == [
        Difference("InferenceSpec.password", (None, "••••")),
        Difference("InferenceSpec.replicas", ("1", "2")),
        Difference("InferenceSpec.token", ("••••", "•••• (another value)")),
    ]


def test_a_mask_hides_no_difference_wherever_the_secret_stands() -> None:
    def version(secret: str) -> dict[str, Any]:
        return {
            "Uri": f"oss://b/k?Signature={secret}",
            "TrainingSpec": {
                "Environments": {"HOST": secret},
                "Command": ["run", "--password", secret],
                "HyperParameters": [{"Name": "hf_token", "Value": secret}],
            },
            "Labels": [{"Key": "api_key", "Value": secret}],
            "Options": json.dumps({"token": secret}),
        }

    rows = found(version("one"), version("two"))
    assert [row.path for row in rows] == [
        "Labels.api_key",
        "Options",
        "TrainingSpec.Command[2]",
        "TrainingSpec.Environments.HOST",
        "TrainingSpec.HyperParameters[hf_token].Value",
        "Uri",
    ]
    assert all(row.texts[1] == f"{row.texts[0]} (another value)" for row in rows)
    assert not {"one", "two"} & {word for row in rows for word in json.dumps(row.texts).replace("•", " ").split()}
    assert found(version("one"), version("one")) == []


def test_names_that_are_secrets_are_masked_and_compared() -> None:
    key = "sk-" + "a1" * 20
    assert found({"InferenceSpec": {key: 1}}, {"InferenceSpec": {key + "b": 1}}) == [
        Difference("InferenceSpec", ('{"••••": 1}', '{"••••": 1} (another value)'))
    ]


def test_what_was_masked_before_it_came_may_differ_or_not() -> None:
    exported = ModelVersion.model_validate({"InferenceSpec": {"token": "••••", "gpu": 1}})
    fresh = ModelVersion.model_validate({"InferenceSpec": {"token": "secret", "gpu": 1}})
    for other in (exported, fresh):
        assert differences({"a": exported, "b": other}) == []
        assert undetermined({"a": exported, "b": other}) == ["InferenceSpec.token"]
    assert undetermined({"a": fresh, "b": fresh}) == []


@pytest.mark.parametrize("odd", [None, 7, "text", ["a"]])
def test_a_version_that_is_no_object_differs_in_all_the_other_has(odd: Any) -> None:
    versions = {"1": ModelVersion.model_validate({"Uri": "a"}), "2": ModelVersion.model_validate(odd)}
    assert Difference("Uri", ("a", None)) in differences(versions)


@pytest.mark.parametrize(
    ("before", "after"), [(10**400, 10**400 + 1), (2**53, 2**53 + 1), (1e-13, 2e-13), (True, 1), (1e300, math.inf)]
)
def test_numbers_that_differ_at_all_are_told(before: Any, after: Any) -> None:
    told = found({"TrainingSpec": {"seed": before}}, {"TrainingSpec": {"seed": after}})
    assert told == [Difference("TrainingSpec.seed", (json.dumps(before), json.dumps(after)))]


def test_a_number_written_in_another_way_is_no_difference() -> None:
    before, after = ({"TrainingSpec": {"epochs": epochs, "loss": float("nan")}} for epochs in (1, 1.0))
    assert found(before, after) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text(max_size=4), JSON, max_size=3), st.dictionaries(st.text(max_size=4), JSON, max_size=3))
def test_no_spec_is_too_odd(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert found({"TrainingSpec": before}, {"TrainingSpec": before}) == []
    assert all(len(difference.texts) == 2 for difference in found({"TrainingSpec": before}, {"TrainingSpec": after}))

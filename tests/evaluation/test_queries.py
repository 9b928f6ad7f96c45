"""What a reader asks of the frames: filters, sorts, pages, marks."""

from datetime import date

import numpy as np
import pytest

from paiview.evaluation import queries
from paiview.evaluation.frames import Frames, Pair, build
from paiview.pai.objects import Model, ModelVersion
from paiview.registry.model_search import matching_models


def version(
    name: str,
    created: str,
    status: str = "Pending",
    results: dict[str, dict[str, object]] | None = None,
    **fields: object,
) -> ModelVersion:
    items = [{"Dataset": {"DatasetId": dataset}, "Metrics": metrics} for dataset, metrics in (results or {}).items()]
    return ModelVersion.model_validate(
        {
            "VersionName": name,
            "GmtCreateTime": created,
            "ApprovalStatus": status,
            "Metrics": {"Results": items},
            **fields,
        }
    )


@pytest.fixture
def frames() -> Frames:
    return build(
        [
            version("0.1.0", "2024-01-01T00:00:00Z", "Approved", {"aishell": {"cer": 0.05}, "meeting": {"cer": 0.2}}),
            version("0.2.0", "2024-02-01T00:00:00Z", "Rejected", {"aishell": {"cer": 0.06, "blobs": 3}}),
            version(
                "0.10.0", "2024-03-01T23:59:59Z", "Pending", {"aishell": {"cer": 0.04}}, VersionDescription="Größer"
            ),
            version("0.3.0", "2024-04-01T00:00:00Z", "Pending", Labels=[{"Key": "team", "Value": "语音"}]),
        ]
    )


def names(frames: Frames, orders: queries.VersionIndexes) -> list[str]:
    return frames.versions["version_name"].iloc[orders].tolist()


def test_without_filters_every_version_passes(frames: Frames) -> None:
    assert names(frames, queries.matching(frames)) == ["0.1.0", "0.2.0", "0.10.0", "0.3.0"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("GRÖSSER", ["0.10.0"]), ("语音", ["0.3.0"]), ("0.2", ["0.2.0"]), ("nothing has this", []), ("  ", 4)],
)
def test_text_is_found_whatever_the_case(frames: Frames, text: str, expected: list[str] | int) -> None:
    found = names(frames, queries.matching(frames, text=text))
    assert (len(found) if isinstance(expected, int) else found) == expected


@pytest.mark.parametrize(
    "text", ["1557702", "99887766", "cn-beijing", "workspaceId=42", "PipelineRun", "flow-7", "onnx", "PyTorch"]
)
def test_people_sources_and_formats_are_found_too(text: str) -> None:
    made = version(
        "0.1.0",
        "2024-01-01T00:00:00Z",
        UserId="1557702",
        OwnerId="99887766",
        SourceType="PAIFlow",
        SourceId="region=cn-beijing,workspaceId=42,kind=PipelineRun,id=flow-7",
        FormatType="ONNX",
        FrameworkType="PyTorch",
    )
    other = version("0.2.0", "2024-01-02T00:00:00Z")
    found = build([made, other])
    assert names(found, queries.matching(found, text=text)) == ["0.1.0"]


def test_every_field_offered_is_a_column_and_sorts(frames: Frames) -> None:
    assert {"source region", "source workspace", "source kind", "source run", "user id", "owner id"} <= {
        *queries.FIELDS
    }
    none = queries.number_table(frames, [])
    everything = queries.matching(frames)
    for field in queries.FIELDS:
        assert len(queries.sorted_versions(frames, everything, field, none)) == 4


def test_dates_include_both_days(frames: Frames) -> None:
    found = queries.matching(frames, created_from=date(2024, 2, 1), created_to=date(2024, 3, 1))
    assert names(frames, found) == ["0.2.0", "0.10.0"]


def test_status_and_dataset_filters_join(frames: Frames) -> None:
    assert names(frames, queries.matching(frames, statuses=["Pending"], datasets=["aishell"])) == ["0.10.0"]
    assert names(frames, queries.matching(frames, datasets=["meeting"])) == ["0.1.0"]


def test_a_range_bounds_one_metric_on_the_chosen_datasets(frames: Frames) -> None:
    assert names(frames, queries.matching(frames, metric="cer", minimum=0.05, maximum=0.06)) == ["0.1.0", "0.2.0"]
    assert names(frames, queries.matching(frames, metric="cer", maximum=0.1, datasets=["meeting"])) == []
    assert names(frames, queries.matching(frames, metric="blobs", minimum=3)) == ["0.2.0"]


def test_a_metric_alone_bounds_nothing(frames: Frames) -> None:
    assert len(queries.matching(frames, metric="blobs")) == 4


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-created", ["0.3.0", "0.10.0", "0.2.0", "0.1.0"]),
        ("created", ["0.1.0", "0.2.0", "0.10.0", "0.3.0"]),
        ("version", ["0.1.0", "0.2.0", "0.3.0", "0.10.0"]),
        ("-version", ["0.10.0", "0.3.0", "0.2.0", "0.1.0"]),
        ("cer@aishell", ["0.10.0", "0.1.0", "0.2.0", "0.3.0"]),
        ("-cer@aishell", ["0.2.0", "0.1.0", "0.10.0", "0.3.0"]),
        ("status", ["0.1.0", "0.10.0", "0.3.0", "0.2.0"]),
    ],
)
def test_sorting_puts_missing_numbers_last_both_ways(frames: Frames, sort: str, expected: list[str]) -> None:
    numbers = queries.number_table(frames, [Pair("cer", "aishell")])
    orders = queries.matching(frames)
    assert names(frames, queries.sorted_versions(frames, orders, sort, numbers)) == expected
    assert sort in queries.sort_options(list(numbers.columns))


def test_sorting_a_filtered_list_keeps_the_filter(frames: Frames) -> None:
    kept = queries.matching(frames, statuses=["Pending"])
    assert names(frames, queries.sorted_versions(frames, kept, "-version", queries.number_table(frames, []))) == [
        "0.10.0",
        "0.3.0",
    ]


def test_numbers_have_a_column_a_pair_in_the_order_asked(frames: Frames) -> None:
    table = queries.number_table(frames, [Pair("cer", "meeting"), Pair("cer", "aishell")])
    assert list(table.columns) == ["cer@meeting", "cer@aishell"]
    np.testing.assert_array_equal(table["cer@meeting"], [0.2, np.nan, np.nan, np.nan])


def test_the_main_metric_is_the_most_covered_with_a_direction(frames: Frames) -> None:
    assert queries.main_metric(frames) == "cer"
    assert queries.main_metric(build([])) is None
    only_unknown = build([version("0.1.0", "2024-01-01T00:00:00Z", results={"a": {"blobs": 1.0}})])
    assert queries.main_metric(only_unknown) == "blobs"


def test_shown_pairs_follow_the_choice(frames: Frames) -> None:
    assert queries.shown_pairs(frames, [], []) == [Pair("cer", "aishell"), Pair("cer", "meeting")]
    assert queries.shown_pairs(frames, ["blobs"], []) == [Pair("blobs", "aishell")]
    assert queries.shown_pairs(frames, ["blobs"], ["meeting"]) == []


def test_best_numbers_follow_the_direction() -> None:
    frames = build(
        [
            version("0.1.0", "2024-01-01T00:00:00Z", results={"a": {"cer": 0.3, "top1": 0.7, "blobs": 1.0}}),
            version("0.2.0", "2024-01-02T00:00:00Z", results={"a": {"cer": 0.2, "top1": 0.8, "blobs": 2.0}}),
            version("0.3.0", "2024-01-03T00:00:00Z", results={"b": {"cer": 0.1}}),
        ]
    )
    pairs = [Pair("cer", "a"), Pair("top1", "a"), Pair("blobs", "a"), Pair("cer", "b")]
    assert queries.best_numbers(queries.number_table(frames, pairs), pairs) == {"cer@a": 0.2, "top1@a": 0.8}


def test_a_number_that_cannot_be_is_not_the_best_and_mixed_scales_have_none() -> None:
    results: list[dict[str, object]] = [
        {"cer": 0.3, "acc": 0.91, "mAP": 0.4},
        {"cer": -1.0, "acc": 92.5, "mAP": -1.0},
        {"cer": 0.2},
    ]
    frames = build(
        [
            version(f"0.{place}.0", f"2024-01-0{place}T00:00:00Z", results={"a": metrics})
            for place, metrics in enumerate(results, 1)
        ]
    )
    pairs = [Pair("cer", "a"), Pair("acc", "a"), Pair("mAP", "a")]
    assert queries.best_numbers(queries.number_table(frames, pairs), pairs) == {"cer@a": 0.2}


def test_newest_with_counts_only_versions_that_have_a_number(frames: Frames) -> None:
    shown = [Pair("cer", "aishell")]
    assert names(frames, queries.newest_with(frames, queries.matching(frames), shown, 2)) == ["0.2.0", "0.10.0"]
    assert names(frames, queries.newest_with(frames, queries.matching(frames), shown, None)) == [
        "0.1.0",
        "0.2.0",
        "0.10.0",
    ]


@pytest.mark.parametrize(
    ("count", "number", "expected"),
    [
        (0, 1, (1, 1, 0, 0)),
        (50, 1, (1, 1, 0, 50)),
        (51, 2, (2, 2, 50, 51)),
        (51, 9, (2, 2, 50, 51)),
        (51, 0, (1, 2, 0, 50)),
    ],
)
def test_pages_cut_the_list(count: int, number: int, expected: tuple[int, ...]) -> None:
    assert tuple(queries.page_of(count, 50, number)) == expected


def test_models_are_filtered_and_sorted() -> None:
    models = [
        Model.model_validate(
            {"ModelId": "model-b", "ModelName": "beta", "Task": "asr", "GmtCreateTime": "2024-01-02T00:00:00Z"}
        ),
        Model.model_validate({"ModelId": "model-a", "ModelName": "Alpha", "GmtCreateTime": "2024-01-01T00:00:00Z"}),
        Model.model_validate({"ModelId": "model-c", "Tags": [{"Key": "x", "Value": "Gamma"}]}),
    ]

    def ids(**wanted: str | None) -> list[str | None]:
        arguments: dict[str, str | None] = {"text": "", "task": None, "domain": None, "sort": "name"} | wanted
        return [model.model_id for model in matching_models(models, **arguments)]  # type: ignore[arg-type]

    assert ids(sort="name") == ["model-c", "model-a", "model-b"]
    assert ids(sort="-created") == ["model-b", "model-a", "model-c"]
    assert ids(task="asr") == ["model-b"]
    assert ids(text="gamma") == ["model-c"]
    assert ids(text="ALPHA") == ["model-a"]


def test_a_pair_given_twice_by_a_version_has_no_one_number() -> None:
    twice = {
        "Results": [
            {"Dataset": {"DatasetId": "a"}, "Metrics": {"cer": 0.3}},
            {"Dataset": {"DatasetId": "a"}, "Metrics": {"cer": 0.2}},
            {"Dataset": {"DatasetId": "b"}, "Metrics": {"cer": 0.1}},
        ]
    }
    frames = build(
        [
            version("0.1.0", "2024-01-01T00:00:00Z", Metrics=twice),
            version("0.2.0", "2024-01-02T00:00:00Z", results={"a": {"cer": 0.4}, "b": {"cer": 0.5}}),
        ]
    )
    assert list(frames.histories) == [Pair("cer", "b"), Pair("cer", "a")]
    assert frames.histories[Pair("cer", "a")].version_indexes.tolist() == [1]
    assert frames.histories[Pair("cer", "b")].values.tolist() == [0.1, 0.5]


def test_counts_name_the_most_covered_first(frames: Frames) -> None:
    assert frames.metric_counts == {"cer": 4, "blobs": 1}
    assert frames.dataset_counts == {"aishell": 4, "meeting": 1}


def test_drawn_pairs_are_those_that_a_version_asked_for_has(frames: Frames) -> None:
    pairs = [Pair("cer", "meeting"), Pair("cer", "aishell"), Pair("blobs", "aishell")]
    assert queries.drawn_pairs(frames, pairs, np.array([1, 2])) == pairs[1:]
    assert queries.drawn_pairs(frames, pairs, np.array([0])) == pairs[:2]
    assert queries.drawn_pairs(frames, pairs, np.array([3])) == []


def test_the_long_form_has_a_row_a_number_of_the_versions_asked(frames: Frames) -> None:
    table = queries.long_form(frames, [Pair("cer", "aishell"), Pair("cer", "meeting")], np.array([0, 1]))
    assert table.to_dict("list") == {
        "version_name": ["0.1.0", "0.1.0", "0.2.0"],
        "dataset": ["aishell", "meeting", "aishell"],
        "metric": ["cer", "cer", "cer"],
        "value": [0.05, 0.2, 0.06],
    }


def test_columns_of_one_name_stay_apart_and_can_be_sorted_by() -> None:
    frames = build(
        [
            version("0.1.0", "2024-01-01T00:00:00Z", results={"c": {"a@b": 2.0}, "b@c": {"a": 1.0}}),
            version("0.2.0", "2024-01-02T00:00:00Z", results={"c": {"a@b": 1.0}, "b@c": {"a": 2.0}}),
        ]
    )
    table = queries.number_table(frames, [Pair("a@b", "c"), Pair("a", "b@c")])
    assert list(table.columns) == ["a@b@c", "a@b@c "]
    assert names(frames, queries.sorted_versions(frames, np.array([0, 1]), "a@b@c", table)) == ["0.2.0", "0.1.0"]
    assert names(frames, queries.sorted_versions(frames, np.array([0, 1]), "a@b@c ", table)) == ["0.1.0", "0.2.0"]


def test_a_metric_whose_name_begins_with_the_sign_of_falling_sorts_both_ways() -> None:
    frames = build(
        [
            version("0.1.0", "2024-01-01T00:00:00Z", results={"d": {"-loss": 1.0}}),
            version("0.2.0", "2024-01-02T00:00:00Z", results={"d": {"-loss": 2.0}}),
        ]
    )
    table = queries.number_table(frames, [Pair("-loss", "d")])
    assert names(frames, queries.sorted_versions(frames, np.array([0, 1]), "-loss@d", table)) == ["0.1.0", "0.2.0"]
    assert names(frames, queries.sorted_versions(frames, np.array([0, 1]), "--loss@d", table)) == ["0.2.0", "0.1.0"]


def test_the_sort_by_version_is_the_order_of_names() -> None:
    expected = ["draft", "v2", "v10", "0.9.0", "1.0.0_dev", "1.0.0_rc9", "1.0.0_rc10", "1.0.0", "1.0.0_r2", "1.10.0"]
    raw = [{"VersionName": name, "GmtCreateTime": f"2026-01-{31 - day:02}T00:00Z"} for day, name in enumerate(expected)]
    frames = build([ModelVersion.model_validate(fields) for fields in raw])
    every, none = np.arange(len(expected)), queries.number_table(frames, [])
    by_name = frames.versions["version_name"].iloc[queries.sorted_versions(frames, every, "version", none)].tolist()
    falling = (
        frames.versions["version_name"].iloc[queries.sorted_versions(frames, every[3:7], "-version", none)].tolist()
    )
    assert by_name == expected
    assert falling == [name for name in reversed(expected) if name in frames.versions["version_name"][3:7].tolist()]


def test_the_long_form_follows_the_order_asked_for(frames: Frames) -> None:
    table = queries.long_form(frames, [Pair("cer", "aishell")], np.array([2, 0]))
    assert table["version_name"].tolist() == ["0.10.0", "0.1.0"]
    assert queries.long_form(frames, [], np.array([0])).empty


def test_the_main_metric_is_found_among_the_metrics_with_the_most_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = build([version("1.0.0", "2024-01-01T00:00:00Z", results={"d": {"blobs": 1.0, "quux": 2.0, "wer": 3.0}})])
    assert queries.main_metric(frames) == "wer"
    monkeypatch.setattr(queries, "MAX_RANKED_METRICS", 2)
    assert queries.main_metric(frames) == "blobs"

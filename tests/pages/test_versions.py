"""Versions: every filter and field, the table, and one version in detail."""

import io
import json
import re
from collections.abc import Mapping
from typing import Any, cast

import pandas as pd
import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.testing.v1 import AppTest, app_test
from streamlit.testing.v1.element_tree import Block

from paiview.registry.connection import disconnect
from tests.harness.server import refusal, reply
from tests.harness.service import Service, version
from tests.pages.conftest import Run, page_text, reported, unescaped


def names(app: AppTest) -> list[str]:
    """The versions of the table, from top to bottom."""
    return [name.removesuffix(" ›") for name in app.dataframe[0].value[("", "Version")]]


def columns(app: AppTest) -> list[tuple[str, str]]:
    """The two heads of each column."""
    return [*app.dataframe[0].value.columns]


def look(app: AppTest) -> dict[tuple[str, str], dict[str, Any]]:
    """The configuration of the table's columns."""
    by_place = json.loads(app.dataframe[0].proto.columns)
    return {head: by_place.get(f"_pos:{place}", {}) for place, head in enumerate(columns(app), 1)}


def cells(app: AppTest, head: tuple[str, str]) -> list[str]:
    """A column as the reader sees it."""
    shown = convert_arrow_bytes_to_pandas_df(app.dataframe[0].proto.arrow_data.styler.display_values)
    return [str(cell) for cell in shown.iloc[:, columns(app).index(head)]]


def fields(app: AppTest) -> dict[str, str]:
    """The fields of the version in detail."""
    table = next(frame.value for frame in app.dataframe if list(frame.value.columns) == ["field", "value"])
    return copied(app, "version") | dict(zip(table["field"], table["value"], strict=True))


def copied(app: AppTest, key: str) -> dict[str, str]:
    """The texts that have an icon that copies them, by their label."""
    block = cast("Block", app.get_by_key(f"copied-{key}"))
    return {label.value: text.value for label, text in zip(block.caption, block.code, strict=True)}


def links(app: AppTest) -> dict[str, str]:
    """The links out of paiview: label to address."""
    return {link.proto.label: link.proto.url for link in app.get("link_button")}


@pytest.mark.parametrize(
    ("key", "value", "parameter"),
    [
        ("approval_status", "Approved", "ApprovalStatus"),
        ("version_name", "0.4.0", "VersionName"),
        ("label", "语言", "Label"),
        ("framework_type", "PyTorch", "FrameworkType"),
        ("framework_type", "MindSpore", "FrameworkType"),
        ("format_type", "Keras H5", "FormatType"),
        ("source_type", "PAIFlow", "SourceType"),
        ("source_id", "region=cn-shanghai,workspaceId=1", "SourceId"),
    ],
)
def test_a_filter_of_the_url_is_part_of_the_request(
    run: Run, service: Service, key: str, value: str, parameter: str
) -> None:
    app = run("versions", model="model-asr", **{key: value})
    assert reported(app) == ""
    assert value in [query.get(parameter) for query in service.asked("models/model-asr/versions")]


@pytest.mark.parametrize(
    ("key", "typed", "parameter", "sent"),
    [
        ("approval_status", "approved", "ApprovalStatus", "Approved"),
        ("format_type", "onnx", "FormatType", "ONNX"),
        ("source_type", "pai_flow", "SourceType", "PAIFlow"),
        ("label", "label=team=speech", "Label", "speech"),
    ],
)
def test_a_filter_is_forgiven_its_spelling(
    run: Run, service: Service, key: str, typed: str, parameter: str, sent: str
) -> None:
    app = run("versions", model="model-asr", **{key: typed})
    assert reported(app) == ""
    assert sent in [query.get(parameter) for query in service.asked("models/model-asr/versions")]


def test_a_status_that_pai_does_not_have_is_named_and_ignored(run: Run, service: Service) -> None:
    app = run("versions", model="model-asr", approval_status="archived")
    assert "approval\\_status = archived" in reported(app)
    assert {query.get("ApprovalStatus") for query in service.asked("models/model-asr/versions")} == {None}


def test_filters_offer_the_values_of_the_data_beside_the_documented_ones(run: Run, service: Service) -> None:
    for item in service.versions["model-asr"]:
        item |= {"FrameworkType": "MindSpore", "SourceId": "run-1", "Labels": [{"Key": "team", "Value": "speech"}]}
    app = run("versions", model="model-asr", framework_type="Keras")
    offered = {box.key: box.options for box in app.selectbox}
    assert offered["framework_type"][-1] == "MindSpore"
    assert "Pytorch" in offered["framework_type"]
    assert offered["version_name"] == ["0.10.0", "0.2.0", "0.1.0"]
    assert (offered["label"], offered["source_id"]) == (["team=speech"], ["run-1"])


def test_without_filters_the_request_has_only_the_page_and_its_order(run: Run, service: Service) -> None:
    run("versions", model="model-asr")
    asked = service.asked("models/model-asr/versions")
    assert [sorted(query) for query in asked] == [["Order", "PageNumber", "PageSize", "SortBy"]]


def test_the_newest_come_first_with_their_numbers(run: Run) -> None:
    app = run("versions", model="model-asr")
    assert names(app) == ["0.10.0", "0.2.0", "0.1.0"]
    cer = "cer ↓ lower is better"
    assert columns(app) == [
        ("", "Version"),
        ("", "Status"),
        ("", "Created (UTC)"),
        (cer, "AISHELL-1"),
        (cer, "d-meeting"),
        ("", "Description"),
    ]
    assert app.dataframe[0].value[(cer, "AISHELL-1")].tolist() == [0.04, 0.06, 0.05]
    assert look(app)[(cer, "AISHELL-1")]["type_config"]["format"] == "%.2f"


def test_a_status_is_a_chip_in_the_colour_of_its_meaning(run: Run, service: Service) -> None:
    service.versions["model-asr"].append(version("0.11.0", "2024-04-01", ApprovalStatus="Archived"))
    app = run("versions", model="model-asr")
    chips = [list(cell) for cell in app.dataframe[0].value[("", "Status")]]
    assert chips == [["Archived"], ["○ Pending"], ["✕ Rejected"], ["✓ Approved"]]
    options = look(app)[("", "Status")]["type_config"]["options"]
    colours = {option["value"]: option["color"] for option in options}
    assert colours == {"○ Pending": "yellow", "✓ Approved": "green", "✕ Rejected": "gray", "Archived": "gray"}


def test_changes_are_the_effects_against_what_is_approved_now(run: Run) -> None:
    app = run("versions", model="model-asr", cells="change", sort="version")
    assert names(app) == ["0.1.0", "0.2.0", "0.10.0"]
    cer = "cer ↓ lower is better"
    assert cells(app, (cer, "AISHELL-1")) == ["0.0 %", "−20.0 %", "+20.0 %"]
    assert app.dataframe[0].value[(cer, "d-meeting")].round(9).tolist()[::2] == [0.0, -0.05]
    styles = app.dataframe[0].proto.arrow_data.styler.styles
    for row, colour in (("row1_col3", "213,94,0"), ("row2_col3", "0,114,178"), ("row0_col3", "0,158,115")):
        rule = next(part for part in styles.split("}") if row in part.partition("{")[0])
        assert colour in rule


def test_a_change_without_an_effect_says_why(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.0}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d": {"cer": 0.1}, "e": {"cer": 0.1}}),
        version("0.3.0", "2024-03-01", {"d": {"cer": 0.0}}),
    ]
    app = run("versions", model="model-asr", cells="change", sort="version")
    cer = "cer ↓ lower is better"
    table = app.dataframe[0].value
    assert table[(cer, "d")].tolist() == ["=", "from 0", "="]
    assert table[(cer, "e")].dropna().tolist() == ["✚"]


def test_without_an_approved_version_there_is_no_change_to_show(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [version("0.1.0", "2024-01-01", {"d": {"cer": 0.1}})]
    app = run("versions", model="model-asr", cells="change")
    assert "No version is approved" in reported(app)
    assert app.dataframe[0].value[("cer ↓ lower is better", "d")].tolist() == [0.1]


def test_what_is_approved_now_is_known_under_a_filter_that_leaves_it_out(run: Run) -> None:
    app = run("versions", model="model-asr", cells="change", approval_status="Pending")
    assert names(app) == ["0.10.0"]
    assert cells(app, ("cer ↓ lower is better", "AISHELL-1")) == ["+20.0 %"]
    assert "1 of 3 versions pass the filters" in page_text(app)


def test_an_active_filter_is_a_chip_that_removes_it(run: Run) -> None:
    app = run("versions", model="model-asr", dataset=["d-meeting"], max="0.205", version_name="0.1.0")
    chips = [unescaped(button.label) for button in app.button if (button.key or "").startswith("chip-")]
    assert chips == ["d-meeting", "cer to 0.205", "VersionName 0.1.0"]
    assert names(app) == ["0.1.0"]
    app.button(key="chip-2").click().run()
    assert names(app) == ["0.1.0"]
    app.button(key="chip-1").click().run()
    assert names(app) == ["0.10.0", "0.1.0"]
    app.button(key="clear-filters").click().run()
    assert len(names(app)) == 3
    assert not any((button.key or "").startswith("chip-") for button in app.button)


def test_statuses_are_picked_by_pills_with_their_counts(run: Run) -> None:
    app = run("versions", model="model-asr", status=["Approved", "Unheard"])
    assert names(app) == ["0.1.0"]
    assert "status = Unheard" in unescaped(reported(app))
    pills = next(group for group in app.button_group if group.key == "status")
    assert [unescaped(option) for option in pills.options] == ["○ 1 pending", "✓ 1 approved", "✕ 1 rejected"]


def test_ticks_are_kept_on_other_pages_of_the_table(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [version(f"0.{number}.0", "2024-01-01") for number in range(30)]
    app = run("versions", model="model-asr", sort="version")
    app.session_state["ticked-versions"] = ("model-asr", ["0.1.0", "0.29.0"])
    app.run()
    assert "2 versions ticked" in page_text(app)
    assert "2 versions side by side" in page_text(app)
    app.button(key="chip-ticked-0").click().run()
    assert "1 version ticked" in page_text(app)
    assert app.session_state["ticked-versions"] == ("model-asr", ["0.29.0"])


def test_an_old_link_that_names_the_order_of_the_listing_is_read(run: Run, service: Service) -> None:
    app = run("versions", model="model-asr", order="DESC")
    assert reported(app) == ""
    assert [query["Order"] for query in service.asked("models/model-asr/versions")] == ["ASC"]


def test_the_best_of_each_column_is_marked_by_its_direction(run: Run) -> None:
    styles = run("versions", model="model-asr").dataframe[0].proto.arrow_data.styler.styles
    marked = next(part for part in styles.split("}") if "font-weight" in part).partition("{")[0]
    assert "_row0_col3" in marked  # cer 0.04 of 0.10.0 on d-aishell
    assert "_row2_col4" in marked  # cer 0.20 of 0.1.0 on d-meeting
    assert marked.count("row") == 2


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"text": "FIRST"}, ["0.1.0"]),
        ({"created_from": "2024-02-01"}, ["0.10.0", "0.2.0"]),
        ({"created_to": "2024-01-31"}, ["0.1.0"]),
        ({"max": "0.045"}, ["0.10.0"]),
        ({"min": "0.05", "max": "0.06"}, ["0.2.0", "0.1.0"]),
        ({"dataset": "d-meeting"}, ["0.10.0", "0.1.0"]),
        ({"metric": "rtf", "max": "1"}, ["0.1.0"]),
        ({"sort": "version"}, ["0.1.0", "0.2.0", "0.10.0"]),
        ({"sort": "cer@d-aishell"}, ["0.10.0", "0.1.0", "0.2.0"]),
        ({"sort": "-cer@d-meeting"}, ["0.10.0", "0.1.0", "0.2.0"]),
        ({"sort": "status"}, ["0.1.0", "0.10.0", "0.2.0"]),
    ],
)
def test_the_url_filters_and_sorts_the_frame(run: Run, parameters: dict[str, str], expected: list[str]) -> None:
    assert names(run("versions", model="model-asr", **parameters)) == expected


def test_the_url_chooses_the_columns(run: Run) -> None:
    app = run("versions", model="model-asr", columns=["uri", "framework"], metric="rtf")
    assert [name for _, name in columns(app)] == ["Version", "AISHELL-1", "Uri", "Framework"]


def test_a_search_finds_columns_where_a_table_has_many(run: Run, service: Service) -> None:
    assert "find" not in [field.key for field in run("versions", model="model-asr").text_input]
    results = {f"d-{number:02}": {"cer": 0.1} for number in range(30)} | {"d-aishell": {"cer": 0.2}}
    service.versions["model-asr"] = [version("0.1.0", "2024-01-01", results)]
    disconnect()
    app = run("versions", model="model-asr", columns="uri")
    assert len(columns(app)) == 2 + 24
    app.text_input("find").input("D-2").run()
    assert [name for _, name in columns(app)[1:-1]] == [f"d-{number}" for number in range(20, 30)]
    app.text_input("find").input("aishell-1").run()
    assert [name for _, name in columns(app)[1:-1]] == ["AISHELL-1"]
    app.text_input("find").input("no such column").run()
    assert [name for _, name in columns(app)] == ["Version", "Uri"]


def test_ranges_the_wrong_way_round_are_named(run: Run) -> None:
    app = run("versions", model="model-asr", min="2", max="1", created_from="2024-02-01", created_to="2024-01-01")
    assert "The range is the wrong way round" in reported(app)
    assert "The dates are the wrong way round" in reported(app)


def test_filters_of_a_link_that_cannot_be_read_are_named_and_ignored(run: Run) -> None:
    app = run("versions", model="model-asr", created_from="tomorrow", max="lots", columns="colour", cells="bars")
    for wrong in ("created_from = tomorrow", "max = lots", "columns = colour", "cells = bars"):
        assert wrong.replace("_", "\\_") in reported(app)
    assert len(names(app)) == 3


def test_empty_parameters_ask_for_nothing(run: Run) -> None:
    app = run("versions", model="", metric="", sort="", created_from="", version="", approval_status="")
    assert reported(app) == ""
    assert app.title[0].value == "asr"


def test_rows_that_filters_hide_are_counted(run: Run) -> None:
    app = run("versions", model="model-asr", max="0.055")
    assert names(app) == ["0.10.0", "0.1.0"]
    assert "2 of 3 versions pass the filters" in page_text(app)
    fields = {field.key: field.help for field in app.number_input}
    assert "one of its values is in the range" in fields["min"]
    assert fields["max"] == fields["min"]
    assert "pass the filters" not in page_text(run("versions", model="model-asr")).replace("that pass the filters", "")


def test_a_filter_that_no_version_passes_says_what_to_do(run: Run) -> None:
    app = run("versions", model="model-asr", text="no such version")
    assert "0 of 3 versions pass the filters" in page_text(app)
    app.button(key="clear-filters-here").click().run()
    assert len(names(app)) == 3


def test_a_model_without_versions_asks_nobody_to_clear_a_filter(run: Run, service: Service) -> None:
    service.versions["model-asr"] = []
    app = run("versions", model="model-asr")
    assert "pass the filters" not in page_text(app)
    assert any("This model has no versions" in item.value for item in app.info)


def test_every_version_of_a_long_list_can_be_reached(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [version(f"0.{number}.0", "2024-01-01") for number in range(60)]
    last = run("versions", model="model-asr", page="3", sort="version")
    assert names(last) == [f"0.{number}.0" for number in range(50, 60)]
    assert "Versions 51 to 60 of 60" in page_text(last)
    assert names(run("versions", model="model-asr", page="4", sort="version")) == names(last)
    beyond = run("versions", model="model-asr", page="999", sort="version")
    assert "The link asks for page 999, and there are 3: page 3 is shown." in reported(beyond)
    for wrong in ("0", "-1", "two", "9" * 20):
        assert f"page = {wrong.replace('-', chr(92) + '-')}" in reported(run("versions", model="model-asr", page=wrong))


def test_a_filter_that_leaves_fewer_pages_shows_the_last_of_them_without_a_warning(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version(f"0.{number}.0", "2024-01-01", VersionDescription="kept" if number < 30 else "") for number in range(60)
    ]
    app = run("versions", model="model-asr", sort="version", page="3")
    app.text_input(key="text").input("kept").run()
    assert names(app) == [f"0.{number}.0" for number in range(25, 30)]
    assert reported(app) == ""
    app.text_input(key="text").input("nothing like it").run()
    assert reported(app) == ""


def test_an_unknown_version_is_named(run: Run) -> None:
    app = run("versions", model="model-asr", version="9.9.9")
    assert "version = 9\\.9\\.9" in reported(app)
    assert len(app.tabs) == 0


def test_an_unknown_model_gives_code_and_request_id_and_no_table(run: Run) -> None:
    app = run("versions", model="model-nobody")
    assert "201900002" in reported(app)
    assert "R\\-201900002" in reported(app)
    assert len(app.dataframe) == 0


def test_a_model_missing_from_the_list_is_read_by_its_id(run: Run, service: Service) -> None:
    service.versions["model-other"] = [version("1.0.0", "2024-01-01")]
    service.refusals["/api/v1/models/model-other"] = reply({"ModelId": "model-other", "ModelName": "elsewhere"})
    app = run("versions", model="model-other")
    assert app.title[0].value == "elsewhere"
    assert names(app) == ["1.0.0"]


def test_dataset_names_that_cannot_be_read_leave_the_ids(run: Run, service: Service) -> None:
    service.refusals["/api/v1/datasets"] = refusal("NoPermission", 403)
    app = run("versions", model="model-asr")
    assert reported(app) == ""
    assert ("cer ↓ lower is better", "d-aishell") in columns(app)


def test_a_version_is_shown_with_all_its_fields(run: Run, service: Service) -> None:
    service.versions["model-asr"].append(
        version(
            "1.0.0",
            "2024-04-01",
            {"d-aishell": {"cer": 0.03}},
            Uri="oss://bucket/models/1/",
            SourceType="TrainingService",
            SourceId="region=cn-shanghai,workspaceId=7,kind=TrainingJob,id=train1",
            Labels=[{"Key": "language", "Value": "zh"}],
            Options='{"speed": 3}',
            ExtraInfo={
                "ApprovalStatus": "Approved",
                "TrainedWords": ["dog", "cat"],
                "CoverUris": ["https://covers.example/1.png", "javascript:x"],
            },
            InferenceSpec={"processor": "pytorch", "env": {"API_TOKEN": "canary-of-the-spec"}},
            NewField={"added": "later"},
            UserId=20030,
            OwnerId="10030",
        )
    )
    app = run("versions", model="model-asr", version="1.0.0")
    found = fields(app)
    assert found["Uri"] == "oss://bucket/models/1/"
    assert found["Source workspace"] == "7"
    assert found["Source kind"] == "TrainingJob"
    assert found["Source run"] == "train1"
    assert found["Label language"] == "zh"
    assert found["TrainedWords"] == "dog, cat"
    assert found["ApprovalStatus"] == "Pending"
    assert found["ExtraInfo ApprovalStatus"] == "Approved"
    assert found["NewField"] == '{"added": "later"}'
    assert (found["ModelId"], found["VersionName"], found["UserId"], found["OwnerId"]) == (
        "model-asr",
        "1.0.0",
        "20030",
        "10030",
    )
    assert found["SourceId"] == "region=cn-shanghai,workspaceId=7,kind=TrainingJob,id=train1"
    assert found["Source region"] == "cn-shanghai"
    assert links(app)["Open the training job"].endswith("?regionId=cn-shanghai&workspaceId=7#/training/jobs/train1")
    shown = [json.loads(tree.value) for tree in app.json]
    assert {"speed": 3} in shown
    assert {"processor": "pytorch", "env": {"API_TOKEN": "••••"}} in shown
    assert "canary-of-the-spec" not in str(shown)
    assert not app.get("imgs")
    assert [url for label, url in links(app).items() if "cover" in label] == ["https://covers.example/1.png"]


def test_a_version_names_its_files_of_results_by_item(run: Run, service: Service) -> None:
    results = [
        {"Dataset": {"DatasetId": "d-meeting"}, "Metrics": {"cer": 0.1}, "Details": "oss://bucket/items *1*.jsonl"},
        {"Dataset": {"DatasetId": "d-other"}, "Metrics": {"cer": 0.1}},
    ]
    service.versions["model-asr"].append(version("1.0.0", "2024-04-01", Metrics={"Results": results}))
    shown = [code.value for code in run("versions", model="model-asr", version="1.0.0").code]
    assert "paiview explain BASELINE.jsonl CANDIDATE.jsonl" in shown
    assert "oss://bucket/items *1*.jsonl" in shown
    without = [code.value for code in run("versions", model="model-asr", version="0.10.0").code]
    assert not any("paiview explain" in code for code in without)


@pytest.mark.parametrize(
    ("kind", "source_type", "label", "page"),
    [
        ("PipelineRun", "PAIFlow", "Open the pipeline run", "studio/task/detail/run-1"),
        ("TrainingJob", "TrainingService", "Open the training job", "training/jobs/run-1"),
        ("ServiceJob", "TrainingService", "Open the service job", "training/jobs/run-1"),
    ],
)
def test_a_version_leads_to_its_run_and_to_its_approval_in_the_console(
    run: Run, service: Service, kind: str, source_type: str, label: str, page: str
) -> None:
    """The endpoint names no region, so the source in the workspace of the model does."""
    source: dict[str, Any] = {"SourceType": source_type, "SourceId": f"region=cn-x,workspaceId=7,kind={kind},id=run-1"}
    service.versions["model-asr"].append(version("1.0.0", "2024-04-01", **source))
    service.versions["model-asr"].append(version("1.1.0", "2024-04-01", **source, ApprovalStatus="Approved"))
    found = links(run("versions", model="model-asr", version="1.0.0"))
    workspace = "https://pai.console.aliyun.com/?regionId=cn-x&workspaceId=7#/"
    assert found[label] == workspace + page
    assert found["Approve in PAI ↗"] == f"{workspace}workspace/overview"
    assert "Open in PAI ↗" in links(run("versions", model="model-asr", version="1.1.0"))


def test_a_source_of_another_workspace_does_not_tell_the_region(run: Run, service: Service) -> None:
    source: dict[str, Any] = {
        "SourceType": "PAIFlow",
        "SourceId": "region=cn-x,workspaceId=8,kind=PipelineRun,id=run-1",
    }
    service.versions["model-asr"].append(version("1.0.0", "2024-04-01", **source))
    assert [*links(run("versions", model="model-asr", version="1.0.0"))] == ["Open the pipeline run"]


def test_ids_and_addresses_of_datasets_stand_side_by_side(run: Run, service: Service) -> None:
    metrics = {
        "Results": [
            {"Dataset": {"DatasetId": "d-aishell", "Uri": "oss://b/aishell/"}, "Metrics": {"cer": 0.1}},
            {"Dataset": {"DatasetId": "d-far"}, "Metrics": {"cer": 0.2}},
        ]
    }
    service.versions["model-asr"].append(version("1.0.0", "2024-04-01", Metrics=metrics))
    app = run("versions", model="model-asr", version="1.0.0")
    assert copied(app, "dataset-0") == {"DatasetId": "d-aishell", "Uri": "oss://b/aishell/"}
    for result in range(20):
        metrics["Results"].append({"Dataset": {"DatasetId": f"d-{result}", "Uri": f"oss://b/{result}"}, "Metrics": {}})
        metrics["Results"][-1]["Metrics"] = {"cer": 0.3}
    app.button(key="refresh").click().run()
    table = next(frame.value for frame in app.dataframe if "DatasetId" in frame.value.columns)
    assert table[["Dataset", "DatasetId", "Uri"]].to_numpy().tolist()[:2] == [
        ["AISHELL-1", "d-aishell", "oss://b/aishell/"],
        ["d-0", "d-0", "oss://b/0"],
    ]


def test_metrics_are_shown_as_stored(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [version("1.0.0", "2024-04-01", Metrics='{"cer": 0.1, "api_key": "canary-1"}')]
    app = run("versions", model="model-asr", version="1.0.0")
    (section,) = [section for section in app.expander if section.label == "Metrics as stored"]
    assert [json.loads(tree.value) for tree in section.json] == [{"cer": 0.1, "api_key": "••••"}]
    service.versions["model-asr"] = [version("1.0.0", "2024-04-01", Metrics={})]
    app.button(key="refresh").click().run()
    assert not [section for section in app.expander if section.label == "Metrics as stored"]


def test_a_time_is_told_on_the_clock_of_the_reader_with_utc_in_a_tooltip(run: Run) -> None:
    app = run("versions", model="model-asr", version="0.1.0")
    shown = next(item for item in app.markdown if "created" in item.value)
    assert "created 2024-01-01 00:00:00 UTC" in unescaped(shown.value)
    assert not shown.proto.help
    app.context = {"timezone": "Asia/Shanghai"}
    app.run()
    shown = next(item for item in app.markdown if "created" in item.value)
    assert unescaped(shown.value) == "✓ Approved created 2024-01-01 08:00:00 Asia/Shanghai"
    assert unescaped(shown.proto.help) == "created 2024-01-01 00:00:00 UTC"


def test_an_effect_of_the_errors_is_marked_and_explained(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"accuracy": 0.9, "cer": 0.1}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d": {"accuracy": 0.95, "cer": 0.05}}),
    ]
    app = run("versions", model="model-asr", version="0.2.0", cells="change", metric=["accuracy", "cer"])
    results = next(frame.value for frame in app.dataframe[1:] if "change" in frame.value.columns)
    assert dict(zip(results["metric"], results["change"], strict=True)) == {"accuracy": "+50.0 % †", "cer": "+50.0 %"}
    assert cells(app, ("accuracy ↑ higher is better", "d")) == ["+50.0 % †", "0.0 %"]
    assert cells(app, ("cer ↓ lower is better", "d")) == ["+50.0 %", "0.0 %"]
    explained = [item.value for item in app.caption if "† of the errors" in item.value]
    assert len(explained) == 2
    assert "† of the errors" not in page_text(run("versions", model="model-asr", cells="change", metric="cer"))


def test_a_report_for_each_class_is_folded_below_what_is_of_the_whole(run: Run, service: Service) -> None:
    classes = {f"class{number}": {"precision": 0.5, "recall": 0.5, "f1-score": 0.5} for number in range(100)}
    for day, (name, accuracy) in enumerate((("1.0.0", 0.9), ("1.1.0", 0.8)), 1):
        metrics = {"Results": [{"Dataset": {"DatasetId": "d"}, "Metrics": {**classes, "accuracy": accuracy}}]}
        service.versions["model-asr"].append(version(name, f"2024-04-0{day}", Metrics=metrics))
    app = run("versions", model="model-asr", version="1.1.0")
    results = [frame.value for frame in app.dataframe if "metric" in frame.value.columns]
    assert [len(table) for table in results] == [20, 281]
    assert results[0]["metric"][0] == "accuracy"
    assert "300 flagged in this version: 300 results nested" in unescaped(reported(app))
    (more,) = [section for section in app.expander if "more" in section.label]
    assert "…and 281 more:" in unescaped(more.label)
    assert "precision ×" in unescaped(more.label)
    app.session_state["more-side-by-side"] = True
    app.session_state["ticked-versions"] = ("model-asr", ["1.0.0", "1.1.0"])
    app.run()
    tables = [frame.value for frame in app.dataframe if "metric" in frame.value.columns]
    assert sorted(len(table) for table in tables) == [20, 20, 281, 281]
    assert {*tables[0]["metric"], *tables[1]["metric"]} == {
        "accuracy",
        *(f"class{n}.{m}" for n in range(100) for m in ("precision", "recall", "f1-score")),
    }


def test_odd_data_keep_their_row_and_are_flagged(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        {"VersionName": "odd", "Metrics": {"Results": [{"Dataset": None, "Metrics": {"cer": "0,1"}}]}},
        {"Metrics": None, "GmtCreateTime": "yesterday"},
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.1}}),
    ]
    app = run("versions", model="model-asr", version="odd")
    assert sorted(names(app)) == ["(unnamed 2)", "0.1.0", "odd"]
    assert "3 of 3 versions" in page_text(app)
    assert "flagged field" in page_text(app)
    results = next(frame.value for frame in app.dataframe[1:] if "raw" in frame.value.columns)
    assert results["raw"].tolist() == ['"0,1"']


def test_results_of_a_version_have_the_decimals_of_the_table_of_versions(run: Run, service: Service) -> None:
    twice = {
        "Results": [
            {"Dataset": {"DatasetId": "d"}, "Metrics": {"ppl": 1234567.891, "tokens": 10**12 + 1, "wer": 0.25}},
            {"Dataset": {"DatasetId": "e"}, "Metrics": {"cer": 0.123}},
            {"Dataset": {"DatasetId": "e"}, "Metrics": {"cer": 0.1234}},
        ]
    }
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", Metrics=twice),
        version("0.2.0", "2024-01-02", {"d": {"ppl": 1.0, "tokens": 3, "wer": 0.0625}}),
    ]
    app = run("versions", model="model-asr", version="0.1.0", metric=["ppl", "tokens", "wer"])
    results = next(frame for frame in app.dataframe[1:] if "value" in frame.value.columns and len(frame.value) > 2)
    written = convert_arrow_bytes_to_pandas_df(results.proto.arrow_data.styler.display_values)
    shown = written.set_axis(results.value.columns, axis="columns")[["metric", "value"]]
    assert list(shown.itertuples(index=False, name=None)) == [
        ("ppl", "1234567.891"),
        ("tokens", "1000000000001"),
        ("wer", "0.2500"),
        ("cer", "0.123"),
        ("cer", "0.1234"),
    ]
    formats = {
        metric.split()[0]: column["type_config"]["format"] for (metric, _), column in look(app).items() if metric
    }
    assert formats == {"ppl": "%.3f", "tokens": "%.0f", "wer": "%.4f"}


def test_a_version_in_detail_shows_its_change_against_what_is_approved_now(run: Run) -> None:
    app = run("versions", model="model-asr", version="0.10.0")
    results = next(frame.value for frame in app.dataframe[1:] if "change" in frame.value.columns)
    assert results[["dataset", "change", "value", "approved", "metric"]].to_numpy().tolist() == [
        ["AISHELL-1", "+20.0 %", 0.04, 0.05, "cer"],
        ["d-meeting", "−5.0 %", 0.21, 0.2, "cer"],
    ]
    assert "change" not in [
        name for frame in run("versions", model="model-asr", version="0.1.0").dataframe[1:] for name in frame.value
    ]


@pytest.mark.parametrize("page", ["versions", "compare", "trends"])
def test_the_source_says_what_was_read_where_and_when(run: Run, page: str) -> None:
    app = run(page, model="model-asr")
    text = unescaped(page_text(app))
    assert "http://127.0.0.1:" in text
    assert "workspace 7" in text
    assert re.search(r"read \d+ s ago \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)", text)
    assert "3 of 3 versions" in text
    assert [code.value for code in app.code if code.value == "R-good"] == ["R-good"]


def test_refresh_reads_the_versions_again(run: Run, service: Service) -> None:
    app = run("versions", model="model-asr")
    service.versions["model-asr"].append(version("2.0.0", "2024-05-01"))
    assert "2.0.0" not in names(app.run())
    app.button(key="refresh").click().run()
    assert names(app)[0] == "2.0.0"


def test_text_of_the_service_is_no_markdown(run: Run, service: Service) -> None:
    service.models[0]["ModelName"] = "[click](https://evil.example) :red[x] $y$ <b>z</b>"
    app = run("versions", model="model-asr")
    assert app.title[0].value.startswith("\\[click\\]\\(")
    assert "<b>" not in app.title[0].value


class Downloads:
    """The files behind the download buttons of the last run, which Streamlit's test runner drops at its end."""

    def begin(self, storage: MemoryMediaFileStorage) -> MediaFileManager:
        self._files = storage
        self._manager = MediaFileManager(storage)
        return self._manager

    def named(self, app: AppTest) -> dict[str, bytes]:
        """The name and the content of every file that the menu offers."""
        files = {}
        for button in app.get("download_button"):
            url = self._manager.execute_deferred(button.proto.deferred_file_id)
            file = self._files.get_file(url.rpartition("/")[2])
            files[str(file.filename)] = file.content
        return files


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Downloads:
    downloads = Downloads()
    monkeypatch.setattr(app_test, "MediaFileManager", downloads.begin)
    return downloads


def tables(files: Mapping[str, bytes], name: str) -> list[pd.DataFrame]:
    """The table of CSV, JSON and Parquet, every cell as text."""
    read = [
        pd.read_csv(io.BytesIO(files[f"{name}.csv"])),
        pd.DataFrame(json.loads(files[f"{name}.json"])),
        pd.read_parquet(io.BytesIO(files[f"{name}.parquet"])),
    ]
    return [frame.astype(dict.fromkeys(frame.columns, "str")) for frame in read]


def test_every_download_has_the_rows_that_are_shown_and_every_field(
    run: Run, service: Service, downloads: Downloads
) -> None:
    service.versions["model-asr"].append(
        version(
            "1.0.0",
            "2024-04-01",
            {"d-aishell": {"cer": 0.03}},
            Uri="oss://bucket/models/1/",
            SourceType="TrainingService",
            SourceId="region=cn-shanghai,workspaceId=7,kind=TrainingJob,id=train1",
            Options='{"password": "canary"}',
            ExtraInfo={"token": "canary"},
            InferenceSpec={"env": [{"name": "A", "value": "canary"}]},
            VersionDescription="=1+1",
        )
    )
    app = run("versions", model="model-asr", sort="-version", max="0.045", columns="status")
    assert not app.get("download_button")
    app.session_state["downloads"] = True
    app.run()
    files = downloads.named(app)
    forms = ("csv", "json", "parquet")
    assert {*files} == {f"model-asr-{name}.{form}" for name in ("versions", "results") for form in forms}
    as_csv, as_json, as_parquet = tables(files, "model-asr-versions")
    for table in (as_csv, as_json, as_parquet):
        assert table["version_name"].tolist() == names(app) == ["1.0.0", "0.10.0"]
        assert [*table] == [*as_csv]
        first = table.iloc[0]
        assert (first["uri"], first["source_kind"], first["source_run"]) == (
            "oss://bucket/models/1/",
            "TrainingJob",
            "train1",
        )
        assert first["options"] == '{"password": "••••"}'
        assert first["extra_info"] == '{"token": "••••"}'
        assert "••••" in first["inference_spec"]
        assert first["cer@d-aishell"] == "0.03"
    assert (as_csv["description"][0], as_json["description"][0], as_parquet["description"][0]) == (
        "'=1+1",
        "=1+1",
        "=1+1",
    )
    for table in tables(files, "model-asr-results"):
        rows = table[["version_name", "dataset", "metric", "value"]].to_numpy().tolist()
        assert rows == [
            ["1.0.0", "d-aishell", "cer", "0.03"],
            ["0.10.0", "d-aishell", "cer", "0.04"],
            ["0.10.0", "d-meeting", "cer", "0.21"],
        ]
    assert not any(b"canary" in content for content in files.values())


def test_the_results_that_are_downloaded_are_those_of_the_chosen_metric(run: Run, downloads: Downloads) -> None:
    app = run("versions", model="model-asr", metric="rtf")
    app.session_state["downloads"] = True
    app.run()
    files = downloads.named(app)
    assert [row["metric"] for row in json.loads(files["model-asr-results.json"])] == ["rtf"]
    assert [row["version_name"] for row in json.loads(files["model-asr-versions.json"])] == names(app)


def test_trends_offers_the_numbers_drawn(run: Run, downloads: Downloads) -> None:
    app = run("trends", model="model-asr", dataset="d-meeting")
    app.session_state["downloads"] = True
    app.run()
    files = downloads.named(app)
    assert {*files} == {f"model-asr-trends.{form}" for form in ("csv", "json", "parquet")}
    for table in tables(files, "model-asr-trends"):
        assert table[["version_name", "value"]].to_numpy().tolist() == [["0.1.0", "0.2"], ["0.10.0", "0.21"]]

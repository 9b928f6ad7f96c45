"""Versions: every filter and field, the table, and one version in detail."""

import json
from typing import Any

import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from tests.harness.server import refusal, reply
from tests.harness.service import Service, version
from tests.pages.conftest import Run, page_text, reported


def names(app: AppTest) -> list[str]:
    """The versions of the table, from top to bottom."""
    return list(app.dataframe[0].value["version"])


def columns(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value.columns)


def look(app: AppTest) -> dict[str, dict[str, Any]]:
    """The configuration of the table's columns."""
    return dict(json.loads(app.dataframe[0].proto.columns))


def fields(app: AppTest) -> dict[str, str]:
    """The fields of the version in detail."""
    table = next(frame.value for frame in app.dataframe if list(frame.value.columns) == ["field", "value"])
    return dict(zip(table["field"], table["value"], strict=True))


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
        ("order", "DESC", "Order"),
    ],
)
def test_a_filter_of_the_url_is_part_of_the_request(
    run: Run, service: Service, key: str, value: str, parameter: str
) -> None:
    app = run("versions", model="model-asr", **{key: value})
    assert reported(app) == ""
    assert value in [query.get(parameter) for query in service.asked("models/model-asr/versions")]


def test_without_filters_the_request_has_only_the_page_and_its_order(run: Run, service: Service) -> None:
    run("versions", model="model-asr")
    asked = service.asked("models/model-asr/versions")
    assert [sorted(query) for query in asked] == [["Order", "PageNumber", "PageSize", "SortBy"]]


def test_the_newest_come_first_with_their_numbers(run: Run) -> None:
    app = run("versions", model="model-asr")
    assert names(app) == ["0.10.0", "0.2.0", "0.1.0"]
    assert columns(app) == ["version", "status", "created", "cer@d-aishell", "cer@d-meeting", "description"]
    assert app.dataframe[0].value["cer@d-aishell"].tolist() == [0.04, 0.06, 0.05]
    assert look(app)["cer@d-aishell"]["label"] == "cer ↓ AISHELL-1"
    assert look(app)["cer@d-aishell"]["type_config"]["format"] == "%.2f"


def test_the_best_of_each_column_is_marked_by_its_direction(run: Run) -> None:
    styles = run("versions", model="model-asr").dataframe[0].proto.arrow_data.styler.styles
    marked = styles.partition("{")[0]
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
    assert columns(app) == ["version", "framework", "rtf@d-aishell", "uri"]


def test_ranges_the_wrong_way_round_are_named(run: Run) -> None:
    app = run("versions", model="model-asr", min="2", max="1", created_from="2024-02-01", created_to="2024-01-01")
    assert "The range is the wrong way round" in reported(app)
    assert "The dates are the wrong way round" in reported(app)


def test_filters_of_a_link_that_cannot_be_read_are_named_and_ignored(run: Run) -> None:
    app = run("versions", model="model-asr", created_from="tomorrow", max="lots", columns="colour", order="SIDEWAYS")
    for wrong in ("created_from = tomorrow", "max = lots", "columns = colour", "order = SIDEWAYS"):
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
    assert any("No versions pass the filters" in item.value for item in app.info)


def test_every_version_of_a_long_list_can_be_reached(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [version(f"0.{number}.0", "2024-01-01") for number in range(60)]
    last = run("versions", model="model-asr", page="3", sort="version")
    assert names(last) == [f"0.{number}.0" for number in range(50, 60)]
    assert "Versions 51 to 60 of 60" in page_text(last)
    assert names(run("versions", model="model-asr", page="4", sort="version")) == names(last)
    for wrong in ("4", "0", "-1", "two", "9" * 20):
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
    assert look(app)["cer@d-aishell"]["label"] == "cer ↓ d-aishell"


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
    links = {link.proto.label: link.proto.url for link in app.get("link_button")}
    assert links["Open the training job"].endswith("?regionId=cn-shanghai&workspaceId=7#/training/jobs/train1")
    shown = [json.loads(tree.value) for tree in app.json]
    assert {"speed": 3} in shown
    assert {"processor": "pytorch", "env": {"API_TOKEN": "••••"}} in shown
    assert "canary-of-the-spec" not in str(shown)
    assert not app.get("imgs")
    assert [url for label, url in links.items() if "cover" in label] == ["https://covers.example/1.png"]


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
    results = next(frame.value for frame in app.dataframe if "raw" in frame.value.columns)
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
    results = next(frame for frame in app.dataframe if "value" in frame.value.columns)
    cells = convert_arrow_bytes_to_pandas_df(results.proto.arrow_data.styler.display_values)
    shown = cells.set_axis(results.value.columns, axis="columns")[["metric", "value"]]
    assert list(shown.itertuples(index=False, name=None)) == [
        ("ppl", "1234567.891"),
        ("tokens", "1000000000001"),
        ("wer", "0.2500"),
        ("cer", "0.123"),
        ("cer", "0.1234"),
    ]
    formats = {name: column["type_config"].get("format") for name, column in look(app).items() if "@" in name}
    assert formats == {"ppl@d": "%.3f", "tokens@d": "%.0f", "wer@d": "%.4f"}


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

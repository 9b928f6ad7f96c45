"""Compare: the verdict, its table, its filters, and links that say what they were made with."""

import json
import re
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pandas as pd
import pytest
from starlette.applications import Starlette
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from paiview.cli.main import main as run_command
from paiview.embedded.background_server import HOST, BackgroundServer
from paiview.registry import registry
from paiview.registry.connection import connect, disconnect
from paiview.server import http_api
from paiview.ui import comparison_controls
from tests.harness.server import refusal, reply
from tests.harness.service import Service, version
from tests.pages.conftest import Run, page_text, reported, unescaped


def unapproved(baseline: str, status: str) -> str:
    return f"Baseline {baseline} is {status}: the comparison is with a version that is not approved."


def overruled(baseline: str, by_rule: str) -> str:
    return f"The baseline is {baseline}; the rules choose {by_rule} now."


def copied_link(app: AppTest) -> dict[str, list[str]]:
    """The parameters of the link that the page offers in its list of copies."""
    assert not any("candidate=" in code.value for code in app.code), "It is made only where somebody asks for it."
    app.session_state["copy"] = True
    app.run()
    (link,) = [code.value for code in app.code if "?" in code.value and "candidate=" in code.value]
    return parse_qs(urlsplit(link).query, strict_parsing=True)


def table(app: AppTest, column: str = "state") -> pd.DataFrame:
    """The table that has this column."""
    return next(frame.value for frame in app.dataframe if column in frame.value.columns)


def display(app: AppTest) -> pd.DataFrame:
    """The same table as the reader sees it."""
    frame = next(frame for frame in app.dataframe if "state" in frame.value.columns)
    cells: pd.DataFrame = convert_arrow_bytes_to_pandas_df(frame.proto.arrow_data.styler.display_values)
    return cells.set_axis(frame.value.columns, axis="columns")


def rows(app: AppTest) -> list[tuple[Any, ...]]:
    shown = table(app)[["dataset", "metric", "state"]]
    return list(shown.itertuples(index=False, name=None))


def test_the_newest_pending_version_is_compared_with_the_newest_approved_one(run: Run) -> None:
    app = run("compare", model="model-asr")
    assert reported(app) == ""
    assert app.query_params["candidate"] == "0.10.0"
    assert not {"baseline", "data"} & {*app.query_params}, "What nobody chose follows the rules."
    text = unescaped(page_text(app)).split("\n")
    assert "0.10.0 ○ Pending against 0.1.0 ✓ Approved · newest approved by creation" in text
    assert "## ▲▼ Trade-off &nbsp; ✕ Policy fails" in text
    assert (
        "Worse on 1 of 2 compared results, better on 1. d-meeting loses most: cer 0.20 → 0.21 (−5.0 %). "
        "1 result of the baseline is missing." in text
    )
    assert "▲ 1 better ▼ 1 worse ○ 1 missing" in text
    assert "Missing from the candidate: AISHELL-1 (rtf)" in text
    assert "✕ 2 of 2 checks failed" in text


def test_the_bar_of_the_counts_names_them_for_a_screen_reader(run: Run) -> None:
    (bar,) = [
        found.proto.body
        for found in run("compare", model="model-asr").get("html")
        if 'class="tally"' in found.proto.body
    ]
    assert 'role="img" aria-label="1 better, 1 worse, 1 missing"' in bar
    assert re.findall(r'class="tally-(\w+)" style="flex:(\d+) ', bar) == [
        ("better", "1"),
        ("worse", "1"),
        ("missing", "1"),
    ]


def test_only_the_chosen_picture_is_drawn_and_the_link_holds_it(run: Run) -> None:
    def drawn(app: AppTest) -> tuple[int, int, int]:
        charts = [found for found in app.get("html") if "delta-plot" in found.proto.body]
        pairs = [frame for frame in app.dataframe if "state" in frame.value.columns]
        return len(charts), len(app.get("plotly_chart")), len(pairs)

    app = run("compare", model="model-asr")
    assert drawn(app) == (1, 0, 0)
    assert "picture" not in app.query_params
    assert drawn(run("compare", model="model-asr", picture="raw")) == (0, 1, 0)
    shown = run("compare", model="model-asr", picture="table")
    assert drawn(shown) == (0, 0, 1)
    assert shown.query_params["picture"] == "table"
    assert copied_link(shown)["picture"] == ["table"]
    wrong = run("compare", model="model-asr", picture="matrix")
    assert "picture = matrix" in reported(wrong)
    assert drawn(wrong) == (1, 0, 0)


def test_the_matrix_has_the_effect_of_each_candidate_on_each_pair(run: Run) -> None:
    app = run("compare", model="model-asr", candidate=["0.10.0", "0.2.0"])
    (frame,) = [frame for frame in app.dataframe if "0.10.0" in frame.value.columns]
    assert [*frame.value.columns] == ["dataset", "metric", "baseline", "0.10.0", "0.2.0"]
    cells: pd.DataFrame = convert_arrow_bytes_to_pandas_df(frame.proto.arrow_data.styler.display_values)
    assert {tuple(row) for row in cells.itertuples(index=False, name=None)} == {
        ("d-meeting", "cer", "0.20", "−5.0 %", "–"),
        ("AISHELL-1", "cer", "0.05", "+20.0 %", "−20.0 %"),
        ("AISHELL-1", "rtf", "0.2", "–", "–"),
    }
    assert "▼ 2 worse" in app.button_group(key="state").options
    worse = run("compare", model="model-asr", candidate=["0.10.0", "0.2.0"], state="worse")
    assert {*table(worse, "0.10.0")["metric"]} == {"cer"}
    assert "4 hidden by the filters" in page_text(worse)


def test_a_version_that_shares_nothing_gets_a_link_to_the_one_that_shares_the_most(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.2}, "e": {"cer": 0.2}}, ApprovalStatus="Rejected"),
        version("0.2.0", "2024-02-01", {"f": {"cer": 0.2}}, ApprovalStatus="Approved"),
        version("0.3.0", "2024-03-01", {"d": {"cer": 0.1}, "e": {"cer": 0.1}}),
    ]

    def links(app: AppTest) -> list[tuple[str, dict[str, list[str]]]]:
        found = [item.proto for item in app.get("page_link") if "shares" in item.proto.label]
        return [(unescaped(item.label), parse_qs(item.query_string)) for item in found]

    app = run("compare", model="model-asr", baseline="0.2.0")
    assert "? Not comparable" in page_text(app)
    assert links(app) == [
        (
            "Compare with 0.1.0, which shares 2 results →",
            {"model": ["model-asr"], "candidate": ["0.3.0"], "baseline": ["0.1.0"]},
        )
    ]
    assert links(run("compare", model="model-asr", baseline="0.1.0")) == []


def test_regressions_come_first_and_every_number_is_shown(run: Run) -> None:
    app = run("compare", model="model-asr", picture="table")
    assert rows(app) == [
        ("d-meeting", "cer", "▼ worse"),
        ("AISHELL-1", "rtf", "○ missing"),
        ("AISHELL-1", "cer", "▲ better"),
    ]
    worse = table(app).iloc[0]
    assert (worse["baseline"], worse["candidate"]) == (0.2, 0.21)
    assert worse["change"] == pytest.approx(0.01)
    assert worse["effect"] == pytest.approx(-0.05)


def test_filters_hide_rows_and_never_change_the_verdict(run: Run) -> None:
    app = run("compare", model="model-asr", state="better", metric="cer", picture="table")
    assert rows(app) == [("AISHELL-1", "cer", "▲ better")]
    assert "Trade-off" in page_text(app)
    assert "2 hidden by the filters" in page_text(app)


def test_a_cached_view_is_unchanged_and_follows_data_contracts_and_names(
    run: Run, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chart and the table are cached for all sessions."""
    monkeypatch.setattr(registry, "DECISION_MAX_AGE_SECONDS", 0.0)

    def pages() -> tuple[AppTest, AppTest]:
        return run("compare", model="model-asr"), run("compare", model="model-asr", picture="table")

    def sent(drawn: AppTest, listed: AppTest) -> tuple[str, str]:
        (chart,) = [found for found in drawn.get("html") if "delta-plot" in found.proto.body]
        return chart.proto.body, display(listed).to_json()

    apps = pages()
    first = sent(*apps)
    assert sent(*(app.run() for app in apps)) == sent(*pages()) == first
    seen = [first]
    for change in ("data", "meaning", "name"):
        if change == "data":
            service.versions["model-asr"][2]["Metrics"]["Results"][0]["Metrics"]["cer"] = 0.03
        elif change == "meaning":
            file = tmp_path / "paiview.toml"
            file.write_text("[metrics.cer]\nrelative = 0.02\ndigits = 6\n", encoding="utf-8")
            monkeypatch.setenv("PAIVIEW_CONFIG", str(file))
        else:
            service.datasets[0]["Name"] = "AISHELL-2"
            disconnect()
        shown = sent(*pages())
        assert all(new != old for new, old in zip(shown, seen[-1], strict=True)), change
        seen.append(shown)
    assert len(display(run("compare", model="model-asr", metric=["cer"], picture="table"))) == 2


def test_identical_rows_can_be_hidden(run: Run, service: Service) -> None:
    service.versions["model-asr"][2] = version("0.10.0", "2024-03-01", {"d-aishell": {"cer": 0.05, "rtf": 0.1}})
    assert ("AISHELL-1", "cer", "= same") in rows(run("compare", model="model-asr", picture="table"))
    hiding = run("compare", model="model-asr", hide_identical="true", picture="table")
    assert ("AISHELL-1", "cer", "= same") not in rows(hiding)


def test_several_candidates_are_shown_side_by_side(run: Run) -> None:
    app = run("compare", model="model-asr", candidate=["0.10.0", "0.2.0"])
    shown = table(app, "verdict")
    assert list(shown["version"]) == ["0.10.0", "0.2.0"]
    assert [list(cell) for cell in shown["verdict"]] == [["▲▼ Trade-off"], ["▼ Worse"]]
    assert [list(cell) for cell in shown["status"]] == [["○ Pending"], ["✕ Rejected"]]
    assert [list(cell) for cell in shown["policy"]] == [["✕ fails"], ["✕ fails"]]
    assert list(shown["worst result"]) == ["d-meeting · cer −5.0 %", "AISHELL-1 · cer −20.0 %"]
    assert "## None of 2 candidates pass the policy" in page_text(app)
    assert "Chosen among 2" in page_text(app)


def test_the_baseline_itself_is_left_out_of_several_candidates(run: Run) -> None:
    app = run("compare", model="model-asr", candidate=["0.10.0", "0.1.0"], baseline="0.1.0")
    assert "is the baseline and is left out" in reported(app)
    assert "Trade-off" in page_text(app)


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"candidate": "9.9.9"}, "has no version 9"),
        ({"candidate": "0.10.0", "baseline": "9.9.9"}, "has no version 9"),
        ({"candidate": "0.10.0", "baseline": "0.10.0"}, "is both the candidate and the baseline"),
        ({"candidate": "0.10.0", "baseline_model": "model-none"}, "does not exist"),
    ],
)
def test_an_unknown_version_or_model_gives_an_error_and_no_verdict(
    run: Run, parameters: dict[str, str], problem: str
) -> None:
    app = run("compare", model="model-asr", **parameters)
    assert problem in reported(app)
    text = page_text(app)
    assert not any(word in text for word in ("Trade-off", "Better", "Worse", "Policy", "check"))


def test_without_a_pending_version_the_page_asks_for_a_candidate(run: Run, service: Service) -> None:
    for item in service.versions["model-asr"]:
        item["ApprovalStatus"] = "Approved"
    app = run("compare", model="model-asr")
    assert "Choose a candidate" in app.info[0].value


def test_a_link_whose_data_have_changed_says_so(run: Run, service: Service) -> None:
    link = copied_link(run("compare", model="model-asr"))
    assert (link["candidate"], link["baseline"]) == (["0.10.0"], ["0.1.0"])
    (seen,) = link["data"]
    assert len(seen) == 12
    again = run("compare", **link)
    assert reported(again) == ""
    assert "against 0.1.0 ✓ Approved · named by a link\n" in unescaped(page_text(again))
    assert copied_link(again) == link
    service.versions["model-asr"][2] = version("0.10.0", "2024-03-01", {"d-aishell": {"cer": 0.03}})
    disconnect()
    changed = run("compare", model="model-asr", candidate="0.10.0", baseline="0.1.0", data=seen)
    assert "The data have changed since this link was copied" in reported(changed)
    assert changed.query_params["data"] == seen


def test_a_baseline_of_another_model(run: Run, service: Service) -> None:
    service.models.append({"ModelId": "model-other", "ModelName": "other", "WorkspaceId": "7"})
    service.versions["model-other"] = [version("5.0.0", "2025-01-01", {"d-aishell": {"cer": 0.05}})]
    app = run("compare", model="model-asr", candidate="0.10.0", baseline_model="model-other", baseline="5.0.0")
    assert reported(app).replace("\\", "") == unapproved("5.0.0", "Pending")
    assert "Better" in page_text(app)
    expected = "0.10.0 ○ Pending against 5.0.0 of model-other · named by a link, from another model\n"
    assert expected in unescaped(page_text(app))


def test_setting_a_direction_changes_the_verdict_at_once_and_offers_the_lines(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"quality": 1.0}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d": {"quality": 2.0}}),
    ]
    app = run("compare", model="model-asr")
    assert "Not comparable" in page_text(app)
    assert "Metric direction not configured for quality" in app.info[0].value
    app.selectbox("direction-quality").set_value("higher")
    next(button for button in app.button if button.label == "Apply to this session").click()
    app.run()
    assert "▲ Better" in page_text(app)
    assert "Judged with what one reader set for quality" in page_text(app)
    lines = next(code.value for code in app.code if "[metrics.quality]" in code.value)
    assert 'direction = "higher"' in lines


def test_hostile_names_are_text(run: Run, service: Service) -> None:
    name = "**x** <script>alert(1)</script> [a](https://example.com)"
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {name: {"cer": 0.1}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {name: {"cer": 0.2}}),
    ]
    app = run("compare", model="model-asr")
    text = page_text(app)
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "[a](" not in text


def test_versions_without_results_are_named_and_give_no_verdict(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01"),
    ]
    app = run("compare", model="model-asr")
    assert reported(app) == ""
    assert "Neither version has an evaluation result" in page_text(app)
    assert "? Policy undecided" in page_text(app)


def test_each_of_several_candidates_has_its_own_baseline(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.20}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d": {"cer": 0.15}}),
        version("0.3.0", "2024-03-01", {"d": {"cer": 0.10}}, ApprovalStatus="Approved"),
        version("0.4.0", "2024-04-01", {"d": {"cer": 0.12}}),
    ]
    app = run("compare", model="model-asr", candidate=["0.2.0", "0.4.0"])
    shown = table(app, "verdict")
    shown["verdict"] = [cell for (cell,) in shown["verdict"]]
    assert list(shown[["version", "baseline", "this baseline is", "verdict"]].itertuples(index=False, name=None)) == [
        ("0.2.0", "0.1.0", "newest approved before the candidate", "▲ Better"),
        ("0.4.0", "0.3.0", "newest approved by creation", "▼ Worse"),
    ]
    assert "baseline" not in app.query_params
    assert "**2 candidates** each against the baseline that the rules choose for it" in page_text(app)


def test_several_candidates_against_one_baseline_give_the_reason_of_the_choice_for_each(
    run: Run, service: Service
) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.20}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d": {"cer": 0.15}}),
        version("0.3.0", "2024-03-01", {"d": {"cer": 0.10}}, ApprovalStatus="Approved"),
        version("0.4.0", "2024-04-01", {"d": {"cer": 0.12}}),
        version("0.5.0", "2024-05-01", {"d": {"cer": 0.13}}),
    ]
    app = run("compare", model="model-asr", candidate=["0.2.0", "0.4.0"], baseline="0.1.0")
    assert "**2 candidates** against 0.1.0\n" in page_text(app).replace("\\", "")
    shown = table(app, "verdict")
    shown["verdict"] = [cell for (cell,) in shown["verdict"]]
    assert list(shown[["version", "this baseline is", "verdict"]].itertuples(index=False, name=None)) == [
        ("0.2.0", "named by a link", "▲ Better"),
        ("0.4.0", "named by a link; the rules choose 0.3.0", "▲ Better"),
    ]
    alike = run("compare", model="model-asr", candidate=["0.4.0", "0.5.0"], baseline="0.1.0")
    headline = "**2 candidates** against 0.1.0 (named by a link; the rules choose 0.3.0)"
    assert headline in page_text(alike).replace("\\", "")
    assert not {"baseline", "this baseline is"} & {*table(alike, "verdict").columns}


def test_a_dataset_is_shown_by_its_name_and_by_the_id_that_links_hold(run: Run) -> None:
    shown = table(run("compare", model="model-asr", picture="table"))
    assert ("AISHELL-1", "d-aishell") in list(shown[["dataset", "dataset id"]].itertuples(index=False, name=None))


def test_several_candidates_keep_the_cautions_of_one(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.20}}, ApprovalStatus="Rejected"),
        version("0.2.0", "2024-02-01", {"d": {"cer": 0.15}}),
        version("0.3.0", "2024-03-01", {"d": {"cer": 0.10}}),
    ]
    one = run("compare", model="model-asr", candidate="0.3.0", baseline="0.1.0")
    both = run(
        "compare", model="model-asr", candidate=["0.2.0", "0.3.0"], baseline="0.1.0", state="better", picture="effect"
    )
    for app in (one, both):
        assert unescaped(reported(app)).split("\n") == [overruled("0.1.0", "0.2.0"), unapproved("0.1.0", "Rejected")]
        assert page_text(app).count("Significance cannot be judged") == 1
    assert "A row shows all candidates" in page_text(both)
    assert "A row shows all candidates" not in page_text(one)


def test_names_of_another_models_datasets_are_read_separately(run: Run, service: Service) -> None:
    run("compare", model="model-asr")
    service.models.append({"ModelId": "model-other", "ModelName": "other", "WorkspaceId": "7"})
    service.datasets.append({"DatasetId": "d-other", "Name": "Other"})
    connect().refresh_models()
    service.versions["model-other"] = [version("5.0.0", "2025-01-01", {"d-other": {"cer": 0.05}})]
    run("compare", model="model-asr", candidate="0.10.0", baseline_model="model-other", baseline="5.0.0")
    asked = [request.query["DatasetIds"].split(",") for request in service.requests if "DatasetIds" in request.query]
    assert ["d-other"] in asked
    [of_model] = [ids for ids in asked if ids != ["d-other"]]
    assert set(connect().dataset_names(of_model, "7")) <= {*of_model}


def test_columns_are_wide_enough_for_their_numbers(run: Run, service: Service) -> None:
    results: dict[str, dict[str, Any]] = {"d": {"cer": 0.20, "tokens": 1000000000001}, "e": {"cer": "n/a"}}
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", results, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", results),
    ]
    app = run("compare", model="model-asr", picture="table")
    [frame] = [frame for frame in app.dataframe if "effect" in frame.value.columns]
    columns = json.loads(frame.proto.columns)
    assert columns["baseline"]["width"] == columns["candidate"]["width"] == int(7.5 * len("1000000000001")) + 18
    assert columns["effect"]["width"] == int(7.5 * len("effect")) + 18


def test_numbers_too_large_for_the_table_in_the_browser_are_text(run: Run, service: Service) -> None:
    results = [{"d": {"loss": loss, "cer": 0.1}} for loss in (2.0**60, 1.5 * 2.0**60)]
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", results[0], ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", results[1]),
    ]
    app = run("compare", model="model-asr", sort="metric", picture="table")
    shown = table(app, "effect")
    assert list(shown["baseline"]) == ["0.1", "1.152921504606847e+18"]
    assert list(shown["candidate"]) == ["0.1", "1.7293822569102705e+18"]
    assert list(shown["change"]) == ["0.0", "+5.764607523034235e+17"]
    assert list(shown["effect"]) == [0.0, -0.5]
    [frame] = [frame for frame in app.dataframe if "effect" in frame.value.columns]
    assert json.loads(frame.proto.columns)["change"]["alignment"] == "right"


def test_a_page_number_beyond_the_only_page_is_named(run: Run) -> None:
    app = run("compare", model="model-asr", page="7", picture="table")
    assert "page 7" in reported(app)
    assert "page" not in app.query_params


def test_the_verdicts_on_several_candidates_come_before_their_explanation(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.20}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d": {"cer": 0.15}}),
        version("0.3.0", "2024-03-01", {"e": {"cer": 0.10}}, ApprovalStatus="Approved"),
        version("0.4.0", "2024-04-01", {"d": {"cer": 0.15}, "e": {"cer": 0.12}}),
    ]
    app = run("compare", model="model-asr", candidate=["0.2.0", "0.4.0"])
    columns = [*table(app, "verdict").columns]
    assert columns[:4] == ["version", "status", "verdict", "policy"]
    assert columns[-3:] == ["worst result", "baseline", "this baseline is"]
    assert columns[4:-3] == ["▲ better", "▼ worse", "✚ new", "Mean gain, cer"]
    assert list(table(app, "verdict")["Mean gain, cer"]) == ["+25.0 %", "−20.0 %"]


def test_the_caption_says_nothing_about_versions_that_are_not_drawn(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.20, "rtf": 0.3}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d": {"cer": 0.15, "rtf": 0.4}}),
        version("0.3.0", "2024-03-01", {"e": {"cer": 0.10}}),
    ]
    chosen = {"model": "model-asr", "candidate": ["0.2.0", "0.3.0"], "baseline": "0.1.0"}
    app = run("compare", **chosen, y="cer@d")
    assert app.selectbox("x").options[-1] == "cer, mean"
    assert app.selectbox("x").value == "rtf, mean"
    assert "No version drawn is dominated: each is the best trade of the two. Not drawn: 0.3.0." in page_text(
        app
    ).replace("\\", "")
    apart = run("compare", **chosen, x="cer, mean", y="cer@d")
    assert "No version has both numbers." in page_text(apart)
    assert "dominated" not in page_text(apart)
    assert len(apart.get("plotly_chart")) == len(app.get("plotly_chart")) - 1


def test_another_model_gets_its_newest_pending_version_and_no_old_fingerprint(run: Run, service: Service) -> None:
    service.models.append({"ModelId": "model-other", "ModelName": "other", "WorkspaceId": "7"})
    service.versions["model-other"] = [
        version("5.0.0", "2025-01-01", {"d-aishell": {"cer": 0.05}}, ApprovalStatus="Approved"),
        version("5.1.0", "2025-02-01", {"d-aishell": {"cer": 0.04}}),
    ]
    app = run("compare", **copied_link(run("compare", model="model-asr")))
    app.selectbox("model").set_value("model-other").run()
    assert app.query_params["candidate"] == "5.1.0"
    assert not {"baseline", "data"} & {*app.query_params}
    assert reported(app) == ""


def test_choosing_another_model_asks_for_its_version_and_forgets_the_link(run: Run, service: Service) -> None:
    service.models.append({"ModelId": "model-other", "ModelName": "other", "WorkspaceId": "7"})
    service.versions["model-other"] = [version("5.0.0", "2025-01-01", {"d-aishell": {"cer": 0.05}})]
    app = run("compare", **copied_link(run("compare", model="model-asr")))
    app.selectbox("baseline_model").set_value("model-other").run()
    assert reported(app) == ""
    assert "Choose the baseline" in app.info[0].value
    app.selectbox("baseline").set_value("5.0.0").run()
    assert "against 5.0.0 of model-other · chosen by the reader, from another model\n" in unescaped(page_text(app))
    assert reported(app).replace("\\", "") == unapproved("5.0.0", "Pending")
    assert "data" not in app.query_params


def test_configured_decimals_are_shown(
    run: Run, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "paiview.toml"
    file.write_text("[metrics.cer]\ndigits = 1\n", encoding="utf-8")
    monkeypatch.setenv("PAIVIEW_CONFIG", str(file))
    app = run("compare", model="model-asr", metric="cer", picture="table")
    assert ("d-meeting", "cer", "= same") in rows(app)
    assert display(app).loc[1, "candidate"] == "0.2"


def test_a_version_edited_since_the_listing_is_decided_about_as_it_is_now(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = run("compare", model="model-asr")
    assert "were read again" not in page_text(app)
    parts = [part.type for part in app.main.children.values()]
    monkeypatch.setattr(registry, "DECISION_MAX_AGE_SECONDS", 0.0)
    edited = version("0.10.0", "2024-03-01", {"d-aishell": {"cer": 0.07}}, ApprovalStatus="Rejected")
    service.versions["model-asr"][2] = edited
    app.run()
    text = unescaped(page_text(app))
    assert (
        "Worse on the one compared result. AISHELL-1 loses: cer 0.05 → 0.07 (−40.0 %). "
        "2 results of the baseline are missing." in text
    )
    assert "0.10.0 ✕ Rejected against" in text
    assert "The versions compared were read again 0 s ago" in text
    assert [part.type for part in app.main.children.values()] == parts, "The page moved."
    assert len(service.asked("models/model-asr/versions")) == 2


def test_a_verdict_says_when_its_versions_could_not_be_read_again(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = run("compare", model="model-asr")
    monkeypatch.setattr(registry, "DECISION_MAX_AGE_SECONDS", 0.0)
    service.refusals["/api/v1/models/model-asr/versions/0.10.0"] = refusal("NoPermission", 403, "*May not.*")
    app.run()
    assert "Trade-off" in page_text(app)
    assert "the versions compared could not be read again for this decision" in reported(app)
    assert "\\*May not\\.\\*" in reported(app)
    assert "were read again" not in page_text(app)


def _with_many(service: Service) -> None:
    service.versions["model-asr"] = [
        version(f"0.{place}.0", f"{date(2024, 1, 1) + timedelta(place)}", {"d-aishell": {"cer": 0.1}})
        for place in range(300)
    ]


def test_the_newest_of_many_versions_are_listed_and_any_other_can_be_typed(run: Run, service: Service) -> None:
    _with_many(service)
    app = run("compare", model="model-asr", candidate="0.299.0")
    offered = app.multiselect(key="candidate").options
    assert (len(offered), offered[0], offered[-1]) == (comparison_controls.MAX_LISTED, "0.299.0", "0.100.0")
    assert len(app.selectbox(key="baseline").options) <= comparison_controls.MAX_LISTED + 1
    app.multiselect(key="candidate").set_value(["0.299.0", "0.3.0"]).run()
    assert app.query_params["candidate"] == ["0.299.0", "0.3.0"]
    assert reported(app).replace("\\", "") == unapproved("0.298.0", "Pending").replace(
        ":", "; Baseline 0.2.0 is Pending:"
    )
    assert list(table(app, "verdict")["version"]) == ["0.299.0", "0.3.0"]
    linked = run("compare", model="model-asr", candidate="0.3.0", baseline="0.2.0")
    assert linked.selectbox(key="baseline").value == "0.2.0"
    assert reported(linked).replace("\\", "") == unapproved("0.2.0", "Pending")


def test_a_typed_version_that_does_not_exist_is_named_and_changes_nothing(run: Run, service: Service) -> None:
    _with_many(service)
    app = run("compare", model="model-asr", candidate="0.299.0")
    app.multiselect(key="candidate").set_value(["0.299.0", "9.9.9"]).run()
    assert "Candidate: 9\\.9\\.9 does not exist" in reported(app)
    assert app.query_params["candidate"] == "0.299.0"
    app.run()
    assert "does not exist" not in reported(app)


def test_the_rules_choose_the_baseline_from_what_is_approved_now(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIVIEW_CACHE_TTL", "0.001")
    monkeypatch.setattr(registry, "MAX_STALE_TTLS", 1e9)
    app = run("compare", model="model-asr")
    assert "against 0.1.0 ✓ Approved · newest approved by creation" in unescaped(page_text(app))
    link = copied_link(app)
    service.versions["model-asr"][1]["ApprovalStatus"] = "Approved"
    for following in (app.run(), run("compare", model="model-asr")):
        assert "against 0.2.0 ✓ Approved · newest approved by creation" in unescaped(page_text(following))
        assert reported(following) == ""
    pinned = run("compare", **link)
    for again in (pinned, pinned.run()):
        assert "against 0.1.0 ✓ Approved · named by a link; the rules choose 0.2.0\n" in unescaped(page_text(again))
    assert overruled("0.1.0", "0.2.0") in unescaped(reported(pinned))
    next(button for button in pinned.button if button.label == "Compare with what the rules choose").click().run()
    assert "against 0.2.0 ✓ Approved · newest approved by creation" in unescaped(page_text(pinned))
    assert reported(pinned) == ""


def test_datasets_that_share_a_name_are_shown_with_their_ids(run: Run, service: Service) -> None:
    service.datasets += [{"DatasetId": "d-b", "Name": "Test"}, {"DatasetId": "d-c", "Name": "Test"}]
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d-b": {"cer": 0.20}, "d-c": {"cer": 0.10}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-02-01", {"d-b": {"cer": 0.15}}),
    ]
    app = run("compare", model="model-asr", picture="table")
    assert {*table(app)["dataset"]} == {"Test (d-b)", "Test (d-c)"}
    assert "Missing from the candidate: Test (d-c) (cer)" in page_text(app).replace("\\", "")


def test_page_api_and_command_line_know_a_version_created_after_the_listing(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # A listing is outdated as soon as it is read: the tests do not sleep.
    monkeypatch.setattr(registry, "UNKNOWN_MAX_AGE_SECONDS", 0.0)

    def page_knows(name: str) -> bool:
        app = run("compare", model="model-asr", candidate=name)
        return name in unescaped(page_text(app)) and "has no version" not in reported(app)

    def api_knows(name: str) -> bool:
        response = client.get("/api/models/model-asr/decision", params={"candidate": name})
        return response.status_code == 200 and response.json()["candidate"] == name

    def command_knows(name: str) -> bool:
        monkeypatch.setattr(sys, "argv", ["paiview", "compare", "model-asr", name, "--format", "json"])
        with pytest.raises(SystemExit) as ended:
            run_command()
        out = capfd.readouterr().out
        return ended.value.code in (None, 0) and json.loads(out)["candidate"] == name

    with (
        BackgroundServer(Starlette(routes=[http_api.mount()])) as server,
        httpx.Client(base_url=f"http://{HOST}:{server.port}") as client,
    ):
        assert page_knows("0.10.0")
        # The command is last, for it disconnects the registry of this process.
        for name, knows in (("0.11.0", page_knows), ("0.12.0", api_knows), ("0.13.0", command_knows)):
            service.versions["model-asr"].append(version(name, f"2024-04-{name[2:4]}", {"d-aishell": {"cer": 0.03}}))
            assert knows(name)


def test_the_page_of_a_partial_listing_says_how_much_is_there(run: Run, service: Service) -> None:
    origin = {"kind": "saved", "files": ["a.json"], "listed": 3, "missing": 12}
    answer = {"Versions": service.versions["model-asr"], "TotalCount": 15, "origin": origin}
    service.refusals["/api/v1/models/model-asr/versions"] = reply(answer)
    for page in ("compare", "versions", "trends"):
        app = run(page, model="model-asr")
        assert "3 of 15 versions" in page_text(app)
        assert "12 versions not listed: a newer approved one may be among them." in unescaped(reported(app))
        assert "kept changing" not in reported(app)

"""One decision of every kind through every door: page, command line, HTTP API and the reports agree on it."""

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest
import streamlit as st
from starlette.applications import Starlette
from streamlit.testing.v1 import app_test
from typer.testing import CliRunner, Result

from paiview.cli.main import app as commands
from paiview.decisions.decision import Decision, DoubtKind, Overall
from paiview.embedded.background_server import HOST, BackgroundServer
from paiview.evaluation.metric_meaning import Standing
from paiview.registry.connection import connect, disconnect
from paiview.registry.live_decision import decide_now
from paiview.server import http_api
from tests.harness.dashboard import ROOT
from tests.harness.service import Json, version
from tests.pages.conftest import page_text, reported, unescaped
from tests.pages.test_known_answers import FORMS, OUTCOMES, POLICIES, Downloads, compare

EXIT_CODES: Final = {"pass": 0, "fail": 1, "undecided": 2}
PAIR_FIELDS: Final = {
    *("dataset", "metric", "direction", "baseline", "candidate", "change", "gain", "error_reduction", "effect"),
    *("reading", "state", "standing", "reason", "evidence", "paired", "interval", "uncertain", "note"),
}
SUMMARY_FIELDS: Final = {
    *("word", "better", "worse", "same", "missing", "new", "not_comparable", "unclear", "not_judged", "assumed"),
    "worst",
}


class Kind(NamedTuple):
    """Results of an approved baseline and a pending candidate, and what every door says of them.

    Attributes:
        baseline, candidate: dataset and metrics of each result.
        word: with "(assumed)" where it would differ without what is assumed.
        overall: what the policy says.
        standings: by metric.
        doubt: the kind of the only doubt.
        note: a part of the note of some pair.
        total: TotalCount.
        created: when the baseline was made.
    """

    baseline: list[tuple[Json, Json]]
    candidate: list[tuple[Json, Json]]
    word: str
    overall: Overall
    standings: dict[str, Standing]
    doubt: DoubtKind | None = None
    note: str = ""
    total: int = 2
    created: str = "2024-01-01T00:00:00Z"


D: Final[Json] = {"DatasetId": "d"}
KINDS: Final[dict[str, Kind]] = {
    "better": Kind([(D, {"cer": 0.2})], [(D, {"cer": 0.1})], "▲ Better", "pass", {"cer": "known"}),
    "worse": Kind([(D, {"acc,none": 0.9})], [(D, {"acc,none": 0.8})], "▼ Worse", "fail", {"acc,none": "known"}),
    "missing": Kind(
        [(D, {"cer": 0.2, "wer": 0.2})],
        [(D, {"cer": 0.1})],
        "○ Incomplete",
        "fail",
        {"cer": "known", "wer": "known"},
    ),
    "assumed": Kind(
        [(D, {"wer_callcenter": 0.2})],
        [(D, {"wer_callcenter": 0.1})],
        "▲ Better (assumed)",
        "undecided",
        {"wer_callcenter": "assumed"},
        "assumed",
        "assumed: lower is better",
    ),
    "unknown": Kind(
        [(D, {"cer": 0.2, "foo": 2.0})],
        [(D, {"cer": 0.2, "foo": 1.5})],
        "= Too close to call",
        "undecided",
        {"cer": "known", "foo": "unknown"},
        "unknown",
    ),
    "noscore": Kind(
        [(D, {"acc,none": 0.9, "acc_stderr,none": 0.01})],
        [(D, {"acc,none": 0.9, "acc_stderr,none": 0.5})],
        "= Too close to call",
        "pass",
        {"acc,none": "known", "acc_stderr,none": "not_a_score"},
    ),
    "scale": Kind(
        [(D, {"accuracy": 0.934})],
        [(D, {"accuracy": 91.8})],
        "? Not comparable",
        "undecided",
        {"accuracy": "known"},
        "scale",
        "one number is in percent and the other a fraction",
    ),
    "version": Kind(
        [({**D, "Version": "v1"}, {"cer": 0.2})],
        [({**D, "Version": "v2"}, {"cer": 0.1})],
        "? Not comparable",
        "undecided",
        {"cer": "known"},
        "version",
        "v1 and v2",
    ),
    "duplicate": Kind(
        [(D, {"cer": 0.2}), (D, {"cer": 0.3})],
        [(D, {"cer": 0.1})],
        "? Not comparable",
        "undecided",
        {"cer": "known"},
        "duplicate",
        "0.2, 0.3",
    ),
    "invalid": Kind(
        [(D, {"map": 0.4})],
        [(D, {"map": -1})],
        "? Not comparable",
        "undecided",
        {"map": "known"},
        "invalid",
        "map cannot be below 0",
    ),
    "listing": Kind(
        [(D, {"cer": 0.2})], [(D, {"cer": 0.1})], "▲ Better", "undecided", {"cer": "known"}, "listing", total=15
    ),
    "order": Kind(
        [(D, {"cer": 0.2})], [(D, {"cer": 0.1})], "▲ Better", "undecided", {"cer": "known"}, "order", created="lately"
    ),
}
SETTLED: Final[dict[str, tuple[str, Overall]]] = {
    "assumed": ("▲ Better", "pass"),
    "unknown": ("▲ Better", "pass"),
    "scale": ("▼ Worse", "fail"),
    "version": ("? Not comparable", "pass"),
    "duplicate": ("? Not comparable", "undecided"),
    "invalid": ("? Not comparable", "undecided"),
    "listing": ("▲ Better", "pass"),
    "order": ("▲ Better", "pass"),
}
"""Word and outcome when the lines that a doubt offers are in paiview.toml: nothing passes where no rule could pass."""


def save(folder: Path, name: str, kind: Kind) -> Path:
    """Save an answer of ListModelVersions, which becomes the model of this name."""
    sides = [
        [{"Dataset": dataset, "Metrics": metrics} for dataset, metrics in side]
        for side in (kind.baseline, kind.candidate)
    ]
    versions = [
        version("0.1.0", "", Metrics={"Results": sides[0]}, ApprovalStatus="Approved", GmtCreateTime=kind.created),
        version("0.2.0", "2024-01-02", Metrics={"Results": sides[1]}),
    ]
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"Versions": versions, "TotalCount": kind.total}), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An embedded registry with a model for each kind, which all doors of this process read."""
    folder = tmp_path_factory.mktemp("kinds")
    files = [str(save(folder, name, kind)) for name, kind in KINDS.items()]
    variables = {"PAIVIEW_DATA": os.pathsep.join(files), "PAIVIEW_DATA_DIR": str(folder / "registry")}
    st.cache_resource.clear()
    st.cache_data.clear()
    disconnect()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        connect()
        yield variables
        disconnect()


@pytest.fixture(scope="module")
def client(environment: dict[str, str]) -> Iterator[httpx.Client]:
    with (
        BackgroundServer(Starlette(routes=[http_api.mount()])) as server,
        httpx.Client(base_url=f"http://{HOST}:{server.port}", timeout=30) as opened,
    ):
        yield opened


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Downloads:
    """Keeps the files of a run of the page."""
    kept = Downloads()
    monkeypatch.setattr(app_test, "MediaFileManager", kept.begin)
    return kept


def command(name: str, *arguments: str) -> Result:
    return CliRunner().invoke(commands, [name, f"model-{arguments[0]}", "0.2.0", *arguments[1:]])


def plain(markup: str) -> str:
    """A report or a page as one line of text, without the escapes and marks of Markdown and HTML."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", markup))
    return " ".join(re.sub(r"[\\`\N{WORD JOINER}]", "", text).split())


def _policy_of_reports(overall: Overall) -> list[str]:
    return [OUTCOMES[overall].replace(" ", " policy: "), f"Policy: {OUTCOMES[overall]}"]


def outcome(decision: Decision) -> tuple[str, Overall, dict[str, Standing], list[DoubtKind]]:
    return (
        decision.summary.word + (" (assumed)" if decision.summary.assumed else ""),
        decision.overall,
        {pair.metric: pair.standing for pair in decision.pairs},
        [doubt.kind for doubt in decision.doubts],
    )


@pytest.mark.parametrize("name", KINDS)
def test_every_door_has_the_same_decision(name: str, client: httpx.Client, downloads: Downloads) -> None:
    kind = KINDS[name]
    app = compare(model=f"model-{name}")
    files = {form: downloads.press(app, f"report-{form}-0.2.0") for form in FORMS}
    printed = {form: command("compare", name, "--format", form).stdout for form in (*FORMS, "table")}
    checked = command("check", name, "--format", "json")
    answer = client.get(f"/api/models/model-{name}/decision", params={"candidate": "0.2.0"})
    decision = decide_now(connect(), f"model-{name}", "0.2.0")
    for text in (files["json"], printed["json"], checked.stdout, answer.text):
        assert Decision.model_validate_json(text) == decision
    expected = [] if kind.doubt is None else [kind.doubt]
    assert outcome(decision) == (kind.word.partition(" ")[2], kind.overall, kind.standings, expected)
    assert checked.exit_code == EXIT_CODES[kind.overall]
    assert answer.status_code == 200
    assert files["csv"] == printed["csv"]
    shown = {
        "page": f"{unescaped(page_text(app))} {' '.join(str(frame.value.to_csv()) for frame in app.dataframe)}",
        "file in HTML": files["html"],
        "file in Markdown": files["md"],
        **{f"printed {form}": printed[form] for form in ("html", "md", "table")},
    }
    for door, text in shown.items():
        seen = plain(text)
        assert kind.word in seen, door
        assert kind.note in seen, door
        said = [POLICIES[kind.overall]] if door == "page" else _policy_of_reports(kind.overall)
        assert any(policy in seen for policy in said), door
        for doubt in decision.doubts:
            assert plain(doubt.sentence) in seen, door
    assert bool(reported(app)) == (name == "listing"), "A doubt is no warning, but for what every page says."


@pytest.mark.parametrize("name", KINDS)
def test_the_fields_of_a_decision_are_those_of_its_description(name: str, environment: dict[str, str]) -> None:
    told: dict[str, Any] = json.loads(command("compare", name, "--format", "json").stdout)
    assert all({*pair} >= PAIR_FIELDS for pair in told["pairs"])
    assert {*told["summary"]} >= SUMMARY_FIELDS
    assert sum(told["summary"][state] for state in SUMMARY_FIELDS - {"word", "assumed", "worst"}) == len(told["pairs"])
    for pair in told["pairs"]:
        has_spread = (name, pair["metric"]) == ("noscore", "acc,none")
        assert (pair["evidence"], pair["paired"]) == ("spread" if has_spread else None, None)
        assert (pair["reason"] is None) == (pair["state"] != "not_comparable")
    for doubt in told["doubts"]:
        assert {*doubt} >= {"kind", "sentence", "pairs", "toml"}
        assert doubt["sentence"].endswith(".")
        matched = [(pair["dataset"], pair["metric"]) for pair in told["pairs"]]
        assert all((each["dataset"], each["metric"]) in matched for each in doubt["pairs"])
        assert bool(doubt["pairs"]) == (doubt["kind"] not in ("listing", "order"))


@pytest.mark.parametrize("name", SETTLED)
def test_the_lines_that_a_doubt_offers_settle_it(
    name: str, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = decide_now(connect(), f"model-{name}", "0.2.0")
    (doubt,) = before.doubts
    assert doubt.toml
    file = tmp_path / "paiview.toml"
    file.write_text(doubt.toml, encoding="utf-8")
    monkeypatch.setenv("PAIVIEW_CONFIG", str(file))
    printed = command("check", name, "--format", "json")
    after = Decision.model_validate_json(printed.stdout)
    word, overall = SETTLED[name]
    assert (after.summary.word, after.summary.assumed) == (word.partition(" ")[2], False)
    assert after.overall == overall
    assert printed.exit_code == EXIT_CODES[overall]
    assert [each for each in after.doubts if not each.accepted] == []
    assert after.policy_fingerprint != before.policy_fingerprint
    assert after.data_fingerprint == before.data_fingerprint


def test_a_tolerance_declares_no_direction(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "paiview.toml"
    file.write_text("[metrics.wer_callcenter]\nrelative = 0.05\n[metrics.foo]\nrelative = 0.05\n", encoding="utf-8")
    monkeypatch.setenv("PAIVIEW_CONFIG", str(file))
    for name in ("assumed", "unknown"):
        printed = command("check", name, "--format", "json")
        assert outcome(Decision.model_validate_json(printed.stdout))[1:] == (
            "undecided",
            KINDS[name].standings,
            [KINDS[name].doubt],
        )
        assert printed.exit_code == 2


@pytest.mark.parametrize("name", ["better", "worse", "assumed"])
def test_the_process_of_a_check_ends_with_the_code_of_its_outcome(name: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "paiview", "check", f"model-{name}", "0.2.0"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == EXIT_CODES[KINDS[name].overall]
    assert done.stdout.startswith(KINDS[name].word + "\n")


def test_meaning_prints_what_is_open_first_with_its_lines(environment: dict[str, str]) -> None:
    printed = CliRunner().invoke(commands, ["meaning", "model-unknown"])
    assert printed.exit_code == 0
    header, *rows = [re.split(r"\s{2,}", line) for line in printed.stdout.partition("\n\n")[0].splitlines()]
    assert header == ["METRIC", "BETTER IS", "STANDING", "RANGE", "SCALE", "SOURCE"]
    assert [row[0] for row in rows] == ["foo", "cer"]
    assert rows[0][1] == "direction unknown"
    assert rows[0][2].startswith("unknown")
    in_catalogue = "known (char_error_rate in the catalogue)"
    assert rows[1][1:] == ["lower is better", in_catalogue, "[0, ∞)", "fraction or percent", "catalogue"]
    assert printed.stdout.partition("\n\n")[2].startswith("[metrics.foo]\ndirection = ")
    assert "assumed" in CliRunner().invoke(commands, ["meaning", "model-assumed"]).stdout
    no_score = CliRunner().invoke(commands, ["meaning", "model-noscore"]).stdout
    assert "not a score" in no_score
    assert "[metrics" not in no_score, "Nothing is open."


def test_the_meaning_of_an_unknown_model_is_an_error(environment: dict[str, str]) -> None:
    printed = CliRunner().invoke(commands, ["meaning", "model-none"])
    assert printed.exit_code != 0
    assert printed.stdout == ""


def test_the_page_offers_the_lines_of_each_doubt(environment: dict[str, str]) -> None:
    app = compare(model="model-assumed")
    assert any(code.value == '[metrics.wer_callcenter]\ndirection = "lower"' for code in app.code)
    assert [unescaped(row.label) for row in app.expander if row.label.endswith("open")] == [
        "? Direction assumed · open"
    ]
    assert "1 question open" in unescaped(page_text(app))

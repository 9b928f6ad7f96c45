"""The published comparison of speech services, with its evidence registered: what every door says of it.

mu-bench publishes a one-sided p of 0.88 that azure is not better than elevenlabs-scribe-v2, and of 0.0000 that
google-chirp3 is not better than azure (tests/evidence/test_published.py).
"""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import pytest
import streamlit as st
from starlette.applications import Starlette
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import app_test

from paiview.decisions.decision import Decision, Overall, State
from paiview.embedded.background_server import HOST, BackgroundServer
from paiview.evidence.significance import significance
from paiview.registry.connection import connect, disconnect
from paiview.registry.live_decision import decide_now
from paiview.server import http_api
from tests.harness.item_files import published_items
from tests.harness.service import Json, version
from tests.pages.conftest import page_text, unescaped
from tests.pages.test_doors import EXIT_CODES, command, plain
from tests.pages.test_known_answers import FORMS, Downloads, compare


class Published(NamedTuple):
    """A comparison of two services, and what is said of it."""

    candidate: str
    baseline: str
    state: State
    word: str
    overall: Overall
    lede: str
    note: str


PUBLISHED: Final = {
    "unclear": Published(
        "azure",
        "elevenlabs-scribe-v2",
        "unclear",
        "= Too close to call",
        "undecided",
        "Too close to call on the one compared result: the difference may be chance.",
        "the difference may be chance: between −0.0023 and +0.0108 with 95 % confidence; about 1,200 more groups of "
        "items would settle it, if the difference stays as it is",
    ),
    "clear": Published(
        "google-chirp3", "azure", "better", "▲ Better", "pass", "Better on the one compared result.", ""
    ),
}


BOTH: Final = Published("google-chirp3", "elevenlabs-scribe-v2", "better", "▲ Better", "pass", "", "")


def save(folder: Path, name: str, *comparisons: Published) -> Path:
    """Save a model whose candidates 0.2.0, 0.3.0 and so on are compared with one baseline."""
    versions: list[Json] = []
    for at, published in enumerate(comparisons, 2):
        found = significance(
            published_items(published.baseline),
            published_items(published.candidate),
            metric="wer",
            baseline_version="0.1.0",
        )
        result = {"Dataset": {"DatasetId": "d-mu-bench"}, "Metrics": {"wer": found.baseline}}
        if not versions:
            versions.append(version("0.1.0", "2024-01-01", Metrics={"Results": [result]}, ApprovalStatus="Approved"))
        result = {**result, "Metrics": {"wer": found.candidate}, "Paired": found.paired}
        versions.append(version(f"0.{at}.0", f"2024-01-0{at}", Metrics={"Results": [result]}))
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"Versions": versions, "TotalCount": len(versions)}), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The HTTP API of an embedded registry with a model for each comparison, which all doors of this process read."""
    folder = tmp_path_factory.mktemp("published")
    files = [str(save(folder, name, published)) for name, published in PUBLISHED.items()]
    files.append(str(save(folder, "both", PUBLISHED["unclear"], BOTH)))
    st.cache_resource.clear()
    st.cache_data.clear()
    disconnect()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAIVIEW_DATA", os.pathsep.join(files))
        patch.setenv("PAIVIEW_DATA_DIR", str(folder / "registry"))
        connect()
        with (
            BackgroundServer(Starlette(routes=[http_api.mount()])) as server,
            httpx.Client(base_url=f"http://{HOST}:{server.port}", timeout=30) as opened,
        ):
            yield opened
        disconnect()


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_door_knows_what_is_settled(name: str, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    published = PUBLISHED[name]
    downloads = Downloads()
    monkeypatch.setattr(app_test, "MediaFileManager", downloads.begin)
    app = compare(model=f"model-{name}")
    files = {form: downloads.press(app, f"report-{form}-0.2.0") for form in FORMS}
    printed = {form: command("compare", name, "--format", form).stdout for form in (*FORMS, "table")}
    checked = command("check", name, "--format", "json")
    answer = client.get(f"/api/models/model-{name}/decision", params={"candidate": "0.2.0"})
    decision = decide_now(connect(), f"model-{name}", "0.2.0")
    for text in (files["json"], printed["json"], checked.stdout, answer.text):
        assert Decision.model_validate_json(text) == decision
    (pair,) = decision.pairs
    assert (pair.state, pair.evidence) == (published.state, "paired")
    assert pair.paired is not None
    assert (pair.paired.groups, pair.paired.n) == (250, 4270)
    assert answer.json()["pairs"][0]["paired"]["low"] == pair.paired.low
    assert checked.exit_code == EXIT_CODES[published.overall]
    assert files["csv"] == printed["csv"]
    (cells,) = csv.DictReader(printed["csv"].lstrip("\ufeff").splitlines())
    assert (cells["state"], float(cells["paired_high"])) == (published.state, pair.paired.high)
    page = f"{unescaped(page_text(app))} {' '.join(str(frame.value.to_csv()) for frame in app.dataframe)}"
    shown = {
        "page": page,
        "file in HTML": files["html"],
        "file in Markdown": files["md"],
        **{f"printed {form}": printed[form] for form in ("html", "md", "table")},
    }
    for door, text in shown.items():
        assert published.word in plain(text), door
        # A terminal cuts the last column of a table: the rule says it in full.
        told = decision.rules[0].sentence if door == "printed table" else published.note
        assert told in plain(text), door
    assert published.lede in plain(page).replace("*", "")
    assert ("≈ 1 unclear" in page) is (published.state == "unclear")
    assert "Significance cannot be judged" not in page


def test_several_candidates_show_which_of_them_may_be_chance(client: httpx.Client) -> None:
    app = compare(model="model-both", candidate=["0.2.0", "0.3.0"], picture="matrix")
    leaderboard, matrix = app.dataframe[:2]
    assert leaderboard.value[["version", "verdict", "policy", "▲ better", "≈ unclear"]].fillna(
        0
    ).to_numpy().tolist() == [
        ["0.3.0", ["▲ Better"], ["✓ passes"], 1, 0],
        ["0.2.0", ["= Too close to call"], ["? undecided"], 0, 1],
    ]
    cells = convert_arrow_bytes_to_pandas_df(matrix.proto.arrow_data.styler.display_values)
    assert cells[["0.2.0", "0.3.0"]].to_numpy().tolist() == [["≈ −3.6 %", "+30.9 %"]]
    assert "≈ may be chance." in page_text(app)

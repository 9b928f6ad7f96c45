"""The known answers on the page: what it shows, the Decision it offers for download, and its sentence for bad input.

All tests run over one embedded registry, which also holds a model for each fault.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import pandas as pd
import pytest
import streamlit as st
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.testing.v1 import AppTest, app_test
from streamlit.testing.v1.element_tree import Block, Dataframe, Expander

from paiview.decisions import contracts
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision, Overall, RuleOutcome, State, Word
from paiview.decisions.lineage import decide
from paiview.registry.connection import connect, disconnect
from paiview.registry.registry import Registry
from paiview.settings import Settings
from tests.harness.dashboard import ROOT
from tests.harness.known_answers import CASES, GIVEN, Case, save_sizes
from tests.harness.service import Json, version
from tests.pages.conftest import reported

STATES: Final[Mapping[State, str]] = {
    "better": "▲ better",
    "worse": "▼ worse",
    "same": "= same",
    "missing": "○ missing",
    "new": "✚ new",
    "not_comparable": "? not comparable",
}
WORDS: Final[Mapping[Word, str]] = {
    "Better": "▲ Better",
    "Worse": "▼ Worse",
    "Trade-off": "▲▼ Trade-off",
    "Incomplete": "○ Incomplete",
    "Too close to call": "= Too close to call",
    "Not comparable": "? Not comparable",
}
OUTCOMES: Final[Mapping[RuleOutcome | Overall, str]] = {
    "pass": "✓ pass",
    "fail": "✕ fail",
    "not_applicable": "– not applicable",
    "undecided": "? undecided",
}
NUMBERS: Final = ("baseline", "candidate", "change")
COUNTS: Final[tuple[State, ...]] = ("better", "worse", "same", "missing", "new")
POLICIES: Final[Mapping[Overall, str]] = {
    "pass": "✓ Policy passes",
    "fail": "✕ Policy fails",
    "undecided": "? Policy undecided",
}
CHIPS: Final[Mapping[Overall, str]] = {"pass": "✓ passes", "fail": "✕ fails", "undecided": "? undecided"}
TITLES: Final[Mapping[str, str]] = {
    "no_regression": "No regression",
    "no_missing": "Nothing missing",
    "bound": "Within bounds",
}
BY_CONCERN: Final = ("fail", "undecided", "pass", "not_applicable")
BY_LINK: Final = "named by a link"
FORMS: Final = ("html", "md", "csv", "json")
NAMED: Final = 12
"""The most missing or new datasets that the verdict names."""
SEVERAL: Final = ("1.0.0_small_en", "1.0.0_medium_en", "1.0.0_large", "3.0.0_large")

Side = Sequence[tuple[str, Json]]


class Fault(NamedTuple):
    """Results of an approved baseline and a pending candidate, and what the page says about them.

    ``rows`` are dataset, metric, state and note. No fault is a warning: each stands where the decision is.
    """

    baseline: Side
    candidate: Side
    word: Word
    overall: Overall
    headline: tuple[str, ...]
    rows: tuple[tuple[str, str, State, str | None], ...]


FAULTS: Final[Mapping[str, Fault]] = {
    "zero": Fault(
        [("d", {"cer": 0.0, "wer": 0, "acc": 1.0, "ser": 0.0})],
        [("d", {"cer": 0.1, "wer": 0.0, "acc": 0.9, "ser": 1e-9})],
        "Worse",
        "fail",
        (
            "acc: worse on 1 (d from no errors)",
            "cer: worse on 1 (d from 0)",
            "ser: worse on 1 (d from 0)",
            "wer: same on 1",
        ),
        (
            ("d", "acc", "worse", "from no errors"),
            ("d", "cer", "worse", "from 0"),
            ("d", "ser", "worse", "from 0"),
            ("d", "wer", "same", "from 0"),
        ),
    ),
    "nan": Fault(
        [("a", {"cer": 0.1}), ("b", {"cer": float("nan")}), ("c", {"cer": "NaN"}), ("d", {"cer": 0.1})],
        [("a", {"cer": float("nan")}), ("b", {"cer": 0.2}), ("c", {"cer": None}), ("d", {"cer": float("inf")})],
        "Not comparable",
        "undecided",
        ("cer: not comparable 4",),
        (
            ("a", "cer", "not_comparable", "not a number in the candidate: NaN"),
            ("b", "cer", "not_comparable", "not a number in the baseline: NaN"),
            ("c", "cer", "not_comparable", 'not a number in the baseline: "NaN"; not a number in the candidate: null'),
            ("d", "cer", "not_comparable", "not a number in the candidate: Infinity"),
        ),
    ),
    "duplicated": Fault(
        [("d", {"cer": 0.1}), ("d", {"cer": 0.2}), ("e", {"cer": 0.1})],
        [("d", {"cer": 0.05}), ("e", {"cer": 0.1}), ("e", {"cer": 0.1})],
        "Too close to call",
        "undecided",
        ("cer: same on 1, not comparable 1",),
        (
            ("d", "cer", "not_comparable", "given more than once by the baseline: 0.1, 0.2"),
            ("e", "cer", "same", None),
        ),
    ),
    "scale": Fault(
        [("d", {"cer": 0.175})],
        [("d", {"cer": 17.5})],
        "Not comparable",
        "undecided",
        ("cer: not comparable 1",),
        (("d", "cer", "not_comparable", "one number is in percent and the other a fraction: 0.175 and 17.5"),),
    ),
    "unshared": Fault(
        [("d", {"cer": 0.1})],
        [("e", {"cer": 0.1}), ("d", {"wer": 0.1})],
        "Not comparable",
        "fail",
        ("cer: missing 1, new 1", "wer: new 1"),
        (("d", "cer", "missing", None), ("e", "cer", "new", None), ("d", "wer", "new", None)),
    ),
}


def _save(folder: Path, name: str, fault: Fault) -> Path:
    """Save a response, which becomes the model ``model-<name>``."""
    versions = [
        _measured("0.1.0", "2024-01-01", "Approved", fault.baseline),
        _measured("0.2.0", "2024-02-01", "Pending", fault.candidate),
    ]
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"Versions": versions, "TotalCount": len(versions)}), encoding="utf-8")
    return file


def _measured(name: str, created: str, status: str, side: Side) -> Json:
    items = [{"Dataset": {"DatasetId": dataset}, "Metrics": metrics} for dataset, metrics in side]
    return version(name, created, ApprovalStatus=status, Metrics={"Results": items})


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of an embedded registry with the published families, the sizes and the faults."""
    folder = tmp_path_factory.mktemp("embedded")
    data = (save_sizes(folder), *(_save(folder, name, fault) for name, fault in FAULTS.items()))
    st.cache_resource.clear()
    st.cache_data.clear()
    disconnect()
    yield Settings(data_dir=folder / "registry", data=data)
    disconnect()


@pytest.fixture
def connected(settings: Settings) -> Registry:
    """The registry of this process, which the page reads."""
    return connect(settings)


class Downloads:
    """The files behind the download buttons of the last run."""

    def __init__(self) -> None:
        self._files = MemoryMediaFileStorage("/media")
        self._manager = MediaFileManager(self._files)

    def begin(self, storage: MemoryMediaFileStorage) -> MediaFileManager:
        self._files = storage
        self._manager = MediaFileManager(storage)
        return self._manager

    def press(self, app: AppTest, key: str) -> str:
        url = self._manager.execute_deferred(_block(app, "actions").get_by_key(key).proto.deferred_file_id)
        return self._files.get_file(url.rpartition("/")[2]).content.decode("utf-8-sig")

    def decision(self, app: AppTest, candidate: str) -> Decision:
        return Decision.model_validate_json(self.press(app, f"report-json-{candidate}"))


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Downloads:
    """Keeps the files of a run, which Streamlit's test runner drops at its end."""
    downloads = Downloads()
    monkeypatch.setattr(app_test, "MediaFileManager", downloads.begin)
    return downloads


def compare(**parameters: str | Sequence[str] | None) -> AppTest:
    """Run the page with its table of pairs, and its copies and reports open; an exception on it fails the test."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.query_params.update({"picture": "table"} | {name: value for name, value in parameters.items() if value})
    app.session_state["reports"] = app.session_state["copy"] = True
    app.switch_page("pages/compare.py").run()
    assert [item.value for item in app.exception] == []
    return app


def ask(case: Case) -> AppTest:
    return compare(model=case.model, candidate=case.candidate, baseline=case.asked, baseline_model=case.asked_model)


def _block(app: AppTest, key: str) -> Block:
    return cast("Block", app.get_by_key(key))


def _read(text: object) -> str:
    """Markdown as the reader sees it: without escapes, emphasis, colours, word joiners and no-break spaces."""
    seen = re.sub(r":[a-z]+(?:-badge)?\[([^\]]*)\]", r"\1", str(text).replace("\\", "").replace("**", ""))
    return seen.replace("\N{WORD JOINER}", "").replace("\N{NO-BREAK SPACE}", " ").replace("&nbsp;", " ")


def texts(app: AppTest, region: str, kind: str = "markdown") -> list[str]:
    return [_read(item.value) for item in getattr(_block(app, region), kind)]


def copied(app: AppTest) -> tuple[str, list[str]]:
    """The link to copy, and the lines of the text to copy."""
    link, text = texts(app, "actions", "code")
    return link, text.split("\n")


def sentences(app: AppTest) -> list[str]:
    """The sentences of the headline, which the text to copy begins with."""
    _, lines = copied(app)
    start = next(place for place, line in enumerate(lines) if line.startswith("- "))
    return [line.removeprefix("- ") for line in lines[start : lines.index("", start)]]


def checks(app: AppTest, candidate: str) -> list[tuple[str, ...]]:
    """The rules as the page lists them, without doubts: the row of each with all it opens to, and what it says."""
    rows: list[tuple[str, ...]] = []
    for row in _block(app, f"policy-{candidate}").get("expander"):
        opened = cast("Expander", row)
        told = [_read(item.value) for item in opened.markdown]
        outcomes = [_read(item.value) for item in opened.caption]
        if outcomes:
            rows.append((": ".join([_read(opened.label), *told]), *outcomes))
    return rows


def _table(app: AppTest, column: str) -> Dataframe | None:
    return next((item for item in _block(app, "compare-table").dataframe if column in item.value.columns), None)


def shown(app: AppTest) -> pd.DataFrame:
    """The table of pairs as text, cell by cell, as the reader sees it."""
    table = _table(app, "state")
    assert table is not None
    cells: pd.DataFrame = convert_arrow_bytes_to_pandas_df(table.proto.arrow_data.styler.display_values)
    return cells


def _number(text: str) -> float | None:
    return None if text == "–" else float(text.replace("−", "-"))


def _percent(share: float | None) -> str:
    if share is None:
        return "–"
    text = f"{100 * share:+.1f}"
    if float(text) == 0:
        text = f"{100 * share:+.1g}" if share else "0.0"
    return f"{text} %".replace("-", "−")


def dataset_names(connected: Registry, case: Case) -> Mapping[str, str]:
    return connected.dataset_names({pair.dataset for pair in case.pairs})


def by_function(connected: Registry, case: Case, configured: Contracts = Contracts()) -> Decision:
    other = connected.versions(case.asked_model).lineage if case.asked_model else None
    snapshot = connected.versions(case.model)
    meanings = configured.with_data(snapshot.meanings)
    return decide(
        snapshot.lineage, case.candidate, baseline=case.asked, other=other, named_by=BY_LINK, contracts=meanings
    )


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    known: Case = request.param
    return known


def test_the_page_gives_the_known_answer(case: Case, connected: Registry, downloads: Downloads) -> None:
    app = ask(case)
    case = replace(case, reason=case.reason.replace(GIVEN, BY_LINK, 1) if case.asked else case.reason)
    _, _, by_rule = case.reason.partition("; the rules choose ")
    overruled = [f"The baseline is {case.asked}; the rules choose {by_rule} now."] if by_rule else []
    assert reported(app).replace("\\", "") == "\n".join([*overruled, *case.notes])
    names = dataset_names(connected, case)
    _shows_the_verdict(app, case, names)
    _names_what_is_unpaired(app, case, names)
    _shows_every_pair(app, case, names)
    _shows_the_averages(app, case, names)
    decision = downloads.decision(app, case.candidate)
    case.check(decision)
    assert decision == by_function(connected, case)
    # The JSON has ids in its sentences; the page has names.
    failures_first = sorted(decision.named(names).rules, key=lambda rule: BY_CONCERN.index(rule.result))
    listed = checks(app, case.candidate)
    assert listed == [
        (
            f"{OUTCOMES[rule.result][0]} {TITLES[rule.rule]} · {rule.sentence}",
            f"The rule `{rule.rule}` says: {OUTCOMES[rule.result]}.",
        )
        for rule in failures_first
    ]
    assert [row.partition(" ·")[0] for row, outcome in listed if outcome.endswith("✕ fail.")] == [
        f"✕ {TITLES[rule]}" for rule in case.failed
    ]
    link, _ = copied(app)
    assert f"&data={case.data_fingerprint.removeprefix('sha256:')[:12]}" in link
    assert (f"&baseline={case.baseline}&" in link) == (case.baseline is not None)


def _shows_the_verdict(app: AppTest, case: Case, names: Mapping[str, str]) -> None:
    sides, word, lede, counts, *_ = texts(app, "verdict")
    assert word.split() == f"## {WORDS[case.word]} {POLICIES[case.overall]}".split()
    elsewhere = f" of {case.asked_model}" if case.asked_model else ""
    told = "(?: . (?:Approved|Pending|Rejected))?"
    against = f"{re.escape(case.baseline)}{elsewhere}{'' if elsewhere else told}" if case.baseline else "nothing"
    reason = re.escape(case.reason.removeprefix("no baseline: "))
    assert re.fullmatch(f"{re.escape(case.candidate)}{told} against {against} · {reason}", sides)
    # What is nowhere counted has no badge, and the checks follow.
    order = ["better", "same", *(state for state in STATES if state not in ("better", "same"))]
    found = {state: sum(pair.state == state for pair in case.pairs) for state in order}
    badges = [f"{STATES[state][0]} {found[state]} {STATES[state][2:]}" for state in order if found[state]]
    assert counts == " ".join(badges)
    _says_what_was_found(lede, case, names)
    assert sentences(app) == [*case.headline]


def _says_what_was_found(lede: str, case: Case, names: Mapping[str, str]) -> None:
    """How many of the results that both have are worse or better, the largest of them, and what is missing."""
    by_state = {state: [pair for pair in case.pairs if pair.state == state] for state in STATES}
    compared = sum(len(by_state[state]) for state in ("better", "worse", "same"))
    results = f"of {compared} compared results"
    worse, better = by_state["worse"], by_state["better"]
    if compared == 1:
        assert lede.split(".", maxsplit=1)[0] in (
            "Worse on the one compared result",
            "Better on the one compared result",
            "The one compared result stayed within the tolerance",
        )
    elif worse:
        beside = f", better on {len(better)}" if better else ""
        assert lede.startswith(f"Worse on {len(worse)} {results}{beside}. ")
    elif better:
        assert lede.startswith(f"Better on {len(better)} {results}, worse on none. ")
    elif compared:
        assert lede.startswith(f"None {results} moved beyond the tolerance.")
    most = " most" if compared > 1 else ""
    for verb, pairs in ((f"loses{most}: ", worse), (f"gains{most}: ", [] if worse else better)):
        assert (verb in lede) == bool(pairs)
        if pairs:
            largest = max(pairs, key=lambda pair: math.inf if pair.effect is None else abs(pair.effect))
            name, _, told = lede.partition(f" {verb}")
            found = re.fullmatch(r"(\S+) (\S+) → (\S+) \(([^)]+)\)\..*", told)
            assert found is not None, told
            metric, before, after, effect = found.groups()
            assert name.endswith(f". {names[largest.dataset]}")
            assert metric == largest.metric
            assert [float(before), float(after)] == pytest.approx([largest.baseline, largest.candidate], rel=5e-3)
            assert largest.effect is None or effect.removesuffix(" read as errors") == _percent(largest.effect)
    missing = len(by_state["missing"])
    gone = f"{missing} result{'s' if missing > 1 else ''} of the baseline {'are' if missing > 1 else 'is'} missing"
    assert (gone in lede) == bool(missing)


def _names_what_is_unpaired(app: AppTest, case: Case, names: Mapping[str, str]) -> None:
    captions = texts(app, "verdict", "caption")
    for state, start in (
        ("missing", "Missing from the candidate: "),
        ("new", "New, without a number to compare with: "),
    ):
        metrics: dict[str, list[str]] = {}
        for pair in case.pairs:
            if pair.state == state:
                metrics.setdefault(names[pair.dataset], []).append(pair.metric)
        listed = [f"{name} ({', '.join(given)})" for name, given in metrics.items()]
        more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
        expected = [start + ", ".join(listed[:NAMED]) + more] if listed else []
        assert [text for text in captions if text.startswith(start)] == expected


def _shows_every_pair(app: AppTest, case: Case, names: Mapping[str, str]) -> None:
    cells = shown(app)
    rows = [
        (row["dataset"], row["metric"], *(_number(row[name]) for name in NUMBERS), row["effect"], row["state"])
        for row in cells.to_dict("records")
    ]
    expected = [
        (
            names[pair.dataset],
            pair.metric,
            pair.baseline,
            pair.candidate,
            pair.change,
            _percent(pair.effect),
            STATES[pair.state],
        )
        for pair in case.pairs
    ]
    # The table orders equal pairs by effect, the Decision by name.
    same = STATES["same"]
    assert [row for row in rows if row[-1] != same] == [row for row in expected if row[-1] != same]
    assert {*rows} == {*expected}
    assert len(rows) == len(expected)


def _shows_the_averages(app: AppTest, case: Case, names: Mapping[str, str]) -> None:
    lines = [line for text in texts(app, "results") for line in text.split("  \n") if " · mean gain " in line]
    pattern = r"(\S+) · (1 dataset|\d+ datasets) · mean (\S+) → (\S+) · mean gain (.+) · geometric ratio (\S+)"
    rows = [cast("re.Match[str]", re.fullmatch(pattern, line)).groups() for line in lines]
    assert [(metric, count) for metric, count, *_ in rows] == [
        (mean.metric, f"{mean.n} dataset{'s' if mean.n > 1 else ''}") for mean in case.means
    ]
    for (_, _, before, after, gain, ratio), mean in zip(rows, case.means, strict=True):
        expected = [mean.macro_baseline, mean.macro_candidate, mean.geometric_ratio]
        assert [_number(text) for text in (before, after, ratio)] == pytest.approx(expected, rel=5e-4)
        assert gain == _percent(mean.mean_gain)
    doubts = []
    for mean in case.means:
        if mean.disagree:
            doubts.append(f"{mean.metric}: the averages name different winners, so none of them is the answer.")
        if mean.turned_by:
            any_one = "any one of " if len(mean.turned_by) > 1 else ""
            turning = any_one + ", ".join(names[dataset] for dataset in mean.turned_by)
            doubts.append(f"{mean.metric}: leaving out {turning} turns the mean gain round.")
    captions = texts(app, "results", "caption")
    assert captions[len(captions) - len(doubts) :] == doubts
    assert not any("averages name" in told or "turns the" in told for told in captions[: len(captions) - len(doubts)])


def test_all_four_reports_hold_what_the_page_shows(connected: Registry, downloads: Downloads) -> None:
    case = next(case for case in CASES if (case.model, case.candidate) == ("model-pyannotediarization", "2.1.0"))
    app = ask(case)
    files = {form: downloads.press(app, f"report-{form}-{case.candidate}") for form in FORMS}
    assert files["html"].startswith("<!doctype html>")
    for form in ("html", "md"):
        assert "Trade-off" in files[form]
        assert case.headline[0] in _read(files[form])
    assert files["csv"].count("\n") == 1 + len(case.pairs)
    case.check(Decision.model_validate_json(files["json"]))


def test_several_candidates_have_their_known_answers_over_all_pages(connected: Registry, downloads: Downloads) -> None:
    baseline = "1.0.0_base_en"
    snapshot = connected.versions("model-whisper")
    meanings = Contracts().with_data(snapshot.meanings)
    decisions = [
        decide(snapshot.lineage, name, baseline=baseline, named_by=BY_LINK, contracts=meanings) for name in SEVERAL
    ]
    expected = {
        (decision.candidate, pair.metric, pair.baseline, pair.candidate, STATES[pair.state], _percent(pair.effect))
        for decision in decisions
        for pair in decision.pairs
    }
    count = sum(len(decision.pairs) for decision in decisions)
    assert count > 200
    found: list[tuple[Any, ...]] = []
    for page in range(1, -(-count // 100) + 1):
        app = compare(model="model-whisper", candidate=SEVERAL, baseline=baseline, page=str(page))
        assert reported(app).startswith("The baseline is ")
        cells = shown(app)
        assert len(cells) == min(100, count - len(found))
        found += [
            (
                row["version"],
                row["metric"],
                _number(row["baseline"]),
                _number(row["candidate"]),
                row["state"],
                row["effect"],
            )
            for row in cells.to_dict("records")
        ]
        verdicts = _block(app, "verdict").dataframe[0].value
        counted = [state for state in COUNTS if any(getattr(decision.summary, state) for decision in decisions)]
        assert [column for column in verdicts if column in STATES.values()] == [STATES[state] for state in counted]
        told = verdicts[["version", "verdict", "policy", *(STATES[state] for state in counted)]].to_dict("records")
        given = [[each for each in row.values() if each is not None and each is not pd.NA] for row in told]
        assert [[each if isinstance(each, str | int) else [*each] for each in row] for row in given] == [
            [
                decision.candidate,
                [WORDS[decision.summary.word]],
                [CHIPS[decision.overall]],
                *filter(None, (getattr(decision.summary, state) for state in counted)),
            ]
            # All are trade-offs that fail: the one with the most better results beyond the worse ones is first.
            for decision in sorted(decisions, key=lambda each: each.summary.worse - each.summary.better)
        ]
        assert [downloads.decision(app, name) for name in SEVERAL] == decisions
    assert len(found) == count
    assert {*found} == expected
    regressions = [row[-2] == STATES["worse"] for row in found]
    assert regressions == sorted(regressions, reverse=True)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_data_has_its_sentence(name: str, connected: Registry, downloads: Downloads) -> None:
    fault = FAULTS[name]
    app = compare(model=f"model-{name}")
    assert reported(app) == ""
    _, word, *_ = texts(app, "verdict")
    assert word.split() == f"## {WORDS[fault.word]} {POLICIES[fault.overall]}".split()
    assert sentences(app) == [*fault.headline]
    cells = shown(app)
    notes = cells["note"].tolist() if "note" in cells else ["–"] * len(cells)
    rows = [
        (row["dataset"], row["metric"], row["state"], None if note in (None, "–", "nan", "None") else note)
        for row, note in zip(cells.to_dict("records"), notes, strict=True)
    ]
    assert rows == [(dataset, metric, STATES[state], note) for dataset, metric, state, note in fault.rows]
    decision = downloads.decision(app, "0.2.0")
    assert (decision.summary.word, decision.overall) == (fault.word, fault.overall)
    assert [(pair.dataset, pair.metric, pair.state, pair.note) for pair in decision.pairs] == [*fault.rows]


def _has_no_verdict(app: AppTest) -> None:
    """Neither the word nor anything that follows from it is shown: an error is no verdict about something else."""
    keys = {str(block.key) for block in app.main.container}
    assert keys.isdisjoint({"verdict", "lede", "results-bar", "results", "delta-chart", "compare-table", "pareto"})
    assert not [key for key in keys if key.startswith(("policy-", "tone-"))]
    assert not app.get("download_button")
    assert not app.dataframe


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"model": "model-none"}, "Model model-none does not exist."),
        ({"model": "model-none", "candidate": "0.2.0", "baseline": "0.1.0"}, "Model model-none does not exist."),
        ({"model": "model-zero", "candidate": ["0.2.0", "9.9.9"]}, "model-zero has no version 9.9.9 as of "),
        (
            {"model": "model-zero", "candidate": "0.2.0", "baseline_model": "model-nan", "baseline": "9.9.9"},
            "model-nan has no version 9.9.9 as of ",
        ),
        (
            {"model": "model-zero", "candidate": "0.2.0", "baseline_model": "model-timm", "baseline": "0.1.0"},
            "model-timm has no version 0.1.0 as of ",
        ),
        (
            {"model": "model-zero", "candidate": "0.2.0", "baseline_model": "model-zero", "baseline": "0.2.0"},
            "0.2.0 is both the candidate and the baseline.",
        ),
    ],
    ids=[
        "unknown model",
        "unknown model beside versions of another",
        "one of two candidates unknown",
        "unknown baseline of another model",
        "baseline of the third model",
        "equal by naming the model twice",
    ],
)
def test_what_cannot_be_compared_has_its_sentence_and_no_verdict(
    parameters: dict[str, Any], problem: str, connected: Registry
) -> None:
    app = compare(**parameters)
    assert len(app.error) == 1
    assert problem in _read(reported(app))
    _has_no_verdict(app)


CONTRADICTIONS: Final = {
    "bounds": (
        '[[policy]]\nrule = "bound"\nmetric = "cer"\nmin = 2\nmax = 1\n',
        "[[policy]] rule 1 has min 2 above max 1: every number is out of bounds.",
    ),
    "aliases": (
        '[datasets.d]\nalias_of = "e"\n\n[datasets.e]\nalias_of = "d"\n',
        "[datasets.d] alias_of leads into a circle: d → e → d.",
    ),
    "numbers of items": (
        '[datasets.d]\nalias_of = "e"\nn = {cer = 10}\n\n[datasets.e]\nn = {cer = 20}\n',
        "[datasets.e] n.cer is 20 and [datasets.d] n.cer is 10, but they are one dataset.",
    ),
}


@pytest.mark.parametrize(("text", "problem"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradictory_configuration_is_reported_until_it_is_corrected(
    text: str, problem: str, connected: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "paiview.toml"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("PAIVIEW_CONFIG", str(file))
    app = compare(model="model-zero")
    assert len(app.error) == 1
    assert f"{file.name}: {problem}" in _read(reported(app))
    assert str(tmp_path) not in _read(reported(app))
    _has_no_verdict(app)
    file.write_text("[metrics.cer]\nrelative = 0.02\n", encoding="utf-8")
    app.run()
    assert not app.error
    assert WORDS["Worse"] in texts(app, "verdict")[1]


def test_the_page_and_the_function_decide_alike_by_the_configuration(
    connected: Registry, downloads: Downloads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(case for case in CASES if case.title == "a metric without a direction has no verdict")
    file = tmp_path / "paiview.toml"
    file.write_text(
        '[metrics.network_breadth]\ndirection = "higher"\nrelative = 0.0\n\n[datasets.coco-val2017]\nname = "COCO"\n\n'
        '[[policy]]\nrule = "bound"\nmetric = "map50"\nmin = 0.7\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("PAIVIEW_CONFIG", str(file))
    app = ask(case)
    assert WORDS["Trade-off"] in texts(app, "verdict")[1]
    assert sentences(app)[0] == "network_breadth: worse on 1 (COCO −0.8 %)"
    assert checks(app, case.candidate) == [
        (
            "✕ Within bounds · 1 of 1 result is not at least 0.7: map50 on COCO is 0.637.",
            "The rule `bound` says: ✕ fail.",
        )
    ]
    decision = downloads.decision(app, case.candidate)
    assert decision == by_function(connected, case, contracts.load(file))
    assert decision != by_function(connected, case)

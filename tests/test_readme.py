"""What the README and the pages in docs/ say agrees with the code, and their links lead somewhere."""

import json
import re
from collections.abc import Mapping
from itertools import pairwise, product
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from starlette.routing import Route
from typer.main import get_command
from typer.testing import CliRunner

from paiview.cli.main import app
from paiview.decisions.contracts import load
from paiview.decisions.decision import PairDecision, State
from paiview.decisions.no_regression import NoRegression
from paiview.decisions.pairs import summarize
from paiview.decisions.policy import KINDS
from paiview.evidence.item_records import SYNONYMS
from paiview.evidence.significance import significance
from paiview.server.http_api import MODEL_PARAMETERS, VERSION_PARAMETERS, mount

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob(".github/**/*.md")])
LONGEST_README = 150
PACKAGES = (
    "pai/",
    "registry/",
    "evaluation/",
    "evidence/",
    "decisions/",
    "figures/",
    "ui/",
    "reports/",
    "server/",
    "embedded/",
    "cli/",
)
STATES: tuple[State, ...] = ("better", "worse", "unclear", "same", "missing", "new", "not_comparable")
COMPARED: tuple[State, ...] = ("better", "worse", "unclear", "same")


def read(page: Path) -> str:
    return page.read_text("utf-8")


def table(page: Path, heading: str) -> list[list[str]]:
    """The cells of the table whose header begins with ``heading``, without the header."""
    _, _, rest = read(page).partition(f"\n| {heading} |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def quoted(text: str) -> list[str]:
    """The texts in backticks."""
    return re.findall(r"`([^`]+)`", text)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    tokens = MarkdownIt().parse(read(page))
    titles = [
        "".join(part.content for part in token.children or ())
        for before, token in pairwise(tokens)
        if before.type == "heading_open"
    ]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> list[str]:
    """The targets of all links and pictures of a page that are not on the web."""
    parts = [part for token in MarkdownIt().parse(read(page)) for part in token.children or ()]
    targets = [str(part.attrs["href" if part.type == "link_open" else "src"]) for part in parts if part.attrs]
    return [unquote(target) for target in targets if not re.match(r"[a-z]+:", target)]


def commands() -> dict[str, Any]:
    """The commands of paiview by name."""
    group: Any = get_command(app)
    return dict(group.commands)


def test_the_readme_is_short() -> None:
    assert len(read(README).splitlines()) < LONGEST_README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = page if not path else (page.parent / path).resolve()
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_the_check_of_links_sees_those_of_the_readme() -> None:
    assert {"docs/compare.png", "docs/configuration.md#paiviewtoml", "CHANGELOG.md"} <= {*links(README)}
    assert "paiviewtoml" in anchors(DOCS / "configuration.md")


def test_the_readme_links_to_every_page_of_docs() -> None:
    assert {target.partition("#")[0] for target in links(README)} >= {f"docs/{page.name}" for page in DOCS.glob("*.md")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    named = [text for text in quoted(read(page)) if re.fullmatch(r"(paiview|pages|tests|benchmarks|deploy)/\S*", text)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_layout_has_each_package_and_files_that_exist() -> None:
    lines = re.findall(r"^paiview/(\w+/|\*\.py) +(.+)$", read(README), re.MULTILINE)
    packages = {f"{file.parent.name}/" for file in (ROOT / "paiview").glob("*/__init__.py")}
    assert [folder for folder, _ in lines] == [*PACKAGES, "*.py"]
    assert {*PACKAGES} == packages
    for folder, content in lines:
        files = [ROOT / "paiview" / folder.removesuffix("*.py") / name for name in re.findall(r"\w+\.py", content)]
        assert files or folder == "embedded/"
        assert [file for file in files if not file.exists()] == []


def test_the_example_of_the_configuration_can_be_used(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", read(DOCS / "configuration.md"), re.DOTALL)
    file = tmp_path / "paiview.toml"
    file.write_text(example, encoding="utf-8")
    contracts = load(file)
    assert contracts.metrics["quality"].direction == "higher"
    assert contracts.aliases == {"oss://bucket/aishell/test.tsv": "d-aishell1"}
    assert contracts.datasets["d-aishell1"].n == {"cer": 104765}
    assert [type(rule) for rule in contracts.rules] == [NoRegression]


def test_the_table_of_settings_has_each_with_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAIVIEW_REGION", "cn-shanghai")
    printed = CliRunner().invoke(app, ["config"]).stdout.splitlines()
    values = {line.split()[0]: (line.split()[1:-1] or [""])[0] for line in printed if line.startswith("PAIVIEW_")}
    rows = {quoted(row[0])[0]: row[1] for row in table(DOCS / "configuration.md", "variable")}
    assert {*rows} == {*values, "PAIVIEW_CONFIG"}
    numbers = {name: default for name, default in rows.items() if default.isdecimal()}
    assert len(numbers) == 7
    assert {name: values[name] for name in numbers} == numbers


def test_the_table_of_commands_has_each_with_its_options() -> None:
    written = {}
    for cell, options in table(DOCS / "command-line.md", "command | options"):
        name, *arguments = quoted(cell)[0].split()
        written[name] = {*arguments, *quoted(options)}
    assert written == {
        name: {parameter.metavar or parameter.opts[0] for parameter in command.params}
        for name, command in commands().items()
    }


def test_the_table_of_formats_has_those_of_the_commands() -> None:
    rows = table(DOCS / "command-line.md", "command | formats (`--format`)")
    written = {name: {*quoted(formats)} for names, formats, _ in rows for name in quoted(names)}
    assert written == {
        name: {form.value for form in parameter.type_descriptor.annotation}
        for name, command in commands().items()
        for parameter in command.params
        if parameter.name == "output"
    }


def test_the_table_of_fields_has_each_with_its_names() -> None:
    rows = table(DOCS / "significance.md", "field")
    assert {quoted(field)[0]: (quoted(field)[0], *quoted(names)) for field, names, _ in rows} == SYNONYMS


def test_the_evidence_shown_has_the_fields_that_are_printed() -> None:
    [example] = re.findall(r"```json\n(.*?)```", read(DOCS / "significance.md"), re.DOTALL)
    [[entry]] = json.loads(example)["Paired"].values()
    sides = ([{"id": at, "value": float(at % side)} for at in range(60)] for side in (2, 3))
    [[printed]] = significance(*sides).paired.values()
    assert [*entry] == [*printed]


def test_the_table_of_rules_has_each_with_its_keys() -> None:
    written = {quoted(rule)[0]: {*quoted(keys)} for rule, _, keys in table(DOCS / "policy.md", "rule")}
    assert written == {word: {*kind.model_fields} - {"rule"} for word, kind in KINDS.items()}


def test_the_table_of_the_api_has_its_routes() -> None:
    written = {quoted(cell)[0].partition("?")[0] for cell, _ in table(DOCS / "api.md", "GET")}
    served = {
        f"/api{route.path}".replace("{model}", "{ModelId}") for route in mount().routes if isinstance(route, Route)
    }
    assert written == {*served, "/healthz", "/metrics"}


def test_the_table_of_filters_has_the_parameters_of_each_listing() -> None:
    rows = {quoted(listing)[0]: {*quoted(parameters)} for listing, parameters in table(DOCS / "api.md", "listing")}
    assert rows == {"/api/models": {*MODEL_PARAMETERS}, "/api/models/{ModelId}/versions": {*VERSION_PARAMETERS}}


@pytest.mark.parametrize("present", [*product((False, True), repeat=len(STATES))])
def test_the_table_of_the_readme_gives_the_word_of_every_mixture(present: tuple[bool, ...]) -> None:
    some = dict(zip(STATES, present, strict=True))
    rows = {row[0].strip("*"): row[1:] for row in table(README, "| better")}
    assert rows.pop("Not comparable")[0] == "no result is better, worse, unclear or the same"
    columns = (some["better"], some["worse"], some["missing"])
    fitting = [
        word
        for word, cells in rows.items()
        if all(cell in ("any", "some" if is_there else "none") for cell, is_there in zip(cells, columns, strict=True))
    ]
    is_compared = any(some[state] for state in COMPARED)
    assert (fitting if is_compared else ["Not comparable"]) == [word_of(some)]


@pytest.mark.parametrize("present", [*product((False, True), repeat=len(STATES))])
def test_the_first_row_that_applies_gives_the_word_of_every_mixture(present: tuple[bool, ...]) -> None:
    some = dict(zip(STATES, present, strict=True))
    applies = {
        "no result is better, worse, unclear or the same": not any(some[state] for state in COMPARED),
        "some results are better and some worse": some["better"] and some["worse"],
        "some results are worse": some["worse"],
        "some results are missing": some["missing"],
        "some results are better": some["better"],
        "all compared results are the same or unclear": True,
    }
    assert next(word for word, when in table(DOCS / "policy.md", "word") if applies[when]) == f"*{word_of(some)}*"


def word_of(some: Mapping[State, bool]) -> str:
    """The verdict on one result of each state that there is."""
    return summarize([pair(state) for state in STATES if some[state]]).word


def pair(state: State) -> PairDecision:
    return PairDecision(
        dataset="d",
        metric="cer",
        direction="lower",
        baseline=None,
        candidate=None,
        change=None,
        gain=None,
        error_reduction=None,
        effect=None,
        reading=None,
        state=state,
    )

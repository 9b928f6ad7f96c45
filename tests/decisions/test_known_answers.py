"""The known answers through every door: the function, the command line and the HTTP API give the same Decision."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, get_args

import httpx
import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner

from paiview.cli.main import app as commands
from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision, Word
from paiview.decisions.lineage import Lineage, decide
from paiview.embedded.background_server import HOST, BackgroundServer
from paiview.embedded.published_results import published
from paiview.pai.objects import ModelVersion
from paiview.registry.connection import connect, disconnect
from paiview.server import http_api
from paiview.settings import Settings
from tests.harness.data_files import saved_answer
from tests.harness.known_answers import CASES, Case, save_sizes

FAMILIES = {
    "model-funasr",
    "model-pyannotediarization",
    "model-timm",
    "model-wenetmandarin",
    "model-whisper",
    "model-yolov5",
}


class Known(NamedTuple):
    """A model as the embedded registry reads it from its file, with what the file says of its metrics."""

    lineage: Lineage
    contracts: Contracts


Lineages = Mapping[str, Known]


@pytest.fixture(scope="module")
def lineages(tmp_path_factory: pytest.TempPathFactory) -> Lineages:
    """Every model by its id."""
    files = [*published(), saved_answer(save_sizes(tmp_path_factory.mktemp("sizes")))]
    seeds = {file.model_id: file.read() for file in files}
    return {
        model_id: Known(_lineage(model_id, seed.versions), Contracts().with_data(seed.facts.meanings))
        for model_id, seed in seeds.items()
    }


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The HTTP API over the registry of this process, which the command line reads too: the embedded one."""
    folder = tmp_path_factory.mktemp("door")
    connect(Settings(data_dir=folder / "registry", data=(save_sizes(folder),)))
    try:
        with (
            BackgroundServer(Starlette(routes=[http_api.mount()])) as server,
            httpx.Client(base_url=f"http://{HOST}:{server.port}") as client,
        ):
            yield client
    finally:
        disconnect()


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    known: Case = request.param
    return known


def _lineage(model_id: str, versions: Iterable[Any]) -> Lineage:
    return Lineage(model_id, [ModelVersion.model_validate(item) for item in versions], datetime.now(UTC))


def _decided(case: Case, lineages: Lineages) -> Decision:
    other = lineages[case.asked_model].lineage if case.asked_model else None
    known = lineages[case.model]
    return decide(known.lineage, case.candidate, baseline=case.asked, other=other, contracts=known.contracts)


def test_the_function_gives_the_known_answer(case: Case, lineages: Lineages) -> None:
    case.check(_decided(case, lineages))


def test_the_command_line_gives_the_known_answer(case: Case, lineages: Lineages, door: httpx.Client) -> None:
    asked = {"--baseline": case.asked, "--baseline-model": case.asked_model}
    options = [text for name, value in asked.items() if value for text in (name, value)]
    question = [case.model, case.candidate, *options, "--format", "json"]
    compared = CliRunner().invoke(commands, ["compare", *question])
    checked = CliRunner().invoke(commands, ["check", *question])
    assert (compared.exit_code, checked.exit_code) == (0, case.exit_code)
    decision = Decision.model_validate_json(compared.stdout)
    case.check(decision)
    assert decision == Decision.model_validate_json(checked.stdout) == _decided(case, lineages)


def test_the_http_api_gives_the_known_answer(case: Case, lineages: Lineages, door: httpx.Client) -> None:
    asked = {"candidate": case.candidate, "baseline": case.asked, "baseline_model": case.asked_model}
    answer = door.get(
        f"/api/models/{case.model}/decision", params={name: value for name, value in asked.items() if value}
    )
    assert answer.status_code == 200
    decision = Decision.model_validate_json(answer.text)
    case.check(decision)
    assert decision == _decided(case, lineages)


def test_the_cases_hold_every_family_word_state_reason_and_outcome() -> None:
    pairs = [pair for case in CASES for pair in case.pairs]
    assert {case.model for case in CASES} == FAMILIES | {"model-sizes"}
    assert {case.word for case in CASES} == set(get_args(Word))
    assert {pair.state for pair in pairs} == {"better", "worse", "same", "missing", "new", "not_comparable"}
    assert {pair.reading for pair in pairs} == {"value", "error", None}
    assert {case.overall for case in CASES} == {"pass", "fail", "undecided"}
    assert len({case.reason.partition("; the rules choose")[0] for case in CASES}) == 8


@pytest.mark.parametrize(
    "altered",
    [
        {"model": "model-timm"},
        {"baseline": "1.1.0"},
        {"baseline_model": None},
        {"baseline_reason": ""},
        {"data_fingerprint": "sha256:0"},
        {"overall": "pass"},
        {"rules": ()},
        {"averages": ()},
    ],
    ids=lambda altered: next(iter(altered)),
)
def test_another_answer_is_told(lineages: Lineages, altered: Mapping[str, Any]) -> None:
    case = next(case for case in CASES if (case.model, case.candidate) == ("model-pyannotediarization", "2.1.0"))
    decision = _decided(case, lineages).model_copy(update=dict(altered))
    with pytest.raises(AssertionError):
        case.check(decision)


@pytest.mark.parametrize(
    "altered",
    [
        {"dataset": "ami-ihm-2"},
        {"direction": "higher"},
        {"baseline": 0.21000001},
        {"change": 0.05900001},
        {"gain": -0.2809},
        {"error_reduction": 0.1},
        {"effect": None},
        {"reading": "error"},
        {"state": "same"},
    ],
    ids=lambda altered: next(iter(altered)),
)
def test_another_answer_about_a_pair_is_told(lineages: Lineages, altered: Mapping[str, Any]) -> None:
    case = next(case for case in CASES if (case.model, case.candidate) == ("model-pyannotediarization", "2.1.0"))
    decision = _decided(case, lineages)
    first, *others = decision.pairs
    pairs = (first.model_copy(update=dict(altered)), *others)
    with pytest.raises(AssertionError):
        case.check(decision.model_copy(update={"pairs": pairs}))

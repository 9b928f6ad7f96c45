"""Whatever a listing holds: client, frames, figures, decision and reports answer, keep every version, and count."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import plotly.io
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paiview.decisions.contracts import Contracts
from paiview.decisions.decision import Decision
from paiview.decisions.differences import differences
from paiview.decisions.lineage import Lineage, UnknownVersionError, decide
from paiview.decisions.no_regression import NoRegression
from paiview.decisions.policy import Bound, Described, Improves, Labelled, NoMissing, Shares
from paiview.evaluation import queries
from paiview.evaluation.dataset_identity import identify
from paiview.evaluation.frames import NO_DATASET, Frames, build
from paiview.evaluation.metric_meaning import DatasetContract, MetricSettings
from paiview.evaluation.results import Pair
from paiview.figures.delta import delta_info
from paiview.figures.delta_table import delta_html
from paiview.figures.dumbbell import dumbbell_figure, dumbbell_info
from paiview.figures.heatmap import effect_heatmap_figure, effect_heatmap_info, heatmap_figure, heatmap_info
from paiview.figures.pareto import pareto_figure, pareto_info
from paiview.figures.trend import trend_figure, trend_info
from paiview.pai import client, transport
from paiview.pai.client import Client
from paiview.pai.credentials import StaticCredentials
from paiview.pai.errors import ServiceError
from paiview.pai.objects import ModelVersion
from paiview.pai.paging import Listing
from paiview.pai.responses import MAX_INTEGER_DIGITS, MAX_NESTING_LEVELS, ApiResponse, read_response
from paiview.reports import documents, table_files
from paiview.secret_masking import mask_secrets
from tests.harness.html_tree import parse
from tests.harness.odd_data import GOOD_TIMES, OBJECT_FIELDS, TEXT_FIELDS, answers, written
from tests.harness.server import Reply, Request, Server, reply

READ_AT: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CREDENTIALS: Final = StaticCredentials("test-key-id", "test-secret", None)
CONTRACTS: Final = (
    Contracts(),
    Contracts(
        page={"wer": MetricSettings("target", target=1e308, range=(None, 1e308))},
        metric_tables={
            "quality": MetricSettings("higher", unit="fraction", absolute=0.001),
            "loss": MetricSettings("lower", unit="ms", relative=0.0, digits=2),
            "cer": MetricSettings(scale="mixed", relative=0.02, absolute=5e-324, digits=12),
            "acc*": MetricSettings("zero", scale="percent"),
            "a.b*": MetricSettings(alias_of="quality"),
            "*.*": MetricSettings(ignore=True),
        },
        data={"accuracy": MetricSettings("higher", range=(-1e-300, 5e-324))},
        dataset_tables={
            "oss://b/test.tsv": DatasetContract(alias_of="d-1"),
            "d-1": DatasetContract(name="情感", n={"cer": 100, "accuracy": 2**63 - 1}),
            "d-*": DatasetContract(ignore=True),
        },
        rules=(
            NoRegression(relative=0.0, accept=("unknown", "scale")),
            NoMissing(dataset="d-*"),
            Bound(metric="*", min=-1e308, max=1e308),
            Improves(metric="*", at_least=0.01),
            Shares(at_least=1),
            Described(),
            Labelled(keys=("a",)),
        ),
    ),
)
NOTHING: Final = b'{"Versions": [], "TotalCount": 0}'
OVER_SOCKETS: Final = settings().max_examples // 5

List = Callable[[bytes], Listing[ModelVersion]]


class Wire:
    """In the place of the transport: the content is page 1, and whatever comes after is empty."""

    def __init__(self, *_: object, **__: object) -> None:
        self.content = b""

    def submit(
        self, action: str, path: str, parameters: Mapping[str, str], parse: Callable[[ApiResponse], Any], group: str
    ) -> Future[Any]:
        content = self.content if parameters["PageNumber"] == "1" else NOTHING
        future: Future[Any] = Future()
        try:
            future.set_result(parse(read_response(action, 200, {}, content)))
        except ServiceError as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def listed() -> Iterator[List]:
    """Lists the versions of an answer through the client, though over no network."""
    wire = Wire()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "Transport", lambda *_, **__: wire)
        reader = Client("http://127.0.0.1", CREDENTIALS)
    with pytest.MonkeyPatch.context() as patch, reader:
        # Alike in every picture and report, and most of the time they take.
        patch.setattr(plotly.io.templates, "default", "none")

        def read(content: bytes) -> Listing[ModelVersion]:
            wire.content = content
            return reader.list_all_model_versions("model-a")

        yield read


def items_of(answer: Any) -> list[Any] | None:
    """The versions of an answer, each name once as the client promises; ``None`` where it is no listing."""
    if not isinstance(answer, dict):
        return None
    items, count = answer.get("Versions"), answer.get("TotalCount")
    if items is None and count is not None:
        items = []
    if not isinstance(items, list) or not (re.fullmatch("[0-9]{1,15}", str(count)) or (count is None and not items)):
        return None
    kept: dict[str, Any] = {}
    for place, item in enumerate(items):
        name = item.get("VersionName") if isinstance(item, dict) else None
        is_named = isinstance(name, str | int | float) and not isinstance(name, bool) and name != ""
        kept.setdefault(str(name) if is_named else f"\0{place}", item)
    return [*kept.values()]


def readable(content: bytes) -> Any:
    """The answer as any reader of JSON reads it, save for what no text and no integer can hold."""

    def whole(digits: str) -> int | str:
        return int(digits) if len(digits.removeprefix("-")) <= MAX_INTEGER_DIGITS else digits

    return _readable(json.loads(content, parse_int=whole))


def _readable(tree: Any) -> Any:
    match tree:
        case dict():
            return {_readable(name): _readable(value) for name, value in tree.items()}
        case list():
            return [*map(_readable, tree)]
        case str():
            return re.sub("[\ud800-\udfff]", lambda lone: rf"\u{ord(lone[0]):x}", tree)
        case _:
            return tree


def depth(tree: Any) -> int:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def flags(item: Any) -> int:
    """How much of a version is not as the API documents it, by the words of the design and not by its code."""
    if not isinstance(item, dict):
        return 2  # The version itself, and that it has no name.
    texts = {name: item.get(name) for name in TEXT_FIELDS}
    misfits = [name for name, value in texts.items() if isinstance(value, bool | list | dict)]
    misfits += [name for name in OBJECT_FIELDS if name != "Metrics" and not isinstance(item.get(name), dict | None)]
    name = texts["VersionName"]
    broken = name is None or not re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,18}){2}(_[A-Za-z0-9_]+)?", str(name))
    times = [texts["GmtCreateTime"], texts["GmtModifiedTime"]]
    odd_times = sum(
        isinstance(time, str | int | float) and not isinstance(time, bool) and time not in GOOD_TIMES for time in times
    )
    return len(misfits) + label_flags(item.get("Labels")) + broken + odd_times + metric_flags(item.get("Metrics"))[1]


def label_flags(labels: Any) -> int:
    if not isinstance(labels, list):
        return int(labels is not None)
    return sum(
        sum(isinstance(label[name], bool | list | dict | None) for name in ("Key", "Value") if name in label)
        if isinstance(label, dict)
        else 1
        for label in labels
    )


def metric_flags(metrics: Any) -> tuple[int, int]:
    """How many rows Metrics has, and how many of them and of what could be none are not clean."""
    metrics = {"Results": opened(metrics)} if isinstance(opened(metrics), list) else opened(metrics)
    if not isinstance(metrics, dict):
        return 0, int(metrics is not None)
    values: dict[tuple[str, str], dict[Any, bool]] = {}
    told = 0
    results, beside = parts(metrics)
    for item in results:
        result = opened(item)
        if not isinstance(result, dict) or not isinstance(opened(result.get("Metrics")), dict):
            told += 1
            continue
        dataset = identify(opened(result.get("Dataset")))
        found = [*leaves(opened(result["Metrics"]))]
        for name, value, odd in found:
            add(values, (name, dataset.dataset), value, odd or dataset.problem is not None)
        told += dataset.problem is not None and not found
        if "Counts" in result:
            told += count_flags(result["Counts"], {name for name, _, _ in found})
    for name, value, odd in leaves(beside):
        if is_measured(value):
            add(values, (name, NO_DATASET), value, odd)
        else:
            told += 1
    rows = [*values.values()]
    return sum(map(len, rows)), told + sum(len(row) if len(row) > 1 else any(row.values()) for row in rows)


def add(values: dict[tuple[str, str], dict[Any, bool]], pair: tuple[str, str], value: Any, odd: bool) -> None:
    """Add a value to those of its pair, of which equal ones are one, and odd if any is."""
    is_rounded = type(value) is int and abs(value) < 10**308 and int(float(value)) != value
    key = json.dumps(value) if is_rounded or not is_number(value) or as_float(value) is None else as_float(value)
    of_pair = values.setdefault(pair, {})
    of_pair[key] = of_pair.get(key, False) or odd


def as_float(value: Any) -> float | None:
    try:
        return float(value.strip() if isinstance(value, str) else value)
    except OverflowError:
        return None


def opened(value: Any) -> Any:
    """The object or array that a text is the JSON of."""
    inner = value
    try:
        while isinstance(inner, str):
            inner = json.loads(inner)
    except (ValueError, RecursionError):
        return value
    return inner if isinstance(inner, dict | list) else value


def parts(metrics: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The results, and what stands beside them."""
    if "Results" not in metrics and "Dataset" in metrics and isinstance(opened(metrics.get("Metrics")), dict):
        return [metrics], {}
    results = opened(metrics.get("Results"))
    if isinstance(results, dict) and "Metrics" in results:
        results = [results]
    if not isinstance(results, list):
        return [], metrics
    return results, {name: value for name, value in metrics.items() if name != "Results"}


def is_measured(value: Any) -> bool:
    """Whether it counts outside of Results: a number, what should be one, or a list of numbers."""
    while isinstance(value, list) and value and all(isinstance(item, list) for item in value):
        value = [item for inner in value for item in inner]
    if isinstance(value, list):
        return any(item is not None for item in value) and {*map(type, value)} <= {int, float, type(None)}
    return is_number(value) or isinstance(value, float)


def leaves(metrics: dict[str, Any], prefix: str = "", level: int = 0) -> Iterator[tuple[str, Any, bool]]:
    for name, value in metrics.items():
        if isinstance(value, dict) and value and level < 8:
            yield from leaves(value, f"{prefix}{name}.", level + 1)
        else:
            yield prefix + name, value, level > 0 or not is_clean(value)


def is_clean(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return type(value) is int and abs(value) < 10**308 and int(float(value)) == value


def is_number(value: Any) -> bool:
    """Whether it says a number, however oddly."""
    if isinstance(value, str):
        text = value.strip()
        return bool(re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text)) and math.isfinite(
            float(text)
        )
    return type(value) is int or is_clean(value)


def count_flags(counts: Any, names: set[str]) -> int:
    if not isinstance(counts, dict):
        return 1
    return sum(name not in names or not is_count(pair) for name, pair in counts.items())


def is_count(pair: Any) -> bool:
    given = [pair.get(name) for name in ("n", "errors")] if isinstance(pair, dict) else []
    numbers = [number for number in given if number is not None]
    return bool(numbers) and all(type(number) is int and 0 <= number < 2**63 for number in numbers)


def strict(text: str) -> Any:
    """JSON as every reader takes it: a bare NaN or Infinity is none."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def pictures(frames: Frames, decisions: Sequence[Decision], contracts: Contracts) -> list[Callable[[], str]]:
    """All pictures of a listing and of a comparison: computed, and ready to be drawn as HTML or JSON."""
    shown = list(frames.histories)[:6]
    orders = queries.newest_with(frames, queries.matching(frames), shown, 4)
    trend = trend_info(frames, shown, orders=orders, dataset_names={"d-1": "<b>"}, metrics=contracts.metrics)
    drawn = sum(len(panel.names) for panel in trend.panels)
    assert drawn + trend.hidden == sum(len(frames.histories[pair].version_indexes) for pair in shown)
    raw = heatmap_info(frames, shown, orders=orders, dataset_names={}, metrics=contracts.metrics)
    delta = delta_info(decisions)
    hidden = sum(delta.hidden.values())
    assert len(delta.rows) + hidden == len({(p.metric, p.dataset) for d in decisions for p in d.pairs})
    ready = [
        lambda: trend_figure(trend).to_json(),
        lambda: heatmap_figure(raw).to_json(),
        lambda: delta_html(delta),
    ]
    if decisions:
        effects = effect_heatmap_info(
            frames, shown, orders=orders, baseline=0, dataset_names={}, metrics=contracts.metrics
        )
        dumbbell = dumbbell_info(decisions[-1])
        ready += [lambda: effect_heatmap_figure(effects).to_json(), lambda: dumbbell_figure(dumbbell).to_json()]
    pairs = [Pair(pair.metric, pair.dataset) for decision in decisions for pair in decision.pairs]
    if pairs:
        single = pareto_info(decisions, pairs[0], pairs[-1])
        mean = pareto_info(decisions, pairs[0].metric, pairs[-1].metric)
        ready += [lambda: pareto_figure(single).to_json(), lambda: pareto_figure(mean).to_json()]
    return ready


def look_at(frames: Frames, turn: int, contracts: Contracts) -> None:
    """What the pages ask of the frames; the parts of a split keep every version."""
    everything = queries.matching(frames)
    table = queries.number_table(frames, frames.pairs)
    assert len(table) == len(everything)
    sorts = [*queries.sort_options(list(table.columns))]
    for sort in (sorts[3 * turn], sorts[-1 - turn]):
        assert sorted(queries.sorted_versions(frames, everything, sort, table)) == everything.tolist()
    dated = queries.matching(frames, created_from=date(2022, 1, 1))
    earlier = queries.matching(frames, created_to=date(2021, 12, 31))
    assert len(dated) + len(earlier) + frames.versions["created"].isna().sum() == len(everything)
    queries.matching(frames, text="情", statuses=["Approved"], datasets=["d-1"], metric="cer", minimum=0, maximum=1e308)
    queries.best_numbers(table, frames.pairs)
    queries.newest_approved(frames, list(frames.histories))
    queries.long_form(frames, list(frames.histories), everything)
    queries.scale_jumps(frames, contracts.metrics)
    frame = (frames.versions, frames.metrics)[turn % 2]
    assert len(strict(table_files.json_bytes(frame).decode())) == len(frame)
    table_files.parquet_bytes(frame)
    table_files.csv_bytes(frame)


def decisions_of(lineage: Lineage, contracts: Contracts) -> list[Decision]:
    """The newest two by the rules, and the newest against the oldest."""
    found = [decide(lineage, name, contracts=contracts) for name in lineage.names[-2:]]
    if len(lineage.names) > 1:
        found.append(decide(lineage, lineage.names[-1], baseline=lineage.names[0], contracts=contracts))
    return found


def assert_reports(decision: Decision) -> None:
    said = strict(documents.to_json(decision))
    assert said["summary"]["word"] in documents.to_markdown(decision)
    assert Decision.model_validate_json(documents.to_json(decision)) == decision
    page = documents.to_html(decision)
    assert page.rstrip().endswith("</html>")
    assert len(documents.to_csv(decision).decode("utf-8-sig").splitlines()) >= len(decision.pairs) + 1


def assert_counted(frames: Frames, items: Sequence[Any]) -> None:
    """The frames hold a row for every version and every value, and flag just what is not clean."""
    versions = frames.versions
    assert sorted(versions["listing_index"]) == [*range(len(items))]
    in_order = [items[place] for place in versions["listing_index"]]
    assert versions["problems"].tolist() == [*map(flags, in_order)]
    assert frames.flagged == versions["problems"].sum()
    assert versions["problem"].isna().tolist() == (versions["problems"] == 0).tolist()
    metrics = [item.get("Metrics") if isinstance(item, dict) else None for item in in_order]
    assert versions["results"].tolist() == [metric_flags(given)[0] for given in metrics]
    assert (frames.metrics["value"].notna() | frames.metrics["raw"].notna()).all()
    assert not np.isinf(frames.metrics["value"]).any()


def assert_order_is_no_matter(
    versions: Sequence[ModelVersion], frames: Frames, found: Sequence[Decision], contracts: Contracts
) -> None:
    """Listed the other way round, the versions say the same; so does the choice of the baseline where none tie."""
    mirrored = Lineage("model-a", versions[::-1], READ_AT)
    named = {version.version_name for version in versions if version.version_name}
    if not ({decision.candidate for decision in found} | {decision.baseline for decision in found}) - {None} <= named:
        return
    ties = frames.versions[["created", "major", "minor", "patch", "suffix"]].duplicated().any()
    for decision in found:
        if decision.baseline is not None:
            again = decide(mirrored, decision.candidate, baseline=decision.baseline, contracts=contracts)
            assert again.pairs == decision.pairs
        if not ties and not decision.baseline_reason.startswith("named"):
            assert decide(mirrored, decision.candidate, contracts=contracts) == decision


@given(answers(), st.sampled_from(CONTRACTS), st.integers(0, 6))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_answer_goes_the_whole_way_or_is_refused(
    listed: List, answer: Any, contracts: Contracts, turn: int
) -> None:
    """All is computed for each; drawing takes the most time and is done in turn, the report's picture apart."""
    content = written(answer).encode()
    items = items_of(readable(content))
    if items is None:
        with pytest.raises(ServiceError):
            listed(content)
        return
    versions = listed(content).items
    if depth(items) < MAX_NESTING_LEVELS:
        assert [json.dumps(version.raw) for version in versions] == [json.dumps(mask_secrets(item)) for item in items]
    frames = build(versions)
    assert_counted(frames, items)
    look_at(frames, turn, contracts)
    lineage = Lineage("model-a", versions, READ_AT)
    with pytest.raises(UnknownVersionError):
        decide(lineage, "not there", contracts=contracts)
    found = decisions_of(lineage, contracts)
    assert found == decisions_of(Lineage("model-a", listed(content).items, READ_AT), contracts)
    assert_order_is_no_matter(versions, frames, found, contracts)
    ready = pictures(frames, found, contracts)
    picture = ready[turn % len(ready)]()
    if picture.startswith("{"):
        strict(picture)
    else:
        parse(picture)
    for decision in found[-1:]:
        assert_reports(decision)
    if len(versions) > 1:
        for difference in differences({name: lineage.version(name) for name in lineage.names[-3:]}):
            assert len({*difference.texts}) > 1


@pytest.fixture(scope="module")
def over_sockets() -> Iterator[List]:
    """Lists the versions of an answer that a server gives as its first page."""
    content = b""

    async def respond(request: Request) -> Reply:
        return reply(content if request.page == 1 else NOTHING)

    with pytest.MonkeyPatch.context() as patch, Server(respond) as server, Client(server.url, CREDENTIALS) as reader:
        patch.setattr(transport, "FIRST_RETRY_WAIT_SECONDS", 0.001)

        def read(answer: bytes) -> Listing[ModelVersion]:
            nonlocal content
            content = answer
            return reader.list_all_model_versions("model-a")

        yield read


@given(answers())
@settings(max_examples=OVER_SOCKETS, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_real_client_keeps_every_version_or_says_that_it_is_no_listing(over_sockets: List, answer: Any) -> None:
    content = written(answer).encode()
    items = items_of(readable(content))
    if items is None:
        with pytest.raises(ServiceError):
            over_sockets(content)
        return
    versions = over_sockets(content).items
    assert_counted(build(versions), items)

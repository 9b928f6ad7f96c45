"""What paiview.toml says about metrics, datasets and the policy: checked whole, wrong things named with their line.

Aliases are one step long, so that a dataset has one name. What is said about an alias counts for its target.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from paiview import toml_file
from paiview.decisions.policy import DEFAULT_POLICY, KINDS, Improves, NoRegression, Rule, Size, is_name
from paiview.evaluation.metric_meaning import DatasetContract, Direction, MetricContract, contract
from paiview.pai.errors import SettingError
from paiview.text import one_line

_MOST_DIGITS: Final = 12
_MOST_ITEMS: Final = 2**63 - 1
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_Parsed = TypeVar("_Parsed", bound=BaseModel)


@dataclass(frozen=True)
class Contracts:
    """What is in force.

    Attributes:
        metrics: by name, what the configuration or the page says; ``metric_meaning.contract`` completes it.
        datasets: by DatasetId or Uri; what was said about an alias stands at its target too.
        rules: the policy.
    """

    metrics: Mapping[str, MetricContract] = field(default_factory=dict)
    datasets: Mapping[str, DatasetContract] = field(default_factory=dict)
    rules: tuple[Rule, ...] = DEFAULT_POLICY

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """By dataset, the one it is another name of."""
        return {name: known.alias_of for name, known in self.datasets.items() if known.alias_of is not None}

    @cached_property
    def fingerprint(self) -> str:
        """``sha256:`` and 64 hex digits over everything here that decides; where a value comes from does not."""
        facts = {
            "metrics": {
                name: [known.direction, known.unit, known.relative, known.absolute, known.digits]
                for name, known in self.metrics.items()
            },
            "datasets": {name: [known.alias_of, known.name, dict(known.n)] for name, known in self.datasets.items()},
            "policy": [rule.model_dump(mode="json") for rule in self.rules],
        }
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"sha256:{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()}"


_BUILT_IN: Final = Contracts()


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Metric(_Table):
    direction: Direction | None = None
    unit: Annotated[str, Field(min_length=1)] | None = None
    relative: Size | None = None
    absolute: Size | None = None
    digits: Annotated[int, Field(ge=0, le=_MOST_DIGITS)] | None = None

    def contract(self, name: str) -> MetricContract:
        """The contract of the metric this table is about."""
        return MetricContract(
            name,
            self.direction,
            self.unit,
            math.nan if self.relative is None else self.relative,
            self.absolute,
            self.digits,
            "configuration" if self.direction else "none",
        )


class _Dataset(_Table):
    alias_of: Annotated[str, Field(min_length=1)] | None = None
    name: Annotated[str, Field(min_length=1)] | None = None
    n: dict[str, Annotated[int, Field(ge=1, le=_MOST_ITEMS)]] = Field(default_factory=dict)


class _File(_Table):
    metrics: dict[str, _Metric] = Field(default_factory=dict)
    datasets: dict[str, _Dataset] = Field(default_factory=dict)
    policy: list[Rule] | None = None


class _PolicyFile(_Table):
    policy: Annotated[list[Rule], Field(min_length=1)]


class _Problem(NamedTuple):
    """What is wrong at a place of the file."""

    path: toml_file.KeyPath
    sentence: str


def load(path: Path) -> Contracts:
    """Read the tables of a paiview.toml; without the file the defaults hold.

    Raises:
        SettingError: one sentence with the file and the line of the first thing that cannot be used.
    """
    content = toml_file.read(path)
    return Contracts() if content is None else _contracts(path, content)


def in_force() -> Contracts:
    """The contracts of the paiview.toml in use, read anew when its content has changed.

    Raises:
        SettingError: as ``load``, or the file that was named is missing.
    """
    content = toml_file.content_in_use()
    return _BUILT_IN if content is None else _contracts(toml_file.file_in_use(), content)


def load_policy(path: Path, known: Contracts) -> tuple[Rule, ...]:
    """Read a file that holds ``[[policy]]`` rules and nothing else.

    Args:
        path: the file.
        known: the contracts it is to be used with.

    Raises:
        SettingError: as ``load``, or the file cannot be read.
    """
    content = toml_file.read(path)
    if content is None:
        raise SettingError(f"The policy {path} is not a file.")
    given = _validated(_PolicyFile, toml_file.parse(content, path), path, content)
    rules = tuple(given.policy)
    if problems := [*_policy_problems(rules, known.metrics)]:
        raise _refusal(problems, path, content)
    return rules


def with_metric(contracts: Contracts, metric: MetricContract) -> Contracts:
    """The same contracts with one metric's in place of what stood there."""
    return replace(contracts, metrics={**contracts.metrics, metric.name: metric})


def toml_lines(metric: MetricContract) -> str:
    """The lines of paiview.toml that keep a metric's contract, without a line break at their end."""
    said = {
        "direction": metric.direction,
        "unit": metric.unit,
        "relative": metric.relative,
        "absolute": metric.absolute,
        "digits": metric.digits,
    }
    table = {key: value for key, value in said.items() if value is not None}
    return tomli_w.dumps({"metrics": {metric.name: table}}).strip()


def explain() -> list[tuple[str, str, str]]:
    """What is in force, for a reader: a name, its value, and where the value comes from.

    Raises:
        SettingError: as ``in_force``.
    """
    contracts = in_force()
    content = toml_file.content_in_use()
    places = toml_file.lines(content) if content is not None else {}
    rows = [("metrics", f"direction by the metric's name, relative {MetricContract('').relative:g}", "built-in")]

    def tell(path: toml_file.KeyPath, value: object, otherwise: str) -> None:
        origin = f"{toml_file.file_in_use()}, line {places[path]}" if path in places else otherwise
        name = ".".join(_key(key + 1 if isinstance(key, int) else key) for key in path)
        rows.append((name, str(value), origin))

    for name in contracts.metrics:
        known = contract(name, contracts.metrics)
        tell(("metrics", name, "direction"), known.direction or "unknown", known.source)
        for field_name in ("unit", "relative", "absolute", "digits"):
            if (value := getattr(known, field_name)) is not None:
                tell(("metrics", name, field_name), value, "default")
    for name, dataset in contracts.datasets.items():
        said: dict[toml_file.KeyPath, object] = {("alias_of",): dataset.alias_of, ("name",): dataset.name}
        said |= {("n", metric): n for metric, n in dataset.n.items()}
        for keys, value in said.items():
            if value is not None:
                tell(("datasets", name, *keys), value, "said of its alias")
    for place, rule in enumerate(contracts.rules):
        tell(("policy", place), _told(rule), "default policy")
    return rows


@lru_cache(maxsize=8)
def _contracts(file: Path, content: bytes) -> Contracts:
    written = toml_file.parse(content, file)
    tables = {name: value for name, value in written.items() if name in _File.model_fields or toml_file.is_table(value)}
    given = _validated(_File, tables, file, content)
    metrics = {name: metric.contract(name) for name, metric in given.metrics.items()}
    rules = DEFAULT_POLICY if given.policy is None else tuple(given.policy)
    if problems := [*_dataset_problems(given.datasets), *_policy_problems(rules, metrics)]:
        raise _refusal(problems, file, content)
    return Contracts(metrics, _datasets(given.datasets), rules)


def _datasets(given: Mapping[str, _Dataset]) -> dict[str, DatasetContract]:
    """The datasets; how many items an alias says were scored is said of its target too."""
    counted: dict[str, dict[str, int]] = {}
    for name, dataset in given.items():
        counted.setdefault(dataset.alias_of or name, {}).update(dataset.n)
    own = {name: DatasetContract(dataset.alias_of, dataset.name, dataset.n) for name, dataset in given.items()}
    targets = {name: replace(own.get(name, DatasetContract()), n=n) for name, n in counted.items() if n or name in own}
    return own | targets


def _dataset_problems(given: Mapping[str, _Dataset]) -> Iterator[_Problem]:
    counted: dict[tuple[str, str], tuple[str, int]] = {}
    for name, dataset in given.items():
        target = dataset.alias_of
        here = f"[datasets.{_key(name)}]"
        if target is not None:
            path = ("datasets", name, "alias_of")
            chain = _chain(name, given)
            if target == name:
                yield _Problem(path, f"{here} is an alias of itself")
            elif chain[-1] in chain[:-1]:
                yield _Problem(path, f"the aliases go in a circle: {' → '.join(map(one_line, chain))}")
            elif len(chain) > 2:
                last = _key(chain[-1])
                yield _Problem(path, f"{here} is an alias of an alias: write alias_of = {last}, where it ends")
            if dataset.name is not None:
                told = f"{here} is an alias, and its name is never shown: give the name to [datasets.{_key(target)}]"
                yield _Problem(("datasets", name, "name"), told)
        for metric, n in dataset.n.items():
            other, said = counted.setdefault((target or name, metric), (name, n))
            if said != n:
                told = f"{here} says n of {one_line(metric)} is {n}, and [datasets.{_key(other)}] says {said}"
                yield _Problem(("datasets", name, "n", metric), f"{told}, though they are one dataset")


def _chain(name: str, given: Mapping[str, _Dataset]) -> list[str]:
    """A dataset, what it is an alias of, and so on, up to the end or the first that comes again."""
    chain = [name]
    while (dataset := given.get(chain[-1])) is not None and dataset.alias_of is not None:
        chain.append(dataset.alias_of)
        if chain[-1] in chain[:-1]:
            break
    return chain


def _policy_problems(rules: Sequence[Rule], metrics: Mapping[str, MetricContract]) -> Iterator[_Problem]:
    for place, rule in enumerate(rules):
        first = rules.index(rule)
        if first < place:
            yield _Problem(("policy", place), f"{_rule(place)} says the same as {_rule(first)}")
        if (
            isinstance(rule, NoRegression | Improves)
            and is_name(rule.metric)
            and contract(rule.metric, metrics).direction is None
        ):
            told = f"{_rule(place)} needs to know which way is better for {one_line(rule.metric)}"
            yield _Problem(("policy", place, "metric"), f"{told}: set direction in [metrics.{_key(rule.metric)}]")


def _validated(model: type[_Parsed], tables: Mapping[str, Any], file: Path, content: bytes) -> _Parsed:
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise _refusal([_problem(details, model) for details in found], file, content) from None


def _refusal(problems: Sequence[_Problem], file: Path, content: bytes) -> SettingError:
    """The error for the first of the problems in the file."""
    places = toml_file.lines(content)

    def line(problem: _Problem) -> int:
        parents = (problem.path[:depth] for depth in range(len(problem.path), 0, -1))
        return next((places[path] for path in parents if path in places), 1)

    first = min(problems, key=line)
    return SettingError(f"{file}, line {line(first)}: {first.sentence}.")


def _problem(details: ErrorDetails, model: type[BaseModel]) -> _Problem:
    """What the check of a table found, as a sentence about the file."""
    loc, kind = details["loc"], details["type"]
    # Behind the place of a rule the check puts its kind.
    path = (*loc[:2], *loc[3:]) if loc[0] == "policy" else loc
    table, key = path[0], ".".join(map(_key, path[2:]))
    if len(path) == 1:
        if kind == "extra_forbidden":
            return _Problem(path, f"{_key(table)} is not known here, only {', '.join(model.model_fields)}")
        form = "[[policy]] tables" if table == "policy" else f"[{table}.NAME] tables"
        return _Problem(path, f"{table} must be given as {form}")
    subject = _rule(int(path[1])) if table == "policy" else f"[{table}.{_key(path[1])}]"
    message = details["msg"].removeprefix("Value error, ")
    if kind.startswith("union_tag"):
        return _Problem((*path, "rule"), f"{subject} needs the key rule, one of {', '.join(KINDS)}")
    if kind in ("model_type", "model_attributes_type"):
        return _Problem(path, f"{subject} must be a table")
    if kind == "extra_forbidden":
        known = _Metric if table == "metrics" else _Dataset if table == "datasets" else KINDS[str(loc[2])]
        return _Problem(path, f"{subject} has no key {key}, only {', '.join(known.model_fields)}")
    if kind == "missing":
        return _Problem(path, f"{subject} needs the key {key}")
    if kind == "value_error":
        return _Problem(path, " ".join(filter(None, (subject, key, message))))
    return _Problem(path, f"{subject}: {key} is not usable: {message[:1].lower()}{message[1:]}")


def _rule(place: int) -> str:
    return f"[[policy]] rule {place + 1}"


def _key(name: str | int) -> str:
    """A key as TOML writes it, on one line."""
    text = one_line(str(name))
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _told(rule: Rule) -> str:
    """A rule and what it was given."""
    given = rule.model_dump(mode="json", exclude={"rule"}, exclude_none=True)
    keys = ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in given.items())
    return f"{rule.rule}: {keys}" if keys else rule.rule

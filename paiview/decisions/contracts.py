"""The metrics, datasets and policy of paiview.toml, checked as a whole.

An error names the file, the table and the key. An alias names a dataset that is no alias itself, so that each dataset
has one name. The numbers of items given for an alias count for its target.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from paiview import toml_file
from paiview.decisions.policy import DEFAULT_POLICY, KINDS, Improves, NoRegression, Rule, Size, is_name
from paiview.evaluation.metric_meaning import DEFAULT_RELATIVE, DatasetContract, Direction, MetricContract, contract
from paiview.pai.errors import SettingError
from paiview.text import one_line

_MAX_DIGITS: Final = 12
_MAX_ITEMS: Final = 2**63 - 1
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_Checked = TypeVar("_Checked", bound=BaseModel)


@dataclass(frozen=True)
class Contracts:
    """What metrics and datasets mean, and the policy.

    Attributes:
        metrics: contracts of the configuration and the page, by metric; ``metric_meaning.contract`` adds the built-in
            directions.
        datasets: by DatasetId or Uri; a target has the ``n`` of its aliases too.
        rules: the policy.
    """

    metrics: Mapping[str, MetricContract] = field(default_factory=dict)
    datasets: Mapping[str, DatasetContract] = field(default_factory=dict)
    rules: tuple[Rule, ...] = DEFAULT_POLICY

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Alias to the dataset it is another name of."""
        return {name: dataset.alias_of for name, dataset in self.datasets.items() if dataset.alias_of is not None}

    @cached_property
    def fingerprint(self) -> str:
        """``sha256:`` and 64 hex digits of all values that decide; the source of a value is not among them."""
        facts = {
            "metrics": {
                name: [metric.direction, metric.unit, metric.effective_relative, metric.absolute, metric.digits]
                for name, metric in self.metrics.items()
            },
            "datasets": {name: [data.alias_of, data.name, dict(data.n)] for name, data in self.datasets.items()},
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
    digits: Annotated[int, Field(ge=0, le=_MAX_DIGITS)] | None = None

    def contract(self, name: str) -> MetricContract:
        """The contract that this table gives a metric."""
        source: Literal["configuration", "none"] = "configuration" if self.direction else "none"
        return MetricContract(name, self.direction, self.unit, self.relative, self.absolute, self.digits, source)


class _Dataset(_Table):
    alias_of: Annotated[str, Field(min_length=1)] | None = None
    name: Annotated[str, Field(min_length=1)] | None = None
    n: dict[str, Annotated[int, Field(ge=1, le=_MAX_ITEMS)]] = Field(default_factory=dict)


class _File(_Table):
    metrics: dict[str, _Metric] = Field(default_factory=dict)
    datasets: dict[str, _Dataset] = Field(default_factory=dict)
    policy: list[Rule] | None = None


class _PolicyFile(_Table):
    policy: Annotated[list[Rule], Field(min_length=1)]


def load(file: Path) -> Contracts:
    """Read the tables of a paiview.toml; the defaults when the file does not exist.

    Raises:
        SettingError: one sentence with the file, the table and the key of a value that cannot be used.
    """
    content = toml_file.read(file)
    return _BUILT_IN if content is None else _contracts(file, content)


def current() -> Contracts:
    """The contracts of the paiview.toml in use, parsed again only when its content has changed.

    Raises:
        SettingError: as ``load``, or PAIVIEW_CONFIG names a file that does not exist.
    """
    content = toml_file.content_in_use()
    return _BUILT_IN if content is None else _contracts(toml_file.file_in_use(), content)


def load_policy(file: Path, contracts: Contracts) -> tuple[Rule, ...]:
    """Read a file that holds ``[[policy]]`` rules and nothing else.

    Args:
        file: the policy file.
        contracts: the contracts that the rules are applied with.

    Raises:
        SettingError: as ``load``, or the file does not exist.
    """
    content = toml_file.read(file)
    if content is None:
        raise SettingError(f"The policy {file} is not a file.")
    rules = tuple(_validate(_PolicyFile, toml_file.parse(content, file), file).policy)
    _raise_first(_policy_problems(rules, contracts.metrics), file)
    return rules


def with_metric(contracts: Contracts, metric: MetricContract) -> Contracts:
    """The contracts with the one of a metric added or replaced."""
    return replace(contracts, metrics={**contracts.metrics, metric.metric: metric})


def toml_lines(metric: MetricContract) -> str:
    """The lines of paiview.toml that hold a metric's contract, without a line break at the end."""
    values = {
        "direction": metric.direction,
        "unit": metric.unit,
        "relative": metric.effective_relative,
        "absolute": metric.absolute,
        "digits": metric.digits,
    }
    table = {key: value for key, value in values.items() if value is not None}
    return tomli_w.dumps({"metrics": {metric.metric: table}}).strip()


def explain() -> list[tuple[str, str, str]]:
    """Every contract and rule for a reader: its name, its value, and where the value comes from.

    Raises:
        SettingError: as ``current``.
    """
    contracts = current()
    content = toml_file.content_in_use()
    document = {} if content is None else toml_file.parse(content, toml_file.file_in_use())
    default = f"direction by the metric's name, relative {DEFAULT_RELATIVE:g}"
    return [
        ("metrics", default, "built-in"),
        *_explained_metrics(contracts.metrics),
        *_explained_datasets(contracts.datasets, document.get("datasets", {})),
        *_explained_rules(contracts.rules, is_default="policy" not in document),
    ]


def _explained_metrics(metrics: Mapping[str, MetricContract]) -> Iterator[tuple[str, str, str]]:
    for name in metrics:
        meaning = contract(name, metrics)
        table = f"[metrics.{_toml_key(name)}]"
        origin = _origin(f"{table} direction") if meaning.source == "configuration" else meaning.source
        yield f"metrics.{_toml_key(name)}.direction", meaning.direction or "unknown", origin
        values = {
            "unit": meaning.unit,
            "relative": meaning.effective_relative,
            "absolute": meaning.absolute,
            "digits": meaning.digits,
        }
        for key, value in values.items():
            if value is not None:
                is_default = key == "relative" and meaning.relative is None
                origin = "default" if is_default else _origin(f"{table} {key}")
                yield f"metrics.{_toml_key(name)}.{key}", str(value), origin


def _explained_datasets(
    datasets: Mapping[str, DatasetContract], tables: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    for name, dataset in datasets.items():
        table = f"[datasets.{_toml_key(name)}]"
        for key, value in (("alias_of", dataset.alias_of), ("name", dataset.name)):
            if value is not None:
                yield f"datasets.{_toml_key(name)}.{key}", value, _origin(f"{table} {key}")
        own_n = tables.get(name, {}).get("n", {})
        for metric, n in dataset.n.items():
            key = f"n.{_toml_key(metric)}"
            origin = _origin(f"{table} {key}") if metric in own_n else "from its alias"
            yield f"datasets.{_toml_key(name)}.{key}", str(n), origin


def _explained_rules(rules: Sequence[Rule], *, is_default: bool) -> Iterator[tuple[str, str, str]]:
    for index, rule in enumerate(rules):
        origin = "default policy" if is_default else _origin(_rule_name(index))
        yield f"policy.{index + 1}", _rule_text(rule), origin


def _origin(place: str) -> str:
    return f"{toml_file.file_in_use()}: {place}"


@lru_cache(maxsize=8)
def _contracts(file: Path, content: bytes) -> Contracts:
    document = toml_file.parse(content, file)
    tables = {key: value for key, value in document.items() if key in _File.model_fields or toml_file.is_table(value)}
    checked = _validate(_File, tables, file)
    metrics = {name: metric.contract(name) for name, metric in checked.metrics.items()}
    rules = DEFAULT_POLICY if checked.policy is None else tuple(checked.policy)
    _raise_first(chain(_dataset_problems(checked.datasets), _policy_problems(rules, metrics)), file)
    return Contracts(metrics, _datasets(checked.datasets), rules)


def _datasets(tables: Mapping[str, _Dataset]) -> dict[str, DatasetContract]:
    """The datasets, each target with the numbers of items that its aliases give."""
    n_of_target: dict[str, dict[str, int]] = {}
    for name, dataset in tables.items():
        n_of_target.setdefault(dataset.alias_of or name, {}).update(dataset.n)
    own = {name: DatasetContract(dataset.alias_of, dataset.name, dataset.n) for name, dataset in tables.items()}
    targets = {
        name: replace(own.get(name, DatasetContract()), n=n) for name, n in n_of_target.items() if n or name in own
    }
    return own | targets


def _dataset_problems(tables: Mapping[str, _Dataset]) -> Iterator[str]:
    first_n: dict[tuple[str, str], tuple[str, int]] = {}
    for name, dataset in tables.items():
        table = f"[datasets.{_toml_key(name)}]"
        target = dataset.alias_of
        if target is not None:
            yield from _alias_problems(name, tables)
            if dataset.name is not None:
                yield f"{table} name is never shown for an alias: set it in [datasets.{_toml_key(target)}]"
        for metric, n in dataset.n.items():
            other_name, other_n = first_n.setdefault((target or name, metric), (name, n))
            if other_n != n:
                key = f"n.{_toml_key(metric)}"
                other = f"[datasets.{_toml_key(other_name)}] {key}"
                yield f"{table} {key} is {n} and {other} is {other_n}, but they are one dataset"


def _alias_problems(name: str, tables: Mapping[str, _Dataset]) -> Iterator[str]:
    key = f"[datasets.{_toml_key(name)}] alias_of"
    aliases = _alias_chain(name, tables)
    if aliases[1] == name:
        yield f"{key} names the dataset itself"
    elif aliases[-1] in aliases[:-1]:
        yield f"{key} leads into a circle: {' → '.join(map(one_line, aliases))}"
    elif len(aliases) > 2:
        yield f"{key} names another alias: write alias_of = {json.dumps(one_line(aliases[-1]), ensure_ascii=False)}"


def _alias_chain(name: str, tables: Mapping[str, _Dataset]) -> list[str]:
    """A dataset, the one it is an alias of, and so on, up to the last or the first that comes again."""
    aliases = [name]
    while (dataset := tables.get(aliases[-1])) is not None and dataset.alias_of is not None:
        aliases.append(dataset.alias_of)
        if aliases[-1] in aliases[:-1]:
            break
    return aliases


def _policy_problems(rules: Sequence[Rule], metrics: Mapping[str, MetricContract]) -> Iterator[str]:
    for index, rule in enumerate(rules):
        first = rules.index(rule)
        if first < index:
            yield f"{_rule_name(index)} is the same as {_rule_name(first)}"
        if (
            isinstance(rule, NoRegression | Improves)
            and is_name(rule.metric)
            and contract(rule.metric, metrics).direction is None
        ):
            yield (
                f"{_rule_name(index)} metric {one_line(rule.metric)} has no known direction: "
                f"set direction in [metrics.{_toml_key(rule.metric)}]"
            )


def _raise_first(problems: Iterable[str], file: Path) -> None:
    problem = next(iter(problems), None)
    if problem is not None:
        raise SettingError(f"{file}: {problem}.")


def _validate(model: type[_Checked], tables: Mapping[str, Any], file: Path) -> _Checked:
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise SettingError(f"{file}: {_problem(first, model)}.") from None


def _problem(details: ErrorDetails, model: type[BaseModel]) -> str:
    """A failed check as a sentence with the table and the key, without the full stop."""
    location, kind = details["loc"], details["type"]
    table = str(location[0])
    if len(location) == 1:
        if kind == "extra_forbidden":
            return f"{_toml_key(table)} is not allowed here, only {', '.join(model.model_fields)}"
        return f"{table} must be given as {'[[policy]]' if table == 'policy' else f'[{table}.NAME]'} tables"
    # In the location of a policy rule the kind of the rule comes after its index.
    keys = location[3:] if table == "policy" else location[2:]
    key = ".".join(map(_toml_key, keys))
    subject = _rule_name(int(location[1])) if table == "policy" else f"[{table}.{_toml_key(location[1])}]"
    if kind.startswith("union_tag"):
        return f"{subject} rule must be one of {', '.join(KINDS)}"
    if kind == "extra_forbidden":
        keys_of = _Metric if table == "metrics" else _Dataset if table == "datasets" else KINDS[str(location[2])]
        return f"{subject} has no key {key}, only {', '.join(keys_of.model_fields)}"
    if kind == "missing":
        return f"{subject} needs the key {key}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        requirement = "must be a table"
    elif kind == "value_error":
        requirement = details["msg"].removeprefix("Value error, ")
    else:
        requirement = toml_file.requirement(details["msg"])
    return " ".join(filter(None, (subject, key, requirement)))


def _rule_name(index: int) -> str:
    return f"[[policy]] rule {index + 1}"


def _toml_key(name: str | int) -> str:
    """A key as TOML writes it, on one line."""
    text = one_line(str(name))
    return text if _BARE_KEY.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _rule_text(rule: Rule) -> str:
    """A rule with its keys and values."""
    values = rule.model_dump(mode="json", exclude={"rule"}, exclude_none=True)
    keys = ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
    return f"{rule.rule}: {keys}" if keys else rule.rule

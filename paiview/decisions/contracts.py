"""The metrics, datasets and policy of paiview.toml, checked as a whole.

An error names the file, the table and the key. An alias names a dataset or metric that is no alias itself, so that each
has one name. The numbers of items given for an alias count for its target.
"""

import hashlib
import json
import logging
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from paiview import toml_file
from paiview.decisions.no_regression import NoRegression
from paiview.decisions.policy import DEFAULT_POLICY, KINDS, Improves, Rule
from paiview.decisions.rule_terms import BaselineDoubt, Limit, Size
from paiview.evaluation.dataset_identity import base_of, configured_identity
from paiview.evaluation.metric_meaning import (
    DEFAULT_RELATIVE,
    DatasetContract,
    Direction,
    Meanings,
    MetricLayer,
    MetricSettings,
    Scale,
)
from paiview.evaluation.name_patterns import NamedTables, has_wildcard
from paiview.pai.errors import SettingError
from paiview.text import one_line

_MAX_DIGITS: Final = 12
_MAX_ITEMS: Final = 2**63 - 1
_MAX_DATASETS: Final = 4096
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_Checked = TypeVar("_Checked", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class Contracts:
    """What metrics and datasets mean, and the policy. Equal for equal fingerprints.

    Attributes:
        page: metric settings of one reader's session, by metric.
        metric_tables: those of paiview.toml, by name or pattern.
        data: those that came with the data.
        dataset_tables: by DatasetId, canonical Uri or pattern; a target has the ``n`` of its aliases too.
        rules: the policy.
        accept: the doubts about the baseline that the policy accepts.
        ignored: a sentence for what is not valid and therefore ignored: settings in the data, or an edit of the file.
    """

    page: Mapping[str, MetricSettings] = field(default_factory=dict)
    metric_tables: Mapping[str, MetricSettings] = field(default_factory=dict)
    data: Mapping[str, MetricSettings] = field(default_factory=dict)
    dataset_tables: Mapping[str, DatasetContract] = field(default_factory=dict)
    rules: tuple[Rule, ...] = DEFAULT_POLICY
    accept: frozenset[BaselineDoubt] = frozenset()
    ignored: tuple[str, ...] = ()

    @cached_property
    def metrics(self) -> Meanings:
        """The contract of every metric."""
        return Meanings(
            (
                MetricLayer("page", self.page),
                MetricLayer("configuration", self.metric_tables),
                MetricLayer("data", self.data),
            )
        )

    @cached_property
    def datasets(self) -> "DatasetContracts":
        """The contract of every dataset."""
        return DatasetContracts(self.dataset_tables)

    @cached_property
    def metric_aliases(self) -> Mapping[str, str]:
        """Metric to the one it is another name of."""
        return _AliasView(self.page, self.metric_tables, self.data)

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Dataset to the one it is another name of."""
        return _AliasView(self.dataset_tables)

    @cached_property
    def has_aliases(self) -> bool:
        """Whether any metric or dataset has another name."""
        tables = (self.page, self.metric_tables, self.data, self.dataset_tables)
        return any(table.alias_of is not None for layer in tables for table in layer.values())

    @cached_property
    def fingerprint(self) -> str:
        """``sha256:`` and 64 hex digits of all values that decide; the source of a value is not among them."""
        facts = {
            "metrics": [
                [[name, _set_fields(table)] for name, table in layer.items()]
                for layer in (self.page, self.metric_tables, self.data)
            ],
            "datasets": [[name, _set_fields(table)] for name, table in self.dataset_tables.items()],
            "policy": [rule.model_dump(mode="json") for rule in self.rules],
            "accept": sorted(self.accept),
        }
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"sha256:{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()}"

    def __eq__(self, other: object) -> bool:
        return self.fingerprint == other.fingerprint if isinstance(other, Contracts) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def with_page(self, tables: Mapping[str, MetricSettings]) -> "Contracts":
        """The same with the settings of one reader's session."""
        return replace(self, page={**self.page, **tables})

    def with_data(self, tables: Mapping[str, object]) -> "Contracts":
        """The same with the settings that came with the data; a table that is not valid is left out and told."""
        if not tables:
            return self
        data, ignored = _data_tables(json.dumps(tables, default=str))
        return replace(self, data=data, ignored=(*self.ignored, *ignored))


class DatasetContracts(Mapping[str, DatasetContract]):
    """The contract of every dataset: a mapping that has each, and lists those with a table of their own.

    A pattern matches an identity with or without its part in brackets.
    """

    def __init__(self, tables: Mapping[str, DatasetContract]) -> None:
        self._tables = NamedTables(tables)
        self._contract = lru_cache(_MAX_DATASETS)(self._resolve)

    def __getitem__(self, dataset: str) -> DatasetContract:
        return self._contract(dataset)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables.tables)

    def __len__(self) -> int:
        return len(self._tables.tables)

    def __contains__(self, dataset: object) -> bool:
        return isinstance(dataset, str)

    def _resolve(self, dataset: str) -> DatasetContract:
        values: dict[str, Any] = {"n": {}}
        for table in self._tables.of(dataset, base_of(dataset)):
            values["n"] = {**table.n, **values["n"]}
            for key in ("alias_of", "name", "ignore"):
                if key not in values and getattr(table, key) is not None:
                    values[key] = getattr(table, key)
        return DatasetContract(**values)


class _AliasView(Mapping[str, str]):
    """Alias to target, by patterns too; a mapping that lists the names with a table of their own.

    Args:
        layers: the tables of each source, those that come first first.
    """

    def __init__(self, *layers: Mapping[str, MetricSettings] | Mapping[str, DatasetContract]) -> None:
        aliases = [{name: table for name, table in tables.items() if table.alias_of is not None} for tables in layers]
        self._layers = [NamedTables[MetricSettings | DatasetContract](tables) for tables in aliases if tables]
        names = dict.fromkeys(name for tables in aliases for name in tables)
        self._names = [name for name in names if not has_wildcard(name)]

    def __getitem__(self, name: str) -> str:
        for layer in self._layers:
            for table in layer.of(name):
                if table.alias_of is not None:
                    return table.alias_of
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _set_fields(table: MetricSettings | DatasetContract) -> dict[str, object]:
    return {key: value for key, value in asdict(table).items() if value is not None}


_BUILT_IN: Final = Contracts()
_LAST_GOOD: Final[dict[Path, Contracts]] = {}
"""Of each file in use, which is one in a process outside of tests."""
_UNUSABLE_FILE: Final = (
    "paiview.toml was edited and cannot be used: what stood in it before stays in force. The server's log says why."
)
_LOG: Final = logging.getLogger(__name__)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Metric(_Table):
    direction: Direction | None = None
    target: Limit | None = None
    unit: Annotated[str, Field(min_length=1)] | None = None
    scale: Scale | None = None
    range: Annotated[tuple[Limit | None, Limit | None], Field(strict=False)] | None = None
    relative: Size | None = None
    absolute: Size | None = None
    digits: Annotated[int, Field(ge=0, le=_MAX_DIGITS)] | None = None
    noise: Size | None = None
    alias_of: Annotated[str, Field(min_length=1)] | None = None
    ignore: bool | None = None

    @field_validator("range", mode="before")
    @classmethod
    def _open_ends(cls, value: object) -> object:
        """TOML has no null: an open end is written as an infinity."""
        if value is None:
            return None
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError("must be two numbers, with -inf or inf for an open end")
        return [None if end == infinity else end for end, infinity in zip(value, (-math.inf, math.inf), strict=True)]

    @model_validator(mode="after")
    def _fits(self) -> "_Metric":
        if self.direction == "target" and self.target is None:
            raise ValueError('needs target, the best number, beside direction = "target"')
        if self.target is not None and self.direction not in (None, "target"):
            raise ValueError(f'has a target beside direction = "{self.direction}"')
        low, high = self.range or (None, None)
        if low is not None and high is not None and low >= high:
            raise ValueError("range must begin below its end")
        return self

    def settings(self) -> MetricSettings:
        """The values of this table."""
        values = {name: getattr(self, name) for name in _Metric.model_fields}
        if values["target"] is not None:
            values["direction"] = "target"
        return MetricSettings(**values)


class _Dataset(_Table):
    alias_of: Annotated[str, Field(min_length=1)] | None = None
    name: Annotated[str, Field(min_length=1)] | None = None
    n: dict[str, Annotated[int, Field(ge=1, le=_MAX_ITEMS)]] = Field(default_factory=dict)
    ignore: bool | None = None


class _PolicyDefaults(_Table):
    accept: Annotated[frozenset[BaselineDoubt], Field(strict=False)] = frozenset()


class _File(_Table):
    metrics: dict[str, _Metric] = Field(default_factory=dict)
    datasets: dict[str, _Dataset] = Field(default_factory=dict)
    policy: list[Rule] | None = None
    policy_defaults: _PolicyDefaults = _PolicyDefaults()


class _PolicyFile(_Table):
    policy: Annotated[list[Rule], Field(min_length=1)]


_TABLES: Final[Mapping[str, type[BaseModel]]] = {
    "metrics": _Metric,
    "datasets": _Dataset,
    "policy_defaults": _PolicyDefaults,
}
_FORMS: Final = {"policy": "[[policy]] tables", "policy_defaults": "a [policy_defaults] table"}


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


def current_or_last_good() -> Contracts:
    """``current``, or while the file cannot be used the contracts from before, with a sentence in ``ignored``.

    Raises:
        SettingError: the file could not be used since this process started.
    """
    file = toml_file.file_in_use().absolute()
    try:
        _LAST_GOOD[file] = current()
    except SettingError as error:
        if file not in _LAST_GOOD:
            raise
        _log_once(error.message)
        return replace(_LAST_GOOD[file], ignored=(_UNUSABLE_FILE,))
    return _LAST_GOOD[file]


@lru_cache(maxsize=1)
def _log_once(message: str) -> None:
    _LOG.error("The settings from before stay in force: %s", message)


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


def toml_lines(metric: str, settings: MetricSettings) -> str:
    """The lines of paiview.toml that hold a metric's settings, without a line break at the end."""
    table = _set_fields(settings)
    if settings.range is not None:
        low, high = settings.range
        table["range"] = [-math.inf if low is None else low, math.inf if high is None else high]
    return toml_file.written({"metrics": {metric: table}})


def explain() -> list[tuple[str, str, str]]:
    """Every contract and rule for a reader: its name, its value, and where the value comes from.

    Raises:
        SettingError: as ``current``.
    """
    contracts = current()
    content = toml_file.content_in_use()
    document = {} if content is None else toml_file.parse(content, toml_file.file_in_use())
    default = f"direction by the catalogue, relative {DEFAULT_RELATIVE:g}"
    return [
        ("metrics", default, "built-in"),
        *_explained_metrics(contracts),
        *_explained_datasets(contracts.dataset_tables, document.get("datasets", {})),
        *_explained_rules(contracts.rules, is_default="policy" not in document),
        *_explained_defaults(contracts.accept),
    ]


def _explained_metrics(contracts: Contracts) -> Iterator[tuple[str, str, str]]:
    for name, settings in contracts.metric_tables.items():
        table = f"[metrics.{_toml_key(name)}]"
        values = _set_fields(settings)
        if "direction" not in values and not has_wildcard(name):
            meaning = contracts.metrics[name]
            standing = meaning.standing.replace("_", " ")
            yield f"metrics.{_toml_key(name)}.direction", meaning.direction or standing, meaning.source
        for key, value in values.items():
            yield f"metrics.{_toml_key(name)}.{key}", str(value), _origin(f"{table} {key}")
        if not {"relative", "absolute"} & values.keys() and not has_wildcard(name):
            yield f"metrics.{_toml_key(name)}.relative", str(contracts.metrics[name].effective_relative), "default"


def _explained_datasets(
    datasets: Mapping[str, DatasetContract], tables: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    own_tables = {configured_identity(name): values for name, values in tables.items()}
    for name, dataset in datasets.items():
        table = f"[datasets.{_toml_key(name)}]"
        for key in ("alias_of", "name", "ignore"):
            if (value := getattr(dataset, key)) is not None:
                yield f"datasets.{_toml_key(name)}.{key}", str(value), _origin(f"{table} {key}")
        own_n = own_tables.get(name, {}).get("n", {})
        for metric, n in dataset.n.items():
            key = f"n.{_toml_key(metric)}"
            origin = _origin(f"{table} {key}") if metric in own_n else "from its alias"
            yield f"datasets.{_toml_key(name)}.{key}", str(n), origin


def _explained_defaults(accept: frozenset[BaselineDoubt]) -> Iterator[tuple[str, str, str]]:
    if accept:
        yield "policy_defaults.accept", ", ".join(sorted(accept)), _origin("[policy_defaults] accept")


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
    datasets = {configured_identity(name): _with_identity(table) for name, table in checked.datasets.items()}
    contracts = Contracts(
        metric_tables={name: metric.settings() for name, metric in checked.metrics.items()},
        dataset_tables=_datasets(datasets),
        rules=DEFAULT_POLICY if checked.policy is None else tuple(checked.policy),
        accept=checked.policy_defaults.accept,
    )
    problems = chain(
        _alias_problems("metrics", checked.metrics),
        _dataset_problems(datasets),
        _policy_problems(contracts.rules, contracts.metrics),
    )
    _raise_first(problems, file)
    return contracts


def _with_identity(table: _Dataset) -> _Dataset:
    if table.alias_of is None:
        return table
    return table.model_copy(update={"alias_of": configured_identity(table.alias_of)})


@lru_cache(maxsize=8)
def _data_tables(text: str) -> tuple[Mapping[str, MetricSettings], tuple[str, ...]]:
    """The settings in JSON text of tables by metric, and a sentence for each table that is not valid."""
    settings, ignored = {}, []
    for name, table in json.loads(text).items():
        try:
            checked = _File.model_validate({"metrics": {name: table}}, strict=False)
        except ValidationError as error:
            problem = _problem(error.errors(include_url=False, include_input=False)[0], _File)
            ignored.append(f"What the data say about a metric is ignored: {problem}.")
        else:
            settings[name] = checked.metrics[name].settings()
    return settings, tuple(ignored)


def _datasets(tables: Mapping[str, _Dataset]) -> dict[str, DatasetContract]:
    """The datasets, each target with the numbers of items that its aliases give."""
    n_of_target: dict[str, dict[str, int]] = {}
    for name, dataset in tables.items():
        n_of_target.setdefault(dataset.alias_of or name, {}).update(dataset.n)
    own = {
        name: DatasetContract(dataset.alias_of, dataset.name, dataset.n, dataset.ignore)
        for name, dataset in tables.items()
    }
    targets = {
        name: replace(own.get(name, DatasetContract()), n=n) for name, n in n_of_target.items() if n or name in own
    }
    return own | targets


def _dataset_problems(tables: Mapping[str, _Dataset]) -> Iterator[str]:
    yield from _alias_problems("datasets", tables)
    first_n: dict[tuple[str, str], tuple[str, int]] = {}
    for name, dataset in tables.items():
        table = f"[datasets.{_toml_key(name)}]"
        target = dataset.alias_of
        if target is not None and dataset.name is not None:
            yield f"{table} name is never shown for an alias: set it in [datasets.{_toml_key(target)}]"
        for metric, n in dataset.n.items():
            other_name, other_n = first_n.setdefault((target or name, metric), (name, n))
            if other_n != n:
                key = f"n.{_toml_key(metric)}"
                other = f"[datasets.{_toml_key(other_name)}] {key}"
                yield f"{table} {key} is {n} and {other} is {other_n}, but they are one dataset"


def _alias_problems(kind: Literal["metrics", "datasets"], tables: Mapping[str, _Metric | _Dataset]) -> Iterator[str]:
    for name, table in tables.items():
        if table.alias_of is None:
            continue
        key = f"[{kind}.{_toml_key(name)}] alias_of"
        aliases = _alias_chain(name, tables)
        if aliases[1] == name:
            yield f"{key} names the {kind.removesuffix('s')} itself"
        elif aliases[-1] in aliases[:-1]:
            yield f"{key} leads into a circle: {' → '.join(map(one_line, aliases))}"
        elif len(aliases) > 2:
            yield f"{key} names another alias: write alias_of = {json.dumps(one_line(aliases[-1]), ensure_ascii=False)}"


def _alias_chain(name: str, tables: Mapping[str, _Metric | _Dataset]) -> list[str]:
    """A name, the one it is an alias of, and so on, up to the last or the first that comes again."""
    aliases = [name]
    while (table := tables.get(aliases[-1])) is not None and table.alias_of is not None:
        aliases.append(table.alias_of)
        if aliases[-1] in aliases[:-1]:
            break
    return aliases


def _policy_problems(rules: Sequence[Rule], metrics: Meanings) -> Iterator[str]:
    for index, rule in enumerate(rules):
        first = rules.index(rule)
        if first < index:
            yield f"{_rule_name(index)} is the same as {_rule_name(first)}"
        if (
            isinstance(rule, NoRegression | Improves)
            and not has_wildcard(rule.metric)
            and metrics[rule.metric].direction is None
        ):
            yield (
                f"{_rule_name(index)} metric {one_line(rule.metric)} has no known direction: "
                f"set direction in [metrics.{_toml_key(rule.metric)}]"
            )


def _raise_first(problems: Iterable[str], file: Path) -> None:
    problem = next(iter(problems), None)
    if problem is not None:
        raise SettingError(f"{file}: {problem}.", for_readers=f"{file.name}: {problem}.")


def _validate(model: type[_Checked], tables: Mapping[str, Any], file: Path) -> _Checked:
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        problem = _problem(first, model)
        raise SettingError(f"{file}: {problem}.", for_readers=f"{file.name}: {problem}.") from None


def _problem(details: ErrorDetails, model: type[BaseModel]) -> str:
    """A failed check as a sentence with the table and the key, without the full stop."""
    location, kind = details["loc"], details["type"]
    table = str(location[0])
    if len(location) == 1:
        if kind == "extra_forbidden":
            return f"{_toml_key(table)} is not allowed here, only {', '.join(model.model_fields)}"
        return f"{table} must be given as {_FORMS.get(table, f'[{table}.NAME] tables')}"
    if table == "policy_defaults":
        keys, subject = location[1:], f"[{table}]"
    elif table == "policy":
        # In the location of a rule its kind comes after its index.
        keys, subject = location[3:], _rule_name(int(location[1]))
    else:
        keys, subject = location[2:], f"[{table}.{_toml_key(location[1])}]"
    key = ".".join(map(_toml_key, keys))
    if kind.startswith("union_tag"):
        return f"{subject} rule must be one of {', '.join(KINDS)}"
    if kind == "extra_forbidden":
        keys_of = _TABLES[table] if table in _TABLES else KINDS[str(location[2])]
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

"""What a metric means: which way is better, which numbers it can have, and the smallest change that counts.

Each field comes from the first of these that sets it: the page, the metric's table in paiview.toml, the first pattern
there, the tables that came with the data, the catalogue. Only a direction that one of them declares, or that the
catalogue knows, may decide about a version. The rules are described in docs/policy.md.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from paiview.evaluation.catalogue import Meaning, catalogued
from paiview.evaluation.name_patterns import NamedTables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Direction = Literal["lower", "higher", "zero", "target"]
Standing = Literal["declared", "known", "assumed", "unknown", "not_a_score"]
Scale = Literal["fraction", "percent", "mixed"]
Source = Literal["page", "configuration", "data", "catalogue", "none"]
Range = tuple[float | None, float | None]
"""The lowest and the highest possible number; ``None`` for an open end."""

DEFAULT_RELATIVE: Final = 0.01
"""The relative tolerance of a metric without a configured tolerance, as a share of the baseline."""
_MAX_CONTRACTS: Final = 4096
_USUAL_MAX_DECIMALS: Final = 6
_MIN_SIGNIFICANT_DIGITS: Final = 4
_MAX_DECIMALS: Final = 12
_SCIENTIFIC_FROM: Final = 1e16
_SCIENTIFIC_BELOW: Final = 1e-8
_EXACT_DIGITS: Final = 15
"""Significant digits that every decimal number keeps as a float."""
_MAX_TOLD_APART: Final = 1000
"""Numbers of a column beyond which two may read alike."""


@dataclass(frozen=True)
class MetricSettings:
    """One table of metric settings; ``None`` for a field that it does not set. Fields as in ``MetricContract``."""

    direction: Direction | None = None
    target: float | None = None
    unit: str | None = None
    scale: Scale | None = None
    range: Range | None = None
    relative: float | None = None
    absolute: float | None = None
    digits: int | None = None
    noise: float | None = None
    alias_of: str | None = None
    ignore: bool | None = None


@dataclass(frozen=True)
class MetricContract:
    """How the numbers of one metric are read.

    Attributes:
        metric: the name in the registry, or the target of its alias.
        direction: which way is better; ``zero`` and ``target`` are better the nearer to that number; ``None`` when it
            is unknown.
        target: the best number where ``direction`` is ``target``.
        unit: ``fraction``, ``ms``, ``count`` or free text; ``None`` when not configured.
        scale: how all numbers of the metric are stored; ``mixed`` counts numbers of at most 1 times 100; ``None`` when
            not configured.
        range: the numbers that the metric's definition allows, those of a metric with ``has_scales`` as fractions;
            ``None`` for any number.
        has_scales: whether the metric is usual both as a fraction and in percent.
        relative: the largest change that counts as the same, as a share of the baseline (0.01 is one percent);
            ``None`` when not configured.
        absolute: likewise in the metric's unit; with both tolerances a change counts only beyond both.
        digits: decimals shown, at which equal values are the same; ``None`` for as stored.
        noise: the relative standard deviation of one version evaluated again (0.02 is two percent); ``None`` when
            not configured. It informs and decides nothing.
        ignore: whether the configuration leaves the metric out of every verdict.
        standing: how sure the direction is. ``declared`` and ``known`` directions may decide, an ``assumed`` one
            neither passes nor fails a rule, and what is ``not_a_score`` is not judged.
        source: where the direction comes from.
        reason: why the catalogue gives this standing; empty for a declared direction.
    """

    metric: str
    direction: Direction | None = None
    target: float | None = None
    unit: str | None = None
    scale: Scale | None = None
    range: Range | None = None
    has_scales: bool = False
    relative: float | None = None
    absolute: float | None = None
    digits: int | None = None
    noise: float | None = None
    ignore: bool = False
    standing: Standing = "unknown"
    source: Source = "none"
    reason: str = field(default="", compare=False)

    @property
    def effective_relative(self) -> float:
        """``relative``; when not configured, one percent, or 0 beside an absolute tolerance."""
        if self.relative is not None:
            return self.relative
        return DEFAULT_RELATIVE if self.absolute is None else 0.0

    @property
    def has_tolerance(self) -> bool:
        """Whether a tolerance is declared."""
        return self.relative is not None or self.absolute is not None

    @property
    def best(self) -> float | None:
        """The number that is best where neither way is better: 0 or the target."""
        return 0.0 if self.direction == "zero" else self.target if self.direction == "target" else None


@dataclass(frozen=True)
class DatasetContract:
    """The configuration of one dataset; unset fields as in ``MetricSettings``.

    Attributes:
        alias_of: the dataset this one is another name of.
        name: the display name.
        n: by metric, how many items were scored.
        ignore: whether its results are left out of every verdict.
    """

    alias_of: str | None = None
    name: str | None = None
    n: Mapping[str, int] = field(default_factory=dict)
    ignore: bool | None = None


@dataclass(frozen=True)
class MetricLayer:
    """The metric settings of one source, by name or pattern."""

    source: Source
    tables: Mapping[str, MetricSettings]


class Meanings(Mapping[str, MetricContract]):
    """The contract of every metric: a mapping that has each name, and lists those that a layer names.

    Args:
        layers: settings, those that come first first.
    """

    def __init__(self, layers: Iterable[MetricLayer] = ()) -> None:
        self.layers = tuple(layers)
        self._tables = [(layer.source, NamedTables(layer.tables)) for layer in self.layers]
        self._contract = lru_cache(_MAX_CONTRACTS)(self._resolve)

    def __getitem__(self, name: str) -> MetricContract:
        return self._contract(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for layer in self.layers for name in layer.tables))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def _settings(self, name: str) -> Iterator[tuple[Source, MetricSettings]]:
        for source, tables in self._tables:
            for table in tables.of(name):
                yield source, table

    def _resolve(self, name: str) -> MetricContract:
        built_in = catalogue_contract(name)
        values: dict[str, Any] = {}
        source: Source = "none"
        for table_source, table in self._settings(name):
            for key in _CONTRACT_FIELDS:
                if key not in values and (value := getattr(table, key)) is not None:
                    values[key] = value
                    source = table_source if key == "direction" else source
        if not values:
            return built_in
        if values.get("direction", "target") != "target":
            values["target"] = None
        standing: Standing = built_in.standing
        if values.get("ignore"):
            standing = "not_a_score"
        elif source != "none":
            standing = "declared"
        return MetricContract(
            **{item.name: getattr(built_in, item.name) for item in fields(MetricContract)}
            | values
            | {
                "standing": standing,
                "source": built_in.source if source == "none" else source,
                "reason": built_in.reason if standing == built_in.standing else "",
            }
        )


_CONTRACT_FIELDS: Final = tuple(item.name for item in fields(MetricSettings) if item.name != "alias_of")


@lru_cache(maxsize=_MAX_CONTRACTS)
def catalogue_contract(name: str) -> MetricContract:
    """The contract of a metric that nobody has configured."""
    meaning: Meaning = catalogued(name)
    return MetricContract(
        name,
        direction=meaning.direction,
        target=meaning.target,
        range=meaning.range,
        has_scales=meaning.has_scales,
        standing=meaning.standing,
        source="catalogue" if meaning.direction else "none",
        reason=meaning.reason,
    )


def contract(name: str, contracts: Mapping[str, MetricContract] | None = None) -> MetricContract:
    """The contract of a metric: the one given, else that of the catalogue."""
    configured = contracts.get(name) if contracts is not None else None
    return configured or catalogue_contract(name)


def display_digits(values: "Iterable[float] | NDArray[np.float64]") -> int:
    """How many decimals a column needs to show its numbers and to tell them apart.

    At most six, or as many more (up to twelve) as give the smallest number four significant digits, without zeros that
    all of them end with; more where different numbers would read alike, unless they differ in the last bits only.
    Values that are not finite do not count.
    """
    finite = {abs(float(value)) for value in values if math.isfinite(value)}
    smallest = min((number for number in finite if number), default=1.0)
    needed = _MIN_SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(smallest))
    most = max(_USUAL_MAX_DECIMALS, min(needed, _MAX_DECIMALS))
    digits = max((_decimals(number, most) for number in finite), default=0)
    if not 1 < len(finite) <= _MAX_TOLD_APART:
        return digits
    different = len({f"{number:.{_EXACT_DIGITS - 1}e}" for number in finite})
    while digits < _EXACT_DIGITS and len({format_value(number, digits) for number in finite}) < different:
        digits += 1
    return digits


def _decimals(number: float, most: int) -> int:
    """The decimals of a number that is rounded to ``most``, without the zeros at its end."""
    if number >= _SCIENTIFIC_FROM:
        return 0
    decimals = f"{number:.{most}f}".rstrip("0").partition(".")[2]
    return most if number and number < 0.5 * 10.0**-most else len(decimals)


def format_value(value: float, digits: int, *, signed: bool = False) -> str:
    """One number with fixed decimals, a true minus sign, and a plus sign if ``signed``; ``–`` for NaN and infinities.

    A number with seventeen or more digits before the point is written in powers of ten, as in JSON, and so is one that
    twelve decimals would leave with few digits or none.
    """
    if not math.isfinite(value):
        return "–"
    number = float(value)
    if abs(number) >= _SCIENTIFIC_FROM or (digits >= _MAX_DECIMALS and 0 < abs(number) < _SCIENTIFIC_BELOW):
        text = min(f"{number:.{_EXACT_DIGITS}g}", repr(number), key=len) if abs(number) < 1 else repr(number)
        return f"{'+' if signed and number > 0 else ''}{text}".replace("-", "−")
    text = f"{value:+z.{digits}f}" if signed else f"{value:z.{digits}f}"
    if signed and not text.strip("+0."):
        text = text[1:]
    return text.replace("-", "−")


def stored_number(value: float) -> str:
    """A number as it is stored, with a true minus sign."""
    return repr(float(value)).removesuffix(".0").replace("-", "−")

"""What a metric means: which way is better, the smallest change that counts, and how its numbers are written.

The built-in directions follow from the words of a metric's name. A name with no known word, or with words of both
directions, has no direction: its results get no colour and no verdict until a direction is configured.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, overload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Direction = Literal["lower", "higher"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOWER: Final = _words(
    "cer wer mer ser der eer ter tser wil loss nll ppl perplexity mae mse rmse mape rtf latency ttft fid fad "
    "err error errors 字错率 词错率 错误率"
)
_HIGHER: Final = _words(
    "acc accuracy top f1 precision recall auc auroc miou iou dice bleu chrf rouge meteor mos pesq stoi r2 throughput "
    "rtfx wip uas las fps ndcg mrr hits pass 准确率"
)
_ERRORS: Final = _words("err error errors")
_NUMBERED: Final = _words("acc top f map rouge bleu recall precision ndcg hits pass")
_LAST_LOWER: Final = _words("per")
_LAST_HIGHER: Final = _words("em map")
_FIRST_LOWER: Final = _words("ms seconds")
_VETO: Final = _words("reduction improvement drop gain delta diff change ratio std var ci count num")
_KNOWN: Final = _LOWER | _HIGHER | _NUMBERED | _LAST_LOWER | _LAST_HIGHER | _FIRST_LOWER | _VETO

_RATES: Final = _words(
    "cer wer mer ser der eer ter tser wil per err error errors acc accuracy 字错率 词错率 错误率 准确率"
)
DEFAULT_RELATIVE: Final = 0.01
"""The relative tolerance of a metric without a configured tolerance, as a share of the baseline."""

_SEPARATORS: Final = re.compile(r"[\s_\-./@:()\[\]%]+")
_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD_AND_DIGITS: Final = re.compile(r"(\D*)([0-9]*)")

_SCALE_JUMP_FACTORS: Final = (50.0, 200.0)
"""Factors between two numbers of one metric that suggest a fraction beside a percentage."""
_USUAL_MAX_DECIMALS: Final = 6
_MIN_SIGNIFICANT_DIGITS: Final = 4
_MAX_DECIMALS: Final = 12
_SCIENTIFIC_FROM: Final = 1e16


@dataclass(frozen=True)
class MetricContract:
    """How the numbers of one metric are read.

    Attributes:
        metric: the name in the registry.
        direction: which way is better; ``None`` when not configured and unknown.
        unit: ``fraction``, ``ms``, ``count`` or free text; ``None`` when not configured.
        relative: the largest change that counts as the same, as a share of the baseline (0.01 is one percent);
            ``None`` when not configured.
        absolute: likewise in the metric's unit; with both tolerances a change counts only beyond both.
        digits: decimals shown, at which equal values are the same; ``None`` for as stored.
        source: where the direction comes from.
    """

    metric: str
    direction: Direction | None = None
    unit: str | None = None
    relative: float | None = None
    absolute: float | None = None
    digits: int | None = None
    source: Literal["page", "configuration", "built-in", "none"] = "none"

    @property
    def effective_relative(self) -> float:
        """``relative``; when not configured, one percent, or 0 beside an absolute tolerance."""
        if self.relative is not None:
            return self.relative
        return DEFAULT_RELATIVE if self.absolute is None else 0.0

    def resolved(self) -> "MetricContract":
        """The same contract with its effective relative tolerance as ``relative``."""
        return replace(self, relative=self.effective_relative)


@dataclass(frozen=True)
class DatasetContract:
    """The configuration of one dataset.

    Attributes:
        alias_of: the dataset this one is another name of.
        name: the display name.
        n: by metric, how many items were scored.
    """

    alias_of: str | None = None
    name: str | None = None
    n: Mapping[str, int] = field(default_factory=dict)


def contract(name: str, overrides: Mapping[str, MetricContract] | None = None) -> MetricContract:
    """The contract of a metric: the override, if any, with the built-in direction where it has none."""
    built_in = direction(name)
    configured = (overrides or {}).get(name)
    if configured is None:
        return MetricContract(name, built_in, source="built-in" if built_in else "none")
    if configured.direction is None and built_in:
        return replace(configured, direction=built_in, source="built-in")
    return configured


@lru_cache(maxsize=4096)
def direction(name: str) -> Direction | None:
    """Which way is better, by the words of the name; ``None`` when unknown.

    The name is split at ``_ - . / @ : ( ) [ ] %``, spaces and camelCase; only whole words count. Digits may follow
    some words (``top5``, ``map@0.5``). A word such as ``reduction`` or ``std`` always makes the direction unknown, and
    so do words that disagree (``accuracy_loss``).
    """
    tokens = _tokens(name)
    if any(word in _VETO for word, _ in tokens):
        return None
    lower: set[str] = set()
    higher: set[str] = set()
    for index, (word, digits) in enumerate(tokens):
        first, last = index == 0, index == len(tokens) - 1
        whole = word + digits
        if whole in _LOWER or (last and whole in _LAST_LOWER) or (first and whole in _FIRST_LOWER):
            lower.add(word)
        elif whole in _HIGHER or (digits and word in _NUMBERED) or (last and whole in _LAST_HIGHER):
            higher.add(word)
    if lower & _ERRORS:
        higher -= {"top", "acc"}
    if bool(lower) == bool(higher):
        return None
    return "lower" if lower else "higher"


def is_rate(name: str) -> bool:
    """Whether the words of a name mean a share of counted items, such as an error rate or an accuracy."""
    return direction(name) is not None and any(word in _RATES for word, _ in _tokens(name))


def _tokens(name: str) -> list[tuple[str, str]]:
    """The words of a name in lower case, each with the digits that follow it.

    Width variants (``（％）``) are the same characters. A known word in camelCase (mAP, nDCG, mIoU) is not split.
    Separate digits belong to the word before them where that word may carry digits.
    """
    pieces = [piece for piece in _SEPARATORS.split(unicodedata.normalize("NFKC", name)) if piece]
    tokens: list[tuple[str, str]] = []
    for piece in pieces:
        for part in [piece] if _is_known(piece.lower()) else _HUMPS.split(piece):
            word, digits = _split_digits(part.lower())
            if not word and tokens and tokens[-1][0] in _NUMBERED:
                tokens[-1] = (tokens[-1][0], tokens[-1][1] + digits)
            else:
                tokens.append((word, digits))
    return tokens


def _split_digits(token: str) -> tuple[str, str]:
    match = _WORD_AND_DIGITS.fullmatch(token)
    return (match[1], match[2]) if match else (token, "")


def _is_known(token: str) -> bool:
    word, digits = _split_digits(token)
    return token in _KNOWN or (bool(digits) and word in _NUMBERED)


@overload
def is_scale_jump(before: float, after: float) -> bool: ...
@overload
def is_scale_jump(before: "NDArray[np.float64]", after: "NDArray[np.float64]") -> "NDArray[np.bool_]": ...
def is_scale_jump(before: Any, after: Any) -> Any:
    """Whether two positive numbers of one metric are 50 to 200 times apart, like a fraction beside a percentage.

    Args:
        before: a number, or an array of numbers.
        after: likewise, of the same shape.
    """
    low, high = _SCALE_JUMP_FACTORS
    rises = (low * before <= after) & (after <= high * before)
    falls = (low * after <= before) & (before <= high * after)
    return (before > 0) & (after > 0) & (rises | falls)


def running_best(values: "NDArray[np.float64]", better: Direction | None) -> "NDArray[np.float64]":
    """The best value so far, version by version, for a step line.

    Args:
        values: numbers in version order; NaN where a version has none.
        better: the metric's direction.

    Returns:
        As many numbers; NaN before the first one, and everywhere when the direction is unknown.
    """
    import numpy as np  # noqa: PLC0415 - ``paiview check`` starts without numpy

    if better is None:
        return np.full(len(values), np.nan)
    return np.fmin.accumulate(values) if better == "lower" else np.fmax.accumulate(values)


def display_digits(values: "Iterable[float] | NDArray[np.float64]") -> int:
    """How many decimals a column needs to show its numbers as they are stored.

    At most six, or as many more (up to twelve) as give the smallest number four significant digits. Values that are
    not finite do not count.
    """
    finite = {abs(float(value)) for value in values if math.isfinite(value)}
    stored = max(map(_decimals, finite), default=0)
    smallest = min((number for number in finite if number), default=1.0)
    needed = _MIN_SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(smallest))
    return min(stored, max(_USUAL_MAX_DECIMALS, min(needed, _MAX_DECIMALS)))


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def format_value(value: float, digits: int, *, signed: bool = False) -> str:
    """One number with fixed decimals, a true minus sign, and a plus sign if ``signed``; ``–`` for NaN and infinities.

    A number with seventeen or more digits before the point is written in powers of ten, as in JSON.
    """
    if not math.isfinite(value):
        return "–"
    if abs(value) >= _SCIENTIFIC_FROM:
        return f"{'+' if signed and value > 0 else ''}{float(value)!r}".replace("-", "−")
    text = f"{value:+z.{digits}f}" if signed else f"{value:z.{digits}f}"
    if signed and not text.strip("+0."):
        text = text[1:]
    return text.replace("-", "−")

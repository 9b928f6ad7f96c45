"""What a metric means: which way is better, the smallest change that counts, and how its numbers are written.

The built-in table of directions knows names, not values. A name it does not know, or that says two things at once,
has no direction: then there is no colour and no verdict until somebody says which way is better. Never guess.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

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
RELATIVE: Final = 0.01
"""The tolerance of a metric for which nobody set one, as a share of the baseline."""

_SEPARATORS: Final = re.compile(r"[\s_\-./@:()\[\]%]+")
_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD_AND_DIGITS: Final = re.compile(r"(\D*)([0-9]*)")

SCALE_JUMP: Final = (50.0, 200.0)
"""How many times a number of one metric is another's where a fraction stands beside a percentage, most likely."""
_MOST_DECIMALS: Final = 6
_LEAST_SIGNIFICANT: Final = 4
_CEILING_DECIMALS: Final = 12
_SCIENTIFIC: Final = 1e16


@dataclass(frozen=True)
class MetricContract:
    """How the numbers of one metric are to be read.

    Attributes:
        name: the metric, as the registry spells it.
        direction: which way is better; ``None`` when nobody said.
        unit: ``fraction``, ``ms``, ``count`` or free text; ``None`` when nobody said.
        relative: smallest change that counts, as a share of the baseline (0.01 is one percent). Where nobody set it
            (NaN when the contract is made) it is one percent, or nothing beside an ``absolute``: who sets an
            absolute tolerance alone means that one alone.
        absolute: smallest change that counts in the metric's unit; with both set a change counts only beyond both.
        digits: decimals shown, at which equal values are the same; ``None`` for as stored.
        source: where the direction comes from.
    """

    name: str
    direction: Direction | None = None
    unit: str | None = None
    relative: float = math.nan
    absolute: float | None = None
    digits: int | None = None
    source: Literal["page", "configuration", "built-in", "none"] = "none"

    def __post_init__(self) -> None:
        if math.isnan(self.relative):
            object.__setattr__(self, "relative", RELATIVE if self.absolute is None else 0.0)


@dataclass(frozen=True)
class DatasetContract:
    """What the configuration says about one dataset.

    Attributes:
        alias_of: the dataset this one is another name of.
        name: the name to show.
        n: by metric, how many items were scored.
    """

    alias_of: str | None = None
    name: str | None = None
    n: Mapping[str, int] = field(default_factory=dict)


def contract(name: str, overrides: Mapping[str, MetricContract] | None = None) -> MetricContract:
    """The contract of a metric: the configuration's, completed by the built-in direction, else an empty one."""
    built_in = direction(name)
    configured = (overrides or {}).get(name)
    if configured is None:
        return MetricContract(name, built_in, source="built-in" if built_in else "none")
    if configured.direction is None and built_in:
        return replace(configured, direction=built_in, source="built-in")
    return configured


@lru_cache(maxsize=4096)
def direction(name: str) -> Direction | None:
    """Which way is better, by the words of the name alone; ``None`` when unknown.

    The name is split at ``_ - . / @ : ( ) [ ] %``, spaces and camelCase; whole words count, never parts of words.
    Digits may follow some words (``top5``, ``map@0.5``). Words such as ``reduction`` or ``std`` veto, whatever else
    stands there; words that disagree (``accuracy_loss``) leave the direction unknown.
    """
    tokens = _tokens(name)
    if any(word in _VETO for word, _ in tokens):
        return None
    lower: set[str] = set()
    higher: set[str] = set()
    for place, (word, digits) in enumerate(tokens):
        first, last = place == 0, place == len(tokens) - 1
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
    """Whether the words of a name say that it is a share of items counted, such as an error rate or an accuracy."""
    return direction(name) is not None and any(word in _RATES for word, _ in _tokens(name))


def _tokens(name: str) -> list[tuple[str, str]]:
    """The words of a name in lower case, each with the digits that follow it.

    Width variants (``（％）``) are the same characters. A piece known as it stands is not split at its humps: mAP,
    nDCG and mIoU are words. Digits apart belong to the word before them where that word may carry digits.
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


def running_best(values: "NDArray[np.float64]", better: Direction | None) -> "NDArray[np.float64]":
    """The best value so far at each place, for a step line.

    Args:
        values: numbers in version order; NaN where a version has none.
        better: the metric's direction.

    Returns:
        As many numbers; NaN before the first one, and everywhere when the direction is unknown.
    """
    import numpy as np  # noqa: PLC0415 - a check, which draws no line, starts without it

    if better is None:
        return np.full(len(values), np.nan)
    return np.fmin.accumulate(values) if better == "lower" else np.fmax.accumulate(values)


def display_digits(values: "Iterable[float] | NDArray[np.float64]") -> int:
    """How many decimals a column needs to show its numbers as they are stored.

    At most six, or as many more (up to twelve) as give the smallest number four significant digits. What is no finite
    number does not count.
    """
    finite = {abs(float(value)) for value in values if math.isfinite(value)}
    stored = max(map(_decimals, finite), default=0)
    smallest = min((number for number in finite if number), default=1.0)
    needed = _LEAST_SIGNIFICANT - 1 - math.floor(math.log10(smallest))
    return min(stored, max(_MOST_DECIMALS, min(needed, _CEILING_DECIMALS)))


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def format_value(value: float, digits: int, *, signed: bool = False) -> str:
    """One number with fixed decimals, a true minus sign, and a plus sign where ``signed``; ``–`` for no number.

    A number of seventeen digits and more before the point is written in powers of ten, as JSON does.
    """
    if not math.isfinite(value):
        return "–"
    if abs(value) >= _SCIENTIFIC:
        return f"{'+' if signed and value > 0 else ''}{float(value)!r}".replace("-", "−")
    text = f"{value:+z.{digits}f}" if signed else f"{value:z.{digits}f}"
    if signed and not text.strip("+0."):
        text = text[1:]
    return text.replace("-", "−")

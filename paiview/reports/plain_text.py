"""A decision as plain text, not yet escaped for any form: rows, averages, sentences."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from paiview.decisions.decision import (
    BY_URGENCY,
    GLYPHS,
    Decision,
    Doubt,
    Overall,
    PairDecision,
    RuleOutcome,
    RuleResult,
    State,
    Word,
    spoken,
)
from paiview.decisions.pairs import ROUGH
from paiview.decisions.wording import digits_by_metric, percent, written_change
from paiview.evaluation.metric_meaning import Direction, MetricContract, Standing, format_value
from paiview.text import counted, one_line, shorten_front

STATES: Final[dict[State, str]] = {state: f"{glyph} {spoken(state)}" for state, glyph in GLYPHS.items()}
WORDS: Final[dict[Word, str]] = {
    "Better": "▲ Better",
    "Worse": "▼ Worse",
    "Trade-off": "▲▼ Trade-off",
    "Incomplete": "○ Incomplete",
    "Too close to call": "= Too close to call",
    "Not comparable": "? Not comparable",
}
STANDINGS: Final[dict[Standing, str]] = {
    "declared": "declared",
    "known": "known",
    "assumed": "assumed",
    "unknown": "unknown",
    "not_a_score": "not a score",
}
UNPAIRED: Final[tuple[State, ...]] = ("missing", "new")
OUTCOMES: Final[dict[RuleOutcome | Overall, str]] = {
    "pass": "✓ pass",
    "fail": "✕ fail",
    "not_applicable": "– not applicable",
    "undecided": "? undecided",
}
_ROUGH: Final = f"Intervals ({ROUGH}) inform, and change no state."
_WAYS: Final[dict[Direction, str]] = {
    "lower": "lower is better",
    "higher": "higher is better",
    "zero": "nearer to 0 is better",
    "target": "nearer to its target is better",
}
_NO_EVIDENCE: Final = "Significance cannot be judged: no result has paired evidence, counts or a spread."
WHISKER: Final = "A whisker is where the effect may lie, with 95 % confidence."
_LEAST_TOLD: Final = 10
"""Results with paired evidence from which on some are expected to differ by chance alone."""
_CHANCE: Final = 0.05
NAME_LENGTH: Final = 80
ID_LENGTH: Final = 250
"""Characters of a dataset's id and of a note in a row: more would make a row as tall as a page."""
SENTENCE_LENGTH: Final = 800
MOST_LINES: Final = 20
_MOST_NAMES: Final = 12


class Row(NamedTuple):
    """One pair as plain text, not yet escaped for any form; ``–`` where there is nothing to show.

    Attributes:
        state: what it means.
        mark: the same as glyph and word.
        label: the dataset by its display name, else by its id, shortened at the front.
        dataset: its id, a long one shortened at the front.
        name: its display name, or nothing.
        metric: the metric.
        baseline, candidate: the numbers, with the same decimals throughout a metric.
        change: candidate minus baseline, signed, with its unit.
        effect: signed percent; positive is better.
        note: what a reader should know about it, or nothing.
    """

    state: State
    mark: str
    label: str
    dataset: str
    name: str
    metric: str
    baseline: str
    candidate: str
    change: str
    effect: str
    note: str


class AverageRow(NamedTuple):
    """The averages of one metric as plain text, not yet escaped; ``–`` where a mean is undefined."""

    metric: str
    n: str
    baseline: str
    candidate: str
    ratio: str
    gain: str


def rows(decision: Decision) -> list[Row]:
    """Every pair as text, in the order of the Decision: regressions first."""
    digits = digits_by_metric(decision.pairs, {metric.metric: metric for metric in decision.metrics})
    units = {metric.metric: metric.unit for metric in decision.metrics}
    return [
        Row(
            state=pair.state,
            mark=STATES[pair.state],
            label=_label(pair),
            dataset=shorten_front(pair.dataset, ID_LENGTH),
            name=one_line(pair.name or "", NAME_LENGTH),
            metric=one_line(pair.metric, NAME_LENGTH),
            baseline=_number(pair.baseline, digits[pair.metric]),
            candidate=_number(pair.candidate, digits[pair.metric]),
            change=written_change(pair, digits[pair.metric], units.get(pair.metric)),
            effect=_effect(pair),
            note=pair_note(pair),
        )
        for pair in decision.pairs
    ]


def average_rows(decision: Decision) -> list[AverageRow]:
    """The averages of each metric that both sides share a dataset of, as text."""
    digits = digits_by_metric(decision.pairs, {metric.metric: metric for metric in decision.metrics})
    return [
        AverageRow(
            metric=one_line(average.metric, NAME_LENGTH),
            n=str(average.n),
            baseline=_number(average.macro_baseline, digits[average.metric] + 1),
            candidate=_number(average.macro_candidate, digits[average.metric] + 1),
            ratio=_number(average.geometric_ratio, 4),
            gain=_percent(average.mean_gain),
        )
        for average in decision.averages
    ]


def word(decision: Decision) -> str:
    """The verdict with its mark; with "(assumed)" where it would differ without directions that are only assumed."""
    return WORDS[decision.summary.word] + (" (assumed)" if decision.summary.assumed else "")


def meaning_text(meaning: MetricContract) -> str:
    """Which way is better and how sure that is: ``lower is better``, ``assumed: lower is better``, ``not a score``."""
    if meaning.standing == "not_a_score":
        return "ignored" if meaning.ignore else "not a score"
    if meaning.direction is None:
        return "direction unknown"
    way = _WAYS[meaning.direction] if meaning.target is None else f"nearer to {meaning.target:g} is better"
    return f"assumed: {way}" if meaning.standing == "assumed" else way


def open_doubts(decision: Decision) -> list[Doubt]:
    """What keeps the decision open, then what the policy accepts."""
    return sorted(decision.doubts, key=lambda doubt: doubt.accepted)


def average_remarks(decision: Decision) -> list[str]:
    """Where averages name different winners, hang on one dataset, or rest on an assumption: plain sentences."""
    labels = {pair.dataset: _label(pair) for pair in decision.pairs}
    assumed = {pair.metric for pair in decision.pairs if pair.standing == "assumed"}
    doubtful = [one_line(each.metric, NAME_LENGTH) for each in decision.averages if each.metric in assumed]
    sentences = []
    for average in decision.averages:
        metric = one_line(average.metric, NAME_LENGTH)
        if average.disagree:
            sentences.append(f"{metric}: the averages name different winners, so none of them is the answer.")
        if average.turned_by:
            named = [labels[dataset] for dataset in average.turned_by]
            which = named[0] if len(named) == 1 else f"any one of {some_of(named)}"
            sentences.append(f"{metric}: leaving out {which} turns the mean gain round.")
    if doubtful:
        sentences.append(f"Which way is better, and so the mean gain, is only assumed of {some_of(doubtful)}.")
    return sentences


def names(decision: Decision, state: State) -> list[str]:
    """The datasets with pairs of this state, each with the metrics: ``meeting (cer, wer)``. Plain text."""
    metrics_by_dataset: dict[str, list[str]] = {}
    labels: dict[str, str] = {}
    for pair in decision.pairs:
        if pair.state == state:
            labels[pair.dataset] = _label(pair)
            metrics_by_dataset.setdefault(pair.dataset, []).append(one_line(pair.metric, NAME_LENGTH))
    return [f"{labels[dataset]} ({some_of(metrics)})" for dataset, metrics in metrics_by_dataset.items()]


def rules(decision: Decision) -> list[RuleResult]:
    """The results of the policy's rules, failures first."""
    return sorted(decision.rules, key=lambda rule: BY_URGENCY.index(rule.result))


def cautions(decision: Decision) -> list[str]:
    """What a reader should know about the decision as a whole: plain sentences."""
    sentences = [one_line(note, SENTENCE_LENGTH) for note in decision.notes]
    set_here = [one_line(metric.metric, NAME_LENGTH) for metric in decision.metrics if metric.source == "page"]
    if set_here:
        sentences.append(
            f"Judged with what one reader set for {some_of(set_here)}: links, the command line and the API judge "
            "without."
        )
    return sentences if decision.baseline is None else [*sentences, *_noise_cautions(decision)]


def _noise_cautions(decision: Decision) -> list[str]:
    """What is known of chance in the numbers, for the whole decision once."""
    is_rough = any(pair.uncertain is not None for pair in decision.pairs)
    if not is_rough and all(pair.evidence is None for pair in decision.pairs):
        return [_NO_EVIDENCE]
    sentences = [_ROUGH] if is_rough else []
    paired = sum(pair.paired is not None and pair.paired.decides for pair in decision.pairs)
    if paired >= _LEAST_TOLD:
        expected = max(1, round(_CHANCE * paired))
        sentences.append(
            f"Of {paired} results with paired evidence about {expected} would be better or worse by chance alone."
        )
    return sentences


def tally(decision: Decision) -> str:
    """How many pairs have each state: ``5 better, 1 worse, 2 same``."""
    return by_state({state: getattr(decision.summary, state) for state in STATES}) or "no pairs"


def count_text(state: State, count: int) -> str:
    """A state with its mark and how many pairs have it: ``▼ 10 worse``."""
    return f"{GLYPHS[state]} {count} {spoken(state)}"


def by_state(counts: Mapping[State, int]) -> str:
    """How many pairs of each state there are, in words; those without any are left out."""
    return ", ".join(f"{count} {spoken(state)}" for state, count in counts.items() if count)


def against(decision: Decision, *, why: bool = True) -> str:
    """The baseline and why it is that one, as plain text: ``against 0.10.0 (newest approved by creation)``."""
    reason = f" ({one_line(decision.baseline_reason, SENTENCE_LENGTH).removeprefix('no baseline: ')})" if why else ""
    if decision.baseline is None:
        return f"against nothing{reason}"
    home = f" of {one_line(decision.baseline_model or '')}" if decision.baseline_model != decision.model else ""
    return f"against {one_line(decision.baseline)}{home}{reason}"


def all_against(decisions: Sequence[Decision]) -> str | None:
    """The one baseline of some decisions, and why where that is the same for all; ``None`` when they have several."""
    if len({(decision.baseline_model, decision.baseline) for decision in decisions}) > 1:
        return None
    return against(decisions[0], why=len({decision.baseline_reason for decision in decisions}) == 1)


def fetched(decision: Decision) -> str:
    """When the data were read: ``2026-01-02 03:04:05 UTC``."""
    return f"{decision.fetched_at:%Y-%m-%d %H:%M:%S} UTC"


def _label(pair: PairDecision) -> str:
    return one_line(pair.name, NAME_LENGTH) if pair.name else shorten_front(pair.dataset, NAME_LENGTH)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else format_value(value, digits)


def _percent(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _effect(pair: PairDecision) -> str:
    as_errors = pair.reading == "error" and pair.effect is not None
    return f"{_percent(pair.effect)} (errors)" if as_errors else _percent(pair.effect)


def pair_note(pair: PairDecision) -> str:
    """What a reader should know about a pair, in words; empty without."""
    notes = [one_line(pair.note, ID_LENGTH)] if pair.note else []
    if pair.standing == "assumed" and pair.direction is not None:
        notes.append(f"assumed: {_WAYS[pair.direction]}")
    if pair.uncertain:
        notes.append("uncertain: the interval of the change holds 0")
    return "; ".join(notes)


def some_of(texts: Sequence[str]) -> str:
    """The texts in a line, the first few where they are many."""
    more = len(texts) - _MOST_NAMES
    return ", ".join([*texts[:_MOST_NAMES], *([f"and {more} more"] if more > 0 else [])])


def cut(sentences: Sequence[str], noun: str) -> list[str]:
    """The first sentences, and how many more there are."""
    more = len(sentences) - MOST_LINES
    return [*sentences[:MOST_LINES], *([f"… and {counted(more, f'more {noun}')}"] if more > 0 else [])]

"""What the name of a metric means by itself: its direction, its range, and how sure that is.

The catalogue is data: ``catalogue.csv`` holds the metrics with their spellings, ``name_words.toml`` the words that may
stand beside one. A name is known only when every word of it is understood.
"""

import csv
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

Direction = Literal["lower", "higher", "zero", "target"]
Standing = Literal["known", "assumed", "unknown", "not_a_score"]
Range = tuple[float | None, float | None]

MAX_NAME_CHARACTERS: Final = 200
"""Longer names are unknown: no catalogue spells them, and a name may cost no more than linear time."""
_MAX_PHRASE_WORDS: Final = 12
_NO_ROLES: Final[frozenset[str]] = frozenset()

_WORD: Final = re.compile(r"[\u3400-\u9fffΔδ]|(?:(?![\u3400-\u9fffΔδ])[^\W_]|[+\u0300-\u036f])+")
_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_GLUED_NUMBER: Final = re.compile(r"([^\W0-9_]+)([0-9]+)")
_NUMBER: Final = re.compile(r"[pvxh]?[0-9]+(?:ms|[ekbmsx])?")
_BRACKETED: Final = re.compile(r"[(\[][^()\[\]]*[)\]]")
_SEGMENT_END: Final = re.compile(r"/(?!(?:s|sec|second|h|hr|hour)\b)|\.(?![0-9])", re.IGNORECASE)
_COMPLEMENT: Final = re.compile(
    r"(?:^|[(\[{])\s*1(?:00)?(?:\.0+)?\s*(?:%\s*)?"
    r"(?:[-−‐‑‒–—]\s*(?!best|shot|gram|nn|step|hot|way)|[/÷]\s*)(?=[^\W0-9]|[(\[{])",
    re.IGNORECASE,
)
_OPERATION: Final = re.compile(r"^\s*[-−](?!.*[-−]$)|[<>≤≥±*×~!¬]")
"""A minus before the name, and marks that make another number of a metric: its share under a limit, its half-width."""
_UP: Final = frozenset("↑⬆↗")
_DOWN: Final = frozenset("↓⬇↘")
"""Arrows that say which way is better."""
_POSSESSIVE: Final = re.compile(r"['’]s\b")


class Meaning(NamedTuple):
    """What a name means by the catalogue.

    Attributes:
        standing: how sure the direction is.
        direction: which way is better; ``None`` unless known or assumed.
        target: the best value where the direction is ``zero`` or ``target``.
        range: what the definition allows, on the fraction scale; an end that is ``None`` is open.
        has_scales: whether its numbers are written as fractions and as percentages.
        kind: what sort of number it is (``error rate``, ``time``); empty unless known or assumed.
        entry: the name of the catalogue's entry.
        source: where that entry is from.
        reason: why the name has this standing, as a clause.
    """

    standing: Standing
    direction: Direction | None = None
    target: float | None = None
    range: Range | None = None
    has_scales: bool = False
    kind: str = ""
    entry: str | None = None
    source: str | None = None
    reason: str = ""


class Entry(NamedTuple):
    """One metric of the catalogue; its direction is ``None`` where the name is read both ways."""

    name: str
    direction: Direction | None
    target: float | None
    range: Range | None
    has_scales: bool
    kind: str
    source: str


class Catalogue(NamedTuple):
    """The spellings, and the words that stand beside them, all without separators.

    Attributes:
        spellings: the entry of each spelling.
        neutral: the group of each neutral qualifier.
        roles: of each other word, the lists that hold it (``blocking``, ``last``, ``first``, ``whole`` and so on).
        numbered: the entries of words that count only before a number.
        also_words: spellings that count only beside neutral qualifiers.
        alone: spellings that count only beside splits and averages.
        qualifying: spellings that may qualify another one.
    """

    spellings: Mapping[str, Entry]
    neutral: Mapping[str, str]
    roles: Mapping[str, frozenset[str]]
    numbered: Mapping[str, Entry]
    also_words: frozenset[str]
    alone: frozenset[str]
    qualifying: frozenset[str]


def catalogued(name: str) -> Meaning:
    """What the catalogue says of a metric's name; never raises."""
    if len(name) > MAX_NAME_CHARACTERS:
        return Meaning("unknown", reason=f"the name has more than {MAX_NAME_CHARACTERS} characters")
    return _as_pointed(name, _catalogued(name))


def _as_pointed(name: str, meaning: Meaning) -> Meaning:
    """The meaning of a name's words, unless its arrow contradicts them."""
    pointed = "higher" if not _UP.isdisjoint(name) else "lower" if not _DOWN.isdisjoint(name) else meaning.direction
    if meaning.direction in ("higher", "lower") and pointed != meaning.direction:
        return Meaning("unknown", reason=f"its arrow says that {pointed} is better, its words {meaning.direction}")
    return meaning


@lru_cache(maxsize=4096)
def _catalogued(name: str) -> Meaning:
    text = _POSSESSIVE.sub(" ", unicodedata.normalize("NFKC", name))
    if _COMPLEMENT.search(text):
        return Meaning("unknown", reason="it may be a complement (1 − …) or an inverse (1 / …)")
    if operation := _OPERATION.search(text):
        return Meaning("unknown", reason=f"its mark {operation[0].strip()} may make another number of it")
    exact = catalogue().spellings.get("".join(_WORD.findall(text)).lower())
    if exact:
        return _of_entry(exact)
    unbracketed = _BRACKETED.sub(lambda match: match[0].replace("/", " "), text)
    segments = [pieces for segment in _SEGMENT_END.split(unbracketed) if (pieces := _pieces(list(_words(segment))))]
    if not segments:
        return Meaning("unknown", reason="it has no words")
    whole = _Reading.of([piece for pieces in segments for piece in pieces])
    if len(segments) == 1 or whole.is_complete:
        return _of_reading(whole, is_leaf=len(segments) == 1)
    leaf = _of_reading(_Reading.of(segments[-1]), is_leaf=True)
    if leaf.standing not in {"known", "not_a_score"}:
        outer = _of_reading(_Reading.of([piece for pieces in segments[:-1] for piece in pieces]), is_leaf=False)
        if leaf.direction and outer.direction not in (None, leaf.direction):
            # A class may be named like a metric: IoU.loss_adjuster is no loss.
            return Meaning("unknown", reason=f"its parts disagree: {outer.direction} and {leaf.direction} is better")
        return _of_reading(whole, is_leaf=False)
    vetoes = (_veto_of_parent(_Reading.of(pieces)) for pieces in segments[:-1])
    veto = next((label for label in vetoes if label), None)
    if leaf.standing == "known" and veto:
        return Meaning("unknown", reason=f"{veto} stands before {leaf.entry}")
    return leaf


def leaf_of(name: str) -> str | None:
    """The last part of ``outer.inner`` or ``outer/inner``; ``None`` for a name without parts."""
    unbracketed = _BRACKETED.sub(lambda match: match[0].replace("/", " ").replace(".", " "), name)
    ends = [match.end() for match in _SEGMENT_END.finditer(unbracketed)]
    return (name[ends[-1] :] or None) if ends and ends[-1] > 1 else None


class _Piece(NamedTuple):
    """Words of a name that are understood together, or one word that is not."""

    words: tuple[str, ...]
    entry: Entry | None = None
    neutral: str | None = None
    roles: frozenset[str] = _NO_ROLES

    @property
    def spelling(self) -> str:
        return "".join(self.words)

    @property
    def label(self) -> str:
        """The words for a reader."""
        return ("_" if self.spelling.isascii() else "").join(self.words)

    @property
    def is_understood(self) -> bool:
        return bool(self.entry or self.neutral or self.roles)

    @property
    def is_qualifying(self) -> bool:
        """Whether it is a spelling that may qualify another: top-5 of an accuracy, the benchmark of an exact match."""
        is_rank = self.words[0] in {"p", "r"} and self.words[-1].isdecimal()
        is_listed = self.spelling in catalogue().qualifying
        return self.entry is not None and (is_rank or is_listed or self.entry.kind == "benchmark")


class _Reading(NamedTuple):
    """The pieces of a name by the part they play.

    Attributes:
        spellings: the pieces that count as spellings.
        is_negated: whether ``neg`` or ``negative`` stands before the first one, whose direction is lower.
        rest: the pieces that are neither spellings nor neutral.
        pieces: all of them.
    """

    spellings: tuple[_Piece, ...]
    is_negated: bool
    rest: tuple[_Piece, ...]
    pieces: tuple[_Piece, ...]

    @classmethod
    def of(cls, pieces: Sequence[_Piece]) -> "_Reading":
        """The parts that the pieces of a name play."""
        chosen = _chosen_spellings(pieces)
        entries = tuple(entry for index in chosen if (entry := pieces[index].entry))
        before_first = pieces[chosen[0] - 1].spelling if chosen and chosen[0] else ""
        is_negated = bool(entries) and entries[0].direction == "lower" and before_first in {"neg", "negative"}
        read = {*chosen, chosen[0] - 1} if is_negated else set(chosen)
        rest = tuple(
            piece
            for index, piece in enumerate(pieces)
            if index not in read and not piece.neutral and not (entries and piece.is_qualifying)
        )
        return cls(tuple(pieces[index] for index in chosen), is_negated, rest, tuple(pieces))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The metrics that are spelled."""
        return tuple(piece.entry for piece in self.spellings if piece.entry)

    @property
    def is_complete(self) -> bool:
        """Whether one spelling and neutral qualifiers are the whole name."""
        return len(self.spellings) == 1 and not self.rest


def _of_reading(reading: _Reading, *, is_leaf: bool) -> Meaning:
    """The meaning of the words of a name; in a leaf, or a name without segments, its first word counts."""
    if reading.is_complete:
        return _of_entry(reading.entries[0], is_negated=reading.is_negated)
    if label := _not_a_score(reading, is_leaf=is_leaf):
        return Meaning("not_a_score", reason=f"{label} is no score")
    entries = reading.entries
    if not entries:
        return Meaning("unknown", reason="no metric is recognised in it")
    first, labels = entries[0], " and ".join(dict.fromkeys(piece.label for piece in reading.spellings))
    for piece in reading.rest:
        if piece.roles & {"blocking", "last", "whole", "anywhere"}:
            return Meaning("unknown", reason=f"{piece.label} stands beside {labels}")
        if piece.entry and piece.entry.direction != first.direction:
            return Meaning("unknown", reason=f"{labels} and {piece.label} disagree")
    if len({(entry.direction, entry.target) for entry in entries}) > 1 or reading.is_negated:
        return Meaning("unknown", reason=f"{labels} disagree" if len(entries) > 1 else f"{labels} is negated")
    meaning = _of_entry(first)
    if meaning.standing == "unknown":
        return meaning
    strange = ", ".join(dict.fromkeys(piece.label for piece in reading.rest[:3]))
    return meaning._replace(
        standing="assumed",
        range=first.range if len({entry.range for entry in entries}) == 1 else None,
        has_scales=any(entry.has_scales for entry in entries),
        reason=f"{strange} is not understood" if strange else f"it names more than one metric: {labels}",
    )


def _of_entry(entry: Entry, *, is_negated: bool = False) -> Meaning:
    """The meaning of a spelling; ``neg_`` turns its direction and its range around."""
    if entry.direction is None:
        return Meaning("unknown", reason="its name alone does not say which way is better")
    name, direction, target, bounds, has_scales, kind, source = entry
    reason = f"{name} in the catalogue"
    if is_negated:
        lower, upper = bounds or (None, None)
        turned = (None if upper is None else 0.0 - upper, None if lower is None else 0.0 - lower) if bounds else None
        return Meaning("known", "higher", None, turned, has_scales, kind, name, source, f"negative {reason}")
    return Meaning("known", direction, target, bounds, has_scales, kind, name, source, reason)


def _not_a_score(reading: _Reading, *, is_leaf: bool) -> str | None:
    """The words that make a name no score."""
    telling = [piece for piece in reading.pieces if not piece.neutral or piece.roles]
    if telling and "last" in telling[-1].roles:
        return telling[-1].label
    first = next((piece for piece in telling if not piece.neutral), None)
    if first and is_leaf and "first" in first.roles and len(reading.pieces) > 1:
        return first.label
    anywhere = next((piece for piece in telling if "anywhere" in piece.roles), None)
    if anywhere:
        return anywhere.label
    is_whole = all(piece.neutral or "whole" in piece.roles for piece in reading.pieces)
    return next((piece.label for piece in telling if is_whole and "whole" in piece.roles), None)


def _veto_of_parent(parent: _Reading) -> str | None:
    """The word before a known leaf that makes it another number, as in ``delta/wer`` and ``gain/f1``.

    It stands alone, but for neutral words and other metrics: the name of a class may hold such a word
    (``account_change.f1``).
    """
    words = [piece for piece in parent.pieces if not piece.neutral and not piece.entry]
    if words and all("comparing" in piece.roles for piece in words):
        return words[0].label
    return words[0].label if len(words) == 1 and words[0].roles and len(parent.pieces) == 1 else None


def _chosen_spellings(pieces: Sequence[_Piece]) -> list[int]:
    """The indexes of the pieces that count as spellings.

    Plain ones go first, then one that is also a word, then those that would qualify either.
    """
    words = catalogue()
    spelled = [index for index, piece in enumerate(pieces) if piece.entry]
    doubtful = {index for index in spelled if pieces[index].spelling in words.also_words | words.alone}
    plain = [index for index in spelled if index not in doubtful]
    strong = [index for index in plain if not pieces[index].is_qualifying]
    alone = [index for index in spelled if index in doubtful and _stands_alone(pieces, index)]
    if plain:  # far is a condition beside a benchmark, but a false alarm rate beside nothing
        alone = [index for index in alone if not pieces[index].neutral]
    return strong or alone or plain


def _stands_alone(pieces: Sequence[_Piece], index: int) -> bool:
    """Whether a spelling that is also a word has only qualifiers beside it."""
    others = [piece for position, piece in enumerate(pieces) if position != index]
    if pieces[index].spelling in catalogue().alone:
        return all(piece.neutral in {"splits", "averages", "sets", "numbers"} for piece in others)
    return all(piece.neutral or piece.is_qualifying for piece in others)


def _pieces(words: Sequence[str]) -> list[_Piece]:
    """The words in order, joined to the spellings and phrases that do not overlap, the longest first."""
    at: dict[int, _Piece] = {}
    taken: set[int] = set()
    for _, start, piece in sorted(_phrases(words), key=lambda phrase: -phrase[0]):
        span = range(start, start + len(piece.words))
        if taken.isdisjoint(span):
            taken.update(span)
            at[start] = piece
    pieces: list[_Piece] = []
    position = 0
    while position < len(words):
        pieces.append(at.get(position) or _Piece((words[position],)))
        position += len(pieces[-1].words)
    return _without_moments(pieces)


def _without_moments(pieces: list[_Piece]) -> list[_Piece]:
    """The same, but the epoch of a best value (``best_loss_epoch``) is no qualifier: it is the number itself."""
    if pieces and "moments" in pieces[-1].roles and any("extremes" in piece.roles for piece in pieces[:-1]):
        pieces[-1] = _Piece(pieces[-1].words, roles=frozenset({"last"}))
    return pieces


def _phrases(words: Sequence[str]) -> Iterator[tuple[int, int, _Piece]]:
    """Every run of words that is a spelling or a phrase of the lists: its characters, its first index, itself."""
    spellings, neutral, roles, numbered, *_ = catalogue()
    groups = [_neutral_group(word) for word in words]
    for start, word in enumerate(words):
        if word in numbered and start + 1 < len(words) and words[start + 1].isdecimal():
            pair = (word, words[start + 1])
            yield len(word) + len(pair[1]), start, _Piece(pair, numbered[word])
        joined = ""
        for stop in range(start + 1, min(start + _MAX_PHRASE_WORDS, len(words)) + 1):
            joined += words[stop - 1]
            is_one = stop == start + 1
            # Letters side by side are no spelling where each is a qualifier: the sizes k and l are no KL divergence.
            is_letters = not is_one and len(joined) == stop - start and all(groups[start:stop])
            entry = None if is_letters else spellings.get(joined)
            group = groups[start] if is_one else neutral.get(joined)
            if entry or group or joined in roles:
                yield len(joined), start, _Piece(tuple(words[start:stop]), entry, group, roles.get(joined, _NO_ROLES))


def _words(text: str) -> Iterator[str]:
    """The words of a text in lower case: Chinese characters one by one, glued numbers apart."""
    spellings, _, roles, numbered, *_ = catalogue()
    for piece in _WORD.findall(text):
        whole = piece.lower()
        is_spelling = whole in spellings or whole.rstrip("0123456789") in spellings
        for part in [whole] if is_spelling else (hump.lower() for hump in _HUMPS.split(piece)):
            glued = _GLUED_NUMBER.fullmatch(part)
            if not glued or part in spellings or part in roles or _neutral_group(part):
                yield part
            elif glued[1] in spellings or glued[1] in roles or glued[1] in numbered or _neutral_group(glued[1]):
                yield from glued.groups()
            else:
                yield part


def _neutral_group(word: str) -> str | None:
    return catalogue().neutral.get(word) or ("numbers" if _NUMBER.fullmatch(word) else None)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue, read once."""
    entries: dict[str, Entry] = {}
    spellings: dict[str, Entry] = {}
    with Path(__file__).with_name("catalogue.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.reader(line for line in file if line[0] not in "#\n\r"):
            entry = _entry(*row)
            entries[entry.name] = entry
            spellings.update(dict.fromkeys(_joined(f"{entry.name}|{row[1]}", "|"), entry))
    words = tomllib.loads(Path(__file__).with_name("name_words.toml").read_text("utf-8"))
    also = words["also_words"]
    roles: dict[str, frozenset[str]] = {}
    for role, text in {**words["not_a_score"], **words["beside_a_spelling"]}.items():
        for word in _joined(text):
            roles[word] = roles.get(word, frozenset()) | {role}
    return Catalogue(
        spellings,
        {word: group for group, text in words["neutral"].items() for word in _joined(text)},
        roles,
        {word: entries[name] for word, name in also["numbered"].items()},
        frozenset(_joined(also["words"])),
        frozenset(_joined(also["alone"])),
        frozenset(_joined(also["qualifying"])),
    )


def _joined(text: str, separator: str | None = None) -> list[str]:
    """The phrases of a list, without the ``_`` between their words."""
    return text.replace("_", "").split(separator)


def _entry(name: str, _spellings: str, direction: str, bounds: str, scales: str, kind: str, source: str) -> Entry:
    way, _, best = direction.partition(":")
    lower, _, upper = bounds.partition("..")
    ends = (float(lower) if lower else None, float(upper) if upper else None) if bounds else None
    target = 0.0 if way == "zero" else float(best) if best else None
    return Entry(name, None if way == "open" else cast("Direction", way), target, ends, scales == "yes", kind, source)

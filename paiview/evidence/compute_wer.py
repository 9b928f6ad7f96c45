"""The utterances in the output of compute-wer: that of WeNet and that of FunASR.

WeNet's ``tools/compute-wer.py`` and the package compute-wer write a block for each utterance, with the words of both
texts padded so that they stand below each other, and the totals after a line of ``=``::

    utt: BAC009S0764W0121
    WER: 4.76 % N=21 C=20 S=1 D=0 I=0
    lab: 甚 至 出 现
    rec: 甚 至 出 线

FunASR's ``funasr/metrics/wer.py`` writes the counts beside the id, and the totals in lines that begin with ``%``::

    BAC009S0764W0121(nwords=21,cor=20,ins=0,del=0,sub=1) corr:95.24%,cer:4.76%
    ref:	甚 至 出 现
    hyp:	甚 至 出 线
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from paiview.evidence.item_lines import MAX_LINE_BYTES, NumberedLine
from paiview.evidence.item_records import Record, items_error
from paiview.text import one_line

_MAX_COUNT_DIGITS: Final = 15
_COUNTS_MARK: Final = "(nwords="
_TOTALS: Final = ("%WER", "%SER", "Scored ")
_RULE: Final = "===="


def is_wenet(line: str) -> bool:
    """Whether the first line of a file that is not blank begins WeNet's output."""
    return line.startswith("utt:")


def is_funasr(line: str) -> bool:
    """Whether the first line of a file that is not blank begins FunASR's output."""
    return _COUNTS_MARK in line and line.rpartition(_COUNTS_MARK)[2].partition(")")[1] == ")"


class _Utterance:
    """An utterance whose lines are being read."""

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.counts: tuple[int, int] | None = None
        self.reference: list[str] = []
        self.hypothesis: list[str] = []
        self._characters = 0

    def add(self, texts: list[str], text: str, source: str) -> None:
        """Add a line to one of the texts, of which WeNet may write several."""
        self._characters += len(text)
        if self._characters > MAX_LINE_BYTES:
            problem = f"the texts of {one_line(self.name, 60)} are longer than {MAX_LINE_BYTES:,} characters"
            raise items_error(source, f"line {self.number}", problem)
        texts.append(text)

    def record(self, source: str) -> Record:
        if not self.name:
            raise items_error(source, f"line {self.number}", "the utterance has no id")
        if self.counts is None:
            problem = f"no line with the counts of {one_line(self.name, 60)} follows"
            raise items_error(source, f"line {self.number}", problem)
        errors, n = self.counts
        texts = (" ".join(" ".join(parts).split()) for parts in (self.reference, self.hypothesis))
        return Record(f"line {self.number}", "errors", self.name, float(errors), float(n), None, *texts)


def wenet_records(lines: Iterable[NumberedLine], source: str) -> Iterator[Record]:
    """The utterances of WeNet's output.

    Raises:
        ItemsError: a line is none of those that it writes, or the counts of an utterance are missing or contradict
            each other.
    """
    utterance: _Utterance | None = None
    for number, line in lines:
        text = line.strip()
        label, _, rest = text.partition(":")
        if not text:
            continue
        if text.startswith(_RULE):
            break
        if label == "utt":
            if utterance is not None:
                yield utterance.record(source)
            utterance = _Utterance(number, rest.strip())
        elif utterance is None:
            raise _foreign_line(source, number, text)
        elif label == "WER":
            utterance.counts = _wenet_counts(rest, source, number)
        elif text.startswith(("lab", "ref")):
            utterance.add(utterance.reference, _aligned(text), source)
        elif text.startswith(("rec", "hyp")):
            utterance.add(utterance.hypothesis, _aligned(text), source)
        else:
            raise _foreign_line(source, number, text)
    if utterance is not None:
        yield utterance.record(source)


def funasr_records(lines: Iterable[NumberedLine], source: str) -> Iterator[Record]:
    """The utterances of FunASR's output.

    Raises:
        ItemsError: a line is none of those that it writes, or the counts of an utterance contradict each other.
    """
    utterance: _Utterance | None = None
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith(_TOTALS):
            continue
        if utterance is not None and text.startswith("ref:"):
            utterance.add(utterance.reference, text[4:], source)
        elif utterance is not None and text.startswith("hyp:"):
            utterance.add(utterance.hypothesis, text[4:], source)
        elif is_funasr(text):
            if utterance is not None:
                yield utterance.record(source)
            name, _, rest = text.rpartition(_COUNTS_MARK)
            counts = dict(part.partition("=")[::2] for part in f"nwords={rest.partition(')')[0]}".split(","))
            utterance = _Utterance(number, name.strip())
            names = ("nwords", "cor", "sub", "del", "ins")
            utterance.counts = _counts(counts, names, source, number)
        else:
            raise _foreign_line(source, number, text)
    if utterance is not None:
        yield utterance.record(source)


def _aligned(text: str) -> str:
    """The words of a line ``lab: …``, or of ``lab(b'id'): …``, which WeNet writes with ``--v=2``."""
    return text.partition("):" if text[3:4] == "(" else ":")[2]


def _wenet_counts(text: str, source: str, number: int) -> tuple[int, int]:
    """Errors and words of ``4.76 % N=21 C=20 S=1 D=0 I=0``; the package compute-wer writes ``Cor`` and ``Sub``."""
    pairs = (part.partition("=") for part in text.split())
    counts = {name[:1]: value for name, sign, value in pairs if sign}
    return _counts(counts, ("N", "C", "S", "D", "I"), source, number)


def _counts(counts: Mapping[str, str], names: tuple[str, ...], source: str, number: int) -> tuple[int, int]:
    """Errors and words.

    Args:
        counts: the written counts.
        names: those of words, correct ones, substitutions, deletions and insertions.
        source: the file.
        number: the line.

    Raises:
        ItemsError: one is missing or no count, or they do not add up to the words.
    """
    numbers = []
    for name in names:
        text = counts.get(name, "")
        if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_COUNT_DIGITS):
            shown = f"is “{one_line(text, 40)}”" if text else "is missing"
            raise items_error(source, f"line {number}", f"the count {name} {shown}")
        numbers.append(int(text))
    words, correct, substituted, deleted, inserted = numbers
    if words != correct + substituted + deleted:
        problem = f"{words} words are not {correct} correct, {substituted} substituted and {deleted} deleted ones"
        raise items_error(source, f"line {number}", problem)
    return substituted + deleted + inserted, words


def _foreign_line(source: str, number: int, text: str) -> Exception:
    return items_error(source, f"line {number}", f"compute-wer writes no such line: “{one_line(text, 60)}”")

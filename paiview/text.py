"""Text that strangers wrote, made safe for the place it is shown in.

Names, descriptions, labels and URIs of a registry are data. None of them may act as markup, move the cursor, hide
characters, load a picture or carry a secret.
"""

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import indent
from traceback import format_exception
from typing import Any, Final
from urllib.parse import urlsplit

_ELLIPSIS: Final = "…"
_UNSEEN: Final = "\N{REPLACEMENT CHARACTER}"
_BLANKS: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0))))
)
_PILE: Final = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
"""Accents piled on one letter beyond what any language writes: they would cover the lines around them."""
_COMMANDS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]")
"""What a terminal obeys or turns text around, save for tabs and line feeds."""
_NOT_IN_FILE_NAMES: Final = re.compile(r"(?:[^\w.+=@-]|\.{2,})+|^[.-]+")
_EMOJI_STYLE: Final = re.compile(r"(?<![\u203c-\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f]")
"""Variation selectors where they do not follow a symbol, which alone they serve."""
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:@&^=/])")
_WORD_JOINER: Final = "\N{WORD JOINER}"
_READ_LATE: Final = re.compile(
    r"(https?://|www(?=\.)|(?<=[\w.+-])@(?=\w)|:(?=streamlit:|material_\w+:)|(?<!\S)[<>~-](?=[-=>]+(?!\S)))",
    re.IGNORECASE,
)


def one_line(text: str, limit: int = 200) -> str:
    """One line of visible characters, at most ``limit`` of them.

    White space becomes single spaces. Control, bidirectional, zero-width and other invisible characters, escapes of
    terminals and lone surrogates become ``�``, and so does a text of nothing but white space: two names that differ
    must look different.
    """
    return _shown(_shortened(" ".join(text.split()), limit)) or (_UNSEEN if text else "")


def several_lines(text: str, limit: int = 4000, most: int = 40) -> str:
    """``plain`` that keeps line breaks: up to ``most`` lines of ``limit`` characters in all."""
    lines = _shortened("\n".join([one_line(line, limit) for line in text.splitlines()]), limit).split("\n")
    return "\n".join(lines if len(lines) <= most else [*lines[:most], _ELLIPSIS])


def strip_controls(text: str) -> str:
    """The text with its lines, and ``�`` in place of what a terminal obeys and what turns text around."""
    return _COMMANDS.sub(_UNSEEN, text)


def traceback_of(error: BaseException) -> str:
    """The traceback for a log, each line set in: what a stranger wrote into a message is no line of the log's own."""
    return strip_controls(indent("".join(format_exception(error)).rstrip(), "  "))


def unique_labels(texts: Sequence[str]) -> list[str]:
    """The texts, with a number behind those that another one before them equals."""
    taken = set(texts)
    seen: dict[str, int] = {}
    result = []
    for text in texts:
        label = text
        while seen.get(text) and label in taken:
            seen[text] += 1
            label = f"{text} ({seen[text]})"
        seen.setdefault(text, 1)
        taken.add(label)
        result.append(label)
    return result


def file_name(*parts: str, ending: str) -> str:
    """A name for a download: letters, digits and a few marks, so that no part leads to another folder or kind of file.

    >>> file_name("model-a", "../1.0.0", ending="csv")
    'model-a-_1.0.0.csv'
    """
    kept = [_shortened(_NOT_IN_FILE_NAMES.sub("_", part), 80).rstrip(_ELLIPSIS) for part in parts]
    return f"{'-'.join(kept)}.{ending}"


def escape_for_plotly(text: str, limit: int = 200) -> str:
    """``plain`` for plotly's names, ticks and hover texts, which read some HTML.

    Not for inside a ``hovertemplate`` or ``texttemplate``, where ``%{`` means more: pass it as text or customdata.
    """
    return html.escape(one_line(text, limit), quote=False)


def shorten_front(text: str, limit: int) -> str:
    """``plain``, shortened at the front: the end of a long Uri is what tells it from the others."""
    line = one_line(text, len(text))
    return line if len(line) <= limit else _ELLIPSIS + line[len(line) - limit + 1 :]


def escape_markdown(text: str, limit: int = 200) -> str:
    """``plain`` for the sinks of Streamlit that read Markdown: every mark is escaped, bare addresses are no links.

    Addresses, icons (``:streamlit:``) and arrows (``->``) are found after escapes are read, so an invisible word
    joiner has to break them.
    """
    return _MARKUP.sub(r"\\\1", _READ_LATE.sub(rf"\1{_WORD_JOINER}", one_line(text, limit)))


def unique_names(names: Mapping[str, str]) -> dict[str, str]:
    """Names by id, where one that several ids share stands with its id.

    >>> told_by_id({"d-a": "Test", "d-b": "Test", "d-c": "Dev"})
    {'d-a': 'Test (d-a)', 'd-b': 'Test (d-b)', 'd-c': 'Dev'}
    """
    held = Counter(names.values())
    return {key: f"{name} ({key})" if held[name] > 1 else name for key, name in names.items()}


def counted(count: int, noun: str) -> str:
    """A count and its noun, whose plural takes an s.

    >>> counted(1, "version"), counted(1556, "version")
    ('1 version', '1556 versions')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def http_url(text: object) -> str | None:
    """The URL, when it is safe as a link or picture: http or https, with a host, without user, blanks or controls."""
    if not isinstance(text, str) or not text.isprintable() or re.search(r"[\s\\]", text):
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return None
    return text if usable else None


def ascii_host(address: str) -> str:
    """The host of an ``http_url`` in ASCII, as its owner registered it: a letter that only looks like another shows.

    >>> host("https://аlibaba.example/x")
    'xn--libaba-2nf.example'
    """
    name = urlsplit(address).hostname or ""
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return ascii(name)[1:-1]


def escape_invisible(tree: Any) -> Any:
    """The same JSON tree, its invisible characters written as escapes: a reader sees each for what it is."""
    if isinstance(tree, Mapping):
        return dict(
            zip(
                unique_labels([_escaped(str(name)) for name in tree]), map(escape_invisible, tree.values()), strict=True
            )
        )
    if isinstance(tree, list | tuple):
        return [escape_invisible(item) for item in tree]
    return _escaped(tree) if isinstance(tree, str) else tree


def _shortened(line: str, limit: int) -> str:
    return line if len(line) <= limit else line[: max(limit - 1, 0)] + _ELLIPSIS


def _escaped(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    text = _PILE.sub(lambda pile: pile[1] + ascii(pile[0][len(pile[1]) :])[1:-1], text)
    return "".join([char if _is_seen(char) or char in "\n\t" else ascii(char)[1:-1] for char in text])


def _is_seen(char: str) -> bool:
    return char.isprintable() and char not in _BLANKS


def _shown(line: str) -> str:
    line = _EMOJI_STYLE.sub(_UNSEEN, line)
    if not line.isascii():
        line = _PILE.sub(rf"\1{_UNSEEN}", line)
    if line.isprintable() and _BLANKS.isdisjoint(line):
        return line
    return "".join([char if _is_seen(char) else _UNSEEN for char in line])

"""Untrusted text, made safe for the place where it is shown.

Names, descriptions, labels and URIs of a registry are data. None of them may act as markup, move the cursor, hide
characters or load a picture.
"""

import codecs
import html
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import indent
from traceback import format_exception
from typing import Any, Final
from urllib.parse import urlsplit

from paiview.secret_masking import mask_text

_OTHER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_ELLIPSIS: Final = "…"
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_BLANKS: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0))))
)
_ACCENT_PILE: Final = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
"""More accents on one letter than any language writes, which would cover the lines around it."""
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]")
"""Control characters of terminals and of text direction, except tabs and line feeds."""
_NOT_IN_FILE_NAMES: Final = re.compile(r"(?:[^\w.+=@-]|\.{2,})+|^[.-]+")
_EMOJI_STYLE: Final = re.compile(r"(?<![\u203c-\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f]")
"""Variation selectors that do not follow a symbol."""
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:@&^=/])")
_WORD_JOINER: Final = "\N{WORD JOINER}"
_LATE_MARKUP: Final = re.compile(
    r"(https?://|www(?=\.)|(?<=[\w.+-])@(?=\w)|:(?=streamlit:|material_\w+:)|(?<!\S)[<>~-](?=[-=>]+(?!\S)))",
    re.IGNORECASE,
)


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises:
        ValueError: it is in another encoding; the message says which, where a mark tells.
    """
    for mark, name in _OTHER_MARKS:
        if content.startswith(mark):
            raise ValueError(f"it is in {name}; save it in UTF-8")
    return content.decode("utf-8-sig")


def one_line(text: str, limit: int = 200) -> str:
    """One line of visible characters, at most ``limit`` of them.

    White space becomes single spaces. Control, bidirectional, zero-width and other invisible characters, terminal
    escapes and lone surrogates become ``�``, and so does a text of white space only: different names must look
    different.
    """
    return _visible(_shortened(" ".join(text.split()), limit)) or (_REPLACEMENT if text else "")


def several_lines(text: str, limit: int = 4000, most: int = 40) -> str:
    """``one_line`` for each line: at most ``most`` lines and ``limit`` characters in all."""
    lines = _shortened("\n".join([one_line(line, limit) for line in text.splitlines()]), limit).split("\n")
    return "\n".join(lines if len(lines) <= most else [*lines[:most], _ELLIPSIS])


def strip_controls(text: str) -> str:
    """The text with ``�`` in place of control characters of terminals and of text direction; tabs and lines stay."""
    return _CONTROLS.sub(_REPLACEMENT, text)


def escape_toml(lines: str) -> str:
    """Lines of TOML with escapes in place of what nobody sees in their strings: they can be pasted, and hide nothing.

    A lone surrogate, which TOML cannot hold, becomes ``�``.
    """
    return "".join([char if _is_visible(char) or char == "\n" else _toml_escape(char) for char in lines])


def traceback_of(error: BaseException) -> str:
    """The traceback for a log, with secrets masked, indented so that no text in it can look like a line of the log."""
    return strip_controls(indent(mask_text("".join(format_exception(error)).rstrip()), "  "))


def unique_labels(texts: Sequence[str]) -> list[str]:
    """The texts, with a number appended to each that an earlier one equals."""
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
    """A file name of letters, digits and a few marks, so that no part changes the folder or the type of the file.

    >>> file_name("model-a", "../1.0.0", ending="csv")
    'model-a-_1.0.0.csv'
    """
    kept = [_shortened(_NOT_IN_FILE_NAMES.sub("_", part), 80).rstrip(_ELLIPSIS) for part in parts]
    return f"{'-'.join(kept)}.{ending}"


def escape_for_plotly(text: str, limit: int = 200) -> str:
    """``one_line`` for plotly's names, ticks and hover texts, which interpret some HTML.

    Not for use inside a ``hovertemplate`` or ``texttemplate``, which also interpret ``%{``: pass text or customdata.
    """
    return html.escape(one_line(text, limit), quote=False)


def shorten_front(text: str, limit: int) -> str:
    """``one_line``, shortened at the front, because long Uris differ at their ends."""
    line = one_line(text, len(text))
    return line if len(line) <= limit else _ELLIPSIS + line[len(line) - limit + 1 :]


def escape_markdown(text: str, limit: int = 200) -> str:
    """``one_line`` for Streamlit's Markdown: every mark is escaped, and bare URLs do not become links.

    URLs, icons (``:streamlit:``) and arrows (``->``) are replaced after the escapes, so an invisible word joiner breaks
    them.
    """
    return _MARKUP.sub(r"\\\1", _LATE_MARKUP.sub(rf"\1{_WORD_JOINER}", one_line(text, limit)))


def unique_names(names: Mapping[str, str]) -> dict[str, str]:
    """Names by id; a name of several ids is followed by the id.

    >>> unique_names({"d-a": "Test", "d-b": "Test", "d-c": "Dev"})
    {'d-a': 'Test (d-a)', 'd-b': 'Test (d-b)', 'd-c': 'Dev'}
    """
    counts = Counter(names.values())
    return {key: f"{name} ({key})" if counts[name] > 1 else name for key, name in names.items()}


def counted(count: int, noun: str) -> str:
    """A count and its noun, whose plural takes an s.

    >>> counted(1, "version"), counted(1556, "version")
    ('1 version', '1556 versions')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def http_url(text: object) -> str | None:
    """The URL if it is safe in a link or picture: http(s), with a host, without user, blanks or control characters."""
    if not isinstance(text, str) or not text.isprintable() or re.search(r"[\s\\]", text):
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return None
    return text if usable else None


def encodable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot hold, written as their escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_text(value: Any) -> str:
    """The value as JSON on one line, for a reader; a remark in its place if it is nested too deeply."""
    try:
        return encodable(json.dumps(value, ensure_ascii=False, default=repr))
    except (RecursionError, TypeError, ValueError) as error:
        return f"({type(value).__name__} that cannot be written as JSON: {error})"


def ascii_host(address: str) -> str:
    """The host of an ``http_url`` in ASCII, in which look-alike letters of other alphabets are visible.

    >>> ascii_host("https://аlibaba.example/x")
    'xn--libaba-2nf.example'
    """
    name = urlsplit(address).hostname or ""
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return ascii(name)[1:-1]


def escape_invisible(tree: Any) -> Any:
    """The JSON tree with invisible characters written as escapes."""
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
    text = _ACCENT_PILE.sub(lambda pile: pile[1] + ascii(pile[0][len(pile[1]) :])[1:-1], text)
    return "".join([char if _is_visible(char) or char in "\n\t" else ascii(char)[1:-1] for char in text])


def _toml_escape(char: str) -> str:
    code = ord(char)
    return _REPLACEMENT if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _is_visible(char: str) -> bool:
    return char.isprintable() and char not in _BLANKS


def _visible(line: str) -> str:
    # Nearly all texts are such, and a page writes hundreds of them.
    if line.isascii() and line.isprintable():
        return line
    line = _EMOJI_STYLE.sub(_REPLACEMENT, line)
    if not line.isascii():
        line = _ACCENT_PILE.sub(rf"\1{_REPLACEMENT}", line)
    if line.isprintable() and _BLANKS.isdisjoint(line):
        return line
    return "".join([char if _is_visible(char) else _REPLACEMENT for char in line])

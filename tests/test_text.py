"""Untrusted text: visible, and without markup."""

import html
import re
import tomllib

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from paiview.text import (
    ascii_host,
    escape_for_plotly,
    escape_invisible,
    escape_markdown,
    escape_toml,
    file_name,
    http_url,
    one_line,
    several_lines,
    shorten_front,
    strip_controls,
    traceback_of,
    unique_labels,
)

UNHURRIED = settings(deadline=None)
UNSEEN = "\N{REPLACEMENT CHARACTER}"
JOINER = "\N{WORD JOINER}"
COMMON_MARK = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
FOUND_IN_PLAIN_TEXT = (
    r"(https?://|www(?=\.))[-.\w]+",
    r"[-.\w+]+@[-\w]+(\.[-\w]+)+",
    r":material_\w+:",
    r":streamlit:",
    r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)",
)
"""What Streamlit's page looks for in the text that is left when escapes have been read."""
PIECES = [
    *"\\`*_{}[]()<>#+-.!|~$:@&^=/'\" \n\ta1错",
    "**",
    "~~",
    "$$",
    "![a](https://a.example/x.png)",
    "[a](b)",
    "https://a.example",
    "www.a.example",
    "a@b.example",
    ":red[x]",
    ":material/home:",
    ":material_home:",
    ":streamlit:",
    "<b>",
    "<!--",
    "&lt;",
    "&#60;",
    " -> ",
    " -- ",
    "- a",
    "1. a",
    "# ",
    "> ",
    "```",
    "|a|\n|-|",
    "\u202e",
    "\x1b[31m",
]
HOSTILE = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("通用语音识别 v1", "通用语音识别 v1"),
        ("naïve 🎉", "naïve 🎉"),
        ("⚠\ufe0f careful", "⚠\ufe0f careful"),
        ("  a \t\r\n\v b\u3000c\u2028d\x85e ", "a b c d e"),
        ("\x1b[31mred\x07", f"{UNSEEN}[31mred{UNSEEN}"),
        ("a\x00b\x9bc", f"a{UNSEEN}b{UNSEEN}c"),
        ("abc\u202excod.exe", f"abc{UNSEEN}xcod.exe"),
        ("\u2066a\u2069\u200e", f"{UNSEEN}a{UNSEEN}{UNSEEN}"),
        ("ad\u200bmin\ufeff\u00ad", f"ad{UNSEEN}min{UNSEEN}{UNSEEN}"),
        ("a\u2800b\u3164c\u115fd\U000e0101", f"a{UNSEEN}b{UNSEEN}c{UNSEEN}d{UNSEEN}"),
        ("cer\ufe0f", f"cer{UNSEEN}"),
        ("cer\ufe00\u180b", f"cer{UNSEEN}{UNSEEN}"),
        ("\U000e0041\ue000\ud800", UNSEEN * 3),
        ("Z" + "\u0301\u0489" * 40 + "a\u0301", f"Z\u0301\u0489\u0301\u0489{UNSEEN}a\u0301"),
    ],
)
def test_plain_text_is_one_line_of_visible_characters(text: str, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize(
    ("limit", "shown"), [(6, "abcdef"), (5, "abcd…"), (2, "a…"), (1, "…")], ids=["fits", "cut", "two", "one"]
)
def test_long_text_is_cut_at_the_end(limit: int, shown: str) -> None:
    assert one_line("abcdef", limit) == shown


@pytest.mark.parametrize(
    ("limit", "shown"), [(6, "abcdef"), (5, "…cdef"), (2, "…f"), (1, "…")], ids=["fits", "cut", "two", "one"]
)
def test_a_uri_is_cut_at_the_front(limit: int, shown: str) -> None:
    assert shorten_front("abcdef", limit) == shown


def test_a_uri_cut_at_the_front_is_plain() -> None:
    assert shorten_front("oss://b/\x1b a\u202e.wav", 8) == f"… a{UNSEEN}.wav"


@UNHURRIED
@given(HOSTILE, st.integers(1, 20))
def test_plain_text_is_printable_short_and_done_once(text: str, limit: int) -> None:
    for shown in (one_line(text, limit), shorten_front(text, limit)):
        assert shown.isprintable()
        assert len(shown) <= limit
        assert one_line(shown, limit) == shown.strip()


@UNHURRIED
@given(st.text(max_size=30))
def test_text_without_replacements_is_as_it_was_but_for_its_white_space(text: str) -> None:
    if UNSEEN not in one_line(text):
        assert one_line(text) == " ".join(text.split())


def test_a_name_of_nothing_but_white_space_is_seen() -> None:
    assert one_line(" \t") == escape_markdown(" ") == escape_for_plotly("\n") == UNSEEN
    assert one_line("") == ""


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;"),
        ('<a href="https://a.example">x</a>', '&lt;a href="https://a.example"&gt;x&lt;/a&gt;'),
        ("a<br>b", "a&lt;br&gt;b"),
        ("&lt;i&gt; & 'co'", "&amp;lt;i&amp;gt; &amp; 'co'"),
        ("R&D\x00", f"R&amp;D{UNSEEN}"),
    ],
)
def test_a_chart_gets_no_tag_and_no_entity(text: str, escaped: str) -> None:
    assert escape_for_plotly(text) == escaped


@UNHURRIED
@given(HOSTILE)
def test_a_chart_shows_exactly_the_plain_text(text: str) -> None:
    assert not set("<>") & set(escape_for_plotly(text))
    assert html.unescape(escape_for_plotly(text)) == one_line(text)


def test_a_chart_is_cut_before_it_is_escaped() -> None:
    assert escape_for_plotly("<<<<<<", 3) == "&lt;&lt;…"


def rendered(text: str) -> str:
    """The text a Markdown page shows for ``text`` once escaped; fails when anything but text stands there."""
    tokens = COMMON_MARK.parse(escape_markdown(text, 10_000))
    if not tokens:
        return ""
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    return "".join(child.content for child in children)


def assert_only_text(text: str) -> None:
    shown = rendered(text)
    assert shown.replace(JOINER, "") == one_line(text, 10_000)
    for pattern in FOUND_IN_PLAIN_TEXT:
        assert not re.search(pattern, shown, re.ASCII | re.IGNORECASE), pattern


@pytest.mark.parametrize(
    "text",
    [
        "![beacon](https://a.example/x.png)",
        "[link](https://a.example)",
        "[link][1]",
        "<img src=x onerror=alert(1)>",
        "<https://a.example>",
        "see https://a.example/?q=1 and HTTP://a.example",
        "www.a.example WWW.A.EXAMPLE",
        "mail me@a.example or m.e+x@a-b.example",
        "$x^2$ costs $$5$$",
        r"\(x\) \[y\] \\ \*",
        ":red[alarm] :blue-background[x] :small[x] :help[x]",
        ":material/delete: :material_delete:",
        ":streamlit: :smile: :+1:",
        "# head",
        "- item",
        "+ item",
        "12. item",
        "12) item",
        "> quote",
        "``` code",
        "`code`",
        "~~gone~~ ~gone~",
        "**bold** __bold__ *i* _i_",
        "***",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "title\n===",
        "&lt;b&gt; &#35; &copy;",
        "[^1] ==mark== ^up^ H~2~O {.class}",
        "a -> b <- c <-> d -- e >= f <= g ~= h",
        "->",
        "0.10.0_beta",
        "oss://bucket/dir_name/file-1.json",
    ],
)
def test_markdown_shows_every_mark_and_follows_none(text: str) -> None:
    assert_only_text(text)


@UNHURRIED
@given(HOSTILE)
def test_markdown_never_shows_anything_but_the_text(text: str) -> None:
    assert_only_text(text)


def test_markdown_leaves_harmless_text_without_joiners() -> None:
    text = "cer on test_clean (0.175 -> -1): 12:30:45Z, a--b, x>=1"
    assert escape_markdown(text).count(JOINER) == 1
    assert JOINER not in escape_markdown("通用语音识别 2021-01-21T17:12:35Z http wwwx a@ :streamlit")


@UNHURRIED
@given(st.text(max_size=20), st.integers(1, 20))
def test_markdown_is_cut_before_it_is_escaped(text: str, limit: int) -> None:
    assert re.sub(r"\\(.)", r"\1", escape_markdown(text, limit)).replace(JOINER, "") == one_line(text, limit)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "http://a.example:8080/x?y=%20#z",
        "HTTPS://A.example/图.png",
        "https://[::1]/x",
        "https://a.example/@user",
    ],
)
def test_a_web_address_is_a_link(url: str) -> None:
    assert http_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        ["https://a.example"],
        "",
        "a.example",
        "//a.example",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:image/svg+xml,<svg/>",
        "file:///etc/passwd",
        "oss://bucket/key",
        "ftp://a.example",
        "https://",
        "https:///x",
        "https:a.example",
        "https://user@a.example",
        "https://user:secret@a.example",
        "https://a.example:99999",
        "https://a.example:x",
        "https://a.example:0",
        "https://[::1",
        "https://a.example/a b",
        " https://a.example",
        "https://a.example\n",
        "https://a.example/\x00",
        "https://a.example/\u202e",
        "https://a.example\\@b.example",
    ],
)
def test_anything_else_is_no_link(url: object) -> None:
    assert http_url(url) is None


@UNHURRIED
@given(st.one_of(HOSTILE, HOSTILE.map("https://{}".format)))
def test_a_link_is_always_a_web_address_on_one_line(text: str) -> None:
    url = http_url(text)
    if url is not None:
        assert re.fullmatch(r"(?i)https?://[^@/\s\\]+(/\S*|\?\S*|#\S*)?", url)
        assert url.isprintable()


def test_a_dataset_of_blanks_is_seen_where_its_end_counts_too() -> None:
    assert [shorten_front(text, 5) for text in ("", " ", "\n", " a ", "abcdef", "abc\u202edef")] == [
        "",
        "\ufffd",
        "\ufffd",
        "a",
        "…cdef",
        "…\ufffddef",
    ]


def test_a_block_keeps_its_lines_up_to_a_bound() -> None:
    assert several_lines(" a \r\n\x1b[31mb\u202e\n\nc") == f"a\n{UNSEEN}[31mb{UNSEEN}\n\nc"
    assert several_lines("a\nb\nc\nd", most=2) == "a\nb\n…"
    assert several_lines("abcdef\ngh", limit=5) == "abcd…"


@UNHURRIED
@given(st.dictionaries(st.text(), st.text(), min_size=1))
def test_lines_of_toml_hide_no_character_and_read_as_what_was_written(table: dict[str, str]) -> None:
    lines = escape_toml(tomli_w.dumps({"metrics": table}))
    assert tomllib.loads(lines) == {"metrics": table}
    assert all(line.isprintable() for line in lines.splitlines())


def test_a_lone_surrogate_that_toml_cannot_hold_is_replaced() -> None:
    assert escape_toml('"a\t\u202e\u00a0\U000e0100\ud800"') == rf'"a\u0009\u202e\u00a0\U000e0100{UNSEEN}"'


def test_a_tamed_text_keeps_its_lines_and_gives_no_command() -> None:
    commands = "\x1b\x07\x9b\r\x00\u202e\u2066\u2028\u200f"
    assert strip_controls(f"a,\tb\n{commands}通用e\u0301") == f"a,\tb\n{UNSEEN * len(commands)}通用e\u0301"


def test_no_line_of_a_traceback_is_a_line_of_the_log() -> None:
    told = traceback_of(ValueError("bad\nERROR owned\r\u2028\x1b[2Jx"))
    assert told == f"  ValueError: bad\n  ERROR owned{UNSEEN}{UNSEEN}  {UNSEEN}[2Jx"


def test_texts_that_read_alike_are_told_apart() -> None:
    assert unique_labels(["a", "b", "a", "a (2)", "a"]) == ["a", "b", "a (3)", "a (2)", "a (4)"]


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("model-a", "1.0.0_beta"), "model-a-1.0.0_beta.csv"),
        (("../../etc/passwd",), "_etc_passwd.csv"),
        (('a"; filename="b.html', "..", "-x"), "a_filename=_b.html-_-_x.csv"),
        (("通用\u202e\r\nmodel", "<b>"), "通用_model-_b_.csv"),
        (("n" * 500, "1.0.0"), "n" * 79 + "-1.0.0.csv"),
    ],
)
def test_the_name_of_a_file_leads_nowhere_else(parts: tuple[str, ...], name: str) -> None:
    assert file_name(*parts, ending="csv") == name


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://alibaba.example:8443/x", "alibaba.example"),
        ("https://\u0430libaba.example/", "xn--libaba-2nf.example"),
        ("https://" + "\u0430" * 70 + ".example/", "\\u0430" * 70 + ".example"),
    ],
)
def test_a_host_is_told_in_ascii(address: str, shown: str) -> None:
    assert ascii_host(address) == shown


def test_every_invisible_character_of_a_tree_is_written_as_its_escape() -> None:
    assert escape_invisible("Z" + "\u0301" * 6) == "Z" + "\u0301" * 4 + "\\u0301" * 2
    tree = {"a\u202e": ["b\x1b", 1, None, "通用\nx"], "a\\u202e": {"c\u200b": True}}
    assert escape_invisible(tree) == {"a\\u202e": ["b\\x1b", 1, None, "通用\nx"], "a\\u202e (2)": {"c\\u200b": True}}

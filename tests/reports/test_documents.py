"""Reports: the same decision as HTML, Markdown, CSV and JSON, whatever strangers wrote into it."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from paiview.decisions.decision import Average, Decision, Doubt, PairDecision, RuleResult, State, Summary, Word
from paiview.decisions.doubts import direction_lines
from paiview.evaluation.metric_meaning import MetricContract, catalogue_contract
from paiview.reports import documents, plain_text
from paiview.text import one_line

JOINER = "\N{WORD JOINER}"
GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
FOUND_IN_PLAIN_TEXT = (
    r"@\w",
    r"[#!~&%]\w",
    r'[~%]"',
    r":(?!\d+:)[+\w-]+:",
    r"[a-z][a-z0-9+.-]*://",
    r"www\.",
    r"\[\[",
    r"[{\[][+-]",
    r"\bG[HL]-\d",
    r"\$\w",
)
"""What GitHub and GitLab look for in text outside of code when escapes have been read."""
HOSTILE_TEXTS = (
    "@all cc @team-a/reviewers me@a.example",
    'Closes #12, !34, GH-5, &6, $7, %8, ~bug, ~"my label"',
    "![beacon](https://a.example/x.png) [a](b) <https://a.example> www.a.example http://a.example oss://b/k",
    "<script>alert(1)</script><img src=x onerror=alert(1)><!-- -->",
    "a|b||c\\|d\\\\|e`|`",
    "`` ` ``` `",
    "**b** __b__ *i* _i_ ~~s~~ $x$ $$y$$",
    ":smile: :+1: {+ a +} [- b -] {+a+} [[wiki]] [[_TOC_]] [^1] [ ] [x]",
    "# head",
    "- item",
    "1. item",
    "12) item",
    "---",
    "===",
    "> quote",
    "&lt;b&gt; &#35; &copy;",
    "{{ 7 * 7 }} {% raw %} ${7}",
    "</script><script>alert(2)</script>",
    "=HYPERLINK(1)",
    "\x1b[31mred\u202e\x00",
    "😀 通用语音识别 é",
    "\\",
    "a\nb\r\nc",
)
PIECES = [*"\\`*_{}[]()<>#+-.!|~$:@&^=/'\"% \n\ta1错", "**", "~~", "http://", "www.", "]]", "[[", "- ", "1. ", "```"]
HOSTILE = (
    st.lists(st.one_of(st.sampled_from([*PIECES, *HOSTILE_TEXTS]), st.text(max_size=3)), min_size=1, max_size=8)
    .map("".join)
    .map(lambda text: text[:700])  # beyond 800 characters sentences are cut, each at its own place
    .filter(str.strip)
)
UNHURRIED = settings(deadline=None, max_examples=60)


def pair(dataset: str = "aishell1-test", metric: str = "cer", state: State = "better", **facts: Any) -> PairDecision:
    numbers = {"direction": "lower", "baseline": 0.0195, "candidate": 0.018, "change": -0.0015, "gain": 0.0769}
    numbers |= {"error_reduction": None, "effect": 0.0769, "reading": "value"}
    return PairDecision(dataset=dataset, metric=metric, state=state, **(numbers | facts))


def missing(dataset: str, metric: str = "cer") -> PairDecision:
    nothing = dict.fromkeys(("candidate", "change", "gain", "error_reduction", "effect", "reading"))
    return pair(dataset, metric, "missing", **nothing)


def decision(*pairs: PairDecision, word: Word = "Better", **facts: Any) -> Decision:
    counts = dict.fromkeys(("better", "worse", "same", "missing", "new", "not_comparable"), 0)
    for judged in pairs:
        counts[judged.state] += 1
    known: dict[str, Any] = {
        "model": "model-funasr",
        "candidate": "0.12.0",
        "baseline_model": "model-funasr",
        "baseline": "0.10.0",
        "baseline_reason": "newest approved by creation",
        "fetched_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "data_fingerprint": "sha256:" + "ab12" * 16,
        "policy_fingerprint": "sha256:" + "cd34" * 16,
        "pairs": pairs,
        "summary": Summary(word=word, worst=None, **counts),
        "averages": (),
        "rules": (),
        "overall": "pass",
        "metrics": tuple(catalogue_contract(metric) for metric in sorted({judged.metric for judged in pairs})),
    }
    return Decision(**(known | facts))


def average(**facts: Any) -> Average:
    numbers = {"metric": "cer", "n": 2, "macro_baseline": 0.1, "macro_candidate": 0.11, "geometric_ratio": 0.95}
    return Average(**(numbers | {"mean_gain": 0.02, "disagree": False} | facts))


def in_force(metric: str = "cer", **facts: Any) -> MetricContract:
    known = {"direction": "lower", "unit": None, "relative": 0.01, "absolute": None, "digits": None}
    return MetricContract(metric=metric, standing="known", source="catalogue", **(known | facts))


WORSE = pair("meeting", "cer", "worse", baseline=0.302, candidate=0.312, change=0.01, gain=-0.0331, effect=-0.0331)
TRADE_OFF = decision(
    WORSE,
    missing("fleurs-zh"),
    pair(),
    word="Trade-off",
    averages=(average(disagree=True, turned_by=("meeting",)),),
    rules=(
        RuleResult(rule="no_missing", result="pass", sentence="Nothing is missing."),
        RuleResult(rule="no_regression", result="fail", sentence="cer on meeting is worse."),
    ),
    overall="fail",
    metrics=(in_force(),),
)


class Page(HTMLParser):
    """The elements, attributes and visible text of an HTML report, and the content of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.code: dict[str, list[str]] = {"script": [], "style": []}
        self._within = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in self.code:
            self._within = tag
            self.code[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._within:
            self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within:
            self.code[self._within][-1] += data
        elif text := data.strip():
            self.texts.append(text)

    @property
    def outline(self) -> list[str]:
        """The elements without those that hold the id of a dataset: not every dataset needs one."""
        return [tag for tag, attributes in self.elements if tag != "br" and attributes.get("class") != "id quiet"]

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]


def texts_of(markdown: str) -> tuple[list[str], set[str]]:
    """The text outside of code, a piece a paragraph or cell, and the kinds of everything inside of them."""
    texts, kinds = [], set()
    for token in GITHUB.parse(markdown):
        kinds.add(token.type)
        children = token.children or []
        kinds |= {child.type for child in children}
        texts.append("".join(child.content for child in children if child.type != "code_inline"))
    return texts, kinds


def shown(markdown: str) -> str:
    """All that a reader sees, one piece a paragraph or cell."""
    tokens = GITHUB.parse(markdown)
    return "\n".join("".join(child.content for child in token.children or []) for token in tokens).replace(JOINER, "")


def hostile(text: str) -> Decision:
    """A decision that holds the text wherever a stranger can write."""
    worse = pair(text, text, "worse", note=text, effect=-0.5)
    return decision(
        worse,
        missing(text + "2", text),
        pair("named", text, name=text),
        model=text,
        candidate=text,
        baseline=text,
        baseline_model=text + "other",
        baseline_reason=text,
        averages=(average(metric=text, turned_by=(text,), disagree=True),),
        rules=(RuleResult(rule="bound", result="fail", sentence=text),),
        doubts=(
            Doubt(kind="unknown", sentence=text, toml=direction_lines([MetricContract(text)])),
            Doubt(kind="scale", sentence=text, toml=direction_lines([MetricContract(text)]), accepted=True),
        ),
        metrics=(in_force(text, unit=text),),
        notes=(text,),
    )


def test_markdown_begins_with_the_answer_and_the_regressions() -> None:
    assert documents.to_markdown(TRADE_OFF) == (
        "## ▲▼ Trade-off: `model-funasr` `0.12.0` against `0.10.0`\n\n"
        "**Policy: ✕ fail** · 1 better, 1 worse, 1 missing · baseline: newest approved by creation\n\n"
        "- cer: better on 1, worse on 1 (meeting −3.3 %), missing 1\n\n"
        "| state | dataset | metric | baseline | candidate | change | effect |\n"
        "| --- | --- | --- | --: | --: | --: | --: |\n"
        "| ▼ worse | `meeting` | `cer` | 0.3020 | 0.3120 | +1.00 pp | −3.3 % |\n"
        "| ○ missing | `fleurs-zh` | `cer` | 0.0195 | – | – | – |\n"
        "| ▲ better | `aishell1-test` | `cer` | 0.0195 | 0.0180 | −0.15 pp | +7.7 % |\n\n"
        "- ○ missing: fleurs-zh (cer)\n\n"
        "| average of | datasets | baseline | candidate | geometric ratio | mean gain |\n"
        "| --- | --: | --: | --: | --: | --: |\n"
        "| `cer` | 2 | 0.10000 | 0.11000 | 0.9500 | +2.0 % |\n\n"
        "- cer: the averages name different winners, so none of them is the answer.\n"
        "- cer: leaving out meeting turns the mean gain round.\n\n"
        "### Policy\n\n"
        "- ✕ fail: no_regression: cer on meeting is worse.\n"
        "- ✓ pass: no_missing: Nothing is missing.\n\n"
        "### Notes\n\n"
        "- Significance cannot be judged: no result has paired evidence, counts or a spread.\n\n"
        "Read 2026-01-02 03:04:05 UTC · data `ab12ab12ab12` · policy `cd34cd34cd34`\n"
    )


def test_markdown_without_a_baseline_says_why() -> None:
    told = decision(
        pair("a", "cer", "new", baseline=None, change=None, gain=None, effect=None, reading=None),
        word="Not comparable",
        baseline=None,
        baseline_model=None,
        baseline_reason="no baseline: no version before the candidate is approved",
        overall="undecided",
    )
    head, policy, *rest = documents.to_markdown(told).split("\n\n")
    assert head == "## ? Not comparable: `model-funasr` `0.12.0`"
    assert policy == (
        "**Policy: ? undecided** · 1 new · baseline: no baseline: no version before the candidate is approved"
    )
    assert "There is no rule." in rest
    assert "### Notes" not in rest


def test_a_reader_is_told_the_names_of_datasets_in_the_sentences_of_rules_too() -> None:
    known = pair("d-2", name="Far field")
    told = RuleResult(
        rule="no_regression", result="fail", sentence="as decided", pieces=("cer on ", "d-1", ", wer on ", "d-2", ".")
    )
    plain_rule = RuleResult(rule="shares", result="pass", sentence="2 results can be compared.")
    decided = decision(pair("d-1"), known, rules=(told, plain_rule))
    named = decided.named({"d-1": "Meeting room", "d-2": "another name"})
    assert [rule.sentence for rule in named.rules] == ["cer on Meeting room, wer on Far field.", plain_rule.sentence]
    assert [rule.sentence for rule in decided.rules] == ["as decided", plain_rule.sentence]
    assert "cer on Meeting room, wer on Far field." in documents.to_html(named)


def test_a_baseline_of_another_model_is_named_with_it() -> None:
    elsewhere = decision(pair(), baseline_model="model-whisper")
    assert "against `0.10.0` of `model-whisper`" in documents.to_markdown(elsewhere)
    assert plain_text.against(elsewhere) == "against 0.10.0 of model-whisper (newest approved by creation)"


def test_markdown_cuts_long_lists_and_says_so() -> None:
    many = [pair(f"a{place:03}", "cer", "worse", effect=-0.5) for place in range(35)]
    many += [pair(f"b{place:03}") for place in range(30)]
    lines = documents.to_markdown(decision(*many)).splitlines()
    assert sum(line.startswith(("| ▼", "| ▲")) for line in lines) == 40
    assert "… and 25 more pairs (25 better), which the HTML, CSV and JSON reports hold." in lines
    metrics = documents.to_markdown(decision(*(pair("a", f"cer{place}") for place in range(21))))
    assert "- … and 1 more metric\n" in metrics
    lost = documents.to_markdown(decision(*(missing(f"d{place:02}") for place in range(14))))
    assert "- ○ missing: d00 (cer), d01 (cer), " in lost
    assert "d11 (cer), and 2 more\n" in lost


def test_a_report_of_thousands_of_pairs_fits_a_comment() -> None:
    long = "oss://bucket/" + "x" * 600
    told = documents.to_markdown(
        decision(*(pair(f"{long}{place}", f"{long}m{place}", note=long) for place in range(1600)))
    )
    assert len(told) < 65_536


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_markdown_shows_foreign_text_as_text(text: str) -> None:
    assert_only_text(text)


@UNHURRIED
@given(HOSTILE)
def test_markdown_never_follows_foreign_text(text: str) -> None:
    assert_only_text(text)


def assert_only_text(text: str) -> None:
    markdown = documents.to_markdown(hostile(text))
    texts, kinds = texts_of(markdown)
    allowed = {"inline", "text", "text_special", "code_inline", "code_block", "softbreak"}
    blocks = r"(heading|paragraph|bullet_list|list_item|table|thead|tbody|tr|th|td|strong)_(open|close)"
    assert {kind for kind in kinds if kind not in allowed and not re.fullmatch(blocks, kind)} == set()
    for piece in texts:
        for pattern in FOUND_IN_PLAIN_TEXT:
            assert not re.search(pattern, piece, re.ASCII | re.IGNORECASE), (pattern, piece)
    heads = [token for token in GITHUB.parse(markdown) if token.type == "heading_open"]
    assert [token.tag for token in heads] == ["h2", "h3", "h3", "h3"]
    blocks_of_code = [token.content for token in GITHUB.parse(markdown) if token.type == "code_block"]
    assert blocks_of_code == [direction_lines([MetricContract(text)]) + "\n"]
    pieces = shown(markdown).split("\n")
    assert f"✕ fail: bound: {one_line(text, 800)}" in pieces
    notes = (one_line(text, 800), one_line(text, 250))  # of the decision, and of a pair, which is shorter
    assert sum(piece in notes for piece in pieces) >= 2
    tables = markdown.count("| --- | --- | --- |")
    cells = [token for token in GITHUB.parse(markdown) if token.type == "td_open"]
    assert (tables, len(cells)) == (1, 3 * 8 + 6)


def test_markdown_reads_well_before_it_is_rendered() -> None:
    told = documents.to_markdown(
        decision(pair("test_clean-1.0", "cer"), baseline_reason="newest (of 3.1), a-b = c: d/e + f")
    )
    assert "\\" not in told
    assert JOINER not in told


def test_html_needs_nothing_else() -> None:
    page = Page(documents.to_html(TRADE_OFF))
    assert {name for name, _ in page.elements}.isdisjoint({"link", "img", "iframe", "base", "object", "embed", "form"})
    for tag, attributes in page.elements:
        assert {"src", "href", "srcset", "action"}.isdisjoint(attributes), tag
        assert not any(name.startswith("on") for name in attributes), tag
    policy = next(meta["content"] for meta in page.tags("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert page.code["script"] == []
    assert "http" not in policy
    assert not any(re.search(r"url\(|@import", style) for style in page.code["style"])


def test_html_draws_each_pair_and_is_small() -> None:
    text = documents.to_html(TRADE_OFF)
    page = Page(text)
    marks = [attributes["class"] for attributes in page.tags("i") if "delta-mark" in (attributes["class"] or "")]
    assert marks == [
        "delta-mark delta-worse delta-down",
        "delta-mark delta-missing delta-ring",
        "delta-mark delta-better delta-up",
    ]
    for expected in ("−3.3 %", "▼ 0.3020 → 0.3120", "↓ lower is better, tolerance 1 %"):
        assert expected in page.texts
    assert len(text.encode()) < 30_000
    many = (pair(f"d-{place:03}", "cer", ("worse", "better")[place % 2]) for place in range(200))
    told = documents.to_html(decision(*many))
    assert len(told.encode()) < 100_000
    assert "In the table alone: 60 worse, 100 better." in " ".join(Page(told).texts)


def test_html_says_which_effects_are_beyond_the_scale() -> None:
    pairs = [pair(f"d-{place}", effect=0.01 * (place + 1)) for place in range(5)]
    page = Page(documents.to_html(decision(*pairs, pair("far", effect=5.0))))
    assert any("1 effect beyond the scale" in text for text in page.texts)


def test_html_tells_all_of_it() -> None:
    page = Page(documents.to_html(TRADE_OFF))
    for told in (
        "▲▼ Trade-off",
        "Policy: ✕ fail",
        "against 0.10.0 (newest approved by creation)",
        "cer: better on 1, worse on 1 (meeting −3.3\N{NO-BREAK SPACE}%), missing 1",
        "1 better, 1 worse, 1 missing",
        "○ missing: fleurs-zh (cer)",
        "cer: the averages name different winners, so none of them is the answer.",
        "cer: leaving out meeting turns the mean gain round.",
        "cer on meeting is worse.",
        "Significance cannot be judged: no result has paired evidence, counts or a spread.",
        "2026-01-02 03:04:05 UTC",
        "sha256:" + "ab12" * 16,
        "sha256:" + "cd34" * 16,
    ):
        assert told in page.texts
    row = page.texts.index("▼ worse")
    assert page.texts[row : row + 7] == ["▼ worse", "meeting", "cer", "0.3020", "0.3120", "+1.00 pp", "−3.3 %"]
    assert page.texts.index("meeting") < page.texts.index("aishell1-test")


def test_html_is_the_same_each_time() -> None:
    assert documents.to_html(TRADE_OFF) == documents.to_html(TRADE_OFF)


def test_html_without_pairs_has_no_picture() -> None:
    page = Page(documents.to_html(decision(word="Not comparable", overall="undecided")))
    assert not [tag for tag in page.tags("div") if tag.get("class") == "delta-plot"]
    assert "Neither version has a result." in page.texts
    assert "There is no rule." in page.texts


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_html_shows_foreign_text_as_text(text: str) -> None:
    page, calm = (Page(documents.to_html(hostile(given))) for given in (text, "harmless"))
    assert page.outline == calm.outline
    assert page.code["script"] == []
    assert one_line(text, 800) in page.texts


def test_html_tells_a_long_dataset_whole() -> None:
    uri = "oss://bucket/" + "long/" * 40 + "test.jsonl"
    page = Page(documents.to_html(decision(pair(uri), pair("id-1", name="Meeting"))))
    assert uri in page.texts
    in_table = page.texts[page.texts.index("Every pair") :]
    assert in_table[in_table.index("Meeting") + 1] == "id-1"


def test_csv_neutralises_formulas_and_keeps_numbers() -> None:
    content = documents.to_csv(
        decision(
            pair("=cmd|' /C calc'!A0", "@sum", note="-1+1", interval=(-0.01, 0.02), uncertain=True),
            missing("+a"),
            candidate="=1+1",
        )
    )
    assert content.startswith(b"\xef\xbb\xbf")
    first, second = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert (first["dataset"], first["metric"], first["note"]) == ("'=cmd|' /C calc'!A0", "'@sum", "'-1+1")
    assert (first["candidate_version"], first["baseline_version"]) == ("'=1+1", "0.10.0")
    assert (first["change"], first["gain"], first["state"]) == ("-0.0015", "0.0769", "better")
    assert (first["interval_low"], first["interval_high"], first["uncertain"]) == ("-0.01", "0.02", "True")
    assert (second["dataset"], second["candidate"], second["effect"]) == ("'+a", "", "")
    assert '"better"' in content.decode("utf-8-sig")
    assert ",-0.0015," in content.decode("utf-8-sig")


def test_csv_has_the_same_header_without_pairs() -> None:
    header = documents.to_csv(TRADE_OFF).splitlines()[0]
    assert documents.to_csv(decision()).splitlines() == [header]


@UNHURRIED
@given(HOSTILE)
def test_json_is_the_decision(text: str) -> None:
    told = documents.to_json(hostile(text))
    assert told.isascii()
    assert Decision.model_validate_json(told) == hostile(text)
    assert json.loads(told)["pairs"][0]["effect"] == -0.5


def test_the_decimals_of_a_metric_are_those_of_its_contract() -> None:
    rows = plain_text.rows(decision(pair(), pair("b", "wer", baseline=0.25), metrics=(in_force(digits=2),)))
    assert [(row.baseline, row.candidate, row.change) for row in rows] == [
        ("0.02", "0.02", "0 pp"),
        ("0.250", "0.018", "−0.1 pp"),
    ]


def test_a_unit_stands_behind_the_change() -> None:
    slower = pair("a", "latency", "worse", baseline=10.0, candidate=12.5, change=2.5, gain=-0.25, effect=-0.25)
    (row,) = plain_text.rows(decision(slower, metrics=(in_force("latency", unit="ms"),)))
    assert (row.baseline, row.candidate, row.change, row.effect) == ("10.0", "12.5", "+2.5 ms", "−25.0 %")


def test_a_reading_as_errors_is_told() -> None:
    facts: dict[str, Any] = {"direction": "higher", "baseline": 0.98, "candidate": 0.99, "change": 0.01, "gain": 0.0102}
    (row,) = plain_text.rows(decision(pair("a", "acc", **facts, error_reduction=0.5, effect=0.5, reading="error")))
    assert row.effect == "+50.0 % (errors)"


@pytest.mark.parametrize(("reading", "told"), [("value", "from 0"), ("error", "from no errors")])
def test_what_has_no_ratio_says_what_it_came_from(reading: str, told: str) -> None:
    (row,) = plain_text.rows(decision(pair(baseline=0.0, gain=None, effect=None, reading=reading, note=told)))
    assert (row.effect, row.note) == ("–", told)


def test_what_is_uncertain_says_so_and_that_the_interval_is_rough() -> None:
    judged = decision(pair(interval=(-0.01, 0.02), uncertain=True), pair("b", interval=(0.01, 0.02), uncertain=False))
    assert [row.note for row in plain_text.rows(judged)] == ["uncertain: the interval of the change holds 0", ""]
    (told,) = plain_text.cautions(judged)
    rough = "rough: ignores that both ran on the same items and that errors cluster"
    assert told == f"Intervals ({rough}) inform, and change no state."


UNSURE = Doubt(kind="unknown", sentence="Nobody knows.", toml='[metrics."a|b"]\ndirection = "lower"')
SETTLED = Doubt(kind="order", sentence="Accepted by the policy.", toml="[policy_defaults]", accepted=True)


def test_markdown_says_what_keeps_it_open_with_the_lines_that_settle_it() -> None:
    markdown = documents.to_markdown(decision(pair(), doubts=(SETTLED, UNSURE), overall="undecided"))
    assert (
        "### What keeps it open\n\n- Nobody knows.\n\n"
        '      [metrics."a|b"]\n      direction = "lower"\n\n- Accepted by the policy.\n'
    ) in markdown
    assert "### What keeps it open" not in documents.to_markdown(decision(pair()))


def test_html_says_what_keeps_it_open_with_the_lines_that_settle_it() -> None:
    page = Page(documents.to_html(decision(pair(), doubts=(SETTLED, UNSURE), overall="undecided")))
    at = page.texts.index("What keeps it open")
    assert page.texts[at : at + 4] == ["What keeps it open", "Nobody knows.", UNSURE.toml, "Accepted by the policy."]
    assert "What keeps it open" not in Page(documents.to_html(decision(pair()))).texts


@pytest.mark.parametrize(("assumed", "word"), [(True, "▲ Better (assumed)"), (False, "▲ Better")])
def test_a_word_that_rests_on_an_assumption_says_so(assumed: bool, word: str) -> None:
    plain = decision(pair(standing="assumed" if assumed else "known"))
    told = plain.model_copy(update={"summary": plain.summary.model_copy(update={"assumed": assumed})})
    assert documents.to_markdown(told).startswith(f"## {word}: `model-funasr`")
    texts = Page(documents.to_html(told)).texts
    assert word in texts
    assert f"{word[2:]}: model-funasr 0.12.0" in texts


@pytest.mark.parametrize(
    ("meaning", "text"),
    [
        (in_force(), "lower is better"),
        (in_force("x", direction="higher"), "higher is better"),
        (in_force("x", direction="zero"), "nearer to 0 is better"),
        (in_force("x", direction="target", target=1.5), "nearer to 1.5 is better"),
        (MetricContract("x", "lower", standing="assumed"), "assumed: lower is better"),
        (MetricContract("x"), "direction unknown"),
        (MetricContract("x", standing="not_a_score"), "not a score"),
        (MetricContract("x", "lower", ignore=True, standing="not_a_score"), "ignored"),
    ],
)
def test_what_a_metric_means_in_words(meaning: MetricContract, text: str) -> None:
    assert plain_text.meaning_text(meaning) == text


def test_several_datasets_that_each_turn_the_mean_are_named() -> None:
    turned = average(turned_by=("aishell1-test", "meeting"))
    assert plain_text.average_remarks(decision(pair(), WORSE, averages=(turned,))) == [
        "cer: leaving out any one of aishell1-test, meeting turns the mean gain round."
    ]


def test_an_undefined_average_is_blank() -> None:
    undefined = average(macro_baseline=None, geometric_ratio=None, mean_gain=None)
    rows = plain_text.average_rows(decision(pair(), averages=(undefined,)))
    assert rows == [plain_text.AverageRow("cer", "2", "–", "0.11000", "–", "–")]

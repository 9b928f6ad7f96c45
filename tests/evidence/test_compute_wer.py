"""The output of compute-wer: that of WeNet, of the package of that name, and of FunASR."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.evidence.item_records import ItemsError
from paiview.evidence.items import Items, read_items, read_texts

WENET = """
utt: BAC009S0764W0121
WER: 4.76 % N=21 C=20 S=1 D=0 I=0
lab: 甚 至 出 现 交 易 几 乎 停 滞 的 情 况 A  LONG \n\
rec: 甚 至 出 线 交 易 几 乎 停 滞 的 情 况 A  LONG \n\

utt: BAC009S0764W0122
WER: 300.00 % N=1 C=0 S=1 D=0 I=2
lab: 好       \n\
rec: HALLO A B \n\

utt: silent
WER: 0.00 % N=0 C=0 S=0 D=0 I=0
===========================================================================

Overall -> 18.18 % N=22 C=20 S=2 D=0 I=2
Mandarin -> 18.18 % N=22 C=20 S=2 D=0 I=2
===========================================================================
"""
WENET_VERBOSE = """
utt: a
WER: 50.00 % N=4 C=2 S=1 D=1 I=0
lab(b'a'): 一 二 \n\
rec(b'a'): 一 三 \n\

lab(b'a'): 四 五 \n\
rec(b'a'): 四    \n\

"""
PACKAGE = """utt: a
WER: 66.67 % N=3 Cor=2 Sub=0 Del=1 Ins=1
ref: one   two three
hyp: one a two

===========================================================================
Overall -> 66.67 % N=3 Cor=2 Sub=0 Del=1 Ins=1
SER -> 100.00 % N=1 Cor=0 Err=1
"""
FUNASR = """BAC009S0764W0121(nwords=4,cor=3,ins=0,del=0,sub=1) corr:75.00%,cer:25.00%
ref:\t甚 至 出 现
hyp:\t甚 至 出 线
id(with)brackets(nwords=2,cor=1,ins=1,del=1,sub=0) corr:50.00%,cer:100.00%
ref:\tref: hyp
hyp:\t

%WER 50.0 [ 3 / 6, 1 ins, 1 del, 1 sub ]
%SER 100.0 [ 2 / 2 ]
Scored 2 sentences, 0 not present in hyp.
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "wer.txt"


def read(file: Path, content: str) -> Items:
    file.write_text(content, encoding="utf-8")
    return read_items(file)


def problem(file: Path, content: str) -> str:
    with pytest.raises(ItemsError) as caught:
        read(file, content)
    return caught.value.message.removeprefix(f"{file}, ")


def test_wenet_gives_errors_words_and_texts(file: Path) -> None:
    items = read(file, WENET)
    assert (items.kind, items.metric, items.groups) == ("errors", "wer", None)
    assert items.ids == ("BAC009S0764W0121", "BAC009S0764W0122", "silent")
    assert (items.amounts.tolist(), items.sizes.tolist()) == ([1, 3, 0], [21, 1, 0])
    assert read_texts(file, {"BAC009S0764W0122", "silent"}) == {
        "BAC009S0764W0122": ("好", "HALLO A B"),
        "silent": ("", ""),
    }


def test_wenet_in_several_lines_with_ids_is_joined(file: Path) -> None:
    items = read(file, WENET_VERBOSE)
    assert (items.amounts.tolist(), items.sizes.tolist()) == ([2], [4])
    assert read_texts(file, {"a"}) == {"a": ("一 二 四 五", "一 三 四")}


def test_the_package_compute_wer_is_read_likewise(file: Path) -> None:
    items = read(file, PACKAGE)
    assert (items.ids, items.amounts.tolist(), items.sizes.tolist()) == (("a",), [2], [3])
    assert read_texts(file, {"a"}) == {"a": ("one two three", "one a two")}


def test_funasr_gives_errors_words_and_texts(file: Path) -> None:
    items = read(file, FUNASR)
    assert (items.metric, items.ids) == ("cer", ("BAC009S0764W0121", "id(with)brackets"))
    assert (items.amounts.tolist(), items.sizes.tolist()) == ([1, 2], [4, 2])
    assert read_texts(file, {*items.ids}) == {
        "BAC009S0764W0121": ("甚 至 出 现", "甚 至 出 线"),
        "id(with)brackets": ("ref: hyp", ""),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("utt: a\nutt: b\n", "line 1: no line with the counts of a follows."),
        ("utt: a\nWER: 1 % N=2 C=2 S=0 D=0 I=0\nutt: b\n", "line 3: no line with the counts of b follows."),
        ("utt: \nWER: 1 % N=2 C=2 S=0 D=0 I=0\n", "line 1: the utterance has no id."),
        ("utt: a\nWER: 1 % N=2 C=2 S=0 D=0\n", "line 2: the count I is missing."),
        ("utt: a\nWER: 1 % N=2 C=2 S=0 D=0 I=-1\n", "line 2: the count I is “-1”."),
        ("utt: a\nWER: 1 % N=2 C=2 S=0 D=0 I=²\n", "line 2: the count I is “²”."),
        (
            "utt: a\nWER: 1 % N=3 C=2 S=0 D=0 I=0\n",
            "line 2: 3 words are not 2 correct, 0 substituted and 0 deleted ones.",
        ),
        ("utt: a\nhello\n", "line 2: compute-wer writes no such line: “hello”."),
        ("a(nwords=1,cor=1,ins=0,del=0,sub=0)\nhello\n", "line 2: compute-wer writes no such line: “hello”."),
        ("a(nwords=1,cor=1,ins=0,del=0)\n", "line 1: the count sub is missing."),
        (
            "a(nwords=1,cor=0,ins=0,del=0,sub=0)\n",
            "line 1: 1 words are not 0 correct, 0 substituted and 0 deleted ones.",
        ),
        ("(nwords=1,cor=1,ins=0,del=0,sub=0)\n", "line 1: the utterance has no id."),
    ],
)
def test_an_error_names_the_line(file: Path, content: str, message: str) -> None:
    assert problem(file, content) == message


def test_texts_without_end_are_refused(file: Path) -> None:
    lines = f"lab: {'x' * 600_000}\n" * 2
    assert problem(file, f"utt: a\nWER: 0 % N=0 C=0 S=0 D=0 I=0\n{lines}") == (
        "line 1: the texts of a are longer than 1,000,000 characters."
    )


def test_a_column_of_groups_is_refused_with_what_to_do(file: Path) -> None:
    file.write_text(WENET, encoding="utf-8")
    with pytest.raises(ItemsError, match="has no columns: give the groups with --groups FILE"):
        read_items(file, group="speaker")


WORDS = st.text(st.characters(categories=("L", "N", "S")), min_size=1, max_size=5)
COUNTS = st.tuples(*[st.integers(0, 10**6)] * 4)


@given(utterances=st.dictionaries(WORDS, st.tuples(COUNTS, st.lists(WORDS), st.lists(WORDS)), min_size=1))
def test_what_either_program_writes_is_read_back(
    utterances: dict[str, tuple[tuple[int, int, int, int], list[str], list[str]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    wenet, funasr = "", ""
    for name, ((c, s, d, i), reference, hypothesis) in utterances.items():
        wenet += f"\nutt: {name}\nWER: 1.00 % N={c + s + d} C={c} S={s} D={d} I={i}\n"
        wenet += f"lab: {' '.join(reference)} \nrec: {' '.join(hypothesis)} \n\n"
        funasr += f"{name}(nwords={c + s + d},cor={c},ins={i},del={d},sub={s}) corr:1.00%,cer:1.00%\n"
        funasr += f"ref:\t{' '.join(reference)}\nhyp:\t{' '.join(hypothesis)}\n"
    file = tmp_path_factory.mktemp("wer") / "wer.txt"
    for content in (f"{wenet}{'=' * 75}\n\nOverall -> 1 %", f"{funasr}\n%WER 1.0 [ 1 / 1, 1 ins, 0 del, 0 sub ]\n"):
        items = read(file, content)
        expected = [(name, s + d + i, c + s + d) for name, ((c, s, d, i), _, _) in utterances.items()]
        assert [*zip(items.ids, items.amounts, items.sizes, strict=True)] == expected
        texts = {name: (" ".join(ref), " ".join(hyp)) for name, (_, ref, hyp) in utterances.items()}
        assert read_texts(file, texts) == texts

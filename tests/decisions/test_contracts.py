"""What paiview.toml says about metrics, datasets and the policy; what is wrong is one sentence with its line."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview import toml_file
from paiview.decisions import contracts
from paiview.decisions.contracts import Contracts
from paiview.decisions.policy import DEFAULT_POLICY, Bound, Improves, NoMissing, NoRegression
from paiview.evaluation.metric_meaning import DatasetContract, MetricContract, contract
from paiview.pai.errors import SettingError


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "paiview.toml") -> Path:
    file = Path(name)
    file.write_bytes(text.encode())
    return file


def refusal(text: str) -> str:
    with pytest.raises(SettingError) as caught:
        contracts.load(write(text))
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value.message.removeprefix("paiview.toml, ")


FULL = """
page_size = 20

[metrics.cer]
digits = 4

[metrics."real time factor"]
direction = "lower"
unit = "ms"
absolute = 5

[metrics.mos]
relative = 0.02
absolute = 0.1

[datasets."oss://b/aishell 1"]
alias_of = "d-1"
n = {wer = 7}

[datasets.d-1]
name = "AISHELL"
n = {cer = 104765}

[[policy]]
rule = "no_regression"
relative = 0.005

[[policy]]
rule = "bound"
metric = "cer"
max = 1
"""


def test_a_file_says_what_metrics_datasets_and_the_policy_are() -> None:
    found = contracts.load(write(FULL))
    assert found.metrics == {
        "cer": MetricContract("cer", None, None, 0.01, None, 4, "none"),
        "real time factor": MetricContract("real time factor", "lower", "ms", 0.0, 5.0, None, "configuration"),
        "mos": MetricContract("mos", None, None, 0.02, 0.1, None, "none"),
    }
    assert contract("cer", found.metrics) == MetricContract("cer", "lower", None, 0.01, None, 4, "built-in")
    assert found.datasets == {
        "oss://b/aishell 1": DatasetContract("d-1", None, {"wer": 7}),
        "d-1": DatasetContract(None, "AISHELL", {"cer": 104765, "wer": 7}),
    }
    assert found.aliases == {"oss://b/aishell 1": "d-1"}
    assert found.rules == (NoRegression(relative=0.005), Bound(metric="cer", max=1.0))


def test_without_a_file_or_tables_the_defaults_hold() -> None:
    assert contracts.load(Path("nowhere.toml")) == Contracts() == Contracts({}, {}, DEFAULT_POLICY)
    assert contracts.load(write("page_size = 20")) == Contracts()
    assert contracts.load(write("[metrics]\n[datasets]")) == Contracts()
    assert Contracts().aliases == {}


def test_an_alias_may_name_a_dataset_the_file_says_nothing_else_about() -> None:
    found = contracts.load(write('[datasets.a]\nalias_of = "b"\n[datasets.c]\nalias_of = "b"\nn = {cer = 5}'))
    assert found.aliases == {"a": "b", "c": "b"}
    assert found.datasets["b"] == DatasetContract(n={"cer": 5})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # unknown keys and tables
        ("\n[metric.cer]", "line 2: metric is not known here, only metrics, datasets, policy."),
        ("[[rules]]", "line 1: rules is not known here, only metrics, datasets, policy."),
        (
            '[metrics.cer]\ndirection = "lower"\ndirecton = "lower"',
            "line 3: [metrics.cer] has no key directon, only direction, unit, relative, absolute, digits.",
        ),
        ("metrics.cer.tolerance = 1", "line 1: [metrics.cer] has no key tolerance, only "),
        ('[datasets."a b"]\nalias = "c"', 'line 2: [datasets."a b"] has no key alias, only alias_of, name, n.'),
        (
            '[[policy]]\nrule = "no_missing"\n\n[[policy]]\nrule = "bound"\nmaximum = 1\nmetric = "cer"\nmax = 1',
            "line 6: [[policy]] rule 2 has no key maximum, only metric, strict, dataset, rule, min, max.",
        ),
        ('[[policy]]\nrule = "described"\nkeys = ["a"]', "line 3: [[policy]] rule 1 has no key keys, only rule."),
        # unknown rules
        (
            '[[policy]]\n# why\nrule = "no_regresion"',
            "line 3: [[policy]] rule 1 needs the key rule, one of no_regression, no_missing, bound, improves, ",
        ),
        ('[[policy]]\nmetric = "cer"', "line 1: [[policy]] rule 1 needs the key rule, one of no_regression, "),
        # unknown metrics
        (
            '[[policy]]\nrule = "no_regression"\nmetric = "speed"',
            "line 3: [[policy]] rule 1 needs to know which way is better for speed: set direction in [metrics.speed].",
        ),
        (
            '[metrics.speed]\nunit = "ms"\n[[policy]]\nrule = "improves"\nmetric = "speed"\nat_least = 0',
            "line 5: [[policy]] rule 1 needs to know which way is better for speed: ",
        ),
        # unusable patterns
        (
            '[[policy]]\nrule = "no_missing"\ndataset = ""',
            "line 3: [[policy]] rule 1 dataset must not be empty: * matches everything.",
        ),
        (
            '[[policy]]\nrule = "no_missing"\nmetric = "top[1"',
            "line 3: [[policy]] rule 1 metric has a [ that is never closed: write [[] for the character itself.",
        ),
        # values
        (
            '[metrics.cer]\ndirection = "down"',
            "line 2: [metrics.cer]: direction is not usable: input should be 'lower' or 'higher'.",
        ),
        ("[metrics.cer]\ndigits = 13", "line 2: [metrics.cer]: digits is not usable: input should be less than or "),
        ("[metrics.cer]\ndigits = -1", "line 2: [metrics.cer]: digits is not usable: input should be greater than "),
        ("[metrics.cer]\ndigits = 1.0", "line 2: [metrics.cer]: digits is not usable: input should be a valid integer"),
        ("[metrics.cer]\nrelative = -0.01", "line 2: [metrics.cer]: relative is not usable: input should be greater "),
        ("[metrics.cer]\nrelative = inf", "line 2: [metrics.cer]: relative is not usable: input should be a finite "),
        ("[metrics.cer]\nabsolute = nan", "line 2: [metrics.cer]: absolute is not usable: input should be a finite "),
        ('[metrics.cer]\nabsolute = "1"', "line 2: [metrics.cer]: absolute is not usable: input should be a valid "),
        ("[metrics.cer]\nabsolute = true", "line 2: [metrics.cer]: absolute is not usable: input should be a valid "),
        ('[metrics.cer]\nunit = ""', "line 2: [metrics.cer]: unit is not usable: string should have at least 1 "),
        ("[datasets.a]\nn = {cer = 0}", "line 2: [datasets.a]: n.cer is not usable: input should be greater than "),
        ("[datasets.a]\nn = {cer = 1.5}", "line 2: [datasets.a]: n.cer is not usable: input should be a valid "),
        ("[datasets.a.n]\nx = 1\ncer = true", "line 3: [datasets.a]: n.cer is not usable: input should be a valid "),
        ("[datasets.a]\nn = 5", "line 2: [datasets.a]: n is not usable: input should be a valid dictionary."),
        ('[[policy]]\nrule = "shares"', "line 1: [[policy]] rule 1 needs the key at_least."),
        ('[[policy]]\nrule = "shares"\nat_least = -1', "line 3: [[policy]] rule 1: at_least is not usable: input "),
        ('[[policy]]\nrule = "labelled"\nkeys = []', "line 3: [[policy]] rule 1: keys is not usable: "),
        ('[[policy]]\nrule = "labelled"\nkeys = ["a", 5]', "line 3: [[policy]] rule 1: keys.1 is not usable: "),
        # shapes
        ("metrics = 5", "line 1: metrics must be given as [metrics.NAME] tables."),
        ("[metrics]\ncer = 5", "line 2: [metrics.cer] must be a table."),
        ('[[metrics]]\nname = "cer"', "line 1: metrics must be given as [metrics.NAME] tables."),
        ('[policy]\nrule = "described"', "line 1: policy must be given as [[policy]] tables."),
        ('policy = ["described"]', "line 1: [[policy]] rule 1 must be a table."),
        # contradictions
        ('[datasets.a]\nalias_of = "a"', "line 2: [datasets.a] is an alias of itself."),
        (
            '[datasets.a]\nalias_of = "b"\n[datasets.b]\nalias_of = "c"\n[datasets.c]',
            "line 2: [datasets.a] is an alias of an alias: write alias_of = c, where it ends.",
        ),
        (
            '[datasets.a]\nalias_of = "b"\n[datasets.b]\nalias_of = "a"',
            "line 2: the aliases go in a circle: a → b → a.",
        ),
        (
            '[datasets.x]\nalias_of = "b"\n[datasets.b]\nalias_of = "c"\n[datasets.c]\nalias_of = "b"',
            "line 2: the aliases go in a circle: x → b → c → b.",
        ),
        (
            '[datasets.a]\nname = "A"\nalias_of = "b"',
            "line 2: [datasets.a] is an alias, and its name is never shown: give the name to [datasets.b].",
        ),
        (
            '[datasets.b]\nn = {cer = 5}\n[datasets.a]\nalias_of = "b"\nn = {wer = 1, cer = 6}',
            "line 5: [datasets.a] says n of cer is 6, and [datasets.b] says 5, though they are one dataset.",
        ),
        (
            '[datasets.a]\nalias_of = "b"\nn = {cer = 6}\n[datasets.c]\nalias_of = "b"\nn.cer = 5',
            "line 6: [datasets.c] says n of cer is 5, and [datasets.a] says 6, though they are one dataset.",
        ),
        (
            '[[policy]]\nrule = "bound"\nmetric = "cer"\nmin = 2\nmax = 1.5',
            "line 1: [[policy]] rule 1 has min 2 above max 1.5: every number is out of bounds.",
        ),
        (
            '[[policy]]\nrule = "bound"\nmetric = "cer"',
            "line 1: [[policy]] rule 1 needs min or max: without both nothing is out of bounds.",
        ),
        (
            '[[policy]]\nrule = "shares"\nat_least = 1\n[[policy]]\nat_least = 1\nrule = "shares"',
            "line 4: [[policy]] rule 2 says the same as [[policy]] rule 1.",
        ),
        # of several wrong things the first
        ("[datasets.a]\nx = 1\n[metrics.a]\nx = 1", "line 2: [datasets.a] has no key x"),
        ('[metrics.a]\nrelative = -1\nx = 1\n[[policy]]\nrule = "x"', "line 2: [metrics.a]: relative is not usable"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_line(text: str, told: str) -> None:
    assert refusal(text).startswith(told)


def test_what_is_no_toml_keeps_the_line_of_the_parser() -> None:
    told = "paiview.toml is not valid TOML: Invalid value (at line 2, column 10)."
    assert refusal("[metrics.cer]\ndigits = \n") == told
    assert "Cannot overwrite" in refusal("[metrics.cer]\ndigits = 1\ndigits = 2")
    assert refusal(f"a = {'[' * 9000}").startswith("paiview.toml is not valid TOML: ")


def test_a_metric_named_by_a_pattern_or_for_a_bound_needs_no_direction() -> None:
    rules = ["no_regression", "no_missing"]
    text = "".join(f'[[policy]]\nrule = "{rule}"\nmetric = "spee?"\n' for rule in rules)
    text += '[[policy]]\nrule = "bound"\nmetric = "speed"\nmin = 1\n[[policy]]\nrule = "no_missing"\nmetric = "speed"'
    assert len(contracts.load(write(text)).rules) == 4
    known = '[metrics.speed]\ndirection = "higher"\n[[policy]]\nrule = "improves"\nmetric = "speed"\nat_least = 0.1'
    assert contracts.load(write(known)).rules == (Improves(metric="speed", at_least=0.1),)


def test_foreign_names_are_plain_in_the_sentence() -> None:
    assert refusal('[metrics."\\u001b[31m\\n"]\nx = 1').startswith('line 2: [metrics."�[31m"] has no key x')
    assert refusal("[metrics.'\"']\nx = 1").startswith('line 2: [metrics."\\""] has no key x')


def test_a_policy_of_its_own_file_is_read_with_the_contracts_it_is_used_with() -> None:
    text = '[[policy]]\nrule = "improves"\nmetric = "speed"\nat_least = 0'
    policy = write(text, "policy.toml")
    with pytest.raises(SettingError, match=r"^policy\.toml, line 3: \[\[policy\]\] rule 1 needs to know which way"):
        contracts.load_policy(policy, Contracts())
    speed = MetricContract("speed", "higher")
    assert contracts.load_policy(policy, Contracts({"speed": speed})) == (Improves(metric="speed", at_least=0.0),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "policy.toml, line 1: policy must be given as [[policy]] tables."),
        ("policy = []", "policy.toml, line 1: policy must be given as [[policy]] tables."),
        (
            '[[policy]]\nrule = "described"\n[metrics.cer]',
            "policy.toml, line 3: metrics is not known here, only policy.",
        ),
        ('a = 1\n[[policy]]\nrule = "described"', "policy.toml, line 1: a is not known here, only policy."),
        ("[[policy", "policy.toml is not valid TOML: "),
    ],
)
def test_a_policy_file_holds_rules_alone(text: str, told: str) -> None:
    with pytest.raises(SettingError) as caught:
        contracts.load_policy(write(text, "policy.toml"), Contracts())
    assert caught.value.message.startswith(told)


def test_a_policy_file_that_is_missing_is_an_error() -> None:
    with pytest.raises(SettingError, match=r"^The policy nowhere\.toml is not a file\.$"):
        contracts.load_policy(Path("nowhere.toml"), Contracts())


def test_a_file_that_cannot_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    file = write(FULL)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SettingError, match=r"^paiview\.toml cannot be read: Permission denied\.$"):
        contracts.load(file)


def test_what_is_in_force_follows_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert contracts.in_force() == Contracts()
    write("[metrics.cer]\ndigits = 1")
    first = contracts.in_force()
    assert first.metrics["cer"].digits == 1
    assert contracts.in_force() is first
    write("[metrics.cer]\ndigits = 2")
    assert contracts.in_force().metrics["cer"].digits == 2
    write("[metrics.cer]\ndigit = 2")
    with pytest.raises(SettingError, match="line 2"):
        contracts.in_force()
    monkeypatch.setenv("PAIVIEW_CONFIG", str(write("[metrics.cer]\ndigits = 3", "other.toml")))
    assert contracts.in_force().metrics["cer"].digits == 3
    Path("other.toml").unlink()
    with pytest.raises(SettingError, match=r"^PAIVIEW_CONFIG names other\.toml, which is not a file\.$"):
        contracts.in_force()


def test_a_choice_on_the_page_replaces_one_metric() -> None:
    before = Contracts({"cer": MetricContract("cer", digits=4), "wer": MetricContract("wer")}, {}, (NoMissing(),))
    chosen = MetricContract("cer", "lower", relative=0.5, source="page")
    after = contracts.with_metric(before, chosen)
    assert after.metrics == {"cer": chosen, "wer": MetricContract("wer")}
    assert (after.datasets, after.rules) == (before.datasets, before.rules)
    assert before.metrics["cer"].digits == 4


def test_the_fingerprint_is_of_what_decides() -> None:
    base = contracts.load(write(FULL))
    assert base.fingerprint.startswith("sha256:")
    assert len(base.fingerprint) == 7 + 64
    same = contracts.load(write(f"# another comment\n{FULL.replace('page_size = 20', '')}"))
    assert same.fingerprint == base.fingerprint
    for before, after in [
        ("digits = 4", "digits = 5"),
        ('"lower"', '"higher"'),
        ('"ms"', '"s"'),
        ("absolute = 5", "absolute = 6"),
        ("relative = 0.02", "relative = 0.03"),
        ('"d-1"', '"d-2"'),
        ("AISHELL", "Aishell"),
        ("104765", "104766"),
        ("max = 1", "max = 2"),
        ("max = 1", "min = 1"),
        ('[[policy]]\nrule = "no_regression"\nrelative = 0.005', ""),
    ]:
        assert before in FULL
        assert contracts.load(write(FULL.replace(before, after))).fingerprint != base.fingerprint, before
    known = Contracts({"a": MetricContract("a", "lower"), "b": MetricContract("b")})
    turned = Contracts({"b": MetricContract("b"), "a": MetricContract("a", "lower", source="page")})
    assert known.fingerprint == turned.fingerprint
    assert Contracts().fingerprint == Contracts().fingerprint != known.fingerprint


NAMES = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["cer", "a.b", '"', "'", "[x]", "=", "#", "\x00", "\x7f", "\r\n", "中文", " ", "", "\\u0041", '"""']
)
TOLERANCES = st.floats(0, allow_infinity=False, allow_nan=False)
CONTRACTS = st.builds(
    MetricContract,
    NAMES,
    st.sampled_from([None, "lower", "higher"]),
    st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=10),
    TOLERANCES,
    st.none() | TOLERANCES,
    st.none() | st.integers(0, 12),
    st.sampled_from(["page", "none"]),
)


@given(CONTRACTS)
def test_the_lines_to_keep_say_the_same_when_read_again(known: MetricContract) -> None:
    lines = contracts.toml_lines(known)
    read = contracts.load(write(lines)).metrics
    assert list(read) == [known.name]
    again = read[known.name]
    assert again.source == ("configuration" if known.direction else "none")
    for field in ("name", "direction", "unit", "relative", "absolute", "digits"):
        assert getattr(again, field) == getattr(known, field)


def test_the_lines_to_keep_read_well() -> None:
    known = MetricContract('top "1"', "higher", relative=0.02, absolute=1e-05, digits=3, source="page")
    assert contracts.toml_lines(known) == (
        '[metrics."top \\"1\\""]\ndirection = "higher"\nrelative = 0.02\nabsolute = 1e-05\ndigits = 3'
    )
    assert contracts.toml_lines(MetricContract("cer")) == "[metrics.cer]\nrelative = 0.01"


def test_what_is_in_force_is_explained_with_where_it_comes_from() -> None:
    write(FULL)
    assert contracts.explain() == [
        ("metrics", "direction by the metric's name, relative 0.01", "built-in"),
        ("metrics.cer.direction", "lower", "built-in"),
        ("metrics.cer.relative", "0.01", "default"),
        ("metrics.cer.digits", "4", "paiview.toml, line 5"),
        ('metrics."real time factor".direction', "lower", "paiview.toml, line 8"),
        ('metrics."real time factor".unit', "ms", "paiview.toml, line 9"),
        ('metrics."real time factor".relative', "0.0", "default"),
        ('metrics."real time factor".absolute', "5.0", "paiview.toml, line 10"),
        ("metrics.mos.direction", "higher", "built-in"),
        ("metrics.mos.relative", "0.02", "paiview.toml, line 13"),
        ("metrics.mos.absolute", "0.1", "paiview.toml, line 14"),
        ('datasets."oss://b/aishell 1".alias_of', "d-1", "paiview.toml, line 17"),
        ('datasets."oss://b/aishell 1".n.wer', "7", "paiview.toml, line 18"),
        ("datasets.d-1.name", "AISHELL", "paiview.toml, line 21"),
        ("datasets.d-1.n.wer", "7", "said of its alias"),
        ("datasets.d-1.n.cer", "104765", "paiview.toml, line 22"),
        (
            "policy.1",
            'no_regression: metric "*", strict false, dataset "*", relative 0.005',
            "paiview.toml, line 24",
        ),
        ("policy.2", 'bound: metric "cer", strict false, dataset "*", max 1.0', "paiview.toml, line 28"),
    ]


def test_the_default_policy_is_explained_as_such() -> None:
    write("[metrics.speed]\nrelative = 0.5")
    assert contracts.explain() == [
        ("metrics", "direction by the metric's name, relative 0.01", "built-in"),
        ("metrics.speed.direction", "unknown", "none"),
        ("metrics.speed.relative", "0.5", "paiview.toml, line 2"),
        ("policy.1", 'no_regression: metric "*", strict false, dataset "*"', "default policy"),
        ("policy.2", 'no_missing: metric "*", strict false, dataset "*"', "default policy"),
    ]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", {}),
        ("# a = 1\n\n", {}),
        ("a = 1\r\nb = 2\r\n", {("a",): 1, ("b",): 2}),
        ('a = """\n[b]\nc = 1\n"""\nd = 1', {("a",): 1, ("d",): 5}),
        (
            "a = [\n  1, # [b]\n  {b = 2},\n]\n[c]\nd.e = 1",
            {("a",): 1, ("a", 0): 1, ("a", 1): 1, ("a", 1, "b"): 1, ("c",): 5, ("c", "d"): 6, ("c", "d", "e"): 6},
        ),
        (
            "[[p]]\na = 1\n[[p]] # again\na = 2\n[q]\n[p.s]\nb = 1\n[[p]]",
            {
                ("p",): 1,
                ("p", 0): 1,
                ("p", 0, "a"): 2,
                ("p", 1): 3,
                ("p", 1, "a"): 4,
                ("q",): 5,
                ("p", 1, "s"): 6,
                ("p", 1, "s", "b"): 7,
                ("p", 2): 8,
            },
        ),
        ("[ m . 'a.b' ]\n'x y' = 1", {("m",): 1, ("m", "a.b"): 1, ("m", "a.b", "x y"): 2}),
        ("a = '''\n'''\nb = '\u2028'\nc = 1", {("a",): 1, ("b",): 3, ("c",): 4}),
    ],
)
def test_lines_are_found_whatever_the_style(text: str, places: dict[toml_file.KeyPath, int]) -> None:
    assert toml_file.lines(text.encode()) == places


def _paths(node: Any, here: toml_file.KeyPath = ()) -> list[toml_file.KeyPath]:
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path for key, value in items for path in [(*here, key), *_paths(value, (*here, key))]]


STATEMENTS = st.sampled_from(
    [
        "",
        "# comment",
        "[[policy]]",
        "[metrics.k{0}]",
        "[datasets.'k{0}'.n]",
        "k{0} = 1",
        'k{0} = """\n[x]\n"""',
        "k{0} = [\n1,\n[2, {{x = 1}}],\n]",
        "k{0}.a.b = 1",
        "[[t.u]]",
        "[t.u.k{0}]",
    ]
)


@given(st.lists(STATEMENTS, max_size=12))
def test_everything_in_a_file_has_a_line(statements: list[str]) -> None:
    text = "\n".join(statement.format(place) for place, statement in enumerate(statements))
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = toml_file.lines(text.encode())
    assert set(found) == set(_paths(tree))
    rows = text.split("\n")
    for path, line in found.items():
        if isinstance(path[-1], str) and path[-1].startswith("k"):
            assert path[-1] in rows[line - 1]

"""The metrics, datasets and policy of paiview.toml; an error is one sentence with the file, the table and the key."""

import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paiview.decisions import contracts
from paiview.decisions.contracts import Contracts
from paiview.decisions.no_regression import NoRegression
from paiview.decisions.policy import DEFAULT_POLICY, Bound, Improves, NoMissing
from paiview.evaluation.metric_meaning import DatasetContract, MetricSettings
from paiview.evaluation.results import Pair, evaluation
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
    return caught.value.message.removeprefix("paiview.toml: ")


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
    loaded = contracts.load(write(FULL))
    assert loaded.metric_tables == {
        "cer": MetricSettings(digits=4),
        "real time factor": MetricSettings(direction="lower", unit="ms", absolute=5.0),
        "mos": MetricSettings(relative=0.02, absolute=0.1),
    }
    of_metric = [loaded.metrics[name] for name in ("cer", "real time factor", "mos")]
    assert [meaning.effective_relative for meaning in of_metric] == [0.01, 0.0, 0.02]
    assert [meaning.direction for meaning in of_metric] == ["lower", "lower", "higher"]
    assert [meaning.standing for meaning in of_metric] == ["known", "declared", "known"]
    assert [meaning.source for meaning in of_metric] == ["catalogue", "configuration", "catalogue"]
    assert loaded.dataset_tables == {
        "oss://b/aishell 1": DatasetContract("d-1", None, {"wer": 7}),
        "d-1": DatasetContract(None, "AISHELL", {"cer": 104765, "wer": 7}),
    }
    assert loaded.aliases == {"oss://b/aishell 1": "d-1"}
    assert loaded.rules == (NoRegression(relative=0.005), Bound(metric="cer", max=1.0))
    assert loaded.accept == frozenset()


def test_every_key_of_a_metric_is_read() -> None:
    loaded = contracts.load(
        write(
            """
[metrics.bias]
direction = "zero"
[metrics.length_ratio]
target = 1
range = [0, inf]
[metrics.wer]
scale = "mixed"
range = [0, 3]
[metrics.gflops]
ignore = true
[metrics."acc,none"]
alias_of = "acc"
"""
        )
    )
    assert loaded.metric_tables == {
        "bias": MetricSettings(direction="zero"),
        "length_ratio": MetricSettings(direction="target", target=1.0, range=(0.0, None)),
        "wer": MetricSettings(scale="mixed", range=(0.0, 3.0)),
        "gflops": MetricSettings(ignore=True),
        "acc,none": MetricSettings(alias_of="acc"),
    }
    assert loaded.metrics["length_ratio"].best == 1
    assert loaded.metrics["bias"].best == 0
    assert loaded.metrics["gflops"].standing == "not_a_score"
    assert loaded.metric_aliases.get("acc,none") == "acc"
    assert "acc" not in loaded.metric_aliases


def test_without_a_file_or_tables_the_defaults_hold() -> None:
    assert contracts.load(Path("nowhere.toml")) == Contracts() == Contracts(rules=DEFAULT_POLICY)
    assert contracts.load(write("page_size = 20")) == Contracts()
    assert contracts.load(write("[metrics]\n[datasets]")) == Contracts()
    assert Contracts().aliases == {} == Contracts().metric_aliases


def test_an_alias_may_name_a_dataset_the_file_says_nothing_else_about() -> None:
    loaded = contracts.load(write('[datasets.a]\nalias_of = "b"\n[datasets.c]\nalias_of = "b"\nn = {cer = 5}'))
    assert loaded.aliases == {"a": "b", "c": "b"}
    assert loaded.datasets["b"] == DatasetContract(n={"cer": 5})


def test_a_dataset_is_named_by_its_identity_in_any_spelling() -> None:
    text = '[datasets."https://bkt.oss-cn-hangzhou.aliyuncs.com/test.tsv?Signature=x"]\nalias_of = "d-1"'
    loaded = contracts.load(write(text))
    assert loaded.aliases == {"oss://bkt/test.tsv": "d-1"}
    turned = contracts.load(write('[datasets.d-1]\nalias_of = "OSS://bkt/test.tsv/"'))
    assert turned.aliases == {"d-1": "oss://bkt/test.tsv"}


def test_a_table_of_a_pattern_is_about_every_dataset_that_it_matches() -> None:
    loaded = contracts.load(
        write('[datasets."d-*"]\nignore = true\nalias_of = "all"\n[datasets.d-1]\nalias_of = "a"\nignore = false')
    )
    assert loaded.datasets["d-2"] == loaded.datasets["d-2[split=test]"] == DatasetContract("all", ignore=True)
    assert loaded.datasets["d-1"] == loaded.datasets["d-1[split=test]"] == DatasetContract("a", ignore=False)
    assert loaded.datasets["other"] == DatasetContract()
    results = [{"Dataset": {"DatasetId": name}, "Metrics": {name: 1}} for name in ("d-1", "d-2", "other", "x-d-1")]
    assert [*evaluation({"Results": results}, loaded.aliases)] == [
        Pair("d-1", "a"),
        Pair("d-2", "all"),
        Pair("other", "other"),
        Pair("x-d-1", "x-d-1"),
    ]
    narrow = contracts.load(write('[datasets."d-1[[]split=test]"]\nignore = true'))
    assert narrow.datasets["d-1[split=test]"].ignore
    assert not narrow.datasets["d-1"].ignore


def test_aliases_come_from_the_first_source_that_has_one_for_the_name() -> None:
    layered = Contracts(
        page={"c": MetricSettings(alias_of="p"), "acc,x": MetricSettings("higher")},
        metric_tables={
            "acc,*": MetricSettings(alias_of="acc"),
            "acc,x": MetricSettings(alias_of="other"),
            "mAP@[0.5]": MetricSettings(alias_of="mAP50"),
        },
        data={
            "c": MetricSettings(alias_of="d"),
            "d": MetricSettings(digits=1),
            "acc,y": MetricSettings(alias_of="data"),
            "*": MetricSettings(alias_of="all"),
        },
    )
    names = ("acc,none", "acc,x", "acc,y", "c", "d", "mAP@[0.5]")
    assert {name: layered.metric_aliases.get(name) for name in names} == {
        "acc,none": "acc",
        "acc,x": "other",
        "acc,y": "acc",
        "c": "p",
        "d": "all",
        "mAP@[0.5]": "mAP50",
    }
    assert "x" not in Contracts(metric_tables={"y": MetricSettings(alias_of="x")}).metric_aliases


def test_an_alias_of_a_pattern_is_that_of_every_metric_it_matches() -> None:
    loaded = contracts.load(write('[metrics."acc,*"]\nalias_of = "acc"'))
    assert loaded.metric_aliases.get("acc,none") == "acc"
    assert loaded.metric_aliases.get("acc") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # unknown keys and tables
        ("\n[metric.cer]", "metric is not allowed here, only metrics, datasets, policy, policy_defaults."),
        ("[[rules]]", "rules is not allowed here, only metrics, datasets, policy, policy_defaults."),
        (
            '[metrics.cer]\ndirection = "lower"\ndirecton = "lower"',
            "[metrics.cer] has no key directon, only direction, target, unit, scale, range, relative, absolute, ",
        ),
        ("metrics.cer.tolerance = 1", "[metrics.cer] has no key tolerance, only "),
        ('[datasets."a b"]\nalias = "c"', '[datasets."a b"] has no key alias, only alias_of, name, n, ignore.'),
        (
            '[[policy]]\nrule = "no_missing"\n\n[[policy]]\nrule = "bound"\nmaximum = 1\nmetric = "cer"\nmax = 1',
            "[[policy]] rule 2 has no key maximum, only metric, strict, accept, dataset, rule, min, max.",
        ),
        ('[[policy]]\nrule = "described"\nkeys = ["a"]', "[[policy]] rule 1 has no key keys, only rule."),
        # unknown rules
        (
            '[[policy]]\n# why\nrule = "no_regresion"',
            "[[policy]] rule 1 rule must be one of no_regression, no_missing, bound, improves, ",
        ),
        ('[[policy]]\nmetric = "cer"', "[[policy]] rule 1 rule must be one of no_regression, "),
        # unknown metrics
        (
            '[[policy]]\nrule = "no_regression"\nmetric = "speed"',
            "[[policy]] rule 1 metric speed has no known direction: set direction in [metrics.speed].",
        ),
        (
            '[metrics.speed]\nunit = "ms"\n[[policy]]\nrule = "improves"\nmetric = "speed"\nat_least = 0',
            "[[policy]] rule 1 metric speed has no known direction: ",
        ),
        # unusable patterns
        (
            '[[policy]]\nrule = "no_missing"\ndataset = ""',
            "[[policy]] rule 1 dataset must not be empty: * matches everything.",
        ),
        (
            '[[policy]]\nrule = "no_missing"\nmetric = "top[1"',
            "[[policy]] rule 1 metric has a [ that is never closed: write [[] for the character itself.",
        ),
        # values
        (
            '[metrics.cer]\ndirection = "down"',
            "[metrics.cer] direction must be 'lower', 'higher', 'zero' or 'target'.",
        ),
        ('[metrics.cer]\ndirection = "target"', "[metrics.cer] needs target, the best number, beside direction = "),
        ('[metrics.cer]\ndirection = "lower"\ntarget = 1', '[metrics.cer] has a target beside direction = "lower".'),
        ("[metrics.cer]\ntarget = nan", "[metrics.cer] target must be a finite "),
        ('[metrics.cer]\nscale = "percentage"', "[metrics.cer] scale must be 'fraction', 'percent' or 'mixed'."),
        ("[metrics.cer]\nrange = [1, 0]", "[metrics.cer] range must begin below its end."),
        ("[metrics.cer]\nrange = [0]", "[metrics.cer] range must be two numbers, with -inf or inf for an open end."),
        ("[metrics.cer]\nrange = [0, 1, 2]", "[metrics.cer] range must be two numbers, "),
        ("[metrics.cer]\nrange = 5", "[metrics.cer] range must be two numbers, "),
        ('[metrics.cer]\nrange = ["a", 1]', "[metrics.cer] range.0 must be a valid number."),
        ("[metrics.cer]\nrange = [nan, 1]", "[metrics.cer] range.0 must be a finite number."),
        ("[metrics.cer]\nrange = [inf, 1]", "[metrics.cer] range.0 must be a finite number."),
        ("[metrics.cer]\nrange = [0, -inf]", "[metrics.cer] range.1 must be a finite number."),
        ("[metrics.cer]\nignore = 1", "[metrics.cer] ignore must be a valid boolean"),
        ('[metrics.cer]\nalias_of = ""', "[metrics.cer] alias_of must have at least 1 "),
        ('[policy_defaults]\naccept = ["unknown"]', "[policy_defaults] accept.0 must be 'listing' or 'order'."),
        ('[policy_defaults]\naccept = "order"', "[policy_defaults] accept must be "),
        ('[policy_defaults]\naccepts = ["order"]', "[policy_defaults] has no key accepts, only accept."),
        ("policy_defaults = 5", "policy_defaults must be given as a [policy_defaults] table."),
        ("[[policy_defaults]]", "policy_defaults must be given as a [policy_defaults] table."),
        ('[[policy]]\nrule = "no_missing"\naccept = ["listing"]', "[[policy]] rule 1 accept.0 must be "),
        ('[[policy]]\nrule = "no_missing"\naccept = ["fail"]', "[[policy]] rule 1 accept.0 must be "),
        ('[[policy]]\nrule = "shares"\nat_least = 1\naccept = ["scale"]', "[[policy]] rule 1 has no key accept, "),
        ("[metrics.cer]\ndigits = 13", "[metrics.cer] digits must be less than or "),
        ("[metrics.cer]\ndigits = -1", "[metrics.cer] digits must be greater than "),
        ("[metrics.cer]\ndigits = 1.0", "[metrics.cer] digits must be a valid integer"),
        ("[metrics.cer]\nrelative = -0.01", "[metrics.cer] relative must be greater "),
        ("[metrics.cer]\nrelative = inf", "[metrics.cer] relative must be a finite "),
        ("[metrics.cer]\nabsolute = nan", "[metrics.cer] absolute must be a finite "),
        ('[metrics.cer]\nabsolute = "1"', "[metrics.cer] absolute must be a valid "),
        ("[metrics.cer]\nabsolute = true", "[metrics.cer] absolute must be a valid "),
        ('[metrics.cer]\nunit = ""', "[metrics.cer] unit must have at least 1 "),
        ("[datasets.a]\nn = {cer = 0}", "[datasets.a] n.cer must be greater than "),
        ("[datasets.a]\nn = {cer = 1.5}", "[datasets.a] n.cer must be a valid "),
        ("[datasets.a.n]\nx = 1\ncer = true", "[datasets.a] n.cer must be a valid "),
        ("[datasets.a]\nn = 5", "[datasets.a] n must be a table."),
        ('[[policy]]\nrule = "shares"', "[[policy]] rule 1 needs the key at_least."),
        ('[[policy]]\nrule = "shares"\nat_least = -1', "[[policy]] rule 1 at_least must be "),
        ('[[policy]]\nrule = "labelled"\nkeys = []', "[[policy]] rule 1 keys must have at least 1 item"),
        ('[[policy]]\nrule = "labelled"\nkeys = ["a", 5]', "[[policy]] rule 1 keys.1 must be a valid string"),
        # shapes
        ("metrics = 5", "metrics must be given as [metrics.NAME] tables."),
        ("[metrics]\ncer = 5", "[metrics.cer] must be a table."),
        ('[[metrics]]\nname = "cer"', "metrics must be given as [metrics.NAME] tables."),
        ('[policy]\nrule = "described"', "policy must be given as [[policy]] tables."),
        ('policy = ["described"]', "[[policy]] rule 1 must be a table."),
        # contradictions
        ('[datasets.a]\nalias_of = "a"', "[datasets.a] alias_of names the dataset itself."),
        ('[metrics.a]\nalias_of = "a"', "[metrics.a] alias_of names the metric itself."),
        (
            '[metrics.a]\nalias_of = "b"\n[metrics.b]\nalias_of = "c"',
            '[metrics.a] alias_of names another alias: write alias_of = "c".',
        ),
        (
            '[metrics.a]\nalias_of = "b"\n[metrics.b]\nalias_of = "a"',
            "[metrics.a] alias_of leads into a circle: a → b → a.",
        ),
        (
            '[datasets.a]\nalias_of = "b"\n[datasets.b]\nalias_of = "c"\n[datasets.c]',
            '[datasets.a] alias_of names another alias: write alias_of = "c".',
        ),
        (
            '[datasets.a]\nalias_of = "b"\n[datasets.b]\nalias_of = "a"',
            "[datasets.a] alias_of leads into a circle: a → b → a.",
        ),
        (
            '[datasets.x]\nalias_of = "b"\n[datasets.b]\nalias_of = "c"\n[datasets.c]\nalias_of = "b"',
            "[datasets.x] alias_of leads into a circle: x → b → c → b.",
        ),
        (
            '[datasets.a]\nname = "A"\nalias_of = "b"',
            "[datasets.a] name is never shown for an alias: set it in [datasets.b].",
        ),
        (
            '[datasets.b]\nn = {cer = 5}\n[datasets.a]\nalias_of = "b"\nn = {wer = 1, cer = 6}',
            "[datasets.a] n.cer is 6 and [datasets.b] n.cer is 5, but they are one dataset.",
        ),
        (
            '[datasets.a]\nalias_of = "b"\nn = {cer = 6}\n[datasets.c]\nalias_of = "b"\nn.cer = 5',
            "[datasets.c] n.cer is 5 and [datasets.a] n.cer is 6, but they are one dataset.",
        ),
        (
            '[[policy]]\nrule = "bound"\nmetric = "cer"\nmin = 2\nmax = 1.5',
            "[[policy]] rule 1 has min 2 above max 1.5: every number is out of bounds.",
        ),
        (
            '[[policy]]\nrule = "bound"\nmetric = "cer"',
            "[[policy]] rule 1 needs min or max: without both nothing is out of bounds.",
        ),
        (
            '[[policy]]\nrule = "shares"\nat_least = 1\n[[policy]]\nat_least = 1\nrule = "shares"',
            "[[policy]] rule 2 is the same as [[policy]] rule 1.",
        ),
        # only the first of several errors
        ("[datasets.a]\nx = 1\n[metrics.a]\nx = 1", "[metrics.a] has no key x"),
        ('[metrics.a]\nrelative = -1\nx = 1\n[[policy]]\nrule = "x"', "[metrics.a] relative must be greater "),
    ],
)
def test_an_error_is_one_sentence_with_the_table_and_the_key(text: str, problem: str) -> None:
    assert refusal(text).startswith(problem)


def test_what_is_no_toml_keeps_the_line_of_the_parser() -> None:
    problem = "paiview.toml is not valid TOML: Invalid value (at line 2, column 10)."
    assert refusal("[metrics.cer]\ndigits = \n") == problem
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
    assert refusal('[metrics."\\u001b[31m\\n"]\nx = 1').startswith('[metrics."�[31m"] has no key x')
    assert refusal("[metrics.'\"']\nx = 1").startswith('[metrics."\\""] has no key x')


def test_a_policy_of_its_own_file_is_read_with_the_contracts_it_is_used_with() -> None:
    text = '[[policy]]\nrule = "improves"\nmetric = "speed"\nat_least = 0'
    policy = write(text, "policy.toml")
    with pytest.raises(SettingError, match=r"^policy\.toml: \[\[policy\]\] rule 1 metric speed has no known direction"):
        contracts.load_policy(policy, Contracts())
    speed = Contracts(metric_tables={"speed": MetricSettings("higher")})
    assert contracts.load_policy(policy, speed) == (Improves(metric="speed", at_least=0.0),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "policy.toml: policy must be given as [[policy]] tables."),
        ("policy = []", "policy.toml: policy must be given as [[policy]] tables."),
        (
            '[[policy]]\nrule = "described"\n[metrics.cer]',
            "policy.toml: metrics is not allowed here, only policy.",
        ),
        ('a = 1\n[[policy]]\nrule = "described"', "policy.toml: a is not allowed here, only policy."),
        ("[[policy", "policy.toml is not valid TOML: "),
    ],
)
def test_a_policy_file_holds_rules_alone(text: str, problem: str) -> None:
    with pytest.raises(SettingError) as caught:
        contracts.load_policy(write(text, "policy.toml"), Contracts())
    assert caught.value.message.startswith(problem)


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


def test_the_current_contracts_follow_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert contracts.current() == Contracts()
    write("[metrics.cer]\ndigits = 1")
    first = contracts.current()
    assert first.metrics["cer"].digits == 1
    assert contracts.current() is first
    write("[metrics.cer]\ndigits = 2")
    assert contracts.current().metrics["cer"].digits == 2
    write("[metrics.cer]\ndigit = 2")
    with pytest.raises(SettingError, match=r"^paiview\.toml: \[metrics\.cer\] has no key digit, "):
        contracts.current()
    monkeypatch.setenv("PAIVIEW_CONFIG", str(write("[metrics.cer]\ndigits = 3", "other.toml")))
    assert contracts.current().metrics["cer"].digits == 3
    Path("other.toml").unlink()
    with pytest.raises(SettingError, match=r"^PAIVIEW_CONFIG names other\.toml, which is not a file\.$"):
        contracts.current()


def test_a_broken_edit_keeps_the_last_good_contracts_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = write('[metrics.speed]\ndirection = "higher"\n')
    monkeypatch.setenv("PAIVIEW_CONFIG", str(file))
    good = contracts.current_or_last_good()
    assert (good.metrics["speed"].direction, good.ignored) == ("higher", ())
    file.write_text("[metrics.speed]\ndirection = 1\n", encoding="utf-8")
    for _ in range(3):
        kept = contracts.current_or_last_good()
        assert kept == good
        (sentence,) = kept.ignored
        assert "what stood in it before stays in force" in sentence
    assert [record.getMessage().count("[metrics.speed] direction") for record in caplog.records] == [1]
    with pytest.raises(SettingError):
        contracts.current()
    file.write_text('[metrics.speed]\ndirection = "lower"\n', encoding="utf-8")
    assert contracts.current_or_last_good().metrics["speed"].direction == "lower"


def test_a_file_that_was_never_good_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIVIEW_CONFIG", str(write("[metrics.speed]\ndirection = 2\n")))
    with pytest.raises(SettingError):
        contracts.current_or_last_good()


def test_settings_on_the_page_go_before_those_of_the_file_field_by_field() -> None:
    tables = {"cer": MetricSettings("higher", digits=4), "wer": MetricSettings(relative=0.1)}
    before = Contracts(metric_tables=tables, rules=(NoMissing(),))
    after = before.with_page({"cer": MetricSettings("lower", relative=0.5)})
    assert after.metrics["cer"].direction == "lower"
    assert after.metrics["cer"].source == "page"
    assert after.metrics["cer"].digits == 4
    assert after.metrics["wer"] == before.metrics["wer"]
    assert (after.datasets, after.rules) == (before.datasets, before.rules)
    assert before.metrics["cer"].direction == "higher"
    again = after.with_page({"wer": MetricSettings("higher")})
    assert (again.metrics["cer"].direction, again.metrics["wer"].direction) == ("lower", "higher")


def test_data_bring_the_meaning_of_what_no_file_sets() -> None:
    base = Contracts(metric_tables={"speed": MetricSettings("lower")})
    tables = {"speed": {"direction": "higher", "digits": 2}, "blobs": {"target": 3}, "cer": {"relative": 0}}
    data = base.with_data(tables)
    assert data.metrics["speed"].direction == "lower"
    assert data.metrics["speed"].digits == 2
    assert (data.metrics["blobs"].best, data.metrics["blobs"].source) == (3, "data")
    assert (data.metrics["cer"].standing, data.metrics["cer"].relative) == ("known", 0)
    assert base.with_data({}) == base


@pytest.mark.parametrize(
    "table",
    [
        {"direction": "down"},
        {"direction": "lower", "other": 1},
        {"direction": "target"},
        {"direction": "lower", "relative": math.nan},
        {"direction": "lower", "digits": 13},
        5,
        None,
        ["lower"],
        "lower",
    ],
)
def test_a_table_of_the_data_that_is_not_valid_is_left_out_and_told(table: Any) -> None:
    data = Contracts().with_data({"blobs": table, "speed": {"direction": "higher"}})
    assert data.metrics["blobs"].standing == "unknown"
    assert data.metrics["speed"].direction == "higher"
    (sentence,) = data.ignored
    assert sentence.startswith("What the data say about a metric is ignored: [metrics.blobs] ")


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
    lower = Contracts(metric_tables={"a": MetricSettings("lower")})
    assert lower.fingerprint == Contracts(metric_tables={"a": MetricSettings("lower")}).fingerprint
    others = [
        Contracts(),
        Contracts(page={"a": MetricSettings("lower")}),
        Contracts(data={"a": MetricSettings("lower")}),
        Contracts(metric_tables={"a": MetricSettings("lower"), "b": MetricSettings(ignore=True)}),
        Contracts(metric_tables={"a": MetricSettings("lower", scale="mixed")}),
        Contracts(metric_tables={"a": MetricSettings("lower", range=(0, None))}),
        Contracts(metric_tables={"a": MetricSettings("lower", alias_of="b")}),
        Contracts(metric_tables={"a": MetricSettings("lower")}, accept=frozenset({"order"})),
        Contracts(metric_tables={"a": MetricSettings("lower")}, rules=(NoRegression(accept=("scale",)), NoMissing())),
        Contracts(metric_tables={"a": MetricSettings("lower")}, dataset_tables={"d": DatasetContract(ignore=True)}),
    ]
    assert len({lower.fingerprint, *(other.fingerprint for other in others)}) == len(others) + 1


def test_of_two_patterns_the_first_one_counts_so_that_their_order_decides() -> None:
    tables = {"a*": MetricSettings("lower"), "*b": MetricSettings("higher")}
    one, other = Contracts(metric_tables=tables), Contracts(metric_tables=dict(reversed(tables.items())))
    assert (one.metrics["ab"].direction, other.metrics["ab"].direction) == ("lower", "higher")
    assert one != other


NAMES = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["cer", "a.b", '"', "'", "[x]", "=", "#", "\x00", "\x7f", "\r\n", "中文", " ", "", "\\u0041", '"""']
)
TOLERANCES = st.floats(0, allow_infinity=False, allow_nan=False)
NUMBERS = st.floats(allow_infinity=False, allow_nan=False)
RANGES: st.SearchStrategy[tuple[float | None, float | None]] = st.one_of(
    st.tuples(NUMBERS, st.none()),
    st.tuples(st.none(), NUMBERS),
    st.tuples(st.none(), st.none()),
    st.lists(NUMBERS, min_size=2, max_size=2, unique=True).map(lambda ends: (min(ends), max(ends))),
)
SETTINGS = st.builds(
    MetricSettings,
    direction=st.sampled_from([None, "lower", "higher", "zero"]),
    unit=st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=10),
    scale=st.sampled_from([None, "fraction", "percent", "mixed"]),
    range=st.none() | RANGES,
    relative=st.none() | TOLERANCES,
    absolute=st.none() | TOLERANCES,
    digits=st.none() | st.integers(0, 12),
    ignore=st.none() | st.booleans(),
) | st.builds(MetricSettings, direction=st.just("target"), target=NUMBERS)


@given(NAMES, SETTINGS)
@example("cer", MetricSettings(absolute=0.5))
@example("cer", MetricSettings(range=(None, 1.0)))
@example("cer", MetricSettings(range=(None, None)))
def test_the_lines_to_keep_say_the_same_when_read_again(metric: str, table: MetricSettings) -> None:
    lines = contracts.toml_lines(metric, table)
    assert contracts.load(write(lines)).metric_tables == {metric: table}


def test_the_lines_to_keep_read_well() -> None:
    table = MetricSettings("higher", relative=0.02, absolute=1e-05, digits=3)
    assert contracts.toml_lines('top "1"', table) == (
        '[metrics."top \\"1\\""]\ndirection = "higher"\nrelative = 0.02\nabsolute = 1e-05\ndigits = 3'
    )
    assert contracts.toml_lines("cer", MetricSettings()) == "[metrics.cer]"
    assert tomllib.loads(contracts.toml_lines("r2", MetricSettings(range=(None, 1)))) == {
        "metrics": {"r2": {"range": [-math.inf, 1]}}
    }


def test_every_contract_and_rule_is_explained_with_its_origin() -> None:
    write(FULL)
    assert contracts.explain() == [
        ("metrics", "direction by the catalogue, relative 0.01", "built-in"),
        ("metrics.cer.direction", "lower", "catalogue"),
        ("metrics.cer.digits", "4", "paiview.toml: [metrics.cer] digits"),
        ("metrics.cer.relative", "0.01", "default"),
        ('metrics."real time factor".direction', "lower", 'paiview.toml: [metrics."real time factor"] direction'),
        ('metrics."real time factor".unit', "ms", 'paiview.toml: [metrics."real time factor"] unit'),
        ('metrics."real time factor".absolute', "5.0", 'paiview.toml: [metrics."real time factor"] absolute'),
        ("metrics.mos.direction", "higher", "catalogue"),
        ("metrics.mos.relative", "0.02", "paiview.toml: [metrics.mos] relative"),
        ("metrics.mos.absolute", "0.1", "paiview.toml: [metrics.mos] absolute"),
        ('datasets."oss://b/aishell 1".alias_of', "d-1", 'paiview.toml: [datasets."oss://b/aishell 1"] alias_of'),
        ('datasets."oss://b/aishell 1".n.wer', "7", 'paiview.toml: [datasets."oss://b/aishell 1"] n.wer'),
        ("datasets.d-1.name", "AISHELL", "paiview.toml: [datasets.d-1] name"),
        ("datasets.d-1.n.wer", "7", "from its alias"),
        ("datasets.d-1.n.cer", "104765", "paiview.toml: [datasets.d-1] n.cer"),
        (
            "policy.1",
            'no_regression: metric "*", strict false, accept [], dataset "*", relative 0.005',
            "paiview.toml: [[policy]] rule 1",
        ),
        (
            "policy.2",
            'bound: metric "cer", strict false, accept [], dataset "*", max 1.0',
            "paiview.toml: [[policy]] rule 2",
        ),
    ]


def test_the_default_policy_is_explained_as_such() -> None:
    write("[metrics.speed]\nrelative = 0.5")
    assert contracts.explain() == [
        ("metrics", "direction by the catalogue, relative 0.01", "built-in"),
        ("metrics.speed.direction", "unknown", "none"),
        ("metrics.speed.relative", "0.5", "paiview.toml: [metrics.speed] relative"),
        ("policy.1", 'no_regression: metric "*", strict false, accept [], dataset "*"', "default policy"),
        ("policy.2", 'no_missing: metric "*", strict false, accept [], dataset "*"', "default policy"),
    ]

"""Secrets of a JSON tree are masked, wherever they hide."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paiview import secret_masking
from paiview.secret_masking import MASK, mask_secrets, mask_text

UNHURRIED = settings(deadline=None)
SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Password",
        "db_passwd",
        "passphrase",
        "secret",
        "clientSecret",
        "AccessKeyId",
        "AccessKeySecret",
        "access-key",
        "api_key",
        "apiKey",
        "APIKey",
        "privateKey",
        "token",
        "HF_TOKEN",
        "securityToken",
        "tokens",
        "authorization",
        "Credentials",
        "cookie",
        "pwd",
        "key",
        "encryption_key",
        "role_arn",
        "RoleArn",
    ],
)
@pytest.mark.parametrize("wrap", [lambda tree: tree, lambda tree: {"a": [tree]}], ids=["top", "nested"])
def test_a_value_whose_name_says_secret_is_masked(name: str, wrap: Any) -> None:
    assert mask_secrets(wrap({name: SECRET, "cpu": 4})) == wrap({name: MASK, "cpu": 4})


@pytest.mark.parametrize(
    "tree",
    [
        {"processor": "tensorflow_gpu_1.12", "metadata": {"cpu": 4, "rpc": {"keepalive": 5000}}},
        {"max_tokens": 512, "tokenizer": "bpe", "keyboard": "us", "monkey": 1, "secretary": None},
        {"Labels": [{"Key": "team", "Value": "asr"}], "LabelKeys": "team", "primary_key": "id"},
        {"LocationValue": {"Bucket": "b", "Key": "code/train.tar.gz", "Endpoint": "oss-cn-beijing.aliyuncs.com"}},
        {"HyperParameters": [{"Name": "learning_rate", "Value": "0.1"}]},
        {"Command": ["python", "train.py", "--epochs", "3"], "keys": None, "token": True},
        {"uri": "oss://bucket.oss-cn-beijing.aliyuncs.com/key/token/", "text": "the tokens of a key"},
        {"json": '{"cer": 0.1}', "broken": '{"password": '},
        {"Metrics": {"Results": [{"Dataset": {"DatasetId": "token"}, "Metrics": {"token": 1, "mean_token": "0.5"}}]}},
        {"Metrics": {"Results": [{"Metrics": {"mean_token_accuracy": 0.9, "tokens_per_second": 1, "exact_key": 0.5}}]}},
        {"Metrics": {"sk-0123456789abcdef0123": 0.5, "env": {"a": "0.5"}}},
        {"password": 123456, "token_ids": [1, 2], "env": {"N": 3}, "secrets": [1.5, None, True], "use_token": "false"},
        {"max_tokens": "4096", "num_input_tokens": "12", "HyperParameters": [{"Name": "max_tokens", "Value": "512"}]},
        {"token_type": "wordpiece", "pad_token": "<pad>", "special_tokens": ["<s>", "[MASK]"], "keyframes": "i"},
        {
            "Labels": [
                {"Key": "dataset_key", "Value": "aishell"},
                {"Key": "env", "Value": "prod"},
                {"Key": "token_level", "Value": "x"},
            ]
        },
        {"signature": "serving_default", "input_keys": ["wav", "txt"], "Options": '{"a": {"max_tokens": "512"}}'},
        {"VersionName": "sk-0123456789abcdef0123", "DatasetId": "hf_0123456789abcdef0123"},
        "Basic evaluation of a bearer instrument; the tokenizer: bpe, token: wordpiece, key: value",
        "--max_tokens 512 max_tokens=512 --tokenizer bpe https://a.example/k?max_tokens=512&key=code/a.txt",
        "oss://b/sk-learn-digits-classification-v2/hf_transformers/asia/",
        "region=cn-shanghai,workspaceId=1345,kind=PipelineRun,id=run-1",
        [],
        None,
        0.5,
        "text",
    ],
)
def test_what_is_no_secret_stays(tree: Any) -> None:
    assert mask_secrets(tree) == tree


@pytest.mark.parametrize(
    ("tree", "masked"),
    [
        ({"env": [{"name": "HOST", "value": SECRET}]}, {"env": [{"name": "HOST", "value": MASK}]}),
        ({"Environments": {"HOST": SECRET, "N": 3}}, {"Environments": {"HOST": MASK, "N": 3}}),
        ({"env": ["HOST=s3cr3t", "s3cr3t"]}, {"env": [f"HOST={MASK}", MASK]}),
        ({"env": "HOST=s3cr3t"}, {"env": MASK}),
        ([{"Name": "api_token", "Value": SECRET}], [{"Name": "api_token", "Value": MASK}]),
        ([{"Key": "password", "Value": SECRET}], [{"Key": "password", "Value": MASK}]),
        (
            [{"Name": "secret", "DefaultValue": SECRET, "Type": "String"}],
            [{"Name": "secret", "DefaultValue": MASK, "Type": "String"}],
        ),
        ({"secrets": {"a": SECRET, "b": [SECRET, None]}}, {"secrets": {"a": MASK, "b": [MASK, None]}}),
        ("https://user:s3cr3t@a.example/x", f"https://{MASK}@a.example/x"),
        ("oss://b/k?role_arn=s3cr3t&x=1", f"oss://b/k?role_arn={MASK}&x=1"),
        ("https://a.example/k?Expires=1&Signature=s3cr3t", f"https://a.example/k?Expires={MASK}&Signature={MASK}"),
        ("https://a.example/k?x-oss-signature=s3cr3t", f"https://a.example/k?x-oss-signature={MASK}"),
        ("https://a.example/k?token=s3cr3t", f"https://a.example/k?token={MASK}"),
        ("run --password s3cr3t --epochs 3", f"run --password {MASK} --epochs 3"),
        (["run", "--api-key", "s3cr3t", "x", "--token"], ["run", "--api-key", MASK, "x", "--token"]),
        ("API_KEY=s3cr3t run", f"API_KEY={MASK} run"),
        ("export HF_TOKEN='s3 cr3t'", f"export HF_TOKEN={MASK}"),
        ("Authorization: Bearer s3cr3ts3cr3t", f"Authorization: Bearer {MASK}"),
        ("authorization: ACS3 Credential=a,Signature=b\nnext", f"authorization: {MASK}\nnext"),
        ("curl -u me:s3cr3t https://a.example", f"curl -u {MASK} https://a.example"),
        ("{'password': 's3cr3t', 'epochs': 3}", f"{{'password': {MASK}, 'epochs': 3}}"),
        ("hf_token: s3cr3t\nepochs: 3", f"hf_token: {MASK}\nepochs: 3"),
        ("密码：s3cr3t", f"密码：{MASK}"),
        ('{"password": "s3cr3t", "password": 1}', f'{{"password": {MASK}, "password": {MASK}}}'),
        (
            "https://a.example/?to=https://b.example/?sig=s3cr3t&n=1",
            f"https://a.example/?to=https://b.example/?sig={MASK}&n=1",
        ),
        ("?u=https%3A%2F%2Fb%2F%3FSignature%3Ds3cr3t%26n%3D1", f"?u=https%3A%2F%2Fb%2F%3FSignature%3D{MASK}%26n%3D1"),
        ("https://a.example/k#access_token=s3cr3t", f"https://a.example/k#access_token={MASK}"),
        (
            "oss://b/k?X-OSS-Credential=s3cr3t&x%2Doss%2Ddate=1",
            f"oss://b/k?X-OSS-Credential={MASK}&x%2Doss%2Ddate={MASK}",
        ),
        ({"password": "123456"}, {"password": MASK}),
        (
            {"HyperParameters": [{"Name": "password", "Value": "12"}]},
            {"HyperParameters": [{"Name": "password", "Value": MASK}]},
        ),
        (
            {"Labels": [{"Key": "hf_token=s3cr3t", "Value": "x"}]},
            {"Labels": [{"Key": f"hf_token={MASK}", "Value": "x"}]},
        ),
        ({"wandb_key": "0123456789abcdef0123"}, {"wandb_key": MASK}),
        ({"Metrics": {"api_key": "s3cr3t"}}, {"Metrics": {"api_key": MASK}}),
        ({"Metrics": {"password": "123"}}, {"Metrics": {"password": MASK}}),
        ({"DatasetId": "https://u:s3cr3t@a.example/x"}, {"DatasetId": f"https://{MASK}@a.example/x"}),
        (
            {"Options": '{"password": "s3cr3t", "a": 1}'},
            {"Options": json.dumps({"password": MASK, "a": 1}, ensure_ascii=False)},
        ),
        ("\ud800 password=s3cr3t", f"\ud800 password={MASK}"),
        (["\0", "--Password", "s3cr3t"], ["\0", "--Password", MASK]),
        (
            {"a": "模型", "b": '\n{\n"pwd": "s3cr3t"}'},
            {"a": "模型", "b": json.dumps({"pwd": MASK}, ensure_ascii=False)},
        ),
        (["--sk", "s3cr3t0123456789abcdef"], ["--sk", MASK]),
        ({"o": '{"o": "{\\"token\\": \\"s3cr3t\\"}"}'}, {"o": '{"o": "{\\"token\\": \\"••••\\"}"}'}),
    ],
)
def test_secrets_are_masked_where_they_hide(tree: Any, masked: Any) -> None:
    assert mask_secrets(tree) == masked
    assert SECRET not in json.dumps(masked)


def test_what_was_given_is_not_changed() -> None:
    tree = {"env": [{"name": "A", "value": SECRET}], "token": SECRET}
    mask_secrets(tree)
    assert tree == {"env": [{"name": "A", "value": SECRET}], "token": SECRET}


def test_a_tree_beyond_reason_is_masked_rather_than_followed() -> None:
    tree: Any = {"cpu": SECRET}
    for _ in range(500):
        tree = [tree]
    assert SECRET not in json.dumps(mask_secrets(tree))


JSON_TREES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)


@UNHURRIED
@given(JSON_TREES)
def test_masking_keeps_the_shape_and_is_done_once(tree: Any) -> None:
    masked = mask_secrets(tree)
    assert mask_secrets(masked) == masked
    assert type(masked) is type(tree)
    if isinstance(tree, dict):
        assert list(masked) == list(tree)


@UNHURRIED
@given(JSON_TREES)
def test_nothing_below_a_secret_name_is_seen(tree: Any) -> None:
    shown = json.dumps(mask_secrets({"password": [tree, SECRET]}))
    assert SECRET not in shown


def test_what_was_harmless_before_is_a_secret_under_another_name() -> None:
    for _ in range(2):
        assert mask_secrets({"a": "plain", "b": "A=b"}) == {"a": "plain", "b": "A=b"}
        assert mask_secrets({"Name": "password", "Value": "plain"}) == {"Name": "password", "Value": MASK}
        assert mask_secrets({"c": ["run", "--api-key", "plain"]}) == {"c": ["run", "--api-key", MASK]}
        assert mask_secrets({"Key": "plain", "Value": "plain"}) == {"Key": "plain", "Value": "plain"}
        assert mask_secrets({"env": "A=b", "token": "plain", "x": {"env": {"a": "plain"}}}) == {
            "env": MASK,
            "token": MASK,
            "x": {"env": {"a": MASK}},
        }


def test_the_same_object_comes_back_where_nothing_is_masked() -> None:
    for text in ('{"a": {"token": 1}}', '{"a": {"max_tokens": "5"}, "b": ["x y", {"Key": "k", "Value": "v"}]}'):
        trees = [json.loads(text) for _ in range(2)]
        assert all(mask_secrets(tree) is tree for tree in trees)


SHAPES = (
    "LTAI5tExample1234567",
    "STS.NUexample1234567",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_0123456789abcdef0123456789abcdef0123",
    "github_pat_0123456789abcdef0123456789",
    "glpat-0123456789abcdef01",
    "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567",
    "sk-0123456789abcdef0123456789abcdef",
    "sk-proj-abcdefghijklmnopqrstuvwxyz",
    "xoxb-123456789012-abcdefghij",
    "AIzaSyA0123456789abcdef0123456789abcdef",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r",
)
"""Keys that are known by their shape."""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("text", ["{}", "see {} in the log", "模型{}。", "path/{}/x", "({})"])
def test_a_key_is_known_by_its_shape_wherever_it_stands(shape: str, text: str) -> None:
    secret = shape.split("\n")[1] if "\n" in shape else shape
    for tree in (
        text.format(shape),
        {"VersionDescription": text.format(shape)},
        {"Labels": [{"Key": "k", "Value": shape}]},
    ):
        assert secret not in json.dumps(mask_secrets(tree))
    assert secret not in json.dumps(mask_secrets({"InferenceSpec": {shape: 1}}))


def test_two_names_that_are_masked_stay_two() -> None:
    tree = {SHAPES[0]: 1, MASK: 2, SHAPES[1]: 3}
    assert mask_secrets(tree) == {MASK: 1, f"{MASK} (2)": 2, f"{MASK} (3)": 3}


SECRETIVE = st.text("aA0=:?&;#%2DF3@/ -_.\"'{}[]\n•", max_size=30) | st.sampled_from(
    [
        *SHAPES,
        "token=",
        "?Signature=",
        "--password ",
        "Authorization: ",
        "Bearer abc12345",
        "://u:p@h",
        MASK,
        "password: ",
    ]
)
TEXTS = st.lists(SECRETIVE, max_size=5).map("".join)
NAMES = st.sampled_from(
    [
        "token",
        "password",
        "Key",
        "Value",
        "Name",
        "env",
        "Metrics",
        "Dataset",
        "Uri",
        "bucket",
        "keys",
        "cer",
        "api_key",
    ]
)
NUMBERS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
SECRETIVE_TREES = st.recursive(
    NUMBERS | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=4) | inner.map(json.dumps)
    ),
    max_leaves=8,
)


@UNHURRIED
@given(SECRETIVE_TREES)
def test_masking_twice_is_masking_once(tree: Any) -> None:
    masked = mask_secrets(tree)
    assert mask_secrets(masked) == masked


def numbers_of(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [number for value in tree.values() for number in numbers_of(value)]
    if isinstance(tree, list):
        return [number for value in tree for number in numbers_of(value)]
    return [] if isinstance(tree, str) else [tree]


@UNHURRIED
@given(SECRETIVE_TREES)
def test_no_number_is_ever_masked(tree: Any) -> None:
    assert numbers_of(mask_secrets(tree)) == numbers_of(tree)


@UNHURRIED
@given(SECRETIVE_TREES)
def test_a_quick_look_calls_nothing_harmless_that_would_be_masked(tree: Any) -> None:
    if secret_masking._is_harmless(tree):
        assert secret_masking._masked(tree, 64, in_metrics=False) == tree


@pytest.mark.parametrize(
    "unit",
    [
        *("token_", "?a=", "?key=", "://", "basic ", "eyJ", "eyJ.", "sk-proj-", "%25", "%3Ftoken", "-----BEGIN ", "'"),
        *(
            "-----BEGIN PRIVATE KEY-----",
            "password='",
            "authorization:",
            "token \t",
            "--token ",
            "[",
            '{"a":',
            "1",
            "a;b=",
        ),
    ],
)
@pytest.mark.parametrize("before", ["", "token="])
def test_the_time_grows_with_the_text_and_no_faster(unit: str, before: str) -> None:
    def seconds(size: int) -> float:
        text = before + unit * (size // len(unit))
        start = time.process_time()
        mask_text(text)
        return time.process_time() - start

    short = min(seconds(20_000) for _ in range(3))
    assert min(seconds(160_000) for _ in range(2)) < 8 * 4 * short + 0.02

"""Secrets of a JSON tree are masked, wherever they hide."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paiview.secret_masking import MASK, mask_secrets

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
        ({"Environments": {"HOST": SECRET, "N": 3}}, {"Environments": {"HOST": MASK, "N": MASK}}),
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
        ("https://a.example/k?Expires=1&Signature=s3cr3t", f"https://a.example/k?Expires=1&Signature={MASK}"),
        ("https://a.example/k?x-oss-signature=s3cr3t", f"https://a.example/k?x-oss-signature={MASK}"),
        ("https://a.example/k?token=s3cr3t", f"https://a.example/k?token={MASK}"),
        ("run --password s3cr3t --epochs 3", f"run --password {MASK} --epochs 3"),
        (["run", "--api-key", "s3cr3t", "x", "--token"], ["run", "--api-key", MASK, "x", "--token"]),
        ("API_KEY=s3cr3t run", f"API_KEY={MASK} run"),
        ("export HF_TOKEN='s3 cr3t'", f"export HF_TOKEN={MASK}"),
        ("Authorization: Bearer s3cr3ts3cr3t", f"Authorization: Bearer {MASK}"),
        (
            {"Options": '{"password": "s3cr3t", "a": 1}'},
            {"Options": json.dumps({"password": MASK, "a": 1}, ensure_ascii=False)},
        ),
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

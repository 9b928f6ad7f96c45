"""Settings: where they come from, and one sentence for each that is wrong."""

import os
from pathlib import Path
from typing import Any

import pytest

from paiview.decisions import contracts
from paiview.pai.errors import SettingError
from paiview.settings import Settings, load_settings, setting_origins

DEFAULTS = {
    "endpoint": None,
    "region": None,
    "workspace_id": None,
    "page_size": 50,
    "concurrency": 8,
    "rate_limit": None,
    "deadline": 15.0,
    "connect_timeout": 5.0,
    "read_timeout": 10.0,
    "cache_ttl": 60.0,
    "cache_url": None,
    "data": (),
    "allowed_hosts": (),
    "trusted_proxies": (),
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(text: str | bytes, name: str = "paiview.toml") -> Path:
    file = Path(name)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def refusal() -> str:
    with pytest.raises(SettingError) as caught:
        load_settings()
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value.message


def test_without_settings_the_defaults_hold(home: Path) -> None:
    settings = load_settings()
    assert {name: getattr(settings, name) for name in DEFAULTS} == DEFAULTS
    assert settings.data_dir == home / ".local/share/paiview"
    assert settings.service_endpoint is None
    assert set(setting_origins()) == {*DEFAULTS, "data_dir"}
    assert set(setting_origins().values()) == {"default"}


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    write('page_size = 20\nconcurrency = 4\nregion = "cn-beijing"\ndata = []')
    monkeypatch.setenv("PAIVIEW_CONCURRENCY", "2")
    monkeypatch.setenv("PAIVIEW_DEADLINE", "7.5")
    settings = load_settings()
    assert (settings.page_size, settings.concurrency, settings.deadline, settings.read_timeout) == (20, 2, 7.5, 10.0)
    found = setting_origins()
    assert {
        name: found[name] for name in ("page_size", "concurrency", "deadline", "read_timeout", "region", "data")
    } == {
        "page_size": "paiview.toml",
        "concurrency": "environment",
        "deadline": "environment",
        "read_timeout": "default",
        "region": "paiview.toml",
        "data": "paiview.toml",
    }


def test_an_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT", "PAGE_SIZE", "DATA"):
        monkeypatch.setenv(f"PAIVIEW_{name}", "")
    assert load_settings().page_size == 50
    assert setting_origins()["page_size"] == "default"


def test_another_file_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    write("page_size = 10")
    other = write("page_size = 30", "other.toml")
    monkeypatch.setenv("PAIVIEW_CONFIG", str(other))
    assert load_settings().page_size == 30
    assert setting_origins()["page_size"] == "other.toml"


def test_a_named_file_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIVIEW_CONFIG", "nowhere.toml")
    assert refusal() == "PAIVIEW_CONFIG names nowhere.toml, which is not a file."


@pytest.mark.parametrize("content", ["page_size = ", "=", b"page_size = 1 # \xff", "page_size = 1\npage_size = 2"])
def test_a_broken_file_is_an_error_that_names_it(content: str | bytes) -> None:
    write(content)
    assert refusal().startswith("paiview.toml is not valid TOML: ")


@pytest.mark.parametrize(
    "content", ["page_sise = 20", "page_sise = [1]", "PAGE_SIZE = 20", 'page_sise = "x"\npage_size = 1']
)
def test_a_name_in_the_file_that_is_no_setting_is_an_error(content: str) -> None:
    write(content)
    assert refusal() == f"paiview.toml: {content.partition(' ')[0]} is not a setting of paiview."


def test_a_name_that_is_not_a_setting_is_named_on_one_line() -> None:
    write('page_size = 20\n"page\\nsise" = 1\n[metrics.cer]')
    assert refusal() == "paiview.toml: page sise is not a setting of paiview."


def test_metrics_datasets_and_the_policy_stand_in_the_same_file() -> None:
    write('page_size = 20\n[datasets.d-1]\nname = "test"\n[[policy]]\nrule = "no_missing"')
    assert load_settings().page_size == 20


@pytest.mark.parametrize("content", ["[metrcs.cer]", "[metrics.cer]\ndirecton = 1", "metrics = 5", "policy = []"])
def test_the_tables_of_the_contracts_are_left_to_them(content: str) -> None:
    write(f"page_size = 20\n{content}")
    assert load_settings().page_size == 20


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ENDPOINT", "pai", "must be a URL like https://aiworkspace.cn-shanghai.aliyuncs.com"),
        ("ENDPOINT", "ftp://a.example", "must be a URL like https://aiworkspace.cn-shanghai.aliyuncs.com"),
        ("ENDPOINT", "https://", "must be a URL like https://aiworkspace.cn-shanghai.aliyuncs.com"),
        ("ENDPOINT", "https://a.example/path", "must be a host alone, without path, query or user"),
        ("ENDPOINT", "https://a.example?x=1", "must be a host alone, without path, query or user"),
        ("ENDPOINT", "https://user:s3cr3t@a.example", "must be a host alone, without path, query or user"),
        ("ENDPOINT", "https://:s3cr3t@a.example", "must be a host alone, without path, query or user"),
        ("ENDPOINT", "http://a.example", "must use https: plain http is for this machine alone"),
        ("ENDPOINT", "http://127.0.0.1.a.example", "must use https: plain http is for this machine alone"),
        ("ENDPOINT", "https://a.example:99999", "must have a port from 1 to 65535, or none"),
        ("ENDPOINT", "https://a.example:0", "must have a port from 1 to 65535, or none"),
        ("REGION", "cn_beijing", "must match pattern '^[a-z]+(-[a-z0-9]+)+$'"),
        ("REGION", "cn-beijing.evil.example/", "must match pattern '^[a-z]+(-[a-z0-9]+)+$'"),
        ("PAGE_SIZE", "0", "must be greater than or equal to 1"),
        ("PAGE_SIZE", "101", "must be less than or equal to 100"),
        ("PAGE_SIZE", "many", "must be a valid integer, unable to parse string as an integer"),
        ("CONCURRENCY", "0", "must be greater than or equal to 1"),
        ("CONCURRENCY", "65", "must be less than or equal to 64"),
        ("RATE_LIMIT", "-1", "must be greater than or equal to 0"),
        ("RATE_LIMIT", "nan", "must be greater than or equal to 0"),
        ("DEADLINE", "0", "must be greater than 0"),
        ("DEADLINE", "301", "must be less than or equal to 300"),
        ("DEADLINE", "inf", "must be less than or equal to 300"),
        ("CONNECT_TIMEOUT", "-1", "must be greater than 0"),
        ("CONNECT_TIMEOUT", "301", "must be less than or equal to 300"),
        ("READ_TIMEOUT", "0", "must be greater than 0"),
        ("READ_TIMEOUT", "nan", "must be less than or equal to 300"),
        ("CACHE_TTL", "-1", "must be greater than or equal to 0"),
        ("CACHE_TTL", "a minute", "must be a valid number, unable to parse string as a number"),
    ],
)
def test_a_wrong_variable_gives_one_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(f"PAIVIEW_{name}", value)
    told = refusal()
    assert told == f"PAIVIEW_{name} {reason}."
    assert "s3cr3t" not in told


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('page_size = "x"', "page_size must be a valid integer, "),
        ("data = 5", "data must be a valid tuple."),
        ("data = [5]", "data is not usable: input is not a valid path "),
        ("endpoint = 5", "endpoint must be a valid string."),
    ],
)
def test_a_wrong_value_in_the_file_gives_one_sentence_that_names_the_file(content: str, problem: str) -> None:
    write(f'region = "cn-shanghai"\n{content}')
    assert refusal().startswith(f"paiview.toml: {problem}")


def test_a_wrong_variable_is_named_though_the_file_has_the_setting_too(monkeypatch: pytest.MonkeyPatch) -> None:
    write("page_size = 20")
    monkeypatch.setenv("PAIVIEW_PAGE_SIZE", "101")
    assert refusal() == "PAIVIEW_PAGE_SIZE must be less than or equal to 100."


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://aiworkspace.cn-shanghai.aliyuncs.com/", "https://aiworkspace.cn-shanghai.aliyuncs.com"),
        (" https://a.example:8443 ", "https://a.example:8443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://localhost:9000/", "http://localhost:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_an_endpoint_is_a_host(monkeypatch: pytest.MonkeyPatch, given: str, used: str) -> None:
    monkeypatch.setenv("PAIVIEW_ENDPOINT", given)
    assert load_settings().service_endpoint == used


@pytest.mark.parametrize(
    ("settings", "endpoint", "rate"),
    [
        ({}, None, 0.0),
        ({"region": "cn-beijing"}, "https://aiworkspace.cn-beijing.aliyuncs.com", 20.0),
        ({"region": "cn-beijing", "rate_limit": 5.0}, "https://aiworkspace.cn-beijing.aliyuncs.com", 5.0),
        ({"region": "cn-beijing", "rate_limit": 0.0}, "https://aiworkspace.cn-beijing.aliyuncs.com", 0.0),
        ({"region": "cn-beijing", "endpoint": "https://a.example"}, "https://a.example", 20.0),
        ({"endpoint": "http://127.0.0.1:9000"}, "http://127.0.0.1:9000", 0.0),
        ({"endpoint": "http://[::1]:9000"}, "http://[::1]:9000", 0.0),
        ({"endpoint": "https://localhost", "rate_limit": 3.0}, "https://localhost", 3.0),
    ],
)
def test_the_endpoint_and_the_rate_follow_from_what_is_set(
    settings: dict[str, Any], endpoint: str | None, rate: float
) -> None:
    found = Settings(**settings)
    assert (found.service_endpoint, found.requests_per_second) == (endpoint, rate)


def test_data_files_are_a_list_in_both_places(monkeypatch: pytest.MonkeyPatch) -> None:
    write('data = ["a.json", "b.json"]')
    assert load_settings().data == (Path("a.json"), Path("b.json"))
    monkeypatch.setenv("PAIVIEW_DATA", os.pathsep.join(["c.json", "", "d e.json"]))
    assert load_settings().data == (Path("c.json"), Path("d e.json"))


@pytest.mark.parametrize(("name", "value"), [("ENDPOINT", "https://a.example"), ("REGION", "cn-beijing")])
def test_data_files_need_the_embedded_registry(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("PAIVIEW_DATA", "a.json")
    monkeypatch.setenv(f"PAIVIEW_{name}", value)
    assert refusal().startswith("PAIVIEW_DATA is for the embedded registry")


def test_neither_dotenv_nor_credentials_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    write("PAIVIEW_PAGE_SIZE=7\nPAIVIEW_ACCESS_KEY_SECRET=s3cr3t", ".env")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cr3t")
    monkeypatch.setenv("PAIVIEW_ACCESS_KEY_SECRET", "s3cr3t")
    settings = load_settings()
    assert settings.page_size == 50
    assert "s3cr3t" not in repr(settings)
    assert "s3cr3t" not in settings.model_dump_json()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().page_size = 3  # type: ignore[misc]


def test_hosts_and_proxies_are_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    write('allowed_hosts = ["PAI.example.com.", "fd00::1"]\ntrusted_proxies = ["10.0.0.9/24"]')
    settings = load_settings()
    assert (settings.allowed_hosts, settings.trusted_proxies) == (("pai.example.com", "fd00::1"), ("10.0.0.0/24",))
    monkeypatch.setenv("PAIVIEW_ALLOWED_HOSTS", "a.example, [::1] ,")
    monkeypatch.setenv("PAIVIEW_TRUSTED_PROXIES", "::1, 10.0.0.9")
    settings = load_settings()
    assert (settings.allowed_hosts, settings.trusted_proxies) == (("a.example", "::1"), ("::1/128", "10.0.0.9/32"))


@pytest.mark.parametrize("value", ["https://pai.example.com", "pai.example.com:8501", "*", "a b", "通.example"])
def test_an_address_is_no_host_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PAIVIEW_ALLOWED_HOSTS", value)
    assert refusal().startswith("PAIVIEW_ALLOWED_HOSTS must be host names like pai.example.com")


@pytest.mark.parametrize("value", ["*", "proxy.example.com", "10.0.0.0/33"])
def test_a_proxy_is_an_address(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PAIVIEW_TRUSTED_PROXIES", value)
    assert refusal().startswith("PAIVIEW_TRUSTED_PROXIES must be addresses like 10.0.0.5")


def test_the_address_of_a_shared_cache_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIVIEW_CACHE_URL", "rediss://user:s3cr3t@cache.example.com:6379/0?socket_timeout=5")
    settings = load_settings()
    assert settings.cache_url is not None
    assert settings.cache_url.get_secret_value().endswith("@cache.example.com:6379/0?socket_timeout=5")
    assert "s3cr3t" not in repr(settings) + str(settings.cache_url) + settings.model_dump_json()


@pytest.mark.parametrize(
    "value",
    [
        "cache.example.com",
        "https://:s3cr3t@cache.example.com",
        "redis://:s3cr3t@",
        "redis://:s3cr3t@cache.example.com:s3cr3t",
        "redis://:s3cr3t@cache.example.com:0",
        "redis://[s3cr3t",
        "redis://:s3cr3t/5@cache.example.com:6379",
        "unix://",
    ],
)
def test_what_is_no_address_of_a_shared_cache_is_not_repeated(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PAIVIEW_CACHE_URL", value)
    assert refusal() == "PAIVIEW_CACHE_URL must be a URL like rediss://:password@cache.example.com:6379/0."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_may_begin_with_a_byte_order_mark(encoding: str) -> None:
    write('region = "cn-shanghai"\n[metrics.cer]\ndirection = "lower"\n'.encode(encoding))
    assert load_settings().region == "cn-shanghai"
    assert setting_origins()["region"] == "paiview.toml"
    assert contracts.current().metrics["cer"].direction == "lower"
    policy = write('[[policy]]\nrule = "described"\n'.encode(encoding), "policy.toml")
    assert [rule.rule for rule in contracts.load_policy(policy, contracts.current())] == ["described"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_file_in_another_encoding_is_one_sentence(encoding: str) -> None:
    write('region = "cn-shanghai"\n'.encode(encoding))
    assert refusal() == f"paiview.toml is not valid TOML: it is in {encoding.upper()}; save it in UTF-8."

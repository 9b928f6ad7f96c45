"""Where the key comes from, what stands for it in a cache key, and what is said when there is none."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paiview.pai import credentials
from paiview.pai.credentials import (
    ECS_DISABLED,
    ECS_ROLE,
    NO_CREDENTIAL_MESSAGE,
    Credential,
    StaticCredentials,
    from_chain,
)
from paiview.pai.errors import CredentialError
from tests.harness.server import Reply, Request, reply
from tests.pai.conftest import KEY_ID, SECRET, TOKEN, Serve, assert_keeps_secrets

KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}


def forget_package() -> dict[str, Any]:
    names = [name for name in sys.modules if name.partition(".")[0] == "alibabacloud_credentials"]
    return {name: sys.modules.pop(name) for name in names}


@pytest.fixture(autouse=True)
def _package_not_imported(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The official package reads its environment when it is imported: each test imports it anew, off any cloud."""

    monkeypatch.setattr(credentials, "MACHINE_FILES", ())
    monkeypatch.setenv(ECS_DISABLED, "")
    monkeypatch.delenv(ECS_DISABLED)  # Set and deleted, it is gone again after the test whatever the chain does.
    kept = forget_package()
    yield
    forget_package()
    sys.modules.update(kept)


@pytest.fixture
def home() -> Path:
    return Path.home()


def set_environment(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_cli_profiles(home: Path, *profiles: dict[str, str]) -> Path:
    """The file of the aliyun command line; its first profile is the current one."""
    text = json.dumps({"current": profiles[0]["name"], "profiles": profiles})
    return write(home / ".aliyun/config.json", text)


def cli_profile(name: str, key_id: str, token: str | None = None) -> dict[str, str]:
    profile = {"name": name, "mode": "AK", "access_key_id": key_id, "access_key_secret": SECRET}
    return profile if token is None else {**profile, "mode": "StsToken", "sts_token": token}


def ini(key_id: str, section: str = "default") -> str:
    return f"[{section}]\ntype = access_key\naccess_key_id = {key_id}\naccess_key_secret = {SECRET}\n"


def test_a_fixed_key_is_always_the_same() -> None:
    source = StaticCredentials(KEY_ID, SECRET, TOKEN)
    assert source.get() == source.get(fresh=True) == Credential(KEY_ID, SECRET, TOKEN)
    assert source.principal == KEY_ID


@pytest.mark.parametrize("text", ["", " ", "a b", " a", "a\n", "a\r\nx-evil: 1", "a\0", "密钥", "a\u00a0"])
@pytest.mark.parametrize("part", ["access_key_id", "access_key_secret", "security_token"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_by_name(part: str, text: str) -> None:
    good = {"access_key_id": KEY_ID, "access_key_secret": SECRET, "security_token": TOKEN}
    with pytest.raises(CredentialError) as raised:
        Credential(**{**good, part: text})
    assert raised.value.message.startswith(f"The {part.replace('_', ' ')} of the server is empty or contains blanks")
    assert_keeps_secrets(raised.value)


def test_the_environment_gives_a_permanent_key(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, KEY)
    source = from_chain()
    assert source.get() == Credential(KEY_ID, SECRET, None)
    assert source.principal == KEY_ID


def test_the_environment_gives_a_temporary_key(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, {**KEY, "ALIBABA_CLOUD_SECURITY_TOKEN": TOKEN})
    source = from_chain()
    assert source.get() == Credential(KEY_ID, SECRET, TOKEN)
    assert source.principal == KEY_ID


def test_line_ends_around_a_pasted_key_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, {name: f" {value}\n" for name, value in KEY.items()})
    assert from_chain().get() == Credential(KEY_ID, SECRET, None)


def test_the_file_of_the_command_line_gives_its_current_profile(home: Path) -> None:
    write_cli_profiles(home, cli_profile("first", "key-1"), cli_profile("second", "key-2"))
    source = from_chain()
    assert source.get() == Credential("key-1", SECRET, None)
    assert source.principal == "key-1"


def test_a_profile_is_chosen_by_its_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cli_profiles(home, cli_profile("first", "key-1"), cli_profile("second", "key-2"))
    monkeypatch.setenv("ALIBABA_CLOUD_PROFILE", "second")
    assert from_chain().get().access_key_id == "key-2"


def test_the_credentials_file_is_read_from_the_home(home: Path) -> None:
    write(home / ".alibabacloud/credentials.ini", ini("key-ini"))
    assert from_chain().get() == Credential("key-ini", SECRET, None)


def test_the_credentials_file_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "keys.ini", ini("key-elsewhere", "team"))
    set_environment(monkeypatch, {"ALIBABA_CLOUD_CREDENTIALS_FILE": str(file), "ALIBABA_CLOUD_PROFILE": "team"})
    assert from_chain().get().access_key_id == "key-elsewhere"


def test_the_environment_goes_before_the_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cli_profiles(home, cli_profile("first", "key-1"))
    set_environment(monkeypatch, KEY)
    assert from_chain().get().access_key_id == KEY_ID


def test_fresh_reads_the_files_again(home: Path) -> None:
    write_cli_profiles(home, cli_profile("first", "key-1"))
    source = from_chain()
    assert source.get().access_key_id == "key-1"
    write_cli_profiles(home, cli_profile("first", "key-2"))
    assert source.get().access_key_id == "key-1"
    assert source.get(fresh=True).access_key_id == "key-2"
    assert source.get().access_key_id == "key-2"


def missing_from(source: credentials.CredentialSource) -> Sequence[CredentialError]:
    errors = []
    for ask in (source.get, lambda: source.get(fresh=True), lambda: source.principal):
        with pytest.raises(CredentialError) as raised:
            ask()
        errors.append(raised.value)
    return errors


def test_no_credential_is_one_sentence_that_names_the_variables(capfd: pytest.CaptureFixture[str]) -> None:
    for error in missing_from(from_chain()):
        assert error.message == NO_CREDENTIAL_MESSAGE
        assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in error.advice
        assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET" in error.advice
        assert not error.retryable
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "variables",
    [
        {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET},
        {"ALIBABA_CLOUD_ACCESS_KEY_ID": "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET},
        {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID},
        {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""},
        {"ALIBABA_CLOUD_SECURITY_TOKEN": TOKEN},
    ],
)
def test_half_a_key_is_none(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, variables)
    for error in missing_from(from_chain()):
        assert error.message == NO_CREDENTIAL_MESSAGE
        assert_keeps_secrets(error)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".aliyun/config.json", f'{{"access_key_secret": "{SECRET}"'),
        (".aliyun/config.json", "[]"),
        (".aliyun/config.json", f'{{"current": "{SECRET}", "profiles": []}}'),
        (".aliyun/config.json", f'{{"current": "a", "profiles": [{{"name": "a", "mode": "{SECRET}"}}]}}'),
        (".alibabacloud/credentials.ini", f"access_key_secret = {SECRET}\n"),
        (".alibabacloud/credentials.ini", f"[default]\ntype = {SECRET}\n"),
        (".alibabacloud/credentials.ini", f"[default]\ntype = access_key\naccess_key_secret = {SECRET}\n"),
        (".alibabacloud/credentials.ini", ""),
    ],
)
def test_a_broken_file_is_no_credential_and_not_quoted(
    file: str, text: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(home / file, text)
    for error in missing_from(from_chain()):
        assert error.message == NO_CREDENTIAL_MESSAGE
        assert_keeps_secrets(error)
    assert capfd.readouterr() == ("", "")


def test_a_credential_that_appears_later_is_found(home: Path) -> None:
    source = from_chain()
    missing_from(source)
    write_cli_profiles(home, cli_profile("first", "key-1"))
    assert source.get().access_key_id == "key-1"
    assert source.principal == "key-1"


@pytest.mark.parametrize(
    ("variables", "vendor", "asked"),
    [
        ({}, "QEMU", False),
        ({}, "Alibaba Cloud", True),
        ({ECS_ROLE: "role"}, "QEMU", True),
        ({ECS_DISABLED: "true"}, "Alibaba Cloud", False),
        ({ECS_DISABLED: "TRUE", ECS_ROLE: "role"}, "Alibaba Cloud", False),
        ({ECS_DISABLED: "false"}, "QEMU", True),
    ],
)
def test_the_metadata_service_is_asked_only_where_it_can_answer(
    variables: dict[str, str], vendor: str, asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = (tmp_path / "absent", write(tmp_path / "sys_vendor", f"{vendor}\n"))
    monkeypatch.setattr(credentials, "MACHINE_FILES", files)
    set_environment(monkeypatch, variables)
    from_chain()
    assert (os.environ.get(ECS_DISABLED, "").lower() != "true") is asked


def principal(home: Path, profile: dict[str, str]) -> str:
    write_cli_profiles(home, profile)
    return from_chain().principal


def test_the_principal_of_a_temporary_key_is_its_source_and_stays(home: Path) -> None:
    write_cli_profiles(home, cli_profile("first", KEY_ID, TOKEN))
    first, second = from_chain(), from_chain()
    assert first.get() == Credential(KEY_ID, SECRET, TOKEN)
    assert first.principal == first.principal == second.principal
    assert first.principal.startswith("cli_profile/")
    for part in (KEY_ID, SECRET, TOKEN):
        assert part not in first.principal


def test_another_profile_is_another_principal(home: Path) -> None:
    assert principal(home, cli_profile("first", "key-1", "token-1")) != principal(
        home, cli_profile("second", "key-2", "token-2")
    )


def test_another_choice_of_profile_is_another_principal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = cli_profile("first", "key-1", "token-1"), cli_profile("second", "key-2", "token-2")
    write_cli_profiles(home, *profiles)
    first = from_chain().principal
    monkeypatch.setenv("ALIBABA_CLOUD_PROFILE", "second")
    forget_package()
    assert from_chain().principal != first


def test_a_rotating_key_from_a_uri_keeps_one_principal(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []

    async def respond(_: Request) -> Reply:
        given.append(f"{TOKEN}-{len(given)}")
        return reply(
            {
                "Code": "Success",
                "AccessKeyId": f"STS.{len(given)}",
                "AccessKeySecret": SECRET,
                "SecurityToken": given[-1],
                "Expiration": f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            }
        )

    server = serve(respond)
    monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_URI", f"{server.url}/credentials")
    source = from_chain()
    assert source.get() == Credential("STS.1", SECRET, given[0])
    before = source.principal
    assert source.get(fresh=True) == Credential("STS.2", SECRET, given[1])
    assert source.principal == before == from_chain().principal
    assert "STS" not in before
    assert before.startswith("credential_uri:")


def test_a_uri_that_fails_is_no_credential_and_its_answer_is_not_quoted(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def respond(_: Request) -> Reply:
        return reply({"Code": "Failed", "AccessKeySecret": SECRET, "SecurityToken": TOKEN}, status=500)

    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_URI", f"{serve(respond).url}/credentials")
    for error in missing_from(from_chain()):
        assert error.message == NO_CREDENTIAL_MESSAGE
        assert_keeps_secrets(error)
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text


def test_importing_paiview_does_not_yet_fix_the_environment() -> None:
    code = "import sys, paiview.pai; print('alibabacloud_credentials' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"

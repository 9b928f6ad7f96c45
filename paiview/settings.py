"""Settings: the environment (prefix PAIVIEW_), then paiview.toml, then the defaults here."""

import ipaddress
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from paiview import toml_file
from paiview.pai.endpoint import LOOPBACK_HOSTS
from paiview.pai.errors import SettingError
from paiview.text import one_line

SERVICE_RATE_LIMIT = 20.0
"""Requests a second towards PAI: well under the 50 a second that the whole company account shares."""
CACHE_SCHEMES = ("redis", "rediss", "valkey", "valkeys", "unix")
TABLES = ("metrics", "datasets", "policy")
"""What ``paiview.decisions.contracts`` reads from the same file."""


def _endpoint(value: str) -> str:
    """Check an endpoint: https, or plain http towards this machine alone."""
    parts = urlsplit(value.strip().rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL like https://aiworkspace.cn-shanghai.aliyuncs.com")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be a host alone, without path, query or user")
    if parts.port == 0:
        raise ValueError("must have a port from 1 to 65535, or none")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("must use https: plain http is for this machine alone")
    return parts.geturl()


def _cache_url(value: SecretStr) -> SecretStr:
    """Check the address of a shared cache; what is said about it repeats nothing of it."""
    try:
        parts = urlsplit(value.get_secret_value())
        known = parts.scheme in CACHE_SCHEMES and bool(parts.path if parts.scheme == "unix" else parts.hostname)
        usable = known and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must be a URL like rediss://:password@cache.example.com:6379/0")
    return value


def _host(value: str) -> str:
    """Check a host name as it stands in an address, without scheme and port."""
    name = value.strip().lower().strip("[]").removesuffix(".")
    if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", name):
        raise ValueError("must be host names like pai.example.com, without scheme and port")
    return name


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value.strip(), strict=False))
    except ValueError:
        raise ValueError("must be addresses like 10.0.0.5 or networks like 10.0.0.0/24") from None


def _names(value: object) -> object:
    """Split the text of the environment at commas; TOML has lists."""
    return [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _paths(value: object) -> object:
    """Split the text of the environment at ``os.pathsep``; TOML has lists."""
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


class Settings(BaseSettings):
    """What is in force. Durations are seconds, rates are requests a second.

    ``data`` are files the embedded registry also loads; ``allowed_hosts`` the names the dashboard is served under
    besides its own address, ``trusted_proxies`` those whose ``X-Forwarded-For`` is believed. ``cache_url`` is the Redis
    or Valkey server in which several processes share what they read.
    """

    model_config = SettingsConfigDict(env_prefix="PAIVIEW_", env_ignore_empty=True, frozen=True, extra="ignore")

    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = None
    region: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z0-9]+)+$")] | None = None
    workspace_id: str | None = None
    page_size: Annotated[int, Field(ge=1, le=100)] = 50
    concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    rate_limit: Annotated[float, Field(ge=0)] | None = None
    deadline: Annotated[float, Field(gt=0, le=300)] = 15.0
    connect_timeout: Annotated[float, Field(gt=0, le=300)] = 5.0
    read_timeout: Annotated[float, Field(gt=0, le=300)] = 10.0
    cache_ttl: Annotated[float, Field(ge=0)] = 60.0
    cache_url: Annotated[SecretStr, AfterValidator(_cache_url)] | None = None
    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("paiview", appauthor=False))
    data: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_paths)] = ()
    allowed_hosts: Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], NoDecode, BeforeValidator(_names)] = ()
    trusted_proxies: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_names)
    ] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave out .env files and secret folders: credentials come from the official chain alone."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=toml_file.file_in_use())

    @cached_property
    def service_endpoint(self) -> str | None:
        """The URL of the service, or ``None`` when the embedded registry is to be used."""
        if self.endpoint:
            return self.endpoint
        return f"https://aiworkspace.{self.region}.aliyuncs.com" if self.region else None

    @cached_property
    def requests_per_second(self) -> float:
        """The rate limit in force; 0 is none. On loopback there is none unless one is set."""
        if self.rate_limit is not None:
            return self.rate_limit
        host = urlsplit(self.service_endpoint).hostname if self.service_endpoint else None
        return 0.0 if host is None or host in LOOPBACK_HOSTS else SERVICE_RATE_LIMIT


def load_settings() -> Settings:
    """Read the settings, and check all that the file in use says about metrics, datasets and the policy.

    Raises:
        SettingError: one sentence naming the first thing that cannot be used.
    """
    given = toml_file.content_in_use()
    written = {} if given is None else toml_file.parse(given, toml_file.file_in_use())
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        told = f"PAIVIEW_{name.upper()}"
        if given is not None and setting_origins().get(name) == str(toml_file.file_in_use()):
            told = f"{_line(given, name)}: {name}"
        raise SettingError(f"{told} {_reason(first['msg'])}.") from None
    tables = {*TABLES, *(name for name, value in written.items() if toml_file.is_table(value))}
    unknown = [name for name in written if name not in tables.union(Settings.model_fields)]
    if given is not None and unknown:
        raise SettingError(f"{_line(given, unknown[0])}: {one_line(unknown[0])} is no setting of paiview.")
    if settings.data and settings.service_endpoint:
        raise SettingError(
            "PAIVIEW_DATA is for the embedded registry, which PAIVIEW_ENDPOINT or PAIVIEW_REGION leaves out."
        )
    if not tables.isdisjoint(written):
        from paiview.decisions import contracts  # noqa: PLC0415 - most starts can do without

        contracts.load(toml_file.file_in_use())
    return settings


def setting_origins() -> dict[str, str]:
    """Where the value of each setting comes from: the environment, the file in use, or the default."""
    environment = EnvSettingsSource(Settings)()
    file = TomlConfigSettingsSource(Settings, toml_file=toml_file.file_in_use()).toml_data
    return {
        name: "environment" if name in environment else str(toml_file.file_in_use()) if name in file else "default"
        for name in Settings.model_fields
    }


def _line(content: bytes, name: str) -> str:
    return f"{toml_file.file_in_use()}, line {toml_file.lines(content)[name,]}"


def _reason(message: str) -> str:
    text = message.removeprefix("Value error, ").removesuffix(".")
    return text if text.startswith("must") else f"is not usable: {text[:1].lower()}{text[1:]}"

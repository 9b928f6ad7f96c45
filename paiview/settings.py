"""Settings from the environment (prefix PAIVIEW_), else from paiview.toml, else the defaults of this module."""

import ipaddress
import os
import re
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

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
"""Requests per second to PAI, well under the 50 per second that all users of one company account share."""
CACHE_SCHEMES = ("redis", "rediss", "valkey", "valkeys", "unix")
TABLES = ("metrics", "datasets", "policy")
"""The tables of the same file that ``paiview.decisions.contracts`` reads."""


def _endpoint(value: str) -> str:
    """Check the URL of the service: https, or plain http to this machine."""
    parts = urlsplit(value.strip().rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL like https://aiworkspace.cn-shanghai.aliyuncs.com")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be a host alone, without path, query or user")
    if not _has_usable_port(parts):
        raise ValueError("must have a port from 1 to 65535, or none")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("must use https: plain http is for this machine alone")
    return parts.geturl()


def _has_usable_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _cache_url(value: SecretStr) -> SecretStr:
    """Check the URL of a shared cache; the message repeats no part of it, since it may hold a password."""
    try:
        parts = urlsplit(value.get_secret_value())
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    has_server = bool(parts.path if parts.scheme == "unix" else parts.hostname)
    if parts.scheme not in CACHE_SCHEMES or not has_server or not _has_usable_port(parts):
        raise ValueError("must be a URL like rediss://:password@cache.example.com:6379/0")
    return value


def _host(value: str) -> str:
    """Check a host name or address without scheme and port, and write it in lower case."""
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
    """Split a value of the environment at commas; TOML has lists."""
    return [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _paths(value: object) -> object:
    """Split a value of the environment at ``os.pathsep``; TOML has lists."""
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


class _FileSource(TomlConfigSettingsSource):
    """The settings of the file in use, read like its tables: a byte order mark is allowed."""

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        return toml_file.parse(file_path.read_bytes(), Path(str(file_path)))


class Settings(BaseSettings):
    """All settings. Durations are in seconds, rates in requests per second.

    ``data`` are files that the embedded registry also loads. ``allowed_hosts`` are host names of the dashboard besides
    its own address. ``trusted_proxies`` are the addresses or networks whose ``X-Forwarded-For`` is used. ``cache_url``
    is the Redis or Valkey server in which several processes share snapshots.
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
        """Leave out .env files and secret folders: credentials come only from Alibaba Cloud's credential chain."""
        return init_settings, env_settings, _FileSource(settings_cls, toml_file=toml_file.file_in_use())

    @cached_property
    def service_endpoint(self) -> str | None:
        """The URL of the service; ``None`` selects the embedded registry."""
        if self.endpoint:
            return self.endpoint
        return f"https://aiworkspace.{self.region}.aliyuncs.com" if self.region else None

    @cached_property
    def requests_per_second(self) -> float:
        """The rate limit; 0 disables it. Loopback endpoints have none by default."""
        if self.rate_limit is not None:
            return self.rate_limit
        host = urlsplit(self.service_endpoint).hostname if self.service_endpoint else None
        return 0.0 if host is None or host in LOOPBACK_HOSTS else SERVICE_RATE_LIMIT


def load_settings() -> Settings:
    """Read the settings.

    The tables of the file in use are left to ``paiview.decisions.contracts``.

    Raises:
        SettingError: one sentence that names the first unusable setting.
    """
    file = toml_file.file_in_use()
    content = toml_file.content_in_use()
    document = {} if content is None else toml_file.parse(content, file)
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        is_in_file = setting_origins().get(name) == str(file)
        subject = f"{file}: {name}" if is_in_file else f"PAIVIEW_{name.upper()}"
        raise SettingError(f"{subject} {toml_file.requirement(first['msg'])}.") from None
    for name, value in document.items():
        if name not in TABLES and name not in Settings.model_fields and not toml_file.is_table(value):
            raise SettingError(f"{file}: {one_line(name)} is not a setting of paiview.")
    if settings.data and settings.service_endpoint:
        raise SettingError(
            "PAIVIEW_DATA is for the embedded registry, which PAIVIEW_ENDPOINT or PAIVIEW_REGION leaves out."
        )
    return settings


def setting_origins() -> dict[str, str]:
    """Where the value of each setting comes from: ``environment``, the path of the file in use, or ``default``."""
    file = toml_file.file_in_use()
    in_environment = EnvSettingsSource(Settings)()
    in_file = _FileSource(Settings, toml_file=file).toml_data
    return {
        name: "environment" if name in in_environment else str(file) if name in in_file else "default"
        for name in Settings.model_fields
    }

"""Settings that more than one process reads. Each process adds its own groups in a subclass."""

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import URL

from store.configuration.database_address import (
    AddressParts,
    file_address,
    read_address,
    server_address,
)
from store.configuration.groups import Group, groups_of, settings_of, sort_into_groups
from store.configuration.names import PREFIX, SettingsError
from store.configuration.sources import find_values


class StoreGroup(Group):
    """Where records live."""

    var_dir: Path = Path("var")
    """Folder for the SQLite file, evidence, outlier models, the spool and unsent mail."""

    database_url: SecretStr | None = None
    """SQLAlchemy URL (`postgresql+psycopg://…`, `sqlite:///…`); default: SQLite in `var_dir`."""

    database_host: str | None = Field(None, min_length=1)
    """PostgreSQL's host, address or folder of its socket, if `database_url` does not say it."""

    database_port: int | None = Field(None, ge=1, le=65535)
    """PostgreSQL's port, if `database_url` does not say it."""

    database_name: str | None = Field(None, min_length=1)
    """The database's name, if `database_url` does not say it."""

    database_user: str | None = Field(None, min_length=1)
    """User on PostgreSQL, if `database_url` does not say it; as it is, without percent forms."""

    database_password: SecretStr | None = Field(None, min_length=1)
    """Password on PostgreSQL, if `database_url` does not say it; without percent forms too."""

    database_wait_seconds: float = Field(5.0, ge=0, le=600, allow_inf_nan=False)
    """How long a statement waits for a locked SQLite file before the record goes to the spool."""

    read_timeout_seconds: float = Field(5.0, gt=0, le=3600, allow_inf_nan=False)
    """How long one statement of a read may take in the service and on a page of the dashboard."""

    min_free_disk_mb: int = Field(1024, ge=1, le=10_000_000)
    """With fewer megabytes (of 1,000,000 bytes) left on the disk of the var folder or of the SQLite
    file, an alert fires: a full disk takes no records, and without a record there is no answer."""

    start_check_seconds: float = Field(2.0, ge=0, le=3600, allow_inf_nan=False)
    """How long a process looks for damage in a SQLite file at its start; 0 does not look."""

    def database_address(self) -> URL:
        """What the URL and the parts say, or the SQLite file under ``var_dir``.

        Raises:
            SettingsError: the URL is none that Maskwatch knows, or they do not go together.
        """
        url = _text_of(self.database_url)
        parts = self._address_parts()
        if parts.as_dict():
            return server_address(parts, url)
        if url is not None:
            return read_address(url)
        return file_address(self.var_dir / "maskwatch.db")

    @property
    def min_free_disk_bytes(self) -> int:
        """The least room on a disk that raises no alert."""
        return self.min_free_disk_mb * 1_000_000

    def effective_database_url(self) -> str:
        """The same as text, with its password, for the environment of another process."""
        return self.database_address().render_as_string(hide_password=False)

    def _address_parts(self) -> AddressParts:
        return AddressParts(
            self.database_host,
            self.database_port,
            self.database_name,
            self.database_user,
            _text_of(self.database_password),
        )


def _text_of(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


Network = IPv4Network | IPv6Network
Item = TypeVar("Item")


def split_list(value: object) -> object:
    """The parts of a comma-separated text; anything else as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaList = Annotated[tuple[Item, ...], BeforeValidator(split_list)]


class ForwardedHeader(StrEnum):
    """The headers in which proxies name their clients."""

    AUTO = "auto"
    FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


class ProxiesGroup(Group):
    """Which proxies stand in front, and how they name whom they serve."""

    trusted_proxies: CommaList[Network] = ()
    """Comma-separated networks of proxies that name the client. No policy ever blocks them."""

    forwarded_header: ForwardedHeader = ForwardedHeader.AUTO
    """The header that they write: `x-forwarded-for`, or `forwarded` (RFC 7239). `auto` reads
    `X-Forwarded-For` where a request has it, else `Forwarded`: set it if your proxies write
    `Forwarded`, or clients could write the other one."""


class AuditGroup(Group):
    """Where the head of the audit chain is kept besides the database."""

    audit_anchor_file: Path | None = None
    """File that the job `anchor_audit` appends the newest row's number and hash to; make it first,
    on a disk that whoever may change the database may not change."""

    audit_anchor_syslog: str | None = Field(
        None, pattern=r"^(/\S+|\[[0-9a-fA-F:.]+\]:[0-9]{1,5}|[A-Za-z0-9._-]+:[0-9]{1,5})$"
    )
    """System log that gets them too: a socket such as `/dev/log`, or `host:port` for UDP."""


class PicturesGroup(Group):
    """Which pictures of requests are kept, and how much room they may take."""

    evidence_sample_share: float = Field(0.02, ge=0, le=1)
    """Share of passed requests whose downscaled, pixelated picture is kept; flagged ones always."""

    evidence_quota_mb: int = Field(2048, ge=1, le=10_000_000)
    """Megabytes (of 1,000,000 bytes) that kept pictures may take. Beyond it passed requests are not
    sampled, and `prune` removes the oldest pictures first."""

    @property
    def evidence_quota_bytes(self) -> int:
        """The quota of kept pictures."""
        return self.evidence_quota_mb * 1_000_000


class RetentionGroup(Group):
    """For how long what is recorded is kept."""

    retention_days: int = Field(30, ge=1, le=3650)
    """Days for which records are kept; whole days go on PostgreSQL, so up to one day longer."""

    evidence_days: int = Field(30, ge=1, le=3650)
    """Days for which pictures of requests are kept; never longer than their records."""

    fingerprint_hours: int = Field(24, ge=1, le=720)
    """Hours for which fingerprints are kept, so that near-duplicates are recognised."""


class OutliersGroup(Group):
    """Which requests are outliers."""

    outlier_p_value: float = Field(0.01, gt=0, le=0.5, allow_inf_nan=False)
    """A request whose conformal p-value is at or below this is an outlier. A model that was trained
    on fewer rows than 1 / this uses 1 / (rows + 1), the smallest p-value that it gives."""


class DashboardGroup(Group):
    """Where the dashboard is."""

    dashboard_host: str = "127.0.0.1"
    """Address the dashboard listens on; loopback unless something protected stands in front."""

    dashboard_port: int = Field(8501, ge=0, le=65535)
    """Port the dashboard listens on; 0 takes any free one."""

    dashboard_url: str = Field("", pattern=r"^[^\s<>\"']*$", validate_default=True)
    """Address under which browsers reach the dashboard, e.g. `https://maskwatch.example`; default:
    `http://` with the host and port it listens on."""

    @field_validator("dashboard_url")
    @classmethod
    def _check_url(cls, value: str, info: ValidationInfo) -> str:
        parts = urlsplit(value)
        if not value:
            if not is_loopback(info.data.get("dashboard_host", "127.0.0.1")):
                raise ValueError(
                    "say which address browsers use, because MASKWATCH_DASHBOARD_HOST is not a "
                    "loopback address"
                )
        elif parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
            raise ValueError("it must look like https://maskwatch.example, without a path")
        return value.rstrip("/")

    def public_url(self) -> str:
        """Where browsers find the dashboard, without a trailing slash."""
        if self.dashboard_url:
            return self.dashboard_url
        host = f"[{self.dashboard_host}]" if ":" in self.dashboard_host else self.dashboard_host
        return f"http://{host}:{self.dashboard_port}"


class AlertsGroup(Group):
    """How much of what is too much."""

    invalid_share_threshold: float = Field(0.05, gt=0, le=1, allow_inf_nan=False)
    """A larger share of invalid requests in 24 hours raises a warning."""

    invalid_share_critical: float = Field(0.20, gt=0, le=1, allow_inf_nan=False)
    """A larger share of invalid requests in 24 hours is critical."""

    alert_min_requests: int = Field(200, ge=1, le=1_000_000)
    """With fewer requests in 24 hours no share raises an alert."""

    alert_min_clients: int = Field(20, ge=1, le=1_000_000)
    """With fewer clients in 24 hours no share raises an alert: it would be about one of them."""

    upstream_share_threshold: float = Field(0.2, gt=0, le=1, allow_inf_nan=False)
    """A larger share of pictures that the service behind the proxy did not answer, not in time,
    with an error, or with an answer that cannot be read, each within 15 minutes, raises an
    alert."""

    @field_validator("invalid_share_critical")
    @classmethod
    def _critical_is_above_warning(cls, value: float, info: ValidationInfo) -> float:
        if value < info.data.get("invalid_share_threshold", 0.0):
            raise ValueError("it must not be below MASKWATCH_INVALID_SHARE_THRESHOLD")
        return value


class ConnectionsGroup(Group):
    """How many connections a process that listens may have open, and for how long."""

    max_connections: int = Field(500, ge=1, le=100_000)
    """Connections that may be open. One more closes one that waits, of the address that has most of
    them; if that address is its own, one that rests between two requests, or itself."""

    header_seconds: float = Field(10, gt=0, le=600)
    """How long a client may take to send the headers of a request."""

    body_seconds: float = Field(20, gt=0, le=3600)
    """How long a client may take to send a whole body; an upload is then answered 408."""

    send_seconds: float = Field(30, gt=0, le=3600)
    """How long a client may take to read an answer; then the connection is closed."""

    idle_seconds: int = Field(75, ge=1, le=3600)
    """How long a connection may stay open between an answer and the next request; those of browsers
    to the dashboard 5 seconds at most. It should be longer than clients and proxies in front keep
    theirs, mostly 60 seconds and less: else a connection closes just as they send."""


class StoreSettings(BaseSettings):
    """What every process reads. Values count in this order: keywords, environment, TOML file.

    Keywords are flat names, ``var_dir=…``, or whole groups, ``store=…``.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    store: StoreGroup = Field(default_factory=StoreGroup)
    audit: AuditGroup = Field(default_factory=AuditGroup)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """One source for all: values are found by their flat names, then sorted into groups."""
        return (InitSettingsSource(settings_cls, _group_values(settings_cls, init_settings())),)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values, by flat names; they are not checked."""
        groups = sort_into_groups(type(self), update or {})
        copies = {
            name: getattr(self, name).model_copy(update=values) for name, values in groups.items()
        }
        return super().model_copy(update=copies, deep=deep)


class ReportSettings(StoreSettings):
    """What mails and pages both say."""

    dashboard: DashboardGroup = Field(default_factory=DashboardGroup)
    alerts: AlertsGroup = Field(default_factory=AlertsGroup)
    proxies: ProxiesGroup = Field(default_factory=ProxiesGroup)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Settings = TypeVar("Settings", bound=StoreSettings)


def load_settings(cls: type[Settings], **values: Any) -> Settings:
    """Read settings from the environment and the TOML file.

    Args:
        values: values by flat name that count more than both, ``None`` for those that do not.

    Raises:
        SettingsError: one sentence for each bad value, named with its variable or place.
    """
    arguments = {name: value for name, value in values.items() if value is not None}
    try:
        return cls(**arguments)
    except ValidationError as error:
        raise SettingsError(*_sentences(cls, error, arguments)) from None


def _group_values(cls: type[BaseSettings], values: Mapping[str, Any]) -> dict[str, Any]:
    groups = {name: value for name, value in values.items() if name in groups_of(cls)}
    flat = {name: value for name, value in values.items() if name not in groups}
    settings = {
        name: setting for name, setting in settings_of(cls).items() if setting.group not in groups
    }
    sources = find_values(settings, os.environ, skip=flat)
    return (
        sort_into_groups(cls, {name: each.value for name, each in sources.items()} | flat) | groups
    )


def _sentences(
    cls: type[StoreSettings], error: ValidationError, values: Mapping[str, Any]
) -> Iterator[str]:
    settings = settings_of(cls)
    places = {name: each.name for name, each in find_values(settings, os.environ, values).items()}
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        name = str(problem["loc"][1])
        place = places.get(name, settings[name].variable)
        yield f"The setting {place} is not usable: {_reason(problem)}."


def _reason(problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not message.startswith(PREFIX):
        message = message[:1].lower() + message[1:]
    return message.rstrip(".")

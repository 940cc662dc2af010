"""Settings that every process shares. Each process adds its own in a subclass."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from detectors.errors import MaskwatchError

PREFIX = "MASKWATCH_"


class SettingsError(MaskwatchError):
    """A setting that Maskwatch cannot work with."""


class StoreSettings(BaseSettings):
    """Where records live."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    var_dir: Path = Path("var")
    """Folder for the SQLite file, evidence, outlier models, the spool and unsent mail."""

    database_url: SecretStr | None = None
    """SQLAlchemy URL (`postgresql+psycopg://…`, `sqlite:///…`); default: SQLite in `var_dir`."""

    database_wait_seconds: float = Field(5.0, ge=0, le=600, allow_inf_nan=False)
    """How long a statement waits for a locked SQLite file before the record goes to the spool."""

    read_timeout_seconds: float = Field(5.0, gt=0, le=3600, allow_inf_nan=False)
    """How long one statement of a read may take in the service and on a page of the dashboard."""

    start_check_seconds: float = Field(2.0, ge=0, le=3600, allow_inf_nan=False)
    """How long a process looks for damage in a SQLite file at its start; 0 does not look."""

    fingerprint_hours: int = Field(24, ge=1, le=720)
    """Hours for which fingerprints are kept, so that near-duplicates are recognised."""

    outlier_p_value: float = Field(0.01, gt=0, le=0.5, allow_inf_nan=False)
    """A request whose conformal p-value is at or below this is an outlier."""
    evidence_quota_mb: int = Field(2048, ge=1, le=10_000_000)
    """Megabytes (of 1,000,000 bytes) that kept pictures may take. Beyond it passed requests are not
    sampled, and `prune` removes the oldest pictures first."""

    @property
    def evidence_quota_bytes(self) -> int:
        """The quota of kept pictures."""
        return self.evidence_quota_mb * 1_000_000

    def effective_database_url(self) -> str:
        """The configured URL, or the SQLite file under ``var_dir``."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.var_dir / 'maskwatch.db'}"


class ReportSettings(StoreSettings):
    """What mails and pages both say: where the dashboard is, and how much invalid is too much."""

    dashboard_host: str = "127.0.0.1"
    """Address the dashboard listens on; loopback unless something protected stands in front."""

    dashboard_port: int = Field(8501, ge=0, le=65535)
    """Port the dashboard listens on; 0 takes any free one."""

    dashboard_url: str = Field("", pattern=r"^[^\s<>\"']*$", validate_default=True)
    """Address under which browsers reach the dashboard, e.g. `https://maskwatch.example`; default:
    `http://` with the host and port it listens on."""

    invalid_share_threshold: float = Field(0.05, gt=0, le=1, allow_inf_nan=False)
    """A larger share of invalid requests in 24 hours raises a warning."""

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


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Settings = TypeVar("Settings", bound=StoreSettings)


def load_settings(cls: type[Settings], **given: Any) -> Settings:
    """Read settings from the environment.

    Args:
        given: values that count more than the environment, ``None`` for those that do not.

    Raises:
        SettingsError: the first bad value, named with its variable.
    """
    try:
        return cls(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0] if first["loc"] else "").upper()
        message = first["msg"].removeprefix("Value error, ")
        if not message.startswith(PREFIX):
            message = message[:1].lower() + message[1:]
        raise SettingsError(f"The setting {name} is not usable: {message.rstrip('.')}.") from None

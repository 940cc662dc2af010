"""Settings of the dashboard process."""

from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from store.settings import StoreSettings

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class DashboardSettings(StoreSettings):
    """Where the dashboard listens and how long people stay signed in."""

    dashboard_host: str = "127.0.0.1"
    """Address the dashboard listens on; loopback unless something protected stands in front."""

    dashboard_port: int = Field(8501, ge=0, le=65535)
    """Port the dashboard listens on; 0 takes any free one."""

    dashboard_url: str = Field("", validate_default=True)
    """Address under which browsers reach the dashboard, e.g. `https://maskwatch.example`; default:
    `http://` with the host and port it listens on."""

    sign_in_minutes: int = Field(15, ge=1, le=1440)
    """How long a one-time sign-in link can be used."""

    session_hours: int = Field(8, ge=1, le=168)
    """How long a browser stays signed in."""

    invalid_share_threshold: float = Field(0.05, gt=0, le=1, allow_inf_nan=False)
    """A larger share of invalid requests in 24 hours raises a warning; shown beside the share."""

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

    def link_valid(self) -> timedelta:
        """Life of a one-time link."""
        return timedelta(minutes=self.sign_in_minutes)

    def session_valid(self) -> timedelta:
        """Life of a browser session."""
        return timedelta(hours=self.session_hours)

    def public_url(self) -> str:
        """Where browsers find the dashboard, without a trailing slash."""
        if self.dashboard_url:
            return self.dashboard_url
        host = f"[{self.dashboard_host}]" if ":" in self.dashboard_host else self.dashboard_host
        return f"http://{host}:{self.dashboard_port}"

    def host_names(self) -> frozenset[str]:
        """Names that a request's ``Host`` header may carry."""
        names = {urlsplit(self.public_url()).hostname or ""}
        if is_loopback(self.dashboard_host):
            names.update(_LOOPBACK_NAMES)
        return frozenset(names)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""Settings of what people are told, and where they look at it."""

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from store.configuration.ascii_hosts import to_ascii_host
from store.configuration.comma_lists import CommaList
from store.configuration.groups import Group


class OutliersGroup(Group):
    """Which requests are outliers."""

    outlier_p_value: float = Field(0.01, gt=0, le=0.5, allow_inf_nan=False)
    """No request whose conformal p-value is above this is an outlier. A model that was trained on
    fewer rows than 1 / this uses 1 / (rows + 1), the smallest p-value that it gives."""

    false_discovery_rate: float = Field(0.1, gt=0, le=0.5, allow_inf_nan=False)
    """At most this share of the outliers that scans select are ordinary requests, on average."""

    outlier_model_keys: CommaList[Path] = ()
    """Comma-separated PEM files of public keys. With any, services and jobs score with no outlier
    model that one of them did not sign."""


class DashboardGroup(Group):
    """Where the dashboard is."""

    dashboard_host: str = Field("127.0.0.1", min_length=1)
    """Address the dashboard listens on; loopback unless something protected stands in front."""

    dashboard_port: int = Field(8501, ge=0, le=65535)
    """Port the dashboard listens on; 0 takes any free one."""

    dashboard_url: str = Field(
        "",
        pattern=r"^[^\s<>\"']*$",
        examples=["https://maskwatch.example"],
        validate_default=True,
    )
    """Address under which browsers reach the dashboard, e.g. `https://maskwatch.example`; default:
    `http://` with the host and port it listens on. A host in other letters is taken as browsers
    send it: `https://müller.example` as `https://xn--mller-kva.example`."""

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
        return to_ascii_host(value).rstrip("/")

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

    invalid_share_critical: float = Field(
        0.20, gt=0, le=1, allow_inf_nan=False, validate_default=True
    )
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


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

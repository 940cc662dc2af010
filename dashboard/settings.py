"""Settings of the dashboard process."""

from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import Field

from store.configuration.groups import Group
from store.configuration.network_groups import ConnectionsGroup
from store.configuration.report_groups import OutliersGroup, is_loopback
from store.settings import ReportSettings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
"""How browsers on this machine, or at the end of a tunnel to it, may name it."""


class SignInGroup(Group):
    """How long people stay signed in."""

    sign_in_minutes: int = Field(15, ge=1, le=1440)
    """How long a one-time sign-in link can be used."""

    session_hours: int = Field(8, ge=1, le=168)
    """How long a browser stays signed in."""

    def link_valid(self) -> timedelta:
        """Life of a one-time link."""
        return timedelta(minutes=self.sign_in_minutes)

    def session_valid(self) -> timedelta:
        """Life of a browser session."""
        return timedelta(hours=self.session_hours)


class DashboardSettings(ReportSettings):
    """What the dashboard reads."""

    sign_in: SignInGroup = Field(default_factory=SignInGroup)
    outliers: OutliersGroup = Field(default_factory=OutliersGroup)
    connections: ConnectionsGroup = Field(default_factory=ConnectionsGroup)

    def host_names(self) -> frozenset[str]:
        """Names that a request's ``Host`` header may carry."""
        names = {urlsplit(self.dashboard.public_url()).hostname or ""}
        if is_loopback(self.dashboard.dashboard_host):
            names.update(LOOPBACK_NAMES)
        return frozenset(names)

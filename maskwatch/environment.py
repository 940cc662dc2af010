"""Checks the environment for settings that nobody reads: usually a typing error."""

import os
from collections.abc import Mapping
from difflib import get_close_matches

from dashboard.settings import DashboardSettings
from inference.model_settings import SigningSettings
from inference.settings import ServiceSettings
from jobs.settings import JobSettings
from store.configuration.names import PREFIX, SettingsError
from store.settings import StoreSettings

ALL_SETTINGS: tuple[type[StoreSettings], ...] = (
    ServiceSettings,
    JobSettings,
    DashboardSettings,
    SigningSettings,
)


def known_names() -> set[str]:
    """Every environment variable that Maskwatch reads."""
    return {PREFIX + name.upper() for cls in ALL_SETTINGS for name in cls.model_fields}


def check_names(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse variables that look like settings and are none.

    Raises:
        SettingsError: with the name, and a similar one if there is one.
    """
    known = known_names()
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            close = get_close_matches(name.upper(), known, n=1)
            hint = f" Did you mean {close[0]}?" if close else " See docs/settings.md."
            raise SettingsError(f"There is no setting {name}.{hint}")

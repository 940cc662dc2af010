"""Checks the environment and the settings file for names that nobody reads: typing errors."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from dashboard.settings import DashboardSettings
from inference.segmenters.model_settings import SigningSettings
from inference.settings import ProxySettings, ServiceSettings
from jobs.settings import JobSettings
from store.configuration.config_file import ConfigFile, read_config_file
from store.configuration.groups import Group, Setting, groups_of, settings_of
from store.configuration.names import CONFIG_VARIABLE, PREFIX, SettingsError
from store.configuration.sources import exposed_secrets
from store.settings import StoreSettings

ALL_SETTINGS: tuple[type[StoreSettings], ...] = (
    ServiceSettings,
    ProxySettings,
    JobSettings,
    DashboardSettings,
    SigningSettings,
)


def all_groups() -> dict[str, type[Group]]:
    """Every group that a process reads, by name."""
    return {name: group for cls in ALL_SETTINGS for name, group in groups_of(cls).items()}


def all_settings() -> dict[str, Setting]:
    """Every setting that a process reads, by flat name."""
    return {name: setting for cls in ALL_SETTINGS for name, setting in settings_of(cls).items()}


def known_names() -> set[str]:
    """Every environment variable that Maskwatch reads."""
    return set(_variables().values())


def check_names(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse names that look like settings and are none, and secrets that others may read.

    Raises:
        SettingsError: each name, and a similar one if there is one; or the file cannot be read.
    """
    config = read_config_file({name.upper(): value for name, value in environment.items()})
    problems = list(_unknown_variables(environment))
    if config is not None:
        problems += [*_unknown_keys(config), *exposed_secrets(all_settings(), config)]
    if problems:
        raise SettingsError(*problems)


def _unknown_variables(environment: Mapping[str, str]) -> Iterator[str]:
    variables = _variables()
    for name in sorted(environment):
        flat = name.lower().removeprefix(PREFIX.lower())
        if name.upper().startswith(PREFIX) and flat not in variables:
            yield f"There is no setting {name}.{_hint(flat, variables)}"


def _unknown_keys(config: ConfigFile) -> Iterator[str]:
    places, groups = _places(), all_groups()
    keys = {group: group for group in groups} | places
    for group in config.tables:
        if group not in groups:
            yield f"There is no group of settings {group} in {config.path}.{_hint(group, keys)}"
            continue
        for name in config.table(group):
            if places.get(name) != f"{group}.{name}":
                near = _hint(name, places)
                yield f"There is no setting {group}.{name} in {config.path}.{near}"


def _places() -> dict[str, str]:
    """Every flat name, also those of secrets' files, and where it stands in the file."""
    settings = all_settings().values()
    return {name: f"{each.group}.{name}" for each in settings for name in each.names}


def _variables() -> dict[str, str]:
    """Every flat name, also that of the settings file, and its variable."""
    flat = [CONFIG_VARIABLE.removeprefix(PREFIX).lower(), *_places()]
    return {name: PREFIX + name.upper() for name in flat}


def _hint(name: str, names: Mapping[str, str]) -> str:
    """The nearest right name, as it is to be written there."""
    close = get_close_matches(name, names, n=1)
    return f" Did you mean {names[close[0]]}?" if close else " See docs/settings.md."

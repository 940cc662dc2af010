"""Settings that more than one process reads. Each process adds its own groups in a subclass."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Self, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from store.configuration.faults import describe_fault
from store.configuration.groups import groups_of, settings_of, sort_into_groups
from store.configuration.names import SettingsError
from store.configuration.network_groups import ProxiesGroup
from store.configuration.report_groups import AlertsGroup, DashboardGroup
from store.configuration.sources import find_values
from store.configuration.store_groups import AuditGroup, StoreGroup


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
    sentences = dict[tuple[str, str], str]()
    for problem in error.errors(include_context=False, include_url=False):
        _group, name, *path = problem["loc"]
        setting = settings[str(name)]
        place = places.get(setting.name, setting.variable)
        why = describe_fault(setting.field, problem, tuple(path))
        # An entry that may be of two kinds is no problem of each of them.
        key = (setting.name, str(path[:1]))
        sentences.setdefault(key, f"The setting {place} is not usable: {why}.")
    yield from sentences.values()

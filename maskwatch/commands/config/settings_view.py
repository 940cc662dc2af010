"""``maskwatch config show``: what is set, and where each value comes from."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from maskwatch.environment import ALL_SETTINGS, all_settings, check_names
from maskwatch.setting_words import toml_value
from store.configuration.groups import settings_of
from store.configuration.sources import find_values
from store.settings import StoreSettings, load_settings


@dataclass(frozen=True)
class SettingView:
    """A setting as people may see it.

    Attributes:
        value: as JSON has it; stars for a secret that is set.
        origin: where it comes from, in words.
    """

    group: str
    name: str
    value: object
    origin: str


def show_settings() -> list[SettingView]:
    """Every setting of every process, by group.

    Raises:
        SettingsError: a setting cannot be used.
    """
    check_names()
    views = {view.name: view for cls in ALL_SETTINGS for view in _show(cls)}
    return [views[name] for name in all_settings()]


def _show(cls: type[StoreSettings]) -> Iterator[SettingView]:
    settings = settings_of(cls)
    # Only to JSON are secrets stars, whatever becomes of the values later.
    values = load_settings(cls).model_dump(mode="json")
    sources = find_values(settings, os.environ)
    for name, setting in settings.items():
        origin = sources[name].origin() if name in sources else "default"
        yield SettingView(setting.group, name, values[setting.group][name], origin)


def to_text(views: Iterable[SettingView]) -> Iterator[str]:
    """Lines with the name, the value and its origin, under the name of the group."""
    for group, settings in groupby(views, lambda view: view.group):
        yield f"[{group}]"
        for view in settings:
            value = "none" if view.value is None else toml_value(view.value)
            yield f"  {view.name} = {value}  # {view.origin}"


def to_json(views: Iterable[SettingView]) -> str:
    """One JSON object: groups, in them settings with ``value`` and ``from``."""
    groups: dict[str, dict[str, object]] = {}
    for view in views:
        setting = {"value": view.value, "from": view.origin}
        groups.setdefault(view.group, {})[view.name] = setting
    return json.dumps(groups, indent=2, ensure_ascii=False)

"""``maskwatch config``: what is set, where each value comes from, and whether all can be used."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from detectors.errors import MaskwatchError
from jobs.commands import preview_blocks
from jobs.settings import JobSettings
from maskwatch.environment import ALL_SETTINGS, all_settings, check_names
from maskwatch.setting_words import toml_value
from store.configuration.groups import settings_of
from store.configuration.names import SettingsError
from store.configuration.secret_files import is_read_by_all
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


def find_problems() -> list[str]:
    """One sentence for each setting, of whichever process, that cannot be used."""
    sentences = list[str]()
    try:
        check_names()
    except SettingsError as error:
        sentences += error.sentences
    for cls in ALL_SETTINGS:
        try:
            load_settings(cls)
        except SettingsError as error:
            sentences += error.sentences
    return list(dict.fromkeys(sentences))


def find_notes() -> list[str]:
    """Sentences about what works, and may still not be meant.

    Raises:
        SettingsError: a setting cannot be used.
    """
    return [*_list_notes_on_secrets(), *_list_notes_on_blocks(load_settings(JobSettings))]


def _list_notes_on_secrets() -> list[str]:
    sources = find_values(all_settings(), os.environ).values()
    files = [each.secret_file for each in sources if each.secret_file is not None]
    return [
        f"Every user of this machine who reaches {path} may read the secret in it."
        for path in files
        if is_read_by_all(path)
    ]


def _list_notes_on_blocks(settings: JobSettings) -> list[str]:
    """Whom enforced blocks will hit; nobody yet where there is no database."""
    if settings.blocking.simulate_blocks:
        return []
    try:
        return preview_blocks(settings, datetime.now(UTC)).describe_hits()
    except MaskwatchError as error:
        return [f"Whom enforced blocks will hit cannot be said: {error}"]

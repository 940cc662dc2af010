"""The settings file that ``maskwatch config init`` writes: every setting, commented out."""

import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from detectors.errors import MaskwatchError
from maskwatch.environment import all_groups, all_settings
from maskwatch.setting_words import (
    default_in_words,
    is_computed,
    meaning_of,
    toml_value,
)
from store.configuration.groups import Group, Setting
from store.configuration.kinds import values_in_words
from store.configuration.names import FILE_SUFFIX

_WIDTH = 98
_OWNER_ONLY = 0o600
_HEAD = """\
# Settings of Maskwatch: one file for the service, the jobs and the dashboard.
#
# Nothing is set here yet. To set something, take away the # in front of its name.
# Every process reads this file if it is started with `maskwatch --config FILE` or if the variable
# MASKWATCH_CONFIG names it. Environment variables win over it.
#
# Instead of a secret, NAME_file can name a file that holds it. As soon as a secret stands in this
# file, nobody but its owner may be able to read it.
"""


class DraftError(MaskwatchError):
    """The file cannot be written."""


def write_draft(path: Path) -> None:
    """Write the file, for its owner alone.

    Raises:
        DraftError: there is a file of this name, or the folder is not writable.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        raise DraftError(f"{path} exists: it is left as it is.") from None
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise DraftError(f"{path} cannot be written: {why}.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(build_draft())


def build_draft() -> str:
    """The text of the file."""
    sections = [_write_section(name, group) for name, group in all_groups().items()]
    return "\n".join([_HEAD, *("\n".join(section) for section in sections)])


def _write_section(name: str, group: type[Group]) -> Iterator[str]:
    defaults = group().model_dump(mode="json")
    yield f"[{name}]"
    yield from _write_comment(" ".join((group.__doc__ or "").split()))
    for setting in all_settings().values():
        if setting.group == name:
            yield ""
            yield from _write_comment(meaning_of(setting.field))
            yield from _write_assignment(setting, defaults[setting.name])
    yield ""


def _write_assignment(setting: Setting, default: object) -> Iterator[str]:
    """``#name = default``; without a value that is the same everywhere, the words for it."""
    values = values_in_words(setting.field)
    yield from _write_comment(f"{values[:1].upper()}{values[1:]}; {setting.variable}.")
    if default is None or is_computed(setting.field):
        yield f"# {setting.name} = (default: {default_in_words(setting.field)})"
    else:
        yield f"#{setting.name} = {toml_value(default)}"
    if setting.is_secret:
        yield f"# {setting.name}{FILE_SUFFIX} = (path)"


def _write_comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, _WIDTH, break_on_hyphens=False)]

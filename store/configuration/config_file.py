"""The TOML file with settings: a table for each group, one file for all processes."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from store.configuration.names import CONFIG_VARIABLE, SettingsError

_GROUP_OR_OTHERS = 0o077


@dataclass(frozen=True)
class ConfigFile:
    """What a file says.

    Attributes:
        tables: its tables by name, as they stand there: nothing is checked yet.
        is_private: whether nobody but its owner may read or change it.
    """

    path: Path
    tables: Mapping[str, object]
    is_private: bool

    def table(self, group: str) -> Mapping[str, object]:
        """The values of a group, none if the file does not name it.

        Raises:
            SettingsError: the name stands there, and is no table.
        """
        table = self.tables.get(group, {})
        if not isinstance(table, Mapping):
            raise SettingsError(f"In {self.path}, {group} must be a table: write [{group}].")
        return table


def read_config_file(environment: Mapping[str, str]) -> ConfigFile | None:
    """The file that ``MASKWATCH_CONFIG`` names; none without it.

    Args:
        environment: variables by their names in capitals.

    Raises:
        SettingsError: it cannot be read or is no TOML.
    """
    if CONFIG_VARIABLE not in environment:
        return None
    path = Path(environment[CONFIG_VARIABLE])
    try:
        # The mode is that of the file which is read, whatever takes its name meanwhile.
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            return ConfigFile(path, tomllib.load(file), not mode & _GROUP_OR_OTHERS)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise SettingsError(f"The settings file {path} cannot be read: {why}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"The settings file {path} is no text in UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"The settings file {path} is no TOML: {error}.") from None

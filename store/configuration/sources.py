"""Looks for the values of settings: in the environment first, then in the TOML file."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from store.configuration.config_file import ConfigFile, read_config_file
from store.configuration.groups import Setting
from store.configuration.names import FILE_SUFFIX, PREFIX, SettingsError
from store.configuration.secret_files import read_secret


@dataclass(frozen=True, repr=False)
class Found:
    """A value as it was found, before anything is checked.

    Attributes:
        name: what a sentence calls the place: a variable, or ``PATH:group.name``.
        kind: ``environment``, ``file`` or ``secret file``.
    """

    value: object
    name: str
    kind: str
    secret_file: Path | None = None

    def origin(self) -> str:
        """Where it comes from, in words."""
        file = "" if self.secret_file is None else f" {self.secret_file} of"
        return f"{self.kind}{file} {self.name}"


def find_values(
    settings: Mapping[str, Setting], environment: Mapping[str, str], given: Container[str] = ()
) -> dict[str, Found]:
    """Values by flat name; what stands nowhere is left out.

    Args:
        given: flat names that have a value already and are not looked for.

    Raises:
        SettingsError: the file cannot be read; a secret is given twice, stands in a file that
            others may read, or is in a file that cannot be used. All such problems are told.
    """
    variables = {name.upper(): value for name, value in environment.items()}
    config = read_config_file(variables)
    layers = [dict(_in_environment(settings, variables)), dict(_in_file(settings, config))]
    wanted = [setting for name, setting in settings.items() if name not in given]
    problems = [] if config is None else list(exposed_secrets(settings, config))
    found = dict[str, Found]()
    for setting in wanted:
        try:
            value = _first_value(setting, layers)
        except SettingsError as error:
            problems.extend(error.sentences)
        else:
            found |= {} if value is None else {setting.name: value}
    if problems:
        raise SettingsError(*problems)
    return found


def exposed_secrets(settings: Mapping[str, Setting], config: ConfigFile) -> Iterator[str]:
    """A sentence for each secret that others may read, also if the environment has another."""
    for setting in settings.values():
        told = setting.is_secret and setting.name in config.table(setting.group)
        if told and not config.is_private:
            yield (
                f"The settings file {config.path} holds the secret {setting.key} and others may "
                f"read it: take their rights away (chmod 600), or name a file with {setting.name}"
                f"{FILE_SUFFIX}."
            )


def _in_environment(
    settings: Mapping[str, Setting], variables: Mapping[str, str]
) -> Iterator[tuple[str, Found]]:
    for name in _flat_names(settings):
        variable = PREFIX + name.upper()
        if variable in variables:
            yield name, Found(variables[variable], variable, "environment")


def _in_file(
    settings: Mapping[str, Setting], config: ConfigFile | None
) -> Iterator[tuple[str, Found]]:
    if config is None:
        return
    for setting in settings.values():
        table = config.table(setting.group)
        for name in setting.names:
            if name in table:
                place = f"{config.path}:{setting.group}.{name}"
                yield name, Found(table[name], place, "file")


def _flat_names(settings: Mapping[str, Setting]) -> Iterator[str]:
    return (name for setting in settings.values() for name in setting.names)


def _first_value(setting: Setting, layers: list[dict[str, Found]]) -> Found | None:
    """The value of the first layer that has one; lower ones are not read."""
    for layer in layers:
        told = [layer[name] for name in setting.names if name in layer]
        if len(told) > 1:
            raise SettingsError(f"{told[0].name} and {told[1].name} are both set: take one away.")
        if told:
            return told[0] if setting.name in layer else _from_secret_file(told[0])
    return None


def _from_secret_file(named: Found) -> Found:
    if not isinstance(named.value, str):
        raise SettingsError(f"The setting {named.name} is not usable: it must name a file.")
    path = Path(named.value)
    return Found(read_secret(path, named.name), named.name, "secret file", path)

"""Looks for the values of settings: in the environment first, then in the TOML file."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from store.configuration.config_file import ConfigFile, read_config_file
from store.configuration.groups import Setting
from store.configuration.names import FILE_SUFFIX, PREFIX, SettingsError
from store.configuration.secret_files import read_secret


@dataclass(frozen=True, repr=False)
class RawValue:
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
    settings: Mapping[str, Setting], environment: Mapping[str, str], skip: Container[str] = ()
) -> dict[str, RawValue]:
    """Values by flat name; what stands nowhere is left out.

    Args:
        skip: flat names that have a value already and are not looked for.

    Raises:
        SettingsError: the file cannot be read; a secret is given twice, stands in a file that
            others may read, or is in a file that cannot be used. All such problems are told.
    """
    variables = {name.upper(): value for name, value in environment.items()}
    config = read_config_file(variables)
    layers = [dict(_in_environment(settings, variables)), dict(_in_file(settings, config))]
    lookups = [setting for name, setting in settings.items() if name not in skip]
    problems = [] if config is None else list(exposed_secrets(settings, config))
    values = dict[str, RawValue]()
    for setting in lookups:
        try:
            value = _first_value(setting, layers)
        except SettingsError as error:
            problems.extend(error.sentences)
        else:
            values |= {} if value is None else {setting.name: value}
    if problems:
        raise SettingsError(*problems)
    return values


def exposed_secrets(settings: Mapping[str, Setting], config: ConfigFile) -> Iterator[str]:
    """A sentence for each secret that others may read, also if the environment has another."""
    for setting in settings.values():
        is_in_file = setting.is_secret and setting.name in config.table(setting.group)
        if is_in_file and not config.is_private:
            yield (
                f"The settings file {config.path} holds the secret {setting.key} and others may "
                f"read it: take their rights away (chmod 600), or name a file with {setting.name}"
                f"{FILE_SUFFIX}."
            )


def _in_environment(
    settings: Mapping[str, Setting], variables: Mapping[str, str]
) -> Iterator[tuple[str, RawValue]]:
    for name in _flat_names(settings):
        variable = PREFIX + name.upper()
        if variable in variables:
            yield name, RawValue(variables[variable], variable, "environment")


def _in_file(
    settings: Mapping[str, Setting], config: ConfigFile | None
) -> Iterator[tuple[str, RawValue]]:
    if config is None:
        return
    for setting in settings.values():
        table = config.table(setting.group)
        for name in setting.names:
            if name in table:
                place = f"{config.path}:{setting.group}.{name}"
                yield name, RawValue(table[name], place, "file")


def _flat_names(settings: Mapping[str, Setting]) -> Iterator[str]:
    return (name for setting in settings.values() for name in setting.names)


def _first_value(setting: Setting, layers: list[dict[str, RawValue]]) -> RawValue | None:
    """The value of the first layer that has one; lower ones are not read."""
    for layer in layers:
        candidates = [layer[name] for name in setting.names if name in layer]
        if len(candidates) > 1:
            raise SettingsError(
                f"{candidates[0].name} and {candidates[1].name} are both set: take one away."
            )
        if candidates:
            return candidates[0] if setting.name in layer else _from_secret_file(candidates[0])
    return None


def _from_secret_file(file_name: RawValue) -> RawValue:
    if not isinstance(file_name.value, str):
        raise SettingsError(f"The setting {file_name.name} is not usable: it must name a file.")
    path = Path(file_name.value)
    return RawValue(read_secret(path, file_name.name), file_name.name, "secret file", path)

"""Groups of settings. Each setting has one flat name, in whichever group it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from store.configuration.faults import wrong_kind
from store.configuration.names import FILE_SUFFIX, PREFIX

Value = TypeVar("Value")


class Group(BaseModel):
    """Settings that belong together: a table of the TOML file, a section of docs/settings.md."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_mistakes(cls, value: object, info: ValidationInfo) -> object:
        """``port = true`` in a file would otherwise be port 1, and no path the working folder."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        kinds = (annotation, *get_args(annotation))
        if isinstance(value, bool) and bool not in kinds:
            raise wrong_kind()
        if Path in kinds and isinstance(value, str) and not value.strip():
            raise ValueError("it is empty: name a path, or take the setting away")
        return value


@dataclass(frozen=True)
class Setting:
    """One setting: its group, its flat name and what pydantic knows of it."""

    group: str
    name: str
    field: FieldInfo

    @property
    def key(self) -> str:
        """Where it stands in the TOML file: ``gate.max_pixels``."""
        return f"{self.group}.{self.name}"

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.name.upper()

    @property
    def is_secret(self) -> bool:
        """Whether its value is never shown and may come from a file of its own."""
        return SecretStr in (self.field.annotation, *get_args(self.field.annotation))

    @property
    def names(self) -> tuple[str, ...]:
        """The flat names under which it, or the file of a secret, is given."""
        return (self.name, self.name + FILE_SUFFIX) if self.is_secret else (self.name,)


def groups_of(settings: type[BaseModel]) -> dict[str, type[Group]]:
    """The groups of the settings of a process, by name."""
    kinds = {name: field.annotation for name, field in settings.model_fields.items()}
    return {
        name: kind
        for name, kind in kinds.items()
        if isinstance(kind, type) and issubclass(kind, Group)
    }


def settings_of(settings: type[BaseModel]) -> dict[str, Setting]:
    """Every setting of a process by its flat name."""
    return {
        name: Setting(group, name, field)
        for group, kind in groups_of(settings).items()
        for name, field in kind.model_fields.items()
    }


def sort_into_groups(
    settings: type[BaseModel], flat: Mapping[str, Value]
) -> dict[str, dict[str, Value]]:
    """Values by group and name, from values by flat name.

    Raises:
        TypeError: a name that is no setting of this process.
    """
    by_name, groups = settings_of(settings), dict[str, dict[str, Any]]()
    for name, value in flat.items():
        if name not in by_name:
            raise TypeError(f"{settings.__name__} has no setting {name!r}")
        groups.setdefault(by_name[name].group, {})[name] = value
    return groups

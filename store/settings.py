"""Settings that every process shares. Each process adds its own in a subclass."""

from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from detectors.errors import MaskwatchError

PREFIX = "MASKWATCH_"


class SettingsError(MaskwatchError):
    """A setting that Maskwatch cannot work with."""


class StoreSettings(BaseSettings):
    """Where records live."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    var_dir: Path = Path("var")
    """Folder for the SQLite file, evidence, outlier models, the spool and unsent mail."""

    database_url: SecretStr | None = None
    """SQLAlchemy URL (`postgresql+psycopg://…`, `sqlite:///…`); default: SQLite in `var_dir`."""

    database_wait_seconds: float = 5.0
    """How long a statement waits for a locked SQLite file before the record goes to the spool."""

    def effective_database_url(self) -> str:
        """The configured URL, or the SQLite file under ``var_dir``."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.var_dir / 'maskwatch.db'}"


Settings = TypeVar("Settings", bound=StoreSettings)


def load_settings(cls: type[Settings]) -> Settings:
    """Read settings from the environment.

    Raises:
        SettingsError: the first bad value, named with its variable.
    """
    try:
        return cls()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        message = first["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        raise SettingsError(f"The setting {name} is not usable: {message.rstrip('.')}.") from None

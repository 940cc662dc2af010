"""Files that hold one secret each, as container platforms provide them."""

from pathlib import Path

from store.configuration.names import SettingsError

_READ_BY_ALL = 0o004


def read_secret(path: Path, name: str) -> str:
    """The one line of a file, without the line's end.

    Args:
        name: of the setting that names the file, for the error.

    Raises:
        SettingsError: the file cannot be read, or does not hold exactly one line of text.
    """
    try:
        lines = path.read_bytes().decode().splitlines()
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise SettingsError(f"The file {path} that {name} names cannot be read: {why}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"The file {path} that {name} names is no text in UTF-8.") from None
    if len(lines) != 1 or not lines[0]:
        raise SettingsError(
            f"The file {path} that {name} names must hold the secret in one line and nothing else."
        )
    return lines[0]


def is_read_by_all(path: Path) -> bool:
    """Whether every user of this machine who reaches the file may read it."""
    return bool(path.stat().st_mode & _READ_BY_ALL)

"""Where files are to be, the database above all: looked at before anything is opened or made."""

import errno
import os
from pathlib import Path

from sqlalchemy import URL

from store.engine.faults import StoreMisconfigured
from store.settings import StoreSettings

# Options of libpq that name a file, and the words that stand there instead of one.
_FILES = {"sslrootcert": ("system",), "sslcert": (), "sslkey": (), "sslcrl": ()}


def check_place(settings: StoreSettings) -> URL:
    """The address of the database; nothing is opened and nothing made.

    Raises:
        SettingsError: the URL is none that Maskwatch knows, or does not go with its parts.
        StoreMisconfigured: the SQLite file cannot be where the settings say, or a file that the URL
            names is missing.
    """
    address = settings.store.database_address()
    if address.get_backend_name() == "sqlite":
        _check_sqlite_place(Path(address.database or ""))
    else:
        _check_named_files(address)
    return address


def check_can_be_made(file: Path) -> None:
    """See that a file is there, or can be made together with its folders.

    Raises:
        OSError: a folder on the way is a file, or this user may not write there.
    """
    there = file.absolute()
    if there.exists():
        return
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{there} is a file", str(there))
    if not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        raise PermissionError(errno.EACCES, f"{there} is closed to this user", str(there))


def _check_sqlite_place(file: Path) -> None:
    try:
        check_can_be_made(file)
        is_folder = file.is_dir()
    except OSError as error:
        raise folder_unusable(file.parent, error) from None
    # A start closes the database's files to others: those of a folder are somebody else's.
    if is_folder:
        raise StoreMisconfigured(
            f"The database {file} is a folder: name a file in MASKWATCH_DATABASE_URL, or set "
            "MASKWATCH_VAR_DIR to that folder instead."
        )


def folder_unusable(folder: Path, error: OSError) -> StoreMisconfigured:
    """What to do about a folder that the database, or what else is kept, cannot lie in."""
    return StoreMisconfigured(
        f"The folder {folder} cannot be made or written to: {error.strerror}. Set "
        "MASKWATCH_VAR_DIR, or MASKWATCH_DATABASE_URL where that names it, to one this user may "
        "write to."
    )


def _check_named_files(address: URL) -> None:
    for option, words in _FILES.items():
        value = str(address.query.get(option, ""))
        if value and value not in words and not os.access(value, os.R_OK, effective_ids=True):
            raise StoreMisconfigured(
                f"The file that {option} names in MASKWATCH_DATABASE_URL is missing, or this user "
                "may not read it: correct its path or its rights."
            )

"""A database that is there already: what commands that only look open, and never make."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from store.engine.database import Database
from store.engine.faults import StoreMisconfigured
from store.engine.schema.versions import check_revision, current_revision
from store.settings import StoreSettings

_WHERE = (
    "run this with the environment, or the settings file, of the processes that run "
    "(MASKWATCH_VAR_DIR above all); a first start makes the database"
)


class StoreMissing(StoreMisconfigured):
    """No start has made the database that the settings name."""


@contextmanager
def existing_database(settings: StoreSettings, *, any_version: bool = False) -> Iterator[Database]:
    """The database of the settings, with its tables; neither file nor folder is made.

    Args:
        any_version: whether tables of another version will do.

    Raises:
        SettingsError: the URL cannot be used.
        StoreMissing: there is no such file, or it has no tables.
        StoreUnavailable: the database cannot be reached.
        SchemaError: the tables are of another version, with the command to run.
    """
    refuse_missing_file(settings)
    with closing(Database.open(settings)) as database:
        revision = current_revision(database) if any_version else check_revision(database)
        if revision is None:
            raise StoreMissing(f"The database has no tables yet: {_WHERE}.")
        yield database


def refuse_missing_file(settings: StoreSettings) -> None:
    """See that a SQLite database is there before something would make it.

    Raises:
        StoreMissing: it is not.
        StoreMisconfigured: this user may not look.
    """
    if is_missing(settings):
        raise StoreMissing(f"There is no database {sqlite_file(settings)}: {_WHERE}.")


def is_missing(settings: StoreSettings) -> bool:
    """Whether no first start has made the file of a SQLite database.

    Raises:
        StoreMisconfigured: this user may not look.
    """
    file = sqlite_file(settings)
    try:
        return file is not None and not file.exists()
    except OSError as error:
        raise StoreMisconfigured(
            f"The database {file} cannot be looked at ({error.strerror}): run this as the user of "
            "the processes that run, with their MASKWATCH_VAR_DIR."
        ) from None


def sqlite_file(settings: StoreSettings) -> Path | None:
    """The SQLite file of the settings; ``None`` on PostgreSQL."""
    address = settings.store.database_address()
    is_file = address.get_backend_name() == "sqlite"
    return Path(address.database or "") if is_file else None

"""Whether a database holds what its migrations made and nothing that acts beside it.

Rows can be checked by their hashes, but a trigger changes them before they are hashed: so whatever
acts by itself is compared, object by object.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from store.engine.database import Database
from store.engine.schema import postgresql_objects, sqlite_objects
from store.engine.schema.versions import SchemaError, current_revision, migrations_folder
from store.engine.sqlite_health import revision_of

_MAX_NAMED = 4


class SchemaChanged(SchemaError):
    """Somebody changed what the migrations made."""


def check_objects(database: Database) -> None:
    """Compare every object with what the migrations make; a database without tables has none.

    Call it on the newest revision: of PostgreSQL's, only that one is known.

    Raises:
        SchemaChanged: what differs, in one sentence.
        StoreUnavailable: the database cannot be reached.
    """
    _raise_for(object_faults(database), "this database")


def object_faults(database: Database) -> tuple[str, ...]:
    """What differs, each in a few words."""
    if database.file is not None:
        return _file_faults(database.file)
    if current_revision(database) is None:
        return ()
    with database.read() as session:
        objects = postgresql_objects.acting_objects(session)
    return tuple(_differences(objects, postgresql_objects.EXPECTED))


def check_file(file: Path) -> None:
    """The same for a SQLite file of any revision that nobody has to have open.

    Raises:
        SchemaChanged: what differs, in one sentence.
        StoreUnavailable: the file cannot be read, or is damaged.
    """
    _raise_for(_file_faults(file), str(file))


def _file_faults(file: Path) -> tuple[str, ...]:
    revision = revision_of(file) if file.exists() else None
    if revision is None:
        return ()
    expected = sqlite_objects.objects_at(revision, migrations_folder())
    return tuple(_differences(sqlite_objects.objects_of(file), expected))


def _differences(objects: Mapping[str, str], expected: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(objects.keys() - expected.keys()):
        if not name.startswith("index "):  # an administrator's own: it does nothing by itself
            yield f"the {name} is not Maskwatch's"
    for name in sorted(expected.keys() - objects.keys()):
        yield f"the {name} is missing"
    for name in sorted(expected.keys() & objects.keys()):
        if expected[name] != objects[name]:
            yield f"the {name} was changed"


def _raise_for(faults: tuple[str, ...], where: str) -> None:
    if not faults:
        return
    more = len(faults) - _MAX_NAMED
    named = "; ".join([*faults[:_MAX_NAMED], *([f"and {more} more"] if more > 0 else [])])
    raise SchemaChanged(
        f"The schema of {where} is not what Maskwatch makes ({named}): find out who changed "
        "it, and restore a backup from before, or undo the change by hand."
    )

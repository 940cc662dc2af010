"""Databases that are made once, for tests that each work on a copy."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import make_url

from store.settings import StoreSettings
from tests.waiting import be_patient

MIGRATED = "maskwatch_template"
"""The name of the migrated one on the tests' PostgreSQL."""

CopyPostgres = Callable[[str, Path], AbstractContextManager[StoreSettings]]
"""Copies the database of a name; settings of it have a folder. It lasts as long as the block."""


@dataclass(frozen=True)
class Template:
    """A database that nobody has open while it is copied."""

    settings: StoreSettings
    copied_to: Callable[[Path], AbstractContextManager[StoreSettings]]


def file_template(folder: Path) -> Template:
    """The one of a folder."""
    settings = be_patient(StoreSettings(var_dir=folder))
    return Template(settings, partial(_copy_file, folder / "maskwatch.db"))


@contextmanager
def postgres_template(copy_postgres: CopyPostgres, origin: str, folder: Path) -> Iterator[Template]:
    """A copy of another one, which is copied in turn."""
    with copy_postgres(origin, folder) as settings:
        name = str(make_url(settings.store.effective_database_url()).database)
        yield Template(settings, partial(copy_postgres, name))


@contextmanager
def _copy_file(file: Path, folder: Path) -> Iterator[StoreSettings]:
    shutil.copy(file, folder)
    yield be_patient(StoreSettings(var_dir=folder))

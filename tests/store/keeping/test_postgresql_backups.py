"""What PostgreSQL's programs are told of the database's address."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from store.engine.database import Database
from store.keeping.backup_files import BackupFailed
from store.keeping.postgresql_backups import back_up
from store.settings import StoreSettings


@pytest.fixture
def database(
    postgres_settings: StoreSettings, postgres_server: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    monkeypatch.setenv("PATH", f"{postgres_server.bin_path}{os.pathsep}{os.environ['PATH']}")
    with closing(Database.open(postgres_settings)) as database:
        yield database


@pytest.fixture
def address(postgres_settings: StoreSettings) -> URL:
    return postgres_settings.store.database_address()


def test_every_option_of_the_url_reaches_them(
    database: Database, address: URL, tmp_path: Path
) -> None:
    harmless = {"application_name": "copy", "keepalives": "1", "target_session_attrs": "primary"}
    back_up(database, address.update_query_dict(harmless), tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size > 0
    with pytest.raises(BackupFailed, match="hot standby"):
        back_up(
            database,
            address.update_query_dict({"target_session_attrs": "standby"}),
            tmp_path / "other",
        )


def test_an_option_that_they_cannot_be_told_is_not_left_out(
    database: Database, address: URL, tmp_path: Path
) -> None:
    with pytest.raises(BackupFailed, match="do not take the option sslpassword") as told:
        back_up(database, address.update_query_dict({"sslpassword": "hunter2"}), tmp_path / "copy")
    assert "hunter2" not in str(told.value)
    assert not (tmp_path / "copy").exists()

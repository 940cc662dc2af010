"""``maskwatch db``: backups while others write, restores that check first, and a look at all."""

import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from store.audit.actors import job
from store.engine.database import Database
from store.engine.start import open_database
from store.models.outlier_models import OutlierModelStore, promote
from store.requests.picture_store import PictureStore
from store.settings import StoreSettings
from tests.maskwatch.conftest import Run

# Writes runs one after another, each named by its number in `rows`, and says when it has begun.
_WRITER = """
import itertools, sys
from datetime import UTC, datetime
from store.engine.database import Database
from store.alerts.job_runs import finish_run, start_run
from store.settings import StoreSettings, load_settings
database = Database.open(load_settings(StoreSettings))
for number in itertools.count(1):
    with database.write() as session:
        now = datetime.now(UTC)
        finish_run(session, start_run(session, "scan", now), "succeeded", number, None, now)
    if number == 20:
        print("writing", flush=True)
"""


@pytest.fixture
def url(
    store_settings: StoreSettings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A migrated database of either kind, in the environment; with the server's own pg_dump."""
    value = store_settings.store.effective_database_url()
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", value)
    if value.startswith("postgresql"):
        programs = request.getfixturevalue("postgres_server").bin_path
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return value


@contextmanager
def _writing() -> Iterator[subprocess.Popen[str]]:
    """Another process that writes all the time."""
    command = [sys.executable, "-c", _WRITER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            yield writer
            assert writer.poll() is None, "the writer died"
        finally:
            writer.kill()


def _sha256(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _runs(database: Database) -> list[tuple[int, str]]:
    with database.read() as session:
        rows = session.execute(text("SELECT rows, outcome FROM job_runs ORDER BY rows"))
        return [(row[0], row[1]) for row in rows]


def test_a_backup_made_while_another_process_writes_restores_clean(
    maskwatch: Run, database: Database, url: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    with _writing():
        said = maskwatch("db", "backup", "--out", str(file))
        assert said.code == 0, said.err
        assert f"Wrote {file} and its checksum" in said.out
        at_backup = len(_runs(database))
    at_end = len(_runs(database))
    assert at_end >= at_backup >= 20
    assert file.stat().st_mode & 0o077 == 0
    # The form that `sha256sum --check` reads.
    assert (tmp_path / "backup.sha256").read_text() == f"{_sha256(file)}  backup\n"
    database.close()

    said = maskwatch("db", "restore", str(file))
    assert (said.code, said.out) == (1, "")
    assert "--force" in said.err
    assert len(_runs(database)) == at_end
    database.close()

    said = maskwatch("db", "restore", str(file), "--force")
    assert said.code == 0, said.err
    assert "before-restore" in said.out
    restored = _runs(database)
    assert 20 <= len(restored) <= at_backup
    assert restored == [(number, "succeeded") for number in range(1, len(restored) + 1)]
    said = maskwatch("db", "check")
    assert said.code == 0, said.out
    assert "ok   database" in said.out
    replaced = next(tmp_path.glob("*.before-restore"))
    assert replaced.stat().st_size > 0


def test_what_was_replaced_can_be_put_back(
    maskwatch: Run, database: Database, url: str, tmp_path: Path
) -> None:
    with database.write() as session:
        session.execute(text("UPDATE change_marks SET version = 41"))
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    assert maskwatch("db", "backup", "--out", first).code == 0
    with database.write() as session:
        session.execute(text("UPDATE change_marks SET version = 42"))
    assert maskwatch("db", "backup", "--out", second).code == 0
    database.close()
    for file, version in ((first, 41), (second, 42), (first, 41)):
        said = maskwatch("db", "restore", file, "--force")
        assert said.code == 0, said.err
        with database.read() as session:
            assert set(session.scalars(text("SELECT version FROM change_marks"))) == {version}
        database.close()
    assert len([p for p in tmp_path.glob("*before-restore*") if p.suffix != ".sha256"]) == 3


def test_a_restore_refuses_while_a_process_uses_the_database(
    maskwatch: Run, database: Database, url: str, tmp_path: Path
) -> None:
    file = str(tmp_path / "backup")
    assert maskwatch("db", "backup", "--out", file).code == 0
    database.close()
    with _writing():
        said = maskwatch("db", "restore", file, "--force")
        assert said.code == 1
        assert "in use" in said.err
        assert said.err.count("\n") == 1


def test_a_backup_that_is_changed_cut_or_alone_is_refused(
    maskwatch: Run, database: Database, url: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    assert maskwatch("db", "backup", "--out", str(file)).code == 0
    said = maskwatch("db", "backup", "--out", str(file))
    assert (said.code, "There is" in said.err) == (1, True)
    database.close()

    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert "SHA-256 differs" in maskwatch("db", "restore", str(file), "--force").err
    (tmp_path / "backup.sha256").write_text(f"{_sha256(file)}  backup\n")
    said = maskwatch("db", "restore", str(file), "--force")
    assert said.code == 1
    assert "is not usable" in said.err
    (tmp_path / "backup.sha256").unlink()
    assert "checksum" in maskwatch("db", "restore", str(file), "--force").err
    assert "There is no backup" in maskwatch("db", "restore", str(tmp_path / "none")).err
    assert _runs(database) == []


def test_a_backup_of_a_later_version_is_refused(
    maskwatch: Run, database: Database, url: str, tmp_path: Path
) -> None:
    file = str(tmp_path / "backup")
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'moon'"))
    assert maskwatch("db", "backup", "--out", file).code == 0
    database.close()
    said = maskwatch("db", "restore", file, "--force")
    assert said.code == 1
    assert "revision moon, which this Maskwatch does not know" in said.err


def test_a_damaged_file_is_said_and_a_backup_heals_it(maskwatch: Run, tmp_path: Path) -> None:
    assert maskwatch("db", "upgrade").code == 0
    backup, file = tmp_path / "backup", tmp_path / "var" / "maskwatch.db"
    assert maskwatch("db", "backup", "--out", str(backup)).code == 0
    damaged = bytearray(file.read_bytes())
    damaged[4096:] = b"\xa5" * (len(damaged) - 4096)
    file.write_bytes(damaged)
    said = maskwatch("db", "check")
    assert said.code == 1
    assert "FAIL database" in said.out
    assert "maskwatch db restore BACKUP --force" in said.out
    assert "damaged" in maskwatch("db", "backup", "--out", str(tmp_path / "second")).err
    assert not (tmp_path / "second").exists()
    assert maskwatch("db", "restore", str(backup), "--force").code == 0
    assert maskwatch("db", "check").code == 0
    kept = file.with_name("maskwatch.db.before-restore").read_bytes()
    assert kept == bytes(damaged)


def test_files_are_copied_on_request_and_missing_ones_are_counted(
    maskwatch: Run, tmp_path: Path
) -> None:
    var = tmp_path / "var"
    open_database(StoreSettings(var_dir=var)).close()
    kept = PictureStore(var).put("picture", b"a picture", "image/png")
    out = tmp_path / "backup"
    assert maskwatch("db", "backup", "--out", str(out), "--with-files").code == 0
    with tarfile.open(f"{out}.files.tar") as archive:
        assert f"evidence/{kept.sha256[:2]}/{kept.sha256}" in archive.getnames()
    with closing(sqlite3.connect(var / "maskwatch.db")) as connection, connection:
        connection.execute(
            "INSERT INTO evidence (request_pk, kind, sha256, media_type) VALUES (1, 'p', ?, 'x')",
            ("0" * 64,),
        )
        connection.execute(
            "INSERT INTO evidence (request_pk, kind, sha256, media_type) VALUES (2, 'p', ?, 'x')",
            (kept.sha256,),
        )
    said = maskwatch("db", "check")
    assert "warn evidence: 1 files are missing" in said.out
    assert "were changed" not in said.out
    (var / "evidence" / kept.sha256[:2] / kept.sha256).write_bytes(b"another picture")
    said = maskwatch("db", "check")
    assert said.code == 1
    assert (
        f"FAIL evidence: 1 files were changed on disk or cannot be read, the first is {kept.sha256}"
        in said.out
    )


def test_a_promoted_model_of_an_earlier_version_is_named(maskwatch: Run, tmp_path: Path) -> None:
    var = tmp_path / "var"
    with closing(open_database(StoreSettings(var_dir=var))) as database:
        assert "ok   outlier models: the promoted one is there" in maskwatch("db", "check").out
        now = datetime.now(UTC)
        with database.write() as session:
            row = OutlierModelStore(var).add(
                session, archive=b"x", kind="isolation_forest", rows=40, metrics={}, now=now
            )
            promote(session, row.id, job("retrain"), now)
    [archive] = (var / "models").rglob("*.safetensors")
    former = archive.rename(archive.with_suffix(".skops"))
    said = maskwatch("db", "check")
    assert f"warn outlier models: The outlier model {former} was written by an earlier" in said.out
    former.unlink()
    assert "is gone: run `maskwatch jobs run retrain`" in maskwatch("db", "check").out


def test_without_a_database_there_is_nothing_to_back_up_or_check(
    maskwatch: Run, tmp_path: Path
) -> None:
    said = maskwatch("db", "backup", "--out", str(tmp_path / "backup"))
    assert (said.code, said.out) == (1, "")
    assert "There is no database" in said.err
    assert "a first start makes" in maskwatch("db", "check").out


@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("command", "program"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_missing_client_programs_are_named(
    maskwatch: Run,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    program: str,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    words = {"backup": ["--out", str(tmp_path / "b")], "restore": [str(tmp_path / "b")]}[command]
    said = maskwatch("db", command, *words)
    assert said.code == 1
    assert f"{program} is not installed" in said.err


@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
def test_a_password_never_stands_on_the_command_line(
    maskwatch: Run, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for pg_dump writes down what it was started with."""
    programs = tmp_path / "bin"
    programs.mkdir()
    script = programs / "pg_dump"
    script.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/words\necho "$PGPASSWORD" > {tmp_path}/env\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", url.replace("postgres:@", "postgres:s3cret@"))
    assert maskwatch("db", "backup", "--out", str(tmp_path / "b")).code == 0
    assert (tmp_path / "env").read_text() == "s3cret\n"
    assert "s3cret" not in (tmp_path / "words").read_text()


@pytest.mark.parametrize("store_settings", ["pgbouncer"], indirect=True)
@pytest.mark.usefixtures("url")
def test_a_backup_through_a_pooler_that_shares_connections_is_refused(
    maskwatch: Run, tmp_path: Path
) -> None:
    said = maskwatch("db", "backup", "--out", str(tmp_path / "backup"))
    assert said.code == 1
    assert "set MASKWATCH_DATABASE_URL to the server itself" in said.err
    assert not (tmp_path / "backup").exists()

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from detectors.outliers.archive import MAX_ARCHIVE_BYTES
from store.audit.actors import job
from store.engine.database import Database
from store.models.outlier_models import (
    NoOutlierModel,
    OutlierModelStore,
    champion,
    promote,
    roll_back,
)
from store.models.promotions import NoWayBack
from store.tables.work_tables import OutlierModelRow


def _add(database: Database, var_dir: Path, archive: bytes, now: datetime) -> OutlierModelRow:
    with database.write() as session:
        return OutlierModelStore(var_dir).add(
            session,
            archive=archive,
            kind="isolation_forest",
            rows=40,
            metrics={"clients": 4, "promoted_because": "It agrees."},
            now=now,
        )


def test_an_archive_comes_back_with_its_lineage(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    row = _add(database, tmp_path, b"archive", now)
    assert OutlierModelStore(tmp_path).read(row.digest) == b"archive"
    with database.read() as session:
        stored = session.get_one(OutlierModelRow, row.id)
    assert (stored.kind, stored.rows, stored.trained_at) == ("isolation_forest", 40, now)
    assert stored.metrics == {"clients": 4, "promoted_because": "It agrees."}


def test_the_same_archive_again_is_the_same_model(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    first = _add(database, tmp_path, b"archive", now)
    again = _add(database, tmp_path, b"archive", now + timedelta(days=1))
    assert (again.id, again.trained_at) == (first.id, now)


def test_a_new_model_is_not_promoted_by_itself(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    _add(database, tmp_path, b"archive", now)
    with database.read() as session:
        assert champion(session) is None


def test_there_is_one_champion_and_old_ones_can_return(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    rows = [_add(database, tmp_path, archive, now) for archive in (b"one", b"two")]
    for row in (rows[0], rows[1], rows[0]):
        with database.write() as session:
            promote(session, row.id, job("retrain"), now)
        with database.read() as session:
            found = champion(session)
        assert found is not None
        assert found.id == row.id


def test_a_model_whose_file_is_gone_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(
        NoOutlierModel, match="abababababab is gone: run `maskwatch jobs run retrain`"
    ):
        OutlierModelStore(tmp_path).read("ab" * 32)


def test_an_archive_of_an_earlier_version_is_named_with_what_to_run(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    row = _add(database, tmp_path, b"archive", now)
    store, [archive] = OutlierModelStore(tmp_path), (tmp_path / "models").rglob("*.safetensors")
    former = archive.rename(archive.with_suffix(".skops"))
    with pytest.raises(NoOutlierModel) as refused:
        store.read(row.digest)
    assert str(refused.value) == (
        f"The outlier model {former} was written by an earlier version and is not read any more: "
        "run `maskwatch jobs run retrain`, which trains one that replaces it."
    )
    with database.write() as session:
        promote(session, row.id, job("retrain"), now)
    with database.read() as session:
        assert store.list_missing(session) == (row.digest,)
        assert store.remove_archives(session, now + timedelta(days=1)) == 0
    assert former.exists()


def test_an_archive_of_an_earlier_version_goes_when_it_is_old(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    _add(database, tmp_path, b"archive", now)
    [archive] = (tmp_path / "models").rglob("*.safetensors")
    former = archive.rename(archive.with_suffix(".skops"))
    os.utime(former, (0, 0))
    with database.read() as session:
        assert OutlierModelStore(tmp_path).remove_archives(session, now + timedelta(days=1)) == 1
    assert not former.exists()


def test_of_a_file_that_is_too_large_no_more_is_read_than_shows_it(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    row = _add(database, tmp_path, b"archive", now)
    [archive] = (tmp_path / "models").rglob("*.safetensors")
    with archive.open("r+b") as file:
        file.truncate(100 * MAX_ARCHIVE_BYTES)
    assert len(OutlierModelStore(tmp_path).read(row.digest)) == MAX_ARCHIVE_BYTES + 1


def test_what_is_promoted_again_goes_back_to_what_was_before_it(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    first, second = (_add(database, tmp_path, archive, now) for archive in (b"one", b"two"))
    for row in (first, second, second):
        with database.write() as session:
            promote(session, row.id, job("retrain"), now)
    with database.write() as session:
        assert roll_back(session, "cli:ada", now, "Why.").id == first.id
    with database.write() as session, pytest.raises(NoWayBack):
        roll_back(session, "cli:ada", now, "Why.")


def test_promotions_follow_one_another_before_they_read_which_holds(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    rows = [_add(database, tmp_path, archive, now) for archive in (b"one", b"two")]
    statements: list[str] = []
    with database.write() as session:
        event.listen(
            session.connection(),
            "before_cursor_execute",
            lambda *arguments: statements.append(arguments[2]),
        )
        for row in rows:
            promote(session, row.id, job("retrain"), now)
            assert statements[0].startswith("UPDATE change_marks")
            session.flush()
            statements.clear()
        roll_back(session, "cli:ada", now, "Why.")
        assert statements[0].startswith("UPDATE change_marks")

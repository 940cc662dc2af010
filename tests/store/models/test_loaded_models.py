"""Which service loaded which model, and that the table can go and come back."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, inspect, select

from store.engine.database import Database
from store.engine.schema.versions import downgrade, ensure_current, upgrade
from store.models.loaded_models import NewLoad, add_loaded_model, models_in_use, this_host
from store.tables.work_tables import LoadedModelRow

LOAD = NewLoad(
    host="here",
    service="127.0.0.1:8080",
    segmenter="reference",
    path="/models/weights.onnx",
    digest="ab" * 32,
    files={"weights.onnx": "ab" * 32},
    signed_by="cd" * 32,
)


def _add(database: Database, now: datetime, *loads: NewLoad) -> None:
    with database.write() as session:
        for seconds, load in enumerate(loads):
            add_loaded_model(session, load, now + timedelta(seconds=seconds))


def _in_use(database: Database, host: str) -> list[tuple[str, str, str]]:
    with database.read() as session:
        return [(row.service, row.path, row.digest) for row in models_in_use(session, host)]


def test_what_is_added_is_read(database: Database, now: datetime) -> None:
    _add(database, now, LOAD)
    with database.read() as session:
        (row,) = models_in_use(session, "here")
    assert (row.segmenter, row.files, row.signed_by) == (LOAD.segmenter, LOAD.files, LOAD.signed_by)
    assert row.loaded_at == now


def test_a_later_load_of_the_service_or_of_the_path_supersedes_and_nothing_is_deleted(
    database: Database, now: datetime
) -> None:
    other_path = replace(LOAD, path="/models/m2fp", digest="1" * 64)
    moved = replace(LOAD, path="/models/m2fp", service="127.0.0.1:8081", digest="2" * 64)
    _add(database, now, LOAD, other_path)
    assert _in_use(database, "here") == [("127.0.0.1:8080", "/models/m2fp", "1" * 64)]
    _add(database, now, moved)
    assert _in_use(database, "here") == [("127.0.0.1:8081", "/models/m2fp", "2" * 64)]
    with database.read() as session:
        assert session.scalar(select(func.count(LoadedModelRow.id))) == 3


def test_services_and_hosts_do_not_meet(database: Database, now: datetime) -> None:
    beside = replace(LOAD, service="127.0.0.1:8081", path="/models/other")
    _add(database, now, LOAD, beside, replace(LOAD, host="there", digest="3" * 64))
    assert [service for service, _, _ in _in_use(database, "here")] == [
        "127.0.0.1:8080",
        "127.0.0.1:8081",
    ]
    assert _in_use(database, "there") == [("127.0.0.1:8080", LOAD.path, "3" * 64)]
    assert _in_use(database, "nowhere") == []


def test_this_machine_has_a_name() -> None:
    assert this_host()


def test_one_revision_back_and_forward_again(database: Database, now: datetime) -> None:
    _add(database, now, LOAD)
    downgrade(database, "0003")
    assert "loaded_models" not in inspect(database.engine).get_table_names()
    upgrade(database)
    ensure_current(database)
    assert _in_use(database, "here") == []
    _add(database, now, LOAD)
    assert len(_in_use(database, "here")) == 1

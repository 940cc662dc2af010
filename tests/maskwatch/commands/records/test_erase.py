"""Erasure for a data-protection request: nothing names the request or the client afterwards."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from sqlite3 import connect
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from detectors.patches.patches import Patch
from maskwatch.commands.records import erasure
from maskwatch.commands.records.erasure import NothingToErase, erase_subject, preview_erasure
from store.decisions.pictures.listed_patches import patch_evidence
from store.decisions.pictures.listed_perturbations import signature_evidence
from store.decisions.scopes import Scope
from store.engine.database import Database
from store.engine.reader_locks import BeingRead, Reader, lock_for_reading
from store.keeping.erasure import ERASED, Subject, erase_requests
from store.keeping.retention import OF_A_REQUEST
from store.requests.record_store import add_records
from store.settings import StoreSettings
from store.tables.family_tables import FamilyRow, FeedbackRow
from store.tables.request_tables import FingerprintRow
from store.tables.work_tables import AlertRow, DecisionRow
from tests.detectors.perturbation_pictures import noise, signature_of
from tests.makers import make_record
from tests.maskwatch.erasable import World

ANNA, ANNABELLE, BERT = "ip:203.0.113.7", "ip:203.0.113.77", "key:bert"


@pytest.fixture
def world(database: Database, store_settings: StoreSettings, now: datetime) -> World:
    return World(database, store_settings, now)


def test_nothing_names_an_erased_request(world: World) -> None:
    key, request_id = world.add(ANNA, b"her picture")
    other, other_id = world.add(ANNA, b"another", family=request_id)
    world.alert(request_id, other_id)
    world.block(ANNA, request_id, other_id, over=False)
    assert {*OF_A_REQUEST, "fingerprint_keys", "alerts", "decisions"} <= world.tables_with(
        key, request_id
    )
    report = world.erase(Subject(request_id=request_id))
    assert world.tables_with(key, request_id) == set()
    assert dict(report.rows) == dict.fromkeys(OF_A_REQUEST, 1)
    assert (report.files, report.remaining, world.files()) == (1, 0, 1)
    assert {*OF_A_REQUEST, "alerts", "decisions"} <= world.tables_with(other, other_id)


def test_nothing_names_an_erased_client_and_others_stay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_BATCH", 2)
    hers = [world.add(ANNA, f"{n}".encode()) for n in range(5)]
    key, request_id = world.add(ANNABELLE, b"annabelle", family=hers[0][1])
    world.alert(ANNA, ANNABELLE, *(i for _, i in hers), sentence=f"{ANNA}, {ANNABELLE}. {ANNA}.")
    world.block(ANNA, hers[0][1], over=True)
    world.block(ANNABELLE, over=True)
    report = world.erase(Subject(client=ANNA))
    gone = {name for pair in hers for name in pair}
    assert {t for t, value in world.values() if value in {*gone, ANNA}} == set()
    with world.database.read() as session:
        [summary] = session.scalars(select(AlertRow.summary))
        values = session.scalars(select(DecisionRow.value).order_by(DecisionRow.id)).all()
        reason = session.scalars(select(DecisionRow.reason).order_by(DecisionRow.id)).first()
        assert session.scalars(select(FingerprintRow.client)).all() == [ANNABELLE]
    assert summary == f"{ERASED}, {ANNABELLE}. {ERASED}."
    assert values == [ERASED, ANNABELLE]
    assert reason == f"3 refusals of {ERASED}."
    assert dict(report.rows) == dict.fromkeys(OF_A_REQUEST, 5)
    assert (report.files, report.remaining, world.files()) == (5, 0, 1)
    assert {*OF_A_REQUEST, "alerts"} <= world.tables_with(key, request_id, ANNABELLE)


@pytest.mark.parametrize("over", [True, False])
@pytest.mark.parametrize(
    ("scope", "name", "made_of"),
    [
        (Scope.PATCH, "patch", patch_evidence(Patch(np.zeros((24, 24, 3), np.uint8), 0.1), 0.7)),
        (Scope.PERTURBATION, "signature", signature_evidence(signature_of(noise()), 7.0)),
    ],
)
def test_what_is_listed_forgets_the_request_and_its_pixels_once_it_is_over(
    world: World, over: bool, scope: Scope, name: str, made_of: dict[str, object]
) -> None:
    _, request_id = world.add(ANNA, b"anna")
    _, other = world.add(BERT, b"bert")
    world.list_patch({**made_of, "request_ids": [request_id, other]}, over, scope)
    world.erase(Subject(request_id=request_id))
    with world.database.read() as session:
        evidence = session.scalars(select(DecisionRow)).one().evidence
    assert evidence["request_ids"] == [ERASED, other]
    assert evidence[name] == (ERASED if over else made_of[name])


def test_a_block_that_holds_keeps_its_name_until_it_is_over(world: World) -> None:
    world.add(ANNA, b"picture")
    world.block(ANNA, over=False)
    assert world.erase(Subject(client=ANNA)).remaining == 1
    assert world.tables_with(ANNA) == {"decisions"}
    later = world.now + timedelta(hours=2)
    assert erase_subject(world.settings, Subject(client=ANNA), "root", later).remaining == 0
    assert world.tables_with(ANNA) == set()


def test_a_family_forgets_the_name_of_a_client(world: World) -> None:
    world.add(ANNA, b"picture")
    shared = [{"tie": "client", "value": name, "requests": 2} for name in (ANNA, ANNABELLE)]
    family = FamilyRow(
        formed_at=world.now,
        first_at=world.now,
        last_at=world.now,
        requests=2,
        clients=1,
        kinds={"crafted": 2},
        shared=shared,
        feedback_reason=f"{ANNA} attacks.",
    )
    key, _ = world.add(ANNABELLE, b"picture")
    with world.database.write() as session:
        session.add(family)
        session.get_one(FeedbackRow, key).reason = f"{ANNABELLE} is not {ANNA}."
    world.erase(Subject(client=ANNA))
    with world.database.read() as session:
        [left] = session.scalars(select(FamilyRow))
        [feedback] = session.scalars(select(FeedbackRow))
    assert [thing["value"] for thing in left.shared] == [ERASED, ANNABELLE]
    assert left.feedback_reason == f"{ERASED} attacks."
    assert feedback.reason == f"{ANNABELLE} is not {ERASED}."


def test_a_file_that_another_client_shares_stays(world: World) -> None:
    _, request_id = world.add(ANNA, b"shared")
    world.add(BERT, b"shared")
    assert world.erase(Subject(request_id=request_id)).files == 0
    assert world.files() == 1
    assert world.erase(Subject(client=BERT)).files == 1
    assert world.files() == 0


def test_a_dry_run_counts_and_changes_nothing(world: World) -> None:
    world.add(ANNA, b"one")
    world.add(ANNA, b"two")
    before = list(map(str, world.values()))
    assert dict(preview_erasure(world.settings, Subject(client=ANNA)).rows) == dict.fromkeys(
        OF_A_REQUEST, 2
    )
    assert list(map(str, world.values())) == before
    assert world.files() == 2


def test_who_is_not_known_cannot_be_erased(world: World) -> None:
    world.add(ANNA, b"one")
    for subject in (Subject(client=BERT), Subject(request_id="none")):
        with pytest.raises(NothingToErase, match=f"No record of {subject} is kept"):
            world.erase(subject)
    # SQL is none.
    with pytest.raises(NothingToErase):
        world.erase(Subject(client="' OR 1=1 --"))
    assert world.files() == 1


def test_nothing_is_erased_under_a_scan(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "_PATIENCE_SECONDS", 0.0)
    world.add(ANNA, b"one")
    with (
        lock_for_reading(world.database, Reader.SCAN),
        pytest.raises(BeingRead, match="A scan is reading"),
    ):
        world.erase(Subject(client=ANNA))
    assert ANNA in {value for _, value in world.values()}


def test_cut_off_in_the_middle_the_same_command_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_BATCH", 1)
    for n in range(3):
        world.add(ANNA, f"{n}".encode())
    real, calls = erase_requests, iter(range(9))

    def second_fails(*args: Any) -> Any:
        done = real(*args)
        if next(calls) == 1:
            raise ZeroDivisionError
        return done

    with monkeypatch.context() as broken:
        broken.setattr(erasure, "erase_requests", second_fails)
        with pytest.raises(ZeroDivisionError):
            world.erase(Subject(client=ANNA))
    assert dict(preview_erasure(world.settings, Subject(client=ANNA)).rows) == dict.fromkeys(
        OF_A_REQUEST, 2
    )
    assert world.files() == 2
    world.erase(Subject(client=ANNA))
    assert (world.tables_with(ANNA), world.files()) == (set(), 0)


def test_what_waits_in_the_spool_is_told(world: World) -> None:
    world.add(ANNA, b"one")
    spool = world.settings.store.var_dir / "spool" / "requests.jsonl"
    spool.parent.mkdir()
    spool.write_text("a record\n")
    report = world.erase(Subject(client=ANNA))
    assert report.spool_waits
    assert "spool" in erasure.describe_erasure(Subject(client=ANNA), report)[-1]


def test_what_is_erased_cannot_be_read_in_the_sqlite_file(world: World) -> None:
    if world.database.dialect != "sqlite":
        pytest.skip("PostgreSQL overwrites when it vacuums")
    _, request_id = world.add(ANNA, b"one")
    # The audit line names the client, as it has to; all that it erased was by request ids.
    world.erase(Subject(client=ANNA))
    world.database.close()
    path = world.settings.store.var_dir / "maskwatch.db"
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert request_id.encode() not in path.read_bytes()


def test_the_command_counts_first_and_then_erases(
    maskwatch: Callable[..., Any], tmp_path: Any, now: datetime
) -> None:
    settings = StoreSettings(var_dir=tmp_path / "var")
    assert maskwatch("db", "upgrade").code == 0
    database = Database.open(settings)
    world = World(database, settings, now)
    world.add(ANNA, b"one")
    said = maskwatch("erase", "--client", ANNA, "--dry-run")
    assert said.code == 0
    assert said.out.startswith(f"An erasure of client {ANNA} would delete:\n  1 requests\n")
    assert world.tables_with(ANNA)
    said = maskwatch("erase", "--client", ANNA)
    assert said.out.startswith(f"Everything of client {ANNA} is erased:\n")
    assert said.out.endswith("  1 files of pictures\n")
    assert world.tables_with(ANNA) == set()
    again = maskwatch("erase", "--client", ANNA)
    assert (again.code, again.err) == (1, f"maskwatch: No record of client {ANNA} is kept.\n")
    database.close()


@pytest.mark.parametrize("words", [(), ("--request", "a", "--client", "b")])
def test_the_command_wants_one_of_the_two(
    maskwatch: Callable[..., Any], words: tuple[str, ...]
) -> None:
    assert maskwatch("erase", *words).code != 0


def test_an_id_may_be_in_capitals_and_quotes(
    maskwatch: Callable[..., Any], tmp_path: Any, now: datetime
) -> None:
    assert maskwatch("db", "upgrade").code == 0
    with closing(Database.open(StoreSettings(var_dir=tmp_path / "var"))) as database:
        with database.write() as session:
            record = make_record(received_at=now)
            add_records(session, [record])
        said = maskwatch("erase", "--request", f' "{record.request_id.upper()}" ', "--dry-run")
    assert (said.code, said.err) == (0, "")
    assert record.request_id in said.out

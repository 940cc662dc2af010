"""The migration to a notification for each receiver, with notifications in every state."""

from datetime import datetime

from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from store.alerts.alerts import apply_condition
from store.alerts.outbox import address_notifications
from store.engine.database import Database
from store.engine.schema.versions import downgrade, migrations_folder, upgrade
from store.tables.work_tables import NotificationRow
from tests.makers import make_condition

ADA, BOB = "ada@example.org", "bob@example.org"


def _go_back(database: Database) -> None:
    revision = ScriptDirectory(str(migrations_folder())).get_revision("0018")
    assert revision is not None
    assert isinstance(revision.down_revision, str)
    downgrade(database, revision.down_revision)


def _states(database: Database) -> list[tuple[int, str]]:
    rows = text("SELECT alert_id, state FROM notifications ORDER BY id")
    with database.read() as session:
        return [(alert_id, state) for alert_id, state in session.execute(rows)]


def _fire(database: Database, now: datetime, *fingerprints: str) -> None:
    with database.write() as session:
        for fingerprint in fingerprints:
            apply_condition(session, make_condition(fingerprint=fingerprint), now)


def test_going_back_loses_no_event_that_a_receiver_waits_for(
    database: Database, now: datetime
) -> None:
    _fire(database, now, "a", "b", "c")
    with database.write() as session:
        address_notifications(session, [ADA, BOB], now)
        rows = session.scalars(select(NotificationRow).order_by(NotificationRow.id)).all()
        for row, state in zip(
            rows, ("sent", "pending", "refused", "sent", "sent", "sending"), strict=True
        ):
            row.state = state
    _go_back(database)
    assert _states(database) == [(1, "pending"), (2, "sent"), (3, "pending")]


def test_rows_of_before_have_no_receiver_until_they_are_due(
    database: Database, now: datetime
) -> None:
    _fire(database, now, "a", "b")
    _go_back(database)
    with database.write() as session:
        session.execute(
            text("UPDATE notifications SET state = 'sent', destination = 'x' WHERE alert_id = 1")
        )
    upgrade(database)
    with database.write() as session:
        address_notifications(session, [ADA, BOB], now)
        rows = session.execute(
            select(NotificationRow.alert_id, NotificationRow.recipient, NotificationRow.state)
        )
        assert sorted(((number, name, state) for number, name, state in rows), key=repr) == [
            (1, None, "sent"),
            (2, ADA, "pending"),
            (2, BOB, "pending"),
        ]

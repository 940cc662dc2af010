from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from detectors.verdict import Verdict
from jobs.alerting.alerts import run
from jobs.context import JobContext
from store.alert_rules.spool_in_use import spool_condition
from store.alerts.alerts import Event
from store.requests.records import RequestRecord, Stage
from store.spool.spool import Backlog, Spool
from store.tables.work_tables import AlertRow, NotificationRow

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def _record(number: int) -> RequestRecord:
    moment = START + timedelta(minutes=number)
    return RequestRecord(f"{number}", moment, "cli:local", "cli", Stage.GATE, Verdict.REFUSE, 422)


def _ignore(_records: Sequence[RequestRecord]) -> None:
    pass


def test_an_alert_is_open_while_records_wait(context: JobContext) -> None:
    spool = Spool(context.settings.store.var_dir)
    assert run(context).sentence == "0 alerts fired, 0 resolved, 0 open."
    spool.append([_record(0), _record(1)])
    assert run(context).sentence == "1 alert fired, 0 resolved, 1 open."
    spool.replay(_ignore, most=1)
    assert run(context).sentence == "0 alerts fired, 0 resolved, 1 open."
    with context.database.read() as session:
        [alert] = session.scalars(select(AlertRow))
    assert (alert.rule, alert.value) == ("spool_in_use", 1.0)
    assert "1 record waits in the spool on " in alert.summary
    assert "since 01 Mar 2026 09:31 UTC" in alert.summary
    spool.replay(_ignore)
    later = replace(context, now=context.now + timedelta(minutes=1))
    assert run(later).sentence == "0 alerts fired, 1 resolved, 0 open."
    with context.database.read() as session:
        events = list(session.scalars(select(NotificationRow.event).order_by(NotificationRow.id)))
    assert events == [Event.FIRING, Event.RESOLVED]


def test_each_host_and_folder_has_an_alert_of_its_own() -> None:
    places = [("one", Path("/a")), ("two", Path("/a")), ("one", Path("/b"))]
    found = {spool_condition(Backlog(1, START), *place).fingerprint for place in places}
    assert len(found) == 3
    assert max(map(len, found)) <= 120


def test_a_spool_that_cannot_be_looked_at_stops_no_other_rule(context: JobContext) -> None:
    spool = context.settings.store.var_dir / "spool"
    (spool / "requests.jsonl" / "a folder where the file should be").mkdir(parents=True)
    assert run(context).sentence == "0 alerts fired, 0 resolved, 0 open."

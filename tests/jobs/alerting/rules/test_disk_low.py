"""A disk alerts before it is full."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from jobs.alerting.alerts import run
from jobs.context import JobContext
from store.alert_rules.disk_low import disk_condition, look_at_disks
from store.alert_rules.rule import Surroundings
from store.alerts.alerts import CRITICAL, WARNING
from store.engine.files.disk_room import DiskRoom, room_of, rooms_of
from store.tables.work_tables import AlertRow
from tests.small_disk import small_disk

_LIMIT = 1_000_000_000


def _room(free_mb: int) -> DiskRoom:
    return DiskRoom(Path("/var/lib/maskwatch"), free_mb * 1_000_000, 10 * _LIMIT, device=1)


@pytest.mark.parametrize(
    ("free_mb", "is_open", "active"),
    [
        (1000, False, False),
        (999, False, True),
        (1249, True, True),
        (1250, True, False),
        (0, False, True),
    ],
)
def test_it_fires_below_the_limit_and_closes_clearly_above_it(
    free_mb: int, is_open: bool, active: bool
) -> None:
    assert disk_condition(_room(free_mb), "parser-1", _LIMIT, is_open=is_open).active is active


def test_what_is_nearly_full_is_critical_and_says_where_and_how_much() -> None:
    low, lower = (disk_condition(_room(mb), "parser-1", _LIMIT, is_open=False) for mb in (999, 99))
    assert (low.severity, lower.severity) == (WARNING, CRITICAL)
    assert "The disk of /var/lib/maskwatch on parser-1 has 99 MB left (limit 1000 MB)" in (
        lower.summary
    )


def test_a_real_disk_opens_one_alert_and_room_closes_it(context: JobContext) -> None:
    with small_disk(context.settings.store.var_dir / "disk") as disk:
        low = replace(context, settings=context.settings.model_copy(update={"var_dir": disk}))
        assert run(low).sentence == "1 alert fired, 0 resolved, 1 open."
        with context.database.read() as session:
            [alert] = session.scalars(select(AlertRow))
        assert (alert.rule, alert.threshold) == ("disk_low", 1024.0)
        assert alert.value <= 8
        enough = replace(
            low,
            settings=low.settings.model_copy(update={"min_free_disk_mb": 1}),
            now=context.now + timedelta(minutes=1),
        )
        assert run(enough).sentence == "0 alerts fired, 1 resolved, 0 open."


def test_a_disk_that_takes_no_more_files_is_low_whatever_bytes_it_has(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=64, files=20) as disk:
        room = room_of(disk)
    assert room.free_bytes > 60_000_000
    low = disk_condition(room, "parser-1", 50_000_000, is_open=False)
    assert low.active
    assert "has 1 MB left (limit 50 MB), for the disk takes only 19 more files." in low.summary
    assert not disk_condition(room, "parser-1", 500_000, is_open=False).active


def test_the_database_counts_apart_only_on_another_disk(tmp_path: Path) -> None:
    assert room_of(tmp_path / "not" / "yet").free_bytes > 0
    assert len(rooms_of(tmp_path, tmp_path / "maskwatch.db")) == 1
    with small_disk(tmp_path / "disk") as disk:
        rooms = rooms_of(tmp_path, disk / "maskwatch.db")
    assert [room.folder for room in rooms] == [tmp_path, disk]


def test_a_disk_that_cannot_be_looked_at_is_logged_and_resolves_nothing(
    context: JobContext,
) -> None:
    settings = context.settings
    nowhere = settings.store.model_copy(update={"var_dir": Path("x" * 300)})
    surroundings = Surroundings(
        context.now, None, nowhere, settings.alerts, settings.outliers, 100, 60
    )
    with capture_logs() as logs:
        judge = look_at_disks(surroundings)
    assert [log["event"] for log in logs] == ["disk not looked at"]
    with context.database.read() as session:
        assert list(judge(session)) == []

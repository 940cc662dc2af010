"""The head of the audit chain is kept elsewhere, and a cut is noticed by the next run."""

import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from jobs.context import JobContext, Skipped
from jobs.keeping.anchor_audit import AnchorFailed, ChainCut, run
from jobs.settings import JobSettings
from store.audit.anchors import Anchor, AnchorsUnusable, anchors_in, read_anchors
from store.audit.audit_log import Action, Entry, append, audit_head
from store.configuration.names import SettingsError
from store.settings import load_settings
from store.tables.audit_tables import AuditRow
from tests.small_disk import fill_disk, small_disk
from tests.waiting import PATIENCE_SECONDS


def _anchoring(context: JobContext, **places: object) -> JobContext:
    changes = {f"audit_anchor_{name}": place for name, place in places.items()}
    return replace(context, settings=context.settings.model_copy(update=changes))


def _tell(context: JobContext, count: int = 1, subject: str = "key one") -> Anchor:
    with context.database.write() as session:
        for _ in range(count):
            append(session, Entry("cli:ada", Action.KEY_MADE, subject), context.now)
    with context.database.read() as session:
        head = audit_head(session)
    assert head is not None
    return head


def _cut(context: JobContext, after: int) -> None:
    """As an owner of the database would: without the triggers."""
    with context.database.write() as session:
        if context.database.dialect == "postgresql":
            session.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        else:
            session.execute(text("DROP TRIGGER audit_no_delete"))
        session.execute(delete(AuditRow).where(AuditRow.sequence > after))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "anchors"
    path.touch()
    return path


def test_each_new_head_is_one_line(context: JobContext, file: Path) -> None:
    anchoring = _anchoring(context, file=file)
    with pytest.raises(Skipped, match="is empty"):
        run(anchoring)
    first = _tell(context)
    assert run(anchoring).sentence == "Row 1 of the audit is anchored."
    run(anchoring)
    second = _tell(context, 3)
    run(replace(anchoring, now=context.now + timedelta(minutes=1)))
    assert read_anchors(file) == (first, second)
    assert len(file.read_text().splitlines()) == 2


def test_an_end_that_was_cut_off_fails_every_run_until_somebody_looks(
    context: JobContext, file: Path
) -> None:
    anchoring = _anchoring(context, file=file)
    _tell(context, 3)
    run(anchoring)
    _cut(context, 2)
    before = file.read_text()
    for _ in range(2):
        with pytest.raises(ChainCut, match="Row 3 of the audit was anchored and is gone"):
            run(anchoring)
        _tell(context, subject="key two")  # a new row in the old one's place hides nothing
    assert file.read_text() == before


def test_without_a_place_it_says_what_is_not_seen(context: JobContext) -> None:
    with pytest.raises(Skipped, match="set MASKWATCH_AUDIT_ANCHOR_FILE"):
        run(context)


def test_a_file_that_is_not_there_is_not_made(context: JobContext, tmp_path: Path) -> None:
    _tell(context)
    with pytest.raises(AnchorsUnusable, match="is its disk mounted"):
        run(_anchoring(context, file=tmp_path / "mnt" / "anchors"))
    with pytest.raises(AnchorsUnusable, match="is its disk mounted"):
        run(_anchoring(context, file=tmp_path / "anchors"))
    assert not (tmp_path / "anchors").exists()


@pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
def test_a_full_disk_fails_the_run(context: JobContext, tmp_path: Path) -> None:
    with small_disk(tmp_path / "other", 1) as disk:
        (disk / "anchors").touch()
        fill_disk(disk)
        _tell(context)
        with pytest.raises(AnchorFailed, match="No space left"):
            run(_anchoring(context, file=disk / "anchors"))


def test_the_system_log_gets_every_head(context: JobContext, tmp_path: Path) -> None:
    head = _tell(context)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as remote,
    ):
        local.bind(str(tmp_path / "log"))
        remote.bind(("127.0.0.1", 0))
        for log, place in (
            (local, str(tmp_path / "log")),
            (remote, f"127.0.0.1:{remote.getsockname()[1]}"),
        ):
            log.settimeout(PATIENCE_SECONDS)
            run(_anchoring(context, syslog=place))
            said = log.recv(1000).decode()
            assert said.startswith("<86>maskwatch: maskwatch audit anchor: row 1 ")
            assert list(anchors_in(said)) == [head]
    with pytest.raises(AnchorFailed, match="MASKWATCH_AUDIT_ANCHOR_SYSLOG"):
        run(_anchoring(context, syslog=str(tmp_path / "nobody")))


@pytest.mark.parametrize("place", ["/dev/log", "log.example:514", "192.0.2.1:514", "[::1]:514"])
def test_places_of_a_system_log(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWATCH_AUDIT_ANCHOR_SYSLOG", place)
    assert load_settings(JobSettings).audit.audit_anchor_syslog == place
    monkeypatch.setenv("MASKWATCH_AUDIT_ANCHOR_SYSLOG", f"udp://{place}")
    with pytest.raises(SettingsError, match="MASKWATCH_AUDIT_ANCHOR_SYSLOG is not usable"):
        load_settings(JobSettings)

import errno
import os
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from stat import S_IMODE

import pytest
from sqlalchemy import select

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.channels.mail import OutgoingMail
from jobs.alerting.channels.transports import FileTransport, transport_for
from jobs.alerting.notify import notify, run
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.alerts.alerts import Condition, apply_condition
from store.tables.work_tables import NotificationRow
from tests.makers import make_condition


@pytest.fixture
def mail() -> OutgoingMail:
    message = EmailMessage()
    message["Subject"] = "An alert"
    message.set_content("Something happened.")
    return OutgoingMail("20260302T120000Z-1-firing", message)


def test_without_a_mail_server_the_mail_is_a_file_for_its_owner_only(
    tmp_path: Path, mail: OutgoingMail
) -> None:
    transport = transport_for(JobSettings(var_dir=tmp_path))
    path = Path(transport.send(mail, "oncall@localhost"))
    assert path == tmp_path / "mail" / "20260302T120000Z-1-firing.eml"
    assert path.read_bytes() == bytes(mail.message)
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_mail_file_is_not_seen_before_it_is_complete(
    tmp_path: Path, mail: OutgoingMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Path]] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(list(tmp_path.glob("*.eml"))))
    FileTransport(tmp_path).send(mail, "oncall@localhost")
    # First the bytes are on disk, then the name is there, then the name is on disk.
    assert [len(names) for names in seen] == [0, 1]
    assert [path.name for path in tmp_path.iterdir()] == [f"{mail.name}.eml"]


def test_a_full_disk_leaves_no_part_of_a_mail_behind(
    tmp_path: Path, mail: OutgoingMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeliveryFailed, match="No space left on device"):
        FileTransport(tmp_path).send(mail, "oncall@localhost")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named_with_its_setting(
    tmp_path: Path, mail: OutgoingMail
) -> None:
    (tmp_path / "mail").write_text("A file stands in the way.")
    with pytest.raises(DeliveryFailed, match="MASKWATCH_VAR_DIR") as caught:
        FileTransport(tmp_path / "mail").send(mail, "oncall@localhost")
    assert str(tmp_path / "mail") in str(caught.value)


def evaluate(context: JobContext, condition: Condition) -> None:
    with context.database.write() as session:
        apply_condition(session, condition, context.now)


def test_each_notification_becomes_a_file(context: JobContext) -> None:
    evaluate(context, make_condition())
    evaluate(context, make_condition(fingerprint="another"))
    assert run(context).sentence == "Sent 2 notifications."
    with context.database.read() as session:
        destinations = session.scalars(select(NotificationRow.destination)).all()
    files = sorted(context.settings.mail_dir.iterdir())
    assert [str(file) for file in files] == sorted(map(str, destinations))
    for file in files:
        mail = message_from_bytes(file.read_bytes(), policy=default)
        assert isinstance(mail, EmailMessage)
        html = mail.get_body(("html",))
        assert html is not None
        assert html.get_content().rstrip().endswith("</html>")


def test_a_notification_whose_sender_died_goes_out_after_a_while(context: JobContext) -> None:
    class Dying:
        name = place = "dying"

        def send(self, mail: OutgoingMail, recipient: str) -> str:
            raise SystemExit

    evaluate(context, make_condition())
    with pytest.raises(SystemExit):
        notify(context, Dying())
    assert run(replace(context, now=context.now + timedelta(minutes=1))).rows == 0
    assert run(replace(context, now=context.now + timedelta(hours=1))).rows == 1
    assert len(list(context.settings.mail_dir.iterdir())) == 1

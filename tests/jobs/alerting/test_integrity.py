"""The job ``integrity``: a changed byte is told, a model that fits again is too."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import select

from jobs.alerting import integrity
from jobs.alerting.channels.mail import compose
from jobs.alerting.integrity import run
from jobs.alerting.report import report_on
from jobs.commands import run_once
from jobs.context import JobContext, Skipped
from store.alerts.alerts import Event
from store.alerts.job_runs import SKIPPED, last_outcome
from store.models.loaded_models import NewLoad, add_loaded_model, this_host
from store.models.model_files import Differences, differences, hash_model_file, model_names
from store.tables.work_tables import AlertRow, NotificationRow

Load = Callable[..., NewLoad]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "m2fp_model"
    folder.mkdir()
    for name in ("pytorch_model.pt", "configuration.json"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def load(context: JobContext) -> Load:
    """Writes down that a service of this host has loaded what lies at a path."""

    def loaded(path: Path, **changes: str) -> NewLoad:
        files = {name: hash_model_file(path, name).sha256 for name in model_names(path)}
        load = NewLoad(
            this_host(), "127.0.0.1:8080", "m2fp", str(path), "ab" * 32, files, "cd" * 32
        )
        load = replace(load, **changes)  # type: ignore[arg-type]
        with context.database.write() as session:
            add_loaded_model(session, load, context.now)
        return load

    return loaded


def _alerts(context: JobContext) -> list[AlertRow]:
    with context.database.read() as session:
        return list(session.scalars(select(AlertRow).order_by(AlertRow.id)))


def _events(context: JobContext) -> list[str]:
    with context.database.read() as session:
        return list(session.scalars(select(NotificationRow.event).order_by(NotificationRow.id)))


def _later(context: JobContext) -> JobContext:
    return replace(context, now=context.now + timedelta(minutes=5))


def _mail(context: JobContext, alert: AlertRow, event: Event) -> tuple[str, str, str]:
    report = report_on(alert, event, {}, context.settings.dashboard.public_url())
    sent = compose(report, alert, context.settings, context.now)
    message = message_from_bytes(bytes(sent.message), policy=default)
    assert isinstance(message, EmailMessage)
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return message["Subject"], text.get_content(), html.get_content()


def test_nothing_loaded_on_this_host_is_nothing_to_do(
    context: JobContext, load: Load, model: Path
) -> None:
    with pytest.raises(Skipped):
        run(context)
    load(model, host="another")
    assert run_once("integrity", context.settings, context.now).is_skipped
    with context.database.read() as session:
        last = last_outcome(session, "integrity")
        assert last is not None
        assert last.outcome == SKIPPED


def test_files_as_they_were_loaded_raise_nothing(
    context: JobContext, load: Load, model: Path
) -> None:
    load(model)
    assert run(context).sentence == "1 model compared with the files on disk, 0 changed."
    assert _alerts(context) == []


def test_a_flipped_byte_is_told_once_and_resolved_when_the_file_is_back(
    context: JobContext, load: Load, model: Path
) -> None:
    load(model)
    weights = model / "pytorch_model.pt"
    good = weights.read_bytes()
    weights.write_bytes(bytes([good[0] ^ 1]) + good[1:])
    for _ in range(2):
        assert run(context).sentence.endswith("1 changed.")
    (alert,) = _alerts(context)
    assert (alert.rule, alert.severity, alert.state) == ("model_file_changed", "critical", "firing")
    assert (alert.atlas, alert.owasp) == ("AML.T0018", "ML06:2023")
    assert "changed: pytorch_model.pt" in alert.summary
    assert str(model) in alert.summary
    assert alert.evidence["files"] == [["changed", "pytorch_model.pt"]]
    weights.write_bytes(good)
    run(_later(context))
    (alert,) = _alerts(context)
    assert alert.state == "resolved"
    assert _events(context) == ["firing", "resolved"]


def test_missing_added_and_replaced_files_are_told_by_name(
    context: JobContext, load: Load, model: Path
) -> None:
    load(model)
    (model / "pytorch_model.pt").rename(model / "weights.pt")
    (model / "configuration.json").unlink()
    (model / "configuration.json").mkdir()
    (model / "configuration.json" / "inside").touch()
    run(context)
    (alert,) = _alerts(context)
    assert alert.value == 4
    assert {name: kind for kind, name in alert.evidence["files"]} == {
        "pytorch_model.pt": "missing",
        "weights.pt": "added",
        "configuration.json": "unreadable",
        "configuration.json/inside": "added",
    }


def test_loading_the_changed_files_resolves(context: JobContext, load: Load, model: Path) -> None:
    load(model)
    (model / "pytorch_model.pt").write_text("a new version")
    run(context)
    load(model)
    run(_later(context))
    assert [alert.state for alert in _alerts(context)] == ["resolved"]


def test_a_model_that_is_not_used_any_more_resolves(
    context: JobContext, load: Load, model: Path, tmp_path: Path
) -> None:
    load(model)
    (model / "pytorch_model.pt").unlink()
    run(context)
    other = tmp_path / "weights.onnx"
    other.write_text("weights")
    load(other)
    run(_later(context))
    (alert,) = _alerts(context)
    assert alert.state == "resolved"
    assert "is not used on" in alert.summary


def test_an_alert_of_another_host_is_left_alone(
    context: JobContext, load: Load, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(model)
    (model / "pytorch_model.pt").unlink()
    run(context)
    monkeypatch.setattr(integrity, "this_host", lambda: "another")
    load(model, host="another")
    run(_later(context))
    assert [alert.state for alert in _alerts(context)] == ["firing"]


def test_a_model_that_is_loaded_while_it_is_hashed_raises_nothing(
    context: JobContext, load: Load, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(model)
    (model / "pytorch_model.pt").write_text("a new version")

    def overtaken(path: Path, files: Mapping[str, str]) -> Differences:
        found = differences(path, files)
        load(model)
        return found

    monkeypatch.setattr(integrity, "differences", overtaken)
    run(context)
    assert _alerts(context) == []


def test_a_folder_full_of_new_files_does_not_fill_the_alert(
    context: JobContext, load: Load, model: Path
) -> None:
    load(model)
    for number in range(200):
        (model / f"{number:03}").touch()
    run(context)
    (alert,) = _alerts(context)
    assert alert.value == 200
    assert len(alert.evidence["files"]) == 20
    assert alert.summary.endswith("(added: 000, 001, 002, 003, 004 and 195 more).")


def test_the_mail_names_the_files_and_nothing_in_it_is_a_percentage(
    context: JobContext, load: Load, model: Path
) -> None:
    load(model)
    (model / "pytorch_model.pt").unlink()
    (model / "x\nSubject: <b>all is well").touch()
    run(context)
    (alert,) = _alerts(context)
    subject, text, html = _mail(context, alert, Event.FIRING)
    assert subject == "[Maskwatch] FIRING critical: 2 model files changed"
    assert "%" not in text
    for part in (text, html):
        for expected in ("pytorch_model.pt", "missing", "02 Mar 2026 12:00 UTC", str(model)):
            assert expected in part
        assert "maskwatch model verify" in part
    assert "\nSubject: <b>" not in text
    assert "<b>all" not in html
    (model / "pytorch_model.pt").write_text("pytorch_model.pt")
    (model / "x\nSubject: <b>all is well").unlink()
    run(_later(context))
    (alert,) = _alerts(context)
    subject, text, _ = _mail(context, alert, Event.RESOLVED)
    assert subject == "[Maskwatch] RESOLVED: model files as loaded"
    assert "What to do next" not in text

"""``maskwatch baselines``: list, show, compare, promote and roll back, by hand and audited."""

from pathlib import Path

import pytest
from sqlalchemy import select

from detectors.baseline.baseline_text import from_json
from inference.ensemble.baselines import SHIPPED
from store.audit.actors import service
from store.baselines.baselines import NewBaseline, Origin, add_baseline
from store.engine.database import Database
from store.engine.start import open_database
from store.settings import StoreSettings
from store.tables.audit_tables import AuditRow
from tests.makers import NOW
from tests.maskwatch.conftest import Run


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """With one baseline, and another one that was learnt after it."""
    opened = open_database(StoreSettings(var_dir=tmp_path / "var"))
    text = SHIPPED.read_text()
    source = from_json(text).segmenter
    with opened.write() as session:
        first = add_baseline(
            session, NewBaseline(source, Origin.SHIPPED, text, 160), service("serve"), NOW
        )
        later = NewBaseline(source, Origin.LEARNT, text + "\n", 600, 150, first.id)
        add_baseline(session, later, "job:learn_baseline", NOW)
    return opened


def test_a_baseline_is_promoted_and_rolled_back(maskwatch: Run, database: Database) -> None:
    said = maskwatch("baselines", "promote", "2")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Baseline 2 judges")
    listed = maskwatch("baselines", "list").out.splitlines()
    assert listed[0].endswith("in force. A person put its baseline in force.")
    assert [line[:6] for line in listed[1:]] == ["*    2", "     1"]
    source = listed[1].split()[2]
    assert maskwatch("baselines", "rollback", source).out.startswith("Baseline 1 judges")
    with database.read() as session:
        actors = session.scalars(
            select(AuditRow.actor).where(AuditRow.action == "source_changed")
        ).all()
    assert len(actors) == 2
    assert all(actor.startswith("cli:") for actor in actors)
    database.close()


def test_a_shown_baseline_is_what_the_setting_takes(maskwatch: Run, database: Database) -> None:
    assert maskwatch("baselines", "show", "1").out == SHIPPED.read_text()
    compared = maskwatch("baselines", "compare", "1", "2").out
    assert "crafted from, at 0.5 %" in compared
    assert "torn_tile" in compared
    database.close()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("promote", "9"), "There is no baseline 9"),
        (("show", "9"), "There is no baseline 9"),
        (("rollback", "abc"), "No source begins with 'abc'"),
    ],
)
def test_what_does_not_exist_is_said(
    maskwatch: Run, database: Database, arguments: tuple[str, str], sentence: str
) -> None:
    said = maskwatch("baselines", *arguments)
    assert said.code == 1
    assert sentence in said.err
    database.close()


def test_no_baseline_is_said(maskwatch: Run) -> None:
    assert maskwatch("db", "upgrade").code == 0
    said = maskwatch("baselines", "list")
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("There is no baseline yet: ")

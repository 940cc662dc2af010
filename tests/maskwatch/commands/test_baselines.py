"""``maskwatch baselines``: list, show, compare, promote and roll back, by hand and audited."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from detectors.baseline.baseline_text import from_json, to_json
from inference.ensemble.baselines import SHIPPED
from inference.ensemble.sources import describe_baseline
from store.audit.actors import service
from store.baselines.baselines import NewBaseline, Origin, add_baseline
from store.engine.database import Database
from store.engine.start import open_database
from store.settings import StoreSettings
from store.tables.audit_tables import AuditRow
from tests.makers import NOW
from tests.maskwatch.conftest import Run


@pytest.fixture(autouse=True)
def learning(monkeypatch: pytest.MonkeyPatch) -> None:
    """As services do that nobody told otherwise; other tests begin with what judges at once."""
    monkeypatch.delenv("MASKWATCH_LEARN_TRAFFIC")


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


def test_where_nothing_is_learnt_the_shipped_baseline_is_said_to_judge(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert maskwatch("db", "upgrade").code == 0
    monkeypatch.setenv("MASKWATCH_LEARN_TRAFFIC", "false")
    said = maskwatch("baselines", "list")
    assert (said.code, said.err) == (0, "")
    sentence, shipped = said.out.splitlines()
    assert sentence.startswith("MASKWATCH_LEARN_TRAFFIC is false: nothing is learnt.")
    source = from_json(SHIPPED.read_text()).segmenter
    assert shipped.split()[:3] == ["*", source[:12], "shipped"]
    as_json = json.loads(maskwatch("baselines", "list", "--json").out)
    assert (as_json["id"], as_json["source"], as_json["is_judging"]) == (None, source, True)
    assert len(maskwatch("baselines", "list", "--source", "no").out.splitlines()) == 1


def test_where_nothing_is_learnt_no_learnt_baseline_judges(
    maskwatch: Run, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert maskwatch("baselines", "promote", "2").code == 0
    shipped = from_json(SHIPPED.read_text())
    with database.write() as session:
        # As a service offers it at its start.
        offer = describe_baseline(shipped)
        assert add_baseline(session, offer, service("serve"), NOW).id == 3
    own = tmp_path / "own.json"
    own.write_text(to_json(replace(shipped, segmenter="a" * 64)))
    monkeypatch.setenv("MASKWATCH_LEARN_TRAFFIC", "false")
    monkeypatch.setenv("MASKWATCH_BASELINE", str(own))
    lines = maskwatch("baselines", "list", "--json").out.splitlines()
    views = [json.loads(line) for line in lines]
    assert [(view["id"], view["origin"], view["is_judging"]) for view in views] == [
        (None, "file", True),
        (3, "shipped", True),
        (2, "learnt", False),
        (1, "shipped", False),
    ]
    database.close()

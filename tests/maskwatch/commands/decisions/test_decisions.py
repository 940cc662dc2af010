"""``maskwatch decisions list``: what holds, and nothing that moves the cursor."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store.decisions.decisions import add_decision, revoke
from store.decisions.scopes import Kind
from store.engine.database import Database
from store.engine.start import open_database
from store.settings import StoreSettings
from tests.makers import make_decision
from tests.maskwatch.conftest import Run


def _open(tmp_path: Path) -> Database:
    return open_database(StoreSettings(var_dir=tmp_path / "var"))


def test_decisions_that_hold_are_listed_newest_first(maskwatch: Run, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    end = now + timedelta(days=1)
    with closing(_open(tmp_path)) as database, database.write() as session:
        block = make_decision(value="ip:203.0.113.7", until=end, simulated=True)
        add_decision(session, block, now - timedelta(hours=2))
        over = add_decision(session, make_decision(value="ip:203.0.113.8", until=end), now)
        allow = make_decision(kind=Kind.ALLOW, value="key:acme", until=end, reason="A\npartner.")
        add_decision(session, allow, now - timedelta(hours=1))
        revoke(session, over.id, "ada", "A mistake.", now)
    lines = [json.loads(line) for line in maskwatch("decisions", "list", "--json").out.splitlines()]
    assert [(line["kind"], line["value"], line["simulated"]) for line in lines] == [
        ("allow", "key:acme", False),
        ("block", "ip:203.0.113.7", True),
    ]
    assert lines[0]["until"] == end.isoformat()
    text = maskwatch("decisions", "list").out
    assert "block (simulated)" in text
    assert "A\\npartner." in text

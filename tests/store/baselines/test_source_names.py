"""What operators call the sources, on pages and in alerts."""

from store.alert_rules.strange_traffic import strange_condition
from store.baselines.source_names import find_name, name_source, show_source
from store.baselines.sources import ensure_source
from store.engine.database import Database
from store.pages.source_progress import list_progress
from tests.makers import NOW

SOURCE, OTHER = "7" * 64, "8" * 64


def test_the_last_name_of_a_source_counts(database: Database) -> None:
    with database.write() as session:
        name_source(session, SOURCE, "form at http://127.0.0.1:5000")
        name_source(session, SOURCE, "n" * 400)
    with database.read() as session:
        assert find_name(session, SOURCE) == "n" * 300
        assert (find_name(session, OTHER), find_name(session, None)) == (None, None)


def test_progress_and_alerts_say_the_name(database: Database) -> None:
    with database.write() as session:
        name_source(session, SOURCE, "form at http://127.0.0.1:5000")
        rows = [ensure_source(session, digest, NOW) for digest in (SOURCE, OTHER)]
        titles = [progress.title for progress in list_progress(session)]
        conditions = [strange_condition(row, find_name(session, row.digest)) for row in rows]
    assert titles == ["form at http://127.0.0.1:5000 (777777777777)", "888888888888"]
    shown = [show_source(condition.evidence) for condition in conditions]
    assert shown == ["form at http://127.0.0.1:5000", "888888888888"]
    assert [shown[index] in each.summary for index, each in enumerate(conditions)] == [True, True]

"""What sources are called that others tell of."""

from sqlalchemy import func, select, text

from inference.upstream.observe.events import EventHead
from inference.upstream.observe.source_namer import SourceNamer
from store.baselines.source_names import find_name
from store.engine.database import Database
from store.tables.baseline_tables import SourceNameRow

SOURCE = "7" * 64


def _count_names(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(func.count()).select_from(SourceNameRow)).one()


def test_a_source_is_named_once(database: Database) -> None:
    namer = SourceNamer(database)
    namer.note(SOURCE, "label_png of key:logger")
    namer.note(SOURCE, "another name")
    with database.read() as session:
        assert find_name(session, SOURCE) == "label_png of key:logger"


def test_no_more_than_some_hundred_are_named(database: Database) -> None:
    namer = SourceNamer(database)
    for number in range(300):
        namer.note(f"{number:064}", "a name")
    assert _count_names(database) == 256


def test_nothing_is_named_and_nobody_fails_while_the_database_is_away(database: Database) -> None:
    namer = SourceNamer(database)
    with database.write() as session:
        session.execute(text("ALTER TABLE source_names RENAME TO away"))
    namer.note(SOURCE, "a name")
    with database.write() as session:
        session.execute(text("ALTER TABLE away RENAME TO source_names"))
    assert _count_names(database) == 0


def test_a_service_of_kserve_is_called_by_its_place() -> None:
    headers = {
        "ce-type": "org.kubeflow.serving.inference.request",
        "ce-id": "1",
        "ce-specversion": "1.0",
        "ce-source": "http://localhost:9081/",
        "ce-namespace": "vision",
        "ce-inferenceservicename": "parser",
    }
    assert EventHead.read(headers).origin.name == "vision/parser"
    alone = {name: text for name, text in headers.items() if "namespace" not in name}
    del alone["ce-inferenceservicename"]
    assert EventHead.read(alone).origin.name == "http://localhost:9081/"

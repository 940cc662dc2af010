"""``maskwatch jobs health`` and what ``maskwatch doctor`` says of the jobs and of poolers."""

from datetime import datetime
from threading import Event

import pytest

from inference.settings import ServiceSettings
from jobs.leader import leadership
from maskwatch.commands.checks import State
from maskwatch.commands.jobs.health import check_jobs
from maskwatch.commands.machine.doctor import examine_machine
from store.alerts.alerts import apply_condition
from store.engine.database import Database
from store.settings import StoreSettings
from tests.makers import make_condition
from tests.maskwatch.conftest import Run


@pytest.fixture
def address(maskwatch: Run, store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on a migrated database."""
    url = store_settings.store.effective_database_url()
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", url)
    return maskwatch


def test_a_probe_learns_by_the_exit_code_whether_the_jobs_run(
    address: Run, database: Database
) -> None:
    said = address("jobs", "health")
    assert (said.code, said.out) == (1, "Nobody runs the jobs: start `maskwatch jobs`.\n")
    with leadership(database, Event()):
        said = address("jobs", "health")
    assert said.code == 0
    assert "leads since" in said.out


def test_a_database_that_is_away_is_not_ready(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert maskwatch("jobs", "health").code == 75


def test_doctor_says_who_leads_and_which_clocks_stepped(
    store_settings: StoreSettings, database: Database, now: datetime
) -> None:
    condition = make_condition(rule="clock_stepped", summary="The clock of here was put back.")
    with database.write() as session:
        apply_condition(session, condition, now)
    with leadership(database, Event()):
        checks = list(check_jobs(store_settings))
    assert [(check.name, check.state) for check in checks] == [
        ("jobs", State.OK),
        ("clock", State.WARN),
    ]
    assert "process" in checks[0].sentence
    assert checks[1].sentence == "The clock of here was put back."


@pytest.mark.parametrize(
    ("store_settings", "words"),
    [("postgresql", "without a pooler"), ("pgbouncer", "shares connections between transactions")],
    indirect=["store_settings"],
)
def test_doctor_says_whether_a_pooler_shares_connections(
    store_settings: StoreSettings, words: str
) -> None:
    settings = ServiceSettings(
        var_dir=store_settings.store.var_dir, database_url=store_settings.store.database_url
    )
    [pooler] = [check for check in examine_machine(settings) if check.name == "pooler"]
    assert words in pooler.sentence

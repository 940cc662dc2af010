"""Which requests a person is asked to vet, and in which order."""

from datetime import datetime, timedelta

import pytest

from detectors.verdict import Verdict
from store.decisions.decisions import add_decision
from store.decisions.scopes import Scope
from store.engine.database import Database
from store.families.feedback import Feedback
from store.pages.vetted_views import propose_vetted
from store.settings import StoreSettings
from tests.labelled_traffic import Labelled
from tests.makers import make_decision


@pytest.fixture
def labelled(database: Database, store_settings: StoreSettings, now: datetime) -> Labelled:
    return Labelled(database, store_settings.store.var_dir, now)


def propose(labelled: Labelled, most: int = 20) -> list[str]:
    with labelled.database.read() as session:
        return [each.request_id for each in propose_vetted(session, labelled.now, most)]


def test_the_oddest_come_first_and_no_more_than_asked_for(labelled: Labelled) -> None:
    ids = {p_value: labelled.unselected(p_value) for p_value in (0.3, 0.02, 0.1)}
    assert propose(labelled) == [ids[0.02], ids[0.1], ids[0.3]]
    assert propose(labelled, most=1) == [ids[0.02]]


def test_what_models_do_not_learn_from_is_not_proposed(labelled: Labelled) -> None:
    labelled.unselected(0.02, received_at=labelled.now - timedelta(days=8))
    labelled.unselected(0.02, verdict=Verdict.FLAG)
    labelled.outliers(2, attacks=False)
    assert propose(labelled) == []


@pytest.mark.parametrize("feedback", [Feedback.CONFIRMED, Feedback.DISMISSED])
def test_what_a_person_judged_is_not_proposed_until_it_is_taken_back(
    labelled: Labelled, feedback: Feedback
) -> None:
    request_id = labelled.unselected(0.02)
    labelled.label([request_id], feedback)
    assert propose(labelled) == []
    labelled.label([request_id], Feedback.WITHDRAWN)
    assert propose(labelled) == [request_id]


def test_one_client_does_not_fill_the_list(labelled: Labelled) -> None:
    for place in range(5):
        labelled.unselected(0.01 + place / 1000, client="ip:203.0.113.7")
    other = labelled.unselected(0.4)
    assert len(propose(labelled)) == 3
    assert propose(labelled)[-1] == other


def test_blocked_networks_are_not_proposed(labelled: Labelled) -> None:
    labelled.unselected(0.02, client="ip:203.0.113.7")
    block = make_decision(
        scope=Scope.NETWORK, value="203.0.113.0/24", until=labelled.now + timedelta(hours=1)
    )
    with labelled.database.write() as session:
        add_decision(session, block, labelled.now)
    assert propose(labelled) == []

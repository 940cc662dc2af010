"""The read models of the families page."""

from datetime import datetime, timedelta

from detectors.families.sentence import Life
from detectors.verdict import Verdict
from store.decisions.decisions import add_decision
from store.engine.database import Database
from store.pages.family_views import find_family, list_families, read_family
from store.tables.family_tables import FamilyMemberRow, FamilyRow
from tests.makers import make_decision
from tests.store.conftest import Add

DAY = timedelta(days=1)


def _make_family(database: Database, last_at: datetime, *keys: int) -> int:
    row = FamilyRow(
        formed_at=last_at,
        first_at=last_at - DAY,
        last_at=last_at,
        requests=max(1, len(keys)),
        clients=1,
        kinds={"crafted": max(1, len(keys))},
        shared=[{"tie": "client", "value": "ip:203.0.113.7", "requests": 2}],
    )
    with database.write() as session:
        session.add(row)
        session.flush()
        for key in keys:
            session.add(FamilyMemberRow(request_pk=key, family_id=row.id, looked_at=last_at))
        return row.id


def test_families_are_listed_by_what_grew_last_and_paged_by_number(
    database: Database, now: datetime
) -> None:
    ages = (3, 0, 2, 0, 1)
    families = [_make_family(database, now - age * DAY) for age in ages]
    order = [families[place] for place in (3, 1, 4, 2, 0)]
    with database.read() as session:
        assert [view.id for view in list_families(session, now, 9)] == order
        assert [view.id for view in list_families(session, now, 2, before=order[1])] == order[2:4]
        lives = [view.life for view in list_families(session, now, 9)]
    assert lives == [Life.GROWING] * 2 + [Life.QUIET] * 3


def test_a_family_shows_its_newest_requests_and_a_telling_example(
    database: Database, add: Add, now: datetime
) -> None:
    old = add(received_at=now - 2 * DAY, verdict=Verdict.FLAG)
    flagged = add(received_at=now - timedelta(hours=2), verdict=Verdict.FLAG)
    outlier = add(received_at=now - timedelta(hours=1))
    family = _make_family(database, now, old, flagged, outlier)
    with database.read() as session:
        detail = read_family(session, family, now, 2)
        assert find_family(session, flagged) == family
    assert detail is not None
    assert [each.pk for each in detail.requests] == [outlier, flagged]
    assert detail.view.example is not None
    assert detail.view.example.pk == flagged
    assert detail.view.day_requests == 2


def test_a_merged_family_leads_to_where_it_went_with_its_decisions(
    database: Database, now: datetime
) -> None:
    oldest, middle, youngest = (_make_family(database, now) for _ in range(3))
    with database.write() as session:
        session.get_one(FamilyRow, youngest).merged_into = middle
        session.get_one(FamilyRow, middle).merged_into = oldest
        decision = add_decision(session, make_decision(family=str(youngest)), now).id
    with database.read() as session:
        detail = read_family(session, youngest, now, 9)
        assert [view.id for view in list_families(session, now, 9)] == [oldest]
        assert read_family(session, 77, now, 9) is None
    assert detail is not None
    assert (detail.view.id, detail.merged) == (oldest, (middle, youngest))
    assert [each.id for each in detail.decisions] == [decision]

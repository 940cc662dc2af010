"""What people say of requests and families is kept, told to the audit, and learnt from."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from detectors.registry import FeatureVector
from detectors.verdict import Verdict
from store.audit.audit_log import Action
from store.audit.reasons import ReasonError
from store.engine.database import Database
from store.families.families import NoFamily
from store.families.feedback import (
    Feedback,
    FeedbackError,
    Said,
    judge_family,
    judge_request,
    read_feedback,
)
from store.requests.record_store import clean_features
from store.requests.row_bounds import Bounds
from store.tables.audit_tables import AuditRow
from store.tables.family_tables import FamilyMemberRow, FamilyRow
from store.tables.request_tables import RequestRow
from tests.store.conftest import Add

BOUNDS = Bounds(99, 99, 99, 99)
WIDTH = FeatureVector.of({"width": 640})
CONFIRM = Said(Feedback.CONFIRMED, "ada", "A patch.", "analyst:ada")
WITHDRAW = Said(Feedback.WITHDRAWN, "bob", "It was another one.", "analyst:bob")
DISMISS = Said(Feedback.DISMISSED, "bob", "Our own camera.", "analyst:bob")


def _id_of(database: Database, key: int) -> str:
    with database.read() as session:
        return session.get_one(RequestRow, key).request_id


def _clean(database: Database, now: datetime) -> set[int]:
    with database.read() as session:
        since = now - timedelta(days=1)
        return set(clean_features(session, ("width",), since, BOUNDS).request_pks)


def _make_family(database: Database, now: datetime, *keys: int) -> int:
    row = FamilyRow(
        formed_at=now,
        first_at=now,
        last_at=now,
        requests=len(keys),
        clients=1,
        kinds={"crafted": len(keys)},
        shared=[],
    )
    with database.write() as session:
        session.add(row)
        session.flush()
        for key in keys:
            session.add(FamilyMemberRow(request_pk=key, family_id=row.id, looked_at=now))
        return row.id


def test_nothing_is_learnt_from_a_confirmed_request(
    database: Database, add: Add, now: datetime
) -> None:
    attack, other = add(features=WIDTH), add(features=WIDTH)
    with database.write() as session:
        judge_request(session, _id_of(database, attack), CONFIRM, now)
    assert _clean(database, now) == {other}


def test_a_dismissed_flag_is_learnt_from(database: Database, add: Add, now: datetime) -> None:
    flagged, other = add(features=WIDTH, verdict=Verdict.FLAG), add(features=WIDTH)
    assert _clean(database, now) == {other}
    with database.write() as session:
        judge_request(session, _id_of(database, flagged), DISMISS, now)
    assert _clean(database, now) == {flagged, other}


def test_the_last_word_counts_and_the_audit_has_all(
    database: Database, add: Add, now: datetime
) -> None:
    key = add(features=WIDTH)
    for said in (CONFIRM, DISMISS):
        with database.write() as session:
            judge_request(session, _id_of(database, key), said, now)
    with database.read() as session:
        row = read_feedback(session, key)
        query = select(AuditRow).where(AuditRow.action == Action.FEEDBACK_GIVEN.value)
        actors = [each.actor for each in session.scalars(query.order_by(AuditRow.sequence))]
    assert row is not None
    assert (row.feedback, row.said_by, row.reason) == ("dismissed", "bob", "Our own camera.")
    assert actors == ["analyst:ada", "analyst:bob"]


def test_what_is_said_of_a_family_holds_for_those_it_has_and_not_for_who_joins_later(
    database: Database, add: Add, now: datetime
) -> None:
    first, second, later = (add(features=WIDTH, verdict=Verdict.FLAG) for _ in range(3))
    family = _make_family(database, now, first, second)
    with database.write() as session:
        assert judge_family(session, family, DISMISS, now) == 2
        session.add(FamilyMemberRow(request_pk=later, family_id=family, looked_at=now))
        row = session.get_one(FamilyRow, family)
        assert (row.feedback, row.feedback_by) == ("dismissed", "bob")
    assert _clean(database, now) == {first, second}


def test_what_is_taken_back_is_as_if_nobody_had_said_it(
    database: Database, add: Add, now: datetime
) -> None:
    flagged = add(features=WIDTH, verdict=Verdict.FLAG)
    family = _make_family(database, now, flagged)
    for said in (DISMISS, WITHDRAW):
        with database.write() as session:
            judge_family(session, family, said, now)
    assert _clean(database, now) == set()
    with database.read() as session:
        row = session.get_one(FamilyRow, family)
        assert (row.feedback, row.feedback_by, row.feedback_at) == (None, None, None)
        assert read_feedback(session, flagged) is None
        query = select(AuditRow).where(AuditRow.action == Action.FEEDBACK_GIVEN.value)
        details = [each.details for each in session.scalars(query.order_by(AuditRow.sequence))]
    assert ["dismissed" in str(each) for each in details] == [True, False]
    assert "withdrawn" in str(details[1])


def test_a_merged_family_says_where_it_went(database: Database, now: datetime) -> None:
    older, younger = _make_family(database, now), _make_family(database, now)
    with database.write() as session:
        session.get_one(FamilyRow, younger).merged_into = older
    with database.write() as session, pytest.raises(FeedbackError, match=f"part of family {older}"):
        judge_family(session, younger, CONFIRM, now)


def test_feedback_needs_a_reason_and_something_to_judge(database: Database, now: datetime) -> None:
    silent = Said(Feedback.CONFIRMED, "ada", "  ", "analyst:ada")
    with database.write() as session:
        with pytest.raises(ReasonError, match="Say why"):
            judge_family(session, 1, silent, now)
        with pytest.raises(NoFamily):
            judge_family(session, 77, CONFIRM, now)
        with pytest.raises(FeedbackError, match="There is no request x"):
            judge_request(session, "x", CONFIRM, now)

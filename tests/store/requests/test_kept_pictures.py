"""Kept pictures of flagged and of ordinary requests, as jobs ask for them."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from detectors.findings import Finding, Place
from detectors.rule_book import NO_PERSON, TRIGGER_SUSPECTED
from store.engine.database import Database
from store.requests.kept_pictures import KeptPicture, flagged_pictures, ordinary_pictures
from store.requests.picture_store import OVERLAY, PICTURE
from store.requests.record_store import add_record
from store.requests.records import PictureFile
from tests.full_record import pictured_record

PLACES = (Place(10, 20, 30, 40), Place(1, 2, 3, 4, "face"))
RULES = (TRIGGER_SUSPECTED.code,)
Send = Callable[..., str]


@pytest.fixture
def send(database: Database, now: datetime) -> Send:
    """Stores a request; gives its id."""

    def sent(
        client: str = "ip:192.0.2.1",
        findings: tuple[Finding, ...] = (),
        *,
        at: datetime = now,
        kinds: tuple[str, ...] = (PICTURE, OVERLAY),
        file: str = "a",
    ) -> str:
        files = tuple(PictureFile(kind, file * 64, "image/webp") for kind in kinds)
        record = pictured_record(client, at, (480, 640), files, findings)
        with database.write() as session:
            add_record(session, record)
        return record.request_id

    return sent


def flagged(
    database: Database, since: datetime, most: int = 9, max_per_client: int = 9
) -> tuple[KeptPicture, ...]:
    with database.read() as session:
        return flagged_pictures(session, RULES, since, most, max_per_client)


def ordinary(
    database: Database, since: datetime, most: int = 9, max_per_client: int = 2
) -> tuple[KeptPicture, ...]:
    with database.read() as session:
        return ordinary_pictures(session, since, most, max_per_client)


def test_a_flagged_picture_comes_with_the_first_place_of_the_rule(
    database: Database, send: Send, now: datetime
) -> None:
    found = (Finding(NO_PERSON), Finding(TRIGGER_SUSPECTED, {}, PLACES))
    request_id = send("key:acme", found)
    assert flagged(database, now) == (
        KeptPicture(request_id, "key:acme", "a" * 64, (480, 640), PLACES[0]),
    )


def test_only_pictures_with_a_place_of_these_rules_are_flagged(
    database: Database, send: Send, now: datetime
) -> None:
    with_place = (Finding(TRIGGER_SUSPECTED, {}, PLACES),)
    send()
    send(findings=(Finding(NO_PERSON, {}, PLACES),))
    send(findings=(Finding(TRIGGER_SUSPECTED),))
    send(findings=with_place, kinds=(OVERLAY,))
    send(findings=with_place, at=now - timedelta(days=1))
    assert flagged(database, now) == ()


def test_who_repeats_a_picture_or_sends_many_hides_nobody(
    database: Database, send: Send, now: datetime
) -> None:
    found = (Finding(TRIGGER_SUSPECTED, {}, PLACES),)
    other = send("ip:192.0.2.2", found, file="a")
    ids = [send(findings=found, file=file) for file in "abcc"]
    assert [each.request_id for each in flagged(database, now, most=2)] == [ids[3], ids[1]]
    few = flagged(database, now, max_per_client=2)
    assert [each.request_id for each in few] == [ids[3], ids[1], other]


def test_few_ordinary_pictures_of_each_client_are_given(
    database: Database, send: Send, now: datetime
) -> None:
    many = [send() for _ in range(4)]
    other = send("ip:192.0.2.2")
    send(findings=(Finding(NO_PERSON),))
    send("ip:192.0.2.3", kinds=(OVERLAY,))
    send("ip:192.0.2.4", at=now - timedelta(days=1))
    found = ordinary(database, now)
    assert [each.request_id for each in found] == [other, many[3], many[2]]
    assert all(each.place is None for each in found)
    assert [each.request_id for each in ordinary(database, now, most=1)] == [other]

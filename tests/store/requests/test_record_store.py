"""Records go in and come back as features, activity and shares, on both databases."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from math import isnan

import numpy as np
import pytest

from detectors.findings import Finding
from detectors.registry import FeatureVector
from detectors.rule_book import NO_PERSON, TYPE_MISMATCH
from detectors.verdict import Verdict
from store.counts.invalid_requests import InvalidShare, invalid_share
from store.counts.periods import Period
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.engine.database import Database
from store.pages.request_detail import request_detail
from store.requests.record_store import (
    FeatureMatrix,
    add_record,
    clean_features,
)
from store.requests.records import PictureFile, Stage, Trace
from store.requests.row_bounds import Bounds
from store.requests.unscored import unscored_requests
from store.tables.family_tables import FamilyMemberRow, FamilyRow
from tests.makers import make_record

Add = Callable[..., int]
NAMES = ("width", "skin_share")
WIDTH = FeatureVector.of({"width": 640.0})


def _clean(
    database: Database, since: datetime, max_per_client: int = 100, most: int = 100
) -> FeatureMatrix:
    with database.read() as session:
        return clean_features(session, NAMES, since, Bounds(max_per_client, 1000, 1000, most))


def _choose(database: Database, since: datetime, per_family: int) -> set[int]:
    with database.read() as session:
        bounds = Bounds(100, 1000, per_family, 100)
        return set(clean_features(session, NAMES, since, bounds).request_pks)


def _block(database: Database, client: str, now: datetime) -> int:
    new = NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.CLIENT,
        value=client,
        scenario="by_hand",
        origin="analyst",
        reason="A test.",
        created_by="tester",
        until=now + timedelta(hours=1),
    )
    with database.write() as session:
        return add_decision(session, new, now).id


def test_a_whole_record_comes_back(database: Database) -> None:
    record = make_record(
        received_at=datetime(2026, 3, 2, 1, 30, 0, 123456, timezone(timedelta(hours=-9))),
        verdict=Verdict.FLAG,
        reasons=("no_person_found", "declared_type_differs"),
        content_sha256="ab" * 32,
        media_type="image/png",
        segmenter="cd" * 32,
        labels=("hair", "upper_clothes"),
        features=FeatureVector.of({"width": 640.0, "skin_share": 0.0, "spectral_slope": -2.25}),
        findings=(Finding(NO_PERSON, {"foreground_share": 0.25}), Finding(TYPE_MISMATCH)),
        evidence=(PictureFile("picture", "ef" * 32, "image/webp"),),
    )
    with database.write() as session:
        assert add_record(session, record)
    with database.read() as session:
        found = request_detail(session, record.request_id)
    assert found is not None
    assert found.features is not None
    assert found.features.collect_values() == {
        "width": 640.0,
        "skin_share": 0,
        "spectral_slope": -2.25,
    }
    assert [(f.rule, f.severity, f.evidence) for f in found.findings] == [
        ("no_person_found", "odd", {"foreground_share": 0.25}),
        ("declared_type_differs", "odd", {}),
    ]
    assert (found.content_sha256, found.segmenter) == ("ab" * 32, "cd" * 32)
    assert (found.media_type, found.labels) == ("image/png", ("hair", "upper_clothes"))
    assert found.summary.received_at == record.received_at
    assert found.summary.received_at.utcoffset() == timedelta(0)
    assert (found.summary.verdict, found.summary.reasons) == (Verdict.FLAG, record.reasons)


def test_the_same_id_twice_is_stored_once(database: Database) -> None:
    record = make_record(features=WIDTH)
    with database.write() as session:
        assert add_record(session, record) is True
        assert add_record(session, record) is False
    with database.write() as session:
        assert add_record(session, record) is False
        assert unscored_requests(session, NAMES, 0, most=9).rows.shape == (1, 2)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = make_record(received_at=datetime(2026, 3, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"), database.write() as session:
        add_record(session, naive)


def test_unscored_requests_are_the_parsed_ones_oldest_first(
    database: Database, add: Add, score: Callable[[int, bool], None]
) -> None:
    score(add(features=WIDTH), False)
    first, second = add(features=WIDTH), add(segmenter="ab", features=WIDTH)
    add(stage=Stage.GATE, verdict=Verdict.REFUSE)
    with database.read() as session:
        found = unscored_requests(session, NAMES, 0, most=9)
        assert unscored_requests(session, NAMES, 0, most=1).keys == (first,)
        assert unscored_requests(session, NAMES, first, most=9).keys == (second,)
    assert found.keys == (first, second)
    assert found.sources[1] == "ab"
    assert found.rows[0][0] == 640
    assert isnan(found.rows[0][1])


def test_an_empty_store_gives_an_empty_matrix(database: Database, now: datetime) -> None:
    with database.read() as session:
        assert unscored_requests(session, NAMES, 0, most=9).rows.shape == (0, 2)
        assert invalid_share(session, Period(now)).share == 0
    assert _clean(database, now).rows.shape == (0, 2)


def test_only_old_enough_passed_and_ordinary_requests_are_clean(
    database: Database, add: Add, score: Callable[[int, bool], None], now: datetime
) -> None:
    day = timedelta(days=1)
    clean = [add(features=WIDTH), add(features=WIDTH, received_at=now - day)]
    add(features=WIDTH, received_at=now - day - timedelta(seconds=1))
    add(features=WIDTH, verdict=Verdict.FLAG)
    add(features=WIDTH, stage=Stage.FAILED)
    outlier = add(features=WIDTH)
    score(outlier, True)
    score(clean[0], False)
    assert _clean(database, now - day).request_pks == tuple(reversed(clean))
    with database.read() as session:
        outliers = clean_features(session, NAMES, now - day, Bounds(9, 9, 9, 9), outliers=True)
    assert outliers.request_pks == (outlier,)


def test_one_client_cannot_fill_the_clean_set(database: Database, add: Add, now: datetime) -> None:
    loud = [add(client="ip:198.51.100.9", features=WIDTH) for _ in range(4)]
    quiet = add(features=WIDTH)
    assert _clean(database, now, max_per_client=2).request_pks == (quiet, loud[3], loud[2])
    assert _clean(database, now, most=2).request_pks == (quiet, loud[3])


def test_a_family_of_many_clients_cannot_fill_the_clean_set(
    database: Database, add: Add, now: datetime
) -> None:
    crowd = [add(client=f"ip:198.51.{number}.9", features=WIDTH) for number in range(50)]
    others = [add(client=f"ip:203.0.113.{number}", features=WIDTH) for number in range(5)]
    with database.write() as session:
        family = FamilyRow(
            formed_at=now,
            first_at=now,
            last_at=now,
            requests=50,
            clients=50,
            kinds={},
            shared=[],
        )
        session.add(family)
        session.flush()
        for key in crowd:
            session.add(FamilyMemberRow(request_pk=key, family_id=family.id, looked_at=now))
        for key in others:
            session.add(FamilyMemberRow(request_pk=key, family_id=None, looked_at=now))
    assert _choose(database, now, per_family=3) == {*others, *crowd[-3:]}


def test_pictures_that_look_alike_cannot_fill_the_clean_set(
    database: Database, add: Add, now: datetime
) -> None:
    alike = [add(features=WIDTH, trace=Trace(b"look", (), "a")) for _ in range(4)]
    sampled = [add(features=WIDTH, sample_family="b") for _ in range(4)]
    same = [add(features=WIDTH, content_sha256="c" * 64) for _ in range(4)]
    unknown = [add(features=WIDTH) for _ in range(4)]
    chosen = {*alike[-2:], *sampled[-2:], *same[-2:], *unknown}
    assert _choose(database, now, per_family=2) == chosen


def test_a_client_that_was_blocked_is_not_clean_until_the_block_is_revoked(
    database: Database, add: Add, now: datetime
) -> None:
    request = add(features=WIDTH)
    block = _block(database, "ip:203.0.113.7", now)
    assert _clean(database, now).request_pks == ()
    with database.write() as session:
        revoke(session, block, "tester", "A mistake.", now)
    assert np.array_equal(_clean(database, now).request_pks, [request])


def test_the_invalid_share_leaves_admission_out(
    database: Database, add: Add, now: datetime
) -> None:
    add()
    add(verdict=Verdict.FLAG)
    add(stage=Stage.GATE, verdict=Verdict.REFUSE)
    add(stage=Stage.ADMISSION, verdict=Verdict.REFUSE)
    add(verdict=Verdict.FLAG, received_at=now - timedelta(hours=2))
    with database.read() as session:
        assert invalid_share(session, Period(now - timedelta(hours=1))) == InvalidShare(2, 3)
        assert invalid_share(session, Period(now - timedelta(hours=3))).share == 0.75

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from detectors.findings import Finding, Place
from detectors.registry import FeatureVector
from detectors.rule_book import ADVERSARIAL_PICTURE, NO_PERSON
from detectors.verdict import Verdict
from store.engine.database import Database
from store.models.outlier_models import OutlierModelStore
from store.pages.request_detail import NormalRange, normal_ranges, request_detail
from store.requests.record_store import features_of
from store.requests.records import Stage
from store.settings import StoreSettings
from tests.makers import make_score

Add = Callable[..., int]


def test_an_unknown_request_has_no_detail(database: Database) -> None:
    with database.read() as session:
        assert request_detail(session, "a" * 36) is None


def test_a_request_that_was_refused_early_has_no_features(database: Database, add: Add) -> None:
    pk = add(request_id="a" * 36, stage=Stage.GATE, verdict=Verdict.REFUSE, status=415)
    with database.read() as session:
        detail = request_detail(session, "a" * 36)
        assert features_of(session, pk) is None
    assert detail is not None
    assert (detail.features, detail.findings, detail.scores) == (None, (), ())
    assert (detail.summary.pk, detail.summary.outlier) == (pk, False)
    assert (detail.content_sha256, detail.media_type, detail.labels) == (None, None, ())


def test_findings_keep_their_places_in_order(database: Database, add: Add) -> None:
    places = (Place(30, 40, 54, 64, "face"), Place(0, 0, 12_000, 8))
    crafted = Finding(ADVERSARIAL_PICTURE, {"tamper_score": 1.5}, places)
    add(request_id="a" * 36, findings=(crafted, Finding(NO_PERSON)))
    with database.read() as session:
        detail = request_detail(session, "a" * 36)
    assert detail is not None
    placed, whole = detail.findings
    assert (placed.rule, placed.severity) == ("adversarial_picture", "suspect")
    assert (placed.evidence, placed.places) == ({"tamper_score": 1.5}, places)
    assert (whole.rule, whole.places) == ("no_person_found", ())


def test_scores_of_several_models_are_told_newest_first(
    database: Database,
    store_settings: StoreSettings,
    add: Add,
    score: Callable[[int, bool], None],
    now: datetime,
) -> None:
    pk = add(request_id="a" * 36)
    score(pk, False)
    later = now + timedelta(days=1)
    with database.write() as session:
        model = OutlierModelStore(store_settings.store.var_dir).add(
            session, archive=b"newer", kind="isolation_forest", rows=50, metrics={}, now=later
        )
        session.add(
            make_score(
                pk,
                model.id,
                later,
                score=0.7,
                p_value=0.002,
                outlier=True,
                contributions={"holes": -4.5},
            )
        )
        detail = request_detail(session, "a" * 36)
    assert detail is not None
    assert detail.summary.outlier
    newest, oldest = detail.scores
    assert (newest.model_digest, newest.outlier, newest.scored_at) == (model.digest, True, later)
    assert (newest.score, newest.p_value, newest.contributions) == (0.7, 0.002, {"holes": -4.5})
    assert newest.model_kind == "isolation_forest"
    assert (oldest.outlier, oldest.scored_at) == (False, now)


def test_normal_is_where_half_of_the_passed_requests_lie(
    database: Database, add: Add, now: datetime
) -> None:
    for hour, width in enumerate((100, 200, 300, 400, 500, 9000)):
        vector = FeatureVector.of({"width": width, **({"skin_share": 0.5} if hour == 4 else {})})
        add(features=vector, received_at=now + timedelta(hours=hour))
    add(features=FeatureVector.of({"width": 7.0}), verdict=Verdict.FLAG)
    with database.read() as session:
        ranges = normal_ranges(session)
        latest = normal_ranges(session, most=2)
    assert set(ranges) == {"width", "skin_share"}
    assert ranges["width"] == NormalRange(225, 350, 475, 6)
    assert ranges["skin_share"] == NormalRange(0.5, 0.5, 0.5, 1)
    assert latest["width"] == NormalRange(2625, 4750, 6875, 2)


def test_without_passed_requests_nothing_is_normal(database: Database) -> None:
    with database.read() as session:
        assert normal_ranges(session) == {}


@pytest.mark.parametrize("value", [0.1, 1 / 3, 123456789.123456789, 5e-324, 2.0**53])
def test_features_come_back_to_the_last_bit(database: Database, add: Add, value: float) -> None:
    pk = add(features=FeatureVector.of({"periodic_peak": value, "spectral_slope": -value}))
    with database.read() as session:
        found = features_of(session, pk)
    assert found is not None
    assert found.collect_values() == {"periodic_peak": value, "spectral_slope": -value}

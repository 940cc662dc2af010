"""Why a request stands out, in the units that its numbers have."""

from math import isnan, nan

import pytest

from dashboard.show import words
from dashboard.show.contributions import describe_contribution
from dashboard.show.feature_table import range_mark
from dashboard.wiring import Parts
from detectors.findings import Finding
from detectors.registry import FEATURES, Feature, FeatureVector
from detectors.rule_book import ADVERSARIAL_PICTURE, OUTLIER_TRAFFIC
from detectors.verdict import Verdict
from store.models.outlier_models import OutlierModelStore, promote
from store.pages.request_detail import NormalRange
from store.requests.record_store import add_record
from store.requests.records import RequestRecord, Stage
from store.tables.request_tables import RequestRow
from tests.dashboard.opened import Signed, html_of, open_page
from tests.makers import make_score

CRAFTED = "11111111-1111-4111-8111-111111111111"
ORDINARY = {"stray_share": 0.004, "persons": 2.0, "trousers_feet_gap": 0.01}


def _record(parts: Parts, number: int, **values: float) -> RequestRecord:
    return RequestRecord(
        request_id=f"22222222-2222-4222-8222-{number:012}",
        received_at=parts.clock(),
        client="ip:203.0.113.7",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.PASS,
        status=200,
        features=FeatureVector.of({**ORDINARY, **values}),
    )


def _flagged(parts: Parts, findings: tuple[Finding, ...]) -> RequestRecord:
    return RequestRecord(
        request_id=CRAFTED,
        received_at=parts.clock(),
        client="ip:203.0.113.7",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.FLAG,
        status=200,
        reasons=("adversarial_picture",),
        features=FeatureVector.of({"stray_share": 0.12, "persons": 7.0, "trousers_feet_gap": 0.4}),
        findings=findings,
    )


def _page(
    parts: Parts, signed_in: Signed, *findings: Finding, distances: dict[str, float] | None = None
) -> str:
    """The page of a flagged request after ten ordinary ones, which all show two persons."""
    signed_in(parts)
    with parts.database.write() as session:
        for number in range(10):
            add_record(session, _record(parts, number, stray_share=0.001 * number))
        add_record(session, _flagged(parts, findings))
    if distances is not None:
        _add_score(parts, distances)
    return html_of(open_page("request", id=CRAFTED))


def _add_score(parts: Parts, distances: dict[str, float]) -> None:
    with parts.database.write() as session:
        model = OutlierModelStore(parts.settings.store.var_dir).add(
            session,
            archive=b"an archive",
            kind="isolation_forest",
            rows=100,
            metrics={},
            now=parts.clock(),
        )
        promote(session, model.id, "job:retrain", parts.clock())
        row = session.query(RequestRow).filter_by(request_id=CRAFTED).one()
        session.add(make_score(row.id, model.id, parts.clock(), contributions=distances))


def test_an_outliers_distances_are_quartile_ranges_beside_values_with_units(
    nothing: Parts, signed_in: Signed
) -> None:
    distances = {"p_value": 0.004, "stray_share": 65.82, "trousers_feet_gap": 392.0}
    html = _page(nothing, signed_in, Finding(OUTLIER_TRAFFIC, distances))
    assert "65.8 interquartile ranges above the median, at 12\u202f%" in html
    assert "6582" not in html
    assert "392 body heights" not in html


def test_a_feature_that_hardly_ever_differs_has_no_enormous_distance(
    nothing: Parts, signed_in: Signed
) -> None:
    html = _page(
        nothing, signed_in, Finding(OUTLIER_TRAFFIC, {"p_value": 0.004, "stray_share": 25000.0})
    )
    assert "more than 100 interquartile ranges above the median" in html
    assert "25\u202f000" not in html
    assert words.signed_ranges(2e9) == "above +100"
    assert "above +100 IQR" in range_mark(2e9)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_feature_has_words_for_every_distance(feature: Feature) -> None:
    high = min(feature.high, 1e9)
    low = max(feature.low, -1e9)
    for value in (low, (low + high) / 2, high, nan):
        values = FeatureVector.of({} if isnan(value) else {feature.name: value})
        for distance in (1.0, -0.004, 25000.0):
            said = describe_contribution(feature.name, distance, values, None)
            assert "nan" not in said
            assert "1 interquartile ranges" not in said
            assert said.count("%") <= 1
            assert ("at" in said.rpartition("median")[2]) is not isnan(value)
        zero = NormalRange(low, low, low, 10)
        assert "interquartile" not in describe_contribution(feature.name, 25000.0, values, zero)


def test_a_feature_that_never_differs_has_no_distance(nothing: Parts, signed_in: Signed) -> None:
    finding = Finding(OUTLIER_TRAFFIC, {"p_value": 0.004, "persons": 25000.0})
    html = _page(nothing, signed_in, finding, distances={"persons": 25000.0})
    assert html.count("7; normal never differs from 2<") == 2
    assert "normal never differs<" in html
    assert "25" + "\u202f" + "000" not in html
    assert "25000" not in html


def test_what_is_below_its_limit_is_no_reason(nothing: Parts, signed_in: Signed) -> None:
    evidence = {"tamper_score": 1.4, "torn_tile": 1.4, "withdrawn_parts": 0.876}
    html = _page(nothing, signed_in, Finding(ADVERSARIAL_PICTURE, evidence))
    assert "1.4 × the limit: In one place the parse falls apart" in html
    assert "0.876" not in html
    assert "Parts that the model sees are gone" not in html


def test_if_all_are_below_their_limits_the_strongest_is_named(
    nothing: Parts, signed_in: Signed
) -> None:
    evidence = {"tamper_score": 0.9, "withdrawn_parts": 0.7, "torn_tile": 0.9}
    html = _page(nothing, signed_in, Finding(ADVERSARIAL_PICTURE, evidence))
    assert "The strongest sign: In one place the parse falls apart" in html
    assert "× the limit" not in html


def test_a_flagged_picture_is_never_called_normal(nothing: Parts, signed_in: Signed) -> None:
    finding = Finding(ADVERSARIAL_PICTURE, {"tamper_score": 1.4, "torn_tile": 1.4})
    html = _page(nothing, signed_in, finding, distances={"stray_share": 0.8})
    assert "Within normal" not in html
    assert "does not clear it" in html
    assert "No outlier" in html


def test_a_picture_that_no_scan_scored_is_not_called_ordinary(
    nothing: Parts, signed_in: Signed
) -> None:
    html = _page(nothing, signed_in, Finding(ADVERSARIAL_PICTURE, {"tamper_score": 1.4}))
    assert "No scan has judged its measurements" in html
    assert "ordinary" not in html
    assert "once there is an outlier model" in html

"""The page of one request."""

import numpy as np

from dashboard.wiring import Parts
from detectors.findings import Finding, Place
from detectors.palette import colour_of
from detectors.rule_book import ADVERSARIAL_PICTURE
from detectors.verdict import Verdict
from inference.answer.encode import webp
from store.requests.picture_store import OVERLAY, PICTURE, PictureStore
from store.requests.record_store import add_record
from store.requests.records import RequestRecord, Stage
from tests.dashboard.conftest import Day
from tests.dashboard.opened import Signed, html_of, images_of, open_page
from tests.makers import make_record

_WEBP = webp(np.zeros((8, 8, 3), np.uint8))
CAPTIONS = ("Picture, faces pixelated", "Mask overlay", "Entropy map")


def test_a_flagged_request_says_why(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("request", id=day.sample.flagged)
    html = html_of(at)
    assert "AML.T0015" in html
    assert "◆ Outlier" in html
    assert "0.0036" in html
    assert "high_frequency_share" in html
    assert "11 outliers and 7 refusals" in html
    assert [caption for caption in CAPTIONS if caption in images_of(at)] == list(CAPTIONS)


def test_a_picture_that_was_changed_on_disk_is_not_shown(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    store = PictureStore(nothing.settings.store.var_dir)
    pictures = (store.put(PICTURE, _WEBP, "image/webp"), store.put(OVERLAY, b"b", "image/webp"))
    record = make_record(evidence=pictures)
    with nothing.database.write() as session:
        add_record(session, record)
    [file] = (nothing.settings.store.var_dir / "evidence").rglob(pictures[1].sha256)
    file.write_bytes(_WEBP)
    at = open_page("request", id=record.request_id)
    assert "Mask overlay: its file was changed on disk since it was kept" in html_of(at)
    assert [caption for caption in CAPTIONS if caption in images_of(at)] == [CAPTIONS[0]]


def test_parts_have_words_and_the_colour_that_they_have_in_the_overlay(
    day: Day, signed_in: Signed
) -> None:
    signed_in(day.parts)
    html = html_of(open_page("request", id=day.sample.flagged))
    red, green, blue = colour_of("upper_clothes")
    assert f'<i style="background:rgb({red},{green},{blue})"></i>Upper clothes</span>' in html


def test_a_finding_says_where_it_shows(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    places = (Place(30, 40, 54, 72, "face"), Place(0, 0, 8, 8))
    record = RequestRecord(
        request_id="11111111-1111-4111-8111-111111111111",
        received_at=nothing.clock(),
        client="ip:203.0.113.7",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.FLAG,
        status=200,
        reasons=("adversarial_picture",),
        findings=(Finding(ADVERSARIAL_PICTURE, {"tamper_score": 1.5}, places),),
    )
    with nothing.database.write() as session:
        add_record(session, record)
    html = html_of(open_page("request", id=record.request_id))
    assert "The picture looks made to mislead the model." in html
    assert "Where: face at 30, 40: 24 × 32 pixels · outlined at 0, 0: 8 × 8 pixels" in html


def test_a_finding_about_the_whole_request_has_no_place(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    assert "Where: " not in html_of(open_page("request", id=day.sample.flagged))


def test_requests_without_pictures_say_why(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    passed = html_of(open_page("request", id=day.sample.passed))
    assert "Evidence is kept for flagged requests" in passed
    refused = html_of(open_page("request", id=day.sample.refused))
    assert "turned away before the model saw it" in refused


def test_an_unknown_request_is_said_to_be_one(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    assert "There is no such request" in html_of(open_page("request", id="<script>"))

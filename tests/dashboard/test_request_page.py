"""The page of one request."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from dashboard.show import words
from dashboard.wiring import Parts
from detectors.findings import Finding, Place
from detectors.palette import colour_of
from detectors.rule_book import ADVERSARIAL_PICTURE
from detectors.verdict import Verdict
from inference.answer.encode import webp
from store.models.outlier_models import OutlierModelStore
from store.requests.picture_store import OVERLAY, PICTURE, PictureStore
from store.requests.record_store import add_record
from store.requests.records import RequestRecord, Stage
from store.requests.request_ids import new_request_id
from store.requests.request_keys import last_key
from tests.dashboard.conftest import Day
from tests.dashboard.opened import Signed, button_named, fine, html_of, images_of, open_page
from tests.makers import make_record, make_score

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


@pytest.mark.parametrize(
    "write",
    [
        str.upper,
        lambda text: f' "{text}" ',
        lambda text: f"“{text}”,\n",
        lambda text: f"urn:uuid:{text}",
        lambda text: text.replace("-", ""),
        lambda text: f"`{text[:9]} {text[9:]}`",
    ],
)
def test_an_id_is_cleaned_before_it_is_looked_up(
    day: Day, signed_in: Signed, write: Callable[[str], str]
) -> None:
    signed_in(day.parts)
    html = html_of(open_page("request", id=write(day.sample.flagged)))
    assert "AML.T0015" in html


def test_an_entered_id_is_cleaned_too(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("request")
    at.text_input[0].set_value(f" '{day.sample.flagged.upper()}' ")
    assert "AML.T0015" in html_of(fine(button_named(at, "Open").click().run()))


@pytest.mark.parametrize("entry", ["<script>", "6f1c1d1e", "ip:203.0.113.7", "é" * 36])
def test_what_is_no_id_is_said_to_be_none(day: Day, signed_in: Signed, entry: str) -> None:
    signed_in(day.parts)
    html = html_of(open_page("request", id=entry))
    assert "This is no request id" in html
    assert "<script>" not in html


def test_a_repeated_refusal_is_said_to_be_counted_only(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    html = html_of(open_page("request", id=new_request_id(day.parts.clock())))
    assert "There is no record of this request" in html
    assert "are counted and not recorded one by one" in html


def test_a_request_from_before_the_oldest_record_is_said_to_be_too_old(
    day: Day, signed_in: Signed
) -> None:
    signed_in(day.parts)
    then = day.parts.clock() - timedelta(days=400)
    html = html_of(open_page("request", id=new_request_id(then)))
    assert f"It arrived on {words.utc(then)}" in html
    assert "MASKWATCH_RETENTION_DAYS" in html
    assert "counted" not in html


def test_an_id_of_a_time_to_come_is_said_to_be_one(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    html = html_of(open_page("request", id=new_request_id(nothing.clock() + timedelta(days=2))))
    assert "has not come yet" in html


def test_an_id_without_a_time_is_said_to_be_none_of_a_request(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    html = html_of(open_page("request", id="11111111-1111-4111-8111-111111111111"))
    assert "does not begin with a time" in html


@pytest.mark.parametrize(
    ("rows", "p_value", "cutoff"),
    [
        (37, 1 / 38, "0.0263 instead of 0.01: a model of 37 rows gives no p-value below 1/38"),
        (280, 0.0036, "0.01, as set"),
    ],
)
def test_a_score_says_which_cutoff_is_in_force_and_why(
    nothing: Parts, signed_in: Signed, rows: int, p_value: float, cutoff: str
) -> None:
    signed_in(nothing)
    record, now = make_record(received_at=nothing.clock()), nothing.clock()
    models = OutlierModelStore(nothing.settings.store.var_dir)
    with nothing.database.write() as session:
        add_record(session, record)
        model = models.add(
            session, archive=b"a", kind="isolation_forest", rows=rows, metrics={}, now=now
        )
        session.add(make_score(last_key(session), model.id, now, p_value=p_value, outlier=True))
    html = html_of(open_page("request", id=record.request_id))
    assert f">{cutoff}<" in html


@pytest.mark.parametrize(
    ("route", "sentence"), [("api", "Hosted model"), ("proxy", "Proxy"), ("observe", "Reports")]
)
def test_a_request_says_what_it_came_through(
    nothing: Parts, signed_in: Signed, route: str, sentence: str
) -> None:
    signed_in(nothing)
    record = RequestRecord(
        request_id="11111111-1111-4111-8111-111111111111",
        received_at=nothing.clock(),
        client="ip:203.0.113.7",
        route=route,
        stage=Stage.PARSED,
        verdict=Verdict.PASS,
        status=200,
        reasons=(),
        segmenter=64 * "a",
    )
    with nothing.database.write() as session:
        add_record(session, record)
    html = html_of(open_page("request", id=record.request_id))
    assert sentence in html
    assert ("Service <span" in html) is (route != "api")

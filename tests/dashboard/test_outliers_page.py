"""The page of the outliers, and the order that labels taught on it and on that of the families."""

from datetime import timedelta

import pytest

from dashboard.wiring import Parts
from jobs.context import JobContext
from jobs.outliers import group_families, train_reranker
from jobs.settings import JobSettings
from store.families.feedback import Feedback
from tests.dashboard.opened import Signed, fine, html_of, open_page, request_ids
from tests.labelled_traffic import Labelled


@pytest.fixture
def labelled(nothing: Parts) -> Labelled:
    # A page looks at its own time, which is a little later.
    now = nothing.clock() - timedelta(minutes=1)
    return Labelled(nothing.database, nothing.settings.store.var_dir, now)


def _context(labelled: Labelled) -> JobContext:
    return JobContext(labelled.database, JobSettings(var_dir=labelled.var_dir), labelled.now)


def test_with_few_labels_the_page_says_how_many_there_are(
    labelled: Labelled, nothing: Parts, signed_in: Signed
) -> None:
    labelled.teach(16, 15)
    signed_in(nothing)
    html = html_of(open_page("outliers"))
    assert "31 of 50 labels" in html
    assert "16 confirmed, 15 dismissed" in html
    assert "By p-value" in html
    assert html.count("✕ Confirmed") == 16
    assert len(request_ids(html)) == 31
    assert "31 of 50 labels" in html_of(open_page("families"))


def test_what_labels_taught_orders_the_page_and_says_why(
    labelled: Labelled, nothing: Parts, signed_in: Signed
) -> None:
    labelled.teach(26, 26)
    train_reranker.run(_context(labelled))
    honest = labelled.outliers(3, attacks=False, client="ip:198.51.100.4", minutes_ago=2)
    attack = labelled.outliers(3, attacks=True, client="ip:203.0.113.9", minutes_ago=2)
    signed_in(nothing)
    at = open_page("outliers")
    html, ids = html_of(at), request_ids(html_of(at))
    assert "Learnt from labels (r1)" in html
    assert "Held-out AUROC" in html
    assert "For an attack: " in html
    assert set(attack) < set(ids[:30])
    # A page has fifty.
    button = next(each for each in at.button if each.label == "Older")
    ids += request_ids(html_of(fine(button.click().run())))
    assert set(honest) < set(ids[29:])
    assert len(set(ids)) == 58


def test_families_stand_in_the_learnt_order_or_in_that_of_time(
    labelled: Labelled, nothing: Parts, signed_in: Signed
) -> None:
    labelled.teach(26, 26)
    context = _context(labelled)
    train_reranker.run(context)
    attack = labelled.outliers(3, attacks=True, client="ip:203.0.113.9", minutes_ago=9)
    labelled.label(attack, Feedback.CONFIRMED)
    labelled.outliers(3, attacks=False, client="ip:198.51.100.4", minutes_ago=2)
    group_families.run(context)
    signed_in(nothing)
    html = html_of(open_page("families"))
    assert html.index("ip:203.0.113.9") < html.index("ip:198.51.100.4")
    assert "For an attack: " in html
    by_time = html_of(open_page("families", by_time="true"))
    assert by_time.index("ip:198.51.100.4") < by_time.index("ip:203.0.113.9")
    assert "For an attack: " not in by_time


def test_a_file_that_was_changed_is_said_and_the_order_is_by_p_value(
    labelled: Labelled, nothing: Parts, signed_in: Signed
) -> None:
    labelled.teach(26, 26)
    train_reranker.run(_context(labelled))
    [path] = (labelled.var_dir / "models").rglob("*.reranker")
    path.write_bytes(b"something else")
    signed_in(nothing)
    html = html_of(open_page("outliers"))
    assert "r1 is not used." in html
    assert "was changed on disk" in html
    assert "By p-value" in html


def test_the_oddest_vetted_requests_stand_below_the_outliers(
    labelled: Labelled, nothing: Parts, signed_in: Signed
) -> None:
    outliers = labelled.outliers(2, attacks=False)
    odd = labelled.unselected(0.02)
    signed_in(nothing)
    html = html_of(open_page("outliers"))
    assert "To vet" in html
    assert set(request_ids(html)[:2]) == set(outliers)
    assert request_ids(html)[2:] == [odd]

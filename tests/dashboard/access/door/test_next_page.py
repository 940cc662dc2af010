"""Where people end up after they signed in."""

import pytest
from starlette.testclient import TestClient

from dashboard.access.sign_in import local_path
from dashboard.wiring import Parts
from tests.dashboard.access.door.signing import make_link


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "evil.example",
        "/sign-out",
    ],
)
def test_after_signing_in_nobody_is_sent_elsewhere(
    browser: TestClient, parts: Parts, wanted: str
) -> None:
    answer = browser.get(make_link(parts), params={"token": _token(parts), "next": wanted})
    assert answer.headers["location"] == "/"
    assert local_path(wanted) == "/"


def _token(parts: Parts) -> str:
    return make_link(parts).partition("token=")[2]


def test_a_mail_link_is_remembered_until_after_the_sign_in(
    browser: TestClient, parts: Parts
) -> None:
    browser.get("/alerts?alert=3", headers={"Accept": "text/html"})
    assert browser.get(make_link(parts)).headers["location"] == "/alerts?alert=3"


def test_next_names_the_page(browser: TestClient, parts: Parts) -> None:
    answer = browser.get(make_link(parts, "&next=%2Frequest%3Fid%3Dabc"))
    assert answer.headers["location"] == "/request?id=abc"

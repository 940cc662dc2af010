import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inference.admission.admission_settings import AdmissionGroup
from inference.admission.cross_site import is_cross_site

HOSTS, FRIENDS = ("masks.example:8080", ""), ("https://app.example", "capacitor://localhost")


@pytest.mark.parametrize(
    ("fetch_site", "origin"),
    [
        (None, None),
        ("same-origin", "https://masks.example"),
        ("same-site", "https://www.masks.example"),
        ("none", None),
        (None, "https://masks.example"),
        (None, "http://MASKS.example:9000"),
        ("cross-site", "https://app.example"),
        ("cross-site", "HTTPS://App.example"),
        (None, "capacitor://localhost"),
    ],
)
def test_other_clients_and_ones_own_pages_are_let_through(
    fetch_site: str | None, origin: str | None
) -> None:
    assert not is_cross_site(fetch_site, origin, HOSTS, FRIENDS)


@pytest.mark.parametrize(
    ("fetch_site", "origin"),
    [
        ("cross-site", "https://masks.example.org"),
        ("Cross-Site", None),
        ("cross-site", "null"),
        (None, "https://example.org"),
        (None, "null"),
        (None, "https://["),
        (None, "https://app.example:444"),
        (None, "chrome-extension://masks.example"),
        (None, "app://masks.example"),
        (None, "https://example.org@masks.example"),
        (None, "https://masks.example, https://example.org"),
        (None, "https://masks.example:443, https://example.org"),
        ("", "https://example.org"),
        ("same-galaxy", "https://example.org"),
    ],
)
def test_pages_of_other_sites_are_not(fetch_site: str | None, origin: str | None) -> None:
    assert is_cross_site(fetch_site, origin, HOSTS, FRIENDS)


@pytest.mark.parametrize("host", ["masks.example, inner", "inner:80,masks.example:443"])
def test_a_chain_of_proxies_names_one_host_after_the_other(host: str) -> None:
    assert not is_cross_site(None, "https://masks.example", ("10.0.0.3:8080", host), ())
    assert is_cross_site(None, "https://example.org", ("10.0.0.3:8080", host), ())


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_header_breaks_the_reader(origin: str, host: str) -> None:
    is_cross_site(None, origin, (host,), ())


@pytest.mark.parametrize("origin", ["app.example", "https://app.example/", "https://", "null", "*"])
def test_what_is_no_origin_stops_the_start(origin: str) -> None:
    with pytest.raises(ValidationError, match=r"https://app\.example"):
        AdmissionGroup(allowed_origins=(origin,))

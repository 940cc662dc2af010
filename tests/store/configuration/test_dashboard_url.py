"""The address that browsers reach the dashboard under, as it is set."""

import pytest
from pydantic import ValidationError

from store.configuration.report_groups import DashboardGroup


@pytest.mark.parametrize(
    ("url", "public_url"),
    [
        ("https://müller.example", "https://xn--mller-kva.example"),
        ("https://Müller.example:8443/", "https://xn--mller-kva.example:8443"),
        ("http://straße.example", "http://xn--strae-oqa.example"),
        ("https://日本.example", "https://xn--wgv71a.example"),
        ("https://xn--mller-kva.example", "https://xn--mller-kva.example"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_its_host_is_written_as_browsers_send_it(url: str, public_url: str) -> None:
    assert DashboardGroup(dashboard_url=url).public_url() == public_url


@pytest.mark.parametrize("url", ["https://ü..example", "https://" + "ü" * 70 + ".example"])
def test_a_host_that_has_no_such_name_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="its host cannot be written in the letters of DNS"):
        DashboardGroup(dashboard_url=url)

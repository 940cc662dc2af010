"""Settings of the upstream."""

import pytest
from pydantic import ValidationError

from inference.upstream.relay.address import AddressUnusable, UpstreamAddress
from inference.upstream.upstream_settings import UpstreamGroup


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:5000", UpstreamAddress("http", "127.0.0.1", 5000)),
        ("https://parser.example/", UpstreamAddress("https", "parser.example", 443)),
        ("http://[::1]:80", UpstreamAddress("http", "::1", 80)),
        ("HTTP://Parser.Example", UpstreamAddress("http", "parser.example", 80)),
    ],
)
def test_a_url_names_scheme_host_and_port(url: str, address: UpstreamAddress) -> None:
    assert UpstreamGroup(upstream=url).upstream_address() == address


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://user:secret@a:1", "no user and no password"),
        ("http://user@a:1", "no user and no password"),
        ("http://a:1/path", "end after host and port"),
        ("http://a:1/?q=1", "end after host and port"),
        ("http://a:1?", "end after host and port"),
        ("http://a:1#f", "end after host and port"),
        ("ftp://a:1", "http:// or https://"),
        ("a:1", "end after host and port"),
        ("127.0.0.1", "end after host and port"),
        ("http://", "names no host"),
        ("http://a:0", "must not be 0"),
        ("http://a:99999", "host and port that can be read"),
        ("http://[::1", "host and port that can be read"),
        ("http://a b", "printable ASCII"),
        ("http://ä.example", "printable ASCII"),
        ("http://a\n:1", "printable ASCII"),
    ],
)
def test_a_url_with_more_or_less_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        UpstreamGroup(upstream=url)
    assert "secret" not in str(caught.value)


def test_without_a_url_there_is_no_address() -> None:
    with pytest.raises(AddressUnusable, match="MASKWATCH_UPSTREAM"):
        UpstreamGroup().upstream_address()

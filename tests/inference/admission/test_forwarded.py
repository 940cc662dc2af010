import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.admission.forwarded import read_hop, split_forwarded, split_forwarded_for


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7:50112", "203.0.113.7"),
        ('"203.0.113.7"', "203.0.113.7"),
        ('"203.0.113.7:50112"', "203.0.113.7"),
        ("203.0.113.7:_port", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:DB8::7]:443", "2001:db8::7"),
        ('"[2001:db8::7]:443"', "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
    ],
)
def test_every_form_that_proxies_write_is_read(entry: str, address: str) -> None:
    assert str(read_hop(entry)) == address


@pytest.mark.parametrize(
    "entry",
    ["", "unknown", "_gazonk", "example.org", "[203.0.113.7", "[]:80", "1.2.3.4:5:6", "::g"],
)
def test_other_forms_name_nobody(entry: str) -> None:
    assert read_hop(entry) is None


@given(st.text(max_size=300))
def test_no_entry_breaks_the_reader(entry: str) -> None:
    read_hop(entry)
    split_forwarded([entry])


def test_lines_of_their_own_and_extended_ones_are_the_same() -> None:
    assert split_forwarded_for(["192.0.2.1", "203.0.113.7, 10.0.0.9"]) == split_forwarded_for(
        ["192.0.2.1,203.0.113.7,10.0.0.9"]
    )


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("for=203.0.113.7", "203.0.113.7"),
        ("For=203.0.113.7;proto=https;by=192.0.2.9", "203.0.113.7"),
        ('proto=https; FOR="[2001:db8::7]:4711"', '"[2001:db8::7]:4711"'),
        ("for=192.0.2.1, for=203.0.113.7", "203.0.113.7"),
        ('for="never closed, for=203.0.113.7', "203.0.113.7"),
        ("for=192.0.2.1, proto=https", ""),
        ("for=unknown", "unknown"),
        ('host="a;for=198.51.100.1";for=203.0.113.7', "203.0.113.7"),
        ('for=203.0.113.7;host="a, for=198.51.100.1"', "203.0.113.7"),
        (r'for=203.0.113.7;host="a\", for=198.51.100.1;b=\""', "203.0.113.7"),
        (r'for="[2001:db8::7]:443";host="a\\"', '"[2001:db8::7]:443"'),
        ('for="never closed, for=203.0.113.7;host="a, for=198.51.100.1"', "203.0.113.7"),
        ("for=198.51.100.1;for=203.0.113.7", ""),
        ("for=198.51.100.1,", ""),
    ],
)
def test_the_last_element_of_forwarded_says_whom_it_is_for(line: str, last: str) -> None:
    assert split_forwarded([line])[-1] == last


@pytest.mark.parametrize("lines", [["198.51.100.1, "], ["198.51.100.1", ""], ["198.51.100.1,,"]])
def test_an_empty_entry_at_the_end_names_nobody_and_not_who_stands_before_it(
    lines: list[str],
) -> None:
    assert split_forwarded_for(lines)[-1] == ""


@pytest.mark.parametrize("lines", [[], [""], [" , "], ["", ""]])
def test_a_header_without_anything_has_no_entries(lines: list[str]) -> None:
    assert split_forwarded_for(lines) == split_forwarded(lines) == []

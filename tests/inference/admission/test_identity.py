from ipaddress import IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.admission.identity import Sender, identify, name_address, presented_keys
from inference.refusals import KEY_REQUIRED, UNKNOWN_KEY, WRONG_SCOPE
from store.decisions.access_list import ActiveKey
from store.people.key_scopes import KeyScope
from store.requests.client_names import network_of

PROXY = (ip_network("10.0.0.0/8"),)
ADDRESS, KEY, OTHER_KEY = "ip:198.51.100.9", "mwk_acme", "mwk_other"
PARSE = frozenset({KeyScope.PARSE})
KEYS = {KEY: ActiveKey("key:acme", PARSE), OTHER_KEY: ActiveKey("key:other", PARSE)}


def _identify(*keys: str, scope: KeyScope = KeyScope.PARSE, is_required: bool = False) -> Sender:
    return identify(ADDRESS, set(keys), KEYS.get, scope, is_required=is_required)


def test_a_direct_client_cannot_name_itself() -> None:
    assert name_address("198.51.100.9", ["203.0.113.7"], PROXY) == "ip:198.51.100.9"


def test_a_trusted_proxy_names_the_client() -> None:
    assert name_address("10.0.0.1", ["203.0.113.7"], PROXY) == "ip:203.0.113.7"


def test_entries_that_the_client_wrote_are_not_believed() -> None:
    assert name_address("10.0.0.1", ["192.0.2.1", "203.0.113.7"], PROXY) == "ip:203.0.113.7"


def test_a_chain_of_trusted_proxies_is_followed() -> None:
    assert name_address("10.0.0.1", ["203.0.113.7", "10.0.0.9:443"], PROXY) == "ip:203.0.113.7"


@pytest.mark.parametrize("entry", ["<script>", "unknown", "_hidden", "203.0.113.7.5", "", "::7:x"])
def test_a_sender_whom_a_proxy_does_not_name_is_unknown_and_not_the_proxy(entry: str) -> None:
    assert name_address("10.0.0.1", ["203.0.113.7", entry], PROXY) == "unknown@10.0.0.1"


def test_what_a_client_wrote_in_no_known_form_does_not_make_it_unknown() -> None:
    assert name_address("10.0.0.1", ["nonsense", "203.0.113.7"], PROXY) == "ip:203.0.113.7"


def test_an_ipv4_address_in_ipv6_clothes_is_the_same_client() -> None:
    assert name_address("::ffff:198.51.100.9", [], ()) == "ip:198.51.100.9"


@given(st.lists(st.text(max_size=50), max_size=5))
def test_no_header_changes_an_untrusted_clients_identity(hops: list[str]) -> None:
    assert name_address("198.51.100.9", hops, PROXY) == "ip:198.51.100.9"


@given(st.lists(st.text(max_size=50), max_size=5))
def test_nothing_left_of_the_proxys_entry_changes_whom_it_names(hops: list[str]) -> None:
    assert name_address("10.0.0.1", [*hops, "203.0.113.7"], PROXY) == "ip:203.0.113.7"


def test_a_key_goes_before_the_address() -> None:
    assert _identify(KEY) == Sender("key:acme", ADDRESS)
    assert _identify(KEY, is_required=True) == Sender("key:acme", ADDRESS)


def test_without_a_key_the_address_names_the_client_unless_a_key_is_required() -> None:
    assert _identify() == Sender(ADDRESS, ADDRESS)
    assert _identify(is_required=True) == Sender(ADDRESS, ADDRESS, KEY_REQUIRED)


@given(st.text(max_size=80), st.booleans())
def test_a_key_that_nobody_has_is_refused_and_never_falls_back(key: str, is_required: bool) -> None:
    assert key not in KEYS
    assert _identify(key, is_required=is_required) == Sender(ADDRESS, ADDRESS, UNKNOWN_KEY)


def test_two_keys_are_refused_even_if_both_are_known() -> None:
    assert _identify(KEY, OTHER_KEY) == Sender(ADDRESS, ADDRESS, UNKNOWN_KEY)
    assert _identify(KEY, "mwk_unknown") == Sender(ADDRESS, ADDRESS, UNKNOWN_KEY)


@pytest.mark.parametrize(
    ("authorization", "x_api_key", "keys"),
    [
        ([], [], set()),
        ([f"Bearer {KEY}"], [], {KEY}),
        ([f"bEARER   {KEY} "], [], {KEY}),
        ([], [f" {KEY} "], {KEY}),
        ([f"Bearer {KEY}"], [KEY], {KEY}),
        ([f"Bearer {KEY}"], [OTHER_KEY], {KEY, OTHER_KEY}),
        ([f"Bearer {KEY}", f"Bearer {OTHER_KEY}"], [], {KEY, OTHER_KEY}),
        ([], [KEY, OTHER_KEY], {KEY, OTHER_KEY}),
        (["Bearer"], [], {""}),
        (["Bearer "], [], {""}),
        ([], [""], {""}),
        (["Basic dTpw"], [], set()),
        (["Basic dTpw", f"Bearer {KEY}"], [], {KEY}),
        ([f"BearerX {KEY}"], [], set()),
    ],
)
def test_keys_come_from_two_headers(
    authorization: list[str], x_api_key: list[str], keys: set[str]
) -> None:
    assert presented_keys(authorization, x_api_key) == keys


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_addresses_of_one_ipv6_network_count_as_one(address: IPv6Address, host: int) -> None:
    neighbour = IPv6Address(int(address) >> 64 << 64 | host)
    assert network_of(name_address(str(address), [], ())) == network_of(
        name_address(str(neighbour), [], ())
    ) or (address.ipv4_mapped or neighbour.ipv4_mapped)


@pytest.mark.parametrize("name", ["ip:192.0.2.1", "ip:testclient", "cli:local", "ip:", "key:a:b"])
def test_other_clients_count_for_themselves(name: str) -> None:
    assert network_of(name) == name


def test_a_key_for_something_else_is_known_and_refused() -> None:
    sender = _identify(KEY, scope=KeyScope.OBSERVE)
    assert sender == Sender("key:acme", ADDRESS, WRONG_SCOPE)

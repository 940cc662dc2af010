"""Ordinary connections: answered, kept, and closed once they rest too long."""

import socket

from store.configuration.network_groups import ConnectionsGroup
from store.http.protocol import ConnectionLimits, PatientProtocol, Step
from tests.inference.http.conftest import Serve
from tests.inference.http.connections.requests_in_bytes import HEALTH, LONG, read_one_answer
from tests.waiting import wait_for


def test_an_ordinary_request_is_answered_and_the_connection_stays(serve: Serve) -> None:
    served = serve()
    with served.connect() as connection:
        for _ in range(3):
            connection.sendall(HEALTH + b"\r\n")
            assert read_one_answer(connection).startswith(b"HTTP/1.1 200 ")
    wait_for(lambda: served.connections == 0)
    assert not any(served.closed(why) for why in (*Step, "full", "framing"))


def test_answers_do_not_wait_for_the_peers_confirmation(serve: Serve) -> None:
    served = serve()
    with served.connect() as connection:
        connection.sendall(HEALTH + b"\r\n")
        assert read_one_answer(connection).startswith(b"HTTP/1.1 200 ")
        (protocol,) = served.server.server_state.connections
        assert isinstance(protocol, PatientProtocol)
        peer = protocol.transport.get_extra_info("socket")
        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_idle_connection_is_closed_after_its_answer(serve: Serve) -> None:
    served = serve(header_seconds=LONG, idle_seconds=1)
    assert served.say(HEALTH + b"\r\n").endswith(b'{"status":"ok"}')
    wait_for(lambda: served.connections == 0)


def test_whoever_sends_no_http_can_read_that(serve: Serve) -> None:
    answer = serve().say(b"GET /healthz HTTP/1.1\r\nX:" + b" " * 200_000 + b"\0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_connection_rests_longer_than_clients_and_proxies_keep_theirs() -> None:
    """Else it closes just as they send. nginx and load balancers of clouds keep theirs for 60."""
    assert ConnectionsGroup().idle_seconds > 60


def test_an_upgrade_is_not_followed(serve: Serve) -> None:
    """It would take the connection out of reach of the limits."""
    upgrade = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    answer = serve().say(HEALTH + upgrade + b"Sec-WebSocket-Key: MDEyMzQ1Njc4OUFCQ0RFRg==\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"status":"ok"}')


def test_what_is_awaited_has_its_own_limit() -> None:
    limits = ConnectionLimits(1, 2, 3, 4, 5, 6, 7, 8)
    assert [limits.seconds(step) for step in Step] == [1, 2, 3, 4]

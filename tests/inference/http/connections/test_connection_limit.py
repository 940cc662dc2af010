"""Who gives way when all connections are taken."""

import socket
from contextlib import ExitStack

from store.http.protocol import PatientProtocol
from tests.inference.http.conftest import Serve, Served, read_all
from tests.inference.http.connections.requests_in_bytes import CLOSE, HEALTH, LONG, read_one_answer
from tests.waiting import wait_for


def test_connections_over_the_limit_are_closed_at_once_and_the_others_work(serve: Serve) -> None:
    served = serve(max_connections=20, header_seconds=LONG)
    with ExitStack() as stack:
        opened = [stack.enter_context(served.connect()) for _ in range(20)]
        wait_for(lambda: served.connections == 20)
        for _ in range(30):
            assert served.say() == b""
        assert served.closed("full") == 30
        opened[0].sendall(HEALTH + b"\r\n")
        assert read_one_answer(opened[0]).startswith(b"HTTP/1.1 200 ")
    wait_for(lambda: served.connections == 0)
    assert b"200 OK" in served.say(HEALTH + CLOSE + b"\r\n")


def test_a_peer_with_all_connections_gives_way_to_others_and_loses_only_what_waits(
    serve: Serve,
) -> None:
    served = serve(max_connections=20, header_seconds=LONG)
    with ExitStack() as stack:
        hoard = [stack.enter_context(served.connect("127.0.0.9")) for _ in range(20)]
        wait_for(lambda: served.connections == 20)
        others = [stack.enter_context(served.connect(f"127.0.1.{n}")) for n in range(1, 9)]
        for each in others:
            each.sendall(HEALTH + b"\r\n")
            assert read_one_answer(each).startswith(b"HTTP/1.1 200 ")
        assert served.closed("full") == 8
        assert served.connections == 20
        closed = [each for each in hoard if _is_closed(each)]
        assert len(closed) == 8
        with served.connect("127.0.0.9") as one_more:
            assert read_all(one_more) == b""


def _ask_and_rest(served: Served, connection: socket.socket, resting: int) -> None:
    """Ask once, then wait until so many connections rest."""
    connection.sendall(HEALTH + b"\r\n")
    assert read_one_answer(connection).startswith(b"HTTP/1.1 200 ")
    wait_for(
        lambda: sum(map(_is_resting, tuple(served.server.server_state.connections))) == resting
    )


def _is_resting(connection: object) -> bool:
    return isinstance(connection, PatientProtocol) and connection.is_resting


def test_when_all_are_taken_the_one_that_rests_longest_gives_way(serve: Serve) -> None:
    served = serve(max_connections=4, idle_seconds=LONG)
    with ExitStack() as stack:
        resting = [stack.enter_context(served.connect(f"127.0.1.{n}")) for n in range(1, 5)]
        for count, each in enumerate(resting, 1):
            _ask_and_rest(served, each, count)
        newcomer = stack.enter_context(served.connect("127.0.1.9"))
        _ask_and_rest(served, newcomer, 4)
        assert [_is_closed(each) for each in resting] == [True, False, False, False]
    assert served.closed("full") == 1


def test_whoever_has_more_than_others_cuts_off_none_of_them(serve: Serve) -> None:
    served = serve(max_connections=4, header_seconds=LONG, idle_seconds=LONG)
    with ExitStack() as stack:
        honest = stack.enter_context(served.connect("127.0.1.1"))
        _ask_and_rest(served, honest, 1)
        for _ in range(3):
            stack.enter_context(served.connect("127.0.0.9"))
        wait_for(lambda: served.connections == 4)
        with served.connect("127.0.0.9") as one_more:
            assert read_all(one_more) == b""
        assert not _is_closed(honest)


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except BlockingIOError:
        return False

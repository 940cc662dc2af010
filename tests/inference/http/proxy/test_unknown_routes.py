"""What a proxy does with requests that are not at a route where pictures are expected."""

import socket
from base64 import b64encode

import httpx2
import pytest

from tests.inference.http.proxy.conftest import (
    WAIT_SECONDS,
    Attach,
    Attached,
)

SCRIPT = "<script>alert(1)</script>"


def test_other_requests_pass_as_they_are(attach: Attach) -> None:
    attached = attach(mode="enforce")
    target = "/a//b/../c%2Fd?x=1&x=%20"
    assert _say(attached, f"GET {target}", b"") == 200
    assert attached.page.requests == [("GET", target)]
    assert httpx2.post(attached.url + "/log", content=b"four").text == "POST log 4"
    assert attached.rows(0) == []


def test_a_body_at_an_unknown_route_is_refused_when_enforcing(attach: Attach) -> None:
    attached = attach(mode="enforce")
    response = httpx2.post(attached.url + "/hidden", content=b"four")
    assert (response.status_code, attached.page.requests) == (404, [])
    (row,) = attached.rows(1)
    assert (row.verdict, row.reasons) == ("refuse", ["ungated_route"])


def test_a_body_at_an_unknown_route_passes_with_a_flag_otherwise(attach: Attach) -> None:
    attached = attach()
    assert httpx2.post(attached.url + "/hidden", content=b"four").text == "POST hidden 4"
    (row,) = attached.rows(1)
    assert (row.verdict, row.reasons, row.status) == ("flag", ["ungated_route"], 200)


def test_a_body_at_an_unknown_route_is_flagged_even_if_no_answer_comes(attach: Attach) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        attached = attach(upstream=url, upstream_answer_seconds=0.2)
        answer = httpx2.post(f"{attached.url}/elsewhere", content=b"x")

    assert answer.status_code == 504
    (row,) = attached.rows(1)
    assert (row.verdict, row.status, row.reasons) == ("flag", 504, ["ungated_route"])


def test_another_spelling_of_a_door_is_an_unknown_route(attach: Attach, png: bytes) -> None:
    attached = attach(mode="enforce")
    for path in ("/%70arse", "//parse", "/x/../parse", "/parse/"):
        assert _say(attached, f"POST {path}", png) == 404, path
    assert attached.page.requests == []


def _say(attached: Attached, line: str, body: bytes) -> int:
    """Send a request as it is written here; the status of its answer."""
    port = int(attached.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) as connection:
        head = f"{line} HTTP/1.1\r\nHost: x\r\n"
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        connection.sendall(f"{head}{length}Connection: close\r\n\r\n".encode() + body)
        return int(connection.makefile("rb").readline().split()[1])


def test_a_target_that_names_a_host_is_refused(attach: Attach, png: bytes) -> None:
    attached = attach()
    assert _say(attached, "POST http://127.0.0.1/parse", png) == 400
    assert attached.page.requests == []


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x_http_method"])
@pytest.mark.parametrize(("mode", "status"), [("monitor", 200), ("enforce", 404)])
def test_another_method_in_a_header_is_an_unknown_route(
    attach: Attach, name: str, mode: str, status: int
) -> None:
    attached = attach(mode=mode)
    response = httpx2.get(attached.url + "/parse?url=x", headers={name: "POST"})
    assert response.status_code == status
    (row,) = attached.rows(1)
    assert row.reasons == ["ungated_route"]


def test_another_method_in_a_header_does_not_lead_past_the_gate(attach: Attach, png: bytes) -> None:
    attached = attach()
    header = {"X-HTTP-Method-Override": "PUT"}
    assert attached.send(b"no picture", headers=header).status_code == 415
    assert attached.send(png, headers=header).status_code == 200
    assert attached.page.pictures == [png]


def test_an_address_in_place_of_a_picture_is_refused(attach: Attach, png: bytes) -> None:
    attached = attach()
    body = {"image": "http://169.254.169.254/latest"}
    assert httpx2.post(attached.url + "/parse", json=body).status_code == 422
    text = b64encode(png).decode()
    assert httpx2.post(attached.url + "/parse", content=b'{"image": 1}').status_code == 400
    twice = f'{{"image": "{text}", "image": "{text}"}}'.encode()
    headers = {"Content-Type": "application/json"}
    response = httpx2.post(attached.url + "/parse", content=twice, headers=headers)
    assert response.status_code == 400
    assert attached.page.requests == []


def test_bodies_at_unknown_routes_have_a_rate(attach: Attach) -> None:
    attached = attach(rate_per_second=0.001, rate_burst=2)
    posts = [httpx2.post(attached.url + "/hidden", content=b"four") for _ in range(3)]
    assert [post.status_code for post in posts] == [200, 200, 429]

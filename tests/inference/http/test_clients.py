"""Each line of docs/clients.md is sent to a real service."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from detectors.parsing import Image
from tools.clients import SENDINGS, Sending

Encode = Callable[..., bytes]


@pytest.mark.parametrize("sending", SENDINGS, ids=lambda each: each.habit)
def test_what_clients_send_becomes_what_the_page_says(
    client: TestClient, figure: Image, encode: Encode, sending: Sending
) -> None:
    picture = encode(figure, "JPEG")
    headers = {"Content-Type": sending.media_type, **sending.headers}
    answer = client.post("/v1/parse", content=sending.wrap(picture), headers=headers)
    if sending.is_taken:
        assert answer.status_code == 200
    else:
        assert answer.json()["type"] == f"urn:maskwatch:problem:{sending.outcome}"

"""Options that cannot be meant stop the start."""

from typing import Any

import pytest

from maskwatch.client import ClientOptions, Mode

URL = "http://127.0.0.1:8080"


def test_a_mode_may_come_as_its_word() -> None:
    assert ClientOptions(URL, mode="gate").mode is Mode.GATE  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "https://127.0.0.1:8080",
        "http://",
        "http://127.0.0.1:8080/v1/parse",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:x",
        "http://u:p@127.0.0.1:8080",
    ],
)
def test_an_address_that_is_none_of_a_sidecar_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"url|[Pp]ort"):
        ClientOptions(url)


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "watch"},
        {"max_queue": 0},
        {"max_body_bytes": 0},
        {"max_queue_bytes": 0},
        {"max_screenings": 0},
        {"timeout_seconds": 0},
        {"api_key": "a\r\nX: b"},
        {"plain_paths": "/login"},
        {"picture_fields": "file"},
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_with_its_name(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options)) if "mode" not in options else "watch"):
        ClientOptions(URL, **options)
